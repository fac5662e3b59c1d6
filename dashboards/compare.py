"""A session beside the last ones of its plan, round by round: choose what is shown, then draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import plotly.graph_objects as go

from dashboards import drawing
from rowsync.comparison import comparable_fields, mean_of
from rowsync.wording import measured, moment, short_day, time_of_day

Values = tuple[float | None, ...]

MOST_EARLIER = 5
THIS = "this session"
PANEL_HEIGHT_PX = 190


@dataclass(frozen=True, slots=True)
class ComparedSession:
    """What is shown of one session; None is not measured.

    Attributes:
        session_id: its id.
        name: "this session", or the day of an earlier one, with the time where two were on one day.
        power_w: mean power of each round [W].
        stroke_rate_spm: mean stroke rate of each round [1/min].
        heart_rate_recovery_bpm: by how much the heart was slower a minute after each round [1/min].
        mean_power_w: of its rounds [W].
        mean_stroke_rate_spm: of its rounds [1/min].
        mean_heart_rate_recovery_bpm: of its rounds [1/min].
        fade: how much stronger its last rounds were than its first, as a share.
    """

    session_id: str
    name: str
    power_w: Values
    stroke_rate_spm: Values
    heart_rate_recovery_bpm: Values
    mean_power_w: float | None
    mean_stroke_rate_spm: float | None
    mean_heart_rate_recovery_bpm: float | None
    fade: float | None


@dataclass(frozen=True, slots=True)
class CompareChart:
    """Sessions of one plan beside each other.

    Attributes:
        sessions: this one, then the earlier ones, newest first.
    """

    sessions: tuple[ComparedSession, ...]

    @property
    def rounds(self) -> int:
        """How many rounds the longest of them has."""
        return max(len(session.power_w) for session in self.sessions)


class Panel(NamedTuple):
    """A row of the chart: which series, how it is drawn, and how much its axis spans at least.

    Without that, sessions that are alike to half a stroke would look like mountains.
    """

    series: str
    title: str
    hover: str
    least_span: float


PANELS = (
    Panel("power_w", "mean power [W]", "%{y:.0f} W", 20.0),
    Panel("stroke_rate_spm", "mean stroke rate [spm]", "%{y:.1f} spm", 4.0),
    Panel("heart_rate_recovery_bpm", "heart-rate recovery in a minute [bpm]", "%{y:.0f} bpm", 10.0),
)


class Stroke(NamedTuple):
    """How a session's line is drawn: the newest stand out, and each has a form of its own."""

    colour: str
    width: float
    dash: str
    symbol: str


STROKES = (
    Stroke(drawing.POWER, 3.0, "solid", "circle"),
    Stroke(drawing.PACE, 2.0, "solid", "diamond"),
    Stroke(drawing.QUIET, 1.4, "dash", "square"),
    Stroke(drawing.QUIET, 1.4, "dot", "triangle-up"),
    Stroke(drawing.QUIET, 1.4, "dashdot", "cross"),
    Stroke(drawing.QUIET, 1.4, "longdash", "x"),
)


# --- choose -----------------------------------------------------------------------------------------------------------


def is_comparable(summary: Mapping[str, Any]) -> bool:
    """Whether there is something to compare a session with: hard rounds, and a session of its plan before it.

    Args:
        summary: the JSON of `rowsync show`, with what came `before`.
    """
    return bool(summary.get("before")) and any(each["effort"] == "hard" for each in summary.get("intervals") or ())


def compare_chart(summary: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]]) -> CompareChart | None:
    """Chooses what is shown; None where there is nothing to compare.

    Args:
        summary: the JSON of `rowsync show`.
        earlier: the sessions before it by the same plan, newest first, as `rowsync.comparison.comparable_fields`.
    """
    now = comparable_fields({**summary, "intervals": summary.get("intervals") or ()})
    sessions = [now, *earlier[:MOST_EARLIER]]
    if not (earlier and now["rounds"]):
        return None
    times = [moment(session.get("started_at")) for session in sessions]
    names = [THIS, *(_name(at, times) for at in times[1:])]
    return CompareChart(tuple(_compared(session, name) for session, name in zip(sessions, names, strict=True)))


