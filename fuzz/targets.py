"""What is fuzzed: functions from any bytes to nothing, that raise when rowsync breaks one of its promises.

The promises are that no bytes raise, and what holds of every row whatever was sent: totals never fall, strokes follow
each other inside the session, intervals tile it, energy is finite and no less than nothing, and all of it is JSON.

    decoding    octet 0 chooses a characteristic, the rest is its payload
    session     a header, then records of what, when and which bytes: packets and notes in any order
    rowing      a row of strokes as a machine counts them, bent by octets: what `session` seldom reaches, the intervals
    recording   the bytes of a recording's file
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Any

from rowsync.athlete import Athlete
from rowsync.concept2 import INFORMATION, decode_information
from rowsync.control import decode_answer, decode_request, describe_answer
from rowsync.decoding import DESCRIBED, describe
from rowsync.errors import RecordingError
from rowsync.features import decode_advertised
from rowsync.ftms import ROWER_DATA, RowerData, decode_rower_data, encode_rower_data, read_by_table
from rowsync.identity import decode_text
from rowsync.machines import QUIRKS, handling_of, rows_by_name
from rowsync.readers import READERS, read
from rowsync.recording import parse_recording, recording_bytes
from rowsync.session import Header, Session, Tracker
from rowsync.strokes import Stroke
from rowsync.telemetry import CONNECTED, LOST, RESUMED, Item, Note, Notification, Sample
from rowsync.wording import outside_text

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


class BrokenPromise(AssertionError):
    """Something that holds of every row didn't hold of this one."""


def promise(holds: bool, what: str, *seen: object) -> None:
    """Raise unless it holds.

    Raises:
        BrokenPromise: it doesn't.
    """
    if not holds:
        raise BrokenPromise(f"{what}: {', '.join(map(repr, seen))}" if seen else what)


# --- decoding ---------------------------------------------------------------------------------------------------------

DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""The characters that turn the text around them."""


def _name(payload: bytes) -> None:
    """A name as it is advertised or read: what it says of the machine, and what is shown of it."""
    name = decode_text(payload)
    shown = outside_text(name)
    moves = any(unicodedata.category(each) == "Cc" or unicodedata.bidirectional(each) in DIRECTIONS for each in shown)
    promise(not moves and shown == shown.encode().decode(), "what is shown of a name moves nothing", name)
    handling_of(name)
    rows_by_name(name)


def _answer(payload: bytes) -> None:
    promise(outside_text(describe_answer(decode_answer(payload))) != "", "every answer can be said")
    decode_request(payload)


def _information(payload: bytes) -> None:
    decode_information(dict.fromkeys(INFORMATION, payload))


NOT_DESCRIBED: Mapping[str, Callable[[bytes], object]] = {
    "service data": decode_advertised,
    "name": _name,
    "answer": _answer,
    "information": _information,
}
"""What else a machine sends, and no packet of a session."""

DECODED = (*sorted({*DESCRIBED, *READERS}), "ffff", *NOT_DESCRIBED)


def fuzz_decoding(data: bytes) -> None:
    """Any payload of any characteristic is read."""
    characteristic, payload = DECODED[data[0] % len(DECODED)] if data else "ffff", data[1:]
    if characteristic in NOT_DESCRIBED:
        NOT_DESCRIBED[characteristic](payload)
        return
    json.dumps(describe(characteristic, payload), allow_nan=False)
    reading = read(Notification(0.0, characteristic, payload))
    if reading is not None:
        promise(_finite(reading), "a reading is finite", reading)
    if characteristic == ROWER_DATA:
        data_read = decode_rower_data(payload)
        promise(data_read == read_by_table(payload), "the compiled walk is the walk", data_read)


def _finite(values: Iterable[Any]) -> bool:
    return all(math.isfinite(value) for value in values if isinstance(value, (int, float)))


# --- what holds of every row ------------------------------------------------------------------------------------------

CLOSE = 1e-9
"""A time is no better known than this share of it, or than a microsecond."""


def follow(header: Header, items: Iterable[Item]) -> Session:
    """Track a session as the live view does, and check all there is after every step.

    Raises:
        BrokenPromise: something doesn't hold.
    """
    tracker = Tracker(header)
    sample, stroke = None, None
    for item in items:
        for event in tracker.feed(item):
            if isinstance(event, Stroke):
                _check_stroke(stroke, event, tracker)
                stroke = event
            else:
                _check_sample(sample, event)
                sample = event
        promise(tracker.sample is sample, "the latest sample is the last one yielded")
        promise(math.isfinite(tracker.gross_kcal) and tracker.gross_kcal >= 0, "energy", tracker.gross_kcal)
        _ = tracker.effort
    session = tracker.finish()
    check(session)
    return session


_values_of = attrgetter(*Sample._fields)
TOTALS = ("time_s", "stroke_count", "distance_m", "machine_energy_kcal")


def _check_sample(before: Sample | None, sample: Sample) -> None:
    promise(_finite(_values_of(sample)), "a sample is finite", sample)
    for name in TOTALS:
        was, now = (getattr(before, name) if before else None), getattr(sample, name)
        promise(was is None or (now is not None and now >= was), f"{name} never falls", was, now)


def _check_stroke(before: Stroke | None, stroke: Stroke, tracker: Tracker) -> None:
    end_s = tracker.sample.time_s if tracker.sample else 0.0
    slack_s = max(1e-6, CLOSE * end_s)
    numbers = (stroke.power_w or 0.0, stroke.distance_m or 0.0, stroke.start_s)
    promise(_finite(numbers) and min(numbers) >= 0, "a stroke has no less than nothing", stroke)
    promise(stroke.start_s <= stroke.end_s + slack_s and stroke.end_s <= end_s + slack_s, "strokes end in time", stroke)
    if before:
        promise(stroke.number > before.number, "strokes are counted up", before, stroke)
        promise(stroke.start_s >= before.end_s - slack_s, "strokes don't overlap", before, stroke)


def check(session: Session) -> None:
    """What holds of every session.

    Raises:
        BrokenPromise: it doesn't hold of this one.
    """
    end_s, energy = session.duration_s, session.energy
    json.dumps(session.summary(), allow_nan=False)
    figures = (energy.gross_kcal, energy.net_kcal, energy.low_kcal, energy.high_kcal)
    promise(_finite(figures), "energy is finite", energy)
    promise(0 <= energy.low_kcal <= energy.gross_kcal <= energy.high_kcal, "energy lies in its range", energy)
    promise(_least(energy.net_kcal, max(energy.gross_kcal, end_s)), "rowing costs no less than rest", energy)
    edges = [(interval.start_s, interval.end_s) for interval in session.intervals]
    tiles = [0.0, *(end for _, end in edges)] == [*(start for start, _ in edges), end_s] if edges else end_s == 0.0
    promise(tiles and all(start < end for start, end in edges), "intervals tile the session", edges, end_s)
    for name, whole in (("stroke_count", session.stroke_count), ("distance_m", session.distance_m)):
        parts = [getattr(interval, name) or 0.0 for interval in session.intervals]
        promise(_least(min(parts, default=0.0), whole or 0), f"no interval has less than no {name}", parts)
        same = not edges or math.isclose(math.fsum(parts), whole or 0, rel_tol=1e-6, abs_tol=1e-6)
        promise(same, f"intervals share the session's {name}", parts, whole)
    parts = [interval.gross_kcal for interval in session.intervals]
    promise(_least(min(parts, default=0.0), energy.gross_kcal), "no interval costs less than nothing", parts)
    promise(math.isclose(math.fsum(parts), energy.gross_kcal, rel_tol=1e-6, abs_tol=1e-6), "energy adds up", parts)
    gaps = [at_s for gap in session.gaps for at_s in (gap.start_s, gap.end_s)]
    promise(gaps == sorted(gaps) and all(0 <= at_s <= end_s for at_s in gaps), "gaps follow each other inside", gaps)
    promise(session.moving_s <= end_s + max(1e-6, 1e-6 * end_s), "no more rowed than passed", session.moving_s, end_s)


def _least(value: float, scale: float) -> bool:
    """Whether a value is 0 or more, but for rounding."""
    return value >= -max(1e-6, CLOSE * abs(scale))


# --- a session of anything --------------------------------------------------------------------------------------------

NAMES = ("", *sorted({name.replace("#", "0") for quirk in QUIRKS for name in quirk.names}))
"""The names that switch on every row of the quirk table."""

ATHLETES = (
    Athlete(),
    Athlete("anna", 75.0, 180.0, 30.0, "female"),
    Athlete("tiny", 20.0, 50.0, 120.0, "female"),
    Athlete("giant", 300.0, 260.0, 4.0, "male"),
)

TICK_S = 0.05
STEPS_S = (0.0, -1.0, -1e9, 1e-7, 1e-3, 5.0, 6.0, 10.0, 11.0, 60.0, 601.0, 7200.0, 86400.0, 604800.0, 1e9, 1e12)
"""What an octet from 128 on stands for; below it counts ticks."""

DETAILS: tuple[Any, ...] = (None, True, -1, 1e308, "", "\ud800", "\x1b[2J\u202e", "x" * 5000, [], {}, [[{"a": [None]}]])
NOTES = (LOST, CONNECTED, RESUMED, "ended", "never heard of", "")
SPOKEN = (ROWER_DATA, *READERS, "2ad9", "ffff", "")
WHATS = len(SPOKEN) + len(NOTES)
STARTED = datetime(2026, 11, 23, 12, tzinfo=UTC)


def stream_of(data: bytes) -> tuple[Header, list[Item]]:
    """A session out of any bytes.

    Octet 0 names the machine, octet 1 the athlete; then records of three octets (what, how much later, how long) and
    as many octets as the last of them says, at most 31.
    """
    items: list[Item] = []
    at, now_s = 2, 0.0
    while at < len(data):
        what, step, length = (*data[at : at + 3], 0, 0)[:3]
        payload = data[at + 3 : at + 3 + length % 32]
        at += 3 + length % 32
        now_s += step * TICK_S if step < 128 else STEPS_S[step % len(STEPS_S)]
        what %= WHATS
        if what < len(SPOKEN):
            items.append(Notification(now_s, SPOKEN[what], payload))
        else:
            items.append(Note(now_s, NOTES[what - len(SPOKEN)], _details(payload)))
    return _header(data), items


def stream_bytes(notifications: Iterable[Notification], name: str = "") -> bytes:
    """The bytes that `stream_of` reads as these packets, times rounded to ticks: a seed."""
    body, before = bytes([_name_number(name), 1]), 0
    for each in notifications:
        now = round(each.time_s / TICK_S)
        step, before = min(now - before, 127), now
        if each.characteristic in SPOKEN and len(each.payload) < 32:
            body += bytes([SPOKEN.index(each.characteristic), step, len(each.payload)]) + each.payload
    return body


def _header(data: bytes) -> Header:
    name, athlete = (*data[:2], 0, 0)[:2]
    machine = {"name": NAMES[name % len(NAMES)]}
    return Header("fuzz", STARTED, machine=machine, athlete=ATHLETES[athlete % len(ATHLETES)])


def _name_number(name: str) -> int:
    """The number of the longest name that this one begins with."""
    fitting = [number for number, each in enumerate(NAMES) if name.casefold().startswith(each)]
    return max(fitting, key=lambda number: len(NAMES[number]))


def _details(payload: bytes) -> dict[str, Any]:
    if not payload:
        return {}
    return {"reason": DETAILS[payload[0] % len(DETAILS)], payload[1:].decode("latin-1"): payload.hex()}


def fuzz_session(data: bytes) -> None:
    """Any packets and notes in any order make an honest session."""
    header, items = stream_of(data)
    session = follow(header, items)
    promise(session.notifications == sum(isinstance(item, Notification) for item in items), "all packets are counted")


# --- a bent row -------------------------------------------------------------------------------------------------------

MOST_STROKES = 120


def row_of(data: bytes) -> tuple[Header, list[Item]]:
    """A row out of any bytes: after the header's two octets, four for each stretch of equal strokes.

    How many strokes (to 31), how long each lasts [0.05 s], how strong (8 W), and what happens before it: nothing, a
    stop, the link lost, the machine's counters set to 0, a jump of them, or power and pace frozen or absent from then.
    """
    return _header(data), list(_stretches(data[2:]))


def _stretches(data: bytes) -> Iterator[Item]:
    now_s, count, metres, elapsed_s, left = 0.0, 0, 0.0, 0.0, MOST_STROKES
    shown_w: float | None = 0.0
    for at in range(0, len(data) - 3, 4):
        strokes, period, power, trouble = data[at : at + 4]
        period_s, power_w = TICK_S * period, 8.0 * power
        match trouble % 8, trouble >> 3:
            case 1, much:
                now_s += 5.0 * much
            case 2, much:
                yield Note(now_s, LOST, {"reason": DETAILS[much % len(DETAILS)]})
                now_s, count, metres = now_s + 10.0 * much, count + 4 * much, metres + 40.0 * much
            case 3, much:
                now_s, count, metres, elapsed_s = now_s + much, 0, 0.0, 0.0
            case 4, much:
                count, metres = count + (1 << much % 17), metres + 10.0 * much
        frozen, shown_w = trouble % 8 == 5, shown_w if trouble % 8 == 5 else power_w if trouble % 8 != 6 else None
        for _ in range(min(strokes % 32, left)):
            now_s, count, elapsed_s = now_s + period_s, count + 1, elapsed_s + period_s
            speed = (power_w / 2.8) ** (1 / 3)
            metres += speed * period_s
            pace = None if shown_w is None or not speed else min(round(500 / speed), 65534)
            shown = RowerData(
                stroke_rate_spm=min(60 / period_s, 127.0) if period_s else 0.0,
                stroke_count=count % 65536,
                total_distance_m=int(metres) % (1 << 24),
                instantaneous_pace_s_per_500m=pace,
                instantaneous_power_w=None if shown_w is None else round(shown_w),
                heart_rate_bpm=power if not frozen else None,
                elapsed_time_s=int(elapsed_s) % 65536,
            )
            yield Notification(now_s, ROWER_DATA, encode_rower_data(shown))
        left -= min(strokes % 32, left)


def fuzz_rowing(data: bytes) -> None:
    """Any strokes, stops and troubles make an honest session."""
    follow(*row_of(data))


# --- recordings -------------------------------------------------------------------------------------------------------


def fuzz_recording(data: bytes) -> None:
    """Any file is refused in words, or read, analysed and written again without loss."""
    try:
        recording = parse_recording(data, name="fuzz.jsonl")
    except RecordingError as error:
        promise(bool(str(error)), "a refusal says why")
        return
    times_s = [item.time_s for item in recording.items]
    promise(_finite(times_s) and times_s == sorted(times_s), "items are sorted by time", times_s)
    follow(recording.header, recording.items)
    again = parse_recording(recording_bytes(recording.header, recording.items), name="fuzz.jsonl")
    same = (again.header, again.items, again.refused_lines) == (recording.header, recording.items, 0)
    promise(same, "what was read can be written and read again", recording, again)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "decoding": fuzz_decoding,
    "session": fuzz_session,
    "rowing": fuzz_rowing,
    "recording": fuzz_recording,
}


# --- where fuzzing begins ---------------------------------------------------------------------------------------------


def seeds(target: str) -> list[bytes]:
    """Bytes that a target is begun with: real frames, recorded sessions, made rows; all of them in `fixtures`."""
    return [*_SEEDS[target]()]


def _frames() -> Iterator[tuple[str, bytes]]:
    """Characteristic and payload of every frame of the conformance suite that came from a machine."""
    for line in (FIXTURES / "conformance" / "frames.jsonl").read_text().splitlines():
        frame = json.loads(line)
        yield frame["characteristic"], bytes.fromhex(frame["hex"])


def _behaviours() -> Iterator[tuple[str, list[Notification]]]:
    """Name of the machine and packets of every behaviour of the conformance suite."""
    for path in sorted((FIXTURES / "conformance" / "behaviours").glob("*.jsonl")):
        header, *packets = (json.loads(line) for line in path.read_text().splitlines())
        sent = [Notification(each["time_s"], each["characteristic"], bytes.fromhex(each["hex"])) for each in packets]
        yield str(header.get("advertises") or ""), sent


def _recorded() -> Iterator[bytes]:
    """The first lines of every recorded session, and some from its midst."""
    for path in sorted((FIXTURES / "recorded_sessions").glob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        yield b"".join([lines[0], *lines[len(lines) // 2 : len(lines) // 2 + 16]])


def _decoding_seeds() -> Iterator[bytes]:
    for characteristic, payload in _frames():
        yield bytes([DECODED.index(characteristic)]) + payload
    for number, each in enumerate(DECODED):
        yield bytes([number]) + (b"PM5 430000000 Row\0" if each in NOT_DESCRIBED else b"\x80\x07\x01")


def _session_seeds() -> Iterator[bytes]:
    for name, sent in _behaviours():
        for first in range(0, min(len(sent), 240), 60):
            yield stream_bytes(sent[first : first + 60], name)
    for text in _recorded():
        yield stream_bytes(parse_recording(text).notifications)


def _rowing_seeds() -> Iterator[bytes]:
    for pieces in (1, 3, 8):
        for trouble in range(8):
            rest = (12, 60, 5, 0), (0, 0, 0, 1 | 6 << 3)
            for easy in rest:
                yield bytes([0, 1, 20, 50, 10, 0]) + bytes([18, 50, 27, trouble | 9 << 3, *easy]) * pieces


def _recording_seeds() -> Iterator[bytes]:
    for text in _recorded():
        yield text
        yield b"".join(line[9:] for line in text.splitlines(keepends=True))  # without a CRC, that mutants be read
    yield b'{"t":0,"event":"lost","reason":"-"}\n{"t":1e1,"c":"2AD1","v":"00 00"}\n{"rowsync_recording":1,"machine":[]}'


_SEEDS: Mapping[str, Callable[[], Iterator[bytes]]] = {
    "decoding": _decoding_seeds,
    "session": _session_seeds,
    "rowing": _rowing_seeds,
    "recording": _recording_seeds,
}

WORDS = (
    *('"t":', '"c":', '"v":', '"event":', '"lost"', '"reason":', '"rowsync_recording":1', '"session_id":'),
    *('"started_at":', '"machine":', '"name":', '"athlete":', '"mass_kg":', '"sex":"male"', '"plan":', '"2ad1"'),
    *("1e999", "-0", "1e-9", "604800", "null", "true", "NaN", r"\ud800", '"20260101T000000Z"', "[[[", "}}}"),
)
"""What a mutant of a recording may say."""


def mutant(parents: Sequence[bytes], dice: Random) -> bytes:
    """A child of one or two parents: some octets altered, inserted, repeated or cut."""
    child = bytearray(dice.choice(parents))
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(child) + 1)
        match dice.randrange(5):
            case 0 if at < len(child):
                child[at] = dice.randrange(256)
            case 1:
                child[at:at] = dice.randbytes(dice.randint(1, 4))
            case 2:
                del child[at : at + dice.randint(1, 8)]
            case 3:
                other = dice.choice(parents)
                child[at:] = other[dice.randrange(len(other) + 1) :]
            case _:
                child[at:at] = child[at : at + dice.randint(1, 32)]
    return bytes(child[:4096])
