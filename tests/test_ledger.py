"""The calorie ledger: every session counted once, in its own day, week and month, by its athlete's clock."""

from __future__ import annotations

import io
import json
import time

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.ledger import FORMS, energy_models, energy_so_far, ledger, ledger_bytes
from rowsync.profile import Profile

ENERGIES = ["gross_kcal", "net_kcal", "low_kcal", "high_kcal", "net_low_kcal", "net_high_kcal"]
KINDS = ["session", "day", "week", "month"]


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def row(moment, kcal=300.0, **other):
    """A session as the index has it; moments are UTC."""
    net_kcal = None if kcal is None else kcal - 30
    lows = {"low_kcal": 0.8, "high_kcal": 1.2}
    return (
        {"session_id": str(moment), "started_at": pd.Timestamp(moment, tz="UTC"), "athlete": "anna"}
        | {"origin": "hardware", "machine": "PM5 1", "duration_s": 1800.0, "gross_kcal": kcal, "net_kcal": net_kcal}
        | {name: None if kcal is None else kcal * share for name, share in lows.items()}
        | {f"net_{name}": None if kcal is None else net_kcal * share for name, share in lows.items()}
        | {"machine_kcal": None, "energy_model": "model-1"}
        | other
    )


def index(*rows):
    """The index, newest first as the store gives it."""
    table = pd.DataFrame(rows, columns=list(row("2026-11-02")))
    numbers = [name for name in table.columns if name.endswith(("_kcal", "_s"))]
    types = dict.fromkeys(numbers, float) | {"started_at": "datetime64[us, UTC]"}
    return table.astype(types).sort_values("started_at", ascending=False)


def anna(**known):
    return {"anna": Profile("anna", **known)}


def records(table):
    return json.loads(ledger_bytes(table, "json"))


THREE = index(
    row("2026-11-02 07:00", 300.0, machine_kcal=320.0),
    row("2026-11-04 07:00", 200.0),
    row("2026-11-22 23:30", 100.0),  # already Monday in Berlin
)


# --- which period a session belongs to --------------------------------------------------------------------------------


def test_by_session_each_has_its_row_oldest_first():
    table = ledger(THREE, "session", {})
    assert list(table.gross_kcal) == [300, 200, 100]
    assert table.started_at[2] == "2026-11-23T00:30:00+01:00"


def test_by_week_the_weeks_are_iso_weeks_and_the_empty_ones_are_there():
    table = ledger(THREE, "week", {})
    assert list(table.week) == ["2026-W45", "2026-W46", "2026-W47", "2026-W48"]
    assert list(table.sessions) == [2, 0, 0, 1]
    assert list(table.gross_kcal) == [500, 0, 0, 100]
    assert list(table.minutes) == [60, 0, 0, 30]


def test_by_day_every_day_from_the_first_session_to_the_last_is_there_once():
    table = ledger(THREE, "day", {})
    assert list(table.day) == [f"2026-11-{day:02}" for day in range(2, 24)]


def test_by_month_the_ranges_add_up_and_do_not_shrink():
    (month,) = records(ledger(THREE, "month", {}))
    assert (month["month"], month["low_kcal"], month["high_kcal"]) == ("2026-11", 480, 720)
    assert (month["net_low_kcal"], month["net_high_kcal"]) == (510 * 0.8, 510 * 1.2)


def test_the_months_between_two_years_are_all_there():
    table = ledger(index(row("2025-11-30 22:30"), row("2026-01-31 23:30")), "month", {})
    assert list(table.month) == ["2025-11", "2025-12", "2026-01", "2026-02"]


def test_a_day_is_the_athletes_and_not_the_computers():
    late = index(row("2026-11-02 14:30"))  # 23:30 in Tokyo, and still afternoon in Berlin
    early = index(row("2026-11-02 15:30"))
    tokyo = anna(time_zone="Asia/Tokyo")
    assert list(ledger(late, "day", tokyo).day) == ["2026-11-02"]
    assert list(ledger(early, "day", tokyo).day) == ["2026-11-03"]
    assert list(ledger(early, "session", tokyo).started_at) == ["2026-11-03T00:30:00+09:00"]


def test_a_session_across_midnight_is_counted_once_on_the_day_it_began():
    gambier = anna(time_zone="Pacific/Gambier")  # nine hours behind UTC: from 23:50 to 00:20
    across = index(row("2026-12-01 08:50", 400.0, duration_s=1800.0))
    (day,) = records(ledger(across, "day", gambier))
    assert (day["day"], day["gross_kcal"], day["minutes"], day["sessions"]) == ("2026-11-30", 400, 30, 1)
    assert list(ledger(across, "month", gambier).month) == ["2026-11"]
    assert list(ledger(across, "month", {}).month) == ["2026-12"]


