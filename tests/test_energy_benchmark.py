"""Does the benchmark measure what it says?  A control that can't fail proves nothing."""

import csv
from contextlib import suppress
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.energy import heart, session
from benchmarks.energy.__main__ import (
    LEFT_OUT,
    around,
    controls_of,
    controls_report,
    corrected,
    inside,
    main,
    status_of,
    steady,
    used,
    ways,
)
from benchmarks.energy.candidates import blended_prior, floor, mixed_effects
from benchmarks.energy.fit import CONCEPT2, Line, difference, fit, left_out
from benchmarks.energy.scores import Error, errors, score
from benchmarks.energy.studies import COLUMNS, SUBMAX, Row, TableError, read_rows
from rowsync.formulas import FORMULAS, concept2_weight_corrected

GOOD = {
    "study": "garage2026",
    "citation": "my own",
    "n": "1",
    "sex": "female",
    "mass_kg": "60",
    "mass_measured": "yes",
    "power_w": "80",
    "power_basis": "monitor",
    "vo2_l_per_min": "1.5",
    "rer": "",
    "heart_rate_bpm": "",
    "intensity": "submax",
    "use": "yes",
    "remark": "",
}


@cache
def reference():
    return tuple(used(read_rows()))


@cache
def submaximal():
    return tuple(steady(reference()))


def row_of(study="a", power_w=100.0, mass_kg=75.0, vo2_l_per_min=2.0, rer=None, intensity=SUBMAX):
    return Row(study, "", 1, "male", mass_kg, True, power_w, "monitor", vo2_l_per_min, rer, None, intensity, True, "")


def table(tmp_path, *lines, head=tuple(COLUMNS)):
    path = tmp_path / "mine.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([line.get(column, "") for column in head] for line in lines)
    return path


# --- reading ----------------------------------------------------------------------------------------------------------


def test_energy_is_lusk_s_of_uptake_and_exchange_ratio():
    assert row_of(vo2_l_per_min=2.06, rer=0.86).kcal_per_min == pytest.approx(10.04, abs=0.01)


def test_above_an_exchange_ratio_of_one_all_is_carbohydrate():
    assert row_of(rer=1.3).kcal_per_min == row_of(rer=1.0).kcal_per_min == pytest.approx(2 * 5.047)


def test_without_an_exchange_ratio_the_intensity_decides():
    assert row_of().kcal_per_min == pytest.approx(9.8)
    assert row_of(intensity="max").kcal_per_min == pytest.approx(10.1)


def test_the_reference_gives_the_energies_that_were_read_from_the_studies():
    # the energies of the scored rows as they were reckoned when the studies were read
    assert [row.kcal_per_min for row in reference()] == pytest.approx(
        [
            *(16.62, 19.39, 22.16, 24.93, 9.53, 12.04, 14.55, 17.06),
            *(11.22, 14.28, 17.35, 20.41, 23.47),
            *(12.25, 17.15),
            *(10.04, 13.25, 17.16, 22.52),
            *(18.6, 21.5, 24.4),
            *(16.0, 23.33),
        ],
        abs=0.02,
    )


def test_the_reference_has_eighteen_submaximal_rows_of_four_studies():
    assert len(submaximal()) == 18
    assert {row.study for row in submaximal()} == {"klusiewicz", "springer1985", "iat", "holsgaard"}


def test_every_row_that_is_not_scored_says_why():
    assert all(row.remark for row in read_rows() if not row.use)


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("study", "", "is empty"),
        ("n", "few", "'few' is no number"),
        ("n", "0", "isn't between"),
        ("sex", "m", "'m' is none of female, male, mixed, unknown"),
        ("mass_kg", "900", "isn't between 20 and 300"),
        ("mass_kg", "", "though it was measured"),
        ("mass_measured", "1", "is none of yes, no"),
        ("power_w", "", "a row that is used needs it"),
        ("power_w", "-80", "isn't between"),
        ("power_w", "65535", "isn't between"),
        ("power_w", "nan", "isn't between"),
        ("vo2_l_per_min", "1500", "isn't between"),
        ("vo2_l_per_min", "1,5", "is no number"),
        ("rer", "inf", "isn't between"),
        ("heart_rate_bpm", "0", "isn't between"),
        ("intensity", "supramax", "can't be used"),
        ("use", "", "is none of yes, no"),
        ("remark", "", "needs a reason"),
    ],
)
def test_a_cell_that_makes_no_sense_is_named(tmp_path, column, cell, why):
    bad = GOOD | ({"use": "no"} if column == "remark" else {}) | {column: cell}
    with pytest.raises(TableError, match=rf"^mine.csv, line 3, column {column}: .*{why}"):
        read_rows(table(tmp_path, GOOD, bad))


