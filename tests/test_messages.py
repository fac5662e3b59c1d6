"""What is said over MQTT: without holes, without lies, and so that Home Assistant takes it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.errors import UsageError
from rowsync.messages import (
    DELIVERY,
    ENTITIES,
    PHASES,
    STROKE,
    Message,
    Outbox,
    Teller,
    Topics,
    Totals,
    discovery,
    left_lines,
    machine_id,
    past_totals,
    read_left,
    read_replay,
    read_totals,
)
from rowsync.session import Header

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEGAL_UNITS = {
    "power": {"W", "kW", "mW"},
    "duration": {"s", "min", "h", "d", "ms"},
    "distance": {"m", "km", "cm", "mm", "mi"},
    "energy": {"kcal", "cal", "kJ", "J", "kWh", "Wh"},
}
"""Which units Home Assistant 2025.4 takes for a class of sensor (its DEVICE_CLASS_UNITS), in part."""

LEGAL_STATES = {
    "energy": {"total", "total_increasing"},
    "distance": {"measurement", "total", "total_increasing"},
    "power": {"measurement"},
    "duration": {"measurement", "total", "total_increasing"},
}
"""Which state classes go with a class of sensor (its DEVICE_CLASS_STATE_CLASSES)."""


def stroke(number, session_id="s"):
    return Message(f"rowsync/x/{STROKE}", f'{{"number":{number}}}', DELIVERY[STROKE], session_id, STROKE, number)


# --- Home Assistant ---------------------------------------------------------------------------------------------------


def test_home_assistant_gets_every_entity_with_a_unit_and_a_class_that_go_together():
    payload = discovery(Topics("rowsync", "x"), {"name": "PM5", "maker": "Concept2", "model": "PM5"})
    assert payload["device"]["manufacturer"] == "Concept2"
    components = payload["components"]
    assert {"power", "stroke_rate", "pace", "distance", "heart_rate", "lifetime_energy", "round_done"} <= set(
        components
    )
    for key, component in components.items():
        of, unit, state = (component.get(name) for name in ("device_class", "unit_of_measurement", "state_class"))
        if of in LEGAL_UNITS:
            assert unit in LEGAL_UNITS[of], key
            assert state in LEGAL_STATES[of], key
        if of == "enum":
            assert (unit, state, component["options"]) == (None, None, list(PHASES))
        if "last_reset_value_template" in component:
            assert state == "total", "Home Assistant refuses it with any other state class"
    assert components["lifetime_energy"]["state_class"] == "total_increasing"
    assert components["round_done"]["platform"] == "device_automation"
    unique = [component["unique_id"] for component in components.values() if "unique_id" in component]
    assert len(set(unique)) == len(unique) == len(ENTITIES)


@given(st.text(max_size=60))
def test_any_machine_has_a_topic_of_its_own_that_is_safe(name):
    machine = machine_id(name)
    assert machine
    assert not set(machine) & set("+#/$\x00.")
    assert machine.isascii()


# --- energy in all ----------------------------------------------------------------------------------------------------


def header(session_id="s", at=AT):
    return Header(session_id, at)


def test_lifetime_energy_grows_with_the_row_and_never_falls():
    totals = Totals().knowing(Totals(kcal_today=100.0, lifetime_kcal=1000.0)).begun(header())
    assert totals.rowed(50.0).lifetime_kcal == 1050.0
    assert totals.rowed(50.0).rowed(49.0).lifetime_kcal == 1050.0
    again = totals.rowed(50.0).knowing(Totals(kcal_today=0.0, lifetime_kcal=10.0))
    assert again.lifetime_kcal == 1050.0


def test_what_is_known_late_counts_the_row_so_far_once():
    totals = Totals().begun(header()).rowed(30.0).knowing(Totals(kcal_today=100.0, lifetime_kcal=1000.0))
    assert (totals.kcal_today, totals.lifetime_kcal) == (130.0, 1030.0)
    assert totals.rowed(31.0).lifetime_kcal == 1031.0


def test_a_second_session_of_the_day_adds_to_the_first_and_another_day_begins_at_zero():
    first = Totals().begun(header()).rowed(300.0)
    second = first.begun(header("t", AT + timedelta(hours=2))).rowed(100.0)
    assert (second.kcal_today, second.lifetime_kcal) == (400.0, 400.0)
    tomorrow = second.begun(header("u", AT + timedelta(days=1, hours=3))).rowed(10.0)
    assert (tomorrow.kcal_today, tomorrow.lifetime_kcal) == (10.0, 410.0)


def test_a_session_that_is_taken_up_again_is_counted_once():
    totals = Totals().begun(header()).rowed(300.0)
    assert read_totals(json.loads(json.dumps(totals.saved()))).begun(header()).rowed(301.0).lifetime_kcal == 301.0


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.dictionaries(st.text(), inner))
)
def test_saved_totals_that_are_none_are_zero(saved):
    assert read_totals(saved).lifetime_kcal >= 0


def test_a_past_that_says_nothing_of_energy_is_none():
    assert past_totals({}) is None
    assert past_totals({"kcal_today": 1.0, "lifetime_kcal": 2.0, "day_start": None}).lifetime_kcal == 2.0


# --- without holes ----------------------------------------------------------------------------------------------------


def test_what_is_acknowledged_out_of_order_is_no_hole():
    outbox = Outbox()
    for number in (1, 2, 3, 4):
        assert outbox.put(stroke(number))
    for number in (2, 4):
        outbox.acknowledge(stroke(number))
    assert outbox.positions() == {"s": {STROKE: 0}}
    outbox.acknowledge(stroke(1))
    assert outbox.positions() == {"s": {STROKE: 2}}
    assert [message.number for message in outbox.next(9)] == [3]


def test_what_the_broker_has_from_before_does_not_go_out_again():
    outbox = Outbox({"s": {STROKE: 2}})
    assert [outbox.put(stroke(number)) for number in (1, 2, 3)] == [False, False, True]


@given(st.lists(st.integers(1, 30)), st.lists(st.integers(1, 30)))
def test_each_number_goes_out_once_whatever_is_put_and_acknowledged(put, acknowledged):
    outbox, sent = Outbox(), []
    for number in put:
        if outbox.put(stroke(number)):
            sent.append(number)
    for number in acknowledged:
        outbox.acknowledge(stroke(number))
    assert sorted(sent) == sorted(set(put))
    waiting = {message.number for message in outbox.next(99)}
    assert waiting == set(put) - set(acknowledged)


def test_a_replay_is_marked_and_of_an_unknown_session_refused():
    outbox = Outbox()
    for number in (1, 2, 3):
        outbox.put(stroke(number))
        outbox.acknowledge(stroke(number))
    assert outbox.replay("s", 2) == 2
    assert [json.loads(message.payload) for message in outbox.next(9)] == [
        {"number": 2, "replayed": True},
        {"number": 3, "replayed": True},
    ]
    with pytest.raises(UsageError):
        outbox.replay("t", 1)


def test_what_is_left_is_kept_in_a_file_and_read_again():
    messages = [stroke(1), stroke(2)]
    assert read_left(left_lines(messages)) == messages
    assert read_left(left_lines(messages)[:-5] + b"\n[1]\n\xff") == messages[:1]


@pytest.mark.parametrize(
    "line",
    [
        '["a", "b", 1, false, "s", "stroke", "5"]',
        '["a", "b", 7, false, "s", "stroke", 5]',
        '["a/#", "b", 1, false, "s", "stroke", 5]',
        '["a", "b", 1, 0, "s", "stroke", 5]',
        '["a", "b", true, false, "s", "stroke", 5]',
        '["", "b", 1, false, "s", "stroke", 5]',
    ],
)
def test_a_leftover_that_no_broker_would_take_is_left_out(line):
    assert read_left(line.encode()) == []


def test_what_the_broker_has_of_other_sessions_makes_room(monkeypatch):
    monkeypatch.setattr("rowsync.messages.MOST_KEPT", 3)
    outbox = Outbox()
    for number in (1, 2, 3):
        outbox.put(stroke(number))
        outbox.acknowledge(stroke(number))
    assert outbox.put(stroke(1)._replace(session_id="t"))
    assert outbox.refused == 0


@given(st.binary(max_size=300))
def test_any_file_of_leftovers_is_read_as_far_as_it_makes_sense(content):
    assert all(isinstance(message, Message) for message in read_left(content))


@given(st.binary(max_size=200))
def test_any_payload_is_a_replay_or_none_or_refused(payload):
    with suppress(UsageError):
        assert read_replay(payload) is None


def test_a_teller_that_is_shown_nothing_has_nothing_to_say():
    teller = Teller("rowsync")
    assert list(teller.end(None)) == []
    assert list(teller.remember(Totals(1.0, 2.0))) == []
    assert replace(Totals(), lifetime_kcal=1.0).fields()["lifetime_kcal"] == 1.0
