"""SYNTHETIC sessions whose intervals are known, as the bytes that a machine would have sent.

An athlete rows a list of pieces.  Each stroke's power carries noise that remembers the stroke before and a drift that
takes minutes; the flywheel shows a new effort only over some strokes, and the athlete reacts at a stroke, not within
one.  Figures are from the interval study of real rows (sections 1.2 and 4): the noise of two athletes and the step
response of the flywheel.

What is rowed is written as Rower Data (0x2AD1): watts, metres and seconds whole, as on the wire.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rowsync.ftms import ROWER_DATA, RowerData, encode_rower_data
from rowsync.intervals import Effort
from rowsync.plan import parse_plan
from rowsync.readers import ROW_READERS
from rowsync.telemetry import CONCEPT2_W_S3_PER_M3, Item, Notification

Span = tuple[float, float]
"""Start and end [s]."""


class LabelledSession(NamedTuple):
    """A session and what is known of it.

    Attributes:
        items: what the machine sent, and what else was recorded.
        hard: the hard intervals, in order, on the clock of the items; none in a steady row.
        plan: what was meant, as `rowsync.plan` reads it; None when nobody said.
        duration_s: how long it took [s].
        machine: what the machine is called; empty when nobody knows.
    """

    items: tuple[Item, ...]
    hard: tuple[Span, ...]
    plan: str | None
    duration_s: float
    machine: str = ""

    @property
    def first_s(self) -> float:
        """When the machine first spoke of the row: rowsync's zero [s]."""
        return began_s(self.items)


def began_s(items: Sequence[Item]) -> float:
    """When a machine first spoke of the row; a strap may have been there before [s]."""
    return next((i.time_s for i in items if isinstance(i, Notification) and i.characteristic in ROW_READERS), 0.0)


# --- what is rowed ----------------------------------------------------------------------------------------------------


class Piece(NamedTuple):
    """A stretch of one effort, by the clock or by the metre; 0 W is a full stop."""

    power_w: float
    duration_s: float = math.inf
    distance_m: float = math.inf
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """A session to row.

    Attributes:
        pieces: what is rowed.
        plan: what was meant; it needn't be what is rowed.
        stream: when the machine notifies, a key of `STREAMS`.
        stroke_rate_spm: strokes a minute whatever the power; None for a rate that grows with it.
        sends_power: whether the machine says watts; else only pace and metres.
        sprint_strokes: strokes of `SPRINT_RATIO` at the start of each hard piece.
        dropouts: how often nothing arrives for `DROPOUT_S`.
    """

    pieces: tuple[Piece, ...]
    plan: str
    stream: str = "stroke+1hz"
    stroke_rate_spm: float | None = None
    sends_power: bool = True
    sprint_strokes: int = 0
    dropouts: int = 0

    @property
    def steady(self) -> bool:
        """Whether there is nothing to find."""
        return not any(piece.hard for piece in self.pieces)


EASY_W = 110.0
SPRINT_RATIO = 1.4
DROPOUT_S = 10.0
KAYAK_SPM = 80.0


def planned(plan: str, ratio: float) -> tuple[Piece, ...]:
    """A plan's pieces as rowed by somebody who keeps to it, hard pieces at `ratio` times the easy power."""
    powers_w = {Effort.HARD: ratio * EASY_W, Effort.REST: 0.0}
    return tuple(
        Piece(
            powers_w.get(piece.effort, EASY_W),
            piece.duration_s or math.inf,
            piece.distance_m or math.inf,
            piece.effort is Effort.HARD,
        )
        for piece in parse_plan(plan).pieces
    )


def rowed(plan: str, ratio: float) -> Scenario:
    """The scenario of a plan that is kept."""
    return Scenario(planned(plan, ratio), plan)


SEED_WORKOUT = "5m + 10x45/75 + 3m"
PYRAMID = "5m + " + " + ".join(f"1x{minutes}m/{minutes}m" for minutes in (1, 2, 3, 2, 1)) + " + 1m"
MODERATE = rowed(SEED_WORKOUT, 1.6)
WITH_STOPS = rowed("5m + 8x500m/60r", 1.8)
STEADY = Scenario((Piece(EASY_W, 1800),), "30m")

