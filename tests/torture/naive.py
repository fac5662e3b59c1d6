"""Two recorders as they are usually written, to stand beside ours: none of their mistakes is far-fetched.

Both show a batch as saved when writing it returned, and try again with the next one where it failed.
"""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from rowsync.store import Store
from rowsync.telemetry import Notification
from tests.torture.calls import Tell
from tests.torture.works import whole

Rows = list[Notification]


def _batches(random: Random) -> list[Rows]:
    """What came until each showing, as our recorder gets it."""
    rows, until, batches = list(whole("new").notifications), 0, []
    while until < len(rows):
        until += random.randint(1, 8)
        batches.append(rows[:until])
    return batches


def rewriting(store: Store, tell: Tell, random: Random) -> None:
    """Rewrite a parquet file in place, every second."""
    for rows in _batches(random):
        table = pa.table(
            {
                "time_s": [row.time_s for row in rows],
                "characteristic": [row.characteristic for row in rows],
                "value": [row.payload for row in rows],
            }
        )
        with suppress(OSError):
            pq.write_table(table, store.folder / "new.parquet")
            tell({"saved": {"new": len(rows)}})


def rewritten(folder: Path) -> list[Notification] | None:
    """What is in the file; None where it can't be read."""
    try:
        columns = pq.ParquetFile(folder / "new.parquet").read().to_pydict()
        return [Notification(*row) for row in zip(*columns.values(), strict=True)]
    except (pa.ArrowException, OSError):
        return None


def appending(store: Store, tell: Tell, random: Random) -> None:
    """Append to a CSV file, without a sync."""
    written = 0
    for rows in _batches(random):
        with suppress(OSError):
            with open(store.folder / "new.csv", "a", newline="") as file:
                lines = ((row.time_s, row.characteristic, row.payload.hex()) for row in rows[written:])
                csv.writer(file).writerows(lines)
            written = len(rows)
            tell({"saved": {"new": written}})


def appended(folder: Path) -> list[Notification] | None:
    """Every line that can be read; None where none can."""
    rows = []
    try:
        text = (folder / "new.csv").read_bytes().decode(errors="replace").replace("\0", "")
    except OSError:
        return None
    for row in csv.reader(io.StringIO(text)):
        with suppress(ValueError, TypeError):
            time_s, characteristic, value = row
            rows.append(Notification(float(time_s), characteristic, bytes.fromhex(value)))
    return rows or None
