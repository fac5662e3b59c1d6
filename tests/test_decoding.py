"""One payload explained: the document of `rowsync decode`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.decoding import DESCRIBED, describe


def described(characteristic, payload):
    return describe(characteristic, bytes.fromhex(payload))


@pytest.mark.parametrize(
    ("characteristic", "payload", "fields"),
    [
        ("2ad1", "05 00 d2 04 00", {"total_distance_m": 1234}),
        ("2a19", "64", {"battery_percent": 100}),
        ("2a28", "32 30 32 31 00", {"software": "2021"}),
        ("2a29", "43 6f 6e 63 65 70 74 32", {"maker": "Concept2"}),
        ("2a24", "", {"model": None}),
        ("2a25", "31", {"serial": "1"}),
        ("2a26", "32", {"firmware": "2"}),
        ("2a27", "33", {"hardware": "3"}),
        (
            "2ad6",
            "0a 00 96 00 0a 00",
            {"least_resistance_level": 1.0, "most_resistance_level": 15.0, "step_resistance_level": 1.0},
        ),
        ("2ad7", "3c dc 01", {"least_heart_rate_bpm": 60, "most_heart_rate_bpm": 220, "step_heart_rate_bpm": 1}),
        ("2ad8", "00 00 e8 03 0a 00", {"least_power_w": 0, "most_power_w": 1000, "step_power_w": 10}),
        ("2ad9", "05 c8 00", {"op_code": "target_power", "power_w": 200}),
        ("2ad9", "80 07 01", {"response_to": "start_or_resume", "result": "success"}),
        ("2ada", "02 02", {"code": 2, "event": "paused", "stop_or_pause": "pause"}),
        ("2ad3", "01 04 48 69", {"code": 4, "name": "high intensity interval", "effort": "hard", "text": "Hi"}),
    ],
)
def test_each_characteristic_is_explained_by_its_fields(characteristic, payload, fields):
    document = described(characteristic, payload)
    assert document["fields"] == fields
    assert (document["missing"], document["extra_hex"], document["more_data"]) == (
        [],
        "",
        payload.startswith("05 00 d2"),
    )


def test_features_are_listed_in_the_order_of_their_bits():
    fields = described("2acc", "26 56 00 00 0c 00 00 00")["fields"]
    assert fields["machine"][:3] == ["cadence", "total_distance", "pace"]
    assert fields["targets"] == ["resistance", "power"]
    assert "total_distance_m" in fields["rower_fields"]


@pytest.mark.parametrize(
    ("characteristic", "payload", "note"),
    [
        ("2acc", "26 56", "fewer than 8 octets"),
        ("2a19", "65", "101 is no percentage"),
        ("2ad9", "80 07 04", "the machine refuses to start: perhaps it has started already"),
        ("2ad9", "33", "op code 0x33 is reserved"),
        ("2ada", "30", "status code 0x30 is reserved"),
        ("2ad3", "00 10", "status 0x10 is reserved"),
        ("2ad3", "03 04 48", "the text goes on"),
        ("2b00", "00", "doesn't decode this characteristic yet"),
    ],
)
def test_what_a_person_should_know_is_a_note(characteristic, payload, note):
    assert note in " ".join(described(characteristic, payload)["notes"])


@pytest.mark.parametrize(
    ("characteristic", "payload", "missing", "extra"),
    [
        ("2ad6", "0a 00 96", ["most_resistance_level", "step_resistance_level"], "96"),
        ("2ad9", "", ["op_code"], ""),
        ("2ad9", "80 07", ["result"], ""),
        ("2ad9", "80 13 01 24 03", [], "2403"),
        ("2ada", "0d d0 07", ["distance_m"], "d007"),
        ("2ada", "", ["code"], ""),
        ("2ad3", "00", ["code"], ""),
        ("2a19", "", ["battery_percent"], ""),
        ("2a19", "64 01", [], "01"),
    ],
)
def test_what_is_cut_off_is_named_and_what_follows_is_kept(characteristic, payload, missing, extra):
    document = described(characteristic, payload)
    assert (document["missing"], document["extra_hex"]) == (missing, extra)
    assert not set(document["fields"]) & set(missing)


@given(st.sampled_from([*DESCRIBED, "ffff"]), st.binary(max_size=300))
def test_any_bytes_of_any_characteristic_are_a_document_of_one_shape(characteristic, payload):
    document = describe(characteristic, payload)
    assert list(document) == ["characteristic", "fields", "more_data", "missing", "extra_hex", "notes"]
    assert json.loads(json.dumps(document)) == document
