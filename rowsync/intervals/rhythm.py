"""Rhythm: a workout that repeats so evenly that it was meant, found although no single piece stands out.

Ten times 45/75 at 15 % more power drowns in the noise of any one piece, but not in that of ten.  Every pair of lengths
that people programme is laid over the row like a comb: at each moment, how much harder is the tooth than what lies
before and after it?  A steady row has such contrasts too, but not one after the other at equal distances.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np

from rowsync.intervals.row import Floats, Row

GRID_S = 5
LENGTHS_S = (*range(15, 61, 5), *range(75, 181, 15))  # of a piece, and of a recovery
RECOVERY_SHARE = (0.12, 0.85)  # of a round
REACTION_S = 5  # left out at the start of each length: the flywheel follows
LEAST_CONTRAST = 0.03  # log power; less ends the rhythm
LEAST_ROUNDS, LEAST_STROKES = 6, 4
USUAL_SPREAD, USUAL_WEIGHT = 0.03, 4  # contrasts of a rhythm spread at least so; counts like so many rounds
MANY_ROUNDS = 8
LEAST_CLEARNESS, LEAST_CLEARNESS_OF_FEW = 8.0, 11.0
"""Mean contrast in standard errors of it, with many rounds and with fewer.

On 105 steady rows the best comb of 8 rounds or more reaches 5.9 and the best of 6 or 7 reaches 10.5 (a row with real
surges; the next 7.8).  Ten rounds of 45/75 at a ratio of 1.15 reach 15-20 with a trained athlete's noise and 8-14
with a beginner's.
"""
ROUNDING = 1 - 1e-9  # sums in another order differ by less
WEAKEST_ROUND = 0.25  # of the mean contrast
WEAK_END = 0.4  # of the median contrast: a first or last round below it is none
REFINED_S, SHORTEST_S = 3, 10


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Equal pieces at equal distances.

    Attributes:
        first_s: when the first piece begins [s].
        work_s: how long a piece lasts [s].
        easy_s: how long a recovery lasts [s].
        rounds: how many pieces.
        clearness: their mean contrast in standard errors of it, as many as are needed left out: above 0 it was meant.
    """

    first_s: float
    work_s: float
    easy_s: float
    rounds: int
    clearness: float

    @property
    def pieces_s(self) -> list[tuple[float, float]]:
        """Start and end of each piece [s]."""
        starts_s = [self.first_s + number * (self.work_s + self.easy_s) for number in range(self.rounds)]
        return [(start_s, start_s + self.work_s) for start_s in starts_s]


def find_rhythm(row: Row) -> Rhythm | None:
    """The clearest rhythm of a row; None when it has none.  A stop longer than any recovery ends a rhythm."""
    ends = np.flatnonzero(~row.rowed & (row.durations_s > LENGTHS_S[-1]))
    stretches = [row.part(first, last) for first, last in pairwise([0, *ends.tolist(), len(row.rowed)])]
    found = [clearest(Comb(each)) for each in stretches if np.sum(each.rowed) >= LEAST_ROUNDS * LEAST_STROKES]
    return max((each for each in found if each is not None), key=lambda each: each.clearness, default=None)


def clearest(comb: Comb) -> Rhythm | None:
    """The clearest rhythm of an unbroken row."""
    best: Run | None = None
    for most_gain, work_s, easy_s in sorted(comb.promising(), reverse=True):
        if best and most_gain * ROUNDING < best.gain:
            break
        best = max(filter(None, (best, comb.best_run(work_s, easy_s))), default=None)
    return comb.refined(best.first_s, best.work_s, best.easy_s, best.rounds) if best else None


class Run(NamedTuple):
    """Pieces at equal distances: what they explain, when the first begins, how long each and its recovery lasts [s]."""

    gain: float
    first_s: float
    work_s: int
    easy_s: int
    rounds: int


