"""What one machine's watts are in another's: a factor with its 80 % range, from people who rowed on both.

The factor is shown and never applied: no stored or shown number is corrected by it.

What is compared is what the same person did in the same way on both machines: the same plan, the same distance, or
power for the heart rate of a strap.  Where a plan asks for watts or a pace, the rower keeps the display at a number
whatever the machine makes of it, so its watts say nothing of the machine and only the heart does.  The model, for a
pair of machines, of the logarithm of the power of each day:

    log(power) = way of rowing of this person + fitness of this person at that time + machine + noise of that day

- *Way of rowing* is free: nothing is assumed of how strong anybody is.
- *Fitness* wanders smoothly (a Gaussian process with a Matern-3/2 covariance, `FITNESS_SD` over `FITNESS_DAYS`), the
  same for all that a person rows.  So days that lie close together on both machines tell much, and a machine that was
  only rowed after the other tells little: what may have been gained meanwhile is in the range.  Who has no two days on
  both within `MOST_PAUSE_DAYS` isn't heard.
- *Machine* is free, so that a machine's watts times k are its factor times k.
- *Noise* has the tails of Student's t, so that a broken-off row counts little.  Its scale is found from the days, with
  a prior and a floor, `DAY_SD`: nobody is steadier from day to day than trained rowers in a race against the clock,
  whose power varies by 2.0 % (Schabort 1999, J Sports Sci 17:627; people who aren't athletes vary 1.3 times as much,
  Hopkins 2001, Sports Med 31:211).  A heart at the same work varies by 1.1-1.4 % (Lamberts 2004, J Strength Cond Res
  18:641), which is 2 % of power; but that is at the same time of day in a laboratory, so heart rates count as
  `HEART_SD` times as noisy.
- With several people, how far a machine suits one more than another (`PERSON_SD`) is in the range.

The range is the posterior's: scale of noise and of fitness are averaged over a grid with the marginal likelihood of
each, the rest is exact; weights of days follow by iteration.  This model is derived here, not published; the sizes of
`FITNESS_SD`, `HEART_SD`, `REST_SD_BPM` and `PERSON_SD` are judged.  `python -m benchmarks.machine_factor` tries it on
synthetic rowers who don't keep to it.  It holds for the people whose rows these are, at the powers that they rowed, and
as long as nobody moves the damper or mends the chain.  Who keeps the display at a number on his own account, without a
plan that says so and without a strap, makes any machine read like any other; nothing here can see that.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from statistics import NormalDist, fmean
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rowsync.bests import DISTANCES_M
from rowsync.errors import UsageError
from rowsync.machines import machine_key, measures_power
from rowsync.plan import Piece, parse_plan
from rowsync.target import PACE, POWER
from rowsync.training import ASSUMED_RESTING_BPM
from rowsync.wording import MINUS, THIN_SPACE, count, measured, moment, outside_text, stamp

Row = Mapping[str, Any]
_Series = npt.NDArray[np.float64]

PLAN, DISTANCE, HEART_RATE = "plan", "distance", "heart_rate"
WAYS = {PLAN: "the same plan", DISTANCE: "the same distance", HEART_RATE: "power for the heart rate"}
"""By what rows on two machines are compared, in words."""

LEAST_DAYS = 3
"""So many on each machine, or nothing is said."""
MOST_DAYS, MOST_OF_ALL, MOST_PEOPLE = 40, 120, 24
"""Of a person's days on a machine those count that lie nearest in time to days on the other; of many people's fewer,
and of very many those people who rowed both most."""
MOST_PAUSE_DAYS = 42
"""Whose days on the one are all further than this from those on the other can't tell the machine from a season."""
MOST_APART = 1.25
"""A range that reaches further than this factor to either side says nothing worth reading."""

DAY_SD = (0.02, 0.04, 0.4)
"""The noise of a day, as a share of power: its floor, what it is likely to be, and its ceiling."""
DAY_SD_SPREAD = 0.5
"""How sure the likely one is: the standard deviation of its logarithm."""
TAILS = 5.0
"""Degrees of freedom of the noise."""
SAME_DAY = 0.5
"""How much of a day's noise several pieces of one day on one machine share."""
FITNESS_SD, FITNESS_DAYS = 0.06, 60.0
"""Standard deviation and length of how fitness wanders, as a share of power and in days: between two days a week apart
it differs by 1 %, a month apart by 4 %, two months by 6 %, half a year by 8 %."""
FITNESS_SCALES = (1.0, 2.0)
"""The same, and for beginners.  Less isn't tried: an even month is no promise for a break."""
HEART_SD = 1.5
REST_SD_BPM = 8.0
"""How well it is known at what heart rate a person's power would be 0; about that at rest [1/min].  It matters as far
as heart rates differ between the machines."""
PERSON_SD = 0.015

