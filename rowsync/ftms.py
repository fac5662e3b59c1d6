"""The Fitness Machine Service (0x1826) on the wire: Rower Data, bytes to fields and back.

`ROWER_DATA_LAYOUT` is the specification's table (FTMS v1.0, section 4.8.1, and the Rower Data XML of 2017), in its
order and its words.  `read_by_table` reads a payload by walking that table; it is the meaning.  `decode_rower_data`
gives the same answer fifty times faster: the first payload of each shape (flags, length) compiles the walk into one
function.  Any bytes at all are read as far as they go; nothing here raises on what a machine sends.

Real machines decide three points on which documents differ:
  * extra octets and the reserved flag bits 13-15 are ignored (FTMP v1.0, 4.4.6), and kept as `extra`;
  * a record cut short is read up to the first field that doesn't fit; the rest is named in `missing`;
  * Resistance Level is a sint16 (2017 XML, and all real frames known); only where the length fits exactly one octet
    less is it the uint8 in steps of ten of the newer description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from struct import Struct
from typing import Any, Generic, NamedTuple, TypeVar

from rowsync.reading import Reading

FITNESS_MACHINE = "1826"
FITNESS_MACHINE_FEATURE = "2acc"
ROWER_DATA = "2ad1"
TRAINING_STATUS = "2ad3"
RESISTANCE_RANGE = "2ad6"
HEART_RATE_RANGE = "2ad7"
POWER_RANGE = "2ad8"
CONTROL_POINT = "2ad9"
MACHINE_STATUS = "2ada"

MORE_DATA = 1 << 0
DEFINED_FLAGS = 0x1FFF
"""Bits 13-15 are reserved: a collector shall ignore them (FTMP v1.0, 4.4.6)."""

_RESISTANCE_FLAG = 1 << 7


class RowerData(NamedTuple):
    """One Rower Data notification in the specification's words; None is absent or "not available".

    `missing` names the fields that the flags promise and the length doesn't hold; `extra` is what follows the last
    field read.
    """

    more_data: bool = False
    stroke_rate_spm: float | None = None
    stroke_count: int | None = None
    average_stroke_rate_spm: float | None = None
    total_distance_m: int | None = None
    instantaneous_pace_s_per_500m: int | None = None
    average_pace_s_per_500m: int | None = None
    instantaneous_power_w: int | None = None
    average_power_w: int | None = None
    resistance_level: int | None = None
    total_energy_kcal: int | None = None
    energy_per_hour_kcal: int | None = None
    energy_per_minute_kcal: int | None = None
    heart_rate_bpm: int | None = None
    metabolic_equivalent_met: float | None = None
    elapsed_time_s: int | None = None
    remaining_time_s: int | None = None
    missing: tuple[str, ...] = ()
    extra: bytes = b""


class Field(NamedTuple):
    """One row of the layout: a little-endian integer and what it stands for.

    A field is present when its flag bit is set; More Data (bit 0) works the other way round.  The value is
    `raw * unit / per_unit`.
    """

    name: str
    flag_bit: int
    size: int
    signed: bool = False
    unit: int = 1
    per_unit: int = 1
    not_available: int | None = None


# Only the energy triplet has a "not available" value in the specification.  All ones as a pace (KayakPro, JOROTO) and
# as a heart rate is how machines say the same; pyftms treats every field so.
ROWER_DATA_LAYOUT = (
    Field("stroke_rate_spm", 0, 1, per_unit=2),
    Field("stroke_count", 0, 2),
    Field("average_stroke_rate_spm", 1, 1, per_unit=2),
    Field("total_distance_m", 2, 3),
    Field("instantaneous_pace_s_per_500m", 3, 2, not_available=0xFFFF),
    Field("average_pace_s_per_500m", 4, 2, not_available=0xFFFF),
    Field("instantaneous_power_w", 5, 2, signed=True),
    Field("average_power_w", 6, 2, signed=True),
    Field("resistance_level", 7, 2, signed=True),
    Field("total_energy_kcal", 8, 2, not_available=0xFFFF),
    Field("energy_per_hour_kcal", 8, 2, not_available=0xFFFF),
    Field("energy_per_minute_kcal", 8, 1, not_available=0xFF),
    Field("heart_rate_bpm", 9, 1, not_available=0xFF),
    Field("metabolic_equivalent_met", 10, 1, per_unit=10),
    Field("elapsed_time_s", 11, 2),
    Field("remaining_time_s", 12, 2),
)
RESISTANCE_AS_UINT8 = Field("resistance_level", 7, 1, unit=10)

MEASUREMENTS = tuple(field.name for field in ROWER_DATA_LAYOUT)


def decode_rower_data(payload: bytes) -> RowerData:
    """Read one Rower Data notification; never raises on any bytes.

    Args:
        payload: the notification's value, of any length.
    """
    try:
        plan = _decoders[payload[0] | (payload[1] & 0x1F) << 8 | len(payload) << 13]
    except (KeyError, IndexError):
        plan = _DECODERS.plan_for(payload)
    return plan(payload)


def read_by_table(payload: bytes) -> RowerData:
    """Read one Rower Data notification by walking the layout: the meaning of `decode_rower_data`, slowly."""
    if len(payload) < 2:
        return RowerData(missing=("flags",), extra=bytes(payload))
    flags = _flags(payload)
    fitting, missing, end = _layout_of(flags, len(payload))
    values: dict[str, Any] = {field.name: _value(field, payload[at : at + field.size]) for field, at in fitting}
    return RowerData(more_data=bool(flags & MORE_DATA), missing=missing, extra=bytes(payload[end:]), **values)


def encode_rower_data(data: RowerData) -> bytes:
    """Write one Rower Data notification: what `data` holds is sent, what is None is left out.

    Stroke rate and count are sent exactly when `more_data` is False (None as 0).  The energy triplet is sent when any
    of the three is known, the unknown ones as "not available".

    Raises:
        OverflowError: a value doesn't fit its field.
    """
    flags, body = int(data.more_data), b""
    for field in ROWER_DATA_LAYOUT:
        if not _is_sent(field, data):
            continue
        flags |= (1 << field.flag_bit) & ~MORE_DATA
        body += _raw(field, getattr(data, field.name)).to_bytes(field.size, "little", signed=field.signed)
    return flags.to_bytes(2, "little") + body + data.extra


SAID = {
    "stroke_rate_spm": "stroke_rate_spm",
    "stroke_count": "stroke_count",
    "distance_m": "total_distance_m",
    "pace_s_per_500m": "instantaneous_pace_s_per_500m",
    "power_w": "instantaneous_power_w",
    "average_power_w": "average_power_w",
    "energy_kcal": "total_energy_kcal",
    "energy_per_hour_kcal": "energy_per_hour_kcal",
    "heart_rate_bpm": "heart_rate_bpm",
    "resistance_level": "resistance_level",
    "elapsed_s": "elapsed_time_s",
    "missing": "missing",
}
"""What Rower Data says of the row: a `Reading`'s words, and the specification's."""


def reading_of(data: RowerData) -> Reading:
    """What Rower Data says of the row."""
    return Reading(**{ours: getattr(data, theirs) for ours, theirs in SAID.items()})


def read_rower_data(payload: bytes) -> Reading:
    """What one Rower Data notification says of the row, in one step; never raises on any bytes.

    Args:
        payload: the notification's value, of any length.
    """
    try:
        plan = _readers[payload[0] | (payload[1] & 0x1F) << 8 | len(payload) << 13]
    except (KeyError, IndexError):
        plan = _READERS.plan_for(payload)
    return plan(payload)


def measurements(data: RowerData) -> dict[str, int | float | None]:
    """The sixteen fields by name, in the specification's order."""
    return {name: getattr(data, name) for name in MEASUREMENTS}


