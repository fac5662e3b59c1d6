"""Bests against what is known of the strokes, and against every second tried one by one."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowsync.bests import DISTANCES_M, DURATIONS_S, best_powers_w, best_times_s
from rowsync.session import analyse
from rowsync.strokes import Stroke
from rowsync.telemetry import ENDED, LOST, RESUMED, Note


def rowed(*pieces):
    """Strokes of (duration_s, power_w, distance_m) pieces, one each; power None is a pause."""
    ends_s = list(accumulate(piece[0] for piece in pieces))
    numbered = enumerate(zip(pieces, ends_s, strict=True), start=1)
    return [
        Stroke(number, end_s - lasted_s, end_s, metres, power_w)
        for number, ((lasted_s, power_w, metres), end_s) in numbered
        if power_w is not None
    ]


def test_an_even_row_has_one_power_for_every_duration_that_it_lasted_and_none_for_a_longer_one():
    bests = best_powers_w(rowed(*[(2.5, 200.0, 10.0)] * 480))  # twenty minutes
    assert list(bests) == [str(duration_s) for duration_s in DURATIONS_S]
    assert [bests[str(each)] for each in DURATIONS_S if each <= 1200] == pytest.approx([200.0] * 10)
    assert {bests[str(each)] for each in DURATIONS_S if each > 1200} == {None}


def test_an_even_row_covers_each_distance_in_its_pace():
    times = best_times_s(rowed(*[(2.5, 200.0, 10.0)] * 500))  # 5,000 m at 2:05
    assert list(times) == [str(distance_m) for distance_m in DISTANCES_M]
    assert [times[str(each)] for each in DISTANCES_M] == pytest.approx([25, 125, 250, 500, 1250, None, None])


def test_a_window_between_two_strokes_takes_its_share_of_both():
    bests = best_powers_w(rowed((3.0, 100.0, 1.0), (3.0, 400.0, 1.0), (3.0, 200.0, 1.0)))
    assert bests["5"] == pytest.approx((3 * 400 + 2 * 200) / 5)


def test_a_pause_counts_as_no_power_and_as_time():
    strokes = rowed((4.0, 300.0, 100.0), (2.0, None, None), (4.0, 300.0, 100.0))
    assert best_powers_w(strokes)["10"] == pytest.approx(240.0)
    assert best_powers_w(strokes)["5"] == pytest.approx(240.0)


def test_a_distance_that_ends_exactly_at_a_pause_leaves_the_pause_out_at_both_ends():
    pause, piece = (60.0, None, None), [(2.0, 300.0, 10.0 / 1.5)] * 75  # 500 m, in thirds of a metre
    assert best_times_s(rowed(*piece, pause, *piece, pause, *piece))["500"] == pytest.approx(150.0)
    assert best_times_s(rowed(*piece, pause, *piece))["1000"] == pytest.approx(360.0)


def test_strokes_that_nobody_saw_give_no_power_and_no_metre_but_take_their_time():
    unseen = Stroke(40, 10.0, 50.0, 400.0, 900.0, seen=False)
    strokes = [Stroke(1, 0.0, 10.0, 40.0, 200.0), unseen, Stroke(41, 50.0, 60.0, 60.0, 200.0)]
    assert (best_powers_w(strokes)["10"], best_powers_w(strokes)["60"]) == pytest.approx((200.0, 4000 / 60))
    assert best_times_s(strokes)["100"] == pytest.approx(60.0)
    assert best_times_s(strokes)["500"] is None


def test_zero_watts_are_a_best_of_zero_and_no_watts_are_none():
    assert best_powers_w(rowed((20.0, 0.0, 5.0)))["10"] == 0.0
    assert set(best_powers_w([Stroke(1, 0.0, 20.0, None, None)]).values()) == {None}
    for nothing in (best_powers_w([]), best_times_s([]), best_times_s(rowed((20.0, 100.0, None)))):
        assert set(nothing.values()) == {None}


def test_metres_that_come_in_a_lump_make_no_record():
    strokes = rowed(*[(2.5, 200.0, 10.0)] * 20, (2.5, 200.0, 400.0), *[(2.5, 200.0, 10.0)] * 20)
    assert best_times_s(strokes)["100"] > 20.0
    assert best_times_s(strokes)["500"] is None


pieces = st.lists(
    st.tuples(st.integers(1, 12).map(float), st.one_of(st.none(), st.integers(0, 900).map(float)), st.integers(0, 60)),
    min_size=1,
    max_size=120,
)


@given(pieces)
@settings(max_examples=100)
def test_no_whole_second_is_better_than_a_best_and_some_are_as_good(given_pieces):
    """Strokes with whole seconds have their best at a whole second."""
    strokes = rowed(*given_pieces)
    if not strokes:
        return
    first_s, last_s = int(strokes[0].start_s), int(strokes[-1].end_s)
    watts = [0.0] * last_s
    for stroke in strokes:
        watts[int(stroke.start_s) : int(stroke.end_s)] = [stroke.power_w] * int(stroke.duration_s)
    for duration_s in (5, 10, 30, 120):
        tried = [sum(watts[at : at + duration_s]) / duration_s for at in range(first_s, last_s - duration_s + 1)]
        assert best_powers_w(strokes)[str(duration_s)] == pytest.approx(max(tried, default=None))


@given(pieces)
@settings(max_examples=100)
def test_a_best_time_is_the_quickest_of_all_from_every_edge_and_to_every_edge(given_pieces):
    strokes = rowed(*given_pieces)
    covered = [(s.start_s, s.end_s, min(s.distance_m, 9 * s.duration_s)) for s in strokes if s.distance_m > 0]
    found = [_time_from(covered[i:], 100.0) for i in range(len(covered))]
    mirrored = [(-end_s, -start_s, metres) for start_s, end_s, metres in reversed(covered)]
    found += [_time_from(mirrored[i:], 100.0) for i in range(len(mirrored))]
    assert best_times_s(strokes)["100"] == pytest.approx(min(filter(None, found), default=None))


def _time_from(covered, distance_m):
    """How long the first so many metres took."""
    left_m = distance_m
    for start_s, end_s, metres in covered:
        if metres >= left_m - 1e-9:
            return start_s + (end_s - start_s) * left_m / metres - covered[0][0]
        left_m -= metres
    return None


def test_longer_is_never_harder_and_further_never_quicker_in_a_real_session(intervals_recording):
    session = analyse(intervals_recording.header, intervals_recording.items)
    powers_w = [each for each in session.best_powers_w.values() if each is not None]
    times_s = [each for each in session.best_times_s.values() if each is not None]
    assert len(powers_w) == 11
    assert powers_w == sorted(powers_w, reverse=True)
    assert times_s == sorted(times_s)
    hardest = max(each.mean_power_w for each in session.intervals if each.effort == "hard")
    assert session.best_powers_w["30"] >= hardest
    assert session.summary()["best_powers_w"]["5"] == pytest.approx(powers_w[0], abs=1e-6)


def test_a_dropout_in_a_recording_makes_bests_no_better(intervals_recording):
    kept = [item for item in intervals_recording.items if not 600 < item.time_s < 640]
    notes = [Note(600.0, LOST, {"reason": "the link was lost"}), Note(640.0, RESUMED, {"after_s": 40.0})]
    items = sorted([*kept, *notes, Note(1e5, ENDED)], key=lambda item: item.time_s)
    whole = analyse(intervals_recording.header, intervals_recording.items)
    broken = analyse(intervals_recording.header, items)
    assert [(gap.start_s < 601, gap.end_s > 639) for gap in broken.gaps] == [(True, True)]
    for name, power_w in broken.best_powers_w.items():
        assert power_w is None or power_w <= whole.best_powers_w[name] + 1e-6
    for name, time_s in broken.best_times_s.items():
        assert time_s is None or time_s >= whole.best_times_s[name] - 1e-6
    assert broken.best_powers_w["600"] is not None
    assert broken.best_times_s["5000"] is not None
