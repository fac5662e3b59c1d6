"""The command line as a person meets it: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from rowsync.store import Store
from tests import forked
from tests.conftest import RECORDED


def command(*arguments):
    return [sys.executable, "-m", "rowsync", *map(str, arguments)]


def rowsync(*arguments, code=0, **options):
    """Run a command to its end; answer what it printed."""
    done = forked.run([*map(str, arguments)], timeout=120, **options)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One run of the demo; answer its data folder and what it printed."""
    data = tmp_path_factory.mktemp("demo")
    return data, rowsync("--data", data, "demo")


# --- the main job -----------------------------------------------------------------------------------------------------


def test_the_demo_rows_ten_rounds_and_ends_with_the_table_and_the_page(demo):
    data, done = demo
    assert len(re.findall(r"^\d+ +hard +\d", done.stdout, re.MULTILINE)) == 10
    page = data / "pages" / re.search(r"([^/\s]+\.html)\s*$", done.stdout)[1]
    assert page.is_file()
    assert "synthetic" in done.stdout


def test_the_demo_says_where_it_is_and_what_is_saved(demo):
    _, done = demo
    assert re.search(r"hard round 7: .* saved \d+ of \d+ notifications", done.stderr)


def test_machines_are_those_that_were_rowed_and_one_alone_has_nothing_beside_it(demo):
    data, _ = demo
    shown = json.loads(rowsync("machines", "--json", "--data", data).stdout)
    (machine,) = shown["machines"]
    assert (shown["reference"], machine["sessions"], machine["factor"]) == (machine["key"], 1, None)
    assert re.search(rf"^{re.escape(machine['name'])} .* reference", rowsync("machines", "--data", data).stdout, re.M)
    assert "`rowsync machines` lists" in rowsync("machines", "--reference", "PM5", "--data", data, code=2).stderr
    assert "No session of 'ben'" in rowsync("machines", "--athlete", "ben", "--data", data, code=3).stderr


def test_sessions_and_show_speak_of_the_same_session(demo):
    data, _ = demo
    (row,) = json.loads(rowsync("sessions", "--json", "--data", data).stdout)
    shown = json.loads(rowsync("show", "--json", "--data", data).stdout)
    assert row["session_id"] == shown["session_id"]
    assert row["athlete"] == "demo"
    assert row["plan"] == "5m + 10x45/75 + 5m"
    assert row["gross_kcal"] == shown["energy"]["gross_kcal"]
    assert shown["origin"] == "synthetic"
    assert shown["started_at"].endswith("Z")
    assert {"gross_kcal", "net_kcal", "low_kcal", "high_kcal", "model", "machine_kcal"} <= set(shown["energy"])
    assert (row["net_low_kcal"], row["net_high_kcal"]) == (
        shown["energy"]["net_low_kcal"],
        shown["energy"]["net_high_kcal"],
    )


def test_what_was_recorded_live_replays_to_the_same_numbers(demo):
    from rowsync.recording import recording_bytes
    from rowsync.store import Store

    data, _ = demo
    recording = Store(data).recording(Store(data).find())
    path = data / "again.jsonl"
    path.write_bytes(recording_bytes(recording.header, recording.notifications))
    replayed = json.loads(rowsync("replay", path, "--json").stdout)
    shown = json.loads(rowsync("show", "--json", "--data", data).stdout)
    assert shown.pop("before") is None
    assert replayed == shown


def test_calories_are_exported_by_week_in_three_formats(demo, tmp_path):
    data, _ = demo
    shown = json.loads(rowsync("show", "--json", "--data", data).stdout)
    (row,) = json.loads(rowsync("export", "calories", "--format", "json", "--data", data).stdout)
    assert row["gross_kcal"] == pytest.approx(shown["energy"]["gross_kcal"], abs=0.05)
    csv = rowsync("export", "calories", "--by", "session", "--data", data).stdout
    assert csv.splitlines()[0].startswith("session_id,started_at,athlete,origin,machine,minutes,gross_kcal")
    rowsync("export", "calories", "--format", "parquet", "-o", tmp_path / "c.parquet", "--data", data)
    assert len(pd.read_parquet(tmp_path / "c.parquet")) == 1


