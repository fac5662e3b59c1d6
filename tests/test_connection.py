"""Staying connected: whatever becomes of the link, one session goes on, and what is missing is said."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from rowsync import ble, connection, control, discovery
from rowsync.connection import Patience, connected
from rowsync.errors import MachineError, MachineLost, MachineNotFound, NotARower
from rowsync.plan import parse_plan
from rowsync.session import Header, analyse
from rowsync.telemetry import Note, Notification
from rowsync.virtual import Neighbour, virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop
from rowsync.virtual.machine import STANDARD
from rowsync.virtual.model import Absence, Manners

PLAN = parse_plan("20m")


def absent(*absences, **changes):
    return replace(STANDARD, absences=tuple(Absence(*each) for each in absences), **changes)


def listened(seconds, machine="standard", meanwhile=None, wanted_strap=None, patience=None, **radio):
    """What the stream brought in so many virtual seconds, and the virtual radio's truth."""

    async def run():
        async with virtual_radio(PLAN, machine=machine, **radio) as virtual:
            system = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            rower = await discovery.find(system, virtual.machine_name)
            async with connected(system, rower, strap=wanted_strap, patience=patience) as stream:
                asyncio.get_running_loop().call_later(seconds, stream.stop)
                work = asyncio.ensure_future(meanwhile(stream, virtual)) if meanwhile else None
                items = [item async for item in stream]
                if work is not None:
                    await work
            return items, virtual

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(run())


def notes(items, *but):
    return [item for item in items if isinstance(item, Note) and item.event not in ("handshake", *but)]


def rows(items):
    return [item for item in items if isinstance(item, Notification) and item.characteristic == "2ad1"]


def test_every_notification_arrives_once_in_order_and_with_its_time():
    items, virtual = listened(60)
    assert [each.payload for each in rows(items)] == virtual.peripheral.sent[: len(rows(items))]
    assert [each.time_s for each in rows(items)] == pytest.approx([0.5 * n for n in range(len(rows(items)))], abs=0.02)


def test_what_came_before_the_row_has_the_time_0_and_comes_first():
    items, _ = listened(10)
    assert items[0] == Note(0.0, "connected", {"service": "Fitness Machine Service", "address": "F0:0D:00:00:00:01"})
    before = items[: items.index(rows(items)[0])]
    assert {item.time_s for item in before} == {0.0}
    assert {"2acc", "2ad6", "2ad8", "2a29", "2a24"} <= {
        item.characteristic for item in before if isinstance(item, Notification)
    }


def test_a_machine_says_who_it_is():
    async def remember(stream, virtual):
        await asyncio.sleep(5)
        machines.append(stream.machine)

    machines = []
    listened(10, meanwhile=remember)
    assert machines[0] | {"address": ""} == {
        "name": "Virtual Rower",
        "address": "",
        "maker": "rowsync",
        "model": "Virtual Rower",
        "serial": "0001",
        "firmware": "1",
    }


def test_a_link_that_goes_for_two_minutes_is_made_anew_and_the_gap_says_why():
    items, virtual = listened(400, absent((60, 120)))
    assert [note.event for note in notes(items)] == ["connected", "lost", "connected", "resumed"]
    lost, back = notes(items)[1:3]
    assert lost.time_s - 60 <= 3 + 2
    assert back.time_s - lost.time_s == pytest.approx(120, abs=5)
    session = analyse(Header("x", None), items)
    (gap,) = session.gaps
    assert gap.reason.startswith("the link was lost; ")
    assert gap.end_s - gap.start_s == pytest.approx(121, abs=3)
    counted = [stroke for stroke in virtual.rower.truth.strokes if stroke.end_s <= session.duration_s]
    assert abs(session.stroke_count - len(counted)) <= 1


def test_a_half_open_link_is_noticed_within_3_s_and_replaced_within_10_s_of_being_possible():
    machine = replace(STANDARD, absences=(Absence(60, 40, link_stands=True),))
    items, _ = listened(300, machine)
    events = {note.event: note.time_s for note in notes(items)}
    data = [each.time_s for each in rows(items)]
    last_before = max(time_s for time_s in data if time_s < events["lost"])
    assert events["lost"] - last_before <= 3.0
    possible_s = last_before + 40
    assert events["resumed"] - possible_s <= 10.0
    assert [note.details.get("reason") for note in notes(items) if note.event == "lost"] == [
        "the machine answers nothing"
    ]


@pytest.mark.parametrize("off_s", [20, 120])
def test_a_machine_that_was_switched_off_counts_on_where_it_was(off_s):
    items, virtual = listened(600, absent((200, off_s, True)))
    session = analyse(Header("x", None), items)
    seen = [
        stroke
        for stroke in virtual.rower.truth.strokes
        if stroke.end_s <= session.duration_s and not session.gaps[0].start_s < stroke.end_s < session.gaps[0].end_s
    ]
    assert len(session.gaps) == 1
    assert abs(session.stroke_count - len(seen)) <= 2
    assert "lost" in {note.event for note in notes(items)}


def test_a_machine_that_never_comes_back_is_given_up_and_what_came_is_kept():
    kept = []

    async def run():
        async with virtual_radio(PLAN, machine=absent((30, 4000))) as virtual:
            system = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            async with connected(system, await discovery.find(system)) as stream:
                async for item in stream:
                    kept.append(item)

    with (
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
        pytest.raises(MachineLost, match="did not come back for 300 s"),
    ):
        runner.run(run())
    assert len(rows(kept)) > 50


