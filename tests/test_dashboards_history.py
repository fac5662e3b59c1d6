from __future__ import annotations

from datetime import date

import pandas as pd

from dashboards.bests import Best, BestsChart, bests_chart, bests_figure, held, race_time
from dashboards.calendar import CalendarChart, Day, calendar_chart, calendar_figure
from dashboards.history import KINDS, HardSession, HistoryChart, Period, counted, history_chart, history_figure
from dashboards.history_page import history_page
from rowsync.bests import SINCE_SCHEMA
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
            row("2026-11-23T00:00", 200.0, 170.0, 230.0, duration_s=1800.0),  # a Monday
            row("2026-11-29T23:59", 100.0, 80.0, 120.0),  # the Sunday after
        )
    )
    assert chart == HistoryChart(
        by="week",
        periods=(
            Period(date(2026, 11, 2), 1, 1, 300.0, 250.0, 350.0, None, None),
            Period(date(2026, 11, 9)),
            Period(date(2026, 11, 16)),
            Period(date(2026, 11, 23), 2, 2, 300.0, 250.0, 350.0, 1800.0, None),
        ),
    )


def test_the_turn_of_the_year_is_one_week():
    chart = history_chart(index(row("2026-12-31T12:00", 1.0), row("2027-01-01T12:00", 2.0)))
    assert [(week.first_day, week.sessions) for week in chart.periods] == [(date(2026, 12, 28), 2)]


def test_energy_that_was_not_measured_is_none_and_part_of_it_is_said():
    chart = history_chart(index(row("2026-11-23T12:00"), row("2026-11-30T12:00"), row("2026-12-01T12:00", 200.0)))
    assert [(week.sessions_with_energy, week.gross_kcal) for week in chart.periods] == [(0, None), (1, 200.0)]
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
    for by in KINDS:
        assert history_chart(pd.DataFrame(), by) == HistoryChart(by)
        assert history_chart(demo_index().iloc[:0], by) == HistoryChart(by)
        assert len(history_figure(HistoryChart(by)).data) == 3
    assert calendar_chart(pd.DataFrame()) == CalendarChart()
    assert bests_chart(pd.DataFrame()) == BestsChart()


def test_sessions_without_a_date_have_no_week():
    assert history_chart(pd.DataFrame({"started_at": [pd.NaT], "gross_kcal": [100.0]})).periods == ()


def test_a_clock_set_to_1970_does_not_stretch_the_axis():
    both = index(row("1970-01-02T12:00", 1.0), row("2026-11-23T12:00", 2.0))
    assert [len(history_chart(both, by).periods) for by in KINDS] == [104, 240]


def test_the_range_of_a_week_is_drawn_on_its_bar():
    bars = history_figure(history_chart(index(row("2026-11-23T12:00", 286.0, 240.0, 332.0)))).data[0]
    assert (list(bars.y), list(bars.error_y.array), list(bars.error_y.arrayminus)) == ([286], [46], [46])
    assert bars.text[0] == "week 48, from 23 November 2026<br>286 kcal (240–332)"


def test_a_history_of_46_sessions_draws_four_panels():
    figure = history_figure(history_chart(demo_index()))
    assert [trace.uid for trace in figure.data] == ["energy", "distance", "hours", "hard"]
    titles = [annotation.text for annotation in figure.layout.annotations]
    assert titles == [
        "gross energy by week [kcal]",
        "distance by week [km]",
        "time by week [h]",
        "mean power of the hard rounds [W]",
    ]


def test_what_a_program_rowed_is_not_added_to_what_a_person_did():
    both = index(row("2026-11-23T12:00", 300.0), row("2026-11-24T12:00", 200.0))
    both["origin"] = ["synthetic", "hardware"]
    assert list(counted(both).gross_kcal) == [200.0]
    assert len(counted(both[both.origin == "synthetic"])) == 1


