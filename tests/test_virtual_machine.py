"""The machines' personalities: which bytes each sends of the same rowing, when, and how it errs."""

import math
from dataclasses import replace

import pytest

from rowsync import concept2
from rowsync.ftms import ROWER_DATA, RowerData, decode_rower_data
from rowsync.intervals import Effort
from rowsync.plan import Piece, Plan
from rowsync.virtual.console import CONCEPT2_READINGS, READINGS
from rowsync.virtual.machine import LIVE, MACHINES, STANDARD, Console, Frame, MachineModel
from rowsync.virtual.model import Event, Glitch
from rowsync.virtual.rower import VirtualRower

PLAN = Plan("", (Piece(Effort.HARD, 60), Piece(Effort.REST, 60), Piece(Effort.HARD, 60)))
LONG = Plan("", (Piece(Effort.STEADY, 900),))


def session(model, plan=PLAN, until_s=200, **options):
    """All notifications of one session: (time [s], payload)."""
    rower, console, sent, at_s = VirtualRower(plan, **options), Console(model), [], 0.0
    while at_s <= until_s:
        sent += [(at_s, payload) for payload in console.feed(rower.advance(at_s))]
        at_s = min(console.next_due_s, rower.next_change_s if console.follows_strokes else math.inf)
    return sent


def decoded(sent):
    return [(at_s, decode_rower_data(payload)) for at_s, payload in sent]


SPEAKING_FTMS = [name for name, row in MACHINES.items() if all(each.carrier == ROWER_DATA for each in row.frames)]


@pytest.mark.parametrize("name", SPEAKING_FTMS)
def test_every_notification_fits_into_twenty_octets_and_can_be_read(name):
    for _, payload in session(MACHINES[name]):
        assert len(payload) <= 20
        data = decode_rower_data(payload)
        assert data.missing == (("elapsed_time_s",) if name == "mr-captain" else ())
        assert data.extra == (b"\x00" if name == "pm5" and data.more_data else b"")


@pytest.mark.parametrize("name", MACHINES)
def test_every_field_of_a_row_is_one_that_can_be_reckoned(name):
    row = MACHINES[name]
    named = {field for frame in row.frames for field in frame.fields if frame.characteristic == ROWER_DATA}
    named |= {*row.readings, *row.scales, *row.when_still, *(glitch.field for glitch in row.glitches)}
    assert named <= set(READINGS)


def test_every_reading_in_concept2s_words_belongs_to_a_layout():
    fields = {field.name for layout in concept2.MULTIPLEXED_LAYOUTS.values() for field in layout}
    fields |= {field.name for layout in concept2.LAYOUTS.values() for field in layout}
    assert set(CONCEPT2_READINGS) <= fields


@pytest.mark.parametrize("name", MACHINES)
def test_the_same_seed_gives_the_same_bytes(name):
    assert session(MACHINES[name], seed=7) == session(MACHINES[name], seed=7)
    assert session(MACHINES[name], seed=7) != session(MACHINES[name], seed=8)


def test_the_standard_machine_tells_everything_twice_a_second():
    sent = session(STANDARD)
    assert [at_s for at_s, _ in sent] == pytest.approx([n / 2 for n in range(401)])
    at_s, data = decoded(sent)[60]
    assert at_s == 30
    assert data == RowerData(
        more_data=False,
        stroke_rate_spm=28.0,
        stroke_count=13,
        total_distance_m=112,
        instantaneous_pace_s_per_500m=116,
        instantaneous_power_w=222,
        total_energy_kcal=7,
        energy_per_hour_kcal=1063,
        energy_per_minute_kcal=18,
        heart_rate_bpm=116,
        elapsed_time_s=28,
    )


