"""The store: what goes in comes out, whole or not at all."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rowsync.athlete import Athlete
from rowsync.corrections import Correction, painted, segments_from_fields
from rowsync.errors import RecordingError, SessionNotFound, StoreError, Unreadable, UsageError
from rowsync.felt import Felt
from rowsync.formulas import MODEL
from rowsync.intervals import Effort, Segment
from rowsync.journal import Journal
from rowsync.machine_factor import machines
from rowsync.profile import Profile
from rowsync.recording import Recording, parse_recording, recording_bytes
from rowsync.seal import unsealed
from rowsync.session import analyse
from rowsync.store import Store
from rowsync.table import INDEX, SAMPLES


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "data")


def called(recording, session_id, **header):
    return replace(recording, header=replace(recording.header, session_id=session_id, **header))


@pytest.fixture(scope="module")
def short(intervals_recording):
    """The first two minutes of the seed workout."""
    return Recording(intervals_recording.header, intervals_recording.items[:240])


def test_a_stored_session_is_shown_as_it_was_analysed(store, intervals_recording):
    store.add(intervals_recording)
    session = analyse(intervals_recording.header, intervals_recording.items)
    assert store.summary(store.find()) == json.loads(json.dumps(session.summary()))


def test_the_samples_come_back_to_the_last_digit(store, short):
    session_id = store.add(short)["session_id"]
    table = store.samples(session_id)
    session = analyse(short.header, short.items)
    assert list(table.columns) == SAMPLES.names
    for name in ("time_s", "distance_m", "power_w", "stroke_rate_spm"):
        measured = [getattr(sample, name) for sample in session.samples]
        assert [None if value != value else value for value in table[name]] == measured


def file_mark(path):
    """Another one once a file was written; that it was read changes its time of access."""
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def test_sessions_that_are_stored_together_are_written_each_and_the_index_once(store, short):
    index = store.folder / "sessions.parquet"
    store.add(called(short, "first"))
    before = file_mark(index)
    with store.together():
        for name in ("second", "third"):
            store.add(called(short, name))
            assert list(store.folder.glob(f"*/*/*/{name}.parquet"))
        assert file_mark(index) == before
    assert file_mark(index) != before
    written = file_mark(index)
    assert {row["session_id"] for row in store.rows()} == {"first", "second", "third"}
    assert file_mark(index) == written


def test_kill_9_among_sessions_that_are_stored_together_loses_none_that_was_stored(store, short):
    for name in ("first", "second"):
        recording = called(short, name)
        (store.folder.parent / name).write_bytes(recording_bytes(recording.header, recording.items))
    killed = (
        "import os, sys; from pathlib import Path; from rowsync.store import Store\n"
        "from rowsync.recording import read_recording\n"
        "store = Store(Path(sys.argv[1]))\n"
        "with store.together():\n"
        "    for path in sys.argv[2:]: store.add(read_recording(Path(path)))\n"
        "    os.kill(os.getpid(), 9)"
    )
    paths = [store.folder, *(store.folder.parent / name for name in ("first", "second"))]
    done = subprocess.run([sys.executable, "-c", killed, *paths], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (store.folder / "sessions.parquet").exists()
    assert {row["session_id"] for row in store.rows()} == {"first", "second"}
    assert {row["session_id"] for row in Store(store.folder).rows()} == {"first", "second"}


def test_what_was_stored_together_until_something_failed_is_in_the_index(store, short):
    def storing():
        with store.together():
            store.add(called(short, "first"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        storing()
    assert (store.folder / "sessions.parquet").exists()
    assert [row["session_id"] for row in store.rows()] == ["first"]
    store.add(called(short, "second"))
    assert len(store.rows()) == 2


def test_the_series_of_a_session_come_back_from_its_bytes_and_without_them_from_its_samples(store, intervals_recording):
    session = analyse(intervals_recording.header, intervals_recording.items)
    session_id = store.add(intervals_recording)["session_id"]
    series = (session.samples, session.strokes)
    assert tuple(map(tuple, store.series(session_id))) == series
    (raw,) = store.folder.glob("raw/*/*/*.parquet")
    raw.unlink()
    assert tuple(map(tuple, store.series(session_id))) == series


def test_the_bytes_come_back_and_give_the_same_session_again(store, intervals_recording):
    session_id = store.add(intervals_recording)["session_id"]
    recording = store.recording(session_id)
    assert recording.header == intervals_recording.header
    assert recording.notifications == intervals_recording.notifications


def test_storing_the_same_session_again_replaces_it_byte_for_byte(store, short):
    store.add(short)
    files = {path: path.read_bytes() for path in store.folder.glob("*/*/*/*.parquet")}
    rows = store.rows()
    store.add(short)
    assert {path: path.read_bytes() for path in store.folder.glob("*/*/*/*.parquet")} == files
    assert len(files) == 2
    assert store.rows() == rows


def test_the_index_has_a_row_a_session_newest_first(store, short):
    for day in range(3):
        moment = datetime(2026, 11, 20 + day, 7, tzinfo=UTC)
        store.add(called(short, f"session-{day}", started_at=moment, athlete=Athlete("anna", mass_kg=62)))
    index = store.index()
    assert list(index.session_id) == ["session-2", "session-1", "session-0"]
    assert set(index.athlete) == {"anna"}
    assert index.started_at.is_monotonic_decreasing


def test_one_line_of_pandas_opens_a_session_and_another_opens_all(store, short):
    for name in ("a", "b"):
        store.add(called(short, name))
    (path,) = store.folder.glob("samples/*/*/a.parquet")
    assert len(pd.read_parquet(path)) == 240
    assert set(pd.read_parquet(store.folder / "samples").session_id) == {"a", "b"}
    assert len(pd.read_parquet(store.folder / "sessions.parquet")) == 2


def test_a_session_is_found_by_the_beginning_of_its_name_when_only_one_has_it(store, short):
    for name in ("2026-a", "2026-b"):
        store.add(called(short, name))
    assert store.find("2026-a") == "2026-a"
    for name, why in (("2026", "2 sessions are"), ("nobody", "No session is"), ("../../etc/passwd", "No session is")):
        with pytest.raises(SessionNotFound, match=why):
            store.find(name)
    with pytest.raises(SessionNotFound):
        store.samples("../../../etc/passwd")


def test_an_empty_store_says_how_to_fill_it(store):
    with pytest.raises(SessionNotFound, match="rowsync demo"):
        store.find()


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PAR1 rubbish PAR1")])
def test_an_index_that_is_missing_or_unreadable_is_made_anew_from_the_sessions(store, short, damage):
    store.add(short)
    before = store.index()
    damage(store.folder / "sessions.parquet")
    pd.testing.assert_frame_equal(store.index(), before)


def test_a_parquet_file_that_is_not_ours_harms_nobody_and_is_named_when_opened(store, short):
    store.add(short)
    folder = next(store.folder.glob("samples/*/*"))
    pd.DataFrame({"a": [1]}).to_parquet(folder / "stranger.parquet")
    (folder / "liar.parquet").write_text("not parquet at all")
    (store.folder / "sessions.parquet").unlink()
    assert len(store.index()) == 1
    for name in ("stranger", "liar"):
        with pytest.raises(RecordingError, match=f"{name}.parquet is not one of rowsync's files"):
            store.summary(name)


def test_a_flipped_bit_in_the_data_is_noticed_never_a_wrong_number(store, short):
    session_id = store.add(short)["session_id"]
    (path,) = store.folder.glob("samples/*/*/*.parquet")
    truth, summary, whole = store.samples(session_id), store.summary(session_id), path.read_bytes()
    noticed = 0
    for bit in range(40, len(whole) * 8, len(whole) * 8 // 150):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            pd.testing.assert_frame_equal(store.samples(session_id), truth)
            assert store.summary(session_id) == summary
        except RecordingError:
            noticed += 1
    assert noticed > 100


def test_a_column_that_stands_in_the_place_of_another_is_noticed(store, short):
    """As where a flipped bit of the footer lets an offset point at the pages of another column, which are sound."""
    session_id = store.add(short)["session_id"]
    (path,) = store.folder.glob("samples/*/*/*.parquet")
    metadata, table = pq.read_metadata(path).metadata, pq.read_table(path)
    power, pace = (table.schema.get_field_index(name) for name in ("power_w", "pace_s_per_500m"))
    columns = list(table.columns)
    columns[power], columns[pace] = columns[pace], columns[power]
    swapped = pa.Table.from_arrays(columns, names=table.column_names)
    with pq.ParquetWriter(path, swapped.schema, store_schema=False) as writer:
        writer.write_table(swapped)
        writer.add_key_value_metadata({b"rowsync": metadata[b"rowsync"]})
    with pytest.raises(RecordingError, match="doesn't hold what was written into it"):
        store.samples(session_id)


def test_files_of_before_there_was_a_checksum_of_columns_are_read(store, short, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("rowsync.table._COLUMNS_CRC", "something_else")
        session_id = store.add(short)["session_id"]
    assert len(store.samples(session_id)) == 240


def test_files_from_a_newer_rowsync_are_refused_with_the_next_step(store, short, monkeypatch):
    session_id = store.add(short)["session_id"]
    monkeypatch.setattr("rowsync.table.SCHEMA", 0)
    with pytest.raises(RecordingError, match="newer rowsync"):
        store.summary(session_id)


def test_what_a_crash_leaves_behind_is_recovered_once(store, short):
    (store.folder / "journal").mkdir(parents=True)
    journal = store.folder / "journal" / "20261123T120000Z-dead.jsonl"
    torn = recording_bytes(replace(short.header, session_id=journal.stem), short.notifications)[:-30]
    journal.write_bytes(torn)
    (recovery,) = store.recover()
    assert recovery.summary["notifications"] == 239
    assert store.find() == journal.stem
    assert store.recover() == []
    assert (store.folder / "journal" / "damaged" / journal.name).read_bytes() == torn  # a torn line is kept too


def test_a_sound_journal_is_gone_once_it_is_stored(store, short):
    (store.folder / "journal").mkdir(parents=True)
    with Journal(store.folder / "journal" / "a.jsonl", short.header) as journal:
        for notification in short.notifications:
            journal.append(notification)
        assert store.recover() == []  # it is still being written
    assert store.finish(journal.path).summary["notifications"] == 240
    assert store.finish(journal.path) is None
    assert not list(store.folder.glob("journal/**/*.jsonl"))


def test_a_journal_beyond_reading_is_set_aside_and_named(store):
    (store.folder / "journal").mkdir(parents=True)
    (store.folder / "journal" / "x.jsonl").write_bytes(bytes(range(256)))
    (recovery,) = store.recover()
    assert recovery.summary is None
    assert "x.jsonl is not a rowsync recording" in recovery.problem
    assert (store.folder / "journal" / "damaged" / "x.jsonl").exists()


def test_only_the_owner_may_read_what_is_stored(store, short):
    store.add(short)
    assert store.folder.stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o077 for path in store.folder.rglob("*.parquet")} == {0}


def test_hostile_names_stay_inside_the_folder(store, short):
    for number, name in enumerate(["../../escape", "/etc/passwd", "a\0b", "x" * 300, "=cmd", "CON"]):
        store.add(called(short, f"s{number}", athlete=Athlete(name)))
    assert {path.resolve().parents[2] for path in store.folder.rglob("s?.parquet")} == {
        store.folder.resolve() / "samples",
        store.folder.resolve() / "raw",
    }
    assert len(store.index()) == 6


def test_a_folder_that_is_a_file_is_an_error_with_the_reason_and_harms_nothing(tmp_path, short):
    (tmp_path / "data").write_text("precious")
    with pytest.raises(StoreError, match="can't be written"):
        Store(tmp_path / "data").add(short)
    assert (tmp_path / "data").read_text() == "precious"


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(store, short, monkeypatch):
    session_id = store.add(short)["session_id"]
    before = store.summary(session_id)

    def full_disk(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rowsync.files.os.fsync", full_disk)  # the disk, not our code
    with pytest.raises(StoreError, match="No space left on device"):
        store.add(short)
    monkeypatch.undo()
    assert store.summary(session_id) == before
    assert not list(store.folder.rglob("*.tmp"))


def test_a_session_moved_by_hand_is_found_again(store, short):
    session_id = store.add(short)["session_id"]
    source = next(store.folder.glob("samples/athlete=virtual/*"))
    target = store.folder / "samples" / "athlete=other" / source.name
    target.parent.mkdir()
    shutil.move(source, target)
    assert store.summary(session_id)["session_id"] == session_id


def test_sessions_of_one_moment_keep_an_order(store, short):
    for name in ("b", "a"):
        store.add(called(short, name, started_at=short.header.started_at + timedelta(0)))
    assert sorted(store.index().session_id) == ["a", "b"]


def test_different_names_never_share_a_file(store, short):
    ids = ["a b", "a/b", "a-b", "早上", "晚上", "x" * 300, "x" * 299 + "y"]
    recordings = [parse_recording(recording_bytes(called(short, name).header, short.notifications)) for name in ids]
    for recording in recordings:
        store.add(recording)
    assert len(store.index()) == len(ids)
    assert len(list(store.folder.glob("raw/*/*/*.parquet"))) == len(ids)


def test_a_shorter_recording_never_replaces_a_longer_one_of_the_same_session(store, short, intervals_recording):
    store.add(intervals_recording)
    with pytest.raises(StoreError, match="stored already, with 3645 notifications"):
        store.add(short)
    assert store.summary(store.find())["notifications"] == 3645


def test_a_journal_whose_session_is_stored_in_full_is_set_aside(store, short, intervals_recording):
    store.add(intervals_recording)
    (store.folder / "journal").mkdir()
    (store.folder / "journal" / "a.jsonl").write_bytes(recording_bytes(short.header, short.notifications))
    (recovery,) = store.recover()
    assert "a longer recording of it is stored already" in recovery.problem
    assert store.recover() == []
    assert store.summary(store.find())["notifications"] == 3645


def test_a_session_stored_for_another_athlete_is_not_there_twice(store, short):
    for name in ("zoe", "anna"):
        store.add(called(short, "one", athlete=Athlete(name, mass_kg=60)))
    assert store.summary("one")["athlete"] == "anna"
    assert len(pd.read_parquet(store.folder / "samples")) == 240


def test_one_journal_that_cannot_be_stored_keeps_nobody_from_the_others(store, short):
    (store.folder / "journal").mkdir(parents=True)
    (store.folder / "journal" / "damaged").write_text("in the way")
    (store.folder / "journal" / "a.jsonl").write_bytes(b"nothing of ours")
    (store.folder / "journal" / "b.jsonl").write_bytes(recording_bytes(called(short, "b").header, short.notifications))
    problem, recovered = store.recover()
    assert "a.jsonl can't be stored" in problem.problem
    assert recovered.summary["session_id"] == "b"
    assert (store.folder / "journal" / "a.jsonl").exists()


@pytest.fixture
def too_many_open_files(monkeypatch):
    """Makes of a path one that the system doesn't open, as with too many open files; undone by its answer."""

    def refuse(path):
        real = {"read_metadata": pq.read_metadata, "ParquetFile": pq.ParquetFile}

        def refused(do):
            def opened(name, *given, **more):
                if not isinstance(name, int) and str(name) == str(path):
                    raise OSError(errno.EMFILE, "Too many open files")
                return do(name, *given, **more)

            return opened

        monkeypatch.setattr("io.open", refused(io.open))
        for name, do in real.items():
            monkeypatch.setattr(pq, name, refused(do))
        return monkeypatch.undo

    return refuse


