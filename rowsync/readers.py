"""Which characteristic is read by whom: the one table between the services and the rest of the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from rowsync import concept2, control, ftms, heart_rate
from rowsync.reading import Reading
from rowsync.telemetry import Notification


def _concept2(characteristic: str, payload: bytes) -> Reading:
    return concept2.reading_of(concept2.decode_concept2(characteristic, payload))


def _training_status(payload: bytes) -> Reading:
    return Reading(effort=control.decode_training_status(payload).effort)


def _heart_rate(payload: bytes) -> Reading:
    return heart_rate.reading_of(heart_rate.decode_heart_rate(payload))


ROW_READERS: Mapping[str, Callable[[bytes], Reading]] = {
    ftms.ROWER_DATA: ftms.read_rower_data,
    **{each: partial(_concept2, each) for each in (*concept2.SUBSCRIBED, concept2.MULTIPLEXED)},
}
"""What speaks of the row: its first packet is where a session's time begins, and its silence is the machine's."""

READERS: Mapping[str, Callable[[bytes], Reading]] = {
    **ROW_READERS,
    ftms.TRAINING_STATUS: _training_status,
    heart_rate.HEART_RATE_MEASUREMENT: _heart_rate,
}
"""All that says something of the rower; another characteristic is another row."""


def read(notification: Notification) -> Reading | None:
    """What a packet says of the row; None when its characteristic says nothing of that.  Never raises."""
    reader = READERS.get(notification.characteristic)
    return None if reader is None else reader(notification.payload)
