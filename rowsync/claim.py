"""Who records where: one recorder for a data folder, and one for a rower, on this computer."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rowsync.errors import StoreError, UsageError
from rowsync.files import make_folder
from rowsync.slug import slug


@contextmanager
def claimed_folder(folder: Path) -> Iterator[None]:
    """Be the one who records into a data folder.

    Raises:
        UsageError: another rowsync is; nothing was touched.
        StoreError: it can't be written.
    """
    said = f"Another rowsync{{who}} is recording into {folder}. End that one first, or record elsewhere with --data."
    with _claimed(folder / "recording.lock", said):
        yield


@contextmanager
def claimed_rower(folder: Path, address: str, label: str) -> Iterator[None]:
    """Be the one on this computer who is connected to a rower.

    Args:
        folder: where this computer's programs of this person see each other.
        address: the rower's.
        label: its name, safe to show.

    Raises:
        UsageError: another rowsync is; the rower was not touched.
        StoreError: the folder can't be written.
    """
    said = f"Another rowsync{{who}} is connected to {label}. End that one first, or choose another rower with --rower."
    with _claimed(folder / f"{slug(address)}.lock", said):
        yield


@contextmanager
def _claimed(path: Path, said: str) -> Iterator[None]:
    try:
        make_folder(path.parent)
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(
            f"{path.parent} can't be written ({error.strerror}). Choose another folder with --data."
        ) from None
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(said.format(who=_who(opened))) from None
        except OSError as error:
            raise StoreError(
                f"{path.parent} has no locks ({error.strerror}). Choose another folder with --data."
            ) from None
        os.ftruncate(opened, 0)
        os.pwrite(opened, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(opened)


def _who(opened: int) -> str:
    process = os.pread(opened, 20, 0)
    return f" (process {process.decode()})" if process.isdigit() else ""
