"""Whenever the power is cut, and whatever the disk has of what was not synced: what was told to be saved is there."""

from __future__ import annotations

import os
from random import Random

import pytest

from tests.torture.calls import Call, missing
from tests.torture.commands import run
from tests.torture.disk import Disk
from tests.torture.weak import BY_POWER

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
WORKS = ("go on", "finish", "import longer")


@pytest.fixture(scope="module")
def ran():
    return run("power", "--cases", "1", *(each for work in WORKS for each in ("--work", work)))


def test_nothing_saved_is_lost_in_any_state_of_the_disk(ran):
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 violations" in ran.stdout


def test_each_planted_mistake_is_caught(ran):
    assert f"planted mistakes caught {len(BY_POWER)} of {len(BY_POWER)}" in ran.stdout, ran.stdout + ran.stderr


NEW = Call("openat", "new", flags=os.O_CREAT | os.O_WRONLY)
WRITTEN = Call("write", "new", data=b"a" * 600, result=600)
APPENDED = Call("write", "new", offset=-1, data=b"b" * 600, result=600)
SYNCED, FOLDER_SYNCED = Call("fsync", "new"), Call("fsync", "")


def left(folder, *calls):
    """The states that a cut after these calls may leave."""
    disk = Disk(folder)
    for call in calls:
        disk.apply(call)
    return list(disk.states(500, Random(1)))


def test_what_is_synced_with_its_folder_is_there_as_it_was_written(tmp_path):
    states = left(tmp_path, NEW, WRITTEN, SYNCED, FOLDER_SYNCED)
    assert all(state == {"new": b"a" * 600} for state in states)


def test_a_file_without_a_synced_folder_may_have_no_name(tmp_path):
    states = left(tmp_path, NEW, WRITTEN, SYNCED)
    assert {} in states
    assert {"new": b"a" * 600} in states


def test_what_is_not_synced_may_be_torn_at_a_sector_anywhere_at_its_end_or_be_zeros(tmp_path):
    states = left(tmp_path, NEW, FOLDER_SYNCED, WRITTEN)
    contents = {state["new"] for state in states}
    assert {b"", b"a" * 600, b"\0" * 512 + b"a" * 88, b"a" * 512 + b"\0" * 88, b"\0" * 600} <= contents
    assert len({len(content) for content in contents}) > 100


def test_what_was_synced_before_stays_below_what_is_appended(tmp_path):
    states = left(tmp_path, NEW, WRITTEN, SYNCED, FOLDER_SYNCED, APPENDED)
    assert all(state["new"].startswith(b"a" * 600) for state in states)
    assert any(b"\0" in state["new"] for state in states)


def test_a_refused_write_is_not_on_the_disk(tmp_path):
    refused = Call("write", "new", data=b"a", result=-28)
    assert {state["new"] for state in left(tmp_path, NEW, FOLDER_SYNCED, refused)} == {b""}


def test_a_name_that_is_renamed_is_one_or_the_other_and_a_later_change_may_come_without_an_earlier(tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "other").write_bytes(b"other")
    states = left(tmp_path, Call("rename", "old", to="new"), Call("unlink", "other"))
    names = {tuple(state) for state in states}
    assert names == {("old", "other"), ("new", "other"), ("old",), ("new",)}


def test_between_folders_the_old_name_never_goes_without_the_new_one_coming(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "from" / "a").write_bytes(b"a")
    moved = Call("rename", "from/a", to="to/a")
    names = {tuple(path for path in state if "/" in path) for state in left(tmp_path, moved)}
    assert names == {("from/a",), ("to/a",), ("from/a", "to/a")}
    synced = {tuple(path for path in state if "/" in path) for state in left(tmp_path, moved, Call("fsync", "from"))}
    assert synced == {("to/a",)}


def test_below_a_folder_without_a_name_nothing_is(tmp_path):
    inside = Call("openat", "folder/new", flags=os.O_CREAT)
    states = left(tmp_path, Call("mkdir", "folder"), inside, Call("fsync", "folder"))
    assert {tuple(state) for state in states} == {(), ("folder", "folder/new")}
