"""What goes between hubs and their collector: which lines of a session one has and the other lacks.

A session's journal is the same lines on both sides (rowsync.recording), so a line's number in it is its sequence number
and the session that comes of it is the same.  A batch is checked lines itself, the very form in which the collector
logs it:

    <crc> {"rowsync_batch":1,"at":"2026-11-23T16:22:50.000000Z"}
    <crc> {"session_id":"20261123T162250Z-3f2a91c0","first":17,"lines":2,"over":false}
    <crc> {"t":4.25,"c":"2ad1","v":"2c0b..."}
    <crc> {"t":4.5,"c":"2ad1","v":"2c0b..."}

A line that is damaged on its hub's disk goes as an empty one, so that those behind it keep their numbers.  Here is no
clock, no file and no broker: `Sender` says what a hub sends next, `Holding` what a collector takes of it.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zlib import crc32

from rowsync.recording import checked_content, checked_line, is_checked
from rowsync.slug import slug
from rowsync.wording import stamp

FORMAT = 1
LARGEST_BYTES = 1 << 20
"""No batch is larger."""

LONGEST_LINE = 1 << 16
MOST_IN_FLIGHT = 2_000
"""So many lines of a hub are on their way at most, of all its sessions together."""

MOST_LINES = 500
"""So many lines go in one batch."""

AGAIN_S = 1.0
"""A hub that went back for what was missing doesn't again for so long: what came behind that is missed too [s]."""

PATIENCE_S, MOST_PATIENCE_S = 3.0, 30.0
"""Without an answer for so long, a hub sends again; each time in vain it waits twice as long [s]."""

# --- batches ----------------------------------------------------------------------------------------------------------


class Part(NamedTuple):
    """Some lines of one session.

    Attributes:
        session_id: whose.
        first: the number of the first, from 0, which is the header's.
        lines: as they stand in the journal, without their line ends; an empty one is lost.
        is_over: whether no more follow.
    """

    session_id: str
    first: int
    lines: tuple[bytes, ...] = ()
    is_over: bool = False


class Batch(NamedTuple):
    """What a hub sends at once.

    Attributes:
        at: its clock; None where it doesn't say.
        parts: lines of its sessions.
    """

    at: datetime | None
    parts: tuple[Part, ...]


def batch_bytes(parts: Iterable[Part], at: datetime | None = None) -> bytes:
    """A batch as it is sent, and as it is logged."""
    head = {"rowsync_batch": FORMAT} | ({} if at is None else {"at": stamp(at)})
    return checked_line(head) + b"".join(map(_part_bytes, parts))


def _part_bytes(part: Part) -> bytes:
    head = _HEAD % (part.session_id.encode(), part.first, len(part.lines), b"true" if part.is_over else b"false")
    return b"\n".join((b"%08x %s" % (crc32(head), head), *part.lines, b""))


_HEAD = b'{"session_id":"%s","first":%d,"lines":%d,"over":%s}'


def read_batch(payload: bytes) -> Batch | None:
    """A batch from its bytes; None when it is none, or not whole."""
    if len(payload) > LARGEST_BYTES or not payload.endswith(b"\n"):
        return None
    lines = payload.split(b"\n")[:-1]
    parts, used, is_whole = _parts(lines, 1)
    head = checked_content(lines[0])
    if head is None or head.get("rowsync_batch") != FORMAT or used != len(lines) or not is_whole:
        return None
    return Batch(_moment(head.get("at")), tuple(parts))


def read_log(content: bytes) -> tuple[list[Part], int]:
    """What a log of batches holds, and how many of its lines are damaged; a torn end is none."""
    lines = content.split(b"\n")[:-1]
    parts: list[Part] = []
    at = damaged = 0
    while at < len(lines):
        found, used, _ = _parts(lines, at)
        parts += found
        if used == at:
            head = checked_content(lines[at])
            damaged += head is None or "rowsync_batch" not in head
            used += 1
        at = used
    return parts, damaged


def _parts(lines: Sequence[bytes], at: int) -> tuple[list[Part], int, bool]:
    """Parts from a line on, as far as they are sound; the line behind them; whether there are any, and all whole."""
    parts: list[Part] = []
    is_whole = False
    while at < len(lines) and (head := _part_head(lines[at])) is not None:
        session_id, first, count, is_over = head
        end = at + 1
        while end < len(lines) and end <= at + count and _is_sound(lines[end]):
            end += 1
        is_whole = end == at + 1 + count
        parts.append(Part(session_id, first, tuple(lines[at + 1 : end]), is_over and is_whole))
        at = end
        if not is_whole:
            break
    return parts, at, is_whole


