"""What goes wrong with Bluetooth on Linux, as a table, and random sequences of it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tests.bluez.fake import ABORTED, BUSY, CANCELED, NOT_READY, Refusal
from tests.bluez.world import World

Happening = Callable[[World], Awaitable[None]]


async def nothing(_: World) -> None:
    """Nothing happens."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        begin: how it comes.
        end: how it goes.
        connectable: whether a client that does all that can be done gets data while it lasts.
        interrupts: whether data stops when it comes.
        source: where it was met.
    """

    begin: Happening
    end: Happening = nothing
    connectable: bool = True
    interrupts: bool = True
    source: str = ""


def _refused(method: str, refusal: Refusal, source: str, *, link_goes: bool = True) -> Fault:
    """bluetoothd answers each call of a method with an error; it is called, because the link goes."""

    async def begin(world: World) -> None:
        world.bluez.refusals[method] = refusal
        if link_goes:
            await world.machine.drop()

    async def end(world: World) -> None:
        world.bluez.refusals.pop(method, None)

    return Fault(begin, end, connectable=not link_goes, interrupts=link_goes, source=source)


async def _swallow(world: World) -> None:
    world.air.swallows = True


async def _carry(world: World) -> None:
    world.air.swallows = False


async def _drop(world: World) -> None:
    await world.machine.drop()


async def _pull_adapter(world: World) -> None:
    await world.bluez.pull_out()


async def _plug_adapter(world: World) -> None:
    world.bluez.plug_in()


async def _adapter_off(world: World) -> None:
    await world.bluez.power(False)


async def _adapter_on(world: World) -> None:
    await world.bluez.power(True)


async def _kill_bluetoothd(world: World) -> None:
    await world.bluez.kill()


async def _start_bluetoothd(world: World) -> None:
    await world.bluez.start()


async def _kill_bus(world: World) -> None:
    world.bus.kill()
    await world.bluez.kill()  # bluetoothd ends without its bus


async def _start_bus(world: World) -> None:
    world.bus.start()
    await world.bluez.start()


async def _leave(world: World) -> None:
    await world.machine.leave()


async def _come_back(world: World) -> None:
    await world.machine.come_back()


async def _switch_on(world: World) -> None:
    world.console.reset()
    await world.machine.come_back()


async def _forget_subscriptions(world: World) -> None:
    world.machine.forget_subscriptions()


async def _expire(world: World) -> None:
    await world.machine.drop()
    world.bluez.forget_devices()


async def _hide_once(world: World) -> None:
    world.bluez.hides_characteristics = True
    await world.machine.drop()


async def _show(world: World) -> None:
    world.bluez.hides_characteristics = False


async def _double(world: World) -> None:
    world.bluez.foreign_subscribers = 1


async def _single(world: World) -> None:
    world.bluez.foreign_subscribers = 0


FAULTS: Mapping[str, Fault] = {
    "half-open link": Fault(_swallow, _carry, source="bleak-retry-connector #219, #228: no data, and no end either"),
    "link lost": Fault(_drop, source="every radio"),
    "adapter pulled out": Fault(_pull_adapter, _plug_adapter, connectable=False, source="a USB stick"),
    "adapter off": Fault(_adapter_off, _adapter_on, connectable=False, source="bluetoothctl power off"),
    "bluetoothd killed": Fault(_kill_bluetoothd, _start_bluetoothd, connectable=False, source="bluez #59"),
    "dbus-daemon killed": Fault(_kill_bus, _start_bus, connectable=False, source="bleak 3.1's changelog"),
    "discovery in progress": _refused("StartDiscovery", BUSY, "bleak #958, #1603, #1689"),
    "connect in progress": _refused("Connect", BUSY, "bleak-retry-connector #226"),
    "connect canceled": _refused("Connect", CANCELED, "bleak-retry-connector's table of transient errors"),
    "connect aborted": _refused("Connect", ABORTED, "bleak retries this one by itself, for ever"),
    "connect not ready": _refused("Connect", NOT_READY, "an adapter that has only just come up"),
    "machine off": Fault(_leave, _switch_on, connectable=False, source="counters begin again"),
    "out of range": Fault(_leave, _come_back, connectable=False, source="counters run on"),
    "device expired": Fault(_expire, source="bluetoothd forgets what it heard, some time after a scan"),
    "notifications stop": Fault(_forget_subscriptions, source="coxswain's KeepAlive: the link stands"),
    "no characteristics once": Fault(_hide_once, _show, source="services resolved too early"),
    "notifications doubled": Fault(_double, _single, interrupts=False, source="bleak #2002: an older client is left"),
    "write not permitted": _refused(
        "WriteValue",
        Refusal("org.bluez.Error.NotPermitted", "Write not permitted"),
        "a machine without control",
        link_goes=False,
    ),
    "write refused": _refused(
        "WriteValue",
        Refusal("org.bluez.Error.Failed", "Operation failed with ATT error: 0x80"),
        "a control point in a mood",
        link_goes=False,
    ),
}
"""All that goes wrong, by name."""

LONGEST_S = 30.0
MOST_FAULTS = 5
PAUSE_S = (0.0, 90.0)


class Happens(NamedTuple):
    """A fault in a schedule; times since somebody began to row [s]."""

    time_s: float
    fault: str
    length_s: float


def schedule(seed: int) -> list[Happens]:
    """A random sequence of faults: one to five, one after the other, each short or up to half a minute long."""
    dice = random.Random(seed)
    happenings, time_s = [], 5.0
    for _ in range(dice.randint(1, MOST_FAULTS)):
        time_s += dice.uniform(*PAUSE_S) * dice.random() ** 2  # often the next comes while the last is being mended
        length_s = dice.choice((dice.uniform(0.0, 2.0), dice.uniform(2.0, LONGEST_S)))
        happenings.append(Happens(round(time_s, 3), dice.choice(list(FAULTS)), round(length_s, 3)))
        time_s += length_s
    return happenings
