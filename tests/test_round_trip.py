"""What rowsync exports comes in again as the same row: totals within a unit, and the same hard pieces."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rowsync.exports import session_bytes
from rowsync.imports import read_import
from rowsync.session import analyse
from tests.pictures import picture

NOW = datetime(2026, 11, 30, tzinfo=UTC)


# rowingdata's table has a row a stroke: a stop at the end isn't in it, nor are the metres that the wheel coasts then.
WITHIN_M_AND_S = {"fit": (1.5, 5.0), "tcx": (1.5, 5.0), "rowingdata": (70.0, 120.0)}


@pytest.mark.parametrize("form", WITHIN_M_AND_S)
@pytest.mark.parametrize("name", ["intervals-10x45-75", "stops-8x500m", "steady-30m"])
def test_a_row_that_goes_out_and_comes_back_is_the_same_row(name, form):
    there, (within_m, within_s) = picture(name), WITHIN_M_AND_S[form]
    (imported,) = read_import(session_bytes(form, there), f"row.{form}", NOW, "me", "UTC", now=NOW)
    back = analyse(imported.recording.header, imported.recording.items).summary()
    summary = there.summary
    is_told = form != "rowingdata"  # its columns have no room for it
    assert imported.recording.header.origin == (summary["origin"] if is_told else "converted")
    assert abs((imported.recording.header.started_at - there.began).total_seconds()) <= 1
    assert back["distance_m"] == pytest.approx(summary["distance_m"], abs=within_m)
    assert back["duration_s"] == pytest.approx(summary["duration_s"], abs=within_s)
    assert back["mean_power_w"] == pytest.approx(summary["mean_power_w"], rel=0.03)
    assert back["energy"]["gross_kcal"] == pytest.approx(summary["energy"]["gross_kcal"], rel=0.03)
    hard = [sum(each["effort"] == "hard" for each in session["intervals"]) for session in (back, summary)]
    assert hard[0] == hard[1]


@pytest.mark.parametrize("form", ["fit", "tcx"])
@pytest.mark.parametrize(("origin", "back"), [("synthetic", "synthetic"), ("hardware", "converted")])
def test_what_a_program_rowed_comes_back_as_what_it_is(form, origin, back):
    there = picture("intervals-10x45-75")
    there = replace(there, summary={**there.summary, "origin": origin})
    (imported,) = read_import(session_bytes(form, there), f"row.{form}", NOW, "me", "UTC", now=NOW)
    assert imported.recording.header.origin == back
