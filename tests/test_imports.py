"""Rows out of other tools' files: what is in them is what is stored, and what can't be is refused with a sentence."""

from __future__ import annotations

import gzip
import json
import re
import tracemalloc
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowsync.errors import RecordingError, RowsyncError
from rowsync.imports import read_import
from rowsync.imports.cells import seconds
from rowsync.imports.packing import unpacked
from rowsync.imports.row import Point, Row, settled, unrolled
from rowsync.imports.twins import mark_of, same_time
from rowsync.session import analyse
from rowsync.store import Store
from rowsync.telemetry import ENDED
from tests import foreign_files as files

CHANGED = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def imported(content, **options):
    return read_import(content, "row.csv", CHANGED, "anna", **options, now=NOW)


def session(content, **options):
    (only,) = imported(content, **options)
    return analyse(only.recording.header, only.recording.items)


def refusal(content):
    with pytest.raises(RecordingError) as refused:
        imported(content)
    assert len(str(refused.value).splitlines()) == 1
    return str(refused.value)


# --- what is in a file is what is stored ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", files.TABLES)
def test_every_table_is_known_by_its_columns_and_its_totals_are_kept(kind):
    found = session(files.TABLES[kind]())
    assert found.header.source == kind
    assert found.header.origin == "converted"
    assert found.header.athlete.name == "anna"
    assert found.duration_s == pytest.approx(125, abs=1)
    assert found.distance_m == pytest.approx(500, abs=1)
    assert found.stroke_count == pytest.approx(50, abs=1)
    assert found.mean_power_w == pytest.approx(180, abs=1)
    assert found.mean_pace_s_per_500m == pytest.approx(125, rel=0.03)
    assert found.mean_stroke_rate_spm == pytest.approx(24, rel=0.02)
    assert found.mean_heart_rate_bpm == (
        pytest.approx(140, abs=1) if kind not in {"SmartRow", "Concept2 logbook"} else None
    )
    assert found.malformed_notifications == 0
    assert not found.gaps


@pytest.mark.parametrize("kind", files.TABLES)
def test_a_row_begins_when_its_file_says_or_else_when_the_file_was_last_changed(kind):
    (found,) = imported(files.TABLES[kind](), time_zone="Europe/Lisbon")
    assert found.is_dated is (kind in files.DATED)
    if not found.is_dated:
        assert found.recording.header.started_at == CHANGED
        assert any("no date" in remark for remark in found.remarks)
    elif kind == "BoatCoach":  # 8:30 on a summer's day in Lisbon
        assert found.recording.header.started_at == files.BEGAN
        assert any("no time zone" in remark and "Europe/Lisbon" in remark for remark in found.remarks)
    else:
        assert abs((found.recording.header.started_at - files.BEGAN).total_seconds()) <= 2.5
        assert not any("zone" in remark for remark in found.remarks)


@pytest.mark.parametrize("year", [1970, 1989, 2200, 9999])
def test_a_row_without_a_date_in_a_file_of_an_impossible_one_begins_now_and_keeps_that_when_it_is_rebuilt(
    year, tmp_path
):
    (found,) = read_import(files.concept2(), "row.csv", CHANGED.replace(year=year), "anna", now=NOW)
    assert found.recording.header.started_at == NOW
    assert any("present moment" in remark for remark in found.remarks)
    store = Store(tmp_path)
    session_id = store.add(found.recording)["session_id"]
    list(store.rebuild())
    assert store.summary(session_id)["started_at"] == "2026-11-30T12:00:00Z"


def test_a_date_that_is_of_an_impossible_year_once_it_is_in_utc_is_refused():
    content = files.kinomap().replace(b"2024-05-04T07", b"1990-01-01T00").replace(b"Z,", b"+10:00,")
    assert "1989" in refusal(content)


