"""A training programme beside what was done of it: `programme`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.access import current_settings, open_store
from rowsync.cli.options import athlete_option, json_option, shared_options
from rowsync.cli.output import print_json, tell
from rowsync.errors import RecordingError, UsageError

if TYPE_CHECKING:
    from datetime import date, datetime

    from rowsync.config import Settings
    from rowsync.programme import Programme
    from rowsync.store import Store

_day = click.DateTime(["%Y-%m-%d"])


@click.command()
@athlete_option
@click.option("--tick", metavar="DAY", help="A strength day that you did: A, B or C.")
@click.option("--untick", metavar="DAY", help="Take a tick back.")
@click.option("--on", type=_day, metavar="DATE", help="When, such as 2026-11-03; with --tick or --untick [today].")
@click.option("--start", type=_day, metavar="DATE", help="A day of your first week; it is kept.")
@click.option("--file", type=click.Path(path_type=Path), metavar="TOML", help="Another programme (docs/programme.md).")
@json_option
@shared_options
def programme(
    athlete: str | None,
    tick: str | None,
    untick: str | None,
    on: datetime | None,
    start: datetime | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """Show a training programme of 8-12 weeks beside what you did of it, week by week.

    Rows count by themselves; strength days are ticked. What a virtual rower rowed doesn't count.

    \b
    Examples:
      rowsync programme
      rowsync programme --tick A
      rowsync programme --tick B --on 2026-11-03 --athlete anna
      rowsync programme --start 2026-11-02
    """
    from rowsync import ticks
    from rowsync.config import today as day_in
    from rowsync.programme import Tick

    settings = current_settings()
    profile = settings.profile(athlete)
    today = day_in(profile.time_zone)
    followed = _programme(file)
    if on is not None and tick is None and untick is None:
        raise UsageError("--on goes with --tick or --untick: it says when a strength day was done.")
    for typed, keep in ((tick, ticks.tick), (untick, ticks.untick)):
        if typed is not None:
            keep(settings.data, profile.name, Tick(_past(on, today), _strength_day(followed, typed)))
    if start is not None:
        ticks.start(settings.data, profile.name, start.date())
    shown = programme_of(settings, open_store(settings), athlete, followed, tell)
    if as_json:
        print_json(shown)
        return
    from rowsync.terminal import print_programme

    print_programme(shown)


def _programme(file: Path | None) -> Programme:
    """The programme in a file; None is rowsync's own."""
    from importlib.resources import files

    from rowsync.programme import load_programme

    try:
        text = (files("rowsync") / "programme.toml" if file is None else file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RecordingError(f"{file} can't be read: {getattr(error, 'strerror', None) or 'it is no text'}.") from None
    return load_programme(text)


def _past(on: datetime | None, today: date) -> date:
    day = today if on is None else on.date()
    if day > today:
        raise UsageError(f"{day} is yet to come: tick it when it is done.")
    return day


def _strength_day(followed: Programme, typed: str) -> str:
    """The programme's name of a strength day, however it was typed."""
    for name in followed.day_names:
        if name.casefold() == typed.casefold():
            return name
    raise UsageError(f"{typed[:60]!r} is no strength day of this programme; it has {', '.join(followed.day_names)}.")


def programme_of(
    settings: Settings,
    store: Store,
    athlete: str | None,
    followed: Programme | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """What an athlete did of a programme, by default rowsync's own, until today; `tell` hears what can't be read."""
    from rowsync import ticks
    from rowsync.adherence import adherence
    from rowsync.config import today

    profile = settings.profile(athlete)
    said = ticks.ticked(settings.data, profile.name)
    return adherence(store, followed or _programme(None), profile, said, today(profile.time_zone), tell)
