"""A person on a rowing machine, as physics: a flywheel, somebody who pulls at it, and what a monitor shows of that.

Nothing here knows Bluetooth, a loop or a clock: time is the argument of `VirtualRower.advance`.  The same plan, person
and seed give the same strokes, however the time is cut up.

The flywheel obeys J dω/dt = τ - k ω² - τ_bearing (Dudhia, "The Physics of Ergometers", sections 2 and 3).  The person
pulls with a steady power during the drive and lets go in the recovery, so that coasting after a hard bout and the slow
first strokes from a standstill come by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from rowsync.errors import UsageError
from rowsync.intervals import Effort
from rowsync.plan import Piece, Plan

STEP_S = 0.01
"""The step of the integration, and of the rower's clock [s]."""

STEPS_PER_S = 100

FLYWHEEL_INERTIA_KG_M2 = 0.1
"""Moment of inertia of a Concept2-like flywheel; OpenRowingMonitor's tests use 0.1014 and 0.1031 [kg m²]."""

DRAG_N_M_S2 = 120e-6
"""k: the drag factor 120 of a PM5 in the middle of its damper's range, times 1e-6 [N m s²]."""

BEARING_TORQUE_N_M = 0.02
"""An assumption: bearings that bring an abandoned wheel to rest in about a minute and a half [N m]."""

STRONGEST_PULL_N_M = 12.0
"""An assumption: the most a person turns the wheel with, 860 N at a sprocket of 14 mm radius [N m]."""

BOAT_DRAG_KG_PER_M = 2.8
"""c in power = c · speed³, the boat that a Concept2 monitor pretends (Dudhia, section 9) [kg/m]."""

METRES_PER_RADIAN: float = (DRAG_N_M_S2 / BOAT_DRAG_KG_PER_M) ** (1 / 3)
"""Distance for each radian of the flywheel: the same k ω³ in the boat and in the wheel (Dudhia, section 9) [m]."""

DRIVE_S = 0.5
DRIVE_SHARE = 0.15
"""The drive lasts 0.5 s and 15 % of the stroke: 0.8 s at 28 spm, 1.0 s at 19 spm (an assumption)."""


# --- the person -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Strength:
    """How one effort is rowed.

    Attributes:
        power_w: mean handle power aimed at [W].
        stroke_rate_spm: stroke rate aimed at [1/min].
    """

    power_w: float
    stroke_rate_spm: float


TRAINED: Mapping[Effort, Strength] = {
    Effort.HARD: Strength(220, 28),
    Effort.EASY: Strength(90, 19),
    Effort.WARMUP: Strength(110, 20),
    Effort.COOLDOWN: Strength(110, 20),
    Effort.STEADY: Strength(150, 22),
}
"""During `Effort.REST` the handle is still."""

BEGINNER: Mapping[Effort, Strength] = {
    Effort.HARD: Strength(120, 25),
    Effort.EASY: Strength(60, 20),
    Effort.WARMUP: Strength(65, 20),
    Effort.COOLDOWN: Strength(55, 19),
    Effort.STEADY: Strength(80, 21),
}

KAYAKER: Mapping[Effort, Strength] = {
    Effort.HARD: Strength(130, 79),
    Effort.EASY: Strength(50, 52),
    Effort.WARMUP: Strength(60, 55),
    Effort.COOLDOWN: Strength(60, 55),
    Effort.STEADY: Strength(80, 62),
}
"""Both sides count: a kayak ergometer's captures show 39 to 88 pulls a minute (TrackMyIndoorWorkout kayak_pro_test)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who rows: how strong, how regular, and how the heart follows.

    The noise is what was measured on real sessions, on the logarithm of the power: stroke to stroke a standard
    deviation of 0.03 in trained rowers and 0.074 in a beginner, each stroke leaning 0.6 on the one before, and a slow
    drift of 0.02 and 0.07 over two minutes.  The heart's line is 89.6 + 0.28 · power, from 61 step tests on a rowing
    ergometer (doi 10.1007/978-3-642-70301-0_127).

    Attributes:
        strengths: power and rate for each effort but rest.
        noise_log: standard deviation of the stroke-to-stroke noise of log power.
        noise_memory: how much of the last stroke's noise the next one keeps, 0 to 1.
        drift_log: standard deviation of the slow drift of log power.
        drift_s: how long the drift lasts [s].
        fade_log_per_hour: log power lost in an hour of rowing.
        jitter: relative standard deviation of the stroke's duration.
        heart_rate_at_rest_bpm: where the heart returns to with the handle still [1/min].
        heart_rate_unloaded_bpm: where it goes at no power [1/min].
        heart_rate_bpm_per_w: and how much more for each watt [1/min/W].
        heart_lag_s: time constant of the heart's answer [s].
    """

    strengths: Mapping[Effort, Strength] = field(default_factory=lambda: TRAINED)
    noise_log: float = 0.03
    noise_memory: float = 0.6
    drift_log: float = 0.02
    drift_s: float = 120.0
    fade_log_per_hour: float = 0.06
    jitter: float = 0.015
    heart_rate_at_rest_bpm: float = 72.0
    heart_rate_unloaded_bpm: float = 89.6
    heart_rate_bpm_per_w: float = 0.28
    heart_lag_s: float = 35.0


