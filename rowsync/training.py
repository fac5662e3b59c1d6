"""What a row trained: minutes in bands, whether one could have talked, one load, and the reserve above critical power.

Everything is a function of strokes, samples and the athlete, exact for power that is constant within a stroke, so that
it doesn't depend on how often a machine speaks.  What isn't known is left out; what is assumed is said.  Information,
not medical advice.  docs/training.md says where each figure comes from.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp
from operator import mul

from rowsync.athlete import Athlete
from rowsync.felt import Felt
from rowsync.strokes import Stroke
from rowsync.telemetry import HELD_S, Sample
from rowsync.wording import clock

HEART_RATE_BANDS = (("easy", 0.0), ("UT2", 0.55), ("UT1", 0.70), ("AT", 0.80), ("TR", 0.85), ("AN", 0.95))
"""From which share of the heart rate reserve each band is: Indoor Sport Services and Concept2 UK's training guide.

Its table says "% of maximum"; its author said in Concept2's forum that the reserve is meant.
"""

POWER_BANDS = (("UT3", 0.0), ("UT2", 0.55), ("UT1", 0.75), ("AT", 0.90), ("TR", 1.05), ("AN", 1.20))
"""From which share of threshold power each band is, as in rowingdata."""

ASSUMED_RESTING_BPM = 60.0
ROWING_BPM = 4.0
"""How much lower the highest heart rate is on a rower than running or cycling (187 and 192, 173 and 177) [1/min]."""

LEAST_RESERVE_BPM = 20.0
"""With less between resting and highest heart rate one of them is wrong, and bands would be noise [1/min]."""

THRESHOLD_SHARE = 0.72
"""Second ventilatory threshold as a share of the highest power, of people who row at home (evidence: PeerJ 16160)."""

TALK_RESERVE = 0.60
TALK_SHARE = 0.45
"""Up to here one can talk: a share of the heart rate reserve, and of the highest power."""

TALK_MOSTLY = 0.80
"""A row is conversational when so much of its rowing is: a few hard strokes don't spoil an hour."""

TALK_S = 60.0
"""Over how much rowing power is smoothed before it is compared: breath follows power within a minute [s]."""

LEAST_TALK_S = 120.0
"""From less rowing than this nobody can say [s]."""

LEAST_MEASURED = 0.5
"""Of the rowing; heart rate, or power, that is known for less of it doesn't speak for the whole."""

LOADS = {
    "power": "power load (100 = one hour at threshold)",
    "exertion": "exertion load (0 to 10, times minutes)",
}
"""What each kind of training load is called; they share no unit and are never summed with each other."""

ROLLING_S = 30.0
LEAST_LOAD_S = 600.0
"""Weighted power means something from ten minutes of rowing on [s]."""

LONGEST_PAUSE_S = 300.0
"""A longer pause trains no more than this; else a cup of tea would raise the load [s]."""

ASSUMED_W_PRIME_KJ = 13.2
"""Mean of 18 trained men, 13.2 +- 3.0 kJ (Cheng 2012) [kJ]."""

TOO_HIGH_BPM = 5.0
TOO_HIGH_S = 15.0
JUMP_BPM_PER_S = 20.0
"""A heart doesn't change faster; a strap that loses its contact does [1/min per s]."""


@dataclass(frozen=True, slots=True)
class HeartRateBand:
    """Time in a range of heart rates.

    Attributes:
        name: one of `HEART_RATE_BANDS`.
        from_bpm: its lower end, which belongs to it [1/min].
        to_bpm: its upper end; None for the highest band, which has none [1/min].
        minutes: time in it [min].
    """

    name: str
    from_bpm: float
    to_bpm: float | None
    minutes: float


@dataclass(frozen=True, slots=True)
class PowerBand:
    """Time rowed in a range of powers.

    Attributes:
        name: one of `POWER_BANDS`.
        from_w: its lower end, which belongs to it [W].
        to_w: its upper end; None for the highest band, which has none [W].
        minutes: time rowed in it [min].
    """

    name: str
    from_w: float
    to_w: float | None
    minutes: float