def test_a_journal_that_cannot_be_read_just_now_stays_and_is_stored_the_next_time(store, short, too_many_open_files):
    journal = store.folder / "journal" / "one.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(recording_bytes(called(short, "one").header, short.items))
    allow = too_many_open_files(journal)
    (recovery,) = store.recover()
    assert (recovery.summary, "Too many open files" in recovery.problem) == (None, True)
    allow()
    (recovery,) = store.recover()
    assert recovery.summary["notifications"] == len(short.notifications)


def test_a_longer_session_that_cannot_be_read_just_now_is_not_replaced_by_a_shorter_one(
    store, short, too_many_open_files
):
    store.add(short)
    allow = too_many_open_files(next(store.folder.glob("raw/*/*/*.parquet")))
    with pytest.raises(Unreadable, match="Too many open files"):
        store.add(Recording(short.header, short.items[:100]))
    allow()
    assert store.recording(store.find()).notifications == short.notifications


def test_a_session_that_could_not_be_read_for_a_moment_is_in_the_list_again(store, short, too_many_open_files):
    session_id = store.add(short)["session_id"]
    allow = too_many_open_files(next(store.folder.glob("samples/*/*/*.parquet")))
    assert "Too many open files" in store.rebuild_index()[session_id]
    allow()
    assert [row["session_id"] for row in store.rows()] == [session_id]


