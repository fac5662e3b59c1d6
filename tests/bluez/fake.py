"""bluetoothd, played: the objects and answers of `org.bluez` on a private bus, over the virtual radio's real Bluetooth.

It may only claim what the real one (BlueZ 5.66 over Linux 6.1, in a virtual machine, with bleak 3.1) was seen to do:
  * StartNotify belongs to the D-Bus client that asked and outlives the link: while two such clients live, each
    notification is signalled twice;
  * services leave the bus with the link, and the Generic Access service (0x1800) never shows;
  * Disconnect takes two seconds, in which notifications still arrive;
  * a bluetoothd or an adapter that goes says nothing of its devices' links;
  * a read that the machine doesn't answer fails after 30 s with ATT error 0x0e.
What it refuses on demand (`FakeBluez.refusals`) is what users of the real one have met.  Three things are told by
others and were not seen: an adapter that is switched off, services that resolve without characteristics, a device that
expires between a scan and a connection.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble.device import Device
from dbus_fast import BusType, Message, MessageFlag, MessageType, Variant
from dbus_fast.aio import MessageBus

from rowsync.virtual.central import Adapter, hang_up

BLUEZ = "org.bluez"
ADAPTER, DEVICE = f"{BLUEZ}.Adapter1", f"{BLUEZ}.Device1"
SERVICE, CHARACTERISTIC, DESCRIPTOR = (f"{BLUEZ}.Gatt{kind}1" for kind in ("Service", "Characteristic", "Descriptor"))
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"
HCI = f"/{BLUEZ.replace('.', '/')}/hci0"

DISCONNECT_S = 2.0
"""From Disconnect to the link's end; measured 2.0-2.6 [s]."""

CONNECT_S = 25.0
"""How long a Connect waits for a machine that isn't there [s]."""

KINDS: Mapping[str, str] = {
    **dict.fromkeys(("Address", "AddressType", "Alias", "Name", "UUID"), "s"),
    **dict.fromkeys(("Powered", "Discovering", "Connected", "ServicesResolved", "Notifying", "Primary"), "b"),
    **dict.fromkeys(("Paired", "Bonded", "Trusted", "Blocked", "LegacyPairing"), "b"),
    **dict.fromkeys(("UUIDs", "Roles", "Flags"), "as"),
    **dict.fromkeys(("Adapter", "Device", "Service", "Characteristic"), "o"),
    "RSSI": "n",
    "ServiceData": "a{sv}",
    "ManufacturerData": "a{qv}",
    "Includes": "ao",
    "Value": "ay",
    "MTU": "q",
}
"""The D-Bus type of each property (BlueZ's org.bluez.Adapter, .Device and .Gatt* documents)."""

GENERIC_ACCESS = "00001800-0000-1000-8000-00805f9b34fb"
CLIENT_CONFIGURATION = "00002902-0000-1000-8000-00805f9b34fb"


class Refusal(NamedTuple):
    """An error reply.

    Attributes:
        error: its D-Bus name.
        text: what it says.
        after_s: how long bluetoothd takes to find out [s].
    """

    error: str
    text: str
    after_s: float = 0.1


class Refused(Exception):
    """A call is answered with a refusal, the first argument."""


def _failed(text: str, after_s: float = 0.0) -> Refusal:
    return Refusal(f"{BLUEZ}.Error.Failed", text, after_s)


BUSY = Refusal(f"{BLUEZ}.Error.InProgress", "Operation already in progress")
NOT_READY = Refusal(f"{BLUEZ}.Error.NotReady", "Resource Not Ready")
NOT_CONNECTED = _failed("Not connected")
UNKNOWN = Refusal("org.freedesktop.DBus.Error.UnknownObject", "there is no such object")
ABORTED = _failed("le-connection-abort-by-local", 2.0)
CANCELED = _failed("br-connection-canceled", 1.0)

Reply = tuple[str, list[Any]]
NOTHING: Reply = ("", [])


