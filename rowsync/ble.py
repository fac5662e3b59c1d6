"""The radio: find a rower, connect, and read it as a stream of notifications.  The only door to bleak.

The callback that bleak needs does two things, put a time on the bytes and queue them; it never parses and never raises.
Which stack carries the bytes is an argument: `Radio()` is the operating system's own, the virtual rower brings its
backends through bleak's public `backend=` seam.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakDeviceNotFoundError, BleakError

from rowsync import ftms
from rowsync.errors import MachineError, MachineLost, MachineNotFound, NotARower, RadioUnavailable, RowsyncError
from rowsync.telemetry import Notification
from rowsync.wording import outside_text

SCAN_S = 10.0
CONNECT_S = 30.0
SILENCE_S = 300.0
"""A machine that says nothing for so long is gone, whatever the link claims; some only speak on strokes [s]."""

ROWER_TYPE_BIT = 1 << 4
"""Fitness Machine Type field of the advertised service data (FTMS v1.0, 3.1.2)."""


@dataclass(frozen=True, slots=True)
class Radio:
    """Which Bluetooth stack to use; None is the operating system's own."""

    scanner_backend: type[BaseBleakScanner] | None = None
    client_backend: type[BaseBleakClient] | None = None


@dataclass(frozen=True, slots=True)
class FoundRower:
    """A fitness machine that advertises.

    Attributes:
        name: as it advertises itself; "" when it gives none.  Hostile: print it with `wording.outside_text`.
        address: Bluetooth address, or what the system shows instead.
        signal_dbm: received signal strength [dBm].
        is_rower: whether its service data says so; None when it says nothing of its kind.
        services: the services it advertises, as UUIDs.
        device: bleak's own handle.
    """

    name: str
    address: str
    signal_dbm: int
    is_rower: bool | None
    services: tuple[str, ...]
    device: BLEDevice


async def scan(radio: Radio, seconds: float = SCAN_S) -> list[FoundRower]:
    """Every fitness machine nearby that may be a rower, the nearest first.

    Raises:
        RadioUnavailable: Bluetooth is off, absent or not permitted.
    """
    with _translated():
        heard = await BleakScanner.discover(seconds, return_adv=True, **_backend(radio.scanner_backend))
    found = (_heard(device, advert) for device, advert in heard.values())
    return sorted(filter(_may_row, found), key=lambda rower: -rower.signal_dbm)


async def find(radio: Radio, wanted: str | None = None, seconds: float = SCAN_S) -> FoundRower:
    """The first rower that answers, or the one wanted by name or address, whatever it says of itself.

    Raises:
        MachineNotFound: none did.
        RadioUnavailable: Bluetooth is off, absent or not permitted.
    """
    with _translated():
        try:
            async with asyncio.timeout(seconds), BleakScanner(**_backend(radio.scanner_backend)) as scanner:
                async for device, advert in scanner.advertisement_data():
                    found = _heard(device, advert)
                    if _may_row(found) if wanted is None else _is_called(found, wanted):
                        return found
        except TimeoutError:
            pass
    whom = f"No rower called {outside_text(wanted)}" if wanted else "No rower"
    raise MachineNotFound(
        f"{whom} answered within {seconds:.0f} s. Wake the machine (pull the handle, or choose Connect in its menu), "
        "close other apps that hold it, and try again; `rowsync scan` lists what is near."
    )


