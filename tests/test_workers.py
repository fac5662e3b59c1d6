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
from rowsync.workers import HERE, WORTH_A_WORKER, Processes, ahead, cores
from tests.conftest import ROOT


def test_answers_come_in_the_order_asked_from_other_processes():
    asked = [str(number) for number in range(4 * WORTH_A_WORKER)]
    assert list(Processes(2).in_order(int, asked)) == list(range(len(asked)))
    assert os.getpid() not in set(Processes(2).in_order(_process, asked))


def test_one_job_and_few_items_are_done_here():
    assert set(Processes(1).in_order(_process, range(100))) == {os.getpid()}
    assert set(Processes(8).in_order(_process, range(WORTH_A_WORKER))) == {os.getpid()}
    assert list(Processes(8).in_order(_process, [])) == []
    assert set(HERE.in_order(_process, range(100))) == {os.getpid()}
    assert cores() >= 1


def test_no_more_is_asked_ahead_than_was_said_and_answers_come_in_order():
    asked, most = [], 3

    def ask(item):
        asked.append(item)
        return _Answer(item)

    for taken, answer in enumerate(ahead(ask, range(20), most)):
        assert answer == taken
        assert len(asked) <= taken + most
    assert len(asked) == 20


def test_a_worker_that_is_killed_is_an_error_with_the_next_step():
    with pytest.raises(StoreError, match="--jobs 1"):
        list(Processes(2).in_order(_die, range(20)))


ASK = """
import sys
from pathlib import Path
from rowsync.workers import Processes
from tests.test_workers import _tell_and_wait

if __name__ == "__main__":
    list(Processes(2).in_order(_tell_and_wait, [sys.argv[1]] * 20))
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


class _Answer:
    def __init__(self, item):
        self.item = item

    def result(self):
        return self.item


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
