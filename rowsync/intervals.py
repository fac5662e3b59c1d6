"""Strokes to hard, easy, rest, warm-up, cool-down and steady segments.

A session is read as an athlete who rows at some level on a ladder of powers, either easy or hard.  Inside an effort
the level may drift slowly; changing the effort takes an abrupt step and costs a fixed price.  The cheapest story that
explains every stroke (`LadderModel`, a hidden Markov model) cuts the session into blocks.  The blocks are then compared
with each other, and the whole is asked whether it is an interval session at all: a steady row has no hard pieces,
however noisy.  Nobody supplies a threshold in watts.

    strokes → Row (spans of rowing and of stopping) → LadderModel → Blocks → bouts → Segments

Numbers marked DEV were chosen on the development rows of the interval study (35 interval sessions, 105 steady rows).
They are shares, seconds, ratios and costs; a cost is in nats, the unit of log-likelihood.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from rowsync.strokes import Stroke
from rowsync.telemetry import CONCEPT2_W_S3_PER_M3

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# --- strokes -----------------------------------------------------------------------------------------------------
MOST_POWER_W = 2000.0  # nobody pulls more for a whole stroke; 65535 means "not available" on several machines
MOST_SPEED_M_PER_S = 9.0  # what that power makes on a Concept2
SHORTEST_STROKE_S = 0.2  # 300 strokes a minute: nobody rows that, telemetry stumbles
LONGEST_STROKE_S = 20.0  # more than that under one stroke number is a stop with a stroke at its end
BRIDGED_GAP_S = 1.0  # telemetry comes at 1-4 Hz, so a shorter hole between two strokes is only rounding
POOLED_STROKES = 3  # strokes averaged where power comes from distance: 1 m and 1 s steps are coarse for one stroke
FROZEN_POWER_AFTER_S = 6.0  # a stroke longer than this with hardly any distance carries a power frozen in a rest (DEV)
FROZEN_POWER_SHARE = 0.3  # ... hardly any: distance implies less than this share of the reported power (DEV)

# --- the logarithmic scale ---------------------------------------------------------------------------------------
REFERENCE_SHARE = 0.9  # the reference is the power that 90 % of the rowing stays below
SOFT_FLOOR = 0.12  # share of the reference under which the scale stops telling powers apart (DEV)
STOPPED_LEVEL = -2.0  # below this on the scale (3 % of the reference) nobody is rowing
LOWEST_LEVEL, HIGHEST_LEVEL = -1.98, 0.50  # ends of the ladder: 3.5 % and 173 % of the reference
PADDLING_LEVEL = -0.8  # rungs below this (38 % of the reference) are recovery: stopping there costs nothing
ERRATIC_LEVELS, ERRATIC_NOISE = (-1.2, -0.5), 0.25  # people paddle anyhow: noise widens to 25 % at low levels (DEV)
LEAST_NOISE, MOST_NOISE = 0.03, 0.10  # stroke noise: trained 0.03, beginner 0.074 (sd of log power, 192 rows)
EARLY_NOISE = 0.06  # assumed until there are strokes enough to measure it
NOISE_WINDOW_STROKES = 13  # about 31 s: long against the noise, short against the drift
CORRELATED_SHARE = 0.12  # neighbouring seconds repeat each other, so each counts for this share of evidence (DEV)
STOP_COST_PER_S = 0.02  # a full stop inside a recovery block (DEV)


@dataclass(frozen=True, slots=True)
class Ladder:
    """What changing and keeping an effort costs [nats].

    Attributes:
        rung: height of a rung in log power; 0.06 is 6 %.
        change_cost: price of turning easy into hard or back.
        least_rungs: smallest step that can change the effort.
        drift_cost: price of sliding one rung inside an effort.
        drift_every_s: how often it may slide one [s].
        dip_cap_per_s: most that a second below the level can cost: 2 * change_cost / this is the shortest pause that
            can split a piece [s].
        burst_cap_per_s: most that a second above the level can cost: likewise the shortest sprint that can be a piece.
    """

    rung: float
    change_cost: float
    least_rungs: int
    drift_cost: float
    drift_every_s: float
    dip_cap_per_s: float
    burst_cap_per_s: float


# 2 * 3.5 / 0.30 = 23 s is the shortest pause that splits a piece, 2 * 3.5 / 0.60 = 12 s the shortest sprint (DEV)
WHOLE_SESSION = Ladder(0.06, 3.5, 2, drift_cost=0.2, drift_every_s=14, dip_cap_per_s=0.30, burst_cap_per_s=0.60)
# 5 s and 3 s: sees 30/30 and Tabata, and much that is not there; believed only when strikingly regular (DEV)
REGULAR_SESSION = Ladder(0.05, 1.5, 1, drift_cost=0.2, drift_every_s=20, dip_cap_per_s=0.60, burst_cap_per_s=0.90)
# hard 8 s, easy 18 s after the bell (synthetic 220/90 W); says hard 2-4 times in a steady hour (a fifth of DEV)
LIVE = Ladder(0.06, 2.5, 2, drift_cost=0.7, drift_every_s=1, dip_cap_per_s=0.30, burst_cap_per_s=0.60)

# --- blocks ------------------------------------------------------------------------------------------------------
FOLLOWING_UP_S, FOLLOWING_DOWN_S = 3.0, 2.0  # the flywheel needs so long to show a new effort ...
FOLLOWED_FROM_S = 12.0  # ... which only matters little in blocks this long
STOPPED_SHARE = 0.06  # a block under this share of the reference is a stop
TWO_CLASSES_RATIO = 1.35  # hard and easy are two kinds of rowing when this far apart ...
TWO_CLASSES_SHARE = 0.06  # ... and the rarer of them fills this share of the time
CLASS_BORDER = 0.4  # the border lies at this share of the way from the easy to the hard mean
LEAST_CONTRAST = 1.22  # a recovery rowed with less contrast than this is part of the piece
LEAST_CONTRAST_REGULAR = 1.05  # the same in the regular pass
PAUSE_MOST_S, PAUSE_SHARE_OF_REST = 25.0, 0.45  # a stop shorter than both, and than 45 % of a usual rest, is a pause
DRINK_MOST_S, DRINK_SHARE_OF_PIECE = 55.0, 1 / 10  # a stop shorter than both, next to long pieces, is a drink
EQUAL_PIECES_RATIO = 1.35  # a pause only joins pieces of about the same power
EDGE_PIECE_SHARE, EDGE_PIECE_BELOW_ALL = 0.75, 0.9  # first or last piece this weak is warm-up or cool-down
BUMP_RATIO, BUMP_MOST_S = 1.6, 60.0  # a short rise this far under the usual piece belongs to the recovery
STABLE_AFTER_ROUNDS = 5  # relabelling stops here even if it should go round in circles

# --- is it an interval session? ----------------------------------------------------------------------------------
# Logistic evidence, fitted on DEV: each line says how much a feature adds.  Above 0 the session is intervals.
EVIDENCE_START = -3.27
EVIDENCE_PER_PIECE, EVIDENCE_MOST_PIECES = 0.60, 8  # more pieces
EVIDENCE_PER_LOG_REST_SHARE = 0.53  # more of the time between the first and the last piece spent recovering
EVIDENCE_PER_LOG_REST_LENGTH, TYPICAL_REST_S = 0.51, 30.0  # longer recoveries
EVIDENCE_PER_LOG_CONTRAST = 0.90  # more contrast in units of the noise
EVIDENCE_PER_SPREAD = -1.85  # pieces of unequal length
NOISE_MEAN_STROKES = 4  # restlessness is judged on means of this many strokes, about 10 s

# The regular pass must show all of this (never met by a steady row of DEV).
REGULAR_LEAST_PIECES = 4
REGULAR_PIECE_SPREAD, REGULAR_REST_SPREAD = 0.22, 0.28  # sd of log duration
REGULAR_REST_SHARE = 0.12
REGULAR_CONTRAST_RATIO, REGULAR_CONTRAST_NOISES = 1.08, 1.6

# --- edges and names ---------------------------------------------------------------------------------------------
# What the flywheel shows of a step in the first strokes after it: up in power, down in log power (study, section 1.2).
RISE = (0.5, 0.8, 0.9, 0.95, 1.0)
FALL = (0.45, 0.75, 0.9, 0.95, 1.0)
SETTLED_AFTER_S, SETTLED_BEFORE_S = 6.0, 2.0  # how far from a change its two levels are read
EDGE_REACH_S = 12.0  # how far an edge may move to find its stroke
EDGE_CONTEXT_S = 20.0  # how much of either side is looked at
SHORTEST_PIECE_S = 6.0  # two strokes
STROKES_AT_A_STOP = 2  # so few strokes between a piece and a full stop belong to the piece
LONG_STOP_S = 25.0  # a full stop this long in a warm-up, a cool-down or a steady row is a rest
UNROWED_EDGE_S = 30.0  # a session's first or last seconds without a stroke are a rest when longer than this ...
UNROWED_BESIDE_HARD_S = 3.0  # ... or than this beside a hard piece, whose edges are dated to the stroke
WARMUP_LEAST_S, WARMUP_MOST_SHARE, WARMUP_RATIO = 120.0, 0.4, 0.85  # of a steady row: minutes long, clearly weaker
LIVE_REST_AFTER_S = 7.0  # no stroke for so long is a stop (ESPRowingMonitor waits as long)
LIVE_LEVEL_AFTER_STROKES = 16  # about 45 s: from then on the live reference is the measured one
LIVE_NEW_REFERENCE = 0.10  # the live model starts again when the reference has moved by 10 %
LIVE_HEADROOM = 1.3  # until then hard pieces are expected this far above the first strokes


class Effort(StrEnum):
    """What a stretch of a session was rowed as."""

    HARD = "hard"
    EASY = "easy"
    REST = "rest"
    WARMUP = "warmup"
    COOLDOWN = "cooldown"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one effort [s]; the segments of a session tile it from its start to its end."""

    effort: Effort
    start_s: float
    end_s: float


