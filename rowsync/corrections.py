"""What a person says of a session's intervals: an edge really lies elsewhere, a stretch was something else.

A correction is the whole tiling as the person sees it right, not a list of edits, so it means the same whatever a later
detector finds.  Nothing here changes a session: segments in, segments out, and they always tile what they tiled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from rowsync.errors import UsageError
from rowsync.intervals import Effort, Segment, joined
from rowsync.wording import clock, effort_name, moment, short_day, stamp

CORRECTED = "corrected"
"""What `intervals_from` says of a corrected session."""

REACH_S = 30.0
"""How far from an edge one may point and still mean it: nearer than any two edges that a person tells apart [s]."""

SHORTEST_S = 1.0
"""A terminal shows whole seconds, so who types them can't mean less; less than it is left of nothing [s]."""

EDGES_NAMED = 12
"""A longer list of edges helps nobody."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A session's segments as a person sees them right.

    Attributes:
        segments: they tile the session, no two neighbours of the same effort.
        corrected_at: when it was said.
    """

    segments: tuple[Segment, ...]
    corrected_at: datetime


# --- what one may say -------------------------------------------------------------------------------------------------


def moved(segments: Sequence[Segment], edge_s: float, to_s: float) -> tuple[Segment, ...]:
    """The segments with one edge moved.

    Args:
        segments: they tile a session.
        edge_s: about where the edge is; the nearest within `REACH_S` is meant [s].
        to_s: where it really is; at least `SHORTEST_S` from the edges before and after it [s].

    Raises:
        UsageError: no edge is near (the message names those that are nearest), or it would pass another.
    """
    edges_s = [segment.start_s for segment in segments[1:]]
    if not edges_s:
        raise UsageError("This session is one interval from its start to its end: there is no edge to move.")
    at = min(range(len(edges_s)), key=lambda number: abs(edges_s[number] - edge_s))
    if abs(edges_s[at] - edge_s) > REACH_S:
        raise UsageError(f"No edge is near {clock(edge_s)}. {_named(edges_s, edge_s)}")
    before, after = segments[at : at + 2]
    if not before.start_s + SHORTEST_S <= to_s <= after.end_s - SHORTEST_S:
        raise UsageError(
            f"The edge at {clock(edges_s[at])} can't move to {clock(to_s)}: the intervals beside it begin at "
            f"{clock(before.start_s)} and end at {clock(after.end_s)}."
        )
    beside = (Segment(before.effort, before.start_s, to_s), Segment(after.effort, to_s, after.end_s))
    return (*segments[:at], *beside, *segments[at + 2 :])


def painted(segments: Sequence[Segment], effort: Effort, start_s: float, end_s: float) -> tuple[Segment, ...]:
    """The segments with a stretch of them called another effort, whatever lies below; equal neighbours become one.

    Args:
        segments: they tile a session.
        effort: what the stretch was.
        start_s: its start, clipped to the session [s].
        end_s: its end, likewise; where less than `SHORTEST_S` would be left beside the stretch, it is part of it [s].

    Raises:
        UsageError: the session has nothing of such a stretch.
    """
    total_s = segments[-1].end_s if segments else 0.0
    if min(end_s, total_s) - max(start_s, 0.0) < SHORTEST_S:
        raise UsageError(
            f"{clock(start_s)} to {clock(end_s)} is no stretch of this session, which lasts {clock(total_s)}."
        )
    before, after = _cut(segments, 0.0, start_s), _cut(segments, end_s, total_s)
    stretch = Segment(effort, before[-1].end_s if before else 0.0, after[0].start_s if after else total_s)
    return joined([*before, stretch, *after])


def fitted(segments: Sequence[Segment], end_s: float) -> tuple[Segment, ...]:
    """The segments for a session that ends at another time: the last is stretched, or what lies behind is left out."""
    kept = [segment for segment in segments if segment.start_s < end_s]
    return (*kept[:-1], replace(kept[-1], end_s=end_s)) if kept else ()


