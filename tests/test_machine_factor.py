"""What one machine's watts are in another's, and when nobody can tell."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.machine_factor import alternating, by_heart, changed_once, in_blocks, tried
from rowsync.errors import UsageError
from rowsync.machine_factor import label, machine_factor, machines, sentence

FIRST = datetime(2026, 1, 5, 18, tzinfo=UTC)
ALTERNATING = "ABABABABABABAB"


def row(machine, day, power_w, **more):
    about = {"athlete": "anna", "machine": machine, "started_at": FIRST + timedelta(days=day), "plan": "10x45/75"}
    about |= {"origin": "hardware", "power_source": "machine", "moving_s": 1700.0}
    return about | {"mean_hard_power_w": power_w, "mean_power_w": 0.7 * power_w} | more


def rows(names, by=1.0, noise=0.03, seed=1, every=3, **more):
    """A row every third day at about 200 W, on B `by` times as many; steady but for the noise."""
    chance = random.Random(seed)
    powers = [200.0 * math.exp(chance.gauss(0, noise)) * (by if name == "B" else 1.0) for name in names]
    return [
        row(name, every * at, power_w, **more) for at, (name, power_w) in enumerate(zip(names, powers, strict=True))
    ]


def found(of, **how):
    return machine_factor(of, "B", "A", **how)


def ends(factor):
    return pytest.approx((factor.factor, factor.low, factor.high), rel=1e-9)


def scaled(of, by, name="B"):
    names = ("mean_power_w", "mean_hard_power_w")
    return [each | {at: each[at] * by for at in names} if each["machine"] == name else each for each in of]


some_rows = st.builds(
    rows, st.permutations(ALTERNATING), by=st.floats(0.7, 1.4), noise=st.floats(0.0, 0.06), seed=st.integers(0, 99)
)
few = settings(max_examples=12)


# --- what a factor is -------------------------------------------------------------------------------------------------


@few
@given(some_rows, st.floats(0.5, 2.0))
def test_watts_times_k_are_a_factor_times_k(of, k):
    before, after = found(of), found(scaled(of, k))
    assert (after.factor, after.low, after.high) == pytest.approx(
        (before.factor * k, before.low * k, before.high * k), rel=1e-6
    )


@few
@given(some_rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_all_the_same(of, chance):
    assert found(chance.sample(of, len(of))) == found(of)


@few
@given(some_rows)
def test_from_there_to_here_is_the_other_way_round(of):
    there, back = found(of), machine_factor(of, "A", "B")
    assert (1 / back.factor, 1 / back.high, 1 / back.low) == ends(there)


def test_the_range_holds_what_is_true_and_narrows_with_days():
    few_days, many_days = (found(rows("AB" * each, by=1.1)) for each in (4, 20))
    for each in (few_days, many_days):
        assert each.low < 1.1 < each.high
    assert many_days.high - many_days.low < 0.6 * (few_days.high - few_days.low)
    assert (many_days.days, many_days.reference_days, many_days.ways) == (20, 20, {"plan": 40})


def test_nobody_is_taken_for_steadier_than_people_are():
    exact = found(rows(ALTERNATING, by=1.1, noise=0.0))
    least = 1.28 * 0.02 * math.sqrt(2 / 7)
    assert exact.factor == pytest.approx(1.1)
    assert math.log(exact.high / exact.low) / 2 > 0.9 * least


def test_a_row_that_was_broken_off_moves_little():
    steady = rows("AB" * 8, by=1.1)
    broken = [*steady[:5], scaled(steady[5:6], 0.5)[0], *steady[6:]]
    assert found(broken).factor == pytest.approx(found(steady).factor, rel=0.02)
    mean_of = sum(each["mean_power_w"] for each in broken if each["machine"] == "B") / 8
    assert mean_of / 1.1 / 140 < 0.95, "a mean would have moved"


# --- fitness is not the machine ---------------------------------------------------------------------------------------


def test_getting_fitter_is_not_taken_for_the_machine():
    gained = [
        each | {"mean_hard_power_w": each["mean_hard_power_w"] * 1.004**at} for at, each in enumerate(rows("AB" * 12))
    ]
    assert found(gained).low < 1.0 < found(gained).high


def test_a_change_that_goes_with_time_has_a_wider_range_and_says_so():
    once, there_and_back = found(rows("A" * 10 + "B" * 10)), found(rows("AB" * 10))
    assert (once.changed_once, there_and_back.changed_once) == (True, False)
    assert once.high - once.low > 1.4 * (there_and_back.high - there_and_back.low)
    assert "can't be told from the machine" in said(rows("A" * 10 + "B" * 10))


def test_a_year_between_two_machines_tells_nothing():
    later = rows("AAAA") + [each | {"started_at": each["started_at"] + timedelta(days=365)} for each in rows("BBBB")]
    assert found(later).factor is None
    assert found(later).reason.startswith("At least 356 days lie between a day on the one and a day on the other")


def test_what_an_even_month_says_is_not_believed_of_a_break():
    even = rows("A" * 10, noise=0.01, every=2) + rows("B" * 10, noise=0.01, every=2)
    after_a_break = [each | {"started_at": each["started_at"] + timedelta(days=48)} for each in even[10:]]
    assert found([*even[:10], *after_a_break]).high / found([*even[:10], *after_a_break]).low > 1.09


# --- when nobody can tell ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (rows("AABB"), "Too few days"),
        (rows("AAAABBBB", every=0), "Too few days"),
        (rows("ABABAB", plan=None), "Nobody rowed the same"),
        (rows("ABABABAB", plan="10x45@200W/75"), "Nobody rowed the same"),
        (rows("ABABABAB", plan="8x500m@1:55/2m"), "Nobody rowed the same"),
        (rows("AAAA") + rows("BBBB", athlete="ben"), "Nobody rowed the same"),
        (rows("AAAA") + rows("BBBB", plan="8x500m/2mr"), "Nobody rowed the same"),
        ([each | {"mean_power_w": None} for each in rows("ABABABAB")], "Nobody rowed the same"),
        (rows("ABAB" * 3, noise=1.0), "Too little to tell"),
    ],
)
def test_without_evidence_there_is_no_factor_and_a_reason(of, why):
    nothing = found(of)
    assert (nothing.factor, nothing.low, nothing.high) == (None, None, None)
    assert nothing.reason.startswith(why)


def test_a_display_that_is_kept_at_a_number_says_nothing_and_the_heart_does():
    chance = random.Random(3)
    kept = [
        row(name, 3 * at, 150.0, plan=None, distance_m=5500.0, mean_heart_rate_bpm=bpm + chance.gauss(0, 2), **strap)
        for at, (name, bpm) in enumerate([("A", 140.0), ("B", 132.0)] * 8)
        for strap in [{"heart_rate_source": "strap", "mean_power_w": 150.0, "mean_hard_power_w": None}]
    ]
    assert found(kept).low < 80 / 72 < found(kept).high
    assert found(kept).ways == {"heart_rate": 16}
    assert found([each | {"heart_rate_source": "machine"} for each in kept]).factor is None


def test_what_a_plan_says_in_other_words_is_the_same_plan():
    other = [each | {"plan": "10x45s/75s"} if each["machine"] == "B" else each for each in rows("AB" * 5)]
    assert found(other) == found(rows("AB" * 5))


def test_distances_that_people_race_are_compared_to_a_hundredth():
    raced = rows("ABABABAB", plan=None, distance_m=2004.0)
    assert found(raced).ways == {"distance": 8}


# --- which machine ----------------------------------------------------------------------------------------------------


def test_two_machines_of_one_name_are_two():
    of = [each | {"machine": "PM5", "machine_address": f"00:0{'AB'.index(each['machine'])}"} for each in rows("AB" * 5)]
    both = machines(of)
    assert [each.key for each in both.machines] == ["00:00", "00:01"]
    assert [label(each, both.machines) for each in both.machines] == ["PM5 (00:00)", "PM5 (00:01)"]
    with pytest.raises(UsageError, match="2 machines are called PM5"):
        machines(of, reference="PM5")
    assert machines(of, reference="00:01").reference.key == "00:01"


def test_the_reference_is_one_that_measures_power_else_the_most_rowed():
    assert machines(rows("ABB")).reference.name == "B"
    concept2 = [each | {"machine": "PM5 430" if each["machine"] == "A" else "B"} for each in rows("ABB")]
    assert machines(concept2).reference.name == "PM5 430"
    with pytest.raises(UsageError, match="No session was rowed on C"):
        machines(rows("AB"), reference="C")


def test_people_who_row_both_are_taken_together_and_can_be_asked_apart():
    of = rows("AB" * 4, by=1.1) + rows("AB" * 4, by=1.1, seed=2, athlete="ben")
    assert found(of).athletes == ("anna", "ben")
    assert found(of, athlete="ben").athletes == ("ben",)
    assert (found(of).days, found(of, athlete="ben").days) == (8, 4)


def test_what_a_program_rowed_counts_only_where_nobody_rowed():
    made_up = rows("AB" * 5, origin="synthetic")
    assert found(made_up).factor is not None
    assert [each.name for each in machines([*made_up, row("C", 0, 200.0)]).machines] == ["C"]


@given(
    st.lists(
        st.dictionaries(st.sampled_from(list(row("A", 0, 1.0))), st.none() | st.integers() | st.text()), max_size=4
    )
)
def test_rows_of_any_kind_are_no_error(of):
    machines(of)


# --- in words ---------------------------------------------------------------------------------------------------------


def said(of):
    all_of = machines(of, reference="A")
    return sentence(all_of.factors[0], all_of.reference, all_of.machines).replace("\u202f", " ")


def test_a_factor_is_a_plain_sentence():
    text = said(rows("AB" * 7, by=1.08, noise=0.02))
    assert text.startswith("Watts on B read 8 % higher than on A (80 % range: +")
    assert text.endswith("from 7 days on B and 7 on A, by the same plan.")
    assert "lower than on A (80 % range: −" in said(rows("AB" * 7, by=0.8))
    assert said(rows("AB")).startswith("B beside A: Too few days to tell: 1 day on it and 1 on the reference")


# --- how often the range holds ----------------------------------------------------------------------------------------


def test_the_range_holds_the_truth_about_four_times_of_five():
    """SYNTHETIC rowers, the short form of `python -m benchmarks.machine_factor`; by chance alone 4 % either way."""
    lines = [tried(80, days, order) for days, order in ((4, alternating), (8, in_blocks), (8, changed_once))]
    lines.append(tried(80, 6, rowed=by_heart))
    coverage = sum(line.coverage for line in lines) / len(lines)
    assert 0.74 <= coverage <= 0.88
    assert all(line.said == 1.0 for line in lines)
    assert lines[3].naive_coverage < 0.5, "who keeps the display at a number is beyond a ratio of means"
