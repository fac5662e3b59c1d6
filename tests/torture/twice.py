"""Two of everything at once: recorders, rebuilds, pages, exports, imports, corrections, as processes of their own.

    python -m tests.torture.twice [--cases N] [--seed N] [--weak NAME]

A second recorder on a folder or on a rower is refused in a line and changes nothing.  Whatever else runs at once ends
well, each page is whole, a row beside it is saved as quickly as ever and stored right after; and when all is over,
`rowsync check --deep` finds nothing, and nothing that was said or stored is lost.  When each begins is drawn by lot.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import patch

from rowsync import ble, claim, files, shelf, store, table, ticks
from rowsync.athlete import Athlete
from rowsync.claim import claimed_folder
from rowsync.errors import RowsyncError
from rowsync.journal import Journal
from rowsync.plan import parse_plan
from rowsync.recording import Recording, read_recording
from rowsync.rowing import Wishes, journal_path, row
from rowsync.soundness import damages, problem_of, stored_files
from rowsync.store import Store
from rowsync.virtual import virtual_radio
from tests.conftest import RECORDED, ROOT
from tests.torture.tally import Mistake, Tally, mistaken, options, scratch, shown

PATIENCE_S = 240.0
"""How long a process may take on a machine that has other things to do [s]."""

NAMES = tuple(f"s{number}" for number in range(8))
LONG = 240
BEGAN = datetime(2026, 11, 1, 7, tzinfo=UTC)


# --- what lies there --------------------------------------------------------------------------------------------------


def session(session_id: str, days: int, notifications: int = LONG) -> Recording:
    """The beginning of the seed workout, so many days later."""
    whole = read_recording(RECORDED / "intervals-10x45-75.jsonl")
    header = replace(whole.header, session_id=session_id, started_at=BEGAN + timedelta(days=days))
    return Recording(header, whole.items[:notifications])


def begin(folder: Path, notifications: int = LONG) -> None:
    """A data folder that an older rowsync filled, and beside it a file to import."""
    with patch.object(table, "SCHEMA", table.SCHEMA - 1):
        kept = Store(folder / "data")
        for day, name in enumerate(NAMES):
            kept.add(session(name, day, notifications))
    Store(folder / "elsewhere").add(session("other", 40))
    _done(*_command(None, folder / "elsewhere", "export", "session", "other", "-o", str(folder / "other.tcx")))


def _command(weak: str | None, data: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    """A rowsync of its own, with a mistake or none; and its environment."""
    mistake = ["--weak", weak] if weak else []
    command = [sys.executable, "-m", "tests.torture.twice", *mistake, "--act", *words]
    return command, os.environ | {"PYTHONPATH": str(ROOT), "ROWSYNC_DATA": str(data)}


class Ended(NamedTuple):
    """What became of a process."""

    code: int
    out: str
    err: str

    def wrong(self, what: str, code: int = 0) -> list[str]:
        """What is wrong with how it ended."""
        if self.code == code and "Traceback" not in self.err and "mistake in rowsync" not in self.err:
            return []
        return [f"{what} ends with {self.code}: {self.err.strip()[-300:]}"]


def _started(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )


def _ended(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=PATIENCE_S)
    return Ended(process.returncode, out, err)


def _done(command: list[str], environment: dict[str, str]) -> Ended:
    return _ended(_started(command, environment))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- two recorders ----------------------------------------------------------------------------------------------------


def two_on_a_folder(folder: Path, weak: str | None = None) -> list[str]:
    """A second recorder on a data folder."""
    data = folder / "data"
    rowing = _started(*_command(weak, data, "row", "--virtual", "--plan", "10m"))
    try:
        if (path := _journal(data, rowing)) is None:
            return [f"nobody rows: {_killed(rowing).err[-300:]}"]
        before = contents(data)
        second = _done(*_command(weak, data, "row", "--virtual", "--fast", "--plan", "20"))
        after = contents(data)
        wrong = second.wrong("the second recorder", code=2)
        if len(second.err.strip().splitlines()) != 1 or "Another rowsync" not in second.err:
            wrong.append(f"the second recorder says: {second.err.strip()[-300:]}")
        name = str(path.relative_to(data))
        grown = after.pop(name, b"").startswith(before.pop(name))
        if not grown or after != before:
            wrong.append(f"the second recorder changed something: {sorted(after.keys() ^ before.keys())}")
    finally:
        rowing.send_signal(signal.SIGINT)
        first = _ended(rowing)
    return [*wrong, *first.wrong("the first recorder", code=first.code if first.code in (0, 3) else 0)]


def _journal(data: Path, rowing: subprocess.Popen[str]) -> Path | None:
    """The journal of a row, as soon as something was recorded."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s and rowing.poll() is None:
        for path in data.glob("journal/*.jsonl"):
            if path.read_bytes().count(b"\n") > 8:
                return path
        time.sleep(0.05)
    return None