def test_the_first_notification_is_all_zeros_but_for_the_heart():
    (_, payload), *_ = session(STANDARD)
    assert payload == bytes.fromhex(
        "2c 0b"  # flags: distance, pace, power, energy, heart rate, elapsed; bit 0 clear, so strokes too
        "00"  # stroke rate
        "00 00"  # stroke count
        "00 00 00"  # total distance
        "00 00"  # pace
        "00 00"  # power
        "00 00 2c 01 05"  # energy 0 kcal, 300 kcal/h, 5 kcal/min
        "48"  # heart rate 72/min
        "00 00"  # elapsed time
    )


def test_the_standard_machine_shows_zeros_six_seconds_after_a_stop():
    data = dict(decoded(session(STANDARD)))
    assert data[66].instantaneous_power_w > 150
    stopped = data[80]
    assert (stopped.stroke_rate_spm, stopped.instantaneous_power_w, stopped.instantaneous_pace_s_per_500m) == (0, 0, 0)
    assert stopped.stroke_count == data[110].stroke_count


def test_a_pm5_freezes_after_a_stop():
    main = [(at_s, data) for at_s, data in decoded(session(MACHINES["pm5"])) if data.more_data]
    resting = [data for at_s, data in main if 70 < at_s < 115]
    assert len({(data.instantaneous_power_w, data.instantaneous_pace_s_per_500m) for data in resting}) == 1
    assert resting[0].instantaneous_power_w > 150


