"""The two nouns that all else is made from, and the one translation between them.

A `Notification` is what arrived.  A `Sample` is what it says in a rower's words: counters that only grow, whatever the
machine's own do; a stop seen from the stroke count standing still, because many machines repeat their last power, pace
and rate for ever; None where nothing was measured.

Machines send a record whole, in pairs, or in parts on clocks of their own, and "more data = 0" isn't always last.  So
there is no joining: `Telemetry` holds the latest value of each field with the time it came, and every notification
yields the state as it then stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from rowsync.ftms import RowerData


@dataclass(frozen=True, slots=True)
class Notification:
    """One packet exactly as it arrived.

    Attributes:
        time_s: seconds since the recording's start, by the host's monotonic clock [s].
        characteristic: the 16-bit UUID in lower-case hex (`2ad1`), or the first 32 bits of a 128-bit one.
        payload: the bytes.
    """

    time_s: float
    characteristic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Sample:
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
        heart_rate_bpm: heart rate [1/min].
        resistance_level: as the machine counts it (a Concept2 sends its drag factor here).
        machine_energy_kcal: the machine's own energy counter since the session began [kcal].
        machine_elapsed_s: the machine's own clock, as sent [s].
    """

    time_s: float
    moving: bool
    stroke_count: int | None
    stroke_rate_spm: float | None
    distance_m: float | None
    pace_s_per_500m: float | None
    power_w: float | None
    heart_rate_bpm: int | None
    resistance_level: float | None
    machine_energy_kcal: float | None
    machine_elapsed_s: float | None


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


class Counter:
    """A total that only grows, out of a machine's counter that may wrap, start again or jump.

    Args:
        modulus: where the machine's counter wraps to 0.
        most_per_s: no rower counts faster in the long run; what exceeds it is the machine's mistake and counts nothing.
        slack: how far a machine that counts in lumps may be ahead of that.
    """

    def __init__(self, modulus: int, most_per_s: float, slack: float) -> None:
        self._modulus, self._most_per_s, self._slack = modulus, most_per_s, slack
        self._raw = 0
        self._time_s = 0.0
        self._allowance = slack
        self.total: int | None = None

    def feed(self, raw: int, time_s: float, *, rowing: bool = True) -> int:
        """Take the machine's count at a time [s] and answer the total.

        A first count within the slack is ours if somebody is `rowing`: a machine that speaks once the first stroke is
        over starts above 0.
        """
        if self.total is None:
            self.total = raw if rowing and raw <= self._slack else 0
        elif not self._steps_back(raw):
            self.total += self._advance(raw, time_s)
        else:
            return self.total
        self._raw, self._time_s = raw, time_s
        return self.total

    def _steps_back(self, raw: int) -> bool:
        """Whether the machine only corrects itself by a little; beginning again starts at 0, or far below."""
        return 0 < raw < self._raw <= raw + self._slack

    def _advance(self, raw: int, time_s: float) -> int:
        earned = self._most_per_s * (time_s - self._time_s)
        self._allowance = min(self._allowance, self._slack) + earned
        onward, wrapped, restarted = raw - self._raw, raw - self._raw + self._modulus, raw
        for advance in (onward, wrapped, restarted):
            if 0 <= advance <= self._allowance:
                self._allowance -= advance
                return advance
        return 0


