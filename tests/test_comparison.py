"""A session beside the last ones of the same plan."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.comparison import comparable_fields, comparison_sentences, strength_sentence
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


def test_another_machine_is_said_and_one_that_isnt_known_is_not():
    here, there = {"name": "B", "address": "00:01"}, {"name": "A", "address": None}
    now, before = of([231.0]) | {"machine": here}, of([220.0]) | {"machine": there}
    assert compared(now, before)[1:] == [
        "That was on another machine, A, whose watts may read otherwise: see rowsync machines."
    ]
    namesake = of([220.0]) | {"machine": here | {"address": "00:02"}}
    assert "another machine, 00:02, whose" in compared(now, namesake)[1]
    for known in (here | {"name": "renamed"}, {}, {"name": None}):
        assert len(compared(now, of([220.0]) | {"machine": known})) == 1


def test_what_neither_measured_is_not_compared():
    assert compared(of([None, None]), of([220.0])) == []
    assert comparison_sentences(of([200.0])) == ()
    assert comparison_sentences(of([200.0]) | {"before": None}) == ()


def test_a_session_gives_what_the_next_is_compared_with(intervals_recording):
    fields = comparable_fields(analyse(intervals_recording.header, intervals_recording.items).summary())
    assert [each["number"] for each in fields["rounds"]] == list(range(1, 11))
    assert fields["mean_hard_power_w"] == pytest.approx(fields["rounds"][0]["mean_power_w"], rel=0.1)


def strength(now, before, now_at="2026-11-23T18:00:00Z", before_at="2026-11-17T18:00:00Z"):
    return strength_sentence(
        comparable_fields(of(now, started_at=now_at)), comparable_fields(of(before, started_at=before_at))
    )


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        ([220.0] * 10, [220.0] * 7 + [207.0] * 3, "4 W stronger than on 17 November, by holding on in rounds 8–10."),
        ([220.0] * 7 + [207.0] * 3, [220.0] * 10, "4 W weaker than on 17 November, by fading in rounds 8–10."),
        ([230.0] + [220.0] * 4, [220.0] * 5, "2 W stronger than on 17 November, by starting harder in round 1."),
        ([210.0] + [220.0] * 4, [220.0] * 5, "2 W weaker than on 17 November, by starting easier in round 1."),
        ([220.0, 230.0, 220.0, 220.0], [220.0] * 4, "2 W stronger than on 17 November, most of it in round 2."),
        ([220.0] * 3 + [240.0], [220.0] * 4, "5 W stronger than on 17 November, by finishing harder in round 4."),
        (
            [220.0] * 3 + [220.0],
            [220.0] * 3 + [240.0],
            "5 W weaker than on 17 November, by finishing easier in round 4.",
        ),
        ([225.0, 226.0, 224.0], [220.0] * 3, "5 W stronger than on 17 November, in nearly every round."),
        ([220.0, 220.4], [220.0, 220.0], "As strong as on 17 November."),
        ([230.0, 0.0], [220.0], "10 W stronger than on 17 November, over the 1 round that can be compared."),
    ],
)
def test_how_much_stronger_and_where_is_said_in_words(now, before, said):
    assert strength(now, before) == said


def test_a_day_is_said_as_one_says_it():
    assert "than on 17 November 2025" in strength([230.0], [220.0], before_at="2025-11-17T18:00:00Z")
    assert "than earlier that day, at " in strength([230.0], [220.0], before_at="2026-11-23T17:00:00Z")
    assert "than the time before" in strength([230.0], [220.0], before_at="?")


def test_without_power_in_a_round_of_both_nothing_is_said():
    assert strength([None, 200.0], [200.0, None]) == ""
    assert strength([], [200.0]) == ""


WATTS = st.lists(st.one_of(st.none(), st.floats(0, 600)), max_size=12)


@given(WATTS, WATTS)
def test_any_two_sessions_are_compared_in_a_sentence_or_not_at_all(now, before):
    said = strength(now, before)
    assert said == "" or re.fullmatch(r"(As strong as|\d+ W (stronger|weaker) than) on 17 November.*\.", said)
