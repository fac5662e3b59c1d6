"""The nouns that all else is made from, and the one translation between them.

A `Notification` is what arrived, a `Note` what else happened.  A `Sample` is what the packets say in a rower's words:
counters that only grow, whatever the machine's own do; a stop seen from the stroke count standing still, because many
machines repeat their last power, pace and rate for ever; None where nothing was measured.

Machines send a record whole, in pairs, or in parts on clocks of their own, and "more data = 0" isn't always last.  So
there is no joining: `Telemetry` holds the latest value of each field with the time it came, and every notification
yields the state as it then stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from operator import attrgetter
from statistics import median
from typing import Any, NamedTuple

from rowsync.machines import Handling
from rowsync.reading import Reading


@dataclass(frozen=True, slots=True)
class Notification:
    """One packet exactly as it arrived, notified, indicated or read.

    Attributes:
        time_s: seconds since the recording's start, by the host's monotonic clock [s].
        characteristic: the 16-bit UUID in lower-case hex (`2ad1`), or the first 32 bits of a 128-bit one.
        payload: the bytes.
    """

    time_s: float
    characteristic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened and is no packet.

    Attributes:
        time_s: seconds since the recording's start [s].
        event: what happened, one of the words in docs/contract.md.
        details: what there is to say of it; JSON values.
    """

    time_s: float
    event: str
    details: Mapping[str, Any] = field(default_factory=dict)


Item = Notification | Note
"""What a recording is made of."""

LOST = "lost"
"""The note that from here on nothing arrives; its detail `reason` says why."""

ENDED = "ended"
"""The note with which a recorder closes a session; where it is absent, the session was cut short."""

STOP = "stop"
"""The note that somebody wants the session to end; `ENDED` follows it."""

ATHLETE = "athlete"
"""The note that says who rowed, in place of the header; its details are an athlete's, and the last one counts."""

CONNECTED = "connected"
"""The note that the machine is connected; its details say how it speaks."""

RESUMED = "resumed"
"""The note that packets arrive again; its detail `after_s` says for how long they didn't."""

FLOOD = "flood"
"""The note that more packets came than any machine sends; its detail `left_out` says how many were not kept."""


class Sample(NamedTuple):
    """The state of the row after one notification, in a rower's words.

    None is "not measured"; zero is zero.  Counters only grow within a session, whatever the machine's own do.

    Attributes:
        time_s: seconds since the session's first notification [s].
        moving: False from the moment a stop is known until the next stroke.
        stroke_count: strokes since the session began.
        stroke_rate_spm: stroke rate [1/min]; 0 while stopped.
        distance_m: distance since the session began [m].
        pace_s_per_500m: pace [s/500 m]; None while stopped.
        power_w: power [W]; 0 while stopped.
        power_source: "machine", or "pace" where power is derived from it; None without power, and while stopped.
        heart_rate_bpm: heart rate [1/min].
        heart_rate_source: "strap" or "machine"; None without a heart rate.
        resistance_level: as the machine counts it.
        drag_factor: Concept2's measure of the flywheel's drag [1e-6 N m s^2].
        machine_energy_kcal: the machine's own energy counter since the session began [kcal].
        machine_energy_per_hour_kcal: what the machine says that the present pace costs [kcal/h].
        machine_elapsed_s: the machine's own clock, as sent [s].
        machine_effort: what the machine's own programme asks for: "hard", "easy", "rest", "warmup" or "cooldown".
        drive_time_s: the last stroke's time on the handle [s]; this and the next five from a Concept2's own service.
        recovery_time_s: the last stroke's time between drives [s].
        drive_length_m: the last stroke's way of the handle [m].
        peak_force_n: the last stroke's highest force on the handle [N].
        average_force_n: the last stroke's mean force on the handle [N].
        work_per_stroke_j: the last stroke's work [J].
    """

    time_s: float
    moving: bool
    stroke_count: int | None = None
    stroke_rate_spm: float | None = None
    distance_m: float | None = None
    pace_s_per_500m: float | None = None
    power_w: float | None = None
    power_source: str | None = None
    heart_rate_bpm: int | None = None
    heart_rate_source: str | None = None
    resistance_level: float | None = None
    drag_factor: float | None = None
    machine_energy_kcal: float | None = None
    machine_energy_per_hour_kcal: float | None = None
    machine_elapsed_s: float | None = None
    machine_effort: str | None = None
    drive_time_s: float | None = None
    recovery_time_s: float | None = None
    drive_length_m: float | None = None
    peak_force_n: float | None = None
    average_force_n: float | None = None
    work_per_stroke_j: float | None = None


