"""What was meant: a workout as a row of pieces, read from text that a person can type.

`10x45/75`, `5m + 10x45/75 + 5m`, `8x500m/2mr`, `3x(4x30/30)/3m`, `1m,2m,3m,2m,1m/1m`, `10x45s@24spm@1:55/75`, `30m`.

- Terms are joined by `+`.  `NxWORK/EASY` is N hard pieces, each followed by an easy one, or by a rest with the handle
  down when an `r` follows.  A group in brackets stands where a length may; a list of lengths shares what follows.
- A length alone is the warm-up before the first hard piece, the cool-down after the last, and a steady row when there
  is none.  Lengths are seconds (`45`, `45s`), minutes (`5m`, `5min`, `1:30`) or metres (`500m`, `2km`): an `m` from 100
  up means metres.
- Behind an `@` stands what a piece is rowed as, or what it asks for (`rowsync.target`).

docs/plans.md has it all on one page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import groupby
from typing import Any, NamedTuple
from unicodedata import bidirectional, category, east_asian_width

from rowsync.athlete import Athlete
from rowsync.errors import UsageError
from rowsync.intervals import Effort
from rowsync.target import CONVERSATION, PACE, Target, resolved, target_at, target_text, target_words

MOST_PIECES = 1000
MOST_DEPTH = 8
"""How deep groups may stand in groups."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a plan: it ends by the clock or by the metre, whichever of the two is set."""

    effort: Effort
    duration_s: float | None = None
    distance_m: float | None = None
    round_number: int | None = None
    """1 for the first hard piece and the easy one after it; None for warm-up, cool-down and steady pieces."""
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A workout, as typed and as pieces in order.

    Attributes:
        text: as typed; a named plan's own text.
        pieces: one after the other.
        name: what it is called; None when it has no name.
        about: a sentence about it; None when nobody wrote one.
    """

    text: str
    pieces: tuple[Piece, ...]
    name: str | None = None
    about: str | None = None

    @property
    def rounds(self) -> int:
        """How many hard pieces there are."""
        return sum(piece.effort is Effort.HARD for piece in self.pieces)

    @property
    def duration_s(self) -> float | None:
        """How long the plan takes [s]; None when a piece ends by the metre."""
        lengths = [piece.duration_s for piece in self.pieces]
        return None if None in lengths else sum(length for length in lengths if length is not None)

    @property
    def starts_s(self) -> tuple[float | None, ...]:
        """When each piece begins [s]; None behind a piece that ends by the metre, since nobody knows."""
        starts: list[float | None] = [0.0]
        for piece in self.pieces[:-1]:
            before = starts[-1]
            starts.append(None if before is None or piece.duration_s is None else before + piece.duration_s)
        return tuple(starts[: len(self.pieces)])

    def for_athlete(self, athlete: Athlete) -> Plan:
        """The same plan with its targets in values: `rowsync.target.resolved`.

        Raises:
            UsageError: a target is a share of something that nobody knows of the athlete.
        """
        return replace(self, pieces=tuple(_resolved(piece, athlete) for piece in self.pieces))


class NamedPlan(NamedTuple):
    """A plan that can be called by its name: its text, and a sentence about it."""

    text: str
    about: str


NAMED_PLANS = {
    "intervals": NamedPlan(
        "5m + 10x45/75 + 5m",
        "Ten times 45 s hard and 75 s easy, as hard as you can repeat.",
    ),
    "steady": NamedPlan("20m@talk", "Twenty minutes so easy that you could talk in whole sentences."),
    "day-c": NamedPlan("5m + 6x45/75", "The same intervals, fewer of them, before the circuit of day C."),
    "pyramid": NamedPlan(
        "5m + 1m,2m,3m,2m,1m/1m + 5m", "Hard pieces up to 3 min and down again, each with a minute of easy."
    ),
}
"""The sessions of the training programme (`programme.toml`), and one more."""


@dataclass(frozen=True, slots=True)
class Part:
    """A length with what was said of it.

    Attributes:
        duration_s: how long [s]; None when it ends by the metre.
        distance_m: how far [m]; None when it ends by the clock.
        effort: what it is rowed as; None leaves it to its place.
        targets: what it asks for.
    """

    duration_s: float | None = None
    distance_m: float | None = None
    effort: Effort | None = None
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """What stands between two `+`.

    Attributes:
        repeat: how often; None when no count was typed, which is once.
        parts: one length, or a list of them; nothing when it is a group.
        group: the terms in brackets; nothing when it isn't a group.
        easy: what follows each hard piece, or each repetition of the group.
    """

    repeat: int | None = None
    parts: tuple[Part, ...] = ()
    group: tuple[Term, ...] = ()
    easy: Part | None = None


def parse_plan(text: str) -> Plan:
    """Read a plan as a person types it, or by its name (`NAMED_PLANS`).

    Raises:
        UsageError: the text is no plan; the message points at the character.
    """
    typed = text.strip()
    if (name := typed.casefold()) in NAMED_PLANS:
        named = NAMED_PLANS[name]
        return Plan(named.text, pieces_of(plan_terms(named.text)), name, named.about)
    return Plan(typed, pieces_of(plan_terms(text)))


def plan_terms(text: str) -> tuple[Term, ...]:
    """The terms of a plan that a person typed, groups and lists as they were written.

    Raises:
        UsageError: the text is no plan; the message points at the character.
    """
    reader = _Reader(text)
    terms = reader.terms(depth=0)
    reader.end()
    return terms


def work_parts(text: str) -> tuple[Part, ...]:
    """A length or a list of them, with what is said of them, as it stands before a `/`.

    Raises:
        UsageError: the text is something else.
    """
    reader = _Reader(text)
    parts = reader.parts(0)
    reader.end()
    return parts


def easy_part(text: str) -> Part:
    """A length with what is said of it, as it stands behind a `/`: `75s`, `2mr`.

    Raises:
        UsageError: the text is something else.
    """
    reader = _Reader(text)
    part = reader.easy(0)
    reader.end()
    return part


def plan_text(plan: Plan | Sequence[Term]) -> str:
    """A plan in one way of writing it; what it is read as again has the same pieces.

    A plan whose pieces aren't those of its text, such as one for an athlete, is written piece by piece.
    """
    return " + ".join(map(_term_text, terms_of(plan) if isinstance(plan, Plan) else plan))


def terms_of(plan: Plan) -> tuple[Term, ...]:
    """The terms of a plan: those of its text where they are what it is, else its pieces, equal rounds together."""
    try:
        terms = plan_terms(plan.text)
        if pieces_of(terms) == plan.pieces:
            return terms
    except UsageError:
        pass
    return tuple(_gathered(plan.pieces))


def plan_fields(plan: Plan) -> dict[str, Any]:
    """A plan as JSON holds it (docs/plans.md)."""
    pieces = zip(plan.pieces, plan.starts_s, strict=True)
    return {
        "name": plan.name,
        "about": plan.about,
        "plan": plan.text,
        "rounds": plan.rounds,
        "duration_s": plan.duration_s,
        "pieces": [_piece_fields(piece, start_s) for piece, start_s in pieces],
    }


def _piece_fields(piece: Piece, start_s: float | None) -> dict[str, Any]:
    return {
        "effort": str(piece.effort),
        "start_s": start_s,
        "duration_s": piece.duration_s,
        "distance_m": piece.distance_m,
        "length": length_text(piece),
        "round_number": piece.round_number,
        "targets": [
            {
                "quantity": target.quantity,
                "low": target.low,
                "high": target.high,
                "of": target.of,
                "words": target_words(target),
            }
            for target in piece.targets
        ],
    }


# --- from terms to pieces ---------------------------------------------------------------------------------------------

_NUMBERED = (Effort.EASY, Effort.REST)
"""What has the number of the hard piece before it."""


class _Placed(NamedTuple):
    """A part with its place: "work" before a `/` or behind a count, "easy" behind the `/`, or "alone"."""

    part: Part
    place: str


def pieces_of(terms: Sequence[Term]) -> tuple[Piece, ...]:
    """The pieces of terms, one after the other, with rounds counted.

    Raises:
        UsageError: there are too many.
    """
    _refuse_many(_count(terms))
    placed = list(_placed(terms))
    efforts = _efforts(placed)
    pieces: list[Piece] = []
    rounds = 0
    for (part, place), effort in zip(placed, efforts, strict=True):
        rounds += effort is Effort.HARD
        follows = place == "easy" and effort in _NUMBERED and pieces[-1].effort is Effort.HARD
        number = rounds if effort is Effort.HARD or follows else None
        pieces.append(Piece(effort, part.duration_s, part.distance_m, number, part.targets))
    return tuple(pieces)


def _count(terms: Sequence[Term]) -> int:
    each = (
        (term.repeat or 1) * (_count(term.group) + (term.easy is not None))
        if term.group
        else (term.repeat or 1) * len(term.parts) * (1 + (term.easy is not None))
        for term in terms
    )
    return sum(each)


def _refuse_many(count: int) -> None:
    if count > MOST_PIECES:
        raise UsageError(f"A plan has at most {MOST_PIECES} pieces; this one has more.")


def _placed(terms: Iterable[Term]) -> Iterator[_Placed]:
    for term in terms:
        easy = [_Placed(term.easy, "easy")] if term.easy else []
        for _ in range(term.repeat or 1):
            if term.group:
                yield from (*_placed(term.group), *easy)
            for part in term.parts:
                yield from (_Placed(part, "alone" if _is_alone(term) else "work"), *easy)


def _is_alone(term: Term) -> bool:
    return term.repeat is None and len(term.parts) == 1 and term.easy is None


def _efforts(placed: Sequence[_Placed]) -> list[Effort]:
    """What each part is rowed as: as said, else by its place."""
    said = [_effort_said(part, place) for part, place in placed]
    rounds = [
        at
        for at, ((_, place), effort) in enumerate(zip(placed, said, strict=True))
        if place == "work" or effort is Effort.HARD
    ]
    return [effort or _effort_alone(at, rounds) for at, effort in enumerate(said)]


def _effort_said(part: Part, place: str) -> Effort | None:
    """What a part is rowed as, without its neighbours; None when they decide."""
    if part.effort is not None:
        return part.effort
    if place == "easy":
        return Effort.EASY
    if any(target.quantity == CONVERSATION for target in part.targets):
        return Effort.STEADY
    return Effort.HARD if place == "work" else None


def _effort_alone(at: int, rounds: Sequence[int]) -> Effort:
    if not rounds:
        return Effort.STEADY
    if at < rounds[0]:
        return Effort.WARMUP
    return Effort.COOLDOWN if at > rounds[-1] else Effort.EASY


def _resolved(piece: Piece, athlete: Athlete) -> Piece:
    return replace(piece, targets=tuple(resolved(target, athlete) for target in piece.targets))


# --- reading ----------------------------------------------------------------------------------------------------------

WRITE_IT = "Write it like 10x45/75, 5m + 10x45/75 + 5m, 8x500m/2mr or 30m."
WRITE_A_TARGET = (
    "After @ comes hard, easy, rest, steady, warmup, cooldown or talk; a pace like 1:55, a power like 200W or 85%, a\n"
    "heart rate like 140-150bpm or 75%hr, or a stroke rate like 24spm; each kind once."
)

_SPACE = re.compile(r"\s*")
_REPEAT = re.compile(r"(\d{1,4})\s*[xX×*]")
_LENGTH = re.compile(
    r"(?:(?P<minutes>\d{1,4}):(?P<seconds>[0-5]\d)|(?P<number>\d{1,7}(?:\.\d{1,3})?))(?![\d.:])"
    r"\s*(?P<unit>[A-Za-z]*(?:\s+[rR](?![A-Za-z]))?)"
)
_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)?")
EFFORT_WORDS = {str(effort): effort for effort in Effort} | {"warm-up": Effort.WARMUP, "cool-down": Effort.COOLDOWN}
_TALK = Target(CONVERSATION)
_SECONDS_PER_UNIT = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0}
_METRES_PER_UNIT = {"m": 1.0, "km": 1000.0}
_LEAST_METRES = 100
_LONGEST = 1_000_000
"""The longest length, in seconds or metres."""


class _Reader:
    """Reads a plan from left to right, each letter once or twice.

    Args:
        text: as typed.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def terms(self, depth: int) -> tuple[Term, ...]:
        """Terms joined by `+`."""
        terms = [self._term(depth)]
        while self._take("+"):
            terms.append(self._term(depth))
            _refuse_many(len(terms))
        return tuple(terms)

    def end(self) -> None:
        """Refuse what stands behind the last term."""
        if self._next():
            raise self._unreadable(self._at)

    def parts(self, blamed: int) -> tuple[Part, ...]:
        """One length, or several with commas; those of which nothing was said take what was said of the last."""
        parts = [self._part(blamed)]
        while self._take(","):
            parts.append(self._part(self._at - 1))
            _refuse_many(len(parts))
        last = parts[-1]
        return tuple(
            part if part.effort or part.targets else replace(part, effort=last.effort, targets=last.targets)
            for part in parts
        )

    def easy(self, blamed: int) -> Part:
        """A length, easy or with the handle down."""
        duration_s, distance_m, rests = self._length(blamed)
        effort, targets = self._said(Effort.REST if rests else None)
        return Part(duration_s, distance_m, effort or Effort.EASY, targets)

    def _term(self, depth: int) -> Term:
        start = self._at
        repeat = self._repeat()
        behind = self._at
        is_group = self._next() == "("
        group = self._group(depth) if is_group else ()
        parts = () if is_group else self.parts(behind)
        easy = self.easy(self._at - 1) if self._take("/") else None
        if repeat and len(parts) > 1:
            raise self._unreadable(start, "Put the list in brackets: 2x(250m,500m,250m/1m).")
        if depth == 0 and easy and not repeat and len(parts) == 1:
            raise self._unreadable(start, f"How often? {WRITE_IT}")
        return Term(repeat, parts, group, easy)

    def _repeat(self) -> int | None:
        start = self._at
        self._next()
        typed = _REPEAT.match(self._text, self._at)
        if typed is None:
            self._at = start
            return None
        if not 0 < int(typed[1]) <= MOST_PIECES:
            raise self._unreadable(self._at)
        self._at = typed.end()
        return int(typed[1])

    def _group(self, depth: int) -> tuple[Term, ...]:
        start = self._at
        if depth == MOST_DEPTH:
            raise self._unreadable(start, f"Groups stand in groups at most {MOST_DEPTH} deep.")
        self._take("(")
        terms = self.terms(depth + 1)
        if self._next() not in ("", ")"):
            raise self._unreadable(self._at)
        if not self._take(")"):
            raise self._unreadable(start, "This bracket is never closed.")
        return terms

    def _part(self, blamed: int) -> Part:
        duration_s, distance_m, rests = self._length(blamed)
        if rests:
            raise self._unreadable(self._at - 1)
        return Part(duration_s, distance_m, *self._said(None))

    def _length(self, blamed: int) -> tuple[float | None, float | None, bool]:
        """A duration [s] or a distance [m], and whether the handle rests; `blamed` is where one is missed."""
        if not self._next().isdecimal():
            self._at = blamed
            raise self._unreadable(blamed)
        typed = _LENGTH.match(self._text, self._at)
        if typed is None:
            raise self._unreadable(self._at)
        unit = "".join(typed["unit"].split()).lower()
        length = _measured(typed, unit.removesuffix("r"))
        if length is None or not 0 < (length[0] or length[1] or 0) <= _LONGEST:
            raise self._unreadable(self._at)
        self._at = typed.end()
        return *length, unit.endswith("r")

    def _said(self, effort: Effort | None) -> tuple[Effort | None, tuple[Target, ...]]:
        """What stands behind each `@`; an effort is said once, and so is each kind of target."""
        targets: list[Target] = []
        while self._next() == "@":
            sign = self._at
            self._take("@")
            start = self._at if self._next() else sign
            said = self._effort_or_target()
            if isinstance(said, Effort) and effort is None:
                effort = said
            elif isinstance(said, Target) and said.quantity not in [target.quantity for target in targets]:
                targets.append(said)
            else:
                raise self._unreadable(max(start, sign), WRITE_A_TARGET)
        return effort, tuple(targets)

    def _effort_or_target(self) -> Effort | Target | None:
        if target := target_at(self._text, self._at):
            said, self._at = target
            return said
        word = _WORD.match(self._text, self._at)
        known = word and (_TALK if word[0].lower() == "talk" else EFFORT_WORDS.get(word[0].lower()))
        if word and known:
            self._at = word.end()
        return known or None

    def _next(self) -> str:
        """The next letter that is no space; nothing at the end."""
        spaces = _SPACE.match(self._text, self._at)
        self._at = spaces.end() if spaces else self._at
        return self._text[self._at : self._at + 1]

    def _take(self, sign: str) -> bool:
        taken = self._next() == sign
        self._at += taken
        return taken

    def _unreadable(self, at: int, advice: str = "") -> UsageError:
        return UsageError(
            f"This plan can't be read from here on:\n{_pointed_at(self._text, at)}\n{advice or _advice(self._text)}"
        )


