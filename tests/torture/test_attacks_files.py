"""Attacks 5, 9, 10, 11 and 12 by files: what is imported, what is stored, and what is written for others."""

from __future__ import annotations

import ast
import gzip
import json
import os
import pickle
import re
import stat
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from xml.parsers import expat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rowsync.athlete import Athlete
from rowsync.errors import RecordingError, SessionNotFound
from rowsync.felt import Felt
from rowsync.files import locked, replacing
from rowsync.imports.packing import unpacked
from rowsync.imports.tcx import read_tcx
from rowsync.recording import Recording
from rowsync.shelf import Folder
from rowsync.store import Store
from rowsync.table import RAW, Part, read_table
from rowsync.wording import no_formula
from tests.conftest import ROOT
from tests.test_floors import imports
from tests.torture.planted import holds, versions

# --- who may read what is written -------------------------------------------------------------------------------------

WITHOUT_UMASK = """
import json, os, sys
from rowsync.cli import cli

os.umask(0)
for arguments in json.loads(sys.argv[1]):
    cli.main(arguments, standalone_mode=False)
"""


def commands_of_a_life(data, outside):
    """Commands that write all that rowsync ever writes below a data folder, and what they write elsewhere."""
    yield ("row", "--virtual", "--fast", "--plan", "2x20/20")
    yield ("felt", "--talk", "yes")
    yield ("correct", "--edge", "0:21", "0:20")
    yield ("report", "--all", "-o", outside / "site")
    yield ("export", "session", "-o", outside / "row.csv")
    yield ("export", "calories", "-o", outside / "calories.csv")


