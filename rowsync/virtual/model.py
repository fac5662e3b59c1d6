"""What makes one machine differ from another, as nouns: what it sends, what is found on it, how it behaves.

A machine is a row of these (`machine.MACHINES` is the table); a `console.Console` speaks for one, and a
`peripheral.Peripheral` puts it on the air.  Nothing here knows Bluetooth, a loop or a clock.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from rowsync import ftms, identity
from rowsync.virtual.rower import RowerState

Reckoning = Callable[[RowerState], float | None]
"""How a shown value follows from the state of the rower; None is "there is none"."""


# --- what it sends ----------------------------------------------------------------------------------------------------


class Event(Enum):
    """What a frame may wait for."""

    DRIVE = auto()
    """The handle has been pulled through."""
    STROKE = auto()
    """A stroke has been counted."""
    PIECE = auto()
    """A piece that is rowed is over, and another piece or a rest begins."""
    END = auto()
    """The programme is over."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One shape of notification.

    Attributes:
        fields: what it holds, in the words of its characteristic (`RowerData`, or `concept2.LAYOUTS`).
        period_s: how often it is sent [s]; None for a frame that waits for events.
        more_data: the More Data bit of Rower Data; a frame without it holds stroke rate and count.
        zeros: more fields, which always hold 0.
        extra: octets after the last field.
        on: the events that it is sent on.
        cut_octets: what doesn't fit into so many is cut off; None for nothing.
        characteristic: what it speaks for.
        via: the characteristic that carries it, if that is another one.
    """

    fields: tuple[str, ...]
    period_s: float | None = None
    more_data: bool = False
    zeros: tuple[str, ...] = ()
    extra: bytes = b""
    on: tuple[Event, ...] = ()
    cut_octets: int | None = None
    characteristic: str = ftms.ROWER_DATA
    via: str | None = None

    @property
    def carrier(self) -> str:
        """The characteristic whose notification it is."""
        return self.via or self.characteristic


@dataclass(frozen=True, slots=True)
class Glitch:
    """A field that shows nonsense now and then, drawn evenly from `low` to `high`.

    Attributes:
        field: which one.
        low: the least that it shows, in the field's own unit.
        high: the most.
        chance: of each frame in which it may happen, 0 to 1.
        first_strokes: it happens only in so many strokes (a number drawn from this range) after a start or a stop.
    """

    field: str
    low: float
    high: float
    chance: float = 1.0
    first_strokes: tuple[int, int] | None = None


# --- what is found on it ----------------------------------------------------------------------------------------------

MACHINE_TYPE_ROWER, MACHINE_TYPE_BIKE = 1 << 4, 1 << 5
"""Fitness Machine Type, advertised (FTMS v1.0, 3.1.2)."""


def service_data(machine_type: int) -> bytes:
    """What FTMS advertises of a machine that is available: a flag, and its type (FTMS v1.0, 3.1)."""
    return struct.pack("<BH", 1, machine_type)


@dataclass(frozen=True, slots=True)
class Advert:
    """What it says of itself in the air, besides its name.

    Attributes:
        services: UUIDs, as the specification or the maker writes them.
        data: FTMS service data; empty for none.
    """

    services: tuple[str, ...] = (ftms.FITNESS_MACHINE,)
    data: bytes = service_data(MACHINE_TYPE_ROWER)


@dataclass(frozen=True, slots=True)
class GattCharacteristic:
    """A characteristic that isn't the Fitness Machine service's own.

    Attributes:
        uuid: four hex digits, the first eight of one of Concept2's, or all.
        can: what can be done with it, as the specification names it, separated by commas.
        value: what it holds at first.
    """

    uuid: str
    can: str = "READ"
    value: bytes = b""


@dataclass(frozen=True, slots=True)
class GattService:
    """A service besides Fitness Machine."""

    uuid: str
    characteristics: tuple[GattCharacteristic, ...]


def device_information(**texts: str) -> GattService:
    """Device Information with these texts, named as in `identity.IDENTITY`."""
    uuids = {name: uuid for uuid, name in identity.IDENTITY.items()}
    return GattService(
        identity.DEVICE_INFORMATION,
        tuple(GattCharacteristic(uuids[name], value=text.encode()) for name, text in texts.items()),
    )


def battery(percent: int) -> GattService:
    """A Battery service; it never runs down [%]."""
    return GattService(identity.BATTERY, (GattCharacteristic(identity.BATTERY_LEVEL, "READ,NOTIFY", bytes([percent])),))


# --- how it behaves ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Manners:
    """What it demands of a client; the defaults are a machine by the book.

    Attributes:
        needs_start: it says nothing before it has granted control and been started, in each connection anew.
        only_data: it says nothing any more in a connection in which something besides its data was subscribed.
        drops_when_controlled: it ends the connection when its Control Point is written.
        keep_alive_s: it ends the connection when nobody has told it to start or resume for so long [s].
        tires_after_s: it says nothing any more so long after its data was subscribed, until it is again [s].
    """

    needs_start: bool = False
    only_data: bool = False
    drops_when_controlled: bool = False
    keep_alive_s: float = math.inf
    tires_after_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which it can't be reached.

    Attributes:
        at_s: when it begins, since the first stroke [s].
        for_s: how long it lasts [s].
        off: it is switched off: its counters begin again at 0.
        link_stands: it doesn't leave the air, and the connection stays: it sends nothing and answers nothing.
    """

    at_s: float
    for_s: float
    off: bool = False
    link_stands: bool = False