LEAST_HEART_S = 600.0
"""A steady row so long has a heart rate that belongs to its power [s]."""
LEAST_HEART_BPM = ASSUMED_RESTING_BPM + 20.0
SAME_DISTANCE = 0.01
LEAST_DISTANCE_M = 500
"""What is rowed over a distance that people race, give or take a hundredth, is rowed for time [m]."""

_LEVEL = 0.9
"""Between it and its complement lie 80 %."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that was rowed.

    Attributes:
        key: its address, or its name where none is known: two machines of one name are two.
        name: as it advertises itself; None where it isn't known.
        address: None where it isn't known.
        sessions: how many were rowed on it.
        days: on how many days.
        first_at: when the first began.
        last_at: when the last began.
    """

    key: str
    name: str | None
    address: str | None
    sessions: int
    days: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class MachineFactor:
    """What watts of the reference are on a machine; what isn't known is None, and the reason is said.

    Attributes:
        machine: which.
        factor: watts on it for one watt on the reference.
        low: the lower end of the factor's 80 % range.
        high: the upper end.
        days: of how many days on it that is, those that can be compared.
        reference_days: of how many on the reference.
        athletes: whose.
        ways: by what they are compared, and how many days by each.
        changed_once: all days on one machine come after all on the other.
        reason: why nothing can be said; None where something can.
    """

    machine: Machine
    factor: float | None = None
    low: float | None = None
    high: float | None = None
    days: int = 0
    reference_days: int = 0
    athletes: tuple[str, ...] = ()
    ways: Mapping[str, int] = field(default_factory=dict)
    changed_once: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Machines:
    """All machines that were rowed.

    Attributes:
        reference: what the others are compared with; None where nothing was rowed.
        machines: every one of them, the most rowed first.
        factors: the others beside the reference, in the same order.
    """

    reference: Machine | None = None
    machines: tuple[Machine, ...] = ()
    factors: tuple[MachineFactor, ...] = ()


def machines(
    rows: Iterable[Row], reference: str | None = None, athlete: str | None = None, most: int | None = None
) -> Machines:
    """Every machine beside a reference.

    Args:
        rows: one a session, as `Store.rows` gives them, in any order.  What a program rowed counts only where nobody
            has rowed.
        reference: a machine's name or address; by default one that is known to measure power, else the most rowed.
        athlete: whose sessions count; None for everybody's.
        most: how many are put beside the reference, the most rowed; None for all.

    Raises:
        UsageError: there is no such machine, or several have that name.
    """
    rowed = _rowed(rows, athlete)
    found = _machines(rowed)
    base = _reference(found, reference)
    if base is None:
        return Machines()
    days, others = _days(rowed), [each for each in found if each.key != base.key]
    return Machines(base, found, tuple(_factor(each, base, days) for each in others[:most]))


def machine_factor(rows: Iterable[Row], machine: str, reference: str, athlete: str | None = None) -> MachineFactor:
    """One machine beside another; as `machines`.

    Raises:
        UsageError: there is no such machine, or several have that name.
    """
    rowed = _rowed(rows, athlete)
    found = _machines(rowed)
    return _factor(_named(found, machine), _named(found, reference), _days(rowed))


# --- which rows -------------------------------------------------------------------------------------------------------


class _Rowed(NamedTuple):
    """A session that can be asked, and when and on what it was rowed."""

    row: Row
    key: str
    at: datetime


class _Day(NamedTuple):
    """What a person rowed in one way on one machine and day.

    Attributes:
        athlete: who.
        key: on which machine.
        day: when [days].
        way: by what it is compared.
        what: what is the same: the pieces of the plan, the distance.
        log_power: the mean of the logarithm of its power, or of its power over its heart rate.
        per_bpm: how much that changes with the heart rate at rest [1/bpm]; 0 where no heart rate is in it.
    """

    athlete: str
    key: str
    day: int
    way: str
    what: Hashable
    log_power: float
    per_bpm: float


