"""Rowing a session: the whole way from the radio to the journal and whoever reads it, on one page.

Bytes are journalled first and decoded second, so a mistake in a decoder costs nothing.  pandas and pyarrow stay out of
here: the store takes over from the journal when the row is over.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any, Protocol

from rowsync import ble, discovery, wording
from rowsync.athlete import Athlete
from rowsync.ble import FoundDevice
from rowsync.claim import claimed_rower
from rowsync.connection import Connection, Patience, connected
from rowsync.discovery import Known
from rowsync.errors import MachineError, MachineNotFound, RadioUnavailable, StoreError
from rowsync.files import make_folder
from rowsync.guide import BEGIN, LEADS, PLAN, WAITS_FOR_NOBODY, Caller, Cue, GuideState
from rowsync.journal import Journal
from rowsync.machines import handling_of
from rowsync.moment import Moment
from rowsync.plan import Plan
from rowsync.readers import read
from rowsync.remembered import Remembered, remember, remembered
from rowsync.session import Header, Tracker
from rowsync.telemetry import (
    ATHLETE,
    CONNECTED,
    ENDED,
    FLOOD,
    LOST,
    RESUMED,
    STOP,
    Item,
    Note,
    Notification,
    Sample,
    Telemetry,
)
from rowsync.unfinished import WITHIN_S, Unfinished
from rowsync.waiting import pause, within

HARDWARE = "hardware"
"""The origin of what a real machine sent; only such machines are remembered."""

NO_STRAP = "none"
"""What is asked for in the place of a strap by whoever wants none."""

IDLE_AFTER_PLAN_S = 10.0
IDLE_S = 300.0
"""The session ends by itself when nobody has rowed for so long [s]."""


Led = Callable[[Connection | None], None]
"""Gets the connection that can be led from now on; None when there is none any more."""


class Reader(Protocol):
    """Whoever follows the row: a screen, the page, a broker; it can't delay or break the recording."""

    def say(self, text: str) -> None:
        """Tell the person one line."""

    def show(self, moment: Moment) -> None:
        """Take where the row is."""

    def remember(self, past: Mapping[str, Any]) -> None:
        """Take what came before this row, as the JSON of `rowsync past`; it may come at any time, or never."""

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """The row is over: take the JSON of `rowsync show`; None when nothing was stored."""


class Screen(Reader, Protocol):
    """The reader that the person sits at."""

    def ask(self, question: str) -> bool:
        """Whether the person says yes; no when nobody can be asked."""


