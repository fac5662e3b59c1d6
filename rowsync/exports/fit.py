"""FIT, Garmin's format of activities, which most training sites take.

The file is an indoor row (sport 15, sub-sport 14): a record a second with the strokes counted until then, a lap an
interval with its intensity, and the session's totals.  What wasn't measured isn't in it, and a gap has no records.
Speed is in the enhanced fields only, which every decoder resolves.  Messages and layouts are fit-tool's, by the FIT
profile 21.212.  A file is put together message by message, since building one from all messages at once takes twenty
times as long.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any
from zlib import crc32

from fit_tool.definition_message import DefinitionMessage
from fit_tool.fit_file_header import FitFileHeader, ProtocolVersion
from fit_tool.profile.messages.activity_message import ActivityMessage
from fit_tool.profile.messages.device_info_message import DeviceInfoMessage
from fit_tool.profile.messages.event_message import EventMessage
from fit_tool.profile.messages.file_creator_message import FileCreatorMessage
from fit_tool.profile.messages.file_id_message import FileIdMessage
from fit_tool.profile.messages.lap_message import LapMessage
from fit_tool.profile.messages.record_message import RecordMessage
from fit_tool.profile.messages.session_message import SessionMessage
from fit_tool.profile.messages.sport_message import SportMessage
from fit_tool.profile.profile_type import (
    Activity,
    Event,
    EventType,
    FileType,
    Intensity,
    LapTrigger,
    Manufacturer,
    SessionTrigger,
    Sport,
    SubSport,
)
from fit_tool.record import Record
from fit_tool.utils.crc import crc16

from rowsync import __version__
from rowsync.errors import UsageError
from rowsync.exports.picture import Picture, Second, highest, mean_speed_m_per_s, speed_m_per_s, whole

Values = dict[str, Any]
"""A message's fields by the profile's names; None is not written."""

EPOCH_S = 631_065_600
"""FIT's seconds count from 31 December 1989, UTC [s since 1970]."""
FIRST_S, LAST_S = 0x1000_0000, 0xFFFE_0000
"""Fewer FIT seconds mean the time since a device was switched on; more don't fit, by a local clock either [s]."""

MOST_8, MOST_16, MOST_32 = 0xFE, 0xFFFE, 0xFFFF_FFFE
"""The largest values of the unsigned types: the one above means "invalid"."""

LONGEST_TEXT_BYTES = 60

INDOOR_ROWING: Values = {"sport": Sport.ROWING, "sub_sport": SubSport.INDOOR_ROWING}
INTENSITIES = {
    "hard": Intensity.ACTIVE,
    "steady": Intensity.ACTIVE,
    "easy": Intensity.REST,
    "rest": Intensity.REST,
    "warmup": Intensity.WARMUP,
    "cooldown": Intensity.COOLDOWN,
}
"""Easy rowing between hard pieces is rest to those who read FIT; "recovery" is too new for many of them."""

TRIGGERS = {
    "clock": LapTrigger.TIME,
    "metres": LapTrigger.DISTANCE,
    "person": LapTrigger.MANUAL,
    "end": LapTrigger.SESSION_END,
}


def fit_bytes(picture: Picture) -> bytes:
    """A session as a FIT activity.

    Raises:
        UsageError: the session began before or after the years that FIT can say.
    """
    start_ms = _start_ms(picture)
    end_ms = _at_ms(start_ms, picture.last_second_s)
    messages = (
        (FileIdMessage, [_file_id(picture, start_ms)]),
        (FileCreatorMessage, [{"software_version": _software_version()}]),
        (DeviceInfoMessage, [_recorder(picture, start_ms)]),
        (DeviceInfoMessage, [_machine(picture, start_ms)]),
        (SportMessage, [{**INDOOR_ROWING, "name": "Rowing"}]),
        (EventMessage, [_timer(start_ms, EventType.START)]),
        (RecordMessage, [_record(picture, second, start_ms) for second in picture.seconds()]),
        (EventMessage, [_timer(end_ms, EventType.STOP_ALL)]),
        (LapMessage, list(_laps(picture, start_ms))),
        (SessionMessage, [_session(picture, start_ms, end_ms)]),
        (ActivityMessage, [_activity(picture, end_ms)]),
    )
    body = b"".join(_encoded(kind, rows) for kind, rows in messages)
    # What is used here is as old as version 1, so that old readers take it too.
    header = FitFileHeader(len(body), ProtocolVersion(1, 0), gen_crc=True).to_bytes()
    return bytes(header + body + crc16(header + body).to_bytes(2, "little"))


