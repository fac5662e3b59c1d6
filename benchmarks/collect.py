"""How many rowers a collector keeps up with: from when a notification was due to when it is on disk and told on.

    python -m benchmarks.collect [--rowers 1000] [--seconds 20] [--hubs-of 7]
    chrt -r 1 python -m benchmarks.collect    # as root: before all else that runs on this machine

So many rowers at 4 Hz, seven to a hub, each hub's lines gathered for 50 ms as `rowsync hub` does; `rowsync collect`
alone on the first core, the hubs and a real mosquitto on the last.  Times count from when a notification was due, so a
feeder that falls behind doesn't hide it: to the answer that says it is on disk, and to where the collector tells it on.
The hubs are one process that speaks the same protocol with the same `Sender`; journals on the hubs' disks are left out.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import heapq
import os
import subprocess
import sys
import tempfile
import time
from array import array
from datetime import UTC, datetime
from functools import cache
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

MANY_HUBS = ("max_queued_messages 0", "set_tcp_nodelay true")
"""What docs/collect.md says of mosquitto's configuration."""

GRAIN_S = 0.002
"""Answers are looked at so often, which counts as theirs [s]."""

PAYLOAD = bytes.fromhex("2c0b3400000001000000ff00c8000001000000ff00")


@cache
def line(number: int) -> bytes:
    """A notification's line; all rowers send the same, so that making it costs the hubs nothing."""
    return item_line(Notification(number / RATE_HZ, "2ad1", PAYLOAD))[:-1]


class Rower:
    """Lines of one rower, and when each was due, acknowledged and told on."""

    def __init__(self, number: int, start_s: float) -> None:
        self.session_id = f"20261123T120000Z-{number:08x}"
        self.lines = [header_line(Header(self.session_id, datetime.now(UTC), "synthetic"))[:-1]]
        self.due_s, self.saved_s, self.told_s = array("d", [start_s]), array("d"), array("d")
        self.next_s = start_s

    def row(self) -> None:
        """One more notification."""
        self.lines.append(line(len(self.lines)))
        self.due_s.append(self.next_s)


class Hubs:
    """All hubs of a gym on one connection."""

    def __init__(self, rowers: int, of: int) -> None:
        start_s = time.monotonic() + 1.0
        self.rowers = [Rower(number, start_s + (number * 0.618 % 1) / RATE_HZ) for number in range(rowers)]
        self.by_id = {rower.session_id: rower for rower in self.rowers}
        self.hubs = [self.rowers[at : at + of] for at in range(0, rowers, of)]
        self.senders = [Sender() for _ in self.hubs]
        self.late_s = array("d")
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
                self.late_s.append(now_s - due_s)
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
import os, sys, time
late_s, sync_s = [], []
with open(sys.argv[2], "wb", buffering=0) as file:
    while len(late_s) < int(sys.argv[1]):
        due_s = time.monotonic() + 0.02
        time.sleep(0.02)
        late_s.append(time.monotonic() - due_s)
        if len(late_s) % 10 == 0:
            file.write(bytes(100))
            began_s = time.monotonic()
            os.fdatasync(file.fileno())
            sync_s.append(time.monotonic() - began_s)
print(*(sorted(each)[round(0.99 * (len(each) - 1))] for each in (late_s, sync_s)))
"""
"""Says how late it was woken, and how long a small sync took: what the machine itself adds, whoever else is on it."""


def probe(core: int, seconds: float, folder: Path) -> subprocess.Popen:
    """Watch a core and the disk of a folder for so long [s]."""
    command = [sys.executable, "-c", PROBE, str(round(seconds / 0.02)), str(folder / f"probe-{core}")]
    watching = subprocess.Popen(command, stdout=subprocess.PIPE)
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
    gc.freeze()  # one process plays all hubs: it must not stop to look through what they keep
    gc.disable()
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
    late_ms = [1000 * each for each in sorted(hubs.late_s)]
    print(f"  hubs: behind their own turn p99 {late_ms[len(late_ms) * 99 // 100]:.0f} ms, at most {late_ms[-1]:.0f} ms")
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
            with Broker(folder, "allow_anonymous true", *MANY_HUBS) as broker:
                command = [sys.executable, "-m", "rowsync", "collect", "--mqtt", broker.url, "--data", folder / "data"]
                with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as collector:
                    os.sched_setaffinity(collector.pid, {cores[0]})
                    while not (folder / "data" / "collect").is_dir() and collector.poll() is None:
                        time.sleep(0.1)
                    time.sleep(1.0)
                    watching = [probe(core, asked.seconds, folder) for core in (cores[0], cores[-1])]
                    try:
                        is_met &= asyncio.run(measured(rowers, asked.hubs_of, asked.seconds, broker.url, collector.pid))
                    finally:
                        collector.kill()
                    found_ms = [[1000 * float(each) for each in one.communicate()[0].split()] for one in watching]
                    late_ms, sync_ms = zip(*found_ms, strict=True)
                    print("  an idle program is woken late, p99: {:.0f} and {:.0f} ms".format(*late_ms))
                    print(f"  a small sync of the disk takes, p99: {max(sync_ms):.0f} ms")
    return not is_met


if __name__ == "__main__":
    sys.exit(main())
