"""Does the benchmark measure what it says?  A scorer that can be fooled makes every figure worthless."""

import json
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.segmentation.__main__ import arguments, main, markdown, reports_of
from benchmarks.segmentation.peers import PEERS, mean_threshold, pelt
from benchmarks.segmentation.rows import corrected_sessions, real_row
from benchmarks.segmentation.scores import Score, live, matches, median_and_p95, score, total
from benchmarks.segmentation.sessions import SCENARIOS, STREAMS, session
from benchmarks.segmentation.trials import (
    CAUTIONS,
    ROWSYNC,
    ROWSYNC_PLAN,
    Besides,
    Outcome,
    corrected_trials,
    followed,
    hard_spans,
    header,
    real_trials,
    run,
    strokes_by_second,
    synthetic_trials,
    turned,
)
from rowsync.athlete import Athlete
from rowsync.corrections import Correction
from rowsync.ftms import decode_rower_data
from rowsync.heart_rate import HEART_RATE_MEASUREMENT
from rowsync.intervals import Effort, Segment
from rowsync.plan import parse_plan
from rowsync.recording import Recording
from rowsync.session import Header, analyse
from rowsync.store import Store
from rowsync.telemetry import Notification

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
    return [effort for effort, seconds in spells for _ in range(seconds)]


HARD, EASY, REST, WARMUP = Effort.HARD, Effort.EASY, Effort.REST, Effort.WARMUP
ONE = [(100.0, 160.0)]


@pytest.mark.parametrize(
    ("said", "hard_after_s", "easy_after_s", "missed"),
    [
        pytest.param(said((WARMUP, 104), (HARD, 63), (EASY, 93)), (4.0,), (7.0,), 0, id="late"),
        pytest.param(
            said((EASY, 101), (HARD, 2), (EASY, 7), (HARD, 50), (EASY, 100)), (10.0,), (0.0,), 0, id="flicker"
        ),
        pytest.param(said((None, 3), (WARMUP, 97), (HARD, 69), (REST, 91)), (0.0,), (9.0,), 0, id="a rest follows"),
        pytest.param(said((EASY, 260)), (), (), 1, id="never hard, so there is no end to say"),
        pytest.param(said((HARD, 260)), (0.0,), (), 1, id="always hard"),
    ],
)
def test_an_edge_is_announced_when_what_is_said_stays_right(said, hard_after_s, easy_after_s, missed):
    how = live(said, said, ONE)
    assert (how.hard_after_s, how.easy_after_s, how.missed) == (hard_after_s, easy_after_s, missed)


def test_seconds_are_right_that_are_called_hard_when_they_were_and_something_else_when_not():
    at_once, settled = said((WARMUP, 104), (HARD, 63), (REST, 93)), said((EASY, 101), (HARD, 59), (REST, 88))
    how = live(at_once, settled, ONE)
    assert (how.right, how.seconds) == (260 - 4 - 7, 260)
    assert (how.settled_right, how.settled_seconds) == (248 - 1, 248)


def test_a_piece_that_a_session_begins_with_cannot_be_called_hard_so_nobody_asks():
    at_once = said((None, 3), (WARMUP, 60), (EASY, 50), (HARD, 60), (EASY, 50))
    how = live(at_once, at_once, [(0.0, 62.5), (110.0, 170.0)])
    assert (how.right, how.seconds) == (160 - 3 - 3, 160)


@pytest.mark.parametrize(
    ("said", "flips"),
    [
        (said((HARD, 60), (WARMUP, 600)), 0),
        (said((EASY, 300), (HARD, 7), (EASY, 300)), 0),
        (said((EASY, 300), (HARD, 8), (EASY, 300), (HARD, 30), (WARMUP, 300)), 2),
        (said((HARD, 600), (EASY, 20), (HARD, 300)), 1),
        (said((HARD, 600), (REST, 20), (HARD, 300)), 0),
        (said((HARD, 600), (EASY, 4), (REST, 20), (EASY, 4), (HARD, 300)), 1),
    ],
    ids=["the first minute", "a flicker", "twice hard", "hard is its usual name", "a full stop", "easy about a stop"],
)
def test_a_steady_row_flips_when_it_is_called_something_else_for_a_while(said, flips):
    assert live(said, said, []).false_flips == flips


def test_a_stop_in_a_steady_row_is_no_time_of_rowing():
    at_once = said((EASY, 660), (REST, 400), (EASY, 300))
    assert live(at_once, at_once, []).steady_hours == pytest.approx(900 / 3600)


