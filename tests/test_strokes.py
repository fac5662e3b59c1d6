"""Samples to strokes: who owns which second."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rowsync.strokes import Stroke, StrokeCounter
from rowsync.telemetry import Sample


def sample(time_s, count, distance_m=None, *, moving=True, power_w=200.0, rate=24.0):
    return Sample(time_s, moving, count, rate, distance_m, power_w=power_w)


def strokes_of(*samples):
    counter = StrokeCounter()
    return [stroke for each in samples for stroke in counter.feed(each)]


def test_a_stroke_begins_where_the_one_before_ended():
    assert strokes_of(sample(0.0, 0, 0), sample(2.5, 1, 9), sample(5.0, 2, 19)) == [
        Stroke(1, 0.0, 2.5, 9, 200.0),
        Stroke(2, 2.5, 5.0, 10, 200.0),
    ]


def test_notifications_without_a_new_stroke_bring_none():
    assert len(strokes_of(sample(0.0, 0), sample(1.0, 0), sample(2.5, 1), sample(3.0, 1), sample(4.0, 1))) == 1


def test_after_a_stop_a_stroke_has_the_usual_length_and_the_rest_owns_the_time_before():
    before = [sample(2.5 * number, number) for number in range(9)]
    (*_, last) = strokes_of(*before, sample(80.0, 8, moving=False), sample(90.0, 9))
    assert (last.start_s, last.end_s) == (87.5, 90.0)


@pytest.mark.parametrize("power_w", [0.0, 207.0])
def test_counts_without_a_metre_and_without_new_watts_are_no_strokes(power_w):
    rowed = [sample(2.5 * n, n, 10 * n, power_w=200.0 + n) for n in range(8)]
    counted = [sample(17.5 + 1.2 * n, 7 + n, 70, power_w=power_w) for n in range(1, 60)]
    again = [sample(92.0, 67, 78, power_w=180.0), sample(95.3, 68, 87, power_w=181.0)]
    after = strokes_of(*rowed, *counted, *again)[7:]
    assert [(stroke.start_s, stroke.end_s) for stroke in after] == [(89.5, 92.0), (92.0, 95.3)]


def test_strokes_on_a_machine_whose_metres_stand_still_are_strokes():
    assert len(strokes_of(*(sample(2.5 * n, n, 0, power_w=200.0) for n in range(20)))) == 19


def test_metres_that_the_wheel_runs_on_after_a_stop_are_no_strokes():
    before = [sample(2.5 * number, number, 10 * number) for number in range(9)]
    (*_, last) = strokes_of(*before, sample(85.0, 8, 110, moving=False), sample(90.0, 9, 118))
    assert last.distance_m == 8


def test_two_strokes_counted_in_one_step_share_its_time_and_its_metres():
    assert strokes_of(sample(0.0, 0, 0), sample(2.0, 1, 8), sample(6.0, 3, 28))[1:] == [
        Stroke(2, 2.0, 4.0, 10, 200.0),
        Stroke(3, 4.0, 6.0, 10, 200.0),
    ]


def test_strokes_counted_over_a_silence_were_not_seen_and_are_one_gap():
    before = [sample(2.5 * number, number) for number in range(5)]
    (gap,) = strokes_of(*before, sample(20.0, 8))[4:]
    assert (gap.number, gap.start_s, gap.end_s, gap.seen) == (8, 10.0, 20.0, False)


def test_days_of_strokes_that_nobody_saw_cost_no_memory():
    assert len(strokes_of(sample(0.0, 0), sample(500_000.0, 60_000))) == 1


def test_one_late_stroke_after_a_silence_was_seen():
    assert strokes_of(sample(0.0, 0), sample(2.5, 1), sample(40.0, 2))[-1].seen


def test_the_first_stroke_takes_its_length_from_the_rate():
    assert strokes_of(sample(0.0, 0), sample(60.0, 1, rate=30.0)) == [Stroke(1, 58.0, 60.0, None, 200.0)]


@pytest.mark.parametrize("period_s", [0.25, 0.5, 1.0])
def test_however_often_the_machine_speaks_the_strokes_tile_the_rowing(period_s):
    times = [number * period_s for number in range(int(120 / period_s))]
    strokes = strokes_of(*(sample(time_s, int(time_s / 2.5)) for time_s in times))
    assert len(strokes) == int(times[-1] / 2.5)
    assert all(a.end_s == b.start_s for a, b in pairwise(strokes))


def test_power_that_a_monitor_only_repeats_is_found_out_by_the_metres():
    rowed = [sample(2.5 * n, n, 10 * n, power_w=180.0 + n % 3) for n in range(10)]
    paddled = [sample(22.5 + 3.0 * n, 9 + n, 90 + 8 * n, power_w=180.0) for n in range(1, 8)]
    powers = [stroke.power_w for stroke in strokes_of(*rowed, *paddled)[9:]]
    assert powers[:2] == [180.0, 180.0]
    assert powers[-1] == pytest.approx(2.8 * (8 / 3) ** 3, rel=0.05)


def test_the_same_watts_with_the_metres_that_belong_to_them_are_believed():
    even = [sample(2.5 * n, n, round(10.4 * n), power_w=200.0) for n in range(40)]
    assert {stroke.power_w for stroke in strokes_of(*even)} == {200.0}
