"""Who rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Athlete:
    """Who rows, as far as energy models need to know; None is unknown.

    Attributes:
        name: what the athlete's sessions are filed under.
        mass_kg: body mass [kg].
        height_cm: height [cm].
        age_years: age [years].
        sex: "female" or "male", as the Mifflin-St Jeor equation distinguishes.
    """

    name: str = "me"
    mass_kg: float | None = None
    height_cm: float | None = None
    age_years: float | None = None
    sex: str | None = None
