"""The Concept2 PM5's own Bluetooth services on the wire: bytes to fields and back.

A PM5 whose firmware lacks the Fitness Machine Service rows here, and here it says more: whether somebody rows, the drag
factor, the force on the handle.  `LAYOUTS` is the maker's table in the maker's order; `MULTIPLEXED_LAYOUTS` is how the
same frames look behind the one characteristic that carries them all.  Any bytes at all are read as far as they go;
nothing here raises on what a machine sends.

Sources: Concept2, "PM Bluetooth Smart Communication Interface Definition", revision 1.30 of 2022-03-02 (tables 3 and
4, appendix A), cross-checked with ErgometerJS (`typedefinitions_ble.ts`), with OpenRowingMonitor
(`peripherals/ble/pm5`, `PM5_Interface.md`), and with a real 100 m piece recorded through ErgometerJS
(`row100meter.ts`, firmware 8200-000320-020.000).  Only the multiplexed frames have no real one to check against.

Where these differ, the real piece decides:
  * the last split's time counts hundredths of a second, not the documented tenths (OpenRowingMonitor found the same);
  * the split's calories in 0033 are its kcal so far, not kcal per hour as some documents say;
  * firmware of 2016 ends 0032 and 0038 before the type of erg: a field marked `newer` is never missed;
  * work per stroke is 0xFFFF, heart rate 255 or 0, drag factor 0 until they are known.
The total work distance stays 0 in that piece; that it counts metres is OpenRowingMonitor's finding alone.

Elapsed time, distance, stroke count and kcal start again at each interval of a programmed workout, and 0035 comes twice
for each stroke, at the drive's end and at the recovery's end, with the same count: all is passed on as it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rowsync.reading import Reading

BASE = "-43e5-11e4-916c-0800200c9a66"
"""What follows the first 32 bits in every UUID of a PM5."""

ADVERTISED = "ce060000"
"""The UUID that a PM5 advertises, in its scan response."""

INFORMATION_SERVICE = "ce060010"
CONTROL_SERVICE = "ce060020"
ROWING_SERVICE = "ce060030"
SAMPLE_RATE = "ce060034"
MULTIPLEXED = "ce060080"
ERG_MACHINE_TYPE = "ce060016"

SAMPLE_RATES = {0: 1.0, 1: 0.5, 2: 0.25, 3: 0.1}
"""The octet of `SAMPLE_RATE`, and how often 0031, 0032 and 0033 then come [s]; 1 unless a client writes another."""

INFORMATION = {
    "ce060011": "model",
    "ce060012": "serial",
    "ce060013": "hardware",
    "ce060014": "firmware",
    "ce060015": "maker",
    ERG_MACHINE_TYPE: "erg_machine_type",
}
"""The characteristics that are read once: each is a field of `Information`."""

OTHER_ERGS = {
    128: "SkiErg",
    143: "SkiErg simulator",
    192: "BikeErg",
    193: "BikeErg",
    194: "BikeErg",
    207: "BikeErg simulator",
    225: "SkiErg",
    226: "BikeErg",
}
"""The types of erg that a PM5 sits on and that aren't rowed; any other type is a rower."""

NEWTONS_PER_POUND = 4.4482216152605
"""The pound of force, by definition [N/lbf]."""


class Field(NamedTuple):
    """One row of a layout: an unsigned little-endian integer and what it stands for.

    The value is `raw / per_unit`.  A `newer` field comes last, and old firmware ends the frame before it.
    """

    name: str
    size: int
    per_unit: float = 1
    not_available: int | None = None
    newer: bool = False


class Concept2Data(NamedTuple):
    """One notification of the PM5's in the maker's words.

    Attributes:
        characteristic: what it says, "ce060031" also where it came multiplexed.
        values: the fields that the length holds, by name; None is "not available".
        missing: the fields that such a frame has and the length doesn't hold.
        extra: what follows the last field read.
    """

    characteristic: str
    values: dict[str, float | int | None]
    missing: tuple[str, ...] = ()
    extra: bytes = b""


