"""Control of a fitness machine on the wire: Control Point (0x2AD9), Machine Status (0x2ADA), Training Status (0x2AD3).

`REQUESTS` and `STATUSES` are the specification's tables 4.15 and 4.26 (FTMS v1.0).  A request is written with response,
after the indications of the Control Point have been enabled; the answer is one of those indications.  Any bytes at all
are read as far as they go; only what we ourselves ask for is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from rowsync.identity import decode_text

PROCEDURE_TIMEOUT_S = 30.0
"""How long a machine may take to answer (FTMS v1.0, 4.16.4); then only a new connection helps (FTMP v1.0, 4.4.14.3)."""


class OpCode(IntEnum):
    """What can be asked of a machine (FTMS v1.0, table 4.15); 0x80 begins an answer."""

    REQUEST_CONTROL = 0x00
    RESET = 0x01
    TARGET_SPEED = 0x02
    TARGET_INCLINATION = 0x03
    TARGET_RESISTANCE = 0x04
    TARGET_POWER = 0x05
    TARGET_HEART_RATE = 0x06
    START_OR_RESUME = 0x07
    STOP_OR_PAUSE = 0x08
    TARGET_ENERGY = 0x09
    TARGET_STEPS = 0x0A
    TARGET_STRIDES = 0x0B
    TARGET_DISTANCE = 0x0C
    TARGET_TIME = 0x0D
    TARGET_TIME_IN_TWO_ZONES = 0x0E
    TARGET_TIME_IN_THREE_ZONES = 0x0F
    TARGET_TIME_IN_FIVE_ZONES = 0x10
    BIKE_SIMULATION = 0x11
    WHEEL_CIRCUMFERENCE = 0x12
    SPIN_DOWN = 0x13
    TARGET_CADENCE = 0x14
    RESPONSE = 0x80


class Result(IntEnum):
    """How a machine answers (FTMS v1.0, table 4.24)."""

    SUCCESS = 0x01
    NOT_SUPPORTED = 0x02
    INVALID_PARAMETER = 0x03
    FAILED = 0x04
    NOT_PERMITTED = 0x05


class StatusCode(IntEnum):
    """What a machine tells of itself (FTMS v1.0, table 4.26)."""

    RESET = 0x01
    STOPPED_OR_PAUSED = 0x02
    STOPPED_BY_SAFETY_KEY = 0x03
    STARTED_OR_RESUMED = 0x04
    TARGET_SPEED_CHANGED = 0x05
    TARGET_INCLINATION_CHANGED = 0x06
    TARGET_RESISTANCE_CHANGED = 0x07
    TARGET_POWER_CHANGED = 0x08
    TARGET_HEART_RATE_CHANGED = 0x09
    TARGET_ENERGY_CHANGED = 0x0A
    TARGET_STEPS_CHANGED = 0x0B
    TARGET_STRIDES_CHANGED = 0x0C
    TARGET_DISTANCE_CHANGED = 0x0D
    TARGET_TIME_CHANGED = 0x0E
    TARGET_TIME_IN_TWO_ZONES_CHANGED = 0x0F
    TARGET_TIME_IN_THREE_ZONES_CHANGED = 0x10
    TARGET_TIME_IN_FIVE_ZONES_CHANGED = 0x11
    BIKE_SIMULATION_CHANGED = 0x12
    WHEEL_CIRCUMFERENCE_CHANGED = 0x13
    SPIN_DOWN = 0x14
    TARGET_CADENCE_CHANGED = 0x15
    CONTROL_LOST = 0xFF


Value = float | str
"""A number in its unit, or one of a parameter's words."""


class Parameter(NamedTuple):
    """One number behind an op code or a status code, little-endian: `raw / per_unit`, or the word of that number."""

    name: str
    size: int
    signed: bool = False
    per_unit: int = 1
    words: tuple[str, ...] = ()


_RESISTANCE = Parameter("resistance_level", 1, per_unit=10)
_WIDE_RESISTANCE = Parameter("resistance_level", 2, signed=True, per_unit=10)
_STOP_OR_PAUSE = Parameter("stop_or_pause", 1, words=("reserved", "stop", "pause"))
_ZONES = {
    2: ("fat_burn_zone_s", "fitness_zone_s"),
    3: ("light_zone_s", "moderate_zone_s", "hard_zone_s"),
    5: ("very_light_zone_s", "light_zone_s", "moderate_zone_s", "hard_zone_s", "maximum_zone_s"),
}
_SPIN_DOWN = Parameter("spin_down", 1, words=("reserved", "start", "ignore"))
_SPIN_DOWN_STATUS = Parameter("spin_down", 1, words=("reserved", "requested", "success", "error", "stop_pedaling"))