def test_a_sound_file_that_pyarrow_could_not_close_is_not_taken_for_an_altered_one(store, short, monkeypatch):
    session_id = store.add(short)["session_id"]

    def refused(path):
        raise OSError("error closing file")  # as pyarrow says it, without a number

    monkeypatch.setattr(pq, "read_metadata", refused)
    assert "could not be read" in store.rebuild_index()[session_id]
    monkeypatch.undo()
    assert [row["session_id"] for row in store.rows()] == [session_id]


def test_what_was_felt_before_is_not_lost_when_it_cannot_be_read_just_now(store, short, too_many_open_files):
    session_id = store.add(short)["session_id"]
    store.felt(session_id, Felt(True, 4.0, SAID.corrected_at))
    allow = too_many_open_files(next(store.folder.glob("felt/*/*/*.json")))
    with pytest.raises(Unreadable, match="Too many open files"):
        store.felt(session_id, Felt(None, 7.0, SAID.corrected_at))
    allow()
    assert store.felt(session_id, Felt(None, 7.0, SAID.corrected_at))["felt"]["talked"] is True


def test_of_a_session_that_a_crash_left_for_two_athletes_the_one_written_last_counts_and_rebuilding_keeps_only_it(
    store, short
):
    """A crash came after the longer one was written for zoe, and before the shorter one of anna's was removed."""
    store.add(called(Recording(short.header, short.items[:100]), "one", athlete=Athlete("anna")))
    old = {path: path.read_bytes() for path in store.folder.glob("*/*/*/one.parquet")}
    store.add(called(short, "one", athlete=Athlete("zoe")))
    for path, content in old.items():
        path.write_bytes(content)
        os.utime(path, ns=(0, 0))
    assert store.recording("one").notifications == short.notifications
    assert store.summary("one")["notifications"] == store.rows()[0]["duration_s"] * 2 + 1 == len(short.notifications)
    list(store.rebuild())
    assert [path.parent.parent.name for path in store.folder.glob("samples/*/*/*.parquet")] == ["athlete=zoe"]


