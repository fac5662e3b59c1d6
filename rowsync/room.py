"""A room of rowers: one connection and one session for each, side by side, and who sits where.

Each lane is a task of its own that watches its own machine (`rowing.watch`).  Whatever goes wrong in one is said there,
and tried again; the others don't notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rowsync import discovery, ear, wording
from rowsync.athlete import Athlete
from rowsync.ble import FoundDevice, Radio
from rowsync.commands import Command, carry_out
from rowsync.connection import Connection, Patience
from rowsync.errors import MachineError, RadioUnavailable, RowsyncError, UsageError
from rowsync.moment import Moment
from rowsync.plan import Plan
from rowsync.room_view import LaneView, RoomLook
from rowsync.rowing import HARDWARE, NO_STRAP, Wishes, watch
from rowsync.team import Standing, Team, team_of
from rowsync.telemetry import ATHLETE
from rowsync.waiting import end, until

USUAL_LINKS = 7
"""So many links an adapter usually holds."""

LOOK_S = 10.0
LOOK_AGAIN_S = 20.0
"""How long one looks for rowers at a time, and how long not: a radio that listens has less time for its links [s]."""

TICK_S = 1.0
"""The pause while nobody has answered yet [s]."""

TRY_AGAIN_S = 5.0
"""How long a lane that failed is left in peace [s]."""

GUEST = "guest"


class RoomScreen(Protocol):
    """Whoever looks at the room; it can't delay or break a recording."""

    def say(self, text: str) -> None:
        """Tell one line."""

    def show_room(self, look: Callable[[], RoomLook]) -> None:
        """Something changed; called at every packet of any lane, with what tells how the room is."""


class Onlookers:
    """Several screens as one; none of them is another's trouble."""

    def __init__(self, *screens: RoomScreen) -> None:
        self._screens = list(screens)

    def add(self, screen: RoomScreen) -> None:
        """One more looks from now on."""
        self._screens.append(screen)

    def say(self, text: str) -> None:
        """Tell one line."""
        for screen in self._screens:
            with suppress(Exception):
                screen.say(text)

    def show_room(self, look: Callable[[], RoomLook]) -> None:
        """Something changed."""
        for screen in self._screens:
            with suppress(Exception):
                screen.show_room(look)


@dataclass(frozen=True, slots=True)
class RoomWishes:
    """What is asked of a room.

    Attributes:
        folder: where sessions are stored.
        plan: what each rows, from their own first stroke on; None for free rows.
        arriving: who rows, in the order in which rowers are connected.
        places: who rows at which address; a lane is kept for each.
        others: who else may be chosen.
        lanes: how many rowers are connected at most.
        origin: of which origin the sessions are.
        patience: how long to wait for what.
        claims: where this computer's recorders say which rower they hold; None when there can't be another.
        goal: what all want together, as `team_of` reads it; None for nothing.
    """

    folder: Path
    plan: Plan | None = None
    arriving: Sequence[Athlete] = ()
    places: Mapping[str, Athlete] = field(default_factory=dict)
    others: Sequence[Athlete] = ()
    lanes: int = USUAL_LINKS
    origin: str = HARDWARE
    patience: Patience = field(default_factory=Patience)
    claims: Path | None = None
    goal: str | None = None

    def __post_init__(self) -> None:
        names = [athlete.name for athlete in (*self.places.values(), *self.arriving)]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"{wording.outside_text(name)} can't row on two rowers: name each person once.")
        if len(self.places) > self.lanes:
            raise UsageError(f"{len(self.places)} lanes are given to people, and there are {self.lanes}: see --lanes.")


Stored = Callable[[Path], Awaitable[Mapping[str, Any] | None]]
"""Stores a session, given its journal, closed and synced; answers the JSON of `rowsync show`, None where none is."""


