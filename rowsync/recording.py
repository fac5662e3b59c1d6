"""Recordings: notifications as checked lines of JSON.  The live journal and the fixtures are the same format.

Each line is the CRC-32 of its JSON in eight hex digits, a space, and the JSON.  The first line is the header; then
`{"t": seconds, "c": "2ad1", "v": "hex"}` for each notification and `{"t": seconds, "event": ...}` for anything else
(docs/contract.md).  Reading never gives up on a file that holds one good line: a torn tail is dropped, a line whose CRC
doesn't match is refused and counted.  Lines without a CRC are taken too, so that a recording can be written by hand.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

from rowsync.athlete import PLAUSIBLE, WORDS, Athlete
from rowsync.errors import RecordingError, Unreadable
from rowsync.session import Header
from rowsync.slug import slug
from rowsync.telemetry import ATHLETE, ENDED, Item, Note, Notification
from rowsync.wording import stamp

FORMAT = 1
LARGEST_BYTES = 1 << 29
"""Half a gigabyte is two months of rowing without a break."""

EPOCH = datetime.fromtimestamp(0, UTC)
YEARS = range(1990, 2200)
"""Nobody recorded a row before, and clocks that say later are wrong."""

LONGEST_S = 7 * 24 * 3600.0
"""No session lasts longer; a later time is a mistake in the file [s]."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What was read of a recording.

    Attributes:
        header: its header; what the header lacks, or all of it when its line was lost, has a default.
        items: packets and notes, in the order of their times.
        refused_lines: lines that could not be read.
    """

    header: Header
    items: tuple[Item, ...]
    refused_lines: int = 0

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """The packets alone."""
        return tuple(item for item in self.items if isinstance(item, Notification))

    @property
    def notes(self) -> tuple[Note, ...]:
        """All else."""
        return tuple(item for item in self.items if isinstance(item, Note))

    @property
    def is_ended(self) -> bool:
        """Whether its recorder came to its end."""
        return any(note.event == ENDED for note in self.notes)


def read_recording(path: Path) -> Recording:
    """Read a recording, or as much of it as is sound.

    Raises:
        RecordingError: not one line of it is a recording's.
        Unreadable: there is no such file, or the system doesn't let it be read.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
            changed_at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except OSError as error:
        raise Unreadable(f"{path} can't be read: {error.strerror or error}.") from None
    if len(text) > LARGEST_BYTES:
        raise RecordingError(f"{path} is larger than any recording.")
    return parse_recording(text, name=path.name, changed_at=changed_at)


def parse_recording(text: bytes, *, name: str = "recording", changed_at: datetime = EPOCH) -> Recording:
    """Read a recording from its bytes.

    Args:
        text: the bytes.
        name: its file's; names it in errors, and stands in for a lost session id.
        changed_at: its file's last change; stands in for a lost start.

    Raises:
        RecordingError: not one line of it is a recording's, or it is a newer rowsync's.
    """
    header: dict[str, Any] | None = None
    items: list[Item] = []
    refused = 0
    for line in text.split(b"\n"):
        if not line.strip():
            continue
        match _parsed(line):
            case {"rowsync_recording": int(form)} as found if header is None:
                if form > FORMAT:
                    raise RecordingError(f"{name} was written by a newer rowsync: update this one.")
                header = found
            case {"t": _, "c": str(), "v": str()} as found if (notification := _notification(found)) is not None:
                items.append(notification)
            case {"event": str()} as found if (note := note_from_fields(found)) is not None:
                items.append(note)
            case _:
                refused += 1
    if header is None and not any(isinstance(item, Notification) for item in items):
        raise RecordingError(f"{name} is not a rowsync recording: none of its {refused} lines could be read.")
    items.sort(key=lambda item: item.time_s)
    begun = header_from_fields(header or {}, name, changed_at)
    return Recording(_with_who_rows(begun, items), tuple(items), refused)


def _with_who_rows(header: Header, items: Iterable[Item]) -> Header:
    """A header with whoever said during the row that it is theirs."""
    said = [item.details for item in items if isinstance(item, Note) and item.event == ATHLETE]
    return replace(header, athlete=_athlete(said[-1])) if said else header


def header_line(header: Header) -> bytes:
    """The first line of a recording."""
    return checked_line({"rowsync_recording": FORMAT, **header_fields(header)})


def header_fields(header: Header) -> dict[str, Any]:
    """A header as JSON holds it."""
    return {
        "session_id": header.session_id,
        "started_at": stamp(header.started_at),
        "origin": header.origin,
        "source": header.source,
        "machine": dict(header.machine),
        "athlete": {key: value for key, value in asdict(header.athlete).items() if value is not None},
        "plan": header.plan,
    }


def item_line(item: Item) -> bytes:
    """The line of one packet or note."""
    if isinstance(item, Note):
        return checked_line(note_fields(item))
    return checked_line({"t": item.time_s, "c": item.characteristic, "v": item.payload.hex()})