def test_a_journal_in_which_nobody_rowed_is_not_a_session(store, short):
    (store.folder / "journal").mkdir(parents=True)
    (store.folder / "journal" / "a.jsonl").write_bytes(recording_bytes(short.header, short.notifications[:3]))
    (recovery,) = store.recover()
    assert (recovery.summary, recovery.problem) == (None, None)
    assert not list(store.folder.glob("journal/*.jsonl"))
    assert store.index().empty


@pytest.mark.parametrize(
    "header",
    [
        {"machine": {"name": 5}},
        {"machine": [1]},
        {"athlete": {"name": "\ud800", "mass_kg": 0.001, "age_years": 999}},
        {"plan": "\udfff"},
        {"started_at": "0001-01-01T00:00:00+14:00"},
        {"started_at": "9999-12-31T23:59:59-14:00"},
        {"session_id": "../../x\0"},
    ],
)
def test_a_header_of_any_kind_is_stored_and_shown(store, short, header):
    lines = [json.dumps({"rowsync_recording": 1} | header).encode()]
    lines += [
        json.dumps({"t": each.time_s, "c": each.characteristic, "v": each.payload.hex()}).encode()
        for each in short.notifications
    ]
    store.add(parse_recording(b"\n".join(lines)))
    (store.folder / "sessions.parquet").unlink()
    (row,) = store.rows()
    assert store.summary(row["session_id"])["energy"]["gross_kcal"] > 0
    assert store.recording(row["session_id"]).notifications == short.notifications


