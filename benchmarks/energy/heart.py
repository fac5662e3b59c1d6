"""Does heart rate help where there is power?  Keytel's formula and rowsync's line, weighed by their certainty.

Only two studies give power and heart rate, and neither gives age: who rows is assumed (`PEOPLE`).
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.energy.fit import fit
from benchmarks.energy.scores import Error, Predict, by_study, errors, mean
from benchmarks.energy.studies import Row
from rowsync.formulas import FEMALE, MALE, keytel, keytel_with_vo2max

PEOPLE: dict[str, dict[str, float | str]] = {
    "springer1985": {"sex": MALE, "age_years": 22, "vo2max_ml_per_kg_min": 62},
    "holsgaard": {"sex": FEMALE, "age_years": 24, "vo2max_ml_per_kg_min": 64},
}
"""Assumed, but for the oxygen uptake of the women, which is of their all-out row and the mass assumed for them."""

POWER_SD, HEART_RATE_SD = 0.122, 0.20
"""Stated for a Concept2 and for Keytel's formula on an ordinary man, before this was tried."""


def with_heart_rate(rows: Sequence[Row]) -> list[Row]:
    """The rows where it can be tried."""
    return [row for row in rows if row.heart_rate_bpm is not None and row.study in PEOPLE]


def by_heart_rate(row: Row) -> float:
    """Keytel's formula [kcal/min]."""
    who = PEOPLE[row.study]
    return keytel(row.heart_rate_bpm or 0.0, row.mass_kg or 0.0, float(who["age_years"]), str(who["sex"]))


def by_heart_rate_and_vo2max(row: Row) -> float:
    """Keytel's formula with the highest oxygen uptake [kcal/min]."""
    who = PEOPLE[row.study]
    return keytel_with_vo2max(
        heart_rate_bpm=row.heart_rate_bpm or 0.0,
        mass_kg=row.mass_kg or 0.0,
        age_years=float(who["age_years"]),
        sex=str(who["sex"]),
        vo2max_ml_per_kg_min=float(who["vo2max_ml_per_kg_min"]),
    )


def fused(power: Predict, heart: Predict, power_sd: float, heart_sd: float) -> Predict:
    """Both, each weighing by the inverse of its variance."""
    share = power_sd**-2 / (power_sd**-2 + heart_sd**-2)
    return lambda row: share * power(row) + (1.0 - share) * heart(row)


def trials(rows: Sequence[Row]) -> dict[str, dict[str, list[Error]]]:
    """Each way's errors on each study that can be tried; nothing is learned from the study itself."""
    studies: dict[str, dict[str, list[Error]]] = {}
    scored = with_heart_rate(rows)
    for study in dict.fromkeys(row.study for row in scored):
        power = fit([row for row in rows if row.study != study])
        own, others = [[row for row in scored if (row.study == study) is ours] for ours in (True, False)]
        ways: dict[str, Predict] = {
            "power": power,
            "heart rate": by_heart_rate,
            "heart rate and VO2max": by_heart_rate_and_vo2max,
            "both, as certain as stated": fused(power, by_heart_rate, POWER_SD, HEART_RATE_SD),
        }
        if others:
            sds = spread(others, power), spread(others, by_heart_rate)
            ways["both, as certain as on the other study"] = fused(power, by_heart_rate, *sds)
        for way, predict in ways.items():
            studies.setdefault(way, {})[study] = errors(own, predict)
    return studies


def spread(rows: Sequence[Row], predict: Predict) -> float:
    """Root mean square of the relative errors, each study weighing the same."""
    studies = by_study(errors(rows, predict)).values()
    return mean(mean((error.percent / 100.0) ** 2 for error in each) for each in studies) ** 0.5
