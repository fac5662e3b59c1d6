"""GoldenCheetah's own JSON.

Its reader is no JSON reader but a grammar of its own (`src/FileIO/JsonRideFile.y` and `.l` of GoldenCheetah): an
interval's keys come in this order, no list is empty, numbers have no exponent, and a text that could be one of its key
words ends in a space, which the reader takes off again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from rowsync.exports.picture import Picture, Second, speed_m_per_s
from rowsync.wording import effort_name, outside_text

KM_PER_H = 3.6


def goldencheetah_bytes(picture: Picture) -> bytes:
    """A session as a ride of GoldenCheetah, one point a second; gaps have no points."""
    ride = {
        "STARTTIME": _text(picture.began.astimezone(UTC).strftime("%Y/%m/%d %H:%M:%S UTC")),
        "RECINTSECS": 1,
        "DEVICETYPE": _text(picture.machine or "rowsync"),
        "IDENTIFIER": _text(outside_text(picture.summary["session_id"])),
        "TAGS": {name: _text(value) for name, value in _tags(picture).items() if value},
        "INTERVALS": [_interval(interval) for interval in picture.intervals],
        "SAMPLES": [_point(second) for second in picture.seconds()],
    }
    told = {name: value for name, value in ride.items() if value != []}
    return json.dumps({"RIDE": told}, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _tags(picture: Picture) -> dict[str, str]:
    return {
        "Sport": "Row",
        "SubSport": "indoor rowing",
        "Athlete": picture.athlete,
        "Workout Code": outside_text(picture.summary["plan"] or ""),
    }


def _interval(interval: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "NAME": _text(f"{interval['number']} {effort_name(interval['effort'])}"),
        "START": round(interval["start_s"], 3),
        "STOP": round(interval["end_s"], 3),
    }


def _point(second: Second) -> dict[str, Any]:
    sample = second.sample
    measured = {
        "KM": _rounded(sample.distance_m, 1 / 1000, 5),
        "WATTS": _rounded(sample.power_w),
        "CAD": _rounded(sample.stroke_rate_spm),
        "KPH": _rounded(speed_m_per_s(sample), KM_PER_H, 3),
        "HR": sample.heart_rate_bpm,
    }
    return {"SECS": second.time_s} | {name: value for name, value in measured.items() if value is not None}


def _rounded(value: float | None, factor: float = 1.0, decimals: int = 1) -> float | None:
    return None if value is None else round(value * factor, decimals)


def _text(text: str) -> str:
    return f"{text} "
