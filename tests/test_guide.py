"""The guide: its bells are on time by the host's clock, and whatever leads it leads a replay the same way."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.guide import BEGIN, EXTEND, NEXT, PAUSE_AFTER_S, Caller, Guide, GuideState
from rowsync.intervals import Effort
from rowsync.plan import parse_plan
from rowsync.telemetry import LOST, RESUMED, Sample

HARD, EASY, REST, WARMUP, COOLDOWN, STEADY = Effort
WAITING, ROWING, PAUSED, DONE = GuideState


def at(time_s, distance_m=0.0, moving=True):
    return Sample(time_s, moving, distance_m=distance_m)


def guided(text, *samples):
    guide = Guide(parse_plan(text))
    for sample in samples:
        guide.sample(sample)
    return guide


def rowing(start_s, end_s, every_s=1, moving=True):
    return [at(float(time_s), 4.0 * time_s, moving) for time_s in range(start_s, end_s, every_s)]


# --- by the clock -----------------------------------------------------------------------------------------------------


def test_the_guide_waits_for_the_first_stroke():
    guide = guided("1x45/75", at(10.0, moving=False))
    assert guide.cue(10.0).state is WAITING
    assert guide.cue(10.0).following.effort is HARD
    guide.sample(at(12.0))
    assert guide.cue(12.0).piece.effort is HARD


def test_pieces_follow_each_other_without_drift_however_late_notifications_come():
    guide = guided("2x45/75", *rowing(0, 44, 4), at(46.7))
    assert guide.cue(46.7).left_s == pytest.approx(45 + 75 - 46.7)
    guide.sample(at(121.0))
    assert guide.cue(121.0).left_s == pytest.approx(120 + 45 - 121.0)
    for sample in rowing(122, 166):
        guide.sample(sample)
    guide.tick(240.0)
    assert guide.state is DONE
    assert guide.cue(240.0).piece is None


def test_bells_ring_by_the_clock_when_nothing_comes():
    guide = guided("2x45/75", *rowing(0, 40))
    guide.tick(45.0)
    assert guide.cue(45.0).piece.effort is EASY
    guide.tick(121.0)
    assert guide.bells_s == [0.0, 45.0, 120.0]


def test_a_lost_machine_is_no_pause_and_the_pieces_go_by():
    guide = guided("3x45/75", *rowing(0, 30))
    guide.note(LOST, {}, 32.0)
    cue = guide.cue(250.0)
    guide.tick(250.0)
    cue = guide.cue(250.0)
    assert (cue.piece.effort, cue.piece.round_number) == (HARD, 3)


def test_after_a_loss_nobody_has_paused_yet():
    guide = guided("20m", *rowing(0, 30))
    guide.note(LOST, {}, 32.0)
    guide.note(RESUMED, {}, 90.0)
    guide.tick(90.0 + PAUSE_AFTER_S - 0.1)
    assert guide.state is ROWING


def test_a_piece_by_the_metre_ends_by_the_metre():
    guide = guided("2x500m/60", at(0.0), at(100.0, 480.0))
    assert guide.cue(100.0).left_m == 20.0
    guide.sample(at(110.0, 501.0))
    assert guide.cue(110.0).piece.effort is EASY
    guide.tick(170.0)
    assert guide.cue(170.0).left_m == 500.0


def test_it_wants_to_be_woken_for_three_two_one_and_the_bell():
    guide = guided("1x45/75", *rowing(0, 41))
    due_s = [40.0]
    while len(due_s) < 7:
        due_s.append(guide.next_s(due_s[-1]))
        guide.sample(at(due_s[-1]))
    assert due_s == [40.0, 42.0, 43.0, 44.0, 45.0, 117.0, 118.0]


def test_without_a_bell_ahead_it_needs_no_waking():
    assert guided("8x500m/2m", at(0.0)).next_s(0.0) == float("inf")
    assert Guide(parse_plan("20m")).next_s(5.0) == float("inf")


# --- stopping and going on --------------------------------------------------------------------------------------------


def test_stopping_in_a_hard_piece_pauses_it_and_rowing_goes_on_with_what_was_left():
    guide = guided("1x45/75", *rowing(0, 31), *rowing(31, 200, moving=False))
    assert guide.state is PAUSED
    assert guide.cue(200.0).left_s == 15.0
    guide.sample(at(200.0))
    assert guide.cue(200.0).left_s == 15.0
    assert guide.cue(200.0).ends_s == 215.0
    assert guide.pauses_s == [(30.0, 200.0)]


def test_a_short_stop_is_no_pause():
    guide = guided("1x45/75", *rowing(0, 31), *rowing(31, 39, moving=False), at(39.0))
    assert guide.cue(39.0).left_s == 6.0


def test_an_easy_piece_goes_by_whether_it_is_rowed_or_not():
    guide = guided("2x45/75", *rowing(0, 45), *rowing(45, 121, moving=False))
    assert guide.cue(120.0).piece.round_number == 2
    assert guide.state is ROWING


def test_who_does_not_start_a_hard_piece_gets_it_whole():
    guide = guided("2x45/75", *rowing(0, 45), *rowing(45, 140, moving=False))
    assert guide.state is PAUSED
    guide.sample(at(150.0))
    assert guide.cue(150.0).left_s == 45.0


def test_a_start_from_a_standstill_takes_its_seconds_from_the_piece():
    guide = guided("2x45/75", *rowing(0, 45), *rowing(45, 126, moving=False), at(126.0))
    assert guide.cue(126.0).left_s == 39.0


def test_a_machine_that_falls_silent_at_rest_pauses_the_piece_just_so():
    talking = guided("20m", *rowing(0, 100), *rowing(100, 300, moving=False), at(300.0))
    silent = guided("20m", *rowing(0, 100), at(300.0))
    assert silent.cue(300.0) == talking.cue(300.0)


# --- led by a person --------------------------------------------------------------------------------------------------


def test_next_ends_a_piece_at_once():
    guide = guided("2x45/75", *rowing(0, 20))
    guide.note(NEXT, {}, 20.5)
    assert guide.cue(20.5).piece.effort is EASY
    assert guide.cue(20.5).left_s == 75.0
    assert guide.bells_s == [0.0, 20.5]


def test_next_after_the_end_changes_nothing():
    guide = guided("5", *rowing(0, 7))
    guide.note(NEXT, {}, 8.0)
    assert guide.bells_s == [0.0, 5.0]


@pytest.mark.parametrize("event", [BEGIN, NEXT])
def test_it_can_begin_without_a_stroke(event):
    guide = guided("1x45/75", at(3.0, moving=False))
    guide.note(event, {}, 4.0)
    assert guide.cue(4.0).left_s == 45.0


@pytest.mark.parametrize(("details", "by_s"), [({"seconds": 60}, 60.0), ({}, 30.0), ({"seconds": "x"}, 0.0)])
def test_a_piece_can_be_made_longer(details, by_s):
    guide = guided("1x45/75", at(0.0))
    guide.note(EXTEND, details, 9.0)
    assert guide.cue(9.0).left_s == 36.0 + by_s


def test_a_piece_by_the_metre_is_made_longer_by_metres():
    guide = guided("1x500m/75", at(0.0))
    guide.note(EXTEND, {}, 10.0)
    assert guide.cue(10.0).left_m == 600.0


def test_a_paused_piece_can_be_ended_and_made_longer():
    guide = guided("1x45/75", *rowing(0, 31), *rowing(31, 60, moving=False))
    guide.note(EXTEND, {"seconds": 10}, 60.0)
    assert guide.cue(60.0).left_s == 25.0
    guide.note(NEXT, {}, 61.0)
    assert guide.cue(61.0).piece.effort is EASY


moments = st.lists(
    st.tuples(
        st.floats(0.0, 40.0),
        st.sampled_from(["moving", "still", "tick", BEGIN, NEXT, EXTEND, LOST, RESUMED]),
        st.floats(0.0, 200.0),
    ),
    max_size=60,
)


@given(moments, st.sampled_from(["2x45/75", "5m + 3x500m/1mr + 5m", "20m", "2x(3x30/30)/3m"]))
def test_whatever_happens_bells_follow_each_other_and_nothing_is_negative(events, text):
    guide, now_s, metres = Guide(parse_plan(text)), 0.0, 0.0
    for later_s, what, further_m in events:
        now_s, metres = now_s + later_s, metres + further_m
        if what in ("moving", "still"):
            guide.sample(at(now_s, metres, what == "moving"))
        elif what == "tick":
            guide.tick(now_s)
        else:
            guide.note(what, {}, now_s)
        cue = guide.cue(now_s)
        assert (cue.left_s or 0.0) >= 0
        assert 0.0 <= cue.share <= 1.0
        assert guide.next_s(now_s) > now_s
    assert guide.bells_s == sorted(guide.bells_s)
    assert len(guide.timetable(now_s)) == len(guide.plan.pieces)


# --- what is called out -----------------------------------------------------------------------------------------------


def called(text, samples, speed_m_per_s=4.0):
    guide, caller, calls = Guide(parse_plan(text)), Caller(), []
    for sample in samples:
        guide.sample(sample)
        calls += caller.calls(guide.cue(sample.time_s), speed_m_per_s)
    return calls


def test_three_two_one_and_what_begins_are_called_once_each():
    calls = called("1x45/75 + 10", [at(-1.0, moving=False), *rowing(0, 140)])
    assert calls == ["waiting", "hard", "3", "2", "1", "easy", "3", "2", "1", "cooldown", "3", "2", "1", "done"]


def test_more_seconds_than_one_in_a_silence_are_not_called_all_at_once():
    assert called("1x45/75", [*rowing(0, 42), at(43.7), at(45.2)]) == ["hard", "2", "easy"]


def test_the_end_of_a_piece_by_the_metre_is_foreseen_by_the_speed():
    assert called("1x100m/20", rowing(0, 28)) == ["hard", "3", "2", "1", "easy"]


def test_a_pause_is_called_and_what_goes_on_after_it():
    samples = [*rowing(0, 31), *rowing(31, 60, moving=False), *rowing(60, 62)]
    assert called("1x45/75", samples) == ["hard", "paused", "hard"]


# --- the timetable ----------------------------------------------------------------------------------------------------


def due_s(text, samples):
    end_s = samples[-1].time_s if samples else 0.0
    return [(piece.effort, piece.start_s, piece.end_s) for piece in guided(text, *samples).timetable(end_s)]


def test_the_timetable_of_a_plan_by_the_clock_begins_with_the_first_stroke():
    samples = [at(0.0, moving=False), at(7.0, moving=False), *rowing(10, 300)]
    assert due_s("5s + 1x45/75 + 30s", samples) == [
        (WARMUP, 10.0, 15.0),
        (HARD, 15.0, 60.0),
        (EASY, 60.0, 135.0),
        (COOLDOWN, 135.0, 165.0),
    ]


def test_what_the_row_did_not_reach_is_due_when_its_clock_says():
    pieces = due_s("2x45/75", rowing(0, 100))
    assert pieces == [(HARD, 0.0, 45.0), (EASY, 45.0, 120.0), (HARD, 120.0, 165.0), (EASY, 165.0, 240.0)]


def test_a_piece_by_the_metre_that_was_not_finished_ends_after_the_row():
    pieces = due_s("2x500m/60r", rowing(0, 100))
    assert pieces == [(HARD, 0.0, 100.0), (REST, 100.0, 160.0), (HARD, 160.0, 160.0), (REST, 160.0, 220.0)]


def test_pieces_of_a_timetable_follow_each_other_however_seldom_samples_come():
    pieces = due_s("3x45/75", [*rowing(0, 46, 5), at(47.0), at(125.0), at(130.0), at(250.0), at(251.0)])
    assert [(start_s, end_s) for _, start_s, end_s in pieces[:3]] == [(0, 45), (45, 120), (120, 285)]
    assert all(before[2] == after[1] for before, after in pairwise(pieces))


def test_a_piece_by_the_metre_is_due_until_its_metres_are_rowed_and_a_rest_begins_there():
    samples = [at(float(time_s), 4.0 * time_s) for time_s in range(126)]  # 500 m in 125 s
    samples += [at(float(time_s), 500.0) for time_s in range(126, 186)]
    assert due_s("1x500m/60r", samples) == [(HARD, 0.0, 125.0), (REST, 125.0, 185.0)]


def test_the_metres_of_the_first_stroke_are_metres_of_the_first_piece():
    samples = [at(0.0, 0.0, moving=False), at(3.0, 9.0), at(124.0, 500.0), at(150.0, 500.0), at(184.0, 500.0)]
    assert due_s("1x500m/1mr", samples)[0][2] == 124.0


def test_a_session_without_samples_has_its_first_piece_at_its_start():
    assert due_s("1x45/75", []) == [(HARD, 0.0, 45.0), (EASY, 45.0, 120.0)]
