"""A store on any shelf: a folder, memory, and a bucket of a server that speaks S3.

Those with a server run where its client is installed, which `checks/s3/run` sees to, in the gate too.
"""

from __future__ import annotations

import importlib.util
import io
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest

from rowsync import bucket, index, table
from rowsync.athlete import Athlete
from rowsync.bucket import Bucket
from rowsync.corrections import Correction
from rowsync.errors import HeldMore, RecordingError, SessionNotFound, StoreError, UsageError
from rowsync.felt import Felt
from rowsync.intervals import Effort, Segment
from rowsync.journal import Journal
from rowsync.profile import Profile
from rowsync.recording import Recording
from rowsync.shelf import Folder, is_pack
from rowsync.soundness import damages, problem_of, stored_files
from rowsync.store import Store
from tests.bucket_server import ADDRESS, bucket_server

AT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def short(intervals_recording):
    """The first minute of the seed workout."""
    return Recording(intervals_recording.header, intervals_recording.items[:120])


def called(recording, name, athlete="anna"):
    return replace(recording, header=replace(recording.header, session_id=name, athlete=Athlete(athlete)))


HAS_S3 = importlib.util.find_spec("s3fs") is not None


@pytest.fixture(scope="module")
def server():
    if not HAS_S3:
        yield None
        return
    with pytest.MonkeyPatch.context() as patch, bucket_server(patch) as listens:
        yield listens


SHELVES = {
    "folder": lambda path, number: Folder(path / "shelf"),
    "memory": lambda path, number: Bucket(f"memory://club/{number}"),
    "files": lambda path, number: Bucket(f"file://{path}/shelf"),
} | ({"s3": lambda path, number: Bucket(f"{ADDRESS}/{number}")} if HAS_S3 else {})
_number = iter(range(10_000))


@pytest.fixture(params=SHELVES)
def shelf(request, tmp_path, server, monkeypatch):
    monkeypatch.setattr(bucket, "GRACE_S", 0.05)
    return SHELVES[request.param](tmp_path, f"{next(_number)}")


@pytest.fixture
def store(tmp_path, shelf):
    return Store(tmp_path / "data", shelf=shelf)


@pytest.fixture(params=[name for name in SHELVES if name in ("s3", "files")])
def shared(request, tmp_path, server, monkeypatch):
    """A shelf that several computers write to."""
    monkeypatch.setattr(bucket, "GRACE_S", 0.05)
    return Store(tmp_path / "data", shelf=SHELVES[request.param](tmp_path, f"{next(_number)}"))


def shelved(store):
    """Everything that a shelf holds of sessions, by what it is called and what is in it."""
    return {
        (kind, part.name, part.group is None): store.shelf.read(part.key)
        for kind in ("raw", "samples", "truth", "felt")
        for part in store.parts(kind)
    }


def known(store, session_id):
    """All that a store says of a session."""
    return store.summary(session_id), store._samples(session_id).to_pydict(), store.recording(session_id)


# --- the same on any shelf --------------------------------------------------------------------------------------------


def test_a_session_comes_back_as_it_does_from_a_folder(store, short, tmp_path):
    plain = Store(tmp_path / "plain")
    assert store.add(called(short, "one")) == plain.add(called(short, "one"))
    assert known(store, "one") == known(plain, "one")
    assert shelved(store) == shelved(plain)
    assert store.rows() == plain.rows()
    assert store.find("on") == "one"
    with pytest.raises(SessionNotFound):
        store.summary("two")


def test_a_journal_goes_once_its_session_lies_there(store, short):
    path = store.folder / "journal" / "one.jsonl"
    path.parent.mkdir(parents=True)
    with Journal(path, short.header) as journal:
        for item in short.items:
            journal.append(item)
    (recovered,) = store.recover()
    assert recovered.summary == store.summary(short.header.session_id)
    assert not path.exists()


