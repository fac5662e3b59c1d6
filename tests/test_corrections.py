"""Corrections: whatever a person says, the segments tile the session, and no two neighbours are the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.corrections import (
    EDGES_NAMED,
    SHORTEST_S,
    Correction,
    correction_fields,
    correction_from_fields,
    fitted,
    joined,
    moved,
    painted,
    said,
    segments_from_fields,
    typed_effort,
    typed_s,
)
from rowsync.errors import UsageError
from rowsync.intervals import Effort, Segment

AT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
MADE = (
    Segment(Effort.WARMUP, 0.0, 300.4),
    Segment(Effort.HARD, 300.4, 345.0),
    Segment(Effort.EASY, 345.0, 420.0),
    Segment(Effort.HARD, 420.0, 465.0),
    Segment(Effort.COOLDOWN, 465.0, 600.0),
)

efforts = st.sampled_from(list(Effort))
times_s = st.floats(-100.0, 2000.0)


@st.composite
def tilings(draw):
    lengths_s = draw(st.lists(st.floats(3.0, 200.0), min_size=1, max_size=12))
    named = zip(pairwise([0.0, *accumulate(lengths_s)]), iter(lambda: draw(efforts), None), strict=False)
    return joined(Segment(effort, *between_s) for between_s, effort in named)


def is_tiling(segments, end_s):
    ends = [segments[0].start_s, *(segment.end_s for segment in segments)]
    return (
        ends[0] == 0.0
        and ends[-1] == end_s
        and all(before.end_s == after.start_s for before, after in pairwise(segments))
        and all(before.effort != after.effort for before, after in pairwise(segments))
        and all(segment.end_s - segment.start_s >= 0.99 * SHORTEST_S for segment in segments)
    )


def effort_at(segments, time_s):
    return next(each.effort for each in segments if each.start_s <= time_s < each.end_s)


# --- edges ------------------------------------------------------------------------------------------------------------


def test_the_edge_nearest_to_what_was_typed_moves_and_nothing_else():
    there = moved(MADE, 301, 297.5)
    assert there[:2] == (Segment(Effort.WARMUP, 0.0, 297.5), Segment(Effort.HARD, 297.5, 345.0))
    assert there[2:] == MADE[2:]


@given(tilings(), st.data())
def test_an_edge_moved_there_and_back_is_where_it_was(segments, data):
    if len(segments) < 2:
        return
    at = data.draw(st.integers(0, len(segments) - 2))
    before, after = segments[at : at + 2]
    to_s = data.draw(st.floats(before.start_s + SHORTEST_S, after.end_s - SHORTEST_S))
    there = moved(segments, before.end_s, to_s)
    assert is_tiling(there, segments[-1].end_s)
    assert moved(there, to_s, before.end_s) == segments


@given(tilings(), times_s, times_s)
def test_an_edge_moves_so_that_all_is_tiled_or_is_refused(segments, edge_s, to_s):
    try:
        there = moved(segments, edge_s, to_s)
    except UsageError:
        return
    assert is_tiling(there, segments[-1].end_s)
    assert [each.effort for each in there] == [each.effort for each in segments]


def test_where_no_edge_is_near_those_that_there_are_are_named():
    with pytest.raises(UsageError, match=r"No edge is near 3:20. The edges are 5:00, 5:45, 7:00, 7:45."):
        moved(MADE, 200, 210)
    many = tuple(Segment((Effort.HARD, Effort.EASY)[n % 2], 60.0 * n, 60.0 * n + 60) for n in range(200))
    with pytest.raises(UsageError, match=r"nearest edges are 3:08:00, .*, 3:19:00\.") as refused:
        moved(many, 20_000, 20_000)
    assert str(refused.value).count(",") == EDGES_NAMED - 1


@pytest.mark.parametrize("to_s", [0.0, 344.5, 345.0, 500.0])
def test_an_edge_never_passes_another(to_s):
    with pytest.raises(UsageError, match="begin at 0:00 and end at 5:45"):
        moved(MADE, 300, to_s)


def test_a_session_of_one_interval_has_no_edge():
    for segments in ((Segment(Effort.STEADY, 0.0, 600.0),), ()):
        with pytest.raises(UsageError, match="no edge to move"):
            moved(segments, 300, 310)


# --- stretches --------------------------------------------------------------------------------------------------------


def test_a_stretch_takes_the_place_of_what_lies_below():
    assert painted(MADE, Effort.REST, 330.0, 440.0) == (
        MADE[0],
        Segment(Effort.HARD, 300.4, 330.0),
        Segment(Effort.REST, 330.0, 440.0),
        Segment(Effort.HARD, 440.0, 465.0),
        MADE[4],
    )


def test_a_stretch_joins_equal_neighbours():
    assert painted(MADE, Effort.HARD, 345.0, 420.0) == (MADE[0], Segment(Effort.HARD, 300.4, 465.0), MADE[4])


def test_a_stretch_splits_what_it_lies_in():
    parts = painted((Segment(Effort.STEADY, 0.0, 600.0),), Effort.REST, 200.0, 260.0)
    assert [(each.effort, each.start_s) for each in parts] == [("steady", 0.0), ("rest", 200.0), ("steady", 260.0)]


def test_whole_seconds_read_off_a_table_leave_no_slivers():
    assert painted(MADE, Effort.STEADY, 301.0, 344.3)[1] == Segment(Effort.STEADY, 300.4, 345.0)


def test_a_stretch_is_clipped_to_the_session():
    assert painted(MADE, Effort.STEADY, 0.0, 86_400.0) == (Segment(Effort.STEADY, 0.0, 600.0),)
    with pytest.raises(UsageError, match="11:40 to 13:20 is no stretch of this session, which lasts 10:00"):
        painted(MADE, Effort.HARD, 700.0, 800.0)
    with pytest.raises(UsageError, match="no stretch"):
        painted((), Effort.HARD, 0.0, 10.0)


@given(tilings(), efforts, times_s, times_s)
def test_what_was_painted_is_that_and_all_else_stays(segments, effort, start_s, end_s):
    total_s = segments[-1].end_s
    try:
        after = painted(segments, effort, start_s, end_s)
    except UsageError:
        assert min(end_s, total_s) - max(start_s, 0.0) < SHORTEST_S
        return
    assert is_tiling(after, total_s)
    assert painted(after, effort, start_s, end_s) == after
    for number in range(200):
        time_s = total_s * number / 200
        if start_s <= time_s < end_s:
            assert effort_at(after, time_s) == effort
        elif not start_s - SHORTEST_S <= time_s < end_s + SHORTEST_S:
            assert effort_at(after, time_s) == effort_at(segments, time_s)


# --- another length ---------------------------------------------------------------------------------------------------


def test_a_longer_session_stretches_the_last_segment_and_a_shorter_one_leaves_out_what_lies_behind():
    assert fitted(MADE, 660.0) == (*MADE[:-1], Segment(Effort.COOLDOWN, 465.0, 660.0))
    assert fitted(MADE, 400.0) == (*MADE[:2], Segment(Effort.EASY, 345.0, 400.0))
    assert fitted(MADE, 0.0) == ()


@given(tilings(), st.floats(0.001, 5000.0))
def test_fitted_segments_fill_any_length(segments, end_s):
    there = fitted(segments, end_s)
    assert (there[0].start_s, there[-1].end_s) == (0.0, end_s)
    assert fitted(there, end_s) == there


# --- typed, stored, said ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("5:12", 312), ("312", 312), ("312.5", 312.5), ("1:02:03", 3723), ("75:00", 4500), ("5:02.25", 302.25), ("0", 0)],
)
def test_times_are_read_as_people_type_them(typed, seconds):
    assert typed_s(typed) == seconds


@pytest.mark.parametrize(
    "typed", ["", "5:", ":12", "5:60", "5:7", "1:75:00", "-5", "1e3", "nan", "5m", "1:2:3:4", "١٢", "9" * 30]
)
def test_what_is_no_time_says_how_to_type_one(typed):
    with pytest.raises(UsageError, match="type it as 5:12, 312"):
        typed_s(typed)


def test_efforts_are_typed_as_tables_or_as_documents_call_them():
    assert [typed_effort(text) for text in ("warm-up", "cooldown", "Hard ")] == ["warmup", "cooldown", "hard"]
    with pytest.raises(UsageError, match="hard, easy, rest, warm-up, cool-down, steady"):
        typed_effort("sprint")


@given(tilings())
def test_what_is_stored_comes_back(segments):
    correction = Correction(segments, AT)
    assert correction_from_fields(json.loads(json.dumps(correction_fields(correction)))) == correction


@pytest.mark.parametrize(
    "damage",
    [
        {"corrected_at": None},
        {"corrected_at": "0001-01-01T00:00:00+14:00"},
        {"intervals": []},
        {"intervals": [1]},
        {"intervals": [{"effort": "hard", "start_s": 1.0, "end_s": 2.0}]},
        {"intervals": [{"effort": "hard", "start_s": 0.0, "end_s": 0.0}]},
        {"intervals": [{"effort": "hard", "start_s": 0.0, "end_s": float("nan")}]},
        {"intervals": [{"effort": "hard", "start_s": 0, "end_s": 10**400}]},
        {"intervals": [{"effort": "sprint", "start_s": 0.0, "end_s": 9.0}]},
        {"intervals": [{"effort": "easy", "start_s": n * 10.0, "end_s": n * 10.0 + 9.0} for n in range(2)]},
    ],
)
def test_what_tiles_nothing_is_no_correction(damage):
    assert correction_from_fields(correction_fields(Correction(MADE, AT)) | damage) is None


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["intervals", "corrected_at"]), inner),
)


@given(documents)
def test_any_document_is_read_without_harm(document):
    assert correction_from_fields(document) is None
    assert segments_from_fields(document) == ()


def test_a_correction_is_said_with_its_day_and_nothing_else_is():
    assert said({"intervals_from": "corrected", "corrected_at": "2026-11-23T12:00:00Z"}) == (
        "corrected by you on Mon 23 Nov 2026"
    )
    assert said({"intervals_from": "corrected", "corrected_at": "<b>"}) == "corrected by you"
    assert said({"intervals_from": "detected"}) == said({}) == ""
