"""Sessions as parquet: the columns, and files that say so when a bit of them was altered.

What is known of a session stands in its file's metadata, with a CRC, since page checksums don't cover a file's footer.
So does a CRC of what is in the columns: one flipped bit of the footer can give a column the pages of another.  Page
checksums are on: without them most flipped bits read back as wrong numbers.

A pack holds the tables of several sessions, one row group each, and the metadata of each as its own file had it.
"""

from __future__ import annotations

import functools
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rowsync import __version__
from rowsync.bests import DISTANCES_M, DURATIONS_S
from rowsync.errors import NewerFile, RecordingError, Unreadable
from rowsync.intervals import Effort
from rowsync.recording import LARGEST_BYTES, Recording, header_fields, note_fields
from rowsync.session import Session, weighted_mean
from rowsync.shelf import Placed, Shelf, is_pack, name_of
from rowsync.slug import slug
from rowsync.telemetry import Sample
from rowsync.wording import outside_text

SCHEMA = 6
"""2: more columns of samples; 3: intervals with confidence, plans kept; 4: energy in parts, training; 5: fade;
6: bests.

An older one is made anew when it is read, and so is what an older energy model reckoned; `rebuild` makes all anew.
"""
_METADATA = b"rowsync"
_OF_SESSION = b"rowsync."
_PACKED = "packed"
_COLUMNS_CRC = "columns_crc"

MOST_ROWS = 1 << 24
"""No recording of `LARGEST_BYTES` holds more packets."""

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
        ("power_source", _TEXT),
        ("heart_rate_bpm", _INTEGER),
        ("heart_rate_source", _TEXT),
        ("resistance_level", _NUMBER),
        ("drag_factor", _NUMBER),
        ("machine_energy_kcal", _NUMBER),
        ("machine_energy_per_hour_kcal", _NUMBER),
        ("machine_elapsed_s", _NUMBER),
        ("machine_effort", _TEXT),
        ("drive_time_s", _NUMBER),
        ("recovery_time_s", _NUMBER),
        ("drive_length_m", _NUMBER),
        ("peak_force_n", _NUMBER),
        ("average_force_n", _NUMBER),
        ("work_per_stroke_j", _NUMBER),
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
        ("machine_address", _TEXT),
        ("duration_s", _NUMBER),
        ("moving_s", _NUMBER),
        ("distance_m", _NUMBER),
        ("stroke_count", _INTEGER),
        ("mean_power_w", _NUMBER),
        ("mean_stroke_rate_spm", _NUMBER),
        ("mean_pace_s_per_500m", _NUMBER),
        ("mean_heart_rate_bpm", _NUMBER),
        ("heart_rate_source", _TEXT),
        ("gross_kcal", _NUMBER),
        ("net_kcal", _NUMBER),
        ("low_kcal", _NUMBER),
        ("high_kcal", _NUMBER),
        ("net_low_kcal", _NUMBER),
        ("net_high_kcal", _NUMBER),
        ("machine_kcal", _NUMBER),
        ("energy_model", _TEXT),
        ("hard_intervals", _INTEGER),
        ("mean_hard_power_w", _NUMBER),
        ("load", _NUMBER),
        ("load_by", _TEXT),
        ("power_source", _TEXT),
        ("doubtful_power", pa.bool_()),
        *((f"power_{duration_s}s_w", _NUMBER) for duration_s in DURATIONS_S),
        *((f"best_{distance_m}m_s", _NUMBER) for distance_m in DISTANCES_M),
        ("schema", _INTEGER),
        ("settings_crc", _TEXT),
    ]
)


COLUMNS = {"raw": RAW, "samples": SAMPLES, "index": INDEX}
"""Of each kind of file."""

PROMISED = {"raw": ("header", "events"), "samples": ("summary",), "index": ("left_out", "files")}
"""What the metadata of each kind of file must say."""


