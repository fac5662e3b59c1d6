"""An athlete over the years."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.athlete import SETTINGS, TYPED, Athlete
from rowsync.config import KEYS
from rowsync.profile import GOOD_FOR, Profile, profile_fields

DAY = date(2026, 6, 1)
ANNA = Profile("anna", masses_kg=((date(2026, 1, 5), 64.5), (DAY, 63.0), (date(2026, 10, 1), 62.0)))


@pytest.mark.parametrize(
    ("day", "mass_kg"),
    [
        (date(1999, 1, 1), 64.5),  # before any entry, the first is the best that is known
        (date(2026, 1, 5), 64.5),
        (date(2026, 5, 31), 64.5),
        (DAY, 63.0),
        (date(2026, 9, 30), 63.0),
        (date(2030, 1, 1), 62.0),
    ],
)
def test_a_session_uses_the_mass_of_its_day(day, mass_kg):
    athlete = ANNA.on(day)
    assert athlete.mass_kg == mass_kg
    assert athlete.mass_from == SETTINGS


def test_nobodys_mass_is_made_up():
    assert Profile("anna").on(DAY) == Athlete("anna")


days = st.dates(date(1900, 1, 1), date(2100, 1, 1))


@given(st.dictionaries(days, st.floats(20, 300), min_size=1), days)
def test_the_mass_of_a_day_is_the_last_that_was_said_until_then(said, day):
    until_then = [each for each in said if each <= day] or [min(said)]
    assert Profile("anna", masses_kg=tuple(sorted(said.items()))).mass_on(day) == said[max(until_then)]


def test_age_grows_with_a_birth_year_and_stands_still_without():
    assert Profile(birth_year=1990).on(DAY).age_years == 36
    assert Profile(birth_year=1990).on(date(2000, 1, 1)).age_years == 10
    assert Profile(age_years=35).on(date(2000, 1, 1)).age_years == 35
    assert Profile(birth_year=1990, age_years=35).on(DAY).age_years == 36


@pytest.mark.parametrize("day", [date(1980, 1, 1), date(1991, 1, 1), date(2200, 1, 1)])
def test_nobody_rows_before_birth_or_at_210(day):
    assert Profile(birth_year=1990).on(day).age_years is None


def test_a_2k_stands_in_for_a_power_and_a_measured_one_comes_first():
    assert Profile(best_2k_s=420.0).on(DAY).max_power_w == pytest.approx(302.3, abs=0.1)  # 1:45 /500 m
    assert Profile(best_2k_s=420.0, max_power_w=310.0).on(DAY).max_power_w == 310.0


# --- a recording's athlete --------------------------------------------------------------------------------------------


def test_a_mass_typed_for_the_session_stays():
    typed = Athlete("anna", mass_kg=70.0, mass_from=TYPED)
    told = ANNA.told_of(typed, DAY)
    assert (told.mass_kg, told.mass_from) == (70.0, TYPED)


def test_settings_win_over_what_a_recording_says():
    recorded = Athlete("anna", mass_kg=70.0, height_cm=160.0, mass_from=None)
    told = Profile("anna", masses_kg=((DAY, 63.0),), height_cm=171.0).told_of(recorded, DAY)
    assert (told.mass_kg, told.mass_from, told.height_cm) == (63.0, SETTINGS, 171.0)


def test_what_the_settings_do_not_know_is_kept_from_the_recording():
    recorded = Athlete("anna", mass_kg=70.0, height_cm=160.0, sex="female")
    assert Profile("anna").told_of(recorded, DAY) == recorded


def test_what_a_recording_does_not_know_is_filled_even_where_it_says_typed():
    told = ANNA.told_of(Athlete("anna", mass_from=TYPED), DAY)
    assert (told.mass_kg, told.mass_from) == (63.0, SETTINGS)


def test_the_session_stays_under_the_name_that_it_was_rowed_under():
    assert ANNA.told_of(Athlete("someone"), DAY).name == "someone"


# --- what is known and what isn't -------------------------------------------------------------------------------------


def test_every_key_of_the_settings_is_good_for_something():
    assert {key for keys in GOOD_FOR for key in keys} == set(KEYS)


@pytest.mark.parametrize(
    ("profile", "wanted"),
    [
        (ANNA, {"birth_year", "best_2k_s"}),
        (Profile(age_years=30), {"mass_kg", "best_2k_s"}),
        (Profile(max_power_w=200), {"mass_kg", "birth_year"}),
    ],
)
def test_what_stands_in_for_something_makes_it_known(profile, wanted):
    assert set(profile.wants()) & {"mass_kg", "birth_year", "age_years", "best_2k_s", "max_power_w"} == wanted


def test_what_is_known_is_said_as_of_the_day():
    profile = Profile("anna", masses_kg=((date.min, 64.0), (DAY, 63.0)), birth_year=1990, best_2k_s=420.0)
    said = json.loads(json.dumps(profile_fields(profile, DAY)))
    assert said["masses"] == [{"from": None, "mass_kg": 64.0}, {"from": "2026-06-01", "mass_kg": 63.0}]
    assert (said["mass_kg"], said["age_years"], round(said["max_power_w"])) == (63.0, 36, 302)
    assert said["height_cm"] is None
