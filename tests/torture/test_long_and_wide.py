"""Many hours in one process, and many rowers in one: the short version of `long` and `wide`."""

from __future__ import annotations

import os
import subprocess
import sys

from rowsync.store import Store
from tests.conftest import ROOT
from tests.torture import long


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


def test_forty_rowers_in_one_process_on_one_core_lose_nothing(tmp_path):
    """How late they are on disk is the long run's to say, on a machine that does nothing else."""
    command = [sys.executable, "-m", "tests.torture.wide", "--rowers", "40", "--seconds", "3", "--folder", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert "480 notifications, 0 lost" in done.stdout, done.stderr
