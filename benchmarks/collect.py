"""How many rowers a collector keeps up with: from when a notification was due to when it is on disk and told on.

    python -m benchmarks.collect [--rowers 1000] [--seconds 20] [--hubs-of 7]

So many rowers at 4 Hz, seven to a hub, each hub's lines gathered for 50 ms as `rowsync hub` does; `rowsync collect`
alone on the first core, the hubs and a real mosquitto on the last.  Times count from when a notification was due, so a
feeder that falls behind doesn't hide it: to the answer that says it is on disk, and to where the collector tells it on.
The hubs are one process that speaks the same protocol with the same `Sender`; journals on the hubs' disks are left out.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import os
import subprocess
import sys
import tempfile
import time
from array import array
from datetime import UTC, datetime
from pathlib import Path

from rowsync.hub import EVERY_S
from rowsync.mqtt import MqttSettings, stay_connected
from rowsync.recording import header_line, item_line
from rowsync.relay import Part, Sender, batch_bytes, read_answer, read_batch
from rowsync.session import Header
from rowsync.telemetry import Notification
from tests.broker import Broker
from tests.conftest import ROOT

RATE_HZ = 4.0
GOAL_S = 0.1
SETTLE_S = 3.0
"""What is due this soon after the start isn't counted [s]."""

GRAIN_S = 0.002
"""Answers are looked at so often, which counts as theirs [s]."""

PAYLOAD = bytes.fromhex("2c0b3400000001000000ff00c8000001000000ff00")


class Rower:
    """Lines of one rower, and when each was due, acknowledged and told on."""

    def __init__(self, number: int, start_s: float) -> None:
        self.session_id = f"20261123T120000Z-{number:08x}"
        self.lines = [header_line(Header(self.session_id, datetime.now(UTC), "synthetic"))[:-1]]
        self.due_s, self.saved_s, self.told_s = array("d", [start_s]), array("d"), array("d")
        self.next_s = start_s

    def row(self) -> None:
        """One more notification."""
        item = Notification(len(self.lines) / RATE_HZ, "2ad1", PAYLOAD)
        self.lines.append(item_line(item)[:-1])
        self.due_s.append(self.next_s)


class Hubs:
    """All hubs of a gym on one connection."""

    def __init__(self, rowers: int, of: int) -> None:
        start_s = time.monotonic() + 1.0
        self.rowers = [Rower(number, start_s + (number * 0.618 % 1) / RATE_HZ) for number in range(rowers)]
        self.by_id = {rower.session_id: rower for rower in self.rowers}
        self.hubs = [self.rowers[at : at + of] for at in range(0, rowers, of)]
        self.senders = [Sender() for _ in self.hubs]
        self.late_s = 0.0
        self.end_s = float("inf")

    async def serve(self, line) -> None:
        """Row and send until told, then until all is acknowledged."""
        turns = [(time.monotonic() + EVERY_S * at / len(self.hubs), at) for at in range(len(self.hubs))]
        heapq.heapify(turns)
        while not self.is_done():
            self.hear(line)
            now_s = time.monotonic()
            while turns[0][0] <= now_s:
                due_s, at = turns[0]
                self.late_s = max(self.late_s, now_s - due_s)
                self.turn(at, now_s, line)
                heapq.heapreplace(turns, (max(due_s + EVERY_S, now_s), at))
            await asyncio.sleep(min(GRAIN_S, max(0.0, turns[0][0] - time.monotonic())))

    def is_done(self) -> bool:
        """Whether it is over, and all is acknowledged, or nobody waits any longer for what isn't."""
        now_s = time.monotonic()
        return now_s > self.end_s and (
            now_s > self.end_s + 20 or all(len(each.saved_s) == len(each.lines) for each in self.rowers)
        )

    def turn(self, at: int, now_s: float, line) -> None:
        """One hub sends what it has."""
        sender = self.senders[at]
        for rower in self.hubs[at]:
            while rower.next_s <= min(now_s, self.end_s):
                rower.row()
                rower.next_s += 1 / RATE_HZ
            sender.found(rower.session_id, len(rower.lines), is_over=False)
        parts = [
            Part(span.session_id, span.first, tuple(self.by_id[span.session_id].lines[span.first : span.stop]))
            for span in sender.due(now_s)
        ]
        if parts:
            line.send(f"rowsync/hub/{at}/batch", batch_bytes(parts, datetime.now(UTC)))

    def hear(self, line) -> None:
        """Note what is acknowledged, and what is told on."""
        heard, now_s = line.take(), time.monotonic()
        for topic, payload in heard:
            if topic.endswith("/collected"):
                for part in (read_batch(payload) or (None, ()))[1]:
                    self.by_id[part.session_id].told_s.extend([now_s] * len(part.lines))
            elif topic.endswith("/have") and (answer := read_answer(payload)) is not None:
                self.senders[int(topic.split("/")[-2])].answered(answer, now_s)
                for session_id, have in answer.have.items():
                    saved_s = self.by_id[session_id].saved_s
                    saved_s.extend([now_s] * (have - len(saved_s)))


