from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest

from rowsync.wording import (
    clock,
    count,
    day,
    moment,
    number,
    outside_html,
    outside_text,
    pace,
    percent_change,
    short_day,
    time_of_day,
)


@pytest.mark.parametrize("words", [number, clock, pace])
@pytest.mark.parametrize("absent", [None, float("nan"), float("inf"), pd.NA, pd.NaT, "soon", {}])
def test_what_was_not_measured_is_a_dash(words, absent):
    assert words(absent) == "–"


def test_zero_is_a_number():
    assert (number(0), clock(0), number(-0.2)) == ("0", "0:00", "0")


def test_numbers_are_grouped_and_rounded():
    assert (number(12345.6), number(-3.25, 1), number(999.96, 1)) == ("12\u202f346", "−3.2", "1\u202f000.0")


def test_durations_read_like_a_clock():
    assert [clock(seconds) for seconds in (44.6, 59.7, 3599.6, 3725)] == ["0:45", "1:00", "1:00:00", "1:02:05"]


def test_a_pace_reads_as_rowers_say_it():
    assert (pace(125.34), pace(119.96), pace(0)) == ("2:05.3", "2:00.0", "–")


def test_a_change_carries_its_sign():
    assert [percent_change(ratio) for ratio in (0.966, 1.02, 1.001)] == ["−3\u202f%", "+2\u202f%", "±0\u202f%"]


def test_one_is_one():
    assert (count(1, "gap"), count(2, "gap"), count(0, "gap")) == ("1 gap", "2 gaps", "0 gaps")


def test_a_date_is_said_with_its_zone():
    at = moment("2026-11-23T16:30:00+00:00")
    assert (day(at), time_of_day(at)) == ("Monday 23 November 2026", "16:30 UTC")
    assert short_day(at) == "Mon 23 Nov 2026"
    there = datetime(2026, 11, 23, 17, 30, tzinfo=timezone(timedelta(hours=1)))
    assert time_of_day(there) == "17:30 +01:00"


@pytest.mark.parametrize("unreadable", [None, "", "yesterday", pd.NaT, float("nan"), 12])
def test_an_unreadable_date_is_no_date(unreadable):
    assert moment(unreadable) is None


def test_a_table_stamp_is_a_moment():
    assert moment(pd.Timestamp("2026-11-23T16:30", tz="UTC")) == datetime(2026, 11, 23, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x00b", "a\\u0000b"),
        ("a\u202eb", "a\\u202eb"),
        ("\x1b]0;x\x07", "\\u001b]0;x\\u0007"),
        ("\ud800", "\\ud800"),
        ("line\nbreak", "line\\u000abreak"),
        ("x" * 248, "x" * 80 + "…"),
        ("Zoë 👩‍👧", "Zoë 👩‍👧"),
    ],
)
def test_text_from_outside_cannot_move_or_hide_anything(hostile, shown):
    assert outside_text(hostile) == shown


def test_text_from_outside_is_no_markup():
    assert outside_html("<script>alert(1)</script>") == "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>"
