"""What a machine really does, from a recording: plain findings with their figures, and the quirk each belongs to.

`CHECKS` is the table.  Each check looks at one thing and says what it found; what can't be judged for want of rowing is
said too, never guessed.  A finding that wants its machine handled by name, and isn't, carries the row as it would stand
in `machines.QUIRKS`.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import pairwise
from statistics import median, quantiles
from typing import Any, NamedTuple

from rowsync import concept2, control, features, ftms, wording
from rowsync.audit import (
    CONCEPT2_LAW,
    LOOSELY,
    SAME_KCAL_PER_H,
    SAME_SLOPE,
    EnergyLaw,
    is_sense,
    law_of_rate,
    law_of_ticks,
    named,
)
from rowsync.evidence import (
    Evidence,
    State,
    energy_ticks,
    evidence_of,
    metres_said,
    power_ratios,
    rate_ratios,
)
from rowsync.machines import QUIRKS, Quirk, Remedy, quirks_of
from rowsync.recording import Recording
from rowsync.redaction import redacted_name
from rowsync.telemetry import ABSURD_RATE, LOST, RESUMED, STARTING_PACE_S_PER_500M, STARTING_STROKES
from rowsync.traffic import FieldSeen, Packet, Stream, fields_of, name_of, packets_of, said_by, streams_of


class Verdict(StrEnum):
    """What a finding means for whoever rows, the gravest first.

    `needs_row`: rowsync should handle this machine by name, and doesn't.  `handled`: it departs from the specification
    or from sense, and rowsync deals with it.  `noted`: worth knowing.  `unknown`: can't be said from this recording.
    `fine`: as it should be.
    """

    NEEDS_ROW = "needs_row"
    HANDLED = "handled"
    NOTED = "noted"
    UNKNOWN = "unknown"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found out.

    Attributes:
        verdict: what it means.
        what: the finding in words, with its figures.
        quirk: the quirk it belongs to; None where it belongs to none.
        answer: what rowsync does about it; empty where nothing need be done.
        row: the row as it would stand in `machines.QUIRKS`; empty where none is needed.
    """

    verdict: Verdict
    what: str
    quirk: str | None = None
    answer: str = ""
    row: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """What a recording says of its machine; without its address and its serial number.

    Attributes:
        session_id: the recording's.
        name: what the machine advertises.
        says: what it says of itself.
        duration_s: from the first packet of the row to the last [s].
        stroke_count: strokes; of a machine that counts none, advances in metres.
        rowed_s: the time in which strokes followed each other [s].
        refused_lines: lines of the recording that couldn't be read.
        handshake: the steps of the handshake and how they went.
        streams: what it sends, and in what rhythm.
        fields: what came in each field.
        findings: what was found out, the gravest first.
    """

    session_id: str
    name: str
    says: Mapping[str, Any]
    duration_s: float
    stroke_count: int
    rowed_s: float
    refused_lines: int
    handshake: tuple[Mapping[str, Any], ...]
    streams: tuple[Stream, ...]
    fields: tuple[FieldSeen, ...]
    findings: tuple[Finding, ...]

    def summary(self) -> dict[str, Any]:
        """The examination as `rowsync doctor --json` prints it (docs/contract.md)."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Case:
    """What the checks look at."""

    recording: Recording
    name: str
    label: str
    packets: tuple[Packet, ...]
    streams: tuple[Stream, ...]
    fields: Mapping[str, FieldSeen]
    says: Mapping[str, Any]
    evidence: Evidence
    steady: tuple[State, ...]

    @property
    def is_enough(self) -> bool:
        """Whether enough was rowed to judge what it means."""
        return len(self.steady) >= ENOUGH_PACKETS and self.evidence.strokes >= ENOUGH_STROKES

    @property
    def speaks_ftms(self) -> bool:
        """Whether it sends Rower Data."""
        return any(stream.characteristic == ftms.ROWER_DATA for stream in self.streams)

    def of_steady(self, name: str) -> list[float]:
        """What the steady packets themselves say in one field of `Reading`."""
        values = (getattr(state.reading, name) for state in self.steady)
        return [value for value in values if value is not None]

    def series(self, name: str) -> list[tuple[float, float]]:
        """All that was said in one field of `Reading`, with its times [s]."""
        values = ((state.time_s, getattr(state.reading, name)) for state in self.evidence.states)
        return [(time_s, value) for time_s, value in values if value is not None]


Check = Callable[[Case], Iterable[Finding]]

ENOUGH_STROKES = 8
"""Twenty seconds of rowing: the first strokes are left out, and a median of fewer is chance."""
ENOUGH_PACKETS = 10
"""A machine that speaks once a stroke has sent so many by then."""
ENOUGH_PAIRS = 5
"""What is reckoned from something else in the same packet shows it at once."""

CLOSE = 0.05
"""Whole seconds of pace are worth 2-3 % of power, so what agrees within this agrees."""
FAR = 0.10
"""Metres and strokes are counted whole and paces are rounded: what agrees within this isn't held against a machine."""
SCATTER = 0.30
"""Two figures whose ratio scatters by more (between its quarters) aren't reckoned from each other."""
HALF, DOUBLE = (0.42, 0.58), (1.6, 2.4)
"""Where a stroke rate counts in other units than the strokes (a KayakPro's is 1.8 times its count)."""
SELDOM = 0.01
"""What happens in fewer than one packet in a hundred is chance."""
OFTEN = 0.05
"""What happens in so many is how the machine is."""
STOPPED_S = 10.0
"""A stop must last so long to see what a machine makes of it: some need 6 s to notice [s]."""
NOTICED_S = 8.0
"""From then on a machine that notices stops has noticed [s]."""
MINUTE_S = (50.0, 70.0)
"""How far a clock jumps that gets its minutes wrong [s]."""
LATE_S = 2.0
"""A silence from which on rowsync doubts a machine (`connection.Patience`) [s]."""
DRIFT = 0.03
"""A monitor's quartz is far better; what is off by more counts something else than time."""
ENOUGH_CLOCK_S = 45.0
"""Whole seconds need so long to show such a drift [s]."""
TENFOLD, MANIFOLD = (6.0, 16.0), 3.0
"""Energy so many times Concept2's formula is in tenths; no maker's formula gives thrice of it."""
ENOUGH_KCAL = 5
"""A counter of whole kilocalories says nothing of a ratio before."""
TOGETHER_S = 10.0
"""Counters of one machine that begin again within so long begin again together: a PM5 tells of strokes by the stroke
[s]."""
AS_DRAG = range(60, 256)
"""Drag factors of a Concept2 are set within; resistance levels go to 10, 16 or 32, rarely beyond."""


