"""A thousand hours of rowing through the whole pipeline in one process: does it grow, does it keep files open?

    python -m tests.torture.long                   1,000 hours at 1 Hz, 20 at a time over again
    python -m tests.torture.long --hours 50

An hour is journalled and followed live as it would be rowed, then stored from its journal, read back, and shown as its
JSON: `Journal`, `Tracker`, `Store.finish`, `Store.recording`, `Store.rows`.  The rows are the virtual rower's.  Time is
an argument, so nobody waits.  After each hour the memory that is resident and the open files are counted; the slope is
that of a line through the second half, since libraries fill their caches in the first.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from rowsync.athlete import Athlete
from rowsync.journal import Journal
from rowsync.plan import parse_plan
from rowsync.session import Header, Tracker
from rowsync.store import Store
from rowsync.telemetry import ENDED, Item, Note, Notification
from rowsync.virtual.machine import STANDARD, Console
from rowsync.virtual.rower import VirtualRower

HOUR_S = 3600
KEPT = 20
"""So many sessions lie in the store; older ones go, since the store's growth isn't the process's."""

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def hour(seed: int, seconds: int = HOUR_S) -> list[Notification]:
    """What a machine sends in an hour at 1 Hz; SYNTHETIC."""
    (frame,) = STANDARD.frames
    console = Console(replace(STANDARD, frames=(replace(frame, period_s=1.0),)))
    rower = VirtualRower(parse_plan("5m + 20x45/75 + 15m"), seed=seed)
    return [
        Notification(float(at_s), "2ad1", payload)
        for at_s in range(seconds)
        for payload in console.feed(rower.advance(float(at_s)))
    ]


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the process holds after an hour.

    Attributes:
        kib: resident memory [KiB].
        files: open files.
        threads: its threads.
    """

    kib: int
    files: int
    threads: int


def footprint() -> Footprint:
    """What this process holds now."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return Footprint(int(status["VmRSS"].split()[0]), len(os.listdir("/proc/self/fd")), int(status["Threads"]))


class Leaky(Store):
    """A planted bug: what was stored is remembered for ever, and a file stays open."""

    def __init__(self, *given):
        super().__init__(*given)
        self.remembered: list[tuple[object, int]] = []

    def recording(self, session_id):
        """As ever, and never let go."""
        recording = super().recording(session_id)
        self.remembered.append((recording, os.open(self.folder / "lock", os.O_RDONLY)))
        return recording


def rowed(folder: Path, hours: int, store: Store, say=lambda done: None, seconds: int = HOUR_S) -> list[Footprint]:
    """Row hour after hour; answer what the process held after each.

    Raises:
        AssertionError: a session isn't what was rowed.
    """
    rows = [hour(seed, seconds) for seed in range(4)]
    folder.mkdir(exist_ok=True)
    held = []
    for number in range(hours):
        header = Header(
            f"hour-{number % KEPT:02d}", BEGAN + timedelta(hours=2 * number), "synthetic", "torture",
            {"name": "Virtual Rower"}, Athlete("synthetic", mass_kg=75.0), "5m + 20x45/75 + 15m",
        )  # fmt: skip
        for path in folder.parent.glob(f"data/*/*/*/{header.session_id}.parquet"):
            path.unlink()
        items: list[Item] = [*rows[number % 4], Note(float(seconds), ENDED)]
        journal, tracker = Journal(folder / f"{header.session_id}.jsonl", header), Tracker(header)
        for item in items:
            journal.append(item)
            tracker.feed(item)
        journal.close()
        recovery = store.finish(journal.path)
        assert recovery is not None
        assert recovery.summary is not None
        assert recovery.summary["stroke_count"] == tracker.sample.stroke_count
        assert store.recording(header.session_id).notifications == tuple(rows[number % 4])
        assert len(store.rows()) == min(number + 1, KEPT)
        held.append(footprint())
        say(number + 1)
    return held


def slope_kib_per_hour(held: list[Footprint]) -> float:
    """How memory grows in the second half, by a line of least squares [KiB/h]."""
    kib = np.array([each.kib for each in held[len(held) // 2 :]])
    return float(np.polyfit(np.arange(len(kib)), kib, 1)[0])


def main() -> int:
    """Row, and say whether it grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=1000)
    asked = parser.parse_args()
    begin = time.monotonic()

    def say(done: int) -> None:
        print(f"\r{done} of {asked.hours} hours, {footprint().kib / 1024:.0f} MiB", end="", file=sys.stderr)

    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "data"
        data.mkdir()
        held = rowed(data / "journal", asked.hours, Store(data), say)
        shutil.rmtree(data)
    print(file=sys.stderr)
    slope = slope_kib_per_hour(held)
    files = {(each.files, each.threads) for each in held[len(held) // 2 :]}
    took_s = time.monotonic() - begin
    grows = slope * len(held) / 2 > 1024 or len(files) > 1
    half, end = held[len(held) // 2].kib / 1024, held[-1].kib / 1024
    speed = asked.hours * HOUR_S / took_s
    print(
        f"{asked.hours} hours: {half:.1f} MiB after half of them, {end:.1f} at the end ({slope:+.2f} KiB/h);", end=" "
    )
    print(f"open files and threads {sorted(files)}; {took_s:.0f} s, {speed:,.0f} x real time")
    return int(grows)


if __name__ == "__main__":
    sys.exit(main())
