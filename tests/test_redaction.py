"""A recording to give away: nothing in it tells of the person or of this one machine, and all else is as it was."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.athlete import Athlete
from rowsync.examination import examine
from rowsync.machines import QUIRKS, handling_of
from rowsync.recording import Recording, parse_recording, read_recording, recording_bytes
from rowsync.redaction import redact, redacted_name
from rowsync.session import Header, analyse
from rowsync.telemetry import Note, Notification
from tests.conftest import RECORDED

ADDRESS = "C4:DF:9A:11:22:33"
STRAP = "E1:00:00:AB:CD:EF"
SERIAL = "430123456"

HEADER = Header(
    session_id="20261123T161718Z-3f2a",
    started_at=datetime(2026, 11, 23, 16, 17, 18, tzinfo=UTC),
    source="/home/annabella/rows.csv",
    machine={"name": f"PM5 {SERIAL}", "address": ADDRESS, "serial": SERIAL, "maker": "Concept2", "shoe": "43"},
    athlete=Athlete("annabella", mass_kg=62.0, height_cm=171.0, age_years=35.0, sex="female"),
    plan="annabella's 20m",
)
ITEMS = (
    Note(0.0, "connected", {"service": "Fitness Machine Service", "address": ADDRESS}),
    Notification(0.0, "2a25", SERIAL.encode()),
    Notification(0.0, "ce060012", SERIAL.encode()),
    Notification(0.0, "2a29", b"Concept2 for Annabella"),
    Notification(0.0, "2a23", bytes.fromhex("332211feff9adfc4")),
    Notification(0.0, "2a00", f"PM5 {SERIAL}".encode()),
    Note(0.0, "handshake", {"step": "read 2a25", "outcome": f"Device {ADDRESS} is gone: dev_C4_DF_9A_11_22_33"}),
    Note(1.0, "strap connected", {"name": "Anna's HRM 0815", "address": STRAP}),
    Note(1.5, "annabella", {"of": "annabella"}),
    Notification(2.0, "2ad1", bytes.fromhex("2c 09 30 01 00 05 00 00 87 00 64 00 03 00 bc 02 ff 10 00")),
    Notification(2.1, "2a37", b"\x00\x90"),
    Notification(2.5, "2ad3", b"\x01\x0dgo annabella"),
    Notification(3.0, "2ad1", bytes.fromhex("01 00") + bytes.fromhex("332211 9adfc4")),
    Notification(3.5, "ce060039", bytes.fromhex("0d21 2411") + bytes(16)),
    Note(4.0, "lost", {"reason": f"{STRAP.lower()} took the radio"}),
    Note(5.0, "resumed", {"after_s": 1.0}),
    Note(6.0, "ended"),
)
RECORDING = Recording(HEADER, ITEMS)


def redacted(recording=RECORDING, **how):
    return redact(recording, "redacted-0", **how).recording


def written(recording=RECORDING, **how):
    shared = redacted(recording, **how)
    return recording_bytes(shared.header, shared.items).decode().lower()


def everything(text):
    """A recording's text, with all its packets as the texts they may be."""
    packets = [bytes.fromhex(found) for found in re.findall(r'"v":"([0-9a-f]*)"', text)]
    return text + " ".join(each.decode("utf-8", "replace").lower() for each in packets)


@pytest.mark.parametrize(
    "secret",
    [
        "annabella",
        SERIAL,
        ADDRESS,
        STRAP,
        "c4_df_9a",
        "hrm",
        "0815",
        "62.0",
        "171",
        "female",
        "shoe",
        "20261123",
        "16:17",
    ],
)
def test_nothing_tells_of_the_person_or_of_this_one_machine(secret):
    assert secret.lower() in everything(recording_bytes(HEADER, ITEMS).decode().lower())
    assert secret.lower() not in everything(written())


@pytest.mark.parametrize("octets", ["3322119adfc4", "332211", SERIAL.encode().hex()])
def test_nor_do_the_octets_of_its_packets(octets):
    assert octets in "".join(re.findall(r'"v":"([0-9a-f]*)"', recording_bytes(HEADER, ITEMS).decode()))
    assert octets not in "".join(re.findall(r'"v":"([0-9a-f]*)"', written()))
    assert "2a23" not in written()


def test_an_address_in_a_packet_is_blanked_in_either_order():
    for address in ("c4df9a112233", "332211" + "9adfc4"):
        packet = Notification(1.0, "2ad1", bytes.fromhex("0100" + address))
        assert address not in written(replace(RECORDING, items=(packet,)))


def test_the_time_of_day_in_a_concept2s_summary_is_blanked():
    (summary,) = (each for each in redacted().notifications if each.characteristic == "ce060039")
    assert summary.payload[:4].hex() == "0d210000"
    mux = Notification(1.0, "ce060080", bytes.fromhex("39 0d21 2411") + bytes(15))
    assert redacted(replace(RECORDING, items=(mux,))).notifications[0].payload[:5].hex() == "390d210000"


