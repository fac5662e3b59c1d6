"""The virtual rower's physics: energy balances, distance follows power, and the person does what the plan says."""

import math
import statistics
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowsync.errors import UsageError
from rowsync.intervals import Effort
from rowsync.plan import Piece, Plan, parse_plan
from rowsync.virtual.rower import (
    BOAT_DRAG_KG_PER_M,
    PEOPLE,
    TRAINED,
    Flywheel,
    Person,
    Strength,
    VirtualRower,
    concept2_kcal,
)

INTERVALS = parse_plan("5m + 10x45/75 + 5m")
STEADY = Plan("30m", (Piece(Effort.STEADY, 1800),))
WITH_REST = Plan("", (Piece(Effort.HARD, 60), Piece(Effort.REST, 120), Piece(Effort.HARD, 60)))


def rowed(plan, **options):
    rower = VirtualRower(plan, **options)
    while not rower.state.done:
        rower.advance(rower.next_change_s)
    return rower


def test_work_put_in_is_work_lost_and_work_still_turning():
    wheel = Flywheel()
    for power_w in (500, 0, 900, 0, 300, 0):
        wheel.spin(120, power_w)
    kept_j = wheel.drag_work_j + wheel.bearing_work_j + wheel.kinetic_energy_j
    assert wheel.handle_work_j == pytest.approx(kept_j, rel=1e-9)


def test_an_abandoned_wheel_comes_to_rest():
    wheel = Flywheel()
    wheel.spin(100, 600)
    assert wheel.speed_rad_s > 80
    wheel.spin(12_000, 0)
    assert wheel.speed_rad_s == 0


def test_distance_follows_from_handle_power_by_the_cube_law():
    rower = rowed(STEADY)
    strokes = rower.truth.strokes[10:]
    rowed_s = strokes[-1].end_s - strokes[0].start_s
    power_w = sum(stroke.power_w * (stroke.end_s - stroke.start_s) for stroke in strokes) / rowed_s
    speed_m_s = sum(stroke.distance_m for stroke in strokes) / rowed_s
    assert BOAT_DRAG_KG_PER_M * speed_m_s**3 == pytest.approx(power_w, rel=0.06)
    assert BOAT_DRAG_KG_PER_M * speed_m_s**3 < power_w  # the bearings, and the wheel's unsteady turning


def test_shown_pace_and_power_are_one_quantity():
    state = VirtualRower(STEADY).advance(600)
    assert state.power_w == pytest.approx(BOAT_DRAG_KG_PER_M * (500 / state.pace_s_per_500m) ** 3)


@pytest.mark.parametrize("effort", [Effort.HARD, Effort.EASY, Effort.STEADY])
def test_an_effort_is_rowed_at_its_power_and_rate(effort):
    strokes = rowed(Plan("", (Piece(effort, 1200),))).truth.strokes[3:]
    assert statistics.fmean(stroke.power_w for stroke in strokes) == pytest.approx(TRAINED[effort].power_w, rel=0.05)
    rate_spm = 60 / statistics.fmean(stroke.end_s - stroke.start_s for stroke in strokes)
    assert rate_spm == pytest.approx(TRAINED[effort].stroke_rate_spm, rel=0.01)


@pytest.mark.parametrize(("name", "sd"), [("trained", 0.03), ("beginner", 0.074)])
def test_strokes_scatter_as_measured_on_real_people(name, sd):
    logs = [math.log(stroke.power_w) for stroke in rowed(STEADY, person=PEOPLE[name], seed=3).truth.strokes[5:]]
    trend = [statistics.fmean(logs[max(0, i - 15) : i + 16]) for i in range(len(logs))]
    residuals = [log - around for log, around in zip(logs, trend, strict=True)]
    assert statistics.stdev(residuals) == pytest.approx(sd, rel=0.2)


def test_a_plan_of_intervals_has_ten_hard_pieces_as_long_as_planned_to_a_stroke():
    truth = rowed(INTERVALS).truth
    hard = [piece for piece in truth.pieces if piece.effort is Effort.HARD]
    assert len(hard) == 10
    assert [piece.end_s - piece.start_s for piece in hard] == pytest.approx([45] * 10, abs=60 / 19)
    assert [piece.start_s for piece in hard] == pytest.approx([302 + 120 * n for n in range(10)], abs=60 / 19)


def test_the_person_answers_at_the_first_stroke_after_the_bell():
    truth = rowed(INTERVALS, ready_s=0).truth
    bells_s = [0, *accumulate(piece.duration_s for piece in INTERVALS.pieces)]
    for piece, bell_s in zip(truth.pieces, bells_s, strict=False):
        assert bell_s <= piece.start_s < bell_s + 60 / 18
    firsts = {stroke.start_s: stroke for stroke in truth.strokes}
    for before, after in pairwise(truth.pieces):
        assert before.end_s == after.start_s
        assert firsts[after.start_s].effort is after.effort


def test_after_a_hard_piece_the_wheel_coasts():
    rower = VirtualRower(INTERVALS)
    hard_w = rower.advance(346).power_w
    first_easy_w = rower.advance(352).power_w
    settled_w = rower.advance(380).power_w
    assert hard_w > 200
    assert settled_w < 100
    assert settled_w * 1.3 < first_easy_w < hard_w * 0.8