class Segmenter:
    """Splits a stream of strokes where the effort changes and stays changed."""

    def __init__(self) -> None:
        self._strokes: list[Stroke] = []
        self._live = LiveEffort()

    def feed(self, stroke: Stroke) -> None:
        """Takes the next stroke; times between strokes that no stroke owns are rest."""
        before_s = self._strokes[-1].end_s if self._strokes else 0.0
        if not (math.isfinite(stroke.start_s) and math.isfinite(stroke.end_s) and stroke.end_s > before_s):
            return
        start_s = max(stroke.start_s, before_s, stroke.end_s - LONGEST_STROKE_S)
        if stroke.end_s - start_s >= SHORTEST_STROKE_S:
            self._strokes.append(replace(stroke, start_s=start_s))
            self._live.feed(self._strokes)

    def effort(self, time_s: float) -> Effort | None:
        """The provisional effort at `time_s`, at or after the last stroke [s]; None before the first stroke."""
        if not self._strokes:
            return None
        if time_s - self._strokes[-1].end_s > LIVE_REST_AFTER_S:
            return Effort.REST
        return self._live.effort

    def finish(self, end_s: float) -> tuple[Segment, ...]:
        """The session as segments that tile it from 0 to `end_s` [s], no two neighbours of the same effort."""
        if not end_s > 0:
            return ()
        strokes = [
            replace(s, end_s=min(s.end_s, end_s)) for s in self._strokes if s.start_s <= end_s - SHORTEST_STROKE_S
        ]
        if not strokes:
            return (Segment(Effort.REST, 0.0, end_s),)
        row = Row.of(strokes)
        blocks, pieces = find_pieces(row)
        named = interval_segments(row, pieces) if pieces else steady_segments(row, blocks)
        return tile(named, end_s)


