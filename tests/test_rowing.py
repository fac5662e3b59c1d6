"""Rowing a session: nothing that goes wrong beside the journal ends the recording."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from itertools import pairwise

import pytest

from rowsync import ble
from rowsync.athlete import Athlete
from rowsync.claim import claimed_rower
from rowsync.errors import UsageError
from rowsync.guide import GuideState
from rowsync.intervals import Effort
from rowsync.plan import Piece, Plan, parse_plan
from rowsync.recording import header_line, item_line, read_recording
from rowsync.rowing import IDLE_S, Audience, Screen, Wishes, journal_path, row, watch
from rowsync.session import Tracker, analyse
from rowsync.telemetry import ENDED, STOP, Notification
from rowsync.unfinished import WITHIN_S, unfinished
from rowsync.virtual import virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop
from rowsync.virtual.machine import STANDARD
from rowsync.virtual.model import Absence

HARD, EASY, REST, WARMUP, COOLDOWN, STEADY = Effort


class Listening(Screen):
    """A screen that remembers what it was told."""

    def __init__(self):
        self.said, self.moments = [], []

    def say(self, text):
        self.said.append(text)

    def show(self, moment):
        self.moments.append(moment)


class Broken(Listening):
    """A screen that fails after a while, as a terminal does whose window was closed."""

    def show(self, moment):
        super().show(moment)
        if len(self.moments) > 10:
            raise BrokenPipeError


def rowed(folder, plan, screen, meanwhile=None, on_connection=None, again=None, rows=None, claims=None, **radio):
    """Row a plan, or something else beside it, in virtual time; answer the recording."""

    async def run():
        async with virtual_radio(rows or parse_plan(plan), **radio) as virtual:
            wishes = Wishes(folder, Athlete(), parse_plan(plan), origin="synthetic", claims=claims)
            work = asyncio.create_task(meanwhile(virtual)) if meanwhile else None

            leads = on_connection or (lambda connection: None)
            air = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            journal = await row(wishes, air, screen, leads, again)
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
    broken, screen = Broken(), Listening()
    recording, sent = rowed(tmp_path, "60", Audience(broken, screen))
    assert sent - 1 <= sum(each.characteristic == "2ad1" for each in recording.notifications) <= sent
    assert len(broken.moments) == 11
    assert any("Broken stopped (BrokenPipeError())" in text for text in screen.said)
    assert screen.moments[-1].cue.state is GuideState.DONE


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


# --- led by a person --------------------------------------------------------------------------------------------------


def test_who_leads_the_guide_is_journalled_and_leads_a_replay_the_same_way(tmp_path):
    def leads(connection):
        if connection is None:
            return
        call_later = asyncio.get_running_loop().call_later
        call_later(10, connection.tell, "next")
        call_later(15, lambda: connection.tell("extend", seconds=20))

    screen = Listening()
    recording, _ = rowed(tmp_path, "2x30/30", screen, on_connection=leads)
    bells_s = [moment.time_s for moment in screen.moments if set(moment.calls) & {"hard", "easy", "done"}]
    tracker = Tracker(recording.header)
    for item in recording.items:
        tracker.feed(item)
    assert tracker.guide.bells_s == pytest.approx(bells_s, abs=0.005)
    lengths = [round(end_s - start_s) for start_s, end_s in pairwise(bells_s)]
    assert lengths[1:] == [50, 30, 30]
    assert 5 <= lengths[0] <= 10


def test_a_plan_may_be_chosen_while_the_row_goes_on(tmp_path):
    def chooses(connection):
        if connection is not None:
            asyncio.get_running_loop().call_later(20, lambda: connection.tell("plan", text="1x10/10"))

    screen = Listening()
    recording, _ = rowed(tmp_path, "60", screen, on_connection=chooses)
    session = analyse(recording.header, recording.items)
    assert session.header.plan == "1x10/10"
    assert session.compliance.rounds_planned == 1
    assert [call for moment in screen.moments for call in moment.calls if call in ("hard", "easy", "done")] == [
        "hard",
        "easy",
        "done",
    ]


def test_bells_ring_within_a_tick_of_the_hosts_clock_however_seldom_the_machine_speaks(tmp_path):
    screen = Listening()
    rowed(tmp_path, "5x20/20", screen)
    started_s = next(moment.time_s for moment in screen.moments if "hard" in moment.calls)
    bells_s = [moment.time_s for moment in screen.moments if set(moment.calls) & {"hard", "easy", "done"}]
    assert [bell_s - started_s for bell_s in bells_s] == pytest.approx([20.0 * n for n in range(11)], abs=0.005)
    counted = [call for moment in screen.moments for call in moment.calls if call.isdigit()]
    assert counted == ["3", "2", "1"] * 10


def pieces(*stretches):
    return Plan("", tuple(Piece(effort, float(duration_s)) for effort, duration_s in stretches))


def test_who_pauses_in_a_piece_rows_what_was_left_of_it_and_has_kept_the_plan(tmp_path):
    first, broken, others = (WARMUP, 60), [(HARD, 20), (REST, 120), (HARD, 28), (EASY, 75)], [(HARD, 45), (EASY, 75)]
    screen = Listening()
    rows = pieces(first, *others, *broken, *others, *others, (COOLDOWN, 60))
    recording, _ = rowed(tmp_path, "1m + 4x45/75 + 1m", screen, rows=rows)
    calls = [call for moment in screen.moments for call in moment.calls if not call.isdigit()]
    assert calls[4:8] == ["hard", "paused", "hard", "easy"]
    session = analyse(recording.header, recording.items)
    assert (session.compliance.followed, session.compliance.rounds_rowed, session.compliance.rounds_planned) == (
        True,
        4,
        4,
    )
    rest = next(each for each in session.intervals if each.effort is REST)
    assert rest.duration_s == pytest.approx(120, abs=5)


def test_who_begins_a_piece_late_gets_all_of_it_and_has_kept_the_plan(tmp_path):
    round_ = [(HARD, 45), (EASY, 75)]
    rows = pieces((WARMUP, 60), *round_, *round_, (HARD, 45), (EASY, 60), (REST, 60), *round_, (COOLDOWN, 60))
    recording, _ = rowed(tmp_path, "1m + 4x45/75 + 1m", Listening(), rows=rows)
    session = analyse(recording.header, recording.items)
    hard = [each.duration_s for each in session.intervals if each.effort is HARD]
    assert session.compliance.followed
    assert hard == pytest.approx([45] * 4, abs=3)


def test_a_row_that_somebody_ends_is_over_and_says_so(tmp_path):
    def ends(connection):
        if connection is not None:
            asyncio.get_running_loop().call_later(20, connection.tell, STOP)

    recording, _ = rowed(tmp_path, "60", Listening(), on_connection=ends)
    assert recording.is_ended
    assert recording.items[-1].time_s == pytest.approx(20, abs=2)


def test_readers_that_fail_at_each_others_failures_are_left_out_and_the_others_go_on():
    class Mute(Listening):
        def say(self, text):
            raise BrokenPipeError

        def show(self, moment):
            raise BrokenPipeError

    well = Listening()
    audience = Audience(Mute(), Mute(), Mute(), well)
    audience.show("one")
    audience.say("two")
    assert well.moments == ["one"]
    assert well.said[-1] == "two"


# --- after a crash ----------------------------------------------------------------------------------------------------


def crashed(folder, plan, after_s):
    """A journal as a crash leaves it: the beginning of a row, and half a line."""
    recording, _ = rowed(folder / "elsewhere", plan, Listening())
    kept = [item for item in recording.items if item.time_s <= after_s]
    path = journal_path(folder, recording.header.session_id)
    lines = b"".join(map(item_line, kept))
    path.write_bytes(header_line(recording.header) + lines + item_line(kept[-1])[:-9])
    return path, [item for item in kept if isinstance(item, Notification)]


def test_a_row_after_a_crash_goes_on_with_the_session_and_its_plan(tmp_path):
    path, before = crashed(tmp_path, "2x60/30", after_s=40)
    again = unfinished(tmp_path, "synthetic", "me", None)
    screen = Listening()
    recording, _ = rowed(tmp_path, "2x60/30", screen, again=again)
    assert path.name == f"{recording.header.session_id}.jsonl"
    assert recording.refused_lines == 0
    assert recording.notifications[: len(before)] == tuple(before)
    assert any("Going on with the session that was cut short at 0:40." in text for text in screen.said)
    session = analyse(recording.header, recording.items)
    assert [gap.reason.split(";")[0] for gap in session.gaps] == ["rowsync was restarted"]
    assert screen.moments[0].time_s < 2
    assert not any(moment.calls for moment in screen.moments if moment.time_s < 40), "no bell of the past rings"
    assert all(moment.saved <= moment.notifications for moment in screen.moments)
    assert screen.moments[-1].cue.state is GuideState.DONE
    assert recording.is_ended


def test_a_session_that_somebody_else_rowed_or_by_another_plan_is_not_gone_on_with(tmp_path):
    crashed(tmp_path, "2x60/30", after_s=40)
    for wanted in (("hardware", "me", None), ("synthetic", "anna", None), ("synthetic", "me", parse_plan("20m"))):
        assert unfinished(tmp_path, *wanted) is None
    again = unfinished(tmp_path, "synthetic", "me", parse_plan("2x60/30"))
    assert again is not None
    assert unfinished(tmp_path, "synthetic", "me", None) is None, "it is held"
    again.journal.close()


@pytest.mark.parametrize("ago_s", [-3600, WITHIN_S + 60])
def test_an_old_session_is_over_and_so_is_one_of_the_future(tmp_path, ago_s):
    path, _ = crashed(tmp_path, "2x60/30", after_s=40)
    then = path.stat().st_mtime - ago_s
    os.utime(path, (then, then))
    assert unfinished(tmp_path, "synthetic", "me", None) is None


# --- unattended -------------------------------------------------------------------------------------------------------


def watched(folder, screen, plan, until_s, ends_s=(), **radio):
    """Watch a rower in virtual time; answer the journals."""
    journals, led = [], []

    async def stored(journal):
        journals.append(journal)

    async def run():
        async with virtual_radio(parse_plan(plan), **radio) as virtual:
            wishes = Wishes(folder, Athlete(), origin="synthetic")
            loop = asyncio.get_running_loop()

            def stops(connection):
                led.append(connection)
                if connection is not None:
                    loop.call_at(until_s, connection.stop)
                    for at_s in ends_s:
                        loop.call_at(at_s, connection.tell, STOP)

            radio_ = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            await asyncio.wait_for(watch(wishes, radio_, screen, stops, stored), until_s + 700)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())
    assert led[-1] is None, "nobody leads what isn't connected"
    return [read_recording(journal) for journal in journals]


def test_ending_a_watched_session_ends_the_session_and_not_the_watching(tmp_path):
    first, second = watched(tmp_path, Listening(), "2m", until_s=1800, ends_s=(45,))
    assert [note.event for note in first.notes][-2:] == [STOP, ENDED]
    assert first.items[-1].time_s < 60
    assert second.items[-1].time_s > 60, "what was rowed after it is a session of its own"


def test_whatever_is_rowed_is_recorded_and_what_is_not_rowed_is_not(tmp_path):
    (recording,) = watched(tmp_path, Listening(), "2m", until_s=1800)
    session = analyse(recording.header, recording.items)
    assert session.stroke_count > 20
    assert 120 < session.duration_s < 120 + IDLE_S + 60
    assert session.header.plan is None


def test_rows_far_apart_are_sessions_of_their_own_with_all_their_strokes(tmp_path):
    recordings = watched(tmp_path, Listening(), "2x60/10mr", until_s=1800)
    sessions = [analyse(each.header, each.items) for each in recordings]
    assert len(sessions) == 2
    assert all(session.stroke_count >= 20 for session in sessions)
    assert sessions[1].intervals[0].start_s == 0.0
    assert recordings[0].header.session_id != recordings[1].header.session_id


def test_a_machine_that_is_switched_off_is_waited_for_quietly(tmp_path):
    screen = Listening()
    off = replace(STANDARD, absences=(Absence(90, 1800),))
    recordings = watched(tmp_path, screen, "60m", until_s=2400, machine=off)
    assert len(recordings) == 2
    assert not any("error" in text.lower() or "Traceback" in text for text in screen.said)


def test_a_rower_that_another_recorder_has_is_not_touched(tmp_path):
    claims, address = tmp_path / "claims", "F0:0D:00:00:00:01"
    with claimed_rower(claims, address, "it"), pytest.raises(UsageError, match="is connected to Virtual Rower"):
        rowed(tmp_path, "20", Listening(), claims=claims)
    assert not list(tmp_path.glob("journal/*"))
    rowed(tmp_path, "20", Listening(), claims=claims)
