"""The store: sessions as parquet, one file of samples and one of raw notifications each, and an index of them all.

    <data>/journal/<session>.jsonl                                   while it is rowed (rowsync.journal)
    <data>/samples/athlete=<athlete>/year=<year>/<session>.parquet   what was rowed
    <data>/raw/athlete=<athlete>/year=<year>/<session>.parquet       the bytes: the truth all else is rebuilt from
    <data>/truth/athlete=<athlete>/year=<year>/<session>.json        what the person said of its intervals, if anything
    <data>/felt/athlete=<athlete>/year=<year>/<session>.json         how the person said it felt, if anything
    <data>/sessions.parquet                                          one row a session, rebuildable

A session enters by one way: its recording is analysed and written, whether it was just rowed, left behind by a crash,
or imported.  What a person said of it is asked each time, so it outlives every analysis; so is what the settings say of
the athlete on that day.  Files are written beside their place, synced, renamed and their folder synced; a journal goes
only after that.  Page checksums are on: without them most flipped bits read back as wrong numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from zlib import crc32

import pyarrow as pa

from rowsync import index
from rowsync.comparison import comparable_fields
from rowsync.corrections import Correction, correction_fields, correction_from_fields, fitted
from rowsync.days import day_of
from rowsync.errors import (
    HeldMore,
    NewerFile,
    RecordingError,
    RowsyncError,
    SessionNotFound,
    StoreError,
    Unreadable,
    UsageError,
)
from rowsync.felt import Felt, felt_fields, felt_from_fields
from rowsync.files import locked, make_folder, replacing, sync_folder
from rowsync.formulas import MODEL
from rowsync.index import Index
from rowsync.intervals import Segment
from rowsync.journal import claimed, journals_left, spool_of
from rowsync.plan import Piece, parse_plan
from rowsync.profile import Profile
from rowsync.recording import Recording, header_from_fields, note_from_fields, read_recording
from rowsync.seal import SEAL, sealed, unsealed
from rowsync.session import Header, Session, analyse
from rowsync.shelf import PACK, Folder, Placed, Shelf, folder_of, name_of, written_last
from rowsync.slug import slug
from rowsync.strokes import Stroke, StrokeCounter
from rowsync.table import (
    COLUMNS,
    RAW,
    SAMPLES,
    Part,
    alone,
    check,
    file_bytes,
    first_line,
    index_row,
    is_todays,
    metadata,
    pack_bytes,
    packed_names,
    raw_bytes,
    read,
    read_table,
    rows_held,
    samples_of,
    samples_table,
    values,
)
from rowsync.telemetry import Item, Notification, Sample
from rowsync.wording import moment, outside_text, stamp
from rowsync.workers import HERE, Pool

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of one journal.

    Attributes:
        journal: where it lay.
        summary: of the session that it became; None when nobody rowed in it, or it could not be stored.
        problem: why it could not.
        cut_short: whether its recorder never came to its end.
    """

    journal: Path
    summary: dict[str, Any] | None = None
    problem: str | None = None
    cut_short: bool = True


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What became of one session that was derived from its bytes again.

    Attributes:
        session_id: which.
        before: its summary as it was stored; None where there was none, or none that could be read.
        after: its summary as it is now; None where it could not be derived.
        is_new: whether its file of samples is another than before, or lay elsewhere too.
        problem: why it could not be derived; it stays as it was.
    """

    session_id: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    is_new: bool = False
    problem: str | None = None


class _Derived(NamedTuple):
    """A session derived again and not written yet: by whom it may be derived, apart from the one who writes.

    Attributes:
        rebuilt: what becomes of it.
        places: of the files that it was derived from; while these lie there, it is what they say.
        key: where its samples belong.
        content: its file of samples; None where the one that lies there is the same.
    """

    rebuilt: Rebuilt
    places: Places
    key: str = ""
    content: bytes | None = None


class Places(NamedTuple):
    """Where the files of one session lie, of each kind the one that counts first.

    Attributes:
        name: what they are called.
        raw: its bytes.
        samples: what was rowed.
        truth: what a person said of its intervals.
        felt: how a person said it felt.
    """

    name: str
    raw: tuple[Part, ...] = ()
    samples: tuple[Part, ...] = ()
    truth: tuple[Part, ...] = ()
    felt: tuple[Part, ...] = ()

    def of(self, kind: str) -> tuple[Part, ...]:
        """Those of a kind."""
        parts: tuple[Part, ...] = getattr(self, kind)
        return parts

    def first(self, kind: str) -> Part:
        """The one of a kind that counts.

        Raises:
            SessionNotFound: there is none.
        """
        if not self.of(kind):
            raise SessionNotFound(f"No session is called {outside_text(self.name)}. `rowsync sessions` lists them.")
        return self.of(kind)[0]


class Packed(NamedTuple):
    """What became of one athlete's year that was packed.

    Attributes:
        year: which, as `athlete=<athlete>/year=<year>`.
        sessions: how many sessions are in packs now.
        before: in how many files they lay.
        files: in how many they lie.
        problems: why others stay as they are.
    """

    year: str
    sessions: int
    before: int
    files: int
    problems: list[str]


class Upkeep(NamedTuple):
    """What there is to do or to say of the stored sessions.

    Attributes:
        behind: those that can be reckoned anew and were by an older model, or by other settings; by their id.
        left_out: why files among the samples have no row in the index, by what they are called.
    """

    behind: list[str]
    left_out: dict[str, str]


class Truth(NamedTuple):
    """A session with what a person said of its intervals: what a detector is scored against.

    Attributes:
        summary: as `Store.summary` gives it.
        recording: its bytes.
        segments: its intervals as the person sees them right; they tile it.
    """

    summary: dict[str, Any]
    recording: Recording
    segments: tuple[Segment, ...]


SAID = ("truth", "felt")
"""The kinds of files that a person's words are in."""

