"""The PM5's own services: bytes in, values out.

The frames are a real 100 m piece, recorded through ErgometerJS (tijmenvangulik/ErgometerJS@a2dce1f,
`demos/recording/typescript/recordings/row100meter.ts`; PM5, firmware 8200-000320-020.000, hardware 340, 2016-03-06).
"""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync import concept2
from rowsync.concept2 import (
    INFORMATION,
    LAYOUTS,
    LIVE,
    MULTIPLEXED,
    MULTIPLEXED_LAYOUTS,
    SUBSCRIBED,
    Concept2Data,
    Information,
    decode_concept2,
    decode_information,
    encode_concept2,
    reading_of,
    remarks,
)
from rowsync.reading import Reading

LAST_STATUS = bytes.fromhex("c40900 e80300 03 01 0a 00 01 000000 640000 80 60")
LAST_ADDITIONAL_STATUS = bytes.fromhex("c40900 f50f 17 ff 0130 da30 0000 000000")
LAST_ADDITIONAL_STATUS_2 = bytes.fromhex("c40900 01 b300 0600 da30 b300 0600 c90900 000000")
FIRST_STROKE = bytes.fromhex("530000 1d0000 67 44 0000 e900 b506 8c04 ffff 0100")
THIRD_STROKE = bytes.fromhex("6a0200 ea0000 79 3b bb00 1604 0007 8004 e011 0300")
THIRD_STROKE_AGAIN = bytes.fromhex("330300 390100 79 3b be00 1604 0007 8004 e011 0300")
SPLIT = bytes.fromhex("c40900 e80300 fa0000 640000 0000 0000 01 01")
ADDITIONAL_SPLIT = bytes.fromhex("c40900 18 00 00 e204 0600 9403 a00f b300 62 01")
SUMMARY = bytes.fromhex("6320 240b c40900 e80300 18 00 00 00 00 00 00 03 e204")
ADDITIONAL_SUMMARY = bytes.fromhex("6320 240b 01 6400 01 0600 b300 000000 0000 9403")

STROKE_POWERS = (
    ("5300006d00a30201001d0000000000", 109),
    ("6001008e00140302001b0000000000", 142),
    ("6a0200ad007f030300190000000000", 173),
    ("760300b700a1030400190000000000", 183),
    ("8f0500c500d1030600180000000000", 197),
    ("c20900bf00bd030a00190000000000", 191),
)


def test_the_general_status_at_the_end_of_a_real_piece():
    assert decode_concept2("ce060031", LAST_STATUS).values == {
        "elapsed_s": 25.0,
        "distance_m": 100.0,
        "workout_type": 3,
        "interval_type": 1,
        "workout_state": 10,
        "rowing_state": 0,
        "stroke_state": 1,
        "total_work_distance_m": 0,
        "workout_duration": 100,
        "workout_duration_type": 0x80,
        "drag_factor": 96,
    }


def test_the_additional_status_of_old_firmware_ends_before_the_type_of_erg_and_misses_nothing():
    data = decode_concept2("ce060032", LAST_ADDITIONAL_STATUS)
    assert data == Concept2Data(
        "ce060032",
        {
            "elapsed_s": 25.0,
            "speed_m_per_s": 4.085,
            "stroke_rate_spm": 23,
            "heart_rate_bpm": None,
            "pace_s_per_500m": 122.89,
            "average_pace_s_per_500m": 125.06,
            "rest_distance_m": 0,
            "rest_time_s": 0.0,
        },
    )


def test_the_additional_status_of_new_firmware_tells_the_type_of_erg():
    data = decode_concept2("ce060032", LAST_ADDITIONAL_STATUS + b"\x05")
    assert data.values["erg_machine_type"] == 5
    assert data.extra == b""


def test_the_second_additional_status_counts_the_split_in_kcal_and_its_time_in_hundredths():
    data = decode_concept2("ce060033", LAST_ADDITIONAL_STATUS_2)
    assert data.values == {
        "elapsed_s": 25.0,
        "interval_count": 1,
        "average_power_w": 179,
        "energy_kcal": 6,
        "split_pace_s_per_500m": 125.06,
        "split_power_w": 179,
        "split_energy_kcal": 6,
        "last_split_time_s": 25.05,
        "last_split_distance_m": 0,
    }


