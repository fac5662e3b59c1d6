"""Cells of tables: numbers with points or commas, times as clocks, dates; a blank one is None.

Each reader raises ValueError where the text says nothing of the kind.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from rowsync.recording import YEARS

BLANK = frozenset({"", "-", "--", "nan", "null", "none", "n/a"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d*)?)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?")


def number(cell: str) -> float | None:
    """A number with a decimal point."""
    if cell.casefold() in BLANK:
        return None
    if not _NUMBER.fullmatch(cell):
        raise ValueError(cell)
    return float(cell)


def seconds(cell: str) -> float | None:
    """Seconds, as a number or as a clock: `123.4`, `2:03.4`, `0:02:03.4`."""
    if clock := _CLOCK.fullmatch(cell):
        hours, minutes, rest = clock.groups()
        return 3600.0 * float(hours or 0) + 60.0 * float(minutes) + float(rest)
    return number(cell)


def text(cell: str) -> str:
    """Any text."""
    return cell


def moment(cell: str) -> datetime | None:
    """A date with a time of day, in ISO 8601, of a year in which somebody can have recorded a row."""
    return None if cell.casefold() in BLANK else _rowed(datetime.fromisoformat(cell))


def unix_moment(cell: str) -> datetime | None:
    """Seconds since 1970, or a date in ISO 8601."""
    if not _NUMBER.fullmatch(cell):
        return moment(cell)
    try:
        return _rowed(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(cell)))
    except OverflowError:
        raise ValueError(cell) from None


def _rowed(at: datetime) -> datetime:
    if at.year not in YEARS:
        raise ValueError(at)
    return at


def unix_s(at: datetime) -> float:
    """Seconds since 1970; of a moment without a zone as if it were in UTC [s]."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def moment_within(line: str) -> datetime | None:
    """The first date with a time of day in a line of prose; None without one."""
    try:
        return moment(found[0]) if (found := _DATE.search(line)) else None
    except ValueError:
        return None
