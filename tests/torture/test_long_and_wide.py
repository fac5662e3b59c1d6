"""Many hours in one process, and many rowers in one: the short version of `long` and `wide`."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

from rowsync.store import Store
from tests.torture import long, wide


def test_hours_in_one_process_leave_no_file_open_and_little_memory(tmp_path):
    (tmp_path / "data").mkdir()
    held = long.rowed(tmp_path / "data" / "journal", 24, Store(tmp_path / "data"), seconds=90)
    assert {(each.files, each.threads) for each in held[4:]} == {(held[-1].files, held[-1].threads)}
    assert held[-1].kib - held[12].kib < 4096


def test_a_store_that_keeps_files_open_is_caught(tmp_path):
    (tmp_path / "data").mkdir()
    store = long.Leaky(tmp_path / "data")
    held = long.rowed(tmp_path / "data" / "journal", 8, store, seconds=60)
    for _, opened in store.remembered:
        os.close(opened)
    assert held[-1].files > held[4].files


def _outcome(folder: Path) -> wide.Outcome:
    return wide.rowed(folder, rowers=40, seconds=3)


def test_forty_rowers_in_one_process_on_one_core_lose_nothing(tmp_path):
    """How late they are on disk is the long run's to say, on a machine that does nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:  # it binds its process to a core
        outcome = pool.apply(_outcome, (tmp_path,))
    assert (outcome.sent, outcome.lost, len(outcome.late_s)) == (480, 0, 480)
