"""A session that a crash interrupted a moment ago: whoever rows on goes on with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rowsync.errors import RecordingError, StoreError
from rowsync.journal import Journal, journals_left
from rowsync.plan import Plan
from rowsync.recording import Recording, read_recording

WITHIN_S = 600.0
"""A session that was cut short longer ago is over [s]."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A session to go on with.

    Attributes:
        recording: what there is of it.
        journal: its journal, held.
        ended_at: when its last packet came.
    """

    recording: Recording
    journal: Journal
    ended_at: datetime

    @property
    def last_s(self) -> float:
        """The time of its last packet [s]."""
        return self.recording.items[-1].time_s

    def time_s(self, now: datetime) -> float:
        """Its session time by now; never before its last packet, whatever was done to the clock [s]."""
        return self.last_s + max(0.0, (now - self.ended_at).total_seconds())


def unfinished(folder: Path, origin: str, athlete: str, plan: Plan | None) -> Unfinished | None:
    """The session that was being rowed until a few minutes ago, if it is what is wanted now; its journal is held.

    Args:
        folder: the data folder.
        origin: of which origin it must be.
        athlete: who must have rowed it.
        plan: what is to be rowed; None goes on with whatever there was.
    """
    now = datetime.now(UTC)
    for path in reversed(journals_left(folder)):
        with suppress(OSError, RecordingError, StoreError):
            ended_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            if not 0 <= (now - ended_at).total_seconds() <= WITHIN_S:
                continue
            recording = read_recording(path)
            header = recording.header
            wanted = header.origin == origin and header.athlete.name == athlete
            same = plan is None or plan.text == header.plan
            if wanted and same and recording.notifications and not recording.is_ended:
                return Unfinished(recording, Journal(path, None, len(recording.notifications)), ended_at)
    return None
