"""Whatever call the process dies at, or the disk refuses: what was told to be saved is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.torture.calls import Fault, missing, plan, watched
from tests.torture.commands import run
from tests.torture.weak import BY_KILL

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def ran():
    return run("kill", "--cases", "40")


def test_nothing_saved_is_lost_at_any_of_the_calls_drawn(ran):
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 violations" in ran.stdout


def test_each_planted_mistake_is_caught(ran):
    assert f"planted mistakes caught {len(BY_KILL)} of {len(BY_KILL)}" in ran.stdout, ran.stdout + ran.stderr


def write_twice(path: Path):
    def work(tell):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        tell({"written": [os.write(opened, b"eight888"), os.write(opened, b"again888")]})

    return work


@pytest.mark.parametrize(
    ("fault", "left", "told"),
    [
        (None, b"eight888again888", [{"written": [8, 8]}]),
        (Fault("kill", 2), b"eight888", []),
        (Fault("torn", 2), b"eight888agai", []),
        (Fault("short", 1), b"eighagain888", [{"written": [4, 8]}]),
    ],
)
def test_a_fault_comes_at_the_call_it_is_meant_for_and_the_kernel_does_what_is_said(tmp_path, fault, left, told):
    done = watched(write_twice(tmp_path / "file"), tmp_path, fault)
    assert ((tmp_path / "file").read_bytes(), done.told) == (left, told)


def test_a_refused_call_is_not_made_and_our_code_is_told_why(tmp_path):
    done = watched(write_twice(tmp_path / "file"), tmp_path, Fault("ENOSPC", 1))
    assert (tmp_path / "file").read_bytes() == b""
    assert "No space left on device" in done.told[0]["traceback"]


def test_calls_elsewhere_are_let_through_and_not_counted(tmp_path):
    (tmp_path / "inside").mkdir()
    done = watched(write_twice(tmp_path / "file"), tmp_path / "inside", Fault("kill", 0))
    assert ((tmp_path / "file").read_bytes(), [call.name for call in done.calls]) == (b"eight888again888", ["told"])
    assert plan(done.calls, ["kill", "EIO"]) == []
