"""One row as a program: its event loop, who follows it, and what Ctrl-C means."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rowsync import apart, ble, discovery
from rowsync.awake import AwakeLoop
from rowsync.claim import claimed_folder
from rowsync.commands import Command, carry_out
from rowsync.connection import Connection
from rowsync.errors import UsageError
from rowsync.journal import journals_left
from rowsync.keys import KEY_HINTS, KeyCommands, Keys
from rowsync.plan import Plan
from rowsync.room import Onlookers, Room, RoomWishes
from rowsync.room import RoomScreen as Onlooker
from rowsync.room_keys import ROOM_HINTS, RoomKeys
from rowsync.room_screen import RoomScreen
from rowsync.rowing import Audience, Reader, Wishes, row, watch
from rowsync.rowing_screen import RowingScreen
from rowsync.sound import Sound
from rowsync.terminal import waiting
from rowsync.unfinished import Unfinished, unfinished
from rowsync.waiting import end, within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Do = Callable[[Command], None]
"""Carries a command out; raises UsageError when it can't be done now."""

Company = Callable[[Do, RowingScreen], AbstractAsyncContextManager[Reader]]
"""Makes a reader that follows a row besides the screen, from what it may command with and where the person is told."""


RoomCompany = Callable[[Room, RoomScreen], AbstractAsyncContextManager[Onlooker]]
"""Makes a screen that looks at a room besides the terminal's."""

STORED_WITHIN_S = 120.0
"""A session of a room that isn't stored by then waits for the next command: others are to be stored as well [s]."""


class Virtual(NamedTuple):
    """A virtual rower: on which machine, by which dice, and what is rowed; None is what is missing yet."""

    machine: str
    seed: int
    rows: Plan | None


def run_row(wishes: Wishes, virtual: Virtual | None, fast: bool, company: Sequence[Company] = ()) -> Path | None:
    """Row one session from beginning to end.

    Args:
        wishes: what to row, and for whom.
        virtual: who rows instead of a person; None for a person.
        fast: let the clock jump over waiting; only a virtual rower can keep up.
        company: who follows the row besides the screen; it is told the session as stored.

    Returns:
        The session's journal, closed and synced, and stored already where there is company; None when nothing arrived.

    Raises:
        MachineError: no rower, or no Bluetooth.
        StoreError: nothing can be written.
        UsageError: another rowsync records into this folder, or is connected to the rower.
        KeyboardInterrupt: the person wants out at once; the journal is synced and stays.
    """
    with claimed_folder(wishes.folder):
        again = _unfinished(wishes)
        with _loop(fast) as runner, RowingScreen() as screen:
            try:
                return runner.run(_row(wishes, virtual, screen, company, again))
            except asyncio.CancelledError:
                raise KeyboardInterrupt from None


def run_watch(wishes: Wishes, virtual: Virtual | None, company: Sequence[Company] = ()) -> None:
    """Record whatever is rowed, until told to stop.

    Raises:
        RadioUnavailable: no Bluetooth at all.
        StoreError: nothing can be written.
        UsageError: another rowsync records into this folder, or is connected to the rower.
    """
    with claimed_folder(wishes.folder):
        again = _unfinished(wishes)
        with _loop(fast=False) as runner, RowingScreen() as screen, suppress(asyncio.CancelledError):
            runner.run(_watch(wishes, virtual, screen, company, again))


def run_room(wishes: RoomWishes, virtual: Virtual | None, rowers: int = 1, company: Sequence[RoomCompany] = ()) -> None:
    """Record whatever is rowed on every rower that is near, until told to stop.

    Args:
        wishes: what is asked of the room.
        virtual: the first of the virtual rowers, if they are; what is rowed on all of them.
        rowers: how many virtual ones there are.
        company: who looks at the room besides the screen.

    Raises:
        RadioUnavailable: no Bluetooth at all.
        UsageError: another rowsync records into this folder, or the page can't be served.
    """
    with claimed_folder(wishes.folder):
        if journals_left(wishes.folder):
            apart.recover(wishes.folder)
        with _loop(fast=False) as runner, RoomScreen() as screen, suppress(asyncio.CancelledError):
            runner.run(_room(wishes, virtual, rowers, screen, company))


def run_scan(seconds: float, virtual: Virtual | None = None, rowers: int = 1) -> list[ble.FoundDevice]:
    """Listen for rowers [s].

    Args:
        seconds: how long.
        virtual: the first of the virtual rowers, if they are; nobody waits for these.
        rowers: how many virtual ones there are.

    Raises:
        RadioUnavailable: Bluetooth is off, absent or not permitted.
    """
    with waiting("Listening for rowers ..."), _loop(fast=virtual is not None) as runner:
        return runner.run(_scan(seconds, virtual, rowers))


async def _scan(seconds: float, virtual: Virtual | None, rowers: int) -> list[ble.FoundDevice]:
    async with _radio(virtual, rowers - 1) as radio:
        return await discovery.scan(radio, seconds)


async def _row(
    wishes: Wishes,
    virtual: Virtual | None,
    screen: RowingScreen,
    company: Sequence[Company],
    again: Unfinished | None,
) -> Path | None:
    async with _following(wishes, screen, company) as (audience, helm), _radio(virtual) as radio:
        journal = await row(wishes, radio, audience, helm.takes, again)
        if company:
            audience.end(await _stored(wishes.folder, journal, screen.say))
        return journal


