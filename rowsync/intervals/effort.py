"""What a stretch of a session was rowed as."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby


class Effort(StrEnum):
    """What a stretch of a session was rowed as."""

    HARD = "hard"
    EASY = "easy"
    REST = "rest"
    WARMUP = "warmup"
    COOLDOWN = "cooldown"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one effort; the segments of a session tile it from its start to its end.

    Attributes:
        effort: what it was rowed as.
        start_s: its start [s].
        end_s: its end [s].
        confidence: how sure the change at its start is, 0 to 1; None where nothing was detected: at the session's
            start, and where a person or nobody said when.
    """

    effort: Effort
    start_s: float
    end_s: float
    confidence: float | None = None


def joined(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """The same segments with equal neighbours made one."""
    groups = (list(group) for _, group in groupby(segments, key=lambda segment: segment.effort))
    return tuple(replace(group[0], end_s=group[-1].end_s) for group in groups)
