"""The room's page: all lanes at a glance for a TV, and who rows where for a phone.

    show_room ──▶ RoomPage ──▶ events: hello, people, team, lane, said
    claim ◀── /claims            do ◀── /commands

Every browser gets of each lane what is newest, four times a second at most, and only what changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from dashboards.room_page import ROOM
from dashboards.stream import Ask, Stream, Viewer, event_text, open_stream
from rowsync.commands import Claim, Command, read_begin, read_claim
from rowsync.room_view import RoomLook, lane_fields
from rowsync.team import Standing
from rowsync.wording import outside_text

LONGEST_LINE = 300

LOOK_EVERY_S = 0.2
"""However many browsers there are, the room is looked at so often [s]."""


class Led(Protocol):
    """The room as its page knows it."""

    def do(self, command: Command) -> None:
        """Carry a command out in every lane; raises UsageError when it can't be done now."""

    def claim(self, number: int, name: str | None) -> None:
        """Put somebody into a lane, None makes it free; raises UsageError when that can't be."""

    def lane_at(self, address: str) -> int:
        """The number of the lane of a rower; raises UsageError when it isn't here."""


class RoomPage(Stream):
    """A screen of a room that any number of browsers follow.

    Args:
        room: what is led.
        token: who knows it may look and ask.
        clock: what time it is [s].
    """

    pause_s = 0.25
    pulse_s = 1.0

    def __init__(self, room: Led, token: str, clock: Callable[[], float]) -> None:
        super().__init__(token)
        self._room, self._clock = room, clock
        self._look: Callable[[], RoomLook] = RoomLook
        self._looked_s = float("-inf")
        self._events: dict[str, str] = {"hello": event_text("hello", {})}
        self._versions: dict[str, int] = {"hello": 1}
        self._said = 0

    def say(self, text: str) -> None:
        """Tell every browser one line."""
        self._said += 1
        self._tell("said", "said", {"number": self._said, "text": outside_text(text, LONGEST_LINE)})
        self.wake()

    def show_room(self, look: Callable[[], RoomLook]) -> None:
        """Something changed: costs a microsecond, whatever the browsers do."""
        self._look = look
        self.wake()

    def news(self, viewer: Viewer) -> bytes:
        """What a viewer hasn't got yet, as server-sent events; nothing when there is none."""
        self._look_again()
        new = [key for key, version in self._versions.items() if viewer.seen.get(key) != version]
        viewer.seen.update({key: self._versions[key] for key in new})
        return "".join(self._events[key] for key in new).encode()

    def asks(self) -> dict[str, Ask[Any]]:
        """What the page may ask for, by path."""
        return {"/claims": Ask(read_claim, self._claim), "/commands": Ask(read_begin, self._begin)}

    def _claim(self, claim: Claim) -> Mapping[str, Any]:
        number = self._room.lane_at(claim.address) if claim.lane is None else claim.lane
        self._room.claim(number, claim.name)
        self._looked_s = float("-inf")
        return {"lane": number}

    def _begin(self, command: Command) -> Mapping[str, Any]:
        self._room.do(command)
        return {"command": command.name}

    def _look_again(self) -> None:
        now_s = self._clock()
        if now_s < self._looked_s + LOOK_EVERY_S:
            return
        self._looked_s = now_s
        look = self._look()
        self._tell(
            "people", "people", {"people": [{"name": each, "shown": outside_text(each)} for each in look.people]}
        )
        self._tell("team", "team", _team_fields(look.team))
        for lane in look.lanes:
            self._tell(f"lane {lane.number}", "lane", lane_fields(lane) | {"band": _band(look.team, lane.number)})

    def _tell(self, key: str, name: str, content: Any) -> None:
        text = event_text(name, content)
        if self._events.get(key) != text:
            self._events[key] = text
            self._versions[key] = self._versions.get(key, 0) + 1


def _team_fields(team: Standing | None) -> dict[str, Any]:
    if team is None:
        return {"goal": None, "words": "", "share": None}
    share = None if team.share is None else round(team.share, 3)
    return {"goal": team.goal, "words": team.words, "share": share}


def _band(team: Standing | None, lane: int) -> str | None:
    return team.lanes.get(lane) if team else None


@asynccontextmanager
async def open_room_page(
    room: Led,
    *,
    host: str,
    port: int,
    allowed_hosts: Sequence[str],
    token: str,
    announce: Callable[[str], None],
) -> AsyncIterator[RoomPage]:
    """Serve the room's page in the running loop, for as long as the context lasts.

    Args:
        room: what is led.
        host: the address to bind.
        port: the port to bind; 0 takes any free one.
        allowed_hosts: the names (without port) under which it answers.
        token: who knows it may look and ask; 128 random bits.
        announce: gets the link, token and all, when the page can be reached.

    Yields:
        The page, a screen of the room.

    Raises:
        UsageError: that address can't be bound.
    """
    page = RoomPage(room, token, asyncio.get_running_loop().time)
    async with open_stream(
        page,
        ROOM,
        page.asks(),
        host=host,
        port=port,
        allowed_hosts=allowed_hosts,
        announce=lambda address: announce(f"{address}#{token}"),
    ):
        yield page
