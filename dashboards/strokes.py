"""One session's strokes: power against stroke rate by effort, and lines of equal work for each stroke.

A stroke is read where the machine counted it.  Its mean work is 60 · power / stroke rate, whatever machine it is, so
that one line through the origin is one work.  Strokes that would lie on each other are one point.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboards import drawing
from dashboards.session import numbers, robust_range
from rowsync.telemetry import FASTEST_STROKE_S, SLOWEST_STROKE_S
from rowsync.wording import measured

SLOWEST_SPM, FASTEST_SPM = 60.0 / SLOWEST_STROKE_S, 60.0 / FASTEST_STROKE_S
MOST_POWER_W = 3_000.0  # twice what the strongest pull for one stroke; beyond it is a fault
MOST_POINTS = 900  # they weigh 10 kB; more are put on a coarser grid
POWER_STEPS_W = (1, 2, 4, 8, 16, 32)
WORK_STEPS_J = (50, 100, 200, 500, 1_000)
MOST_WORK_LINES = 5
ROOM_FOR_LABELS = 0.1


@dataclass(frozen=True, slots=True)
class Kind:
    """How the strokes of some efforts are named and drawn: told apart by form as well as by colour."""

    name: str
    uid: str
    efforts: tuple[str, ...]
    colour: str
    symbol: str


KINDS = (
    Kind("easy", "strokes_easy", ("easy", "rest"), drawing.EASY_STROKES, "circle-open"),
    Kind("hard", "strokes_hard", ("hard",), drawing.HARD_STROKES, "diamond"),
    Kind("steady", "strokes_steady", ("steady",), drawing.EASY_STROKES, "circle"),
    Kind("warm-up and cool-down", "strokes_other", ("warmup", "cooldown"), drawing.QUIET, "cross-thin-open"),
)


@dataclass(frozen=True, slots=True)
class StrokesOfKind:
    """The strokes of one kind of effort.

    Attributes:
        kind: which.
        stroke_rate_spm: of each point [1/min].
        power_w: of each point [W].
        stroke_count: how many strokes were read; several may share a point.
        median_stroke_rate_spm: of the strokes [1/min].
        median_power_w: of the strokes [W].
        median_work_per_stroke_j: of the strokes [J].
    """

    kind: Kind
    stroke_rate_spm: tuple[float, ...]
    power_w: tuple[float, ...]
    stroke_count: int
    median_stroke_rate_spm: float
    median_power_w: float
    median_work_per_stroke_j: float


@dataclass(frozen=True, slots=True)
class StrokesChart:
    """What the chart of strokes shows.

    Attributes:
        groups: the kinds of effort that have strokes.
        work_lines_j: the works for each stroke that a line is drawn for [J].
    """

    groups: tuple[StrokesOfKind, ...]
    work_lines_j: tuple[float, ...]


# --- choose -----------------------------------------------------------------------------------------------------------


def strokes_chart(summary: Mapping[str, Any], samples: pd.DataFrame) -> StrokesChart | None:
    """Chooses what is shown of a session's strokes; None where no stroke has a rate and a power above 0.

    Args:
        summary: the JSON of `rowsync show`.
        samples: its samples; NaN is not measured.
    """
    strokes = list(_strokes(samples))
    efforts = _efforts(summary.get("intervals") or (), [time_s for time_s, _, _ in strokes])
    of_kind: dict[str, list[tuple[float, float]]] = {}
    for effort, (_, rate_spm, power_w) in zip(efforts, strokes, strict=True):
        of_kind.setdefault(_kind(effort).uid, []).append((rate_spm, power_w))
    if not of_kind:
        return None
    step_w = _power_step_w([*of_kind.values()])
    groups = tuple(_group(kind, of_kind[kind.uid], step_w) for kind in KINDS if kind.uid in of_kind)
    return StrokesChart(groups, _work_lines_j([work_j(*each) for strokes in of_kind.values() for each in strokes]))


def work_j(stroke_rate_spm: float, power_w: float) -> float:
    """Mean work of a stroke: 60 · power / stroke rate [J]."""
    return 60.0 * power_w / stroke_rate_spm


def _strokes(samples: pd.DataFrame) -> Iterator[tuple[float, float, float]]:
    """Time [s], rate [1/min] and power [W] where the machine's count went up."""
    if samples.empty or "time_s" not in samples:
        return
    ordered = samples[samples["time_s"].notna()].sort_values("time_s", kind="stable")
    columns = (numbers(ordered, name) for name in ("time_s", "stroke_count", "stroke_rate_spm", "power_w"))
    before: float | None = None
    for time_s, counted, rate_spm, power_w in zip(*(column.tolist() for column in columns), strict=True):
        is_new = before is not None and counted > before
        before = before if np.isnan(counted) else counted
        if is_new and SLOWEST_SPM <= rate_spm <= FASTEST_SPM and 0 < power_w <= MOST_POWER_W:
            yield time_s, rate_spm, float(round(power_w))