_PACKED = ("raw", "samples")
KINDS = (*_PACKED, *SAID)
"""The kinds of files of a session."""

FEWEST_PACKED = 20
"""So many files of one athlete's year are worth packing."""

MOST_PACKED = 500
"""So many sessions are in one pack: a pack is written anew when one of them is corrected."""

Read = TypeVar("Read")


class _Said(NamedTuple):
    """What a person said of a session."""

    correction: Correction | None = None
    felt: Felt | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """What a summary says of it besides."""
        corrected = {} if self.correction is None else {_CORRECTED_AT: stamp(self.correction.corrected_at)}
        return corrected | ({} if self.felt is None else {_FELT: felt_fields(self.felt)})


_CORRECTED_AT, _FELT = "corrected_at", "felt"


class Store:
    """The sessions of one data folder.

    Args:
        folder: the data folder, where journals lie; made when something is first written.
        profiles: what the settings say of athletes, by name.
        shelf: where sessions lie; by default in the data folder.
    """

    def __init__(self, folder: Path, profiles: Mapping[str, Profile] | None = None, shelf: Shelf | None = None) -> None:
        self.folder = folder
        self.profiles = dict(profiles or {})
        self.shelf = Folder(folder) if shelf is None else shelf
        self._is_together = self.shelf.is_shared

    def add(self, recording: Recording) -> dict[str, Any]:
        """Analyse a recording and store it; storing the same session again replaces it, and keeps what was corrected.

        Raises:
            HeldMore: more of this session is stored already.
            StoreError: the folder can't be written; what was there before is untouched.
            Unreadable: nobody can tell just now what is stored of it.
        """
        return self._keep(recording, *self._analysed(recording))

    def _analysed(self, recording: Recording, said: _Said | None = None) -> tuple[Session, _Said]:
        """A session with its intervals as a person corrected them, where one did; else as they are detected."""
        said = self._said(recording.header.session_id) if said is None else said
        segments = () if said.correction is None else said.correction.segments
        return analyse(self.known(recording.header), recording.items, segments, said.felt), said

    def known(self, header: Header) -> Header:
        """A header with what the settings say of its athlete on its day."""
        profile = self.profiles.get(header.athlete.name)
        if profile is None:
            return header
        athlete = profile.told_of(header.athlete, day_of(header.started_at, profile.time_zone))
        return replace(header, athlete=athlete)

    def _settings_crc(self, athlete: str, started_at: datetime) -> str | None:
        """A mark of what the settings say of an athlete on a day; None where they say nothing."""
        profile = self.profiles.get(athlete)
        if profile is None:
            return None
        known = profile.on(day_of(started_at, profile.time_zone))
        return f"{crc32(repr(known).encode()):08x}"

    def _keep(self, recording: Recording, session: Session, said: _Said) -> dict[str, Any]:
        raw = raw_bytes(recording)
        summary, samples, row = self._made(session, said)
        key = self._key("samples", session)
        with self._writing():
            places = self._places(session.header.session_id)
            _refuse_shorter(session, places)
            found = None if self._is_together else index.updated(index.held(self.shelf), self.shelf)
            self._put(self._key("raw", session), raw, places)
            self._put(key, samples, places)
            self._move_said(session, places)
            placed = self.shelf.placed(key)
            if found is not None and placed is not None:
                self._write_index(found.with_row(row, placed))
        return summary

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store many sessions: each is written when it is added, the index once, at the end, or by whoever reads it."""
        self._is_together = True
        try:
            yield
        finally:
            self._is_together = self.shelf.is_shared
            self.table()

    def _made(self, session: Session, said: _Said) -> tuple[dict[str, Any], bytes, pa.Table]:
        """What is kept of a session besides its bytes: its summary, its file of samples, its row of the index."""
        settings_crc = self._settings_crc(session.header.athlete.name, session.header.started_at)
        summary = session.summary() | said.fields
        samples = file_bytes(samples_table(session), summary=summary, settings_crc=settings_crc)
        return summary, samples, index_row(summary, settings_crc)

    def finish(self, journal: Path, *, wait: bool = False) -> Recovery | None:
        """Store the session of a journal that nobody writes any more, then remove the journal.

        A journal with refused lines is kept in `journal/damaged`, since they may yet be read by a better eye.  One in
        which nobody rowed is not stored.

        Args:
            journal: its path.
            wait: wait for another process that holds it.

        Returns:
            What became of it; None when another process holds it, or has stored it already.

        Raises:
            StoreError: the folder can't be written; the journal stays.
            Unreadable: the journal, or what is stored of its session, can't be read just now; the journal stays.
        """
        with claimed(journal, wait=wait) as ours:
            if not ours:
                return None
            try:
                recording = read_recording(journal)
            except Unreadable:
                raise
            except RecordingError as error:
                self._set_aside(journal)
                return Recovery(journal, problem=f"{error} It was set aside in {journal.parent / 'damaged'}.")
            session, said = self._analysed(recording)
            try:
                summary = self._keep(recording, session, said) if session.is_rowed else None
            except HeldMore:
                self._set_aside(journal)
                return Recovery(
                    journal, problem=f"{journal} was set aside: a longer recording of it is stored already."
                )
            if recording.refused_lines:
                self._set_aside(journal)
            else:
                self._let_go(journal)
            return Recovery(journal, summary, cut_short=not recording.is_ended)

    def recover(self) -> list[Recovery]:
        """Store every session that a crash left behind as a journal; one that can't be stored stays where it is."""
        recovered = []
        for journal in journals_left(self.folder):
            try:
                recovered.append(self.finish(journal))
            except Exception as error:  # one bad journal must not keep anybody from the other sessions
                recovered.append(Recovery(journal, problem=f"{journal} can't be stored: {error}"))
        return [each for each in recovered if each is not None]

    # --- what a person said -------------------------------------------------------------------------------------------

    def correct(self, session_id: str, correction: Correction) -> dict[str, Any]:
        """Keep what a person says of a session's intervals, and derive the session from its bytes again.

        Returns:
            The session as it is now, without its series.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file, or what was said of it before, can't be read; nothing is changed.
            StoreError: the folder can't be written.
        """
        self.correction(session_id)
        recording = self.recording(session_id)
        session, said = self._analysed(recording, self._said(session_id)._replace(correction=correction))
        self._write_said("truth", session, correction_fields(correction))
        return self._keep(recording, session, said)

    def felt(self, session_id: str, felt: Felt) -> dict[str, Any]:
        """Keep how a person says that a session felt, and derive the session from its bytes again.

        What was said before and isn't said now holds on.

        Returns:
            The session as it is now, without its series.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file, or the one of what was said before, can't be read; nothing is changed.
            StoreError: the folder can't be written.
        """
        recording, before = self.recording(session_id), _felt(self._parts("felt", session_id))
        session, _ = self._analysed(recording)
        if before is not None:
            felt = replace(
                felt,
                talked=before.talked if felt.talked is None else felt.talked,
                exertion=before.exertion if felt.exertion is None else felt.exertion,
            )
        self._write_said("felt", session, felt_fields(felt))
        return self._keep(recording, *self._analysed(recording))

    def uncorrect(self, session_id: str) -> dict[str, Any]:
        """Forget what a person said of a session's intervals, and derive it from its bytes again.

        Returns:
            The session as it is now, without its series.

        Raises:
            SessionNotFound: there is no such session.
            UsageError: nobody corrected it.
            RecordingError: its file is not ours or altered; nothing is changed.
            StoreError: the folder can't be written.
        """
        recording = self.recording(session_id)
        truths = self._parts("truth", session_id)
        if not truths:
            raise UsageError(f"Nothing was corrected in {session_id}.")
        with self._writing():
            for truth in truths:
                self.shelf.remove(truth.key)
        return self._keep(recording, *self._analysed(recording))

    def correction(self, session_id: str) -> Correction | None:
        """What a person said of a session's intervals; None for nothing.

        Raises:
            RecordingError: it can't be read.  The session is shown as it was detected, and the file stays as it is.
        """
        return _correction(self._parts("truth", session_id))

    def truths(self) -> Iterator[Truth]:
        """Every session whose intervals a person corrected, by its id; one that can't be read is left out."""
        for session_id in sorted({placed.name for placed in self._listing("truth")}):
            with suppress(RecordingError, SessionNotFound):  # whoever opens it is told
                correction, summary = self.correction(session_id), self.summary(session_id)
                if correction is not None:
                    segments = fitted(correction.segments, summary["duration_s"])
                    yield Truth(summary, self.recording(session_id), segments)

    def rows(self) -> list[dict[str, Any]]:
        """One row a session, newest first, as in `INDEX`; an index that is missing or behind is made anew."""
        table = self.table()
        names = table.column_names  # asked of each row, pyarrow would take ten times as long
        columns = [values(table[name]) for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)][::-1]

    def index(self) -> pd.DataFrame:
        """`rows` as a table."""
        rows: pd.DataFrame = self.table().to_pandas()
        return rows.iloc[::-1].reset_index(drop=True)

    def find(self, name: str | None = None) -> str:
        """The id of the session that a name, or the beginning of one, stands for; None is the latest.

        Raises:
            SessionNotFound: there is none, or more than one.
        """
        known = self.table()["session_id"].to_pylist()[::-1]
        if not known:
            raise SessionNotFound(f"There are no sessions in {self.shelf.label()} yet. Row one, or try: rowsync demo")
        if name is None or name == "latest":
            return str(known[0])
        matches = [found for found in known if found == name] or [found for found in known if found.startswith(name)]
        if len(matches) == 1:
            return str(matches[0])
        what = "No session is" if not matches else f"{len(matches)} sessions are"
        raise SessionNotFound(f"{what} called {outside_text(name)}. `rowsync sessions` lists them.")

    def summary(self, session_id: str) -> dict[str, Any]:
        """One session without its series, as `Session.summary` made it, and when its intervals were corrected.

        What a person said of it counts, also where a crash came between the saying and the deriving; and what an older
        rowsync made of it is made anew from its bytes.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file is not ours, altered, or newer than this rowsync.
        """
        said = self._metadata("samples", session_id, "summary")
        with suppress(RecordingError, SessionNotFound):  # its bytes are gone; what was made of them is not
            if self._is_behind_bytes(session_id, said):
                return self._again(session_id)
        summary: dict[str, Any] = said["summary"]
        return summary

    def is_behind_bytes(self, session_id: str) -> bool:
        """Whether a session's samples say something else than its bytes would, as far as that shows underived.

        Raises:
            SessionNotFound: there are no bytes of it, or no samples.
            RecordingError: a file is not ours or altered.
        """
        return self._is_behind_bytes(session_id, self._metadata("samples", session_id, "summary"))

    def _is_behind_bytes(self, session_id: str, metadata: dict[str, Any]) -> bool:
        summary = metadata["summary"]
        held = self._metadata("raw", session_id, "header")["rows"]
        said = {name: summary[name] for name in (_CORRECTED_AT, _FELT) if name in summary}
        # Other bytes: a crash came between the writing of them and that of the samples.
        is_else = said != self._said(session_id).fields or summary.get("notifications") != held
        return is_else or self._is_old(metadata)

    def before(self, athlete: str, plan: str | None, started_at: datetime | None = None) -> dict[str, Any] | None:
        """The last session of an athlete's by the same plan; None for a first one.  See `earlier`."""
        return next(self.earlier(athlete, plan, started_at), None)

    def earlier(self, athlete: str, plan: str | None, started_at: datetime | None = None) -> Iterator[dict[str, Any]]:
        """The sessions of an athlete's by the same plan, newest first, as `comparison.comparable_fields`.

        Args:
            athlete: whose.
            plan: the plan as typed; however it is written, the same pieces are the same plan.
            started_at: they began before then; None for now.
        """
        for session_id, began in self._by_plan(athlete, plan):
            if started_at is None or began < started_at:
                with suppress(RecordingError, SessionNotFound):
                    yield comparable_fields(self.summary(session_id))

    def later(self, athlete: str, plan: str | None, started_at: datetime) -> list[str]:
        """The sessions of an athlete's by the same plan that began after then, oldest first, by their id."""
        return [session_id for session_id, began in self._by_plan(athlete, plan) if began > started_at][::-1]

    def _by_plan(self, athlete: str, plan: str | None) -> Iterator[tuple[str, datetime]]:
        """An athlete's sessions by a plan and when they began, newest first."""
        if plan is None:
            return
        pieces, table = _pieces_of(plan), self.table()
        columns = [values(table[name])[::-1] for name in ("session_id", "started_at", "athlete", "plan")]
        for session_id, began, whose, rowed in zip(*columns, strict=True):
            if whose == athlete and rowed and _pieces_of(rowed) == pieces:
                yield session_id, began

    def compared(self, summary: dict[str, Any]) -> dict[str, Any]:
        """A session's summary with what came `before` it by the same plan."""
        began = moment(summary["started_at"])
        return summary | {"before": self.before(summary["athlete"], summary["plan"], began)}

    def last_times(self, summary: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
        """The last sessions before this one by the same plan, newest first, as `comparison.comparable_fields`."""
        began = moment(summary["started_at"])
        return list(islice(self.earlier(summary["athlete"], summary["plan"], began), most))

    def _is_old(self, metadata: dict[str, Any]) -> bool:
        """Whether a session's file says what an older rowsync, an older model or other settings made of it."""
        summary = metadata["summary"]
        started_at, energy = moment(summary.get("started_at")), summary.get("energy")
        if not is_todays(metadata) or started_at is None or not isinstance(energy, dict):
            return True
        return self._is_behind(
            str(summary.get("athlete")), started_at, energy.get("model"), metadata.get("settings_crc")
        )

    def _said(self, session_id: str) -> _Said:
        """What a person said of a session, as far as it can be read."""
        return _said(self._parts("truth", session_id), self._parts("felt", session_id))

    def _again(self, session_id: str) -> dict[str, Any]:
        """Derive a session from its bytes again."""
        recording = self.recording(session_id)
        session, said = self._analysed(recording)
        with suppress(StoreError):  # looking back needs no disk that can be written
            self._keep(recording, session, said)
        return session.summary() | said.fields

    def _is_behind(self, athlete: str, started_at: datetime, model: Any, settings_crc: Any) -> bool:
        """Whether an older energy model reckoned it, or the settings say something else of the athlete by now."""
        known = self._settings_crc(athlete, started_at)
        return _age(model) < _age(MODEL) or (known is not None and known != settings_crc)

    # --- keeping up ---------------------------------------------------------------------------------------------------

    def upkeep(self) -> Upkeep:
        """What there is to do or to say of the stored sessions."""
        found = self._index()
        columns = ("athlete", "started_at", "energy_model", "settings_crc")
        reckoned = zip(*(values(found.table[name]) for name in ("session_id", *columns)), strict=True)
        old = (session_id for session_id, *how in reckoned if self._is_behind(*how))
        return Upkeep(sorted(filter(self._has_bytes, old)), found.left_out)

    def behind(self) -> list[str]:
        """The sessions that can be reckoned anew and were by an older model, or by other settings; by their id."""
        return self.upkeep().behind

    def _has_bytes(self, session_id: str) -> bool:
        try:
            return bool(self._metadata("raw", session_id, "header"))
        except (RecordingError, SessionNotFound):  # whoever opens it is told
            return False

    def stored(self) -> list[str]:
        """Every session of which there are bytes or samples, by its id."""
        return sorted(name for name, places in self.places().items() if places.raw or places.samples)

    def rebuild(self, session_ids: Iterable[str] | None = None, pool: Pool = HERE) -> Iterator[Rebuilt]:
        """Derive sessions from their bytes again, with the decoder, the models and the settings as they are.

        Others may record and store meanwhile.  Each file is replaced whole, and only by another one; the index is
        written once, at the end, or by whoever reads it next.

        Args:
            session_ids: which; all of them by default.
            pool: who derives; here, one after another, by default.

        Yields:
            What became of each, in their order; one that fails stays as it was.

        Raises:
            StoreError: the shelf can't be written, or a worker was killed; what was rebuilt until then is kept.
        """
        try:
            for derived in pool.in_order(self._derived, self._wanted(session_ids)):
                yield self._settled(derived)
        finally:
            self.table()

    def derived(self, session_ids: Iterable[str], pool: Pool = HERE) -> Iterator[Rebuilt]:
        """What `rebuild` would make of sessions; nothing is written.

        Args:
            session_ids: which.
            pool: who derives.

        Raises:
            StoreError: a worker was killed.
        """
        for derived in pool.in_order(self._derived, self._wanted(session_ids)):
            yield derived.rebuilt

    def _wanted(self, session_ids: Iterable[str] | None) -> list[Places]:
        """Where the files of sessions lie, by one look at all of them."""
        known = self.places()
        if session_ids is None:
            return [known[name] for name in sorted(known) if known[name].raw or known[name].samples]
        return [known.get(slug(session_id), Places(session_id)) for session_id in session_ids]

    def _derived(self, places: Places) -> _Derived:
        """A session derived from its bytes, and nothing written."""
        try:
            return self._derive(places)
        except RowsyncError as error:
            return _Derived(Rebuilt(places.name, problem=str(error)), places)
        except Exception as error:  # one bad session must not keep anybody from the others
            why = f"it can't be derived: {type(error).__name__}: {first_line(error)}."
            return _Derived(Rebuilt(places.name, problem=f"{outside_text(places.name)}: {why}"), places)

    def _derive(self, places: Places) -> _Derived:
        before = _summary_before(places)
        if not places.raw:
            raise RecordingError(f"{outside_text(places.name)}: the bytes that it came from are gone.")
        session, said = self._analysed(_recording(places.first("raw")), _said(places.truth, places.felt))
        key = self._key("samples", session)
        if name_of(key) != places.name:
            raise RecordingError(f"{places.first('raw')} holds another session: {name_of(key)}.")
        after, content, _ = self._made(session, said)
        is_new = not (places.samples and self._is_held(places, key, content))
        return _Derived(Rebuilt(places.name, before, after, is_new), places, key, content if is_new else None)

    def _is_held(self, places: Places, key: str, content: bytes) -> bool:
        """Whether a session's samples lie where they belong, nowhere else, and are these."""
        first, *others = places.samples
        if any(other.group is None and not self.shelf.is_one(first.key, other.key) for other in others):
            return False
        if first.group is None:
            return self.shelf.is_one(first.key, key) and self.shelf.read(first.key) == content
        try:
            return folder_of(first.key) == folder_of(key) and alone(first, SAMPLES) == content
        except Unreadable:
            raise
        except RecordingError:  # damaged, or an older rowsync's
            return False

    def _settled(self, derived: _Derived) -> Rebuilt:
        """Write what was derived, unless somebody stored more of the session or said something of it meanwhile."""
        if derived.content is None and derived.rebuilt.problem is None:
            return derived.rebuilt
        if derived.content is None and self._is_still(derived):
            return derived.rebuilt
        with self._writing():
            if not self._is_still(derived):
                derived = self._derived(self._places(derived.rebuilt.session_id))
            if derived.content is not None:
                self._put(derived.key, derived.content, derived.places)
        return derived.rebuilt

    def _is_still(self, derived: _Derived) -> bool:
        """Whether the files that a session was derived from lie there as they did, and no other words of anybody's."""
        known = [part for kind in KINDS for part in derived.places.of(kind)]
        if any((placed := self.shelf.placed(part.key)) is None or placed.mark != part.mark for part in known):
            return False
        said = {part.key for part in known}
        keys = (_said_key(kind, part.key, derived.places.name) for kind in SAID for part in derived.places.raw)
        return not any(key not in said and self.shelf.placed(key) for key in keys)

    def samples(self, session_id: str) -> pd.DataFrame:
        """One session's samples; columns as in `SAMPLES`, missing values as NaN.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file is not ours or altered.
        """
        table: pd.DataFrame = self._samples(session_id).to_pandas()
        return table

    def _samples(self, session_id: str) -> pa.Table:
        if not is_todays(self._metadata("samples", session_id, "summary")):
            try:
                self._again(session_id)
            except (RecordingError, SessionNotFound):
                raise RecordingError(
                    f"The samples of {session_id} were written by an older rowsync, and the bytes that they came from "
                    "can't be read."
                ) from None
        return self._read("samples", session_id, lambda part: read_table(part, SAMPLES))

    def series(self, session_id: str) -> tuple[Sequence[Sample], Sequence[Stroke]]:
        """One session's samples and strokes, derived from its bytes; where these can't be read, from its samples.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file is not ours or altered.
        """
        try:
            session, _ = self._analysed(self.recording(session_id))
        except (RecordingError, SessionNotFound):  # its bytes are gone; what was made of them is not
            samples = samples_of(self._samples(session_id))
            counter = StrokeCounter()
            return samples, [stroke for sample in samples for stroke in counter.feed(sample)]
        return session.samples, session.strokes

    def recording(self, session_id: str) -> Recording:
        """One session's bytes, as they were recorded.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file is not ours or altered.
        """
        return self._read("raw", session_id, lambda part: _recording(part, session_id))

    # --- files --------------------------------------------------------------------------------------------------------

    def places(self) -> dict[str, Places]:
        """Where the files of every session lie, by what they are called; one look at all of them."""
        found: dict[str, dict[str, list[Part]]] = {}
        for kind in KINDS:
            for part in self.parts(kind):
                found.setdefault(part.name, {}).setdefault(kind, []).append(part)
        return {
            name: Places(name, **{kind: tuple(parts) for kind, parts in kinds.items()}) for name, kinds in found.items()
        }

    def parts(self, kind: str) -> Iterator[Part]:
        """Every part of a kind, of one session that one first which counts; of a pack that can't be read, itself."""
        listed = written_last([placed for placed in self._listing(kind) if placed.key.endswith(_suffix(kind))])
        for placed in listed:
            if not placed.is_pack:
                yield Part.whole(self.shelf, placed)
        for placed in filter(attrgetter("is_pack"), listed):
            try:
                yield from _parts_of_pack(self.shelf, placed)
            except RecordingError:
                yield Part.whole(self.shelf, placed)

    def _listing(self, kind: str) -> list[Placed]:
        with self._reached():
            return self.shelf.listing(kind)

    def _places(self, session_id: str) -> Places:
        """Where the files of one session lie."""
        name = slug(session_id)
        own = {kind: self._own(kind, name) for kind in KINDS}
        lacking = [kind for kind in _PACKED if not own[kind]]
        years = self._years(name) if lacking else []
        packed = {kind: self._in_packs(kind, name, years) for kind in lacking}
        return Places(name, **{kind: tuple(parts) for kind, parts in (own | packed).items()})

    def _parts(self, kind: str, session_id: str) -> list[Part]:
        """Where a session's files of a kind lie; the one that counts comes first."""
        name = slug(session_id)
        own = self._own(kind, name)
        return own if own or kind in SAID else self._in_packs(kind, name, self._years(name))

    def _own(self, kind: str, name: str) -> list[Part]:
        """The files of a kind that a session has for itself."""
        with self._reached():
            found = self.shelf.found(kind, f"{name}{_suffix(kind)}")
        return [Part.whole(self.shelf, placed) for placed in found]

    def _years(self, name: str) -> list[str]:
        """The athletes' years, as `athlete=<athlete>/year=<year>`, in whose packs something of a session may be.

        It is packed beside its samples, which a packer that was killed may have left in a file of their own.
        """
        with self._reached():
            packs = self.shelf.found(index.KIND, f"{PACK}*.parquet")
        known = index.held(self.shelf).files if packs else {}
        keys = {each.key for each in packs if name in index.file_of(self.shelf, each, known).names}
        keys |= {part.key for kind in _PACKED for part in self._own(kind, name)}
        return sorted({_year_of(key) for key in keys})

    def _in_packs(self, kind: str, name: str, years: Sequence[str]) -> list[Part]:
        """Where in packs of these years a session lies, in that one first which counts.

        Raises:
            Unreadable: nobody can tell just now.
        """
        with self._reached():
            listed = [placed for year in years for placed in self.shelf.folder(f"{kind}/{year}")]
        found = []
        for placed in filter(attrgetter("is_pack"), written_last(listed)):
            try:
                found += [part for part in _parts_of_pack(self.shelf, placed) if part.name == name]
            except Unreadable:
                raise
            except RecordingError:  # which is told of by whoever reads the index
                continue
        return found

    def _part(self, kind: str, session_id: str) -> Part:
        return Places(session_id, **{kind: tuple(self._parts(kind, session_id))}).first(kind)

    def _read(self, kind: str, session_id: str, read: Callable[[Part], Read]) -> Read:
        """Read a session's file; once more, where it was packed or stored by another this moment."""
        try:
            return read(self._part(kind, session_id))
        except (RecordingError, SessionNotFound):
            self.shelf.look_again()
            return read(self._part(kind, session_id))

    def _metadata(self, kind: str, session_id: str, *promised: str) -> dict[str, Any]:
        return self._read(kind, session_id, lambda part: metadata(part, *promised))

    def _key(self, kind: str, session: Session) -> str:
        header = session.header
        folder = f"{kind}/athlete={slug(header.athlete.name)}/year={header.started_at.year:04d}"
        return f"{folder}/{slug(header.session_id)}{_suffix(kind)}"

    def _put(self, key: str, content: bytes, places: Places) -> None:
        """Write a session's file; the same session elsewhere is the same session.

        What a pack has of it stays there until that is packed anew: a file of its own counts before.
        """
        self.shelf.put(key, content)
        for part in places.of(key.partition("/")[0]):
            if part.group is None and not self.shelf.is_one(key, part.key):
                self.shelf.remove(part.key)

    def _write_said(self, kind: str, session: Session, content: dict[str, Any]) -> None:
        """Keep what a person says of a session, in place of what was said before."""
        session_id = session.header.session_id
        with self._writing():
            places = Places(session_id, **{kind: tuple(self._parts(kind, session_id))})
            self._put(self._key(kind, session), sealed({"session_id": session_id} | content), places)

    def _move_said(self, session: Session, places: Places) -> None:
        """What was said of a session goes with it to another athlete or year, as it is."""
        for kind in SAID:
            key = self._key(kind, session)
            for part in places.of(kind):
                if self.shelf.placed(key) is None:
                    self.shelf.move(part.key, key)

    def _let_go(self, journal: Path) -> None:
        """Remove a journal that is stored, or leave it to the hub that still has to send it."""
        with _writing(self.folder):
            spool = spool_of(self.folder)
            _move(journal, spool) if spool.is_dir() else _remove(journal)

    def _set_aside(self, journal: Path) -> None:
        with _writing(self.folder):
            if (spool := spool_of(self.folder)).is_dir():
                with replacing(spool / journal.name) as file:
                    file.write(journal.read_bytes())
            _move(journal, journal.parent / "damaged")

    # --- packs --------------------------------------------------------------------------------------------------------

    def pack(self, before: datetime, fewest: int = FEWEST_PACKED) -> Iterator[Packed]:
        """Put the files of many sessions into one for each athlete and year: fewer files are faster to look through.

        What is in them stays as it is, to the bit, and is read like any other.  Files go only when what is in their
        place was read back.

        Args:
            before: sessions that began before then; later ones may still be corrected, and stay.
            fewest: so many files of a year are worth it.

        Yields:
            What became of each athlete's year in which there was something to do.

        Raises:
            StoreError: the shelf can't be written; nothing is lost.
        """
        table = self.table()
        began = dict(zip(*(values(table[name]) for name in ("session_id", "started_at")), strict=True))
        with self._writing(packing=True):
            places, years = self.places(), dict[str, list[Places]]()
            for name, each in sorted(places.items()):
                if began.get(name, before) < before and _is_packable(each):
                    years.setdefault(_year_of(each.samples[0].key), []).append(each)
            for year, every in sorted(years.items()):
                if sum(each.samples[0].group is None for each in every) >= fewest:
                    yield self._pack_year(year, every, places.values())
        self.table()

    def _pack_year(self, year: str, every: Sequence[Places], stored: Iterable[Places]) -> Packed:
        """One year's sessions in packs; those that are packed already are packed again with the others."""
        sound = [places for places in every if _is_sound(places)]
        names = {places.name for places in sound}
        before = len({part.key for places in sound for kind in _PACKED for part in places.of(kind)})
        parts = {kind: [places.first(kind) for places in sound] for kind in _PACKED}
        keys = {self._put_pack(f"{kind}/{year}", each) for kind in _PACKED for each in _batches(parts[kind])}
        others = [each for each in stored if each.name not in names]
        for kind in _PACKED:
            self._remove_packed(f"{kind}/{year}", parts[kind], keys, others)
        left = [each.samples[0] for each in every if each.name not in names]
        problems = [f"{part} stays as it is: see `rowsync check`." for part in left]
        return Packed(year, len(sound), before, len(keys), problems)

    def _put_pack(self, folder: str, parts: Sequence[Part]) -> str:
        """Write a pack and read it back.

        Raises:
            StoreError: what came back isn't what was written.
        """
        schema = COLUMNS[folder.partition("/")[0]]
        content = pack_bytes(parts, schema)
        key = f"{folder}/{PACK}{crc32(content):08x}.parquet"
        self.shelf.put(key, content)
        try:
            placed = self.shelf.placed(key)
            back = [] if placed is None else _parts_of_pack(self.shelf, placed)
            is_whole = [_held(part, schema) for part in back] == [_held(part, schema) for part in parts]
        except RecordingError:
            is_whole = False
        if not is_whole:
            raise StoreError(f"{self.shelf.label(key)} doesn't hold what was written into it; the sessions stay apart.")
        return key

    def _remove_packed(self, folder: str, parts: Sequence[Part], keys: set[str], others: Sequence[Places]) -> None:
        """Remove the files whose sessions are in packs now, and packs of which no other session needs anything.

        A session needs what counts of it; one that can't be read whole, all there is.

        Args:
            folder: of the packs.
            parts: what was packed.
            keys: the packs that it is in.
            others: every other session.
        """
        kind = folder.partition("/")[0]
        for part in parts:
            placed = self.shelf.placed(part.key) if part.group is None else None
            if placed is not None and placed.mark == part.mark:  # else somebody stored it anew meanwhile
                self.shelf.remove(part.key)
        needed = keys | {
            part.key
            for each in others
            for number, part in enumerate(each.of(kind))
            if folder_of(part.key) == folder and (number == 0 or not _is_sound(each))
        }
        for placed in self.shelf.folder(folder):
            if placed.is_pack and placed.key not in needed:
                self.shelf.remove(placed.key)

    # --- the index ----------------------------------------------------------------------------------------------------

    def rebuild_index(self) -> dict[str, str]:
        """Make the index anew from the files of samples alone.

        Returns:
            Why files among them have no row, by what they are called.

        Raises:
            StoreError: the shelf can't be written.
        """
        with self._writing():
            found = index.updated(index.nothing(), self.shelf)
            self._write_index(found)
        return found.left_out

    def table(self) -> pa.Table:
        """The rows of the index, oldest first."""
        return self._index().table

    def _index(self) -> Index:
        """The index; stored anew where it was missing, damaged or behind the files."""
        with self._reached():
            held = index.held(self.shelf)
            found = index.updated(held, self.shelf)
        if found is not held:
            with suppress(StoreError), self._writing():  # looking back needs no disk that can be written
                if not self.shelf.is_shared:
                    held = index.held(self.shelf)  # somebody else may have brought it up to date
                    found = index.updated(held, self.shelf)
                if found is not held:
                    self._write_index(found)
        return found

    def _write_index(self, found: Index) -> None:
        self.shelf.put(index.KEY, found.content)

    # --- reaching the shelf -------------------------------------------------------------------------------------------

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """A shelf that can't be reached becomes an `Unreadable`."""
        try:
            yield
        except OSError as error:
            advice = f" {self.shelf.advice}" if self.shelf.is_shared else ""
            raise Unreadable(f"{self.shelf.label()} can't be read: {first_line(error)}.{advice}") from None

    @contextmanager
    def _writing(self, packing: bool = False) -> Iterator[None]:
        """One writer at a time; a shelf that refuses becomes a `StoreError`."""
        try:
            with self.shelf.packing() if packing else self.shelf.writing():
                yield
        except OSError as error:
            what = f"{self.shelf.label()} can't be written: {first_line(error)}."
            raise StoreError(f"{what} {self.shelf.advice}") from None


# --- what lies in files -----------------------------------------------------------------------------------------------


def check_file(kind: str, part: Part) -> None:
    """Read a stored file with every check that there is.

    Args:
        kind: "raw", "samples", "index", "truth" or "felt".
        part: where it lies.

    Raises:
        RecordingError: it can't be read, was altered, isn't ours, or is from a newer rowsync.
    """
    if kind not in SAID:
        check(kind, part)
    elif (correction_from_fields if kind == "truth" else felt_from_fields)(_said_content(part)) is None:
        raise RecordingError(f"{part} can't be read, or was altered.")


def _recording(part: Part, session_id: str | None = None) -> Recording:
    """A session's bytes, as they were recorded."""
    table, said = read(part, RAW, "header", "events")
    columns = (table[name].to_pylist() for name in RAW.names)
    notes = list(filter(None, map(note_from_fields, said["events"])))
    # What came before the row has the time 0 and comes first; later, a note tells of what came until then.
    items: list[Item] = [note for note in notes if note.time_s == 0]
    items += (Notification(us / 1e6, name, value) for us, name, value in zip(*columns, strict=True))
    items += (note for note in notes if note.time_s > 0)
    items.sort(key=attrgetter("time_s"))
    return Recording(header_from_fields(said["header"], session_id or part.name), tuple(items))


def _summary_before(places: Places) -> dict[str, Any] | None:
    """What is stored of a session; None where nothing is, or nothing that can be read.

    Raises:
        NewerFile: it is a newer rowsync's, which knew better.
    """
    try:
        before: dict[str, Any] = metadata(places.first("samples"), "summary")["summary"]
    except NewerFile:
        raise
    except (RecordingError, SessionNotFound):
        return None
    model = (before.get("energy") or {}).get("model")
    if _age(model) > _age(MODEL):
        raise NewerFile(f"{places.name} was reckoned by a newer rowsync ({outside_text(model)}): update this one.")
    return before


def _said(truth: Sequence[Part], felt: Sequence[Part]) -> _Said:
    """What a person said of a session, as far as it can be read."""
    correction = words = None
    with suppress(RecordingError):  # which `correction` tells whoever asks
        correction = _correction(truth)
    with suppress(Unreadable):
        words = _felt(felt)
    return _Said(correction, words)


def _correction(truth: Sequence[Part]) -> Correction | None:
    """What a person said of a session's intervals; None for nothing.

    Raises:
        RecordingError: it can't be read.
    """
    if not truth:
        return None
    correction = correction_from_fields(_said_content(truth[0]))
    if correction is None:
        raise RecordingError(
            f"{truth[0]}, which holds what you corrected, can't be read, or was altered; the intervals are those that "
            f"were detected. Mend it and take its {SEAL} out, or forget it: rowsync correct {truth[0].name} --undo"
        )
    return correction


def _felt(felt: Sequence[Part]) -> Felt | None:
    """How a person said that a session felt; None for nothing, and for what nobody can make out."""
    return felt_from_fields(_said_content(felt[0])) if felt else None


def _said_content(part: Part) -> Any:
    """What a person said of the session that the file is named after; None where nobody can make it out.

    Raises:
        Unreadable: the system doesn't let it be read.
    """
    try:
        content = unsealed(part.shelf.read(part.key))
    except OSError as error:
        raise Unreadable(f"{part} can't be read: {first_line(error)}.") from None
    except (ValueError, RecursionError):
        return None
    ours = isinstance(content, dict) and slug(str(content.get("session_id"))) == part.name
    return content if ours else None


def _suffix(kind: str) -> str:
    return ".json" if kind in SAID else ".parquet"


def _said_key(kind: str, raw: str, name: str) -> str:
    """Where what a person says of a session lies, given where its bytes do."""
    return f"{kind}{folder_of(raw).removeprefix('raw')}/{name}{_suffix(kind)}"


def _parts_of_pack(shelf: Shelf, placed: Placed) -> list[Part]:
    """The sessions of a pack.

    Raises:
        RecordingError: it can't be read.
    """
    names = packed_names(Part.whole(shelf, placed))
    return [Part(shelf, placed.key, name, placed.mark, number) for number, name in enumerate(names)]


def _year_of(key: str) -> str:
    """The athlete and year of a file, as `athlete=<athlete>/year=<year>`."""
    return folder_of(key).partition("/")[2]


def _refuse_shorter(session: Session, places: Places) -> None:
    """The raw bytes are the truth: a shorter recording never takes the place of a longer one.

    Raises:
        HeldMore: it would.
        Unreadable: nobody can tell just now.
    """
    for part in places.raw:
        if (held := rows_held(part)) > session.notifications:
            raise HeldMore(
                f"The session {session.header.session_id} is stored already, with {held} notifications; this recording "
                f"of it has only {session.notifications}. To store both, change its session_id."
            )


def _batches(parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """What is in one pack each."""
    return (parts[first : first + MOST_PACKED] for first in range(0, len(parts), MOST_PACKED))


def _is_packable(places: Places) -> bool:
    """Whether a session's bytes and samples lie in one athlete's year, each in not more than one file of its own."""
    if not (places.raw and places.samples):
        return False
    is_once = all(sum(part.group is None for part in places.of(kind)) <= 1 for kind in _PACKED)
    return is_once and _year_of(places.raw[0].key) == _year_of(places.samples[0].key)


def _is_sound(places: Places) -> bool:
    """Whether a session's files can be read, and have rows; a row group has some."""
    try:
        said = [check(kind, places.first(kind)) for kind in _PACKED]
    except RecordingError:
        return False
    return all(each["rows"] and is_todays(each) for each in said)


def _held(part: Part, schema: pa.Schema) -> tuple[str, dict[str, Any], pa.Table]:
    """What a part holds, to be compared."""
    table, said = read(part, schema)
    return part.name, said, table


def _remove(path: Path) -> None:
    path.unlink()
    sync_folder(path.parent)


def _move(path: Path, folder: Path) -> None:
    make_folder(folder)
    path.replace(folder / path.name)
    sync_folder(folder)
    sync_folder(path.parent)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """One writer at a time in the data folder; a disk that refuses becomes a `StoreError`."""
    try:
        with locked(folder):
            yield
    except OSError as error:
        raise StoreError(f"{folder} can't be written: {first_line(error)}. {Folder.advice}") from None


def _age(model: Any) -> int:
    """The number behind a model's name: of a newer model it is higher."""
    number = str(model).rpartition("-")[2]
    return int(number) if number.isascii() and number.isdigit() else 0


def _pieces_of(plan: str) -> tuple[Piece, ...] | str:
    """What makes two plans the same: their pieces; of what can't be read, the text."""
    try:
        return parse_plan(plan).pieces
    except UsageError:
        return plan
