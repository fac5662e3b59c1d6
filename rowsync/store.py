"""The store: sessions as parquet, one file of samples and one of raw notifications each, and an index of them all.

    <data>/journal/<session>.jsonl                                   while it is rowed (rowsync.journal)
    <data>/samples/athlete=<athlete>/year=<year>/<session>.parquet   what was rowed
    <data>/raw/athlete=<athlete>/year=<year>/<session>.parquet       the bytes: the truth all else is rebuilt from
    <data>/sessions.parquet                                          one row a session, rebuildable

A session enters by one way: its recording is analysed and written, whether it was just rowed, left behind by a crash,
or imported.  Files are written beside their place, synced, renamed and their folder synced; a journal goes only after
that.  Page checksums are on: without them most flipped bits read back as wrong numbers.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rowsync import __version__
from rowsync.errors import RecordingError, SessionNotFound, StoreError
from rowsync.intervals import Effort
from rowsync.journal import claimed, journals_left, sync_folder
from rowsync.recording import Recording, header_fields, header_from_fields, read_recording
from rowsync.session import Session, analyse
from rowsync.telemetry import Notification

SCHEMA = 1
_METADATA = b"rowsync"

_INTEGER, _NUMBER, _TEXT = pa.int32(), pa.float64(), pa.string()

# The one place where the columns are named and typed; the names are those of `telemetry.Sample`.
SAMPLES = pa.schema(
    [
        ("session_id", _TEXT),
        ("time_s", _NUMBER),
        ("moving", pa.bool_()),
        ("stroke_count", _INTEGER),
        ("stroke_rate_spm", _NUMBER),
        ("distance_m", _NUMBER),
        ("pace_s_per_500m", _NUMBER),
        ("power_w", _NUMBER),
        ("heart_rate_bpm", _INTEGER),
        ("resistance_level", _NUMBER),
        ("machine_energy_kcal", _NUMBER),
        ("machine_elapsed_s", _NUMBER),
    ]
)
RAW = pa.schema([("time_us", pa.int64()), ("characteristic", _TEXT), ("value", pa.binary())])
INDEX = pa.schema(
    [
        ("session_id", _TEXT),
        ("started_at", pa.timestamp("us", tz="UTC")),
        ("athlete", _TEXT),
        ("plan", _TEXT),
        ("origin", _TEXT),
        ("machine", _TEXT),
        ("duration_s", _NUMBER),
        ("moving_s", _NUMBER),
        ("distance_m", _NUMBER),
        ("stroke_count", _INTEGER),
        ("mean_power_w", _NUMBER),
        ("mean_stroke_rate_spm", _NUMBER),
        ("mean_pace_s_per_500m", _NUMBER),
        ("mean_heart_rate_bpm", _NUMBER),
        ("gross_kcal", _NUMBER),
        ("net_kcal", _NUMBER),
        ("low_kcal", _NUMBER),
        ("high_kcal", _NUMBER),
        ("machine_kcal", _NUMBER),
        ("energy_model", _TEXT),
        ("hard_intervals", _INTEGER),
        ("mean_hard_power_w", _NUMBER),
    ]
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """One journal that a crash had left behind: the session it became, or why it could not."""

    journal: Path
    summary: dict[str, Any] | None
    problem: str | None = None


class Store:
    """The sessions below one folder.

    Args:
        folder: the data folder; made when something is first written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, recording: Recording) -> dict[str, Any]:
        """Analyse a recording and store it; storing the same again replaces it.

        Raises:
            StoreError: the folder can't be written; what was there before is untouched.
        """
        session = analyse(recording.header, recording.notifications)
        summary = session.summary()
        with _writing(self.folder):
            header, events = header_fields(recording.header), list(recording.events)
            _write(self._path("raw", session), _raw_table(recording), header=header, events=events)
            _write(self._path("samples", session), _samples_table(session), summary=summary)
            rows = self._rows_but(session.header.session_id)
            self._write_index([*rows, _index_row(summary)])
        return summary

    def finish(self, journal: Path) -> Recovery | None:
        """Store the session of a journal that nobody writes any more, then remove the journal.

        A journal with refused lines is kept in `journal/damaged`, since they may yet be read by a better eye.

        Returns:
            What became of it; None when another process holds it, or has stored it already.

        Raises:
            StoreError: the folder can't be written; the journal stays.
        """
        with claimed(journal) as ours:
            if not ours:
                return None
            try:
                recording = read_recording(journal)
            except RecordingError as error:
                self._set_aside(journal)
                return Recovery(journal, None, str(error))
            summary = self.add(recording)
            if recording.refused_lines:
                self._set_aside(journal)
            else:
                with _writing(self.folder):
                    journal.unlink()
                    sync_folder(journal.parent)
            return Recovery(journal, summary)

    def recover(self) -> list[Recovery]:
        """Store every session that a crash left behind as a journal."""
        return [each for each in map(self.finish, journals_left(self.folder)) if each is not None]

    def index(self) -> pd.DataFrame:
        """One row a session, newest first; an index that is missing or unreadable is made anew.

        Columns: as in `INDEX`.
        """
        index: pd.DataFrame = pa.Table.from_pylist(self._rows(), schema=INDEX).to_pandas()
        return index.sort_values("started_at", ascending=False, ignore_index=True, kind="stable")

    def find(self, name: str | None = None) -> str:
        """The id of the session that a name, or the beginning of one, stands for; None is the latest.

        Raises:
            SessionNotFound: there is none, or more than one.
        """
        index = self.index()
        if index.empty:
            raise SessionNotFound(f"There are no sessions in {self.folder} yet. Row one, or try: rowsync demo")
        if name is None or name == "latest":
            return str(index.session_id.iloc[0])
        matches = [found for found in index.session_id if found == name] or [
            found for found in index.session_id if found.startswith(name)
        ]
        if len(matches) == 1:
            return str(matches[0])
        what = "No session is" if not matches else f"{len(matches)} sessions are"
        raise SessionNotFound(f"{what} called {_printable(name)}. `rowsync sessions` lists them.")

    def summary(self, session_id: str) -> dict[str, Any]:
        """One session without its series, as `Session.summary` made it.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file is not ours, altered, or newer than this rowsync.
        """
        summary: dict[str, Any] = _metadata(self._file("samples", session_id))["summary"]
        return summary

    def samples(self, session_id: str) -> pd.DataFrame:
        """One session's samples; columns as in `SAMPLES`, missing values as NaN.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file is not ours or altered.
        """
        table: pd.DataFrame = _read(self._file("samples", session_id), SAMPLES).to_pandas()
        return table

    def recording(self, session_id: str) -> Recording:
        """One session's bytes, as they were recorded.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file is not ours or altered.
        """
        path = self._file("raw", session_id)
        metadata, table = _metadata(path), _read(path, RAW)
        columns = (table[name].to_pylist() for name in RAW.names)
        notifications = tuple(Notification(us / 1e6, name, value) for us, name, value in zip(*columns, strict=True))
        return Recording(header_from_fields(metadata["header"], session_id), notifications, tuple(metadata["events"]))

    # --- files --------------------------------------------------------------------------------------------------------

    def _path(self, kind: str, session: Session) -> Path:
        header = session.header
        folder = self.folder / kind / f"athlete={_slug(header.athlete.name)}" / f"year={header.started_at.year:04d}"
        return folder / f"{_slug(header.session_id)}.parquet"

    def _file(self, kind: str, session_id: str) -> Path:
        found = sorted(self.folder.glob(f"{kind}/*/*/{_slug(session_id)}.parquet"))
        if not found:
            raise SessionNotFound(f"No session is called {_printable(session_id)}. `rowsync sessions` lists them.")
        return found[0]

    def _set_aside(self, journal: Path) -> None:
        with _writing(self.folder):
            _move(journal, journal.parent / "damaged")
            sync_folder(journal.parent)

    # --- the index ----------------------------------------------------------------------------------------------------

    @property
    def _index_path(self) -> Path:
        return self.folder / "sessions.parquet"

    def _rows(self) -> list[dict[str, Any]]:
        try:
            rows: list[dict[str, Any]] = _read(self._index_path, INDEX).to_pylist()
            return rows
        except RecordingError:
            return self._rows_from_files()

    def _rows_but(self, session_id: str) -> list[dict[str, Any]]:
        return [row for row in self._rows() if row["session_id"] != session_id]

    def _rows_from_files(self) -> list[dict[str, Any]]:
        rows = []
        for path in sorted(self.folder.glob("samples/*/*/*.parquet")):
            try:
                rows.append(_index_row(_metadata(path)["summary"]))
            except RecordingError:
                continue  # not one of ours: `rowsync check` names it
        return rows

    def _write_index(self, rows: list[dict[str, Any]]) -> None:
        rows.sort(key=lambda row: (row["started_at"], row["session_id"]))
        _write(self._index_path, pa.Table.from_pylist(rows, schema=INDEX))


