"""The store: what goes in comes out, whole or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from rowsync.athlete import Athlete
from rowsync.errors import RecordingError, SessionNotFound, StoreError
from rowsync.journal import Journal
from rowsync.recording import Recording, parse_recording, recording_bytes
from rowsync.session import analyse
from rowsync.store import INDEX, SAMPLES, Store


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


def test_the_bytes_come_back_and_give_the_same_session_again(store, intervals_recording):
    session_id = store.add(intervals_recording)["session_id"]
    recording = store.recording(session_id)
    assert recording.header == intervals_recording.header
    assert recording.notifications == intervals_recording.notifications


def test_storing_the_same_session_again_replaces_it_byte_for_byte(store, short):
    store.add(short)
    files = {path: path.read_bytes() for path in store.folder.rglob("*.parquet")}
    store.add(short)
    assert {path: path.read_bytes() for path in store.folder.rglob("*.parquet")} == files
    assert len(store.index()) == 1


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


def test_files_from_a_newer_rowsync_are_refused_with_the_next_step(store, short, monkeypatch):
    session_id = store.add(short)["session_id"]
    monkeypatch.setattr("rowsync.store.SCHEMA", 0)
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

    monkeypatch.setattr("rowsync.store.pq.ParquetWriter", full_disk)  # the disk, not our code
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
