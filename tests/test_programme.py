"""The training programme beside a history: sums by hand, weeks and days at their edges, files that aren't ours."""

from __future__ import annotations

import io
import json
import math
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from rowsync import ticks
from rowsync.athlete import Athlete
from rowsync.days import day_of
from rowsync.errors import RecordingError, RowsyncError, StoreError, UsageError
from rowsync.programme import (
    INFORMATION,
    MOST_WEEKS,
    Row,
    Span,
    Tick,
    first_monday,
    left_of,
    load_programme,
    monday_of,
    next_day,
    overview,
    row_of,
    week_by_week,
)
from rowsync.recording import read_recording
from rowsync.store import Store
from rowsync.terminal import print_programme
from tests.conftest import RECORDED

TOML = (files("rowsync") / "programme.toml").read_text(encoding="utf-8")
PROGRAMME = load_programme(TOML)
MONDAY = date(2026, 11, 2)


def steady(day=MONDAY, minutes=30.0, **known):
    return Row(day, minutes, longest_minutes=minutes, **known)


def intervals(day=MONDAY, rounds=10, planned=10, warm_up=6.0, **known):
    return Row(day, 30.0, rounds, planned, block_minutes=20.0, warm_up_minutes=warm_up, **known)


def weeks_of(*rows, ticked=(), started=MONDAY, today=MONDAY):
    return week_by_week(PROGRAMME, rows, ticked, started, today)


def week_of(*rows, **known):
    return weeks_of(*rows, **known)[-1]


def session(*pieces, **known):
    """A summary with (effort, minutes) pieces that follow each other."""
    intervals, start_s = [], 0.0
    for effort, minutes in pieces:
        intervals.append({"effort": effort, "start_s": start_s, "end_s": start_s + 60.0 * minutes})
        start_s += 60.0 * minutes
    energy = {"gross_kcal": 300.0, "net_kcal": 260.0, "low_kcal": 250.0, "high_kcal": 350.0}
    return {"origin": "hardware", "moving_s": start_s, "intervals": intervals, "energy": energy} | known


def rounds(times, work=0.75, easy=1.25):
    return [("hard", work), ("easy", easy)] * times


# --- the programme as data --------------------------------------------------------------------------------------------


def test_the_programme_is_the_articles():
    assert PROGRAMME.weeks == (8, 12)
    assert PROGRAMME.rowing.rows_a_week == (3, 4)
    assert PROGRAMME.rowing.minutes_a_row == (20, 30)
    assert PROGRAMME.rowing.minutes_a_week == (60, 120) == (3 * 20, 4 * 30)
    assert PROGRAMME.rowing.interval_rows_a_week == 1
    assert PROGRAMME.rowing.warm_up_minutes == (5, 8)
    assert PROGRAMME.rowing.conversational.minutes == (10, 20)
    assert PROGRAMME.rowing.day_c.minutes == (10, 15)
    assert "10x45/75" in PROGRAMME.rowing.intervals.plan
    assert PROGRAMME.eating.deficit_kcal_a_day == (300, 500)
    assert PROGRAMME.eating.protein_g_per_kg == (1.6, 2.2)
    assert PROGRAMME.eating.fibre_g == (25, 35)
    assert PROGRAMME.day_names == ("A", "B", "C")


@pytest.mark.parametrize(
    ("day", "exercise", "sets", "reps", "hold_s"),
    [
        ("A", "Lat pulldown or assisted pull-up", (3, 3), (6, 10), None),
        ("A", "One-arm dumbbell row", (3, 3), (8, 12), None),
        ("A", "Bridge", (3, 3), (8, 8), (8, 12)),
        ("A", "Plank", (2, 3), None, (20, 60)),
        ("B", "Bent-over row, dumbbells or barbell", (3, 3), (8, 12), None),
        ("B", "Face pull", (3, 3), (12, 15), None),
        ("B", "Superman", (3, 3), (8, 12), (2, 3)),
        ("B", "Reverse fly", (2, 3), (12, 15), None),
        ("C", "Plank", None, None, None),
        ("C", "Bridge", None, None, None),
        ("C", "Face pull", None, None, None),
        ("C", "Light row", None, None, None),
    ],
)
def test_each_strength_day_has_the_articles_sets_repetitions_and_holds(day, exercise, sets, reps, hold_s):
    found = {(of.name, each.name): each for of in PROGRAMME.days for each in of.exercises}[day, exercise]
    assert (found.sets, found.reps, found.hold_s) == (sets, reps, hold_s)
    assert found.cue
    assert found.each_side == (exercise == "One-arm dumbbell row")


