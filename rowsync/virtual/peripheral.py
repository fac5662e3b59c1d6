"""The virtual rower's Bluetooth side: an FTMS peripheral on Bumble's virtual radio.

It advertises, answers GATT requests, and sends what a `Console` says of a `VirtualRower`, by the event loop's clock.
The person sits down when a client first subscribes to Rower Data, and rows on whether or not anybody still listens.
"""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Callable, Coroutine, Mapping
from enum import IntEnum

from bumble import data_types
from bumble.att import ATT_Error, Attribute
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.link import LocalLink

from rowsync import ftms
from rowsync.errors import UsageError
from rowsync.virtual.central import hang_up
from rowsync.virtual.machine import Console
from rowsync.virtual.rower import RowerState, VirtualRower

PERIPHERAL_ADDRESS = "F0:0D:00:00:00:01"
ADVERTISING_INTERVAL_MS = 100.0
SMALLEST_MTU = 23
"""20 octets for a notification: what every machine must do with (the Core Specification's ATT_MTU for LE)."""

ADVERTISEMENT_OCTETS = 31
"""A legacy advertisement's payload (Core Specification, link layer); Bumble doesn't check it."""

AVAILABLE_ROWER = struct.pack("<BH", 1, 1 << 4)
"""FTMS service data: available; machine types: rower (FTMS v1.0, 3.1)."""

CCCD_IMPROPERLY_CONFIGURED = 0xFD
"""ATT error (Core Specification Supplement, Part B)."""


class OpCode(IntEnum):
    """Control Point procedures (FTMS v1.0, 4.16)."""

    REQUEST_CONTROL = 0x00
    RESET = 0x01
    START = 0x07
    STOP = 0x08
    RESPONSE = 0x80


class Result(IntEnum):
    """Control Point results (FTMS v1.0, 4.16)."""

    SUCCESS = 1
    NOT_SUPPORTED = 2
    NOT_PERMITTED = 5


STATUS_AFTER: Mapping[int, bytes] = {
    OpCode.REQUEST_CONTROL: b"",
    OpCode.RESET: b"\x01",
    OpCode.START: b"\x04",
    OpCode.STOP: b"\x02",
}
"""The procedures there are, and the Machine Status (0x2ADA) that tells of each; a stop's own parameter follows."""


class TrainingStatus(IntEnum):
    """Training Status (0x2AD3); like every rower known, it doesn't tell hard from easy (FTMS v1.0, 4.10)."""

    IDLE = 0x01
    QUICK_START = 0x0D
    POST_WORKOUT = 0x0F


class Peripheral:
    """A rowing machine in the air; `async with` switches it on and off.

    Args:
        link: the air.
        rower: who rows.
        console: the machine's monitor.
        name: what it advertises; 15 octets at most.
        mtu: the largest ATT packet it agrees to [octets].
        address: its static random address.

    Attributes:
        started_s: the loop's time when the rower's clock was at 0; None before anybody has subscribed [s].
        connected: set while a client is connected.
        finished: set when the programme is over.
        sent: every Rower Data payload that went out to a subscriber, in order.
        commands: every Control Point request, in order.

    Raises:
        UsageError: the name is too long for an advertisement.
    """

    def __init__(
        self,
        link: LocalLink,
        rower: VirtualRower,
        console: Console,
        *,
        name: str = "Virtual Rower",
        mtu: int = SMALLEST_MTU,
        address: str = PERIPHERAL_ADDRESS,
    ) -> None:
        self.rower = rower
        self.console = console
        self.name = name
        self.address = address
        self.started_s: float | None = None
        self.connected = asyncio.Event()
        self.finished = asyncio.Event()
        self.sent: list[bytes] = []
        self.commands: list[bytes] = []
        self._link = link
        self._controller = Controller(name, link=link)
        self._gatt = _Gatt(console, self._on_command)
        self._device = self._make_device(mtu)
        self._subscribed = asyncio.Event()
        self._subscribers: list[Connection] = []
        self._controlled_by: Connection | None = None
        self._on_air = False
        self._rowing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def _make_device(self, mtu: int) -> Device:
        configuration = DeviceConfiguration(
            name=self.name,
            address=Address(self.address),
            advertising_interval_min=ADVERTISING_INTERVAL_MS,
            advertising_interval_max=ADVERTISING_INTERVAL_MS,
            advertising_data=advertisement(self.name),
        )
        device = Device.from_config_with_hci(configuration, self._controller, self._controller)
        device.gatt_server.max_mtu = mtu
        device.add_services([self._gatt.service])
        device.on(Device.EVENT_CONNECTION, self._on_connection)
        self._gatt.rower_data.on(Characteristic.EVENT_SUBSCRIPTION, self._on_subscription)
        return device

    async def __aenter__(self) -> Peripheral:
        await self._device.power_on()
        await self._device.start_advertising()
        self._on_air = True
        self._rowing = self._spawn(self._row())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Switch off: without this, Bumble's leftovers are destroyed while pending, and say so."""
        self._on_air = False
        await self.drop()
        if self._rowing is not None:
            self._rowing.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._device.stop_advertising()
        await self._device.power_off()
        self._link.remove_controller(self._controller)

    async def drop(self) -> None:
        """Yank the link, as a machine does that falls asleep or goes out of range; it advertises again at once."""
        self._subscribers.clear()  # Bumble complains of what is sent while the link goes
        for connection in list(self._device.connections.values()):
            await hang_up(connection)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- connections ------------------------------------------------------------------------------------------------

    def _on_connection(self, connection: Connection) -> None:
        self.connected.set()
        connection.on(Connection.EVENT_DISCONNECTION, lambda _reason: self._on_disconnection(connection))

    def _on_disconnection(self, connection: Connection) -> None:
        self.connected.clear()
        self._on_subscription(connection, False, False)
        if self._controlled_by is connection:
            self._controlled_by = None
        if self._on_air:
            self._spawn(self._device.start_advertising())

    def _on_subscription(self, connection: Connection, notify: bool, _indicate: bool) -> None:
        if connection in self._subscribers:
            self._subscribers.remove(connection)
        if notify:
            self._subscribers.append(connection)
            self._subscribed.set()

    # --- rowing -----------------------------------------------------------------------------------------------------

    async def _row(self) -> None:
        await self._subscribed.wait()
        loop = asyncio.get_running_loop()
        self.started_s = loop.time()
        while True:
            state = self.rower.advance(loop.time() - self.started_s)
            for payload in self.console.feed(state):
                await self._notify(payload)
            await self._tell_training_status(state)
            await asyncio.sleep(self.started_s + self._next_due_s - loop.time())

    @property
    def _next_due_s(self) -> float:
        follows = self.console.follows_strokes
        return min(self.console.next_due_s, self.rower.next_change_s if follows else math.inf)

    async def _notify(self, payload: bytes) -> None:
        for connection in list(self._subscribers):
            self.sent.append(payload)
            await self._device.gatt_server.notify_subscriber(connection, self._gatt.rower_data, payload)

    async def _tell_training_status(self, state: RowerState) -> None:
        if state.done:
            self.finished.set()
        value = bytes([0, _training_status(state)])
        if value != self._gatt.training_status.value:
            self._gatt.training_status.value = value
            await self._device.notify_subscribers(self._gatt.training_status, value)

    # --- control ----------------------------------------------------------------------------------------------------

    def _on_command(self, connection: Connection, request: bytes) -> None:
        """Take a Control Point request; the answer follows as an indication (FTMS v1.0, 4.16)."""
        self.commands.append(bytes(request))
        cccd = self._device.gatt_server.read_cccd(connection, self._gatt.control_point)
        if not cccd[0] & 0x02:
            raise ATT_Error(CCCD_IMPROPERLY_CONFIGURED)
        result = self._result_of(connection, request)
        answer = self._spawn(self._answer(connection, request, result))
        connection.once(Connection.EVENT_DISCONNECTION, lambda _reason: answer.cancel())

    def _result_of(self, connection: Connection, request: bytes) -> Result:
        if request[:1] not in {bytes([code]) for code in STATUS_AFTER}:
            return Result.NOT_SUPPORTED
        if request[0] == OpCode.REQUEST_CONTROL and self._controlled_by is None:
            self._controlled_by = connection
        return Result.SUCCESS if self._controlled_by is connection else Result.NOT_PERMITTED

    async def _answer(self, connection: Connection, request: bytes, result: Result) -> None:
        response = bytes([OpCode.RESPONSE, *request[:1], result])
        await self._device.gatt_server.indicate_subscriber(connection, self._gatt.control_point, response)
        if result is Result.SUCCESS and STATUS_AFTER[request[0]]:
            await self._device.notify_subscribers(self._gatt.machine_status, STATUS_AFTER[request[0]] + request[1:])