class Information(NamedTuple):
    """What a PM5 says of itself; None is "not read"."""

    model: str | None = None
    serial: str | None = None
    hardware: str | None = None
    firmware: str | None = None
    maker: str | None = None
    erg_machine_type: int | None = None


_ELAPSED = Field("elapsed_s", 3, 100)
_DISTANCE = Field("distance_m", 3, 10)
_PACE = Field("pace_s_per_500m", 2, 100, not_available=0xFFFF)
_AVERAGE_POWER = Field("average_power_w", 2)
_WORK = Field("work_per_stroke_j", 2, 10, not_available=0xFFFF)
_STROKE_COUNT = Field("stroke_count", 2)
_ERG_MACHINE_TYPE = Field("erg_machine_type", 1, newer=True)
_LOG_ENTRY = (Field("log_date", 2), Field("log_time", 2))

LAYOUTS: Mapping[str, tuple[Field, ...]] = {
    "ce060031": (
        _ELAPSED,
        _DISTANCE,
        Field("workout_type", 1),
        Field("interval_type", 1),
        Field("workout_state", 1),
        Field("rowing_state", 1),
        Field("stroke_state", 1),
        Field("total_work_distance_m", 3),
        Field("workout_duration", 3),  # hundredths of a second, m, kcal or W, as its type says
        Field("workout_duration_type", 1),
        Field("drag_factor", 1, not_available=0),
    ),
    "ce060032": (
        _ELAPSED,
        Field("speed_m_per_s", 2, 1000),
        Field("stroke_rate_spm", 1),
        Field("heart_rate_bpm", 1, not_available=0xFF),
        _PACE,
        Field("average_pace_s_per_500m", 2, 100, not_available=0xFFFF),
        Field("rest_distance_m", 2),
        Field("rest_time_s", 3, 100),
        _ERG_MACHINE_TYPE,
    ),
    "ce060033": (
        _ELAPSED,
        Field("interval_count", 1),
        _AVERAGE_POWER,
        Field("energy_kcal", 2),
        Field("split_pace_s_per_500m", 2, 100),
        Field("split_power_w", 2),
        Field("split_energy_kcal", 2),
        Field("last_split_time_s", 3, 100),
        Field("last_split_distance_m", 3),
    ),
    "ce060035": (
        _ELAPSED,
        _DISTANCE,
        Field("drive_length_m", 1, 100),
        Field("drive_time_s", 1, 100),
        Field("recovery_time_s", 2, 100),
        Field("stroke_distance_m", 2, 100),
        Field("peak_force_n", 2, 10 / NEWTONS_PER_POUND),
        Field("average_force_n", 2, 10 / NEWTONS_PER_POUND),
        _WORK,
        _STROKE_COUNT,
    ),
    "ce060036": (
        _ELAPSED,
        Field("power_w", 2),
        Field("energy_per_hour_kcal", 2),
        _STROKE_COUNT,
        Field("projected_time_s", 3),
        Field("projected_distance_m", 3),
    ),
    "ce060037": (
        _ELAPSED,
        _DISTANCE,
        Field("split_time_s", 3, 10),
        Field("split_distance_m", 3),
        Field("split_rest_time_s", 2),
        Field("split_rest_distance_m", 2),
        Field("split_type", 1),
        Field("split_number", 1),
    ),
    "ce060038": (
        _ELAPSED,
        Field("split_stroke_rate_spm", 1),
        Field("split_heart_rate_bpm", 1, not_available=0),
        Field("split_rest_heart_rate_bpm", 1, not_available=0),
        Field("split_pace_s_per_500m", 2, 10),
        Field("split_energy_kcal", 2),
        Field("split_energy_per_hour_kcal", 2),
        Field("split_speed_m_per_s", 2, 1000),
        Field("split_power_w", 2),
        Field("split_drag_factor", 1, not_available=0),
        Field("split_number", 1),
        _ERG_MACHINE_TYPE,
    ),
    "ce060039": (
        *_LOG_ENTRY,
        _ELAPSED,
        _DISTANCE,
        Field("average_stroke_rate_spm", 1),
        Field("end_heart_rate_bpm", 1, not_available=0),
        Field("average_heart_rate_bpm", 1, not_available=0),
        Field("lowest_heart_rate_bpm", 1, not_available=0),
        Field("highest_heart_rate_bpm", 1, not_available=0),
        Field("average_drag_factor", 1, not_available=0),
        Field("recovery_heart_rate_bpm", 1, not_available=0),  # comes with a second such frame, a minute later
        Field("workout_type", 1),
        Field("average_pace_s_per_500m", 2, 10),
    ),
    "ce06003a": (
        *_LOG_ENTRY,
        Field("split_type", 1),
        Field("split_size", 2),  # m or s, as the workout's type says
        Field("split_count", 1),
        Field("energy_kcal", 2),
        _AVERAGE_POWER,
        Field("rest_distance_m", 3),
        Field("rest_time_s", 2),
        Field("energy_per_hour_kcal", 2),
    ),
}


