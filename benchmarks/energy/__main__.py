"""How well energy is reckoned from power, mass and heart rate: every formula on measured oxygen uptake.

    python -m benchmarks.energy [--data FILE] [--bootstrap N] [--markdown]

Each study weighs the same, and rowsync's line is fitted anew without the study that it is tried on.  Controls that are
known beforehand are checked in the same run; when one fails, so does the command.  `--data` adds rows of your own to
the tables (the columns of `reference.csv`); controls are of the reference alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.energy import heart, session
from benchmarks.energy.candidates import CANDIDATES, FLOORS, chosen, floor
from benchmarks.energy.fit import Line, difference, fit, left_out
from benchmarks.energy.scores import BANDS_W, MASSES_KG, Error, Predict, between, by_study, errors, mean, of_mass, score
from benchmarks.energy.studies import MAX, SUBMAX, Row, TableError, read_rows
from rowsync.athlete import Athlete
from rowsync.energy import even_rowing
from rowsync.formulas import (
    BODY_KCAL_PER_MIN_KG,
    FEMALE,
    FORMULAS,
    J_PER_KCAL,
    WORK_KCAL_PER_MIN_W,
    Formula,
    concept2_weight_corrected,
    keytel,
    qdomyos_zwift,
    rowsync_mass_aware,
)

BOOTSTRAP = 5000
HEAVIER_KG = 10.0
WIDE = 200
"""Columns where nobody looks at them on a terminal; a table takes what it needs of them."""

LEFT_OUT = "rowsync, without the study it is tried on"


class Report(NamedTuple):
    """A table of text, and what is to be said of it."""

    title: str
    head: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]
    note: str = ""


def main(words: Sequence[str] | None = None) -> int:
    """Run what is asked for on the command line, and print it; 1 when a control fails."""
    parser, asked = arguments(words)
    try:
        reference = used(read_rows())
        rows = reference + (used(read_rows(asked.data)) if asked.data else [])
    except TableError as error:
        parser.error(str(error))
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    controls = controls_of(reference)
    for report in [*reports_of(rows, asked.bootstrap), controls_report(controls)]:
        if asked.markdown:
            print(markdown(report))
        else:
            note = [escape(report.note)] if report.note else []
            console.print("", escape(report.title), shown(report), *note, sep="\n", highlight=False)
    return status_of(controls)


def arguments(words: Sequence[str] | None = None) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """What is asked for on the command line, and whom to tell that it can't be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.energy", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="also score the rows of this file, with the reference's columns")
    parser.add_argument("--bootstrap", type=positive, default=BOOTSTRAP, help="how often studies are drawn anew")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    return parser, parser.parse_args(words)


def positive(word: str) -> int:
    """A whole number above 0."""
    if int(word) < 1:
        raise ValueError(word)
    return int(word)


def used(rows: Sequence[Row]) -> list[Row]:
    """The rows that are scored."""
    return [row for row in rows if row.use]


def steady(rows: Sequence[Row]) -> list[Row]:
    """The submaximal ones."""
    return [row for row in rows if row.intensity == SUBMAX]


# --- tables -----------------------------------------------------------------------------------------------------------


def reports_of(rows: Sequence[Row], bootstrap: int) -> list[Report]:
    """All that the rows say."""
    return [
        formulas_report(rows),
        studies_report(steady(rows), bootstrap),
        range_report(steady(rows)),
        candidates_report(steady(rows), bootstrap),
        mass_report(),
        heart_report(steady(rows)),
        session_report(),
        averages_report(),
    ]


def ways(rows: Sequence[Row], tried: Sequence[Row] | None = None) -> dict[str, list[Error]]:
    """The errors of ours, fitted to other studies' rows, and of every formula that power and mass are enough for."""
    some = [formula for formula in FORMULAS if all(formula.at(row.facts) is not None for row in rows)]
    tried = rows if tried is None else tried
    return {LEFT_OUT: left_out(rows, fit, tried)} | {titled(each): errors(tried, predictor(each)) for each in some}


def titled(formula: Formula) -> str:
    """The formula's title; ours has seen these rows."""
    seen = ", as shipped (has seen these rows)" if formula.kcal_per_min is rowsync_mass_aware else ""
    return f"{formula.title}{seen}"


def predictor(formula: Formula) -> Predict:
    """The formula as something that reckons a row's energy [kcal/min]."""
    return lambda row: formula.at(row.facts) or 0.0


