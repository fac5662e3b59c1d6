"""FIT, read back by two decoders that know nothing of rowsync: Garmin's own, and fitdecode with its checksums."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from math import ceil

import fitdecode
import pytest
from fit_tool import ConformanceLevel, FitFile, ProfileScope, validate_fit_file
from garmin_fit_sdk import Decoder, Stream
from hypothesis import HealthCheck, given, settings

from rowsync.errors import UsageError
from rowsync.exports import session_bytes
from rowsync.exports.fit import fit_bytes
from tests.pictures import HOSTILE, RECORDINGS, STROKES_ONLY, named, picture, pictures, shifted

ALL = [*RECORDINGS, STROKES_ONLY]


def by_garmin(content):
    """Messages by their names, read by Garmin's SDK; anything wrong with the file is an error."""
    assert Decoder(Stream.from_byte_array(bytearray(content))).check_integrity()
    messages, errors = Decoder(Stream.from_byte_array(bytearray(content))).read()
    assert errors == []
    return {name.removesuffix("_mesgs"): found for name, found in messages.items()}


def by_fitdecode(content):
    """The same by fitdecode."""
    messages = {}
    strict = {"check_crc": fitdecode.CrcCheck.RAISE, "error_handling": fitdecode.ErrorHandling.RAISE}
    with fitdecode.FitReader(io.BytesIO(content), **strict) as reader:
        for frame in reader:
            if isinstance(frame, fitdecode.FitDataMessage):
                values = {field.name: field.value for field in frame.fields if field.value is not None}
                messages.setdefault(frame.name, []).append(values)
    return messages


@cache
def fit_of(name):
    """A recorded session as FIT."""
    return fit_bytes(picture(name))


@cache
def messages_of(name, read):
    """The messages of a recorded session."""
    return read(fit_of(name))


READERS = [by_garmin, by_fitdecode]
of_all = pytest.mark.parametrize("name", ALL)
by_both = pytest.mark.parametrize("read", READERS)


def findings(content):
    """What fit-tool's validator objects to, asked as strictly as it can."""
    levels = [ConformanceLevel.WIRE, ConformanceLevel.PROFILE, ConformanceLevel.FILE_TYPE]
    return validate_fit_file(FitFile.from_bytes(content), levels, profile_scope=ProfileScope.FULL).findings


def close(value, expected):
    """Equal within one unit; or neither was measured."""
    return value is expected is None or abs(value - expected) <= 1


@by_both
@of_all
def test_the_totals_of_a_session_are_those_of_its_summary(name, read):
    summary = picture(name).summary
    (session,) = messages_of(name, read)["session"]
    assert (session["sport"], session["sub_sport"]) == ("rowing", "indoor_rowing")
    assert session["total_strokes"] == summary["stroke_count"]
    assert session["num_laps"] == len(summary["intervals"])
    for field, value in {
        "total_elapsed_time": summary["duration_s"],
        "total_timer_time": summary["duration_s"],
        "total_moving_time": summary["moving_s"],
        "total_distance": summary["distance_m"],
        "total_calories": summary["energy"]["gross_kcal"],
        "avg_power": summary["mean_power_w"],
        "avg_cadence": summary["mean_stroke_rate_spm"],
        "avg_heart_rate": summary["mean_heart_rate_bpm"],
    }.items():
        assert close(session.get(field), value), field


@of_all
def test_work_is_mean_power_times_the_time_that_strokes_own(name):
    summary = picture(name).summary
    (session,) = messages_of(name, by_garmin)["session"]
    if summary["mean_power_w"] is None:
        assert "total_work" not in session
    else:
        assert session["total_work"] == pytest.approx(summary["mean_power_w"] * summary["moving_s"], rel=0.02)


@by_both
@of_all
def test_an_interval_is_a_lap_with_its_intensity(name, read):
    intervals = picture(name).summary["intervals"]
    laps = messages_of(name, read)["lap"]
    effort = {"hard": "active", "steady": "active", "easy": "rest"}
    assert [lap["intensity"] for lap in laps] == [effort.get(i["effort"], i["effort"]) for i in intervals]
    for lap, interval in zip(laps, intervals, strict=True):
        assert close(lap["total_elapsed_time"], interval["duration_s"])
        assert close(lap.get("total_distance"), interval["distance_m"])
        assert close(lap["total_strokes"], interval["stroke_count"])
        assert close(lap.get("avg_power"), interval["mean_power_w"])
        assert close(lap["total_calories"], interval["gross_kcal"])


@by_both
@of_all
def test_laps_follow_one_another_and_fill_the_session(name, read):
    messages = messages_of(name, read)
    (session,), laps = messages["session"], messages["lap"]
    assert laps[0]["start_time"] == session["start_time"]
    assert [lap["timestamp"] for lap in laps[:-1]] == [lap["start_time"] for lap in laps[1:]]
    assert laps[-1]["timestamp"] == session["timestamp"]
    assert sum(lap["total_strokes"] for lap in laps) == session["total_strokes"]
    assert close(sum(lap["total_elapsed_time"] for lap in laps), session["total_elapsed_time"])


@by_both
@of_all
def test_a_record_a_second_says_what_the_sample_says(name, read):
    seen = picture(name)
    records = messages_of(name, read)["record"]
    seconds = list(seen.seconds())
    start = seen.began.replace(microsecond=0)
    assert [record["timestamp"] for record in records] == [start + timedelta(seconds=s.time_s) for s in seconds]
    for record, (_, sample) in zip(records, seconds, strict=True):
        assert record["total_cycles"] == sample.stroke_count
        assert close(record.get("distance"), sample.distance_m)
        assert close(record.get("power"), sample.power_w)
        assert close(record.get("heart_rate"), sample.heart_rate_bpm)
        cadence = record["cadence"] + record["fractional_cadence"]
        assert cadence == pytest.approx(sample.stroke_rate_spm, abs=0.01)
        if sample.pace_s_per_500m:
            assert record["enhanced_speed"] == pytest.approx(500 / sample.pace_s_per_500m, abs=0.001)


