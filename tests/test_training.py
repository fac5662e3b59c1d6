"""Training: minutes in bands, the talk test, one load, W' balance, and a warning that isn't a strap's mistake."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import asdict, fields
from datetime import UTC, datetime
from itertools import accumulate
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowsync.athlete import PLAUSIBLE, Athlete
from rowsync.felt import Felt
from rowsync.ftms import ROWER_DATA, RowerData, encode_rower_data
from rowsync.readers import read
from rowsync.strokes import Stroke, StrokeCounter
from rowsync.telemetry import HELD_S, Notification, Sample, Telemetry
from rowsync.training import LOADS, Training, max_heart_rate_bpm, training, w_balance_kj, weighted_power_w

AT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
MEASURED = Athlete("anna", resting_heart_rate_bpm=60, max_heart_rate_bpm=180, max_power_w=250, critical_power_w=200)
ARTICLE = [(360, 95), *[(45, 230), (75, 95)] * 10, (300, 95)]


def said(talked=None, exertion=None):
    return Felt(talked, exertion, AT)


def rowed(*pieces, stroke_s=2.5, begin_s=0.0):
    """Strokes of (duration_s, power_w) pieces, as many as fit best; None W is a stop."""
    strokes, time_s = [], begin_s
    for duration_s, power_w in pieces:
        if power_w is None:
            time_s += duration_s
            continue
        for _ in range(round(duration_s / stroke_s)):
            metres = stroke_s * (power_w / 2.8) ** (1 / 3)
            strokes.append(Stroke(len(strokes) + 1, time_s, time_s + stroke_s, metres, float(power_w)))
            time_s += stroke_s
    return strokes


def beating(*pieces, hz=1, moving=True):
    """Samples of (duration_s, heart_rate_bpm) pieces."""
    rates = [rate for duration_s, rate in pieces for _ in range(round(duration_s * hz))]
    return [Sample(n / hz, moving, heart_rate_bpm=rate) for n, rate in enumerate([*rates, rates[-1]])]


def minutes(bands):
    return {band.name: round(band.minutes, 6) for band in bands if band.minutes}


# --- heart-rate bands -------------------------------------------------------------------------------------------------


def test_heart_rate_bands_are_shares_of_the_reserve():
    bands = training((), beating((60, 120)), MEASURED).heart_rate_bands
    assert [(band.name, band.from_bpm, band.to_bpm) for band in bands] == [
        ("easy", 0, 126),
        ("UT2", 126, 144),
        ("UT1", 144, 156),
        ("AT", 156, 162),
        ("TR", 162, 174),
        ("AN", 174, None),
    ]


def test_each_heart_rate_counts_until_the_next():
    samples = beating((60, 125), (120, 126), (30, 143), (90, 156), (60, None), (30, 175))
    found = training((), samples, MEASURED).heart_rate_bands
    assert minutes(found) == {"easy": 1.0, "UT2": 2.5, "AT": 1.5, "AN": 0.5}


def test_through_a_silence_a_heart_rate_counts_no_longer_than_it_is_believed():
    samples = [Sample(0.0, True, heart_rate_bpm=130), Sample(600.0, True)]
    assert minutes(training((), samples, MEASURED).heart_rate_bands) == {"UT2": round(HELD_S / 60, 6)}


def test_the_highest_heart_rate_is_tanakas_less_four_unless_it_was_measured():
    assert max_heart_rate_bpm(Athlete(age_years=40)) == pytest.approx(176.0)
    assert max_heart_rate_bpm(Athlete(age_years=40, max_heart_rate_bpm=191)) == 191
    assert max_heart_rate_bpm(Athlete()) is None


def test_what_is_assumed_of_a_heart_is_said():
    samples = beating((60, 120))
    assert training((), samples, MEASURED).assumed == ()
    assert training((), samples, Athlete(age_years=40)).assumed == (
        "Highest heart rate assumed to be 176, from an age of 40.",
        "Resting heart rate assumed to be 60.",
    )


def test_without_age_and_highest_heart_rate_there_are_no_bands_and_nothing_is_assumed():
    found = training((), beating((600, 150)), Athlete(resting_heart_rate_bpm=50))
    assert found == Training()


def test_without_a_heart_rate_there_are_no_bands_of_zero_minutes():
    found = training((), beating((600, None)), MEASURED)
    assert (found.heart_rate_bands, found.assumed) == ((), ())


def test_hearts_that_can_not_be_are_said_and_have_no_bands():
    found = training((), beating((600, 150)), Athlete(resting_heart_rate_bpm=110, max_heart_rate_bpm=115))
    assert found.heart_rate_bands == ()
    assert found.notices == ()
    assert "can't both be right" in found.assumed[0]


# --- power bands ------------------------------------------------------------------------------------------------------


def test_power_bands_are_shares_of_critical_power_and_count_what_was_rowed():
    strokes = rowed((60, 100), (60, 110), (60, None), (60, 180), (60, 230), (60, 250))
    bands = training(strokes, (), MEASURED).power_bands
    assert [(band.name, band.from_w, band.to_w) for band in bands] == [
        ("UT3", 0, pytest.approx(110)),
        ("UT2", pytest.approx(110), 150),
        ("UT1", 150, 180),
        ("AT", 180, 210),
        ("TR", 210, 240),
        ("AN", 240, None),
    ]
    assert sum(minutes(bands).values()) == pytest.approx(5.0)
    assert minutes(bands) | {"UT3": None, "UT2": None} == {"UT3": None, "UT2": None, "AT": 1.0, "TR": 1.0, "AN": 1.0}


def test_without_a_critical_power_the_threshold_is_72_percent_of_the_highest_and_that_is_said():
    found = training(rowed((60, 100)), (), Athlete(max_power_w=250))
    assert found.threshold_power_w == pytest.approx(180)
    assert found.assumed == ("Threshold power assumed to be 180 W, 72 % of the highest power.",)


@pytest.mark.parametrize("athlete", [Athlete(), Athlete(age_years=40, mass_kg=80)])
def test_without_a_known_power_there_is_no_band_no_load_and_no_balance(athlete):
    found = training(rowed(*ARTICLE), (), athlete)
    assert (found.power_bands, found.threshold_power_w, found.load, found.w_balance) == ((), None, None, None)


def test_strokes_that_nobody_saw_are_in_no_band():
    strokes = [*rowed((60, 100)), Stroke(60, 60.0, 360.0, 900.0, 250.0, seen=False), Stroke(61, 360, 420, 9.0, None)]
    assert minutes(training(strokes, (), MEASURED).power_bands) == {"UT3": 1.0}


# --- the talk test ----------------------------------------------------------------------------------------------------


def talk(strokes=(), samples=(), athlete=MEASURED, felt=None):
    found = training(strokes, samples, athlete, felt)
    return found.conversational, found.conversational_by


def test_what_a_person_says_of_talking_comes_first():
    hard, easy = beating((600, 175)), beating((600, 100))
    assert talk(samples=hard, felt=said(talked=True)) == (True, "said")
    assert talk(samples=easy, felt=said(talked=False)) == (False, "said")
    assert talk(samples=easy, felt=said(exertion=9.0)) == (True, "heart rate")
    assert talk(athlete=Athlete(), felt=said(talked=True)) == (True, "said")


def test_one_can_talk_up_to_60_percent_of_the_heart_rate_reserve():
    assert talk(samples=beating((600, 132))) == (True, "heart rate")
    assert talk(samples=beating((600, 133))) == (False, "heart rate")


def test_one_can_talk_up_to_45_percent_of_the_highest_power():
    assert talk(rowed((600, 112))) == (True, "power")
    assert talk(rowed((600, 113))) == (False, "power")


def test_the_heart_is_asked_before_the_machine_unless_it_was_heard_for_less_than_half():
    strokes = rowed((600, 200))
    assert talk(strokes, beating((600, 120))) == (True, "heart rate")
    assert talk(strokes, beating((200, 120), (400, None))) == (False, "power")


def test_only_what_is_rowed_counts_for_talking():
    samples = [Sample(float(t), t < 600, heart_rate_bpm=160 if t < 600 else 100) for t in range(6000)]
    assert talk(samples=samples) == (False, "heart rate")
    assert talk(rowed((300, 200), (3000, None), (300, 200))) == (False, "power")


def test_a_row_with_hard_pieces_is_not_conversational_though_its_mean_may_be():
    assert talk(rowed(*ARTICLE), athlete=Athlete(max_power_w=320)) == (False, "power")  # mean 128 W, limit 144 W
    assert talk(rowed((3000, 90), (45, 230), (600, 90))) == (True, "power")


@pytest.mark.parametrize(
    ("strokes", "athlete"), [((), MEASURED), (rowed((60, 90)), MEASURED), (rowed((600, 90)), Athlete())]
)
def test_where_nothing_is_known_nobody_says_whether_one_could_talk(strokes, athlete):
    assert talk(strokes, athlete=athlete) == (None, None)


def test_the_highest_power_follows_from_a_critical_power_and_that_is_said():
    found = training(rowed((600, 124)), (), Athlete(critical_power_w=200))
    assert (found.conversational, found.conversational_by) == (True, "power")  # 0.45 / 0.72 * 200 = 125 W
    assert found.assumed[0] == "Highest power assumed to be 278 W, critical power 72 % of it."


# --- load -------------------------------------------------------------------------------------------------------------


def by_the_second(strokes):
    """Weighted power as Coggan's is usually computed: one value a second, the first after 30 s."""
    ends_s = [stroke.end_s for stroke in strokes]
    powers, first_s = [], strokes[0].start_s
    for second in range(int(ends_s[-1] - first_s)):
        at_s = first_s + second + 0.5
        stroke = strokes[min(bisect_right(ends_s, at_s), len(strokes) - 1)]
        powers.append(stroke.power_w if stroke.start_s <= at_s else 0.0)
    sums = [0.0, *accumulate(powers)]
    means = [(sums[n + 30] - sums[n]) / 30 for n in range(len(powers) - 29)]
    return (sum(mean**4 for mean in means) / len(means)) ** 0.25