REQUESTS: Mapping[int, tuple[Parameter, ...]] = {
    OpCode.REQUEST_CONTROL: (),
    OpCode.RESET: (),
    OpCode.TARGET_SPEED: (Parameter("speed_km_per_h", 2, per_unit=100),),
    OpCode.TARGET_INCLINATION: (Parameter("inclination_percent", 2, signed=True, per_unit=10),),
    OpCode.TARGET_RESISTANCE: (_RESISTANCE,),
    OpCode.TARGET_POWER: (Parameter("power_w", 2, signed=True),),
    OpCode.TARGET_HEART_RATE: (Parameter("heart_rate_bpm", 1),),
    OpCode.START_OR_RESUME: (),
    OpCode.STOP_OR_PAUSE: (_STOP_OR_PAUSE,),
    OpCode.TARGET_ENERGY: (Parameter("energy_kcal", 2),),
    OpCode.TARGET_STEPS: (Parameter("step_count", 2),),
    OpCode.TARGET_STRIDES: (Parameter("stride_count", 2),),
    OpCode.TARGET_DISTANCE: (Parameter("distance_m", 3),),
    OpCode.TARGET_TIME: (Parameter("time_s", 2),),
    OpCode.TARGET_TIME_IN_TWO_ZONES: tuple(Parameter(name, 2) for name in _ZONES[2]),
    OpCode.TARGET_TIME_IN_THREE_ZONES: tuple(Parameter(name, 2) for name in _ZONES[3]),
    OpCode.TARGET_TIME_IN_FIVE_ZONES: tuple(Parameter(name, 2) for name in _ZONES[5]),
    OpCode.BIKE_SIMULATION: (
        Parameter("wind_speed_m_per_s", 2, signed=True, per_unit=1000),
        Parameter("grade_percent", 2, signed=True, per_unit=100),
        Parameter("rolling_resistance", 1, per_unit=10000),
        Parameter("wind_resistance_kg_per_m", 1, per_unit=100),
    ),
    OpCode.WHEEL_CIRCUMFERENCE: (Parameter("wheel_circumference_mm", 2, per_unit=10),),
    OpCode.SPIN_DOWN: (_SPIN_DOWN,),
    OpCode.TARGET_CADENCE: (Parameter("stroke_rate_spm", 2, per_unit=2),),
}
"""What follows each op code (FTMS v1.0, tables 4.15 to 4.21).  A rower's cadence is its stroke rate."""

STATUSES: Mapping[int, tuple[Parameter, ...]] = {
    StatusCode.RESET: (),
    StatusCode.STOPPED_OR_PAUSED: (_STOP_OR_PAUSE,),
    StatusCode.STOPPED_BY_SAFETY_KEY: (),
    StatusCode.STARTED_OR_RESUMED: (),
    StatusCode.TARGET_SPEED_CHANGED: REQUESTS[OpCode.TARGET_SPEED],
    StatusCode.TARGET_INCLINATION_CHANGED: REQUESTS[OpCode.TARGET_INCLINATION],
    StatusCode.TARGET_RESISTANCE_CHANGED: REQUESTS[OpCode.TARGET_RESISTANCE],
    StatusCode.TARGET_POWER_CHANGED: REQUESTS[OpCode.TARGET_POWER],
    StatusCode.TARGET_HEART_RATE_CHANGED: REQUESTS[OpCode.TARGET_HEART_RATE],
    StatusCode.TARGET_ENERGY_CHANGED: REQUESTS[OpCode.TARGET_ENERGY],
    StatusCode.TARGET_STEPS_CHANGED: REQUESTS[OpCode.TARGET_STEPS],
    StatusCode.TARGET_STRIDES_CHANGED: REQUESTS[OpCode.TARGET_STRIDES],
    StatusCode.TARGET_DISTANCE_CHANGED: REQUESTS[OpCode.TARGET_DISTANCE],
    StatusCode.TARGET_TIME_CHANGED: REQUESTS[OpCode.TARGET_TIME],
    StatusCode.TARGET_TIME_IN_TWO_ZONES_CHANGED: REQUESTS[OpCode.TARGET_TIME_IN_TWO_ZONES],
    StatusCode.TARGET_TIME_IN_THREE_ZONES_CHANGED: REQUESTS[OpCode.TARGET_TIME_IN_THREE_ZONES],
    StatusCode.TARGET_TIME_IN_FIVE_ZONES_CHANGED: REQUESTS[OpCode.TARGET_TIME_IN_FIVE_ZONES],
    StatusCode.BIKE_SIMULATION_CHANGED: REQUESTS[OpCode.BIKE_SIMULATION],
    StatusCode.WHEEL_CIRCUMFERENCE_CHANGED: REQUESTS[OpCode.WHEEL_CIRCUMFERENCE],
    StatusCode.SPIN_DOWN: (_SPIN_DOWN_STATUS,),
    StatusCode.TARGET_CADENCE_CHANGED: REQUESTS[OpCode.TARGET_CADENCE],
    StatusCode.CONTROL_LOST: (),
}
"""What follows each status code (FTMS v1.0, tables 4.26 and 4.27): mostly what the request that caused it carried."""


