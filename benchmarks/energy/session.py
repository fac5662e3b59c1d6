"""The session of the article that this project grew from, by every formula; and what averaging does to it."""

from __future__ import annotations

from typing import NamedTuple

from rowsync.formulas import FORMULAS, MALE, at_rest, by_formula, rowsync_mass_aware
from rowsync.telemetry import CONCEPT2_W_S3_PER_M3

MASS_KG, HARD_W, EASY_W, ROUNDS = 80.0, 230.0, 95.0, 10
WARM_UP_S, HARD_S, EASY_S, COOL_DOWN_S = 360.0, 45.0, 75.0, 300.0

WHO = {"mass_kg": MASS_KG, "age_years": 40.0, "sex": MALE, "vo2max_ml_per_kg_min": 45.0}
"""Only the mass is given; the formulas from heart rate need the others."""


class Piece(NamedTuple):
    """Some rowing at one power: how long [s], and at what power [W]; 0 W is a stop."""

    duration_s: float
    power_w: float


WARM_UP, COOL_DOWN = Piece(WARM_UP_S, EASY_W), Piece(COOL_DOWN_S, EASY_W)
ROWED = [WARM_UP, *[Piece(HARD_S, HARD_W), Piece(EASY_S, EASY_W)] * ROUNDS, COOL_DOWN]
STOPPED = [WARM_UP, *[Piece(HARD_S, HARD_W), Piece(EASY_S, 0.0)] * ROUNDS, COOL_DOWN]
"""The same with stops for easy pieces."""


class Totals(NamedTuple):
    """What a formula gives for the session, gross [kcal].

    Attributes:
        rowed: the easy pieces are rowed.
        stopped: they are stops, and the formula runs on at 0 W.
        uncounted: they are stops, and nothing counts in them.
    """

    rowed: float
    stopped: float
    uncounted: float


def totals() -> dict[str, Totals]:
    """By the formula's title; for rowsync a stop always costs rest."""
    moving = [piece for piece in STOPPED if piece.power_w]
    rowed, stopped, uncounted = (by_formula(map(_asked, pieces)) for pieces in (ROWED, STOPPED, moving))
    ours = rowsync_mass_aware.__name__
    stops_s = sum(piece.duration_s for piece in STOPPED if not piece.power_w)
    stopped[ours] = uncounted[ours] = uncounted[ours] + stops_s / 60.0 * at_rest(MASS_KG, None, None, None)
    return {each.title: Totals(rowed[each.name], stopped[each.name], uncounted[each.name]) for each in FORMULAS}


def _asked(piece: Piece) -> tuple[float, dict[str, float | str | None]]:
    return piece.duration_s, {**WHO, "power_w": piece.power_w, "heart_rate_bpm": heart_rate_bpm(piece.power_w)}


def heart_rate_bpm(power_w: float) -> float:
    """Heart rate while rowing [1/min]: the line through 61 tests, doi 10.1007/978-3-642-70301-0_127."""
    return 0.28 * power_w + 89.6


class Averaged(NamedTuple):
    """A way to one power for many pieces [W], and what rowsync's formula makes of it [kcal]."""

    power_w: float
    gross_kcal: float


def averages(pieces: list[Piece]) -> dict[str, Averaged]:
    """The energy of some rowing from its power added up, from its mean speed, and from its mean pace."""
    duration_s = sum(piece.duration_s for piece in pieces)
    speeds = [(piece.duration_s, (piece.power_w / CONCEPT2_W_S3_PER_M3) ** (1.0 / 3.0)) for piece in pieces]
    speed = sum(seconds * speed for seconds, speed in speeds) / duration_s
    slowness = sum(seconds / speed for seconds, speed in speeds) / duration_s
    ways = {
        "power, added up": sum(seconds * power_w for seconds, power_w in pieces) / duration_s,
        "mean speed (metres over time)": CONCEPT2_W_S3_PER_M3 * speed**3,
        "mean pace": CONCEPT2_W_S3_PER_M3 / slowness**3,
    }
    return {
        way: Averaged(power_w, duration_s / 60.0 * rowsync_mass_aware(power_w, MASS_KG))
        for way, power_w in ways.items()
    }
