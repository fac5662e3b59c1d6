"""One machine's watts in another's, beside the naive ratio: how often the range holds the truth, and how wide it is.

    python -m benchmarks.machine_factor                 300 pairs of machines for each line
    python -m benchmarks.machine_factor --trials 50     a quick look

The rowers are SYNTHETIC, and don't keep to the model: their noise from day to day is their own (2.5-6 %), one row in
thirty is broken off, fitness goes up (or down) straight or levels off and is lost in a break, a machine suits one a
little more than another, and machines read anything from a fifth less to a quarter more than each other.  The naive way
is the ratio of mean powers with a normal range from the scatter of the days on each machine.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import NormalDist, fmean, stdev
from typing import Any, NamedTuple

from rowsync.machine_factor import machine_factor

FIRST = datetime(2026, 1, 5, 18, tzinfo=UTC)
Z = NormalDist().inv_cdf(0.9)
Row = dict[str, Any]


# --- synthetic rowers -------------------------------------------------------------------------------------------------


def alternating(chance: random.Random, days: int) -> list[str]:
    """Now this machine, now that."""
    names = ["A", "B"] * days
    chance.shuffle(names)
    return names


def in_blocks(chance: random.Random, days: int) -> list[str]:
    """Some on one, some on the other, and again: a holiday, a second home."""
    first, then = days - days // 2, days // 2
    return [*"A" * first, *"B" * first, *"A" * then, *"B" * then]


def changed_once(chance: random.Random, days: int) -> list[str]:
    """All on the old one, then all on the new one."""
    return ["A"] * days + ["B"] * days


class Rower:
    """Somebody who doesn't exist.

    Args:
        chance: where all of it comes from.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.power_w = chance.uniform(90, 260)
        self.noise = chance.uniform(0.025, 0.06)
        self.gain_a_week = chance.uniform(-0.003, 0.012)
        self.levels_off_weeks = chance.choice([8.0, 16.0, math.inf])
        self.break_day = chance.choice([None, chance.uniform(10, 90)])
        self.own = chance.gauss(0, 0.01)
        self.rest_bpm = chance.gauss(60, 8)

    def fitness(self, day: float) -> float:
        """As the logarithm of a share."""
        weeks = day / 7
        most = self.levels_off_weeks
        gained = weeks if math.isinf(most) else most * (1 - math.exp(-weeks / most))
        lost = 0.04 if self.break_day is not None and day > self.break_day else 0.0
        return self.gain_a_week * gained - lost * math.exp(-max(0.0, day - (self.break_day or 0.0)) / 30)

    def day(self) -> float:
        """The noise of a day, as a logarithm."""
        broken_off = math.log(self.chance.uniform(0.7, 0.9)) if self.chance.random() < 1 / 30 else 0.0
        return self.chance.gauss(0, self.noise) + broken_off


def by_plan(rower: Rower, name: str, day: float, factor: float) -> Row:
    """The same plan every time, as hard as it goes."""
    true_w = rower.power_w * math.exp(rower.fitness(day) + rower.day())
    return {"plan": "10x45/75", "mean_hard_power_w": true_w * factor, "mean_power_w": 0.7 * true_w * factor}


def by_heart(rower: Rower, name: str, day: float, factor: float) -> Row:
    """A steady row at whatever effort, kept at a number on the display; a strap says what it cost."""
    shown_w = rower.chance.uniform(0.5, 0.75) * rower.power_w
    share = shown_w / factor / (rower.power_w * math.exp(rower.fitness(day) + rower.chance.gauss(0, rower.noise)))
    bpm = rower.rest_bpm + (182 - rower.rest_bpm) * share + rower.chance.gauss(0, 2)
    strap = {"heart_rate_source": "strap", "mean_heart_rate_bpm": bpm, "moving_s": 1800.0}
    return {"plan": None, "mean_power_w": shown_w, "distance_m": 5500.0} | strap


def rows_of(
    rower: Rower,
    who: str,
    names: Sequence[str],
    factor: float,
    rowed: Callable[[Rower, str, float, float], Row],
    pause_days: float = 0.0,
) -> list[Row]:
    """What a rower rows on machines of these names, every second or third day, with a pause halfway."""
    rows, day = [], 0.0
    for at, name in enumerate(names):
        day += rower.chance.choice([2, 2, 3, 4])
        if at == len(names) // 2 and pause_days:
            day += pause_days
            rower.power_w *= math.exp(rower.chance.uniform(-0.10, 0.05))  # ill, or rowing elsewhere
        row = rowed(rower, name, day, factor * math.exp(rower.own) if name == "B" else 1.0)
        about = {"athlete": who, "machine": name, "started_at": FIRST + timedelta(days=day)}
        rows.append(about | {"origin": "hardware", "power_source": "machine"} | row)
    return rows


