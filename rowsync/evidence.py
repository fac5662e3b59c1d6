"""The row in a machine's own words, set beside what cannot lie: the order of packets, and the host's clock.

What a rower's stroke rate, pace, power, metres and energy say is held against each other here.  The stroke count is
taken as the truth, since a machine that miscounts strokes is not known; time is this computer's.  Nothing is handled:
a machine is shown as it is, whatever rowsync does about it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rowsync.audit import Tick
from rowsync.readers import ROW_READERS
from rowsync.reading import Reading
from rowsync.telemetry import SLOWEST_STROKE_S, STARTING_STROKES, USUAL_STROKE_S, Telemetry, power_from_pace_w
from rowsync.traffic import Packet

FRESH_S = 5.0
"""A value that is older says nothing of now: the slowest machines speak once a stroke [s]."""

COUNTED_OVER = 7
"""The stroke rate that a count says is that of its last strokes: so many smooth a clock that ticks once a second."""


class Bout(NamedTuple):
    """A stretch of strokes without a stop: when the first and the last were counted [s], and how many each time."""

    start_s: float
    end_s: float
    times_s: tuple[float, ...]
    counts: tuple[int, ...]


class State(NamedTuple):
    """What a machine says at one packet of the row, and what was said shortly before.

    Attributes:
        time_s: when it came [s].
        reading: what this packet says itself.
        fields: its fields, by their names on the wire.
        bout: which of the bouts it lies in; None while nobody rows.
        strokes: strokes of this bout so far.
        counted_spm: the stroke rate that the stroke count says [1/min]; None in the first strokes.
        power_w: power said last, and not long ago [W].
        pace_s_per_500m: pace said last, and not long ago [s/500 m].
    """

    time_s: float
    reading: Reading
    fields: Mapping[str, Any]
    bout: int | None
    strokes: int
    counted_spm: float | None
    power_w: float | None
    pace_s_per_500m: float | None

    @property
    def is_steady(self) -> bool:
        """Whether somebody rows, and not just begins to."""
        return self.bout is not None and self.strokes >= STARTING_STROKES


class Evidence(NamedTuple):
    """The row.

    Attributes:
        states: one for each packet that speaks of the row, in the order of time.
        bouts: where strokes followed each other.
        counts_strokes: whether the machine counts them; if not, a stroke here is an advance in metres.
    """

    states: tuple[State, ...]
    bouts: tuple[Bout, ...]
    counts_strokes: bool

    @property
    def strokes(self) -> int:
        """All strokes."""
        return sum(sum(bout.counts) for bout in self.bouts)

    @property
    def rowed_s(self) -> float:
        """The time in bouts [s]."""
        return sum(bout.end_s - bout.start_s for bout in self.bouts)

    @property
    def steady(self) -> tuple[State, ...]:
        """The states in which somebody rows and doesn't just begin to."""
        return tuple(state for state in self.states if state.is_steady)

    @property
    def stops_s(self) -> Iterator[tuple[float, float]]:
        """From each bout's last stroke to the next one's first, or to the end [s]."""
        starts_s = [bout.start_s for bout in self.bouts[1:]]
        end_s = self.states[-1].time_s if self.states else 0.0
        return ((bout.end_s, start_s) for bout, start_s in zip(self.bouts, [*starts_s, end_s], strict=bool(self.bouts)))

    def between(self, start_s: float, end_s: float) -> tuple[State, ...]:
        """The states from one time to another [s]."""
        first = bisect_right(self.states, start_s, key=lambda state: state.time_s)
        last = bisect_right(self.states, end_s, key=lambda state: state.time_s)
        return self.states[first:last]


def evidence_of(packets: Iterable[Packet]) -> Evidence:
    """The row in packets that are in the order of time; never raises on any bytes."""
    rows = [
        (packet, packet.reading)
        for packet in packets
        if packet.reading is not None and packet.characteristic in ROW_READERS
    ]
    counted, metres = _advances(rows)
    bouts = _bouts(counted or metres)
    return Evidence(tuple(_states(rows, bouts)), bouts, bool(counted))


# --- strokes ----------------------------------------------------------------------------------------------------------


_Said = tuple[Packet, Reading]
_Strokes = list[tuple[float, int]]


def _advances(rows: Sequence[_Said]) -> tuple[_Strokes, _Strokes]:
    """When the stroke count grew and by how much, and when the metres did."""
    telemetry = Telemetry()
    counted: _Strokes = []
    metres: _Strokes = []
    strokes, distance_m = 0, 0.0
    for packet, reading in rows:
        sample = telemetry.feed(packet.time_s - rows[0][0].time_s, reading)
        before, before_m = strokes, distance_m
        strokes, distance_m = sample.stroke_count or 0, sample.distance_m or 0.0
        if strokes > before:
            counted.append((packet.time_s, strokes - before))
        if distance_m > before_m:
            metres.append((packet.time_s, 1))
    return counted, metres