def _rowed(rows: Iterable[Row], athlete: str | None) -> list[_Rowed]:
    """The sessions on known machines; those that a person rowed, where there are any."""
    known = [
        _Rowed(row, key, at.astimezone(UTC))
        for row in rows
        if (athlete is None or row.get("athlete") == athlete)
        and (key := machine_key({"name": row.get("machine"), "address": row.get("machine_address")})) is not None
        and (at := moment(row.get("started_at"))) is not None
    ]
    by_people = [each for each in known if each.row.get("origin") != "synthetic"]
    return by_people or known


def _machines(rowed: Sequence[_Rowed]) -> tuple[Machine, ...]:
    by_key: dict[str, list[_Rowed]] = defaultdict(list)
    for each in sorted(rowed, key=lambda each: each.at):
        by_key[each.key].append(each)
    found = [_machine(key, each) for key, each in by_key.items()]
    return tuple(sorted(found, key=lambda machine: (-machine.sessions, machine.key)))


def _machine(key: str, rowed: Sequence[_Rowed]) -> Machine:
    last = rowed[-1].row
    days = len({each.at.date() for each in rowed})
    return Machine(key, last.get("machine"), last.get("machine_address"), len(rowed), days, rowed[0].at, rowed[-1].at)


def _reference(found: Sequence[Machine], named: str | None) -> Machine | None:
    if named is not None:
        return _named(found, named)
    return next((each for each in found if measures_power(each.name or "")), found[0] if found else None)


def _named(found: Sequence[Machine], typed: str) -> Machine:
    """The machine of a key, an address or a name.

    Raises:
        UsageError: there is none, or several have that name.
    """
    wanted = typed.strip().casefold()
    by_key = [each for each in found if each.key.casefold() == wanted]
    matches = by_key or [each for each in found if (each.name or "").strip().casefold() == wanted]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise UsageError(f"No session was rowed on {outside_text(typed)}. `rowsync machines` lists those that were.")
    addresses = ", ".join(outside_text(each.key) for each in matches)
    raise UsageError(f"{len(matches)} machines are called {outside_text(typed)}: say the address, {addresses}.")


def _days(rowed: Sequence[_Rowed]) -> list[_Day]:
    """What can be compared, each day once, in an order that doesn't depend on that of the rows."""
    sources: dict[str, Counter[Any]] = defaultdict(Counter)
    for each in rowed:
        sources[each.key][each.row.get("power_source")] += 1
    usual = {key: max(counted, key=lambda source: (counted[source], str(source))) for key, counted in sources.items()}
    by_day: dict[tuple[Any, ...], list[tuple[float, ...]]] = defaultdict(list)
    for each in rowed:
        if each.row.get("power_source") == usual[each.key] and (compared := _compared(each.row)) is not None:
            way, what, *values = compared
            by_day[str(each.row.get("athlete")), each.key, each.at.toordinal(), way, what].append(tuple(values))
    means = {key: [fmean(sorted(each)) for each in zip(*values, strict=True)] for key, values in by_day.items()}
    days = [_Day(*key, *values) for key, values in means.items()]
    return sorted(days, key=lambda day: (*day[:4], repr(day.what)))


def _compared(row: Row) -> tuple[str, Hashable, float, float] | None:
    """The last four of a `_Day` that a session alone would be; None where nothing of it can be compared."""
    power_w = measured(row.get("mean_power_w"))
    if not power_w or power_w <= 0:
        return None
    plan = _pieces(str(row["plan"])) if row.get("plan") else None
    if plan is not None and not _keeps_display(plan):
        hard_w = measured(row.get("mean_hard_power_w"))
        return PLAN, plan, math.log(hard_w if hard_w and hard_w > 0 else power_w), 0.0
    if plan is None and (distance_m := _raced_m(row)) is not None:
        return DISTANCE, distance_m, math.log(power_w), 0.0
    above_bpm = _above_rest_bpm(row, is_planned=plan is not None)
    return None if above_bpm is None else (HEART_RATE, plan, math.log(power_w / above_bpm), 1.0 / above_bpm)


def _raced_m(row: Row) -> int | None:
    metres = measured(row.get("distance_m")) or 0.0
    raced = (each for each in DISTANCES_M if each >= LEAST_DISTANCE_M)
    return next((each for each in raced if abs(metres / each - 1.0) <= SAME_DISTANCE), None)


