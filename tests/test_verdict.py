from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.verdict import how_the_pieces_faded, how_the_plan_was_kept, is_doubtful, percent, sentences, what_was_rowed


def intervals(*stretches):
    """Stretches of (effort, seconds) one after the other."""
    end_s, rows = 0.0, []
    for effort, duration_s in stretches:
        rows.append({"effort": effort, "start_s": end_s, "end_s": end_s + duration_s, "duration_s": duration_s})
        end_s += duration_s
    return rows


def said(*stretches, **fields):
    return what_was_rowed({"intervals": intervals(*stretches), **fields}).replace("\u202f", " ")


def piece(effort="hard", rowed_as="hard", start_late_s=None, end_late_s=None):
    due = {"due_start_s": 0.0, "due_end_s": 45.0}
    return due | {"effort": effort, "rowed_as": rowed_as, "start_late_s": start_late_s, "end_late_s": end_late_s}


def kept(*pieces, followed=True, plan="10x45/75", **fields):
    rounds = [each for each in pieces if each["effort"] == "hard"]
    rowed = sum(each["rowed_as"] == "hard" for each in rounds)
    counts = {"rounds_planned": len(rounds), "rounds_rowed": rowed}
    compliance = {"followed": followed, "pieces": list(pieces)} | counts
    return how_the_plan_was_kept({"plan": plan, "duration_s": 1800.0, "compliance": compliance} | fields)


def test_a_row_that_ends_within_a_piece_ended_there():
    unfinished = piece() | {"due_start_s": 1790.0, "due_end_s": 1835.0}
    assert kept(piece(), unfinished) == "Plan 10x45/75: 2 of 2 rounds rowed; the row ended there."
    assert kept(unfinished | {"effort": "steady"}, plan="30m") == "Plan 30m: the row ended before it was done."


def test_pieces_that_are_clearly_off_are_named_the_worst_first():
    lates_s = [(0.0, 1.0), (4.0, -2.0), (None, 3.0), (-9.0, 0.0), (1.0, 6.0), (0.0, 12.0)]
    sentence = kept(*(piece(start_late_s=late_s, end_late_s=end_s) for late_s, end_s in lates_s))
    assert sentence.endswith(
        "; round 6 was 12 s too long, round 4 began 9 s early and was 9 s too long, "
        "round 2 began 4 s late and was 6 s too short."
    )


def faded(fade, falls, pieces=10):
    rows = intervals(*[("hard", 45), ("easy", 75)] * pieces)
    for row, fall in zip(rows[::2], falls, strict=False):
        row["heart_rate_recovery_bpm"] = fall
    return how_the_pieces_faded({"intervals": rows, "fade": fade}).replace("\u202f", " ")


def test_the_last_pieces_are_compared_with_the_first():
    assert faded(-0.064, []) == "The last 3 pieces were 6 % weaker than the first 3."
    assert faded(0.031, [], pieces=4) == "The last 2 pieces were 3 % stronger than the first 2."
    assert faded(0.0, [], pieces=2) == "The last piece was as strong as the first."


def test_how_the_heart_comes_down_is_said_where_it_is_known():
    assert faded(None, [24.0, None, 30.0]) == "The heart slowed by 27 bpm in the minute after a piece."
    assert faded(None, []) == ""


@pytest.mark.parametrize(
    ("stretches", "words"),
    [
        ([("hard", 45), ("easy", 75)] * 9 + [("hard", 45)], "10 hard pieces of 0:45 with 1:15 easy between them."),
        (
            [("warmup", 300), ("hard", 43), ("easy", 76), ("hard", 45.5), ("easy", 75), ("hard", 46), ("cooldown", 99)],
            "3 hard pieces of about 0:46 with about 1:16 easy between them.",
        ),
        ([("hard", 45), ("rest", 60), ("hard", 542)], "2 hard pieces of 0:45 to 9:02 with 1:00 rest between them."),
        (
            [("hard", 60), ("easy", 60), ("hard", 60), ("rest", 180), ("hard", 60)],
            "3 hard pieces of 1:00 with 1:00 to 3:00 easy or rest between them.",
        ),
        (
            [("hard", 60), ("easy", 30), ("rest", 30), ("easy", 30), ("hard", 60)],
            "2 hard pieces of 1:00 with 1:30 easy or rest between them.",
        ),
        ([("warmup", 300), ("hard", 1200), ("cooldown", 300)], "1 hard piece of 20:00."),
    ],
)
def test_intervals_are_said_as_a_coach_says_them(stretches, words):
    assert said(*stretches) == words


@pytest.mark.parametrize(
    ("stretches", "words"),
    [
        ([("steady", 1812)], "Steady 30:12."),
        ([("steady", 600), ("rest", 40), ("steady", 600), ("rest", 30), ("steady", 612)], "Steady 30:12, 2 pauses."),
        ([("rest", 40), ("warmup", 900), ("steady", 600), ("rest", 60)], "Steady 10:00."),
        ([("easy", 600), ("rest", 60), ("warmup", 300)], "Easy 10:00, 1 pause."),
        ([("rest", 600)], "Nobody rowed."),
    ],
)
def test_a_row_without_hard_pieces_is_said_with_its_pauses(stretches, words):
    assert said(*stretches) == words


