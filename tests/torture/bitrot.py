"""One flipped bit in a stored file: it is noticed, or it changes nothing.

    python -m tests.torture.bitrot [--cases N] [--seed N] [--target NAME [--bit N]] [--weak NAME]

Every kind of file that holds something of a session or of a person's is made by our real code; then one bit of it is
flipped, it is read by our real code, and the bit is flipped back.  Reading gives the same as before, or a
RecordingError, and then `rowsync check` names the file.  Without --cases every bit of every file is flipped.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

from rowsync import index, recording, seal, store, ticks
from rowsync import table as tables
from rowsync.corrections import Correction
from rowsync.errors import RecordingError
from rowsync.felt import Felt
from rowsync.intervals import Effort, Segment
from rowsync.programme import Tick
from rowsync.recording import Recording, parse_recording, read_recording, recording_bytes
from rowsync.shelf import Folder
from rowsync.soundness import problem_of, stored_files
from rowsync.store import Store
from rowsync.uploads import Upload, keep_upload, uploads
from tests.conftest import RECORDED
from tests.torture.tally import Mistake, Tally, mistaken, options, shown

SHORT = 60
"""So many notifications have the sessions whose every bit is flipped."""

AT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)


class Target(NamedTuple):
    """A kind of file.

    Attributes:
        name: its kind, as `soundness` calls it.
        pattern: where the one of it lies below the data folder.
        read: what our code reads of it, given the data folder and the file.
    """

    name: str
    pattern: str
    read: Callable[[Path, Path], Any]


class Case(NamedTuple):
    """One bit of one file."""

    target: str
    bit: int
    weak: str | None = None

    @property
    def command(self) -> str:
        """What repeats it."""
        weak = f" --weak {self.weak}" if self.weak else ""
        return f"python -m tests.torture.bitrot --target '{self.target}' --bit {self.bit}{weak}"


# --- what is read -----------------------------------------------------------------------------------------------------


def _journal(folder: Path, path: Path) -> Any:
    """A journal; lines that are refused are counted and told, and what is read beside them must have been written."""
    found, written = parse_recording(path.read_bytes(), name=path.name), rowed(SHORT)
    if found.refused_lines == 0:
        return found
    has_strangers = any(item not in written.items for item in found.items)
    is_strange = found.header not in (written.header, parse_recording(_NO_HEADER, name=path.name).header)
    if has_strangers or is_strange:
        return found
    raise RecordingError(f"{found.refused_lines} lines can't be read")


_NO_HEADER = recording.item_line(recording.Notification(0.0, "2ad1", b""))


def _raw(folder: Path, path: Path) -> Any:
    return Store(folder).recording(path.stem)


def _samples(folder: Path, path: Path) -> Any:
    there = Store(folder)
    return there.summary(path.stem), there._samples(path.stem).to_pydict()  # `samples` is the same in pandas


def _index(folder: Path, path: Path) -> Any:
    """The index; none is what one that can't be used counts as, and it is made anew."""
    held = index.held(Folder(folder))
    if not held.files:
        raise RecordingError("it is made anew")
    return held.table.to_pydict(), held.left_out, held.files


def _truth(folder: Path, path: Path) -> Any:
    return Store(folder).correction(path.stem)


def _felt(folder: Path, path: Path) -> Any:
    felt = Store(folder)._said(path.stem).felt
    if felt is None:
        raise RecordingError("it isn't believed")
    return felt


def _uploads(folder: Path, path: Path) -> Any:
    return uploads(folder)


def _ticks(folder: Path, path: Path) -> Any:
    return ticks.ticked(folder, "me"), ticks.ticked(folder, "anna")


TARGETS = {
    target.name: target
    for target in (
        Target("journal", "journal/*.jsonl", _journal),
        Target("raw", "raw/*/*/*.parquet", _raw),
        Target("samples", "samples/*/*/*.parquet", _samples),
        Target("index", "sessions.parquet", _index),
        Target("truth", "truth/*/*/*.json", _truth),
        Target("felt", "felt/*/*/*.json", _felt),
        Target("uploads.json", "uploads.json", _uploads),
        Target("programme.json", "programme.json", _ticks),
    )
}


# --- what lies there --------------------------------------------------------------------------------------------------


def rowed(notifications: int, session_id: str = "one") -> Recording:
    """The beginning of the seed workout, from where it is rowed on."""
    whole = read_recording(RECORDED / "intervals-10x45-75.jsonl")
    return Recording(replace(whole.header, session_id=session_id), whole.items[:notifications])


def make(folder: Path, notifications: int = SHORT) -> None:
    """Fill a data folder with one file of each kind."""
    session, there = rowed(notifications), Store(folder)
    there.add(session)
    end_s = session.items[-1].time_s
    there.correct("one", Correction((Segment(Effort.WARMUP, 0.0, 10.5), Segment(Effort.HARD, 10.5, end_s)), AT))
    there.felt("one", Felt(talked=True, exertion=6.5, said_at=AT))
    keep_upload(folder, "one", Upload("2026-11-23T18:30:00Z", 200, "i123456"))
    ticks.start(folder, "me", date(2026, 11, 2))
    ticks.tick(folder, "me", Tick(date(2026, 11, 3), "A"))
    ticks.tick(folder, "anna", Tick(date(2026, 11, 4), "B"))
    (folder / "journal").mkdir()
    (folder / "journal" / "one.jsonl").write_bytes(recording_bytes(session.header, session.items))
    there.rows()


# --- mistakes ---------------------------------------------------------------------------------------------------------