def _encoded(kind: type[Any], rows: Sequence[Values]) -> bytes:
    """Messages of one kind with their definition: the fields that at least one of them has."""
    known = {name: value for row in rows for name, value in row.items() if value is not None}
    if not known:
        return b""
    message = kind()
    fields = {name: message.get_field_by_name(name) for name in known}
    _fill(fields, known)
    definition = DefinitionMessage.from_data_message(message)
    message.set_definition_message(definition)
    parts = [Record.from_message(definition).to_bytes()]
    for row in rows:
        _fill(fields, row)
        parts.append(Record.from_message(message).to_bytes())
    return b"".join(parts)


def _fill(fields: Mapping[str, Any], values: Values) -> None:
    for name, field in fields.items():
        value = values.get(name)
        if value is None:
            field.clear()
        else:
            field.set_value(0, value)


# --- messages ---------------------------------------------------------------------------------------------------------


def _file_id(picture: Picture, start_ms: int) -> Values:
    """Its serial number tells sessions apart where they are uploaded, and is the same each time."""
    return {
        "type": FileType.ACTIVITY,
        "manufacturer": Manufacturer.DEVELOPMENT.value,
        "product": 0,
        "serial_number": crc32(str(picture.summary["session_id"]).encode()) or 1,
        "time_created": start_ms,
        "product_name": picture.maker,
    }


def _recorder(picture: Picture, start_ms: int) -> Values:
    return {
        "timestamp": start_ms,
        "device_index": 0,
        "manufacturer": Manufacturer.DEVELOPMENT.value,
        "product": 0,
        "software_version": _software_version() / 100,
        "product_name": picture.maker,
    }


def _machine(picture: Picture, start_ms: int) -> Values:
    if not picture.machine:
        return {}
    return {"timestamp": start_ms, "device_index": 1, "product_name": _short(picture.machine)}


def _timer(at_ms: int, what: EventType) -> Values:
    return {"timestamp": at_ms, "event": Event.TIMER, "event_type": what}


def _record(picture: Picture, second: Second, start_ms: int) -> Values:
    sample = second.sample
    return {
        "timestamp": _at_ms(start_ms, second.time_s),
        "distance": _scaled(sample.distance_m, 100, MOST_32),
        "enhanced_speed": _scaled(speed_m_per_s(sample), 1000, MOST_32),
        "power": whole(sample.power_w, MOST_16),
        "heart_rate": _heart_rate(sample.heart_rate_bpm),
        "total_cycles": whole(sample.stroke_count, MOST_32),
        "cycle_length16": _scaled(_stroke_length_m(picture, second.time_s), 100, MOST_16),
        "calories": whole(picture.gross_kcal_at(second.time_s), MOST_16),
        **_cadence(sample.stroke_rate_spm, "cadence", "fractional_cadence"),
    }


def _laps(picture: Picture, start_ms: int) -> Iterator[Values]:
    told = zip(picture.intervals, picture.endings(), picture.whole_kcals(), strict=True)
    for index, (interval, ending, kcal) in enumerate(told):
        start_s, end_s = interval["start_s"], interval["end_s"]
        yield {
            "message_index": index,
            "timestamp": _at_ms(start_ms, ceil(end_s)),
            "start_time": _at_ms(start_ms, ceil(start_s)),
            "event": Event.LAP,
            "event_type": EventType.STOP,
            "intensity": INTENSITIES[interval["effort"]],
            "lap_trigger": TRIGGERS[ending],
            **INDOOR_ROWING,
            **_totals(picture, interval, start_s, end_s, kcal),
        }


def _session(picture: Picture, start_ms: int, end_ms: int) -> Values:
    summary = picture.summary
    return {
        "message_index": 0,
        "timestamp": end_ms,
        "start_time": start_ms,
        "event": Event.SESSION,
        "event_type": EventType.STOP,
        "trigger": SessionTrigger.ACTIVITY_END,
        "first_lap_index": 0,
        "num_laps": len(picture.intervals),
        "total_moving_time": _scaled(summary["moving_s"], 1000, MOST_32),
        **INDOOR_ROWING,
        **_totals(picture, summary, 0.0, summary["duration_s"], summary["energy"]["gross_kcal"]),
    }