@pytest.mark.parametrize(("sport", "sub_sport"), [(15, 14), (4, 14), (15, 0)])
def test_a_fit_file_of_rowing_keeps_its_totals_whichever_way_it_says_that_it_is_rowing(sport, sub_sport):
    (only,) = imported(files.fit((files.FILE_ID, 4), *files.fit_row(sport, sub_sport)))
    found = analyse(only.recording.header, only.recording.items)
    assert (found.header.source, found.header.started_at) == ("FIT", files.BEGAN)
    assert (found.duration_s, found.distance_m, found.stroke_count) == (120, 480, 48)
    assert found.mean_power_w == pytest.approx(180)
    assert found.mean_heart_rate_bpm == pytest.approx(130)
    assert found.machine_totals.energy_kcal == found.energy.machine_kcal == 25
    assert found.machine_energy is None or found.machine_energy.formula is None  # one number tells no formula
    assert [note.event for note in only.recording.notes] == ["imported", "lap", ENDED]


def test_a_fit_file_of_several_sports_gives_its_row():
    ride = files.fit_row(sport=2, sub_sport=6, began_s=0, seconds=60)
    found = session(files.fit(*ride, *files.fit_row(began_s=100)))
    assert (found.duration_s, found.distance_m, found.stroke_count) == (120, 480, 48)
    assert found.header.started_at.timestamp() == files.BEGAN.timestamp() + 100


def test_a_tcx_file_keeps_its_totals():
    found = session(files.tcx())
    assert (found.header.source, found.header.started_at) == ("TCX", files.BEGAN)
    assert (found.duration_s, found.distance_m, found.stroke_count) == (120, 480, 48)
    assert found.mean_power_w == pytest.approx(180)
    assert found.mean_heart_rate_bpm == pytest.approx(130)
    assert found.energy.machine_kcal == 24


def test_a_tcx_without_watts_has_them_by_its_metres_and_one_without_a_zone_is_the_athletes():
    (found,) = imported(files.tcx(watts=False, zone=""), time_zone="Asia/Tokyo")
    assert found.recording.header.started_at == files.BEGAN.replace(hour=files.BEGAN.hour + 24 - 9, day=3)
    power_w = analyse(found.recording.header, found.recording.items).mean_power_w
    assert power_w == pytest.approx(2.80 * 4**3, rel=0.05)


def test_a_file_packed_with_gzip_is_the_same_file():
    plain, packed = imported(files.concept2()), imported(gzip.compress(files.concept2()))
    assert packed == plain


def test_pieces_that_each_count_from_zero_add_up():
    assert unrolled([1, 5, 9, 2, 4, 0, 3], "aaabbcc") == [1, 5, 9, 11, 13, 13, 16]
    assert unrolled([600.0, 480.0, 1.6], "abc") == [600.0, 1080.0, 1081.6]


def test_a_value_at_which_a_counter_falls_and_is_soon_back_is_no_value():
    assert unrolled([100, 101, 99, None, 102], "aaaaa") == [100, 101, None, None, 102]
    assert unrolled([100, 101, 0, 0, 102], "aaaaa") == [100, 101, None, None, 102]


def test_a_piece_that_soon_gets_further_than_the_one_before_counts_from_its_first_stroke():
    assert unrolled([*range(4, 36, 4), 4, 8, 19, 32, 36], "a" * 8 + "b" * 5)[-1] == 32 + 36
    table = ["Number,Time (seconds),Distance (meters)"]
    table += [f"{n},{n * 1.5},{n * 4}" for n in range(1, 9)]
    table += [f"{n + 8},{seconds},{n * 4}" for n, seconds in enumerate((5.0, 14.0, 16.0, 18.0, 20.0), start=1)]
    found = session("\n".join(table).encode())
    assert (found.duration_s, found.distance_m, found.stroke_count) == (32, 52, 13)


def test_a_counter_that_falls_a_little_for_longer_stands_until_it_is_back():
    metres = [*range(100, 900, 100), *[799.7] * 60, 802]
    assert unrolled(metres, "a" * 8 + "b" * 61) == [*range(100, 900, 100), *[800.0] * 60, 802]