@dataclass(frozen=True, slots=True)
class WBalance:
    """What was left of the work that can be done above critical power.  Experimental: its constants are cyclists'.

    Attributes:
        least_kj: the lowest it fell; below 0, critical power or W' is set too low [kJ].
        last_kj: at the last stroke's end [kJ].
        w_prime_kj: what it is when rested [kJ].
        critical_power_w: above which power it is spent [W].
        experimental: always True, so that whoever shows it says so.
    """

    least_kj: float
    last_kj: float
    w_prime_kj: float
    critical_power_w: float
    experimental: bool = True


@dataclass(frozen=True, slots=True)
class Training:
    """What a row trained; None, or nothing in it, is unknown.

    Attributes:
        heart_rate_bands: from the lowest up; empty without a heart rate, or without an athlete's age or highest one.
        power_bands: from the lowest up; empty without power, or without an athlete's critical or highest power.
        conversational: whether one could have talked all the while.
        conversational_by: who says so: "said", "heart rate" or "power".
        load: training load, in the unit that `load_called` says.
        load_by: "power" or "exertion"; loads of different kinds are never summed.
        load_called: the load's name in words.
        weighted_power_w: fourth-power mean of the 30-s mean power, rests included [W].
        threshold_power_w: the power that bands and load relate to [W].
        w_balance: only with a known critical power.
        assumed: what was assumed of the athlete, and what is missing, in sentences.
        notices: gentle warnings, in sentences.
    """

    heart_rate_bands: tuple[HeartRateBand, ...] = ()
    power_bands: tuple[PowerBand, ...] = ()
    conversational: bool | None = None
    conversational_by: str | None = None
    load: float | None = None
    load_by: str | None = None
    load_called: str | None = None
    weighted_power_w: float | None = None
    threshold_power_w: float | None = None
    w_balance: WBalance | None = None
    assumed: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def training(
    strokes: Sequence[Stroke], samples: Sequence[Sample], athlete: Athlete, felt: Felt | None = None
) -> Training:
    """What a row trained.

    Args:
        strokes: every stroke, in order.
        samples: the whole row, in order.
        athlete: who rowed, as known on that day.
        felt: what was said of it.
    """
    has_rate = any(sample.heart_rate_bpm is not None for sample in samples)
    has_power = any(_power_w(stroke) is not None for stroke in strokes)
    heart, heart_assumed = _heart(athlete) if has_rate else (None, ())
    power, power_assumed = _power(athlete) if has_power else (None, ())
    talked, talked_by = _conversational(strokes, samples, heart, power, felt)
    weighted_w = weighted_power_w(strokes)
    load, load_by = _load(strokes, samples, weighted_w, power, felt)
    balance = _w_balance(strokes, athlete) if power else None
    return Training(
        heart_rate_bands=_heart_rate_bands(samples, heart) if heart else (),
        power_bands=_power_bands(strokes, power) if power else (),
        conversational=talked,
        conversational_by=talked_by,
        load=load,
        load_by=load_by,
        load_called=LOADS[load_by] if load_by else None,
        weighted_power_w=weighted_w,
        threshold_power_w=power.threshold_w if power else None,
        w_balance=balance,
        assumed=(
            *heart_assumed,
            *power_assumed,
            *_assumed_w_prime(balance, athlete),
            *_missing(strokes, load_by),
        ),
        notices=_notices(samples, heart) if heart else (),
    )


# --- what is known of the athlete -------------------------------------------------------------------------------------


