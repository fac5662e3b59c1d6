"""Tables of other tools (CSV), recognised by their columns, read by `layouts`."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from rowsync.errors import RecordingError
from rowsync.imports.cells import moment_within, unix_s
from rowsync.imports.layouts import LAYOUTS, Column, Layout
from rowsync.imports.row import LIMITS, MOST_POINTS, Point, Row, believed, unrolled
from rowsync.wording import count, outside_text

DELIMITERS = ",;\t"
HEADING_WITHIN = 30
"""Some tools write a title, and a few lines more, before the names of the columns."""

LONGEST_LINE = 100_000
"""Characters; with a curve of forces a stroke's line has some hundreds."""

SUMMARIES = {"work time (formatted)", "work time (seconds)", "work distance"}
"""Columns of Concept2's list of a season: a line a row, without strokes."""


class Heading(NamedTuple):
    """Where the names of a table's columns stand.

    Attributes:
        layout: whose table it is.
        line: the number of their line, 0 for the first.
        delimiter: what stands between cells.
        columns: the column at each place; None for one that isn't read.
        names: what the file calls each.
    """

    layout: Layout
    line: int
    delimiter: str
    columns: tuple[Column | None, ...]
    names: tuple[str, ...]


def read_table(content: str) -> list[Row]:
    """Read a table; mostly one row, several where the tool writes them into one file.

    Raises:
        RecordingError: it is no table that is known, or a cell says what can't be.
    """
    heading = _heading(_LINE_END.split(content, HEADING_WITHIN)[:HEADING_WITHIN])
    lines = _lines(content)
    try:
        found = [cells for cells in _cells(heading, lines) if cells]
    except csv.Error as error:
        raise RecordingError(f"It can't be read as a table: {error}.") from None
    announced = next(filter(None, map(moment_within, lines[: heading.line])), None)
    rows = [_row(heading, list(part)) for _, part in groupby(found, key=lambda cells: cells.get("row"))]
    return [replace(row, started_at=row.started_at or announced) for row in rows]


_LINE_END = re.compile(r"\r\n|\r|\n")


def _lines(content: str) -> list[str]:
    """The lines, counted before they are parted: millions of them would take many times the memory of their text."""
    if content.count("\n") + content.count("\r") - content.count("\r\n") >= MOST_POINTS:
        raise RecordingError(f"It has more than {MOST_POINTS} lines, as no row has. Nothing of it was imported.")
    lines = _LINE_END.split(content)
    if max(map(len, lines)) > LONGEST_LINE:
        raise RecordingError("It has a line that is longer than any of a row. Nothing of it was imported.")
    return lines


# --- the heading ------------------------------------------------------------------------------------------------------


