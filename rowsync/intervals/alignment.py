"""Alignment: a row laid beside the plan it was rowed to.

When the plan is known, nothing has to be found: each planned piece is where its bell was, a reaction later.  What
remains to be said is how late, and whether what was rowed was the plan at all.  Ten pieces 15 % harder than their
recoveries, which no eye sees in a beginner's noise, are plain when one knows where to look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rowsync.intervals.edges import dated
from rowsync.intervals.effort import Effort, Segment, joined
from rowsync.intervals.judge import features_of
from rowsync.intervals.rhythm import REACTION_S, USUAL_SPREAD, clearness_of
from rowsync.intervals.row import Bools, Floats, Row
from rowsync.intervals.stories import Story, explained
from rowsync.intervals.timetable import laid_over

MOST_SHIFT_S = 20  # how far the whole row may lie before or after its bells
MOST_LATE_S = 30.0  # further from its bell an edge is another one
LEAST_CLEARNESS = 5.0
"""Mean contrast of the planned pieces in standard errors of it.

Ten rounds of 45/75 at a ratio of 1.15 reach 7 and more with a beginner's noise; a steady row laid beside the same plan
stays below 4.
"""
BESIDE_S = 90.0
OTHERWISE_SHARE, OTHERWISE_SPREADS = 0.25, 3.0  # a piece with less than this of the usual contrast, and so far below it
CLEARLY_MORE = 1.5  # a story found without the plan that explains so much more is what was rowed


@dataclass(frozen=True, slots=True)
class PieceKept:
    """How one piece of a plan was rowed.

    Attributes:
        effort: what was planned.
        due_start_s: when it was to begin [s].
        due_end_s: when it was to end [s].
        rowed_as: what was rowed; None when the row ended before.
        start_late_s: how long after its bell a hard piece began; None for other pieces and where it had no edge [s].
        end_late_s: the same of its end; None as well where the row ended in it [s].
    """

    effort: Effort
    due_start_s: float
    due_end_s: float
    rowed_as: Effort | None = None
    start_late_s: float | None = None
    end_late_s: float | None = None


@dataclass(frozen=True, slots=True)
class Compliance:
    """How a plan was kept.

    Attributes:
        followed: whether what was rowed is the plan; when not, the intervals are what was found without it.
        rounds_planned: hard pieces of the plan.
        rounds_rowed: those of them that were rowed hard.
        pieces: how each piece was rowed.
    """

    followed: bool
    rounds_planned: int
    rounds_rowed: int
    pieces: tuple[PieceKept, ...]


Span = tuple[float, float]
"""Start and end [s]."""


def aligned_story(row: Row, timetable: Sequence[Segment], found: Story, pauses_s: Sequence[Span] = ()) -> Story | None:
    """The story of a row that was rowed to a timetable; None when it wasn't.

    Args:
        row: the session.
        timetable: when which piece was due.
        found: the likeliest story without the plan.
        pauses_s: from when to when a piece waited for somebody to row on [s].
    """
    bells_s = [part_s for span_s in hard_spans(timetable) for part_s in without(span_s, pauses_s)]
    shift_s = max(shifts(), key=lambda shift: total_contrast(row, shifted(row, bells_s, shift)))
    due_s = shifted(row, bells_s, shift_s)
    if not due_s:
        return None
    contrasts = contrasts_of(row, due_s)
    known = contrasts[~np.isnan(contrasts)]
    evidence = clearness_of(known) - LEAST_CLEARNESS if known.size else -math.inf
    if evidence < 0:
        return None
    rowed = rowed_as_planned(row, due_s)
    if not rowed:
        return None
    blocks, edges = dated(row, *laid_over(row, rowed))
    story = Story(blocks, edges, features_of(row, blocks), evidence)
    if found.evidence > 0 and explained(row, found) > CLEARLY_MORE * explained(row, story):
        return None
    return story


def compared(
    timetable: Sequence[Segment], segments: Sequence[Segment], pauses_s: Sequence[Span] = (), *, aligned: bool
) -> Compliance:
    """How a plan was kept, by what was found to have been rowed.

    Args:
        timetable: when which piece was due; one that hadn't begun has no length.
        segments: what was rowed.
        pauses_s: from when to when a piece waited for somebody to row on [s].
        aligned: whether the hard pieces of the timetable were found where they were due.
    """
    end_s = segments[-1].end_s if segments else 0.0
    rowed = [rowed_in(piece, segments, pauses_s) for piece in timetable]
    beside = zip([None, *rowed], timetable, rowed, [*rowed[1:], None], strict=False)
    pieces = tuple(
        kept(piece, now, end_s, alone=(now is not before, now is not after)) for before, piece, now, after in beside
    )
    rounds = sum(piece.effort is Effort.HARD for piece in pieces)
    return Compliance(
        followed=aligned if rounds else all(each.effort is not Effort.HARD for each in segments),
        rounds_planned=rounds,
        rounds_rowed=sum(piece.effort is piece.rowed_as is Effort.HARD for piece in pieces),
        pieces=pieces,
    )


def rowed_in(piece: Segment, segments: Sequence[Segment], pauses_s: Sequence[Span]) -> Segment | None:
    """What most of a piece's time without its pauses was rowed as, from its first to its last part.

    None when the row ended before.
    """
    inside_s = [pause_s for pause_s in pauses_s if pause_s[0] < piece.end_s and pause_s[1] > piece.start_s]
    if not inside_s:
        return most_of(piece, segments)
    parts = [
        replace(each, start_s=start_s, end_s=end_s)
        for each in segments
        for start_s, end_s in without((each.start_s, each.end_s), inside_s)
    ]
    most = most_of(piece, parts)
    alike = [each for each in parts if most and each.effort is most.effort and overlap_s(piece, each) > 0]
    return replace(alike[0], end_s=alike[-1].end_s) if alike else None


def without(span_s: Span, pauses_s: Sequence[Span]) -> list[Span]:
    """A span without the pauses in it."""
    edges_s = [span_s[0], *(min(max(edge_s, span_s[0]), span_s[1]) for pause_s in pauses_s for edge_s in pause_s)]
    starts_s, ends_s = edges_s[::2], [*edges_s[1::2], span_s[1]]
    return [(start_s, end_s) for start_s, end_s in zip(starts_s, ends_s, strict=True) if end_s > start_s]


def most_of(piece: Segment, segments: Sequence[Segment]) -> Segment | None:
    """What most of a piece's time was rowed as; None when the row ended before."""
    most = max(segments, key=lambda each: overlap_s(piece, each), default=None)
    return most if most is not None and overlap_s(piece, most) > 0 else None


