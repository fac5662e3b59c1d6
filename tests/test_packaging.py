"""What a user gets: the wheel, in a clean environment, from another folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import distribution, distributions

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=600, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_both_packages_with_their_pages_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"rowsync", "dashboards", "rowsync-0.1.0.dist-info"}
    assert {"dashboards/page.css", "dashboards/page.js", "rowsync/virtual/rower.py"} <= set(names)


def needed(asking, *extras):
    """The installed distributions that one asks for with these extras, and those that these ask for in turn."""
    for each in map(Requirement, asking.requires or ()):
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            found = distribution(each.name)
            yield found
            yield from needed(found, *each.extras)


def lend(lent, packages):
    """Put distributions that are installed here into another environment, as links; downloading them takes a minute."""
    for each in lent:
        for name in {file.parts[0] for file in each.files} - {"..", "__pycache__"}:
            if not (packages / name).exists():
                (packages / name).symlink_to(each.locate_file(name))


def test_the_installed_wheel_runs_the_demo_from_another_folder(wheel, tmp_path):
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    binaries = tmp_path / "venv" / "bin"
    (packages,) = tmp_path.glob("venv/lib/python3*/site-packages")
    (ours,) = distributions(path=[str(wheel)])
    lend(needed(ours, "demo"), packages)
    assert not (packages / "pytest").exists()
    pip = (sys.executable, "-m", "pip", "--python", binaries / "python")
    run(*pip, "install", "--quiet", "--no-index", f"rowsync[demo] @ {wheel.as_uri()}")  # refuses what isn't satisfied
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = run(binaries / "rowsync", "demo", "--data", "data", cwd=elsewhere, env=environment)
    assert len(re.findall(r"^\d+ +hard +\d", done.stdout, re.MULTILINE)) == 10
    page = elsewhere / re.search(r"Page: (.*)", done.stdout)[1]
    assert page.is_file()
    assert (page.parent / "plotly.min.js").is_file()
