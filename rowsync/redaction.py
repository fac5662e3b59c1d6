"""A recording to give away: what the machine sent stays, whose it is and who rowed it goes.

Nothing is passed on because it looks harmless: what is kept is listed in `KEPT_DETAILS`, `KEPT_OF_MACHINE` and the
characteristics that rowsync decodes.  From what is kept, everything that would tell of the person or of this one
machine is blanked wherever it stands: addresses, the serial number, and the athlete's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rowsync import concept2, ftms, identity
from rowsync.athlete import Athlete
from rowsync.decoding import DESCRIBED
from rowsync.heart_rate import HEART_RATE_MEASUREMENT
from rowsync.machines import NAMES, OTHER_NAMES, QUIRKS
from rowsync.recording import Recording
from rowsync.telemetry import CONNECTED, ENDED, FLOOD, LOST, RESUMED, Item, Note, Notification
from rowsync.traffic import SERIAL

KEPT_OF_MACHINE = ("maker", "model", "hardware", "firmware", "software")
"""What is kept of a header's machine besides its name, which is blanked in part."""

KEPT_DETAILS: Mapping[str, tuple[str, ...]] = {
    CONNECTED: ("service",),
    LOST: ("reason",),
    RESUMED: ("after_s",),
    FLOOD: ("left_out",),
    "silent": (),
    "handshake": ("step", "outcome"),
    "strap missing": (),
    "strap connected": (),
    "strap lost": (),
    ENDED: (),
}
"""The notes that are kept, and what of them: no note names an address or a strap."""

KEPT_ORIGINS = ("hardware", "synthetic", "converted")

READ = {*DESCRIBED, concept2.SAMPLE_RATE}
"""The characteristics that are kept: those of which it is known what they say."""

SERIALS = ("2a25", "ce060012")
"""Serial Number String (DIS v1.1, 3.2) and Concept2's: blanked whole, their length is kept."""

TEXTS = (*identity.IDENTITY, *concept2.INFORMATION, ftms.TRAINING_STATUS)
"""The characteristics that hold a text; in all others a short word's octets would be there by chance."""

