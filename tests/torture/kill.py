"""SIGKILL, errors of the disk and short writes at every system call that touches the data folder.

    python -m tests.torture.kill [--cases N] [--seed N]

Each work is traced once; then it is run again for every call and every fault that can come there (`calls.FAULTS`), and
afterwards a fresh process recovers with the real code and reads everything.  Waits of the journal are shortened, so
that "within 100 ms" isn't tested here; what is acknowledged is.  The store has nothing that compacts, so that isn't
either.  Repeat one case with --work, --fault and --at; --weak puts one of our planted mistakes in.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.torture.calls import DEADLINE_S, FAULTS, FOR_EVER, Fault, plan, watched
from tests.torture.outcome import Outcome, as_json, found, from_json, judged
from tests.torture.suite import Row, arguments, each, planted, scratch
from tests.torture.weak import BY_KILL
from tests.torture.works import WORKS, begin, doing, quick, store_in

ONCE = [kind for kind in FAULTS if kind not in FOR_EVER]
"""Faults after which the disk is well again: no mistake needs more to show, and giving up takes seconds."""


class Case(NamedTuple):
    """One fault at one call of one work."""

    work: str
    fault: Fault | None
    seed: int
    weak: str | None = None

    @property
    def command(self) -> str:
        """What repeats it."""
        weak = f" --weak {self.weak}" if self.weak else ""
        at = f" --fault {self.fault.kind} --at {self.fault.number}" if self.fault else ""
        return f"python -m tests.torture.kill --work '{self.work}' --seed {self.seed}{at}{weak}"


class Result(NamedTuple):
    """What a case came to.

    Attributes:
        case: which.
        calls: how many calls there were.
        hit: the call that the fault came at; None where it came at none.
        wrong: what of the promise is broken.
        healed: how many sessions had to be rebuilt.
        acknowledged: how many notifications were told to be saved.
        told: all that was told.
    """

    case: Case
    calls: int
    hit: str | None
    wrong: list[str]
    healed: int
    acknowledged: int
    told: list[dict[str, Any]]


def in_child(work: partial[str]) -> str:
    """Have something answered by a fresh process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(DEADLINE_S)
            os.write(writing, work().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        text = answer.read().decode()
    os.waitpid(child, 0)
    return text


def _begun(folder: Path) -> str:
    begin(folder)
    return ""


def template(folder: Path) -> None:
    """Make the folder that every work begins with."""
    in_child(partial(_begun, folder))


def _ready(folder: Path, work: str, weak: str | None) -> None:
    """In the child, before it is watched: the index knows the files as they lie here."""
    store_in(folder).rows()
    WORKS[work].prepare(folder)
    quick(weak)


def run(case: Case, beginning: Path) -> Result:
    """Run one case."""
    work = WORKS[case.work]
    place = beginning.parent / f"case-{os.getpid()}"
    folder = place / "data"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(beginning, folder)
    done = watched(doing(work, folder, case.seed), folder, case.fault, partial(_ready, folder, case.work, case.weak))
    try:
        outcome = from_json(in_child(partial(_found, folder)))
    except ValueError:
        outcome = Outcome(wrong=["the reading process died"])
    wrong = judged(work, outcome, done.told)
    if os.WIFSIGNALED(done.ended) and os.WTERMSIG(done.ended) == signal.SIGALRM:
        wrong.append("it hung")
    acknowledged = max([sum(told.get("saved", {}).values()) for told in done.told], default=0)
    calls = [call for call in done.calls if call.name != "told"]
    return Result(
        case,
        len(calls),
        None if done.hit is None else str(done.hit),
        wrong,
        len(outcome.healed),
        acknowledged,
        done.told,
    )


def _found(folder: Path) -> str:
    return as_json(found(folder))


def cases(works: list[str], kinds: list[str], seed: int, beginning: Path, weak: str | None) -> list[Case]:
    """Every case there is, by a trace of each work without a fault."""
    every = []
    for name in works:
        folder = beginning.parent / "trace" / "data"
        shutil.rmtree(folder.parent, ignore_errors=True)
        shutil.copytree(beginning, folder)
        done = watched(doing(WORKS[name], folder, seed), folder, None, partial(_ready, folder, name, weak))
        every += [Case(name, fault, seed, weak) for fault in plan(done.calls, kinds)]
    return every


def torture(
    most: int,
    seed: int,
    jobs: int,
    weak: str | None = None,
    works: list[str] | None = None,
    kinds: list[str] | None = None,
) -> Row:
    """Run so many cases, all of them if there are fewer, drawn by lot if there are more."""
    began_s = time.monotonic()
    row = Row("kill" if weak is None else f"kill --weak {weak}")
    by_kind: Counter[str] = Counter()
    healed = unreached = acknowledged = 0
    with scratch() as place:
        beginning = place / "beginning"
        template(beginning)
        chosen = cases(works or list(WORKS), kinds or list(FAULTS), seed, beginning, weak)
        Random(seed).shuffle(chosen)
        chosen = chosen[:most]
        for result in each(partial(run, beginning=beginning), chosen, jobs, len(chosen)):
            if result.hit is None:
                unreached += 1
                continue
            row.cases += 1
            by_kind[result.case.fault.kind if result.case.fault else ""] += 1
            healed += result.healed
            acknowledged += result.acknowledged
            if result.wrong:
                row.violations.append(f"{result.hit}: {'; '.join(result.wrong)}\n    {result.case.command}")
                if weak is not None:
                    break
    row.notes = {"acknowledged": acknowledged, "healed by rebuild": healed, "not reached": unreached, **dict(by_kind)}
    row.time_s = time.monotonic() - began_s
    return row


def main() -> int:
    """The command."""
    parser = arguments(__doc__, 1500)
    parser.add_argument("--weak", choices=BY_KILL)
    parser.add_argument("--work", choices=WORKS, action="append")
    parser.add_argument("--fault", choices=FAULTS, action="append")
    parser.add_argument("--at", type=int, help="the number of the call, for one case")
    given = parser.parse_args()
    if given.at is not None:
        with scratch() as place:
            template(place / "beginning")
            result = run(
                Case(given.work[0], Fault(given.fault[0], given.at), given.seed, given.weak), place / "beginning"
            )
        print(result.hit, *result.told, *result.wrong, sep="\n")
        return 1 if result.wrong else 0
    row = torture(given.cases, given.seed, given.jobs, given.weak, given.work, given.fault)
    if not given.plain and given.weak is None:
        row.notes["planted mistakes caught"] = planted(
            lambda weak, work: torture(1000, given.seed, given.jobs, weak, [work], ONCE), BY_KILL
        )
    return row.show()


if __name__ == "__main__":
    sys.exit(main())