def test_an_hour_at_threshold_is_a_load_of_100():
    found = training(rowed((3600, 200)), (), MEASURED)
    assert (found.load, found.load_by) == (pytest.approx(100.0), "power")
    assert found.load_called == LOADS["power"] == "power load (100 = one hour at threshold)"
    assert found.weighted_power_w == pytest.approx(200.0)


def test_load_grows_with_the_square_of_power_and_with_time():
    assert training(rowed((1800, 200)), (), MEASURED).load == pytest.approx(50.0)
    assert training(rowed((3600, 100)), (), MEASURED).load == pytest.approx(25.0)


@pytest.mark.parametrize(
    "pieces", [ARTICLE, [(45, 230), (75, None)] * 14, [(45, 180), (75, 70)] * 10, [(600, 150), (200, None), (600, 250)]]
)
def test_the_exact_weighted_power_is_the_usual_sum_from_second_to_second(pieces):
    strokes = rowed(*pieces, begin_s=7.0)
    assert weighted_power_w(strokes) == pytest.approx(by_the_second(strokes), rel=0.002)


def test_weighted_power_of_forty_five_hard_seventy_five_easy_is_above_its_mean():
    weighted_w = weighted_power_w(rowed(*[(45, 180), (75, 70)] * 10))
    assert 111.2 < weighted_w < 180  # the mean; the evidence computes it for these ten rounds
    assert weighted_w == pytest.approx(132.6, abs=0.5)