def test_a_machine_that_answers_and_says_nothing_is_asked_anew_and_connected_anew_once():
    items, _ = listened(600, replace(STANDARD, silent_s=(30.0, 400.0)))
    lost = [note for note in notes(items) if note.event == "lost"]
    assert [note.details["reason"] for note in lost] == ["the machine answers but sends nothing"]
    assert rows(items)[-1].time_s > 590
    session = analyse(Header("x", None), items)
    assert len(session.gaps) == 1


def test_a_machine_that_takes_the_link_and_drops_it_again_is_given_up_in_the_end():
    kept = []

    async def run():
        async with virtual_radio(PLAN) as virtual:
            system = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            machine = virtual.peripheral
            before = machine.on_subscription

            def drops(connection, uuid):
                before(connection, uuid)
                if asyncio.get_running_loop().time() > 30:
                    machine._spawn(machine.drop())

            machine.on_subscription = drops
            async with connected(system, await discovery.find(system)) as stream:
                asyncio.get_running_loop().call_later(30, lambda: machine._spawn(machine.drop()))
                async for item in stream:
                    kept.append(item)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner, pytest.raises(MachineLost, match="did not come back"):
        runner.run(run())
    assert len([note for note in notes(kept) if note.event == "lost"]) <= 2


def test_an_unknown_machine_that_minds_more_subscriptions_is_found_out():
    machine = replace(STANDARD, name="Never Seen", manners=Manners(only_data=True))
    items, _ = listened(120, machine)
    reasons = [note.details["reason"] for note in notes(items) if note.event == "lost"]
    assert reasons == ["the machine fell silent when more than Rower Data was subscribed"]
    assert rows(items)[-1].time_s > 115


def test_an_unknown_machine_that_wants_to_be_started_is_started_after_3_s():
    items, _ = listened(60, replace(STANDARD, name="Never Seen", manners=Manners(needs_start=True)))
    steps = {
        note.details["step"]: note.details["outcome"] for note in items if getattr(note, "event", "") == "handshake"
    }
    assert steps["start"] == "the machine agrees to start"
    assert len(rows(items)) > 80


def test_a_request_to_the_machine_is_answered():
    async def ask(stream, virtual):
        await asyncio.sleep(8)
        answers.append(await stream.ask(control.request_control()))
        answers.append(await stream.ask(control.target_resistance(5)))

    answers = []
    listened(20, meanwhile=ask)
    assert answers[0].succeeded
    assert answers[1].op_code == control.OpCode.TARGET_RESISTANCE


def test_a_machine_without_a_control_point_says_so_when_it_is_asked():
    async def ask(stream, virtual):
        await asyncio.sleep(8)
        with pytest.raises(MachineError, match="characteristic"):
            await stream.ask(control.request_control())

    listened(20, "viking", meanwhile=ask)


def test_a_strap_is_fused_and_its_loss_costs_no_stroke():
    items, virtual = listened(300, wanted_strap="any", strap=True, strap_absences=(Absence(60, 60),))
    assert [n.event for n in notes(items)] == ["connected", "strap connected", "strap lost", "strap connected"]
    beats = [item for item in items if isinstance(item, Notification) and item.characteristic == "2a37"]
    assert len(beats) > 150
    assert [each.payload for each in rows(items)] == virtual.peripheral.sent[: len(rows(items))]
    session = analyse(Header("x", None), items)
    assert session.heart_rate_source == "strap and machine"


def test_a_strap_that_is_not_there_keeps_nobody_waiting():
    items, _ = listened(120, wanted_strap="any")
    assert len(rows(items)) >= 235


def test_the_rower_has_the_radio_before_the_strap():
    items, _ = listened(200, absent((60, 20)), wanted_strap="any", patience=Patience(strap_s=0.1))
    (lost, back) = (note.time_s for note in notes(items) if note.event in ("lost", "resumed"))
    assert back - lost < 20 + 5


def test_a_machine_that_is_no_rower_is_said_to_be_none():
    async def run():
        async with virtual_radio(PLAN, others=[Neighbour("bike")]) as virtual:
            system = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            bike = await discovery.find(system, "Virtual Bike")
            async with connected(system, bike):
                pass

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner, pytest.raises(NotARower, match="not a rower"):
        runner.run(run())


def test_a_machine_that_leaves_before_it_is_connected_is_said_to_be_gone():
    async def run():
        async with virtual_radio(PLAN) as virtual:
            system = ble.Radio(virtual.scanner_backend, virtual.client_backend)
            rower = await discovery.find(system)
            await virtual.peripheral.leave()
            async with connected(system, rower):
                pass

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner, pytest.raises(MachineNotFound):
        runner.run(run())


def test_100_links_yanked_at_random_moments_hang_nothing_and_double_nothing():
    absences = tuple(Absence(10 + 3.7 * n + (n * 7919 % 100) / 40, 0.3) for n in range(100))
    items, virtual = listened(430, replace(STANDARD, absences=absences))
    arrived = [each.payload for each in rows(items)]
    sent = iter(virtual.peripheral.sent)
    assert all(any(payload == each for each in sent) for payload in arrived)  # in order, none twice
    assert len(arrived) > 0.5 * len(virtual.peripheral.sent)
    assert sum(note.event == "lost" for note in notes(items)) > 70


def test_a_flood_of_1000_notifications_a_second_arrives_whole():
    items, virtual = listened(4, replace(STANDARD, frames=(replace(STANDARD.frames[0], period_s=0.01),) * 10))
    arrived = [each.payload for each in rows(items)]
    assert arrived == virtual.peripheral.sent[: len(arrived)]
    assert len(arrived) >= len(virtual.peripheral.sent) - 20 > 2500


def test_the_patience_is_what_the_figures_say():
    patience = connection.Patience()
    assert patience.silence_s + patience.answer_s <= 3.0
    assert patience.connect_s + max(patience.retry_s) < 10.0