def _part_head(line: bytes) -> tuple[str, int, int, bool] | None:
    head = _READ_HEAD.fullmatch(line)
    if head is None or int(head[1], 16) != crc32(head[2]):
        return None
    session_id = head[3].decode()
    return (session_id, int(head[4]), int(head[5]), head[6] == b"true") if is_session_id(session_id) else None


_READ_HEAD = re.compile(
    rb'([0-9a-f]{8}) (\{"session_id":"([A-Za-z0-9_.-]+)","first":([0-9]{1,9}),'
    rb'"lines":([0-9]{1,9}),"over":(true|false)\})'
)


@lru_cache(10_000)
def is_session_id(text: str) -> bool:
    """Whether a text is a session's id, and so safe as a file's name."""
    return bool(text) and slug(text) == text


def _is_sound(line: bytes) -> bool:
    return not line or (len(line) <= LONGEST_LINE and is_checked(line))


def sound_line(line: bytes) -> bytes:
    """A journal's line as it is sent: itself, or an empty one where it is damaged."""
    return line if _is_sound(line) else b""


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


# --- answers ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Answer:
    """What a collector tells a hub.

    Attributes:
        have: of each session that was asked for, how many of its lines are on the collector's disk.
        again: sessions whose next line hasn't come.
        over: sessions that are whole, and need not be kept for the collector's sake.
        refused: why sessions aren't taken.
    """

    have: dict[str, int] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)
    over: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)


def answer_bytes(answer: Answer) -> bytes:
    """An answer as it is sent."""
    content: dict[str, Any] = {"have": answer.have}
    content |= {name: sorted(names) for name in ("again", "over") if (names := getattr(answer, name))}
    content |= {"refused": answer.refused} if answer.refused else {}
    return json.dumps(content, separators=(",", ":")).encode()


def read_answer(payload: bytes) -> Answer | None:
    """An answer from its bytes; None when it is none."""
    try:
        content = json.loads(payload) if len(payload) <= LARGEST_BYTES else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    have, refused = content.get("have"), content.get("refused")
    return Answer(
        {name: count for name, count in _items(have) if type(count) is int and count >= 0},
        set(_names(content.get("again"))),
        set(_names(content.get("over"))),
        {name: why for name, why in _items(refused) if isinstance(why, str)},
    )


def _items(content: Any) -> Iterable[tuple[str, Any]]:
    return content.items() if isinstance(content, dict) else ()


def _names(content: Any) -> Iterable[str]:
    return (each for each in content if isinstance(each, str)) if isinstance(content, list) else ()


# --- the hub's side ---------------------------------------------------------------------------------------------------


class Span(NamedTuple):
    """Lines that are due, from `first` to before `stop`."""

    session_id: str
    first: int
    stop: int
    is_over: bool


@dataclass(slots=True)
class _Sent:
    """How far one session is.

    Attributes:
        held: so many lines are on the hub's disk.
        have: so many are on the collector's; None until it said so.
        sent: so many were sent.
        is_over: whether no more follow.
        told_over: whether that was sent.
        moved_s: when something was sent after a pause, or answered, last [s].
        patience_s: how long to wait for an answer [s].
        again_s: when it went back for what was missing last [s].
    """

    held: int
    have: int | None = None
    sent: int = 0
    is_over: bool = False
    told_over: bool = False
    moved_s: float = float("-inf")
    patience_s: float = PATIENCE_S
    again_s: float = float("-inf")

    @property
    def waits(self) -> bool:
        """Whether an answer is due."""
        return self.have is None or self.sent > self.have or self.told_over


