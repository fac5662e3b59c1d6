"""What a session cost and trained, in words: for the terminal, the pages, and whatever else speaks of it.

Everything is read from the JSON of `rowsync show`, also of sessions that were stored before it had all of its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rowsync.wording import THIN_SPACE, clock, effort_name, measured, number

Fields = Mapping[str, Any]

SAME_SHARE = 0.02
"""A machine this close to rowsync says the same."""


def plus_minus(half_width: Any) -> str:
    """Half of an 80 % range as a share: `±22 %`; empty where it isn't known."""
    known = measured(half_width)
    return "" if known is None else f"±{number(100 * known)}{THIN_SPACE}%"


def with_range(fields: Fields, value: str, low: str, high: str) -> str:
    """An energy with its 80 % range: `339 (264–414)`; without one where none is known."""
    if measured(fields.get(low)) is None or measured(fields.get(high)) is None:
        return number(fields.get(value))
    return f"{number(fields[value])} ({number(fields[low])}–{number(fields[high])})"


def cost_line(summary: Fields) -> str:
    """`339 kcal (264–414) gross, 301 (226–376) net: rest 38, moving the body 89, work 212`."""
    energy = summary["energy"]
    gross = with_range(energy, "gross_kcal", "low_kcal", "high_kcal")
    net = with_range(energy, "net_kcal", "net_low_kcal", "net_high_kcal")
    parts = [(name, measured(energy.get(key))) for name, key in PARTS]
    split = ", ".join(f"{name} {number(kcal)}" for name, kcal in parts if kcal is not None)
    split = "" if energy.get("source") == "heart rate" else split  # which can't tell work from moving
    return f"{gross} kcal gross, {net} net{f': {split}' if split else ''}"


PARTS = (("rest", "rest_kcal"), ("moving the body", "moving_kcal"), ("work", "work_kcal"))


def phases_line(summary: Fields) -> str:
    """What each effort cost, gross and net: `Hard 114 kcal (107 net), easy 98 (87)`; empty for one effort alone."""
    phases = summary["energy"].get("phases") or ()
    if len(phases) < 2:
        return ""
    parts = [
        f"{effort_name(each['effort'])} {number(each['gross_kcal'])} ({number(each['net_kcal'])} net)"
        for each in phases
    ]
    return f"By effort: {', '.join(parts)} kcal."


def cost_sentences(summary: Fields) -> tuple[str, ...]:
    """What the machine's calories are worth, whether heart rate agrees, and what makes the range wide."""
    doubts = summary["energy"].get("doubts") or ()
    return tuple(filter(None, (machine_sentence(summary), heart_sentence(summary), *doubts)))


def machine_sentence(summary: Fields) -> str:
    """What the machine's calories are worth: `... follow Concept2's formula ...: for you they read 8 % high.`."""
    found = summary.get("machine_energy")
    counted = measured(summary["energy"].get("machine_kcal"))
    if not found:
        return "" if counted is None else f"The machine says {number(counted)} kcal."
    told = "The machine's calories" if counted is None else f"The machine's {number(counted)} kcal"
    at_rest = measured(found.get("counted_at_rest_kcal")) or 0.0
    if at_rest >= LEAST_AT_REST_KCAL:
        told += f" ({number(at_rest)} of them while nobody rowed)"
    reads = _reads(summary, found)
    if formula := _formula(found):
        return f"{told} follow {formula}{f': {reads}' if reads else ''}."
    if not reads:
        return f"{told}."
    return f"{told}: {reads}. Rowing hard and easy in one session would show by which formula."


LEAST_AT_REST_KCAL = 3.0


def _formula(found: Fields) -> str:
    constant, slope = measured(found.get("constant_kcal_per_h")), measured(found.get("kcal_per_h_per_w"))
    if constant is None or slope is None:
        return ""
    figures = f"{number(constant)} kcal/h and {number(slope, 2)} for each watt"
    if not found.get("formula"):
        return f"a formula of its own ({figures})"
    mass_kg = measured(found.get("for_mass_kg"))
    whose = "" if mass_kg is None else f" for a person of {number(mass_kg)} kg"
    return f"{WORDS.get(found['formula'], found['formula'])}{whose} ({figures})"


WORDS = {"Concept2's": "Concept2's formula", "Concept2's corrected for body mass": "Concept2's corrected formula"}


def _reads(summary: Fields, found: Fields) -> str:
    """`for you they read 8 % high, stroke for stroke`: held against what rowsync reckons for the same strokes."""
    share = measured(found.get("reads_high"))
    if share is None:
        return ""
    whom = "for you" if summary["energy"].get("mass_from") != "assumed" else "for the assumed body mass"
    if abs(share) < SAME_SHARE:
        return f"{whom} they read as rowsync reckons, stroke for stroke"
    return (
        f"{whom} they read {number(100 * abs(share))}{THIN_SPACE}% {'high' if share > 0 else 'low'}, stroke for stroke"
    )


def heart_sentence(summary: Fields) -> str:
    """That the machine's watts are doubtful, where heart rate contradicts them for ten minutes."""
    doubtful = summary.get("doubtful_power")
    if not doubtful:
        return ""
    is_machines = summary["energy"].get("source") == "power"
    watts = "The machine's watts are" if is_machines else "The watts derived are"
    return (
        f"{watts} doubtful, or your heart works otherwise than most: from {clock(doubtful['start_s'])} to "
        f"{clock(doubtful['end_s'])} they stand "
        f"for {number(doubtful['power_kcal_per_min'], 1)} kcal/min, the heart rate for "
        f"{number(doubtful['heart_rate_kcal_per_min'], 1)}."
    )


def training_sentences(summary: Fields, *, bands: bool = True) -> tuple[str, ...]:
    """Minutes in bands, whether one could talk, the load, what is assumed, and what to mind.

    Args:
        summary: the JSON of `rowsync show`.
        bands: whether the minutes are said; not where they are shown.
    """
    training = summary.get("training")
    if not training:
        return ()
    said = (
        _bands("Heart rate", training["heart_rate_bands"]) if bands else "",
        _bands("Power", training["power_bands"]) if bands else "",
        _conversational(training),
        _load(training),
        _balance(training.get("w_balance")),
        " ".join(training["assumed"]),
        *training["notices"],
    )
    return tuple(filter(None, said))


LEAST_SHOWN_MIN = 0.05


def _bands(what: str, bands: Any) -> str:
    """`Heart rate: UT2 12.5 min, UT1 4.0 min`; empty where nothing was measured."""
    some = [f"{band['name']} {number(band['minutes'], 1)} min" for band in bands if band["minutes"] >= LEAST_SHOWN_MIN]
    return f"{what}: {', '.join(some)}." if some else ""


def _conversational(training: Fields) -> str:
    if training["conversational"] is None:
        return ""
    by = {"said": "as you said", "heart rate": "by heart rate", "power": "by power"}[training["conversational_by"]]
    return f"{'Conversational' if training['conversational'] else 'Not conversational'}, {by}."


def _load(training: Fields) -> str:
    if training["load"] is None:
        return ""
    return f"{training['load_called'][0].upper()}{training['load_called'][1:]}: {number(training['load'])}."


def _balance(balance: Any) -> str:
    if not balance:
        return ""
    return (
        f"Experimental: of {number(balance['w_prime_kj'], 1)} kJ above critical power, "
        f"{number(balance['least_kj'], 1)} were left at the least."
    )
