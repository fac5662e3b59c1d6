"""Could another model of mass and watts do better?  What physiology and statistics offer, tried on studies left out.

The lowest of many errors is no honest figure: it was picked on the test.  So the same choosing is done for each study
without looking at it (`chosen`), and its error is what choosing is worth.  The floors say what nobody can go below:
the best line that has seen every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import numpy as np

from benchmarks.energy.fit import CONCEPT2, ROWS_SD, Learn, Line, Prior, fit, left_out, weights
from benchmarks.energy.scores import Predict, mean, score
from benchmarks.energy.studies import Row
from rowsync.formulas import (
    KCAL_PER_MIN_W,
    compendium_2011,
    concept2_weight_corrected,
    openrowingmonitor,
)

FUKUNAGA = (0.228, 0.022)
"""Delta efficiency of rowing in a tank and its standard deviation: Fukunaga 1986, 5 people."""
HANDLE_OVER_MONITOR = 1.051
"""Power at the handle over what a Concept2 says: Lormes 1993."""


def blended_prior() -> Prior:
    """Concept2's efficiency of 25 % and Fukunaga's, each weighing by its own certainty."""
    concept2 = KCAL_PER_MIN_W / CONCEPT2.line.work
    both = ((concept2, CONCEPT2.sds.work * concept2), FUKUNAGA)
    certainty = sum(1.0 / sd**2 for _, sd in both)
    efficiency = sum(value / sd**2 for value, sd in both) / certainty
    sds = CONCEPT2.sds._replace(work=certainty**-0.5 / efficiency)
    return Prior(CONCEPT2.line._replace(work=KCAL_PER_MIN_W / efficiency), sds)


def free_constant(rows: Sequence[Row]) -> Predict:
    """One constant for whatever mass, and Concept2's work."""
    shares = weights(rows) / np.array([row.kcal_per_min for row in rows]) ** 2
    over = np.array([row.kcal_per_min - CONCEPT2.line.work * (row.power_w or 0.0) for row in rows])
    constant = float((shares * over).sum() / shares.sum())
    return lambda row: constant + CONCEPT2.line.work * (row.power_w or 0.0)


def free_body(rows: Sequence[Row]) -> Predict:
    """The body's part free, and Concept2's work."""
    fixed = Prior(CONCEPT2.line, Line(1e6, 1e-6))
    return fit(rows, fixed)


def mean_of_formulas(_: Sequence[Row]) -> Predict:
    """The mean of three published formulas for rowing; nothing is learned."""

    def predict(row: Row) -> float:
        power_w, mass_kg = row.power_w or 0.0, row.mass_kg or 0.0
        return mean(
            (
                concept2_weight_corrected(power_w, mass_kg),
                openrowingmonitor(power_w),
                compendium_2011(power_w, mass_kg),
            )
        )

    return predict


def mixed_effects(rows: Sequence[Row]) -> Predict:
    """The line, where all rows of a study may be off by the same share; how far, is the likeliest of a grid."""
    sides = np.array([[row.mass_kg or 0.0, row.power_w or 0.0] for row in rows], dtype=float)
    sides /= np.array([[row.kcal_per_min] for row in rows])
    names = [row.study for row in rows]
    same = np.array([[a == b for b in names] for a in names], dtype=float)
    before = np.array(CONCEPT2.line)
    spread = np.diag((before * np.array(CONCEPT2.sds)) ** 2)
    misses = 1.0 - sides @ before

    def unlikely(grid_sds: tuple[float, float]) -> float:
        total = noise_of(*grid_sds) + sides @ spread @ sides.T
        return float(np.linalg.slogdet(total)[1] + misses @ np.linalg.solve(total, misses))

    def noise_of(study_sd: float, row_sd: float) -> np.ndarray:
        return study_sd**2 * same + row_sd**2 * np.eye(len(rows))

    noise = noise_of(*min(product(np.linspace(0.0, 0.2, 21), (0.01, 0.02, 0.03, 0.05, ROWS_SD)), key=unlikely))
    gain = spread @ sides.T @ np.linalg.inv(noise + sides @ spread @ sides.T)
    return Line(*map(float, before + gain @ misses))


def at_the_monitor(row: Row) -> Row:
    """The row with its power as a Concept2 would say it."""
    if row.power_w is None or row.power_basis != "handle force":
        return row
    return replace(row, power_w=row.power_w / HANDLE_OVER_MONITOR)


def same_power(rows: Sequence[Row]) -> Predict:
    """The line, with all power as a monitor says it."""
    line = fit([at_the_monitor(row) for row in rows])
    return lambda row: line(at_the_monitor(row))


CANDIDATES: dict[str, Learn] = {
    "rowsync: line, prior at Concept2's": fit,
    "line without a prior": lambda rows: fit(rows, None),
    "prior of the work also from Fukunaga's 22.8 %": lambda rows: fit(rows, blended_prior()),
    "handle power as a monitor says it": same_power,
    "line, each study off by a share (mixed effects)": mixed_effects,
    "mean of three published formulas": mean_of_formulas,
    "only the body's part free": free_body,
    "only one constant free, whatever the mass": free_constant,
}


def chosen(rows: Sequence[Row]) -> Predict:
    """What is learned by the candidate that does best on these rows, each of their studies left out in turn."""
    best = min(CANDIDATES.values(), key=lambda learn: mape_left_out(rows, learn))
    return best(rows)


def mape_left_out(rows: Sequence[Row], learn: Learn) -> float:
    """Mean absolute error, leaving one study out in turn [%]."""
    scored = score(left_out(rows, learn))
    assert scored
    return scored.mape


FLOORS = {
    "best line in mass and watts": lambda row: (row.mass_kg, row.power_w),
    "best line in watts": lambda row: (1.0, row.power_w),
}
"""What a line may use of a row."""


def floor(rows: Sequence[Row], name: str) -> float:
    """Mean absolute error of the best of all lines, which has seen every row [%].

    A line that minimises absolute errors goes through as many points as it has coefficients: all pairs are tried.
    """
    measured = np.array([row.kcal_per_min for row in rows])
    sides = np.array([FLOORS[name](row) for row in rows], dtype=float)
    shares = weights(rows)
    errors = [
        float(shares @ abs(sides @ np.linalg.solve(sides[pair], measured[pair]) / measured - 1.0))
        for pair in map(list, combinations(range(len(rows)), 2))
        if abs(np.linalg.det(sides[pair])) > 1e-9
    ]
    return 100.0 * min(errors)