def test_an_index_with_our_names_and_other_types_is_made_anew(store, short):
    store.add(short)
    before = store.index()
    pd.DataFrame({name: ["x"] for name in INDEX.names}).to_parquet(store.folder / "sessions.parquet")
    pd.testing.assert_frame_equal(store.index(), before)


def test_the_index_tells_machines_apart_that_have_one_name(store, short):
    for at, address in enumerate(("00:01", "00:02", None, 7)):
        machine = {"name": "PM5", "address": address}
        store.add(called(short, f"on-{at}", machine=machine, started_at=short.header.started_at + timedelta(days=at)))
    assert [each["machine_address"] for each in store.rows()] == [None, None, "00:02", "00:01"]
    assert [each.key for each in machines(store.rows()).machines] == ["PM5", "00:01", "00:02"]


# --- what a person said -----------------------------------------------------------------------------------------------

SAID = Correction(
    (Segment(Effort.WARMUP, 0.0, 40.0), Segment(Effort.HARD, 40.0, 85.5), Segment(Effort.EASY, 85.5, 119.5)),
    datetime(2026, 11, 23, 18, 30, tzinfo=UTC),
)


def tiles(summary):
    return [(each["effort"], each["start_s"], each["end_s"]) for each in summary["intervals"]]


@pytest.fixture
def corrected(store, short):
    """A store whose only session, "one", was corrected."""
    store.add(called(short, "one"))
    store.correct("one", SAID)
    return store


def test_a_corrected_session_has_the_intervals_that_were_said_and_their_means_follow(store, short):
    before = store.add(called(short, "one"))
    after = store.correct("one", SAID)
    assert (before["intervals_from"], after["intervals_from"]) == ("detected", "corrected")
    assert [each[:2] for each in tiles(after)] == [("warmup", 0.0), ("hard", 40.0), ("easy", 85.5)]
    assert after["corrected_at"] == "2026-11-23T18:30:00Z"
    assert sum(each["distance_m"] for each in after["intervals"]) == pytest.approx(after["distance_m"])
    assert sum(each["gross_kcal"] for each in after["intervals"]) == pytest.approx(after["energy"]["gross_kcal"])
    assert store.summary("one") == after
    (row,) = store.rows()
    assert (row["hard_intervals"], row["mean_hard_power_w"]) == (1, after["intervals"][1]["mean_power_w"])


def test_what_was_said_lies_beside_the_sessions_as_json_for_the_owner_alone(corrected):
    path = corrected.folder / "truth" / "athlete=virtual" / "year=2026" / "one.json"
    assert path.stat().st_mode & 0o077 == 0
    assert unsealed(path.read_bytes()) == {
        "session_id": "one",
        "corrected_at": "2026-11-23T18:30:00Z",
        "intervals": [
            {"effort": "warmup", "start_s": 0.0, "end_s": 40.0},
            {"effort": "hard", "start_s": 40.0, "end_s": 85.5},
            {"effort": "easy", "start_s": 85.5, "end_s": 119.5},
        ],
    }


def test_what_was_said_outlives_the_same_recording_stored_again(corrected, short):
    before = corrected.summary("one")
    assert corrected.add(called(short, "one")) == before


def test_a_longer_recording_stretches_the_last_interval_that_was_said(corrected, intervals_recording):
    after = corrected.add(called(intervals_recording, "one"))
    assert after["intervals_from"] == "corrected"
    assert tiles(after)[1:] == [("hard", 40.0, 85.5), ("easy", 85.5, after["duration_s"])]


def test_a_longer_journal_of_a_corrected_session_keeps_what_was_said(corrected, intervals_recording):
    (corrected.folder / "journal").mkdir()
    items = intervals_recording.items[:400]
    header = called(intervals_recording, "one").header
    (corrected.folder / "journal" / "one.jsonl").write_bytes(recording_bytes(header, items))
    (recovery,) = corrected.recover()
    assert recovery.summary["notifications"] == 400
    assert tiles(recovery.summary)[1] == ("hard", 40.0, 85.5)


def test_what_was_said_outlives_a_new_schema(corrected, monkeypatch):
    monkeypatch.setattr("rowsync.table.SCHEMA", 99)
    corrected.samples("one")
    assert tiles(corrected.summary("one"))[1] == ("hard", 40.0, 85.5)


