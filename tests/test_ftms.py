"""Rower Data: bytes in, values out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync import ftms
from rowsync.ftms import MEASUREMENTS, ROWER_DATA_LAYOUT, RowerData, decode_rower_data, encode_rower_data


def test_a_notification_with_strokes_and_distance():
    payload = bytes.fromhex(
        "04 00"  # flags: total distance; bit 0 clear, so strokes too
        "3b"  # stroke rate 29.5 spm
        "0a 00"  # stroke count 10
        "d2 04 00"  # total distance 1234 m
    )
    assert decode_rower_data(payload) == RowerData(stroke_rate_spm=29.5, stroke_count=10, total_distance_m=1234)


def test_all_fourteen_flags_at_once():
    payload = bytes.fromhex(
        "fe 1f  30 64 00  2e  39 30 00  82 00  87 00  c8 00  be 00  05 00  64 00 58 02 0a  8c  5b  2c 01  84 03"
    )
    assert decode_rower_data(payload) == RowerData(
        more_data=False,
        stroke_rate_spm=24.0,
        stroke_count=100,
        average_stroke_rate_spm=23.0,
        total_distance_m=12345,
        instantaneous_pace_s_per_500m=130,
        average_pace_s_per_500m=135,
        instantaneous_power_w=200,
        average_power_w=190,
        resistance_level=5,
        total_energy_kcal=100,
        energy_per_hour_kcal=600,
        energy_per_minute_kcal=10,
        heart_rate_bpm=140,
        metabolic_equivalent_met=9.1,
        elapsed_time_s=300,
        remaining_time_s=900,
    )


def test_more_data_set_means_that_stroke_rate_and_count_are_absent():
    assert decode_rower_data(bytes.fromhex("05 00 d2 04 00")) == RowerData(more_data=True, total_distance_m=1234)


def test_a_pause_is_zero_power_not_missing_power():
    assert decode_rower_data(bytes.fromhex("21 00 00 00")).instantaneous_power_w == 0


def test_power_is_signed():
    assert decode_rower_data(bytes.fromhex("21 00 ff ff")).instantaneous_power_w == -1


def test_all_ones_in_the_energy_fields_is_not_available():
    data = decode_rower_data(bytes.fromhex("01 01 ff ff ff ff ff"))
    assert (data.total_energy_kcal, data.energy_per_hour_kcal, data.energy_per_minute_kcal) == (None, None, None)


def test_resistance_level_takes_two_octets_as_all_real_machines_send_it():
    assert decode_rower_data(bytes.fromhex("81 08 8c 00 54 00")) == RowerData(
        more_data=True, resistance_level=140, elapsed_time_s=84
    )


def test_resistance_level_is_one_octet_in_steps_of_ten_where_only_that_fits():
    payload = bytes.fromhex("81 08 0e 54 00")
    assert decode_rower_data(payload) == RowerData(more_data=True, resistance_level=140, elapsed_time_s=84)
    assert "one octet" in " ".join(ftms.remarks(payload))


def test_a_record_cut_short_is_read_as_far_as_it_goes_and_names_the_rest():
    payload = bytes.fromhex("3c 0b 30 02 00 0a 00 00 d1 00 5e 01 16 00 01 00 02 02 08 00")
    data = decode_rower_data(payload)
    assert (data.total_distance_m, data.instantaneous_power_w, data.heart_rate_bpm) == (10, 22, 0)
    assert data.missing == ("elapsed_time_s",)


def test_nothing_is_read_after_the_first_field_that_does_not_fit():
    data = decode_rower_data(bytes.fromhex("0c 00 30 02 00 0a 00"))
    assert data.missing == ("total_distance_m", "instantaneous_pace_s_per_500m")
    assert data.instantaneous_pace_s_per_500m is None


def test_reserved_flags_and_octets_after_the_last_field_are_kept_but_change_nothing():
    payload = bytes.fromhex("02 21 34 13 00 31 04 00 ff ff ff b8 01 00 00")
    data = decode_rower_data(payload)
    assert (data.stroke_count, data.average_stroke_rate_spm, data.total_energy_kcal) == (19, 24.5, 4)
    assert data.extra == bytes.fromhex("b8 01 00 00")
    assert len(ftms.remarks(payload)) == 2


@pytest.mark.parametrize("payload", [b"", b"\x2c"])
def test_a_payload_without_flags_says_so(payload):
    assert decode_rower_data(payload) == RowerData(missing=("flags",), extra=payload)


@given(st.binary(max_size=64))
def test_the_compiled_reader_means_what_the_table_says_for_any_bytes(payload):
    assert decode_rower_data(payload) == ftms.read_by_table(payload)


@given(st.integers(0, 0xFFFF), st.binary(max_size=40))
def test_what_a_payload_says_of_the_row_is_the_same_in_one_step_and_in_two(flags, body):
    payload = (flags.to_bytes(2, "little") + body)[: 2 + len(body) - flags % 3]
    assert repr(ftms.read_rower_data(payload)) == repr(ftms.reading_of(ftms.read_by_table(payload)))


@given(st.integers(0, 0xFFFF), st.binary(max_size=40))
def test_any_flags_before_any_bytes_are_read(flags, body):
    payload = flags.to_bytes(2, "little") + body
    assert decode_rower_data(payload) == ftms.read_by_table(payload)
    assert set(ftms.present_fields(payload)).isdisjoint(decode_rower_data(payload).missing)


def test_hostile_flags_never_fill_the_memory_with_compiled_readers():
    for flags in range(0, 1 << 13, 3):
        decode_rower_data(flags.to_bytes(2, "little") + bytes(30))
        ftms.read_rower_data(flags.to_bytes(2, "little") + bytes(30))
    assert len(ftms._DECODERS.by_shape) <= 256
    assert len(ftms._READERS.by_shape) <= 256


def _values(field):
    most = (1 << (8 * field.size - field.signed)) - 1
    raw = st.integers(-most - 1 if field.signed else 0, most).filter(lambda value: value != field.not_available)
    return raw.map(lambda value: value if field.per_unit == 1 else value / field.per_unit)


@st.composite
def rower_data(draw):
    values = {field.name: draw(st.none() | _values(field)) for field in ROWER_DATA_LAYOUT}
    more_data = draw(st.booleans())
    for name in ("stroke_rate_spm", "stroke_count"):
        values[name] = None if more_data else values[name] or 0
    return RowerData(more_data=more_data, **values)


@given(rower_data())
def test_what_is_written_is_read_back(data):
    assert decode_rower_data(encode_rower_data(data)) == data


def test_a_value_that_does_not_fit_its_field_is_refused():
    with pytest.raises(OverflowError):
        encode_rower_data(RowerData(stroke_count=65536))


def test_the_measurements_are_sixteen_and_named_as_the_layout_names_them():
    assert len(MEASUREMENTS) == 16
    assert RowerData._fields == ("more_data", *MEASUREMENTS, "missing", "extra")
