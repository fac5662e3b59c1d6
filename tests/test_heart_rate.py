"""Heart Rate Measurement: bytes in, values out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.heart_rate import HeartRateMeasurement, decode_heart_rate


def test_a_rate_in_one_octet_from_a_belt_that_lost_the_skin():
    assert decode_heart_rate(bytes.fromhex("04 54")) == HeartRateMeasurement(84, contact=False)


def test_a_rate_with_two_beats():
    payload = bytes.fromhex(
        "16"  # contact told, contact there, beats follow
        "73"  # 115 bpm
        "10 02 0d 02"  # 528 and 525 1024ths of a second
    )
    assert decode_heart_rate(payload) == HeartRateMeasurement(115, contact=True, beats_s=(0.515625, 0.5126953125))


def test_a_rate_in_two_octets_with_the_belts_own_energy():
    assert decode_heart_rate(bytes.fromhex("09 2c 01 64 00")) == HeartRateMeasurement(300, energy_expended_kj=100)


@pytest.mark.parametrize(
    ("payload", "missing"),
    [("", "flags"), ("00", "heart_rate_bpm"), ("01 2c", "heart_rate_bpm"), ("08 50 64", "energy_expended_kj")],
)
def test_what_is_cut_off_is_named(payload, missing):
    assert decode_heart_rate(bytes.fromhex(payload)).missing == (missing,)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_and_none_is_lost(payload):
    data = decode_heart_rate(payload)
    assert payload.endswith(data.extra)
    assert all(0 <= beat_s < 64 for beat_s in data.beats_s)