# --- the sessions -----------------------------------------------------------------------------------------------------


@cache
def rowed(name, athlete="trained", seed=0, stream=None):
    tried = session(SCENARIOS[name], athlete, seed, stream)
    return tried, [stroke for known in strokes_by_second(tried) for stroke in known]


ROWED_OTHERWISE = "8x500 m with stops, though 10x45/75 was planned"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_session_has_the_intervals_of_its_plan_or_is_steady(name):
    tried = session(SCENARIOS[name], "trained", 0)
    planned = 8 if name == ROWED_OTHERWISE else parse_plan(tried.plan).rounds
    assert len(tried.hard) == (0 if SCENARIOS[name].steady else planned)
    assert all(start_s < end_s <= after_s for (start_s, end_s), (after_s, _) in pairwise(tried.hard))
    assert tried.items[-1].time_s == pytest.approx(tried.duration_s, abs=5.0)


@pytest.mark.parametrize("name", ["10x45/75 at 1.3", "10x45/75 at 2.5", "pyramid at 1.6"])
def test_hard_pieces_are_stronger_by_the_ratio_once_the_flywheel_has_followed(name):
    tried, strokes = rowed(name)
    strokes = [stroke for stroke in strokes if stroke.end_s < tried.hard[-1][1]]
    edges_s = np.ravel(tried.hard)
    settled = [one for one in strokes if one.start_s - max(edges_s[edges_s <= one.start_s], default=0.0) > 12]
    hard = [one.power_w for one in settled if any(a <= one.start_s and one.end_s <= b for a, b in tried.hard)]
    easy = [one.power_w for one in settled if not any(a < one.end_s and one.start_s < b for a, b in tried.hard)]
    assert np.mean(hard) / np.mean(easy) == pytest.approx(float(name.split()[-1]), rel=0.05)


def test_a_kayak_takes_eighty_strokes_a_minute_and_a_second_holds_one_or_two():
    tried, strokes = rowed("10x45/75 at 1.6, kayak")
    counts = [decode_rower_data(each.payload).stroke_count for each in tried.items]
    assert median(stroke.duration_s for stroke in strokes) == pytest.approx(0.75, abs=0.3)
    assert counts[-1] / tried.duration_s * 60 == pytest.approx(80, rel=0.01)
    assert set(np.diff(counts)) == {1, 2}


def test_in_a_stop_the_last_stroke_is_repeated_and_no_metre_is_counted():
    tried = session(SCENARIOS["8x500 m with stops"], "trained", 0)
    resting_s = tried.hard[0][1] + 1, tried.hard[1][0]
    frames = [
        decode_rower_data(each.payload)._replace(elapsed_time_s=None)
        for each in tried.items
        if resting_s[0] < each.time_s < resting_s[1]
    ]
    assert len(frames) > 50
    assert len(set(frames)) == 1
    assert frames[0].instantaneous_power_w > 100


def test_a_dropout_is_ten_seconds_without_a_notification():
    tried = session(SCENARIOS["10x45/75 at 1.6, two dropouts"], "trained", 0)
    waits_s = [after.time_s - before.time_s for before, after in pairwise(tried.items)]
    assert sum(10 <= wait_s <= 12 for wait_s in waits_s) == 2
    assert sum(wait_s > 1 for wait_s in waits_s) == 2


def test_a_machine_of_pace_only_sends_no_power():
    tried, strokes = rowed("10x45/75 at 1.6, pace only")
    assert {decode_rower_data(each.payload).instantaneous_power_w for each in tried.items} == {None}
    assert all(stroke.power_w > 50 for stroke in strokes)


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_tells_the_same_strokes(stream):
    tried = session(SCENARIOS["10x45/75 at 1.6"], "beginner", 3, stream)
    told = {decode_rower_data(each.payload).stroke_count for each in tried.items} - {0}
    assert told == set(range(1, len(session(SCENARIOS["10x45/75 at 1.6"], "beginner", 3, "stroke").items) + 1))


