"""Everything is made again from the bytes, or stays as it was; and the index always says what the files say."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from zlib import crc32

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rowsync import index
from rowsync.athlete import Athlete
from rowsync.claim import claimed_folder
from rowsync.corrections import Correction
from rowsync.errors import StoreError
from rowsync.intervals import Effort, Segment
from rowsync.journal import Journal
from rowsync.recording import Recording
from rowsync.session import analyse
from rowsync.store import Store
from rowsync.table import SCHEMA
from rowsync.workers import Processes
from tests.conftest import ROOT

NAMES = [f"s{number}" for number in range(8)]


@pytest.fixture(scope="module")
def short(intervals_recording):
    """The first two minutes of the seed workout."""
    return Recording(intervals_recording.header, intervals_recording.items[:240])


def called(recording, session_id, **header):
    return replace(recording, header=replace(recording.header, session_id=session_id, **header))


def filled(folder, short):
    store = Store(folder)
    for number, name in enumerate(NAMES):
        store.add(called(short, name, started_at=datetime(2026, 11, 1 + number, 7, tzinfo=UTC)))
    return folder


@pytest.fixture(scope="module")
def todays(tmp_path_factory, short):
    """A folder of eight sessions."""
    return filled(tmp_path_factory.mktemp("todays"), short)


@pytest.fixture(scope="module")
def yesterdays(tmp_path_factory, short):
    """A folder of eight sessions as an older rowsync made them: without bests, a percent too far."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("rowsync.table.SCHEMA", SCHEMA - 1)
        patched.setattr("rowsync.store.analyse", _as_of_old)
        return filled(tmp_path_factory.mktemp("yesterdays"), short)


@pytest.fixture
def store(tmp_path, todays):
    """A store of eight sessions, to be changed."""
    return Store(_copied(todays, tmp_path))


@pytest.fixture
def old(tmp_path, yesterdays):
    """The same as an older rowsync made it."""
    return Store(_copied(yesterdays, tmp_path))


def _copied(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "data")
    Store(tmp_path / "data").rows()  # a copy's files have new times, by which the index is behind
    return tmp_path / "data"


def _as_of_old(*given, **more):
    session = analyse(*given, **more)
    return replace(session, best_powers_w={}, best_times_s={}, distance_m=1.01 * session.distance_m)


def contents(store):
    return {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}


def samples_file(store, session_id):
    (path,) = store.folder.glob(f"samples/*/*/{session_id}.parquet")
    return path


def raw_file(store, session_id):
    (path,) = store.folder.glob(f"raw/*/*/{session_id}.parquet")
    return path


# --- rebuild ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
def test_where_nothing_changed_every_file_has_the_same_bytes_and_none_was_written(store, jobs):
    before, times = contents(store), {path: path.stat().st_ctime_ns for path in store.folder.rglob("*.parquet")}
    rebuilt = list(store.rebuild(pool=Processes(jobs)))
    assert [each.session_id for each in rebuilt] == NAMES
    assert all(each.before == each.after and not each.is_new and each.problem is None for each in rebuilt)
    assert contents(store) == before
    assert {path: path.stat().st_ctime_ns for path in store.folder.rglob("*.parquet")} == times


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_an_older_rowsync_made_is_as_if_it_had_been_stored_today(old, todays, jobs):
    rebuilt = list(old.rebuild(pool=Processes(jobs)))
    assert all(each.is_new for each in rebuilt)
    assert all(each.before["distance_m"] == pytest.approx(1.01 * each.after["distance_m"]) for each in rebuilt)
    kind = "samples/*/*/*.parquet"
    ours = {path.relative_to(old.folder): path.read_bytes() for path in old.folder.glob(kind)}
    assert ours == {path.relative_to(todays): path.read_bytes() for path in todays.glob(kind)}
    assert old.rows() == Store(todays).rows()
    assert old.rows()[0]["power_60s_w"] > 50


def test_the_index_follows_also_when_the_clock_went_back_since_it_was_written(old):
    held = index.held(old.shelf)
    ahead = {key: file._replace(mark=file.mark + 1) for key, file in held.files.items()}
    old.shelf.put(index.KEY, held._replace(files=ahead).content)
    list(old.rebuild())
    assert {row["schema"] for row in old.rows()} == {SCHEMA}
    assert old.rows()[0]["power_60s_w"] > 50
    held = index.held(old.shelf)
    assert index.updated(held, old.shelf) is held


