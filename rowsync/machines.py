"""Real machines: how each departs from the specification, where that was seen, and what rowsync does about it.

`QUIRKS` is the table.  A quirk that one rule mends for every machine is a row that names the rule; one that needs a
machine to be handled otherwise is a row with `handling`; one that can't meet a client like this one is a row that says
why.  Q1 to Q31 are numbered as in `docs/machines.md`, which is printed from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Handling:
    """How one machine wants to be handled; the defaults are a machine by the book.

    Attributes:
        starts_itself: it notifies without being asked for control and told to start.
        may_be_controlled: its control point may be written at all.
        only_rower_data: nothing but Rower Data may be subscribed, or it sends nothing.
        resume_every_s: it must be told to go on this often, or it leaves [s]; None for never.
        stroke_rate_scale: what its stroke rate is multiplied by.
        energy_scale: what its energy is multiplied by.
        counts_distance: its distance can be believed; else metres follow from its pace.
        zero_power_is_noise: a power of 0 between strokes means nothing.
        resistance_is_drag: its resistance level is Concept2's drag factor.
    """

    starts_itself: bool = True
    may_be_controlled: bool = True
    only_rower_data: bool = False
    resume_every_s: float | None = None
    stroke_rate_scale: float = 1.0
    energy_scale: float = 1.0
    counts_distance: bool = True
    zero_power_is_noise: bool = False
    resistance_is_drag: bool = False


class Remedy(StrEnum):
    """What is done about a quirk."""

    ROW = "handled by name"
    RULE = "a rule for every machine"
    NOT_MET = "can't meet this client"


@dataclass(frozen=True, slots=True)
class Quirk:
    """One way in which machines depart from the specification.

    Attributes:
        key: its number.
        what: what the machine does.
        seen_on: the machines, in words.
        source: where it was seen; QZ is qdomyos-zwift, TMIW TrackMyIndoorWorkout.
        remedy: what kind of answer there is.
        answer: the answer: what rowsync does, or why it needn't.
        names: beginnings of the advertised names that it is handled by, in lower case; `#` is any digit.
        handling: what differs from `Handling`'s defaults.
    """

    key: str
    what: str
    seen_on: str
    source: str
    remedy: Remedy
    answer: str
    names: tuple[str, ...] = ()
    handling: Mapping[str, Any] = field(default_factory=dict)


_START = {"starts_itself": False}
_ALONE = {"only_rower_data": True}

QUIRKS = (
    Quirk(
        "Q1",
        "sends the stroke rate in 1/min where the field counts halves",
        "WHIPR kayak, Kingsmith WR1",
        "QZ 097e23d20, 9f287ca8c (#1118)",
        Remedy.ROW,
        "the rate is doubled",
        ("whipr", "ks-wlt"),
        {"stroke_rate_scale": 2.0},
    ),
    Quirk(
        "Q2",
        "sends a power of 0 between real ones",
        "WHIPR kayak",
        "QZ a599e4ce4 (#653)",
        Remedy.ROW,
        "the last real power is held while strokes go on",
        ("whipr",),
        {"zero_power_is_noise": True},
    ),
    Quirk(
        "Q3",
        "repeats rate, pace and power for ever after a stop",
        "S4 Comms, DFIT-L-R, Concept2 and most others",
        "QZ 9a4baffe8 (#1424), 1ecee4cd3 (#1671), ff9c7f746 (#2006)",
        Remedy.RULE,
        "a stop is a stroke count that stands still (`telemetry.stop_after_s`)",
    ),
    Quirk(
        "Q4",
        "sends leftovers of another row while nobody rows",
        "Concept2 PM5",
        "QZ b8fc355ea (#3872)",
        Remedy.RULE,
        "a session counts from its own first packet, and a counter that jumps counts nothing (`telemetry.Counter`)",
    ),
    Quirk(
        "Q5",
        "sends a pace of 0 or 65535 at rest",
        "Christopeit ET6, JOROTO",
        "QZ 88c6091e2, d522dcb61",
        Remedy.RULE,
        "neither is a pace (`telemetry.PLAUSIBLE`)",
    ),
    Quirk(
        "Q6",
        "sends a distance that can't be used",
        "iConsole+, FitShow (FS-), MRK-R11S",
        "QZ 468bc8f87, f0ac2da4f, 5c0aa59be (#4198)",
        Remedy.ROW,
        "metres follow from the pace while strokes are counted",
        ("iconsole+", "fs-", "mrk-r11s-"),
        {"counts_distance": False},
    ),
    Quirk(
        "Q7",
        "sends ten times the energy",
        "FitShow and Merach under FS-",
        "QZ 1ed05fd12 (#4624)",
        Remedy.ROW,
        "the machine's energy is divided by ten",
        ("fs-",),
        {"energy_scale": 0.1},
    ),
    Quirk(
        "Q8",
        "its elapsed time jumps by a minute at minute boundaries",
        "WaterRower ComModule",
        "coxswain, BluetoothRower.durationDelta",
        Remedy.RULE,
        "time is this computer's; the machine's clock is kept beside it and decides nothing by itself",
    ),
    Quirk(
        "Q9",
        "stops notifying every other minute",
        "WaterRower ComModule",
        "coxswain, KeepAlive",
        Remedy.RULE,
        "after 2 s of silence notifications are asked for anew (`connection.Patience`)",
    ),
    Quirk(
        "Q10",
        "forces a bond, then refuses it, when its control point is written",
        "WaterRower ComModule 4.0 and 4.1",
        "coxswain, checkControlPoint",
        Remedy.ROW,
        "its control point is never written",
        ("s4 comms",),
        {"may_be_controlled": False},
    ),
    Quirk(
        "Q11",
        "drops the link on BlueZ with its services found and no characteristics in them",
        "WaterRower ComModule, software 1.30",
        "dervitti/waterrower-dashboard ADR-0001",
        Remedy.RULE,
        "a connection without Rower Data is tried again before it is given up",
    ),
    Quirk(
        "Q12",
        "notifies only after Request Control and Start",
        "I-ROWER, SF-RW, IROWER, MRK-R06",
        "QZ 88e8fe4d6, 6759fb9ec (#842), ad79beb44 (#1289), 8ce5ec846 (#4064)",
        Remedy.ROW,
        "it is started as soon as it is connected; any other machine when it has sent nothing for 3 s",
        ("i-rower", "irower", "sf-rw", "mrk-r06-"),
        _START,
    ),
    Quirk(
        "Q13",
        "sends nothing when more than Rower Data is subscribed",
        "those of Q12, DOMYOS-ROW-, TC and digits",
        "QZ fc29cd705 (#3320), 39288f134 (#4188)",
        Remedy.ROW,
        "nothing else is subscribed; any other machine that falls silent right after the rest was subscribed is "
        "connected again without it",
        ("i-rower", "irower", "sf-rw", "mrk-r06-", "domyos-row-", "tc#"),
        _ALONE,
    ),
    Quirk(
        "Q14",
        "leaves Bluetooth unless it is told to resume every 2 s",
        "AMS-670B (Kinomap-XG, H201 module)",
        "a public app's source; its repository isn't known any more",
        Remedy.ROW,
        "it is told to resume every 2 s",
        ("ams-670b", "kinomap-xg"),
        {"resume_every_s": 2.0, **_START},
    ),
    Quirk(
        "Q15",
        "sets a reserved flag and sends four more octets; a record in two frames",
        "Technogym Skillrow",
        "TMIW #320",
        Remedy.RULE,
        "reserved flags and octets after the last field are ignored and kept (`ftms`)",
    ),
    Quirk(
        "Q16",
        "sends one octet too many, and its drag factor as resistance",
        "Concept2 PM5, old FTMS",
        "TMIW concept2_old_ftms_test; QZ ba853da6d, cfaeb2953 (#335)",
        Remedy.ROW,
        "the octet is ignored for every machine; a PM's resistance is stored as the drag factor it is",
        ("pm5", "pm4", "concept2"),
        {"resistance_is_drag": True},
    ),
    Quirk(
        "Q17",
        "promises 22 octets and sends the 20 that fit",
        "Mr Captain (maker XG)",
        "TMIW #291",
        Remedy.RULE,
        "a record is read up to the first field that doesn't fit (`ftms`)",
    ),
    Quirk(
        "Q18",
        "sets its stroke count to 0 and says 66 spm on a stop, and keeps its distance",
        "Mr Captain",
        "TMIW #291, the last vector",
        Remedy.RULE,
        "counters only grow, each by itself (`telemetry.Counter`)",
    ),
    Quirk(
        "Q19",
        "has its power overwritten by the second of two frames",
        "machines that split a record (a client's mistake)",
        "QZ #4956",
        Remedy.RULE,
        "an absent field leaves the last value of its own; there is no joining (`telemetry`)",
    ),
    Quirk(
        "Q20",
        "says 66-80 spm at an unchanged count, 0 spm for the first strokes, and 69-75 s/500 m when rowing begins",
        "JOROTO MR280PRO",
        "QZ #4986, #5111",
        Remedy.RULE,
        "a rate far above what the count says gives way to the count; so does a pace right after a start "
        "(`telemetry.Telemetry`)",
    ),
    Quirk(
        "Q21",
        "sends no energy, or no power, or power that means nothing",
        "Merach R15, Skandika Munin, WDK, MRK-R26, CARE",
        "QZ #4941, 35abc2cd1, efdd4fdbc (#4676), #4971, #4824",
        Remedy.RULE,
        "energy is rowsync's own; power follows from pace, or from metres, and the source is said",
    ),
    Quirk(
        "Q22",
        "doesn't report its resistance",
        "Skandika Nordlys",
        "QZ 278add7a1 (#3667)",
        Remedy.RULE,
        "what isn't sent isn't measured",
    ),
    Quirk(
        "Q23",
        "has heart rates above 127 read as negative, or always sends 0",
        "a client's mistake; WaterRower and others",
        "QZ ef909a35d (#1501)",
        Remedy.RULE,
        "a heart rate is unsigned, and 0 is no heart rate (`telemetry.PLAUSIBLE`)",
    ),
    Quirk(
        "Q24",
        "advertises no service data; its distance is a fraction of the real one, and no energy",
        "YOSUDA",
        "TMIW #513",
        Remedy.RULE,
        "found by its service; the distance stays the machine's own, since no capture says by how much it is wrong",
    ),
    Quirk(
        "Q25",
        "advertises without the suffix Row on old firmware",
        "Concept2 PM5",
        "QZ #1856; ErgometerJS's recording",
        Remedy.RULE,
        "a name that begins with PM5 is a rower unless it says Ski or Bike (`may_row`)",
    ),
    Quirk(
        "Q26",
        "shows a speed while the stroke rate is 0",
        "Echelon Row",
        "QZ #1750",
        Remedy.RULE,
        "nobody rows without strokes",
    ),
    Quirk(
        "Q27",
        "talks to one program at a time",
        "WaterRower ComModule, Decathlon Woodrower",
        "ArduRower #6; Woodrower's CONTEXT",
        Remedy.RULE,
        "a rower that doesn't answer is said to be held, perhaps, by another app",
    ),
    Quirk(
        "Q28",
        "sends an octet too many",
        "QZ's own virtual rower",
        "QZ virtualrower.cpp, frame 0x032C",
        Remedy.RULE,
        "octets after the last field are ignored and kept (`ftms`)",
    ),
    Quirk(
        "Q29",
        "sends three frames on three clocks, energy after the last; no Feature, no Control Point, average pace 0",
        "First Degree Viking Pro V",
        "ArduRower #1",
        Remedy.RULE,
        "each field's latest value counts, and every step of the handshake is optional",
    ),
    Quirk(
        "Q30",
        "says absurd stroke rates after a pause; a drag factor of 995",
        "Concept2 PM5, firmware 22",
        "Concept2's forum, p=367234",
        Remedy.RULE,
        "the rate gives way to the count; a drag factor outside 30-300 isn't measured (`telemetry.PLAUSIBLE`)",
    ),
    Quirk(
        "Q31",
        "speaks its maker's own protocol and no FTMS, under a name that FTMS rowers share",
        "Topiom FS-442900",
        "QZ #4840, #4919",
        Remedy.NOT_MET,
        "there is no Rower Data to read; it is said plainly that the machine is no FTMS rower",
    ),
)

NAMES = (
    "cr 00",
    "kayakpro",
    "whipr",
    "h-181-",
    "s4 comms",
    "ks-wlt",
    "i-rower",
    "irower",
    "mrk-crydn-",
    "mrk-r06-",
    "mrk-r11s-",
    "mrk-r15-",
    "mrk-r26",
    "mrk-r28-",
    "yoroto-rw-",
    "joroto-",
    "sf-rw",
    "smartrower",
    "nordlys",
    "rower ",
    "coach 2",
    "rogue console",
    "dfit-l-r",
    "domyos-row-",
    "tc####",
    "wdk####",
    "pm5",
)
"""Beginnings of names under which rowers advertise, `#` for a digit (from QZ's device table)."""

OTHER_NAMES = ("smartrow", "ech-row", "rowsport-")
"""Rowers that speak a protocol of their own, and would only be connected in vain."""

OTHER_KINDS = ("ski", "bike")
"""What a Concept2's name ends with when it is no rower."""


def quirks_of(name: str) -> tuple[Quirk, ...]:
    """The rows that a machine of this advertised name is handled by."""
    return tuple(quirk for quirk in QUIRKS if _begins(name, quirk.names))


def handling_of(name: str) -> Handling:
    """How a machine of this advertised name wants to be handled."""
    handling = Handling()
    for quirk in quirks_of(name):
        handling = replace(handling, **quirk.handling)
    return handling


MEASURING = ("pm5", "pm4", "pm3", "concept2")
"""Beginnings of the names of machines whose watts were held against calibrated ergometers.

A Concept2 reads 3-5 % low in steady rowing (Lormes 1993; Treff 2022), and more in the first strokes after a stop.
"""


def measures_power(name: str) -> bool:
    """Whether a machine of this advertised name is known to measure the power that it sends."""
    return _begins(name, MEASURING)


def machine_key(machine: Mapping[str, Any]) -> str | None:
    """What makes a machine itself: its address, else its name; None where neither is known.

    Args:
        machine: `name` and `address`, as in the JSON of `show`.
    """
    address, name = machine.get("address"), machine.get("name")
    if isinstance(address, str) and address.strip():
        return address.strip().upper()
    return name.strip() or None if isinstance(name, str) else None


def rows_by_name(name: str) -> bool | None:
    """Whether a name is a rower's; None when it says nothing."""
    if _begins(name, OTHER_NAMES) and not _begins(name, NAMES):
        return False
    if not _begins(name, NAMES):
        return None
    return not name.casefold().rstrip().endswith(OTHER_KINDS)


def _begins(name: str, beginnings: tuple[str, ...]) -> bool:
    plain = re.sub(r"\d", "#", name.casefold())
    return any(plain.startswith(each) or name.casefold().startswith(each) for each in beginnings)
