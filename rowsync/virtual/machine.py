"""Machines' personalities as data: `MACHINES` is the table, each row with the place where it was seen.

The words that the rows are made of are in `model`; who speaks for a row is `console.Console`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import replace

from rowsync import concept2, ftms
from rowsync.virtual.console import PACES, Console
from rowsync.virtual.model import (
    MACHINE_TYPE_BIKE,
    Absence,
    Advert,
    Event,
    Frame,
    GattCharacteristic,
    GattService,
    Glitch,
    MachineModel,
    Manners,
    battery,
    device_information,
    service_data,
)
from rowsync.virtual.rower import RowerState

__all__ = ["ENERGY", "LIVE", "MACHINES", "NEIGHBOURS", "STANDARD", "Console", "Frame", "MachineModel"]

LIVE = ("stroke_rate_spm", "stroke_count", "total_distance_m", "instantaneous_pace_s_per_500m")
LIVE_AND_TIME = (*LIVE, "elapsed_time_s")
ENERGY = ("total_energy_kcal", "energy_per_hour_kcal", "energy_per_minute_kcal")


# --- what some machines reckon in their own way -----------------------------------------------------------------------


def _mean_kcal_per_hour(state: RowerState) -> int:
    return math.floor(math.floor(state.energy_kcal) * 3600 / state.elapsed_s) if state.elapsed_s > 1 else 0


def _mean_kcal_per_minute(state: RowerState) -> int:
    return min(254, _mean_kcal_per_hour(state) // 60)


def _elapsed_minute_too_early(state: RowerState) -> int:
    """59 s are shown as 119 s: the minute turns before the second does."""
    elapsed_s = math.floor(state.elapsed_s)
    return elapsed_s + 60 if elapsed_s % 60 == 59 else elapsed_s


# --- the table --------------------------------------------------------------------------------------------------------

_EACH_STROKE = (Event.STROKE,)

# Fitness Machine Feature, first word (FTMS v1.0, 4.3).
_CADENCE, _DISTANCE, _PACE, _RESISTANCE = 1 << 1, 1 << 2, 1 << 5, 1 << 7
_ENERGY, _HEART_RATE, _ELAPSED, _POWER = 1 << 9, 1 << 10, 1 << 12, 1 << 14

STANDARD_FEATURES = _DISTANCE | _PACE | _ENERGY | _HEART_RATE | _ELAPSED | _POWER

STANDARD = MachineModel(
    frames=(Frame((*LIVE, "instantaneous_power_w", *ENERGY, "heart_rate_bpm", "elapsed_time_s"), period_s=0.5),),
    features=STANDARD_FEATURES,
    zero_after_s=6.0,
    ranges={ftms.RESISTANCE_RANGE: struct.pack("<hhH", 10, 100, 10), ftms.POWER_RANGE: struct.pack("<hhH", 0, 1000, 5)},
    services=(
        device_information(maker="rowsync", model="Virtual Rower", serial="0001", firmware="1"),
        battery(80),
    ),
    source="all that fits into 20 octets, by the book; no real machine",
)
"""Its resistance goes from 1 to 10 in steps of 1, its power from 0 to 1000 W in steps of 5 (FTMS v1.0, 4.13, 4.14)."""


_WHIPR = Frame((*LIVE_AND_TIME, "instantaneous_power_w"), period_s=1.0)

_INFORMATION = {
    "ce060011": b"PM5",
    "ce060012": b"430000000",
    "ce060013": b"340",
    "ce060014": b"8200-000320-020.000",
    "ce060015": b"Concept2",
    "ce060016": b"\x00",
}
"""The hardware and firmware of the PM5 that was recorded on 6 March 2016 (ErgometerJS row100meter)."""


def _native(characteristic: str, period_s: float | None = None, on: tuple[Event, ...] = ()) -> Frame:
    """A frame of Concept2's with all its fields."""
    fields = {field.name: None for field in concept2.LAYOUTS[characteristic]}
    multiplexed = {field.name: None for field in concept2.MULTIPLEXED_LAYOUTS[characteristic]}
    return Frame(tuple(fields | multiplexed), period_s, on=on, characteristic=characteristic)


