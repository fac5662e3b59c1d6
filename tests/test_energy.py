"""Energy: rest at rest, work by power, gaps cost nothing, and the range says what isn't known."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.athlete import Athlete
from rowsync.energy import EnergyMeter, even_rowing
from rowsync.formulas import BODY_KCAL_PER_MIN_KG, MODEL, WORK_KCAL_PER_MIN_W, keytel
from rowsync.intervals import Effort, Segment
from rowsync.strokes import Stroke

ANNA = Athlete("anna", mass_kg=75.0)
KNOWN = Athlete("ben", mass_kg=75.0, age_years=40.0, sex="male")
A_MINUTE_KCAL = BODY_KCAL_PER_MIN_KG * 75 + WORK_KCAL_PER_MIN_W * 100
"""What 100 W cost a body of 75 kg."""


def rowed(*strokes, athlete=ANNA, heart_rate_bpm=None):
    meter = EnergyMeter(athlete)
    for stroke in strokes:
        meter.feed(stroke, heart_rate_bpm)
    return meter


def piece(start_s, end_s, power_w):
    return Stroke(1, start_s, end_s, None, power_w)


def half_width(power_w, watts="measured", athlete=ANNA, **known):
    return even_rowing(power_w, 1800.0, athlete, watts, **known).half_width


# --- the estimate -----------------------------------------------------------------------------------------------------


def test_half_an_hour_at_100_w_and_75_kg():
    energy = rowed(piece(0.0, 1800.0, 100.0)).finish(1800.0, 313.0)
    assert energy.gross_kcal == pytest.approx(30 * A_MINUTE_KCAL)
    assert energy.net_kcal == pytest.approx(30 * A_MINUTE_KCAL - 37.5)
    assert (energy.model, energy.machine_kcal, energy.source) == (MODEL, 313.0, "power")


def test_its_three_parts_are_the_whole():
    energy = rowed(piece(30.0, 1800.0, 100.0)).finish(2000.0, None)
    assert energy.rest_kcal + energy.moving_kcal + energy.work_kcal == pytest.approx(energy.gross_kcal)
    assert energy.net_kcal == pytest.approx(energy.moving_kcal + energy.work_kcal)
    assert energy.work_kcal == pytest.approx(WORK_KCAL_PER_MIN_W * 100 * 29.5)


def test_rest_costs_rest_and_nothing_more():
    meter = rowed(piece(60.0, 62.0, 200.0))
    assert meter.gross_at(60.0) == pytest.approx(75.0 / 60.0)
    assert meter.gross_at(122.0) - meter.gross_at(62.0) == pytest.approx(75.0 / 60.0)
    assert meter.net_at(122.0) == pytest.approx(meter.net_at(62.0))


def test_a_gap_costs_nothing_gross_and_nothing_net():
    meter = rowed(piece(0.0, 10.0, 200.0))
    before = meter.finish(10.0, None)
    meter.skip(10.0, 500.0)
    assert meter.finish(500.0, None) == before


def test_the_parts_of_a_session_sum_to_its_whole():
    strokes = [piece(2.5 * n, 2.5 * (n + 1), 100.0 + 10 * (n % 7)) for n in range(400)]
    meter = rowed(*strokes)
    edges = [0.0, 11.3, 250.0, 251.25, 799.9, 1100.0]
    efforts = [Effort.WARMUP, Effort.HARD, Effort.EASY, Effort.HARD, Effort.REST]
    segments = [Segment(effort, *times) for effort, times in zip(efforts, pairwise(edges), strict=True)]
    energy = meter.finish(1100.0, None, segments)
    assert [phase.effort for phase in energy.phases] == [Effort.WARMUP, Effort.HARD, Effort.EASY, Effort.REST]
    assert sum(phase.gross_kcal for phase in energy.phases) == pytest.approx(energy.gross_kcal, abs=1e-9)
    assert sum(phase.net_kcal for phase in energy.phases) == pytest.approx(energy.net_kcal, abs=1e-9)


def test_intervals_cost_what_their_strokes_do_and_not_what_their_mean_does():
    both = rowed(piece(0.0, 45.0, 180.0), piece(45.0, 120.0, 70.0)).gross_at(120.0)
    assert both == pytest.approx(2 * BODY_KCAL_PER_MIN_KG * 75 + WORK_KCAL_PER_MIN_W * (0.75 * 180 + 1.25 * 70))


# --- what is missing --------------------------------------------------------------------------------------------------


def test_power_missing_for_a_stretch_is_the_mean_before_it_and_widens_the_range():
    meter = rowed(piece(0.0, 600.0, 150.0), piece(600.0, 1200.0, None))
    whole = rowed(piece(0.0, 1200.0, 150.0)).finish(1200.0, None)
    energy = meter.finish(1200.0, None)
    assert energy.gross_kcal == pytest.approx(whole.gross_kcal)
    assert energy.half_width > whole.half_width
    assert energy.doubts == ("Power was missing for 10:00; the mean before it stands in.",)


def test_power_that_is_derived_for_a_stretch_is_said_and_widens_the_range():
    derived = Stroke(2, 600.0, 1200.0, None, 150.0, power_source="pace")
    energy = rowed(piece(0.0, 600.0, 150.0), derived).finish(1200.0, None)
    assert energy.half_width > rowed(piece(0.0, 1200.0, 150.0)).finish(1200.0, None).half_width - 0.02
    assert energy.doubts == ("Power was missing for 10:00; it is derived from pace by Concept2's relation.",)


def test_without_any_power_the_heart_speaks_where_the_athlete_is_known():
    energy = rowed(piece(0.0, 600.0, None), athlete=KNOWN, heart_rate_bpm=140.0).finish(600.0, None)
    assert energy.gross_kcal == pytest.approx(10 * keytel(140.0, 75.0, 40.0, "male"))
    assert energy.source == "heart rate"
    assert 0.25 < energy.half_width < 0.27


def test_without_anything_a_usual_power_is_assumed_and_the_range_says_so():
    energy = rowed(piece(0.0, 600.0, None)).finish(600.0, None)
    assert energy.source == "assumed"
    assert energy.gross_kcal == pytest.approx(10 * A_MINUTE_KCAL)
    assert energy.half_width > 0.40
    assert energy.doubts == ("The machine sent no power; 100 W are assumed.",)


def test_without_a_mass_75_kg_are_assumed_and_said():
    energy = rowed(piece(0.0, 600.0, 100.0), athlete=Athlete("x")).finish(600.0, None)
    assert (energy.mass_kg, energy.mass_from) == (75.0, "assumed")
    assert "75 kg are assumed" in energy.doubts[0]


def test_a_session_in_which_nobody_rowed_costs_rest():
    energy = EnergyMeter(ANNA).finish(600.0, None)
    assert (energy.gross_kcal, energy.net_kcal, energy.doubts) == (pytest.approx(12.5), 0.0, ())
    assert EnergyMeter(ANNA).finish(0.0, None).half_width == 0.0


# --- the range --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "least", "most"),
    [
        (half_width(150.0), 0.15, 0.16),
        (half_width(80.0), 0.18, 0.19),
        (half_width(150.0, "machine"), 0.21, 0.23),
        (half_width(150.0, "pace"), 0.23, 0.26),
        (half_width(150.0, "machine", Athlete("x")), 0.23, 0.26),
    ],
)
def test_the_range_is_as_wide_as_its_case_is_uncertain(case, least, most):
    assert least < case < most


@given(st.floats(120, 250), st.floats(45, 130))
def test_on_a_concept2_the_range_is_never_wider_than_sixteen_percent_from_120_to_250_w(power_w, mass_kg):
    assert half_width(power_w, athlete=Athlete("x", mass_kg=mass_kg)) <= 0.16


def test_heart_rate_alone_says_less_of_a_woman():
    man, woman = (Athlete("x", 70.0, age_years=40.0, sex=sex) for sex in ("male", "female"))
    widths = [rowed(piece(0, 60, None), athlete=who, heart_rate_bpm=150).half_width(60) for who in (man, woman)]
    assert widths == pytest.approx([0.256, 0.449], abs=0.001)


def test_more_sessions_would_not_shrink_it():
    assert half_width(150.0) == pytest.approx(even_rowing(150.0, 100 * 1800.0, ANNA, "measured").half_width)


def test_the_range_surrounds_the_estimate_gross_and_net():
    energy = rowed(piece(0.0, 600.0, 150.0)).finish(600.0, None)
    assert energy.low_kcal == pytest.approx((1 - energy.half_width) * energy.gross_kcal)
    assert energy.high_kcal - energy.gross_kcal == pytest.approx(energy.gross_kcal - energy.low_kcal)
    assert energy.net_high_kcal - energy.net_kcal == pytest.approx(energy.high_kcal - energy.gross_kcal)


@given(
    st.lists(st.tuples(st.floats(0, 60), st.floats(0.5, 60), st.none() | st.floats(0, 2000)), max_size=20),
    st.sampled_from(["machine", "pace", "distance"]),
    st.booleans(),
    st.builds(
        Athlete,
        mass_kg=st.none() | st.floats(20, 300),
        height_cm=st.none() | st.floats(50, 260),
        age_years=st.none() | st.floats(4, 120),
        sex=st.sampled_from([None, "female", "male"]),
    ),
    st.none() | st.integers(25, 240),
)
def test_whatever_is_rowed_and_known_the_figures_are_in_order(lasting, source, measures_power, athlete, heart_rate_bpm):
    meter, now_s = EnergyMeter(athlete, measures_power=measures_power), 0.0
    for rest_s, lasts_s, power_w in lasting:
        start_s = now_s + rest_s
        meter.feed(Stroke(1, start_s, start_s + lasts_s, None, power_w, power_source=source), heart_rate_bpm)
        now_s += rest_s + lasts_s
    energy = meter.finish(now_s, None)
    assert energy.low_kcal <= energy.gross_kcal <= energy.high_kcal
    assert -1e-9 <= energy.net_low_kcal <= energy.net_kcal + 1e-9 <= energy.net_high_kcal + 2e-9
    assert min(energy.rest_kcal, energy.moving_kcal, energy.work_kcal) >= -1e-6
    assert 0 <= energy.half_width < 1
