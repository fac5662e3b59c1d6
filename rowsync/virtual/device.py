"""A thing with a radio in the virtual air: it advertises, takes a client, notifies, leaves and comes back.

What it is, a rowing machine or a heart-rate strap, is said by those who build on `AirDevice`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence

from bumble.att import ATT_CID, Attribute
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import Characteristic, Service
from bumble.gatt_server import Server
from bumble.hci import Address
from bumble.link import LocalLink

from rowsync import concept2, ftms
from rowsync.errors import UsageError
from rowsync.virtual.central import hang_up
from rowsync.virtual.model import Absence, Advert, GattCharacteristic, GattService

ADVERTISING_INTERVAL_MS = 100.0
SMALLEST_MTU = 23
"""20 octets for a notification: what every machine must do with (the Core Specification's ATT_MTU for LE)."""

LEGACY_OCTETS = 31
"""The payload of a legacy advertisement, and of its scan response (Core Specification); Bumble doesn't check it."""

EXTENDED_OCTETS = 251
"""The payload of an extended advertisement in one piece, which is how Bumble sets it."""


class AirDevice:
    """A thing with a radio; `async with` switches it on and off.

    Args:
        link: the air.
        name: what it advertises, and its GAP device name; what isn't UTF-8 is written with surrogate escapes.
        address: its static random address.
        advert: what else it says of itself.
        services: what is found on it.
        mtu: the largest ATT packet it agrees to [octets].

    Attributes:
        name: the same.
        address: the same.
        connected: set while a client is connected.
        deaf: it sends nothing and answers nothing, though a link stands.

    Raises:
        UsageError: the name is too long for any advertisement.
    """

    def __init__(
        self,
        link: LocalLink,
        *,
        name: str,
        address: str,
        advert: Advert,
        services: Sequence[GattService],
        mtu: int = SMALLEST_MTU,
    ) -> None:
        self.name = name
        self.address = address
        self.connected = asyncio.Event()
        self.deaf = False
        self._link = link
        self._controller = Controller(name, link=link)
        self._on_air = False
        self._tuning = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: dict[tuple[Connection, str], float] = {}
        self._characteristics = {each.uuid: _characteristic(each) for row in services for each in row.characteristics}
        self._device = self._make_device(advert, mtu)
        self._device.add_services(self._gatt_services(services))

    def _make_device(self, advert: Advert, mtu: int) -> Device:
        advertised, response = advertisement(self.name, advert)
        configuration = DeviceConfiguration(
            name=self.name.encode(errors="replace").decode(),
            address=Address(self.address),
            advertising_interval_min=ADVERTISING_INTERVAL_MS,
            advertising_interval_max=ADVERTISING_INTERVAL_MS,
            advertising_data=advertised,
            scan_response_data=response,
        )
        device = Device.from_config_with_hci(configuration, self._controller, self._controller)
        device.gatt_server.max_mtu = mtu
        device.gatt_server.on(Server.EVENT_CHARACTERISTIC_SUBSCRIPTION, self._on_cccd)
        device.l2cap_channel_manager.register_fixed_channel(ATT_CID, self._on_att)
        device.on(Device.EVENT_CONNECTION, self._on_connection)
        return device

    def _gatt_services(self, services: Sequence[GattService]) -> Iterable[Service]:
        for uuid, characteristic in self._characteristics.items():
            characteristic.on(Characteristic.EVENT_WRITE, self._writer(uuid))
        for row in services:
            yield Service(uuid_of(row.uuid), [self._characteristics[each.uuid] for each in row.characteristics])

    def _writer(self, uuid: str) -> Callable[[Connection, bytes], None]:
        return lambda connection, value: self.on_write(connection, uuid, bytes(value))

    async def __aenter__(self) -> AirDevice:
        await self._device.power_on()
        await self.come_back()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Switch off: without this, Bumble's leftovers are destroyed while pending, and say so."""
        await self.leave()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._device.power_off()
        self._link.remove_controller(self._controller)

    # --- in the air and out of it -----------------------------------------------------------------------------------

    async def drop(self) -> None:
        """Yank the link, as a machine does that falls asleep or goes out of range; it advertises again at once."""
        self._subscriptions.clear()  # Bumble complains of what is sent while the link goes
        for connection in list(self._device.connections.values()):
            await hang_up(connection)

    async def leave(self) -> None:
        """Yank the link and advertise no more."""
        self._on_air = False
        await self.drop()
        await self._tune()

    async def come_back(self) -> None:
        """Advertise again."""
        self._on_air = True
        await self._tune()

    async def _tune(self) -> None:
        """Advertise if that's due: nobody is connected, and it is switched on."""
        async with self._tuning:
            if self._on_air and not self._device.connections:
                await self._device.start_advertising()
            else:
                await self._device.stop_advertising()

    async def be_absent(
        self, absences: Sequence[Absence], since_s: float, on_return: Callable[[Absence], None]
    ) -> None:
        """Go through `absences`, counted from the loop's time `since_s` [s]."""
        for absence in absences:
            await asyncio.sleep(since_s + absence.at_s - asyncio.get_running_loop().time())
            if absence.link_stands:
                self.deaf = True
            else:
                await self.leave()
            await asyncio.sleep(absence.for_s)
            on_return(absence)
            self.deaf = False
            await self.come_back()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- connections ------------------------------------------------------------------------------------------------

    def _on_connection(self, connection: Connection) -> None:
        self.connected.set()
        connection.on(Connection.EVENT_DISCONNECTION, lambda _reason: self._on_disconnection(connection))
        if not self._on_air:
            self._spawn(hang_up(connection))  # it came while this was leaving

    def _on_disconnection(self, connection: Connection) -> None:
        self.connected.clear()
        self._subscriptions = {each: at_s for each, at_s in self._subscriptions.items() if each[0] is not connection}
        self.on_disconnection(connection)
        if self._on_air:
            self._spawn(self._tune())

    def _on_att(self, connection_handle: int, pdu: bytes) -> None:
        if not self.deaf:
            self._device.on_gatt_pdu(connection_handle, pdu)

    def _on_cccd(
        self, connection: Connection, characteristic: Characteristic[bytes], notify: bool, indicate: bool
    ) -> None:
        uuid = next((uuid for uuid, each in self._characteristics.items() if each is characteristic), "")
        if notify or indicate:
            self._subscriptions[connection, uuid] = asyncio.get_running_loop().time()
            self.on_subscription(connection, uuid)
        else:
            self._subscriptions.pop((connection, uuid), None)

    # --- for those who build on it ----------------------------------------------------------------------------------

    def on_subscription(self, connection: Connection, uuid: str) -> None:
        """A client asks for notifications or indications."""

    def on_disconnection(self, connection: Connection) -> None:
        """A client has gone."""

    def on_write(self, connection: Connection, uuid: str, value: bytes) -> None:
        """A client has written to a characteristic; an ATT_Error raised here is what it gets for that."""

    def subscribers(self, uuid: str) -> list[Connection]:
        """Who has asked for this characteristic and can hear it."""
        return [] if self.deaf else [connection for connection, wanted in self._subscriptions if wanted == uuid]

    async def notify(self, connection: Connection, uuid: str, value: bytes) -> None:
        """Send one notification; more than the MTU holds is cut off."""
        await self._device.gatt_server.notify_subscriber(connection, self._characteristics[uuid], value)

    async def indicate(self, connection: Connection, uuid: str, value: bytes) -> None:
        """Send one indication, and wait until the client has confirmed it."""
        await self._device.gatt_server.indicate_subscriber(connection, self._characteristics[uuid], value)


# --- what it is made of -----------------------------------------------------------------------------------------------


def _characteristic(row: GattCharacteristic) -> Characteristic[bytes]:
    properties = Characteristic.Properties.from_string(row.can)
    write_only = properties & Characteristic.Properties.WRITE and not properties & Characteristic.Properties.READ
    permissions = Attribute.Permissions(0) if write_only else Attribute.READABLE
    if properties & Characteristic.Properties.WRITE:
        permissions |= Attribute.WRITEABLE
    return Characteristic(uuid_of(row.uuid), properties, permissions, row.value)


def uuid_of(text: str) -> UUID:
    """A UUID as the specification writes it (four hex digits), by the first eight of Concept2's, or in full."""
    return UUID.from_16_bits(int(text, 16)) if len(text) == 4 else UUID(text + concept2.BASE * (len(text) == 8))


# --- what it advertises -----------------------------------------------------------------------------------------------

_Entry = tuple[int, bytes]


def advertisement(name: str, advert: Advert) -> tuple[bytes, bytes]:
    """An advertisement and its scan response, which holds what doesn't fit into the former; or an extended one alone.

    Raises:
        UsageError: the name is too long for all of them.
    """
    entries = _entries(name, advert)
    first: list[_Entry] = []
    rest: list[_Entry] = []
    for entry in entries:
        (first if _octets([*first, entry]) <= LEGACY_OCTETS else rest).append(entry)
    if _octets(rest) <= LEGACY_OCTETS:
        return bytes(AdvertisingData(first)), bytes(AdvertisingData(rest))
    if _octets(entries) > EXTENDED_OCTETS:
        raise UsageError(f"The name {name!r} is too long to advertise: {EXTENDED_OCTETS} octets are the most for all.")
    return bytes(AdvertisingData(entries)), b""


def _entries(name: str, advert: Advert) -> tuple[_Entry, ...]:
    """The parts of an advertisement, the more important first; a maker's own UUID comes last, as a PM5's does."""
    kinds = AdvertisingData.Type
    flags = AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE | AdvertisingData.Flags.BR_EDR_NOT_SUPPORTED
    all_entries = (
        (kinds.FLAGS, bytes([flags])),
        (kinds.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, _uuids(advert, octets=2)),
        (kinds.SERVICE_DATA_16_BIT_UUID, bytes(uuid_of(ftms.FITNESS_MACHINE)) + advert.data if advert.data else b""),
        (kinds.COMPLETE_LOCAL_NAME, name.encode("utf-8", "surrogateescape")),
        (kinds.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, _uuids(advert, octets=16)),
    )
    return tuple((kind, value) for kind, value in all_entries if value)


def _uuids(advert: Advert, octets: int) -> bytes:
    return b"".join(uuid for uuid in map(bytes, map(uuid_of, advert.services)) if len(uuid) == octets)


def _octets(entries: Sequence[_Entry]) -> int:
    return sum(2 + len(value) for _, value in entries)