def test_what_a_person_said_goes_with_a_session_to_another_athlete(store, short):
    store.add(called(short, "one"))
    store.correct("one", Correction((Segment(Effort.HARD, 0.0, 10.0), Segment(Effort.EASY, 10.0, 59.0)), AT))
    store.felt("one", Felt(talked=True, exertion=None, said_at=AT))
    store.add(called(short, "one", "zoe"))
    assert {part.key.split("/")[1] for kind in ("raw", "samples", "truth", "felt") for part in store.parts(kind)} == {
        "athlete=zoe"
    }
    assert store.summary("one")["corrected_at"]
    assert [row["athlete"] for row in store.rows()] == ["zoe"]


def test_a_rebuild_writes_nothing_where_nothing_changed_and_mends_what_is_gone(store, short):
    for name in ("one", "two"):
        store.add(called(short, name))
    before = shelved(store)
    assert [each.is_new for each in store.rebuild()] == [False, False]
    store.shelf.remove(next(part.key for part in store.parts("samples") if part.name == "two"))
    assert [each.is_new for each in store.rebuild()] == [False, True]
    assert shelved(store) == before


def test_a_damaged_file_is_named_and_the_others_are_read(store, short):
    for name in ("one", "two"):
        store.add(called(short, name))
    (part,) = (part for part in store.parts("samples") if part.name == "two")
    store.shelf.put(part.key, store.shelf.read(part.key)[:-40])
    files = stored_files(store)
    (damage,) = damages(files, [problem_of(file, store.folder) for file in files])
    assert damage.path == store.shelf.label(part.key)
    assert [row["session_id"] for row in store.rows()] == ["one"]
    assert list(store.upkeep().left_out) == ["two"]


# --- packs ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def packed(store, short):
    """Six sessions of two people, of which all are packed."""
    for number in range(6):
        store.add(called(short, f"s{number}", "anna" if number % 2 else "ben"))
    before = {name: known(store, name) for name in store.stored()}
    rows = store.rows()
    years = list(store.pack(LATER, fewest=2))
    return before, rows, years


def test_packed_sessions_are_read_as_before_and_there_are_fewer_files(store, packed):
    before, rows, years = packed
    assert [(year.year, year.sessions, year.before, year.files) for year in years] == [
        ("athlete=anna/year=2026", 3, 6, 2),
        ("athlete=ben/year=2026", 3, 6, 2),
    ]
    assert {name: known(store, name) for name in store.stored()} == before
    assert store.rows() == rows
    assert len(store.shelf.listing("raw")) == len(store.shelf.listing("samples")) == 2
    assert [each.is_new for each in store.rebuild()] == [False] * 6
    files = stored_files(store)
    assert damages(files, [problem_of(file, store.folder) for file in files]) == []


def test_packing_again_changes_nothing(store, packed):
    before = sorted(placed.key for placed in store.shelf.listing("samples"))
    assert list(store.pack(LATER, fewest=1)) == []
    assert sorted(placed.key for placed in store.shelf.listing("samples")) == before


def test_a_packed_session_that_is_corrected_has_files_of_its_own_until_it_is_packed_again(store, packed):
    before, _, _ = packed
    store.correct("s1", Correction((Segment(Effort.HARD, 0.0, 10.0), Segment(Effort.EASY, 10.0, 59.0)), AT))
    places = store.places()["s1"]
    assert [parts[0].group for parts in (places.raw, places.samples)] == [None, None]
    changed = known(store, "s1")
    assert changed[0]["corrected_at"]
    for name in ("s3", "s5"):
        assert known(store, name) == before[name]
    list(store.pack(LATER, fewest=1))
    assert known(store, "s1") == changed
    assert len(store.shelf.listing("samples")) == 2
    store.uncorrect("s1")
    assert known(store, "s1") == before["s1"]


def test_sessions_that_began_lately_stay_as_they_are(store, short):
    for number in range(3):
        store.add(called(short, f"s{number}"))
    assert list(store.pack(datetime(2020, 1, 1, tzinfo=UTC), fewest=1)) == []


def test_a_damaged_pack_is_named_and_costs_no_other(store, packed):
    key = next(placed.key for placed in store.shelf.listing("samples") if "anna" in placed.key)
    store.shelf.put(key, store.shelf.read(key)[:-40])
    assert {row["athlete"] for row in store.rows()} == {"ben"}
    assert "altered" in next(iter(store.upkeep().left_out.values()))
    assert [each.is_new for each in store.rebuild() if each.problem is None].count(True) == 3
    assert {row["athlete"] for row in store.rows()} == {"anna", "ben"}