def test_a_session_of_an_older_schema_is_shown_as_todays_rowsync_finds_it(store, short, monkeypatch):
    monkeypatch.setattr("rowsync.table.SCHEMA", 1)
    monkeypatch.setattr("rowsync.store.analyse", lambda *given, **more: replace(analyse(*given, **more), intervals=()))
    assert store.add(called(short, "one"))["intervals"] == []
    monkeypatch.undo()
    assert store.summary("one")["intervals"] == json.loads(
        json.dumps(analyse(short.header, short.items).summary()["intervals"])
    )


def test_what_was_said_goes_with_a_session_to_another_athlete(corrected, short):
    after = corrected.add(called(short, "one", athlete=Athlete("anna", mass_kg=60)))
    assert (after["athlete"], after["intervals_from"]) == ("anna", "corrected")
    assert [path.parent.parent.name for path in corrected.folder.glob("truth/*/*/*.json")] == ["athlete=anna"]


def test_what_is_said_last_counts_though_a_copy_of_what_was_said_before_lies_elsewhere(corrected):
    copy = corrected.folder / "truth" / "athlete=a" / "year=2026" / "one.json"
    copy.parent.mkdir(parents=True)
    (truth,) = corrected.folder.glob("truth/*/*/one.json")
    shutil.copy(truth, copy)
    again = corrected.correct("one", Correction(SAID.segments[:1], SAID.corrected_at + timedelta(days=1)))
    assert corrected.summary("one") == again
    assert list(corrected.folder.glob("truth/*/*/*")) == [truth]


def test_an_undone_correction_leaves_nothing(corrected, short):
    again = corrected.uncorrect("one")
    assert (
        again
        == corrected.summary("one")
        == json.loads(json.dumps(analyse(called(short, "one").header, short.items).summary()))
    )
    assert not list(corrected.folder.glob("truth/*/*/*"))
    with pytest.raises(UsageError, match="Nothing was corrected in one"):
        corrected.uncorrect("one")


def test_a_second_correction_starts_from_the_first_and_takes_its_place(corrected):
    segments = segments_from_fields(corrected.summary("one")["intervals"])
    again = corrected.correct("one", replace(SAID, segments=painted(segments, Effort.REST, 100.0, 500.0)))
    assert [each[:2] for each in tiles(again)][2:] == [("easy", 85.5), ("rest", 100.0)]
    assert corrected.correction("one").segments == segments_from_fields(again["intervals"])


def test_a_crash_between_the_saying_and_the_deriving_is_mended_when_the_session_is_read(corrected, short):
    (truth,) = corrected.folder.glob("truth/*/*/one.json")
    said, after = truth.read_bytes(), corrected.summary("one")
    truth.unlink()
    assert corrected.summary("one")["intervals_from"] == "detected"
    truth.write_bytes(said)
    assert corrected.summary("one") == after
    assert corrected.rows()[0]["hard_intervals"] == 1


@pytest.mark.parametrize("damage", [b"", b"{", b"[" * 100_000, b"\xff", b'{"session_id": "one"}', b'["one"]', None])
def test_a_broken_truth_is_named_and_kept_and_the_session_is_shown_as_it_was_detected(corrected, short, damage):
    (truth,) = corrected.folder.glob("truth/*/*/one.json")
    damage = truth.read_bytes().replace(b'"one"', b'"another"') if damage is None else damage
    truth.write_bytes(damage)
    detected = json.loads(json.dumps(analyse(called(short, "one").header, short.items).summary()))
    assert corrected.summary("one") == detected
    assert corrected.add(called(short, "one"))["intervals_from"] == "detected"
    for ask in (corrected.correction, lambda session_id: corrected.correct(session_id, SAID)):
        with pytest.raises(RecordingError, match=r"one\.json, .* --undo"):
            ask("one")
    assert truth.read_bytes() == damage
    assert list(corrected.truths()) == []
    assert corrected.uncorrect("one") == detected


def test_a_correction_that_cannot_be_written_leaves_what_was_said_before(corrected):
    before = corrected.summary("one")
    (truth,) = corrected.folder.glob("truth/*/*/one.json")
    truth.with_name(f"{truth.name}.tmp").mkdir()  # in the way
    with pytest.raises(StoreError, match="can't be written"):
        corrected.correct("one", replace(SAID, segments=painted(SAID.segments, Effort.REST, 0.0, 60.0)))
    assert corrected.summary("one") == before


def test_an_altered_number_of_what_was_said_is_not_believed(corrected, short):
    (truth,) = corrected.folder.glob("truth/*/*/one.json")
    truth.write_bytes(truth.read_bytes().replace(b"119.5", b"119.4"))
    with pytest.raises(RecordingError, match=r"one\.json, .*altered.* take its crc32 out"):
        corrected.correction("one")
    corrected.felt("one", Felt(talked=None, exertion=3.0, said_at=datetime(2026, 11, 24, tzinfo=UTC)))
    (felt,) = corrected.folder.glob("felt/*/*/one.json")
    felt.write_bytes(felt.read_bytes().replace(b"3.0", b"7.0"))
    assert "felt" not in corrected.summary("one")