def test_it_promises_no_weight_loss():
    assert not any(word in TOML.lower() for word in ("7700", "7716", "kg a week", "kilograms of fat", "lose "))


def test_every_note_of_caution_says_where_it_is_from():
    assert all(each.text and each.source for each in PROGRAMME.safety)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("weeks = [8, 12]", "weeks = [12, 8]", "weeks is"),
        ("weeks = [8, 12]", "weeks = [8, 10, 12]", "weeks is"),
        ("weeks = [8, 12]", "", "weeks is missing"),
        ("weeks = [8, 12]", "weeks = 8\nmonths = 2", "months is unknown"),
        ("rows_a_week = [3, 4]", "rows_a_week = [3, nan]", "rowing.rows_a_week is"),
        ("rows_a_week = [3, 4]", "rows_a_week = true", "rowing.rows_a_week is"),
        ("interval_rows_a_week = 1", "interval_rows_a_week = 1.5", "rowing.interval_rows_a_week is"),
        ("fibre_g = [25, 35]", "fibre_g = -1", "eating.fibre_g is"),
        ('plan = "5m + 6x45/75"', 'plan = "six times"', "rowing.day_c.plan is"),
        ("each_side = true", 'each_side = "yes"', "days[1].exercises[2].each_side is"),
        ('name = "B"', 'name = "A"', "days is"),
        ('name = "B"', "name = 2", "days[2].name is"),
        ('source = "common advice"', "", "safety[2].source is missing"),
        ("weeks = [8, 12]", "weeks = [8, 12", "no TOML"),
    ],
)
def test_a_programme_with_a_mistake_is_refused_by_the_name_of_its_key(old, new, key):
    assert old in TOML
    with pytest.raises(UsageError) as refused:
        load_programme(TOML.replace(old, new, 1))
    assert key in str(refused.value)


@given(st.text())
def test_any_text_is_a_programme_or_refused(text):
    with pytest.raises(UsageError):
        load_programme(text)


# --- what a session counts as -----------------------------------------------------------------------------------------


def test_what_a_virtual_rower_rowed_does_not_count():
    assert row_of(session(("steady", 20), origin="synthetic"), MONDAY) is None
    assert row_of(session(("steady", 20), origin="converted"), MONDAY) is not None


def test_a_steady_row_is_one_of_the_weeks_rows():
    week = week_of(row_of(session(("steady", 20)), MONDAY))
    assert (week.rows, week.interval_rows, week.day_c_rows, week.minutes) == (1, 0, 0, 20)


def test_ten_rounds_are_the_interval_row_and_six_are_day_cs():
    ten, six = (row_of(session(("warmup", 6), *rounds(times)), MONDAY) for times in (10, 6))
    assert ten.block_minutes == pytest.approx(20 - 1.25 + 1.25)
    assert six.block_minutes == pytest.approx(12)
    week = week_of(ten, six)
    assert (week.rows, week.interval_rows, week.day_c_rows) == (1, 1, 1)


def test_an_interval_row_that_was_cut_short_stays_one_and_counts_by_its_share():
    kept = {"followed": True, "rounds_planned": 10, "rounds_rowed": 4}
    row = row_of(session(("warmup", 5), *rounds(4), plan="5m + 10x45/75", compliance=kept), MONDAY)
    week = week_of(row)
    assert (week.interval_rows, week.day_c_rows, week.intervals) == (1, 0, 0.4)


@pytest.mark.parametrize("other", [{"intervals_from": "corrected"}, {"compliance": None}])
def test_without_a_plan_that_was_followed_the_rounds_are_those_found(other):
    kept = {"followed": True, "rounds_planned": 10, "rounds_rowed": 2}
    row = row_of(session(("warmup", 5), *rounds(9), plan="10x45/75", **{"compliance": kept} | other), MONDAY)
    assert (row.rounds, row.rounds_planned, row.share) == (9, None, 1.0)


