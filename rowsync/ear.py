"""One ear for many: several that listen at once, and one scan.

A Bluetooth service gives a program one scan at a time and refuses the second; in a room of rowers each lane looks for
its own machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from rowsync import ble
from rowsync.ble import FoundDevice, Radio
from rowsync.errors import MachineError
from rowsync.waiting import end


def shared(radio: Radio) -> Radio:
    """The same radio, on which any number may listen at once."""
    return replace(radio, hears=_Ear(radio).heard)


class _Ear:
    """Scans while anybody listens, and tells all of them.

    Args:
        radio: by which stack.
    """

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self._listeners: set[asyncio.Queue[FoundDevice | MachineError]] = set()
        self._scanning: asyncio.Task[None] | None = None
        self._one_scan = asyncio.Lock()

    async def heard(self) -> AsyncGenerator[FoundDevice]:
        """Whatever advertises from now on, without end.

        Raises:
            RadioUnavailable: Bluetooth is off, absent or not permitted.
            MachineError: the system refuses to scan, for now.
        """
        queue: asyncio.Queue[FoundDevice | MachineError] = asyncio.Queue()
        self._listeners.add(queue)
        if self._scanning is None:
            self._scanning = asyncio.ensure_future(self._scan())
        try:
            while True:
                entry = await queue.get()
                if isinstance(entry, MachineError):
                    raise entry
                yield entry
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._scanning is not None:
                scanning, self._scanning = self._scanning, None
                await end(scanning)

    async def _scan(self) -> None:
        """Scan; the one before may not have ended yet."""
        try:
            async with self._one_scan, aclosing(ble.heard(self._radio)) as heard:
                async for found in heard:
                    self._tell(found)
        except MachineError as error:
            self._scanning = None
            self._tell(error)

    def _tell(self, entry: FoundDevice | MachineError) -> None:
        for queue in self._listeners:
            queue.put_nowait(entry)