def _killed(process: subprocess.Popen[str]) -> Ended:
    process.kill()
    return _ended(process)


def two_on_a_rower(folder: Path, weak: str | None = None) -> list[str]:
    """A second recorder on a rower, which records into a folder of its own."""
    first, second = folder / "first", folder / "second"
    rowing = _started(*_command(weak, first, "claiming", str(folder / "claims"), "10m"))
    try:
        if _journal(first, rowing) is None:
            return [f"nobody rows: {_killed(rowing).err[-300:]}"]
        refused = _done(*_command(weak, second, "claiming", str(folder / "claims"), "3"))
    finally:
        rowing.send_signal(signal.SIGTERM)
        _ended(rowing)
    wrong = refused.wrong("the second recorder", code=2)
    if len(refused.err.strip().splitlines()) != 1 or "Another rowsync" not in refused.err:
        wrong.append(f"the second recorder says: {refused.err.strip()[-300:]}")
    return [*wrong, *(f"{path} was recorded" for path in second.rglob("*.jsonl"))]


# --- a storm ----------------------------------------------------------------------------------------------------------


class Act(NamedTuple):
    """What is done while everything else is.

    Attributes:
        words: the command.
        times: how many of it at once.
    """

    words: tuple[str, ...]
    times: int = 1


ACTS = {
    "rebuild": Act(("rebuild", "--jobs", "2"), 2),
    "record": Act(("recording", "4")),
    "dashboard": Act(("serving",)),
    "report": Act(("report", "--all", "-o", "{folder}/site")),
    "export session": Act(("export", "session", "s2", "-o", "{folder}/s2.csv")),
    "export calories": Act(("export", "calories", "-o", "{folder}/calories.csv")),
    "import": Act(("import", "{folder}/other.tcx")),
    "correct": Act(("correct", "s3", "--as", "hard", "30", "80")),
    "felt": Act(("felt", "s4", "--exertion", "6")),
    "tick": Act(("programme", "--tick", "A", "--on", "2026-11-0{number}"), 4),
}

LATEST_S = 1.5
"""Until then every act has begun [s]."""


class Stormed(NamedTuple):
    """What a storm came to.

    Attributes:
        wrong: what broke the promise.
        pages: how many pages were asked for.
        saved_s: how long each notification of the row took to be saved [s].
    """

    wrong: list[str]
    pages: int = 0
    saved_s: tuple[float, ...] = ()


def storm(folder: Path, seed: int, weak: str | None = None, names: Sequence[str] = tuple(ACTS)) -> Stormed:
    """Do everything at once, each from a moment by lot on; then look at what is there."""
    dice, data = Random(seed), folder / "data"
    wrong: list[str] = []
    begun = []
    for name in names:
        for number in range(1, ACTS[name].times + 1):
            words = [word.format(folder=folder, number=number) for word in ACTS[name].words]
            begun.append((dice.uniform(0, LATEST_S), name, _started(*_command(weak, data, "waiting", *words))))
    for _, name, process in begun:
        if (said := process.stdout.readline() if process.stdout else "") != "ready\n":
            wrong.append(f"{name} doesn't begin: {said}")
    began_s = time.monotonic()
    for at_s, _, process in sorted(begun, key=lambda each: each[0]):
        time.sleep(max(0.0, began_s + at_s - time.monotonic()))
        if process.stdin:
            process.stdin.write("go\n")
            process.stdin.flush()
    return _judged(folder, begun, names, wrong)