def test_a_damaged_session_is_left_out_of_a_pack_and_said(store, short):
    for number in range(3):
        store.add(called(short, f"s{number}"))
    (part,) = (part for part in store.parts("raw") if part.name == "s1")
    content = bytearray(store.shelf.read(part.key))
    content[100] ^= 4
    store.shelf.put(part.key, bytes(content))
    (year,) = store.pack(LATER, fewest=1)
    assert year.sessions == 2
    assert "s1" in year.problems[0]
    assert store.shelf.read(part.key) == bytes(content)


def flip(store, name, kind):
    """Flip a bit of what a pack holds of a session."""
    part = store.places()[name].first(kind)
    content = bytearray(store.shelf.read(part.key))
    group = pq.read_metadata(io.BytesIO(content)).row_group(part.group)
    column = max(map(group.column, range(group.num_columns)), key=lambda column: column.total_compressed_size)
    content[min(filter(None, _offsets(column))) + column.total_compressed_size // 2] ^= 16
    store.shelf.put(part.key, bytes(content))


def _offsets(column):
    return column.dictionary_page_offset, column.data_page_offset


@pytest.mark.parametrize("kind", ["raw", "samples"])
def test_a_damaged_session_of_a_pack_costs_no_other_anything(store, packed, short, kind):
    before, _, _ = packed
    flip(store, "s1", kind)
    store.felt("s3", Felt(talked=True, exertion=None, said_at=AT))
    assert store.summary("s3")["felt"]
    store.add(called(short, "s7"))
    (year,) = store.pack(LATER, fewest=2)
    assert year.sessions == 3
    assert len(year.problems) == 1
    assert known(store, "s5") == before["s5"]
    assert [each.problem is None for each in store.rebuild(["s1", "s3", "s5", "s7"])] == [
        kind == "samples",
        *[True] * 3,
    ]
    assert {row["session_id"] for row in store.rows()} == {"s0", "s1", "s2", "s3", "s4", "s5", "s7"}


def test_packed_sessions_are_all_made_anew_and_packed_anew_there_is_one_of_each(store, packed):
    before, _, _ = packed
    heavier = Store(store.folder, {"anna": Profile("anna", masses_kg=((date.min, 91.0),))}, store.shelf)
    assert heavier.behind() == ["s1", "s3", "s5"]
    assert [(each.problem, each.is_new) for each in heavier.rebuild(heavier.behind())] == [(None, True)] * 3
    assert heavier.behind() == []
    assert [each.is_new for each in heavier.rebuild()] == [False] * 6
    after = {name: known(heavier, name) for name in heavier.stored()}
    assert after != before
    list(heavier.pack(LATER, fewest=1))
    assert {name: known(heavier, name) for name in heavier.stored()} == after
    assert {len(places.of(kind)) for places in heavier.places().values() for kind in ("raw", "samples")} == {1}


def test_what_a_pack_holds_is_known_without_the_index(store, packed, short):
    store.shelf.remove(index.KEY)
    with pytest.raises(HeldMore, match="with 120 notifications"):
        store.add(called(Recording(short.header, short.items[:60]), "s1"))
    assert store.summary("s1")["notifications"] == 120


def test_an_index_is_made_anew_by_opening_a_pack_once(store, packed, monkeypatch):
    store.shelf.remove(index.KEY)
    opened, source = [], store.shelf.source
    monkeypatch.setattr(store.shelf, "source", lambda key: opened.append(key) or source(key))
    table._footer_of_pack.cache_clear()
    assert len(Store(store.folder, shelf=store.shelf).table()) == 6
    packs = Counter(key for key in opened if is_pack(key))
    assert list(packs.values()) == [1, 1]


# --- several writers --------------------------------------------------------------------------------------------------


def test_writers_at_once_lose_nothing_and_each_sees_what_all_stored(shared, short, tmp_path):
    def write(writer):
        own = Store(tmp_path / f"hub-{writer}", shelf=Bucket(shared.shelf.address))
        for number in range(2):
            own.add(called(short, f"w{writer}-{number}", f"athlete {writer % 2}"))
            own.rows()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shared.rows()) == 6
    for name in shared.stored():
        shared.summary(name)