# --- strokes to spans --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A session as spans of rowing (one a stroke) and of stopping, in order and without holes [s, W]."""

    start_s: Floats
    end_s: Floats
    power_w: Floats
    rowed: Bools

    @classmethod
    def of(cls, strokes: Sequence[Stroke]) -> Row:
        """The row that these strokes make: it begins with the first of them and ends with the last."""
        powers_w = effective_powers_w(strokes)
        spans: list[tuple[float, float, float, bool]] = []
        for stroke, power_w in zip(strokes, powers_w.tolist(), strict=True):
            start_s = stroke.start_s
            if spans and start_s > spans[-1][1]:
                if start_s - spans[-1][1] > BRIDGED_GAP_S:
                    spans.append((spans[-1][1], start_s, 0.0, False))
                else:
                    start_s = spans[-1][1]
            spans.append((start_s, stroke.end_s, power_w, True))
        start, end, power, rowed = zip(*spans, strict=True)
        return cls(np.array(start), np.array(end), np.array(power), np.array(rowed))

    @property
    def durations_s(self) -> Floats:
        """How long each span lasts [s]."""
        return self.end_s - self.start_s

    @property
    def reference_w(self) -> float:
        """The power that 90 % of the rowing stays below [W]."""
        return reference_of(np.sort(self.power_w[self.rowed]))

    def levels(self) -> Floats:
        """Each span on the logarithmic scale: 0 at the reference."""
        return level_of(self.power_w, self.reference_w)

    def stopped_s(self, start_s: float, end_s: float) -> float:
        """How long nobody rowed between two times [s]."""
        inside_s = np.minimum(self.end_s, end_s) - np.maximum(self.start_s, start_s)
        return (end_s - start_s) - float(np.sum(np.maximum(inside_s, 0.0), where=self.rowed))


def effective_powers_w(strokes: Sequence[Stroke]) -> Floats:
    """Power of each stroke [W]: as reported, else as its distance implies, else as its neighbours have it."""
    reported = np.array([reported_power_w(stroke) for stroke in strokes])
    implied = implied_powers_w(strokes)
    durations_s = np.array([stroke.duration_s for stroke in strokes])
    frozen = (durations_s > FROZEN_POWER_AFTER_S) & (implied < FROZEN_POWER_SHARE * reported)
    power = np.where(np.isnan(reported) | frozen, implied, reported)
    known = np.flatnonzero(~np.isnan(power))
    if not known.size:
        return np.ones(len(strokes))
    bridged: Floats = np.interp(np.arange(len(strokes)), known, power[known])
    return bridged


def reported_power_w(stroke: Stroke) -> float:
    """The stroke's own power [W]; NaN where it has none or one that nobody can pull."""
    power_w = stroke.power_w
    return power_w if power_w is not None and 0 < power_w <= MOST_POWER_W else math.nan


def implied_powers_w(strokes: Sequence[Stroke]) -> Floats:
    """Power that distance over time implies, pooled over neighbouring strokes of the same stretch [W]."""
    metres = np.array([stroke.distance_m if known_distance(stroke) else math.nan for stroke in strokes], dtype=float)
    seconds = np.array([stroke.duration_s for stroke in strokes])
    stretch = np.cumsum([0, *(b.start_s - a.end_s > BRIDGED_GAP_S for a, b in pairwise(strokes))])
    speed = np.full(len(strokes), math.nan)
    for first, last in runs(stretch):
        pooled_m, pooled_s = pooled(metres[first:last], seconds[first:last])
        speed[first:last] = np.divide(pooled_m, pooled_s, out=np.full(last - first, math.nan), where=pooled_s > 0)
    implied: Floats = CONCEPT2_W_S3_PER_M3 * np.minimum(speed, MOST_SPEED_M_PER_S) ** 3
    return implied


def known_distance(stroke: Stroke) -> bool:
    """Whether the stroke's distance is one that can be rowed, and not a counter that jumped or started again."""
    return stroke.distance_m is not None and 0 <= stroke.distance_m <= MOST_SPEED_M_PER_S * LONGEST_STROKE_S


def pooled(metres: Floats, seconds: Floats) -> tuple[Floats, Floats]:
    """Distance and time summed over each stroke and its neighbours; strokes without a distance stay out."""
    known = ~np.isnan(metres)
    window = np.ones(POOLED_STROKES)
    half = POOLED_STROKES // 2
    sums = [
        np.convolve(np.where(known, values, 0.0), window)[half : half + len(metres)] for values in (metres, seconds)
    ]
    return sums[0], sums[1]


def reference_of(sorted_powers_w: Sequence[float] | Floats) -> float:
    """The reference power of strokes in order of power [W]; never zero."""
    return max(float(sorted_powers_w[int(REFERENCE_SHARE * (len(sorted_powers_w) - 1))]), 1.0)


def level_of(power_w: Floats, reference_w: float) -> Floats:
    """Power on a logarithmic scale with a soft floor: 0 at the reference, -2.2 at a full stop."""
    levels: Floats = np.log(power_w / reference_w + SOFT_FLOOR) - math.log1p(SOFT_FLOOR)
    return levels


