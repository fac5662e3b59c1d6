"""What a person says of a session: typed, stored and read back; nonsense is nothing said."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.errors import UsageError
from rowsync.felt import Felt, felt_fields, felt_from_fields, typed_exertion, typed_talk

AT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)

moments = st.integers(946_684_800, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(("text", "exertion"), [("0", 0.0), ("7", 7.0), (" 6.5 ", 6.5), ("10", 10.0), ("10.0", 10.0)])
def test_an_exertion_is_a_number_from_0_to_10(text, exertion):
    assert typed_exertion(text) == exertion


@pytest.mark.parametrize("text", ["", "11", "10.1", "-1", "7/10", "hard", "nan", "inf", "1e1", "٧", "6,5", "999999"])
def test_anything_else_is_no_exertion(text):
    with pytest.raises(UsageError, match=r"from 0 .* to 10"):
        typed_exertion(text)


@pytest.mark.parametrize(("text", "talked"), [("yes", True), ("Y", True), (" no ", False), ("n", False)])
def test_one_could_talk_or_not(text, talked):
    assert typed_talk(text) is talked


@pytest.mark.parametrize("text", ["", "maybe", "1", "true", "yesno"])
def test_anything_else_is_no_answer(text):
    with pytest.raises(UsageError, match="yes or no"):
        typed_talk(text)


@given(st.text())
def test_what_is_typed_is_understood_or_refused(text):
    for typed in (typed_exertion, typed_talk):
        with suppress(UsageError):
            assert 0 <= typed(text) <= 10


@given(st.none() | st.booleans(), st.none() | st.floats(0, 10), moments)
def test_what_was_said_is_read_back_as_said(talked, exertion, said_at):
    felt = Felt(talked, exertion, said_at)
    back = felt_from_fields(json.loads(json.dumps(felt_fields(felt))))
    assert back == (None if talked is None and exertion is None else felt)


def test_nonsense_beside_something_sensible_is_just_not_said():
    content = {"talked": "perhaps", "exertion": 4, "said_at": "2026-11-23T18:30:00Z"}
    assert felt_from_fields(content) == Felt(None, 4.0, AT)
    for nonsense in (11, -1, True, "7", float("nan"), float("inf"), 10**400, [3]):
        assert felt_from_fields(content | {"talked": False, "exertion": nonsense}) == Felt(False, None, AT)


@pytest.mark.parametrize("said_at", [None, "", "yesterday", 20261123, ["2026-11-23"]])
def test_without_a_time_nothing_was_said(said_at):
    assert felt_from_fields({"talked": True, "exertion": 4.0, "said_at": said_at}) is None


@given(json_values, json_values, json_values, json_values)
def test_a_stored_file_may_hold_anything(content, talked, exertion, said_at):
    assert felt_from_fields(content) is None
    fields = {"talked": talked, "exertion": exertion, "said_at": said_at}
    for each in (fields, fields | {"said_at": "2026-11-23T18:30:00Z"}):
        felt = felt_from_fields(each)
        if felt is not None:
            assert felt.talked in (None, True, False)
            assert felt.exertion is None or 0 <= felt.exertion <= 10