def examine(recording: Recording) -> Examination:
    """Find out what a machine really does; never raises, whatever its bytes."""
    case = _case(recording)
    findings = [finding for check in CHECKS for finding in check(case)]
    findings += _rows_by_name(case, findings)
    states = case.evidence.states
    return Examination(
        session_id=recording.header.session_id,
        name=redacted_name(case.name),
        says=case.says,
        duration_s=round(states[-1].time_s - states[0].time_s, 3) if states else 0.0,
        stroke_count=case.evidence.strokes,
        rowed_s=round(case.evidence.rowed_s, 3),
        refused_lines=recording.refused_lines,
        handshake=tuple(dict(note.details) for note in recording.notes if note.event == "handshake"),
        streams=case.streams,
        fields=fields_of(case.packets),
        findings=tuple(sorted(findings, key=lambda each: list(Verdict).index(each.verdict))),
    )


def _case(recording: Recording) -> Case:
    packets = packets_of(recording)
    evidence = evidence_of(packets)
    says = said_by(packets)
    name = str(recording.header.machine.get("name") or "")
    known = filter(None, (says.get("maker"), says.get("model")))
    return Case(
        recording=recording,
        name=name,
        label=" ".join(dict.fromkeys(map(str, known))) or name_beginning(name).strip() or "this machine",
        packets=packets,
        streams=streams_of(packets, recording),
        fields={each.field: each for each in fields_of(packets)},
        says=says,
        evidence=evidence,
        steady=evidence.steady,
    )


# --- findings ---------------------------------------------------------------------------------------------------------


def _fine(what: str) -> Finding:
    return Finding(Verdict.FINE, what)


def _noted(what: str, quirk: str | None = None) -> Finding:
    return Finding(Verdict.NOTED, what, quirk)


def _unknown(what: str) -> Finding:
    return Finding(Verdict.UNKNOWN, what)


def _handled(what: str, answer: str) -> Finding:
    return Finding(Verdict.HANDLED, what, answer=answer)


def _departs(case: Case, key: str, what: str, handling: Mapping[str, Any] | None = None, answer: str = "") -> Finding:
    """A finding that a quirk is about: handled by a rule or by name, or wanting a row.

    Args:
        case: what was looked at.
        key: the quirk.
        what: what was found.
        handling: what the machine needs, where that isn't what the quirk's row has.
        answer: what such a row would say that rowsync does.
    """
    quirk = _QUIRKS[key]
    if quirk.remedy is not Remedy.ROW:
        return Finding(Verdict.HANDLED, what, key, _answer(quirk))
    if handling is not None and handling != quirk.handling:
        return Finding(Verdict.NEEDS_ROW, what, None, answer, row_text(_other(case, what, answer, handling)))
    if quirk in quirks_of(case.name):
        return Finding(Verdict.HANDLED, what, key, _answer(quirk))
    return Finding(Verdict.NEEDS_ROW, what, key, _answer(quirk), row_text(_joined(quirk, case)))


def _answer(quirk: Quirk) -> str:
    """What rowsync does about a quirk, without where in the code it does so."""
    return re.sub(r" \([^()]*`[^()]*\)", "", quirk.answer)


def _other(case: Case, what: str, answer: str, handling: Mapping[str, Any]) -> Quirk:
    """A new row for this machine alone."""
    number = 1 + max(int(each.key.removeprefix("Q")) for each in QUIRKS)
    label = wording.outside_text(case.label)
    return Quirk(f"Q{number}", what, label, "rowsync doctor", Remedy.ROW, answer, _names(case), handling)