@pytest.mark.parametrize(
    ("day", "moments"),
    [
        ("2026-03-29", ["2026-03-28 23:00", "2026-03-29 00:59", "2026-03-29 01:00", "2026-03-29 21:59"]),  # 23 hours
        ("2026-10-25", ["2026-10-24 22:00", "2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 22:59"]),  # 25 hours
    ],
)
@pytest.mark.parametrize("computer", ["Europe/Berlin", "America/New_York", "UTC"])
def test_a_day_on_which_clocks_change_has_all_of_its_hours_and_no_other(monkeypatch, day, moments, computer):
    monkeypatch.setenv("TZ", computer)
    time.tzset()
    first, last = pd.Timestamp(moments[0]), pd.Timestamp(moments[-1])
    around = [first - pd.Timedelta(minutes=1), *moments, last + pd.Timedelta(minutes=1)]
    table = ledger(index(*map(row, around)), "day", anna(time_zone="Europe/Berlin"))
    before, after = (str((pd.Timestamp(day) + pd.Timedelta(days=days)).date()) for days in (-1, 1))
    assert list(zip(table.day, table.sessions, strict=True)) == [(before, 1), (day, 4), (after, 1)]


def test_an_hour_that_comes_twice_is_told_apart_by_its_offset():
    table = ledger(index(row("2026-10-25 00:30"), row("2026-10-25 01:30")), "session", anna(time_zone="Europe/Berlin"))
    assert list(table.started_at) == ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]


def test_the_first_days_of_january_belong_to_the_53rd_week_of_the_year_before():
    table = ledger(index(row("2026-12-27 12:00"), row("2027-01-03 12:00"), row("2027-01-04 12:00")), "week", {})
    assert list(table.week) == ["2026-W52", "2026-W53", "2027-W01"]
    assert list(table.sessions) == [1, 1, 1]


def test_the_last_days_of_december_can_belong_to_the_first_week_of_the_next_year():
    table = ledger(index(row("2025-12-28 12:00"), row("2025-12-29 12:00")), "week", {})
    assert list(table.week) == ["2025-W52", "2026-W01"]


def test_two_athletes_in_two_zones_each_have_their_own_days():
    profiles = anna(time_zone="Asia/Tokyo") | {"ben": Profile("ben", time_zone="America/New_York")}
    moment = "2026-11-02 20:00"
    both = index(row(moment, 300.0), row(moment, 200.0, athlete="ben", session_id="b"))
    table = ledger(both, "day", profiles)
    shown = list(zip(table.athlete, table.day, table.gross_kcal, strict=True))
    assert shown == [("anna", "2026-11-03", 300), ("ben", "2026-11-02", 200)]


def test_an_athletes_periods_go_from_the_own_first_session_to_the_own_last():
    table = ledger(
        index(row("2026-11-02"), row("2026-11-20", athlete="ben"), row("2026-11-21", athlete="ben")), "day", {}
    )
    assert list(table.athlete) == ["anna", "ben", "ben"]


def test_what_a_program_rowed_is_never_added_to_what_a_person_did():
    table = ledger(index(row("2026-11-02", 300.0), row("2026-11-03", 200.0, origin="synthetic")), "week", {})
    assert list(zip(table.origin, table.gross_kcal, strict=True)) == [("hardware", 300), ("synthetic", 200)]


# --- what is added up -------------------------------------------------------------------------------------------------

SESSIONS = st.lists(
    st.tuples(
        st.integers(0, 390 * 24 * 60).map(lambda minute: pd.Timestamp("2019-12-20") + pd.Timedelta(minutes=minute)),
        st.floats(0, 3000),
        st.none() | st.floats(0, 3000),
        st.sampled_from(["anna", "ben"]),
    ),
    max_size=12,
)


