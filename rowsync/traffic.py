"""What a machine sent, counted: its streams with their rhythm, their shapes and their fields.

A stream is one characteristic in one shape: Rower Data with the same flags, or one frame of Concept2's multiplexed
ones.  A machine that splits a record into parts has a stream for each, and each has its own rhythm.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from rowsync import concept2, ftms, identity
from rowsync.decoding import describe
from rowsync.heart_rate import HEART_RATE_MEASUREMENT
from rowsync.readers import ROW_READERS, read
from rowsync.reading import Reading
from rowsync.recording import Recording
from rowsync.telemetry import LOST, Notification

NAMES = {
    ftms.ROWER_DATA: "Rower Data",
    ftms.TRAINING_STATUS: "Training Status",
    ftms.CONTROL_POINT: "Control Point",
    ftms.MACHINE_STATUS: "Machine Status",
    HEART_RATE_MEASUREMENT: "Heart Rate",
    "ce060031": "General Status",
    "ce060032": "Additional Status",
    "ce060033": "Additional Status 2",
    "ce060035": "Stroke Data",
    "ce060036": "Additional Stroke Data",
    "ce060037": "Split Data",
    "ce060038": "Additional Split Data",
    "ce060039": "Workout Summary",
    "ce06003a": "Additional Summary",
    concept2.MULTIPLEXED: "Multiplexed",
}
"""What the characteristics are called, by the Bluetooth SIG and by Concept2."""

READ_ONCE = {
    ftms.FITNESS_MACHINE_FEATURE: "features",
    ftms.RESISTANCE_RANGE: "resistance_range",
    ftms.HEART_RATE_RANGE: "heart_rate_range",
    ftms.POWER_RANGE: "power_range",
    identity.BATTERY_LEVEL: "battery",
    concept2.SAMPLE_RATE: "sample_rate",
    **identity.IDENTITY,
    **concept2.INFORMATION,
}
"""What a machine says of itself when it is asked, which is no stream."""

MEASURED = (*ROW_READERS, HEART_RATE_MEASUREMENT)
"""The characteristics whose fields are measurements."""

SERIAL = "serial"


class Packet(NamedTuple):
    """One notification taken apart.

    Attributes:
        time_s: when it came [s].
        characteristic: by which characteristic.
        payload: the bytes.
        shape: the flags of Rower Data, the id of a multiplexed frame; empty for what has one shape only.
        fields: the fields that it holds, by their names on the wire; None is "not available".
        more_data: whether the record goes on in another packet.
        missing: the fields that it promises and that its length doesn't hold.
        extra: the octets after its last field.
        remarks: how it departs from the specification, in words.
        reading: what it says of the row; None when that isn't its subject.
    """

    time_s: float
    characteristic: str
    payload: bytes
    shape: str
    fields: Mapping[str, Any]
    more_data: bool
    missing: tuple[str, ...]
    extra: bytes
    remarks: tuple[str, ...]
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class Stream:
    """One characteristic in one shape.

    Attributes:
        characteristic: which.
        name: what it is called.
        shape: its flags or its frame's id; empty where there is one shape only.
        more_data: whether its flags say that the record goes on.
        notifications: how many came.
        interval_s: the median time between two [s]; None with fewer than two.
        jitter_s: nine of ten intervals are within this of the median [s].
        longest_silence_s: the longest interval while connected [s].
        lengths: octets, and how many came so long.
        fields: the fields in it.
        cut: how many were shorter than they promise.
        extra: how many had octets after their last field.
        remarks: how they depart from the specification, and how many do.
    """

    characteristic: str
    name: str
    shape: str
    more_data: bool
    notifications: int
    interval_s: float | None
    jitter_s: float | None
    longest_silence_s: float | None
    lengths: Mapping[str, int]
    fields: tuple[str, ...]
    cut: int
    extra: int
    remarks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """What came in one field.

    Attributes:
        characteristic: by which characteristic.
        field: its name on the wire, with its unit.
        notifications: how many held it.
        not_available: how often it said "not available".
        zero: how often it was 0.
        least: its least value, in its unit; None when it never had one.
        most: its greatest value, in its unit.
    """

    characteristic: str
    field: str
    notifications: int
    not_available: int
    zero: int
    least: float | None
    most: float | None


def packets_of(recording: Recording) -> tuple[Packet, ...]:
    """A recording's notifications taken apart, in the order of time; never raises on any bytes."""
    return tuple(map(_packet, recording.notifications))


