"""What a suite came to: cases, violations, planted mistakes found; told as one row of a table, with a bar meanwhile."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

Case = TypeVar("Case")

MOST_SHOWN = 20
WIDTH = 40


@dataclass(slots=True)
class Tally:
    """One run of a suite.

    Attributes:
        suite: its name.
        cases: how many cases were run.
        violations: what broke a promise, each with the command that repeats it.
        planted: whether each planted mistake was found, by its name.
        began_s: when it began, by the monotonic clock [s].
    """

    suite: str
    cases: int = 0
    violations: list[str] = field(default_factory=list)
    planted: dict[str, bool] = field(default_factory=dict)
    began_s: float = field(default_factory=time.monotonic)

    @property
    def is_kept(self) -> bool:
        """Whether nothing was violated and every planted mistake was found."""
        return not self.violations and all(self.planted.values())

    def row(self) -> str:
        """The row of the table (README.md)."""
        caught = f"{sum(self.planted.values())} of {len(self.planted)}"
        cells = (self.suite, self.cases, len(self.violations), caught, f"{time.monotonic() - self.began_s:.0f} s")
        return f"| {' | '.join(map(str, cells))} |"

    def end(self) -> int:
        """Print it; answer the exit code."""
        for violation in self.violations[:MOST_SHOWN]:
            print(f"VIOLATED {violation}")
        for name, is_found in self.planted.items():
            if not is_found:
                print(f"NOT FOUND planted {name}: this suite can't see it")
        print("| suite | cases | violations | planted mistakes found | time |\n|---|---:|---:|---|---:|")
        print(self.row())
        return 0 if self.is_kept else 1


Mistake = tuple[tuple[Any, str, Any], ...]
"""A planted mistake: what is put in the place of which function of ours."""


@contextmanager
def mistaken(mistakes: Mapping[str, Mistake], weak: str | None) -> Iterator[None]:
    """Our code with one of these mistakes, or none, in it."""
    with ExitStack() as patched:
        for each in mistakes[weak] if weak else ():
            patched.enter_context(patch.object(*each))
        yield


@contextmanager
def scratch(name: str, *, ignore_cleanup_errors: bool = False) -> Iterator[Path]:
    """An empty folder; what still writes into it as it goes may be ignored."""
    kept = tempfile.TemporaryDirectory(prefix=f"rowsync-{name}-", ignore_cleanup_errors=ignore_cleanup_errors)
    with kept as folder:
        yield Path(folder).resolve()


def options(doc: str | None, cases: int, weak: Mapping[str, object]) -> argparse.ArgumentParser:
    """What every suite takes."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=cases, metavar="N", help=f"how many [default: {cases}]")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the dice [default: 1]")
    parser.add_argument("--weak", choices=sorted(weak), help="with a planted mistake in our code")
    return parser


def shown(cases: Iterable[Case], total: int, label: str) -> Iterator[Case]:
    """Cases one after another, with a bar on a terminal."""
    for done, case in enumerate(cases):
        if sys.stderr.isatty():
            bar = "#" * (WIDTH * done // max(1, total))
            print(f"\r{label:24} [{bar:{WIDTH}}] {done} of {total}", end="", file=sys.stderr, flush=True)
        yield case
    if sys.stderr.isatty():
        print(file=sys.stderr)
