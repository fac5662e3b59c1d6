"""Fuzz by coverage, with atheris (libFuzzer), and measure what it costs.

    pip install atheris
    python -m fuzz.run --inputs 10000000 --minutes 30 --jobs 2
    python -m fuzz.run --target session --minutes 5
    python -m fuzz.run --flood 3600                    (a rower that sends 1,000 random packets a second, for an hour)

Each target runs in a process of its own until it has had its share of the inputs or its minutes are over; a line every
ten seconds says where it stands.  An input that breaks a promise is written to the folder and counted, and fuzzing goes
on.  Then a clean process, without atheris, feeds the target fresh mutants of all that was found, and measures memory.
Exits with 1 when an input broke a promise or memory grew by more than a MiB.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # atheris instruments what is imported after it: nothing of rowsync's may be imported up here
    from rowsync.telemetry import Notification

MOST_GROWTH_KIB = 1024.0
"""How much memory may grow once a target is warm [KiB]."""

EVERY_S = 10.0
HANGS_AFTER_S = 30

MOST_RSS_KIB, FULL = 1 << 20, 77
"""When a worker gives way to a new one, and with which exit code.

atheris 3.0.0 leaks at comparisons of numpy's arrays: some 0.5 MiB for each row of `intervals`, none without it.
"""

REPLAYS = 9


class Share(NamedTuple):
    """A target's part of the work: of the inputs, the longest input [octets], and inputs of the memory's measurement.

    A packet is read in microseconds, a whole session takes a thousand times as long.
    """

    of_inputs: float
    longest: int
    measured: int


SHARES = {
    "decoding": Share(0.97, 64, 50_000),
    "session": Share(0.015, 1024, 500),
    "rowing": Share(0.003, 256, 200),
    "recording": Share(0.012, 2048, 500),
}


@dataclass
class Figures:
    """What is known of one target's run.

    `edges` counts branches of rowsync's that were taken, `earlier` the inputs, and those that broke something, of the
    workers before this one.
    """

    target: str
    inputs: int = 0
    spent_s: float = 0.0
    edges: int = 0
    broken: int = 0
    earlier: tuple[int, int] = (0, 0)
    rss_kib: list[tuple[int, float]] = field(default_factory=list)
    ended: str = ""
    growth: dict[str, float] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether nothing broke and memory stayed."""
        grew = max(self.growth.values(), default=float("inf"))
        return not self.broken and self.ended == "done" and grew <= MOST_GROWTH_KIB

    def rss_after(self, share: float) -> float:
        """RSS when this share of the inputs was through, the fuzzer's own corpus and tables included [KiB]."""
        last = self.rss_kib[-1][0] if self.rss_kib else 0
        return next((rss_kib for inputs, rss_kib in self.rss_kib if inputs >= share * last), 0.0)

    def __str__(self) -> str:
        rate = self.inputs / self.spent_s if self.spent_s else 0.0
        ran = f"{self.target:<10} {self.inputs:>11,} inputs {rate:>8,.0f}/s"
        return f"{ran} {self.edges:>6,} edges {self.broken:>3} broken"


def main() -> int:
    """Fuzz and print the figures."""
    options = _options()
    if options.worker:
        return _work(options.worker, options.inputs, options.minutes, options.folder)
    if options.measure:
        return _measure(options.measure, options.folder)
    if options.flood:
        return _flood(options.flood)
    if importlib.util.find_spec("atheris") is None:
        print("atheris isn't installed: pip install atheris (wheels for Linux, CPython up to 3.13).", file=sys.stderr)
        return 2
    targets = list(SHARES) if options.target == "all" else [options.target]
    whole = sum(SHARES[target].of_inputs for target in targets)
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = [
            pool.submit(_run, target, round(options.inputs * SHARES[target].of_inputs / whole), options)
            for target in targets
        ]
        return _told([run.result() for run in runs])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description="Fuzz rowsync's core by coverage.")
    parser.add_argument("--inputs", type=int, default=10_000_000, help="inputs over all targets")
    parser.add_argument("--minutes", type=float, default=60.0, help="the most that one target may take")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--target", choices=["all", *SHARES], default="all")
    folder = Path(tempfile.gettempdir()) / "rowsync-fuzz"
    parser.add_argument("--folder", type=Path, default=folder, help="where the corpus and what broke are kept")
    parser.add_argument("--flood", type=float, metavar="SECONDS", help="1,000 packets a second for so long, no fuzzing")
    parser.add_argument("--worker", choices=SHARES, help=argparse.SUPPRESS)
    parser.add_argument("--measure", choices=SHARES, help=argparse.SUPPRESS)
    return parser.parse_args()


