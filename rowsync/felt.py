"""What a person says of how a session felt: whether one could talk, and how hard it was.

One tap after a row; it is worth more than any sensor.  Nothing here changes a session.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rowsync.errors import UsageError
from rowsync.wording import measured, moment, stamp

HARDEST = 10.0
"""The top of Foster's scale of exertion (2001): 0 is rest, 3 moderate, 5 hard, 10 the hardest ever."""


@dataclass(frozen=True, slots=True)
class Felt:
    """How a session felt; None was not said.

    Attributes:
        talked: whether one could have talked in whole sentences all the while (the talk test).
        exertion: how hard the whole session was, from 0 to `HARDEST`.
        said_at: when it was said.
    """

    talked: bool | None
    exertion: float | None
    said_at: datetime


def typed_exertion(text: str) -> float:
    """An exertion as a person types it, `7` or `6.5`.

    Raises:
        UsageError: it isn't a number from 0 to 10.
    """
    known = float(text) if re.fullmatch(r"\s*[0-9]{1,2}(\.[0-9]{1,3})?\s*", text) else None
    if known is None or known > HARDEST:
        raise UsageError(f"{text[:20]!r} is no exertion: type a number from 0 (rest) to 10 (the hardest ever).")
    return known


def typed_talk(text: str) -> bool:
    """Whether one could have talked, as a person types it: `yes` or `no`.

    Raises:
        UsageError: it is neither.
    """
    if (talked := _ANSWERS.get(text.strip().lower())) is None:
        raise UsageError(f"{text[:20]!r} is no answer to whether you could have talked: type yes or no.")
    return talked


_ANSWERS = {"yes": True, "y": True, "no": False, "n": False}


def felt_fields(felt: Felt) -> dict[str, Any]:
    """What was said as JSON holds it: `talked`, `exertion` and `said_at`."""
    return {"talked": felt.talked, "exertion": felt.exertion, "said_at": stamp(felt.said_at)}


def felt_from_fields(content: Any) -> Felt | None:
    """What was said from JSON; None where nothing is said, or nobody knows when."""
    at = moment(content.get("said_at")) if isinstance(content, dict) else None
    if at is None or not isinstance(content["said_at"], str):
        return None
    talked, exertion = content.get("talked"), content.get("exertion")
    talked = talked if isinstance(talked, bool) else None
    exertion = _exertion(exertion) if isinstance(exertion, (int, float)) and not isinstance(exertion, bool) else None
    return None if talked is None and exertion is None else Felt(talked, exertion, at.astimezone(UTC))


def _exertion(value: float) -> float | None:
    known = measured(value) if abs(value) <= HARDEST else None  # a JSON integer may be too large for a float
    return None if known is None or known < 0 else known