class Audience:
    """A screen and other readers as one; a reader that fails is left out from then on.

    Args:
        screen: where the person is asked.
        others: who else follows the row.
    """

    def __init__(self, screen: Screen, *others: Reader) -> None:
        self._screen = screen
        self._readers: list[Reader] = [screen, *others]

    def say(self, text: str) -> None:
        """Tell everybody one line."""
        self._each(lambda reader: reader.say(text))

    def show(self, moment: Moment) -> None:
        """Show everybody where the row is."""
        self._each(lambda reader: reader.show(moment))

    def remember(self, past: Mapping[str, Any]) -> None:
        """Tell everybody what came before this row."""
        self._each(lambda reader: reader.remember(past))

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """Tell everybody that the row is over."""
        self._each(lambda reader: reader.end(summary))

    def ask(self, question: str) -> bool:
        """Ask at the screen."""
        return self._screen.ask(question)

    def _each(self, tell: Callable[[Reader], None]) -> None:
        for reader in list(self._readers):
            if reader not in self._readers:  # it failed at what another's failure gave to say
                continue
            try:
                tell(reader)
            except Exception as error:  # whatever it is, the row goes on
                if reader in self._readers:
                    self._readers.remove(reader)
                self.say(f"{type(reader).__name__} stopped ({error!r}). Row on: all is recorded.")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person at the rower asked for.

    Attributes:
        folder: where sessions are stored.
        athlete: who rows.
        plan: by which plan; None for a free row.
        rower: which rower, by name or address; None for the last one, or the nearest.
        strap: which heart-rate strap; None for the last one, `NO_STRAP` for none.
        origin: of which origin the session is.
        patience: how long to wait for what.
        goes_on: whether a session that a crash interrupted a moment ago is gone on with.
        claims: where this computer's recorders say which rower they hold; None when there can't be another.
        instructions: what the person is told once the rower is connected.
        remembers: whether the machines are those of the next row as well; in a room full of them they aren't.
        claimed: asked as a session begins, who rows it; None is `athlete`.
    """

    folder: Path
    athlete: Athlete
    plan: Plan | None = None
    rower: str | None = None
    strap: str | None = None
    origin: str = HARDWARE
    patience: Patience = field(default_factory=Patience)
    goes_on: bool = True
    claims: Path | None = None
    instructions: str = "Row when you are ready; Ctrl-C ends the session."
    remembers: bool = True
    claimed: Callable[[], Athlete | None] = lambda: None

    @property
    def keeps_machines(self) -> bool:
        """Whether the machines are remembered from row to row."""
        return self.remembers and self.origin == HARDWARE


async def row(
    wishes: Wishes,
    radio: ble.Radio,
    screen: Screen,
    on_connection: Led,
    again: Unfinished | None = None,
) -> Path | None:
    """Find the rower, connect, and record until the plan is done, nobody rows, or the connection is stopped.

    A link that is lost is made anew and the session goes on.

    Args:
        wishes: what to row, and for whom.
        radio: which Bluetooth stack.
        screen: who shows it.
        on_connection: gets the connection, so that it can be stopped and led, and None when it is over.
        again: a session that was interrupted, to go on with if its rower is the one that answers.

    Returns:
        The journal, closed and synced; None when nothing arrived.

    Raises:
        MachineError: no rower, or no Bluetooth.
        StoreError: nothing can be written.
        UsageError: another rowsync is connected to that rower.
    """
    if wishes.plan is not None:
        screen.say(f"Plan: {_told(wishes.plan)}.")
    screen.say("Looking for a rower ...")
    known = _known(wishes)
    with again.journal if again else nullcontext():
        rower = await discovery.find(radio, wishes.rower or _address_of(again), known.rower, screen.ask)
        async with _connected(wishes, radio, rower, known, screen, on_connection) as connection:
            recorder = _Recorder(wishes, connection, screen, known)
            if again and rower.address == _address_of(again):
                screen.say(f"Going on with the session that was cut short at {wording.clock(again.last_s)}.")
                return await recorder.go_on(again)
            screen.say(f"Connected. {wishes.instructions}")
            return await recorder.record()


async def watch(
    wishes: Wishes,
    radio: ble.Radio,
    screen: Screen,
    on_connection: Led,
    stored: Callable[[Path], Awaitable[None]],
    again: Unfinished | None = None,
) -> None:
    """Wait for a rower to wake and record whatever is rowed on it, again and again, until the connection is stopped.

    A machine that is switched off is no error, and one on which nobody rows makes no session.

    Args:
        wishes: for whom, and by which plan.
        radio: which Bluetooth stack.
        screen: who is told.
        on_connection: gets each connection, so that it can be stopped and led, and None when it is over.
        stored: called with each session's journal, closed and synced.
        again: a session that was interrupted, to go on with if its rower is the first that answers.

    Raises:
        RadioUnavailable: there is no Bluetooth at all, or it isn't permitted.
        StoreError: nothing can be written.
        UsageError: another rowsync is connected to that rower.
    """
    screen.say("Waiting for a rower to wake.")
    while True:
        known = _known(wishes)
        waking = _woken(wishes, radio, known, screen)
        rower = await (within(waking, WITHIN_S) if again else waking)
        if again is not None and (rower is None or rower.address != _address_of(again)):
            again.journal.close()
            await stored(again.journal.path)
            again = None
        if rower is None:
            continue
        with suppress(MachineError):  # switched off, or out of reach: it is waited for again
            async with _connected(wishes, radio, rower, known, screen, on_connection) as connection:
                recorder = _Recorder(wishes, connection, screen, known)
                screen.say(f"Connected to {rower.label}. Whatever is rowed is recorded.")
                if again is not None:
                    interrupted, again = again, None
                    await stored(await recorder.go_on(interrupted))
                while (journal := await recorder.record_when_rowed()) is not None:
                    await stored(journal)
                if connection.is_stopped:
                    return
        screen.say(f"{rower.label} is gone; waiting for it to wake.")
        await pause(RESTED_S)


RESTED_S = 5.0
"""How long a machine that went away is left in peace [s]."""


async def _woken(wishes: Wishes, radio: ble.Radio, known: Remembered, screen: Screen) -> FoundDevice:
    """The rower, as soon as it advertises; once one was rowed on, no other will do."""
    wanted = wishes.rower or (known.rower.address if known.rower else None)
    while True:
        try:
            return await discovery.find(radio, wanted, known.rower, screen.ask)
        except MachineNotFound:
            pass
        except RadioUnavailable:
            raise
        except MachineError:  # the system refuses to scan, for now
            await pause(RESTED_S)


@asynccontextmanager
async def _connected(
    wishes: Wishes, radio: ble.Radio, rower: FoundDevice, known: Remembered, screen: Screen, on_connection: Led
) -> AsyncIterator[Connection]:
    """The rower connected, with its strap, claimed and led."""
    screen.say(f"Connecting to {rower.label} ...")
    strap = wishes.strap or (known.strap.address if known.strap else None)
    strap = None if strap == NO_STRAP else strap
    alone = claimed_rower(wishes.claims, rower.address, rower.label) if wishes.claims else nullcontext()
    with alone:
        async with connected(radio, rower, strap=strap, patience=wishes.patience) as connection:
            on_connection(connection)
            try:
                yield connection
            finally:
                on_connection(None)


def _known(wishes: Wishes) -> Remembered:
    """Which machines were rowed on before."""
    return remembered(wishes.folder) if wishes.keeps_machines else Remembered()


def _address_of(again: Unfinished | None) -> str | None:
    return str(again.recording.header.machine.get("address")) if again else None


class _Recorder:
    """Makes sessions of what a connection brings."""

    def __init__(self, wishes: Wishes, connection: Connection, screen: Screen, known: Remembered) -> None:
        self._wishes, self._connection, self._screen, self._known = wishes, connection, screen, known
        self._early: list[Item] = []  # what came before anything streamed, and belongs to every session

    async def record(self) -> Path | None:
        """Record one session from the first packet on; None when nothing arrives."""
        first = await anext(self._connection, None)
        if first is None or _ends(first):
            return None
        return await self._record(self._begun(first.time_s), [first], -first.time_s)

    async def go_on(self, again: Unfinished) -> Path:
        """Go on with a session that was interrupted."""
        following = _Following(again.recording.header, again.journal, self._screen)
        following.catch_up(again.recording.items)
        following.take(Note(again.last_s, LOST, {"reason": "rowsync was restarted"}))
        first = await anext(self._connection, None)
        now_s = again.time_s(datetime.now(UTC))
        if first is None:
            return await self._record(following, [], now_s)
        following.take(Note(now_s, RESUMED, {"after_s": round(now_s - again.last_s, 3)}))
        return await self._record(following, [first], now_s - first.time_s)

    async def record_when_rowed(self) -> Path | None:
        """Wait until somebody rows, or begins the plan, and record it; None when the connection ends before."""
        recent, telemetry, count = deque[Item](), Telemetry(handling_of(self._connection.rower.name)), None
        with suppress(MachineError):
            async for item in self._connection:
                if isinstance(item, Note) and item.event in (STOP, ATHLETE):  # the header says who rows
                    continue
                if isinstance(item, Note) and item.event == BEGIN:
                    return await self._record_from([*recent, item])
                if item.time_s == 0.0 or (isinstance(item, Note) and item.event == PLAN):
                    self._early.append(item)
                    continue
                recent.append(item)
                while item.time_s - recent[0].time_s > LEAD_S:
                    recent.popleft()
                reading = read(item) if isinstance(item, Notification) else None
                now = telemetry.feed(item.time_s, reading).stroke_count if reading else count
                if now is not None and count is not None and now > count:
                    return await self._record_from(recent)
                count = now
        return None

    async def _record_from(self, recent: Sequence[Item]) -> Path:
        began_s = recent[0].time_s
        early = [replace(item, time_s=began_s) for item in self._early]
        self._early = [item for item in self._early if isinstance(item, Notification) or item.event != PLAN]
        return await self._record(self._begun(began_s), [*early, *recent], -began_s)

    def _begun(self, at_s: float) -> _Following:
        """A new session, which began at a time of the connection [s]."""
        header = _header(self._wishes, self._connection, self._connection.now_s - at_s)
        path = journal_path(self._wishes.folder, header.session_id)
        while path.exists():  # two rowers of a room may begin in the same second, and draw the same digits
            header = replace(header, session_id=new_session_id(header.started_at))
            path = journal_path(self._wishes.folder, header.session_id)
        if self._wishes.keeps_machines:
            rower = Known(self._connection.rower.name, self._connection.rower.address)
            self._known = replace(self._known, rower=rower)
            remember(self._wishes.folder, self._known)
        return _Following(header, Journal(path, header), self._screen)

    async def _record(self, following: _Following, items: Sequence[Item], later_s: float) -> Path:
        """Follow the connection to the session's end.

        Args:
            following: the session.
            items: what came of it already.
            later_s: session time less the connection's [s].
        """
        with following.journal as journal:
            for item in items:
                following.take(_later(item, later_s))
            try:
                async for each in self._connection.moments(lambda: following.due_s() - later_s):
                    if isinstance(each, float):
                        following.tick(each + later_s)
                    else:
                        following.take(_later(each, later_s))
                        self._notice(each)
                    if following.is_over:
                        break
            except MachineError as error:
                self._screen.say(f"{error} What was rowed is saved.")
            journal.append(Note(self._connection.now_s + later_s, ENDED))
        self._screen.say(f"All {wording.count(journal.durable, 'notification')} saved.")
        return journal.path

    def _notice(self, item: Item) -> None:
        """Remember a strap that was found."""
        if isinstance(item, Note) and item.event == "strap connected" and self._wishes.keeps_machines:
            self._known = replace(self._known, strap=Known(str(item.details["name"]), str(item.details["address"])))
            remember(self._wishes.folder, self._known)


def _ends(item: Item) -> bool:
    return isinstance(item, Note) and item.event == STOP


def _later(item: Item, by_s: float) -> Item:
    return replace(item, time_s=round(item.time_s + by_s, 3)) if by_s else item


LEAD_S = 10.0
"""How much of what came before the first stroke belongs to a session [s]."""

CATCH_UP_EVERY_S = 1.0
"""How closely a session that goes on is shown again [s]."""

TICK_S = 1.0
"""How often the guide goes on when nothing arrives [s]."""

STALE_S = 3.0
"""Numbers older than this are no longer shown [s]."""

STALE: dict[str, Any] = {
    "moving": False,
    **dict.fromkeys(("power_w", "stroke_rate_spm", "pace_s_per_500m", "heart_rate_bpm")),
}
"""What an old sample still says of the present."""


class _Following:
    """One session as it is rowed: journal first, then the tracker with its guide, and whoever reads.

    Whatever goes wrong after the journal ends the following, never the recording.
    """

    def __init__(self, header: Header, journal: Journal, screen: Screen) -> None:
        self.journal, self._screen = journal, screen
        self._tracker = Tracker(header)
        self._caller = Caller()
        self._items = 0
        self._strokes_shown = 0
        self._still_since_s = 0.0
        self._lost_track = False
        self._is_ended = False
        self._lost: str | None = None
        self.now_s = 0.0

    def catch_up(self, items: Sequence[Item]) -> None:
        """Take what is in the journal already."""
        shown_s = -CATCH_UP_EVERY_S
        try:
            for self._items, item in enumerate(items, start=1):
                self._tracker.feed(item)
                if item.time_s - shown_s >= CATCH_UP_EVERY_S:
                    shown_s = item.time_s
                    self._show(item.time_s, is_past=True)
        except Exception as error:
            self._lose_track(error)
        self._items = len(items)

    def take(self, item: Item) -> None:
        """One packet or note."""
        self.journal.append(item)
        self._items += 1
        self.now_s = item.time_s
        self._is_ended |= _ends(item)
        if isinstance(item, Note) and item.event in SAID:
            self._screen.say(SAID[item.event].format(**_safe(item)))
        if self._lost_track:
            return
        try:
            self._tracker.feed(item)
            if isinstance(item, Note):
                self._hear(item)
            self._show(item.time_s)
        except Exception as error:
            self._lose_track(error)

    def tick(self, time_s: float) -> None:
        """Nothing came until something was due: the guide goes on by the clock."""
        self.now_s = time_s
        if self._lost_track:
            return
        try:
            self._tracker.tick(time_s)
            self._show(time_s)
        except Exception as error:
            self._lose_track(error)

    def due_s(self) -> float:
        """When to wake it at the latest: for a bell, or to show that nothing comes [s]."""
        guide = None if self._lost_track else self._tracker.guide
        return min(self.now_s + TICK_S, guide.next_s(self.now_s) if guide else inf)

    def _hear(self, note: Note) -> None:
        """What a note means: whether anything arrives; nobody is idle in a time that nobody saw."""
        if note.event == LOST:
            self._lost = str(_safe(note).get("reason", ""))
        elif note.event == RESUMED:
            self._lost = None
        if self._lost is not None or note.event in (CONNECTED, RESUMED, *LEADS, PLAN):
            self._still_since_s = note.time_s

    def _show(self, time_s: float, is_past: bool = False) -> None:
        sample, guide = self._tracker.sample, self._tracker.guide
        if sample is None:
            return
        if time_s - sample.time_s > STALE_S:
            sample = sample._replace(**STALE)
        cue = guide.cue(time_s) if guide else None
        recovers = cue is not None and cue.piece is not None and cue.piece.effort in WAITS_FOR_NOBODY
        if sample.moving or recovers or self._lost is not None:
            self._still_since_s = time_s
        moment = self._moment(time_s, sample, cue)
        self._screen.show(replace(moment, calls=()) if is_past else moment)

    def _moment(self, time_s: float, sample: Sample, cue: Cue | None) -> Moment:
        tracker = self._tracker
        new = tuple(tracker.strokes[self._strokes_shown :])
        self._strokes_shown = len(tracker.strokes)
        speed_m_per_s = 500.0 / sample.pace_s_per_500m if sample.pace_s_per_500m else None
        return Moment(
            number=self._items,
            time_s=time_s,
            sample=sample,
            cue=cue,
            effort=tracker.effort,
            gross_kcal=tracker.gross_kcal,
            energy_half_width=tracker.energy_half_width,
            notifications=tracker.notifications,
            saved=min(self.journal.durable, tracker.notifications),
            trouble=self.journal.why,
            heading=tracker.header,
            lost=self._lost,
            calls=self._caller.calls(cue, speed_m_per_s) if cue else (),
            strokes=new,
            rounds=tracker.rounds(),
        )

    def _lose_track(self, error: Exception) -> None:
        """Our mistake, not the rower's: the bytes are analysed again when it is mended."""
        self._lost_track = True
        self._screen.say(f"rowsync lost track of the row ({error!r}). Row on: all is recorded. Ctrl-C ends it.")

    @property
    def is_over(self) -> bool:
        """Whether somebody said so, or nobody has rowed for so long that nobody will; a planned recovery may last."""
        if self._is_ended:
            return True
        guide = self._tracker.guide
        patience_s = IDLE_AFTER_PLAN_S if guide and guide.state is GuideState.DONE else IDLE_S
        return not self._lost_track and self.now_s - self._still_since_s > patience_s


SAID = {
    LOST: "The connection is lost ({reason}). Row on: rowsync connects again by itself.",
    RESUMED: "Connected again after {after_s:.0f} s. The session goes on.",
    FLOOD: "The machine sends more than any rower does: {left_out} packets were left out. Is it the one you mean?",
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
    """A session id: its start in UTC and eight random digits, such as 20261123T162250Z-3f2a91c0."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def _header(wishes: Wishes, connection: Connection, ago_s: float) -> Header:
    """What is known of a session that began so long ago [s]."""
    began = datetime.now(UTC) - timedelta(seconds=ago_s)
    return Header(
        session_id=new_session_id(began),
        started_at=began,
        origin=wishes.origin,
        source="rowsync",
        machine=connection.machine,
        athlete=wishes.claimed() or wishes.athlete,
        plan=wishes.plan.text if wishes.plan else None,
    )