def test_whoever_stores_while_another_packs_waits_and_nothing_is_lost(shared, short, tmp_path, monkeypatch):
    monkeypatch.setattr(bucket, "GRACE_S", 0.5)
    monkeypatch.setattr(bucket, "TICK_S", 0.05)
    for number in range(4):
        shared.add(called(short, f"s{number}"))
    packer = threading.Thread(
        target=lambda: list(Store(tmp_path / "b", shelf=Bucket(shared.shelf.address)).pack(LATER, 1))
    )
    packer.start()
    while packer.is_alive() and shared.shelf.placed(bucket.NOTE) is None:
        time.sleep(0.01)
    shared.add(called(short, "s2", "zoe"))  # one of those that are packed moves to another athlete
    packer.join()
    assert {row["session_id"]: row["athlete"] for row in shared.rows()} == {
        "s0": "anna", "s1": "anna", "s2": "zoe", "s3": "anna"
    }  # fmt: skip
    assert shared.places()["s2"].raw[0].key.startswith("raw/athlete=zoe/")


def test_a_note_of_a_packer_that_was_killed_keeps_nobody_for_ever(shared, short, monkeypatch):
    monkeypatch.setattr(bucket, "STALE_S", 0.2)
    monkeypatch.setattr(bucket, "TICK_S", 0.05)
    shared.shelf.put(bucket.NOTE, b"dead")
    shared.add(called(short, "one"))
    assert shared.shelf.placed(bucket.NOTE) is None


def test_of_two_who_pack_at_once_one_is_told_to_come_later(shared, short, monkeypatch):
    monkeypatch.setattr(bucket, "GRACE_S", 0.5)
    shared.add(called(short, "one"))
    other = Bucket(shared.shelf.address)

    until_s = time.monotonic() + 20.0

    def overwrite():
        while other.placed(bucket.NOTE) is None and time.monotonic() < until_s:
            time.sleep(0.01)
        other.put(bucket.NOTE, b"another's")

    thread = threading.Thread(target=overwrite)
    thread.start()
    with pytest.raises(StoreError, match="somebody else packs it"):
        list(shared.pack(LATER, fewest=1))
    thread.join()
    assert other.read(bucket.NOTE) == b"another's"


def test_a_shorter_recording_takes_no_place_of_a_longer_one_that_another_stored_this_moment(shared, short, tmp_path):
    shared.add(called(short, "one"))
    shared.summary("one")  # which looks at what lies there
    Store(tmp_path / "b", shelf=Bucket(shared.shelf.address)).add(called(short, "two"))
    with pytest.raises(HeldMore):
        shared.add(called(Recording(short.header, short.items[:60]), "two"))
    assert shared.summary("two")["notifications"] == 120


def test_what_another_packed_this_moment_is_read(shared, short, tmp_path):
    for name in ("one", "two"):
        shared.add(called(short, name))
    before = known(shared, "one")
    list(Store(tmp_path / "b", shelf=Bucket(shared.shelf.address)).pack(LATER, fewest=1))
    assert known(shared, "one") == before


def test_a_packer_that_reads_for_long_is_waited_for(shared, short, tmp_path, monkeypatch):
    for name, value in (("STALE_S", 0.3), ("RENEWED_S", 0.1), ("TICK_S", 0.05)):
        monkeypatch.setattr(bucket, name, value)
    for number in range(3):
        shared.add(called(short, f"s{number}"))
    other, read = Store(tmp_path / "b", shelf=Bucket(shared.shelf.address)), shared.shelf.read
    monkeypatch.setattr(shared.shelf, "read", lambda key: time.sleep(0.05) or read(key))
    packer = threading.Thread(target=lambda: list(shared.pack(LATER, fewest=1)))
    packer.start()
    while packer.is_alive() and other.shelf.placed(bucket.NOTE) is None:
        time.sleep(0.01)
    with other.shelf.writing():
        assert [placed.is_pack for placed in other.shelf.listing("samples")] == [True]
    packer.join()


