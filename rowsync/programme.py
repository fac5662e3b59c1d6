"""The training programme as data, and a history of rows and ticks laid beside it, week by week.

The facts are in `programme.toml`, and another programme is another such file.  A week is an ISO week, Monday to Sunday.
Information, not medical advice; and no figure of lost weight, which nobody could know from a rower.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from rowsync.corrections import CORRECTED
from rowsync.errors import UsageError
from rowsync.plan import parse_plan
from rowsync.wording import count, measured, number, percent_change

INFORMATION = "Information, not medical advice."

_Table = Mapping[str, Any]


class Span(NamedTuple):
    """From the least to the most of something, in the unit of whoever has it."""

    least: float
    most: float

    def times(self, factor: float) -> Span:
        """The same of each end."""
        return Span(self.least * factor, self.most * factor)


# --- the programme ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowKind:
    """One kind of row.

    Attributes:
        minutes: how long [min].
        how: how it feels, in words.
        plan: what to type behind `rowsync row --plan`; empty for a free row.
    """

    minutes: Span
    how: str
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Rowing:
    """How often and how to row.

    Attributes:
        rows_a_week: rows a week, those of day C apart.
        minutes_a_row: length of a row [min].
        minutes_a_week: all rowing of a week [min].
        interval_rows_a_week: how many of the rows are intervals.
        warm_up_minutes: easy rowing before the first hard piece [min].
        then: what follows the warm-up.
        longest_minutes: how long to row without a pause [min].
        most_growth: by what share the minutes may grow from one week to the next.
        conversational: rows at which one can talk.
        intervals: the week's interval row.
        day_c: the short intervals before a circuit.
    """

    rows_a_week: Span
    minutes_a_row: Span
    minutes_a_week: Span
    interval_rows_a_week: int
    warm_up_minutes: Span
    then: str
    longest_minutes: float
    most_growth: float
    conversational: RowKind
    intervals: RowKind
    day_c: RowKind


@dataclass(frozen=True, slots=True)
class Eating:
    """What to aim at beside the rowing.

    Attributes:
        deficit_kcal_a_day: energy used over energy eaten [kcal/day].
        protein_g_per_kg: protein a day and kilogram of body mass [g/kg].
        fibre_g: fibre a day [g].
    """

    deficit_kcal_a_day: Span
    protein_g_per_kg: Span
    fibre_g: Span


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise of a strength day; None is left open.

    Attributes:
        name: what it is called.
        cue: how to do it well.
        sets: sets.
        reps: repetitions a set.
        hold_s: how long each is held [s].
        each_side: whether each side does them all.
    """

    name: str
    cue: str
    sets: Span | None = None
    reps: Span | None = None
    hold_s: Span | None = None
    each_side: bool = False


@dataclass(frozen=True, slots=True)
class StrengthDay:
    """A strength day, ticked by its name.

    Attributes:
        name: such as "A".
        exercises: in order.
        first: what comes before them.
    """

    name: str
    exercises: tuple[Exercise, ...]
    first: str = ""


