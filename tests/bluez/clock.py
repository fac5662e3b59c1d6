"""Virtual time with one more process in the room: the clock jumps only while the message bus sleeps."""

from __future__ import annotations

from pathlib import Path

from rowsync.virtual.clock import VirtualTimeLoop

LOOK_AGAIN_S = 0.001
"""How long to listen before asking again whether the daemon sleeps; what it writes is heard at once [s]."""


class BusTimeLoop(VirtualTimeLoop):
    """A loop on virtual time that waits, for real, for a `dbus-daemon` that has something to do.

    All that talk over the bus live in this loop; only the daemon between them is a process of its own.  While that
    sleeps, it has read all that was sent and written all that follows from it: whatever is on its way is in our own
    sockets, which are polled after this question and before any jump.  The kernel wakes a sleeper within the call that
    writes to it, so no moment lies between.
    """

    def __init__(self) -> None:
        super().__init__()
        self._daemon: Path | None = None

    def watch(self, daemon_pid: int | None) -> None:
        """Wait for this process from now on; None: for nobody."""
        self._daemon = None if daemon_pid is None else Path(f"/proc/{daemon_pid}/stat")

    def _wait_s(self, timeout_s: float | None) -> float | None:
        wait_s = super()._wait_s(timeout_s)
        busy = wait_s == 0 and timeout_s and self._daemon is not None and not _sleeps(self._daemon)
        return LOOK_AGAIN_S if busy else wait_s


def _sleeps(daemon: Path) -> bool:
    """Whether a process sleeps, asked twice: on its way to sleep, it looks asleep for an instant."""
    return _state(daemon) == _state(daemon) == b"S"


def _state(daemon: Path) -> bytes:
    """Its state's letter, which follows the name in parentheses (proc(5), /proc/pid/stat)."""
    return daemon.read_bytes().rpartition(b")")[2][1:2]
