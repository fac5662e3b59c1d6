"""One flipped bit is noticed or changes nothing, whichever file it is in; and the other sessions open beside it."""

from __future__ import annotations

import pytest

from tests.torture.bitrot import TARGETS, WEAK, Rot, mistaken, run


def test_no_flipped_bit_of_any_file_is_believed(tmp_path):
    tally = run(tmp_path / "data", cases=80, seed=1)
    assert tally.violations == []
    assert tally.cases == 80 * len(TARGETS)


@pytest.mark.parametrize("weak", WEAK)
def test_the_suite_finds_a_mistake(tmp_path, weak):
    tally = run(tmp_path / "data", cases=400, seed=1, weak=weak, quick=True)
    assert len(tally.violations) == 1
    assert f"--weak {weak}" in tally.violations[0]


def test_a_case_is_repeated_by_its_bit(tmp_path):
    weak = "no-line-crc"
    violation = run(tmp_path / "first", cases=400, seed=1, weak=weak, quick=True).violations[0]
    bit = int(violation.split("--bit ")[1].split()[0])
    with mistaken(weak):
        wrong, _ = Rot(tmp_path / "second", weak).judged("journal", bit)
    assert wrong == violation