def test_the_first_strokes_from_a_standstill_are_slow():
    rower = VirtualRower(STEADY)
    assert rower.advance(5).power_w < 60
    assert rower.advance(30).power_w > 130


def test_before_the_first_stroke_nothing_moves():
    state = VirtualRower(STEADY, ready_s=2).advance(1.5)
    assert (state.stroke_count, state.distance_m, state.elapsed_s, state.power_w) == (0, 0, 0, None)
    assert (state.effort, state.done, state.still_s) == (None, False, None)


def test_in_a_rest_strokes_stand_still_and_what_is_shown_stays():
    rower = VirtualRower(WITH_REST, ready_s=0)
    early, late = rower.advance(70), rower.advance(175)
    assert early.effort is late.effort is Effort.REST
    assert early.stroke_count == late.stroke_count
    assert early.power_w == late.power_w
    assert early.stroke_rate_spm == late.stroke_rate_spm
    assert late.still_s == pytest.approx(early.still_s + 105)
    assert 0 < late.distance_m - early.distance_m < 60  # the wheel runs out
    assert late.heart_rate_bpm < early.heart_rate_bpm


def test_a_rest_fills_the_gap_between_two_pieces():
    hard, rest, again = rowed(WITH_REST).truth.pieces
    assert (rest.effort, rest.start_s, rest.end_s) == (Effort.REST, hard.end_s, again.start_s)


def test_a_piece_by_the_metre_ends_with_the_stroke_that_rows_it():
    plan = Plan(
        "2x500m/1m", (Piece(Effort.HARD, distance_m=500), Piece(Effort.EASY, 60), Piece(Effort.HARD, distance_m=500))
    )
    truth = rowed(plan).truth
    for piece in (truth.pieces[0], truth.pieces[2]):
        strokes = [stroke for stroke in truth.strokes if piece.start_s <= stroke.start_s < piece.end_s]
        metres = [stroke.distance_m for stroke in strokes]
        assert sum(metres[:-1]) < 500 <= sum(metres)
    easy = truth.pieces[1]
    assert easy.end_s - easy.start_s == pytest.approx(60, abs=60 / 19)


def test_a_rest_by_the_metre_is_refused():
    with pytest.raises(UsageError, match="rest"):
        VirtualRower(Plan("", (Piece(Effort.REST, distance_m=100),)))


def test_after_the_last_piece_the_person_stops():
    rower = rowed(WITH_REST)
    count = rower.state.stroke_count
    state = rower.advance(rower.state.time_s + 100)
    assert (state.done, state.effort, state.stroke_count) == (True, None, count)
    assert state.elapsed_s == pytest.approx(240, abs=3)


def test_the_heart_follows_the_power_with_its_lag():
    rower = VirtualRower(Plan("", (Piece(Effort.HARD, 300),)), ready_s=0)
    start_bpm, after_lag_bpm, late_bpm = (rower.advance(at_s).heart_rate_bpm for at_s in (0, 35, 300))
    assert start_bpm == 72
    assert late_bpm == pytest.approx(89.6 + 0.28 * 220, abs=6)
    assert (after_lag_bpm - start_bpm) / (late_bpm - start_bpm) == pytest.approx(0.63, abs=0.08)


def test_energy_is_counted_as_a_concept2_does():
    assert concept2_kcal(drag_work_j=100 * 3600, rowing_s=3600) == pytest.approx(344.16 + 300)
    state = VirtualRower(STEADY).advance(1802)
    assert state.energy_kcal == pytest.approx((3.4416 * 150 + 300) / 2, rel=0.06)


def test_the_strength_is_the_callers_choice():
    person = Person({Effort.STEADY: Strength(power_w=60, stroke_rate_spm=18)}, noise_log=0, drift_log=0, jitter=0)
    strokes = rowed(STEADY, person=person).truth.strokes
    assert strokes[20].power_w == pytest.approx(60, rel=0.01)
    assert strokes[20].end_s - strokes[20].start_s == pytest.approx(60 / 18, abs=0.01)


def test_another_seed_is_another_session():
    assert rowed(WITH_REST, seed=1).truth == rowed(WITH_REST, seed=1).truth
    assert rowed(WITH_REST, seed=1).truth != rowed(WITH_REST, seed=2).truth


@settings(max_examples=20)
@given(st.lists(st.floats(0, 260), max_size=60))
def test_it_does_not_matter_how_time_is_cut_up(times_s):
    straight, cut = VirtualRower(WITH_REST), VirtualRower(WITH_REST)
    for at_s in sorted(times_s):
        cut.advance(at_s)
    assert straight.advance(261) == cut.advance(261)
    assert straight.truth == cut.truth


def test_counters_never_go_back():
    rower, before = VirtualRower(WITH_REST), None
    for tick in range(280):
        state = rower.advance(tick)
        if before is not None:
            assert state.stroke_count >= before.stroke_count
            assert state.distance_m >= before.distance_m
            assert state.energy_kcal >= before.energy_kcal
            assert state.elapsed_s >= before.elapsed_s
        before = state
