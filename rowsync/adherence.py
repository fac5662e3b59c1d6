"""A training programme beside what an athlete did of it: rows out of the store, and what was ticked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Protocol

from rowsync.days import day_of
from rowsync.errors import RecordingError
from rowsync.profile import Profile
from rowsync.programme import Programme, Row, first_monday, monday_of, overview, row_of, week_by_week
from rowsync.ticks import Ticked

LOOKED_BACK = timedelta(weeks=11)
"""Who never said when it began is taken to have begun with the first row of so long."""


class Sessions(Protocol):
    """What is read of the store."""

    def rows(self) -> list[dict[str, Any]]:
        """One row of the index a session."""

    def summary(self, session_id: str) -> dict[str, Any]:
        """The JSON of `rowsync show`; raises RecordingError."""


def adherence(
    store: Sessions,
    programme: Programme,
    profile: Profile,
    said: Ticked,
    today: date,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """What an athlete did of a programme, as `rowsync programme --json` prints it (docs/programme.md).

    Args:
        store: the sessions; what a virtual rower rowed doesn't count.
        programme: what was planned.
        profile: whose.
        said: what was ticked.
        today: which day it is for them.
        tell: is told of a session that can't be read; it is left out.
    """
    days = _days_rowed(store, profile)
    started = said.started or _began(today, [*days.values(), *(each.day for each in said.ticks)])
    rows = list(_rows(store, days, started, today, tell))
    weeks = week_by_week(programme, rows, said.ticks, started, today)
    mass_kg = profile.mass_on(today)
    return overview(programme, weeks, athlete=profile.name, mass_kg=mass_kg, started=started, today=today)


def _days_rowed(store: Sessions, profile: Profile) -> dict[str, date]:
    """The day of each of an athlete's own sessions, by its id."""
    own = (row for row in store.rows() if row["athlete"] == profile.name and row["origin"] != "synthetic")
    return {row["session_id"]: day_of(row["started_at"], profile.time_zone) for row in own}


def _began(today: date, days: Iterable[date]) -> date:
    """The first of the days in the last twelve weeks; today without any."""
    recent = monday_of(today) - LOOKED_BACK
    return min((day for day in days if recent <= day <= today), default=today)


def _rows(
    store: Sessions, days: Mapping[str, date], started: date, today: date, tell: Callable[[str], None]
) -> Iterator[Row]:
    """What a programme asks of the sessions in the weeks shown."""
    first = first_monday(started, today)
    for session_id, day in days.items():
        if first <= day <= today:
            try:
                row = row_of(store.summary(session_id), day)
            except RecordingError as error:
                tell(str(error))
                continue
            if row is not None:
                yield row
