"""rowsync's line in mass and watts, fitted anew: to all rows, and to all studies but the one that it is tried on.

Least squares of relative errors, each study weighing the same, with a weak prior at Concept2's weight-corrected
formula: few studies can say little about two coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.energy.scores import Error, Predict, by_study, errors, mean
from benchmarks.energy.studies import Row
from rowsync.formulas import concept2_weight_corrected

Learn = Callable[[Sequence[Row]], Predict]
"""Makes a way of reckoning from some rows."""

ROWS_SD = 0.08
"""How far the rows are from a line, for what the prior weighs beside them."""


class Line(NamedTuple):
    """Energy as a line in mass and watts.

    Attributes:
        body: [kcal/min/kg].
        work: [kcal/min/W].
    """

    body: float
    work: float

    def __call__(self, row: Row) -> float:
        """What a row costs [kcal/min]."""
        return self.body * (row.mass_kg or 0.0) + self.work * (row.power_w or 0.0)


class Prior(NamedTuple):
    """What is believed before: a line, and the standard deviations of its coefficients as shares of them."""

    line: Line
    sds: Line


CONCEPT2 = Prior(
    Line(concept2_weight_corrected(0.0, 1.0), concept2_weight_corrected(1.0, 0.0)),
    Line(0.25, 0.10),
)


def fit(rows: Sequence[Row], prior: Prior | None = CONCEPT2) -> Line:
    """The line through the rows that the prior allows."""
    shares = weights(rows)
    per_kcal = np.array([[row.mass_kg or 0.0, row.power_w or 0.0] for row in rows], dtype=float)
    per_kcal /= np.array([[row.kcal_per_min] for row in rows])
    sides, ones = per_kcal * np.sqrt(shares)[:, None], np.sqrt(shares)
    if prior:
        pull = ROWS_SD / np.sqrt(len({row.study for row in rows})) / np.array(prior.sds)
        sides = np.vstack([sides, np.diag(pull / np.array(prior.line))])
        ones = np.concatenate([ones, pull])
    body, work = np.linalg.lstsq(sides, ones, rcond=None)[0]
    return Line(float(body), float(work))


def weights(rows: Sequence[Row]) -> np.ndarray:
    """What each row weighs so that each study weighs the same; all together, 1."""
    names = [row.study for row in rows]
    return np.array([1.0 / names.count(name) / len(set(names)) for name in names])


def left_out(rows: Sequence[Row], learn: Learn, tried: Sequence[Row] | None = None) -> list[Error]:
    """The errors on each study by what is learned from all others; tried on the same rows, or on some of their kin."""
    tried = rows if tried is None else tried
    found: list[Error] = []
    for study in dict.fromkeys(row.study for row in tried):
        predict = learn([row for row in rows if row.study != study])
        found += errors([row for row in tried if row.study == study], predict)
    return found


def difference(one: Sequence[Error], other: Sequence[Error], times: int, seed: int = 0) -> tuple[float, float]:
    """80 % bootstrap interval of how much larger the first's mean absolute error is [percentage points].

    Studies are drawn anew, and rows within them; both errors are of the same rows in the same order.
    """
    first, second = by_study(one), by_study(other)
    gaps = [
        np.array([abs(a.percent) - abs(b.percent) for a, b in zip(first[study], second[study], strict=True)])
        for study in first
    ]
    chance = np.random.default_rng(seed)
    draws = [
        mean(float(chance.choice(gaps[i], len(gaps[i])).mean()) for i in chance.integers(0, len(gaps), len(gaps)))
        for _ in range(times)
    ]
    low, high = np.percentile(draws, [10.0, 90.0])
    return float(low), float(high)