PEOPLE: Mapping[str, Person] = {
    "trained": Person(),
    "beginner": Person(BEGINNER, noise_log=0.074, drift_log=0.07, jitter=0.03, heart_rate_bpm_per_w=0.5),
    "kayaker": Person(KAYAKER, jitter=0.02, heart_rate_bpm_per_w=0.5),
}


@dataclass(frozen=True, slots=True)
class StrokeIntent:
    """What the person means to do in one stroke.

    Attributes:
        effort: what it belongs to.
        power_w: mean handle power over the whole stroke [W].
        steps: how long the stroke lasts, in steps.
        drive_steps: how long of that the handle is pulled.
    """

    effort: Effort
    power_w: float
    steps: int
    drive_steps: int

    @property
    def drive_power_w(self) -> float:
        """Power at the handle while it is pulled [W]."""
        return self.power_w * self.steps / self.drive_steps


class _Body:
    """The part of a person that varies: a source of strokes."""

    def __init__(self, person: Person, seed: int) -> None:
        self.person = person
        self._random = Random(seed)
        self._noise_log = 0.0
        self._drift_log = 0.0

    def next_stroke(self, effort: Effort, rowed_s: float) -> StrokeIntent:
        """The next stroke at this effort, after so long in the session [s]."""
        person, strength = self.person, self.person.strengths[effort]
        usual_s = 60 / strength.stroke_rate_spm
        self._noise_log = _leaning(self._noise_log, person.noise_memory, self._random.gauss(0, person.noise_log))
        kept = math.exp(-usual_s / person.drift_s)
        self._drift_log = _leaning(self._drift_log, kept, self._random.gauss(0, person.drift_log))
        fade_log = person.fade_log_per_hour * rowed_s / 3600
        power_w = strength.power_w * math.exp(self._noise_log + self._drift_log - fade_log)
        duration_s = usual_s * math.exp(self._random.gauss(0, person.jitter))
        drive_s = DRIVE_S + DRIVE_SHARE * duration_s
        return StrokeIntent(effort, power_w, _steps(duration_s), _steps(drive_s))

    def heart_rate_goal_bpm(self, power_w: float | None) -> float:
        """Where the heart goes at this power, or with the handle still [1/min]."""
        if power_w is None:
            return self.person.heart_rate_at_rest_bpm
        return self.person.heart_rate_unloaded_bpm + self.person.heart_rate_bpm_per_w * power_w


def _leaning(last: float, memory: float, surprise: float) -> float:
    """A first-order autoregression that keeps the standard deviation of its surprises."""
    return memory * last + math.sqrt(1 - memory * memory) * surprise


def _steps(duration_s: float) -> int:
    return max(1, round(duration_s * STEPS_PER_S))


# --- the flywheel -----------------------------------------------------------------------------------------------------