def _measured(typed: re.Match[str], unit: str) -> tuple[float | None, float | None] | None:
    """A typed length as seconds or metres; None with a unit that isn't one."""
    if typed["number"] is None:
        return None if unit else (60.0 * int(typed["minutes"]) + int(typed["seconds"]), None)
    number = float(typed["number"])
    if unit == "km" or (unit == "m" and number >= _LEAST_METRES):
        return None, round(number * _METRES_PER_UNIT[unit], 3)
    return (round(number * _SECONDS_PER_UNIT[unit], 3), None) if unit in _SECONDS_PER_UNIT else None


# --- what can't be read -----------------------------------------------------------------------------------------------

_SHOWN = 60
_SHOWN_BEFORE = 40
"""How many letters of a plan are shown, and how many before the one that is wrong, further right."""


def _pointed_at(text: str, at: int) -> str:
    """A line of the text, and one with a caret below the character."""
    start = 0 if at < _SHOWN else at - _SHOWN_BEFORE
    left_out = "…" if start else ""
    shown = "".join(letter if _is_one_column(letter) else "?" for letter in text[start : start + _SHOWN])
    return f"  {left_out}{shown}\n  {' ' * (len(left_out) + at - start)}^"


def _is_one_column(letter: str) -> bool:
    """Whether a letter takes one column, in the order in which it stands."""
    return (
        letter.isprintable()
        and east_asian_width(letter) not in "WF"
        and bidirectional(letter) not in ("R", "AL", "AN")
        and not category(letter).startswith("M")
    )