def _judged(
    folder: Path, begun: list[tuple[float, str, subprocess.Popen[str]]], names: Sequence[str], wrong: list[str]
) -> Stormed:
    said: dict[str, Ended] = {}
    for _, name, process in sorted(begun, key=lambda each: each[1] == "dashboard"):  # which is asked until all is over
        said[name] = _ended(process)
        wrong += said[name].wrong(name)
    pages = json.loads(said["dashboard"].out) if "dashboard" in said and said["dashboard"].out else {}
    wrong += pages.get("wrong", [])
    row = json.loads(said["record"].out) if "record" in said and said["record"].out else {}
    if "record" in names and row.get("stored") != row.get("appended"):
        wrong.append(f"of {row.get('appended')} notifications of the row {row.get('stored')} are stored right after")
    wrong += _lost(folder / "data", names)
    wrong += _outputs(folder, names)
    return Stormed(wrong, pages.get("pages", 0), tuple(row.get("saved_s", ())))


def _lost(data: Path, names: Sequence[str]) -> list[str]:
    """What isn't there that was said or stored, or isn't as it should be."""
    kept = Store(data)
    there = stored_files(kept)
    wrong = [each.problem for each in damages(there, [problem_of(file, data) for file in there])]
    rebuilt = kept.derived(kept.stored()) if "rebuild" in names else ()
    wrong += [f"{each.session_id} isn't what its bytes give" for each in rebuilt if each.is_new]
    listed = {row["session_id"] for row in kept.rows()}
    wanted = {*NAMES, *(["now"] if "record" in names else [])}
    imported = {name for name in listed if "-import-" in name}
    if not listed >= wanted or len(imported) != ("import" in names):
        wrong.append(f"the list has {sorted(listed)}")
    if "correct" in names and (kept.correction("s3") is None or kept.summary("s3")["intervals_from"] != "corrected"):
        wrong.append("the correction is lost")
    if "felt" in names and (kept.summary("s4").get("felt") or {}).get("exertion") != 6.0:
        wrong.append("what was said of how it felt is lost")
    days = {tick.day for tick in ticks.ticked(data, "me").ticks} if "tick" in names else set()
    if "tick" in names and days != {date(2026, 11, number) for number in range(1, 5)}:
        wrong.append(f"of four ticks there are {len(days)}")
    wrong += [f"{path.name} is left behind" for path in data.rglob("*.tmp")]
    return wrong


def _outputs(folder: Path, names: Sequence[str]) -> list[str]:
    """Whether what was exported and written meanwhile is whole."""
    wrong = []
    if "report" in names:
        site = {path.name: path.read_text() for path in (folder / "site").glob("*.html")}
        wrong += [f"{name} isn't whole" for name, text in site.items() if not text.rstrip().endswith("</html>")]
        wrong += [f"{name}.html is missing" for name in (*NAMES, "index") if f"{name}.html" not in site]
    if "export session" in names and (folder / "s2.csv").read_text().count("\n") != LONG + 1:
        wrong.append("the exported session isn't whole")
    if "export calories" in names and not (folder / "calories.csv").read_text().startswith("week"):
        wrong.append("the exported calories aren't whole")
    return wrong


# --- what runs in a process of its own --------------------------------------------------------------------------------


