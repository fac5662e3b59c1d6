"""What speaks for an interval session, and what against."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rowsync.intervals.blocks import blocks_of
from rowsync.intervals.judge import Features, evidence_of, features_of, roundness, unevenness
from rowsync.intervals.row import Row
from tests.synthetic import repeats, rowed

CLEAR = Features(
    pieces=10,
    unevenness=0.02,
    rest_unevenness=0.02,
    recovery_share=0.6,
    roundness=0.5,
    rest_s=75.0,
    hard_share=0.3,
    separation=4.0,
    stopped_share=0.0,
)


def test_a_story_without_two_pieces_is_never_believed():
    assert evidence_of(None) == -math.inf


def test_ten_equal_and_clear_pieces_are_believed():
    assert evidence_of(CLEAR) > 0


@pytest.mark.parametrize(
    "worse",
    [
        pytest.param({"pieces": 3}, id="fewer pieces"),
        pytest.param({"unevenness": 0.5}, id="pieces of unequal length"),
        pytest.param({"rest_unevenness": 0.8}, id="recoveries of unequal length"),
        pytest.param({"recovery_share": 0.02}, id="hardly any recovery"),
        pytest.param({"roundness": -0.5}, id="lengths nobody programmes"),
        pytest.param({"rest_s": 8.0}, id="recoveries of a blink"),
        pytest.param({"hard_share": 0.03}, id="hardly any hard rowing"),
        pytest.param({"separation": 1.0}, id="hard hardly stands apart from easy"),
        pytest.param({"stopped_share": 0.4}, id="long stops inside pieces"),
    ],
)
def test_each_of_these_makes_a_session_less_likely(worse):
    assert evidence_of(replace(CLEAR, **worse)) < evidence_of(CLEAR) - 0.3


def test_evidence_is_finite_at_the_ends_of_every_scale():
    nothing = Features(2, 99.0, 99.0, 1e-9, -1.0, 0.2, 1e-9, -5.0, 1.0)
    everything = Features(1000, 0.0, 0.0, 1.0, 1.0, 1e9, 1.0, 1e9, 0.0)
    assert -1000 < evidence_of(nothing) < evidence_of(everything) < 1000


@pytest.mark.parametrize(
    ("lengths_s", "expected"),
    [([30.0, 60.0, 90.0, 600.0], 1.0), ([45.0, 75.0, 15.0], -1.0), ([37.5, 52.5], 0.0)],
    ids=["whole half minutes", "in the middle between", "as chance has it"],
)
def test_round_lengths_are_those_of_whole_half_minutes(lengths_s, expected):
    assert roundness(np.array(lengths_s)) == pytest.approx(expected)


def test_a_pyramid_is_as_even_as_its_two_sides():
    assert unevenness(np.array([60.0, 120, 180, 120, 60])) == 0.0
    assert unevenness(np.array([60.0, 120, 180, 300, 600])) > 0.5
    assert unevenness(np.array([60.0, 120, 60])) > 0.3  # three are no pyramid


def test_the_true_story_of_a_session_looks_like_what_was_rowed():
    pieces, truth = repeats(10, 45, 176.0, 75, 110.0)
    row = Row.of(rowed(pieces)[0])
    middle_s = (row.start_s + row.end_s) / 2
    features = features_of(row, blocks_of(np.searchsorted(np.ravel(truth), middle_s, side="right") % 2 == 1))
    assert (features.pieces, features.stopped_share) == (10, 0.0)
    assert (features.rest_s, features.recovery_share) == (pytest.approx(75, abs=3), pytest.approx(675 / 1125, abs=0.03))
    assert max(features.unevenness, features.rest_unevenness) < 0.06
    assert evidence_of(features) > 0


def test_one_hard_block_is_no_story():
    row = Row.of(rowed([(300, 110.0), (60, 176.0), (300, 110.0)])[0])
    assert features_of(row, blocks_of((row.start_s >= 300) & (row.start_s < 360))) is None
