"""Where files lie when nobody says otherwise: where every other program of the platform puts its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowsync.places import XDG, place


@pytest.fixture(autouse=True)
def somebody(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    for variable, _ in XDG.values():
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    ("kind", "platform", "where"),
    [
        ("data", "linux", "/home/anna/.local/share/rowsync"),
        ("config", "linux", "/home/anna/.config/rowsync"),
        ("state", "linux", "/home/anna/.local/state/rowsync"),
        ("data", "darwin", "/home/anna/Library/Application Support/rowsync"),
        ("config", "darwin", "/home/anna/Library/Application Support/rowsync"),
    ],
)
def test_files_lie_in_the_platforms_folders(kind, platform, where):
    assert place(kind, platform) == Path(where)


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_who_has_moved_those_folders_finds_them_there(monkeypatch, platform):
    monkeypatch.setenv("XDG_DATA_HOME", "/disk/share")
    assert place("data", platform) == Path("/disk/share/rowsync")


@pytest.mark.parametrize("nonsense", ["", "share", "./share"])
def test_a_folder_that_is_not_absolute_is_none(monkeypatch, nonsense):
    monkeypatch.setenv("XDG_DATA_HOME", nonsense)
    assert place("data", "linux") == Path("/home/anna/.local/share/rowsync")
