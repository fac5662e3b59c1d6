"""Access to what is kept: the settings, and the store with every session in it reckoned as now."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.output import tell
from rowsync.errors import StoreError

if TYPE_CHECKING:
    from rowsync.config import Settings
    from rowsync.store import Rebuilt, Store
    from rowsync.workers import Pool


def current_settings(may_be_absent: bool = False) -> Settings:
    """The settings, with the folder that was typed or set for this command."""
    from dataclasses import replace

    from rowsync.config import config_path, read_settings

    settings = read_settings(config_path(), may_be_absent)
    given = click.get_current_context().meta.get("rowsync.data")
    return replace(settings, data=given) if given else settings


def store_of(settings: Settings) -> Store:
    """The store of the settings.

    Raises:
        UsageError: no file system is known or installed for its address.
    """
    from rowsync.store import Store

    if settings.store is None:
        return Store(settings.data, settings.athletes)
    from rowsync.bucket import Bucket

    return Store(settings.data, settings.athletes, Bucket(settings.store))


def open_store(settings: Settings, reckon: bool = True) -> Store:
    """The store, after storing what a crash may have left behind.

    Args:
        settings: the settings.
        reckon: derive those sessions again that an older energy model reckoned, or other settings.
    """
    from rowsync import wording

    store = store_of(settings)
    for recovery in store.recover():
        if recovery.problem is not None:
            tell(recovery.problem)
        elif recovery.summary is not None:
            what = "Recovered a session that was cut short" if recovery.cut_short else "Stored a session that waited"
            length, metres = recovery.summary["duration_s"], recovery.summary["distance_m"]
            tell(f"{what}: {recovery.summary['session_id']}, {wording.clock(length)}, {wording.number(metres)} m.")
    if reckon:
        behind, left_out = store.upkeep()
        if behind:
            _reckon(store, behind)
        _tell_of_left_out(left_out)
    return store


MOST_TOLD = 3
"""So many sessions that can't be read are named, one a line."""


def _tell_of_left_out(left_out: dict[str, str]) -> None:
    """Say which sessions can't be read, and what may bring them back."""
    from rowsync.wording import count

    if left_out:
        told = list(left_out.values())[:MOST_TOLD]
        more = [f"And {count(len(left_out) - MOST_TOLD, 'session')} more."] if len(left_out) > MOST_TOLD else []
        tell("\n".join((*told, *more, "`rowsync rebuild` makes anew what it can from the bytes.")))


def _reckon(store: Store, behind: list[str]) -> None:
    """Reckon sessions again that an older model reckoned, or other settings, and say what that changes."""
    from rowsync.cli.pages import refresh_pages
    from rowsync.cost import with_range
    from rowsync.wording import count

    tell(f"Reckoning {count(len(behind), 'session')} again from the bytes: the energy model or the settings changed.")
    try:
        every = rebuilt(store, behind)
    except StoreError as error:
        tell(str(error))
        return
    refresh_pages(store, behind)
    for why in [each.problem for each in every if each.problem is not None][:MOST_TOLD]:
        tell(why)
    known = [each for each in every if each.before and each.after]
    if not known:
        return
    then, now = (with_range(_total(getattr(each, side) for each in known), *ENERGY) for side in ("before", "after"))
    tell(f"Together they had {then} kcal gross, and have {now}.")


def rebuilt(store: Store, session_ids: Sequence[str], pool: Pool | None = None) -> list[Rebuilt]:
    """Derive sessions from their bytes again, with a progress bar.

    Args:
        store: where they are.
        session_ids: which.
        pool: who does it; by default a process for each core.
    """
    from rowsync.workers import Processes, cores

    each_rebuilt = store.rebuild(session_ids, pool or Processes(cores()))
    with click.progressbar(each_rebuilt, length=len(session_ids), label="Sessions", file=sys.stderr) as shown:
        return list(shown)


ENERGY = ("gross_kcal", "low_kcal", "high_kcal")


def _total(summaries: Iterable[Any]) -> dict[str, float]:
    energies = [summary["energy"] for summary in summaries]
    return {name: sum(energy.get(name) or 0.0 for energy in energies) for name in ENERGY}
