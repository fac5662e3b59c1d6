"""One row as a file tells it, before it becomes bytes: points on one clock, counters that only grow.

Files count from zero again in each interval, leave strokes or metres out, and write what nobody measured as 0.  What a
reader found is `settled` here, for all kinds of files alike, and refused where no rower could have done it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from rowsync.errors import RecordingError
from rowsync.recording import LONGEST_S
from rowsync.telemetry import SLOWEST_STROKE_S
from rowsync.wording import count

MOST_POINTS = 100_000
"""More than a day at a point a second; more is no row."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a file says of one moment; None is "not measured".

    Attributes:
        time_s: when [s].
        place: where it stands in the file, for sentences: "line 17".
        part: the interval, lap or split that it belongs to; counters may begin again with it.
        stroke_count: strokes so far.
        stroke_rate_spm: stroke rate [1/min].
        distance_m: distance so far [m].
        pace_s_per_500m: pace [s/500 m].
        power_w: power [W].
        heart_rate_bpm: heart rate [1/min].
        energy_kcal: the machine's own energy so far [kcal].
    """

    time_s: float
    place: str
    part: str = ""
    stroke_count: float | None = None
    stroke_rate_spm: float | None = None
    distance_m: float | None = None
    pace_s_per_500m: float | None = None
    power_w: float | None = None
    heart_rate_bpm: float | None = None
    energy_kcal: float | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a file itself says of the whole row; None where it says nothing.

    Attributes:
        duration_s: its length, rests included [s].
        distance_m: its distance [m].
        stroke_count: its strokes.
        energy_kcal: its energy [kcal].
    """

    duration_s: float | None = None
    distance_m: float | None = None
    stroke_count: float | None = None
    energy_kcal: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row as a file tells it.

    Attributes:
        kind: what kind of file it is, in words.
        points: in the order of their times once `settled`.
        machine: what it was rowed on, where the kind of file says so.
        started_at: when its time 0 was; without a zone where the file names none, None where it has no date.
        totals: what the file says of the whole.
        remarks: sentences on what the file lacks.
        is_made_up: whether the file says that a program rowed it.
    """

    kind: str
    points: tuple[Point, ...]
    machine: str = ""
    started_at: datetime | None = None
    totals: Totals = Totals()
    remarks: tuple[str, ...] = ()
    is_made_up: bool = False


# --- what can be measured ---------------------------------------------------------------------------------------------


class Limit(NamedTuple):
    """Between what a quantity is believed, and what no file may say of it.

    Outside `least` to `most` a value is "not measured": a pace of 0, a heart rate of 0, a spike of the stroke rate.
    Outside `lowest` to `highest` the file means another unit, or something else altogether.
    """

    unit: str
    least: float
    most: float
    lowest: float
    highest: float


LIMITS = {
    "time_s": Limit("s", 0, LONGEST_S, 0, LONGEST_S),
    "duration_s": Limit("s", 0, LONGEST_S, 0, LONGEST_S),
    "stroke_count": Limit("strokes", 0, 1e6, 0, 1e6),
    "new_strokes": Limit("strokes", 0, 100, 0, 100),
    "stroke_rate_spm": Limit("strokes a minute", 0, 127, 0, 300),
    "distance_m": Limit("m", 0, 1e6, 0, 1e6),
    "pace_s_per_500m": Limit("s per 500 m", 50, 3600, 30, math.inf),
    "power_w": Limit("W", 0, 2000, -1000, 5000),
    "heart_rate_bpm": Limit("beats a minute", 25, 240, 0, 300),
    "energy_kcal": Limit("kcal", 0, 50_000, 0, 50_000),
}


def believed(quantity: str, value: float | None, place: str, column: str) -> float | None:
    """A value as far as it can have been measured; None where it can't.

    Args:
        quantity: a key of `LIMITS`.
        value: what the file says, in the unit of the quantity.
        place: where it stands, such as "line 17".
        column: what the file calls the quantity.

    Raises:
        RecordingError: nobody rows so, whatever the machine: the file means another unit.
    """
    if value is None or (value == 0 and quantity == "pace_s_per_500m"):
        return None
    limit = LIMITS[quantity]
    if not limit.lowest <= value <= limit.highest:
        raise RecordingError(
            f'{place}, "{column}": {value:g} {limit.unit} can\'t be. Is the column in another unit? Nothing of it was '
            "imported."
        )
    return value if limit.least <= value <= limit.most else None


# --- settling ---------------------------------------------------------------------------------------------------------


COUNTERS = ("stroke_count", "distance_m", "energy_kcal")

MOST_M_PER_S = 10.0
JUMP_M = 100.0
"""Nobody rows faster, and a file that left something out may catch up on a little more at once."""

LEAST_M_PER_S = 0.02
"""Metres that grow more slowly over a whole file are kilometres."""

PACE_AGREES = (0.6, 1.65)
"""Between what shares of the pace that follows from the metres a stated pace is in seconds per 500 m."""

SCALED_BY = (0.75, 1.33)
"""A total that differs more from what the points add up to isn't about the same thing."""

