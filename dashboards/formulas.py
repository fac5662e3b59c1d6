"""One session's energy by every formula beside rowsync's range: choose, then draw as rows of a table with points.

All of it is for the same strokes, without the rests between them, so that the figures can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.page import column_head, point
from rowsync.formulas import FORMULAS
from rowsync.wording import measured, number, percent_change


@dataclass(frozen=True, slots=True)
class FormulaEnergy:
    """What one formula gives.

    Attributes:
        title: whose it is.
        gross_kcal: for the strokes of the session [kcal].
        ratio: over rowsync's.
        is_in_range: whether it lies in rowsync's 80 % range; None without one.
    """

    title: str
    gross_kcal: float
    ratio: float
    is_in_range: bool | None


@dataclass(frozen=True, slots=True)
class FormulasChart:
    """Energy of the same strokes by rowsync, by the machine and by other formulas.

    Attributes:
        energies: rowsync's first, then the machine's where it counted, then the others'.
        low_kcal: lower end of rowsync's 80 % range; None where it isn't known [kcal].
        high_kcal: upper end of it [kcal].
        scale_kcal: where the scale begins and ends [kcal].
    """

    energies: tuple[FormulaEnergy, ...]
    low_kcal: float | None
    high_kcal: float | None
    scale_kcal: tuple[float, float]


def formulas_chart(summary: Mapping[str, Any]) -> FormulasChart | None:
    """Chooses what is shown; None where no formula could be reckoned.

    Args:
        summary: the JSON of `rowsync show`.
    """
    energy = summary.get("energy") or {}
    by_formula = energy.get("formulas_kcal") or {}
    ours_kcal = measured(by_formula.get(FORMULAS[0].name))
    if not ours_kcal:
        return None
    ours, *others = [
        (formula.title, kcal) for formula in FORMULAS if (kcal := measured(by_formula.get(formula.name))) is not None
    ]
    counted_kcal = measured((summary.get("machine_energy") or {}).get("counted_kcal"))
    machine = [] if counted_kcal is None else [("the machine's own count", counted_kcal)]
    width = measured(energy.get("half_width"))
    ends_kcal = None if width is None else ((1 - width) * ours_kcal, (1 + width) * ours_kcal)
    named = [ours, *machine, *others]
    all_kcal = [kcal for _, kcal in named] + list(ends_kcal or ())
    return FormulasChart(
        energies=tuple(
            FormulaEnergy(title, kcal, kcal / ours_kcal, None if ends_kcal is None else _is_in(kcal, *ends_kcal))
            for title, kcal in named
        ),
        low_kcal=None if ends_kcal is None else ends_kcal[0],
        high_kcal=None if ends_kcal is None else ends_kcal[1],
        scale_kcal=(0.95 * min(all_kcal), 1.03 * max(all_kcal)),
    )


def _is_in(kcal: float, low_kcal: float, high_kcal: float) -> bool:
    return low_kcal <= kcal <= high_kcal


def formulas_html(chart: FormulasChart) -> str:
    """Draws the energies as a table, each with a point on one scale; rowsync's range is shaded on all of them."""
    heads = column_head("gross", "kcal") + column_head("against rowsync")
    within = None
    if chart.low_kcal is not None and chart.high_kcal is not None:
        heads += column_head("in its 80\u202f% range")
        within = (_place(chart, chart.low_kcal), _place(chart, chart.high_kcal))
    rows = "".join(
        f'<tr><th scope="row" class="word">{each.title}</th><td>{number(each.gross_kcal)}</td>'
        f"<td>{percent_change(each.ratio)}</td>{_in_range(each)}"
        f'<td class="drawn">{point(_place(chart, each.gross_kcal), within)}</td></tr>\n'
        for each in chart.energies
    )
    shaded = "" if within is None else f"; shaded is rowsync's range, {_range(chart)} kcal"
    return (
        '<div class="scroll"><table class="bars">'
        f"<caption>The same strokes by other formulas, without the rests between them{shaded}</caption>\n"
        f'<thead><tr><th scope="col" class="word">formula</th>{heads}<td class="drawn"></td></tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n"
    )


def _place(chart: FormulasChart, kcal: float) -> float:
    """Where an energy lies on the scale, 0 to 1."""
    from_kcal, to_kcal = chart.scale_kcal
    return (kcal - from_kcal) / (to_kcal - from_kcal)


def _range(chart: FormulasChart) -> str:
    return f"{number(chart.low_kcal)}–{number(chart.high_kcal)}"


def _in_range(each: FormulaEnergy) -> str:
    return "" if each.is_in_range is None else f"<td>{'yes' if each.is_in_range else 'no'}</td>"
