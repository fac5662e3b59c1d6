"""A full, read-only or failing disk, while a row is recorded, when it ends, and under every command that writes.

    python -m tests.torture.diskfull [--cases N] [--seed N] [--case N] [--weak NAME]

Recording: the person is told, rowing goes on in memory, what waits is written when there is room again, and never is
more called saved than is on the disk.  A row that ends on such a disk is stored by the next command that finds room.
Commands: what was there before is there, whole, and the same command succeeds once there is room.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

from rowsync import ble, exported, files, journal, remembered, shelf, store, table, ticks, uploads
from rowsync.athlete import Athlete
from rowsync.cli import main as rowsync
from rowsync.errors import StoreError
from rowsync.journal import Journal
from rowsync.moment import Moment
from rowsync.plan import parse_plan
from rowsync.recording import Recording, item_line, parse_recording, read_recording, recording_bytes
from rowsync.rowing import Wishes, journal_path, row
from rowsync.soundness import damages, problem_of, stored_files
from rowsync.store import Store
from rowsync.telemetry import Item, Notification
from rowsync.virtual import virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop
from tests.conftest import RECORDED
from tests.torture.refusing import Calls, Disk, disk, missing
from tests.torture.tally import Mistake, Tally, mistaken, options, scratch, shown

TOLD_S = 1.0
"""Within this time the person is told; asked of a long run alone, which has the machine for itself [s]."""

PATIENCE_S = 20.0
"""How long a machine that has other things to do may take for what takes half a second [s]."""


class Case(NamedTuple):
    """One recording on a disk that refuses for a while, or from then on.

    Attributes:
        number: which of the seed's.
        seed: of the dice.
        kind: of the disk.
        refuses_at: after how many notifications.
        accepts_at: after how many; None for never.
        weak: which mistake our code has.
    """

    number: int
    seed: int
    kind: str
    refuses_at: int
    accepts_at: int | None
    weak: str | None = None

    @property
    def command(self) -> str:
        """What repeats it."""
        weak = f" --weak {self.weak}" if self.weak else ""
        return f"python -m tests.torture.diskfull --seed {self.seed} --case {self.number}{weak}"


LONG = 240
"""Notifications of a recording."""

PAUSE_S = 0.002
"""Between two of them [s]."""


def drawn(number: int, seed: int, weak: str | None = None, kinds: tuple[str, ...] = ("full", "says it fails")) -> Case:
    """A case by lot."""
    dice = Random(f"{seed} {number}")
    accepts_at = None if number % 4 == 3 else dice.randrange(170, 220)
    return Case(number, seed, kinds[number % len(kinds)], dice.randrange(1, 90), accepts_at, weak)


# --- recording --------------------------------------------------------------------------------------------------------


def seed_workout(notifications: int = LONG, session_id: str = "new") -> Recording:
    """The beginning of the seed workout."""
    whole = read_recording(RECORDED / "intervals-10x45-75.jsonl")
    return Recording(replace(whole.header, session_id=session_id), whole.items[:notifications])


def on_disk(path: Path) -> int:
    """How many notifications lie there, whole."""
    text = path.read_bytes()
    return len(parse_recording(text[: text.rfind(b"\n") + 1]).notifications)


class Recorded(NamedTuple):
    """What a recording came to.

    Attributes:
        wrong: what broke the promise.
        told_s: how long after the first refusal the person could have been told; None where there was none [s].
    """

    wrong: list[str]
    told_s: float | None = None


def recorded(case: Case, folder: Path) -> Recorded:
    """Record on a disk that refuses, as a row does."""
    wrong: list[str] = []
    with disk(case.kind, folder) as there, mistaken(WEAK, case.weak), Calls(there).watched() as calls:
        session = seed_workout()
        path = journal_path(there.folder / "data", "new")
        with _elsewhere(folder):
            journal = Journal(path, session.header)
            told_s = _rowed(case, session.items, journal, there, calls, wrong)
            try:
                journal.close()
            except StoreError as error:
                wrong += _refused(case, str(error), session, there, path)
            else:
                wrong += _saved(case, session, path, journal)
    return Recorded(wrong, told_s)


def _rowed(
    case: Case, items: tuple[Item, ...], journal: Journal, there: Disk, calls: Calls, wrong: list[str]
) -> float | None:
    told_s = None
    for number, item in enumerate(items):
        if number == case.refuses_at:
            there.refuse()
        if number == case.accepts_at:
            if told_s is None:
                told_s = _told_s(journal, calls, wrong)
            there.accept()
        journal.append(item)
        time.sleep(PAUSE_S)
        if told_s is None and journal.why is not None and calls.refused_s is not None:
            told_s = time.monotonic() - calls.refused_s
        if number % 10 == 0 or journal.why is not None:
            durable = journal.durable  # asked before what is compared with it
            if durable > (really := on_disk(journal.path)):
                wrong.append(f"{durable} are called saved, {really} are on the disk")
                return told_s
    if told_s is None:
        told_s = _told_s(journal, calls, wrong)
    return told_s


def _told_s(journal: Journal, calls: Calls, wrong: list[str]) -> float | None:
    """Wait for the trouble to be told; how long that took since the system refused."""
    until_s = time.monotonic() + PATIENCE_S
    while journal.why is None and time.monotonic() < until_s:
        time.sleep(0.001)
    if journal.why is None:
        wrong.append("nobody is told that the disk refuses")
    return None if calls.refused_s is None else time.monotonic() - calls.refused_s


def _saved(case: Case, session: Recording, path: Path, journal: Journal) -> list[str]:
    """After closing without a complaint all must be there."""
    found = read_recording(path)
    if (found.notifications, found.refused_lines) == (session.notifications, 0) and journal.durable == LONG:
        return []
    lost = LONG - len(found.notifications)
    return [f"closing says nothing, {lost} notifications are lost, {found.refused_lines} lines are torn"]


def _refused(case: Case, said: str, session: Recording, there: Disk, path: Path) -> list[str]:
    """After a complaint the journal is there, and all of it elsewhere; with room the next command stores both."""
    wrong = []
    if case.accepts_at is not None:
        wrong.append("the disk takes data again, but what waited isn't written")
    elsewhere = Path(said.partition("The whole session is in ")[2].partition(": free")[0])
    if not elsewhere.is_file() or "rowsync replay --store" not in said:
        return [*wrong, f"nobody says where the session is: {said}"]
    if read_recording(elsewhere).notifications != session.notifications:
        wrong.append(f"{elsewhere} doesn't hold the whole session")
    there.accept()
    kept = Store(there.folder / "data")
    kept.recover()
    if path.exists():
        wrong.append("with room again, the next command doesn't store the journal")
    if kept.add(read_recording(elsewhere))["notifications"] != LONG:
        wrong.append("with room again, the whole session can't be stored")
    return wrong


@contextmanager
def _elsewhere(folder: Path) -> Iterator[None]:
    """The system's temporary folder is not on the disk that refuses."""
    (folder / "tmp").mkdir()
    with patch.object(tempfile, "tempdir", str(folder / "tmp")):
        yield


