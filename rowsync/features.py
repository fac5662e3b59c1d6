"""What a fitness machine says it can do: features, supported ranges, and the kind of machine it advertises.

None of these is to be relied upon.  Some rowers have no Feature characteristic (First Degree Viking Pro V), some send a
quarter of it (OpenRowingMonitor), some advertise no service data or swap its octets.  What is absent says nothing: the
flags of the Rower Data decide.  Any bytes at all are read as far as they go; nothing here raises.
"""

from __future__ import annotations

from typing import NamedTuple

MACHINE_FEATURES = (
    *("average_speed", "cadence", "total_distance", "inclination", "elevation_gain", "pace", "step_count"),
    *("resistance_level", "stride_count", "expended_energy", "heart_rate", "metabolic_equivalent", "elapsed_time"),
    *("remaining_time", "power", "force_on_belt", "user_data_retention"),
)
"""The first word of Fitness Machine Feature, from bit 0 (FTMS v1.0, table 4.3); bits 17-31 are reserved."""

TARGET_FEATURES = (
    *("speed", "inclination", "resistance", "power", "heart_rate", "expended_energy", "steps", "strides", "distance"),
    *("training_time", "time_in_two_zones", "time_in_three_zones", "time_in_five_zones", "bike_simulation"),
    *("wheel_circumference", "spin_down", "cadence"),
)
"""The second word: which targets can be set, from bit 0 (FTMS v1.0, table 4.4); bits 17-31 are reserved."""

ROWER_FIELDS = {
    "cadence": ("average_stroke_rate_spm",),
    "total_distance": ("total_distance_m",),
    "pace": ("instantaneous_pace_s_per_500m", "average_pace_s_per_500m"),
    "power": ("instantaneous_power_w", "average_power_w"),
    "resistance_level": ("resistance_level",),
    "expended_energy": ("total_energy_kcal", "energy_per_hour_kcal", "energy_per_minute_kcal"),
    "heart_rate": ("heart_rate_bpm",),
    "metabolic_equivalent": ("metabolic_equivalent_met",),
    "elapsed_time": ("elapsed_time_s",),
    "remaining_time": ("remaining_time_s",),
}
"""The features that concern a rower, and the Rower Data fields each allows (FTMS v1.0, 4.8.1).

Stroke rate and stroke count need no feature.
"""

KINDS = ("treadmill", "cross_trainer", "step_climber", "stair_climber", "rower", "indoor_bike")
"""The Fitness Machine Type that is advertised, from bit 0 (FTMS v1.0, 3.1.2); bits 6-15 are reserved."""

_AVAILABLE = 1 << 0
_WORD = 4


class Features(NamedTuple):
    """Fitness Machine Feature; reserved bits are ignored, as a collector shall (FTMS v1.0, 4.3).

    `machine` are names of `MACHINE_FEATURES` and `targets` of `TARGET_FEATURES`.  `missing` names the words that aren't
    there whole (what there is of them is read), and `extra` is what follows them.
    """

    machine: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    extra: bytes = b""

    @property
    def rower_fields(self) -> tuple[str, ...]:
        """The Rower Data fields that the machine says it may send, beside stroke rate and stroke count."""
        return tuple(field for feature in ROWER_FIELDS if feature in self.machine for field in ROWER_FIELDS[feature])


class Range(NamedTuple):
    """The least and the most that can be set, and the steps between; None is cut off.

    `missing` names what is cut off; `extra` is what follows the last number read.
    """

    least: float | None = None
    most: float | None = None
    step: float | None = None
    missing: tuple[str, ...] = ()
    extra: bytes = b""


class Advertised(NamedTuple):
    """What the service data of an advertisement says; `available` is None when it says nothing."""

    available: bool | None = None
    kinds: frozenset[str] = frozenset()

    @property
    def is_rower(self) -> bool | None:
        """Whether it is a rower; None when it names no kind of machine."""
        return "rower" in self.kinds if self.kinds else None


def decode_features(payload: bytes) -> Features:
    """Read a Fitness Machine Feature value (0x2ACC; FTMS v1.0, 4.3); never raises on any bytes.

    Args:
        payload: two words of four octets; fewer, none at all, or more.
    """
    ends = {"machine": _WORD, "targets": 2 * _WORD}
    return Features(
        machine=_named(MACHINE_FEATURES, payload[:_WORD]),
        targets=_named(TARGET_FEATURES, payload[_WORD : 2 * _WORD]),
        missing=tuple(name for name, end in ends.items() if len(payload) < end),
        extra=payload[2 * _WORD :],
    )


def decode_resistance_range(payload: bytes) -> Range:
    """Read a Supported Resistance Level Range (0x2AD6; FTMS v1.0, 4.13): three 16-bit numbers in tenths."""
    return _range(payload, size=2, signed=True, per_unit=10)


def decode_power_range(payload: bytes) -> Range:
    """Read a Supported Power Range (0x2AD8; FTMS v1.0, 4.14): three 16-bit numbers [W]."""
    return _range(payload, size=2, signed=True)


def decode_heart_rate_range(payload: bytes) -> Range:
    """Read a Supported Heart Rate Range (0x2AD7; FTMS v1.0, 4.15): three octets [1/min]."""
    return _range(payload, size=1, signed=False)


def decode_advertised(service_data: bytes) -> Advertised:
    """Read the Fitness Machine service data of an advertisement (FTMS v1.0, 3.1); never raises on any bytes.

    Some machines send the two octets of the type in the wrong order (pyftms reads them either way), or only one.  All
    kinds there are fit the first octet, so the second is only asked when the first names none.

    Args:
        service_data: flags and type, without the UUID before them; of any length.
    """
    if not service_data:
        return Advertised()
    kinds = _named(KINDS, service_data[1:2]) or _named(KINDS, service_data[2:3])
    return Advertised(bool(service_data[0] & _AVAILABLE), kinds)


def _named(names: tuple[str, ...], octets: bytes) -> frozenset[str]:
    bits = int.from_bytes(octets, "little")
    return frozenset(name for bit, name in enumerate(names) if bits >> bit & 1)


def _range(payload: bytes, size: int, signed: bool, per_unit: int = 1) -> Range:
    least, most, step = (payload[at : at + size] for at in (0, size, 2 * size))
    values = {
        "least": _number(least, size, signed, per_unit),
        "most": _number(most, size, signed, per_unit),
        "step": _number(step, size, False, per_unit),
    }
    missing = tuple(name for name, value in values.items() if value is None)
    return Range(**values, missing=missing, extra=payload[(3 - len(missing)) * size :])


def _number(octets: bytes, size: int, signed: bool, per_unit: int) -> float | None:
    if len(octets) < size:
        return None
    raw = int.from_bytes(octets, "little", signed=signed)
    return raw if per_unit == 1 else raw / per_unit
