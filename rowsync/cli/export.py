"""What leaves rowsync for other programs: `export session` and `export calories`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.access import current_settings, open_store
from rowsync.cli.options import Name, shared_options
from rowsync.cli.output import tell
from rowsync.errors import RecordingError, SessionNotFound, StoreError, UsageError

if TYPE_CHECKING:
    from rowsync.config import Settings
    from rowsync.exports import Picture
    from rowsync.store import Store


@click.group()
@shared_options
def export() -> None:
    """Export what you rowed."""


@export.command()
@click.argument("session", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["fit", "tcx", "csv", "json", "goldencheetah", "rowingdata"]),
    help="[default: what the name after -o ends in, else csv]",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to [default: standard output].")
@shared_options
def session(session: str | None, form: str | None, output: Path | None) -> None:
    """Export one session for another program.

    SESSION is an id, or the beginning of one; without it the latest is exported. Most training sites take FIT; tcx is
    for those that don't. csv has a row a sample, rowingdata a row a stroke, json the session as `show --json` with its
    series.

    \b
    Examples:
      rowsync export session -o row.fit
      rowsync export session 20261123T1651 --format tcx -o row.tcx
      rowsync export session --format csv | head
    """
    from rowsync.exports import FORMATS, session_bytes
    from rowsync.terminal import waiting

    name = form or ("csv" if output is None else _form_by_ending(output))
    if output is None and not FORMATS[name].is_text and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(f"A terminal can't show {name.upper()}: name a file with -o row.{name}, or pipe it on.")
    settings = current_settings()
    store = open_store(settings)
    session_id = store.find(session)
    with waiting("Reading the session again from its bytes …"):
        summary = store.compared(store.summary(session_id))
        content = session_bytes(name, picture_of(settings, store, summary))
    _write_out(content, output)
    if output is not None:
        tell(f"{output} has the session {session_id}.")


def picture_of(settings: Settings, store: Store, summary: dict[str, Any]) -> Picture:
    """A session as exports see it.

    Args:
        settings: who has which time zone.
        store: where it is.
        summary: as `Store.summary` gives it.

    Raises:
        RecordingError: it can't be read, or nothing says when it began.
    """
    from rowsync.days import local
    from rowsync.exports import Picture
    from rowsync.wording import moment

    session_id, began = summary["session_id"], moment(summary["started_at"])
    if began is None:
        raise RecordingError(f"Nothing says when the session {session_id} began, so no other program can take it.")
    began = local(began, settings.profile(summary["athlete"]).time_zone)
    return Picture(summary, *store.series(session_id), began)


def _form_by_ending(output: Path) -> str:
    """The format that a file's name tells.

    Raises:
        UsageError: it tells none.
    """
    from rowsync.exports import FORMATS
    from rowsync.wording import outside_text

    for name, each in FORMATS.items():
        if each.ending is not None and each.ending == output.suffix.lower():
            return name
    endings = ", ".join(each.ending for each in FORMATS.values() if each.ending is not None)
    raise UsageError(
        f"The name {outside_text(output.name)} doesn't say which format is meant: end it in one of {endings}, or add "
        f"--format with one of {', '.join(FORMATS)}."
    )


@export.command()
@click.option("--by", type=click.Choice(["session", "day", "week", "month"]), default="week", show_default=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "parquet"]),
    help="[default: what the name after -o ends in, else csv]",
)
@click.option("--athlete", type=Name(), metavar="NAME", help="Only this athlete [default: everyone].")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to [default: standard output].")
@shared_options
def calories(by: str, form: str | None, athlete: str | None, output: Path | None) -> None:
    """Export calorie totals, with their 80 % range, by the days of the athlete's time zone.

    Weeks are ISO weeks, with the athlete's weekly aim where one is set. Standard error says what a newer energy model
    changed since the last export.

    \b
    Examples:
      rowsync export calories --by week
      rowsync export calories --by session --format json -o calories.json
    """
    from rowsync.ledger import FORMS, energy_models, ledger, ledger_bytes

    settings = current_settings()
    index = open_store(settings).index()
    if athlete is not None:
        index = index[index.athlete == athlete]
        if index.empty:
            raise SessionNotFound(f"No session is {athlete!r}'s. `rowsync sessions` lists them with their athletes.")
    ending = output.suffix.removeprefix(".") if output else ""
    table = ledger(index, by, settings.athletes)
    held = energy_models(output) if output else set()
    _write_out(ledger_bytes(table, form or (ending if ending in FORMS else "csv")), output)
    _tell_of_models(settings, index, output, held)


def _tell_of_models(settings: Settings, index: Any, output: Path | None, held: set[str]) -> None:
    """Say what was exported last by another energy model, and keep what is exported now.

    Args:
        settings: the settings.
        index: the sessions exported.
        output: the file they were exported to.
        held: the models of what lay in it before.
    """
    from rowsync.config import today
    from rowsync.exported import Cost, Export, change, keep_exports, last_exports, replacement

    last, exports = last_exports(settings.data), {}
    for athlete, rows in index.groupby("athlete"):
        day = today(settings.profile(str(athlete)).time_zone)
        costs = zip(rows.session_id, rows.energy_model, rows.gross_kcal, strict=True)
        exports[str(athlete)] = Export.of(day, map(Cost._make, costs))
    told = [change(athlete, last[athlete], now) for athlete, now in exports.items() if athlete in last]
    if not any(told):
        told = [replacement(str(output), held, index.energy_model.dropna())]
    for sentence in filter(None, told):
        tell(sentence)
    keep_exports(settings.data, exports)


def _write_out(content: bytes, output: Path | None) -> None:
    if output is None:
        if sys.stdout is None:
            raise StoreError("There is no standard output to write to; name a file with -o.")
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    try:
        _put(content, output.resolve())
    except OSError as error:
        raise StoreError(f"{output} can't be written: {error.strerror}.") from None


def _put(content: bytes, path: Path) -> None:
    """Write a file whole or not at all; what is no file, such as a pipe, is written to as it is."""
    from rowsync.files import replacing

    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    with replacing(path) as file:
        file.write(content)
