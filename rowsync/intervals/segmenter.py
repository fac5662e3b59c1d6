"""From strokes to segments: what a session was rowed as.

strokes → Row (spans of rowing and of stopping) → stories → the likeliest → pieces → Segments
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from rowsync.intervals.alignment import Compliance, aligned_story, compared
from rowsync.intervals.announcer import Announcer
from rowsync.intervals.blocks import Block, Comparison, bounds_s
from rowsync.intervals.effort import Effort, Segment, joined
from rowsync.intervals.judge import confidence_of, probability_of
from rowsync.intervals.row import LONGEST_STROKE_S, POOLED_STROKES, SHORTEST_STROKE_S, Row, weighted_median
from rowsync.intervals.stories import Story, likeliest
from rowsync.strokes import Stroke

LONG_STOP_S = 25.0  # a full stop this long in a warm-up, a cool-down or a steady row is a rest
UNROWED_EDGE_S = 30.0  # a session's first or last seconds without a stroke are a rest when longer than this ...
UNROWED_BESIDE_HARD_S = 3.0  # ... or than this beside a hard piece, whose edges are dated to the stroke
WARMUP_LEAST_S, WARMUP_MOST_SHARE, WARMUP_RATIO = 120.0, 0.4, 0.85  # of a steady row: minutes long, clearly weaker
MOST_LOG_ODDS = 9.0  # nobody is surer than that


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a session was rowed as.

    Attributes:
        segments: they tile the session, no two neighbours of the same effort.
        probability: that it is an interval session at all, 0 to 1; None when nobody rowed.
        compliance: how its plan was kept; None without a plan.
    """

    segments: tuple[Segment, ...]
    probability: float | None
    compliance: Compliance | None = None


class Segmenter:
    """Splits a stream of strokes where the effort changes and stays changed.

    Args:
        caution: live, the one knob between delay and false alarms: 1 is usual, 2 makes each change twice as dear.

    Attributes:
        taken: how many strokes it took: those that take time, after the one before.
    """

    def __init__(self, caution: float = 1.0) -> None:
        self.taken = 0
        self._strokes: list[Stroke] = []
        self._announcer, self._announced = Announcer(caution), 0

    def feed(self, stroke: Stroke) -> None:
        """Takes the next stroke; times between strokes that no stroke owns are rest."""
        before_s = self._strokes[-1].end_s if self._strokes else 0.0
        if not (math.isfinite(stroke.start_s) and math.isfinite(stroke.end_s) and stroke.end_s > before_s):
            return
        start_s = max(stroke.start_s, before_s, stroke.end_s - LONGEST_STROKE_S)
        if stroke.end_s - start_s >= SHORTEST_STROKE_S:
            self._strokes.append(stroke if start_s == stroke.start_s else stroke._replace(start_s=start_s))
            self.taken += 1

    def effort(self, time_s: float) -> Effort | None:
        """The provisional effort at `time_s`, at or after the last stroke [s]; None before the first stroke."""
        return self._announcer_after(self.taken).effort(time_s)

    def settled(self, time_s: float, taken: int | None = None) -> Effort | None:
        """The effort some seconds before `time_s`, said for good until the end; None before the first stroke.

        Args:
            time_s: at or after the last stroke [s].
            taken: as it was known by so many strokes, no fewer than at any question before; by default by all.
        """
        return self._announcer_after(self.taken if taken is None else taken).settled(time_s)

    def _announcer_after(self, taken: int) -> Announcer:
        """The announcer, told so many strokes: it reckons when it is asked, and after the fact nobody asks."""
        for told in range(self._announced + 1, taken + 1):
            self._announcer.feed(self._strokes[max(0, told - POOLED_STROKES) : told])
        self._announced = max(self._announced, taken)
        return self._announcer

    def finish(
        self, end_s: float, timetable: Sequence[Segment] = (), pauses_s: Sequence[tuple[float, float]] = ()
    ) -> Segmentation:
        """What the session was, from 0 to `end_s` [s].

        Args:
            end_s: when it ended [s].
            timetable: when which piece of a plan was due; empty for a free row.
            pauses_s: from when to when a piece waited for somebody to row on, in order [s].
        """
        if not end_s > 0:
            return Segmentation((), None)
        strokes = [
            stroke if stroke.end_s <= end_s else stroke._replace(end_s=end_s)
            for stroke in self._strokes
            if stroke.start_s <= end_s - SHORTEST_STROKE_S
        ]
        if not strokes:
            return Segmentation((Segment(Effort.REST, 0.0, end_s),), None)
        row = Row.of(strokes)
        found = likeliest(row)
        planned = aligned_story(row, timetable, found, pauses_s)
        story = planned or found
        named = interval_segments(row, story) if story.evidence > 0 else steady_segments(row, story.blocks)
        segments = tile(named, end_s)
        kept = compared(timetable, segments, pauses_s, aligned=planned is not None) if timetable else None
        return Segmentation(segments, probability_of(min(story.evidence, MOST_LOG_ODDS)), kept)


