"""Does the benchmark measure what it says?  A scorer that can be fooled makes every figure worthless."""

import json
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.segmentation.__main__ import markdown, reports_of
from benchmarks.segmentation.peers import PEERS, mean_threshold, pelt
from benchmarks.segmentation.rows import real_row
from benchmarks.segmentation.scores import Score, live, matches, median_and_p95, score, total
from benchmarks.segmentation.sessions import SCENARIOS, STREAMS, session
from benchmarks.segmentation.trials import ROWSYNC, ROWSYNC_PLAN, Trial, followed, header, run, synthetic_trials
from rowsync.ftms import decode_rower_data
from rowsync.plan import parse_plan
from rowsync.session import analyse

TRUE = [(300.0 + 120 * n, 345.0 + 120 * n) for n in range(10)]
HOUR_S = 3600.0


def scored(found, true=TRUE, duration_s=HOUR_S):
    return score(found, true, duration_s, stroke_s=2.5)


def moved(spans, by_s):
    return [(start_s + by_s, end_s + by_s) for start_s, end_s in spans]


# --- the scorer -------------------------------------------------------------------------------------------------------


def test_what_is_found_exactly_scores_one():
    assert (scored(TRUE).f1, scored(TRUE).exact, set(scored(TRUE).edges_s)) == (1.0, 1, {0.0})


@pytest.mark.parametrize(
    ("found", "f1"),
    [
        pytest.param([], 0.0, id="nothing"),
        pytest.param(TRUE + TRUE, 2 / 3, id="everything twice"),
        pytest.param([(0.0, HOUR_S)], 0.0, id="the whole row"),
        pytest.param([(float(s), s + 45.0) for s in range(0, 3000, 5)], 20 / 610, id="everywhere"),
        pytest.param([half for a, b in TRUE for half in ((a, a + 22.5), (a + 22.5, b))], 0.0, id="in halves"),
        pytest.param(TRUE[:5], 2 / 3, id="half of them"),
        pytest.param(moved(TRUE, 6.0), 0.0, id="6 s late"),
        pytest.param(moved(TRUE, -4.0), 1.0, id="4 s early"),
    ],
)
def test_f1_cannot_be_had_for_less(found, f1):
    assert scored(found).f1 == pytest.approx(f1)
    assert scored(found).exact == (f1 == 1.0)


def test_one_interval_too_many_is_not_exact():
    assert scored([*TRUE, (2000.0, 2045.0)]).exact == 0


def test_edges_are_judged_on_near_matches_too():
    late = scored(moved(TRUE, 6.0))
    assert (late.matched, set(late.edges_s), median_and_p95(late.edges_strokes)) == (0, {6.0}, (2.4, 2.4))


def test_edges_are_not_judged_where_their_truth_is_not_known_well():
    assert score(TRUE, TRUE, HOUR_S, 2.5, edges=False).edges_s == ()


@pytest.mark.parametrize(
    ("found", "false"),
    [([], 0), ([(100.0, 3500.0)], 0), ([(100.0, 3500.0), (3510.0, 3550.0)], 1), ([(0.0, 1000.0), (1100.0, 2100.0)], 2)],
    ids=["none", "the row by another name", "that and one more", "two halves"],
)
def test_hard_intervals_of_a_steady_row_are_false(found, false):
    steady = scored(found, true=[])
    assert (steady.false, steady.flagged, steady.f1) == (false, int(false > 0), None)


def test_a_total_counts_intervals_not_sessions():
    both = total([scored(TRUE), scored([(0.0, 10.0)], true=[(100.0, 145.0)]), scored([], true=[])])
    assert (both.sessions, both.true, both.found, both.f1) == (3, 11, 11, pytest.approx(20 / 22))
    assert total([]) == Score()


SPANS = st.lists(
    st.tuples(st.floats(0, 1000), st.floats(0, 100)).map(lambda one: (one[0], one[0] + one[1])), max_size=8
)


@given(SPANS, SPANS)
def test_no_interval_is_matched_twice(found, true):
    pairs = matches(found, true, 0.5)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)


def said(*spells):
    return [hard for hard, seconds in spells for _ in range(seconds)]


ONE = [(100.0, 160.0)]


@pytest.mark.parametrize(
    ("hard", "hard_after_s", "easy_after_s", "missed"),
    [
        pytest.param(said((False, 104), (True, 63), (False, 93)), (4.0,), (7.0,), 0, id="late"),
        pytest.param(
            said((False, 101), (True, 2), (False, 7), (True, 50), (False, 100)), (10.0,), (0.0,), 0, id="flicker"
        ),
        pytest.param(said((False, 260)), (), (0.0,), 1, id="never hard"),
        pytest.param(said((True, 260)), (0.0,), (), 1, id="always hard"),
    ],
)
def test_an_edge_is_announced_when_what_is_said_stays_right(hard, hard_after_s, easy_after_s, missed):
    how = live(hard, ONE)
    assert (how.hard_after_s, how.easy_after_s, how.missed) == (hard_after_s, easy_after_s, missed)


