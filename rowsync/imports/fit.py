"""FIT files (Garmin's Flexible and Interoperable Data Transfer), by fitdecode.

Rowing is sport 15; machines are sub-sport 14, which Garmin Connect files under fitness equipment (sport 4).  Files of
several sports give their rows.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import fitdecode

from rowsync.errors import RecordingError
from rowsync.imports.row import MOST_POINTS, Point, Row, Totals, believed
from rowsync.session import MADE_UP_BY
from rowsync.wording import outside_text

Message = Mapping[str, Any]

READ = ("file_id", "sport", "session", "lap", "record")
"""The messages that say something of a row."""

FIELDS = (
    ("distance_m", "distance"),
    ("stroke_count", "total_cycles"),
    ("power_w", "power"),
    ("heart_rate_bpm", "heart_rate"),
    ("energy_kcal", "calories"),
)
"""Which field of a record says which quantity, in its unit."""

TOTALS = (
    ("duration_s", "total_elapsed_time"),
    ("distance_m", "total_distance"),
    ("stroke_count", "total_strokes"),
    ("stroke_count", "total_cycles"),
    ("energy_kcal", "total_calories"),
)
"""Which field of a session says which total; of two, the one that is there."""

CALLED = {"cycling": "a ride", "running": "a run", "walking": "a walk", "hiking": "a hike", "swimming": "a swim"}
"""What other sports are called."""


def read_fit(content: bytes) -> list[Row]:
    """Read a FIT file: one row for each session of rowing in it.

    Raises:
        RecordingError: it is cut or damaged, or holds no row.
    """
    messages = _messages(content)
    sessions = messages["session"] or messages["sport"]
    rowed = [session for session in sessions if is_rowing(session)]
    if not rowed:
        raise RecordingError(_other(sessions))
    alone = len(sessions) == 1
    rows = [
        _row(session, *(_within(session, messages[name], alone) for name in ("record", "lap"))) for session in rowed
    ]
    is_made_up = any(message.get("product_name") == MADE_UP_BY for message in messages["file_id"])
    return [replace(row, is_made_up=is_made_up) for row in rows]


def is_rowing(session: Message) -> bool:
    """Whether a session or sport message is of rowing."""
    return session.get("sport") in ("rowing", 15) or session.get("sub_sport") in ("indoor_rowing", 14)


def _other(sessions: list[Message]) -> str:
    if not sessions:
        return "It doesn't say which sport it was; rowsync imports rowing."
    sports = dict.fromkeys(str(session.get("sport")) for session in sessions)
    named = ", ".join(CALLED.get(sport, outside_text(sport.replace("_", " "), 30)) for sport in sports)
    return f"It is {named}, not a row."


def _messages(content: bytes) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {name: [] for name in READ}
    # A field of an odd size is its writer's mistake and no damage; whatever was altered, the CRC tells.
    checks = {"check_crc": fitdecode.CrcCheck.RAISE, "error_handling": fitdecode.ErrorHandling.IGNORE}
    try:
        with fitdecode.FitReader(io.BytesIO(content), **checks) as frames:
            for number, frame in enumerate(frames):
                if number > 4 * MOST_POINTS:
                    raise RecordingError("It has more records than any row. Nothing of it was imported.")
                if isinstance(frame, fitdecode.FitDataMessage) and frame.name in found:
                    found[frame.name].append({field.name: field.value for field in frame.fields})
    except RecordingError:
        raise
    except Exception:  # what a library makes of damaged bytes is its own; none of it may end an import
        raise RecordingError("It is a FIT file, but cut or damaged. Nothing of it was imported.") from None
    return found


def _moment(message: Message, name: str) -> datetime | None:
    value = message.get(name)
    return value if isinstance(value, datetime) else None


def _within(session: Message, messages: list[Message], alone: bool) -> list[tuple[datetime, Message]]:
    """The messages of a session, with their times, in order."""
    timed = [(at, message) for message in messages if (at := _moment(message, "timestamp")) is not None]
    start, end = _moment(session, "start_time"), _moment(session, "timestamp")
    if not alone and start is not None and end is not None:
        timed = [(at, message) for at, message in timed if start <= at <= end]
    return sorted(timed, key=lambda each: each[0])


def _row(session: Message, records: list[tuple[datetime, Message]], laps: list[tuple[datetime, Message]]) -> Row:
    first = records[0][0] if records else None
    start = _moment(session, "start_time") or first
    if first is not None and start is not None and not 0 <= (first - start).total_seconds() <= 60:
        start = first
    if first is None or start is None:
        raise RecordingError("It holds no samples of a row; totals alone can't be analysed.")
    ends = [at for at, _ in laps]
    points = []
    lap = 0
    for number, (at, record) in enumerate(records, start=1):
        while lap < len(ends) - 1 and at > ends[lap]:
            lap += 1
        points.append(_point((at - start).total_seconds(), f"Record {number}", str(lap), record))
    said = [(quantity, _number(session, name)) for quantity, name in reversed(TOTALS)]
    totals = {name: believed(name, value, "Its session", name) for name, value in said if value is not None}
    return Row("FIT", tuple(points), started_at=start, totals=Totals(**totals))


def _point(time_s: float, place: str, part: str, record: Message) -> Point:
    values = {quantity: _number(record, name) for quantity, name in FIELDS}
    cadence = _number(record, "cadence")
    values["stroke_rate_spm"] = None if cadence is None else cadence + (_number(record, "fractional_cadence") or 0.0)
    speed = _number(record, "enhanced_speed")
    speed = _number(record, "speed") if speed is None else speed
    values["pace_s_per_500m"] = 500.0 / speed if speed is not None and speed > 0 else None
    believed("time_s", time_s, place, "timestamp")
    return Point(time_s, place, part, **{name: believed(name, value, place, name) for name, value in values.items()})


def _number(message: Message, name: str) -> float | None:
    value = message.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
