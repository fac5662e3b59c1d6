"""The history's charts: choose what is shown by ISO week, then draw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboards import drawing
from rowsync.wording import MONTHS, count, measured, moment

SUMMED = ("gross_kcal", "low_kcal", "high_kcal")
BAR_WIDTH_MS = 0.75 * 7 * 24 * 3600 * 1000  # plotly makes the only bar on an axis of dates a millisecond wide
MOST_WEEKS = 1_040  # twenty years; a clock set wrong must not stretch the axis to 1970


@dataclass(frozen=True, slots=True)
class Week:
    """One ISO week; without a session its energy is 0, and None where none of its sessions' energy is known.

    Attributes:
        monday: its first day, in this computer's time zone.
        sessions: how many.
        sessions_with_energy: how many of them the energy is known of.
        gross_kcal: gross energy of these [kcal].
        low_kcal: sum of their ranges' lower ends [kcal].
        high_kcal: sum of their ranges' upper ends [kcal].
    """

    monday: date
    sessions: int
    sessions_with_energy: int
    gross_kcal: float | None
    low_kcal: float | None
    high_kcal: float | None


@dataclass(frozen=True, slots=True)
class HardSession:
    """The hard rounds of one session.

    Attributes:
        day: when, in this computer's time zone.
        rounds: how many, where that is known.
        mean_power_w: their mean power [W].
    """

    day: date
    rounds: int | None
    mean_power_w: float


@dataclass(frozen=True, slots=True)
class HistoryChart:
    """What the history's chart shows.

    Attributes:
        weeks: every week from the first session to the last, the empty ones too.
        hard: the sessions with hard rounds, oldest first.
    """

    weeks: tuple[Week, ...]
    hard: tuple[HardSession, ...]


# --- choose -----------------------------------------------------------------------------------------------------------


def history_chart(index: pd.DataFrame) -> HistoryChart:
    """Chooses what the history shows.

    The ranges of a week's sessions are added up end by end: the model errs the same way for the same rower each time,
    so its errors do not cancel.

    Args:
        index: one row per session.
    """
    dated = _dated(index)
    if dated.empty:
        return HistoryChart((), ())
    days = dated["started_at"]
    mondays = days.dt.normalize() - pd.to_timedelta(days.dt.day_of_week, unit="D")
    grouped = dated.groupby(mondays.dt.date)
    totals = grouped[list(SUMMED)].sum(min_count=1)
    sessions, known = grouped.size(), grouped["gross_kcal"].count()
    last = max(sessions.index)
    first = max(min(sessions.index), last - timedelta(weeks=MOST_WEEKS - 1))
    weeks = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    return HistoryChart(tuple(_week(monday, sessions, known, totals) for monday in weeks), _hard_sessions(dated))


def counted(index: pd.DataFrame) -> pd.DataFrame:
    """The sessions that totals and charts count: what a person rowed; where nobody has, what a program did."""
    if "origin" not in index:
        return index
    rowed = index[index["origin"] != "synthetic"]
    return index if rowed.empty else rowed


def _dated(index: pd.DataFrame) -> pd.DataFrame:
    """The sessions with a time stamp, oldest first, with every column the charts read."""
    columns = [*SUMMED, "hard_intervals", "mean_hard_power_w"]
    dated = index.reindex(columns=["started_at", *columns])
    local = [pd.NaT if at is None else pd.Timestamp(at.replace(tzinfo=None)) for at in map(moment, dated["started_at"])]
    dated["started_at"] = pd.Series(local, index=dated.index, dtype="datetime64[us]")
    for column in columns:
        dated[column] = pd.to_numeric(dated[column], errors="coerce").astype("float64")
    return dated.dropna(subset=["started_at"]).sort_values("started_at", kind="stable")


def _week(monday: date, sessions: pd.Series[int], known: pd.Series[int], totals: pd.DataFrame) -> Week:
    if monday not in sessions.index:
        return Week(monday, 0, 0, 0.0, None, None)
    gross, low, high = (measured(totals.at[monday, column]) for column in SUMMED)
    return Week(monday, int(sessions[monday]), int(known[monday]), gross, low, high)


def _hard_sessions(dated: pd.DataFrame) -> tuple[HardSession, ...]:
    known = dated.dropna(subset=["mean_hard_power_w"])
    columns = (known["started_at"], known["hard_intervals"], known["mean_hard_power_w"])
    return tuple(
        HardSession(at.date(), None if pd.isna(rounds) else int(rounds), round(float(power_w), 1))
        for at, rounds, power_w in zip(*columns, strict=True)
    )


# --- draw -------------------------------------------------------------------------------------------------------------


def history_figure(chart: HistoryChart) -> go.Figure:
    """Draws the weeks as bars (energy with its range, sessions) and the hard rounds' power as points."""
    titles = ["gross energy by week [kcal]", "sessions by week"]
    if chart.hard:
        titles.append("mean power of the hard rounds [W]")
    height_px = 150 * len(titles) + 62
    domains = drawing.panel_domains(len(titles), between=34 / (height_px - 68))
    figure = go.Figure(
        data=[_energy_bars(chart), _session_bars(chart), *([_hard_points(chart)] if chart.hard else [])],
        layout=drawing.layout(
            height_px,
            hovermode="closest",
            annotations=[drawing.panel_title(title, top) for title, (_, top) in zip(titles, domains, strict=True)],
            xaxis=_week_axis(chart, len(titles)),
        ),
    )
    for number, domain in enumerate(domains, start=1):
        figure.update_layout({f"yaxis{number}": _value_axis(chart, number, domain)})
    return figure


