"""A session beside the last ones of the same plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, combinations
from statistics import fmean
from typing import Any

from rowsync.machines import machine_key
from rowsync.wording import (
    MINUS,
    MONTHS,
    count,
    measured,
    moment,
    number,
    outside_text,
    percent_change,
    short_day,
    time_of_day,
)

Fields = Mapping[str, Any]

OF_A_ROUND = ("duration_s", "mean_power_w", "mean_stroke_rate_spm", "mean_heart_rate_bpm", "heart_rate_recovery_bpm")


def comparable_fields(summary: Fields) -> dict[str, Any]:
    """What another session is compared with, from the JSON of `show`: its hard pieces, and what they have in common."""
    hard = [interval for interval in summary["intervals"] if interval["effort"] == "hard"]
    return {
        "session_id": summary["session_id"],
        "started_at": summary["started_at"],
        "plan": summary["plan"],
        "machine": {name: (summary.get("machine") or {}).get(name) for name in ("name", "address")},
        "mean_hard_power_w": mean_of(hard, "mean_power_w"),
        "fade": summary.get("fade"),
        "heart_rate_recovery_bpm": mean_of(hard, "heart_rate_recovery_bpm"),
        "rounds": [
            {"number": at, **{name: interval.get(name) for name in OF_A_ROUND}} for at, interval in enumerate(hard, 1)
        ],
    }


def mean_of(pieces: Iterable[Fields], name: str) -> float | None:
    """The mean of what was measured; None when nothing was."""
    values = [value for piece in pieces if (value := measured(piece.get(name))) is not None]
    return round(fmean(values), 3) if values else None


def comparison_sentences(summary: Fields) -> Sequence[str]:
    """A session beside the last one of its plan, from the JSON of `show` with what came `before`.

    `Against 17 Nov: 231 W in the hard pieces, +3 %; fade −4 % then −6 %.`; nothing where there is none before.
    """
    before = summary.get("before")
    if not before:
        return ()
    now = comparable_fields(summary)
    said = filter(None, (_power(now, before), _fade(now, before), _recovery(now, before)))
    started = moment(before["started_at"])
    told = "; ".join(said)
    if not told:
        return ()
    return tuple(
        filter(None, (f"Against {short_day(started) if started else 'the last time'}: {told}.", _machine(now, before)))
    )


def _machine(now: Fields, before: Fields) -> str:
    """That the machine was another one, whose watts may be others; empty where it wasn't, or nobody knows."""
    this, that = now["machine"], before.get("machine") or {}
    here, there = machine_key(this), machine_key(that)
    if here is None or there is None or here == there:
        return ""
    name = outside_text(there if this["name"] == that.get("name") else that.get("name") or there)
    return f"That was on another machine, {name}, whose watts may read otherwise: see rowsync machines."


def strength_sentence(now: Fields, before: Fields) -> str:
    """How much stronger a session was than another of its plan, and where.

    `4 W stronger than on 17 November, by holding on in rounds 8–10.`; empty where no round of both has power.

    Args:
        now: the session, as `comparable_fields`.
        before: the other.
    """
    pairs = [
        (now_w, before_w)
        for now_w, before_w in zip(_powers_w(now), _powers_w(before), strict=False)
        if now_w is not None and before_w is not None
    ]
    if not pairs:
        return ""
    longest = max(len(now["rounds"]), len(before["rounds"]))
    over = f", over the {count(len(pairs), 'round')} that can be compared" if len(pairs) < longest else ""
    more_w = fmean(now_w - before_w for now_w, before_w in pairs)
    by_w, then = round(abs(more_w)), _then(now, before)
    if not by_w:
        return f"As strong as {then}{over}."
    where = "" if over else _where(pairs, more_w > 0)
    return f"{by_w} W {'stronger' if more_w > 0 else 'weaker'} than {then}{over}{where}."


def _powers_w(session: Fields) -> list[float | None]:
    return [measured(each.get("mean_power_w")) for each in session["rounds"]]


