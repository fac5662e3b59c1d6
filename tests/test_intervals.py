"""Does the segmenter find what was rowed?

The sessions here are SYNTHETIC: `rowed` makes strokes directly from a list of pieces.  Stroke noise is AR(1), the
flywheel shows half of a step in the first stroke and 90 % in the third, and the athlete only reacts at a stroke.  The
noise of the two athletes and the step response are measured on real rows (interval study, section 1.2).
"""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowsync.intervals import Effort, Segmenter
from rowsync.strokes import Stroke

HARD, EASY, REST, WARMUP, COOLDOWN, STEADY = (
    Effort.HARD, Effort.EASY, Effort.REST, Effort.WARMUP, Effort.COOLDOWN, Effort.STEADY,
)  # fmt: skip
NOISE, DRIFT = {"trained": 0.03, "beginner": 0.074}, {"trained": 0.02, "beginner": 0.07}
RISE, FALL = (0.5, 0.8, 0.9, 0.95, 1.0), (0.3, 0.6, 0.8, 0.92, 1.0)


def rowed(pieces, athlete="trained", seed=0, reported=True, tick_s=0.0, hole_s=None):
    """Strokes of (duration_s, power_w) pieces, 0 W a full stop; ends rounded up to `tick_s`, 10 s lost at `hole_s`."""
    random = np.random.default_rng(seed)
    strokes, time_s, bell_s, noise, drift, level = [], 0.0, 0.0, 0.0, 0.0, math.log(60)
    counted_s = 0.0
    for duration_s, power_w in pieces:
        bell_s += duration_s
        if power_w == 0:
            time_s, level = max(time_s, bell_s), math.log(25)
            continue
        begin, goal = level, math.log(power_w)
        stroke_in_piece = 0
        while time_s < bell_s:
            response = RISE if goal > begin else FALL
            level = begin + (goal - begin) * response[min(stroke_in_piece, 4)]
            took_s = 60 / min(max(17 + 11 * power_w / 220 + random.normal(0, 0.6), 14), 38)
            noise = 0.6 * noise + 0.8 * random.normal(0, NOISE[athlete])
            drift += -drift * took_s / 120 + math.sqrt(2 * took_s / 120) * random.normal(0, DRIFT[athlete])
            watts = math.exp(level + noise + drift)
            start_s, end_s = time_s, time_s + took_s
            if tick_s:
                start_s, end_s = (math.ceil(t / tick_s) * tick_s for t in (start_s, end_s))
                start_s = max(start_s, counted_s)
            metres = took_s * (watts / 2.8) ** (1 / 3)
            counted_s, time_s = end_s, time_s + took_s
            stroke_in_piece += 1
            if hole_s is None or not hole_s < end_s <= hole_s + 10:
                strokes.append(Stroke(len(strokes) + 1, start_s, end_s, metres, round(watts) if reported else None))
    return strokes, bell_s


def segmented(strokes, end_s):
    segmenter = Segmenter()
    for stroke in strokes:
        segmenter.feed(stroke)
    return segmenter.finish(end_s).segments


def efforts(segments):
    return [segment.effort for segment in segments]


def hard(segments):
    return [(segment.start_s, segment.end_s) for segment in segments if segment.effort is HARD]


def repeats(times, work_s, work_w, easy_s, easy_w, warmup=(300, 110.0), cooldown=(300, 100.0)):
    """Warm-up, `times` pieces with recoveries between them, cool-down; and when the pieces truly were."""
    between = [(work_s, work_w), (easy_s, easy_w)] * times
    truth = [(warmup[0] + n * (work_s + easy_s), warmup[0] + n * (work_s + easy_s) + work_s) for n in range(times)]
    return [warmup, *between[:-1], cooldown], truth


def edge_errors(found, truth):
    return [abs(f - t) for pair in zip(found, truth, strict=True) for f, t in zip(*pair, strict=True)]


def found_exactly(found, truth, within_s=6.0):
    return len(found) == len(truth) and max(edge_errors(found, truth)) <= within_s


def sessions_with_all_edges(pieces, truth, athlete, seeds=range(20), within_s=6.0, **telemetry):
    return sum(
        found_exactly(hard(segmented(*rowed(pieces, athlete, seed, **telemetry))), truth, within_s) for seed in seeds
    )


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
    assert sessions_with_all_edges(*session, "trained", **telemetry) >= 19


@pytest.mark.parametrize("telemetry", [{}, {"tick_s": 1.0}, {"reported": False}], ids=["exact", "seconds", "pace-only"])
@pytest.mark.parametrize("session", [MODERATE, STRONG], ids=["ratio-1.6", "ratio-2.4"])
def test_a_beginners_ten_pieces_are_found_and_nine_edges_in_ten_to_two_strokes(session, telemetry):
    pieces, truth = session
    found = [hard(segmented(*rowed(pieces, "beginner", seed, **telemetry))) for seed in range(20)]
    right = [one for one in found if len(one) == 10]
    errors_s = np.concatenate([edge_errors(one, truth) for one in right])
    assert len(right) >= 18
    assert np.median(errors_s) <= 2.5
    assert np.mean(errors_s <= 5) >= 0.9


