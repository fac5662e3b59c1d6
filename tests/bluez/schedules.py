"""Random sequences of faults, and what a row lived through: who noticed what when, and whether the sums are right.

    python -m tests.bluez.schedules --schedules 1000 --seed 1 --jobs 2

Each schedule is a row of some minutes over bleak's own BlueZ backend, in virtual time: the patience under test is the
one that people meet.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from types import FrameType
from typing import NamedTuple

from rowsync import connection, discovery, ftms
from rowsync.ble import Radio
from rowsync.errors import RowsyncError
from rowsync.plan import parse_plan
from rowsync.session import Header, analyse
from rowsync.telemetry import CONNECTED, LOST, Note, Notification
from tests.bluez import bus
from tests.bluez.clock import BusTimeLoop
from tests.bluez.faults import FAULTS, Happens, schedule
from tests.bluez.world import World, number_of, world

LONGER_THAN_ANY = parse_plan("3600")
RECOVERY_LIMIT_S = 120.0
"""After so long it isn't a recovery [s]."""

EVEN_ROWING_S = 5.0
"""How long all must go well after the last fault [s]."""

FLOWING_S = 1.0
"""Data is coming if some has come within this time [s]."""

HUNG_S = 60
"""Wall time after which a schedule hangs; one takes less than a second [s]."""

DOUBLED = "notifications doubled"
"""The fault by which another program's subscription doubles ours."""

NOTICES = ("silent", LOST)
"""The notes by which a person is told that something is wrong."""


class Arrival(NamedTuple):
    """What came out of the stream, at which time of the loop [s]."""

    time_s: float
    item: Notification | Note


@dataclass
class Outage:
    """One fault as it was lived through; times of the loop [s].

    Attributes:
        fault: its name.
        begun_s: when it came.
        possible_s: from when on data could be had.
        noticed_s: when a note said that something is wrong; None when none did before data came again, or none came
            anyway.
        recovered_s: when the first data since then came; None when another fault came first.
    """

    fault: str
    begun_s: float
    possible_s: float
    noticed_s: float | None = None
    recovered_s: float | None = None


@dataclass
class Story:
    """What became of one schedule.

    Attributes:
        seed: which schedule.
        schedule: its faults.
        outages: those of them that interrupt.
        strokes: how many were rowed.
        unheard_during: strokes that no notification told of within its period, from a fault to the recovery.
        unheard_else: the same at any other time.
        duplicates: notifications that came more than once.
        disordered: notifications that came after a later one.
        total: strokes, by rowsync's count.
        true_total: strokes that the machine had counted when it was last heard, in each of its lives.
        error: what broke the row; None when nothing did.
    """

    seed: int
    schedule: list[Happens]
    outages: list[Outage] = field(default_factory=list)
    strokes: int = 0
    unheard_during: int = 0
    unheard_else: int = 0
    duplicates: int = 0
    disordered: int = 0
    total: int = 0
    true_total: int = 0
    error: str | None = None

    @property
    def survived(self) -> bool:
        """Whether the row went on to its end, with nothing doubled, lost or summed wrongly but by the faults.

        What BlueZ doubles is recorded as often as it comes: the bytes are the truth, and the sums don't mind.
        """
        doubled_by_us = self.duplicates and DOUBLED not in {each.fault for each in self.schedule}
        return (
            self.error is None
            and not doubled_by_us
            and (self.disordered, self.unheard_else) == (0, 0)
            and self.total == self.true_total
        )


# --- living through it ------------------------------------------------------------------------------------------------


def lived_through(seed: int, happenings: list[Happens] | None = None) -> Story:
    """Row through one schedule; the seed's, unless it is given."""
    story = Story(seed, schedule(seed) if happenings is None else happenings)
    try:
        with _alarm(HUNG_S), asyncio.Runner(loop_factory=BusTimeLoop) as runner:
            runner.run(_live(story))
    except Exception as error:
        story.error = repr(error)
    return story


