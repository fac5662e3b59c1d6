"""A programme beside what was done of it, out of a store and onto a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest

from dashboards.programme_page import programme_page
from rowsync.adherence import adherence
from rowsync.errors import RecordingError
from rowsync.profile import Profile
from rowsync.programme import Tick, load_programme
from rowsync.ticks import Ticked

TODAY = date(2026, 11, 29)
PROGRAMME = load_programme((files("rowsync") / "programme.toml").read_text(encoding="utf-8"))


class Kept:
    """A store of sessions: who rowed when, of which origin."""

    def __init__(self, summary, *sessions):
        self._summary, self._sessions = summary, sessions

    def rows(self):
        return [
            {"session_id": str(number), "athlete": athlete, "origin": origin, "started_at": at}
            for number, (athlete, origin, at) in enumerate(self._sessions)
        ]

    def summary(self, session_id):
        if self._sessions[int(session_id)][0] == "torn":
            raise RecordingError("The file <torn>.parquet is damaged.")
        return self._summary


@pytest.fixture(scope="module")
def summary(intervals_recording):
    from rowsync.session import analyse

    return analyse(replace(intervals_recording.header, origin="hardware"), intervals_recording.items).summary()


def at(days_ago):
    return datetime(2026, 11, 29, 12, tzinfo=UTC) - timedelta(days=days_ago)


def done(store, said=None, name="anna", tell=print):
    return adherence(store, PROGRAMME, Profile(name, time_zone="UTC"), said or Ticked(), TODAY, tell)


def test_ones_own_rows_count_in_their_weeks_and_nobody_elses_do(summary):
    store = Kept(
        summary,
        ("anna", "hardware", at(0)),
        ("anna", "converted", at(7)),
        ("anna", "synthetic", at(0)),
        ("ben", "hardware", at(0)),
        ("anna", "hardware", at(200)),
    )
    shown = done(store, Ticked(ticks=frozenset({Tick(TODAY, "A")})))
    assert shown["started"] == "2026-11-16"
    assert [week["interval_rows"] for week in shown["weeks"]] == [1, 1]
    assert [week["strength"] for week in shown["weeks"]] == [[], ["A"]]


def test_a_session_that_cannot_be_read_is_told_and_left_out(summary):
    told = []
    shown = done(Kept(summary, ("torn", "hardware", at(0))), name="torn", tell=told.append)
    assert [week["rows"] for week in shown["weeks"]] == [0]
    assert "torn" in told[0]


def test_the_page_shows_each_week_beside_the_plan(summary):
    page = programme_page(done(Kept(summary, ("anna", "hardware", at(0)), ("anna", "hardware", at(7)))), home="/")
    assert page.count('<th scope="row"') == 3
    assert "planned" in page
    assert "Left of this week" in page
    assert '<a href="/">' in page


def test_a_programme_that_has_not_begun_says_so(summary):
    page = programme_page(done(Kept(summary), Ticked(started=TODAY + timedelta(days=30))), home="/")
    assert "It has not begun yet" in page


def test_hostile_words_stay_words(summary):
    hostile = "<script>alert(1)</script>"
    shown = done(Kept(summary, (hostile, "hardware", at(0))), name=hostile)
    plan = shown["programme"] | {"name": hostile}
    page = programme_page(shown | {"programme": plan, "left": [hostile], "information": hostile}, home="/")
    assert "<script>alert" not in page
