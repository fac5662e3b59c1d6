"""How far off a way of reckoning energy is: relative errors [%], each study weighing the same however many its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from benchmarks.energy.studies import Row

Predict = Callable[[Row], float]
"""Reckons what a row costs [kcal/min]."""

BANDS_W = {"≤ 150 W": (0.0, 150.0), "150–230 W": (150.0, 230.0), "> 230 W": (230.0, 1e9)}
"""Powers above the first and up to the second."""
MASSES_KG = {"< 75 kg": (0.0, 75.0), "≥ 75 kg": (75.0, 1e9)}
"""Masses from the first and below the second."""


class Error(NamedTuple):
    """One row's error.

    Attributes:
        row: the row.
        percent: reckoned over measured, less one [%].
    """

    row: Row
    percent: float


class Score(NamedTuple):
    """Errors in three figures.

    Attributes:
        mape: mean absolute error [%], each study weighing the same.
        bias: mean error [%], the same way.
        worst: absolute error of the worst row [%].
    """

    mape: float
    bias: float
    worst: float


def errors(rows: Iterable[Row], predict: Predict) -> list[Error]:
    """Every row's error."""
    return [Error(row, 100.0 * (predict(row) / row.kcal_per_min - 1.0)) for row in rows]


def by_study(some: Iterable[Error]) -> dict[str, list[Error]]:
    """The errors of each study."""
    studies: dict[str, list[Error]] = {}
    for error in some:
        studies.setdefault(error.row.study, []).append(error)
    return studies


def score(some: Sequence[Error]) -> Score | None:
    """The errors as one score; None without any."""
    if not some:
        return None
    studies = [[error.percent for error in each] for each in by_study(some).values()]
    return Score(
        mape=mean(mean(map(abs, each)) for each in studies),
        bias=mean(map(mean, studies)),
        worst=max(abs(error.percent) for error in some),
    )


def between(some: Iterable[Error], band_w: tuple[float, float]) -> list[Error]:
    """The errors at powers above the first and up to the second [W]."""
    return [error for error in some if band_w[0] < (error.row.power_w or 0.0) <= band_w[1]]


def of_mass(some: Iterable[Error], masses_kg: tuple[float, float]) -> list[Error]:
    """The errors with people from the first mass and below the second [kg]."""
    return [error for error in some if masses_kg[0] <= (error.row.mass_kg or 0.0) < masses_kg[1]]


def mean(values: Iterable[float]) -> float:
    """The mean of some values."""
    some = list(values)
    return sum(some) / len(some)