def streams_of(packets: Iterable[Packet], recording: Recording) -> tuple[Stream, ...]:
    """The streams in packets, the liveliest of a characteristic first."""
    lost_s = [note.time_s for note in recording.notes if note.event == LOST]
    groups: dict[tuple[str, str], list[Packet]] = defaultdict(list)
    for packet in packets:
        if packet.characteristic not in READ_ONCE:
            groups[packet.characteristic, packet.shape].append(packet)
    streams = [_stream(characteristic, shape, group, lost_s) for (characteristic, shape), group in groups.items()]
    return tuple(sorted(streams, key=lambda each: (each.characteristic, -each.notifications, each.shape)))


def fields_of(packets: Iterable[Packet]) -> tuple[FieldSeen, ...]:
    """What came in each field that holds a measurement."""
    values: dict[tuple[str, str], list[float | None]] = defaultdict(list)
    for packet in packets:
        if packet.characteristic in MEASURED:
            for name, value in packet.fields.items():
                if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
                    values[packet.characteristic, name].append(value)
    return tuple(_field(characteristic, name, seen) for (characteristic, name), seen in values.items())


def said_by(packets: Iterable[Packet]) -> dict[str, Any]:
    """What the machine says of itself, without its serial number, which is nobody else's business."""
    said: dict[str, Any] = {}
    for packet in packets:
        subject = READ_ONCE.get(packet.characteristic)
        if subject is not None and subject != SERIAL:
            known = {name: value for name, value in packet.fields.items() if value not in (None, [])}
            known.pop("rower_fields", None)  # they follow from the features
            said[subject] = next(iter(known.values())) if len(known) == 1 else known
    return {subject: value for subject, value in said.items() if value not in ("", {}, None)}


def name_of(stream: Stream) -> str:
    """A stream as a person may say it: `Rower Data 0x0b2c`."""
    return " ".join(filter(None, (stream.name, stream.shape)))


def _packet(notification: Notification) -> Packet:
    described = describe(notification.characteristic, notification.payload)
    return Packet(
        notification.time_s,
        notification.characteristic,
        notification.payload,
        _shape(notification),
        described["fields"],
        described["more_data"],
        tuple(described["missing"]),
        bytes.fromhex(described["extra_hex"]),
        tuple(described["notes"]),
        read(notification),
    )


def _shape(notification: Notification) -> str:
    payload = notification.payload
    if notification.characteristic == ftms.ROWER_DATA and len(payload) >= 2:
        return f"{int.from_bytes(payload[:2], 'little'):#06x}"
    if notification.characteristic == concept2.MULTIPLEXED and payload:
        return f"{payload[0]:#04x}"
    return ""


def _stream(characteristic: str, shape: str, packets: Sequence[Packet], lost_s: Sequence[float]) -> Stream:
    intervals_s = [
        after.time_s - before.time_s
        for before, after in pairwise(packets)
        if bisect_right(lost_s, before.time_s) == bisect_right(lost_s, after.time_s)
    ]
    usual_s = median(intervals_s) if intervals_s else None
    off_s = sorted(abs(each - usual_s) for each in intervals_s) if usual_s is not None else []
    lengths = Counter(len(each.payload) for each in packets)
    is_described = characteristic in NAMES or characteristic in READ_ONCE
    return Stream(
        characteristic=characteristic,
        name=NAMES.get(characteristic, characteristic),
        shape=shape,
        more_data=packets[0].more_data,
        notifications=len(packets),
        interval_s=None if usual_s is None else round(usual_s, 3),
        jitter_s=round(off_s[len(off_s) * 9 // 10], 3) if off_s else None,
        longest_silence_s=round(max(intervals_s), 3) if intervals_s else None,
        lengths={str(octets): count for octets, count in sorted(lengths.items())},
        fields=tuple(dict.fromkeys(name for each in packets for name in each.fields)),
        cut=sum(bool(each.missing) for each in packets),
        extra=sum(bool(each.extra) and not each.missing for each in packets) if is_described else 0,
        remarks=dict(Counter(remark for each in packets for remark in each.remarks)) if is_described else {},
    )


def _field(characteristic: str, name: str, values: Sequence[float | None]) -> FieldSeen:
    known = [value for value in values if value is not None]
    return FieldSeen(
        characteristic=characteristic,
        field=name,
        notifications=len(values),
        not_available=len(values) - len(known),
        zero=sum(value == 0 for value in known),
        least=min(known, default=None),
        most=max(known, default=None),
    )
