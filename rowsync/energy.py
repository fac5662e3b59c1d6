"""Energy: what the rowing cost the body, with a range that says how well that can be known.

Power is added up stroke by stroke, never taken from a mean; rest costs rest, a gap costs nothing.  The machine's own
calories are kept apart; they follow whatever formula its maker chose (`rowsync.audit`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rowsync.athlete import Athlete
from rowsync.formulas import (
    FEMALE,
    MODEL,
    WORK_KCAL_PER_MIN_W,
    at_rest,
    by_formula,
    keytel,
    rowsync_mass_aware,
)
from rowsync.intervals import Effort, Segment
from rowsync.strokes import Stroke
from rowsync.wording import clock, number

ASSUMED_MASS_KG = 75.0
"""Stands in where the athlete's mass isn't known; the range widens [kg]."""

ASSUMED_POWER_W = 100.0
"""Stands in where nothing says how hard somebody rows: no power, no pace, no metres, no heart rate [W]."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What all intervals of one effort cost together: demand while it lasted, whenever the breath paid for it.

    Attributes:
        effort: the effort.
        duration_s: how long they were [s].
        gross_kcal: their gross energy [kcal].
        net_kcal: the same less what the body would have used at rest [kcal].
    """

    effort: Effort
    duration_s: float
    gross_kcal: float
    net_kcal: float


@dataclass(frozen=True, slots=True)
class Energy:
    """What a session cost.

    Attributes:
        gross_kcal: all energy used from the session's start to its end, but for gaps [kcal].
        net_kcal: the same less what the body would have used at rest: what counts for a deficit [kcal].
        low_kcal: lower end of the 80 % range of the gross energy [kcal].
        high_kcal: upper end of it [kcal].
        net_low_kcal: lower end of the 80 % range of the net energy [kcal].
        net_high_kcal: upper end of it [kcal].
        half_width: half of the gross energy's range, as a share of it.
        rest_kcal: the part that the body would have used at rest [kcal].
        moving_kcal: the part that moved the body on the slide, with the work where only heart rate was known [kcal].
        work_kcal: the part that did the work on the handle [kcal].
        model: name of the model.
        source: what it is reckoned from: "power", "pace", "distance", "heart rate", or "assumed".
        mass_kg: the body mass that it is reckoned with [kg].
        mass_from: who said it: "typed", "settings", "recording", or "assumed".
        machine_kcal: what the machine's own counter says [kcal].
        formulas_kcal: what other formulas give for the same strokes, by their names [kcal].
        phases: what each effort cost; they sum to the whole.
        doubts: what makes the range wide, in sentences.
    """

    gross_kcal: float
    net_kcal: float
    low_kcal: float
    high_kcal: float
    net_low_kcal: float
    net_high_kcal: float
    half_width: float
    rest_kcal: float
    moving_kcal: float
    work_kcal: float
    model: str
    source: str
    mass_kg: float
    mass_from: str
    machine_kcal: float | None
    formulas_kcal: dict[str, float]
    phases: tuple[Phase, ...]
    doubts: tuple[str, ...]


# --- how well it can be known -----------------------------------------------------------------------------------------

Z_80 = 1.2816
"""80 % of a normal distribution lie within so many standard deviations."""

# Standard deviations, as shares of the energy that they concern.  All are systematic for one person on one machine:
# more sessions don't shrink them.
STUDIES_SD = 0.083
"""How far a study is from a model fitted to the others: 7.2 % root mean square (`python -m benchmarks.energy`), times
the root of 4/3 since there are only four."""
ECONOMY_SD = 0.08
"""How far one person is from the mean at the same power: club rowers use 10-13 % more than champions (Ingham 2007)."""
GAS_SD = 0.03
"""Energy for a litre of oxygen."""
LOW_POWER_SD = 0.08
LOW_POWER_W = 100.0
"""Below the powers that were ever measured, and with people who were: an untrained person on an unknown machine [W]."""
MASS_SD = 0.208
"""80 % of adults are within 20 kg of `ASSUMED_MASS_KG`."""
MEASURED_SD = 0.04
WATTS_SD = {"machine": 0.15, "pace": 0.20, "distance": 0.20}
"""How far power can be trusted, on a machine that is known to measure it and by `Stroke.power_source` on others.