def max_heart_rate_bpm(athlete: Athlete) -> float | None:
    """Highest heart rate while rowing [1/min]: measured, else by age; None when neither is known.

    208 - 0.7 * age is Tanaka's (2001, 351 studies of healthy adults); it misses one person by 7-10 either way.
    """
    if athlete.max_heart_rate_bpm is not None or athlete.age_years is None:
        return athlete.max_heart_rate_bpm
    return 208.0 - 0.7 * athlete.age_years - ROWING_BPM


@dataclass(frozen=True, slots=True)
class _Heart:
    """Between what an athlete's heart rate lies."""

    resting_bpm: float
    max_bpm: float

    def at(self, share: float) -> float:
        """The heart rate at a share of the reserve [1/min]."""
        return self.resting_bpm + share * (self.max_bpm - self.resting_bpm)


@dataclass(frozen=True, slots=True)
class _Power:
    """What power an athlete can hold for long, and for about six minutes."""

    threshold_w: float
    max_w: float


def _heart(athlete: Athlete) -> tuple[_Heart | None, tuple[str, ...]]:
    """An athlete's heart, as far as it is known, and what of it is assumed."""
    resting_bpm, max_bpm = athlete.resting_heart_rate_bpm, max_heart_rate_bpm(athlete)
    if max_bpm is None:
        return None, ()
    assumed = []
    if athlete.max_heart_rate_bpm is None:
        assumed.append(f"Highest heart rate assumed to be {max_bpm:.0f}, from an age of {athlete.age_years:.0f}.")
    if resting_bpm is None:
        resting_bpm = ASSUMED_RESTING_BPM
        assumed.append(f"Resting heart rate assumed to be {resting_bpm:.0f}.")
    if max_bpm - resting_bpm < LEAST_RESERVE_BPM:
        doubt = f"A highest heart rate of {max_bpm:.0f} and a resting one of {resting_bpm:.0f} can't both be right, "
        return None, (*assumed, doubt + "so there are no heart-rate bands.")
    return _Heart(resting_bpm, max_bpm), tuple(assumed)


def _power(athlete: Athlete) -> tuple[_Power | None, tuple[str, ...]]:
    """An athlete's powers, as far as they are known, and what of them is assumed."""
    critical_w, max_w, share = athlete.critical_power_w, athlete.max_power_w, f"{100 * THRESHOLD_SHARE:.0f} %"
    if critical_w and max_w:
        return _Power(critical_w, max_w), ()
    if critical_w:
        max_w = critical_w / THRESHOLD_SHARE
        return _Power(critical_w, max_w), (f"Highest power assumed to be {max_w:.0f} W, critical power {share} of it.",)
    if max_w:
        threshold_w = THRESHOLD_SHARE * max_w
        said = f"Threshold power assumed to be {threshold_w:.0f} W, {share} of the highest power."
        return _Power(threshold_w, max_w), (said,)
    return None, ()


# --- bands ------------------------------------------------------------------------------------------------------------


def _heart_rate_bands(samples: Sequence[Sample], heart: _Heart) -> tuple[HeartRateBand, ...]:
    from_bpm = [heart.at(share) if share else 0.0 for _, share in HEART_RATE_BANDS]
    minutes = _minutes_above(from_bpm, ((value, held_s) for value, held_s, _ in _heart_rates(samples)))
    names = [name for name, _ in HEART_RATE_BANDS]
    return tuple(map(HeartRateBand, names, from_bpm, [*from_bpm[1:], None], minutes))


def _power_bands(strokes: Sequence[Stroke], power: _Power) -> tuple[PowerBand, ...]:
    from_w = [share * power.threshold_w for _, share in POWER_BANDS]
    minutes = _minutes_above(from_w, _rowed(strokes))
    return tuple(map(PowerBand, [name for name, _ in POWER_BANDS], from_w, [*from_w[1:], None], minutes))


def _minutes_above(edges: Sequence[float], weighted: Iterable[tuple[float, float]]) -> list[float]:
    """Minutes from each edge to the next, of values that come with how long they lasted [s]."""
    minutes = [0.0] * len(edges)
    for value, lasted_s in weighted:
        minutes[max(0, bisect_right(edges, value) - 1)] += lasted_s / 60.0
    return minutes


