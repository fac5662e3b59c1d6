from __future__ import annotations

from datetime import date

import pandas as pd

from dashboards.history import HardSession, HistoryChart, Week, counted, history_chart, history_figure
from tests.test_dashboards_demo import demo_index


def index(*rows):
    return pd.DataFrame(rows)


def row(started_at, gross_kcal=None, low_kcal=None, high_kcal=None, **more):
    stamp = pd.Timestamp(started_at, tz="UTC")
    return {"started_at": stamp, "gross_kcal": gross_kcal, "low_kcal": low_kcal, "high_kcal": high_kcal} | more


def test_weeks_begin_on_monday_and_empty_weeks_are_there():
    chart = history_chart(
        index(
            row("2026-11-08T23:59", 300.0, 250.0, 350.0),  # a Sunday
            row("2026-11-23T00:00", 200.0, 170.0, 230.0),  # a Monday
            row("2026-11-29T23:59", 100.0, 80.0, 120.0),  # the Sunday after
        )
    )
    assert chart == HistoryChart(
        weeks=(
            Week(date(2026, 11, 2), 1, 1, 300.0, 250.0, 350.0),
            Week(date(2026, 11, 9), 0, 0, 0.0, None, None),
            Week(date(2026, 11, 16), 0, 0, 0.0, None, None),
            Week(date(2026, 11, 23), 2, 2, 300.0, 250.0, 350.0),
        ),
        hard=(),
    )


def test_the_turn_of_the_year_is_one_week():
    chart = history_chart(index(row("2026-12-31T12:00", 1.0), row("2027-01-01T12:00", 2.0)))
    assert [(week.monday, week.sessions) for week in chart.weeks] == [(date(2026, 12, 28), 2)]


def test_energy_that_was_not_measured_is_none_and_part_of_it_is_said():
    chart = history_chart(index(row("2026-11-23T12:00"), row("2026-11-30T12:00"), row("2026-12-01T12:00", 200.0)))
    assert [(week.sessions_with_energy, week.gross_kcal) for week in chart.weeks] == [(0, None), (1, 200.0)]
    first, second = history_figure(chart).data[0].text
    assert (first.endswith("<br>energy not measured"), second.endswith("<br>from 1 of 2 sessions")) == (True, True)


def test_hard_sessions_are_chosen_with_their_rounds():
    chart = history_chart(
        index(
            row("2026-11-24T12:00", hard_intervals=10, mean_hard_power_w=214.26),
            row("2026-11-23T12:00", hard_intervals=None, mean_hard_power_w=200.0),
            row("2026-11-25T12:00", hard_intervals=0, mean_hard_power_w=None),
        )
    )
    assert chart.hard == (HardSession(date(2026, 11, 23), None, 200.0), HardSession(date(2026, 11, 24), 10, 214.3))


def test_no_sessions_no_weeks():
    assert history_chart(pd.DataFrame()) == HistoryChart((), ())
    assert history_chart(demo_index().iloc[:0]) == HistoryChart((), ())
    assert len(history_figure(HistoryChart((), ())).data) == 2


def test_sessions_without_a_date_have_no_week():
    assert history_chart(pd.DataFrame({"started_at": [pd.NaT], "gross_kcal": [100.0]})).weeks == ()


def test_a_clock_set_to_1970_does_not_stretch_the_axis():
    assert len(history_chart(index(row("1970-01-02T12:00", 1.0), row("2026-11-23T12:00", 2.0))).weeks) == 1_040


def test_the_range_of_a_week_is_drawn_on_its_bar():
    bars = history_figure(history_chart(index(row("2026-11-23T12:00", 286.0, 240.0, 332.0)))).data[0]
    assert (list(bars.y), list(bars.error_y.array), list(bars.error_y.arrayminus)) == ([286], [46], [46])
    assert bars.text[0] == "week 48, from 23 November 2026<br>286 kcal (240–332)"


def test_a_history_of_46_sessions_draws_three_panels():
    figure = history_figure(history_chart(demo_index()))
    assert [trace.uid for trace in figure.data] == ["energy", "sessions", "hard"]
    titles = [annotation.text for annotation in figure.layout.annotations]
    assert titles == ["gross energy by week [kcal]", "sessions by week", "mean power of the hard rounds [W]"]


def test_what_a_program_rowed_is_not_added_to_what_a_person_did():
    both = index(row("2026-11-23T12:00", 300.0), row("2026-11-24T12:00", 200.0))
    both["origin"] = ["synthetic", "hardware"]
    assert list(counted(both).gross_kcal) == [200.0]
    assert len(counted(both[both.origin == "synthetic"])) == 1
