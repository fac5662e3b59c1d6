"""How fast Rower Data decodes, beside pyftms in the same run.

    pip install pyftms              (on Python 3.12 or newer: 0.2.20 declares 3.11 and is no Python 3.11 in its syntax)
    python benchmarks/decode.py

Prints notifications per second and the ratio.  Absolute figures lie on shared machines; the ratio is the figure.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from rowsync.ftms import decode_rower_data

PAYLOADS = {
    "one frame, 20 octets": ["2c0b3002000a0000d100160001000202084a1e00"],
    "all fields, 30 octets": ["fe1f3064002e39300082008700c800be00050064005802 0a8c5b2c018403".replace(" ", "")],
    "a pair with More Data": ["ff0a34cb0000c000cf00320027008c00005400", "00013e24000900d701ff"],
}
SECONDS = 0.5


def rate(decode: Callable[[bytes], object], payloads: list[bytes]) -> float:
    """Notifications per second: the best of five tries of `SECONDS` each."""
    best = 0.0
    for _ in range(5):
        count, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < SECONDS:
            for _ in range(1000):
                for payload in payloads:
                    decode(payload)
            count += 1000 * len(payloads)
        best = max(best, count / spent)
    return best


def peers() -> dict[str, Callable[[bytes], object]]:
    """Pyftms's decoder, and its live path from the callback to the event; empty when it isn't installed."""
    try:
        from pyftms.client.backends.updater import DataUpdater
        from pyftms.models import RowerData
        from pyftms.serializer import get_serializer
    except (ImportError, SyntaxError) as error:
        print(f"pyftms is not measured: {error}", file=sys.stderr)
        return {}
    deserialize = get_serializer(RowerData).deserialize
    notify = DataUpdater(RowerData, lambda event: None)._on_notify
    return {
        "pyftms decode": lambda payload: deserialize(bytearray(payload)),
        "pyftms live path": lambda payload: notify(None, bytearray(payload)),
    }


def main() -> None:
    """Measure and print."""
    try:
        print(f"pyftms {version('pyftms')}, Python {sys.version.split()[0]}")
    except PackageNotFoundError:
        print(f"Python {sys.version.split()[0]}")
    print(f"{'':24}{'':18}{'notifications/s':>16}{'rowsync is':>14}")
    for name, texts in PAYLOADS.items():
        payloads = [bytes.fromhex(text) for text in texts]
        ours = rate(decode_rower_data, payloads)
        print(f"{name:24}{'rowsync':18}{ours:16,.0f}")
        for peer, decode in peers().items():
            try:
                theirs = rate(decode, payloads)
            except Exception as error:  # what a peer raises on real frames is a finding, not a fault of the benchmark
                print(f"{'':24}{peer:18}raises {error!r}")
                continue
            print(f"{'':24}{peer:18}{theirs:16,.0f}{ours / theirs:12.0f} x")


if __name__ == "__main__":
    main()