def _recording(seconds: str) -> None:
    """Record as a row does, ten times a second, measure how soon each notification is saved, and store the session."""
    data, items = Path(os.environ["ROWSYNC_DATA"]), session("now", 50, 1000)
    count = int(float(seconds) * 10)
    appended_s: list[float] = []
    saved_s: list[float] = []
    with claimed_folder(data):
        journal = Journal(journal_path(data, "now"), items.header)
        watching = threading.Thread(target=_watch, args=(journal, count, appended_s, saved_s))
        watching.start()
        for item in items.items[:count]:
            appended_s.append(time.monotonic())
            journal.append(item)
            time.sleep(0.1)
        journal.close()
        watching.join()
        recovery = Store(data).finish(journal.path, wait=True)
    stored = (
        Store(data).summary("now")["notifications"] if recovery is None else (recovery.summary or {})["notifications"]
    )
    took_s = [then - at for then, at in zip(saved_s, appended_s, strict=True)]
    print(json.dumps({"appended": count, "stored": stored, "saved_s": took_s}))


def _watch(journal: Journal, count: int, appended_s: list[float], saved_s: list[float]) -> None:
    """Note when each notification was saved."""
    while len(saved_s) < count:
        durable = journal.durable
        saved_s += [time.monotonic()] * (durable - len(saved_s))
        time.sleep(0.001)


def _serving() -> None:
    """Serve the pages with the real command, ask for them until nobody rebuilds any more, and say what came."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = Path(os.environ["ROWSYNC_DATA"])
    serving = _started(*_command(None, data, "dashboard", "--port", str(port)))
    wrong: list[str] = []
    pages = 0
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s and _asked(port, "/") is None and serving.poll() is None:
        time.sleep(0.1)
    paths = ["/", "/programme", *(f"/session/{name}" for name in NAMES), "/compare/s7"]
    until_s = time.monotonic() + 6.0
    while time.monotonic() < until_s:
        for path in paths:
            status, text = _asked(port, path) or (0, "")
            pages += 1
            if status != 200 or not text.rstrip().endswith("</html>"):
                wrong.append(f"{path} answers {status}, {len(text)} letters: {text[-200:]}")
    serving.send_signal(signal.SIGINT)
    wrong += _ended(serving).wrong("the dashboard")
    print(json.dumps({"pages": pages, "wrong": wrong}))


def _asked(port: int, path: str) -> tuple[int, str] | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return None
    finally:
        connection.close()


def _claiming(claims: str, rowed_to: str) -> None:
    """Row on the virtual machine, and claim it as a real one is claimed."""

    async def rowed() -> None:
        plan = parse_plan(rowed_to)
        async with virtual_radio(plan) as virtual:
            air = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            data = Path(os.environ["ROWSYNC_DATA"])
            wishes = Wishes(data, Athlete(), plan, origin="synthetic", claims=Path(claims))
            await row(wishes, air, _Nobody(), lambda connection: None)

    try:
        asyncio.run(rowed())
    except RowsyncError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


class _Nobody:
    """A screen that nobody looks at."""

    def say(self, text: str) -> None:
        """Nothing is heard."""

    def ask(self, question: str) -> bool:
        """Yes."""
        return True

    def show(self, moment: Any) -> None:
        """Nothing is seen."""

    def remember(self, past: Any) -> None:
        """Nothing is remembered."""

    def end(self, summary: Any) -> None:
        """Nobody cares."""


def _waiting(*words: str) -> None:
    """Begin with the others: load what is needed, say so, and wait for the word."""
    import dashboards.app  # noqa: F401 - so that it is loaded

    print("ready", flush=True)
    sys.stdin.readline()
    act(*words)


def _rowsync(*words: str) -> None:
    """A command of rowsync's."""
    from rowsync.cli import main as rowsync

    with patch.object(sys, "argv", ["rowsync", *words]):
        rowsync()


OWN: dict[str, Callable[..., None]] = {
    "waiting": _waiting,
    "recording": _recording,
    "serving": _serving,
    "claiming": _claiming,
}


def act(word: str, *more: str) -> None:
    """Do what a process was started for: one of `OWN`, or a command of rowsync's."""
    OWN[word](*more) if word in OWN else _rowsync(word, *more)


# --- mistakes ---------------------------------------------------------------------------------------------------------


@contextmanager
def _unlocked(folder: Path) -> Iterator[None]:
    """A lock that doesn't lock."""
    files.make_folder(folder)
    (folder / "lock").touch()
    yield


_replacing = files.replacing


