"""Sessions sent to a service: `upload`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.access import current_settings, open_store
from rowsync.cli.export import picture_of
from rowsync.cli.options import json_option, shared_options
from rowsync.cli.output import print_json, tell
from rowsync.errors import RecordingError, UsageError

if TYPE_CHECKING:
    from rowsync.config import Settings
    from rowsync.store import Store
    from rowsync.uploads import Service, Upload


@click.command()
@click.argument("sessions", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every session that isn't there yet.")
@click.option("--again", is_flag=True, help="Also those that are there already.")
@click.option("--list", "listing", is_flag=True, help="Only say what became of which session; nothing is sent.")
@json_option
@shared_options
def upload(sessions: tuple[str, ...], everything: bool, again: bool, listing: bool, as_json: bool) -> None:
    """Send sessions to intervals.icu, as FIT files.

    SESSIONS are ids, or their beginnings; without one the latest is sent. Nothing is sent without this command, and
    what a virtual rower rowed never is. Your key is on the service's settings page; it stands in a file that the
    settings name (below [intervals_icu], key_file), or in ROWSYNC_INTERVALS_ICU_KEY.

    \b
    Examples:
      rowsync upload
      rowsync upload --all
      rowsync upload --list
    """
    from rowsync.uploads import refuse_failures, uploads

    if sum((bool(sessions), everything, listing)) > 1:
        raise UsageError("Name sessions, or say --all, or --list; not several of them.")
    settings = current_settings()
    store = open_store(settings)
    known = uploads(store.folder)
    if listing:
        _print(known, as_json)
        return
    rows = store.rows()
    wanted = [row["session_id"] for row in rows] if everything else _named(store, sessions)
    rowed = {row["session_id"] for row in rows if row["origin"] != "synthetic"}
    due = [each for each in wanted if each in rowed and (again or each not in known or not known[each].is_sent)]
    if not due:
        tell(_nothing(wanted, rowed))
        _print({each: known[each] for each in wanted if each in known}, as_json)
        return
    became = _sent(settings, store, due)
    _print(became, as_json)
    refuse_failures({session_id: each for session_id, each in became.items() if not each.is_sent})


def _named(store: Store, sessions: tuple[str, ...]) -> list[str]:
    return [store.find(each) for each in sessions] or [store.find()]


def _nothing(wanted: list[str], rowed: set[str]) -> str:
    if wanted and not rowed & set(wanted):
        return "A virtual rower rowed that, so it isn't sent anywhere."
    return "All of that is there already; --again sends it once more."


def _sent(settings: Settings, store: Store, due: list[str]) -> dict[str, Upload]:
    """Send sessions, one after the other; what became of each is kept at once."""
    from rowsync.uploads import INTERVALS_ICU, keep_upload

    to, became = _service(settings), {}
    with click.progressbar(due, label=f"To {INTERVALS_ICU}", file=sys.stderr) as ids:
        for session_id in ids:
            try:
                became[session_id] = _sent_one(settings, store, session_id, to)
            except RecordingError as error:
                tell(str(error))
                continue
            keep_upload(store.folder, session_id, became[session_id])
    return became


def _sent_one(settings: Settings, store: Store, session_id: str, to: Service) -> Upload:
    from datetime import UTC, datetime

    from rowsync.exports import session_bytes
    from rowsync.uploads import send
    from rowsync.wording import outside_text

    picture = picture_of(settings, store, store.summary(session_id))
    name = outside_text(f"Rowing {picture.summary['plan'] or ''}".strip())
    return send(to, session_id, name, session_bytes("fit", picture), lambda: datetime.now(UTC))


def _service(settings: Settings) -> Service:
    from rowsync.secret import named_file, read_secret
    from rowsync.uploads import KEY, service

    said = settings.intervals_icu
    file = named_file("intervals_icu", "key_file", said.get("key_file"))
    return service(said.get("url"), read_secret("the key of intervals.icu", KEY, file))


def _print(became: dict[str, Upload], as_json: bool) -> None:
    from dataclasses import asdict

    from rowsync.terminal import print_rows

    rows: list[dict[str, Any]] = [{"session_id": session_id} | asdict(each) for session_id, each in became.items()]
    if as_json:
        print_json(rows)
    elif rows:
        print_rows("session_id", rows)
    else:
        tell("Nothing was sent yet.")
