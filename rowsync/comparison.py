"""A session beside the last one of the same plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from rowsync.wording import MINUS, measured, moment, number, percent_change, short_day

Fields = Mapping[str, Any]

OF_A_ROUND = ("duration_s", "mean_power_w", "mean_stroke_rate_spm", "mean_heart_rate_bpm", "heart_rate_recovery_bpm")


def comparable_fields(summary: Fields) -> dict[str, Any]:
    """What another session is compared with, from the JSON of `show`: its hard pieces, and what they have in common."""
    hard = [interval for interval in summary["intervals"] if interval["effort"] == "hard"]
    return {
        "session_id": summary["session_id"],
        "started_at": summary["started_at"],
        "plan": summary["plan"],
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
    return (f"Against {short_day(started) if started else 'the last time'}: {told}.",) if told else ()


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
