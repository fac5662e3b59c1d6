"""Zones, formulas and intervals: what is chosen, and that the tables say it."""

from __future__ import annotations

import pytest

from dashboards.formulas import FormulaEnergy, FormulasChart, formulas_chart, formulas_html
from dashboards.interval_table import HardPiece, interval_lines, interval_table, shown_columns
from dashboards.zones import Zone, ZonesChart, zones_charts, zones_html
from tests.test_dashboards_page import HOSTILE, Outline, check_inert, plain

BANDS = [
    {"name": "easy", "from_bpm": 0.0, "to_bpm": 120.0, "minutes": 0.0},
    {"name": "UT2", "from_bpm": 120.0, "to_bpm": 141.5, "minutes": 15.0},
    {"name": "AN", "from_bpm": 180.0, "to_bpm": None, "minutes": 5.0},
]


def interval(effort, power_w, **more):
    return {"number": 1, "effort": effort, "mean_power_w": power_w} | more


def test_zones_are_the_bands_with_time_in_them_and_their_share():
    summary = {"training": {"heart_rate_bands": BANDS, "power_bands": []}}
    zones = (Zone("UT2", 120.0, 141.5, 15.0, 0.75), Zone("AN", 180.0, None, 5.0, 0.25))
    assert zones_charts(summary) == (ZonesChart("heart rate", "bpm", zones),)


@pytest.mark.parametrize("training", [None, {}, {"heart_rate_bands": BANDS[:1], "power_bands": []}])
def test_no_time_in_bands_no_zones(training):
    assert zones_charts({"training": training}) == ()


def test_zones_are_a_table_with_bars():
    [chart] = zones_charts({"training": {"heart_rate_bands": BANDS}})
    content = zones_html(chart)
    assert "UT2120–14215.075 %" in plain(content)
    assert "ANfrom 1805.025 %" in plain(content)
    assert content.count('<div class="bar" aria-hidden="true"') == 2
    assert 'style="width:100.0%"' in content


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_band_is_inert(hostile):
    [chart] = zones_charts({"training": {"heart_rate_bands": [BANDS[1] | {"name": hostile}]}})
    check_inert(zones_html(chart), hostile)


ENERGY = {"formulas_kcal": {"rowsync_mass_aware": 300.0, "concept2": 330.0, "work_alone": 200.0}, "half_width": 0.2}


def test_formulas_are_compared_with_ours_and_its_range():
    chart = formulas_chart({"energy": ENERGY, "machine_energy": {"counted_kcal": 345.0}})
    assert chart == FormulasChart(
        energies=(
            FormulaEnergy("rowsync", 300.0, 1.0, True),
            FormulaEnergy("the machine's own count", 345.0, 1.15, True),
            FormulaEnergy("Concept2 monitor", 330.0, 1.1, True),
            FormulaEnergy("kcal = kJ of work", 200.0, pytest.approx(2 / 3), False),
        ),
        low_kcal=240.0,
        high_kcal=360.0,
        scale_kcal=(pytest.approx(190.0), pytest.approx(370.8)),
    )


def test_formulas_without_a_range_are_compared_all_the_same():
    chart = formulas_chart({"energy": ENERGY | {"half_width": None}})
    assert (chart.low_kcal, chart.high_kcal, chart.energies[0].is_in_range) == (None, None, None)
    assert "range" not in formulas_html(chart)


@pytest.mark.parametrize("energy", [None, {}, {"formulas_kcal": {}}, {"formulas_kcal": {"concept2": 300.0}}])
def test_without_our_own_figure_nothing_is_compared(energy):
    assert formulas_chart({"energy": energy}) is None


def test_formulas_are_a_table_with_points_on_one_scale():
    content = formulas_html(formulas_chart({"energy": ENERGY}))
    assert "shaded is rowsync's range, 240–360 kcal" in plain(content)
    assert "kcal = kJ of work200−33 %no" in plain(content)
    assert content.count('<span class="dot"') == content.count('<span class="range"') == 3
    assert Outline(content).tags.count("th") == content.count(" scope=")


def test_a_hard_piece_is_held_against_the_easy_one_after_it_and_the_first():
    rows = [
        interval("warmup", 90),
        interval("hard", 200),
        interval("easy", 80),
        interval("hard", 190),
        interval("rest", 0),
    ]
    assert [line.hard for line in interval_lines(rows)] == [
        None,
        HardPiece(1, 2.5, None),
        None,
        HardPiece(2, None, 0.95),
        None,
    ]


def test_pieces_without_power_are_held_against_nothing():
    rows = [interval("hard", None), interval("easy", 0), interval("hard", 190)]
    assert [line.hard for line in interval_lines(rows)] == [HardPiece(1, None, None), None, HardPiece(2, None, None)]


def test_a_column_of_which_nothing_is_known_is_not_shown():
    names = [column.name for column in shown_columns(interval_lines([interval("steady", 150)]))]
    assert not {"hard:easy", "fade", "recovery", "heart", "work"} & set(names)
    known = [interval("hard", 200, heart_rate_recovery_bpm=0.0, mean_stroke_rate_spm=30.0), interval("easy", 100)]
    names = [column.name for column in shown_columns(interval_lines(known))]
    assert {"hard:easy", "recovery", "work"} < set(names)


def test_a_rest_has_no_work_of_a_stroke():
    names = [
        column.name for column in shown_columns(interval_lines([interval("rest", 2.0, mean_stroke_rate_spm=30.0)]))
    ]
    assert "work" not in names


def test_the_table_says_contrast_fade_recovery_and_work():
    rows = [
        interval("hard", 200, heart_rate_recovery_bpm=22.0, mean_stroke_rate_spm=30.0),
        interval("easy", 80, mean_stroke_rate_spm=20.0),
        interval("hard", 190, mean_stroke_rate_spm=30.0),
    ]
    content = interval_table(rows, "±22 %")
    assert "<td>400</td><td>2.5</td><td>–</td><td>22</td>" in content
    assert "<td>380</td><td>–</td><td>−5\u202f%</td><td>–</td>" in content
