"""A room of rowers: each has its own session, whatever its neighbour does, and everybody is in one place only."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import time
from contextlib import aclosing
from dataclasses import replace
from itertools import chain, count, repeat

import httpx
import pytest

from rowsync import ble, ear
from rowsync.athlete import Athlete
from rowsync.claim import claimed_rower
from rowsync.commands import START, Command
from rowsync.errors import MachineError, UsageError
from rowsync.intervals import Effort
from rowsync.keys import ESCAPE, SPACE
from rowsync.plan import Piece, Plan, parse_plan
from rowsync.recording import read_recording, recording_bytes
from rowsync.room import Room, RoomWishes
from rowsync.room_keys import RoomKeys
from rowsync.room_view import LaneView, RoomLook, RoomView, in_order, plain_line, room_frame
from rowsync.session import Tracker, analyse
from rowsync.store import Store
from rowsync.virtual import Neighbour, virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop
from rowsync.virtual.machine import LIVE, STANDARD, Frame
from rowsync.virtual.model import Absence
from tests.broker import free_port
from tests.test_cli import rowsync, started
from tests.test_rowing_screen import HOSTILE, Shell, cue, moment, pytty

ANNA, BEN = Athlete("anna", mass_kg=62.0), Athlete("ben")
FIRST, SECOND, THIRD = (f"F0:0D:00:00:00:{number:02X}" for number in (1, 2, 3))


class Looking:
    """Looks at a room, and remembers what it was told."""

    def __init__(self):
        self.said, self.look = [], RoomLook

    def say(self, text):
        self.said.append(text)

    def show_room(self, look):
        self.look = look


class Roomed:
    """What became of a room: recordings by address, and what each machine had sent when it was stopped."""

    def __init__(self):
        self.recordings, self.sent, self.journals, self.screen = {}, {}, [], Looking()

    def lost(self, address):
        """How many notifications were sent while the room was open, and aren't in the journal."""
        sent = [payload for characteristic, payload in self.sent[address] if characteristic == "2ad1"]
        assert sent[: len(self.rows(address))] == self.rows(address)
        return len(sent) - len(self.rows(address))

    def rows(self, address):
        return [each.payload for each in self.recordings[address].notifications if each.characteristic == "2ad1"]

    def who(self):
        return {address: each.header.athlete.name for address, each in self.recordings.items()}


def roomed(
    folder, *neighbours, seconds=90.25, rows="60m", meanwhile=None, stored=None, waits=None, screen=None, **wishes
):
    """A room of one rower and others, in virtual time."""
    told = Roomed()
    told.screen = screen or told.screen

    async def keep(journal):
        recording = read_recording(journal)
        told.journals.append(journal)
        told.recordings[recording.header.machine["address"]] = recording
        if stored:
            stored(recording)
        if waits:
            await waits(recording)

    async def run():
        async with virtual_radio(parse_plan(rows), others=neighbours) as virtual:
            radio = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            room = Room(RoomWishes(folder, origin="synthetic", **wishes), radio, told.screen, keep)

            def stop():
                machines = (virtual.peripheral, *virtual.others)
                told.sent = {each.address: list(each.notifications) for each in machines}
                room.stop()

            asyncio.get_running_loop().call_at(seconds, stop)
            work = asyncio.ensure_future(meanwhile(room, virtual)) if meanwhile else None
            await room.run()
            if work:
                await work

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())
    return told


def test_several_rowers_lose_nothing_and_each_stored_session_is_its_own_replay(tmp_path):
    machines = ("pace-only", "pm5", "viking", "standard")
    neighbours = [Neighbour(each, seed=number) for number, each in enumerate(machines, 2)]
    room = roomed(tmp_path, *neighbours, seconds=240.25)
    assert len(room.recordings) == 5
    assert {room.lost(address) for address in room.recordings} == {0}
    assert len({each.header.session_id for each in room.recordings.values()}) == 5
    for journal in room.journals:
        recording = read_recording(journal)
        assert recording.is_ended
        replayed = json.loads(json.dumps(analyse(recording.header, recording.items).summary()))
        summary = Store(tmp_path).finish(journal).summary
        assert {key: summary[key] for key in replayed} == replayed
        assert summary["stroke_count"] > 60


