"""The monitor of one machine: fed with the state of the rower, it answers with the notifications that are due.

It speaks two languages, Rower Data (FTMS) and Concept2's own; `READINGS` and `CONCEPT2_READINGS` say how each of their
fields follows from what the machine knows.  Nothing here knows Bluetooth, a loop or a clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

from rowsync import concept2
from rowsync.ftms import ROWER_DATA, RowerData, encode_rower_data
from rowsync.intervals import Effort
from rowsync.virtual.model import Event, Frame, Glitch, MachineModel, Reckoning
from rowsync.virtual.rower import BOAT_DRAG_KG_PER_M, DRAG_N_M_S2, RowerState

_PACE_OFF_THE_WIRE = 0xFFFE
"""The slowest pace that fits: 65,534 s/500 m; a wheel that only just turns is slower [s/500 m]."""


class Due(NamedTuple):
    """A notification that is due."""

    characteristic: str
    payload: bytes


# --- what a monitor reckons -------------------------------------------------------------------------------------------


def _kcal_per_hour(state: RowerState) -> int:
    return round(4 * 0.8604 * (state.power_w or 0.0) + 300)


def _average_stroke_rate_spm(state: RowerState) -> float:
    return min(127.5, 60 * state.stroke_count / state.elapsed_s) if state.elapsed_s > 0 else 0.0


def _average_pace_s_per_500m(state: RowerState) -> int | None:
    if state.distance_m < 1:
        return None
    return min(_PACE_OFF_THE_WIRE, round(500 * state.elapsed_s / state.distance_m))


def _average_speed_m_s(state: RowerState) -> float:
    return state.distance_m / state.elapsed_s if state.elapsed_s > 0 else 0.0


def _average_power_w(state: RowerState) -> int:
    return round(BOAT_DRAG_KG_PER_M * _average_speed_m_s(state) ** 3)


def _pace_s_per_500m(state: RowerState) -> int | None:
    return None if state.pace_s_per_500m is None else min(_PACE_OFF_THE_WIRE, round(state.pace_s_per_500m))


def _drag_factor(_: RowerState) -> int:
    return round(DRAG_N_M_S2 * 1e6)


READINGS: Mapping[str, Reckoning] = {
    "stroke_rate_spm": lambda state: state.stroke_rate_spm or 0.0,
    "stroke_count": lambda state: state.stroke_count,
    "average_stroke_rate_spm": _average_stroke_rate_spm,
    "total_distance_m": lambda state: math.floor(state.distance_m),
    "instantaneous_pace_s_per_500m": _pace_s_per_500m,
    "average_pace_s_per_500m": _average_pace_s_per_500m,
    "instantaneous_power_w": lambda state: round(state.power_w or 0.0),
    "average_power_w": _average_power_w,
    "resistance_level": _drag_factor,
    "total_energy_kcal": lambda state: math.floor(state.energy_kcal),
    "energy_per_hour_kcal": _kcal_per_hour,
    "energy_per_minute_kcal": lambda state: round(_kcal_per_hour(state) / 60),
    "heart_rate_bpm": lambda state: round(state.heart_rate_bpm),
    "elapsed_time_s": lambda state: math.floor(state.elapsed_s),
}
"""How each field of Rower Data follows from the state of the rower."""

PACES = ("instantaneous_pace_s_per_500m", "average_pace_s_per_500m")


# --- the same in Concept2's words -------------------------------------------------------------------------------------

DRIVE_LENGTH_M = 1.4
"""An assumption: the way of the handle; the flywheel knows none [m]."""

PEAK_TO_MEAN_FORCE = 1.6
"""An assumption: a drive that is a little fuller than a half sine."""

_VARIABLE_INTERVALS = 8
_WAITING, _ROWING, _RESTING, _OVER = 0, 1, 3, 10
_TIME, _REST = 0, 2
_DRIVING, _RECOVERING = 2, 4
_LOG_DATE, _LOG_TIME = 26 << 9 | 23 << 4 | 11, 12 << 8
"""Every summary is of noon, 23 November 2026: the year since 2000, the day and the month share two octets."""


def _is_rowing(state: RowerState) -> bool:
    return state.effort is not None and state.still_s is None


def _workout_state(state: RowerState) -> int:
    if state.effort is None:
        return _OVER if state.done else _WAITING
    return _RESTING if state.effort is Effort.REST else _ROWING


def _stroke_state(state: RowerState) -> int:
    if not _is_rowing(state):
        return 0
    return _RECOVERING if state.drive.count > state.stroke_count else _DRIVING


def _recovery_time_s(state: RowerState) -> float:
    return max(0.0, state.stroke.duration_s - state.drive.duration_s) if state.stroke else 0.0


def _force_n(state: RowerState) -> float:
    return state.drive.work_j / DRIVE_LENGTH_M


CONCEPT2_READINGS: Mapping[str, Reckoning] = {
    "elapsed_s": lambda state: state.elapsed_s,
    "distance_m": lambda state: state.distance_m,
    "workout_type": lambda _: _VARIABLE_INTERVALS,
    "interval_type": lambda state: _REST if state.effort is Effort.REST else _TIME,
    "workout_state": _workout_state,
    "rowing_state": _is_rowing,
    "stroke_state": _stroke_state,
    "drag_factor": _drag_factor,
    "speed_m_per_s": lambda state: 500 / state.pace_s_per_500m if state.pace_s_per_500m else 0.0,
    "stroke_rate_spm": lambda state: state.stroke_rate_spm or 0.0,
    "heart_rate_bpm": lambda state: state.heart_rate_bpm,
    "pace_s_per_500m": lambda state: state.pace_s_per_500m or 0.0,
    "average_pace_s_per_500m": lambda state: _average_pace_s_per_500m(state) or 0.0,
    "erg_machine_type": lambda _: 0,
    "interval_count": lambda state: max(0, state.piece_count - 1),
    "average_power_w": _average_power_w,
    "energy_kcal": lambda state: math.floor(state.energy_kcal),
    "drive_length_m": lambda state: DRIVE_LENGTH_M if state.drive.count else 0.0,
    "drive_time_s": lambda state: state.drive.duration_s,
    "recovery_time_s": _recovery_time_s,
    "stroke_distance_m": lambda state: state.stroke.distance_m if state.stroke else 0.0,
    "peak_force_n": lambda state: PEAK_TO_MEAN_FORCE * _force_n(state),
    "average_force_n": _force_n,
    "work_per_stroke_j": lambda state: state.drive.work_j or None,
    "stroke_count": lambda state: max(state.stroke_count, state.drive.count),
    "power_w": lambda state: state.power_w or 0.0,
    "energy_per_hour_kcal": _kcal_per_hour,
    "split_time_s": lambda state: state.elapsed_s,
    "split_distance_m": lambda state: state.distance_m,
    "split_type": lambda _: _TIME,
    "split_number": lambda state: state.piece_count,
    "split_stroke_rate_spm": _average_stroke_rate_spm,
    "split_heart_rate_bpm": lambda state: state.heart_rate_bpm,
    "split_pace_s_per_500m": lambda state: _average_pace_s_per_500m(state) or 0.0,
    "split_energy_kcal": lambda state: math.floor(state.energy_kcal),
    "split_energy_per_hour_kcal": _kcal_per_hour,
    "split_speed_m_per_s": _average_speed_m_s,
    "split_power_w": _average_power_w,
    "split_drag_factor": _drag_factor,
    "log_date": lambda _: _LOG_DATE,
    "log_time": lambda _: _LOG_TIME,
    "average_stroke_rate_spm": _average_stroke_rate_spm,
    "end_heart_rate_bpm": lambda state: state.heart_rate_bpm,
    "average_drag_factor": _drag_factor,
    "split_count": lambda state: state.piece_count,
}
"""How each field of Concept2's follows from the state of the rower; a field that isn't here is sent as 0."""


# --- languages --------------------------------------------------------------------------------------------------------


def _rower_data(frame: Frame, values: Mapping[str, Any]) -> bytes:
    return encode_rower_data(RowerData(more_data=frame.more_data, extra=frame.extra, **values))


def _concept2(frame: Frame, values: Mapping[str, Any]) -> bytes:
    multiplexed = frame.via is not None
    layouts = concept2.MULTIPLEXED_LAYOUTS if multiplexed else concept2.LAYOUTS
    most = {field.name: _most(field) for field in layouts[frame.characteristic]}
    fitting = {name: min(value, most[name]) if value else value for name, value in values.items() if name in most}
    return concept2.encode_concept2(frame.characteristic, fitting, multiplexed=multiplexed) + frame.extra


def _most(field: concept2.Field) -> float:
    """The largest value that fits and isn't "not available"."""
    largest: int = 256**field.size - 1
    return (largest - (field.not_available == largest)) / field.per_unit