# --- names -------------------------------------------------------------------------------------------------------


def interval_segments(row: Row, story: Story) -> list[Segment]:
    """Warm-up, the pieces with what lies between them, and cool-down."""
    segments: list[Segment] = []
    edges_s = [float(row.start_s[0]), *(edge.time_s for edge in story.edges), float(row.end_s[-1])]
    confidences = [None, *(confidence_of(edge.clearness, story.evidence) for edge in story.edges)]
    pieces = [number for number, block in enumerate(story.blocks) if block.hard]
    parts = zip(story.blocks, pairwise(edges_s), confidences, strict=True)
    for number, (block, (start_s, end_s), confidence) in enumerate(parts):
        if block.hard:
            segments.append(Segment(Effort.HARD, start_s, end_s, confidence))
        elif pieces[0] < number < pieces[-1]:
            segments.append(Segment(recovery(row, start_s, end_s), start_s, end_s, confidence))
        else:
            effort = Effort.WARMUP if number < pieces[0] else Effort.COOLDOWN
            segments += rowed_with_rests(row, effort, start_s, end_s, confidence)
    return segments


def recovery(row: Row, start_s: float, end_s: float) -> Effort:
    """What lies between two pieces: a rest when it was mostly a full stop, else easy."""
    return Effort.REST if row.stopped_s(start_s, end_s) > (end_s - start_s) / 2 else Effort.EASY


def steady_segments(row: Row, blocks: Sequence[Block]) -> list[Segment]:
    """One steady row between its warm-up and cool-down, where it has those, broken by its long stops."""
    first_s, last_s = float(row.start_s[0]), float(row.end_s[-1])
    start_s = bounds_s(row, blocks[0])[1] if is_apart(row, blocks, 0) else first_s
    end_s = bounds_s(row, blocks[-1])[0] if is_apart(row, blocks, len(blocks) - 1) else last_s
    segments = rowed_with_rests(row, Effort.WARMUP, first_s, start_s)
    segments += rowed_with_rests(row, Effort.STEADY, start_s, end_s)
    return segments + rowed_with_rests(row, Effort.COOLDOWN, end_s, last_s)


def is_apart(row: Row, blocks: Sequence[Block], number: int) -> bool:
    """Whether the first or last block of a steady row is minutes long and clearly weaker than the rest."""
    compared = Comparison(row, blocks)
    if compared.hard[number] or not compared.rowed[number] or not compared.pieces:
        return False
    block_s, block_w = float(compared.durations_s[number]), float(compared.powers_w[number])
    steady_w = weighted_median(compared.powers_w[compared.hard], compared.durations_s[compared.hard])
    long_enough = WARMUP_LEAST_S <= block_s <= WARMUP_MOST_SHARE * float(compared.durations_s.sum())
    return long_enough and block_w < WARMUP_RATIO * steady_w


def rowed_with_rests(
    row: Row, effort: Effort, start_s: float, end_s: float, confidence: float | None = None
) -> list[Segment]:
    """A stretch of one effort, broken by its long full stops."""
    long_stops = ~row.rowed & (row.durations_s >= LONG_STOP_S)
    starts_s, ends_s = (np.clip(times_s[long_stops], start_s, end_s).tolist() for times_s in (row.start_s, row.end_s))
    segments = [Segment(Effort.REST, *stop_s) for stop_s in zip(starts_s, ends_s, strict=True)]
    segments += [Segment(effort, *rowed_s) for rowed_s in zip([start_s, *ends_s], [*starts_s, end_s], strict=True)]
    in_order = sorted((each for each in segments if each.end_s > each.start_s), key=lambda each: each.start_s)
    return [replace(each, confidence=confidence) for each in in_order[:1]] + in_order[1:]


def tile(segments: Sequence[Segment], end_s: float) -> tuple[Segment, ...]:
    """The segments stretched, or completed by rests, to fill the time from 0 to `end_s`; equal neighbours joined."""
    some = [segment for segment in segments if segment.end_s > segment.start_s]
    if is_long_unrowed(some[0].start_s, some[0]):
        some.insert(0, Segment(Effort.REST, 0.0, some[0].start_s))
    if is_long_unrowed(end_s - some[-1].end_s, some[-1]):
        some.append(Segment(Effort.REST, some[-1].end_s, end_s))
    whole = joined(some)
    edges_s = [0.0, *(segment.start_s for segment in whole[1:]), end_s]
    return tuple(
        replace(segment, start_s=from_s, end_s=to_s)
        for segment, (from_s, to_s) in zip(whole, pairwise(edges_s), strict=True)
    )


def is_long_unrowed(gap_s: float, beside: Segment) -> bool:
    """Whether the time without strokes beside a session's first or last segment is a rest of its own."""
    return gap_s > (UNROWED_BESIDE_HARD_S if beside.effort is Effort.HARD else UNROWED_EDGE_S)
