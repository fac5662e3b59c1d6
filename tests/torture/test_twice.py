"""Two of everything at once: what can't be shared is refused in a line, and all else ends well and loses nothing."""

from __future__ import annotations

import pytest

from tests.torture.tally import scratch
from tests.torture.twice import begin, recorders, stormed, two_on_a_folder


@pytest.fixture(scope="module")
def begun():
    """A data folder that an older rowsync filled."""
    with scratch("twice", ignore_cleanup_errors=True) as folder:
        begin(folder)
        yield folder


def test_a_second_recorder_on_a_folder_or_a_rower_is_refused_in_a_line_and_changes_nothing():
    assert recorders() == []


def test_rows_rebuilds_pages_exports_imports_and_corrections_at_once_end_well_and_lose_nothing(begun):
    found = stormed(begun, seed=1)
    assert found.wrong == []
    assert found.pages > 0
    assert len(found.saved_s) == 40


def test_the_suite_finds_a_claim_that_claims_nothing():
    with scratch("twice", ignore_cleanup_errors=True) as folder:
        assert "the second recorder ends with 0" in " ".join(two_on_a_folder(folder, "no-claim"))


def test_the_suite_finds_a_lock_that_does_not_lock(begun):
    assert "of four ticks there are" in " ".join(stormed(begun, 1, "no-lock", ("tick",)).wrong)
