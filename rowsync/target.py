"""What a piece of a plan asks for: a pace, a power, a heart rate, a stroke rate, or to be able to talk.

A target is typed behind an `@` (docs/plans.md): `1:55`, `180-220W`, `85%`, `90%cp`, `75%hr`, `24spm`, `<150bpm`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from rowsync.athlete import Athlete
from rowsync.errors import UsageError
from rowsync.telemetry import Sample
from rowsync.training import (
    ASSUMED_RESTING_BPM,
    LEAST_RESERVE_BPM,
    TALK_RESERVE,
    TALK_SHARE,
    THRESHOLD_SHARE,
    max_heart_rate_bpm,
)
from rowsync.wording import outside_text

PACE, POWER, HEART_RATE, STROKE_RATE = "pace_s_per_500m", "power_w", "heart_rate_bpm", "stroke_rate_spm"
CONVERSATION = "conversation"
QUANTITIES = (PACE, POWER, HEART_RATE, STROKE_RATE, CONVERSATION)

UNDER, ON, OVER = "under", "on", "over"
"""How a rower does beside a target: with less effort than asked, as asked, with more."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that a piece asks for.

    Attributes:
        quantity: one of `QUANTITIES`; the first four are attributes of a `Sample`.
        low: the least, in the quantity's unit; None for no limit.
        high: the most; as `low` where a single value was asked for.
        of: what `low` and `high` are shares of, 0.85 for 85 %: an attribute of `Athlete`; None when they are values.
    """

    quantity: str
    low: float | None = None
    high: float | None = None
    of: str | None = None


# --- as typed ---------------------------------------------------------------------------------------------------------


class _Unit(NamedTuple):
    """What a number with a unit asks for.

    Attributes:
        quantity: one of `QUANTITIES`.
        least: nobody means less, as typed.
        most: nobody means more, as typed.
        of: what it is a share of, in percent; None for a value.
    """

    quantity: str
    least: float
    most: float
    of: str | None = None


_UNITS = {
    "w": _Unit(POWER, 1, 2000),
    "bpm": _Unit(HEART_RATE, 30, 240),
    "spm": _Unit(STROKE_RATE, 8, 60),
    "%": _Unit(POWER, 10, 300, "max_power_w"),
    "%cp": _Unit(POWER, 10, 300, "critical_power_w"),
    "%hr": _Unit(HEART_RATE, 20, 100, "max_heart_rate_bpm"),
}
_PACE = _Unit(PACE, 60, 600)
_WRITTEN = {"w": "W"}
"""Units that aren't written in small letters."""

_CLOCK = r"(\d{1,2}:[0-5]\d(?:\.\d{1,3})?)"
_NUMBER = r"(\d{1,4}(?:\.\d{1,3})?)"
_PACE_TYPED = re.compile(rf"([<>]?)\s*{_CLOCK}(?:\s*[-–]\s*{_CLOCK})?(?:\s*/\s*500\s*[mM](?![A-Za-z0-9]))?")
_TYPED = re.compile(rf"([<>]?)\s*{_NUMBER}(?:\s*[-–]\s*{_NUMBER})?\s*(%\s*[A-Za-z]*|[A-Za-z]+)")


def target_at(text: str, at: int = 0) -> tuple[Target, int] | None:
    """The target typed at a place of a text, and where it ends; None where there is none that makes sense."""
    typed = _PACE_TYPED.match(text, at) or _TYPED.match(text, at)
    unit = _unit(typed) if typed else None
    if typed is None or unit is None:
        return None
    limit, first, last = typed[1], _value(typed[2]), _value(typed[3] or typed[2])
    low, high = sorted((first, last))
    if not unit.least <= low <= high <= unit.most or (limit and typed[3]):
        return None
    ends = (None if limit == "<" else low, None if limit == ">" else high)
    if unit.of:
        ends = (_share(ends[0]), _share(ends[1]))
    return Target(unit.quantity, *ends, unit.of), typed.end()


def target_text(target: Target) -> str:
    """A target as it is typed, without the `@`."""
    if target.quantity == CONVERSATION:
        return "talk"
    percent, low, high = 100.0 if target.of else 1.0, target.low, target.high
    clock = _clock if target.quantity == PACE else _plain
    ends = [clock(percent * end) for end in dict.fromkeys((low, high)) if end is not None]
    limit = "<" if low is None else ">" if high is None else ""
    return limit + "-".join(ends) + _unit_text(target)


def _unit(typed: re.Match[str]) -> _Unit | None:
    return _PACE if typed.re is _PACE_TYPED else _UNITS.get(re.sub(r"\s", "", typed[4]).lower())


def _value(typed: str) -> float:
    minutes, _, seconds = typed.rpartition(":")
    return round(60.0 * int(minutes or 0) + float(seconds), 3)


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100.0


def _unit_text(target: Target) -> str:
    names = (name for name, unit in _UNITS.items() if (unit.quantity, unit.of) == (target.quantity, target.of))
    name = next(names, "")
    return _WRITTEN.get(name, name)


