"""rowsync over the real bluetoothd and the real kernel.  Runs as root in the guest that `run` boots.

    check.py live       by the real clock: scan, how late a notification is, and what happens within seconds
    check.py session    by a clock that jumps while all sleep: `rowsync row` through a whole plan and every fault

The machine is rowsync's virtual rower.  Its air ends in /dev/vhci, which the kernel takes for a Bluetooth adapter; all
above is what a rower's computer runs: Linux, bluetoothd, D-Bus, bleak, rowsync.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import platform
import statistics
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE
from bisect import bisect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from bumble import hci
from bumble.controller import Controller
from bumble.transport import open_transport
from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from rowsync.ble import Radio
from rowsync.connection import connected
from rowsync.discovery import find
from rowsync.plan import parse_plan
from rowsync.store import Store
from rowsync.telemetry import LOST, Item, Note, Notification
from rowsync.virtual.central import AirLink
from rowsync.virtual.console import Console, Due
from rowsync.virtual.machine import STANDARD
from rowsync.virtual.model import MachineModel
from rowsync.virtual.peripheral import Peripheral
from rowsync.virtual.rower import VirtualRower

OUT = Path("/run/out")
DATA = Path("/run/data")

PLAN = "5m + 10x45/75 + 5m"
HARD_PIECES = 10
WHOLE_M = 5.0
"""A machine tells whole metres, and rolls on for some seconds after rowsync has ended."""

FAST_PERIOD_S = 0.05
"""Live, the machine notifies twenty times a second: a percentile needs many."""

LATE_S = 0.1
"""What a person takes for at once; 99 of 100 notifications must be quicker [s]."""

CLOCKS_S = 0.1
"""A recording's clock begins with the first notification; it may be so much ahead of the machine's [s]."""

LONGEST_S = 3600.0
"""Half an hour's row that goes on for so long never ends, by whichever clock [s]."""

NOTICED = (LOST, "silent")
"""The notes with which rowsync tells that it noticed."""

T = TypeVar("T")

failures: list[str] = []


def expect(condition: bool, what: str) -> None:
    """Note what is not as it must be, and go on: the rest is worth seeing."""
    if not condition:
        failures.append(what)


# --- a machine, and a computer ----------------------------------------------------------------------------------------


class Stamped(list[T]):
    """A list that knows when its items came, by the loop's clock [s]."""

    def __init__(self) -> None:
        super().__init__()
        self.times_s: list[float] = []

    def append(self, item: T) -> None:
        """Add an item, and the time."""
        self.times_s.append(asyncio.get_running_loop().time())
        super().append(item)


class Computer:
    """An adapter and a bluetoothd, which `async with` switches on; either may go and come back."""

    def __init__(self, air: AirLink) -> None:
        self._air = air

    async def __aenter__(self) -> Computer:
        await self.plug()
        self.start_bluetoothd()
        await self.power(True)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill_bluetoothd()
        await self.unplug()

    async def plug(self) -> None:
        """Plug an adapter in."""
        self._vhci = await open_transport("vhci")
        self._adapter = Controller("adapter", host_source=self._vhci.source, host_sink=self._vhci.sink, link=self._air)
        # Bumble 0.0.236 doesn't send the events that a host with these features waits for (bumble #841).
        self._adapter.le_features &= ~(hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING)

    async def unplug(self) -> None:
        """Pull the adapter out."""
        await self._vhci.close()
        self._air.remove_controller(self._adapter)

    def start_bluetoothd(self) -> None:
        """Start the system's Bluetooth service, as systemd does.

        It goes before all others: this air answers at once, where a real one takes a connection interval, and a
        bluetoothd that hears of a link from ATT before it does from the kernel never tells D-Bus (BlueZ 5.66).
        """
        with (OUT / "bluetoothd.log").open("ab") as log:
            self._bluetoothd = subprocess.Popen([os.environ["BLUETOOTHD"], "-n"], stderr=log)
        os.sched_setscheduler(self._bluetoothd.pid, os.SCHED_FIFO, os.sched_param(1))

    def kill_bluetoothd(self) -> None:
        """End it as a crash does."""
        self._bluetoothd.kill()
        self._bluetoothd.wait()

    async def power(self, on: bool) -> None:
        """Do what `bluetoothctl power on` does, as soon as there are a bluetoothd and an adapter."""
        message = Message(
            destination="org.bluez",
            path="/org/bluez/hci0",
            interface="org.freedesktop.DBus.Properties",
            member="Set",
            signature="ssv",
            body=["org.bluez.Adapter1", "Powered", Variant("b", on)],
        )
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        for _ in range(200):
            answer = await bus.call(message)
            if answer is not None and answer.message_type is not MessageType.ERROR:
                break
            await asyncio.sleep(0.1)
        bus.disconnect()


