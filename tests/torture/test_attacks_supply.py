"""Attacks 12 and 13: what comes with rowsync is known, pinned, and no more than it must be."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import requires

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.conftest import ROOT
from tests.torture.planted import holds, versions

MOST_PACKAGES = 30
"""At run time, on Linux; macOS has four of its own for Bluetooth in place of one."""

LINE = re.compile(
    r'([a-z0-9-]+)==([0-9a-z.]+)(?: ; sys_platform == "(linux|darwin)")?((?: --hash=sha256:[0-9a-f]{64})+)'
)


def asked_for():
    """What pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return list(map(Requirement, project["dependencies"]))


def written():
    """requirements.txt."""
    return (ROOT / "requirements.txt").read_text()


def without_a_hash():
    return re.sub(r" \\\n +--hash=\S+", "", written(), count=1)


def from_elsewhere():
    return f"--extra-index-url elsewhere\n{written()}"


def without_one_that_another_needs():
    return re.sub(r"^anyio==.*\n( +--hash.*\n)+", "", written(), flags=re.MULTILINE)


def with_an_old_pyarrow():
    return re.sub(r"^pyarrow==\S+", "pyarrow==14.0.0", written(), flags=re.MULTILINE)


def pins(text, system=sys.platform):
    """What a requirements file pins for a system: names and versions."""
    found = {}
    for line in text.replace("\\\n    ", "").splitlines():
        if line.startswith("#"):
            continue
        pin = LINE.fullmatch(line)
        holds(pin is not None, f"{line[:60]!r} is no pinned package with its hashes")
        if pin[3] in (None, system):
            found[pin[1]] = pin[2]
    return found


def needed():
    """Every package that is needed at run time here, by what the installed ones say of themselves."""
    names, waiting = set(), [requirement.name for requirement in asked_for()]
    while waiting:
        name = normal(waiting.pop())
        if name not in names:
            names.add(name)
            waiting += [each.name for each in map(Requirement, requires(name) or ()) if applies(each.marker)]
    return names


def applies(marker: Marker | None) -> bool:
    return marker is None or marker.evaluate({"extra": ""})


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@versions(written, without_a_hash, from_elsewhere, without_one_that_another_needs, with_an_old_pyarrow)
def test_every_package_that_is_needed_is_pinned_with_its_hashes_and_asked_of_no_other_index(defence, outcome):
    with outcome:
        pinned = pins(defence())
        for requirement in asked_for():
            version = pinned.get(normal(requirement.name), "0")
            holds(requirement.specifier.contains(version), f"{requirement} is pinned to {version}")
        holds(needed() <= pinned.keys(), f"{needed() - pinned.keys()} are not pinned")


def test_no_package_is_pinned_that_nobody_needs():
    assert pins(written()).keys() == needed()


def test_there_are_at_most_thirty():
    assert len(pins(written(), "linux")) <= MOST_PACKAGES


@pytest.mark.parametrize(
    ("name", "unsafe"), [("pyarrow", "14.0.0"), ("pyarrow", "22.0.0"), ("pyarrow", "23.0.0"), ("h11", "0.15.0")]
)
def test_no_version_with_a_known_hole_can_be_installed(name, unsafe):
    """CVE-2023-47248 and CVE-2026-25087 of pyarrow, CVE-2025-43859 of h11 (by way of httpcore)."""
    asked = [each for each in asked_for() if each.name == name]
    asked += [each for needs in needed() for each in map(Requirement, requires(needs) or ()) if each.name == name]
    assert any(not each.specifier.contains(unsafe) for each in asked)
