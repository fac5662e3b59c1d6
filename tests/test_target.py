"""What a piece asks for: in values for one athlete, beside what is rowed, and in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.athlete import Athlete
from rowsync.errors import UsageError
from rowsync.strokes import Stroke
from rowsync.target import (
    CONVERSATION,
    HEART_RATE,
    ON,
    OVER,
    PACE,
    POWER,
    STROKE_RATE,
    UNDER,
    Target,
    judged,
    resolved,
    talk_limit,
    target_at,
    target_text,
    target_words,
)
from rowsync.telemetry import Sample
from rowsync.training import training

TALK = Target(CONVERSATION)


def read(typed):
    target, end = target_at(typed)
    assert end == len(typed)
    return target


def rowing(**known):
    return Sample(0.0, True, **known)


# --- for one athlete --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "low", "high"),
    [
        ("85%", 170, 170),
        ("80-90%", 160, 180),
        (">80%", 160, None),
        ("90%cp", 135, 135),
        ("75%hr", 139, 139),
        ("<75%hr", None, 139),
        ("24spm", 24, 24),
    ],
)
def test_shares_become_whole_watts_and_beats(typed, low, high):
    athlete = Athlete(max_power_w=200.0, critical_power_w=150.0, max_heart_rate_bpm=185.0)
    found = resolved(read(typed), athlete)
    assert (found.low, found.high, found.of) == (low, high, None)


def test_the_highest_heart_rate_may_follow_from_age():
    assert resolved(read("100%hr"), Athlete(age_years=40.0)).high == 176


@pytest.mark.parametrize(
    ("typed", "option"), [("85%", "--best-2k 7:48"), ("90%cp", "--critical-power"), ("75%hr", "--max-heart-rate")]
)
def test_a_share_of_what_nobody_knows_says_how_to_tell_it(typed, option):
    with pytest.raises(UsageError, match=f"rowsync athlete anna {option}"):
        resolved(read(typed), Athlete("anna"))


def test_talking_is_an_upper_heart_rate_else_an_upper_power_else_words():
    known = Athlete(max_heart_rate_bpm=190.0, resting_heart_rate_bpm=50.0, max_power_w=200.0)
    assert resolved(TALK, known) == Target(HEART_RATE, None, 134)
    assert resolved(TALK, replace(known, resting_heart_rate_bpm=None)) == Target(HEART_RATE, None, 138)
    assert resolved(TALK, Athlete(max_power_w=200.0)) == Target(POWER, None, 90)
    assert resolved(TALK, Athlete(critical_power_w=144.0)) == Target(POWER, None, 90)
    assert resolved(TALK, Athlete()) == TALK
    assert resolved(TALK, replace(known, max_heart_rate_bpm=90.0, resting_heart_rate_bpm=80.0)).quantity == POWER


@pytest.mark.parametrize(
    "athlete",
    [
        Athlete(max_heart_rate_bpm=187.0, resting_heart_rate_bpm=53.0),
        Athlete(age_years=33.0),
        Athlete(max_power_w=233.0),
        Athlete(critical_power_w=177.0),
    ],
)
@pytest.mark.parametrize(("beyond", "talked"), [(-1, True), (1, False)])
def test_whoever_keeps_to_the_limit_could_have_talked_as_the_training_has_it(athlete, beyond, talked):
    limit = talk_limit(athlete)
    rowed = {limit.quantity: limit.high + beyond}
    samples = [Sample(float(time_s), True, heart_rate_bpm=rowed.get(HEART_RATE)) for time_s in range(600)]
    strokes = [Stroke(number, 3.0 * number, 3.0 * number + 3, 10.0, rowed.get(POWER)) for number in range(200)]
    assert training(strokes, samples, athlete).conversational is talked


# --- beside what is rowed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "rowed", "verdict"),
    [
        ("2:00", 121.7, ON),
        ("2:00", 121.9, UNDER),
        ("2:00", 118.1, OVER),
        ("1:55-2:05", 125.0, ON),
        ("1:55-2:05", 125.1, UNDER),
        ("<2:00", 121.0, UNDER),
        ("<2:00", 100.0, ON),
        ("200W", 190.0, ON),
        ("200W", 189.0, UNDER),
        ("200W", 211.0, OVER),
        ("150bpm", 153, ON),
        ("150bpm", 154, OVER),
        ("<150bpm", 150, ON),
        ("<150bpm", 151, OVER),
        (">180W", 179.0, UNDER),
        ("24spm", 23.0, ON),
        ("24spm", 22.9, UNDER),
        ("24spm", 25.1, OVER),
    ],
)
def test_a_rower_is_under_on_or_over_by_effort(typed, rowed, verdict):
    target = read(typed)
    assert judged(target, rowing(**{target.quantity: rowed})) == verdict


@pytest.mark.parametrize("typed", ["1:55", "85%", "150bpm"])
def test_what_wasnt_measured_or_has_no_value_yet_isnt_judged(typed):
    assert judged(read(typed), rowing()) is None
    assert judged(read("85%"), rowing(power_w=100.0)) is None
    assert judged(TALK, rowing(heart_rate_bpm=100)) is None


# --- in words, and as typed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("1:55", "1:55 /500 m"),
        ("1:55.5-2:05", "1:55.5–2:05 /500 m"),
        ("<2:00", "faster than 2:00 /500 m"),
        (">2:00", "slower than 2:00 /500 m"),
        ("180-220W", "180–220 W"),
        (">180W", "above 180 W"),
        ("24spm", "24 spm"),
        ("<142bpm", "below 142 bpm"),
        ("85%", "85 % of the power of your best 2,000 m"),
        ("90-95%cp", "90–95 % of critical power"),
        ("75%hr", "75 % of your highest heart rate"),
    ],
)
def test_a_target_in_words(typed, words):
    assert target_words(read(typed)) == words
    assert target_text(read(typed)) == typed


def test_to_be_able_to_talk_in_words():
    assert target_words(TALK) == "so easy that you could talk"


@pytest.mark.parametrize(
    "typed", ["", "200", "0W", "9000W", "0:59", "10:01", "1:60", "<1:55-2:05", "85%x", "nanW", "talk"]
)
def test_what_asks_for_nothing_sensible_is_none(typed):
    assert target_at(typed) is None


@given(st.text(max_size=20) | st.from_regex(r"[<>]?[0-9:.]{1,6}(-[0-9:.]{1,6})?[%a-zW]{0,4}", fullmatch=True))
def test_any_text_is_a_target_that_is_written_as_it_is_read_or_none(typed):
    found = target_at(typed)
    if found is not None:
        assert read(target_text(found[0])) == found[0]
        assert target_words(found[0])


def test_the_quantities_are_those_of_a_sample():
    assert all(getattr(rowing(), quantity) is None for quantity in (PACE, POWER, HEART_RATE, STROKE_RATE))