# --- a whole row ------------------------------------------------------------------------------------------------------


MOMENT_S = 0.015
"""How long a moment is looked at in virtual time, so that a journal, which has a clock of its own, keeps up [s]."""


class Person:
    """Whoever sits before the screen, looks at what is called saved, and makes the disk refuse.

    Attributes:
        said: the lines told.
        wrong: what broke the promise.
        told: the first trouble shown.
        told_s: when, by the monotonic clock [s].
        last: the last moment shown.
    """

    def __init__(self, disk: Disk, refuses_at: int, accepts_at: int | None, pause_s: float) -> None:
        self._disk, self._refuses_at, self._accepts_at, self._pause_s = disk, refuses_at, accepts_at, pause_s
        self.said: list[str] = []
        self.wrong: list[str] = []
        self.told: str | None = None
        self.told_s: float | None = None
        self.last: Moment | None = None

    def say(self, text: str) -> None:
        """Hear one line."""
        self.said.append(text)

    def ask(self, question: str) -> bool:
        """Say yes."""
        return True

    def remember(self, past: Any) -> None:
        """Nothing came before."""

    def end(self, summary: Any) -> None:
        """The row is over."""

    def show(self, moment: Moment) -> None:
        """See where the row is."""
        time.sleep(self._pause_s)
        self.last = moment
        if moment.trouble is not None and self.told is None:
            self.told, self.told_s = moment.trouble, time.monotonic()
        (path,) = (self._disk.folder / "data" / "journal").glob("*.jsonl")
        if moment.saved > (really := on_disk(path)):
            self.wrong.append(f"{moment.saved} are called saved, {really} are on the disk")
        if moment.notifications == self._refuses_at:
            self._disk.refuse()
        if moment.notifications == self._accepts_at:
            self._disk.accept()