# --- requests ---------------------------------------------------------------------------------------------------------


def request_control() -> bytes:
    """Ask for control, before anything else; it lasts until the link goes, or a reset, or "control lost"."""
    return encode_request(OpCode.REQUEST_CONTROL)


def reset() -> bytes:
    """Ask the machine to forget its targets and set its clock to zero; control is lost with it."""
    return encode_request(OpCode.RESET)


def start_or_resume() -> bytes:
    """Ask the machine to start, or to go on."""
    return encode_request(OpCode.START_OR_RESUME)


def stop() -> bytes:
    """Ask the machine to end the session."""
    return encode_request(OpCode.STOP_OR_PAUSE, _STOP_OR_PAUSE.words.index("stop"))


def pause() -> bytes:
    """Ask the machine to pause; `start_or_resume` goes on."""
    return encode_request(OpCode.STOP_OR_PAUSE, _STOP_OR_PAUSE.words.index("pause"))


def target_resistance(level: float, wide: bool = False) -> bytes:
    """Ask for a resistance level.

    Args:
        level: 0 to 25.5 in steps of 0.1, as the machine counts it.
        wide: send two octets in place of the one of the specification, as pyftms does; that reaches further.

    Raises:
        ValueError: the level doesn't fit the field.
    """
    if wide:
        return bytes([OpCode.TARGET_RESISTANCE]) + _octets(_WIDE_RESISTANCE, level)
    return encode_request(OpCode.TARGET_RESISTANCE, level)


def target_power(power_w: float) -> bytes:
    """Ask for a power [W], to the nearest watt.

    Raises:
        ValueError: it doesn't fit the field.
    """
    return encode_request(OpCode.TARGET_POWER, power_w)


def target_heart_rate(heart_rate_bpm: float) -> bytes:
    """Ask for a heart rate [1/min], 0 to 255.

    Raises:
        ValueError: it doesn't fit the field.
    """
    return encode_request(OpCode.TARGET_HEART_RATE, heart_rate_bpm)


def target_stroke_rate(stroke_rate_spm: float) -> bytes:
    """Ask for a stroke rate [1/min] in steps of 0.5: the specification's cadence.

    Raises:
        ValueError: it doesn't fit the field.
    """
    return encode_request(OpCode.TARGET_CADENCE, stroke_rate_spm)


def target_distance(distance_m: float) -> bytes:
    """Ask for a session of a distance [m], up to 16,777,215.

    Raises:
        ValueError: it doesn't fit the field.
    """
    return encode_request(OpCode.TARGET_DISTANCE, distance_m)


def target_time(time_s: float) -> bytes:
    """Ask for a session of a time [s], up to 65,535.

    Raises:
        ValueError: it doesn't fit the field.
    """
    return encode_request(OpCode.TARGET_TIME, time_s)


def encode_request(op_code: OpCode, *values: float) -> bytes:
    """Write a request by the table `REQUESTS`.

    Args:
        op_code: one of the table.
        values: one for each of its parameters, in its unit.

    Raises:
        ValueError: a value doesn't fit its field, or there are too many or too few.
    """
    parameters = REQUESTS[op_code]
    return bytes([op_code]) + b"".join(_octets(*each) for each in zip(parameters, values, strict=True))


class Request(NamedTuple):
    """What a client asked; `op_code` is a plain number when it is reserved, None when there is none."""

    op_code: int | None = None
    values: Mapping[str, Value] = {}
    missing: tuple[str, ...] = ()
    extra: bytes = b""


