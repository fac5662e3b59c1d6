"""The index: one row a session, made from the files of samples alone, so that nothing is lost with it.

It says of which files it was made.  Whoever reads it looks at what lies on the shelf, and reads those files anew that
are others by now; so it needs no lock to be right, and one that a slower writer put in the place of a newer one costs
somebody a second look, and no session.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from rowsync.errors import RecordingError, Unreadable
from rowsync.shelf import Placed, Shelf, is_pack, name_of
from rowsync.table import INDEX, Part, by_time, file_bytes, packed_names, read, row_of

KEY = "sessions.parquet"
KIND = "samples"
_NEVER = -1
"""The mark of a file that couldn't be read just now: it is tried again the next time."""


class File(NamedTuple):
    """A file that the index was made of.

    Attributes:
        mark: as of `Placed`.
        written_ns: when it was written [ns].
        names: what the sessions in it are called.
    """

    mark: int
    written_ns: int
    names: list[str]


class Index(NamedTuple):
    """The index, oldest session first.

    Attributes:
        table: one row a session, as in `INDEX`.
        left_out: why sessions have no row, by what their files are called.
        files: the files that it was made of, by their keys.
    """

    table: pa.Table
    left_out: dict[str, str]
    files: dict[str, File]

    def with_row(self, row: pa.Table, placed: Placed) -> Index:
        """The index with a session's row, in place of one that it may have."""
        session_id, own = row["session_id"][0], placed.name
        others = self.table.filter(pc.not_equal(self.table["session_id"], session_id))
        left_out = {name: why for name, why in self.left_out.items() if name != own}
        files = {key: file for key, file in self.files.items() if file.names != [own]}
        files[placed.key] = File(placed.mark, placed.written_ns, [own])
        return Index(by_time([others, row]), left_out, files)

    @property
    def content(self) -> bytes:
        """The index as a file."""
        files = {key: list(file) for key, file in sorted(self.files.items())}
        return file_bytes(self.table, left_out=dict(sorted(self.left_out.items())), files=files)


def nothing() -> Index:
    """An index of nothing."""
    return Index(INDEX.empty_table(), {}, {})  # when it is needed: pyarrow loads pandas for it


def held(shelf: Shelf) -> Index:
    """The index as it is stored; an empty one where none is that can be read."""
    part = Part(shelf, KEY, name_of(KEY))
    try:
        table, said = read(part, INDEX, "left_out", "files")
        files = {key: File(*fields) for key, fields in said["files"].items()}
        left_out = {name: str(why) for name, why in said["left_out"].items()}
        known = {name for file in files.values() for name in file.names}
    except (RecordingError, AttributeError, TypeError):
        return nothing()
    rows = table["session_id"].to_pylist()
    is_whole = not (table["session_id"].null_count or table["started_at"].null_count)
    is_true = {*rows, *left_out} == known and len(rows) + len(left_out) == len(known)
    return Index(table, left_out, files) if is_whole and is_true else nothing()


def updated(index: Index, shelf: Shelf) -> Index:
    """An index with what changed on the shelf since read again, and without what is gone; the same where nothing did.

    Raises:
        OSError: the shelf can't be reached.
    """
    listed = {placed.key: placed for placed in shelf.listing(KIND) if placed.key.endswith(".parquet")}
    kept = {key: file for key, file in index.files.items() if key in listed and listed[key].mark == file.mark}
    if len(kept) == len(listed) == len(index.files):
        return index
    files = kept | {key: file_of(shelf, placed) for key, placed in listed.items() if key not in kept}
    before, after = owners(index.files), owners(files)
    wanted = {name: key for name, key in after.items() if key not in kept or before.get(name) != key}
    stay = after.keys() - wanted.keys()
    is_kept = [name in stay for name in index.table["session_id"].to_pylist()]
    tables = [index.table.filter(pa.array(is_kept, pa.bool_()))]
    left_out = {name: why for name, why in index.left_out.items() if name in stay}
    for name, key in wanted.items():
        try:
            tables.append(row_of(part_of(shelf, key, files[key], name)))
        except RecordingError as error:  # which whoever opens it is told
            left_out[name] = str(error)
            if isinstance(error, Unreadable):
                files[key] = files[key]._replace(mark=_NEVER)
    return Index(by_time(tables), left_out, files)


def part_of(shelf: Shelf, key: str, file: File, name: str) -> Part:
    """Where in a file a session's samples lie."""
    group = file.names.index(name) if is_pack(key) and name != name_of(key) else None
    return Part(shelf, key, name, file.mark, group)


def owners(files: Mapping[str, File]) -> dict[str, str]:
    """Which file counts for each session, by what it is called.

    One of its own before a pack; of several of a kind that one which was written last.
    """
    owner: dict[str, str] = {}
    for key, file in sorted(files.items(), key=_by_weight):
        for name in file.names:
            owner.setdefault(name, key)
    return owner


def _by_weight(entry: tuple[str, File]) -> tuple[bool, int, str]:
    key, file = entry
    return is_pack(key), -file.written_ns, key


def file_of(shelf: Shelf, placed: Placed, known: Mapping[str, File] | None = None) -> File:
    """A file and what it holds; of a pack that can't be read, itself, so that it is told of.

    Args:
        shelf: the shelf.
        placed: the file.
        known: files that needn't be read again, by their keys.
    """
    file = (known or {}).get(placed.key)
    if file is not None and file.mark == placed.mark:
        return file
    names = [placed.name]
    if placed.is_pack:
        with suppress(RecordingError):
            names = packed_names(Part.whole(shelf, placed))
    return File(placed.mark, placed.written_ns, names)
