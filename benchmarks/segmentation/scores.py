"""What "found" means: the definitions of the interval study (section 3), as functions and nothing else.

Interval F1: found and true intervals are matched one to one, the best overlaps first; a match overlaps by 0.8 of what
the two cover together (IoU).  F1 is taken over all intervals of a group.  A session is exact when every interval is
matched and nothing else was found.  Edges are judged on intervals matched at 0.5, so that good edges can't be bought by
finding fewer.  On a steady row every hard interval is false, less one when a single block covers 60 % of it: that one
only gives the whole row another name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from benchmarks.segmentation.sessions import Span
from rowsync.intervals import Effort

MATCHED, NEAR = 0.8, 0.5
WHOLE_ROW = 0.6


class Score(NamedTuple):
    """How a detector did, on one session or on many.

    Attributes:
        sessions: sessions scored.
        hours: how long they took [h].
        matched: true intervals found.
        found: intervals found.
        true: true intervals.
        exact: sessions with every interval found and no other.
        false: false intervals on steady rows.
        flagged: steady rows with any.
        edges_s: found minus true of both edges of near matches [s].
        edges_strokes: their sizes, in strokes of their session.
    """

    sessions: int = 0
    hours: float = 0.0
    matched: int = 0
    found: int = 0
    true: int = 0
    exact: int = 0
    false: int = 0
    flagged: int = 0
    edges_s: tuple[float, ...] = ()
    edges_strokes: tuple[float, ...] = ()

    @property
    def f1(self) -> float | None:
        """Interval F1; None where nothing is true."""
        return 2 * self.matched / (self.found + self.true) if self.true else None


def overlap(one: Span, other: Span) -> float:
    """Time in both over time in either, 0 to 1."""
    both_s = min(one[1], other[1]) - max(one[0], other[0])
    either_s = max(one[1], other[1]) - min(one[0], other[0])
    return max(0.0, both_s) / either_s if either_s > 0 else 0.0


def matches(found: Sequence[Span], true: Sequence[Span], least: float) -> list[tuple[int, int]]:
    """Numbers of found and true intervals that go together, each used once, the best overlaps first."""
    overlaps = [(overlap(f, t), i, j) for i, f in enumerate(found) for j, t in enumerate(true)]
    pairs: dict[int, int] = {}
    for share, i, j in sorted(overlaps, reverse=True):
        if share >= least and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return list(pairs.items())


def score(found: Sequence[Span], true: Sequence[Span], duration_s: float, stroke_s: float, edges: bool = True) -> Score:
    """Score one session.

    Args:
        found: the hard intervals that a detector reports.
        true: those that were rowed; none in a steady row.
        duration_s: how long the session took [s].
        stroke_s: its median stroke [s].
        edges: whether the truth is dated well enough to judge edges by.
    """
    if not true:
        false = len(found) - any(end_s - start_s >= WHOLE_ROW * duration_s for start_s, end_s in found)
        return Score(1, duration_s / 3600, found=len(found), false=false, flagged=int(false > 0))
    matched = len(matches(found, true, MATCHED))
    near = matches(found, true, NEAR) if edges else []
    edges_s = tuple(found[i][side] - true[j][side] for i, j in near for side in (0, 1))
    return Score(
        sessions=1,
        hours=duration_s / 3600,
        matched=matched,
        found=len(found),
        true=len(true),
        exact=int(matched == len(found) == len(true)),
        edges_s=edges_s,
        edges_strokes=tuple(abs(edge_s) / stroke_s for edge_s in edges_s),
    )


def total(scores: Iterable[Score]) -> Score:
    """The scores of many sessions as one."""
    columns = list(zip(*scores, strict=True))
    return Score(*(sum(column, start=type(column[0])()) for column in columns)) if columns else Score()


def median_and_p95(sizes: Sequence[float]) -> tuple[float, float] | None:
    """Median and 95th percentile of what matters by its size; None of nothing."""
    return (float(np.median(np.abs(sizes))), float(np.percentile(np.abs(sizes), 95))) if len(sizes) else None


# --- live -------------------------------------------------------------------------------------------------------------

STAYS_S = 6
"""An announcement counts once it has stayed right for so long [s]."""
JUDGED_FROM_S = 5.0
"""A session that begins hard has no edge to see there [s]."""
LEAST_RECOVERY_S = 12.0
"""A shorter recovery isn't asked about [s]."""
FLIP_S = 8
"""A shorter contradiction is a flicker, not a false announcement [s]."""
FIRST_MINUTE_S = 60
"""Nobody can call a first minute of a steady row hard or easy [s]."""

