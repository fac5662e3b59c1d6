"""Who rows, as known on the day of a session."""

from __future__ import annotations

from dataclasses import dataclass

PLAUSIBLE = {
    "mass_kg": (20.0, 300.0),
    "height_cm": (50.0, 260.0),
    "age_years": (4.0, 120.0),
    "vo2max_ml_per_kg_min": (10.0, 100.0),
    "resting_heart_rate_bpm": (25.0, 120.0),
    "max_heart_rate_bpm": (90.0, 240.0),
    "max_power_w": (20.0, 1000.0),
    "critical_power_w": (20.0, 600.0),
    "w_prime_kj": (1.0, 60.0),
}
"""Between what and what a number about a person makes sense, wherever it comes from."""

SEXES = ("female", "male")
TYPED, SETTINGS = "typed", "settings"
"""Who said an athlete's mass."""

WORDS = {"sex": SEXES, "mass_from": (TYPED, SETTINGS)}
"""The attributes that are one of a few words; all but the name and these are numbers."""


@dataclass(frozen=True, slots=True)
class Athlete:
    """Who rows, as far as the models need to know; None is unknown.

    Attributes:
        name: what the athlete's sessions are filed under.
        mass_kg: body mass [kg].
        height_cm: height [cm].
        age_years: age [years].
        sex: "female" or "male", as the equations of Mifflin-St Jeor and Keytel distinguish.
        vo2max_ml_per_kg_min: highest oxygen uptake [mL/kg/min].
        resting_heart_rate_bpm: heart rate at rest [1/min].
        max_heart_rate_bpm: highest heart rate ever measured while rowing [1/min].
        max_power_w: the mean power of an all-out 2,000 m, or the highest power held for about six minutes [W].
        critical_power_w: the power that can be held for long [W].
        w_prime_kj: work that can be done above critical power before it is used up [kJ].
        mass_from: who said the mass: "typed" for this session, or "settings"; None for whoever made the recording.
    """

    name: str = "me"
    mass_kg: float | None = None
    height_cm: float | None = None
    age_years: float | None = None
    sex: str | None = None
    vo2max_ml_per_kg_min: float | None = None
    resting_heart_rate_bpm: float | None = None
    max_heart_rate_bpm: float | None = None
    max_power_w: float | None = None
    critical_power_w: float | None = None
    w_prime_kj: float | None = None
    mass_from: str | None = None
