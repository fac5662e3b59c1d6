"""A row as evidence: spans of rowing and of stopping, each with the power that was really pulled.

The strokes come dated by the stroke count and our own clock, with power that a monitor only repeats already found out
(`rowsync.strokes`).  Here power that nobody can pull (65535 is "not available" on several machines) or that is missing
is taken from the distance, and time that no stroke owns becomes a stop.  Powers are compared as logarithms: the same
step is as steep for a beginner of 40 W as for an athlete of 400 W.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rowsync.strokes import FASTEST_M_PER_S, Stroke
from rowsync.telemetry import CONCEPT2_W_S3_PER_M3

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_POWER_W = 2000.0  # nobody pulls more for a whole stroke
SHORTEST_STROKE_S = 0.2  # 300 strokes a minute: nobody rows that, telemetry stumbles
LONGEST_STROKE_S = 20.0  # more than that under one stroke number is a stop with a stroke at its end
BRIDGED_GAP_S = 1.0  # telemetry comes at 1-4 Hz, so a shorter hole between two strokes is only rounding
POOLED_STROKES = 3  # strokes averaged where power comes from distance: 1 m and 1 s steps are coarse for one stroke

REFERENCE_SHARE = 0.9  # the reference is the power that 90 % of the rowing stays below
SOFT_FLOOR = 0.12  # share of the reference under which the scale stops telling powers apart (DEV)
STOPPED_LEVEL = -2.0  # below this on the scale (3 % of the reference) nobody is rowing
RESTING_LEVEL = -1.2  # below it paddling and stopping are the same recovery
LEAST_NOISE, MOST_NOISE = 0.03, 0.10  # stroke noise: trained 0.03, beginner 0.074 (sd of log power, 192 rows)
EARLY_NOISE = 0.06  # assumed until there are strokes enough to measure it
NOISE_WINDOW_STROKES = 13  # about 31 s: long against the noise, short against the drift


@dataclass(frozen=True)
class Row:
    """A session as spans of rowing (one a stroke) and of stopping, in order and without holes.

    Attributes:
        start_s: when each span begins [s].
        end_s: when it ends [s].
        power_w: its power; 0 in a stop [W].
        distance_m: its distance; 0 where none is known [m].
        rowed: whether it is a stroke.
    """

    start_s: Floats
    end_s: Floats
    power_w: Floats
    distance_m: Floats
    rowed: Bools

    @classmethod
    def of(cls, strokes: Sequence[Stroke]) -> Row:
        """The row that these strokes make: it begins with the first of them and ends with the last."""
        spans: list[tuple[float, float, float, float, bool]] = []
        for stroke, power_w in zip(strokes, effective_powers_w(strokes).tolist(), strict=True):
            start_s = stroke.start_s
            if spans and start_s > spans[-1][1]:
                if start_s - spans[-1][1] > BRIDGED_GAP_S:
                    spans.append((spans[-1][1], start_s, 0.0, 0.0, False))
                else:
                    start_s = spans[-1][1]
            distance_m = stroke.distance_m or 0.0 if known_distance(stroke) else 0.0
            spans.append((start_s, stroke.end_s, power_w, distance_m, True))
        return cls(*(np.array(column) for column in zip(*spans, strict=True)))

    @cached_property
    def durations_s(self) -> Floats:
        """How long each span lasts [s]."""
        return self.end_s - self.start_s

    @cached_property
    def reference_w(self) -> float:
        """The power that 90 % of the rowing stays below [W]."""
        return reference_of(np.sort(self.power_w[self.rowed]))

    @cached_property
    def levels(self) -> Floats:
        """Each span on the logarithmic scale: 0 at the reference."""
        return level_of(self.power_w, self.reference_w)

    @cached_property
    def resting_levels(self) -> Floats:
        """The levels, but a stop is no clearer an easy than paddling is."""
        return np.maximum(self.levels, RESTING_LEVEL)

    def stopped_s(self, start_s: float, end_s: float) -> float:
        """How long nobody rowed between two times [s]."""
        near, inside_s = self.between(start_s, end_s)
        return (end_s - start_s) - float(np.sum(inside_s, where=self.rowed[near]))

    def median_power_w(self, start_s: float, end_s: float) -> float:
        """Median power between two times, over time [W]."""
        if (start_s, end_s) not in self._medians_w:  # blocks are compared with each other again and again
            near, inside_s = self.between(start_s, end_s)
            self._medians_w[start_s, end_s] = weighted_median(self.power_w[near], inside_s)
        return self._medians_w[start_s, end_s]

    @cached_property
    def _medians_w(self) -> dict[tuple[float, float], float]:
        return {}

    def part(self, first: int, last: int) -> Row:
        """The row from span number `first` up to but without `last`."""
        here = slice(first, last)
        return Row(self.start_s[here], self.end_s[here], self.power_w[here], self.distance_m[here], self.rowed[here])

    def between(self, start_s: float, end_s: float) -> tuple[slice, Floats]:
        """The spans that lie at least partly between two times, and how long each does [s]."""
        near = slice(int(self.end_s.searchsorted(start_s)), int(self.start_s.searchsorted(end_s)))
        inside_s = np.minimum(self.end_s[near], end_s) - np.maximum(self.start_s[near], start_s)
        return near, np.maximum(inside_s, 0.0)

    @cached_property
    def noise(self) -> float:
        """Spread of strokes around their neighbours (sd of log power)."""
        return stroke_noise(self.levels[self.rowed])


def effective_powers_w(strokes: Sequence[Stroke]) -> Floats:
    """Power of each stroke [W]: as reported, else as its distance implies, else as its neighbours have it."""
    reported = np.array([reported_power_w(stroke) for stroke in strokes])
    missing = np.isnan(reported)
    power = np.where(missing, implied_powers_w(strokes), reported) if missing.any() else reported
    known = np.flatnonzero(~np.isnan(power))
    if not known.size:
        return np.ones(len(strokes))
    bridged: Floats = np.interp(np.arange(len(strokes)), known, power[known])
    return bridged


def reported_power_w(stroke: Stroke) -> float:
    """The stroke's own power [W]; NaN where it has none or one that nobody can pull."""
    power_w = stroke.power_w
    return power_w if power_w is not None and 0 < power_w <= MOST_POWER_W else math.nan


