"""The ladder: a hidden Markov model of somebody who rows at some level, either easy or hard.

Inside an effort the level may drift slowly, a rung at a time; changing the effort takes an abrupt step and costs a
fixed price.  What a second may cost is capped, so that one bad stroke proves nothing: the shortest pause that can split
a piece lasts 2 * change_cost / dip_cap_per_s, the shortest sprint that can be one 2 * change_cost / burst_cap_per_s.

`LadderModel.advance` is the one recursion, live and after the fact.  It keeps the cheapest story that ends in each
state; several ladders, from sensitive to stubborn, go through it side by side as rows of one array.  Costs are in nats,
the unit of log-likelihood; those marked DEV were chosen on the development rows of the interval study.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    Costs and origins are arrays of shape (ladders, 2, rungs): easy, then hard.  A state is a number into the last two.

    Args:
        ladders: what changes cost; all of them drift at the same times.
        noise: spread of strokes around the level they are rowed at (sd of log power).
    """

    def __init__(self, ladders: Sequence[Ladder], noise: float) -> None:
        self._rungs = np.arange(LOWEST_LEVEL, HIGHEST_LEVEL, RUNG)
        self._columns = np.arange(len(self._rungs))
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
        states = np.arange(2 * len(self._rungs)).reshape(2, -1)
        self._stay = np.broadcast_to(states, self._cost.shape)
        self._drift_every_s = ladders[0].drift_every_s
        self._since_drift_s = 0.0

    def advance(self, level: float, duration_s: float) -> States:
        """Takes the next span; answers the state that each state came from, as (ladders, states)."""
        cost, origin = self._drifted(duration_s)
        self._changed(cost, origin)
        cost += self._misfit_per_s(level) * duration_s
        self._cost = cost - cost.min(axis=(1, 2), keepdims=True)
        return origin.reshape(len(origin), -1)

    def peek(self, level: float, duration_s: float) -> States:
        """The best states after one more span, without taking it."""
        kept = self._cost, self._since_drift_s
        self.advance(level, duration_s)
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
        """Number of the lowest hard state."""
        return len(self._rungs)

    def _misfit_per_s(self, level: float) -> Floats:
        if level < STOPPED_LEVEL:
            return self._stop_cost_per_s
        residual = level - self._rungs
        misfit: Floats = np.minimum(self._evidence_per_s * residual**2, np.where(residual < 0, self._dip, self._burst))
        return misfit

    def _drifted(self, duration_s: float) -> tuple[Floats, States]:
        """Costs after sliding at most one rung, when it is time for that."""
        cost, origin = self._cost.copy(), self._stay.copy()
        self._since_drift_s += duration_s
        if self._since_drift_s < self._drift_every_s:
            return cost, origin
        self._since_drift_s %= self._drift_every_s
        dearer = self._cost + self._slide
        take(cost[..., 1:], origin[..., 1:], dearer[..., :-1], self._stay[..., :-1])
        take(cost[..., :-1], origin[..., :-1], dearer[..., 1:], self._stay[..., 1:])
        return cost, origin

    def _changed(self, cost: Floats, origin: States) -> None:
        """Lets hard fall to any easy rung far enough below, and easy rise to any hard one far enough above."""
        easy, hard = self._cost[:, 0], self._cost[:, 1]
        price, rungs = self._change[:, 0], len(self._rungs)
        cheapest, column = running_minimum(easy, self._columns)
        up = cheapest[:, :-LEAST_RUNGS] + price
        take(cost[:, 1, LEAST_RUNGS:], origin[:, 1, LEAST_RUNGS:], up, column[:, :-LEAST_RUNGS])
        cheapest, column = running_minimum(hard[:, ::-1], self._columns)
        down = cheapest[:, ::-1][:, LEAST_RUNGS:] + price
        from_state = (2 * rungs - 1 - column[:, ::-1])[:, LEAST_RUNGS:]
        take(cost[:, 0, :-LEAST_RUNGS], origin[:, 0, :-LEAST_RUNGS], down, from_state)


def cheapest_paths(ladders: Sequence[Ladder], noise: float, spans: Iterable[tuple[float, float]]) -> Bools:
    """Whether each span is hard in the cheapest story of each ladder, as (ladders, spans).

    Args:
        ladders: what changes cost.
        noise: spread of strokes (sd of log power).
        spans: level and duration [s] of each.
    """
    model = LadderModel(ladders, noise)
    origins = [model.advance(level, duration_s).astype(np.int16) for level, duration_s in spans]
    every = np.arange(len(ladders))
    state, hard = model.best, np.zeros((len(ladders), len(origins)), dtype=bool)
    for number in range(len(origins) - 1, -1, -1):
        hard[:, number] = state >= model.first_hard
        state = origins[number][every, state]
    return hard


def take(cost: Floats, origin: States, offered: Floats, offered_from: States) -> None:
    """Replaces costs and origins, in place, where the offer is cheaper."""
    cheaper = offered < cost
    np.copyto(cost, offered, where=cheaper)
    np.copyto(origin, offered_from, where=cheaper)


def running_minimum(cost: Floats, columns: States) -> tuple[Floats, States]:
    """The cheapest up to each column, and the column it stands in."""
    cheapest = np.minimum.accumulate(cost, axis=-1)
    return cheapest, np.maximum.accumulate(np.where(cost == cheapest, columns, 0), axis=-1)