@pytest.mark.parametrize(
    ("hard", "flips"),
    [
        (said((True, 60), (False, 600)), 0),
        (said((False, 300), (True, 7), (False, 300)), 0),
        (said((False, 300), (True, 8), (False, 300), (True, 30), (False, 300)), 2),
        (said((True, 600), (False, 20), (True, 300)), 1),
    ],
    ids=["the first minute", "a flicker", "twice hard", "hard is its usual name"],
)
def test_a_steady_row_flips_when_it_is_called_something_else_for_a_while(hard, flips):
    assert live(hard, []).false_flips == flips


# --- the sessions -----------------------------------------------------------------------------------------------------


def analysed(tried):
    return analyse(header(None), tried.notifications)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_session_has_the_intervals_of_its_plan_or_is_steady(name):
    tried = session(SCENARIOS[name], "trained", 0)
    planned = parse_plan(tried.plan).rounds
    assert len(tried.hard) == (0 if SCENARIOS[name].steady else planned)
    assert all(start_s < end_s <= after_s for (start_s, end_s), (after_s, _) in pairwise(tried.hard))
    assert tried.notifications[-1].time_s == pytest.approx(tried.duration_s, abs=5.0)


@pytest.mark.parametrize("name", ["10x45/75 at 1.3", "10x45/75 at 1.6", "10x45/75 at 2.5", "pyramid at 1.6"])
def test_hard_pieces_are_stronger_by_the_ratio_once_the_flywheel_has_followed(name):
    tried = session(SCENARIOS[name], "trained", 1)
    strokes = [stroke for stroke in analysed(tried).strokes if stroke.end_s < tried.hard[-1][1]]
    edges_s = np.ravel(tried.hard)
    settled = [one for one in strokes if one.start_s - max(edges_s[edges_s <= one.start_s], default=0.0) > 12]
    hard = [one.power_w for one in settled if any(a <= one.start_s and one.end_s <= b for a, b in tried.hard)]
    easy = [one.power_w for one in settled if not any(a < one.end_s and one.start_s < b for a, b in tried.hard)]
    assert np.mean(hard) / np.mean(easy) == pytest.approx(float(name.split()[-1]), rel=0.05)


def test_a_kayak_takes_eighty_strokes_a_minute_and_a_second_holds_one_or_two():
    tried = session(SCENARIOS["10x45/75 at 1.6, kayak"], "trained", 0)
    counts = [decode_rower_data(each.payload).stroke_count for each in tried.notifications]
    assert median(stroke.duration_s for stroke in analysed(tried).strokes) == pytest.approx(0.75, abs=0.3)
    assert counts[-1] / tried.duration_s * 60 == pytest.approx(80, rel=0.01)
    assert set(np.diff(counts)) == {1, 2}


def test_in_a_stop_the_last_stroke_is_repeated_and_no_metre_is_counted():
    tried = session(SCENARIOS["8x500 m with stops"], "trained", 0)
    resting_s = tried.hard[0][1] + 1, tried.hard[1][0]
    frames = [
        decode_rower_data(each.payload)._replace(elapsed_time_s=None)
        for each in tried.notifications
        if resting_s[0] < each.time_s < resting_s[1]
    ]
    assert len(frames) > 50
    assert len(set(frames)) == 1
    assert frames[0].instantaneous_power_w > 100


def test_a_dropout_is_ten_seconds_without_a_notification():
    tried = session(SCENARIOS["10x45/75 at 1.6, two dropouts"], "trained", 0)
    waits_s = [after.time_s - before.time_s for before, after in pairwise(tried.notifications)]
    assert sum(10 <= wait_s <= 12 for wait_s in waits_s) == 2
    assert sum(wait_s > 1 for wait_s in waits_s) == 2


def test_a_machine_of_pace_only_sends_no_power():
    tried = session(SCENARIOS["10x45/75 at 1.6, pace only"], "trained", 0)
    assert {decode_rower_data(each.payload).instantaneous_power_w for each in tried.notifications} == {None}
    assert analysed(tried).power_source == "pace"


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_tells_the_same_strokes(stream):
    tried = session(SCENARIOS["10x45/75 at 1.6"], "beginner", 3, stream)
    told = {decode_rower_data(each.payload).stroke_count for each in tried.notifications} - {0}
    assert told == set(range(1, analysed(tried).stroke_count + 1))


