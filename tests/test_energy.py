"""Energy: rest at rest, work by power, gaps cost nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rowsync.athlete import Athlete
from rowsync.energy import MODEL, EnergyMeter, half_width, rest_kcal_per_min, rowing_kcal_per_min
from rowsync.strokes import Stroke

ANNA = Athlete("anna", mass_kg=75.0)


def rowed(*strokes, athlete=ANNA):
    meter = EnergyMeter(athlete)
    for stroke in strokes:
        meter.feed(stroke)
    return meter


def test_half_an_hour_at_100_w_and_75_kg():
    energy = rowed(Stroke(1, 0.0, 1800.0, None, 100.0)).finish(1800.0, "machine", 313.0)
    assert energy.gross_kcal == pytest.approx(296.8, abs=0.1)  # 30 * (0.0563 * 75 + 0.0567 * 100)
    assert energy.net_kcal == pytest.approx(296.8 - 37.5, abs=0.1)
    assert (energy.model, energy.machine_kcal) == (MODEL, 313.0)


def test_rest_costs_rest_and_nothing_more():
    meter = rowed(Stroke(1, 60.0, 62.0, None, 200.0))
    assert meter.gross_at(60.0) == pytest.approx(75.0 / 60.0)
    assert meter.gross_at(122.0) - meter.gross_at(62.0) == pytest.approx(75.0 / 60.0)


def test_a_gap_costs_nothing_gross_and_nothing_net():
    meter = rowed(Stroke(1, 0.0, 10.0, None, 200.0))
    before = meter.finish(10.0, "machine", None)
    meter.skip(10.0, 500.0)
    assert meter.finish(500.0, "machine", None) == before


def test_rest_never_costs_less_than_a_body_uses_nor_more_gross_than_net():
    child = Athlete("x", mass_kg=20.0, height_cm=50.0, age_years=120.0, sex="female")
    assert rest_kcal_per_min(child) == pytest.approx(10 * 20 / 1440)


def test_the_parts_of_a_session_sum_to_its_whole():
    strokes = [Stroke(n, 2.5 * n, 2.5 * (n + 1), None, 100.0 + 10 * (n % 7)) for n in range(400)]
    meter = rowed(*strokes)
    edges = [0.0, 11.3, 250.0, 251.25, 799.9, 1100.0]
    parts = [meter.gross_at(b) - meter.gross_at(a) for a, b in pairwise(edges)]
    assert sum(parts) == pytest.approx(meter.finish(1100.0, "machine", None).gross_kcal, abs=1e-9)


def test_ten_kilograms_more_cost_about_half_a_kilocalorie_a_minute():
    assert rowing_kcal_per_min(150.0, 85.0) - rowing_kcal_per_min(150.0, 75.0) == pytest.approx(0.563)


def test_rest_is_mifflins_where_height_age_and_sex_are_known():
    known = Athlete("anna", mass_kg=62.0, height_cm=170.0, age_years=35.0, sex="female")
    assert rest_kcal_per_min(known) * 1440 == pytest.approx(10 * 62 + 6.25 * 170 - 5 * 35 - 161)
    assert rest_kcal_per_min(Athlete("x", mass_kg=60.0)) == 1.0


def test_the_range_widens_with_what_is_not_known():
    assert half_width("machine", ANNA) == 0.22
    assert half_width("pace", ANNA) == 0.24
    assert half_width("machine", Athlete("x")) == pytest.approx(0.246, abs=0.001)


def test_the_range_surrounds_the_estimate():
    energy = rowed(Stroke(1, 0.0, 600.0, None, 150.0)).finish(600.0, "machine", None)
    assert energy.low_kcal == pytest.approx(0.78 * energy.gross_kcal)
    assert energy.high_kcal == pytest.approx(1.22 * energy.gross_kcal)