def test_the_forces_of_a_stroke_come_in_pounds_and_are_read_in_newtons():
    assert decode_concept2("ce060035", THIRD_STROKE).values == {
        "elapsed_s": 6.18,
        "distance_m": 23.4,
        "drive_length_m": 1.21,
        "drive_time_s": 0.59,
        "recovery_time_s": 1.87,
        "stroke_distance_m": 10.46,
        "peak_force_n": pytest.approx(179.2 * 4.44822, abs=0.01),
        "average_force_n": pytest.approx(115.2 * 4.44822, abs=0.01),
        "work_per_stroke_j": 457.6,
        "stroke_count": 3,
    }


def test_the_work_of_the_first_stroke_is_not_known():
    assert decode_concept2("ce060035", FIRST_STROKE).values["work_per_stroke_j"] is None


def test_a_stroke_comes_twice_with_the_same_count_and_a_recovery_that_has_ended_since():
    drive, recovery = (decode_concept2("ce060035", each).values for each in (THIRD_STROKE, THIRD_STROKE_AGAIN))
    assert drive["stroke_count"] == recovery["stroke_count"] == 3
    assert (drive["recovery_time_s"], recovery["recovery_time_s"]) == (1.87, 1.90)


@pytest.mark.parametrize(("payload", "power_w"), STROKE_POWERS)
def test_the_energy_per_hour_of_a_stroke_is_what_the_maker_s_formula_says(payload, power_w):
    values = decode_concept2("ce060036", bytes.fromhex(payload)).values
    assert values["power_w"] == power_w
    assert values["energy_per_hour_kcal"] == pytest.approx(3.4416 * power_w + 300, abs=2)  # half a watt is 1.7 kcal/h


def test_a_split_and_what_follows_it():
    assert decode_concept2("ce060037", SPLIT).values == {
        "elapsed_s": 25.0,
        "distance_m": 100.0,
        "split_time_s": 25.0,
        "split_distance_m": 100,
        "split_rest_time_s": 0,
        "split_rest_distance_m": 0,
        "split_type": 1,
        "split_number": 1,
    }
    data = decode_concept2("ce060038", ADDITIONAL_SPLIT)
    assert data.missing == ()
    assert data.values == {
        "elapsed_s": 25.0,
        "split_stroke_rate_spm": 24,
        "split_heart_rate_bpm": None,
        "split_rest_heart_rate_bpm": None,
        "split_pace_s_per_500m": 125.0,
        "split_energy_kcal": 6,
        "split_energy_per_hour_kcal": 916,
        "split_speed_m_per_s": 4.0,
        "split_power_w": 179,
        "split_drag_factor": 98,
        "split_number": 1,
    }


def test_the_summary_of_a_workout():
    assert decode_concept2("ce060039", SUMMARY).values == {
        "log_date": 0x2063,
        "log_time": 0x0B24,
        "elapsed_s": 25.0,
        "distance_m": 100.0,
        "average_stroke_rate_spm": 24,
        "end_heart_rate_bpm": None,
        "average_heart_rate_bpm": None,
        "lowest_heart_rate_bpm": None,
        "highest_heart_rate_bpm": None,
        "average_drag_factor": None,
        "recovery_heart_rate_bpm": None,
        "workout_type": 3,
        "average_pace_s_per_500m": 125.0,
    }
    assert decode_concept2("ce06003a", ADDITIONAL_SUMMARY).values == {
        "log_date": 0x2063,
        "log_time": 0x0B24,
        "split_type": 1,
        "split_size": 100,
        "split_count": 1,
        "energy_kcal": 6,
        "average_power_w": 179,
        "rest_distance_m": 0,
        "rest_time_s": 0,
        "energy_per_hour_kcal": 916,
    }


def test_a_rest_counts_down_in_hundredths_while_there_is_no_pace():
    payload = bytes.fromhex("c40900 0000 00 78 ffff ffff 1200 dc0500 05")  # as the maker's table says; not recorded
    values = decode_concept2("ce060032", payload).values
    assert (values["rest_time_s"], values["rest_distance_m"], values["heart_rate_bpm"]) == (15.0, 18, 120)
    assert (values["pace_s_per_500m"], values["average_pace_s_per_500m"]) == (None, None)


def test_a_split_without_a_drag_factor_has_none():
    assert decode_concept2("ce060038", bytes(18)).values["split_drag_factor"] is None


# --- multiplexed ------------------------------------------------------------------------------------------------------


def test_a_multiplexed_status_says_the_same_and_speaks_for_the_same_characteristic():
    assert decode_concept2(MULTIPLEXED, b"\x31" + LAST_STATUS) == decode_concept2("ce060031", LAST_STATUS)


