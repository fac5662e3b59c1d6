"""Blocks: a story of a row as stretches of hard and easy, and what they look like beside each other.

What the ladder calls hard or easy only says which way the effort stepped.  Here the blocks are compared: the weak
"hard" ones become easy, shallow "easy" ones hard, a short stop inside a piece is a pause, a weak first or last piece is
warm-up or cool-down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

import numpy as np

from rowsync.intervals.row import Bools, Floats, Row, level_of, runs

FOLLOWING_UP_S, FOLLOWING_DOWN_S = 3.0, 2.0  # the flywheel needs so long to show a new effort ...
FOLLOWED_FROM_S = 12.0  # ... which only matters little in blocks this long
STOPPED_SHARE = 0.06  # a block under this share of the reference is a stop
TWO_CLASSES_RATIO = 1.35  # hard and easy are two kinds of rowing when this far apart ...
TWO_CLASSES_SHARE = 0.06  # ... and the rarer of them fills this share of the time
CLASS_BORDER = 0.4  # the border lies at this share of the way from the easy to the hard mean
LEAST_CONTRAST = 1.22  # a recovery rowed with less contrast than this is part of the piece
PAUSE_MOST_S, PAUSE_SHARE_OF_REST = 25.0, 0.45  # a stop shorter than both, and than 45 % of a usual rest, is a pause
DRINK_MOST_S, DRINK_SHARE_OF_PIECE = 55.0, 1 / 10  # a stop shorter than both, next to long pieces, is a drink
EQUAL_PIECES_RATIO = 1.35  # a pause only joins pieces of about the same power
EDGE_PIECE_SHARE, EDGE_PIECE_BELOW_ALL = 0.8, 0.9  # first or last piece this weak is warm-up or cool-down ...
SAME_LENGTH_SHARE, SAME_LENGTH = 0.08, 6.0  # ... unless it and its recovery are as long as the others [s or m]
BUMP_RATIO, BUMP_MOST_S = 1.6, 60.0  # a short rise this far under the usual piece belongs to the recovery
SHORTEST_WARMUP_S = 20.0  # nobody warms up for less: so long a flywheel and a beginner take to get going ...
SHORTEST_COOLDOWN_S = 6.0  # ... and two strokes cool nobody down
STABLE_AFTER_ROUNDS = 5  # renaming stops here even if it should go round in circles

PAULS_LAW = 0.18
"""Power falls with the duration to this power: 12 % a doubling.

Paul's law of the rowing forums: 5 s/500 m slower when the distance doubles, about 4 % of pace and so 12 % of power.  It
holds for all-out pieces of trained athletes from 500 m to a marathon; here it only says what a long piece may lack of a
short one and still be as hard.
"""


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring spans of one effort: from span number `first` up to but without `last`."""

    hard: bool
    first: int
    last: int


def blocks_of(hard: Bools) -> list[Block]:
    """Stretches of equal spans as blocks."""
    return [Block(bool(hard[first]), first, last) for first, last in runs(hard)]


def merged(blocks: Sequence[Block], hard: Sequence[bool] | Bools) -> list[Block]:
    """The blocks with new efforts, neighbours of the same effort joined."""
    renamed = [replace(block, hard=bool(now)) for block, now in zip(blocks, hard, strict=True)]
    groups = [list(group) for _, group in groupby(renamed, key=lambda block: block.hard)]
    return [Block(group[0].hard, group[0].first, group[-1].last) for group in groups]


def bounds_s(row: Row, block: Block) -> tuple[float, float]:
    """Start and end of a block [s]."""
    return float(row.start_s[block.first]), float(row.end_s[block.last - 1])