def _joined(quirk: Quirk, case: Case) -> Quirk:
    """A quirk's row with one more machine in it."""
    return replace(
        quirk,
        seen_on=f"{quirk.seen_on}, {wording.outside_text(case.label)}",
        source=f"{quirk.source}; rowsync doctor",
        names=(*quirk.names, *_names(case)),
    )


def _names(case: Case) -> tuple[str, ...]:
    beginning = name_beginning(case.name)
    return (beginning,) if beginning else ()


def name_beginning(name: str) -> str:
    """The part of an advertised name that machines of its kind share: in lower case, without its serial number.

    `PM5 430000000` is `pm5 `, `FS-1C2D3E` is `fs-`, `TC1234` is `tc####`; what a name of digits shares nobody knows.
    """
    plain = name.casefold()
    alone = re.sub(r"(?<=[-_ .:])[0-9a-f]*\d[0-9a-f]*$", "", plain)
    beginning = alone if alone != plain else re.sub(r"\d{3,}$", lambda digits: "#" * len(digits[0]), plain)
    return beginning if re.search(r"[^\W\d_]", beginning) else ""


def row_text(quirk: Quirk) -> str:
    """A row of `machines.QUIRKS` as it is written there."""
    names = "".join(f"{_quoted(name)}, " for name in quirk.names).strip()
    handling = ", ".join(f"{_quoted(name)}: {value!r}" for name, value in quirk.handling.items())
    lines = [
        *(_quoted(text) for text in (quirk.key, quirk.what, quirk.seen_on, quirk.source)),
        f"Remedy.{quirk.remedy.name}",
        _quoted(quirk.answer),
        f"({names.removesuffix(',') if len(quirk.names) > 1 else names})",
        f"{{{handling}}}",
    ]
    return "Quirk(\n" + "".join(f"    {line},\n" for line in lines) + ")"


def _quoted(text: str) -> str:
    return json.dumps(text)


_QUIRKS = {quirk.key: quirk for quirk in QUIRKS}


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}"


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _span(values: Sequence[float]) -> str:
    """From the least to the most; one figure where they are the same."""
    return "–".join(dict.fromkeys(f"{value:.0f}" for value in (min(values), max(values))))


def _times(ratio: float) -> str:
    return f"{ratio:.2f} times"


def _spread(ratios: Sequence[float]) -> tuple[float, float, float]:
    """The quarters of a series: below the first lies a quarter of it, below the second a half."""
    if len(ratios) < 2:
        return (ratios[0],) * 3
    low, middle, high = quantiles(ratios, n=4, method="inclusive")
    return low, middle, high


def _at(time_s: float) -> str:
    return wording.clock(time_s)


# --- how it puts its packets together ---------------------------------------------------------------------------------


def _anything(case: Case) -> Iterator[Finding]:
    if not case.evidence.states:
        yield _noted("It sent nothing that speaks of a row.")
    elif not case.is_enough:
        strokes = wording.count(case.evidence.strokes, "stroke" if case.evidence.counts_strokes else "advance")
        yield _unknown(
            f"There is not enough rowing to say what its figures mean: {strokes} in "
            f"{_at(case.evidence.rowed_s)}. Row for a minute, then stop for ten seconds."
        )


def _cut(case: Case) -> Iterator[Finding]:
    for stream in _rows(case):
        if stream.cut:
            lengths = ", ".join(stream.lengths)
            lacking = Counter(name for each in case.packets if _is_of(each, stream) for name in each.missing)
            fits = ", which is all that the smallest Bluetooth packet holds" if lengths == "20" else ""
            yield _departs(
                case,
                "Q17",
                f"{_share(stream.cut, stream.notifications)} packets of {name_of(stream)} came cut short, {lengths} "
                f"octets{fits}: {', '.join(lacking)} is lost.",
            )


def _extra(case: Case) -> Iterator[Finding]:
    for stream in _rows(case):
        packets = [each for each in case.packets if _is_of(each, stream) and each.extra and not each.missing]
        if packets and stream.fields:
            octets = " or ".join(wording.count(each, "octet") for each in sorted({len(each.extra) for each in packets}))
            reserved = _is_reserved(stream)
            flags = " and sets flags that are reserved" if reserved else ""
            yield _departs(
                case,
                "Q15" if reserved else "Q28",
                f"{name_of(stream)} carries {octets} too many{flags} "
                f"({_share(len(packets), stream.notifications)} packets).",
            )
        elif _is_reserved(stream):
            yield _departs(case, "Q15", f"{name_of(stream)} sets flags that are reserved.")


def _is_reserved(stream: Stream) -> bool:
    is_rower_data = stream.characteristic == ftms.ROWER_DATA and stream.shape
    return bool(is_rower_data and int(stream.shape, 16) & ~ftms.DEFINED_FLAGS)


