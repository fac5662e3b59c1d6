"""The table of a session's intervals: choose the columns, then write them.

A column of which nothing is known isn't shown.  What hard pieces have besides the others is said beside them: their
power against the easy stretch after them, against the first piece's, and how fast the heart came down.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dashboards.page import column_head
from dashboards.strokes import work_j
from rowsync.verdict import is_doubtful, percent
from rowsync.wording import NOT_MEASURED, clock, effort_name, measured, number, outside_text, pace, percent_change

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HardPiece:
    """What is said of a hard piece beside the others.

    Attributes:
        round_number: from 1.
        hard_to_easy: its mean power over that of the easy stretch after it; None without one.
        to_first: its mean power over that of the first hard piece; None of the first itself.
    """

    round_number: int
    hard_to_easy: float | None
    to_first: float | None


class Line(NamedTuple):
    """One interval as `rowsync show` has it, and what is said of it as a hard piece."""

    row: Row
    hard: HardPiece | None


class Column(NamedTuple):
    """A column of the table; `value` gives the cell's HTML, NOT_MEASURED where nothing is known."""

    name: str
    unit: str
    value: Callable[[Line], str]
    always: bool = True


COLUMNS = (
    Column("start", "", lambda line: _start(line.row)),
    Column("time", "", lambda line: clock(line.row.get("duration_s"))),
    Column("distance", "m", lambda line: number(line.row.get("distance_m"))),
    Column("pace", "/500 m", lambda line: pace(line.row.get("mean_pace_s_per_500m"))),
    Column("power", "W", lambda line: number(line.row.get("mean_power_w"))),
    Column("rate", "spm", lambda line: number(line.row.get("mean_stroke_rate_spm"), 1)),
    Column("work", "J a stroke", lambda line: number(_work_j(line.row)), always=False),
    Column("heart", "bpm", lambda line: number(line.row.get("mean_heart_rate_bpm")), always=False),
    Column("hard:easy", "power", lambda line: number(line.hard.hard_to_easy if line.hard else None, 1), always=False),
    Column("fade", "since first", lambda line: _change(line.hard.to_first if line.hard else None), always=False),
    Column("recovery", "bpm in 1 min", lambda line: number(line.row.get("heart_rate_recovery_bpm")), always=False),
    Column("energy", "kcal", lambda line: number(line.row.get("gross_kcal"))),
    Column("net", "kcal", lambda line: number(line.row.get("net_kcal"))),
)


def interval_lines(rows: Sequence[Row]) -> tuple[Line, ...]:
    """The intervals in order, hard pieces with what is said of them beside the others."""
    hard = [place for place, row in enumerate(rows) if row["effort"] == "hard"]
    first_w = next(iter([_power_w(rows[place]) for place in hard]), None)
    pieces = {
        place: HardPiece(
            round_number,
            _ratio(_power_w(rows[place]), _easy_w(rows[place + 1 : place + 2])),
            None if round_number == 1 else _ratio(_power_w(rows[place]), first_w),
        )
        for round_number, place in enumerate(hard, start=1)
    }
    return tuple(Line(row, pieces.get(place)) for place, row in enumerate(rows))


def shown_columns(lines: Sequence[Line]) -> tuple[Column, ...]:
    """The columns that hold something, and those that are always there."""
    return tuple(
        column for column in COLUMNS if column.always or any(column.value(line) != NOT_MEASURED for line in lines)
    )


def interval_table(rows: Sequence[Row], energy_width: str) -> str:
    """The table as HTML.

    Args:
        rows: the intervals of `rowsync show`.
        energy_width: the energy's range in words, for the head of its column.
    """
    lines = interval_lines(rows)
    columns = shown_columns(lines)
    heads = "".join(
        column_head(column.name, f"{column.unit} {energy_width}".strip() if column.name == "energy" else column.unit)
        for column in columns
    )
    return (
        '<table class="intervals"><caption class="unseen">Every stretch of the session, in order</caption>\n'
        f'<thead><tr><th scope="col">#</th><th scope="col" class="word">effort</th>{heads}</tr></thead>\n'
        f"<tbody>\n{''.join(_html(line, columns) for line in lines)}</tbody></table>"
    )


def _html(line: Line, columns: Sequence[Column]) -> str:
    effort, kind = html.escape(outside_text(effort_name(line.row["effort"]))), ""
    if line.hard is not None:
        effort, kind = f"{effort} {line.hard.round_number}", ' class="hard"'
    cells = "".join(f"<td>{column.value(line)}</td>" for column in columns)
    first = f'<th scope="row">{number(line.row.get("number"))}</th><td class="word">{effort}</td>'
    return f"<tr{kind}>{first}{cells}</tr>\n"


def _start(row: Row) -> str:
    if not is_doubtful(row):
        return clock(row.get("start_s"))
    sure = f"{percent(row['start_confidence'])} sure"
    return f'{clock(row.get("start_s"))}<abbr class="doubt" title="{sure}">?</abbr>'


def _power_w(row: Row) -> float | None:
    return measured(row.get("mean_power_w"))


def _easy_w(after: Sequence[Row]) -> float | None:
    return _power_w(after[0]) if after and after[0]["effort"] == "easy" else None


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _work_j(row: Row) -> float | None:
    """Mean work of a stroke: 60 · power / stroke rate; None where nobody rowed [J].

    A rest has none: its mean power is over the full stop too, its stroke rate isn't.
    """
    power_w, rate_spm = _power_w(row), measured(row.get("mean_stroke_rate_spm"))
    return None if not power_w or not rate_spm or row["effort"] == "rest" else work_j(rate_spm, power_w)


def _change(ratio: float | None) -> str:
    return NOT_MEASURED if ratio is None else percent_change(ratio)
