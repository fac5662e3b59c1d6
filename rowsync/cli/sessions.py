"""Looking back at sessions, and saying what they were: `sessions`, `show`, `correct`, `felt` and `replay`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.access import current_settings, open_store, store_of
from rowsync.cli.options import Name, json_option, kilograms, parsed_plan, shared_options
from rowsync.cli.output import print_json, print_summary, tell
from rowsync.cli.pages import refresh_pages
from rowsync.errors import RecordingError, UsageError

if TYPE_CHECKING:
    from rowsync.store import Store


@click.command()
@json_option
@shared_options
def sessions(as_json: bool) -> None:
    """List your sessions, newest first.

    \b
    Examples:
      rowsync sessions
      rowsync sessions --json
    """
    from rowsync.terminal import print_sessions
    from rowsync.wording import stamp

    store = open_store(current_settings())
    rows = [row | {"started_at": stamp(row["started_at"])} for row in store.rows()]
    if as_json:
        print_json(rows)
    elif rows:
        print_sessions(rows)
    else:
        tell(f"There are no sessions in {store.shelf.label()} yet. Row one, or try: rowsync demo")


@click.command()
@click.argument("session", required=False)
@json_option
@shared_options
def show(session: str | None, as_json: bool) -> None:
    """Show one session: totals, intervals, energy.

    SESSION is an id, or the beginning of one; without it the latest is shown.

    \b
    Examples:
      rowsync show
      rowsync show 20261123T1651 --json
    """
    store = open_store(current_settings())
    session_id = store.find(session)
    _tell_of_truth(store, session_id)
    print_summary(store.compared(store.summary(session_id)), as_json)


@click.command()
@click.argument("session", required=False)
@click.option("--edge", "edges", nargs=2, multiple=True, metavar="TIME NEWTIME", help="Move the edge nearest to TIME.")
@click.option(
    "--as",
    "stretches",
    nargs=3,
    multiple=True,
    metavar="EFFORT START END",
    help="Say that a stretch was hard, easy, rest, warm-up, cool-down or steady.",
)
@click.option("--undo", is_flag=True, help="Forget what you said; the intervals are detected again.")
@json_option
@shared_options
def correct(
    session: str | None,
    edges: tuple[tuple[str, str], ...],
    stretches: tuple[tuple[str, str, str], ...],
    undo: bool,
    as_json: bool,
) -> None:
    """Say where the intervals of a session really lie; it is kept, and its means and energies follow.

    SESSION is an id, or the beginning of one; without it the latest is meant. Times are typed as 5:12, 312, 312.5 or
    1:02:03. Edges are moved first, in the order given, then stretches are named. With neither, the session is shown:
    an interval's start is its edge to the one before it.

    \b
    Examples:
      rowsync correct
      rowsync correct --edge 5:02 4:58 --edge 5:48 5:43.5
      rowsync correct 20261123T1651 --as rest 12:10 13:05 --as cool-down 25:00 30:00
      rowsync correct --undo
    """
    store = open_store(current_settings())
    session_id = store.find(session)
    if undo and (edges or stretches):
        raise UsageError("--undo goes alone: it forgets every correction of the session.")
    if not (undo or edges or stretches):
        _tell_of_truth(store, session_id)
        print_summary(store.compared(store.summary(session_id)), as_json)
        return
    summary = store.uncorrect(session_id) if undo else _corrected(store, session_id, edges, stretches)
    print_summary(store.compared(summary), as_json)
    refresh_pages(store, [session_id])


@click.command()
@click.argument("session", required=False)
@click.option("--talk", metavar="yes|no", help="Whether you could have talked in whole sentences.")
@click.option("--exertion", metavar="0-10", help="How hard all of it was: 0 rest, 3 moderate, 5 hard, 10 most.")
@json_option
@shared_options
def felt(session: str | None, talk: str | None, exertion: str | None, as_json: bool) -> None:
    """Say how a session felt; it outweighs what sensors say of whether you could have talked.

    SESSION is an id, or the beginning of one; without it the latest is meant.

    \b
    Examples:
      rowsync felt --talk yes
      rowsync felt 20261123T1651 --exertion 6
    """
    from datetime import UTC, datetime

    from rowsync.felt import Felt, typed_exertion, typed_talk

    if talk is None and exertion is None:
        raise UsageError("Say --talk yes, --talk no, or --exertion with a number from 0 to 10.")
    said = Felt(
        talked=None if talk is None else typed_talk(talk),
        exertion=None if exertion is None else typed_exertion(exertion),
        said_at=datetime.now(UTC),
    )
    store = open_store(current_settings())
    session_id = store.find(session)
    print_summary(store.compared(store.felt(session_id, said)), as_json)
    refresh_pages(store, [session_id])


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--store", "keep", is_flag=True, help="Store the session too.")
@click.option("--athlete", type=Name(), metavar="NAME", help="Who rowed [default: whom the recording names].")
@click.option("--mass", type=kilograms, metavar="KG", help="Body mass [default: the recording's].")
@click.option("--plan", metavar="PLAN", help="Analyse it as rowed to this plan [default: the recording's].")
@json_option
@shared_options
def replay(
    recording: Path, keep: bool, athlete: str | None, mass: float | None, plan: str | None, as_json: bool
) -> None:
    """Analyse a recording (a journal or a fixture); it is stored only with --store.

    \b
    Examples:
      rowsync replay fixtures/recorded_sessions/intervals-10x45-75.jsonl
      rowsync replay my-recording.jsonl --mass 62 --json
      rowsync replay my-recording.jsonl --plan "5m + 10x45/75 + 5m"
    """
    from dataclasses import replace

    from rowsync.athlete import TYPED, Athlete
    from rowsync.recording import read_recording
    from rowsync.session import analyse
    from rowsync.wording import count

    if keep and plan is not None:
        raise UsageError("--plan goes without --store: a stored session keeps the plan that it was rowed to.")
    rowed_to = parsed_plan(plan)
    found = read_recording(recording)
    header = found.header
    settings = current_settings()
    header = store_of(settings).known(
        replace(
            header,
            athlete=Athlete(athlete) if athlete else header.athlete,
            plan=header.plan if rowed_to is None else rowed_to.text,
        )
    )
    if mass:
        header = replace(header, athlete=replace(header.athlete, mass_kg=mass, mass_from=TYPED))
    found = replace(found, header=header)
    if found.refused_lines:
        tell(f"{count(found.refused_lines, 'line')} of {recording.name} could not be read; the rest is sound.")
    if keep:
        store = open_store(settings)
        summary = store.compared(store.add(found))
        tell(f"Stored as {summary['session_id']}.")
        _tell_of_truth(store, summary["session_id"])
    else:
        summary = analyse(found.header, found.items).summary()
    print_summary(summary, as_json)


@click.command(hidden=True)
@shared_options
def recover() -> None:
    """Store the sessions that a crash left behind; every other command does so by itself."""
    open_store(current_settings())


@click.command(hidden=True)
@click.option("--athlete", type=Name(), required=True)
@click.option("--origin", default="hardware")
@click.option("--plan")
@shared_options
def past(athlete: str, origin: str, plan: str | None) -> None:
    """Print what came before a row of an athlete's as JSON: energies so far, and the last session of the same plan."""
    from datetime import UTC, datetime

    from rowsync.ledger import energy_so_far

    settings = current_settings()
    store = open_store(settings)
    energies = energy_so_far(store.rows(), settings.profile(athlete), origin, datetime.now(UTC))
    print_json({**energies, "before": store.before(athlete, plan)})


def _tell_of_truth(store: Store, session_id: str) -> None:
    """Warn of a correction that can't be read; its session is shown all the same."""
    try:
        store.correction(session_id)
    except RecordingError as error:
        tell(str(error))


def _corrected(
    store: Store, session_id: str, edges: Iterable[tuple[str, str]], stretches: Iterable[tuple[str, str, str]]
) -> dict[str, Any]:
    """Store a session's segments after what was typed."""
    from datetime import UTC, datetime

    from rowsync.corrections import Correction, moved, painted, segments_from_fields, typed_effort, typed_s

    segments = segments_from_fields(store.summary(session_id)["intervals"])
    for edge, to in edges:
        segments = moved(segments, typed_s(edge), typed_s(to))
    for effort, start, end in stretches:
        segments = painted(segments, typed_effort(effort), typed_s(start), typed_s(end))
    return store.correct(session_id, Correction(segments, datetime.now(UTC)))