@st.composite
def counters(draw, pieces):
    """A counter of pieces of 9 to 30 values that grow by 1 to 2, with laps, and stumbles between values; its total."""
    told, total, lap = [], 0.0, 0
    for _ in range(draw(pieces)):
        steps = draw(st.lists(st.floats(1, 2), min_size=9, max_size=30))
        values = [sum(steps[: number + 1]) for number in range(len(steps))]
        total += values[-1]
        lap += draw(st.booleans())
        for number, value in enumerate(values):
            lap += number > 6 and draw(st.integers(0, 4)) == 0
            told.append((value, str(lap)))
            if 0 < number < len(values) - 1 and draw(st.integers(0, 4)) == 0:
                lap += number > 6 and draw(st.booleans())
                stumble = draw(st.just(0.0) | st.floats(0, value - 0.3))
                told.append((stumble, str(lap)))
    return told, total


@pytest.mark.parametrize("pieces", [1, 3])
@given(st.data())
def test_whatever_stumbles_are_between_the_values_of_a_counter_its_pieces_add_up(pieces, data):
    told, total = data.draw(counters(st.integers(1, pieces)))
    grown = [value for value in unrolled(*zip(*told, strict=True)) if value is not None]
    assert grown[-1] == pytest.approx(total)
    assert grown == sorted(grown)


@pytest.mark.parametrize("odd", [b"0", b"239.7"])
def test_a_tcx_in_which_the_metres_stumble_at_a_lap_keeps_its_total_and_says_so(odd):
    first, other = files.tcx().split(b"<Track>")[:2], files.tcx().split(b"<Track>")[2]
    stumbled = other.replace(b"<DistanceMeters>240<", b"<DistanceMeters>" + odd + b"<", 1)
    (only,) = imported(b"<Track>".join([*first, stumbled]))
    assert analyse(only.recording.header, only.recording.items).distance_m == 480
    assert "1 odd value was left out: a counter fell and was back at once." in only.remarks