def _compared(session: Mapping[str, Any], name: str) -> ComparedSession:
    rounds = session["rounds"]
    return ComparedSession(
        session_id=str(session["session_id"]),
        name=name,
        power_w=_values(rounds, "mean_power_w", 0),
        stroke_rate_spm=_values(rounds, "mean_stroke_rate_spm", 1),
        heart_rate_recovery_bpm=_values(rounds, "heart_rate_recovery_bpm", 0),
        mean_power_w=mean_of(rounds, "mean_power_w"),
        mean_stroke_rate_spm=mean_of(rounds, "mean_stroke_rate_spm"),
        mean_heart_rate_recovery_bpm=mean_of(rounds, "heart_rate_recovery_bpm"),
        fade=measured(session.get("fade")),
    )


def _name(at: datetime | None, times: Sequence[datetime | None]) -> str:
    if at is None:
        return "at an unknown time"
    same_day = sum(other is not None and other.date() == at.date() for other in times)
    return f"{short_day(at)}, {time_of_day(at)}" if same_day > 1 else short_day(at)


def _values(rounds: Sequence[Mapping[str, Any]], name: str, decimals: int) -> Values:
    values = [measured(each.get(name)) for each in rounds]
    return tuple(None if value is None else round(value, decimals) for value in values)


# --- draw -------------------------------------------------------------------------------------------------------------


def compare_figure(chart: CompareChart) -> go.Figure:
    """Draws a panel for each quantity that was measured, and in it a line for each session."""
    panels = [panel for panel in PANELS if any(_known(getattr(each, panel.series)) for each in chart.sessions)]
    height_px = PANEL_HEIGHT_PX * max(1, len(panels)) + 68
    domains = drawing.panel_domains(max(1, len(panels)), between=34 / (height_px - 68))
    figure = go.Figure(
        # The newest is drawn last, so that nothing lies on it.
        data=[
            _line(chart.sessions[place], panel, axis, place)
            for axis, panel in enumerate(panels, start=1)
            for place in reversed(range(len(chart.sessions)))
            if _known(getattr(chart.sessions[place], panel.series))
        ],
        layout=drawing.layout(
            height_px,
            hovermode="x unified",
            annotations=[
                drawing.panel_title(panel.title, top) for panel, (_, top) in zip(panels, domains, strict=False)
            ],
            xaxis=drawing.axis(
                title={"text": "hard round", "font": {"color": drawing.QUIET, "size": 12}, "standoff": 8},
                range=[0.7, chart.rounds + 0.3],
                dtick=1 if chart.rounds <= 20 else None,
                anchor=f"y{len(panels)}" if len(panels) > 1 else "y",
                fixedrange=True,
                unifiedhovertitle={"text": "<b>round %{x}</b>"},
            ),
        ),
    )
    for axis, (panel, domain) in enumerate(zip(panels, domains, strict=False), start=1):
        span = _span(chart, panel)
        figure.update_layout({f"yaxis{axis}": drawing.axis(domain=domain, range=span, nticks=5, fixedrange=True)})
    return figure


def _span(chart: CompareChart, panel: Panel) -> list[float]:
    values = [value for each in chart.sessions for value in getattr(each, panel.series) if value is not None]
    middle, half = (max(values) + min(values)) / 2, max(max(values) - min(values), panel.least_span) * 0.56
    return [round(middle - half, 2), round(middle + half, 2)]


def _known(values: Values) -> bool:
    return any(value is not None for value in values)


def _line(session: ComparedSession, panel: Panel, axis: int, place: int) -> go.Scatter:
    values: Values = getattr(session, panel.series)
    stroke = STROKES[place]
    return go.Scatter(
        x=drawing.packed(range(1, len(values) + 1)),
        y=drawing.packed(values),
        yaxis=f"y{axis}" if axis > 1 else "y",
        uid=f"compared{place}_{axis}",
        mode="lines+markers",
        line={"color": stroke.colour, "width": stroke.width, "dash": stroke.dash},
        marker={"color": stroke.colour, "symbol": stroke.symbol, "size": 8 if place == 0 else 6},
        connectgaps=False,
        hovertemplate=f"{session.name}  <b>{panel.hover}</b><extra></extra>",
    )
