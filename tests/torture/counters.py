"""A machine's counters over a row in which everything happens that machines do to them, with what was truly rowed.

    python -m tests.torture.counters                     1,000,000 rows on all cores
    python -m tests.torture.counters --cases 10000
    python -m tests.torture.counters --only 4711         one row, with what was sent

A row is a sequence of Rower Data packets (0x2AD1, FTMS 1.0, 4.8.1).  Counters begin anywhere, often just below where
their type ends, and wrap; the machine begins again at 0; packets come twice, are lost, or come as two halves in either
order; for minutes nothing comes.  Whatever happens, the totals must be those that were rowed, to the stroke and the
metre.  What nobody can know is left out: strokes in a packet that was lost just before the machine began again, and
whether a counter that was about to wrap did so or began again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import struct
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from rowsync.readers import read
from rowsync.telemetry import Counter, Notification, Telemetry

STEPS = 25
NO_STROKES, DISTANCE, ENERGY, ELAPSED = 1 << 0, 1 << 2, 1 << 8, 1 << 11
"""Flags of Rower Data; the first says that strokes do NOT come with it."""

MODULI = {"strokes": 1 << 16, "metres": 1 << 24, "kcal": 1 << 16, "seconds": 1 << 16}
NOT_AVAILABLE = 0xFFFF
"""What energy's last count means instead of itself, so no machine's energy wraps."""


class Totals(NamedTuple):
    """What was rowed since the first packet."""

    strokes: int
    metres: int
    kcal: int


class Packet(NamedTuple):
    """A packet and when it came [s]."""

    time_s: float
    payload: bytes


def payloads(strokes: int, metres: int, kcal: int, seconds: int) -> list[bytes]:
    """A record as one packet."""
    rest, counted = halves(strokes, metres, kcal, seconds)
    return [struct.pack("<H", DISTANCE | ENERGY | ELAPSED) + counted[2:] + rest[2:]]


def halves(strokes: int, metres: int, kcal: int, seconds: int) -> list[bytes]:
    """A record as two packets, of which the second has the strokes."""
    rest = metres.to_bytes(3, "little") + struct.pack("<HHBH", kcal, NOT_AVAILABLE, 0xFF, seconds)
    flags = struct.pack("<H", DISTANCE | ENERGY | ELAPSED | NO_STROKES)
    return [flags + rest, struct.pack("<HBH", 0, 50, strokes)]


class Machine:
    """A rowing machine's counters."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._counts = {name: self._start(modulus) for name, modulus in MODULI.items()}
        self._counts["kcal"] %= NOT_AVAILABLE - 1000
        if 0 < self._counts["kcal"] < 20:  # a machine that is found so early counts from 0
            self._counts["kcal"] += 1000
        self._clock_s = float(self._counts["seconds"])
        self.rowed = Totals(0, 0, 0)

    def _start(self, modulus: int) -> int:
        """Where a counter begins: just below its end, anywhere, or at 0; far enough from it to tell 1 from 0."""
        dice = self._dice
        return dice.choice((0, modulus - dice.randint(1, 60), dice.randrange(1000, modulus)))

    def advance(self, by_s: float) -> None:
        """Row on."""
        strokes, metres = int(self._dice.random() < 0.4 * by_s), self._dice.randint(0, int(6 * by_s))
        kcal = int(self._dice.random() < 0.2 * by_s)
        self._clock_s += by_s
        self._counts["strokes"] += strokes
        self._counts["metres"] += metres
        self._counts["kcal"] += kcal
        self.rowed = Totals(self.rowed.strokes + strokes, self.rowed.metres + metres, self.rowed.kcal + kcal)

    def begin_again(self) -> None:
        """All counters are 0 again, as after a button."""
        self._counts = dict.fromkeys(self._counts, 0)
        self._clock_s = 0.0

    @property
    def can_begin_again(self) -> bool:
        """Whether its counters are far enough from both ends for anybody to tell a fall from a wrap."""
        ends = [(count % MODULI[name], MODULI[name]) for name, count in self._counts.items() if name != "seconds"]
        clock_s = self._clock_s % MODULI["seconds"]
        return 10 < clock_s < MODULI["seconds"] - 400 and all(100 < at < end - 100 for at, end in ends)

    def packets(self, parts: int) -> list[bytes]:
        """What it sends now: one packet, or two halves."""
        counts = self._counts | {"seconds": int(self._clock_s)}
        wrapped = {name: count % MODULI[name] for name, count in counts.items()}
        return payloads(**wrapped) if parts == 1 else halves(**wrapped)


