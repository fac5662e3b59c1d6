"""What the terminal view costs: processor time and bytes for a second of rowing, in a real (pseudo) terminal.

    python benchmarks/terminal.py [--plan "2m + 5x45/75"]

A row in virtual time gives the moments; each is shown at its time, four a second.  Beside it, from the same moments:
the same picture drawn whole by `rich.live.Live` eight times a second, as programs that show progress with Rich do.
The goal is 10 % of a Raspberry Pi's core; no Pi was asked, so what is printed is how much slower than this computer's a
core may be for that.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import pty
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rowsync import ble
from rowsync.athlete import Athlete
from rowsync.plan import parse_plan
from rowsync.rowing import Screen, Wishes, row
from rowsync.rowing_screen import RowingScreen
from rowsync.rowing_view import Minute, View, frame
from rowsync.virtual import virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop
from rowsync.virtual.machine import STANDARD

SIZES = ((80, 24), (200, 50))
GOAL = 0.1
PEER_HERTZ = 8

READ_S = 0.003
"""Time for the terminal to be read, which isn't the program's: who is behind is sent fewer frames [s]."""


class Kept(Screen):
    """A screen that keeps what it is shown."""

    def __init__(self):
        self.moments = []

    def show(self, moment):
        """Keep a moment."""
        self.moments.append(moment)


def rowed(plan: str, folder: Path) -> list:
    """The moments of a row at four notifications a second."""
    screen, asked = Kept(), parse_plan(plan)
    model = replace(STANDARD, frames=(replace(STANDARD.frames[0], period_s=0.25),))

    async def run():
        async with virtual_radio(asked, machine=model) as virtual:
            radio = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            wishes = Wishes(folder, Athlete(), asked, origin="synthetic")
            await row(wishes, radio, screen, lambda connection: None)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())
    return screen.moments


@contextmanager
def terminal(width: int, height: int):
    """A console on a terminal that somebody reads, and how many bytes that one got."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (height, width))
    reader = subprocess.Popen(["wc", "-c"], stdin=ours, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    os.close(ours)
    count: list[int] = []
    with open(theirs, "w", encoding="utf-8") as stream:
        yield Console(file=stream, force_terminal=True, color_system="256", width=width, height=height), count
    count.append(int(reader.communicate()[0] or 0))


def shown_by_rowsync(moments: list, console: Console) -> float:
    """Processor time of the screen over a row [s]."""
    now_s = [0.0]
    began_s = time.process_time()
    with RowingScreen(console, clock=lambda: now_s[0]) as screen:
        for moment in moments:
            now_s[0] = moment.time_s
            screen.show(moment)
            time.sleep(READ_S)
        spent_s = time.process_time() - began_s
    return spent_s


def shown_by_rich(moments: list, console: Console) -> float:
    """Processor time of the same picture, drawn whole by Rich so many times a second [s]."""
    minute, drawn_s = Minute(), -1.0
    began_s = time.process_time()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        for moment in moments:
            minute.add(moment)
            while drawn_s + 1 / PEER_HERTZ <= moment.time_s:
                drawn_s = max(drawn_s + 1 / PEER_HERTZ, moment.time_s - 1.0)
                lines = frame(View(moment, minute=minute), console.width, console.height)
                live.update(Text("\n").join(Text.assemble(*line) for line in lines), refresh=True)
        spent_s = time.process_time() - began_s
    return spent_s


def main() -> None:
    """Row, show and tell."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", default="2m + 5x45/75")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        moments = rowed(asked.plan, Path(folder))
    row_s = moments[-1].time_s - moments[0].time_s
    print(f"{len(moments)} moments in {row_s:.0f} s of rowing")
    for width, height in SIZES:
        shares = {}
        for name, show in (("rowsync", shown_by_rowsync), ("Rich, 8 a second", shown_by_rich)):
            with terminal(width, height) as (console, count):
                shares[name] = show(moments, console) / row_s
            print(f"{width} x {height}, {name}: {shares[name]:.2%} of a core, {count[0] / row_s:,.0f} bytes/s")
        ours, peer = shares.values()
        print(f"  {peer / ours:.1f} times less than Rich's; under {GOAL:.0%} on a core {GOAL / ours:.0f} times slower")


if __name__ == "__main__":
    main()
