"""The hard pieces of a row beside each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rowsync.intervals import Effort
from rowsync.rounds import Turns, fade, heart_rate_recovery_bpm, peak_heart_rate_bpm
from rowsync.session import Tracker, analyse
from rowsync.telemetry import Sample


def beating(*rates, every_s=1.0):
    return [Sample(at * every_s, True, heart_rate_bpm=rate) for at, rate in enumerate(rates)]


@pytest.mark.parametrize(
    ("powers", "share"),
    [
        ([200, 200, 200, 200, 180, 180, 180], -0.1),
        ([200, 220], 0.1),
        ([200, 300, 210], 0.05),
        ([200], None),
        ([], None),
        ([200, None, 200], None),
    ],
)
def test_fade_compares_the_last_three_pieces_with_the_first_three_or_halves(powers, share):
    found = fade([(45.0, power_w) for power_w in powers])
    assert found == (share if share is None else pytest.approx(share))


def test_pieces_of_several_lengths_tell_no_fade():
    assert fade([(60.0, 250.0), (120.0, 220.0), (180.0, 200.0)]) is None
    assert fade([(43.0, 250.0), (46.0, 250.0)]) == 0.0


def test_the_heart_is_read_at_the_end_of_a_piece_and_a_minute_later():
    samples = beating(*[170] * 46, *[170 - at // 2 for at in range(100)])
    assert heart_rate_recovery_bpm(samples, 45.0, 200.0) == 29.0


def test_recovery_is_not_told_where_the_next_piece_begins_before_the_minute_is_over():
    assert heart_rate_recovery_bpm(beating(*[150] * 200), 45.0, 100.0) is None


@pytest.mark.parametrize(
    "samples", [[], beating(*[150] * 50), beating(*[None] * 200), beating(150, 140, every_s=300.0)]
)
def test_recovery_is_not_told_without_a_heart_rate_at_both_times(samples):
    assert heart_rate_recovery_bpm(samples, 45.0, 200.0) is None


def test_the_peak_is_the_highest_rate_within():
    assert peak_heart_rate_bpm(beating(180, 150, None, 160, 190), 1.0, 4.0) == 160
    assert peak_heart_rate_bpm(beating(None), 0.0, 1.0) is None


def test_turns_remember_the_hard_stretches_that_are_over():
    turns = Turns()
    efforts = [None, Effort.EASY, Effort.HARD, Effort.HARD, Effort.EASY, Effort.REST, Effort.HARD]
    for time_s, effort in enumerate(efforts):
        turns.feed(10.0 * time_s, effort)
    assert turns.spans_s == [(20.0, 40.0)]


def tracked(recording, plan):
    tracker = Tracker(replace(recording.header, plan=plan))
    for item in recording.items:
        tracker.feed(item)
    return tracker


def test_live_the_rounds_of_a_plan_are_what_was_rowed_between_its_bells(intervals_recording):
    rounds = tracked(intervals_recording, intervals_recording.header.plan).rounds()
    found = analyse(intervals_recording.header, intervals_recording.items).intervals
    hard = [each for each in found if each.effort is Effort.HARD]
    assert len(rounds) == 10
    assert all(round(each.duration_s) == 45 for each in rounds)
    for live, final in zip(rounds, hard, strict=True):
        assert live.mean_power_w == pytest.approx(final.mean_power_w, rel=0.05)


def test_live_the_rounds_of_a_free_row_are_those_that_were_noticed(intervals_recording):
    rounds = tracked(intervals_recording, None).rounds()
    assert 8 <= len(rounds) <= 11
    assert all(each.mean_power_w > 150 for each in rounds)