def test_what_was_said_counts_without_a_seal_as_where_somebody_mended_it_by_hand(corrected):
    (truth,) = corrected.folder.glob("truth/*/*/one.json")
    truth.write_text(json.dumps(unsealed(truth.read_bytes())).replace("85.5", "84.5"))
    assert corrected.correction("one").segments[1].end_s == 84.5


def test_the_truths_are_the_corrected_sessions_with_their_bytes(corrected, short, intervals_recording):
    corrected.add(called(short, "two"))
    corrected.add(called(intervals_recording, "one"))
    (corrected.folder / "truth" / "athlete=virtual" / "year=2026" / "gone.json").write_text("{}")
    (truth,) = corrected.truths()
    assert truth.summary["session_id"] == truth.recording.header.session_id == "one"
    assert truth.recording.notifications == intervals_recording.notifications
    assert truth.segments == (*SAID.segments[:2], Segment(Effort.EASY, 85.5, truth.summary["duration_s"]))


def test_nothing_can_be_said_of_a_session_that_is_not_there(store):
    for ask in (lambda: store.correct("nobody", SAID), lambda: store.uncorrect("nobody")):
        with pytest.raises(SessionNotFound):
            ask()
    assert not store.folder.exists()


# --- athletes, and how it felt ----------------------------------------------------------------------------------------


def of(recording, session_id, day, **athlete):
    moment = datetime(2026, *day, 12, tzinfo=UTC)
    return called(recording, session_id, started_at=moment, athlete=Athlete("anna", **athlete))


def reckoned(store, session_id):
    """A session derived from its bytes again."""
    (rebuilt,) = store.rebuild([session_id])
    return rebuilt.after


HISTORY = Profile("anna", masses_kg=((date(2026, 3, 1), 70.0), (date(2026, 9, 1), 60.0)), time_zone="Europe/Berlin")


def test_a_session_is_reckoned_with_the_mass_of_its_day(tmp_path, short):
    store = Store(tmp_path / "data", {"anna": HISTORY})
    masses = [store.add(of(short, f"s{month}", (month, 15)))["energy"]["mass_kg"] for month in (1, 5, 10)]
    assert masses == [70.0, 70.0, 60.0]


def test_a_mass_typed_for_the_session_stays_and_the_bytes_keep_what_was_recorded(tmp_path, short):
    store = Store(tmp_path / "data", {"anna": HISTORY})
    summary = store.add(of(short, "typed", (10, 15), mass_kg=58.0, mass_from="typed"))
    assert (summary["energy"]["mass_kg"], summary["energy"]["mass_from"]) == (58.0, "typed")
    store.add(of(short, "silent", (10, 15)))
    assert store.recording("silent").header.athlete.mass_kg is None


def test_what_becomes_known_later_is_reckoned_again_where_it_matters(tmp_path, short):
    data = tmp_path / "data"
    for month in (5, 10):
        Store(data).add(of(short, f"s{month}", (month, 15)))
    Store(data).add(called(short, "bens", athlete=Athlete("ben")))
    store = Store(data, {"anna": HISTORY})
    assert store.behind() == ["s10", "s5"]
    before = Store(data).summary("s10")["energy"]
    after = reckoned(store, "s10")["energy"]
    assert (before["mass_from"], after["mass_from"], after["mass_kg"]) == ("assumed", "settings", 60.0)
    assert after["gross_kcal"] < before["gross_kcal"]
    assert store.summary("s10")["energy"] == after
    assert store.behind() == ["s5"]
    reckoned(store, "s5")
    heavier = replace(HISTORY, masses_kg=(*HISTORY.masses_kg[:1], (date(2026, 9, 1), 65.0)))
    assert Store(data, {"anna": heavier}).behind() == ["s10"]
    assert Store(data, {"anna": replace(HISTORY, weekly_aim_kcal=900.0)}).behind() == []
    assert Store(data).behind() == []  # settings that don't know her have nothing to say


def test_a_session_of_a_newer_model_stays_as_it_is(store, short, monkeypatch):
    monkeypatch.setattr("rowsync.energy.MODEL", "rowsync-mass-aware-999")
    store.add(short)
    monkeypatch.undo()
    assert store.behind() == []
    assert store.summary(short.header.session_id)["energy"]["model"] == "rowsync-mass-aware-999"


def test_a_session_whose_bytes_are_gone_is_left_as_it_was_reckoned(tmp_path, short):
    data = tmp_path / "data"
    before = Store(data).add(of(short, "one", (10, 15)))
    (raw,) = data.glob("raw/*/*/*.parquet")
    raw.write_bytes(b"garbage")
    store = Store(data, {"anna": HISTORY})
    assert store.behind() == []
    assert store.summary("one")["energy"] == before["energy"]
    assert len(store.samples("one")) > 100


