"""Collecting what hubs send, as a work that is tortured: two sessions come in batches, and are whole at its end.

The collector is tended all the while, its log is cut often, and once it begins anew in the midst, as after a crash:
from then on it must not take for saved what only the system's memory holds.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from rowsync import collector as collectors
from rowsync.collector import SILENT_S, Collector
from rowsync.recording import Recording, header_line, item_line
from rowsync.relay import Part, batch_bytes
from rowsync.telemetry import ENDED, Note
from tests.torture.calls import Tell

EACH_S = 20.0
"""Between two batches, by the collector's clock [s]."""

FULL_LOG = 2500
"""A log of so many bytes is followed by a new one."""

MOST_TURNS = 80
"""After so many batches a hub gives up, which a disk that refuses for ever makes it do."""


def collect(sessions: list[Recording], folder: Path, tell: Tell, random: Random) -> None:
    """Send sessions as a hub does, again what isn't acknowledged, and tell what is."""
    collectors.FULL_LOG = FULL_LOG
    lines = {each.header.session_id: _lines(each) for each in sessions}
    have, over = dict.fromkeys(lines, 0), set[str]()
    collector, anew_at = _begun(folder), random.randint(4, 9)
    for turn in range(MOST_TURNS):
        if turn == anew_at:
            collector = _begun(folder)
        parts = [_part(name, lines[name], have[name], random.randint(4, 12)) for name in lines if name not in over]
        if not parts:
            return
        answers = collector.take([("hub", batch_bytes(parts))], sessions[0].header.started_at, turn * EACH_S).answers
        for answer in answers.values():
            have |= answer.have
            over |= answer.over
            tell({"saved": {name: max(0, min(count, len(lines[name]) - 1) - 1) for name, count in have.items()}})
        collector.tend(turn * EACH_S)


def _lines(session: Recording) -> list[bytes]:
    end = Note(session.items[-1].time_s, ENDED)
    return [line[:-1] for line in (header_line(session.header), *map(item_line, (*session.items, end)))]


def _part(name: str, lines: list[bytes], first: int, most: int) -> Part:
    stop = min(len(lines), first + most)
    return Part(name, first, tuple(lines[first:stop]), stop == len(lines))


def _begun(folder: Path) -> Collector:
    return Collector(folder, lambda text: None, 0.0)


def gathered(folder: Path) -> None:
    """Have stored what a collector holds, also of sessions of which no more comes."""
    if not (folder / "collect").is_dir():
        return
    collector = _begun(folder)
    for turn in range(10):
        collector.tend(SILENT_S + turn * EACH_S)
