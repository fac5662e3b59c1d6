"""Which columns other tools write, by what names and in which units: the table that `table` reads by.

Names are compared in lower case and without the blanks around them.  A quantity that has two columns is their sum; the
names of one column are variants of it.  A layout is recognised by the quantities that it needs, the first that fits.

Sources: files of the tools themselves, in the test data of rowingdata and rowing-tracker (both MIT).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import mul
from typing import NamedTuple

from rowsync.imports.cells import moment, number, seconds, text, unix_moment


class Column(NamedTuple):
    """One column.

    Attributes:
        quantity: a field of `Point`; or "moment" (date and time), "duration_s" (which is added to it), "new_strokes"
            (strokes that the line adds), or "row" (a new value begins a new row).
        names: what files call it, in lower case.
        read: what a cell says; raises ValueError where it says nothing of the kind.
        convert: what it says in the quantity's unit.
    """

    quantity: str
    names: tuple[str, ...]
    read: Callable[[str], object] = number
    convert: Callable[[float], float] | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """One tool's table.

    Attributes:
        kind: the tool, in words.
        needs: the quantities without which a table isn't of this kind.
        columns: its columns.
        machine: what it was rowed on, where the tool serves only that.
    """

    kind: str
    needs: tuple[str, ...]
    columns: tuple[Column, ...]
    machine: str = ""


_milliseconds = partial(mul, 1e-3)


def _pace_of_km_per_h(speed_km_per_h: float) -> float:
    return 1800.0 / speed_km_per_h if speed_km_per_h > 0 else 0.0


def _one_unless(value: float) -> float:
    """Painsled's kind of a line: 0 is a stroke, 1 is none."""
    return float(value == 0)


LAYOUTS = (
    Layout(
        "Concept2 logbook",
        needs=("stroke_count", "time_s", "distance_m"),
        columns=(
            Column("stroke_count", ("number", "stroke number")),
            Column("time_s", ("time (seconds)",), seconds),
            Column("distance_m", ("distance (meters)",)),
            Column("pace_s_per_500m", ("pace (seconds)", "pace (seconds per 500m", "pace (seconds per 500m)"), seconds),
            Column("power_w", ("watts",)),
            Column("stroke_rate_spm", ("stroke rate",)),
            Column("heart_rate_bpm", ("heart rate",)),
        ),
        machine="Concept2",
    ),
    Layout(
        "ErgStick",
        needs=("time_s", "distance_m", "stroke_count"),
        columns=(
            Column("part", ("interval count",), text),
            Column("time_s", ("total elapsed time (s)",), seconds),
            Column("distance_m", ("total distance (m)",)),
            Column("stroke_count", ("stroke count",)),
            Column("stroke_rate_spm", ("stroke rate (/min)",)),
            Column("pace_s_per_500m", ("current pace (/500m)",), seconds),
            Column("power_w", ("stroke power (w)",)),
            Column("heart_rate_bpm", ("current heart rate (bpm)",)),
        ),
        machine="Concept2",
    ),
    Layout(
        "Painsled",
        needs=("moment", "duration_s", "distance_m"),
        columns=(
            Column("row", ("workout.startms",), text),
            Column("part", ("stroke.intervalnumber",), text),
            Column("moment", ("stroke.drivestartms",), moment),
            Column("duration_s", ("stroke.stroketimems",), convert=_milliseconds),
            Column("new_strokes", ("stroke.stroketype",), convert=_one_unless),
            Column("distance_m", ("stroke.startintervalmeter",)),
            Column("distance_m", ("stroke.strokemeters",), convert=partial(max, 0.0)),
            Column("stroke_rate_spm", ("stroke.strokespermin",)),
            Column("pace_s_per_500m", ("stroke.pacesecper1k",), convert=partial(mul, 0.5)),
            Column("power_w", ("stroke.watts",)),
            Column("heart_rate_bpm", ("stroke.hrbpm",)),
        ),
        machine="Concept2",
    ),
    Layout(
        "RP3",
        needs=("time_s", "distance_m", "stroke_count", "part"),
        columns=(
            Column("part", ("workout_interval_id",), text),
            Column("time_s", ("time",), seconds),
            Column("distance_m", ("distance",)),
            Column("stroke_count", ("stroke_number",)),
            Column("stroke_rate_spm", ("stroke_rate",)),
            Column("pace_s_per_500m", ("estimated_500m_time",), seconds),
            Column("power_w", ("power",)),
            Column("heart_rate_bpm", ("pulse",)),
        ),
        machine="RP3",
    ),
    Layout(
        "SmartRow",
        needs=("stroke_count", "time_s", "distance_m"),
        columns=(
            Column("moment", ("timestamp (utc)",), moment),
            Column("stroke_count", ("stroke (#)",)),
            Column("time_s", ("second (#)",), seconds),
            Column("distance_m", ("distance (m)",)),
            Column("stroke_rate_spm", ("stroke rate (spm)",)),
            Column("pace_s_per_500m", ("actual split (s)",), seconds),
            Column("power_w", ("actual power (w)",)),
            Column("heart_rate_bpm", ("heart rate (bpm)",)),
        ),
        machine="WaterRower with SmartRow",
    ),
    Layout(
        "BoatCoach",
        needs=("time_s", "distance_m", "stroke_count"),
        columns=(
            Column("part", ("intervalcount",), text),
            Column("time_s", ("worktime",), seconds),
            Column("time_s", ("resttime",), seconds),
            Column("distance_m", ("workdistance",)),
            Column("stroke_count", ("strokecount",)),
            Column("stroke_rate_spm", ("strokerate",)),
            Column("pace_s_per_500m", ("stroke500mpace",), seconds),
            Column("power_w", ("strokepower",)),
            Column("heart_rate_bpm", ("currentheartrate",)),
        ),
        machine="Concept2",
    ),
    Layout(
        "Kinomap",
        needs=("moment", "distance_m", "stroke_rate_spm", "power_w"),
        columns=(
            Column("moment", ("date",), moment),
            Column("distance_m", ("distance",)),
            Column("stroke_rate_spm", ("cadence",)),
            Column("pace_s_per_500m", ("speed",), convert=_pace_of_km_per_h),
            Column("power_w", ("power",)),
            Column("heart_rate_bpm", ("heart rate",)),
        ),
    ),
    Layout(
        "rowingdata",
        needs=("moment", "distance_m"),
        columns=(
            Column("part", ("lapidx",), text),
            Column("moment", ("timestamp (sec)",), unix_moment),
            Column("time_s", ("elapsedtime (sec)",), seconds),
            Column("distance_m", ("cum_dist", "horizontal (meters)")),
            Column("stroke_rate_spm", ("cadence (stokes/min)", "cadence (strokes/min)")),
            Column("pace_s_per_500m", ("stroke500mpace (sec/500m)",), seconds),
            Column("power_w", ("power (watts)",)),
            Column("heart_rate_bpm", ("hrcur (bpm)",)),
        ),
    ),
)