Said = Sequence[Effort | None]
"""What was said of each second from 0; None is nothing yet."""


class Live(NamedTuple):
    """How the effort said at each second did.

    Attributes:
        hard_after_s: from each start to the announcement of it [s].
        easy_after_s: from each end of a piece that was called hard at all [s].
        missed: edges that were never announced before the next.
        seconds: seconds of interval sessions, without a piece that they begin with: nobody can call that hard.
        right: those called hard or not hard rightly, at once.
        settled_seconds: those that were settled.
        settled_right: those called rightly then.
        false_flips: contradictions on steady rows.
        steady_hours: how long those were rowed, without their first minute [h].
        samples: notifications fed.
        cost_s: processor time that all of it took [s].
    """

    hard_after_s: tuple[float, ...] = ()
    easy_after_s: tuple[float, ...] = ()
    missed: int = 0
    seconds: int = 0
    right: int = 0
    settled_seconds: int = 0
    settled_right: int = 0
    false_flips: int = 0
    steady_hours: float = 0.0
    samples: int = 0
    cost_s: float = 0.0


def live(said: Said, settled: Said, true: Sequence[Span]) -> Live:
    """Score what was said live.

    Args:
        said: what was said of each second at once.
        settled: what was said of it for good; shorter, since that comes later.
        true: the hard intervals; none in a steady row.
    """
    if not true:
        judged = opinions(said)
        return Live(false_flips=false_flips(judged), steady_hours=len(judged) / 3600)
    right, right_later = rightness(said, true), rightness(settled, true)
    hard = [effort is Effort.HARD for effort in said]
    following_s = [start_s for start_s, _ in true[1:]] + [float(len(hard))]
    starts = [_delay_s(hard, True, start_s, end_s) for start_s, end_s in true if start_s > JUDGED_FROM_S]
    ends = [
        _delay_s(hard, False, end_s, next_s)
        for (start_s, end_s), next_s in zip(true, following_s, strict=True)
        if next_s - end_s > LEAST_RECOVERY_S and any(hard[int(start_s) : math.ceil(end_s)])
    ]
    return Live(
        hard_after_s=tuple(delay_s for delay_s in starts if delay_s is not None),
        easy_after_s=tuple(delay_s for delay_s in ends if delay_s is not None),
        missed=starts.count(None) + ends.count(None),
        seconds=len(right),
        right=sum(right),
        settled_seconds=len(right_later),
        settled_right=sum(right_later),
    )


def _delay_s(hard: Sequence[bool], right: bool, edge_s: float, until_s: float) -> float | None:
    """From an edge to the first second that says `right` and goes on saying so; None when the next edge is first."""
    for second in range(math.ceil(edge_s), math.ceil(until_s)):
        if all(said == right for said in hard[second : second + STAYS_S]):
            return second - edge_s
    return None


def rightness(said: Said, true: Sequence[Span]) -> list[bool]:
    """Whether each second was called hard when it was, and something else when it wasn't; without a first piece."""
    from_s = true[0][1] if true[0][0] <= JUDGED_FROM_S else 0.0
    return [
        (effort is Effort.HARD) == any(start_s <= second < end_s for start_s, end_s in true)
        for second, effort in enumerate(said)
        if second >= from_s
    ]


def opinions(said: Said) -> list[bool]:
    """Whether each second of a steady row is called hard; without its first minute and its stops.

    A full stop is a rest in any row: whoever says so doesn't call the row an interval session.
    """
    return [effort is Effort.HARD for effort in said[FIRST_MINUTE_S:] if effort not in (Effort.REST, None)]


def false_flips(judged: Sequence[bool]) -> int:
    """How often a steady row is called, for a while, other than what it is called most of the time."""
    usual = sum(judged) * 2 > len(judged)
    return sum(said != usual and len(list(spell)) >= FLIP_S for said, spell in groupby(judged))


def total_live(scores: Iterable[Live]) -> Live:
    """The live scores of many sessions as one."""
    columns = list(zip(*scores, strict=True))
    return Live(*(sum(column, start=type(column[0])()) for column in columns)) if columns else Live()
