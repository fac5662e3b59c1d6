"""Machines' personalities as data: what a monitor says of the rowing, in which notifications, and how it errs.

`MACHINES` is the table.  A `Console` speaks for one of its rows: fed with the state of the rower, it answers with the
Rower Data (0x2AD1) payloads that are due.  Nothing here knows Bluetooth, a loop or a clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rowsync.ftms import RowerData, encode_rower_data
from rowsync.virtual.rower import BOAT_DRAG_KG_PER_M, DRAG_N_M_S2, RowerState

_PACE_OFF_THE_WIRE = 0xFFFE
"""The slowest pace that fits: 65,534 s/500 m; a wheel that only just turns is slower [s/500 m]."""


# --- what a monitor reckons -------------------------------------------------------------------------------------------


def _kcal_per_hour(state: RowerState) -> int:
    return round(4 * 0.8604 * (state.power_w or 0.0) + 300)


def _average_stroke_rate_spm(state: RowerState) -> float:
    return min(127.5, 60 * state.stroke_count / state.elapsed_s) if state.elapsed_s > 0 else 0.0


def _average_pace_s_per_500m(state: RowerState) -> int | None:
    if state.distance_m < 1:
        return None
    return min(_PACE_OFF_THE_WIRE, round(500 * state.elapsed_s / state.distance_m))


def _average_power_w(state: RowerState) -> int:
    return round(BOAT_DRAG_KG_PER_M * (state.distance_m / state.elapsed_s) ** 3) if state.elapsed_s > 0 else 0


def _pace_s_per_500m(state: RowerState) -> int | None:
    return None if state.pace_s_per_500m is None else min(_PACE_OFF_THE_WIRE, round(state.pace_s_per_500m))


READINGS: Mapping[str, Callable[[RowerState], float | None]] = {
    "stroke_rate_spm": lambda state: state.stroke_rate_spm or 0.0,
    "stroke_count": lambda state: state.stroke_count,
    "average_stroke_rate_spm": _average_stroke_rate_spm,
    "total_distance_m": lambda state: math.floor(state.distance_m),
    "instantaneous_pace_s_per_500m": _pace_s_per_500m,
    "average_pace_s_per_500m": _average_pace_s_per_500m,
    "instantaneous_power_w": lambda state: round(state.power_w or 0.0),
    "average_power_w": _average_power_w,
    "resistance_level": lambda _: round(DRAG_N_M_S2 * 1e6),
    "total_energy_kcal": lambda state: math.floor(state.energy_kcal),
    "energy_per_hour_kcal": _kcal_per_hour,
    "energy_per_minute_kcal": lambda state: round(_kcal_per_hour(state) / 60),
    "heart_rate_bpm": lambda state: round(state.heart_rate_bpm),
    "elapsed_time_s": lambda state: math.floor(state.elapsed_s),
}
"""How each field of Rower Data follows from the state of the rower."""

PACES = ("instantaneous_pace_s_per_500m", "average_pace_s_per_500m")


# --- the table --------------------------------------------------------------------------------------------------------

EVERY_STROKE = None
"""A frame's period: it is sent when a stroke has been counted."""

LIVE = ("stroke_rate_spm", "stroke_count", "total_distance_m", "instantaneous_pace_s_per_500m")
ENERGY = ("total_energy_kcal", "energy_per_hour_kcal", "energy_per_minute_kcal")


@dataclass(frozen=True, slots=True)
class Frame:
    """One shape of notification.

    Attributes:
        fields: RowerData's names of what it holds.
        period_s: how often it is sent [s]; `EVERY_STROKE` for whenever a stroke has been counted.
        more_data: the More Data bit; a frame without it holds stroke rate and count.
        zeros: more fields, which always hold 0.
        extra: octets after the last field.
    """

    fields: tuple[str, ...]
    period_s: float | None
    more_data: bool = False
    zeros: tuple[str, ...] = ()
    extra: bytes = b""


@dataclass(frozen=True, slots=True)
class MachineModel:
    """One machine's personality.

    Attributes:
        frames: its notifications; those due at the same moment are sent in this order.
        features: the first word of Fitness Machine Feature (0x2ACC); None for a machine that hasn't got it.
        control_point: whether there is a Control Point (0x2AD9).
        zero_after_s: how long after the last stroke rate, pace and power turn to zero; infinite: they stay frozen [s].
        no_pace: what is sent for a pace that there isn't.
        silent_s: from when to when no notification leaves, though the machine counts on; since the first stroke [s].
        reset_at_s: when its counters and its time begin again at 0; since the first stroke [s].
        source: where this behaviour was seen.
    """

    frames: tuple[Frame, ...]
    features: int | None
    control_point: bool = True
    zero_after_s: float = math.inf
    no_pace: int = 0
    silent_s: tuple[float, float] = (math.inf, math.inf)
    reset_at_s: float = math.inf
    source: str = ""


# Fitness Machine Feature, first word (FTMS v1.0, 4.3).
_CADENCE, _DISTANCE, _PACE, _RESISTANCE = 1 << 1, 1 << 2, 1 << 5, 1 << 7
_ENERGY, _HEART_RATE, _ELAPSED, _POWER = 1 << 9, 1 << 10, 1 << 12, 1 << 14

STANDARD = MachineModel(
    frames=(Frame((*LIVE, "instantaneous_power_w", *ENERGY, "heart_rate_bpm", "elapsed_time_s"), period_s=0.5),),
    features=_DISTANCE | _PACE | _ENERGY | _HEART_RATE | _ELAPSED | _POWER,
    zero_after_s=6.0,
    source="all that fits into 20 octets, by the book; no real machine",
)