def test_an_assumed_mass_is_needed_where_none_was_measured(tmp_path):
    with pytest.raises(TableError, match="line 2, column mass_kg: is empty, but a row that is used needs it"):
        read_rows(table(tmp_path, GOOD | {"mass_kg": "", "mass_measured": "no"}))


def test_columns_may_be_in_any_order(tmp_path):
    (row,) = read_rows(table(tmp_path, GOOD, head=tuple(reversed(COLUMNS))))
    assert (row.study, row.power_w, row.rer) == ("garage2026", 80.0, None)


@pytest.mark.parametrize(
    ("head", "column"),
    [
        ([*COLUMNS, "speed"], "speed"),
        ([*COLUMNS, "rer"], "rer"),
        ([column for column in COLUMNS if column != "rer"], "rer"),
    ],
)
def test_a_column_too_many_or_too_few_is_named(tmp_path, head, column):
    with pytest.raises(TableError, match=rf"^mine.csv, line 1, column {column}: "):
        read_rows(table(tmp_path, GOOD, head=head))


@pytest.mark.parametrize(("line", "column"), [("a,b", "n"), ("," * len(COLUMNS), "first_read_power_w")])
def test_a_line_of_another_length_is_named(tmp_path, line, column):
    path = table(tmp_path)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(TableError, match=rf"^mine.csv, line 2, column {column}: the line has \d+ cells, not 15"):
        read_rows(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TableError, match=r"^none.csv can't be read"):
        read_rows(tmp_path / "none.csv")


@settings(max_examples=50)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_rows_or_a_table_error(tmp_path_factory, noise, has_head):
    path = tmp_path_factory.mktemp("noise") / "noise.csv"
    path.write_bytes((",".join(COLUMNS) + "\n").encode() * has_head + noise)
    with suppress(TableError):
        assert all(isinstance(row, Row) for row in read_rows(path))


# --- scores -----------------------------------------------------------------------------------------------------------


def test_each_study_weighs_the_same_however_many_its_rows():
    found = [Error(row_of("a"), 10.0)] * 9 + [Error(row_of("b"), -20.0)]
    assert score(found) == (15.0, -5.0, 20.0)


def test_nothing_has_no_score():
    assert score([]) is None


def test_a_range_is_around_what_is_reckoned_and_not_around_what_was_measured():
    row = row_of(power_w=200.0)  # stated: about 15.8 %
    assert inside(Error(row, 18.0))
    assert not inside(Error(row, -15.0))


# --- fits -------------------------------------------------------------------------------------------------------------


def test_a_line_without_a_prior_finds_the_line_the_rows_are_on():
    truth = Line(0.04, 0.07)
    rows = [row_of(power_w=power_w, mass_kg=mass_kg) for power_w, mass_kg in ((100, 60), (200, 90), (300, 70))]
    on_it = [replace(row, vo2_l_per_min=truth(row) / 4.9) for row in rows]
    assert fit(on_it, None) == pytest.approx(truth)


def test_the_prior_is_concept2_s_weight_corrected_formula():
    assert CONCEPT2.line(row_of(power_w=180.0, mass_kg=66.0)) == pytest.approx(concept2_weight_corrected(180.0, 66.0))


def test_rows_on_the_prior_leave_it_as_it_is():
    rows = [row_of(power_w=power_w) for power_w in (100.0, 200.0)]
    on_it = [replace(row, vo2_l_per_min=CONCEPT2.line(row) / 4.9) for row in rows]
    assert fit(on_it) == pytest.approx(CONCEPT2.line)
    assert mixed_effects(on_it) == pytest.approx(CONCEPT2.line)


