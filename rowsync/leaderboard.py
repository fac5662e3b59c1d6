"""Who was fastest, or strongest: of each person the best, read from the index alone.

Nobody's row is opened for it.  What a program rowed is no person's, and isn't listed; nor are watts that the heart
contradicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rowsync.bests import DISTANCES_M, DURATIONS_S
from rowsync.errors import UsageError
from rowsync.session import SYNTHETIC
from rowsync.table import values

COLUMNS: Mapping[str, str] = {
    **{f"{metres}m": f"best_{metres}m_s" for metres in DISTANCES_M},
    **{f"{seconds}s": f"power_{seconds}s_w" for seconds in DURATIONS_S},
}
"""What may be asked for, and in which column of the index it stands: times over distances, and power held."""


def column_of(best: str) -> str:
    """The column of the index that holds a best.

    Raises:
        UsageError: there is no such best.
    """
    column = COLUMNS.get(best.strip().lower().replace(" ", "").replace(",", ""))
    if column is None:
        raise UsageError(f"There is no best called {best!r:.40}. There are {', '.join(COLUMNS)}.")
    return column


def leaders(table: pa.Table, column: str, most: int, since: datetime | None = None) -> list[dict[str, Any]]:
    """Of each person the best session, the best person first; of two equal ones the earlier.

    Args:
        table: rows of the index.
        column: one of `COLUMNS`; of times the least counts, of power the most.
        most: how many people.
        since: sessions that began before then don't count.

    Returns:
        One dictionary a person: athlete, the column, session_id, started_at, machine.
    """
    is_time = column.endswith("_s")
    counts = pc.and_(pc.is_valid(table[column]), pc.fill_null(pc.not_equal(table["origin"], SYNTHETIC), True))
    if not is_time:
        counts = pc.and_(counts, pc.invert(pc.fill_null(table["doubtful_power"], False)))
    if since is not None:
        counts = pc.and_(counts, pc.greater_equal(table["started_at"], pa.scalar(since, pa.timestamp("us", tz="UTC"))))
    how, order = ("min", "ascending") if is_time else ("max", "descending")
    best = table.select(["athlete", column]).filter(counts).group_by("athlete").aggregate([(column, how)])
    people = best.sort_by([(f"{column}_{how}", order), ("athlete", "ascending")]).slice(0, most)
    counts = pc.and_(counts, pc.is_in(table["athlete"], people["athlete"]))
    table = table.select([*_TOLD, column]).filter(counts)
    return [_first(table, name, column, found) for name, found in zip(*map(values, people.columns), strict=True)]


_TOLD = ("athlete", "session_id", "started_at", "machine")


def _first(table: pa.Table, athlete: str, column: str, best: float) -> dict[str, Any]:
    """A person's first session in which the best was rowed."""
    own = table.filter(pc.and_(pc.equal(table["athlete"], athlete), pc.equal(table[column], best)))
    row = own.sort_by([("started_at", "ascending")]).slice(0, 1)
    names: Sequence[str] = (*_TOLD, column)
    return {name: values(row[name])[0] for name in names}