def test_a_plan_by_the_metre_has_the_block_that_was_rowed():
    kept = {"followed": True, "rounds_planned": 8, "rounds_rowed": 8}
    row = row_of(session(*rounds(8, 2, 2), plan="8x500m/2m", compliance=kept), MONDAY)
    assert row.block_minutes == pytest.approx(32)


def test_one_hard_stretch_of_a_free_row_makes_no_interval_row():
    week = week_of(row_of(session(("easy", 3), ("hard", 2), ("easy", 17)), MONDAY))
    assert (week.rows, week.interval_rows, week.cold_starts) == (1, 0, 0)


def test_a_row_shorter_than_any_planned_counts_its_minutes_only():
    week = week_of(steady(minutes=4.0, net_kcal=30.0), steady(minutes=9.7))
    assert (week.rows, week.minutes, week.net_kcal) == (1, pytest.approx(13.7), 30.0)


def test_a_row_is_conversational_only_where_that_is_known():
    rows = [row_of(session(("steady", 20), training={"conversational": said}), MONDAY) for said in (True, False, None)]
    assert week_of(*rows, row_of(session(("steady", 20)), MONDAY)).conversational_rows == 1


@pytest.mark.parametrize(
    ("before", "cold"),
    [
        ([("warmup", 6)], 0),
        ([("easy", 2), ("rest", 1), ("steady", 3)], 0),
        ([("warmup", 4.8)], 0),
        ([("warmup", 4)], 1),
        ([("rest", 8), ("warmup", 2)], 1),
        ([], 1),
    ],
)
def test_a_warm_up_is_five_minutes_of_rowing_before_the_first_hard_piece(before, cold):
    week = week_of(row_of(session(*before, *rounds(10)), MONDAY))
    assert week.cold_starts == cold
    assert any("warm-up" in note for note in week.notes) == bool(cold)


def test_a_rest_ends_what_was_rowed_without_a_pause():
    paused, whole = (
        row_of(session(("steady", 20), (between, 1), ("steady", 19)), MONDAY) for between in ("rest", "easy")
    )
    assert (paused.longest_minutes, whole.longest_minutes) == (20, 40)
    assert not week_of(paused).notes
    assert "40 min without a pause" in week_of(whole).notes[0]


def test_a_session_of_an_older_rowsync_has_its_gross_range_around_its_net_energy():
    row = row_of(session(("steady", 20)), MONDAY)
    assert (row.net_low_kcal, row.net_kcal, row.net_high_kcal) == (210, 260, 310)


def test_a_session_without_energy_or_intervals_costs_nothing_and_raises_nothing():
    row = row_of({"origin": "hardware", "energy": None, "intervals": None, "moving_s": None}, MONDAY)
    assert row == Row(MONDAY, 0.0)


# --- sums -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net_kcal", "a_day", "least", "most"), [(931, 133, 27, 44), (1002, 143, 29, 48), (1097, 157, 31, 52)]
)
def test_a_weeks_share_of_the_deficit_is_that_of_the_evidence(net_kcal, a_day, least, most):
    week = week_of(*(steady(net_kcal=net_kcal / 4) for _ in range(4)))
    assert round(week.net_kcal / 7) == a_day
    assert week.deficit_share == pytest.approx((net_kcal / (7 * 500), net_kcal / (7 * 300)))
    assert [round(100 * share) for share in week.deficit_share] == [least, most]


def test_ranges_of_a_week_add_and_do_not_shrink():
    week = week_of(*(steady(net_kcal=250.0, net_low_kcal=210.0, net_high_kcal=290.0) for _ in range(4)))
    assert (week.net_low_kcal, week.net_kcal, week.net_high_kcal) == (840, 1000, 1160)
    assert week.deficit_share_range == pytest.approx((840 / 3500, 1160 / 2100))