def test_the_verdict_says_how_sure_it_is():
    rounds = [("hard", 60), ("easy", 60), ("hard", 60)]
    assert said(*rounds, interval_probability=0.97).endswith(" (97 % sure).")
    assert said(("steady", 1800), interval_probability=0.2).endswith(" (80 % sure).")
    assert said(*rounds, interval_probability=0.99988).endswith(" (99 % sure).")
    assert "sure" not in said(*rounds, interval_probability=None)
    assert "sure" not in said(*rounds)  # stored before this was said


def test_a_person_is_neither_given_odds_nor_held_to_the_plan():
    corrected = {"interval_probability": 0.9, "intervals_from": "corrected"}
    assert said(("hard", 60), ("easy", 60), ("hard", 60), **corrected) == (
        "2 hard pieces of 1:00 with 1:00 easy between them."
    )
    assert kept(piece(), **corrected) == ""


def test_a_plan_kept_is_said_with_its_punctuality():
    pieces = [piece(start_late_s=late_s, end_late_s=late_s - 1) for late_s in (1.0, 2.0, 5.0)]
    assert kept(*pieces) == (
        "Plan 10x45/75: 3 of 3 rounds rowed; "
        "pieces began 2 s late (median; at most 5 s off), ended 1 s late (at most 4 s off); round 3 began 5 s late."
    )


def test_early_and_on_the_bell_are_said_so():
    words = kept(piece(start_late_s=-2.0, end_late_s=0.2))
    assert words.endswith("pieces began 2 s early (median; at most 2 s off), ended on the bell.")


@pytest.mark.parametrize(
    ("pieces", "followed", "words"),
    [
        ([piece()] * 4 + [piece(rowed_as=None)] * 6, True, "Plan P: 4 of 10 rounds rowed; the row ended there."),
        ([piece()] * 3 + [piece(rowed_as="easy")] + [piece()], True, "Plan P: 4 of 5 rounds rowed."),
        ([piece()], True, "Plan P: 1 of 1 round rowed."),
        ([piece("steady", "steady")], True, "Plan P: rowed without hard pieces, as planned."),
        ([piece("easy", "easy"), piece(rowed_as=None)], False, "Plan P: the row ended before its first hard piece."),
        ([piece(rowed_as="steady")] * 2, False, "The plan P was not what was rowed: shown is what was found."),
        ([piece("steady", "hard")], False, "The plan P was not what was rowed: shown is what was found."),
    ],
)
def test_how_much_of_a_plan_was_rowed_is_said(pieces, followed, words):
    assert kept(*pieces, followed=followed, plan="P") == words


def test_hard_pieces_before_the_plans_first_are_another_row():
    rowed = intervals(("hard", 60), ("easy", 60), ("hard", 60))
    words = kept(piece("warmup", "easy"), piece(rowed_as=None), followed=False, intervals=rowed)
    assert words.startswith("The plan 10x45/75 was not what was rowed")


def test_a_free_row_has_no_word_of_a_plan():
    assert sentences({"intervals": intervals(("steady", 60)), "compliance": None}) == ("Steady 1:00.",)
    assert sentences({"intervals": intervals(("steady", 60)), "plan": "30m"}) == ("Steady 1:00.",)  # stored before


def test_without_intervals_nothing_is_said():
    assert sentences({}) == sentences({"intervals": None, "compliance": None}) == ()


def test_a_strangers_plan_is_made_plain():
    assert "\u202e" not in kept(piece(), plan="10x45\u202e/75")


@pytest.mark.parametrize(("confidence", "doubtful"), [(0.69, True), (0.7, False), (1.0, False), (None, False)])
def test_a_change_is_doubtful_below_seventy_percent(confidence, doubtful):
    assert is_doubtful({"start_confidence": confidence}) is doubtful


def test_a_change_stored_without_its_confidence_is_not_doubtful():
    assert not is_doubtful({})


def test_nobody_is_quite_sure():
    assert (percent(1.0), percent(0.614)) == ("99\u202f%", "61\u202f%")


EFFORTS = st.sampled_from(["hard", "easy", "rest", "warmup", "cooldown", "steady"])


@given(st.lists(st.tuples(EFFORTS, st.floats(1, 1e5)), min_size=1, max_size=12), st.none() | st.floats(0, 1))
def test_any_row_is_said_in_one_sentence(stretches, probability):
    words = said(*stretches, interval_probability=probability)
    assert words.endswith(".")
    assert "None" not in words
    assert "–" not in words
    assert words[0].isdigit() == any(effort == "hard" for effort, _ in stretches)