HELD_S = 10.0
"""How long a value that a machine no longer sends still counts as measured [s]."""

FASTEST_STROKE_S = 0.5
SLOWEST_STROKE_S = 6.0
USUAL_STROKE_S = 2.5
"""A stroke lasts 2.0-3.5 s; `USUAL_STROKE_S` stands in until one has been timed [s]."""


def stop_after_s(stroke_period_s: float) -> float:
    """How long after a stroke its successor is overdue and the rower has stopped [s].

    The stroke count standing still is the only reliable sign of a stop: power, pace and rate may stay frozen.
    """
    return max(3.0, 2.5 * min(stroke_period_s, SLOWEST_STROKE_S))


CONCEPT2_W_S3_PER_M3 = 2.80
"""Power over speed cubed on a Concept2, as published by its maker: P = 2.80 / (pace / 500)^3 [W s^3/m^3]."""


def power_from_speed_w(speed_m_per_s: float) -> float:
    """Power that a speed stands for on a Concept2, and on the machines that copy it [W]."""
    return CONCEPT2_W_S3_PER_M3 * speed_m_per_s**3


def power_from_pace_w(pace_s_per_500m: float) -> float:
    """Power that a pace [s/500 m], above 0, stands for on a Concept2, and on the machines that copy it [W]."""
    return power_from_speed_w(500.0 / pace_s_per_500m)


BURST_S = 0.1
"""The parts of a record come within so long [s]."""


class Counter:
    """A total that only grows, out of a machine's counter that may wrap, start again or jump.

    Args:
        modulus: where the machine's counter wraps to 0.
        most_per_s: no rower counts faster in the long run; what exceeds it is the machine's mistake and counts nothing.
        slack: how far a machine that counts in lumps may be ahead of that.
    """

    def __init__(self, modulus: int, most_per_s: float, slack: float) -> None:
        self._modulus, self._most_per_s, self._slack = modulus, most_per_s, slack
        self._raw: float = 0
        self._time_s = 0.0
        self._allowance = slack
        self._began_again = False
        self._before: tuple[float, float] = (0.0, 0.0)
        self.total: float | None = None

    def feed(self, raw: float, time_s: float, *, rowing: bool = True) -> float:
        """Take the machine's count at a time [s] and answer the total.

        A first count within the slack is ours if somebody is `rowing`: a machine that speaks once the first stroke is
        over starts above 0.
        """
        if self.total is None:
            self.total = raw if rowing and raw <= self._slack else 0
        elif 0 < raw < self._raw <= raw + self._slack and not self._began_again:
            return self.total  # the machine only corrects itself by a little; beginning again starts at 0, or far below
        else:
            self._before = (self.total, self._time_s)
            self.total += self._advance(raw, time_s)
        self._raw, self._time_s, self._began_again = raw, time_s, False
        return self.total

    def begin_again(self, time_s: float) -> None:
        """The machine is known to have begun again at 0: its next count is what was rowed since.

        A count that came in the same burst of packets, before this was known, may have been such a one.
        """
        total, heard_s = self._before
        is_of_burst = time_s - self._time_s <= BURST_S and self._raw <= self._most(self._time_s - heard_s)
        if self.total is not None and is_of_burst:
            self.total = max(self.total, total + self._raw)
        else:
            self._began_again = True

    def may_have_begun_again(self, raw: float, time_s: float) -> bool:
        """Whether the machine could have counted so far from 0 since it last spoke."""
        return self.total is None or raw <= self._most(time_s - self._time_s)

    def _most(self, duration_s: float) -> float:
        """What a rower counts in a time, in lumps as machines count [s]."""
        return self._slack + self._most_per_s * duration_s

    def _advance(self, raw: float, time_s: float) -> float:
        earned = self._most_per_s * (time_s - self._time_s)
        self._allowance = allowance = min(self._allowance, self._slack) + earned
        onward = raw - self._raw
        if 0 <= onward <= allowance and not self._began_again:  # mostly
            self._allowance -= onward
            return onward
        wrapped, restarted = onward + self._modulus, raw
        for advance in (restarted, onward, wrapped) if self._began_again else (wrapped, restarted):
            if 0 <= advance <= allowance:
                self._allowance -= advance
                return advance
        return 0