class Link:
    """An open connection: an async iterator of notifications, with times from the first one's [s].

    It ends when `stop` is called.
    """

    def __init__(self, rower: FoundRower) -> None:
        self.rower = rower
        self._queue: asyncio.Queue[Notification | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._first_s: float | None = None
        self._lost = False

    def stop(self) -> None:
        """End the stream after what has arrived."""
        self._queue.put_nowait(None)

    def __aiter__(self) -> Link:
        return self

    async def __anext__(self) -> Notification:
        """The next notification.

        Raises:
            MachineLost: the link went, or the machine fell silent.
        """
        try:
            async with asyncio.timeout(SILENCE_S):
                notification = await self._queue.get()
        except TimeoutError:
            raise MachineLost(f"{self._name} has said nothing for {SILENCE_S:.0f} s.") from None
        if notification is not None:
            return notification
        if self._lost:
            raise MachineLost(f"The connection to {self._name} is lost.")
        raise StopAsyncIteration

    @property
    def _name(self) -> str:
        return outside_text(self.rower.name) or self.rower.address

    def _arrived(self, characteristic: BleakGATTCharacteristic, payload: bytearray) -> None:
        now_s = self._loop.time()
        if self._first_s is None:
            self._first_s = now_s
        self._queue.put_nowait(
            Notification(round(now_s - self._first_s, 3), short_uuid(characteristic.uuid), bytes(payload))
        )

    def _went(self, _: BleakClient) -> None:
        self._lost = True
        self._queue.put_nowait(None)


@asynccontextmanager
async def connect(rower: FoundRower, radio: Radio) -> AsyncIterator[Link]:
    """Connect, subscribe to Rower Data and yield the stream of what arrives.

    The client is new for each connection and always disconnected, even after a loss: on BlueZ an old one that isn't
    doubles every later notification (bleak #2002).

    Raises:
        MachineNotFound: it did not take the connection.
        NotARower: it offers no Rower Data.
        RadioUnavailable: Bluetooth is off, absent or not permitted.
    """
    link = Link(rower)
    client = BleakClient(rower.device, link._went, timeout=CONNECT_S, **_backend(radio.client_backend))
    try:
        with _translated():
            await client.connect()
            rower_data = client.services.get_characteristic(_full_uuid(ftms.ROWER_DATA))
            if rower_data is None:
                raise NotARower(f"{link._name} is connected but sends no Rower Data: it is not an FTMS rower.")
            await client.start_notify(rower_data, link._arrived)
        yield link
    finally:
        try:
            async with asyncio.timeout(10.0):
                await client.disconnect()
        except (BleakError, OSError, EOFError, TimeoutError):
            pass  # it is gone already; nothing was asked of it but to let go


def short_uuid(uuid: str) -> str:
    """A UUID as recordings name it: four hex digits of the Bluetooth base, else the first eight."""
    return uuid[4:8].lower() if uuid.lower().endswith(_BASE) and uuid.startswith("0000") else uuid[:8].lower()


_BASE = "-0000-1000-8000-00805f9b34fb"


def _full_uuid(short: str) -> str:
    return f"0000{short}{_BASE}"


def _backend(backend: type[Any] | None) -> dict[str, Any]:
    return {} if backend is None else {"backend": backend}


def _heard(device: BLEDevice, advert: AdvertisementData) -> FoundRower:
    """What an advertisement says; a machine type of 0 is one that the machine doesn't tell."""
    data = advert.service_data.get(_full_uuid(ftms.FITNESS_MACHINE), b"")
    types = int.from_bytes(data[1:3], "little")
    is_rower = bool(types & ROWER_TYPE_BIT) if types else None
    name = advert.local_name or device.name or ""
    return FoundRower(name, device.address, advert.rssi, is_rower, tuple(advert.service_uuids), device)


def _may_row(found: FoundRower) -> bool:
    """Whether it is a rower, or a fitness machine that doesn't say which."""
    return found.is_rower or (found.is_rower is None and _full_uuid(ftms.FITNESS_MACHINE) in found.services)


def _is_called(found: FoundRower, wanted: str) -> bool:
    return wanted.casefold() in (found.name.casefold(), found.address.casefold())


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


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what bleak and the system raise into one sentence that says what to do."""
    try:
        yield
    except BleakBluetoothNotAvailableError as error:
        advice = _BLUETOOTH_ADVICE.get(error.reason.name, f"Bluetooth can't be used: {error.args[0]}.")
        raise RadioUnavailable(advice) from error
    except BleakDeviceNotFoundError as error:
        raise MachineNotFound("The rower went away before it could be connected. Wake it and try again.") from error
    except TimeoutError as error:
        raise MachineNotFound("The rower doesn't take the connection. Is another app holding it?") from error
    except (FileNotFoundError, ConnectionError, PermissionError) as error:  # no D-Bus, or none for us
        raise RadioUnavailable(_NO_BLUEZ) from error
    except RowsyncError:
        raise
    except Exception as error:  # BleakError, and what its backends let through
        raise MachineError(f"Bluetooth failed: {outside_text(str(error) or repr(error))}. Try again.") from error
