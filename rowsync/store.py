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

import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rowsync import __version__
from rowsync.bests import DISTANCES_M, DURATIONS_S
from rowsync.comparison import comparable_fields
from rowsync.corrections import Correction, correction_fields, correction_from_fields, fitted
from rowsync.days import day_of
from rowsync.errors import (
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
from rowsync.intervals import Effort, Segment
from rowsync.journal import claimed, journals_left, spool_of
from rowsync.plan import Piece, parse_plan
from rowsync.profile import Profile
from rowsync.recording import (
    LARGEST_BYTES,
    Recording,
    header_fields,
    header_from_fields,
    note_fields,
    note_from_fields,
    read_recording,
)
from rowsync.seal import SEAL, sealed, unsealed
from rowsync.session import Header, Session, analyse, weighted_mean
from rowsync.slug import slug
from rowsync.strokes import Stroke, StrokeCounter
from rowsync.telemetry import Item, Notification, Sample
from rowsync.wording import moment, outside_text, stamp
from rowsync.workers import in_order

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 6
"""2: more columns of samples; 3: intervals with confidence, plans kept; 4: energy in parts, training; 5: fade;
6: bests.

An older one is made anew when it is read, and so is what an older energy model reckoned; `rebuild` makes all anew.
"""
_METADATA = b"rowsync"
_COLUMNS_CRC = "columns_crc"

MOST_ROWS = 1 << 24
"""No recording of `LARGEST_BYTES` holds more packets."""

_INTEGER, _NUMBER, _TEXT = pa.int32(), pa.float64(), pa.string()

# The one place where the columns are named and typed; the names are those of `telemetry.Sample`.
SAMPLES = pa.schema(
    [
        ("session_id", _TEXT),
        ("time_s", _NUMBER),
        ("moving", pa.bool_()),
        ("stroke_count", _INTEGER),
        ("stroke_rate_spm", _NUMBER),
        ("distance_m", _NUMBER),
        ("pace_s_per_500m", _NUMBER),
        ("power_w", _NUMBER),
        ("power_source", _TEXT),
        ("heart_rate_bpm", _INTEGER),
        ("heart_rate_source", _TEXT),
        ("resistance_level", _NUMBER),
        ("drag_factor", _NUMBER),
        ("machine_energy_kcal", _NUMBER),
        ("machine_energy_per_hour_kcal", _NUMBER),
        ("machine_elapsed_s", _NUMBER),
        ("machine_effort", _TEXT),
        ("drive_time_s", _NUMBER),
        ("recovery_time_s", _NUMBER),
        ("drive_length_m", _NUMBER),
        ("peak_force_n", _NUMBER),
        ("average_force_n", _NUMBER),
        ("work_per_stroke_j", _NUMBER),
    ]
)
RAW = pa.schema([("time_us", pa.int64()), ("characteristic", _TEXT), ("value", pa.binary())])
INDEX = pa.schema(
    [
        ("session_id", _TEXT),
        ("started_at", pa.timestamp("us", tz="UTC")),
        ("athlete", _TEXT),
        ("plan", _TEXT),
        ("origin", _TEXT),
        ("machine", _TEXT),
        ("machine_address", _TEXT),
        ("duration_s", _NUMBER),
        ("moving_s", _NUMBER),
        ("distance_m", _NUMBER),
        ("stroke_count", _INTEGER),
        ("mean_power_w", _NUMBER),
        ("mean_stroke_rate_spm", _NUMBER),
        ("mean_pace_s_per_500m", _NUMBER),
        ("mean_heart_rate_bpm", _NUMBER),
        ("heart_rate_source", _TEXT),
        ("gross_kcal", _NUMBER),
        ("net_kcal", _NUMBER),
        ("low_kcal", _NUMBER),
        ("high_kcal", _NUMBER),
        ("net_low_kcal", _NUMBER),
        ("net_high_kcal", _NUMBER),
        ("machine_kcal", _NUMBER),
        ("energy_model", _TEXT),
        ("hard_intervals", _INTEGER),
        ("mean_hard_power_w", _NUMBER),
        ("load", _NUMBER),
        ("load_by", _TEXT),
        ("power_source", _TEXT),
        ("doubtful_power", pa.bool_()),
        *((f"power_{duration_s}s_w", _NUMBER) for duration_s in DURATIONS_S),
        *((f"best_{distance_m}m_s", _NUMBER) for distance_m in DISTANCES_M),
        ("schema", _INTEGER),
        ("settings_crc", _TEXT),
    ]
)


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
        marks: of the files that it was derived from; while they hold, it is what they say.
        path: where its samples belong.
        content: its file of samples; None where the one that lies there is the same.
    """

    rebuilt: Rebuilt
    marks: tuple[tuple[str, int, int, int], ...] = ()
    path: Path = Path()
    content: bytes | None = None


class _Index(NamedTuple):
    """The index, one row a session, oldest first.

    Attributes:
        table: as in `INDEX`.
        left_out: why files among the samples have no row, by what they are called.
        changed_ns: when each file among the samples had last changed as it was read, by what it is called [ns].
    """

    table: pa.Table
    left_out: dict[str, str]
    changed_ns: dict[str, int]

    def with_row(self, row: dict[str, Any], changed_ns: int) -> _Index:
        """The index with a session's row, in place of one that it may have."""
        session_id = row["session_id"]
        others = self.table.filter(pc.not_equal(self.table["session_id"], session_id))
        left_out = {name: why for name, why in self.left_out.items() if name != session_id}
        return _Index(_by_time([others, _table_of(row)]), left_out, self.changed_ns | {session_id: changed_ns})


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
_NEVER = -1
"""No file had changed last then [ns]."""


class Store:
    """The sessions below one folder.

    Args:
        folder: the data folder; made when something is first written.
        profiles: what the settings say of athletes, by name.
    """

    def __init__(self, folder: Path, profiles: Mapping[str, Profile] | None = None) -> None:
        self.folder = folder
        self.profiles = dict(profiles or {})
        self._is_together = False

    def add(self, recording: Recording) -> dict[str, Any]:
        """Analyse a recording and store it; storing the same session again replaces it, and keeps what was corrected.

        Raises:
            StoreError: the folder can't be written, or holds more of this session already; what was there before is
                untouched.
        """
        session, said = self._analysed(recording)
        if held := self._held_more(session):
            raise StoreError(
                f"The session {session.header.session_id} is stored already, with {held} notifications; this recording "
                f"of it has only {session.notifications}. To store both, change its session_id."
            )
        return self._keep(recording, session, said)

    def _analysed(self, recording: Recording, correction: Correction | None = None) -> tuple[Session, _Said]:
        """A session with its intervals as a person corrected them, where one did; else as they are detected."""
        said = self._said(recording.header.session_id)
        if correction is not None:
            said = said._replace(correction=correction)
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
        raw = _raw_bytes(recording)
        summary, samples, row = self._made(session, said)
        with _writing(self.folder):
            index = None if self._is_together else self._up_to_date()
            _put(self._path("raw", session), raw)
            path = self._path("samples", session)
            _put(path, samples)
            self._move_said(session)
            if index is not None:
                self._write_index(index.with_row(row, path.stat().st_ctime_ns))
        return summary

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store many sessions: each is written when it is added, the index once, at the end, or by whoever reads it."""
        self._is_together = True
        try:
            yield
        finally:
            self._is_together = False
            self._table()

    def _made(self, session: Session, said: _Said) -> tuple[dict[str, Any], bytes, dict[str, Any]]:
        """What is kept of a session besides its bytes: its summary, its file of samples, its row of the index."""
        settings_crc = self._settings_crc(session.header.athlete.name, session.header.started_at)
        summary = session.summary() | said.fields
        samples = _file_bytes(_samples_table(session), summary=summary, settings_crc=settings_crc)
        return summary, samples, _index_row(summary, settings_crc, SCHEMA)

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
            if self._held_more(session):
                self._set_aside(journal)
                return Recovery(
                    journal, problem=f"{journal} was set aside: a longer recording of it is stored already."
                )
            summary = self._keep(recording, session, said) if session.is_rowed else None
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
        session, said = self._analysed(recording, correction)
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
        recording, before = self.recording(session_id), self._felt(session_id)
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
        truths = self._said_files("truth", session_id)
        if not truths:
            raise UsageError(f"Nothing was corrected in {session_id}.")
        with _writing(self.folder):
            for path in truths:
                _remove(path)
        return self._keep(recording, *self._analysed(recording))

    def correction(self, session_id: str) -> Correction | None:
        """What a person said of a session's intervals; None for nothing.

        Raises:
            RecordingError: it can't be read.  The session is shown as it was detected, and the file stays as it is.
        """
        path = next(iter(self._said_files("truth", session_id)), None)
        if path is None:
            return None
        correction = correction_from_fields(_said_content(path))
        if correction is None:
            raise RecordingError(
                f"{path}, which holds what you corrected, can't be read, or was altered; the intervals are those that "
                f"were detected. Mend it and take its {SEAL} out, or forget it: rowsync correct {path.stem} --undo"
            )
        return correction

    def truths(self) -> Iterator[Truth]:
        """Every session whose intervals a person corrected, by its id; one that can't be read is left out."""
        for session_id in sorted({path.stem for path in self.folder.glob("truth/*/*/*.json")}):
            with suppress(RecordingError, SessionNotFound):  # whoever opens it is told
                correction, summary = self.correction(session_id), self.summary(session_id)
                if correction is not None:
                    segments = fitted(correction.segments, summary["duration_s"])
                    yield Truth(summary, self.recording(session_id), segments)

    def rows(self) -> list[dict[str, Any]]:
        """One row a session, newest first, as in `INDEX`; an index that is missing or behind is made anew."""
        table = self._table()
        columns = [_values(table[name]) for name in table.column_names]
        return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)][::-1]

    def index(self) -> pd.DataFrame:
        """`rows` as a table."""
        index: pd.DataFrame = self._table().to_pandas()
        return index.iloc[::-1].reset_index(drop=True)

    def find(self, name: str | None = None) -> str:
        """The id of the session that a name, or the beginning of one, stands for; None is the latest.

        Raises:
            SessionNotFound: there is none, or more than one.
        """
        known = self._table()["session_id"].to_pylist()[::-1]
        if not known:
            raise SessionNotFound(f"There are no sessions in {self.folder} yet. Row one, or try: rowsync demo")
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
        metadata = _metadata(self._file("samples", session_id), "summary")
        with suppress(RecordingError, SessionNotFound):  # its bytes are gone; what was made of them is not
            if self._is_behind_bytes(session_id, metadata):
                return self._again(session_id)
        summary: dict[str, Any] = metadata["summary"]
        return summary

    def is_behind_bytes(self, session_id: str) -> bool:
        """Whether a session's samples say something else than its bytes would, as far as that shows underived.

        Raises:
            SessionNotFound: there are no bytes of it, or no samples.
            RecordingError: a file is not ours or altered.
        """
        return self._is_behind_bytes(session_id, _metadata(self._file("samples", session_id), "summary"))

    def _is_behind_bytes(self, session_id: str, metadata: dict[str, Any]) -> bool:
        summary = metadata["summary"]
        held = _metadata(self._file("raw", session_id), "header")["rows"]
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
        pieces, table = _pieces_of(plan), self._table()
        columns = [_values(table[name])[::-1] for name in ("session_id", "started_at", "athlete", "plan")]
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
        if metadata["schema"] < SCHEMA or started_at is None or not isinstance(energy, dict):
            return True
        return self._is_behind(
            str(summary.get("athlete")), started_at, energy.get("model"), metadata.get("settings_crc")
        )

    def _said(self, session_id: str) -> _Said:
        """What a person said of a session, as far as it can be read."""
        correction = felt = None
        with suppress(RecordingError):  # which `correction` tells whoever asks
            correction = self.correction(session_id)
        with suppress(Unreadable):
            felt = self._felt(session_id)
        return _Said(correction, felt)

    def _felt(self, session_id: str) -> Felt | None:
        """How a person said that a session felt; None for nothing, and for what nobody can make out."""
        path = next(iter(self._said_files("felt", session_id)), None)
        return None if path is None else felt_from_fields(_said_content(path))

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
        index = self._index()
        columns = ("athlete", "started_at", "energy_model", "settings_crc")
        reckoned = zip(*(_values(index.table[name]) for name in ("session_id", *columns)), strict=True)
        old = (session_id for session_id, *how in reckoned if self._is_behind(*how))
        return Upkeep(sorted(filter(self._has_bytes, old)), index.left_out)

    def behind(self) -> list[str]:
        """The sessions that can be reckoned anew and were by an older model, or by other settings; by their id."""
        return self.upkeep().behind

    def _has_bytes(self, session_id: str) -> bool:
        try:
            return bool(_metadata(self._file("raw", session_id), "header"))
        except (RecordingError, SessionNotFound):  # whoever opens it is told
            return False

    def stored(self) -> list[str]:
        """Every session of which there are bytes or samples, by its id."""
        return sorted({path.stem for kind in ("raw", "samples") for path in self.folder.glob(f"{kind}/*/*/*.parquet")})

    def rebuild(self, session_ids: Iterable[str] | None = None, jobs: int = 1) -> Iterator[Rebuilt]:
        """Derive sessions from their bytes again, with the decoder, the models and the settings as they are.

        Others may record and store meanwhile.  Each file is replaced whole, and only by another one; the index is
        written once, at the end, or by whoever reads it next.

        Args:
            session_ids: which; all of them by default.
            jobs: how many processes derive at once.

        Yields:
            What became of each, in their order; one that fails stays as it was.

        Raises:
            StoreError: the folder can't be written, or a worker was killed; what was rebuilt until then is kept.
        """
        wanted = self.stored() if session_ids is None else list(session_ids)
        try:
            for derived in in_order(self._derived, wanted, jobs):
                yield self._settled(derived)
        finally:
            self._table()

    def derived(self, session_ids: Iterable[str], jobs: int = 1) -> Iterator[Rebuilt]:
        """What `rebuild` would make of sessions; nothing is written.

        Args:
            session_ids: which.
            jobs: how many processes derive at once.

        Raises:
            StoreError: a worker was killed.
        """
        for derived in in_order(self._derived, list(session_ids), jobs):
            yield derived.rebuilt

    def _derived(self, session_id: str) -> _Derived:
        """A session derived from its bytes, and nothing written."""
        try:
            return self._derive(session_id)
        except RowsyncError as error:
            return _Derived(Rebuilt(session_id, problem=str(error)))
        except Exception as error:  # one bad session must not keep anybody from the others
            why = f"it can't be derived: {type(error).__name__}: {_first_line(error)}."
            return _Derived(Rebuilt(session_id, problem=f"{outside_text(session_id)}: {why}"))

    def _derive(self, session_id: str) -> _Derived:
        before, marks = self._summary_before(session_id), self._marks(session_id)
        if not any(kind == "raw" for kind, *_ in marks):
            raise RecordingError(f"{outside_text(session_id)}: the bytes that it came from are gone.")
        session, said = self._analysed(self.recording(session_id))
        path = self._path("samples", session)
        if path.stem != session_id:
            raise RecordingError(f"{self._file('raw', session_id)} holds another session: {path.stem}.")
        after, content, _ = self._made(session, said)
        is_new = bool(_others(path)) or not path.is_file() or path.read_bytes() != content
        return _Derived(Rebuilt(session_id, before, after, is_new), marks, path, content if is_new else None)

    def _summary_before(self, session_id: str) -> dict[str, Any] | None:
        """What is stored of a session; None where nothing is, or nothing that can be read.

        Raises:
            NewerFile: it is a newer rowsync's, which knew better.
        """
        try:
            before: dict[str, Any] = _metadata(self._file("samples", session_id), "summary")["summary"]
        except NewerFile:
            raise
        except (RecordingError, SessionNotFound):
            return None
        model = (before.get("energy") or {}).get("model")
        if _age(model) > _age(MODEL):
            raise NewerFile(f"{session_id} was reckoned by a newer rowsync ({outside_text(model)}): update this one.")
        return before

    def _marks(self, session_id: str) -> tuple[tuple[str, int, int, int], ...]:
        """Marks of the files that a session is derived from: others when one was replaced."""
        files = [(kind, path) for kind in SAID for path in self._said_files(kind, session_id)]
        files += [("raw", path) for path in sorted(self.folder.glob(f"raw/*/*/{slug(session_id)}.parquet"))]
        stats = [(kind, path.stat()) for kind, path in files]
        return tuple((kind, stat.st_ino, stat.st_mtime_ns, stat.st_size) for kind, stat in stats)

    def _settled(self, derived: _Derived) -> Rebuilt:
        """Write what was derived, unless somebody stored more of the session or said something of it meanwhile."""
        if derived.content is None:
            return derived.rebuilt
        with _writing(self.folder):
            if self._marks(derived.rebuilt.session_id) != derived.marks:
                derived = self._derived(derived.rebuilt.session_id)
            if derived.content is not None:
                _put(derived.path, derived.content)
        return derived.rebuilt

    def samples(self, session_id: str) -> pd.DataFrame:
        """One session's samples; columns as in `SAMPLES`, missing values as NaN.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file is not ours or altered.
        """
        table: pd.DataFrame = self._samples(session_id).to_pandas()
        return table

    def _samples(self, session_id: str) -> pa.Table:
        path = self._file("samples", session_id)
        if _metadata(path, "summary")["schema"] < SCHEMA:
            try:
                self._again(session_id)
            except (RecordingError, SessionNotFound):
                raise RecordingError(
                    f"The samples of {session_id} were written by an older rowsync, and the bytes that they came from "
                    "can't be read."
                ) from None
        return _read(self._file("samples", session_id), SAMPLES)

    def series(self, session_id: str) -> tuple[Sequence[Sample], Sequence[Stroke]]:
        """One session's samples and strokes, derived from its bytes; where these can't be read, from its samples.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file is not ours or altered.
        """
        try:
            session, _ = self._analysed(self.recording(session_id))
        except (RecordingError, SessionNotFound):  # its bytes are gone; what was made of them is not
            samples = _samples(self._samples(session_id))
            counter = StrokeCounter()
            return samples, [stroke for sample in samples for stroke in counter.feed(sample)]
        return session.samples, session.strokes

    def recording(self, session_id: str) -> Recording:
        """One session's bytes, as they were recorded.

        Raises:
            SessionNotFound: there is no such session.
            RecordingError: its file is not ours or altered.
        """
        path = self._file("raw", session_id)
        metadata, table = _metadata(path, "header", "events"), _read(path, RAW)
        columns = (table[name].to_pylist() for name in RAW.names)
        notes = list(filter(None, map(note_from_fields, metadata["events"])))
        # What came before the row has the time 0 and comes first; later, a note tells of what came until then.
        items: list[Item] = [note for note in notes if note.time_s == 0]
        items += (Notification(us / 1e6, name, value) for us, name, value in zip(*columns, strict=True))
        items += (note for note in notes if note.time_s > 0)
        items.sort(key=attrgetter("time_s"))
        return Recording(header_from_fields(metadata["header"], session_id), tuple(items))

    # --- files --------------------------------------------------------------------------------------------------------

    def _path(self, kind: str, session: Session) -> Path:
        header = session.header
        folder = self.folder / kind / f"athlete={slug(header.athlete.name)}" / f"year={header.started_at.year:04d}"
        return folder / f"{slug(header.session_id)}.{'json' if kind in SAID else 'parquet'}"

    def _said_files(self, kind: str, session_id: str) -> list[Path]:
        """Where lies what a person said of a session: one file, or none."""
        return _written_last(self.folder.glob(f"{kind}/*/*/{slug(session_id)}.json"))

    def _write_said(self, kind: str, session: Session, content: dict[str, Any]) -> None:
        """Keep what a person says of a session, in place of what was said before."""
        session_id = session.header.session_id
        with _writing(self.folder):
            path = self._path(kind, session)
            with replacing(path) as file:
                file.write(sealed({"session_id": session_id} | content))
            for other in _others(path):
                _remove(other)

    def _move_said(self, session: Session) -> None:
        """What was said of a session goes with it to another athlete or year, as it is."""
        for kind in SAID:
            path = self._path(kind, session)
            for other in self._said_files(kind, session.header.session_id):
                if not path.exists():
                    _move(other, path.parent)

    def _held_more(self, session: Session) -> int:
        """How many notifications of a session are stored, if more than it has; 0 if not.

        The raw bytes are the truth: a shorter recording never replaces a longer one.

        Raises:
            Unreadable: nobody can tell just now.
        """
        for path in self.folder.glob(f"raw/*/*/{slug(session.header.session_id)}.parquet"):
            try:
                held: int = pq.read_metadata(path).num_rows
            except (pa.ArrowException, OSError) as error:
                _raise_unreadable(path, error)
                continue  # it is no parquet file, so nothing is lost by replacing it
            if held > session.notifications:
                return held
        return 0

    def _file(self, kind: str, session_id: str) -> Path:
        found = _written_last(self.folder.glob(f"{kind}/*/*/{slug(session_id)}.parquet"))
        if not found:
            raise SessionNotFound(f"No session is called {outside_text(session_id)}. `rowsync sessions` lists them.")
        return found[0]

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

    # --- the index ----------------------------------------------------------------------------------------------------

    @property
    def _index_path(self) -> Path:
        return self.folder / "sessions.parquet"

    def rebuild_index(self) -> dict[str, str]:
        """Make the index anew from the files of samples alone.

        Returns:
            Why files among them have no row, by what they are called.

        Raises:
            StoreError: the folder can't be written.
        """
        with _writing(self.folder):
            index = self._up_to_date(_no_index())
            self._write_index(index)
        return index.left_out

    def _table(self) -> pa.Table:
        """The rows of the index, oldest first."""
        return self._index().table

    def _index(self) -> _Index:
        """The index; stored anew where it was missing, damaged or behind the files."""
        held = self._held()
        if not any(self._unlike(held)):
            return held
        try:
            with _writing(self.folder):
                held = self._held()
                index = self._up_to_date(held)
                if index is not held:  # or somebody else brought it up to date
                    self._write_index(index)
        except StoreError:  # looking back needs no disk that can be written
            index = self._up_to_date(held)
        return index

    def _held(self) -> _Index:
        """The index as it is stored; an empty one where none is that can be read."""
        path = self._index_path
        try:
            table, kept = _read(path, INDEX), _metadata(path, "left_out", "changed_ns")
        except RecordingError:
            return _no_index()
        left_out, changed_ns = kept["left_out"], kept["changed_ns"]
        if not isinstance(left_out, dict) or not isinstance(changed_ns, dict):
            return _no_index()
        known = {*table["session_id"].to_pylist(), *left_out}
        is_whole = not (table["session_id"].null_count or table["started_at"].null_count)
        if not is_whole or len(known) != table.num_rows + len(left_out) or known != set(changed_ns):
            return _no_index()
        return _Index(table, {name: str(why) for name, why in left_out.items()}, changed_ns)

    def _unlike(self, held: _Index) -> tuple[dict[str, tuple[Path, int]], set[str]]:
        """The files that an index says nothing of, or nothing new; and what it says of files that are gone."""
        files = _files_with_changes(self.folder / "samples")
        changed = {name: (path, ns) for name, (path, ns) in files.items() if held.changed_ns.get(name) != ns}
        return changed, held.changed_ns.keys() - files.keys()

    def _up_to_date(self, held: _Index | None = None) -> _Index:
        """An index, by default the stored one, with what changed since read again, and without what is gone."""
        held = self._held() if held is None else held
        changed, gone = self._unlike(held)
        if not changed and not gone:
            return held
        out = gone | changed.keys()
        stay = [name not in out for name in held.table["session_id"].to_pylist()]
        tables = [held.table.filter(pa.array(stay, pa.bool_()))]
        left_out = {name: why for name, why in held.left_out.items() if name not in out}
        changed_ns = {name: ns for name, ns in held.changed_ns.items() if name not in out}
        for name, (path, ns) in sorted(changed.items()):
            changed_ns[name] = ns
            try:
                tables.append(_row_of_file(path))
            except RecordingError as error:  # which whoever opens it is told
                left_out[name] = str(error)
                if isinstance(error, Unreadable):
                    changed_ns[name] = _NEVER  # it is tried again the next time
        return _Index(_by_time(tables), left_out, changed_ns)

    def _write_index(self, index: _Index) -> None:
        left_out, changed_ns = (dict(sorted(said.items())) for said in (index.left_out, index.changed_ns))
        with replacing(self._index_path) as file:
            file.write(_file_bytes(index.table, left_out=left_out, changed_ns=changed_ns))