def test_multiplexed_the_average_power_moves_from_the_second_additional_status_to_the_first():
    first = decode_concept2(MULTIPLEXED, b"\x32" + LAST_ADDITIONAL_STATUS + bytes.fromhex("b300 05"))
    second = decode_concept2(MULTIPLEXED, b"\x33" + LAST_ADDITIONAL_STATUS_2[:4] + LAST_ADDITIONAL_STATUS_2[6:])
    assert (first.values["average_power_w"], first.values["erg_machine_type"]) == (179, 5)
    assert "average_power_w" not in second.values
    assert (second.values["energy_kcal"], second.values["last_split_time_s"]) == (6, 25.05)


def test_multiplexed_the_work_moves_from_the_stroke_to_what_follows_it():
    stroke = decode_concept2(MULTIPLEXED, b"\x35" + THIRD_STROKE[:16] + THIRD_STROKE[18:])
    additional = decode_concept2(MULTIPLEXED, b"\x36" + bytes.fromhex(STROKE_POWERS[2][0]) + THIRD_STROKE[16:18])
    assert "work_per_stroke_j" not in stroke.values
    assert (stroke.values["stroke_count"], stroke.values["peak_force_n"]) == (3, pytest.approx(797.12, abs=0.01))
    assert (additional.values["stroke_count"], additional.values["work_per_stroke_j"]) == (3, 457.6)


@pytest.mark.parametrize("characteristic", LAYOUTS)
def test_a_multiplexed_frame_is_never_longer_than_twenty_octets(characteristic):
    with_newer = dict.fromkeys((field.name for field in MULTIPLEXED_LAYOUTS[characteristic]), None)
    assert len(encode_concept2(characteristic, with_newer, multiplexed=True)) <= 20


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x3d\x19\x01\x00\x00", b"\x80\x31"])
def test_a_multiplexed_frame_of_another_kind_is_kept_whole(payload):
    assert decode_concept2(MULTIPLEXED, payload) == Concept2Data(MULTIPLEXED, {}, extra=payload)


# --- what is cut short, what is too long, what is unknown -------------------------------------------------------------


def test_a_frame_cut_short_is_read_as_far_as_it_goes_and_names_the_rest():
    data = decode_concept2("ce060033", LAST_ADDITIONAL_STATUS_2[:15])
    assert data.values["split_energy_kcal"] == 6
    assert data.missing == ("last_split_time_s", "last_split_distance_m")
    assert data.extra == b"\xc9"


def test_an_additional_status_cut_before_its_rest_does_not_miss_the_type_of_erg():
    assert decode_concept2("ce060032", LAST_ADDITIONAL_STATUS[:11]).missing == ("rest_distance_m", "rest_time_s")


def test_octets_after_the_last_field_are_kept():
    assert decode_concept2("ce060031", LAST_STATUS + b"\x01\x02").extra == b"\x01\x02"


def test_another_characteristic_is_kept_whole():
    assert decode_concept2("ce06003d", b"\x19\x01") == Concept2Data("ce06003d", {}, extra=b"\x19\x01")


@given(st.sampled_from([*LAYOUTS, MULTIPLEXED, "ce06003d", "2ad1"]), st.binary(max_size=40))
def test_any_bytes_of_any_characteristic_are_read(characteristic, payload):
    data = decode_concept2(characteristic, payload)
    assert payload.endswith(data.extra)
    assert set(data.values).isdisjoint(data.missing)
    assert reading_of(data).missing == data.missing
    assert all(isinstance(each, str) for each in remarks(characteristic, payload))


@given(st.sampled_from(list(LAYOUTS)), st.binary(max_size=20))
def test_any_bytes_behind_any_id_are_read(characteristic, body):
    data = decode_concept2(MULTIPLEXED, bytes([int(characteristic[-2:], 16)]) + body)
    assert data.characteristic == characteristic
    assert list(data.values) == [field.name for field in MULTIPLEXED_LAYOUTS[characteristic]][: len(data.values)]