class Tree:
    """The objects on the bus; every change is signalled.

    Args:
        bus: who signals.
    """

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self._objects: dict[str, dict[str, dict[str, Any]]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._objects

    @property
    def managed(self) -> dict[str, Any]:
        """All there is, as GetManagedObjects answers."""
        return {path: _typed(interfaces) for path, interfaces in self._objects.items()}

    def get(self, path: str, interface: str, name: str) -> Any:
        """A property's value."""
        return self._objects[path][interface][name]

    def add(self, path: str, interface: str, **properties: Any) -> None:
        """Put an object of one interface on the bus."""
        self._objects[path] = {interface: properties}
        self._signal("/", OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, _typed(self._objects[path])])

    def remove(self, path: str) -> None:
        """Take an object and all beneath it off the bus, the deepest first."""
        beneath = [each for each in self._objects if each == path or each.startswith(f"{path}/")]
        for each in sorted(beneath, reverse=True):
            self._signal("/", OBJECT_MANAGER, "InterfacesRemoved", "oas", [each, list(self._objects.pop(each))])

    def set(self, path: str, interface: str, **properties: Any) -> None:
        """Change properties, unless the object has gone."""
        if path in self._objects:
            self._objects[path][interface].update(properties)
            changed = _typed({interface: properties})[interface]
            self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, changed, []])

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        if self._bus.connected:
            kind = MessageType.SIGNAL
            self._bus.send(Message(None, path, interface, member, kind, signature=signature, body=body))


def _typed(interfaces: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Variant]]:
    return {
        interface: {name: Variant(KINDS[name], value) for name, value in properties.items()}
        for interface, properties in interfaces.items()
    }


@dataclass
class _Remote:
    """A device that was heard.

    Attributes:
        path: its object.
        heard: who was heard there.
        client: our connection to it, or the attempt at one.
        connecting: the attempt.
        attributes: the characteristics and descriptors behind their objects.
    """

    path: str
    heard: BLEDevice
    client: BleakClient | None = None
    connecting: asyncio.Task[None] | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def linked(self) -> BleakClient:
        """The connection that stands."""
        if self.client is None or not self.client.is_connected:
            raise Refused(NOT_CONNECTED)
        return self.client