def whole_row(kind: str, folder: Path, accepts_at: int | None, is_quick: bool = True) -> Recorded:
    """Row over the virtual radio, on a disk that refuses after a while, and have the next command store it.

    Args:
        kind: of disk.
        folder: an empty one.
        accepts_at: after how many notifications it takes data again; None for never.
        is_quick: in virtual time, whose moments come every `MOMENT_S`; else at a rower's speed.
    """
    with disk(kind, folder) as there, Calls(there).watched() as calls, _elsewhere(folder):
        person = Person(there, 40, accepts_at, MOMENT_S if is_quick else 0.0)
        refused = None
        try:
            with asyncio.Runner(loop_factory=VirtualTimeLoop if is_quick else None) as runner:
                runner.run(_row(there, person))
        except StoreError as error:
            refused = str(error)
        wrong, last = list(person.wrong), person.last
        if last is None or person.told is None:
            return Recorded([*wrong, "nobody is told that the disk refuses"])
        wrong += _ended(there, person, refused, accepts_at, last.notifications)
    if calls.refused_s is None or person.told_s is None:
        return Recorded([*wrong, "the disk never refused"])
    return Recorded(wrong, person.told_s - calls.refused_s)


async def _row(there: Disk, person: Person) -> Path | None:
    plan = parse_plan("100")
    async with virtual_radio(plan) as virtual:
        wishes = Wishes(there.folder / "data", Athlete(), plan, origin="synthetic")
        air = ble.Radio(virtual.scanner_backend, virtual.client_backend)
        return await row(wishes, air, person, lambda connection: None)


def _ended(there: Disk, person: Person, refused: str | None, accepts_at: int | None, came: int) -> list[str]:
    if (refused is None) != (accepts_at is not None):
        return [f"a row on a disk that {'takes data again' if accepts_at else 'refuses'} ends with: {refused}"]
    wrong = []
    if refused is not None:
        there.accept()
    kept = Store(there.folder / "data")
    (recovery,) = kept.recover()
    if recovery.summary is None:
        return [f"with room again, the journal isn't stored: {recovery.problem}"]
    held = recovery.summary["notifications"]
    if refused is not None:
        elsewhere = Path(refused.partition("The whole session is in ")[2].partition(": free")[0])
        held = kept.add(read_recording(elsewhere))["notifications"]
    elif not person.said[-1].startswith("All "):
        wrong.append(f"at the end it is said: {person.said[-1]}")
    if held < came:
        wrong.append(f"{came} notifications came, {held} are stored")
    return wrong


# --- commands ---------------------------------------------------------------------------------------------------------


COMMANDS: dict[str, tuple[str, ...]] = {
    "correct": ("correct", "old", "--as", "hard", "10", "50"),
    "felt": ("felt", "old", "--exertion", "7"),
    "rebuild": ("rebuild", "--jobs", "1"),
    "rebuild --index": ("rebuild", "--index"),
    "replay --store": ("replay", "{folder}/other.jsonl", "--store"),
    "replay --store of more": ("replay", "{folder}/old.jsonl", "--store"),
    "sessions": ("sessions",),
    "show": ("show", "old"),
    "report": ("report", "old"),
    "export session": ("export", "session", "old", "-o", "{folder}/old.csv"),
    "export calories": ("export", "calories", "-o", "{folder}/calories.csv"),
    "programme": ("programme", "--tick", "A", "--on", "2026-11-03"),
}
"""Commands that write, by name."""

LONGER = "replay --store of more"
"""The one that replaces a session's bytes, by more of them."""

FINISHING = "sessions"
"""The one that finds a row that is over, and not stored yet."""

READING = ("sessions", "show")
"""Commands that answer also where nothing can be written."""


def begin(folder: Path) -> None:
    """A data folder with sessions of today and of an older rowsync, what was said, exports, a recording to store."""
    kept = Store(folder / "data")
    kept.add(seed_workout(120, "new"))
    with patch.object(table, "SCHEMA", table.SCHEMA - 1):
        kept.add(seed_workout(160, "old"))
    for name in ("felt", "correct"):
        _commanded(folder, *COMMANDS[name])
    with patch.object(table, "SCHEMA", table.SCHEMA - 1):
        kept.add(seed_workout(160, "old"))
    for name in ("export session", "export calories", "programme"):
        _commanded(folder, *COMMANDS[name])
    for more in (seed_workout(100, "other"), seed_workout(1500, "old")):
        path = folder / f"{more.header.session_id}.jsonl"
        path.write_bytes(recording_bytes(more.header, more.items))