def rowsync(data, outside):
    commands = [[*map(str, each), "--data", str(data)] for each in commands_of_a_life(data, outside)]
    life = [sys.executable, "-c", WITHOUT_UMASK, json.dumps(commands)]
    done = subprocess.run(life, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def careless(data, outside):
    """Writes as most programs do."""
    umask = os.umask(0)
    (data / "samples").mkdir(parents=True)
    (data / "samples" / "s.parquet").write_bytes(b"")
    os.umask(umask)


@versions(rowsync, careless)
def test_all_that_is_written_is_its_owners_alone_whatever_the_umask(defence, outcome, tmp_path):
    data, outside = tmp_path / "data", tmp_path / "outside"
    defence(data, outside)
    with outcome:
        for path in (data, *data.rglob("*"), *outside.rglob("*")):
            open_to = stat.S_IMODE(path.lstat().st_mode) & 0o077
            holds(not open_to, f"{path.relative_to(tmp_path)} is open to others: {open_to:o}")
    if defence is rowsync:
        kinds = {path.suffix or path.name for path in data.rglob("*") if path.is_file()}
        assert kinds == {".parquet", ".json", ".html", ".js", "lock", ".lock"}


# --- 5: names that climb out of their folder --------------------------------------------------------------------------

CLIMBING = (
    "../../escape",
    "/etc/passwd",
    "..",
    ".",
    "a/../../b",
    "a\\..\\b",
    "a\0b",
    "CON",
    "x" * 300,
    "~root",
    "*",
    "[a-z]",
    "%2e%2e%2f",
    "\u202egnp.exe",
    " ",
)


@pytest.fixture(scope="module")
def short(intervals_recording):
    """The first minute of the seed workout."""
    return Recording(intervals_recording.header, intervals_recording.items[:120])


def stored(folder, recording, name):
    """As the store does: a session, its athlete and what was said of it."""
    header = replace(recording.header, session_id=name, athlete=Athlete(name))
    session_id = Store(folder).add(replace(recording, header=header))["session_id"]
    Store(folder).felt(session_id, Felt(True, None, datetime(2026, 1, 1, tzinfo=UTC)))


def trusting(folder, recording, name):
    """Puts files where their names say."""
    path = folder / "samples" / name
    path.resolve().parent.mkdir(parents=True, exist_ok=True)
    path.resolve().touch()


@versions(stored, trusting)
def test_whatever_a_session_or_an_athlete_is_called_its_files_lie_in_the_data_folder(defence, outcome, short, tmp_path):
    data = tmp_path / "far" / "below" / "data"
    for name in CLIMBING if defence is stored else CLIMBING[:1]:
        defence(data, short, name)
    with outcome:
        holds(names(tmp_path / "far") - names(data) == {"below", "data"}, "something lies beside the data folder")
        holds(names(tmp_path) - names(tmp_path / "far") == {"far"}, "something lies outside")


def names(folder):
    return {path.name for path in folder.rglob("*")}


def opened_lock(folder):
    with locked(folder):
        pass


def careless_lock(folder):
    (folder / "lock").write_text("1")


def replaced(folder):
    with replacing(folder / "machines.json") as file:
        file.write(b"{}")


def overwritten(folder):
    (folder / "machines.json").write_bytes(b"{}")


@pytest.mark.parametrize("name", ["lock", "machines.json"])
@versions((opened_lock, replaced), (careless_lock, overwritten))
def test_a_link_that_lies_where_a_file_belongs_does_not_lead_the_writing_elsewhere(defence, outcome, name, tmp_path):
    victim, data = tmp_path / "victim", tmp_path / "data"
    victim.write_text("precious")
    data.mkdir()
    (data / name).symlink_to(victim)
    with suppress(OSError):
        defence[name == "machines.json"](data)
    with outcome:
        holds(victim.read_text() == "precious", f"{name} was followed")


@versions(Store.summary, lambda store, name: (store.folder / "samples" / name).read_bytes())
def test_asking_for_a_session_by_a_path_opens_no_other_file(defence, outcome, tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "secret.parquet").write_bytes(b"precious")
    with outcome:
        for name in ("../secret", "../secret.parquet", "*", str(tmp_path / "secret.parquet")):
            with suppress(SessionNotFound, FileNotFoundError):
                holds(defence(Store(tmp_path), name) is None, f"{name} was opened")


# --- 9: cells that a spreadsheet runs ---------------------------------------------------------------------------------

FORMULAS = (
    "=HYPERLINK('http://x')",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20A1",
)


@versions(no_formula, lambda cell: cell, lambda cell: cell.lstrip("="))
def test_no_text_begins_as_a_formula_does_and_none_is_changed_but_for_one_sign(defence, outcome):
    with outcome:
        for text in FORMULAS:
            cell = defence(text)
            holds(cell[0] == "'", f"{text!r} becomes {cell!r}")
            holds(cell[1:] == text, f"{text!r} is not what it was")
        holds([defence(number) for number in (-5.0, 0, None)] == [-5.0, 0, None], "a number was touched")


# --- 10 and 12: stored files made to harm -----------------------------------------------------------------------------

PEAK = """
import resource, sys
from pathlib import Path
import pyarrow.parquet as pq
from rowsync.errors import RecordingError
from rowsync.ledger import energy_models
from rowsync.shelf import Folder
from rowsync.table import RAW, Part, read_table

READERS = {
    "a session": lambda path: read_table(Part(Folder(path.parent), path.name, path.stem), RAW),
    "what is exported over": energy_models,
    "pyarrow alone": pq.read_table,
}
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
# Not ru_maxrss, which a process has from the one that started it.
kib = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
path, before, refusal = Path(sys.argv[2]), kib(), ""
try:
    READERS[sys.argv[1]](path)
except (RecordingError, MemoryError) as error:
    refusal = type(error).__name__
print((kib() - before) // 1024, refusal)
"""


def many_rows(path):
    """Twenty million rows in some kilobytes: all of them null."""
    rows = pa.Table.from_arrays([pa.nulls(1 << 22, field.type) for field in RAW], schema=RAW)
    with pq.ParquetWriter(path, RAW, compression="zstd", store_schema=False) as writer:
        for _ in range(5):
            writer.write_table(rows)


def one_text_often(path, names=RAW.names):
    """Ten gigabytes in less than two kilobytes: one text, said a hundred thousand times."""
    count = 100_000
    text = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([b"x" * 100_000]))
    columns = [pa.array([0] * count, pa.int64()), pa.array(["2ad1"] * count), text]
    pq.write_table(pa.table(columns, names), path, compression="zstd", store_schema=False)


