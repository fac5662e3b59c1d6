"""The ladder: a hidden Markov model of somebody who rows at some level, either easy or hard.

Inside an effort the level may drift slowly, a rung at a time; changing the effort takes an abrupt step and costs a
fixed price.  What a second may cost is capped, so that one bad stroke proves nothing: the shortest pause that can split
a piece lasts 2 * change_cost / dip_cap_per_s, the shortest sprint that can be one 2 * change_cost / burst_cap_per_s.

`LadderModel.advance` is the one recursion, live and after the fact.  It keeps the cheapest story that ends in each
state; several ladders, from sensitive to stubborn, go through it side by side as rows of one array.  Costs are in nats,
the unit of log-likelihood; those marked DEV were chosen on the development rows of the interval study.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rowsync.intervals.row import STOPPED_LEVEL, Bools, Floats

States = NDArray[np.signedinteger[Any]]

RUNG = 0.06  # height of a rung in log power: 6 %
LEAST_RUNGS = 2  # the smallest step that can change the effort
LOWEST_LEVEL, HIGHEST_LEVEL = -1.98, 0.50  # ends of the ladder: 3.5 % and 173 % of the reference
PADDLING_LEVEL = -0.8  # rungs below this (38 % of the reference) are recovery: stopping there costs nothing
ERRATIC_LEVELS, ERRATIC_NOISE = (-1.2, -0.5), 0.25  # people paddle anyhow: noise widens to 25 % at low levels (DEV)
CORRELATED_SHARE = 0.12  # neighbouring seconds repeat each other, so each counts for this share of evidence (DEV)
STOP_COST_PER_S = 0.02  # a full stop inside a recovery block (DEV)
SPANS_AT_ONCE = 64  # so many spans' costs stay in a processor's cache

Span = tuple[float, float]
"""The level of a stretch, and how long it lasts [s]."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """What changing and keeping an effort costs [nats].

    Attributes:
        change_cost: price of turning easy into hard or back.
        dip_cap_per_s: most that a second below the level can cost.
        burst_cap_per_s: most that a second above the level can cost.
        drift_cost: price of sliding one rung inside an effort.
        drift_every_s: how often it may slide one [s].
    """

    change_cost: float
    dip_cap_per_s: float
    burst_cap_per_s: float
    drift_cost: float = 0.2
    drift_every_s: float = 14.0


class LadderModel:
    """The cheapest stories so far, for several ladders at once.

    Costs and origins are arrays whose last axes are (ladders, 2, rungs): easy, then hard.  A state is a number into the
    last two.  Costs alone are carried from span to span; which state each one came from follows from the costs before
    the span, and for many spans at once.

    Args:
        ladders: what changes cost; all of them drift at the same times.
        noise: spread of strokes around the level they are rowed at (sd of log power).
    """

    def __init__(self, ladders: Sequence[Ladder], noise: float) -> None:
        self._rungs = np.arange(LOWEST_LEVEL, HIGHEST_LEVEL, RUNG)
        self._columns = np.arange(len(self._rungs), dtype=np.int16)
        self._change, self._dip, self._burst, self._slide = (
            np.array(values, dtype=float)[:, None, None]
            for values in zip(
                *((each.change_cost, each.dip_cap_per_s, each.burst_cap_per_s, each.drift_cost) for each in ladders),
                strict=True,
            )
        )
        spread = np.interp(self._rungs, ERRATIC_LEVELS, (ERRATIC_NOISE, noise))
        self._evidence_per_s = CORRELATED_SHARE / (2 * np.maximum(spread, noise) ** 2)
        self._stop_cost_per_s = np.broadcast_to(self._dip, (len(ladders), 2, len(self._rungs))).copy()
        self._stop_cost_per_s[:, 0, self._rungs < PADDLING_LEVEL] = STOP_COST_PER_S
        self._cost = np.zeros(self._stop_cost_per_s.shape)
        self._step = _Step(self._cost, self._change, self._slide)
        self._states = np.arange(2 * len(self._rungs), dtype=np.int16).reshape(2, -1)
        self._drift_every_s = ladders[0].drift_every_s
        self._since_drift_s = 0.0

    def advance(self, spans: Sequence[Span]) -> States:
        """Takes the next spans; answers the state that each state came from, as (spans, ladders, states)."""
        levels, durations_s = np.array(spans, dtype=float).reshape(-1, 2).T
        drifts = [self._is_time_to_drift(duration_s) for _, duration_s in spans]
        before = np.empty((len(spans), *self._cost.shape))
        for number, misfit in enumerate(self._misfits(levels, durations_s)):
            before[number] = self._cost
            self._step.take(misfit, drifts[number])
        return self._origins(before, np.array(drifts, dtype=bool)).reshape(len(spans), len(self._cost), -1)

    def peek(self, level: float, duration_s: float) -> States:
        """The best states after one more span, without taking it."""
        kept, since_drift_s = self._cost.copy(), self._since_drift_s
        self.advance([(level, duration_s)])
        best = self.best
        self._cost[:], self._since_drift_s = kept, since_drift_s
        return best

    @property
    def best(self) -> States:
        """The state in which the cheapest story of each ladder ends."""
        best: States = self._cost.reshape(len(self._cost), -1).argmin(axis=1)
        return best

    @property
    def first_hard(self) -> int:
        """Number of the lowest hard state."""
        return len(self._rungs)

    def _misfits(self, levels: Floats, durations_s: Floats) -> Floats:
        """What each span costs in each state."""
        residual = levels[:, None, None, None] - self._rungs
        cap = np.where(residual < 0, self._dip, self._burst)
        per_s = np.minimum(self._evidence_per_s * residual**2, cap)
        stopped = (levels < STOPPED_LEVEL)[:, None, None, None]
        misfits: Floats = np.where(stopped, self._stop_cost_per_s, per_s) * durations_s[:, None, None, None]
        return misfits

    def _is_time_to_drift(self, duration_s: float) -> bool:
        self._since_drift_s += duration_s
        if self._since_drift_s < self._drift_every_s:
            return False
        self._since_drift_s %= self._drift_every_s
        return True

    def _origins(self, before: Floats, drifts: Bools) -> States:
        """Where `_Step` has each state come from: to stay is preferred, then to slide, then the nearest change."""
        cost, origin = before.copy(), np.broadcast_to(self._states, before.shape).copy()
        dearer = np.where(drifts[:, None, None, None], before + self._slide, np.inf)
        take(cost[..., 1:], origin[..., 1:], dearer[..., :-1], self._states[:, :-1])
        take(cost[..., :-1], origin[..., :-1], dearer[..., 1:], self._states[:, 1:])
        easy, hard = before[..., 0, :], before[..., 1, ::-1]
        price, rungs = self._change[:, 0], len(self._rungs)
        cheapest, column = running_minimum(easy, self._columns)
        up = cheapest[..., :-LEAST_RUNGS] + price
        take(cost[..., 1, LEAST_RUNGS:], origin[..., 1, LEAST_RUNGS:], up, column[..., :-LEAST_RUNGS])
        cheapest, column = running_minimum(hard, self._columns)
        down = cheapest[..., ::-1][..., LEAST_RUNGS:] + price
        from_state = (2 * rungs - 1 - column[..., ::-1])[..., LEAST_RUNGS:]
        take(cost[..., 0, :-LEAST_RUNGS], origin[..., 0, :-LEAST_RUNGS], down, from_state)
        return origin


class _Step:
    """Takes costs one span on, in place, by views that are made once: this is the inmost loop of all.

    Args:
        cost: the costs, as (ladders, 2, rungs).
        change: what a change costs on each ladder.
        slide: what sliding a rung costs on each ladder.
    """

    def __init__(self, cost: Floats, change: Floats, slide: Floats) -> None:
        self._cost, self._of_ladder, self._change, self._slide = cost, cost.reshape(len(cost), -1), change, slide
        self._dearer, self._offered = np.empty_like(cost), np.empty_like(cost)
        self._slides = [
            (cost[..., 1:], self._dearer[..., :-1]),
            (cost[..., :-1], self._dearer[..., 1:]),
        ]
        self._cheapest = [
            (cost[:, 0], self._offered[:, 0]),
            (cost[:, 1, ::-1], self._offered[:, 1, ::-1]),
        ]
        self._changes = [
            (cost[:, 1, LEAST_RUNGS:], self._offered[:, 0, :-LEAST_RUNGS]),
            (cost[:, 0, :-LEAST_RUNGS], self._offered[:, 1, LEAST_RUNGS:]),
        ]

    def take(self, misfit: Floats, drifts: bool) -> None:
        """The costs after a span: of staying, of sliding one rung when it is time for that, and of changing."""
        for cost, cheapest in self._cheapest:
            np.minimum.accumulate(cost, axis=-1, out=cheapest)
        self._offered += self._change
        if drifts:
            np.add(self._cost, self._slide, out=self._dearer)
            for cost, offered in self._slides:
                np.minimum(cost, offered, out=cost)
        for cost, offered in self._changes:
            np.minimum(cost, offered, out=cost)
        self._cost += misfit
        self._of_ladder -= np.minimum.reduce(self._of_ladder, axis=1, keepdims=True)


def cheapest_paths(ladders: Sequence[Ladder], noise: float, spans: Sequence[Span]) -> Bools:
    """Whether each span is hard in the cheapest story of each ladder, as (ladders, spans).

    Args:
        ladders: what changes cost.
        noise: spread of strokes (sd of log power).
        spans: level and duration [s] of each.
    """
    model = LadderModel(ladders, noise)
    parts = (spans[at : at + SPANS_AT_ONCE] for at in range(0, len(spans), SPANS_AT_ONCE))
    origins = [origin for part in parts for origin in model.advance(part)]
    states = np.empty((len(ladders), len(spans)), dtype=np.int16)
    for number, state in enumerate(model.best):
        for at in range(len(spans) - 1, -1, -1):
            states[number, at] = state
            state = origins[at][number, state]
    return states >= model.first_hard


def take(cost: Floats, origin: States, offered: Floats, offered_from: States) -> None:
    """Replaces costs and origins, in place, where the offer is cheaper."""
    cheaper = offered < cost
    np.copyto(cost, offered, where=cheaper)
    np.copyto(origin, offered_from, where=cheaper)


def running_minimum(cost: Floats, columns: States) -> tuple[Floats, States]:
    """The cheapest up to each column, and the column it stands in."""
    cheapest = np.minimum.accumulate(cost, axis=-1)
    return cheapest, np.maximum.accumulate(np.where(cost == cheapest, columns, 0), axis=-1)