class Flywheel:
    """The wheel: its speed, its angle, and where the work went.

    Attributes:
        speed_rad_s: ω [rad/s].
        angle_rad: θ since the beginning [rad].
        handle_work_j: put in at the handle [J].
        drag_work_j: lost to the air: the integral of k ω³ [J].
        bearing_work_j: lost in the bearings [J].
    """

    def __init__(self) -> None:
        self.speed_rad_s = 0.0
        self.angle_rad = 0.0
        self.handle_work_j = 0.0
        self.drag_work_j = 0.0
        self.bearing_work_j = 0.0

    @property
    def kinetic_energy_j(self) -> float:
        """½ J ω² [J]."""
        return FLYWHEEL_INERTIA_KG_M2 * self.speed_rad_s**2 / 2

    def spin(self, steps: int, handle_power_w: float) -> None:
        """Turn for so many steps, pulled with a steady power [W], or as hard as can be while the wheel is slow.

        Each step's work is torque times the angle it turned, so that work in, work lost and kinetic energy balance
        to the last bit; only the wheel's final standstill breaks that, by less than a thousandth of a joule.
        """
        speed, angle = self.speed_rad_s, self.angle_rad
        handle_j, drag_j, bearing_j = self.handle_work_j, self.drag_work_j, self.bearing_work_j
        slowest = max(handle_power_w / STRONGEST_PULL_N_M, 1e-9)
        gain = STEP_S / FLYWHEEL_INERTIA_KG_M2
        for _ in range(steps):
            pull = handle_power_w / (speed if speed > slowest else slowest)
            drag = DRAG_N_M_S2 * speed * speed
            after = speed + (pull - drag - BEARING_TORQUE_N_M) * gain
            if after < 0.0:
                speed = 0.0
                continue
            turned = (speed + after) / 2 * STEP_S
            angle += turned
            handle_j += pull * turned
            drag_j += drag * turned
            bearing_j += BEARING_TORQUE_N_M * turned
            speed = after
        self.speed_rad_s = speed
        self.angle_rad = angle
        self.handle_work_j = handle_j
        self.drag_work_j = drag_j
        self.bearing_work_j = bearing_j


# --- what is shown, and what was --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowedStroke:
    """One stroke as it really was, from catch to catch.

    Attributes:
        start_s: by the rower's clock [s].
        end_s: when the monitor counts it [s].
        power_w: mean power at the handle [W].
        distance_m: covered in it [m].
        effort: what the person rowed it as.
    """

    start_s: float
    end_s: float
    power_w: float
    distance_m: float
    effort: Effort

    @property
    def duration_s(self) -> float:
        """From catch to catch [s]."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class RowedDrive:
    """The pulled part of a stroke.

    Attributes:
        count: how many drives there were, this one included.
        duration_s: from the catch to the finish [s].
        work_j: put in at the handle [J].
    """

    count: int = 0
    duration_s: float = 0.0
    work_j: float = 0.0


@dataclass(frozen=True, slots=True)
class RowerState:
    """What a monitor knows at one moment.  Power, pace and rate are the last whole stroke's, as monitors show them.

    Attributes:
        time_s: since the rower was switched on [s].
        elapsed_s: since the first stroke began, until the programme's end; 0 before [s].
        still_s: since the last stroke ended; None while rowing and before the first stroke [s].
        stroke_count: whole strokes.
        stroke_rate_spm: of the last stroke; None before it [1/min].
        distance_m: the pretended boat's [m].
        pace_s_per_500m: of the last stroke; None before it [s/500 m].
        power_w: k ω³ at the last stroke's mean speed, as monitors reckon; None before it [W].
        heart_rate_bpm: by a chest strap [1/min].
        energy_kcal: by Concept2's formula, counted while rowing [kcal].
        effort: the piece of the programme that the person is at; None before the first stroke and after the last.
        done: the programme is over.
        piece_count: pieces of the programme that have begun, rests not counted.
        drive: the last whole drive.
        stroke: the last whole stroke; None before it.
    """

    time_s: float
    elapsed_s: float
    still_s: float | None
    stroke_count: int
    stroke_rate_spm: float | None
    distance_m: float
    pace_s_per_500m: float | None
    power_w: float | None
    heart_rate_bpm: float
    energy_kcal: float
    effort: Effort | None
    done: bool
    piece_count: int = 0
    drive: RowedDrive = RowedDrive()
    stroke: RowedStroke | None = None


@dataclass(frozen=True, slots=True)
class RowedPiece:
    """A piece as really rowed: from its first stroke's start to its last one's end; a rest fills the gap between."""

    effort: Effort
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """What really happened so far, by the rower's clock."""

    strokes: tuple[RowedStroke, ...]
    pieces: tuple[RowedPiece, ...]


