"""The machine's calories: by which formula its counter goes, and what that reads for this athlete.

A counter of whole kilocalories against the hours and the work that it grew with, or energy per hour against the power
that was said with it, gives the maker's formula back: a constant and so much for each watt.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import sqrt
from statistics import StatisticsError, fmean, linear_regression, median
from typing import NamedTuple

from rowsync.formulas import (
    CONCEPT2_BODY_KCAL_PER_H,
    CONCEPT2_BODY_KCAL_PER_KG_H,
    CONCEPT2_KCAL_PER_WH,
    CONCEPT2_MASS_KG,
    qdomyos_zwift,
)
from rowsync.strokes import Stroke
from rowsync.telemetry import HELD_S, Sample


class EnergyLaw(NamedTuple):
    """Energy per hour as a constant [kcal/h] and so much for each watt [kcal/h/W]."""

    constant_kcal_per_h: float
    kcal_per_h_per_w: float

    def kcal(self, hours: float, work_wh: float) -> float:
        """What it counts for some hours of rowing and their work [kcal]."""
        return self.constant_kcal_per_h * hours + self.kcal_per_h_per_w * work_wh


CONCEPT2_LAW = EnergyLaw(CONCEPT2_BODY_KCAL_PER_H, CONCEPT2_KCAL_PER_WH)


@dataclass(frozen=True, slots=True)
class MachineEnergy:
    """What a machine's own calories are worth.

    Attributes:
        counted_kcal: what its counter says it counted while somebody rowed; None where it has none [kcal].
        counted_at_rest_kcal: what it counted while nobody rowed [kcal].
        reckoned_kcal: what rowsync reckons for the same strokes [kcal].
        constant_kcal_per_h: its formula's constant; None where the row can't tell it [kcal/h].
        kcal_per_h_per_w: its formula's slope; None as well [kcal/h/W].
        recovered_from: what the formula was found in: "energy per hour" or "energy counter"; None where it wasn't.
        formula: whose formula it is; None for one of its own, and where none was found.
        for_mass_kg: the body mass that the formula stands for, where it has one [kg].
        reads_high: how far it is above what rowsync reckons for the same strokes, as a share of that; below 0 is low.
    """

    counted_kcal: float | None
    counted_at_rest_kcal: float
    reckoned_kcal: float
    constant_kcal_per_h: float | None = None
    kcal_per_h_per_w: float | None = None
    recovered_from: str | None = None
    formula: str | None = None
    for_mass_kg: float | None = None
    reads_high: float | None = None


RATE, COUNTER = "energy per hour", "energy counter"

LEAST_COUNTED_KCAL = 10.0
"""Less says nothing: a count of whole kilocalories is up to one off at either end [kcal]."""


def audit(samples: Sequence[Sample], strokes: Sequence[Stroke], reckoned_kcal: float) -> MachineEnergy | None:
    """Find out by which formula a machine counts, and how far from rowsync's it is; None of one that counts nothing.

    Args:
        samples: the session's, in order.
        strokes: the session's.
        reckoned_kcal: the gross energy that rowsync reckons for the strokes in it, without the rests [kcal].
    """
    pairs = rate_pairs(samples)
    ticks = energy_ticks(samples, strokes)
    counted_kcal = _counted_kcal(ticks)
    counted = counted_kcal if counted_kcal >= LEAST_COUNTED_KCAL else None
    if counted is None and not pairs:
        return None
    law, recovered_from = _recovered(pairs, ticks)
    reads = counted
    if reads is None and law is not None:  # it says only what an hour would cost
        seen = [stroke for stroke in strokes if stroke.seen]
        reads = sum(law.kcal(s.duration_s / 3600.0, s.duration_s / 3600.0 * (s.power_w or 0.0)) for s in seen)
    near = (SAME_KCAL_PER_H, SAME_SLOPE) if recovered_from == RATE else (SURE_KCAL_PER_H, SURE_SLOPE)
    whose = None if law is None else named(law, *near)
    return MachineEnergy(
        counted_kcal=counted,
        counted_at_rest_kcal=_counted_kcal(ticks, at_rest=True),
        reckoned_kcal=reckoned_kcal,
        constant_kcal_per_h=None if law is None else law.constant_kcal_per_h,
        kcal_per_h_per_w=None if law is None else law.kcal_per_h_per_w,
        recovered_from=recovered_from,
        formula=None if whose is None else whose.formula,
        for_mass_kg=None if whose is None else whose.for_mass_kg,
        reads_high=None if reads is None or reckoned_kcal <= 0 else reads / reckoned_kcal - 1.0,
    )


def _recovered(pairs: Sequence[tuple[float, float]], ticks: Sequence[Tick]) -> tuple[EnergyLaw | None, str | None]:
    """The formula, and what it was found in: energy per hour tells it more sharply than a count of kilocalories.

    But some machines send the session's mean as energy per hour; where the two disagree, the counter is what counts.
    """
    rate, counter = law_of_rate(pairs), law_of_ticks(ticks)
    rate = rate if rate is not None and is_sense(rate, SAME_KCAL_PER_H) else None
    counter = counter if counter is not None and is_sense(counter, LOOSELY[0]) else None
    if counter is None or (rate is not None and is_near(rate, counter, *LOOSELY)):
        return rate, RATE if rate else None
    return counter, COUNTER


# --- what it said -----------------------------------------------------------------------------------------------------


class Tick(NamedTuple):
    """A machine's energy counter as it grew: hours rowed, work done [Wh] and energy counted [kcal] so far."""

    bout: Hashable | None
    rowed_h: float
    work_wh: float
    energy_kcal: float


