"""Which day it was where somebody rowed."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.days import day_of, local, zone
from rowsync.errors import UsageError


@pytest.mark.parametrize(
    ("moment", "time_zone", "day"),
    [
        ("2026-11-23T23:30:00Z", "UTC", "2026-11-23"),
        ("2026-11-23T23:30:00Z", "Europe/Berlin", "2026-11-24"),
        ("2026-11-23T23:30:00Z", "America/New_York", "2026-11-23"),
        ("2026-03-29T00:30:00Z", "Europe/Berlin", "2026-03-29"),  # the night that summer time begins in
        ("2026-03-29T21:59:59Z", "Europe/Berlin", "2026-03-29"),  # ... and its last second, an hour early
        ("2026-03-29T22:00:00Z", "Europe/Berlin", "2026-03-30"),
        ("2026-10-24T22:00:00Z", "Europe/Berlin", "2026-10-25"),  # the day of 25 hours
        ("2026-10-25T22:59:59Z", "Europe/Berlin", "2026-10-25"),
        ("2026-11-23T10:30:00Z", "Pacific/Kiritimati", "2026-11-24"),
    ],
)
def test_a_day_is_that_of_the_place(moment, time_zone, day):
    assert day_of(datetime.fromisoformat(moment), time_zone) == date.fromisoformat(day)


def test_without_a_time_zone_it_is_the_computers():
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert local(moment, None).utcoffset() == moment.astimezone().utcoffset()


@pytest.mark.parametrize(
    "name",
    ["", "Berlin", "Europe", "Europe/", "../../etc/passwd", "/etc/localtime", "a\0b", "\ud800", "x" * 5000, "zone.tab"],
)
def test_a_time_zone_that_there_is_not_is_refused_in_a_sentence(name):
    with pytest.raises(UsageError, match="There is no time zone"):
        zone(name)


@given(st.text())
def test_any_text_is_a_time_zone_or_refused(name):
    with suppress(UsageError):
        assert zone(name).key == name


@given(
    st.datetimes(timezones=st.just(UTC)) | st.datetimes(timezones=st.just(timezone(timedelta(hours=14)))),
    st.sampled_from(["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", None]),
)
def test_every_moment_of_the_calendar_has_a_day_a_day_off_at_most(moment, time_zone):
    assert abs(day_of(moment, time_zone) - moment.date()) <= timedelta(days=2)