def test_a_report_is_a_page_that_needs_nothing_but_its_neighbour(demo, tmp_path):
    data, _ = demo
    done = rowsync("report", "-o", tmp_path / "page.html", "--data", data)
    assert done.stdout.strip() == str(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert (tmp_path / "plotly.min.js").is_file()
    assert "https://" not in page


@pytest.fixture
def twice(tmp_path, intervals_recording):
    """A data folder in which one plan was rowed on two days."""
    for session_id, day in (("first", 3), ("again", 10)):
        at = datetime(2026, 11, day, 18, tzinfo=UTC)
        header = replace(intervals_recording.header, session_id=session_id, started_at=at, plan="5m + 10x45/75")
        Store(tmp_path / "data").add(replace(intervals_recording, header=header))
    return tmp_path / "data"


def test_reports_of_a_plan_that_was_rowed_again_lead_to_their_comparison(twice, tmp_path):
    site = tmp_path / "site"
    rowsync("report", "--all", "-o", site, "--data", twice)
    assert sorted(path.name for path in site.glob("*.compare.html")) == ["again.compare.html"]
    assert '<a href="again.compare.html">' in (site / "again.html").read_text("utf-8")
    assert '<a href="first.html">' in (site / "again.compare.html").read_text("utf-8")
    assert "As strong as on 3 November." in (site / "again.compare.html").read_text("utf-8")
    assert "compare.html" not in (site / "first.html").read_text("utf-8")


def test_a_report_of_its_own_leads_to_no_comparison_that_is_not_there(twice, tmp_path):
    rowsync("report", "again", "-o", tmp_path / "mailed.html", "--data", twice)
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["mailed.html"]
    assert "compare.html" not in (tmp_path / "mailed.html").read_text("utf-8")


def test_all_reports_are_a_folder_with_one_copy_of_plotly(demo, tmp_path):
    data, _ = demo
    rowsync("report", "--all", "-o", tmp_path / "site", "--data", data)
    names = sorted(path.name for path in (tmp_path / "site").iterdir())
    assert len([name for name in names if name.endswith(".html")]) == 3
    assert {"index.html", "programme.html"} <= set(names)
    assert [name for name in names if name.endswith(".js")] == ["plotly.min.js"]


def test_recordings_in_the_fixtures_are_replayed_and_stored_on_request(tmp_path):
    recording = RECORDED / "steady-30m.jsonl"
    shown = json.loads(rowsync("replay", recording, "--json").stdout)
    assert [each["effort"] for each in shown["intervals"] if each["effort"] != "rest"] == ["steady"]
    assert json.loads(rowsync("sessions", "--json").stdout) == []
    rowsync("replay", recording, "--store")
    assert [row["session_id"] for row in json.loads(rowsync("sessions", "--json").stdout)] == ["steady-30m"]


def test_a_heavier_athlete_costs_more_for_the_same_recording():
    recording = RECORDED / "steady-30m.jsonl"
    light, heavy = (
        json.loads(rowsync("replay", recording, "--json", "--mass", mass).stdout)["energy"]["gross_kcal"]
        for mass in (60, 90)
    )
    assert heavy - light == pytest.approx(30 * 0.0563 * 30, rel=0.02)


# --- decode -----------------------------------------------------------------------------------------------------------


def test_decode_prints_the_contracts_document():
    document = json.loads(rowsync("decode", "--json", "3c0b3002000a0000d1005e011600010002020800").stdout)
    assert document["characteristic"] == "2ad1"
    assert document["fields"]["stroke_rate_spm"] == 24.0
    assert document["missing"] == ["elapsed_time_s"]
    assert document["extra_hex"] == ""
    assert document["more_data"] is False
    assert document["notes"]


def test_decode_shows_what_is_not_available_as_null():
    document = json.loads(
        rowsync("decode", "--json", "2c 09 4f 21 00 32 00 00 56 01 0c 00 ff ff 59 01 ff 3e 00").stdout
    )
    assert document["fields"]["total_energy_kcal"] is None
    assert document["fields"]["energy_per_hour_kcal"] == 345


@pytest.mark.parametrize(
    "typed", [["04003b0a00d20400"], ["(0x) 04-00-3B-0A-00-D2-04-00"], ["0x04", "0x00", "3b", "0a", "00", "d2 04 00"]]
)
def test_decode_takes_hex_as_other_tools_print_it(typed):
    assert json.loads(rowsync("decode", "--json", *typed).stdout)["fields"] == {
        "stroke_rate_spm": 29.5,
        "stroke_count": 10,
        "total_distance_m": 1234,
    }


@pytest.mark.parametrize("hex_bytes", ["", "2c", "ffff", "ff" * 600])
def test_decode_takes_any_bytes(hex_bytes):
    assert set(json.loads(rowsync("decode", "--json", hex_bytes).stdout)) >= {"fields", "missing", "extra_hex", "notes"}


@pytest.mark.parametrize(
    ("uuid", "short"),
    [
        ("0x2AD1", "2ad1"),
        ("00002ad1", "2ad1"),
        ("00002AD1-0000-1000-8000-00805F9B34FB", "2ad1"),
        ("00002ad100001000800000805f9b34fb", "2ad1"),
        ("CE060031-43E5-11E4-916C-0800200C9A66", "ce060031"),
    ],
)
def test_decode_takes_a_uuid_as_other_tools_print_it(uuid, short):
    assert json.loads(rowsync("decode", "--json", "--characteristic", uuid, "0100").stdout)["characteristic"] == short


@pytest.mark.parametrize(
    ("characteristic", "payload", "line"),
    [
        ("2acc", "0200000000000000", r"machine +cadence$"),
        ("2acc", "2600000000000000", r"machine +cadence, total_distance, pace$"),
        ("2acc", "0000000000000000", r"machine +none$"),
        ("2a24", "00", r"model +none$"),
        ("2ad1", "0000000000", r"more_data +False$"),
    ],
)
def test_decode_in_words_is_no_python(characteristic, payload, line):
    printed = rowsync("decode", "--characteristic", characteristic, payload).stdout
    assert re.search(line, printed, re.MULTILINE)
    assert ("more_data" in printed) == (characteristic == "2ad1")


def test_decode_of_what_is_not_decoded_yet_keeps_the_bytes():
    document = json.loads(rowsync("decode", "--json", "--characteristic", "CE060031", "0102").stdout)
    assert (document["characteristic"], document["extra_hex"]) == ("ce060031", "0102")


# --- correct ----------------------------------------------------------------------------------------------------------


def intervals(printed):
    return [(each["effort"], each["start_s"], each["end_s"]) for each in json.loads(printed)["intervals"]]


@pytest.fixture
def stored():
    """The seed workout in the store; answer its intervals as they were detected."""
    rowsync("replay", RECORDED / "intervals-10x45-75.jsonl", "--store")
    return intervals(rowsync("show", "--json").stdout)


def test_a_recording_is_replayed_as_rowed_to_another_plan():
    steady, rounds = (RECORDED / f"{name}.jsonl" for name in ("steady-30m", "intervals-10x45-75"))
    shown = json.loads(rowsync("replay", steady, "--plan", "10x45/75", "--json").stdout)
    assert (shown["plan"], shown["intervals_from"], shown["compliance"]["followed"]) == ("10x45/75", "detected", False)
    assert "The plan 10x45/75 was not what was rowed" in rowsync("replay", steady, "--plan", "10x45/75").stdout
    shorter = json.loads(rowsync("replay", rounds, "--plan", "5m + 8x45/75 + 9m", "--json").stdout)
    assert (shorter["intervals_from"], shorter["compliance"]["rounds_planned"]) == ("plan", 8)


def test_a_corrected_session_is_shown_so_until_it_is_undone(stored):
    edges, paint = ("--edge", "5:02", "4:58", "--edge", "5:48", "343.5"), ("--as", "cool-down", "23:00", "59:00")
    done = rowsync("correct", "intervals", *edges, *paint)
    assert re.search(r"^2 +hard +4:58 ", done.stdout, re.MULTILINE)
    assert re.search(r"^Intervals corrected by you on \w{3} \d+ \w{3} \d{4}$", done.stdout, re.MULTILINE)
    assert rowsync("show").stdout == done.stdout
    shown = rowsync("show", "--json").stdout
    assert json.loads(shown)["intervals_from"] == "corrected"
    assert intervals(shown)[:2] == [("warmup", 0.0, 298.0), ("hard", 298.0, 343.5)]
    assert intervals(shown)[3:-2] == stored[3:-3]
    assert intervals(shown)[-1][:2] == ("cooldown", 1380.0)
    again = rowsync("replay", RECORDED / "intervals-10x45-75.jsonl", "--store", "--json").stdout
    assert again == shown
    assert intervals(rowsync("correct", "--undo", "--json").stdout) == stored
    assert "corrected" not in rowsync("show").stdout


def test_correct_without_a_word_shows_the_edges_and_changes_nothing(stored):
    assert rowsync("correct").stdout == rowsync("show").stdout
    assert intervals(rowsync("correct", "--json").stdout) == stored
    assert json.loads(rowsync("correct", "--json").stdout)["intervals_from"] == "plan"


def test_a_page_that_was_written_already_is_written_again(stored, tmp_path):
    page = tmp_path / "data" / "pages" / "intervals-10x45-75.html"
    rowsync("report", "-o", page)
    assert "corrected by you" not in page.read_text()
    rowsync("correct", "--as", "rest", "10:00", "10:30")
    assert "The intervals were corrected by you on" in page.read_text()


def test_a_correction_reaches_the_pages_of_later_sessions_that_are_compared_with_it(stored, tmp_path):
    header, *lines = (RECORDED / "intervals-10x45-75.jsonl").read_text().splitlines()
    later = json.loads(header[9:]) | {"session_id": "later", "started_at": "2026-11-30T12:00:00Z"}
    (tmp_path / "later.jsonl").write_text("\n".join((json.dumps(later), *lines)))
    rowsync("replay", "--store", tmp_path / "later.jsonl")
    rowsync("report", "--all")
    compared = tmp_path / "data" / "pages" / "later.compare.html"
    before = compared.read_text()
    rowsync("correct", "intervals-10x45-75", "--as", "rest", "5:02", "5:40")
    assert compared.read_text() != before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--edge", "8:20", "8:30"], 2, "The nearest edges are"),
        (["--edge", "5:02", "9:00"], 2, "begin at 0:00 and end at 5:48"),
        (["--edge", "5:02", "soon"], 2, "'soon' is no time"),
        (["--as", "nap", "5:00", "6:00"], 2, "is no effort"),
        (["--as", "hard", "50:00", "59:00"], 2, "lasts 30:22"),
        (["--undo", "--edge", "5:02", "5:00"], 2, "--undo goes alone"),
        (["--edge", "5:02"], 2, "requires 2 arguments"),
        (["nobody", "--undo"], 3, "No session is called nobody"),
    ],
)
def test_a_correction_that_means_nothing_gets_a_sentence_and_changes_nothing(stored, arguments, code, says):
    done = rowsync("correct", *arguments, code=code)
    assert says in done.stderr
    assert done.stdout == ""
    assert intervals(rowsync("show", "--json").stdout) == stored


