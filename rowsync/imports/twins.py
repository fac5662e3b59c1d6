"""What of a file is in the store already: the same row of the same file, or the same row out of another one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

OVERLAP = 0.5
"""Nobody rows two rows at once; two that share more than this share of the shorter one are the same."""


def mark_of(session_id: str) -> str | None:
    """The mark of the file's row in the id of an imported session; None in any other id."""
    found = re.fullmatch(r"\d{8}T\d{6}Z-import-([0-9a-f]{8}(-\d+)?)", session_id)
    return found and found[1]


def same_file(mark: str, rows: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The stored session that the same row of the same file became, whoever's; None for none.

    Args:
        mark: as in `Imported`.
        rows: the index of the store.
    """
    return next((row for row in rows if mark_of(str(row["session_id"])) == mark), None)


def same_time(
    athlete: str, started_at: datetime, duration_s: float, rows: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """A stored session of the athlete's that lies at the same time; None for none.

    Args:
        athlete: whose.
        started_at: when the row began.
        duration_s: how long it is [s].
        rows: the index of the store.
    """
    for row in rows:
        row_s, after_s = row["duration_s"] or 0.0, (row["started_at"] - started_at).total_seconds()
        shared_s = min(duration_s, after_s + row_s) - max(0.0, after_s)
        if row["athlete"] == athlete and shared_s > OVERLAP * min(duration_s, row_s):
            return row
    return None