# --- the talk test ----------------------------------------------------------------------------------------------------


def _conversational(
    strokes: Sequence[Stroke],
    samples: Sequence[Sample],
    heart: _Heart | None,
    power: _Power | None,
    felt: Felt | None,
) -> tuple[bool | None, str | None]:
    """Whether one could have talked, and who says so: the person, else the heart, else the machine."""
    if felt and felt.talked is not None:
        return felt.talked, "said"
    if heart:
        rates = [(value, held_s) for value, held_s, moving in _heart_rates(samples) if moving]
        if (below := _mostly_below(rates, heart.at(TALK_RESERVE), _moving_s(samples))) is not None:
            return below, "heart rate"
    if power:
        rowed_s = sum(stroke.duration_s for stroke in strokes)
        if (below := _mostly_below(_smoothed(strokes), TALK_SHARE * power.max_w, rowed_s)) is not None:
            return below, "power"
    return None, None


def _mostly_below(weighted: Sequence[tuple[float, float]], limit: float, rowed_s: float) -> bool | None:
    """Whether values, with how long they lasted [s], mostly don't exceed a limit; None when too little is known."""
    known_s = sum(lasted_s for _, lasted_s in weighted)
    if known_s < max(LEAST_TALK_S, LEAST_MEASURED * rowed_s):
        return None
    return sum(lasted_s for value, lasted_s in weighted if value <= limit) >= TALK_MOSTLY * known_s


def _smoothed(strokes: Sequence[Stroke]) -> list[tuple[float, float]]:
    """Each stroke's mean power over the last `TALK_S` of rowing [W], with its duration [s]; rests aren't rowing."""
    rowed = _Work(_rowed(strokes))
    lasted_s = [end_s - start_s for start_s, end_s in pairwise(rowed.times_s)]
    return list(zip(rowed.means_w(rowed.times_s[1:], TALK_S), lasted_s, strict=True))


# --- load -------------------------------------------------------------------------------------------------------------


def _load(
    strokes: Sequence[Stroke],
    samples: Sequence[Sample],
    weighted_w: float | None,
    power: _Power | None,
    felt: Felt | None,
) -> tuple[float | None, str | None]:
    """The training load and what it is by: power where it is known, else what was said."""
    if power and weighted_w is not None:
        hours = _Work(_known(strokes)).end_s / 3600.0
        return 100.0 * hours * (weighted_w / power.threshold_w) ** 2, "power"
    if felt is None or felt.exertion is None:
        return None, None
    lasted_s = sum(lasted_s for lasted_s, _ in _stretches(strokes)) or _moving_s(samples)
    return (felt.exertion * lasted_s / 60.0, "exertion") if lasted_s > 0 else (None, None)


def weighted_power_w(strokes: Sequence[Stroke]) -> float | None:
    """Fourth-power mean of the 30-s mean power [W], rests included; None below ten minutes of rowing.

    Coggan's "normalized power".  Between two edges the 30-s mean is a straight line, so its fourth power is integrated
    exactly instead of summed from second to second.
    """
    if sum(lasted_s for _, lasted_s in _rowed(strokes)) < LEAST_LOAD_S:
        return None
    work = _Work(_known(strokes))
    edges_s = {ROLLING_S, *work.times_s, *(time_s + ROLLING_S for time_s in work.times_s)}
    times_s = [time_s for time_s in sorted(edges_s) if ROLLING_S <= time_s <= work.end_s]
    powers = [[rolling_w**i for i in range(5)] for rolling_w in work.means_w(times_s, ROLLING_S)]
    integral = sum(
        (end_s - start_s) * sum(map(mul, reversed(start), end)) / 5.0
        for (start_s, end_s), (start, end) in zip(pairwise(times_s), pairwise(powers), strict=True)
    )
    return float((integral / (work.end_s - ROLLING_S)) ** 0.25)


