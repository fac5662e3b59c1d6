"""Sessions as exports see them: recorded ones, one of a machine that only counts strokes, and any bytes at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from hypothesis import assume
from hypothesis import strategies as st

from rowsync.athlete import Athlete
from rowsync.exports import Picture
from rowsync.recording import read_recording
from rowsync.session import Header, analyse
from rowsync.telemetry import LOST, RESUMED, Note, Notification
from tests.conftest import RECORDED

RECORDINGS = ["intervals-10x45-75", "stops-8x500m", "pace-only-10x45-75", "dropout-10x45-75"]
STROKES_ONLY = "a machine that only counts strokes"
BEGAN = datetime(2026, 11, 23, 16, 30, 0, 400_000, tzinfo=UTC)
HOSTILE = [
    '=HYPERLINK("http://example.com";"row")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\tTAB",
    "\rCR",
    "<script>alert(1)</script>",
    "]]>&amp;\"'",
    "a\x00b\x1bc\x7f\u202ed\ufffe\ud800".encode("utf-8", "replace").decode(),
    "\ufffe\uffff",
    'quote" and \\ backslash\\',
    "RIDE",
    "ü" * 300,
    "🚣" * 300,
]


def picture_of(header, items):
    session = analyse(header, items)
    return Picture(session.summary(), session.samples, session.strokes, header.started_at)


@cache
def picture(name):
    """A recorded session by its name, or `STROKES_ONLY`."""
    if name == STROKES_ONLY:
        return picture_of(header_of(), strokes_only())
    recording = read_recording(RECORDED / f"{name}.jsonl")
    return picture_of(recording.header, recording.items)


def header_of(athlete="me", machine="Rower", plan=None, began=BEGAN):
    return Header("20261123T163000Z", began, machine={"name": machine}, athlete=Athlete(athlete), plan=plan)


def strokes_only():
    """Twenty minutes of a stroke in two and a half seconds: flags 0, then stroke rate 24.0 and the count."""
    return [
        Notification(float(second), "2ad1", bytes.fromhex("0000 30") + (second * 2 // 5).to_bytes(2, "little"))
        for second in range(1200)
    ]


def named(text):
    """A short row in which whatever can be named is named so."""
    return picture_of(header_of(athlete=text, machine=text, plan=text), strokes_only()[:60])


def shifted(picture, began):
    return replace(picture, began=began)


# Flags that say which fields follow, whatever follows: rower data, and a strap's.
payloads = st.tuples(st.sampled_from(["2ad1", "2ad1", "2ad1", "2a37"]), st.binary(max_size=24))
first = st.tuples(st.just("2ad1"), st.binary(min_size=2, max_size=24))
waits_s = st.sampled_from([0.0, 0.2, 0.5, 1.0, 1.0, 1.0, 2.5, 7.3, 30.0, 700.0])
notes = st.sampled_from([LOST, RESUMED])


@st.composite
def pictures(draw):
    """What becomes of any bytes at any times, with gaps, under any name."""
    text = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20).map(lambda each: each or "x"))
    header = header_of(draw(text), draw(text), draw(st.none() | st.sampled_from(["3x10/10", "2x20m/5"]) | text))
    items, time_s = [Notification(0.0, *draw(first))], 0.0
    for wait_s, content in draw(st.lists(st.tuples(waits_s, payloads | notes), min_size=1, max_size=25)):
        time_s += wait_s
        items.append(Note(time_s, content) if isinstance(content, str) else Notification(time_s, *content))
    seen = picture_of(header, items)
    assume(seen.intervals)  # without any nobody rowed, and it isn't exported
    return seen
