"""Rowing a session: the whole way from the radio to the journal and the screen, on one page.

Bytes are journalled first and decoded second, so a mistake in a decoder costs nothing.  pandas and pyarrow stay out of
here: the store takes over from the journal when the row is over.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from rowsync import ble, discovery, wording
from rowsync.athlete import Athlete
from rowsync.connection import Connection, Patience, connected
from rowsync.discovery import Known
from rowsync.errors import MachineError, StoreError
from rowsync.files import make_folder
from rowsync.intervals import Effort
from rowsync.journal import Journal
from rowsync.plan import Cue, Guide, Plan
from rowsync.remembered import Remembered, remember, remembered
from rowsync.session import Header, Tracker
from rowsync.telemetry import CONNECTED, ENDED, LOST, RESUMED, Item, Note, Sample

HARDWARE = "hardware"
"""The origin of what a real machine sent; only such machines are remembered."""

NO_STRAP = "none"
"""What is asked for in the place of a strap by whoever wants none."""

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
        energy_half_width: half of its 80 % range, as a share of it.
        notifications: how many arrived.
        saved: how many of them are safely on disk.
        trouble: why the disk refuses; None when all is well.
        lost: why nothing arrives from the machine; None when it does.
    """

    sample: Sample
    cue: Cue | None
    effort: Effort | None
    gross_kcal: float
    energy_half_width: float
    notifications: int
    saved: int
    trouble: str | None
    lost: str | None = None


class Screen(Protocol):
    """Whoever shows the row; it can't delay or break the recording."""

    def say(self, text: str) -> None:
        """Show one line."""

    def show(self, moment: Moment) -> None:
        """Show where the row is."""

    def ask(self, question: str) -> bool:
        """Whether the person says yes; no when nobody can be asked."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person at the rower asked for."""

    folder: Path
    athlete: Athlete
    plan: Plan | None = None
    rower: str | None = None
    strap: str | None = None
    origin: str = HARDWARE
    patience: Patience = field(default_factory=Patience)
    instructions: str = "Row when you are ready; Ctrl-C ends the session."


async def row(
    wishes: Wishes, radio: ble.Radio, screen: Screen, on_connection: Callable[[Connection], None]
) -> Path | None:
    """Find the rower, connect, and record until the plan is done, nobody rows, or the connection is stopped.

    A link that is lost is made anew and the session goes on.

    Args:
        wishes: what to row, and for whom.
        radio: which Bluetooth stack.
        screen: who shows it.
        on_connection: gets the connection, so that it can be stopped.

    Returns:
        The journal, closed and synced; None when nothing arrived.

    Raises:
        MachineError: no rower, or no Bluetooth.
        StoreError: nothing can be written.
    """
    if wishes.plan is not None:
        screen.say(f"Plan: {_told(wishes.plan)}.")
    screen.say("Looking for a rower ...")
    known = remembered(wishes.folder) if wishes.origin == HARDWARE else Remembered()
    rower = await discovery.find(radio, wishes.rower, known.rower, screen.ask)
    screen.say(f"Connecting to {rower.label} ...")
    strap = wishes.strap or (known.strap.address if known.strap else None)
    async with connected(
        radio, rower, strap=None if strap == NO_STRAP else strap, patience=wishes.patience
    ) as connection:
        on_connection(connection)
        screen.say(f"Connected. {wishes.instructions}")
        return await _record(wishes, connection, screen, known)


async def _record(wishes: Wishes, connection: Connection, screen: Screen, known: Remembered) -> Path | None:
    first = await anext(connection, None)
    if first is None:
        return None
    header = _header(wishes, connection)
    with Journal(journal_path(wishes.folder, header.session_id), header) as journal:
        following = _Following(wishes, header, journal, screen)
        following.take(first)
        if wishes.origin == HARDWARE:
            known = replace(known, rower=Known(connection.rower.name, connection.rower.address))
            remember(wishes.folder, known)
        try:
            async for item in connection.moments(TICK_S):
                if isinstance(item, float):
                    following.tick(item)
                else:
                    following.take(item)
                    known = _noticed(item, known, wishes)
                if following.is_over:
                    break
        except MachineError as error:
            screen.say(f"{error} What was rowed is saved.")
        journal.append(Note(connection.now_s, ENDED))
    screen.say(f"All {wording.count(journal.durable, 'notification')} saved.")
    return journal.path