@dataclass(frozen=True, slots=True)
class Safety:
    """A note of caution, and where it is from."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Programme:
    """A training programme.

    Attributes:
        name: what it is called.
        weeks: how many it takes.
        about: what it is founded on, in sentences.
        rowing: the rows.
        eating: the targets beside them.
        days: the strength days of a week, in order.
        safety: notes of caution.
    """

    name: str
    weeks: Span
    about: tuple[str, ...]
    rowing: Rowing
    eating: Eating
    days: tuple[StrengthDay, ...]
    safety: tuple[Safety, ...]

    @property
    def day_names(self) -> tuple[str, ...]:
        """What can be ticked."""
        return tuple(day.name for day in self.days)


def load_programme(text: str) -> Programme:
    """Read a programme from TOML; its tables and keys are the dataclasses here and their attributes.

    Raises:
        UsageError: it can't be read; the message names the key.
    """
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"This programme is no TOML: {str(error)[:200]}") from None
    programme = _record(Programme, content, "")
    names = programme.day_names
    if len(set(names)) < len(names):
        raise _wrong("days", list(names), "days of different names")
    return programme


_Kind = TypeVar("_Kind")
_Reader = Callable[[Any, str], Any]


def _record(kind: type[_Kind], value: Any, key: str) -> _Kind:
    """A table as a dataclass."""
    if not isinstance(value, dict):
        raise _wrong(key, value, "a table")
    within = f"{key}." if key else ""
    readers = _READERS[kind]
    for name in value:
        if name not in readers:
            raise UsageError(f"In the programme, {within}{name} is unknown. Known are: {', '.join(readers)}.")
    for each in fields(kind):  # type: ignore[arg-type]
        if each.default is MISSING and each.name not in value:
            raise UsageError(f"In the programme, {within}{each.name} is missing.")
    return kind(**{name: readers[name](inner, within + name) for name, inner in value.items()})


def _records(kind: type[_Kind], value: Any, key: str) -> tuple[_Kind, ...]:
    if not isinstance(value, list) or not value:
        raise _wrong(key, value, "one table or more, each headed [[...]]")
    return tuple(_record(kind, each, f"{key}[{number_of}]") for number_of, each in enumerate(value, start=1))


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(key, value, "a text in quotes")
    return value


def _texts(value: Any, key: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(key, value, "a list of texts")
    return tuple(_text(each, f"{key}[{number_of}]") for number_of, each in enumerate(value, start=1))


def _plan(value: Any, key: str) -> str:
    try:
        return parse_plan(_text(value, key)).text
    except UsageError:
        raise _wrong(key, value, "a plan such as 10x45/75") from None


def _flag(value: Any, key: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(key, value, "true or false")
    return value


MOST = 100_000
"""More than any amount in a programme."""


def _amount(value: Any, key: str) -> float:
    known = None if isinstance(value, bool) or not isinstance(value, (int, float)) else measured(value)
    if known is None or not 0 < known <= MOST:
        raise _wrong(key, value, "a number above 0")
    return known


def _whole(value: Any, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise _wrong(key, value, "a whole number")
    return value


def _span(value: Any, key: str) -> Span:
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) != 2:
        raise _wrong(key, value, "a number or [least, most]")
    span = Span(*(_amount(end, key) for end in ends))
    if span.least > span.most:
        raise _wrong(key, value, "[least, most], the smaller one first")
    return span


def _wrong(key: str, value: Any, wanted: str) -> UsageError:
    return UsageError(f"In the programme, {key} is {repr(value)[:60]}; it should be {wanted}.")


_READERS: dict[type, dict[str, _Reader]] = {
    RowKind: {"minutes": _span, "how": _text, "plan": _plan},
    Rowing: {
        "rows_a_week": _span,
        "minutes_a_row": _span,
        "minutes_a_week": _span,
        "interval_rows_a_week": _whole,
        "warm_up_minutes": _span,
        "then": _text,
        "longest_minutes": _amount,
        "most_growth": _amount,
        "conversational": partial(_record, RowKind),
        "intervals": partial(_record, RowKind),
        "day_c": partial(_record, RowKind),
    },
    Eating: {"deficit_kcal_a_day": _span, "protein_g_per_kg": _span, "fibre_g": _span},
    Exercise: {"name": _text, "cue": _text, "sets": _span, "reps": _span, "hold_s": _span, "each_side": _flag},
    StrengthDay: {"name": _text, "exercises": partial(_records, Exercise), "first": _text},
    Safety: {"text": _text, "source": _text},
    Programme: {
        "name": _text,
        "weeks": _span,
        "about": _texts,
        "rowing": partial(_record, Rowing),
        "eating": partial(_record, Eating),
        "days": partial(_records, StrengthDay),
        "safety": partial(_records, Safety),
    },
}
"""How each key of each table is read."""


# --- what was done ----------------------------------------------------------------------------------------------------


class Tick(NamedTuple):
    """A strength day that was done: when, and which."""

    day: date
    what: str


class Row(NamedTuple):
    """What a programme asks of one session.

    Attributes:
        day: when, in the athlete's time zone.
        minutes: time that strokes own [min].
        rounds: hard pieces rowed.
        rounds_planned: those of its plan, where it was followed; else None.
        block_minutes: from the first hard piece to the end of the last one's easy, as planned, else as rowed [min].
        warm_up_minutes: rowed before the first hard piece [min]; None without one.
        longest_minutes: rowed without a pause [min].
        conversational: whether one could have talked; None is not known.
        net_kcal: net energy [kcal].
        net_low_kcal: lower end of its 80 % range [kcal].
        net_high_kcal: upper end [kcal].
    """

    day: date
    minutes: float
    rounds: int = 0
    rounds_planned: int | None = None
    block_minutes: float = 0.0
    warm_up_minutes: float | None = None
    longest_minutes: float = 0.0
    conversational: bool | None = None
    net_kcal: float = 0.0
    net_low_kcal: float = 0.0
    net_high_kcal: float = 0.0

    @property
    def is_intervals(self) -> bool:
        """Whether it has rounds: a single hard stretch of a free row is none."""
        return self.rounds >= (2 if self.rounds_planned is None else 1)

    @property
    def share(self) -> float:
        """How much of its rounds was rowed, 0 to 1; all of them where nobody knows how many were meant."""
        return min(1.0, self.rounds / self.rounds_planned) if self.rounds_planned else float(self.rounds > 0)


def row_of(summary: _Table, day: date) -> Row | None:
    """What a programme asks of a session; None of one that no person rowed.

    Args:
        summary: the JSON of `rowsync show`.
        day: the day it was rowed on.
    """
    if summary.get("origin") == "synthetic":
        return None
    pieces: Sequence[_Table] = summary.get("intervals") or ()
    hard = [piece for piece in pieces if piece["effort"] == "hard"]
    planned = _followed(summary)
    energy: _Table = summary.get("energy") or {}
    net_kcal, gross_kcal = (measured(energy.get(name)) or 0.0 for name in ("net_kcal", "gross_kcal"))
    low_kcal, high_kcal = (measured(energy.get(name)) for name in ("low_kcal", "high_kcal"))
    net_low_kcal, net_high_kcal = (measured(energy.get(name)) for name in ("net_low_kcal", "net_high_kcal"))
    return Row(
        day=day,
        minutes=(measured(summary.get("moving_s")) or 0.0) / 60.0,
        rounds=planned["rounds_rowed"] if planned else len(hard),
        rounds_planned=planned["rounds_planned"] if planned else None,
        block_minutes=((_planned_block_s(summary) if planned else None) or _rowed_block_s(hard)) / 60.0,
        warm_up_minutes=_rowed_s(pieces, hard[0]["start_s"]) / 60.0 if hard else None,
        longest_minutes=_longest_s(pieces) / 60.0,
        conversational=(summary.get("training") or {}).get("conversational"),
        net_kcal=net_kcal,
        # An older session has a range of its gross energy only; the resting part has none, so it is as wide.
        net_low_kcal=net_low_kcal if net_low_kcal is not None else net_kcal + (low_kcal or gross_kcal) - gross_kcal,
        net_high_kcal=net_high_kcal if net_high_kcal is not None else net_kcal + (high_kcal or gross_kcal) - gross_kcal,
    )


def _followed(summary: _Table) -> _Table | None:
    """How the rounds of its plan were kept; None where they weren't, or a person said otherwise."""
    kept = summary.get("compliance")
    if not kept or summary.get("intervals_from") == CORRECTED:
        return None
    return kept if kept["followed"] and kept["rounds_planned"] else None


