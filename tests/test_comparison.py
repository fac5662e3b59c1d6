"""A session beside the last one of the same plan."""

from __future__ import annotations

import pytest

from rowsync.comparison import comparable_fields, comparison_sentences
from rowsync.session import analyse


def of(powers, fade=None, falls=(), started_at="2026-11-17T18:00:00Z"):
    falls = [*falls, *[None] * len(powers)]
    hard = [
        {"effort": "hard", "duration_s": 45.0, "mean_power_w": power_w, "heart_rate_recovery_bpm": fall}
        for power_w, fall in zip(powers, falls, strict=False)
    ]
    intervals = [each for piece in hard for each in (piece, {"effort": "easy", "duration_s": 75.0})]
    about = {"session_id": started_at, "started_at": started_at, "plan": "10x45/75"}
    return about | {"intervals": intervals, "fade": fade}


def compared(now, before):
    return [each.replace("\u202f", " ") for each in comparison_sentences(now | {"before": comparable_fields(before)})]


def test_two_sessions_of_a_plan_are_compared_by_power_fade_and_recovery():
    now, before = of([231.0, 233.0], -0.04, [24.0]), of([220.0, 224.0], -0.06, [20.0, 22.0])
    (sentence,) = compared(now, before)
    assert sentence == (
        "Against Tue 17 Nov 2026: 232 W in the hard pieces, +5 % (222 W then); fade −4 % (−6 % then); "
        "the heart slows by 24 bpm in a minute (21 then)."
    )


def test_what_neither_measured_is_not_compared():
    assert compared(of([None, None]), of([220.0])) == []
    assert comparison_sentences(of([200.0])) == ()
    assert comparison_sentences(of([200.0]) | {"before": None}) == ()


def test_a_session_gives_what_the_next_is_compared_with(intervals_recording):
    fields = comparable_fields(analyse(intervals_recording.header, intervals_recording.items).summary())
    assert [each["number"] for each in fields["rounds"]] == list(range(1, 11))
    assert fields["mean_hard_power_w"] == pytest.approx(fields["rounds"][0]["mean_power_w"], rel=0.1)
