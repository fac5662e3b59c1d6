"""Does the segmenter find what was rowed, and nothing where nothing was?"""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowsync.intervals import Segmenter
from rowsync.session import Header, analyse
from rowsync.strokes import Stroke
from rowsync.telemetry import Notification
from tests.synthetic import (
    COOLDOWN,
    EASY,
    HARD,
    REST,
    STEADY,
    WARMUP,
    efforts,
    fed,
    hard,
    repeats,
    rowed,
    said_each_second,
    segmented,
    sent,
)  # fmt: skip


def edge_errors(found, truth):
    return [abs(f - t) for pair in zip(found, truth, strict=True) for f, t in zip(*pair, strict=True)]


def found_exactly(found, truth, within_s=6.0):
    return len(found) == len(truth) and max(edge_errors(found, truth)) <= within_s


def sessions_with_all_edges(pieces, truth, athlete, seeds, within_s=6.0, **telemetry):
    return sum(
        found_exactly(hard(segmented(*rowed(pieces, athlete, seed, **telemetry))), truth, within_s) for seed in seeds
    )


def rowed_often(pieces, athlete, seeds=4):
    """The segments of the same pieces, rowed anew so many times."""
    return [segmented(*rowed(pieces, athlete, seed)) for seed in range(seeds)]


ROWS = Path(__file__).parents[2] / "shared" / "segmentation" / "dev"
MODERATE = repeats(10, 45, 176.0, 75, 110.0)
STRONG = repeats(10, 45, 220.0, 75, 90.0)


@pytest.mark.parametrize(
    "telemetry",
    [{}, {"tick_s": 0.25}, {"tick_s": 1.0}, {"reported": False}],
    ids=["exact", "quarter-seconds", "seconds", "pace-only"],
)
@pytest.mark.parametrize("session", [MODERATE, STRONG], ids=["ratio-1.6", "ratio-2.4"])
def test_a_trained_athletes_ten_pieces_are_found_to_two_strokes(session, telemetry):
    assert sessions_with_all_edges(*session, "trained", range(3), **telemetry) == 3


@pytest.mark.parametrize("telemetry", [{}, {"tick_s": 1.0}, {"reported": False}], ids=["exact", "seconds", "pace-only"])
@pytest.mark.parametrize("session", [MODERATE, STRONG], ids=["ratio-1.6", "ratio-2.4"])
def test_a_beginners_ten_pieces_are_found_and_nine_edges_in_ten_to_two_strokes(session, telemetry):
    pieces, truth = session
    found = [hard(segmented(*rowed(pieces, "beginner", seed, **telemetry))) for seed in range(4)]
    right = [one for one in found if len(one) == 10]
    errors_s = np.concatenate([edge_errors(one, truth) for one in right])
    assert len(right) >= 3
    assert np.median(errors_s) <= 2.5
    assert np.mean(errors_s <= 5) >= 0.9


def test_pace_only_in_whole_seconds_still_counts_the_pieces():
    found = [hard(segmented(*rowed(STRONG[0], "trained", seed, reported=False, tick_s=1.0))) for seed in range(4)]
    assert sum(len(one) == 10 for one in found) >= 3


def test_what_is_before_the_first_piece_is_warm_up_and_after_the_last_cool_down():
    found = efforts(segmented(*rowed(STRONG[0])))
    assert found == [WARMUP, *[HARD, EASY] * 9, HARD, COOLDOWN]


def test_a_session_that_begins_and_ends_hard_has_neither():
    pieces, _ = repeats(10, 45, 176.0, 75, 110.0, warmup=(0, 100.0), cooldown=(0, 100.0))
    segments = segmented(*rowed(pieces))
    assert efforts(segments)[:3] == [HARD, EASY, HARD]
    assert len(hard(segments)) == 10


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
def test_a_steady_row_is_one_steady_segment(athlete):
    assert [efforts(one) for one in rowed_often([(1800, 110.0)], athlete)] == [[STEADY]] * 4


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
def test_a_drink_is_a_rest_in_a_steady_row_and_makes_no_pieces(athlete):
    pieces = [(700, 110.0), (40, 0), (500, 110.0), (40, 0), (560, 110.0)]
    assert [efforts(one) for one in rowed_often(pieces, athlete)] == [[STEADY, REST, STEADY, REST, STEADY]] * 4


def test_a_steady_row_keeps_its_warm_up_and_cool_down():
    pieces = [(300, 80.0), (1200, 110.0), (180, 75.0)]
    found = rowed_often(pieces, "trained")
    assert [efforts(one) for one in found] == [[WARMUP, STEADY, COOLDOWN]] * 4
    assert all(abs(one[1].start_s - 300) < 12 and abs(one[1].end_s - 1500) < 12 for one in found)


