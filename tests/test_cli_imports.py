"""`rowsync import`: a folder of other tools' files becomes sessions, once, and what can't be read is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from rowsync.store import Store
from tests import foreign_files as files
from tests.test_cli import rowsync


@pytest.fixture
def folder(tmp_path):
    """Rows as they lie in somebody's downloads, under names that say nothing."""
    folder = tmp_path / "downloads"
    (folder / "old" / ".hidden").mkdir(parents=True)
    (folder / "result (1).txt").write_bytes(files.concept2())
    (folder / "old" / "export").write_bytes(files.fit(*files.fit_row(began_s=7200)))
    (folder / "old" / "notes.csv").write_text("Dear diary,\n")
    (folder / "old" / ".hidden" / "row.csv").write_bytes(files.ergdata())
    os.utime(folder / "result (1).txt", (1_700_000_000, 1_700_000_000))
    return folder


def test_a_folder_is_imported_and_what_cannot_be_read_is_named(folder, tmp_path):
    done = rowsync("import", folder, "--athlete", "anna", "--data", tmp_path / "data", code=4)
    assert len(done.stdout.splitlines()) == 2
    assert "notes.csv: It is no file of a row that rowsync knows." in done.stderr
    assert done.stderr.endswith("1 of 3 files could not be imported.\n")
    assert "result (1).txt: It holds no date: the time of its file's last change stands in." in done.stderr
    rows = Store(tmp_path / "data").rows()
    assert [(row["athlete"], row["origin"], round(row["distance_m"])) for row in rows] == [
        ("anna", "converted", 480),
        ("anna", "converted", 500),
    ]
    assert rows[1]["started_at"].timestamp() == 1_700_000_000