def _heading(lines: Sequence[str]) -> Heading:
    seen: Sequence[str] = ()
    for number, line in enumerate(lines):
        if len(line) > LONGEST_LINE:
            break
        for delimiter in DELIMITERS:
            names = _names(line, delimiter)
            for layout in LAYOUTS:
                columns = _columns(layout, names)
                if set(layout.needs) <= {column.quantity for column in columns if column}:
                    return Heading(layout, number, delimiter, columns, names)
            seen = names if len(names) > max(len(seen), 2) else seen
    if {name.casefold() for name in seen} >= SUMMARIES:
        raise RecordingError("It lists rows without their strokes. Export the stroke data of each row instead.")
    if not seen:
        raise RecordingError("It is no file of a row that rowsync knows.")
    named = ", ".join(f'"{outside_text(name, 20)}"' for name in seen[:6])
    raise RecordingError(f"It is no table that rowsync knows; its columns are {named}.")


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        (names,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
    except (csv.Error, ValueError):
        return ()
    return tuple(name.strip(' "') for name in names)


def _columns(layout: Layout, names: Sequence[str]) -> tuple[Column | None, ...]:
    """Which column stands at each place; of a column's variants the first that is there."""
    places = {name.casefold(): at for at, name in reversed(list(enumerate(names)))}
    columns: list[Column | None] = [None] * len(names)
    for column in layout.columns:
        if at := [places[name] for name in column.names if name in places]:
            columns[at[0]] = column
    return tuple(columns)


# --- the lines --------------------------------------------------------------------------------------------------------


def _cells(heading: Heading, lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What each line says, by quantity, with its `place`; nothing of a line that is blank."""
    reader = csv.reader(lines[heading.line + 1 :], delimiter=heading.delimiter, skipinitialspace=True)
    for row in reader:
        if any(cell.strip() for cell in row):
            yield _line(heading, row, f"Line {heading.line + 1 + reader.line_num}")


def _line(heading: Heading, row: Sequence[str], place: str) -> dict[str, Any]:
    said: dict[str, Any] = {"place": place}
    for column, name, cell in zip(heading.columns, heading.names, row, strict=False):
        if column is None:
            continue
        value = _said(column, cell.strip(' "'), heading.delimiter, place, name)
        if isinstance(value, float) and isinstance(before := said.get(column.quantity), float):
            value += before
        if value is not None:
            said[column.quantity] = value
    return said


def _said(column: Column, cell: str, delimiter: str, place: str, name: str) -> Any:
    """What one cell says."""
    name = outside_text(name, 40)
    # Where commas part cells, one within a cell could as well be a thousand's: it is refused.
    plain = cell.replace(",", ".") if delimiter != "," and column.quantity in LIMITS else cell
    try:
        value = column.read(plain)
    except ValueError:
        raise RecordingError(
            f'{place}, "{name}": {outside_text(cell, 30)!r} can\'t be read. Nothing of it was imported.'
        ) from None
    if not isinstance(value, float):
        return value
    converted = value if column.convert is None else column.convert(value)
    return believed(column.quantity, converted, place, name)


# --- the row ----------------------------------------------------------------------------------------------------------


def _row(heading: Heading, lines: Sequence[dict[str, Any]]) -> Row:
    layout = heading.layout
    by_moment = any("moment" in line for line in lines)
    timed = [line for line in lines if ("moment" if by_moment else "time_s") in line]
    if not by_moment and not any("part" in line for line in timed):
        _number_pieces(timed)
    if not by_moment:
        timed = _by_clock(timed)
    remarks = []
    if left_out := len(lines) - len(timed):
        remarks.append(f"{count(left_out, 'line')} without a time {'was' if left_out == 1 else 'were'} left out.")
    started_at, times_s = _by_moment(timed) if by_moment else (None, [line["time_s"] for line in timed])
    strokes: float = 0
    points = []
    for time_s, line in zip(times_s, timed, strict=True):
        strokes += line.get("new_strokes", 0)
        counted: dict[str, Any] = {"stroke_count": strokes} if "new_strokes" in line else {}
        points.append(Point(time_s, **{name: line[name] for name in _OF_POINT & line.keys()}, **counted))
    return Row(layout.kind, tuple(points), layout.machine, started_at, remarks=tuple(remarks))


_OF_POINT = frozenset(Point.__slots__) - {"time_s"}


def _number_pieces(lines: list[dict[str, Any]]) -> None:
    """Say of each line which piece it belongs to: one begins where clock and metres fall, and aren't back in a line."""
    piece = 0
    for before, line, after in zip(lines[:1] + lines, lines, lines[1:] + lines[-1:], strict=False):
        falls = [line.get(name, 0.0) < before.get(name, 0.0) for name in CLOCK_AND_METRES]
        is_back = [after.get(name, 0.0) >= before.get(name, 0.0) for name in CLOCK_AND_METRES]
        piece += all(falls) and not all(is_back)
        line["part"] = str(piece)


CLOCK_AND_METRES = ("time_s", "distance_m")


def _by_clock(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines with times of a clock that goes on where theirs begins again; those without the odd ones."""
    # A rest's clock may be back at once where the piece's ended, so whatever falls with a part begins with it.
    parts = (line.get("part", "") for line in lines)
    times = unrolled((line["time_s"] for line in lines), parts, few=MOST_POINTS)
    return [line | {"time_s": time_s} for line, time_s in zip(lines, times, strict=True) if time_s is not None]


def _by_moment(lines: Sequence[Mapping[str, Any]]) -> tuple[datetime | None, list[float]]:
    """When the row's time 0 was, and times since then [s]."""
    if not lines:
        return None, []
    has_zone = lines[0]["moment"].tzinfo is not None
    moments = [unix_s(line["moment"]) for line in lines]
    moments = moments if has_zone else _unfolded(moments)
    first_s = min(moments)
    # A tool that also counts seconds says by them how long the first stroke took.
    offset_s = lines[0].get("time_s", 0.0) if moments[0] == first_s else 0.0
    offset_s = offset_s if offset_s <= 60 else 0.0
    times = [moment_s - first_s + offset_s for moment_s in moments]
    for time_s, line in zip(times, lines, strict=True):
        believed("time_s", time_s, line["place"], "time")
    started = datetime.fromtimestamp(first_s - offset_s, UTC)
    ends = [time_s + line.get("duration_s", 0.0) for time_s, line in zip(times, lines, strict=True)]
    return (started if has_zone else started.replace(tzinfo=None)), ends


HOUR_S, LONGEST_STEP_S = 3600.0, 600.0
"""What a local clock falls by when summer time ends, and how long at most a row pauses just then [s]."""


def _unfolded(moments_s: list[float]) -> list[float]:
    """Moments of a local clock on which none comes twice: after the end of summer time they go on an hour later [s]."""
    for at, (before_s, after_s) in enumerate(pairwise(moments_s), start=1):
        if 0 <= after_s + HOUR_S - before_s <= LONGEST_STEP_S:
            return moments_s[:at] + [moment_s + HOUR_S for moment_s in moments_s[at:]]
    return moments_s