def test_a_truth_that_cannot_be_read_is_named_and_nothing_is_lost(stored, tmp_path):
    rowsync("correct", "--edge", "5:02", "4:58")
    (truth,) = (tmp_path / "data" / "truth").glob("*/*/*.json")
    truth.write_bytes(truth.read_bytes()[:-20])
    for command_name in ("show", "correct"):
        done = rowsync(command_name, "--json")
        assert str(truth) in done.stderr
        assert intervals(done.stdout) == stored
    assert str(truth) in rowsync("correct", "--edge", "5:02", "5:00", code=4).stderr
    assert truth.exists()
    assert rowsync("correct", "--undo").stderr == ""
    assert not truth.exists()


# --- errors: one or two lines that say what to do ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["show"], 3, "rowsync demo"),
        (["show", "nobody"], 3, "no sessions"),
        (["replay", "nowhere.jsonl"], 4, "No such file"),
        (["replay", __file__], 4, "not a rowsync recording"),
        (["decode", "xyz"], 2, "hex digits"),
        (["decode", "--characteristic", "rower data", "00"], 2, "is no characteristic"),
        (["decode", "--characteristic", "00002ad1-0000-1000-8000", "00"], 2, "is no characteristic"),
        (["row", "--machine", "pm5"], 2, "--machine goes with --virtual"),
        (["row", "--virtual", "--plan", "10y45"], 2, "can't be read"),
        (["demo", "--plan", ""], 2, "can't be read"),
        (["demo", "--plan", "9" * 5000 + "x4/5"], 2, "can't be read"),
        (["replay", "--mass", "nan", "x"], 2, "is no number"),
        (["replay", "/dev/zero"], 4, "larger than any recording"),
        (["replay", "--plan", "10y45", "x"], 2, "can't be read"),
        (["row", "--fast"], 2, "--virtual"),
        (["demo", "--machine", "unicorn"], 2, "There is no virtual machine 'unicorn'"),
        (["export", "calories", "--by", "year"], 2, "year"),
        (["report"], 3, "rowsync demo"),
        (["report", "--all"], 3, "rowsync demo"),
        (["report", "--all", "-o", "all.html"], 2, "looks like a file"),
        (["export", "calories", "--athlete", "nobody"], 3, "nobody"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_a_mistake_gets_a_sentence_and_its_exit_code(arguments, code, says, tmp_path):
    done = rowsync(*arguments, code=code, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(RECORDED.parents[1])})
    assert says in done.stderr
    assert done.stdout == ""