STEADY_S = 60.0
"""Over a longer step nothing can be said of what was rowed in between [s]."""


def settled(row: Row) -> Row:
    """A row whose times and counters only grow, with strokes and metres where its file has only their rates.

    Raises:
        RecordingError: nobody can have rowed it, or nothing of it was rowed.
    """
    told = points = sorted(row.points, key=lambda point: point.time_s)
    if len(points) < 2:
        raise RecordingError("It holds no samples of a row; totals alone can't be analysed.")
    if points[-1].time_s > LONGEST_S:
        raise RecordingError(f"Its times add up to {points[-1].time_s / 3600:.0f} hours, longer than any row.")
    for name in COUNTERS:
        points = _counted(points, name)
    row = replace(row, points=tuple(points), remarks=(*row.remarks, *_left_out(told, points)))
    row = _with_counts(row, "distance_m", _speed_m_per_s, "Its metres follow from the pace, since it counts none.")
    row = _with_counts(row, "stroke_count", _strokes_per_s, "Its strokes follow from the stroke rate.")
    row = _closed(row)
    _check(row)
    return row


BRIEFLY, FEW = 3, 6
"""A stumble is over after so many values; a piece of no more than a few may begin with more than the last one had."""


def unrolled(values: Iterable[float | None], parts: Iterable[str], few: int = FEW) -> list[float | None]:
    """A counter that only grows, out of one that begins again, or stumbles.

    Where it falls and soon is back where it was, at a bound, the values between are odd ones, and None.  Where it falls
    to less than half and isn't, it begins again; after a piece of a `few` values or less, wherever it falls with a new
    part.  A smaller step back makes it stand until it is back.
    """
    every = list(zip(values, parts, strict=True))
    counted = [(at, value, part) for at, (value, part) in enumerate(every) if value is not None]
    grown: list[float | None] = [None] * len(every)
    piece = _Piece()
    for number, (at, value, part) in enumerate(counted):
        soon = next((later for _, later, _ in counted[number + 1 : number + 1 + BRIEFLY] if later > value), 0.0)
        is_short = part != piece.part and piece.values <= few
        if value < piece.last and (is_short or max(value, soon / 2) < piece.last / 2):
            piece = _Piece(piece.before + piece.last, part)
        elif soon >= piece.last > value and not piece.stands:
            continue
        piece = _Piece(piece.before, part, max(piece.last, value), piece.values + 1, stands=value < piece.last)
        grown[at] = piece.before + piece.last
    return grown


class _Piece(NamedTuple):
    """What a counter counted since it last began, and `before`; whether it `stands`, since it fell a little."""

    before: float = 0.0
    part: str = ""
    last: float = 0.0
    values: int = 0
    stands: bool = False


def _counted(points: Sequence[Point], name: str) -> list[Point]:
    values = unrolled((getattr(point, name) for point in points), (point.part for point in points))
    return [_with(point, name, value) for point, value in zip(points, values, strict=True)]


def _left_out(before: Sequence[Point], after: Sequence[Point]) -> tuple[str, ...]:
    """What there is to say of odd values of counters."""
    odd = sum(
        getattr(was, name) is not None and getattr(now, name) is None
        for was, now in zip(before, after, strict=True)
        for name in COUNTERS
    )
    if not odd:
        return ()
    return (
        f"{count(odd, 'odd value')} {'was' if odd == 1 else 'were'} left out: a counter fell and was back at once.",
    )


def _with(point: Point, name: str, value: float | None) -> Point:
    changed: dict[str, Any] = {name: value}
    return replace(point, **changed)


def _speed_m_per_s(point: Point) -> float | None:
    return None if point.pace_s_per_500m is None else 500.0 / point.pace_s_per_500m


def _strokes_per_s(point: Point) -> float | None:
    return None if point.stroke_rate_spm is None else point.stroke_rate_spm / 60.0


