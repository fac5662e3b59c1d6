"""Rowing a session: the whole way from the radio to the journal and the screen, on one page.

Bytes are journalled first and decoded second, so a mistake in a decoder costs nothing.  pandas and pyarrow stay out of
here: the store takes over from the journal when the row is over.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from rowsync import ble, wording
from rowsync.athlete import Athlete
from rowsync.errors import MachineLost, StoreError
from rowsync.intervals import Effort
from rowsync.journal import Journal, make_folder
from rowsync.plan import Cue, Guide, Plan
from rowsync.recording import ENDED
from rowsync.session import Header, Tracker
from rowsync.telemetry import Notification, Sample

IDLE_AFTER_PLAN_S = 10.0
IDLE_S = 300.0
"""The session ends by itself when nobody has rowed for so long [s]."""

RECOVERIES = (Effort.EASY, Effort.REST)


@dataclass(frozen=True, slots=True)
class Moment:
    """What the screen may show after one notification.

    Attributes:
        sample: the state of the row.
        cue: what the plan asks for; None without a plan.
        effort: what is being rowed, as far as can be said.
        gross_kcal: energy so far [kcal].
        notifications: how many arrived.
        saved: how many of them are safely on disk.
        trouble: why the disk refuses; None when all is well.
    """

    sample: Sample
    cue: Cue | None
    effort: Effort | None
    gross_kcal: float
    notifications: int
    saved: int
    trouble: str | None


class Screen(Protocol):
    """Whoever shows the row; it can't delay or break the recording."""

    def say(self, text: str) -> None:
        """Show one line."""

    def show(self, moment: Moment) -> None:
        """Show where the row is."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person at the rower asked for."""

    folder: Path
    athlete: Athlete
    plan: Plan | None = None
    rower: str | None = None
    origin: str = "hardware"


async def row(wishes: Wishes, radio: ble.Radio, screen: Screen, on_link: Callable[[ble.Link], None]) -> Path | None:
    """Find the rower, connect, and record until the plan is done, nobody rows, or the link is stopped.

    Args:
        wishes: what to row, and for whom.
        radio: which Bluetooth stack.
        screen: who shows it.
        on_link: gets the open link, so that it can be stopped.

    Returns:
        The journal, closed and synced; None when nothing arrived.

    Raises:
        MachineError: no rower, or no Bluetooth.
        StoreError: nothing can be written.
    """
    if wishes.plan is not None:
        screen.say(f"Plan: {_told(wishes.plan)}.")
    screen.say("Looking for a rower ...")
    rower = await ble.find(radio, wishes.rower)
    screen.say(f"Connecting to {wording.outside_text(rower.name) or rower.address} ...")
    async with ble.connect(rower, radio) as link:
        on_link(link)
        screen.say("Connected. Row when you are ready; Ctrl-C ends the session.")
        return await _record(wishes, link, screen)


async def _record(wishes: Wishes, link: ble.Link, screen: Screen) -> Path | None:
    first = await anext(link, None)
    if first is None:
        return None
    header = _header(wishes, link.rower)
    with Journal(journal_path(wishes.folder, header.session_id), header) as journal:
        following = _Following(wishes, header, journal, screen)
        following.take(first)
        try:
            async for notification in link:
                following.take(notification)
                if following.is_over:
                    break
        except MachineLost as error:
            screen.say(f"{error} What was rowed is saved.")
            journal.note(following.now_s, "lost")
        journal.note(following.now_s, ENDED)
    screen.say(f"All {wording.count(journal.durable, 'notification')} saved.")
    return journal.path


class _Following:
    """One session as it is rowed: journal first, then the tracker, the guide and the screen.

    Whatever goes wrong after the journal ends the following, never the recording.
    """

    def __init__(self, wishes: Wishes, header: Header, journal: Journal, screen: Screen) -> None:
        self._journal, self._screen = journal, screen
        self._tracker = Tracker(header)
        self._guide = Guide(wishes.plan) if wishes.plan else None
        self._cue: Cue | None = None
        self._still_since_s = 0.0
        self._lost_track = False
        self.now_s = 0.0

    def take(self, notification: Notification) -> None:
        self._journal.append(notification)
        self.now_s = notification.time_s
        if self._lost_track:
            return
        try:
            self._follow(notification)
        except Exception as error:  # our mistake, not the rower's: the bytes are analysed again when it is mended
            self._lost_track = True
            self._screen.say(f"rowsync lost track of the row ({error!r}). Row on: all is recorded. Ctrl-C ends it.")

    def _follow(self, notification: Notification) -> None:
        self._tracker.feed(notification)
        sample = self._tracker.sample
        if sample is None:
            return
        self._cue = self._guide.feed(sample) if self._guide else None
        piece = self._cue.piece if self._cue else None
        if sample.moving or (piece is not None and piece.effort in RECOVERIES):
            self._still_since_s = notification.time_s
        self._screen.show(self._moment(sample))

    @property
    def is_over(self) -> bool:
        """Whether nobody has rowed for so long that nobody will; a planned recovery may last as long as it likes."""
        done = self._guide is not None and self._guide.done
        patience_s = IDLE_AFTER_PLAN_S if done else IDLE_S
        return not self._lost_track and self.now_s - self._still_since_s > patience_s

    def _moment(self, sample: Sample) -> Moment:
        return Moment(
            sample=sample,
            cue=self._cue,
            effort=self._tracker.effort,
            gross_kcal=self._tracker.gross_kcal,
            notifications=self._tracker.notifications,
            saved=self._journal.durable,
            trouble=self._journal.why,
        )


def journal_path(folder: Path, session_id: str) -> Path:
    """Where a session's journal lies; makes the folders.

    Raises:
        StoreError: they can't be made.
    """
    journals = folder / "journal"
    try:
        make_folder(journals)
    except OSError as error:
        raise StoreError(f"{folder} can't be written ({error.strerror}). Choose another folder with --data.") from None
    return journals / f"{session_id}.jsonl"


def _told(plan: Plan) -> str:
    """A plan as it was understood."""
    rounds = f"{wording.count(plan.rounds, 'hard round')}, " if plan.rounds else ""
    pieces = wording.count(len(plan.pieces), "piece")
    length = f", {wording.clock(plan.duration_s)} in all" if plan.duration_s is not None else ""
    return f"{wording.outside_text(plan.text)}: {rounds}{pieces}{length}"


def new_session_id(now: datetime) -> str:
    """A session id: its start in UTC and four random digits, such as 20261123T162250Z-3f2a."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def _header(wishes: Wishes, rower: ble.FoundRower) -> Header:
    now = datetime.now(UTC)
    return Header(
        session_id=new_session_id(now),
        started_at=now,
        origin=wishes.origin,
        source="rowsync",
        machine={"name": rower.name, "address": rower.address},
        athlete=wishes.athlete,
        plan=wishes.plan.text if wishes.plan else None,
    )
