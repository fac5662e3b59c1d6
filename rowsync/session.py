"""The core put together: notifications in, events and a session out.

`Tracker` is the one way that live rowing, replay and tests share.  It has no clock, no loop, no file and no log.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from itertools import pairwise
from math import inf
from operator import mul
from typing import Any

from rowsync.athlete import Athlete
from rowsync.audit import MachineEnergy, audit
from rowsync.bests import best_powers_w, best_times_s
from rowsync.corrections import CORRECTED, fitted
from rowsync.energy import Energy, EnergyMeter
from rowsync.errors import UsageError
from rowsync.felt import Felt
from rowsync.guide import LEADS, PLAN, Guide
from rowsync.intervals import SETTLED_AFTER_S, Compliance, Effort, Segment, Segmentation, Segmenter
from rowsync.machines import handling_of, measures_power
from rowsync.plan import parse_plan
from rowsync.readers import ROW_READERS, read
from rowsync.reading import Reading
from rowsync.rounds import Turns, fade, heart_rate_recovery_bpm, peak_heart_rate_bpm
from rowsync.strokes import Stroke, StrokeCounter
from rowsync.telemetry import ENDED, HELD_S, LOST, RESUMED, Item, Note, Sample, Telemetry
from rowsync.training import Training, training
from rowsync.witness import Disagreement, disagreement
from rowsync.wording import stamp

SYNTHETIC = "synthetic"
"""The origin of what a program rowed."""

MADE_UP_BY = "rowsync (synthetic)"
"""What exports of such a session say that they are from, so that it is known for what it is when it comes back."""

Event = Sample | Stroke
"""What a notification may yield, matched with `match`."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a session besides its bytes.

    Attributes:
        session_id: unique, sortable by time, safe as a file name.
        started_at: when its first notification came, in UTC.
        origin: "hardware", "synthetic" or "converted".
        source: what it was recorded or converted from.
        machine: name, address and whatever else the machine says of itself.
        athlete: who rowed.
        plan: the plan as typed; None for a free row.
    """

    session_id: str
    started_at: datetime
    origin: str = "hardware"
    source: str = "rowsync"
    machine: Mapping[str, Any] = field(default_factory=dict)
    athlete: Athlete = field(default_factory=Athlete)
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which nothing was received: the link was lost, or rowing went on, or nobody can tell [s]."""

    start_s: float
    end_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A segment with what was rowed in it; means are over the time rowed, a rest's over all of it.

    Attributes:
        number: 1 for the session's first.
        effort: what it was rowed as.
        start_s: its start [s].
        end_s: its end [s].
        duration_s: its length [s].
        distance_m: distance [m].
        stroke_count: strokes.
        mean_power_w: mean power [W].
        mean_stroke_rate_spm: strokes per minute of rowing [1/min]; None without a stroke.
        mean_pace_s_per_500m: time rowed per 500 m rowed [s/500 m]; None in a rest.
        mean_heart_rate_bpm: mean heart rate [1/min].
        gross_kcal: gross energy [kcal].
        net_kcal: the same less what the body would have used at rest [kcal].
        start_confidence: how sure the change at its start is, 0 to 1; None where nothing was detected.
        peak_heart_rate_bpm: its highest heart rate [1/min].
        heart_rate_recovery_bpm: by how much the heart is slower a minute after a hard piece [1/min]; None after others,
            and where the next hard piece begins before that.
    """

    number: int
    effort: Effort
    start_s: float
    end_s: float
    duration_s: float
    distance_m: float | None
    stroke_count: int
    mean_power_w: float | None
    mean_stroke_rate_spm: float | None
    mean_pace_s_per_500m: float | None
    mean_heart_rate_bpm: float | None
    gross_kcal: float
    net_kcal: float
    start_confidence: float | None = None
    peak_heart_rate_bpm: int | None = None
    heart_rate_recovery_bpm: float | None = None


@dataclass(frozen=True, slots=True)
class MachineTotals:
    """What a machine's own display showed last; None is what it never sent.  Its counters may have begun again midway.

    Attributes:
        elapsed_s: its own clock [s].
        distance_m: its distance [m].
        stroke_count: its strokes.
        average_power_w: its mean power [W].
        energy_kcal: its energy [kcal].
    """

    elapsed_s: float | None = None
    distance_m: float | None = None
    stroke_count: int | None = None
    average_power_w: float | None = None
    energy_kcal: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One analysed session.

    Attributes:
        header: what is known of it besides its bytes.
        duration_s: from its first notification to its last [s].
        moving_s: time that strokes own [s].
        distance_m: distance [m]; None when the machine sends none.
        stroke_count: strokes.
        mean_power_w: mean power while rowing [W].
        mean_stroke_rate_spm: strokes per minute of rowing [1/min].
        mean_pace_s_per_500m: time rowed per 500 m rowed; metres coasted after a stop are left out [s/500 m].
        mean_heart_rate_bpm: mean heart rate [1/min].
        power_source: "machine", or "pace" or "distance" when power is derived from it; None without any.
        heart_rate_source: "strap", "machine", or "strap and machine" when one stood in for the other; None without any.
        machine_totals: what the machine itself says at the end, as it last sent it.
        energy: what it cost.
        machine_energy: what the machine's own calories are worth; None where it counts none.
        doubtful_power: where heart rate contradicts the machine's watts; None where it doesn't, or can't be asked.
        training: what it trained.
        interval_probability: that it is an interval session at all, 0 to 1; None when nobody rowed.
        compliance: how its plan was kept; None without a plan.
        fade: how much stronger the last three hard pieces were than the first three, as a share; negative when weaker.
            None with fewer than two pieces, and with pieces of several lengths.
        best_powers_w: the highest mean power for each of `bests.DURATIONS_S` [W]; None where the row is shorter.
        best_times_s: the shortest time for each of `bests.DISTANCES_M` [s]; None where it covered less.
        intervals_from: who says what its segments are: "plan" when one was followed, "detected", or "corrected" by a
            person.
        intervals: its segments in order; they tile it.
        gaps: where nothing was received though rowing went on.
        samples: one for each notification that says something of the row.
        strokes: every stroke.
        notifications: how many arrived.
        malformed_notifications: how many were cut short.
    """

    header: Header
    duration_s: float
    moving_s: float
    distance_m: float | None
    stroke_count: int
    mean_power_w: float | None
    mean_stroke_rate_spm: float | None
    mean_pace_s_per_500m: float | None
    mean_heart_rate_bpm: float | None
    power_source: str | None
    heart_rate_source: str | None
    machine_totals: MachineTotals
    energy: Energy
    machine_energy: MachineEnergy | None
    doubtful_power: Disagreement | None
    training: Training
    interval_probability: float | None
    compliance: Compliance | None
    fade: float | None
    best_powers_w: Mapping[str, float | None]
    best_times_s: Mapping[str, float | None]
    intervals_from: str
    intervals: tuple[Interval, ...]
    gaps: tuple[Gap, ...]
    samples: tuple[Sample, ...]
    strokes: tuple[Stroke, ...]
    notifications: int
    malformed_notifications: int

    @property
    def is_rowed(self) -> bool:
        """Whether anybody rowed in it."""
        return bool(self.stroke_count or self.distance_m)

    def summary(self) -> dict[str, Any]:
        """The session without its series, as `rowsync show --json` prints it (docs/contract.md)."""
        left_out = {"header", "samples", "strokes"}
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in left_out}
        return {
            "session_id": self.header.session_id,
            "started_at": stamp(self.header.started_at),
            "athlete": self.header.athlete.name,
            "plan": self.header.plan,
            "origin": self.header.origin,
            "source": self.header.source,
            "machine": dict(self.header.machine),
            **_plain(values),
            "samples": len(self.samples),
        }


