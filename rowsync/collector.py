"""The collector: takes the sessions of many hubs, so that they are stored as each hub would have stored them.

    <data>/collect/log-00000001      whatever came, synced before it is acknowledged (rowsync.wal)
    <data>/collect/<session>.jsonl   each session's journal, written behind the log
    <data>/collect/done.jsonl        the sessions that are whole, and how many lines they have

A whole session's journal moves to `journal`, and is stored from there like any other.  One that falls silent is stored
as far as it came, and again when the rest comes.
"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rowsync import apart
from rowsync.claim import claimed_folder
from rowsync.errors import StoreError
from rowsync.files import make_folder, replacing, sync_data, sync_folder
from rowsync.journal import claimed
from rowsync.mqtt import Line, MqttSettings, stay_connected
from rowsync.recording import checked_content, checked_line
from rowsync.relay import (
    Answer,
    Batch,
    Holding,
    Part,
    Refused,
    answer_bytes,
    batch_bytes,
    header_content,
    is_session_id,
    mark_of,
    read_batch,
    read_log,
)
from rowsync.waiting import end
from rowsync.wal import Log, logs_left
from rowsync.wording import count, outside_text

Say = Callable[[str], None]

GATHER_S = 0.005
"""How long batches are gathered before they are logged; a sync takes about as long [s]."""

IDLE_S = 0.25
"""How long nothing may come before there is a look at what else is to be done [s]."""

BEHIND_S = 30.0
"""A session's journal is written so far behind the log [s]."""

FULL_LOG = 32 << 20
"""A log of so many bytes is followed by a new one."""

SILENT_S = 900.0
"""A session of which nothing came for so long is stored as it is [s]."""

TOGETHER_S = 60.0
"""Two sessions of a rower are rowed at the same time when lines of both came within so long [s]."""

CLOCK_S = 60.0
"""A hub's clock may be so far off before a person is told [s]."""

CLOCK_FOR_S = 5.0
"""It is told when every batch for so long says so: what lay on a wire that was cut is late by itself [s]."""

MOST_DONE = 10_000
"""So many whole sessions are remembered; one that is forgotten, and sent again, is stored again as it was."""

TEND_S = 0.1
"""Between the batches there is so often a look at what else is to be done [s]."""

AT_ONCE, SYNCED_AT_ONCE = 100, 3
"""So many journals are written then, and so many synced."""


def run_collect(settings: MqttSettings, folder: Path, say: Say) -> None:
    """Collect what hubs send, until interrupted.

    Args:
        settings: which broker.
        folder: the data folder.
        say: tells the person one line.

    Raises:
        StoreError: the data folder can't be written.
        UsageError: another rowsync records into it.
    """
    with claimed_folder(folder):
        asyncio.run(_run(settings, folder, say))


async def _run(settings: MqttSettings, folder: Path, say: Say) -> None:
    collector = Collector(folder, say, _now_s())
    beside = [asyncio.create_task(work) for work in (_store(collector, folder), _tend(collector))]
    try:
        await stay_connected(settings, (f"{settings.prefix}/hub/+/batch",), _server(settings.prefix, collector), say)
    finally:
        await end(*beside)


def _server(prefix: str, collector: Collector) -> Callable[[Line], Awaitable[None]]:
    async def serve(line: Line) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await line.arrived.wait()
                    await asyncio.sleep(GATHER_S)
            heard = [(topic.split("/")[-2], payload) for topic, payload in line.take()]
            taken = await asyncio.to_thread(collector.take, heard, datetime.now(UTC), _now_s())
            for hub, answer in taken.answers.items():
                line.send(f"{prefix}/hub/{hub}/have", answer_bytes(answer))
            if taken.new:
                line.send(f"{prefix}/collected", taken.new)

    return serve


async def _tend(collector: Collector) -> None:
    """Write the journals, beside what comes: no hub waits for that."""
    while True:
        await asyncio.sleep(TEND_S)
        await asyncio.to_thread(collector.tend, _now_s())


async def _store(collector: Collector, folder: Path) -> None:
    """Store what is whole, in another process, one after another."""
    while True:
        await asyncio.sleep(1.0)
        if collector.to_store:
            collector.to_store = False
            await asyncio.to_thread(apart.recover, folder)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


class Taken(NamedTuple):
    """What became of what was heard.

    Attributes:
        answers: to each hub.
        new: what is on disk now and wasn't before, as a batch; empty for nothing.
    """

    answers: dict[str, Answer]
    new: bytes = b""


class _Done(NamedTuple):
    """A session that is whole: how many lines it has, and the mark of the first."""

    lines: int
    mark: int