def implied_powers_w(strokes: Sequence[Stroke]) -> Floats:
    """Power that distance over time implies, pooled over neighbouring strokes of the same stretch [W]."""
    metres = np.array([stroke.distance_m if known_distance(stroke) else math.nan for stroke in strokes], dtype=float)
    seconds = np.array([stroke.duration_s for stroke in strokes])
    stretch = np.cumsum([0, *(b.start_s - a.end_s > BRIDGED_GAP_S for a, b in pairwise(strokes))])
    implied = np.full(len(strokes), math.nan)
    for first, last in runs(stretch):
        pooled_m, pooled_s = pooled(metres[first:last], seconds[first:last])
        speed = np.divide(pooled_m, pooled_s, out=np.full(last - first, math.nan), where=pooled_s > 0)
        implied[first:last] = CONCEPT2_W_S3_PER_M3 * np.minimum(speed, FASTEST_M_PER_S) ** 3
    return implied


def known_distance(stroke: Stroke) -> bool:
    """Whether the stroke's distance is one that can be rowed, and not a counter that jumped or started again."""
    return stroke.distance_m is not None and 0 <= stroke.distance_m <= FASTEST_M_PER_S * LONGEST_STROKE_S


def pooled(metres: Floats, seconds: Floats) -> tuple[Floats, Floats]:
    """Distance and time summed over each stroke and its neighbours; strokes without a distance stay out."""
    known = ~np.isnan(metres)
    window = np.ones(POOLED_STROKES)
    half = POOLED_STROKES // 2
    sums = [
        np.convolve(np.where(known, values, 0.0), window)[half : half + len(metres)] for values in (metres, seconds)
    ]
    return sums[0], sums[1]


def reference_of(sorted_powers_w: Sequence[float] | Floats) -> float:
    """The reference power of strokes in order of power [W]; never zero."""
    return max(float(sorted_powers_w[int(REFERENCE_SHARE * (len(sorted_powers_w) - 1))]), 1.0)


def level_of(power_w: Floats, reference_w: float) -> Floats:
    """Power on a logarithmic scale with a soft floor: 0 at the reference, -2.2 at a full stop."""
    levels: Floats = np.log(power_w / reference_w + SOFT_FLOOR) - math.log1p(SOFT_FLOOR)
    return levels


def stroke_noise(levels: Floats) -> float:
    """Spread of strokes around their neighbours (sd of log power), judged on the quieter half of them."""
    if len(levels) < 2 * NOISE_WINDOW_STROKES:
        return EARLY_NOISE
    padded = np.pad(levels, NOISE_WINDOW_STROKES // 2, mode="reflect")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, NOISE_WINDOW_STROKES), axis=1)
    spread = float(np.percentile(np.abs(levels - middle), 55)) / 0.755  # 55 % of a normal lie within 0.755 sd
    return min(max(spread, LEAST_NOISE), MOST_NOISE)


def weighted_median(values: Floats, weights: Floats) -> float:
    """The value that half of the weight stays below; 0 where there is no weight."""
    if not weights.sum() > 0:
        return 0.0
    order = values.argsort()
    upto = weights[order].cumsum()
    return float(values[order[upto.searchsorted(upto[-1] / 2)]])


def runs(values: NDArray[np.generic]) -> list[tuple[int, int]]:
    """First and one-past-last index of each stretch of equal values."""
    borders = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return list(pairwise(borders))