def test_without_bluetooth_scanning_and_rowing_say_what_to_do():
    env = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere/at/all"}
    for arguments in (["scan"], ["row"]):
        assert "install and start BlueZ" in rowsync(*arguments, code=3, env=env).stderr


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_rowed(tmp_path):
    (tmp_path / "file").write_text("precious")
    done = rowsync("row", "--virtual", "--fast", "--plan", "10", "--data", tmp_path / "file" / "data", code=5)
    assert "can't be written" in done.stderr
    assert "--data" in done.stderr


def test_settings_that_make_no_sense_are_named(settings_file):
    settings_file.write_text('atlete = "anna"\n')
    assert "atlete is unknown" in rowsync("sessions", code=2).stderr


def test_the_athlete_comes_from_the_settings(settings_file):
    settings_file.write_text("[athletes.anna]\nmass_kg = 62\n")
    rowsync("replay", RECORDED / "steady-30m.jsonl", "--store", "--athlete", "anna")
    assert [row["athlete"] for row in json.loads(rowsync("sessions", "--json").stdout)] == ["anna"]


def test_a_session_name_with_escape_codes_is_made_harmless():
    rowsync("replay", RECORDED / "steady-30m.jsonl", "--store")
    assert "\x1b" not in rowsync("show", "\x1b[31mred", code=3).stderr