class Room:
    """All rowers that are near, each with its own connection and session, until somebody stops it.

    Args:
        wishes: what is asked for.
        radio: which Bluetooth stack.
        screen: who looks.
        stored: stores each session.

    Attributes:
        lanes: the lanes, in the order in which their rowers were found.
        people: who may be chosen, by name.
    """

    def __init__(self, wishes: RoomWishes, radio: Radio, screen: RoomScreen, stored: Stored) -> None:
        self.lanes: list[Lane] = []
        self.people = {each.name: each for each in (*wishes.arriving, *wishes.places.values(), *wishes.others)}
        self._wishes, self._radio, self._screen, self._stored = wishes, ear.shared(radio), screen, stored
        self._arriving = list(wishes.arriving)
        self._places = {address.casefold(): athlete for address, athlete in wishes.places.items()}
        self._left_out: set[str] = set()
        self._team: Team | None = team_of(wishes.goal) if wishes.goal else None
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._storing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Find rowers and record whatever is rowed on each, until `stop`.

        Raises:
            RadioUnavailable: there is no Bluetooth at all, or it isn't permitted.
        """
        self._loop = asyncio.get_running_loop()
        self.say("Looking for rowers ...")
        looking = asyncio.ensure_future(self._look())
        try:
            await until(self._over, looking)
            if looking.done():
                looking.result()
            await end(looking)
            for lane, task in zip(self.lanes, self._tasks, strict=True):
                if not lane.stop():
                    task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            if self._storing:
                await asyncio.wait(self._storing)
        finally:
            await end(looking, *self._tasks, *self._storing)

    def stop(self) -> None:
        """End every session in order, and the room."""
        self._over.set()

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._over.is_set()

    @property
    def count(self) -> int:
        """How many lanes there are."""
        return len(self.lanes)

    @property
    def names(self) -> Sequence[str]:
        """Who may be chosen."""
        return list(self.people)

    def do(self, command: Command) -> None:
        """Carry a command out in every lane that is connected.

        Raises:
            UsageError: none is.
        """
        connected = [lane.connection for lane in self.lanes if lane.connection is not None]
        if not connected:
            raise UsageError("No rower is connected yet.")
        for connection in connected:
            carry_out(command, connection)

    def claim(self, number: int, name: str | None) -> None:
        """From now on somebody rows in a lane, and has rowed the session that goes on there; None makes it free again.

        Raises:
            UsageError: there is no such lane or person, or that person is elsewhere.
        """
        if not 1 <= number <= len(self.lanes):
            raise UsageError(f"There is no lane {number}; there are {len(self.lanes)}.")
        lane = self.lanes[number - 1]
        if name is None:
            lane.athlete = None
        else:
            lane.take(self._free_person(name, lane))
        self.changed()

    def lane_at(self, address: str) -> int:
        """The number of the lane of a rower.

        Raises:
            UsageError: it isn't here.
        """
        for lane in self.lanes:
            if lane.rower.address.casefold() == address.casefold():
                return lane.number
        raise UsageError("This rower isn't in the room yet: pull its handle to wake it, and try again.")

    def _free_person(self, name: str, lane: Lane) -> Athlete:
        if name not in self.people:
            raise UsageError(f"Nobody is called {wording.outside_text(name)} here.")
        for other in self.lanes:
            if other is not lane and other.athlete is not None and other.athlete.name == name:
                raise UsageError(
                    f"{wording.outside_text(name)} is in lane {other.number} already: make that one free first."
                )
        return self.people[name]

    # --- the lanes ----------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Open a lane for each rower that is heard, as long as there are lanes."""
        while True:
            try:
                async for rower in discovery.rowers(self._radio, LOOK_S):
                    self._meet(rower)
            except RadioUnavailable:
                if not self.lanes:
                    raise
            except MachineError:  # the system refuses to scan, for now
                pass
            await asyncio.sleep(LOOK_AGAIN_S if self.lanes else TICK_S)

    def _meet(self, rower: FoundDevice) -> None:
        if any(lane.rower.address == rower.address for lane in self.lanes):
            return
        here = {lane.rower.address.casefold() for lane in self.lanes}
        kept = self._places.keys() - here - {rower.address.casefold()}
        if len(self.lanes) + len(kept) >= self._wishes.lanes:
            self._leave_out(rower, len(kept))
            return
        lane = Lane(len(self.lanes) + 1, rower, self)
        lane.athlete = self._places.get(rower.address.casefold())
        self.lanes.append(lane)
        if lane.number == USUAL_LINKS + 1:
            self.say(f"More than {USUAL_LINKS} rowers are near; an adapter usually holds {USUAL_LINKS} links.")
        self._tasks.append(asyncio.ensure_future(self._keep(lane)))
        self.changed()

    def _leave_out(self, rower: FoundDevice, kept: int) -> None:
        if rower.address in self._left_out:
            return
        self._left_out.add(rower.address)
        kept_for = f", {kept} of them kept for whom --lane names" if kept else ""
        self.say(
            f"{rower.label} ({rower.address}) is left out: there are {wording.count(self._wishes.lanes, 'lane')}"
            f"{kept_for}. An adapter usually holds {USUAL_LINKS} links; if yours holds more, say --lanes."
        )

    async def _keep(self, lane: Lane) -> None:
        """Record whatever is rowed in a lane, whatever happens there."""
        while not self.is_stopped:
            try:
                await watch(self._wishes_of(lane), self._radio, lane, lane.takes, lane.store)
                return
            except Exception as error:  # whatever it is, it is this lane's and nobody else's
                known = str(error) if isinstance(error, RowsyncError) else f"This lane failed ({error!r})."
                lane.fails(known)
            await asyncio.sleep(TRY_AGAIN_S)

    def _wishes_of(self, lane: Lane) -> Wishes:
        return Wishes(
            folder=self._wishes.folder,
            athlete=Athlete(f"{GUEST} {lane.number}"),
            plan=self._wishes.plan,
            rower=lane.rower.address,
            strap=NO_STRAP,
            origin=self._wishes.origin,
            patience=self._wishes.patience,
            goes_on=False,
            claims=self._wishes.claims,
            remembers=False,
            claimed=lambda: lane.athlete,
        )

    # --- for the lanes ------------------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Tell one line; a screen that fails is no lane's trouble."""
        with suppress(Exception):
            self._screen.say(text)

    def next_person(self) -> Athlete | None:
        """Who is next to get a rower; None when everybody has one."""
        here = {lane.athlete.name for lane in self.lanes if lane.athlete is not None}
        while self._arriving:
            athlete = self._arriving.pop(0)
            if athlete.name not in here:
                return athlete
        return None

    def store(self, journal: Path, lane: Lane) -> None:
        """Store a session; no lane waits for that, since the next session may have begun."""
        task = asyncio.ensure_future(self._store(journal, lane))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _store(self, journal: Path, lane: Lane) -> None:
        try:
            summary = await self._stored(journal)
        except Exception as error:
            told = f"{journal.stem} can't be stored now ({error}); it is safe in its journal."
            lane.say(f"{told} `rowsync recover` tries again.")
            return
        if summary is not None:
            length, metres = wording.clock(summary.get("duration_s")), wording.number(summary.get("distance_m"))
            lane.say(f"Stored: {length}, {metres} m ({summary.get('session_id')}).")

    def changed(self) -> None:
        """Something is to be seen."""
        with suppress(Exception):
            self._screen.show_room(self.look)

    def hear(self, lane: Lane, moment: Moment) -> None:
        """Something is heard of a lane; what is made of it is no lane's trouble."""
        if self._team is not None:
            with suppress(Exception):
                self._team.hear(self.now_s, lane.number, moment)

    def look(self) -> RoomLook:
        """How the room is now."""
        return RoomLook([lane.view for lane in self.lanes], self.names, self._standing())

    def _standing(self) -> Standing | None:
        return self._team.standing(self.now_s) if self._team else None

    @property
    def now_s(self) -> float:
        """The room's time [s]."""
        return self._loop.time() if self._loop else 0.0