# --- tables -----------------------------------------------------------------------------------------------------------


def _samples_table(session: Session) -> pa.Table:
    columns = zip(*session.samples, strict=True) if session.samples else ((),) * len(Sample._fields)
    named = dict(zip(Sample._fields, columns, strict=True))
    return pa.Table.from_pydict(
        {"session_id": [session.header.session_id] * len(session.samples), **named}, schema=SAMPLES
    )


def _samples(table: pa.Table) -> list[Sample]:
    return [Sample(**row) for row in table.drop_columns("session_id").to_pylist()]


def _raw_bytes(recording: Recording) -> bytes:
    columns = {
        "time_us": [round(notification.time_s * 1e6) for notification in recording.notifications],
        "characteristic": [notification.characteristic for notification in recording.notifications],
        "value": [notification.payload for notification in recording.notifications],
    }
    header, events = header_fields(recording.header), list(map(note_fields, recording.notes))
    return _file_bytes(pa.Table.from_pydict(columns, schema=RAW), header=header, events=events)


def _index_row(summary: dict[str, Any], settings_crc: str | None, schema: int) -> dict[str, Any]:
    energy, hard = summary["energy"], [i for i in summary["intervals"] if i["effort"] == Effort.HARD]
    hard_power_w = weighted_mean((i["mean_power_w"], i["duration_s"]) for i in hard)
    bests = {f"power_{name}s_w": power_w for name, power_w in (summary.get("best_powers_w") or {}).items()}
    bests |= {f"best_{name}m_s": time_s for name, time_s in (summary.get("best_times_s") or {}).items()}
    found = summary | energy | (summary.get("training") or {}) | bests
    return {name: found.get(name) for name in INDEX.names} | {
        "started_at": datetime.fromisoformat(summary["started_at"]),
        "machine": summary["machine"].get("name"),
        "machine_address": address if isinstance(address := summary["machine"].get("address"), str) else None,
        "energy_model": energy["model"],
        "doubtful_power": summary["doubtful_power"] is not None if "doubtful_power" in summary else None,
        "schema": schema,
        "settings_crc": settings_crc,
        "hard_intervals": len(hard),
        "mean_hard_power_w": None if hard_power_w is None else round(hard_power_w, 6),
    }