def stroke_noise(levels: Floats) -> float:
    """Spread of strokes around their neighbours (sd of log power), judged on the quieter half of them."""
    if len(levels) < 2 * NOISE_WINDOW_STROKES:
        return EARLY_NOISE
    padded = np.pad(levels, NOISE_WINDOW_STROKES // 2, mode="reflect")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, NOISE_WINDOW_STROKES), axis=1)
    return float(np.percentile(np.abs(levels - middle), 55)) / 0.755  # 55 % of a normal lie within 0.755 sd


# --- the model ---------------------------------------------------------------------------------------------------


class LadderModel:
    """The cheapest story so far that ends on each rung of each effort.

    One recursion for live and for the whole session: `advance` takes the next span.  Costs and origins are arrays of
    two rows, easy and hard, with a column for every rung.

    Args:
        ladder: what changes cost.
        noise: spread of strokes around the level they are rowed at (sd of log power).
    """

    def __init__(self, ladder: Ladder, noise: float) -> None:
        self._ladder = ladder
        self._rungs = np.arange(LOWEST_LEVEL, HIGHEST_LEVEL, ladder.rung)
        self._columns = np.arange(len(self._rungs))
        noise = min(max(noise, LEAST_NOISE), MOST_NOISE)
        spread = np.interp(self._rungs, ERRATIC_LEVELS, (ERRATIC_NOISE, noise))
        self._evidence_per_s = CORRELATED_SHARE / (2 * spread**2)
        self._stop_cost_per_s = np.full((2, len(self._rungs)), ladder.dip_cap_per_s)
        self._stop_cost_per_s[0, self._rungs < PADDLING_LEVEL] = STOP_COST_PER_S
        self._cost = np.zeros((2, len(self._rungs)))
        self._stay = np.arange(self._cost.size).reshape(self._cost.shape)
        self._since_drift_s = 0.0

    def advance(self, level: float, duration_s: float) -> NDArray[np.intp]:
        """Takes the next span and returns, for each state, the state it came from."""
        cost, origin = self._drifted(duration_s)
        self._changed(cost, origin)
        cost += self._misfit_per_s(level) * duration_s
        self._cost = cost - cost.min()
        return origin

    @property
    def best(self) -> int:
        """The state in which the cheapest story ends; hard from `first_hard` on."""
        return int(self._cost.argmin())

    @property
    def first_hard(self) -> int:
        """Number of the lowest hard state."""
        return len(self._rungs)

    def _misfit_per_s(self, level: float) -> Floats:
        if level < STOPPED_LEVEL:
            return self._stop_cost_per_s
        residual = level - self._rungs
        cap = np.where(residual < 0, self._ladder.dip_cap_per_s, self._ladder.burst_cap_per_s)
        misfit: Floats = np.minimum(self._evidence_per_s * residual**2, cap)
        return misfit

    def _drifted(self, duration_s: float) -> tuple[Floats, NDArray[np.intp]]:
        """Costs after sliding at most one rung, when it is time for that."""
        cost, origin = self._cost.copy(), self._stay.copy()
        self._since_drift_s += duration_s
        if self._since_drift_s < self._ladder.drift_every_s:
            return cost, origin
        self._since_drift_s %= self._ladder.drift_every_s
        dearer = self._cost + self._ladder.drift_cost
        take(cost[:, 1:], origin[:, 1:], dearer[:, :-1], self._stay[:, :-1])
        take(cost[:, :-1], origin[:, :-1], dearer[:, 1:], self._stay[:, 1:])
        return cost, origin

    def _changed(self, cost: Floats, origin: NDArray[np.intp]) -> None:
        """Lets hard fall to any easy rung far enough below, and easy rise to any hard one far enough above."""
        step, (easy, hard) = self._ladder.least_rungs, self._cost
        cheapest, column = running_minimum(easy, self._columns)
        take(cost[1, step:], origin[1, step:], cheapest[:-step] + self._ladder.change_cost, column[:-step])
        cheapest, column = running_minimum(hard[::-1], self._columns)
        from_state = 2 * len(hard) - 1 - column[::-1]
        take(cost[0, :-step], origin[0, :-step], cheapest[::-1][step:] + self._ladder.change_cost, from_state[step:])


def take(cost: Floats, origin: NDArray[np.intp], offered: Floats, offered_from: NDArray[np.intp]) -> None:
    """Replaces costs and origins, in place, where the offer is cheaper."""
    cheaper = offered < cost
    np.copyto(cost, offered, where=cheaper)
    np.copyto(origin, offered_from, where=cheaper)


def running_minimum(cost: Floats, columns: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
    """The cheapest up to each column, and the column it stands in."""
    cheapest = np.minimum.accumulate(cost)
    return cheapest, np.maximum.accumulate(np.where(cost == cheapest, columns, 0))


class LiveEffort:
    """The effort now, as the strokes so far tell it."""

    def __init__(self) -> None:
        self._sorted_w: list[float] = []
        self._spans: list[tuple[float, float]] = []
        self._reference_w = math.nan
        self._model: LadderModel | None = None
        self._changed: Bools = np.zeros(0, dtype=bool)

    @property
    def effort(self) -> Effort:
        """Hard or easy; warm-up as long as nothing has contrasted with anything."""
        model = self._model
        if model is None or not self._changed[model.best]:
            return Effort.WARMUP
        return Effort.HARD if model.best >= model.first_hard else Effort.EASY

    def feed(self, strokes: Sequence[Stroke]) -> None:
        """Takes the last of these strokes, and the stop before it."""
        row = Row.of(strokes[-POOLED_STROKES:])
        new = 2 if len(row.rowed) > 1 and not row.rowed[-2] else 1
        insort(self._sorted_w, float(row.power_w[-1]))
        spans = list(zip(row.power_w[-new:].tolist(), row.durations_s[-new:].tolist(), strict=True))
        self._spans += spans
        reference_w = self._causal_reference_w()
        if self._model is None or abs(math.log(reference_w / self._reference_w)) > LIVE_NEW_REFERENCE:
            self._advance(self._start_again(reference_w), self._spans)
        else:
            self._advance(self._model, spans)

    def _causal_reference_w(self) -> float:
        """The reference of the strokes so far [W]; a session mostly starts easier than it goes on."""
        reference_w = reference_of(self._sorted_w)
        return reference_w if len(self._sorted_w) >= LIVE_LEVEL_AFTER_STROKES else LIVE_HEADROOM * reference_w

    def _start_again(self, reference_w: float) -> LadderModel:
        powers_w = np.array([power_w for power_w, _ in self._spans])
        noise = stroke_noise(level_of(powers_w[powers_w > 0], reference_w))
        self._reference_w, self._model = reference_w, LadderModel(LIVE, noise)
        self._changed = np.zeros(2 * self._model.first_hard, dtype=bool)
        return self._model

    def _advance(self, model: LadderModel, spans: Sequence[tuple[float, float]]) -> None:
        now_hard = np.arange(2 * model.first_hard) >= model.first_hard
        levels = level_of(np.array([power_w for power_w, _ in spans]), self._reference_w)
        for level, (_, duration_s) in zip(levels.tolist(), spans, strict=True):
            origin = model.advance(level, duration_s).ravel()
            self._changed = self._changed[origin] | (now_hard != (origin >= model.first_hard))


# --- blocks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring spans of one effort: from span number `first` up to but without `last`."""

    hard: bool
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A hard piece [s]."""

    start_s: float
    end_s: float


def find_pieces(row: Row) -> tuple[list[Block], list[Piece]]:
    """The blocks of a session and its hard pieces; no pieces when it is not an interval session."""
    blocks = weak_edges_eased(row, relabelled(row, pauses_joined(row, relabelled(row, cut(row, WHOLE_SESSION)))))
    if evidence(row, blocks) > 0:
        return blocks, pieces_of(row, blocks)
    regular = relabelled(row, cut(row, REGULAR_SESSION), LEAST_CONTRAST_REGULAR)
    regular = weak_edges_eased(row, regular)
    return blocks, pieces_of(row, regular) if is_regular(row, regular) else []


def cut(row: Row, ladder: Ladder) -> list[Block]:
    """Blocks of the cheapest story; a story without a change is one hard block."""
    levels = row.levels()
    model = LadderModel(ladder, stroke_noise(levels[row.rowed]))
    spans = zip(levels.tolist(), row.durations_s.tolist(), strict=True)
    origins = [model.advance(level, duration_s).ravel() for level, duration_s in spans]
    state, hard = model.best, []
    for origin in reversed(origins):
        hard.append(state >= model.first_hard)
        state = int(origin[state])
    blocks = [Block(bool(hard[-1 - first]), first, last) for first, last in runs(np.array(hard[::-1]))]
    return blocks if len(blocks) > 1 else [replace(blocks[0], hard=True)]


def runs(values: NDArray[np.generic]) -> list[tuple[int, int]]:
    """First and one-past-last index of each stretch of equal values."""
    borders = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return list(pairwise(borders))


def merged(blocks: Sequence[Block], hard: Sequence[bool]) -> list[Block]:
    """The blocks with new efforts, neighbours of the same effort joined."""
    renamed = [replace(block, hard=bool(now)) for block, now in zip(blocks, hard, strict=True)]
    groups = [list(group) for _, group in groupby(renamed, key=lambda block: block.hard)]
    return [Block(group[0].hard, group[0].first, group[-1].last) for group in groups]


class Comparison:
    """What the blocks of a session look like beside each other.

    Attributes:
        powers_w: typical power of each block [W].
        levels: the same as natural logarithms with a soft floor, so that differences are contrasts.
        durations_s: how long each block lasts [s].
        rowed: whether it was rowed or stood still.
        hard: whether it counts as hard.
    """

    def __init__(self, row: Row, blocks: Sequence[Block]) -> None:
        reference_w = row.reference_w
        self.powers_w = np.array([typical_power_w(row, block) for block in blocks])
        self.levels = level_of(self.powers_w, reference_w)
        self.durations_s = np.array([row.end_s[block.last - 1] - row.start_s[block.first] for block in blocks])
        self.rowed = self.powers_w > STOPPED_SHARE * reference_w
        self.hard = np.array([block.hard for block in blocks])

    @property
    def pieces(self) -> list[int]:
        """Numbers of the hard blocks."""
        return [int(i) for i in np.flatnonzero(self.hard)]

    @property
    def recoveries(self) -> list[int]:
        """Numbers of the easy blocks with a hard one on both sides."""
        return [int(i) for i in np.flatnonzero(~self.hard) if 0 < i < len(self.hard) - 1]

    @property
    def between_stops(self) -> Bools:
        """Which blocks have a full stop on both sides: what is rowed elsewhere doesn't make them easy."""
        stopped = ~self.rowed
        both: Bools = np.r_[False, stopped[:-1]] & np.r_[stopped[1:], False]
        return both

    def contrast(self, number: int) -> float:
        """How far a block lies below the nearer of its hard neighbours [log power]."""
        neighbours = [n for n in (number - 1, number + 1) if 0 <= n < len(self.hard) and self.hard[n]]
        return min((float(self.levels[n] - self.levels[number]) for n in neighbours), default=math.inf)

    def class_border(self) -> float:
        """The level that parts hard from easy rowing; -inf where there are not two kinds of it."""
        split = two_classes(self.levels[self.rowed], self.durations_s[self.rowed])
        if split is None or np.sum(self.hard & self.rowed & (self.levels > split.middle)) < 2:
            return -math.inf
        if split.high - split.low <= math.log(TWO_CLASSES_RATIO) or split.rarer_share <= TWO_CLASSES_SHARE:
            return -math.inf
        return split.low + CLASS_BORDER * (split.high - split.low)


def typical_power_w(row: Row, block: Block) -> float:
    """Median power of a block over time, without the seconds in which the flywheel follows [W]."""
    start_s, end_s = bounds_s(row, block)
    if end_s - start_s < FOLLOWED_FROM_S:
        return median_power_w(row, start_s, end_s)
    return median_power_w(row, start_s + FOLLOWING_UP_S, end_s - FOLLOWING_DOWN_S)


def weighted_median(values: Floats, weights: Floats) -> float:
    """The value that half of the weight stays below; 0 where there is no weight."""
    if not weights.sum() > 0:
        return 0.0
    order = np.argsort(values)
    upto = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(upto, upto[-1] / 2)])


