"""The screen that the person sits at: the row as it goes on, large in a terminal, a plain line now and then elsewhere.

Everything goes to standard error.  In a terminal the screen of before comes back on every way out, with all that was
said meanwhile.  Only lines that changed are sent, four times a second at most, and nothing ever waits for a terminal.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import lru_cache
from types import TracebackType
from typing import Any, Self, TextIO, cast

from rich.cells import set_cell_size
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.prompt import Confirm
from rich.style import Style
from rich.text import Text

from rowsync import wording
from rowsync.cost import plus_minus
from rowsync.moment import Moment
from rowsync.plan import Piece
from rowsync.rowing_view import ASCII_SIGNS, LINUX_SIGNS, UNICODE_SIGNS, Line, Minute, Signs, View, frame
from rowsync.teletype import Outlet, is_terminal, suspendable, typing_lines

LINE_EVERY_S = 60.0
"""How often there is a line where no terminal is [s]."""

FRAME_EVERY_S = 0.25
WHOLE_FRAME_EVERY_S = 10.0
"""How often everything is sent anew, since others may have written on the screen: a library that complains [s]."""

MESSAGE_S = 8.0
"""How long what was said stays at the bottom [s]."""

MOST_LINES = 1000
LONGEST_LINE = 500


class _RowingConsole(Console):
    """A console whose reader may go away; Rich's own would end the program."""

    def on_broken_pipe(self) -> None:
        """Say nothing more."""
        self.quiet = True


class RowingScreen:
    """Shows a row while it is rowed.

    Args:
        console: where to; standard error by default.
        clock: what time it is [s]; anything that only grows.
    """

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console or _RowingConsole(stderr=True, force_terminal=is_terminal(sys.stderr))
        self._clock = clock
        self._is_large = self._console.is_terminal and not self._console.is_dumb_terminal
        self._outlet = Outlet(cast("TextIO", self._console.file))
        self._painter = _Painter(self._console)
        self._open = ExitStack()
        self._is_shown = False
        self._moment: Moment | None = None
        self._minute = Minute()
        self._said: deque[str] = deque(maxlen=MOST_LINES)
        self._unprinted: deque[str] = deque(maxlen=MOST_LINES)
        self._message = ""
        self._message_until_s = 0.0
        self._hints = ""
        self._next_frame_s = 0.0
        self._whole_frame_s = 0.0
        self._piece: Piece | None = None
        self._line_s = 0.0
        self._trouble: str | None = None

    def __enter__(self) -> Self:
        if self._is_large:
            self._open.enter_context(suspendable(self._leave, self._draw))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        self._leave()
        self._is_large = False
        self._outlet.close()

    def say(self, text: str) -> None:
        """Show one line, or more; a terminal that is gone doesn't matter."""
        lines = [wording.outside_text(line, LONGEST_LINE) for line in text.splitlines()]
        if not self._is_large:
            self._print(lines)
            return
        self._said += lines
        self._unprinted += lines
        if len(lines) == 1:  # more of them are a picture, which has its place before the row and after it
            self._message, self._message_until_s = lines[0], self._clock() + MESSAGE_S
        self._draw()

    def hint(self, text: str) -> None:
        """Show at the bottom what the keys do."""
        self._hints = text

    def bell(self) -> None:
        """Ring the terminal's bell, if there is a terminal."""
        if self._is_large and self._outlet.is_ours:
            with suppress(OSError, ValueError):
                self._outlet.write("\a")

    def ask(self, question: str) -> bool:
        """Ask at the terminal; nobody at a terminal is a no, and so is Ctrl-C."""
        if not (self._console.is_terminal and is_terminal(sys.stdin)):
            return False
        self._leave()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # the event loop stands still meanwhile
        try:
            with typing_lines(sys.stdin.fileno()):
                return Confirm.ask(
                    Text(wording.outside_text(question, LONGEST_LINE)), console=self._console, default=False
                )
        except (EOFError, OSError, KeyboardInterrupt):
            return False
        finally:
            signal.signal(signal.SIGINT, before)
            self._draw()

    def show(self, moment: Moment) -> None:
        """Show where the row is."""
        self._moment = moment
        if moment.trouble != self._trouble:
            self._trouble = moment.trouble
            self.say(_trouble_line(moment))
        if self._is_large:
            self._minute.add(moment)
            if moment.calls or self._clock() >= self._next_frame_s:
                self._draw()
        elif self._is_due(moment):
            self.say(_line(moment))

    def remember(self, past: Mapping[str, Any]) -> None:
        """Take what came before this row."""

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """The row is over; another one may follow."""
        self._moment, self._minute = None, Minute()
        self._line_s, self._piece = 0.0, None
        self._draw()

    def _is_due(self, moment: Moment) -> bool:
        """Whether there is a plain line to print: once a minute, and whenever a piece begins."""
        piece = moment.cue.piece if moment.cue else None
        if moment.sample.time_s < self._line_s and piece is self._piece:
            return False
        self._line_s, self._piece = moment.sample.time_s + LINE_EVERY_S, piece
        return True

    def _draw(self) -> None:
        """Send what changed, unless the terminal is in other hands or hasn't taken the frame before yet."""
        with suppress(OSError, ValueError):
            if not (self._is_large and self._outlet.is_ours and self._outlet.is_free()):
                return
            now_s = self._clock()
            self._next_frame_s = now_s + FRAME_EVERY_S
            message = self._message if now_s < self._message_until_s else None
            if not self._is_shown:
                self._outlet.write(_ENTER)
                self._is_shown, self._whole_frame_s = True, now_s
            is_whole = now_s >= self._whole_frame_s
            if is_whole:
                self._whole_frame_s = now_s + WHOLE_FRAME_EVERY_S
            size = self._console.size
            lines = self._lines(message, size.width, size.height, self._painter.signs)
            self._outlet.write(self._painter.changes(lines, size.width, size.height, is_whole))

    def _lines(self, message: str | None, width: int, height: int, signs: Signs) -> list[Line]:
        """What is to be seen now, on a screen of this size."""
        said = tuple(self._said) if self._moment is None else ()
        return frame(View(self._moment, said, message, self._hints, self._minute), width, height, signs)

    def _leave(self) -> None:
        """Give the terminal back, and print what was said meanwhile."""
        is_read = True
        if self._is_shown:
            self._is_shown = False
            with suppress(OSError, ValueError):
                self._outlet.write(_LEAVE)
                is_read = self._outlet.finish()
        if is_read:  # printing to a terminal that nobody reads would never end
            self._print(self._unprinted)
        self._unprinted.clear()

    def _print(self, lines: Sequence[str]) -> None:
        for line in lines:
            with suppress(OSError, ValueError):
                self._console.print(Text(line), soft_wrap=True)