def _above_rest_bpm(row: Row, is_planned: bool) -> float | None:
    """How far the heart was above rest; power at work that can be kept up is about in proportion to it [1/min]."""
    bpm = measured(row.get("mean_heart_rate_bpm"))
    if row.get("heart_rate_source") != "strap" or bpm is None or bpm < LEAST_HEART_BPM:
        return None
    is_long = (measured(row.get("moving_s")) or 0.0) >= LEAST_HEART_S
    is_even = is_planned or not row.get("hard_intervals")
    return bpm - ASSUMED_RESTING_BPM if is_long and is_even else None


@cache
def _pieces(plan: str) -> tuple[Piece, ...] | str:
    """What makes two plans the same: their pieces; of what can't be read, the text."""
    try:
        return parse_plan(plan).pieces
    except UsageError:
        return plan


def _keeps_display(pieces: tuple[Piece, ...] | str) -> bool:
    """Whether a plan asks for what the display shows."""
    targets = [target for piece in pieces if isinstance(piece, Piece) for target in piece.targets]
    return any(target.quantity in (PACE, POWER) for target in targets)


# --- the factor -------------------------------------------------------------------------------------------------------


def _factor(machine: Machine, reference: Machine, days: Sequence[_Day]) -> MachineFactor:
    if machine.key == reference.key:
        return MachineFactor(machine, reason="It is the same machine.")
    on_both = _on_both(day for day in days if day.key in (machine.key, reference.key))
    pauses = [_pause_days(of_person) for _, of_person in on_both]
    if pauses and min(pauses) > MOST_PAUSE_DAYS:
        return MachineFactor(machine, reason=_too_far(min(pauses)))
    on_both = [each for each, pause in zip(on_both, pauses, strict=True) if pause <= MOST_PAUSE_DAYS]
    compared = [day for _, of_person in on_both for day in of_person]
    known = MachineFactor(
        machine,
        days=_visits(compared, machine.key),
        reference_days=_visits(compared, reference.key),
        athletes=tuple(athlete for athlete, _ in on_both),
        ways=dict(sorted(Counter(day.way for day in compared).items())),
        changed_once=_changed_once(on_both, machine.key),
    )
    if min(known.days, known.reference_days) < LEAST_DAYS:
        return replace(known, reason=_too_few(known))
    low, middle, high = _posterior([_Person(of_person, machine.key) for _, of_person in on_both])
    if max(high - middle, middle - low) > math.log(MOST_APART):
        return replace(known, reason=_too_wide(known, math.exp(low), math.exp(high)))
    return replace(known, factor=math.exp(middle), low=math.exp(low), high=math.exp(high))