def _row_of_file(path: Path) -> pa.Table:
    """The row of the index that a file of samples stands for.

    Raises:
        RecordingError: it isn't one of ours, was altered, or is from a newer rowsync.
    """
    metadata = _metadata(path, "summary")
    try:
        row = _index_row(metadata["summary"], metadata.get("settings_crc"), metadata["schema"])
        if row["session_id"] != path.stem:
            raise RecordingError(f"{path} holds another session, {outside_text(row['session_id'])}: call it so.")
        return _table_of(row)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        raise RecordingError(f"{path} says nothing of its session that the index could hold.") from None


def _table_of(row: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([row], schema=INDEX)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column's values; for moments pyarrow itself would load pandas."""
    if not pa.types.is_timestamp(column.type):
        values: list[Any] = column.to_pylist()
        return values
    return [None if us is None else _EPOCH + timedelta(microseconds=us) for us in column.cast(pa.int64()).to_pylist()]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _by_time(tables: list[pa.Table]) -> pa.Table:
    """The rows of tables, oldest first."""
    together = pa.concat_tables(tables).combine_chunks()
    return together.sort_by([("started_at", "ascending"), ("session_id", "ascending")])


def _no_index() -> _Index:
    return _Index(INDEX.empty_table(), {}, {})  # when it is needed: pyarrow loads pandas for it


def _files_with_changes(folder: Path) -> dict[str, tuple[Path, int]]:
    """The files of sessions below a folder by what they are called, and when each came to lie there [ns].

    Not when it was written, which a copy or another computer's clock may say otherwise: whatever changes a file, or
    puts it there, changes this time.  Of several with one name that counts which was written last, as everywhere.
    """
    found: dict[str, tuple[Path, int]] = {}
    written: dict[str, int] = {}
    for entry in sorted(_entries(str(folder), depth=2), key=lambda entry: entry.path):
        if entry.name.endswith(".parquet"):
            with suppress(FileNotFoundError):  # it went this moment
                path, stat = Path(entry.path), entry.stat()
                if stat.st_mtime_ns > written.get(path.stem, -1):
                    found[path.stem] = (path, stat.st_ctime_ns)
                    written[path.stem] = stat.st_mtime_ns
    return found


def _written_last(paths: Iterable[Path]) -> list[Path]:
    """Files of one session, the one that was written last first: a crash may have left the one that it replaced."""
    written = {}
    for path in sorted(paths):
        with suppress(FileNotFoundError):  # it went this moment
            written[path] = -path.stat().st_mtime_ns
    return sorted(written, key=written.__getitem__)


def _entries(folder: str, depth: int) -> Iterator[os.DirEntry[str]]:
    """What lies so many folders below a folder."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if depth == 0:
                yield entry
            elif entry.is_dir():
                yield from _entries(entry.path, depth - 1)


# --- reading and writing ----------------------------------------------------------------------------------------------


def check_file(kind: str, path: Path) -> None:
    """Read a stored file with every check that there is.

    Args:
        kind: "raw", "samples", "index", "truth" or "felt".
        path: where it lies.

    Raises:
        RecordingError: it can't be read, was altered, isn't ours, or is from a newer rowsync.
    """
    if kind in SAID:
        read = correction_from_fields if kind == "truth" else felt_from_fields
        if read(_said_content(path)) is None:
            raise RecordingError(f"{path} can't be read, or was altered.")
        return
    is_todays = kind == "raw" or _metadata(path)["schema"] == SCHEMA
    metadata = _metadata(path, *_PROMISED[kind] if is_todays else ())
    _read(path, _COLUMNS[kind] if is_todays else pq.read_schema(path))
    if kind == "samples":
        _row_of_file(path)
    elif kind == "raw" and slug(str(metadata["header"].get("session_id"))) != path.stem:
        raise RecordingError(f"{path} holds another session.")


_COLUMNS = {"raw": RAW, "samples": SAMPLES, "index": INDEX}
_PROMISED = {"raw": ("header", "events"), "samples": ("summary",), "index": ("left_out", "changed_ns")}


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a whole file, every page checked.

    Args:
        path: where it lies.
        schema: what its columns must be.

    Raises:
        RecordingError: it can't be read, or its columns aren't those of the schema.
    """
    texts = [field.name for field in schema if field.type in (_TEXT, pa.binary())]
    try:  # `read_table` loads pandas and datasets
        with pq.ParquetFile(path, page_checksum_verification=True, read_dictionary=texts) as file:
            _refuse_others(path, file.metadata, schema)
            table = file.read()
        if sum(_octets(table[name]) for name in texts) > LARGEST_BYTES:
            raise RecordingError(f"{path} holds more text than any session.")
        table = table.cast(schema)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        _raise_unreadable(path, error)
        raise RecordingError(f"{path} can't be read: {_first_line(error)}.") from None
    said = _metadata(path)
    if table.num_rows != said.get("rows", table.num_rows):
        raise RecordingError(f"{path} doesn't have all of its rows: it was altered.")
    if _COLUMNS_CRC in said and said[_COLUMNS_CRC] != _columns_crc(table):
        raise RecordingError(f"{path} doesn't hold what was written into it: it was altered.")
    return table


def _refuse_others(path: Path, metadata: pq.FileMetaData, schema: pa.Schema) -> None:
    """Refuse, before any of it is in memory, a file that isn't one of ours or says that it is larger than any.

    Raises:
        RecordingError: it is.
    """
    found = metadata.schema.to_arrow_schema()
    if (found.names, found.types) != (schema.names, schema.types):
        raise RecordingError(f"{path} doesn't have the columns of one of rowsync's files.")
    octets = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if metadata.num_rows > MOST_ROWS or octets > LARGEST_BYTES:
        raise RecordingError(f"{path} is larger than any session.")


def _octets(column: pa.ChunkedArray) -> int:
    """How many octets the texts of a column take, each as often as it occurs; one that repeats is stored once."""
    lengths = (pc.take(pc.binary_length(chunk.dictionary), chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(each).as_py() or 0 for each in lengths)


def _metadata(path: Path, *promised: str) -> dict[str, Any]:
    """What a file says of its session; `promised` are the keys that it must have.

    Raises:
        RecordingError: it isn't one of ours, was altered, or is from a newer rowsync.
    """
    try:
        crc, text = (pq.read_metadata(path).metadata or {})[_METADATA].split(b" ", 1)
        if int(crc, 16) != crc32(text):
            raise ValueError
        metadata: dict[str, Any] = json.loads(text)
        newer = metadata["schema"] > SCHEMA
        if not newer and not all(isinstance(metadata[key], (dict, list)) for key in promised):
            raise ValueError
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, RecursionError) as error:
        _raise_unreadable(path, error)
        raise RecordingError(f"{path} is not one of rowsync's files, or it was altered.") from None
    if newer:
        version = outside_text(metadata.get("rowsync"))
        raise NewerFile(f"{path} was written by a newer rowsync ({version}): update this one.")
    return metadata


def _raise_unreadable(path: Path, error: BaseException) -> None:
    """Tell a file that the system doesn't let be read from one that isn't sound."""
    if isinstance(error, OSError) and error.errno is None:  # pyarrow says so of a bad page, and where closing failed
        try:
            pq.ParquetFile(io.BytesIO(path.read_bytes()), page_checksum_verification=True).read()
        except (pa.ArrowException, OSError, ValueError) as again:
            error = again
        else:
            raise Unreadable(f"{path} could not be read: {_first_line(error)}. Try again.") from None
    number = error.errno if isinstance(error, OSError) else None
    if number is not None:
        raise Unreadable(f"{path} can't be read: {os.strerror(number)}.") from None


def _file_bytes(table: pa.Table, **content: Any) -> bytes:
    """A parquet file.

    What is known of the session goes into its metadata, with a CRC: page checksums don't cover a file's footer.  So
    does a CRC of what is in the columns: one flipped bit of the footer can give a column the pages of another.
    """
    text = json.dumps(_description(table) | content, separators=(",", ":")).encode()
    file = io.BytesIO()
    with pq.ParquetWriter(file, table.schema, **_format(table.schema)) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({_METADATA: b"%08x %s" % (crc32(text), text)})
    return file.getvalue()


def _put(path: Path, content: bytes) -> None:
    """Write a session's file; the same session under another athlete or year is the same session."""
    with replacing(path) as file:
        file.write(content)
    for other in _others(path):
        _remove(other)


def _others(path: Path) -> list[Path]:
    """The same session's files of the same kind under another athlete or year.

    On a disk that takes Anna for anna the file itself has several paths, and isn't another.
    """
    others = [other for other in path.parents[2].glob(f"*/*/{path.name}") if other != path]
    return [other for other in others if not (path.exists() and path.samefile(other))]


def _remove(path: Path) -> None:
    path.unlink()
    sync_folder(path.parent)


def _age(model: Any) -> int:
    """The number behind a model's name: of a newer model it is higher."""
    number = str(model).rpartition("-")[2]
    return int(number) if number.isascii() and number.isdigit() else 0


def _said_content(path: Path) -> Any:
    """What a person said of the session that the file is named after; None where nobody can make it out.

    Raises:
        Unreadable: the system doesn't let it be read.
    """
    try:
        content = unsealed(path.read_bytes())
    except OSError as error:
        raise Unreadable(f"{path} can't be read: {_first_line(error)}.") from None
    except (ValueError, RecursionError):
        return None
    ours = isinstance(content, dict) and slug(str(content.get("session_id"))) == path.stem
    return content if ours else None


def _description(table: pa.Table) -> dict[str, Any]:
    return {"schema": SCHEMA, "rowsync": __version__, "rows": table.num_rows, _COLUMNS_CRC: _columns_crc(table)}


def _columns_crc(table: pa.Table) -> str:
    """A CRC-32 of the values of a table, column by column; how a file holds them makes no difference."""
    crc = 0
    for column in table.columns:
        for part in _parts(column.combine_chunks()):
            crc = crc32(part, crc)
    return f"{crc:08x}"


def _parts(column: pa.Array) -> Iterator[memoryview]:
    """Which values of a column there are, and these."""
    yield _fixed(column.is_valid().cast(pa.uint8()))
    values = column.drop_null()
    if values.type in (pa.string(), pa.binary()):
        texts = values.cast(pa.binary())
        yield _fixed(pc.binary_length(texts))
        yield memoryview(b"".join(texts.to_pylist()))
    else:
        yield _fixed(values.cast(_PLAIN.get(values.type, values.type)))


_PLAIN = {pa.bool_(): pa.uint8(), pa.timestamp("us", tz="UTC"): pa.int64()}
"""As what values are summed up that aren't numbers of whole bytes."""


def _fixed(numbers: pa.Array) -> memoryview:
    """The bytes of numbers, none of them absent."""
    width = numbers.type.bit_width // 8
    return memoryview(numbers.buffers()[1] or b"")[numbers.offset * width : (numbers.offset + len(numbers)) * width]


def _format(schema: pa.Schema) -> dict[str, Any]:
    """How a table is written: small, and with a checksum for every page."""
    integers = [field.name for field in schema if pa.types.is_integer(field.type)]
    numbers = [field.name for field in schema if pa.types.is_floating(field.type)]
    return {
        "compression": "zstd",
        "column_encoding": dict.fromkeys(integers, "DELTA_BINARY_PACKED") | dict.fromkeys(numbers, "BYTE_STREAM_SPLIT"),
        "use_dictionary": [name for name in schema.names if name not in (*integers, *numbers)],
        "write_page_checksum": True,
        "store_schema": False,  # Arrow's own copy of the schema would be one more thing to be altered unnoticed
    }


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """One writer at a time; a disk that refuses becomes a `StoreError`."""
    try:
        with locked(folder):
            yield
    except OSError as error:
        raise StoreError(
            f"{folder} can't be written: {_first_line(error)}. Nothing is lost: free some space, or choose "
            "another folder with --data, and try again."
        ) from None


def _move(path: Path, folder: Path) -> None:
    make_folder(folder)
    path.replace(folder / path.name)
    sync_folder(folder)
    sync_folder(path.parent)


def _first_line(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0][:200].rstrip(".")


def _pieces_of(plan: str) -> tuple[Piece, ...] | str:
    """What makes two plans the same: their pieces; of what can't be read, the text."""
    try:
        return parse_plan(plan).pieces
    except UsageError:
        return plan
