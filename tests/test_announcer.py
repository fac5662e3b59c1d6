"""What is said live: soon, seldom in vain, and a little later for good."""

import math
from itertools import chain
from statistics import median

import pytest

from rowsync.intervals import Segmenter
from rowsync.intervals.announcer import REST_AFTER_S, SETTLED_AFTER_S
from rowsync.strokes import Stroke
from tests.synthetic import EASY, HARD, REST, WARMUP, fed, repeats, rowed, said_each_second

DOUBLE, TRUTH = repeats(10, 45, 220.0, 75, 110.0)
SEEDS = range(3)


def settled(segmenter, time_s):
    return segmenter.settled(time_s)


def was_hard(time_s):
    return any(start_s <= time_s < end_s for start_s, end_s in TRUTH)


def delays_s(said):
    """How long after each bell hard and easy were said; the length of the piece where they never were."""
    hard, easy = [], []
    for start_s, end_s in TRUTH:
        piece, after = said[math.ceil(start_s) : math.ceil(end_s)], said[math.ceil(end_s) : math.ceil(end_s) + 75]
        hard.append(piece.index(HARD) if HARD in piece else len(piece))
        easy.append(next((late_s for late_s, each in enumerate(after) if each is not HARD), len(after)))
    return hard, easy


def all_delays_s(caution=1.0):
    said = [said_each_second(*rowed(DOUBLE, seed=seed), caution=caution) for seed in SEEDS]
    hard, easy = zip(*map(delays_s, said), strict=True)
    return list(chain(*hard)), list(chain(*easy))


def test_a_doubled_effort_is_said_within_two_strokes_and_its_end_within_five():
    hard_s, easy_s = all_delays_s()
    assert median(hard_s) <= 6
    assert median(easy_s) <= 14
    assert max(hard_s) < 45
    assert max(easy_s) < 40


def test_it_takes_the_flywheel_a_stroke_to_show_anything():
    assert min(all_delays_s()[0]) >= 1


def test_caution_makes_what_is_said_later_but_still_says_it():
    usual_s, cautious_s = all_delays_s(1.0), all_delays_s(2.0)
    assert sum(cautious_s[0]) > sum(usual_s[0])
    assert median(cautious_s[0]) < 30


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
def test_nothing_hard_is_said_in_a_steady_half_hour(athlete):
    assert sum(said_each_second(*rowed([(1800, 110.0)], athlete, seed)).count(HARD) for seed in SEEDS) == 0


def test_before_the_first_stroke_nothing_is_said_and_before_the_first_contrast_warm_up():
    said = said_each_second(*rowed(DOUBLE))
    assert said[0] is None
    assert Segmenter().settled(1e9) is None
    assert set(said[5:300]) == {WARMUP}
    assert set(said[345:1380]) <= {HARD, EASY, WARMUP}
    assert WARMUP not in said[500:]


def test_what_is_settled_was_some_seconds_ago_and_is_right_more_often_than_what_is_said_at_once():
    strokes, end_s = rowed(DOUBLE)
    at_once, for_good = said_each_second(strokes, end_s), said_each_second(strokes, end_s, settled)
    ago_s = int(SETTLED_AFTER_S)
    assert set(for_good[:ago_s]) == {None}
    times_s = range(60, int(TRUTH[-1][1]))
    wrong_at_once = sum((at_once[time_s] is HARD) != was_hard(time_s) for time_s in times_s)
    wrong_for_good = sum((for_good[time_s + ago_s] is HARD) != was_hard(time_s) for time_s in times_s)
    assert wrong_for_good < 0.6 * wrong_at_once
    assert wrong_for_good < 0.09 * len(times_s)


def test_a_stop_is_a_rest_as_soon_as_no_stroke_can_be_coming():
    segmenter = fed([Stroke(1, 0.0, 2.5, 9.0, 120.0)])
    assert segmenter.effort(2.5 + REST_AFTER_S - 0.1) is not REST
    assert segmenter.effort(2.5 + REST_AFTER_S + 0.1) is REST


def test_a_stop_is_settled_as_a_rest_from_its_first_second_to_its_last():
    strokes, _ = rowed([(300, 110.0), (60, 0), (60, 110.0)])
    before = [stroke for stroke in strokes if stroke.start_s < 300]
    stop_s, segmenter = before[-1].end_s, fed(before)
    assert segmenter.settled(stop_s + SETTLED_AFTER_S - 1) is not REST
    assert {segmenter.settled(stop_s + SETTLED_AFTER_S + late_s) for late_s in range(1, 50)} == {REST}
    segmenter.feed(strokes[len(before)])
    assert segmenter.settled(strokes[len(before)].start_s + SETTLED_AFTER_S - 1) is REST
    assert segmenter.settled(strokes[len(before)].start_s + SETTLED_AFTER_S + 1) is not REST


def test_a_stroke_that_takes_ever_longer_is_easy_before_it_is_over():
    strokes, _ = rowed(DOUBLE)
    hard = [stroke for stroke in strokes if stroke.end_s < TRUTH[4][1] - 2]
    segmenter, now_s = fed(hard), hard[-1].end_s
    said = [segmenter.effort(now_s + late_s) for late_s in (0.0, 2.0, REST_AFTER_S - 0.1, REST_AFTER_S + 0.1)]
    assert said == [HARD, HARD, EASY, REST]
    assert segmenter.effort(now_s) is HARD  # a question changes nothing