def _planned_block_s(summary: _Table) -> float | None:
    """How long the rounds of a plan take, each with its easy [s]; None where they end by the metre."""
    try:
        rounds = [piece for piece in parse_plan(str(summary.get("plan"))).pieces if piece.round_number]
    except UsageError:
        return None
    return (
        None if any(piece.duration_s is None for piece in rounds) else sum(piece.duration_s or 0.0 for piece in rounds)
    )


def _rowed_block_s(hard: Sequence[_Table]) -> float:
    """How long hard pieces and what lies between them took, with one more of what lies between [s]."""
    worked_s = float(sum(piece["end_s"] - piece["start_s"] for piece in hard))
    between_s = [after["start_s"] - before["end_s"] for before, after in pairwise(hard)]
    return worked_s + float(sum(between_s)) * len(hard) / max(1, len(between_s))


def _rowed_s(pieces: Iterable[_Table], until_s: float) -> float:
    """Time before some moment that was no rest [s]."""
    before = (piece for piece in pieces if piece["effort"] != "rest" and piece["end_s"] <= until_s)
    return float(sum(piece["end_s"] - piece["start_s"] for piece in before))


def _longest_s(pieces: Iterable[_Table]) -> float:
    """The longest time without a rest [s]."""
    longest_s = now_s = 0.0
    for piece in pieces:
        now_s = 0.0 if piece["effort"] == "rest" else now_s + piece["end_s"] - piece["start_s"]
        longest_s = max(longest_s, now_s)
    return longest_s


