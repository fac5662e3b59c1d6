"""How long a notification takes from the machine to rowsync's stream: Bumble's radio, BlueZ's bus, bleak; real time.

python -m tests.bluez.latency
"""

from __future__ import annotations

import asyncio
import logging
import statistics
from dataclasses import replace
from typing import NamedTuple

from rowsync import connection, discovery
from rowsync.ble import Radio
from rowsync.plan import parse_plan
from rowsync.readers import ROW_READERS
from rowsync.telemetry import Notification
from tests.bluez.world import NUMBERED, number_of, world


class Latency(NamedTuple):
    """Of so many notifications [s]."""

    count: int
    median_s: float
    p99_s: float
    worst_s: float


async def latencies_s(count: int = 500, period_s: float = 0.02) -> list[float]:
    """The time of each of so many notifications, sent with this period, from the machine to the stream [s]."""
    loop = asyncio.get_running_loop()
    (frame,) = NUMBERED.frames
    model = replace(NUMBERED, frames=(replace(frame, period_s=period_s),))
    taken_s: list[float] = []
    async with world(parse_plan("3600"), model=model) as there:
        found = await discovery.find(Radio(), there.machine.address)
        async with connection.connected(Radio(), found) as stream:
            async for item in stream:
                if isinstance(item, Notification) and item.characteristic in ROW_READERS:
                    taken_s.append(loop.time() - there.console.told[number_of(item.payload)].time_s)
                    if len(taken_s) == count:
                        stream.stop()
                        break
    return taken_s


def measure(count: int = 500, period_s: float = 0.02) -> Latency:
    """The median, the 99th percentile and the worst, in real time."""
    taken_s = sorted(asyncio.run(latencies_s(count, period_s)))
    return Latency(count, statistics.median(taken_s), taken_s[round(0.99 * (count - 1))], taken_s[-1])


def main() -> None:
    """Measure and print."""
    logging.disable(logging.CRITICAL)
    latency = measure()
    print(
        f"{latency.count} notifications: median {1000 * latency.median_s:.2f} ms, "
        f"99th percentile {1000 * latency.p99_s:.2f} ms, worst {1000 * latency.worst_s:.2f} ms"
    )


if __name__ == "__main__":
    main()