@pytest.mark.parametrize("stop_s", [60, 90, 120])
def test_stopped_recoveries_are_rests(stop_s):
    pieces, truth = repeats(8, 110, 200.0, stop_s, 0, warmup=(0, 100.0), cooldown=(0, 100.0))
    for segments in rowed_often(pieces, "trained", 3):
        assert efforts(segments)[:15] == [HARD, *[REST, HARD] * 7]
        assert found_exactly(hard(segments), truth)


def test_three_long_equal_pieces_with_equal_stops_are_intervals():
    pieces, truth = repeats(3, 1200, 180.0, 120, 0, warmup=(0, 100.0), cooldown=(0, 100.0))
    for segments in rowed_often(pieces, "trained", 2):
        assert efforts(segments)[:5] == [HARD, REST, HARD, REST, HARD]
        assert found_exactly(hard(segments), truth)


def pyramid():
    pieces, truth, now_s = [(300, 110.0)], [], 300
    for minutes in (1, 2, 3, 2, 1):
        truth.append((now_s, now_s + 60 * minutes))
        pieces += [(60 * minutes, 176.0), (60 * minutes, 110.0)]
        now_s += 120 * minutes
    return pieces, truth


@pytest.mark.parametrize(
    "session",
    [repeats(10, 30, 176.0, 30, 110.0), pyramid(), repeats(8, 20, 275.0, 10, 0)],
    ids=["30/30", "pyramid", "tabata"],
)
def test_short_and_uneven_pieces_of_a_trained_athlete_are_found(session):
    assert sessions_with_all_edges(*session, "trained", range(3)) == 3


def test_a_beginners_thirty_thirty_is_found():
    found = rowed_often(repeats(10, 30, 176.0, 30, 110.0)[0], "beginner", 6)
    assert sum(len(hard(one)) == 10 for one in found) >= 5


SPRINTS = [(300, 110.0), *[(30, 300.0), (60, 110.0)] * 6]


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
def test_a_long_last_piece_may_be_as_much_weaker_as_its_length_makes_it(athlete):
    as_hard, much_weaker = 300 * (30 / 300) ** 0.18, 135.0  # Paul's law: 12 % of power a doubling
    for segments in rowed_often([*SPRINTS, (300, as_hard), (120, 100.0)], athlete, 2):
        assert efforts(segments) == [WARMUP, *[HARD, EASY] * 6, HARD, COOLDOWN]
    for segments in rowed_often([*SPRINTS, (300, much_weaker), (120, 100.0)], athlete, 2):
        assert efforts(segments) == [WARMUP, *[HARD, EASY] * 5, HARD, COOLDOWN]


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
def test_two_halves_with_a_drink_are_steady_and_twice_two_thousand_metres_with_a_rest_are_intervals(athlete):
    drink = rowed_often([(700, 150.0), (60, 0), (1100, 150.0)], athlete, 2)
    assert [efforts(one) for one in drink] == [[STEADY, REST, STEADY]] * 2
    twice = rowed_often([(300, 110.0), (480, 180.0), (120, 0), (480, 180.0), (300, 110.0)], athlete, 2)
    assert [efforts(one) for one in twice] == [[WARMUP, HARD, REST, HARD, COOLDOWN]] * 2


@pytest.mark.parametrize("hole_s", [320, 360, 640, 700])
def test_ten_seconds_without_strokes_do_not_break_the_count(hole_s):
    for seed in range(2):
        segments = segmented(*rowed(STRONG[0], "trained", seed, hole_s=hole_s))
        assert len(hard(segments)) == 10


def test_time_without_strokes_at_the_ends_is_rest():
    strokes = [Stroke(n, 60 + 2.5 * n, 62.5 + 2.5 * n, 9.0, 120.0) for n in range(200)]
    segments = segmented(strokes, 700.0)
    assert efforts(segments) == [REST, STEADY, REST]
    assert (segments[1].start_s, segments[1].end_s) == (60.0, 560.0)


def test_a_session_without_strokes_is_a_rest_and_one_without_time_is_nothing():
    assert [(s.effort, s.start_s, s.end_s) for s in segmented([], 30.0)] == [(REST, 0.0, 30.0)]
    assert segmented([], 0.0) == ()


def test_each_change_that_was_found_has_a_confidence_and_a_clear_one_a_high_one():
    found = segmented(*rowed(STRONG[0]))
    assert found[0].confidence is None
    assert all(0.9 < segment.confidence <= 1 for segment in found[1:])


