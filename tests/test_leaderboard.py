"""Who was fastest: of each person the best, from the index alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.errors import UsageError
from rowsync.leaderboard import column_of, leaders
from rowsync.table import INDEX

DAY = datetime(2026, 11, 1, 7, tzinfo=UTC)


def index(*rows):
    """An index of rows of athlete, best 500 m [s] and what else is said."""
    every = [
        {"session_id": f"s{n}", "athlete": who, "started_at": DAY + timedelta(days=n), "best_500m_s": best, **more}
        for n, (who, best, more) in enumerate(rows)
    ]
    return pa.Table.from_pylist(every, schema=INDEX)


def named(found):
    return [(each["athlete"], each["session_id"]) for each in found]


def test_each_person_has_one_place_by_the_best_and_of_equal_ones_the_first_counts():
    table = index(("anna", 110.0, {}), ("ben", 105.0, {}), ("anna", 100.0, {}), ("anna", 100.0, {}), ("zoe", None, {}))
    assert named(leaders(table, "best_500m_s", 10)) == [("anna", "s2"), ("ben", "s1")]
    assert named(leaders(table, "best_500m_s", 1)) == [("anna", "s2")]


def test_what_a_program_rowed_and_what_was_before_the_day_does_not_count():
    table = index(("anna", 90.0, {}), ("demo", 80.0, {"origin": "synthetic"}), ("anna", 100.0, {"origin": "hardware"}))
    assert named(leaders(table, "best_500m_s", 10, DAY + timedelta(days=1))) == [("anna", "s2")]


def test_of_power_the_most_counts_and_none_that_the_heart_contradicts():
    watts = ((250.0, None), (900.0, True), (300.0, False))
    table = index(*(("anna", None, {"power_60s_w": w, "doubtful_power": doubtful}) for w, doubtful in watts))
    assert named(leaders(table, "power_60s_w", 10)) == [("anna", "s2")]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.floats(60, 300)), max_size=30))
def test_it_is_what_looking_at_each_row_gives(rows):
    best = {}
    for who, time_s in rows:
        if time_s is not None:
            best[who] = min(best.get(who, time_s), time_s)
    found = leaders(index(*((*row, {}) for row in rows)), "best_500m_s", 10)
    assert [(each["athlete"], each["best_500m_s"]) for each in found] == sorted(
        best.items(), key=lambda each: (each[1], each[0])
    )


def test_a_best_is_named_by_its_distance_or_time():
    assert [column_of(name) for name in ("500m", "2,000 m", "60s")] == ["best_500m_s", "best_2000m_s", "power_60s_w"]
    with pytest.raises(UsageError, match=r"There is no best called '7km'\. There are "):
        column_of("7km")
