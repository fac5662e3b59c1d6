"""A wire that can be cut: a network namespace for one program, joined to here by a pair of virtual adapters.

A cut drops what is sent and says nothing to anybody, as a cable that is pulled or a radio out of reach does: TCP hangs.
Namespaces need Linux, root and ip(8); `missing` says what keeps them from here.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress


class Wire:
    """A program's way to here.

    Attributes:
        here: our address on the wire.
        inside: what a command begins with that runs at its other end.
        is_cut: whether nothing gets through.
    """

    def __init__(self) -> None:
        number = os.getpid()
        self._name, self._end = f"rowsync-{number}", f"rowsync{number}"
        network = f"198.18.{number >> 6 & 255}"
        self.here, self._there = f"{network}.{(number & 63) * 4 + 1}", f"{network}.{(number & 63) * 4 + 2}"
        self.inside = ("ip", "netns", "exec", self._name)
        self.is_cut = False

    def cut(self) -> None:
        """From now on nothing gets through."""
        _ip("link", "set", self._end, "down")
        self.is_cut = True

    def mend(self) -> None:
        """It gets through again."""
        _ip("link", "set", self._end, "up")
        self.is_cut = False

    def __enter__(self) -> Wire:
        _ip("netns", "add", self._name)
        try:
            _ip("link", "add", self._end, "type", "veth", "peer", "name", "there", "netns", self._name)
            _ip("address", "add", f"{self.here}/30", "dev", self._end)
            _ip("-n", self._name, "address", "add", f"{self._there}/30", "dev", "there")
            _ip("-n", self._name, "link", "set", "there", "up")
            self.mend()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(subprocess.CalledProcessError):
            _ip("link", "delete", self._end)  # before its namespace, which takes a moment to go
        _ip("netns", "delete", self._name)


def missing() -> str | None:
    """What keeps a wire from being made here; None for nothing."""
    try:
        with Wire():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"a network can't be cut here (Linux, root, iproute2): {getattr(error, 'stderr', None) or error}"


def _ip(*arguments: str) -> None:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, env=os.environ | {"PATH": path})
