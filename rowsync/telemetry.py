"""The two nouns that all else is made from: what arrived, and what it says in a rower's words."""

from __future__ import annotations

from dataclasses import dataclass


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
