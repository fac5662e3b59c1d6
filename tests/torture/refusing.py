"""Disks that refuse: a full one, one that the system made read-only, one that only says so.

The full one is a small file system in memory, the read-only one an ext4 in a file whose kernel is told of an error, as
a failing disk would have it.  Both need root and mount(8); `missing` says what keeps them from here.
"""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

FULL_KIB = 16384


class Disk(Protocol):
    """A disk that can be told to refuse.

    Attributes:
        folder: where it is.
    """

    folder: Path

    def refuse(self, room_bytes: int = 0) -> None:
        """From now on it takes nothing, or no more than so many bytes."""

    def accept(self) -> None:
        """It takes data again."""


class Full:
    """A file system in memory with little room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def refuse(self, room_bytes: int = 0) -> None:
        """Fill it."""
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        os.truncate(self._filler, max(0, self._filler.stat().st_size - room_bytes))

    def accept(self) -> None:
        """Make room."""
        self._filler.unlink(missing_ok=True)


class ReadOnly:
    """An ext4 that its kernel makes read-only after an error; to take data again it is mounted anew."""

    def __init__(self, folder: Path, image: Path) -> None:
        self.folder, self._image = folder, image
        _ran("mkfs.ext4", "-q", "-F", "-b", "1024", "-e", "remount-ro", "-O", "^has_journal", str(image), "8m")
        self._mount()

    def _mount(self) -> None:
        _ran("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.folder))

    def refuse(self, room_bytes: int = 0) -> None:
        """Tell the kernel of an error; there is no room in a read-only disk."""
        device = _ran("findmnt", "-no", "SOURCE", str(self.folder)).strip()
        Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error").write_text("1\n")

    def accept(self) -> None:
        """Mount it anew, as after a start of the computer."""
        _unmounted(self.folder)
        self._mount()


class Saying:
    """A folder of which the system says, while it refuses, that it can't be written.

    Args:
        folder: which.
        number: the error.
    """

    def __init__(self, folder: Path, number: int = errno.EROFS) -> None:
        self.folder, self._number = folder, number
        self._refuses = False

    def refuse(self, room_bytes: int = 0) -> None:
        """Writes and syncs fail from now on."""
        self._refuses = True

    def accept(self) -> None:
        """They succeed again."""
        self._refuses = False

    def answer(self, opened: int) -> None:
        """Fail, where an open file is in the folder and the folder refuses."""
        if self._refuses and Path(os.readlink(f"/proc/self/fd/{opened}")).is_relative_to(self.folder):
            raise OSError(self._number, os.strerror(self._number))


class Calls:
    """When the system first refused a write or a sync.

    Attributes:
        refused_s: by the monotonic clock; None while it hasn't [s].
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.refused_s: float | None = None

    @contextmanager
    def watched(self) -> Iterator[Calls]:
        """While the system's calls are watched, and answered by a disk that only says so."""
        with patch.object(os, "write", self._of(os.write)), patch.object(os, "fdatasync", self._of(os.fdatasync)):
            yield self

    def _of(self, call: Any) -> Any:
        def called(opened: int, *rest: Any) -> Any:
            try:
                if isinstance(self._disk, Saying):
                    self._disk.answer(opened)
                return call(opened, *rest)
            except OSError:
                if self.refused_s is None:
                    self.refused_s = time.monotonic()
                raise

        return called


KINDS = ("full", "read-only", "says it is read-only", "says it fails")


@contextmanager
def disk(kind: str, folder: Path) -> Iterator[Disk]:
    """A disk of one of the `KINDS`, mounted below a folder."""
    place = folder / "disk"
    place.mkdir()
    if kind.startswith("says"):
        yield Saying(place, errno.EIO if kind == "says it fails" else errno.EROFS)
        return
    try:
        if kind == "full":
            _ran("mount", "-t", "tmpfs", "-o", f"size={FULL_KIB}k,mode=700", "none", str(place))
        yield Full(place) if kind == "full" else ReadOnly(place, folder / "image")
    finally:
        _unmounted(place)


def missing(kind: str, folder: Path) -> str | None:
    """What keeps a kind of disk from being mounted here; None for nothing."""
    try:
        with disk(kind, folder) as tried:
            tried.refuse()
    except (OSError, subprocess.SubprocessError) as error:
        return f"a disk that is {kind} can't be made here: {getattr(error, 'stderr', None) or error}"
    return None


def _ran(*command: str) -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PATH": path}, check=True)
    return done.stdout


def _unmounted(folder: Path) -> None:
    """Unmount a disk, as soon as nobody has a file of it open."""
    for _ in range(100):
        if not os.path.ismount(folder):
            return
        try:
            _ran("umount", str(folder))
        except subprocess.CalledProcessError:
            time.sleep(0.1)
    _ran("umount", "-l", str(folder))