@contextmanager
def _slowly(path: Path) -> Iterator[Any]:
    """Writing as it is, only slower, so that two of them meet."""
    time.sleep(0.5)
    with _replacing(path) as file:
        yield file


WEAK: dict[str, Mistake] = {
    "no-claim": ((claim, "fcntl", SimpleNamespace(flock=lambda *_: None, LOCK_EX=0, LOCK_NB=0)),),
    "no-lock": tuple(
        (module, name, mistake)
        for module in (shelf, store, ticks, files)
        for name, mistake in (("locked", _unlocked), ("replacing", _slowly))
    ),
}
"""Our mistakes, by name: what is put in the place of which function of ours."""


# --- running ----------------------------------------------------------------------------------------------------------


def stormed(begun: Path, seed: int, weak: str | None = None, names: Sequence[str] = tuple(ACTS)) -> Stormed:
    """A storm over a copy of a data folder."""
    with scratch("twice", ignore_cleanup_errors=True) as folder:
        shutil.copytree(begun, folder, dirs_exist_ok=True)
        found = storm(folder, seed, weak, names)
    mistake = f" --weak {weak}" if weak else ""
    again = f"python -m tests.torture.twice --storm --seed {seed}{mistake}"
    return found._replace(wrong=[f"{each}: {again}" for each in found.wrong])


def recorders(weak: str | None = None) -> list[str]:
    """Two recorders on a folder, and two on a rower."""
    wrong = []
    for two in (two_on_a_folder, two_on_a_rower):
        with scratch("twice", ignore_cleanup_errors=True) as folder:
            wrong += [f"{each}: python -m tests.torture.twice --recorders" for each in two(folder, weak)]
    return wrong


def planted(begun: Path, seed: int) -> dict[str, bool]:
    """Whether each mistake is found."""
    return {
        "no-claim": bool(recorders("no-claim")),
        "no-lock": bool(stormed(begun, seed, "no-lock", ("tick",)).wrong),
    }


def run(cases: int, seed: int) -> Tally:
    """Recorders, and storms."""
    tally = Tally("two of everything")
    tally.violations += recorders()
    tally.cases += 2
    saved_s: list[float] = []
    pages = 0
    with scratch("twice", ignore_cleanup_errors=True) as folder:
        begin(folder)
        for number in shown(range(cases), cases, "storms"):
            found = stormed(folder, seed + number)
            tally.cases, tally.violations = tally.cases + 1, tally.violations + found.wrong
            saved_s, pages = saved_s + list(found.saved_s), pages + found.pages
        tally.planted = planted(folder, seed)
    saved_s.sort()
    if saved_s:
        middle_s, p99_s = saved_s[len(saved_s) // 2], saved_s[int(0.99 * len(saved_s))]
        print(
            f"{pages} pages; notifications saved after {1000 * middle_s:.0f} ms (median), {1000 * p99_s:.0f} ms (p99)"
        )
    return tally


def main() -> int:
    """Run the suite, or one of its processes."""
    if "--act" in sys.argv:
        at = sys.argv.index("--act")
        weak = sys.argv[sys.argv.index("--weak") + 1] if "--weak" in sys.argv[:at] else None
        with mistaken(WEAK, weak), contextlib.suppress(BrokenPipeError):
            act(*sys.argv[at + 1 :])
        return 0
    parser = options(__doc__, 5, WEAK)
    parser.add_argument("--storm", action="store_true", help="one storm, of the seed")
    parser.add_argument("--recorders", action="store_true", help="two recorders alone")
    asked = parser.parse_args()
    if asked.recorders:
        print("\n".join(wrong := recorders(asked.weak)) or "kept")
        return 1 if wrong else 0
    if asked.storm:
        with scratch("twice", ignore_cleanup_errors=True) as folder:
            begin(folder)
            found = stormed(folder, asked.seed, asked.weak)
        print("\n".join(found.wrong) or "kept")
        return 1 if found.wrong else 0
    return run(asked.cases, asked.seed).end()


if __name__ == "__main__":
    sys.exit(main())
