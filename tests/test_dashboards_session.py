from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dashboards import drawing
from dashboards.session import (
    MOST_POINTS,
    Doubt,
    HardContrast,
    RoundsChart,
    SessionChart,
    Span,
    hard_contrast,
    robust_range,
    rounds_chart,
    rounds_figure,
    session_chart,
    session_figure,
)
from tests.test_dashboards_demo import COLUMNS, demo_samples, demo_summary

NAN = float("nan")


def samples(**columns):
    """A few samples; what is not given was not measured."""
    length = len(columns["time_s"])
    return pd.DataFrame({name: columns.get(name, [NAN] * length) for name in COLUMNS} | {"moving": True} | columns)


def interval(effort, start_s, duration_s, power_w):
    return {
        "number": 1,
        "effort": effort,
        "start_s": start_s,
        "end_s": start_s + duration_s,
        "duration_s": duration_s,
        "mean_power_w": power_w,
    }


def test_a_chart_holds_exactly_what_is_shown():
    summary = {
        "duration_s": 4.0,
        "intervals": [interval("easy", 0, 2, 90), interval("hard", 2, 2, 210)],
        "gaps": [],
    }
    shown = session_chart(
        summary,
        samples(
            time_s=[0.0, 1.0, 2.0, 3.0],
            moving=[True, True, False, True],
            stroke_rate_spm=[20.0, 20.5, 0.0, 28.0],
            pace_s_per_500m=[150.04, 149.96, 150.0, NAN],
            power_w=[90.0, NAN, 0.0, 210.4],
        ),
    )
    assert shown == SessionChart(
        time_min=(0.0, 0.0167, 0.0333, 0.05),
        power_w=(90.0, None, 0.0, 210.0),
        stroke_rate_spm=(20.0, 20.5, 0.0, 28.0),
        pace_s_per_500m=(150.0, 150.0, None, None),  # standing still has no pace, whatever the machine repeats
        heart_rate_bpm=(),
        hard=(Span(2 / 60, 4 / 60, "1"),),
        gaps=(),
        duration_min=4 / 60,
    )


def test_a_series_that_was_not_measured_has_no_panel():
    chart = session_chart({}, samples(time_s=[0.0, 1.0], power_w=[100.0, 110.0]))
    assert [trace.uid for trace in session_figure(chart).data] == ["power_w"]


def test_a_session_without_power_still_draws_the_rest():
    chart = session_chart({}, demo_samples().assign(power_w=NAN))
    assert chart.power_w == ()
    assert [trace.uid for trace in session_figure(chart).data] == [
        "stroke_rate_spm",
        "pace_s_per_500m",
        "heart_rate_bpm",
    ]


@pytest.mark.parametrize("empty", [pd.DataFrame(), pd.DataFrame(columns=list(COLUMNS)), samples(time_s=[NAN])])
def test_a_session_without_samples_is_an_empty_chart(empty):
    chart = session_chart({"duration_s": None, "intervals": None, "gaps": None}, empty)
    assert chart == SessionChart((), (), (), (), (), (), (), duration_min=0.0)
    assert session_figure(chart).data == ()


def test_missing_columns_are_not_measured():
    chart = session_chart({}, pd.DataFrame({"time_s": [0.0, 1.0], "power_w": [100, 110]}))
    assert (chart.power_w, chart.heart_rate_bpm) == ((100.0, 110.0), ())


def test_nullable_columns_are_read():
    table = samples(time_s=[0.0, 1.0]).assign(
        power_w=pd.array([100, None], dtype="Int64"), moving=pd.array([True, None], dtype="boolean")
    )
    assert session_chart({}, table).power_w == (100.0, None)


def test_a_gap_breaks_the_lines():
    summary = {"gaps": [{"start_s": 1.0, "end_s": 3.0, "reason": "<b>link</b> lost"}]}
    chart = session_chart(summary, samples(time_s=[0.0, 1.0, 3.0, 4.0], power_w=[100.0, 101.0, 103.0, 104.0]))
    assert chart.power_w == (100.0, 101.0, None, 103.0, 104.0)
    assert chart.gaps == (Span(1 / 60, 3 / 60),)