TROUBLES = {
    "floods": ("flood", replace(STANDARD, frames=(Frame(LIVE, period_s=0.01),) * 3)),
    "is lost again and again": (
        "resumed",
        replace(STANDARD, absences=tuple(Absence(at_s, 3.0) for at_s in range(10, 90, 10))),
    ),
    "stands and says nothing": ("lost", replace(STANDARD, absences=(Absence(20.0, 40.0, link_stands=True),))),
    "is gone for good": ("lost", replace(STANDARD, absences=(Absence(20.0, 9999.0),))),
    "has nothing that is rowed": (None, replace(STANDARD, frames=())),
}
"""What a rower does, and the event of its recording that tells of it; None where nothing can be recorded."""


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """A room of three in which nothing happens."""
    return roomed(tmp_path_factory.mktemp("calm"), Neighbour(seed=2), Neighbour(seed=3))


def assert_others_as_in(calm, room):
    for address in (FIRST, THIRD):
        assert room.recordings[address].notifications == calm.recordings[address].notifications
        assert room.recordings[address].is_ended


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_rower_in_trouble_leaves_the_others_recordings_as_they_are(tmp_path, calm, trouble):
    event, machine = TROUBLES[trouble]
    room = roomed(tmp_path, Neighbour(machine, seed=2), Neighbour(seed=3))
    assert_others_as_in(calm, room)
    of_trouble = room.recordings.get(SECOND)
    assert (of_trouble is None) == (event is None)
    assert of_trouble is None or event in {note.event for note in of_trouble.notes}


def test_a_lane_that_fails_says_so_once_tries_again_and_leaves_the_others_alone(tmp_path, calm):
    held = claimed_rower(tmp_path / "running", SECOND, "Virtual Rower")

    async def lets_go(room, virtual):
        with held:
            await asyncio.sleep(40)

    room = roomed(tmp_path, Neighbour(seed=2), Neighbour(seed=3), meanwhile=lets_go, claims=tmp_path / "running")
    assert_others_as_in(calm, room)
    assert sum("is connected to Virtual Rower" in text for text in room.screen.said) == 1
    assert len(room.rows(SECOND)) < len(calm.rows(SECOND)) - 60


def test_a_session_that_cant_be_stored_says_so_and_its_lane_records_the_next(tmp_path, calm):
    def fails(recording):
        if recording.header.machine["address"] == SECOND:
            raise ValueError("boo")

    async def ends_first_session(room, virtual):
        await asyncio.sleep(30)
        next(lane for lane in room.lanes if lane.rower.address == SECOND).connection.tell("stop")

    room = roomed(tmp_path, Neighbour(seed=2), Neighbour(seed=3), stored=fails, meanwhile=ends_first_session)
    assert_others_as_in(calm, room)
    assert sum("can't be stored now (boo); it is safe" in text for text in room.screen.said) == 2
    sessions = [each for each in map(read_recording, room.journals) if each.header.machine["address"] == SECOND]
    first, second = ([each.payload for each in one.notifications if each.characteristic == "2ad1"] for one in sessions)
    assert [*first, *second[1:]] == calm.rows(SECOND), "the first packet of a connection belongs to every session of it"


def test_a_session_that_is_long_in_being_stored_keeps_nobody_from_recording(tmp_path, calm):
    waited = []

    async def waits(recording):
        if not waited:
            waited.append(recording)
            await asyncio.sleep(60)

    async def ends_first_session(room, virtual):
        await asyncio.sleep(20)
        next(lane for lane in room.lanes if lane.rower.address == SECOND).connection.tell("stop")

    room = roomed(tmp_path, Neighbour(seed=2), Neighbour(seed=3), waits=waits, meanwhile=ends_first_session)
    assert_others_as_in(calm, room)
    assert len(room.journals) == 4
    second = room.recordings[SECOND]
    assert second.notifications[-1].time_s - second.notifications[0].time_s > 50


def test_a_screen_that_fails_is_no_lanes_trouble(tmp_path, calm):
    class Broken(Looking):
        def show_room(self, look):
            raise BrokenPipeError

        def say(self, text):
            raise BrokenPipeError

    assert_others_as_in(calm, roomed(tmp_path, Neighbour(seed=2), Neighbour(seed=3), screen=Broken()))