# --- tables -----------------------------------------------------------------------------------------------------------


def _samples_table(session: Session) -> pa.Table:
    columns: dict[str, Any] = {
        name: [getattr(sample, name) for sample in session.samples] for name in SAMPLES.names if name != "session_id"
    }
    columns["session_id"] = [session.header.session_id] * len(session.samples)
    return pa.Table.from_pydict(columns, schema=SAMPLES)


def _raw_table(recording: Recording) -> pa.Table:
    columns = {
        "time_us": [round(notification.time_s * 1e6) for notification in recording.notifications],
        "characteristic": [notification.characteristic for notification in recording.notifications],
        "value": [notification.payload for notification in recording.notifications],
    }
    return pa.Table.from_pydict(columns, schema=RAW)


def _index_row(summary: dict[str, Any]) -> dict[str, Any]:
    energy, hard = summary["energy"], [i for i in summary["intervals"] if i["effort"] == Effort.HARD]
    power = [(i["mean_power_w"], i["duration_s"]) for i in hard if i["mean_power_w"] is not None]
    rowed_s = sum(duration_s for _, duration_s in power)
    row = {name: summary.get(name) for name in INDEX.names} | {name: energy[name] for name in energy if name != "model"}
    return row | {
        "started_at": pd.Timestamp(summary["started_at"]),
        "machine": summary["machine"].get("name"),
        "energy_model": energy["model"],
        "hard_intervals": len(hard),
        "mean_hard_power_w": sum(watts * duration_s for watts, duration_s in power) / rowed_s if rowed_s else None,
    }