def note_fields(note: Note) -> dict[str, Any]:
    """A note as JSON holds it."""
    return {"t": note.time_s, "event": note.event, **note.details}


def note_from_fields(content: Any) -> Note | None:
    """A note from JSON; None where it is none."""
    if not isinstance(content, dict) or not isinstance(content.get("event"), str):
        return None
    time_s = _time_s(content)
    details = _writable({key: value for key, value in content.items() if key not in ("t", "event")})
    return None if time_s is None else Note(time_s, _word(content["event"], default=""), details)


def recording_bytes(header: Header, items: Iterable[Item]) -> bytes:
    """A whole recording."""
    return b"".join([header_line(header), *map(item_line, items)])


def checked_line(content: Mapping[str, Any]) -> bytes:
    """JSON as one checked line."""
    text = json.dumps(content, separators=(",", ":")).encode()
    return b"%08x %s\n" % (crc32(text), text)


_CHECKED = re.compile(rb"([0-9a-f]{8}) (\{.*\})\s*", re.DOTALL)


def _parsed(line: bytes) -> Any:
    """The JSON of one line; None when the line is torn, altered or something else."""
    if checked := _CHECKED.fullmatch(line):
        if int(checked[1], 16) != crc32(checked[2]):
            return None
        line = checked[2]
    try:
        return _JSON.decode(line.decode(json.detect_encoding(line), "surrogatepass"))
    except (ValueError, RecursionError):
        return None


def is_checked(line: bytes) -> bool:
    """Whether a line, without its end, is one whose CRC matches."""
    return _EXACT.fullmatch(line) is not None and int(line[:8], 16) == crc32(line[9:])


def checked_content(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a line, without its end, whose CRC matches; None of any other."""
    content = _parsed(line) if is_checked(line) else None
    return content if isinstance(content, dict) else None


_EXACT = re.compile(rb"[0-9a-f]{8} \{[^\n]*\}")


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_no_number)


def _time_s(content: Mapping[str, Any]) -> float | None:
    time_s = _number(content.get("t"))
    return time_s if time_s is not None and 0.0 <= time_s <= LONGEST_S else None


def _notification(content: Mapping[str, Any]) -> Notification | None:
    time_s = _time_s(content)
    if time_s is None:
        return None
    try:
        return Notification(time_s, _word(content["c"].lower(), default=""), bytes.fromhex(content["v"]))
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e18 and math.isfinite(value) else None


def header_from_fields(content: Mapping[str, Any], name: str, changed_at: datetime = EPOCH) -> Header:
    """A header from JSON; what is absent or of the wrong kind gets its default, the session id from `name`."""
    stem = name.removesuffix(".jsonl")
    return Header(
        session_id=slug(_word(content.get("session_id"), default=stem)),
        started_at=_moment(content.get("started_at")) or _moment_in(stem) or changed_at,
        origin=_word(content.get("origin"), default="hardware"),
        source=_word(content.get("source"), default="unknown"),
        machine=_machine(content.get("machine")),
        athlete=_athlete(content.get("athlete")),
        plan=_word(content.get("plan"), default="") or None,
    )


def _word(value: Any, default: str) -> str:
    """A text that can be written in UTF-8."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and value else default


DEEPEST = 20
"""Nothing that is recorded nests deeper; Python itself gives up on a thousand."""


def _writable(value: Any, depth: int = 0) -> Any:
    """JSON that can be written again: texts in UTF-8, numbers finite, and no deeper than `DEEPEST`; else None."""
    match value:
        case str():
            return _word(value, default="")
        case dict() if depth < DEEPEST:
            return {_word(key, default=""): _writable(inner, depth + 1) for key, inner in value.items()}
        case list() if depth < DEEPEST:
            return [_writable(inner, depth + 1) for inner in value]
        case bool() | int():
            return value
    return _number(value)


def _machine(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        return {}
    machine: dict[str, Any] = _writable(content)
    name = machine.get("name")
    return machine if name is None else machine | {"name": _word(name, default=str(name))}


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.year in YEARS else None


def _moment_in(stem: str) -> datetime | None:
    """The start that a session id carries."""
    return _moment(stem[:16]) if re.match(r"\d{8}T\d{6}Z", stem) else None


def _athlete(content: Any) -> Athlete:
    if not isinstance(content, dict):
        return Athlete()
    known: dict[str, Any] = {}
    for each in fields(Athlete):
        value = content.get(each.name)
        if each.name == "name":
            known[each.name] = _word(value, default="") or each.default
        elif each.name in WORDS:
            known[each.name] = word if (word := str(value).casefold()) in WORDS[each.name] else None
        else:
            number, (least, most) = _number(value), PLAUSIBLE[each.name]
            known[each.name] = number if number is not None and least <= number <= most else None
    return Athlete(**known)