async def _live(story: Story) -> None:
    arrivals: list[Arrival] = []
    loop, data_came = asyncio.get_running_loop(), asyncio.Event()

    async def listen() -> None:
        async for item in stream:
            arrivals.append(Arrival(loop.time(), item))
            if isinstance(item, Notification):
                data_came.set()

    async with world(LONGER_THAN_ANY, seed=story.seed) as there:
        found = await discovery.find(Radio(), there.machine.address)
        async with connection.connected(Radio(), found) as stream:
            listening = asyncio.ensure_future(listen())
            try:
                await _happen(story, there)
                data_came.clear()
                async with asyncio.timeout(RECOVERY_LIMIT_S):
                    await data_came.wait()
                await asyncio.sleep(EVEN_ROWING_S)
            except (RowsyncError, TimeoutError) as error:
                story.error = repr(error)
            stream.stop()
            heard_until_s = loop.time()
            await listening
    _tell(story, there, arrivals, heard_until_s)


async def _happen(story: Story, there: World) -> None:
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    for each in story.schedule:
        await asyncio.sleep(max(0.0, start_s + each.time_s - loop.time()))
        fault, begun_s = FAULTS[each.fault], loop.time()
        await fault.begin(there)
        await asyncio.sleep(each.length_s)
        await fault.end(there)
        if fault.interrupts:
            story.outages.append(Outage(each.fault, begun_s, begun_s if fault.connectable else loop.time()))


# --- the sums ---------------------------------------------------------------------------------------------------------


def _tell(story: Story, there: World, arrivals: list[Arrival], heard_until_s: float) -> None:
    data = [
        (at_s, number_of(item.payload), item)
        for at_s, item in arrivals
        if isinstance(item, Notification) and item.characteristic == ftms.ROWER_DATA
    ]
    numbers = [number for _, number, _ in data]
    story.duplicates = len(numbers) - len(set(numbers))
    story.disordered = sum(later < earlier for earlier, later in pairwise(numbers))
    _tell_times(story, there, arrivals)
    _tell_strokes(story, there, set(numbers), heard_until_s)
    told = there.console.told
    story.true_total = sum({told[number].life: told[number].stroke_count for number in numbers}.values())
    story.total = analyse(Header("row", datetime.now(UTC)), (item for _, item in arrivals)).stroke_count


def _tell_times(story: Story, there: World, arrivals: list[Arrival]) -> None:
    notices_s = [at_s for at_s, item in arrivals if isinstance(item, Note) and item.event in NOTICES]
    data = [(at_s, there.console.told[number].time_s) for at_s, number in _kept(arrivals)]
    begun_s = [each.begun_s for each in story.outages]
    for outage, end_s in zip(story.outages, [*begun_s[1:], float("inf")], strict=False):
        came_s = (at_s for at_s, told_s in data if min(at_s, told_s) > outage.possible_s)
        outage.recovered_s = next((at_s for at_s in came_s if at_s < end_s), None)
        until_s = min(end_s, outage.recovered_s or float("inf"))
        if any(outage.begun_s - FLOWING_S < at_s <= outage.begun_s for at_s, _ in data):
            outage.noticed_s = next((at_s for at_s in notices_s if outage.begun_s <= at_s < until_s), None)


def _kept(arrivals: list[Arrival]) -> Iterator[tuple[float, int]]:
    """When which notification came; without those over a link that is being let go, which recover nothing."""
    connected = True
    for at_s, item in arrivals:
        if isinstance(item, Note):
            connected = item.event == CONNECTED or (connected and item.event != LOST)
        elif connected and item.characteristic == ftms.ROWER_DATA:
            yield at_s, number_of(item.payload)


def _tell_strokes(story: Story, there: World, heard: set[int], heard_until_s: float) -> None:
    assert there.machine.started_s is not None
    told_s = [each.time_s for each in there.console.told if each.time_s < heard_until_s]
    for stroke in there.rower.truth.strokes:
        ended_s = there.machine.started_s + stroke.end_s
        number = bisect_left(told_s, ended_s - 1e-6)
        if number == len(told_s):
            break
        story.strokes += 1
        if number not in heard:
            during = any(begun_s - 0.5 <= ended_s <= over_s for begun_s, over_s in _windows(story.outages))
            story.unheard_during += during
            story.unheard_else += not during


