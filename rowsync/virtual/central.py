"""bleak's own front ends over Bumble's virtual radio: scanner and client backends for an `Adapter`.

No operating system's Bluetooth takes part, yet HCI, L2CAP, ATT and GATT are real on both sides:

    async with Adapter(link) as adapter:
        device = await BleakScanner.find_device_by_name("Virtual Rower", backend=adapter.scanner_backend)
        async with BleakClient(device, backend=adapter.client_backend) as client: ...

bleak documents `backend=` for third-party backends (3.1); nothing is patched.  The traps of Bumble 0.0.236 that this
module works round are told where it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import struct
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar

from bleak import BleakScanner
from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_str
from bumble import core, hci, ll
from bumble.att import ATT_DEFAULT_MTU, ATT_Error
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.gatt_client import CharacteristicProxy, ServiceProxy
from bumble.link import LocalLink

CENTRAL_ADDRESS = "C0:FF:EE:00:00:01"
"""Static random addresses begin with two set bits (Core Specification, link layer)."""

WANTED_MTU = 517

_T = TypeVar("_T")


class AirLink(LocalLink):
    """Bumble's link between controllers, with data routed by the address that a connection was made with.

    `LocalLink.send_acl_data` (Bumble 0.0.236) takes the sender's address of the moment; one that changes it, as Linux
    does for each active scan, silently loses its connections.  Scan responses it doesn't carry at all; this link does.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Bumble's constructor has no annotations

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Carry an advertisement, and its scan response as a second one: Bumble repeats the first in its place."""
        super().send_advertising_pdu(sender_controller, packet)
        if isinstance(packet, ll.AdvExtInd):
            sets = (each for each in sender_controller.advertising_sets.values() if each.enabled)
            response = next((bytes(each.scan_response_data) for each in sets), b"")
            if response:
                super().send_advertising_pdu(sender_controller, dataclasses.replace(packet, data=response))

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Carry one ACL packet to the controller at the other end of the connection."""
        connection = sender_controller.le_connections.get(destination_address)
        destination = self.find_le_controller(destination_address)
        if connection is None or destination is None:
            return
        loop = asyncio.get_running_loop()
        loop.call_soon(destination.on_link_acl_data, connection.self_address, transport, data)


class Adapter:
    """One central on the virtual radio, shared by all its scanners and clients.

    Attributes:
        scanner_backend: for `BleakScanner(backend=...)`, bound to this adapter.
        client_backend: for `BleakClient(..., backend=...)`, bound to this adapter.
    """

    def __init__(self, link: LocalLink, address: str = CENTRAL_ADDRESS) -> None:
        controller = Controller("central", link=link)
        self._link = link
        self._controller = controller
        self.device = Device.with_hci("central", hci.Address(address), controller, controller)
        self.connecting = asyncio.Lock()
        """A controller has one pending LE connection at a time."""
        self._scanners: set[BumbleScanner] = set()
        self._scanning = asyncio.Lock()
        self.scanner_backend = type("BumbleScanner", (BumbleScanner,), {"adapter": self})
        self.client_backend = type("BumbleClient", (BumbleClient,), {"adapter": self})

    async def __aenter__(self) -> Adapter:
        await self.device.power_on()
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in list(self.device.connections.values()):
            await hang_up(connection)
        if self.device.is_scanning:
            await self.device.stop_scanning()
        await self.device.power_off()
        self._link.remove_controller(self._controller)

    async def start_scanning(self, scanner: BumbleScanner, *, active: bool) -> None:
        """Let `scanner` hear advertisements; the first one switches the receiver on."""
        async with self._scanning:
            self._scanners.add(scanner)
            if not self.device.is_scanning:
                await self.device.start_scanning(active=active, filter_duplicates=False)

    async def stop_scanning(self, scanner: BumbleScanner) -> None:
        """Let `scanner` go; the last one switches the receiver off."""
        async with self._scanning:
            self._scanners.discard(scanner)
            if not self._scanners and self.device.is_scanning:
                await self.device.stop_scanning()

    def forget_connecting(self) -> None:
        """Stop waiting for a machine; Bumble's controller goes on and later connects it to nobody."""
        self._controller.pending_le_connection = None