def test_months_are_as_long_as_they_are_and_empty_ones_are_there():
    chart = history_chart(
        index(row("2026-12-31T23:00", 100.0), row("2027-01-01T01:00", 200.0), row("2027-03-31T12:00", 50.0)), "month"
    )
    assert [(month.first_day, month.gross_kcal) for month in chart.periods] == [
        (date(2026, 12, 1), 100.0),
        (date(2027, 1, 1), 200.0),
        (date(2027, 2, 1), 0.0),
        (date(2027, 3, 1), 50.0),
    ]
    bars = history_figure(chart).data[0]
    assert bars.text[2] == "February 2027<br>0 kcal"
    assert [round(width / 0.75 / 86_400_000) for width in bars.width] == [31, 31, 28, 31]


# --- the calendar -----------------------------------------------------------------------------------------------------


def test_the_calendar_ends_in_the_week_of_the_last_session_and_begins_a_year_before():
    chart = calendar_chart(
        index(
            row("2025-11-23T12:00", 1.0, duration_s=60.0),  # the Sunday before it begins
            row("2025-11-24T12:00", 100.0, duration_s=600.0),
            row("2026-11-24T08:00", 200.0, duration_s=1200.0),
            row("2026-11-24T18:00", 300.0, duration_s=1800.0),
        )
    )
    assert chart == CalendarChart(
        date(2025, 11, 24), (Day(date(2025, 11, 24), 1, 600.0, 100.0), Day(date(2026, 11, 24), 2, 3000.0, 500.0))
    )
    heat = calendar_figure(chart).data[0]
    assert (heat.z[0][0], heat.z[1][52]) == (10.0, 50.0)
    assert heat.text[1][52] == "Tuesday 24 November 2026: 2 sessions, 50 min, 500 kcal"
    assert sum(bool(text) for week in heat.text for text in week) == 2


# --- bests ------------------------------------------------------------------------------------------------------------


def test_bests_have_their_day_and_of_equal_ones_the_first_counts():
    chart = bests_chart(
        index(
            row("2026-11-23T12:00", session_id="a", power_60s_w=250.0, best_500m_s=110.0, power_5s_w=None),
            row("2026-11-24T12:00", session_id="b", power_60s_w=260.0, best_500m_s=110.0),
            row("2026-11-25T12:00", session_id="c", power_60s_w=None, best_500m_s=111.5, best_2000m_s=470.04),
        )
    )
    assert chart == BestsChart(
        powers=(Best(60, 260.0, date(2026, 11, 24), "b"),),
        times=(Best(500, 110.0, date(2026, 11, 23), "a"), Best(2000, 470.04, date(2026, 11, 25), "c")),
    )
    assert bests_figure(chart).data[0].text[0] == "1 min: 260 W<br>24 November 2026"


def test_bests_are_said_as_rowers_say_them():
    assert [held(each) for each in (5, 30, 60, 360, 3600)] == ["5 s", "30 s", "1 min", "6 min", "60 min"]
    assert [race_time(each) for each in (99.96, 105.34, 470.0, 3723.0)] == ["1:40.0", "1:45.3", "7:50.0", "1:02:03.0"]


def test_sessions_older_than_bests_are_counted_and_the_page_says_how_to_add_them():
    sessions = index(
        row("2026-11-23T12:00", session_id="a", schema=5),
        row("2026-11-24T12:00", session_id="b", schema=SINCE_SCHEMA, power_60s_w=260.0),
    )
    assert bests_chart(sessions).unknown == 1
    demo = demo_index().assign(schema=SINCE_SCHEMA)
    assert "<code>rowsync rebuild</code>" not in history_page(demo, session_link=lambda session_id: None)
    older = history_page(demo.assign(schema=SINCE_SCHEMA - 1), session_link=lambda session_id: None)
    assert f"The bests of {len(counted(demo))} older sessions aren't among them yet: <code>rowsync rebuild" in older
