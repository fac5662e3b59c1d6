"""Beside naive recorders under the same faults: ours loses nothing of what it showed as saved, and they do."""

from __future__ import annotations

import pytest

from tests.torture.calls import missing
from tests.torture.commands import run

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def test_ours_loses_nothing_where_the_naive_ones_lose():
    ran = run("promise", "--cases", "12")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in ran.stdout.splitlines() if "|" in line][2:]
    lost = {(name, fault): (int(shown), int(lost.split()[0])) for name, fault, _, shown, lost, *_ in rows}
    ours = {fault: figures for (name, fault), figures in lost.items() if name == "rowsync"}
    assert all(shown > 0 and lost == 0 for shown, lost in ours.values())
    naive = {(name, fault): lost for (name, fault), (_, lost) in lost.items() if name != "rowsync"}
    assert naive["parquet rewritten in place", "kill, errors, short writes"] > 0
    assert all(lost > 0 for (_, fault), lost in naive.items() if fault == "power cut")
