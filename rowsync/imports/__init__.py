"""Rows out of other tools' files: FIT, TCX, and the tables of eight tools, recognised by what they hold.

A file becomes a `Recording` of Rower Data notifications and enters the store like any other: what is known of it is
derived from bytes (`notifications` says what they can't hold).

From the ground up:

- `cells`: numbers, clocks and dates in tables
- `row`: one row as a file tells it, settled, and refused where nobody can have rowed it
- `layouts`: which columns which tool writes
- `table`, `fit`, `tcx`: the readers
- `packing`: gzip, and what is none of ours
- `notifications`: a row as bytes
- `twins`: what is in the store already
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zlib import crc32

from rowsync.athlete import Athlete
from rowsync.days import zone
from rowsync.errors import RecordingError
from rowsync.imports.fit import read_fit
from rowsync.imports.notifications import items_of
from rowsync.imports.packing import unpacked
from rowsync.imports.row import Row, settled
from rowsync.imports.table import read_table
from rowsync.imports.tcx import read_tcx
from rowsync.recording import YEARS, Recording
from rowsync.session import SYNTHETIC, Header

CONVERTED = "converted"
"""The origin of an imported session."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One row of a file, ready for the store.

    Attributes:
        recording: its bytes.
        mark: what is the same for the same row of the same file, whenever it is imported.
        is_dated: whether the file says when it was rowed.
        remarks: sentences on what the file lacks, and what stands in for it.
    """

    recording: Recording
    mark: str
    is_dated: bool
    remarks: tuple[str, ...]


def read_import(
    content: bytes, name: str, changed_at: datetime, athlete: str, time_zone: str | None = None, *, now: datetime
) -> list[Imported]:
    """Read a file of another tool; mostly one row, several where the tool writes them into one file.

    Args:
        content: its bytes, packed with gzip or not.
        name: its name without folders, kept with the session to be found again.
        changed_at: when it was last changed, with a zone; stands in for a date that it doesn't hold.
        athlete: who rowed.
        time_zone: where, for dates without a zone; None is this computer's.
        now: the present moment, with a zone; stands in for a last change in a year in which nobody recorded a row.

    Raises:
        RecordingError: it is none that can be read, or nobody can have rowed what it says.
    """
    mark = file_mark(content)
    rows = [settled(row) for row in _rows(unpacked(content))]
    if not rows:
        raise RecordingError("It holds no samples of a row.")
    marks = [mark, *(f"{mark}-{number}" for number in range(2, len(rows) + 1))]
    instead = _instead_of_a_date(changed_at, now)
    return [_imported(row, each, name, instead, athlete, time_zone) for row, each in zip(rows, marks, strict=True)]


def file_mark(content: bytes) -> str:
    """The mark of a file's first row, found without reading the file: the CRC-32 of its unpacked content.

    Raises:
        RecordingError: it can't be unpacked.
    """
    return f"{crc32(unpacked(content)):08x}"


def _rows(content: bytes) -> list[Row]:
    if content[8:12] == b".FIT":
        return read_fit(content)
    text = _text(content)
    if text.lstrip().startswith("<"):
        return read_tcx(content.lstrip())
    if _CONTROLS.search(text, 0, 4096):
        raise RecordingError("It is no file of a row that rowsync knows.")
    if "rowsync_recording" in text[:200]:
        raise RecordingError("It is a recording of rowsync's own: rowsync replay FILE --store")
    if text.lstrip().startswith(("{", "[")):
        raise RecordingError("It is JSON; rowsync imports FIT, TCX and CSV.")
    return read_table(text)


_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
"""What no text holds."""


def _text(content: bytes) -> str:
    """A file as text: in UTF-8 or UTF-16 as its first octets say, else as older programs write it."""
    try:
        return content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _imported(
    row: Row, mark: str, name: str, instead: tuple[datetime, str], athlete: str, time_zone: str | None
) -> Imported:
    started_at, remark = instead if row.started_at is None else _in_utc(row.started_at, time_zone)
    header = Header(
        session_id=f"{started_at:%Y%m%dT%H%M%SZ}-import-{mark}",
        started_at=started_at,
        origin=SYNTHETIC if row.is_made_up else CONVERTED,
        source=row.kind,
        machine={"name": row.machine} if row.machine else {},
        athlete=Athlete(athlete),
    )
    remarks = (*row.remarks, remark) if remark else row.remarks
    return Imported(Recording(header, items_of(row, name)), mark, row.started_at is not None, remarks)


def _instead_of_a_date(changed_at: datetime, now: datetime) -> tuple[datetime, str]:
    """What stands in for the start of a row without a date, in UTC, and what there is to say of that."""
    if changed_at.astimezone(UTC).year in YEARS:
        return changed_at.astimezone(UTC), "It holds no date: the time of its file's last change stands in."
    return now.astimezone(UTC), "It holds no date, and its file's can't be right: the present moment stands in."


def _in_utc(started_at: datetime, time_zone: str | None) -> tuple[datetime, str]:
    """When a row began, in UTC, and what there is to say of that."""
    remark = ""
    if started_at.tzinfo is None:
        started_at = started_at.replace(tzinfo=zone(time_zone)) if time_zone else started_at.astimezone()
        remark = f"Its date has no time zone: it is taken as {time_zone or 'this computer'}'s."
    in_utc = started_at.astimezone(UTC)
    if in_utc.year not in YEARS:
        raise RecordingError(f"Nobody rowed it in {in_utc.year}. Nothing of it was imported.")
    return in_utc, remark
