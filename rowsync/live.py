"""One row as a program: its event loop, its screen, and what Ctrl-C means."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rowsync import ble, discovery
from rowsync.connection import Connection
from rowsync.errors import UsageError
from rowsync.journal import journals_left
from rowsync.rowing import Wishes, row
from rowsync.terminal import RowingScreen, waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def run_row(wishes: Wishes, virtual: tuple[str, int] | None, fast: bool) -> Path | None:
    """Row one session from beginning to end.

    Args:
        wishes: what to row, and for whom.
        virtual: machine and seed of a virtual rower; None for a real one.
        fast: let the clock jump over waiting; only a virtual rower can keep up.

    Returns:
        The session's journal, closed and synced; None when nothing arrived.

    Raises:
        MachineError: no rower, or no Bluetooth.
        StoreError: nothing can be written.
        KeyboardInterrupt: the person wants out at once; the journal is synced and stays.
    """
    _recover_apart(wishes.folder)
    with asyncio.Runner(loop_factory=_virtual_time if fast else None) as runner, RowingScreen() as screen:
        try:
            return runner.run(_row(wishes, virtual, screen))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def run_scan(seconds: float) -> list[ble.FoundDevice]:
    """Listen for rowers [s].

    Raises:
        RadioUnavailable: Bluetooth is off, absent or not permitted.
    """
    with waiting("Listening for rowers ..."):
        return asyncio.run(discovery.scan(ble.Radio(), seconds))


async def _row(wishes: Wishes, virtual: tuple[str, int] | None, screen: RowingScreen) -> Path | None:
    interrupts = _Interrupts(screen.say)
    async with _radio(wishes, virtual) as radio:
        return await row(wishes, radio, screen, interrupts.ends)


@asynccontextmanager
async def _radio(wishes: Wishes, virtual: tuple[str, int] | None) -> AsyncIterator[ble.Radio]:
    if virtual is None:
        yield ble.Radio()
        return
    if wishes.plan is None:
        raise UsageError("The virtual rower needs a plan to row.")
    from rowsync.virtual import virtual_radio

    machine, seed = virtual
    async with virtual_radio(wishes.plan, machine=machine, seed=seed) as radio:
        yield ble.Radio(radio.scanner_backend, radio.client_backend)


class _Interrupts:
    """The first Ctrl-C ends the session in order, the second quits at once; neither loses anything.

    Being told to end (SIGTERM) and losing the terminal (SIGHUP) count as Ctrl-C.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._connection: Connection | None = None
        self._task: asyncio.Task[Any] | None = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._interrupted)

    def ends(self, connection: Connection) -> None:
        """From now on the first Ctrl-C ends this connection."""
        self._connection = connection

    def _interrupted(self) -> None:
        if self._connection is not None:
            self._connection.stop()
            self._connection = None
            self._say("Ending the session. Ctrl-C again quits at once; nothing is lost.")
        elif self._task is not None:
            self._task.cancel()


def _virtual_time() -> asyncio.AbstractEventLoop:
    from rowsync.virtual.clock import VirtualTimeLoop

    return VirtualTimeLoop()


def _recover_apart(folder: Path) -> None:
    """Store what a crash left behind, in a process of its own: recording doesn't load what storing needs."""
    if journals_left(folder):
        subprocess.run([sys.executable, "-P", "-m", "rowsync", "recover", "--data", str(folder)], check=False)
