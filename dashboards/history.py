"""The history's charts: choose what is shown by week or by month, then draw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from dashboards import drawing
from rowsync.wording import MONTHS, clock, count, long_date, measured, moment

SUMMED = ("gross_kcal", "low_kcal", "high_kcal", "duration_s", "distance_m")
DAY_MS = 24 * 3600 * 1000


class Kind(NamedTuple):
    """A kind of period.

    Attributes:
        first: the first day of the period that a day lies in.
        after: the first day of the period after the one that begins on a day.
        most: so many are shown; a clock set wrong must not stretch the axis to 1970.
        name: what the period is called that begins on a day.
        heading: above the chart.
        axis: below it.
    """

    first: Callable[[date], date]
    after: Callable[[date], date]
    most: int
    name: Callable[[date], str]
    heading: str
    axis: str


KINDS = {
    "week": Kind(
        first=lambda day: day - timedelta(days=day.weekday()),
        after=lambda day: day + timedelta(weeks=1),
        most=104,
        name=lambda day: f"week {day:%V}, from {long_date(day)}",
        heading="By week",
        axis="week (Monday to Sunday)",
    ),
    "month": Kind(
        first=lambda day: day.replace(day=1),
        after=lambda day: (day + timedelta(days=31)).replace(day=1),
        most=240,
        name=lambda day: f"{MONTHS[day.month - 1]} {day.year}",
        heading="By month",
        axis="month",
    ),
}
"""The kinds of periods: the last two years by ISO week, the last twenty by month."""


@dataclass(frozen=True, slots=True)
class Period:
    """One week or month; without a session its sums are 0, and None where none of its sessions has the figure.

    Attributes:
        first_day: its first day, in this computer's time zone.
        sessions: how many.
        sessions_with_energy: of how many of them the energy is known.
        gross_kcal: gross energy of these [kcal].
        low_kcal: sum of their ranges' lower ends [kcal].
        high_kcal: sum of their ranges' upper ends [kcal].
        duration_s: how long they were [s].
        distance_m: how far [m].
    """

    first_day: date
    sessions: int = 0
    sessions_with_energy: int = 0
    gross_kcal: float | None = 0.0
    low_kcal: float | None = None
    high_kcal: float | None = None
    duration_s: float | None = 0.0
    distance_m: float | None = 0.0


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
    """What a chart of the history shows.

    Attributes:
        by: of what kind its periods are, by `KINDS`.
        periods: every one from the first session to the last, the empty ones too.
        hard: the sessions with hard rounds in them, oldest first.
    """

    by: str
    periods: tuple[Period, ...] = ()
    hard: tuple[HardSession, ...] = ()

    @property
    def kind(self) -> Kind:
        """The kind of its periods."""
        return KINDS[self.by]


# --- choose -----------------------------------------------------------------------------------------------------------


def history_chart(index: pd.DataFrame, by: str = "week") -> HistoryChart:
    """Chooses what the history shows.

    The ranges of a period's sessions are added up end by end: the model errs the same way for the same rower each time,
    so its errors do not cancel.

    Args:
        index: one row per session.
        by: the kind of periods, by `KINDS`.
    """
    dated, kind = dated_sessions(index), KINDS[by]
    if dated.empty:
        return HistoryChart(by)
    firsts = dated["started_at"].dt.date.map(kind.first)
    grouped = dated.groupby(firsts)
    totals = grouped[list(SUMMED)].sum(min_count=1)
    sessions, known = grouped.size(), grouped["gross_kcal"].count()
    days = [min(sessions.index)]
    while days[-1] < max(sessions.index):
        days.append(kind.after(days[-1]))
    shown = days[-kind.most :]
    periods = tuple(_period(day, sessions, known, totals) for day in shown)
    return HistoryChart(by, periods, _hard_sessions(dated[firsts >= shown[0]]))


def counted(index: pd.DataFrame) -> pd.DataFrame:
    """The sessions that totals and charts count: what a person rowed; where nobody has, what a program did."""
    if "origin" not in index:
        return index
    rowed = index[index["origin"] != "synthetic"]
    return index if rowed.empty else rowed


def athletes_of(index: pd.DataFrame) -> list[str]:
    """Who rowed, by name, in order."""
    return sorted({str(name) for name in index["athlete"] if isinstance(name, str)}) if "athlete" in index else []


def dated_sessions(index: pd.DataFrame) -> pd.DataFrame:
    """The sessions with a time stamp, oldest first, with every column the charts read."""
    columns = [*SUMMED, "hard_intervals", "mean_hard_power_w"]
    dated = index.reindex(columns=["started_at", *columns])
    local = [pd.NaT if at is None else pd.Timestamp(at.replace(tzinfo=None)) for at in map(moment, dated["started_at"])]
    dated["started_at"] = pd.Series(local, index=dated.index, dtype="datetime64[us]")
    for column in columns:
        dated[column] = pd.to_numeric(dated[column], errors="coerce").astype("float64")
    return dated.dropna(subset=["started_at"]).sort_values("started_at", kind="stable")


def _period(first_day: date, sessions: pd.Series[int], known: pd.Series[int], totals: pd.DataFrame) -> Period:
    if first_day not in sessions.index:
        return Period(first_day)
    sums = {column: measured(totals.at[first_day, column]) for column in SUMMED}
    return Period(first_day, int(sessions[first_day]), int(known[first_day]), **sums)


def _hard_sessions(dated: pd.DataFrame) -> tuple[HardSession, ...]:
    known = dated.dropna(subset=["mean_hard_power_w"])
    columns = (known["started_at"], known["hard_intervals"], known["mean_hard_power_w"])
    return tuple(
        HardSession(at.date(), None if pd.isna(rounds) else int(rounds), round(float(power_w), 1))
        for at, rounds, power_w in zip(*columns, strict=True)
    )


# --- draw -------------------------------------------------------------------------------------------------------------


def history_figure(chart: HistoryChart) -> go.Figure:
    """Draws energy with its range, distance and time as bars, and the hard rounds' power as points."""
    by = chart.by
    titles = [f"gross energy by {by} [kcal]", f"distance by {by} [km]", f"time by {by} [h]"]
    if chart.hard:
        titles.append("mean power of the hard rounds [W]")
    height_px = 140 * len(titles) + 62
    domains = drawing.panel_domains(len(titles), between=34 / (height_px - 68))
    bars = [
        _energy_bars(chart),
        _bars(chart, 2, "distance", _in(chart, "distance_m", 1000), [_kilometres(each) for each in chart.periods]),
        _bars(chart, 3, "hours", _in(chart, "duration_s", 3600), [_hours(each) for each in chart.periods]),
    ]
    figure = go.Figure(
        data=[*bars, *([_hard_points(chart)] if chart.hard else [])],
        layout=drawing.layout(
            height_px,
            hovermode="closest",
            annotations=[drawing.panel_title(title, top) for title, (_, top) in zip(titles, domains, strict=True)],
            xaxis=_day_axis(chart, len(titles)),
        ),
    )
    for number, domain in enumerate(domains, start=1):
        figure.update_layout({f"yaxis{number}": _value_axis(chart, number, domain)})
    return figure