def test_two_sessions_that_draw_the_same_digits_in_one_second_get_two_journals(tmp_path, monkeypatch):
    digits = chain(repeat("0000", 2), (f"{number:04x}" for number in count(1)))
    monkeypatch.setattr(secrets, "token_hex", lambda octets: next(digits))
    assert len(roomed(tmp_path, Neighbour(seed=2), seconds=30.25).recordings) == 2


# --- who rows where ---------------------------------------------------------------------------------------------------


def test_people_get_rowers_as_these_are_connected_places_are_kept_and_the_rest_are_guests(tmp_path):
    room = roomed(tmp_path, Neighbour(seed=2), Neighbour(seed=3), seconds=30.25, arriving=[ANNA], places={SECOND: BEN})
    who = room.who()
    assert who[SECOND] == "ben"
    assert sorted(who.values())[:2] == ["anna", "ben"]
    assert sorted(who.values())[2].startswith("guest ")


def test_who_claims_a_rower_while_rowing_has_rowed_the_whole_session(tmp_path):
    async def claims(room, virtual):
        await asyncio.sleep(40)
        room.claim(1, "anna")

    room = roomed(tmp_path, seconds=60.25, meanwhile=claims, others=[ANNA])
    (recording,) = room.recordings.values()
    assert recording.header.athlete == ANNA
    assert analyse(recording.header, recording.items).summary()["energy"]["mass_kg"] == 62.0
    assert recording_bytes(recording.header, recording.items).count(b'"event":"athlete"') == 1


def test_a_person_is_in_one_lane_only_until_that_is_made_free(tmp_path):
    refused = []

    async def claims(room, virtual):
        await asyncio.sleep(20)
        room.claim(1, "anna")
        for number, name in ((2, "anna"), (3, "anna"), (1, "nobody we know")):
            with pytest.raises(UsageError) as error:
                room.claim(number, name)
            refused.append(str(error.value))
        room.claim(1, None)
        room.claim(2, "anna")

    room = roomed(tmp_path, Neighbour(seed=2), seconds=30.25, meanwhile=claims, others=[ANNA])
    assert refused == [
        "anna is in lane 1 already: make that one free first.",
        "There is no lane 3; there are 2.",
        "Nobody is called nobody we know here.",
    ]
    assert {lane.who for lane in room.screen.look().lanes} == {"guest 1", "anna"}


@pytest.mark.parametrize("wishes", [{"arriving": [ANNA, ANNA]}, {"arriving": [ANNA], "places": {FIRST: ANNA}}])
def test_a_person_named_twice_is_refused_before_anything_is_rowed(tmp_path, wishes):
    with pytest.raises(UsageError, match="anna can't row on two rowers"):
        RoomWishes(tmp_path, **wishes)


def test_more_rowers_than_lanes_are_told_once_and_named_ones_come_first(tmp_path):
    room = roomed(tmp_path, Neighbour(seed=2), Neighbour(seed=3), seconds=80.25, lanes=2, places={THIRD: ANNA})
    assert room.who()[THIRD] == "anna"
    assert len(room.recordings) == 2
    (said,) = [text for text in room.screen.said if "left out" in text]
    assert "there are 2 lanes" in said
    assert "An adapter usually holds 7 links; if yours holds more, say --lanes." in said
    assert not any("More than 7 rowers" in text for text in room.screen.said)
    with pytest.raises(UsageError, match="2 lanes are given to people, and there are 1"):
        RoomWishes(tmp_path, lanes=1, places={FIRST: ANNA, SECOND: BEN})


def test_more_rowers_than_an_adapter_usually_holds_are_told(tmp_path):
    room = roomed(tmp_path, *(Neighbour(seed=number) for number in range(2, 10)), seconds=20.25, lanes=9)
    assert len(room.recordings) == 9
    assert room.screen.said.count("More than 7 rowers are near; an adapter usually holds 7 links.") == 1


# --- a plan for everybody ---------------------------------------------------------------------------------------------


