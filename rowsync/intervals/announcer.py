"""The effort now, said at once, and what it was a little ago, said for good.

Live nobody knows yet whether this is an interval session.  So two ladders are climbed: a wary one, which the surges of
a steady row don't move, and an expectant one, believed as soon as the wary one has seen hard and easy follow each
other: who has changed twice will change again.  Between strokes the one in progress is evidence too: the longer it
takes, the less power it can have.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from rowsync.intervals.effort import Effort
from rowsync.intervals.ladder import Ladder, LadderModel, States
from rowsync.intervals.row import LEAST_NOISE, Bools, Row, level_of, reference_of, stroke_noise
from rowsync.strokes import Stroke

# Chosen on the development rows; docs/intervals.md shows what other costs do.
WARY = Ladder(5.0, dip_cap_per_s=0.35, burst_cap_per_s=0.90, drift_cost=0.7, drift_every_s=1.0)
EXPECTANT = Ladder(1.4, dip_cap_per_s=0.35, burst_cap_per_s=0.90, drift_cost=0.7, drift_every_s=1.0)
CHANGES_TO_EXPECT_MORE, REMEMBERED_S = 2, 900.0
HELD_S = 25.0  # a change counts when what came before it lasted so long
REST_AFTER_S = 7.0  # no stroke for so long is a stop (ESPRowingMonitor waits as long)
SLOW_STROKE = 1.4  # from this share of a usual stroke on, the stroke in progress is evidence
SETTLED_AFTER_S = 12.0  # what is so long ago is said for good
NEWEST_SHARE = 0.3  # how fast the usual stroke follows the latest one
MEASURED_AFTER_STROKES = 16  # about 45 s: from then on the reference is the measured one
HEADROOM = 1.3  # until then hard pieces are expected this far above the first strokes
NEW_REFERENCE = 0.10  # the model starts again when the reference has moved by 10 %


class Span(NamedTuple):
    """A stroke, or the stop before one [s, W]."""

    start_s: float
    end_s: float
    power_w: float
    rowed: bool


class Announcer:
    """The effort, stroke by stroke.

    Args:
        caution: the one knob between delay and false alarms: 1 is usual, 2 makes each change twice as dear.
    """

    def __init__(self, caution: float = 1.0) -> None:
        self._ladders = [replace(each, change_cost=caution * each.change_cost) for each in (WARY, EXPECTANT)]
        self._sorted_w: list[float] = []
        self._spans: list[Span] = []
        self._usual_s = 0.0
        self._reference_w = math.nan
        self._model = LadderModel(self._ladders, LEAST_NOISE)
        self._origins: list[States] = []
        self._changed: Bools = np.zeros(0, dtype=bool)
        self._wary_hard, self._wary_since_s = False, 0.0
        self._changes_s: list[float] = []

    def feed(self, strokes: Sequence[Stroke]) -> None:
        """Takes the last of these strokes, and the stop before it.

        Args:
            strokes: the last `POOLED_STROKES` of the row, or as many as there are.
        """
        row = Row.of(strokes)
        columns = (row.start_s, row.end_s, row.power_w, row.rowed)
        spans = [Span(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]
        new = spans[-2:] if len(spans) > 1 and not spans[-2].rowed else spans[-1:]
        self._spans += new
        stroke_s = new[-1].end_s - new[-1].start_s
        self._usual_s += (stroke_s - self._usual_s) * (NEWEST_SHARE if self._sorted_w else 1.0)
        insort(self._sorted_w, new[-1].power_w)
        reference_w = self._causal_reference_w()
        if math.isnan(self._reference_w) or abs(math.log(reference_w / self._reference_w)) > NEW_REFERENCE:
            self._start_again(reference_w)
            new = self._spans
        self._advance(new)
        self._count_changes(new[-1].end_s)

    def effort(self, time_s: float) -> Effort | None:
        """The effort at `time_s`, at or after the last stroke, as far as it can be said; None before the first one."""
        if not self._spans:
            return None
        last = self._spans[-1]
        since_s = time_s - last.end_s
        if since_s > REST_AFTER_S:
            return Effort.REST
        states = self._model.best
        if since_s > SLOW_STROKE * self._usual_s:
            power_w = last.power_w * self._usual_s / since_s
            states = self._model.peek(self._levels([power_w])[0], since_s)
        return self._named(int(states[self._ladder]))

    def settled(self, time_s: float) -> Effort | None:
        """The effort `SETTLED_AFTER_S` before `time_s`, as it is known by now; None before the first stroke."""
        at_s = time_s - SETTLED_AFTER_S
        state = int(self._model.best[self._ladder])
        for span, origins in zip(reversed(self._spans), reversed(self._origins), strict=True):
            if span.start_s <= at_s:
                stopped_s = (
                    span.end_s - span.start_s if not span.rowed else time_s - span.end_s if at_s > span.end_s else 0
                )
                return Effort.REST if stopped_s > REST_AFTER_S else self._named(state)
            state = int(origins[self._ladder, state])
        return None

    @property
    def _ladder(self) -> int:
        """Which ladder is believed: the wary one at first."""
        lately = self._changes_s[-CHANGES_TO_EXPECT_MORE:]
        return int(len(lately) == CHANGES_TO_EXPECT_MORE and lately[0] > self._spans[-1].end_s - REMEMBERED_S)

    def _named(self, state: int) -> Effort:
        """Hard or easy; warm-up as long as nothing has contrasted with anything."""
        if not self._changed[self._ladder, state]:
            return Effort.WARMUP
        return Effort.HARD if state >= self._model.first_hard else Effort.EASY

    def _count_changes(self, time_s: float) -> None:
        hard = bool(self._model.best[0] >= self._model.first_hard)
        if hard != self._wary_hard:
            if time_s - self._wary_since_s >= HELD_S:
                self._changes_s.append(time_s)
            self._wary_hard, self._wary_since_s = hard, time_s

    def _causal_reference_w(self) -> float:
        """The reference of the strokes so far [W]; a session mostly starts easier than it goes on."""
        reference_w = reference_of(self._sorted_w)
        return reference_w if len(self._sorted_w) >= MEASURED_AFTER_STROKES else HEADROOM * reference_w

    def _levels(self, powers_w: Sequence[float]) -> list[float]:
        levels: list[float] = level_of(np.array(powers_w), self._reference_w).tolist()
        return levels

    def _start_again(self, reference_w: float) -> None:
        self._reference_w = reference_w
        noise = stroke_noise(np.array(self._levels([span.power_w for span in self._spans if span.rowed])))
        self._model = LadderModel(self._ladders, noise)
        self._changed = np.zeros((len(self._ladders), 2 * self._model.first_hard), dtype=bool)
        self._origins = []

    def _advance(self, spans: Sequence[Span]) -> None:
        now_hard = np.arange(self._changed.shape[1]) >= self._model.first_hard
        levels = self._levels([each.power_w for each in spans])
        durations_s = [each.end_s - each.start_s for each in spans]
        for origins in self._model.advance(list(zip(levels, durations_s, strict=True))):
            before = np.take_along_axis(self._changed, origins, axis=1)
            self._changed = before | (now_hard != (origins >= self._model.first_hard))
            self._origins.append(origins)
