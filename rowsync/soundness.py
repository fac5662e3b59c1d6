"""Whether all that is stored is sound, and what can be done about what isn't.  Nothing is changed.

Every file is read with every check that there is: pages, columns, metadata, seals, the lines of journals.  A file that
looks damaged is read once more while nobody writes, since one that is being replaced is no damage.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rowsync import exported, index, remembered, ticks, uploads
from rowsync.errors import RecordingError, SessionNotFound
from rowsync.files import still
from rowsync.recording import LARGEST_BYTES, parse_recording
from rowsync.seal import SEAL, unsealed
from rowsync.shelf import Folder, folder_of
from rowsync.store import KINDS, Store, check_file
from rowsync.table import Part
from rowsync.wording import count


class StoredFile(NamedTuple):
    """One file of a store, or what a pack holds of one session.

    Attributes:
        kind: "raw", "samples", "truth", "felt", "index", "journal", "damaged journal", or a file's own name.
        part: where it lies.
    """

    kind: str
    part: Part

    @property
    def session_id(self) -> str | None:
        """Of which session it is; None where it is of none."""
        return self.part.name if self.kind in OF_SESSIONS else None


class Damage(NamedTuple):
    """A file that isn't sound.

    Attributes:
        kind: as of the file.
        path: where it lies, or should, as a person finds it.
        session_id: of which session; None where it is of none.
        problem: what is wrong with it.
        remedy: what can be done.
    """

    kind: str
    path: str
    session_id: str | None
    problem: str
    remedy: str


OF_SESSIONS = (*KINDS, "journal", "damaged journal")

_LOCAL = (
    ("journal", "journal/*.jsonl"),
    ("damaged journal", "journal/damaged/*.jsonl"),
    *((name, name) for name in (ticks.FILE, uploads.FILE, exported.FILE, remembered.FILE)),
)

_REBUILD = "Its bytes are sound: `rowsync rebuild` makes it anew from them."
_KEPT = (
    "What was made of it is sound, and shown as before, but can't be made anew. Put the file back from a backup, if "
    "there is one."
)
_LOST = "Nothing of this session can be read: put its files back from a backup, if there is one."
_UPDATE = "Update this rowsync."
_MEND = f"Mend it and take its {SEAL} out, or move it away to begin anew."

_REMEDIES = {
    "truth": f"Mend it and take its {SEAL} out, or forget it: rowsync correct {{session_id}} --undo",
    "felt": "Say it again: rowsync felt {session_id}",
    "index": "Nothing is lost: the next command makes it anew.",
    "journal": "The next command stores what can be read of it, and keeps it in journal/damaged.",
    "damaged journal": "What could be read of it was stored: rowsync replay {path} shows it. Delete it when nothing is "
    "missing.",
    ticks.FILE: _MEND,
    uploads.FILE: _MEND,
    exported.FILE: "Nothing is lost: the next export makes it anew.",
    remembered.FILE: "Nothing is lost: the next row makes it anew.",
}


def stored_files(store: Store) -> list[StoredFile]:
    """Every file of a store that holds something of a person's."""
    found = [StoredFile(kind, part) for kind in KINDS for part in sorted(store.parts(kind), key=_by_key)]
    if store.shelf.placed(index.KEY) is not None:
        found.append(StoredFile("index", Part(store.shelf, index.KEY, "sessions")))
    beside = Folder(store.folder)
    for kind, pattern in _LOCAL:
        paths = sorted(store.folder.glob(pattern))
        found += (StoredFile(kind, Part(beside, str(path.relative_to(store.folder)), path.stem)) for path in paths)
    return found


def _by_key(part: Part) -> tuple[str, str]:
    return part.key, part.name


def problem_of(file: StoredFile, folder: Path) -> str | None:
    """What is wrong with a file; None where it is sound, or gone meanwhile.

    Args:
        file: which.
        folder: the data folder.
    """
    if _problem(file) is None:
        return None
    with still(folder):
        return _problem(file)


def _problem(file: StoredFile) -> str | None:
    try:
        _CHECKS.get(file.kind, _check_document)(file)
    except RecordingError as error:
        return str(error) if file.part.shelf.placed(file.part.key) is not None else None
    return None


