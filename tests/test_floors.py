"""The architecture as tables: who may import whom, and which library has which door.

A new import is a visible edit of these tables.  Arrows never point down the list.
"""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.conftest import RECORDED, ROOT

CORE = [
    "errors",
    "wording",
    "athlete",
    "reading",
    "ftms",
    "features",
    "identity",
    "control",
    "concept2",
    "heart_rate",
    "machines",
    "telemetry",
    "profile",
    "readers",
    "strokes",
    "bests",
    "intervals",
    "corrections",
    "formulas",
    "energy",
    "audit",
    "felt",
    "training",
    "target",
    "plan",
    "guide",
    "rounds",
    "commands",
    "witness",
    "session",
    "moment",
    "machine_factor",
    "comparison",
    "verdict",
    "cost",
    "changes",
    "programme",
    "palette",
    "big_digits",
    "rowing_view",
    "team",
    "room_view",
]
"""From the ground up; no clock, no loop, no file, no log, no table library."""

FLOORS = [
    *CORE,
    "slug",
    "seal",
    "files",
    "places",
    "plan_file",
    "decoding",
    "recording",
    "traffic",
    "evidence",
    "redaction",
    "examination",
    "days",
    "imports",
    "config",
    "secret",
    "journal",
    "unfinished",
    "claim",
    "waiting",
    "sluice",
    "ble",
    "ear",
    "discovery",
    "remembered",
    "handshake",
    "connection",
    "rowing",
    "room",
    "messages",
    "mqtt",
    "relay",
    "wal",
    "hub",
    "virtual",
    "plan_picture",
    "terminal",
    "teletype",
    "keys",
    "room_keys",
    "sound",
    "rowing_screen",
    "room_screen",
    "apart",
    "collector",
    "awake",
    "live",
    "ledger",
    "exported",
    "uploads",
    "exports",
    "ticks",
    "adherence",
    "workers",
    "cluster",
    "shelf",
    "table",
    "leaderboard",
    "index",
    "store",
    "bucket",
    "soundness",
    "dashboards",
    "cli",
    "__main__",
]

DOORS = {
    "bleak": {"ble", "virtual"},
    "fitdecode": {"imports"},
    "bumble": {"virtual"},
    "aiomqtt": {"mqtt"},
    "pandas": {"store", "ledger", "dashboards"},
    "pyarrow": {"table", "leaderboard", "index", "store", "ledger"},
    "fsspec": {"bucket"},
    "distributed": {"cluster"},
    "plotly": {"dashboards"},
    "starlette": {"dashboards"},
    "uvicorn": {"dashboards"},
    "kaleido": {"dashboards"},
    "click": {"cli"},
    "httpx": {"uploads"},
    "fit_tool": {"exports"},
    "segno": {"cli"},
    "rich": {"terminal", "plan_picture", "rowing_screen", "room_screen"},
    "numpy": {"bests", "intervals", "machine_factor", "dashboards"},
    "tomlkit": {"config"},
    "asyncio": {
        "apart",
        "awake",
        "ble",
        "collector",
        "connection",
        "dashboards",
        "discovery",
        "ear",
        "hub",
        "keys",
        "live",
        "mqtt",
        "room",
        "sound",
        "virtual",
        "waiting",
    },
    "threading": {"collector", "journal", "mqtt", "workers"},
    "multiprocessing": {"workers"},
    "concurrent": {"mqtt", "virtual", "workers"},
    "signal": {"live", "rowing_screen", "teletype", "terminal", "workers"},
    "time": {"awake", "bucket", "journal", "room_screen", "rowing_screen", "uploads"},
    "logging": set(),
}

STANDARD_IN_THE_CORE = {
    "__future__",
    "bisect",
    "collections",
    "dataclasses",
    "difflib",
    "json",
    "datetime",  # a type that is stored; `now` belongs to the shells
    "enum",
    "functools",
    "html",
    "itertools",
    "math",
    "operator",
    "re",
    "statistics",
    "struct",
    "tomllib",
    "typing",
    "unicodedata",
}


def modules():
    for folder, prefix in ((ROOT / "rowsync", ""), (ROOT / "dashboards", "dashboards")):
        for path in sorted(folder.rglob("*.py")):
            floor = prefix or (path.parent.name if path.parent != folder else path.stem)
            if path.name == "__init__.py" and folder == path.parent and not prefix:
                continue
            yield floor, path


def imports(path):
    """Every import of a module, those inside functions included, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import, which these tables can't follow"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor_of(name):
    parts = name.split(".")
    if parts[0] == "dashboards":
        return "dashboards"
    return parts[1] if parts[0] == "rowsync" and len(parts) > 1 and parts[1] in FLOORS else None


@pytest.mark.parametrize(
    ("floor", "path"), [pytest.param(*each, id=str(each[1].relative_to(ROOT))) for each in modules()]
)
def test_a_module_stands_on_lower_floors_only_and_uses_each_door(floor, path):
    assert floor in FLOORS, f"{path} has no place in the architecture"
    for name in imports(path):
        below = floor_of(name)
        if below is not None and below != floor:
            assert FLOORS.index(below) < FLOORS.index(floor), f"{path.name} imports {name} from above"
        library = name.split(".")[0]
        assert floor in DOORS.get(library, {floor}), f"{path.name} isn't the door to {library}"


@pytest.mark.parametrize("name", CORE)
def test_the_core_knows_time_only_as_an_argument(name):
    paths = [path for floor, path in modules() if floor == name]
    libraries = {each.split(".")[0] for path in paths for each in imports(path)}
    assert paths
    assert libraries <= STANDARD_IN_THE_CORE | {"rowsync"} | ({"numpy"} if name in DOORS["numpy"] else set())


RECORD = """
import sys
from pathlib import Path
from rowsync.athlete import Athlete
from rowsync.live import Virtual, run_row
from rowsync.plan import parse_plan
from rowsync.rowing import Wishes

plan = parse_plan("20")
journal = run_row(Wishes(Path(sys.argv[1]), Athlete(), plan), Virtual("standard", 1, plan), fast=True)
print(journal.exists(), sorted({"pandas", "pyarrow", "plotly", "starlette"} & set(sys.modules)))
"""


def test_recording_a_whole_session_loads_neither_pandas_nor_pyarrow_nor_plotly(tmp_path):
    done = subprocess.run([sys.executable, "-c", RECORD, tmp_path], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True []", done.stderr


LIST = """
import sys
from rowsync.cli import main

sys.argv = ["rowsync", "sessions", "--data", sys.argv[1]]
try:
    main()
finally:
    print(sorted({"pandas", "plotly", "starlette"} & set(sys.modules)))
"""


def test_listing_sessions_does_not_wait_for_pandas(tmp_path):
    store = [sys.executable, "-m", "rowsync", "replay", RECORDED / "pace-only-10x45-75.jsonl", "--store"]
    subprocess.run([*store, "--data", tmp_path], capture_output=True, check=True)
    listing = [sys.executable, "-c", LIST, tmp_path]
    subprocess.run(listing, capture_output=True, check=True)
    done = subprocess.run(listing, capture_output=True, text=True, check=True)
    assert "pace-only" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_loads_nothing_heavy():
    heavy = {"asyncio", "bleak", "numpy", "pandas", "plotly", "rich"}
    code = f"import sys, rowsync.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
