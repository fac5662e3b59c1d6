"""A session in a coach's words: what was rowed, how sure that is, and how the plan was kept.

Terminal, pages and whatever else speaks of a session say it in these sentences.  Everything is read from the JSON of
`rowsync show`, also of sessions that were stored before it had all of its fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from rowsync.comparison import comparison_sentences
from rowsync.corrections import CORRECTED
from rowsync.rounds import COMPARED_PIECES
from rowsync.wording import THIN_SPACE, clock, count, effort_name, measured, outside_text

Fields = Mapping[str, Any]

DOUBTFUL = 0.7
"""A change of effort that is less sure than this gets a question mark, 0 to 1."""
SUREST_PERCENT = 99  # nobody is quite sure
OFF_S, MOST_OFF = 4.0, 3  # an edge is known to a stroke or two
ABOUT_S, ABOUT_SHARE = 5.0, 0.1  # lengths so close to their median are the same to a rower, give or take a stroke


def sentences(summary: Fields) -> tuple[str, ...]:
    """What a session was, a sentence or two; nothing of one without intervals.

    Args:
        summary: the JSON of `rowsync show`.
    """
    said = (what_was_rowed(summary), how_the_plan_was_kept(summary), how_the_pieces_faded(summary))
    return (*filter(None, said), *comparison_sentences(summary))


def what_was_rowed(summary: Fields) -> str:
    """`10 hard pieces of about 0:45 with about 1:15 easy between them (99 % sure).`; empty without intervals."""
    intervals: Sequence[Fields] = summary.get("intervals") or ()
    if not intervals:
        return ""
    hard = _hard(summary)
    return f"{_pieces(intervals, hard) if hard else _without_pieces(intervals)}{_sureness(summary, bool(hard))}."


def how_the_plan_was_kept(summary: Fields) -> str:
    """`Plan 10x45/75: 10 of 10 rounds rowed; ...`; empty without a plan, and where a person moved the intervals."""
    kept = summary.get("compliance")
    if not kept or summary.get("intervals_from") == CORRECTED:
        return ""
    plan = outside_text(summary.get("plan") or "")
    rounds = [piece for piece in kept["pieces"] if piece["effort"] == "hard"]
    if rounds and all(piece["rowed_as"] is None for piece in rounds) and not _hard(summary):
        return f"Plan {plan}: the row ended before its first hard piece."
    if not kept["followed"]:
        return f"The plan {plan} was not what was rowed: shown is what was found."
    if not rounds:
        cut_short = any(_is_cut(piece, summary) for piece in kept["pieces"])
        kept_to = "the row ended before it was done" if cut_short else "rowed without hard pieces, as planned"
        return f"Plan {plan}: {kept_to}."
    said = f"Plan {plan}: {kept['rounds_rowed']} of {count(kept['rounds_planned'], 'round')} rowed"
    ended = "the row ended there" if _is_cut(rounds[-1], summary) else ""
    return "; ".join(filter(None, (said, ended, _punctuality(rounds), _worst(rounds)))) + "."


def how_the_pieces_faded(summary: Fields) -> str:
    """`The last 3 pieces were 6 % weaker than the first 3`, and how the heart came down; empty when not known."""
    hard = _hard(summary)
    fade, falls = measured(summary.get("fade")), [measured(piece.get("heart_rate_recovery_bpm")) for piece in hard]
    compared = min(COMPARED_PIECES, len(hard) // 2)
    parts = []
    if fade is not None:
        which = f"The last {compared} pieces" if compared > 1 else "The last piece"
        change = round(100 * abs(fade))
        how = f"{change}{THIN_SPACE}% {'weaker' if fade < 0 else 'stronger'} than" if change else "as strong as"
        parts.append(f"{which} {'were' if compared > 1 else 'was'} {how} the first{f' {compared}' * (compared > 1)}")
    if known := [fall for fall in falls if fall is not None]:
        heart = f"the heart slowed by {round(median(known))} bpm in the minute after a piece"
        parts.append(heart if parts else heart.capitalize())
    return f"{'; '.join(parts)}." if parts else ""


def is_doubtful(interval: Fields) -> bool:
    """Whether it is doubtful that the effort changed where this interval starts."""
    confidence = measured(interval.get("start_confidence"))
    return confidence is not None and confidence < DOUBTFUL


def percent(share: float) -> str:
    """How sure something is: `97 %`, and never more than 99."""
    return f"{min(SUREST_PERCENT, round(100 * share))}{THIN_SPACE}%"


def _is_cut(piece: Fields, summary: Fields) -> bool:
    """Whether the row ended before a piece of its plan did."""
    return piece["rowed_as"] is None or piece["due_end_s"] > (summary.get("duration_s") or 0.0) + ABOUT_S


def _hard(summary: Fields) -> list[Fields]:
    return [interval for interval in summary.get("intervals") or () if interval["effort"] == "hard"]


def _pieces(intervals: Sequence[Fields], hard: Sequence[Fields]) -> str:
    said = f"{count(len(hard), 'hard piece')}{_length(' of ', [piece['duration_s'] for piece in hard])}"
    inside = intervals[intervals.index(hard[0]) : intervals.index(hard[-1])]
    between = dict.fromkeys(effort_name(each["effort"]) for each in inside if each["effort"] != "hard")
    if not between:
        return said
    known = [(before["end_s"], after["start_s"]) for before, after in pairwise(hard)]
    pauses_s = [None if None in times_s else times_s[1] - times_s[0] for times_s in known]
    return f"{said} with{_length(' ', pauses_s)} {' or '.join(between)} between them"


def _without_pieces(intervals: Sequence[Fields]) -> str:
    """`Steady 30:12, 2 pauses`: the main effort, and how often it stood still on the way."""
    rowed = [place for place, interval in enumerate(intervals) if interval["effort"] != "rest"]
    if not rowed:
        return "Nobody rowed"
    lengths_s: dict[str, float] = {}
    for interval in (intervals[place] for place in rowed):
        lengths_s[interval["effort"]] = lengths_s.get(interval["effort"], 0.0) + (interval["duration_s"] or 0.0)
    main = max(lengths_s, key=lambda effort: (effort == "steady", lengths_s[effort]))
    pauses = rowed[-1] - rowed[0] + 1 - len(rowed)
    said = f"{effort_name(main).capitalize()} {clock(lengths_s[main])}"
    return f"{said}, {count(pauses, 'pause')}" if pauses else said


def _length(before: str, measured_s: Sequence[float | None]) -> str:
    """One length for many: `0:45`, `about 0:45`, or `0:45 to 9:02`, behind a word; empty where none is known."""
    lengths_s = [length_s for length_s in measured_s if length_s is not None]
    if not lengths_s:
        return ""
    shortest, middle_s, longest = clock(min(lengths_s)), median(lengths_s), clock(max(lengths_s))
    if shortest == longest:
        return before + shortest
    alike = max(abs(length_s - middle_s) for length_s in lengths_s) <= max(ABOUT_S, ABOUT_SHARE * middle_s)
    return before + (f"about {clock(middle_s)}" if alike else f"{shortest} to {longest}")


def _sureness(summary: Fields, is_interval_session: bool) -> str:
    probability = measured(summary.get("interval_probability"))
    if probability is None or summary.get("intervals_from") == CORRECTED:
        return ""
    return f" ({percent(probability if is_interval_session else 1 - probability)} sure)"


def _punctuality(rounds: Sequence[Fields]) -> str:
    """`pieces began 2 s late (median; at most 5 s off), ended 1 s late (at most 3 s off)`."""
    began, ended = (
        [late_s for piece in rounds if (late_s := piece[end]) is not None] for end in ("start_late_s", "end_late_s")
    )
    parts = [_late("began", began, "median; "), _late("ended", ended, "")]
    return f"pieces {', '.join(filter(None, parts))}" if any(parts) else ""


def _worst(rounds: Sequence[Fields]) -> str:
    """`round 7 began 4 s late and was 6 s too short`: pieces that are clearly off, the worst first, three at most."""
    off = sorted(((by_s, said) for each in enumerate(rounds, start=1) for by_s, said in [_off(*each)]), reverse=True)
    return ", ".join(said for by_s, said in off[:MOST_OFF] if by_s >= OFF_S)


def _off(number: int, piece: Fields) -> tuple[float, str]:
    """By how much a piece is off at most [s], and how that is said."""
    late_s, ended_s = measured(piece["start_late_s"]), measured(piece["end_late_s"])
    longer_s = None if late_s is None or ended_s is None else ended_s - late_s
    beside = ((late_s, "began {} s early", "began {} s late"), (longer_s, "was {} s too short", "was {} s too long"))
    parts = [
        (early if by_s < 0 else late).format(round(abs(by_s)))
        for by_s, early, late in beside
        if by_s is not None and abs(by_s) >= OFF_S
    ]
    by_s = max((abs(each) for each in (late_s, longer_s) if each is not None), default=0.0)
    return by_s, f"round {number} {' and '.join(parts)}"


def _late(did: str, lates_s: Sequence[float], of: str) -> str:
    if not lates_s:
        return ""
    usual_s, most_s = round(median(lates_s)), round(max(map(abs, lates_s)))
    when = f"{abs(usual_s)} s {'late' if usual_s > 0 else 'early'}" if usual_s else "on the bell"
    return f"{did} {when} ({of}at most {most_s} s off)" if most_s else f"{did} {when}"
