"""Edges: the stroke at which the effort changed.

A flywheel answers a step in effort over several strokes, and a monitor shows what the flywheel does.  So a change is
not dated where the power crosses some level but where the known answer to a step, begun at that stroke, fits the
strokes around it best.  Beside a full stop the stop itself is the edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rowsync.intervals.blocks import Block, blocks_of, bounds_s
from rowsync.intervals.ladder import CORRELATED_SHARE
from rowsync.intervals.row import SOFT_FLOOR, Floats, Row, level_of

# What the flywheel shows of a step in the first strokes after it: up in power, down in log power (study, section 1.2).
RISE = (0.5, 0.8, 0.9, 0.95, 1.0)
FALL = (0.45, 0.75, 0.9, 0.95, 1.0)
SETTLED_AFTER_S, SETTLED_BEFORE_S = 6.0, 2.0  # how far from a change its two levels are read
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
        time_s: the start of the first stroke of the new effort [s].
        clearness: how much the strokes around speak for a change there and against none [nats].
    """

    time_s: float
    clearness: float


STOP_CLEARNESS = 20.0
"""A full stop is as clear as anything gets [nats]."""


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
    changes = np.maximum.accumulate(np.searchsorted(row.start_s, [each.time_s for each in edges])).tolist()
    first = [0, *changes, len(row.start_s)]
    sharp = [Block(block.hard, *ends) for block, ends in zip(blocks, pairwise(first), strict=True)]
    hard = [np.full(each.last - each.first, each.hard and is_long(row, each)) for each in sharp]
    kept = blocks_of(np.concatenate(hard))
    clearness = {start: each.clearness for start, each in zip(changes, edges, strict=True)}
    return kept, [Edge(bounds_s(row, block)[0], clearness.get(block.first, 0.0)) for block in kept[1:]]


def is_long(row: Row, block: Block) -> bool:
    """Whether a block lasts long enough to be a piece."""
    return block.last > block.first and float(row.end_s[block.last - 1] - row.start_s[block.first]) >= SHORTEST_PIECE_S


def edge(row: Row, before: Block, after: Block, due_s: float | None = None) -> Edge:
    """When the effort changed between two blocks."""
    stop_s = stop_at_change_s(row, before, after)
    if stop_s is not None:
        return Edge(stop_s, STOP_CLEARNESS)
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
    reference_w, seconds = row.reference_w, row.durations_s[reach]
    seen, answers = level_of(seen_w, reference_w), level_of(answer_w, reference_w)
    nats = evidence_of(row) * ((seen - answers[since]) ** 2 @ seconds)
    unchanged = evidence_of(row) * min(float((seen - level) ** 2 @ seconds) for level in (answers[-1], answers[-2]))
    cost = nats if due_s is None else nats + lateness_cost(starts_s[candidates] - due_s)
    best = int(np.argmin(cost))
    return Edge(float(starts_s[candidates[best]]), max(unchanged - float(nats[best]), 0.0))


def evidence_of(row: Row) -> float:
    """What a squared misfit over a second proves [nats]."""
    return CORRELATED_SHARE / (2 * row.noise() ** 2)


def lateness_cost(late_s: Floats) -> Floats:
    """What it costs to place an edge away from its bell [nats]."""
    cost: Floats = np.minimum((late_s / USUAL_LATENESS_S) ** 2 / 2, MOST_DUE_COST)
    return cost


def stop_at_change_s(row: Row, before: Block, after: Block) -> float | None:
    """The end of the stop before a piece, or the start of the one after it, when there is one at the change [s]."""
    spans = STROKES_AT_A_STOP + 1
    recovery = (
        slice(max(before.first, before.last - spans), before.last)
        if after.hard
        else slice(after.first, min(after.first + spans, after.last))
    )
    stops = np.flatnonzero(~row.rowed[recovery]) + recovery.start
    if not stops.size:
        return None
    return float(row.end_s[stops[-1]] if after.hard else row.start_s[stops[0]])


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
        max(first_s, changed_s - SETTLED_AFTER_S - EDGE_CONTEXT_S),
        max(changed_s - SETTLED_BEFORE_S, first_s + 1),
    )
    after_s = min(changed_s + SETTLED_AFTER_S, last_s - 1), min(last_s, changed_s + SETTLED_AFTER_S + EDGE_CONTEXT_S)
    return row.median_power_w(*before_s), row.median_power_w(*after_s)