def concept2_kcal(drag_work_j: float, rowing_s: float) -> float:
    """Energy as a Concept2 monitor counts it: 4 · 0.8604 · power + 300 kcal/h, integrated [kcal].

    Assumes 25 % mechanical efficiency and 300 kcal/h for a body of 175 lb (Dudhia, section 11).

    Args:
        drag_work_j: the monitor's power, integrated [J].
        rowing_s: for how long [s].
    """
    return (4 * 0.8604 * drag_work_j + 300 * rowing_s) / 3600


# --- the two together -------------------------------------------------------------------------------------------------


class VirtualRower:
    """A person who rows a plan on a machine.

    A piece ends by the clock or by the metre; the person answers at the first stroke after that.

    Args:
        plan: the programme.
        person: who rows it.
        seed: the same seed, the same session.
        ready_s: how long the person sits still before the first stroke [s].

    Attributes:
        ready_s: the same.

    Raises:
        UsageError: the plan has a rest that ends by the metre: nobody rows them.
    """

    def __init__(self, plan: Plan, *, person: Person | None = None, seed: int = 1, ready_s: float = 2.0) -> None:
        if any(piece.effort is Effort.REST and piece.duration_s is None for piece in plan.pieces):
            raise UsageError("A rest can't end by the metre: give its length as a time.")
        self._body = _Body(person or Person(), seed)
        self._wheel = Flywheel()
        self._programme = _Programme(plan.pieces, ready_s)
        self.ready_s = ready_s
        self._step = 0
        self._rowing_steps = 0
        self._phase_start_bpm = self._body.heart_rate_goal_bpm(None)
        self._phase_start_step = 0
        self._ended_s = math.inf
        self._strokes: list[RowedStroke] = []
        self._drive = RowedDrive()
        self._piece_count = 0
        self._shown: tuple[float, float, float] | None = None
        self._pieces: list[RowedPiece] = []
        self._phases = self._row()
        self._phase = next(self._phases)

    def advance(self, to_s: float) -> RowerState:
        """Row on until the rower's clock shows `to_s` [s]; never back."""
        last_step = math.floor(to_s * STEPS_PER_S + 1e-3)
        while self._step < last_step:
            self._advance_within_phase(last_step)
        return self.state

    @property
    def next_change_s(self) -> float:
        """When a drive, a stroke or a rest ends next, by the rower's clock [s]; infinite after the programme."""
        return self._phase.end_step / STEPS_PER_S

    @property
    def state(self) -> RowerState:
        """What the monitor knows now."""
        rate_spm, pace_s_per_500m, power_w = self._shown or (None, None, None)
        return RowerState(
            time_s=self._time_s,
            elapsed_s=max(0.0, min(self._time_s, self._ended_s) - self.ready_s),
            still_s=self._time_s - self._strokes[-1].end_s if self._strokes and not self._phase.rowing else None,
            stroke_count=len(self._strokes),
            stroke_rate_spm=rate_spm,
            distance_m=self._distance_m,
            pace_s_per_500m=pace_s_per_500m,
            power_w=power_w,
            heart_rate_bpm=self._heart_rate_bpm,
            energy_kcal=concept2_kcal(self._wheel.drag_work_j, self._rowing_steps / STEPS_PER_S),
            effort=self._phase.effort,
            done=self._ended_s < math.inf,
            piece_count=self._piece_count,
            drive=self._drive,
            stroke=self._strokes[-1] if self._strokes else None,
        )

    @property
    def truth(self) -> GroundTruth:
        """What really happened so far."""
        return GroundTruth(tuple(self._strokes), tuple(self._pieces))

    @property
    def _time_s(self) -> float:
        return self._step / STEPS_PER_S

    @property
    def _distance_m(self) -> float:
        return self._wheel.angle_rad * METRES_PER_RADIAN

    @property
    def _heart_rate_bpm(self) -> float:
        goal_bpm = self._body.heart_rate_goal_bpm(self._phase.stroke_power_w)
        phase_s = (self._step - self._phase_start_step) / STEPS_PER_S
        left = math.exp(-phase_s / self._body.person.heart_lag_s)
        return goal_bpm + (self._phase_start_bpm - goal_bpm) * left

    def _advance_within_phase(self, last_step: int) -> None:
        phase = self._phase
        steps = int(min(phase.end_step, last_step)) - self._step
        self._wheel.spin(steps, phase.handle_power_w)
        self._rowing_steps += steps if phase.rowing else 0
        self._step += steps
        if self._step == phase.end_step:
            self._phase_start_bpm = self._heart_rate_bpm
            self._phase_start_step = self._step
            self._phase = next(self._phases)

    def _row(self) -> Iterator[_Phase]:
        """The whole session, phase by phase; each is asked for when the one before has passed."""
        if self.ready_s > 0:
            yield _still(None, self.ready_s)
        while (piece := self._programme.piece_at(self._time_s, self._distance_m)) is not None:
            started_s = self._time_s
            self._piece_count += self._programme.begins_piece and piece.effort is not Effort.REST
            if piece.effort is Effort.REST:
                yield _still(Effort.REST, self._programme.bell_s)
            else:
                yield from self._stroke(piece.effort)
            self._note_piece(piece.effort, started_s)
        self._ended_s = self._time_s
        yield _still(None, math.inf)

    def _stroke(self, effort: Effort) -> Iterator[_Phase]:
        intent = self._body.next_stroke(effort, self._time_s - self.ready_s)
        start, start_m, start_j = self._step, self._distance_m, self._wheel.handle_work_j
        yield _Phase(start + intent.drive_steps, effort, intent.drive_power_w, intent.power_w)
        work_j = self._wheel.handle_work_j - start_j
        self._drive = RowedDrive(self._drive.count + 1, intent.drive_steps / STEPS_PER_S, work_j)
        yield _Phase(start + intent.steps, effort, 0.0, intent.power_w)
        duration_s = intent.steps / STEPS_PER_S
        power_w = (self._wheel.handle_work_j - start_j) / duration_s
        distance_m = self._distance_m - start_m
        self._strokes.append(RowedStroke(start / STEPS_PER_S, self._time_s, power_w, distance_m, effort))
        speed_m_s = distance_m / duration_s
        self._shown = (60 / duration_s, 500 / speed_m_s, BOAT_DRAG_KG_PER_M * speed_m_s**3)

    def _note_piece(self, effort: Effort, started_s: float) -> None:
        """Lengthen the piece that is going on, or begin another."""
        if self._programme.begins_piece:
            self._pieces.append(RowedPiece(effort, started_s, self._time_s))
        else:
            self._pieces[-1] = RowedPiece(effort, self._pieces[-1].start_s, self._time_s)


