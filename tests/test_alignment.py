"""A row beside the plan it was rowed to: how that was kept, and whether it was kept at all."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowsync.intervals import Segment
from rowsync.intervals.alignment import levels_of
from rowsync.intervals.rhythm import REACTION_S
from rowsync.intervals.row import Row
from rowsync.session import Header, analyse
from tests.synthetic import COOLDOWN, EASY, HARD, REST, STEADY, WARMUP, due, efforts, fed, hard, rowed, segmented, sent

PLAN = "5m + 10x45/75 + 3m"
PLANNED = [(WARMUP, 300), *[(HARD, 45), (EASY, 75)] * 10, (COOLDOWN, 180)]
DUE = due(*PLANNED)
EASY_W = 110.0
STROKE_S = 2.8


def session(ratio=1.6, late_s=0.0):
    """The plan as rowed, all of it so much late."""
    return [(300 + late_s, EASY_W), *[(45, ratio * EASY_W), (75, EASY_W)] * 10, (180 - late_s, EASY_W)]


def followed(pieces, timetable=DUE, athlete="trained", seed=0):
    strokes, end_s = rowed(pieces, athlete, seed)
    return fed(strokes).finish(end_s, timetable)


def hard_pieces(compliance):
    return [piece for piece in compliance.pieces if piece.effort is HARD]


def header(plan):
    return Header("aligned", datetime(2026, 11, 23, tzinfo=UTC), plan=plan)


def analysed(plan, pieces, athlete="trained", seed=0):
    return analyse(header(plan), sent(*rowed(pieces, athlete, seed)))


# --- kept -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
def test_a_plan_that_is_kept_has_every_piece_where_it_was_due(athlete):
    found = followed(session(), athlete=athlete)
    assert (found.compliance.followed, found.compliance.rounds_planned, found.compliance.rounds_rowed) == (True, 10, 10)
    assert efforts(found.segments) == [WARMUP, *[HARD, EASY] * 9, HARD, COOLDOWN]
    assert all(abs(each.start_late_s) < 2 * STROKE_S for each in hard_pieces(found.compliance))


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
@pytest.mark.parametrize("late_s", [-4.0, 4.0, 8.0])
def test_pieces_begun_late_or_early_are_said_to_be_within_a_stroke(late_s, athlete):
    usually_late_s = 1.3  # an athlete who means to be in time reacts half a stroke after the bell
    for seed in range(3):
        kept = hard_pieces(followed(session(late_s=late_s), athlete=athlete, seed=seed).compliance)
        assert median(each.start_late_s for each in kept) == pytest.approx(late_s + usually_late_s, abs=STROKE_S / 2)
        assert median(each.end_late_s for each in kept) == pytest.approx(late_s + usually_late_s, abs=STROKE_S)


def test_a_beginner_who_rows_a_plan_at_fifteen_percent_more_power_gets_nine_pieces_of_ten():
    right = [
        sum(abs(each.start_late_s or 99) <= 8 and abs(each.end_late_s or 99) <= 8 for each in hard_pieces(kept))
        for kept in (followed(session(1.15), athlete="beginner", seed=seed).compliance for seed in range(10))
    ]
    assert sum(pieces >= 9 for pieces in right) >= 8


def test_a_steady_plan_is_kept_by_a_steady_row_and_not_by_intervals():
    kept = followed([(1200, EASY_W)], due((STEADY, 1200)))
    assert (kept.compliance.followed, kept.compliance.rounds_planned) == (True, 0)
    assert [piece.rowed_as for piece in kept.compliance.pieces] == [STEADY]
    assert not followed(session(), due((STEADY, 1680))).compliance.followed


# --- not kept ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
def test_a_steady_row_beside_the_plan_is_not_the_plan_and_has_no_pieces(athlete):
    for seed in range(10):
        found = followed([(1680, EASY_W)], athlete=athlete, seed=seed)
        assert (found.compliance.followed, found.compliance.rounds_rowed) == (False, 0)
        assert hard(found.segments) == []


def test_another_session_than_the_planned_one_is_found_as_it_was_rowed():
    pieces = [(300, EASY_W), *[(180, 176.0), (180, EASY_W)] * 4]
    found = followed(pieces)
    assert not found.compliance.followed
    assert hard(found.segments) == hard(segmented(*rowed(pieces)))
    assert len(hard(found.segments)) == 4


@pytest.mark.parametrize(("athlete", "least"), [("trained", 10), ("beginner", 9)])
def test_a_recovery_that_was_rowed_through_joins_two_pieces(athlete, least):
    pieces = session()
    pieces[8] = (75, 1.6 * EASY_W)  # after the fourth piece
    found = [followed(pieces, athlete=athlete, seed=seed) for seed in range(10)]
    joined = [one for one in found if one.compliance.pieces[8].rowed_as is HARD and one.compliance.rounds_rowed == 10]
    assert len(joined) >= least
    for one in joined:
        assert len(hard(one.segments)) == 9
        assert max(end_s - start_s for start_s, end_s in hard(one.segments)) == pytest.approx(165, abs=8)


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
def test_a_piece_that_was_skipped_was_rowed_easily(athlete):
    pieces = session()
    pieces[7] = (45, EASY_W)  # the fourth
    for seed in range(5):
        kept = followed(pieces, athlete=athlete, seed=seed).compliance
        assert kept.followed
        assert kept.rounds_rowed == 9
        skipped = kept.pieces[7]
        assert (skipped.effort, skipped.rowed_as, skipped.start_late_s) == (HARD, EASY, None)


def test_of_a_row_that_ended_after_four_rounds_the_others_were_not_rowed():
    kept = followed([(300, EASY_W), *[(45, 176.0), (75, EASY_W)] * 4]).compliance
    assert (kept.followed, kept.rounds_planned, kept.rounds_rowed) == (True, 10, 4)
    assert [piece.rowed_as for piece in kept.pieces[9:]] == [None] * 13
    assert [piece.rowed_as for piece in hard_pieces(kept)][:4] == [HARD] * 4


def test_planned_rests_are_said_to_be_rests():
    timetable = due(*[(HARD, 120), (REST, 90)] * 5)
    found = followed([(120, 180.0), (90, 0)] * 5, timetable)
    assert found.compliance.followed
    assert [piece.rowed_as for piece in found.compliance.pieces] == [HARD, REST] * 5


def test_nobody_rowing_is_no_plan_kept():
    found = fed([]).finish(1680.0, DUE)
    assert efforts(found.segments) == [REST]
    assert found.compliance is None or not found.compliance.followed


@pytest.mark.parametrize(
    "timetable",
    [
        pytest.param((Segment(HARD, 0.0, 0.0),), id="pieces without length"),
        pytest.param(due((HARD, 1e9)), id="one that never ends"),
        pytest.param(due(*[(HARD, 0.5), (EASY, 0.5)] * 500), id="pieces of half a second"),
        pytest.param(due((HARD, 840), (HARD, 840)), id="nothing but hard"),
        pytest.param((Segment(EASY, 0.0, 5000.0), Segment(HARD, 5000.0, 5100.0)), id="pieces after the end"),
    ],
)
def test_a_timetable_nobody_could_row_invents_nothing_in_a_steady_row(timetable):
    assert hard(followed([(1680, EASY_W)], timetable).segments) == []


# --- from the bytes ---------------------------------------------------------------------------------------------------


def test_a_followed_plan_says_where_the_intervals_are_from():
    kept = analysed(PLAN, session())
    assert (kept.intervals_from, kept.compliance.rounds_rowed) == ("plan", 10)
    steady = analysed(PLAN, [(1680, EASY_W)])
    assert (steady.intervals_from, steady.compliance.followed) == ("detected", False)


def test_a_steady_plan_is_kept_as_its_bytes_tell():
    assert analysed("20m", [(1200, EASY_W)]).compliance.followed


def test_a_plan_by_the_metre_is_kept_when_the_machine_counts_the_metres():
    strokes, end_s = metres_rowed(5, 500.0, 60.0)
    kept = analyse(header("5x500m/1mr"), sent(strokes, end_s))
    assert kept.compliance.followed
    assert kept.compliance.rounds_rowed == 5
    assert [piece.rowed_as for piece in kept.compliance.pieces] == [HARD, REST] * 5
    assert all(abs(piece.start_late_s) < 6 for piece in hard_pieces(kept.compliance))


def metres_rowed(times, distance_m, rest_s):
    """Pieces that end with the first stroke a metre beyond the distance, and rests between them."""
    strokes, start_s = [], 0.0
    for piece in range(times):
        rowed_m = 0.0
        for stroke in rowed([(600, 180.0)], seed=piece)[0]:
            strokes.append(stroke_moved(stroke, len(strokes) + 1, start_s))
            rowed_m += stroke.distance_m
            if rowed_m >= distance_m + 1:
                break
        start_s = strokes[-1].end_s + rest_s
    return strokes, start_s


def stroke_moved(stroke, number, by_s):
    return type(stroke)(number, stroke.start_s + by_s, stroke.end_s + by_s, stroke.distance_m, stroke.power_w)


@pytest.mark.parametrize("plan", ["gibberish", "10x45/", "", "\x00" * 50, "9" * 500, "0x0/0"])
def test_a_plan_that_cannot_be_read_does_not_matter(plan):
    free, beside = analysed(None, session()[:9]), analysed(plan, session()[:9])
    assert beside.compliance is None
    assert beside.intervals == free.intervals


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-60, 700), st.floats(0, 300)), max_size=12))
def test_the_level_of_a_span_is_the_mean_over_its_time_after_the_reaction(spans):
    row = Row.of(rowed([(200, 110.0), (60, 0.0), (300, 180.0)], "trained", 1)[0])
    spans_s = [(start_s, start_s + lasts_s) for start_s, lasts_s in spans]
    for (start_s, end_s), level in zip(spans_s, levels_of(row, spans_s), strict=True):
        near, inside_s = row.between(start_s + REACTION_S, end_s)
        known = inside_s.sum() >= REACTION_S
        mean = np.average(row.resting_levels[near], weights=inside_s) if known else math.nan
        assert level == pytest.approx(mean, rel=1e-12, nan_ok=True)
