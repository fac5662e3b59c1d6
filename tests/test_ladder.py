"""Is the recursion what it says: the cheapest of all stories?"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowsync.intervals import ladder as costs
from rowsync.intervals.ladder import Ladder, LadderModel, cheapest_paths
from rowsync.intervals.row import STOPPED_LEVEL

USUAL, SENSITIVE, CHEAP = Ladder(3.5, 0.30, 0.60), Ladder(2.5, 0.40, 0.70), Ladder(0.5, 0.60, 0.90)
LADDERS = (USUAL, SENSITIVE, CHEAP)
NOISE = 0.05
SPANS = st.tuples(st.floats(-2.2, 0.6), st.floats(0.2, 60))

RUNGS = np.arange(costs.LOWEST_LEVEL, costs.HIGHEST_LEVEL, costs.RUNG)


def misfits(ladder, level, duration_s):
    """What a span costs in each state, easy and then hard [nats]."""
    if level < STOPPED_LEVEL:
        easy = np.where(RUNGS < costs.PADDLING_LEVEL, costs.STOP_COST_PER_S, ladder.dip_cap_per_s)
        return duration_s * np.r_[easy, np.full(len(RUNGS), ladder.dip_cap_per_s)]
    spread = np.maximum(np.interp(RUNGS, costs.ERRATIC_LEVELS, (costs.ERRATIC_NOISE, NOISE)), NOISE)
    squared = costs.CORRELATED_SHARE * (level - RUNGS) ** 2 / (2 * spread**2)
    caps = np.where(level < RUNGS, ladder.dip_cap_per_s, ladder.burst_cap_per_s)
    return duration_s * np.tile(np.minimum(squared, caps), 2)


def moves(ladder, may_drift):
    """What going from each state to each other costs [nats]."""
    number = np.arange(2 * len(RUNGS))
    hard, rung = np.divmod(number, len(RUNGS))
    from_hard, to_hard, step = hard[:, None], hard[None, :], rung[None, :] - rung[:, None]
    price = np.where((from_hard == to_hard) & (step == 0), 0.0, math.inf)
    if may_drift:
        price = np.where((from_hard == to_hard) & (np.abs(step) == 1), ladder.drift_cost, price)
    steep = np.where(to_hard, step, -step) >= costs.LEAST_RUNGS
    return np.where((from_hard != to_hard) & steep, ladder.change_cost, price)


def costs_of_all_paths(ladder, spans):
    """The cost of every path through three spans: an axis a span, an entry a state."""
    drifts, since_s = [], 0.0
    for _, duration_s in spans:
        since_s += duration_s
        drifts.append(since_s >= ladder.drift_every_s)
        since_s = since_s % ladder.drift_every_s if drifts[-1] else since_s
    first, second, third = (misfits(ladder, *span) for span in spans)
    onwards = [moves(ladder, drift) for drift in drifts[1:]]
    return first[:, None, None] + (onwards[0] + second)[:, :, None] + (onwards[1] + third)[None]


@settings(max_examples=40)
@given(st.lists(SPANS, min_size=3, max_size=3))
def test_what_it_calls_hard_is_so_in_a_path_that_none_of_all_undercuts(spans):
    for ladder, hard in zip(LADDERS, cheapest_paths(LADDERS, NOISE, spans), strict=True):
        all_costs = costs_of_all_paths(ladder, spans)
        easy_and_hard = slice(None, len(RUNGS)), slice(len(RUNGS), None)
        chosen = tuple(easy_and_hard[int(each)] for each in hard)
        assert all_costs[chosen].min() == pytest.approx(all_costs.min(), abs=1e-9)


@settings(max_examples=40)
@given(st.lists(SPANS, max_size=60))
def test_ladders_side_by_side_give_exactly_what_each_gives_alone(spans):
    together = cheapest_paths(LADDERS, NOISE, spans)
    alone = [cheapest_paths([ladder], NOISE, spans)[0] for ladder in LADDERS]
    assert np.array_equal(together, alone)


@settings(max_examples=40)
@given(st.lists(st.tuples(SPANS, SPANS), min_size=1, max_size=40))
def test_a_peek_changes_nothing(spans_and_peeks):
    peeked, plain = LadderModel(LADDERS, NOISE), LadderModel(LADDERS, NOISE)
    for span, peek in spans_and_peeks:
        peeked.peek(*peek)
        assert np.array_equal(peeked.advance([span]), plain.advance([span]))
        assert np.array_equal(peeked.best, plain.best)


def test_a_peek_sees_what_the_next_span_would_bring():
    spans = [(-0.7, 60.0), (0.0, 40.0), (-0.7, 60.0)]
    model = LadderModel(LADDERS, NOISE)
    for span in spans:
        seen = model.peek(*span)
        model.advance([span])
        assert np.array_equal(seen, model.best)


@pytest.mark.parametrize(
    ("seconds", "hard"), [(2 * 3.5 / 0.60 - 1.5, False), (2 * 3.5 / 0.60 + 1.5, True)], ids=["shorter", "longer"]
)
def test_a_sprint_needs_to_last_as_long_as_two_changes_are_worth(seconds, hard):
    spans = [*[(-0.7, 2.5)] * 60, *[(0.4, seconds / 4)] * 4, *[(-0.7, 2.5)] * 60]
    assert cheapest_paths([USUAL], NOISE, spans)[0][60:64].any() == hard


def test_an_effort_that_drifts_slowly_is_never_a_change():
    spans = [(level, 2.5) for level in np.linspace(-0.7, 0.0, 300)]
    assert len(set(cheapest_paths([USUAL], NOISE, spans)[0].tolist())) == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(SPANS, min_size=1, max_size=60), st.integers(1, 60))
def test_spans_taken_together_are_what_they_are_one_by_one(spans, most):
    """Live a stroke is taken as it comes, after the fact many at once."""
    together, single = LadderModel(LADDERS, NOISE), LadderModel(LADDERS, NOISE)
    parts = [spans[at : at + most] for at in range(0, len(spans), most)]
    origins = np.concatenate([together.advance(part) for part in parts])
    assert np.array_equal(origins, np.concatenate([single.advance([span]) for span in spans]))
    assert np.array_equal(together.best, single.best)
