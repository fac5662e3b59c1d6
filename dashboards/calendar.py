"""The calendar of a year's rowing: choose what each day shows, then draw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import plotly.graph_objects as go

from dashboards import drawing
from dashboards.history import dated_sessions
from rowsync.wording import WEEKDAYS, count, measured
from rowsync.wording import day as in_full

WEEKS = 53
LIGHTEST = 0.18
"""How much of the colour the shortest row has: enough to be seen beside none."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day with rowing.

    Attributes:
        day: which, in this computer's time zone.
        sessions: how many.
        duration_s: how long they were [s]; None where that isn't known.
        gross_kcal: their gross energy [kcal]; None where that isn't known.
    """

    day: date
    sessions: int
    duration_s: float | None
    gross_kcal: float | None


@dataclass(frozen=True, slots=True)
class CalendarChart:
    """What the calendar shows.

    Attributes:
        first_monday: where it begins; None without a session.
        days: the days with rowing, oldest first.
    """

    first_monday: date | None = None
    days: tuple[Day, ...] = ()


def calendar_chart(index: pd.DataFrame) -> CalendarChart:
    """Chooses what the calendar shows: the year up to the week of the last session.

    Args:
        index: one row per session.
    """
    dated = dated_sessions(index)
    if dated.empty:
        return CalendarChart()
    days = dated["started_at"].dt.date
    last = max(days)
    first = last - timedelta(days=last.weekday(), weeks=WEEKS - 1)
    shown = dated[days >= first]
    grouped = shown.groupby(days[days >= first])
    totals, sessions = grouped[["duration_s", "gross_kcal"]].sum(min_count=1), grouped.size()
    rowed = (
        Day(day, int(sessions[day]), measured(totals.at[day, "duration_s"]), measured(totals.at[day, "gross_kcal"]))
        for day in sessions.index
    )
    return CalendarChart(first, tuple(rowed))


def calendar_figure(chart: CalendarChart) -> go.Figure:
    """Draws a column a week and a row a weekday; the longer a day's rowing, the stronger its colour."""
    mondays = [(chart.first_monday or date.min) + timedelta(weeks=week) for week in range(WEEKS)]
    minutes: list[list[float | None]] = [[None] * WEEKS for _ in WEEKDAYS]
    words = [[""] * WEEKS for _ in WEEKDAYS]
    for day in chart.days:
        week, weekday = divmod((day.day - mondays[0]).days, 7)
        minutes[weekday][week], words[weekday][week] = round((day.duration_s or 0.0) / 60), in_words(day)
    return go.Figure(
        data=[
            go.Heatmap(
                x=[monday.isoformat() for monday in mondays],
                y=[name[:2] for name in WEEKDAYS],
                z=[drawing.packed(row) for row in minutes],
                text=words,
                uid="calendar",
                colorscale=[[0, drawing.faded(drawing.POWER, LIGHTEST)], [1, drawing.faded(drawing.POWER, 1)]],
                zmin=0,
                showscale=False,
                xgap=2,
                ygap=2,
                hoverongaps=False,
                hovertemplate="%{text}<extra></extra>",
            )
        ],
        layout=drawing.layout(
            200,
            hovermode="closest",
            xaxis=drawing.axis(type="date", showgrid=False, tickformat="%b\n%Y", nticks=8, fixedrange=True),
            yaxis=drawing.axis(autorange="reversed", showgrid=False, fixedrange=True),
        ),
    )


def in_words(day: Day) -> str:
    """A day's rowing, as one says it."""
    parts = [count(day.sessions, "session")]
    parts += [] if day.duration_s is None else [f"{day.duration_s / 60:.0f} min"]
    parts += [] if day.gross_kcal is None else [f"{day.gross_kcal:.0f} kcal"]
    return f"{in_full(day.day)}: {', '.join(parts)}"