def _bouts(strokes: Sequence[tuple[float, int]]) -> tuple[Bout, ...]:
    bouts: list[list[tuple[float, int]]] = []
    for time_s, count in strokes:
        if bouts and time_s - bouts[-1][-1][0] <= SLOWEST_STROKE_S * count:
            bouts[-1].append((time_s, count))
        else:
            bouts.append([(time_s, count)])
    return tuple(
        Bout(bout[0][0], bout[-1][0], tuple(time_s for time_s, _ in bout), tuple(count for _, count in bout))
        for bout in bouts
    )


def _states(rows: Sequence[_Said], bouts: Sequence[Bout]) -> Iterator[State]:
    held: dict[str, tuple[float, float]] = {}
    starts_s = [bout.start_s for bout in bouts]
    for packet, reading in rows:
        for name in ("power_w", "pace_s_per_500m"):
            value = getattr(reading, name)
            if value is not None:
                held[name] = (packet.time_s, value)
        number = bisect_right(starts_s, packet.time_s) - 1
        rowing = number >= 0 and packet.time_s <= bouts[number].end_s
        done = bisect_right(bouts[number].times_s, packet.time_s) if rowing else 0
        yield State(
            packet.time_s,
            reading,
            packet.fields,
            number if rowing else None,
            done,
            _counted_spm(bouts[number], done) if rowing else None,
            _fresh(held, "power_w", packet.time_s),
            _fresh(held, "pace_s_per_500m", packet.time_s),
        )


def _counted_spm(bout: Bout, done: int) -> float | None:
    """The rate of the last strokes before the one numbered `done` is over."""
    first = max(0, done - 1 - COUNTED_OVER)
    if done - 1 - first < STARTING_STROKES:
        return None
    passed_s = bout.times_s[done - 1] - bout.times_s[first]
    return 60.0 * sum(bout.counts[first + 1 : done]) / passed_s if passed_s > 0 else None


def _fresh(held: Mapping[str, tuple[float, float]], name: str, time_s: float) -> float | None:
    came_s, value = held.get(name, (-FRESH_S, None))
    return value if value is not None and time_s - came_s <= FRESH_S else None


# --- what is held against what ----------------------------------------------------------------------------------------


def rate_ratios(states: Iterable[State]) -> list[float]:
    """The stroke rate said, over the one that the stroke count says; where it says none it isn't asked."""
    return [
        state.reading.stroke_rate_spm / state.counted_spm
        for state in states
        if state.reading.stroke_rate_spm and state.counted_spm
    ]


def power_ratios(states: Iterable[State]) -> list[float]:
    """The power said, over the one that Concept2's relation gives for the pace said."""
    return [
        state.power_w / power_from_pace_w(state.pace_s_per_500m)
        for state in states
        if state.power_w is not None and state.power_w > 0 and state.pace_s_per_500m
    ]


def metres_said(evidence: Evidence) -> tuple[float, float]:
    """The distance counted while rowing, and the one that follows from the pace over the same time [m]."""
    counted_m, paced_m, pending_m = 0.0, 0.0, 0.0
    last: tuple[State, float] | None = None
    before: State | None = None
    for state in evidence.states:
        if before is not None and before.pace_s_per_500m and state.bout is not None:
            pending_m += (state.time_s - before.time_s) * 500.0 / before.pace_s_per_500m
        before, metres = state, state.reading.distance_m
        if metres is None:
            continue
        if last is not None and last[0].is_steady and state.bout == last[0].bout and metres >= last[1] and pending_m:
            counted_m, paced_m = counted_m + metres - last[1], paced_m + pending_m
        last, pending_m = (state, metres), 0.0
    return counted_m, paced_m


# --- energy -----------------------------------------------------------------------------------------------------------


def energy_ticks(evidence: Evidence) -> list[Tick]:
    """Follow a machine's energy counter; it may begin again, and a step back counts nothing.

    The bout is None for what is counted while nobody rows.
    """
    ticks: list[Tick] = []
    work_wh, rowed_h, total_kcal = 0.0, 0.0, 0.0
    raw: float | None = None
    before: State | None = None
    for state in evidence.states:
        if before is not None and state.bout is not None:
            passed_s = state.time_s - before.time_s
            began = state.bout != before.bout  # the first stroke of a bout is over when it is counted
            hours = (min(passed_s, USUAL_STROKE_S) if began else passed_s) / 3600.0
            rowed_h += hours
            work_wh += hours * (_watts(state if began else before) or 0.0)
        before, energy = state, state.reading.energy_kcal
        if energy is not None:
            if raw is not None and energy > raw:
                total_kcal += energy - raw
                ticks.append(Tick(state.bout, rowed_h, work_wh, total_kcal))
            raw = energy
    return ticks


def _watts(state: State) -> float | None:
    """The power said; where none is, the one that Concept2's relation gives for the pace [W]."""
    if state.power_w:
        return max(0.0, state.power_w)
    return power_from_pace_w(state.pace_s_per_500m) if state.pace_s_per_500m else None
