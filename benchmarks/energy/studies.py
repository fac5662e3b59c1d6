"""Measured oxygen uptake of people on rowing ergometers: a table of studies, read and checked.

`reference.csv` has one line for each power at which a study gives uptake.  A study without body mass gets the usual one
of such rowers, and `mass_measured` says no.  New lines need no change of code: add them there, or in a file of the same
columns (`--data`); a line whose `use` is no is kept for the record and scored nowhere, and its `remark` says why.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).with_name("reference.csv")

SUBMAX, MAX = "submax", "max"
"""Steady work, and the end of a test to exhaustion: there, uptake misses what is worked without oxygen."""

SUBMAX_KCAL_PER_L, MAX_KCAL_PER_L = 4.90, 5.05
"""Energy for a litre of oxygen where the study doesn't give the respiratory exchange ratio [kcal/L]."""
HIGHEST_RER = 1.0
"""More carbon dioxide than oxygen is from buffering acid; what is burned is all carbohydrate then."""


class TableError(ValueError):
    """A table can't be read; the message names the file, the line and the column."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a study measured at one power.

    Attributes:
        study: short name; all rows of a study together weigh as much as those of any other.
        citation: where it was published, and how far it could be read.
        n: how many people or tests.
        sex: "female", "male", "mixed", or "unknown".
        mass_kg: body mass [kg].
        mass_measured: whether the study gives it; else it is assumed.
        power_w: power [W].
        power_basis: what measured power.
        vo2_l_per_min: oxygen uptake [L/min].
        rer: respiratory exchange ratio.
        heart_rate_bpm: heart rate [1/min].
        intensity: "submax", "max" (at the end of a test to exhaustion), or "supramax" (a race).
        use: whether it is scored.
        remark: how it was read, or why it isn't scored.
        first_read_power_w: power as it was read at first, where that was wrong; the pinned controls, which others
            reckoned from the first reading, are checked with it [W].
    """

    study: str
    citation: str
    n: float | None
    sex: str
    mass_kg: float | None
    mass_measured: bool
    power_w: float | None
    power_basis: str
    vo2_l_per_min: float
    rer: float | None
    heart_rate_bpm: float | None
    intensity: str
    use: bool
    remark: str
    first_read_power_w: float | None = None

    @property
    def kcal_per_min(self) -> float:
        """Energy by indirect calorimetry [kcal/min]; Lusk (1924): 3.815 + 1.232 RER kcal for a litre of oxygen."""
        if self.rer is not None:
            return self.vo2_l_per_min * (3.815 + 1.232 * min(self.rer, HIGHEST_RER))
        return self.vo2_l_per_min * (SUBMAX_KCAL_PER_L if self.intensity == SUBMAX else MAX_KCAL_PER_L)

    @property
    def facts(self) -> dict[str, float | str | None]:
        """What a formula may ask (`rowsync.formulas.Formula.at`)."""
        return {"power_w": self.power_w, "mass_kg": self.mass_kg, "heart_rate_bpm": self.heart_rate_bpm}


# --- reading ----------------------------------------------------------------------------------------------------------


def text(cell: str) -> str:
    """Words that must be there."""
    if not cell:
        raise ValueError("is empty")
    return cell


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of these words."""

    def read(cell: str) -> str:
        if cell not in words:
            raise ValueError(f"{cell!r} is none of {', '.join(words)}")
        return cell

    return read


def yes_or_no(cell: str) -> bool:
    """A yes or a no."""
    return one_of("yes", "no")(cell) == "yes"


def number(low: float, high: float) -> Callable[[str], float]:
    """A reader of a number that makes sense."""

    def read(cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            raise ValueError(f"{cell!r} is no number") from None
        if not low <= value <= high:
            raise ValueError(f"{cell} isn't between {low:g} and {high:g}")
        return value

    return read


def perhaps(read: Callable[[str], float]) -> Callable[[str], float | None]:
    """The same, but the cell may be empty."""
    return lambda cell: read(cell) if cell else None


COLUMNS: dict[str, Callable[[str], Any]] = {
    "study": text,
    "citation": text,
    "n": perhaps(number(1, 1e6)),
    "sex": one_of("female", "male", "mixed", "unknown"),
    "mass_kg": perhaps(number(20, 300)),
    "mass_measured": yes_or_no,
    "power_w": perhaps(number(10, 1000)),
    "power_basis": text,
    "vo2_l_per_min": number(0.2, 8),
    "rer": perhaps(number(0.6, 1.6)),
    "heart_rate_bpm": perhaps(number(30, 240)),
    "intensity": one_of(SUBMAX, MAX, "supramax"),
    "use": yes_or_no,
    "remark": str,
    "first_read_power_w": perhaps(number(10, 1000)),
}
"""How each column is read."""

OPTIONAL = ("first_read_power_w",)


def read_rows(path: Path = REFERENCE) -> list[Row]:
    """All rows of a table.

    Raises:
        TableError: it can't be read; names the line and the column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_rows(path.name, csv.reader(file, strict=True)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path.name} can't be read: {error}") from error


def _rows(name: str, lines: Any) -> Iterator[Row]:
    """The rows of a table's lines, the first of which has the columns' names in any order."""
    head = next(lines, [])
    for column in COLUMNS:
        if head.count(column) > 1 or (column not in OPTIONAL and column not in head):
            raise TableError(f"{name}, line 1, column {column}: is there {head.count(column)} times, not once")
    for column in head:
        if column not in COLUMNS:
            raise TableError(f"{name}, line 1, column {column}: there is no such column")
    for cells in lines:
        if cells:
            yield _row(f"{name}, line {lines.line_num}", head, cells)


def _row(where: str, head: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(head):
        column = head[min(len(cells), len(head) - 1)]
        raise TableError(f"{where}, column {column}: the line has {len(cells)} cells, not {len(head)}")
    values = {}
    for column, cell in zip(head, cells, strict=True):
        try:
            values[column] = COLUMNS[column](cell.strip())
        except ValueError as error:
            raise TableError(f"{where}, column {column}: {error}") from None
    row = Row(**values)
    for column, why in _lacks(row):
        raise TableError(f"{where}, column {column}: {why}")
    return row


def _lacks(row: Row) -> Iterator[tuple[str, str]]:
    """What a row needs besides, column by column."""
    if row.mass_measured and row.mass_kg is None:
        yield "mass_kg", "is empty, though it was measured"
    if not row.use and not row.remark:
        yield "remark", "a row that isn't used needs a reason"
    if row.use and row.power_w is None:
        yield "power_w", "is empty, but a row that is used needs it"
    if row.use and row.mass_kg is None:
        yield "mass_kg", "is empty, but a row that is used needs it, assumed if need be"
    if row.use and row.intensity not in (SUBMAX, MAX):
        yield "intensity", f"{row.intensity} can't be used: oxygen uptake isn't what it costs"
