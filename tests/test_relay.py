"""The lines between hubs and their collector: whole, in order, once, and never another session's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.recording import checked_line, header_line, item_line
from rowsync.relay import (
    MOST_IN_FLIGHT,
    MOST_LINES,
    PATIENCE_S,
    Answer,
    Holding,
    Part,
    Refused,
    Sender,
    Span,
    answer_bytes,
    batch_bytes,
    read_answer,
    read_batch,
    read_log,
    sound_line,
)
from tests.test_recording import HEADER, NOTIFICATIONS

ID = HEADER.session_id
LINES = tuple(line[:-1] for line in (header_line(HEADER), *map(item_line, NOTIFICATIONS)))
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


# --- batches ----------------------------------------------------------------------------------------------------------


def test_a_batch_is_read_back_as_it_was_sent():
    parts = (Part(ID, 0, LINES), Part("20261123T120001Z-0000", 7, (), True), Part("another", 3, (b"", LINES[1])))
    assert read_batch(batch_bytes(parts, AT)) == (AT, parts)


def test_a_batch_that_lost_or_changed_a_byte_is_none():
    batch = batch_bytes([Part(ID, 0, LINES[:3])], AT)
    assert all(read_batch(batch[:at]) is None for at in range(len(batch)))
    flipped = [batch[:at] + bytes([batch[at] ^ 1]) + batch[at + 1 :] for at in range(len(batch))]
    assert [each for each in flipped if read_batch(each) is not None] == []


@pytest.mark.parametrize("session_id", ["../up", 'a"b', "a/b", "", "..", "a\0b", "x" * 300])
def test_a_batch_never_names_a_file_elsewhere(session_id):
    assert read_batch(batch_bytes([Part(session_id, 0, LINES)], AT)) is None


@given(st.one_of(st.binary(max_size=300), st.lists(st.sampled_from([*LINES, b"", b"{}", b"x"])).map(b"\n".join)))
def test_no_payload_raises(payload):
    read_batch(payload)
    read_answer(payload)
    read_log(payload)


def test_a_log_is_read_as_far_as_it_is_sound():
    first, second = Part(ID, 0, LINES[:2]), Part(ID, 2, LINES[2:4])
    log = batch_bytes([first]) + batch_bytes([second])
    assert read_log(log) == ([first, second], 0)
    torn = log[: -len(LINES[3]) // 2]
    assert read_log(torn) == ([first, Part(ID, 2, LINES[2:3])], 0)
    damaged = log.replace(LINES[1], LINES[1][:-2] + b"??")
    assert read_log(damaged) == ([Part(ID, 0, LINES[:1]), second], 1)


def test_a_damaged_line_goes_as_an_empty_one():
    assert [sound_line(LINES[1]), sound_line(LINES[1][:-1] + b"!"), sound_line(b"no line")] == [LINES[1], b"", b""]


def test_an_answer_is_read_back_as_it_was_sent():
    answer = Answer({ID: 7, "b": 0}, {"b"}, {"c"}, {"d": "why"})
    assert read_answer(answer_bytes(answer)) == answer


# --- what a collector takes -------------------------------------------------------------------------------------------


def test_what_is_held_already_is_left_out_and_what_is_new_is_taken():
    holding = Holding()
    assert holding.take(Part(ID, 0, LINES[:3])) == Part(ID, 0, LINES[:3])
    assert holding.take(Part(ID, 0, LINES[:3])) == Part(ID, 3, ())
    assert holding.take(Part(ID, 1, LINES[1:5])) == Part(ID, 3, LINES[3:5])


def test_a_hole_is_not_taken():
    holding = Holding(LINES[:2])
    assert holding.take(Part(ID, 3, LINES[3:5])) is None
    assert len(holding.marks) == 2


def test_another_line_under_a_held_number_is_refused_with_all_that_came_with_it():
    holding = Holding(LINES[:3])
    assert isinstance(holding.take(Part(ID, 2, (LINES[1], *LINES[3:5]))), Refused)
    assert len(holding.marks) == 3


def test_a_session_begins_with_its_own_header():
    assert isinstance(Holding().take(Part(ID, 0, LINES[1:3])), Refused)
    assert isinstance(Holding().take(Part("another", 0, LINES[:3])), Refused)


def test_a_session_is_over_when_all_that_its_hub_counts_is_held():
    holding = Holding(LINES[:3])
    holding.take(Part(ID, 3, LINES[3:5], True))
    assert holding.is_over


# --- what a hub sends -------------------------------------------------------------------------------------------------


def asked(held=10, *, is_over=False, have=0):
    """A sender that was told what the collector has."""
    sender = Sender()
    sender.found(ID, held, is_over=is_over)
    assert sender.due(0.0) == [Span(ID, 0, 1, False)]
    sender.answered(Answer({ID: have}), 0.0)
    return sender


def test_a_hub_asks_first_and_sends_on_from_there():
    sender = asked(have=4)
    assert sender.due(0.1) == [Span(ID, 4, 10, False)]
    assert sender.due(0.2) == []
    sender.found(ID, 12, is_over=False)
    assert sender.due(0.3) == [Span(ID, 10, 12, False)]


def test_what_nobody_answered_is_asked_for_and_sent_again():
    sender = asked()
    assert sender.due(0.1) == [Span(ID, 0, 10, False)]
    assert sender.due(0.1 + PATIENCE_S) == [Span(ID, 0, 1, False)]
    sender.answered(Answer({ID: 6}), 3.2)
    assert sender.due(3.3) == [Span(ID, 6, 10, False)]


def test_a_collector_that_is_away_is_asked_less_and_less_often():
    sender = Sender()
    sender.found(ID, 10, is_over=False)
    asks = [at for at in range(600) if sender.due(float(at))]
    assert len(asks) < 30
    assert asks[-1] > 560


def test_a_hole_that_the_collector_tells_of_is_sent_at_once():
    sender = asked()
    sender.due(0.1)
    sender.answered(Answer({ID: 3}, again={ID}), 0.2)
    assert sender.due(0.25) == [Span(ID, 3, 10, False)]


def test_what_was_on_its_way_behind_a_hole_is_not_sent_for_each_batch_again():
    sender = asked()
    sender.due(0.1)
    for at_s in (0.2, 0.3, 0.4):
        sender.answered(Answer({ID: 3}, again={ID}), at_s)
        assert sender.due(at_s + 0.05) == ([Span(ID, 3, 10, False)] if at_s == 0.2 else [])


def test_a_collector_that_lost_its_disk_gets_all_of_it_again():
    sender = asked(have=8)
    sender.due(0.1)
    sender.answered(Answer({ID: 0}), 0.2)
    assert sender.due(0.3) == [Span(ID, 0, 10, False)]


def test_no_more_is_on_its_way_than_a_broker_can_bear():
    sender = asked(held=100_000)
    sent = 0
    for _ in range(100):
        for span in sender.due(0.1):
            assert span.stop - span.first <= MOST_LINES
            sent = span.stop
    assert sent == MOST_IN_FLIGHT
    sender.answered(Answer({ID: 700}), 0.2)
    assert sender.due(0.3) == [Span(ID, MOST_IN_FLIGHT, MOST_IN_FLIGHT + MOST_LINES, False)]


def test_the_end_is_told_until_the_collector_has_it_whole():
    sender = asked(is_over=True)
    assert sender.due(0.1) == [Span(ID, 0, 10, True)]
    sender.answered(Answer({ID: 10}), 0.2)
    assert sender.due(0.3) == []
    assert sender.due(0.3 + PATIENCE_S) == [Span(ID, 0, 1, False)]
    sender.answered(Answer({ID: 10}), 4.0)
    assert sender.due(4.1) == [Span(ID, 10, 10, True)]


def test_what_is_answered_to_others_is_nothing_to_a_hub():
    sender = asked()
    sender.answered(Answer({"another": 3}, {"another"}, {"another"}), 0.1)
    assert sender.due(0.2) == [Span(ID, 0, 10, False)]


def test_a_header_of_a_newer_form_is_a_line_like_any_other():
    newer = checked_line({"rowsync_recording": 2, "session_id": ID})[:-1]
    assert Holding().take(Part(ID, 0, (newer,))) == Part(ID, 0, (newer,))
