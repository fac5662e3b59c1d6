"""One flipped bit is noticed or changes nothing, whichever file it is in; and the other sessions open beside it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from dashboards.app import create_app
from rowsync.cli import cli
from rowsync.errors import RecordingError
from rowsync.store import Store
from tests.test_dashboards_app import ask
from tests.torture.bitrot import TARGETS, WEAK, Rot, rowed, run
from tests.torture.tally import mistaken


def test_no_flipped_bit_of_any_file_is_believed(tmp_path):
    tally = run(tmp_path / "data", cases=80, seed=1)
    assert tally.violations == []
    assert tally.cases == 80 * len(TARGETS)


@pytest.mark.parametrize("weak", WEAK)
def test_the_suite_finds_a_mistake(tmp_path, weak):
    tally = run(tmp_path / "data", cases=400, seed=1, weak=weak, quick=True)
    assert len(tally.violations) == 1
    assert f"--weak {weak}" in tally.violations[0]


def test_a_case_is_repeated_by_its_bit(tmp_path):
    weak = "no-line-crc"
    violation = run(tmp_path / "first", cases=400, seed=1, weak=weak, quick=True).violations[0]
    bit = int(violation.split("--bit ")[1].split()[0])
    with mistaken(WEAK, weak):
        wrong, _ = Rot(tmp_path / "second", weak).judged("journal", bit)
    assert wrong == violation


# --- the rest of the history ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A folder of three sessions."""
    store = Store(tmp_path_factory.mktemp("three"))
    for name in ("a", "b", "c"):
        store.add(rowed(200, name))
    return store


@pytest.fixture(params=["pages", "metadata"])
def damaged(request, three):
    """The same, with a flipped bit in the samples of the second."""
    (path,) = three.folder.glob("samples/*/*/b.parquet")
    sound, content = path.read_bytes(), bytearray(path.read_bytes())
    content[300 if request.param == "pages" else len(content) - 300] ^= 4
    path.write_bytes(content)
    yield three
    path.write_bytes(sound)


def asked(store, *arguments):
    return CliRunner().invoke(cli, [*arguments, "--data", str(store.folder)])


def test_the_list_the_ledger_and_the_other_sessions_open_beside_a_damaged_one(damaged):
    listed = asked(damaged, "sessions", "--json")
    assert {row["session_id"] for row in json.loads(listed.stdout)} >= {"a", "c"}
    for arguments in (("show", "a"), ("show", "c"), ("export", "calories"), ("programme",)):
        assert asked(damaged, *arguments).exit_code == 0


def test_every_other_page_is_written_and_the_damaged_session_is_named(damaged, tmp_path):
    done = asked(damaged, "report", "--all", "-o", str(tmp_path / "site"))
    assert {"a.html", "c.html", "index.html"} <= {path.name for path in (tmp_path / "site").iterdir()}
    assert done.exception is None or isinstance(done.exception, RecordingError)
    assert "b.parquet" in f"{done.stderr}{done.exception}"


def test_the_dashboard_shows_the_others_and_says_why_not_the_damaged_one(damaged):
    app = create_app(damaged)
    assert ask(app, "/").status_code == ask(app, "/session/a").status_code == 200
    answer = ask(app, "/session/b")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "b.parquet" in answer.text
