"""Weak versions of our own functions: the mistakes that the suites must find.

Each is put in the place of the real one in the child alone; what reads afterwards is always the real code.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rowsync import collector, files, journal, shelf, store, wal
from rowsync.recording import item_line, read_recording
from rowsync.telemetry import Notification


def _no_sync() -> None:
    """The journal says saved without a sync."""
    journal._sync = lambda opened: None


def _early() -> None:
    """The journal says saved before it is."""

    def append(self: Any, item: Any) -> None:
        with self._wake:
            self._waiting.append(item_line(item))
            self._notifications += isinstance(item, Notification)
            self.durable = self._notifications
            self._wake.notify()

    journal.Journal.append = append  # type: ignore[method-assign]


def _unsynced_folder() -> None:
    """A new or renamed file's folder is not synced."""
    for module in (files, journal, shelf, store):
        module.sync_folder = lambda folder: None  # type: ignore[attr-defined]


def _unsynced_rename() -> None:
    """A file is renamed to its place before what is in it is synced."""

    @contextmanager
    def replacing(path: Path) -> Iterator[Any]:
        files.make_folder(path.parent)
        beside = path.with_name(f"{path.name}.tmp")
        with open(beside, "wb") as file:
            yield file
        beside.replace(path)
        files.sync_folder(path.parent)

    shelf.replacing = store.replacing = replacing


def _in_place() -> None:
    """A file is written over."""

    @contextmanager
    def replacing(path: Path) -> Iterator[Any]:
        files.make_folder(path.parent)
        with open(path, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        files.sync_folder(path.parent)

    shelf.replacing = store.replacing = replacing


def _journal_first() -> None:
    """A journal is removed before its session is stored."""

    def finish(self: store.Store, path: Path, *, wait: bool = False) -> store.Recovery | None:
        with journal.claimed(path, wait=wait) as ours:
            if not ours:
                return None
            recording = read_recording(path)
            session, said = self._analysed(recording)
            path.unlink()
            files.sync_folder(path.parent)
            return store.Recovery(path, self._keep(recording, session, said))

    store.Store.finish = finish  # type: ignore[method-assign]


def _short_write() -> None:
    """How much of a write the disk took is not asked."""

    def commit(self: Any) -> None:
        with self._wake:
            text = b"".join(self._waiting)
            self._waiting.clear()
            notifications = self._notifications
        os.write(self._file, text)
        os.fdatasync(self._file)
        self.durable, self.trouble = notifications, None

    journal.Journal._commit = commit  # type: ignore[method-assign]


def _swallowed() -> None:
    """A disk that refuses is noted nowhere."""
    real = journal.Journal._commit

    def commit(self: Any) -> None:
        try:
            real(self)
        except OSError:
            self._unsynced, self._written = b"", 0
            self.durable = self._notifications

    journal.Journal._commit = commit  # type: ignore[method-assign]


def _synced_again() -> None:
    """After a failed sync it is only synced again."""

    def commit(self: Any) -> None:
        with self._wake:
            self._unsynced += b"".join(self._waiting)
            self._waiting.clear()
            notifications = self._notifications
        while self._written < len(self._unsynced):
            self._written += os.write(self._file, self._unsynced[self._written :])
        journal._sync(self._file)
        self._unsynced, self._written = b"", 0
        self.durable, self.trouble = notifications, None

    journal.Journal._commit = commit  # type: ignore[method-assign]


def _torn_line() -> None:
    """Who goes on with a journal leaves the torn line at its end."""

    def go_on(self: Any) -> None:
        journal._lock(self._file, wait=False)
        self._synced_size = os.fstat(self._file).st_size

    journal.Journal._go_on = go_on  # type: ignore[method-assign]


def _unsynced_log() -> None:
    """The collector acknowledges what its log has, without a sync."""
    wal.sync_data = lambda opened: None  # type: ignore[assignment]


def _log_first() -> None:
    """A log goes before the journals have all of it."""
    collector._sync = lambda path: None


def _journal_synced_again() -> None:
    """After a failed sync a collector's journal is only synced again."""
    collector.Collector._write_anew = lambda self, session_id: setattr(  # type: ignore[method-assign]
        self._open[session_id], "is_doubtful", False
    )


WEAK: dict[str, Callable[[], None]] = {
    "no-sync": _no_sync,
    "early": _early,
    "unsynced-folder": _unsynced_folder,
    "unsynced-rename": _unsynced_rename,
    "in-place": _in_place,
    "journal-first": _journal_first,
    "short-write": _short_write,
    "swallowed": _swallowed,
    "synced-again": _synced_again,
    "torn-line": _torn_line,
    "unsynced-log": _unsynced_log,
    "log-first": _log_first,
    "journal-synced-again": _journal_synced_again,
}

BY_KILL = {
    "early": "record",
    "in-place": "import longer",
    "journal-first": "finish",
    "short-write": "record",
    "swallowed": "record",
    "synced-again": "record",
    "torn-line": "go on",
    "journal-synced-again": "collect",
}
"""Those that killing the process, or refusing its calls, brings to light, and in which work."""
BY_POWER = {
    "no-sync": "record",
    "early": "record",
    "unsynced-folder": "record",
    "unsynced-rename": "import longer",
    "in-place": "import longer",
    "journal-first": "finish",
    "torn-line": "go on",
    "unsynced-log": "collect",
    "log-first": "collect",
}
"""Those that cutting the power brings to light, and in which work."""