def _told(all_figures: list[Figures]) -> int:
    print()
    for figures in all_figures:
        print(figures, figures.ended)
        early_kib, late_kib = figures.rss_after(0.1), figures.rss_after(1)
        print(f"{'':<10} RSS with atheris {early_kib:,.0f} KiB at 10 %, {late_kib:,.0f} at the end")
        print(f"{'':<10} without:", ", ".join(f"{name} {kib:+,.0f} KiB" for name, kib in figures.growth.items()))
    print(f"{'all':<10} {sum(figures.inputs for figures in all_figures):>11,} inputs")
    return 0 if all(figures.is_sound for figures in all_figures) else 1


# --- one target, seen from outside ------------------------------------------------------------------------------------


def _run(target: str, inputs: int, options: argparse.Namespace) -> Figures:
    figures, code, started_s = Figures(target), FULL, time.monotonic()
    while code == FULL and figures.inputs < inputs and figures.spent_s < 60 * options.minutes:
        left = inputs - figures.inputs, options.minutes - figures.spent_s / 60
        figures.earlier = figures.inputs, figures.broken
        code = _slice(figures, left, options.folder, started_s)
    figures.ended = "done" if code in (0, FULL) else f"ended with {code}"
    measured = subprocess.run(
        _myself("--measure", target, "--folder", str(options.folder)), capture_output=True, text=True, check=False
    )
    figures.growth = json.loads(measured.stdout) if measured.returncode == 0 else {measured.stderr[-300:]: float("inf")}
    return figures


def _slice(figures: Figures, left: tuple[int, float], folder: Path, started_s: float) -> int:
    """Run one worker until the inputs and minutes left are used up, or it is full; answer how it ended."""
    mine = ["--folder", str(folder), "--inputs", str(left[0]), "--minutes", str(left[1])]
    command, said_s = _myself("--worker", figures.target, *mine), figures.spent_s
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as worker:
        for line in worker.stderr or ():
            _note(figures, line)
            figures.spent_s = time.monotonic() - started_s
            if figures.spent_s - said_s > EVERY_S:
                print(figures, flush=True)
                said_s = figures.spent_s
    return worker.returncode


def _myself(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "fuzz.run", *arguments]


def _note(figures: Figures, line: str) -> None:
    """Take what the worker says, `@ inputs broken RSS`, and what libFuzzer does; pass on what is bad."""
    if line.startswith("@ "):
        inputs, broken, rss_kib = map(int, line.split()[1:])
        figures.inputs, figures.broken = figures.earlier[0] + inputs, figures.earlier[1] + broken
        figures.rss_kib.append((figures.inputs, rss_kib))
    elif found := re.match(r"Done (\d+) runs", line):
        figures.inputs = figures.earlier[0] + int(found[1])
    elif found := re.search(r"\bcov: (\d+)", line):
        figures.edges = max(figures.edges, int(found[1]))
    elif line.startswith(("!", "==", "ALARM", "Traceback", "ModuleNotFound")):
        print(f"{figures.target}: {line.rstrip()}", flush=True)


# --- one target, in a process of its own ------------------------------------------------------------------------------


def _work(target: str, inputs: int, minutes: float, folder: Path) -> int:
    """Fuzz one target; atheris ends the process."""
    import atheris

    with atheris.instrument_imports(include=["rowsync", "fuzz.targets"]):
        from fuzz import targets
    corpus, seeds, broken = (folder / target / name for name in ("corpus", "seeds", "broken"))
    for each in (corpus, seeds, broken):
        each.mkdir(parents=True, exist_ok=True)
    for seed in targets.seeds(target):
        (seeds / _key(seed)).write_bytes(seed)
    flags: dict[str, Any] = {
        "runs": inputs,
        "max_total_time": round(60 * minutes),
        "max_len": SHARES[target].longest,
        "timeout": HANGS_AFTER_S,
        "rss_limit_mb": 0,
        "reload": 0,
        "artifact_prefix": f"{broken}{os.sep}",
    }
    if target == "recording":
        flags["dict"] = folder / target / "words"
        flags["dict"].write_text("".join(f'"{_quoted(word)}"\n' for word in targets.WORDS))
    arguments = [f"-{name}={value}" for name, value in flags.items()]
    atheris.Setup(["fuzz", *arguments, str(corpus), str(seeds)], Watched(targets.TARGETS[target], broken))
    atheris.Fuzz()
    return 0


