"""One session's charts: choose what is shown, then draw it.

`session_chart` makes a `SessionChart`, which holds exactly what the reader sees: one time base, up to four series over
it, the rounds to shade and the gaps.  `session_figure` draws that and decides nothing.  `rounds_chart` and
`hard_contrast` do the same for the hard rounds.  No text from outside ever enters a figure: plotly reads titles and
labels as HTML.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from dashboards import drawing
from rowsync.session import weighted_mean
from rowsync.verdict import is_doubtful, percent
from rowsync.wording import measured

Numbers = npt.NDArray[np.float64]
Values = tuple[float | None, ...]

MOST_POINTS = 1_400  # the low and high of 700 buckets; four series of them weigh 37 kB in the page
MOST_LABELS = 24  # more rounds than this and their numbers run into each other
HOLE_S = 5.0  # nothing heard for so long breaks the line
PANEL_HEIGHT_PX = 132
BELL_SHARE = 0.985  # how far down a bell's tick reaches


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in the chart.

    Attributes:
        start_min: its start [min].
        end_min: its end [min].
        label: what is written on it; empty for nothing.
    """

    start_min: float
    end_min: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A change of effort that may be none, or elsewhere.

    Attributes:
        time_min: when it was [min].
        reading: what a pointer reads there.
    """

    time_min: float
    reading: str


@dataclass(frozen=True, slots=True)
class SessionChart:
    """What a session's chart shows; None breaks a line, and a series that was not measured is empty.

    Attributes:
        time_min: the time base of every series [min].
        power_w: power [W].
        stroke_rate_spm: stroke rate [1/min].
        pace_s_per_500m: pace, broken where the rower stood still [s/500 m].
        heart_rate_bpm: heart rate [1/min].
        hard: the hard rounds, numbered from 1 where there is room for numbers.
        gaps: where nothing was recorded.
        duration_min: the session's length [min].
        thinned: whether the points are the extremes of longer stretches.
        doubts: the changes of effort that are doubtful.
        bells_min: when a plan that was followed rang its hard rounds in and out [min].
        doubtful_power: where the heart rate contradicts the watts.
    """

    time_min: tuple[float, ...]
    power_w: Values
    stroke_rate_spm: Values
    pace_s_per_500m: Values
    heart_rate_bpm: Values
    hard: tuple[Span, ...]
    gaps: tuple[Span, ...]
    duration_min: float
    thinned: bool = False
    doubts: tuple[Doubt, ...] = ()
    bells_min: tuple[float, ...] = ()
    doubtful_power: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundsChart:
    """Mean power of each hard round.

    Attributes:
        rounds: their numbers, from 1; a round without power is left out.
        mean_power_w: mean power of each [W].
        overall_power_w: their mean, weighted by time [W].
    """

    rounds: tuple[int, ...]
    mean_power_w: tuple[float, ...]
    overall_power_w: float


@dataclass(frozen=True, slots=True)
class HardContrast:
    """How hard the hard rounds were.

    Attributes:
        rounds: how many.
        mean_power_w: their mean power, weighted by time [W].
        hard_to_easy: their power over that of the easy stretches.
        last_to_first: mean power of the last rounds over that of the first.
        compared_rounds: how many rounds on each side of that.
    """

    rounds: int
    mean_power_w: float | None
    hard_to_easy: float | None
    last_to_first: float | None
    compared_rounds: int


@dataclass(frozen=True, slots=True)
class Panel:
    """A row of the chart: which series, and how it is drawn."""

    series: str
    title: str
    hover: str
    colour: str
    decimals: int


PANELS = (
    Panel("power_w", "power [W]", "%{y:.0f} W", drawing.POWER, 0),
    Panel("stroke_rate_spm", "stroke rate [spm]", "%{y:.1f} spm", drawing.STROKE_RATE, 1),
    Panel("pace_s_per_500m", "pace [/500 m]", "%{y|%-M:%S.%1f} /500 m", drawing.PACE, 1),
    Panel("heart_rate_bpm", "heart rate [bpm]", "%{y:.0f} bpm", drawing.HEART_RATE, 0),
)


# --- choose -----------------------------------------------------------------------------------------------------------


def session_chart(summary: Mapping[str, Any], samples: pd.DataFrame) -> SessionChart:
    """Chooses what the chart of a session shows.

    Args:
        summary: the JSON of `rowsync show`.
        samples: its samples; NaN is not measured.
    """
    hard, gaps = hard_rounds(summary), _spans(summary.get("gaps") or ())
    time_s, columns = _columns(samples)
    known_s = [measured(summary.get("duration_s")), float(time_s[-1]) if len(time_s) else None]
    duration_s = max((value for value in known_s if value is not None), default=0.0)
    thinned = len(time_s) > MOST_POINTS
    if thinned:
        time_s, columns = _extremes(time_s, columns, MOST_POINTS // 2)
    hole_s = max(HOLE_S, 5 * duration_s / MOST_POINTS)  # two and a half buckets, where there are buckets
    time_s, columns = _broken(time_s, columns, _hole_starts(time_s, gaps, hole_s))
    return SessionChart(
        time_min=tuple(np.round(time_s / 60, 4).tolist()),
        **{panel.series: _values(columns[panel.series], panel.decimals) for panel in PANELS},
        hard=_spans(hard, labelled=len(hard) <= MOST_LABELS),
        gaps=gaps,
        duration_min=duration_s / 60,
        thinned=thinned,
        doubts=_doubts(summary.get("intervals") or ()),
        bells_min=_bells_min(summary.get("compliance") or {}),
        doubtful_power=_spans(filter(None, [summary.get("doubtful_power")])),
    )


def hard_rounds(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The hard intervals, in order."""
    return [item for item in summary.get("intervals") or () if item["effort"] == "hard"]