@pytest.mark.parametrize(("minutes", "noted"), [(71, False), (72, False), (73, True)])
def test_a_fifth_more_minutes_than_the_week_before_is_noted_with_a_question_about_the_back(minutes, noted):
    after = MONDAY + timedelta(weeks=1)
    rows = [steady(minutes=30.0), steady(minutes=30.0), *(steady(after, minutes / 3) for _ in range(3))]
    assert any("back?" in note for note in weeks_of(*rows, today=after)[1].notes) == noted


def test_the_first_week_and_one_after_a_break_are_no_jump():
    weeks = weeks_of(steady(), steady(MONDAY + timedelta(weeks=2)), today=MONDAY + timedelta(weeks=2))
    assert [week.notes for week in weeks] == [(), (), ()]


def test_a_second_interval_row_is_noted():
    assert not week_of(intervals()).notes
    assert (
        "2 interval rows, 1 planned"
        in week_of(intervals(), intervals(MONDAY + timedelta(days=2)), today=MONDAY).notes[0]
    )


def test_what_is_left_of_a_week():
    assert left_of(PROGRAMME, week_of()) == (
        "3–4 rows",
        "1 interval row of them",
        "60 min of rowing",
        "strength A, B, C",
    )
    rows = [steady(), steady(), intervals()]
    assert left_of(PROGRAMME, week_of(*rows, ticked=[Tick(MONDAY, "B")])) == ("strength A, C",)
    assert left_of(PROGRAMME, week_of(*rows[:2])) == ("1–2 rows", "1 interval row of them", "strength A, B, C")
    assert left_of(PROGRAMME, week_of(steady(), steady(), steady()))[0] == "1 interval row"
    assert left_of(PROGRAMME, week_of(*rows, ticked=[Tick(MONDAY, name) for name in "ABC"])) == ()


def test_the_next_strength_day_is_the_first_that_the_week_lacks():
    ticked = [Tick(MONDAY, "A"), Tick(MONDAY, "C")]
    assert next_day(PROGRAMME, week_of(ticked=ticked)).name == "B"
    assert next_day(PROGRAMME, week_of(ticked=[*ticked, Tick(MONDAY, "B")])).name == "A"
    assert next_day(PROGRAMME, None).name == "A"


# --- weeks ------------------------------------------------------------------------------------------------------------


def test_a_week_goes_from_monday_to_sunday():
    sunday = MONDAY + timedelta(days=6)
    weeks = weeks_of(
        steady(MONDAY), steady(sunday), steady(sunday + timedelta(days=1)), today=sunday + timedelta(days=1)
    )
    assert [(week.number, week.monday, week.rows) for week in weeks] == [
        (1, MONDAY, 2),
        (2, MONDAY + timedelta(weeks=1), 1),
    ]


def test_the_week_over_new_year_is_one_week():
    (week,) = weeks_of(
        steady(date(2026, 12, 28)), steady(date(2027, 1, 3)), started=date(2026, 12, 31), today=date(2027, 1, 1)
    )
    assert (week.monday, week.rows) == (date(2026, 12, 28), 2)


def test_what_was_ticked_counts_once_a_week_in_its_own_week():
    ticked = [Tick(MONDAY, "A"), Tick(MONDAY + timedelta(days=1), "A"), Tick(MONDAY + timedelta(days=7), "C")]
    weeks = weeks_of(ticked=[*ticked, Tick(MONDAY, "of another programme")], today=MONDAY + timedelta(days=7))
    assert [week.strength for week in weeks] == [("A",), ("C",)]


def test_an_empty_history_has_empty_weeks_and_no_share():
    weeks = weeks_of(today=MONDAY + timedelta(weeks=2))
    assert len(weeks) == 3
    assert all((week.rows, week.minutes, week.deficit_share, week.notes) == (0, 0, (0, 0), ()) for week in weeks)


def test_a_programme_that_begins_next_week_has_no_weeks_yet():
    assert weeks_of(started=MONDAY + timedelta(weeks=1)) == ()
    shown = overview(PROGRAMME, (), athlete="me", mass_kg=None, started=MONDAY + timedelta(weeks=1), today=MONDAY)
    assert (shown["week"], shown["weeks"], shown["next_day"]) == (None, [], "A")