def test_a_fit_file_in_which_strokes_or_metres_stumble_keeps_its_totals():
    rows = files.fit_row(strokes=0xFFFFFFFF, energy_kcal=0xFFFF)
    metres, strokes, kcal = 2, 7, 8
    rows[:121] = [[*row[:strokes], second, second // 4] for second, row in enumerate(rows[:121])]
    for second, what in ((40, metres), (41, strokes), (42, kcal)):
        rows[second][what] = 0
    (only,) = imported(files.fit(*rows))
    found = analyse(only.recording.header, only.recording.items)
    assert (found.distance_m, found.stroke_count, found.energy.machine_kcal) == (480, 120, 30)
    assert "3 odd values were left out: a counter fell and was back at once." in only.remarks


def test_a_rest_as_long_as_its_piece_counts_where_a_line_says_that_it_begins_and_one_that_it_ends():
    """As RP3's portal writes rests: their clock is back at once where that of the piece ended."""
    piece = b"\n".join(files.rp3().split(b"\n")[1:26])
    rest = b"\n".join(b',9,%d,,,%s,0,,,""' % each for each in ((1, b"0.2"), (2, b"62.6")))
    content = b"\n".join([files.rp3().split(b"\n")[0], piece, rest, piece.replace(b",100,", b",101,")])
    assert session(content).duration_s == pytest.approx(62.5 + 62.6 + 62.5, abs=0.1)


@pytest.mark.parametrize("odd", [b"\n20,0.0,200.0,", b"\n20,0.0,0.0,"])
def test_a_line_at_which_the_clock_stumbles_is_left_out(odd):
    (only,) = imported(files.concept2().replace(b"\n20,50.0,200.0,", odd))
    found = analyse(only.recording.header, only.recording.items)
    assert (found.duration_s, found.distance_m) == (125, 500)
    assert "1 line without a time was left out." in only.remarks


def test_two_rows_in_one_file_are_two_sessions():
    first, other = imported(files.painsled_twice())
    assert first.recording.header.started_at < other.recording.header.started_at
    assert other.mark == f"{first.mark}-2"


def test_a_row_over_the_end_of_summer_time_keeps_the_order_of_its_file():
    """Lisbon's clocks went from 2:00 to 1:00 on 2024-10-27; a table of local times has the hour from 1 to 2 twice."""
    content = files.kinomap()
    for second in range(126):
        local = f"2024-10-27T01:{59 if second < 60 else second // 60 - 1:02}:{second % 60:02}"
        content = content.replace(f"\n{files.iso(second)},".encode(), f"\n{local},".encode())
    found = session(content, time_zone="Europe/Lisbon")
    assert (found.duration_s, found.distance_m) == (125, 500)
    assert found.header.started_at == datetime(2024, 10, 27, 0, 59, tzinfo=UTC)


def test_moments_with_a_zone_are_taken_at_their_word():
    content = files.kinomap()
    for second in range(60, 126):
        there = files.iso(second).encode()
        content = content.replace(there, there.replace(b"07:", b"06:"))
    assert session(content).duration_s == 3599


def test_columns_may_come_in_any_order_with_decimal_commas_tabs_and_blanks():
    content = b"\xef\xbb\xbf Distance (meters)\tNumber\tTime (seconds)\tStroke Rate\n"
    content += b"".join(f"{n * 10},5\t{n}\t{n * 2},5\tn/a\n".encode() for n in range(1, 31)) + b"\t\t\t\n"
    found = session(content)
    assert (found.distance_m, found.stroke_count, found.duration_s) == (301, 30, 60.5)


@pytest.mark.parametrize(("cell", "value"), [("2:03.4", 123.4), ("0:02:03.4", 123.4), ("123.4", 123.4), ("", None)])
def test_a_time_is_read_as_a_clock_or_as_seconds(cell, value):
    assert seconds(cell) == value


def test_zero_watts_are_watts_and_a_heart_rate_of_zero_is_none():
    content = files.concept2().replace(b",24,\n", b",24,0\n")
    assert session(content).mean_heart_rate_bpm is None
    assert session(files.concept2(watts=0)).mean_power_w != 180


@given(
    st.lists(
        st.lists(st.tuples(st.integers(15, 90), st.integers(40, 130)), min_size=8, max_size=30), min_size=1, max_size=4
    )
)
def test_whatever_was_rowed_in_pieces_keeps_its_totals_within_a_unit(pieces):
    """Pieces of eight strokes and more, of 1.5 to 9 s and 4 to 13 m each, and each counts from zero."""
    table, number, duration_s, distance_m = ["Number,Time (seconds),Distance (meters)"], 0, 0.0, 0.0
    for piece in pieces:
        tenths_s = tenths_m = 0
        for stroke_s, stroke_m in piece:
            number, tenths_s, tenths_m = number + 1, tenths_s + stroke_s, tenths_m + min(stroke_m, 9 * stroke_s)
            table.append(f"{number},{tenths_s / 10},{tenths_m / 10}")
        duration_s, distance_m = duration_s + tenths_s / 10, distance_m + tenths_m / 10
    found = session("\n".join(table).encode())
    assert found.duration_s == pytest.approx(duration_s, abs=0.01)
    assert found.distance_m == pytest.approx(distance_m, abs=0.51)
    assert found.stroke_count == number


# --- once is once -----------------------------------------------------------------------------------------------------


def test_the_same_row_of_the_same_file_has_the_same_mark_whenever_and_by_whatever_name_it_comes():
    (one,) = read_import(files.concept2(), "a.csv", CHANGED, "anna", now=NOW)
    (two,) = read_import(files.concept2(), "../../b.csv", CHANGED.replace(year=2026), "bob", "Asia/Tokyo", now=NOW)
    (other,) = read_import(files.concept2(watts=181), "a.csv", CHANGED, "anna", now=NOW)
    assert one.mark == two.mark == mark_of(one.recording.header.session_id) == mark_of(two.recording.header.session_id)
    assert one.mark != other.mark
    assert mark_of("20261123T1651Z-me") is None


def test_the_same_row_out_of_another_file_is_known_by_its_time():
    row = {"session_id": "x", "athlete": "anna", "started_at": files.BEGAN, "duration_s": 120.0}
    assert same_time("anna", files.BEGAN, 118.0, [row]) == row
    assert same_time("bob", files.BEGAN, 118.0, [row]) is None
    assert same_time("anna", files.BEGAN.replace(minute=32), 118.0, [row]) is None


def test_an_imported_session_comes_back_from_the_store_byte_for_byte(tmp_path):
    (found,) = imported(files.fit(*files.fit_row()))
    store = Store(tmp_path)
    summary = store.add(found.recording)
    again = store.recording(summary["session_id"])
    assert again.notifications == found.recording.notifications
    assert [note.event for note in again.notes] == [note.event for note in found.recording.notes]
    assert summary["origin"] == "converted"
    assert json.dumps(summary)


def test_a_name_that_climbs_out_of_its_folder_names_nothing(tmp_path):
    (found,) = read_import(files.concept2(), "../../../etc/passwd\x00\x1b[31m", CHANGED, "../../anna", now=NOW)
    Store(tmp_path / "data").add(found.recording)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert all(path.resolve().is_relative_to(tmp_path / "data") for path in tmp_path.rglob("*"))


# --- what is refused --------------------------------------------------------------------------------------------------


@cache
def refused_files():
    """Content, and what the sentence says."""
    table = files.concept2()
    many = b"<a>" * 100
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>\n'
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n'
    return {
        "nothing": (b"  \n", "empty"),
        "prose": (b"Dear diary,\ntoday I rowed.\n", "no file of a row"),
        "octets": (bytes(range(256)) * 4, "rowsync"),
        "a zip": (b"PK\x03\x04....", "unpack"),
        "parquet": (b"PAR1....", "parquet"),
        "JSON": (b'{"a": 1}', "JSON"),
        "a recording": (b'{"rowsync_recording": 1}\n', "rowsync replay"),
        "another table": (b"name,mass,colour\nrat,1,grey\n", '"name", "mass", "colour"'),
        "a list of rows": (b"Date,Work Time (Formatted),Work Time (Seconds),Work Distance\n", "stroke data"),
        "a ride (FIT)": (files.fit(*files.fit_row(sport=2, sub_sport=6)), "a ride, not a row"),
        "a machine for something else": (files.fit(*files.fit_row(sport=4, sub_sport=15)), "fitness equipment, not"),
        "FIT without a sport": (files.fit((files.RECORD, *[1] * 8)), "which sport"),
        "FIT without samples": (files.fit(files.fit_row()[-1]), "no samples"),
        "cut FIT": (files.fit(*files.fit_row())[:-9], "cut or damaged"),
        "a run (TCX)": (files.tcx(sport="Running"), "a run, not a row"),
        "cut TCX": (files.tcx()[:-99], "cut or damaged"),
        "GPX": (b"<gpx></gpx>", "begins with <gpx>"),
        "an entity bomb": (files.tcx(head=bomb), "document type"),
        "a file by entity": (files.tcx(head=outside), "document type"),
        "nested XML": (many, "deeper"),
        "cut gzip": (gzip.compress(table)[:-20], "cut"),
        "damaged gzip": (b"\x1f\x8b" + bytes(50), "damaged"),
        "a gzip bomb": (gzip.compress(bytes(100_000_000)), "larger than"),
        "no strokes": (table.split(b"\n")[0] + b"\n", "no samples"),
        "a word for a number": (table.replace(b",180,", b",strong,", 1), "Line 2, \"Watts\": 'strong'"),
        "a comma too many": (table.replace(b",180,", b',"1,180",', 1), 'Line 2, "Watts"'),
        "too many watts": (table.replace(b",180,", b",54000,", 1), 'Line 2, "Watts": 54000 W'),
        "infinite watts": (table.replace(b",180,", b",1" + b"0" * 400 + b",", 1), 'Line 2, "Watts"'),
        "pace in minutes": (files.concept2(pace="2.08"), 'Line 2, "Pace (seconds)": 2.08'),
        "pace in s/m": (files.concept2(pace="0.25"), 'Line 2, "Pace (seconds)": 0.25'),
        "pace per km": (files.concept2(pace="250"), "Its pace says 250 s per 500 m where its metres say 125"),
        "kilometres": (
            files.lines("Number,Time (seconds),Distance (meters)", lambda n: f"{n},{n * 2.5},{n / 100}"),
            "kilometres",
        ),
        "milliseconds as seconds": (
            files.lines("Number,Time (seconds),Distance (meters)", lambda n: f"{n},{n / 400},{n * 500}"),
            "can't be rowed",
        ),
        "1815": (files.kinomap().replace(b"2024-", b"1815-"), 'Line 2, "Date"'),
    }


@pytest.mark.parametrize("what", refused_files())
def test_what_cannot_be_imported_is_refused_with_its_reason(what):
    content, said = refused_files()[what]
    assert said in refusal(content)


def test_pace_as_a_clock_is_the_same_pace():
    assert session(files.concept2(pace="2:05.0")).samples[-1].pace_s_per_500m == 125


@cache
def bombs():
    """Content that would become many times its size, what the sentence says, and what refusing it may take [bytes]."""
    heading, tcx = files.concept2().split(b"\n")[0] + b"\n", b"<TrainingCenterDatabase>"
    attributes = b" ".join(b'a%d=""' % number for number in range(500_000))
    return {
        "gzip in gzip": (gzip.compress(gzip.compress(bytes(200_000_000))), "no file of a row", 50e6),
        "empty lines": (heading + b"\n" * 8_000_000, "more than 100000 lines", 30e6),
        "short lines": (heading + b"1\r\n" * 3_000_000, "more than 100000 lines", 30e6),
        "lines of prose": (b"a\n" * 4_000_000, "no file of a row", 30e6),
        "cells of a heading": (b"," * 8_000_000, "no file of a row", 30e6),
        "cells of a line": (heading + b"," * 8_000_000, "a line that is longer", 30e6),
        "elements": (tcx + b"<a/>" * 2_100_000, "more than 2000000 elements", 30e6),
        "attributes": (tcx[:-1] + b" " + attributes + b"></TrainingCenterDatabase>", "longer than any", 30e6),
        "text": (tcx + b"&lt;" * 2_000_000 + b"</TrainingCenterDatabase>", "longer than any", 30e6),
    }


@pytest.mark.parametrize("what", bombs())
def test_a_bomb_is_refused_and_costs_little_more_than_its_content(what):
    content, said, allowed_bytes = bombs()[what]
    tracemalloc.start()
    try:
        assert said in refusal(content)
        assert tracemalloc.get_traced_memory()[1] < allowed_bytes
    finally:
        tracemalloc.stop()


# --- anything at all --------------------------------------------------------------------------------------------------

WHOLE = [make() for make in files.TABLES.values()] + [
    files.fit(*files.fit_row(seconds=20)),
    files.tcx(seconds=20),
    gzip.compress(files.ergdata()),
]


def try_import(content):
    """Import or refuse: nothing else may happen; what is imported can be analysed."""
    found, said = [], "imported"
    try:
        found = imported(content)
    except RowsyncError as error:
        said = str(error)
    assert 0 < len(said) < 600
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", said)
    for each in found:
        analyse(each.recording.header, each.recording.items).summary()


@given(st.binary(max_size=300))
def test_any_octets_are_imported_or_refused(content):
    try_import(content)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(WHOLE), st.data())
def test_a_cut_file_is_imported_as_far_as_it_goes_or_refused(whole, data):
    try_import(whole[: data.draw(st.integers(0, len(whole)))])


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(st.sampled_from(WHOLE), st.data())
def test_an_altered_file_is_imported_or_refused(whole, data):
    altered = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(altered) - 1))
        altered[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try_import(bytes(altered))


@given(st.data())
def test_any_cells_below_a_known_heading_are_imported_or_refused(data):
    heading = data.draw(st.sampled_from(WHOLE[:8])).rpartition(b"\n")[0].split(b"\n")[0]
    if heading.startswith(b"Workout data"):
        heading = files.boatcoach().split(b"\n")[1]
    cells = st.sampled_from(
        [
            "",
            "0",
            "1",
            "-1",
            "2:05",
            "1e9",
            "1e-9",
            "9" * 30,
            "nan",
            "2024-05-04T07:30:00Z",
            "x",
            '"',
            "2024-05-04 07:30",
        ]
    )
    rows = data.draw(st.lists(st.lists(cells, max_size=14), max_size=8))
    delimiter = ";" if heading.count(b";") > 3 else ","
    try_import(heading + b"\n" + "\n".join(delimiter.join(row) for row in rows).encode())


def test_a_single_altered_bit_of_a_fit_file_is_noticed():
    whole = files.fit(*files.fit_row(seconds=5))
    for at in range(14, len(whole) - 2, 7):
        altered = bytearray(whole)
        altered[at] ^= 0x10
        refusal(bytes(altered))


# --- real files -------------------------------------------------------------------------------------------------------

REAL = {
    "boatcoach.csv": [("BoatCoach", 120, 499, 44)],
    "concept2-result-44214428.csv": [("Concept2 logbook", 1798.6, 7584.1, 689)],
    "ergdata_example.csv": [("Concept2 logbook", 523.9, 1992, 180)],
    "ergstick.csv": [("ErgStick", 1199.2, 4960, 384)],
    "kinomap.csv": [("Kinomap", 1867, 7350, None)],
    "painsled_3x20min.csv": [("Painsled", 3914, 4972 + 5141 + 4959, 1417), ("Painsled", 231, 176, 18)],
    "rp3intervals.csv": [("RP3", 2760, 8829.6, 855)],
    "smartrow_2025-11-11T192456_2000m.csv": [("SmartRow", 635, 1993, 251)],
    "smartrow_intervals.csv": [("SmartRow", 2339, 6979, 739)],
}
"""Real files, and what they themselves say: kind, seconds, metres, strokes."""


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_keeps_its_totals(shared, name):
    found = imported((shared / "telemetry" / name).read_bytes())
    for each, (kind, duration_s, distance_m, strokes) in zip(found, REAL[name], strict=True):
        row = analyse(each.recording.header, each.recording.items)
        assert row.header.source == kind
        assert row.duration_s == pytest.approx(duration_s, rel=0.01, abs=1)
        assert row.distance_m == pytest.approx(distance_m, abs=1)
        if strokes is not None:
            assert row.stroke_count == pytest.approx(strokes, rel=0.01, abs=1)


def test_metres_that_come_a_stroke_at_a_time_agree_with_their_pace():
    points = tuple(
        Point(float(second), "", distance_m=10.0 * (second // 3), pace_s_per_500m=150.0) for second in range(90)
    )
    assert settled(Row("TCX", points)).points[-1].distance_m == pytest.approx(290, abs=1)


def test_metres_of_another_unit_are_still_told_by_their_pace():
    points = tuple(
        Point(float(second), "", distance_m=8.0 * (second // 3), pace_s_per_500m=62.0) for second in range(90)
    )
    with pytest.raises(RecordingError, match="Its pace says"):
        settled(Row("TCX", points))


def test_a_gzip_file_of_several_members_is_unpacked_whole():
    assert unpacked(gzip.compress(b"time,distance\n") + gzip.compress(b"1,2\n") + bytes(512)) == b"time,distance\n1,2\n"