MACHINES: Mapping[str, MachineModel] = {
    "standard": STANDARD,
    "pace-only": MachineModel(
        frames=(Frame((*LIVE, "elapsed_time_s"), period_s=1.0),),
        features=_DISTANCE | _PACE | _ELAPSED,
        no_pace=0xFFFF,
        source="no power and no energy: Merach R15, Skandika Munin, MRK-R26 (qdomyos-zwift #4941, 35abc2cd1, #4971)",
    ),
    "viking": MachineModel(
        frames=(
            Frame(("total_distance_m", "heart_rate_bpm", "elapsed_time_s"), period_s=1.0, more_data=True),
            Frame(
                (
                    "stroke_rate_spm",
                    "stroke_count",
                    "instantaneous_pace_s_per_500m",
                    "instantaneous_power_w",
                    "average_power_w",
                    "resistance_level",
                ),
                period_s=EVERY_STROKE,
                zeros=("average_pace_s_per_500m",),
            ),
            Frame(ENERGY, period_s=EVERY_STROKE, more_data=True),
        ),
        features=None,
        control_point=False,
        source="First Degree Viking Pro V: three frames on three clocks, the energy after the last (ArduRower #1)",
    ),
    "dropout": replace(
        STANDARD,
        silent_s=(390.0, 400.0),
        source="a link that stands while nothing comes: ComModule (coxswain's KeepAlive)",
    ),
    "resetting": replace(
        STANDARD,
        reset_at_s=630.0,
        source="counters that begin again: stroke count of Mr Captain (TrackMyIndoorWorkout #291), Concept2 intervals",
    ),
    "pm5": MachineModel(
        frames=(
            Frame(
                (
                    "average_stroke_rate_spm",
                    "total_distance_m",
                    *PACES,
                    "instantaneous_power_w",
                    "average_power_w",
                    "resistance_level",
                    "heart_rate_bpm",
                    "elapsed_time_s",
                ),
                period_s=0.5,
                more_data=True,
                extra=b"\x00",
            ),
            Frame(("stroke_rate_spm", "stroke_count", "total_energy_kcal", "energy_per_hour_kcal"), period_s=0.5),
        ),
        features=_CADENCE | _DISTANCE | _PACE | _RESISTANCE | _ENERGY | _HEART_RATE | _ELAPSED | _POWER,
        source="Concept2 PM5, old FTMS: pair 0x0AFF and 0x0100, one octet too many, values frozen after a stop "
        "(TrackMyIndoorWorkout concept2_old_ftms_test; qdomyos-zwift #335, #1671)",
    ),
}


# --- the monitor ------------------------------------------------------------------------------------------------------


class Console:
    """The monitor of one machine.

    Args:
        model: how it behaves, a row of `MACHINES` or one of your own.
    """

    def __init__(self, model: MachineModel) -> None:
        self.model = model
        self._periods_sent = [0] * len(model.frames)
        self._stroke_count = 0
        self._zero: RowerState | None = None

    @property
    def next_due_s(self) -> float:
        """When the next frame with a period is due, by the rower's clock [s]; infinite if all wait for strokes."""
        timed = zip(self.model.frames, self._periods_sent, strict=True)
        return min((sent * f.period_s for f, sent in timed if f.period_s is not None), default=math.inf)

    @property
    def follows_strokes(self) -> bool:
        """Whether it must be fed at the end of each stroke to be on time."""
        return any(frame.period_s is EVERY_STROKE for frame in self.model.frames)

    def feed(self, state: RowerState) -> list[bytes]:
        """The payloads that are due at this moment, in the order of sending."""
        stroke_counted = state.stroke_count > self._stroke_count
        self._stroke_count = state.stroke_count
        due = [
            frame
            for number, frame in enumerate(self.model.frames)
            if (stroke_counted if frame.period_s is EVERY_STROKE else self._is_time(number, frame.period_s, state))
        ]
        shown = self._shown(state)
        return [] if self._is_silent(state) else [self._payload(frame, shown) for frame in due]

    def _is_time(self, number: int, period_s: float, state: RowerState) -> bool:
        if state.time_s < self._periods_sent[number] * period_s - 1e-6:
            return False
        self._periods_sent[number] = math.floor(state.time_s / period_s + 1e-6) + 1
        return True

    def _is_silent(self, state: RowerState) -> bool:
        start_s, end_s = self.model.silent_s
        return start_s <= state.elapsed_s < end_s

    def _shown(self, state: RowerState) -> RowerState:
        """The state as this machine sees it: counted from its last reset, and at zero after a stop if it does that."""
        if self._zero is None and state.elapsed_s >= self.model.reset_at_s:
            self._zero = state
        shown = state if self._zero is None else _counted_from(self._zero, state)
        if shown.still_s is not None and shown.still_s >= self.model.zero_after_s:
            shown = replace(shown, stroke_rate_spm=None, pace_s_per_500m=None, power_w=None)
        return shown

    def _payload(self, frame: Frame, state: RowerState) -> bytes:
        values: dict[str, Any] = {name: READINGS[name](state) for name in frame.fields}
        values |= {name: self.model.no_pace for name in PACES if name in values and values[name] is None}
        values |= dict.fromkeys(frame.zeros, 0)
        return encode_rower_data(RowerData(more_data=frame.more_data, extra=frame.extra, **values))


def _counted_from(zero: RowerState, state: RowerState) -> RowerState:
    return replace(
        state,
        elapsed_s=state.elapsed_s - zero.elapsed_s,
        stroke_count=state.stroke_count - zero.stroke_count,
        distance_m=state.distance_m - zero.distance_m,
        energy_kcal=state.energy_kcal - zero.energy_kcal,
    )