def test_a_damaged_recording_is_read_as_far_as_it_is_sound(tmp_path):
    whole = bytearray((RECORDED / "steady-30m.jsonl").read_bytes())
    whole[len(whole) // 2] ^= 4
    (tmp_path / "damaged.jsonl").write_bytes(whole[:-20])
    done = rowsync("replay", tmp_path / "damaged.jsonl")
    assert "2 lines of damaged.jsonl could not be read" in done.stderr


# --- Ctrl-C, and worse ------------------------------------------------------------------------------------------------


def started(*arguments, until):
    """Start a command and wait until it has said something; answer the process and the match."""
    process = begun(*arguments)
    return process, told(process, until)


def begun(*arguments):
    """Start a command."""
    return subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(process, until):
    """Wait until a command has said something; answer the match."""
    for line in process.stderr:
        if found := re.search(until, line):
            return found
    raise AssertionError(f"never said {until}")


def test_kill_9_in_the_middle_of_the_demo_loses_nothing_that_was_called_saved(tmp_path):
    process, saved = started("demo", "--data", tmp_path, until=r"hard round 5: .* saved (\d+) of")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = rowsync("sessions", "--json", "--data", tmp_path)
    assert "Recovered a session that was cut short" in done.stderr
    (row,) = json.loads(done.stdout)
    shown = json.loads(rowsync("show", row["session_id"], "--json", "--data", tmp_path).stdout)
    assert shown["notifications"] >= int(saved[1]) > 0
    assert not list((tmp_path / "journal").glob("*.jsonl"))


def test_the_next_row_recovers_what_a_crash_left_and_says_so(tmp_path):
    process, _ = started("demo", "--data", tmp_path, until="hard round 2")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = rowsync("row", "--virtual", "--fast", "--plan", "20", "--data", tmp_path)
    assert "Recovered a session that was cut short" in done.stderr
    assert len(json.loads(rowsync("sessions", "--json", "--data", tmp_path).stdout)) == 2


def test_ctrl_c_and_its_kin_end_the_session_in_order(tmp_path):
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    rows = {each: begun("row", "--virtual", "--data", tmp_path / each.name) for each in signals}  # at once: they wait
    for process in rows.values():
        told(process, "warm-up|0:0[1-9]")
    time.sleep(1.0)
    for each, process in rows.items():
        process.send_signal(each)
    for each, process in rows.items():
        output, said = process.communicate(timeout=60)
        assert process.returncode == 0, f"{each.name}: {said}"
        assert "Ending the session" in said
        assert "Page:" in output
        assert len(json.loads(rowsync("sessions", "--json", "--data", tmp_path / each.name).stdout)) == 1


def test_ctrl_c_twice_quits_at_once_without_a_traceback_and_nothing_is_lost(tmp_path):
    process, _ = started("row", "--virtual", "--data", tmp_path, until="warm-up|0:0[1-9]")
    time.sleep(1.0)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    assert "Traceback" not in said
    assert len(json.loads(rowsync("sessions", "--json", "--data", tmp_path).stdout)) == 1


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 100 kB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_disk_that_fills_is_said_at_once_and_the_whole_session_is_brought_to_safety(small_disk, tmp_path):
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = rowsync("row", "--virtual", "--fast", "--plan", "15m", "--data", small_disk, code=5, env=env)
    assert "Not saved just now: No space left on device" in done.stderr
    (safe,) = tmp_path.glob("rowsync-*.jsonl")
    assert f"rowsync replay --store {safe}" in done.stderr
    shown = json.loads(rowsync("replay", "--store", safe, "--json").stdout)
    assert shown["notifications"] > 1800
    assert shown["duration_s"] > 900


# --- help -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        *(
            [name]
            for name in [
                *("demo", "scan", "row", "sessions", "show", "correct", "replay"),
                *("decode", "dashboard", "report", "export"),
            ]
        ),
    ],
)
def test_every_command_has_help(arguments):
    assert "Usage: rowsync" in rowsync(*arguments, "--help").stdout


