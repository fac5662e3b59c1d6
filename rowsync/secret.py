"""Secrets of the person's: from the environment, or from a file that nobody else may read; never typed, never shown."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from rowsync.errors import UsageError
from rowsync.wording import outside_text


def read_secret(what: str, variable: str, file: Path | None = None) -> str | None:
    """A secret: from the environment, else the first line of a file; None without either.

    Args:
        what: what it is called in a message: "the MQTT password".
        variable: the environment variable that may hold it.
        file: the file that may hold it.

    Raises:
        UsageError: the file can't be read, or others can read it.
    """
    given = os.environ.get(variable)
    if given or file is None:
        return given or None
    where = outside_text(file)
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), encoding="utf-8") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise UsageError(f"{where} is no plain file, so {what} can't be read from it.")
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise UsageError(f"Others can read {what} in {where}. Close it to them: chmod 600 {where}")
            return opened.readline().rstrip("\r\n") or None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text, or no name of a file"
        raise UsageError(f"{what[0].upper()}{what[1:]} in {where} can't be read ({why}).") from None


def named_file(table: str, key: str, name: str | None) -> Path | None:
    """A file that the settings name, from the home folder where that is said.

    Args:
        table: of the settings.
        key: in that.
        name: what stands there; None for nothing.

    Raises:
        UsageError: it is no name of a file.
    """
    try:
        return Path(name).expanduser() if name else None
    except RuntimeError as error:
        raise UsageError(f"In [{table}], {key} = {name!r} is no file: {error}") from None