# --- W' balance -------------------------------------------------------------------------------------------------------


def w_balance_kj(strokes: Sequence[Stroke], critical_power_w: float, w_prime_kj: float) -> tuple[float, ...]:
    """What is left of W' at each stroke's end [kJ], experimental: Froncioni's, Clarke's and Skiba's differential form.

    Above critical power each joule over it is spent; below, what is missing decays at the rate (CP - P) / W', solved
    exactly for each stroke and each rest.  A stroke that nobody saw, or without power, leaves it as it is.

    Args:
        strokes: every stroke, in order.
        critical_power_w: a measured critical power, above 0 [W].
        w_prime_kj: work that can be done above it, above 0 [kJ].
    """
    balances_kj, spent_kj = [], 0.0
    for number, (lasted_s, power_w) in enumerate(_stretches(strokes, longest_pause_s=None)):
        over_kj = 0.0 if power_w is None else (power_w - critical_power_w) * lasted_s / 1000.0
        spent_kj = spent_kj + over_kj if over_kj > 0 else spent_kj * exp(over_kj / w_prime_kj)
        if number % 2:
            balances_kj.append(w_prime_kj - spent_kj)
    return tuple(balances_kj)


def _w_balance(strokes: Sequence[Stroke], athlete: Athlete) -> WBalance | None:
    critical_w, w_prime_kj = athlete.critical_power_w, athlete.w_prime_kj or ASSUMED_W_PRIME_KJ
    if not critical_w:
        return None
    balances_kj = w_balance_kj(strokes, critical_w, w_prime_kj)
    return WBalance(min(balances_kj), balances_kj[-1], w_prime_kj, critical_w)


def _assumed_w_prime(balance: WBalance | None, athlete: Athlete) -> Iterator[str]:
    if balance and not athlete.w_prime_kj:
        yield f"Work above critical power (W′) assumed to be {ASSUMED_W_PRIME_KJ} kJ, the mean of 18 trained men."


# --- notices ----------------------------------------------------------------------------------------------------------


def _notices(samples: Sequence[Sample], heart: _Heart) -> tuple[str, ...]:
    limit_bpm = heart.max_bpm + TOO_HIGH_BPM
    longest_s = _longest_above_s(samples, limit_bpm)
    if longest_s < TOO_HIGH_S:
        return ()
    return (
        f"Your heart rate stayed above {limit_bpm:.0f} for {clock(longest_s)}, but {heart.max_bpm:.0f} is taken as "
        "your highest. If the strap sat well, that number may be too low; if this is new to you, row easier, and with "
        "pain in the chest or dizziness stop and ask a doctor. This is information, not medical advice.",
    )


def _longest_above_s(samples: Sequence[Sample], limit_bpm: float) -> float:
    """The longest that a heart rate stayed above a limit without having jumped there [s]."""
    longest_s = above_s = 0.0
    believed, last, last_s = True, None, 0.0
    for sample, after in pairwise(samples):
        rate, held_s = sample.heart_rate_bpm, after.time_s - sample.time_s
        if rate is None:
            above_s = 0.0
            continue
        jumped = last is not None and abs(rate - last) > JUMP_BPM_PER_S * max(1.0, sample.time_s - last_s)
        last, last_s = rate, sample.time_s
        believed = rate <= limit_bpm or (believed and not jumped)
        above_s = above_s + min(held_s, HELD_S) if rate > limit_bpm and believed else 0.0
        longest_s = max(longest_s, above_s)
        above_s = above_s if held_s <= HELD_S else 0.0
    return longest_s


# --- strokes and samples as values that last --------------------------------------------------------------------------


def _power_w(stroke: Stroke) -> float | None:
    """A stroke's power [W]; None when nobody saw it."""
    return None if stroke.power_w is None or not stroke.seen else max(0.0, stroke.power_w)


