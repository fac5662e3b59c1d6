"""The Heart Rate service (0x180D) on the wire: what a belt measures (Heart Rate Measurement, 0x2A37)."""

from __future__ import annotations

from typing import NamedTuple

from rowsync.reading import Reading

HEART_RATE = "180d"
HEART_RATE_MEASUREMENT = "2a37"

_TWO_OCTETS, _CONTACT, _CONTACT_IS_TOLD, _ENERGY, _BEATS = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4


class HeartRateMeasurement(NamedTuple):
    """One Heart Rate Measurement; None is absent.

    `contact` is whether the belt touches the skin, `energy_expended_kj` its own count, and `beats_s` the times between
    beats (RR intervals), the oldest first.  `missing` names what the flags promise and the length doesn't hold; `extra`
    is what follows.
    """

    heart_rate_bpm: int | None = None
    contact: bool | None = None
    energy_expended_kj: int | None = None
    beats_s: tuple[float, ...] = ()
    missing: tuple[str, ...] = ()
    extra: bytes = b""


def decode_heart_rate(payload: bytes) -> HeartRateMeasurement:
    """Read one Heart Rate Measurement (HRS v1.0, 3.1); never raises on any bytes.

    Args:
        payload: the notification's value, of any length.
    """
    if not payload:
        return HeartRateMeasurement(missing=("flags",))
    flags, rest = payload[0], payload[1:]
    contact = bool(flags & _CONTACT) if flags & _CONTACT_IS_TOLD else None
    heart_rate, rest, cut = _number(rest, 2 if flags & _TWO_OCTETS else 1)
    if cut:
        return HeartRateMeasurement(contact=contact, missing=("heart_rate_bpm",), extra=rest)
    energy = None
    if flags & _ENERGY:
        energy, rest, cut = _number(rest, 2)
        if cut:
            return HeartRateMeasurement(heart_rate, contact, missing=("energy_expended_kj",), extra=rest)
    whole = len(rest) // 2 * 2 if flags & _BEATS else 0
    beats_s = tuple(int.from_bytes(rest[at : at + 2], "little") / 1024 for at in range(0, whole, 2))
    return HeartRateMeasurement(heart_rate, contact, energy, beats_s, extra=rest[whole:])


def reading_of(data: HeartRateMeasurement) -> Reading:
    """What a strap says of the rower; not whether it touches the skin, which many get wrong."""
    return Reading(strap_heart_rate_bpm=data.heart_rate_bpm, missing=data.missing)


def _number(octets: bytes, size: int) -> tuple[int | None, bytes, bool]:
    """A little-endian number, what follows it, and whether it was cut off."""
    if len(octets) < size:
        return None, octets, True
    return int.from_bytes(octets[:size], "little"), octets[size:], False
