"""A hub: sends the journals of its data folders to a collector, and keeps each until the collector has all of it.

The journals are the spool.  `rowsync.store` moves a journal that it has stored into `hub` below its data folder, where
there is one; there the hub finds it however late it is started, and removes it when the collector says that it is
whole.  Only what is synced is sent, so that a power cut can't take back a line that the collector has.
"""

from __future__ import annotations

import asyncio
import os
from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rowsync.errors import StoreError
from rowsync.files import make_folder, sync_data, sync_folder
from rowsync.journal import spool_of
from rowsync.mqtt import Line, MqttSettings, stay_connected
from rowsync.relay import Answer, Part, Sender, Span, batch_bytes, is_session_id, read_answer, sound_line
from rowsync.wording import count, outside_text

Say = Callable[[str], None]

EVERY_S = 0.05
"""How long lines are gathered before they are sent [s]."""

MOST_READ = 1 << 20
"""So much of a journal is read at once."""


def run_hub(settings: MqttSettings, folders: Sequence[Path], name: str, say: Say) -> None:
    """Send what is rowed, and what was, until interrupted.

    Args:
        settings: which broker.
        folders: the data folders.
        name: what the hub is called in topics.
        say: tells the person one line.

    Raises:
        StoreError: a data folder can't be written.
    """
    asyncio.run(_run(settings, Hub(folders, say), name, say))


async def _run(settings: MqttSettings, hub: Hub, name: str, say: Say) -> None:
    batches, answers = topics(settings.prefix, name)

    async def serve(line: Line) -> None:
        hub.sender.lost_touch()
        while True:
            for _, payload in line.take():
                hub.answered(payload, _now_s())
            for payload in await asyncio.to_thread(hub.batches, _now_s(), datetime.now(UTC)):
                line.send(batches, payload)
            await asyncio.sleep(EVERY_S)

    await stay_connected(settings, (answers,), serve, say)


def topics(prefix: str, name: str) -> tuple[str, str]:
    """Where a hub sends to, and where it is answered."""
    return f"{prefix}/hub/{name}/batch", f"{prefix}/hub/{name}/have"


def _now_s() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class _File:
    """A journal as far as it is synced: where it lies, where each of its lines ends, whether those are all it has."""

    path: Path
    ends: array[int] = field(default_factory=lambda: array("Q"))
    is_read: bool = False

    @property
    def size(self) -> int:
        """How many bytes are known to be on disk."""
        return self.ends[-1] if self.ends else 0

    def read_on(self) -> None:
        """Sync what is new of it.

        Raises:
            OSError: it can't be read or synced.
        """
        self.is_read = self.path.stat().st_size <= self.size
        if self.is_read:
            return
        with self.path.open("rb", buffering=0) as file:
            sync_data(file.fileno())
            content = os.pread(file.fileno(), MOST_READ, self.size)
        at, start = self.size, 0
        while (end := content.find(b"\n", start)) >= 0:
            start = end + 1
            self.ends.append(at + start)
        if not start and len(content) == MOST_READ:  # no line is so long: what a crash left of many
            self.ends.append(at + MOST_READ)

    def lines(self, first: int, stop: int) -> tuple[bytes, ...]:
        """Some lines, an empty one for each that is damaged or no longer there.

        Raises:
            OSError: they can't be read.
        """
        if first == stop:
            return ()
        begin = self.ends[first - 1] if first else 0
        with self.path.open("rb", buffering=0) as file:
            content = os.pread(file.fileno(), self.ends[stop - 1] - begin, begin)
        starts = (begin, *self.ends[first : stop - 1])
        ends = self.ends[first:stop]
        return tuple(
            sound_line(content[start - begin : end - begin - 1]) for start, end in zip(starts, ends, strict=True)
        )