def formulas_report(rows: Sequence[Row]) -> Report:
    """Every formula's errors: all, by power, by mass, and at the end of tests to exhaustion."""
    at_max = ways(steady(rows), [row for row in rows if row.intensity == MAX])
    scored = sorted(ways(steady(rows)).items(), key=lambda item: score(item[1]).mape)
    lines = [
        (
            way,
            f"{score(some).mape:.1f}",
            f"{score(some).bias:+.1f}",
            f"{score(some).worst:.1f}",
            *(bias_cell(between(some, band)) for band in BANDS_W.values()),
            *(bias_cell(of_mass(some, masses)) for masses in MASSES_KG.values()),
            bias_cell(at_max[way]),
        )
        for way, some in scored
    ]
    head = ("formula", "mean absolute error", "bias", "worst row", *BANDS_W, *MASSES_KG, "at exhaustion")
    studies = len({row.study for row in steady(rows)})
    return Report(
        f"{len(steady(rows))} submaximal rows of {studies} studies, each study weighing the same [%]",
        head,
        lines,
        "By power, by mass, and at exhaustion: bias.  At exhaustion part of the work is done without oxygen: no test "
        f"of a formula, only a loose check.  Our line, fitted to all rows: {line_cell(fit(steady(rows)))}.",
    )


def studies_report(rows: Sequence[Row], bootstrap: int) -> Report:
    """The errors study by study."""
    found_by_way = ways(rows)
    ours, theirs = found_by_way[LEFT_OUT], corrected(rows)
    low, high = difference(ours, theirs, bootstrap)
    some = {way: by_study(found) for way, found in found_by_way.items()}
    studies = list(some[LEFT_OUT])
    lines = [
        (way, *(f"{score(found[study]).mape:.1f} ({score(found[study]).bias:+.1f})" for study in studies), rms(found))
        for way, found in some.items()
    ]
    return Report(
        "Study by study: mean absolute error (bias) [%]",
        ("formula", *studies, "root mean square of the biases"),
        lines,
        f"Ours, left out, less Concept2's weight-corrected: {gap_cell(ours, theirs)} points; 80 % of {bootstrap} draws "
        f"of studies and rows are between {low:+.1f} and {high:+.1f}.",
    )


def corrected(rows: Sequence[Row]) -> list[Error]:
    """The errors of Concept2's weight-corrected formula."""
    return errors(rows, lambda row: concept2_weight_corrected(row.power_w, row.mass_kg))


def range_report(rows: Sequence[Row]) -> Report:
    """The rows that are outside of our range, and how many are inside."""
    found = left_out(rows, fit)
    lines = [
        (error.row.study, f"{error.row.power_w:g} W", f"{error.percent:+.1f} %", f"± {100 * stated(error.row):.1f} %")
        for error in found
        if not inside(error)
    ]
    return Report(
        f"Inside the stated 80 % range of our line, without the study it is tried on: {inside_cell(found)}",
        ("outside", "power", "error", "stated range"),
        lines,
        "Means of studies, not persons: their scatter within a study is not in these rows.",
    )


def stated(row: Row) -> float:
    """Half the width of the 80 % range that rowsync states, as a share."""
    return even_rowing(row.power_w, 60.0, Athlete(mass_kg=row.mass_kg), "measured").half_width


def inside(error: Error) -> bool:
    """Whether what was measured is inside the range around what is reckoned."""
    reckoned = 1.0 + error.percent / 100.0
    return abs(1.0 - reckoned) <= stated(error.row) * reckoned


def candidates_report(rows: Sequence[Row], bootstrap: int) -> Report:
    """What else could be shipped, and what nobody can go below."""
    ours = left_out(rows, fit)
    lines = []
    for name, learn in {**CANDIDATES, "whichever is best without the study": chosen}.items():
        found = left_out(rows, learn)
        low, high = difference(found, ours, bootstrap)
        gap = "" if learn is fit else f"{gap_cell(found, ours)} ({low:+.1f} to {high:+.1f})"
        lines.append((name, f"{score(found).mape:.2f}", f"{score(found).worst:.1f}", gap))
    lines += [(f"{name}, has seen every row", f"{floor(rows, name):.2f}", "", "") for name in FLOORS]
    return Report(
        "Could it be better?  Leaving one study out [%]",
        ("candidate", "mean absolute error", "worst row", "less ours (80 % of draws)"),
        lines,
        "The lowest of these was not foreseen: choosing it here would be fitting the test.  Of the rows' masses, "
        f"{sum(row.mass_measured for row in rows)} of {len(rows)} were measured; they can't say what mass costs.",
    )