ROUND_SETTLED_S = 90.0
"""What was rowed in a piece that ended so long ago, and how the heart came down after it, is known for good [s]."""

LONGEST_REST_S = 600.0
"""A machine may fall silent while nobody rows; a longer silence says nothing about anybody [s]."""

_NOTHING = Telemetry().feed(0.0, Reading())
"""The state before anything was measured."""


class Tracker:
    """Follows one session, notification by notification.

    Args:
        header: what is known of the session besides its bytes.
        caution: live, the one knob between delay and false alarms; what is found in the end doesn't depend on it.

    Attributes:
        strokes: the strokes so far.
        sample: the latest sample; None before the first.
        notifications: how many notifications came.
        guide: leads through the plan; None without one that can be read.
        header: what is known of the session; its plan may change.
    """

    def __init__(self, header: Header, caution: float = 1.0) -> None:
        self.header = header
        self._telemetry = Telemetry(handling_of(str(header.machine.get("name", ""))))
        self._counter = StrokeCounter()
        self._segmenter = Segmenter(caution)
        machine = str(header.machine.get("name", ""))
        self._meter = EnergyMeter(header.athlete, measures_power=measures_power(machine))
        self._first_s: float | None = None
        self._now_s = 0.0
        self._row_s = 0.0
        self._lost: str | None = None
        self._samples: list[Sample] = []
        self._gaps: list[Gap] = []
        self._machine_totals: dict[str, Any] = {}
        self._malformed = 0
        self._turns = Turns()
        self._untold: deque[tuple[float, int]] = deque()  # when strokes came, and how many the segmenter had then
        self._rounds: tuple[Interval, ...] = ()
        self.guide = _guide(header)
        self.strokes: list[Stroke] = []
        self.notifications = 0

    def feed(self, item: Item) -> tuple[Event, ...]:
        """Take what comes next; answer what it brought.  Never raises, whatever its bytes."""
        if isinstance(item, Note):
            self._note(item)
            return ()
        self.notifications += 1
        reading = read(item)
        if reading is None:
            return ()
        is_of_row = item.characteristic in ROW_READERS
        if self._first_s is None and not is_of_row:
            return ()  # a strap may be there first; the session begins with the machine
        now_s = self._clock(item.time_s)
        if reading.missing:
            self._malformed += 1
        sample = self._telemetry.feed(now_s, reading)
        self._samples.append(sample)
        if self.guide:
            self.guide.sample(sample)
        return (sample, *self._row(now_s, sample, reading)) if is_of_row else (sample,)

    def _row(self, now_s: float, sample: Sample, reading: Reading) -> tuple[Stroke, ...]:
        """What the machine says of the row: strokes, gaps, and its own totals."""
        before_s, self._row_s = self._row_s, now_s
        for name, at in _TOTALS:
            if reading[at] is not None:
                self._machine_totals[name] = reading[at]
        strokes = self._counter.feed(sample)
        if reason := self._unknown(before_s, now_s, strokes):
            self._gaps.append(Gap(before_s, now_s, reason))
            self._meter.skip(before_s, now_s)
        self._lost = None
        for stroke in strokes:
            self.strokes.append(stroke)
            self._segmenter.feed(stroke)
            if stroke.seen:
                self._meter.feed(stroke, sample.heart_rate_bpm)
        if strokes:
            self._untold.append((now_s, self._segmenter.taken))
        return strokes

    def _note(self, note: Note) -> None:
        if note.event == LOST:
            self._lost = str(note.details.get("reason", "the connection was lost"))
            self._telemetry.lost()
        elif note.event == ENDED and self._lost:
            self._clock(note.time_s)
        if note.event in (*LEADS, LOST, RESUMED) and self.guide and self._first_s is not None:
            self.guide.note(note.event, note.details, self._since_first_s(note.time_s))
        elif note.event == PLAN:
            self._replan(note.details.get("text"))

    def _replan(self, text: Any) -> None:
        """From now on another plan, or none, is rowed."""
        plan = text if isinstance(text, str) else None
        self.header = replace(self.header, plan=plan)
        self.guide, self._rounds = _guide(self.header), ()

    def tick(self, time_s: float) -> None:
        """Nothing came, and it is so late now, by the clock of the items [s]: the guide goes on."""
        if self.guide and self._first_s is not None:
            self.guide.tick(self._since_first_s(time_s))

    @property
    def sample(self) -> Sample | None:
        """The latest sample."""
        return self._samples[-1] if self._samples else None

    @property
    def effort(self) -> Effort | None:
        """What is being rowed, as far as can be said by now."""
        return self._heard().effort(self._now_s)

    @property
    def settled_effort(self) -> Effort | None:
        """What was being rowed a little ago, said for good until the session's end."""
        return self._heard().settled(self._now_s)

    def _heard(self) -> Segmenter:
        """The segmenter, and told the turns what was settled with each stroke: who asks live has it reckoned."""
        while self._untold:
            now_s, taken = self._untold.popleft()
            self._turns.feed(now_s - SETTLED_AFTER_S, self._segmenter.settled(now_s, taken))
        return self._segmenter

    @property
    def gross_kcal(self) -> float:
        """Gross energy so far [kcal]."""
        return self._meter.gross_at(self._now_s)

    @property
    def energy_half_width(self) -> float:
        """Half the width of the 80 % range of `gross_kcal`, as a share of it."""
        return self._meter.half_width(self._now_s)

    def rounds(self) -> tuple[Interval, ...]:
        """The hard pieces that are over: those of the plan between its bells, or those that were noticed."""
        rowed = self.guide.over() if self.guide and self.guide.plan.rounds else ()
        hard = [piece for piece in rowed if piece.effort is Effort.HARD]
        if not self.guide:
            self._heard()
            hard = [Segment(Effort.HARD, *span_s) for span_s in self._turns.spans_s]
        settled = sum(piece.end_s < self._now_s - ROUND_SETTLED_S for piece in hard)
        if settled > len(self._rounds):  # the next piece is needed to know when this one's recovery ends
            self._rounds = self._intervals(hard)[:settled]
        new = self._intervals(hard[len(self._rounds) :])
        first = len(self._rounds)
        return (*self._rounds, *(replace(each, number=first + each.number) for each in new))

    def finish(self, corrected: Sequence[Segment] = (), felt: Felt | None = None) -> Session:
        """End the session here and say what it was.

        Args:
            corrected: its segments as a person sees them right; without them they are detected.
            felt: how a person says that it felt.
        """
        if self._lost and self._now_s > self._row_s:  # it never came back
            self._gaps.append(Gap(self._row_s, self._now_s, self._lost))
            self._meter.skip(self._row_s, self._now_s)
        last = self._samples[-1] if self._samples else _NOTHING
        due = (self.guide.timetable(self._now_s), self.guide.pauses(self._now_s)) if self.guide else ()
        found = self._segmenter.finish(self._now_s, *due)
        segments = fitted(corrected, self._now_s) if corrected else found.segments
        rowed_s = sum(stroke.duration_s for stroke in self.strokes)
        rowed_m = sum(stroke.distance_m or 0.0 for stroke in self.strokes)
        intervals = self._intervals(segments)
        strokes, distance_m = last.stroke_count or 0, last.distance_m
        source = self._telemetry.power_source or ("distance" if distance_m else None)
        return Session(
            header=self.header,
            duration_s=self._now_s,
            moving_s=rowed_s,
            distance_m=distance_m,
            stroke_count=strokes,
            mean_power_w=weighted_mean((stroke.power_w, stroke.duration_s) for stroke in self.strokes if stroke.seen),
            mean_stroke_rate_spm=60.0 * strokes / rowed_s if rowed_s else None,
            mean_pace_s_per_500m=500.0 * rowed_s / rowed_m if rowed_s > 0 and rowed_m > 0 else None,
            mean_heart_rate_bpm=_mean_heart_rate_bpm([*self._samples, last]),
            power_source=source,
            heart_rate_source=" and ".join(sorted(self._telemetry.heart_rate_sources, reverse=True)) or None,
            machine_totals=MachineTotals(**self._machine_totals),
            energy=self._meter.finish(self._now_s, last.machine_energy_kcal, segments),
            machine_energy=audit(self._samples, self.strokes, self._meter.rowed_kcal),
            doubtful_power=disagreement(self._samples, self._meter.gross_at, self.header.athlete) if source else None,
            training=training(self.strokes, self._samples, self.header.athlete, felt),
            interval_probability=found.probability,
            compliance=found.compliance,
            fade=fade_of(each for each in intervals if each.effort is Effort.HARD),
            best_powers_w=best_powers_w(self.strokes),
            best_times_s=best_times_s(self.strokes),
            intervals_from=CORRECTED if corrected else _source(found),
            intervals=intervals,
            gaps=tuple(self._gaps),
            samples=tuple(self._samples),
            strokes=tuple(self.strokes),
            notifications=self.notifications,
            malformed_notifications=self._malformed,
        )

    def _clock(self, time_s: float) -> float:
        """Session time: from the first notification, and never back [s]."""
        if self._first_s is None:
            self._first_s = time_s
        since_first_s = self._since_first_s(time_s)
        if since_first_s > self._now_s:
            self._now_s = since_first_s
        return self._now_s

    def _since_first_s(self, time_s: float) -> float:
        return round(time_s - (self._first_s or 0.0), 6)

    def _unknown(self, before_s: float, now_s: float, strokes: tuple[Stroke, ...]) -> str | None:
        """Why nobody can say what was rowed between two of the machine's packets; None when it can be said."""
        why = self._lost or ("no data" if now_s - before_s > LONGEST_REST_S else None)
        if strokes and not strokes[0].seen:
            counted = strokes[0].number - (self.strokes[-1].number if self.strokes else 0)
            return f"{why or 'no data'}; {counted} strokes were counted meanwhile, their energy is left out"
        return why if now_s > before_s else None

    def _intervals(self, segments: Sequence[Segment]) -> tuple[Interval, ...]:
        hard_s = [segment.start_s for segment in segments if segment.effort is Effort.HARD]
        next_s = [next((start_s for start_s in hard_s if start_s >= segment.end_s), inf) for segment in segments]
        numbered = enumerate(zip(segments, next_s, strict=True), start=1)
        return tuple(self._interval(number, *segment) for number, segment in numbered)

    def _interval(self, number: int, segment: Segment, next_hard_s: float) -> Interval:
        start_s, end_s = segment.start_s, segment.end_s
        rowed = [
            (stroke, _overlap_s(stroke, start_s, end_s)) for stroke in self._strokes_in(start_s, end_s) if stroke.seen
        ]
        rowed_s = sum(overlap_s for _, overlap_s in rowed)
        shares = [(stroke, overlap_s / stroke.duration_s) for stroke, overlap_s in rowed if overlap_s > 0]
        rowed_m = sum((stroke.distance_m or 0.0) * share for stroke, share in shares)
        rowed_strokes = sum(share for _, share in shares)
        resting = segment.effort is Effort.REST
        power = [(stroke.power_w, overlap_s) for stroke, overlap_s in rowed]
        if resting:
            power.append((0.0, end_s - start_s - rowed_s))
        return Interval(
            number=number,
            effort=segment.effort,
            start_s=start_s,
            end_s=end_s,
            duration_s=end_s - start_s,
            distance_m=self._metres(start_s, end_s),
            stroke_count=self._count_at(end_s) - self._count_at(start_s),
            mean_power_w=weighted_mean(power),
            mean_stroke_rate_spm=60.0 * rowed_strokes / rowed_s if rowed_strokes and rowed_s else None,
            mean_pace_s_per_500m=500.0 * rowed_s / rowed_m if rowed_s > 0 and rowed_m > 0 and not resting else None,
            mean_heart_rate_bpm=_mean_heart_rate_bpm(self._samples_in(start_s, end_s)),
            gross_kcal=self._meter.gross_at(end_s) - self._meter.gross_at(start_s),
            net_kcal=self._meter.net_at(end_s) - self._meter.net_at(start_s),
            start_confidence=segment.confidence,
            peak_heart_rate_bpm=peak_heart_rate_bpm(self._samples, start_s, end_s),
            heart_rate_recovery_bpm=heart_rate_recovery_bpm(self._samples, end_s, next_hard_s)
            if segment.effort is Effort.HARD
            else None,
        )

    def _strokes_in(self, start_s: float, end_s: float) -> list[Stroke]:
        first = bisect_left(self.strokes, start_s, key=lambda stroke: stroke.end_s)
        last = bisect_left(self.strokes, end_s, key=lambda stroke: stroke.start_s)
        return self.strokes[first:last]

    def _samples_in(self, start_s: float, end_s: float) -> list[Sample]:
        first = bisect_left(self._samples, start_s, key=lambda sample: sample.time_s)
        last = bisect_right(self._samples, end_s, key=lambda sample: sample.time_s)
        return self._samples[first:last]

    def _count_at(self, time_s: float) -> int:
        """Strokes at a time; those that nobody saw are spread over their gap."""
        at = bisect_right(self._samples, time_s, key=lambda sample: sample.time_s)
        count = 0 if at == 0 or time_s <= 0.0 else self._samples[at - 1].stroke_count or 0
        unseen = bisect_right(self.strokes, time_s, key=lambda stroke: stroke.end_s)
        if unseen == len(self.strokes) or self.strokes[unseen].seen or time_s <= self.strokes[unseen].start_s:
            return count
        span = self.strokes[unseen]
        return count + round((span.number - count) * (time_s - span.start_s) / span.duration_s)

    def _metres(self, start_s: float, end_s: float) -> float | None:
        start_m, end_m = self._distance_at(start_s), self._distance_at(end_s)
        return None if start_m is None or end_m is None else end_m - start_m

    def _distance_at(self, time_s: float) -> float | None:
        """Distance at a time, on the line between the samples around it [m]."""
        at = bisect_right(self._samples, time_s, key=lambda sample: sample.time_s)
        if not self._samples or self._samples[-1].distance_m is None:
            return None
        if at == 0 or time_s <= 0.0:
            return 0.0
        before, after = self._samples[at - 1], self._samples[min(at, len(self._samples) - 1)]
        before_m, after_m = before.distance_m or 0.0, after.distance_m or 0.0
        if after.time_s <= before.time_s:
            return before_m
        return before_m + (after_m - before_m) * (time_s - before.time_s) / (after.time_s - before.time_s)


