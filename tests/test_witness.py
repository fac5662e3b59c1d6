"""Heart rate as a witness: fiction is called fiction, and a hard round isn't."""

from __future__ import annotations

import random

import pytest

from rowsync.athlete import Athlete
from rowsync.cost import heart_sentence
from rowsync.formulas import rowsync_mass_aware
from rowsync.telemetry import Sample
from rowsync.witness import disagreement

MAN = Athlete("ben", mass_kg=80.0, age_years=40.0, sex="male")
AT_100_W = rowsync_mass_aware(100.0, 80.0)


def beating(bpm, minutes=20.0, every_s=1.0, moving=True):
    """Samples with a heart rate, a number or a function of the time [s]."""
    times = [every_s * n for n in range(int(minutes * 60 / every_s) + 1)]
    of = bpm if callable(bpm) else lambda _: bpm
    return [Sample(time_s=time_s, moving=moving, heart_rate_bpm=of(time_s)) for time_s in times]


def rowed_at(kcal_per_min):
    return lambda time_s: kcal_per_min * time_s / 60.0


def test_a_heart_that_fits_the_watts_says_nothing():
    assert disagreement(beating(128), rowed_at(AT_100_W), MAN) is None


def test_watts_that_are_fiction_are_doubted_with_both_figures():
    found = disagreement(beating(150), rowed_at(rowsync_mass_aware(12.0, 80.0)), MAN)  # a machine that says 8-17 W
    assert (found.start_s, found.end_s) == (0.0, 1200.0)
    assert found.heart_rate_kcal_per_min > 2 * found.power_kcal_per_min
    assert "from 0:00 to 20:00 they stand for 5.1 kcal/min, the heart rate for 15.2" in heart_sentence(
        {"energy": {"source": "power"}}
        | {"doubtful_power": {name: getattr(found, name) for name in found.__dataclass_fields__}}
    )


def test_watts_far_too_high_are_doubted_as_well_even_by_a_slow_heart():
    assert disagreement(beating(95), rowed_at(rowsync_mass_aware(300.0, 80.0)), MAN) is not None


@pytest.mark.parametrize("minutes", [4, 6])
def test_less_than_ten_minutes_convict_nobody(minutes):
    heart = lambda time_s: 170 if time_s < 60 * minutes else 128  # noqa: E731
    assert disagreement(beating(heart), rowed_at(AT_100_W), MAN) is None


def test_intervals_whose_heart_lags_convict_nobody():
    heart = lambda time_s: 128 + 18 * ((time_s + 40) % 120 < 60)  # noqa: E731
    assert disagreement(beating(heart, 30), rowed_at(rowsync_mass_aware(120.0, 80.0)), MAN) is None


def test_a_strap_that_loses_the_heart_now_and_then_is_not_heard_for_those_minutes():
    heart = lambda time_s: None if time_s % 300 < 60 else 170  # noqa: E731
    assert disagreement(beating(heart), rowed_at(AT_100_W), MAN) is None


def test_only_rowed_minutes_count():
    assert disagreement(beating(170, moving=False), rowed_at(AT_100_W), MAN) is None


@pytest.mark.parametrize("unknown", ["mass_kg", "age_years", "sex"])
def test_without_mass_age_or_sex_the_heart_cannot_be_asked(unknown):
    known = {"mass_kg": 80.0, "age_years": 40.0, "sex": "male"} | {unknown: None}
    assert disagreement(beating(170), rowed_at(AT_100_W), Athlete("ben", **known)) is None


def test_noise_of_a_stroke_and_of_a_strap_convicts_nobody():
    dice = random.Random(4)
    samples = beating(lambda _: 128 + dice.gauss(0, 8), 40)
    assert disagreement(samples, rowed_at(AT_100_W), MAN) is None


def test_the_same_is_found_at_any_rate_of_samples():
    found = {every_s: disagreement(beating(150, every_s=every_s), rowed_at(5.1), MAN) for every_s in (0.25, 1.0, 2.5)}
    assert {(each.start_s, each.end_s) for each in found.values()} == {(0.0, 1200.0)}


def test_a_fit_woman_whose_heart_is_slow_is_not_called_a_liar():
    """Keytel's formula is a third too low for elite oarswomen: 3.46 L/min at 213 W and 168 bpm (Holsgaard-Larsen)."""
    woman = Athlete("eva", mass_kg=70.0, age_years=24.0, sex="female")
    for bpm, power_w in ((133, 123.0), (148, 168.0), (168, 213.0)):
        assert disagreement(beating(bpm), rowed_at(rowsync_mass_aware(power_w, 70.0)), woman) is None
    assert disagreement(beating(120), rowed_at(rowsync_mass_aware(300.0, 70.0)), woman) is not None


def test_a_strap_heard_through_a_gap_convicts_nobody():
    gap = lambda time_s: AT_100_W * min(time_s, 300.0) / 60.0  # noqa: E731
    assert disagreement(beating(128), gap, MAN) is None
