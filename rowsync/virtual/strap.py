"""A heart-rate strap on the virtual rower's chest: the Heart Rate service (0x180D) on Bumble's virtual radio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from bumble.link import LocalLink

from rowsync.heart_rate import HEART_RATE_MEASUREMENT
from rowsync.virtual.device import AirDevice
from rowsync.virtual.model import Absence, Advert, GattCharacteristic, GattService, battery, device_information
from rowsync.virtual.rower import RowerState

HEART_RATE = "180d"
BODY_SENSOR_LOCATION = "2a38"
CHEST = b"\x01"
"""Body Sensor Location (HRS v1.0, 3.2)."""

STRAP_ADDRESS = "F0:0D:00:00:18:0D"
PERIOD_S = 1.0
"""How often straps notify [s]."""

BEAT_NOISE = 0.02
"""An assumption: relative standard deviation of the time between two beats, at work."""

_CONTACT_AND_BEATS = 0x16
"""Flags: skin contact is told and there, times between beats follow (HRS v1.0, 3.1.1.1)."""

_BEATS_PER_PACKET = 8
"""As many times between beats as fit beside flags and rate into 20 octets, less one."""


class VirtualStrap(AirDevice):
    """A strap in the air; `async with` switches it on and off.  It measures as long as it is on.

    Args:
        link: the air.
        state_now: the rower who wears it.
        name: what it advertises.
        absences: when it can't be reached; since it was switched on [s].
        seed: of the time between beats.
        address: its static random address.

    Attributes:
        sent: every Heart Rate Measurement that went out to a subscriber, in order.

    Raises:
        UsageError: the name is too long for an advertisement.
    """

    def __init__(
        self,
        link: LocalLink,
        state_now: Callable[[], RowerState],
        *,
        name: str = "Virtual Strap",
        absences: Sequence[Absence] = (),
        seed: int = 1,
        address: str = STRAP_ADDRESS,
    ) -> None:
        services = (
            GattService(
                HEART_RATE,
                (
                    GattCharacteristic(HEART_RATE_MEASUREMENT, "NOTIFY"),
                    GattCharacteristic(BODY_SENSOR_LOCATION, value=CHEST),
                ),
            ),
            battery(87),
            device_information(maker="rowsync", model="Virtual Strap"),
        )
        super().__init__(
            link, name=name, address=address, advert=Advert(services=(HEART_RATE,), data=b""), services=services
        )
        self.sent: list[bytes] = []
        self._state_now = state_now
        self._plan = absences
        self._heart = _Heart(seed)
        self._work: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> VirtualStrap:
        await super().__aenter__()
        now_s = asyncio.get_running_loop().time()
        self._work = [
            self._spawn(self._measure(now_s)),
            self._spawn(self.be_absent(self._plan, now_s, lambda _: None)),
        ]
        return self

    async def __aexit__(self, *exit_of: object) -> None:
        """Switch off."""
        for work in self._work:
            work.cancel()
        await super().__aexit__(*exit_of)

    async def _measure(self, since_s: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            heart_rate_bpm = self._state_now().heart_rate_bpm
            measured = measurement(heart_rate_bpm, self._heart.beats_s(heart_rate_bpm, loop.time() - since_s))
            for connection in self.subscribers(HEART_RATE_MEASUREMENT):
                self.sent.append(measured)
                await self.notify(connection, HEART_RATE_MEASUREMENT, measured)
            turn = int((loop.time() - since_s) / PERIOD_S + 1e-6) + 1
            await asyncio.sleep(since_s + turn * PERIOD_S - loop.time())


class _Heart:
    """Beats, one after the other."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._last_beat_s = 0.0

    def beats_s(self, heart_rate_bpm: float, now_s: float) -> list[float]:
        """The times between the beats since it was asked last [s]."""
        beats: list[float] = []
        while (beat_s := 60 / heart_rate_bpm * (1 + self._random.gauss(0, BEAT_NOISE))) <= now_s - self._last_beat_s:
            beats.append(beat_s)
            self._last_beat_s += beat_s
        return beats


def measurement(heart_rate_bpm: float, beats_s: Sequence[float]) -> bytes:
    """Write a Heart Rate Measurement (HRS v1.0, 3.1); of many beats the last eight.

    Args:
        heart_rate_bpm: up to 255 [1/min].
        beats_s: times between beats, the oldest first [s].
    """
    times = b"".join(round(beat_s * 1024).to_bytes(2, "little") for beat_s in beats_s[-_BEATS_PER_PACKET:])
    return bytes([_CONTACT_AND_BEATS, min(255, round(heart_rate_bpm))]) + times
