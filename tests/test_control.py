"""Control: what is asked, what is answered, what the machine tells unasked."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync import control
from rowsync.control import (
    REQUESTS,
    STATUSES,
    Answer,
    MachineStatus,
    OpCode,
    Request,
    Result,
    StatusCode,
    TrainingStatus,
    decode_answer,
    decode_machine_status,
    decode_request,
    decode_training_status,
    describe_answer,
    encode_request,
)
from rowsync.intervals import Effort


def answer(payload):
    return decode_answer(bytes.fromhex(payload))


def status(payload):
    return decode_machine_status(bytes.fromhex(payload))


def training(payload):
    return decode_training_status(bytes.fromhex(payload))


# --- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (control.request_control(), "00"),
        (control.reset(), "01"),
        (control.target_resistance(7.5), "04 4b"),
        (control.target_resistance(30, wide=True), "04 2c 01"),
        (control.target_power(200), "05 c8 00"),
        (control.target_heart_rate(140), "06 8c"),
        (control.start_or_resume(), "07"),
        (control.stop(), "08 01"),
        (control.pause(), "08 02"),
        (control.target_distance(2000), "0c d0 07 00"),
        (control.target_time(1200), "0d b0 04"),
        (control.target_stroke_rate(24.5), "14 31 00"),
    ],
)
def test_a_request_is_an_op_code_and_its_parameter(request_bytes, expected):
    assert request_bytes == bytes.fromhex(expected)


@pytest.mark.parametrize(
    ("ask", "value", "said"),
    [
        (control.target_resistance, 25.6, "25.6 doesn't fit resistance_level: a machine takes 0 to 25.5."),
        (control.target_resistance, -0.1, "0 to 25.5"),
        (control.target_power, 32768, "-32768 to 32767"),
        (control.target_heart_rate, 256, "0 to 255"),
        (control.target_stroke_rate, 32768, "0 to 32767.5"),
        (control.target_distance, 1 << 24, "0 to 16777215"),
        (control.target_time, 65536, "0 to 65535"),
        (control.target_time, math.nan, "nan doesn't fit time_s"),
        (control.target_time, math.inf, "inf doesn't fit time_s"),
        (control.target_power, 1e308, "doesn't fit power_w"),
    ],
)
def test_what_does_not_fit_its_field_is_refused_in_a_sentence(ask, value, said):
    with pytest.raises(ValueError, match="doesn't fit") as refused:
        ask(value)
    assert said in str(refused.value)


def test_a_request_without_its_parameter_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        encode_request(OpCode.TARGET_POWER)


def _values(parameter):
    bits = 8 * parameter.size
    least, most = (
        (-(1 << bits - 1), (1 << bits - 1) - 1) if parameter.signed else (len(parameter.words), (1 << bits) - 1)
    )
    raw = st.integers(least, most)
    return raw.map(lambda value: value if parameter.per_unit == 1 else value / parameter.per_unit)


@st.composite
def requests(draw):
    op_code = draw(st.sampled_from(sorted(REQUESTS)))
    return OpCode(op_code), {parameter.name: draw(_values(parameter)) for parameter in REQUESTS[op_code]}


@given(requests())
def test_what_is_asked_is_read_back(asked):
    op_code, values = asked
    assert decode_request(encode_request(op_code, *values.values())) == Request(op_code, values)


@pytest.mark.parametrize(
    ("payload", "op_code", "values"),
    [
        ("02 e8 03", "TARGET_SPEED", [10.0]),
        ("03 f6 ff", "TARGET_INCLINATION", [-1.0]),
        ("09 f4 01", "TARGET_ENERGY", [500]),
        ("0a e8 03", "TARGET_STEPS", [1000]),
        ("0b e8 03", "TARGET_STRIDES", [1000]),
        ("0e 3c 00 78 00", "TARGET_TIME_IN_TWO_ZONES", [60, 120]),
        ("0f 3c 00 78 00 b4 00", "TARGET_TIME_IN_THREE_ZONES", [60, 120, 180]),
        ("10 01 00 02 00 03 00 04 00 05 00", "TARGET_TIME_IN_FIVE_ZONES", [1, 2, 3, 4, 5]),
        ("11 18 fc 9c ff 28 33", "BIKE_SIMULATION", [-1.0, -1.0, 0.004, 0.51]),
        ("12 34 52", "WHEEL_CIRCUMFERENCE", [2104.4]),
        ("13 01", "SPIN_DOWN", ["start"]),
        ("13 02", "SPIN_DOWN", ["ignore"]),
    ],
)
def test_the_requests_that_concern_other_machines_are_read_too(payload, op_code, values):
    read = decode_request(bytes.fromhex(payload))
    assert (read.op_code, list(read.values.values())) == (OpCode[op_code], values)
    assert (read.missing, read.extra) == ((), b"")


def test_a_resistance_in_two_octets_is_read_as_it_was_meant():
    assert decode_request(control.target_resistance(30, wide=True)).values == {"resistance_level": 30.0}
    assert decode_request(control.target_resistance(25.5)).values == {"resistance_level": 25.5}
    assert decode_request(control.target_resistance(-1, wide=True)).values == {"resistance_level": -1.0}


def test_stop_and_pause_are_told_apart():
    assert decode_request(control.stop()).values == {"stop_or_pause": "stop"}
    assert decode_request(control.pause()).values == {"stop_or_pause": "pause"}
    assert decode_request(b"\x08\x07").values == {"stop_or_pause": 7}
    assert decode_request(b"\x08\x00").values == {"stop_or_pause": "reserved"}


def test_a_request_cut_short_names_what_it_lacks():
    assert decode_request(b"") == Request(missing=("op_code",))
    assert decode_request(bytes.fromhex("0f 3c 00 78")) == Request(
        OpCode.TARGET_TIME_IN_THREE_ZONES, {"light_zone_s": 60}, ("moderate_zone_s", "hard_zone_s"), b"\x78"
    )


# --- answers ----------------------------------------------------------------------------------------------------------


def test_a_machine_that_gives_control():
    # As a Zwift Hub sends it: Berg0162/simcline, issue 7.
    assert answer("80 00 01") == Answer(OpCode.REQUEST_CONTROL, Result.SUCCESS)
    assert answer("80 00 01").succeeded


def test_an_answer_with_a_parameter_and_reserved_codes_is_kept():
    assert answer("80 13 01 24 03 96 0e") == Answer(OpCode.SPIN_DOWN, Result.SUCCESS, bytes.fromhex("24 03 96 0e"))
    assert answer("80 33 09") == Answer(0x33, 9)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [("", Answer()), ("07 00 01", Answer()), ("80", Answer()), ("80 07", Answer(OpCode.START_OR_RESUME))],
)
def test_what_is_no_whole_answer_never_succeeded(payload, expected):
    assert answer(payload) == expected
    assert not answer(payload).succeeded
    assert describe_answer(answer(payload)) == "what came is no answer of a fitness machine"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("80 07 01", "the machine agrees to start"),
        ("80 07 04", "the machine refuses to start: perhaps it has started already"),
        ("80 08 04", "the machine refuses to stop or pause: perhaps it has stopped already"),
        ("80 00 05", "the machine refuses to be controlled: it didn't give us control; another app may have it"),
        ("80 04 02", "the machine refuses to set a resistance: it can't do that"),
        ("80 05 03", "the machine refuses to set a target power: the value is none that it takes"),
        ("80 05 04", "the machine refuses to set a target power: it tried and failed"),
        ("80 01 2a", "the machine refuses to reset itself: for a reason of its own (0x2a)"),
        ("80 33 02", "the machine refuses to do what op code 0x33 asks: it can't do that"),
    ],
)
def test_an_answer_in_a_persons_words(payload, words):
    assert describe_answer(answer(payload)) == words


@given(st.binary(max_size=8))
def test_any_bytes_are_an_answer_or_none(payload):
    read = decode_answer(b"\x80" + payload)
    assert read.succeeded == (payload[1:2] == b"\x01")
    assert describe_answer(read)
    assert describe_answer(decode_answer(payload))


# --- machine status ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "event", "value"),
    [
        ("01", "reset", None),
        ("02 01", "stopped", "stop"),
        ("02 02", "paused", "pause"),
        ("02 09", "stopped_or_paused", 9),
        ("02", "stopped_or_paused", None),
        ("03", "stopped_by_safety_key", None),
        ("04", "started_or_resumed", None),
        ("05 69 00", "target_speed_changed", 1.05),
        ("06 f6 ff", "target_inclination_changed", -1.0),
        ("07 4b", "target_resistance_changed", 7.5),
        ("07 2c 01", "target_resistance_changed", 30.0),
        ("08 38 ff", "target_power_changed", -200),
        ("09 8c", "target_heart_rate_changed", 140),
        ("0a f4 01", "target_energy_changed", 500),
        ("0b e8 03", "target_steps_changed", 1000),
        ("0c e8 03", "target_strides_changed", 1000),
        ("0d d0 07 00", "target_distance_changed", 2000),
        ("0e b0 04", "target_time_changed", 1200),
        ("0f 3c 00 78 00", "target_time_in_two_zones_changed", 60),
        ("10 3c 00 78 00 b4 00", "target_time_in_three_zones_changed", 60),
        ("11 01 00 02 00 03 00 04 00 05 00", "target_time_in_five_zones_changed", 1),
        ("13 34 52", "wheel_circumference_changed", 2104.4),
        ("14 01", "spin_down", "requested"),
        ("14 04", "spin_down", "stop_pedaling"),
        ("15 31 00", "target_cadence_changed", 24.5),
        ("ff", "control_lost", None),
    ],
)
def test_a_machine_tells_what_happened_to_it(payload, event, value):
    read = status(payload)
    assert (read.event, read.value, read.extra) == (event, value, b"")


def test_simulation_parameters_are_four_values():
    # As an Elite trainer sends it: Berg0162/simcline, issue 4.
    assert status("12 00 00 ff ff 28 33").values == {
        "wind_speed_m_per_s": 0.0,
        "grade_percent": -0.01,
        "rolling_resistance": 0.004,
        "wind_resistance_kg_per_m": 0.51,
    }


def test_a_reserved_status_has_a_code_but_no_event():
    assert status("30 01 02") == MachineStatus(0x30, extra=b"\x01\x02")
    assert status("") == MachineStatus(missing=("code",))


def test_a_status_cut_short_names_what_it_lacks():
    assert status("0d d0 07") == MachineStatus(
        StatusCode.TARGET_DISTANCE_CHANGED,
        "target_distance_changed",
        missing=("distance_m",),
        extra=bytes.fromhex("d0 07"),
    )


def test_every_code_has_a_row():
    assert set(STATUSES) == set(StatusCode)
    assert set(REQUESTS) == set(OpCode) - {OpCode.RESPONSE}


@given(st.sampled_from([b"", *(bytes([code]) for code in {*REQUESTS, *STATUSES, 0x30})]), st.binary(max_size=20))
def test_any_bytes_are_a_status_and_a_request(code, rest):
    payload = code + rest
    for read in (decode_machine_status(payload), decode_request(payload)):
        assert payload.endswith(read.extra)
        assert set(read.values).isdisjoint(read.missing)


# --- training status --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "name", "effort"),
    [
        ("00 00", "other", None),
        ("00 01", "idle", None),
        ("00 02", "warming up", Effort.WARMUP),
        ("00 03", "low intensity interval", Effort.EASY),
        ("00 04", "high intensity interval", Effort.HARD),
        ("00 05", "recovery interval", Effort.REST),
        ("00 0a", "too fast to be controlled", None),
        ("00 0b", "cool down", Effort.COOLDOWN),
        ("00 0d", "manual mode", None),
        ("00 0f", "post-workout", None),
        ("00 10", None, None),
    ],
)
def test_a_training_status_is_one_of_our_efforts_where_it_says_how_hard_to_row(payload, name, effort):
    assert training(payload)[1:3] == (name, effort)


def test_a_training_status_may_carry_a_text():
    read = decode_training_status(b"\x01\x04" + "Härter!\0".encode())
    assert (read.effort, read.text, read.text_goes_on) == ("hard", "Härter!", False)


def test_a_text_that_goes_on_says_so():
    assert decode_training_status(b"\x03\x04Row as hard as you ").text_goes_on


def test_a_text_that_is_not_utf_8_or_cut_in_a_letter_is_read():
    assert decode_training_status(b"\x01\x04H\xc3").text == "H\N{REPLACEMENT CHARACTER}"


def test_octets_without_the_texts_flag_are_no_text():
    assert training("00 04 48 69") == TrainingStatus(4, "high intensity interval", "hard", extra=b"Hi")


@pytest.mark.parametrize(("payload", "missing"), [("", ("flags", "code")), ("01", ("code",))])
def test_a_training_status_cut_short_names_what_it_lacks(payload, missing):
    assert training(payload) == TrainingStatus(missing=missing)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_training_status(payload):
    read = decode_training_status(payload)
    assert (read.code is None) == bool(read.missing) == (len(payload) < 2)
    assert read.text is None or not read.extra