def _split(case: Case) -> Iterator[Finding]:
    streams = [each for each in _rows(case) if each.characteristic == ftms.ROWER_DATA]
    liveliest = max((each.notifications for each in streams), default=0)
    streams = [each for each in streams if each.notifications >= OFTEN * liveliest]
    if not streams:
        return
    if len(streams) == 1:
        yield _fine(f"A record is one packet, {streams[0].shape}{_every(streams[0])}.")
        return
    parts = ", ".join(f"{each.shape}{_every(each)}" for each in streams)
    intervals_s = [each.interval_s or 0.0 for each in streams]
    own_clocks = max(intervals_s) > 1.25 * min(intervals_s)
    how = "on clocks of their own" if own_clocks else "on one clock"
    kind = "parts" if any(each.more_data for each in streams) else "shapes"
    what = f"Its records have {len(streams)} {kind} {how}: {parts}."
    yield _departs(case, "Q29" if own_clocks else "Q19", what)
    if all(each.more_data for each in streams):
        yield _noted("Every packet says that more follows, so none carries a stroke rate or a stroke count.")


def _every(stream: Stream) -> str:
    return "" if stream.interval_s is None else f" every {stream.interval_s:.2f} s"


def _rows(case: Case) -> list[Stream]:
    """The streams that speak of the row; of a broken machine's the liveliest."""
    known = (ftms.ROWER_DATA, concept2.MULTIPLEXED, *concept2.SUBSCRIBED)
    streams = (stream for stream in case.streams if stream.characteristic in known)
    return sorted(streams, key=lambda stream: -stream.notifications)[:MOST_STREAMS]


MOST_STREAMS = 24
"""A Concept2 has ten, or as many frames behind one characteristic; more is noise."""


def _is_of(packet: Packet, stream: Stream) -> bool:
    return (packet.characteristic, packet.shape) == (stream.characteristic, stream.shape)


# --- what it says of itself -------------------------------------------------------------------------------------------


def _claims(case: Case) -> Iterator[Finding]:
    payloads = [each.payload for each in case.packets if each.characteristic == ftms.FITNESS_MACHINE_FEATURE]
    if not case.speaks_ftms or not _was_recorded_here(case):
        return
    if not payloads:
        yield _departs(case, "Q29", "It has no Fitness Machine Feature: nothing says what it can do.")
        return
    claimed = features.decode_features(payloads[-1])
    sent = {name for each in case.streams if each.characteristic == ftms.ROWER_DATA for name in each.fields}
    useful = {name for name in sent if (seen := case.fields.get(name)) and seen.notifications > seen.not_available}
    for feature, names in features.ROWER_FIELDS.items():
        word = feature.replace("_", " ")
        if feature in claimed.machine and not useful & set(names):
            what = f"It claims {word} and sends none."
            yield _departs(case, "Q22", what) if feature == "resistance_level" else _noted(what)
        elif feature not in claimed.machine and useful & set(names):
            yield _noted(f"It sends {word} and doesn't claim it; what it sends counts.")


def _was_recorded_here(case: Case) -> bool:
    """Whether the handshake is in the recording, so that what isn't there wasn't there."""
    return any(note.event == "handshake" for note in case.recording.notes)


def _answers(case: Case) -> Iterator[Finding]:
    answers = [
        control.decode_answer(each.payload) for each in case.packets if each.characteristic == ftms.CONTROL_POINT
    ]
    for said, count in Counter(control.describe_answer(answer) for answer in answers).items():
        yield _noted(f"Asked at its control point it said: {said}" + (f" ({count} times)." if count > 1 else "."))


def _started(case: Case) -> Iterator[Finding]:
    steps = [note for note in case.recording.notes if note.event == "handshake" and note.details.get("step") == "start"]
    by_name = _QUIRKS["Q12"] in quirks_of(case.name) or _QUIRKS["Q14"] in quirks_of(case.name)
    if by_name or not steps or not case.evidence.states:
        return
    if steps[0].time_s <= case.evidence.states[0].time_s:  # what came before the first packet has its time
        yield Finding(
            Verdict.HANDLED,
            "It sent nothing until it was told to start; it needs that, or just nobody rowed before.",
            "Q12",
            _answer(_QUIRKS["Q12"]),
        )


# --- what its fields hold ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Quantity:
    """What a rower should send: by which field of `Reading`, what it is called, and whose quirk its absence is."""

    name: str
    what: str
    quirk: str | None = None
    otherwise: str = ""


QUANTITIES = (
    _Quantity("stroke_count", "stroke count", otherwise="strokes are counted where its metres advance"),
    _Quantity("stroke_rate_spm", "stroke rate", otherwise="the rate follows from the stroke count"),
    _Quantity("distance_m", "distance", otherwise="there are no metres without it"),
    _Quantity("pace_s_per_500m", "pace", otherwise="pace follows from its metres"),
    _Quantity("power_w", "power", "Q21"),
    _Quantity("energy_kcal", "energy", "Q21"),
)


def _fields(case: Case) -> Iterator[Finding]:
    if not case.is_enough:
        return
    for quantity in QUANTITIES:
        values = case.of_steady(quantity.name)
        said = "none" if not values else "always 0" if not any(values) else ""
        if said == "always 0" and len(values) < ENOUGH_PACKETS:
            continue
        what = f"It sends {'no ' + quantity.what if said == 'none' else quantity.what + ' that is always 0'}."
        if said and quantity.quirk:
            yield _departs(case, quantity.quirk, what)
        elif said:
            yield _handled(what, quantity.otherwise)
    average = case.fields.get("average_pace_s_per_500m")
    if average and average.zero == average.notifications:
        yield _departs(case, "Q29", "Its average pace is always 0.")