def _check_stored(file: StoredFile) -> None:
    check_file(file.kind, file.part)


def _check_journal(file: StoredFile) -> None:
    """The lines of a journal; a last one that isn't whole is no damage: it is being written, or a crash cut it."""
    try:
        with Path(str(file.part)).open("rb") as opened:
            text = opened.read(LARGEST_BYTES)
    except OSError as error:
        raise RecordingError(f"{file.part} can't be read: {error.strerror or error}.") from None
    recording = parse_recording(text[: text.rfind(b"\n") + 1], name=str(file.part))
    if recording.refused_lines:
        raise RecordingError(f"{count(recording.refused_lines, 'line')} of {file.part} can't be read.")


def _check_document(file: StoredFile) -> None:
    try:
        if not isinstance(unsealed(file.part.shelf.read(file.part.key)), dict):
            raise ValueError
    except (OSError, ValueError, RecursionError):
        raise RecordingError(f"{file.part} can't be read, or was altered.") from None


def _check_ticks(file: StoredFile) -> None:
    ticks.ticked(Path(str(file.part)).parent, "")


def _check_uploads(file: StoredFile) -> None:
    uploads.uploads(Path(str(file.part)).parent)


_CHECKS: dict[str, Callable[[StoredFile], None]] = {
    **dict.fromkeys(("raw", "samples", "truth", "felt", "index"), _check_stored),
    **dict.fromkeys(("journal", "damaged journal"), _check_journal),
    ticks.FILE: _check_ticks,
    uploads.FILE: _check_uploads,
}


def damages(files: Sequence[StoredFile], problems: Iterable[str | None]) -> list[Damage]:
    """What isn't sound, with what can be done.

    Args:
        files: every file of a data folder.
        problems: what is wrong with each, as `problem_of` says.
    """
    wrong = {file: problem for file, problem in zip(files, problems, strict=True) if problem is not None}
    sound = {(file.kind, file.session_id) for file in files if file not in wrong}
    found = [
        Damage(file.kind, str(file.part), file.session_id, problem, _remedy(file, problem, sound))
        for file, problem in wrong.items()
    ]
    return [*found, *_gone(files, wrong)]


def _remedy(file: StoredFile, problem: str, sound: set[tuple[str, str | None]]) -> str:
    if "newer rowsync" in problem:
        return _UPDATE
    other = _OTHER.get(file.kind)
    if other is None:
        return _REMEDIES[file.kind].format(session_id=file.session_id, path=file.part)
    if (other, file.session_id) not in sound:
        return _LOST
    return _REBUILD if file.kind == "samples" else _KEPT


_OTHER = {"raw": "samples", "samples": "raw"}
"""What is left of a session where one file of it is damaged."""


def _gone(files: Sequence[StoredFile], wrong: Container[StoredFile]) -> Iterator[Damage]:
    """Sessions of which there are sound bytes and no samples, or sound samples and no bytes."""
    there = {(file.kind, file.session_id) for file in files}
    for file in files:
        other = _OTHER.get(file.kind)
        if other is not None and (other, file.session_id) not in there and file not in wrong:
            folder = other + folder_of(file.part.key).removeprefix(file.kind)
            path = file.part.shelf.label(f"{folder}/{file.part.name}.parquet")
            remedy = _REBUILD if other == "samples" else _KEPT
            yield Damage(other, path, file.session_id, f"{path} is gone.", remedy)


def behind(store: Store, files: Iterable[StoredFile], damaged: Iterable[Damage]) -> list[str]:
    """The sound sessions whose samples aren't what their bytes would give today, as far as that shows underived."""
    return [session_id for session_id in whole(files, damaged) if _is_behind(store, session_id)]


def whole(files: Iterable[StoredFile], damaged: Iterable[Damage]) -> list[str]:
    """The sessions of which bytes and samples are there and sound, by their id."""
    out = {each.session_id for each in damaged}
    return sorted({file.part.name for file in files if file.kind == "raw"} - out)


def _is_behind(store: Store, session_id: str) -> bool:
    try:
        return store.is_behind_bytes(session_id)
    except (RecordingError, SessionNotFound):  # it was replaced or removed this moment
        return False