@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_reader_that_has_had_enough_is_no_error(reader):
    recording = RECORDED / "steady-30m.jsonl"
    shell = f"({' '.join(command('replay', recording, '--json'))}; echo exit $? >&2) | {reader}"
    said = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stderr
    assert said.strip() == "exit 0"


def test_a_terminal_that_goes_away_does_not_end_the_row(tmp_path):
    shell = (
        f"({' '.join(command('row', '--virtual', '--fast', '--plan', '5m', '--data', tmp_path))} 2>&1 >&3) | head -2"
    )
    subprocess.run(["bash", "-c", f"exec 3>/dev/null; {shell}"], capture_output=True, check=True)
    (row,) = json.loads(rowsync("sessions", "--json", "--data", tmp_path).stdout)
    assert row["duration_s"] > 300


def test_looking_back_needs_no_writable_disk(small_disk, tmp_path):
    rowsync("replay", RECORDED / "pace-only-10x45-75.jsonl", "--store", "--data", small_disk)
    (small_disk / "journal").mkdir(exist_ok=True)
    whole = (RECORDED / "steady-30m.jsonl").read_bytes()
    (small_disk / "journal" / "left.jsonl").write_bytes(whole[:20_000])
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = rowsync("show", "pace", "--data", small_disk)
    assert "left.jsonl can't be stored" in done.stderr


def test_a_session_stored_while_it_was_being_recorded_is_stored_once(tmp_path):
    process, _ = started("demo", "--data", tmp_path, until="hard round 3")
    for _ in range(4):
        rowsync("sessions", "--data", tmp_path)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert len(json.loads(rowsync("sessions", "--json", "--data", tmp_path).stdout)) == 1


def test_what_the_virtual_rower_rows_is_not_filed_under_a_person(settings_file):
    settings_file.write_text('athlete = "anna"\n')
    rowsync("row", "--virtual", "--fast", "--plan", "30")
    (row,) = json.loads(rowsync("sessions", "--json").stdout)
    assert (row["athlete"], row["origin"]) == ("demo", "synthetic")