class FakeBluez:
    """bluetoothd over one virtual adapter; `async with` starts and stops it.

    Args:
        adapter: the radio.

    Attributes:
        refusals: what is answered to each call of a method for now, by its name.
        hides_characteristics: whether the next connection's services resolve without any.
        foreign_subscribers: D-Bus clients of others that asked for the same notifications.
        calls: the methods called, in order.
    """

    def __init__(self, adapter: Adapter) -> None:
        self.refusals: dict[str, Refusal] = {}
        self.hides_characteristics = False
        self.foreign_subscribers = 0
        self.calls: list[str] = []
        self._radio = adapter
        self._bus: MessageBus | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._remotes: dict[str, _Remote] = {}

    async def __aenter__(self) -> FakeBluez:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    # --- life and death ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take the name and show the adapter."""
        self._bus = await MessageBus(bus_type=BusType.SYSTEM, negotiate_unix_fd=True).connect()
        self._tree = Tree(self._bus)
        self._remotes.clear()
        self._subscribers: defaultdict[str, set[str]] = defaultdict(set)
        self._discoverers: set[str] = set()
        self._scanner = BleakScanner(self._on_advertisement, backend=self._radio.scanner_backend)
        self._bus.add_message_handler(self._on_message)
        await self._bus.call(_watch_names())
        await self._bus.request_name(BLUEZ)
        self.plug_in()

    async def kill(self) -> None:
        """Die as by kill -9: the name vanishes, nothing is said of any object, and the kernel ends the links."""
        if self._bus is None:
            return
        bus, self._bus = self._bus, None
        bus.disconnect()
        with suppress(EOFError, OSError):  # the bus may have died first
            await bus.wait_for_disconnect()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._let_go()

    def plug_in(self) -> None:
        """Show the adapter."""
        self._tree.add(
            HCI,
            ADAPTER,
            Address="C0:FF:EE:00:00:01",
            Name="fake",
            Alias="fake",
            Powered=True,
            Discovering=False,
            UUIDs=[],
            Roles=["central", "peripheral"],
        )

    async def pull_out(self) -> None:
        """Remove the adapter: its objects go, and nothing is said of any link."""
        self._tree.remove(HCI)
        await self._let_go()

    async def power(self, on: bool) -> None:
        """Switch the adapter; off, it has no links."""
        self._tree.set(HCI, ADAPTER, Powered=on, Discovering=False)
        if not on:
            await self._let_go()

    def forget_devices(self) -> None:
        """Let every device that isn't connected expire, as bluetoothd does some time after a scan."""
        for remote in list(self._remotes.values()):
            if remote.client is None:
                self._tree.remove(self._remotes.pop(remote.path).path)

    async def _let_go(self) -> None:
        """End the scan and all links."""
        self._discoverers.clear()
        await self._scanner.stop()
        for remote in self._remotes.values():
            if remote.connecting is not None:
                remote.connecting.cancel()
        for connection in list(self._radio.device.connections.values()):
            await hang_up(connection)
        self._remotes = {path: remote for path, remote in self._remotes.items() if path in self._tree}

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- calls ------------------------------------------------------------------------------------------------------

    def _on_message(self, message: Message) -> bool | None:
        if message.member == "NameOwnerChanged" and message.body[2] == "":
            self._spawn(self._forget_client(message.body[0]))
        if message.message_type != MessageType.METHOD_CALL or message.destination != BLUEZ:
            return None
        self._spawn(self._answer(message))
        return True

    async def _answer(self, message: Message) -> None:
        self.calls.append(message.member)
        refusal = self.refusals.get(message.member)
        try:
            if refusal is not None:
                await asyncio.sleep(refusal.after_s)
                raise Refused(refusal)
            reply = Message.new_method_return(message, *await self._called(message))
        except Exception as error:
            refusal = _in_bluez_words(error)
            reply = Message.new_error(message, refusal.error, refusal.text)
        if self._bus is None or not self._bus.connected or message.flags & MessageFlag.NO_REPLY_EXPECTED:
            return
        if refusal == ABORTED:  # the link stood for a moment, says bleak, and waits to see it go
            self._tree.set(message.path, DEVICE, Connected=True)
        self._bus.send(reply)
        if refusal == ABORTED:
            self._tree.set(message.path, DEVICE, Connected=False)

    async def _called(self, message: Message) -> Reply:
        method = METHODS.get((message.interface, message.member))
        if method is None or (message.path != "/" and message.path not in self._tree):
            raise Refused(UNKNOWN)
        return await method(self, message) or NOTHING

    async def _forget_client(self, name: str) -> None:
        """A D-Bus client is gone: so are its subscriptions and its discovery."""
        for path, subscribers in list(self._subscribers.items()):
            if name in subscribers:
                await self._unsubscribe(path, name)
        if name in self._discoverers:
            await self._end_discovery(name)

    async def _get_managed_objects(self, _: Message) -> Reply:
        return "a{oa{sa{sv}}}", [self._tree.managed]

    # --- adapter ----------------------------------------------------------------------------------------------------

    async def _set_discovery_filter(self, _: Message) -> None:
        pass

    async def _start_discovery(self, message: Message) -> None:
        self._check_power()
        if message.sender in self._discoverers:
            raise Refused(BUSY)
        self._discoverers.add(message.sender)
        if len(self._discoverers) == 1:
            await self._scanner.start()
        self._tree.set(HCI, ADAPTER, Discovering=True)

    async def _stop_discovery(self, message: Message) -> None:
        self._check_power()
        if message.sender not in self._discoverers:
            raise Refused(_failed("No discovery started"))
        await self._end_discovery(message.sender)

    async def _end_discovery(self, name: str) -> None:
        self._discoverers.discard(name)
        if not self._discoverers:
            await self._scanner.stop()
            self._tree.set(HCI, ADAPTER, Discovering=False)

    async def _remove_device(self, message: Message) -> None:
        remote = self._remotes.pop(message.body[0])
        if remote.client is not None:
            await remote.client.disconnect()
        self._tree.remove(remote.path)

    def _check_power(self) -> None:
        if not self._tree.get(HCI, ADAPTER, "Powered"):
            raise Refused(NOT_READY)

    def _on_advertisement(self, heard: BLEDevice, advert: AdvertisementData) -> None:
        path = f"{HCI}/dev_{heard.address.replace(':', '_')}"
        told: dict[str, Any] = {
            "Name": advert.local_name,
            "Alias": advert.local_name,
            "UUIDs": advert.service_uuids,
            "ServiceData": {uuid: Variant("ay", data) for uuid, data in advert.service_data.items()},
            "ManufacturerData": {maker: Variant("ay", data) for maker, data in advert.manufacturer_data.items()},
        }
        told = {name: value for name, value in told.items() if value} | {"RSSI": advert.rssi}
        if path in self._tree:
            self._tree.set(path, DEVICE, **told)
            return
        self._remotes[path] = _Remote(path, heard)
        unknown = dict.fromkeys(("Paired", "Bonded", "Trusted", "Blocked", "LegacyPairing"), False)
        unlinked = {"Connected": False, "ServicesResolved": False}
        named = {"Address": heard.address, "AddressType": "random", "Alias": heard.address.replace(":", "-")}
        self._tree.add(path, DEVICE, **({"Adapter": HCI, "UUIDs": []} | named | unknown | unlinked | told))

    # --- device -----------------------------------------------------------------------------------------------------

    async def _connect(self, message: Message) -> None:
        self._check_power()
        remote = self._remotes[message.path]
        if remote.connecting is not None:
            raise Refused(BUSY)
        linked = asyncio.get_running_loop().create_future()
        self._radio.device.once(Device.EVENT_CONNECTION, lambda _: linked.done() or linked.set_result(None))
        remote.connecting = self._spawn(self._resolve(remote))
        await asyncio.wait({linked, remote.connecting}, return_when=asyncio.FIRST_COMPLETED)
        if not linked.done():
            raise Refused(CANCELED if remote.connecting.cancelled() else _failed(ABORTED.text))
        self._tree.set(remote.path, DEVICE, Connected=True)

    async def _resolve(self, remote: _Remote) -> None:
        """Connect and show what the device offers; or find that there is no connection."""
        client = BleakClient(
            remote.heard, lambda _: self._on_loss(remote), backend=self._radio.client_backend, timeout=CONNECT_S
        )
        remote.client = client
        try:
            await client.connect()
            await self._show_services(remote, client)
            self._tree.set(remote.path, DEVICE, ServicesResolved=True)
        except (BleakError, TimeoutError):
            pass
        finally:
            remote.connecting = None
            if not client.is_connected:
                remote.client = None
                await self._give_up(remote)

    async def _give_up(self, remote: _Remote) -> None:
        """End what an attempt that was cut short has left: Bumble 0.0.236 says it cancels it, and connects later."""
        self._radio._controller.pending_le_connection = None
        for connection in list(self._radio.device.connections.values()):
            if connection.peer_address == remote.heard.details:
                await hang_up(connection)

    async def _show_services(self, remote: _Remote, client: BleakClient) -> None:
        for service in client.services:
            if service.uuid != GENERIC_ACCESS:
                path = f"{remote.path}/service{service.handle:04x}"
                self._tree.add(path, SERVICE, UUID=service.uuid, Device=remote.path, Primary=True, Includes=[])
                for characteristic in () if self.hides_characteristics else service.characteristics:
                    await self._show(remote, path, characteristic)
        self.hides_characteristics = False

    async def _show(self, remote: _Remote, service_path: str, characteristic: BleakGATTCharacteristic) -> None:
        path = f"{service_path}/char{characteristic.handle - 1:04x}"  # of its declaration, just before its value
        remote.attributes[path] = characteristic
        self._tree.add(
            path,
            CHARACTERISTIC,
            UUID=characteristic.uuid,
            Service=service_path,
            Value=b"",
            Notifying=False,
            Flags=characteristic.properties,
            MTU=characteristic.max_write_without_response_size + 3,
        )
        for each in characteristic.descriptors:
            if each.uuid != CLIENT_CONFIGURATION:
                below = f"{path}/desc{each.handle:04x}"
                remote.attributes[below] = each
                self._tree.add(below, DESCRIPTOR, UUID=each.uuid, Characteristic=path, Value=b"")
        if self._subscribers[path]:
            await self._subscribe(remote, path)

    def _on_loss(self, remote: _Remote) -> None:
        remote.client = None
        remote.attributes.clear()
        for service in {each.partition("/char")[0] for each in self._tree.managed if f"{remote.path}/service" in each}:
            self._tree.remove(service)
        self._tree.set(remote.path, DEVICE, ServicesResolved=False, Connected=False)

    async def _disconnect(self, message: Message) -> None:
        remote = self._remotes[message.path]
        if remote.connecting is not None:
            remote.connecting.cancel()
        client = remote.linked
        await asyncio.sleep(DISCONNECT_S)
        await client.disconnect()

    # --- attributes -------------------------------------------------------------------------------------------------

    def _remote_of(self, path: str) -> _Remote:
        return self._remotes[path.partition("/service")[0]]

    async def _read(self, message: Message) -> Reply:
        remote = self._remote_of(message.path)
        return "ay", [bytes(await remote.linked.read_gatt_char(remote.attributes[message.path]))]

    async def _write(self, message: Message) -> None:
        remote = self._remote_of(message.path)
        value, options = message.body
        waits = "type" not in options or options["type"].value != "command"
        await remote.linked.write_gatt_char(remote.attributes[message.path], value, response=waits)

    async def _start_notify(self, message: Message) -> None:
        remote = self._remote_of(message.path)
        if not {"notify", "indicate"} & set(remote.attributes[message.path].properties):
            raise Refused(Refusal(f"{BLUEZ}.Error.NotSupported", "Operation is not supported"))
        first = not self._subscribers[message.path]
        self._subscribers[message.path].add(message.sender)
        if first:
            await self._subscribe(remote, message.path)

    async def _subscribe(self, remote: _Remote, path: str) -> None:
        def signal(_: BleakGATTCharacteristic, value: bytearray) -> None:
            for _copy in range(len(self._subscribers[path]) + self.foreign_subscribers):
                self._tree.set(path, CHARACTERISTIC, Value=bytes(value))

        await remote.linked.start_notify(remote.attributes[path], signal)
        self._tree.set(path, CHARACTERISTIC, Notifying=True)

    async def _stop_notify(self, message: Message) -> None:
        await self._unsubscribe(message.path, message.sender)

    async def _unsubscribe(self, path: str, name: str) -> None:
        self._subscribers[path].discard(name)
        remote = self._remote_of(path) if path in self._tree else None
        if remote is not None and remote.client is not None and not self._subscribers[path]:
            self._tree.set(path, CHARACTERISTIC, Notifying=False)
            await remote.client.stop_notify(remote.attributes[path])


