"""Machines beside each other on the pages."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboards.compare_page import compare_page
from dashboards.history_page import history_page
from dashboards.machines import MOST_SHOWN, factor_sentence, machines_section
from rowsync.comparison import comparable_fields
from tests.test_dashboards_demo import demo_index
from tests.test_dashboards_page import plain
from tests.test_machine_factor import row, rows
from tests.test_terminal import HOSTILE

A, B = {"name": "A", "address": None}, {"name": "B", "address": None}


def on(machine, started_at, power_w=200.0):
    hard = {"effort": "hard", "duration_s": 45.0, "mean_power_w": power_w}
    about = {"session_id": started_at, "started_at": started_at, "plan": "10x45/75", "athlete": "anna"}
    return about | {"machine": machine, "intervals": [hard], "fade": None}


def test_the_history_has_a_line_for_each_machine_with_its_range_in_words_and_drawn():
    index = pd.DataFrame(rows("AB" * 7, by=1.1)).assign(session_id="x")
    text = plain(history_page(index, session_link=lambda _: None))
    assert "Watts on B read" in text
    assert "Nothing is corrected by it" in text
    assert machines_section(rows("AB" * 7, by=1.1)).count('class="range"') == 1
    assert machines_section(rows("AB" * 7, by=1.1)).count('class="dot"') == 2


def test_one_machine_is_beside_nothing():
    assert machines_section(rows("AAAA")) == ""
    assert machines_section([]) == ""
    assert 'id="machines-heading"' not in history_page(demo_index(), session_link=lambda _: None)


def test_a_machine_that_cant_be_compared_says_why():
    section = machines_section(rows("AB"))
    assert "Too few days to tell" in section
    assert 'class="range"' not in section
    assert "Nothing is corrected" not in section


def test_of_a_gym_the_most_rowed_have_a_line():
    many = [row(f"machine {at}", day, 200.0) for at in range(12) for day in range(3 + (at == 0))]
    section = machines_section(many)
    assert section.count('<th scope="row"') == MOST_SHOWN
    assert "And 4 more machines" in section


def test_a_strangers_machine_is_no_markup():
    assert "<script>" not in machines_section(rows(["<script>", HOSTILE] * 3))


def test_two_sessions_on_two_machines_are_compared_with_a_word_of_warning():
    now, before = on(B, "2026-11-17T18:00:00Z"), on(A, "2026-11-10T18:00:00Z")
    known = rows("AB" * 7, by=1.1)
    text = plain(compare_page(now, [comparable_fields(before)], rows=lambda: known))
    assert "That was on another machine, A, whose watts may read otherwise" in text
    assert "Watts on B read" in text
    assert "Nothing is corrected by it" in text
    assert "200" in text, "no shown number is another for it"
    older = [comparable_fields(on(machine, "2026-11-03T18:00:00Z")) for machine in (A, B, {}, A)]
    assert "Of the 4 before that, 2 were on another machine." in plain(
        compare_page(now, [comparable_fields(before), *older])
    )
    same = plain(compare_page(on(A, "2026-11-17T18:00:00Z"), [comparable_fields(before)], rows=lambda: known))
    assert "another machine" not in same
    assert "Watts on" not in same


@pytest.mark.parametrize("known", [rows("AB"), rows("AAAA"), []])
def test_where_nobody_knows_the_factor_nothing_is_said_of_it(known):
    assert factor_sentence(B, A, "anna", lambda: known) == ""


def test_where_the_athletes_own_sessions_cant_tell_everybodys_are_asked():
    known = rows("AB" * 5, by=1.1, athlete="ben") + rows("AB")
    assert factor_sentence(B, A, "anna", lambda: known).startswith("Watts on B read")


def test_the_index_is_not_read_for_one_machine():
    assert factor_sentence(A, A, "anna", lambda: pytest.fail("it was")) == ""
