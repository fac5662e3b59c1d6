"""What an export may tell of a session: its summary, its samples, its strokes, and when it began."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from math import ceil
from typing import Any, NamedTuple

from rowsync.corrections import CORRECTED
from rowsync.errors import UsageError
from rowsync.intervals import Effort
from rowsync.plan import parse_plan
from rowsync.session import MADE_UP_BY, SYNTHETIC
from rowsync.strokes import SILENCE_S, Stroke
from rowsync.telemetry import Sample
from rowsync.wording import outside_text

RESTED = frozenset({Effort.EASY, Effort.REST})
"""The efforts that are rest to programs that know only work and rest."""


class Second(NamedTuple):
    """The row at a whole second.

    Attributes:
        time_s: which one, from the session's first notification [s].
        sample: the latest until then.
    """

    time_s: int
    sample: Sample


@dataclass(frozen=True, slots=True)
class Picture:
    """A session as exports see it.

    Attributes:
        summary: as `Store.summary` gives it.
        samples: its samples, in the order of their times.
        strokes: its strokes.
        began: when it began, by the athlete's clock.
    """

    summary: Mapping[str, Any]
    samples: Sequence[Sample]
    strokes: Sequence[Stroke]
    began: datetime

    @property
    def maker(self) -> str:
        """What made it: rowsync, which says so where nobody rowed it."""
        return MADE_UP_BY if self.summary["origin"] == SYNTHETIC else "rowsync"

    @property
    def intervals(self) -> Sequence[Mapping[str, Any]]:
        """Its intervals; they tile it."""
        intervals: Sequence[Mapping[str, Any]] = self.summary["intervals"]
        return intervals

    @property
    def machine(self) -> str:
        """What its machine calls itself, made plain; empty for one without a name."""
        return outside_text(self.summary["machine"].get("name") or "")

    @property
    def athlete(self) -> str:
        """Who rowed, made plain."""
        return outside_text(self.summary["athlete"])

    @property
    def last_second_s(self) -> int:
        """The whole second by which all of it is over [s]."""
        duration_s: float = self.summary["duration_s"]
        return ceil(duration_s)

    def seconds(self) -> Iterator[Second]:
        """The row at every whole second that something is known of.

        A gap has no seconds, and neither has a machine's silence: nobody knows what was rowed in them.
        """
        times_s = [sample.time_s for sample in self.samples]
        unknown = {
            second for gap in self.summary["gaps"] for second in range(ceil(gap["start_s"]) + 1, ceil(gap["end_s"]))
        }
        for second in range(self.last_second_s + 1):
            latest = bisect_right(times_s, second) - 1
            if latest >= 0 and second - times_s[latest] <= SILENCE_S and second not in unknown:
                yield Second(second, self.samples[latest])

    def between(self, start_s: float, end_s: float) -> Sequence[Sample]:
        """The samples from one time to another, both included."""
        return self.samples[
            bisect_left(self.samples, start_s, key=_time_s) : bisect_right(self.samples, end_s, key=_time_s)
        ]

    def latest(self, time_s: float) -> Sample | None:
        """The latest sample until a time."""
        after = bisect_right(self.samples, time_s, key=_time_s)
        return self.samples[after - 1] if after else None

    def interval_at(self, time_s: float) -> Mapping[str, Any] | None:
        """The interval that a time lies in; the last one also holds the session's end."""
        latest = bisect_right(self.intervals, time_s, key=_start_s) - 1
        return self.intervals[latest] if latest >= 0 else None

    def endings(self) -> list[str]:
        """What ended each interval: "clock" or "metres" by the plan, a "person" who said so, or the session's "end"."""
        if self.summary["intervals_from"] == CORRECTED:
            hard = other = "person"
        else:
            planned = self.summary["plan"] if self.summary["intervals_from"] == "plan" else None
            hard, other = ("metres" if planned and _rounds_are_metres(planned) else "clock"), "clock"
        endings = [hard if interval["effort"] == Effort.HARD else other for interval in self.intervals]
        return [*endings[:-1], "end"][: len(endings)]

    def whole_kcals(self) -> list[int]:
        """Gross energy of each interval in whole kcal that add up to the session's [kcal]."""
        ends = accumulate((interval["gross_kcal"] for interval in self.intervals), initial=0.0)
        return [end - start for start, end in pairwise(map(round, ends))]

    def gross_kcal_at(self, time_s: float) -> float:
        """Gross energy until then [kcal]; within an interval it grows with the time."""
        total_kcal = 0.0
        for interval in self.intervals:
            length_s = interval["end_s"] - interval["start_s"]
            share = (time_s - interval["start_s"]) / length_s if length_s > 0 else float(time_s >= interval["end_s"])
            total_kcal += interval["gross_kcal"] * min(max(share, 0.0), 1.0)
        return total_kcal

    def work_j(self, start_s: float, end_s: float) -> float | None:
        """Work of the strokes that were seen between two times [J]; None where no power is known."""
        overlaps = [
            (stroke.power_w, min(stroke.end_s, end_s) - max(stroke.start_s, start_s))
            for stroke in self.strokes
            if stroke.seen and stroke.power_w is not None
        ]
        within = [power_w * overlap_s for power_w, overlap_s in overlaps if power_w is not None and overlap_s > 0]
        return sum(within) if within else None


def whole(value: float | None, most: int) -> int | None:
    """A value as a whole number; None where it wasn't measured or a format has no room for it."""
    rounded = None if value is None else round(value)
    return rounded if rounded is not None and 0 <= rounded <= most else None


def speed_m_per_s(sample: Sample) -> float | None:
    """Speed by a sample's pace [m/s]: 0 while stopped, None where there is no pace, or nothing counts metres."""
    if sample.pace_s_per_500m is not None and sample.pace_s_per_500m > 0:
        return 500.0 / sample.pace_s_per_500m
    return None if sample.moving or sample.distance_m is None else 0.0


def highest(samples: Sequence[Sample], value: Callable[[Sample], float | None]) -> float | None:
    """The highest that was measured; None when nothing was."""
    return max((known for sample in samples if (known := value(sample)) is not None), default=None)


def mean_speed_m_per_s(part: Mapping[str, Any]) -> float | None:
    """Distance over duration of a session or an interval [m/s], as other programs reckon it: standing counts."""
    known = part["distance_m"] is not None and part["duration_s"] > 0
    return part["distance_m"] / part["duration_s"] if known else None


def _rounds_are_metres(plan: str) -> bool:
    """Whether the hard pieces of a plan end by the metre."""
    try:
        hard = [piece for piece in parse_plan(plan).pieces if piece.effort is Effort.HARD]
    except UsageError:  # somebody else's recording
        return False
    return bool(hard) and all(piece.distance_m is not None for piece in hard)


def _time_s(sample: Sample) -> float:
    return sample.time_s


def _start_s(interval: Mapping[str, Any]) -> float:
    start_s: float = interval["start_s"]
    return start_s