def _without(characteristic: str, name: str) -> tuple[Field, ...]:
    return tuple(field for field in LAYOUTS[characteristic] if field.name != name)


# Behind the id there is room for 19 octets: what doesn't fit moves to a frame that has room, or is left out.
MULTIPLEXED_LAYOUTS: Mapping[str, tuple[Field, ...]] = {
    **LAYOUTS,
    "ce060032": (*_without("ce060032", "erg_machine_type"), _AVERAGE_POWER, _ERG_MACHINE_TYPE),
    "ce060033": _without("ce060033", "average_power_w"),
    "ce060035": _without("ce060035", "work_per_stroke_j"),
    "ce060036": (*LAYOUTS["ce060036"], _WORK),
    "ce060039": _without("ce060039", "average_pace_s_per_500m"),
    "ce06003a": _without("ce06003a", "split_type"),
}

SUBSCRIBED = tuple(LAYOUTS)
"""What a client subscribes to.  A PM5 multiplexes only what isn't subscribed to, so `MULTIPLEXED` would add nothing."""

LIVE = SUBSCRIBED[:5]
"""What tells of the row as it is.  A split's and a workout's figures may come after the counters have started again."""


STROKE_DATA = "ce060035"


def decode_concept2(characteristic: str, payload: bytes) -> Concept2Data:
    """Read one notification of the PM5's; never raises on any bytes.

    Args:
        characteristic: the first 32 bits of its UUID in lower-case hex.
        payload: the notification's value, of any length.
    """
    said, layout, at = _layout_of(characteristic, payload)
    values: dict[str, float | int | None] = {}
    for number, field in enumerate(layout):
        end = at + field.size
        if end > len(payload):
            missing = tuple(lacking.name for lacking in layout[number:] if not lacking.newer)
            return Concept2Data(said, values, missing, bytes(payload[at:]))
        values[field.name] = _value(field, int.from_bytes(payload[at:end], "little"))
        at = end
    return Concept2Data(said, values, extra=bytes(payload[at:]))


def encode_concept2(characteristic: str, values: Mapping[str, float | None], *, multiplexed: bool = False) -> bytes:
    """Write one notification of the PM5's, as the virtual one sends it.

    Args:
        characteristic: what it says, a key of `LAYOUTS`.
        values: fields by name; what is None or absent is sent as "not available", or 0 where there is no such value.
            A `newer` field is sent where it is there; names that the layout lacks are left out.
        multiplexed: whether to write it as `MULTIPLEXED` carries it, the id first.

    Raises:
        KeyError: there is no such layout.
        OverflowError: a value doesn't fit its field.
    """
    layout = (MULTIPLEXED_LAYOUTS if multiplexed else LAYOUTS)[characteristic]
    sent = (field for field in layout if not field.newer or field.name in values)
    body = b"".join(_raw(field, values.get(field.name)).to_bytes(field.size, "little") for field in sent)
    return bytes([int(characteristic[-2:], 16)]) + body if multiplexed else body


