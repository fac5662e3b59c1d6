"""Several machines in one air, and names that no one should trust, met with plain bleak in virtual time."""

import asyncio

import pytest
from bleak import BleakClient, BleakScanner

from rowsync import features, ftms
from rowsync.errors import UsageError
from rowsync.intervals import Effort
from rowsync.plan import Piece, Plan
from rowsync.virtual import Neighbour, virtual_radio
from rowsync.virtual.machine import NEIGHBOURS
from tests.test_virtual_radio import ROWER_DATA, in_virtual_time, uuid

PLAN = Plan("", (Piece(Effort.STEADY, 60),))


def heard(*others, **options):
    """What a scan hears: {address: AdvertisementData}."""

    async def scan():
        async with virtual_radio(PLAN, others=others, **options) as radio:
            found = await BleakScanner.discover(1, return_adv=True, backend=radio.scanner_backend)
            return {address: said for address, (_, said) in found.items()}

    return in_virtual_time(scan())


def kinds(said):
    return features.decode_advertised(said.service_data[uuid(ftms.FITNESS_MACHINE)]).kinds


def test_two_rowers_of_one_name_differ_by_address_and_by_what_is_rowed():
    async def main():
        counts = {}
        async with virtual_radio(PLAN, others=[Neighbour(plan=Plan("", (Piece(Effort.HARD, 60),)))]) as radio:
            found = await BleakScanner.discover(1, backend=radio.scanner_backend)
            assert {device.name for device in found} == {"Virtual Rower"}
            clients = [BleakClient(device, backend=radio.client_backend) for device in found]
            for client in clients:
                await client.connect()
                counts[client.address] = []
                await client.start_notify(ROWER_DATA, lambda _, payload, to=counts[client.address]: to.append(payload))
            await asyncio.sleep(40)
            for client in clients:
                await client.disconnect()
            (other,) = radio.others
            return counts, radio.peripheral, other

    counts, machine, other = in_virtual_time(main())
    assert machine.address != other.address
    for each in (machine, other):
        assert [bytes(payload) for payload in counts[each.address]] == each.sent[: len(counts[each.address])]
    strokes = [ftms.decode_rower_data(counts[each.address][-1]).stroke_count for each in (machine, other)]
    assert strokes[1] > strokes[0] + 2


def test_a_bike_says_that_it_is_one_and_sends_no_rower_data():
    async def main():
        async with virtual_radio(PLAN, others=[Neighbour("bike")]) as radio:
            device = await BleakScanner.find_device_by_name("Virtual Bike", 2, backend=radio.scanner_backend)
            async with BleakClient(device, backend=radio.client_backend) as client:
                received = []
                assert client.services.get_characteristic(ROWER_DATA) is None
                await client.start_notify(uuid("2ad2"), lambda _, payload: received.append(bytes(payload)))
                await asyncio.sleep(5)
                return received

    assert set(in_virtual_time(main())) == {bytes.fromhex("44 00 c4 09 a0 00 96 00")}
    said = {each.local_name: each for each in heard(Neighbour("bike")).values()}
    assert kinds(said["Virtual Bike"]) == {"indoor_bike"}
    assert kinds(said["Virtual Rower"]) == {"rower"}


def test_a_stranger_shouts_control_characters():
    said = [each for each in heard(Neighbour("stranger")).values() if uuid("180f") in each.service_uuids]
    assert [each.local_name for each in said] == [NEIGHBOURS["stranger"].name]
    assert "\x1b[2J" in said[0].local_name


@pytest.mark.parametrize(
    ("name", "arrives"),
    [
        ("\x1b]0;owned\x07", "\x1b]0;owned\x07"),
        ("a\nb\tc\0d", "a\nb\tc\0d"),
        ("\u202egnp.exe", "\u202egnp.exe"),
        ("ein sehr langer Name aus München", "ein sehr langer Name aus München"),
        ("\udcff\udcfe bytes", "\ufffd\ufffd bytes"),
        ("🚣" * 50, "🚣" * 50),
    ],
)
def test_a_hostile_name_is_heard_as_it_was_sent(name, arrives):
    assert arrives in {each.local_name for each in heard(Neighbour(name=name)).values()}


def test_a_machine_without_a_name_is_heard_all_the_same():
    assert sorted(each.local_name or "" for each in heard(Neighbour(name="")).values()) == ["", "Virtual Rower"]


def test_a_whole_street_is_heard_at_once():
    assert len(heard(*map(Neighbour, NEIGHBOURS), strap=True)) == 2 + len(NEIGHBOURS)


def test_an_unknown_neighbour_is_answered_with_those_there_are():
    with pytest.raises(UsageError, match="bike, stranger"):
        heard(Neighbour("submarine"))


def test_nobody_rows_on_a_stranger():
    with pytest.raises(UsageError, match="no virtual machine 'stranger'"):
        heard(machine="stranger")
