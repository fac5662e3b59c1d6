"""A terminal below the pictures: bytes that never make the row wait, lines typed as usual, and Ctrl-Z.

Everything here belongs to the terminal that the program has in the foreground, and does nothing anywhere else.
"""

from __future__ import annotations

import os
import select
import signal
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, TextIO

PATIENCE_S = 0.5
"""How long the last bytes may take that leave a terminal as it was [s]."""

_LOCAL_FLAGS = 3
_INPUT_FLAGS = 0


def is_terminal(stream: IO[Any] | None) -> bool:
    """Whether a stream is a terminal; one that is closed or missing isn't."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def in_foreground(descriptor: int) -> bool:
    """Whether the program may draw on a terminal and read from it; one in the background would be stopped for it."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return True  # not the terminal that the shell controls: nobody else has it


class Outlet:
    """Writes to a terminal without ever waiting for it: Ctrl-S, or a slow line, must not hold up the recording.

    Args:
        stream: the terminal; anything else is written to as it is.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting = b""
        self._descriptor: int | None = None
        if is_terminal(stream):
            with suppress(OSError, ValueError):  # a terminal of somebody else, as after su, can't be opened anew
                path = os.ttyname(stream.fileno())
                self._descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)

    @property
    def is_ours(self) -> bool:
        """Whether it may be drawn on now."""
        return self._descriptor is None or in_foreground(self._descriptor)

    def is_free(self) -> bool:
        """Whether everything written so far went out, after trying again."""
        self._send()
        return not self._waiting

    def write(self, text: str) -> None:
        """Write as much as the terminal takes; the rest goes out with what follows.

        Raises:
            OSError: the terminal is gone.
        """
        if self._descriptor is None:
            self._stream.write(text)
            self._stream.flush()
            return
        self._waiting += text.encode(self._stream.encoding or "utf-8", "replace")
        self._send()

    def finish(self) -> bool:
        """Wait for the rest, but not for ever; answers whether all of it went out."""
        if self._descriptor is not None and not self.is_free():
            select.select([], [self._descriptor], [], PATIENCE_S)
        return self.is_free()

    def close(self) -> None:
        """Let go of the terminal."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _send(self) -> None:
        while self._waiting and self._descriptor is not None:
            try:
                self._waiting = self._waiting[os.write(self._descriptor, self._waiting) :]
            except BlockingIOError:
                return


class Keyboard:
    """A terminal whose keys come one by one and aren't echoed; Ctrl-C and Ctrl-Z stay what they are.

    Args:
        descriptor: the terminal.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before: list[Any] | None = None

    def take(self) -> None:
        """From now on keys come one by one; Ctrl-S stops nothing."""
        if in_foreground(self._descriptor):
            self._before = self._before or termios.tcgetattr(self._descriptor)
            _change(self._descriptor, off={_LOCAL_FLAGS: termios.ICANON | termios.ECHO, _INPUT_FLAGS: termios.IXON})

    def give_back(self) -> None:
        """The terminal is as it was."""
        if self._before is not None and in_foreground(self._descriptor):
            with suppress(termios.error):  # it may be gone
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)


@contextmanager
def typing_lines(descriptor: int) -> Iterator[None]:
    """Lines can be typed and seen meanwhile, however keys are read before and after."""
    before = termios.tcgetattr(descriptor)
    _change(descriptor, on={_LOCAL_FLAGS: termios.ICANON | termios.ECHO | termios.ISIG})
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


# What changes does so at once (TCSANOW): waiting for what was written to be read could take for ever.


def _change(descriptor: int, on: dict[int, int] | None = None, off: dict[int, int] | None = None) -> None:
    attributes = termios.tcgetattr(descriptor)
    for at, flags in (on or {}).items():
        attributes[at] |= flags
    for at, flags in (off or {}).items():
        attributes[at] &= ~flags
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


@contextmanager
def suspendable(leave: Callable[[], None], come_back: Callable[[], None]) -> Iterator[None]:
    """Leave the terminal in order before Ctrl-Z stops the program, and come back when it goes on.

    Several may be open at once, the last one leaves first.  Outside the main thread, where no signal can be heard,
    Ctrl-Z stays what it is.
    """

    def stopped(number: int, frame: Any) -> None:
        leave()
        if callable(before := earlier[signal.SIGTSTP]):
            before(number, frame)
            return
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, stopped)

    def went_on(number: int, frame: Any) -> None:
        if callable(before := earlier[signal.SIGCONT]):
            before(number, frame)
        come_back()

    earlier: dict[int, Any] = {}
    with suppress(ValueError):
        earlier[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, stopped)
        earlier[signal.SIGCONT] = signal.signal(signal.SIGCONT, went_on)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
