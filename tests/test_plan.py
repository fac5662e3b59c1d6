"""Plans as people type them."""

from __future__ import annotations

import re
import time
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.athlete import Athlete
from rowsync.errors import UsageError
from rowsync.intervals import Effort
from rowsync.plan import (
    MOST_DEPTH,
    MOST_PIECES,
    NAMED_PLANS,
    Part,
    Piece,
    Plan,
    Term,
    parse_plan,
    pieces_of,
    plan_fields,
    plan_terms,
    plan_text,
)
from rowsync.target import CONVERSATION, HEART_RATE, PACE, POWER, QUANTITIES, STROKE_RATE, Target

HARD, EASY, REST, WARMUP, COOLDOWN, STEADY = Effort


def test_the_seed_workout():
    plan = parse_plan("10x45/75")
    assert plan.rounds == 10
    assert plan.duration_s == 1200
    assert plan.pieces[:2] == (Piece(HARD, 45.0, None, 1), Piece(EASY, 75.0, None, 1))


def test_a_length_before_the_rounds_warms_up_and_one_after_cools_down():
    plan = parse_plan("5m + 2x30s/30s + 1:30")
    assert [(piece.effort, piece.duration_s) for piece in plan.pieces] == [
        (WARMUP, 300.0),
        (HARD, 30.0),
        (EASY, 30.0),
        (HARD, 30.0),
        (EASY, 30.0),
        (COOLDOWN, 90.0),
    ]


def test_a_length_alone_is_steady():
    assert parse_plan("20 min").pieces == (Piece(STEADY, 1200.0),)


def test_metres_end_a_piece_by_the_metre_and_an_r_lets_the_handle_rest():
    plan = parse_plan("8x500m/2mr")
    assert plan.pieces[:2] == (Piece(HARD, None, 500.0, 1), Piece(REST, 120.0, None, 1))
    assert plan.duration_s is None


def test_small_m_is_minutes_below_a_hundred_and_metres_from_there():
    assert parse_plan("99m").pieces[0].duration_s == 99 * 60
    assert parse_plan("100m").pieces[0].distance_m == 100


@pytest.mark.parametrize(
    ("text", "column"), [("10x45/", 5), ("", 0), ("10y45", 0), ("5m + + 3m", 4), ("0x45/75", 0), ("45/75", 0)]
)
def test_an_unreadable_plan_points_at_the_character(text, column):
    with pytest.raises(UsageError) as refused:
        parse_plan(text)
    assert str(refused.value).splitlines()[2].index("^") - 2 == column


LETTERS = "0123456789xX×*mMskrRw@%<>-,()/+ :."
WORDS = ("10x", "45", "/75", "5m", " + ", "500m", "(", ")", ",", "@hard", "@talk", "@1:55", "@24spm", "@85%", "r", "@")


@given(
    st.text(max_size=40) | st.text(LETTERS, max_size=30) | st.lists(st.sampled_from(WORDS), max_size=12).map("".join)
)
def test_any_text_is_a_plan_or_a_refusal_that_points_at_a_character(text):
    try:
        plan = parse_plan(text)
    except UsageError as refused:
        lines = str(refused).splitlines()
        if len(lines) == 1:
            assert "at most" in lines[0]
            return
        assert re.fullmatch(" +\\^", lines[2])
        assert lines[2].index("^") <= len(lines[1])
        return
    assert plan.pieces
    assert all((piece.duration_s or piece.distance_m) > 0 for piece in plan.pieces)


def pieces(text):
    """Effort, length and round of each piece."""
    return [
        (piece.effort, piece.duration_s or f"{piece.distance_m:g} m", piece.round_number)
        for piece in parse_plan(text).pieces
    ]


# --- groups, lists and words ------------------------------------------------------------------------------------------


