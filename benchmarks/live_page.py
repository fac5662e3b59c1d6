"""How long a stroke takes from the machine to the eye: notification → number in the page → painted frame, in real time.

    python benchmarks/live_page.py [--seconds 60] [--hertz 4]

A virtual machine notifies over the virtual radio, rowsync records and serves the page, a headless Chromium shows it:
all on one computer, so that one clock tells when each notification left the machine, when its number stood in the page
(DOM), and when the frame after that was painted.  Beside it stand the timers in the code of others, which add to
whatever else they do: half of a timer on average, all of it at worst.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dashboards.live import open_live_page
from dashboards.web import LOOPBACK_HOSTS
from rowsync import ble, ftms
from rowsync.athlete import Athlete
from rowsync.plan import parse_plan
from rowsync.recording import read_recording
from rowsync.rowing import Audience, Screen, Wishes, row
from rowsync.telemetry import Notification
from rowsync.virtual import virtual_radio
from rowsync.virtual.machine import STANDARD
from tests.browser import Browser, chromium_path

TIMERS_MS = {
    "OpenRowingMonitor, web page": (200, "timer in its web server; pushes at the start of a drive besides"),
    "qdomyos-zwift, tiles": (1000, "timer of its tiles; the device is asked every 200 ms"),
    "qdomyos-zwift, MQTT": (500, "timer of its publisher"),
}
"""Timer constants in the code of others, read in 2026 [ms]."""

WATCH = """
(() => {
  window.seen = [];
  const root = document.documentElement;
  const now = () => performance.timeOrigin + performance.now();
  new MutationObserver(() => {
    const entry = [Number(root.dataset.number), now(), null];
    window.seen.push(entry);
    requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = () => { entry[2] = now(); };
      c.port2.postMessage(0); });
  }).observe(root, {attributes: true, attributeFilter: ['data-number']});
})()
"""
"""Notes each number's time in the DOM, and the time right after the frame that shows it was made [ms since 1970]."""


class Quiet(Screen):
    """The screen that nobody looks at."""


def browsed(link: str, seconds: float) -> tuple[list[list[float]], float]:
    """What a browser saw in so many seconds, and how long the first number took from the navigation on [ms]."""
    with Browser(chromium_path()) as browser, browser.open(link, width_px=1280, height_px=800) as tab:
        tab.wait_for("document.documentElement.dataset.number !== undefined")
        tab.evaluate(WATCH)
        time.sleep(seconds)
        seen = tab.evaluate("window.seen")
        openings = []
        for _ in range(5):
            tab.command("Page.addScriptToEvaluateOnNewDocument", source=FIRST)
            tab.command("Page.reload")
            tab.wait_for("window.first !== undefined")
            openings.append(tab.evaluate("window.first"))
        return seen, statistics.median(openings)


FIRST = """
new MutationObserver((_, observer) => {
  const root = document.documentElement;
  if (root && root.dataset.number !== undefined) { window.first = performance.now(); observer.disconnect(); }
}).observe(document, {attributes: true, subtree: true, attributeFilter: ['data-number']});
"""


async def measured(seconds: float, hertz: float, folder: Path) -> tuple[list[float], list[float], float]:
    """Notification to DOM and to frame of each number that was seen, and navigation to first number [ms]."""
    model = replace(STANDARD, frames=(replace(STANDARD.frames[0], period_s=1 / hertz),))
    plan = parse_plan("60m")
    sent_ms: list[float] = []
    async with virtual_radio(plan, machine=model) as virtual:
        notify = virtual.peripheral.notify

        async def noted(connection, uuid, value):
            if uuid == ftms.ROWER_DATA:
                sent_ms.append(1000 * time.time())
            await notify(connection, uuid, value)

        virtual.peripheral.notify = noted
        links: list[str] = []
        page = open_live_page(
            lambda command: None,
            host="127.0.0.1",
            port=0,
            allowed_hosts=LOOPBACK_HOSTS,
            token="t" * 22,
            announce=links.append,
        )
        async with page as reader:
            connections = []
            radio = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            wishes = Wishes(folder, Athlete(), plan, origin="synthetic")
            rowing = asyncio.ensure_future(row(wishes, radio, Audience(Quiet(), reader), connections.append))
            seen, first_ms = await asyncio.to_thread(browsed, links[0], seconds)
            connections[0].stop()
            journal = await rowing
    items = read_recording(journal).items
    rows = [
        number
        for number, item in enumerate(items, start=1)
        if isinstance(item, Notification) and item.characteristic == ftms.ROWER_DATA
    ]
    left_ms = dict(zip(rows, sent_ms, strict=False))
    known = [(left_ms[number], dom, frame) for number, dom, frame in seen if number in left_ms and frame]
    return [dom - left for left, dom, _ in known], [frame - left for left, _, frame in known], first_ms


def told(name: str, values_ms: list[float]) -> float:
    """Print the median and the 95th percentile; answer the median [ms]."""
    ordered = sorted(values_ms)
    p50, p95 = (ordered[round(share * (len(ordered) - 1))] for share in (0.5, 0.95))
    print(f"{name}: {len(ordered)} numbers, p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    return p50


def memory_mb(*options: str, folder: Path) -> float:
    """What a recorder of its own holds after half a minute of rowing; with --web, a browser looks at it [MB]."""
    command = [sys.executable, "-m", "rowsync", "row", "--virtual", "--no-sound", "--data", str(folder), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        link = (
            next((found[0] for line in process.stderr if (found := re.search(r"http://\S+", line))), "")
            if options
            else ""
        )
        if link:
            browsed(link, 20)
        else:
            time.sleep(30)
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.kill()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def main() -> None:
    """Measure and print."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--hertz", type=float, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dom_ms, frame_ms, first_ms = asyncio.run(measured(asked.seconds, asked.hertz, Path(folder)))
        dom = told("notification to DOM  ", dom_ms)
        told("notification to frame", frame_ms)
        print(f"navigation to first number: {first_ms:.0f} ms (median of 5)")
        for name, (timer_ms, what) in TIMERS_MS.items():
            print(
                f"{name}: {timer_ms / 2:.0f} ms on average by its timer alone, {timer_ms / 2 / dom:.0f} x ours ({what})"
            )
        alone = memory_mb(folder=Path(folder) / "alone")
        with_page = memory_mb("--web", "--web-port", "8799", folder=Path(folder) / "page")
        print(f"memory of the recorder, virtual rower and all: {alone:.0f} MB, with the page open {with_page:.0f} MB")
        print(json.dumps({"dom_ms": dom_ms, "frame_ms": frame_ms}), file=sys.stderr)


if __name__ == "__main__":
    main()
