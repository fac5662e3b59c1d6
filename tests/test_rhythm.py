"""Pieces that repeat evenly, found below the noise of any one of them."""

from itertools import product

import pytest

from rowsync.intervals.rhythm import LENGTHS_S, RECOVERY_SHARE, Comb, clearest, find_rhythm
from rowsync.intervals.row import Row
from tests.synthetic import hard, rowed, segmented

ROUND = [(45, 1.15 * 110.0), (75, 110.0)]
WEAK = [(300, 110.0), *ROUND * 10, (180, 110.0)]


def rhythm_of(pieces, athlete="trained", seed=0):
    return find_rhythm(Row.of(rowed(pieces, athlete, seed)[0]))


def test_ten_pieces_fifteen_percent_harder_are_found_blind_in_a_trained_athletes_row():
    found = [hard(segmented(*rowed(WEAK, "trained", seed))) for seed in range(20)]
    assert sum(len(one) == 10 for one in found) >= 19
    assert sum(abs(one[0][0] - 300) < 8 for one in found if one) >= 18


def test_a_rhythm_says_when_it_begins_and_how_long_its_lengths_are():
    rhythm = rhythm_of(WEAK)
    assert rhythm.rounds == len(rhythm.pieces_s) == 10
    assert rhythm.first_s == pytest.approx(300, abs=5)
    assert rhythm.work_s + rhythm.easy_s == pytest.approx(120, abs=1)
    assert rhythm.work_s == pytest.approx(45, abs=5)
    assert rhythm.clearness > 0


@pytest.mark.parametrize("athlete", ["trained", "beginner"])
def test_a_steady_row_has_no_rhythm(athlete):
    assert [rhythm_of([(1800, 110.0)], athlete, seed) for seed in range(20)] == [None] * 20


def test_a_rest_longer_than_any_recovery_ends_a_rhythm():
    assert rhythm_of(ROUND * 10).rounds == 10
    assert rhythm_of([*ROUND * 5, (195, 0), *ROUND * 5]) is None  # five are too few to be meant


def test_of_two_rhythms_around_a_long_rest_one_is_told():
    assert rhythm_of([*ROUND * 7, (195, 0), *ROUND * 9]).rounds in (7, 9)


def test_pieces_at_odd_distances_are_no_rhythm():
    odd = [(45, 126.5), (75, 110.0), (90, 126.5), (31, 110.0), (22, 126.5), (140, 110.0), (63, 126.5), (41, 110.0)]
    assert rhythm_of(odd * 2) is None


@pytest.mark.parametrize("pieces", [WEAK, [*ROUND * 8, (600, 110.0)], [(60, 200.0), (60, 90.0)] * 7, [(900, 110.0)]])
def test_no_comb_that_isnt_tried_would_be_clearer(pieces):
    comb = Comb(Row.of(rowed(pieces, "beginner", 3)[0]))
    lengths_s = [
        (work_s, easy_s)
        for work_s, easy_s in product(LENGTHS_S, LENGTHS_S)
        if RECOVERY_SHARE[0] <= easy_s / (work_s + easy_s) <= RECOVERY_SHARE[1]
    ]
    best = max(filter(None, (comb.best_run(*each) for each in lengths_s)), default=None)
    assert clearest(comb) == (comb.refined(best.first_s, best.work_s, best.easy_s, best.rounds) if best else None)