def _heart_rate(case: Case) -> Iterator[Finding]:
    for name, whose in (("heart_rate_bpm", "The machine's"), ("strap_heart_rate_bpm", "The strap's")):
        readings = (each.reading for each in case.packets if each.reading is not None)
        values = [value for reading in readings if (value := getattr(reading, name)) is not None]
        alive = [value for value in values if value]
        if alive:
            yield _fine(f"{whose} heart rate came {_share(len(alive), len(values))} times: {_span(alive)}.")
        elif values:
            yield _departs(case, "Q23", f"{whose} heart rate is always 0.")


def _no_pace(case: Case) -> Iterator[Finding]:
    name = "instantaneous_pace_s_per_500m"
    seen = case.fields.get(name) or case.fields.get("pace_s_per_500m")
    if seen is not None and seen.zero + seen.not_available:
        yield _departs(
            case, "Q5", f"Where there is no pace it says 0 ({seen.zero} times) or 65535 ({seen.not_available} times)."
        )


def _drag(case: Case) -> Iterator[Finding]:
    values = [value for _, value in case.series("resistance_level") if value]
    if not values or not (min(values) >= AS_DRAG.start and max(values) < AS_DRAG.stop):
        return
    what = f"Its resistance level is {_span(values)}, which looks like a drag factor"
    if _QUIRKS["Q16"] in quirks_of(case.name):
        yield _departs(case, "Q16", f"{what}.")
    else:
        seen = f"sends {_span(values)} as resistance, which looks like a drag factor"
        row = _other(case, seen, "its resistance is stored as the drag factor it is", _QUIRKS["Q16"].handling)
        yield Finding(
            Verdict.UNKNOWN,
            f"{what}. If the machine is a Concept2, or its display says so, it wants a row.",
            row=row_text(row),
        )


# --- what they mean ---------------------------------------------------------------------------------------------------


def _stroke_rate(case: Case) -> Iterator[Finding]:
    ratios = rate_ratios(case.steady)
    if not case.is_enough or len(ratios) < ENOUGH_PACKETS or not case.evidence.counts_strokes:
        return
    usual = median(ratios)
    said = f"Its stroke rate is {_times(usual)} what its stroke count says"
    if HALF[0] <= usual <= HALF[1]:
        yield _departs(case, "Q1", f"{said}: it counts whole strokes where the field counts halves.")
    elif DOUBLE[0] <= usual <= DOUBLE[1]:
        yield _noted(f"{said}: it may count both sides of a paddle. rowsync keeps the rate up to {ABSURD_RATE} times.")
    elif abs(usual - 1) > 2 * FAR:
        yield _noted(f"{said}.")
    else:
        yield _fine(f"Its stroke rate agrees with its stroke count ({_times(usual)}).")
    absurd = [ratio for ratio in ratios if ratio > ABSURD_RATE * max(1.0, usual)]
    zeros = [state for state in case.steady if state.reading.stroke_rate_spm == 0]
    if len(absurd) > SELDOM * len(ratios):
        yield _departs(
            case,
            "Q20",
            f"In {_share(len(absurd), len(ratios))} packets its stroke rate is more than {ABSURD_RATE} times what its "
            "stroke count says.",
        )
    if len(zeros) > SELDOM * len(case.steady):
        yield _departs(
            case, "Q20", f"In {_share(len(zeros), len(case.steady))} packets it says 0 spm amid the strokes."
        )


def _starts(case: Case) -> Iterator[Finding]:
    first = [state for state in case.evidence.states if state.bout is not None and state.strokes < STARTING_STROKES]
    paces = [state.reading.pace_s_per_500m for state in first if state.reading.pace_s_per_500m]
    fast = [pace for pace in paces if pace < STARTING_PACE_S_PER_500M]
    if fast:
        yield _departs(
            case,
            "Q20",
            f"In the first strokes it says a pace of {wording.pace(min(fast))}, faster than anybody rows "
            f"({_share(len(fast), len(paces))} packets).",
        )


def _power(case: Case) -> Iterator[Finding]:
    ratios = power_ratios(case.steady)
    if not case.is_enough or len(ratios) < ENOUGH_PACKETS:
        return
    low, usual, high = _spread(ratios)
    quarters = f"half of the time between {low:.2f} and {high:.2f} times"
    if (high - low) / usual > SCATTER:
        yield _noted(
            f"Its power has no fixed relation to its pace: {quarters} Concept2's. Its watts are taken as they are.",
            "Q21",
        )
    elif abs(usual - 1) <= CLOSE:
        yield _fine(f"Its power follows from its pace as on a Concept2 ({_times(usual)}, {quarters}).")
    else:
        yield _noted(
            f"Its power is {_times(usual)} what a Concept2 shows for the same pace ({quarters}). Its watts are taken "
            "as they are: compare them, and its calories, with other machines with care."
        )


