"""The power is cut after every call, and the disk has what it may have: every acknowledged notification is there.

    python -m tests.torture.power [--cases N] [--seed N]

The real calls of each work are traced, and played to a simulated disk (`disk.py` says what it may lose).  After each
call states of it are laid out in a folder in memory, and the real code recovers and reads everything.  A state that was
there before is judged again, by what was told until then, but not recovered again; nor is one in which nothing differs
but what is read of a journal to the same notifications, or the inside of a file `*.tmp`, which nobody reads: of those
one in `CHECKED` is recovered nevertheless, and must come to the same.

Times of change are those of the laying out, so the list of sessions is always found behind the files and read anew;
the suite of kills is the one that has it up to date.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from functools import partial
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import NamedTuple

from rowsync.errors import RecordingError
from rowsync.recording import parse_recording
from tests.torture.calls import watched
from tests.torture.disk import Disk, State
from tests.torture.kill import template
from tests.torture.outcome import Outcome, found, judged
from tests.torture.suite import Row, arguments, each, planted, scratch
from tests.torture.weak import BY_POWER
from tests.torture.works import WORKS, doing, quick

LIST = "sessions.parquet"
BEGAN_S = 1_790_000_000
CHECKED = 40
PER_CUT, PER_CUT_OF_A_JOURNAL = 40, 240
"""So many states are drawn after each call, in one round; a journal that is written has the more interesting ones."""


class Case(NamedTuple):
    """One work in one round: its batches and its states are drawn by the seed."""

    work: str
    seed: int
    weak: str | None = None
    cut: int | None = None
    state: int | None = None


class Result(NamedTuple):
    """What a case came to.

    Attributes:
        case: which.
        cuts: after how many calls the power was cut.
        states: how many states of the disk were judged.
        distinct: marks of those that differ in more than the inside of the list of sessions, which has times in it.
        recovered: how many were recovered.
        healed: how many needed a session rebuilt.
        wrong: what of the promise is broken.
    """

    case: Case
    cuts: int
    states: int
    distinct: set[bytes]
    recovered: int
    healed: int
    wrong: list[str]


def prepared(beginning: Path, place: Path, work: str) -> Path:
    """A folder in which a work can begin."""
    folder = place / "data"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(beginning, folder)
    WORKS[work].prepare(folder)
    return folder


def lay_out(state: State, folder: Path) -> None:
    """Make a folder what a disk has; what was changed later has the later time."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted(path for path, content in state.items() if content is None):
        (folder / path).mkdir()
    for at, (path, content) in enumerate(state.items()):
        if content is not None:
            (folder / path).write_bytes(content)
            os.utime(folder / path, (BEGAN_S + at, BEGAN_S + at))


def mark(state: State, of: str = "content") -> bytes:
    """What two equal states share; of what is read, what two share that come to the same."""
    sum_ = blake2b(digest_size=16)
    for path, content in sorted(state.items()):
        read = b"/" if content is None else content if of == "content" else _read(path, content)
        sum_.update(b"%s\0%d\0%s" % (path.encode(), len(read), read))
    return sum_.digest()


def _read(path: str, content: bytes) -> bytes:
    if path.endswith(".tmp"):
        return b""
    if path.startswith("journal/") and content:
        try:
            recording = parse_recording(content, name=os.path.basename(path))
        except RecordingError:
            return b"nothing"
        return repr((recording.header, recording.items, bool(recording.refused_lines))).encode()
    return content


