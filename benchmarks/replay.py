"""How long the whole core takes over an hour of rowing at 4 Hz: decode, strokes, intervals, energy.

    python benchmarks/replay.py

The hour is synthetic: the virtual rower's 4 Hz notifications, made without a radio.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

from rowsync.athlete import Athlete
from rowsync.plan import parse_plan
from rowsync.session import Header, analyse
from rowsync.telemetry import Notification
from rowsync.virtual.machine import STANDARD, Console
from rowsync.virtual.rower import VirtualRower

HOUR = "5m + 25x45/75 + 5m"


def hour_at_4_hz() -> list[Notification]:
    """An hour of intervals, four notifications a second."""
    (frame,) = STANDARD.frames
    console = Console(replace(STANDARD, frames=(replace(frame, period_s=0.25),)))
    rower = VirtualRower(parse_plan(HOUR))
    times = [0.25 * number for number in range(4 * 3600)]
    return [Notification(at, "2ad1", payload) for at in times for payload in console.feed(rower.advance(at))]


def main() -> None:
    """Measure, print the ratio to real time, and with --profile where the time goes."""
    header = Header("benchmark", datetime(2026, 11, 23, tzinfo=UTC), athlete=Athlete(mass_kg=75.0))
    notifications = hour_at_4_hz()
    best = min(_seconds(header, notifications) for _ in range(5))
    print(f"{len(notifications):,} notifications, one hour: {best:.2f} s (goal: below 2)")
    print(f"{3600 / best:,.0f} x real time, {len(notifications) / best:,.0f} notifications/s on one core")
    if "--profile" in sys.argv:
        profile = cProfile.Profile()
        profile.runcall(analyse, header, notifications)
        pstats.Stats(profile).sort_stats("cumulative").print_stats(25)


def _seconds(header: Header, notifications: list[Notification]) -> float:
    start = time.perf_counter()
    analyse(header, notifications)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
