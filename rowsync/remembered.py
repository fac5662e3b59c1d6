"""Which machines a person rows on: the last rower and the last strap, by name and address, in the data folder.

The file only saves typing.  One that can't be read or written costs nothing but that.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rowsync.discovery import Known
from rowsync.files import replacing
from rowsync.seal import sealed, unsealed

FILE = "machines.json"


@dataclass(frozen=True, slots=True)
class Remembered:
    """The machines of the last session that had them."""

    rower: Known | None = None
    strap: Known | None = None


def remembered(folder: Path) -> Remembered:
    """What is remembered in a data folder; nothing, where it can't be read."""
    try:
        content = unsealed((folder / FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return Remembered()
    return Remembered(_known(content, "rower"), _known(content, "strap"))


def remember(folder: Path, what: Remembered) -> None:
    """Keep it for the next session."""
    content = sealed({name: each for name, each in asdict(what).items() if each})
    with suppress(OSError), replacing(folder / FILE) as file:
        file.write(content)


def _known(content: Any, what: str) -> Known | None:
    found = content.get(what) if isinstance(content, dict) else None
    if not isinstance(found, Mapping):
        return None
    name, address = found.get("name"), found.get("address")
    return Known(name, address) if isinstance(name, str) and isinstance(address, str) and address else None