def _activity(picture: Picture, end_ms: int) -> Values:
    offset = picture.began.utcoffset()
    return {
        "timestamp": end_ms,
        "local_timestamp": end_ms // 1000 - EPOCH_S + round(offset.total_seconds() if offset else 0),
        "total_timer_time": _scaled(picture.summary["duration_s"], 1000, MOST_32),
        "num_sessions": 1,
        "type": Activity.MANUAL,
        "event": Event.ACTIVITY,
        "event_type": EventType.STOP,
    }


def _totals(picture: Picture, part: Mapping[str, Any], start_s: float, end_s: float, gross_kcal: float) -> Values:
    """What laps and the session have in common."""
    samples = picture.between(start_s, end_s)
    return {
        "total_elapsed_time": _scaled(part["duration_s"], 1000, MOST_32),
        "total_timer_time": _scaled(part["duration_s"], 1000, MOST_32),
        "total_distance": _scaled(part["distance_m"], 100, MOST_32),
        "total_cycles": whole(part["stroke_count"], MOST_32),
        "total_calories": whole(gross_kcal, MOST_16),
        "total_work": whole(picture.work_j(start_s, end_s), MOST_32),
        "enhanced_avg_speed": _scaled(mean_speed_m_per_s(part), 1000, MOST_32),
        "enhanced_max_speed": _scaled(highest(samples, speed_m_per_s), 1000, MOST_32),
        "avg_heart_rate": _heart_rate(part["mean_heart_rate_bpm"]),
        "max_heart_rate": _heart_rate(highest(samples, lambda sample: sample.heart_rate_bpm)),
        "avg_power": whole(part["mean_power_w"], MOST_16),
        "max_power": whole(highest(samples, lambda sample: sample.power_w), MOST_16),
        **_cadence(part["mean_stroke_rate_spm"], "avg_cadence", "avg_fractional_cadence"),
        **_cadence(highest(samples, lambda sample: sample.stroke_rate_spm), "max_cadence", "max_fractional_cadence"),
    }


def _stroke_length_m(picture: Picture, time_s: float) -> float | None:
    """Metres of the latest stroke until then, while it is being rowed [m]."""
    latest = bisect_right(picture.strokes, time_s, key=lambda stroke: stroke.end_s) - 1
    if latest < 0 or not picture.strokes[latest].seen:
        return None
    return picture.strokes[latest].distance_m


# --- values -----------------------------------------------------------------------------------------------------------


def _start_ms(picture: Picture) -> int:
    """The whole second in which the session began [ms since 1970].

    Raises:
        UsageError: FIT has no such time.
    """
    start_s = int(picture.began.timestamp() // 1)
    if not FIRST_S <= start_s - EPOCH_S <= LAST_S - picture.last_second_s:
        raise UsageError(
            f"The session began in {picture.began.year}, and FIT only knows the years 1999 to 2125. Export it in "
            "another format: --format tcx"
        )
    return start_s * 1000


def _at_ms(start_ms: int, second_s: int) -> int:
    return start_ms + 1000 * second_s


def _scaled(value: float | None, per_unit: int, most: int) -> float | None:
    """A value that FIT counts in parts of its unit; None where it wasn't measured or FIT has no room for it."""
    return value if value is not None and 0 <= round(value * per_unit) <= most else None


def _heart_rate(value: float | None) -> int | None:
    """A heart rate; a heart that doesn't beat was not measured."""
    return whole(value, MOST_8) or None


def _cadence(rate_spm: float | None, name: str, fraction_name: str) -> Values:
    """A stroke rate as FIT splits it: whole strokes a minute, and 128ths of one."""
    parts = None if rate_spm is None else round(rate_spm * 128)
    if parts is None or not 0 <= parts <= MOST_8 * 128:
        return {name: None, fraction_name: None}
    return {name: parts // 128, fraction_name: parts % 128 / 128}


def _short(text: str) -> str:
    """A text within the bytes that it may have, no letter cut in two."""
    return text.encode()[:LONGEST_TEXT_BYTES].decode(errors="ignore")


def _software_version() -> int:
    """`0.1.0` as FIT counts versions: 1 hundredth."""
    major, minor, *_ = __version__.split(".")
    return int(major) * 100 + int(minor)