class Comparison:
    """What the blocks of a story look like beside each other.

    Attributes:
        powers_w: typical power of each block [W].
        levels: the same as natural logarithms with a soft floor, so that differences are contrasts.
        durations_s: how long each block lasts [s].
        distances_m: how far it goes; 0 where no distance is known [m].
        rowed: whether it was rowed or stood still.
        hard: whether it counts as hard.
    """

    def __init__(self, row: Row, blocks: Sequence[Block]) -> None:
        reference_w = row.reference_w
        self.powers_w = np.array([typical_power_w(row, block) for block in blocks])
        self.levels = level_of(self.powers_w, reference_w)
        self.durations_s = np.array([row.end_s[block.last - 1] - row.start_s[block.first] for block in blocks])
        self.distances_m = np.array([row.distance_m[block.first : block.last].sum() for block in blocks])
        self.rowed = self.powers_w > STOPPED_SHARE * reference_w
        self.hard = np.array([block.hard for block in blocks])

    @cached_property
    def pieces(self) -> list[int]:
        """Numbers of the hard blocks."""
        return [int(i) for i in np.flatnonzero(self.hard)]

    @cached_property
    def recoveries(self) -> list[int]:
        """Numbers of the easy blocks with a hard one on both sides."""
        return [int(i) for i in np.flatnonzero(~self.hard) if 0 < i < len(self.hard) - 1]

    @property
    def toil_w(self) -> Floats:
        """Power of each block as if all lasted 100 s: what pieces of unequal length have in common [W]."""
        toil: Floats = self.powers_w * (np.maximum(self.durations_s, 1.0) / 100.0) ** PAULS_LAW
        return toil

    @property
    def between_stops(self) -> Bools:
        """Which blocks have a full stop on both sides: what is rowed elsewhere doesn't make them easy."""
        stopped = ~self.rowed
        both: Bools = np.r_[False, stopped[:-1]] & np.r_[stopped[1:], False]
        return both

    def contrast(self, number: int) -> float:
        """How far a block lies below the nearer of its hard neighbours [log power]."""
        neighbours = [n for n in (number - 1, number + 1) if 0 <= n < len(self.hard) and self.hard[n]]
        return min((float(self.levels[n] - self.levels[number]) for n in neighbours), default=math.inf)

    def class_border(self) -> float:
        """The level that parts hard from easy rowing; -inf where there are not two kinds of it."""
        split = two_classes(self.levels[self.rowed], self.durations_s[self.rowed])
        if split is None or np.sum(self.hard & self.rowed & (self.levels > split.middle)) < 2:
            return -math.inf
        if split.high - split.low <= math.log(TWO_CLASSES_RATIO) or split.rarer_share <= TWO_CLASSES_SHARE:
            return -math.inf
        return split.low + CLASS_BORDER * (split.high - split.low)


def typical_power_w(row: Row, block: Block) -> float:
    """Median power of a block over time, without the seconds in which the flywheel follows [W]."""
    start_s, end_s = bounds_s(row, block)
    if end_s - start_s < FOLLOWED_FROM_S:
        return row.median_power_w(start_s, end_s)
    return row.median_power_w(start_s + FOLLOWING_UP_S, end_s - FOLLOWING_DOWN_S)


@dataclass(frozen=True, slots=True)
class TwoClasses:
    """A split of levels into two classes: their means, the middle between them, the rarer one's share of the time."""

    low: float
    high: float
    middle: float
    rarer_share: float


def two_classes(levels: Floats, durations_s: Floats) -> TwoClasses | None:
    """The split in two with the least spread inside the classes; None for less than three levels."""
    if len(levels) < 3:
        return None
    order = np.argsort(levels)
    level, weight = levels[order], durations_s[order]
    below, above = np.cumsum(weight)[:-1], np.cumsum(weight[::-1])[-2::-1]
    low = np.cumsum(weight * level)[:-1] / below
    high = np.cumsum((weight * level)[::-1])[-2::-1] / above
    best = int(np.argmax(below * above * (high - low) ** 2))  # most between the classes is least inside them
    share = float(min(below[best], above[best]) / weight.sum())
    return TwoClasses(float(low[best]), float(high[best]), float(level[best] + level[best + 1]) / 2, share)


def relabelled(row: Row, blocks: list[Block]) -> list[Block]:
    """Blocks renamed by comparison: weak hard ones become easy; when that is settled, shallow easy ones hard."""
    for _ in range(STABLE_AFTER_ROUNDS):
        compared = Comparison(row, blocks)
        border = compared.class_border()
        above = compared.rowed & (compared.levels >= border)
        strong = compared.hard & (above | (compared.rowed & compared.between_stops))
        if (strong == compared.hard).all():
            shallow = [
                bool(above[n] and not compared.hard[n]) and compared.contrast(n) < math.log(LEAST_CONTRAST)
                for n in range(len(blocks))
            ]
            if not any(shallow):
                return blocks
            strong |= np.array(shallow)
        blocks = merged(blocks, strong)
    return blocks