class World(NamedTuple):
    """What is there before rowsync starts, and all that the machine has sent since."""

    machine: Peripheral
    computer: Computer
    sent: Stamped[Due]


@asynccontextmanager
async def world(model: MachineModel) -> AsyncIterator[World]:
    """Switch everything on."""
    air = AirLink()
    async with Peripheral(air, VirtualRower(parse_plan(PLAN)), Console(model)) as machine, Computer(air) as computer:
        machine.notifications = sent = Stamped[Due]()
        try:
            yield World(machine, computer, sent)
        finally:
            await machine.leave()  # before the adapter: Bumble can't end a link to one that is no more


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    while not holds():  # noqa: ASYNC110 - nobody would set an event
        await asyncio.sleep(0.01)


# --- faults -----------------------------------------------------------------------------------------------------------


async def yank(its: World) -> None:
    """The machine drops the link."""
    await its.machine.drop()


async def yank_twice(its: World) -> None:
    """The machine drops the link, and once more while it is made again.

    In the first instant this kernel (6.1.192) would fall over it: `hci_chan_del` frees a channel twice.
    """
    await its.machine.drop()
    await its.machine.connected.wait()
    await asyncio.sleep(0.05)
    await its.machine.drop()


async def leave(its: World) -> None:
    """The machine is out of range, or asleep."""
    await its.machine.leave()
    await asyncio.sleep(120)
    await its.machine.come_back()


async def freeze(its: World) -> None:
    """The machine hangs: it neither speaks nor answers, though the link stands; then it starts anew."""
    its.machine.deaf = True
    await until(lambda: not its.machine.connected.is_set())
    await its.machine.leave()
    await asyncio.sleep(20)
    its.machine.deaf = False
    await its.machine.come_back()


async def fall_silent(its: World) -> None:
    """The link stands, the machine answers but doesn't speak."""
    talkative = its.machine.console.model
    its.machine.console.model = replace(talkative, silent_s=(0.0, math.inf))
    await asyncio.sleep(30)
    its.machine.console.model = talkative


async def crash(its: World) -> None:
    """The Bluetooth service dies, and is started again."""
    its.computer.kill_bluetoothd()
    await asyncio.sleep(5)
    its.computer.start_bluetoothd()
    await its.computer.power(True)


async def switch_off(its: World) -> None:
    """Somebody switches Bluetooth off, and on again."""
    await its.computer.power(False)
    await asyncio.sleep(10)
    await its.computer.power(True)


async def pull_out(its: World) -> None:
    """Somebody pulls the adapter out, and plugs it in again."""
    await its.machine.drop()
    await its.computer.unplug()
    await asyncio.sleep(10)
    await its.computer.plug()
    await its.computer.power(True)


class Fault(NamedTuple):
    """Something that goes wrong in mid-row.

    Attributes:
        start_s: when, since the machine began to speak [s].
        happens: does it, and returns when its cause is gone.
        may_lose: how many notifications may leave the machine and reach nobody.
        noticed_within_s: how soon rowsync must notice [s].
        back_within_s: how soon after the cause is gone notifications must come again [s].
    """

    start_s: float
    happens: Callable[[World], Awaitable[None]]
    may_lose: int = 1
    noticed_within_s: float = 0.5
    back_within_s: float = 3.0


LIVE_FAULTS = (
    Fault(5, yank),
    Fault(10, yank, may_lose=2),
    Fault(15, yank_twice, may_lose=3),
    Fault(20, crash, may_lose=60, noticed_within_s=3.5),
)
LIVE_S = 32.0
"""Notifications that leave within the two seconds that the kernel holds a dead bluetoothd's links are lost."""

SESSION_FAULTS = (
    Fault(100, yank),
    Fault(310, yank),
    Fault(390, yank_twice, may_lose=2),
    Fault(500, crash, may_lose=6, noticed_within_s=3.5),
    Fault(700, switch_off),
    Fault(900, fall_silent, noticed_within_s=3.5),
    Fault(1000, freeze, noticed_within_s=3.5),
    Fault(1100, pull_out),
    Fault(1300, leave),
)


# --- what came of it --------------------------------------------------------------------------------------------------


class Packet(NamedTuple):
    """A notification, and when it was somewhere, by the loop's clock [s]."""

    time_s: float
    characteristic: str
    payload: bytes


class Happened(NamedTuple):
    """A fault, when it began and when its cause was gone, by the loop's clock [s]."""

    fault: Fault
    start_s: float
    gone_s: float