def test_a_group_is_repeated_as_it_stands_with_the_easy_piece_after_each_repetition():
    assert pieces("2x(2x30/30)/3m") == [
        (HARD, 30, 1),
        (EASY, 30, 1),
        (HARD, 30, 2),
        (EASY, 30, 2),
        (EASY, 180, None),
        (HARD, 30, 3),
        (EASY, 30, 3),
        (HARD, 30, 4),
        (EASY, 30, 4),
        (EASY, 180, None),
    ]


def test_a_group_needs_no_count_and_may_hold_what_a_plan_holds():
    assert pieces("(45/75 + 1m)/3m") == [(HARD, 45, 1), (EASY, 75, 1), (COOLDOWN, 60, None), (EASY, 180, None)]


def test_the_easy_piece_of_a_group_that_ends_hard_has_the_last_hard_pieces_number():
    assert pieces("2x(2x30)/3m")[2] == (EASY, 180, 2)


def test_only_what_stands_behind_a_slash_belongs_to_the_round_before_it():
    assert pieces("1x30 + 1m + 1x30/1m@steady + 2m@easy") == [
        (HARD, 30, 1),
        (EASY, 60, None),
        (HARD, 30, 2),
        (STEADY, 60, None),
        (EASY, 120, None),
    ]


def test_a_pyramid_is_a_list_that_shares_what_follows():
    assert pieces("1m,2m,1m/1m") == [
        (HARD, 60, 1),
        (EASY, 60, 1),
        (HARD, 120, 2),
        (EASY, 60, 2),
        (HARD, 60, 3),
        (EASY, 60, 3),
    ]
    assert pieces("2x(250m,500m/1mr)")[2:5] == [(HARD, "500 m", 2), (REST, 60, 2), (HARD, "250 m", 3)]


def test_what_was_said_of_the_last_of_a_list_holds_for_those_of_which_nothing_was_said():
    rates = [[target.low for target in piece.targets] for piece in parse_plan("4m@18spm,3m,2m@22spm").pieces]
    assert rates == [[18], [22], [22]]


def test_words_say_what_a_piece_is_rowed_as_and_place_says_it_otherwise():
    assert pieces("6m + 2x45s@hard/75s@easy + 5m") == pieces("6m + 2x45/75 + 5m")
    assert pieces("6m@easy + 20m@hard + 5m") == [(EASY, 360, None), (HARD, 1200, 1), (COOLDOWN, 300, None)]
    assert pieces("5m@Warm-Up+5m@COOLDOWN") == [(WARMUP, 300, None), (COOLDOWN, 300, None)]
    assert pieces("2x3m@steady/1m@rest")[:2] == [(STEADY, 180, None), (REST, 60, None)]


def test_talking_is_steady_unless_something_else_is_said_or_it_stands_behind_a_slash():
    talk = (Target(CONVERSATION),)
    assert parse_plan("20m@talk").pieces == (Piece(STEADY, 1200.0, targets=talk),)
    assert pieces("5m@talk + 1x4m@talk/1m + 1x45") == [
        (STEADY, 300, None),
        (STEADY, 240, None),
        (EASY, 60, None),
        (HARD, 45, 1),
    ]
    assert parse_plan("5m@warmup@talk").pieces == (Piece(WARMUP, 300.0, targets=talk),)
    assert parse_plan("1x45/75@talk").pieces[1] == Piece(EASY, 75.0, None, 1, talk)


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        ("1:55", Target(PACE, 115, 115)),
        ("1:55-2:05", Target(PACE, 115, 125)),
        ("2:05 – 1:55.5", Target(PACE, 115.5, 125)),
        ("1:55/500m", Target(PACE, 115, 115)),
        ("200W", Target(POWER, 200, 200)),
        ("180-220 w", Target(POWER, 180, 220)),
        ("85%", Target(POWER, 0.85, 0.85, "max_power_w")),
        ("90 % CP", Target(POWER, 0.9, 0.9, "critical_power_w")),
        ("75%hr", Target(HEART_RATE, 0.75, 0.75, "max_heart_rate_bpm")),
        ("140-150bpm", Target(HEART_RATE, 140, 150)),
        ("<150bpm", Target(HEART_RATE, None, 150)),
        (">180W", Target(POWER, 180, None)),
        ("24spm", Target(STROKE_RATE, 24, 24)),
        ("22-24 SPM", Target(STROKE_RATE, 22, 24)),
    ],
)
def test_targets_stand_behind_an_at_sign(typed, target):
    assert parse_plan(f"20m@{typed}").pieces == (Piece(STEADY, 1200.0, targets=(target,)),)
    assert parse_plan(f"3X500M @ {typed} / 2M").pieces[:2] == (
        Piece(HARD, None, 500.0, 1, (target,)),
        Piece(EASY, 120.0, None, 1),
    )
    assert parse_plan(f"3x500m/2m@{typed}").pieces[1].targets == (target,)


