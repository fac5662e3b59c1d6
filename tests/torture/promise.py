"""Our recorder and two naive ones under the same kills, failing disks and power cuts: what is lost of what was saved.

python -m tests.torture.promise [--cases N] [--seed N]
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

from rowsync.errors import RecordingError
from rowsync.recording import read_recording
from rowsync.telemetry import Notification
from tests.torture import naive
from tests.torture.calls import FAULTS, Fault, plan, watched
from tests.torture.disk import Disk
from tests.torture.kill import in_child, template
from tests.torture.outcome import ROWED_FROM, found, store_in
from tests.torture.power import lay_out, mark
from tests.torture.suite import arguments, each, scratch
from tests.torture.works import WORKS, Work, doing, quick, whole

PER_CUT = 12
Read = Callable[[Path], "list[Notification] | None"]


def ours(folder: Path) -> list[Notification] | None:
    """What our recorder's session is after the next start; None where it can't be read."""
    journal = folder / "journal" / "new.jsonl"
    try:
        left = list(read_recording(journal).notifications)
    except RecordingError:
        left = []
    if len(left) < ROWED_FROM and not (folder / "raw" / "athlete=virtual").exists():
        return left or None  # nobody rowed in it, so it doesn't become a session
    outcome = found(folder)
    if outcome.wrong or "new" not in outcome.lengths:
        return None
    return list(store_in(folder).recording("new").notifications)


class Recorder(NamedTuple):
    """A recorder, and how what it kept is read."""

    name: str
    work: Work
    read: Read


RECORDERS = (
    Recorder("rowsync", WORKS["record"], ours),
    Recorder("parquet rewritten in place", Work("rewriting", naive.rewriting), naive.rewritten),
    Recorder("CSV appended without sync", Work("appending", naive.appending), naive.appended),
)


@dataclass(slots=True)
class Losses:
    """What became of what was shown as saved.

    Attributes:
        cases: how often something was done to the recorder.
        shown: notifications that were shown as saved, all cases together.
        lost: those of them that are not there afterwards, or not as they came.
        unreadable: cases in which something was shown as saved, and nothing can be read.
        invented: cases in which something is read that never came.
    """

    cases: int = 0
    shown: int = 0
    lost: int = 0
    unreadable: int = 0
    invented: int = 0

    def add(self, other: Losses) -> None:
        """Count what another counted too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def judged(kept: list[Notification] | None, shown: int) -> Losses:
    """What became of so many notifications."""
    rowed = whole("new").notifications
    there = set(kept or ())
    return Losses(
        cases=1,
        shown=shown,
        lost=sum(notification not in there for notification in rowed[:shown]),
        unreadable=int(kept is None and shown > 0),
        invented=int(bool(there - set(rowed))),
    )


class Case(NamedTuple):
    """A fault for a recorder, or with None cuts of its power."""

    recorder: int
    fault: Fault | None
    seed: int


@dataclass(slots=True)
class Result:
    """What became of what a recorder had shown."""

    case: Case
    losses: Losses = field(default_factory=Losses)


def _place(beginning: Path) -> Path:
    place = beginning.parent / f"promise-{os.getpid()}"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(beginning, place / "data")
    return place


def _shown(told: list[dict[str, dict[str, int]]]) -> int:
    return max([row["saved"]["new"] for row in told if "saved" in row], default=0)


def run(case: Case, beginning: Path) -> Result:
    """One fault, or the power cut after every call."""
    recorder, place, result = RECORDERS[case.recorder], _place(beginning), Result(case)
    folder = place / "data"
    disk = Disk(folder)
    done = watched(doing(recorder.work, folder, case.seed), folder, case.fault, partial(quick, None))
    if case.fault is not None:
        if done.hit is not None:
            text = in_child(partial(_judged_text, recorder.read, folder, _shown(done.told)))
            result.losses.add(Losses(*map(int, text.split())))
        return result
    known: dict[bytes, list[Notification] | None] = {}
    told = iter(done.told)
    so_far = []
    for at, call in enumerate(done.calls):
        if call.name == "told":
            so_far.append(next(told))
        else:
            disk.apply(call)
        for state in disk.states(PER_CUT, Random(f"{case.seed} {at}")):
            if (content := mark(state, "reading")) not in known:
                lay_out(state, place / "disk")
                known[content] = recorder.read(place / "disk")
            result.losses.add(judged(known[content], _shown(so_far)))
    return result


def _judged_text(read: Read, folder: Path, shown: int) -> str:
    losses = judged(read(folder), shown)
    return " ".join(str(getattr(losses, name)) for name in Losses.__slots__)


def cases(recorder: int, most: int, seed: int, beginning: Path) -> list[Case]:
    """Faults for a recorder, as many as are wanted, and three times its power cut after every call."""
    place = _place(beginning)
    done = watched(doing(RECORDERS[recorder].work, place / "data", seed), place / "data", None, partial(quick, None))
    faults = plan(done.calls, list(FAULTS))
    Random(seed).shuffle(faults)
    cuts = [Case(recorder, None, seed + at) for at in range(3 if most > 50 else 1)]
    return [*(Case(recorder, fault, seed) for fault in faults[:most]), *cuts]


def compared(most: int, seed: int, jobs: int) -> list[tuple[str, Losses, Losses]]:
    """What each recorder loses by kills and failing disks, and by power cuts."""
    rows = [(recorder.name, Losses(), Losses()) for recorder in RECORDERS]
    with scratch() as place:
        template(place / "beginning")
        chosen = [case for at in range(len(RECORDERS)) for case in cases(at, most, seed, place / "beginning")]
        for result in each(partial(run, beginning=place / "beginning"), chosen, jobs, len(chosen)):
            rows[result.case.recorder][1 if result.case.fault else 2].add(result.losses)
    return rows


def table(rows: list[tuple[str, Losses, Losses]]) -> str:
    """The table, as Markdown."""
    lines = [
        "| recorder | fault | cases | notifications shown as saved | lost | sessions unreadable | with inventions |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for name, killed, cut in rows:
        for what, losses in (("kill, errors, short writes", killed), ("power cut", cut)):
            share = f" ({losses.lost / losses.shown:.1%})" if losses.lost else ""
            figures = [losses.cases, losses.shown, f"{losses.lost}{share}", losses.unreadable, losses.invented]
            lines.append(f"| {name} | {what} | {' | '.join(map(str, figures))} |")
    return "\n".join(lines)


def main() -> int:
    """The command."""
    given = arguments(__doc__, 400).parse_args()
    began_s = time.monotonic()
    rows = compared(given.cases, given.seed, given.jobs)
    print(table(rows))
    print(f"\n{time.monotonic() - began_s:.1f} s")
    _, killed, cut = rows[0]
    return int(any((losses.lost, losses.unreadable, losses.invented) != (0, 0, 0) for losses in (killed, cut)))


if __name__ == "__main__":
    sys.exit(main())