def kept(piece: Segment, rowed: Segment | None, end_s: float, *, alone: tuple[bool, bool]) -> PieceKept:
    """How one piece was rowed.

    Args:
        piece: what was planned.
        rowed: what most of its time was rowed as.
        end_s: when the row ended [s].
        alone: whether the piece before and the one after it were rowed as something else; an edge is only late where
            there is one.
    """
    if rowed is None or not piece.effort is rowed.effort is Effort.HARD:
        return PieceKept(piece.effort, piece.start_s, piece.end_s, rowed.effort if rowed else None)
    late_s = (rowed.start_s - piece.start_s, rowed.end_s - piece.end_s)
    has_edge = (alone[0], alone[1] and piece.end_s <= end_s)
    start_late_s, end_late_s = (
        late if here and abs(late) <= MOST_LATE_S else None for late, here in zip(late_s, has_edge, strict=True)
    )
    return PieceKept(piece.effort, piece.start_s, piece.end_s, rowed.effort, start_late_s, end_late_s)


def overlap_s(one: Segment, other: Segment) -> float:
    """How long two segments share [s]."""
    return min(one.end_s, other.end_s) - max(one.start_s, other.start_s)


def hard_spans(timetable: Sequence[Segment]) -> list[Span]:
    """The hard pieces of a timetable, neighbours joined."""
    return [(piece.start_s, piece.end_s) for piece in joined(timetable) if piece.effort is Effort.HARD]


def shifts() -> list[int]:
    """How far a row may lie from its bells, the nearest first [s]."""
    return sorted(range(-MOST_SHIFT_S, MOST_SHIFT_S + 1), key=abs)


def shifted(row: Row, spans: Sequence[Span], by_s: float) -> list[Span]:
    """Spans later by so much, as far as they lie in the row; one that the row's end cuts lasts until then [s]."""
    first_s, last_s = float(row.start_s[0]), float(row.end_s[-1])
    later = [(max(start_s + by_s, first_s), last_s if end_s >= last_s else end_s + by_s) for start_s, end_s in spans]
    return [(start_s, min(end_s, last_s)) for start_s, end_s in later if min(end_s, last_s) - start_s > REACTION_S]