def test_several_targets_stand_in_a_row():
    hard, easy = parse_plan("1x45s@hard@24spm@1:55/75s@20spm").pieces
    assert [target.quantity for target in hard.targets] == [STROKE_RATE, PACE]
    assert [target.low for target in easy.targets] == [20]


def test_five_hundred_metres_behind_a_pace_belong_to_the_pace():
    assert pieces("2x1km@1:55/500m") == [(HARD, "1000 m", 1), (HARD, "1000 m", 2)]
    assert pieces("1x1km@1:55/500m/500m") == [(HARD, "1000 m", 1), (EASY, "500 m", 1)]
    assert pieces("1x1km@1:55/500mr") == [(HARD, "1000 m", 1), (REST, "500 m", 1)]


@pytest.mark.parametrize("same", ["10X45/75", "10 × 45 s / 75 s", "10*45S/75S", " 10x0:45/1:15 ", "10x45@hard/75@easy"])
def test_a_plan_may_be_typed_in_many_ways(same):
    assert parse_plan(same).pieces == parse_plan("10x45/75").pieces


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("5m@200", 3, "After @ comes"),
        ("5m@", 2, "After @ comes"),
        ("5m@24spm@26spm", 9, "each kind once"),
        ("5m@hard@easy", 8, "After @ comes"),
        ("1x5m/2mr@easy", 9, "After @ comes"),
        ("5m@0:20", 3, "1:55"),
        ("5m@900bpm", 3, "bpm"),
        ("3x1m,2m/1m", 0, "brackets"),
        ("45/75", 0, "How often?"),
        ("3x(4x30/30", 2, "never closed"),
        ("3x(4x30/30]", 10, "can't be read"),
        ("4x30/30)", 7, "can't be read"),
        ("1m,,2m", 2, "can't be read"),
        ("8x500mr", 6, "can't be read"),
        ("()", 1, "can't be read"),
        ("\u6f22 10x45/75", 0, "  ? 10x45/75"),
        ("intervls", 0, "Did you mean intervals?"),
        ("sprints", 0, "intervals, steady, day-c and pyramid"),
    ],
)
def test_what_is_wrong_is_pointed_at_with_what_to_write_instead(text, column, says):
    with pytest.raises(UsageError) as refused:
        parse_plan(text)
    assert str(refused.value).splitlines()[2] == "  " + " " * column + "^"
    assert says in str(refused.value)


def test_far_to_the_right_the_caret_still_stands_below_its_character():
    with pytest.raises(UsageError) as refused:
        parse_plan("5m + " * 40 + "!")
    _, shown, caret, *_ = str(refused.value).splitlines()
    assert len(shown) < 80
    assert shown[caret.index("^") + 1] == "!"  # it is missed right behind the plus


# --- hostile plans ----------------------------------------------------------------------------------------------------

DEEP = "(" * MOST_DEPTH + "1m" + ")" * MOST_DEPTH


def test_groups_nest_so_deep_and_no_deeper():
    assert len(parse_plan(DEEP).pieces) == 1
    with pytest.raises(UsageError, match=f"at most {MOST_DEPTH} deep"):
        parse_plan(f"({DEEP})")