async def hang_up(connection: Connection) -> None:
    """End a connection, or find it ended already.

    A link that goes while Bumble waits makes it raise: its errors are no news here.  It also uses CancelledError for
    that, which must not swallow a real cancellation of this task.
    """
    try:
        await connection.disconnect()
    except core.BaseBumbleError:
        pass
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise


# --- scanning ---------------------------------------------------------------------------------------------------------


@dataclass
class _Heard:
    """What one device has said of itself so far, over all its advertisements and scan responses."""

    name: str | None = None
    tx_power: int | None = None
    manufacturer_data: dict[int, bytes] = field(default_factory=dict)
    service_data: dict[str, bytes] = field(default_factory=dict)
    service_uuids: list[str] = field(default_factory=list)

    def add(self, kind: AdvertisingData.Type, value: Any) -> None:
        """Take in one entry of an advertisement."""
        if kind in _NAMES:
            self.name = value
        elif kind in _SERVICE_DATA:
            self.service_data[uuid_text(value[0])] = bytes(value[1])
        elif kind in _SERVICE_UUIDS:
            self.service_uuids += [uuid for uuid in map(uuid_text, value) if uuid not in self.service_uuids]
        elif kind == AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA:
            self.manufacturer_data[value[0]] = bytes(value[1])
        elif kind == AdvertisingData.Type.TX_POWER_LEVEL:
            self.tx_power = value

    def as_bleak(self, advertisement: Advertisement) -> AdvertisementData:
        """The same in bleak's words."""
        return AdvertisementData(
            local_name=self.name,
            manufacturer_data=dict(self.manufacturer_data),
            service_data=dict(self.service_data),
            service_uuids=list(self.service_uuids),
            tx_power=self.tx_power,
            rssi=advertisement.rssi,
            platform_data=(advertisement,),
        )


_Kind = AdvertisingData.Type
_NAMES = {_Kind.COMPLETE_LOCAL_NAME, _Kind.SHORTENED_LOCAL_NAME}
_SERVICE_DATA = {_Kind.SERVICE_DATA_16_BIT_UUID, _Kind.SERVICE_DATA_32_BIT_UUID, _Kind.SERVICE_DATA_128_BIT_UUID}
_SERVICE_UUIDS = {
    _Kind.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    _Kind.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    _Kind.INCOMPLETE_LIST_OF_32_BIT_SERVICE_CLASS_UUIDS,
    _Kind.COMPLETE_LIST_OF_32_BIT_SERVICE_CLASS_UUIDS,
    _Kind.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    _Kind.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
}