class Watched:
    """A target that goes on after what broke it, keeps an input of each kind, and says every second where it stands."""

    def __init__(self, target: Callable[[bytes], None], broken: Path) -> None:
        self._target, self._folder = target, broken
        self._kinds: set[str] = set()
        self._inputs, self._broken, self._said_s = 0, 0, 0.0

    def __call__(self, data: bytes) -> None:
        """Feed one input."""
        self._inputs += 1
        try:
            self._target(data)
        except Exception as error:
            self._keep(error, data)
        if (now_s := time.monotonic()) - self._said_s > 1.0:
            self._said_s = now_s
            rss_kib = _rss_kib()
            print(f"@ {self._inputs} {self._broken} {rss_kib:.0f}", file=sys.stderr, flush=True)
            if rss_kib > MOST_RSS_KIB:
                os._exit(FULL)

    def _keep(self, error: Exception, data: bytes) -> None:
        self._broken += 1
        where = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__} in {where.name}, line {where.lineno}: {str(error)[:60]}"
        same = re.sub(r"[\d.e-]+", "0", kind)
        if same not in self._kinds:
            self._kinds.add(same)
            (self._folder / _key(data)).write_bytes(data)
            print(f"! {kind} ({_key(data)}, {len(data)} octets)", file=sys.stderr, flush=True)


def _key(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _quoted(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')


def _rss_kib() -> float:
    """Memory that this process holds [KiB]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


# --- memory -----------------------------------------------------------------------------------------------------------


def _measure(target: str, folder: Path) -> int:
    """How memory grows over mutants of seeds and corpus, as JSON [KiB].

    RSS over the same ones again and again, since it only ever shows the largest session so far; then, over new ones,
    exactly what Python holds.
    """
    from fuzz import targets

    parents = targets.seeds(target) + [path.read_bytes() for path in sorted((folder / target / "corpus").glob("*"))]
    dice, share = Random(2026), SHARES[target]

    def mutants(count: int) -> list[bytes]:
        return [targets.mutant(parents, dice)[: share.longest] for _ in range(count)]

    def feed(inputs: list[bytes]) -> None:
        for each in inputs:
            targets.TARGETS[target](each)
        gc.collect()

    same = mutants(share.measured)
    feed(same)
    rss_kib = _rss_kib()
    for _ in range(REPLAYS):
        feed(same)
    grown = {f"RSS over {REPLAYS} x the same {share.measured:,}": _rss_kib() - rss_kib}
    tracemalloc.start()
    feed(mutants(share.measured // 10))
    held = tracemalloc.get_traced_memory()[0]
    feed(mutants(share.measured // 2))
    grown[f"Python's own over {share.measured // 2:,} new"] = (tracemalloc.get_traced_memory()[0] - held) / 1024
    print(json.dumps(grown))
    return 0


FLOOD_HZ = 1000


def _flood(seconds: float) -> int:
    """A session of random packets as fast as a radio can carry them: what a tracker holds for each."""
    from fuzz.targets import STARTED
    from rowsync.session import Header, Tracker

    tracker, before_kib, started_s = Tracker(Header("flood", STARTED)), _rss_kib(), time.monotonic()
    said_s = started_s
    for number, notification in enumerate(_random_packets(seconds), start=1):
        tracker.feed(notification)
        if time.monotonic() - said_s > EVERY_S or number == seconds * FLOOD_HZ:
            said_s, grown_kib = time.monotonic(), _rss_kib() - before_kib
            rate = number / (said_s - started_s)
            came = (
                f"{number / FLOOD_HZ:>8,.0f} s {number:>11,} packets {rate:>8,.0f}/s {len(tracker.strokes):>6,} strokes"
            )
            print(f"{came} {grown_kib:>11,.0f} KiB, {1024 * grown_kib / number:,.0f} octets a packet", flush=True)
    started_s = time.monotonic()
    session = tracker.finish()
    print(f"finished in {time.monotonic() - started_s:.1f} s: {session.stroke_count:,} strokes, {_rss_kib():,.0f} KiB")
    return 0


def _random_packets(seconds: float) -> Iterator[Notification]:
    from fuzz.targets import SPOKEN
    from rowsync.telemetry import Notification

    dice = Random(2026)
    for number in range(int(seconds * FLOOD_HZ)):
        yield Notification(number / FLOOD_HZ, dice.choice(SPOKEN), dice.randbytes(dice.randrange(32)))


if __name__ == "__main__":
    sys.exit(main())
