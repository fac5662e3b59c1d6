"""An event loop whose clock also counts while the computer sleeps.

asyncio's own clock is the system's monotonic one, which on Linux stands still while a laptop's lid is closed: ten
minutes would be missing in the middle of a row, and nothing would say so.
"""

from __future__ import annotations

import asyncio
import time

CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that no one sets, and that goes on while the computer sleeps: Linux's `CLOCK_BOOTTIME`; `CLOCK_MONOTONIC` on
macOS, which counts that too (clock_gettime(2) and clock_gettime(3) there)."""


class AwakeLoop(asyncio.SelectorEventLoop):
    """asyncio's selector loop on that clock.  What was due while the computer slept is done when it wakes."""

    def time(self) -> float:
        """The clock [s]."""
        return time.clock_gettime(CLOCK)
