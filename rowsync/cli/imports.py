"""What comes into rowsync from other tools: `import`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from rowsync.cli.access import current_settings, open_store
from rowsync.cli.options import athlete_option, json_option, shared_options
from rowsync.cli.output import print_json, tell
from rowsync.cli.pages import refresh_pages
from rowsync.errors import RecordingError, SessionNotFound
from rowsync.wording import count, outside_text

if TYPE_CHECKING:
    from datetime import datetime

    from rowsync.imports import Imported
    from rowsync.profile import Profile
    from rowsync.recording import Recording
    from rowsync.store import Store

IMPORTED_BEFORE = "It was imported before"
NAMED_FILES = 3
"""Of files with the same remark so many are named."""


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@athlete_option
@click.option("--anyway", is_flag=True, help="Also rows of a time at which the store has the athlete rowing.")
@click.option("--dry-run", is_flag=True, help="Only say what would be imported.")
@json_option
@shared_options
def import_(paths: tuple[Path, ...], athlete: str | None, anyway: bool, dry_run: bool, as_json: bool) -> None:
    """Import rows that other tools recorded: files, or folders with all that is in them.

    FIT, TCX, and tables (CSV) of Concept2's logbook, ErgStick, Painsled, RP3, SmartRow, BoatCoach, Kinomap and
    rowingdata, also packed with gzip. They are recognised by what they hold. The same row is never imported twice. What
    can't be read is named with the reason, and the rest is imported.

    A file that was imported for somebody else moves to the athlete that --athlete says, if you name the file itself and
    not its folder.

    \b
    Examples:
      rowsync import result.csv
      rowsync import ~/Downloads/rows --athlete anna
      rowsync import old.fit --dry-run
    """
    from rowsync.config import refuse_name

    settings = current_settings()
    store = open_store(settings)
    if athlete is not None and athlete not in settings.athletes:
        refuse_name(athlete)
    is_typed = click.get_current_context().get_parameter_source("athlete") is ParameterSource.COMMANDLINE
    asked = _Asked(settings.profile(athlete), frozenset(paths if is_typed else ()), anyway, dry_run)
    result = _Result(rows=store.rows())
    files = list(_files(paths))
    try:
        with store.together(), _progress(files) as bar:
            for path in bar:
                _import_file(path, asked, store, result)
    finally:  # what was imported is said, also where the disk refused the rest
        _say(result, as_json, asked)
    refresh_pages(store, result.moved)
    if not files:
        raise RecordingError("There are no files in it.")
    if result.refused:
        raise RecordingError(_conclusion(result, len(files)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is wanted: whose rows they are, the files whose rows may move to that athlete, and how to go about it."""

    profile: Profile
    may_move: frozenset[Path]
    anyway: bool
    dry_run: bool


@dataclass(slots=True)
class _Result:
    """What became of files, as `--json` prints it.

    Besides: `rows` are those of the index with what was or would be added, `moved` the ids of what went to somebody
    else; and whether there `are_others`: files that were imported for somebody else before, and left.
    """

    imported: list[dict[str, Any]] = field(default_factory=list)
    present: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    are_others: bool = False


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that are meant, each once; of a folder all but hidden ones, and of one that can't be read itself."""
    seen: set[Path] = set()
    for path in paths:
        for each in _below(path) if path.is_dir() else [path]:
            if each not in seen:
                seen.add(each)
                yield each


