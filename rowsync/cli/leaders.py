"""Who was fastest: `leaderboard`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from rowsync.cli.access import current_settings, open_store
from rowsync.cli.options import json_option, shared_options
from rowsync.cli.output import print_json, tell


@click.command()
@click.argument("best", default="500m")
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True, help="So many people.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Only rows since that day (UTC).")
@json_option
@shared_options
def leaderboard(best: str, top: int, since: datetime | None, as_json: bool) -> None:
    """List the best of each person: a time over a distance, or power held for a time.

    BEST is a distance such as 500m or 2000m, or a time such as 60s. Watts of different machines aren't the same:
    `rowsync machines` says how far they differ, where it is known. What a program rowed isn't listed.

    \b
    Examples:
      rowsync leaderboard
      rowsync leaderboard 2000m --since 2026-01-01
      rowsync leaderboard 60s --top 3 --json
    """
    from rowsync import wording
    from rowsync.leaderboard import column_of, leaders

    column = column_of(best)
    found = leaders(
        open_store(current_settings()).table(), column, top, None if since is None else since.replace(tzinfo=UTC)
    )
    if as_json:
        print_json([{**each, "started_at": wording.stamp(each["started_at"])} for each in found])
    elif not found:
        tell(f"Nobody has rowed that yet: {best}.")
    for place, each in enumerate([] if as_json else found, start=1):
        click.echo(f"{place:>3}  {_said(each, column):>9}  {_who(each)}")


def _said(each: dict[str, Any], column: str) -> str:
    from rowsync import wording

    return wording.pace(each[column]) if column.endswith("_s") else f"{each[column]:.0f} W"


def _who(each: dict[str, Any]) -> str:
    from rowsync import wording

    machine = f", {wording.outside_text(each['machine'])}" if each["machine"] else ""
    return f"{wording.outside_text(each['athlete'])}, {each['started_at']:%Y-%m-%d}{machine}"
