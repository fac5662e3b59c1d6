"""The screen of a room of rowers: one line a lane in a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.console import Console

from rowsync.room_view import LaneView, RoomView, by_metres, plain_line, room_frame
from rowsync.rowing_screen import LINE_EVERY_S, RowingScreen
from rowsync.rowing_view import Line, Signs


class RoomScreen(RowingScreen):
    """Shows all lanes of a room, in the way of the screen of one row.

    Args:
        console: where to; standard error by default.
        clock: what time it is [s]; anything that only grows.
    """

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console, clock)
        self._room: Callable[[], Sequence[LaneView]] = tuple
        self._is_by_metres = False
        self._question: str | None = None
        self._chosen: int | None = None
        self._next_lines_s = clock() + LINE_EVERY_S

    def show_room(self, lanes: Callable[[], Sequence[LaneView]]) -> None:
        """Show how all lanes are, when it is time."""
        self._room = lanes
        now_s = self._clock()
        if self._is_large:
            if now_s >= self._next_frame_s:
                self._draw()
        elif now_s >= self._next_lines_s:
            self._next_lines_s = now_s + LINE_EVERY_S
            for lane in lanes():
                if lane.moment is not None:
                    self.say(plain_line(lane))

    def sort_otherwise(self) -> None:
        """By metres instead of by lane, or back."""
        self._is_by_metres = not self._is_by_metres
        self._draw()

    def choose(self, question: str | None, lane: int | None = None) -> None:
        """Show a question at the bottom until another is shown, and mark the lane that it is about."""
        self._question, self._chosen = question, lane
        self._draw()

    def _lines(self, message: str | None, width: int, height: int, signs: Signs) -> list[Line]:
        lanes = self._room()
        shown = by_metres(lanes) if self._is_by_metres else lanes
        view = RoomView(shown, tuple(self._said), self._question or message, self._hints, self._chosen)
        return room_frame(view, width, height)