class _Claim(NamedTuple):
    """That a hub sent lines of a rower's session, and when last [s]."""

    hub: str
    heard_s: float


class _Wrong(NamedTuple):
    """That a hub's clock is wrong: which way, since when [s], and whether that was told."""

    way: str
    since_s: float
    is_told: bool = False


class _Open:
    """A session that isn't whole yet.

    Attributes:
        holding: what of it is on disk.
        behind: lines that are in the log and not in its journal yet.
        written: how many lines its journal has.
        synced: how many of them its disk has confirmed.
        is_doubtful: whether a write or a sync failed, so that what is behind them may be anything.
        heard_s: when something of it came last [s].
        is_stored: whether it was stored as it is.
        rower: the address of its machine; None where its header doesn't say.
    """

    def __init__(self, lines: Sequence[bytes], now_s: float) -> None:
        self.holding = Holding(lines)
        self.behind: list[bytes] = []
        self.written, self.synced, self.is_doubtful = len(lines), len(lines), False
        self.heard_s = now_s
        self.is_stored = False
        self.rower = _rower(lines[0]) if lines else None

    def take_rower(self, part: Part) -> None:
        """Take from a session's first line whose it is."""
        if not part.first and part.lines:
            self.rower = _rower(part.lines[0])


class Collector:
    """What hubs sent, on disk.

    `take` and `tend` may be called from a thread each, so that what comes waits for no journal's sync.

    Args:
        folder: the data folder.
        say: tells the person one line.
        now_s: a clock that only goes forward [s].

    Attributes:
        to_store: set when there are journals to store.

    Raises:
        StoreError: the folder can't be written.
    """

    def __init__(self, folder: Path, say: Say, now_s: float) -> None:
        self.to_store = False
        self._folder, self._journals, self._say = folder / "collect", folder / "journal", say
        self._open: dict[str, _Open] = {}
        self._done: dict[str, _Done] = {}
        self._unsaved: list[Part] = []
        self._is_refused, self._saved_last = False, b""
        self._told: set[str] = set()
        self._clocks: dict[str, _Wrong] = {}
        self._claims: dict[str, dict[str, _Claim]] = {}
        self._unsynced: dict[Path, set[str]] = {}
        self._late: dict[str, float] = {}
        self._whole: set[str] = set()
        self._handing: dict[str, None] = {}
        self._silence_due_s = now_s
        self._lock = threading.Lock()
        try:
            make_folder(self._folder)
            make_folder(self._journals)
            self._recall(now_s)
            self._log = Log(self._folder)
        except OSError as error:
            raise StoreError(f"Nothing can be collected: {folder} can't be written ({error.strerror}).") from None

    # --- what a crash left --------------------------------------------------------------------------------------------

    def _recall(self, now_s: float) -> None:
        """Bring every journal up to its log, then let go of the log."""
        self._done = self._read_done()
        logs = logs_left(self._folder)
        for path in self._folder.glob("*.jsonl"):
            if path.stem in self._done:
                self._handing[path.stem] = None
            elif path.stem != "done" and is_session_id(path.stem):
                self._open[path.stem] = _Open(self._whole_lines(path), now_s)
        for log in logs:
            parts, damaged = read_log(log.read_bytes())
            if damaged:
                self._say(f"{count(damaged, 'line')} of {log} are damaged; what hubs still have of them comes again.")
            for part in parts:
                self._take_logged(part, now_s)
            self._unsynced[log] = {part.session_id for part in parts if part.lines}
        for session_id in set[str]().union(*self._unsynced.values()) & self._open.keys():
            self._settle(session_id)
        self._unsynced.clear()
        sync_folder(self._folder)
        for log in logs:
            log.unlink()
        self.to_store = any(self._journals.glob("*.jsonl"))

    def _take_logged(self, part: Part, now_s: float) -> None:
        if part.session_id in self._done:
            return
        opened = self._opened(part.session_id, now_s)
        new = opened.holding.take(part)
        if isinstance(new, Part):
            opened.take_rower(new)
            self._put_behind(new, now_s)

    def _read_done(self) -> dict[str, _Done]:
        path = self._folder / "done.jsonl"
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return {}
        lines = content.split(b"\n")
        done = dict([found for line in lines if (found := _read_done_line(line)) is not None][-MOST_DONE:])
        if lines[-1] or len(lines) - 1 != len(done):
            with replacing(path) as file:
                file.write(b"".join(map(_done_line, done, done.values())))
        return done

    def _whole_lines(self, path: Path) -> list[bytes]:
        """A journal's lines; a torn one is cut off."""
        content = path.read_bytes()
        size = content.rfind(b"\n") + 1
        if size < len(content):
            with path.open("r+b") as file:
                file.truncate(size)
        return content[:size].split(b"\n")[:-1]

    # --- what comes ---------------------------------------------------------------------------------------------------

    def take(self, heard: Sequence[tuple[str, bytes]], now: datetime, now_s: float) -> Taken:
        """Take batches; when it returns, what it answers is on disk.

        While the disk refuses, nothing is taken and nobody is answered: it all comes again.

        Args:
            heard: hubs and what they sent.
            now: the time of day.
            now_s: a clock that only goes forward [s].
        """
        with self._lock:
            return self._taken(heard, now, now_s)

    def _taken(self, heard: Sequence[tuple[str, bytes]], now: datetime, now_s: float) -> Taken:
        if self._unsaved and not self._saved(now_s):
            return Taken({})
        answers: dict[str, Answer] = {}
        for hub, payload in heard:
            batch = read_batch(payload)
            if batch is None:
                self._tell(f"The hub {outside_text(hub)} sends what is no batch; that is left out.")
                continue
            self._check_clock(hub, batch, now, now_s)
            answer = answers.setdefault(hub, Answer())
            for part in batch.parts:
                self._take_part(hub, part, answer, now_s)
        is_new = any(part.lines for part in self._unsaved)
        if self._unsaved and not self._saved(now_s):
            return Taken({})
        for answer in answers.values():
            answer.have = {session_id: self._count(session_id) for session_id in answer.have}
        return Taken(answers, self._saved_last if is_new else b"")

    def _count(self, session_id: str) -> int:
        opened = self._open.get(session_id)
        if opened is not None:
            return len(opened.holding.marks)
        done = self._done.get(session_id)
        return 0 if done is None else done.lines

    def _take_part(self, hub: str, part: Part, answer: Answer, now_s: float) -> None:
        session_id = part.session_id
        answer.have[session_id] = 0
        if (done := self._done.get(session_id)) is not None:
            if part.first == 0 and part.lines and mark_of(part.lines[0]) not in (done.mark, 0):
                self._refuse(hub, part, answer, "another session of that name was stored")
            elif part.first + len(part.lines) > done.lines:
                self._refuse(hub, part, answer, f"it was over with {count(done.lines, 'line')}")
            else:
                answer.over.add(session_id)
            return
        if session_id not in self._open and not part.lines:
            return
        opened = self._opened(session_id, now_s)
        was_over = opened.holding.is_over
        new = opened.holding.take(part)
        if new is None:
            answer.again.add(session_id)
        elif isinstance(new, Refused):
            self._refuse(hub, part, answer, new.why)
        elif new.lines or new.is_over > was_over:
            opened.take_rower(new)
            self._notice_claim(hub, new, opened.rower, now_s)
            self._notice_gap(hub, new)
            opened.heard_s, opened.is_stored = now_s, False
            self._unsaved.append(new)
        if not opened.holding.marks:
            del self._open[session_id]

    def _opened(self, session_id: str, now_s: float) -> _Open:
        if session_id not in self._open:
            self._open[session_id] = _Open((), now_s)
        return self._open[session_id]

    def _refuse(self, hub: str, part: Part, answer: Answer, why: str) -> None:
        answer.refused[part.session_id] = why
        self._tell(f"{part.session_id} of the hub {outside_text(hub)} isn't taken: {why}. What is held stays as it is.")

    def _notice_gap(self, hub: str, part: Part) -> None:
        """Tell of lines that a hub's disk lost; the session is stored without them."""
        if (lost := part.lines.count(b"")) > 0:
            at = part.lines.index(b"")
            times = [content.get("t") for line in part.lines[at:] if (content := header_content(line))]
            when = f", before {times[0]} s" if times and isinstance(times[0], int | float) else ""
            self._tell(
                f"The hub {outside_text(hub)} lost {count(lost, 'line')} of {part.session_id} on its disk, from line "
                f"{part.first + at + 1} on{when}; the rest of the session is taken."
            )

    def _notice_claim(self, hub: str, part: Part, rower: str | None, now_s: float) -> None:
        """Tell when two sessions of one rower go on side by side; both are kept.

        A hub that took a rower over from another is no conflict: of the session that it ended comes its end at most.
        """
        if rower is None or not part.lines:
            return
        claims = self._claims.setdefault(rower, {})
        before = claims.get(part.session_id)
        since_s = float("inf") if before is None or part.is_over else max(before.heard_s, now_s - TOGETHER_S)
        for other, claim in claims.items():
            if other != part.session_id and claim.heard_s >= since_s:
                first, second = sorted((other, part.session_id))
                hubs = [outside_text(hub if each == part.session_id else claim.hub) for each in (first, second)]
                self._tell(
                    f"The hubs {hubs[0]} and {hubs[1]} both send the rower {outside_text(rower)}; both sessions are "
                    f"kept: {first}, {second}. End one of them."
                )
        claims[part.session_id] = _Claim(hub, now_s)

    def _check_clock(self, hub: str, batch: Batch, now: datetime, now_s: float) -> None:
        """Tell when a hub's clock and this one differ, and when no longer; one late batch is no wrong clock."""
        if batch.at is None:
            return
        off_s = (batch.at - now).total_seconds()
        way = "ahead of" if off_s > 0 else "behind"
        wrong = self._clocks.get(hub)
        if abs(off_s) <= CLOCK_S / 2:
            if wrong is not None and wrong.is_told:
                self._say(f"The clock of the hub {outside_text(hub)} is right again.")
            self._clocks.pop(hub, None)
        elif abs(off_s) > CLOCK_S and (wrong is None or wrong.way != way):
            self._clocks[hub] = _Wrong(way, now_s)
        elif wrong is not None and not wrong.is_told and now_s - wrong.since_s >= CLOCK_FOR_S:
            self._clocks[hub] = wrong._replace(is_told=True)
            self._say(
                f"The clock of the hub {outside_text(hub)} is {abs(off_s):.0f} s {way} this computer's: set the wrong "
                "one right. Nothing is lost; sessions keep the times that their hub says."
            )

    def _tell(self, text: str) -> None:
        """Say a thing once."""
        if text not in self._told and len(self._told) < MOST_DONE:
            self._told.add(text)
            self._say(text)

    # --- to disk ------------------------------------------------------------------------------------------------------

    def _saved(self, now_s: float) -> bool:
        """Log what was taken; False while the disk refuses."""
        content = batch_bytes(self._unsaved)
        try:
            self._log.append(content)
        except OSError as error:
            if not self._is_refused:
                self._say(
                    f"The disk refuses ({error.strerror}): nothing is acknowledged, and hubs keep what they have. "
                    f"Make room for {self._folder}, or see what ails its disk; the rest then comes by itself."
                )
            self._is_refused = True
            return False
        if self._is_refused:
            self._say("The disk takes what comes again.")
            self.to_store = True  # what was whole meanwhile couldn't be stored
        self._is_refused, self._saved_last = False, content
        self._unsynced.setdefault(self._log.path, set()).update(part.session_id for part in self._unsaved)
        for part in self._unsaved:
            self._put_behind(part, now_s)
        self._unsaved = []
        return True

    def _put_behind(self, part: Part, now_s: float) -> None:
        opened = self._open[part.session_id]
        if part.lines:
            opened.behind += part.lines
            self._late.setdefault(part.session_id, now_s)
        if opened.holding.is_over:
            self._whole.add(part.session_id)

    def tend(self, now_s: float) -> None:
        """Do a little of what else there is: write journals behind the log, cut the log, hand on what is whole.

        Args:
            now_s: a clock that only goes forward [s].
        """
        try:
            self._tend(now_s)
        except OSError as error:  # the log has it all, and it is tried again
            if not self._is_refused:
                self._tell(f"The disk refuses a journal ({error.strerror}); it is tried again.")

    def _tend(self, now_s: float) -> None:
        for session_id in self._some(self._late, AT_ONCE):
            if now_s - self._late[session_id] >= BEHIND_S:
                self._write_behind(session_id)
        if self._log.size >= FULL_LOG:
            with self._lock:
                self._log.begin()
        for _ in range(SYNCED_AT_ONCE):
            self._sync_a_little()
        for session_id in self._some(self._whole, SYNCED_AT_ONCE):
            self._finish(session_id)
        for session_id in self._some(self._handing, AT_ONCE):
            self._hand_on(session_id)
        if now_s >= self._silence_due_s:
            self._silence_due_s = now_s + 1.0
            self._look_for_silence(now_s)

    def _some(self, session_ids: Iterable[str], most: int) -> list[str]:
        with self._lock:
            return list(islice(session_ids, most))

    def _path(self, session_id: str) -> Path:
        return self._folder / f"{session_id}.jsonl"

    def _write_behind(self, session_id: str) -> None:
        """Bring a journal up to the log."""
        opened = self._open[session_id]
        with self._lock:
            if opened.behind and not opened.is_doubtful:
                opened.is_doubtful = True  # until all of this is known to have gone well
                _append(self._path(session_id), _joined(opened.behind))
                opened.is_doubtful = False
                opened.written += len(opened.behind)
                opened.behind = []
            self._late.pop(session_id, None)

    def _settle(self, session_id: str) -> None:
        """Bring a journal up to the log, and have the disk confirm it.

        Raises:
            OSError: it doesn't; what is lacking is in the logs still.
        """
        opened = self._open[session_id]
        if opened.is_doubtful:
            self._write_anew(session_id)
        self._write_behind(session_id)
        opened.is_doubtful = True
        _sync(self._path(session_id))
        opened.synced, opened.is_doubtful = opened.written, False

    def _write_anew(self, session_id: str) -> None:
        """A sync that failed may have dropped what it was to write, and a second one would say that all is well."""
        opened = self._open[session_id]
        lines = self._whole_lines(self._path(session_id))[: opened.synced]
        for log in list(self._unsynced):
            for part in read_log(log.read_bytes())[0]:
                if part.session_id == session_id and part.first <= len(lines):
                    lines += part.lines[len(lines) - part.first :]
        if len(lines) < opened.written:
            raise OSError(errno.EIO, "its log can't be read")
        with replacing(self._path(session_id)) as file:
            file.write(_joined(lines[: opened.written]))
        opened.is_doubtful = False

    def _sync_a_little(self) -> None:
        """Sync one journal that an old log holds lines of; a log of which all are synced goes."""
        with self._lock:
            old = {log: session_ids for log, session_ids in self._unsynced.items() if log != self._log.path}
        if not old:
            return
        log, session_ids = next(iter(old.items()))
        if session_ids:
            session_id = next(iter(session_ids))
            if session_id in self._open:
                self._settle(session_id)
            for each in old.values():
                each.discard(session_id)
        else:
            sync_folder(self._folder)
            log.unlink(missing_ok=True)
            with self._lock:
                del self._unsynced[log]

    # --- what is whole ------------------------------------------------------------------------------------------------

    def _finish(self, session_id: str) -> None:
        """Note that a session is whole; from then on its hub need not keep it."""
        self._settle(session_id)
        sync_folder(self._folder)
        marks, path = self._open[session_id].holding.marks, self._folder / "done.jsonl"
        done = _Done(len(marks), marks[0])
        _append(path, _done_line(session_id, done))
        _sync(path)
        with self._lock:
            self._done[session_id] = done
            self._whole.discard(session_id)
            self._handing[session_id] = None
            self._let_go(session_id)

    def _let_go(self, session_id: str) -> None:
        rower = self._open.pop(session_id).rower
        if rower is not None and (claims := self._claims.get(rower)) is not None:
            claims.pop(session_id, None)
            if not claims:
                del self._claims[rower]

    def _hand_on(self, session_id: str) -> None:
        """Move a whole session to where it is stored from, unless that is busy with what there was of it before."""
        with self._place_for(session_id) as place:
            if place is not None:
                if self._path(session_id).exists():
                    self._path(session_id).replace(place)
                sync_folder(self._journals)
                sync_folder(self._folder)
                del self._handing[session_id]
                self.to_store = True

    @contextmanager
    def _place_for(self, session_id: str) -> Iterator[Path | None]:
        """Where a session's journal is stored from; None while somebody is storing one of that name."""
        place = self._journals / f"{session_id}.jsonl"
        if not place.exists():
            yield place
            return
        with claimed(place) as ours:
            yield place if ours else None

    def _look_for_silence(self, now_s: float) -> None:
        """Have a session stored that fell silent, and keep its journal for what may still come."""
        for session_id in self._some(self._open, len(self._open)):
            opened = self._open[session_id]
            if not opened.is_stored and now_s - opened.heard_s >= SILENT_S:
                with self._place_for(session_id) as place:
                    if place is not None:
                        self._settle(session_id)
                        with replacing(place) as file:
                            file.write(self._path(session_id).read_bytes())
                        opened.is_stored = self.to_store = True
                return


def _rower(header: bytes) -> str | None:
    machine = header_content(header).get("machine")
    address = machine.get("address") if isinstance(machine, dict) else None
    return address if isinstance(address, str) else None


def _joined(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _append(path: Path, content: bytes) -> None:
    """Write behind a file's end all or nothing.

    Raises:
        OSError: it can't be written; the file is as it was.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(file).st_size
        if os.write(file, content) != len(content):
            os.ftruncate(file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(file)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync_data(file)
    finally:
        os.close(file)


def _done_line(session_id: str, done: _Done) -> bytes:
    return checked_line({"session_id": session_id, **done._asdict()})


def _read_done_line(line: bytes) -> tuple[str, _Done] | None:
    match checked_content(line):
        case {"session_id": str(session_id), "lines": int(lines), "mark": int(mark)}:
            return session_id, _Done(lines, mark)
    return None
