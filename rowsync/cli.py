"""The command line.  Everything heavy is imported inside the command that needs it, so that `--help` is quick.

Results go to standard output, everything else to standard error.  Exit codes: 0 done, 1 our bug, 2 usage, 3 no such
rower or session, 4 bad input file, 5 cannot write, 130 interrupted.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource
from click.utils import PacifyFlushWrapper

from rowsync import __version__
from rowsync.athlete import PLAUSIBLE
from rowsync.errors import MachineError, RecordingError, RowsyncError, SessionNotFound, StoreError, UsageError

if TYPE_CHECKING:
    from rowsync.config import Settings
    from rowsync.plan import Plan
    from rowsync.recording import Recording
    from rowsync.rowing import Wishes
    from rowsync.store import Store

DEMO_PLAN = "5m + 10x45/75 + 5m"
DEMO_ATHLETE = "demo"
DEMO_MASS_KG = 75.0


def main() -> NoReturn:
    """Run the command line and end the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter gets a question mark
    code: Any
    try:
        code = cli.main(standalone_mode=False, prog_name="rowsync")
    except RowsyncError as error:
        _trace()
        _tell(str(error))
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _tell("Stopped. What was recorded is safe; a session cut short is stored at the next start.")
        code = 130
    except OSError as error:
        _trace()
        _tell(f"{error.filename or 'The output'} can't be used: {error.strerror or error}.")
        code = StoreError.exit_code
    except SystemExit as ended:  # click ends so when the reader of our output has had enough, which is no error
        code = 0 if type(sys.stdout) is PacifyFlushWrapper else ended.code
    except Exception as error:
        if _debug():
            raise
        _tell(
            f"This is a mistake in rowsync, not yours: {type(error).__name__}: {error}\nNo recorded data is lost. Run "
            "the command again with --debug and report what it prints."
        )
        code = 1
    sys.exit(code or 0)


# --- options that many commands share ---------------------------------------------------------------------------------


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    key = f"rowsync.{parameter.name}"
    typed = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    if value not in (None, False) and (typed or key not in context.meta):
        context.meta[key] = value


def _data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="ROWSYNC_DATA",
        expose_value=False,
        callback=_remember,
        help="Folder of your sessions [default: the system's data folder, or ROWSYNC_DATA].",
    )(command)


def _debug_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--debug", is_flag=True, expose_value=False, callback=_remember, help="Show the traceback of an error."
    )(command)


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    return _data_option(_debug_option(command))


_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
_athlete_option = click.option("--athlete", metavar="NAME", envvar="ROWSYNC_ATHLETE", help="Who rows [default: me].")


