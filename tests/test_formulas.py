"""Formulas: each gives what its authors published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.formulas import (
    FORMULAS,
    acsm_arm_cycling,
    acsm_leg_cycling,
    at_rest,
    by_formula,
    compendium_2011,
    concept2,
    concept2_weight_corrected,
    keytel,
    keytel_with_vo2max,
    mifflin_st_jeor,
    openrowingmonitor,
    qdomyos_zwift,
    rowsync_mass_aware,
    trackmyindoorworkout,
    work_alone,
)

RUNNER = {"heart_rate_bpm": 140.0, "mass_kg": 60.0, "age_years": 35.0, "sex": "female"}
WATTS = st.floats(0, 2000)
MASSES = st.floats(20, 300)


@pytest.mark.parametrize(("power_w", "shown"), [(80, 576), (103, 654), (109, 675)])
def test_concept2s_is_what_its_monitors_show_as_calories_per_hour(power_w, shown):
    assert 60 * concept2(power_w) == pytest.approx(shown, abs=1)


def test_concept2s_correction_changes_nothing_for_whom_the_monitor_counts():
    assert concept2_weight_corrected(150, 175 / 2.20462) == pytest.approx(concept2(150), rel=0.001)


def test_the_correction_is_of_the_bodys_part_alone():
    lighter, heavier = concept2_weight_corrected(100, 60), concept2_weight_corrected(100, 70)
    assert heavier - lighter == pytest.approx(concept2_weight_corrected(300, 70) - concept2_weight_corrected(300, 60))


def test_openrowingmonitors_differs_from_concept2s_by_its_kilocalorie_alone():
    assert openrowingmonitor(150) == pytest.approx(concept2(150), rel=0.01)


def test_qdomyos_zwifts_doubles_from_55_to_120_kilograms():
    assert qdomyos_zwift(250, 55) == pytest.approx(12.7, abs=0.05)
    assert qdomyos_zwift(250, 120) == pytest.approx(27.7, abs=0.05)


def test_the_compendium_has_its_own_figures_at_its_own_powers():
    assert [compendium_2011(watts, 60) for watts in (100, 150, 200)] == pytest.approx([7.0, 8.5, 12.0])
    assert compendium_2011(125, 60) == pytest.approx(7.75)
    assert compendium_2011(0, 60) == pytest.approx(4.0)


def test_the_acsms_are_lines_in_watts_for_each_kilogram():
    assert acsm_leg_cycling(150, 75) == pytest.approx((10.8 * 2 + 7) * 75 / 1000 * 5)
    assert acsm_arm_cycling(75, 75) == pytest.approx((18.4 + 3.5) * 75 / 1000 * 5)


def test_rules_of_thumb_count_the_work_alone():
    assert work_alone(100) == pytest.approx(6.0)
    assert trackmyindoorworkout(100) == pytest.approx(4 * 100 * 60 / 4184, rel=0.001)
    assert work_alone(0) == trackmyindoorworkout(0) == 0


def test_keytels_for_a_woman_counts_her_mass_down():
    assert keytel(**RUNNER) == pytest.approx(8.9, abs=0.1)  # a known tool has the sign wrong: 12.5
    assert keytel(**RUNNER | {"mass_kg": 70.0}) < keytel(**RUNNER)
    assert keytel(**RUNNER | {"mass_kg": 70.0, "sex": "male"}) > keytel(**RUNNER | {"sex": "male"})


def test_keytels_with_the_highest_uptake_by_hand():
    man = RUNNER | {"sex": "male", "vo2max_ml_per_kg_min": 45.0}
    assert keytel_with_vo2max(**man) == pytest.approx(
        (-95.7735 + 0.271 * 35 + 0.394 * 60 + 0.404 * 45 + 0.634 * 140) / 4.184
    )
    woman = RUNNER | {"vo2max_ml_per_kg_min": 45.0}
    assert keytel_with_vo2max(**woman) == pytest.approx(
        (-59.3954 + 0.274 * 35 + 0.103 * 60 + 0.380 * 45 + 0.450 * 140) / 4.184
    )


def test_rest_is_mifflins_where_height_age_and_sex_are_known():
    assert at_rest(62, 170, 35, "female") * 1440 == pytest.approx(10 * 62 + 6.25 * 170 - 5 * 35 - 161)
    assert mifflin_st_jeor(62, 170, 35, "male") * 1440 == pytest.approx(10 * 62 + 6.25 * 170 - 5 * 35 + 5)
    assert at_rest(60, None, 35, "male") == at_rest(60, 170, 35, None) == 1.0


def test_rest_never_costs_less_than_a_body_uses():
    assert at_rest(20, 50, 120, "female") == pytest.approx(10 * 20 / 1440)


def test_ten_kilograms_more_cost_about_half_a_kilocalorie_a_minute():
    assert 0.4 <= rowsync_mass_aware(150, 85) - rowsync_mass_aware(150, 75) <= 0.7


@given(WATTS, st.floats(0, 500), MASSES)
def test_more_power_never_costs_less_by_any_formula(power_w, more_w, mass_kg):
    for formula in FORMULAS:
        facts = {"power_w": power_w, "mass_kg": mass_kg}
        if set(formula.needs) <= set(facts):
            assert (formula.at(facts | {"power_w": power_w + more_w}) or 0) >= (formula.at(facts) or 0) - 1e-9


def test_a_formula_that_needs_something_unknown_says_nothing():
    found = by_formula([(60.0, {"power_w": 100.0, "mass_kg": None})])
    assert set(found) == {"concept2", "openrowingmonitor", "work_alone", "trackmyindoorworkout"}
    assert by_formula([]) == {}


def test_a_formula_is_added_up_piece_by_piece():
    found = by_formula([(60.0, {"power_w": 100.0}), (120.0, {"power_w": 200.0})])
    assert found["concept2"] == pytest.approx(concept2(100) + 2 * concept2(200))


def test_every_formula_says_where_it_is_from_and_for_whom():
    for formula in FORMULAS[1:]:
        if formula.name != "work_alone":
            assert "Source:" in (formula.kcal_per_min.__doc__ or "")
