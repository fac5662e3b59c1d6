"""Plans as people type them, and the guide that leads through them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.errors import UsageError
from rowsync.intervals import Effort
from rowsync.plan import Guide, Piece, parse_plan, timetable
from rowsync.telemetry import Sample

HARD, EASY, REST, WARMUP, COOLDOWN, STEADY = Effort


def test_the_seed_workout():
    plan = parse_plan("10x45/75")
    assert plan.rounds == 10
    assert plan.duration_s == 1200
    assert plan.pieces[:2] == (Piece(HARD, 45.0, None, 1), Piece(EASY, 75.0, None, 1))


def test_a_length_before_the_rounds_warms_up_and_one_after_cools_down():
    plan = parse_plan("5m + 2x30s/30s + 1:30")
    assert [(piece.effort, piece.duration_s) for piece in plan.pieces] == [
        (WARMUP, 300.0),
        (HARD, 30.0),
        (EASY, 30.0),
        (HARD, 30.0),
        (EASY, 30.0),
        (COOLDOWN, 90.0),
    ]


def test_a_length_alone_is_steady():
    assert parse_plan("20 min").pieces == (Piece(STEADY, 1200.0),)


def test_metres_end_a_piece_by_the_metre_and_an_r_lets_the_handle_rest():
    plan = parse_plan("8x500m/2mr")
    assert plan.pieces[:2] == (Piece(HARD, None, 500.0, 1), Piece(REST, 120.0, None, 1))
    assert plan.duration_s is None


def test_small_m_is_minutes_below_a_hundred_and_metres_from_there():
    assert parse_plan("99m").pieces[0].duration_s == 99 * 60
    assert parse_plan("100m").pieces[0].distance_m == 100


@pytest.mark.parametrize(
    ("text", "column"), [("10x45/", 5), ("", 0), ("10y45", 0), ("5m + + 3m", 4), ("0x45/75", 0), ("45/75", 0)]
)
def test_an_unreadable_plan_points_at_the_character(text, column):
    with pytest.raises(UsageError) as refused:
        parse_plan(text)
    assert str(refused.value).splitlines()[2].index("^") - 2 == column


@given(st.text(max_size=40) | st.from_regex(r"[0-9xm/+ :.rsk]{0,30}", fullmatch=True))
def test_any_text_is_a_plan_or_a_clear_refusal(text):
    try:
        plan = parse_plan(text)
    except UsageError:
        return
    assert plan.pieces


def at(time_s, distance_m=0.0, count=1):
    return Sample(time_s, count > 0, count, None, distance_m, None, None, None, None, None, None)


def test_the_guide_waits_for_the_first_stroke():
    guide = Guide(parse_plan("1x45/75"))
    assert guide.feed(at(10.0, count=0)).piece is None
    assert guide.feed(at(12.0)).piece.effort is HARD


def test_pieces_follow_each_other_without_drift_however_late_notifications_come():
    guide = Guide(parse_plan("2x45/75"))
    guide.feed(at(0.0))
    assert guide.feed(at(46.7)).left_s == pytest.approx(45 + 75 - 46.7)
    assert guide.feed(at(121.0)).left_s == pytest.approx(120 + 45 - 121.0)
    assert not guide.done
    assert guide.feed(at(240.0)).piece is None
    assert guide.done


def test_a_long_silence_skips_the_pieces_that_passed_in_it():
    guide = Guide(parse_plan("3x45/75"))
    guide.feed(at(0.0))
    cue = guide.feed(at(250.0))
    assert (cue.piece.effort, cue.piece.round_number) == (HARD, 3)


def test_a_piece_by_the_metre_ends_by_the_metre():
    guide = Guide(parse_plan("2x500m/60"))
    guide.feed(at(0.0))
    assert guide.feed(at(100.0, 480.0)).left_m == 20.0
    assert guide.feed(at(110.0, 501.0)).piece.effort is EASY
    assert guide.feed(at(170.0, 600.0)).left_m == 500.0


# --- the timetable ----------------------------------------------------------------------------------------------------


def due_s(text, samples):
    return [(piece.effort, piece.start_s, piece.end_s) for piece in timetable(parse_plan(text), samples)]


def test_the_timetable_of_a_plan_by_the_clock_begins_with_the_first_stroke():
    samples = [at(0.0, count=0), at(7.0, count=0), *(at(float(time_s)) for time_s in range(10, 300))]
    assert due_s("5s + 1x45/75 + 30s", samples) == [
        (WARMUP, 10.0, 15.0),
        (HARD, 15.0, 60.0),
        (EASY, 60.0, 135.0),
        (COOLDOWN, 135.0, 165.0),
    ]


def test_what_the_row_did_not_reach_is_due_when_its_clock_says():
    pieces = due_s("2x45/75", [at(float(time_s)) for time_s in range(100)])
    assert pieces == [(HARD, 0.0, 45.0), (EASY, 45.0, 120.0), (HARD, 120.0, 165.0), (EASY, 165.0, 240.0)]


def test_a_piece_by_the_metre_that_was_not_finished_ends_after_the_row():
    pieces = due_s("2x500m/60r", [at(float(time_s), 4.0 * time_s) for time_s in range(100)])
    assert pieces == [(HARD, 0.0, 100.0), (REST, 100.0, 160.0), (HARD, 160.0, 160.0), (REST, 160.0, 220.0)]


def test_pieces_of_a_timetable_follow_each_other_however_seldom_samples_come():
    pieces = due_s("3x45/75", [at(0.0), at(47.0), at(250.0), at(251.0)])
    assert [(start_s, end_s) for _, start_s, end_s in pieces[:4]] == [(0, 45), (45, 120), (120, 165), (165, 240)]
    assert all(before[2] == after[1] for before, after in pairwise(pieces))


def test_a_piece_by_the_metre_is_due_until_its_metres_are_rowed_and_a_rest_begins_there():
    samples = [at(float(time_s), 4.0 * time_s) for time_s in range(126)]  # 500 m in 125 s
    samples += [at(float(time_s), 500.0) for time_s in range(126, 186)]
    assert due_s("1x500m/60r", samples) == [(HARD, 0.0, 125.0), (REST, 125.0, 185.0)]


def test_the_metres_of_the_first_stroke_are_metres_of_the_first_piece():
    samples = [at(0.0, 0.0, count=0), at(3.0, 9.0), at(124.0, 500.0), at(150.0, 500.0), at(184.0, 500.0)]
    assert due_s("1x500m/1mr", samples)[0][2] == 124.0


def test_a_session_without_samples_has_its_first_piece_at_its_start():
    assert due_s("1x45/75", []) == [(HARD, 0.0, 45.0), (EASY, 45.0, 120.0)]
