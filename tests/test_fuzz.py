"""What `python -m fuzz.run` looks for by the million, looked for by the hundred; and the bytes that it found."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import (
    STARTED,
    TARGETS,
    BrokenPromise,
    check,
    follow,
    mutant,
    row_of,
    seeds,
    stream_bytes,
    stream_of,
)
from rowsync.intervals import Segmenter
from rowsync.recording import parse_recording, recording_bytes
from rowsync.session import Gap, Header, analyse
from rowsync.store import Store
from rowsync.strokes import Stroke
from rowsync.telemetry import Notification

EXAMPLES = {"decoding": 400, "session": 60, "rowing": 15, "recording": 60}
HEADER = Header("fuzz", STARTED)
PACKETS = '{"t":0,"c":"2ad1","v":"2c0000000000"}\n{"t":1,"c":"2ad1","v":"2c0201000300"}\n'


def cases():
    return [pytest.param(name, id=name) for name in TARGETS]


@pytest.mark.parametrize("target", cases())
def test_real_frames_and_recorded_sessions_keep_every_promise(target):
    for seed in seeds(target)[:: 4 if target == "rowing" else 1]:
        TARGETS[target](seed)


@pytest.mark.parametrize("target", cases())
def test_any_bytes_keep_every_promise(target):
    @settings(max_examples=EXAMPLES[target], suppress_health_check=[HealthCheck.too_slow])
    @given(st.binary(max_size=200))
    def promise_holds(data):
        TARGETS[target](data)

    promise_holds()


@pytest.mark.parametrize("target", cases())
def test_real_bytes_altered_cut_and_joined_keep_every_promise(target):
    parents = seeds(target)

    @settings(max_examples=EXAMPLES[target], suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, 1 << 32))
    def promise_holds(number):
        TARGETS[target](mutant(parents, Random(number))[:600])

    promise_holds()


@settings(max_examples=10)
@given(st.binary(max_size=40), st.integers(0, 47))
def test_a_look_at_the_live_view_changes_nothing(data, number):
    header, items = row_of(seeds("rowing")[number][:30] + data)
    assert follow(header, items) == analyse(header, items)


def test_a_thousand_new_payloads_leave_no_memory_behind():
    parents, dice = seeds("decoding"), Random(1)

    def held(inputs):
        for _ in range(inputs):
            TARGETS["decoding"](mutant(parents, dice)[:64])
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        warm = held(2000)
        assert held(1000) - warm < 64 * 1024
    finally:
        tracemalloc.stop()


# --- that a broken promise is noticed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(lambda session: replace(session, intervals=session.intervals[1:]), id="an interval is missing"),
        pytest.param(
            lambda session: replace(session, duration_s=session.duration_s + 1), id="a second is no interval's"
        ),
        pytest.param(lambda session: replace(session, gaps=(Gap(1.0, 1e9, "?"),)), id="a gap ends after the session"),
        pytest.param(lambda session: replace(session, stroke_count=session.stroke_count + 1), id="a stroke too many"),
        pytest.param(
            lambda session: replace(session, energy=replace(session.energy, gross_kcal=float("nan"))),
            id="energy is NaN",
        ),
        pytest.param(
            lambda session: replace(session, energy=replace(session.energy, net_kcal=-1.0)), id="less energy than rest"
        ),
    ],
)
def test_a_session_that_breaks_a_promise_is_noticed(intervals_recording, alter):
    session = analyse(intervals_recording.header, intervals_recording.items)
    check(session)
    with pytest.raises((BrokenPromise, ValueError)):
        check(alter(session))


def test_a_seed_is_read_as_the_packets_it_was_made_of():
    packets = [Notification(0.5 * n, "2ad1", bytes([n] * 20)) for n in range(9)]
    assert stream_of(stream_bytes(packets, "PM5 430000000"))[1] == packets
    assert stream_of(stream_bytes(packets, "PM5 430000000"))[0].machine == {"name": "pm5"}


# --- what was found ---------------------------------------------------------------------------------------------------


def test_one_packet_after_hours_of_idling_makes_no_thousands_of_strokes():
    idling = [Notification(float(n), "ce060031", bytes(19)) for n in range(0, 36000, 4)]
    counted = [bytes.fromhex("5802000000000000 00 000000000000 00"), bytes.fromhex("580200b3009403b7fe0000000000 00")]
    packets = [Notification(0.0, "ce060036", counted[0]), *idling, Notification(36000.0, "ce060036", counted[1])]
    session = follow(HEADER, packets)
    assert session.stroke_count == 65207
    assert [(stroke.number, stroke.seen) for stroke in session.strokes] == [(65207, False)]
    assert "65207 strokes were counted meanwhile" in session.gaps[-1].reason


def test_sixty_drinks_are_joined_to_one_piece_without_sixty_calls_in_each_other():
    segmenter, now_s = Segmenter(), 0.0
    for number in range(60 * 20):
        segmenter.feed(Stroke(number + 1, now_s, now_s + 15.0, 60.0, 200.0))
        now_s += 15.0 if number % 20 != 19 else 15.0 + 29.0
    most = sys.getrecursionlimit()
    sys.setrecursionlimit(_frames_here() + 50)
    try:
        assert segmenter.finish(now_s)
    finally:
        sys.setrecursionlimit(most)


@pytest.mark.parametrize("session_id", ["pace-only-10x45-7" + "5" * 120, "ä" + "5" * 55, "a" * 51 + "/"])
def test_a_session_keeps_its_id_however_long_when_it_is_written_and_read_again(session_id):
    line = json.dumps({"rowsync_recording": 1, "session_id": session_id})
    header = parse_recording(line.encode()).header
    assert parse_recording(recording_bytes(header, ())).header == header


def _frames_here():
    frame, depth = sys._getframe(), 0
    while frame := frame.f_back:
        depth += 1
    return depth


@pytest.mark.parametrize(
    "line", ['{"t":0.5,"event":"lost","reason":%s}', '{"rowsync_recording":1,"machine":{"name":"m","x":%s}}']
)
def test_lists_in_lists_as_deep_as_they_can_be_read_are_analysed_and_written_again(line):
    for depth in range(600, 1000, 3):
        recording = parse_recording(f"{line % ('[' * depth + ']' * depth)}\n{PACKETS}".encode())
        json.dumps(analyse(recording.header, recording.items).summary())
        assert parse_recording(recording_bytes(recording.header, recording.items)).items == recording.items


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"t":0.5,"event":"lost","reason":"\\ud800"}', id="a reason that isn't UTF-8"),
        pytest.param('{"t":0.5,"event":"lost","\\udfff":[1e999]}', id="a detail that isn't UTF-8 or finite"),
        pytest.param('{"rowsync_recording":1,"machine":{"\\ud800":"\\ud800"}}', id="a machine that isn't UTF-8"),
        pytest.param('{"rowsync_recording":1,"machine":{"x":[1e999]}}', id="a machine of infinite size"),
    ],
)
def test_what_a_hostile_line_says_can_be_analysed_stored_and_written_again(tmp_path, line):
    recording = parse_recording(f"{line}\n{PACKETS}".encode())
    assert (recording.refused_lines, len(recording.notifications)) == (0, 2)
    summary = Store(tmp_path).add(recording)
    json.dumps(summary, ensure_ascii=False, allow_nan=False).encode()
    again = parse_recording(recording_bytes(recording.header, recording.items))
    assert (again.header, again.items) == (recording.header, recording.items)
