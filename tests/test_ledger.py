"""The calorie ledger: every session counted once, in its own day, week and month."""

from __future__ import annotations

import io
import json
import time

import pandas as pd
import pytest

from rowsync.ledger import ledger, ledger_bytes
from rowsync.store import INDEX


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def index(*sessions):
    rows = [
        dict.fromkeys(INDEX.names)
        | {"session_id": str(number), "started_at": pd.Timestamp(moment, tz="UTC"), "athlete": athlete}
        | {
            "origin": "hardware",
            "duration_s": 1800.0,
            "gross_kcal": kcal,
            "net_kcal": kcal - 30,
            "low_kcal": kcal * 0.8,
        }
        | {"high_kcal": kcal * 1.2, "machine_kcal": machine, "energy_model": "model-1"}
        for number, (moment, athlete, kcal, machine) in enumerate(sessions)
    ]
    table = pd.DataFrame(rows, columns=INDEX.names)
    return table.astype({"machine_kcal": float, "gross_kcal": float}).sort_values("started_at", ascending=False)


THREE = index(
    ("2026-11-02 07:00", "anna", 300.0, 320.0),
    ("2026-11-04 07:00", "anna", 200.0, None),
    ("2026-11-22 23:30", "anna", 100.0, None),  # already Monday in Berlin
)


def test_by_session_each_has_its_row_oldest_first():
    table = ledger(THREE, "session")
    assert list(table.session_id) == ["0", "1", "2"]
    assert table.started_at[2] == "2026-11-23T00:30:00+01:00"
    assert list(table.gross_kcal) == [300, 200, 100]


def test_by_week_the_weeks_are_iso_weeks_and_the_empty_ones_are_there():
    table = ledger(THREE, "week")
    assert list(table.week) == ["2026-W45", "2026-W46", "2026-W47", "2026-W48"]
    assert list(table.sessions) == [2, 0, 0, 1]
    assert list(table.gross_kcal) == [500, 0, 0, 100]
    assert table.machine_kcal[0] == 320
    assert table.machine_kcal[1:].isna().all()


def test_by_day_a_session_belongs_to_the_day_it_started_in_where_it_was_rowed():
    table = ledger(THREE, "day")
    assert len(table) == 22
    assert table.day.iloc[-1] == "2026-11-23"


def test_by_month_the_ranges_add_up_and_do_not_shrink():
    (row,) = ledger(THREE, "month").to_dict("records")
    assert (row["month"], row["low_kcal"], row["high_kcal"]) == ("2026-11", 480, 720)


def test_two_athletes_are_never_added_together():
    table = ledger(index(("2026-11-02", "anna", 300.0, None), ("2026-11-02", "ben", 200.0, None)), "week")
    assert list(zip(table.athlete, table.gross_kcal, strict=True)) == [("anna", 300), ("ben", 200)]


@pytest.mark.parametrize("by", ["session", "day", "week", "month"])
def test_an_empty_ledger_has_its_headings(by):
    assert "gross_kcal" in ledger(THREE[:0], by).columns


def test_the_three_formats_hold_the_same():
    table = ledger(THREE, "week")
    from_csv = pd.read_csv(io.BytesIO(ledger_bytes(table, "csv")))
    from_json = json.loads(ledger_bytes(table, "json"))
    from_parquet = pd.read_parquet(io.BytesIO(ledger_bytes(table, "parquet")))
    assert list(from_csv.gross_kcal) == [row["gross_kcal"] for row in from_json] == list(from_parquet.gross_kcal)


def test_what_a_program_rowed_is_never_added_to_what_a_person_did():
    both = index(("2026-11-02", "anna", 300.0, None), ("2026-11-03", "anna", 200.0, None))
    both["origin"] = ["synthetic", "hardware"]
    table = ledger(both, "week")
    assert sorted(zip(table.origin, table.gross_kcal, strict=True)) == [("hardware", 300), ("synthetic", 200)]


def test_a_name_that_a_spreadsheet_would_run_is_made_a_text():
    table = ledger(index(("2026-11-02", '=HYPERLINK("http://x")', 300.0, None)), "week")
    assert "\"'=HYPERLINK" in ledger_bytes(table, "csv").decode()