def test_an_interval_session_is_likely_one_and_a_steady_row_is_not():
    likely = {name: fed(rowed(pieces)[0]).finish(2000.0).probability for name, pieces in PIECES.items()}
    assert likely["intervals"] > 0.9
    assert likely["steady"] < 0.1
    assert fed([]).finish(30.0).probability is None


PIECES = {"intervals": STRONG[0], "steady": [(1800, 110.0)]}


# --- live and afterwards ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
@pytest.mark.parametrize("pieces", [MODERATE[0], [(600, 110.0), (40, 0), (600, 110.0)]], ids=["intervals", "steady"])
def test_asking_live_at_each_stroke_changes_nothing_of_what_is_found(pieces, athlete):
    strokes, end_s = rowed(pieces, athlete)
    asked = Segmenter()
    for stroke in strokes:
        asked.feed(stroke)
        for late_s in (0.0, 3.9, 7.5, 60.0):
            asked.effort(stroke.end_s + late_s)
            asked.settled(stroke.end_s + late_s)
        if stroke.number % 200 == 0:
            asked.finish(stroke.end_s)
    assert asked.finish(end_s) == fed(strokes).finish(end_s) == asked.finish(end_s)


def test_what_is_said_live_does_not_depend_on_what_comes_later():
    strokes, end_s = rowed(STRONG[0])
    half_s = 900
    first_half = [stroke for stroke in strokes if stroke.end_s <= half_s]
    assert said_each_second(first_half, half_s) == said_each_second(strokes, end_s)[:half_s]


# --- bad input, as strokes --------------------------------------------------------------------------------------------


def even(number, length_s=2.5, distance_m=9.0, power_w=120.0):
    """Strokes that are all the same."""
    return [Stroke(n + 1, n * length_s, (n + 1) * length_s, distance_m, power_w) for n in range(number)]


def backwards(strokes, end_s):
    return [each._replace(start_s=end_s - each.end_s, end_s=end_s - each.start_s) for each in strokes]


UNKNOWN = (math.nan, math.inf, -math.inf, None, -5.0, 0.0, 65535.0)


@pytest.mark.parametrize(
    ("strokes", "end_s"),
    [
        pytest.param([], 1800.0, id="an empty row"),
        pytest.param(even(1), 2.5, id="one stroke"),
        pytest.param(even(1), 1800.0, id="one stroke in half an hour"),
        pytest.param(even(720, distance_m=0.0, power_w=0.0), 1800.0, id="all zeros"),
        pytest.param([Stroke(n, 5.0, 5.0, 9.0, 120.0) for n in range(720)], 1800.0, id="time that stands still"),
        pytest.param([Stroke(n, 0.0, 0.0, 0.0, 0.0) for n in range(720)], 1800.0, id="nothing at no time"),
        pytest.param(backwards(even(720), 1800.0), 1800.0, id="time that runs backwards"),
        pytest.param([Stroke(n, math.nan, math.nan, 9.0, 120.0) for n in range(99)], 1800.0, id="no time at all"),
        pytest.param(even(1800, length_s=0.001), 1800.0, id="1,000 strokes a second"),
        pytest.param(even(720), math.inf, id="without end"),
        pytest.param([each._replace(end_s=1e300 * each.end_s) for each in even(99)], 1e303, id="aeons"),
    ],
)
def test_no_interval_is_invented_of_strokes_like_these(strokes, end_s):
    segmenter = fed(strokes)
    segmenter.effort(end_s)
    segmenter.settled(end_s)
    found = segmenter.finish(end_s)
    assert hard(found.segments) == []
    assert (found.segments[0].start_s, found.segments[-1].end_s) == (0.0, end_s)
    assert found.probability is None or found.probability < 0.5


@pytest.mark.parametrize("distance_m", [9.0, math.nan, math.inf, None, -5.0], ids=str)
@pytest.mark.parametrize("power_w", UNKNOWN, ids=str)
def test_no_interval_is_invented_of_powers_and_metres_nobody_can_row(power_w, distance_m):
    always = even(400, distance_m=distance_m, power_w=power_w)
    now_and_then = [
        each._replace(power_w=power_w, distance_m=distance_m) if each.number % 5 == 0 else each for each in even(400)
    ]
    for strokes in (always, now_and_then):
        assert efforts(segmented(strokes, 1000.0)) == [STEADY]


