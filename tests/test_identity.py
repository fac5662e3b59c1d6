"""Who a machine says it is: bytes in, words out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.identity import IDENTITY, LONGEST_TEXT, decode_battery_percent, decode_text


def test_the_software_revision_of_a_viking_pro_v():
    # Read from the machine: zpukr/ArduRower, issue 1.
    assert decode_text(bytes.fromhex("32 30 32 31 30 31 31 31 32 32 33 30")) == "202101112230"


@pytest.mark.parametrize("padding", [b"\0", b"\0\0\0\0", b"\r\n", b" \0", b"\x1b\x7f", "\x85".encode()])
def test_padding_at_the_end_is_dropped(padding):
    assert decode_text(b"PM5 430000000" + padding) == "PM5 430000000"


def test_what_stands_in_the_middle_stays():
    assert decode_text(b"Water Rower\tS4\0") == "Water Rower\tS4"


def test_a_text_of_nothing_but_padding_is_empty():
    assert decode_text(b"") == decode_text(b"\0\0  ") == ""


def test_what_is_not_utf_8_is_replaced_and_the_rest_is_read():
    assert decode_text(b"Vik\xffing") == "Vik\N{REPLACEMENT CHARACTER}ing"
    assert decode_text("Übungsgerät".encode()) == "Übungsgerät"


def test_a_text_without_end_is_cut():
    assert decode_text(b"a" * 100_000) == "a" * 248


@given(st.binary(max_size=600))
def test_any_bytes_are_a_text_that_ends_in_something_to_see(payload):
    text = decode_text(payload)
    assert len(text) <= LONGEST_TEXT
    assert text == text.rstrip("\0\r\n\t ")


@given(st.text(st.characters(exclude_categories=("C", "Z")), max_size=60))
def test_what_a_machine_stores_is_read_back(name):
    assert decode_text(name.encode()) == name


@pytest.mark.parametrize(("payload", "percent"), [("64", 100), ("00", 0), ("64 ff", 100), ("65", None), ("", None)])
def test_the_battery_is_a_percentage_or_not_known(payload, percent):
    assert decode_battery_percent(bytes.fromhex(payload)) == percent


def test_each_characteristic_names_one_thing():
    assert sorted(IDENTITY.values()) == ["firmware", "hardware", "maker", "model", "serial", "software"]
