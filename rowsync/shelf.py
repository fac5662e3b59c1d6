"""Where the files of a store lie: by their keys, each written whole or not at all.

    <kind>/athlete=<athlete>/year=<year>/<session>.<suffix>   one session's
    <kind>/athlete=<athlete>/year=<year>/pack~<crc>.parquet   those of many sessions, one row group each
    sessions.parquet                                          the index

`Folder` is a folder of this computer; `rowsync.bucket` is any other file system.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from zlib import crc32

from rowsync.files import locked, make_folder, replacing, sync_folder

PACK = "pack~"
"""How the name of a file begins that holds several sessions; no slug has such a letter."""


class Placed(NamedTuple):
    """A file on a shelf.

    Attributes:
        key: how it is called there.
        mark: another one once another file lies there.
        written_ns: when it was written: of several of one session that one counts which was written last [ns].
    """

    key: str
    mark: int
    written_ns: int

    @property
    def name(self) -> str:
        """What it is called, without its folder and its suffix."""
        return name_of(self.key)

    @property
    def is_pack(self) -> bool:
        """Whether it holds several sessions."""
        return is_pack(self.key)


class Shelf(Protocol):
    """A place of files.

    Every method may raise an OSError: the place can't be reached, or refuses.

    Attributes:
        is_shared: whether several computers may write there, so that nothing but whole files is agreed upon.
        advice: what whoever can't write there may do.
    """

    is_shared: bool
    advice: str

    def __hash__(self) -> int: ...

    def label(self, key: str = "") -> str:
        """How a person finds a file, or the place itself."""

    def listing(self, kind: str) -> list[Placed]:
        """All files of a kind, by their keys."""

    def folder(self, folder: str) -> list[Placed]:
        """The files of one athlete's year, given `<kind>/athlete=<athlete>/year=<year>`."""

    def found(self, kind: str, file: str) -> list[Placed]:
        """The files of a kind that are called so, whichever athlete's and year's; the one written last comes first.

        Args:
            kind: which.
            file: their name; a `*` stands for anything.
        """

    def look_again(self) -> None:
        """What was seen before may have changed."""

    def placed(self, key: str) -> Placed | None:
        """The file of that key; None when there is none."""

    def read(self, key: str) -> bytes:
        """What is in a file."""

    def source(self, key: str) -> Any:
        """A file, as pyarrow opens it."""

    def put(self, key: str, content: bytes) -> None:
        """Write a file, whole or not at all; it survives a power cut from then on."""

    def remove(self, key: str) -> None:
        """Remove a file; one that is gone already is no error."""

    def move(self, key: str, other: str) -> None:
        """Give a file another key."""

    def is_one(self, key: str, other: str) -> bool:
        """Whether two keys are one file's."""

    def writing(self) -> AbstractContextManager[None]:
        """One writer at a time, or on a shared shelf: not while it is packed."""

    def packing(self) -> AbstractContextManager[None]:
        """Nobody else writes meanwhile."""


def name_of(key: str) -> str:
    """What a file is called, without its folder and its suffix."""
    file = key.rpartition("/")[2]  # a hundred thousand are asked at a time, for which pathlib takes seconds
    return file.rpartition(".")[0] or file


def is_pack(key: str) -> bool:
    """Whether a file holds several sessions."""
    return key.rpartition("/")[2].startswith(PACK)


def folder_of(key: str) -> str:
    """The folder of a file."""
    return key.rpartition("/")[0]


def written_last(placed: Iterator[Placed] | list[Placed]) -> list[Placed]:
    """Files of one session, the one that was written last first: a crash may have left the one that it replaced."""
    return sorted(placed, key=lambda each: (-each.written_ns, each.key))


class Folder:
    """A shelf that is a folder of this computer.

    Args:
        path: the folder; made when something is first written.
    """

    is_shared = False
    advice = "Nothing is lost: free some space, or choose another folder with --data, and try again."

    def __init__(self, path: Path) -> None:
        self.path = path

    def label(self, key: str = "") -> str:
        """How a person finds a file, or the folder itself."""
        return str(self.path / key)

    def listing(self, kind: str) -> list[Placed]:
        """All files of a kind, by their keys."""
        entries = sorted(_entries(str(self.path / kind), depth=2), key=lambda entry: entry.path)
        return list(filter(None, (self._of_entry(entry) for entry in entries)))

    def folder(self, folder: str) -> list[Placed]:
        """The files of one athlete's year."""
        entries = sorted(_entries(str(self.path / folder), depth=0), key=lambda entry: entry.path)
        return list(filter(None, (self._of_entry(entry) for entry in entries)))

    def found(self, kind: str, file: str) -> list[Placed]:
        """The files of a kind that are called so; the one written last comes first."""
        paths = self.path.glob(f"{kind}/*/*/{file}")
        return written_last(list(filter(None, (self.placed(self._key(path)) for path in paths))))

    def look_again(self) -> None:
        """It looks each time."""

    def placed(self, key: str) -> Placed | None:
        """The file of that key; None when there is none."""
        try:
            return _placed(key, (self.path / key).stat())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read(self, key: str) -> bytes:
        """What is in a file."""
        return (self.path / key).read_bytes()

    def source(self, key: str) -> Path:
        """Where a file lies."""
        return self.path / key

    def put(self, key: str, content: bytes) -> None:
        """Write a file beside its place, sync it, rename it and sync its folder."""
        with replacing(self.path / key) as file:
            file.write(content)

    def remove(self, key: str) -> None:
        """Remove a file."""
        path = self.path / key
        path.unlink(missing_ok=True)
        sync_folder(path.parent)

    def move(self, key: str, other: str) -> None:
        """Give a file another key."""
        path, target = self.path / key, self.path / other
        make_folder(target.parent)
        path.replace(target)
        sync_folder(target.parent)
        sync_folder(path.parent)

    def is_one(self, key: str, other: str) -> bool:
        """Whether two keys are one file's, as they are on a disk that takes Anna for anna."""
        path, another = self.path / key, self.path / other
        return key == other or (path.exists() and path.samefile(another))

    def writing(self) -> AbstractContextManager[None]:
        """One writer at a time."""
        return locked(self.path)

    packing = writing

    def _of_entry(self, entry: os.DirEntry[str]) -> Placed | None:
        with suppress(FileNotFoundError):  # it went this moment
            return _placed(self._key(entry.path), entry.stat()) if not entry.name.endswith(".tmp") else None
        return None

    def _key(self, path: str | Path) -> str:
        return str(path)[len(str(self.path)) + 1 :]  # a hundred times as fast as `relative_to`


def _placed(key: str, stat: os.stat_result) -> Placed:
    """A file by what the system says of it.

    When it came to lie there marks it, not when it was written, which a copy or another computer's clock may say
    otherwise: whatever changes a file, or puts it there, changes that time.
    """
    return Placed(key, crc32(b"%d %d" % (stat.st_ctime_ns, stat.st_size)), stat.st_mtime_ns)


def _entries(folder: str, depth: int) -> Iterator[os.DirEntry[str]]:
    """What lies so many folders below a folder."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if depth == 0:
                yield entry
            elif entry.is_dir():
                yield from _entries(entry.path, depth - 1)