def run(case: Case, beginning: Path) -> Result:
    """Cut the power after each call of one work."""
    work = WORKS[case.work]
    place = beginning.parent / f"power-{os.getpid()}"
    folder = prepared(beginning, place, case.work)
    disk = Disk(folder)
    done = watched(doing(work, folder, case.seed), folder, None, partial(quick, case.weak))
    told: list[dict[str, object]] = []
    telling = iter(done.told)
    by_content: dict[bytes, Outcome] = {}
    by_reading: dict[bytes, Outcome] = {}
    states = recovered = healed = cut = 0
    distinct: set[bytes] = set()
    wrong: list[str] = []
    for call in (None, *done.calls):
        if call is not None and call.name == "told":
            told.append(next(telling))
        elif call is not None:
            disk.apply(call)
        cut += 1
        if case.cut not in (None, cut):
            continue
        random = Random(f"{case.seed} {case.work} {cut}")
        most = PER_CUT_OF_A_JOURNAL if case.work in ("record", "go on") else PER_CUT
        for at, state in enumerate(disk.states(most, random)):
            states += 1
            content = mark(state)
            outcome = by_content.get(content)
            if outcome is None:
                reading = mark(state, "reading")
                distinct.add(mark(state | {LIST: b"%d" % len(state.get(LIST) or b"")}))
                known = by_reading.get(reading)
                if known is None or len(by_content) % CHECKED == 0:
                    lay_out(state, place / "disk")
                    outcome = found(place / "disk")
                    recovered += 1
                    if known is not None and outcome != known:
                        wrong.append(f"two states that are read the same are {known} and {outcome}")
                else:
                    outcome = known
                by_reading[reading] = by_content[content] = outcome
                healed += bool(outcome.healed)
            if broken := judged(work, outcome, told):
                weak = f" --weak {case.weak}" if case.weak else ""
                again = f"--work '{case.work}' --seed {case.seed} --cut {cut} --state {at}{weak}"
                wrong.append(f"after {call}: {'; '.join(broken)}\n    python -m tests.torture.power {again}")
                if case.state == at:
                    _show(state)
                if case.weak is not None and case.cut is None:
                    return Result(case, cut, states, distinct, recovered, healed, wrong)
    return Result(case, cut, states, distinct, recovered, healed, wrong)


def _show(state: State) -> None:
    for path, content in state.items():
        print(f"{path}{'/' if content is None else f' {len(content)} octets'}")


def torture(most: int, seed: int, jobs: int, weak: str | None = None, works: list[str] | None = None) -> Row:
    """Cut the power in every work, round by round, until so many states were judged."""
    began_s = time.monotonic()
    row = Row("power" if weak is None else f"power --weak {weak}")
    recovered = healed = cuts = 0
    distinct: set[bytes] = set()
    names = works or list(WORKS)
    with scratch() as place:
        beginning = place / "beginning"
        template(beginning)
        round_ = 0
        while row.cases < most:
            rounds = 1 if round_ == 0 else -(-(most - row.cases) * round_ // max(1, row.cases))
            chosen = [Case(name, seed + round_ + at, weak) for at in range(rounds) for name in names]
            round_ += rounds
            for result in each(partial(run, beginning=beginning), chosen, jobs, len(chosen)):
                row.cases += result.states
                cuts += result.cuts
                distinct |= result.distinct
                recovered += result.recovered
                healed += result.healed
                row.violations += result.wrong
                if weak is not None and row.violations:
                    break
            if weak is not None and row.violations:
                break
    row.notes = {"cuts": cuts, "distinct": len(distinct), "recovered": recovered, "healed by rebuild": healed}
    row.time_s = time.monotonic() - began_s
    return row


def main() -> int:
    """The command."""
    parser = arguments(__doc__, 100_000)
    parser.add_argument("--weak", choices=BY_POWER)
    parser.add_argument("--work", choices=WORKS, action="append")
    parser.add_argument("--cut", type=int, help="the number of the cut, for one case")
    parser.add_argument("--state", type=int, help="the number of the state, for one case")
    given = parser.parse_args()
    if given.cut is None:
        row = torture(given.cases, given.seed, given.jobs, given.weak, given.work)
        if not given.plain and given.weak is None:
            row.notes["planted mistakes caught"] = planted(
                lambda weak, work: torture(1, given.seed, given.jobs, weak, [work]), BY_POWER
            )
        return row.show()
    with scratch() as place:
        template(place / "beginning")
        case = Case(given.work[0], given.seed, given.weak, given.cut, given.state)
        result = run(case, place / "beginning")
    print(*[each for each in result.wrong if given.state is None or f"--state {given.state}" in each], sep="\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
