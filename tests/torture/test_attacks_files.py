"""Attacks 5, 9, 10, 11 and 12 by files: what is imported, what is stored, and what is written for others."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

from tests.conftest import ROOT
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
