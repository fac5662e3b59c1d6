"""The examination of a recording: what a machine really does is found, with figures, and what can't be known isn't."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from time import process_time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync import machines
from rowsync.examination import Verdict, examine, name_beginning, row_text
from rowsync.ftms import RowerData, encode_rower_data
from rowsync.machines import QUIRKS, Remedy
from rowsync.readers import READERS
from rowsync.recording import Recording, parse_recording, read_recording, recording_bytes
from rowsync.session import Header
from rowsync.telemetry import Note, Notification
from rowsync.traffic import READ_ONCE
from tests.conftest import RECORDED

STROKE_S = 2.5


def header(name):
    return Header("examined", datetime(2026, 11, 23, tzinfo=UTC), machine={"name": name})


def concept2_kcal_per_h(power_w):
    return 4 * 0.8604 * power_w + 300


def rowed(
    change=None, *, name="Some Rower", seconds=120, stop_s=20, kcal_per_h=concept2_kcal_per_h, block_s=20, items=()
):
    """A row at 24 strokes a minute, 100 and 200 W in turn, told twice a second as Concept2 reckons; then a stop."""
    sent, distance_m, kcal, pace = list(items), 0.0, 0.0, 0.0
    for number in range(2 * (seconds + stop_s)):
        time_s = number / 2
        rowing = time_s <= seconds
        power_w = (100 if time_s % (2 * block_s) < block_s else 200) if rowing else 0
        if rowing:
            pace = 500 * (2.8 / power_w) ** (1 / 3)
            distance_m += 0.5 * 500 / pace
            kcal += kcal_per_h(power_w) / 7200
        data = RowerData(
            stroke_rate_spm=24.0 if rowing else 0.0,
            stroke_count=int(min(time_s, seconds) / STROKE_S),
            total_distance_m=round(distance_m),
            instantaneous_pace_s_per_500m=round(pace) if rowing else 0,
            instantaneous_power_w=power_w,
            total_energy_kcal=int(kcal),
            energy_per_hour_kcal=round(kcal_per_h(power_w)) if rowing else 0,
            elapsed_time_s=int(time_s),
        )
        changed = data if change is None else change(time_s, data)
        if changed is not None:
            sent.append(Notification(time_s, "2ad1", encode_rower_data(changed)))
    return Recording(header(name), tuple(sent))


def always(**values):
    """A machine that sends these values whatever is rowed."""
    return lambda _, data: data._replace(**values)


def findings(recording, quirk=None):
    return [each for each in examine(recording).findings if quirk is None or each.quirk == quirk]


def told(recording):
    return " ".join(finding.what for finding in examine(recording).findings)


def of_verdict(recording, verdict):
    return [each for each in examine(recording).findings if each.verdict is verdict]


# --- a machine by the book --------------------------------------------------------------------------------------------


def test_a_machine_by_the_book_departs_in_nothing_but_its_pace_at_rest():
    recording = rowed()
    assert of_verdict(recording, Verdict.NEEDS_ROW) == []
    assert {each.quirk for each in of_verdict(recording, Verdict.HANDLED)} == {"Q5"}
    assert of_verdict(recording, Verdict.UNKNOWN) == []
    assert "stroke rate agrees with its stroke count (1.00 times)" in told(recording)
    assert "power follows from its pace as on a Concept2" in told(recording)
    assert "At a stop its rate, pace and power go to 0" in told(recording)


def test_what_it_sends_is_counted_with_its_rhythm_and_its_lengths():
    (stream,) = examine(rowed()).streams
    assert (stream.name, stream.shape, stream.notifications) == ("Rower Data", "0x092c", 280)
    assert (stream.interval_s, stream.jitter_s, stream.longest_silence_s) == (0.5, 0.0, 0.5)
    assert stream.lengths == {"19": 280}
    assert (stream.cut, stream.extra) == (0, 0)


def test_what_each_field_holds_is_counted():
    fields = {each.field: each for each in examine(rowed()).fields}
    assert (fields["instantaneous_power_w"].least, fields["instantaneous_power_w"].most) == (0, 200)
    assert fields["energy_per_minute_kcal"].not_available == 280
    assert fields["instantaneous_power_w"].zero == 39


def test_the_summary_is_json():
    summary = examine(rowed()).summary()
    assert json.loads(json.dumps(summary, allow_nan=False))["findings"][0]["verdict"] in set(Verdict)


def test_the_gravest_comes_first():
    verdicts = [list(Verdict).index(each.verdict) for each in findings(rowed(always(instantaneous_power_w=0)))]
    assert verdicts == sorted(verdicts)


# --- too little to say ------------------------------------------------------------------------------------------------


def test_a_few_strokes_are_too_few_and_nothing_is_guessed():
    recording = rowed(always(stroke_rate_spm=12.0), seconds=12)
    assert "not enough rowing" in told(recording)
    assert findings(recording, "Q1") == []


def test_a_recording_without_a_row_says_so():
    assert "nothing that speaks of a row" in told(Recording(header("X"), ()))


def test_without_a_stop_nobody_knows_what_it_does_at_one():
    assert "Nobody stopped for 10 s" in told(rowed(stop_s=5))


# --- what it sends of the row -----------------------------------------------------------------------------------------


def test_a_stroke_rate_in_whole_strokes_wants_the_row_that_doubles_it():
    (found,) = findings(rowed(lambda _, data: data._replace(stroke_rate_spm=data.stroke_rate_spm / 2)), "Q1")
    assert found.verdict is Verdict.NEEDS_ROW
    assert "0.50 times" in found.what
    row = eval(found.row, vars(machines))
    assert row.names == (*next(quirk for quirk in QUIRKS if quirk.key == "Q1").names, "some rower")
    assert row.handling == {"stroke_rate_scale": 2.0}


def test_a_machine_that_is_handled_by_name_wants_no_row():
    change = lambda _, data: data._replace(stroke_rate_spm=data.stroke_rate_spm / 2)  # noqa: E731
    (found,) = findings(rowed(change, name="WHIPR 1"), "Q1")
    assert (found.verdict, found.row) == (Verdict.HANDLED, "")


def test_a_name_whose_row_is_not_seen_to_suit_it_is_told():
    (found,) = findings(rowed(name="KS-WLT 1"), "Q1")
    assert found.verdict is Verdict.NOTED
    assert "wasn't seen here" in found.what


def test_absurd_stroke_rates_are_counted():
    change = lambda time_s, data: data._replace(stroke_rate_spm=70.0) if time_s % 10 == 5 else data  # noqa: E731
    (found,) = findings(rowed(change, stop_s=12), "Q20")
    assert found.verdict is Verdict.HANDLED
    assert "more than 2.2 times" in found.what


def test_both_sides_of_a_paddle_are_no_mistake():
    recording = rowed(lambda _, data: data._replace(stroke_rate_spm=1.8 * data.stroke_rate_spm))
    assert "1.79 times what its stroke count says: it may count both sides" in told(recording)
    assert of_verdict(recording, Verdict.NEEDS_ROW) == []


def test_a_single_zero_between_powers_wants_a_row():
    change = lambda time_s, data: data._replace(instantaneous_power_w=0) if time_s % 1 else data  # noqa: E731
    (found,) = findings(rowed(change), "Q2")
    assert eval(found.row, vars(machines)).handling == {"zero_power_is_noise": True}


def test_a_distance_that_grows_twice_as_fast_as_its_pace_is_found():
    change = lambda _, data: data._replace(total_distance_m=2 * data.total_distance_m)  # noqa: E731
    (found,) = findings(rowed(change), "Q6")
    assert "2.0" in found.what
    assert eval(found.row, vars(machines)).handling == {"counts_distance": False}


def test_power_that_is_not_concept2s_is_told_by_its_factor():
    change = lambda _, data: data._replace(instantaneous_power_w=round(1.3 * data.instantaneous_power_w))  # noqa: E731
    assert "Its power is 1.32 times what a Concept2 shows for the same pace" in told(rowed(change))


def test_power_that_has_nothing_to_do_with_pace_is_told():
    change = lambda time_s, data: data._replace(instantaneous_power_w=20 + int(time_s * 37) % 180)  # noqa: E731
    assert "no fixed relation to its pace" in told(rowed(change))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"instantaneous_power_w": None}, "It sends no power."),
        ({"instantaneous_power_w": 0}, "It sends power that is always 0."),
        ({"total_energy_kcal": 0}, "It sends energy that is always 0."),
    ],
)
def test_what_is_missing_or_always_0_is_told(values, said):
    assert said in [each.what for each in findings(rowed(always(**values)), "Q21")]


def test_a_heart_rate_that_is_always_0_is_none():
    assert [each.verdict for each in findings(rowed(always(heart_rate_bpm=0)), "Q23")] == [Verdict.HANDLED]
    assert "heart rate came 280 of 280 times: 90." in told(rowed(always(heart_rate_bpm=90)))


def test_values_that_stay_after_a_stop_are_told_with_how_long():
    kept = {"stroke_rate_spm": 24.0, "instantaneous_power_w": 150, "instantaneous_pace_s_per_500m": 133}
    (found,) = findings(rowed(lambda time_s, data: data._replace(**kept) if time_s > 120 else data), "Q3")
    assert "24 spm 18 s after the last stroke" in found.what
    assert "150 W 18 s after the last stroke" in found.what


def test_a_drag_factor_as_resistance_is_asked_about_and_known_of_a_pm5():
    (asked,) = of_verdict(rowed(always(resistance_level=120)), Verdict.UNKNOWN)
    row = eval(asked.row, vars(machines))
    assert row.key not in {quirk.key for quirk in QUIRKS}
    assert (row.what, row.names) == ("sends 120 as resistance, which looks like a drag factor", ("some rower",))
    assert row.handling == {"resistance_is_drag": True}
    known = rowed(always(resistance_level=120), name="PM5 430000000")
    assert [each.verdict for each in findings(known, "Q16")] == [Verdict.HANDLED]
    assert findings(rowed(always(resistance_level=8)), "Q16") == []


def test_paces_that_are_none_are_told():
    assert "0 (39 times) or 65535 (0 times)" in told(rowed())
    change = lambda _, data: data._replace(instantaneous_pace_s_per_500m=data.instantaneous_pace_s_per_500m or 0xFFFF)  # noqa: E731
    assert "0 (0 times) or 65535 (39 times)" in told(rowed(change))


# --- its packets ------------------------------------------------------------------------------------------------------


def test_packets_cut_to_20_octets_are_told_with_what_is_lost():
    whole = rowed(always(average_pace_s_per_500m=130, heart_rate_bpm=90))
    cut = [replace(each, payload=each.payload[:20]) for each in whole.notifications]
    (found,) = findings(replace(whole, items=tuple(cut)), "Q17")
    assert "280 of 280" in found.what
    assert "elapsed_time_s is lost" in found.what


def test_octets_too_many_are_counted_and_reserved_flags_seen():
    (found,) = findings(rowed(always(extra=b"\0")), "Q28")
    assert "1 octet too many (280 of 280 packets)" in found.what
    reserved = [
        replace(each, payload=bytes([each.payload[0], each.payload[1] | 0x20]) + each.payload[2:] + bytes(4))
        for each in rowed().notifications
    ]
    (found,) = findings(Recording(header("X"), tuple(reserved)), "Q15")
    assert "4 octets too many and sets flags that are reserved" in found.what


def test_records_in_parts_are_told_with_their_clocks():
    def parts(every_s):
        for each in rowed().notifications:
            yield each
            if each.time_s % every_s == 0:
                energy = RowerData(more_data=True, total_energy_kcal=int(each.time_s))
                yield Notification(each.time_s, "2ad1", encode_rower_data(energy))

    (found,) = findings(Recording(header("X"), tuple(parts(0.5))), "Q19")
    assert "2 parts on one clock: 0x0101 every 0.50 s, 0x092c every 0.50 s" in found.what
    (found,) = findings(Recording(header("X"), tuple(parts(3.0))), "Q29")
    assert "0x0101 every 3.00 s" in found.what


def test_claims_are_held_against_what_is_sent():
    step = Note(0.0, "handshake", {"step": "subscribe 2ad1", "outcome": "done"})
    claims = 1 << 2 | 1 << 7 | 1 << 5  # distance, resistance, pace
    features = Notification(0.0, "2acc", claims.to_bytes(4, "little") + bytes(4))
    recording = rowed(items=(step, features))
    assert "It claims resistance level and sends none." in [each.what for each in findings(recording, "Q22")]
    assert "It sends power and doesn't claim it" in told(recording)
    assert "no Fitness Machine Feature" in told(rowed(items=(step,)))
    assert "no Fitness Machine Feature" not in told(rowed())


def test_who_it_is_is_said_without_its_serial_number():
    said = examine(rowed(items=(Notification(0, "2a29", b"XG"), Notification(0, "2a25", b"SN-77123")))).summary()
    assert said["says"] == {"maker": "XG"}
    assert "77123" not in json.dumps(said)


# --- clock and counters -----------------------------------------------------------------------------------------------


def test_a_clock_that_jumps_by_a_minute_is_told():
    change = lambda _, data: data._replace(elapsed_time_s=data.elapsed_time_s + 60 * (data.elapsed_time_s % 60 == 59))  # noqa: E731
    (found,) = findings(rowed(change), "Q8")
    assert "jumps by a minute (4 times, after second 58)" in found.what


def test_a_clock_that_runs_fast_is_told():
    assert "clock runs +1" in told(rowed(lambda time_s, data: data._replace(elapsed_time_s=int(1.1 * time_s))))


def test_counters_that_begin_again_are_told_once():
    def again(time_s, data):
        if time_s < 60:
            return data
        metres, kcal = data.total_distance_m - 220, data.total_energy_kcal - 10
        return data._replace(
            stroke_count=data.stroke_count - 24,
            total_distance_m=max(0, metres),
            total_energy_kcal=max(0, kcal),
            elapsed_time_s=data.elapsed_time_s - 60,
        )

    assert "Its counters began again once (strokes, metres, energy, time)." in told(rowed(again))


def test_counters_of_many_intervals_that_begin_again_some_seconds_apart_are_one_line():
    def intervals(time_s, data):
        part_s, strokes_s = time_s % 30, max(0, time_s - 3) % 30
        return data._replace(
            stroke_count=int(strokes_s / STROKE_S), total_distance_m=int(4 * part_s), elapsed_time_s=int(part_s)
        )

    recording = rowed(intervals, stop_s=12)
    (line,) = [each for each in examine(recording).findings if "began again" in each.what]
    assert (line.verdict, line.quirk) == (Verdict.HANDLED, None)
    assert "began again 4 times (strokes, metres, time)" in line.what
    assert findings(recording, "Q18") == []


def test_counters_of_minutes_that_begin_again_are_no_clock_that_gets_its_minutes_wrong():
    def minutes(time_s, data):
        return data._replace(total_distance_m=int(4 * (time_s % 60)), elapsed_time_s=int(time_s % 60))

    recording = rowed(minutes)
    assert findings(recording, "Q8") == []
    assert "began again 2 times (metres, time)" in told(recording)


def test_a_stroke_count_that_falls_alone_is_told():
    (found,) = findings(rowed(lambda time_s, data: data._replace(stroke_count=0) if time_s > 125 else data), "Q18")
    assert "stroke count fell once" in found.what


def test_a_counter_that_begins_high_is_told():
    change = lambda _, data: data._replace(total_distance_m=data.total_distance_m + 1238)  # noqa: E731
    assert "1238 m" in findings(rowed(change), "Q4")[0].what or "1240 m" in findings(rowed(change), "Q4")[0].what


# --- energy -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kcal_per_h", "said"),
    [
        (concept2_kcal_per_h, "Concept2's, for a body of 79 kg: 300 kcal/h and 3.44 for each watt"),
        (lambda w: 3.4416 * w + 3.779 * 100, "Concept2's corrected for body mass, for a body of 100 kg"),
        (lambda w: 3.4416 * w, "25 % efficiency and nothing for the body itself"),
        (lambda w: 3.78 * w + 94, "the METs of cycling, for a body of 75 kg: 94 kcal/h and 3.78 for each watt"),
        (lambda w: 5.2 * w + 150, "a formula of its own: 150 kcal/h and 5.20 kcal/h for each watt"),
    ],
)
def test_the_formula_of_the_energy_per_hour_is_named_or_given_in_figures(kcal_per_h, said):
    assert f"Its energy per hour is {said}" in told(rowed(kcal_per_h=kcal_per_h))


@pytest.mark.parametrize(
    ("kcal_per_h", "said"),
    [
        (concept2_kcal_per_h, "1.00 times what Concept2's formula gives"),
        (concept2_kcal_per_h, "It follows Concept2's, for a body of 79 kg"),
        (lambda w: 3.4416 * w, "It follows 25 % efficiency and nothing for the body"),
    ],
)
def test_the_formula_of_the_counter_follows_from_a_quarter_of_an_hour(kcal_per_h, said):
    assert said in told(rowed(always(energy_per_hour_kcal=None), seconds=900, block_s=75, kcal_per_h=kcal_per_h))


def test_a_formula_by_which_rest_would_give_energy_back_is_none():
    recording = rowed(kcal_per_h=lambda w: 12 * w - 500, seconds=900, block_s=75)
    assert "its energy per hour goes can't be told" in told(recording)
    assert "By which formula can't be told" in told(recording)
    assert "formula of its own" not in told(recording)


def test_power_that_hardly_differs_tells_no_formula():
    change = lambda time_s, data: data._replace(instantaneous_power_w=150 + 30 * (time_s == 60))  # noqa: E731
    said = told(rowed(change, kcal_per_h=lambda w: 5 * w))
    assert "its energy per hour goes can't be told" in said
    assert "formula of its own" not in said


def test_one_machine_has_one_formula():
    said = told(rowed(seconds=900, block_s=75))
    assert "Its energy per hour is Concept2's" in said
    assert "It follows" not in said


def test_sentences_for_people_name_no_code():
    recording = rowed(always(heart_rate_bpm=0, extra=b"\0"), name="PM5 430000000")
    findings_of = examine(recording).findings
    assert "a heart rate is unsigned, and 0 is no heart rate" in [each.answer for each in findings_of]
    assert not [each for each in findings_of if "`" in each.what + each.answer or "telemetry" in each.answer]


def test_the_sessions_mean_per_hour_is_known_for_what_it_is():
    def mean(time_s, data):
        return data._replace(energy_per_hour_kcal=round(3600 * data.total_energy_kcal / max(1.0, time_s)))

    assert "is the session's mean so far" in told(rowed(mean, seconds=300))


def test_ten_times_the_energy_wants_a_row():
    (found,) = findings(rowed(kcal_per_h=lambda w: 10 * concept2_kcal_per_h(w)), "Q7")
    assert eval(found.row, vars(machines)).handling == {"energy_scale": 0.1}


def test_an_energy_by_another_factor_wants_a_row_of_its_own():
    (found,) = of_verdict(rowed(kcal_per_h=lambda w: 4 * concept2_kcal_per_h(w)), Verdict.NEEDS_ROW)
    row = eval(found.row, vars(machines))
    assert row.key not in {quirk.key for quirk in QUIRKS}
    assert row.handling["energy_scale"] == pytest.approx(0.25, abs=0.01)


# --- the link ---------------------------------------------------------------------------------------------------------


def test_a_silence_amid_the_rowing_is_told_and_one_with_a_reason_is_not():
    change = lambda time_s, data: None if 60 < time_s < 68 else data  # noqa: E731
    (found,) = findings(rowed(change), "Q9")
    assert "1 silence while somebody rowed, the longest of 8.0 s at 1:00" in found.what
    lost = Note(61.0, "lost", {"reason": "the link was lost"})
    recording = rowed(change)
    recording = replace(recording, items=tuple(sorted((*recording.items, lost), key=lambda each: each.time_s)))
    assert findings(recording, "Q9") == []
    assert "The link went once: the link was lost." in told(recording)
    assert "never silent" not in told(recording)


def test_times_that_are_the_same_are_one_figure():
    assert "It came back after 6 s." in told(rowed(items=(Note(0.0, "resumed", {"after_s": 6.2}),)))


def test_a_machine_that_minds_a_second_subscription_is_told():
    lost = Note(130.0, "lost", {"reason": "the machine fell silent when more than Rower Data was subscribed"})
    (found,) = findings(rowed(items=(lost,)), "Q13")
    assert eval(found.row, vars(machines)).handling == {"only_rower_data": True}


# --- rows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("PM5 430000000", "pm5 "),
        ("FS-1C2D3E", "fs-"),
        ("TC1234", "tc####"),
        ("JOROTO-MR280PRO", "joroto-mr280pro"),
        ("S4 Comms 97", "s4 comms "),
        ("12345", ""),
        ("", ""),
    ],
)
def test_a_name_is_cut_before_its_serial_number(name, beginning):
    assert name_beginning(name) == beginning


@pytest.mark.parametrize(
    "quirk", [quirk for quirk in QUIRKS if quirk.remedy is Remedy.ROW], ids=lambda quirk: quirk.key
)
def test_a_row_is_printed_as_python_that_is_that_row(quirk):
    assert eval(row_text(quirk), vars(machines)) == quirk


@given(st.text(max_size=30))
def test_a_strangers_name_in_a_row_is_text_and_nothing_else(name):
    lost = Note(0.0, "lost", {"reason": "the machine fell silent when more than Rower Data was subscribed"})
    (found,) = findings(Recording(header(name), (lost,)), "Q13")
    assert found.row == "" or eval(found.row, vars(machines)).handling == {"only_rower_data": True}


# --- recordings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "quirks"),
    [
        ("intervals-10x45-75", {"Q5"}),
        ("pace-only-10x45-75", {"Q3", "Q5", "Q21"}),
        ("split-clocks-10x45-75", {"Q29"}),
        ("stops-8x500m", {"Q3", "Q5", "Q19", "Q28"}),
        ("dropout-10x45-75", {"Q5", "Q9"}),
        ("resetting-10x45-75", {"Q5"}),
    ],
)
def test_the_fixtures_show_the_quirks_of_their_machines(name, quirks):
    recording = read_recording(RECORDED / f"{name}.jsonl")
    assert {each.quirk for each in examine(recording).findings} - {None} == quirks


def test_a_real_pm5_is_read_right(shared):
    lines = map(json.loads, (shared / "captures" / "pm5_100m_session.jsonl").read_text().splitlines())
    packets = (SimpleNamespace(**line) for line in lines if not line["note"].startswith("write"))
    items = tuple(Notification(each.t, each.char, bytes.fromhex(each.hex)) for each in packets)
    examination = examine(Recording(header("PM5 430000000"), items))
    said = " ".join(finding.what for finding in examination.findings)
    assert examination.says["maker"] == "Concept2"
    assert examination.stroke_count == 10
    assert "power follows from its pace as on a Concept2" in said
    assert "Its energy per hour is Concept2's, for a body of 79 kg: 300 kcal/h" in said
    assert {each.name: each.interval_s for each in examination.streams}["General Status"] == pytest.approx(
        0.51, abs=0.02
    )
    assert not [each for each in examination.findings if each.verdict is Verdict.NEEDS_ROW]


characteristics = st.sampled_from([*READERS, *READ_ONCE, "2ad9", "2ada", "ffff"])
packets = st.builds(Notification, st.floats(0, 1000, allow_nan=False), characteristics, st.binary(max_size=30))
values = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | st.lists(st.none())
)
events = st.sampled_from(["lost", "resumed", "handshake", "connected", "else"])
details = st.dictionaries(st.sampled_from(["reason", "after_s", "step", "outcome", "name"]), values)
notes = st.builds(Note, st.floats(0, 1000, allow_nan=False), events, details)


@given(st.text(max_size=20), st.lists(packets | notes, max_size=60))
def test_any_recording_is_examined(name, items):
    recording = Recording(header(name), tuple(sorted(items, key=lambda each: each.time_s)))
    json.dumps(examine(recording).summary(), default=str)


FIELDS = [name for name in RowerData._fields if name not in ("more_data", "missing", "extra")]
steps = st.floats(0.01, 5)
octets = st.binary(min_size=len(FIELDS), max_size=len(FIELDS))


@given(st.lists(st.tuples(steps, octets), min_size=20, max_size=40))
def test_any_measurements_are_examined(sent):
    items, time_s = [], 0.0
    for step_s, values in sent:
        data = RowerData(**{name: value // 10 for name, value in zip(FIELDS, values, strict=True)})
        items.append(Notification(time_s, "2ad1", encode_rower_data(data)))
        time_s += step_s
    assert examine(Recording(header("X"), tuple(items))).streams


def test_a_machine_gone_mad_is_examined_in_good_time():
    dice = Random(1)
    items = [Notification(number / 100, "2ad1", dice.randbytes(20)) for number in range(20_000)]
    lost = [Note(number / 100, "lost", {"reason": "the link was lost"}) for number in range(20_000)]
    items = sorted([*items, *lost], key=lambda each: each.time_s)
    start_s = process_time()
    examination = examine(Recording(header("X"), tuple(items)))
    assert process_time() - start_s < 20
    assert len(examination.findings) < 100


@given(st.data())
def test_a_recording_torn_or_altered_is_examined(data):
    whole = recording_bytes(header("X"), rowed(seconds=30, stop_s=12).items)
    text = bytearray(whole[: data.draw(st.integers(400, len(whole)))])
    at = data.draw(st.integers(200, len(text) - 1))
    text[at] ^= data.draw(st.integers(1, 255))
    assert examine(parse_recording(bytes(text))).session_id
