"""The conformance suite: its form, its sources, its runner, and rowsync over every frame and behaviour of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.conformance import make, score
from fixtures.conformance.adapters.rowsync_adapter import Rowsync
from fixtures.conformance.serve import answers
from tests.conftest import ROOT

FRAMES = score.read_frames()
CASES = score.read_behaviours()
MACHINES = {machine["machine"] for machine in score.read_machines()}
JUDGED = score.vocabulary(FRAMES)
STATE = {
    "duration_s",
    "stroke_count",
    "distance_m",
    "energy_kcal",
    "stroke_rate_spm",
    "pace_s_per_500m",
    "power_w",
    "heart_rate_bpm",
    "moving",
}
DEMANDS = ({"equals"}, {"min", "max"}, {"gains"}, {"never_falls"})
QUIRKS = {f"Q{number}" for number in range(1, 32)}

# --- rowsync ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["id"])
def test_rowsync_reads_the_frame_right(frame):
    adapter = Rowsync()
    assert frame["characteristic"] in adapter.characteristics
    fields = adapter.decode(frame["characteristic"], bytes.fromhex(frame["hex"]))
    assert score.differences(frame, fields, JUDGED[frame["characteristic"]]) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rowsync_ends_with_what_the_behaviour_demands(case):
    adapter = Rowsync()
    adapter.begin(case.header["advertises"])
    states = []
    for packet in case.packets:
        assert packet["characteristic"] in adapter.characteristics
        payload = bytes.fromhex(packet["hex"])
        states.append((packet["time_s"], adapter.feed(packet["time_s"], packet["characteristic"], payload)))
    assert score.broken(case, states) == []


def test_over_standard_input_and_output_rowsync_answers_the_same():
    asked = list(map(json.dumps, score.questions(FRAMES, CASES)))
    within = score.judge(FRAMES, CASES, answers(Rowsync(), asked))
    without = score.ask([sys.executable, str(score.FOLDER / "adapters" / "rowsync_adapter.py")])
    assert vars(without) == vars(within)


def test_readmes_table_of_machines_is_what_the_suite_says():
    readme = (ROOT / "README.md").read_text()
    asked = map(json.dumps, score.questions(FRAMES, CASES))
    rowsync = score.judge(FRAMES, CASES, answers(Rowsync(), asked))
    assert score.with_machines(readme, rowsync) == readme, "run: python fixtures/conformance/score.py --readme"


# --- the form ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["id"])
def test_a_frame_has_the_documented_form_and_a_source(frame):
    needed = {"id", "machine", "characteristic", "hex", "kind", "source", "stated", "derived", "quirks", "note"}
    assert needed <= set(frame) <= needed | {"differs", "also"}
    assert frame["kind"] in {"capture", "vector", "synthetic"}
    assert_source(frame)
    assert frame["machine"] in MACHINES
    assert re.fullmatch(r"2ad1|2a37|ce0600[0-9a-f]{2}", frame["characteristic"])
    assert re.fullmatch(r"([0-9a-f]{2})+", frame["hex"])
    assert not set(frame["stated"]) & set(frame["derived"])
    assert set(frame.get("also", {})) <= set(score.expected(frame))
    for name, value in frame.get("differs", {}).items():
        assert name not in frame["stated"]
        assert score.expected(frame)[name] != value
    assert set(frame["quirks"]) <= QUIRKS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_behaviour_has_the_documented_form_and_a_source(case):
    header = case.header
    told = {"conformance", "id", "says", "machine", "advertises", "kind", "source", "quirks", "note", "checks"}
    assert set(header) == told
    assert header["conformance"] == 1
    assert header["kind"] in {"capture", "synthetic"}
    assert_source(header)
    assert header["machine"] in MACHINES
    assert set(header["quirks"]) <= QUIRKS
    times = [packet["time_s"] for packet in case.packets]
    assert times == sorted(times)
    assert times[0] >= 0
    for packet in case.packets:
        assert set(packet) == {"time_s", "characteristic", "hex"}
        assert packet["hex"] == bytes.fromhex(packet["hex"]).hex()
    assert header["checks"]
    for check in header["checks"]:
        demand = set(check) - {"field", "from_s", "to_s", "why", "or_null", "optional"}
        assert demand in DEMANDS
        assert check["field"] in STATE
        assert check["why"]
        assert times[0] <= check["from_s"] <= check["to_s"] <= times[-1] + 1


def assert_source(told):
    """A project and where in it, an issue, or what it was made after."""
    pattern = r"[\w.-]+/[\w.-]+([@#]\w+)?(:\S+)?" if told["kind"] != "synthetic" else r".{10,}"
    assert re.fullmatch(pattern, told["source"]), told["source"]


def test_ids_are_unique_and_files_bear_them():
    assert len({frame["id"] for frame in FRAMES}) == len(FRAMES)
    assert [case.id for case in CASES] == sorted(path.stem for path in (score.FOLDER / "behaviours").glob("*.jsonl"))
    assert {case.id for case in make.CASES} == {case.id for case in CASES}


@pytest.mark.parametrize("case", make.CASES, ids=lambda case: case.id)
def test_the_table_makes_the_behaviour_as_it_lies_here(case):
    path = score.FOLDER / "behaviours" / f"{case.id}.jsonl"
    assert [json.dumps(line) for line in case.lines()] == path.read_text().splitlines()


def test_captured_behaviours_send_captured_bytes_only():
    captured = {frame["hex"] for frame in FRAMES if frame["kind"] == "capture"}
    for case in CASES:
        if case.header["kind"] == "capture" and case.id != "pm5-native-100m":  # a whole recording of its own
            assert {packet["hex"] for packet in case.packets} <= captured


def test_the_captures_of_the_evidence_are_all_here(shared):
    here = {(frame["characteristic"], frame["hex"]) for frame in FRAMES}
    lines = map(json.loads, (shared / "captures" / "frames.jsonl").read_text().splitlines())
    there = {(line["char"], line["hex"]) for line in lines if line["kind"] == "device-capture"}
    assert {each for each in there if each[0][:4] in {"2ad1", "2a37", "ce06"}} <= here


# --- the judge --------------------------------------------------------------------------------------------------------

FRAME = {
    "id": "f",
    "characteristic": "2ad1",
    "stated": {"a": 5, "b": None},
    "derived": {"c": 1.5},
    "also": {"a": [None]},
}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"a": 5, "c": 1.5}, []),
        ({"c": 1.5}, []),
        ({"a": 6, "c": 1.5}, ["a"]),
        ({"a": 5, "b": 65535, "c": 1.5}, ["b"]),
        ({"a": 5}, ["c"]),
        ({"a": 5, "c": 1.5, "d": 3}, ["d"]),
        ({"a": 5, "c": 1.5, "of its own": 3}, []),
    ],
)
def test_a_frame_is_right_when_all_judged_fields_are(fields, wrong):
    found = score.differences(FRAME, fields, ("a", "b", "c", "d"))
    assert [sentence.split()[0] for sentence in found] == wrong


def demands(values, **check):
    """Whether the check holds of values at 0, 1, 2 … seconds."""
    check = {"field": "x", "from_s": 1.0, "to_s": 3.0, "why": "it must"} | check
    states = [(float(time_s), {} if value == "absent" else {"x": value}) for time_s, value in enumerate(values)]
    return not score.broken(score.Behaviour({"id": "b", "checks": [check]}, []), states)


@pytest.mark.parametrize(
    ("values", "check", "holds"),
    [
        ([9, 5, 5, 5, 9], {"equals": 5}, True),
        ([9, 5, 6, 5, 9], {"equals": 5}, False),
        ([9, 5], {"equals": 5}, True),
        ([9, None, None, None], {"equals": None}, True),
        ([9, 0, 0, 0], {"equals": False}, False),
        ([9, 5, 6, 7, 99], {"min": 5, "max": 7}, True),
        ([9, 5, None, 7], {"min": 5, "max": 7}, False),
        ([9, 5, None, 7], {"min": 5, "max": 7, "or_null": True}, True),
        ([9, None, None, None], {"min": 5, "max": 7, "or_null": True}, True),
        ([9, 100, 102, 104], {"gains": [4, 4]}, True),
        ([9, 100, 102, 105], {"gains": [4, 4]}, False),
        ([9, None, None, None], {"gains": [0, 4]}, False),
        ([9, 1, None, 1, 0], {"never_falls": True}, True),
        ([9, 2, None, 1], {"never_falls": True}, False),
        (["absent"] * 4, {"equals": True, "optional": True}, True),
        ([9, None, None, None], {"equals": True, "optional": True}, False),
        ([], {"equals": None}, False),
    ],
)
def test_a_check_speaks_of_its_window(values, check, holds):
    assert demands(values, **check) is holds


def test_an_adapter_that_falls_silent_has_raised_on_the_rest():
    hello = {"name": "one", "version": "1", "characteristics": ["2ad1", "2a37"], "has_state": False}
    scored = score.judge(FRAMES, CASES, [hello])
    assert set(scored.frames.values()) == {"raised", "not decoded"}
    assert set(scored.behaviours.values()) == {None}
    assert "one 1" in score.table([scored])


def test_a_decoder_that_is_not_installed_is_said_in_one_line():
    command = [sys.executable, "fixtures/conformance/score.py", "--decoder", "bluetooth-sig"]
    done = subprocess.run(
        [*command, "--python", f"{ROOT}/no/such/python"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 1
    assert done.stderr.startswith("bluetooth-sig is not scored: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_readme_without_the_markers_is_refused_in_a_sentence():
    scored = score.judge(FRAMES, CASES, answers(Rowsync(), map(json.dumps, score.questions(FRAMES, CASES))))
    with pytest.raises(ValueError, match="no place for the table of machines"):
        score.with_machines("# rowsync", scored)
    marked = score.with_machines("before <!-- machines -->old<!-- /machines --> after", scored)
    assert marked == score.with_machines(marked, scored)
    assert "| Mr Captain | captures (7) | 7 of 7 |" in marked
    assert "old" not in marked


@given(st.text(max_size=8), st.binary(max_size=64))
def test_the_adapter_answers_any_bytes_of_any_characteristic(characteristic, payload):
    question = json.dumps({"characteristic": characteristic, "hex": payload.hex()})
    (answer,) = answers(Rowsync(), [question])
    assert set(answer) == {"fields"}