def present_fields(payload: bytes) -> tuple[str, ...]:
    """The fields that a payload holds, whether or not they say "not available"."""
    return tuple(field.name for field, _ in _layout_of(_flags(payload), len(payload))[0])


def remarks(payload: bytes) -> list[str]:
    """What a person should know about how a Rower Data payload departs from the specification."""
    data, flags = decode_rower_data(payload), _flags(payload)
    said = []
    if data.missing:
        said.append(f"the flags promise more than {len(payload)} octets hold")
    if data.extra and not data.missing:
        said.append("octets follow the last field; they are ignored")
    if flags & ~DEFINED_FLAGS:
        said.append(f"reserved flag bits are set ({flags & ~DEFINED_FLAGS:#06x}); they are ignored")
    if any(field is RESISTANCE_AS_UINT8 for field, _ in _layout_of(flags, len(payload))[0]):
        said.append("resistance level read as one octet in steps of ten: the length fits no other way")
    return said


# --- the walk ---------------------------------------------------------------------------------------------------------


def _layout_of(flags: int, length: int) -> tuple[list[tuple[Field, int]], tuple[str, ...], int]:
    """Which fields a payload of this shape holds and where, which it lacks, and where its last one ends."""
    promised = list(_promised(flags)) if length >= 2 else []
    if flags & _RESISTANCE_FLAG and 2 + sum(field.size for field in promised) == length + 1:
        promised = [RESISTANCE_AS_UINT8 if field.name == "resistance_level" else field for field in promised]
    fitting: list[tuple[Field, int]] = []
    at = 2
    for number, field in enumerate(promised):
        if at + field.size > length:
            return fitting, tuple(lacking.name for lacking in promised[number:]), at
        fitting.append((field, at))
        at += field.size
    return fitting, (), at


