"""CSV, rowingdata's CSV, JSON and GoldenCheetah's, read back; and what all formats share."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from rowsync.errors import UsageError
from rowsync.exports import FORMATS, session_bytes
from rowsync.strokes import Stroke
from rowsync.telemetry import LOST, RESUMED, Note, Sample
from tests.pictures import (
    HOSTILE,
    RECORDINGS,
    STROKES_ONLY,
    header_of,
    named,
    picture,
    picture_of,
    pictures,
    strokes_only,
)

of_all = pytest.mark.parametrize("name", [*RECORDINGS, STROKES_ONLY])
any_bytes = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def cells(form, seen):
    return list(csv.DictReader(io.StringIO(session_bytes(form, seen).decode(), newline="")))


# --- what exports see -------------------------------------------------------------------------------------------------


def test_a_silence_and_a_gap_have_no_seconds_and_the_time_before_and_after_has():
    first, last = strokes_only()[:30], strokes_only()[60:90]
    seen = picture_of(header_of(), [*first, Note(29.5, LOST, {}), Note(60.0, RESUMED, {}), *last])
    assert [gap["end_s"] for gap in seen.summary["gaps"]] == [60.0]
    assert [second for second, _ in seen.seconds()] == [*range(30), *range(60, 90)]


def test_a_second_has_the_latest_sample_until_then():
    seen = picture("intervals-10x45-75")
    for second, sample in seen.seconds():
        assert sample.time_s <= second
        assert not [each for each in seen.between(sample.time_s, second) if each.time_s > sample.time_s]


@of_all
def test_energy_grows_to_what_the_session_cost(name):
    seen = picture(name)
    grown = [seen.gross_kcal_at(second) for second, _ in seen.seconds()]
    assert grown == sorted(grown)
    assert grown[0] == 0
    assert seen.gross_kcal_at(seen.last_second_s) == pytest.approx(seen.summary["energy"]["gross_kcal"], abs=0.01)


@pytest.mark.parametrize("form", FORMATS)
def test_a_session_in_which_nobody_rowed_is_refused(form):
    with pytest.raises(UsageError, match="Nobody rowed"):
        session_bytes(form, picture_of(header_of(), []))


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_session_gives_the_same_bytes(form):
    seen = named("me")
    assert session_bytes(form, seen) == session_bytes(form, seen)


# --- CSV --------------------------------------------------------------------------------------------------------------


@of_all
def test_csv_has_a_row_a_sample_with_every_number_as_it_was(name):
    seen = picture(name)
    table = pd.read_csv(io.BytesIO(session_bytes("csv", seen)))
    assert len(table) == len(seen.samples)
    for column, expected in zip(Sample._fields, map(list, zip(*seen.samples, strict=True)), strict=True):
        if "str" in str(Sample.__annotations__[column]):
            assert [None if pd.isna(cell) else cell for cell in table[column]] == expected
        else:
            numbers = pd.Series(expected, dtype="float64")
            pd.testing.assert_series_equal(table[column].astype(float), numbers, atol=1e-6, check_names=False)


def test_csv_says_which_interval_a_sample_lies_in():
    seen = picture("intervals-10x45-75")
    rows = cells("csv", seen)
    assert [row["effort"] for row in rows if float(row["time_s"]) in (0.0, 310.0, 400.0)] == ["warmup", "hard", "easy"]
    assert {int(row["interval"]) for row in rows} == {interval["number"] for interval in seen.intervals}


def test_csv_dates_every_sample_in_utc():
    first, second = cells("csv", named("me"))[:2]
    assert (first["at"], second["at"]) == ("2026-11-23T16:30:00.400000Z", "2026-11-23T16:30:01.400000Z")


def test_csv_leaves_empty_what_was_not_measured_and_writes_zero_as_zero():
    row = cells("csv", named("me"))[0]
    assert (row["power_w"], row["distance_m"], row["heart_rate_bpm"]) == ("", "", "")
    assert row["stroke_count"] == "0"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("form", ["csv", "rowingdata"])
def test_no_cell_of_a_csv_is_a_formula_and_none_breaks_the_table(text, form):
    seen = named(text)
    rows = cells(form, seen)
    assert len(rows) == len(seen.samples if form == "csv" else seen.strokes)
    for cell in (cell for row in rows for cell in row.values()):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert not any(ord(character) < 0x20 for character in cell)
        assert len(cell) < 200


def test_a_formula_is_made_a_text_and_a_negative_number_stays_one():
    assert cells("csv", named("=1+1"))[0]["athlete"] == "'=1+1"
    seen = named("-2+3")
    changed = replace(seen, samples=[seen.samples[0]._replace(power_w=-5.0)])
    (row,) = cells("csv", changed)
    assert (row["power_w"], row["athlete"]) == ("-5", "'-2+3")


def names(kind):
    return list(kind._fields)


# --- rowingdata -------------------------------------------------------------------------------------------------------

MINIMUM = [
    "TimeStamp (sec)",
    " Horizontal (meters)",
    " Cadence (stokes/min)",
    " HRCur (bpm)",
    " Stroke500mPace (sec/500m)",
    " Power (watts)",
    " DriveLength (meters)",
    " StrokeDistance (meters)",
    " DriveTime (ms)",
    " StrokeRecoveryTime (ms)",
    " AverageDriveForce (lbs)",
    " PeakDriveForce (lbs)",
]
"""What rowingdata's standard asks of a file."""


