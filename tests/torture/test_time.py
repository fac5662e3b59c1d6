"""Clocks that are set, and computers that sleep: durations come from a clock that neither disturbs; and counters that
wrap and begin again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from rowsync.session import analyse
from tests.test_rowing import Listening, rowed
from tests.torture import counters

CLOCK = """
import asyncio, time
from rowsync.awake import AwakeLoop

async def main():
    print(asyncio.get_running_loop().time() - time.monotonic())

with asyncio.Runner(loop_factory=AwakeLoop) as runner:
    runner.run(main())
"""


def test_the_loops_clock_counts_what_the_computer_slept():
    """A time namespace whose computer has slept for 600 s: its monotonic clock doesn't know, its boot clock does."""
    asleep = ["unshare", "--user", "--map-root-user", "--time", "--boottime", "600", "--fork"]
    if os.geteuid() == 0:
        asleep = ["unshare", "--time", "--boottime", "600", "--fork"]
    done = subprocess.run([*asleep, sys.executable, "-c", CLOCK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(600, abs=60)  # and what it really slept, which isn't much


def test_ten_minutes_of_sleep_are_a_gap_and_cost_nothing(tmp_path):
    async def close_the_lid(virtual):
        await asyncio.sleep(40)
        asyncio.get_running_loop()._jump(600.0)

    recording, _ = rowed(tmp_path, "90", Listening(), meanwhile=close_the_lid)
    session = analyse(recording.header, recording.items)
    assert all(before.time_s <= after.time_s for before, after in pairwise(recording.items))
    (gap,) = session.gaps
    assert 595 < gap.end_s - gap.start_s < 640
    assert session.duration_s > 640
    awake_s = session.duration_s - (gap.end_s - gap.start_s)
    assert session.energy.gross_kcal < 25 / 60 * awake_s, "nobody saw the rest"


class _Wall:
    """A wall clock that somebody sets after a while."""

    def __init__(self, step: timedelta) -> None:
        self.step, self.asked = step, 0

    def __call__(self, zone=None) -> datetime:
        self.asked += 1
        return datetime(2026, 10, 25, 0, 59, 30, tzinfo=UTC) + (self.step if self.asked > 1 else timedelta())


@pytest.mark.parametrize(
    "step",
    [timedelta(hours=-1), timedelta(days=1), timedelta(seconds=-1), timedelta(seconds=1), timedelta(days=-9000)],
    ids=["an hour back", "a day forward", "a leap second", "a second forward", "to 2002"],
)
def test_a_wall_clock_that_is_set_changes_nothing_of_a_row(tmp_path, monkeypatch, step):
    class Wall(datetime):
        now = _Wall(step)

    monkeypatch.setattr("rowsync.rowing.datetime", Wall)
    set_meanwhile, _ = rowed(tmp_path / "set", "40", Listening())
    monkeypatch.undo()
    undisturbed, _ = rowed(tmp_path / "undisturbed", "40", Listening())
    assert set_meanwhile.items == undisturbed.items
    assert set_meanwhile.header.started_at.year == 2026


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"])
def test_summer_time_that_ends_in_the_midst_of_a_row_changes_nothing_of_it(tmp_path, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        elsewhere, _ = rowed(tmp_path / "elsewhere", "40", Listening())
    finally:
        monkeypatch.undo()
        time.tzset()
    here, _ = rowed(tmp_path / "here", "40", Listening())
    assert elsewhere.items == here.items
    assert elsewhere.header.started_at.utcoffset() == timedelta()


# --- counters ---------------------------------------------------------------------------------------------------------


def test_totals_are_exact_whatever_a_machine_does_to_its_counters():
    assert counters.violations(range(1500)) == []


@pytest.mark.parametrize("weak", counters.WEAK)
def test_a_weak_way_of_counting_is_caught(weak):
    assert counters.violations(range(100), weak)


def test_a_clock_that_wraps_while_the_metres_are_few_has_not_begun_again():
    """Row 12 as the suite first was: four metres counted twice where clock and metres wrapped soon after each other."""
    records = [(18640, 9, 4, 65535), (18641, 13, 4, 1), (18641, 17, 4, 2)]
    sent = [counters.Packet(2.0 * number, *counters.payloads(*record)) for number, record in enumerate(records)]
    assert counters.counted(sent) == counters.Totals(strokes=1, metres=17, kcal=4)


def test_strokes_that_come_before_the_clock_that_says_the_machine_began_again_count_once():
    """Row 75 as the suite first was: the first stroke after the button counted twice."""
    records = [(65507, 699519, 34689, 41053), (1, 10, 1, 2), (2, 12, 1, 4)]
    sent = [
        counters.Packet(2.0 * number, half)
        for number, record in enumerate(records)
        for half in reversed(counters.halves(*record))
    ]
    assert counters.counted(sent) == counters.Totals(strokes=2, metres=12, kcal=1)