def _flags(payload: bytes) -> int:
    return int.from_bytes(payload[:2], "little") if len(payload) >= 2 else 0


def _promised(flags: int) -> Iterator[Field]:
    present = flags ^ MORE_DATA
    return (field for field in ROWER_DATA_LAYOUT if present >> field.flag_bit & 1)


def _value(field: Field, octets: bytes) -> int | float | None:
    raw = int.from_bytes(octets, "little", signed=field.signed)
    if raw == field.not_available:
        return None
    return raw * field.unit if field.per_unit == 1 else raw / field.per_unit


def _is_sent(field: Field, data: RowerData) -> bool:
    if field.flag_bit == 0:
        return not data.more_data
    group = (other.name for other in ROWER_DATA_LAYOUT if other.flag_bit == field.flag_bit)
    return any(getattr(data, name) is not None for name in group)


def _raw(field: Field, value: float | None) -> int:
    if value is None:
        return field.not_available or 0
    return round(value * field.per_unit)


# --- the walk, compiled once for each shape ---------------------------------------------------------------------------

_MOST_PLANS = 256
"""A machine uses a handful of shapes.  Hostile flags must not fill the memory: 65,536 plans would take 101 MiB."""

_STRUCT_CODES = {(1, False): "B", (2, False): "H", (2, True): "h", (3, False): "HB"}
_Read = TypeVar("_Read", bound=RowerData | Reading)


class _Plans(Generic[_Read]):
    """Readers for the shapes that were met.

    Args:
        what: the tuple that they build.
        said: its fields, and what these are called in `RowerData`; others are None.
        by_table: what they mean; it reads the shapes for which there is no place left.

    Attributes:
        by_shape: readers by what they read: the defined flags, and from bit 13 on the length.
    """

    def __init__(self, what: type[_Read], said: Mapping[str, str], by_table: Callable[[bytes], _Read]) -> None:
        self._what, self._said, self._by_table = what, said, by_table
        self.by_shape: dict[int, Callable[[bytes], _Read]] = {}

    def plan_for(self, payload: bytes) -> Callable[[bytes], _Read]:
        """A reader for payloads of this shape, kept as long as there is place."""
        if len(payload) < 2 or len(self.by_shape) >= _MOST_PLANS:
            return self._by_table
        flags = _flags(payload) & DEFINED_FLAGS
        plan = self.by_shape[flags | len(payload) << 13] = self._compiled(flags, len(payload))
        return plan

    def _compiled(self, flags: int, length: int) -> Callable[[bytes], _Read]:
        """The walk for one shape as straight-line Python: unpack all fields at once, build the tuple."""
        fitting, missing, end = _layout_of(flags, length)
        struct = Struct("<2x" + "".join(_STRUCT_CODES[field.size, field.signed] for field, _ in fitting))
        unpacked = ", ".join(f"{field.name}, high" if field.size == 3 else field.name for field, _ in fitting)
        expressions = {field.name: _expression(field) for field, _ in fitting} | {
            "more_data": str(bool(flags & MORE_DATA)),
            "missing": repr(missing),
            "extra": f"payload[{end}:]" if end < length else "b''",
        }
        values = (expressions.get(self._said.get(name, ""), "None") for name in self._what._fields)
        unpack = f"    {unpacked}, = unpack(payload)\n" if fitting else ""
        source = f"def plan(payload):\n{unpack}    return new(what, ({', '.join(values)}))"
        names: dict[str, Any] = {"unpack": struct.unpack_from, "new": tuple.__new__, "what": self._what}
        exec(source, names)
        plan: Callable[[bytes], _Read] = names["plan"]
        return plan


def _expression(field: Field) -> str:
    raw = f"{field.name} | high << 16" if field.size == 3 else field.name
    value = raw if field.per_unit == 1 else f"{raw} / {field.per_unit}"
    value = value if field.unit == 1 else f"{value} * {field.unit}"
    return value if field.not_available is None else f"None if {field.name} == {field.not_available} else {value}"


_DECODERS = _Plans(RowerData, {name: name for name in RowerData._fields}, read_by_table)
_READERS = _Plans(Reading, SAID, lambda payload: reading_of(read_by_table(payload)))
_decoders, _readers = _DECODERS.by_shape, _READERS.by_shape