class Lane:
    """One rower of a room, and the screen of its own row.

    Args:
        number: the lane's, from 1.
        rower: its machine.
        room: the room that it is in.

    Attributes:
        number: the same.
        rower: the same.
        athlete: who claimed it; None when nobody did.
        connection: its connection; None while there is none.
    """

    def __init__(self, number: int, rower: FoundDevice, room: Room) -> None:
        self.number, self.rower = number, rower
        self.athlete: Athlete | None = None
        self.connection: Connection | None = None
        self._room = room
        self._moment: Moment | None = None
        self._is_rowed = False
        self._trouble: str | None = None
        self._was_connected = False
        self._heard_s = room.now_s

    @property
    def who(self) -> str:
        """Who rows here."""
        return self.athlete.name if self.athlete else f"{GUEST} {self.number}"

    @property
    def view(self) -> LaneView:
        """The lane as it is seen."""
        return LaneView(
            self.number,
            self.who,
            self._moment,
            self.connection is not None,
            self._trouble,
            self.rower.address,
            self.rower.label,
            max(0.0, self._room.now_s - self._heard_s),
        )

    def take(self, athlete: Athlete) -> None:
        """Somebody rows here from now on, and is told to be who rowed the session that goes on."""
        self.athlete = athlete
        if self.connection is not None:
            known = {key: value for key, value in asdict(athlete).items() if value is not None}
            self.connection.tell(ATHLETE, **known)

    def takes(self, connection: Connection | None) -> None:
        """From now on this connection is led; None is none."""
        self.connection = connection
        if connection is not None:
            self._trouble, self._heard_s = None, self._room.now_s
            if not self._was_connected and self.athlete is None:
                self.athlete = self._room.next_person()
            self._was_connected = True
            if self._room.is_stopped:
                connection.stop()
        self._room.changed()

    def stop(self) -> bool:
        """End the session in order; answer whether there is a connection to end."""
        if self.connection is None:
            return False
        self.connection.stop()
        return True

    def fails(self, why: str) -> None:
        """Something went wrong here; the same is said once."""
        self._moment = None
        if why != self._trouble:
            self._trouble = why
            self.say(why)
        self._room.changed()

    async def store(self, journal: Path) -> None:
        """The session is over: store it; one in which nobody rowed is cleared away with what is stored next."""
        is_rowed = self._is_rowed
        self.end(None)
        if is_rowed:
            self._room.store(journal, self)
        else:
            self.say("Nobody rowed, so nothing is stored.")

    # --- the screen of its row ----------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Tell the room one line."""
        self._room.say(f"{self.number} {self.who}: {text}")

    def ask(self, question: str) -> bool:
        """Nobody sits here who could be asked."""
        return False

    def show(self, moment: Moment) -> None:
        """Take where the row is."""
        if self._moment is None or moment.notifications != self._moment.notifications:
            self._heard_s = self._room.now_s
        self._moment = moment
        self._is_rowed |= bool(moment.strokes)
        self._room.hear(self, moment)
        self._room.changed()

    def remember(self, past: Mapping[str, Any]) -> None:
        """Take what came before this row."""

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """The row is over; another one may follow."""
        self._moment, self._is_rowed = None, False
        self._room.changed()
