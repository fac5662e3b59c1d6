"""A disk that is full, read-only or failing costs nothing: it is told, waited for, and never called saved on."""

from __future__ import annotations

import pytest

from tests.torture.diskfull import LONGER, PATIENCE_S, RECORDING, drawn, of_commands, of_recording, whole_row
from tests.torture.refusing import missing
from tests.torture.tally import scratch


@pytest.fixture(scope="module")
def full():
    """A full disk can be made here; where it can't, that is said aloud, and in the gate it is a failure."""
    with scratch("disk") as folder:
        why = missing("full", folder)
    if why is not None:
        pytest.skip(why)
    return "full"


@pytest.fixture(scope="module")
def read_only():
    """An ext4 that its kernel makes read-only; where there is none, a folder of which the system says so."""
    with scratch("disk") as folder:
        return "says it is read-only" if missing("read-only", folder) else "read-only"


@pytest.mark.parametrize("number", [0, 3])
def test_what_is_recorded_on_a_full_disk_waits_for_room_or_for_the_next_command(full, number):
    found = of_recording(drawn(number, seed=1, kinds=(full,)))
    assert found.wrong == []
    assert found.told_s < PATIENCE_S


def test_what_is_recorded_on_a_failing_disk_is_written_when_it_is_better():
    assert of_recording(drawn(1, seed=1, kinds=("says it fails",))).wrong == []


def test_a_row_goes_on_in_memory_while_the_disk_is_full_and_all_of_it_is_saved(full):
    with scratch("disk") as folder:
        found = whole_row(full, folder, accepts_at=170)
    assert found.wrong == []
    assert found.told_s < PATIENCE_S


def test_a_row_that_ends_on_a_read_only_disk_is_stored_whole_once_it_can_be_written(read_only):
    with scratch("disk") as folder:
        found = whole_row(read_only, folder, accepts_at=None)
    assert found.wrong == []
    assert found.told_s < PATIENCE_S


def test_a_command_on_a_full_disk_leaves_what_was_there_and_succeeds_once_there_is_room(full):
    names = ("correct", "rebuild", LONGER, "sessions", "report", "export session", "export calories", "programme")
    assert list(of_commands(1, names=names)) == [[]] * len(names)


@pytest.mark.parametrize("weak", RECORDING)
def test_the_suite_finds_a_mistake_of_the_journal(full, weak):
    found = of_recording(drawn(0, 1, weak, (full,)))
    assert found.wrong
    assert f"--weak {weak}" in found.wrong[0]


def test_the_suite_finds_files_that_are_written_over(full):
    assert list(of_commands(1, "in-place", (LONGER,))) != [[]]