def analyse(
    header: Header, items: Iterable[Item], corrected: Sequence[Segment] = (), felt: Felt | None = None
) -> Session:
    """A whole session at once, by the same way as live.

    Args:
        header: what is known of it besides its bytes.
        items: its bytes and notes.
        corrected: its segments as a person sees them right.
        felt: how a person says that it felt.
    """
    tracker = Tracker(header)
    for item in items:
        tracker.feed(item)
    return tracker.finish(corrected, felt)


def _source(found: Segmentation) -> str:
    """Who says what the segments are."""
    return "plan" if found.compliance and found.compliance.followed and found.compliance.rounds_planned else "detected"


def fade_of(pieces: Iterable[Interval]) -> float | None:
    """How hard pieces fade, as `rounds.fade` has it."""
    return fade([(piece.duration_s, piece.mean_power_w) for piece in pieces])


def _guide(header: Header) -> Guide | None:
    """Who leads through a session's plan; nobody without one that can be read."""
    try:
        plan = parse_plan(header.plan) if header.plan else None
    except UsageError:
        return None  # somebody else's recording
    try:
        return Guide(plan.for_athlete(header.athlete)) if plan else None
    except UsageError:
        return Guide(plan) if plan else None  # a share of a best that nobody knows


_TOTALS = tuple((each.name, Reading._fields.index(each.name)) for each in fields(MachineTotals))


def weighted_mean(weighted: Iterable[tuple[float | None, float]]) -> float | None:
    """Mean of the measured values, given with their weights; None when nothing was measured."""
    measured = [(value, weight) for value, weight in weighted if value is not None and weight > 0]
    values, weights = zip(*measured, strict=True) if measured else ((), ())
    return sum(map(mul, values, weights)) / sum(weights) if measured else None


def _mean_heart_rate_bpm(samples: Sequence[Sample]) -> float | None:
    """Mean over time: each value counts until the next sample."""
    return weighted_mean(
        (sample.heart_rate_bpm, min(after.time_s - sample.time_s, HELD_S))
        for sample, after in pairwise(samples)
        if sample.heart_rate_bpm is not None
    )


def _overlap_s(stroke: Stroke, start_s: float, end_s: float) -> float:
    return max(0.0, min(stroke.end_s, end_s) - max(stroke.start_s, start_s))


def _plain(value: Any) -> Any:
    """Dataclasses, tuples and floats as JSON holds them; floats to a millionth, which is finer than any measurement."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return _plain(asdict(value)) if hasattr(value, "__dataclass_fields__") else value
