"""The effort now, as the strokes so far tell it."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence

import numpy as np

from rowsync.intervals.effort import Effort
from rowsync.intervals.ladder import Ladder, LadderModel
from rowsync.intervals.row import POOLED_STROKES, Bools, Row, level_of, reference_of, stroke_noise
from rowsync.strokes import Stroke

LIVE = Ladder(2.5, dip_cap_per_s=0.30, burst_cap_per_s=0.60, drift_cost=0.7, drift_every_s=1)
LIVE_REST_AFTER_S = 7.0  # no stroke for so long is a stop (ESPRowingMonitor waits as long)
LIVE_LEVEL_AFTER_STROKES = 16  # about 45 s: from then on the live reference is the measured one
LIVE_NEW_REFERENCE = 0.10  # the live model starts again when the reference has moved by 10 %
LIVE_HEADROOM = 1.3  # until then hard pieces are expected this far above the first strokes


class Announcer:
    """The effort now, as the strokes so far tell it."""

    def __init__(self) -> None:
        self._sorted_w: list[float] = []
        self._last_s = 0.0
        self._spans: list[tuple[float, float]] = []
        self._reference_w = math.nan
        self._model: LadderModel | None = None
        self._changed: Bools = np.zeros(0, dtype=bool)

    @property
    def _effort(self) -> Effort:
        """Hard or easy; warm-up as long as nothing has contrasted with anything."""
        model = self._model
        if model is None or not self._changed[int(model.best[0])]:
            return Effort.WARMUP
        return Effort.HARD if int(model.best[0]) >= model.first_hard else Effort.EASY

    def effort(self, time_s: float) -> Effort | None:
        """The effort at `time_s`, at or after the last stroke [s]; None before the first stroke."""
        if not self._sorted_w:
            return None
        return Effort.REST if time_s - self._last_s > LIVE_REST_AFTER_S else self._effort

    def feed(self, strokes: Sequence[Stroke]) -> None:
        """Takes the last of these strokes, and the stop before it."""
        row = Row.of(strokes[-POOLED_STROKES:])
        new = 2 if len(row.rowed) > 1 and not row.rowed[-2] else 1
        self._last_s = strokes[-1].end_s
        insort(self._sorted_w, float(row.power_w[-1]))
        spans = list(zip(row.power_w[-new:].tolist(), row.durations_s[-new:].tolist(), strict=True))
        self._spans += spans
        reference_w = self._causal_reference_w()
        if self._model is None or abs(math.log(reference_w / self._reference_w)) > LIVE_NEW_REFERENCE:
            self._advance(self._start_again(reference_w), self._spans)
        else:
            self._advance(self._model, spans)

    def _causal_reference_w(self) -> float:
        """The reference of the strokes so far [W]; a session mostly starts easier than it goes on."""
        reference_w = reference_of(self._sorted_w)
        return reference_w if len(self._sorted_w) >= LIVE_LEVEL_AFTER_STROKES else LIVE_HEADROOM * reference_w

    def _start_again(self, reference_w: float) -> LadderModel:
        powers_w = np.array([power_w for power_w, _ in self._spans])
        noise = stroke_noise(level_of(powers_w[powers_w > 0], reference_w))
        self._reference_w, self._model = reference_w, LadderModel([LIVE], noise)
        self._changed = np.zeros(2 * self._model.first_hard, dtype=bool)
        return self._model

    def _advance(self, model: LadderModel, spans: Sequence[tuple[float, float]]) -> None:
        now_hard = np.arange(2 * model.first_hard) >= model.first_hard
        levels = level_of(np.array([power_w for power_w, _ in spans]), self._reference_w)
        for level, (_, duration_s) in zip(levels.tolist(), spans, strict=True):
            origin = model.advance(level, duration_s)[0]
            self._changed = self._changed[origin] | (now_hard != (origin >= model.first_hard))
