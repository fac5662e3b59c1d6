"""Write `requirements.txt`: every package that rowsync needs at run time, pinned, with the hashes of its wheels.

    python -m checks.requirements

pip says what it would install and what that hashes to; nothing is installed, and nothing is downloaded that pip keeps
outside its cache.  The versions are those that pip chooses here today; the hashes are of the wheels for the Pythons and
machines in the tables below.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "requirements.txt"

PYTHONS = ("3.11", "3.12", "3.13")
LINUX = {
    machine: tuple(f"manylinux_2_{minor}_{machine}" for minor in (28, 27, 24, 17)) for machine in ("x86_64", "aarch64")
}
MACOS = {"arm64": tuple(f"macosx_{major}_0_arm64" for major in (14, 13, 12, 11))}

ON_LINUX = ("dbus-fast",)
ON_MACOS = (
    "pyobjc-core",
    "pyobjc-framework-cocoa",
    "pyobjc-framework-corebluetooth",
    "pyobjc-framework-libdispatch",
)
"""By which bleak reaches Bluetooth there; pip here doesn't ask for the other system's."""

HEAD = """\
# What rowsync needs at run time, pinned, with the hashes of the wheels. Made by: python -m checks.requirements
#   pip install --require-hashes -r requirements.txt && pip install --no-deps .
"""


def report(*arguments: str) -> list[dict[str, Any]]:
    """What pip would install."""
    pip = (sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-")
    with tempfile.TemporaryDirectory() as target:
        where = ("--target", target) if "--platform" in arguments else ()
        done = subprocess.run((*pip, *where, *arguments), check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    installs: list[dict[str, Any]] = json.loads(done.stdout)["install"]
    return [each for each in installs if name_of(each) != "rowsync"]


def name_of(install: dict[str, Any]) -> str:
    """A package's name, as pip compares it."""
    return re.sub(r"[-_.]+", "-", install["metadata"]["name"]).lower()


def is_for_one_machine(install: dict[str, Any]) -> bool:
    """Whether its wheel is of one Python and one machine."""
    return not install["download_info"]["url"].endswith("none-any.whl")


def main() -> None:
    """Ask pip, and write the file."""
    here = report("--only-binary=:all:", *dependencies())
    here += report("--no-deps", "--only-binary=:all:", *for_machine(PYTHONS[0], MACOS["arm64"]), *ON_MACOS)
    pins = {name_of(each): each["metadata"]["version"] for each in here}
    hashes = {name: {_hash(each)} for each in here if (name := name_of(each))}
    compiled = [name_of(each) for each in here if is_for_one_machine(each)]
    for machines, others in ((LINUX, ON_MACOS), (MACOS, ON_LINUX)):
        wanted = [f"{name}=={pins[name]}" for name in compiled if name not in others]
        for tags in machines.values():
            for python in PYTHONS:
                for each in report("--no-deps", "--only-binary=:all:", *for_machine(python, tags), *wanted):
                    hashes[name_of(each)].add(_hash(each))
    FILE.write_text(HEAD + "".join(_line(name, pins[name], hashes[name]) for name in sorted(pins)))
    print(f"{len(pins)} packages, {sum(map(len, hashes.values()))} wheels")


def dependencies() -> list[str]:
    """What `pyproject.toml` asks for."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return list(project["dependencies"])


def for_machine(python: str, tags: tuple[str, ...]) -> list[str]:
    """How pip is told of another Python and another machine."""
    return ["--python-version", python, *(part for tag in tags for part in ("--platform", tag))]


def _hash(install: dict[str, Any]) -> str:
    return str(install["download_info"]["archive_info"]["hashes"]["sha256"])


def _line(name: str, version: str, hashes: set[str]) -> str:
    system = "linux" if name in ON_LINUX else "darwin" if name in ON_MACOS else None
    marker = f' ; sys_platform == "{system}"' if system else ""
    return f"{name}=={version}{marker}" + "".join(f" \\\n    --hash=sha256:{each}" for each in sorted(hashes)) + "\n"


if __name__ == "__main__":
    main()