def _training_status(state: RowerState) -> TrainingStatus:
    if state.done:
        return TrainingStatus.POST_WORKOUT
    return TrainingStatus.IDLE if state.effort is None else TrainingStatus.QUICK_START


class _Gatt:
    """The Fitness Machine service of one machine; a client finds what the machine's row says there is."""

    def __init__(self, console: Console, on_command: Callable[[Connection, bytes], None]) -> None:
        kinds, readable = Characteristic.Properties, Attribute.READABLE
        self.rower_data = Characteristic(_uuid(ftms.ROWER_DATA), kinds.NOTIFY, readable, b"")
        self.machine_status = Characteristic(_uuid(ftms.MACHINE_STATUS), kinds.NOTIFY, readable, b"")
        self.training_status = Characteristic(
            _uuid(ftms.TRAINING_STATUS), kinds.READ | kinds.NOTIFY, readable, bytes([0, TrainingStatus.IDLE])
        )
        self.control_point: Characteristic[bytes] = Characteristic(
            _uuid(ftms.CONTROL_POINT),
            kinds.WRITE | kinds.INDICATE,
            Attribute.WRITEABLE,
            CharacteristicValue(write=on_command),
        )
        words = struct.pack("<II", console.model.features or 0, 0)
        feature = Characteristic(_uuid(ftms.FITNESS_MACHINE_FEATURE), kinds.READ, readable, words)
        there_is = {
            feature: console.model.features is not None,
            self.rower_data: True,
            self.training_status: console.model.control_point,
            self.control_point: console.model.control_point,
            self.machine_status: console.model.control_point,
        }
        self.service = Service(_uuid(ftms.FITNESS_MACHINE), [one for one, is_there in there_is.items() if is_there])


def _uuid(short: str) -> UUID:
    return UUID.from_16_bits(int(short, 16))


def advertisement(name: str) -> bytes:
    """The 31 octets at most that say: a rowing machine of this name is available.

    Raises:
        UsageError: the name is too long.
    """
    flags = AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE | AdvertisingData.Flags.BR_EDR_NOT_SUPPORTED
    service = _uuid(ftms.FITNESS_MACHINE)
    payload = bytes(
        AdvertisingData(
            [
                data_types.Flags(flags),
                data_types.IncompleteListOf16BitServiceUUIDs([service]),
                data_types.ServiceData16BitUUID(service, AVAILABLE_ROWER),
                data_types.CompleteLocalName(name),
            ]
        )
    )
    if len(payload) > ADVERTISEMENT_OCTETS:
        raise UsageError(f"The name {name!r} is too long to advertise: 15 octets are the most.")
    return payload
