"""CSV in the columns of rowingdata and Rowsandall, which several rowing programs read: one row a stroke.

Names, spaces and the missing "r" of "stokes" are those of rowingdata's "CSV File Standard".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rowsync.exports.csv_samples import table_bytes
from rowsync.exports.picture import RESTED, Picture
from rowsync.strokes import Stroke
from rowsync.telemetry import Sample

N_PER_LBF = 4.4482216
"""Pound-force [N], by definition of the international pound."""

WORKING, RESTING = 4, 3
"""States of a workout as Painsled counts them and rowingdata reads them."""

_UNKNOWN = Sample(0.0, moving=True)

COLUMNS = (
    "index",
    "TimeStamp (sec)",
    " ElapsedTime (sec)",
    " Horizontal (meters)",
    " Cadence (stokes/min)",
    " HRCur (bpm)",
    " Stroke500mPace (sec/500m)",
    " Power (watts)",
    " StrokeDistance (meters)",
    " DriveLength (meters)",
    " DriveTime (ms)",
    " StrokeRecoveryTime (ms)",
    " AverageDriveForce (lbs)",
    " PeakDriveForce (lbs)",
    " WorkPerStroke (joules)",
    " DragFactor",
    " Calories (kCal)",
    " lapIdx",
    " WorkoutState",
)


def rowingdata_bytes(picture: Picture) -> bytes:
    """A session's strokes as rowingdata's CSV; strokes that nobody saw are left out, what wasn't measured is empty."""
    return table_bytes(COLUMNS, _rows(picture))


def _rows(picture: Picture) -> Iterator[list[Any]]:
    began_s = picture.began.timestamp()
    laps = _laps(picture)
    for index, stroke in enumerate(stroke for stroke in picture.strokes if stroke.seen):
        sample = picture.latest(stroke.end_s) or _UNKNOWN
        interval = picture.interval_at((stroke.start_s + stroke.end_s) / 2) or {}
        yield [
            index,
            began_s + stroke.end_s,
            stroke.end_s,
            sample.distance_m,
            60.0 / stroke.duration_s if stroke.duration_s > 0 else None,
            sample.heart_rate_bpm,
            _pace_s_per_500m(stroke),
            stroke.power_w,
            stroke.distance_m,
            sample.drive_length_m,
            _times(sample.drive_time_s, 1000),
            _times(sample.recovery_time_s, 1000),
            _times(sample.average_force_n, 1 / N_PER_LBF),
            _times(sample.peak_force_n, 1 / N_PER_LBF),
            sample.work_per_stroke_j,
            sample.drag_factor,
            picture.gross_kcal_at(stroke.end_s),
            *laps.get(interval.get("number"), (None, WORKING)),
        ]


def _laps(picture: Picture) -> dict[Any, tuple[int, int]]:
    """The lap and the state of each interval, by its number.

    As Painsled counts, and rowingdata reckons metres and seconds: a lap is a piece of work and the rest after it, so
    what is rested before any work is work to them.
    """
    laps: dict[Any, tuple[int, int]] = {}
    lap = 0
    for interval in picture.intervals:
        state = RESTING if interval["effort"] in RESTED and lap else WORKING
        lap += state == WORKING
        laps[interval["number"]] = (lap, state)
    return laps


def _pace_s_per_500m(stroke: Stroke) -> float | None:
    """The pace of a stroke's own metres; None for one that moved nothing."""
    moved_m = stroke.distance_m
    return None if moved_m is None or moved_m <= 0 else 500.0 * stroke.duration_s / moved_m


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