def _cut(segments: Sequence[Segment], start_s: float, end_s: float) -> list[Segment]:
    """What is left of the segments between two times, without what is cut to a sliver."""
    cut = [(each, max(each.start_s, start_s), min(each.end_s, end_s)) for each in segments]
    return [
        Segment(each.effort, from_s, to_s)
        for each, from_s, to_s in cut
        if to_s > from_s and to_s - from_s >= min(SHORTEST_S, each.end_s - each.start_s)
    ]


def _named(edges_s: Sequence[float], near_s: float) -> str:
    nearest_s = sorted(sorted(edges_s, key=lambda edge_s: abs(edge_s - near_s))[:EDGES_NAMED])
    which = "The nearest edges are" if len(nearest_s) < len(edges_s) else "The edges are"
    return f"{which} {', '.join(map(clock, nearest_s))}."


# --- as typed, as stored, as said -------------------------------------------------------------------------------------

_TYPED = re.compile(
    r"(?:(?:([0-9]{1,3}):(?=[0-5][0-9]:))?([0-9]{1,4}):(?=[0-5][0-9](?:\.|$)))?([0-9]{1,6}(?:\.[0-9]+)?)"
)


def typed_s(text: str) -> float:
    """A time in a session as a person types it, `5:12`, `312`, `312.5` or `1:02:03` [s].

    Raises:
        UsageError: the text is no time.
    """
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text[:20]!r} is no time in a session: type it as 5:12, 312, 312.5 or 1:02:03.")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 3600.0 * hours + 60.0 * minutes + seconds


def typed_effort(text: str) -> Effort:
    """An effort as a person types it, by its name in documents or in tables: `warmup` or `warm-up`.

    Raises:
        UsageError: there is no such effort.
    """
    names = {name: effort for effort in Effort for name in (effort.value, effort_name(effort))}
    if (effort := names.get(text.strip().lower())) is None:
        raise UsageError(f"{text[:20]!r} is no effort: it is one of {', '.join(map(effort_name, Effort))}.")
    return effort


def correction_fields(correction: Correction) -> dict[str, Any]:
    """A correction as JSON holds it (docs/contract.md, "Store")."""
    intervals = [
        {"effort": each.effort.value, "start_s": each.start_s, "end_s": each.end_s} for each in correction.segments
    ]
    return {"corrected_at": stamp(correction.corrected_at), "intervals": intervals}


def correction_from_fields(content: Any) -> Correction | None:
    """A correction from JSON; None where it is none, or where its intervals don't tile anything from 0 on."""
    at = moment(content.get("corrected_at")) if isinstance(content, dict) else None
    if at is None or not isinstance(content["corrected_at"], str):
        return None
    segments = segments_from_fields(content.get("intervals"))
    return Correction(segments, at.astimezone(UTC)) if segments else None


def segments_from_fields(content: Any) -> tuple[Segment, ...]:
    """Segments from the `intervals` of a truth or of a session; empty where they aren't a tiling from 0 on."""
    found = [_segment(each) for each in content] if isinstance(content, list) else []
    segments = [each for each in found if each is not None]
    meet = all(before.end_s == after.start_s for before, after in pairwise(segments))
    is_tiling = bool(segments) and len(segments) == len(found) and segments[0].start_s == 0.0 and meet
    return joined(segments) if is_tiling else ()


def said(summary: Mapping[str, Any]) -> str:
    """Whether a person corrected a session's intervals, in words; empty if not.

    Args:
        summary: the JSON of `rowsync show`.
    """
    if summary.get("intervals_from") != CORRECTED:
        return ""
    at = moment(summary.get("corrected_at"))
    return "corrected by you" + (f" on {short_day(at)}" if at else "")


_LATEST_S = 1e9
"""More than any recording has; a larger number isn't a time [s]."""


def _segment(content: Any) -> Segment | None:
    match content:
        case {"effort": str(effort), "start_s": int() | float() as start_s, "end_s": int() | float() as end_s}:
            known = effort in {each.value for each in Effort} and 0.0 <= start_s < end_s <= _LATEST_S
            return Segment(Effort(effort), float(start_s), float(end_s)) if known else None
    return None