def decode_request(payload: bytes) -> Request:
    """Read a request as it was written to the Control Point; never raises on any bytes."""
    if not payload:
        return Request(missing=("op_code",))
    return Request(_known(OpCode, payload[0]), *_values(REQUESTS.get(payload[0], ()), payload[1:]))


# --- answers ----------------------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """A machine's answer to a request; None is "it isn't there", or no answer at all.

    `op_code` is the request's, `result` how it went (plain numbers where they are reserved), and `parameter` what
    follows: of use after a spin-down only.
    """

    op_code: int | None = None
    result: int | None = None
    parameter: bytes = b""

    @property
    def succeeded(self) -> bool:
        """Whether the machine did what was asked."""
        return self.result == Result.SUCCESS


def decode_answer(payload: bytes) -> Answer:
    """Read an indication of the Control Point (FTMS v1.0, 4.16.2.22); never raises on any bytes.

    Args:
        payload: the indication's value, of any length.

    Returns:
        The answer; its fields are None when the bytes are no response, or as far as they are cut off.
    """
    if payload[:1] != bytes([OpCode.RESPONSE]):
        return Answer()
    op_code, result = (payload[at] if at < len(payload) else None for at in (1, 2))
    return Answer(
        None if op_code is None else _known(OpCode, op_code),
        None if result is None else _known(Result, result),
        payload[3:],
    )


def describe_answer(answer: Answer) -> str:
    """An answer as a person reads it: `the machine refuses to start: perhaps it has started already`."""
    if answer.op_code is None or answer.result is None:
        return "what came is no answer of a fitness machine"
    action = _ACTIONS.get(answer.op_code, f"do what op code {answer.op_code:#04x} asks")
    if answer.succeeded:
        return f"the machine agrees to {action}"
    reason = _PARTICULAR_REASONS.get((answer.op_code, answer.result)) or _REASONS.get(answer.result)
    return f"the machine refuses to {action}: {reason or f'for a reason of its own ({answer.result:#04x})'}"


_ACTIONS: Mapping[int, str] = {
    OpCode.REQUEST_CONTROL: "be controlled",
    OpCode.RESET: "reset itself",
    OpCode.TARGET_RESISTANCE: "set a resistance",
    OpCode.TARGET_POWER: "set a target power",
    OpCode.TARGET_HEART_RATE: "set a target heart rate",
    OpCode.START_OR_RESUME: "start",
    OpCode.STOP_OR_PAUSE: "stop or pause",
    OpCode.TARGET_DISTANCE: "set a target distance",
    OpCode.TARGET_TIME: "set a target time",
    OpCode.TARGET_CADENCE: "set a target stroke rate",
}
_REASONS: Mapping[int, str] = {
    Result.NOT_SUPPORTED: "it can't do that",
    Result.INVALID_PARAMETER: "the value is none that it takes",
    Result.FAILED: "it tried and failed",
    Result.NOT_PERMITTED: "it didn't give us control; another app may have it",
}
_PARTICULAR_REASONS: Mapping[tuple[int, int], str] = {
    (OpCode.START_OR_RESUME, Result.FAILED): "perhaps it has started already",
    (OpCode.STOP_OR_PAUSE, Result.FAILED): "perhaps it has stopped already",
}
"""The specification's own examples of why these fail (FTMS v1.0, 4.16.2.22)."""


# --- what the machine tells unasked -----------------------------------------------------------------------------------


class MachineStatus(NamedTuple):
    """What a machine tells of itself.

    Attributes:
        code: the status code; a plain number when it is reserved, None when there is none.
        event: the name of the code in lower case, with `stopped` and `paused` told apart; None when it is reserved.
        value: the first of `values`; None when there is none.
        values: what comes with it, by name and unit.
        missing: the names of what is cut off.
        extra: what follows.
    """

    code: int | None = None
    event: str | None = None
    value: Value | None = None
    values: Mapping[str, Value] = {}
    missing: tuple[str, ...] = ()
    extra: bytes = b""