@of_all
def test_rowingdata_gets_a_row_a_stroke_in_its_own_columns(name):
    seen = picture(name)
    table = pd.read_csv(io.BytesIO(session_bytes("rowingdata", seen)))
    strokes = [stroke for stroke in seen.strokes if stroke.seen]
    assert set(MINIMUM) <= set(table.columns)
    assert list(table[" ElapsedTime (sec)"]) == pytest.approx([stroke.end_s for stroke in strokes])
    assert list(table["TimeStamp (sec)"] - seen.began.timestamp()) == pytest.approx([s.end_s for s in strokes])
    if seen.summary["mean_power_w"] is not None:
        assert list(table[" Power (watts)"]) == pytest.approx([stroke.power_w for stroke in strokes])
        assert list(table[" StrokeDistance (meters)"]) == pytest.approx([s.distance_m for s in strokes], abs=1e-6)


def test_rowingdata_tells_work_from_rest_as_its_programs_do():
    seen = picture("intervals-10x45-75")
    table = pd.read_csv(io.BytesIO(session_bytes("rowingdata", seen)))
    assert [interval["effort"] for interval in seen.intervals] == ["warmup", *["hard", "easy"] * 9, "hard", "cooldown"]
    states = [list(dict.fromkeys(lap[" WorkoutState"])) for _, lap in table.groupby(" lapIdx")]
    assert states == [[4], *[[4, 3]] * 9, [4], [4]]


@of_all
def test_the_laps_of_rowingdata_add_up_as_its_programs_add_them(name):
    """Of a lap they take work from the lap before, and rest from the work of its own lap."""
    table = pd.read_csv(io.BytesIO(session_bytes("rowingdata", picture(name)))).fillna({" Horizontal (meters)": 0.0})
    metres, before_m = 0.0, 0.0
    for _, lap in table.groupby(" lapIdx"):
        rested = lap[lap[" WorkoutState"] == 3][" Horizontal (meters)"].max()
        worked = lap[lap[" WorkoutState"] != 3][" Horizontal (meters)"].max()
        assert worked >= before_m
        metres += worked - before_m + (rested - worked if rested == rested else 0.0)
        before_m = lap[" Horizontal (meters)"].max()
    assert metres == pytest.approx(table[" Horizontal (meters)"].max())


# --- JSON -------------------------------------------------------------------------------------------------------------