def test_the_same_seed_rows_the_same_and_another_another():
    first, again, other = (session(SCENARIOS["steady 30 min"], "trained", seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_sprint_start_is_stronger_than_the_piece():
    name = "10x45/75 at 1.6"
    plain, sprinted = (analysed(session(SCENARIOS[each], "trained", 0)) for each in (name, f"{name}, sprint starts"))
    first_s = (305, 312)
    powers = [[s.power_w for s in one.strokes if first_s[0] < s.end_s < first_s[1]] for one in (plain, sprinted)]
    assert np.mean(powers[1]) > 1.25 * np.mean(powers[0])


# --- real rows --------------------------------------------------------------------------------------------------------

TABLE = """t_s,power_w,stroke_rate_spm,pace_s_per_500m,distance_m
2.50,150,24,,9.7
,1,1,1,1
5.10,160,24.5,130.4,19.9
30.00,70000,300,99999,30
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one.csv").write_text(TABLE)
    (tmp_path / "index.json").write_text(json.dumps({"one": {"group": "g", "labels": "", "hard": [[0, 5.1]]}}))
    return tmp_path


def test_a_real_row_is_sent_each_second_and_repeats_its_last_stroke(folder):
    row = real_row(folder, "one", "1hz")
    frames = [decode_rower_data(each.payload) for each in row.notifications]
    assert (row.hard, row.plan, row.duration_s, len(frames)) == (((0, 5.1),), None, 30.0, 31)
    assert [frame.stroke_count for frame in frames[:7]] == [0, 0, 0, 1, 1, 1, 2]
    assert {(f.instantaneous_power_w, f.instantaneous_pace_s_per_500m, f.total_distance_m) for f in frames[6:30]} == {
        (160, 130, 19)
    }


def test_values_beyond_a_field_are_cut_to_it(folder):
    last = decode_rower_data(real_row(folder, "one", "stroke").notifications[-1].payload)
    assert (last.instantaneous_power_w, last.stroke_rate_spm, last.instantaneous_pace_s_per_500m) == (32767, 127.5, 0)


# --- the peers --------------------------------------------------------------------------------------------------------


def found_by(peer, name, athlete="trained"):
    tried = session(SCENARIOS[name], athlete, 0)
    row = analysed(tried)
    return score(peer(row.strokes, row.duration_s), tried.hard, tried.duration_s, 2.5)


def test_change_points_find_ten_strong_pieces():
    assert found_by(pelt, "10x45/75 at 2.5").f1 >= 0.9


def test_a_mean_threshold_sees_intervals_in_a_steady_row():
    assert found_by(mean_threshold, "steady 30 min", "beginner").false > 10


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_finds_two_long_hard_pieces_and_nothing_where_nobody_rows(name):
    assert PEERS[name]([], 100.0) == []
    assert found_by(PEERS[name], "pyramid at 1.6").matched >= 2


# --- the run ----------------------------------------------------------------------------------------------------------


def test_a_trial_scores_every_detector_and_the_tables_say_so():
    trials = [trial for trial in synthetic_trials(1, peers=True, follow=True) if trial.by == "trained"]
    tried = {trial.of: trial for trial in trials if trial.of in ("8x20/10 with stops", "steady, fast finish")}
    outcomes = [run(trial) for trial in tried.values()]
    assert all(list(each.scores) == [ROWSYNC, ROWSYNC_PLAN, *PEERS] for each in outcomes)
    written = [markdown(report) for report in reports_of(outcomes)]
    assert [len(text.splitlines()) for text in written] == [5, 5, 5, 5, 6]
    assert all("8x20/10 with stops | trained" in written[number] for number in (0, 2))
    assert all("steady, fast finish | trained" in written[number] for number in (1, 3))


def test_a_session_that_somebody_labelled_by_hand_can_be_tried():
    labelled = session(SCENARIOS["8x500 m with stops"], "trained", 0, "1hz")._replace(plan=None)
    outcome = run(Trial("corrected", "somebody", lambda: labelled, peers=False))
    assert (list(outcome.scores), outcome.scores[ROWSYNC].true, outcome.live) == ([ROWSYNC], 8, None)


def test_the_effort_said_live_is_asked_at_each_whole_second():
    tried = session(SCENARIOS["steady 30 min"], "trained", 0, "1hz")
    how = followed(tried)
    assert how.steady_hours == pytest.approx((tried.duration_s - 60) / 3600, abs=0.001)
    assert how.samples == len(tried.notifications)
