"""A shelf on any file system that fsspec knows: a bucket of S3 or of what speaks like it, a server's folder, and so on.

Several computers may write there.  They agree on nothing but whole files: a session's file is put there in one piece,
the index says of itself which files it was made of, and an older copy of it costs a second look.  Only whoever packs
needs the others to wait.  For that it puts a note beside the sessions, and renews it; a note that nobody renewed for
`STALE_S` was left by a crash, and counts no more.

How the place is reached (keys, endpoint) is what fsspec's own file system reads from its environment and settings.
"""

from __future__ import annotations

import errno
import io
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from zlib import crc32

from rowsync.errors import UsageError
from rowsync.shelf import Placed, folder_of, is_pack, written_last

OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "az", "memory"}
"""File systems that take a file whole or not at all; on any other it is written beside its place and renamed."""

NOTE = "packing"
"""The note of whoever packs."""

GRACE_S = 10.0
"""Whoever packs waits so long after its note, so that whoever saw none has put its files there by then [s]."""

RENEWED_S = 30.0
STALE_S = 120.0
TICK_S = 1.0

SEEN_FOR_S = 5.0
"""So long one look at what lies there is good for finding one session [s]."""

_TAGS = ("ETag", "etag")
"""How file systems call what is otherwise once a file holds something else; those that don't have its time and size."""

_WRITTEN = ("LastModified", "last_modified", "mtime", "updated", "created")
"""How they say when it was written."""


class _Note(NamedTuple):
    """A packer's note: whose it is, and when it was written last [s]."""

    token: bytes
    written_s: float


