"""What changed, in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rowsync.changes import ANEW, BESIDE, Change, changes_sentences


def summary(distance_m=5000.0, kcal=300.0, hard=10, **more):
    energy, intervals = {"gross_kcal": kcal}, [{"effort": "hard"}] * hard + [{"effort": "easy"}]
    return {"distance_m": distance_m, "energy": energy, "intervals": intervals, **more}


def plain(sentences):
    return [sentence.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-") for sentence in sentences]


def test_sessions_in_which_the_same_figures_changed_are_told_together_by_their_sums():
    changes = [Change(summary(5000.0, 300.0), summary(5020.0, 294.0))] * 3
    assert plain(changes_sentences(changes)) == ["3 sessions: distance +0.4 %, energy -2 %"]


def test_the_largest_group_comes_first():
    changes = [
        Change(summary(), summary(hard=8)),
        Change(None, summary()),
        *[Change(summary(mean_power_w=100.0), summary(mean_power_w=150.0))] * 2,
    ]
    assert plain(changes_sentences(changes)) == [
        "2 sessions: power +50 %",
        "1 session: hard intervals 10 → 8",
        f"1 session: {ANEW}",
    ]


def test_a_figure_that_was_not_known_is_known_now_and_zero_is_no_such_figure():
    assert changes_sentences([Change(summary(None), summary(0.0))]) == ["1 session: distance known now"]
    assert changes_sentences([Change(summary(0.0), summary(None))]) == ["1 session: distance not known any more"]
    assert changes_sentences([Change(summary(0.0), summary(10.0))]) == ["1 session: distance 0 → 10"]


def test_what_stands_beside_the_figures_is_said_to_have_changed():
    assert changes_sentences([Change(summary(), summary(best_powers_w={}))]) == [f"1 session: {BESIDE}"]
    assert changes_sentences([]) == []


def test_another_start_is_a_main_figure_however_it_is_written():
    then = summary(started_at="2026-11-30T12:00:00Z")
    moved, same = summary(5020.0, started_at="1970-01-01T00:00:00Z"), summary(started_at="2026-11-30T13:00:00+01:00")
    assert plain(changes_sentences([Change(then, moved)])) == ["1 session: another start, distance +0.4 %"]
    assert changes_sentences([Change(then, same)]) == [f"1 session: {BESIDE}"]


def test_changes_that_cancel_out_are_told_as_none_in_the_sum():
    changes = [Change(summary(1000.0), summary(1100.0)), Change(summary(1000.0), summary(900.0))]
    assert plain(changes_sentences(changes)) == ["2 sessions: distance ±0 %"]


@given(st.dictionaries(st.sampled_from(["distance_m", "duration_s", "energy", "intervals"]), st.none() | st.floats()))
def test_a_summary_that_lacks_fields_or_has_strange_numbers_is_told_of_all_the_same(before):
    strange = before | {"energy": {"gross_kcal": before.get("energy")}, "intervals": []}
    assert len(changes_sentences([Change(strange, summary())])) == 1
