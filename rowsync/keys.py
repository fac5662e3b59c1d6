"""Keys while rowing: one touch, without looking.

They are read in the event loop's own thread, as they come; a program in the background reads none.  Ctrl-C and Ctrl-Z
go their usual way.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import TextIO

from rowsync.commands import START, Command
from rowsync.errors import UsageError
from rowsync.guide import EXTEND, NEXT
from rowsync.telemetry import STOP
from rowsync.teletype import Keyboard, in_foreground, is_terminal, suspendable

SPACE, ESCAPE, RIGHT = "space", "escape", "right"

KEY_COMMANDS: Mapping[str, Command] = {
    "n": Command(NEXT),
    SPACE: Command(NEXT),
    RIGHT: Command(NEXT),
    "+": Command(EXTEND),
    "=": Command(EXTEND),  # the same key without shift
    "s": Command(START),
    "b": Command(START),
    "q": Command(STOP),
    ESCAPE: Command(STOP),
}
"""What each key asks for."""

MUTE = "m"
KEY_HINTS = "n next · + longer · s begin now · m sound · q end"

SURE_WITHIN_S = 5.0
"""The second press that ends a row comes so soon after the first [s]."""

READ_AT_ONCE = 1024

_SEQUENCE = re.compile(rb"\x1b[\[O][0-?]*[ -/]*[@-~]|\x1b\[[0-?]*[ -/]*$")
"""A control sequence of a key such as an arrow, whole or cut short (ECMA-48, 5.4); `ESC O` begins those of a keypad."""

_NAMED = {b"\x1b[C": RIGHT, b"\x1bOC": RIGHT}
_NAMES = {" ": SPACE, "\x1b": ESCAPE}


def key_names(read: bytes) -> Iterator[str]:
    """The keys in what a terminal sent: letters in small, `space`, `escape`, `right`; others have no name here.

    What is pasted is no key: of more than one letter at once, nothing is taken.
    """
    letters = _SEQUENCE.sub(b"", read)
    yield from (_NAMED[each[0]] for each in _SEQUENCE.finditer(read) if each[0] in _NAMED)
    text = letters.decode("utf-8", "ignore").casefold()
    if len(set(text)) == 1 and (text.isprintable() or text in _NAMES):
        yield from (_NAMES.get(letter, letter) for letter in text)


class Keys:
    """Reads keys from the terminal while it is open; without a terminal there are none.

    It is entered in a running event loop.

    Args:
        on_key: gets the name of each key.
        stream: where they come from; standard input by default.
    """

    def __init__(self, on_key: Callable[[str], None], stream: TextIO | None = None) -> None:
        self._on_key = on_key
        self._stream = sys.stdin if stream is None else stream
        self._open = ExitStack()

    @property
    def is_open(self) -> bool:
        """Whether there is a terminal with keys."""
        return is_terminal(self._stream)

    def __enter__(self) -> Keys:
        if self.is_open:
            self._loop = asyncio.get_running_loop()
            self._descriptor = self._stream.fileno()
            self._keyboard = Keyboard(self._descriptor)
            self._open.callback(self._stop)
            self._open.enter_context(suspendable(self._stop, self._start))
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _start(self) -> None:
        if in_foreground(self._descriptor):
            self._keyboard.take()
            with suppress(PermissionError):  # a selector that can't watch it
                self._loop.add_reader(self._descriptor, self._read)

    def _stop(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self._keyboard.give_back()

    def _read(self) -> None:
        if not in_foreground(self._descriptor):  # reading would stop the program
            self._loop.remove_reader(self._descriptor)
            return
        try:
            read = os.read(self._descriptor, READ_AT_ONCE)
        except OSError:
            read = b""
        if not read:  # the terminal is gone
            self._loop.remove_reader(self._descriptor)
        for key in key_names(read):
            self._on_key(key)


class KeyCommands:
    """Turns keys into commands; ending a row takes two presses.

    Args:
        do: carries a command out; raises UsageError when it can't be done now.
        say: tells the person one line.
        mute: turns sound off, or on again; answers whether it is off.
        clock: what time it is [s].
    """

    def __init__(
        self,
        do: Callable[[Command], None],
        say: Callable[[str], None],
        mute: Callable[[], bool] | None,
        clock: Callable[[], float],
    ) -> None:
        self._do, self._say, self._mute, self._clock = do, say, mute, clock
        self._sure_until_s = float("-inf")

    def __call__(self, key: str) -> None:
        """Take a key; one that means nothing does nothing."""
        if key == MUTE and self._mute is not None:
            self._say("Sound is off; m turns it on." if self._mute() else "Sound is on.")
        elif (command := KEY_COMMANDS.get(key)) is not None:
            if command.name == STOP and not self._is_sure():
                self._say(f"Press {'Esc' if key == ESCAPE else key} again to end the session.")
                return
            self._carry_out(command)

    def _is_sure(self) -> bool:
        now_s = self._clock()
        is_sure = now_s <= self._sure_until_s
        self._sure_until_s = float("-inf") if is_sure else now_s + SURE_WITHIN_S
        return is_sure

    def _carry_out(self, command: Command) -> None:
        try:
            self._do(command)
        except UsageError as error:
            self._say(str(error))
        else:
            if command.name in _SAID:
                self._say(_SAID[command.name])


_SAID = {STOP: "Ending the session.", EXTEND: "This piece is longer now."}
"""What isn't seen at once."""