@pytest.mark.parametrize("bomb", [many_rows, one_text_often])
@versions("a session", "pyarrow alone")
def test_a_bomb_of_parquet_is_refused_before_it_is_in_memory(defence, outcome, bomb, tmp_path):
    path = tmp_path / "bomb.parquet"
    bomb(path)
    assert path.stat().st_size < 200_000
    done = subprocess.run([sys.executable, "-c", PEAK, defence, path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    grown_mib, _, refusal = done.stdout.strip().partition(" ")
    with outcome:
        holds(int(grown_mib) < 100, f"{grown_mib} MiB for {path.stat().st_size} octets")
        holds(refusal == "RecordingError", f"it ended with {refusal or 'a table'}")


@versions("what is exported over", "pyarrow alone")
def test_a_bomb_where_an_export_goes_is_overwritten_and_not_read(defence, outcome, tmp_path):
    path = tmp_path / "calories.parquet"
    one_text_often(path, ["at", "athlete", "energy_model"])
    done = subprocess.run([sys.executable, "-c", PEAK, defence, path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with outcome:
        holds(int(done.stdout.split()[0]) < 100, f"{done.stdout.split()[0]} MiB for {path.stat().st_size} octets")


class Runs:
    """What a pickle runs when it is read."""

    def __reduce__(self):
        return os.mkdir, (os.environ["ROWSYNC_TEST_SENTINEL"],)


def unpickled(path):
    """As pyarrow read extension types before 14.0.1."""
    for field in pq.read_schema(path):
        if field.metadata and b"ARROW:extension:metadata" in field.metadata:
            pickle.loads(field.metadata[b"ARROW:extension:metadata"])


def read(path):
    return read_table(Part(Folder(path.parent), path.name, path.stem), RAW)


@versions(read, unpickled)
def test_a_pickle_in_a_stored_file_is_never_run(defence, outcome, tmp_path, monkeypatch):
    monkeypatch.setenv("ROWSYNC_TEST_SENTINEL", str(tmp_path / "ran"))
    extension = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickle.dumps(Runs())}
    schema = pa.schema([field.with_metadata(extension) for field in RAW])
    pq.write_table(schema.empty_table(), tmp_path / "x.parquet")
    with suppress(RecordingError, FileExistsError):  # it may run for each of the columns
        defence(tmp_path / "x.parquet")
    with outcome:
        holds(not (tmp_path / "ran").exists(), "it ran")


UNSAFE = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "pyarrow.ipc", "pyarrow.feather"}
"""What turns bytes of others into objects, or had a hole that did."""


def imported():
    for package in ("rowsync", "dashboards"):
        for path in (ROOT / package).rglob("*.py"):
            yield from imports(path)


@versions(imported, lambda: ["pickle.loads"], lambda: ["pyarrow.ipc.open_file"])
def test_nothing_is_read_by_what_can_run_it(defence, outcome):
    with outcome:
        found = {name for name in defence() if any(f"{name}.".startswith(f"{each}.") for each in UNSAFE)}
        holds(not found, f"{found} are imported")


def test_python_that_is_made_is_made_of_rowsyncs_own_tables_alone():
    runs = [
        path.relative_to(ROOT).as_posix()
        for package in ("rowsync", "dashboards")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec")
    ]
    assert runs == ["rowsync/ftms.py"], "the decoder compiles its layout, from flags that are a number"


def test_no_weak_hash_is_used_for_anything():
    for package in ("rowsync", "dashboards"):
        for path in (ROOT / package).rglob("*.py"):
            assert not re.search(r"\b(md5|sha1|random\.(random|choice|randbytes)\(.*token)", path.read_text()), path


def test_no_command_goes_through_a_shell():
    for package in ("rowsync", "dashboards"):
        for path in (ROOT / package).rglob("*.py"):
            assert not re.search(
                r"shell\s*=|os\.system|os\.popen|getoutput|create_subprocess_shell", path.read_text()
            ), path


# --- 11: bombs of gzip and XML ----------------------------------------------------------------------------------------


def inflated(content):
    return gzip.decompress(content)


@versions(unpacked, inflated)
def test_a_gzip_of_zeros_is_not_unpacked(defence, outcome):
    bomb, most = gzip.compress(bytes(150_000_000), 1), 0
    tracemalloc.start()
    with suppress(RecordingError):
        defence(bomb)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with outcome:
        holds(most < 140_000_000, f"{most} octets for {len(bomb)}")


def with_doctypes(content):
    """As a parser reads that nobody has told of bombs."""
    read = []
    parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
    parser.ExternalEntityRefHandler = lambda *entity: read.append(entity) or 1
    parser.CharacterDataHandler = read.append
    parser.Parse(content, True)
    return read


XML_BOMBS = {
    "laughs": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x>&b;</x>',
    "a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "a server": '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd"><x/>',
}


@pytest.mark.parametrize("bomb", XML_BOMBS)
@versions(read_tcx, with_doctypes)
def test_xml_that_declares_a_type_is_refused_before_any_entity_is_read(defence, outcome, bomb):
    refused = False
    try:
        defence(XML_BOMBS[bomb].encode())
    except RecordingError as error:
        refused = "document type" in str(error)
    with outcome:
        holds(refused, f"{bomb} was read")