def test_the_names_of_the_virtual_machines_are_in_the_help():
    from rowsync.virtual.machine import MACHINES

    help_text = re.sub(r"\s+", "", rowsync("demo", "--help").stdout)
    assert [name for name in MACHINES if name not in help_text] == []


# --- energy -----------------------------------------------------------------------------------------------------------


def test_the_energy_of_one_number_comes_with_its_range_and_beside_other_formulas():
    found = json.loads(rowsync("energy", "--power", 100, "--seconds", 1800, "--mass", 75, "--json").stdout)
    assert found["low_kcal"] < found["gross_kcal"] < found["high_kcal"]
    assert found["gross_kcal"] == pytest.approx(295, abs=2)
    assert found["half_width"] <= 0.16
    assert found["formulas_kcal"]["concept2"] == pytest.approx(322, abs=1)
    said = rowsync("energy", "--power", 100, "--mass", 75).stdout
    assert "qdomyos-zwift" in said
    assert "80 % range" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("energy", "--power", -5),
        ("energy", "--power", 65_535),
        ("energy", "--power", 100, "--mass", 5),
        ("energy", "--power", 100, "--mass", 900),
        ("energy", "--power", "nan"),
        ("energy", "--power", 100, "--seconds", "nan"),
        ("athlete", "", "--mass", "60"),
        ("felt",),
        ("felt", "--exertion", "11"),
        ("athlete", "anna", "--mass", "900"),
        ("athlete", "anna", "--born", "2090"),
    ],
)
def test_figures_that_no_body_has_are_refused_in_a_sentence(tmp_path, arguments):
    environment = os.environ | {"ROWSYNC_CONFIG": str(tmp_path / "config.toml")}
    done = rowsync("--data", tmp_path, *arguments, code=2, env=environment)
    assert done.stderr.strip()
    assert not (tmp_path / "config.toml").exists()


def test_what_is_said_of_an_athlete_later_reckons_stored_sessions_again(tmp_path):
    environment = os.environ | {"ROWSYNC_CONFIG": str(tmp_path / "config.toml")}
    (tmp_path / "config.toml").touch()
    recording = RECORDED / "intervals-10x45-75.jsonl"
    rowsync("--data", tmp_path, "replay", recording, "--store", "--athlete", "anna", env=environment)
    before = json.loads(rowsync("--data", tmp_path, "show", "--json", env=environment).stdout)["energy"]
    done = rowsync("--data", tmp_path, "athlete", "anna", "--mass", 60, env=environment)
    after = json.loads(rowsync("--data", tmp_path, "show", "--json", env=environment).stdout)["energy"]
    assert (before["mass_from"], after["mass_from"], after["mass_kg"]) == ("assumed", "settings", 60.0)
    assert after["gross_kcal"] < before["gross_kcal"]
    assert f"Together they had {before['gross_kcal']:.0f} (" in done.stderr
    assert f"and have {after['gross_kcal']:.0f} (" in done.stderr
    (tmp_path / "config.toml").write_text("[athletes.anna]\nmass_kg = 95\n")  # by hand
    by_hand = json.loads(rowsync("--data", tmp_path, "show", "--json", env=environment).stdout)["energy"]
    assert by_hand["mass_kg"] == 95.0
    replayed = json.loads(rowsync("replay", recording, "--athlete", "anna", "--json", env=environment).stdout)["energy"]
    assert replayed == by_hand


def test_help_lists_what_one_does_first_first():
    listed = re.findall(r"^  ([a-z]+)  ", rowsync("--help").stdout, re.MULTILINE)
    assert listed[:2] == ["demo", "row"]
    assert listed.index("show") < listed.index("energy")


def test_an_athletes_name_of_any_octets_is_stored_and_shown(tmp_path):
    recording = RECORDED / "pace-only-10x45-75.jsonl"
    rowsync("replay", recording, "--store", "--data", tmp_path, "--athlete", os.fsdecode(b"a\xff"))
    (row,) = json.loads(rowsync("sessions", "--json", "--data", tmp_path).stdout)
    assert row["athlete"] == "a?"