def rounds_chart(summary: Mapping[str, Any]) -> RoundsChart | None:
    """Chooses the bars of the hard rounds; None when there is no round with power."""
    known = [
        (round_number, power_w)
        for round_number, item in enumerate(hard_rounds(summary), start=1)
        if (power_w := measured(item.get("mean_power_w"))) is not None
    ]
    overall_power_w = _mean_power_w(hard_rounds(summary))
    if overall_power_w is None:
        return None
    return RoundsChart(
        rounds=tuple(round_number for round_number, _ in known),
        mean_power_w=tuple(round(power_w, 1) for _, power_w in known),
        overall_power_w=overall_power_w,
    )


def hard_contrast(summary: Mapping[str, Any]) -> HardContrast | None:
    """How the hard rounds compare with the easy stretches and with each other; None when there are none."""
    hard = hard_rounds(summary)
    if not hard:
        return None
    easy = [item for item in summary["intervals"] if item["effort"] == "easy"]
    compared = 3 if len(hard) >= 6 else 1 if len(hard) >= 2 else 0
    hard_w, easy_w = _mean_power_w(hard), _mean_power_w(easy)
    first_w, last_w = _mean_power_w(hard[:compared]), _mean_power_w(hard[len(hard) - compared :])
    return HardContrast(
        rounds=len(hard),
        mean_power_w=hard_w,
        hard_to_easy=hard_w / easy_w if hard_w is not None and easy_w else None,
        last_to_first=last_w / first_w if last_w is not None and first_w else None,
        compared_rounds=compared,
    )


def _mean_power_w(intervals: Iterable[Mapping[str, Any]]) -> float | None:
    """Mean power, weighted by time [W]; None when none of them has power."""
    return weighted_mean(
        (measured(item.get("mean_power_w")), measured(item.get("duration_s")) or 0.0) for item in intervals
    )


def _spans(stretches: Iterable[Mapping[str, Any]], *, labelled: bool = False) -> tuple[Span, ...]:
    """The stretches whose times are known; labelled with their place, from 1, or not at all."""
    return tuple(
        Span(start_s / 60, end_s / 60, str(place) if labelled else "")
        for place, stretch in enumerate(stretches, start=1)
        if (start_s := measured(stretch.get("start_s"))) is not None
        and (end_s := measured(stretch.get("end_s"))) is not None
    )


