"""A whole world for one test: a machine with a rower on it, the air, an adapter, a BlueZ and its bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from bumble.controller import Controller
from bumble.core import PhysicalTransport
from bumble.device import Connection
from bumble.hci import Address

from rowsync import ftms
from rowsync.plan import Plan
from rowsync.virtual.central import Adapter, AirLink
from rowsync.virtual.console import Console, Due
from rowsync.virtual.machine import LIVE, STANDARD
from rowsync.virtual.model import Frame, MachineModel
from rowsync.virtual.peripheral import Peripheral
from rowsync.virtual.rower import RowerState, VirtualRower
from tests.bluez.bus import PrivateBus
from tests.bluez.fake import FakeBluez

NUMBER_OCTETS = 4

NUMBERED = replace(
    STANDARD,
    frames=(Frame((*LIVE, "instantaneous_power_w", "elapsed_time_s"), period_s=0.5),),
    source="no real machine: one that leaves room for a number",
)


class Air(AirLink):
    """The air; while it `swallows`, links stand and nothing arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.swallows = False

    def send_acl_data(
        self, sender_controller: Controller, destination_address: Address, transport: PhysicalTransport, data: bytes
    ) -> None:
        """Carry one ACL packet, or lose it."""
        if not self.swallows:
            super().send_acl_data(sender_controller, destination_address, transport, data)


class Told(NamedTuple):
    """A notification, as its machine made it; whether anybody listened is another matter.

    Attributes:
        time_s: by the loop's clock [s].
        life: how often the machine had been switched on anew.
        stroke_count: what it says.
    """

    time_s: float
    life: int
    stroke_count: int


class NumberedConsole(Console):
    """A monitor that numbers its notifications, in the octets after the last field.

    Attributes:
        told: what it has said, by number.
    """

    def __init__(self, model: MachineModel = NUMBERED) -> None:
        super().__init__(model)
        self.told: list[Told] = []
        self._life = 0

    def due(self, state: RowerState) -> list[Due]:
        """What is due at this moment, numbered."""
        return [self._numbered(each) for each in super().due(state)]

    def _numbered(self, due: Due) -> Due:
        number = len(self.told)
        stroke_count = ftms.decode_rower_data(due.payload).stroke_count or 0
        self.told.append(Told(asyncio.get_running_loop().time(), self._life, stroke_count))
        return due._replace(payload=due.payload + number.to_bytes(NUMBER_OCTETS, "little"))

    def reset(self) -> None:
        """Count from 0, as after switching on."""
        self._life += 1
        super().reset()


def number_of(payload: bytes) -> int:
    """Which notification of its machine this is."""
    return int.from_bytes(payload[-NUMBER_OCTETS:], "little")


class Machine(Peripheral):
    """A rowing machine to which things happen."""

    def forget_subscriptions(self) -> None:
        """Send no more, until notifications are asked for again; the link stands and reads are answered."""
        self._subscriptions.clear()

    def _on_connection(self, connection: Connection) -> None:
        assert isinstance(self._link, Air)
        self._link.swallows = False  # a new link is a new link
        super()._on_connection(connection)


@dataclass(frozen=True, slots=True)
class World:
    """What there is, and what can be done to it."""

    rower: VirtualRower
    console: NumberedConsole
    air: Air
    machine: Machine
    bus: PrivateBus
    bluez: FakeBluez


@asynccontextmanager
async def world(plan: Plan, *, seed: int = 1, model: MachineModel = NUMBERED, mtu: int = 64) -> AsyncIterator[World]:
    """A world in which somebody rows `plan`, as soon as a client has subscribed."""
    rower, console, air = VirtualRower(plan, seed=seed), NumberedConsole(model), Air()
    machine = Machine(air, rower, console, mtu=mtu)
    async with machine, Adapter(air) as adapter, PrivateBus() as bus, FakeBluez(adapter) as bluez:
        yield World(rower, console, air, machine, bus, bluez)
