"""What a room wants together: a band, strokes that fall together, a distance in sum."""

from __future__ import annotations

import re
from dataclasses import replace
from math import pi
from random import Random
from statistics import fmean

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from rowsync.cli import cli
from rowsync.errors import UsageError
from rowsync.strokes import Stroke
from rowsync.team import team_of, togetherness
from rowsync.telemetry import Sample
from tests.test_rowing_screen import HEADER, moment

PHASES = st.lists(st.floats(0, 2 * pi), min_size=2, max_size=12)


def at(time_s, name="one", *, strokes=(), **changed):
    """A moment of a lane's row, which began with the room."""
    sample = Sample(time_s, True)._replace(**({"stroke_count": 1} | changed))
    return moment(time_s=time_s, sample=sample, strokes=strokes, heading=replace(HEADER, session_id=name))


# --- as typed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("goal", "kept"),
    [
        ("band 180-220W", "band 180-220W"),
        ("band 220-180W", "band 180-220W"),
        ("Synchrony", "synchrony"),
        ("10000m", "10000m"),
        (" 2.5 km ", "2500m"),
    ],
)
def test_a_goal_is_told_as_it_was_meant(goal, kept):
    assert team_of(goal).standing(0.0).goal == kept


@pytest.mark.parametrize(
    "goal", ["", "band", "band foo", "band @talk", "band 85%", "fast", "0m", "0.5m", "99999999m", "10000", "\x1b[2J"]
)
def test_what_is_no_goal_is_refused_in_one_line_with_one_that_is(goal):
    with pytest.raises(UsageError) as refused:
        team_of(goal)
    said, _, example = str(refused.value).partition("'band 180-220W'")
    assert re.search(r"Type one (of|as): $", said)
    assert "\n" not in said + example


@given(st.text(max_size=40))
def test_any_text_is_a_goal_or_a_clear_error(goal):
    told = ""
    try:
        team_of(goal).standing(0.0)
    except UsageError as error:
        told = str(error)
    assert "\x1b" not in told


def test_the_command_refuses_a_goal_that_is_none(tmp_path):
    for goal in ("fast", ""):
        done = CliRunner().invoke(cli, ["room", "--virtual", "2", "--goal", goal, "--data", str(tmp_path)])
        assert isinstance(done.exception, UsageError)
        assert f"can't have the goal '{goal}'" in str(done.exception)


# --- a band -----------------------------------------------------------------------------------------------------------


def test_who_is_inside_a_band_is_told_and_for_how_much_of_the_time_everyone_was():
    team = team_of("band 180-220W")
    for second in range(41):
        team.hear(float(second), 1, at(float(second), "one", power_w=200.0))
        team.hear(float(second), 2, at(float(second), "two", power_w=200.0 if second < 20 else 150.0))
    standing = team.standing(40.0)
    assert standing.lanes == {1: "on", 2: "under"}
    assert standing.share == pytest.approx(0.5, abs=0.06)
    assert standing.words.startswith("1 of 2 inside")


def test_time_in_which_nobody_rows_counts_for_nothing():
    team = team_of("band 180-220W")
    for second in range(10):
        team.hear(float(second), 1, at(float(second), power_w=0.0, moving=False))
    assert team.standing(10.0).share is None


# --- synchrony --------------------------------------------------------------------------------------------------------


def test_a_crew_that_is_together_is_at_one_and_two_that_are_opposite_at_minus_one():
    assert togetherness([1.0, 1.0, 1.0]) == pytest.approx(1.0)
    assert togetherness([0.0, pi]) == pytest.approx(-1.0)
    assert togetherness([0.0, 2 * pi / 3, 4 * pi / 3]) == pytest.approx(-0.5)
    assert togetherness([0.0]) is None


@given(PHASES, st.floats(-10, 10))
def test_it_does_not_matter_who_rows_where_nor_when_one_looks(phases, later):
    together = togetherness(phases)
    assert -1 / (len(phases) - 1) - 1e-9 <= together <= 1 + 1e-9
    assert togetherness([phase + later for phase in reversed(phases)]) == pytest.approx(together, abs=1e-6)


def test_a_crew_without_a_common_stroke_is_near_nought_however_large_it_is():
    chance = Random(1)
    for size in (2, 8, 32):
        looks = [togetherness([chance.uniform(0, 2 * pi) for _ in range(size)]) for _ in range(2000)]
        assert fmean(looks) == pytest.approx(0.0, abs=0.06)
        together = [togetherness([chance.gauss(1.0, 0.1) for _ in range(size)]) for _ in range(100)]
        assert fmean(together) == pytest.approx(0.99, abs=0.01)


def row_together(every_s, behind_s, seconds=30.0, told_s=0.0):
    """Two lanes at 30 strokes a minute, the second so far behind, whose machines tell so often.

    A stroke is dated as it ended; the second lane's `told_s` later, as where its machine tells of it so late.
    """
    team = team_of("synchrony")
    for number in range(int(seconds / every_s)):
        now_s = number * every_s
        for lane, late_s in ((1, 0.0), (2, behind_s)):
            ended = [n for n in range(1, 20) if now_s - every_s < 2.0 * n + late_s <= now_s]
            dated_s = [(n, 2.0 * n + late_s + (told_s if lane == 2 else 0.0)) for n in ended]
            strokes = tuple(Stroke(n, end_s - 2.0, end_s, 10.0, 150.0, True) for n, end_s in dated_s)
            team.hear(now_s, lane, at(now_s, f"{lane}", stroke_rate_spm=30.0, strokes=strokes))
    return team.standing(seconds - every_s)


def test_two_who_row_alike_are_together_and_two_half_a_stroke_apart_are_not():
    assert row_together(0.25, 0.0).share == pytest.approx(1.0, abs=0.02)
    assert row_together(0.25, 1.0).share == 0.0
    assert row_together(0.25, 0.0).words == "100 % together"


@pytest.mark.parametrize("told_s", [0.05, 0.12, 0.24])
def test_a_crew_that_is_together_is_never_called_far_apart_because_a_machine_tells_late(told_s):
    assert row_together(0.25, 0.0, told_s=told_s).share > 0.7


@pytest.mark.parametrize("every_s", [0.5, 1.0])
def test_of_machines_that_tell_seldom_synchrony_is_not_known_and_that_is_said(every_s):
    standing = row_together(every_s, 0.0)
    assert standing.share is None
    assert standing.words == "not known: the machines tell too seldom when a stroke was"


# --- a distance -------------------------------------------------------------------------------------------------------


def test_a_distance_is_summed_over_sessions_with_what_is_left_at_the_present_speed():
    team = team_of("1000m")
    for second in range(61):
        for lane, speed in ((1, 4.0), (2, 3.0)):
            team.hear(float(second), lane, at(float(second), f"{lane}", distance_m=speed * second))
    assert team.standing(60.0).words == "420 of 1\u202f000 m · 580 m left, 1:22 at this speed"
    assert team.standing(60.0).share == pytest.approx(0.42)
    team.hear(61.0, 1, at(61.0, "another", distance_m=600.0))
    assert team.standing(200.0).words.startswith("1\u202f000 m done in 1:0")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 5000)), max_size=30))
def test_a_sum_never_falls(heard):
    team, before_m = team_of("10km"), 0.0
    for number, (name, metres) in enumerate(heard):
        team.hear(float(number), 1, at(float(number), name, distance_m=metres))
        assert team.distance_m >= before_m
        before_m = team.distance_m