def _advice(text: str) -> str:
    """What to write instead; a text that begins with a letter was meant as a name."""
    word = text.strip()[:_SHOWN]
    if not word[:1].isalpha():
        return WRITE_IT
    close = get_close_matches(word.casefold(), NAMED_PLANS, n=1)
    meant = f"Did you mean {close[0]}? " if close else ""
    *names, last = NAMED_PLANS
    return f"{meant}Plans that have a name are {', '.join(names)} and {last}.\n{WRITE_IT}"


# --- writing ----------------------------------------------------------------------------------------------------------


def _term_text(term: Term) -> str:
    times = f"{term.repeat}x" if term.repeat else ""
    work = f"({plan_text(term.group)})" if term.group else _parts_text(term.parts)
    if term.easy is None:
        return times + work
    last = term.parts[-1].targets[-1:] if term.parts else ()
    reads_on = bool(last) and last[0].quantity == PACE and term.easy.distance_m == 500  # "@1:55/500m" is a pace
    return f"{times}{work}{'/500m' if reads_on else ''}/{_easy_text(term.easy)}"


def _parts_text(parts: Sequence[Part]) -> str:
    shared = len({(part.effort, part.targets) for part in parts}) == 1
    texts = [length_text(part) + ("" if shared else _said_text(part.effort, part.targets)) for part in parts]
    return ",".join(texts) + (_said_text(parts[-1].effort, parts[-1].targets) if shared else "")


