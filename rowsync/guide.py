"""The guide through a plan: what now, what next, and when.

It begins with the first stroke, and every piece begins where the one before ended, by the host's clock.  Who stops
rowing in a piece that is rowed makes it wait, and rowing goes on with what was left; an easy piece or a rest goes by
whether it is rowed or not.  All that it does follows from samples and notes with their times, so a replay rings the
same bells as the row did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import ceil, inf
from typing import Any

from rowsync.intervals import Effort, Segment
from rowsync.plan import Piece, Plan
from rowsync.telemetry import LOST, RESUMED, Sample

BEGIN, NEXT, EXTEND, PLAN = "begin", "next", "extend", "plan"
"""The notes that lead the guide: begin without a stroke, end this piece, make it longer, row another plan."""

LEADS = (BEGIN, NEXT, EXTEND)

PAUSE_AFTER_S = 10.0
"""A piece that is rowed waits from so long after the last stroke; a start from a standing flywheel takes 3-6 s [s]."""

EXTENSION_S, EXTENSION_M = 30.0, 100.0
"""By how much a piece is made longer when nobody says."""

MOST_EXTENSION = 36_000.0

COUNTED_DOWN = (3, 2, 1)
"""The seconds that are called out before a bell."""

WAITS_FOR_NOBODY = (Effort.EASY, Effort.REST)


class GuideState(StrEnum):
    """What the guide does."""

    WAITING = "waiting"
    ROWING = "rowing"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Cue:
    """What the guide says at one moment.

    Attributes:
        state: whether it waits for the first stroke, leads, waits for somebody who paused, or is done.
        piece: the piece to row now, or to go on with; None before the first stroke and after the plan's end.
        following: the piece after it; None when it is the last.
        number: which piece of the plan it is, from 0; None without one.
        rounds: how many hard pieces the plan has.
        left_s: how long it lasts yet [s]; None when it ends by the metre.
        left_m: how far it goes yet [m]; None when it ends by the clock.
        ends_s: when it ends [s]; None while nobody can say.
        share: how much of the plan is done, 0 to 1; by pieces where some of them end by the metre.
    """

    state: GuideState
    piece: Piece | None
    following: Piece | None
    number: int | None = None
    rounds: int = 0
    left_s: float | None = None
    left_m: float | None = None
    ends_s: float | None = None
    share: float = 0.0


class Guide:
    """Leads through a plan.

    Args:
        plan: what to row.

    Attributes:
        plan: the same.
        bells_s: when each piece so far began, and when the last one ended [s].
        pauses_s: from when to when it waited for somebody to row on [s]; a pause that goes on isn't among them.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.bells_s: list[float] = []
        self.pauses_s: list[tuple[float, float]] = []
        self._number = -1
        self._piece: Piece | None = None
        self._end_s: float | None = None
        self._end_m: float | None = None
        self._left_s: float | None = None  # while paused: what is left of the piece
        self._paused_s = 0.0
        self._moved_s = 0.0
        self._distance_m = 0.0
        self._sees = True

    @property
    def state(self) -> GuideState:
        """What it does now."""
        if self._number < 0:
            return GuideState.WAITING
        if self._piece is None:
            return GuideState.DONE
        return GuideState.ROWING if self._left_s is None else GuideState.PAUSED

    def sample(self, sample: Sample) -> None:
        """Take the next sample."""
        at_s = sample.time_s
        self._advance(at_s)
        self._distance_m = sample.distance_m or 0.0
        if sample.moving:
            if self._number < 0:
                self._start(0, at_s, 0.0)  # the first stroke's metres count
            if self._left_s is not None:
                self._go_on(at_s)
            self._moved_s = at_s
        self._advance(at_s)

    def tick(self, time_s: float) -> None:
        """Nothing came, and it is so late now [s]."""
        self._advance(time_s)

    def note(self, event: str, details: Mapping[str, Any], time_s: float) -> None:
        """Take a note: somebody leads the guide, or the machine is lost or back."""
        self._advance(time_s)
        if event in (BEGIN, NEXT) and self._number < 0:
            self._start(0, time_s, self._distance_m)
        elif event == NEXT and self._piece is not None:
            self._start(self._number + 1, time_s, self._distance_m)
        elif event == EXTEND:
            self._extend(details)
        elif event in (LOST, RESUMED):
            self._sees = event == RESUMED
            self._moved_s = time_s  # nobody paused in a time that nobody saw

    def cue(self, time_s: float) -> Cue:
        """What to do at a time, which isn't before the last sample's [s]."""
        piece, after = self._piece, self._number + 1
        following = self.plan.pieces[after] if after < len(self.plan.pieces) else None
        rounds = self.plan.rounds
        if piece is None:
            return Cue(self.state, None, following, rounds=rounds, share=float(self._number >= 0))
        left_s = self._left_s if self._left_s is not None else None if self._end_s is None else self._end_s - time_s
        left_m = None if self._end_m is None else max(0.0, self._end_m - self._distance_m)
        ends_s = self._end_s if self._left_s is None else None
        share = self._share(left_s)
        return Cue(self.state, piece, following, self._number, rounds, left_s, left_m, ends_s, share)

    def next_s(self, after_s: float) -> float:
        """When it has something new to say by the clock, at the latest: a bell, or a second before one [s]."""
        if self._end_s is None or self._left_s is not None or self._piece is None:
            return inf
        return min((at for n in (*COUNTED_DOWN, 0) if (at := self._end_s - n) > after_s), default=inf)

    def over(self) -> tuple[Segment, ...]:
        """The pieces that are over, from when to when they lasted."""
        rung = zip(self.plan.pieces, pairwise(self.bells_s), strict=False)
        return tuple(Segment(piece.effort, *rung_s) for piece, rung_s in rung)

    def pauses(self, end_s: float) -> tuple[tuple[float, float], ...]:
        """From when to when it waited for somebody to row on, in a row that ended at a time [s]."""
        last = [(self._paused_s, end_s)] if self.state is GuideState.PAUSED else []
        return (*self.pauses_s, *last)

    def timetable(self, end_s: float) -> tuple[Segment, ...]:
        """When which piece was due, in a row that ended at a time [s].

        What the row didn't reach is due when its clock says; a piece by the metre that wasn't finished is taken to
        end, and the pieces after it to begin, a second after the row.
        """
        bells_s = list(self.bells_s) or [end_s]
        for number in range(len(bells_s) - 1, len(self.plan.pieces)):
            bells_s.append(max(self._due_s(number, bells_s[-1], end_s), bells_s[-1]))
        pieces = zip(self.plan.pieces, pairwise(bells_s), strict=True)
        return tuple(Segment(piece.effort, *due_s) for piece, due_s in pieces)

    def _due_s(self, number: int, start_s: float, end_s: float) -> float:
        duration_s = self.plan.pieces[number].duration_s
        if number == self._number and duration_s is not None:
            return self._end_s if self._left_s is None and self._end_s is not None else end_s + (self._left_s or 0.0)
        return end_s + 1 if duration_s is None else start_s + duration_s

    def _start(self, number: int, start_s: float, start_m: float) -> None:
        """A bell: a piece begins, or the plan is over."""
        self.bells_s.append(start_s)
        self._number, self._left_s, self._end_s, self._end_m = number, None, None, None
        self._piece = piece = self.plan.pieces[number] if number < len(self.plan.pieces) else None
        if piece is None:
            return
        if piece.duration_s is not None:
            self._end_s = start_s + piece.duration_s
        else:
            self._end_m = start_m + (piece.distance_m or 0.0)

    def _advance(self, now_s: float) -> None:
        """Go as far as the time and the metres reach."""
        while self._piece is not None and self._left_s is None:
            if self._end_s is None:
                if self._end_m is None or self._distance_m < self._end_m:
                    return
                self._start(self._number + 1, now_s, self._distance_m)
            elif (stop_s := self._stop_s) + PAUSE_AFTER_S <= min(now_s, self._end_s):
                self._left_s, self._paused_s = self._end_s - stop_s, stop_s
            elif now_s >= self._end_s:
                self._start(self._number + 1, self._end_s, self._distance_m)
            else:
                return

    @property
    def _stop_s(self) -> float:
        """Since when nobody has rowed in a piece that waits for it [s]."""
        waits = self._sees and self._piece is not None and self._piece.effort not in WAITS_FOR_NOBODY
        return max(self._moved_s, self.bells_s[-1]) if waits else inf

    def _go_on(self, at_s: float) -> None:
        self.pauses_s.append((self._paused_s, at_s))
        self._end_s, self._left_s = at_s + (self._left_s or 0.0), None

    def _extend(self, details: Mapping[str, Any]) -> None:
        if self._left_s is not None:
            self._left_s += _extension(details, "seconds", EXTENSION_S)
        elif self._end_s is not None:
            self._end_s += _extension(details, "seconds", EXTENSION_S)
        elif self._end_m is not None:
            self._end_m += _extension(details, "metres", EXTENSION_M)

    def _share(self, left_s: float | None) -> float:
        if self.plan.duration_s is None or left_s is None:
            return self._number / len(self.plan.pieces)
        ahead_s = sum(piece.duration_s or 0.0 for piece in self.plan.pieces[self._number + 1 :])
        return max(0.0, 1.0 - (left_s + ahead_s) / self.plan.duration_s)