def test_an_import_of_many_files_writes_the_index_once(folder, tmp_path):
    heard = (
        "import sys; from rowsync.cli import main\n"
        "def hear(event, names):\n"
        "    if event == 'os.rename' and str(names[1]).endswith('sessions.parquet'): sys.stderr.write('INDEX\\n')\n"
        "sys.addaudithook(hear); main()"
    )
    command = [sys.executable, "-c", heard, "import", folder, "--data", tmp_path / "data"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr.count("INDEX") == 1


def test_the_same_import_twice_adds_nothing_even_where_the_file_looks_newer(folder, tmp_path):
    data = tmp_path / "data"
    rowsync("import", folder, "--data", data, code=4)
    before = {path: path.read_bytes() for path in data.rglob("*.parquet")}
    os.utime(folder / "result (1).txt")
    again = rowsync("import", folder, "--data", data, "--json", code=4)
    told = json.loads(again.stdout)
    assert [len(told[what]) for what in ("imported", "present", "refused")] == [0, 2, 1]
    assert {path: path.read_bytes() for path in data.rglob("*.parquet")} == before


@pytest.mark.parametrize("changed_s", [0, 4e12])
def test_a_file_of_an_impossible_date_is_imported_as_of_now(tmp_path, changed_s):
    """1970 is what archives leave behind, and some file systems hold years that no calendar has."""
    (tmp_path / "row.csv").write_bytes(files.concept2())
    os.utime(tmp_path / "row.csv", (changed_s, changed_s))
    began = datetime.now(UTC).replace(microsecond=0)
    done = rowsync("import", tmp_path / "row.csv", "--json")
    (imported,) = json.loads(done.stdout)["imported"]
    assert began <= datetime.fromisoformat(imported["started_at"]) <= datetime.now(UTC)
    assert "present moment" in done.stderr


def test_the_same_row_out_of_two_files_is_stored_once(tmp_path):
    fit, tcx = tmp_path / "row.fit", tmp_path / "row.tcx"
    fit.write_bytes(files.fit(*files.fit_row()))
    tcx.write_bytes(files.tcx())
    trial = json.loads(rowsync("import", fit, tcx, "--dry-run", "--json").stdout)
    done = json.loads(rowsync("import", fit, tcx, "--json").stdout)
    for told in (trial, done):
        assert [each["path"] for each in told["imported"]] == [str(fit)]
        assert [each["path"] for each in told["present"]] == [str(tcx)]
        assert told["present"][0]["session_id"] == told["imported"][0]["session_id"]
    assert len(json.loads(rowsync("sessions", "--json").stdout)) == 1


def test_a_row_at_a_time_at_which_the_athlete_rowed_already_is_imported_where_that_is_insisted_on(tmp_path):
    fit, tcx = tmp_path / "row.fit", tmp_path / "row.tcx"
    fit.write_bytes(files.fit(*files.fit_row()))
    tcx.write_bytes(files.tcx())
    rowsync("import", fit, "--athlete", "anna")
    told = rowsync("import", tcx, "--athlete", "anna")
    assert "anna rowed then already (--anyway imports it), as 2024" in told.stderr
    rowsync("import", tcx, "--athlete", "anna", "--anyway")
    assert len(json.loads(rowsync("sessions", "--json").stdout)) == 2
    again = json.loads(rowsync("import", fit, tcx, "--athlete", "anna", "--anyway", "--json").stdout)
    assert [len(again[what]) for what in ("imported", "present")] == [0, 2]


# --- whose ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [files.concept2(), files.fit(*files.fit_row()), files.painsled_twice()])
def test_a_file_that_was_imported_for_the_wrong_athlete_moves_with_what_was_said_of_it(tmp_path, content):
    data, path = tmp_path / "data", tmp_path / "row"
    path.write_bytes(content)
    rowsync("import", path, "--athlete", "anna", "--data", data)
    before = {row["session_id"]: row["started_at"] for row in Store(data).rows()}
    for session_id in before:
        rowsync("felt", session_id, "--talk", "yes", "--data", data)
    os.utime(path)  # whatever its date says now, the row was rowed when it was
    trial = rowsync("import", path, "--athlete", "ben", "--data", data, "--dry-run")
    assert "would move from anna to ben" in trial.stderr
    assert {row["athlete"] for row in Store(data).rows()} == {"anna"}
    done = rowsync("import", path, "--athlete", "ben", "--data", data)
    assert "It moved from anna to ben." in done.stderr
    assert "last change" not in done.stderr
    store = Store(data)
    assert {row["session_id"]: row["started_at"] for row in store.rows()} == before
    assert {row["athlete"] for row in store.rows()} == {"ben"}
    assert not list(data.glob("*/athlete=anna/*/*"))
    assert {kind.name for kind in data.iterdir() if list(kind.glob("athlete=ben/*/*"))} == {"raw", "samples", "felt"}
    assert all(store.summary(session_id)["felt"]["talked"] for session_id in before)
    assert "imported before, as" in rowsync("import", path, "--athlete", "ben", "--data", data).stderr


def test_a_row_moves_only_where_its_file_is_named_and_the_athlete_is_typed(tmp_path, monkeypatch):
    """A folder of a household's rows is imported over and over, and mostly for whoever rowed the newest."""
    (tmp_path / "rows").mkdir()
    path = tmp_path / "rows" / "row.csv"
    path.write_bytes(files.concept2())
    rowsync("import", path, "--athlete", "anna")
    told = rowsync("import", tmp_path / "rows", "--athlete", "ben").stderr
    assert "It was imported before, for anna, as" in told
    assert "rowsync import FILE --athlete ben" in told
    monkeypatch.setenv("ROWSYNC_ATHLETE", "ben")
    assert "It was imported before, for anna, as" in rowsync("import", path).stderr
    monkeypatch.delenv("ROWSYNC_ATHLETE")
    assert [row["athlete"] for row in json.loads(rowsync("sessions", "--json").stdout)] == ["anna"]


def test_a_row_doesnt_move_onto_one_that_the_other_athlete_rowed_then(tmp_path):
    fit, tcx = tmp_path / "row.fit", tmp_path / "row.tcx"
    fit.write_bytes(files.fit(*files.fit_row()))
    tcx.write_bytes(files.tcx())
    rowsync("import", fit, "--athlete", "anna")
    rowsync("import", tcx, "--athlete", "ben")
    assert "ben rowed then already" in rowsync("import", fit, "--athlete", "ben").stderr
    assert "moved from anna to ben" in rowsync("import", fit, "--athlete", "ben", "--anyway").stderr


def test_a_moved_date_without_a_zone_is_of_the_other_athletes(tmp_path, settings_file):
    settings_file.write_text('[athletes.anna]\ntime_zone = "Europe/Lisbon"\n[athletes.ben]\ntime_zone = "Asia/Tokyo"\n')
    (tmp_path / "row.csv").write_bytes(files.boatcoach())
    rowsync("import", tmp_path / "row.csv", "--athlete", "anna")
    told = rowsync("import", tmp_path / "row.csv", "--athlete", "ben", "--json")
    (imported,) = json.loads(told.stdout)["imported"]
    assert imported["started_at"] == "2024-05-03T23:30:00Z"


def test_two_rows_of_one_file_are_two_sessions_and_again_none(tmp_path):
    (tmp_path / "both.csv").write_bytes(files.painsled_twice())
    told = json.loads(rowsync("import", tmp_path / "both.csv", "--json").stdout)
    assert len(told["imported"]) == len(json.loads(rowsync("sessions", "--json").stdout)) == 2
    again = json.loads(rowsync("import", tmp_path / "both.csv", "--json").stdout)
    assert not again["imported"]
    assert len(again["present"]) == 1


def test_a_dry_run_stores_nothing(folder, tmp_path):
    data = tmp_path / "data"
    done = rowsync("import", folder / "old" / "export", "--dry-run", "--data", data)
    assert "FIT" in done.stdout
    assert "1 session would be imported; nothing was stored." in done.stderr
    assert not data.exists()


def test_a_file_that_is_not_there_and_one_that_is_none_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    done = rowsync("import", tmp_path / "absent.fit", tmp_path / "pipe", code=4)
    assert "absent.fit: It can't be read: No such file or directory." in done.stderr
    assert "pipe: It is no file." in done.stderr


def test_a_name_of_any_octets_is_imported_and_printed_plainly(tmp_path):
    path = os.fsencode(tmp_path) + b"/\x1b[31m\xff\n.fit"
    with open(path, "wb") as file:
        file.write(files.fit(*files.fit_row()))
    done = rowsync("import", tmp_path)
    assert len(done.stdout.splitlines()) == 1
    assert "\x1b" not in done.stdout + done.stderr
    assert json.loads(rowsync("show", "--json").stdout)["distance_m"] == 480


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "There are no files" in rowsync("import", tmp_path / "empty", code=4).stderr


def test_an_imported_row_is_shown_like_any_other(tmp_path):
    (tmp_path / "row.fit").write_bytes(files.fit(*files.fit_row()))
    rowsync("import", tmp_path / "row.fit")
    shown = json.loads(rowsync("show", "--json").stdout)
    assert shown["origin"] == "converted"
    assert shown["source"] == "FIT"
    assert shown["energy"]["gross_kcal"] > 0
    assert [interval["effort"] for interval in shown["intervals"]] == ["steady"]