async def _watch(
    wishes: Wishes,
    virtual: Virtual | None,
    screen: RowingScreen,
    company: Sequence[Company],
    again: Unfinished | None,
) -> None:
    async with _following(wishes, screen, company) as (audience, helm), _radio(virtual) as radio:

        async def stored(journal: Path) -> None:
            audience.end(await _stored(wishes.folder, journal, screen.say))

        await watch(wishes, radio, audience, helm.takes, stored, again)


async def _room(
    wishes: RoomWishes, virtual: Virtual | None, rowers: int, screen: RoomScreen, company: Sequence[RoomCompany]
) -> None:
    one_at_a_time = asyncio.Lock()

    async def stored(journal: Path) -> Mapping[str, Any] | None:
        async with one_at_a_time:
            return await within(_stored(wishes.folder, journal, screen.say), STORED_WITHIN_S)

    async with AsyncExitStack() as doors, _radio(virtual, rowers - 1) as radio:
        onlookers = Onlookers(screen)
        room = Room(wishes, radio, onlookers, stored)
        for come in company:
            onlookers.add(await doors.enter_async_context(come(room, screen)))
        task = asyncio.current_task()

        def interrupted() -> None:
            if room.is_stopped:
                if task is not None:
                    task.cancel()
                return
            room.stop()
            screen.say("Ending all sessions. Ctrl-C again quits at once; nothing is lost.")

        _on_signals(interrupted)
        keys = Keys(RoomKeys(room, screen, room.stop, asyncio.get_running_loop().time))
        with keys:
            if keys.is_open:
                screen.hint(ROOM_HINTS)
            await room.run()


@asynccontextmanager
async def _following(
    wishes: Wishes, screen: RowingScreen, company: Sequence[Company]
) -> AsyncIterator[tuple[Audience, _Helm]]:
    """Everybody who follows a row, and who leads it."""
    helm = _Helm(screen.say)
    async with AsyncExitStack() as doors:
        readers = [await doors.enter_async_context(come(helm.do, screen)) for come in company]
        audience = Audience(screen, *readers)
        mute = next((reader.mute for reader in readers if isinstance(reader, Sound)), None)
        keys = Keys(KeyCommands(helm.do, screen.say, mute, asyncio.get_running_loop().time))
        if doors.enter_context(keys).is_open:
            screen.hint(KEY_HINTS)
        recalling = asyncio.ensure_future(_recall(wishes, audience)) if company else None
        try:
            yield audience, helm
        finally:
            if recalling:
                await end(recalling)


async def _recall(wishes: Wishes, audience: Audience) -> None:
    """Tell everybody what came before this row."""
    plan = wishes.plan.text if wishes.plan else None
    audience.remember(await apart.past(wishes.folder, wishes.athlete.name, wishes.origin, plan, audience.say))


async def _stored(folder: Path, journal: Path | None, say: Callable[[str], None]) -> Mapping[str, Any] | None:
    """A session's summary, once it is stored."""
    if journal is None:
        return None
    return await apart.summary_of(folder, journal.stem, say)


@asynccontextmanager
async def _radio(virtual: Virtual | None, others: int = 0) -> AsyncIterator[ble.Radio]:
    """The system's radio, or a virtual one with so many more rowers in its air."""
    if virtual is None:
        yield ble.Radio()
        return
    if virtual.rows is None:
        raise UsageError("The virtual rower needs a plan to row.")
    from rowsync.virtual import Neighbour, virtual_radio

    neighbours = [
        Neighbour(virtual.machine, f"Virtual Rower {number}", seed=virtual.seed + number)
        for number in range(2, others + 2)
    ]
    try:
        async with virtual_radio(virtual.rows, machine=virtual.machine, seed=virtual.seed, others=neighbours) as radio:
            yield ble.Radio(radio.scanner_backend, radio.client_backend)
    except asyncio.CancelledError:  # parts of Bumble complain of those that ended before them
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        raise


class _Helm:
    """Who leads the row: commands from anywhere, and Ctrl-C.

    The first Ctrl-C ends the session in order, the second quits at once; neither loses anything.  Being told to end
    (SIGTERM) and losing the terminal (SIGHUP) count as Ctrl-C.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._connection: Connection | None = None
        self._task: asyncio.Task[Any] | None = asyncio.current_task()
        _on_signals(self._interrupted)

    def takes(self, connection: Connection | None) -> None:
        """From now on this connection is led; None is none."""
        self._connection = connection

    def do(self, command: Command) -> None:
        """Carry out a command.

        Raises:
            UsageError: no rower is connected.
        """
        if self._connection is None:
            raise UsageError("No rower is connected yet.")
        carry_out(command, self._connection)

    def _interrupted(self) -> None:
        if self._connection is not None and not self._connection.is_stopped:
            self._connection.stop()
            self._say("Ending the session. Ctrl-C again quits at once; nothing is lost.")
        elif self._task is not None:
            self._task.cancel()


def _on_signals(interrupted: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, interrupted)


def _loop(fast: bool) -> asyncio.Runner:
    return asyncio.Runner(loop_factory=_virtual_time if fast else AwakeLoop)


def _virtual_time() -> asyncio.AbstractEventLoop:
    from rowsync.virtual.clock import VirtualTimeLoop

    return VirtualTimeLoop()


def _unfinished(wishes: Wishes) -> Unfinished | None:
    """The session to go on with, held; what else a crash left behind is stored."""
    again = unfinished(wishes.folder, wishes.origin, wishes.athlete.name, wishes.plan) if wishes.goes_on else None
    if journals_left(wishes.folder):
        apart.recover(wishes.folder)
    return again
