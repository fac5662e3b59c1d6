"""Rower Data fields to samples: counters that only grow, stops, and what counts as not measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.reading import Reading
from rowsync.telemetry import HELD_S, Counter, Telemetry, power_from_pace_w, stop_after_s


def rowing(telemetry, *records):
    """Feed (time, count, distance) records at 200 W, 24 spm, 2:00 /500 m; answer the samples."""
    return [
        telemetry.feed(
            time_s,
            Reading(
                stroke_count=count,
                distance_m=distance,
                stroke_rate_spm=24.0,
                power_w=200,
                pace_s_per_500m=120,
            ),
        )
        for time_s, count, distance in records
    ]


def test_counters_start_at_the_session_not_at_the_machine():
    first, second = rowing(Telemetry(), (0.0, 500, 4000), (2.5, 501, 4010))
    assert (first.stroke_count, first.distance_m) == (0, 0)
    assert (second.stroke_count, second.distance_m) == (1, 10)


def test_the_first_strokes_are_ours_when_the_machine_speaks_only_after_them():
    (first,) = rowing(Telemetry(), (0.0, 1, 5))
    assert (first.stroke_count, first.distance_m) == (1, 5)


def test_counters_that_begin_again_do_not_reset_ours():
    samples = rowing(Telemetry(), (0.0, 0, 0), (2.5, 1, 10), (5.0, 2, 20), (7.5, 0, 0), (10.0, 1, 10))
    assert [sample.stroke_count for sample in samples] == [0, 1, 2, 2, 3]
    assert [sample.distance_m for sample in samples] == [0, 10, 20, 20, 30]


def test_a_stroke_count_that_wraps_goes_on():
    samples = rowing(Telemetry(), (0.0, 65535, 0), (2.5, 0, 10), (5.0, 1, 20))
    assert [sample.stroke_count for sample in samples] == [0, 1, 2]


def test_a_count_that_jumps_further_than_anyone_rows_counts_nothing():
    samples = rowing(Telemetry(), (0.0, 0, 0), (1.0, 30000, 0), (3.5, 30001, 0))
    assert [sample.stroke_count for sample in samples] == [0, 0, 1]


def test_a_stop_is_seen_from_the_stroke_count_though_power_stays_frozen():
    samples = rowing(Telemetry(), (0.0, 0, 0), (2.5, 1, 10), (5.0, 2, 20), (10.0, 2, 21), (12.0, 2, 21))
    assert [sample.moving for sample in samples] == [False, True, True, True, False]
    stopped = samples[-1]
    assert (stopped.power_w, stopped.stroke_rate_spm, stopped.pace_s_per_500m) == (0, 0, None)


def test_rowing_on_after_a_stop_is_moving_at_once():
    samples = rowing(Telemetry(), (0.0, 0, 0), (2.5, 1, 10), (30.0, 1, 10), (32.0, 2, 20))
    assert [sample.moving for sample in samples] == [False, True, False, True]


def test_power_follows_from_pace_only_where_the_machine_sends_none():
    telemetry = Telemetry()
    telemetry.feed(0.0, Reading(stroke_count=0))
    sample = telemetry.feed(2.5, Reading(stroke_count=1, pace_s_per_500m=120))
    assert sample.power_w == power_from_pace_w(120)
    assert telemetry.power_source == "pace"
    assert rowing(telemetry, (5.0, 2, 20))[0].power_w == 200
    assert telemetry.power_source == "machine"


def test_power_from_pace_is_concept2s():
    assert round(power_from_pace_w(120.0), 1) == 202.5  # 2:00 /500 m is 202.5 W on a Concept2


def test_no_strap_no_pace_and_a_sentinel_are_not_measured():
    sample = Telemetry().feed(0.0, Reading(heart_rate_bpm=0, pace_s_per_500m=0, power_w=32767))
    assert (sample.heart_rate_bpm, sample.pace_s_per_500m, sample.power_w) == (None, None, None)


def test_fields_of_split_records_are_held_until_the_next_part():
    telemetry = Telemetry()
    telemetry.feed(0.0, Reading(stroke_count=0))
    telemetry.feed(2.5, Reading(stroke_count=1, power_w=140))
    sample = telemetry.feed(3.0, Reading(distance_m=12, heart_rate_bpm=120))
    assert (sample.stroke_count, sample.power_w, sample.distance_m, sample.heart_rate_bpm) == (1, 140, 12, 120)


def test_a_strap_that_drops_out_is_not_measured_after_ten_seconds():
    telemetry = Telemetry()
    telemetry.feed(0.0, Reading(heart_rate_bpm=140))
    assert telemetry.feed(9.0, Reading()).heart_rate_bpm == 140
    assert telemetry.feed(11.0, Reading()).heart_rate_bpm is None


def test_the_stop_rule_waits_two_and_a_half_strokes_and_never_less_than_three_seconds():
    assert stop_after_s(2.4) == 6.0
    assert stop_after_s(0.5) == 3.0
    assert stop_after_s(100.0) == 15.0


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 65535)), max_size=60))
def test_a_total_never_shrinks_and_never_outruns_a_rower(steps):
    counter, now_s, before = Counter(1 << 16, most_per_s=2.0, slack=3), 0.0, 0
    for step_s, raw in steps:
        now_s += step_s
        total = counter.feed(raw, now_s)
        assert before <= total <= 6 + 2.0 * now_s
        before = total


def test_a_flood_of_notifications_at_one_time_counts_no_more_than_one():
    counter = Counter(1 << 16, most_per_s=2.0, slack=3)
    assert max(counter.feed(3 * n % 65536, 0.0) for n in range(100_000)) <= 6


@pytest.mark.parametrize("wobble", [(14, 15, 14, 15), (15, 14, 15, 15)])
def test_a_counter_that_corrects_itself_by_a_little_counts_nothing_twice(wobble):
    counter = Counter(1 << 16, most_per_s=2.0, slack=3)
    counter.feed(12, 0.0)
    assert [counter.feed(raw, 3.0 * (n + 1)) for n, raw in enumerate(wobble)][-1] == 3


def test_an_idle_machines_leftovers_are_not_ours():
    idle = Reading(stroke_count=2, distance_m=12, energy_kcal=8, stroke_rate_spm=0.0)
    sample = Telemetry().feed(0.0, idle)
    assert (sample.moving, sample.stroke_count, sample.distance_m, sample.machine_energy_kcal) == (False, 0, 0, 0)


def test_a_machine_that_counts_no_strokes_is_rowed_when_its_metres_advance():
    telemetry = Telemetry()
    telemetry.feed(0.0, Reading(distance_m=100))
    assert telemetry.feed(1.0, Reading(distance_m=104)).moving
    assert not telemetry.feed(20.0, Reading(distance_m=104)).moving


@pytest.mark.parametrize("watts", [0, -1, 32767])
def test_power_that_cannot_be_is_replaced_by_what_the_pace_implies(watts):
    telemetry = Telemetry()
    telemetry.feed(0.0, Reading(stroke_count=0, power_w=watts))
    rowing = Reading(stroke_count=1, power_w=watts, pace_s_per_500m=120)
    assert telemetry.feed(2.5, rowing).power_w == power_from_pace_w(120)
    assert telemetry.power_source == "pace"


@given(st.integers(100, 65533), st.lists(st.integers(0, 3), max_size=80))
def test_totals_are_exact_from_any_start_and_across_any_reset(start, strokes):
    counter = Counter(1 << 16, most_per_s=2.0, slack=3)
    first = counter.feed(start, 0.0)
    raw = start
    for number, new in enumerate(strokes):
        begins_again = number % 20 == 19 and raw > 10
        raw = new if begins_again else (raw + new) % 65536
        counter.feed(raw, 3.0 * (number + 1))
    assert counter.total == first + sum(strokes)


@given(st.lists(st.tuples(st.floats(0, 15), st.none() | st.floats(0, 60), st.none() | st.floats(0, 400)), max_size=30))
def test_what_came_longer_ago_than_it_is_held_is_not_measured_whatever_else_comes(packets):
    telemetry, time_s = Telemetry(), 0.0
    resistances, drags = [], []
    for later_s, resistance, drag in packets:
        time_s += later_s
        sample = telemetry.feed(time_s, Reading(resistance_level=resistance, drag_factor=drag))
        if resistance is not None:
            resistances.append((time_s, resistance))
        if drag is not None:
            drags.append((time_s, drag if 30 <= drag <= 300 else None))
        for last, shown in ((resistances[-1:], sample.resistance_level), (drags[-1:], sample.drag_factor)):
            assert shown == next((value for came_s, value in last if time_s - came_s <= HELD_S), None)