def test_a_study_is_never_tried_on_what_was_learned_from_it():
    seen = []

    def learn(rows):
        studies = {row.study for row in rows}
        seen.append(studies)
        return lambda row: 0.0 if row.study in studies else row.kcal_per_min

    assert {error.percent for error in left_out(submaximal(), learn)} == {0.0}
    assert [len(studies) for studies in seen] == [3, 3, 3, 3]


def test_fukunaga_pulls_the_efficiency_between_his_and_concept2_s():
    assert CONCEPT2.line.work < blended_prior().line.work < 60.0 / 4184.0 / 0.228


def test_no_line_in_mass_and_watts_is_better_than_the_floor():
    least = floor(submaximal(), "best line in mass and watts")
    for line in (fit(submaximal()), fit(submaximal(), None), CONCEPT2.line):
        assert score(errors(submaximal(), line)).mape > least
    assert least == pytest.approx(5.6, abs=0.1)


def test_the_difference_of_a_formula_from_itself_is_none():
    some = corrected(submaximal())
    assert difference(some, some, 20) == (0.0, 0.0)


# --- figures ----------------------------------------------------------------------------------------------------------


def test_the_pinned_controls_hold():
    assert [control.what for control in controls_of(reference()) if not control.holds] == []


def test_a_control_fails_where_the_rows_are_others():
    louder = [replace(row, vo2_l_per_min=1.1 * row.vo2_l_per_min) for row in reference()]
    assert [control.holds for control in controls_of(louder)][:2] == [False, False]
    assert not around("a figure", 7.71, 7.5, 0.2).holds


def test_ours_is_within_eight_and_a_half_percent_of_studies_it_has_not_seen():
    found = ways(submaximal())[LEFT_OUT]
    assert score(found).mape <= 8.5
    assert sum(map(inside, found)) >= 15


def test_heart_rate_is_tried_on_both_studies_that_have_it():
    found = heart.trials(submaximal())
    assert all(list(studies) == ["springer1985", "holsgaard"] for studies in found.values())
    assert len(found) == 5


def test_what_is_fused_lies_between_both_and_nearer_to_the_surer():
    both = heart.fused(lambda row: 10.0, lambda row: 20.0, 0.1, 0.2)
    assert both(row_of()) == pytest.approx(12.0)


def test_every_formula_reckons_the_article_s_session():
    totals = session.totals()
    assert list(totals) == [formula.title for formula in FORMULAS]
    assert all(each.rowed > each.stopped >= each.uncounted > 0.0 for each in totals.values())


def test_averages_reckon_less_than_what_was_rowed():
    added_up, speed, pace = session.averages(session.ROWED).values()
    assert added_up.gross_kcal == pytest.approx(session.totals()["rowsync"].rowed)
    assert added_up.gross_kcal > speed.gross_kcal > pace.gross_kcal


# --- the command ------------------------------------------------------------------------------------------------------


def test_rows_of_one_s_own_change_the_tables_and_not_the_controls(tmp_path, capsys):
    def told(*words):
        assert main(["--bootstrap", "2", "--markdown", *words]) == 0
        tables, controls = capsys.readouterr().out.split("### Controls")
        return tables, controls

    tables, controls = told()
    more_tables, same_controls = told("--data", str(table(tmp_path, GOOD, GOOD | {"power_w": "120"})))
    assert "### 18 submaximal rows of 4 studies" in tables
    assert "### 20 submaximal rows of 5 studies" in more_tables
    assert "garage2026" in more_tables
    assert controls == same_controls
    assert "FAIL" not in controls


def test_a_wrong_row_is_told_without_a_traceback(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--data", str(table(tmp_path, GOOD | {"power_w": "fast"}))])
    assert stopped.value.code == 2
    assert "mine.csv, line 2, column power_w: 'fast' is no number" in capsys.readouterr().err


def test_one_failing_control_fails_the_command():
    good, bad = around("one", 1.0, 1.0, 0.5), around("another", 2.0, 1.0, 0.5)
    assert status_of([good, good]) == 0
    assert status_of([good, bad]) == 1
    assert [line[-1] for line in controls_report([good, bad]).lines] == ["OK", "FAIL"]


def test_the_tables_are_shown_on_a_terminal_too(capsys):
    assert main(["--bootstrap", "2"]) == 0
    assert "kcal = kJ of work" in capsys.readouterr().out