# --- reading and writing ----------------------------------------------------------------------------------------------


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a whole file, every page checked.

    Raises:
        RecordingError: it can't be read, or its columns aren't those of the schema.
    """
    try:
        table = pq.read_table(path, page_checksum_verification=True, partitioning=None)
        names = table.schema.names
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise RecordingError(f"{path} can't be read: {_first_line(error)}.") from None
    if names != schema.names:
        raise RecordingError(f"{path} doesn't have the columns of one of rowsync's files.")
    return table


def _metadata(path: Path) -> dict[str, Any]:
    """What a file says of its session.

    Raises:
        RecordingError: it isn't one of ours, was altered, or is from a newer rowsync.
    """
    try:
        crc, text = (pq.read_metadata(path).metadata or {})[_METADATA].split(b" ", 1)
        if int(crc, 16) != crc32(text):
            raise ValueError
        metadata: dict[str, Any] = json.loads(text)
    except (pa.ArrowException, OSError, KeyError, ValueError):
        raise RecordingError(f"{path} is not one of rowsync's files, or it was altered.") from None
    if metadata["schema"] > SCHEMA:
        raise RecordingError(f"{path} was written by a newer rowsync ({metadata['rowsync']}): update this one.")
    return metadata


def _write(path: Path, table: pa.Table, **content: Any) -> None:
    """Write a parquet file so that a crash leaves the old one or the new one, whole.

    What is known of the session goes into its metadata, with a CRC: page checksums don't cover a file's footer.
    """
    _make_folder(path.parent)
    beside = path.with_suffix(".tmp")
    text = json.dumps({"schema": SCHEMA, "rowsync": __version__, **content}, separators=(",", ":")).encode()
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            with pq.ParquetWriter(file, table.schema, **_format(table.schema)) as writer:
                writer.write_table(table)
                writer.add_key_value_metadata({_METADATA: b"%08x %s" % (crc32(text), text)})
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _format(schema: pa.Schema) -> dict[str, Any]:
    """How a table is written: small, and with a checksum for every page."""
    integers = [field.name for field in schema if pa.types.is_integer(field.type)]
    numbers = [field.name for field in schema if pa.types.is_floating(field.type)]
    return {
        "compression": "zstd",
        "column_encoding": dict.fromkeys(integers, "DELTA_BINARY_PACKED") | dict.fromkeys(numbers, "BYTE_STREAM_SPLIT"),
        "use_dictionary": [name for name in schema.names if name not in (*integers, *numbers)],
        "write_page_checksum": True,
        "store_schema": False,  # Arrow's own copy of the schema would be one more thing to be altered unnoticed
    }


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """One writer at a time; a disk that refuses becomes a `StoreError`."""
    try:
        _make_folder(folder)
        with open(folder / "lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"{folder} can't be written: {_first_line(error)}. Nothing is lost: free some space, or choose "
            "another folder with --data, and try again."
        ) from None


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def _move(path: Path, folder: Path) -> None:
    _make_folder(folder)
    path.replace(folder / path.name)
    sync_folder(folder)


def _slug(name: str) -> str:
    """A name as a file or folder name on any system."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:80] or "-"


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name[:80])


def _first_line(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0][:200].rstrip(".")
