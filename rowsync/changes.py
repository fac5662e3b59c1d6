"""What deriving sessions again changed, in words: `3 sessions: distance +0.4 %, energy −2 %`.

Both sides are summaries, as `rowsync show --json` prints them; one of an older rowsync may lack fields.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from math import ceil, log10
from typing import Any, NamedTuple

from rowsync.wording import MINUS, THIN_SPACE, count, measured, moment, number

Fields = Mapping[str, Any]


class Change(NamedTuple):
    """A session before and after it was derived again.

    Attributes:
        before: its summary as it was stored; None where there was none, or none that could be read.
        after: its summary as it is now.
    """

    before: Fields | None
    after: Fields


def _energy_kcal(summary: Fields) -> Any:
    return (summary.get("energy") or {}).get("gross_kcal")


def _hard(summary: Fields) -> int:
    return sum(interval.get("effort") == "hard" for interval in summary.get("intervals") or ())


FIGURES: tuple[tuple[str, Callable[[Fields], Any]], ...] = (
    ("duration", lambda summary: summary.get("duration_s")),
    ("distance", lambda summary: summary.get("distance_m")),
    ("strokes", lambda summary: summary.get("stroke_count")),
    ("time rowed", lambda summary: summary.get("moving_s")),
    ("power", lambda summary: summary.get("mean_power_w")),
    ("heart rate", lambda summary: summary.get("mean_heart_rate_bpm")),
    ("energy", _energy_kcal),
    ("hard intervals", _hard),
)
"""What is held against what it was, by the name that a sentence gives it."""

START = "another start"
"""What is said of when a session began: a moment is no figure that could be summed."""

LEAST_SHARE = 5e-6
"""A smaller change is one of rounding."""


def changes_sentences(changes: Iterable[Change]) -> list[str]:
    """What changed, a sentence for all sessions in which the same figures did, the largest group first.

    A figure's change is that of its sum over the sessions of the group.
    """
    groups: dict[tuple[str, ...], list[Change]] = defaultdict(list)
    for change in changes:
        groups[_changed(change)].append(change)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [f"{count(len(group), 'session')}: {_what(names, group)}" for names, group in ordered]


def _changed(change: Change) -> tuple[str, ...]:
    """The names of the figures that changed, the start before them."""
    before, after = change
    if before is None:
        return (ANEW,)
    start = (START,) if moment(before.get("started_at")) != moment(after.get("started_at")) else ()
    return (*start, *(name for name, figure in FIGURES if not _is_same(figure(before), figure(after))))


ANEW = "made anew, since what was stored was missing or damaged"
BESIDE = "none of the main figures changed, only what stands beside them"


def _is_same(before: Any, after: Any) -> bool:
    then, now = measured(before), measured(after)
    if then is None or now is None:
        return then is now
    return abs(now - then) <= LEAST_SHARE * max(abs(then), abs(now))


def _what(names: tuple[str, ...], group: list[Change]) -> str:
    if not names:
        return BESIDE
    figures = dict(FIGURES)
    return ", ".join(name if name not in figures else _by_how_much(name, figures[name], group) for name in names)


def _by_how_much(name: str, figure: Callable[[Fields], Any], group: list[Change]) -> str:
    """`distance +0.4 %`, `hard intervals 9 → 10`; that it is new, or gone, where one side has none."""
    pairs = [(measured(figure(before or {})), measured(figure(after))) for before, after in group]
    known = [(then, now) for then, now in pairs if then is not None and now is not None]
    then, now = sum(pair[0] for pair in known), sum(pair[1] for pair in known)
    if not known:
        return f"{name} {'known now' if pairs[0][0] is None else 'not known any more'}"
    if figure is _hard or then == 0:
        return f"{name} {number(then)} → {number(now)}"
    return f"{name} {_percent(now / then - 1.0)}"


def _percent(share: float) -> str:
    """`+0.4 %`, `−2 %`: to the percent, or to the first digit that isn't 0."""
    percent = abs(100 * share)
    decimals = 0 if percent >= 0.95 or percent < SMALLEST_PERCENT else ceil(-log10(percent))
    sign = "+" if share > 0 else MINUS if share < 0 else "±"
    return f"{sign}{number(percent, decimals)}{THIN_SPACE}%"


SMALLEST_PERCENT = 1e-4
"""Less is told as 0: changes of several sessions that cancel out."""
