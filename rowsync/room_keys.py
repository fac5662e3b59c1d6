"""Keys in a room of rowers: a lane's number and then a person's, and a few letters for everybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from rowsync import wording
from rowsync.commands import START, Command
from rowsync.errors import UsageError
from rowsync.keys import ESCAPE, SPACE, SURE_WITHIN_S

ROOM_HINTS = "1-9 who rows in a lane · b begin all · s sort · q end"


class KeyedRoom(Protocol):
    """The room as keys know it."""

    @property
    def count(self) -> int:
        """How many lanes there are."""

    @property
    def names(self) -> Sequence[str]:
        """Who may be chosen."""

    def claim(self, number: int, name: str | None) -> None:
        """Put somebody into a lane; None makes it free."""

    def do(self, command: Command) -> None:
        """Carry a command out in every lane."""


class ChoosingScreen(Protocol):
    """The screen as keys know it."""

    def say(self, text: str) -> None:
        """Tell one line."""

    def choose(self, question: str | None, lane: int | None = None) -> None:
        """Show a question until another is shown."""

    def sort_otherwise(self) -> None:
        """By the next of what lanes may be sorted by."""


class RoomKeys:
    """Turns keys into claims and commands.

    A number is taken as soon as no longer one is possible, or with the space bar.

    Args:
        room: the room.
        screen: where is asked.
        end: ends the room.
        clock: what time it is [s].
    """

    def __init__(
        self, room: KeyedRoom, screen: ChoosingScreen, end: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self._room, self._screen, self._end, self._clock = room, screen, end, clock
        self._lane: int | None = None
        self._digits = ""
        self._sure_until_s = float("-inf")

    def __call__(self, key: str) -> None:
        """Take a key; one that means nothing does nothing."""
        if key.isascii() and key.isdigit():
            self._digit(key)
        elif key == SPACE and self._digits:
            self._number(int(self._digits))
        elif key == ESCAPE:
            self._forget()
        elif key == "s":
            self._screen.sort_otherwise()
        elif key == "b":
            self._try(lambda: self._room.do(Command(START)))
        elif key == "q":
            self._quit()

    def _digit(self, key: str) -> None:
        self._digits += key
        number = int(self._digits)
        largest = self._room.count if self._lane is None else len(self._room.names)
        if number == 0 or number * 10 > largest:
            self._number(number)
        else:
            self._ask()

    def _number(self, number: int) -> None:
        self._digits = ""
        if self._lane is None:
            self._choose_lane(number)
        else:
            self._choose_person(self._lane, number)

    def _choose_lane(self, number: int) -> None:
        if not 1 <= number <= self._room.count:
            self._forget()
            self._screen.say(f"There is no lane {number}; there are {self._room.count}.")
            return
        self._lane = number
        self._ask()

    def _choose_person(self, lane: int, number: int) -> None:
        names = self._room.names
        self._forget()
        if number > len(names):
            self._screen.say(f"There is no person {number}; there are {len(names)}.")
            return
        self._try(lambda: self._room.claim(lane, names[number - 1] if number else None))

    def _ask(self) -> None:
        typed = f" {self._digits}_ (space takes it)" if self._digits else ""
        if self._lane is None:
            self._screen.choose(f"Lane{typed}")
            return
        people = [f"{at} {wording.outside_text(name)}" for at, name in enumerate(self._room.names, 1)]
        choices = " · ".join(people or ["nobody is named yet: rowsync athlete anna --mass 62"])
        self._screen.choose(f"Lane {self._lane}:{typed} {choices} · 0 nobody · Esc", self._lane)

    def _forget(self) -> None:
        self._lane, self._digits = None, ""
        self._screen.choose(None)

    def _quit(self) -> None:
        now_s = self._clock()
        if now_s <= self._sure_until_s:
            self._end()
        else:
            self._sure_until_s = now_s + SURE_WITHIN_S
            self._screen.say(f"Press q again within {SURE_WITHIN_S:.0f} s to end all sessions.")

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except UsageError as error:
            self._screen.say(str(error))
