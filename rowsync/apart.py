"""rowsync in a process of its own: whoever records doesn't load what storing and looking back need."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

Say = Callable[[str], None]
"""Tells the person one line."""


def recover(folder: Path) -> None:
    """Store what a crash left behind."""
    subprocess.run(_command("recover", folder=folder), check=False, stdin=DEVNULL)


async def summary_of(folder: Path, session_id: str, say: Say) -> dict[str, Any] | None:
    """The JSON of `rowsync show`, once the session is stored; None when there is none."""
    found = await _run("show", session_id, "--json", folder=folder, say=say)
    return found if isinstance(found, dict) else None


async def past(folder: Path, athlete: str, origin: str, plan: str | None, say: Say) -> dict[str, Any]:
    """What came before a row: energies so far, and the last session of the plan; empty when it can't be told."""
    of_plan = ("--plan", plan) if plan else ()
    found = await _run("past", "--athlete", athlete, "--origin", origin, *of_plan, folder=folder, say=say)
    return found if isinstance(found, dict) else {}


async def _run(*arguments: str, folder: Path, say: Say) -> Any:
    """Run a command; answer the JSON that it prints, None when it prints none.

    What it says is said here, by whoever knows how to talk to a terminal that nobody reads.

    A subprocess of asyncio's that is cancelled leaves a transport behind, which complains once the loop is closed.
    """
    process = _started(_command(*arguments, folder=folder))
    answer = asyncio.ensure_future(asyncio.to_thread(process.communicate))
    try:
        printed, told = await asyncio.shield(answer)
    except asyncio.CancelledError:
        process.terminate()
        await answer
        raise
    for line in told.decode("utf-8", "replace").splitlines():
        say(line)
    with suppress(ValueError, RecursionError):
        return json.loads(printed)
    return None


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)


def _command(*arguments: str, folder: Path) -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "rowsync", *arguments, "--data", str(folder))
