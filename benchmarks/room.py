"""A room of rowers: notifications sent, in journals and lost, sessions beside their replay, and CPU by notification.

    python -m benchmarks.room [--rowers 32] [--minutes 20]

So many virtual rowers on one virtual radio, over real ATT, in virtual time.  Beside it, in the same run: a client that
subscribes to the same machines and only counts.  The difference is what rowsync itself costs; the rest is the virtual
rowers, Bumble and bleak.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from rowsync import ble, discovery, ftms
from rowsync.plan import parse_plan
from rowsync.recording import read_recording
from rowsync.room import Room, RoomWishes
from rowsync.session import analyse
from rowsync.store import Store
from rowsync.virtual import Neighbour, VirtualRadio, virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop

MACHINES = ("standard", "pace-only", "viking", "whipr")
AFTER_S = 0.26
"""The room is stopped so long after a full second, when no packet is on its way [s]."""


class Nobody:
    """Looks at the room, and says nothing."""

    def say(self, text):
        """Hear it."""

    def show_room(self, lanes):
        """See the lanes, as a screen does."""


def air(rowers: int):
    """A virtual radio with so many rowers."""
    others = [Neighbour(MACHINES[n % len(MACHINES)], f"Rower {n + 1}", seed=n + 1) for n in range(1, rowers)]
    return virtual_radio(parse_plan("90m"), others=others)


def rows_sent(virtual: VirtualRadio) -> dict[str, list[bytes]]:
    """The Rower Data that each machine has sent to a subscriber."""
    machines = (virtual.peripheral, *virtual.others)
    return {
        each.address: [payload for carrier, payload in each.notifications if carrier == ftms.ROWER_DATA]
        for each in machines
    }


async def counted(rowers: int, seconds: float) -> int:
    """How many notifications a client that does nothing with them gets."""
    count = 0

    def arrived(characteristic, payload):
        nonlocal count
        count += 1

    async with air(rowers) as virtual, AsyncExitStack() as links:
        radio = ble.Radio(virtual.scanner_backend, virtual.client_backend)
        for device in await discovery.scan(radio, 5.0):
            link = await links.enter_async_context(ble.connect(device, radio, arrived))
            await link.subscribe(ftms.ROWER_DATA)
        await asyncio.sleep(seconds - asyncio.get_running_loop().time())
    return count


async def recorded(rowers: int, seconds: float, folder: Path) -> tuple[dict[str, list[bytes]], list[Path]]:
    """What each machine had sent when the room was stopped, and the journals."""
    journals: list[Path] = []

    async def stored(journal):
        journals.append(journal)

    async with air(rowers) as virtual:
        radio = ble.Radio(virtual.scanner_backend, virtual.client_backend)
        room = Room(RoomWishes(folder, lanes=rowers, origin="synthetic"), radio, Nobody(), stored)
        running = asyncio.ensure_future(room.run())
        await asyncio.sleep(seconds)
        sent = rows_sent(virtual)
        room.stop()
        await running
    return sent, journals


def timed(work):
    """What some work in virtual time answers, and its CPU [s]."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        began_s = time.process_time()
        return runner.run(work), time.process_time() - began_s


def journalled(journals: list[Path]) -> dict[str, list[bytes]]:
    """The Rower Data in the journals, by machine."""
    found: dict[str, list[bytes]] = {}
    for journal in journals:
        recording = read_recording(journal)
        rows = [each.payload for each in recording.notifications if each.characteristic == ftms.ROWER_DATA]
        found.setdefault(recording.header.machine["address"], []).extend(rows)
    return found


def is_its_replay(store: Store, journal: Path) -> bool:
    """Whether a session as stored says what an analysis of its journal says."""
    recording = read_recording(journal)
    replayed = json.loads(json.dumps(analyse(recording.header, recording.items).summary()))
    finished = store.finish(journal)
    summary = finished.summary if finished else None
    return summary is not None and {key: summary[key] for key in replayed} == replayed


def main() -> None:
    """Measure and print."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    parser.add_argument("--rowers", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=20.0)
    asked = parser.parse_args()
    seconds = 60.0 * asked.minutes + AFTER_S
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (sent, journals), room_s = timed(recorded(asked.rowers, seconds, folder))
        kept = journalled(journals)
        count = sum(map(len, sent.values()))
        in_journals = sum(map(len, kept.values()))
        lost = sum(len(rows) - len(kept.get(address, ())) for address, rows in sent.items())
        same_bytes = sum(kept.get(address) == rows for address, rows in sent.items())
        store = Store(folder)
        same = sum(is_its_replay(store, journal) for journal in journals)
    print(
        f"{asked.rowers} rowers, {asked.minutes:g} min: "
        f"{count:,} notifications sent, {in_journals:,} in journals, {lost} lost"
    )
    print(f"machines whose journal has every byte in order: {same_bytes} of {len(sent)}")
    print(f"sessions equal to their replay: {same} of {len(journals)}")
    bare, bare_s = timed(counted(asked.rowers, seconds))
    room_us, bare_us = 1e6 * room_s / max(count, 1), 1e6 * bare_s / max(bare, 1)
    print(f"CPU of a notification, all included: {room_us:.0f} us; a client that only counts: {bare_us:.0f} us")
    print(f"rowsync itself: {room_us - bare_us:.0f} us")


if __name__ == "__main__":
    main()
