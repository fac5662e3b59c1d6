"""What becomes of a row's messages when the broker goes: missing, doubled, and what it costs the recorder.

    python benchmarks/outage.py [--minutes 10] [--ways stopped killed silent]

A row over the virtual radio in real time, a real mosquitto, and a subscriber that connects again as soon as it can.
The broker is (a) stopped for so many minutes, (b) killed and started again at once, (c) replaced for so long by
somebody who takes the connection and never answers.  Due is what a replay of the journal gives.  Beside it, from the
same row: what a publisher that sends each stroke once, and forgets it, would have lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import socket
import sys
import tempfile
from bisect import bisect_left
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rowsync import ble, ftms
from rowsync.athlete import Athlete
from rowsync.mqtt import MqttSettings, open_mqtt
from rowsync.plan import parse_plan
from rowsync.recording import read_recording
from rowsync.rowing import Audience, Screen, Wishes, row
from rowsync.session import analyse
from rowsync.virtual import virtual_radio
from tests.broker import Broker, subscribed

AROUND_S = 20.0
"""How long is rowed before the broker goes, and after it is back [s]."""


class Late(Screen):
    """Notes when the recorder had each notification of the machine."""

    def __init__(self):
        self.heard_s = []

    def show(self, moment):
        """Note the time of a notification."""
        if moment.number and (not self.heard_s or moment.notifications > self.heard_s[-1][0]):
            self.heard_s.append((moment.notifications, asyncio.get_running_loop().time()))


async def silent_for(port: int, seconds: float) -> None:
    """Take connections on a port, and never answer."""
    with socket.create_server(("127.0.0.1", port)) as server:
        server.setblocking(False)
        taken = []
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    taken.append(await asyncio.get_running_loop().sock_accept(server))
        for connection, _ in taken:
            connection.close()


async def troubled(broker: Broker, way: str, outage_s: float, span_s: list[float]) -> None:
    """What happens to the broker."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(AROUND_S)
    span_s.append(loop.time())
    broker.stop(signal.SIGTERM if way == "stopped" else signal.SIGKILL)
    if way == "stopped":
        await asyncio.sleep(outage_s)
    elif way == "silent":
        await silent_for(broker.port, outage_s)
    await asyncio.to_thread(broker.start)
    span_s.append(loop.time())
    await asyncio.sleep(AROUND_S)


async def measured(way: str, outage_s: float, folder: Path) -> None:
    """One row with one trouble, told."""
    plan, late, span_s, sent_s = parse_plan("90m"), Late(), [], []
    with Broker(folder, "allow_anonymous true") as broker:
        async with virtual_radio(plan) as virtual, subscribed(broker) as heard:
            notify = virtual.peripheral.notify

            async def noted(connection, uuid, value):
                if uuid == ftms.ROWER_DATA:
                    sent_s.append(asyncio.get_running_loop().time())
                await notify(connection, uuid, value)

            virtual.peripheral.notify = noted
            settings = MqttSettings(broker.url, discovery=False)
            async with open_mqtt(print, settings, folder=folder, say=lambda text: None) as reader:
                connections = []
                wishes = Wishes(folder, Athlete(), plan, origin="synthetic")
                radio = ble.Radio(virtual.scanner_backend, virtual.client_backend)
                rowing = asyncio.ensure_future(row(wishes, radio, Audience(late, reader), connections.append))
                await troubled(broker, way, outage_s, span_s)
                connections[0].stop()
                journal = await rowing
                reader.end(None)
            await asyncio.sleep(1.0)
    recording = read_recording(journal)
    session = analyse(recording.header, recording.items)
    messages = [json.loads(payload) for payload in heard.of("/stroke")]
    numbers = [message["number"] for message in messages]
    due = len(session.strokes)
    missing = set(range(1, due + 1)) - set(numbers)
    origin_s = late.heard_s[0][1] - recording.notifications[0].time_s
    unsent = sum(span_s[0] <= origin_s + stroke.end_s <= span_s[1] for stroke in session.strokes)
    doubled = len(numbers) - len(set(numbers))
    print(f"{way}, {span_s[1] - span_s[0]:.0f} s: {due} strokes due, {len(missing)} missing, {doubled} doubled")
    print(f"  sent once and forgotten: {unsent} missing")
    tell_lateness(late, recording, sent_s, span_s)


def tell_lateness(late: Late, recording, sent_s: list[float], span_s: list[float]) -> None:
    """How late the recorder had its notifications, with the broker and without."""
    rows = [at for at, each in enumerate(recording.notifications, 1) if each.characteristic == ftms.ROWER_DATA]
    heard_s = dict(late.heard_s)
    lateness = [(sent, heard_s[at] - sent) for at, sent in zip(rows, sent_s, strict=False) if at in heard_s]
    cut = [bisect_left(lateness, (at_s,)) for at_s in span_s]
    for name, part in (("with the broker", lateness[: cut[0]]), ("without it     ", lateness[cut[0] : cut[1]])):
        ordered = sorted(late_s for _, late_s in part)
        if ordered:
            p50, p99, most = (1000 * ordered[round(share * (len(ordered) - 1))] for share in (0.5, 0.99, 1.0))
            print(f"  recorder {name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, at most {most:.2f} ms")


def main() -> None:
    """Measure each way and print."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--ways", nargs="+", default=["stopped", "killed", "silent"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for way in asked.ways:
            place = Path(folder) / way
            place.mkdir()
            asyncio.run(measured(way, 60 * asked.minutes, place))


if __name__ == "__main__":
    main()
