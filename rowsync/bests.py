"""Bests: the most power that was held for a time, and the least time in which a distance was covered.

`best_powers_w` is the mean-maximal power curve, also called power-duration curve or record power profile (Pinot and
Grappe 2011, Int J Sports Med 32:839): for each duration the highest mean power of any stretch of the row that lasts so
long, pauses included.  `best_times_s` is the same for distances: the shortest stretch in which so many metres were
covered.

Both are exact for strokes whose power and speed are even from their start to their end; no second is sampled.  A mean
over a sliding window of a step function is a broken line that bends where an edge of the window meets an edge of a
stroke, so its highest point lies at one of these.  What nobody saw counts as 0 W and 0 m, like a pause: a stretch
across a gap may be better than a best says, never worse.  Metres that the wheel coasts after a stop are no stroke's and
count nothing, as in the mean pace.

Bests are as good as the watts that they are of.  Watts that a machine only repeats are corrected before
(`rowsync.strokes`), those that are derived from pace or metres or that the heart contradicts aren't: the session's
`power_source` and `doubtful_power` stand beside its bests, in the index too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rowsync.strokes import FASTEST_M_PER_S, Stroke

DURATIONS_S = (5, 10, 15, 30, 60, 120, 300, 360, 600, 1200, 1800, 2400, 3600)
"""For which power is told; six minutes are about a 2k [s]."""

DISTANCES_M = (100, 500, 1000, 2000, 5000, 6000, 10000)
"""For which times are told, those that rowers race and log [m]."""

SINCE_SCHEMA = 6
"""What an older rowsync stored (`schema` in the index) has no bests until `rowsync rebuild`."""

_Series = npt.NDArray[Any]


def best_powers_w(strokes: Sequence[Stroke]) -> dict[str, float | None]:
    """The highest mean power for each of `DURATIONS_S` [W], by the duration as text.

    Args:
        strokes: the session's, in order; they don't overlap.

    Returns:
        None where the row, from its first stroke to its last, is shorter, and for all where no watt is known.
    """
    if not any(stroke.seen and stroke.power_w is not None for stroke in strokes):
        return dict.fromkeys(map(str, DURATIONS_S))
    times_s, work_j = _work(strokes)
    return {str(duration_s): _best_power_w(times_s, work_j, float(duration_s)) for duration_s in DURATIONS_S}


def best_times_s(strokes: Sequence[Stroke]) -> dict[str, float | None]:
    """The shortest time for each of `DISTANCES_M` [s], by the distance as text.

    Args:
        strokes: the session's, in order; they don't overlap.

    Returns:
        None where fewer metres were covered.
    """
    covered = _Covered(strokes)
    return {str(distance_m): covered.best_time_s(float(distance_m)) for distance_m in DISTANCES_M}


def _work(strokes: Sequence[Stroke]) -> tuple[_Series, _Series]:
    """The edges of strokes [s], each once, and the work done by then [J]."""
    edges_s = np.array([(stroke.start_s, stroke.end_s) for stroke in strokes]).ravel()
    done_j = [(0.0, _power_w(stroke) * stroke.duration_s) for stroke in strokes]
    is_first = np.diff(edges_s, prepend=-np.inf) > 0
    return edges_s[is_first], np.cumsum(np.array(done_j).ravel())[is_first]


def _power_w(stroke: Stroke) -> float:
    return max(0.0, stroke.power_w) if stroke.seen and stroke.power_w is not None else 0.0


def _best_power_w(times_s: _Series, work_j: _Series, duration_s: float) -> float | None:
    first_s, last_s = times_s[0], times_s[-1] - duration_s
    if last_s < first_s - SAME_MOMENT_S:
        return None
    starts_s = np.clip(np.concatenate([times_s, times_s - duration_s]), first_s, max(first_s, last_s))
    done_j = np.interp(starts_s + duration_s, times_s, work_j) - np.interp(starts_s, times_s, work_j)
    return max(0.0, float(done_j.max())) / duration_s


SAME_MOMENT_S = 1e-6
"""Times are as exact as a recording's microseconds [s]."""
_DECIMALS_M = 6
"""Metres that are sums of metres meet an edge again only when both are rounded."""


class _Covered:
    """Metres over time, of the strokes that have any; speed is even within each, and nothing happens between them."""

    def __init__(self, strokes: Sequence[Stroke]) -> None:
        lasting = [(stroke.start_s, stroke.end_s, _metres(stroke)) for stroke in strokes if _metres(stroke) > 0]
        self._starts_s, self._ends_s, each_m = np.array(lasting).reshape(-1, 3).T
        self._ends_m = np.round(np.cumsum(each_m), _DECIMALS_M)
        self._total_m = float(self._ends_m[-1]) if lasting else 0.0
        self._starts_m = np.concatenate([[0.0], self._ends_m[:-1]])

    def best_time_s(self, distance_m: float) -> float | None:
        """The shortest time in which so many metres were covered [s]; None where there weren't as many."""
        from_m = np.round(np.concatenate([self._starts_m, self._ends_m - distance_m]), _DECIMALS_M)
        to_m = np.round(from_m + distance_m, _DECIMALS_M)
        is_within = (from_m >= 0) & (to_m <= self._total_m)
        if not is_within.any():
            return None
        from_m, to_m = from_m[is_within], to_m[is_within]
        left_s = self._at(from_m, np.searchsorted(self._ends_m, from_m, side="right"))  # after a pause that is there
        reached_s = self._at(to_m, np.searchsorted(self._ends_m, to_m, side="left"))  # before one
        return float((reached_s - left_s).min())

    def _at(self, metres: _Series, stroke: _Series) -> _Series:
        """When metres were reached, each within the stroke that it names [s]."""
        share = (metres - self._starts_m[stroke]) / (self._ends_m[stroke] - self._starts_m[stroke])
        reached_s: _Series = self._starts_s[stroke] + share * (self._ends_s[stroke] - self._starts_s[stroke])
        return reached_s


def _metres(stroke: Stroke) -> float:
    """What a stroke covered, as far as it was seen and anybody could row so fast [m]."""
    if not stroke.seen or stroke.distance_m is None:
        return 0.0
    return min(stroke.distance_m, FASTEST_M_PER_S * stroke.duration_s)