def test_the_remarks_say_what_is_odd_about_a_payload():
    assert remarks("ce060031", LAST_STATUS) == []
    assert "than the 3 octets" in " ".join(remarks("ce060031", LAST_STATUS[:3]))
    assert "ignored" in " ".join(remarks("ce060031", LAST_STATUS + b"\0"))
    assert "ce060031" in " ".join(remarks(MULTIPLEXED, b"\x31" + LAST_STATUS))
    assert "doesn't know" in " ".join(remarks("ce06003d", b"\0"))
    assert "SkiErg" in " ".join(remarks("ce060032", LAST_ADDITIONAL_STATUS + bytes([128])))
    assert remarks("ce060032", LAST_ADDITIONAL_STATUS + bytes([224])) == []  # a rower in a workout over several ergs


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("multiplexed", [False, True])
@pytest.mark.parametrize("characteristic", LAYOUTS)
@given(data=st.data())
def test_what_is_written_is_read_back(characteristic, multiplexed, data):
    layout = (MULTIPLEXED_LAYOUTS if multiplexed else LAYOUTS)[characteristic]
    length = sum(field.size for field in layout) - data.draw(st.booleans()) * layout[-1].newer
    body = data.draw(st.binary(min_size=length, max_size=length))
    payload = bytes([int(characteristic[-2:], 16)]) + body if multiplexed else body
    read = decode_concept2(MULTIPLEXED if multiplexed else characteristic, payload)
    assert (read.missing, read.extra) == ((), b"")
    assert encode_concept2(characteristic, read.values, multiplexed=multiplexed) == payload


def test_what_is_not_given_is_written_as_not_available():
    values = decode_concept2("ce060032", encode_concept2("ce060032", {"stroke_rate_spm": 24.0})).values
    assert (values["stroke_rate_spm"], values["heart_rate_bpm"], values["pace_s_per_500m"]) == (24, None, None)
    assert "erg_machine_type" not in values


def test_one_state_of_the_row_serves_every_frame():
    row = {"elapsed_s": 25.0, "distance_m": 100.0, "stroke_count": 10, "power_w": 191, "average_power_w": 179}
    frames = {each: decode_concept2(each, encode_concept2(each, row)).values for each in LIVE}
    assert frames["ce060031"]["distance_m"] == frames["ce060035"]["distance_m"] == 100.0
    assert (frames["ce060036"]["power_w"], frames["ce060033"]["average_power_w"]) == (191, 179)


def test_a_value_that_does_not_fit_its_field_is_refused():
    with pytest.raises(OverflowError):
        encode_concept2("ce060032", {"stroke_rate_spm": 256})


def test_a_characteristic_without_a_layout_is_not_written():
    with pytest.raises(KeyError):
        encode_concept2("ce060034", {})


# --- readings ---------------------------------------------------------------------------------------------------------


def _reading(characteristic, payload):
    return reading_of(decode_concept2(characteristic, payload))


def test_a_status_reads_as_time_distance_drag_and_whether_somebody_rows():
    assert _reading("ce060031", LAST_STATUS) == Reading(
        elapsed_s=25.0, distance_m=100.0, drag_factor=96, is_rowing=False
    )


def test_somebody_rows_while_the_rowing_state_says_so():
    assert _reading("ce060031", bytes.fromhex("4b000019000003010101030000006400008000")).is_rowing is True
    assert _reading("ce060031", LAST_STATUS[:9]).is_rowing is None


def test_no_heart_rate_and_no_drag_factor_are_read_as_not_measured():
    assert _reading("ce060032", LAST_ADDITIONAL_STATUS).heart_rate_bpm is None
    assert _reading("ce060031", bytes.fromhex("00000000000000010000000000000000008000")).drag_factor is None


def test_before_the_first_stroke_there_is_no_pace():
    assert _reading("ce060032", bytes.fromhex("000000000000ff000000000000000000")) == Reading(
        elapsed_s=0.0, stroke_rate_spm=0
    )


def test_the_second_additional_status_reads_as_mean_power_and_energy():
    reading = _reading("ce060033", LAST_ADDITIONAL_STATUS_2)
    assert reading == Reading(elapsed_s=25.0, average_power_w=179, energy_kcal=6)


def test_a_stroke_reads_as_times_length_forces_and_work():
    assert _reading("ce060035", THIRD_STROKE_AGAIN) == Reading(
        elapsed_s=8.19,
        distance_m=31.3,
        drive_time_s=0.59,
        recovery_time_s=1.9,
        drive_length_m=1.21,
        peak_force_n=pytest.approx(797.12, abs=0.01),
        average_force_n=pytest.approx(512.43, abs=0.01),
        work_per_stroke_j=457.6,
    )


def test_the_power_of_a_stroke_comes_with_its_count():
    assert _reading("ce060036", bytes.fromhex(STROKE_POWERS[2][0])) == Reading(
        elapsed_s=6.18, stroke_count=3, power_w=173, energy_per_hour_kcal=895
    )


