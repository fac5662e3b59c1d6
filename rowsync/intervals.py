"""Strokes to hard, easy, rest, warm-up, cool-down and steady segments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """A stretch of one effort [s]; the segments of a session tile it from its start to its end."""

    effort: Effort
    start_s: float
    end_s: float
