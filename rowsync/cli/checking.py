"""Whether all that is stored is sound: `check`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from rowsync.cli.access import current_settings, store_of
from rowsync.cli.options import json_option, shared_options
from rowsync.cli.output import print_json, tell
from rowsync.errors import RecordingError

if TYPE_CHECKING:
    from rowsync.soundness import Damage, StoredFile
    from rowsync.store import Store


@click.command()
@click.option("--deep", is_flag=True, help="Derive every session again too, and compare byte for byte.")
@json_option
@shared_options
def check(deep: bool, as_json: bool) -> None:
    """Read everything that is stored with all checks, and say what is damaged and what can be done. Changes nothing.

    A session whose samples are sound, but aren't what today's rowsync makes of its bytes, is named and no damage. The
    exit code is 4 where something is damaged.

    \b
    Examples:
      rowsync check
      rowsync check --deep
      rowsync check --json
    """
    from rowsync.soundness import behind, damages, stored_files

    settings = current_settings()
    store = store_of(settings)
    files = stored_files(store)
    damaged = damages(files, _problems(store, files))
    old = _unlike_derived(store, files, damaged) if deep else behind(store, files, damaged)
    if as_json:
        print_json({"files": len(files), "damaged": [_fields(each) for each in damaged], "behind": old})
    else:
        _say(files, damaged, old)
    if damaged:
        from rowsync.wording import count

        raise RecordingError(f"{count(len(damaged), 'file')} damaged.")


def _problems(store: Store, files: Sequence[StoredFile]) -> list[str | None]:
    from rowsync.soundness import problem_of

    with click.progressbar(files, label="Files", file=sys.stderr) as shown:
        return [problem_of(file, store.folder) for file in shown]


def _unlike_derived(store: Store, files: Iterable[StoredFile], damaged: Iterable[Damage]) -> list[str]:
    """The sessions whose samples aren't, byte for byte, what their bytes give today."""
    from rowsync.soundness import whole
    from rowsync.workers import Processes, cores

    wanted = whole(files, damaged)
    derived = store.derived(wanted, Processes(cores()))
    with click.progressbar(derived, length=len(wanted), label="Sessions", file=sys.stderr) as shown:
        every = list(shown)
    for each in every:
        if each.problem is not None:
            tell(each.problem)
    return [each.session_id for each in every if each.is_new]


def _say(files: Sequence[StoredFile], damaged: Sequence[Damage], old: Sequence[str]) -> None:
    from rowsync.wording import count

    for each in damaged:
        click.echo(f"{each.problem}\n  {each.remedy}")
    there = sum(str(file.part) in {each.path for each in damaged} for file in files)
    sessions = len({file.session_id for file in files if file.kind in ("raw", "samples")})
    click.echo(f"{count(len(files) - there, 'file')} sound, of {count(sessions, 'session')}.")
    if old:
        click.echo(
            f"{count(len(old), 'session')} not as today's rowsync and settings make them from their bytes; "
            f"`rowsync rebuild` makes them anew: {', '.join(old)}"
        )


def _fields(damage: Damage) -> dict[str, str | None]:
    return damage._asdict()