def _doubts(intervals: Iterable[Mapping[str, Any]]) -> tuple[Doubt, ...]:
    return tuple(
        Doubt(start_s / 60, f"effort changes here: {percent(item['start_confidence'])} sure")
        for item in intervals
        if is_doubtful(item) and (start_s := measured(item.get("start_s"))) is not None
    )


def _bells_min(compliance: Mapping[str, Any]) -> tuple[float, ...]:
    """When each hard piece was to begin and to end, where the plan was followed [min]."""
    pieces = compliance["pieces"] if compliance.get("followed") else ()
    due_s = {piece[end] for piece in pieces if piece["effort"] == "hard" for end in ("due_start_s", "due_end_s")}
    return tuple(time_s / 60 for time_s in sorted(due_s))


def _columns(samples: pd.DataFrame) -> tuple[Numbers, dict[str, Numbers]]:
    """Times in order and the drawn columns; the pace has no value where the rower stood still."""
    if samples.empty:
        return np.empty(0), {panel.series: np.empty(0) for panel in PANELS}
    ordered = samples[samples["time_s"].notna()].sort_values("time_s", kind="stable")
    columns = {panel.series: numbers(ordered, panel.series) for panel in PANELS}
    still = ~ordered["moving"].fillna(True).to_numpy(dtype=bool) if "moving" in ordered else False
    pace = columns["pace_s_per_500m"]
    columns["pace_s_per_500m"] = np.where(still | (pace <= 0), np.nan, pace)
    return numbers(ordered, "time_s"), columns


