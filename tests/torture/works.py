"""The works that are tortured: everything rowsync does that changes what is stored, with real notifications.

Each begins with a data folder in which sessions are, does one thing with the real code, and tells what it would show as
saved, after it is.  All recordings of one session are the first so many notifications of one longer one, so what is
there of a session afterwards is one number: how many of them, unaltered.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

import pandas  # noqa: F401 - pyarrow loads it when first needed, which in every child would take half a second

from rowsync import journal as journals
from rowsync.athlete import Athlete
from rowsync.corrections import Correction
from rowsync.errors import RowsyncError
from rowsync.felt import Felt
from rowsync.files import make_folder
from rowsync.intervals import Effort, Segment
from rowsync.journal import Journal
from rowsync.profile import Profile
from rowsync.recording import Recording, header_line, item_line, read_recording, recording_bytes
from rowsync.store import Store
from rowsync.telemetry import ENDED, Note
from tests.conftest import RECORDED
from tests.torture.calls import Tell
from tests.torture.gathering import collect
from tests.torture.weak import WEAK

BEGAN = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
LONG, SHORT = 60, 36
"""Notifications of a session, and of the shorter recording of it that was stored before."""
TROUBLE_S = 0.05
"""So long a refusing disk is waited for [s]."""


ROWED = read_recording(RECORDED / "intervals-10x45-75.jsonl")


@cache
def whole(session_id: str) -> Recording:
    """All of a session: two notifications a second of the seed workout."""
    return Recording(replace(ROWED.header, session_id=session_id), ROWED.notifications[40 : 40 + LONG])


def first(session_id: str, notifications: int, athlete: str | None = None) -> Recording:
    """The first notifications of a session."""
    recording = whole(session_id)
    header = recording.header
    if athlete is not None:
        header = replace(header, athlete=Athlete(athlete, mass_kg=70.0))
    return Recording(header, recording.items[:notifications])


def said(seconds: int) -> Correction:
    """What a person says of a session's intervals."""
    segments = (Segment(Effort.HARD, 0.0, 10.0), Segment(Effort.EASY, 10.0, 10_000.0))
    return Correction(segments, BEGAN + timedelta(seconds=seconds))


@dataclass(frozen=True, slots=True)
class Work:
    """One thing that rowsync does.

    Attributes:
        name: what it is called.
        do: does it with the store, and tells what is saved.
        prepare: makes of the folder of two sessions what is there before.
        lengths: how many notifications of each session there may be afterwards, whatever happens.
    """

    name: str
    do: Callable[[Store, Tell, Random], None]
    prepare: Callable[[Path], None] = lambda folder: None
    lengths: dict[str, set[int]] = field(default_factory=dict)


def store_in(folder: Path) -> Store:
    """The store, with what the settings say."""
    return Store(
        folder, {"anna": Profile("anna", ((date(2026, 1, 1), 71.0),))} if (folder / "heavier").exists() else {}
    )


def begin(folder: Path) -> None:
    """Two stored sessions, one of them corrected and felt."""
    store = store_in(folder)
    store.add(first("older", SHORT, "anna"))
    store.correct("older", said(0))
    store.felt("older", Felt(True, 4.0, BEGAN))
    store.add(first("other", SHORT, "bert"))


BEGINNING = {"older": {SHORT}, "other": {SHORT}}


def quick(weak: str | None) -> None:
    """In the child: our code with waits that are short, and with a mistake in it where one is wanted."""
    journals.GATHER_S, journals.RETRY_S = 0.0, 0.002
    if weak is not None:
        WEAK[weak]()


# --- recording --------------------------------------------------------------------------------------------------------


def _append_all(journal: Journal, recording: Recording, known: int, tell: Tell, random: Random) -> None:
    """Append what is lacking in batches, and tell of each when it is saved."""
    session_id, waiting = recording.header.session_id, list(recording.items[known:])
    while waiting:
        batch = random.randint(1, 8)
        with journal._wake:  # so that a batch is always one commit
            for item in waiting[:batch]:
                journal.append(item)
        del waiting[:batch]
        wanted, deadline_s = len(recording.items) - len(waiting), time.monotonic() + TROUBLE_S
        while journal.durable < wanted and time.monotonic() < deadline_s:
            time.sleep(0.0002)
        tell({"saved": {session_id: journal.durable}})
    journal.append(Note(recording.items[-1].time_s, ENDED))
    try:
        journal.close()
    except RowsyncError as error:
        tell({"saved": {session_id: journal.durable}, "refused": str(error)})
    else:
        tell({"saved": {session_id: len(recording.items)}})


def _record(store: Store, tell: Tell, random: Random) -> None:
    folder = store.folder / "journal"
    make_folder(folder)
    recording = whole("new")
    journal = Journal(folder / "new.jsonl", recording.header)
    _append_all(journal, recording, 0, tell, random)


