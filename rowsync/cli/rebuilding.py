"""What is stored made again from the bytes, and put into fewer files: `rebuild` and `pack`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rowsync.cli.access import current_settings, open_store, rebuilt, store_of
from rowsync.cli.options import shared_options
from rowsync.cli.output import tell
from rowsync.cli.pages import refresh_pages
from rowsync.errors import RecordingError, UsageError

if TYPE_CHECKING:
    from rowsync.store import Rebuilt, Store
    from rowsync.workers import Pool


MOST_TOLD = 20
"""So many sessions that could not be made again are named."""


@click.command()
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="How many processes do it [default: the cores].")
@click.option("--on", metavar="ADDRESS", help="Which cluster does it: dask://host:port; dask:// for one of its own.")
@click.option("--index", "index_only", is_flag=True, help="Only the index, from the sessions as they are stored.")
@shared_options
def rebuild(jobs: int | None, on: str | None, index_only: bool) -> None:
    """Make every session again from its bytes, with today's decoder and models, and say what that changes.

    The bytes, and what you said of a session, stay as they are. You can row meanwhile. A rebuild that is interrupted
    leaves each session as it was or as it is now; start it again to do the rest.

    \b
    Examples:
      rowsync rebuild
      rowsync rebuild --jobs 2
      rowsync rebuild --on dask://scheduler.local:8786
      rowsync rebuild --index
    """
    if index_only and (jobs is not None or on is not None):
        raise UsageError("--jobs and --on go without --index, which takes a moment.")
    if jobs is not None and on is not None:
        raise UsageError("--jobs goes without --on: a cluster has the workers that it has.")
    pool = _pool(jobs, on)
    store = open_store(current_settings(), reckon=False)
    if index_only:
        _rebuild_index(store)
    else:
        _rebuild(store, pool)


def _pool(jobs: int | None, on: str | None) -> Pool | None:
    from rowsync.cluster import Cluster
    from rowsync.workers import Processes

    if on is not None:
        return Cluster(on)
    return None if jobs is None else Processes(jobs)


def _rebuild(store: Store, pool: Pool | None) -> None:
    from rowsync.changes import Change, changes_sentences
    from rowsync.wording import count

    stored = store.stored()
    if not stored:
        tell(f"There are no sessions in {store.shelf.label()} yet. Row one, or try: rowsync demo")
        return
    every = rebuilt(store, stored, pool)
    changes = {each.session_id: Change(each.before, each.after) for each in every if each.is_new and each.after}
    for sentence in changes_sentences(changes.values()):
        click.echo(sentence)
    failed = [each for each in every if each.problem is not None]
    if same := len(every) - len(changes) - len(failed):
        click.echo(f"{count(same, 'session')}: nothing changed.")
    refresh_pages(store, changes)
    _refuse_failed(failed)


def _refuse_failed(failed: Sequence[Rebuilt]) -> None:
    from rowsync.wording import count

    for each in failed[:MOST_TOLD]:
        tell(str(each.problem))
    if failed:
        raise RecordingError(f"{count(len(failed), 'session')} could not be made again, and stayed as stored.")


def _rebuild_index(store: Store) -> None:
    from rowsync.wording import count

    left_out = store.rebuild_index()
    click.echo(f"The index has {count(len(store.index()), 'session')}.")
    for why in left_out.values():
        tell(f"Left out: {why}")


@click.command()
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(0, 36500),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="Sessions that began earlier than so many days ago.",
)
@shared_options
def pack(days: int) -> None:
    """Put the files of many sessions into one for each athlete and year.

    Fewer files are faster to look through, above all in a bucket; nothing else changes, and every command reads them as
    before. It is worth it from some thousand sessions on. A session that is corrected later gets a file of its own
    again.

    \b
    Examples:
      rowsync pack
      rowsync pack --older-than 7
    """
    from datetime import UTC, datetime, timedelta

    from rowsync.wording import count

    packed = []
    for year in store_of(current_settings()).pack(datetime.now(UTC) - timedelta(days=days)):
        tell(f"{year.year}: {count(year.sessions, 'session')}, {year.before} files before, {year.files} now.")
        for problem in year.problems:
            tell(problem)
        packed.append(year)
    if not packed:
        click.echo("There is nothing to pack.")
    else:
        click.echo(f"{sum(year.before for year in packed)} files before, {sum(year.files for year in packed)} now.")