SCENARIOS = {
    "10x45/75 at 1.15": rowed(SEED_WORKOUT, 1.15),
    "10x45/75 at 1.3": rowed(SEED_WORKOUT, 1.3),
    "10x45/75 at 1.6": MODERATE,
    "10x45/75 at 2.5": rowed(SEED_WORKOUT, 2.5),
    "10x45/75 at 1.6, one notification a second": replace(MODERATE, stream="1hz"),
    "10x45/75 at 1.6, one notification a stroke": replace(MODERATE, stream="stroke"),
    "10x45/75 at 1.6, sprint starts": replace(MODERATE, sprint_strokes=5),
    "10x45/75 at 1.6, two dropouts": replace(MODERATE, dropouts=2),
    "10x45/75 at 1.3, pace only": replace(rowed(SEED_WORKOUT, 1.3), sends_power=False),
    "10x45/75 at 1.6, pace only": replace(MODERATE, sends_power=False),
    "10x45/75 at 1.6, no warm-up or cool-down": rowed("9x45/75 + 1x45", 1.6),
    "10x45/75 at 1.6, kayak": replace(MODERATE, stream="1hz", stroke_rate_spm=KAYAK_SPM),
    "10x30/30 at 1.6": rowed("5m + 10x30/30 + 3m", 1.6),
    "8x20/10 with stops": rowed("5m + 8x20/10r + 3m", 2.5),
    "pyramid at 1.6": rowed(PYRAMID, 1.6),
    "8x500 m with stops": WITH_STOPS,
    "8x500 m with stops, though 10x45/75 was planned": replace(WITH_STOPS, plan=SEED_WORKOUT),
    "steady 30 min": STEADY,
    "steady 30 min, one notification a second": replace(STEADY, stream="1hz"),
    "steady 30 min, pace only": replace(STEADY, sends_power=False),
    "steady 30 min, though 10x45/75 was planned": replace(STEADY, plan=SEED_WORKOUT),
    "steady, two 40 s drinks": replace(
        STEADY, pieces=tuple(Piece(*piece) for piece in ((EASY_W, 700), (0, 40), (EASY_W, 500), (0, 40), (EASY_W, 560)))
    ),
    "steady, a 60 s drink": replace(
        STEADY, pieces=tuple(Piece(*piece) for piece in ((EASY_W, 1100), (0, 60), (EASY_W, 700)))
    ),
    "steady, negative split": replace(STEADY, pieces=tuple(Piece(share * EASY_W, 600) for share in (1, 1.08, 1.17))),
    "steady, warm-up and cool-down": Scenario(
        (Piece(0.75 * EASY_W, 300), Piece(EASY_W, 1200), Piece(0.7 * EASY_W, 180)), "28m"
    ),
    "steady, fast finish": replace(STEADY, pieces=(Piece(EASY_W, 1700), Piece(1.5 * EASY_W, 60))),
}


# --- who rows ---------------------------------------------------------------------------------------------------------


class Athlete(NamedTuple):
    """Standard deviations of log power: from stroke to stroke, and of the drift over minutes."""

    noise: float
    drift: float


ATHLETES = {"trained": Athlete(0.03, 0.02), "beginner": Athlete(0.074, 0.07)}

NOISE_MEMORY = 0.6
DRIFT_S = 120.0
STOPPED_W = 25.0
RISE = (0.5, 0.85, 0.95, 1.0)
"""Share of a step up, in log power, that the strokes after it show."""
FALL = (0.3, 0.6, 0.8, 0.92, 1.0)
"""The same of a step down: the flywheel coasts."""


class Shown(NamedTuple):
    """What a machine shows once a stroke is over; None is what it doesn't know.

    Attributes:
        time_s: when [s].
        power_w: power [W].
        stroke_rate_spm: stroke rate [1/min].
        pace_s_per_500m: pace [s/500 m].
        distance_m: distance so far [m].
    """

    time_s: float
    power_w: float | None
    stroke_rate_spm: float | None
    pace_s_per_500m: float | None
    distance_m: float | None


class Rower:
    """Rows piece after piece and remembers every stroke; the same seed rows the same.

    Attributes:
        bell_s: when the last piece was over [s].
        strokes: what the machine showed.
    """

    def __init__(self, scenario: Scenario, athlete: Athlete, random: np.random.Generator) -> None:
        self._scenario, self._athlete, self._random = scenario, athlete, random
        self._noise = self._drift = 0.0
        self._level = self._from = self._goal = math.log(max(scenario.pieces[0].power_w, STOPPED_W))
        self._answered = 0
        self._time_s = self._distance_m = 0.0
        self.bell_s = 0.0
        self.strokes: list[Shown] = []

    def row(self, piece: Piece) -> Span:
        """Row a piece; answer from which bell to which."""
        rung_s, start_m = self.bell_s, self._distance_m
        if piece.power_w == 0:
            self._stop(piece)
            return rung_s, self.bell_s
        for number in range(10_000):
            if self._time_s >= rung_s + piece.duration_s or self._distance_m - start_m >= piece.distance_m:
                break
            sprinting = piece.hard and number < self._scenario.sprint_strokes
            self._stroke(piece.power_w * (SPRINT_RATIO if sprinting else 1.0))
        self.bell_s = rung_s + piece.duration_s if math.isfinite(piece.duration_s) else self._time_s
        return rung_s, self.bell_s

    def _stop(self, piece: Piece) -> None:
        self.bell_s += piece.duration_s
        self._time_s = max(self._time_s, self.bell_s)
        self._level = self._from = self._goal = math.log(STOPPED_W)

    def _stroke(self, power_w: float) -> None:
        took_s = 60.0 / (rate_spm := self._rate_spm(power_w))
        level = self._answer(math.log(power_w)) + self._restlessness(took_s)
        speed_m_per_s = (math.exp(level) / CONCEPT2_W_S3_PER_M3) ** (1 / 3)
        self._time_s += took_s
        self._distance_m += took_s * speed_m_per_s
        self.strokes.append(Shown(self._time_s, math.exp(level), rate_spm, 500 / speed_m_per_s, self._distance_m))

    def _answer(self, goal: float) -> float:
        """Log power that the flywheel shows: on its way to what the athlete pulls."""
        if goal != self._goal:
            self._from, self._goal, self._answered = self._level, goal, 0
        response = RISE if goal > self._from else FALL
        self._level = self._from + (goal - self._from) * response[min(self._answered, len(response) - 1)]
        self._answered += 1
        return self._level

    def _restlessness(self, took_s: float) -> float:
        fresh_noise, fresh_drift = self._random.normal(0, self._athlete)
        self._noise = NOISE_MEMORY * self._noise + math.sqrt(1 - NOISE_MEMORY**2) * fresh_noise
        self._drift += -self._drift * took_s / DRIFT_S + math.sqrt(2 * took_s / DRIFT_S) * fresh_drift
        return self._noise + self._drift

    def _rate_spm(self, power_w: float) -> float:
        usual = self._scenario.stroke_rate_spm or 17 + 11 * min(max(power_w / 220, 0.2), 1.25)
        return max(usual + self._random.normal(0, 0.6), 14)