@dataclass(frozen=True, slots=True)
class MachineModel:
    """One machine's personality.

    Attributes:
        frames: its notifications; those due at the same moment are sent in this order.
        features: the first word of Fitness Machine Feature (0x2ACC); None for a machine that hasn't got it.
        control_point: whether there is a Control Point (0x2AD9), and the two that tell of it (0x2AD3, 0x2ADA).
        zero_after_s: how long after the last stroke rate, pace and power turn to zero; infinite: they stay frozen [s].
        no_pace: what is sent for a pace that there isn't.
        silent_s: from when to when no notification leaves, though the machine counts on; since the first stroke [s].
        reset_at_s: when its counters and its time begin again at 0; since the first stroke [s].
        source: where this behaviour was seen.
        name: what it advertises, unless told another.
        person: who usually sits on it, a name in `rower.PEOPLE`.
        readings: fields that it reckons in its own way.
        scales: fields that it sends that many times too large.
        when_still: fields, and what they show from `zero_after_s` on.
        zeroed_by_stop: counters (of `RowerState`) that begin again at 0 then.
        zeroed_by_piece: counters that begin again at 0 with each piece of the programme; time stands still in its rests
            if it is one of them.
        glitches: fields that show nonsense now and then.
        advert: what it says of itself in the air.
        ranges: Supported Range characteristics of its Fitness Machine service, and what they hold.
        services: what there is besides Fitness Machine.
        manners: what it demands of a client.
        absences: when it can't be reached, in order.
    """

    frames: tuple[Frame, ...]
    features: int | None
    control_point: bool = True
    zero_after_s: float = math.inf
    no_pace: int = 0
    silent_s: tuple[float, float] = (math.inf, math.inf)
    reset_at_s: float = math.inf
    source: str = ""
    name: str = "Virtual Rower"
    person: str = "trained"
    readings: Mapping[str, Reckoning] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)
    when_still: Mapping[str, float] = field(default_factory=dict)
    zeroed_by_stop: tuple[str, ...] = ()
    zeroed_by_piece: tuple[str, ...] = ()
    glitches: tuple[Glitch, ...] = ()
    advert: Advert = Advert()
    ranges: Mapping[str, bytes] = field(default_factory=dict)
    services: tuple[GattService, ...] = ()
    manners: Manners = Manners()
    absences: tuple[Absence, ...] = ()