def _efforts(intervals: Sequence[Mapping[str, Any]], times_s: Sequence[float]) -> list[str]:
    """As what each stroke was rowed; one that ends with an interval belongs to it."""
    known = [
        (end_s, str(interval["effort"]))
        for interval in intervals
        if (end_s := measured(interval.get("end_s"))) is not None
    ]
    known.sort()
    ends_s = [end_s for end_s, _ in known]
    places = [min(bisect_left(ends_s, time_s), len(known) - 1) for time_s in times_s]
    return [known[place][1] if known else "steady" for place in places]


def _kind(effort: str) -> Kind:
    return next((kind for kind in KINDS if effort in kind.efforts), KINDS[-1])


def _power_step_w(groups: Sequence[Sequence[tuple[float, float]]]) -> int:
    """How fine the grid of powers is, so that there are not too many points [W]."""
    for step_w in POWER_STEPS_W:
        points = sum(len({_point(rate_spm, power_w, step_w) for rate_spm, power_w in strokes}) for strokes in groups)
        if points <= MOST_POINTS:
            return step_w
    return POWER_STEPS_W[-1]


def _point(rate_spm: float, power_w: float, step_w: int) -> tuple[float, float]:
    return (round(2 * rate_spm) / 2, float(step_w * round(power_w / step_w)))


def _group(kind: Kind, strokes: Sequence[tuple[float, float]], step_w: int) -> StrokesOfKind:
    points = sorted({_point(rate_spm, power_w, step_w) for rate_spm, power_w in strokes})
    return StrokesOfKind(
        kind=kind,
        stroke_rate_spm=tuple(rate_spm for rate_spm, _ in points),
        power_w=tuple(power_w for _, power_w in points),
        stroke_count=len(strokes),
        median_stroke_rate_spm=median(rate_spm for rate_spm, _ in strokes),
        median_power_w=median(power_w for _, power_w in strokes),
        median_work_per_stroke_j=median(work_j(*stroke) for stroke in strokes),
    )


def _work_lines_j(works_j: Sequence[float]) -> tuple[float, ...]:
    """Round works within those of nearly all strokes [J]."""
    low_j, high_j = (float(value) for value in np.percentile(works_j, (1, 99)))
    for step_j in WORK_STEPS_J:
        first, last = math.ceil(low_j / step_j), math.floor(high_j / step_j)
        if last - first < MOST_WORK_LINES:
            return tuple(float(step_j * times) for times in range(max(1, first), last + 1))
    return ()


# --- draw -------------------------------------------------------------------------------------------------------------


def strokes_figure(chart: StrokesChart) -> go.Figure:
    """Draws the strokes as points over stroke rate, and each work line as a shape."""
    rates_spm = tuple(rate for group in chart.groups for rate in group.stroke_rate_spm)
    powers_w = tuple(power for group in chart.groups for power in group.power_w)
    (slowest, fastest), up = robust_range(rates_spm), robust_range(powers_w, from_zero=True)
    across = (slowest, fastest + ROOM_FOR_LABELS * (fastest - slowest))
    return go.Figure(
        data=[_points(group) for group in chart.groups],
        layout=drawing.layout(
            330,
            hovermode="closest",
            annotations=[drawing.panel_title("power [W]", 1.0)],
            shapes=[_work_line(line_j, across, up) for line_j in chart.work_lines_j],
            xaxis=drawing.axis(
                title={"text": "stroke rate [spm]", "font": {"color": drawing.QUIET, "size": 12}, "standoff": 8},
                range=list(across),
                nticks=10,
            ),
            yaxis=drawing.axis(range=list(up), nticks=6),
        ),
    )


def _points(group: StrokesOfKind) -> go.Scatter:
    works_j = [round(work_j(*point)) for point in zip(group.stroke_rate_spm, group.power_w, strict=True)]
    return go.Scatter(
        x=drawing.packed(group.stroke_rate_spm),
        y=drawing.packed(group.power_w),
        customdata=drawing.packed(works_j),
        uid=group.kind.uid,
        mode="markers",
        marker={"color": group.kind.colour, "symbol": group.kind.symbol, "size": 6, "opacity": 0.75},
        hovertemplate=(
            f"{group.kind.name}  <b>%{{y:.0f}} W</b> at <b>%{{x:.1f}} spm</b>: %{{customdata:.0f}} J a stroke"
            "<extra></extra>"
        ),
    )


def _work_line(line_j: float, across: tuple[float, float], up: tuple[float, float]) -> dict[str, Any]:
    """A line of equal work, from the left edge of the chart to its right or upper one."""
    to_spm = min(across[1], 60.0 * up[1] / line_j)
    return {
        "type": "line",
        "x0": round(across[0], 2),
        "y0": round(line_j * across[0] / 60.0, 2),
        "x1": round(to_spm, 2),
        "y1": round(line_j * to_spm / 60.0, 2),
        "line": {"color": drawing.QUIET, "width": 1, "dash": "dot"},
        "layer": "below",
        "label": {
            "text": f"{line_j:.0f} J",
            "textposition": "end",
            "textangle": 0,
            "xanchor": "right",
            "font": {"size": 10, "color": drawing.QUIET},
        },
    }
