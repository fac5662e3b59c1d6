"""The screen of a room of rowers: one line a lane in a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console

from rowsync.room_view import ORDERS, RoomLook, RoomView, in_order, plain_line, room_frame, team_line
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
        self._look: Callable[[], RoomLook] = RoomLook
        self._orders = list(ORDERS)
        self._kept = ""
        self._question: str | None = None
        self._chosen: int | None = None
        self._next_lines_s = clock() + LINE_EVERY_S

    def show_room(self, look: Callable[[], RoomLook]) -> None:
        """Show how the room is, when it is time."""
        self._look = look
        now_s = self._clock()
        if self._is_large:
            if now_s >= self._next_frame_s:
                self._draw()
        elif now_s >= self._next_lines_s:
            self._next_lines_s = now_s + LINE_EVERY_S
            room = look()
            for lane in room.lanes:
                if lane.moment is not None:
                    self.say(plain_line(lane))
            if room.team is not None:
                self.say(team_line(room.team))

    def keep(self, text: str) -> None:
        """Show one line for as long as the room is open."""
        self._kept = text
        self.say(text)

    def sort_otherwise(self) -> None:
        """By metres instead of by lane, then by power, by rate, and by lane again."""
        self._orders.append(self._orders.pop(0))
        self.say(f"Sorted by {self._orders[0]}.")

    def choose(self, question: str | None, lane: int | None = None) -> None:
        """Show a question at the bottom until another is shown, and mark the lane that it is about."""
        self._question, self._chosen = question, lane
        self._draw()

    def _lines(self, message: str | None, width: int, height: int, signs: Signs) -> list[Line]:
        room = self._look()
        lanes = in_order(room.lanes, self._orders[0])
        message = self._question or message
        view = RoomView(lanes, tuple(self._said), message, self._hints, self._chosen, room.team, self._kept)
        return room_frame(view, width, height)