def _rowing_service(carriers: tuple[str, ...]) -> GattService:
    notified = (GattCharacteristic(carrier, "NOTIFY") for carrier in carriers)
    sample_rate = GattCharacteristic(concept2.SAMPLE_RATE, "READ,WRITE", b"\x01")
    return GattService(concept2.ROWING_SERVICE, (*notified, sample_rate))


_EACH_PIECE = (Event.PIECE, Event.END)

PM5_NATIVE = MachineModel(
    frames=(
        _native("ce060031", 0.5),
        _native("ce060032", 0.5),
        _native("ce060033", 0.5),
        _native("ce060035", on=(Event.DRIVE, Event.STROKE)),
        _native("ce060036", on=(Event.DRIVE,)),
        _native("ce060037", on=_EACH_PIECE),
        _native("ce060038", on=_EACH_PIECE),
        _native("ce060039", on=(Event.END,)),
        _native("ce06003a", on=(Event.END,)),
    ),
    features=None,
    control_point=False,
    name="PM5 430000000",
    zeroed_by_piece=("elapsed_s", "stroke_count", "distance_m", "energy_kcal"),
    advert=Advert(services=(concept2.ADVERTISED,), data=b""),
    services=(
        GattService(
            concept2.INFORMATION_SERVICE,
            tuple(GattCharacteristic(uuid, value=value) for uuid, value in _INFORMATION.items()),
        ),
        GattService(
            concept2.CONTROL_SERVICE,
            (GattCharacteristic("ce060021", "WRITE"), GattCharacteristic("ce060022", "READ,NOTIFY")),
        ),
        _rowing_service(tuple(concept2.LAYOUTS)),
    ),
    source="Concept2 PM5 without FTMS: its own services; counters begin again with each interval, values frozen after "
    "a stop (Concept2's interface definition 1.30; OpenRowingMonitor PM5_Interface; ErgometerJS row100meter)",
)

