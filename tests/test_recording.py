"""Recordings: what is written is read back; what was torn or altered is dropped and counted, never believed."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.athlete import Athlete
from rowsync.errors import RecordingError
from rowsync.recording import item_line, parse_recording, read_recording, recording_bytes
from rowsync.session import Header
from rowsync.telemetry import Note, Notification

HEADER = Header(
    session_id="20261123T120000Z-3f2a",
    started_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    origin="synthetic",
    source="test",
    machine={"name": "Ergömeter\n\x1b[31m"},
    athlete=Athlete("anna", mass_kg=62.0),
    plan="10x45/75",
)
NOTIFICATIONS = tuple(Notification(0.5 * n, "2ad1", bytes([4, 0, n, n, 0, n, 0, 0])) for n in range(20))
WHOLE = recording_bytes(HEADER, NOTIFICATIONS)


def test_what_is_written_is_read_back():
    recording = parse_recording(WHOLE)
    assert (recording.header, recording.notifications, recording.refused_lines) == (HEADER, NOTIFICATIONS, 0)


times_s = st.integers(0, 10**9).map(lambda thousandths: thousandths / 1000).filter(lambda time_s: time_s < 600_000)
notifications = st.builds(Notification, times_s, st.sampled_from(["2ad1", "2a37", "ce060031"]), st.binary(max_size=40))


@given(st.lists(notifications, max_size=20))
def test_any_notifications_are_read_back_in_the_order_of_their_times(sent):
    recording = parse_recording(recording_bytes(HEADER, sent))
    assert list(recording.notifications) == sorted(sent, key=lambda each: each.time_s)


@given(st.integers(0, len(WHOLE)))
def test_a_torn_tail_costs_its_own_line_and_no_other(length):
    try:
        recording = parse_recording(WHOLE[:length])
    except RecordingError:
        assert b"\n" not in WHOLE[:length] or length < WHOLE.index(b"\n")
        return
    whole_lines = WHOLE[:length].count(b"\n")
    assert len(recording.notifications) in (whole_lines - 1, whole_lines)
    assert recording.notifications == NOTIFICATIONS[: len(recording.notifications)]


@given(st.integers(0, len(WHOLE) * 8 - 1))
def test_a_flipped_bit_is_refused_never_believed(bit):
    flipped = bytearray(WHOLE)
    flipped[bit // 8] ^= 1 << bit % 8
    recording = parse_recording(bytes(flipped), name="20261123T120000Z-3f2a.jsonl")
    lost = [each for each in NOTIFICATIONS if each not in recording.notifications]
    assert len(lost) <= 2  # a flipped line end joins two lines
    assert set(recording.notifications) <= set(NOTIFICATIONS)
    assert recording.header.session_id == HEADER.session_id
    assert recording.header.started_at == HEADER.started_at


def test_lines_without_a_checksum_are_taken_so_that_a_recording_can_be_written_by_hand():
    recording = parse_recording(
        b'{"rowsync_recording": 1, "origin": "hardware"}\n{"t": 0, "c": "2AD1", "v": "01 00"}\n', name="by hand.jsonl"
    )
    assert recording.notifications == (Notification(0.0, "2ad1", b"\x01\x00"),)
    assert recording.header.session_id.startswith("by-hand-")


def test_notes_are_kept_in_the_order_of_time_with_what_they_say():
    recording = parse_recording(WHOLE + item_line(Note(0.1, "lost", {"reason": "out of range"})))
    assert recording.notes == (Note(0.1, "lost", {"reason": "out of range"}),)
    assert [item.time_s for item in recording.items] == sorted(item.time_s for item in recording.items)


@pytest.mark.parametrize(
    "line",
    [
        b'{"t": NaN, "c": "2ad1", "v": ""}',
        b'{"t": -1, "c": "2ad1", "v": ""}',
        b'{"t": 1e300, "c": "2ad1", "v": ""}',
        b'{"t": true, "c": "2ad1", "v": ""}',
        b'{"t": 1, "c": "2ad1", "v": "0"}',
        b'{"t": 1, "c": "2ad1", "v": "xy"}',
        b'{"t": 1, "c": 7, "v": ""}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_line_that_makes_no_sense_is_refused_and_counted(line):
    assert parse_recording(WHOLE + line + b"\n").refused_lines == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_a_recording_or_a_clear_refusal(content):
    with suppress(RecordingError):
        parse_recording(content)


def test_an_absent_recording_is_named(tmp_path):
    with pytest.raises(RecordingError, match=r"nowhere\.jsonl can't be read: No such file"):
        read_recording(tmp_path / "nowhere.jsonl")