def energy_ticks(samples: Sequence[Sample], strokes: Sequence[Stroke]) -> list[Tick]:
    """How a machine's energy counter grew.

    A bout ends with a stop, and where the machine began again; it is None for what was counted while nobody rowed, and
    `UNSEEN` for what was counted over a silence.
    """
    rowed = _Rowed(strokes)
    ticks: list[Tick] = []
    counted_kcal, restarts = 0.0, 0
    for before, sample in pairwise(samples):
        restarts += (sample.machine_elapsed_s or 0.0) < (before.machine_elapsed_s or 0.0)
        if before.machine_energy_kcal is None or sample.machine_energy_kcal == before.machine_energy_kcal:
            continue
        new_kcal = (sample.machine_energy_kcal or 0.0) - before.machine_energy_kcal
        if new_kcal > 0:
            counted_kcal += new_kcal
            tick = rowed.tick(sample.time_s, counted_kcal)
            bout = (tick.bout, restarts) if tick.bout else None
            is_seen = sample.time_s - before.time_s <= HELD_S
            ticks.append(tick._replace(bout=bout if is_seen else UNSEEN))
    return ticks


class _Rowed:
    """What was rowed until a time: hours, work, and in which bout."""

    def __init__(self, strokes: Sequence[Stroke]) -> None:
        self._strokes = [stroke for stroke in strokes if stroke.seen and stroke.power_w is not None]
        self._done: list[tuple[float, float]] = [(0.0, 0.0)]
        self._bouts: list[int] = []
        bout, end_s = 0, -1.0
        for stroke in self._strokes:
            rowed_h, work_wh = self._done[-1]
            hours = stroke.duration_s / 3600.0
            self._done.append((rowed_h + hours, work_wh + hours * (stroke.power_w or 0.0)))
            bout += stroke.start_s > end_s + SAME_MOMENT_S
            self._bouts.append(bout)
            end_s = stroke.end_s

    def tick(self, time_s: float, counted_kcal: float) -> Tick:
        """The counter at a time [s]."""
        i = bisect_left(self._strokes, time_s, key=lambda stroke: stroke.end_s)
        rowed_h, work_wh = self._done[i]
        if i == len(self._strokes) or time_s <= self._strokes[i].start_s:
            return Tick(None, rowed_h, work_wh, counted_kcal)
        stroke = self._strokes[i]
        hours = (time_s - stroke.start_s) / 3600.0
        work_wh += hours * (stroke.power_w or 0.0)
        return Tick(self._bouts[i], rowed_h + hours, work_wh, counted_kcal)


SAME_MOMENT_S = 1e-6
UNSEEN = "unseen"