class Bucket:
    """A shelf on a file system of fsspec's.

    Args:
        address: where, such as `s3://club/rowing`.

    Raises:
        UsageError: no file system is known or installed for such an address.
    """

    is_shared = True
    advice = "Nothing is lost: a row stays in its journal, and the next command stores it. Check address and keys."

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        try:
            from fsspec.core import url_to_fs

            self._files, self._root = url_to_fs(self.address, use_listings_cache=False, skip_instance_cache=True)
        except (ImportError, ValueError) as error:
            what = f"{self.address} can't be reached: {str(error).rstrip('.')}."
            raise UsageError(f"{what} For a bucket of S3: pip install 'rowsync[s3]'") from None
        self._is_whole = not OBJECT_STORES.isdisjoint(_protocols(self._files))
        self._seen: dict[str, tuple[float, dict[str, Placed]]] = {}
        self._note: _Note | None = None

    def __reduce__(self) -> tuple[type[Bucket], tuple[str]]:
        """A connection is made anew wherever this goes."""
        return Bucket, (self.address,)

    def label(self, key: str = "") -> str:
        """How a person finds a file, or the place itself."""
        return f"{self.address}/{key}".rstrip("/")

    def listing(self, kind: str) -> list[Placed]:
        """All files of a kind, by their keys."""
        with _asked():
            found = self._files.find(self._path(kind), detail=True)
        seen = [self._placed(path, info) for path, info in sorted(found.items()) if info.get("type") != "directory"]
        self._seen[kind] = time.monotonic(), {placed.key: placed for placed in seen}
        return seen

    def folder(self, folder: str) -> list[Placed]:
        """The files of one athlete's year."""
        try:
            with _asked():
                found = self._files.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return []
        return sorted(self._placed(info["name"], info) for info in found if info.get("type") != "directory")

    def found(self, kind: str, file: str) -> list[Placed]:
        """The files of a kind that are called so; the one written last comes first."""
        seen_s, _ = self._seen.get(kind, (-SEEN_FOR_S, {}))
        if time.monotonic() - seen_s > SEEN_FOR_S:
            self.listing(kind)
        return written_last([each for key, each in self._seen[kind][1].items() if fnmatchcase(key, f"*/{file}")])

    def look_again(self) -> None:
        """What was seen before may have changed."""
        self._seen.clear()

    def placed(self, key: str) -> Placed | None:
        """The file of that key; None when there is none."""
        try:
            with _asked():
                return self._placed(self._path(key), self._files.info(self._path(key)))
        except FileNotFoundError:
            return None

    def read(self, key: str) -> bytes:
        """What is in a file."""
        self._renew()
        return self._read(key)

    def _read(self, key: str) -> bytes:
        with _asked():
            content: bytes = self._files.cat_file(self._path(key))
        return content

    def source(self, key: str) -> Any:
        """A file, as pyarrow opens it: all of it, or of a pack what is asked for."""
        if not is_pack(key):
            return io.BytesIO(self.read(key))
        self._renew()
        with _asked():
            return self._files.open(self._path(key), "rb", block_size=1 << 20)

    def put(self, key: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        self._renew()
        with _asked():
            if self._is_whole:
                self._files.pipe_file(self._path(key), content)
            else:
                self._put_beside(self._path(key), content)
        kind = key.partition("/")[0]
        if kind in self._seen and (placed := self.placed(key)) is not None:
            self._seen[kind][1][key] = placed

    def _put_beside(self, path: str, content: bytes) -> None:
        beside = f"{path}.{os.getpid()}.tmp"
        self._files.makedirs(folder_of(path), exist_ok=True)
        self._files.pipe_file(beside, content)
        self._files.mv(beside, path)

    def remove(self, key: str) -> None:
        """Remove a file; one that is gone already is no error."""
        self._renew()
        with suppress(FileNotFoundError), _asked():
            self._files.rm_file(self._path(key))
        self._seen.get(key.partition("/")[0], (0.0, {}))[1].pop(key, None)

    def move(self, key: str, other: str) -> None:
        """Give a file another key."""
        self.put(other, self.read(key))
        self.remove(key)

    def is_one(self, key: str, other: str) -> bool:
        """Whether two keys are one file's."""
        return key == other

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Not while somebody packs."""
        self._wait()
        self.look_again()
        yield

    @contextmanager
    def packing(self) -> Iterator[None]:
        """Nobody else writes meanwhile, as far as they look for the note."""
        self._wait()
        token = os.urandom(8).hex().encode()
        try:
            self._write_note(token)
            time.sleep(GRACE_S)
            self._check_note(token)
            self._note = _Note(token, time.monotonic())
            self.look_again()
            yield
        finally:
            self._note = None
            with suppress(OSError):
                self._check_note(token)
                self.remove(NOTE)

    def _wait(self) -> None:
        """Wait until nobody packs; a note that stays the same for long was left by a crash."""
        mark, since_s = None, 0.0
        while (note := self.placed(NOTE)) is not None:
            if note.mark != mark:
                mark, since_s = note.mark, time.monotonic()
            elif time.monotonic() - since_s > STALE_S:
                self.remove(NOTE)
                return
            time.sleep(TICK_S)

    def _renew(self) -> None:
        """While it is packed: say from time to time that it still is, unless others took it for left by now."""
        if self._note is not None and time.monotonic() - self._note.written_s > RENEWED_S:
            self._check_note(self._note.token)
            self._write_note(self._note.token)
            self._note = self._note._replace(written_s=time.monotonic())

    def _write_note(self, token: bytes) -> None:
        """Write the note; each time another one, since for some file systems the same content is the same file."""
        with _asked():
            self._files.pipe_file(self._path(NOTE), b"%s %d" % (token, time.time_ns()))

    def _check_note(self, token: bytes) -> None:
        """See that the note is still this packer's.

        Raises:
            OSError: it isn't.
        """
        note = b""
        with suppress(FileNotFoundError):
            note = self._read(NOTE)
        if not note.startswith(token):
            raise OSError(errno.EBUSY, "somebody else packs it at this moment; try again later")

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _placed(self, path: str, info: Mapping[str, Any]) -> Placed:
        key = str(path)[str(path).index(self._root.lstrip("/")) + len(self._root.lstrip("/")) + 1 :]
        written_ns = _ns(next((info[name] for name in _WRITTEN if info.get(name)), 0))
        tag = next((str(info[name]) for name in _TAGS if info.get(name)), str(written_ns))
        return Placed(key, crc32(f"{tag} {info.get('size')}".encode()), written_ns)


def _protocols(files: Any) -> set[str]:
    return {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)


def _ns(moment: Any) -> int:
    """A moment as file systems give it [ns]."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return int((moment.timestamp() if isinstance(moment, datetime) else float(moment)) * 1e9)


@contextmanager
def _asked() -> Iterator[None]:
    """Whatever a file system raises becomes an OSError with a number: of a file not reached nothing is known."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, str(error.strerror or error)) from None
    except OSError as error:
        raise OSError(error.errno or errno.EIO, str(error.strerror or error)) from None
    except Exception as error:  # botocore's, aiohttp's and others' own
        raise OSError(errno.EIO, str(error) or type(error).__name__) from None