def test_a_packer_whose_note_was_taken_for_left_changes_nothing_any_more(shared, short, monkeypatch):
    monkeypatch.setattr(bucket, "RENEWED_S", 0.0)
    shared.add(called(short, "one"))
    other, (samples,) = Bucket(shared.shelf.address), shared.shelf.listing("samples")
    with pytest.raises(OSError, match="somebody else packs it"), shared.shelf.packing():  # noqa: PT012
        other.remove(bucket.NOTE)
        shared.shelf.remove(samples.key)
    assert other.placed(samples.key) == samples


class Killed(BaseException):
    """A process that was killed changes nothing any more."""


def killed_at(shelf, number):
    """A shelf whose writer is killed at its so-manieth change."""
    changes = iter(range(number))

    def until_then(change):
        def do(*given):
            if next(changes, None) is None:
                raise Killed
            return change(*given)

        return do

    shelf.put, shelf.remove = until_then(shelf.put), until_then(shelf.remove)
    return shelf


def test_wherever_a_packer_is_killed_every_session_is_there_and_packing_goes_on(tmp_path, short, monkeypatch):
    monkeypatch.setattr(bucket, "GRACE_S", 0.0)
    for number in range(1, 40):
        address = f"file://{tmp_path}/{number}"
        store = Store(tmp_path / "data", shelf=Bucket(address))
        for name in ("one", "two"):
            store.add(called(short, name))
        before, rows = {name: known(store, name) for name in store.stored()}, store.rows()
        try:
            list(Store(tmp_path / "data", shelf=killed_at(Bucket(address), number)).pack(LATER, fewest=1))
            return
        except Killed:
            pass
        store.shelf.remove(bucket.NOTE)  # which would be waited for
        for _ in range(2):
            assert {name: known(store, name) for name in store.stored()} == before
            assert store.rows() == rows
            list(store.pack(LATER, fewest=1))
    pytest.fail("it was killed every time")


# --- a bucket that refuses --------------------------------------------------------------------------------------------


def test_a_bucket_that_is_not_there_or_away_is_said_and_the_journal_stays(tmp_path, server, short, monkeypatch):
    s3 = (
        ("s3://nobody/rowing", server, "does not exist"),
        ("s3://club/rowing", "http://127.0.0.1:9", "Could not connect"),
    )
    for address, listens, told in s3 if server else ():
        monkeypatch.setenv("AWS_ENDPOINT_URL", listens)
        store = Store(tmp_path / "data", shelf=Bucket(address))
        path = store.folder / "journal" / "one.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with Journal(path, short.header) as journal:
            for item in short.items:
                journal.append(item)
        with pytest.raises((StoreError, RecordingError), match=told):
            store.finish(path)
        assert path.exists()
        with pytest.raises(RecordingError, match=told):
            store.rows()
        path.unlink()


def test_a_bucket_that_can_only_be_read_is_shown_and_says_so_when_it_should_take_more(shared, short, monkeypatch):
    shared.add(called(short, "one"))

    def refused(*given, **more):
        raise PermissionError(13, "Access Denied")

    monkeypatch.setattr(shared.shelf._files, "pipe_file", refused)
    assert [row["session_id"] for row in shared.rows()] == ["one"]
    with pytest.raises(StoreError, match=r"Access Denied\. Nothing is lost"):
        shared.add(called(short, "two"))


def test_an_address_of_no_known_file_system_is_refused():
    with pytest.raises(UsageError, match="nix://club can't be reached"):
        Bucket("nix://club")


def test_the_index_of_a_slower_writer_costs_a_look_and_no_session(shared, short):
    shared.add(called(short, "one"))
    shared.rows()
    old = shared.shelf.read(index.KEY)
    shared.add(called(short, "two"))
    assert len(shared.rows()) == 2
    shared.shelf.put(index.KEY, old)
    assert len(shared.rows()) == 2
