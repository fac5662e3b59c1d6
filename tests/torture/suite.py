"""One way to run a suite: its arguments, its progress, its row, and the command that repeats a case."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, TypeVar

from tests.torture.calls import missing

Case = TypeVar("Case")
Answer = TypeVar("Answer")


MOST_SHOWN = 20


@dataclass(slots=True)
class Row:
    """What a suite came to.

    Attributes:
        suite: its name.
        cases: how many cases were run.
        violations: what was broken, with the command that repeats it.
        notes: what else is worth knowing, by name.
        time_s: how long it took [s].
    """

    suite: str
    cases: int = 0
    violations: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    time_s: float = 0.0

    def show(self) -> int:
        """Print it; answer the exit code."""
        for each in self.violations[:MOST_SHOWN]:
            print(f"VIOLATION {each}")
        notes = "".join(f", {name} {value}" for name, value in self.notes.items())
        print(f"{self.suite}: {self.cases} cases, {len(self.violations)} violations{notes}, {self.time_s:.1f} s")
        return 1 if self.violations else 0


def arguments(doc: str | None, cases: int) -> argparse.ArgumentParser:
    """What every suite takes."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=cases, help=f"how many cases (default: {cases})")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn by lot (default: 1)")
    parser.add_argument("--plain", action="store_true", help="leave out the planted mistakes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    if why := missing():
        parser.error(why)
    return parser


def planted(torture: Callable[[str, str], Row], weak: dict[str, str]) -> str:
    """How many of the planted mistakes are caught; each is looked for in one work until it shows."""
    caught = []
    for name, work in weak.items():
        if torture(name, work).violations:
            caught.append(name)
        else:
            print(f"NOT CAUGHT {name}")
    return f"{len(caught)} of {len(weak)}"


def each(work: Callable[[Case], Answer], cases: Iterable[Case], jobs: int, total: int) -> Iterator[Answer]:
    """Answers to cases from several forked processes, as they come, with a progress bar."""
    began_s, done = time.monotonic(), 0
    asked = iter(cases)
    fork = multiprocessing.get_context("fork")
    ours: dict[Any, Any] = {}
    try:
        for case in islice(asked, jobs):
            mine, theirs = fork.Pipe()
            process = fork.Process(target=_answer, args=(work, theirs), daemon=True)
            process.start()
            theirs.close()
            mine.send(case)
            ours[mine] = process
        while ours:
            for ready in wait(list(ours)):
                answer = ready.recv()
                for case in islice(asked, 1):
                    ready.send(case)
                    break
                else:
                    ours.pop(ready).kill()
                done += 1
                _progress(done, total, time.monotonic() - began_s)
                yield answer
    finally:
        for process in ours.values():
            process.kill()
        for process in ours.values():
            process.join()  # or it writes into a folder that is being removed
    if sys.stderr.isatty():
        print(file=sys.stderr)


def _answer(work: Callable[[Case], Answer], asked: Any) -> None:
    while True:
        asked.send(work(asked.recv()))


def _progress(done: int, total: int, time_s: float) -> None:
    share = min(1.0, done / max(1, total))
    if sys.stderr.isatty():
        print(f"\r[{'#' * int(40 * share):40}] {share:4.0%} {time_s:5.0f} s", end="", file=sys.stderr, flush=True)
    elif done % max(1, total // 10) == 0:
        print(f"{share:4.0%} after {time_s:.0f} s", file=sys.stderr, flush=True)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory, if there is one: the power is cut here by a simulation, not by a disk."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    # What a killed worker was tracing is killed with it, but not waited for by anybody.
    with tempfile.TemporaryDirectory(dir=memory, prefix="rowsync-torture-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()