class Part(NamedTuple):
    """Where one session's table lies, or what a person said of it.

    Attributes:
        shelf: the shelf.
        key: the file's.
        name: what the session's files are called.
        mark: another one once another file lies there.
        group: which row group of a pack it is; None for a file of its own.
    """

    shelf: Shelf
    key: str
    name: str
    mark: int = 0
    group: int | None = None

    @classmethod
    def whole(cls, shelf: Shelf, placed: Placed) -> Part:
        """All of a file."""
        return cls(shelf, placed.key, placed.name, placed.mark)

    def __str__(self) -> str:
        """How a person finds the file."""
        return self.shelf.label(self.key)


# --- what the tables hold ---------------------------------------------------------------------------------------------


def samples_table(session: Session) -> pa.Table:
    """A session's samples as a table; columns as in `SAMPLES`."""
    columns = zip(*session.samples, strict=True) if session.samples else ((),) * len(Sample._fields)
    named = dict(zip(Sample._fields, columns, strict=True))
    return pa.Table.from_pydict(
        {"session_id": [session.header.session_id] * len(session.samples), **named}, schema=SAMPLES
    )


def samples_of(table: pa.Table) -> list[Sample]:
    """The samples that are in a table."""
    return [Sample(**row) for row in table.drop_columns("session_id").to_pylist()]


def raw_bytes(recording: Recording) -> bytes:
    """A session's file of bytes; columns as in `RAW`."""
    columns = {
        "time_us": [round(notification.time_s * 1e6) for notification in recording.notifications],
        "characteristic": [notification.characteristic for notification in recording.notifications],
        "value": [notification.payload for notification in recording.notifications],
    }
    header, events = header_fields(recording.header), list(map(note_fields, recording.notes))
    return file_bytes(pa.Table.from_pydict(columns, schema=RAW), header=header, events=events)


def index_row(summary: Mapping[str, Any], settings_crc: str | None, schema: int | None = None) -> pa.Table:
    """A session's row of the index.

    Args:
        summary: as `Session.summary` makes it.
        settings_crc: a mark of what the settings say of its athlete.
        schema: by which its file was written; today's by default.

    Raises:
        LookupError, TypeError, ValueError, AttributeError, OverflowError: that is no summary.
    """
    energy, hard = summary["energy"], [i for i in summary["intervals"] if i["effort"] == Effort.HARD]
    hard_power_w = weighted_mean((i["mean_power_w"], i["duration_s"]) for i in hard)
    bests = {f"power_{name}s_w": power_w for name, power_w in (summary.get("best_powers_w") or {}).items()}
    bests |= {f"best_{name}m_s": time_s for name, time_s in (summary.get("best_times_s") or {}).items()}
    found = {**summary, **energy, **(summary.get("training") or {}), **bests}
    row = {name: found.get(name) for name in INDEX.names} | {
        "started_at": datetime.fromisoformat(summary["started_at"]),
        "machine": summary["machine"].get("name"),
        "machine_address": address if isinstance(address := summary["machine"].get("address"), str) else None,
        "energy_model": energy["model"],
        "doubtful_power": summary["doubtful_power"] is not None if "doubtful_power" in summary else None,
        "schema": SCHEMA if schema is None else schema,
        "settings_crc": settings_crc,
        "hard_intervals": len(hard),
        "mean_hard_power_w": None if hard_power_w is None else round(hard_power_w, 6),
    }
    return pa.Table.from_pylist([row], schema=INDEX)


def row_of(part: Part) -> pa.Table:
    """The row of the index that a table of samples stands for.

    Raises:
        RecordingError: it isn't one of ours, was altered, or is from a newer rowsync.
    """
    return _row(part, metadata(part, "summary"))


def _row(part: Part, said: Mapping[str, Any]) -> pa.Table:
    """The row of the index of what a file of samples says; errors as of `row_of`."""
    try:
        row = index_row(said["summary"], said.get("settings_crc"), said["schema"])
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        raise RecordingError(f"{part} says nothing of its session that the index could hold.") from None
    session_id = row["session_id"][0].as_py()
    if session_id != part.name:
        raise RecordingError(f"{part} holds another session, {outside_text(session_id)}: call it so.")
    return row