@given(st.dates(date(2, 1, 1), date(9998, 1, 1)), st.dates(date(2, 1, 1), date(9998, 1, 1)))
def test_weeks_end_today_are_numbered_from_the_start_and_no_more_than_half_a_year(started, today):
    weeks = weeks_of(started=started, today=today)
    assert len(weeks) <= MOST_WEEKS
    if weeks:
        assert weeks[0].monday == first_monday(started, today)
        assert weeks[-1].monday == monday_of(today)
        assert [week.number for week in weeks] == [1 + (week.monday - monday_of(started)).days // 7 for week in weeks]


@given(
    st.lists(
        st.builds(Row, st.dates(MONDAY, MONDAY + timedelta(days=34)), st.floats(0, 300), st.integers(0, 20)),
        max_size=20,
    )
)
def test_every_minute_is_in_one_week(rows):
    weeks = weeks_of(*rows, today=MONDAY + timedelta(days=34))
    assert sum(week.minutes for week in weeks) == pytest.approx(math.fsum(row.minutes for row in rows))


@pytest.mark.parametrize(
    ("started_at", "time_zone", "day"),
    [
        ("2026-10-24T22:30:00Z", "Europe/Berlin", date(2026, 10, 25)),  # summer time, its last night
        ("2026-10-25T22:30:00Z", "Europe/Berlin", date(2026, 10, 25)),  # the same day, 25 hours long, in winter time
        ("2026-10-25T23:30:00Z", "Europe/Berlin", date(2026, 10, 26)),
        ("2026-11-02T03:00:00Z", "America/New_York", date(2026, 11, 1)),
    ],
)
def test_a_late_row_is_in_the_week_of_its_own_clock(started_at, time_zone, day):
    row = steady(day_of(datetime.fromisoformat(started_at), time_zone))
    assert row.day == day
    assert week_of(row, started=day, today=day).rows == 1


# --- what is shown ----------------------------------------------------------------------------------------------------


def shown(width, mass_kg=75.0, programme=PROGRAMME, rows=(), today=MONDAY):
    weeks = week_by_week(programme, rows, [Tick(MONDAY, "A")], MONDAY, today)
    document = overview(programme, weeks, athlete="anna", mass_kg=mass_kg, started=MONDAY, today=today)
    console = Console(file=io.StringIO(), width=width)
    print_programme(json.loads(json.dumps(document)), console)
    return console.file.getvalue()


WEEK = [steady(net_kcal=334.0, net_low_kcal=280.0, net_high_kcal=388.0), intervals(net_kcal=668.0)]


def test_protein_follows_body_mass():
    assert "120–165 g of protein (for 75 kg), 25–35 g of fibre" in shown(100)
    assert "rowsync athlete anna --mass KG" in shown(100, mass_kg=None)


def test_the_last_line_says_what_this_is_not():
    assert shown(100).rstrip().splitlines()[-1] == INFORMATION == "Information, not medical advice."


def test_the_weeks_share_stands_with_its_range():
    text = " ".join(shown(100, rows=WEEK).split())
    assert "1\u202f002 kcal net, 80 % range 280–388" in shown(200, rows=WEEK)
    assert "29–48 % of this week's deficit at 500–300 kcal a day; with the range, 8–18 %" in text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_longer_than_the_terminal_and_no_figure_is_cut(width):
    text = shown(width, rows=WEEK, today=MONDAY + timedelta(weeks=11))
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_a_programme_of_somebody_else_is_shown_as_plain_text():
    hostile = replace(PROGRAMME, name="[red]x[/red]\x1b[2J", about=("\u202eabc",))
    text = shown(100, programme=hostile)
    assert "[red]x[/red]\\u001b[2J" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


# --- ticks ------------------------------------------------------------------------------------------------------------


def test_ticks_are_kept_for_each_athlete_and_for_the_owner_alone(tmp_path):
    ticks.tick(tmp_path / "data", "anna", Tick(MONDAY, "A"))
    ticks.tick(tmp_path / "data", "anna", Tick(MONDAY, "A"))
    ticks.tick(tmp_path / "data", "bo", Tick(MONDAY, "B"))
    ticks.start(tmp_path / "data", "bo", MONDAY)
    assert ticks.ticked(tmp_path / "data", "anna") == ticks.Ticked(None, frozenset({Tick(MONDAY, "A")}))
    assert ticks.ticked(tmp_path / "data", "bo") == ticks.Ticked(MONDAY, frozenset({Tick(MONDAY, "B")}))
    assert ticks.ticked(tmp_path / "data", "cy") == ticks.Ticked()
    ticks.untick(tmp_path / "data", "bo", Tick(MONDAY, "B"))
    assert ticks.ticked(tmp_path / "data", "bo") == ticks.Ticked(MONDAY)
    path = tmp_path / "data" / ticks.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_bytes())["athletes"]["anna"] == {
        "started": None,
        "ticks": [{"day": "2026-11-02", "what": "A"}],
    }


