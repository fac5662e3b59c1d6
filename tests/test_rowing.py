"""Rowing a session: nothing that goes wrong beside the journal ends the recording."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from rowsync import ble
from rowsync.athlete import Athlete
from rowsync.plan import parse_plan
from rowsync.recording import read_recording
from rowsync.rowing import Wishes, row
from rowsync.session import analyse
from rowsync.telemetry import ENDED
from rowsync.virtual import virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop
from rowsync.virtual.machine import STANDARD
from rowsync.virtual.model import Absence


class Listening:
    """A screen that remembers what it was told."""

    def __init__(self):
        self.said, self.moments = [], []

    def say(self, text):
        self.said.append(text)

    def show(self, moment):
        self.moments.append(moment)

    def ask(self, question):
        return False


class Broken(Listening):
    """A screen that fails after a while, as a terminal does whose window was closed."""

    def show(self, moment):
        super().show(moment)
        if len(self.moments) > 10:
            raise BrokenPipeError


def rowed(folder, plan, screen, meanwhile=None, stop_after_s=None, **radio):
    """Row a plan in virtual time; answer the recording."""

    async def run():
        async with virtual_radio(parse_plan(plan), **radio) as virtual:
            wishes = Wishes(folder, Athlete(), parse_plan(plan), origin="synthetic")
            work = asyncio.create_task(meanwhile(virtual)) if meanwhile else None

            def stops(connection):
                if stop_after_s is not None:
                    asyncio.get_running_loop().call_later(stop_after_s, connection.stop)

            journal = await row(wishes, ble.Radio(virtual.scanner_backend, virtual.client_backend), screen, stops)
            if work:
                await work
            return journal, len(virtual.peripheral.sent)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        journal, sent = runner.run(run())
    return read_recording(journal), sent


def test_every_notification_is_in_the_journal_and_its_end_is_marked(tmp_path):
    screen = Listening()
    recording, sent = rowed(tmp_path, "60", screen)
    rows = [each for each in recording.notifications if each.characteristic == "2ad1"]
    assert sent - 1 <= len(rows) <= sent
    assert recording.is_ended
    assert screen.said[0].startswith("Plan: 60: 1 piece, 1:00 in all")
    assert screen.said[-1] == f"All {len(recording.notifications)} notifications saved."


def test_only_the_owner_may_look_into_the_folder(tmp_path):
    rowed(tmp_path / "new" / "data", "10", Listening())
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "new").rglob("*")} == {0}


def test_a_screen_that_breaks_ends_nothing_but_itself(tmp_path):
    screen = Broken()
    recording, sent = rowed(tmp_path, "60", screen, stop_after_s=120)
    assert sent - 1 <= sum(each.characteristic == "2ad1" for each in recording.notifications) <= sent
    assert sent > 200
    assert any("lost track" in text for text in screen.said)


def test_a_planned_rest_may_be_longer_than_anybodys_patience(tmp_path):
    recording, _ = rowed(tmp_path, "2x20/6mr", Listening())
    assert recording.notifications[-1].time_s > 2 * (20 + 360)


def test_the_session_ends_soon_after_the_plan_when_nobody_rows_on(tmp_path):
    screen = Listening()
    recording, _ = rowed(tmp_path, "30", screen)
    assert 40 < recording.notifications[-1].time_s < 60
    assert screen.moments[-1].cue.share == 1.0


def test_a_link_that_goes_is_made_anew_and_the_session_goes_on(tmp_path):
    async def drop(virtual):
        await asyncio.sleep(20)
        await virtual.peripheral.drop()

    screen = Listening()
    recording, _ = rowed(tmp_path, "60", screen, drop)
    events = [note.event for note in recording.notes if note.event != "handshake"]
    assert events == ["connected", "lost", "connected", "resumed", ENDED]
    assert any("is lost (the link was lost). Row on" in text for text in screen.said)
    assert any("Connected again after" in text for text in screen.said)
    assert {moment.lost for moment in screen.moments} == {None, "the link was lost"}
    assert screen.moments[-1].lost is None
    session = analyse(recording.header, recording.items)
    assert [gap.reason for gap in session.gaps] == ["the link was lost"]
    assert session.duration_s > 60


def test_a_planned_rest_on_a_machine_that_says_nothing_at_rest_ends_no_session(tmp_path):
    screen = Listening()
    silent = replace(STANDARD, silent_s=(30.0, 375.0))
    recording, _ = rowed(tmp_path, "2x20/6mr", screen, machine=silent)
    assert {moment.cue.piece.round_number for moment in screen.moments if moment.cue.piece} == {1, 2}
    assert recording.items[-1].time_s > 2 * 20 + 360


def test_nobody_is_idle_in_a_time_that_nobody_saw(tmp_path):
    away = replace(STANDARD, absences=(Absence(60, 280),))
    recording, _ = rowed(tmp_path, "2x60/4mr", Listening(), machine=away)
    assert recording.notifications[-1].time_s > 350


def test_a_machine_that_goes_for_good_leaves_a_gap_to_the_end(tmp_path):
    screen = Listening()
    recording, _ = rowed(tmp_path, "10m", screen, machine=replace(STANDARD, absences=(Absence(60, 9999),)))
    session = analyse(recording.header, recording.items)
    (gap,) = session.gaps
    assert gap.end_s == session.duration_s > 300
    assert any("did not come back for 300 s. What was rowed is saved" in text for text in screen.said)
    assert screen.moments[-1].sample.power_w is None


@pytest.mark.parametrize("machine", ["pm5", "viking", "pace-only"])
def test_any_machine_is_guided_to_the_end_of_its_plan(tmp_path, machine):
    screen = Listening()
    rowed(tmp_path, "2x20/20", screen, machine=machine)
    assert {moment.cue.piece.round_number for moment in screen.moments if moment.cue.piece} == {1, 2}