def _windows(outages: Sequence[Outage]) -> Iterator[tuple[float, float]]:
    """From when to when data may be missing: a fault that is overtaken by the next one ends with that [s]."""
    for number, outage in enumerate(outages):
        recovered_s = (each.recovered_s for each in outages[number:])
        yield outage.begun_s, next((each for each in recovered_s if each is not None), float("inf"))


# --- many -------------------------------------------------------------------------------------------------------------


@contextmanager
def _alarm(after_s: int) -> Iterator[None]:
    """Raise TimeoutError after some wall time [s]: a loop on virtual time can't time itself out."""

    def ring(_: int, __: FrameType | None) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(after_s)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _spread(seconds: Iterable[float]) -> str:
    values = sorted(seconds)
    return f"{statistics.median(values):6.2f} s, at worst {values[-1]:6.2f} s ({len(values)})" if values else "never"


def report(stories: Sequence[Story]) -> list[str]:
    """What became of all schedules, line by line."""
    outages = [each for story in stories for each in story.outages]
    noticed = [(each, each.noticed_s - each.begun_s) for each in outages if each.noticed_s is not None]
    recovered = [(each, each.recovered_s - each.possible_s) for each in outages if each.recovered_s is not None]
    lines = [
        f"survived {sum(story.survived for story in stories)}/{len(stories)}, {len(outages)} interruptions",
        f"noticed after           {_spread(time_s for _, time_s in noticed)}",
        f"recovered once possible {_spread(time_s for _, time_s in recovered)}",
        f"strokes {sum(story.strokes for story in stories)}: not told of at once "
        f"{sum(story.unheard_during for story in stories)} during interruptions, "
        f"{sum(story.unheard_else for story in stories)} before and after",
        f"notifications doubled {sum(story.duplicates for story in stories)}, "
        f"out of order {sum(story.disordered for story in stories)}",
        f"totals right {sum(story.total == story.true_total for story in stories)}/{len(stories)}",
    ]
    for fault in (name for name, each in FAULTS.items() if each.interrupts):
        notice = _spread(time_s for each, time_s in noticed if each.fault == fault)
        recovery = _spread(time_s for each, time_s in recovered if each.fault == fault)
        lines.append(f"  {fault:24} noticed {notice:34} recovered {recovery}")
    return lines


def describe(story: Story) -> str:
    """A schedule that wasn't survived, in one line."""
    sums = f"total {story.total} of {story.true_total}, doubled {story.duplicates}, unheard {story.unheard_else}"
    faults = ", ".join(f"{each.time_s:.1f} {each.fault} {each.length_s:.1f}" for each in story.schedule)
    return f"seed {story.seed}: {story.error or sums}: {faults}"


def main() -> int:
    """Live through many schedules, and say what became of them."""
    parser = argparse.ArgumentParser(description="Live through random sequences of Bluetooth faults.")
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    wishes = parser.parse_args()
    if reason := bus.missing():
        print(reason)
        return 2
    logging.disable(logging.CRITICAL)
    began_s, seeds = time.perf_counter(), range(wishes.seed, wishes.seed + wishes.schedules)
    with ProcessPoolExecutor(wishes.jobs) as pool:
        stories = list(pool.map(lived_through, seeds, chunksize=10))
    wall_s = time.perf_counter() - began_s
    print("\n".join(report(stories)))
    print("\n".join(describe(story) for story in stories if not story.survived))
    print(f"{len(stories)} schedules in {wall_s:.0f} s: {60 * len(stories) / wall_s:.0f} a minute")
    return 0 if all(story.survived for story in stories) else 1


if __name__ == "__main__":
    sys.exit(main())
