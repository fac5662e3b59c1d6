"""One payload explained: every field, what is missing, what is extra (the JSON of `rowsync decode`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import partial
from typing import Any

from rowsync import concept2, control, features, ftms, identity
from rowsync.heart_rate import HEART_RATE_MEASUREMENT, decode_heart_rate

Document = dict[str, Any]


def describe(characteristic: str, payload: bytes) -> Document:
    """Explain any bytes of any characteristic; never raises.

    Args:
        characteristic: 16-bit UUID in lower-case hex, or the first 32 bits of a 128-bit one.
        payload: the bytes.

    Returns:
        The document of `docs/contract.md`: characteristic, fields, more_data, missing, extra_hex, notes.
    """
    return {"characteristic": characteristic} | DESCRIBED.get(characteristic, _unknown)(payload)


# --- measurements -----------------------------------------------------------------------------------------------------


def _rower_data(payload: bytes) -> Document:
    data = ftms.decode_rower_data(payload)
    present = ftms.present_fields(payload)
    fields = {name: value for name, value in ftms.measurements(data).items() if name in present}
    return _document(fields, data.missing, data.extra, ftms.remarks(payload), data.more_data)


def _heart_rate(payload: bytes) -> Document:
    data = decode_heart_rate(payload)
    fields = data._asdict() | {"beats_s": list(data.beats_s)}
    fields = {name: value for name, value in fields.items() if name not in ("missing", "extra")}
    return _document(fields, data.missing, data.extra, [])


def _concept2(characteristic: str, payload: bytes) -> Document:
    data = concept2.decode_concept2(characteristic, payload)
    return _document(data.values, data.missing, data.extra, concept2.remarks(characteristic, payload))


# --- what the machine is and can do -----------------------------------------------------------------------------------


def _features(payload: bytes) -> Document:
    data = features.decode_features(payload)
    fields = {
        "machine": sorted(data.machine, key=features.MACHINE_FEATURES.index),
        "targets": sorted(data.targets, key=features.TARGET_FEATURES.index),
        "rower_fields": list(data.rower_fields),
    }
    notes = ["fewer than 8 octets; the features that are there are read"] if data.missing else []
    return _document(fields, data.missing, data.extra, notes)


def _range(decode: Callable[[bytes], features.Range], quantity: str, payload: bytes) -> Document:
    data = decode(payload)
    named = {"least": data.least, "most": data.most, "step": data.step}
    fields = {f"{name}_{quantity}": value for name, value in named.items() if name not in data.missing}
    return _document(fields, tuple(f"{name}_{quantity}" for name in data.missing), data.extra, [])


def _text(name: str, payload: bytes) -> Document:
    return _document({name: identity.decode_text(payload) or None}, (), payload[identity.LONGEST_TEXT :], [])


def _battery(payload: bytes) -> Document:
    if not payload:
        return _document({}, ("battery_percent",), b"", [])
    percent = identity.decode_battery_percent(payload)
    notes = [f"{payload[0]} is no percentage"] if percent is None else []
    return _document({"battery_percent": percent}, (), payload[1:], notes)


# --- control ----------------------------------------------------------------------------------------------------------


def _control_point(payload: bytes) -> Document:
    return (_answer if payload[:1] == bytes([control.OpCode.RESPONSE]) else _request)(payload)


def _request(payload: bytes) -> Document:
    data = control.decode_request(payload)
    fields = {"op_code": _name(data.op_code), **data.values} if payload else {}
    return _document(fields, data.missing, data.extra, _reserved("op code", data.op_code))


def _answer(payload: bytes) -> Document:
    data = control.decode_answer(payload)
    named = {"response_to": data.op_code, "result": data.result}
    fields = {name: _name(value) for name, value in named.items() if value is not None}
    missing = tuple(name for name in named if name not in fields)
    return _document(fields, missing, data.parameter, [control.describe_answer(data)])


def _machine_status(payload: bytes) -> Document:
    data = control.decode_machine_status(payload)
    fields = {"code": payload[0], "event": data.event, **data.values} if payload else {}
    return _document(fields, data.missing, data.extra, _reserved("status code", data.code))


def _training_status(payload: bytes) -> Document:
    data = control.decode_training_status(payload)
    known = {"code": data.code, "name": data.name, "effort": data.effort, "text": data.text}
    notes = ["the text goes on: a read of the characteristic gives more of it"] if data.text_goes_on else []
    if data.code is not None and data.name is None:
        notes.append(f"status {data.code:#04x} is reserved")
    return _document({} if data.missing else known, data.missing, data.extra, notes)


def _name(code: int | None) -> str | int | None:
    return code.name.lower() if isinstance(code, IntEnum) else code


def _reserved(what: str, code: int | None) -> list[str]:
    return [] if code is None or isinstance(code, IntEnum) else [f"{what} {code:#04x} is reserved"]


# --- the document -----------------------------------------------------------------------------------------------------


def _unknown(payload: bytes) -> Document:
    known = ", ".join(DESCRIBED)
    return _document({}, (), payload, [f"rowsync doesn't decode this characteristic yet; it knows {known}"])


def _document(
    fields: dict[str, Any], missing: tuple[str, ...], extra: bytes, notes: list[str], more_data: bool = False
) -> Document:
    return {
        "fields": fields,
        "more_data": more_data,
        "missing": list(missing),
        "extra_hex": extra.hex(),
        "notes": notes,
    }


DESCRIBED: Mapping[str, Callable[[bytes], Document]] = {
    ftms.ROWER_DATA: _rower_data,
    HEART_RATE_MEASUREMENT: _heart_rate,
    **{each: partial(_concept2, each) for each in (*concept2.SUBSCRIBED, concept2.MULTIPLEXED)},
    ftms.FITNESS_MACHINE_FEATURE: _features,
    ftms.RESISTANCE_RANGE: partial(_range, features.decode_resistance_range, "resistance_level"),
    ftms.HEART_RATE_RANGE: partial(_range, features.decode_heart_rate_range, "heart_rate_bpm"),
    ftms.POWER_RANGE: partial(_range, features.decode_power_range, "power_w"),
    ftms.TRAINING_STATUS: _training_status,
    ftms.CONTROL_POINT: _control_point,
    ftms.MACHINE_STATUS: _machine_status,
    identity.BATTERY_LEVEL: _battery,
    **{each: partial(_text, name) for each, name in (identity.IDENTITY | concept2.INFORMATION).items()},
}
"""What is decoded; another characteristic is another row."""