def _in_bluez_words(error: Exception) -> Refusal:
    """What bluetoothd answers where the radio raised."""
    if isinstance(error, Refused):
        refusal: Refusal = error.args[0]
        return refusal
    if isinstance(error, BleakGATTProtocolError):
        return _failed(f"Operation failed with ATT error: 0x{error.args[0]:02x}")
    if isinstance(error, TimeoutError):
        return _failed("Operation failed with ATT error: 0x0e")
    if isinstance(error, BleakError):
        return NOT_CONNECTED
    return _failed(repr(error))


def _watch_names() -> Message:
    return Message(
        destination="org.freedesktop.DBus",
        path="/org/freedesktop/DBus",
        interface="org.freedesktop.DBus",
        member="AddMatch",
        signature="s",
        body=["type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"],
    )


Method = Callable[[FakeBluez, Message], Coroutine[Any, Any, Reply | None]]

METHODS: Mapping[tuple[str, str], Method] = {
    (OBJECT_MANAGER, "GetManagedObjects"): FakeBluez._get_managed_objects,
    (ADAPTER, "SetDiscoveryFilter"): FakeBluez._set_discovery_filter,
    (ADAPTER, "StartDiscovery"): FakeBluez._start_discovery,
    (ADAPTER, "StopDiscovery"): FakeBluez._stop_discovery,
    (ADAPTER, "RemoveDevice"): FakeBluez._remove_device,
    (DEVICE, "Connect"): FakeBluez._connect,
    (DEVICE, "Disconnect"): FakeBluez._disconnect,
    (CHARACTERISTIC, "ReadValue"): FakeBluez._read,
    (CHARACTERISTIC, "WriteValue"): FakeBluez._write,
    (CHARACTERISTIC, "StartNotify"): FakeBluez._start_notify,
    (CHARACTERISTIC, "StopNotify"): FakeBluez._stop_notify,
}
"""What can be called."""
