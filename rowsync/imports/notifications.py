"""A file's row as the bytes that a machine would have sent: one Rower Data notification a point (0x2AD1).

From here on an imported row is like any other, rebuilt from its bytes whenever a decoder or a model gets better.  The
Fitness Machine Service has whole watts, metres and seconds of pace, and halves of a stroke per minute: so much is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from rowsync.ftms import ROWER_DATA, RowerData, encode_rower_data
from rowsync.imports.row import COUNTERS, Point, Row
from rowsync.telemetry import ENDED, Item, Note, Notification

IMPORTED, LAP = "imported", "lap"
"""The notes that a row was imported, with what its file says of the whole, and that one of its laps begins."""


def items_of(row: Row, name: str) -> tuple[Item, ...]:
    """A settled row as packets and notes, in the order of their times.

    Args:
        row: the row.
        name: its file's, kept to be found again.
    """
    return tuple(sorted(_items(row, name), key=lambda item: item.time_s))


def _items(row: Row, name: str) -> Iterator[Item]:
    totals = {key: value for key in row.totals.__slots__ if (value := getattr(row.totals, key)) is not None}
    yield Note(0.0, IMPORTED, {"file": name, "kind": row.kind} | totals)
    # Machines that are listened to from the first stroke on begin at 0; without that the first point would be lost.
    zero: dict[str, Any] = {counter: 0.0 for counter in COUNTERS if _is_counted(row, counter)}
    yield _notification(Point(0.0, "", **zero))
    yield from map(_notification, row.points)
    for before, point in pairwise(row.points):
        if point.part != before.part:
            yield Note(round(before.time_s, 3), LAP)
    yield Note(round(row.points[-1].time_s, 3), ENDED)


def _is_counted(row: Row, counter: str) -> bool:
    return any(getattr(point, counter) is not None for point in row.points)


def _notification(point: Point) -> Notification:
    data = RowerData(
        stroke_rate_spm=point.stroke_rate_spm,
        stroke_count=_wrapped(point.stroke_count, 1 << 16),
        total_distance_m=_wrapped(point.distance_m, 1 << 24, half_up=True),
        instantaneous_pace_s_per_500m=_whole(point.pace_s_per_500m),
        instantaneous_power_w=_whole(point.power_w),
        total_energy_kcal=_whole(point.energy_kcal),
        heart_rate_bpm=_whole(point.heart_rate_bpm),
        elapsed_time_s=int(point.time_s) % (1 << 16),
        more_data=point.stroke_count is None,
    )
    return Notification(round(point.time_s, 3), ROWER_DATA, encode_rower_data(data))


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _wrapped(value: float | None, modulus: int, half_up: bool = False) -> int | None:
    """A count as its field holds it; a stroke counts once it is over."""
    return None if value is None else int(value + 0.5 * half_up) % modulus