@of_all
def test_json_is_the_document_of_show_with_every_sample_and_stroke(name):
    seen = picture(name)
    document = json.loads(session_bytes("json", seen))
    series = document.pop("series")
    assert document == json.loads(json.dumps(seen.summary))
    for kind, values in ((Sample, seen.samples), (Stroke, seen.strokes)):
        columns = series["samples" if kind is Sample else "strokes"]
        assert list(columns) == names(kind)
        for column in names(kind):
            expected = [getattr(value, column) for value in values]
            assert columns[column] == [round(each, 6) if isinstance(each, float) else each for each in expected]


# --- GoldenCheetah ----------------------------------------------------------------------------------------------------

KEYS = ["RIDE", "STARTTIME", "RECINTSECS", "DEVICETYPE", "IDENTIFIER", "TAGS", "INTERVALS", "NAME", "START", "STOP"]
KEYS += ["SAMPLES", "SECS", "KM", "WATTS", "CAD", "KPH", "HR", "ALT", "LAT", "LON", "NM", "VALUE", "VALUES"]
TOKEN = re.compile(
    "|".join(
        [
            '(?P<key>"(?:' + "|".join(KEYS) + ')")',
            r"(?P<number>[-+]?[0-9]+\.[-+e0-9]*|[-+]?[0-9]+e-[0-9]+|[-+]?[0-9]+)",
            r'(?P<string>"(?:\\.|[^"\\])*")',
            r"(?P<mark>[][{}:,])",
            r"(?P<blank>[ \n\t\r])",
        ]
    )
)


def tokens(text):
    """As GoldenCheetah's scanner splits a file: its key words first, then numbers, strings and marks."""
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        assert found, text[at : at + 40]
        at = found.end()
        if found.lastgroup != "blank":
            yield found.lastgroup, found[0]


def ride(seen):
    """A ride as its grammar has it: keys are key words before a colon, everything else is not."""
    text = session_bytes("goldencheetah", seen).decode()
    found = list(tokens(text))
    for (kind, token), (_, after) in pairwise(found):
        if kind == "key":
            assert after == ":", token
        if kind == "string" and after != ":":
            assert token.endswith(' "'), token
    return json.loads(text)["RIDE"]


@of_all
def test_goldencheetah_gets_a_point_a_second_and_every_interval(name):
    seen = picture(name)
    found, seconds = ride(seen), list(seen.seconds())
    assert [point["SECS"] for point in found["SAMPLES"]] == [second for second, _ in seconds]
    for point, (_, sample) in zip(found["SAMPLES"], seconds, strict=True):
        assert point.get("WATTS") == (None if sample.power_w is None else round(sample.power_w, 1))
        assert point.get("HR") == sample.heart_rate_bpm
        assert ("KM" in point) is (sample.distance_m is not None)
    assert [list(interval) for interval in found["INTERVALS"]] == [["NAME", "START", "STOP"]] * len(seen.intervals)
    assert found["INTERVALS"][-1]["STOP"] == pytest.approx(seen.summary["duration_s"], abs=0.001)
    assert found["TAGS"]["Sport"] == "Row "


def test_goldencheetah_takes_the_start_in_utc():
    assert ride(named("me"))["STARTTIME"] == "2026/11/23 16:30:00 UTC "


@pytest.mark.parametrize("text", HOSTILE)
def test_goldencheetahs_scanner_takes_a_hostile_name_as_one_string(text):
    tags = ride(named(text))["TAGS"]
    assert len(tags["Athlete"]) < 300
    assert not any(ord(character) < 0x20 for value in tags.values() for character in value)


# --- any bytes --------------------------------------------------------------------------------------------------------


@any_bytes
@given(pictures())
def test_any_bytes_of_a_machine_make_files_that_can_be_read(seen):
    assert len(cells("csv", seen)) == len(seen.samples)
    assert len(cells("rowingdata", seen)) == sum(stroke.seen for stroke in seen.strokes)
    assert json.loads(session_bytes("json", seen))["session_id"] == seen.summary["session_id"]
    assert len(ride(seen)["SAMPLES"]) == len(list(seen.seconds()))
