"""The radio door and discovery: unmodified bleak over real ATT packets on a virtual radio."""

from __future__ import annotations

import asyncio

import pytest
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakDBusError

from rowsync import ble, discovery
from rowsync.discovery import Known
from rowsync.errors import MachineNotFound, RadioUnavailable, UsageError
from rowsync.plan import parse_plan
from rowsync.virtual import virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop

PLAN = parse_plan("60")
ADDRESS = "F0:0D:00:00:00:01"


def in_virtual_time(work, **radio):
    """Run `work(radio, virtual)` with a virtual rower in the air and a clock that jumps."""

    async def run():
        async with virtual_radio(PLAN, **radio) as virtual:
            return await work(ble.Radio(virtual.scanner_backend, virtual.client_backend), virtual)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(run())


def advert(name, services=(), service_data=b"", address="AA:BB", signal_dbm=-50):
    """What is found when a machine advertises so."""
    uuid = "00001826-0000-1000-8000-00805f9b34fb"
    full = [f"0000{each}-0000-1000-8000-00805f9b34fb" if len(each) == 4 else each for each in services]
    data = AdvertisementData(name, {}, {uuid: service_data} if service_data else {}, full, None, signal_dbm, ())
    return ble._found(type("Device", (), {"name": None, "address": address})(), data)


def test_a_scan_finds_the_rower_and_knows_it_for_one():
    async def work(radio, virtual):
        return await discovery.scan(radio, 2.0)

    (found,) = in_virtual_time(work)
    assert (found.name, found.is_rower) == ("Virtual Rower", True)
    assert found.services == ("1826",)


@pytest.mark.parametrize(
    ("found", "may_row"),
    [
        (advert("anything", ["1826"], bytes([1, 16, 0])), True),
        (advert("a bike", ["1826"], bytes([1, 32, 0])), False),
        (advert("S4 COMMS 12", ["1826"]), True),
        (advert("S4 COMMS 12"), True),
        (advert("PM5 430000000 Row", ["ce060000-43e5-11e4-916c-0800200c9a66"]), True),
        (advert("PM5 430000000 Ski", ["ce060000-43e5-11e4-916c-0800200c9a66"]), False),
        (advert("says nothing of its kind", ["1826"]), True),
        (advert("SMARTROW 1"), False),
        (advert("a strap", ["180d"]), False),
        (advert("a speaker", ["180f"]), False),
    ],
)
def test_rowers_are_told_from_all_else_by_service_data_service_and_name(found, may_row):
    assert bool(found.may_row) is may_row


@pytest.mark.parametrize("wanted", ["virtual rower", ADDRESS, ADDRESS.lower()])
def test_a_rower_is_found_by_its_name_or_its_address(wanted):
    async def work(radio, virtual):
        return await discovery.find(radio, wanted)

    assert in_virtual_time(work).name == "Virtual Rower"


def test_the_known_rower_is_taken_at_once():
    async def work(radio, virtual):
        started_s = asyncio.get_running_loop().time()
        found = await discovery.find(radio, known=Known("Virtual Rower", ADDRESS))
        return found.address, asyncio.get_running_loop().time() - started_s

    address, took_s = in_virtual_time(work)
    assert address == ADDRESS
    assert took_s < 0.5


@pytest.mark.parametrize("trusted", [True, False])
def test_a_stranger_under_a_known_name_is_asked_about(trusted):
    asked = []

    async def work(radio, virtual):
        def ask(question):
            asked.append(question)
            return trusted

        return await discovery.find(radio, known=Known("Virtual Rower", "F0:0D:00:00:00:02"), ask=ask)

    if trusted:
        assert in_virtual_time(work).address == ADDRESS
    else:
        with pytest.raises(UsageError, match=f"rowsync row --rower {ADDRESS}"):
            in_virtual_time(work)
    assert len(asked) == 1


def test_who_names_a_stranger_by_its_address_is_not_asked():
    async def work(radio, virtual):
        return await discovery.find(radio, ADDRESS, Known("Virtual Rower", "F0:0D:00:00:00:02"))

    assert in_virtual_time(work).address == ADDRESS


def test_of_two_rowers_with_one_name_one_must_be_chosen():
    twins = [advert("Twin", ["1826"], address="A", signal_dbm=-40), advert("Twin", ["1826"], address="B")]
    with pytest.raises(UsageError, match=r"2 machines are called twin: A \(-40 dBm\), B \(-50 dBm\)"):
        discovery._chosen(twins, "twin", None)
    assert discovery._chosen(twins, "twin", Known("Twin", "B")).address == "B"
    assert discovery._chosen(twins, None, None).address == "A"


def test_a_rower_that_is_not_there_is_said_with_what_to_do():
    async def work(radio, virtual):
        await discovery.find(radio, "PM5 430000000")

    with pytest.raises(MachineNotFound, match=r"No rower called PM5 430000000 answered within 10 s\. Wake the machine"):
        in_virtual_time(work)


def test_a_link_reads_subscribes_and_lets_go():
    async def work(radio, virtual):
        arrived = []
        found = await discovery.find(radio)
        async with ble.connect(found, radio, lambda *packet: arrived.append(packet)) as link:
            await link.subscribe("2ad1")
            await asyncio.sleep(5)
            sent = list(virtual.peripheral.sent)
        await asyncio.sleep(5)
        return arrived, sent

    arrived, sent = in_virtual_time(work)
    assert [payload for _, payload in arrived][: len(sent)] == sent
    assert len(arrived) <= len(sent) + 1
    assert {characteristic for characteristic, _ in arrived} == {"2ad1"}


async def test_a_computer_without_a_bluetooth_service_says_what_to_install(monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/at/all")
    with pytest.raises(RadioUnavailable, match="install and start BlueZ"):
        await discovery.scan(ble.Radio(), 1.0)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("org.freedesktop.DBus.Error.AccessDenied", "add yourself to the group bluetooth"),
        ("org.freedesktop.DBus.Error.ServiceUnknown", "install and start BlueZ"),
        ("org.bluez.Error.NotReady", "switched off"),
    ],
)
def test_what_the_system_refuses_for_good_is_one_sentence_that_says_what_to_do(error, said):
    with pytest.raises(RadioUnavailable, match=said), ble._translated():
        raise BleakDBusError(error, [""])


@pytest.mark.parametrize(
    ("uuid", "short"),
    [
        ("00002ad1-0000-1000-8000-00805f9b34fb", "2ad1"),
        ("CE060031-43E5-11E4-916C-0800200C9A66", "ce060031"),
    ],
)
def test_a_characteristic_has_the_short_name_of_recordings(uuid, short):
    assert ble.short_uuid(uuid) == short
