"""Work on several cores: in order, and nobody outlives who asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rowsync.errors import StoreError
from rowsync.workers import WORTH_A_WORKER, cores, in_order
from tests.conftest import ROOT


def test_answers_come_in_the_order_asked_from_other_processes():
    asked = [str(number) for number in range(4 * WORTH_A_WORKER)]
    assert list(in_order(int, asked, 2)) == list(range(len(asked)))
    assert os.getpid() not in set(in_order(_process, asked, 2))


def test_one_job_and_few_items_are_done_here():
    assert set(in_order(_process, range(100), 1)) == {os.getpid()}
    assert set(in_order(_process, range(WORTH_A_WORKER), 8)) == {os.getpid()}
    assert list(in_order(_process, [], 8)) == []
    assert cores() >= 1


def test_a_worker_that_is_killed_is_an_error_with_the_next_step():
    with pytest.raises(StoreError, match="--jobs 1"):
        list(in_order(_die, range(20), 2))


ASK = """
import sys
from pathlib import Path
from rowsync.workers import in_order
from tests.test_workers import _tell_and_wait

if __name__ == "__main__":
    list(in_order(_tell_and_wait, [sys.argv[1]] * 20, 2))
"""


def test_workers_are_gone_when_who_asked_is_killed(tmp_path):
    script = tmp_path / "ask.py"
    script.write_text(ASK)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script, tmp_path], env=environment) as asking:
        assert _within(60, lambda: len(list(tmp_path.glob("*.worker"))) == 2)
        asking.send_signal(signal.SIGKILL)
    workers = [int(path.stem) for path in tmp_path.glob("*.worker")]
    assert _within(30, lambda: not any(map(_lives, workers)))


def _process(_item):
    return os.getpid()


def _die(_item):
    os.kill(os.getpid(), signal.SIGKILL)


def _tell_and_wait(folder):
    (Path(folder) / f"{os.getpid()}.worker").touch()
    time.sleep(600)


def _lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")  # who is dead and not yet mourned has the state Z
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not status.parent.parent.is_dir()


def _within(seconds, is_true):
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if is_true():
            return True
        time.sleep(0.02)
    return is_true()
