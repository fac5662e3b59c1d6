"""What was meant: a workout as a row of pieces, each with its effort and its length.

A plan is text that a person can type (`10x45/75`, `5m + 10x45/75 + 5m`, `8x500m/2m`, `30m`).  `parse_plan` reads it;
`Plan.pieces` is what everybody else uses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rowsync.errors import UsageError
from rowsync.intervals import Effort


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a plan: it ends by the clock or by the metre, whichever of the two is set."""

    effort: Effort
    duration_s: float | None = None
    distance_m: float | None = None
    round_number: int | None = None
    """1 for the first hard piece and the easy one after it; None for warm-up, cool-down and steady pieces."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A workout, as typed and as pieces in order."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def rounds(self) -> int:
        """How many hard pieces there are."""
        return sum(piece.effort is Effort.HARD for piece in self.pieces)

    @property
    def duration_s(self) -> float | None:
        """How long the plan takes [s]; None when a piece ends by the metre."""
        lengths = [piece.duration_s for piece in self.pieces]
        return None if None in lengths else sum(length for length in lengths if length is not None)
