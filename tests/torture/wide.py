"""Many rowers at once in one process on one core, each with its journal: what is lost, and how late it is on disk.

    python -m tests.torture.wide                          200 rowers at 4 Hz for 60 s
    python -m tests.torture.wide --rowers 50 --seconds 10

Each notification goes the whole way of a row that is followed live: journal, decoder, samples, strokes, intervals and
energy.  Times count from when it was due, so that a process that falls behind can't hide it.  Nothing of it is a stub:
the notifications are the virtual rower's, the journals are synced to the disk below --folder.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from rowsync.athlete import Athlete
from rowsync.journal import Journal
from rowsync.plan import parse_plan
from rowsync.recording import read_recording
from rowsync.session import Header, Tracker
from rowsync.telemetry import Notification
from rowsync.virtual.machine import STANDARD, Console
from rowsync.virtual.rower import VirtualRower

HERTZ = 4
LOOK_EVERY_S = 0.005
"""How often it is looked at what is on disk: so much a time may be too long [s]."""


def payloads(seconds: int, seed: int) -> list[bytes]:
    """What a virtual rower's machine sends in a time, at 4 Hz."""
    (frame,) = STANDARD.frames
    console = Console(replace(STANDARD, frames=(replace(frame, period_s=1 / HERTZ),)))
    rower = VirtualRower(parse_plan("10x45/75"), seed=seed)
    found: list[bytes] = []
    step = 0
    while len(found) < seconds * HERTZ:
        found += console.feed(rower.advance(step / HERTZ))
        step += 1
    return found[: seconds * HERTZ]


@dataclass(slots=True)
class Lane:
    """A rower, its journal and what is known of it live."""

    journal: Journal
    tracker: Tracker
    sent: list[bytes]
    offset_s: float
    seen: int = 0
    due_s: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        sent: how many notifications.
        lost: how many aren't in the journals, or not as they were sent.
        late_s: how long after it was due each was on disk, sorted [s].
        cpu_s: what the process took of its core [s].
        megabytes: the most memory that was resident [MiB].
    """

    sent: int
    lost: int
    late_s: list[float]
    cpu_s: float
    megabytes: float

    def percentile_s(self, share: float) -> float:
        """So long or shorter took that share of them [s]."""
        return self.late_s[min(int(share * len(self.late_s)), len(self.late_s) - 1)]


async def _row(lanes: list[Lane], seconds: int, late_s: list[float]) -> None:
    loop = asyncio.get_running_loop()
    begin_s = loop.time() + 0.5
    dues = sorted(
        (begin_s + lane.offset_s + step / HERTZ, number, step)
        for number, lane in enumerate(lanes)
        for step in range(seconds * HERTZ)
    )
    looking = asyncio.create_task(_look(lanes, late_s, len(dues)))
    for due_s, number, step in dues:
        if (wait_s := due_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        lane = lanes[number]
        item = Notification(round(due_s - begin_s, 3), "2ad1", lane.sent[step])
        lane.due_s.append(due_s)
        lane.journal.append(item)
        lane.tracker.feed(item)
    await looking


async def _look(lanes: list[Lane], late_s: list[float], all_of_them: int) -> None:
    """Note when what was on disk."""
    loop = asyncio.get_running_loop()
    give_up_s = None
    while len(late_s) < all_of_them and (give_up_s is None or loop.time() < give_up_s):
        await asyncio.sleep(LOOK_EVERY_S)
        now_s = loop.time()
        for lane in lanes:
            durable = lane.journal.durable
            if durable > lane.seen:
                late_s += [now_s - due_s for due_s in lane.due_s[lane.seen : durable]]
                lane.seen = durable
        if sum(len(lane.due_s) for lane in lanes) == all_of_them and give_up_s is None:
            give_up_s = loop.time() + 30.0


def rowed(folder: Path, rowers: int, seconds: int) -> Outcome:
    """Row, on one core, and see what is on disk."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    athlete, plan = Athlete("synthetic", mass_kg=75.0), "10x45/75"
    kinds = [payloads(seconds, seed) for seed in range(8)]
    lanes = []
    for number in range(rowers):
        name = f"lane-{number:03d}"
        header = Header(name, datetime.now(UTC), "synthetic", "torture", {"name": name}, athlete, plan)
        journal = Journal(folder / f"{name}.jsonl", header)
        lanes.append(Lane(journal, Tracker(header), kinds[number % 8], number / rowers / HERTZ))
    late_s: list[float] = []
    cpu_s = time.process_time()
    asyncio.run(_row(lanes, seconds, late_s))
    cpu_s = time.process_time() - cpu_s
    for lane in lanes:
        lane.journal.close()
    lost = 0
    for lane in lanes:
        held = [each.payload for each in read_recording(lane.journal.path).notifications]
        lost += sum(ours != theirs for ours, theirs in zip(held, lane.sent, strict=False)) + len(lane.sent) - len(held)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Outcome(rowers * seconds * HERTZ, lost, sorted(late_s), cpu_s, most)


def main() -> int:
    """Row, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rowers", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--folder", type=Path, help="where the journals lie [default: a temporary one]")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        found = rowed(Path(folder), asked.rowers, asked.seconds)
    late = ", ".join(f"p{share} {1000 * found.percentile_s(share / 100):.0f} ms" for share in (50, 99, 100))
    print(
        f"{asked.rowers} rowers at {HERTZ} Hz for {asked.seconds} s: {found.sent:,} notifications, {found.lost} lost; "
        f"on disk after {late}; {1e6 * found.cpu_s / found.sent:.0f} µs of one core each, {found.megabytes:.0f} MiB"
    )
    return int(found.lost > 0 or found.percentile_s(0.99) >= 0.1)


if __name__ == "__main__":
    sys.exit(main())