# --- week by week -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Week:
    """One week beside the programme.

    Attributes:
        number: 1 for the first.
        monday: its first day.
        rows: rows, intervals among them; neither those of day C nor any shorter than the shortest one planned.
        interval_rows: interval rows.
        intervals: how much of them was rowed, each from 0 to 1.
        conversational_rows: rows at which one could have talked.
        day_c_rows: short interval rows.
        strength: strength days ticked.
        minutes: all rowing [min].
        cold_starts: rows without a warm-up before their hard pieces.
        longest_minutes: the longest rowing without a pause [min].
        net_kcal: net energy of all rowing [kcal].
        net_low_kcal: lower end of its 80 % range; a person on a machine errs the same way each time, so ranges add
            [kcal].
        net_high_kcal: upper end [kcal].
        deficit_share: net energy as a share of the planned deficit of seven days: of its most, and of its least.
        deficit_share_range: the same from the lower to the upper end of the range.
        notes: what may be worth a thought, in sentences.
    """

    number: int
    monday: date
    rows: int
    interval_rows: int
    intervals: float
    conversational_rows: int
    day_c_rows: int
    strength: tuple[str, ...]
    minutes: float
    cold_starts: int
    longest_minutes: float
    net_kcal: float
    net_low_kcal: float
    net_high_kcal: float
    deficit_share: Span
    deficit_share_range: Span
    notes: tuple[str, ...] = ()


MOST_WEEKS = 26
"""No more weeks are looked back, whenever it all began."""
SLACK_MINUTES = 0.5
"""What a row may be short of what was planned: its edges are only known to a few strokes."""
DAYS_A_WEEK = 7


def monday_of(day: date) -> date:
    """The first day of its ISO week."""
    return day - timedelta(days=day.weekday())


def first_monday(started: date, today: date) -> date:
    """The first week that is looked at."""
    first, last = monday_of(started), monday_of(today)
    return first + max(timedelta(0), last - first - timedelta(weeks=MOST_WEEKS - 1))


def week_by_week(
    programme: Programme, rows: Iterable[Row], ticks: Iterable[Tick], started: date, today: date
) -> tuple[Week, ...]:
    """Each week from the one in which it started to today's, empty ones too; none before the start.

    Args:
        programme: what was planned.
        rows: what was rowed, in any order.
        ticks: what was ticked, in any order.
        started: a day of the first week.
        today: a day of the last week.
    """
    rows, ticks, begin = tuple(rows), tuple(ticks), monday_of(started)
    monday, weeks = first_monday(started, today), list[Week]()
    while monday <= today:
        within = [row for row in rows if monday_of(row.day) == monday]
        done = {tick.what for tick in ticks if monday_of(tick.day) == monday}
        number_of = 1 + (monday - begin).days // DAYS_A_WEEK
        weeks.append(_week(programme, number_of, monday, within, done, weeks[-1] if weeks else None))
        monday += timedelta(weeks=1)
    return tuple(weeks)


def _week(
    programme: Programme, number_of: int, monday: date, rows: Sequence[Row], done: set[str], before: Week | None
) -> Week:
    rowing = programme.rowing
    rounds = [row for row in rows if row.is_intervals]
    intervals = [row for row in rounds if row.block_minutes > rowing.day_c.minutes.most]
    shortest = min(rowing.minutes_a_row.least, rowing.conversational.minutes.least) - SLACK_MINUTES
    others = [row for row in rows if not row.is_intervals and row.minutes >= shortest]
    warm = rowing.warm_up_minutes.least - SLACK_MINUTES
    minutes = sum(row.minutes for row in rows)
    cold_starts = sum(row.warm_up_minutes is not None and row.warm_up_minutes < warm for row in rounds)
    longest = max((row.longest_minutes for row in rows), default=0.0)
    net, low, high = (float(sum(getattr(row, name) for row in rows)) for name in _NET)
    least, most = programme.eating.deficit_kcal_a_day.times(DAYS_A_WEEK)
    return Week(
        number=number_of,
        monday=monday,
        rows=len(intervals) + len(others),
        interval_rows=len(intervals),
        intervals=sum(row.share for row in intervals),
        conversational_rows=sum(row.conversational is True for row in others),
        day_c_rows=len(rounds) - len(intervals),
        strength=tuple(name for name in programme.day_names if name in done),
        minutes=minutes,
        cold_starts=cold_starts,
        longest_minutes=longest,
        net_kcal=net,
        net_low_kcal=low,
        net_high_kcal=high,
        deficit_share=Span(net / most, net / least),
        deficit_share_range=Span(low / most, high / least),
        notes=tuple(_notes(rowing, len(intervals), cold_starts, longest, minutes, before.minutes if before else 0.0)),
    )