def mass_report() -> Report:
    """What ten kilograms more add."""
    powers_w = (100.0, 150.0, 200.0)
    lines = [
        (formula.title, *(f"{added(formula, power_w):+.2f}" for power_w in powers_w))
        for formula in FORMULAS
        if formula.at({"power_w": 100.0, "mass_kg": 75.0}) is not None
    ]
    head = ("formula", *(f"at {power_w:g} W" for power_w in powers_w))
    return Report(f"What {HEAVIER_KG:g} kg more add to 75 kg [kcal/min]", head, lines)


def added(formula: Formula, power_w: float) -> float:
    """What a heavier person's rowing costs more [kcal/min]."""
    light, heavy = (formula.at({"power_w": power_w, "mass_kg": 75.0 + more}) or 0.0 for more in (0.0, HEAVIER_KG))
    return heavy - light


def heart_report(rows: Sequence[Row]) -> Report:
    """What heart rate is worth beside power."""
    found = heart.trials(rows)
    studies = list(next(iter(found.values()), {}))
    lines = [
        (
            way,
            *(f"{score(some[study]).mape:.1f} ({score(some[study]).bias:+.1f})" for study in studies),
            f"{mean(score(each).mape for each in some.values()):.1f}",
        )
        for way, some in found.items()
    ]
    return Report(
        "Heart rate beside power, our line without the study it is tried on: mean absolute error (bias) [%]",
        ("reckoned from", *studies, "each the same"),
        lines,
        "Ages, the sex of the men, and fitness are assumed.  " + heart_verdict(found),
    )


def heart_verdict(found: dict[str, dict[str, list[Error]]]) -> str:
    """Whether weighing heart rate in helps on every study that it can be tried on."""
    power = found.get("power", {})
    both = [some for way, some in found.items() if way.startswith("both")]
    helps = [score(some[study]).mape < score(power[study]).mape for some in both for study in power]
    if helps and all(helps):
        return "Weighing both helps on every study."
    return f"Weighing both helps in {sum(helps)} of {len(helps)} trials: heart rate stays a witness and isn't mixed in."


def session_report() -> Report:
    """The article's session by every formula."""
    lines = [(title, *(f"{kcal:.0f}" for kcal in each)) for title, each in session.totals().items()]
    return Report(
        f"The article's session, {session.MASS_KG:g} kg: 6 min at 95 W, 10 x 45 s at 230 W and 75 s at 95 W, "
        "5 min at 95 W: gross [kcal]",
        ("formula", "easy pieces rowed", "stops: runs on at 0 W", "stops: not counted"),
        lines,
        "rowsync counts rest in stops.  Heart rate, for the two formulas from it: 0.28 W + 89.6, a man of 40 years "
        "with a VO2max of 45 mL/kg/min.",
    )


def averages_report() -> Report:
    """What an average makes of the session."""
    whole, block = session.averages(session.ROWED), session.averages(session.ROWED[1:-1])
    true, true_block = next(iter(whole.values())), next(iter(block.values()))
    lines = [
        (
            way,
            f"{block[way].power_w:.1f} W ({100 * (block[way].power_w / true_block.power_w - 1):+.1f} %)",
            f"{block[way].gross_kcal:.0f} kcal ({100 * (block[way].gross_kcal / true_block.gross_kcal - 1):+.1f} %)",
            f"{each.power_w:.1f} W ({100 * (each.power_w / true.power_w - 1):+.1f} %)",
            f"{each.gross_kcal:.0f} kcal ({100 * (each.gross_kcal / true.gross_kcal - 1):+.1f} %)",
        )
        for way, each in whole.items()
    ]
    head = ("reckoned from", "the 20 min of 45/75", "energy", "the whole session", "energy")
    return Report("Averages of the article's session, by our formula", head, lines)


# --- controls ---------------------------------------------------------------------------------------------------------


