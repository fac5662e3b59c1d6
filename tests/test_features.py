"""What a machine says it can do: bytes in, names out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.features import (
    KINDS,
    MACHINE_FEATURES,
    ROWER_FIELDS,
    TARGET_FEATURES,
    Advertised,
    Features,
    Range,
    decode_advertised,
    decode_features,
    decode_heart_rate_range,
    decode_power_range,
    decode_resistance_range,
)
from rowsync.ftms import MEASUREMENTS

WATERROWER = {"cadence", "total_distance", "pace", "expended_energy", "heart_rate", "elapsed_time", "power"}


# --- features ---------------------------------------------------------------------------------------------------------


def test_the_features_of_a_waterrower_without_targets():
    # What inonoob/pirowflo sends as a WaterRower ComModule does.
    assert decode_features(bytes.fromhex("26 56 00 00  00 00 00 00")) == Features(frozenset(WATERROWER))


def test_features_and_targets_are_two_words():
    # What the virtual rower of cagnulein/qdomyos-zwift sends.
    data = decode_features(bytes.fromhex("83 14 00 00  0c e0 00 00"))
    assert data.machine == {"average_speed", "cadence", "resistance_level", "heart_rate", "elapsed_time"}
    assert data.targets == {"resistance", "power", "bike_simulation", "wheel_circumference", "spin_down"}


def test_a_quarter_of_the_value_is_read_as_far_as_it_goes():
    # OpenRowingMonitor sends two octets.
    assert decode_features(bytes.fromhex("26 56")) == Features(frozenset(WATERROWER), missing=("machine", "targets"))


def test_a_machine_without_the_value_says_nothing():
    assert decode_features(b"") == Features(missing=("machine", "targets"))


def test_reserved_bits_and_octets_behind_change_nothing():
    data = decode_features(bytes.fromhex("00 00 fe ff  00 00 fe ff  aa bb"))
    assert data == Features(extra=bytes.fromhex("aa bb"))


def test_the_last_bit_of_each_word_has_a_name():
    data = decode_features(bytes.fromhex("00 00 01 00  00 00 01 00"))
    assert (data.machine, data.targets) == ({"user_data_retention"}, {"cadence"})


def test_a_rowers_features_tell_which_fields_it_may_send():
    assert decode_features(bytes.fromhex("22 40 00 00 00 00 00 00")).rower_fields == (
        "average_stroke_rate_spm",
        "instantaneous_pace_s_per_500m",
        "average_pace_s_per_500m",
        "instantaneous_power_w",
        "average_power_w",
    )


def test_every_field_but_the_strokes_belongs_to_one_feature():
    fields = [field for fields in ROWER_FIELDS.values() for field in fields]
    assert sorted(fields) == sorted(set(MEASUREMENTS) - {"stroke_rate_spm", "stroke_count"})
    assert set(ROWER_FIELDS) <= set(MACHINE_FEATURES)


@given(st.sets(st.integers(0, 16)), st.sets(st.integers(0, 16)))
def test_each_bit_is_its_name(machine, targets):
    words = (sum(1 << bit for bit in bits) for bits in (machine, targets))
    data = decode_features(b"".join(word.to_bytes(4, "little") for word in words))
    assert data.machine == {MACHINE_FEATURES[bit] for bit in machine}
    assert data.targets == {TARGET_FEATURES[bit] for bit in targets}


@given(st.binary(max_size=20))
def test_any_bytes_are_features(payload):
    data = decode_features(payload)
    assert payload[8:] == data.extra
    assert ("targets" in data.missing) == (len(payload) < 8)


# --- ranges -----------------------------------------------------------------------------------------------------------


def test_a_resistance_range_in_tenths():
    # What the virtual rower of cagnulein/qdomyos-zwift sends.
    assert decode_resistance_range(bytes.fromhex("0a 00  96 00  0a 00")) == Range(1.0, 15.0, 1.0)
    assert decode_resistance_range(bytes.fromhex("f6 ff  96 00  05 00")) == Range(-1.0, 15.0, 0.5)


def test_a_power_range_may_begin_below_nothing_and_its_step_never_does():
    assert decode_power_range(bytes.fromhex("ff ff  e8 03  ff ff")) == Range(-1, 1000, 65535)


def test_a_heart_rate_range_is_three_octets():
    assert decode_heart_rate_range(bytes.fromhex("3c dc 01 07")) == Range(60, 220, 1, extra=b"\x07")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("", Range(missing=("least", "most", "step"))),
        ("0a", Range(missing=("least", "most", "step"), extra=b"\x0a")),
        ("0a 00 96 00", Range(1.0, 15.0, missing=("step",))),
        ("0a 00 96 00 0a", Range(1.0, 15.0, missing=("step",), extra=b"\x0a")),
    ],
)
def test_a_range_cut_short_keeps_what_is_whole(payload, expected):
    assert decode_resistance_range(bytes.fromhex(payload)) == expected


@given(st.binary(max_size=12), st.sampled_from([decode_resistance_range, decode_power_range, decode_heart_rate_range]))
def test_any_bytes_are_a_range_and_none_is_lost(payload, decode):
    data = decode(payload)
    assert payload.endswith(data.extra)
    assert [data.least, data.most, data.step].count(None) == len(data.missing)
    assert data.step is None or data.step >= 0


# --- advertising ------------------------------------------------------------------------------------------------------


def test_a_rower_that_is_free():
    # What OpenRowingMonitor advertises.
    data = decode_advertised(bytes.fromhex("01 10 00"))
    assert data == Advertised(available=True, kinds=frozenset({"rower"}))
    assert data.is_rower is True


def test_a_bike_that_is_busy():
    data = decode_advertised(bytes.fromhex("00 20 00"))
    assert data == Advertised(available=False, kinds=frozenset({"indoor_bike"}))
    assert data.is_rower is False


@pytest.mark.parametrize("payload", ["01 00 10", "01 10"])
def test_a_type_that_is_reversed_or_an_octet_short_is_still_a_rower(payload):
    assert decode_advertised(bytes.fromhex(payload)).is_rower is True


def test_a_reserved_kind_behind_a_known_one_is_ignored():
    assert decode_advertised(bytes.fromhex("01 10 01")).kinds == {"rower"}


@pytest.mark.parametrize("payload", ["", "01", "01 00 00", "01 c0 40"])
def test_an_advertisement_may_not_say_what_the_machine_is(payload):
    assert decode_advertised(bytes.fromhex(payload)).is_rower is None


@given(st.binary(max_size=31))
def test_any_service_data_are_read(payload):
    data = decode_advertised(payload)
    assert data.kinds <= set(KINDS)
    assert (data.available is None) == (not payload)