def total_contrast(row: Row, spans: Sequence[Span]) -> float:
    """How much harder all pieces are than what lies beside them [log power]."""
    return float(np.nansum(contrasts_of(row, spans))) if spans else 0.0


def contrasts_of(row: Row, spans: Sequence[Span]) -> Floats:
    """How much harder each piece is than what lies beside it [log power]; NaN where nothing does."""
    return contrasts_beside(levels_of(row, spans), levels_of(row, between(row, spans)))


def contrasts_beside(hard: Floats, easy: Floats) -> Floats:
    """How much harder each piece is than the mean of the recoveries beside it that are known [log power]."""
    beside = np.stack([easy[:-1], easy[1:]])
    known = ~np.isnan(beside)
    contrasts: Floats = hard - np.where(known, beside, 0.0).sum(0) / np.where(known.any(0), known.sum(0), math.nan)
    return contrasts


def levels_of(row: Row, spans: Sequence[Span]) -> Floats:
    """Mean level of each span, without the reaction at its start; NaN where too little is left."""
    starts_s, ends_s = np.array(spans).reshape(-1, 2).T + np.array([[REACTION_S], [0.0]])
    firsts = row.end_s.searchsorted(starts_s)
    counts = np.maximum(row.start_s.searchsorted(ends_s) - firsts, 0)
    rowed = np.flatnonzero(counts)
    levels = np.full(len(counts), math.nan)
    if not rowed.size:
        return levels
    of_span, begins = np.repeat(np.arange(len(counts)), counts), (np.cumsum(counts) - counts)[rowed]
    at = np.arange(len(of_span)) + np.repeat(firsts[rowed] - begins, counts[rowed])
    until_s = np.minimum(row.end_s[at], ends_s[of_span])
    inside_s = np.maximum(until_s - np.maximum(row.start_s[at], starts_s[of_span]), 0.0)
    known_s = np.add.reduceat(inside_s, begins)
    total = np.add.reduceat(row.resting_levels[at] * inside_s, begins)
    enough = known_s >= REACTION_S
    levels[rowed[enough]] = total[enough] / known_s[enough]
    return levels


def between(row: Row, spans: Sequence[Span]) -> list[Span]:
    """What lies before, between and after pieces; of a long warm-up or cool-down the part beside them."""
    first_s = max(float(row.start_s[0]), spans[0][0] - BESIDE_S)
    last_s = min(float(row.end_s[-1]), spans[-1][1] + BESIDE_S)
    edges_s = [first_s, *(time_s for span in spans for time_s in span), last_s]
    return list(zip(edges_s[::2], edges_s[1::2], strict=True))


def rowed_as_planned(row: Row, spans: Sequence[Span]) -> list[Span]:
    """The pieces without those that were rowed easily, and joined where a recovery was rowed through."""
    hard, easy = levels_of(row, spans), levels_of(row, between(row, spans))
    through = otherwise((hard[:-1] + hard[1:]) / 2 - easy[1:-1])
    easy[1:-1][through] = math.nan  # no measure of the pieces beside it
    contrasts = contrasts_beside(hard, easy)
    unknown = np.isnan(contrasts)  # with no recovery beside it a piece is as hard as the others, or as easy
    middle = (np.median(hard[~unknown]) + np.nanmedian(easy)) / 2 if not unknown.all() else -math.inf
    skipped = otherwise(contrasts) | (unknown & (hard < middle))
    rowed: list[Span] = []
    for number, span in enumerate(spans):
        if skipped[number]:
            continue
        if number and through[number - 1] and not skipped[number - 1] and rowed:
            rowed[-1] = (rowed[-1][0], span[1])
        else:
            rowed.append(span)
    return rowed


def otherwise(contrasts: Floats) -> Bools:
    """Which pieces lack the contrast that the others have, beyond what chance explains."""
    if not contrasts.size or np.isnan(contrasts).all():
        return np.zeros(len(contrasts), dtype=bool)
    usual = float(np.nanmedian(contrasts))
    spread = max(1.4826 * float(np.nanmedian(np.abs(contrasts - usual))), USUAL_SPREAD)
    least = min(OTHERWISE_SHARE * usual, usual - OTHERWISE_SPREADS * spread)
    return contrasts < least
