from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.strokes import KINDS, MOST_POINTS, StrokesChart, StrokesOfKind, strokes_chart, strokes_figure
from tests.test_dashboards_demo import demo_samples, demo_summary

EASY, HARD, STEADY, OTHER = KINDS
NAN = float("nan")


def rowed(*strokes, times_s=None):
    """Samples of a machine that notifies once a stroke: (rate, power) each, after a first one that has no stroke."""
    rates, powers = zip((0.0, 0.0), *strokes, strict=True)
    times_s = times_s or [2.0 * number for number in range(len(rates))]
    return pd.DataFrame(
        {"time_s": times_s, "stroke_count": range(len(rates)), "stroke_rate_spm": rates, "power_w": powers}
    )


def interval(effort, start_s, end_s):
    return {"effort": effort, "start_s": start_s, "end_s": end_s}


def test_a_chart_holds_each_stroke_once_by_its_effort():
    intervals = [interval("easy", 0, 4), interval("hard", 4, 8)]
    chart = strokes_chart({"intervals": intervals}, rowed((20.0, 100.0), (20.0, 100.2), (30.0, 200.0), (30.0, 210.0)))
    assert chart == StrokesChart(
        groups=(
            StrokesOfKind(EASY, (20.0,), (100.0,), 2, 20.0, 100.0, 300.0),
            StrokesOfKind(HARD, (30.0, 30.0), (200.0, 210.0), 2, 30.0, 205.0, 410.0),
        ),
        work_lines_j=(300.0, 350.0, 400.0),
    )


def test_a_stroke_is_read_once_however_often_the_machine_repeats_it():
    often = rowed((20.0, 100.0), (20.0, 110.0)).loc[[0, 1, 1, 1, 2, 2]].assign(time_s=np.arange(6.0))
    [group] = strokes_chart({}, often).groups
    assert (group.stroke_count, group.power_w) == (2, (100.0, 110.0))


def test_a_stroke_that_ends_with_its_interval_belongs_to_it():
    intervals = [interval("warmup", 0, 2), interval("steady", 2, 4)]
    groups = strokes_chart({"intervals": intervals}, rowed((20.0, 100.0), (20.0, 110.0))).groups
    assert [(group.kind, group.power_w) for group in groups] == [(STEADY, (110.0,)), (OTHER, (100.0,))]


@pytest.mark.parametrize(
    "samples",
    [
        pd.DataFrame(),
        rowed((20.0, 0.0), (0.0, 100.0)),
        rowed((NAN, 100.0), (20.0, NAN)),
        rowed((20.0, 100.0)).drop(columns="stroke_count"),
        rowed((20.0, 100.0)).drop(columns="power_w"),
    ],
)
def test_no_stroke_with_rate_and_power_no_chart(samples):
    assert strokes_chart({}, samples) is None


def test_a_long_row_has_few_points_and_keeps_its_count_and_its_strongest_stroke():
    rng = np.random.default_rng(3)
    strokes = [(float(rate), float(power)) for rate, power in rng.uniform((16, 60), (40, 400), (5_000, 2))]
    [group] = strokes_chart({}, rowed(*strokes, (41.0, 611.0))).groups
    assert len(group.power_w) == len(group.stroke_rate_spm) <= MOST_POINTS
    assert group.stroke_count == 5_001
    assert max(group.power_w) == pytest.approx(611, rel=0.03)


def test_strokes_are_told_apart_by_form_as_well_as_by_colour():
    samples = demo_samples()
    figure = strokes_figure(strokes_chart(demo_summary(samples), samples))
    assert len({trace.marker.symbol for trace in figure.data}) == len(figure.data) == 3
    assert [trace.uid for trace in figure.data] == ["strokes_easy", "strokes_hard", "strokes_other"]


def test_a_line_of_equal_work_is_straight_through_the_origin():
    figure = strokes_figure(strokes_chart({}, rowed((20.0, 100.0), (30.0, 200.0))))
    [label] = {shape.label.text for shape in figure.layout.shapes if shape.label.text == "350 J"}
    line = next(shape for shape in figure.layout.shapes if shape.label.text == label)
    assert line.y0 / line.x0 == pytest.approx(350 / 60, abs=0.01)
    assert line.y1 / line.x1 == pytest.approx(350 / 60, abs=0.01)


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=True, allow_infinity=False, width=32),
            st.floats(allow_nan=True, allow_infinity=False, width=32),
        ),
        max_size=20,
    ),
    st.lists(st.sampled_from(["hard", "easy", "rest", "steady", "?"]), max_size=4),
)
def test_any_rates_and_powers_make_a_chart_or_none(strokes, efforts):
    intervals = [interval(effort, 10 * place, 10 * place + 10) for place, effort in enumerate(efforts)]
    chart = strokes_chart({"intervals": intervals}, rowed(*strokes))
    if chart is not None:
        assert sum(group.stroke_count for group in chart.groups) <= len(strokes)
        strokes_figure(chart)