def values(column: pa.ChunkedArray) -> list[Any]:
    """A column's values; for moments pyarrow itself would load pandas."""
    if not pa.types.is_timestamp(column.type):
        plain: list[Any] = column.to_pylist()
        return plain
    return [None if us is None else _EPOCH + timedelta(microseconds=us) for us in column.cast(pa.int64()).to_pylist()]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def by_time(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of indexes, oldest first."""
    together = pa.concat_tables(tables).combine_chunks()
    return together.sort_by([("started_at", "ascending"), ("session_id", "ascending")])


# --- reading ----------------------------------------------------------------------------------------------------------


def check(kind: str, part: Part) -> dict[str, Any]:
    """Read a table with every check that there is.

    Args:
        kind: "raw", "samples" or "index".
        part: where it lies.

    Returns:
        What its file says of it.

    Raises:
        RecordingError: it can't be read, was altered, isn't ours, or is from a newer rowsync.
    """
    is_known = kind == "raw" or is_todays(metadata(part))
    columns = COLUMNS[kind] if is_known else pq.read_schema(part.shelf.source(part.key))
    _, said = read(part, columns, *PROMISED[kind] if is_known else ())
    if kind == "samples":
        _row(part, said)
    elif kind == "raw" and slug(str(said["header"].get("session_id"))) != part.name:
        raise RecordingError(f"{part} holds another session.")
    return said


def read_table(part: Part, schema: pa.Schema) -> pa.Table:
    """Read a whole table, every page checked; arguments and errors as of `read`."""
    return read(part, schema)[0]


def read(part: Part, schema: pa.Schema, *promised: str) -> tuple[pa.Table, dict[str, Any]]:
    """Read a whole table, every page checked, and what its file says of the session, opening it once.

    Args:
        part: where it lies.
        schema: what its columns must be.
        promised: the keys that the file must say something under.

    Raises:
        RecordingError: it can't be read, isn't one of ours, was altered, or is from a newer rowsync.
    """
    texts = [field.name for field in schema if field.type in (_TEXT, pa.binary())]
    try:  # `read_table` loads pandas and datasets
        source, footer = part.shelf.source(part.key), _footer(part) if part.group is not None else None
        with pq.ParquetFile(
            source,
            metadata=footer and footer.found,
            page_checksum_verification=True,
            read_dictionary=texts,
        ) as file:
            said = _told(part, footer.kept if footer else file.metadata.metadata or {}, promised)
            _refuse_others(part, file.metadata, schema)
            table = file.read() if part.group is None else file.read_row_group(part.group)
        if sum(_octets(table[name]) for name in texts) > LARGEST_BYTES:
            raise RecordingError(f"{part} holds more text than any session.")
        table = table.cast(schema)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        _raise_unreadable(part, error)
        raise RecordingError(f"{part} can't be read: {first_line(error)}.") from None
    if table.num_rows != said.get("rows", table.num_rows):
        raise RecordingError(f"{part} doesn't have all of its rows: it was altered.")
    if _COLUMNS_CRC in said and said[_COLUMNS_CRC] != _columns_crc(table):
        raise RecordingError(f"{part} doesn't hold what was written into it: it was altered.")
    return table, said


def _refuse_others(part: Part, found: pq.FileMetaData, schema: pa.Schema) -> None:
    """Refuse, before any of it is in memory, a table that isn't one of ours or says that it is larger than any.

    Raises:
        RecordingError: it is.
    """
    columns = found.schema.to_arrow_schema()
    if (columns.names, columns.types) != (schema.names, schema.types):
        raise RecordingError(f"{part} doesn't have the columns of one of rowsync's files.")
    sizes = [found.row_group(number) for number in _groups(part, found)]
    rows = found.num_rows if part.group is None else sum(each.num_rows for each in sizes)
    if rows > MOST_ROWS or sum(each.total_byte_size for each in sizes) > LARGEST_BYTES:
        raise RecordingError(f"{part} is larger than any session.")


def _groups(part: Part, found: pq.FileMetaData) -> Sequence[int]:
    return range(found.num_row_groups) if part.group is None else (part.group,)


def _octets(column: pa.ChunkedArray) -> int:
    """How many octets the texts of a column take, each as often as it occurs; one that repeats is stored once."""
    lengths = (pc.take(pc.binary_length(chunk.dictionary), chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(each).as_py() or 0 for each in lengths)


def metadata(part: Part, *promised: str) -> dict[str, Any]:
    """What a file says of a session; `promised` are the keys that it must have.

    Raises:
        RecordingError: it isn't one of ours, was altered, or is from a newer rowsync.
    """
    try:
        kept = _footer(part).kept
    except (pa.ArrowException, OSError, ValueError) as error:
        _raise_unreadable(part, error)
        raise RecordingError(f"{part} is not one of rowsync's files, or it was altered.") from None
    return _told(part, kept, promised)


def _told(part: Part, kept: Mapping[bytes, bytes], promised: Sequence[str]) -> dict[str, Any]:
    """What a file's metadata says of a session; errors as of `metadata`."""
    try:
        said: dict[str, Any] = _sound(kept[_key(part)])
        newer = said["schema"] > SCHEMA
        if not newer and not all(isinstance(said[key], (dict, list)) for key in promised):
            raise ValueError
    except (KeyError, ValueError, TypeError, RecursionError):
        raise RecordingError(f"{part} is not one of rowsync's files, or it was altered.") from None
    if newer:
        version = outside_text(said.get("rowsync"))
        raise NewerFile(f"{part} was written by a newer rowsync ({version}): update this one.")
    return said


def is_todays(said: Mapping[str, Any]) -> bool:
    """Whether a file's metadata says that it was written by today's schema; a newer one is refused before."""
    schema: int = said["schema"]
    return schema == SCHEMA


def rows_held(part: Part) -> int:
    """How many rows a table has, as its file says; 0 where it is no parquet file.

    Raises:
        Unreadable: nobody can tell just now.
    """
    try:
        found = _footer(part).found
        rows: int = found.num_rows if part.group is None else found.row_group(part.group).num_rows
    except (pa.ArrowException, OSError) as error:
        _raise_unreadable(part, error)
        return 0
    return rows


def packed_names(part: Part) -> list[str]:
    """What the sessions of a pack are called, in the order of its row groups.

    Raises:
        RecordingError: it isn't one of ours, was altered, or is from a newer rowsync.
    """
    names = metadata(part, _PACKED)[_PACKED]
    if not all(isinstance(name, str) for name in names):
        raise RecordingError(f"{part} is not one of rowsync's files, or it was altered.")
    return list(names)


def _key(part: Part) -> bytes:
    """Under which key of its file's metadata a session's stands."""
    return _METADATA if part.group is None else _OF_SESSION + part.name.encode()


class _Footer(NamedTuple):
    """What stands at the end of a parquet file.

    Attributes:
        found: where its columns lie.
        kept: its key-value metadata.
    """

    found: pq.FileMetaData
    kept: Mapping[bytes, bytes]


def _footer(part: Part) -> _Footer:
    """A file's footer; a pack's is read once for all of its sessions, for it has what is said of each."""
    if part.mark and is_pack(part.key):
        return _footer_of_pack(part.shelf, part.key, part.mark)
    return _read_footer(part)


@functools.lru_cache(maxsize=2)
def _footer_of_pack(shelf: Shelf, key: str, mark: int) -> _Footer:
    return _read_footer(Part(shelf, key, name_of(key), mark))


def _read_footer(part: Part) -> _Footer:
    found = pq.read_metadata(part.shelf.source(part.key))
    return _Footer(found, found.metadata or {})


def _sound(text: bytes) -> Any:
    """What a text with its CRC says.

    Raises:
        ValueError, RecursionError: it was altered.
    """
    crc, content = text.split(b" ", 1)
    if int(crc, 16) != crc32(content):
        raise ValueError
    return json.loads(content)


def _raise_unreadable(part: Part, error: BaseException) -> None:
    """Tell a file that the system doesn't let be read from one that isn't sound."""
    if isinstance(error, OSError) and error.errno is None:  # pyarrow says so of a bad page, and where closing failed
        try:
            content = part.shelf.read(part.key)
            pq.ParquetFile(io.BytesIO(content), page_checksum_verification=True).read()
        except (pa.ArrowException, OSError, ValueError) as again:
            error = again
        else:
            raise Unreadable(f"{part} could not be read: {first_line(error)}. Try again.") from None
    number = error.errno if isinstance(error, OSError) else None
    if number is not None:
        raise Unreadable(f"{part} can't be read: {os.strerror(number)}.") from None


# --- writing ----------------------------------------------------------------------------------------------------------


def file_bytes(table: pa.Table, **content: Any) -> bytes:
    """A parquet file of one table, and what is said of it in its metadata."""
    described = {"schema": SCHEMA, "rowsync": __version__, "rows": table.num_rows, _COLUMNS_CRC: _columns_crc(table)}
    return _written([table], table.schema, {_METADATA: _sealed(described | content)})


def alone(part: Part, schema: pa.Schema) -> bytes:
    """A session of a pack as a file of its own, as it was before.

    Raises:
        RecordingError: it can't be read.
    """
    return _written([read_table(part, schema)], schema, {_METADATA: _footer(part).kept[_key(part)]})


def pack_bytes(parts: Sequence[Part], schema: pa.Schema) -> bytes:
    """A parquet file of several sessions' tables, each with the metadata that it had.

    Raises:
        RecordingError: one of them can't be read.
    """
    names = [part.name for part in parts]
    said = {_METADATA: _sealed({"schema": SCHEMA, "rowsync": __version__, _PACKED: names})}
    for part in parts:
        metadata(part)
        said[_OF_SESSION + part.name.encode()] = _footer(part).kept[_key(part)]
    return _written((read_table(part, schema) for part in parts), schema, said)


def _written(tables: Iterable[pa.Table], schema: pa.Schema, said: Mapping[bytes, bytes]) -> bytes:
    file = io.BytesIO()
    with pq.ParquetWriter(file, schema, **_format(schema)) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=MOST_ROWS)
        writer.add_key_value_metadata(said)
    return file.getvalue()