class Hub:
    """What the data folders hold for a collector.

    Args:
        folders: the data folders; each gets a folder `hub`, from which on its stored journals are kept for the hub.
        say: tells the person one line.

    Raises:
        StoreError: one can't be written.
    """

    def __init__(self, folders: Sequence[Path], say: Say) -> None:
        self.sender = Sender()
        self._folders, self._say = tuple(folders), say
        self._files: dict[str, _File] = {}
        self._given_up: set[str] = set()
        self._told: set[str] = set()
        for folder in folders:
            try:
                make_folder(spool_of(folder))
            except OSError as error:
                raise StoreError(f"{outside_text(folder)} can't be written ({error.strerror}).") from None

    def batches(self, now_s: float, now: datetime) -> list[bytes]:
        """What to send now.

        Args:
            now_s: a clock that only goes forward [s].
            now: the time of day.
        """
        self._look()
        parts = [part for span in self.sender.due(now_s) if (part := self._part(span)) is not None]
        return [batch_bytes(parts, now)] if parts else []

    def answered(self, payload: bytes, now_s: float) -> None:
        """Take what the collector answers, and let go of what it has whole."""
        answer = read_answer(payload)
        if answer is None:
            return
        self.sender.answered(answer, now_s)
        self._give_up(answer)
        for session_id in answer.have.keys() & self._files.keys():
            self._compare(self._files[session_id], answer.have[session_id])
        for session_id in answer.over & self._files.keys():
            file = self._files[session_id]
            if self._is_spooled(file.path) and file.is_read and answer.have.get(session_id, 0) >= len(file.ends):
                self._let_go(session_id, file.path)

    def _compare(self, file: _File, have: int) -> None:
        """Tell when this disk lost what the collector has."""
        if file.is_read and have > len(file.ends):
            self._tell(
                f"The end of {file.path} is lost here, from line {len(file.ends) + 1} on; the collector has it, "
                f"{count(have - len(file.ends), 'line')} more."
            )

    def _give_up(self, answer: Answer) -> None:
        for session_id in answer.refused.keys() & self._files.keys():
            why = outside_text(answer.refused[session_id], 160)
            self._tell(f"The collector doesn't take {session_id}: {why}. It stays in {self._files[session_id].path}.")
            self._given_up.add(session_id)
            self._forget(session_id)

    def _let_go(self, session_id: str, path: Path) -> None:
        with suppress(OSError):
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
        self._forget(session_id)
        self._say(f"The collector has {session_id}, whole.")

    def _forget(self, session_id: str) -> None:
        self._files.pop(session_id, None)
        self.sender.forget(session_id)

    def _look(self) -> None:
        """See what is new on disk."""
        for path in self._paths():
            session_id = path.stem
            if session_id in self._given_up or not is_session_id(session_id):
                continue
            file = self._files.setdefault(session_id, _File(path))
            file.path = path
            try:
                file.read_on()
                is_over = self._is_spooled(path) and file.is_read
            except OSError as error:
                if not isinstance(error, FileNotFoundError):  # moved just now: found again the next time
                    self._tell(f"{path} can't be read ({error.strerror}); it is tried again.")
                continue
            if file.ends:
                self.sender.found(session_id, len(file.ends), is_over=is_over)

    def _paths(self) -> Iterable[Path]:
        """Every journal; of one that is in both places for a moment, the one that is stored comes last."""
        for folder in self._folders:
            for place in (folder / "journal", spool_of(folder)):
                with suppress(OSError), os.scandir(place) as entries:
                    yield from [Path(entry.path) for entry in entries if entry.name.endswith(".jsonl")]

    def _is_spooled(self, path: Path) -> bool:
        return path.parent in map(spool_of, self._folders)

    def _part(self, span: Span) -> Part | None:
        file = self._files[span.session_id]
        try:
            lines = file.lines(span.first, span.stop)
        except OSError:  # moved just now; nobody answers, so it is sent again
            return None
        if lost := sum(not line for line in lines):
            first = span.first + lines.index(b"") + 1
            self._tell(
                f"{count(lost, 'line')} of {file.path} can't be read, from line {first} on, and the collector gets "
                "the rest."
            )
        return Part(span.session_id, span.first, lines, span.is_over)

    def _tell(self, text: str) -> None:
        """Say a thing once."""
        if text not in self._told:
            self._told.add(text)
            self._say(text)