def session(scenario: Scenario, athlete: str, seed: int, stream: str | None = None) -> LabelledSession:
    """Row a scenario; the same arguments give the same bytes.

    Args:
        scenario: what to row, one of `SCENARIOS`.
        athlete: who, a key of `ATHLETES`.
        seed: which of the many ways to row it.
        stream: when the machine notifies; None for the scenario's own way.
    """
    random = np.random.default_rng(seed)
    rower = Rower(scenario, ATHLETES[athlete], random)
    spans = [rower.row(piece) for piece in scenario.pieces]
    duration_s = max(rower.bell_s, rower.strokes[-1].time_s)
    lost_s = random.uniform(60, duration_s - 60, scenario.dropouts)
    sent = notifications(rower.strokes, stream or scenario.stream, duration_s, scenario.sends_power)
    return LabelledSession(
        tuple(one for one in sent if not any(0 < one.time_s - start_s <= DROPOUT_S for start_s in lost_s)),
        tuple(span for span, piece in zip(spans, scenario.pieces, strict=True) if piece.hard),
        scenario.plan,
        duration_s,
    )


# --- what the machine sends -------------------------------------------------------------------------------------------


class Stream(NamedTuple):
    """When a machine notifies: at each stroke, each second, or both.  It repeats the last stroke, in stops for ever."""

    at_strokes: bool
    each_second: bool


STREAMS = {"stroke+1hz": Stream(True, True), "stroke": Stream(True, False), "1hz": Stream(False, True)}


def notifications(strokes: Sequence[Shown], stream: str, duration_s: float, sends_power: bool) -> list[Notification]:
    """What a machine sends of these strokes.

    Args:
        strokes: what it shows after each, in order.
        stream: a key of `STREAMS`.
        duration_s: how long it goes on [s].
        sends_power: whether it says watts.
    """
    return [
        Notification(round(time_s, 3), ROWER_DATA, rower_data(shown, count, int(time_s), sends_power))
        for time_s, count, shown in _moments(strokes, STREAMS[stream], duration_s)
    ]


_NOTHING_YET = Shown(0.0, None, None, None, None)


def _moments(strokes: Sequence[Shown], stream: Stream, duration_s: float) -> Iterator[tuple[float, int, Shown]]:
    """Times to notify at, the strokes counted by then and the last of them."""
    ends_s = [shown.time_s for shown in strokes]
    moments = [(end_s, count) for count, end_s in enumerate(ends_s, start=1)] if stream.at_strokes else []
    if stream.each_second:
        moments += [(float(second), bisect_right(ends_s, second)) for second in range(math.ceil(duration_s) + 1)]
    for time_s, count in sorted(moments):
        yield time_s, count, strokes[count - 1] if count else _NOTHING_YET


MOST_PACE = 0xFFFE


def rower_data(shown: Shown, count: int, elapsed_s: int, sends_power: bool) -> bytes:
    """One Rower Data notification, each value cut to what its field can hold; what isn't known is 0."""
    pace = round(shown.pace_s_per_500m or 0)
    power_w = min(max(round(shown.power_w or 0), -0x8000), 0x7FFF)
    return encode_rower_data(
        RowerData(
            stroke_rate_spm=min(max(shown.stroke_rate_spm or 0, 0), 127.5),
            stroke_count=count & 0xFFFF,
            total_distance_m=int(max(0, shown.distance_m or 0)) & 0xFFFFFF,
            instantaneous_pace_s_per_500m=pace if 0 < pace <= MOST_PACE else 0,
            instantaneous_power_w=power_w if sends_power else None,
            elapsed_time_s=elapsed_s & 0xFFFF,
        )
    )
