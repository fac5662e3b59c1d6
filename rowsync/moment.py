"""One moment of a row, as every reader of it gets it: the screen, the live page, MQTT.

`fields()` is what page and MQTT send, by the names that the rest of rowsync has (docs/contract.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rowsync.guide import Cue
from rowsync.intervals import Effort
from rowsync.session import Header, Interval
from rowsync.strokes import Stroke
from rowsync.target import judged, target_words
from rowsync.telemetry import Sample
from rowsync.wording import stamp


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a row is after one notification, or one second.

    Attributes:
        number: how many packets and notes the session had so far: the line of its journal.
        time_s: session time [s]; later than the sample's when nothing came.
        sample: the state of the row; rates and power are None when the sample is old.
        cue: what the plan asks for; None without a plan.
        effort: what is being rowed, as far as can be said.
        gross_kcal: energy so far [kcal].
        energy_half_width: half of its 80 % range, as a share of it.
        notifications: how many arrived.
        saved: how many of them are safely on disk.
        trouble: why the disk refuses; None when all is well.
        lost: why nothing arrives from the machine; None when it does.
        calls: what is to be called out now: "3", "2", "1", the effort that begins, "paused", "done" (`guide.Caller`).
        strokes: the strokes that ended since the moment before.
        rounds: the hard pieces that are over.
        heading: what is known of the session as a whole.
    """

    number: int
    time_s: float
    sample: Sample
    cue: Cue | None
    effort: Effort | None
    gross_kcal: float
    energy_half_width: float
    notifications: int
    saved: int
    trouble: str | None
    heading: Header
    lost: str | None = None
    calls: tuple[str, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    rounds: tuple[Interval, ...] = ()

    def fields(self) -> dict[str, Any]:
        """The moment as JSON holds it, rounds and strokes left out."""
        sample = self.sample
        return {
            "session_id": self.heading.session_id,
            "number": self.number,
            "time_s": round(self.time_s, 3),
            "moving": sample.moving,
            **{name: _short(getattr(sample, name)) for name in SHOWN},
            "gross_kcal": round(self.gross_kcal, 2),
            "energy_half_width": round(self.energy_half_width, 3),
            "effort": self.effort,
            "guide": None if self.cue is None else cue_fields(self.cue, sample),
            "notifications": self.notifications,
            "saved": self.saved,
            "trouble": self.trouble,
            "lost": self.lost,
            "calls": list(self.calls),
        }


SHOWN = ("stroke_count", "stroke_rate_spm", "power_w", "pace_s_per_500m", "distance_m", "heart_rate_bpm")
"""The attributes of a sample that a reader of moments gets."""


def heading_fields(heading: Header) -> dict[str, Any]:
    """What is known of a session as a whole, as JSON holds it."""
    return {
        "session_id": heading.session_id,
        "started_at": stamp(heading.started_at),
        "athlete": heading.athlete.name,
        "machine": str(heading.machine.get("name") or ""),
        "plan": heading.plan,
        "origin": heading.origin,
    }


def cue_fields(cue: Cue, sample: Sample) -> dict[str, Any]:
    """What the guide says, as JSON holds it."""
    return {
        "state": cue.state,
        "piece": cue.number,
        "effort": cue.piece.effort if cue.piece else None,
        "round_number": cue.piece.round_number if cue.piece else None,
        "rounds": cue.rounds,
        "left_s": _short(cue.left_s),
        "left_m": _short(cue.left_m),
        "ends_s": _short(cue.ends_s),
        "share": round(cue.share, 4),
        "targets": [
            {"words": target_words(target), "is": judged(target, sample)}
            for target in (cue.piece.targets if cue.piece else ())
        ],
    }


ROUND_FIELDS = (
    "number",
    "start_s",
    "duration_s",
    "distance_m",
    "stroke_count",
    "mean_power_w",
    "mean_stroke_rate_spm",
    "mean_pace_s_per_500m",
    "mean_heart_rate_bpm",
    "peak_heart_rate_bpm",
    "heart_rate_recovery_bpm",
    "gross_kcal",
)


def round_fields(piece: Interval) -> dict[str, Any]:
    """A hard piece that is over, as JSON holds it."""
    return {name: _short(getattr(piece, name)) for name in ROUND_FIELDS}


STROKE_FIELDS = ("number", "start_s", "end_s", "distance_m", "power_w")


def stroke_fields(stroke: Stroke) -> dict[str, Any]:
    """A stroke, as JSON holds it."""
    return {name: _short(getattr(stroke, name)) for name in STROKE_FIELDS} | {"seen": stroke.seen}


def _short(value: Any) -> Any:
    """A number to a thousandth, which is finer than any measurement."""
    return round(value, 3) if isinstance(value, float) else value