class Telemetry:
    """Turns Rower Data fields into samples, one for each notification.

    Attributes:
        power_source: where `power_w` comes from: "machine", "pace" when the machine sends none, or None so far.
    """

    def __init__(self) -> None:
        self.power_source: str | None = None
        self._strokes = Counter(1 << 16, most_per_s=2.0, slack=3)
        self._distance_m = Counter(1 << 24, most_per_s=10.0, slack=20)
        self._energy_kcal = Counter(1 << 16, most_per_s=2.0, slack=10)
        self._held: dict[str, tuple[float, float]] = {}
        self._last_stroke_s: float | None = None
        self._period_s = USUAL_STROKE_S

    def feed(self, time_s: float, data: RowerData) -> Sample:
        """Take one notification's fields, with its time [s]; times never go back."""
        self._hold(time_s, data)
        self._count(time_s, data)
        moving = self._moving(time_s)
        pace = self._latest("pace", time_s)
        return Sample(
            time_s=time_s,
            moving=moving,
            stroke_count=self._strokes.total,
            stroke_rate_spm=self._latest("rate", time_s) if moving else self._zero("rate"),
            distance_m=self._distance_m.total,
            pace_s_per_500m=pace if moving else None,
            power_w=self._power(time_s, pace) if moving else self._zero("power", "pace"),
            heart_rate_bpm=self._whole("heart_rate", time_s),
            resistance_level=self._latest("resistance", time_s),
            machine_energy_kcal=self._energy_kcal.total,
            machine_elapsed_s=self._latest("elapsed", time_s),
        )

    def _hold(self, time_s: float, data: RowerData) -> None:
        for name, field, least, most in _HELD:
            value = getattr(data, field)
            if value is None:
                continue
            if least <= value <= most:
                self._held[name] = (time_s, value)
            else:
                self._held.pop(name, None)

    def _count(self, time_s: float, data: RowerData) -> None:
        rowing = any(self._held.get(name, (0.0, 0.0))[1] > 0 for name in ("rate", "power"))
        metres = _new(self._distance_m, data.total_distance_m, time_s, rowing)
        _new(self._energy_kcal, data.total_energy_kcal, time_s, rowing)
        strokes = _new(self._strokes, data.stroke_count, time_s, rowing)
        if self._strokes.total is None:
            strokes = min(metres, 1)  # a machine that counts no strokes is rowed when its metres advance
        if strokes:
            self._strike(time_s, strokes)

    def _strike(self, time_s: float, new: int) -> None:
        if self._last_stroke_s is not None and self._moving(time_s):
            self._period_s = max((time_s - self._last_stroke_s) / new, FASTEST_STROKE_S)
        else:
            self._period_s = USUAL_STROKE_S
        self._last_stroke_s = time_s

    def _moving(self, time_s: float) -> bool:
        return self._last_stroke_s is not None and time_s - self._last_stroke_s <= stop_after_s(self._period_s)

    def _latest(self, name: str, time_s: float) -> float | None:
        came_s, value = self._held.get(name, (-HELD_S, None))
        return value if value is not None and time_s - came_s <= HELD_S else None

    def _whole(self, name: str, time_s: float) -> int | None:
        value = self._latest(name, time_s)
        return None if value is None else int(value)

    def _zero(self, *names: str) -> float | None:
        return 0.0 if any(name in self._held for name in names) else None

    def _power(self, time_s: float, pace_s_per_500m: float | None) -> float | None:
        """The machine's power; what its pace implies where it sends none, or 0 while it is being rowed."""
        power_w = self._latest("power", time_s)
        if power_w:
            self.power_source = "machine"
        elif pace_s_per_500m is not None:
            self.power_source = self.power_source or "pace"
            return power_from_pace_w(pace_s_per_500m)
        return power_w


def _new(counter: Counter, raw: int | None, time_s: float, rowing: bool) -> int:
    """What a counter advances by one reading, or by none."""
    before = counter.total or 0
    return 0 if raw is None else counter.feed(raw, time_s, rowing=rowing) - before


# What is held, from which field, and the range outside which a value is "not measured": pace 0 and 65535 both stand for
# "no pace", heart rate 0 for "no strap", 65535 W is a sentinel.  No rower's body leaves these ranges.
_HELD = (
    ("rate", "stroke_rate_spm", 0, 127),
    ("pace", "instantaneous_pace_s_per_500m", 50, 3600),
    ("power", "instantaneous_power_w", 0, 2000),
    ("heart_rate", "heart_rate_bpm", 25, 240),
    ("resistance", "resistance_level", -1000, 1000),
    ("elapsed", "elapsed_time_s", 0, 65535),
)
