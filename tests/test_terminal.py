"""What stands in the terminal: a stranger's text stays text."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from rowsync.machine_factor import NOTHING_CORRECTED, machines, machines_fields
from rowsync.session import analyse
from rowsync.terminal import print_machines, print_rows, print_session, print_sessions
from tests.test_machine_factor import rows

HOSTILE = "[/bold] [red]x[/red] \x1b[31m\n[link=http://x]"


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200)


def test_markup_and_escape_codes_in_a_strangers_name_are_shown_not_obeyed(console):
    print_rows("name", [{"name": HOSTILE, "address": "AA:BB"}], console)
    shown = console.file.getvalue()
    assert "[/bold] [red]x[/red]" in shown
    assert "\x1b" not in shown


def test_the_list_of_sessions_shows_any_athlete_and_plan(console):
    row = {"session_id": "one", "started_at": "2026-11-23T12:00:00Z", "athlete": HOSTILE, "plan": "[/]"}
    print_sessions([row | {"duration_s": 60.0, "distance_m": None, "gross_kcal": 1.0}], console)
    assert "[red]x[/red]" in console.file.getvalue()
    assert "2026-11-23" in console.file.getvalue(), "years of rowing are told apart"


def test_machines_stand_beside_the_reference_with_their_range_and_what_it_isnt_for(console):
    of = rows("AB" * 6, by=1.1) + rows("C", plan=None)
    print_machines(machines_fields(machines(of, reference="A")), NOTHING_CORRECTED, console)
    lines = [re.sub("[ \u202f]+", " ", line) for line in console.file.getvalue().splitlines()]
    assert [line.split()[-1] for line in lines[1:4]] == ["reference", "%", "–"]
    assert lines[4].startswith("Watts on B read")
    assert lines[5].startswith("C beside A: Nobody rowed the same on both")
    assert lines[6].startswith("Nothing is corrected by it")


def test_a_strangers_machine_is_shown_not_obeyed(console):
    print_machines(machines_fields(machines(rows([HOSTILE, "A"]))), NOTHING_CORRECTED, console)
    assert "[red]x[/red]" in console.file.getvalue()
    assert "\x1b" not in console.file.getvalue()


def test_a_session_is_a_table_of_its_intervals(console, intervals_recording):
    print_session(analyse(intervals_recording.header, intervals_recording.items).summary(), console)
    lines = console.file.getvalue().splitlines()
    assert len([line for line in lines if re.match(r"\d+ +hard +\d", line)]) == 10
    assert "647 strokes" in lines[2]


def test_eighty_columns_hold_the_list_with_whole_ids():
    console = Console(file=io.StringIO(), width=80)
    row = {"session_id": "20261123T120000Z-3f2a", "started_at": "2026-11-23T12:00:00Z", "athlete": "anna"}
    print_sessions(
        [row | {"plan": "5m + 10x45/75 + 5m", "duration_s": 1822.0, "distance_m": 6309, "gross_kcal": 339.0}], console
    )
    assert "20261123T120000Z-3f2a" in console.file.getvalue()
    assert "6\u202f309" in console.file.getvalue()


@pytest.fixture
def summary(intervals_recording):
    return analyse(intervals_recording.header, intervals_recording.items).summary()


def test_the_verdict_stands_above_the_table(console, summary):
    print_session(summary, console)
    lines = console.file.getvalue().splitlines()
    assert lines[3].startswith("10 hard pieces of about 0:45 with ")
    assert lines[4].startswith("Plan 5m + 10x45/75 + 5m: 10 of 10 rounds rowed; pieces began ")
    assert lines[5].startswith("The last 3 pieces were 2\u202f% weaker than the first 3; the heart slowed by 22 bpm ")
    assert lines[6].startswith("#")


def test_a_doubtful_start_has_a_question_mark_and_a_legend(console, summary):
    first, second, *others = [each | {"start_confidence": 0.9} for each in summary["intervals"]]
    print_session(summary | {"intervals": [first, second | {"start_confidence": 0.6}, *others]}, console)
    shown = console.file.getvalue()
    assert re.findall(r"^(\d+) .*\d:\d\d\?", shown, re.MULTILINE) == ["2"]
    assert "? the change at this start is less than 70\u202f% sure" in shown


def test_without_a_doubt_there_is_no_legend(console, summary):
    print_session(summary | {"intervals": [each | {"start_confidence": 0.9} for each in summary["intervals"]]}, console)
    assert "?" not in console.file.getvalue()


def test_a_session_stored_before_intervals_were_judged_is_shown(console, summary):
    later = {"interval_probability", "compliance", "intervals_from"}
    old = {name: value for name, value in summary.items() if name not in later}
    old["intervals"] = [
        {name: value for name, value in each.items() if name != "start_confidence"} for each in summary["intervals"]
    ]
    print_session(old, console)
    assert re.search(r"^10 hard pieces of .* between them\.$", console.file.getvalue(), re.MULTILINE)
