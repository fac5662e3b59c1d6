"""Real machines' quirks: every row of the table is answered, and every personality rows end to end over real ATT."""

from __future__ import annotations

import asyncio
import re
from dataclasses import fields, replace

import pytest

from rowsync import ble
from rowsync.athlete import Athlete
from rowsync.intervals import Effort
from rowsync.machines import QUIRKS, Handling, Remedy, handling_of, quirks_of, rows_by_name
from rowsync.plan import parse_plan
from rowsync.recording import read_recording
from rowsync.rowing import Wishes, row
from rowsync.session import analyse
from rowsync.virtual import virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop
from rowsync.virtual.machine import MACHINES, STANDARD

PLAN = "2m + 5x45/75 + 1m"

LOSES = {"dropout": 1, "switched-off": 1, "half-open": 1, "disconnecting": 4}
"""How many gaps a personality must have: where it says nothing, or its link goes."""


class Quiet:
    """A screen that only listens."""

    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)

    def show(self, moment):
        pass

    def ask(self, question):
        return False


def rowed(folder, machine, plan=PLAN, strap=None, **radio):
    """Row a plan on a machine by the way people do; answer its analysis and what really happened."""

    async def run():
        async with virtual_radio(parse_plan(plan), machine=machine, strap=strap is not None, **radio) as virtual:
            wishes = Wishes(folder, Athlete(mass_kg=75.0), parse_plan(plan), origin="synthetic", strap=strap)
            system = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            return await row(wishes, system, Quiet(), lambda connection: None), virtual

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        journal, virtual = runner.run(run())
    recording = read_recording(journal)
    return analyse(recording.header, recording.items), virtual, recording


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_quirk_from_1_to_31_is_answered_with_its_source():
    assert [quirk.key for quirk in QUIRKS] == [f"Q{number}" for number in range(1, 32)]
    assert all(quirk.source and quirk.answer and quirk.seen_on for quirk in QUIRKS)


def test_a_row_handles_what_it_names_and_a_rule_needs_no_name():
    for quirk in QUIRKS:
        assert bool(quirk.names) == bool(quirk.handling) == (quirk.remedy is Remedy.ROW), quirk.key
        assert set(quirk.handling) <= {each.name for each in fields(Handling)}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("S4 COMMS 97", ["Q10"]),
        ("I-ROWER 1", ["Q12", "Q13"]),
        ("PM5 430000000 Row", ["Q16"]),
        ("WHIPR 1", ["Q1", "Q2"]),
        ("FS-1C2D3E", ["Q6", "Q7"]),
        ("TC12345", ["Q13"]),
        ("TCfoo", []),
        ("a machine nobody knows", []),
        ("", []),
    ],
)
def test_a_machine_is_known_by_how_its_name_begins(name, keys):
    assert [quirk.key for quirk in quirks_of(name)] == keys


def test_several_quirks_add_up():
    assert handling_of("i-rower") == Handling(starts_itself=False, only_rower_data=True)
    assert handling_of("anything") == Handling()


@pytest.mark.parametrize(
    ("name", "rows"), [("PM5 4 Row", True), ("PM5 4 Ski", False), ("PM5 4", True), ("SMARTROW", False), ("Tacx", None)]
)
def test_a_name_says_whether_it_rows(name, rows):
    assert rows_by_name(name) is rows


# --- end to end -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", MACHINES)
def test_a_row_on_any_machine_has_its_strokes_metres_and_intervals(tmp_path, machine):
    session, virtual, recording = rowed(tmp_path, machine)
    truth = virtual.rower.truth.strokes
    off = [absence for absence in MACHINES[machine].absences if absence.off]
    unseen = sum(absence.at_s <= stroke.end_s <= absence.at_s + absence.for_s for absence in off for stroke in truth)
    assert session.stroke_count == pytest.approx(len(truth) - unseen, abs=1 if off else 0)
    metres = virtual.rower.state.distance_m * session.stroke_count / len(truth)
    assert session.distance_m == pytest.approx(metres, rel=0.01)
    assert sum(interval.effort is Effort.HARD for interval in session.intervals) == 5
    assert len(session.gaps) == LOSES.get(machine, 0)
    assert recording.is_ended
    power_w = sum(s.power_w * (s.end_s - s.start_s) for s in truth) / sum(s.end_s - s.start_s for s in truth)
    assert session.mean_power_w == pytest.approx(power_w, rel=0.06)


