"""The live file: bytes go to disk first, in groups, by a thread of their own; "saved" means synced.

A line is acknowledged (`durable`) once fdatasync has returned for it.  The thread gathers lines for at most
`GATHER_S`, so no more than that, and one sync, is ever unsaved.  A disk that refuses (full, failing) loses nothing:
lines stay in memory, in order, and are tried again; `trouble` says what is wrong meanwhile.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from rowsync.errors import StoreError
from rowsync.files import sync_data as _sync
from rowsync.files import sync_folder
from rowsync.recording import header_line, item_line
from rowsync.session import Header
from rowsync.telemetry import Item, Notification

GATHER_S = 0.05
LONGEST_LINE = 1 << 16
RETRY_S = 0.5


class Journal:
    """A recording that grows while its session is rowed.

    Args:
        path: where it lies; its folder exists.
        header: its first line, synced before the constructor returns; None to go on with a journal that a crash left.
        notifications: how many it holds already.

    Attributes:
        durable: how many notifications are on disk.
        trouble: what keeps it from saving just now; None when all is well.

    Raises:
        StoreError: the file can't be created, or, where it was left by a crash, another has it.
    """

    def __init__(self, path: Path, header: Header | None, notifications: int = 0) -> None:
        self.path = path
        self.durable = notifications
        self.trouble: Exception | None = None
        self._waiting: list[bytes] = [header_line(header)] if header else []
        self._notifications = notifications
        self._unsynced, self._written = b"", 0
        self._synced_size, self._sync_failed = 0, False
        self._closing = self._is_closed = False
        self._wake = threading.Condition()
        try:
            new = os.O_CREAT | os.O_EXCL if header else os.O_NOFOLLOW
            self._file = os.open(path, os.O_RDWR | new | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._begin() if header else self._go_on()
        except OSError as error:
            raise StoreError(f"Nothing can be recorded: {path} can't be written ({error.strerror}).") from None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def _begin(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._commit()
            sync_folder(self.path.parent)
        except OSError:
            os.close(self._file)
            self.path.unlink()
            raise

    def _go_on(self) -> None:
        """Cut a torn line off, so that the next one is whole."""
        try:
            if not _lock(self._file, wait=False):
                raise OSError(errno.EBUSY, "another rowsync has it")
            size = os.fstat(self._file).st_size
            tail = os.pread(self._file, LONGEST_LINE, max(0, size - LONGEST_LINE))
            self._synced_size = size - (len(tail) - 1 - tail.rfind(b"\n"))
            os.ftruncate(self._file, self._synced_size)
            _sync(self._file)
        except OSError:
            os.close(self._file)
            raise

    def append(self, item: Item) -> None:
        """Add one packet or note; returns at once."""
        with self._wake:
            self._waiting.append(item_line(item))
            self._notifications += isinstance(item, Notification)
            self._wake.notify()

    def close(self, timeout_s: float = 10.0) -> None:
        """Sync what is left and let go of the file; closing it again does nothing.

        Raises:
            StoreError: the disk still refuses; the whole recording is then in the system's temporary folder, or,
                where that is full too, what the disk refused is lost.
        """
        if self._is_closed:
            return
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout_s)
        is_saved = self.trouble is None and self.durable == self._notifications
        refused = None if is_saved and not self._thread.is_alive() else self._refused()
        if not self._thread.is_alive():  # else it may write yet, to whatever would have that number then
            os.close(self._file)
            self._is_closed = True
        if refused is not None:
            raise StoreError(refused)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refused(self) -> str:
        """Bring the whole recording to safety elsewhere; answer what to tell."""
        missing, why = self._notifications - self.durable, self.why or "the disk does not answer"
        refused = f"{missing} notifications could not be saved in {self.path}: {why}."
        try:
            handle, elsewhere = tempfile.mkstemp(prefix="rowsync-", suffix=".jsonl")
            with open(handle, "wb") as file:
                file.write(self.path.read_bytes()[: self._synced_size] + self._unsynced + b"".join(self._waiting))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return f"{refused} Nor in {tempfile.gettempdir()}: {error.strerror}. They are lost when this program ends."
        return (
            f"{refused}\nThe whole session is in {elsewhere}: free some space, then: rowsync replay --store {elsewhere}"
        )

    @property
    def why(self) -> str | None:
        """`trouble` in words."""
        return None if self.trouble is None else getattr(self.trouble, "strerror", None) or repr(self.trouble)

    def _run(self) -> None:
        give_up_s = float("inf")
        while True:
            with self._wake:
                while not (self._waiting or self._unsynced or self._closing):
                    self._wake.wait()
                closing = self._closing
            if closing:
                give_up_s = min(give_up_s, time.monotonic() + 5.0)
            else:
                time.sleep(GATHER_S)
            try:
                self._commit()
            except Exception as error:  # whatever it is, it must be told, and what waits must wait on
                self.trouble = error
                if closing and time.monotonic() > give_up_s:
                    return
                time.sleep(RETRY_S)
            else:
                if closing and not self._waiting:
                    return

    def _commit(self) -> None:
        """Write all that waits and sync it; after a refused write go on where it stopped.

        After a failed sync all that was written since the last good one is written again: the system may have dropped
        it, and reports that only once.
        """
        with self._wake:
            self._unsynced += b"".join(self._waiting)
            self._waiting.clear()
            notifications = self._notifications
        if self._sync_failed:
            os.ftruncate(self._file, self._synced_size)
            self._written = 0
        while self._written < len(self._unsynced):
            self._written += os.write(self._file, self._unsynced[self._written :])
        self._sync_failed = True
        _sync(self._file)
        self._sync_failed = False
        self._synced_size += self._written
        self._unsynced, self._written = b"", 0
        self.durable, self.trouble = notifications, None


@contextmanager
def claimed(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold a journal for oneself, as its recorder does; False when it is gone, or somebody else holds it.

    Args:
        path: the journal.
        wait: wait until nobody else holds it.
    """
    try:
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield False
        return
    try:
        yield _lock(opened, wait) and _lies_at(path, opened)
    finally:
        os.close(opened)


def _lies_at(path: Path, opened: int) -> bool:
    """Whether an open file wasn't moved away meanwhile."""
    try:
        return os.path.samestat(os.fstat(opened), path.lstat())
    except OSError:
        return False


def _lock(opened: int, wait: bool) -> bool:
    """Lock an open journal, unless another has it, it was removed meanwhile, or its recorder has only just made it."""
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    held = os.fstat(opened)
    return stat.S_ISREG(held.st_mode) and held.st_nlink > 0 and held.st_size > 0


def spool_of(folder: Path) -> Path:
    """Where a data folder's journals lie that are stored, and that its hub still has to send (rowsync.hub).

    Without that folder there is no hub, and a stored journal goes.
    """
    return folder / "hub"


def journals_left(folder: Path) -> list[Path]:
    """Journals below a data folder that nobody holds any more: a crash left them."""
    return [path for path in sorted(folder.glob("journal/*.jsonl")) if _is_free(path)]


def _is_free(path: Path) -> bool:
    with claimed(path) as ours:
        return ours