@dataclass
class Ledger:
    """Which notifications arrived, by the loop's clock [s].

    Attributes:
        sent_s: when each left the machine; those on their way when rowsync lets go don't count.
        received_s: when each arrived.
        late_s: how long those took that arrived.
        lost_s: when those left that never arrived.
        doubled_s: when something arrived that hadn't left, or had arrived before.
    """

    sent_s: list[float]
    received_s: list[float]
    late_s: list[float] = field(default_factory=list)
    lost_s: list[float] = field(default_factory=list)
    doubled_s: list[float] = field(default_factory=list)


def ledger(sent: Sequence[Packet], received: Sequence[Packet]) -> Ledger:
    """Compare, in order: each arrival is the next departure that looks like it."""
    found = Ledger([packet.time_s for packet in sent], [packet.time_s for packet in received])
    expected = 0
    for packet in received:
        candidates = range(expected, bisect(found.sent_s, packet.time_s + CLOCKS_S))
        number = next((each for each in candidates if sent[each][1:] == packet[1:]), None)
        if number is None:
            found.doubled_s.append(packet.time_s)
        else:
            found.lost_s += found.sent_s[expected:number]
            found.late_s.append(packet.time_s - found.sent_s[number])
            expected = number + 1
    del found.sent_s[expected:]
    return found


def left(sent: Stamped[Due]) -> list[Packet]:
    """What left the machine."""
    return [Packet(time_s, *due) for time_s, due in zip(sent.times_s, sent, strict=True)]


def arrived(items: Iterable[tuple[float, Item]], sent: Sequence[Packet]) -> list[Packet]:
    """The notifications among what rowsync received; what it read besides is none."""
    kinds = {packet.characteristic for packet in sent}
    packets = ((time_s, item) for time_s, item in items if isinstance(item, Notification))
    return [Packet(time_s, it.characteristic, it.payload) for time_s, it in packets if it.characteristic in kinds]


def noticed(items: Iterable[tuple[float, Item]]) -> list[float]:
    """When rowsync noticed that something is wrong [s]."""
    return [time_s for time_s, item in items if isinstance(item, Note) and item.event in NOTICED]


HEADINGS = ("fault", "noticed after", "lasted", "back after it", "sent", "received", "lost", "doubled")
ROW = "{:<14}{:>14}{:>9}{:>15}{:>7}{:>10}{:>6}{:>9}"


def tell(happened: Sequence[Happened], packets: Ledger, noticed_s: Sequence[float]) -> None:
    """Print the table, and hold each fault against its limits."""
    print(ROW.format(*HEADINGS))
    ends_s = [each.start_s for each in happened[1:]] + [math.inf]
    for each, end_s in zip(happened, ends_s, strict=True):
        tell_one(each, end_s, packets, noticed_s)
    print(ROW.format("in all", "", "", "", *map(len, counted(packets))))
    expect(not packets.doubled_s, f"no notification comes twice; {len(packets.doubled_s)} did")


def tell_one(happened: Happened, end_s: float, packets: Ledger, noticed_s: Sequence[float]) -> None:
    """Print one row: a fault, and what came until the next."""
    fault, start_s, gone_s = happened
    name = fault.happens.__name__.replace("_", " ")
    *during, notes_s = (within(start_s, end_s, times_s) for times_s in (*counted(packets), noticed_s))
    seen = max(0.0, min(notes_s, default=math.inf) - start_s)
    gaps = pairwise([start_s, *during[1]])
    back = max(gaps, key=lambda gap: round(gap[1] - gap[0], 1), default=(start_s, math.inf))[1] - gone_s
    seconds = (f"{value:.2f} s" for value in (seen, gone_s - start_s, back))
    print(ROW.format(name, *seconds, *map(len, during)))
    expect(seen <= fault.noticed_within_s, f"{name} is noticed within {fault.noticed_within_s} s")
    expect(back <= fault.back_within_s, f"after {name} notifications are back within {fault.back_within_s} s")
    expect(len(during[2]) <= fault.may_lose, f"{name} costs no more than {fault.may_lose} notifications")


def within(start_s: float, end_s: float, times_s: Iterable[float]) -> list[float]:
    """The times between two, as far as rowsync's clock and the machine's agree [s]."""
    return [time_s for time_s in times_s if start_s <= time_s + CLOCKS_S < end_s]


def counted(packets: Ledger) -> tuple[list[float], ...]:
    """What the table counts, as its headings say."""
    return packets.sent_s, packets.received_s, packets.lost_s, packets.doubled_s