class _Language(NamedTuple):
    """How a characteristic's fields are reckoned, and how they are written."""

    readings: Mapping[str, Reckoning]
    write: Callable[[Frame, Mapping[str, Any]], bytes]


_OTHER_WORDS = _Language({}, lambda frame, _: frame.extra)
_LANGUAGES: Mapping[str, _Language] = {
    ROWER_DATA: _Language(READINGS, _rower_data),
    **dict.fromkeys(concept2.LAYOUTS, _Language(CONCEPT2_READINGS, _concept2)),
}


# --- the monitor ------------------------------------------------------------------------------------------------------

COUNTERS = ("elapsed_s", "stroke_count", "distance_m", "energy_kcal")
"""What of the state a monitor counts, and may begin to count again."""

_STOPPED = ("stroke_rate_spm", "pace_s_per_500m", "power_w")


class Console:
    """The monitor of one machine.

    Args:
        model: how it behaves, a row of `machine.MACHINES` or one of your own.
        seed: of its glitches; the same seed, the same nonsense.
    """

    def __init__(self, model: MachineModel, seed: int = 1) -> None:
        self.model = model
        self._random = Random(seed)
        self._frames = model.frames
        self._periods_sent = [0] * len(model.frames)
        self._last: RowerState | None = None
        self._zeros: dict[str, float] = {}
        self._resumed_at_count = 0
        self._strokes_rowed = 0
        self._first_strokes = [0] * len(model.glitches)

    @property
    def next_due_s(self) -> float:
        """When the next frame with a period is due, by the rower's clock [s]; infinite if all wait for events."""
        timed = zip(self._frames, self._periods_sent, strict=True)
        return min((sent * f.period_s for f, sent in timed if f.period_s is not None), default=math.inf)

    @property
    def follows_strokes(self) -> bool:
        """Whether it must be fed at the end of each drive and stroke to be on time."""
        return any(frame.on for frame in self._frames)

    def feed(self, state: RowerState) -> list[bytes]:
        """The payloads that are due at this moment, in the order of sending."""
        return [payload for _, payload in self.due(state)]

    def due(self, state: RowerState) -> list[Due]:
        """The same with the characteristics that carry them."""
        last, self._last = self._last, state
        events = _events(last, state)
        due = [(n, f) for n, f in enumerate(self._frames) if events & set(f.on) or self._is_time(n, f.period_s, state)]
        self._note_resumption(last, state)
        ended, now = self._views(last or state, state)
        views = {(): now, (Event.END,): state}
        shown = [(frame, views.get(frame.on, ended)) for _, frame in due]
        unchanged = Event.STROKE not in events
        sent = [Due(frame.carrier, self._payload(frame, view, unchanged)) for frame, view in shown]
        return [] if self._is_silent(state) else sent

    def reset(self) -> None:
        """Begin to count again from 0, as a machine does that was switched off."""
        if self._last is not None:
            self._zero(COUNTERS, self._last)

    def retime(self, period_s: float) -> None:
        """Send what has a period this often from now on [s]."""
        now_s = self._last.time_s if self._last else 0.0
        self._frames = tuple(replace(f, period_s=period_s) if f.period_s is not None else f for f in self._frames)
        self._periods_sent = [math.floor(now_s / period_s + 1e-6) + 1] * len(self._frames)

    def _is_time(self, number: int, period_s: float | None, state: RowerState) -> bool:
        if period_s is None or state.time_s < self._periods_sent[number] * period_s - 1e-6:
            return False
        self._periods_sent[number] = math.floor(state.time_s / period_s + 1e-6) + 1
        return True

    def _is_silent(self, state: RowerState) -> bool:
        start_s, end_s = self.model.silent_s
        return start_s <= state.elapsed_s < end_s

    # --- what it counts from ----------------------------------------------------------------------------------------

    def _views(self, last: RowerState, state: RowerState) -> tuple[RowerState, RowerState]:
        """What is shown of the stroke or piece that has just ended, and from now on; a new piece lies between."""
        self._note_resets(last, state)
        ended = self._shown(state)
        if not state.piece_count > last.piece_count > 0:
            return ended, ended
        self._zero(self.model.zeroed_by_piece, state)
        return replace(ended, piece_count=last.piece_count), self._shown(state)

    def _note_resets(self, last: RowerState, state: RowerState) -> None:
        if last.elapsed_s < self.model.reset_at_s <= state.elapsed_s:
            self._zero(COUNTERS, state)
        if self._has_stopped(state):
            self._zero(self.model.zeroed_by_stop, state)
        if "elapsed_s" in self.model.zeroed_by_piece and Effort.REST is state.effort is last.effort:
            self._zeros["elapsed_s"] = self._zeros.get("elapsed_s", 0.0) + state.elapsed_s - last.elapsed_s

    def _zero(self, counters: tuple[str, ...], state: RowerState) -> None:
        self._zeros |= {name: getattr(state, name) for name in counters}

    def _has_stopped(self, state: RowerState) -> bool:
        return state.still_s is not None and state.still_s >= self.model.zero_after_s

    def _shown(self, state: RowerState) -> RowerState:
        """The state as this machine sees it: counted from its last resets, and at zero after a stop if it does that."""
        changed: dict[str, Any] = {name: getattr(state, name) - zero for name, zero in self._zeros.items()}
        if "stroke_count" in changed:
            drives = state.drive.count - int(self._zeros["stroke_count"])
            changed["drive"] = replace(state.drive, count=drives)
        if self._has_stopped(state):
            changed |= dict.fromkeys(_STOPPED)
        return replace(state, **changed) if changed else state

    # --- what it shows ----------------------------------------------------------------------------------------------

    def _payload(self, frame: Frame, state: RowerState, count_unchanged: bool) -> bytes:
        model, language = self.model, _LANGUAGES.get(frame.characteristic, _OTHER_WORDS)
        readings = {**language.readings, **model.readings} if model.readings else language.readings
        values: dict[str, Any] = {name: readings[name](state) for name in frame.fields if name in readings}
        values |= {name: model.no_pace for name in PACES if name in values and values[name] is None}
        values |= dict.fromkeys(frame.zeros, 0)
        if self._has_stopped(state):
            values |= {name: value for name, value in model.when_still.items() if name in values}
        values |= {name: values[name] * scale for name, scale in model.scales.items() if values.get(name) is not None}
        for glitch, first in zip(model.glitches, self._first_strokes, strict=True):
            if glitch.field in values and self._glitches(glitch, first, state, count_unchanged):
                values[glitch.field] = self._random.uniform(glitch.low, glitch.high)
        return language.write(frame, values)[: frame.cut_octets]

    def _note_resumption(self, last: RowerState | None, state: RowerState) -> None:
        if _is_rowing(state) and not (last and _is_rowing(last)):
            self._resumed_at_count = state.stroke_count
            ranges = (glitch.first_strokes or (0, 0) for glitch in self.model.glitches)
            self._first_strokes = [self._random.randint(*strokes) for strokes in ranges]
        self._strokes_rowed = state.stroke_count - self._resumed_at_count

    def _glitches(self, glitch: Glitch, first_strokes: int, state: RowerState, count_unchanged: bool) -> bool:
        if not _is_rowing(state):
            return False
        rowed = self._strokes_rowed
        may = count_unchanged and rowed > 0 if glitch.first_strokes is None else rowed < first_strokes
        return may and self._random.random() < glitch.chance


def _events(last: RowerState | None, state: RowerState) -> set[Event]:
    """What has happened since it was fed last."""
    if last is None:
        return {Event.STROKE} if state.stroke_count else set()
    next_piece = state.piece_count > last.piece_count or state.effort is Effort.REST
    happened = {
        Event.DRIVE: state.drive.count > last.drive.count,
        Event.STROKE: state.stroke_count > last.stroke_count,
        Event.PIECE: last.effort not in (None, Effort.REST) and next_piece,
        Event.END: state.done and not last.done,
    }
    return {event for event, has in happened.items() if has}