def commanded(name: str, begun: Path, folder: Path, room_bytes: int, weak: str | None = None) -> list[str]:
    """Give a command on a full disk, and again once there is room; what broke the promise."""
    with disk("full", folder) as there:
        shutil.copytree(begun, there.folder, dirs_exist_ok=True)
        Store(there.folder / "data").rows()
        if name == FINISHING:
            _leave_journal(there.folder / "data")
        before = _contents(there.folder)
        there.refuse(0 if name == FINISHING else room_bytes)
        with mistaken(WEAK, weak):
            code, said = _commanded(there.folder, *COMMANDS[name])
        kept = {path for path in before if _is_bytes(path) and (name != LONGER or path.stem != "old")}
        wrong = _damaged(there.folder, before, kept)
        if code not in (0, 5) or "mistake in rowsync" in said or "Traceback" in said:
            wrong.append(f"exit code {code}, {said.strip()[-300:]}")
        if name in READING and code:
            wrong.append(f"it only reads, and ends with {code}: {said.strip()[-300:]}")
        there.accept()
        code, said = _commanded(there.folder, *COMMANDS[name])
        if code:
            wrong.append(f"with room again it ends with {code}: {said.strip()[-300:]}")
        if name == FINISHING and "Recovered a session that was cut short: left" not in said:
            wrong.append(f"with room again the row isn't stored: {said.strip()[-300:]}")
        wrong += _unsound(there.folder)
    return [f"rowsync {name}, {room_bytes} bytes of room: {each}" for each in wrong]


def _leave_journal(data: Path) -> None:
    """A journal whose row is over."""
    left = seed_workout(130, "left")
    (data / "journal").mkdir(exist_ok=True)
    (data / "journal" / "left.jsonl").write_bytes(recording_bytes(left.header, left.items))


def _contents(folder: Path) -> dict[Path, bytes]:
    own = ("filler", "lock")
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in own}


def _damaged(folder: Path, before: dict[Path, bytes], kept: set[Path]) -> list[str]:
    """What isn't whole, what is left behind, and what was changed of what nothing may change."""
    after = _contents(folder)
    wrong = [f"{path.name} is gone" for path in before if path not in after]
    wrong += [f"{path.name} was changed" for path in kept if after.get(path) != before[path]]
    wrong += [f"{path.name} is cut off" for path in before if path in after and before[path] and not after[path]]
    wrong += [f"{path.name} is left behind" for path in after.keys() - before.keys() if path.suffix == ".tmp"]
    return [*wrong, *_unsound(folder)]


def _is_bytes(path: Path) -> bool:
    """Whether it is what was recorded."""
    return "raw" in path.parts or path.suffix == ".jsonl"


def _unsound(folder: Path) -> list[str]:
    kept = stored_files(Store(folder / "data"))
    return [each.problem for each in damages(kept, [problem_of(file, folder / "data") for file in kept])]


def _commanded(folder: Path, *words: str) -> tuple[int, str]:
    """Give a command; its exit code and what it said."""
    argv = ["rowsync", *(word.format(folder=folder) for word in words), "--data", str(folder / "data")]
    said = io.StringIO()
    with patch.object(sys, "argv", argv), redirect_stdout(said), redirect_stderr(said):
        try:
            rowsync()
        except SystemExit as ended:
            return int(ended.code or 0), said.getvalue()
    return 0, said.getvalue()


# --- mistakes ---------------------------------------------------------------------------------------------------------


def _ignores_short_writes(self: Any) -> None:
    """The journal takes for written what a write took only a part of."""
    with self._wake:
        self._unsynced += b"".join(self._waiting)
        self._waiting.clear()
        notifications = self._notifications
    if self._unsynced:
        os.write(self._file, self._unsynced)
    os.fdatasync(self._file)
    self._synced_size += len(self._unsynced)
    self._unsynced = b""
    self.durable, self.trouble = notifications, None


def _saved_when_appended(self: Any, item: Item) -> None:
    """The journal says saved as soon as it has a notification in memory."""
    with self._wake:
        self._waiting.append(item_line(item))
        self._notifications += isinstance(item, Notification)
        self.durable = self._notifications
        self._wake.notify()


def _gives_up(self: Any) -> None:
    """The journal writes no more after the first refusal."""
    while True:
        with self._wake:
            while not (self._waiting or self._closing):
                self._wake.wait()
            closing = self._closing
        time.sleep(journal.GATHER_S)
        try:
            self._commit()
        except Exception as error:
            self.trouble = error
            return
        if closing and not self._waiting:
            return