def _go_on(store: Store, tell: Tell, random: Random) -> None:
    journal = Journal(store.folder / "journal" / "new.jsonl", None, SHORT)
    _append_all(journal, whole("new"), SHORT, tell, random)


def _journal(folder: Path, session_id: str, notifications: int, more: bytes = b"", athlete: str | None = None) -> None:
    path = folder / "journal" / f"{session_id}.jsonl"
    path.parent.mkdir(exist_ok=True)
    recording = first(session_id, notifications, athlete)
    path.write_bytes(recording_bytes(recording.header, recording.items) + more)


def _torn(folder: Path) -> None:
    _journal(folder, "new", SHORT, item_line(whole("new").items[SHORT])[:40])


# --- storing ----------------------------------------------------------------------------------------------------------


def _finish(store: Store, tell: Tell, random: Random) -> None:
    for path in sorted((store.folder / "journal").glob("*.jsonl")):
        recovery = store.finish(path)
        if recovery is not None and recovery.summary is not None:
            tell({"saved": {recovery.summary["session_id"]: recovery.summary["notifications"]}})


def _recover(store: Store, tell: Tell, random: Random) -> None:
    for recovery in store.recover():
        if recovery.summary is not None:
            tell({"saved": {recovery.summary["session_id"]: recovery.summary["notifications"]}})


def _left_by_crashes(folder: Path) -> None:
    _journal(folder, "new", LONG)
    _torn_and_damaged = b"0123abcd {}\n" + item_line(whole("newer").items[SHORT])[:40]
    _journal(folder, "newer", SHORT, _torn_and_damaged)
    (folder / "journal" / "rubbish.jsonl").write_bytes(header_line(whole("rubbish").header)[:50])


def _add(session_id: str, notifications: int, athlete: str | None = None) -> Callable[[Store, Tell, Random], None]:
    def add(store: Store, tell: Tell, random: Random) -> None:
        store.add(first(session_id, notifications, athlete))
        tell({"saved": {session_id: notifications}})

    return add


def _correct(store: Store, tell: Tell, random: Random) -> None:
    store.correct("older", said(60))
    tell({"said": {"older": said(60).corrected_at.isoformat()}})
    store.correct("other", said(60))
    tell({"said": {"other": said(60).corrected_at.isoformat()}})


def _felt(store: Store, tell: Tell, random: Random) -> None:
    store.felt("older", Felt(None, 7.0, BEGAN))
    tell({"felt": {"older": 7.0}})


def _rebuild(store: Store, tell: Tell, random: Random) -> None:
    list(store.rebuild())


def _heavier(folder: Path) -> None:
    """The settings say another mass, and one session's samples are gone: both are made anew."""
    (folder / "heavier").touch()
    for path in folder.glob("samples/*/*/other.parquet"):
        path.unlink()


def _collect(store: Store, tell: Tell, random: Random) -> None:
    collect([whole("new"), whole("newer")], store.folder, tell, random)


def _index(store: Store, tell: Tell, random: Random) -> None:
    store.rebuild_index()


def _no_index(folder: Path) -> None:
    (folder / "sessions.parquet").unlink()


_NEW = {"new": set(range(LONG + 1))}
WORKS = {
    work.name: work
    for work in (
        Work("record", _record, lengths=_NEW),
        Work("go on", _go_on, _torn, {"new": set(range(SHORT, LONG + 1))}),
        Work("finish", _finish, lambda folder: _journal(folder, "new", LONG), {"new": {LONG}}),
        Work(
            "finish longer",
            _finish,
            lambda folder: _journal(folder, "older", LONG, athlete="zoe"),
            {"older": {LONG}},
        ),
        Work("recover", _recover, _left_by_crashes, {"new": {LONG}, "newer": {SHORT}}),
        Work("import", _add("new", LONG), lengths={"new": {0, LONG}}),
        Work("import longer", _add("older", LONG, "anna"), lengths={"older": {SHORT, LONG}}),
        Work("import shorter", _add("older", SHORT - 9, "anna")),
        Work("import moved", _add("other", LONG, "zoe"), lengths={"other": {SHORT, LONG}}),
        Work("import moved back", _add("other", LONG, "anna"), lengths={"other": {SHORT, LONG}}),
        Work("correct", _correct),
        Work("felt", _felt),
        Work("rebuild", _rebuild, _heavier),
        Work("index", _index, _no_index),
        Work("collect", _collect, lengths=_NEW | {"newer": set(range(LONG + 1))}),
    )
}


def doing(work: Work, folder: Path, seed: int) -> Callable[[Tell], None]:
    """The work as a child does it."""

    def do(tell: Tell) -> None:
        rescue = folder.parent / "elsewhere"
        rescue.mkdir(exist_ok=True)
        tempfile.tempdir = os.fspath(rescue)
        try:
            work.do(store_in(folder), tell, Random(seed))
        except (RowsyncError, OSError) as error:  # what the command line says in words
            tell({"error": f"{type(error).__name__}: {error}"})

    return do
