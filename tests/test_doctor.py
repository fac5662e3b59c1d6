"""`rowsync doctor` as a person meets it, and the page of machines that it feeds."""

from __future__ import annotations

import io
import json
import os
import runpy

import pytest
from rich.console import Console

from rowsync.athlete import Athlete
from rowsync.examination import Verdict, examine
from rowsync.live import Virtual, run_row
from rowsync.machines import QUIRKS
from rowsync.plan import parse_plan
from rowsync.recording import read_recording
from rowsync.rowing import Wishes
from rowsync.terminal import print_examination
from tests.conftest import RECORDED, ROOT
from tests.test_cli import rowsync


@pytest.fixture(scope="module")
def pm5(tmp_path_factory):
    """One examination of a virtual PM5; answer its folder and what was printed."""
    folder = tmp_path_factory.mktemp("doctor")
    arguments = ("--virtual", "--fast", "--machine", "pm5", "--share", folder / "shared.jsonl", "--json")
    return folder, rowsync("doctor", *arguments, "--data", folder / "data")


def quirks(document):
    return {finding["quirk"] for finding in document["findings"]} - {None}


def test_a_minute_of_rowing_is_recorded_and_examined(pm5):
    _, done = pm5
    document = json.loads(done.stdout)
    assert document["stroke_count"] > 15
    assert {"Q3", "Q19", "Q28"} <= quirks(document)
    assert {"characteristic", "shape", "interval_s", "jitter_s", "lengths"} <= set(document["streams"][0])


@pytest.mark.parametrize(
    ("machine", "shown"),
    [
        ("standard", {"Q5"}),
        ("pace-only", {"Q3", "Q5", "Q21"}),
        ("viking", {"Q29"}),
        ("mr-captain", {"Q3", "Q5", "Q17", "Q18", "Q23"}),
        ("joroto", {"Q5", "Q20", "Q21"}),
        ("waterrower", {"Q3", "Q5", "Q8", "Q9"}),
        ("whipr", {"Q1", "Q2", "Q3", "Q5", "Q21"}),
        ("fitshow", {"Q5", "Q6", "Q7"}),
        ("pm5-native", {"Q3", "Q5"}),
    ],
)
def test_each_machines_quirks_are_found(tmp_path, machine, shown):
    wishes = Wishes(tmp_path, Athlete(), parse_plan("3m"), origin="synthetic")
    journal = run_row(wishes, Virtual(machine, 1, wishes.plan), fast=True)
    findings = examine(read_recording(journal)).findings
    assert {finding.quirk for finding in findings} - {None} == shown
    assert Verdict.NEEDS_ROW not in {finding.verdict for finding in findings}


def test_the_person_is_told_to_row_and_to_stop(pm5):
    assert "Connected. Row for 60 s" in pm5[1].stderr
    assert "ten seconds" in pm5[1].stderr


def test_nobody_is_told_to_row_before_there_is_a_rower(tmp_path):
    env = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere/at/all"}
    assert "Row for" not in rowsync("doctor", "--data", tmp_path, code=3, env=env).stderr


def test_the_session_is_stored_and_examined_again_by_its_id(pm5):
    folder, done = pm5
    again = json.loads(
        rowsync("doctor", json.loads(done.stdout)["session_id"], "--json", "--data", folder / "data").stdout
    )
    assert quirks(again) == quirks(json.loads(done.stdout))


def test_a_recording_to_share_says_what_was_taken_out_and_shows_the_same(pm5):
    folder, done = pm5
    assert "Taken out:" in done.stderr
    assert "attach it to an issue" in done.stderr
    again = json.loads(rowsync("doctor", folder / "shared.jsonl", "--json").stdout)
    document = json.loads(done.stdout)
    assert quirks(again) == quirks(document)
    assert again["session_id"].startswith("redacted-")
    assert document["session_id"] not in (folder / "shared.jsonl").read_text()


def test_a_recording_is_examined_in_words():
    done = rowsync("doctor", RECORDED / "stops-8x500m.jsonl")
    assert "1931" not in done.stdout
    assert "rowsync gets on with this machine" in done.stdout
    assert "Quirk(" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["doctor", "absent.jsonl"], 4),
        (["doctor", "absent"], 3),
        (["doctor", "x.jsonl", "--virtual"], 2),
        (["doctor", "x.jsonl", "--rower", "PM5"], 2),
        (["doctor", "--fast"], 2),
        (["doctor", "x.jsonl", "--machine", "pm5"], 2),
        (["doctor", "x.jsonl", "--seconds", "30"], 2),
        (["doctor", "x.jsonl", "--without-heart-rate"], 2),
        (["doctor", "--seed", "2"], 2),
        (["doctor", "--share", "-"], 2),
        (["doctor", "--share", __file__], 2),
    ],
)
def test_what_has_no_meaning_is_refused(arguments, code):
    assert rowsync(*arguments, code=code).stderr


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    done = rowsync("doctor", RECORDED / "steady-30m.jsonl", "--share", tmp_path / "absent" / "x.jsonl", code=5)
    assert "there is no folder" in done.stderr
    assert not (tmp_path / "absent").exists()


def test_nothing_is_overwritten_least_of_all_the_recording_itself(tmp_path):
    recording = tmp_path / "mine.jsonl"
    recording.write_bytes((RECORDED / "steady-30m.jsonl").read_bytes())
    done = rowsync("doctor", recording, "--share", recording, code=2)
    assert "Choose another name" in done.stderr
    assert recording.read_bytes() == (RECORDED / "steady-30m.jsonl").read_bytes()


def test_what_may_want_a_row_is_counted_before_all_is_said_to_be_dealt_with():
    printed = rowsync("doctor", RECORDED / "split-clocks-10x45-75.jsonl").stdout
    assert "; 1 thing may want a row of its own." in printed
    assert "all dealt with" not in printed
    assert "one octet too many" not in printed
    assert "all dealt with." in rowsync("doctor", RECORDED / "pace-only-10x45-75.jsonl").stdout


def test_piped_lines_end_where_their_text_does_and_are_short():
    lines = rowsync("doctor", RECORDED / "split-clocks-10x45-75.jsonl").stdout.split("Quirk(")[0].splitlines()
    assert [line for line in lines if line != line.rstrip() or len(line) > 100] == []


@pytest.mark.parametrize("width", [80, 120])
def test_the_examination_fits_the_terminal(width):
    printed = io.StringIO()
    document = examine(read_recording(RECORDED / "split-clocks-10x45-75.jsonl")).summary()
    print_examination(document, Console(file=printed, width=width))
    before_rows = printed.getvalue().split("Quirk(")[0]
    assert max(map(len, before_rows.splitlines())) <= width


def test_a_machine_that_would_write_on_the_terminal_is_kept_from_it():
    printed = io.StringIO()
    document = examine(read_recording(RECORDED / "steady-30m.jsonl")).summary()
    document |= {"name": "\x1b[2J[bold]Rower", "says": {"maker": "\x1b[31m"}}
    print_examination(document, Console(file=printed, width=80))
    assert "\x1b" not in printed.getvalue()
    assert "[bold]Rower" in printed.getvalue()


def test_the_page_of_machines_is_what_the_table_says():
    page = runpy.run_path(str(ROOT / "docs" / "make_machines.py"))["machines_page"]()
    assert (ROOT / "docs" / "machines.md").read_text(encoding="utf-8") == page, "run: python docs/make_machines.py"
    assert all(f"| {quirk.key} |" in page for quirk in QUIRKS)
