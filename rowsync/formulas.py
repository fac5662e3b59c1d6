"""Formulas for what rowing costs: rowsync's own, and each that was published, with its source and for whom it holds.

All answer kilocalories a minute, gross: rest is in them where their authors have it in.  `rowsync.energy` adds up the
first; the others are for comparing.  `benchmarks/energy` scores them all against measured oxygen uptake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from rowsync.athlete import SEXES

J_PER_KCAL = 4184.0
KCAL_PER_MIN_W = 60.0 / J_PER_KCAL
"""One watt for one minute [kcal]."""

FEMALE, MALE = SEXES


# --- rowsync's own ----------------------------------------------------------------------------------------------------

MODEL = "rowsync-mass-aware-2"
"""Changes whenever the same bytes and the same athlete would give another figure."""

BODY_KCAL_PER_MIN_KG = 0.0558
WORK_KCAL_PER_MIN_W = 0.0565
"""Fitted by `python -m benchmarks.energy`: 3.35 kcal/h for each kilogram, and 25.4 % efficiency of the work."""

LEAST_REST_KCAL_PER_DAY_KG = 10.0
"""Mifflin-St Jeor is fitted to adults; at the ends of height and age it would run below what any body uses at rest."""


def rowsync_mass_aware(power_w: float, mass_kg: float) -> float:
    """What rowsync reckons with: rest and moving the body on the slide by mass, work by power.

    A line fitted to 18 submaximal rows of 4 independent studies of rowers (100-350 W) with a weak prior at Concept2's
    weight-corrected formula.  It is off by 7.0 % on a study that it hasn't seen, no better and no worse than Concept2's
    weight-corrected formula.  None of those rows has a measured body mass, so what mass costs rests on the prior; and
    nobody has published measurements of untrained people at 40-120 W on a rower.
    """
    return BODY_KCAL_PER_MIN_KG * mass_kg + WORK_KCAL_PER_MIN_W * power_w


def at_rest(mass_kg: float, height_cm: float | None, age_years: float | None, sex: str | None) -> float:
    """Energy at rest: Mifflin-St Jeor's where all of it is known, else 1 kcal/kg/h [kcal/min]."""
    if height_cm is None or age_years is None or sex not in _MIFFLIN_KCAL_PER_DAY:
        return mass_kg / 60.0
    least = LEAST_REST_KCAL_PER_DAY_KG * mass_kg / 1440.0
    return max(mifflin_st_jeor(mass_kg, height_cm, age_years, sex), least)


# --- from power -------------------------------------------------------------------------------------------------------

CONCEPT2_EFFICIENCY = 0.25
CONCEPT2_KCAL_PER_WH = 0.8604 / CONCEPT2_EFFICIENCY
CONCEPT2_BODY_KCAL_PER_H = 300.0
CONCEPT2_BODY_KCAL_PER_KG_H = 1.714 * 2.20462
"""Concept2 counts in 1.714 kcal/h a pound [kcal/h/kg]."""
CONCEPT2_MASS_KG = 175.0 / 2.20462
"""For whom the 300 kcal/h stand: 175 pounds [kg]."""


def concept2(power_w: float) -> float:
    """What a Concept2 monitor shows: kcal/h = 4 · 0.8604 · W + 300, whoever rows.

    Source: Concept2's calorie calculator, as quoted by ergarcade.com and others; a PM5's own packets keep it (109 W
    with 675 kcal/h in ErgometerJS' row100meter).  For a person of 175 pounds at 25 % efficiency.
    """
    return (CONCEPT2_KCAL_PER_WH * power_w + CONCEPT2_BODY_KCAL_PER_H) / 60.0


def concept2_weight_corrected(power_w: float, mass_kg: float) -> float:
    """Concept2's correction for body mass: 1.714 kcal/h for each pound in place of the 300 kcal/h.

    Source: Concept2's calorie calculator, as quoted in coxswain's issue 5 and OpenRowingMonitor's backlog.
    """
    return (CONCEPT2_KCAL_PER_WH * power_w + CONCEPT2_BODY_KCAL_PER_KG_H * mass_kg) / 60.0


def openrowingmonitor(power_w: float) -> float:
    """OpenRowingMonitor's: (4 · work [J] + 350 · time [s]) / 4200, over the time rowed and whoever rows.

    Source: its app/engine/RowingStatistics.js (502d077a); after Dudhia's physics of ergometers.
    """
    return (4.0 * power_w + 350.0) * 60.0 / 4200.0