def _with_counts(row: Row, name: str, rate_per_s: Callable[[Point], float | None], remark: str) -> Row:
    """The row with a counter that follows from its rate, and ends at the file's total where both agree."""
    if any(getattr(point, name) is not None for point in row.points):
        return row
    if all(rate_per_s(point) is None for point in row.points):
        return row
    counts = [0.0]
    for before, point in pairwise(row.points):
        step_s = point.time_s - before.time_s
        counts.append(counts[-1] + (rate_per_s(point) or 0.0) * (step_s if step_s <= STEADY_S else 0.0))
    total = getattr(row.totals, name)
    share = total / counts[-1] if total is not None and counts[-1] > 0 else 1.0
    scale = share if SCALED_BY[0] <= share <= SCALED_BY[1] else 1.0
    # A hair more, so that the last stroke is whole.
    points = tuple(_with(point, name, each * scale + 1e-6) for point, each in zip(row.points, counts, strict=True))
    return replace(row, points=points, remarks=(*row.remarks, remark))


def _closed(row: Row) -> Row:
    """The row with a last point where its file's totals end, if these go a little further than its points."""
    last, totals = row.points[-1], row.totals
    end = replace(last, time_s=max(last.time_s, _near(totals.duration_s, last.time_s)))
    for name in COUNTERS:
        counted = next((value for p in reversed(row.points) if (value := getattr(p, name)) is not None), None)
        if counted is not None:
            end = _with(end, name, max(counted, _near(getattr(totals, name), counted)))
    if end.energy_kcal is None and totals.energy_kcal != 0:  # a TCX must have calories; 0 stands for none counted
        end = replace(end, energy_kcal=totals.energy_kcal)
    return row if end == last else replace(row, points=(*row.points, end))


def _near(total: float | None, counted: float) -> float:
    """A file's total where its points come near it; else what they add up to."""
    return total if total is not None and abs(total - counted) <= 0.05 * counted + 5 else counted


def _check(row: Row) -> None:
    """Refuse what nobody can have rowed, by what one column says of another."""
    points = [point for point in row.points if point.distance_m is not None]
    steps = [(before, point, point.time_s - before.time_s) for before, point in pairwise(points)]
    for before, point, step_s in steps:
        if _metres(before, point) > MOST_M_PER_S * step_s + JUMP_M:
            raise RecordingError(
                f"{point.place}: {_metres(before, point):.0f} m in {step_s:.0f} s can't be rowed. Are its metres and "
                "seconds in other units? Nothing of it was imported."
            )
    if not (points and points[-1].distance_m) and not any(point.stroke_count for point in row.points):
        raise RecordingError("Nobody rowed in it: it has neither metres nor strokes.")
    short = [step for step in steps if step[2] <= STEADY_S]
    metres, seconds = sum(_metres(a, b) for a, b, _ in short), sum(step_s for _, _, step_s in short)
    if metres > 0 and metres < LEAST_M_PER_S * seconds:
        raise RecordingError(f"{metres:g} m in {seconds:.0f} s is no row. Are its metres kilometres?")
    paces, metres, seconds = _moving(short)
    if len(paces) >= 10 and seconds > 0:
        said, implied = median(paces), 500.0 * seconds / metres
        if not PACE_AGREES[0] <= said / implied <= PACE_AGREES[1]:
            raise RecordingError(
                f"Its pace says {said:.0f} s per 500 m where its metres say {implied:.0f}. Is one of them in another "
                "unit? Nothing of it was imported."
            )


def _moving(steps: Iterable[tuple[Point, Point, float]]) -> tuple[list[float], float, float]:
    """The paces of steps in which metres came, their metres [m] and seconds [s].

    Metres may come a stroke at a time: the steps without any count too, unless it was for longer than a stroke lasts.
    """
    paces, metres, seconds, waited_s = [], 0.0, 0.0, 0.0
    for before, point, step_s in steps:
        waited_s += step_s
        if point.pace_s_per_500m is not None and (moved_m := _metres(before, point)) > 0:
            paces.append(point.pace_s_per_500m)
            metres += moved_m
            seconds += waited_s if waited_s <= SLOWEST_STROKE_S + step_s else step_s
            waited_s = 0.0
    return paces, metres, seconds


def _metres(before: Point, point: Point) -> float:
    return (point.distance_m or 0.0) - (before.distance_m or 0.0)