def test_below_ten_minutes_of_rowing_there_is_no_power_load():
    assert training(rowed((597.5, 200)), (), MEASURED).load is None
    assert training(rowed((600, 200)), (), MEASURED).load == pytest.approx(100 / 6)
    assert training(rowed((300, 200), (3000, None), (297.5, 200)), (), MEASURED).weighted_power_w is None


def test_a_cup_of_tea_is_no_training():
    without = training(rowed((1200, 150), (300, None), (1200, 150)), (), MEASURED).load
    assert training(rowed((1200, 150), (7200, None), (1200, 150)), (), MEASURED).load == pytest.approx(without)


def test_power_that_nobody_saw_is_left_out_of_the_load_and_said():
    before = rowed((1200, 150))
    after = [Stroke(900, 1200.0, 1500.0, None, 150.0, seen=False), *rowed((1200, 150), begin_s=1500.0)]
    found = training([*before, *after], (), MEASURED)
    assert found.load == pytest.approx(training(rowed((2400, 150)), (), MEASURED).load)
    assert found.assumed[-1] == "5:00 of rowing whose power nobody saw is left out of the load."


def test_without_a_threshold_the_load_is_exertion_times_minutes():
    found = training(rowed((600, 200), (60, None), (600, 100)), (), Athlete(), said(exertion=6.0))
    assert (found.load, found.load_by) == (pytest.approx(6.0 * 21), "exertion")
    assert found.load_called == LOADS["exertion"]