@dataclass(frozen=True, slots=True)
class TwoClasses:
    """A split of levels into two classes: their means, the middle between them, the rarer one's share of the time."""

    low: float
    high: float
    middle: float
    rarer_share: float


def two_classes(levels: Floats, durations_s: Floats) -> TwoClasses | None:
    """The split in two with the least spread inside the classes; None for less than three levels."""
    if len(levels) < 3:
        return None
    order = np.argsort(levels)
    level, weight = levels[order], durations_s[order]
    below, above = np.cumsum(weight)[:-1], np.cumsum(weight[::-1])[-2::-1]
    low = np.cumsum(weight * level)[:-1] / below
    high = np.cumsum((weight * level)[::-1])[-2::-1] / above
    best = int(np.argmax(below * above * (high - low) ** 2))  # most between the classes is least inside them
    share = float(min(below[best], above[best]) / weight.sum())
    return TwoClasses(float(low[best]), float(high[best]), float(level[best] + level[best + 1]) / 2, share)


def relabelled(row: Row, blocks: list[Block], least_contrast: float = LEAST_CONTRAST) -> list[Block]:
    """Blocks renamed by comparison: weak hard ones become easy; when that is settled, shallow easy ones hard."""
    for _ in range(STABLE_AFTER_ROUNDS):
        compared = Comparison(row, blocks)
        border = compared.class_border()
        strong = compared.hard & compared.rowed & ((compared.levels >= border) | compared.between_stops)
        if (strong == compared.hard).all():
            candidates = ~compared.hard & compared.rowed & (compared.levels >= border)
            shallow = [
                bool(candidates[n]) and compared.contrast(n) < math.log(least_contrast) for n in range(len(blocks))
            ]
            if not any(shallow):
                return blocks
            strong |= np.array(shallow)
        blocks = merged(blocks, strong.tolist())
    return blocks