def test_the_index_is_written_once_for_all_sessions(old):
    path = old.folder / "sessions.parquet"
    stored = {path.stat().st_ino}
    for _ in old.rebuild():
        stored.add(path.stat().st_ino)
    assert len(stored) == 1
    assert {row["schema"] for row in pq.read_table(path).to_pylist()} == {SCHEMA}


def test_a_session_that_fails_is_named_and_stays_and_the_others_are_made_again(old):
    raw_file(old, "s1").write_bytes(b"PAR1 garbage")
    raw_file(old, "s2").unlink()
    raw_file(old, "s4").write_bytes(raw_file(old, "s3").read_bytes())
    kept = {name: samples_file(old, name).read_bytes() for name in ("s1", "s2", "s4")}
    rebuilt = {each.session_id: each for each in old.rebuild()}
    problems = {name: each.problem for name, each in rebuilt.items() if each.problem}
    assert list(problems) == ["s1", "s2", "s4"]
    assert "s1.parquet can't be read" in problems["s1"] or "not one of rowsync's files" in problems["s1"]
    assert problems["s2"] == "s2: the bytes that it came from are gone."
    assert "holds another session: s3" in problems["s4"]
    assert {name: samples_file(old, name).read_bytes() for name in kept} == kept
    assert sorted(row["session_id"] for row in old.rows() if row["schema"] == SCHEMA) == ["s0", "s3", "s5", "s6", "s7"]
    assert len(old.rows()) == 8


def test_what_a_newer_rowsync_made_is_left_alone(store, monkeypatch):
    monkeypatch.setattr("rowsync.table.SCHEMA", SCHEMA + 1)
    list(store.rebuild(["s0"]))
    monkeypatch.undo()
    monkeypatch.setattr("rowsync.energy.MODEL", "rowsync-mass-aware-999")
    list(store.rebuild(["s1"]))
    monkeypatch.undo()
    before = contents(store)
    by_schema, by_model = store.rebuild(["s0", "s1"])
    assert "newer rowsync" in by_schema.problem
    assert "newer rowsync (rowsync-mass-aware-999)" in by_model.problem
    assert {path: content for path, content in contents(store).items() if path.name != "sessions.parquet"} == {
        path: content for path, content in before.items() if path.name != "sessions.parquet"
    }


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-9])])
def test_samples_that_are_missing_or_damaged_are_made_anew(store, damage):
    whole = samples_file(store, "s3").read_bytes()
    damage(samples_file(store, "s3"))
    assert [row["session_id"] for row in store.rows()] == [name for name in reversed(NAMES) if name != "s3"]
    rebuilt = [each for each in store.rebuild() if each.is_new]
    assert [(each.session_id, each.before) for each in rebuilt] == [("s3", None)]
    assert samples_file(store, "s3").read_bytes() == whole
    assert len(store.rows()) == 8


def test_what_a_person_said_and_the_bytes_outlive_a_rebuild(old):
    old.correct("s2", Correction((Segment(Effort.HARD, 0.0, 119.5),), datetime(2026, 11, 24, tzinfo=UTC)))
    raw = {path: path.read_bytes() for path in old.folder.glob("raw/*/*/*")}
    list(old.rebuild())
    assert {path: path.read_bytes() for path in old.folder.glob("raw/*/*/*")} == raw
    assert old.summary("s2")["intervals_from"] == "corrected"
    assert {row["hard_intervals"] for row in old.rows() if row["session_id"] == "s2"} == {1}


def test_what_another_process_stores_of_a_session_meanwhile_counts(old, intervals_recording, monkeypatch):
    longer = [called(intervals_recording, "s0", started_at=datetime(2026, 11, 1, 7, tzinfo=UTC))]

    def while_it_is_stored(*given, **more):
        if longer:
            Store(old.folder).add(longer.pop())
        return analyse(*given, **more)

    monkeypatch.setattr("rowsync.store.analyse", while_it_is_stored)
    (rebuilt,) = old.rebuild(["s0"])
    assert rebuilt.after["notifications"] == len(intervals_recording.notifications)
    assert old.summary("s0") == rebuilt.after
    assert {row["duration_s"] for row in old.rows() if row["session_id"] == "s0"} == {rebuilt.after["duration_s"]}


