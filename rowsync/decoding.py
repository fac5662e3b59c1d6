"""One payload explained: every field, what is missing, what is extra (the JSON of `rowsync decode`)."""

from __future__ import annotations

from typing import Any

from rowsync import ftms


def describe(characteristic: str, payload: bytes) -> dict[str, Any]:
    """Explain any bytes of any characteristic; never raises.

    Args:
        characteristic: 16-bit UUID in lower-case hex, or the first 32 bits of a 128-bit one.
        payload: the bytes.

    Returns:
        The document of `docs/contract.md`: characteristic, fields, more_data, missing, extra_hex, notes.
    """
    if characteristic != ftms.ROWER_DATA:
        notes = [f"rowsync doesn't decode the characteristic {characteristic} yet; Rower Data is {ftms.ROWER_DATA}"]
        return _document(characteristic, {}, False, (), payload, notes)
    data = ftms.decode_rower_data(payload)
    present = ftms.present_fields(payload)
    fields = {name: value for name, value in ftms.measurements(data).items() if name in present}
    return _document(characteristic, fields, data.more_data, data.missing, data.extra, ftms.remarks(payload))


def _document(
    characteristic: str,
    fields: dict[str, Any],
    more_data: bool,
    missing: tuple[str, ...],
    extra: bytes,
    notes: list[str],
) -> dict[str, Any]:
    return {
        "characteristic": characteristic,
        "fields": fields,
        "more_data": more_data,
        "missing": list(missing),
        "extra_hex": extra.hex(),
        "notes": notes,
    }
