"""Real rows and real frames, where the evidence lies beside the project (always in the gate)."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime

import pytest

from rowsync.ftms import decode_rower_data
from rowsync.heart_rate import decode_heart_rate
from rowsync.imports import read_import
from rowsync.session import analyse

OUR_NAMES = {
    "stroke_rate": "stroke_rate_spm",
    "stroke_count": "stroke_count",
    "avg_stroke_rate": "average_stroke_rate_spm",
    "distance": "total_distance_m",
    "pace": "instantaneous_pace_s_per_500m",
    "avg_pace": "average_pace_s_per_500m",
    "power": "instantaneous_power_w",
    "avg_power": "average_power_w",
    "resistance": "resistance_level",
    "energy": "total_energy_kcal",
    "energy_per_hour": "energy_per_hour_kcal",
    "energy_per_min": "energy_per_minute_kcal",
    "hr": "heart_rate_bpm",
    "met": "metabolic_equivalent_met",
    "elapsed": "elapsed_time_s",
}


def test_every_captured_rower_data_frame_decodes_to_what_its_source_states(shared):
    frames = [json.loads(line) for line in (shared / "captures" / "frames.jsonl").read_text().splitlines()]
    frames = [frame for frame in frames if frame["char"] == "2ad1"]
    assert len(frames) >= 20
    for frame in frames:
        data = decode_rower_data(bytes.fromhex(frame["hex"]))
        stated = (frame.get("decoded") or {}) | (frame["expected"] or {})
        for name, value in stated.items():
            if name in OUR_NAMES:
                assert getattr(data, OUR_NAMES[name]) == value, (frame["device"], frame["hex"], name)
        assert data.extra.hex() == stated.get("extra", "")
        assert data.missing == tuple(OUR_NAMES[name] for name in stated.get("missing", []))


def test_every_captured_heart_rate_frame_decodes_to_what_its_source_states(shared):
    frames = [json.loads(line) for line in (shared / "captures" / "frames.jsonl").read_text().splitlines()]
    frames = [frame for frame in frames if frame["char"] == "2a37"]
    assert len(frames) == 12
    for frame in frames:
        data = decode_heart_rate(bytes.fromhex(frame["hex"]))
        assert data.heart_rate_bpm == frame["decoded"]["hr"]
        assert data.contact == (frame["decoded"]["contact"] if frame["decoded"]["contact_supported"] else None)
        assert data.beats_s == pytest.approx(frame["decoded"]["rr_s"], abs=1e-4)


def imported(path):
    """The sessions of another tool's file, by the way that `rowsync import` takes."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    found = read_import(path.read_bytes(), path.name, now, "me", now=now)
    return [analyse(each.recording.header, each.recording.items) for each in found]


def test_twice_ten_minutes_on_a_real_pm5_that_counts_each_from_zero(shared):
    """1,200 s without a rest, 2481 m each, with heart rate, about two rows a second (ErgStick's log)."""
    (session,) = imported(shared / "telemetry" / "ergstick.csv")
    assert session.duration_s == pytest.approx(1199.24, rel=0.01)
    assert session.distance_m == pytest.approx(2 * 2481, rel=0.01)
    assert session.stroke_count == pytest.approx(384, rel=0.01)
    assert session.mean_heart_rate_bpm == pytest.approx(138, abs=5)
    assert [interval.effort for interval in session.intervals] == ["steady"]


def test_three_pieces_of_twenty_minutes_with_rests_in_which_power_stays_frozen(shared):
    """A real PM3: its watts stand at 172 and 197 W through the rests, stopped or paddled; metres restart each piece."""
    path = shared / "telemetry" / "painsled_3x20min.csv"
    session, _ = imported(path)
    rows = [row for row in rows_of(path) if "work time" in row["stroke.startWorkoutState"]]
    began, work = datetime.fromisoformat(rows[0]["workout.startMs"]), {}
    for row in rows:
        start_s = (datetime.fromisoformat(row["stroke.driveStartMs"]) - began).total_seconds()
        first_s, _ = work.get(row["stroke.intervalNumber"], (start_s, 0.0))
        work[row["stroke.intervalNumber"]] = (first_s, start_s + int(row["stroke.strokeTimeMs"]) / 1000)
    assert session.distance_m == pytest.approx(4972 + 5141 + 4959, rel=0.01)
    hard = [interval for interval in session.intervals if interval.effort == "hard"]
    assert len(hard) == len(work) == 3
    for found, (start_s, end_s) in zip(hard, work.values(), strict=True):
        assert found.start_s == pytest.approx(start_s, abs=10)
        assert found.end_s == pytest.approx(end_s, abs=10)


def rows_of(path):
    with path.open(newline="") as file:
        return [
            {name.strip(): (value or "").strip(' "') for name, value in row.items() if name}
            for row in csv.DictReader(file, skipinitialspace=True)
        ]