# --- two answers ------------------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """A factor and its range."""

    factor: float
    low: float
    high: float


def ours(rows: Sequence[Row]) -> Answer | None:
    """As rowsync has it; None where it refuses."""
    found = machine_factor(rows, "B", "A")
    if found.factor is None or found.low is None or found.high is None:
        return None
    return Answer(found.factor, found.low, found.high)


def naive(rows: Sequence[Row]) -> Answer:
    """The ratio of means, and what the scatter on each machine makes of it."""
    powers = [
        [row.get("mean_hard_power_w") or row["mean_power_w"] for row in rows if row["machine"] == at] for at in "BA"
    ]
    factor = fmean(powers[0]) / fmean(powers[1])
    share = math.sqrt(sum((stdev(each) / fmean(each)) ** 2 / len(each) for each in powers))
    return Answer(factor, factor * (1 - Z * share), factor * (1 + Z * share))


# --- how good they are ------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A line of the table: what was tried, and how each way did.

    Attributes:
        said: how often ours said a factor at all.
        coverage: how often its range held the truth, where it did.
        half_width: the median of half its range, as a share.
        off: the median of how far its factor was from the truth, as a share.
        naive_coverage: the same for the naive way.
        naive_half_width: the same.
        naive_off: the same.
    """

    said: float
    coverage: float
    half_width: float
    off: float
    naive_coverage: float
    naive_half_width: float
    naive_off: float


def tried(
    trials: int,
    days: int,
    order: Callable[[random.Random, int], list[str]] = alternating,
    rowed: Callable[[Rower, str, float, float], Row] = by_plan,
    rowers: int = 1,
    pause_days: float = 0.0,
    seed: int = 1,
) -> Line:
    """Both ways on so many pairs of machines.

    Args:
        trials: how many pairs.
        days: on each machine, of each rower.
        order: which machine is rowed when.
        rowed: what is rowed.
        rowers: how many people row on both.
        pause_days: for how long nobody rows, halfway.
        seed: of everything.
    """
    chance = random.Random(f"{seed} {days} {order.__name__} {rowed.__name__} {rowers} {pause_days}")
    ours_is: list[tuple[Answer, float]] = []
    naive_is: list[tuple[Answer, float]] = []
    for _ in range(trials):
        truth = math.exp(chance.uniform(math.log(0.8), math.log(1.25)))
        people = [Rower(chance) for _ in range(rowers)]
        factor = truth
        if rowers == 1:
            truth *= math.exp(people[0].own)  # the machine's and how it suits the one person, who asks for both
        rows = [
            row
            for at, rower in enumerate(people)
            for row in rows_of(rower, f"rower {at}", order(chance, days), factor, rowed, pause_days)
        ]
        if (answer := ours(rows)) is not None:
            ours_is.append((answer, truth))
        naive_is.append((naive(rows), truth))
    return Line(len(ours_is) / trials, *_scored(ours_is), *_scored(naive_is))


def _scored(answers: Sequence[tuple[Answer, float]]) -> tuple[float, float, float]:
    if not answers:
        return math.nan, math.nan, math.nan
    held = fmean(answer.low <= truth <= answer.high for answer, truth in answers)
    widths = sorted((answer.high - answer.low) / 2 / answer.factor for answer, _ in answers)
    off = sorted(abs(answer.factor / truth - 1) for answer, truth in answers)
    return held, widths[len(widths) // 2], off[len(off) // 2]


CASES = (
    *(("alternating, a plan", days, {"order": alternating}) for days in (3, 5, 7, 10, 20, 40)),
    *(("in blocks, a plan", days, {"order": in_blocks}) for days in (3, 5, 10, 20, 40)),
    *(("changed once, a plan", days, {"order": changed_once}) for days in (3, 5, 10, 20, 40)),
    *(("changed once, after a month off", days, {"order": changed_once, "pause_days": 30.0}) for days in (5, 20)),
    *(("alternating, steady at a number", days, {"rowed": by_heart}) for days in (5, 10, 20, 40)),
    *(("alternating, three rowers", days, {"rowers": 3}) for days in (3, 7, 20)),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("SYNTHETIC rowers; each cell: how often the 80 % range holds the truth, median half width, median error\n")
    print("| rowed | days on each | said | rowsync | naive ratio |")
    print("|---|---|---|---|---|")
    for name, days, how in CASES:
        line = tried(given.trials, days, seed=given.seed, **how)
        cells = (f"{held:.0%}, ±{wide:.1%}, {off:.1%}".replace("%", " %") for held, wide, off in (line[1:4], line[4:7]))
        print(f"| {name} | {days} | {line.said:.0%}".replace("%", " %") + " | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