@given(SESSIONS, st.sampled_from(["day", "week", "month"]), st.sampled_from([None, "Asia/Tokyo", "Pacific/Apia"]))
def test_all_periods_together_are_all_sessions_together(sessions, by, time_zone):
    rows = [
        row(moment, kcal, machine_kcal=machine_kcal, athlete=athlete, session_id=str(number))
        for number, (moment, kcal, machine_kcal, athlete) in enumerate(sessions)
    ]
    profiles = anna(time_zone=time_zone)
    one_by_one, periods = ledger(index(*rows), "session", profiles), ledger(index(*rows), by, profiles)
    for name in [*ENERGIES, "machine_kcal", "minutes", "sessions", "machine_sessions"]:
        for athlete in ("anna", "ben"):
            wanted, added = (table[table.athlete == athlete][name].sum() for table in (one_by_one, periods))
            assert added == pytest.approx(wanted, abs=1e-6), name
    assert not periods.duplicated([by, "athlete"]).any()
    for _, whose in periods.groupby("athlete"):
        assert list(whose[by]) == sorted(whose[by])
        assert whose.sessions.iloc[0] > 0
        assert whose.sessions.iloc[-1] > 0


def test_energies_have_one_decimal_and_minutes_two():
    (session,) = records(ledger(index(row("2026-11-02", 300.126, duration_s=1000.0)), "session", {}))
    assert (session["gross_kcal"], session["minutes"]) == (300.1, 16.67)


def test_what_the_machine_counted_says_for_how_many_sessions():
    first, empty, *_, last = records(ledger(THREE, "week", {}))
    assert (first["machine_kcal"], first["machine_sessions"], first["sessions"]) == (320, 1, 2)
    assert (empty["machine_kcal"], empty["machine_sessions"]) == (None, 0)
    assert (last["machine_kcal"], last["machine_sessions"], last["sessions"]) == (None, 0, 1)


def test_a_machine_that_counted_nothing_at_all_counted():
    (week,) = records(ledger(index(row("2026-11-02", machine_kcal=0.0)), "week", {}))
    assert (week["machine_kcal"], week["machine_sessions"]) == (0, 1)


def test_the_machines_and_models_of_a_period_are_all_named():
    names = [("WRX", "model-2"), ("PM5 1", "model-1"), ("WRX", "model-2"), (None, "model-2")]
    rows = [
        row(f"2026-11-02 0{hour}:00", machine=machine, energy_model=model)
        for hour, (machine, model) in enumerate(names)
    ]
    (week,) = records(ledger(index(*rows), "week", {}))
    assert (week["machine"], week["energy_model"]) == ("PM5 1; WRX", "model-1; model-2")
    assert records(ledger(index(*rows), "session", {}))[-1]["machine"] == ""


def test_a_sum_is_missing_where_a_session_lacks_the_figure():
    known, unknown = row("2026-11-02", 300.0), row("2026-11-03", None)
    (week,) = records(ledger(index(known, unknown), "week", {}))
    assert [week[name] for name in ENERGIES] == [None] * len(ENERGIES)
    assert week["minutes"] == 60


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("by", KINDS)
def test_no_number_is_infinite_in_a_file(by, form):
    broken = row("2026-11-02", float("inf"), machine_kcal=float("-inf"), duration_s=float("nan"))
    text = ledger_bytes(ledger(index(broken, row("2026-11-03", 1e308)), by, {}), form).decode()
    assert "inf" not in text.lower()
    assert "nan" not in text.lower()


# --- the weekly aim ---------------------------------------------------------------------------------------------------


def test_a_week_is_laid_beside_the_athletes_aim():
    week, *_ = records(ledger(THREE, "week", anna(weekly_aim_kcal=880.0)))
    assert (week["net_kcal"], week["aim_kcal"], week["aim_share"]) == (440, 880, 0.5)


def test_an_empty_week_reached_nothing_of_the_aim():
    assert list(ledger(THREE, "week", anna(weekly_aim_kcal=900)).aim_share)[1:3] == [0, 0]


def test_without_an_aim_its_columns_are_there_and_empty():
    both = index(row("2026-11-02"), row("2026-11-03", athlete="ben"))
    table = ledger(both, "week", anna(weekly_aim_kcal=900))
    assert table[["aim_kcal", "aim_share"]].isna().all(axis=1).tolist() == [False, True]
    assert ledger(both, "week", {})[["aim_kcal", "aim_share"]].isna().all(axis=None)


def test_a_virtual_rower_meets_nobodys_aim():
    table = ledger(index(row("2026-11-02", origin="synthetic")), "week", anna(weekly_aim_kcal=900))
    assert table[["aim_kcal", "aim_share"]].isna().all(axis=None)