_NET = ("net_kcal", "net_low_kcal", "net_high_kcal")


def _notes(
    rowing: Rowing, intervals: int, cold_starts: int, longest: float, minutes: float, minutes_before: float
) -> Iterable[str]:
    """What may be worth a thought in a week, gently."""
    if cold_starts:
        began = f"{count(cold_starts, 'row')} went into the hard pieces without a full warm-up"
        yield f"{began}: {spanned(rowing.warm_up_minutes)} min of easy rowing, then {rowing.then}."
    if intervals > rowing.interval_rows_a_week:
        planned = f"{number(rowing.interval_rows_a_week)} planned"
        yield f"{count(intervals, 'interval row')}, {planned}: let the others be easy, they do as much good."
    if rowing.longest_minutes + SLACK_MINUTES < longest:
        yield (
            f"{number(longest)} min without a pause: after {number(rowing.longest_minutes)} a minute off the seat does "
            "the back good."
        )
    if minutes_before >= LEAST_BEFORE_MINUTES and minutes > minutes_before * (1 + rowing.most_growth):
        yield (
            f"{percent_change(minutes / minutes_before)} minutes over the week before: how is your back? If it "
            "complains, go back to what it was used to."
        )


LEAST_BEFORE_MINUTES = 10.0
"""After hardly a row, more isn't a jump [min]."""


def spanned(span: Sequence[float], decimals: int = 0) -> str:
    """A span in words: `3–4`, or `3` where both ends are the same."""
    least, most = (number(end, decimals) for end in span)
    return least if least == most else f"{least}–{most}"


def left_of(programme: Programme, week: Week) -> tuple[str, ...]:
    """What is left of a week, each as `2–3 rows`; nothing when it is done."""
    rowing = programme.rowing
    rows = Span(*(max(0.0, end - week.rows) for end in rowing.rows_a_week))
    intervals = rowing.interval_rows_a_week - week.interval_rows
    minutes = rowing.minutes_a_week.least - week.minutes
    strength = [name for name in programme.day_names if name not in week.strength]
    left = [
        f"{spanned(rows)} row{'' if rows == (1, 1) else 's'}" if rows.least else "",
        f"{count(intervals, 'interval row')} of them" if intervals > 0 and rows.least else "",
        f"{count(intervals, 'interval row')}" if intervals > 0 and not rows.least else "",
        f"{number(minutes)} min of rowing" if minutes >= SLACK_MINUTES else "",
        f"strength {', '.join(strength)}" if strength else "",
    ]
    return tuple(filter(None, left))


def next_day(programme: Programme, week: Week | None) -> StrengthDay:
    """The strength day to do next: the first that this week lacks, and when it lacks none, the first."""
    done = week.strength if week else ()
    return next((day for day in programme.days if day.name not in done), programme.days[0])


def overview(
    programme: Programme, weeks: Sequence[Week], *, athlete: str, mass_kg: float | None, started: date, today: date
) -> dict[str, Any]:
    """All there is to say, as `rowsync programme --json` prints it (docs/programme.md).

    Args:
        programme: what was planned.
        weeks: as `week_by_week` gives them.
        athlete: whose.
        mass_kg: body mass, for the protein [kg].
        started: a day of the first week.
        today: a day of the last week.
    """
    now = weeks[-1] if weeks else None
    protein_g = None if mass_kg is None else programme.eating.protein_g_per_kg.times(mass_kg)
    return {
        "athlete": athlete,
        "started": monday_of(started).isoformat(),
        "today": today.isoformat(),
        "week": now.number if now else None,
        "left": [] if now is None else list(left_of(programme, now)),
        "weeks": [_plain(asdict(week)) for week in weeks],
        "next_day": next_day(programme, now).name,
        "mass_kg": mass_kg,
        "protein_g": _plain(protein_g),
        "fibre_g": _plain(programme.eating.fibre_g),
        "programme": _plain(asdict(programme)),
        "information": INFORMATION,
    }


def _plain(value: Any) -> Any:
    """As JSON holds it; floats to a millionth."""
    match value:
        case float():
            return round(value, 6)
        case date():
            return value.isoformat()
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
    return value