def test_power_goes_before_exertion_and_they_never_mix():
    strokes = rowed((3600, 200))
    alone, both = training(strokes, (), MEASURED), training(strokes, (), MEASURED, said(exertion=6.0))
    assert both.load == alone.load
    assert both.load_by == "power"


def test_a_machine_that_counts_no_strokes_still_has_a_load_by_exertion():
    assert training((), beating((600, None)), Athlete(), said(exertion=5.0)).load == pytest.approx(50.0)
    assert training((), (), Athlete(), said(exertion=5.0)).load is None


# --- W' balance -------------------------------------------------------------------------------------------------------


def test_forty_five_seconds_spend_the_joules_above_critical_power():
    assert w_balance_kj(rowed((45, 300)), 200, 13.2)[-1] == pytest.approx(13.2 - 45 * 100 / 1000)


def test_below_critical_power_what_is_missing_decays():
    spent = w_balance_kj(rowed((45, 300), (75, 100)), 200, 13.2)
    assert spent[17] == pytest.approx(8.7)
    assert 13.2 - spent[-1] == pytest.approx(4.5 * exp(-100 * 75 / 13_200))


def test_a_full_stop_brings_back_more_than_easy_rowing():
    stopped = w_balance_kj(rowed((45, 300), (75, None), (2.5, 200)), 200, 13.2)[-1]
    assert 13.2 - stopped == pytest.approx(4.5 * exp(-200 * 75 / 13_200))


def test_at_critical_power_nothing_changes():
    assert w_balance_kj(rowed((45, 300), (600, 200)), 200, 13.2)[-1] == pytest.approx(8.7)


def test_a_stroke_unseen_or_without_power_leaves_the_balance_as_it_is():
    hard = rowed((45, 300))
    unknown = [Stroke(60, 45.0, 345.0, None, 20.0, seen=False), Stroke(61, 345.0, 400.0, None, None)]
    balances = w_balance_kj([*hard, *unknown], 200, 13.2)
    assert len(balances) == len(hard) + 2
    assert balances[-3:] == pytest.approx([8.7] * 3)


@given(st.floats(0.1, 60.0), st.floats(20, 600), st.floats(1, 60))
def test_the_balance_does_not_depend_on_how_a_stretch_is_cut(stroke_s, critical_w, w_prime_kj):
    pieces = [(stroke_s * 12, 320), (stroke_s * 24, 110), (stroke_s * 12, 320)]
    whole = w_balance_kj(rowed(*pieces, stroke_s=12 * stroke_s), critical_w, w_prime_kj)[-1]
    fine = w_balance_kj(rowed(*pieces, stroke_s=stroke_s), critical_w, w_prime_kj)[-1]
    assert fine == pytest.approx(whole, rel=1e-6, abs=1e-6)


