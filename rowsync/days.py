"""Which day it was where somebody rowed."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from rowsync.errors import UsageError


def zone(name: str) -> ZoneInfo:
    """A time zone by its name in the IANA database, such as "Europe/Berlin".

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise UsageError(f"There is no time zone {name!r}; they are called like Europe/Berlin.") from None


def local(moment: datetime, time_zone: str | None) -> datetime:
    """A moment by the clocks of a time zone; None is this computer's.

    At the ends of the calendar, where a recording's clock may stand and some zones have no time, it stays as it is.
    """
    there = None if time_zone is None else zone(time_zone)
    try:
        return moment.astimezone(there)
    except (OverflowError, ValueError, OSError):
        return moment


def day_of(moment: datetime, time_zone: str | None) -> date:
    """The day that a moment lies in, in a time zone; None is this computer's."""
    return local(moment, time_zone).date()
