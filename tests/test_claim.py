"""One recorder for a folder, one for a rower; the second is told in a line and touches nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rowsync.claim import claimed_folder, claimed_rower
from rowsync.errors import StoreError, UsageError

HOLD = "import sys; from pathlib import Path; from rowsync.claim import claimed_folder\n"
HOLD += "with claimed_folder(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"


def test_a_second_recorder_on_a_data_folder_is_told_who_has_it(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "held\n"
        before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
        with pytest.raises(UsageError) as refused, claimed_folder(tmp_path):
            pass
        assert str(refused.value) == (
            f"Another rowsync (process {first.pid}) is recording into {tmp_path}. "
            "End that one first, or record elsewhere with --data."
        )
        assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
        first.kill()
    with claimed_folder(tmp_path):
        assert (tmp_path / "recording.lock").read_text() == str(os.getpid())


def test_a_rower_has_one_recorder_and_another_rower_another(tmp_path):
    told = pytest.raises(UsageError, match="is connected to PM5")
    one, another = (claimed_rower(tmp_path, address, "PM5") for address in ("AA:BB", "AA:CC"))
    with one, another, told, claimed_rower(tmp_path, "AA:BB", "PM5"):
        pass
    with claimed_rower(tmp_path, "AA:BB", "PM5"):
        pass


@pytest.mark.parametrize("address", ["../../etc/passwd", "", "a" * 500, "💥/\x00"])
def test_whatever_a_rower_calls_itself_its_lock_lies_in_the_folder(tmp_path, address):
    with claimed_rower(tmp_path, address, "PM5"):
        (lock,) = tmp_path.iterdir()
        assert lock.parent == tmp_path
        assert lock.stat().st_mode & 0o077 == 0


def test_a_folder_that_is_a_file_is_an_error_with_its_name(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file can't be written"), claimed_folder(tmp_path / "file"):
        pass
