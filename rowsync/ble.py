"""The radio: hear what advertises, and one connection to one machine.  The only door to bleak.

The callback that bleak needs does one thing, hand over the bytes; it never parses and never raises.  Which stack
carries them is an argument: `Radio()` is the operating system's own, the virtual rower brings its backends through
bleak's public `backend=` seam.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakGATTProtocolError,
)

from rowsync import concept2, features, ftms, heart_rate, machines
from rowsync.errors import MachineError, MachineNotFound, RadioUnavailable, RowsyncError
from rowsync.identity import BASE, short_uuid
from rowsync.wording import outside_text

CONNECT_S = 20.0
LET_GO_S = 5.0
"""How long a connection may take to end; BlueZ takes 2 to 2.6 s [s]."""

ANSWER_S = 2.0
"""How long a machine may take to answer a read or a write [s]."""

Arrived = Callable[[str, bytes], None]
"""What is told of each packet: its characteristic, as recordings name it, and its bytes."""


@dataclass(frozen=True, slots=True)
class Radio:
    """Which Bluetooth stack to use; None is the operating system's own.

    Attributes:
        scanner_backend: bleak's scanner.
        client_backend: bleak's client.
        hears: by what it is heard who advertises, where several listen at once (`ear.shared`); None is a scan of one's
            own.
    """

    scanner_backend: type[BaseBleakScanner] | None = None
    client_backend: type[BaseBleakClient] | None = None
    hears: Callable[[], AsyncGenerator[FoundDevice]] | None = None


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A machine or a strap that advertises.

    Attributes:
        name: as it advertises itself; "" when it gives none.  Hostile: print it with `wording.outside_text`.
        address: Bluetooth address, or what the system shows instead.
        signal_dbm: received signal strength; None when it isn't known [dBm].
        is_rower: whether its service data, or else its name, says so; None when neither says anything.
        services: the services it advertises, named as recordings name them.
        service_data: the Fitness Machine service data, as sent.
        device: bleak's own handle.
    """

    name: str
    address: str
    signal_dbm: int | None
    is_rower: bool | None
    services: tuple[str, ...]
    service_data: bytes
    device: BLEDevice

    @property
    def may_row(self) -> bool:
        """Whether it is a rower, or a fitness machine that doesn't say which."""
        return self.is_rower or (self.is_rower is None and not {ftms.FITNESS_MACHINE, *ROWS}.isdisjoint(self.services))

    @property
    def is_strap(self) -> bool:
        """Whether it measures heart rates."""
        return heart_rate.HEART_RATE in self.services and not self.may_row

    @property
    def label(self) -> str:
        """Its name, safe to show; its address when it has none."""
        return outside_text(self.name) or self.address


ROWS = (concept2.ADVERTISED, concept2.ROWING_SERVICE)


async def heard(radio: Radio) -> AsyncGenerator[FoundDevice]:
    """Whatever advertises, each time it is heard, without end.

    Raises:
        RadioUnavailable: Bluetooth is off, absent or not permitted.
        MachineError: the system refuses to scan, for now.
    """
    if radio.hears is not None:
        async with aclosing(radio.hears()) as shared:
            async for found in shared:
                yield found
        return
    with _translated():
        async with (
            BleakScanner(**_backend(radio.scanner_backend)) as scanner,
            aclosing(scanner.advertisement_data()) as adverts,
        ):
            async for device, advert in adverts:
                yield _found(device, advert)


async def held(radio: Radio) -> list[FoundDevice]:
    """Rowers that this computer is connected to already, perhaps by another program; those don't advertise."""
    if radio.scanner_backend is not None:
        return []
    found: dict[str, FoundDevice] = {}
    with suppress(Exception):  # a system that can't tell knows of none
        async with asyncio.timeout(ANSWER_S):
            adapter = await BleakAdapter.get()
            for service in (ftms.FITNESS_MACHINE, *ROWS):
                for each in await adapter.get_connected_devices([_full_uuid(service)]):
                    is_rower = machines.rows_by_name(each.name or "")
                    found[each.address] = FoundDevice(
                        each.name or "", each.address, None, is_rower, (service,), b"", each
                    )
    return list(found.values())


