"""Samples to strokes.  The strokes own the time they were rowed in; what no stroke owns is rest or a gap."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

from rowsync.telemetry import FASTEST_STROKE_S, SLOWEST_STROKE_S, USUAL_STROKE_S, Sample, stop_after_s


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke, dated by the stroke count and the host's clock.

    Attributes:
        number: 1 for the session's first.
        start_s: when it began: the end of the stroke before, or later when there was a stop between them [s].
        end_s: when the machine counted it [s].
        distance_m: distance covered in it [m].
        power_w: mean power of it as the machine reports it, or as its pace implies it [W].
        seen: False when it fell into a gap: the machine counted it, nobody saw it.
    """

    number: int
    start_s: float
    end_s: float
    distance_m: float | None
    power_w: float | None
    seen: bool = True

    @property
    def duration_s(self) -> float:
        """From start to end [s]."""
        return self.end_s - self.start_s


SILENCE_S = 5.0
"""Rowers notify once a second or once a stroke.  Two strokes counted over a longer silence were not seen [s]."""


class StrokeCounter:
    """Turns the growing stroke count into dated strokes.

    Strokes counted in one step share its time evenly.  A stroke that comes later than a stop allows is given the usual
    length: the time before it was rest.
    """

    def __init__(self) -> None:
        self._count = 0
        self._end_s: float | None = None
        self._distance_m = 0.0
        self._sample_s = 0.0
        self._periods_s: deque[float] = deque(maxlen=7)

    def feed(self, sample: Sample) -> tuple[Stroke, ...]:
        """Take the next sample; answer the strokes it completes, mostly none or one."""
        new = (sample.stroke_count or 0) - self._count
        strokes = self._strokes(sample, new) if new > 0 else ()
        self._sample_s = sample.time_s
        return strokes

    def _strokes(self, sample: Sample, new: int) -> tuple[Stroke, ...]:
        end_s, start_s = sample.time_s, self._start_s(sample, new)
        each_s = (end_s - start_s) / new
        distance_m = self._distance_each_m(sample, new)
        seen = new == 1 or end_s - self._sample_s <= SILENCE_S
        strokes = tuple(
            Stroke(
                self._count + i + 1, start_s + i * each_s, start_s + (i + 1) * each_s, distance_m, sample.power_w, seen
            )
            for i in range(new)
        )
        if FASTEST_STROKE_S < each_s < SLOWEST_STROKE_S:
            self._periods_s.append(each_s)
        self._count += new
        self._end_s = end_s
        return strokes

    def _start_s(self, sample: Sample, new: int) -> float:
        usual_s = self._usual_s(sample)
        earliest_s = 0.0 if self._end_s is None else self._end_s
        if self._end_s is not None and (sample.time_s - earliest_s) / new <= stop_after_s(usual_s):
            return earliest_s
        return max(earliest_s, sample.time_s - new * usual_s)

    def _usual_s(self, sample: Sample) -> float:
        if self._periods_s:
            return median(self._periods_s)
        rate = sample.stroke_rate_spm
        return 60.0 / rate if rate and 12 <= rate <= 60 else USUAL_STROKE_S

    def _distance_each_m(self, sample: Sample, new: int) -> float | None:
        if sample.distance_m is None:
            return None
        each_m = (sample.distance_m - self._distance_m) / new
        self._distance_m = sample.distance_m
        return each_m