class _Kilograms(click.FloatRange):
    """A body mass; "nan" is a number to Python and none to us."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        mass_kg = super().convert(value, parameter, context)
        return mass_kg if mass_kg == mass_kg else self.fail(f"{value!r} is no number.", parameter, context)


_mass = _Kilograms(*PLAUSIBLE["mass_kg"])
_mass_option = click.option(
    "--mass", type=_mass, metavar="KG", envvar="ROWSYNC_MASS", help="Body mass, for the energy."
)
_plan_option = click.option(
    "--plan", metavar="PLAN", help="What to row: 10x45/75, 5m + 10x45/75 + 5m, 8x500m/2mr, 30m."
)
_seed_option = click.option("--seed", type=int, default=1, show_default=True, help="The virtual rower's dice.")
_machine_option = click.option(
    "--machine",
    default="standard",
    show_default=True,
    metavar="NAME",
    help="Which machine the virtual rower sits on: standard, pace-only, viking, dropout, resetting, pm5, pm5-native, "
    "pm5-native-mux, mr-captain, kayakpro, joroto, waterrower, start-needed, ftms-only, disconnecting, switched-off, "
    "half-open, no-service-data, whipr, fitshow or keep-alive.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rowsync")
@_shared
def cli() -> None:
    """Guides, records and explains indoor rowing from any Bluetooth rower.

    \b
    Try it without a rower:   rowsync demo
    Row intervals:            rowsync row --plan 10x45/75 --mass 75
    Look back:                rowsync show    rowsync dashboard
    """


# --- rowing -----------------------------------------------------------------------------------------------------------


@cli.command()
@click.option("--plan", default=DEMO_PLAN, show_default=True, metavar="PLAN", help="What the virtual rower rows.")
@click.option("--real-time", is_flag=True, help="At a rower's speed instead of as fast as the computer can.")
@_machine_option
@_seed_option
@_json_option
@_shared
def demo(plan: str, real_time: bool, machine: str, seed: int, as_json: bool) -> None:
    """Show the whole way with no hardware: a virtual rower rows intervals over a virtual radio.

    \b
    A rower of mass and muscle is simulated; it advertises and notifies as a real Bluetooth rower would, and rowsync
    finds, guides, records, analyses and draws it as it would a real one. Nothing is skipped but the waiting.

    \b
    Examples:
      rowsync demo
      rowsync demo --plan "3m + 4x30/30 + 2m" --real-time
    """
    settings = _settings()
    athlete = settings.who(DEMO_ATHLETE, settings.who(DEMO_ATHLETE, None).mass_kg or DEMO_MASS_KG)
    wishes = _wishes(settings, athlete=athlete, plan=_parsed(plan), origin="synthetic")
    summary = _row_and_store(wishes, virtual=(machine, seed), fast=not real_time)
    _conclude(_store(settings), summary, as_json)


@cli.command()
@_plan_option
@click.option("--rower", metavar="NAME|ADDRESS", help="Which one (`rowsync scan`) [default: the last, or the nearest].")
@_athlete_option
@_mass_option
@click.option("--strap", metavar="NAME|ADDRESS", help="Heart-rate strap; any, none [default: the last one].")
@click.option("--virtual", is_flag=True, help="The virtual rower instead of a real one; only the radio differs.")
@click.option("--fast", is_flag=True, help="With --virtual: as fast as the computer can.")
@_machine_option
@_seed_option
@_json_option
@_shared
def row(
    plan: str | None,
    rower: str | None,
    athlete: str | None,
    mass: float | None,
    strap: str | None,
    virtual: bool,
    fast: bool,
    machine: str,
    seed: int,
    as_json: bool,
) -> None:
    """Connect to a rower, guide and record until the plan is done or you press Ctrl-C.

    \b
    Examples:
      rowsync row
      rowsync row --plan "5m + 10x45/75 + 5m" --mass 75
      rowsync row --rower "PM5 430000000" --athlete anna
    """
    _refuse_virtual_only(virtual, fast)
    settings = _settings()
    if virtual:
        plan, athlete = DEMO_PLAN if plan is None else plan, athlete or DEMO_ATHLETE
    wishes = _wishes(
        settings,
        athlete=settings.who(athlete, mass),
        plan=_parsed(plan),
        rower=rower,
        strap=strap,
        origin="synthetic" if virtual else "hardware",
    )
    summary = _row_and_store(wishes, virtual=(machine, seed) if virtual else None, fast=fast)
    _conclude(_store(settings), summary, as_json)


@cli.command()
@click.option("--seconds", type=click.FloatRange(1, 120), default=5.0, show_default=True, help="How long to listen.")
@_json_option
@_shared
def scan(seconds: float, as_json: bool) -> None:
    """List the rowers nearby, with what they offer.

    \b
    Examples:
      rowsync scan
      rowsync scan --seconds 15 --json
    """
    from rowsync.live import run_scan
    from rowsync.terminal import print_rows
    from rowsync.wording import outside_text

    found = run_scan(seconds)
    rows = [
        {
            "name": outside_text(each.name),
            "address": each.address,
            "signal_dbm": each.signal_dbm,
            "rower": {True: "yes", None: "perhaps", False: "no"}[each.is_rower],
            "services": " ".join(each.services),
        }
        for each in found
    ]
    if as_json:
        _print_json(rows)
    elif rows:
        print_rows("name", rows)
    else:
        _tell("No rower answered. Wake the machine (pull the handle, or choose Connect in its menu) and scan again.")


# --- looking back -----------------------------------------------------------------------------------------------------


@cli.command()
@_json_option
@_shared
def sessions(as_json: bool) -> None:
    """List your sessions, newest first.

    \b
    Examples:
      rowsync sessions
      rowsync sessions --json
    """
    from rowsync.terminal import print_sessions
    from rowsync.wording import stamp

    store = _store(_settings())
    rows = [row | {"started_at": stamp(row["started_at"])} for row in store.rows()]
    if as_json:
        _print_json(rows)
    elif rows:
        print_sessions(rows)
    else:
        _tell(f"There are no sessions in {store.folder} yet. Row one, or try: rowsync demo")


@cli.command()
@click.argument("session", required=False)
@_json_option
@_shared
def show(session: str | None, as_json: bool) -> None:
    """Show one session: totals, intervals, energy.

    SESSION is an id, or the beginning of one; without it the latest is shown.

    \b
    Examples:
      rowsync show
      rowsync show 20261123T1651 --json
    """
    store = _store(_settings())
    session_id = store.find(session)
    _tell_of_truth(store, session_id)
    _show(store.summary(session_id), as_json)


@cli.command()
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
@_json_option
@_shared
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
    store = _store(_settings())
    session_id = store.find(session)
    if undo and (edges or stretches):
        raise UsageError("--undo goes alone: it forgets every correction of the session.")
    if not (undo or edges or stretches):
        _tell_of_truth(store, session_id)
        _show(store.summary(session_id), as_json)
        return
    summary = store.uncorrect(session_id) if undo else _corrected(store, session_id, edges, stretches)
    _show(summary, as_json)
    _refresh_page(store, session_id)


@cli.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--store", "keep", is_flag=True, help="Store the session too.")
@click.option("--athlete", metavar="NAME", help="Who rowed [default: whom the recording names].")
@click.option("--mass", type=_mass, metavar="KG", help="Body mass [default: the recording's].")
@click.option("--plan", metavar="PLAN", help="Analyse it as rowed to this plan [default: the recording's].")
@_json_option
@_shared
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

    from rowsync.recording import read_recording
    from rowsync.session import analyse
    from rowsync.wording import count

    if keep and plan is not None:
        raise UsageError("--plan goes without --store: a stored session keeps the plan that it was rowed to.")
    rowed_to = _parsed(plan)
    found = read_recording(recording)
    header = found.header
    rower = header.athlete if athlete is None else _settings().who(athlete, None)
    found = replace(
        found,
        header=replace(
            header,
            athlete=replace(rower, mass_kg=mass or rower.mass_kg),
            plan=header.plan if rowed_to is None else rowed_to.text,
        ),
    )
    if found.refused_lines:
        _tell(f"{count(found.refused_lines, 'line')} of {recording.name} could not be read; the rest is sound.")
    if keep:
        store = _store(_settings())
        summary = store.add(found)
        _tell(f"Stored as {summary['session_id']}.")
        _tell_of_truth(store, summary["session_id"])
    else:
        summary = analyse(found.header, found.items).summary()
    _show(summary, as_json)


@cli.command()
@click.argument("hex_bytes", metavar="HEX...", nargs=-1, required=True)
@click.option("--characteristic", default="2ad1", show_default=True, help="Which characteristic the bytes come from.")
@_json_option
@_debug_option
def decode(hex_bytes: tuple[str, ...], characteristic: str, as_json: bool) -> None:
    """Decode one payload: every field, what is missing, what is extra.

    \b
    Example:
      rowsync decode 2c094f210032000056010c00ffff5901ff3e00
      rowsync decode "(0x) 2C-09-4F-21-00-32-00-00-56-01"
    """
    import re

    from rowsync import ftms
    from rowsync.decoding import describe

    typed = " ".join(hex_bytes)
    try:
        payload = bytes.fromhex(re.sub(r"\(0x\)|0x|[\s:,-]", "", typed.lower()))
    except ValueError:
        raise UsageError(f"{typed[:60]!r} is not a row of hex digits such as 2c094f2100.") from None
    characteristic = _characteristic(characteristic)
    described = describe(characteristic, payload)
    if as_json:
        _print_json(described)
        return
    for name, value in described["fields"].items():
        click.echo(f"{name:32} {_shown(characteristic, value)}")
    if characteristic == ftms.ROWER_DATA:
        click.echo(f"{'more_data':32} {described['more_data']}")
    if described["missing"]:
        click.echo(f"{'missing':32} {', '.join(described['missing'])}")
    if described["extra_hex"]:
        click.echo(f"{'extra_hex':32} {described['extra_hex']}")
    for note in described["notes"]:
        click.echo(f"note: {note}")


@cli.command()
@click.argument("recording", required=False, metavar="[RECORDING]")
@click.option("--rower", metavar="NAME|ADDRESS", help="Which rower to examine now [default: as in row].")
@click.option("--seconds", type=click.IntRange(20, 3600), default=60, show_default=True, help="How long to row for it.")
@click.option("--share", type=click.Path(path_type=Path), metavar="FILE", help="Write a redacted recording to share.")
@click.option("--without-heart-rate", is_flag=True, help="With --share: leave out the strap's heart rates.")
@click.option("--virtual", is_flag=True, help="The virtual rower instead of a real one.")
@click.option("--fast", is_flag=True, help="With --virtual: as fast as the computer can.")
@_machine_option
@_seed_option
@_json_option
@_shared
def doctor(
    recording: str | None,
    rower: str | None,
    seconds: int,
    share: Path | None,
    without_heart_rate: bool,
    virtual: bool,
    fast: bool,
    machine: str,
    seed: int,
    as_json: bool,
) -> None:
    """Find out what a machine really sends, and how rowsync handles it.

    RECORDING is a file, or the id of a stored session. Without it you row for a minute and stop for ten seconds; that
    session is stored as any other. The examination names neither addresses nor serial numbers.

    \b
    Examples:
      rowsync doctor
      rowsync doctor --rower "PM5 430000000" --share pm5.jsonl
      rowsync doctor fixtures/recorded_sessions/stops-8x500m.jsonl
    """
    from rowsync.examination import examine

    if recording is not None and (rower is not None or virtual):
        raise UsageError("Either a recording is examined, or a rower.")
    _refuse_virtual_only(virtual, fast)
    if recording is not None:
        _refuse(("seconds",), "goes without a recording: that has been rowed already.")
    if share is None:
        _refuse(("without_heart_rate",), "goes with --share.")
    else:
        _check_share(share)
    if recording is not None:
        found = _recording(recording)
    else:
        found = _rowed_for_doctor(rower, seconds, (machine, seed) if virtual else None, fast)
    examined = examine(found).summary()
    if as_json:
        _print_json(examined)
    else:
        from rowsync.terminal import print_examination

        print_examination(examined)
    if share is not None:
        _share(found, share, heart_rate=not without_heart_rate)


@cli.command()
@click.argument("session", required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to; .html or .png [default: <data>/pages]."
)
@click.option("--all", "everything", is_flag=True, help="Every session and the history, into the folder -o.")
@_shared
def report(session: str | None, output: Path | None, everything: bool) -> None:
    """Write the page of a session as static HTML, to open, keep or mail.

    SESSION is an id, or the beginning of one; without it the latest is written.

    \b
    Examples:
      rowsync report -o page.html
      rowsync report --all -o site/
    """
    store = _store(_settings())
    if everything:
        if output is not None and output.suffix:
            raise UsageError(f"--all writes a folder of pages; {output} looks like a file.")
        store.find()
        click.echo(_write_all(store, output or store.folder / "pages"))
        return
    click.echo(_write_page(store, store.find(session), output))


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8765, show_default=True, help="Port to listen on.")
@_shared
def dashboard(port: int) -> None:
    """Serve your sessions as web pages on this computer, and to nobody else.

    \b
    Examples:
      rowsync dashboard
      rowsync dashboard --port 9000
    """
    from dashboards.app import create_app, serve

    app = create_app(_store(_settings()))
    with suppress(KeyboardInterrupt):
        serve(app, "127.0.0.1", port, announce=lambda address: _tell(f"Your sessions: {address}   (Ctrl-C ends)"))


@cli.group()
@_shared
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
@_shared
def calories(by: str, form: str | None, athlete: str | None, output: Path | None) -> None:
    """Export calorie totals, with their 80 % range.

    \b
    Examples:
      rowsync export calories --by week
      rowsync export calories --by session --format json -o calories.json
    """
    from rowsync.ledger import FORMS, ledger, ledger_bytes

    index = _store(_settings()).index()
    if athlete is not None:
        index = index[index.athlete == athlete]
        if index.empty:
            raise SessionNotFound(f"No session is {athlete!r}'s. `rowsync sessions` lists them with their athletes.")
    ending = output.suffix.removeprefix(".") if output else ""
    _write_out(ledger_bytes(ledger(index, by), form or (ending if ending in FORMS else "csv")), output)


@cli.command(hidden=True)
@_shared
def recover() -> None:
    """Store the sessions that a crash left behind; every other command does so by itself."""
    _store(_settings())


# --- what the commands are made of ------------------------------------------------------------------------------------


def _settings() -> Settings:
    from dataclasses import replace

    from rowsync.config import config_path, read_settings

    settings = read_settings(config_path())
    given = click.get_current_context().meta.get("rowsync.data")
    return replace(settings, data=given) if given else settings


def _store(settings: Settings) -> Store:
    """The store, after storing what a crash may have left behind."""
    from rowsync import wording
    from rowsync.store import Store

    store = Store(settings.data)
    for recovery in store.recover():
        if recovery.problem is not None:
            _tell(recovery.problem)
        elif recovery.summary is not None:
            what = "Recovered a session that was cut short" if recovery.cut_short else "Stored a session that waited"
            length, metres = recovery.summary["duration_s"], recovery.summary["distance_m"]
            _tell(f"{what}: {recovery.summary['session_id']}, {wording.clock(length)}, {wording.number(metres)} m.")
    return store


def _wishes(settings: Settings, **wishes: Any) -> Wishes:
    from rowsync.rowing import Wishes

    return Wishes(folder=settings.data, **wishes)


VIRTUAL_ONLY = ("machine", "seed")
"""Options that mean nothing to a real rower."""


def _refuse(options: Iterable[str], because: str) -> None:
    """Refuse options that would silently do nothing."""
    context = click.get_current_context()
    for option in options:
        if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            raise UsageError(f"--{option.replace('_', '-')} {because}")


def _refuse_virtual_only(virtual: bool, fast: bool) -> None:
    """Refuse what only a virtual rower can be told, unless it is one that rows."""
    if virtual:
        return
    if fast:
        raise UsageError("--fast goes with --virtual: nobody rows faster than time.")
    _refuse(VIRTUAL_ONLY, "goes with --virtual.")


def _characteristic(typed: str) -> str:
    """A characteristic's short name, from any of the ways in which UUIDs are written."""
    import re

    from rowsync.identity import BASE, short_uuid

    digits = typed.strip().lower().removeprefix("0x")
    if re.fullmatch("[0-9a-f]{4}", digits):
        return digits
    if re.fullmatch("[0-9a-f]{8}", digits):
        return short_uuid(digits + BASE)
    if re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", digits):
        return short_uuid(digits)
    if re.fullmatch("[0-9a-f]{32}", digits):
        return short_uuid("-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])))
    raise UsageError(f"{typed[:60]!r} is no characteristic: give its UUID, such as 2ad1 or ce060031.")


def _shown(characteristic: str, value: Any) -> str:
    """A decoded field's value in words."""
    from rowsync import concept2, identity
    from rowsync.wording import outside_text

    if value in ("", []) or (value is None and characteristic in (*identity.IDENTITY, *concept2.INFORMATION)):
        return "none"
    if isinstance(value, list):
        return ", ".join(outside_text(each) for each in value)
    return "not available" if value is None else outside_text(value)


def _parsed(plan: str | None) -> Plan | None:
    from rowsync.plan import parse_plan

    return None if plan is None else parse_plan(plan)


def _row_and_store(wishes: Wishes, virtual: tuple[str, int] | None, fast: bool) -> dict[str, Any]:
    from rowsync.live import run_row

    journal = run_row(wishes, virtual, fast)
    if journal is None:
        raise MachineError("The rower sent nothing, so there is nothing to store.")
    from rowsync.store import Store

    store = Store(wishes.folder)
    finished = store.finish(journal, wait=True)
    if finished is None:  # another command found the journal free, and was quicker
        return store.summary(journal.stem)
    if finished.problem is not None:
        raise RecordingError(finished.problem)
    if finished.summary is None:
        raise MachineError("Nobody rowed, so nothing is stored.")
    return finished.summary


def _recording(name: str) -> Recording:
    """A file's recording, or a stored session's."""
    from rowsync.recording import read_recording

    path = Path(name)
    if path.exists() or path.suffix or path.name != name:
        return read_recording(path)
    store = _store(_settings())
    return store.recording(store.find(name))


def _rowed_for_doctor(rower: str | None, seconds: int, virtual: tuple[str, int] | None, fast: bool) -> Recording:
    """Have somebody row, and stop; the session is stored if anybody did."""
    from rowsync.live import run_row
    from rowsync.recording import read_recording
    from rowsync.store import Store

    settings = _settings()
    wishes = _wishes(
        settings,
        athlete=settings.who(None if virtual is None else DEMO_ATHLETE, None),
        plan=_parsed(f"{seconds}s"),
        rower=rower,
        origin="hardware" if virtual is None else "synthetic",
        instructions=f"Row for {seconds} s, hard and easy in turn; then let go of the handle for ten seconds.",
    )
    journal = run_row(wishes, virtual, fast)
    if journal is None:
        raise MachineError("The rower sent nothing, so there is nothing to examine.")
    found = read_recording(journal)
    finished = Store(settings.data).finish(journal, wait=True)
    if finished is not None and finished.problem is not None:
        _tell(finished.problem)
    return found


def _check_share(path: Path) -> None:
    """Refuse a place for a redacted recording before anybody rows for it."""
    if str(path) == "-":
        raise UsageError("--share writes a file; give it a name.")
    if path.exists():
        raise UsageError(f"{path} exists already, and is not overwritten. Choose another name for --share.")
    if not path.parent.is_dir():
        raise StoreError(f"{path} can't be written: there is no folder {path.parent}.")


def _share(found: Recording, path: Path, heart_rate: bool) -> None:
    """Write a recording that may be given away, and say what was taken out of it."""
    import secrets

    from rowsync.recording import recording_bytes
    from rowsync.redaction import redact

    redaction = redact(found, f"redacted-{secrets.token_hex(4)}", heart_rate=heart_rate)
    try:
        with path.open("xb") as file:
            file.write(recording_bytes(redaction.recording.header, redaction.recording.items))
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error.strerror}.") from None
    _tell(f"{path} may be shared. Taken out:")
    for what in redaction.taken_out:
        _tell(f"  {what}")
    _tell("Look through it, it is plain text; then attach it to an issue of the rowsync project.")