def test_the_first_stroke_has_had_no_recovery_and_no_work_yet():
    reading = _reading("ce060035", FIRST_STROKE)
    assert (reading.stroke_count, reading.drive_time_s) == (None, 0.68)  # the count comes with the watts, in 0036
    assert (reading.recovery_time_s, reading.work_per_stroke_j) == (None, None)


def test_the_stroke_of_zeros_with_which_a_rest_ends_measures_no_stroke():
    assert _reading("ce060035", bytes(20)) == Reading(elapsed_s=0.0, distance_m=0.0)


@pytest.mark.parametrize(
    ("characteristic", "payload"),
    [
        ("ce060037", SPLIT),
        ("ce060038", ADDITIONAL_SPLIT),
        ("ce060039", SUMMARY),
        ("ce06003a", ADDITIONAL_SUMMARY),
        ("2ad1", LAST_STATUS),
    ],
)
def test_a_split_s_or_a_workout_s_figures_are_not_the_row_as_it_is(characteristic, payload):
    assert _reading(characteristic, payload) == Reading()


def test_a_frame_cut_short_is_a_reading_that_names_what_is_missing():
    assert _reading("ce060031", LAST_STATUS[:18]) == Reading(
        elapsed_s=25.0, distance_m=100.0, is_rowing=False, missing=("drag_factor",)
    )


def test_a_whole_real_piece_reads_as_its_monitor_showed_it(shared):
    latest, distances_m, strokes = {}, [], []
    for line in (shared / "captures" / "pm5_100m_session.jsonl").read_text().splitlines():
        event = json.loads(line)
        if not event["note"].startswith("notify") or event["char"] not in LAYOUTS:
            continue
        data = decode_concept2(event["char"], bytes.fromhex(event["hex"]))
        assert (data.missing, data.extra) == ((), b"")
        reading = reading_of(data)
        latest |= {name: value for name, value in reading._asdict().items() if value not in (None, ())}
        distances_m += [] if reading.distance_m is None else [reading.distance_m]
        strokes += [] if reading.power_w is None else [reading.stroke_count]
    assert (latest["elapsed_s"], latest["distance_m"], latest["stroke_count"]) == (25.0, 100.0, 10)
    assert (latest["energy_kcal"], latest["average_power_w"], latest["is_rowing"]) == (6, 179, False)
    assert distances_m == sorted(distances_m)
    assert strokes == list(range(1, 11))
    assert "heart_rate_bpm" not in latest


# --- what a PM5 says of itself ----------------------------------------------------------------------------------------


def test_what_a_real_monitor_says_of_itself():
    octets = {"ce060013": b"340", "ce060014": b"8200-000320-020.000", "ce060015": b"Concept2"}
    assert decode_information(octets) == Information(hardware="340", firmware="8200-000320-020.000", maker="Concept2")


def test_names_lose_their_padding_and_what_would_move_a_cursor():
    octets = {"ce060011": b"PM5" + bytes(13), "ce060012": b"43\x1b[2J0", "ce060015": b"\xff\xfe", "ce060016": b"\x05"}
    assert decode_information(octets) == Information("PM5", "43[2J0", maker="\ufffd\ufffd", erg_machine_type=5)


@given(st.dictionaries(st.sampled_from([*INFORMATION, "2a00"]), st.binary(max_size=40)))
def test_any_bytes_of_information_are_read(octets):
    decode_information(octets)


def test_every_information_characteristic_is_a_field():
    assert tuple(INFORMATION.values()) == Information._fields


# --- the tables -------------------------------------------------------------------------------------------------------


def test_the_layouts_are_as_long_as_the_maker_says():
    lengths = {characteristic: sum(field.size for field in layout) for characteristic, layout in LAYOUTS.items()}
    assert tuple(lengths.values()) == (19, 17, 20, 20, 15, 18, 19, 20, 19)
    multiplexed = tuple(sum(field.size for field in layout) for layout in MULTIPLEXED_LAYOUTS.values())
    assert multiplexed == (19, 19, 18, 18, 17, 18, 19, 18, 18)


def test_only_the_last_field_of_a_layout_may_be_newer():
    for layout in (*LAYOUTS.values(), *MULTIPLEXED_LAYOUTS.values()):
        assert not any(field.newer for field in layout[:-1])


def test_the_uuids_are_whole_with_their_base():
    assert UUID(concept2.ROWING_SERVICE + concept2.BASE) == UUID("CE060030-43E5-11E4-916C-0800200C9A66")
    assert all(each in LAYOUTS for each in SUBSCRIBED)
    assert LIVE == ("ce060031", "ce060032", "ce060033", "ce060035", "ce060036")