@pytest.mark.parametrize("by", ["session", "day", "month"])
def test_only_weeks_have_an_aim(by):
    assert not {"aim_kcal", "aim_share"} & set(ledger(THREE, by, anna(weekly_aim_kcal=900)).columns)


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", KINDS)
def test_an_empty_ledger_has_the_headings_and_types_of_any_other(by, tmp_path):
    empty, full = (
        pd.read_parquet(io.BytesIO(ledger_bytes(ledger(rows, by, {}), "parquet"))) for rows in (THREE[:0], THREE)
    )
    assert len(empty) == 0
    assert dict(empty.dtypes) == dict(full.dtypes)
    text = ledger_bytes(ledger(THREE[:0], by, {}), "csv").decode()
    assert text == ledger_bytes(ledger(THREE, by, {}), "csv").decode().splitlines(keepends=True)[0]
    assert records(ledger(THREE[:0], by, {})) == []


def test_parquet_types_do_not_depend_on_what_is_missing():
    import pyarrow.parquet as pq

    bare = index(row("2026-11-02", None, machine=None, duration_s=None))
    schemas = {
        str(pq.read_schema(io.BytesIO(ledger_bytes(ledger(rows, "week", {}), "parquet"))).remove_metadata())
        for rows in (bare, THREE, THREE[:0])
    }
    assert len(schemas) == 1


def test_the_three_formats_hold_the_same():
    table = ledger(THREE, "week", {})
    from_csv = pd.read_csv(io.BytesIO(ledger_bytes(table, "csv")))
    from_parquet = pd.read_parquet(io.BytesIO(ledger_bytes(table, "parquet")))
    assert list(from_csv.gross_kcal) == [each["gross_kcal"] for each in records(table)] == list(from_parquet.gross_kcal)


def test_a_name_that_a_spreadsheet_would_run_is_made_a_text():
    table = ledger(index(row("2026-11-02", athlete='=HYPERLINK("http://x")', machine="@cmd")), "week", {})
    text = ledger_bytes(table, "csv").decode()
    assert "\"'=HYPERLINK" in text
    assert ",'@cmd," in text


@pytest.mark.parametrize("form", FORMS)
def test_an_exported_ledger_tells_its_models(form, tmp_path):
    two = index(row("2026-11-02"), row("2026-11-03", energy_model="model-2"), row("2026-12-30"))
    for by in KINDS:
        path = tmp_path / f"{by}.{form}"
        path.write_bytes(ledger_bytes(ledger(two, by, {}), form))
        assert energy_models(path) == {"model-1", "model-2"}


@given(
    st.binary(max_size=200) | st.sampled_from([b"", b"PAR1", b"[", b'["energy_model"]', b"energy_model\n", b"a,b\n1"])
)
def test_any_other_file_tells_none(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    assert energy_models(path) == set()


def test_no_file_tells_no_model(tmp_path):
    assert energy_models(tmp_path / "none.csv") == energy_models(tmp_path) == set()


# --- speed ------------------------------------------------------------------------------------------------------------


def test_twenty_years_by_day_take_less_than_half_a_second():
    first = pd.Timestamp("2006-01-01 12:00")
    rows = [row(first + pd.Timedelta(hours=35 * number), session_id=str(number)) for number in range(5000)]
    table, seconds = index(*rows), []
    for _ in range(3):
        began = time.process_time()
        days = ledger(table, "day", anna(time_zone="Europe/Berlin"))
        seconds.append(time.process_time() - began)
    assert len(days) > 7200
    assert min(seconds) < 0.5


# --- so far -----------------------------------------------------------------------------------------------------------


def so_far(*rows, now, zone="Europe/Berlin", origin="hardware"):
    moment = pd.Timestamp(now, tz="UTC").to_pydatetime()
    stored = [each | {"started_at": each["started_at"].to_pydatetime()} for each in rows]
    return energy_so_far(stored, Profile("anna", time_zone=zone), origin, moment)


def test_energy_so_far_is_all_that_the_athlete_rowed_and_what_of_it_today():
    rows = [row("2026-11-01 10:00", 300.0), row("2026-11-02 23:30", 200.0), row("2026-11-03 10:00", 100.0)]
    assert so_far(*rows, now="2026-11-03 12:00") == {
        "lifetime_kcal": 600.0,
        "kcal_today": 300.0,
        "day_start": "2026-11-03T00:00:00+01:00",
    }
    assert so_far(*rows, now="2026-11-03 12:00", zone="America/New_York")["kcal_today"] == 100.0


def test_what_others_and_virtual_rowers_rowed_is_not_the_athletes_energy():
    rows = [row("2026-11-03", athlete="ben"), row("2026-11-03", origin="synthetic"), row("2026-11-03", kcal=None)]
    assert so_far(*rows, now="2026-11-03 12:00")["lifetime_kcal"] == 0.0
    assert so_far(*rows, now="2026-11-03 12:00", origin="synthetic")["lifetime_kcal"] == 300.0