@given(st.binary())
@example(b"")
@example(b"[]")
@example(b"[" * 100_000)
@example(b'{"athletes": []}')
@example(b'{"athletes": {"me": {"started": 5, "ticks": []}}}')
@example(b'{"athletes": {"me": {"started": null, "ticks": {}}}}')
@example(b'{"athletes": {"me": {"started": null, "ticks": [["day", "what"]]}}}')
@example(b'{"athletes": {"me": {"started": null, "ticks": [{"day": "2026-11-03", "what": ["A"]}]}}}')
@example(b'{"athletes": {"me": {"started": null, "ticks": [{"day": "2026-11-33", "what": "A"}]}}}')
@example(b'{"athletes": {"me": {"started": null, "ticks": [], "more": 1}}}')
@example(b'{"athletes": {}, "more": 1}')
def test_a_file_that_is_not_ours_is_named_and_left_as_it_is(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("data")
    (folder / ticks.FILE).write_bytes(content)
    for refused in (lambda: ticks.ticked(folder, "me"), lambda: ticks.tick(folder, "me", Tick(MONDAY, "A"))):
        with pytest.raises(RecordingError, match=ticks.FILE):
            refused()
    assert (folder / ticks.FILE).read_bytes() == content


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["2026-11-02", "A"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["athletes", "me", "started", "ticks", "day", "what", "x"]), inner, max_size=4
        )
    ),
)


@given(JSON)
def test_any_json_is_read_or_refused(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("data")
    (folder / ticks.FILE).write_text(json.dumps({"athletes": {"me": content}}))
    try:
        said = ticks.ticked(folder, "me")
    except RowsyncError:
        return
    assert set(content) == {"started", "ticks"}
    assert len(said.ticks) <= len(content["ticks"])


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="as it was before"):
        ticks.tick(tmp_path / "file", "me", Tick(MONDAY, "A"))


# --- the command ------------------------------------------------------------------------------------------------------


