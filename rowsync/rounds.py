"""The hard pieces of a row beside each other: how they fade, and how the heart comes down after them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from statistics import fmean, median

from rowsync.intervals import Effort
from rowsync.telemetry import HELD_S, Sample

COMPARED_PIECES = 3
ALIKE = 0.2
"""Pieces whose lengths differ by more than this share of the usual one don't tell how somebody fades."""

RECOVERY_S = 60.0
"""Heart-rate recovery is told after a minute, as it is where it is a measure of health (Cole et al. 1999) [s]."""


def fade(pieces: Sequence[tuple[float, float | None]]) -> float | None:
    """How much stronger the last three pieces were than the first three, as a share; of fewer than six, halves.

    Args:
        pieces: length [s or m] and mean power [W] of each.

    Returns:
        Negative when the last ones were weaker; None with fewer than two pieces, pieces of several lengths, or without
        power.
    """
    powers = [power_w for _, power_w in pieces if power_w]
    if len(powers) < max(2, len(pieces)):
        return None
    usual = median(length for length, _ in pieces)
    if any(abs(length - usual) > ALIKE * usual for length, _ in pieces):
        return None
    compared = min(COMPARED_PIECES, len(powers) // 2)
    return fmean(powers[-compared:]) / fmean(powers[:compared]) - 1.0


def peak_heart_rate_bpm(samples: Sequence[Sample], start_s: float, end_s: float) -> int | None:
    """The highest heart rate between two times [1/min]; None without one."""
    rates = [rate for sample in _between(samples, start_s, end_s) if (rate := sample.heart_rate_bpm) is not None]
    return max(rates, default=None)


def heart_rate_recovery_bpm(samples: Sequence[Sample], end_s: float, next_s: float) -> float | None:
    """By how much the heart is slower a minute after the end of a hard piece [1/min].

    Args:
        samples: the row, in order.
        end_s: when the piece ended [s].
        next_s: when the next hard piece begins [s].

    Returns:
        None where the next piece begins before the minute is over, or a heart rate is missing.
    """
    if next_s < end_s + RECOVERY_S:
        return None
    at_end, later = (_heart_rate_at(samples, time_s) for time_s in (end_s, end_s + RECOVERY_S))
    return None if at_end is None or later is None else float(at_end - later)


def _heart_rate_at(samples: Sequence[Sample], time_s: float) -> int | None:
    """The last heart rate before a time, unless it is old, or the row doesn't reach so far."""
    at = bisect_left(samples, time_s, key=lambda sample: sample.time_s)
    if at in (0, len(samples)) or samples[at - 1].time_s < time_s - HELD_S:
        return None
    return samples[at - 1].heart_rate_bpm


def _between(samples: Sequence[Sample], start_s: float, end_s: float) -> Sequence[Sample]:
    first, last = (bisect_left(samples, time_s, key=lambda sample: sample.time_s) for time_s in (start_s, end_s))
    return samples[first:last]


class Turns:
    """The hard pieces of a row that follows no plan, as far as they can be told while it goes on.

    Attributes:
        spans_s: from when to when each was rowed [s].
    """

    def __init__(self) -> None:
        self.spans_s: list[tuple[float, float]] = []
        self._since_s: float | None = None

    def feed(self, time_s: float, effort: Effort | None) -> None:
        """Take what was being rowed at a time that isn't before the last one [s]."""
        if effort is Effort.HARD:
            self._since_s = time_s if self._since_s is None else self._since_s
        elif self._since_s is not None:
            self.spans_s.append((self._since_s, time_s))
            self._since_s = None