async def happen(its: World, faults: Sequence[Fault], happened: list[Happened]) -> None:
    """Let each fault happen at its time, counted from when the machine begins to speak."""
    loop = asyncio.get_running_loop()
    await until(lambda: bool(its.sent))
    for fault in faults:
        await asyncio.sleep(its.sent.times_s[0] + fault.start_s - loop.time())
        start_s = loop.time()
        await fault.happens(its)
        happened.append(Happened(fault, start_s, loop.time()))


# --- live -------------------------------------------------------------------------------------------------------------


async def live() -> None:
    """Scan; then connect, and stay connected through what happens within seconds."""
    quick = replace(STANDARD, frames=(replace(STANDARD.frames[0], period_s=FAST_PERIOD_S),))
    happened: list[Happened] = []
    items: Stamped[Item] = Stamped()
    async with world(quick) as its:
        names = [each["name"] for each in json.loads(await rowsync("scan", "--json") or "[]")]
        expect(names == [its.machine.name], f"`rowsync scan` finds {its.machine.name}; it found {names}")
        async with connected(Radio(), await find(Radio())) as connection:
            asyncio.get_running_loop().call_later(LIVE_S, connection.stop)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(happen(its, LIVE_FAULTS, happened))
                async for item in connection:
                    items.append(item)
    sent = left(its.sent)
    timed = list(zip(items.times_s, items, strict=True))
    packets = ledger(sent, arrived(timed, sent))
    tell(happened, packets, noticed(timed))
    median_s, p99_s = statistics.median(packets.late_s), statistics.quantiles(packets.late_s, n=100)[-1]
    print(f"from the machine to rowsync: median {1e3 * median_s:.1f} ms, p99 {1e3 * p99_s:.1f} ms")
    expect(p99_s < LATE_S, f"99 of 100 notifications take less than {LATE_S} s")


async def rowsync(*arguments: str) -> str:
    """Run the command line as a person does; answer what it prints."""
    command = (sys.executable, "-P", "-m", "rowsync", *arguments)
    with (OUT / f"{arguments[0]}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=log)
        printed, _ = await process.communicate()
    expect(process.returncode == 0, f"`rowsync {arguments[0]}` ends with 0, not {process.returncode}")
    return printed.decode()


# --- session ----------------------------------------------------------------------------------------------------------


async def session() -> None:
    """Row the whole plan with `rowsync row`, and hold its recording against what the machine sent."""
    happened: list[Happened] = []
    async with world(STANDARD) as its:
        happening = asyncio.create_task(happen(its, SESSION_FAULTS, happened))
        printed = await rowsync("row", "--plan", PLAN, "--mass", "75", "--data", str(DATA), "--json")
        happening.cancel()
    expect(len(happened) == len(SESSION_FAULTS), f"the row outlasts all faults, not only {len(happened)}")
    if printed:
        summary = json.loads(printed)
        hold_against(summary, left(its.sent), happened)
        look_at(summary, its.machine.rower)


def hold_against(summary: dict[str, Any], sent: Sequence[Packet], happened: Sequence[Happened]) -> None:
    """Compare the stored recording with what left the machine; the first notification begins both."""
    items = Store(DATA).recording(summary["session_id"]).items
    first = next(item for item in items if isinstance(item, Notification) and item.payload == sent[0].payload)
    timed = [(sent[0].time_s + item.time_s - first.time_s, item) for item in items]
    packets = ledger(sent, arrived(timed, sent))
    tell(happened, packets, noticed(timed))


def look_at(summary: dict[str, Any], rower: VirtualRower) -> None:
    """See whether the session is whole, whatever was lost on the way."""
    hard = [each for each in summary["intervals"] if each["effort"] == "hard"]
    stored_m, rowed_m = summary["distance_m"], rower.state.distance_m
    print(f"{len(hard)} hard pieces; {stored_m:.0f} of {rowed_m:.0f} m; {summary['duration_s'] / 60:.1f} minutes")
    expect(len(hard) == HARD_PIECES, f"{HARD_PIECES} hard pieces are found")
    expect(abs(stored_m - rowed_m) < WHOLE_M, f"the session lacks less than {WHOLE_M:.0f} m")


if __name__ == "__main__":
    logging.getLogger("bumble").setLevel(logging.ERROR)  # it warns of what is on its way while a link goes
    bluez = subprocess.run([os.environ["BLUETOOTHD"], "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{sys.argv[1]}: Linux {platform.release()}, bluetoothd {bluez}, bleak {version('bleak')}")
    part = {"live": live, "session": session}[sys.argv[1]]
    asyncio.run(asyncio.wait_for(part(), LONGEST_S))
    print("".join(f"FAILED: it must be that {what}\n" for what in failures), end="")
    sys.exit(bool(failures))