@pytest.mark.parametrize("text", ["1000x1", "500x1/1", "10x(50x1/1)", ",".join(["1"] * 1000), "+".join(["1"] * 1000)])
def test_a_plan_has_a_thousand_pieces_at_most(text):
    assert len(parse_plan(text).pieces) == MOST_PIECES
    with pytest.raises(UsageError, match="at most 1000 pieces"):
        parse_plan(text + "+1")


@pytest.mark.parametrize(
    "text",
    ["(" * 10**6, "9" * 10**6, "1," * 10**6, "5m+" * 10**6, "5m@" + "a-" * 10**6, "2x(" * 10**5, "5" + "m" * 10**6]
    + [f"{before}{' ' * 10**6}{after}" for before, after in (("1", "x"), ("5m@1", "-"), ("1m@1:55", "/"), ("5m@", ""))]
    + ["1000x(" * MOST_DEPTH + "1" + ")" * MOST_DEPTH],
)
def test_long_plans_are_refused_at_once(text):
    started = time.perf_counter()
    with pytest.raises(UsageError):
        parse_plan(text)
    assert time.perf_counter() - started < 2


# --- one way of writing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("10x45/75", "10x45s/75s"),
        ("5M + 8 × 500m @ 1:55/500m / 2 m R", "5m + 8x500m@1:55/2mr"),
        ("8x1km@1:55/500m/500m", "8x1000m@1:55/500m/500m"),
        ("3x(4x30/30)/3m", "3x(4x30s/30s)/3m"),
        ("1m, 2m, 1m @ 22-24SPM / 1m@Easy", "1m,2m,1m@22-24spm/1m"),
        ("7200 + 0.05km", "120min + 0.05km"),
        ("day-c", "5m + 6x45s/75s"),
        ("20m@steady@talk@<150bpm@90%cp", "20m@steady@talk@<150bpm@90%cp"),
    ],
)
def test_a_plan_is_written_in_one_way(typed, written):
    assert plan_text(parse_plan(typed)) == written


RANGES = {PACE: (60, 600), POWER: (1, 2000), HEART_RATE: (30, 240), STROKE_RATE: (8, 60)}
SHARES = {"max_power_w": POWER, "critical_power_w": POWER, "max_heart_rate_bpm": HEART_RATE}


def ends(least, most, scale):
    """A low and a high end of a target, one of them, or twice the same."""
    value = st.integers(4 * least, 4 * most).map(lambda quarters: quarters / 4 / scale)
    both = st.tuples(value, value).map(lambda pair: tuple(sorted(pair)))
    return value.map(lambda same: (same, same)) | both | st.tuples(value, st.none()) | st.tuples(st.none(), value)


def values(quantity):
    if quantity == CONVERSATION:
        return st.just(Target(CONVERSATION))
    return ends(*RANGES[quantity], 1).map(lambda pair: Target(quantity, *pair))


def shares(of):
    return ends(20, 100, 100).map(lambda pair: Target(SHARES[of], *pair, of))


TARGETS = st.lists(
    st.sampled_from(QUANTITIES).flatmap(values) | st.sampled_from(list(SHARES)).flatmap(shares),
    max_size=2,
    unique_by=lambda target: target.quantity,
).map(tuple)
SECONDS = st.tuples(
    st.integers(1, 9000).map(lambda quarters: quarters / 4) | st.sampled_from([60.0, 6000.0]), st.none()
)
METRES = st.tuples(st.none(), st.integers(1, 3000).map(float) | st.sampled_from([500.0, 100.5]))
SAID = st.tuples(st.none() | st.sampled_from([HARD, EASY, REST, WARMUP, COOLDOWN, STEADY]), TARGETS)
PARTS = st.tuples(SECONDS | METRES, SAID).map(lambda both: Part(*both[0], *both[1]))
EASY_PARTS = PARTS.map(lambda part: part if part.effort else Part(part.duration_s, part.distance_m, EASY, part.targets))
ROUNDS = st.builds(Term, st.integers(1, 4), st.tuples(PARTS), easy=st.none() | EASY_PARTS)
ALONE = st.builds(Term, parts=st.tuples(PARTS))
SHARING = st.tuples(st.lists(SECONDS | METRES, min_size=2, max_size=4), SAID).map(
    lambda both: tuple(Part(*length, *both[1]) for length in both[0])
)
LISTS = st.builds(Term, parts=SHARING, easy=st.none() | EASY_PARTS)
TERMS = st.recursive(
    ROUNDS | ALONE | LISTS,
    lambda inner: st.builds(
        Term,
        st.none() | st.integers(1, 3),
        group=st.lists(inner, min_size=1, max_size=3).map(tuple),
        easy=st.none() | EASY_PARTS,
    ),
    max_leaves=4,
)
PLANS = st.lists(TERMS, min_size=1, max_size=3).map(tuple)


