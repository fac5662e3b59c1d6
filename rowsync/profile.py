"""An athlete over the years: body mass with its history, birth year, and what was measured."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from rowsync.athlete import PLAUSIBLE, SETTINGS, TYPED, Athlete
from rowsync.telemetry import power_from_pace_w


@dataclass(frozen=True, slots=True)
class Profile:
    """What the settings say of one athlete; None is unknown.

    Attributes:
        name: what the athlete's sessions are filed under.
        masses_kg: body mass and the day from which it holds, oldest first [kg].
        birth_year: year of birth.
        age_years: age, for those who would rather not say their birth year; it doesn't grow [years].
        best_2k_s: time of an all-out 2,000 m; stands in for `max_power_w` [s].
        time_zone: whose days the ledger counts in, such as "Europe/Berlin"; None is this computer's.
        weekly_aim_kcal: net energy of rowing to aim at in a week [kcal].

    The rest as in `Athlete`.
    """

    name: str = "me"
    masses_kg: tuple[tuple[date, float], ...] = ()
    height_cm: float | None = None
    birth_year: int | None = None
    age_years: float | None = None
    sex: str | None = None
    vo2max_ml_per_kg_min: float | None = None
    resting_heart_rate_bpm: float | None = None
    max_heart_rate_bpm: float | None = None
    max_power_w: float | None = None
    best_2k_s: float | None = None
    critical_power_w: float | None = None
    w_prime_kj: float | None = None
    time_zone: str | None = None
    weekly_aim_kcal: float | None = None

    def mass_on(self, day: date) -> float | None:
        """Body mass on a day: the latest entry until then; before the first, the first [kg]."""
        if not self.masses_kg:
            return None
        latest = bisect_right(self.masses_kg, day, key=lambda entry: entry[0]) - 1
        return self.masses_kg[max(0, latest)][1]

    def age_on(self, day: date) -> float | None:
        """Age in the year of a day; None where nobody of that age rows, such as before birth [years]."""
        if self.birth_year is None:
            return self.age_years
        least, most = PLAUSIBLE["age_years"]
        age_years = float(day.year - self.birth_year)
        return age_years if least <= age_years <= most else None

    def on(self, day: date) -> Athlete:
        """The athlete as known on a day."""
        same = {each.name: getattr(self, each.name) for each in fields(Athlete) if hasattr(self, each.name)}
        mass_kg = self.mass_on(day)
        return Athlete(
            **same
            | {
                "mass_kg": mass_kg,
                "mass_from": None if mass_kg is None else SETTINGS,
                "age_years": self.age_on(day),
                "max_power_w": self.max_power_w or (self.best_2k_s and power_from_pace_w(self.best_2k_s / 4)),
            }
        )

    def told_of(self, athlete: Athlete, day: date) -> Athlete:
        """An athlete as a recording has it, with what is known here instead; a mass typed for the session stays."""
        known = self.on(day)
        kept = {
            each.name: getattr(known, each.name) for each in fields(Athlete) if getattr(known, each.name) is not None
        }
        if athlete.mass_from == TYPED and athlete.mass_kg is not None:
            kept |= {"mass_kg": athlete.mass_kg, "mass_from": TYPED}
        return replace(athlete, **kept | {"name": athlete.name})

    def wants(self) -> dict[str, str]:
        """What isn't known, by its key in the settings, and what it would be good for."""
        return {
            keys[0]: good_for
            for keys, good_for in GOOD_FOR.items()
            if not any(getattr(self, FIELDS.get(key, key)) for key in keys)
        }


FIELDS = {"mass_kg": "masses_kg"}
"""What a key of the settings is called here, where that differs."""

GOOD_FOR = {
    ("mass_kg",): "energy: its range narrows from ±24 to ±22 % on a machine whose watts nobody has checked",
    ("birth_year", "age_years"): "energy at rest (with height and sex), so net energy too; energy by heart rate",
    ("height_cm",): "energy at rest (with birth year and sex), so net energy too",
    ("sex",): "energy at rest (with birth year and height), so net energy too; energy by heart rate",
    ("max_heart_rate_bpm",): "heart-rate zones; without it they go by age, of which people differ by 10 bpm and more",
    ("resting_heart_rate_bpm",): "heart-rate zones, shares of the reserve between rest and maximum; else 60 is assumed",
    ("vo2max_ml_per_kg_min",): "whether the watts can be true, by heart rate",
    ("best_2k_s", "max_power_w"): "power zones, and whether a row was conversational",
    ("critical_power_w",): "power zones and load, and the balance of W' (experimental)",
    ("w_prime_kj",): "the balance of W' (experimental), with critical power",
    ("time_zone",): "whose days and weeks the ledger counts in; else this computer's",
    ("weekly_aim_kcal",): "holding the ledger's weeks against it",
}
"""What stands in for what, by the keys of the settings, and what it is good for."""


def profile_fields(profile: Profile, day: date) -> dict[str, Any]:
    """What is known of an athlete, as JSON holds it (docs/contract.md, "Settings"); null is unknown.

    Body mass, age and power are those of the day; the mass from the first entry on has "from": null where no day is
    known.
    """
    known = profile.on(day)
    rest = {each.name: getattr(profile, each.name) for each in fields(Profile) if each.name != "masses_kg"}
    masses = [
        {"from": None if since == date.min else since.isoformat(), "mass_kg": mass_kg}
        for since, mass_kg in profile.masses_kg
    ]
    of_the_day = {"age_years": known.age_years, "max_power_w": known.max_power_w, "mass_kg": known.mass_kg}
    return rest | of_the_day | {"masses": masses}