PROBE = """
import sys, time
late_s = []
while len(late_s) < int(sys.argv[1]):
    due_s = time.monotonic() + 0.02
    time.sleep(0.02)
    late_s.append(time.monotonic() - due_s)
print(sorted(late_s)[round(0.99 * (len(late_s) - 1))])
"""
"""Does nothing, and says how late it was woken: what the machine itself adds, whoever else is on it."""


def probe(core: int, seconds: float) -> subprocess.Popen:
    """Watch a core for so long [s]."""
    watching = subprocess.Popen([sys.executable, "-c", PROBE, str(round(seconds / 0.02))], stdout=subprocess.PIPE)
    os.sched_setaffinity(watching.pid, {core})
    return watching


def cpu_s(process: int) -> float:
    """What a process has used of the processor [s]."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(process: int) -> float:
    """What a process holds in memory [MB]."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def measured(rowers: int, of: int, seconds: float, url: str, process: int) -> bool:
    """Row for so long, and print."""
    hubs = Hubs(rowers, of)
    start_s = min(rower.next_s for rower in hubs.rowers)
    serving = asyncio.create_task(
        stay_connected(MqttSettings(url), ("rowsync/collected", "rowsync/hub/+/have"), hubs.serve, lambda text: None)
    )
    await asyncio.sleep(SETTLE_S)
    before_s, at_s = cpu_s(process), time.monotonic()
    await asyncio.sleep(seconds)
    used_s, took_s = cpu_s(process) - before_s, time.monotonic() - at_s
    hubs.end_s = time.monotonic()
    await serving
    return told(hubs, start_s + SETTLE_S, used_s, took_s, memory_mb(process))


def told(hubs: Hubs, from_s: float, used_s: float, took_s: float, memory: float) -> bool:
    """Print what came of it; answer whether the goal is met."""
    due = sum(len(rower.lines) for rower in hubs.rowers)
    lost = due - sum(len(rower.saved_s) for rower in hubs.rowers)
    untold = due - sum(len(rower.told_s) for rower in hubs.rowers)
    print(
        f"{len(hubs.rowers)} rowers, {len(hubs.hubs)} hubs: {due} lines, {lost} not acknowledged, {untold} not told on"
    )
    worst_s = 0.0
    for name in ("saved", "told"):
        late_s = sorted(
            at_s - due_s
            for rower in hubs.rowers
            for due_s, at_s in zip(rower.due_s, getattr(rower, f"{name}_s"), strict=False)
            if due_s >= from_s
        )
        p50, p99, most = (1000 * late_s[round(share * (len(late_s) - 1))] for share in (0.5, 0.99, 1.0))
        worst_s = max(worst_s, p99 / 1000)
        print(f"  due to {name}: p50 {p50:.0f} ms, p99 {p99:.0f} ms, at most {most:.0f} ms")
    share, each_us = used_s / took_s, used_s / (took_s * RATE_HZ * len(hubs.rowers)) * 1e6
    print(f"  collector: {100 * share:.0f} % of a core, {each_us:.0f} µs a notification, {memory:.0f} MB")
    print(f"  hubs: at most {1000 * hubs.late_s:.0f} ms behind their own turn")
    is_met = not lost and worst_s < GOAL_S
    print(f"  goal, nothing lost and p99 < {1000 * GOAL_S:.0f} ms: {'met' if is_met else 'missed'}")
    return is_met


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rowers", type=int, nargs="+", default=[1000])
    parser.add_argument("--hubs-of", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    is_met = True
    for rowers in asked.rowers:
        with tempfile.TemporaryDirectory() as name:
            os.sched_setaffinity(0, {cores[-1]})
            folder = Path(name)
            with Broker(folder, "allow_anonymous true", "max_queued_messages 0") as broker:
                command = [sys.executable, "-m", "rowsync", "collect", "--mqtt", broker.url, "--data", folder / "data"]
                with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as collector:
                    os.sched_setaffinity(collector.pid, {cores[0]})
                    while not (folder / "data" / "collect").is_dir():
                        time.sleep(0.1)
                    time.sleep(1.0)
                    watching = [probe(core, asked.seconds) for core in (cores[0], cores[-1])]
                    try:
                        is_met &= asyncio.run(measured(rowers, asked.hubs_of, asked.seconds, broker.url, collector.pid))
                    finally:
                        collector.kill()
                    late_ms = [1000 * float(each.communicate()[0]) for each in watching]
                    print("  an idle program is woken late, p99: {:.0f} and {:.0f} ms".format(*late_ms))
    return not is_met


if __name__ == "__main__":
    sys.exit(main())
