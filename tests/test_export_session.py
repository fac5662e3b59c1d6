"""`rowsync export session` as a person meets it."""

from __future__ import annotations

import io
import json
import os
import pty
import stat
import warnings
from datetime import UTC, datetime, timedelta

import fitdecode
import pytest
from click.testing import CliRunner
from garmin_fit_sdk import Decoder, Stream

from rowsync.errors import RowsyncError
from rowsync.exports import FORMATS
from rowsync.recording import read_recording
from rowsync.store import Store
from tests.conftest import RECORDED

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # Click's, of how a reader that has had enough is told
    from rowsync.cli import cli
    from rowsync.cli.export import export


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A store with one session."""
    folder = tmp_path_factory.mktemp("data")
    Store(folder).add(read_recording(RECORDED / "intervals-10x45-75.jsonl"))
    return folder


def run(data, *arguments):
    return CliRunner().invoke(cli, ["export", "session", *map(str, arguments), "--data", str(data)])


def refused(data, *arguments):
    """What the person is told, and the exit code."""
    error = run(data, *arguments).exception
    assert isinstance(error, RowsyncError), error
    return str(error), error.exit_code


def sport_of(content):
    with fitdecode.FitReader(io.BytesIO(content), check_crc=fitdecode.CrcCheck.RAISE) as reader:
        messages = [frame for frame in reader if isinstance(frame, fitdecode.FitDataMessage)]
    return next(message.get_value("sport") for message in messages if message.name == "session")


def test_the_formats_that_help_lists_are_all_there_are():
    (form,) = [each for each in export.commands["session"].params if each.name == "form"]
    assert list(form.type.choices) == list(FORMATS)


@pytest.mark.parametrize(("name", "begins"), [("r.tcx", b"<?xml"), ("r.csv", b"session_id,"), ("R.JSON", b'{"session')])
def test_the_name_of_the_file_says_the_format(data, tmp_path, name, begins):
    done = run(data, "-o", tmp_path / name)
    assert done.exit_code == 0, done.exception
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert done.stdout == ""
    assert "intervals-10x45-75" in done.stderr


def test_a_fit_file_is_a_row(data, tmp_path):
    assert run(data, "intervals", "-o", tmp_path / "row.fit").exit_code == 0
    assert sport_of((tmp_path / "row.fit").read_bytes()) == "rowing"


def test_without_a_file_it_goes_to_standard_output(data):
    assert run(data).stdout.startswith("session_id,")
    assert sport_of(run(data, "--format", "fit").stdout_bytes) == "rowing"


def test_json_is_what_show_prints_with_the_series(data):
    shown = json.loads(CliRunner().invoke(cli, ["show", "--json", "--data", str(data)]).stdout)
    document = json.loads(run(data, "--format", "json").stdout)
    assert len(document.pop("series")["strokes"]["number"]) == shown["stroke_count"]
    assert document == shown


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["-o", "row.txt"], 2, "--format"),
        (["-o", "row"], 2, ".fit"),
        (["nobody"], 3, "No session"),
        (["--format", "csv", "-o", "/dev/full"], 5, "can't be written"),
        (["--format", "csv", "-o", "/proc/nothing/row.csv"], 5, "can't be written"),
    ],
)
def test_what_makes_no_sense_is_said(data, tmp_path, monkeypatch, arguments, code, told):
    monkeypatch.chdir(tmp_path)
    said, exit_code = refused(data, *arguments)
    assert told in said
    assert exit_code == code
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_a_file(data, tmp_path):
    said, exit_code = refused(data, "--format", "csv", "-o", tmp_path)
    assert (exit_code, "directory" in said) == (5, True)


def test_fit_is_not_poured_into_a_terminal(data, monkeypatch):
    mine, terminal = pty.openpty()
    with os.fdopen(mine, "rb"), os.fdopen(terminal, "w") as screen:
        monkeypatch.setattr("sys.stdout", screen)
        with pytest.raises(RowsyncError, match=r"-o row\.fit"):
            cli.main(["export", "session", "--format", "fit", "--data", str(data)], standalone_mode=False)


def test_a_file_is_replaced_whole_where_a_link_leads(data, tmp_path):
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "row.csv", tmp_path / "row.csv"
    real.write_text("old")
    link.symlink_to(real)
    assert run(data, "-o", link).exit_code == 0
    assert link.is_symlink()
    assert real.read_text().startswith("session_id,")
    assert [path.name for path in real.parent.iterdir()] == ["row.csv"]


def test_what_is_no_file_is_written_to_and_stays_what_it_is(data):
    assert run(data, "--format", "tcx", "-o", "/dev/null").exit_code == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_session_whose_bytes_are_gone_is_exported_from_its_samples(tmp_path):
    store = Store(tmp_path)
    store.add(read_recording(RECORDED / "intervals-10x45-75.jsonl"))
    before = run(tmp_path, "--format", "rowingdata").stdout
    (raw,) = tmp_path.glob("raw/*/*/*.parquet")
    raw.unlink()
    done = run(tmp_path, "--format", "rowingdata")
    assert done.exit_code == 0, done.exception
    assert done.stdout == before


def test_the_clock_beside_utc_is_the_athletes(data, settings_file):
    settings_file.write_text('[athletes.virtual]\ntime_zone = "Asia/Tokyo"\n')
    content = run(data, "--format", "fit").stdout_bytes
    messages, _ = Decoder(Stream.from_byte_array(bytearray(content))).read()
    (activity,) = messages["activity_mesgs"]
    fit_epoch = datetime(1989, 12, 31, tzinfo=UTC)
    local = fit_epoch + timedelta(seconds=activity["local_timestamp"])
    assert local - activity["timestamp"] == timedelta(hours=9)
