"""Access to what is kept: the settings, and the store with every session in it reckoned as now."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from rowsync.cli.output import tell
from rowsync.errors import RecordingError, SessionNotFound, StoreError

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
    if behind := store.behind():
        _reckon(store, behind)
    return store


def _reckon(store: Store, behind: list[str]) -> None:
    """Reckon sessions again that an older model reckoned, or other settings, and say what that changes."""
    from rowsync.cli.pages import refresh_pages
    from rowsync.cost import with_range
    from rowsync.wording import count

    tell(f"Reckoning {count(len(behind), 'session')} again from the bytes: the energy model or the settings changed.")
    before = _total(store, behind)
    try:
        with click.progressbar(behind, label="Sessions", file=sys.stderr) as ids:
            for session_id in ids:
                with suppress(RecordingError, SessionNotFound):  # whoever opens it is told
                    store.reckon_again(session_id)
    except StoreError as error:
        tell(str(error))
        return
    refresh_pages(store, behind)
    then, now = (with_range(total, *ENERGY) for total in (before, _total(store, behind)))
    tell(f"Together they had {then} kcal gross, and have {now}.")


ENERGY = ("gross_kcal", "low_kcal", "high_kcal")


def _total(store: Store, session_ids: list[str]) -> dict[str, float]:
    wanted = set(session_ids)
    rows = [row for row in store.rows() if row["session_id"] in wanted]
    return {name: sum(row[name] or 0.0 for row in rows) for name in ENERGY}