def test_every_stroke_is_counted_in_the_second_that_it_ended_in():
    seen = picture("intervals-10x45-75")
    records = messages_of("intervals-10x45-75", by_garmin)["record"]
    counted = {int((record["timestamp"] - seen.began).total_seconds()): record["total_cycles"] for record in records}
    assert [counted[ceil(stroke.end_s)] >= stroke.number for stroke in seen.strokes] == [True] * 647
    assert [counted[ceil(stroke.end_s) - 1] < stroke.number for stroke in seen.strokes] == [True] * 647


def test_a_gap_has_no_records():
    seen = picture("dropout-10x45-75")
    seconds = [
        (record["timestamp"] - seen.began.replace(microsecond=0)).total_seconds()
        for record in messages_of("dropout-10x45-75", by_garmin)["record"]
    ]
    gaps = [gap for gap in seen.summary["gaps"] if gap["end_s"] - gap["start_s"] > 3]
    assert gaps
    for gap in gaps:
        assert not [second for second in seconds if gap["start_s"] + 1 < second < gap["end_s"]]


@by_both
def test_what_was_not_measured_is_not_there(read):
    messages = messages_of(STROKES_ONLY, read)
    for message in (*messages["record"], *messages["lap"], *messages["session"]):
        absent = ("power", "heart_rate", "distance", "avg_power", "max_power", "avg_heart_rate", "total_work")
        assert not {*absent, "max_heart_rate", "total_distance", "enhanced_speed"} & set(message)
    assert messages["session"][0]["total_strokes"] == 479


def test_a_stopped_rower_has_zero_power_and_speed_and_not_none():
    records = messages_of("stops-8x500m", by_garmin)["record"]
    stopped = [record for record in records if record["cadence"] == 0 and record["total_cycles"] > 0]
    assert stopped
    assert {(record["power"], record["enhanced_speed"]) for record in stopped} == {(0, 0.0)}


@pytest.mark.parametrize("name", ["stops-8x500m", STROKES_ONLY])
def test_fit_tools_own_validator_has_nothing_to_say(name):
    assert findings(fit_of(name)) == []


@by_both
def test_a_lap_says_what_ended_it(read):
    def triggers(seen, **changed):
        laps = read(fit_bytes(replace(seen, summary={**seen.summary, **changed})))["lap"]
        return [lap["lap_trigger"] for lap in laps]

    by_metres, by_clock = picture("stops-8x500m"), picture("intervals-10x45-75")
    hard = [interval["effort"] == "hard" for interval in by_metres.intervals[:-1]]
    assert triggers(by_metres, intervals_from="plan")[:-1] == ["distance" if each else "time" for each in hard]
    assert triggers(by_clock)[:-1] == ["time"] * 20
    assert triggers(by_clock, intervals_from="corrected")[:-1] == ["manual"] * 20
    assert triggers(by_clock)[-1] == "session_end"


def test_the_athletes_clock_is_beside_utc():
    berlin = timezone(timedelta(hours=1))
    began = datetime(2026, 11, 23, 17, 30, tzinfo=berlin)
    messages = by_garmin(fit_bytes(shifted(picture(STROKES_ONLY), began)))
    (activity,) = messages["activity"]
    assert messages["session"][0]["start_time"] == datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    fit_epoch = datetime(1989, 12, 31, tzinfo=UTC)
    local = fit_epoch + timedelta(seconds=activity["local_timestamp"])
    assert local == activity["timestamp"] + timedelta(hours=1)


@pytest.mark.parametrize("year", [1990, 1997, 2127, 2199])
def test_a_year_that_fit_does_not_know_is_refused_with_another_way(year):
    with pytest.raises(UsageError, match=f"{year}.*tcx"):
        fit_bytes(shifted(picture(STROKES_ONLY), datetime(year, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize("year", [1999, 2125])
def test_the_first_and_the_last_year_that_fit_knows(year):
    began = datetime(year, 12, 30, tzinfo=UTC)
    for read in READERS:
        assert read(fit_bytes(shifted(picture(STROKES_ONLY), began)))["session"][0]["start_time"] == began


def test_the_same_session_gives_the_same_bytes_and_another_another_serial_number():
    assert fit_bytes(picture("stops-8x500m")) == fit_of("stops-8x500m")
    numbers = {messages_of(name, by_garmin)["file_id"][0]["serial_number"] for name in RECORDINGS}
    assert len(numbers) == len(RECORDINGS)


@by_both
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_short_plain_text(text, read):
    content = fit_bytes(named(text))
    recorder, machine = read(content)["device_info"]
    assert recorder["product_name"] == "rowsync"
    assert machine["product_name"].isprintable() or "\ufffe" in machine["product_name"]
    assert len(machine["product_name"].encode()) <= 60
    assert findings(content) == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(pictures())
def test_any_bytes_of_a_machine_make_a_sound_file(seen):
    content = session_bytes("fit", seen)
    assert findings(content) == []
    garmin, other = by_garmin(content), by_fitdecode(content)
    assert {name: len(found) for name, found in garmin.items()} == {name: len(found) for name, found in other.items()}
    assert len(garmin.get("record", ())) == len(list(seen.seconds()))
    assert len(garmin.get("lap", ())) == len(seen.intervals)
