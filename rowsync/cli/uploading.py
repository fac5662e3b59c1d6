"""Sessions sent to a service: `upload`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.access import current_settings, open_store
from rowsync.cli.export import picture_of
from rowsync.cli.options import athlete_option, json_option, refuse, shared_options
from rowsync.cli.output import print_json, tell
from rowsync.errors import RecordingError, SessionNotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from rowsync.config import Settings
    from rowsync.store import Store
    from rowsync.uploads import Service, Upload

Row = dict[str, Any]


@click.command()
@click.argument("sessions", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every session that isn't there yet.")
@click.option("--imported", is_flag=True, help="With --all: also those that were imported from other tools.")
@click.option("--again", is_flag=True, help="Also those that are there already.")
@click.option("--list", "listing", is_flag=True, help="Only say what became of which session; nothing is sent.")
@athlete_option
@json_option
@shared_options
def upload(
    sessions: tuple[str, ...],
    everything: bool,
    imported: bool,
    again: bool,
    listing: bool,
    athlete: str | None,
    as_json: bool,
) -> None:
    """Send sessions to intervals.icu, as FIT files.

    SESSIONS are ids, or their beginnings; without one the latest is sent. An account is one person's: without ids only
    your own sessions are sent, or those of --athlete. Nothing is sent without this command, and what a virtual rower
    rowed never is. Your key is on the service's settings page; it stands in a file that the settings name (below
    [intervals_icu], key_file), or in ROWSYNC_INTERVALS_ICU_KEY.

    \b
    Examples:
      rowsync upload
      rowsync upload --all
      rowsync upload --list
    """
    from rowsync.uploads import refuse_failures, uploads

    if sum((bool(sessions), everything, listing)) > 1:
        raise UsageError("Name sessions, or say --all, or --list; not several of them.")
    if imported and not everything:
        raise UsageError("--imported goes with --all; an imported session that you name is sent without it.")
    if sessions:
        refuse(["athlete"], "goes without ids: a session that you name is sent, whose it is.")
    settings = current_settings()
    store = open_store(settings)
    known = uploads(store.folder)
    if listing:
        _print(known, as_json)
        return
    wanted = _wanted(store, sessions, athlete or settings.athlete, everything, imported)
    rowed = [row["session_id"] for row in wanted if row["origin"] != "synthetic"]
    due = [each for each in rowed if again or each not in known or not known[each].is_sent]
    if not due:
        tell(_nothing(wanted, rowed))
        if rowed or as_json:
            _print({each: known[each] for each in rowed if each in known}, as_json)
        return
    became = _sent(settings, store, due, {each for each, upload in known.items() if upload.is_sent})
    _print(became, as_json)
    refuse_failures({each: upload for each, upload in became.items() if not upload.is_sent}, len(due) - len(became))


def _wanted(store: Store, sessions: Sequence[str], athlete: str, everything: bool, imported: bool) -> list[Row]:
    """The rows of the sessions that are meant, newest first; says what of all is left out.

    Raises:
        SessionNotFound: there is none.
    """
    rows = store.rows()
    if sessions:
        by_id = {row["session_id"]: row for row in rows}
        return [by_id[store.find(each)] for each in sessions]
    own = [row for row in rows if row["athlete"] == athlete]
    if not own:
        raise SessionNotFound(_none_of(athlete, rows))
    wanted = [row for row in own if imported or row["origin"] != "converted"]
    if not everything:
        if not wanted:
            raise SessionNotFound("All of these sessions were imported from other tools: name the one to send.")
        return wanted[:1]
    _tell_of_left_out(athlete, len(rows) - len(own), len(own) - len(wanted))
    return wanted


def _none_of(athlete: str, rows: Sequence[Row]) -> str:
    from rowsync.wording import outside_text

    whose = sorted({outside_text(row["athlete"]) for row in rows})
    if not whose:
        return "There are no sessions yet. Row one, or try: rowsync demo"
    return f"No session is {outside_text(athlete)}'s; there are those of {', '.join(whose)}: say --athlete NAME."


def _tell_of_left_out(athlete: str, of_others: int, imported: int) -> None:
    from rowsync.wording import count, outside_text

    if of_others:
        tell(f"Left out: {count(of_others, 'session')} of others than {outside_text(athlete)}.")
    if imported:
        tell(f"Left out: {count(imported, 'session')} imported from other tools (--imported sends them too).")


def _nothing(wanted: Sequence[Row], rowed: Sequence[str]) -> str:
    if wanted and not rowed:
        return "A virtual rower rowed that, so it isn't sent anywhere."
    return "All of that is there already; --again sends it once more." if wanted else "Nothing is left to send."


def _sent(settings: Settings, store: Store, due: Sequence[str], there: Container[str]) -> dict[str, Upload]:
    """Send sessions, one after the other, until the service takes none; what it answers is kept at once.

    What is there already stays known as sent, also where it can't be sent again.
    """
    from rowsync.uploads import INTERVALS_ICU, Upload, connected, keep_upload, send
    from rowsync.wording import stamp

    became: dict[str, Upload] = {}
    progress = click.progressbar(due, label=f"To {INTERVALS_ICU}", file=sys.stderr)
    with connected(_service(settings)) as client, progress as ids:
        for session_id in ids:
            try:
                name, content = _file(settings, store, session_id)
            except (RecordingError, UsageError) as error:
                became[session_id] = Upload(stamp(_now()), error=str(error))
                continue
            became[session_id] = send(client, session_id, name, content, _now)
            if became[session_id].is_sent or session_id not in there:
                keep_upload(store.folder, session_id, became[session_id])
            if became[session_id].is_for_all:
                break
    return became


def _now() -> datetime:
    return datetime.now(UTC)


def _file(settings: Settings, store: Store, session_id: str) -> tuple[str, bytes]:
    """What a session is called at the service, and its file.

    Raises:
        RecordingError: it can't be read.
        UsageError: it can't be written as FIT.
    """
    from rowsync.exports import session_bytes
    from rowsync.wording import outside_text

    picture = picture_of(settings, store, store.summary(session_id))
    name = outside_text(f"Rowing {picture.summary['plan'] or ''}".strip())
    return name, session_bytes("fit", picture)


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