def pauses_joined(row: Row, blocks: list[Block]) -> list[Block]:
    """Blocks without the short stops that break a piece in two instead of ending it, the shortest first."""
    while True:
        compared = Comparison(row, blocks)
        shortest_first = sorted(compared.recoveries, key=lambda n: float(compared.durations_s[n]))
        number = next((n for n in shortest_first if is_pause(compared, n)), None)
        if number is None:
            return blocks
        now_hard = compared.hard.copy()
        now_hard[number] = True
        blocks = merged(blocks, now_hard.tolist())


def is_pause(compared: Comparison, number: int) -> bool:
    """Whether a full stop between two equal pieces is too short to be meant: against the other rests or the pieces."""
    before, after = number - 1, number + 1
    unequal = abs(compared.levels[before] - compared.levels[after]) >= math.log(EQUAL_PIECES_RATIO)
    if compared.rowed[number] or unequal:
        return False
    stop_s = compared.durations_s[number]
    others_s = [compared.durations_s[n] for n in compared.recoveries if n != number]
    short_rest = len(others_s) >= 2 and stop_s < min(PAUSE_MOST_S, PAUSE_SHARE_OF_REST * float(np.median(others_s)))
    shorter_piece_s = min(compared.durations_s[before], compared.durations_s[after])
    return bool(short_rest or stop_s < min(DRINK_MOST_S, DRINK_SHARE_OF_PIECE * shorter_piece_s))


def weak_edges_eased(row: Row, blocks: list[Block]) -> list[Block]:
    """Blocks in which a weak first or last piece is warm-up or cool-down, and a short bump part of its recovery."""
    for _ in range(STABLE_AFTER_ROUNDS):
        compared = Comparison(row, blocks)
        pieces = compared.pieces
        if len(pieces) < 3:
            return blocks
        now_hard = [
            bool(hard) and not is_edge(compared, n) and not is_bump(compared, n) for n, hard in enumerate(compared.hard)
        ]
        if now_hard == compared.hard.tolist():
            return blocks
        blocks = merged(blocks, now_hard)
    return blocks


def is_edge(compared: Comparison, number: int) -> bool:
    """Whether a piece is the first or the last and clearly weaker than all others."""
    pieces = compared.pieces
    others_w = [compared.powers_w[n] for n in pieces if n != number]
    usual_w = float(np.median(compared.powers_w[pieces]))
    limit_w = min(EDGE_PIECE_SHARE * usual_w, EDGE_PIECE_BELOW_ALL * min(others_w))
    return number in (pieces[0], pieces[-1]) and bool(compared.powers_w[number] < limit_w)


def is_bump(compared: Comparison, number: int) -> bool:
    """Whether a piece is short and far weaker than the usual one."""
    pieces = compared.pieces
    usual_w, usual_s = (float(np.median(values[pieces])) for values in (compared.powers_w, compared.durations_s))
    weak = compared.powers_w[number] < usual_w / BUMP_RATIO
    return bool(weak and compared.durations_s[number] < min(BUMP_MOST_S, usual_s / 2))


# --- is it an interval session? ----------------------------------------------------------------------------------


def evidence(row: Row, blocks: Sequence[Block]) -> float:
    """Log-odds that the session is intervals; above 0 it is."""
    compared = Comparison(row, blocks)
    pieces, recoveries = compared.pieces, compared.recoveries
    if len(pieces) < 2 or not recoveries:
        return -math.inf
    contrast = float(np.median([compared.contrast(n) for n in recoveries]))
    rests_s = compared.durations_s[recoveries]
    return (
        EVIDENCE_START
        + EVIDENCE_PER_PIECE * min(len(pieces), EVIDENCE_MOST_PIECES)
        + EVIDENCE_PER_LOG_REST_SHARE * math.log(max(rest_share(compared), 0.005))
        + EVIDENCE_PER_LOG_REST_LENGTH * math.log(float(np.median(rests_s)) / TYPICAL_REST_S)
        + EVIDENCE_PER_LOG_CONTRAST * math.log(max(contrast / block_noise(row, blocks, compared), 0.3))
        + EVIDENCE_PER_SPREAD * min(spread(compared.durations_s[pieces]), 1.5)
    )


