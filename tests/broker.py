"""A real MQTT broker: mosquitto, on a port and with a configuration of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import pytest


def mosquitto_path() -> str:
    """Where mosquitto is; without one the test is skipped, or fails when it runs in CI."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = "no mosquitto here (apt-get install mosquitto), so no broker can be told anything"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """A mosquitto that can be started, stopped and killed."""

    def __init__(self, folder: Path, *lines: str, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, free_port()
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(
            "\n".join((f"listener {self.port} {self.host}", *(lines or ("allow_anonymous true",)), ""))
        )
        self._path = mosquitto_path()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://{self.host}:{self.port}"

    def start(self) -> None:
        command = [self._path, "-c", str(self._configuration)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up_s = time.monotonic() + 10
        while time.monotonic() < give_up_s and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise AssertionError("mosquitto doesn't start")

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


class Heard(list):
    """What a subscriber got: (topic, payload, retained)."""

    def of(self, end: str) -> list[str]:
        return [payload for topic, payload, _ in self if topic.endswith(end)]

    async def until(self, end: str, count: int = 1, within_s: float = 15.0, says: str = "") -> list[str]:
        """Wait for so many messages on topics that end so, and in which something stands."""
        for _ in range(round(within_s / 0.02)):
            if len(found := [payload for payload in self.of(end) if says in payload]) >= count:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"{len(self.of(end))} of {count} messages on {end}: {[topic for topic, *_ in self]}")


@asynccontextmanager
async def subscribed(broker: Broker, topics: str = "#"):
    """A subscriber that comes again as soon as its broker does."""
    heard, ready = Heard(), asyncio.Event()

    async def listen() -> None:
        while True:
            client = aiomqtt.Client("127.0.0.1", broker.port, timeout=2)
            try:
                async with client:
                    await client.subscribe(topics, qos=1)
                    ready.set()
                    async for message in client.messages:
                        heard.append((str(message.topic), bytes(message.payload).decode(), message.retain))
            except aiomqtt.MqttError:
                with suppress(aiomqtt.MqttError):  # a client that never got its answer is closed by nobody else
                    await client.__aexit__(None, None, None)
                await asyncio.sleep(0.05)

    listening = asyncio.create_task(listen())
    try:
        await asyncio.wait_for(ready.wait(), 10)
        yield heard
    finally:
        listening.cancel()
        await asyncio.wait([listening])


async def said(broker: Broker, topic: str, payload: str, *, retain: bool = False) -> None:
    """Publish something."""
    async with aiomqtt.Client("127.0.0.1", broker.port, timeout=5) as client:
        await client.publish(topic, payload, qos=1, retain=retain)
