"""Files and folders that survive a power cut, for the owner alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for the owner alone, so that they survive a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries (a new, renamed or removed file) survive a power cut."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def sync_data(opened: int) -> None:
    """Have the disk itself confirm what was written to an open file."""
    if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync alone leaves it in the drive's cache
        fcntl.fcntl(opened, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(opened)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One writer at a time below a folder, which is made where there is none."""
    make_folder(folder)
    lock = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def still(folder: Path) -> Iterator[None]:
    """While nobody writes below a folder; nothing is made or changed for it."""
    try:
        opened = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # nobody ever wrote there, or nobody can be kept from it
        yield
        return
    try:
        fcntl.flock(opened, fcntl.LOCK_SH)
        yield
    finally:
        os.close(opened)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write for the owner alone, so that a crash leaves the old one or the new one, whole.

    One writer at a time: what it writes lies beside its place until it is whole.
    """
    make_folder(path.parent)
    beside = path.with_name(f"{path.name}.tmp")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
