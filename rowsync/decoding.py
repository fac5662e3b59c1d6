"""One payload explained: every field, what is missing, what is extra (the JSON of `rowsync decode`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rowsync import ftms
from rowsync.heart_rate import HEART_RATE_MEASUREMENT, decode_heart_rate


def describe(characteristic: str, payload: bytes) -> dict[str, Any]:
    """Explain any bytes of any characteristic; never raises.

    Args:
        characteristic: 16-bit UUID in lower-case hex, or the first 32 bits of a 128-bit one.
        payload: the bytes.

    Returns:
        The document of `docs/contract.md`: characteristic, fields, more_data, missing, extra_hex, notes.
    """
    return {"characteristic": characteristic} | DESCRIBED.get(characteristic, _unknown)(payload)


def _rower_data(payload: bytes) -> dict[str, Any]:
    data = ftms.decode_rower_data(payload)
    present = ftms.present_fields(payload)
    fields = {name: value for name, value in ftms.measurements(data).items() if name in present}
    return _document(fields, data.missing, data.extra, ftms.remarks(payload), data.more_data)


def _heart_rate(payload: bytes) -> dict[str, Any]:
    data = decode_heart_rate(payload)
    fields = data._asdict() | {"beats_s": list(data.beats_s)}
    fields = {name: value for name, value in fields.items() if name not in ("missing", "extra")}
    return _document(fields, data.missing, data.extra, [])


def _unknown(payload: bytes) -> dict[str, Any]:
    known = ", ".join(DESCRIBED)
    return _document({}, (), payload, [f"rowsync doesn't decode this characteristic yet; it knows {known}"])


def _document(
    fields: dict[str, Any], missing: tuple[str, ...], extra: bytes, notes: list[str], more_data: bool = False
) -> dict[str, Any]:
    return {
        "fields": fields,
        "more_data": more_data,
        "missing": list(missing),
        "extra_hex": extra.hex(),
        "notes": notes,
    }


DESCRIBED: dict[str, Callable[[bytes], dict[str, Any]]] = {
    ftms.ROWER_DATA: _rower_data,
    HEART_RATE_MEASUREMENT: _heart_rate,
}
"""What is decoded; another characteristic is another row."""
