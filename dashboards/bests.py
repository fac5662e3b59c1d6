"""What was best: power held for a time, and time over a distance, each with its day; chosen, then drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboards import drawing
from dashboards.history import dated_sessions
from rowsync.bests import SINCE_SCHEMA
from rowsync.wording import clock, long_date, measured

POWERS = re.compile(r"power_(\d+)s_w")
TIMES = re.compile(r"best_(\d+)m_s")
"""The index's columns of bests (docs/contract.md)."""

LABELLED_S = (5, 30, 60, 300, 1200, 3600)
"""The durations that have room for a word below the axis of a phone [s]."""


@dataclass(frozen=True, slots=True)
class Best:
    """One best.

    Attributes:
        over: how long it was held [s], or how far [m].
        value: power [W], or time [s].
        day: when, in this computer's time zone.
        session_id: in which session.
    """

    over: int
    value: float
    day: date
    session_id: str


@dataclass(frozen=True, slots=True)
class BestsChart:
    """What is best.

    Attributes:
        powers: the highest mean power for each duration, the shortest first.
        times: the shortest time for each distance, the shortest first.
        unknown: how many sessions are older than bests, so that nothing of them is here.
    """

    powers: tuple[Best, ...] = ()
    times: tuple[Best, ...] = ()
    unknown: int = 0


def bests_chart(index: pd.DataFrame) -> BestsChart:
    """Chooses the bests of sessions; of equal ones the first.

    Args:
        index: one row per session.
    """
    dated = dated_sessions(index)
    sessions = index.loc[dated.index].assign(started_at=dated["started_at"])
    unknown = int((sessions["schema"] < SINCE_SCHEMA).sum()) if "schema" in sessions else 0
    return BestsChart(_bests(sessions, POWERS, "idxmax"), _bests(sessions, TIMES, "idxmin"), unknown)


def _bests(sessions: pd.DataFrame, columns: re.Pattern[str], best: str) -> tuple[Best, ...]:
    found = []
    for column in sessions.columns:
        if (named := columns.fullmatch(str(column))) is None:
            continue
        values = pd.to_numeric(sessions[column], errors="coerce").dropna()
        if not values.empty:
            row = getattr(values, best)()
            session = sessions.loc[row]
            day = session["started_at"].date()
            found.append(Best(int(named[1]), float(values[row]), day, str(session["session_id"])))
    return tuple(sorted(found, key=lambda each: each.over))


def bests_figure(chart: BestsChart) -> go.Figure:
    """Draws the power curve: power over the time that it was held, a logarithm apart."""
    ticks = [best.over for best in chart.powers]
    return go.Figure(
        data=[
            go.Scatter(
                x=ticks,
                y=drawing.packed([round(best.value, 1) for best in chart.powers]),
                uid="curve",
                mode="lines+markers",
                line={"color": drawing.POWER, "width": 2},
                marker={"color": drawing.POWER, "size": 7},
                text=[f"{held(best.over)}: {best.value:.0f} W<br>{long_date(best.day)}" for best in chart.powers],
                hovertemplate="%{text}<extra></extra>",
            )
        ],
        layout=drawing.layout(
            280,
            hovermode="closest",
            annotations=[drawing.panel_title("highest mean power [W]", 1)],
            xaxis=_duration_axis(ticks),
            yaxis=drawing.axis(rangemode="tozero", nticks=5, fixedrange=True),
        ),
    )


def _duration_axis(ticks: list[int]) -> dict[str, Any]:
    return drawing.axis(
        type="log",
        tickvals=[each for each in ticks if each in LABELLED_S],
        ticktext=[held(each) for each in ticks if each in LABELLED_S],
        tickangle=0,
        fixedrange=True,
        title={"text": "held for", "font": {"color": drawing.QUIET, "size": 12}, "standoff": 8},
    )


def held(duration_s: int) -> str:
    """How long something was held, short enough to stand below an axis: `30 s`, `6 min`."""
    return f"{duration_s} s" if duration_s < 60 else f"{duration_s // 60} min"


def race_time(time_s: float) -> str:
    """A time over a distance as rowers write it, to a tenth: `1:45.3`."""
    known = measured(time_s) or 0.0
    tenths = round(known * 10)
    return f"{clock(tenths // 10)}.{tenths % 10}"