def _plain(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _clock(pace_s: float) -> str:
    minutes, thousandths = divmod(round(1000 * pace_s), 60_000)
    return f"{minutes}:{thousandths / 1000:06.3f}".rstrip("0").rstrip(".") if thousandths else f"{minutes}:00"


# --- in words ---------------------------------------------------------------------------------------------------------

_UNIT_WORDS = {PACE: "/500 m", POWER: "W", HEART_RATE: "bpm", STROKE_RATE: "spm"}
_LIMIT_WORDS = {PACE: ("slower than", "faster than")}
"""What is said of a lower limit alone, and of an upper one, where that isn't above and below."""


def target_words(target: Target) -> str:
    """What a target asks for, in words: `1:55 /500 m`, `180–220 W`, `below 142 bpm`."""
    if target.quantity == CONVERSATION:
        return "so easy that you could talk"
    written = _clock if target.quantity == PACE else _plain
    percent = 100.0 if target.of else 1.0
    ends = [written(percent * end) for end in dict.fromkeys((target.low, target.high)) if end is not None]
    unit = f"% of {_BESTS[target.of].called}" if target.of else _UNIT_WORDS[target.quantity]
    above, below = _LIMIT_WORDS.get(target.quantity, ("above", "below"))
    limit = f"{below} " if target.low is None else f"{above} " if target.high is None else ""
    return f"{limit}{'–'.join(ends)} {unit}"


# --- for one athlete --------------------------------------------------------------------------------------------------


class _Best(NamedTuple):
    """What targets are shares of.

    Attributes:
        called: in words.
        of: what an athlete's is; None when unknown.
        option: what to type behind `rowsync athlete NAME`.
    """

    called: str
    of: Callable[[Athlete], float | None]
    option: str


_BESTS = {
    "max_power_w": _Best("the power of your best 2,000 m", lambda athlete: athlete.max_power_w, "--best-2k 7:48"),
    "critical_power_w": _Best("critical power", lambda athlete: athlete.critical_power_w, "--critical-power 180"),
    "max_heart_rate_bpm": _Best("your highest heart rate", max_heart_rate_bpm, "--max-heart-rate 185"),
}


def resolved(target: Target, athlete: Athlete) -> Target:
    """A target in values: shares of an athlete's bests, and talking as an upper heart rate or power.

    To be able to talk stays what it is where neither heart nor power of the athlete is known.

    Raises:
        UsageError: it is a share of something that nobody knows of the athlete.
    """
    if target.quantity == CONVERSATION:
        return talk_limit(athlete) or target
    if target.of is None:
        return target
    best = _BESTS[target.of]
    known = best.of(athlete)
    if known is None:
        name = outside_text(athlete.name)
        raise UsageError(
            f"{target_words(target)} can't be reckoned: nobody knows it of {name}.\n"
            f"Tell it with: rowsync athlete {name} {best.option}"
        )
    low, high = (None if share is None else float(round(share * known)) for share in (target.low, target.high))
    return replace(target, low=low, high=high, of=None)


def talk_limit(athlete: Athlete) -> Target | None:
    """Up to where an athlete can talk, by the rules of `rowsync.training`; None when nothing is known."""
    resting_bpm, max_bpm = athlete.resting_heart_rate_bpm or ASSUMED_RESTING_BPM, max_heart_rate_bpm(athlete)
    if max_bpm is not None and max_bpm - resting_bpm >= LEAST_RESERVE_BPM:
        return Target(HEART_RATE, high=float(round(resting_bpm + TALK_RESERVE * (max_bpm - resting_bpm))))
    max_w = athlete.max_power_w or (athlete.critical_power_w and athlete.critical_power_w / THRESHOLD_SHARE)
    return Target(POWER, high=float(round(TALK_SHARE * max_w))) if max_w else None


# --- beside what is rowed ---------------------------------------------------------------------------------------------

TOLERANCES = {PACE: (0.015, 0.0), POWER: (0.05, 0.0), HEART_RATE: (0.0, 3.0), STROKE_RATE: (0.0, 1.0)}
"""How far one may be from a single value and still be on it: a share of it, and an amount in its unit.

Rules of thumb: strokes of one effort differ by about as much.  A range is its own tolerance.
"""


def judged(target: Target, sample: Sample) -> str | None:
    """How a moment of rowing is beside a target, in the rower's sense.

    Returns:
        `UNDER`: less effort than asked, which is a slower pace, or less power, heart rate or stroke rate; `OVER`: more
        of it; `ON`; None where the quantity wasn't measured, or the target is a share, or to be able to talk.
    """
    value = None if target.of or target.quantity == CONVERSATION else getattr(sample, target.quantity)
    if value is None:
        return None
    least, most = _limits(target)
    smaller, greater = (OVER, UNDER) if target.quantity == PACE else (UNDER, OVER)
    return smaller if value < least else greater if value > most else ON


def _limits(target: Target) -> tuple[float, float]:
    """Between what one is on a target, in its unit."""
    low, high = target.low, target.high
    if low is not None and low == high:
        share, amount = TOLERANCES[target.quantity]
        return low * (1 - share) - amount, low * (1 + share) + amount
    return -float("inf") if low is None else low, float("inf") if high is None else high