def test_the_balance_is_experimental_and_w_prime_is_said_when_assumed():
    found = training(rowed((45, 300), (75, 100)), (), MEASURED)
    assert (found.w_balance.least_kj, found.w_balance.w_prime_kj) == (pytest.approx(8.7), 13.2)
    assert found.w_balance.last_kj > found.w_balance.least_kj
    assert found.w_balance.experimental
    assert found.assumed == ("Work above critical power (W′) assumed to be 13.2 kJ, the mean of 18 trained men.",)
    known = training(rowed((45, 300)), (), Athlete(critical_power_w=200, w_prime_kj=20, max_power_w=280))
    assert (known.w_balance.last_kj, known.assumed) == (pytest.approx(15.5), ())


def test_an_estimated_threshold_is_no_critical_power():
    assert training(rowed((45, 300)), (), Athlete(max_power_w=280)).w_balance is None


# --- notices ----------------------------------------------------------------------------------------------------------


def notices(*pieces, athlete=MEASURED):
    return training((), beating(*pieces), athlete).notices


def test_a_heart_rate_far_above_the_highest_is_noticed():
    (notice,) = notices((60, 170), (10, 180), (20, 187), (60, 150))
    assert "above 185 for 0:20" in notice
    assert "not medical advice" in notice


def test_the_highest_heart_rate_that_is_assumed_counts_too():
    assert notices((60, 176), (20, 182), athlete=Athlete(age_years=40))
    assert not notices((60, 176), (20, 181), athlete=Athlete(age_years=40))


@pytest.mark.parametrize(
    "pieces",
    [
        [(60, 170), (600, 185)],
        [(60, 170), (14, 187), (10, 180), (14, 187)],
        [(60, 170), (14, 187), (10, None), (14, 187)],
        [(60, 150), (60, 210), (60, 150)],
        [(60, 150), (30, 230), (30, 200), (60, 150)],
    ],
    ids=["at the limit", "short", "interrupted", "a jump", "a jump in steps"],
)
def test_what_is_short_or_jumped_there_is_not_noticed(pieces):
    assert notices(*pieces) == ()


def test_after_a_jump_the_heart_is_believed_again():
    assert notices((60, 150), (60, 210), (60, 150), (30, 169), (20, 187))


def test_a_heart_that_was_not_heard_for_a_while_may_have_risen_far():
    assert notices((60, 150), (5, None), (20, 230))
    assert not notices((60, 150), (1, None), (20, 230))


def test_the_second_between_two_values_of_a_strap_is_no_jump_however_often_it_is_repeated():
    rising = [(60, 170), (1, 180), (20, 190)]
    assert (
        training((), beating(*rising, hz=4), MEASURED).notices == training((), beating(*rising), MEASURED).notices != ()
    )


def test_through_a_silence_no_heart_rate_is_held():
    samples = [Sample(60.0 * n, True, heart_rate_bpm=190) for n in range(20)]
    assert training((), samples, MEASURED).notices == ()


# --- whatever comes ---------------------------------------------------------------------------------------------------

athletes = st.builds(Athlete, **{name: st.none() | st.floats(*ends) for name, ends in PLAUSIBLE.items()})
felts = st.none() | st.builds(Felt, st.none() | st.booleans(), st.none() | st.floats(0, 10), st.just(AT))


@st.composite
def rows(draw):
    power_w, heart_rate_bpm = st.none() | st.floats(0, 2000), st.none() | st.integers(25, 240)
    each = st.tuples(st.floats(0, 700), st.floats(0, 400), power_w, heart_rate_bpm, st.booleans())
    strokes, samples, time_s = [], [], 0.0
    for n, (rest_s, lasted_s, power_w, heart_rate_bpm, flag) in enumerate(draw(st.lists(each, max_size=30)), start=1):
        start_s, time_s = time_s + rest_s, time_s + rest_s + lasted_s
        strokes.append(Stroke(n, start_s, time_s, None, power_w, seen=flag))
        samples.append(Sample(time_s, flag, power_w=power_w, heart_rate_bpm=heart_rate_bpm))
    return strokes, samples


