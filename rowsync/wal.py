"""The collector's log: whatever arrives, of all sessions, in one file, so that one sync saves it all.

    <folder>/log-00000001        checked lines (rowsync.relay), the newest last

The log only grows; when a new file is begun, the old one may go as soon as what is in it is synced elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path

from rowsync.files import sync_data, sync_folder


class Log:
    """A log that grows.

    Args:
        folder: where its files lie; it exists.

    Raises:
        OSError: no file can be made there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = max((_number(path) for path in logs_left(folder)), default=0)
        self._file = -1
        self.begin()

    def begin(self) -> None:
        """Begin a new file.

        Raises:
            OSError: it can't be made; the old one goes on.
        """
        path = self._folder / f"log-{self._number + 1:08d}"
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        sync_folder(self._folder)
        self.close()
        self._file, self.path, self._number, self.size, self._is_cut = opened, path, self._number + 1, 0, True

    def append(self, content: bytes) -> None:
        """Write and sync; when it returns, it is on disk.

        Raises:
            OSError: it isn't.  What may have got there of it is cut off when the next comes.
        """
        if not self._is_cut:
            os.ftruncate(self._file, self.size)
        self._is_cut = False
        written = 0
        while written < len(content):
            written += os.write(self._file, content[written:])
        sync_data(self._file)
        self.size += written
        self._is_cut = True

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def logs_left(folder: Path) -> list[Path]:
    """The files of a log, oldest first."""
    return sorted(path for path in folder.glob("log-*") if _number(path))


def _number(path: Path) -> int:
    digits = path.name.removeprefix("log-")
    return int(digits) if digits.isascii() and digits.isdigit() else 0