def bells_s(recording):
    """When the bells of a session rang, in its own time [s]."""
    tracker = Tracker(recording.header)
    for item in recording.items:
        tracker.feed(item)
    return tracker.guide.bells_s


LATER = Plan("", (Piece(Effort.REST, 40.0), Piece(Effort.STEADY, 600.0)))


def test_each_lanes_guide_begins_with_its_own_first_stroke(tmp_path):
    room = roomed(tmp_path, Neighbour(plan=LATER, seed=2), seconds=100.25, plan=parse_plan("30"))
    starts = {address: recording.header.started_at for address, recording in room.recordings.items()}
    assert starts.keys() == {FIRST, SECOND}
    for recording in room.recordings.values():
        first_stroke_s = analyse(recording.header, recording.items).strokes[0].start_s
        began_s, ended_s = bells_s(recording)
        assert began_s == pytest.approx(first_stroke_s, abs=4)
        assert ended_s - began_s == pytest.approx(30, abs=0.01)


def test_b_begins_the_plan_for_all_at_once_whether_they_row_yet_or_not(tmp_path):
    async def begins(room, virtual):
        await asyncio.sleep(20)
        room.do(Command(START))

    neighbours = [Neighbour(plan=LATER, seed=number) for number in (2, 3)]
    room = roomed(tmp_path, *neighbours, seconds=100.25, plan=parse_plan("45"), meanwhile=begins)
    for address in (SECOND, THIRD):
        recording = room.recordings[address]
        (note,) = [note for note in recording.notes if note.event == "begin"]
        assert bells_s(recording)[0] == pytest.approx(note.time_s, abs=0.6)
        assert analyse(recording.header, recording.items).strokes[0].start_s > note.time_s + 10


def test_where_nobody_rows_to_the_plan_that_began_nothing_is_stored(tmp_path):
    async def begins(room, virtual):
        await asyncio.sleep(20)
        room.do(Command(START))

    sits = Plan("", (Piece(Effort.REST, 900.0),))
    room = roomed(tmp_path, Neighbour(plan=sits, seed=2), plan=parse_plan("30"), meanwhile=begins)
    assert room.recordings.keys() == {FIRST}
    assert sum("Nobody rowed, so nothing is stored." in text for text in room.screen.said) == 1
    Store(tmp_path).recover()
    assert not list(tmp_path.glob("journal/*.jsonl"))


def test_nobody_can_be_led_before_a_rower_is_connected(tmp_path):
    async def leads(room, virtual):
        with pytest.raises(UsageError, match="No rower is connected yet"):
            room.do(Command(START))

    roomed(tmp_path, seconds=20.25, meanwhile=leads)


# --- the ear ----------------------------------------------------------------------------------------------------------


def test_many_listen_at_once_by_one_scan_where_the_system_refuses_a_second():
    async def main():
        async with virtual_radio(parse_plan("60")) as virtual:
            at_once = []

            class OneScan(virtual.scanner_backend):
                async def start(self):
                    if at_once:
                        raise RuntimeError("Operation already in progress")
                    at_once.append(self)
                    await super().start()

                async def stop(self):
                    at_once.remove(self)
                    await super().stop()

            async def heard(radio):
                async with aclosing(ble.heard(radio)) as adverts:
                    return [await anext(adverts) for _ in range(2)]

            radio = ble.Radio(OneScan, virtual.client_backend)
            alone = await asyncio.gather(heard(radio), heard(radio), return_exceptions=True)
            shared = ear.shared(radio)
            together = [await asyncio.gather(heard(shared), heard(shared)) for _ in range(2)]
            return alone, together, at_once

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        alone, together, at_once = runner.run(main())
    assert [type(each) for each in alone].count(MachineError) == 1
    assert all(found.address == FIRST for both in together for each in both for found in each)
    assert at_once == []


# --- keys and screen --------------------------------------------------------------------------------------------------


class Keyed:
    """A room of many lanes, and its screen, that note what keys did."""

    names = ("anna", "ben", *(f"p{number}" for number in range(3, 13)))

    def __init__(self, count):
        self.count, self.did = count, []
        self.asked = None

    def claim(self, number, name):
        if name == "ben":
            raise UsageError("ben is elsewhere")
        self.did.append((number, name))

    def do(self, command):
        self.did.append(command.name)

    def say(self, text):
        self.did.append(text)

    def choose(self, question, lane=None):
        self.asked = question

    def sort_otherwise(self):
        self.did.append("sorted")