def _energy_bars(chart: HistoryChart) -> go.Bar:
    above, below, ranges = zip(*map(_range, chart.periods), strict=True) if chart.periods else ((), (), ())
    energies = [None if each.gross_kcal is None else round(each.gross_kcal) for each in chart.periods]
    bars = _bars(chart, 1, "energy", energies, ranges)
    bars.update(
        marker_color=drawing.ENERGY,
        error_y={
            "type": "data",
            "symmetric": False,
            "array": drawing.packed(above),
            "arrayminus": drawing.packed(below),
            "color": drawing.INK,
            "thickness": 1,
            "width": 3 if len(chart.periods) <= 60 else 0,
        },
    )
    return bars


def _range(period: Period) -> tuple[float | None, float | None, str]:
    """How far a period's range reaches above and below its bar, and both in words."""
    if period.gross_kcal is None:
        return None, None, "<br>energy not measured"
    words = f"<br>{period.gross_kcal:.0f} kcal"
    of_some = f"<br>from {period.sessions_with_energy} of {count(period.sessions, 'session')}"
    some = of_some if period.sessions_with_energy < period.sessions else ""
    if period.low_kcal is None or period.high_kcal is None:
        return None, None, words + some
    above, below = round(period.high_kcal - period.gross_kcal), round(period.gross_kcal - period.low_kcal)
    return above, below, f"{words} ({period.low_kcal:.0f}–{period.high_kcal:.0f}){some}"


