"""What was meant: a workout as a row of pieces, and the guide that leads through it.

A plan is text that a person can type: `10x45/75`, `5m + 10x45/75 + 5m`, `8x500m/2mr`, `30m`.  The terms are joined by
`+`.  `NxWORK/EASY` is N hard pieces, each followed by an easy one, or by a rest with the handle down when an `r`
follows.  A length alone is the warm-up before the first rounds, the cool-down after the last, and a steady row when
there are no rounds.  Lengths are seconds (`45`, `45s`), minutes (`5m`, `5min`, `1:30`) or metres (`500m`, `2km`): an
`m` from 100 up means metres.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from rowsync.errors import UsageError
from rowsync.intervals import Effort, Segment
from rowsync.telemetry import Sample

MOST_PIECES = 1000


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a plan: it ends by the clock or by the metre, whichever of the two is set."""

    effort: Effort
    duration_s: float | None = None
    distance_m: float | None = None
    round_number: int | None = None
    """1 for the first hard piece and the easy one after it; None for warm-up, cool-down and steady pieces."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A workout, as typed and as pieces in order."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def rounds(self) -> int:
        """How many hard pieces there are."""
        return sum(piece.effort is Effort.HARD for piece in self.pieces)

    @property
    def duration_s(self) -> float | None:
        """How long the plan takes [s]; None when a piece ends by the metre."""
        lengths = [piece.duration_s for piece in self.pieces]
        return None if None in lengths else sum(length for length in lengths if length is not None)


def parse_plan(text: str) -> Plan:
    """Read a plan as a person types it.

    Raises:
        UsageError: the text is no plan; the message points at the character.
    """
    terms = list(_terms(text))
    rounds = [number for number, (repeat, _, _) in enumerate(terms) if repeat is not None]
    pieces: list[Piece] = []
    for number, (repeat, work, easy) in enumerate(terms):
        if repeat is None:
            pieces.append(Piece(_effort_alone(number, rounds), *work))
            continue
        for _ in range(repeat):
            this = 1 + sum(piece.effort is Effort.HARD for piece in pieces)
            pieces.append(Piece(Effort.HARD, *work, round_number=this))
            if easy is not None:
                effort, length = easy
                pieces.append(Piece(effort, *length, round_number=this))
        if len(pieces) > MOST_PIECES:
            raise UsageError(f"A plan has at most {MOST_PIECES} pieces; this one has more.")
    return Plan(text.strip(), tuple(pieces))


_Length = tuple[float | None, float | None]
"""Duration [s] and distance [m], one of them None: the tail of a `Piece`."""

_TERM = re.compile(
    r"\s*(?:(?P<repeat>\d{1,4})\s*[xX×]\s*)?(?P<work>[\d.:]+\s*[a-z]*)(?:\s*/\s*(?P<easy>[\d.:]+\s*[a-z]*))?\s*"
)
_LENGTH = re.compile(r"(?P<number>\d{1,7}(?:\.\d{1,3})?)\s*(?P<unit>s|m|min|km|)(?P<rest>r?)$")
_CLOCK = re.compile(r"(?P<minutes>\d{1,4}):(?P<seconds>[0-5]\d)(?P<rest>r?)$")
_SECONDS_PER_UNIT = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0}
_METRES_PER_UNIT = {"m": 1.0, "km": 1000.0}
_LEAST_METRES = 100


def _terms(text: str) -> list[tuple[int | None, _Length, tuple[Effort, _Length] | None]]:
    terms = []
    at = 0
    while True:
        term = _TERM.match(text, at)
        if term is None or (term["easy"] and not term["repeat"]):
            raise _unreadable(text, at)
        repeat = int(term["repeat"]) if term["repeat"] else None
        if repeat == 0 or (repeat or 0) > MOST_PIECES:
            raise _unreadable(text, term.start("repeat"))
        work, is_rest = _length(text, term, "work")
        if is_rest:
            raise _unreadable(text, term.end("work") - 1)
        easy = None
        if term["easy"]:
            length, is_rest = _length(text, term, "easy")
            easy = (Effort.REST if is_rest else Effort.EASY, length)
        terms.append((repeat, work, easy))
        at = term.end()
        if at == len(text):
            return terms
        if text[at] != "+":
            raise _unreadable(text, at)
        at += 1


def _length(text: str, term: re.Match[str], group: str) -> tuple[_Length, bool]:
    typed = re.sub(r"\s", "", term[group])
    if clock := _CLOCK.match(typed):
        length: _Length = (60.0 * int(clock["minutes"]) + int(clock["seconds"]), None)
        rest = clock["rest"]
    elif plain := _LENGTH.match(typed):
        number, unit, rest = float(plain["number"]), plain["unit"], plain["rest"]
        by_metre = unit == "km" or (unit == "m" and number >= _LEAST_METRES)
        length = (None, number * _METRES_PER_UNIT[unit]) if by_metre else (number * _SECONDS_PER_UNIT[unit], None)
    else:
        raise _unreadable(text, term.start(group))
    if not 0 < (length[0] or length[1] or 0) <= 1_000_000:
        raise _unreadable(text, term.start(group))
    return length, bool(rest)


def _effort_alone(number: int, rounds: list[int]) -> Effort:
    if not rounds:
        return Effort.STEADY
    if number < rounds[0]:
        return Effort.WARMUP
    return Effort.COOLDOWN if number > rounds[-1] else Effort.EASY


def _unreadable(text: str, at: int) -> UsageError:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:60])  # a letter a column
    return UsageError(
        f"This plan can't be read from here on:\n  {shown}\n  {' ' * min(at, 60)}^\n"
        "Write it like 10x45/75, 5m + 10x45/75 + 5m, 8x500m/2mr or 30m."
    )


@dataclass(frozen=True, slots=True)
class Cue:
    """What the guide says at one moment.

    Attributes:
        piece: the piece to row now; None before the first stroke and after the plan's end.
        following: the piece after it; None when it is the last.
        left_s: how long it lasts yet [s]; None when it ends by the metre.
        left_m: how far it goes yet [m]; None when it ends by the clock.
        share: how much of the plan is done, 0 to 1; by pieces where some of them end by the metre.
    """

    piece: Piece | None
    following: Piece | None
    left_s: float | None = None
    left_m: float | None = None
    share: float = 0.0


class Guide:
    """Leads through a plan: it starts with the first stroke, and every piece starts where the one before ended.

    Args:
        plan: what to row.

    Attributes:
        plan: the same.
        bells_s: when each piece so far began, and when the last one ended [s].
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._number = -1
        self._start_s = 0.0
        self._start_m = 0.0
        self.bells_s: list[float] = []

    @property
    def done(self) -> bool:
        """Whether the last piece is over."""
        return self._number >= len(self.plan.pieces)

    def feed(self, sample: Sample) -> Cue:
        """Take the next sample; answer what to do now."""
        self.advance(sample)
        return self._cue(sample.time_s, sample.distance_m or 0.0)

    def advance(self, sample: Sample) -> None:
        """Take the next sample."""
        distance_m = sample.distance_m or 0.0
        if self._number < 0 and sample.moving:
            self._number, self._start_s = 0, sample.time_s  # the first stroke's metres count
            self.bells_s.append(self._start_s)
        while self._piece is not None and self._is_over(self._piece, sample.time_s, distance_m):
            self._start_s = sample.time_s if self._piece.duration_s is None else self._start_s + self._piece.duration_s
            self._start_m = distance_m
            self.bells_s.append(self._start_s)
            self._number += 1

    @property
    def _piece(self) -> Piece | None:
        return self.plan.pieces[self._number] if 0 <= self._number < len(self.plan.pieces) else None

    def _is_over(self, piece: Piece, time_s: float, distance_m: float) -> bool:
        if piece.duration_s is not None:
            return time_s >= self._start_s + piece.duration_s
        return distance_m >= self._start_m + (piece.distance_m or 0.0)

    def _cue(self, time_s: float, distance_m: float) -> Cue:
        piece = self._piece
        after = self._number + 1
        following = self.plan.pieces[after] if after < len(self.plan.pieces) else None
        if piece is None:
            return Cue(None, following, share=float(self.done))
        if piece.duration_s is None:
            left_m = self._start_m + (piece.distance_m or 0.0) - distance_m
            return Cue(piece, following, left_m=left_m, share=self._number / len(self.plan.pieces))
        left_s = self._start_s + piece.duration_s - time_s
        return Cue(piece, following, left_s=left_s, share=self._share(left_s))

    def _share(self, left_s: float) -> float:
        if self.plan.duration_s is None:
            return self._number / len(self.plan.pieces)
        ahead_s = sum(piece.duration_s or 0.0 for piece in self.plan.pieces[self._number + 1 :])
        return 1.0 - (left_s + ahead_s) / self.plan.duration_s


def timetable(plan: Plan, samples: Iterable[Sample]) -> tuple[Segment, ...]:
    """When which piece of a plan was due in a row that it guided.

    What the row didn't reach is due when its clock says; a piece by the metre that wasn't finished is taken to end, and
    the pieces after it to begin, a second after the row.
    """
    guide, end_s = Guide(plan), 0.0
    for sample in samples:
        guide.advance(sample)
        end_s = sample.time_s
    bells_s = list(guide.bells_s) or [end_s]
    for piece in plan.pieces[len(bells_s) - 1 :]:
        bells_s.append(max(end_s + 1, bells_s[-1]) if piece.duration_s is None else bells_s[-1] + piece.duration_s)
    return tuple(Segment(piece.effort, *due_s) for piece, due_s in zip(plan.pieces, pairwise(bells_s), strict=True))