def _no_checksums(table: Any, **content: Any) -> bytes:
    """Parquet without checksums of its pages or its columns."""
    format_of = tables._format
    with (
        patch.object(tables, "_COLUMNS_CRC", "not_asked_for"),
        patch.object(tables, "_format", lambda schema: format_of(schema) | {"write_page_checksum": False}),
    ):
        return _file_bytes(table, **content)


def _no_crc(content: Any) -> bytes:
    """Journal lines without a CRC."""
    return _line(content).partition(b" ")[2]


def _no_seal(content: Any) -> bytes:
    """JSON without a seal."""
    return _sealed(content).rpartition(b',\n "crc32"')[0] + b"\n}"


def _no_sum(content: bytes, value: int = 0) -> int:
    """The CRC of whatever is asked, written and compared: metadata without one."""
    return 0


_file_bytes, _line, _sealed = tables.file_bytes, recording.checked_line, seal.sealed

WEAK: dict[str, Mistake] = {
    "no-page-checksums": tuple((module, "file_bytes", _no_checksums) for module in (tables, store, index)),
    "no-metadata-crc": ((tables, "crc32", _no_sum),),
    "no-line-crc": ((recording, "checked_line", _no_crc),),
    "no-seal": tuple((module, "sealed", _no_seal) for module in (store, ticks, sys.modules["rowsync.uploads"])),
}
"""Our mistakes, by name: what is put in the place of which function of ours."""

SEEN_IN = {
    "no-page-checksums": ("raw", "samples", "index"),
    "no-metadata-crc": ("samples",),
    "no-line-crc": ("journal",),
    "no-seal": ("truth", "felt", "programme.json"),
}
"""In which files each shows."""


# --- running ----------------------------------------------------------------------------------------------------------


class Rot:
    """A data folder whose files rot, one bit at a time.

    Args:
        folder: an empty one.
        weak: which mistake our code has; None for none.
        notifications: how many the session has.
    """

    def __init__(self, folder: Path, weak: str | None = None, notifications: int = SHORT) -> None:
        self._folder, self._weak = folder, weak
        make(folder, notifications)
        self._files = {file.kind: file for file in stored_files(Store(folder))}
        self._paths = {name: Path(str(file.part)) for name, file in self._files.items()}
        self._whole = {name: self._paths[name].read_bytes() for name in TARGETS}
        self._sound = {name: target.read(folder, self._paths[name]) for name, target in TARGETS.items()}

    def bits(self, target: str) -> int:
        """How many bits a file has."""
        return 8 * len(self._whole[target])

    def judged(self, target: str, bit: int) -> tuple[str | None, bool]:
        """What a flipped bit breaks, None for nothing; and whether it was noticed."""
        path, content = self._paths[target], bytearray(self._whole[target])
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        try:
            wrong, is_noticed = self._read(target)
        finally:
            path.write_bytes(self._whole[target])
        what = None if wrong is None else f"{wrong}: {Case(target, bit, self._weak).command}"
        return what, is_noticed

    def _read(self, target: str) -> tuple[str | None, bool]:
        try:
            found = TARGETS[target].read(self._folder, self._paths[target])
        except RecordingError:
            is_named = problem_of(self._files[target], self._folder) is not None
            return (None if is_named else "`rowsync check` says nothing of it"), True
        except Exception as error:  # any at all: it would be a traceback
            return f"{type(error).__name__}: {error}", False
        return (None if found == self._sound[target] else "another content is believed"), False


def drawn(rot: Rot, target: str, cases: int | None, dice: Random) -> list[int]:
    """Which bits of a file are flipped: all, or so many by lot."""
    bits = range(rot.bits(target))
    return list(bits) if cases is None or cases >= len(bits) else sorted(dice.sample(bits, cases))


def run(folder: Path, cases: int | None, seed: int, weak: str | None = None, quick: bool = False) -> Tally:
    """Flip bits of every kind of file.

    Args:
        folder: an empty one.
        cases: how many for each kind; None for all.
        seed: of the lot.
        weak: which mistake our code has, and only its files are asked; None for none.
        quick: whether the first violation is enough.
    """
    tally, dice = Tally("bit rot"), Random(seed)
    with mistaken(WEAK, weak):
        rot = Rot(folder, weak)
        for target in SEEN_IN[weak] if weak else TARGETS:
            bits = drawn(rot, target, cases, dice)
            for bit in shown(bits, len(bits), target):
                wrong, _ = rot.judged(target, bit)
                tally.cases += 1
                if wrong is not None:
                    tally.violations.append(wrong)
                    if quick:
                        return tally
    return tally


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is one, since a disk has nothing to do with it."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="rowsync-rot-")


def planted(seed: int, cases: int = 400) -> dict[str, bool]:
    """Whether each mistake is found."""
    found = {}
    for weak in WEAK:
        with scratch() as folder:
            found[weak] = bool(run(Path(folder), cases, seed, weak, quick=True).violations)
    return found


def main() -> int:
    """Run the suite."""
    parser = options(__doc__, 0, WEAK)
    parser.add_argument("--target", choices=TARGETS, help="one kind of file")
    parser.add_argument("--bit", type=int, metavar="N", help="one bit of it")
    asked = parser.parse_args()
    with scratch() as folder:
        if asked.bit is not None:
            with mistaken(WEAK, asked.weak):
                wrong, is_noticed = Rot(Path(folder), asked.weak).judged(asked.target or "samples", asked.bit)
            print(wrong or ("noticed" if is_noticed else "it changes nothing"))
            return 1 if wrong else 0
        tally = run(Path(folder), asked.cases or None, asked.seed, asked.weak)
    if asked.weak is None:
        tally.planted = planted(asked.seed)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
