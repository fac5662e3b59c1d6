"""Who rows."""

from __future__ import annotations

from dataclasses import dataclass

PLAUSIBLE = {"mass_kg": (20.0, 300.0), "height_cm": (50.0, 260.0), "age_years": (4.0, 120.0)}
"""Between what and what a number about a person makes sense, wherever it comes from."""


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