def qdomyos_zwift(power_w: float, mass_kg: float) -> float:
    """qdomyos-zwift's for every rower: METs of 0.048 · W + 1.19, by body mass.

    Source: its src/devices/ftmsrower/ftmsrower.cpp (61a05d18).  The line is fitted to METs of stationary cycling, where
    the mass is carried by a saddle: it doubles from 55 to 120 kg.
    """
    return (0.048 * power_w + 1.19) * mass_kg * 3.5 / 200.0


def trackmyindoorworkout(power_w: float) -> float:
    """TrackMyIndoorWorkout's last resort: work at 25 % efficiency, and nothing for the body itself.

    Source: its lib/devices/gadgets/fitness_equipment.dart (0ac2ac0b).
    """
    return power_w * 60.0 * 0.000239006 * 4.0


def work_alone(power_w: float) -> float:
    """The rule of thumb from cycling that a kilojoule of work costs a kilocalorie: 24 % efficiency, no rest.

    It holds for cyclists sitting on a saddle, roughly; rowers move themselves too.
    """
    return power_w * 60.0 / 1000.0


COMPENDIUM_2011_METS = ((100.0, 7.0), (150.0, 8.5), (200.0, 12.0))
"""Power [W] and METs of the codes 02072, 02073 and 02074."""


def compendium_2011(power_w: float, mass_kg: float) -> float:
    """METs of the 2011 Compendium of Physical Activities for rowing machines, by body mass; 1 MET = 1 kcal/kg/h.

    Source: Ainsworth 2011, codes 02072 to 02074: 7.0 at 100 W, 8.5 at 150 W, 12.0 at 200 W.  Straight lines between
    them, and on at both ends, are ours.  For adults without regard of mass in rowing.
    """
    (low_w, low), (high_w, high) = next(
        (pair for pair in pairwise(COMPENDIUM_2011_METS) if power_w <= pair[1][0]), COMPENDIUM_2011_METS[-2:]
    )
    return max(1.0, low + (high - low) * (power_w - low_w) / (high_w - low_w)) * mass_kg / 60.0


ACSM_KCAL_PER_L = 5.0
"""What the ACSM counts for a litre of oxygen [kcal/L]."""


def acsm_leg_cycling(power_w: float, mass_kg: float) -> float:
    """The ACSM's equation for cycling: VO2 = 10.8 · W/kg + 7 mL/kg/min.  It has none for rowing.

    Source: ACSM's Guidelines for Exercise Testing and Prescription; for steady cycling at 50-200 W.
    """
    return (10.8 * power_w / mass_kg + 7.0) * mass_kg / 1000.0 * ACSM_KCAL_PER_L


def acsm_arm_cycling(power_w: float, mass_kg: float) -> float:
    """The ACSM's equation for cranking with the arms: VO2 = 18.4 · W/kg + 3.5 mL/kg/min.

    Source: ACSM's Guidelines for Exercise Testing and Prescription; for 25-125 W.
    """
    return (18.4 * power_w / mass_kg + 3.5) * mass_kg / 1000.0 * ACSM_KCAL_PER_L


# --- from heart rate --------------------------------------------------------------------------------------------------


def keytel(heart_rate_bpm: float, mass_kg: float, age_years: float, sex: str) -> float:
    """Energy from heart rate where the highest oxygen uptake is unknown; a woman's mass counts down.

    Source: Keytel 2005 (J Sports Sci 23:289), r = 0.857 with 115 people of 18-45 years and 47-120 kg, cycling and
    running at 57-90 % of their highest heart rate.  On rowers it was 9 % off for trained men, 16 % for students, and a
    third too low for elite women.
    """
    if sex == FEMALE:
        kj_per_min = -20.4022 + 0.4472 * heart_rate_bpm - 0.1263 * mass_kg + 0.074 * age_years
    else:
        kj_per_min = -55.0969 + 0.6309 * heart_rate_bpm + 0.1988 * mass_kg + 0.2017 * age_years
    return kj_per_min * 1000.0 / J_PER_KCAL