def test_silence_breaks_the_lines_even_when_no_gap_was_told():
    chart = session_chart({}, samples(time_s=[0.0, 1.0, 11.0], power_w=[100.0, 101.0, 102.0]))
    assert (chart.time_min[2], chart.power_w) == (0.1, (100.0, 101.0, None, 102.0))


def test_samples_out_of_order_are_drawn_in_order():
    chart = session_chart({}, samples(time_s=[2.0, 0.0, 1.0], power_w=[3.0, 1.0, 2.0]))
    assert chart.power_w == (1.0, 2.0, 3.0)


def test_a_long_session_is_thinned_to_its_extremes():
    time_s = np.arange(14_400) / 4
    power_w = np.full(14_400, 150.0)
    power_w[7_777] = 611.0
    power_w[9_001] = 3.0
    chart = session_chart({}, samples(time_s=time_s, power_w=power_w))
    assert chart.thinned
    assert len(chart.time_min) == len(chart.power_w) <= MOST_POINTS
    assert (max(chart.power_w), min(chart.power_w)) == (611.0, 3.0)
    assert None not in chart.power_w
    assert list(chart.time_min) == sorted(chart.time_min)


def test_a_thinned_session_keeps_its_gaps():
    time_s = np.arange(14_400) / 4
    heard = (time_s < 1_000) | (time_s > 1_030)
    chart = session_chart({}, samples(time_s=time_s[heard], power_w=np.full(heard.sum(), 150.0)))
    at = chart.power_w.index(None)
    assert 1_000 / 60 < chart.time_min[at] < 1_030 / 60


def test_one_wild_value_does_not_stretch_the_axis():
    low, high = robust_range((*[150.0] * 990, 150.0, 210.0, 9_000.0))
    assert (low > 100, high < 300) == (True, True)


def test_stops_do_not_stretch_the_axis():
    assert robust_range((0.0, 0.0, 20.0, 22.0, 30.0))[0] > 15


def test_power_starts_at_zero():
    figure = session_figure(session_chart(demo_summary(demo_samples()), demo_samples()))
    assert figure.layout.yaxis.range[0] == 0.0


def test_pace_is_drawn_fast_side_up_with_minutes_and_seconds():
    figure = session_figure(session_chart({}, samples(time_s=[0.0, 1.0], pace_s_per_500m=[120.0, 150.0])))
    slow, fast = figure.layout.yaxis.range
    assert slow > 150_000 > 120_000 > fast
    assert (figure.layout.yaxis.type, figure.layout.yaxis.tickformat) == ("date", "%-M:%S")


def test_the_panels_share_one_axis_and_one_reading():
    figure = session_figure(session_chart(demo_summary(demo_samples()), demo_samples()))
    assert {trace.xaxis for trace in figure.data} == {None}  # all on x itself: hoversubplots needs that
    assert [trace.yaxis for trace in figure.data] == ["y", "y2", "y3", "y4"]
    assert (figure.layout.hovermode, figure.layout.hoversubplots) == ("x unified", "axis")


def test_axes_are_named_with_their_units():
    figure = session_figure(session_chart(demo_summary(demo_samples()), demo_samples()))
    names = [annotation.text for annotation in figure.layout.annotations]
    assert names == ["power [W]", "stroke rate [spm]", "pace [/500 m]", "heart rate [bpm]"]
    assert figure.layout.xaxis.title.text == "time [min]"


def test_every_round_and_gap_is_shaded():
    figure = session_figure(session_chart(demo_summary(demo_samples()), demo_samples()))
    shades = [(shape.fillcolor, shape.label.text) for shape in figure.layout.shapes]
    assert shades == [(drawing.HARD, str(number)) for number in range(1, 11)] + [(drawing.GAP, None)]
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (5.0, 5.75)


def test_a_doubtful_edge_is_dashed_and_says_how_sure_it_is():
    intervals = [interval("warmup", 0, 60, 90), interval("hard", 60, 60, 200) | {"start_confidence": 0.6}]
    sure = interval("easy", 120, 60, 90) | {"start_confidence": 0.8}
    chart = session_chart({"intervals": [*intervals, sure]}, demo_samples())
    assert chart.doubts == (Doubt(1.0, "effort changes here: 60\u202f% sure"),)
    figure = session_figure(chart)
    assert [(shape.path, shape.line.dash) for shape in figure.layout.shapes[1:]] == [("M1.0000,1V0.0", "dash")]
    assert (figure.data[-1].x, figure.data[-1].customdata) == ((1.0,), ("effort changes here: 60\u202f% sure",))