class BumbleScanner(BaseBleakScanner):
    """bleak's scanner backend; made by `Adapter.scanner_backend`."""

    adapter: ClassVar[Adapter]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"] = "active",
        **_: object,
    ) -> None:
        wanted = [normalize_uuid_str(uuid) for uuid in service_uuids] if service_uuids else None
        super().__init__(detection_callback, wanted)
        self._active = scanning_mode == "active"
        self._heard: dict[str, _Heard] = {}

    async def start(self) -> None:
        """Begin to listen."""
        self.seen_devices.clear()
        self._heard.clear()
        self.adapter.device.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
        await self.adapter.start_scanning(self, active=self._active)

    async def stop(self) -> None:
        """Listen no more."""
        self.adapter.device.remove_listener(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
        await self.adapter.stop_scanning(self)

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        address = advertisement.address.to_string(with_type_qualifier=False)
        heard = self._heard.setdefault(address, _Heard())
        for kind, value in _entries(advertisement.data):
            heard.add(kind, value)
        as_bleak = heard.as_bleak(advertisement)
        if self.is_allowed_uuid(as_bleak.service_uuids):
            device = self.create_or_update_device(address, address, heard.name, advertisement.address, as_bleak)
            self.call_detection_callbacks(device, as_bleak)


def _entries(data: AdvertisingData) -> Iterator[tuple[AdvertisingData.Type, Any]]:
    """What an advertisement says; names that aren't UTF-8 are mended, and other entries that can't be read left out."""
    for number, octets in data.ad_structures:
        kind = AdvertisingData.Type(number)
        try:
            yield kind, octets.decode(errors="replace") if kind in _NAMES else _understood(kind, octets)
        except (ValueError, IndexError, struct.error, core.BaseBumbleError):
            continue


def _understood(kind: AdvertisingData.Type, octets: bytes) -> Any:
    return AdvertisingData.ad_data_to_object(kind, octets)


def uuid_text(uuid: UUID) -> str:
    """A Bumble UUID as bleak writes them: 128 bits, lower case."""
    return normalize_uuid_str(uuid.to_hex_str("-" if len(uuid.uuid_bytes) == 16 else ""))


# --- a connection -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Link:
    """One connection; `lost` is done as soon as it is gone."""

    connection: Connection
    peer: Peer
    lost: asyncio.Future[int]


class BumbleClient(BaseBleakClient):
    """bleak's client backend; made by `Adapter.client_backend`."""

    adapter: ClassVar[Adapter]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        services: set[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout, **kwargs)
        self._device = address_or_ble_device if isinstance(address_or_ble_device, BLEDevice) else None
        self._wanted_services = services
        self._link: _Link | None = None

    @property
    def name(self) -> str:
        """As advertised, or the address."""
        return (self._device and self._device.name) or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """The agreed size of an ATT packet, header included [octets]."""
        return self._link.connection.att_mtu if self._link else ATT_DEFAULT_MTU

    @property
    def is_connected(self) -> bool:
        """Whether the link stands."""
        return self._link is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect, agree on an MTU and discover what there is.

        Raises:
            BleakDeviceNotFoundError: nobody answers at that address.
            BleakError: connected already, or the link broke on the way.
            TimeoutError: it took longer than `timeout`.
        """
        if self._link:
            raise BleakError("Client is already connected")
        timeout_s = kwargs.get("timeout", self._timeout)
        async with asyncio.timeout(timeout_s):
            self._link = await self._connected(timeout_s)
            try:
                await self._introduce(self._link.peer, pair)
            except BaseException:
                await self.disconnect()
                raise

    async def _connected(self, timeout_s: float) -> _Link:
        address = self._device.details if self._device else await self._resolved(timeout_s)
        async with self.adapter.connecting:
            try:
                connection = await self.adapter.device.connect(address, core.PhysicalTransport.LE, timeout=timeout_s)
            except (core.TimeoutError, core.ConnectionError) as error:
                raise BleakDeviceNotFoundError(self.address, f"connect failed: {error}") from error
            finally:
                self.adapter.forget_connecting()
        link = _Link(connection, Peer(connection), asyncio.get_running_loop().create_future())
        connection.on(Connection.EVENT_DISCONNECTION, functools.partial(self._on_disconnection, link))
        if connection.handle not in self.adapter.device.connections:
            raise BleakError("disconnected")  # gone again before anybody could listen
        return link

    async def _resolved(self, timeout_s: float) -> hci.Address:
        backend = self.adapter.scanner_backend
        device = await BleakScanner.find_device_by_address(self.address, timeout_s, backend=backend)
        if device is None:
            raise BleakDeviceNotFoundError(self.address, f"{self.address} was not found")
        address: hci.Address = device.details
        return address

    async def _introduce(self, peer: Peer, pair: bool) -> None:
        if pair:
            await self.pair()
        await self._do(peer.request_mtu(WANTED_MTU))
        self.services = await self._do(self._discovered(peer))

    async def _discovered(self, peer: Peer) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        for service in await peer.discover_services():
            uuid = uuid_text(service.uuid)
            if self._wanted_services is None or uuid in self._wanted_services:
                bleak_service = BleakGATTService(service, service.handle, uuid)
                found.add_service(bleak_service)
                await self._discover_characteristics(service, bleak_service, found)
        return found

    async def _discover_characteristics(
        self, service: ServiceProxy, bleak_service: BleakGATTService, found: BleakGATTServiceCollection
    ) -> None:
        for characteristic in await service.discover_characteristics():
            bleak_characteristic = BleakGATTCharacteristic(
                characteristic,
                characteristic.handle,
                uuid_text(characteristic.uuid),
                list(gatt_char_props_to_strs(characteristic.properties)),
                lambda: self.mtu_size - 3,
                bleak_service,
            )
            found.add_characteristic(bleak_characteristic)
            for descriptor in await characteristic.discover_descriptors():
                uuid = uuid_text(descriptor.type)
                found.add_descriptor(BleakGATTDescriptor(descriptor, descriptor.handle, uuid, bleak_characteristic))

    def _on_disconnection(self, link: _Link, reason: int) -> None:
        link.lost.set_result(reason)
        if self._link is not link:
            return
        self._link = self.services = None
        if self._disconnected_callback:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        """End the connection if there is one."""
        if self._link:
            await hang_up(self._link.connection)

    async def _do(self, procedure: Coroutine[Any, Any, _T]) -> _T:
        """Run one GATT procedure; a lost link ends it at once.

        Bumble alone waits 30 s for an answer if a request starts just after the link has gone: it cancels only the
        request that is pending at that moment.
        """
        link = self._link
        if link is None:
            procedure.close()
            raise BleakError("Not connected")
        task = asyncio.ensure_future(procedure)
        try:
            either: set[asyncio.Future[Any]] = {task, link.lost}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() or task.cancelled():
                raise BleakError("disconnected")
            with _in_bleaks_words():
                return task.result()
        finally:
            task.cancel()

    async def pair(self, *_: object, **__: object) -> None:
        """Pair by Bumble's defaults: no display, no keys.  Once is enough: Bumble never ends a second pairing."""
        if self._link is None:
            raise BleakError("Not connected")
        if not self._link.connection.is_encrypted:
            await self._do(self._link.connection.pair())

    async def unpair(self) -> None:
        """Forget the keys."""
        keystore = self.adapter.device.keystore
        if keystore is not None:
            await keystore.delete(str(self._device.details if self._device else self.address))

    async def read_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        *,
        use_cached: bool = False,
        **_: object,
    ) -> bytearray:
        """Read a characteristic's value."""
        return bytearray(await self._do(_proxy(characteristic).read_value()))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: object
    ) -> bytearray:
        """Read a descriptor's value."""
        return bytearray(await self._do(descriptor.obj.read_value()))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """Write a characteristic's value."""
        await self._do(_proxy(characteristic).write_value(bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor's value."""
        await self._do(descriptor.obj.write_value(bytes(data), with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: object
    ) -> None:
        """Ask for notifications, or for indications where there are only those."""
        await self._do(_proxy(characteristic).subscribe(lambda value: callback(bytearray(value))))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Ask for no more."""
        await self._do(_proxy(characteristic).unsubscribe())


def _proxy(characteristic: BleakGATTCharacteristic) -> CharacteristicProxy[bytes]:
    proxy: CharacteristicProxy[bytes] = characteristic.obj
    return proxy


@contextlib.contextmanager
def _in_bleaks_words() -> Iterator[None]:
    """Bumble's errors as bleak's."""
    try:
        yield
    except ATT_Error as error:
        raise BleakGATTProtocolError(error.error_code) from error
    except core.TimeoutError as error:
        raise TimeoutError(str(error)) from error
    except core.BaseBumbleError as error:
        raise BleakError(str(error)) from error