class Control(NamedTuple):
    """A figure that is known beforehand: what it is, what it is here, and between what it must be."""

    what: str
    value: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether it is where it must be."""
        return self.low <= self.value <= self.high


def around(what: str, value: float, centre: float, tolerance: float) -> Control:
    """A figure that must be near another."""
    return Control(what, value, centre - tolerance, centre + tolerance)


def controls_of(reference: Sequence[Row]) -> list[Control]:
    """What must hold on the reference, or the harness or the formulas are wrong."""
    rows = steady(reference)
    ours, line = left_out(rows, fit), fit(rows)
    first = [replace(row, power_w=row.first_read_power_w or row.power_w) for row in rows]
    zwift = errors(first, lambda row: qdomyos_zwift(row.power_w, row.mass_kg))
    heavier = rowsync_mass_aware(150.0, 75.0 + HEAVIER_KG) - rowsync_mass_aware(150.0, 75.0)
    woman = {"heart_rate_bpm": 140.0, "mass_kg": 60.0, "age_years": 35.0, "sex": FEMALE}
    wrong_sign = keytel(**woman) + 2 * 0.1263 * 60.0 * 1000.0 / J_PER_KCAL
    return [
        around("Concept2, weight-corrected, as first read: mean error [%]", score(corrected(first)).mape, 7.5, 0.2),
        around("qdomyos-zwift, as first read: mean error [%]", score(zwift).mape, 15.2, 0.3),
        Control("rowsync, one study left out: mean absolute error [%]", score(ours).mape, 0.0, 8.5),
        Control("share of rows inside the stated range", mean(map(inside, ours)), 15 / 18, 1.0),
        Control("widest stated range at 120-250 W: half of it", widest(rows), 0.0, 0.16),
        around("shipped [kcal/min/kg], beside the fit to all rows", BODY_KCAL_PER_MIN_KG, round(line.body, 4), 1e-9),
        around("shipped [kcal/min/W], beside the fit to all rows", WORK_KCAL_PER_MIN_W, round(line.work, 4), 1e-9),
        Control(f"rowsync, {HEAVIER_KG:g} kg more [kcal/min]", heavier, 0.4, 0.7),
        around("Keytel, a woman of 60 kg and 35 years at 140 bpm [kcal/min]", keytel(**woman), 8.9, 0.1),
        around("the same with the sign of her mass wrong", wrong_sign, 12.5, 0.1),
    ]


def widest(rows: Sequence[Row]) -> float:
    """Half of the widest stated range in the middle of the powers, as a share."""
    return max(stated(row) for row in rows if 120.0 <= (row.power_w or 0.0) <= 250.0)


def status_of(controls: Sequence[Control]) -> int:
    """What the command exits with: 0 when all controls hold."""
    return 0 if all(control.holds for control in controls) else 1


def controls_report(controls: Sequence[Control]) -> Report:
    """Whether the controls hold."""
    lines = [
        (each.what, f"{each.value:.4g}", f"{each.low:.4g} to {each.high:.4g}", "OK" if each.holds else "FAIL")
        for each in controls
    ]
    return Report("Controls, on the reference alone", ("what", "is", "must be", ""), lines)


# --- cells ------------------------------------------------------------------------------------------------------------


def bias_cell(some: Sequence[Error]) -> str:
    """The bias in percent."""
    scored = score(some)
    return f"{scored.bias:+.1f}" if scored else "–"


def rms(found: dict[str, list[Error]]) -> str:
    """How far off studies are as wholes."""
    return f"{mean(score(each).bias ** 2 for each in found.values()) ** 0.5:.1f}"


def gap_cell(one: Sequence[Error], other: Sequence[Error]) -> str:
    """How much larger the first's mean absolute error is."""
    return f"{score(one).mape - score(other).mape:+.2f}"


def inside_cell(found: Sequence[Error]) -> str:
    """How many are inside the range."""
    return f"{sum(map(inside, found))} of {len(found)} rows"


def line_cell(line: Line) -> str:
    """Its coefficients."""
    return f"{line.body:.4f} kcal/min/kg and {line.work:.4f} kcal/min/W"


def shown(report: Report) -> Table:
    """A report's lines for the terminal."""
    table = Table(*map(escape, report.head))
    for line in report.lines:
        table.add_row(*map(escape, line))
    return table


def markdown(report: Report) -> str:
    """A report as a Markdown table under its title."""
    rows = [report.head, ("---",) * len(report.head), *report.lines]
    return "\n".join([f"### {report.title}", "", *("| " + " | ".join(row) + " |" for row in rows), "", report.note, ""])


if __name__ == "__main__":
    raise SystemExit(main())
