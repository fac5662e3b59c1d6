"""How long an hour's journal at 4 Hz takes to be recovered: the demand is less than a second.

python -m tests.torture.recovery
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rowsync.recording import read_recording, recording_bytes
from rowsync.session import analyse
from rowsync.store import Store
from rowsync.telemetry import Notification
from tests.synthetic import repeats, rowed, sent
from tests.torture.kill import template
from tests.torture.suite import scratch
from tests.torture.works import whole

HZ = 4
DEMAND_S = 1.0
TIMES = 3


def hour() -> bytes:
    """The journal of an hour of intervals, four notifications a second."""
    pieces, _ = repeats(25, 45, 220.0, 75, 80.0)
    strokes, end_s = rowed([*pieces, (300, 90.0)])
    items = [
        Notification(round(each.time_s + part / HZ, 3), each.characteristic, each.payload)
        for each in sent(strokes, end_s)
        for part in range(HZ)
    ]
    return recording_bytes(replace(whole("new").header, session_id="hour"), items)


def measured(do: Callable[[], object]) -> tuple[float, float]:
    """How long it took [s], and how long the processor worked for it [s]."""
    wall_s, processor_s = time.perf_counter(), time.process_time()
    do()
    return time.perf_counter() - wall_s, time.process_time() - processor_s


def measure(place: Path) -> dict[str, tuple[float, float]]:
    """The quickest of `TIMES`, of recovering as a whole and of its parts."""
    journal = place / "data" / "journal" / "hour.jsonl"
    journal.parent.mkdir(parents=True, exist_ok=True)
    content, store = hour(), Store(place / "data")
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(TIMES):
        journal.write_bytes(content)
        recording = read_recording(journal)
        for name, do in (
            ("reading the journal", lambda: read_recording(journal)),
            ("analysing", lambda recording=recording: analyse(recording.header, recording.items)),
            ("recovering, all of it", store.recover),
        ):
            found.setdefault(name, []).append(measured(do))
    return {name: min(times) for name, times in found.items()}


def main() -> int:
    """The command."""
    with scratch() as place:
        template(place / "data")
        rows = measure(place)
    for name, (wall_s, processor_s) in rows.items():
        print(f"{name}: {wall_s:.2f} s, {processor_s:.2f} s of the processor")
    wall_s, processor_s = rows["recovering, all of it"]
    reached = "reached" if processor_s < DEMAND_S else "NOT reached"
    print(f"The demand, less than {DEMAND_S:.0f} s of the processor for an hour at {HZ} Hz, is {reached}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