def _in(chart: HistoryChart, name: str, unit: float) -> list[float | None]:
    values = [getattr(period, name) for period in chart.periods]
    return [None if value is None else round(value / unit, 2) for value in values]


def _kilometres(period: Period) -> str:
    if period.distance_m is None:
        return "<br>distance not measured"
    return f"<br>{period.distance_m / 1000:.1f} km in {count(period.sessions, 'session')}"


def _hours(period: Period) -> str:
    if period.duration_s is None:
        return "<br>time not measured"
    return f"<br>{clock(period.duration_s)} in {count(period.sessions, 'session')}"


def _bars(chart: HistoryChart, panel: int, uid: str, values: Any, words: Any) -> go.Bar:
    """One bar a period, with its name and value in words."""
    names = [chart.kind.name(period.first_day) for period in chart.periods]
    return go.Bar(
        x=[_middle(chart, period).isoformat() for period in chart.periods],
        y=drawing.packed(values),
        text=[name + value for name, value in zip(names, words, strict=True)],
        textposition="none",
        yaxis="y" if panel == 1 else f"y{panel}",
        uid=uid,
        # plotly makes the only bar on an axis of dates a millisecond wide
        width=[0.75 * DAY_MS * _days(chart, period) for period in chart.periods],
        marker={"color": drawing.SESSIONS, "line": {"width": 0}},
        hovertemplate="%{text}<extra></extra>",
    )


def _hard_points(chart: HistoryChart) -> go.Scatter:
    return go.Scatter(
        x=[session.day.isoformat() for session in chart.hard],
        y=drawing.packed([session.mean_power_w for session in chart.hard]),
        yaxis="y4",
        uid="hard",
        mode="lines+markers",
        line={"color": drawing.POWER, "width": 1},
        marker={"color": drawing.POWER, "size": 6},
        text=["" if session.rounds is None else f", {session.rounds} rounds" for session in chart.hard],
        hovertemplate="%{x|%-d %b %Y}<br>%{y:.0f} W%{text}<extra></extra>",
    )


def _day_axis(chart: HistoryChart, panels: int) -> dict[str, Any]:
    axis = drawing.axis(
        type="date",
        anchor=f"y{panels}",
        nticks=8,
        showgrid=False,
        tickformat="%-d %b\n%Y" if chart.by == "week" else "%b\n%Y",
        title={"text": chart.kind.axis, "font": {"color": drawing.QUIET, "size": 12}, "standoff": 20},
    )
    if not chart.periods:
        return axis
    first, end = chart.periods[0].first_day, chart.kind.after(chart.periods[-1].first_day)
    least = timedelta(days=8 * _days(chart, chart.periods[-1]))  # a first week is not drawn as one huge bar
    return axis | {"range": [min(first, end - least).isoformat(), end.isoformat()]}


def _value_axis(chart: HistoryChart, number: int, domain: tuple[float, float]) -> dict[str, Any]:
    axis = drawing.axis(domain=domain, nticks=4, fixedrange=True)
    if number < 4:
        return axis | {"rangemode": "tozero"}
    powers = [session.mean_power_w for session in chart.hard]
    margin = max(10.0, 0.2 * (max(powers) - min(powers)))
    return axis | {"range": [max(0.0, min(powers) - margin), max(powers) + margin]}


def _days(chart: HistoryChart, period: Period) -> int:
    return (chart.kind.after(period.first_day) - period.first_day).days


def _middle(chart: HistoryChart, period: Period) -> pd.Timestamp:
    """The middle of a period: a bar is as wide as that, from its first day to its last."""
    return pd.Timestamp(period.first_day) + pd.Timedelta(days=_days(chart, period) / 2)
