"""What comes into rowsync from other tools: `import`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.access import current_settings, open_store
from rowsync.cli.options import athlete_option, json_option, shared_options
from rowsync.cli.output import print_json, tell
from rowsync.errors import RecordingError

if TYPE_CHECKING:
    from datetime import datetime

    from rowsync.config import Settings
    from rowsync.imports import Imported
    from rowsync.store import Store

IMPORTED_BEFORE = "It was imported before"
NAMED_FILES = 3
"""Of files with the same remark so many are named."""


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@athlete_option
@click.option("--dry-run", is_flag=True, help="Only say what would be imported.")
@json_option
@shared_options
def import_(paths: tuple[Path, ...], athlete: str | None, dry_run: bool, as_json: bool) -> None:
    """Import rows that other tools recorded: files, or folders with all that is in them.

    FIT, TCX, and tables (CSV) of Concept2's logbook, ErgStick, Painsled, RP3, SmartRow, BoatCoach, Kinomap and
    rowingdata, also packed with gzip. They are recognised by what they hold. The same row is never imported twice. What
    can't be read is named with the reason, and the rest is imported.

    \b
    Examples:
      rowsync import result.csv
      rowsync import ~/Downloads/rows --athlete anna
      rowsync import old.fit --dry-run
    """
    settings = current_settings()
    store = open_store(settings)
    result = _Result(rows=store.rows())
    files = list(_files(paths))
    try:
        with store.together(), _progress(files) as bar:
            for path in bar:
                _import_file(path, settings, athlete, store, result, dry_run)
    finally:  # what was imported is said, also where the disk refused the rest
        _say(result, as_json, dry_run)
    if not files:
        raise RecordingError("There are no files in it.")
    if result.refused:
        raise RecordingError(_conclusion(result, len(files)))


@dataclass(slots=True)
class _Result:
    """What became of files, as `--json` prints it; `rows` are those of the index, and what was or would be added."""

    imported: list[dict[str, Any]] = field(default_factory=list)
    present: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


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


def _import_file(
    path: Path, settings: Settings, athlete: str | None, store: Store, result: _Result, dry_run: bool
) -> None:
    """Import one file, or only find out what would be."""
    from datetime import UTC, datetime

    from rowsync.imports import file_mark, read_import
    from rowsync.imports.twins import same_file

    profile = settings.profile(athlete)
    try:
        content, changed_at = _content(path)
        if present := same_file(file_mark(content), result.rows):
            result.present.append({"path": str(path), "session_id": present, "reason": IMPORTED_BEFORE})
            return
        now = datetime.now(UTC)
        found = read_import(content, path.name, changed_at, profile.name, profile.time_zone, now=now)
    except RecordingError as error:
        result.refused.append({"path": str(path), "reason": str(error)})
        return
    for imported in reversed(found):  # the first row last: where it is stored, so is the whole file
        _import_row(path, imported, store, result, dry_run)


def _import_row(path: Path, imported: Imported, store: Store, result: _Result, dry_run: bool) -> None:
    from rowsync.imports.twins import same_file, same_time
    from rowsync.session import analyse

    recording = imported.recording
    header = recording.header
    length_s = recording.items[-1].time_s
    present, why = same_file(imported.mark, result.rows), IMPORTED_BEFORE
    if present is None and imported.is_dated:
        present = same_time(header.athlete.name, header.started_at, length_s, result.rows)
        why = f"{header.athlete.name} rowed then already"
    if present is not None:
        result.present.append({"path": str(path), "session_id": present, "reason": why})
        return
    summary = analyse(store.known(header), recording.items).summary() if dry_run else store.add(recording)
    result.rows.append(summary | {"started_at": header.started_at})
    said = {name: summary[name] for name in ("session_id", "source", "started_at", *TOTALS)}
    result.imported.append({"path": str(path), **said, "remarks": list(imported.remarks)})


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


def _say(result: _Result, as_json: bool, dry_run: bool) -> None:
    from rowsync.wording import count, outside_text

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
    if dry_run and not as_json:
        tell(f"{count(len(result.imported), 'session')} would be imported; nothing was stored.")


def _line(imported: dict[str, Any]) -> str:
    from rowsync.wording import clock, count, moment, number, outside_text, short_day

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
    from rowsync.wording import count, outside_text

    reasons = [f"{outside_text(each['path'], 200)}: {each['reason']}" for each in result.refused]
    if files > 1:
        reasons.append(f"{len(reasons)} of {count(files, 'file')} could not be imported.")
    return "\n".join(reasons)