def pressed(keys, lanes=3):
    room = Keyed(lanes)
    on_key = RoomKeys(room, room, lambda: room.did.append("ended"), lambda: 0.0)
    for key in keys:
        on_key(key)
    return room


@pytest.mark.parametrize(
    ("keys", "lanes", "did"),
    [
        (["2", "1", SPACE], 3, [(2, "anna")]),
        (["2", "1", "2"], 3, [(2, "p12")]),
        (["2", "0"], 3, [(2, None)]),
        (["1", "2", "3"], 32, [(12, "p3")]),
        (["1", SPACE, "3"], 32, [(1, "p3")]),
        (["7"], 3, ["There is no lane 7; there are 3."]),
        (["2", "1", "9"], 3, ["There is no person 19; there are 12."]),
        (["2", ESCAPE, "3", "4"], 3, [(3, "p4")]),
        (["b", "s"], 3, [START, "sorted"]),
        (["q"], 3, ["Press q again within 5 s to end all sessions."]),
        (["q", "q"], 3, ["Press q again within 5 s to end all sessions.", "ended"]),
    ],
)
def test_a_lanes_number_and_a_persons_say_who_rows_there(keys, lanes, did):
    room = pressed(keys, lanes)
    assert room.did == did
    assert room.asked is None


def test_who_is_asked_for_stands_on_the_screen_and_a_refusal_is_a_sentence():
    assert pressed(["2"]).asked.startswith("Lane 2: 1 anna · 2 ben · 3 p3")
    assert pressed(["1"], lanes=12).asked == "Lane 1_ (space takes it)"
    assert pressed(["2", "2"]).did == ["ben is elsewhere"]


LANES = [
    LaneView(1, "anna", moment(cue()), is_connected=True),
    LaneView(2, "guest 2", replace(moment(), sample=moment().sample._replace(distance_m=1234.0)), is_connected=True),
    LaneView(3, HOSTILE, None, trouble="Bluetooth failed"),
    LaneView(4, "guest 4", moment(lost="the link was lost", trouble="the disk is full"), is_connected=True),
]


def text_of(lines):
    return ["".join(text for text, _ in line) for line in lines]


def test_each_lane_is_one_line_with_its_numbers_and_its_trouble():
    head, anna, guest, hostile, lost, *_ = text_of(room_frame(RoomView(LANES), 120, 20))
    assert head.split() == ["lane", "who", "doing", "round", "left", "W", "spm", "m", "saved", "trouble"]
    assert anna.split() == ["1", "anna", "hard", "2/10", "0:30", "217", "28", "698", "399"]
    assert guest.split()[:4] == ["2", "guest", "2", "hard"]
    assert hostile.endswith("Bluetooth failed")
    assert "away" in hostile
    assert lost.endswith("lost: the link was lost; not saved: the disk is full")
    assert "\x1b" not in "".join(text_of(room_frame(RoomView(LANES), 120, 20)))
    assert plain_line(LANES[0]) == "1 anna: doing hard, round 2/10, left 0:30, 217 W, 28 spm, 698 m, saved 399"


def test_lanes_are_sorted_by_metres_power_or_rate_who_has_none_last():
    assert [lane.number for lane in in_order(LANES, "metres")] == [2, 1, 4, 3]
    strong = replace(LANES[3], moment=replace(moment(), sample=moment().sample._replace(power_w=300.0)))
    assert [lane.number for lane in in_order([*LANES[:3], strong], "power")] == [4, 1, 2, 3]
    assert [lane.number for lane in in_order(LANES[::-1], "rate")] == [1, 2, 4, 3]
    assert [lane.number for lane in in_order(LANES[::-1], "place")] == [1, 2, 3, 4]