def decode_machine_status(payload: bytes) -> MachineStatus:
    """Read a Fitness Machine Status (0x2ADA; FTMS v1.0, 4.17); never raises on any bytes.

    Args:
        payload: the notification's value, of any length.
    """
    if not payload:
        return MachineStatus(missing=("code",))
    code = _known(StatusCode, payload[0])
    values, missing, extra = _values(STATUSES.get(code, ()), payload[1:])
    value = next(iter(values.values()), None)
    event = code.name.lower() if isinstance(code, StatusCode) else None
    if code == StatusCode.STOPPED_OR_PAUSED:
        event = {"stop": "stopped", "pause": "paused"}.get(str(value), event)
    return MachineStatus(code, event, value, values, missing, extra)


TRAINING_STATUSES = (
    *("other", "idle", "warming up", "low intensity interval", "high intensity interval", "recovery interval"),
    *("isometric", "heart rate control", "fitness test", "too slow to be controlled", "too fast to be controlled"),
    *("cool down", "watt control", "manual mode", "pre-workout", "post-workout"),
)
"""The Training Status by its number (FTMS v1.0, table 4.13); 16 and more are reserved."""

EFFORTS: Mapping[int, str] = {2: "warmup", 3: "easy", 4: "hard", 5: "rest", 11: "cooldown"}
"""The Training Statuses that say how hard to row, as our efforts.  No rower is known to send 3 to 5."""

_TEXT, _TEXT_GOES_ON = 1 << 0, 1 << 1


class TrainingStatus(NamedTuple):
    """Where a machine is in its session; None is absent or, as a name or effort, "it has none".

    `text` is the machine's own, safe to show only through `wording.outside_text`; `text_goes_on` says that a read of
    the characteristic would give more of it.  `missing` names what is cut off; `extra` is what follows and isn't text.
    """

    code: int | None = None
    name: str | None = None
    effort: str | None = None
    text: str | None = None
    text_goes_on: bool = False
    missing: tuple[str, ...] = ()
    extra: bytes = b""


def decode_training_status(payload: bytes) -> TrainingStatus:
    """Read a Training Status (0x2AD3; FTMS v1.0, 4.10); never raises on any bytes.

    Args:
        payload: the value, of any length.  A text that isn't UTF-8 is read with U+FFFD in the place of what isn't.
    """
    if len(payload) < 2:
        return TrainingStatus(missing=("flags", "code")[len(payload) :])
    flags, code, rest = payload[0], payload[1], payload[2:]
    return TrainingStatus(
        code=code,
        name=TRAINING_STATUSES[code] if code < len(TRAINING_STATUSES) else None,
        effort=EFFORTS.get(code),
        text=decode_text(rest) if flags & _TEXT else None,
        text_goes_on=bool(flags & _TEXT_GOES_ON),
        extra=b"" if flags & _TEXT else rest,
    )


# --- the walk ---------------------------------------------------------------------------------------------------------


def _known(codes: type[IntEnum], raw: int) -> int:
    try:
        return codes(raw)
    except ValueError:
        return raw


def _values(parameters: tuple[Parameter, ...], octets: bytes) -> tuple[dict[str, Value], tuple[str, ...], bytes]:
    """The values there are, the names of those that are cut off, and the octets behind the last value."""
    if parameters == (_RESISTANCE,) and len(octets) == _WIDE_RESISTANCE.size:
        parameters = (_WIDE_RESISTANCE,)  # what some apps write, and machines repeat
    values: dict[str, Value] = {}
    for number, parameter in enumerate(parameters):
        if len(octets) < parameter.size:
            return values, tuple(lacking.name for lacking in parameters[number:]), octets
        values[parameter.name] = _value(parameter, octets[: parameter.size])
        octets = octets[parameter.size :]
    return values, (), octets


def _value(parameter: Parameter, octets: bytes) -> Value:
    raw = int.from_bytes(octets, "little", signed=parameter.signed)
    if 0 <= raw < len(parameter.words):
        return parameter.words[raw]
    return raw if parameter.per_unit == 1 else raw / parameter.per_unit


def _octets(parameter: Parameter, value: float) -> bytes:
    least, most = _bounds(parameter)
    scaled = value * parameter.per_unit
    if not math.isfinite(scaled) or not least <= round(scaled) <= most:
        low, high = least / parameter.per_unit, most / parameter.per_unit
        raise ValueError(f"{value} doesn't fit {parameter.name}: a machine takes {low:.10g} to {high:.10g}.")
    return round(scaled).to_bytes(parameter.size, "little", signed=parameter.signed)


def _bounds(parameter: Parameter) -> tuple[int, int]:
    bits = 8 * parameter.size
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if parameter.signed else (0, (1 << bits) - 1)
