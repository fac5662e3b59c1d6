"""Access to what is kept: the settings, and the store with every session in it reckoned as now."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.output import tell
from rowsync.errors import RowsyncError

if TYPE_CHECKING:
    from rowsync.config import Settings
    from rowsync.store import Store


def current_settings(may_be_absent: bool = False) -> Settings:
    """The settings, with the folder that was typed or set for this command."""
    from dataclasses import replace

    from rowsync.config import config_path, read_settings

    settings = read_settings(config_path(), may_be_absent)
    given = click.get_current_context().meta.get("rowsync.data")
    return replace(settings, data=given) if given else settings


def open_store(settings: Settings) -> Store:
    """The store, after storing what a crash may have left behind."""
    from rowsync import wording
    from rowsync.store import Store

    store = Store(settings.data, settings.athletes)
    for recovery in store.recover():
        if recovery.problem is not None:
            tell(recovery.problem)
        elif recovery.summary is not None:
            what = "Recovered a session that was cut short" if recovery.cut_short else "Stored a session that waited"
            length, metres = recovery.summary["duration_s"], recovery.summary["distance_m"]
            tell(f"{what}: {recovery.summary['session_id']}, {wording.clock(length)}, {wording.number(metres)} m.")
    reckon(store, store.behind(), "An older energy model reckoned")
    return store


def reckon(store: Store, session_ids: list[str], why: str) -> list[dict[str, Any]]:
    """Reckon stored sessions again, with a bar; one that can't be is named, and stays as it was."""
    from rowsync.wording import count

    if not session_ids:
        return []
    tell(f"{why} {count(len(session_ids), 'session')}; reckoning again from the bytes.")
    reckoned = []
    with click.progressbar(session_ids, label="Sessions", file=sys.stderr) as ids:
        for session_id in ids:
            try:
                reckoned.append(store.reckon_again(session_id))
            except RowsyncError as error:
                tell(str(error))
    return reckoned