A Concept2 measures it and reads 3-5 % low (Lormes 1993, Treff 2022); of other machines' watts nobody knows, and x1.45
was seen (qdomyos-zwift #4971); pace is turned into power by Concept2's relation, which other machines needn't keep.
"""
FILLED_SD = 0.30
"""Power that was missing for a stretch, taken from the strokes before."""
ASSUMED_SD = 0.60
"""Power that nobody measured, `ASSUMED_POWER_W`."""
HEART_RATE_SD = 0.20
FEMALE_HEART_RATE_SD = 0.35
"""Keytel's formula on rowers: 9 % off for trained men, 16 % for students, a third too low for elite women."""


@dataclass(slots=True)
class _Known:
    """Energy rowed so far by how well it is known [kcal]; and for how long each way served [s]."""

    rowed: float = 0.0
    untried: float = 0.0
    work: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    lasted_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    heart_rate: float = 0.0

    def half_width(self, gross_kcal: float, athlete: Athlete) -> float:
        """Half the width of the 80 % range, as a share of the gross energy."""
        by_line = gross_kcal - self.heart_rate
        parts = [
            (STUDIES_SD, by_line),
            (ECONOMY_SD, by_line),
            (GAS_SD, by_line),
            (LOW_POWER_SD, self.untried),
            (0.0 if athlete.mass_kg else MASS_SD, by_line - sum(self.work.values())),
            (FEMALE_HEART_RATE_SD if athlete.sex == FEMALE else HEART_RATE_SD, self.heart_rate),
            *((WORK_SD[way], kcal) for way, kcal in self.work.items()),
        ]
        variance = sum((sd * kcal) ** 2 for sd, kcal in parts)
        return Z_80 * float(variance**0.5) / gross_kcal if gross_kcal > 0 else 0.0


MEASURED, FILLED, ASSUMED, BY_HEART_RATE = "measured", "filled", "assumed", "heart rate"
WORK_SD = WATTS_SD | {MEASURED: MEASURED_SD, FILLED: FILLED_SD, ASSUMED: ASSUMED_SD}
"""The same for every way in which a stroke's power is known."""


def even_rowing(
    power_w: float, seconds: float, athlete: Athlete, watts: str = MEASURED, heart_rate_bpm: float | None = None
) -> Energy:
    """What rowing at one power costs.

    Args:
        power_w: power [W].
        seconds: for how long [s].
        athlete: who rows.
        watts: where power comes from: "measured" by a machine that is known to, or a key of `WATTS_SD`.
        heart_rate_bpm: heart rate, for the formulas that need it [1/min].
    """
    measured = watts == MEASURED
    meter = EnergyMeter(athlete, measures_power=measured)
    source = "machine" if measured else watts
    meter.feed(Stroke(1, 0.0, seconds, None, power_w, power_source=source), heart_rate_bpm)
    return meter.finish(seconds, None)


STANDS_IN = {
    "pace": "it is derived from pace by Concept2's relation",
    "distance": "it is derived from metres by Concept2's relation",
    BY_HEART_RATE: "heart rate stands in",
    FILLED: "the mean before it stands in",
    ASSUMED: f"{ASSUMED_POWER_W:.0f} W are assumed",
}
LEAST_MISSING_S = 15.0
"""Less is the first strokes of a machine that wakes [s]."""


# --- the meter --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Rates:
    """Energy a second [kcal/s]: gross, and at rest."""

    gross: float
    rest: float = 0.0


class EnergyMeter:
    """Adds up energy: a stroke costs its power, the time between strokes costs rest, a gap costs nothing.

    A stroke without power costs what its heart rate says where that can be, else what the strokes before it did on the
    mean, else `ASSUMED_POWER_W`; each widens the range.

    Args:
        athlete: who rows.
        measures_power: whether the machine is known to measure its watts (`machines.measures_power`).
    """

    def __init__(self, athlete: Athlete, *, measures_power: bool = False) -> None:
        self._athlete = athlete
        self._machine = MEASURED if measures_power else "machine"
        self._mass_kg = athlete.mass_kg or ASSUMED_MASS_KG
        rest = at_rest(self._mass_kg, athlete.height_cm, athlete.age_years, athlete.sex) / 60.0
        self._resting = _Rates(rest, rest)
        # The energies are broken lines through these points.
        self._times_s = [0.0]
        self._gross_kcal = [0.0]
        self._rest_kcal = [0.0]
        self._known = _Known()
        self._rowed: list[tuple[float, float | None, float | None]] = []
        self._measured_s = self._measured_j = 0.0

    def feed(self, stroke: Stroke, heart_rate_bpm: float | None = None) -> None:
        """Take the next stroke, and the heart rate at its end [1/min]."""
        self._add(stroke.start_s, self._resting)
        seconds = max(0.0, stroke.end_s - self._times_s[-1])
        gross = self._cost_per_s(stroke, heart_rate_bpm, seconds)
        self._known.rowed += gross * seconds
        self._add(stroke.end_s, _Rates(gross, self._resting.rest))
        self._rowed.append((seconds, stroke.power_w, heart_rate_bpm))

    def _cost_per_s(self, stroke: Stroke, heart_rate_bpm: float | None, seconds: float) -> float:
        """What a stroke costs a second, noting how well that is known [kcal/s]."""
        known = self._known
        by_heart = None if stroke.power_w is not None else self._by_heart_rate(heart_rate_bpm)
        if by_heart is not None:
            known.lasted_s[BY_HEART_RATE] += seconds
            known.heart_rate += by_heart * seconds
            return by_heart
        power_w, way = self._believed(stroke, seconds)
        work = WORK_KCAL_PER_MIN_W * power_w / 60.0
        gross = max(rowsync_mass_aware(power_w, self._mass_kg) / 60.0, self._resting.gross + work)
        known.lasted_s[way] += seconds
        known.work[way] += work * seconds
        if way != MEASURED or power_w < LOW_POWER_W:
            known.untried += gross * seconds
        return gross

    def _believed(self, stroke: Stroke, seconds: float) -> tuple[float, str]:
        """A stroke's power [W], and how it is known; where it is missing, the mean of those before it."""
        if stroke.power_w is not None:
            self._measured_s += seconds
            self._measured_j += stroke.power_w * seconds
            return stroke.power_w, self._machine if stroke.power_source == "machine" else stroke.power_source
        return (self._measured_j / self._measured_s, FILLED) if self._measured_s else (ASSUMED_POWER_W, ASSUMED)

    def _by_heart_rate(self, heart_rate_bpm: float | None) -> float | None:
        """What Keytel's formula says, at least moving the body; None where it can't be asked [kcal/s]."""
        athlete = self._athlete
        if heart_rate_bpm is None or athlete.mass_kg is None or athlete.age_years is None or athlete.sex is None:
            return None
        kcal_per_min = keytel(heart_rate_bpm, athlete.mass_kg, athlete.age_years, athlete.sex)
        return max(kcal_per_min, rowsync_mass_aware(0.0, athlete.mass_kg)) / 60.0

    def skip(self, start_s: float, end_s: float) -> None:
        """Leave a gap out [s]."""
        self._add(start_s, self._resting)
        self._add(end_s, _Rates(0.0))

    def gross_at(self, time_s: float) -> float:
        """Gross energy used from the session's start to a time [kcal]; after the last stroke the body rests."""
        return self._at(time_s, self._gross_kcal)

    def net_at(self, time_s: float) -> float:
        """The same less what the body would have used at rest [kcal]."""
        return self.gross_at(time_s) - self.rest_at(time_s)

    def rest_at(self, time_s: float) -> float:
        """What the body would have used at rest until a time, but for gaps [kcal]."""
        return self._at(time_s, self._rest_kcal)

    def half_width(self, end_s: float) -> float:
        """Half the width of the 80 % range until a time after the last stroke [s], as a share of the gross energy."""
        return self._known.half_width(self.gross_at(end_s), self._athlete)

    @property
    def rowed_kcal(self) -> float:
        """Gross energy of the strokes alone, without the rests between them [kcal]."""
        return self._known.rowed

    def finish(self, end_s: float, machine_kcal: float | None, segments: Sequence[Segment] = ()) -> Energy:
        """The whole session's energy.

        Args:
            end_s: the session's end [s].
            machine_kcal: the machine's own count [kcal].
            segments: the session's segments, which tile it.
        """
        gross, rest = self.gross_at(end_s), self.rest_at(end_s)
        share = self.half_width(end_s)
        work = sum(self._known.work.values())
        return Energy(
            gross_kcal=gross,
            net_kcal=gross - rest,
            low_kcal=gross * (1 - share),
            high_kcal=gross * (1 + share),
            net_low_kcal=max(0.0, gross * (1 - share) - rest),
            net_high_kcal=gross * (1 + share) - rest,
            half_width=share,
            rest_kcal=rest,
            moving_kcal=gross - rest - work,
            work_kcal=work,
            model=MODEL,
            source=self._source(),
            mass_kg=self._mass_kg,
            mass_from=(self._athlete.mass_from or "recording") if self._athlete.mass_kg else "assumed",
            machine_kcal=machine_kcal,
            formulas_kcal=by_formula((seconds, self._facts(*values)) for seconds, *values in self._rowed),
            phases=tuple(self._phases(segments)),
            doubts=tuple(self._doubts()),
        )

    def _facts(self, power_w: float | None, heart_rate_bpm: float | None) -> dict[str, float | str | None]:
        """What formulas may ask of one stroke."""
        athlete = self._athlete
        return {
            "power_w": power_w,
            "heart_rate_bpm": heart_rate_bpm,
            "mass_kg": athlete.mass_kg,
            "age_years": athlete.age_years,
            "sex": athlete.sex,
            "vo2max_ml_per_kg_min": athlete.vo2max_ml_per_kg_min,
        }

    def _phases(self, segments: Sequence[Segment]) -> Iterator[Phase]:
        for effort in dict.fromkeys(segment.effort for segment in segments):
            alike = [segment for segment in segments if segment.effort is effort]
            yield Phase(
                effort=effort,
                duration_s=sum(each.end_s - each.start_s for each in alike),
                gross_kcal=sum(self.gross_at(each.end_s) - self.gross_at(each.start_s) for each in alike),
                net_kcal=sum(self.net_at(each.end_s) - self.net_at(each.start_s) for each in alike),
            )

    def _source(self) -> str:
        """What most of the rowing is reckoned from."""
        lasted_s = self._known.lasted_s
        way = max(lasted_s, key=lambda each: lasted_s[each], default=ASSUMED)
        return "power" if way in (MEASURED, "machine", FILLED) else way

    def _doubts(self) -> Iterator[str]:
        """What makes the range wide, in sentences."""
        rowed_s = sum(self._known.lasted_s.values())
        if not rowed_s:
            return
        if not self._athlete.mass_kg:
            yield (
                f"Body mass isn't known; {number(ASSUMED_MASS_KG)} kg are assumed. "
                "To say it: rowsync athlete NAME --mass KG"
            )
        for way, stands_in in STANDS_IN.items():
            lasted_s = self._known.lasted_s.get(way, 0.0)
            if lasted_s == rowed_s:
                yield f"The machine sent no power; {stands_in}."
            elif lasted_s >= LEAST_MISSING_S:
                yield f"Power was missing for {clock(lasted_s)}; {stands_in}."

    def _at(self, time_s: float, kcal: list[float]) -> float:
        i = bisect_right(self._times_s, time_s) - 1
        start_s, start_kcal = self._times_s[i], kcal[i]
        if i + 1 == len(self._times_s):
            return start_kcal + (time_s - start_s) * self._resting.gross
        share = (time_s - start_s) / (self._times_s[i + 1] - start_s)
        return start_kcal + share * (kcal[i + 1] - start_kcal)

    def _add(self, end_s: float, rates: _Rates) -> None:
        duration_s = end_s - self._times_s[-1]
        if duration_s <= 0:
            return
        self._times_s.append(end_s)
        self._gross_kcal.append(self._gross_kcal[-1] + duration_s * rates.gross)
        self._rest_kcal.append(self._rest_kcal[-1] + duration_s * rates.rest)