def test_watts_that_the_heart_contradicts_are_underlined_and_only_where_there_are_watts():
    doubtful = {"start_s": 300.0, "end_s": 960.0, "power_kcal_per_min": 9.0, "heart_rate_kcal_per_min": 5.0}
    samples = demo_samples()
    chart = session_chart({"doubtful_power": doubtful}, samples)
    assert chart.doubtful_power == (Span(5.0, 16.0),)
    (shape,) = session_figure(chart).layout.shapes
    assert (shape.x0, shape.x1, shape.yref, shape.fillcolor) == (5.0, 16.0, "y domain", drawing.QUIET)
    without = session_chart({"doubtful_power": doubtful}, samples.assign(power_w=None))
    assert not session_figure(without).layout.shapes


def test_bells_are_drawn_where_a_followed_plan_rang_its_hard_rounds():
    pieces = [("warmup", 0, 60), ("hard", 60, 105), ("easy", 105, 180), ("hard", 180, 225)]
    due = [{"effort": effort, "due_start_s": start_s, "due_end_s": end_s} for effort, start_s, end_s in pieces]
    followed = session_chart({"compliance": {"followed": True, "pieces": due}}, demo_samples())
    assert followed.bells_min == (1.0, 1.75, 3.0, 3.75)
    assert len(session_figure(followed).layout.shapes) == 1
    assert session_chart({"compliance": {"followed": False, "pieces": due}}, demo_samples()).bells_min == ()


def test_forty_rounds_are_shaded_without_numbers():
    chart = session_chart(
        {"intervals": [interval("hard", 60 * number, 30, 200) for number in range(40)]}, demo_samples()
    )
    assert {span.label for span in chart.hard} == {""}
    assert len(session_figure(chart).layout.shapes) == 40


def test_rounds_have_bars_from_zero():
    chart = rounds_chart({"intervals": [interval("hard", 0, 45, 220), interval("hard", 120, 15, 180.04)]})
    assert chart == RoundsChart(rounds=(1, 2), mean_power_w=(220.0, 180.0), overall_power_w=pytest.approx(210.01))
    assert rounds_figure(chart).layout.yaxis.range[0] == 0


def test_a_round_without_power_has_no_bar():
    chart = rounds_chart({"intervals": [interval("hard", 0, 45, None), interval("hard", 120, 45, 200)]})
    assert (chart.rounds, chart.mean_power_w, chart.overall_power_w) == ((2,), (200.0,), 200.0)


@pytest.mark.parametrize("intervals", [None, [], [interval("easy", 0, 60, 90)], [interval("hard", 0, 60, None)]])
def test_no_hard_power_no_bars(intervals):
    assert rounds_chart({"intervals": intervals}) is None


def test_the_contrast_compares_three_rounds_with_three():
    hard = [
        interval("hard", 120 * number, 45, power_w) for number, power_w in enumerate((200, 210, 220, 215, 190, 195))
    ]
    contrast = hard_contrast({"intervals": [*hard, interval("easy", 45, 75, 82)]})
    assert contrast == HardContrast(
        rounds=6,
        mean_power_w=205.0,
        hard_to_easy=2.5,
        last_to_first=pytest.approx(600 / 630),
        compared_rounds=3,
    )


def test_few_rounds_compare_the_last_with_the_first():
    contrast = hard_contrast({"intervals": [interval("hard", 0, 45, 200), interval("hard", 120, 45, 190)]})
    assert (contrast.last_to_first, contrast.compared_rounds, contrast.hard_to_easy) == (0.95, 1, None)


def test_one_round_compares_with_nothing():
    assert hard_contrast({"intervals": [interval("hard", 0, 45, 200)]}) == HardContrast(1, 200.0, None, None, 0)


def test_rounds_without_power_are_still_counted():
    assert hard_contrast({"intervals": [interval("hard", 0, 45, None)] * 6}) == HardContrast(6, None, None, None, 3)


def test_no_rounds_no_contrast():
    assert hard_contrast({"intervals": [interval("steady", 0, 1800, 150)]}) is None