def _then(now: Fields, before: Fields) -> str:
    """When the other session was, as one says it: `on 17 November`; with its year or its time where it needs one."""
    at, this = moment(before["started_at"]), moment(now["started_at"])
    if at is None:
        return "the time before"
    if this is not None and at.date() == this.date():
        return f"earlier that day, at {time_of_day(at)}"
    return f"on {_day(at, None if this is None else this.year)}"


def _day(at: datetime, year: int | None) -> str:
    said = f"{at.day} {MONTHS[at.month - 1]}"
    return said if at.year == year else f"{said} {at.year}"


MOST_OF_IT = 0.6
"""A stretch of at most half of the rounds is where the difference lies when so much of it does."""

NEARLY_ALL = 0.8


def _where(pairs: Sequence[tuple[float, float]], is_stronger: bool) -> str:
    """In which rounds the difference lies: `, by holding on in rounds 8–10`; empty where it lies nowhere in particular.

    Args:
        pairs: power of each round now and then [W].
        is_stronger: whether it was more on the whole.
    """
    gains_w = [(now_w - before_w) if is_stronger else (before_w - now_w) for now_w, before_w in pairs]
    first, end = _richest(gains_w)
    if end - first <= len(pairs) / 2 and sum(gains_w[first:end]) >= MOST_OF_IT * sum(gains_w):
        return f", {_how(pairs, first, end, is_stronger)} {_rounds(first, end)}"
    is_everywhere = sum(gain_w > 0 for gain_w in gains_w) >= NEARLY_ALL * len(gains_w)
    return ", in nearly every round" if is_everywhere and len(gains_w) > 1 else ""


def _richest(gains_w: Sequence[float]) -> tuple[int, int]:
    """The stretch of rounds that is most above the mean gain: its first, and the one after its last."""
    mean_w = fmean(gains_w)
    sums_w = [0.0, *accumulate(gain_w - mean_w for gain_w in gains_w)]
    ends = combinations(range(len(sums_w)), 2)
    return max(ends, key=lambda stretch: (round(sums_w[stretch[1]] - sums_w[stretch[0]], 6), stretch[0] - stretch[1]))


def _how(pairs: Sequence[tuple[float, float]], first: int, end: int, is_stronger: bool) -> str:
    """What was done otherwise in a stretch of rounds.  Holding on or fading is only said where somebody did fade."""
    if first == 0:
        return "by starting harder in" if is_stronger else "by starting easier in"
    if end < len(pairs):
        return "most of it in"
    who = 1 if is_stronger else 0  # who would have faded: then, or now
    faded = fmean(pair[who] for pair in pairs[first:]) < fmean(pair[who] for pair in pairs[:first])
    if faded:
        return "by holding on in" if is_stronger else "by fading in"
    return "by finishing harder in" if is_stronger else "by finishing easier in"


def _rounds(first: int, end: int) -> str:
    return f"round {end}" if end - first == 1 else f"rounds {first + 1}–{end}"


def _power(now: Fields, before: Fields) -> str:
    now_w, before_w = (measured(each.get("mean_hard_power_w")) for each in (now, before))
    if not now_w or not before_w:
        return ""
    return f"{number(now_w)} W in the hard pieces, {percent_change(now_w / before_w)} ({number(before_w)} W then)"


def _fade(now: Fields, before: Fields) -> str:
    fades = [measured(each.get("fade")) for each in (now, before)]
    if None in fades:
        return ""
    return "fade {} ({} then)".format(*(percent_change(1 + (each or 0.0)) for each in fades))


def _recovery(now: Fields, before: Fields) -> str:
    falls = [measured(each.get("heart_rate_recovery_bpm")) for each in (now, before)]
    if None in falls:
        return ""
    return "the heart slows by {} bpm in a minute ({} then)".format(*(_whole(each or 0.0) for each in falls))


def _whole(value: float) -> str:
    return f"{value:.0f}".replace("-", MINUS)