class Link:
    """An open connection to one machine; what fails or isn't answered raises `MachineError`.

    Attributes:
        lost: set once the system knows that the link has gone.
        characteristics: what the machine has, named as recordings name them.
    """

    def __init__(self, device: FoundDevice, radio: Radio, arrived: Arrived, within_s: float) -> None:
        self.lost = asyncio.Event()
        self._arrived: Arrived | None = arrived
        self._client = BleakClient(
            device.device, lambda _: self.lost.set(), timeout=within_s, **_backend(radio.client_backend)
        )
        self._found: dict[str, BleakGATTCharacteristic] = {}

    @property
    def characteristics(self) -> frozenset[str]:
        """What the machine has."""
        return frozenset(self._found)

    def can(self, characteristic: str, *properties: str) -> bool:
        """Whether the machine has it with any of these properties ("read", "notify", "indicate", "write")."""
        found = self._found.get(characteristic)
        return found is not None and not set(properties).isdisjoint(found.properties)

    async def read(self, characteristic: str, within_s: float = ANSWER_S) -> bytes:
        """A value as it stands now."""
        async with _asked(within_s):
            return bytes(await self._client.read_gatt_char(self._found[characteristic]))

    async def answers(self, characteristic: str, within_s: float = ANSWER_S) -> bool:
        """Whether the machine answers a read of it at all, be it with a refusal."""
        try:
            await self.read(characteristic, within_s)
        except MachineError as error:
            return isinstance(error.__cause__, BleakGATTProtocolError)
        return True

    async def subscribe(self, characteristic: str, within_s: float = ANSWER_S) -> None:
        """Have every change of a value arrive."""
        async with _asked(within_s):
            await self._client.start_notify(self._found[characteristic], self._on_packet)

    async def unsubscribe(self, characteristic: str, within_s: float = ANSWER_S) -> None:
        """Have them arrive no more."""
        async with _asked(within_s):
            await self._client.stop_notify(self._found[characteristic])

    async def write(self, characteristic: str, payload: bytes, within_s: float = ANSWER_S) -> None:
        """Write a value; returns when the machine has taken it."""
        async with _asked(within_s):
            await self._client.write_gatt_char(self._found[characteristic], payload, response=True)

    def _on_packet(self, characteristic: BleakGATTCharacteristic, payload: bytearray) -> None:
        if self._arrived is not None:
            self._arrived(short_uuid(characteristic.uuid), bytes(payload))

    async def open(self) -> None:
        """Connect and discover."""
        with _translated():
            await self._client.connect()
            self.lost.clear()  # bleak tries some failed connections again, having told of their end
            if not self._client.is_connected:
                raise MachineError("The link went while it was made.")
            for characteristic in self._client.services.characteristics.values():
                self._found.setdefault(short_uuid(characteristic.uuid), characteristic)

    async def close(self) -> None:
        """Let go, also of a link that has gone: on BlueZ a client that isn't disconnected doubles every later packet.

        (bleak #2002, measured on BlueZ 5.66.)
        """
        self._arrived = None  # what still comes over a link that is let go would only pretend that it stands
        with suppress(Exception):  # it is gone already; it need only let go
            async with asyncio.timeout(LET_GO_S):
                await self._client.disconnect()


@asynccontextmanager
async def connect(
    device: FoundDevice, radio: Radio, arrived: Arrived, within_s: float = CONNECT_S
) -> AsyncIterator[Link]:
    """Connect; the client is new for each connection and always let go.

    Args:
        device: to what.
        radio: by which stack.
        arrived: told of each packet that was subscribed to.
        within_s: how long connecting and discovering may take [s].

    Raises:
        MachineNotFound: it did not take the connection.
        RadioUnavailable: Bluetooth is off, absent or not permitted.
        MachineError: anything else that Bluetooth refuses.
    """
    link = Link(device, radio, arrived, within_s)
    try:
        await link.open()
        yield link
    finally:
        await link.close()


def _full_uuid(short: str) -> str:
    return f"0000{short}{BASE}" if len(short) == 4 else short + concept2.BASE


def _backend(backend: type[Any] | None) -> dict[str, Any]:
    return {} if backend is None else {"backend": backend}


