"""CSV for spreadsheets and scripts: one row a sample, columns with their units, as in the store."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from io import StringIO
from typing import Any

from rowsync.exports.picture import Picture
from rowsync.telemetry import Sample
from rowsync.wording import no_formula, stamp

COLUMNS = ("session_id", "athlete", "at", *Sample._fields, "interval", "effort")


def csv_bytes(picture: Picture) -> bytes:
    """A session's samples as CSV in UTF-8; what wasn't measured is empty."""
    return table_bytes(COLUMNS, (_row(picture, sample) for sample in picture.samples))


def table_bytes(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A table as CSV in UTF-8: None is empty, and no text of it runs as a formula in a spreadsheet."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _row(picture: Picture, sample: Sample) -> list[Any]:
    interval = picture.interval_at(sample.time_s) or {}
    began = picture.began.astimezone(UTC)
    return [
        picture.summary["session_id"],
        picture.athlete,
        stamp(began + timedelta(seconds=sample.time_s)),
        *sample,
        interval.get("number"),
        interval.get("effort"),
    ]


def _cell(value: Any) -> Any:
    """A cell; numbers to a millionth, which is finer than any measurement, and whole ones without a point."""
    if not isinstance(value, float):
        return no_formula(value)
    rounded = round(value, 6)
    return int(rounded) if rounded.is_integer() else rounded
