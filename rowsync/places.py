"""Where a program keeps its files on this platform: the XDG folders, on macOS Application Support."""

from __future__ import annotations

import os
import sys
from pathlib import Path

XDG = {
    "data": ("XDG_DATA_HOME", "~/.local/share"),
    "config": ("XDG_CONFIG_HOME", "~/.config"),
    "state": ("XDG_STATE_HOME", "~/.local/state"),
}
"""For each kind of files, the variable that says where they lie, and where they lie without it (XDG 0.8)."""

APPLICATION_SUPPORT = "~/Library/Application Support"


def place(kind: str, platform: str = sys.platform) -> Path:
    """A person's folder for rowsync's "data", "config" or "state".

    Args:
        kind: of which files.
        platform: as `sys.platform` says it.
    """
    variable, usual = XDG[kind]
    said = os.environ.get(variable, "")
    if not os.path.isabs(said):  # the specification says to ignore such a one
        said = os.path.expanduser(APPLICATION_SUPPORT if platform == "darwin" else usual)
    return Path(said) / "rowsync"