def test_what_the_machine_sent_of_the_row_stays_to_the_octet():
    recording = read_recording(RECORDED / "stops-8x500m.jsonl")
    recording = replace(recording, header=replace(recording.header, athlete=Athlete("annabella")))
    shared = redacted(recording)
    assert shared.notifications == recording.notifications
    assert examine(shared).findings == examine(recording).findings
    assert analyse(shared.header, shared.items).stroke_count == analyse(recording.header, recording.items).stroke_count


def test_it_is_a_recording_like_any_other():
    shared = redacted()
    assert parse_recording(recording_bytes(shared.header, shared.items)) == shared


def test_notes_keep_what_says_how_it_went():
    events = {note.event: note.details for note in redacted().notes}
    assert events["connected"] == {"service": "Fitness Machine Service"}
    assert events["resumed"] == {"after_s": 1.0}
    assert events["strap connected"] == {}
    assert events["handshake"]["step"] == "read 2a25"
    assert "annabella" not in events


def test_texts_keep_their_length():
    sent = {each.characteristic: each.payload for each in redacted().notifications}
    assert sent["2a25"] == b"0" * 9
    assert sent["2a29"] == b"Concept2 for 000000000"
    assert sent["2ad3"] == b"\x01\x0dgo 000000000"


def test_the_straps_heart_rates_go_when_they_shall():
    characteristics = [each.characteristic for each in redacted(heart_rate=False).notifications]
    assert "2a37" not in characteristics
    assert "2a37" in [each.characteristic for each in redacted().notifications]


def test_it_is_said_what_was_taken_out():
    told = " ".join(redact(RECORDING, "redacted-0", heart_rate=False).taken_out)
    assert "serial number" in told
    assert "what the heart-rate strap sent" in told
    assert "3 lines of kinds that rowsync doesn't read" in told


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("PM5 430123456", "PM5 000000000"),
        ("FS-1C2D3E", "FS-000000"),
        ("TC1234", "TC0000"),
        ("S4 COMMS 97", "S4 COMMS 00"),
        ("DFIT-L-R 9AFE", "DFIT-L-R 0000"),
    ],
)
def test_a_name_loses_its_serial_number_and_keeps_its_length(name, shared):
    assert redacted_name(name) == shared


@pytest.mark.parametrize("beginning", sorted({name for quirk in QUIRKS for name in quirk.names}))
def test_a_redacted_machine_is_handled_as_before(beginning):
    for name in (beginning.replace("#", "7"), beginning.replace("#", "7") + "1234", beginning.upper() + " 5AFE01"):
        assert handling_of(redacted_name(name)) == handling_of(name)


letters = st.text("ghijklmnopqrstuvwxyzé", min_size=4, max_size=10).map("zz{}".format)  # no word of the format
octets = st.binary(min_size=6, max_size=6)


@given(letters, octets, st.text("0123456789", min_size=6, max_size=12), st.data())
def test_no_name_address_or_serial_number_stays_wherever_it_stands(name, address, serial, data):
    written_address = data.draw(st.sampled_from([":", "-", "_"])).join(f"{each:02X}" for each in address)
    secrets = st.sampled_from([name, written_address, serial, f"x{name}{serial}"])
    texts = st.lists(secrets | st.text("abc ", max_size=5), max_size=4).map(" ".join)
    items = [
        Notification(0.0, "2a25", serial.encode()),
        *(
            Notification(
                1.0, data.draw(st.sampled_from(["2a24", "2ad3", "ce060014", "2ad1", "ffff"])), data.draw(texts).encode()
            )
            for _ in range(5)
        ),
        *(
            Note(
                2.0,
                data.draw(st.sampled_from(["lost", "handshake", "connected", "other"])),
                {key: data.draw(texts) for key in ("reason", "step", "outcome", "service", "name", "extra")},
            )
            for _ in range(5)
        ),
    ]
    machine = {
        "name": f"Rower {serial}",
        "address": written_address,
        "model": data.draw(texts),
        "more": data.draw(texts),
    }
    header = replace(HEADER, machine=machine, athlete=Athlete(name), source=data.draw(texts), plan=data.draw(texts))
    text = everything(written(Recording(header, tuple(items))))
    decoded = text + json.dumps(
        [json.loads(line[9:]) for line in written(Recording(header, tuple(items))).splitlines()], ensure_ascii=False
    )
    for secret in (name, written_address.lower(), serial):
        if set(secret) != {"0"}:
            assert secret not in decoded


values = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | st.lists(st.none())
)
keys = st.sampled_from(["name", "address", "serial", "reason", "step", "after_s", "maker"])


@given(st.dictionaries(keys, values), st.text(max_size=9), st.binary(max_size=30), st.dictionaries(keys, values))
def test_anything_is_redacted(machine, name, payload, details):
    header = replace(HEADER, machine=machine, athlete=Athlete(name))
    items = [Notification(0.0, each, payload) for each in ("2ad1", "2a25", "2a24", "ce060080", "2a37")]
    items += [Note(0.0, event, details) for event in ("lost", "resumed", "strap connected")]
    shared = redacted(Recording(header, tuple(items)))
    assert parse_recording(recording_bytes(shared.header, shared.items)).header.session_id == "redacted-0"