def _easy_text(part: Part) -> str:
    rests = "r" if part.effort is Effort.REST else ""
    effort = None if part.effort in _NUMBERED else part.effort
    return f"{length_text(part)}{rests}{_said_text(effort, part.targets)}"


def _said_text(effort: Effort | None, targets: Iterable[Target]) -> str:
    return "".join(f"@{said}" for said in (*([effort] if effort else []), *map(target_text, targets)))


def length_text(part: Part | Piece) -> str:
    """A length as it is typed: `5m`, `45s`, `500m`; minutes from 100 up are `120min`."""
    if part.duration_s is None:
        metres = part.distance_m or 0.0
        return f"{_plain(metres)}m" if metres >= _LEAST_METRES else f"{_plain(metres / 1000)}km"
    minutes, seconds = divmod(part.duration_s, 60)
    if seconds or not minutes:
        return f"{_plain(part.duration_s)}s"
    return f"{_plain(minutes)}{'m' if minutes < _LEAST_METRES else 'min'}"


def _plain(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".")


def _gathered(pieces: Sequence[Piece]) -> Iterator[Term]:
    """Pieces as terms: rounds with their easy piece, equal ones together, and all else alone with its effort said."""
    for term, equal in groupby(_one_by_one(pieces)):
        times = len(list(equal))
        yield from [term] * times if term.repeat is None else [replace(term, repeat=times)]


def _one_by_one(pieces: Sequence[Piece]) -> Iterator[Term]:
    after: Sequence[Piece | None] = (*pieces[1:], None)
    is_taken = False
    for piece, following in zip(pieces, after, strict=True):
        if is_taken:
            is_taken = False
            continue
        part = _as_part(piece)
        if piece.effort is not Effort.HARD:
            yield Term(parts=(part,))
            continue
        goes_without_saying = _effort_said(replace(part, effort=None), "work") is Effort.HARD
        is_taken = following is not None and _is_easy_of(following, piece)
        easy = _as_part(following) if is_taken and following else None
        yield Term(1, (replace(part, effort=None) if goes_without_saying else part,), easy=easy)


def _is_easy_of(following: Piece, piece: Piece) -> bool:
    return following.effort in _NUMBERED and following.round_number == piece.round_number


def _as_part(piece: Piece) -> Part:
    return Part(piece.duration_s, piece.distance_m, piece.effort, piece.targets)