class Sender:
    """What a hub sends next: what the collector hasn't, and again what it didn't get.

    It asks what the collector has by sending a session's first line, so that nobody takes it for another of that name.

    Times are of any clock that only goes forward [s].
    """

    def __init__(self) -> None:
        self._sessions: dict[str, _Sent] = {}

    def found(self, session_id: str, held: int, *, is_over: bool) -> None:
        """So many lines of a session are on disk; when it is over, no more follow."""
        sent = self._sessions.setdefault(session_id, _Sent(held))
        sent.held, sent.is_over = held, is_over

    def forget(self, session_id: str) -> None:
        """A session is the collector's now."""
        self._sessions.pop(session_id, None)

    def lost_touch(self) -> None:
        """The broker was gone: ask again before anything is sent."""
        for sent in self._sessions.values():
            sent.have, sent.moved_s, sent.patience_s, sent.told_over = None, float("-inf"), PATIENCE_S, False

    def due(self, now_s: float) -> list[Span]:
        """What to send now; it counts as sent."""
        room = MOST_IN_FLIGHT - sum(max(0, sent.sent - (sent.have or 0)) for sent in self._sessions.values())
        spans: list[Span] = []
        left = min(room, MOST_LINES)
        for session_id, sent in self._sessions.items():
            if sent.waits and now_s - sent.moved_s >= sent.patience_s:
                _rewind(sent)
            if sent.have is None:
                if now_s - sent.moved_s >= sent.patience_s:
                    spans.append(Span(session_id, 0, 1, False))
                    _waited(sent, now_s)
                continue
            # No line before those that the collector has, though these may be more than are left here.
            stop = max(sent.sent, min(sent.held, sent.sent + max(0, left)))
            is_over = sent.is_over and stop >= sent.held
            if stop > sent.sent or (is_over and not sent.told_over):
                spans.append(Span(session_id, sent.sent, stop, is_over))
                left -= stop - sent.sent
                if not sent.waits:
                    sent.moved_s = now_s
                sent.sent, sent.told_over = stop, is_over
        return spans

    def answered(self, answer: Answer, now_s: float) -> None:
        """Take an answer; what it says of sessions of others is nothing to this hub."""
        for session_id, have in answer.have.items():
            sent = self._sessions.get(session_id)
            if sent is None:
                continue
            if sent.have is None:
                sent.have, sent.sent, sent.moved_s, sent.patience_s = have, have, now_s, PATIENCE_S
                continue
            if have > sent.have:
                sent.moved_s, sent.patience_s = now_s, PATIENCE_S
            is_lower = have < sent.have  # its disk has lost what it had
            sent.have = have
            sent.sent = max(sent.sent, have)
            if is_lower or (session_id in answer.again and now_s - sent.again_s >= AGAIN_S):
                sent.sent, sent.told_over, sent.again_s = have, False, now_s


def _rewind(sent: _Sent) -> None:
    """Nobody answered: ask, then send from what the collector says."""
    if sent.have is not None:
        sent.have, sent.told_over = None, False
        sent.moved_s = float("-inf")
        sent.patience_s = min(MOST_PATIENCE_S, 2 * sent.patience_s)


def _waited(sent: _Sent, now_s: float) -> None:
    """An ask goes out; the next one in vain waits longer."""
    if sent.moved_s != float("-inf"):
        sent.patience_s = min(MOST_PATIENCE_S, 2 * sent.patience_s)
    sent.moved_s = now_s


# --- the collector's side ---------------------------------------------------------------------------------------------


class Refused(NamedTuple):
    """Why a part isn't taken."""

    why: str


class Holding:
    """What a collector has of one session.

    Args:
        lines: what lies on its disk already.

    Attributes:
        marks: of each line its CRC-32; 0 of a lost one.
        is_over: whether it is whole.
    """

    def __init__(self, lines: Iterable[bytes] = ()) -> None:
        self.marks = array("I", map(mark_of, lines))
        self.is_over = False

    def take(self, part: Part) -> Part | Refused | None:
        """What of a part is new, counted as held; None when lines before it are missing.

        A line that is another than the one held under its number is forged, or of another session of that name: then
        nothing of the part is taken.
        """
        held = len(self.marks)
        if part.first > held:
            return None
        marks = array("I", map(mark_of, part.lines))
        ours = self.marks[part.first : part.first + len(marks)]
        if any(mark and own and mark != own for mark, own in zip(marks, ours, strict=False)):
            return Refused("another session of that name is held, or these lines are forged")
        if not held and part.lines and not _is_header(part.lines[0], part.session_id):
            return Refused("its first line is not its header")
        new = part.lines[held - part.first :]
        self.marks.extend(marks[held - part.first :])
        self.is_over = self.is_over or (part.is_over and len(self.marks) == part.first + len(part.lines))
        return Part(part.session_id, held, new, self.is_over)


def mark_of(line: bytes) -> int:
    """A line's CRC-32 as it says it itself; 0 of a lost one."""
    try:
        return int(line[:8], 16)
    except ValueError:
        return 0


def _is_header(line: bytes, session_id: str) -> bool:
    """Whether a line is the header of that session; a lost one may be."""
    content = checked_content(line) if line else {"rowsync_recording": 1}
    return (
        content is not None and "rowsync_recording" in content and content.get("session_id", session_id) == session_id
    )


def header_content(line: bytes) -> Mapping[str, Any]:
    """What a session's first line says; nothing where it is lost."""
    return (checked_content(line) if line else None) or {}