def test_a_pm5_sends_pairs_in_the_shapes_of_its_captures():
    sent = session(MACHINES["pm5"])
    assert [payload[:2].hex() for _, payload in sent] == ["ff0a", "0001"] * (len(sent) // 2)
    assert {len(payload) for _, payload in sent} == {20, 10}
    second = decoded(sent)[121][1]
    assert second.energy_per_minute_kcal is None
    assert second.energy_per_hour_kcal > 900


def test_a_viking_sends_three_frames_on_three_clocks():
    sent = session(MACHINES["viking"])
    shapes = {
        shape: [at_s for at_s, payload in sent if payload[:2].hex() == shape] for shape in ("050a", "f800", "0101")
    }
    assert len(sent) == sum(map(len, shapes.values()))
    assert shapes["050a"] == pytest.approx(range(201))
    strokes = VirtualRower(PLAN)
    strokes.advance(200)
    assert shapes["f800"] == shapes["0101"] == [stroke.end_s for stroke in strokes.truth.strokes]


def test_a_viking_sends_energy_right_after_the_stroke_and_no_average_pace():
    sent = decoded(session(MACHINES["viking"]))
    at = next(n for n, (_, data) in enumerate(sent) if data.stroke_count is not None)
    assert sent[at][1].average_pace_s_per_500m == 0
    assert sent[at + 1][1].total_energy_kcal is not None
    assert sent[at][0] == sent[at + 1][0]


def test_a_pace_only_machine_has_neither_power_nor_energy():
    data = decoded(session(MACHINES["pace-only"]))
    assert all(one.instantaneous_power_w is None and one.total_energy_kcal is None for _, one in data)
    assert [at_s for at_s, _ in data] == pytest.approx(range(201))


def test_a_pace_only_machine_says_ffff_before_the_first_stroke():
    (_, payload), *_ = session(MACHINES["pace-only"])
    assert payload == bytes.fromhex("0c 08  00  00 00  00 00 00  ff ff  00 00")


def test_a_dropout_is_ten_seconds_of_silence_while_the_machine_counts_on():
    data = decoded(session(MACHINES["dropout"], LONG, 600))
    gap = next(n for n in range(1, len(data)) if data[n][0] - data[n - 1][0] > 1)
    before, after = data[gap - 1], data[gap]
    assert (before[0], after[0]) == (391.5, 402)
    assert after[1].stroke_count - before[1].stroke_count in (3, 4)
    assert after[1].total_distance_m - before[1].total_distance_m == pytest.approx(10.5 * 3.7, abs=2)


def test_a_resetting_machine_counts_from_nought_again():
    data = decoded(session(MACHINES["resetting"], LONG, 700))
    at = next(n for n in range(1, len(data)) if data[n][1].stroke_count < data[n - 1][1].stroke_count)
    at_s, fresh = data[at]
    assert at_s == 632
    assert (fresh.stroke_count, fresh.total_distance_m, fresh.elapsed_time_s, fresh.total_energy_kcal) == (0, 0, 0, 0)
    assert fresh.instantaneous_power_w == data[at - 1][1].instantaneous_power_w
    assert data[at + 20][1].elapsed_time_s == 10


def test_a_personality_of_ones_own_is_one_row():
    model = MachineModel((Frame(LIVE, period_s=0.25),), features=None, silent_s=(10, 20))
    sent = session(model, until_s=40)
    assert len(sent) == 161 - 40
    assert not any(12 <= at_s < 22 for at_s, _ in sent)


def test_a_frame_may_wait_for_events_and_have_a_period_too():
    model = MachineModel((Frame(LIVE, 10.0, on=(Event.STROKE, Event.END)),), features=None)
    times = [at_s for at_s, _ in session(model)]
    rower = VirtualRower(PLAN)
    rower.advance(200)
    ends = {stroke.end_s for stroke in rower.truth.strokes}
    assert times == pytest.approx(sorted({*ends, *map(float, range(0, 201, 10))}))


def test_the_end_of_a_piece_and_of_the_programme_are_told_once_each_and_rests_are_not():
    pieces, end = (MachineModel((Frame(LIVE, on=(event,)),), features=None) for event in (Event.PIECE, Event.END))
    rower = VirtualRower(PLAN)
    rower.advance(200)
    first, second = rower.truth.pieces[0], rower.truth.pieces[-1]
    assert [at_s for at_s, _ in session(pieces)] == [first.end_s]
    assert [at_s for at_s, _ in session(end)] == [second.end_s]


def test_counters_that_a_piece_zeroes_count_the_piece_alone_and_the_others_go_on():
    data = dict(decoded(session(replace(STANDARD, zeroed_by_piece=("distance_m",)))))
    whole = dict(decoded(session(STANDARD)))
    assert data[60].total_distance_m == whole[60].total_distance_m > 200
    assert data[150].total_distance_m < 130 < whole[150].total_distance_m
    assert data[150].stroke_count == whole[150].stroke_count


def test_a_console_that_is_reset_counts_from_there():
    rower, console = VirtualRower(PLAN), Console(STANDARD)
    console.feed(rower.advance(30))
    console.reset()
    (payload,) = console.feed(rower.advance(40))
    data = decode_rower_data(payload)
    assert (data.elapsed_time_s, data.stroke_count) == (10, 4)


def test_nobody_glitches_before_rowing():
    model = replace(STANDARD, glitches=(Glitch("stroke_rate_spm", 99, 99, first_strokes=(2, 2)),))
    rates = [(data.stroke_count, data.stroke_rate_spm) for at_s, data in decoded(session(model, until_s=30))]
    assert rates[0] == (0, 0)
    assert {count for count, rate in rates if rate == 99} == {0, 1}


def test_a_console_fed_late_sends_once_and_goes_on_in_step():
    rower, console = VirtualRower(PLAN), Console(STANDARD)
    console.feed(rower.advance(0))
    assert len(console.feed(rower.advance(7.3))) == 1
    assert console.next_due_s == 7.5
    assert console.feed(rower.advance(7.4)) == []


def test_averages_and_paces_of_a_hardly_turning_wheel_still_fit():
    state = VirtualRower(PLAN).advance(30)
    crawling = replace(state, distance_m=1.0, elapsed_s=60_000.0, pace_s_per_500m=1e9)
    data = decode_rower_data(Console(MACHINES["pm5"]).feed(crawling)[0])
    assert (data.instantaneous_pace_s_per_500m, data.average_pace_s_per_500m) == (0xFFFE, 0xFFFE)
