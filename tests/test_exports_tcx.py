"""TCX, read back by two parsers and held against the rules of its schema."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime, timedelta
from functools import cache

import lxml.etree
import pytest
from hypothesis import HealthCheck, given, settings

from rowsync.exports import session_bytes
from rowsync.exports.tcx import tcx_bytes
from tests.pictures import HOSTILE, RECORDINGS, STROKES_ONLY, named, picture, pictures
from tests.tcx_schema import AX, TCX, objections

of_all = pytest.mark.parametrize("name", [*RECORDINGS, STROKES_ONLY])
by_both = pytest.mark.parametrize("parse", [ElementTree.fromstring, lxml.etree.fromstring])


@cache
def tcx_of(name):
    return tcx_bytes(picture(name))


def laps_of(root):
    return root.findall(f"{{{TCX}}}Activities/{{{TCX}}}Activity/{{{TCX}}}Lap")


def number(parent, path):
    found = parent.findtext(path.replace("ax:", f"{{{AX}}}").replace("tcx:", f"{{{TCX}}}"))
    return None if found is None else float(found)


def close(value, expected):
    return value is expected is None or abs(value - expected) <= 1


def points_of(root):
    return list(root.iter(f"{{{TCX}}}Trackpoint"))


@of_all
def test_a_file_keeps_the_rules(name):
    assert objections(tcx_of(name)) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b'Sport="Other"', b'Sport="Rowing"'),
        (b"<HeartRateBpm><Value>72</Value>", b"<HeartRateBpm><Value>0</Value>"),
        (b"<Calories>", b"<Calories>0."),
        (b"<Intensity>Active</Intensity>", b"<Intensity>Warmup</Intensity>"),
        (b"<ax:Watts>0</ax:Watts>", b"<ax:Watts>0.5</ax:Watts>"),
        (b"<ax:Speed>0</ax:Speed><ax:Watts>0</ax:Watts>", b"<ax:Watts>0</ax:Watts><ax:Speed>0</ax:Speed>"),
    ],
)
def test_the_rules_notice_a_file_that_breaks_them(right, wrong):
    content = tcx_of("intervals-10x45-75")
    assert right in content
    assert objections(content.replace(right, wrong))


@by_both
@of_all
def test_an_interval_is_a_lap_with_its_totals(name, parse):
    intervals = picture(name).summary["intervals"]
    laps = laps_of(parse(tcx_of(name)))
    for lap, interval in zip(laps, intervals, strict=True):
        assert close(number(lap, "tcx:TotalTimeSeconds"), interval["duration_s"])
        assert close(number(lap, "tcx:DistanceMeters"), interval["distance_m"] or 0)
        assert close(number(lap, "tcx:Calories"), interval["gross_kcal"])
        assert close(number(lap, "tcx:AverageHeartRateBpm/tcx:Value"), interval["mean_heart_rate_bpm"])
        assert close(number(lap, "tcx:Cadence"), interval["mean_stroke_rate_spm"])
        assert close(number(lap, "tcx:Extensions/ax:LX/ax:AvgWatts"), interval["mean_power_w"])
        resting = interval["effort"] in ("easy", "rest")
        assert lap.findtext(f"{{{TCX}}}Intensity") == ("Resting" if resting else "Active")


@by_both
@of_all
def test_the_laps_add_up_to_the_session(name, parse):
    summary = picture(name).summary
    laps = laps_of(parse(tcx_of(name)))
    assert close(sum(number(lap, "tcx:TotalTimeSeconds") for lap in laps), summary["duration_s"])
    assert close(sum(number(lap, "tcx:DistanceMeters") for lap in laps), summary["distance_m"] or 0)


@of_all
def test_a_trackpoint_a_second_says_what_the_sample_says(name):
    seen = picture(name)
    points, seconds = points_of(ElementTree.fromstring(tcx_of(name))), list(seen.seconds())
    for point, (second, sample) in zip(points, seconds, strict=True):
        at = datetime.fromisoformat(point.findtext(f"{{{TCX}}}Time"))
        assert at == seen.began.replace(microsecond=0) + timedelta(seconds=second)
        assert close(number(point, "tcx:DistanceMeters"), sample.distance_m)
        assert close(number(point, "tcx:HeartRateBpm/tcx:Value"), sample.heart_rate_bpm)
        assert close(number(point, "tcx:Cadence"), sample.stroke_rate_spm)
        assert close(number(point, "tcx:Extensions/ax:TPX/ax:Watts"), sample.power_w)


def test_a_gap_ends_a_track():
    seen = picture("dropout-10x45-75")
    root = ElementTree.fromstring(tcx_bytes(seen))
    gaps = [gap for gap in seen.summary["gaps"] if gap["end_s"] - gap["start_s"] > 3]
    assert len(list(root.iter(f"{{{TCX}}}Track"))) == len(laps_of(root)) + len(gaps)
    assert gaps


@by_both
def test_what_was_not_measured_is_not_there(parse):
    root = parse(tcx_bytes(picture(STROKES_ONLY)))
    present = {each.tag.split("}")[1] for each in root.iter() if isinstance(each.tag, str)}
    assert not {"HeartRateBpm", "AverageHeartRateBpm", "Watts", "AvgWatts", "Speed", "MaximumSpeed"} & present
    assert all(number(point, "tcx:DistanceMeters") is None for point in points_of(root))


def test_times_are_in_utc():
    content = tcx_of("intervals-10x45-75")
    root = ElementTree.fromstring(content)
    began = datetime.fromisoformat(root.findtext(f".//{{{TCX}}}Id"))
    assert began == picture("intervals-10x45-75").began.astimezone(UTC)


@by_both
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_text_and_nothing_else(text, parse):
    content = tcx_bytes(named(text))
    assert objections(content) == []
    notes = parse(content).findtext(f".//{{{TCX}}}Notes")
    assert notes.startswith("Indoor rowing by rowsync")
    assert len(notes) < 300
    assert not any(ord(character) < 0x20 for character in notes)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(pictures())
def test_any_bytes_of_a_machine_make_a_file_that_keeps_the_rules(seen):
    content = session_bytes("tcx", seen)
    assert objections(content) == []
    root = ElementTree.fromstring(content)
    assert len(points_of(root)) == len(list(seen.seconds()))
    assert len(laps_of(root)) == len(seen.intervals)


@pytest.mark.parametrize("name", ["intervals-10x45-75", "steady-30m"])
def test_the_laps_of_a_session_have_its_calories_together(name):
    there = picture(name)
    laps = re.findall(rb"<Calories>(\d+)</Calories>", tcx_bytes(there))
    assert sum(map(int, laps)) == pytest.approx(there.summary["energy"]["gross_kcal"], abs=1)