def rest_share(compared: Comparison) -> float:
    """Share of the time between the first piece's start and the last one's end that is recovery."""
    pieces = compared.pieces
    whole_s = float(compared.durations_s[pieces[0] : pieces[-1] + 1].sum())
    return float(compared.durations_s[compared.recoveries].sum()) / whole_s


def spread(durations_s: Floats) -> float:
    """How unequal durations are: sd of their logarithms."""
    return float(np.std(np.log(durations_s)))


def block_noise(row: Row, blocks: Sequence[Block], compared: Comparison) -> float:
    """How restless the rowing is inside blocks (robust sd of log power), in means of some strokes."""
    levels, residuals = row.levels(), []
    for block, rowed in zip(blocks, compared.rowed, strict=True):
        inside = levels[block.first + 2 : block.last - 1]
        means = inside[: len(inside) // NOISE_MEAN_STROKES * NOISE_MEAN_STROKES].reshape(-1, NOISE_MEAN_STROKES).mean(1)
        if rowed and means.size:
            residuals += (means - np.median(means)).tolist()
    if len(residuals) <= 3:
        return 0.1
    return max(1.4826 * float(np.median(np.abs(residuals))), LEAST_NOISE)


def is_regular(row: Row, blocks: Sequence[Block]) -> bool:
    """Whether pieces and rests repeat so strikingly that they were meant."""
    compared = Comparison(row, blocks)
    pieces, recoveries = compared.pieces, compared.recoveries
    if len(pieces) < REGULAR_LEAST_PIECES or len(recoveries) < len(pieces) - 1:
        return False
    pieces_s = np.sort(compared.durations_s[pieces])
    kept_s = pieces_s[:-1] if len(pieces) > 5 else pieces_s  # one odd piece is forgiven
    repeats = spread(kept_s) <= REGULAR_PIECE_SPREAD
    repeats &= spread(compared.durations_s[recoveries]) <= REGULAR_REST_SPREAD
    return repeats and rest_share(compared) >= REGULAR_REST_SHARE and is_contrasted(row, blocks, compared)


def is_contrasted(row: Row, blocks: Sequence[Block], compared: Comparison) -> bool:
    """Whether hard strokes stand clear of easy ones, against the spread of both."""
    levels = np.maximum(row.levels(), -1.5)  # a stop is no clearer an easy than paddling is
    hard, easy = (
        np.concatenate([levels[blocks[n].first + 1 : max(blocks[n].last, blocks[n].first + 2)] for n in numbers])
        for numbers in (compared.pieces, compared.recoveries)
    )
    contrast = float(np.median(hard) - np.median(easy))
    noise = math.sqrt((float(np.var(hard)) + float(np.var(easy))) / 2)
    return contrast > math.log(REGULAR_CONTRAST_RATIO) and contrast > REGULAR_CONTRAST_NOISES * max(noise, 0.02)


# --- edges -------------------------------------------------------------------------------------------------------


def pieces_of(row: Row, blocks: Sequence[Block]) -> list[Piece]:
    """The hard blocks as pieces that begin and end with the stroke in which the effort did."""
    edges_s = [float(row.start_s[0]), *(edge_s(row, *pair) for pair in pairwise(blocks)), float(row.end_s[-1])]
    dated = [Piece(*times_s) for block, times_s in zip(blocks, pairwise(edges_s), strict=True) if block.hard]
    return [piece for piece in dated if piece.end_s - piece.start_s >= SHORTEST_PIECE_S]


def edge_s(row: Row, before: Block, after: Block) -> float:
    """When the effort changed between two blocks: where the flywheel's answer to a step fits the strokes best [s]."""
    changed_s = bounds_s(row, after)[0]
    spans = STROKES_AT_A_STOP + 1
    recovery = (
        slice(max(before.first, before.last - spans), before.last)
        if after.hard
        else slice(after.first, after.first + spans)
    )
    stops = np.flatnonzero(~row.rowed[recovery]) + recovery.start
    if stops.size:
        return float(row.end_s[stops[-1]] if after.hard else row.start_s[stops[0]])
    reach = slice(
        max(before.first, int(np.searchsorted(row.end_s, changed_s - EDGE_CONTEXT_S))),
        min(after.last, int(np.searchsorted(row.start_s, changed_s + EDGE_CONTEXT_S))),
    )
    from_w, to_w = settled_powers_w(row, before, after)
    seen_w = np.clip(row.power_w[reach], min(from_w, to_w), max(from_w, to_w))
    candidates = np.flatnonzero(np.abs(row.start_s[reach] - changed_s) <= EDGE_REACH_S)
    since = np.clip(np.arange(len(seen_w)) - candidates[:, None], -1, len(RISE) - 1)
    answer_w = rising_w(from_w, to_w)[since] if after.hard else falling_w(from_w, to_w)[since]
    reference_w = row.reference_w
    misfit = ((level_of(seen_w, reference_w) - level_of(answer_w, reference_w)) ** 2) @ row.durations_s[reach]
    return float(row.start_s[reach][candidates[int(np.argmin(misfit))]])


def rising_w(from_w: float, to_w: float) -> Floats:
    """What the strokes after a step up show, and last the power before it [W]."""
    return from_w + np.array([*RISE, 0.0]) * (to_w - from_w)


def falling_w(from_w: float, to_w: float) -> Floats:
    """What the strokes after a step down show, and last the power before it [W]: it decays, so in log power."""
    from_w, to_w = max(from_w, 1.0), max(to_w, SOFT_FLOOR * from_w, 1.0)
    powers_w: Floats = from_w * (to_w / from_w) ** np.array([*FALL, 0.0])
    return powers_w


def settled_powers_w(row: Row, before: Block, after: Block) -> tuple[float, float]:
    """Power on both sides of a change, away from the change itself [W]."""
    (first_s, changed_s), last_s = bounds_s(row, before), bounds_s(row, after)[1]
    before_s = (
        max(first_s, changed_s - SETTLED_AFTER_S - EDGE_CONTEXT_S),
        max(changed_s - SETTLED_BEFORE_S, first_s + 1),
    )
    after_s = min(changed_s + SETTLED_AFTER_S, last_s - 1), min(last_s, changed_s + SETTLED_AFTER_S + EDGE_CONTEXT_S)
    return median_power_w(row, *before_s), median_power_w(row, *after_s)


def bounds_s(row: Row, block: Block) -> tuple[float, float]:
    """Start and end of a block [s]."""
    return float(row.start_s[block.first]), float(row.end_s[block.last - 1])


def median_power_w(row: Row, start_s: float, end_s: float) -> float:
    """Median power between two times [W]."""
    near = slice(int(np.searchsorted(row.end_s, start_s)), int(np.searchsorted(row.start_s, end_s)))
    inside_s = np.minimum(row.end_s[near], end_s) - np.maximum(row.start_s[near], start_s)
    return weighted_median(row.power_w[near], np.maximum(inside_s, 0.0))


# --- names -------------------------------------------------------------------------------------------------------


def interval_segments(row: Row, pieces: Sequence[Piece]) -> list[Segment]:
    """Warm-up, the pieces with what lies between them, and cool-down."""
    first_s, last_s = float(row.start_s[0]), float(row.end_s[-1])
    segments = rowed_with_rests(row, Effort.WARMUP, first_s, pieces[0].start_s)
    for piece, following in pairwise([*pieces, Piece(last_s, last_s)]):
        segments.append(Segment(Effort.HARD, piece.start_s, piece.end_s))
        if following.start_s < last_s:
            segments.append(recovery(row, piece.end_s, following.start_s))
    return segments + rowed_with_rests(row, Effort.COOLDOWN, pieces[-1].end_s, last_s)


def recovery(row: Row, start_s: float, end_s: float) -> Segment:
    """What lies between two pieces: a rest when it was mostly a full stop, else easy."""
    stopped = row.stopped_s(start_s, end_s) > (end_s - start_s) / 2
    return Segment(Effort.REST if stopped else Effort.EASY, start_s, end_s)


def steady_segments(row: Row, blocks: Sequence[Block]) -> list[Segment]:
    """One steady row between its warm-up and cool-down, where it has those, broken by its long stops."""
    first_s, last_s = float(row.start_s[0]), float(row.end_s[-1])
    start_s = bounds_s(row, blocks[0])[1] if is_apart(row, blocks, 0) else first_s
    end_s = bounds_s(row, blocks[-1])[0] if is_apart(row, blocks, len(blocks) - 1) else last_s
    segments = rowed_with_rests(row, Effort.WARMUP, first_s, start_s)
    segments += rowed_with_rests(row, Effort.STEADY, start_s, end_s)
    return segments + rowed_with_rests(row, Effort.COOLDOWN, end_s, last_s)


def is_apart(row: Row, blocks: Sequence[Block], number: int) -> bool:
    """Whether the first or last block of a steady row is minutes long and clearly weaker than the rest."""
    compared = Comparison(row, blocks)
    if compared.hard[number] or not compared.rowed[number] or not compared.pieces:
        return False
    block_s, block_w = float(compared.durations_s[number]), float(compared.powers_w[number])
    steady_w = weighted_median(compared.powers_w[compared.hard], compared.durations_s[compared.hard])
    long_enough = WARMUP_LEAST_S <= block_s <= WARMUP_MOST_SHARE * float(compared.durations_s.sum())
    return long_enough and block_w < WARMUP_RATIO * steady_w


def rowed_with_rests(row: Row, effort: Effort, start_s: float, end_s: float) -> list[Segment]:
    """A stretch of one effort, broken by its long full stops."""
    long_stops = ~row.rowed & (row.durations_s >= LONG_STOP_S)
    starts_s, ends_s = (np.clip(times_s[long_stops], start_s, end_s).tolist() for times_s in (row.start_s, row.end_s))
    segments = [Segment(Effort.REST, *stop_s) for stop_s in zip(starts_s, ends_s, strict=True)]
    between_s = zip([start_s, *ends_s], [*starts_s, end_s], strict=True)
    segments += [Segment(effort, *rowed_s) for rowed_s in between_s]
    return sorted(segments, key=lambda segment: segment.start_s)


def tile(segments: Sequence[Segment], end_s: float) -> tuple[Segment, ...]:
    """The segments stretched, or completed by rests, to fill the time from 0 to `end_s`; equal neighbours joined."""
    some = [segment for segment in segments if segment.end_s > segment.start_s]
    if is_long_unrowed(some[0].start_s, some[0]):
        some.insert(0, Segment(Effort.REST, 0.0, some[0].start_s))
    if is_long_unrowed(end_s - some[-1].end_s, some[-1]):
        some.append(Segment(Effort.REST, some[-1].end_s, end_s))
    groups = [list(group) for _, group in groupby(some, key=lambda segment: segment.effort)]
    starts_s = [0.0, *(group[0].start_s for group in groups[1:]), end_s]
    return tuple(Segment(group[0].effort, *times_s) for group, times_s in zip(groups, pairwise(starts_s), strict=True))


def is_long_unrowed(gap_s: float, beside: Segment) -> bool:
    """Whether the time without strokes beside a session's first or last segment is a rest of its own."""
    return gap_s > (UNROWED_BESIDE_HARD_S if beside.effort is Effort.HARD else UNROWED_EDGE_S)