ADDRESS = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{2}(?:([:_-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?![0-9a-f])"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)
"""How Bluetooth addresses are written: Linux's, the one in BlueZ's paths, and macOS's, which is a UUID."""

LOGGED_AT = {"ce060039": 2, "ce06003a": 2}
"""Where a Concept2's summary of a workout has the time of day, in two octets (`concept2.LAYOUTS`)."""

SHORTEST_ANYWHERE = 6
"""A secret of fewer octets is looked for in texts only."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """A recording to give away, and what was taken out of it in words."""

    recording: Recording
    taken_out: tuple[str, ...]


def redact(recording: Recording, session_id: str, *, heart_rate: bool = True) -> Redaction:
    """Take out of a recording what tells of the person or of this one machine; never raises, whatever is in it.

    Args:
        recording: the recording.
        session_id: the id that it gets instead of its own, which is a date.
        heart_rate: whether the strap's heart rates may stay; those in the machine's packets do.
    """
    veil = _Veil(_secrets(recording))
    items = [kept for item in recording.items if (kept := _redacted(item, veil, heart_rate)) is not None]
    header = replace(
        recording.header,
        session_id=session_id,
        started_at=_day(recording.header.started_at),
        origin=recording.header.origin if recording.header.origin in KEPT_ORIGINS else KEPT_ORIGINS[0],
        source="rowsync, redacted",
        machine=_machine(recording.header.machine, veil),
        athlete=Athlete("somebody"),
        plan=None,
    )
    return Redaction(Recording(header, tuple(items)), tuple(_told(recording, items, heart_rate)))


def redacted_name(name: str) -> str:
    """An advertised name without its serial number; the beginning by which machines are known stays.

    `PM5 430000000` becomes `PM5 000000000`, `FS-1C2D3E` becomes `FS-000000`.
    """
    kept = max((known for known in _KNOWN_NAMES if name.casefold().startswith(known)), key=len, default="")
    rest = name[len(kept) :]
    rest = SERIAL_IN_NAME.sub(lambda tail: BLANK * len(tail[0]), rest)
    return name[: len(kept)] + re.sub(r"\d", BLANK, rest)


SERIAL_IN_NAME = re.compile(r"(?<![^-_ .:])(?=[a-f]*\d)[0-9a-f]{4,}$", re.IGNORECASE)
"""What stands behind the last separator of a name, of hexadecimal digits: often the end of the address."""

_KNOWN_NAMES = (*NAMES, *OTHER_NAMES, *(name for quirk in QUIRKS for name in quirk.names))


# --- what must not be seen --------------------------------------------------------------------------------------------


class _Veil:
    """Blanks secrets wherever they stand.

    Args:
        secrets: texts that must not be seen.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({each for each in secrets if each.strip()}, key=len, reverse=True)
        words = (re.escape(each) if len(each) > 2 else rf"\b{re.escape(each)}\b" for each in self._secrets)
        self._pattern = re.compile("|".join((ADDRESS.pattern, *words)), re.IGNORECASE)

    def text(self, text: str) -> str:
        """A text without them, as long as before."""
        return self._pattern.sub(lambda found: BLANK * len(found[0]), text)

    def octets(self, octets: bytes) -> bytes:
        """A text's octets without them, as many as before."""
        text = octets.decode("utf-8", "surrogateescape")
        return self._pattern.sub(lambda found: BLANK * len(_utf8(found[0])), text).encode("utf-8", "surrogateescape")

    def payload(self, characteristic: str, payload: bytes) -> bytes:
        """A packet without them, as long as before."""
        if characteristic in SERIALS:
            return BLANK.encode() * len(payload)
        if characteristic in TEXTS:
            payload = self.octets(payload)
        at = _time_of_day_at(characteristic, payload)
        if at is not None:
            payload = payload[:at] + bytes(len(payload[at : at + 2])) + payload[at + 2 :]
        for secret in self._long():
            payload = re.sub(re.escape(secret), bytes(len(secret)), payload, flags=re.IGNORECASE)
        return payload

    def _long(self) -> Iterable[bytes]:
        """The secrets as they may stand in any packet: their text, and an address as the octets that it is."""
        for secret in self._secrets:
            for octets in (_utf8(secret), _address(secret), _address(secret)[::-1]):
                if len(octets) >= SHORTEST_ANYWHERE:
                    yield octets


BLANK = "0"


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _time_of_day_at(characteristic: str, payload: bytes) -> int | None:
    """Where a packet holds a time of day; behind the id where it is multiplexed."""
    if characteristic == concept2.MULTIPLEXED and payload:
        at = LOGGED_AT.get(f"ce0600{payload[0]:02x}")
        return None if at is None else at + 1
    return LOGGED_AT.get(characteristic)


def _address(text: str) -> bytes:
    """The octets of an address; none where the text is no address."""
    return bytes.fromhex(re.sub("[:_-]", "", text)) if ADDRESS.fullmatch(text) else b""


def _secrets(recording: Recording) -> set[str]:
    machine = recording.header.machine
    name = str(machine.get("name") or "")
    found = {
        recording.header.athlete.name,
        recording.header.session_id,
        *(str(machine.get(key) or "") for key in ("address", SERIAL)),
        *re.findall(r"\d{4,}", name),
        *SERIAL_IN_NAME.findall(name),
    }
    for note in recording.notes:
        found |= {str(note.details.get(key) or "") for key in ("address", "name")}
    for each in recording.notifications:
        if each.characteristic in SERIALS:
            found.add(identity.decode_text(each.payload))
    return found - {Athlete().name, ""}


# --- what is kept -----------------------------------------------------------------------------------------------------


def _redacted(item: Item, veil: _Veil, heart_rate: bool) -> Item | None:
    """An item without secrets; None where it is taken out whole."""
    if isinstance(item, Note):
        if item.event not in KEPT_DETAILS:
            return None
        kept = {key: _plain(item.details[key], veil) for key in KEPT_DETAILS[item.event] if key in item.details}
        return Note(item.time_s, item.event, kept)
    is_strap = item.characteristic == HEART_RATE_MEASUREMENT
    if item.characteristic not in READ or (is_strap and not heart_rate):
        return None
    return Notification(item.time_s, item.characteristic, veil.payload(item.characteristic, item.payload))


def _plain(value: Any, veil: _Veil) -> Any:
    """A number or a text; anything else is nothing."""
    if isinstance(value, str):
        return veil.text(value)
    return value if isinstance(value, (int, float)) else None


def _machine(machine: Mapping[str, Any], veil: _Veil) -> dict[str, Any]:
    kept = {key: veil.text(str(machine[key])) for key in KEPT_OF_MACHINE if machine.get(key)}
    name = machine.get("name")
    return {"name": _veiled_name(str(name), veil), **kept} if name else kept


def _veiled_name(name: str, veil: _Veil) -> str:
    return redacted_name(veil.text(redacted_name(name)))


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _told(recording: Recording, kept: list[Item], heart_rate: bool) -> Iterable[str]:
    day = f"{_day(recording.header.started_at):%Y-%m-%d}"
    yield f"who rowed, what was planned, the session's id and its time of day ({day} stays)"
    yield "Bluetooth addresses, straps' names, and the machine's serial number, in its name as well"
    if not heart_rate:
        yield "what the heart-rate strap sent; the machine's own packets may hold heart rates"
    strap = 0 if heart_rate else sum(each.characteristic == HEART_RATE_MEASUREMENT for each in recording.notifications)
    if unread := len(recording.items) - len(kept) - strap:
        yield f"{unread} lines of kinds that rowsync doesn't read"