def keytel_with_vo2max(
    heart_rate_bpm: float, mass_kg: float, age_years: float, sex: str, vo2max_ml_per_kg_min: float
) -> float:
    """Energy from heart rate where the highest oxygen uptake is known [mL/kg/min].

    Source: Keytel 2005 (J Sports Sci 23:289), r = 0.913; the people as in `keytel`.
    """
    if sex == FEMALE:
        own = 0.274 * age_years + 0.103 * mass_kg + 0.380 * vo2max_ml_per_kg_min + 0.450 * heart_rate_bpm
    else:
        own = -36.3781 + 0.271 * age_years + 0.394 * mass_kg + 0.404 * vo2max_ml_per_kg_min + 0.634 * heart_rate_bpm
    return (-59.3954 + own) * 1000.0 / J_PER_KCAL


# --- at rest ----------------------------------------------------------------------------------------------------------

_MIFFLIN_KCAL_PER_DAY = {MALE: 5.0, FEMALE: -161.0}


def mifflin_st_jeor(mass_kg: float, height_cm: float, age_years: float, sex: str) -> float:
    """Energy at rest: kcal/day = 10 · kg + 6.25 · cm - 5 · years + 5, or - 161 for women.

    Source: Mifflin 1990 (Am J Clin Nutr 51:241), 498 healthy adults of 19-78 years.
    """
    kcal_per_day = 10.0 * mass_kg + 6.25 * height_cm - 5.0 * age_years + _MIFFLIN_KCAL_PER_DAY[sex]
    return kcal_per_day / 1440.0


# --- the table --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Formula:
    """One way to reckon what rowing costs.

    Attributes:
        title: what people call it.
        kcal_per_min: the formula, called with what it `needs`; gross energy while rowing [kcal/min].
        needs: the names of its arguments, in their order.
    """

    title: str
    kcal_per_min: Callable[..., float]
    needs: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called in files: its function's name."""
        return self.kcal_per_min.__name__

    def at(self, facts: Mapping[str, float | str | None]) -> float | None:
        """Energy a minute with these facts, never below 0; None where one that it needs is unknown [kcal/min]."""
        known = [facts.get(name) for name in self.needs]
        return None if None in known else max(0.0, self.kcal_per_min(*known))


_BY_POWER = ("power_w",)
_BY_POWER_AND_MASS = ("power_w", "mass_kg")
_BY_HEART_RATE = ("heart_rate_bpm", "mass_kg", "age_years", "sex")

FORMULAS = (
    Formula("rowsync", rowsync_mass_aware, _BY_POWER_AND_MASS),
    Formula("Concept2 monitor", concept2, _BY_POWER),
    Formula("Concept2, weight-corrected", concept2_weight_corrected, _BY_POWER_AND_MASS),
    Formula("OpenRowingMonitor", openrowingmonitor, _BY_POWER),
    Formula("qdomyos-zwift", qdomyos_zwift, _BY_POWER_AND_MASS),
    Formula("Compendium 2011 METs", compendium_2011, _BY_POWER_AND_MASS),
    Formula("ACSM, cycling", acsm_leg_cycling, _BY_POWER_AND_MASS),
    Formula("ACSM, arm cranking", acsm_arm_cycling, _BY_POWER_AND_MASS),
    Formula("kcal = kJ of work", work_alone, _BY_POWER),
    Formula("TrackMyIndoorWorkout", trackmyindoorworkout, _BY_POWER),
    Formula("Keytel, from heart rate", keytel, _BY_HEART_RATE),
    Formula("Keytel, with VO2max", keytel_with_vo2max, (*_BY_HEART_RATE, "vo2max_ml_per_kg_min")),
)
"""Ours first, then every published one; their functions' docstrings have the sources."""


_Facts = tuple[tuple[str, float | str | None], ...]


def by_formula(rowed: Iterable[tuple[float, Mapping[str, float | str | None]]]) -> dict[str, float]:
    """What each formula gives for some rowing, added up piece by piece and never from means [kcal].

    Args:
        rowed: pieces of rowing: how long each took [s], and the facts of it by the names of the formulas' arguments.

    Returns:
        By the formula's name; without those that need something unknown of any piece.
    """
    numbers: dict[_Facts, int] = {}
    pieces = []
    for duration_s, facts in rowed:  # many are alike, since machines send whole watts
        pieces.append((duration_s / 60.0, numbers.setdefault(tuple(facts.items()), len(numbers))))
    distinct = [dict(facts) for facts in numbers]
    totals = {}
    for formula in FORMULAS if pieces else ():
        costs = [cost for facts in distinct if (cost := formula.at(facts)) is not None]
        if len(costs) == len(distinct):  # the others need what is unknown
            totals[formula.name] = float(sum(minutes * costs[number] for minutes, number in pieces))
    return totals
