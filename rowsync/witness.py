"""Heart rate as a witness: whether what a machine's watts cost can be what the heart shows.

Heart rate never mends power here.  On the reference table a mean of both was no better than power alone on a machine
that measures it (`python -m benchmarks.energy`); but watts that are fiction are off by more than a heart can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rowsync.athlete import Athlete
from rowsync.formulas import FEMALE, keytel, keytel_with_vo2max
from rowsync.telemetry import HELD_S, Sample
from rowsync.training import max_heart_rate_bpm

MOST_APART = 0.35
"""Further apart than this share, power's energy and heart rate's don't belong to one body."""
FEMALE_MOST_BELOW = 0.55
"""How far a woman's heart rate may be below: 0.65 of the two thirds that the formula has for trained women."""
MINUTES = 10
"""For so long, so that neither the heart's lag nor one round of intervals is taken for a disagreement."""

KEYTEL_LOW, KEYTEL_HIGH = 0.57, 0.90
"""Between which shares of the highest heart rate Keytel's formula was fitted; beyond, the end speaks."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A stretch in which power and heart rate can't both be right.

    Attributes:
        start_s: its start [s].
        end_s: its end [s].
        power_kcal_per_min: energy as power has it [kcal/min].
        heart_rate_kcal_per_min: energy as heart rate has it [kcal/min].
    """

    start_s: float
    end_s: float
    power_kcal_per_min: float
    heart_rate_kcal_per_min: float


def disagreement(
    samples: Sequence[Sample], gross_at: Callable[[float], float], athlete: Athlete
) -> Disagreement | None:
    """The longest stretch in which power and heart rate disagree; None where they don't, or heart rate can't be asked.

    Only minutes that were rowed throughout with a known heart rate are heard.

    Args:
        samples: the session's, in order.
        gross_at: gross energy by power from the start to a time [kcal].
        athlete: who rows; mass, age and sex must be known.
    """
    mass_kg, age_years, sex = athlete.mass_kg, athlete.age_years, athlete.sex
    if mass_kg is None or age_years is None or sex is None:
        return None
    highest_bpm = max_heart_rate_bpm(athlete) or 0.0

    def by_heart_rate(bpm: float) -> float:
        fitted_bpm = min(max(bpm, KEYTEL_LOW * highest_bpm), KEYTEL_HIGH * highest_bpm)
        if athlete.vo2max_ml_per_kg_min is None:
            kcal_per_min = keytel(fitted_bpm, mass_kg, age_years, sex)
        else:
            kcal_per_min = keytel_with_vo2max(fitted_bpm, mass_kg, age_years, sex, athlete.vo2max_ml_per_kg_min)
        return max(0.0, kcal_per_min)

    heard = [
        (minute, gross_at(60.0 * (minute + 1)) - gross_at(60.0 * minute), by_heart_rate(bpm))
        for minute, bpm in _minutes(samples)
    ]
    most_below = FEMALE_MOST_BELOW if sex == FEMALE else MOST_APART
    apart = [window for window in _windows(heard) if _is_apart(window, most_below)]
    if not apart:
        return None
    minutes = {each[0]: each for window in apart for each in window}
    longest = max(_runs(sorted(minutes)), key=len)
    stretch = [minutes[minute] for minute in longest]
    return Disagreement(60.0 * longest[0], 60.0 * (longest[-1] + 1), _mean(stretch, 1), _mean(stretch, 2))


_Heard = tuple[int, float, float]
"""A minute's number, and its energy by power and by heart rate [kcal/min]."""


def _minutes(samples: Sequence[Sample]) -> Iterator[tuple[int, float]]:
    """Each minute that was rowed throughout with a known heart rate, and its mean [1/min]."""
    known: dict[int, list[float]] = {}
    for sample, after in pairwise(samples):
        seconds = after.time_s - sample.time_s
        if sample.moving and sample.heart_rate_bpm is not None and 0 < seconds <= HELD_S:
            totals = known.setdefault(int(sample.time_s // 60), [0.0, 0.0])
            totals[0] += seconds
            totals[1] += seconds * sample.heart_rate_bpm
    return ((minute, beats / seconds) for minute, (seconds, beats) in known.items() if seconds >= LEAST_KNOWN_S)


LEAST_KNOWN_S = 50.0
"""A minute is rowed throughout when so much of it was [s]."""


def _windows(heard: Sequence[_Heard]) -> Iterator[Sequence[_Heard]]:
    """Every stretch of ten minutes without a hole."""
    for first in range(len(heard) - MINUTES + 1):
        window = heard[first : first + MINUTES]
        if window[-1][0] - window[0][0] == MINUTES - 1:
            yield window


def _is_apart(window: Sequence[_Heard], most_below: float) -> bool:
    """Whether both halves of a stretch disagree, and the same way: a few wild minutes don't make ten."""
    if not all(by_power > 0 for _, by_power, _ in window):
        return False  # a gap, in which a strap was heard
    excesses = [_mean(half, 2) / _mean(half, 1) - 1.0 for half in (window[: MINUTES // 2], window[MINUTES // 2 :])]
    return min(excesses) > MOST_APART or max(excesses) < -most_below


def _runs(minutes: Sequence[int]) -> list[list[int]]:
    """Minutes that follow each other, together."""
    runs: list[list[int]] = []
    for minute in minutes:
        if runs and runs[-1][-1] == minute - 1:
            runs[-1].append(minute)
        else:
            runs.append([minute])
    return runs


def _mean(heard: Sequence[_Heard], which: int) -> float:
    return sum(each[which] for each in heard) / len(heard)
