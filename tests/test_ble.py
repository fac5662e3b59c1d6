"""The radio door: unmodified bleak over real ATT packets on a virtual radio."""

from __future__ import annotations

import asyncio

import pytest

from rowsync import ble
from rowsync.errors import MachineLost, MachineNotFound, RadioUnavailable
from rowsync.plan import parse_plan
from rowsync.virtual import virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop

PLAN = parse_plan("60")


def in_virtual_time(work):
    """Run `work(radio, virtual)` with a virtual rower in the air and a clock that jumps."""

    async def run():
        async with virtual_radio(PLAN) as virtual:
            return await work(ble.Radio(virtual.scanner_backend, virtual.client_backend), virtual)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(run())


def test_a_scan_finds_the_rower_and_knows_it_for_one():
    async def work(radio, virtual):
        return await ble.scan(radio, 2.0)

    (found,) = in_virtual_time(work)
    assert (found.name, found.is_rower) == ("Virtual Rower", True)
    assert list(map(ble.short_uuid, found.services)) == ["1826"]


def test_every_notification_arrives_whole_in_order_and_with_its_time():
    async def work(radio, virtual):
        async with ble.connect(await ble.find(radio), radio) as link:
            return [await anext(link) for _ in range(40)], list(virtual.peripheral.sent)

    arrived, sent = in_virtual_time(work)
    assert [each.payload for each in arrived] == sent[:40]
    assert {each.characteristic for each in arrived} == {"2ad1"}
    assert [each.time_s for each in arrived] == pytest.approx([0.5 * number for number in range(40)], abs=0.02)


def test_a_machine_that_hides_what_it_is_is_taken_when_it_is_asked_for_by_name():
    from bleak.backends.scanner import AdvertisementData

    advert = AdvertisementData("S4 COMMS 12", {}, {}, [], None, -50, ())
    found = ble._heard(type("Device", (), {"name": None, "address": "AA:BB"})(), advert)
    assert not ble._may_row(found)
    assert ble._is_called(found, "s4 comms 12")


@pytest.mark.parametrize("wanted", ["virtual rower", "F0:0D:00:00:00:01"])
def test_a_rower_is_found_by_its_name_or_its_address(wanted):
    async def work(radio, virtual):
        return await ble.find(radio, wanted)

    assert in_virtual_time(work).name == "Virtual Rower"


def test_a_rower_that_is_not_there_is_said_with_what_to_do():
    async def work(radio, virtual):
        await ble.find(radio, "PM5 430000000")

    with pytest.raises(MachineNotFound, match=r"No rower called PM5 430000000 answered within 10 s\. Wake the machine"):
        in_virtual_time(work)


def test_a_link_that_goes_is_said_after_what_had_arrived():
    async def work(radio, virtual):
        async with ble.connect(await ble.find(radio), radio) as link:
            await anext(link)
            await virtual.peripheral.drop()
            while True:
                await anext(link)

    with pytest.raises(MachineLost, match="The connection to Virtual Rower is lost"):
        in_virtual_time(work)


def test_a_machine_that_falls_silent_is_gone_whatever_the_link_claims():
    async def work(radio, virtual):
        async with ble.connect(await ble.find(radio), radio) as link:
            await anext(link)
            virtual.peripheral._rowing.cancel()  # the monitor hangs, the radio doesn't
            while True:
                await anext(link)

    with pytest.raises(MachineLost, match="Virtual Rower has said nothing for 300 s"):
        in_virtual_time(work)


def test_a_stopped_link_ends_its_stream():
    async def work(radio, virtual):
        async with ble.connect(await ble.find(radio), radio) as link:
            first = await anext(link)
            link.stop()
            return first, [each async for each in link]

    first, rest = in_virtual_time(work)
    assert first.time_s == 0.0
    assert len(rest) <= 1


async def test_a_computer_without_a_bluetooth_service_says_what_to_install(monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/at/all")
    with pytest.raises(RadioUnavailable, match="install and start BlueZ"):
        await ble.scan(ble.Radio(), 1.0)


@pytest.mark.parametrize(
    ("uuid", "short"),
    [
        ("00002ad1-0000-1000-8000-00805f9b34fb", "2ad1"),
        ("CE060031-43E5-11E4-916C-0800200C9A66", "ce060031"),
    ],
)
def test_a_characteristic_has_the_short_name_of_recordings(uuid, short):
    assert ble.short_uuid(uuid) == short