TICK_S = 1.0
"""How often the guide goes on when nothing arrives [s]."""

STALE_S = 3.0
"""Numbers older than this are no longer shown [s]."""


def _noticed(item: Item, known: Remembered, wishes: Wishes) -> Remembered:
    """What is remembered after an item: a strap that was found."""
    if not isinstance(item, Note) or item.event != "strap connected" or wishes.origin != HARDWARE:
        return known
    known = replace(known, strap=Known(str(item.details["name"]), str(item.details["address"])))
    remember(wishes.folder, known)
    return known


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
        self._lost: str | None = None
        self.now_s = 0.0

    def take(self, item: Item) -> None:
        self._journal.append(item)
        self.now_s = item.time_s
        if isinstance(item, Note) and item.event in SAID:
            self._screen.say(SAID[item.event].format(**_safe(item)))
        if self._lost_track:
            return
        try:
            self._follow(item)
        except Exception as error:
            self._lose_track(error)

    def _follow(self, item: Item) -> None:
        self._tracker.feed(item)
        sample = self._tracker.sample
        if sample is None:
            return
        if isinstance(item, Note):
            self._hear(item)
            self._tell_time(sample, item.time_s)
            return
        self._cue = self._guide.feed(sample) if self._guide else None
        if sample.moving or self._recovers:
            self._still_since_s = item.time_s
        self._screen.show(self._moment(sample))

    def _hear(self, note: Note) -> None:
        """What a note means: whether anything arrives; nobody is idle in a time that nobody saw."""
        if note.event == LOST:
            self._lost = str(_safe(note).get("reason", ""))
        elif note.event == RESUMED:
            self._lost = None
        if self._lost is not None or note.event in (CONNECTED, RESUMED):
            self._still_since_s = note.time_s

    def tick(self, time_s: float) -> None:
        """Nothing came for a while: the guide goes on by the clock, and old numbers are shown no longer."""
        self.now_s = time_s
        if self._lost_track or self._tracker.sample is None:
            return
        try:
            self._tell_time(self._tracker.sample, time_s)
        except Exception as error:
            self._lose_track(error)

    def _tell_time(self, sample: Sample, time_s: float) -> None:
        if time_s - sample.time_s > STALE_S:
            sample = replace(sample, power_w=None, stroke_rate_spm=None, pace_s_per_500m=None, heart_rate_bpm=None)
        sample = replace(sample, time_s=max(time_s, sample.time_s), moving=False)
        self._cue = self._guide.feed(sample) if self._guide else None
        if self._lost is not None or self._recovers:
            self._still_since_s = sample.time_s
        self._screen.show(self._moment(sample))

    @property
    def _recovers(self) -> bool:
        piece = self._cue.piece if self._cue else None
        return piece is not None and piece.effort in RECOVERIES

    def _lose_track(self, error: Exception) -> None:
        """Our mistake, not the rower's: the bytes are analysed again when it is mended."""
        self._lost_track = True
        self._screen.say(f"rowsync lost track of the row ({error!r}). Row on: all is recorded. Ctrl-C ends it.")

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
            energy_half_width=self._tracker.energy_half_width,
            notifications=self._tracker.notifications,
            saved=self._journal.durable,
            trouble=self._journal.why,
            lost=self._lost,
        )


SAID = {
    LOST: "The connection is lost ({reason}). Row on: rowsync connects again by itself.",
    RESUMED: "Connected again after {after_s:.0f} s. The session goes on.",
    "strap connected": "Heart-rate strap: {name}.",
    "strap missing": "No heart-rate strap answers ({name}); rowsync goes on looking for it.",
    "strap lost": "The heart-rate strap is gone. The row goes on without it.",
}
"""What a person is told of, as it happens."""


def _safe(note: Note) -> dict[str, Any]:
    """A note's details, safe to show."""
    return {
        key: wording.outside_text(value) if isinstance(value, str) else value for key, value in note.details.items()
    }


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


def _header(wishes: Wishes, connection: Connection) -> Header:
    now = datetime.now(UTC)
    return Header(
        session_id=new_session_id(now),
        started_at=now,
        origin=wishes.origin,
        source="rowsync",
        machine=connection.machine,
        athlete=wishes.athlete,
        plan=wishes.plan.text if wishes.plan else None,
    )