@pytest.mark.parametrize("power_w", [None, 0.0, 65535.0], ids=str)
def test_a_metre_counter_that_skips_a_stroke_in_five_makes_no_intervals(power_w):
    strokes = [each._replace(power_w=power_w, distance_m=0.0) if each.number % 5 == 0 else each for each in even(400)]
    assert hard(segmented(strokes, 1000.0)) == []


def test_no_end_is_no_session():
    assert fed(even(9)).finish(math.nan).segments == fed(even(9)).finish(-1.0).segments == ()


def test_ten_hours_of_intervals_take_seconds():
    strokes, end_s = rowed([(45, 176.0), (75, 110.0)] * 300, "beginner")
    began_s = time.process_time()
    found = hard(segmented(strokes, end_s))
    assert time.process_time() - began_s < 30
    assert 285 <= len(found) <= 300


# --- bad input and odd machines, as bytes -----------------------------------------------------------------------------

ROW = rowed(MODERATE[0])
FOUND = [WARMUP, *[HARD, EASY] * 9, HARD, COOLDOWN]


def packet_at(packet, time_s):
    return Notification(time_s, packet.characteristic, packet.payload)


def analysed(packets):
    session = analyse(Header("bytes", datetime(2026, 11, 23, tzinfo=UTC)), packets)
    assert session.malformed_notifications == 0
    return session.intervals


@pytest.mark.parametrize(
    "packets",
    [
        pytest.param([], id="an empty row"),
        pytest.param(sent(even(1), 0.0), id="one packet"),
        pytest.param(sent(even(1), 5.0), id="one stroke"),
        pytest.param(sent([], 1800.0), id="all zeros"),
        pytest.param([packet_at(packet, 7.0) for packet in sent(even(720), 1800.0)], id="time that stands still"),
        pytest.param(
            [packet_at(packet, 1800.0 - packet.time_s) for packet in sent(even(720), 1800.0)],
            id="time that runs backwards",
        ),
        pytest.param(
            [packet_at(packet, packet.time_s / 1000) for packet in sent(even(720), 1800.0)],
            id="1,000 samples a second",
        ),
        pytest.param(
            [packet_at(packet, packet.time_s + n / 1000) for packet in sent(even(24), 60.0) for n in range(1000)],
            id="1,000 samples a second for a minute",
        ),
        pytest.param(sent(even(720), 1800.0, instantaneous_power_w=lambda time_s: None), id="no power"),
        pytest.param(sent(even(720), 1800.0, instantaneous_power_w=lambda time_s: -1), id="65535 W"),
        pytest.param(sent(even(720), 1800.0, stroke_count=lambda time_s: 7), id="a count that stands still"),
        pytest.param(sent(even(720), 1800.0, stroke_count=lambda time_s: 0), id="no strokes"),
        pytest.param(sent(even(720), 1800.0, total_distance_m=lambda time_s: 0), id="no metres"),
    ],
)
def test_no_interval_is_invented_of_bytes_like_these(packets):
    assert hard(analysed(packets)) == []


def test_ten_hours_of_bytes_take_seconds_and_are_one_steady_row():
    packets = sent(even(14_400), 36_000.0)
    began_s = time.process_time()
    assert efforts(analysed(packets)) == [STEADY]
    assert time.process_time() - began_s < 30


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param({}, id="as it should be"),
        pytest.param({"instantaneous_power_w": lambda time_s: 0}, id="0 W for ever"),
        pytest.param({"instantaneous_power_w": lambda time_s: -1}, id="65535 W for ever"),
        pytest.param({"instantaneous_power_w": lambda time_s: None}, id="no power"),
        pytest.param({"stroke_rate_spm": lambda time_s: 33.0}, id="a rate that never changes"),
        pytest.param({"stroke_rate_spm": lambda time_s: time_s * 37 % 90}, id="a rate that means nothing"),
        pytest.param({"stroke_rate_spm": lambda time_s: 127.5}, id="a rate nobody can row"),
    ],
)
def test_the_intervals_are_found_whatever_one_field_says(altered):
    assert efforts(analysed(sent(*ROW, **altered))) == FOUND


def test_a_stroke_rate_that_is_frozen_moves_no_edge():
    plain, frozen = (analysed(sent(*ROW, **altered)) for altered in ({}, {"stroke_rate_spm": lambda time_s: 33.0}))
    assert [(each.effort, each.start_s) for each in frozen] == [(each.effort, each.start_s) for each in plain]


def test_a_power_nobody_can_pull_is_taken_from_the_distance():
    wild = [each._replace(power_w=65535.0 if each.number % 7 == 0 else each.power_w) for each in ROW[0]]
    assert efforts(segmented(wild, ROW[1])) == FOUND