def rate_pairs(samples: Sequence[Sample]) -> list[tuple[float, float]]:
    """Power [W] and the energy per hour that goes with it [kcal/h], each time that the latter changed.

    Some machines send them in different packets, so for a moment they are of two strokes; the power that stood beside
    it for longest is the one.
    """
    said = [
        (sample.machine_energy_per_hour_kcal, sample.power_w)
        for sample in samples
        if sample.moving and sample.power_w and sample.machine_energy_per_hour_kcal
    ]
    return [
        (_commonest([power_w for _, power_w in same]), kcal) for kcal, same in groupby(said, key=lambda pair: pair[0])
    ]


def _commonest(values: list[float]) -> float:
    return max(dict.fromkeys(values), key=values.count)


def _counted_kcal(ticks: Sequence[Tick], *, at_rest: bool = False) -> float:
    """What was counted while somebody rowed, or while nobody did [kcal]."""
    counted, before_kcal = 0.0, 0.0
    for tick in ticks:
        if tick.bout != UNSEEN and (tick.bout is None) is at_rest:
            counted += tick.energy_kcal - before_kcal
        before_kcal = tick.energy_kcal
    return counted


# --- by which formula -------------------------------------------------------------------------------------------------

LEAST_PAIRS = 3
LEAST_SPREAD_W = 10.0
"""A line through powers whose standard deviation is less says nothing of its slope [W]."""

OUTLYING = 4.0
"""Pairs so many median deviations off the line are power and energy of two different strokes."""


def law_of_rate(pairs: Sequence[tuple[float, float]]) -> EnergyLaw | None:
    """The line through pairs of power [W] and energy per hour [kcal/h]; None where power hardly differs, or in vain."""
    law = _line(pairs)
    if law is None:
        return None
    off = [abs(_off(law, pair)) for pair in pairs]
    most = OUTLYING * max(median(off), 1.0)
    return _line([pair for pair, each in zip(pairs, off, strict=True) if each <= most]) or law


def _line(pairs: Sequence[tuple[float, float]]) -> EnergyLaw | None:
    if len(pairs) < LEAST_PAIRS or _spread([power_w for power_w, _ in pairs]) < LEAST_SPREAD_W:
        return None
    try:
        slope, constant = linear_regression(*zip(*pairs, strict=True))
    except StatisticsError:
        return None
    law = EnergyLaw(constant, slope)
    left = _spread([_off(law, pair) for pair in pairs])
    explained = _spread([slope * power_w for power_w, _ in pairs])
    return law if left <= explained / 2 else None


def _spread(values: Sequence[float]) -> float:
    """Standard deviation; `statistics.pstdev` reckons it in fractions, a hundred times as long."""
    squares = [(off := value - mean) * off for mean in (fmean(values),) for value in values]
    return sqrt(fmean(squares))


def _off(law: EnergyLaw, pair: tuple[float, float]) -> float:
    return pair[1] - law.constant_kcal_per_h - law.kcal_per_h_per_w * pair[0]


SURE_KCAL_PER_H, SURE_SLOPE = 15.0, 0.2
"""A fit whose standard errors are larger can't tell one maker's formula from another's [kcal/h, kcal/h/W]."""

TICK_VARIANCE = 1 / 12
"""A count of whole kilocalories can't be known better, however well it fits [kcal^2]."""


def law_of_ticks(ticks: Iterable[Tick]) -> EnergyLaw | None:
    """The constant and the slope that a counter follows while somebody rows.

    Least squares of the count on hours and work within each bout, since what is counted while the wheel runs out is
    nobody's formula.  None where power differed too little to tell the constant from the slope.
    """
    bouts: dict[Hashable, list[Tick]] = defaultdict(list)
    for tick in ticks:
        if tick.bout is not None and tick.bout != UNSEEN:
            bouts[tick.bout].append(tick)
    powers_w = [
        (after.work_wh - before.work_wh) / (after.rowed_h - before.rowed_h)
        for bout in bouts.values()
        for before, after in pairwise(bout)
        if after.rowed_h > before.rowed_h
    ]
    if len(powers_w) < 2 or _spread(powers_w) < LEAST_SPREAD_W:
        return None
    hours, work, energy = (
        [value for bout in bouts.values() for value in _centred([getattr(tick, name) for tick in bout])]
        for name in ("rowed_h", "work_wh", "energy_kcal")
    )
    hh, ww, hw = _product(hours, hours), _product(work, work), _product(hours, work)
    he, we = _product(hours, energy), _product(work, energy)
    determinant, freedom = hh * ww - hw * hw, len(hours) - len(bouts) - 2
    if freedom < 1 or determinant <= 1e-9 * hh * ww:
        return None
    constant, slope = (he * ww - we * hw) / determinant, (we * hh - he * hw) / determinant
    left = [e - constant * h - slope * w for h, w, e in zip(hours, work, energy, strict=True)]
    variance = max(_product(left, left) / freedom, TICK_VARIANCE)
    if (variance * ww / determinant) ** 0.5 > SURE_KCAL_PER_H or (variance * hh / determinant) ** 0.5 > SURE_SLOPE:
        return None
    return EnergyLaw(constant, slope)


