"""Everything made again from the bytes: `rebuild`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rowsync.cli.access import current_settings, open_store, rebuilt
from rowsync.cli.options import shared_options
from rowsync.cli.output import tell
from rowsync.cli.pages import refresh_pages
from rowsync.errors import RecordingError, UsageError

if TYPE_CHECKING:
    from rowsync.store import Rebuilt, Store


@click.command()
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="How many processes do it [default: the cores].")
@click.option("--index", "index_only", is_flag=True, help="Only the index, from the sessions as they are stored.")
@shared_options
def rebuild(jobs: int | None, index_only: bool) -> None:
    """Make every session again from its bytes, with today's decoder and models, and say what that changes.

    The bytes, and what you said of a session, stay as they are. You can row meanwhile. A rebuild that is interrupted
    leaves each session as it was or as it is now; start it again to do the rest.

    \b
    Examples:
      rowsync rebuild
      rowsync rebuild --jobs 2
      rowsync rebuild --index
    """
    if index_only and jobs is not None:
        raise UsageError("--jobs goes without --index, which takes a moment.")
    store = open_store(current_settings(), reckon=False)
    if index_only:
        _rebuild_index(store)
    else:
        _rebuild(store, jobs)


def _rebuild(store: Store, jobs: int | None) -> None:
    from rowsync.changes import Change, changes_sentences
    from rowsync.wording import count

    stored = store.stored()
    if not stored:
        tell(f"There are no sessions in {store.folder} yet. Row one, or try: rowsync demo")
        return
    every = rebuilt(store, stored, jobs)
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

    for each in failed:
        tell(str(each.problem))
    if failed:
        raise RecordingError(f"{count(len(failed), 'session')} could not be made again, and stayed as stored.")


def _rebuild_index(store: Store) -> None:
    from rowsync.wording import count

    left_out = store.rebuild_index()
    click.echo(f"The index has {count(len(store.index()), 'session')}.")
    for why in left_out.values():
        tell(f"Left out: {why}")