def _found(device: BLEDevice, advert: AdvertisementData) -> FoundDevice:
    """What an advertisement says."""
    data = advert.service_data.get(_full_uuid(ftms.FITNESS_MACHINE), b"")
    name = advert.local_name or device.name or ""
    is_rower = features.decode_advertised(data).is_rower
    return FoundDevice(
        name=name,
        address=device.address,
        signal_dbm=advert.rssi,
        is_rower=machines.rows_by_name(name) if is_rower is None else is_rower,
        services=tuple(map(short_uuid, advert.service_uuids)),
        service_data=bytes(data),
        device=device,
    )


_BLUETOOTH_ADVICE = {
    "NO_BLUETOOTH": "This computer has no Bluetooth adapter, or its driver isn't loaded. Plug one in.",
    "NO_BLE_CENTRAL_ROLE": "The Bluetooth adapter is too old for Bluetooth Low Energy. Plug in a newer one.",
    "POWERED_OFF": "Bluetooth is switched off. Switch it on (on Linux: bluetoothctl power on).",
    "DENIED_BY_USER": "This program may not use Bluetooth. Allow it in the system's privacy settings.",
    "DENIED_BY_SYSTEM": "The system doesn't let this program use Bluetooth. Ask its administrator.",
}
_NO_BLUEZ = (
    "No Bluetooth service answers on this computer. On Linux install and start BlueZ (the package bluez, then "
    "systemctl start bluetooth). To try rowsync without hardware: rowsync demo"
)
_DBUS_ADVICE = {
    "org.freedesktop.DBus.Error.ServiceUnknown": _NO_BLUEZ,
    "org.freedesktop.DBus.Error.NameHasNoOwner": _NO_BLUEZ,
    "org.freedesktop.DBus.Error.Spawn.ChildExited": _NO_BLUEZ,
    "org.freedesktop.DBus.Error.Spawn.ServiceNotFound": _NO_BLUEZ,
    "org.freedesktop.DBus.Error.AccessDenied": "You may not use Bluetooth on this computer. On Linux add yourself to "
    "the group bluetooth (sudo usermod -aG bluetooth $USER), then log in again.",
    "org.bluez.Error.NotReady": _BLUETOOTH_ADVICE["POWERED_OFF"],
}
"""What D-Bus refuses for good, and what to do."""

_HELD = (
    "The rower doesn't take the connection. It talks to one program at a time: close any other app, phone or computer "
    "that may hold it, wake it, and try again."
)


@asynccontextmanager
async def _asked(within_s: float) -> AsyncIterator[None]:
    """Something is asked of the machine, which must answer in time."""
    with _translated():
        try:
            async with asyncio.timeout(within_s):
                yield
        except TimeoutError:
            raise MachineError("The machine doesn't answer.") from None


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what bleak and the system raise into one sentence that says what to do."""
    try:
        yield
    except BleakBluetoothNotAvailableError as error:
        unknown = f"Bluetooth can't be used: {outside_text(str(error.args[0]))}."
        raise RadioUnavailable(_BLUETOOTH_ADVICE.get(error.reason.name, unknown)) from error
    except BleakDeviceNotFoundError as error:
        raise MachineNotFound("The rower went away before it could be connected. Wake it and try again.") from error
    except BleakGATTProtocolError as error:
        raise MachineError(f"The machine refuses: {outside_text(str(error))}.") from error
    except BleakDBusError as error:
        if advice := _DBUS_ADVICE.get(error.dbus_error, ""):
            raise RadioUnavailable(advice) from error
        raise MachineError(f"Bluetooth refuses for now: {outside_text(str(error))}. Try again.") from error
    except TimeoutError as error:
        raise MachineNotFound(_HELD) from error
    except (FileNotFoundError, ConnectionError, PermissionError, EOFError) as error:  # no D-Bus, or none for us
        raise RadioUnavailable(_NO_BLUEZ) from error
    except RowsyncError:
        raise
    except KeyError as error:
        raise MachineError(f"The machine has no characteristic {error}.") from error
    except Exception as error:  # BleakError, and what its backends let through
        raise MachineError(f"Bluetooth failed: {outside_text(str(error) or repr(error))}. Try again.") from error
