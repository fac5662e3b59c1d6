"""What people ticked of a programme, in the data folder: when it began, and which strength days were done.

    <data>/programme.json:
    {"athletes": {"me": {"started": "2026-11-02", "ticks": [{"day": "2026-11-03", "what": "A"}]}}}

Nobody but the person knows these, so a file that can't be read is left as it is, and nothing is written over it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from rowsync.errors import RecordingError, StoreError
from rowsync.files import locked, replacing
from rowsync.programme import Tick
from rowsync.seal import SEAL, sealed, unsealed

FILE = "programme.json"


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one athlete said of a programme.

    Attributes:
        started: a day of the first week; None is not said.
        ticks: the strength days done.
    """

    started: date | None = None
    ticks: frozenset[Tick] = field(default_factory=frozenset)


def ticked(folder: Path, athlete: str) -> Ticked:
    """What an athlete ticked; nothing where there is no file yet.

    Raises:
        RecordingError: the file can't be read, or isn't one of ours.
    """
    return _everybody(folder / FILE).get(athlete, Ticked())


def tick(folder: Path, athlete: str, what: Tick) -> None:
    """Tick a strength day; once more is the same.

    Raises:
        RecordingError: the file can't be read; it stays as it is.
        StoreError: it can't be written; it stays as it was.
    """
    _change(folder, athlete, lambda said: replace(said, ticks=said.ticks | {what}))


def untick(folder: Path, athlete: str, what: Tick) -> None:
    """Take a tick back, if there is one.

    Raises:
        RecordingError: the file can't be read; it stays as it is.
        StoreError: it can't be written; it stays as it was.
    """
    _change(folder, athlete, lambda said: replace(said, ticks=said.ticks - {what}))


def start(folder: Path, athlete: str, started: date) -> None:
    """Say when the programme began.

    Raises:
        RecordingError: the file can't be read; it stays as it is.
        StoreError: it can't be written; it stays as it was.
    """
    _change(folder, athlete, lambda said: replace(said, started=started))


def _change(folder: Path, athlete: str, change: Callable[[Ticked], Ticked]) -> None:
    """Read, change and write the file while nobody else does."""
    path = folder / FILE
    try:
        with locked(folder):
            everybody = _everybody(path)
            _write(path, everybody | {athlete: change(everybody.get(athlete, Ticked()))})
    except OSError as error:
        raise StoreError(f"{path} can't be written ({error.strerror}); it is as it was before.") from None


def _write(path: Path, everybody: dict[str, Ticked]) -> None:
    """Replace the file, for the owner alone, so that a crash leaves the old one or the new one, whole."""
    content = {"athletes": {name: _fields(said) for name, said in sorted(everybody.items())}}
    with replacing(path) as file:
        file.write(sealed(content))


def _fields(said: Ticked) -> dict[str, Any]:
    return {
        "started": said.started and said.started.isoformat(),
        "ticks": [{"day": each.day.isoformat(), "what": each.what} for each in sorted(said.ticks)],
    }


def _everybody(path: Path) -> dict[str, Ticked]:
    """What everybody said, by name."""
    try:
        content = unsealed(path.read_bytes())
        if set(content) != {"athletes"}:
            raise ValueError
        return {name: _said(fields) for name, fields in content["athletes"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise RecordingError(
            f"{path}, which holds what you ticked, can't be read, or was altered, and stays as it is: mend it and take "
            f"its {SEAL} out, or move it away to begin anew."
        ) from None


def _said(fields: dict[str, Any]) -> Ticked:
    """What one athlete said; raises like `_everybody` expects where it is none of ours."""
    if set(fields) != {"started", "ticks"} or not isinstance(fields["ticks"], list):
        raise ValueError
    started = fields["started"]
    ticks = [Tick(date.fromisoformat(each["day"]), each["what"]) for each in fields["ticks"] if set(each) == _TICK]
    if len(ticks) != len(fields["ticks"]) or not all(isinstance(each.what, str) for each in ticks):
        raise ValueError
    return Ticked(None if started is None else date.fromisoformat(started), frozenset(ticks))


_TICK = {"day", "what"}