class Telemetry:
    """Turns readings into samples, one for each.

    Args:
        handling: how the machine is to be read.

    Attributes:
        power_source: where `power_w` comes from: "machine", "pace" when the machine sends none, or None so far.
        heart_rate_sources: where heart rates came from so far: "strap", "machine".
    """

    def __init__(self, handling: Handling | None = None) -> None:
        self.power_source: str | None = None
        self.heart_rate_sources: set[str] = set()
        self._handling = handling or Handling()
        self._is_by_the_book = self._handling == Handling()
        self._strokes = Counter(1 << 16, most_per_s=2.0, slack=3)
        self._distance_m = Counter(1 << 24, most_per_s=10.0, slack=20)
        self._energy_kcal = Counter(1 << 16, most_per_s=2.0, slack=10)
        self._held: dict[str, float] = {}
        self._known: dict[str, float] = {}  # those of the held values that came within `HELD_S`
        self._came_s: dict[str, float] = {}
        self._oldest_s = -inf  # no known value came before
        self._effort: str | None = None
        self._is_rowing = False
        self._was_lost = False
        self._elapsed: tuple[float, float] | None = None
        self._metres_of_pace = 0.0
        self._time_s = 0.0
        self._last_stroke_s: float | None = None
        self._stop_after_s = stop_after_s(USUAL_STROKE_S)
        self._periods_s: deque[float] = deque(maxlen=7)
        self._counted_spm: float | None = None
        self._since_start = 0

    def feed(self, time_s: float, reading: Reading) -> Sample:
        """Take one packet's reading, with its time [s]; times never go back."""
        if time_s - self._oldest_s > HELD_S:
            self._forget(time_s)
        if not self._is_by_the_book:
            reading = self._handled(time_s, reading)
        self._hold(time_s, reading)
        self._count(time_s, reading)
        self._time_s = time_s
        known = self._known.get
        if moving := self._moving(time_s):
            rate, (pace, power_w, power_source) = self._rate(), self._pace_and_power()
            self.power_source = "machine" if power_source == "machine" else self.power_source or power_source
        else:
            rate, pace, power_source = self._zero("stroke_rate_spm"), None, None
            power_w = self._zero("power_w", "pace_s_per_500m")
        heart_rate, heart_rate_source = self._heart_rate()
        return Sample._make(  # a call by names takes several times as long
            (
                time_s,
                moving,
                _whole(self._strokes.total),
                rate,
                self._distance_m.total,
                pace,
                power_w,
                power_source,
                _whole(heart_rate),
                heart_rate_source,
                known("resistance_level"),
                known("drag_factor"),
                self._energy_kcal.total,
                known("energy_per_hour_kcal"),
                known("elapsed_s"),
                self._effort,
                *map(known, OF_A_STROKE),
            )
        )

    def lost(self) -> None:
        """The link was lost: a clock that is behind when it is heard again didn't just stumble."""
        self._was_lost = True

    def _handled(self, time_s: float, reading: Reading) -> Reading:
        """The reading as this machine means it."""
        how = self._handling
        changed: dict[str, Any] = {}
        if reading.stroke_rate_spm is not None:
            changed["stroke_rate_spm"] = reading.stroke_rate_spm * how.stroke_rate_scale
        if reading.energy_kcal is not None:
            changed["energy_kcal"] = reading.energy_kcal * how.energy_scale
        if how.resistance_is_drag and reading.resistance_level is not None:
            changed |= {"resistance_level": None, "drag_factor": reading.resistance_level}
        if how.zero_power_is_noise and reading.power_w == 0 and self._moving(time_s):
            changed["power_w"] = None
        if not how.counts_distance:
            changed["distance_m"] = self._metres_by_pace(time_s)
        return reading._replace(**changed)

    def _metres_by_pace(self, time_s: float) -> float:
        """Metres that follow from the pace, for a machine whose own can't be used [m]."""
        pace = self._known.get("pace_s_per_500m")
        if pace is not None and self._moving(time_s):
            self._metres_of_pace += min(time_s - self._time_s, HELD_S) * 500.0 / pace
        return self._metres_of_pace

    def _forget(self, time_s: float) -> None:
        """What came too long ago isn't known any more."""
        self._known = {name: value for name, value in self._known.items() if time_s - self._came_s[name] <= HELD_S}
        self._oldest_s = min((self._came_s[name] for name in self._known), default=time_s)

    def _hold(self, time_s: float, reading: Reading) -> None:
        for (name, least, most), value in zip(PLAUSIBLE, _measured(reading), strict=True):
            if value is None:
                continue
            if least <= value <= most:
                self._held[name] = self._known[name] = value
                self._came_s[name] = time_s
            else:
                self._held.pop(name, None)
                self._known.pop(name, None)
        self._effort = reading.effort or self._effort

    def _count(self, time_s: float, reading: Reading) -> None:
        self._notice_restart(time_s, reading)
        self._is_rowing = self._is_rowing if reading.is_rowing is None else reading.is_rowing
        held = self._held.get
        rowing = held("stroke_rate_spm", 0.0) > 0 or held("power_w", 0.0) > 0 or self._is_rowing
        metres = _new(self._distance_m, reading.distance_m, time_s, rowing)
        _new(self._energy_kcal, reading.energy_kcal, time_s, rowing)
        strokes = _new(self._strokes, reading.stroke_count, time_s, rowing)
        if self._strokes.total is None:
            strokes = min(metres, 1)  # a machine that counts no strokes is rowed when its metres advance
        if strokes:
            self._strike(time_s, strokes)

    def _notice_restart(self, time_s: float, reading: Reading) -> None:
        """Find out that the machine began again while nobody listened, though its counters may be past ours already.

        Its clock says so: it fell, and to no more than can have passed; and every counter that came with it agrees.
        """
        if reading.elapsed_s is None:
            return
        before, self._elapsed = self._elapsed, (time_s, reading.elapsed_s)
        if before is None:
            return
        silence_s = time_s - before[0]
        slack_s = 0.0 if self._was_lost or silence_s > CLOCK_SLACK_S else CLOCK_SLACK_S
        self._was_lost = False
        if reading.elapsed_s >= before[1] - slack_s or _may_have_wrapped(before[1], reading.elapsed_s, silence_s):
            return
        fed: tuple[tuple[Counter, float | None], ...] = (
            (self._distance_m, reading.distance_m),
            (self._strokes, reading.stroke_count),
            (self._energy_kcal, reading.energy_kcal),
        )
        agreed = all(counter.may_have_begun_again(raw, time_s) for counter, raw in fed if raw is not None)
        if agreed and reading.elapsed_s <= silence_s + CLOCK_SLACK_S:
            for counter, _ in fed:
                counter.begin_again(time_s)

    def _strike(self, time_s: float, new: float) -> None:
        period_s = USUAL_STROKE_S
        if self._last_stroke_s is not None and self._moving(time_s):
            period_s = max((time_s - self._last_stroke_s) / new, FASTEST_STROKE_S)
            self._periods_s.append(period_s)
            if len(self._periods_s) >= COUNTED_STROKES:
                self._counted_spm = 60.0 / median(self._periods_s)
            self._since_start += 1
        else:
            self._since_start = 0
        self._stop_after_s = stop_after_s(period_s)
        self._last_stroke_s = time_s

    def _moving(self, time_s: float) -> bool:
        return self._last_stroke_s is not None and time_s - self._last_stroke_s <= self._stop_after_s

    def _zero(self, *names: str) -> float | None:
        return 0.0 if any(name in self._held for name in names) else None

    def _rate(self) -> float | None:
        """The machine's stroke rate, unless the stroke count contradicts it."""
        rate, counted = self._known.get("stroke_rate_spm"), self._counted_spm
        if rate is None or counted is None:
            return rate
        return rate if 0 < rate <= ABSURD_RATE * counted else counted

    def _heart_rate(self) -> tuple[float | None, str | None]:
        """The heart rate and its source: a strap's before the machine's."""
        for source, name in (("strap", "strap_heart_rate_bpm"), ("machine", "heart_rate_bpm")):
            if (heart_rate := self._known.get(name)) is not None:
                self.heart_rate_sources.add(source)
                return heart_rate, source
        return None, None

    def _pace_and_power(self) -> tuple[float | None, float | None, str | None]:
        """The machine's pace and power, and where power comes from: from pace where it sends none, or 0 while rowed.

        Right after a start a machine may show a sprinter's pace; the watts beside it are as wrong.
        """
        pace, power_w = self._known.get("pace_s_per_500m"), self._known.get("power_w")
        if pace is not None and pace < STARTING_PACE_S_PER_500M and self._since_start < STARTING_STROKES:
            return None, None, None
        if power_w:
            return pace, power_w, "machine"
        if pace is not None:
            return pace, power_from_pace_w(pace), "pace"
        return None, power_w, None if power_w is None else "machine"


