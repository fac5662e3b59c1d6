"""Rowing from the command line: plans, what two recorders do, what a crash in the middle does, and watching."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from tests.test_cli import rowsync, started, told
from tests.test_rowing_screen import Shell, pytty


def test_plan_lists_the_plans_that_have_a_name_and_shows_one(tmp_path):
    assert "intervals" in rowsync("plan").stdout
    shown = rowsync("plan", "3x(4x30/30)/3m").stdout
    assert "21:00 in all, 12 hard pieces" in shown
    document = json.loads(rowsync("plan", "steady", "--json").stdout)
    assert (document["plan"], document["duration_s"]) == ("20m@talk", 1200.0)


def test_a_plan_that_goes_through_a_file_is_the_same_plan(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(rowsync("plan", "2m + 3x(4x30@24spm/30)/3m + 2m", "--toml").stdout)
    pieces = [
        json.loads(rowsync("plan", each, "--json").stdout)["pieces"] for each in (mine, "2m+3x(4x30@24spm/30)/3m+2m")
    ]
    assert pieces[0] == pieces[1]


def test_a_share_of_an_unknown_best_is_refused_before_anything_is_rowed(tmp_path):
    done = rowsync("row", "--plan", "8x500m@85%/2m", "--data", tmp_path, "--athlete", "anna", code=2)
    assert "rowsync athlete anna --best-2k" in done.stderr
    assert not (tmp_path / "journal").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--fast", "--web"], "--web needs a row at a rower's speed"),
        (["--fast", "--mqtt", "mqtt://localhost"], "--mqtt needs a row at a rower's speed"),
        (["--web-port", "9000"], "--web-port goes with --web or --lan"),
        (["--mqtt"], "Say where the broker is"),
        (["--mqtt", "mqtt://me:secret@home"], "password"),
    ],
)
def test_options_that_make_no_sense_together_are_refused_in_a_sentence(tmp_path, options, says):
    done = rowsync("row", "--virtual", *options, "--data", tmp_path, code=2)
    assert says in done.stderr
    assert "secret" not in done.stderr


def test_a_row_that_was_killed_goes_on_and_a_second_recorder_is_refused_meanwhile(tmp_path):
    row = ("row", "--virtual", "--plan", "15", "--no-sound", "--data", tmp_path)
    process, _ = started(*row, until="steady")
    refused = rowsync(*row, code=2)
    assert refused.stderr == (
        f"Another rowsync (process {process.pid}) is recording into {tmp_path}. "
        "End that one first, or record elsewhere with --data.\n"
    )
    process.send_signal(signal.SIGKILL)
    process.communicate()
    process, _ = started(*row, "--json", until=r"Going on with the session that was cut short at 0:\d\d")
    told(process, "done")
    process.terminate()
    output, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    session = json.loads(output)
    (gap,), (piece,) = session["gaps"], session["compliance"]["pieces"]
    assert gap["reason"].split(";")[0] == "rowsync was restarted"
    assert piece["due_start_s"] <= gap["start_s"]  # it went on with the piece, and didn't begin it again
    assert piece["due_end_s"] - piece["due_start_s"] == pytest.approx(15, abs=7.5)
    assert len(json.loads(rowsync("sessions", "--json", "--data", tmp_path).stdout)) == 1


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_watching_ends_in_order_and_what_was_rowed_is_stored(tmp_path, told):
    process, _ = started("watch", "--virtual", "--no-sound", "--data", tmp_path, until=r"0:0\d .*saved")
    time.sleep(1)
    process.send_signal(told)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    (row,) = json.loads(rowsync("sessions", "--json", "--data", tmp_path).stdout)
    assert row["plan"] is None


def test_a_unit_watches_with_the_options_that_were_typed_where_they_were_typed(tmp_path):
    there = tmp_path / "100% mine"
    there.mkdir()
    environment = {**os.environ, "ROWSYNC_DATA": "over here", "ROWSYNC_MQTT_PASSWORD": "hunter2"}
    unit = rowsync("watch", "--athlete", "anna b", "--no-sound", "--unit", cwd=there, env=environment).stdout
    assert f"WorkingDirectory={tmp_path}/100%% mine\n" in unit
    assert 'Environment="ROWSYNC_DATA=over here"\n' in unit
    assert "hunter2" not in unit
    assert re.search(r'^ExecStart=/\S+ -m rowsync watch --athlete "anna b" --no-sound$', unit, re.MULTILINE)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_takes_the_unit(tmp_path):
    unit = tmp_path / "rowsync.service"
    unit.write_text(rowsync("watch", "--no-sound", "--unit").stdout)
    done = subprocess.run(["systemd-analyze", "verify", "--user", unit], capture_output=True, text=True, check=False)
    assert str(unit.name) not in done.stderr


@pytty
def test_a_terminal_that_nobody_reads_keeps_nothing_from_being_recorded_ended_and_stored(tmp_path):
    shell = Shell(
        *("row", "--virtual", "--plan", "60x3/3", "--data", str(tmp_path)), code="from rowsync.cli import main; main()"
    )
    shell.read("\x1b[?1049h")

    def lines():
        return sum(len(path.read_bytes().splitlines()) for path in tmp_path.glob("journal/*.jsonl"))

    until(lambda: lines() > 20)
    before = lines()
    time.sleep(4)  # three, two, one and a bell, and nobody reads
    assert lines() >= before + 6
    os.kill(shell.process.pid, signal.SIGTERM)
    until(lambda: (tmp_path / "sessions.parquet").exists())
    shell.read("\x1b[?1049l")
    shell.close()


def until(holds, within_s=30.0):
    give_up_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.05)