def test_sessions_of_an_older_energy_model_are_found_and_reckoned_again(store, short, monkeypatch):
    monkeypatch.setattr("rowsync.energy.MODEL", "rowsync-of-old")
    store.add(short)
    monkeypatch.undo()
    session_id = short.header.session_id
    assert store.behind() == [session_id]
    assert reckoned(store, session_id)["energy"]["model"] == MODEL
    assert store.behind() == []
    assert [row["energy_model"] for row in store.rows()] == [MODEL]


TALKED = Felt(True, None, datetime(2026, 11, 24, tzinfo=UTC))


def test_how_it_felt_is_kept_and_counts(store, short):
    session_id = store.add(short)["session_id"]
    summary = store.felt(session_id, TALKED)
    assert (summary["training"]["conversational"], summary["training"]["conversational_by"]) == (True, "said")
    assert store.summary(session_id) == summary
    again = store.felt(session_id, replace(TALKED, talked=None, exertion=6.0))
    assert (again["felt"]["talked"], again["felt"]["exertion"]) == (True, 6.0)
    assert store.add(short)["felt"] == again["felt"]


def test_how_it_felt_goes_with_the_session_to_another_athlete(store, short):
    session_id = store.add(short)["session_id"]
    store.felt(session_id, TALKED)
    assert store.add(called(short, session_id, athlete=Athlete("ben")))["felt"]["talked"] is True


def test_a_file_of_how_it_felt_that_cannot_be_read_says_nothing(store, short):
    session_id = store.add(short)["session_id"]
    store.felt(session_id, TALKED)
    (path,) = store.folder.glob("felt/*/*/*.json")
    path.write_bytes(b"{")
    assert "felt" not in store.summary(session_id)


# --- what came before -------------------------------------------------------------------------------------------------

TIMES = [datetime(2026, 11, day, 18, tzinfo=UTC) for day in (3, 10, 17)]


@pytest.fixture
def thrice(store, intervals_recording):
    for number, (at, plan) in enumerate(zip(TIMES, ["10x45/75", "5m+ 10 x 45s/75", "5m + 10x45/75"], strict=True)):
        store.add(called(intervals_recording, f"s{number}", started_at=at, plan=plan))
    return store


def test_the_last_session_of_the_same_pieces_came_before_however_they_were_typed(thrice):
    assert thrice.before("virtual", "5m + 10x45s/1:15")["session_id"] == "s2"
    assert thrice.before("virtual", "5m + 10x45/75", TIMES[2])["session_id"] == "s1"


def test_nothing_came_before_the_first_of_a_plan_of_another_athlete_or_without_a_plan(thrice):
    assert thrice.before("virtual", "5m + 10x45/75", TIMES[1]) is None
    assert thrice.before("anna", "10x45/75") is None
    assert thrice.before("virtual", None) is None
    assert thrice.before("virtual", "no plan at all") is None


def test_the_last_times_are_the_sessions_before_it_by_its_plan_newest_first(thrice):
    last, summary = thrice.last_times, thrice.summary("s2")
    assert [each["session_id"] for each in last(summary, 5)] == ["s1"]
    assert last(summary, 0) == last(thrice.summary("s0"), 5) == []
    ids = [each["session_id"] for each in thrice.earlier("virtual", "5m + 10x45/75")]
    assert ids == ["s2", "s1"]


def test_what_came_later_by_its_plan_is_known_too_oldest_first(thrice):
    assert thrice.later("virtual", "5m + 10x45/75", TIMES[0]) == ["s1", "s2"]
    assert thrice.later("virtual", "5m + 10x45/75", TIMES[2]) == thrice.later("virtual", None, TIMES[0]) == []


def test_a_session_is_shown_beside_what_came_before(thrice):
    before = thrice.compared(thrice.summary("s2"))["before"]
    assert before["session_id"] == "s1"
    assert len(before["rounds"]) == 10
    assert thrice.compared(thrice.summary("s0"))["before"] is None


def test_on_a_disk_that_takes_anna_for_Anna_a_session_does_not_remove_itself(store, short):
    store.add(replace(short, header=replace(short.header, athlete=Athlete("Anna"))))
    for kind in ("raw", "samples"):
        (store.folder / kind / "athlete=anna").symlink_to("athlete=Anna")
    again = replace(short, header=replace(short.header, athlete=Athlete("anna")))
    session_id = store.add(again)["session_id"]
    assert store.recording(session_id).header.athlete.name == "anna"
    assert len(store.rows()) == 1


def test_bytes_whose_samples_a_crash_kept_from_being_written_are_derived_when_the_session_is_opened(store, short):
    half = replace(short, items=short.items[: len(short.items) // 2])
    session_id = store.add(half)["session_id"]
    (samples,) = store.folder.glob("samples/*/*/*.parquet")
    before = samples.read_bytes()
    whole = store.add(short)
    samples.write_bytes(before)
    assert store.summary(session_id) == whole
