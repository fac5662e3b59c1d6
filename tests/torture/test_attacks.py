"""The home of the attacks: docs/security.md, whose tables name the tests of each; here it is checked that they can be
believed.

    1-3     test_attacks_radio.py     rowers, bytes, names
    4, 6, 7 test_attacks_web.py       pages and browsers
    5, 9-12 test_attacks_files.py     paths, spreadsheets, bombs, pickles; and who may read what is written
    8       test_attacks_secrets.py   passwords
    12, 13  test_attacks_supply.py    packages
    14      test_attacks_privacy.py   what leaves the computer

`planted.versions` tries each on rowsync and on what is weak; `python -m tests.torture.attacks` runs those with dice for
longer.
"""

from __future__ import annotations

import importlib
import re

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
DEFINED = set(re.findall(r"^(?:async )?def (test_\w+)", TESTS, re.MULTILINE))
PLANTED = set(re.findall(r"^@versions\(.*?^def (test_\w+)", TESTS, re.MULTILINE | re.DOTALL))
PLANTED |= {"test_each_attack_succeeds_on_what_is_weak"}

LEVEL_1 = re.findall(
    r"[\d.]+",
    """
1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1 3.5.2 3.5.3
4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 6.4.2 7.2.1
7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 11.3.1
11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1
""",
)
"""The requirements of ASVS 5.0.0's Level 1, by number."""


def rows(heading):
    """The rows of the first table below a heading, as lists of cells."""
    table = PAGE.split(f"# {heading}\n", 1)[1].split("\n|---", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[1:]]


def named_in(text):
    return re.findall(r"`(test_\w+)`", text)


def test_every_test_that_is_named_exists():
    named = set(named_in(PAGE))
    assert len(named) > 60
    assert named <= DEFINED, named - DEFINED


def test_each_of_the_fourteen_attacks_is_tried_on_something_weak_too():
    attacks = rows("The fourteen attacks")
    assert [int(number) for number, *_ in attacks] == list(range(1, 15))
    for _, attack, happens, planted, tests in attacks:
        assert happens
        assert planted
        assert set(named_in(tests)) & PLANTED, f"nothing weak is planted for {attack}"


def test_every_requirement_of_level_1_is_met_by_a_test_or_does_not_apply():
    met, beside = rows("What applies"), rows("What doesn't")
    assert [len(row) for row in met] == [4] * len(met)
    assert all(named_in(tests) for *_, tests in met)
    numbers = [number for row in (*met, *beside) for number in row[0].split(", ")]
    assert sorted(numbers) == sorted(LEVEL_1)
    assert len(LEVEL_1) == 70


@pytest.mark.parametrize("row", rows("What is taken in"), ids=lambda row: row[0])
def test_every_limit_is_what_the_code_says(row):
    _, said, where = row
    module, _, name = where.strip("`").rpartition(".")
    limit = getattr(importlib.import_module(module), name)
    assert int(re.match(r"[\d,]+", said)[0].replace(",", "")) == limit