def _sealed(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, separators=(",", ":")).encode()
    return b"%08x %s" % (crc32(text), text)


def _columns_crc(table: pa.Table) -> str:
    """A CRC-32 of the values of a table, column by column; how a file holds them makes no difference."""
    crc = 0
    for column in table.columns:
        for part in _bytes_of(column.combine_chunks()):
            crc = crc32(part, crc)
    return f"{crc:08x}"


def _bytes_of(column: pa.Array) -> Iterator[memoryview]:
    """Which values of a column there are, and these."""
    yield _fixed(column.is_valid().cast(pa.uint8()))
    values = column.drop_null()
    if values.type in (pa.string(), pa.binary()):
        texts = values.cast(pa.binary())
        yield _fixed(pc.binary_length(texts))
        yield memoryview(b"".join(texts.to_pylist()))
    else:
        yield _fixed(values.cast(_PLAIN.get(values.type, values.type)))


_PLAIN = {pa.bool_(): pa.uint8(), pa.timestamp("us", tz="UTC"): pa.int64()}
"""As what values are summed up that aren't numbers of whole bytes."""


def _fixed(numbers: pa.Array) -> memoryview:
    """The bytes of numbers, none of them absent."""
    width = numbers.type.bit_width // 8
    return memoryview(numbers.buffers()[1] or b"")[numbers.offset * width : (numbers.offset + len(numbers)) * width]


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


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0][:200].rstrip(".")