_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l"
"""The other screen without a cursor, and back (xterm's control sequences, DEC private modes 1049 and 25)."""


class _Painter:
    """Makes of a frame the bytes that change a terminal into it.

    Rich knows what the terminal can do, and writes the styles.

    Attributes:
        signs: what the terminal can draw with.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ascii = console.options.ascii_only
        self.signs = _signs(console)
        self._lines: Sequence[Line | None] = ()
        self._size = (0, 0)

    def changes(self, lines: list[Line], width: int, height: int, is_whole: bool) -> str:
        """What to send for the screen to show these lines, as a change or as a whole."""
        lines += [()] * (height - len(lines))
        before: Sequence[Line | None] = [None] * height if is_whole or self._size != (width, height) else self._lines
        self._lines, self._size = lines, (width, height)
        return "".join(
            f"\x1b[{row};1H{self._painted(line, width)}"
            for row, (line, old) in enumerate(zip(lines, before, strict=True), 1)
            if line != old
        )

    def _painted(self, line: Line, width: int) -> str:
        """A line, cut to the screen, with nothing in it that could move the cursor."""
        parts, room = [], width
        for text, style in line:
            shown = _cut(_safe(text, self._ascii), room)
            room -= len(shown) if shown.isascii() else _cells(shown)
            parts.append(_styled(style, shown, self._console.color_system, self._console.no_color))
        return "".join(parts) + ("\x1b[K" if room else "")


def _signs(console: Console) -> Signs:
    if console.options.ascii_only:
        return ASCII_SIGNS
    return LINUX_SIGNS if os.environ.get("TERM") == "linux" else UNICODE_SIGNS


_SPACES = {0x202F: " "}
_IN_ASCII = {0x202F: " ", 0x2013: "-", 0x2014: "-", 0x2212: "-", 0x00B7: "|", 0x00B1: "+-", 0x2026: "..."}


def _safe(text: str, ascii_only: bool) -> str:
    """A text as the terminal can show it, with controls and direction overrides spelled out."""
    shown = text.translate(_IN_ASCII if ascii_only else _SPACES)
    shown = shown if shown.isprintable() else wording.outside_text(shown, LONGEST_LINE)
    return shown.encode("ascii", "replace").decode() if ascii_only else shown


def _cut(text: str, width: int) -> str:
    if text.isascii() or not _may_be_wide(text):
        return text[:width]
    return set_cell_size(text, min(width, _cells(text)))


def _may_be_wide(text: str) -> bool:
    return any(letter > "\u02ff" and not "\u2010" <= letter <= "\u25ff" for letter in text)


def _cells(text: str) -> int:
    return Text(text).cell_len if _may_be_wide(text) else len(text)


@lru_cache(maxsize=256)
def _style(style: str, no_color: bool) -> Style:
    """A style; without colours, what stands on a colour is reversed instead."""
    parsed = Style.parse(style)
    if not no_color:
        return parsed
    return Style(bold=parsed.bold, dim=parsed.dim, reverse=bool(parsed.bgcolor) != bool(parsed.reverse) or None)


def _styled(style: str, text: str, color_system: str | None, no_color: bool) -> str:
    return _style(style, no_color).render(text, color_system=_color_system(color_system))


def _color_system(name: str | None) -> ColorSystem | None:
    return COLOR_SYSTEMS[name] if name else None


# --- plain lines ------------------------------------------------------------------------------------------------------


def _line(moment: Moment) -> str:
    sample, cue = moment.sample, moment.cue
    piece = cue.piece if cue else None
    doing = wording.effort_name(piece.effort) if piece else _without_piece(moment)
    round_number = f" round {piece.round_number}" if piece and piece.round_number else ""
    return (
        f"{wording.clock(sample.time_s)} {doing}{round_number}: {wording.number(sample.distance_m)} m, "
        f"{wording.number(sample.power_w)} W, "
        f"{wording.number(moment.gross_kcal)} kcal {plus_minus(moment.energy_half_width)}, "
        f"saved {moment.saved} of {moment.notifications} notifications"
    )


def _without_piece(moment: Moment) -> str:
    if moment.cue is not None:
        return "done" if moment.cue.share else "ready"
    return wording.effort_name(moment.effort or "ready")


def _trouble_line(moment: Moment) -> str:
    if moment.trouble is None:
        return "The disk takes data again; everything is saved."
    waiting = moment.notifications - moment.saved
    return f"Not saved just now: {moment.trouble}. {waiting} notifications wait in memory; free some space, row on."
