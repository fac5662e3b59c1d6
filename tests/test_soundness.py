"""`rowsync check`: what is damaged is named, with what can be done; nothing is changed by looking."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from rowsync.cli import cli
from rowsync.corrections import Correction
from rowsync.errors import RecordingError
from rowsync.felt import Felt
from rowsync.intervals import Effort, Segment
from rowsync.journal import Journal
from rowsync.recording import Recording, recording_bytes
from rowsync.remembered import Remembered, remember
from rowsync.soundness import behind, damages, problem_of, stored_files
from rowsync.store import Store
from rowsync.uploads import FILE, Upload, keep_upload

AT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
SAID = Correction((Segment(Effort.WARMUP, 0.0, 40.0), Segment(Effort.HARD, 40.0, 59.5)), AT)


@pytest.fixture(scope="module")
def short(intervals_recording):
    """The first minute of the seed workout."""
    return Recording(intervals_recording.header, intervals_recording.items[:120])


def called(recording, session_id):
    return replace(recording, header=replace(recording.header, session_id=session_id))


@pytest.fixture
def store(tmp_path, short):
    """Two sessions with everything that can lie beside them."""
    store = Store(tmp_path / "data")
    for name in ("one", "two"):
        store.add(called(short, name))
    store.correct("one", SAID)
    store.felt("one", Felt(talked=True, exertion=6.0, said_at=AT))
    keep_upload(store.folder, "one", Upload("2026-11-23T18:30:00Z", 200, "i1"))
    remember(store.folder, Remembered())
    (store.folder / "journal" / "damaged").mkdir(parents=True)
    for path in (store.folder / "journal" / "three.jsonl", store.folder / "journal" / "damaged" / "four.jsonl"):
        path.write_bytes(recording_bytes(called(short, path.stem).header, short.items[:20]))
    return store


def contents(store):
    return {path: (path.read_bytes(), path.stat().st_ctime_ns) for path in store.folder.rglob("*") if path.is_file()}


def found(store):
    files = stored_files(store)
    return damages(files, [problem_of(file, store.folder) for file in files])


def only(store, pattern):
    (path,) = store.folder.glob(pattern)
    return path


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)


def test_where_all_is_sound_nothing_is_named(store):
    files = stored_files(store)
    assert {file.kind for file in files} == {
        *("raw", "samples", "truth", "felt", "index", "journal", "damaged journal", "uploads.json", "machines.json"),
    }
    assert found(store) == []
    assert behind(store, files, []) == []


@pytest.mark.parametrize(
    ("pattern", "at", "kind", "remedy"),
    [
        ("samples/*/*/two.parquet", 300, "samples", "`rowsync rebuild` makes it anew"),
        ("raw/*/*/two.parquet", 100, "raw", "can't be made anew. Put the file back from a backup"),
        ("truth/*/*/one.json", 120, "truth", "take its crc32 out, or forget it: rowsync correct one --undo"),
        ("felt/*/*/one.json", 40, "felt", "rowsync felt one"),
        ("sessions.parquet", 100, "index", "the next command makes it anew"),
        ("journal/three.jsonl", 400, "journal", "The next command stores what can be read"),
        ("journal/damaged/four.jsonl", 400, "damaged journal", "rowsync replay"),
        ("uploads.json", 60, "uploads.json", "move it away"),
        ("machines.json", 16, "machines.json", "Nothing is lost"),
    ],
)
def test_a_flipped_bit_is_named_with_what_can_be_done(store, pattern, at, kind, remedy):
    path = only(store, pattern)
    flip(path, at)
    (damage,) = found(store)
    assert (damage.kind, damage.path) == (kind, str(path))
    assert str(path) in damage.problem
    assert remedy in damage.remedy


def test_where_bytes_and_samples_are_damaged_nothing_helps_but_a_backup(store):
    for kind in ("raw", "samples"):
        flip(only(store, f"{kind}/*/*/two.parquet"), 100)
    first, second = found(store)
    assert (
        first.remedy
        == second.remedy
        == ("Nothing of this session can be read: put its files back from a backup, if there is one.")
    )


@pytest.mark.parametrize(("kind", "remedy"), [("raw", "can't be made anew"), ("samples", "rowsync rebuild")])
def test_a_file_that_is_gone_is_named_where_it_should_lie(store, kind, remedy):
    path = only(store, f"{kind}/*/*/two.parquet")
    path.unlink()
    (damage,) = found(store)
    assert damage.path == str(path)
    assert damage.problem == f"{path} is gone."
    assert remedy in damage.remedy


def test_a_journal_that_is_being_written_or_was_cut_short_is_sound(store, short):
    path = store.folder / "journal" / "three.jsonl"
    path.write_bytes(path.read_bytes()[:-7])
    with Journal(store.folder / "journal" / "now.jsonl", short.header):
        assert found(store) == []


def test_a_newer_rowsyncs_file_asks_for_an_update(store, monkeypatch):
    monkeypatch.setattr("rowsync.table.SCHEMA", 1)
    assert {each.remedy for each in found(store) if each.kind in ("raw", "samples")} == {"Update this rowsync."}


def test_what_an_older_rowsync_made_is_sound_and_behind(store, short, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("rowsync.table.SCHEMA", 5)
        store.add(called(short, "two"))
    assert found(store) == []
    assert behind(store, stored_files(store), []) == ["two"]


def test_samples_that_a_crash_left_behind_their_bytes_are_behind(store, short):
    samples = only(store, "samples/*/*/two.parquet")
    before = samples.read_bytes()
    store.add(Recording(replace(short.header, session_id="two"), (*short.items, replace(short.items[-1], time_s=60.5))))
    samples.write_bytes(before)
    assert found(store) == []
    assert behind(store, stored_files(store), []) == ["two"]


# --- the command ------------------------------------------------------------------------------------------------------


def check(store, *options):
    return CliRunner().invoke(cli, ["check", "--data", str(store.folder), *options])


def test_the_command_changes_nothing_and_says_that_all_is_sound(store):
    before = contents(store)
    for options in ((), ("--deep",)):
        done = check(store, *options)
        assert done.exit_code == 0, done.output
        assert "11 files sound, of 2 sessions." in done.stdout
    assert contents(store) == before


def test_the_command_names_what_is_damaged_and_fails(store):
    path = only(store, "samples/*/*/two.parquet")
    flip(path, 300)
    before = contents(store)
    done = check(store, "--json")
    document = json.loads(done.stdout)
    assert [each["path"] for each in document["damaged"]] == [str(path)]
    assert isinstance(done.exception, RecordingError)
    assert "rowsync rebuild" in check(store).stdout
    assert contents(store) == before


def test_deep_finds_samples_that_are_sound_and_still_not_what_the_bytes_give(store, short, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("rowsync.table.__version__", "0.0.1")
        store.add(called(short, "two"))
    assert json.loads(check(store, "--json").stdout)["behind"] == []
    done = check(store, "--deep")
    assert done.exit_code == 0
    assert "`rowsync rebuild` makes them anew: two" in done.stdout


def test_an_empty_folder_is_sound(tmp_path):
    done = check(Store(tmp_path / "nothing"))
    assert done.exit_code == 0
    assert not (tmp_path / "nothing").exists()


def test_what_was_sent_is_not_believed_once_altered(store):
    flip(store.folder / FILE, 60)
    (damage,) = found(store)
    assert damage.kind == FILE