MACHINES: Mapping[str, MachineModel] = {
    "standard": STANDARD,
    "pace-only": MachineModel(
        frames=(Frame((*LIVE, "elapsed_time_s"), period_s=1.0),),
        features=_DISTANCE | _PACE | _ELAPSED,
        no_pace=0xFFFF,
        source="no power and no energy: Merach R15, Skandika Munin, MRK-R26 (qdomyos-zwift #4941, 35abc2cd1, #4971)",
    ),
    "viking": MachineModel(
        frames=(
            Frame(("total_distance_m", "heart_rate_bpm", "elapsed_time_s"), period_s=1.0, more_data=True),
            Frame(
                (
                    "stroke_rate_spm",
                    "stroke_count",
                    "instantaneous_pace_s_per_500m",
                    "instantaneous_power_w",
                    "average_power_w",
                    "resistance_level",
                ),
                on=_EACH_STROKE,
                zeros=("average_pace_s_per_500m",),
            ),
            Frame(ENERGY, on=_EACH_STROKE, more_data=True),
        ),
        features=None,
        control_point=False,
        services=(device_information(software="202101112230"), battery(100)),
        source="First Degree Viking Pro V: three frames on three clocks, the energy after the last (ArduRower #1)",
    ),
    "dropout": replace(
        STANDARD,
        silent_s=(390.0, 400.0),
        source="a link that stands while nothing comes: ComModule (coxswain's KeepAlive)",
    ),
    "resetting": replace(
        STANDARD,
        reset_at_s=630.0,
        source="counters that begin again: stroke count of Mr Captain (TrackMyIndoorWorkout #291), Concept2 intervals",
    ),
    "pm5": MachineModel(
        frames=(
            Frame(
                (
                    "average_stroke_rate_spm",
                    "total_distance_m",
                    *PACES,
                    "instantaneous_power_w",
                    "average_power_w",
                    "resistance_level",
                    "heart_rate_bpm",
                    "elapsed_time_s",
                ),
                period_s=0.5,
                more_data=True,
                extra=b"\x00",
            ),
            Frame(("stroke_rate_spm", "stroke_count", "total_energy_kcal", "energy_per_hour_kcal"), period_s=0.5),
        ),
        features=_CADENCE | _DISTANCE | _PACE | _RESISTANCE | _ENERGY | _HEART_RATE | _ELAPSED | _POWER,
        source="Concept2 PM5, old FTMS: pair 0x0AFF and 0x0100, one octet too many, values frozen after a stop "
        "(TrackMyIndoorWorkout concept2_old_ftms_test; qdomyos-zwift #335, #1671)",
    ),
    "mr-captain": MachineModel(
        frames=(
            Frame(
                (*LIVE, "average_pace_s_per_500m", "instantaneous_power_w", *ENERGY, "elapsed_time_s"),
                period_s=1.0,
                zeros=("heart_rate_bpm",),
                cut_octets=20,
            ),
        ),
        features=_DISTANCE | _PACE | _ENERGY | _HEART_RATE | _ELAPSED | _POWER,
        zero_after_s=4.0,
        name="Mr Captain",
        readings={"energy_per_hour_kcal": _mean_kcal_per_hour, "energy_per_minute_kcal": _mean_kcal_per_minute},
        when_still={"stroke_rate_spm": 66.0},
        zeroed_by_stop=("stroke_count",),
        source="Mr Captain (maker XG): flags promise 22 octets and 20 come; on a stop 0 strokes and 66 spm; kcal/h is "
        "the session's mean (TrackMyIndoorWorkout #291)",
    ),
    "kayakpro": MachineModel(
        frames=(Frame((*LIVE, "instantaneous_power_w", "energy_per_hour_kcal", "elapsed_time_s"), period_s=1.0),),
        features=_DISTANCE | _PACE | _ENERGY | _ELAPSED | _POWER,
        name="KAYAKPRO 1",
        person="kayaker",
        source="KayakPro Genesis Port: no total energy; pulls on both sides count, up to 88 a minute "
        "(TrackMyIndoorWorkout kayak_pro_test)",
    ),
    "joroto": MachineModel(
        frames=(Frame((*LIVE, "instantaneous_power_w", "elapsed_time_s"), period_s=1.0),),
        features=_DISTANCE | _PACE | _ELAPSED | _POWER,
        zero_after_s=6.0,
        no_pace=0xFFFF,
        name="JOROTO-MR280PRO",
        glitches=(
            Glitch("stroke_rate_spm", 66, 80, chance=0.08),
            Glitch("stroke_rate_spm", 0, 0, first_strokes=(2, 5)),
            Glitch("instantaneous_pace_s_per_500m", 69, 75, first_strokes=(1, 3)),
        ),
        source="JOROTO MR280PRO: 66-80 spm while no stroke is counted, 0 spm in the first strokes, 69-75 s/500 m as "
        "rowing begins (qdomyos-zwift #4986, #5111)",
    ),
    "waterrower": MachineModel(
        frames=STANDARD.frames,
        features=STANDARD_FEATURES | _CADENCE,
        name="S4 COMMS 97",
        readings={"elapsed_time_s": _elapsed_minute_too_early},
        services=(device_information(maker="WaterRower", model="S4 ComModule", firmware="4.1"),),
        manners=Manners(drops_when_controlled=True, tires_after_s=120.0),
        source="WaterRower ComModule 4.x: 0x0B2C, frozen after a stop, a minute too much at each minute's end, silent "
        "every other minute until asked anew, no control (coxswain's BluetoothRower)",
    ),
    "start-needed": replace(
        STANDARD,
        name="I-ROWER 1",
        services=(),
        manners=Manners(needs_start=True),
        source="I-ROWER, SF-RW, MRK-R06: nothing before Request Control and Start (qdomyos-zwift #842, #1289, #4064)",
    ),
    "ftms-only": replace(
        STANDARD,
        name="DOMYOS-ROW-0001",
        services=(),
        manners=Manners(only_data=True),
        source="DOMYOS-ROW-: nothing when more than Rower Data is subscribed (qdomyos-zwift #3320, #4188)",
    ),
    "disconnecting": replace(
        STANDARD,
        absences=tuple(Absence(at_s, for_s) for at_s, for_s in ((40, 5), (100, 1), (230, 15), (600, 8), (1200, 30))),
        source="a machine that loses its link and is back after some seconds, having counted on; no particular one",
    ),
    "switched-off": replace(
        STANDARD,
        absences=(Absence(300.0, 20.0, off=True),),
        source="a machine that is switched off in the middle and counts from 0 afterwards; no particular one",
    ),
    "half-open": replace(
        STANDARD,
        absences=(Absence(200.0, 40.0, link_stands=True),),
        source="a link that stands while nothing is sent and nothing answered, as after a monitor's crash",
    ),
    "no-service-data": MachineModel(
        frames=(Frame((*LIVE, "instantaneous_power_w", "elapsed_time_s"), period_s=1.0),),
        features=None,
        name="ROWER 0024",
        advert=Advert(data=b""),
        source="found by its service or its name alone, like YOSUDA; no Feature (TrackMyIndoorWorkout #513)",
    ),
    "whipr": MachineModel(
        frames=(_WHIPR, replace(_WHIPR, fields=LIVE_AND_TIME, zeros=("instantaneous_power_w",))),
        features=_DISTANCE | _PACE | _ELAPSED | _POWER,
        name="WHIPR 1",
        scales={"stroke_rate_spm": 0.5},
        source="WHIPR: a stroke rate in 1/min where halves are due, and every other power is 0 (qdomyos-zwift "
        "097e23d20, a599e4ce4)",
    ),
    "fitshow": replace(
        STANDARD,
        name="FS-1C2D3E",
        services=(),
        scales={"total_energy_kcal": 10.0},
        source="FitShow and Merach under FS-: ten times the energy (qdomyos-zwift #4624)",
    ),
    "keep-alive": replace(
        STANDARD,
        name="AMS-670B",
        services=(),
        manners=Manners(keep_alive_s=3.0),
        source="AMS-670B: leaves unless it is told to resume every 2 s (a public app's source); that it has a second's "
        "patience is an assumption",
    ),
    "pm5-native": PM5_NATIVE,
    "pm5-native-mux": replace(
        PM5_NATIVE,
        frames=tuple(replace(frame, via=concept2.MULTIPLEXED) for frame in PM5_NATIVE.frames),
        services=(*PM5_NATIVE.services[:-1], _rowing_service((concept2.MULTIPLEXED,))),
        source="the same, all frames behind one characteristic",
    ),
}
"""The machines that are rowed."""

NEIGHBOURS: Mapping[str, MachineModel] = {
    "bike": MachineModel(
        frames=(Frame((), period_s=1.0, characteristic="2ad2", extra=bytes.fromhex("44 00 c4 09 a0 00 96 00")),),
        features=_CADENCE | _POWER,
        name="Virtual Bike",
        advert=Advert(data=service_data(MACHINE_TYPE_BIKE)),
        source="an indoor bike: 25 km/h, 80/min, 150 W for ever (Indoor Bike Data, FTMS v1.0, 4.9)",
    ),
    "stranger": MachineModel(
        frames=(),
        features=None,
        name="\x1b[2J\x1b[31m\u202eRower\r\n",
        advert=Advert(services=("180f",), data=b""),
        services=(battery(50),),
        source="any device with a name that would like to write on somebody's terminal",
    ),
    "strap": MachineModel(
        frames=(),
        features=None,
        name="Somebody's strap",
        advert=Advert(services=("180d",), data=b""),
        source="a heart-rate strap of somebody else's, which measures nothing",
    ),
}
"""What else may be in the air, and isn't rowed."""