def _extension(details: Mapping[str, Any], name: str, usual: float) -> float:
    """How much longer, as a note says; a recording may say anything."""
    value = details.get(name, usual)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value <= MOST_EXTENSION else 0.0


class Caller:
    """What is called out, by sound, voice and screen: 3, 2, 1, and what begins.

    A call is a digit, the effort of a piece that begins, or the state that the guide comes to.
    """

    def __init__(self) -> None:
        self._before: Cue | None = None

    def calls(self, cue: Cue, speed_m_per_s: float | None) -> tuple[str, ...]:
        """What a cue has to say that the one before hadn't.

        Args:
            cue: the guide's newest.
            speed_m_per_s: how fast the row is, by which the end of a piece by the metre is foreseen; None is unknown.
        """
        before, self._before = self._before, cue
        if before is None or cue.state is not before.state:
            if cue.state is not GuideState.ROWING:
                return (str(cue.state),)
            return (str(cue.piece.effort),) if cue.piece else ()
        if cue.state is not GuideState.ROWING or cue.piece is None:
            return ()
        if cue.number != before.number:
            return (str(cue.piece.effort),)
        was, left = (_seconds_left(each, speed_m_per_s) for each in (before, cue))
        return tuple(str(n) for n in COUNTED_DOWN if left <= n < was and ceil(left) == n)


def _seconds_left(cue: Cue, speed_m_per_s: float | None) -> float:
    if cue.left_s is not None:
        return cue.left_s
    return cue.left_m / speed_m_per_s if cue.left_m is not None and speed_m_per_s else inf
