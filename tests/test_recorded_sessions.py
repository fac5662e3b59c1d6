"""Every recording in fixtures/recorded_sessions goes the whole way and comes out as it was rowed.

Adding a file adds tests: `NAME.jsonl` beside `NAME.expected.json`, whose totals don't come from our own analysis.
"""

from __future__ import annotations

import json

import pytest

from rowsync.recording import read_recording
from rowsync.session import analyse
from rowsync.telemetry import power_from_pace_w
from tests.conftest import RECORDED

NAMES = sorted(path.stem for path in RECORDED.glob("*.jsonl"))


@pytest.fixture(scope="module", params=NAMES)
def rowed(request):
    """A recording's analysis, and what is expected of it."""
    recording = read_recording(RECORDED / f"{request.param}.jsonl")
    assert recording.refused_lines == 0
    expected = json.loads((RECORDED / f"{request.param}.expected.json").read_text())
    return analyse(recording.header, recording.items), expected


def test_there_are_recordings_and_all_say_what_they_are():
    assert len(NAMES) >= 7
    assert {read_recording(RECORDED / f"{name}.jsonl").header.origin for name in NAMES} == {"synthetic"}


def test_the_totals_are_what_was_rowed(rowed):
    session, expected = rowed
    assert session.duration_s == expected["duration_s"]
    assert session.stroke_count == expected["stroke_count"]
    assert session.distance_m == pytest.approx(expected["distance_m"], rel=0.002)


def test_the_energy_is_that_of_the_power_at_the_handle(rowed):
    """The machine shows 2-3 % less than what the handle takes (bearings), and a gap costs nothing."""
    session, expected = rowed
    assert session.energy.gross_kcal == pytest.approx(expected["gross_kcal"], rel=0.04)


def test_mean_pace_and_mean_power_of_hard_rounds_agree_though_the_wheel_runs_on_in_the_rests(rowed):
    session, _ = rowed
    for interval in (each for each in session.intervals if each.effort == "hard"):
        assert power_from_pace_w(interval.mean_pace_s_per_500m) == pytest.approx(interval.mean_power_w, rel=0.06)


def test_the_mean_pace_of_a_row_with_full_stops_is_that_of_its_rowing():
    session = _analysed("stops-8x500m")
    assert power_from_pace_w(session.mean_pace_s_per_500m) == pytest.approx(session.mean_power_w, rel=0.06)


def test_the_hard_intervals_are_those_rowed_with_their_edges_within_five_seconds(rowed):
    session, expected = rowed
    hard = [interval for interval in session.intervals if interval.effort == "hard"]
    assert len(hard) == len(expected["hard"])
    for found, truth in zip(hard, expected["hard"], strict=True):
        assert found.start_s == pytest.approx(truth["start_s"], abs=5)
        assert found.end_s == pytest.approx(truth["end_s"], abs=5)


def test_a_dropout_is_a_gap_and_no_other_recording_has_one():
    gaps = {name: len(_analysed(name).gaps) for name in NAMES}
    assert {name for name, count in gaps.items() if count} == {"dropout-10x45-75"}


def test_power_is_said_to_come_from_pace_where_the_machine_sends_none():
    assert _analysed("pace-only-10x45-75").power_source == "pace"
    assert _analysed("intervals-10x45-75").power_source == "machine"


def _analysed(name):
    recording = read_recording(RECORDED / f"{name}.jsonl")
    return analyse(recording.header, recording.items)
