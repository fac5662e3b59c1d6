"""Names from outside as names of files."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from rowsync.slug import slug


@given(st.text(max_size=400))
def test_any_name_becomes_a_safe_one(name):
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}", slug(name))


@given(st.text(max_size=80), st.text(max_size=80))
def test_different_names_become_different_ones(one, other):
    assert (slug(one) == slug(other)) == (one == other)


def test_a_safe_name_stays_as_it_is():
    assert slug("20261123T120000Z-3f2a") == "20261123T120000Z-3f2a"
