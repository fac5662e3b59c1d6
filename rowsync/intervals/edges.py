"""Edges: the stroke at which the effort changed.

A flywheel answers a step in effort over several strokes, and a monitor shows what the flywheel does.  So a change is
not dated where the power crosses some level but where the known answer to a step, begun at that stroke, fits the
strokes around it best.  Beside a full stop the stop itself is the edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from rowsync.intervals.blocks import Block, blocks_of, bounds_s, ends_joined
from rowsync.intervals.ladder import CORRELATED_SHARE
from rowsync.intervals.row import SOFT_FLOOR, Floats, Row, level_of

# What the flywheel shows of a step in the first strokes after it: up in power, down in log power (study, section 1.2).
RISE = (0.5, 0.8, 0.9, 0.95, 1.0)
FALL = (0.45, 0.75, 0.9, 0.95, 1.0)
LEVEL_AFTER_S, LEVEL_BEFORE_S = 6.0, 2.0  # how far from a change its two levels are read
EDGE_REACH_S = 12.0  # how far an edge may move to find its stroke
EDGE_CONTEXT_S = 20.0  # how much of either side is looked at
STROKES_AT_A_STOP = 2  # so few strokes between a piece and a full stop belong to the piece
SHORTEST_PIECE_S = 6.0  # two strokes
USUAL_LATENESS_S = 2.0  # about a stroke: how far from the bell an edge is expected
MOST_DUE_COST = 8.0  # nats: a clear edge far from the bell is believed


@dataclass(frozen=True, slots=True)
class Edge:
    """A change of effort.

    Attributes:
        first: number of the new effort's first span.
        time_s: when it began: with its first stroke, or, after a stop, with the drive of that [s].
        clearness: how much the strokes around speak for a change there and against none [nats].
    """

    first: int
    time_s: float
    clearness: float


STOP_CLEARNESS = 20.0
"""A full stop is as clear as anything gets [nats]."""

DRIVE_SHARE = 0.4
"""A stroke out of a stop has no recovery: it is counted at the end of its drive, about this share of a usual stroke.

With it, 107 starts of pieces programmed on a Concept2 lie 0.3 strokes before the bell in the median, without it 0.7.
"""


def dated(row: Row, blocks: Sequence[Block], due_s: Sequence[float] = ()) -> tuple[list[Block], list[Edge]]:
    """The same blocks, each beginning with the stroke in which its effort did, without pieces of less than two strokes.

    Args:
        row: the session.
        blocks: its story.
        due_s: when each change was due, where there was a timetable [s].

    Returns:
        the blocks, and the edges between them.
    """
    due: Sequence[float | None] = due_s or [None] * (len(blocks) - 1)
    edges = [edge(row, before, after, at_s) for (before, after), at_s in zip(pairwise(blocks), due, strict=True)]
    changes = list(accumulate((each.first for each in edges), max))  # two edges may have moved past each other
    sharp = [
        Block(block.hard, *ends) for block, ends in zip(blocks, pairwise([0, *changes, len(row.start_s)]), strict=True)
    ]
    hard = [np.full(each.last - each.first, each.hard and is_long(row, each)) for each in sharp]
    kept = ends_joined(row, blocks_of(np.concatenate(hard)))
    by_first = {each.first: each for each in edges}
    return kept, [by_first[block.first] for block in kept[1:]]


def is_long(row: Row, block: Block) -> bool:
    """Whether a block lasts long enough to be a piece."""
    if block.last == block.first:
        return False
    start_s, end_s = bounds_s(row, block)
    return end_s - start_s >= SHORTEST_PIECE_S


def edge(row: Row, before: Block, after: Block, due_s: float | None = None) -> Edge:
    """When the effort changed between two blocks."""
    stop = stop_at_change(row, before, after)
    if stop is not None:
        drive_s = (1 - DRIVE_SHARE) * float(row.durations_s[stop]) if after.hard else 0.0
        return Edge(stop, float(row.start_s[stop]) + drive_s, STOP_CLEARNESS)
    changed_s = bounds_s(row, after)[0]
    reach = slice(
        max(before.first, int(np.searchsorted(row.end_s, changed_s - EDGE_CONTEXT_S))),
        min(after.last, int(np.searchsorted(row.start_s, changed_s + EDGE_CONTEXT_S))),
    )
    from_w, to_w = settled_powers_w(row, before, after)
    seen_w = np.clip(row.power_w[reach], min(from_w, to_w), max(from_w, to_w))
    starts_s = row.start_s[reach]
    candidates = np.flatnonzero(np.abs(starts_s - changed_s) <= EDGE_REACH_S)
    since = np.clip(np.arange(len(seen_w)) - candidates[:, None], -1, len(RISE) - 1)
    answer_w = (rising_w if to_w >= from_w else falling_w)(from_w, to_w)
    seen, answers = level_of(seen_w, row.reference_w), level_of(answer_w, row.reference_w)
    weights = nats_per_s(row) * row.durations_s[reach]
    nats = (seen - answers[since]) ** 2 @ weights
    unchanged = min(float((seen - level) ** 2 @ weights) for level in (answers[-1], answers[-2]))
    cost = nats if due_s is None else nats + lateness_cost(starts_s[candidates] - due_s)
    best = int(np.argmin(cost))
    first = reach.start + int(candidates[best])
    return Edge(first, float(row.start_s[first]), max(unchanged - float(nats[best]), 0.0))


def nats_per_s(row: Row) -> float:
    """What a squared misfit over a second proves [nats]."""
    return CORRELATED_SHARE / (2 * row.noise**2)


def lateness_cost(late_s: Floats) -> Floats:
    """What it costs to place an edge away from its bell [nats]."""
    cost: Floats = np.minimum((late_s / USUAL_LATENESS_S) ** 2 / 2, MOST_DUE_COST)
    return cost


def stop_at_change(row: Row, before: Block, after: Block) -> int | None:
    """The first stroke after the stop before a piece, or the stop after a piece, when there is one at the change."""
    spans = STROKES_AT_A_STOP + 1
    recovery = (
        slice(max(before.first, before.last - spans), before.last)
        if after.hard
        else slice(after.first, min(after.first + spans, after.last))
    )
    stops = np.flatnonzero(~row.rowed[recovery]) + recovery.start
    if not stops.size:
        return None
    return int(stops[-1] + 1 if after.hard else stops[0])


def rising_w(from_w: float, to_w: float) -> Floats:
    """What the strokes after a step up show, and last the power before it [W]."""
    return from_w + np.array([*RISE, 0.0]) * (to_w - from_w)


def falling_w(from_w: float, to_w: float) -> Floats:
    """What the strokes after a step down show, and last the power before it [W]: it decays, so in log power."""
    from_w, to_w = max(from_w, 1.0), max(to_w, SOFT_FLOOR * from_w, 1.0)
    powers_w: Floats = from_w * (to_w / from_w) ** np.array([*FALL, 0.0])
    return powers_w


def settled_powers_w(row: Row, before: Block, after: Block) -> tuple[float, float]:
    """Power on both sides of a change, away from the change itself [W]."""
    (first_s, changed_s), last_s = bounds_s(row, before), bounds_s(row, after)[1]
    before_s = (
        max(first_s, changed_s - LEVEL_AFTER_S - EDGE_CONTEXT_S),
        max(changed_s - LEVEL_BEFORE_S, first_s + 1),
    )
    after_s = min(changed_s + LEVEL_AFTER_S, last_s - 1), min(last_s, changed_s + LEVEL_AFTER_S + EDGE_CONTEXT_S)
    return row.median_power_w(*before_s), row.median_power_w(*after_s)
