"""`rowsync upload`, against a service that stands in: what is sent once, what never is, and what is said."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from rowsync.uploads import KEY, uploads
from tests.conftest import RECORDED
from tests.test_cli import rowsync
from tests.test_uploads import answer, standing_in


def stored(folder, session_id, **header):
    """A recorded row in the store, with other words in its header."""
    first, *lines = (RECORDED / "pace-only-10x45-75.jsonl").read_text().splitlines()
    content = (
        json.loads(first[9:]) | {"origin": "hardware", "session_id": session_id, "athlete": {"name": "me"}} | header
    )
    file = folder / f"{session_id}.jsonl"
    file.write_text("\n".join((json.dumps(content), *lines)))
    rowsync("replay", file, "--store", "--data", folder / "data")


@pytest.fixture(scope="module")
def rowed(tmp_path_factory):
    """Two sessions of a person and one of a virtual rower, for tests to copy."""
    folder = tmp_path_factory.mktemp("rowed")
    for number, origin in enumerate(("hardware", "hardware", "synthetic")):
        stored(folder, f"row-{number}", origin=origin)
    return folder / "data"


@pytest.fixture
def store(rowed, tmp_path):
    """The same sessions in a folder of the test's own."""
    return shutil.copytree(rowed, tmp_path / "data")


def uploading(store, server, *arguments, code=0, key="k3y"):
    settings = store.parent / "settings.toml"
    settings.write_text(f'[intervals_icu]\nurl = "{server.url}"\n')
    environment = {**os.environ, "ROWSYNC_CONFIG": str(settings)} | ({KEY: key} if key else {})
    return rowsync("upload", *arguments, "--data", store, env=environment, code=code)


def test_what_is_there_is_not_sent_again_and_what_a_program_rowed_never_is(store):
    with standing_in(answer(200, b'{"id": "i1"}')) as server:
        sent = json.loads(uploading(store, server, "--all", "--json").stdout)
        assert sorted(each["session_id"] for each in sent) == ["row-0", "row-1"]
        assert all(body.count(b".FIT") == 1 for _, _, body in server.asked)
        done = uploading(store, server, "--all")
        assert "already" in done.stderr
        assert len(server.asked) == 2
        assert "virtual rower" in uploading(store, server, "row-2").stderr
        uploading(store, server, "row-1", "--again")
        assert len(server.asked) == 3
        listed = json.loads(uploading(store, server, "--list", "--json").stdout)
    assert {each["session_id"]: each["id"] for each in listed} == {"row-0": "i1", "row-1": "i1"}


def test_a_refusal_is_said_kept_and_tried_again_the_next_time(store):
    with standing_in(answer(401, b"who are you?"), answer(200)) as server:
        done = uploading(store, server, "row-0", code=5)
        assert "row-0: the key isn't taken (401, who are you?)" in done.stderr
        assert "k3y" not in done.stderr + done.stdout
        assert not uploads(store)["row-0"].is_sent
        uploading(store, server, "row-0")
    assert uploads(store)["row-0"].is_sent


def test_without_a_key_nothing_is_asked_of_anybody(store):
    with standing_in(answer(200)) as server:
        assert KEY in uploading(store, server, "row-0", code=2, key=None).stderr
        assert "not several" in uploading(store, server, "row-0", "--all", code=2).stderr
        assert server.asked == []


def test_an_account_gets_one_persons_sessions_and_imported_ones_only_when_that_is_said(store):
    stored(store.parent, "others", athlete={"name": "ben"})
    stored(store.parent, "from-afar", origin="converted")
    with standing_in(answer(200)) as server:
        done = uploading(store, server, "--all", "--json")
        assert sorted(each["session_id"] for each in json.loads(done.stdout)) == ["row-0", "row-1"]
        assert "1 session of others than me" in done.stderr
        assert "1 session imported" in done.stderr
        assert sent_ids(uploading(store, server, "--all", "--imported", "--json")) == ["from-afar"]
        assert sent_ids(uploading(store, server, "--athlete", "ben", "--json")) == ["others"]
        assert "me, say --athlete" in uploading(store, server, "--athlete", "eve", code=3).stderr.replace(
            ": say", ", say"
        )


def sent_ids(done):
    return [each["session_id"] for each in json.loads(done.stdout)]


def test_a_session_that_cannot_be_sent_is_named_and_the_others_are_sent(store):
    stored(store.parent, "long-ago", started_at="1995-01-01T00:00:00Z")
    with standing_in(answer(200)) as server:
        done = uploading(store, server, "--all", code=5)
        assert "long-ago: The session began in 1995" in done.stderr
        assert len(server.asked) == 2
    assert sorted(uploads(store)) == ["row-0", "row-1"]


def test_a_key_that_is_not_taken_ends_all_of_it(store):
    with standing_in(answer(401)) as server:
        done = uploading(store, server, "--all", code=5)
        assert len(server.asked) == 1
    assert "Nor 1 more session, which was not tried." in done.stderr


def test_the_latest_session_is_the_latest_that_was_rowed_with_rowsync(store):
    stored(store.parent, "from-afar", origin="converted", started_at="2026-12-24T12:00:00Z")
    with standing_in(answer(200)) as server:
        assert sent_ids(uploading(store, server, "--json")) != ["from-afar"]
        assert sent_ids(uploading(store, server, "from-afar", "--json")) == ["from-afar"]


def test_what_is_there_stays_known_as_sent_where_sending_it_again_fails(store):
    with standing_in(answer(200, b'{"id": "i1"}'), answer(422)) as server:
        uploading(store, server, "row-0")
        assert "didn't take" in uploading(store, server, "row-0", "--again", code=5).stderr
    assert uploads(store)["row-0"].id == "i1"