def is_sense(law: EnergyLaw, near: float) -> bool:
    """Whether a body could burn so: work costs energy, and rest gives none back, but for so much [kcal/h]."""
    return law.constant_kcal_per_h >= -near and law.kcal_per_h_per_w > 0


def _centred(series: Sequence[float]) -> list[float]:
    mean = sum(series) / len(series)
    return [value - mean for value in series]


def _product(left: Sequence[float], right: Sequence[float]) -> float:
    return float(sum(a * b for a, b in zip(left, right, strict=True)))


# --- whose formula ----------------------------------------------------------------------------------------------------

SAME_KCAL_PER_H, SAME_SLOPE = 12.0, 0.15
"""Within which a fit to energy per hour is one of the known formulas [kcal/h, kcal/h/W]."""
LOOSELY = (40.0, 0.35)
"""The same for a counter of whole kilocalories, whose ticks come late by up to a packet."""
MASSES_KG = (40.0, 160.0)


class Named(NamedTuple):
    """Whose formula a law is, and the body mass that it stands for, where it has one [kg]."""

    formula: str
    for_mass_kg: float | None


_METS = EnergyLaw(60.0 * qdomyos_zwift(0.0, 1.0), 60.0 * (qdomyos_zwift(1.0, 1.0) - qdomyos_zwift(0.0, 1.0)))
"""METs of cycling, for each kilogram of body mass."""


def named(law: EnergyLaw, near: float = SAME_KCAL_PER_H, near_slope: float = SAME_SLOPE) -> Named | None:
    """Whose formula a law is, the likeliest first; None where it is nobody's that is known."""
    for known, formula, mass_kg in _known(law):
        if is_near(law, known, near, near_slope):
            return Named(formula, mass_kg)
    return None


def is_near(law: EnergyLaw, other: EnergyLaw, near: float, near_slope: float) -> bool:
    """Whether two laws are so close, in their constants [kcal/h] and in their slopes [kcal/h/W]."""
    constants = abs(law.constant_kcal_per_h - other.constant_kcal_per_h)
    return constants <= near and abs(law.kcal_per_h_per_w - other.kcal_per_h_per_w) <= near_slope


def _known(law: EnergyLaw) -> Iterator[tuple[EnergyLaw, str, float | None]]:
    """The known formulas, those that scale with body mass for the mass that would suit."""
    yield CONCEPT2_LAW, "Concept2's", CONCEPT2_MASS_KG
    yield EnergyLaw(0.0, CONCEPT2_KCAL_PER_WH), "25 % efficiency and nothing for the body itself", None
    yield EnergyLaw(0.0, CONCEPT2_KCAL_PER_WH / 4), "the work alone", None
    mass_kg = law.kcal_per_h_per_w / _METS.kcal_per_h_per_w
    if MASSES_KG[0] <= mass_kg <= MASSES_KG[1]:
        yield EnergyLaw(_METS.constant_kcal_per_h * mass_kg, law.kcal_per_h_per_w), "the METs of cycling", mass_kg
    mass_kg = law.constant_kcal_per_h / CONCEPT2_BODY_KCAL_PER_KG_H
    if MASSES_KG[0] <= mass_kg <= MASSES_KG[1]:
        yield law._replace(kcal_per_h_per_w=CONCEPT2_KCAL_PER_WH), "Concept2's corrected for body mass", mass_kg