def test_pace_only_in_whole_seconds_still_counts_the_pieces():
    found = [hard(segmented(*rowed(STRONG[0], "trained", seed, reported=False, tick_s=1.0))) for seed in range(20)]
    assert sum(len(one) == 10 for one in found) >= 19


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
    found = [segmented(*rowed([(1800, 110.0)], athlete, seed)) for seed in range(20)]
    assert [efforts(one) for one in found] == [[STEADY]] * 20


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
def test_a_drink_is_a_rest_in_a_steady_row_and_makes_no_pieces(athlete):
    pieces = [(700, 110.0), (40, 0), (500, 110.0), (40, 0), (560, 110.0)]
    found = [segmented(*rowed(pieces, athlete, seed)) for seed in range(20)]
    assert [efforts(one) for one in found] == [[STEADY, REST, STEADY, REST, STEADY]] * 20


def test_a_steady_row_keeps_its_warm_up_and_cool_down():
    pieces = [(300, 80.0), (1200, 110.0), (180, 75.0)]
    found = [segmented(*rowed(pieces, "trained", seed)) for seed in range(20)]
    assert [efforts(one) for one in found] == [[WARMUP, STEADY, COOLDOWN]] * 20
    assert all(abs(one[1].start_s - 300) < 12 and abs(one[1].end_s - 1500) < 12 for one in found)


@pytest.mark.parametrize("stop_s", [60, 90, 120])
def test_stopped_recoveries_are_rests(stop_s):
    pieces, truth = repeats(8, 110, 200.0, stop_s, 0, warmup=(0, 100.0), cooldown=(0, 100.0))
    for seed in range(10):
        segments = segmented(*rowed(pieces, "trained", seed))
        assert efforts(segments)[:15] == [HARD, *[REST, HARD] * 7]
        assert found_exactly(hard(segments), truth)


def test_three_long_equal_pieces_with_equal_stops_are_intervals():
    pieces, truth = repeats(3, 1200, 180.0, 120, 0, warmup=(0, 100.0), cooldown=(0, 100.0))
    for seed in range(5):
        segments = segmented(*rowed(pieces, "trained", seed))
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
    assert sessions_with_all_edges(*session, "trained") >= 19


@pytest.mark.parametrize("hole_s", [320, 360, 640, 700])
def test_ten_seconds_without_strokes_do_not_break_the_count(hole_s):
    for seed in range(5):
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


def test_a_power_nobody_can_pull_is_taken_from_the_distance():
    strokes, end_s = rowed(STRONG[0])
    wild = [
        Stroke(s.number, s.start_s, s.end_s, s.distance_m, 65535.0 if s.number % 7 == 0 else s.power_w) for s in strokes
    ]
    assert efforts(segmented(wild, end_s)) == efforts(segmented(strokes, end_s))


def live_efforts(strokes, end_s):
    """The live effort at each whole second."""
    segmenter, waiting, seen = Segmenter(), list(strokes), []
    for time_s in range(int(end_s)):
        while waiting and waiting[0].end_s <= time_s:
            segmenter.feed(waiting.pop(0))
        seen.append(segmenter.effort(time_s))
    return seen


def test_live_the_effort_follows_the_athlete():
    seen = live_efforts(*rowed(STRONG[0]))
    assert seen[0] is None
    assert set(seen[30:300]) == {WARMUP}
    hard_after_s = [seen[start_s:].index(HARD) for start_s in range(300, 1500, 120)]
    easy_after_s = [seen[end_s:].index(EASY) for end_s in range(345, 1545, 120)]
    assert np.median(hard_after_s) <= 10
    assert np.median(easy_after_s) <= 20


def test_live_a_stop_is_a_rest_as_soon_as_no_stroke_can_be_coming():
    segmenter = Segmenter()
    segmenter.feed(Stroke(1, 0.0, 2.5, 9.0, 120.0))
    assert segmenter.effort(9.0) is not REST
    assert segmenter.effort(10.0) is REST


def test_finishing_twice_answers_the_same():
    strokes, end_s = rowed(STRONG[0])
    segmenter = Segmenter()
    for stroke in strokes:
        segmenter.feed(stroke)
    assert segmenter.finish(end_s) == segmenter.finish(end_s)


POWERS_W = st.one_of(st.none(), st.sampled_from([0.0, -5.0, 65535.0, math.inf, 1e-9]), st.floats(-100, 3000))
METRES = st.one_of(st.none(), st.sampled_from([0.0, -3.0, 1e9, math.inf]), st.floats(0, 50))
WAITS_S = st.one_of(st.just(0.0), st.floats(0, 60), st.floats(0, 50_000))
LENGTHS_S = st.one_of(st.just(0.0), st.floats(0, 5), st.floats(0, 500))


@st.composite
def stroke_streams(draw):
    """Strokes in order, with any powers, distances, lengths and waits."""
    strokes, time_s = [], 0.0
    for number, (wait_s, length_s, metres, power_w) in enumerate(
        draw(st.lists(st.tuples(WAITS_S, LENGTHS_S, METRES, POWERS_W), max_size=60))
    ):
        start_s = time_s + wait_s
        time_s = start_s + length_s
        strokes.append(Stroke(number + 1, start_s, time_s, metres, power_w))
    return strokes


@settings(deadline=None, max_examples=200)
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
    for name, row in labelled_rows.items():
        if row["hard"] and row["has_power"]:
            strokes = real_strokes(name)
            found = hard(segmented(strokes, strokes[-1].end_s))
            matched = [any(overlap(bout, one) >= 0.8 for one in found) for bout in row["hard"]]
            exact.append(len(found) == len(matched) and all(matched))
    assert sum(exact) >= 0.7 * len(exact)


def test_real_steady_rows_have_no_pieces(labelled_rows):
    steady = [name for name, row in labelled_rows.items() if row["hard"] is None][::2]
    for name in steady:
        strokes = real_strokes(name)
        assert hard(segmented(strokes, strokes[-1].end_s)) == [], name
