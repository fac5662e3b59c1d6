"""What leaves rowsync as a table: `export calories`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.access import current_settings, open_store
from rowsync.cli.options import shared_options
from rowsync.cli.output import tell
from rowsync.errors import SessionNotFound, StoreError

if TYPE_CHECKING:
    from rowsync.config import Settings


@click.group()
@shared_options
def export() -> None:
    """Export what you rowed."""


@export.command()
@click.option("--by", type=click.Choice(["session", "day", "week", "month"]), default="week", show_default=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "parquet"]),
    help="[default: what the name after -o ends in, else csv]",
)
@click.option("--athlete", metavar="NAME", help="Only this athlete [default: everyone].")
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
        output.write_bytes(content)
    except OSError as error:
        raise StoreError(f"{output} can't be written: {error.strerror}.") from None