def row(seed: int) -> tuple[list[Packet], Totals]:
    """The packets of a row, and what was truly rowed in it."""
    dice = random.Random(seed)
    machine, time_s, sent, was_lost = Machine(dice), 0.0, [], False
    parts = dice.choice((1, 2))
    sent += [Packet(time_s, payload) for payload in machine.packets(parts)]
    for step in range(STEPS):
        happening = dice.random()
        by_s = dice.choice((0.25, 0.5, 1.0, 1.0, 2.0)) if happening > 0.02 else dice.uniform(20, 300)
        time_s += by_s
        if happening > 0.97 and machine.can_begin_again and not was_lost and step < STEPS - 1:
            machine.begin_again()
        machine.advance(min(by_s, 2.0))
        packets = machine.packets(parts)
        if dice.random() < 0.5:
            packets.reverse()
        was_lost = 0.02 < happening < 0.12 and step < STEPS - 1
        if was_lost:
            continue
        sent += [Packet(time_s, payload) for payload in packets]
        if 0.12 < happening < 0.2:
            sent += [Packet(time_s + 0.01, payload) for payload in packets]
    return sent, machine.rowed


def counted(packets: list[Packet], counter: type[Counter] = Counter) -> Totals:
    """What rowsync makes of it."""
    telemetry = Telemetry()
    if counter is not Counter:
        telemetry._strokes = counter(1 << 16, most_per_s=2.0, slack=3)
        telemetry._distance_m = counter(1 << 24, most_per_s=10.0, slack=20)
        telemetry._energy_kcal = counter(1 << 16, most_per_s=2.0, slack=10)
    sample = None
    for time_s, payload in packets:
        reading = read(Notification(time_s, "2ad1", payload))
        assert reading is not None
        sample = telemetry.feed(time_s, reading)
    assert sample is not None
    return Totals(int(sample.stroke_count or 0), int(sample.distance_m or 0), int(sample.machine_energy_kcal or 0))


# --- weak versions that the suite must catch --------------------------------------------------------------------------


class Raw(Counter):
    """As most programs do: the machine's count less its first one."""

    def feed(self, raw: float, time_s: float, *, rowing: bool = True) -> float:
        """Take a count."""
        if self.total is None:
            self._first = raw
        self.total = raw - self._first
        return self.total


class NeverWraps(Counter):
    """Takes every fall for a beginning at 0."""

    def feed(self, raw: float, time_s: float, *, rowing: bool = True) -> float:
        """Take a count."""
        before, self._raw = self._raw, raw
        self.total = 0 if self.total is None else self.total + (raw - before if raw >= before else raw)
        return self.total


class AlwaysWraps(Counter):
    """Takes every fall for a wrap."""

    def feed(self, raw: float, time_s: float, *, rowing: bool = True) -> float:
        """Take a count."""
        before, self._raw = self._raw, raw
        self.total = 0 if self.total is None else self.total + (raw - before) % self._modulus
        return self.total


WEAK: tuple[type[Counter], ...] = (Raw, NeverWraps, AlwaysWraps)


# --- running ----------------------------------------------------------------------------------------------------------


def violations(seeds: range, counter: type[Counter] = Counter) -> list[int]:
    """The seeds of rows whose totals come out wrong."""
    return [seed for seed in seeds if counted((given := row(seed))[0], counter) != given[1]]


def _chunks(cases: int, first: int, size: int = 2000) -> Iterator[range]:
    for start in range(first, first + cases, size):
        yield range(start, min(start + size, first + cases))


def main() -> int:
    """Row, and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first row")
    parser.add_argument("--only", type=int, metavar="SEED", help="only this row, and what was sent in it")
    asked = parser.parse_args()
    if asked.only is not None:
        packets, rowed = row(asked.only)
        for time_s, payload in packets:
            print(f"{time_s:8.2f} s  {payload.hex()}")
        print(f"rowed {rowed}, counted {counted(packets)}")
        return int(counted(packets) != rowed)
    begin = time.monotonic()
    wrong: list[int] = []
    with multiprocessing.Pool(os.cpu_count()) as pool:
        done = 0
        for found in pool.imap_unordered(violations, _chunks(asked.cases, asked.seed)):
            wrong += found
            done += 2000
            print(f"\r{min(done, asked.cases):,} of {asked.cases:,} rows", end="", file=sys.stderr)
    print(file=sys.stderr)
    caught = sum(bool(violations(range(500), weak)) for weak in WEAK)
    took_s = time.monotonic() - begin
    print(f"counters: {asked.cases:,} rows of {STEPS} steps, {len(wrong)} violations,", end=" ")
    print(f"{caught} of {len(WEAK)} planted bugs caught, {took_s:.0f} s")
    for seed in sorted(wrong)[:5]:
        print(f"python -m tests.torture.counters --only {seed}")
    return int(bool(wrong) or caught < len(WEAK))


if __name__ == "__main__":
    sys.exit(main())