def _tell_of_truth(store: Store, session_id: str) -> None:
    """Warn of a correction that can't be read; its session is shown all the same."""
    try:
        store.correction(session_id)
    except RecordingError as error:
        _tell(str(error))


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


def _refresh_page(store: Store, session_id: str) -> None:
    """Write a session's page again where one lies among the pages already, and the history with it."""
    page = store.folder / "pages" / f"{session_id}.html"
    if page.is_file():
        _write_page(store, session_id, page, home="index.html")
        _write_history(store, page.parent)


def _conclude(store: Store, summary: dict[str, Any], as_json: bool) -> None:
    try:
        page = _write_page(store, summary["session_id"], None, home="index.html")
        _write_history(store, page.parent)
    except StoreError as error:
        _show(summary | {"page": None}, as_json)
        raise StoreError(f"The session is stored, but its page could not be written. {error}") from None
    _show(summary | {"page": str(page)}, as_json)
    if not as_json:
        click.echo(f"Page: {page}")


def _write_page(store: Store, session_id: str, output: Path | None, home: str | None = None) -> Path:
    from dashboards.report import write_session_report

    path = output or store.folder / "pages" / f"{session_id}.html"
    write_session_report(store.summary(session_id), store.samples(session_id), path, home=home)
    return path


def _write_all(store: Store, folder: Path) -> Path:
    with click.progressbar([row["session_id"] for row in store.rows()], label="Pages", file=sys.stderr) as ids:
        for session_id in ids:
            _write_page(store, session_id, folder / f"{session_id}.html", home="index.html")
    return _write_history(store, folder)


def _write_history(store: Store, folder: Path) -> Path:
    from dashboards.report import write_history_report

    return write_history_report(store.index(), folder)


def _show(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _print_json(summary)
        return
    from rowsync.terminal import print_session

    print_session(summary)


def _print_json(document: Any) -> None:
    import json

    click.echo(json.dumps(document, indent=2, allow_nan=False))


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


def _tell(text: str) -> None:
    with suppress(OSError):  # nobody may be listening
        click.echo(text, err=True)


def _trace() -> None:
    """Show where an error came from, to those who asked."""
    if _debug():
        import traceback

        traceback.print_exc()


def _debug() -> bool:
    return "--debug" in sys.argv
