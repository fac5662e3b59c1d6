"""`rowsync upload`, against a service that stands in: what is sent once, what never is, and what is said."""

from __future__ import annotations

import json
import os

import pytest

from rowsync.uploads import KEY, uploads
from tests.conftest import RECORDED
from tests.test_cli import rowsync
from tests.test_uploads import answer, standing_in


@pytest.fixture
def store(tmp_path):
    """Two sessions of a person and one of a virtual rower."""
    for number, origin in enumerate(("hardware", "hardware", "synthetic")):
        header, *lines = (RECORDED / "pace-only-10x45-75.jsonl").read_text().splitlines()
        content = json.loads(header[9:]) | {"origin": origin, "session_id": f"row-{number}"}
        file = tmp_path / f"{number}.jsonl"
        file.write_text("\n".join((json.dumps(content), *lines)))
        rowsync("replay", file, "--store", "--data", tmp_path / "data")
    return tmp_path / "data"


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
