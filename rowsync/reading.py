"""What one packet says of the row, in a rower's words, whatever service and machine it came from.

Each service's module turns its own packets into this noun (`ftms`, `concept2`, `heart_rate`); from here up nobody knows
which service it was.
"""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """The fields of one packet; None is "it says nothing of that".

    Counters are the machine's own and may wrap, start again or jump: `telemetry` makes them grow.

    Attributes:
        stroke_rate_spm: stroke rate [1/min].
        stroke_count: strokes since the machine began to count.
        distance_m: distance since the machine began to count [m].
        pace_s_per_500m: pace [s/500 m].
        power_w: power [W].
        average_power_w: mean power since the machine began to count [W].
        energy_kcal: energy since the machine began to count [kcal].
        energy_per_hour_kcal: energy at the present pace [kcal/h].
        heart_rate_bpm: heart rate as the machine passes it on [1/min].
        strap_heart_rate_bpm: heart rate as a strap sends it to us [1/min].
        resistance_level: as the machine counts it.
        drag_factor: Concept2's measure of the flywheel's drag [1e-6 N m s^2].
        elapsed_s: the machine's own clock [s].
        is_rowing: whether the machine says that somebody rows.
        effort: what the machine's own programme asks for: "hard", "easy", "rest", "warmup" or "cooldown".
        drive_time_s: the last stroke's time on the handle [s].
        recovery_time_s: the last stroke's time between drives [s].
        drive_length_m: the last stroke's way of the handle [m].
        peak_force_n: the last stroke's highest force on the handle [N].
        average_force_n: the last stroke's mean force on the handle [N].
        work_per_stroke_j: the last stroke's work [J].
        missing: what the packet promises and its length doesn't hold.
    """

    stroke_rate_spm: float | None = None
    stroke_count: int | None = None
    distance_m: float | None = None
    pace_s_per_500m: float | None = None
    power_w: float | None = None
    average_power_w: float | None = None
    energy_kcal: float | None = None
    energy_per_hour_kcal: float | None = None
    heart_rate_bpm: int | None = None
    strap_heart_rate_bpm: int | None = None
    resistance_level: float | None = None
    drag_factor: float | None = None
    elapsed_s: float | None = None
    is_rowing: bool | None = None
    effort: str | None = None
    drive_time_s: float | None = None
    recovery_time_s: float | None = None
    drive_length_m: float | None = None
    peak_force_n: float | None = None
    average_force_n: float | None = None
    work_per_stroke_j: float | None = None
    missing: tuple[str, ...] = ()