@given(PLANS)
def test_what_is_written_is_read_as_the_same_pieces(terms):
    text = plan_text(terms)
    plan = parse_plan(text)
    assert plan.pieces == pieces_of(terms)
    assert plan_text(plan) == plan_text(plan_terms(text))
    assert parse_plan(plan_text(plan)).pieces == plan.pieces


@given(PLANS)
def test_pieces_whose_text_is_lost_are_written_so_that_they_are_read_again(terms):
    lost = Plan("", pieces_of(terms))
    assert parse_plan(plan_text(lost)).pieces == lost.pieces


def test_equal_rounds_are_written_together():
    assert plan_text(Plan("", parse_plan("5m + 10x45/75 + 5m").pieces)) == "5m@warmup + 10x45s/75s + 5m@cooldown"


# --- names ------------------------------------------------------------------------------------------------------------


def test_plans_that_have_a_name_are_the_training_programmes():
    rowing = tomllib.loads((files("rowsync") / "programme.toml").read_text(encoding="utf-8"))["rowing"]
    assert NAMED_PLANS["intervals"].text == rowing["intervals"]["plan"]
    assert NAMED_PLANS["day-c"].text == rowing["day_c"]["plan"]
    least, most = rowing["conversational"]["minutes"]
    assert 60 * least <= parse_plan("steady").duration_s <= 60 * most
    assert 60 * rowing["intervals"]["minutes"][0] <= parse_plan("pyramid").duration_s


@pytest.mark.parametrize("name", NAMED_PLANS)
def test_a_name_stands_for_its_text(name):
    plan = parse_plan(f" {name.upper()} ")
    assert (plan.text, plan.name, plan.about) == (NAMED_PLANS[name].text, name, NAMED_PLANS[name].about)
    assert plan.pieces == parse_plan(plan.text).pieces
    assert parse_plan(plan.text).name is None


# --- for an athlete, and as JSON --------------------------------------------------------------------------------------


def test_a_plan_for_an_athlete_has_its_targets_in_values_and_its_text_as_typed():
    plan = parse_plan("2x500m@85%@24spm/2m").for_athlete(Athlete(max_power_w=200.0))
    assert plan.pieces[0].targets == (Target(POWER, 170, 170), Target(STROKE_RATE, 24, 24))
    assert plan.text == "2x500m@85%@24spm/2m"
    assert plan_text(plan) == "2x500m@170W@24spm/2m"


def test_pieces_begin_when_those_before_them_end_until_one_ends_by_the_metre():
    assert parse_plan("5m + 1x45/75 + 1x500m/1m + 1m").starts_s == (0, 300, 345, 420, None, None)


def test_json_has_the_pieces_with_their_targets_in_words():
    first, second = plan_fields(parse_plan("1x500m@1:55/2mr"))["pieces"]
    assert (first["effort"], first["distance_m"], first["length"]) == ("hard", 500.0, "500m")
    assert first["targets"][0] == {"quantity": PACE, "low": 115, "high": 115, "of": None, "words": "1:55 /500 m"}
    assert (second["effort"], second["start_s"], second["round_number"]) == ("rest", None, 1)