def _zero_power(case: Case) -> Iterator[Finding]:
    values = case.of_steady("power_w")
    between = sum(
        before > 0 and now == 0 and after > 0
        for before, now, after in zip(values, values[1:], values[2:], strict=False)
    )
    if case.is_enough and between > OFTEN * len(values):
        yield _departs(case, "Q2", f"{_share(between, len(values))} powers are a single 0 between real ones.")


def _distance(case: Case) -> Iterator[Finding]:
    counted_m, paced_m = metres_said(case.evidence)
    if not case.is_enough or paced_m < ENOUGH_METRES or not any(case.of_steady("distance_m")):
        return
    ratio = counted_m / paced_m
    said = f"Its distance grows {_times(ratio)} as fast as its pace says ({counted_m:.0f} m, and {paced_m:.0f} m)"
    if abs(ratio - 1) <= FAR:
        yield _fine(f"Its distance agrees with its pace ({counted_m:.0f} m, and {paced_m:.0f} m by pace).")
    else:
        yield _departs(case, "Q6", f"{said}. Compare both with its display: one of them is wrong.")


ENOUGH_METRES = 50.0
"""Whole metres say nothing of a ratio before [m]."""


def _stops(case: Case) -> Iterator[Finding]:
    stops = [each for each in case.evidence.stops_s if each[1] - each[0] >= STOPPED_S]
    if not case.is_enough or not stops:
        if case.is_enough:
            yield _unknown(f"Nobody stopped for {STOPPED_S:.0f} s, so what it does at a stop isn't known.")
        return
    said = [each for start_s, end_s in stops for each in _said_at_stop(case.evidence, start_s, end_s)]
    kept = {
        unit: max(each for each in said if each.unit == unit and each.value)
        for unit in dict.fromkeys(each.unit for each in said if each.value)
    }
    if kept:
        what = ", ".join(
            f"{each.value:.0f} {unit} {each.after_s:.0f} s after the last stroke" for unit, each in kept.items()
        )
        yield _departs(case, "Q3", f"At a stop it goes on saying what was: {what}.")
        if "s/500 m" in kept and any(each.unit == "spm" and not each.value for each in said):
            yield _departs(case, "Q26", "At a stop it shows a speed while its stroke rate is 0.")
    elif said:
        yield _fine(f"At a stop its rate, pace and power go to 0 within {NOTICED_S:.0f} s.")
    else:
        yield _fine("At a stop it says nothing of rate, pace and power.")


class _Said(NamedTuple):
    """The last word of a stop: how long after the last stroke [s], how much, and of what."""

    after_s: float
    value: float
    unit: str


def _said_at_stop(evidence: Evidence, start_s: float, end_s: float) -> Iterator[_Said]:
    states = evidence.between(start_s + NOTICED_S, end_s - LATE_S)
    for name, unit in STOPPABLE.items():
        values = [(state.time_s, value) for state in states if (value := getattr(state.reading, name)) is not None]
        if values:
            yield _Said(values[-1][0] - start_s, values[-1][1], unit)


STOPPABLE = {"stroke_rate_spm": "spm", "pace_s_per_500m": "s/500 m", "power_w": "W"}


# --- its counters and its clock ---------------------------------------------------------------------------------------

COUNTERS = {"stroke_count": "strokes", "distance_m": "metres", "energy_kcal": "energy", "elapsed_s": "time"}


def _counters(case: Case) -> Iterator[Finding]:
    falls = _falls(case)
    together = [each for each in falls if len(each.counters) > 1]
    if together:
        fallen = set().union(*(each.counters for each in together))
        which = ", ".join(what for name, what in COUNTERS.items() if name in fallen)
        yield _handled(
            f"Its counters began again {_often(len(together))} ({which}).",
            "totals only grow; a PM5 begins again at every interval",
        )
    alone = Counter(name for each in falls if len(each.counters) == 1 for name in each.counters)
    for name, count in alone.items():
        if name == "stroke_count" and case.series("distance_m"):
            yield _departs(case, "Q18", f"Its stroke count fell {_often(count)}, while its metres went on.")
        else:
            yield _handled(f"Its {COUNTERS[name]} fell {_often(count)}, while all else went on.", "totals only grow")


class _Fall(NamedTuple):
    """Counters that fell together: between which times [s], and which of `COUNTERS`."""

    start_s: float
    end_s: float
    counters: set[str]


def _falls(case: Case) -> list[_Fall]:
    """Where counters fell; a clock that alone falls by a minute gets its minutes wrong, and is left out."""
    said: list[tuple[float, str, bool]] = []
    for name in COUNTERS:
        for before, after in pairwise(case.series(name)):
            if after[1] < before[1]:
                is_minute = name == "elapsed_s" and MINUTE_S[0] <= before[1] - after[1] <= MINUTE_S[1]
                said.append((after[0], name, is_minute))
    falls: list[_Fall] = []
    minutes: list[bool] = []
    for time_s, name, is_minute in sorted(said):
        if falls and time_s - falls[-1].start_s <= TOGETHER_S and name not in falls[-1].counters:
            falls[-1] = _Fall(falls[-1].start_s, time_s, falls[-1].counters | {name})
            minutes[-1] = False
        else:
            falls.append(_Fall(time_s, time_s, {name}))
            minutes.append(is_minute)
    return [fall for fall, is_minute in zip(falls, minutes, strict=True) if not is_minute]