def _energy_bars(chart: HistoryChart) -> go.Bar:
    above, below, ranges = zip(*map(_range, chart.weeks), strict=True) if chart.weeks else ((), (), ())
    return go.Bar(
        x=_middles(chart),
        y=drawing.packed([None if week.gross_kcal is None else round(week.gross_kcal) for week in chart.weeks]),
        text=[name + span for name, span in zip(_week_names(chart), ranges, strict=True)],
        textposition="none",
        uid="energy",
        width=BAR_WIDTH_MS,
        marker={"color": drawing.ENERGY, "line": {"width": 0}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": drawing.packed(above),
            "arrayminus": drawing.packed(below),
            "color": drawing.INK,
            "thickness": 1,
            "width": 3 if len(chart.weeks) <= 60 else 0,
        },
        hovertemplate="%{text}<extra></extra>",
    )


def _range(week: Week) -> tuple[float | None, float | None, str]:
    """How far a week's range reaches above and below its bar, and both in words."""
    if week.gross_kcal is None:
        return None, None, "<br>energy not measured"
    words = f"<br>{week.gross_kcal:.0f} kcal"
    of_some = f"<br>from {week.sessions_with_energy} of {count(week.sessions, 'session')}"
    some = of_some if week.sessions_with_energy < week.sessions else ""
    if week.low_kcal is None or week.high_kcal is None:
        return None, None, words + some
    above, below = round(week.high_kcal - week.gross_kcal), round(week.gross_kcal - week.low_kcal)
    return above, below, f"{words} ({week.low_kcal:.0f}–{week.high_kcal:.0f}){some}"


def _session_bars(chart: HistoryChart) -> go.Bar:
    return go.Bar(
        x=_middles(chart),
        y=drawing.packed([week.sessions for week in chart.weeks]),
        text=_week_names(chart),
        textposition="none",
        yaxis="y2",
        uid="sessions",
        width=BAR_WIDTH_MS,
        marker={"color": drawing.SESSIONS, "line": {"width": 0}},
        hovertemplate="%{text}<br>sessions: %{y}<extra></extra>",
    )


def _hard_points(chart: HistoryChart) -> go.Scatter:
    return go.Scatter(
        x=[session.day.isoformat() for session in chart.hard],
        y=drawing.packed([session.mean_power_w for session in chart.hard]),
        yaxis="y3",
        uid="hard",
        mode="lines+markers",
        line={"color": drawing.POWER, "width": 1},
        marker={"color": drawing.POWER, "size": 6},
        text=["" if session.rounds is None else f", {session.rounds} rounds" for session in chart.hard],
        hovertemplate="%{x|%-d %b %Y}<br>%{y:.0f} W%{text}<extra></extra>",
    )


def _week_axis(chart: HistoryChart, panels: int) -> dict[str, Any]:
    axis = drawing.axis(
        type="date",
        anchor=f"y{panels}",
        nticks=8,
        showgrid=False,
        tickformat="%-d %b\n%Y",
        title={"text": "week (Monday to Sunday)", "font": {"color": drawing.QUIET, "size": 12}, "standoff": 8},
    )
    if not chart.weeks:
        return axis
    shown = max(8, len(chart.weeks))  # a first week is not drawn as one huge bar
    end = chart.weeks[-1].monday + timedelta(weeks=1)
    return axis | {"range": [(end - timedelta(weeks=shown)).isoformat(), end.isoformat()]}


def _value_axis(chart: HistoryChart, number: int, domain: tuple[float, float]) -> dict[str, Any]:
    axis = drawing.axis(domain=domain, nticks=4, fixedrange=True)
    if number == 1:
        return axis | {"rangemode": "tozero"}
    if number == 2:
        most = max((week.sessions for week in chart.weeks), default=1)
        return axis | {"range": [0, most * 1.1], "dtick": 1 if most <= 5 else None}
    powers = [session.mean_power_w for session in chart.hard]
    margin = max(10.0, 0.2 * (max(powers) - min(powers)))
    return axis | {"range": [max(0.0, min(powers) - margin), max(powers) + margin]}


def _middles(chart: HistoryChart) -> list[str]:
    """Thursdays: a bar as wide as its week, from Monday to Sunday."""
    return [(week.monday + timedelta(days=3)).isoformat() + " 12:00" for week in chart.weeks]


def _week_names(chart: HistoryChart) -> list[str]:
    mondays = [week.monday for week in chart.weeks]
    return [f"week {day:%V}, from {day.day} {MONTHS[day.month - 1]} {day.year}" for day in mondays]