@pytest.mark.parametrize(
    ("machine", "name"), [("start-needed", "Never Seen"), ("ftms-only", "Never Seen"), ("waterrower", "Never Seen")]
)
def test_a_quirk_is_met_without_a_known_name_too(tmp_path, machine, name):
    model = replace(MACHINES[machine], manners=replace(MACHINES[machine].manners, drops_when_controlled=False))
    session, virtual, _ = rowed(tmp_path, model, name=name)
    assert session.stroke_count == len(virtual.rower.truth.strokes)


def test_a_kayaks_80_strokes_a_minute_are_believed(tmp_path):
    session, _, _ = rowed(tmp_path, "kayakpro")
    assert max(sample.stroke_rate_spm or 0 for sample in session.samples) > 75
    assert session.energy.machine_kcal is None


def test_joroto_shows_no_rate_that_its_count_denies(tmp_path):
    session, _, _ = rowed(tmp_path, "joroto")
    assert max(sample.stroke_rate_spm or 0 for sample in session.samples[30:]) < 60


def test_ten_times_the_energy_is_divided_by_ten(tmp_path):
    fitshow, _, _ = rowed(tmp_path / "a", "fitshow")
    standard, _, _ = rowed(tmp_path / "b", "standard")
    assert fitshow.energy.machine_kcal == pytest.approx(standard.energy.machine_kcal, abs=1)


def test_a_pm5_by_its_own_service_says_more_of_each_stroke(tmp_path):
    session, _, _ = rowed(tmp_path, "pm5-native")
    last = [sample for sample in session.samples if sample.work_per_stroke_j][-1]
    assert 100 <= last.drag_factor <= 250
    assert 0.3 < last.drive_time_s < 1.5
    assert 0.5 < last.recovery_time_s < 4
    assert last.peak_force_n > last.average_force_n > 50
    assert 100 < last.work_per_stroke_j < 1500


def test_a_pm5s_resistance_is_its_drag_factor(tmp_path):
    pm5, _, _ = rowed(tmp_path / "a", "pm5", plan="60", name="PM5 430000000")
    assert {sample.resistance_level for sample in pm5.samples} == {None}
    assert pm5.samples[-1].drag_factor is not None


def test_the_real_pm5_session_replays_to_what_the_monitor_said(shared):
    import json

    from rowsync.session import Header
    from rowsync.telemetry import Notification

    lines = map(json.loads, (shared / "captures" / "pm5_100m_session.jsonl").read_text().splitlines())
    packets = [Notification(each["t"], each["char"], bytes.fromhex(each["hex"])) for each in lines if each["hex"]]
    session = analyse(Header("pm5", None), packets)
    said = session.machine_totals
    assert (said.elapsed_s, said.distance_m, said.average_power_w, said.energy_kcal) == (25.0, 100.0, 179, 6)
    assert (session.stroke_count, session.distance_m, session.energy.machine_kcal) == (10, 100.0, 6)
    assert session.mean_power_w == pytest.approx(179, rel=0.05)
    assert session.moving_s == pytest.approx(25.0, abs=2.0)  # the first stroke began before it was counted


# --- what nobody wishes for -------------------------------------------------------------------------------------------

HOSTILE = {
    "escape codes": "\x1b[31mred\x1b]0;title\x07",
    "newlines": "a\nb\r\nc",
    "NUL": "a\0b",
    "HTML": "<script>alert(1)</script>",
    "all that an advertisement holds": "x" * 170 + "\u202e" + "é" * 12,
    "not UTF-8": b"\xff\xfe\x80".decode(errors="surrogateescape"),
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_name_is_rowed_on_and_shown_harmlessly(tmp_path, name):
    session, _, recording = rowed(tmp_path, STANDARD, plan="20", name=name)
    assert session.stroke_count > 5
    assert recording.header.machine["name"]
    from rowsync.wording import outside_text

    assert not re.search(r"[\x00-\x1f\x7f\u202a-\u202e]", outside_text(recording.header.machine["name"]))
