"""The core put together: any bytes in, one honest session out."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.targets import row_of, stream_of
from rowsync.athlete import Athlete
from rowsync.ftms import RowerData, decode_rower_data, encode_rower_data
from rowsync.session import Header, Tracker, analyse
from rowsync.telemetry import Notification

HEADER = Header("test", datetime(2026, 11, 23, 12, tzinfo=UTC), athlete=Athlete("anna", mass_kg=75.0))


def steady(until_s=600.0, *, period_s=0.5, power_w=150):
    """Notifications of a steady row, 24 spm at 2:05 /500 m (synthetic)."""
    times = [period_s * n for n in range(int(until_s / period_s) + 1)]
    return [
        Notification(
            time_s,
            "2ad1",
            encode_rower_data(
                RowerData(
                    stroke_rate_spm=24.0,
                    stroke_count=int(time_s / 2.5),
                    total_distance_m=int(time_s * 4),
                    instantaneous_pace_s_per_500m=125,
                    instantaneous_power_w=power_w,
                    heart_rate_bpm=140,
                )
            ),
        )
        for time_s in times
    ]


def test_a_steady_row_has_the_totals_it_was_made_of():
    session = analyse(HEADER, steady())
    assert (session.duration_s, session.distance_m, session.stroke_count) == (600.0, 2400, 240)
    assert session.mean_power_w == pytest.approx(150)
    assert session.mean_stroke_rate_spm == pytest.approx(24, rel=0.01)
    assert session.mean_heart_rate_bpm == 140
    assert [interval.effort for interval in session.intervals] == ["steady"]


def test_live_and_after_the_fact_are_the_same_to_the_last_digit(intervals_recording):
    tracker = Tracker(intervals_recording.header)
    for notification in intervals_recording.notifications:
        tracker.feed(notification)
        assert tracker.gross_kcal >= 0  # a live screen may ask at any time without changing anything
    tracker.effort  # noqa: B018
    assert tracker.finish() == analyse(intervals_recording.header, intervals_recording.items)


def test_intervals_tile_the_session_and_sum_to_its_totals(intervals_recording):
    session = analyse(intervals_recording.header, intervals_recording.items)
    edges = [(interval.start_s, interval.end_s) for interval in session.intervals]
    assert edges[0][0] == 0.0
    assert edges[-1][1] == session.duration_s
    assert all(a[1] == b[0] for a, b in pairwise(edges))
    assert sum(interval.distance_m for interval in session.intervals) == pytest.approx(session.distance_m)
    assert sum(interval.stroke_count for interval in session.intervals) == session.stroke_count
    assert sum(interval.gross_kcal for interval in session.intervals) == pytest.approx(session.energy.gross_kcal)


@pytest.mark.parametrize("period_s", [0.25, 0.5, 1.0])
def test_totals_do_not_depend_on_how_often_the_machine_speaks(period_s):
    session = analyse(HEADER, steady(period_s=period_s))
    assert session.energy.gross_kcal == pytest.approx(127.3, rel=0.01)  # 10 * (0.0563 * 75 + 0.0567 * 150)
    assert session.stroke_count == 240


def test_one_in_twenty_notifications_lost_changes_energy_by_less_than_a_hundredth():
    kept = [notification for number, notification in enumerate(steady()) if number % 20 != 7]
    assert analyse(HEADER, kept).energy.gross_kcal == pytest.approx(127.3, rel=0.01)


@pytest.mark.parametrize("fields", [{"instantaneous_power_w": 32767}, {"instantaneous_power_w": 0}, {}])
def test_without_believable_watts_energy_follows_from_pace_or_metres_and_says_so(fields):
    """150 W is 2:12.6 /500 m, 9.42 m in 2.5 s: the energy is that of 150 W whatever the machine leaves out."""
    pace = {} if fields == {} else {"instantaneous_pace_s_per_500m": 133}
    notifications = [
        Notification(
            0.5 * n,
            "2ad1",
            encode_rower_data(
                RowerData(
                    stroke_rate_spm=24.0, stroke_count=n // 5, total_distance_m=int(n * 0.5 * 3.77), **pace, **fields
                )
            ),
        )
        for n in range(1201)
    ]
    session = analyse(HEADER, notifications)
    assert session.energy.gross_kcal == pytest.approx(127.3, rel=0.02)
    assert session.power_source == ("pace" if pace else "distance")


def test_sound_power_is_kept_on_a_machine_whose_metres_are_not_concept2s():
    notifications = [
        Notification(
            0.5 * n,
            "2ad1",
            encode_rower_data(
                RowerData(
                    stroke_rate_spm=24.0,
                    stroke_count=n // 5,
                    total_distance_m=int(n * 0.5 * 3.77 / 2),
                    instantaneous_power_w=150 + (n // 50) % 3,
                )
            ),
        )
        for n in range(1201)
    ]
    assert analyse(HEADER, notifications).mean_power_w == pytest.approx(151, abs=1.5)


def test_a_gap_is_marked_costs_nothing_and_loses_no_metre():
    with_hole = [notification for notification in steady() if not 300 < notification.time_s < 330]
    session, whole = analyse(HEADER, with_hole), analyse(HEADER, steady())
    (gap,) = session.gaps
    assert (gap.start_s, gap.end_s) == (300.0, 330.0)
    assert "12 strokes were counted" in gap.reason
    assert (session.distance_m, session.stroke_count) == (whole.distance_m, whole.stroke_count)
    assert session.energy.gross_kcal == pytest.approx(whole.energy.gross_kcal * 570 / 600, rel=0.01)


def test_a_gap_is_a_gap_in_rower_data_whatever_else_arrives_in_it():
    belt = [Notification(float(second), "2a37", b"\x00\x50") for second in range(600)]
    with_hole = [notification for notification in steady() if not 300 < notification.time_s < 330]
    both = sorted(with_hole + belt, key=lambda notification: notification.time_s)
    assert analyse(HEADER, both).gaps == analyse(HEADER, with_hole).gaps


def test_a_silence_of_hours_is_no_rest_and_costs_nothing():
    later = [replace(each, time_s=each.time_s + 7200.0) for each in steady(300.0)]
    session = analyse(HEADER, steady(300.0) + later)
    assert [gap.reason for gap in session.gaps] == ["no data"]
    assert session.energy.gross_kcal == pytest.approx(127.3, rel=0.02)


def test_silence_in_which_nobody_rowed_is_rest_not_a_gap():
    strokes_before, after = steady(100.0), [replace(each, time_s=each.time_s + 60.0) for each in steady(200.0)[201:]]
    session = analyse(HEADER, strokes_before + after)
    assert session.gaps == ()
    assert session.stroke_count == 80


def test_times_count_from_the_first_notification():
    later = [replace(each, time_s=each.time_s + 17.25) for each in steady()]
    assert analyse(HEADER, later) == analyse(HEADER, steady())


def test_a_session_in_which_nobody_rowed_has_no_strokes_and_costs_rest():
    session = analyse(HEADER, [Notification(float(n), "2ad1", bytes.fromhex("00 00 00 00 00")) for n in range(61)])
    assert (session.stroke_count, session.moving_s, session.mean_power_w) == (0, 0, None)
    assert session.energy.gross_kcal == pytest.approx(75 / 60)
    assert session.energy.net_kcal == pytest.approx(0)


def test_nothing_at_all_is_a_session_of_no_length():
    session = analyse(HEADER, [])
    assert (session.duration_s, session.intervals, session.distance_m) == (0.0, (), None)


def test_notifications_that_were_cut_short_are_counted():
    payload = bytes.fromhex("3c 0b 30 02 00 0a 00 00 d1 00 5e 01 16 00 01 00 02 02 08 00")
    assert analyse(HEADER, [Notification(0.0, "2ad1", payload)]).malformed_notifications == 1


notifications = st.builds(
    Notification,
    st.floats(0, 5000),
    st.sampled_from(["2ad1", "2ad1", "2a37", "ce060031"]),
    st.binary(max_size=24) | st.builds(lambda body: b"\x2c\x0b" + body, st.binary(min_size=18, max_size=18)),
)


@settings(max_examples=200)
@given(st.lists(notifications, max_size=60))
def test_any_bytes_on_any_characteristic_in_any_order_are_survived(stream):
    tracker = Tracker(HEADER)
    for notification in stream:
        tracker.feed(notification)
        tracker.effort  # noqa: B018
    session = tracker.finish()
    assert session.notifications == len(stream)
    assert session.summary()["duration_s"] >= 0
    assert session.energy.gross_kcal >= 0


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from([stream_of, row_of]), st.integers(1, 200))
def test_who_asks_seldom_hears_the_same_as_who_asks_always(data, of, every):
    """Machines of every quirk, with gaps, splits, resets and bad bytes: what is reckoned late is what it was then."""
    header, items = of(data)
    seldom, always = Tracker(header), Tracker(header)
    for number, item in enumerate(items):
        assert seldom.feed(item) == always.feed(item)
        heard = live(always)
        if number % every == 0:
            assert live(seldom) == heard
    assert live(seldom) == live(always)
    assert seldom.finish() == always.finish() == analyse(header, items)


def live(tracker):
    """What a tracker says while a row goes on."""
    return tracker.effort, tracker.settled_effort, tracker.rounds(), tracker.gross_kcal, tracker.energy_half_width


@pytest.mark.parametrize("seed", range(12))
def test_a_recording_with_notifications_lost_doubled_altered_and_late_still_adds_up(intervals_recording, seed):
    dice = random.Random(seed)
    stream, late_s = [], 0.0
    for notification in intervals_recording.notifications:
        fate = dice.random()
        late_s += dice.uniform(0, 5000) if fate > 0.999 else 0.0
        payload = bytearray(notification.payload)
        if fate < 0.02:
            payload[dice.randrange(len(payload))] ^= 1 << dice.randrange(8)
        copies = 0 if 0.02 < fate < 0.05 else 2 if 0.05 < fate < 0.08 else 1
        stream += [replace(notification, time_s=notification.time_s + late_s, payload=bytes(payload))] * copies
    session = analyse(HEADER, stream)
    edges = [(interval.start_s, interval.end_s) for interval in session.intervals]
    assert (edges[0][0], edges[-1][1]) == (0.0, session.duration_s)
    assert all(a[1] == b[0] for a, b in pairwise(edges))
    assert sum(interval.stroke_count for interval in session.intervals) == session.stroke_count
    assert sum(interval.gross_kcal for interval in session.intervals) == pytest.approx(session.energy.gross_kcal)
    assert sum(interval.distance_m for interval in session.intervals) == pytest.approx(session.distance_m)
    assert session.stroke_count == pytest.approx(647, rel=0.02)
    assert session.distance_m == pytest.approx(6309, rel=0.02)


# --- energy -----------------------------------------------------------------------------------------------------------


def heard(recording, keep):
    """A recording of which only some notifications came through."""
    return [item for n, item in enumerate(recording.items) if not isinstance(item, Notification) or keep(n)]


def energy_of(header, items):
    return analyse(header, items).energy


@pytest.mark.parametrize("every", [2, 4])
def test_energy_is_the_same_however_often_the_machine_speaks(intervals_recording, every):
    whole = energy_of(intervals_recording.header, intervals_recording.items)
    seldom = energy_of(intervals_recording.header, heard(intervals_recording, lambda n: n % every == 0))
    assert seldom.gross_kcal == pytest.approx(whole.gross_kcal, rel=0.01)
    assert seldom.net_kcal == pytest.approx(whole.net_kcal, rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_energy_is_the_same_when_one_notification_of_twenty_is_lost(intervals_recording, seed):
    dice = random.Random(seed)
    whole = energy_of(intervals_recording.header, intervals_recording.items)
    lossy = energy_of(intervals_recording.header, heard(intervals_recording, lambda n: dice.random() > 0.05))
    assert lossy.gross_kcal == pytest.approx(whole.gross_kcal, rel=0.01)


def test_phases_and_intervals_sum_to_the_total_within_a_tenth_of_a_kilocalorie(intervals_recording):
    session = analyse(intervals_recording.header, intervals_recording.items)
    for name in ("gross_kcal", "net_kcal"):
        total = getattr(session.energy, name)
        assert sum(getattr(phase, name) for phase in session.energy.phases) == pytest.approx(total, abs=0.1)
        assert sum(getattr(interval, name) for interval in session.intervals) == pytest.approx(total, abs=0.1)


@pytest.mark.parametrize("power_w", [-50, -1, 32767])
def test_watts_that_no_body_makes_are_not_watts(power_w):
    """The field is signed: 65,535 W are -1, and 32,767 stands for "not available" on some machines."""
    honest, absurd = energy_of(HEADER, steady(power_w=150)), energy_of(HEADER, steady(power_w=power_w))
    assert absurd.gross_kcal == pytest.approx(honest.gross_kcal, rel=0.25)  # from its pace, which is said
    assert absurd.source in ("pace", "distance")
    assert absurd.half_width > honest.half_width


def test_a_clock_that_steps_costs_nothing_and_never_goes_back():
    items = steady(300)
    stepped = [replace(item, time_s=max(0.0, item.time_s - 200)) if n > 300 else item for n, item in enumerate(items)]
    gross = 0.0
    tracker = Tracker(HEADER)
    for item in stepped:
        tracker.feed(item)
        assert tracker.gross_kcal >= gross
        gross = tracker.gross_kcal
    assert tracker.finish().energy.gross_kcal <= energy_of(HEADER, items).gross_kcal * 1.01


def test_a_concept2_is_believed_more_than_a_machine_of_which_nobody_knows():
    believed = replace(HEADER, machine={"name": "PM5 430000000"})
    assert energy_of(believed, steady()).half_width < 0.16 < energy_of(HEADER, steady()).half_width


def test_a_machine_whose_watts_the_heart_contradicts_is_doubted():
    athlete = Athlete("ben", mass_kg=80.0, age_years=40.0, sex="male")
    header = replace(HEADER, athlete=athlete)
    assert analyse(header, steady(1200, power_w=12)).doubtful_power is not None
    assert analyse(header, steady(1200, power_w=120)).doubtful_power is None
    assert analyse(HEADER, steady(1200, power_w=12)).doubtful_power is None  # nobody knows who rows


def test_power_that_a_machine_stops_sending_is_said_and_widens_the_range():
    header = replace(HEADER, machine={"name": "PM5 430000000"})
    honest = steady(1200)
    silent = [
        replace(item, payload=encode_rower_data(replace_power(item.payload))) if item.time_s > 60 else item
        for item in honest
    ]
    energy = energy_of(header, silent)
    assert energy.source == "pace"
    assert "derived from pace" in energy.doubts[0]
    assert energy.half_width > 0.2 > energy_of(header, honest).half_width


def replace_power(payload):
    return decode_rower_data(payload)._replace(instantaneous_power_w=None)
