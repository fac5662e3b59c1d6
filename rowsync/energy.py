"""Energy: what the rowing cost the body, with a range that says how well that can be known.

The machine's own calories are kept apart; they follow whatever formula its maker chose.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from rowsync.athlete import Athlete
from rowsync.strokes import Stroke

MODEL = "rowsync-mass-aware-1"

ASSUMED_MASS_KG = 75.0
"""Stands in where the athlete's mass isn't known; the range widens [kg]."""


@dataclass(frozen=True, slots=True)
class Energy:
    """What a session cost.

    Attributes:
        gross_kcal: all energy used from the session's start to its end, but for gaps [kcal].
        net_kcal: the same less what the body would have used at rest [kcal].
        low_kcal: lower end of the 80 % range of the gross energy [kcal].
        high_kcal: upper end of it [kcal].
        model: name of the model.
        machine_kcal: what the machine's own counter says [kcal].
    """

    gross_kcal: float
    net_kcal: float
    low_kcal: float
    high_kcal: float
    model: str
    machine_kcal: float | None


def rowing_kcal_per_min(power_w: float, mass_kg: float) -> float:
    """Gross energy use while rowing [kcal/min]: rest, moving the body on the slide, and work.

    A line in mass and power, fitted to 18 submaximal rows of 4 independent studies of rowers (mostly 100-350 W) with a
    weak prior at Concept2's weight-corrected formula.  Leave-one-study-out error 7.8 %, as good as the studies agree
    with each other.  Nobody has published measurements of untrained people at 40-120 W on a rower.

    Args:
        power_w: mean power at the flywheel [W].
        mass_kg: body mass [kg].
    """
    return 0.0563 * mass_kg + 0.0567 * power_w


def rest_kcal_per_min(athlete: Athlete) -> float:
    """Energy use at rest [kcal/min]: Mifflin-St Jeor (1990) where height, age and sex are known, else 1 kcal/kg/h."""
    mass_kg = athlete.mass_kg or ASSUMED_MASS_KG
    if athlete.height_cm is None or athlete.age_years is None or athlete.sex not in _MIFFLIN_KCAL_PER_DAY:
        return mass_kg / 60.0
    of_sex = _MIFFLIN_KCAL_PER_DAY[athlete.sex]
    kcal_per_day = 10 * mass_kg + 6.25 * athlete.height_cm - 5 * athlete.age_years + of_sex
    return max(kcal_per_day, LEAST_REST_KCAL_PER_KG_DAY * mass_kg) / 1440.0


LEAST_REST_KCAL_PER_KG_DAY = 10.0
"""The equation is fitted to adults; at the ends of height and age it would run below what any body uses at rest."""

_MIFFLIN_KCAL_PER_DAY = {"male": 5.0, "female": -161.0}

# Half the width of the 80 % range, as a share of the estimate.  Put together from how far the studies disagree (8.4 %
# sd), the economy of one person (8 %), gas exchange (3 %), and how far the watts can be trusted (15-20 % of their 60 %
# share).  It is systematic for one person on one machine: more sessions don't shrink it.
HALF_WIDTHS = {
    "machine": 0.22,  # an FTMS machine with plausible watts
    "pace": 0.24,  # power derived from pace
    "distance": 0.24,  # power derived from metres over time: the same relation
}
UNKNOWN_HALF_WIDTH = 0.40
"""Strokes and nothing else: no power, no pace, no metres."""
MASS_UNKNOWN_HALF_WIDTH = 0.11
"""80 % of adults are within 20 kg of `ASSUMED_MASS_KG`; mass carries about 40 % of the energy."""


def half_width(power_source: str | None, athlete: Athlete) -> float:
    """Half the width of the 80 % range, as a share of the estimate."""
    width = HALF_WIDTHS.get(power_source or "", UNKNOWN_HALF_WIDTH)
    return width if athlete.mass_kg else float((width**2 + MASS_UNKNOWN_HALF_WIDTH**2) ** 0.5)


class EnergyMeter:
    """Adds up energy: a stroke costs its power, the time between strokes costs rest, a gap costs nothing.

    Args:
        athlete: who rows.
    """

    def __init__(self, athlete: Athlete) -> None:
        self._athlete = athlete
        self._mass_kg = athlete.mass_kg or ASSUMED_MASS_KG
        self._rest_kcal_per_s = rest_kcal_per_min(athlete) / 60.0
        # The gross energy is a broken line through these points.
        self._times_s = [0.0]
        self._gross_kcal = [0.0]
        self._gap_s = 0.0

    def feed(self, stroke: Stroke) -> None:
        """Take the next stroke."""
        self._add(stroke.start_s, self._rest_kcal_per_s)
        self._add(stroke.end_s, rowing_kcal_per_min(stroke.power_w or 0.0, self._mass_kg) / 60.0)

    def skip(self, start_s: float, end_s: float) -> None:
        """Leave a gap out [s]."""
        self._add(start_s, self._rest_kcal_per_s)
        self._gap_s += max(0.0, end_s - self._times_s[-1])
        self._add(end_s, 0.0)

    def gross_at(self, time_s: float) -> float:
        """Gross energy used from the session's start to a time [kcal]; after the last stroke the body rests."""
        i = bisect_right(self._times_s, time_s) - 1
        start_s, start_kcal = self._times_s[i], self._gross_kcal[i]
        if i + 1 == len(self._times_s):
            return start_kcal + (time_s - start_s) * self._rest_kcal_per_s
        share = (time_s - start_s) / (self._times_s[i + 1] - start_s)
        return start_kcal + share * (self._gross_kcal[i + 1] - start_kcal)

    def finish(self, end_s: float, power_source: str | None, machine_kcal: float | None) -> Energy:
        """The whole session's energy.

        Args:
            end_s: the session's end [s].
            power_source: where power came from (`Session.power_source`), which decides the range.
            machine_kcal: the machine's own count [kcal].
        """
        gross = self.gross_at(end_s)
        width = half_width(power_source, self._athlete)
        return Energy(
            gross_kcal=gross,
            net_kcal=gross - self._rest_kcal_per_s * (end_s - self._gap_s),
            low_kcal=gross * (1 - width),
            high_kcal=gross * (1 + width),
            model=MODEL,
            machine_kcal=machine_kcal,
        )

    def _add(self, end_s: float, kcal_per_s: float) -> None:
        duration_s = end_s - self._times_s[-1]
        if duration_s <= 0:
            return
        self._times_s.append(end_s)
        self._gross_kcal.append(self._gross_kcal[-1] + duration_s * kcal_per_s)
