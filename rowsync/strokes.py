"""Samples to strokes.  The strokes own the time they were rowed in; what no stroke owns is rest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke, dated by the stroke count and the host's clock.

    Attributes:
        number: 1 for the session's first.
        start_s: when it began: the end of the stroke before, or later when there was a stop between them [s].
        end_s: when the machine counted it [s].
        distance_m: distance covered in it [m].
        power_w: mean power of it as the machine reports it, or as pace or distance imply it [W].
    """

    number: int
    start_s: float
    end_s: float
    distance_m: float | None
    power_w: float | None

    @property
    def duration_s(self) -> float:
        """From start to end [s]."""
        return self.end_s - self.start_s
