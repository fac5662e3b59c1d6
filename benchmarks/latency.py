"""How long a notification takes from the machine that sends it to rowsync's stream, on two radios, in real time.

    python benchmarks/latency.py

(a) Bumble's virtual radio, (b) the same below a fake org.bluez and bleak's own BlueZ backend (needs dbus-daemon).
Absolute times depend on what else the machine does; the ratio of the two is what the message bus costs.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rowsync import discovery, ftms
from rowsync.ble import Radio
from rowsync.connection import connected
from rowsync.plan import parse_plan
from rowsync.telemetry import Notification
from rowsync.virtual import virtual_radio
from rowsync.virtual.machine import STANDARD

COUNT, PERIOD_S = 500, 0.02


async def over_bumble_s(count: int) -> list[float]:
    """What each of so many notifications took, from the machine's handing it to its radio [s]."""
    loop = asyncio.get_running_loop()
    model = replace(STANDARD, frames=(replace(STANDARD.frames[0], period_s=PERIOD_S),))
    sent_s: list[float] = []
    taken_s: list[float] = []
    async with virtual_radio(parse_plan("3600"), machine=model) as virtual:
        notify = virtual.peripheral.notify

        async def noted(connection, uuid, value):
            if uuid == ftms.ROWER_DATA:
                sent_s.append(loop.time())
            await notify(connection, uuid, value)

        virtual.peripheral.notify = noted
        radio = Radio(virtual.scanner_backend, virtual.client_backend)
        async with connected(radio, await discovery.find(radio)) as stream:
            async for item in stream:
                if isinstance(item, Notification) and item.characteristic == ftms.ROWER_DATA:
                    taken_s.append(loop.time() - sent_s[len(taken_s)])
                    if len(taken_s) == count:
                        return taken_s
    return taken_s


def told(name: str, taken_s: list[float]) -> float:
    """Print the median and the 99th percentile; answer the median [s]."""
    taken_s = sorted(taken_s)
    median_s, p99_s = statistics.median(taken_s), taken_s[round(0.99 * (len(taken_s) - 1))]
    print(f"{name}: {len(taken_s)} notifications, median {1000 * median_s:.2f} ms, p99 {1000 * p99_s:.2f} ms")
    return median_s


def main() -> None:
    """Measure both and print the ratio."""
    logging.disable(logging.CRITICAL)
    bumble_s = told("(a) virtual radio           ", asyncio.run(over_bumble_s(COUNT)))
    try:
        from tests.bluez.bus import missing
        from tests.bluez.latency import latencies_s
    except ImportError as error:
        raise SystemExit(f"(b) needs Linux and the development dependencies: {error}") from None
    if lacking := missing():
        raise SystemExit(f"(b) not measured: {lacking}")
    bluez_s = told("(b) bleak's BlueZ and D-Bus ", asyncio.run(latencies_s(COUNT, PERIOD_S)))
    print(f"(b) takes {bluez_s / bumble_s:.1f} times as long as (a)")


if __name__ == "__main__":
    main()