@contextmanager
def _in_place(path: Path) -> Iterator[Any]:
    """A file is written over."""
    files.make_folder(path.parent)
    with open(path, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


RECORDING: dict[str, Mistake] = {
    "short-writes": ((Journal, "_commit", _ignores_short_writes),),
    "saved-when-appended": ((Journal, "append", _saved_when_appended),),
    "gives-up": ((Journal, "_run", _gives_up),),
}
WEAK = RECORDING | {
    "in-place": tuple(
        (module, "replacing", _in_place) for module in (shelf, store, ticks, uploads, exported, remembered, files)
    )
}
"""Our mistakes, by name: what is put in the place of which function of ours."""


# --- running ----------------------------------------------------------------------------------------------------------


def mountable() -> tuple[str, ...]:
    """The kinds of disks that can be had here; the system can always be made to say so."""
    found = ["says it is read-only", "says it fails"]
    for kind in ("full", "read-only"):
        with scratch("disk") as folder:
            if (why := missing(kind, folder)) is None:
                found.append(kind)
            else:
                print(why, file=sys.stderr)
    return tuple(found)


def of_recording(case: Case) -> Recorded:
    """One case of recording."""
    with scratch("disk") as folder:
        found = recorded(case, folder)
    return found._replace(wrong=[f"{each}: {case.command}" for each in found.wrong])


def of_commands(seed: int, weak: str | None = None, names: tuple[str, ...] = tuple(COMMANDS)) -> Iterator[list[str]]:
    """What breaks under each command."""
    dice = Random(seed)
    with scratch("disk") as folder:
        (folder / "begun").mkdir()
        begin(folder / "begun")
        for number, name in enumerate(names):
            place = folder / str(number)
            place.mkdir()
            room_bytes = dice.choice((0, 0, 4096, 8192, 16384))
            yield commanded(name, folder / "begun", place, room_bytes, weak)


def planted(seed: int, kinds: tuple[str, ...]) -> dict[str, bool]:
    """Whether each mistake is found."""
    full = tuple(kind for kind in kinds if kind == "full") or ("says it fails",)
    found = {
        weak: any(of_recording(drawn(number, seed, weak, full)).wrong for number in range(4)) for weak in RECORDING
    }
    return found | {"in-place": any(of_commands(seed, "in-place", (LONGER,)))}


def run(cases: int, seed: int) -> Tally:
    """Recordings, whole rows and commands."""
    tally, told_s, kinds = Tally("full, read-only and failing disks"), [0.0], mountable()
    lasting = tuple(kind for kind in kinds if kind != "read-only")  # which takes no data again while a file is open
    for number in shown(range(cases), cases, "recordings"):
        found = of_recording(drawn(number, seed, None, lasting))
        tally.cases, tally.violations = tally.cases + 1, tally.violations + found.wrong
        told_s.append(found.told_s or 0.0)
    for kind in kinds:
        for accepts_at in (None,) if kind == "read-only" else (None, 170):
            with scratch("disk") as folder:
                found = whole_row(kind, folder, accepts_at)
            tally.cases, tally.violations = tally.cases + 1, tally.violations + found.wrong
            told_s.append(found.told_s or 0.0)
    with scratch("disk") as folder:
        found = whole_row(lasting[-1], folder, None, is_quick=False)
    tally.cases, tally.violations = tally.cases + 1, tally.violations + found.wrong
    told_s.append(found.told_s or 0.0)
    if "full" in kinds:
        for number in range(max(1, cases // 20)):
            for wrong in of_commands(seed + number):
                tally.cases, tally.violations = tally.cases + 1, tally.violations + wrong
    if max(told_s) > TOLD_S:
        tally.violations.append(f"somebody is told only after {max(told_s):.2f} s")
    print(f"told {max(told_s):.2f} s after the first refusal at the latest")
    tally.planted = planted(seed, kinds)
    return tally


def main() -> int:
    """Run the suite."""
    parser = options(__doc__, 60, WEAK)
    parser.add_argument("--case", type=int, metavar="N", help="one recording")
    asked = parser.parse_args()
    if asked.case is not None:
        found = of_recording(drawn(asked.case, asked.seed, asked.weak))
        print("\n".join(found.wrong) or f"kept; told after {found.told_s} s")
        return 1 if found.wrong else 0
    return run(asked.cases, asked.seed).end()


if __name__ == "__main__":
    sys.exit(main())