def _may_have_wrapped(before_s: float, now_s: float, silence_s: float) -> bool:
    """Whether a machine's clock was so near to its end that it needn't have begun again [s]."""
    return any((now_s - before_s) % wraps_s <= silence_s + CLOCK_SLACK_S for wraps_s in CLOCKS_WRAP_S)


def _new(counter: Counter, raw: float | None, time_s: float, rowing: bool) -> float:
    """What a counter advances by one reading, or by none."""
    before = counter.total or 0
    return 0 if raw is None else counter.feed(raw, time_s, rowing=rowing) - before


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


CLOCKS_WRAP_S = (65_536.0, 167_772.16)
"""Where machines' clocks wrap to 0: FTMS counts seconds in 16 bits, a Concept2 hundredths in 24 [s]."""

CLOCK_SLACK_S = 5.0
"""How far a machine's clock may be off without a meaning: they show whole seconds, some late [s]."""

COUNTED_STROKES = 3
ABSURD_RATE = 2.2
"""A stroke rate so many times what the count of the last strokes says is none.

JOROTO says 66-80 spm at a standing count; a KayakPro counts both sides in its rate and pairs in its count, some 1.8.
"""

STARTING_STROKES = 3
STARTING_PACE_S_PER_500M = 80.0
"""A pace faster than this in the first strokes is the monitor's division by a short time (JOROTO: 69-75) [s/500 m]."""

OF_A_STROKE = (
    "drive_time_s",
    "recovery_time_s",
    "drive_length_m",
    "peak_force_n",
    "average_force_n",
    "work_per_stroke_j",
)

# The range outside which a value is "not measured": pace 0 and 65535 both stand for "no pace", heart rate 0 for "no
# strap", 65535 W is a sentinel, a drag factor of 995 is a mistake.  No rower's body and no machine leaves these ranges.
PLAUSIBLE = (
    ("stroke_rate_spm", 0, 127),
    ("pace_s_per_500m", 50, 3600),
    ("power_w", 0, 2000),
    ("energy_per_hour_kcal", 1, 10_000),
    ("heart_rate_bpm", 25, 240),
    ("strap_heart_rate_bpm", 25, 240),
    ("resistance_level", -1000, 1000),
    ("drag_factor", 30, 300),
    ("elapsed_s", 0, 167772),
    ("drive_time_s", 0.1, 3),
    ("recovery_time_s", 0.1, 60),
    ("drive_length_m", 0.1, 2.5),
    ("peak_force_n", 0, 3000),
    ("average_force_n", 0, 3000),
    ("work_per_stroke_j", 0, 4000),
)

_measured = attrgetter(*(name for name, *_ in PLAUSIBLE))