def _below(folder: Path) -> list[Path]:
    import os

    found: list[Path] = []
    for inner, folders, names in os.walk(folder, onerror=lambda error: found.append(Path(error.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found.extend(Path(inner, name) for name in sorted(names) if not name.startswith("."))
    return found


@contextmanager
def _progress(files: Sequence[Path]) -> Iterator[Iterable[Path]]:
    """The files with a progress bar, where there are several."""
    if len(files) < 2:
        yield files
        return
    with click.progressbar(files, label="Files", file=sys.stderr) as bar:
        yield bar


def _import_file(path: Path, asked: _Asked, store: Store, result: _Result) -> None:
    """Import one file, or only find out what would be."""
    from datetime import UTC, datetime

    from rowsync.imports import file_mark, read_import
    from rowsync.imports.twins import same_file

    profile, now = asked.profile, datetime.now(UTC)
    try:
        content, changed_at = _content(path)
        held = same_file(file_mark(content), result.rows)
        if held is not None and not _may_move(path, held, asked):
            _leave(path, held, asked, result)
            return
        for imported in reversed(read_import(content, path.name, changed_at, profile.name, profile.time_zone, now=now)):
            _import_row(path, imported, asked, store, result)  # the first row last: where it is stored, all of them are
    except (RecordingError, SessionNotFound) as error:
        result.refused.append({"path": str(path), "reason": str(error)})


def _import_row(path: Path, imported: Imported, asked: _Asked, store: Store, result: _Result) -> None:
    from rowsync.imports.twins import same_file, same_time

    header, length_s = imported.recording.header, imported.recording.items[-1].time_s
    held = same_file(imported.mark, result.rows)
    if held is not None and not _may_move(path, held, asked):
        _leave(path, held, asked, result)
    elif (
        imported.is_dated
        and not asked.anyway
        and (twin := same_time(header.athlete.name, header.started_at, length_s, result.rows))
    ):
        reason = f"{header.athlete.name} rowed then already (--anyway imports it)"
        result.present.append({"path": str(path), "session_id": str(twin["session_id"]), "reason": reason})
    elif held is not None:
        moved = "would move" if asked.dry_run else "moved"
        remark = f"It {moved} from {outside_text(held['athlete'], 40)} to {header.athlete.name}."
        remarks = imported.remarks if imported.is_dated else ()  # which say what stands in for its start; it is known
        _store(path, _moved(imported, held, store), (*remarks, remark), asked, store, result)
        if not asked.dry_run:
            result.moved.append(str(held["session_id"]))
    else:
        _store(path, imported.recording, imported.remarks, asked, store, result)


def _may_move(path: Path, held: Mapping[str, Any], asked: _Asked) -> bool:
    """Whether a session that its file became goes to the athlete that is asked for."""
    return path in asked.may_move and held["athlete"] != asked.profile.name


def _moved(imported: Imported, held: Mapping[str, Any], store: Store) -> Recording:
    """A stored session as the other athlete's: its bytes and its id stay; a date may be of another time zone.

    Raises:
        RecordingError, SessionNotFound: its bytes can't be read.
    """
    recording, header = store.recording(str(held["session_id"])), imported.recording.header
    started_at = header.started_at if imported.is_dated else recording.header.started_at
    return replace(recording, header=replace(recording.header, athlete=header.athlete, started_at=started_at))


def _leave(path: Path, held: Mapping[str, Any], asked: _Asked, result: _Result) -> None:
    """Note that a file is in the store already."""
    reason = IMPORTED_BEFORE
    if held["athlete"] != asked.profile.name:
        reason += f", for {outside_text(held['athlete'], 40)}"
        result.are_others = True
    result.present.append({"path": str(path), "session_id": str(held["session_id"]), "reason": reason})


def _store(
    path: Path, recording: Recording, remarks: Sequence[str], asked: _Asked, store: Store, result: _Result
) -> None:
    """Store a session, or only find out what would be."""
    from rowsync.session import analyse

    header = recording.header
    summary = analyse(store.known(header), recording.items).summary() if asked.dry_run else store.add(recording)
    others = [row for row in result.rows if row["session_id"] != summary["session_id"]]
    result.rows = [*others, summary | {"started_at": header.started_at}]
    said = {name: summary[name] for name in ("session_id", "source", "started_at", *TOTALS)}
    result.imported.append({"path": str(path), **said, "remarks": list(remarks)})


TOTALS = ("duration_s", "distance_m", "stroke_count")


def _content(path: Path) -> tuple[bytes, datetime]:
    """A file's bytes, no more than may be imported, and when it was last changed.

    Raises:
        RecordingError: it is no file, or can't be read.
    """
    import os

    from rowsync.imports.packing import LARGEST_BYTES

    try:
        if path.is_dir():
            raise RecordingError("The folder can't be read.")
        if path.exists() and not path.is_file():
            raise RecordingError("It is no file.")  # reading a pipe would wait for ever
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1), _moment_of(os.fstat(file.fileno()).st_mtime)
    except OSError as error:
        raise RecordingError(f"It can't be read: {error.strerror or error}.") from None


def _moment_of(unix_s: float) -> datetime:
    """A moment in UTC; 1970 for one beyond all calendars, which a file system can hold."""
    from datetime import UTC, datetime

    from rowsync.recording import EPOCH

    try:
        return datetime.fromtimestamp(unix_s, UTC)
    except (ValueError, OverflowError, OSError):
        return EPOCH


# --- what is said -----------------------------------------------------------------------------------------------------


def _say(result: _Result, as_json: bool, asked: _Asked) -> None:
    if as_json:
        print_json({"imported": result.imported, "present": result.present, "refused": result.refused})
    else:
        for each in result.imported:
            click.echo(_line(each))
    for remark, paths in _by_remark(result.imported).items():
        named = [outside_text(Path(path).name) for path in paths[:NAMED_FILES]]
        if more := len(paths) - len(named):
            named.append(f"{count(more, 'file')} more")
        tell(f"{', '.join(named)}: {remark}")
    for each in result.present:
        tell(f"{outside_text(each['path'], 200)}: {each['reason']}, as {each['session_id']}.")
    if result.are_others:
        tell(
            f"To move a row to {asked.profile.name}, name its file: rowsync import FILE --athlete {asked.profile.name}"
        )
    if asked.dry_run and not as_json:
        tell(f"{count(len(result.imported), 'session')} would be imported; nothing was stored.")


def _line(imported: dict[str, Any]) -> str:
    from rowsync.wording import clock, moment, number, short_day

    began = moment(imported["started_at"])
    parts = (
        imported["session_id"],
        imported["source"],
        short_day(began) if began else "",
        clock(imported["duration_s"]),
        f"{number(imported['distance_m'])} m",
        count(imported["stroke_count"], "stroke"),
        outside_text(Path(imported["path"]).name),
    )
    return "  ".join(filter(None, parts))


def _by_remark(imported: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in imported:
        for remark in each["remarks"]:
            found.setdefault(remark, []).append(each["path"])
    return found


def _conclusion(result: _Result, files: int) -> str:
    """What could not be imported, each with its reason, and how much that is."""
    reasons = [f"{outside_text(each['path'], 200)}: {each['reason']}" for each in result.refused]
    if files > 1:
        reasons.append(f"{len(reasons)} of {count(files, 'file')} could not be imported.")
    return "\n".join(reasons)