def test_a_row_that_is_being_recorded_is_not_disturbed(old, short):
    (old.folder / "journal").mkdir(exist_ok=True)
    with claimed_folder(old.folder), Journal(old.folder / "journal" / "now.jsonl", short.header) as journal:
        for notification in short.notifications[:100]:
            journal.append(notification)
        assert all(each.is_new for each in old.rebuild())
        for notification in short.notifications[100:]:
            journal.append(notification)
    assert old.finish(journal.path).summary["notifications"] == 240
    assert len(old.rows()) == 9


def test_a_disk_that_refuses_ends_it_with_the_reason_and_keeps_what_there_was(old, monkeypatch):
    before = contents(old)

    def full_disk(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rowsync.files.os.fsync", full_disk)
    with pytest.raises(StoreError, match="No space left on device"):
        list(old.rebuild())
    assert contents(old) == before


KILLED = """
import sys
from pathlib import Path
from rowsync.store import Store
from rowsync.workers import Processes

if __name__ == "__main__":
    for rebuilt in Store(Path(sys.argv[1])).rebuild(pool=Processes(2)):
        print(rebuilt.session_id, flush=True)
"""


def test_a_rebuild_that_is_killed_leaves_each_session_old_or_new_and_the_next_one_does_the_rest(old, tmp_path):
    script = tmp_path / "rebuild.py"
    script.write_text(KILLED)
    before = {name: samples_file(old, name).read_bytes() for name in NAMES}
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, script, old.folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as rebuilding:
        assert rebuilding.stdout.readline() == "s0\n"
        rebuilding.send_signal(signal.SIGKILL)
    after = {name: samples_file(old, name).read_bytes() for name in NAMES}
    schemas = {row["session_id"]: row["schema"] for row in old.rows()}  # the index notices what is newer
    assert after["s0"] != before["s0"]
    assert schemas == {name: SCHEMA - (after[name] == before[name]) for name in NAMES}
    list(old.rebuild())
    assert {row["schema"] for row in old.rows()} == {SCHEMA}
    assert [each.is_new for each in old.rebuild()] == [False] * 8


# --- the command ------------------------------------------------------------------------------------------------------


def rebuild(*arguments, code=0):
    command = [sys.executable, "-m", "rowsync", "rebuild", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == code, done.stderr
    return done


def test_the_command_says_what_changed_then_that_nothing_did(old):
    raw_file(old, "s5").unlink()
    done = rebuild("--data", old.folder, code=4)
    assert done.stdout.replace("\N{NARROW NO-BREAK SPACE}", " ") == "7 sessions: distance \N{MINUS SIGN}1 %\n"
    assert "s5: the bytes that it came from are gone." in done.stderr
    assert "1 session could not be made again, and stayed as stored." in done.stderr
    (path,) = old.folder.glob("samples/*/*/s5.parquet")
    path.unlink()
    assert rebuild("--data", old.folder).stdout == "7 sessions: nothing changed.\n"


def test_the_command_makes_the_index_alone_and_names_what_it_leaves_out(old):
    samples = samples_file(old, "s1").parent
    (samples / "liar.parquet").write_text("not parquet at all")
    (old.folder / "sessions.parquet").write_bytes(b"nothing")
    done = rebuild("--index", "--data", old.folder)
    assert done.stdout == "The index has 8 sessions.\n"
    assert "Left out: " in done.stderr
    assert "liar.parquet is not one of rowsync's files" in done.stderr
    assert "--jobs and --on go without --index" in rebuild("--index", "--jobs", 2, "--data", old.folder, code=2).stderr


def test_an_empty_folder_has_nothing_to_make_again(tmp_path):
    done = rebuild("--data", tmp_path / "none")
    assert done.stdout == ""
    assert "There are no sessions" in done.stderr


# --- the index --------------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch):
    """The files whose metadata is read from now on."""
    paths, read_metadata = [], pq.read_metadata

    def noted(path, *given, **more):
        paths.append(path.stem)
        return read_metadata(path, *given, **more)

    monkeypatch.setattr("rowsync.table.pq.read_metadata", noted)
    return paths


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _rows_missing(path):
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 3), path)


def _of_schema_5(path):
    table = pq.read_table(path).drop_columns(["schema", "power_5s_w", "best_500m_s"])
    pq.write_table(table, path)