class Comb:
    """How hard each moment of a row is, beside what lies before and after it."""

    def __init__(self, row: Row) -> None:
        self._start_s, self._end_s = float(row.start_s[0]), float(row.end_s[-1])
        self._edges_s = np.r_[row.start_s, row.end_s[-1]]
        self._integral = np.r_[0.0, np.cumsum(row.resting_levels * row.durations_s)]
        self._grid_s = np.arange(self._start_s, self._end_s, GRID_S)

    def promising(self) -> Iterator[tuple[float, int, int]]:
        """The lengths of piece and recovery with a run that is long enough, and what no run of them exceeds."""
        lengths_s = np.array(LENGTHS_S, dtype=float)[:, None]
        before = self._before(self._grid_s, lengths_s)
        for work_s in LENGTHS_S:
            shares = lengths_s[:, 0] / (work_s + lengths_s[:, 0])
            fits = (RECOVERY_SHARE[0] <= shares) & (shares <= RECOVERY_SHARE[1])
            all_gains = gains_of(self._contrast(self._grid_s, work_s, lengths_s[fits], before[fits]))
            for easy_s, each in zip(lengths_s[fits, 0].astype(int).tolist(), all_gains, strict=True):
                gains = by_round(each, work_s + easy_s)
                lasting = gains > 0
                for _ in range(LEAST_ROUNDS - 1):
                    lasting = lasting[1:] & lasting[:-1]
                if lasting.any():
                    yield float(gains.sum(axis=0).max()) * weight_s(work_s, easy_s), work_s, easy_s

    def contrast(self, at_s: Floats, work_s: Floats | float, easy_s: Floats | float) -> Floats:
        """What a piece that begins at each time has over its recoveries [log power]; NaN where the row lacks either."""
        return self._contrast(at_s, work_s, easy_s, self._before(at_s, easy_s))

    def _before(self, at_s: Floats, easy_s: Floats | float) -> Floats:
        return self._mean(at_s - easy_s + REACTION_S, at_s)

    def _contrast(self, at_s: Floats, work_s: Floats | float, easy_s: Floats | float, before: Floats) -> Floats:
        work_end_s, easy_end_s = at_s + work_s, at_s + work_s + easy_s
        work = self._mean(at_s + REACTION_S, work_end_s)
        after = self._mean(work_end_s + REACTION_S, easy_end_s)
        before = np.where(np.isnan(before), after, before)
        after = np.where(np.isnan(after), before, after)
        contrast: Floats = work - (before + after) / 2
        return contrast

    def best_run(self, work_s: int, easy_s: int) -> Run | None:
        """The longest and strongest row of pieces at equal distances; None where it is too short for a rhythm."""
        gains = by_round(gains_of(self.contrast(self._grid_s, work_s, easy_s)), work_s + easy_s)
        stride = gains.shape[1]
        upto, length = np.zeros(stride), np.zeros(stride, dtype=int)
        best, best_end, best_length = 0.0, (0, 0), 0
        for number, gain in enumerate(gains):
            goes_on = gain > 0
            upto, length = (upto + gain) * goes_on, (length + 1) * goes_on
            column = int(upto.argmax())
            if upto[column] > best:
                best, best_end, best_length = float(upto[column]), (number, column), int(length[column])
        if best_length < LEAST_ROUNDS:
            return None
        first = (best_end[0] - best_length + 1) * stride + best_end[1]
        return Run(best * weight_s(work_s, easy_s), float(self._grid_s[first]), work_s, easy_s, best_length)

    def refined(self, first_s: float, work_s: float, easy_s: float, rounds: int) -> Rhythm | None:
        """The same to the second, if it is clear enough to be meant."""
        near = range(-REFINED_S, REFINED_S + 1)
        candidates = [
            (first_s + a, work_s + b, easy_s + c)
            for a, b, c in product(near, near, near)
            if min(work_s + b, easy_s + c) > SHORTEST_S
        ]
        first_s, work_s, easy_s = candidates[int(self._gains(candidates, rounds).argmax())]
        contrast = self._contrasts(first_s, work_s, easy_s, rounds)
        strong = np.flatnonzero(contrast >= WEAK_END * np.median(contrast))
        if not strong.size:
            return None
        first, contrast = int(strong[0]), contrast[strong[0] : strong[-1] + 1]
        needed = LEAST_CLEARNESS if len(contrast) >= MANY_ROUNDS else LEAST_CLEARNESS_OF_FEW
        clearness = clearness_of(contrast) - needed
        if len(contrast) < LEAST_ROUNDS or clearness <= 0 or contrast.min() < WEAKEST_ROUND * contrast.mean():
            return None
        return Rhythm(first_s + first * (work_s + easy_s), work_s, easy_s, len(contrast), clearness)

    def _contrasts(
        self, first_s: Floats | float, work_s: Floats | float, easy_s: Floats | float, rounds: int
    ) -> Floats:
        return self.contrast(first_s + (work_s + easy_s) * np.arange(rounds, dtype=float), work_s, easy_s)

    def _gains(self, combs: Sequence[tuple[float, float, float]], rounds: int) -> Floats:
        """What each comb explains; -inf where the row lacks a part of it."""
        first_s, work_s, easy_s = np.array(combs, dtype=float).T[..., None]
        contrasts = self._contrasts(first_s, work_s, easy_s, rounds)
        gains = np.sum(contrasts**2, axis=1, keepdims=True) * work_s * easy_s / (work_s + easy_s)
        return np.where(np.isnan(gains), -math.inf, gains)

    def _mean(self, start_s: Floats, end_s: Floats) -> Floats:
        """Mean level between two times; NaN where the row doesn't reach, or for no time at all."""
        integral = np.interp(end_s, self._edges_s, self._integral) - np.interp(start_s, self._edges_s, self._integral)
        reaches = (start_s >= self._start_s - GRID_S) & (end_s <= self._end_s + GRID_S) & (end_s > start_s)
        return np.where(reaches, integral / np.where(end_s > start_s, end_s - start_s, 1.0), math.nan)


def gains_of(contrasts: Floats) -> Floats:
    """The squares of contrasts; 0 where there is too little contrast, or none that is known."""
    return np.where(contrasts > LEAST_CONTRAST, contrasts**2, 0.0)


def by_round(of_grid: Floats, round_s: int) -> Floats:
    """Values of the grid, a row a round."""
    stride = round_s // GRID_S
    rounds = np.zeros((-(-len(of_grid) // stride), stride))
    rounds.ravel()[: len(of_grid)] = of_grid
    return rounds


def weight_s(work_s: float, easy_s: float) -> float:
    """What a squared contrast of such lengths explains [s]."""
    return work_s * easy_s / (work_s + easy_s)


def clearness_of(contrasts: Floats) -> float:
    """The mean of contrasts in standard errors of it; some contrasts as large as noise makes them are added first."""
    number = len(contrasts)
    variance = (float(np.var(contrasts)) * number + USUAL_WEIGHT * USUAL_SPREAD**2) / (number - 1 + USUAL_WEIGHT)
    return float(contrasts.mean()) * math.sqrt(number / variance)