def numbers(samples: pd.DataFrame, column: str) -> Numbers:
    """A column of the samples; NaN is not measured, and so is all of a column that isn't there."""
    if column not in samples:
        return np.full(len(samples), np.nan)
    return pd.to_numeric(samples[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _extremes(time_s: Numbers, columns: dict[str, Numbers], buckets: int) -> tuple[Numbers, dict[str, Numbers]]:
    """Thins to the lowest and highest value of each bucket of time, in the order they came, so no peak is lost."""
    edges = np.linspace(time_s[0], time_s[-1], buckets + 1)[1:-1]
    bounds = np.unique(np.concatenate(([0], np.searchsorted(time_s, edges), [len(time_s)])))
    parts = [slice(start, end) for start, end in itertools.pairwise(bounds.tolist())]
    ends = [index for part in parts for index in (part.start, part.stop - 1)]
    thinned = {
        name: np.array([value for part in parts for value in _low_and_high(column[part])])
        for name, column in columns.items()
    }
    return time_s[ends], thinned


def _low_and_high(values: Numbers) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return (np.nan, np.nan)
    low, high = int(known.argmin()), int(known.argmax())
    return (float(known[min(low, high)]), float(known[max(low, high)]))


def _hole_starts(time_s: Numbers, gaps: Sequence[Span], hole_s: float) -> list[int]:
    """The indices after which the line breaks: nothing was heard for a while, or a gap says so."""
    silent = np.flatnonzero(np.diff(time_s) > hole_s) + 1
    told = [int(np.searchsorted(time_s, gap.start_min * 60, side="right")) for gap in gaps]
    return sorted({*silent.tolist(), *(index for index in told if 0 < index < len(time_s))})


def _broken(time_s: Numbers, columns: dict[str, Numbers], at: Sequence[int]) -> tuple[Numbers, dict[str, Numbers]]:
    """Puts a point without values into the middle of each hole."""
    if not at:
        return time_s, columns
    middles = [(time_s[index - 1] + time_s[index]) / 2 for index in at]
    return np.insert(time_s, at, middles), {name: np.insert(column, at, np.nan) for name, column in columns.items()}


def _values(column: Numbers, decimals: int) -> Values:
    """The column as it is shown; empty when nothing was measured."""
    if np.isnan(column).all():
        return ()
    return tuple(None if np.isnan(value) else round(value, decimals) for value in column.tolist())


# --- draw -------------------------------------------------------------------------------------------------------------


def session_figure(chart: SessionChart) -> go.Figure:
    """Draws a session: panels over one time axis, rounds shaded, gaps grey.

    All panels hang on the same x axis, as plotly reads values across panels only then (plotly.py issue 4603), and all
    shapes are handed over as one list: `add_vrect` took 4.7 s for 40 rounds.
    """
    panels = [panel for panel in PANELS if getattr(chart, panel.series)]
    height_px = PANEL_HEIGHT_PX * max(1, len(panels)) + 68
    domains = drawing.panel_domains(max(1, len(panels)), between=26 / (height_px - 68))
    figure = go.Figure(
        data=[_line(chart, panel, index) for index, panel in enumerate(panels, start=1)] + _doubt_marks(chart, panels),
        layout=drawing.layout(
            height_px,
            hovermode="x unified",
            hoversubplots="axis",
            hoverdistance=30,
            annotations=[
                drawing.panel_title(panel.title, top) for panel, (_, top) in zip(panels, domains, strict=False)
            ],
            shapes=[
                *map(_round_shape, chart.hard),
                *map(_gap_shape, chart.gaps),
                *(_doubtful_shape(span) for span in chart.doubtful_power if chart.power_w),
                *_marks([doubt.time_min for doubt in chart.doubts], to=0.0, dash="dash"),
                *_marks(chart.bells_min, to=BELL_SHARE, dash="solid"),
            ],
            xaxis=_time_axis(chart, len(panels)),
        ),
    )
    for index, (panel, domain) in enumerate(zip(panels, domains, strict=False), start=1):
        figure.update_layout({f"yaxis{index}": _value_axis(chart, panel, domain)})
    return figure


def rounds_figure(chart: RoundsChart) -> go.Figure:
    """Draws the hard rounds as bars from zero, with their mean as a dotted line."""
    written = len(chart.rounds) <= 16
    bars = go.Bar(
        x=drawing.packed(chart.rounds),
        y=drawing.packed(chart.mean_power_w),
        uid="rounds",
        marker={"color": drawing.POWER, "line": {"width": 0}},
        width=0.78,
        text=[f"{power_w:.0f}" for power_w in chart.mean_power_w] if written else None,
        textposition="inside",
        insidetextanchor="end",
        textangle=0,
        constraintext="none" if len(chart.rounds) <= 12 else "both",
        textfont={"size": 10, "color": "#ffffff"},
        hovertemplate="round %{x}: %{y:.0f} W<extra></extra>",
    )
    mean = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y"}
    return go.Figure(
        data=[bars],
        layout=drawing.layout(
            230,
            hovermode="closest",
            annotations=[drawing.panel_title("mean power [W]", 1.0)],
            shapes=[
                mean
                | {"y0": chart.overall_power_w, "y1": chart.overall_power_w}
                | {"line": {"color": drawing.QUIET, "width": 1, "dash": "dot"}, "layer": "above"}
            ],
            xaxis=drawing.axis(
                title={"text": "hard round", "font": {"color": drawing.QUIET, "size": 12}, "standoff": 10},
                dtick=1 if written else None,
                range=[min(chart.rounds) - 0.6, max(chart.rounds) + 0.6],
                showgrid=False,
                fixedrange=True,
            ),
            yaxis=drawing.axis(range=[0, max(chart.mean_power_w) * 1.08], nticks=4, fixedrange=True),
        ),
    )


def robust_range(values: Values, *, from_zero: bool = False) -> tuple[float, float]:
    """A range that shows nearly everything and is not stretched by a few wild values; stops (zeros) don't count."""
    known = np.array([value for value in values if value is not None and (value > 0 or from_zero)])
    if not len(known):
        return (0.0, 1.0)
    low, high = np.percentile(known, (1, 98))
    slack = max(0.35 * (high - low), 0.02 * abs(high), 1.0)
    lowest = 0.0 if from_zero else max(known.min(), low - slack)
    highest = min(known.max(), high + slack)
    margin = 0.06 * max(highest - lowest, 1.0)
    if from_zero:
        return (0.0, float(highest + 4 * margin))  # room for the rounds' numbers
    return (float(lowest - margin), float(highest + margin))


def _line(chart: SessionChart, panel: Panel, index: int) -> go.Scatter:
    per_unit = 1000 if panel.series == "pace_s_per_500m" else 1  # drawn as a date, see _value_axis
    values = [None if value is None else value * per_unit for value in getattr(chart, panel.series)]
    return go.Scatter(
        x=drawing.packed(chart.time_min),
        y=drawing.packed(values),
        yaxis=f"y{index}" if index > 1 else "y",
        uid=panel.series,
        mode="lines",
        line={"color": panel.colour, "width": 1.6},
        connectgaps=False,
        hovertemplate=f"{panel.title.partition(' [')[0]}  <b>{panel.hover}</b><extra></extra>",
    )


def _doubt_marks(chart: SessionChart, panels: Sequence[Panel]) -> list[go.Scatter]:
    """A point at the foot of each doubtful edge, which says how sure it is."""
    if not (chart.doubts and panels):
        return []
    foot = _value_axis(chart, panels[0], (0.0, 1.0))["range"][0]
    return [
        go.Scatter(
            x=[round(doubt.time_min, 4) for doubt in chart.doubts],
            y=[foot] * len(chart.doubts),
            uid="doubts",
            mode="markers",
            marker={"size": 6, "color": drawing.QUIET},
            cliponaxis=False,
            customdata=[doubt.reading for doubt in chart.doubts],
            hovertemplate="<b>%{customdata}</b><extra></extra>",
        )
    ]


def _time_axis(chart: SessionChart, panels: int) -> dict[str, Any]:
    return drawing.axis(
        title={"text": "time [min]", "font": {"color": drawing.QUIET, "size": 12}, "standoff": 8},
        range=[0, max(chart.duration_min, 1 / 60)],
        anchor=f"y{panels}" if panels > 1 else "y",
        nticks=10,
        unifiedhovertitle={"text": "<b>%{x:.1f} min</b>"},
        showspikes=True,
        spikemode="across",
        spikesnap="hovered data",
        spikethickness=1,
        spikedash="solid",
        spikecolor=drawing.QUIET,
    )


def _value_axis(chart: SessionChart, panel: Panel, domain: tuple[float, float]) -> dict[str, Any]:
    values = getattr(chart, panel.series)
    axis = drawing.axis(domain=domain, nticks=4, fixedrange=True)
    if panel.series != "pace_s_per_500m":
        return axis | {"range": robust_range(values, from_zero=panel.series == "power_w")}
    # As a date in milliseconds plotly writes m:ss by itself, in ticks and readings, at every zoom.
    fastest, slowest = robust_range(values)
    return axis | {"type": "date", "tickformat": "%-M:%S", "range": [slowest * 1000, fastest * 1000]}


def _round_shape(span: Span) -> dict[str, Any]:
    if not span.label:
        return _shape(span, drawing.HARD)
    return _shape(span, drawing.HARD) | {
        "label": {"text": span.label, "textposition": "top center", "font": {"size": 10, "color": drawing.QUIET}}
    }


def _gap_shape(span: Span) -> dict[str, Any]:
    edge = {"color": drawing.QUIET, "width": 1, "dash": "dot"}
    return _shape(span, drawing.GAP) | {"line": edge}


def _doubtful_shape(span: Span) -> dict[str, Any]:
    """A bar along the foot of the power panel, which is the first."""
    at_foot = {"yref": "y domain", "y1": 0.045, "layer": "above"}
    return _shape(span, drawing.QUIET) | at_foot


def _marks(times_min: Sequence[float], to: float, dash: str) -> list[dict[str, Any]]:
    """Thin lines from the top of the chart down to a share of its height: one shape, however many they are."""
    if not times_min:
        return []
    path = "".join(f"M{time_min:.4f},1V{to}" for time_min in times_min)
    line = {"color": drawing.QUIET, "width": 1, "dash": dash}
    return [{"type": "path", "xref": "x", "yref": "paper", "path": path, "line": line, "layer": "above"}]


def _shape(span: Span, colour: str) -> dict[str, Any]:
    return {
        "type": "rect",
        "yref": "paper",
        "x0": round(span.start_min, 4),
        "x1": round(span.end_min, 4),
        "y0": 0,
        "y1": 1,
        "fillcolor": colour,
        "line": {"width": 0},
        "layer": "below",
    }