def test_the_same_seed_rows_the_same_and_another_another():
    first, again, other = (session(SCENARIOS["steady 30 min"], "trained", seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_sprint_start_is_stronger_than_the_piece():
    name = "10x45/75 at 1.6"
    rows = [rowed(each)[1] for each in (name, f"{name}, sprint starts")]
    powers = [[stroke.power_w for stroke in strokes if 305 < stroke.end_s < 312] for strokes in rows]
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
    (tmp_path / "index.json").write_text(json.dumps({"one": {"group": "active", "labels": "", "hard": [[0, 5.1]]}}))
    return tmp_path


def test_a_real_row_is_sent_each_second_and_repeats_its_last_stroke(folder):
    row = real_row(folder, "one", "1hz")
    frames = [decode_rower_data(each.payload) for each in row.items]
    assert (row.hard, row.plan, row.duration_s, len(frames)) == (((0, 5.1),), None, 30.0, 31)
    assert [frame.stroke_count for frame in frames[:7]] == [0, 0, 0, 1, 1, 1, 2]
    assert {(f.instantaneous_power_w, f.instantaneous_pace_s_per_500m, f.total_distance_m) for f in frames[6:30]} == {
        (160, 130, 19)
    }


def test_values_beyond_a_field_are_cut_to_it(folder):
    last = decode_rower_data(real_row(folder, "one", "stroke").items[-1].payload)
    assert (last.instantaneous_power_w, last.stroke_rate_spm, last.instantaneous_pace_s_per_500m) == (32767, 127.5, 0)


# --- the peers --------------------------------------------------------------------------------------------------------


def found_by(peer, name, athlete="trained"):
    tried, strokes = rowed(name, athlete)
    return score(peer(strokes, tried.duration_s), tried.hard, tried.duration_s, 2.5)


def test_change_points_find_ten_strong_pieces():
    assert found_by(pelt, "10x45/75 at 2.5").f1 >= 0.9


def test_a_mean_threshold_sees_intervals_in_a_steady_row():
    assert found_by(mean_threshold, "steady 30 min", "beginner").false > 10


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_finds_two_long_hard_pieces_and_nothing_where_nobody_rows(name):
    assert PEERS[name]([], 100.0) == []
    assert found_by(PEERS[name], "pyramid at 1.6").matched >= 2


# --- corrected sessions -----------------------------------------------------------------------------------------------

SAID = Correction(
    (Segment(Effort.WARMUP, 0.0, 300.0), Segment(Effort.HARD, 300.0, 345.5), Segment(Effort.EASY, 345.5, 600.0)),
    datetime(2026, 11, 23, 18, 30, tzinfo=UTC),
)
STRAP_FIRST = Notification(0.5, HEART_RATE_MEASUREMENT, bytes((0, 120)))


@pytest.fixture
def data(tmp_path):
    """A data folder whose only session was corrected; its machine came 20 s after its strap."""
    tried = session(SCENARIOS["steady 30 min, one notification a second"], "trained", 0)
    sent = [Notification(20 + each.time_s, each.characteristic, each.payload) for each in tried.items[:601]]
    known = Header("one", SAID.corrected_at, machine={"name": "WRX1000"}, athlete=Athlete("anna"), plan="30m")
    store = Store(tmp_path / "data")
    store.add(Recording(known, (STRAP_FIRST, *sent)))
    store.correct("one", SAID)
    return store.folder


def test_a_corrected_session_is_scored_against_what_the_person_sees_on_the_clock_of_its_bytes(data):
    ((athlete, corrected),) = corrected_sessions(data)
    assert (athlete, corrected.hard, corrected.first_s) == ("anna", ((320.0, 365.5),), 20.0)
    assert (corrected.items[0], corrected.plan, corrected.machine) == (STRAP_FIRST, "30m", "WRX1000")
    assert corrected.duration_s == 620.0


def test_corrected_sessions_are_a_group_of_their_own_and_the_detector_does_not_see_what_was_said(data):
    (trial,) = corrected_trials(data, Besides())
    outcome = run(trial)
    assert (outcome.of, outcome.by, outcome.live) == ("corrected", "anna", None)
    assert (outcome.scores[ROWSYNC].true, outcome.scores[ROWSYNC].found) == (1, 0)


def test_a_folder_without_corrected_sessions_has_none(tmp_path):
    assert list(corrected_trials(tmp_path, Besides())) == []


# --- the run ----------------------------------------------------------------------------------------------------------


def test_a_trial_scores_every_detector_and_the_tables_say_so():
    trials = [trial for trial in synthetic_trials(1, Besides(peers=True, live=True)) if trial.by == "trained"]
    tried = {trial.of: trial for trial in trials if trial.of in ("8x20/10 with stops", "steady, fast finish")}
    outcomes = [run(trial) for trial in tried.values()]
    assert all(list(each.scores) == [ROWSYNC, ROWSYNC_PLAN, *PEERS] for each in outcomes)
    reports = reports_of(outcomes)
    assert [len(report.lines) for report in reports] == [2, 2, 2, 2, 0, 2]
    assert all(reports[number].lines[0][0] == "8x20/10 with stops" for number in (0, 2))
    assert all(reports[number].lines[0][0] == "steady, fast finish" for number in (1, 3))
    assert all(len(line) == len(report.head) for report in reports for line in report.lines)


def outcome_of(of, scores):
    return Outcome(of, "somebody", {ROWSYNC: scores}, 0.0, None, {})


def test_the_last_line_pools_every_interval_of_the_table():
    perfect, poor, steady = scored(TRUE), scored([(0.0, 10.0)], true=[(100.0, 145.0)]), scored(TRUE[:3], true=[])
    intervals, steadies, *_ = reports_of([outcome_of("a", perfect), outcome_of("b", poor), outcome_of("c", steady)])
    assert intervals.lines[-1][:3] == ("all of these", "", "0.909 (1/2)")
    assert steadies.lines[-1] == ("all of these", "", "1.0", "3 (1/1)")


def test_a_table_is_markdown_too():
    lines = markdown(reports_of([outcome_of("a", scored(TRUE))])[0]).splitlines()
    assert lines[2].startswith("| session | by | rowsync |")
    assert {line.count("|") for line in lines[2:]} == {len(reports_of([])[0].head) + 1}


def test_a_plan_that_was_not_rowed_changes_nothing():
    tried = session(SCENARIOS[ROWED_OTHERWISE], "beginner", 0)
    known, blind = (hard_spans(analyse(header(tried, plan), tried.items)) for plan in (tried.plan, None))
    assert known == blind
    assert len(blind) == 8


def test_the_effort_said_live_is_asked_at_each_whole_second():
    tried = session(SCENARIOS["steady 30 min, one notification a second"], "trained", 0)
    how = followed(tried)
    assert how.steady_hours == pytest.approx((tried.duration_s - 60) / 3600, abs=0.001)
    assert how.samples == len(tried.items)


def test_what_is_settled_is_judged_by_what_was_rowed_then():
    how = followed(session(SCENARIOS["10x45/75 at 2.5"], "trained", 0, "1hz"))
    assert how.seconds - how.settled_seconds == 12
    assert how.settled_right / how.settled_seconds > 0.9


def test_the_detector_alone_says_at_its_usual_caution_what_the_whole_core_says():
    tried = session(SCENARIOS["8x20/10 with stops"], "beginner", 0, "1hz")
    whole, alone = followed(tried), turned(tried, 1.0)
    assert alone._replace(samples=0, cost_s=0) == whole._replace(samples=0, cost_s=0)
    assert turned(tried, 4.0).hard_after_s != alone.hard_after_s


def test_the_knob_is_turned_on_real_rows_that_are_followed(folder):
    outcomes = [run(trial) for trial in real_trials(folder, Besides(knob=True))]
    assert [(each.by, tuple(each.turned), each.live) for each in outcomes] == [
        ("1hz", CAUTIONS, None),
        ("stroke", (), None),
    ]
    assert [line[0] for line in reports_of(outcomes)[4].lines] == ["0.5", "0.7", "1", "1.4", "2"]


def test_a_quick_look_is_short_and_what_is_named_counts_more():
    short, named = arguments(["--short"]), arguments(["--short", "--seeds", "7", "--live"])
    assert (short.seeds, short.peers, short.live) == (3, False, False)
    assert (named.seeds, named.peers, named.live) == (7, False, True)


def test_what_nobody_looks_at_on_a_terminal_has_room_for_every_word(folder, capsys):
    main(["--seeds", "0", "--jobs", "1", "--live", "--rows", str(folder)])
    printed = capsys.readouterr().out
    assert "│ active       │ 1hz    │ 0.000 (0/1) │" in printed
    assert "│ all of these │        │ 0.000 (0/2) │" in printed
    assert all(f" {name} " in printed for name in ("edges [strokes]", "mean threshold", "hard said after [s]"))


def test_it_says_what_there_is_not(tmp_path, capsys):
    main(["--seeds", "0", "--jobs", "1", "--rows", str(tmp_path), "--data", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "There are no real rows" in printed
    assert "was corrected" in printed