def reading_of(data: Concept2Data) -> Reading:
    """What one notification says of the row; the splits' and the workout's figures say nothing of it (see `LIVE`)."""
    if data.characteristic not in LIVE:
        return Reading(missing=data.missing)
    known: dict[str, Any] = {
        name: value or None if name in _NEVER_ZERO else value for name, value in data.values.items() if name in _READ
    }
    if data.characteristic == STROKE_DATA:
        known.pop("stroke_count", None)  # 0036 follows with the same count and the stroke's watts
    if "rowing_state" in data.values:
        known["is_rowing"] = data.values["rowing_state"] != 0
    return Reading(**known, missing=data.missing)


def decode_information(octets: Mapping[str, bytes]) -> Information:
    """What a PM5 says of itself, from what was read of `INFORMATION`; never raises on any bytes.

    Args:
        octets: the values read, by characteristic.
    """
    known: dict[str, Any] = {name: _text(octets[each]) for each, name in INFORMATION.items() if each in octets}
    if "erg_machine_type" in known:
        known["erg_machine_type"] = next(iter(octets[ERG_MACHINE_TYPE]), None)
    return Information(**known)


def remarks(characteristic: str, payload: bytes) -> list[str]:
    """What a person should know about a payload of the PM5's, besides its fields."""
    data = decode_concept2(characteristic, payload)
    other_erg = OTHER_ERGS.get(int(data.values.get("erg_machine_type") or 0))
    said = []
    if data.characteristic != characteristic:
        said.append(f"multiplexed: it says what {data.characteristic} says")
    if data.characteristic not in LAYOUTS:
        said.append("rowsync doesn't know what this one says")
    elif data.missing:
        said.append(f"such a frame has more than the {len(payload)} octets that came")
    elif data.extra:
        said.append("octets follow the last field; they are ignored")
    if other_erg is not None:
        said.append(f"this monitor sits on a {other_erg}: it isn't rowed")
    return said


# --- how --------------------------------------------------------------------------------------------------------------

_READ = frozenset(Reading._fields) - {"missing"}
"""The layouts name a field as `Reading` does where both mean the same."""

_NEVER_ZERO = {
    "pace_s_per_500m",
    "drive_length_m",
    "drive_time_s",
    "recovery_time_s",
    "peak_force_n",
    "average_force_n",
    "work_per_stroke_j",
}
"""No stroke takes no time and no force: before the first, and as a rest ends, 0 stands for "not measured"."""


def _layout_of(characteristic: str, payload: bytes) -> tuple[str, tuple[Field, ...], int]:
    """Which characteristic a payload speaks for, its layout, and where its first field is."""
    if characteristic == MULTIPLEXED and payload:
        carried = f"ce0600{payload[0]:02x}"
        if carried in MULTIPLEXED_LAYOUTS:
            return carried, MULTIPLEXED_LAYOUTS[carried], 1
    return characteristic, LAYOUTS.get(characteristic, ()), 0


def _value(field: Field, raw: int) -> float | int | None:
    if raw == field.not_available:
        return None
    return raw if field.per_unit == 1 else round(raw / field.per_unit, 3)


def _raw(field: Field, value: float | None) -> int:
    if value is None:
        return field.not_available or 0
    return round(value * field.per_unit)


def _text(octets: bytes) -> str:
    """The text before the padding, without what would move a cursor."""
    text = octets.split(b"\0")[0].decode("utf-8", errors="replace")
    return "".join(letter for letter in text if letter.isprintable()).strip()