def pauses_joined(row: Row, blocks: list[Block]) -> list[Block]:
    """Blocks without the short stops that break a piece in two instead of ending it, the shortest first."""
    while True:
        compared = Comparison(row, blocks)
        shortest_first = sorted(compared.recoveries, key=lambda n: float(compared.durations_s[n]))
        number = next((n for n in shortest_first if is_pause(compared, n)), None)
        if number is None:
            return blocks
        now_hard = compared.hard.copy()
        now_hard[number] = True
        blocks = merged(blocks, now_hard)


def is_pause(compared: Comparison, number: int) -> bool:
    """Whether a full stop between two equal pieces is too short to be meant: against the other rests or the pieces."""
    before, after = number - 1, number + 1
    unequal = abs(compared.levels[before] - compared.levels[after]) >= math.log(EQUAL_PIECES_RATIO)
    if compared.rowed[number] or unequal:
        return False
    stop_s = compared.durations_s[number]
    others_s = [compared.durations_s[n] for n in compared.recoveries if n != number]
    short_rest = len(others_s) >= 2 and stop_s < min(PAUSE_MOST_S, PAUSE_SHARE_OF_REST * float(np.median(others_s)))
    shorter_piece_s = min(compared.durations_s[before], compared.durations_s[after])
    return bool(short_rest or stop_s < min(DRINK_MOST_S, DRINK_SHARE_OF_PIECE * shorter_piece_s))


def ends_joined(row: Row, blocks: list[Block]) -> list[Block]:
    """Blocks in which a session's first and last strokes belong to its pieces, too few to be warm-up or cool-down."""
    if len(blocks) < 2:
        return blocks
    hard = [block.hard for block in blocks]
    for end, shortest_s in ((0, SHORTEST_WARMUP_S), (-1, SHORTEST_COOLDOWN_S)):
        start_s, end_s = bounds_s(row, blocks[end])
        hard[end] |= bool(end_s - start_s < shortest_s and row.rowed[blocks[end].first : blocks[end].last].all())
    return merged(blocks, hard)


def weak_edges_eased(row: Row, blocks: list[Block]) -> list[Block]:
    """Blocks in which a weak first or last piece is warm-up or cool-down, and a short bump part of its recovery."""
    for _ in range(STABLE_AFTER_ROUNDS):
        compared = Comparison(row, blocks)
        if len(compared.pieces) < 3:
            return blocks
        now_hard = [
            bool(hard) and not is_edge(compared, n) and not is_bump(compared, n) for n, hard in enumerate(compared.hard)
        ]
        if now_hard == compared.hard.tolist():
            return blocks
        blocks = merged(blocks, now_hard)
    return blocks


def is_edge(compared: Comparison, number: int) -> bool:
    """Whether a piece is the first or the last, clearly weaker for its length than those between, and not like them."""
    pieces = compared.pieces
    if number not in (pieces[0], pieces[-1]) or is_one_of_many(compared, number):
        return False
    toil_w = compared.toil_w
    others_w = toil_w[pieces[1:-1] if len(pieces) > 3 else [n for n in pieces if n != number]]
    limit_w = min(EDGE_PIECE_SHARE * float(np.median(toil_w[pieces])), EDGE_PIECE_BELOW_ALL * float(min(others_w)))
    return bool(toil_w[number] < limit_w)


def is_one_of_many(compared: Comparison, number: int) -> bool:
    """Whether a first or last piece has the length of the others, and its recovery that of the other recoveries."""
    pieces, recoveries = compared.pieces, compared.recoveries
    beside = number + 1 if number == pieces[0] else number - 1
    if len(pieces) < 4 or beside not in recoveries:
        return False
    same_piece = any(is_usual(values, number, pieces) for values in (compared.durations_s, compared.distances_m))
    return same_piece and is_usual(compared.durations_s, beside, recoveries)


def is_usual(values: Floats, number: int, all_numbers: Sequence[int]) -> bool:
    """Whether a block's length is that of the others."""
    usual = float(np.median([values[n] for n in all_numbers if n != number]))
    return bool(abs(values[number] - usual) <= max(SAME_LENGTH_SHARE * usual, SAME_LENGTH))


def is_bump(compared: Comparison, number: int) -> bool:
    """Whether a piece is short and far weaker than the usual one."""
    pieces = compared.pieces
    usual_w, usual_s = (float(np.median(values[pieces])) for values in (compared.powers_w, compared.durations_s))
    weak = compared.powers_w[number] < usual_w / BUMP_RATIO
    return bool(weak and compared.durations_s[number] < min(BUMP_MOST_S, usual_s / 2))
