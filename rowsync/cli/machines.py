"""What machines send, and what one's watts are in another's: `decode`, `doctor` and `machines`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.access import current_settings, open_store, store_of
from rowsync.cli.options import (
    Name,
    debug_option,
    json_option,
    machine_option,
    parsed_plan,
    refuse,
    refuse_virtual_only,
    seed_option,
    shared_options,
)
from rowsync.cli.output import print_json, tell
from rowsync.cli.rowing import DEMO_ATHLETE, wishes_for
from rowsync.errors import MachineError, SessionNotFound, StoreError, UsageError

if TYPE_CHECKING:
    from rowsync.recording import Recording


@click.command()
@click.argument("hex_bytes", metavar="HEX...", nargs=-1, required=True)
@click.option("--characteristic", default="2ad1", show_default=True, help="Which characteristic the bytes come from.")
@json_option
@debug_option
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
        print_json(described)
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


@click.command()
@click.argument("recording", required=False, metavar="[RECORDING]")
@click.option("--rower", metavar="NAME|ADDRESS", help="Which rower to examine now [default: as in row].")
@click.option("--seconds", type=click.IntRange(20, 3600), default=60, show_default=True, help="How long to row for it.")
@click.option("--share", type=click.Path(path_type=Path), metavar="FILE", help="Write a redacted recording to share.")
@click.option("--without-heart-rate", is_flag=True, help="With --share: leave out the strap's heart rates.")
@click.option("--virtual", is_flag=True, help="The virtual rower instead of a real one.")
@click.option("--fast", is_flag=True, help="With --virtual: as fast as the computer can.")
@machine_option
@seed_option
@json_option
@shared_options
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
    refuse_virtual_only(virtual, fast)
    if recording is not None:
        refuse(("seconds",), "goes without a recording: that has been rowed already.")
    if share is None:
        refuse(("without_heart_rate",), "goes with --share.")
    else:
        _check_share(share)
    if recording is not None:
        found = _recording(recording)
    else:
        found = _rowed_for_doctor(rower, seconds, (machine, seed) if virtual else None, fast)
    examined = examine(found).summary()
    if as_json:
        print_json(examined)
    else:
        from rowsync.terminal import print_examination

        print_examination(examined)
    if share is not None:
        _share(found, share, heart_rate=not without_heart_rate)


@click.command()
@click.option("--athlete", type=Name(), metavar="NAME", help="Only this athlete's sessions [default: everybody's].")
@click.option(
    "--reference",
    type=Name(),
    metavar="NAME|ADDRESS",
    help="What the others are compared with [default: a Concept2, else the most rowed].",
)
@json_option
@shared_options
def machines(athlete: str | None, reference: str | None, as_json: bool) -> None:
    """Show the machines that you rowed, and how much higher or lower one reads than another, with its 80 % range.

    It is found where the same person rowed the same plan or distance on both, or with a strap on both. It takes three
    days on each; going back and forth tells most. Nothing is ever corrected by it.

    \b
    Examples:
      rowsync machines
      rowsync machines --athlete anna
      rowsync machines --reference "PM5 430000000" --json
    """
    from rowsync.machine_factor import NOTHING_CORRECTED, machines_fields
    from rowsync.machine_factor import machines as beside

    found = beside(open_store(current_settings()).rows(), reference, athlete)
    if athlete is not None and not found.machines:
        raise SessionNotFound(
            f"No session of {athlete!r} says what it was rowed on. `rowsync sessions` lists them all."
        )
    shown = {"athlete": athlete} | machines_fields(found)
    if as_json:
        print_json(shown)
        return
    from rowsync.terminal import print_machines

    print_machines(shown, NOTHING_CORRECTED)


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


def _recording(name: str) -> Recording:
    """A file's recording, or a stored session's."""
    from rowsync.recording import read_recording

    path = Path(name)
    if path.exists() or path.suffix or path.name != name:
        return read_recording(path)
    store = open_store(current_settings())
    return store.recording(store.find(name))


def _rowed_for_doctor(rower: str | None, seconds: int, virtual: tuple[str, int] | None, fast: bool) -> Recording:
    """Have somebody row, and stop; the session is stored if anybody did."""
    from rowsync.live import Virtual, run_row
    from rowsync.recording import read_recording

    settings = current_settings()
    wishes = wishes_for(
        settings,
        athlete=settings.who(None if virtual is None else DEMO_ATHLETE, None),
        plan=parsed_plan(f"{seconds}s"),
        rower=rower,
        origin="hardware" if virtual is None else "synthetic",
        goes_on=False,
        instructions=f"Row for {seconds} s, hard and easy in turn; then let go of the handle for ten seconds.",
    )
    journal = run_row(wishes, Virtual(*virtual, wishes.plan) if virtual else None, fast)
    if journal is None:
        raise MachineError("The rower sent nothing, so there is nothing to examine.")
    found = read_recording(journal)
    finished = store_of(settings).finish(journal, wait=True)
    if finished is not None and finished.problem is not None:
        tell(finished.problem)
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
    tell(f"{path} may be shared. Taken out:")
    for what in redaction.taken_out:
        tell(f"  {what}")
    tell("Look through it, it is plain text; then attach it to an issue of the rowsync project.")