def test_a_rest_is_a_rest_though_the_machine_repeats_its_last_watts_and_rate_for_ever():
    strokes, end_s = rowed([(120, 200.0), (90, 0)] * 8)
    packets = sent(strokes, end_s)
    assert packets[160].payload == packets[200].payload  # in the first rest
    intervals = analysed(packets)
    assert efforts(intervals) == [HARD, REST] * 8
    assert all(abs(each.duration_s - 120) < 6 for each in intervals if each.effort is HARD)


def test_paddling_through_a_rest_is_easy_though_the_machine_repeats_the_watts_of_the_piece():
    strokes, end_s = rowed([(120, 200.0), (90, 40.0)] * 8)
    stuck_w = [(each.power_w if each.end_s % 210 <= 120 else 200.0) for each in strokes]
    packets = sent([each._replace(power_w=watts) for each, watts in zip(strokes, stuck_w, strict=True)], end_s)
    assert len(hard(analysed(packets))) == 8


# --- anything at all --------------------------------------------------------------------------------------------------

POWERS_W = st.one_of(st.none(), st.sampled_from([0.0, -5.0, 65535.0, math.inf, math.nan, 1e-9]), st.floats(-100, 3000))
METRES = st.one_of(st.none(), st.sampled_from([0.0, -3.0, 1e9, math.inf, math.nan]), st.floats(0, 50))
WAITS_S = st.one_of(st.just(0.0), st.floats(-5, 60), st.floats(0, 50_000))
LENGTHS_S = st.one_of(st.just(0.0), st.floats(0, 5), st.floats(0, 500))


@st.composite
def stroke_streams(draw):
    """Strokes mostly in order, with any powers, distances, lengths and waits."""
    strokes, time_s = [], 0.0
    for number, (wait_s, length_s, metres, power_w) in enumerate(
        draw(st.lists(st.tuples(WAITS_S, LENGTHS_S, METRES, POWERS_W), max_size=60))
    ):
        start_s = time_s + wait_s
        time_s = start_s + length_s
        strokes.append(Stroke(number + 1, start_s, time_s, metres, power_w))
    return strokes


@settings(max_examples=120)
@given(stroke_streams(), st.floats(-10, 100_000))
def test_segments_tile_any_session(strokes, end_s):
    segments = segmented(strokes, end_s)
    if end_s <= 0:
        assert segments == ()
        return
    assert (segments[0].start_s, segments[-1].end_s) == (0.0, end_s)
    for before, after in pairwise(segments):
        assert before.end_s == after.start_s
        assert before.effort is not after.effort
    assert all(segment.end_s > segment.start_s for segment in segments)


# --- real rows --------------------------------------------------------------------------------------------------------


def real_strokes(name):
    """Strokes of a development row, as the stroke counter would date them."""
    columns = np.genfromtxt(ROWS / f"{name}.csv", delimiter=",", names=True, usecols=range(5))
    strokes, before_s, before_m = [], None, math.nan
    for time_s, power_w, rate_spm, _, metres in columns.tolist():
        usual_s = 60 / rate_spm if 12 < rate_spm < 70 else 2.6
        together = before_s is not None and time_s - before_s <= 7
        start_s = before_s if together else max(time_s - usual_s, before_s or 0.0)
        moved_m = metres - before_m if metres >= before_m else None
        strokes.append(Stroke(len(strokes) + 1, start_s, time_s, moved_m, None if math.isnan(power_w) else power_w))
        before_s, before_m = time_s, metres
    return strokes


@pytest.fixture
def labelled_rows():
    if not ROWS.is_dir():
        pytest.skip(f"the development rows of the interval study are not at {ROWS}: nothing real was tested")
    return json.loads((ROWS / "index.json").read_text())


def overlap(a, b):
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0])) / (max(a[1], b[1]) - min(a[0], b[0]))


def test_real_interval_sessions_are_mostly_exactly_right(labelled_rows):
    exact = []
    for name, row in list(labelled_rows.items())[::2]:
        if row["hard"] and row["has_power"]:
            strokes = real_strokes(name)
            found = hard(segmented(strokes, strokes[-1].end_s))
            matched = [any(overlap(bout, one) >= 0.8 for one in found) for bout in row["hard"]]
            exact.append(len(found) == len(matched) and all(matched))
    assert sum(exact) >= 0.7 * len(exact)


def test_real_steady_rows_have_no_pieces(labelled_rows):
    steady = [name for name, row in labelled_rows.items() if row["hard"] is None][::5]
    for name in steady:
        strokes = real_strokes(name)
        assert hard(segmented(strokes, strokes[-1].end_s)) == [], name
