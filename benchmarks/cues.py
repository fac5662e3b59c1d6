"""How far the guide's bells and its three-two-one are from when they were due, by the host's clock, in real time.

    python benchmarks/cues.py [--minutes 60] [--machine standard]

A whole row: virtual radio, bleak, journal, tracker, guide.  Beside it, from the same row, is a guide that looks at its
clock when the machine's next notification comes.  The machine's own clock plays no part in either.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from bisect import bisect_left
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rowsync import ble
from rowsync.athlete import Athlete
from rowsync.guide import GuideState
from rowsync.plan import parse_plan
from rowsync.rowing import Screen, Wishes, row
from rowsync.virtual import virtual_radio

PIECE_S = 15


class Listening(Screen):
    """A reader that notes when it heard what, by the host's clock."""

    def __init__(self):
        self.calls_s, self.moments_s = [], []

    def show(self, moment):
        """Note the time of each call, and of each notification."""
        now_s = asyncio.get_running_loop().time()
        self.calls_s += [(call, now_s) for call in moment.calls]
        if not self.moments_s or moment.notifications > self.moments_s[-1][0]:
            self.moments_s.append((moment.notifications, now_s))


async def rowed(minutes: float, machine: str, folder: Path) -> Listening:
    """A row of pieces of a quarter of a minute, heard."""
    plan = parse_plan(f"{round(minutes * 60 / (2 * PIECE_S))}x{PIECE_S}/{PIECE_S}")
    listening = Listening()
    async with virtual_radio(plan, machine=machine) as virtual:
        radio = ble.Radio(virtual.scanner_backend, virtual.client_backend)
        wishes = Wishes(folder, Athlete(), plan, origin="synthetic")
        await row(wishes, radio, listening, lambda connection: None)
    return listening


def errors_s(listening: Listening) -> tuple[list[float], list[float], list[float]]:
    """How late bells and numbers were called, and bells by a guide that waits for the next notification [s]."""
    heard_s = [at_s for _, at_s in listening.moments_s]
    calls = [(call, at_s) for call, at_s in listening.calls_s if call != GuideState.WAITING]
    began_s, bells, numbers, seldom, bell_s = calls[0][1], [], [], [], calls[0][1]
    for call, at_s in calls[1:]:
        due_s = bell_s + PIECE_S - (int(call) if call.isdigit() else 0)
        (numbers if call.isdigit() else bells).append(at_s - due_s)
        if not call.isdigit():
            seldom.append(heard_s[bisect_left(heard_s, due_s)] - due_s if due_s <= heard_s[-1] else 0.0)
            bell_s = began_s + PIECE_S * len(bells)
    return bells, numbers, seldom


def told(name: str, late_s: list[float]) -> float:
    """Print how late; answer the worst [s]."""
    ordered = sorted(map(abs, late_s))
    p50, p95, worst = (1000 * ordered[round(share * (len(ordered) - 1))] for share in (0.5, 0.95, 1.0))
    print(f"{name}: {len(ordered)} calls, off by {p50:.1f} ms (median), {p95:.1f} (p95), {worst:.1f} at most")
    return worst


def main() -> None:
    """Row and tell."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--machine", default="standard")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bells, numbers, seldom = errors_s(asyncio.run(rowed(asked.minutes, asked.machine, Path(folder))))
    worst = told("rowsync, bells            ", bells)
    told("rowsync, three, two, one  ", numbers)
    peer = told("at the next notification  ", seldom)
    print(f"the worst bell is {peer / worst:.0f} times as far off there; goal for rowsync: 50 ms over an hour")


if __name__ == "__main__":
    main()
