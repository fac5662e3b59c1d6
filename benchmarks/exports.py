"""What an hour of rowing weighs in each format, and how long it takes to write.

    python benchmarks/exports.py

The hour is the virtual rower's, a notification a second, with heart rate: real sizes, no radio.  Parquet is what the
store keeps: the raw bytes and the samples.  Sizes don't depend on the machine that this runs on; times do, so that the
ratios are the figures.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rowsync.athlete import Athlete
from rowsync.exports import FORMATS, Picture, session_bytes
from rowsync.plan import parse_plan
from rowsync.recording import Recording, recording_bytes
from rowsync.session import Header, analyse
from rowsync.store import Store
from rowsync.telemetry import Notification
from rowsync.virtual.machine import STANDARD, Console
from rowsync.virtual.rower import VirtualRower

HOUR = "5m + 25x45/75 + 5m"
TRIES = 5


def hour(notifications_per_s: int = 1) -> Recording:
    """An hour of intervals."""
    (frame,) = STANDARD.frames
    console = Console(replace(STANDARD, frames=(replace(frame, period_s=1 / notifications_per_s),)))
    rower = VirtualRower(parse_plan(HOUR))
    times = [number / notifications_per_s for number in range(notifications_per_s * 3600)]
    items = [Notification(at, "2ad1", payload) for at in times for payload in console.feed(rower.advance(at))]
    header = Header("benchmark", datetime(2026, 11, 23, tzinfo=UTC), athlete=Athlete(mass_kg=75.0), plan=HOUR)
    return Recording(header, tuple(items))


def stored(recording: Recording) -> tuple[int, int, float]:
    """Bytes of the raw and of the samples' parquet, and how long storing took [s], analysis included."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        Store(Path(folder)).add(recording)
        took_s = time.perf_counter() - start
        raw, samples = (
            sum(path.stat().st_size for path in Path(folder).glob(f"{kind}/*/*/*.parquet"))
            for kind in ("raw", "samples")
        )
    return raw, samples, took_s


def best_s(form: str, picture: Picture) -> float:
    """How long a format takes: the best of `TRIES`."""
    best = float("inf")
    for _ in range(TRIES):
        start = time.perf_counter()
        session_bytes(form, picture)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    """Measure and print."""
    recording = hour()
    session = analyse(recording.header, recording.items)
    picture = Picture(session.summary(), session.samples, session.strokes, recording.header.started_at)
    raw, samples, storing_s = stored(recording)
    kept = raw + samples
    print(
        f"Python {sys.version.split()[0]}; an hour of {len(recording.items):,} notifications, {len(session.strokes)} ",
        end="",
    )
    print(f"strokes, {len(session.intervals)} intervals")
    print(f"{'':24}{'bytes':>10}{'gzipped':>10}{'x parquet':>11}{'ms':>8}")
    print(f"{'parquet, raw':24}{raw:10,}")
    print(f"{'parquet, samples':24}{samples:10,}")
    print(f"{'parquet, both':24}{kept:10,}{'':10}{1:11.1f}{storing_s * 1000:8.0f}   (with the analysis)")
    lines = recording_bytes(recording.header, recording.items)
    print(f"{'recording (journal)':24}{len(lines):10,}{len(gzip.compress(lines)):10,}{len(lines) / kept:11.1f}")
    for form in FORMATS:
        content = session_bytes(form, picture)
        zipped, took_s = len(gzip.compress(content)), best_s(form, picture)
        print(f"{form:24}{len(content):10,}{zipped:10,}{len(content) / kept:11.1f}{took_s * 1000:8.0f}")


if __name__ == "__main__":
    main()