def run(*arguments, code=0):
    """Run the command to its end; answer what it printed."""
    command = [sys.executable, "-m", "rowsync", "programme", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def told(*arguments):
    """The document of a command that goes well."""
    return json.loads(run(*arguments, "--json").stdout)


def keep(tmp_path, name, started_at, session_id, origin="hardware", athlete="me"):
    """Store a recording as rowed then."""
    found = read_recording(RECORDED / f"{name}.jsonl")
    header = replace(
        found.header,
        session_id=session_id,
        started_at=started_at,
        origin=origin,
        athlete=Athlete(athlete, mass_kg=75.0),
    )
    return Store(tmp_path / "data").add(replace(found, header=header))


def test_nobody_has_rowed_yet_and_the_programme_is_shown():
    done = run()
    assert "Week 1 of 8–12" in done.stdout
    assert "Left: 3–4 rows" in done.stdout
    assert "Next strength day: A" in done.stdout


def test_rows_are_read_from_the_store_each_for_its_athlete_and_not_the_virtual_ones(tmp_path):
    now = datetime.now(UTC)
    steady = keep(tmp_path, "steady-30m", now, "s1")
    hard = keep(tmp_path, "intervals-10x45-75", now, "s2")
    keep(tmp_path, "steady-30m", now, "s3", origin="synthetic")
    keep(tmp_path, "steady-30m", now, "s4", athlete="anna")
    (week,) = told()["weeks"]
    assert (week["rows"], week["interval_rows"], week["intervals"], week["cold_starts"]) == (2, 1, 1.0, 0)
    net_kcal = steady["energy"]["net_kcal"] + hard["energy"]["net_kcal"]
    assert week["net_kcal"] == pytest.approx(net_kcal)
    assert week["deficit_share"] == pytest.approx([net_kcal / 3500, net_kcal / 2100], abs=1e-5)
    assert week["net_low_kcal"] < week["net_kcal"] < week["net_high_kcal"]
    assert told("--athlete", "anna")["weeks"][0]["rows"] == 1


def test_it_began_with_the_first_session_of_the_last_twelve_weeks(tmp_path):
    now = datetime.now(UTC)
    keep(tmp_path, "steady-30m", now - timedelta(weeks=3), "s1")
    keep(tmp_path, "steady-30m", now - timedelta(weeks=30), "s2")
    shown = told()
    assert shown["week"] == 4
    assert [week["rows"] for week in shown["weeks"]] == [1, 0, 0, 0]


def test_ticks_are_kept_taken_back_and_refused_when_they_name_nothing():
    assert told("--tick", "b")["weeks"][0]["strength"] == ["B"]
    assert told("--athlete", "anna")["weeks"][0]["strength"] == []
    assert told("--untick", "B")["weeks"][0]["strength"] == []
    assert "has A, B, C" in run("--tick", "D", code=2).stderr
    assert "yet to come" in run("--tick", "A", "--on", "9000-01-01", code=2).stderr
    assert "--on goes with" in run("--on", "2026-11-02", code=2).stderr
    assert told()["weeks"][0]["strength"] == []


def test_a_day_ticked_three_weeks_ago_begins_the_programme_there():
    day = datetime.now(UTC).astimezone().date() - timedelta(weeks=3)
    shown = told("--tick", "C", "--on", day)
    assert (shown["week"], shown["weeks"][0]["strength"]) == (4, ["C"])


def test_the_start_is_kept_and_may_lie_ahead_or_far_back():
    today = datetime.now(UTC).astimezone().date()
    assert told("--start", today - timedelta(weeks=5))["week"] == 6
    assert told()["week"] == 6
    assert told("--start", today + timedelta(weeks=1))["week"] is None
    assert "Begins" in run().stdout
    far = told("--start", "2001-01-01")
    assert far["week"] > 1000
    assert len(far["weeks"]) == MOST_WEEKS
    assert "It is over" in run().stdout


def test_protein_comes_from_the_athletes_mass_in_the_settings(settings_file):
    settings_file.write_text("[athletes.anna]\nmass_kg = 60\n")
    assert told("--athlete", "anna")["protein_g"] == [96, 132]
    assert told()["protein_g"] is None


def test_another_programme_is_followed_from_its_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TOML.replace('name = "C"', 'name = "Rest"').replace("weeks = [8, 12]", "weeks = 6"))
    shown = told("--file", path, "--tick", "rest")
    assert shown["weeks"][0]["strength"] == ["Rest"]
    assert "Week 1 of 6" in run("--file", path).stdout
    path.write_bytes(b"\xff")
    assert "it is no text" in run("--file", path, code=4).stderr
    assert "can't be read: No such file" in run("--file", tmp_path / "none.toml", code=4).stderr


def test_ticks_that_cannot_be_read_end_the_command_with_one_sentence(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ticks.FILE).write_bytes(b"{")
    assert len(run("--tick", "A", code=4).stderr.splitlines()) == 1
    assert (tmp_path / "data" / ticks.FILE).read_bytes() == b"{"


def test_a_session_that_cannot_be_read_is_said_and_the_others_count(tmp_path):
    now = datetime.now(UTC)
    keep(tmp_path, "steady-30m", now, "s1")
    keep(tmp_path, "steady-30m", now, "s2")
    (path,) = (tmp_path / "data").glob("samples/*/*/s2.parquet")
    path.write_bytes(b"nothing of ours")
    done = run("--json")
    assert "s2.parquet" in done.stderr
    assert json.loads(done.stdout)["weeks"][0]["rows"] == 1


def test_spans_multiply():
    assert Span(1.6, 2.2).times(75) == pytest.approx((120, 165))