def _fell(falls: Sequence[_Fall], time_s: float) -> bool:
    """Whether counters were falling at a time."""
    number = bisect_right(falls, time_s, key=lambda fall: fall.start_s) - 1
    return number >= 0 and time_s <= falls[number].end_s


def _leftovers(case: Case) -> Iterator[Finding]:
    for name, what, most in (("stroke_count", "strokes", 3), ("distance_m", "m", 20)):
        first = next((value for _, value in case.series(name)), 0)
        if first > most:
            yield _departs(
                case, "Q4", f"Its counter began at {first:.0f} {what}: the row had begun before, or it is another's."
            )


def _clock(case: Case) -> Iterator[Finding]:
    jumps: list[float] = []
    falls = _falls(case)
    counted_s, passed_s = 0.0, 0.0
    said = [
        (state.time_s, state.bout, elapsed_s)
        for state in case.evidence.states
        if (elapsed_s := state.reading.elapsed_s) is not None
    ]
    for before, after in pairwise(said):
        host_s, own_s = after[0] - before[0], after[2] - before[2]
        if MINUTE_S[0] <= abs(own_s - host_s) <= MINUTE_S[1]:
            jumps += [] if _fell(falls, after[0]) else [before[2] % 60]
        elif after[1] is not None and after[1] == before[1] and own_s >= 0:
            counted_s, passed_s = counted_s + own_s, passed_s + host_s
    if jumps:
        yield _departs(
            case, "Q8", f"Its clock jumps by a minute ({_often(len(jumps))}, after second {_common(jumps)})."
        )
    if passed_s < ENOUGH_CLOCK_S:
        return
    drift = counted_s / passed_s - 1
    if abs(drift) > DRIFT and not jumps:
        yield _handled(
            f"Its clock runs {wording.percent_change(1 + drift)} against this computer's.", "time is this computer's"
        )
    elif not jumps:
        yield _fine(
            f"Its clock keeps time with this computer's ({abs(drift) * passed_s:.1f} s off in {_at(passed_s)})."
        )


def _common(values: Sequence[float]) -> str:
    return f"{Counter(values).most_common(1)[0][0]:.0f}"


# --- its energy -------------------------------------------------------------------------------------------------------


def _energy_per_hour(case: Case) -> Iterator[Finding]:
    pairs = _rates(case)
    if not case.is_enough or len(pairs) < ENOUGH_PAIRS:
        return
    if named := _formula_of_rate(pairs):
        yield _fine(f"Its energy per hour is {named}.")
    elif _is_session_mean(case):
        yield _noted("Its energy per hour is the session's mean so far: what it has counted over the time it took.")
    elif (law := law_of_rate(pairs)) and is_sense(law, SAME_KCAL_PER_H):
        yield _noted(f"Its energy per hour is {_formula(law) or _in_figures(law)}.")
    else:
        yield _unknown("By which formula its energy per hour goes can't be told. Row hard and easy for longer.")


def _rates(case: Case) -> list[tuple[float, float]]:
    """Power [W] and the energy per hour that was said with it [kcal/h]."""
    return [
        (state.power_w, kcal)
        for state in case.steady
        if (kcal := state.fields.get("energy_per_hour_kcal")) and state.power_w
    ]


def _formula_of_rate(pairs: Sequence[tuple[float, float]]) -> str:
    """What the formula is called that the energy per hour follows packet by packet; empty where it is none known."""
    if len(pairs) < ENOUGH_PAIRS:
        return ""
    constants = _spread([kcal - CONCEPT2_LAW.kcal_per_h_per_w * power_w for power_w, kcal in pairs])
    is_tight = constants[2] - constants[0] <= 2 * SAME_KCAL_PER_H
    return _formula(CONCEPT2_LAW._replace(constant_kcal_per_h=constants[1])) if is_tight else ""


def _is_session_mean(case: Case) -> bool:
    start_s = case.evidence.states[0].time_s
    ratios = [
        kcal * (state.reading.elapsed_s or state.time_s - start_s) / (3600.0 * counted)
        for state in case.steady
        if (kcal := state.fields.get("energy_per_hour_kcal"))
        and (counted := state.reading.energy_kcal)
        and counted >= ENOUGH_KCAL
    ]
    return len(ratios) >= ENOUGH_PACKETS and all(abs(each - 1) <= CLOSE for each in _spread(ratios))