@pytest.mark.parametrize(("width", "height"), [(200, 60), (80, 24), (40, 4), (20, 2), (5, 1), (1, 1)])
def test_a_room_fits_any_screen(width, height):
    view = RoomView(LANES * 8, message="one", hints="two")
    assert len(room_frame(view, width, height)) <= height
    assert len(room_frame(RoomView(said=["Looking"]), width, height)) <= height


def test_the_link_of_the_page_is_read_as_long_as_there_are_lanes():
    """Before, it is among what was said."""
    view = RoomView(LANES, said=["Room page: here"], message="one", hints="two", kept="Room page: here")
    shown = ["".join(text for text, _ in line) for line in room_frame(view, 80, 24)]
    assert shown[-3:] == ["one", "Room page: here", "two"]
    without_lanes = room_frame(replace(view, lanes=()), 80, 24)
    assert sum("Room page" in text for line in without_lanes for text, _ in line) == 1


# --- the command ------------------------------------------------------------------------------------------------------


def told_by(link, token, is_enough):
    """What a room's page tells, the newest under each event's name and lane, as soon as it is enough."""
    news, name = {}, ""
    with httpx.stream("GET", f"{link}events", headers={"Authorization": f"Bearer {token}"}, timeout=20) as answer:
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                content = json.loads(line.removeprefix("data: "))
                news[f"{name} {content['lane']}" if name == "lane" else name] = content
                if is_enough(news):
                    return news
    raise AssertionError(f"never told enough: {news}")


def test_a_rooms_page_tells_every_lane_and_its_goal_and_ctrl_c_stores_a_session_for_each(tmp_path):
    goal = ("--web", "--web-port", free_port(), "--goal", "band 150-220W")
    room = ("room", "--virtual", "3", "--athlete", "anna", "--plan", "60", *goal, "--data", tmp_path)
    process, link = started(*room, until=r"Room page: (\S+)#(\S+)")
    lanes = [f"lane {number}" for number in (1, 2, 3)]
    news = told_by(*link.groups(), lambda news: all(news.get(lane, {}).get("band") for lane in lanes))
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert news["team"]["goal"] == "band 150-220W"
    assert " of 3 inside 150–220 W" in news["team"]["words"]
    assert all(news[lane]["power_w"] > 0 for lane in lanes)
    rows = json.loads(rowsync("sessions", "--json", "--data", tmp_path).stdout)
    assert sorted(row["athlete"] for row in rows) == sorted(news[lane]["who"] for lane in lanes)
    assert "anna" in {row["athlete"] for row in rows}
    assert not list(tmp_path.glob("journal/*.jsonl"))


ROWSYNC = "from rowsync.cli import main; main()"


@pytty
def test_in_a_terminal_keys_put_a_person_into_a_lane_and_end_the_room(tmp_path):
    rowsync("athlete", "ben", "--mass", "80")
    shell = Shell("room", "--virtual", "2", "--data", str(tmp_path), code=ROWSYNC)
    shell.read("2 guest 2        ")
    shell.type(b"2")
    shell.read("Lane 2: 1 ben")
    shell.type(b"1")
    shell.read("2 ben            ")
    shell.type(b"s")
    time.sleep(8)
    shell.type(b"q")
    shell.read("Press q again")
    shell.type(b"q")
    shell.close()
    assert shell.process.returncode == 0
    assert "Traceback" not in shell.sent
    rows = {row["athlete"]: row for row in json.loads(rowsync("sessions", "--json", "--data", tmp_path).stdout)}
    assert rows.keys() == {"guest 1", "ben"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--athlete", "anna", "--athlete", "anna"], "anna can't row on two rowers"),
        (["--lane", "anna"], "--lane takes an address and a name"),
        (["--lane", f"{FIRST}=anna", "--lane", f"{FIRST.lower()}=ben"], "--lane names one rower twice"),
        (["--machine", "pm5"], "--machine goes with --virtual"),
        (["--plan", "8x500m@85%/2m"], "best-2k"),
        (["--goal", "foo"], "Type one of: 'band 180-220W', 'synchrony', '10000m'."),
    ],
)
def test_what_makes_no_sense_in_a_room_is_refused_in_a_sentence(tmp_path, options, says):
    assert says in rowsync("room", *options, "--data", tmp_path, code=2).stderr
    assert not (tmp_path / "journal").exists()
