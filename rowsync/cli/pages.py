"""Sessions as web pages: `report` and `dashboard`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rowsync.cli.access import current_settings, open_store
from rowsync.cli.options import shared_options
from rowsync.cli.output import tell
from rowsync.cli.programme import programme_of
from rowsync.errors import RecordingError, SessionNotFound, UsageError

if TYPE_CHECKING:
    from rowsync.config import Settings
    from rowsync.store import Store


@click.command()
@click.argument("session", required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to; .html or .png [default: <data>/pages]."
)
@click.option("--all", "everything", is_flag=True, help="Every session and the history, into the folder -o.")
@shared_options
def report(session: str | None, output: Path | None, everything: bool) -> None:
    """Write the page of a session as static HTML, to open, keep or mail.

    SESSION is an id, or the beginning of one; without it the latest is written.

    \b
    Examples:
      rowsync report -o page.html
      rowsync report --all -o site/
    """
    settings = current_settings()
    store = open_store(settings)
    if everything:
        if output is not None and output.suffix:
            raise UsageError(f"--all writes a folder of pages; {output} looks like a file.")
        store.find()
        click.echo(_write_all(settings, store, output or store.folder / "pages"))
        return
    click.echo(write_page(store, store.find(session), output))


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8765, show_default=True, help="Port to listen on.")
@shared_options
def dashboard(port: int) -> None:
    """Serve your sessions as web pages on this computer, and to nobody else.

    \b
    Examples:
      rowsync dashboard
      rowsync dashboard --port 9000
    """
    from dashboards.app import create_app, serve

    settings = current_settings()
    store = open_store(settings)
    app = create_app(store, programme=lambda athlete: programme_of(settings, store, athlete))
    with suppress(KeyboardInterrupt):
        serve(app, "127.0.0.1", port, announce=lambda address: tell(f"Your sessions: {address}   (Ctrl-C ends)"))


def write_page(store: Store, session_id: str, output: Path | None, home: str | None = None) -> Path:
    """Write a session's page among other pages or to a place of its own; answer where it lies.

    Among other pages the one that compares it with earlier sessions of its plan comes to lie beside it.
    """
    from dashboards.compare import MOST_EARLIER
    from dashboards.report import write_compare_report, write_session_report

    path = output or store.folder / "pages" / f"{session_id}.html"
    summary = store.summary(session_id)
    earlier = store.last_times(summary, MOST_EARLIER)
    is_among_others = output is None or home is not None
    compare = write_compare_report(summary, earlier, path.parent, store.rows) if is_among_others else None
    summary["before"] = next(iter(earlier), None)
    write_session_report(summary, store.samples(session_id), path, home=home, compare=compare)
    return path


def _write_all(settings: Settings, store: Store, folder: Path) -> Path:
    from dashboards.report import write_programme_report

    oldest_first = [row["session_id"] for row in store.rows()][::-1]  # a page links those that lie there already
    with click.progressbar(oldest_first, label="Pages", file=sys.stderr) as ids:
        failed = [why for session_id in ids if (why := _write_among(store, session_id, folder)) is not None]
    write_programme_report(programme_of(settings, store, None), folder)
    index = write_history(store, folder)
    if failed:
        raise RecordingError("\n".join((*failed, f"All other pages are written: {index}")))
    return index


def _write_among(store: Store, session_id: str, folder: Path) -> str | None:
    """Write a session's page among others; answer why it can't be, if it can't: the others can."""
    try:
        write_page(store, session_id, folder / f"{session_id}.html", home="index.html")
    except (RecordingError, SessionNotFound) as error:
        return str(error)
    return None


def write_history(store: Store, folder: Path) -> Path:
    """Write the page that lists the sessions into a folder; answer where it lies."""
    from dashboards.report import write_history_report

    return write_history_report(store.index(), folder)


MANY_PAGES = 10
"""So many take long enough for a progress bar."""


def refresh_pages(store: Store, session_ids: Iterable[str]) -> None:
    """Write the pages of sessions again where they lie among the pages already, and what tells of them too.

    That is the history, and the pages of the next ones by their plans, which are compared with them.
    """
    folder = store.folder / "pages"
    if not folder.is_dir():
        return
    telling = dict.fromkeys(each for changed in session_ids for each in (changed, *_compared_with(store, changed)))
    there = [session_id for session_id in telling if (folder / f"{session_id}.html").is_file()]
    with click.progressbar(there, label="Pages", file=sys.stderr, hidden=len(there) < MANY_PAGES) as shown:
        failed = [why for session_id in shown if (why := _write_among(store, session_id, folder)) is not None]
    for why in failed:
        tell(why)
    if there:
        write_history(store, folder)


def _compared_with(store: Store, session_id: str) -> list[str]:
    """The sessions whose pages hold them against this one."""
    from dashboards.compare import MOST_EARLIER
    from rowsync.wording import moment

    try:
        summary = store.summary(session_id)
    except (RecordingError, SessionNotFound):  # whoever opens it is told
        return []
    began = moment(summary["started_at"])
    return [] if began is None else store.later(summary["athlete"], summary["plan"], began)[:MOST_EARLIER]