def _energy(case: Case) -> Iterator[Finding]:
    ticks = energy_ticks(case.evidence)
    if not case.is_enough or not ticks or ticks[-1].energy_kcal < ENOUGH_KCAL:
        return
    counted, concept2_kcal = ticks[-1].energy_kcal, CONCEPT2_LAW.kcal(ticks[-1].rowed_h, ticks[-1].work_wh)
    if concept2_kcal < 1:
        return
    ratio = counted / concept2_kcal
    said = f"Its energy counted {counted:.0f} kcal, {_times(ratio)} what Concept2's formula gives ({concept2_kcal:.0f})"
    if TENFOLD[0] <= ratio <= TENFOLD[1]:
        yield _departs(case, "Q7", f"{said}: it counts tenths.")
        return
    if ratio > MANIFOLD:
        yield _departs(
            case, "Q7", f"{said}.", {"energy_scale": round(1 / ratio, 3)}, f"the energy is divided by {ratio:.1f}"
        )
        return
    law = law_of_ticks(ticks)
    if _formula_of_rate(_rates(case)):  # the same in every packet, and said already
        yield _noted(f"{said}.")
    elif law is None or not is_sense(law, LOOSELY[0]):
        yield _noted(f"{said}. By which formula can't be told: power differed too little within the rowing.")
    else:
        yield _noted(f"{said}. It follows {_formula(law, *LOOSELY) or _in_figures(law)}.")


def _formula(law: EnergyLaw, near: float = SAME_KCAL_PER_H, near_slope: float = SAME_SLOPE) -> str:
    """What a formula is called, and its figures; empty where it is none that is known."""
    whose = named(law, near, near_slope)
    if whose is None:
        return ""
    body = f", for a body of {whose.for_mass_kg:.0f} kg" if whose.for_mass_kg else ""
    return f"{whose.formula}{body}: {law.constant_kcal_per_h:.0f} kcal/h and {law.kcal_per_h_per_w:.2f} for each watt"


def _in_figures(law: EnergyLaw) -> str:
    constant = max(0.0, law.constant_kcal_per_h)
    return f"a formula of its own: {constant:.0f} kcal/h and {law.kcal_per_h_per_w:.2f} kcal/h for each watt"


# --- the link ---------------------------------------------------------------------------------------------------------


def _silences(case: Case) -> Iterator[Finding]:
    states = case.evidence.states
    usual_s = median(after.time_s - before.time_s for before, after in pairwise(states)) if len(states) > 1 else 0.0
    lost_s = [note.time_s for note in case.recording.notes if note.event == LOST]
    late = [
        (before, after.time_s - before.time_s)
        for before, after in pairwise(states)
        if after.time_s - before.time_s > max(LATE_S, 3 * usual_s)
        and bisect_left(lost_s, before.time_s) == bisect_right(lost_s, after.time_s)
    ]
    rowing = [(state, length_s) for state, length_s in late if state.bout is not None]
    if rowing and case.is_enough:
        state, length_s = max(rowing, key=lambda each: each[1])
        yield _departs(
            case,
            "Q9",
            f"{wording.count(len(rowing), 'silence')} while somebody rowed, the longest of {length_s:.1f} s at "
            f"{_at(state.time_s)}.",
        )
    elif states and case.is_enough and not late and not lost_s:
        yield _fine(f"It was never silent for more than {max(LATE_S, 3 * usual_s):.0f} s while somebody rowed.")
    renewed = sum(note.details.get("step") == "renew" for note in case.recording.notes if note.event == "handshake")
    if renewed:
        yield _departs(case, "Q9", f"It was asked for notifications anew {_often(renewed)}.")


def _losses(case: Case) -> Iterator[Finding]:
    reasons = Counter(
        wording.outside_text(note.details.get("reason", "")) for note in case.recording.notes if note.event == LOST
    )
    back_s = [
        after_s
        for note in case.recording.notes
        if note.event == RESUMED and isinstance(after_s := note.details.get("after_s"), (int, float))
    ]
    for reason, count in reasons.items():
        what = f"The link went {_often(count)}: {reason}."
        yield _departs(case, "Q13", what) if "more than Rower Data" in reason else _noted(what)
    if back_s:
        yield _fine(f"It came back after {_span(back_s)} s.")


def _rows_by_name(case: Case, findings: Sequence[Finding]) -> Iterator[Finding]:
    """The rows that its name brings, and whether they were seen to suit it."""
    seen = {finding.quirk for finding in findings}
    for quirk in quirks_of(case.name):
        if quirk.key in seen:
            continue
        told = f"By its name it is handled as {quirk.key} ({quirk.what}: {_answer(quirk)})"
        if quirk.key in SEEN_IN_A_ROW and case.is_enough and case.speaks_ftms:
            yield _noted(
                f"{told}, and that wasn't seen here. If its firmware is newer, the row may not suit it.", quirk.key
            )
        else:
            yield _fine(f"{told}; a recording can't show whether it needs that.")


SEEN_IN_A_ROW = ("Q1", "Q2", "Q6", "Q7", "Q16")
"""The quirks by name that a recorded row shows, where they are."""

CHECKS: tuple[Check, ...] = (
    _anything,
    _cut,
    _extra,
    _split,
    _claims,
    _answers,
    _started,
    _fields,
    _heart_rate,
    _no_pace,
    _drag,
    _stroke_rate,
    _starts,
    _power,
    _zero_power,
    _distance,
    _stops,
    _counters,
    _leftovers,
    _clock,
    _energy_per_hour,
    _energy,
    _silences,
    _losses,
)
