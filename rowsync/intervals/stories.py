"""Stories: the ways in which one row can be read as hard and easy.

The ladder reads it at several prices of a change, from sensitive to stubborn; the stops alone read it as pieces between
rests; a rhythm reads it as a comb.  The judge says how likely each story is, and the likeliest is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rowsync.intervals.blocks import Block, blocks_of, pauses_joined, relabelled, weak_edges_eased
from rowsync.intervals.edges import Edge, dated
from rowsync.intervals.judge import Features, evidence_of, features_of
from rowsync.intervals.ladder import Ladder, cheapest_paths
from rowsync.intervals.rhythm import find_rhythm
from rowsync.intervals.row import Row
from rowsync.intervals.timetable import laid_over

USUAL = Ladder(3.5, dip_cap_per_s=0.30, burst_cap_per_s=0.60)  # 23 s and 12 s: the shortest pause, the shortest sprint
SENSITIVE = Ladder(2.5, dip_cap_per_s=0.40, burst_cap_per_s=0.70)  # 13 s and 7 s
STUBBORN = Ladder(7.0, dip_cap_per_s=0.30, burst_cap_per_s=0.60)  # 47 s and 23 s
FINE = Ladder(1.5, dip_cap_per_s=0.60, burst_cap_per_s=0.90)  # 5 s and 3 s: sees much that is not there ...
FINE_LEAST_PIECES = 4  # ... and is only believed when strikingly regular (DEV)
FINE_UNEVENNESS, FINE_REST_UNEVENNESS = 0.25, 0.30
FINE_RECOVERY_SHARE, FINE_SEPARATION = 0.12, 1.5
REST_FROM_S = (8.0, 15.0, 25.0, 45.0)  # stops of this length end a piece, shorter ones are pauses in it
ABOUT_EQUAL = 0.4  # of stories that the judge believes about equally, the one with most pieces is told
EVEN_BONUS, EVEN_SEPARATION = 1.2, 0.7


@dataclass(frozen=True, slots=True)
class Story:
    """One reading of a row.

    Attributes:
        blocks: its stretches of hard and easy.
        edges: the changes between them.
        features: what it looks like; None when it has less than two pieces.
        evidence: log-odds that it is the right one.
    """

    blocks: list[Block]
    edges: list[Edge]
    features: Features | None
    evidence: float

    @property
    def pieces(self) -> int:
        """How many hard pieces it has."""
        return sum(block.hard for block in self.blocks)


def likeliest(row: Row) -> Story:
    """The story that the judge believes most; when none has evidence above 0, the usual ladder's, with the best's."""
    stories = list(plain_stories(row))
    most = max(story.evidence for story in stories)
    best = max(stories, key=lambda story: (story.evidence > most - ABOUT_EQUAL, story.pieces, story.evidence))
    even = even_story(row)
    if even is not None and (best.evidence <= 0 or is_better(row, even, best)):
        return even
    return best if best.evidence > 0 else replace(stories[0], evidence=most)


def plain_stories(row: Row) -> Iterator[Story]:
    """What the ladders and the stops make of a row, each story once; the first is the usual ladder's."""
    only_fine: dict[tuple[Block, ...], bool] = {}
    for blocks, is_fine in readings(row):
        only_fine[blocks] = is_fine and only_fine.get(blocks, True)
    for blocks, is_fine in only_fine.items():
        story = told(row, blocks)
        if not is_fine or is_strikingly_regular(story.features):
            yield story


def readings(row: Row) -> Iterator[tuple[tuple[Block, ...], bool]]:
    """The blocks of each reading, and whether it is the fine ladder's; many readings are the same."""
    ladders = (USUAL, SENSITIVE, STUBBORN, FINE)
    spans = list(zip(row.levels.tolist(), row.durations_s.tolist(), strict=True))
    for ladder, hard in zip(ladders, cheapest_paths(ladders, row.noise, spans), strict=True):
        blocks = relabelled(row, blocks_of(hard if hard.any() else ~hard))
        if ladder is not FINE:
            blocks = relabelled(row, pauses_joined(row, blocks))
        yield tuple(weak_edges_eased(row, blocks)), ladder is FINE
    for rest_s in REST_FROM_S:
        ends = ~row.rowed & (row.durations_s >= rest_s)
        if ends.any():
            yield tuple(weak_edges_eased(row, blocks_of(~ends))), False


def told(row: Row, blocks: Sequence[Block]) -> Story:
    """The story that blocks tell, its edges dated, and what the judge says of it."""
    sharp, edges = dated(row, blocks)
    features = features_of(row, sharp)
    return Story(sharp, edges, features, evidence_of(features))


def even_story(row: Row) -> Story | None:
    """The story of a row's rhythm, if it has one."""
    rhythm = find_rhythm(row)
    if rhythm is None:
        return None
    blocks, edges = dated(row, *laid_over(row, rhythm.pieces_s))
    features = features_of(row, blocks)
    if features is None or features.separation < EVEN_SEPARATION:
        return None  # the comb met what repeats stroke by stroke, not piece by piece
    return Story(blocks, edges, features, rhythm.clearness)


def is_strikingly_regular(features: Features | None) -> bool:
    """Whether pieces and recoveries repeat so that they were meant, however many steps the ladder took."""
    return (
        features is not None
        and features.pieces >= FINE_LEAST_PIECES
        and features.unevenness <= FINE_UNEVENNESS
        and features.rest_unevenness <= FINE_REST_UNEVENNESS
        and features.recovery_share >= FINE_RECOVERY_SHARE
        and features.separation > FINE_SEPARATION
    )


def is_better(row: Row, even: Story, other: Story) -> bool:
    """Whether a story of equal pieces explains more than one with no more of them; with more it may explain less."""
    bonus = EVEN_BONUS if even.pieces > other.pieces else 1.0
    return even.pieces >= other.pieces and bonus * explained(row, even) > explained(row, other)


def explained(row: Row, story: Story) -> float:
    """How much of the ups and downs a story explains, each piece beside its own recoveries [log power² s].

    A piece of W seconds beside recoveries of E seconds explains contrast² W E / (W + E).  What moves the level of a
    whole row, as fatigue does, counts for nothing.
    """
    levels, seconds = row.resting_levels, row.durations_s
    spans = [slice(block.first, block.last) for block in story.blocks]
    lasts_s = np.array([seconds[each].sum() for each in spans])
    means = np.array([np.average(levels[each], weights=seconds[each]) for each in spans])
    total = 0.0
    for number, block in enumerate(story.blocks):
        beside = [n for n in (number - 1, number + 1) if block.hard and 0 <= n < len(spans)]
        if beside:
            piece_s, easy_s = lasts_s[number], float(np.mean(lasts_s[beside]))
            total += float(means[number] - np.mean(means[beside])) ** 2 * piece_s * easy_s / (piece_s + easy_s)
    return total