def _stretches(
    strokes: Sequence[Stroke], longest_pause_s: float | None = LONGEST_PAUSE_S
) -> Iterator[tuple[float, float | None]]:
    """How long each rest and each stroke lasted, by turns, and its power: 0 in a rest, None where unknown [s, W]."""
    end_s = strokes[0].start_s if strokes else 0.0
    for stroke in strokes:
        rest_s = max(0.0, stroke.start_s - end_s)
        yield rest_s if longest_pause_s is None else min(rest_s, longest_pause_s), 0.0
        yield max(0.0, stroke.duration_s), _power_w(stroke)
        end_s = stroke.end_s


def _known(strokes: Sequence[Stroke]) -> Iterator[tuple[float, float]]:
    """Power and how long it lasted, rests included, what is unknown left out [W, s]."""
    return ((power_w, lasted_s) for lasted_s, power_w in _stretches(strokes) if power_w is not None)


def _rowed(strokes: Sequence[Stroke]) -> Iterator[tuple[float, float]]:
    """Power and how long it lasted, of the strokes alone [W, s]."""
    powers = ((_power_w(stroke), max(0.0, stroke.duration_s)) for stroke in strokes)
    return ((power_w, lasted_s) for power_w, lasted_s in powers if power_w is not None)


def _missing(strokes: Sequence[Stroke], load_by: str | None) -> Iterator[str]:
    """What the load by power leaves out."""
    unknown_s = sum(stroke.duration_s for stroke in strokes if _power_w(stroke) is None)
    if load_by == "power" and unknown_s > 0.01 * sum(stroke.duration_s for stroke in strokes):
        yield f"{clock(unknown_s)} of rowing whose power nobody saw is left out of the load."


def _heart_rates(samples: Sequence[Sample]) -> Iterator[tuple[float, float, bool]]:
    """Each heart rate [1/min], how long it counts [s], and whether somebody was rowing."""
    for sample, after in pairwise(samples):
        if sample.heart_rate_bpm is not None:
            yield sample.heart_rate_bpm, min(after.time_s - sample.time_s, HELD_S), sample.moving


def _moving_s(samples: Sequence[Sample]) -> float:
    return sum(min(after.time_s - sample.time_s, HELD_S) for sample, after in pairwise(samples) if sample.moving)


class _Work:
    """Work done while powers [W] last [s], one after the other: a broken line."""

    def __init__(self, lasting: Iterable[tuple[float, float]]) -> None:
        each = [(power_w, lasted_s) for power_w, lasted_s in lasting if lasted_s > 0]
        self.times_s = [0.0, *accumulate(lasted_s for _, lasted_s in each)]
        self._work_j = [0.0, *accumulate(power_w * lasted_s for power_w, lasted_s in each)]

    @property
    def end_s(self) -> float:
        return self.times_s[-1]

    def means_w(self, ends_s: Sequence[float], window_s: float) -> list[float]:
        """Mean power of the windows that end at these times above 0, shorter at the start [W]."""
        starts_s = [max(0.0, end_s - window_s) for end_s in ends_s]
        done_j = [end_j - start_j for start_j, end_j in zip(self._at(starts_s), self._at(ends_s), strict=True)]
        lasted_s = [end_s - start_s for start_s, end_s in zip(starts_s, ends_s, strict=True)]
        return [max(0.0, each_j) / each_s for each_j, each_s in zip(done_j, lasted_s, strict=True)]

    def _at(self, sought_s: Sequence[float]) -> Iterator[float]:
        """The work done by each time [J]."""
        times_s, work_j, last = self.times_s, self._work_j, len(self.times_s) - 1
        for time_s in sought_s:
            after = min(max(1, bisect_left(times_s, time_s)), last)
            start_s, start_j = times_s[after - 1], work_j[after - 1]
            yield start_j + (work_j[after] - start_j) * (time_s - start_s) / (times_s[after] - start_s)
