"""The machine's calories: its formula comes back out of its own bytes, and what it reads for this athlete."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rowsync.athlete import Athlete
from rowsync.audit import EnergyLaw, energy_ticks, law_of_rate, law_of_ticks, named, rate_pairs
from rowsync.cost import machine_sentence
from rowsync.ftms import RowerData, decode_rower_data, encode_rower_data
from rowsync.recording import read_recording
from rowsync.session import Header, analyse
from rowsync.telemetry import Notification, Sample
from tests.conftest import RECORDED

ANNA = Athlete("anna", mass_kg=75.0)
HEADER = Header("audited", datetime(2026, 11, 23, tzinfo=UTC), origin="synthetic", athlete=ANNA)
CONCEPT2 = (300.0, 3.4416)
FORMULAS = {
    "Concept2's": CONCEPT2,
    "the METs of cycling": (1.2495 * 75, 0.0504 * 75),
    "25 % efficiency and nothing for the body itself": (0.0, 3.4416),
    "the work alone": (0.0, 0.8604),
    "Concept2's corrected for body mass": (3.779 * 90, 3.4416),
}

COUNTED = [(*each, False) for each in FORMULAS.items() if each[0] != "the work alone"]  # which ticks too seldom


def intervals(law, *, rate=False, rounds=8, hard_w=200, easy_w=80):
    """Notifications of intervals whose machine counts by a law, once a second (synthetic)."""
    items, kcal, second, metres = [], 0.0, 0, 0.0
    for _ in range(rounds):
        for seconds, power_w in ((45, hard_w), (75, easy_w)):
            for _ in range(seconds):
                watts = power_w + (second // 2 * 7) % 11 - 5  # each stroke its own
                data = RowerData(
                    stroke_rate_spm=30.0,
                    stroke_count=second // 2,
                    total_distance_m=int(metres),
                    instantaneous_power_w=watts,
                    total_energy_kcal=int(kcal),
                    energy_per_hour_kcal=round(law[0] + law[1] * watts) if rate else None,
                )
                items.append(Notification(float(second), "2ad1", encode_rower_data(data)))
                second, metres = second + 1, metres + (watts / 2.8) ** (1 / 3)
                kcal += (law[0] + law[1] * watts) / 3600.0
    return items


def recorded(name):
    recording = read_recording(RECORDED / f"{name}.jsonl")
    return analyse(recording.header, recording.items)


@pytest.mark.parametrize(
    "name", ["intervals-10x45-75", "dropout-10x45-75", "resetting-10x45-75", "split-clocks-10x45-75"]
)
def test_concept2s_formula_comes_back_from_recordings_within_three_percent(name):
    session = recorded(name)
    for law in (law_of_rate(rate_pairs(session.samples)), law_of_ticks(energy_ticks(session.samples, session.strokes))):
        assert law.constant_kcal_per_h == pytest.approx(300.0, rel=0.03)
        assert law.kcal_per_h_per_w == pytest.approx(3.4416, rel=0.03)


def test_a_monitor_that_sends_power_and_energy_in_different_packets_is_understood():
    session = recorded("stops-8x500m")
    assert session.machine_energy.constant_kcal_per_h == pytest.approx(300.0, rel=0.03)
    assert session.machine_energy.formula == "Concept2's"


@pytest.mark.parametrize(("formula", "law", "rate"), [*((*each, True) for each in FORMULAS.items()), *COUNTED])
def test_each_known_formula_is_recovered_and_named(formula, law, rate):
    found = analyse(HEADER, intervals(law, rate=rate, rounds=20)).machine_energy
    assert found.formula == formula
    assert found.recovered_from == ("energy per hour" if rate else "energy counter")
    assert found.constant_kcal_per_h == pytest.approx(law[0], rel=0.03, abs=10)
    assert found.kcal_per_h_per_w == pytest.approx(law[1], rel=0.03)


def test_a_formula_of_its_own_is_given_in_figures():
    session = analyse(HEADER, intervals((150.0, 5.2), rate=True))
    assert session.machine_energy.formula is None
    assert "a formula of its own (150 kcal/h and 5.20 for each watt)" in machine_sentence(session.summary())


def test_what_it_reads_for_an_athlete_is_said_in_words():
    session = recorded("intervals-10x45-75")
    said = machine_sentence(session.summary())
    assert "follow Concept2's formula for a person of 79 kg" in said
    assert said.endswith("for you they read 9\u202f% high, stroke for stroke.")


def test_a_heavier_athlete_is_told_otherwise():
    items = intervals(CONCEPT2, rate=True)
    reads = [
        analyse(replace(HEADER, athlete=Athlete("x", mass_kg=mass_kg)), items).machine_energy.reads_high
        for mass_kg in (60.0, 75.0, 95.0)
    ]
    assert reads[0] > 0.1 > reads[1] > 0.03 > 0 > reads[2]


def test_an_even_row_cannot_tell_the_formula_and_says_what_would():
    session = analyse(HEADER, intervals(CONCEPT2, hard_w=120, easy_w=120))
    assert session.machine_energy.constant_kcal_per_h is None
    assert "Rowing hard and easy" in machine_sentence(session.summary())


def test_a_machine_that_counts_nothing_is_not_audited():
    items = [replace(item, payload=item.payload[:6] + item.payload[6:]) for item in intervals(CONCEPT2)]
    silent = [Notification(each.time_s, "2ad1", encode_rower_data(RowerData(stroke_rate_spm=30.0))) for each in items]
    assert analyse(HEADER, silent).machine_energy is None


def test_a_counter_that_jumps_does_not_become_a_formula():
    items = intervals(CONCEPT2)
    jumped = [
        replace(item, payload=encode_rower_data(RowerData(total_energy_kcal=60_000, stroke_count=n // 2)))
        if n % 100 == 50
        else item
        for n, item in enumerate(items)
    ]
    found = analyse(HEADER, jumped).machine_energy
    assert found.counted_kcal < 200
    assert found.constant_kcal_per_h is None or found.constant_kcal_per_h == pytest.approx(300, rel=0.1)


def test_nobodys_formula_has_no_name():
    assert named(EnergyLaw(150.0, 5.2)) is None


def test_the_formula_of_a_real_logbook_row_comes_back(shared):
    with (shared / "telemetry" / "concept2-result-44214428.csv").open() as file:
        rows = list(csv.DictReader(file))
    samples = [
        Sample(
            time_s=float(row["Time (seconds)"]),
            moving=True,
            power_w=float(row["Watts"]),
            machine_energy_per_hour_kcal=float(row["Cal/Hr"]),
        )
        for row in rows
    ]
    law = law_of_rate(rate_pairs(samples))
    assert law.constant_kcal_per_h == pytest.approx(300.0, rel=0.03)
    assert law.kcal_per_h_per_w == pytest.approx(3.4416, rel=0.03)


def test_the_formula_of_a_real_pm5_comes_back_from_its_bytes(shared):
    lines = map(json.loads, (shared / "captures" / "pm5_100m_session.jsonl").read_text().splitlines())
    items = [
        Notification(line["t"], line["char"], bytes.fromhex(line["hex"]))
        for line in lines
        if not line["note"].startswith("write")
    ]
    header = replace(HEADER, machine={"name": "PM5 430000000"}, origin="converted")
    found = analyse(header, items).machine_energy
    assert found.recovered_from == "energy per hour"
    assert found.constant_kcal_per_h == pytest.approx(300.0, rel=0.03)
    assert found.kcal_per_h_per_w == pytest.approx(3.4416, rel=0.03)


def test_energy_per_hour_that_is_the_sessions_mean_does_not_hide_the_counter():
    """Some machines send what they counted so far over the time it took."""
    items, kcal = [], 0.0
    for second in range(1800):
        watts = 100 + second // 18  # a ramp
        kcal += (300.0 + 3.4416 * watts) / 3600.0
        data = RowerData(
            stroke_rate_spm=30.0,
            stroke_count=second // 2,
            instantaneous_power_w=watts + second // 2 % 5,
            total_energy_kcal=int(kcal),
            energy_per_hour_kcal=round(3600 * kcal / (second + 1)),
        )
        items.append(Notification(float(second), "2ad1", encode_rower_data(data)))
    found = analyse(HEADER, items).machine_energy
    assert (found.recovered_from, found.formula) == ("energy counter", "Concept2's")


@pytest.mark.parametrize("mass_kg", [62, 70, 89])
def test_a_counter_for_another_body_is_not_taken_for_the_monitors_own(mass_kg):
    found = analyse(HEADER, intervals((3.7787 * mass_kg, 3.4416), rounds=20)).machine_energy
    assert found.formula == "Concept2's corrected for body mass"
    assert found.for_mass_kg == pytest.approx(mass_kg, abs=4)


def test_what_a_machine_counts_while_nobody_rows_is_told_apart():
    items = intervals(CONCEPT2, rounds=4)
    still = [
        replace(items[-1], time_s=items[-1].time_s + n, payload=with_energy(items[-1].payload, n / 12))
        for n in range(1, 600)
    ]
    found = analyse(HEADER, [*items, *still]).machine_energy
    assert found.counted_at_rest_kcal == pytest.approx(49, abs=3)
    assert found.reads_high < 0.1


def with_energy(payload, more_kcal):
    data = decode_rower_data(payload)
    return encode_rower_data(data._replace(total_energy_kcal=data.total_energy_kcal + int(more_kcal)))


def test_strokes_that_nobody_saw_are_not_held_against_the_machine():
    items = intervals(CONCEPT2, rate=True, rounds=10)
    rate_only = [replace(each, payload=without_counter(each.payload)) for each in items]
    whole = analyse(HEADER, rate_only).machine_energy
    lossy = analyse(HEADER, [each for each in rate_only if not 300 < each.time_s < 700]).machine_energy
    assert lossy.reads_high == pytest.approx(whole.reads_high, abs=0.03)


def without_counter(payload):
    return encode_rower_data(decode_rower_data(payload)._replace(total_energy_kcal=None))