@dataclass(frozen=True, slots=True)
class _Phase:
    """A stretch in which the handle's power doesn't change."""

    end_step: float
    effort: Effort | None
    handle_power_w: float = 0.0
    stroke_power_w: float | None = None
    """Mean power of the stroke that this phase belongs to; None with the handle still."""

    @property
    def rowing(self) -> bool:
        return self.stroke_power_w is not None


def _still(effort: Effort | None, until_s: float) -> _Phase:
    return _Phase(until_s if until_s == math.inf else math.ceil(until_s * STEPS_PER_S - 1e-3), effort)


class _Programme:
    """Which piece is on: bells by the clock follow each other, a piece by the metre ends at the stroke that rows it."""

    def __init__(self, pieces: tuple[Piece, ...], start_s: float) -> None:
        self._coming = iter(pieces)
        self._piece: Piece | None = None
        self._goal_m = 0.0
        self.bell_s = start_s
        self.begins_piece = False
        """Whether the last question was answered with a new piece."""

    def piece_at(self, time_s: float, distance_m: float) -> Piece | None:
        """The piece for the stroke that begins now; None when the programme is over."""
        self.begins_piece = False
        while self._is_over(time_s, distance_m):
            self._piece = next(self._coming, None)
            if self._piece is None:
                return None
            self.begins_piece = True
            self._set_bell(self._piece, distance_m)
        return self._piece

    def _is_over(self, time_s: float, distance_m: float) -> bool:
        if self._piece is None or self._piece.duration_s is not None:
            return time_s > self.bell_s - STEP_S / 2
        if distance_m < self._goal_m:
            return False
        self.bell_s = time_s
        return True

    def _set_bell(self, piece: Piece, distance_m: float) -> None:
        if piece.duration_s is not None:
            self.bell_s += piece.duration_s
        else:
            self._goal_m = distance_m + (piece.distance_m or 0.0)
