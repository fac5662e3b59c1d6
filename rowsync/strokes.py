"""Samples to strokes.  The strokes own the time they were rowed in; what no stroke owns is rest or a gap."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import NamedTuple

from rowsync.telemetry import (
    FASTEST_STROKE_S,
    SLOWEST_STROKE_S,
    USUAL_STROKE_S,
    Sample,
    power_from_speed_w,
    stop_after_s,
)


class Stroke(NamedTuple):
    """One stroke, or several that nobody saw, dated by the stroke count and the host's clock.

    Attributes:
        number: 1 for the session's first.
        start_s: when it began: the end of the stroke before, or later when there was a stop between them [s].
        end_s: when the machine counted it [s].
        distance_m: distance covered in it [m].
        power_w: mean power of it as the machine reports it, or as its pace or its metres imply it [W].
        power_source: where power comes from: "machine", "pace" or "distance".
        seen: False for a gap: the machine counted strokes in it, up to this number, and nobody saw them.
    """

    number: int
    start_s: float
    end_s: float
    distance_m: float | None
    power_w: float | None
    seen: bool = True
    power_source: str = "machine"

    @property
    def duration_s(self) -> float:
        """From start to end [s]."""
        return self.end_s - self.start_s


SILENCE_S = 5.0
"""Rowers notify once a second or once a stroke.  Two strokes counted over a longer silence were not seen [s]."""

MOST_SEEN_STROKES = 100
"""More strokes at once were not seen either: no machine counts in such lumps, and one packet mustn't make thousands."""


FROZEN_STROKES = 3
FROZEN_SHARE = 0.6
"""Power that repeats to the watt for so many strokes, while their metres imply less than this share of it, is frozen.

Concept2 monitors repeat their last watts through a paddled rest; nobody rows three strokes to the same watt in earnest.
What metres imply is judged by this machine's own usual relation of the two, since many don't keep Concept2's.
"""

RELATED_STROKES = 10
"""How many strokes must have shown a machine's relation of metres to watts before it is believed."""


class _FrozenPower:
    """Finds out power that a monitor only repeats, by the metres of the strokes that repeat it."""

    def __init__(self) -> None:
        self._power_w: float | None = None
        self._strokes, self._time_s, self._distance_m = 0, 0.0, 0.0
        self._relations: deque[float] = deque(maxlen=101)

    def corrected_w(self, stroke: Stroke, after_stop: bool) -> float | None:
        """The power of the next stroke, believed or not."""
        repeats = stroke.power_w == self._power_w and not after_stop
        self._power_w = stroke.power_w
        self._strokes = self._strokes + 1 if repeats else 0
        self._time_s = self._time_s + stroke.duration_s if repeats else 0.0
        self._distance_m = self._distance_m + (stroke.distance_m or 0.0) if repeats else 0.0
        if not stroke.power_w or stroke.distance_m is None or stroke.duration_s <= 0:
            return stroke.power_w
        if self._strokes < FROZEN_STROKES:
            self._relations.append(power_from_speed_w(stroke.distance_m / stroke.duration_s) / stroke.power_w)
        elif len(self._relations) >= RELATED_STROKES and (usual := median(self._relations)) > 0:
            implied_w = power_from_speed_w(self._distance_m / self._time_s) / usual
            return implied_w if implied_w < FROZEN_SHARE * stroke.power_w else stroke.power_w
        return stroke.power_w


FASTEST_M_PER_S = 9.0
"""Nobody rows faster: 2,000 W on a Concept2 [m/s]."""


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
        self._power_w: float | None = None
        self._periods_s: deque[float] = deque(maxlen=7)
        self._frozen = _FrozenPower()

    def feed(self, sample: Sample) -> tuple[Stroke, ...]:
        """Take the next sample; answer the strokes it completes, mostly none or one."""
        new = (sample.stroke_count or 0) - self._count
        strokes = self._strokes(sample, new) if new > 0 else ()
        self._sample_s = sample.time_s
        if not sample.moving and sample.distance_m is not None:
            self._distance_m = sample.distance_m  # the wheel runs on after a stop; those metres are no stroke's
        return strokes

    def _strokes(self, sample: Sample, new: int) -> tuple[Stroke, ...]:
        if new > MOST_SEEN_STROKES or (new > 1 and sample.time_s - self._sample_s > SILENCE_S):
            strokes = [self._unseen(sample, new)]
        elif self._is_empty(sample):
            strokes = []
        else:
            strokes = self._seen(sample, new)
        self._count += new
        if strokes:
            self._end_s = sample.time_s
        return tuple(strokes)

    def _is_empty(self, sample: Sample) -> bool:
        """Whether a count came without a metre and without new watts: some monitors count on while nobody rows."""
        stands = sample.distance_m is not None and 0 < sample.distance_m == self._distance_m
        repeats = not sample.power_w or sample.power_w == self._power_w
        self._power_w = sample.power_w
        return stands and repeats

    def _unseen(self, sample: Sample, new: int) -> Stroke:
        distance_m = self._distance_each_m(sample, 1)
        return Stroke(self._count + new, self._sample_s, sample.time_s, distance_m, sample.power_w, seen=False)

    def _seen(self, sample: Sample, new: int) -> list[Stroke]:
        start_s = self._start_s(sample, new)
        each_s = (sample.time_s - start_s) / new
        distance_m = self._distance_each_m(sample, new)
        power_w = _known_w(sample.power_w, distance_m, each_s)
        source = "distance" if sample.power_w is None else sample.power_source or "machine"
        after_stop = start_s != self._end_s
        strokes = []
        for i in range(new):
            begin_s = start_s + i * each_s
            end_s = begin_s + each_s
            stroke = Stroke(self._count + i + 1, begin_s, end_s, distance_m, power_w, True, source)
            believed_w = self._frozen.corrected_w(stroke, after_stop and i == 0)
            strokes.append(stroke if believed_w == power_w else stroke._replace(power_w=believed_w))
        if FASTEST_STROKE_S < each_s < SLOWEST_STROKE_S:
            self._periods_s.append(each_s)
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


def _known_w(power_w: float | None, distance_m: float | None, duration_s: float) -> float | None:
    """A stroke's power [W]: as measured, else as its metres imply."""
    if power_w is not None or distance_m is None or duration_s <= 0:
        return power_w
    return power_from_speed_w(min(distance_m / duration_s, FASTEST_M_PER_S))
