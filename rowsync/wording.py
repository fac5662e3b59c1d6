"""Numbers, times and strangers' text as a reader sees them.

A value that was not measured is an en dash, never 0.  Text from outside (names, plans, reasons) is hostile until
`outside_text` has made it plain: nothing in it can move, hide or reorder what stands beside it.
"""

from __future__ import annotations

import html
import math
import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import Any

NOT_MEASURED = "–"
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
LONGEST_OUTSIDE_TEXT = 80
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
EFFORT_NAMES = {"warmup": "warm-up", "cooldown": "cool-down"}
# Reorder or hide what stands beside them.  Joiners (U+200C, U+200D) stay: Persian and emoji need them.
UNSEEN = frozenset("\u00ad\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


def measured(value: Any) -> float | None:
    """The value as a finite number; None when it was not measured or is no number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def number(value: Any, decimals: int = 0) -> str:
    """A number with thin spaces between thousands: `12 345`."""
    known = measured(value)
    if known is None:
        return NOT_MEASURED
    known = round(known, decimals) + 0.0  # no "-0"
    return f"{known:,.{decimals}f}".replace(",", THIN_SPACE).replace("-", MINUS)


def clock(seconds: Any) -> str:
    """A duration as `m:ss`, from an hour on as `h:mm:ss`."""
    known = measured(seconds)
    if known is None or known < 0:
        return NOT_MEASURED
    minutes, second = divmod(round(known), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def pace(seconds_per_500m: Any) -> str:
    """A pace as rowers say it: `2:05.3`."""
    known = measured(seconds_per_500m)
    if known is None or known <= 0:
        return NOT_MEASURED
    minutes, tenths = divmod(round(known * 10), 600)
    return f"{minutes}:{tenths // 10:02}.{tenths % 10}"


def percent_change(ratio: float) -> str:
    """A ratio as a change with its sign: 0.97 is `−3 %`."""
    change = round((ratio - 1) * 100)
    sign = "+" if change > 0 else MINUS if change < 0 else "±"
    return f"{sign}{abs(change)}{THIN_SPACE}%"


def count(number_of: int, one: str, many: str | None = None) -> str:
    """A count and its noun: `1 session`, `2 sessions`."""
    return f"{number(number_of)} {one if number_of == 1 else many or one + 's'}"


def moment(started_at: Any) -> datetime | None:
    """A time stamp from a document or a table, in this computer's time zone; None when it is missing or unreadable.

    One without a zone is in UTC.
    """
    try:
        found = started_at if isinstance(started_at, datetime) else datetime.fromisoformat(str(started_at))
        in_utc = found if found.tzinfo else found.replace(tzinfo=UTC)
        return datetime.fromtimestamp(in_utc.timestamp(), UTC).astimezone()  # of whatever kind of datetime it is
    except (TypeError, ValueError, OverflowError, OSError):  # NaT is a datetime without a time
        return None


def stamp(at: datetime) -> str:
    """A time for a document: ISO 8601 in UTC, `2026-11-23T16:30:00Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def effort_name(effort: Any) -> str:
    """An effort as rowers write it: `warm-up` for `warmup`."""
    return EFFORT_NAMES.get(str(effort), str(effort))


def day(at: date) -> str:
    """A date in words: `Monday 23 November 2026`."""
    return f"{WEEKDAYS[at.weekday()]} {long_date(at)}"


def long_date(at: date) -> str:
    """A date in words, without its weekday: `23 November 2026`."""
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def short_day(at: datetime) -> str:
    """A date for a table: `Mon 23 Nov 2026`."""
    return f"{WEEKDAYS[at.weekday()][:3]} {at.day} {MONTHS[at.month - 1][:3]} {at.year}"


def time_of_day(at: datetime) -> str:
    """The time with its zone said plainly: `16:30 UTC` or `17:30 +01:00`."""
    offset = at.utcoffset()
    zone = "UTC" if offset in (None, timedelta(0)) else at.isoformat()[-6:]
    return f"{at.hour:02}:{at.minute:02} {zone}"


def outside_text(value: Any, longest: int = LONGEST_OUTSIDE_TEXT) -> str:
    """A stranger's text, visible as it is: controls and direction overrides are spelled out, and it is kept short."""
    text = str(value)
    shown = "".join(_visible(character) for character in text[:longest])
    return shown + "…" if len(text) > longest else shown


def outside_html(value: Any, longest: int = LONGEST_OUTSIDE_TEXT) -> str:
    """`outside_text`, escaped and isolated from the direction of the text around it."""
    return f"<bdi>{html.escape(outside_text(value, longest))}</bdi>"


def no_formula(cell: Any) -> Any:
    """A cell of CSV: a text that a spreadsheet would run as a formula is made a text again, all else stays."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell


_FORMULAS = (*"=+-@\t\r\n\0", *"\uff1d\uff0b\uff0d\uff20")
"""How a formula begins; some spreadsheets take the full-width signs for the same."""


def _visible(character: str) -> str:
    if character in UNSEEN or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return f"\\u{ord(character):04x}"
    return character