def _of_a_newer_rowsync(path):
    metadata = dict(pq.read_metadata(path).metadata)
    text = metadata[b"rowsync"].split(b" ", 1)[1].replace(b'"schema":%d' % SCHEMA, b'"schema":%d' % (SCHEMA + 1))
    table = pq.read_table(path).append_column("new_w", pa.array([0.0] * 8))
    pq.write_table(table.replace_schema_metadata({b"rowsync": b"%08x %s" % (crc32(text), text)}), path)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), _cut, _rows_missing, _of_schema_5, _of_a_newer_rowsync])
def test_an_index_that_cannot_be_used_is_made_from_the_files_once(store, opened, damage):
    before = store.rows()
    damage(store.folder / "sessions.parquet")
    opened.clear()
    assert store.rows() == before
    assert set(NAMES) <= set(opened)
    opened.clear()
    assert store.rows() == before
    assert not set(NAMES) & set(opened)


def test_a_flipped_bit_in_the_index_is_noticed_or_changes_nothing(store):
    before, path = store.index(), store.folder / "sessions.parquet"
    whole = path.read_bytes()
    for bit in range(40, len(whole) * 8, len(whole) * 8 // 100):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        pd.testing.assert_frame_equal(store.index(), before)


def test_a_session_replaced_behind_the_indexs_back_is_read_again_and_no_other(store, short, tmp_path, opened):
    other = Store(tmp_path / "other")
    other.add(called(Recording(short.header, short.items[:120]), "s3", started_at=datetime(2026, 11, 4, 7, tzinfo=UTC)))
    time.sleep(0.02)  # a file system's clock ticks every few milliseconds
    samples_file(store, "s3").write_bytes(samples_file(other, "s3").read_bytes())
    opened.clear()
    (row,) = (row for row in store.rows() if row["session_id"] == "s3")
    assert row["duration_s"] == 59.5
    assert set(opened) & set(NAMES) == {"s3"}


def test_sessions_that_come_and_go_behind_the_indexs_back_are_noticed(store, short, tmp_path):
    samples_file(store, "s3").unlink()
    other = Store(tmp_path / "other")
    other.add(called(short, "new", athlete=Athlete("zoe")))
    target = store.folder / "samples" / "athlete=zoe" / "year=2026" / "new.parquet"
    target.parent.mkdir(parents=True)
    target.write_bytes(samples_file(other, "new").read_bytes())
    assert {row["session_id"] for row in store.rows()} == {*NAMES, "new"} - {"s3"}


def test_a_stranger_among_the_samples_is_not_read_at_every_command(store, opened):
    (samples_file(store, "s0").parent / "stranger.parquet").write_bytes(b"whatever")
    copy = samples_file(store, "s0").parent / "copy.parquet"
    copy.write_bytes(samples_file(store, "s0").read_bytes())
    time.sleep(0.02)  # a file system's clock ticks every few milliseconds
    assert len(store.rows()) == 8
    opened.clear()
    assert len(store.rows()) == 8
    assert not {"stranger", "copy", *NAMES} & set(opened)
    assert "holds another session, s0" in store.rebuild_index()["copy"]


def test_sessions_of_an_older_schema_are_listed_without_being_made_anew(old):
    samples = {name: samples_file(old, name).read_bytes() for name in NAMES}
    (old.folder / "sessions.parquet").unlink()
    rows = old.rows()
    assert {(row["schema"], row["power_5s_w"], row["best_100m_s"]) for row in rows} == {(SCHEMA - 1, None, None)}
    assert {name: samples_file(old, name).read_bytes() for name in NAMES} == samples
    assert old.behind() == []


def test_the_index_holds_the_bests_and_how_far_their_watts_can_be_trusted(store):
    (row, *_), summary = store.rows(), store.summary("s7")
    assert row["power_60s_w"] == summary["best_powers_w"]["60"]
    assert row["best_100m_s"] == summary["best_times_s"]["100"]
    assert (row["power_3600s_w"], row["best_10000m_s"]) == (None, None)
    assert (row["power_source"], row["doubtful_power"], row["schema"]) == ("machine", False, SCHEMA)


def test_a_folder_that_cannot_be_written_is_read_all_the_same(store, monkeypatch):
    before = json.dumps(store.rows(), default=str)
    (store.folder / "sessions.parquet").unlink()

    def read_only(*_args, **_options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("rowsync.files.fcntl.flock", read_only)
    assert json.dumps(store.rows(), default=str) == before
    assert not (store.folder / "sessions.parquet").exists()
