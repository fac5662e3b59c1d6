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

    Costs and origins are arrays whose last axes are (ladders, 2, rungs): easy from the lowest rung up, then hard from
    the highest down.  So an effort always changes from the first rungs of one to the first of the other, and a state is
    a number into the last two axes.  Costs alone are carried from span to span; which state each one came from follows
    from the costs before a span, and for many spans at once.

    Args:
        ladders: what changes cost; all of them drift at the same times.
        noise: spread of strokes around the level they are rowed at (sd of log power).
    """

    def __init__(self, ladders: Sequence[Ladder], noise: float) -> None:
        self._rungs = np.arange(LOWEST_LEVEL, HIGHEST_LEVEL, RUNG)
        shape = (len(ladders), 2, len(self._rungs))
        self._change = np.array([each.change_cost for each in ladders])[:, None, None]
        self._slide = np.array([each.drift_cost for each in ladders])[:, None, None]
        self._dip = np.array([each.dip_cap_per_s for each in ladders])[:, None]
        self._burst = np.array([each.burst_cap_per_s for each in ladders])[:, None]
        spread = np.interp(self._rungs, ERRATIC_LEVELS, (ERRATIC_NOISE, noise))
        self._evidence_per_s = CORRELATED_SHARE / (2 * np.maximum(spread, noise) ** 2)
        self._stop_cost_per_s = np.broadcast_to(self._dip[..., None], shape).copy()
        self._stop_cost_per_s[:, 0, self._rungs < PADDLING_LEVEL] = STOP_COST_PER_S
        self._cost = np.zeros(shape)
        self._states = np.arange(2 * len(self._rungs), dtype=np.int16).reshape(2, -1)
        self._drift_every_s = ladders[0].drift_every_s
        self._since_drift_s = 0.0

    def advance(self, spans: Sequence[Span]) -> States:
        """Takes the next spans; answers the state that each state came from, as (spans, ladders, states)."""
        levels, durations_s = np.array(spans, dtype=float).reshape(-1, 2).T
        drifts = [self._is_time_to_drift(duration_s) for _, duration_s in spans]
        costs = np.empty((len(spans) + 1, *self._cost.shape))
        costs[0] = self._cost
        offered = np.empty_like(self._cost)
        for before, cost, misfit, drift in zip(
            costs, costs[1:], self._misfits(levels, durations_s), drifts, strict=False
        ):
            np.add(np.minimum.accumulate(before, axis=-1, out=offered), self._change, out=offered)
            np.copyto(cost, before)
            if drift:
                dearer = before + self._slide
                np.minimum(cost[..., 1:], dearer[..., :-1], out=cost[..., 1:])
                np.minimum(cost[..., :-1], dearer[..., 1:], out=cost[..., :-1])
            np.minimum(cost[CHANGED], offered[CHANGES], out=cost[CHANGED])
            cost += misfit
            cost -= np.minimum.reduce(cost, axis=(1, 2), keepdims=True)
        self._cost = costs[-1]
        return self._origins(costs[:-1], np.array(drifts, dtype=bool)).reshape(len(spans), len(self._cost), -1)

    def peek(self, level: float, duration_s: float) -> States:
        """The best states after one more span, without taking it."""
        kept = self._cost, self._since_drift_s
        self.advance([(level, duration_s)])
        best = self.best
        self._cost, self._since_drift_s = kept
        return best

    @property
    def best(self) -> States:
        """The state in which the cheapest story of each ladder ends."""
        best: States = self._cost.reshape(len(self._cost), -1).argmin(axis=1)
        return best

    @property
    def first_hard(self) -> int:
        """Number of the first hard state."""
        return len(self._rungs)

    def _misfits(self, levels: Floats, durations_s: Floats) -> Floats:
        """What each span costs in each state."""
        residual = levels[:, None, None] - self._rungs
        cap = np.where(residual < 0, self._dip, self._burst)
        easy = np.minimum(self._evidence_per_s * residual**2, cap)
        misfits: Floats = np.stack([easy, easy[..., ::-1]], axis=-2)
        misfits[levels < STOPPED_LEVEL] = self._stop_cost_per_s
        misfits *= durations_s[:, None, None, None]
        return misfits

    def _is_time_to_drift(self, duration_s: float) -> bool:
        self._since_drift_s += duration_s
        if self._since_drift_s < self._drift_every_s:
            return False
        self._since_drift_s %= self._drift_every_s
        return True

    def _origins(self, before: Floats, drifts: Bools) -> States:
        """Where each state comes from, by the costs before: staying goes before sliding, and that before changing."""
        cost, origin = before.copy(), np.broadcast_to(self._states, before.shape).copy()
        slid, slid_from = cost[drifts], origin[drifts]
        dearer = slid + self._slide
        take(slid[..., 1:], slid_from[..., 1:], dearer[..., :-1], self._states[:, :-1])
        take(slid[..., :-1], slid_from[..., :-1], dearer[..., 1:], self._states[:, 1:])
        cost[drifts], origin[drifts] = slid, slid_from
        cheapest, states = running_minimum(before, self._states)
        take(cost[CHANGED], origin[CHANGED], (cheapest + self._change)[CHANGES], states[CHANGES])
        return origin


CHANGED = (..., slice(None, -LEAST_RUNGS))
CHANGES = (..., slice(None, None, -1), slice(-LEAST_RUNGS - 1, None, -1))
"""Where an effort may change to, and from where: hard falls to any easy rung far enough below, easy rises likewise."""


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
    every, state = np.arange(len(ladders)), model.best
    states = np.empty((len(spans), len(ladders)), dtype=np.int16)
    for at in range(len(spans) - 1, -1, -1):
        states[at] = state
        state = origins[at][every, state]
    return np.greater_equal(states.T, model.first_hard)


def take(cost: Floats, origin: States, offered: Floats, offered_from: States) -> None:
    """Replaces costs and origins, in place, where the offer is cheaper."""
    cheaper = offered < cost
    np.copyto(cost, offered, where=cheaper)
    np.copyto(origin, offered_from, where=cheaper)


def running_minimum(cost: Floats, states: States) -> tuple[Floats, States]:
    """The cheapest up to each state, and the last state that has it."""
    cheapest = np.minimum.accumulate(cost, axis=-1)
    return cheapest, np.maximum.accumulate(np.where(cost == cheapest, states, 0), axis=-1)