def _on_both(days: Iterable[_Day]) -> list[tuple[str, list[_Day]]]:
    """Each person's days of what the person rowed in the same way on both of two machines."""
    groups: dict[tuple[Any, ...], list[_Day]] = defaultdict(list)
    for day in days:
        groups[day.athlete, day.way, day.what].append(day)
    people: dict[str, list[_Day]] = defaultdict(list)
    for (athlete, *_), rowed in groups.items():
        if len({day.key for day in rowed}) == 2:
            people[athlete] += rowed
    heard = sorted(sorted(people), key=lambda athlete: -_on_the_lesser(people[athlete]))[:MOST_PEOPLE]
    most = min(MOST_DAYS, MOST_OF_ALL // max(1, len(heard)))
    return [(athlete, _nearest(people[athlete], most)) for athlete in sorted(heard)]


def _on_the_lesser(rowed: Sequence[_Day]) -> int:
    """How many days a person has on that of two machines that the person rowed less."""
    return min(Counter(day.key for day in rowed).values())


def _pause_days(rowed: Sequence[_Day]) -> int:
    """How far the nearest days on two machines lie apart."""
    key = rowed[0].key
    here, there = ([day.day for day in rowed if (day.key == key) is is_here] for is_here in (True, False))
    return min(abs(one - other) for one in here for other in there)


def _visits(days: Iterable[_Day], key: str) -> int:
    return len({(day.athlete, day.day) for day in days if day.key == key})


def _changed_once(on_both: Sequence[tuple[str, Sequence[_Day]]], key: str) -> bool:
    """Whether nobody went back to a machine after the other."""
    for _, rowed in on_both:
        here = [day.day for day in rowed if day.key == key]
        there = [day.day for day in rowed if day.key != key]
        if min(here) <= max(there) and min(there) <= max(here):
            return False
    return bool(on_both)


def _too_few(known: MachineFactor) -> str:
    if not known.ways:
        return (
            "Nobody rowed the same on both: the same plan without a target in watts or pace, the same distance, "
            "or steadily for ten minutes with a strap."
        )
    return (
        f"Too few days to tell: {count(known.days, 'day')} on it and {known.reference_days} on the reference can be "
        f"compared, and it takes {LEAST_DAYS} on each."
    )


def _too_far(pause_days: int) -> str:
    return (
        f"At least {pause_days} days lie between a day on the one and a day on the other, so what was gained or lost "
        "meanwhile can't be told from the machine: some days on both within six weeks would tell."
    )


def _too_wide(known: MachineFactor, low: float, high: float) -> str:
    why = f"Too little to tell: from {spread(low, high)}, all is possible."
    return f"{why} {ONCE}" if known.changed_once else f"{why} More days on both, close together in time, would tell."


ONCE = (
    "All days on one machine came after those on the other, so what was gained or lost meanwhile can't be told from "
    "the machine: some days on the first one now would tell."
)


def _nearest(days: Sequence[_Day], most: int) -> list[_Day]:
    """The days of a person that lie nearest in time to days on the other machine."""
    kept: list[_Day] = []
    for key in sorted({day.key for day in days}):
        others = [day.day for day in days if day.key != key]
        here = [(min(abs(other - day.day) for other in others), day) for day in days if day.key == key]
        kept += [day for _, day in sorted(here, key=lambda each: each[0])[:most]]
    return kept


# --- the model --------------------------------------------------------------------------------------------------------


class _Person:
    """One person's days on two machines, as matrices.

    Attributes:
        y: log power, less its mean in each group; (n,).
        side: 0.5 on the machine, -0.5 on the reference; (n,).
        groups: which days are in which way of rowing; (n, groups).
        fitness: covariance of fitness at scale 1; (n, n).
        rest: covariance of what the heart rate at rest leaves open, from the mean heart rates on each machine: single
            days can't tell it, for what a day adds to the heart would be taken for it; (n, n).
        alike: correlation of the noise, before weights; (n, n).
        sd: the noise of each relative to that of a day; (n,).
        weight: how much each day is believed; (n,).
    """

    def __init__(self, days: Sequence[_Day], key: str) -> None:
        """A person's days on both; `key` is the machine's."""
        ways = sorted({(day.way, repr(day.what)) for day in days})
        at = np.array([float(day.day) for day in days])
        y = np.array([day.log_power for day in days])
        self.side = np.array([0.5 if day.key == key else -0.5 for day in days])
        self.groups = np.array([[float((day.way, repr(day.what)) == way) for way in ways] for day in days])
        self.y = y - self.groups @ (self.groups.T @ y / self.groups.sum(axis=0))
        apart = math.sqrt(3.0) * np.abs(at[:, None] - at[None, :]) / FITNESS_DAYS
        self.fitness = FITNESS_SD**2 * (1.0 + apart) * np.exp(-apart)
        is_same_day = (apart == 0) & (self.side[:, None] == self.side[None, :])
        self.alike = SAME_DAY * is_same_day + (1.0 - SAME_DAY) * np.eye(len(days))
        here = self.groups * (self.side > 0)[:, None], self.groups * (self.side < 0)[:, None]
        per_bpm = np.array([day.per_bpm for day in days])
        by_rest = REST_SD_BPM * sum(each @ (each.T @ per_bpm / np.maximum(each.sum(axis=0), 1.0)) for each in here)
        self.rest = np.outer(by_rest, by_rest)
        self.sd = np.array([HEART_SD if day.way == HEART_RATE else 1.0 for day in days])
        self.weight = np.ones(len(days))

    def noise(self, day_sd: _Series) -> _Series:
        """Covariance of the noise at each scale; (scales, n, n)."""
        each = self.sd / np.sqrt(self.weight)
        covariance: _Series = np.square(day_sd)[:, None, None] * (self.alike * np.outer(each, each))
        return covariance

    def inverse(self, day_sd: _Series, fitness: _Series, person_sd: float) -> tuple[_Series, _Series]:
        """The inverse of all covariance with the groups' levels taken out, and the logarithm of the determinants.

        Args:
            day_sd: scale of the noise; (scales,).
            fitness: scale of fitness; (scales,).
            person_sd: how far the machine suits one more than another.

        Returns:
            (scales, n, n) and (scales,).
        """
        fixed = self.rest + person_sd**2 * np.outer(self.side, self.side)
        covariance = self.noise(day_sd) + np.square(fitness)[:, None, None] * self.fitness + fixed
        inverse = np.linalg.inv(covariance)
        level = inverse @ self.groups
        of_levels = self.groups.T @ level
        volume: _Series = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(of_levels)[1]
        free: _Series = inverse - level @ np.linalg.solve(of_levels, level.transpose(0, 2, 1))
        return free, volume

    def sums(self, day_sd: _Series, fitness: _Series, person_sd: float) -> _Series:
        """What the days say of the machine's effect at each scale; of several people it adds up.

        Returns:
            Its information (1 / variance), information times effect, the squares that are left, weighted, and the
            logarithm of the determinants; (4, scales).
        """
        inverse, volume = self.inverse(day_sd, fitness, person_sd)
        pulled = inverse @ self.side
        return np.array([pulled @ self.side, pulled @ self.y, inverse @ self.y @ self.y, volume])

    def weigh(self, mean: _Mean, person_sd: float) -> None:
        """Believe each day the less, the further it is from what is expected of it (Student's t as a scale mixture)."""
        day_sd, fitness = np.array([mean.day_sd]), np.array([mean.fitness])
        (inverse,), (noise,) = self.inverse(day_sd, fitness, person_sd)[0], self.noise(day_sd)
        share = noise @ inverse
        left, pulled = share @ (self.y - mean.effect * self.side), share @ self.side
        unsure = np.diag(noise) - np.einsum("ij,ji->i", share, noise) + mean.sd**2 * pulled**2
        squares = (left**2 + np.maximum(unsure, 0.0)) / (mean.day_sd * self.sd) ** 2
        self.weight = (TAILS + 1.0) / (TAILS + squares)


class _Mean(NamedTuple):
    """The middle of the posterior; of the scales, that of their logarithms."""

    day_sd: float
    fitness: float
    effect: float
    sd: float


_DAY_SDS, _FITNESS = (
    each.ravel() for each in np.meshgrid(np.geomspace(DAY_SD[0], DAY_SD[2], 10), np.array(FITNESS_SCALES))
)
"""The grid of scales over which is averaged; (scales,)."""
_LOG_PRIOR = -0.5 * (np.log(_DAY_SDS / DAY_SD[1]) / DAY_SD_SPREAD) ** 2
_TOO_LITTLE = 1e-5
"""A point of the grid that weighs less beside the best one changes nothing."""
_ROUNDS = 5
"""After so many rounds weights stand still."""
_KNOWN_LESS = (TAILS + 1.0) / (TAILS + 3.0)
"""Weights that are taken for known say too much of where the middle of Student's t lies: the Fisher information of its
place is (v + 1) / (v + 3) of one over its scale squared, which the weights have on average."""


def _posterior(people: Sequence[_Person]) -> tuple[float, float, float]:
    """The lower end, the middle and the upper end of the effect's range, as logarithms of a factor."""
    person_sd = PERSON_SD if len(people) > 1 else 0.0
    for _ in range(_ROUNDS):
        information, pull, misfit, volume = _sums(people, person_sd)
        effect = pull / information
        likelihood = -0.5 * (volume + np.log(information) + misfit - pull * effect) + _LOG_PRIOR
        shares = np.exp(likelihood - likelihood.max())
        mean = _mean(shares / shares.sum(), effect, 1.0 / information)
        for person in people:
            person.weigh(mean, person_sd)
    for person in people:
        person.weight = person.weight * _KNOWN_LESS
    sds = _sums(people, person_sd)[0] ** -0.5
    parts = [
        (NormalDist(float(each), float(sd)), float(share))
        for each, sd, share in zip(effect, sds, shares, strict=True)
        if share > _TOO_LITTLE
    ]
    return _quantile(parts, 1.0 - _LEVEL), _quantile(parts, 0.5), _quantile(parts, _LEVEL)


def _sums(people: Sequence[_Person], person_sd: float) -> _Series:
    sums: _Series = np.sum([person.sums(_DAY_SDS, _FITNESS, person_sd) for person in people], axis=0)
    return sums


def _mean(shares: _Series, effect: _Series, variance: _Series) -> _Mean:
    middle = float(shares @ effect)
    sd = math.sqrt(shares @ (variance + (effect - middle) ** 2))
    day_sd, fitness = (math.exp(shares @ np.log(each)) for each in (_DAY_SDS, _FITNESS))
    return _Mean(day_sd, fitness, middle, sd)


def _quantile(parts: Sequence[tuple[NormalDist, float]], level: float) -> float:
    """Where a mixture of normal distributions, each with its weight, has so much below it."""
    wanted = level * math.fsum(weight for _, weight in parts)
    low = min(each.inv_cdf(level) for each, _ in parts)
    high = max(each.inv_cdf(level) for each, _ in parts)
    for _ in range(50):
        middle = (low + high) / 2
        if math.fsum(weight * each.cdf(middle) for each, weight in parts) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# --- in words ---------------------------------------------------------------------------------------------------------

NOTHING_CORRECTED = "Nothing is corrected by it: every number stays what its machine made it."


def label(machine: Machine, among: Sequence[Machine]) -> str:
    """What a machine is called; where several have its name, with the end of its address."""
    name = outside_text(machine.name if machine.name else machine.key)
    several = sum(each.name == machine.name for each in among) > 1
    if not (several and machine.name):
        return name
    return f"{name} ({outside_text(machine.address)[-5:]})" if machine.address else f"{name} (no address known)"


def sentence(found: MachineFactor, reference: Machine, among: Sequence[Machine]) -> str:
    """`Watts on B read 6 % higher than on A (80 % range: +2 to +10 %), from 7 days on B and 9 on A: ...`."""
    here, there = label(found.machine, among), label(reference, among)
    if found.factor is None or found.low is None or found.high is None:
        return f"{here} beside {there}: {found.reason}"
    whose = f", by {_listed(found.athletes)}" if len(found.athletes) > 1 else ""
    by = _listed([WAYS[way] for way in found.ways])
    said = (
        f"Watts on {here} read {_higher(found.factor)} on {there} (80{THIN_SPACE}% range: "
        f"{spread(found.low, found.high)}), from {count(found.days, 'day')} on {here} and {found.reference_days} on "
        f"{there}{whose}, by {by}."
    )
    return f"{said} {ONCE}" if found.changed_once else said


def _higher(factor: float) -> str:
    percent = round((factor - 1.0) * 100)
    return f"{abs(percent)}{THIN_SPACE}% {'higher' if percent > 0 else 'lower'} than" if percent else "as high as"


def spread(low: float, high: float) -> str:
    """A range of factors as a change: `+2 to +10 %`."""
    return f"{_percent(low)} to {_percent(high)}{THIN_SPACE}%"


def _percent(factor: float) -> str:
    percent = round((factor - 1.0) * 100)
    return f"{'+' if percent > 0 else MINUS if percent < 0 else ''}{abs(percent)}"


def _listed(words: Sequence[str]) -> str:
    shown = [outside_text(word) for word in words]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""


def machines_fields(found: Machines) -> dict[str, Any]:
    """All machines as `rowsync machines --json` prints them (docs/contract.md)."""
    if found.reference is None:
        return {"reference": None, "machines": []}
    by_key = {each.machine.key: each for each in found.factors}
    shown = [_fields(each, by_key.get(each.key), found.reference, found.machines) for each in found.machines]
    return {"reference": found.reference.key, "machines": shown}


def _fields(
    machine: Machine, factor: MachineFactor | None, reference: Machine, among: Sequence[Machine]
) -> dict[str, Any]:
    about = {
        "key": machine.key,
        "name": machine.name,
        "address": machine.address,
        "label": label(machine, among),
        "sessions": machine.sessions,
        "days": machine.days,
        "first_at": stamp(machine.first_at),
        "last_at": stamp(machine.last_at),
    }
    beside = factor or MachineFactor(machine)
    return about | {
        "factor": _rounded(beside.factor),
        "low": _rounded(beside.low),
        "high": _rounded(beside.high),
        "compared_days": beside.days,
        "compared_reference_days": beside.reference_days,
        "athletes": list(beside.athletes),
        "ways": dict(beside.ways),
        "changed_once": beside.changed_once,
        "reason": beside.reason,
        "sentence": None if factor is None else sentence(factor, reference, among),
    }


def _rounded(factor: float | None) -> float | None:
    return None if factor is None else round(factor, 4)