@settings(max_examples=300)
@given(rows(), athletes, felts)
def test_whatever_was_rowed_by_whomever_training_is_sensible_and_json(row, athlete, felt):
    strokes, samples = row
    found = training(strokes, samples, athlete, felt)
    json.dumps(asdict(found), allow_nan=False)
    rowed_min = sum(stroke.duration_s for stroke in strokes) / 60
    assert sum(band.minutes for band in found.power_bands) <= rowed_min + 1e-6
    assert (found.load is None) == (found.load_by is None) == (found.load_called is None)
    assert found.load is None or found.load >= 0
    assert (found.conversational is None) == (found.conversational_by is None)
    assert found.w_balance is None or found.w_balance.least_kj <= found.w_balance.last_kj <= found.w_balance.w_prime_kj


@pytest.mark.parametrize("felt", [None, said(), said(True, 4.0)])
def test_of_an_empty_row_nothing_is_known_but_what_was_said(felt):
    found = training((), (), MEASURED, felt)
    told = {"conversational", "conversational_by"}
    assert all(getattr(found, each.name) in (None, ()) for each in fields(found) if each.name not in told)


# --- however often a machine speaks -----------------------------------------------------------------------------------


def heard(strokes, hz, drops=lambda n: False):
    """Strokes and samples as they come out of what a machine sends so often, with a heart that follows the power."""
    ends_s, telemetry, counter = [stroke.end_s for stroke in strokes], Telemetry(), StrokeCounter()
    metres = [0.0, *accumulate(stroke.distance_m for stroke in strokes)]
    found, samples = [], []
    for n in range(int((ends_s[-1] + 3) * hz)):
        time_s = n / hz
        count = bisect_right(ends_s, time_s)
        last = strokes[count - 1] if count else strokes[0]
        rate = round(120 + 0.2 * last.power_w) if count else None
        data = RowerData(
            stroke_rate_spm=24, stroke_count=count, total_distance_m=int(metres[count]),
            instantaneous_power_w=round(last.power_w) if count else 0, heart_rate_bpm=rate,
        )  # fmt: skip
        if not drops(n):
            sample = telemetry.feed(time_s, read(Notification(time_s, ROWER_DATA, encode_rower_data(data))))
            samples.append(sample)
            found.extend(counter.feed(sample))
    return training(found, samples, MEASURED)


STROKES = [
    stroke._replace(power_w=stroke.power_w + (stroke.number * 7 % 11 - 5))  # nobody rows twice to the watt
    for stroke in rowed(*ARTICLE, stroke_s=2.375)  # and seldom to the second
]


@pytest.mark.parametrize("hz", [1, 2, 4])
def test_the_same_row_heard_at_1_2_and_4_hz_trains_the_same_within_a_percent(hz):
    exact = training(STROKES, (), MEASURED)
    found = heard(STROKES, hz)
    assert found.load == pytest.approx(exact.load, rel=0.01)
    assert found.w_balance.least_kj == pytest.approx(exact.w_balance.least_kj, rel=0.01)
    assert found.w_balance.last_kj == pytest.approx(exact.w_balance.last_kj, rel=0.01)
    for name, truth in minutes(exact.power_bands).items():
        assert minutes(found.power_bands)[name] == pytest.approx(truth, rel=0.01)
    hard_min, easy_min = minutes(exact.power_bands)["TR"], minutes(exact.power_bands)["UT3"]
    rates = minutes(found.heart_rate_bands)
    assert rates["TR"] == pytest.approx(hard_min, rel=0.01)
    assert rates["UT2"] == pytest.approx(easy_min, rel=0.01)


def test_with_every_twentieth_notification_lost_the_load_stays_within_a_percent():
    assert heard(STROKES, 1, drops=lambda n: n % 20 == 7).load == pytest.approx(heard(STROKES, 1).load, rel=0.01)
