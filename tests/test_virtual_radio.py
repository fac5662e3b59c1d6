"""The virtual radio, met as any radio is: bleak's unmodified scanner and client, real ATT, virtual time."""

import asyncio
import gc
import random
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError

from rowsync import ftms
from rowsync.errors import UsageError
from rowsync.intervals import Effort
from rowsync.plan import Piece, Plan, parse_plan
from rowsync.virtual import virtual_radio
from rowsync.virtual.clock import VirtualTimeLoop
from rowsync.virtual.machine import MACHINES, STANDARD
from rowsync.virtual.rower import VirtualRower

INTERVALS = parse_plan("5m + 10x45/75 + 5m")
SHORT = Plan("1m", (Piece(Effort.STEADY, 60),))


def in_virtual_time(coroutine):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)


def uuid(short):
    return f"0000{short}-0000-1000-8000-00805f9b34fb"


ROWER_DATA, CONTROL_POINT, FEATURE = uuid(ftms.ROWER_DATA), uuid(ftms.CONTROL_POINT), uuid(ftms.FITNESS_MACHINE_FEATURE)


async def found(radio):
    device = await BleakScanner.find_device_by_name(radio.machine_name, 5, backend=radio.scanner_backend)
    assert device is not None
    return device


async def client_of(radio, **options):
    return BleakClient(await found(radio), backend=radio.client_backend, **options)


async def heard(plan, seconds=None, **options):
    """Row a plan, to its end or for some time: the notifications received and sent, and the wall time [s]."""
    began_s, received = time.perf_counter(), []
    async with virtual_radio(plan, **options) as radio, await client_of(radio) as client:
        await client.start_notify(ROWER_DATA, lambda _, payload: received.append(bytes(payload)))
        if seconds is None:
            await radio.peripheral.finished.wait()
        else:
            await asyncio.sleep(seconds)
        return received, list(radio.peripheral.sent), time.perf_counter() - began_s


# --- scanning ---------------------------------------------------------------------------------------------------------


def test_a_scan_finds_a_rower_that_says_it_is_one():
    async def scan():
        async with virtual_radio(SHORT) as radio:
            options = {"service_uuids": [uuid(ftms.FITNESS_MACHINE)], "backend": radio.scanner_backend}
            return await BleakScanner.discover(2, return_adv=True, **options)

    ((device, advertisement),) = in_virtual_time(scan()).values()
    assert device.name == advertisement.local_name == "Virtual Rower"
    assert advertisement.service_uuids == [uuid("1826")]
    assert advertisement.service_data == {uuid("1826"): bytes.fromhex("01 10 00")}


def test_a_scan_for_something_else_finds_nothing():
    async def scan():
        async with virtual_radio(SHORT) as radio:
            return await BleakScanner.discover(2, service_uuids=["180d"], backend=radio.scanner_backend)

    assert in_virtual_time(scan()) == []


def test_two_scanners_hear_at_once():
    async def scan():
        async with virtual_radio(SHORT) as radio:
            scans = (BleakScanner.discover(seconds, backend=radio.scanner_backend) for seconds in (1, 2))
            return [len(devices) for devices in await asyncio.gather(*scans)]

    assert in_virtual_time(scan()) == [1, 1]


def test_two_radios_do_not_hear_each_other():
    async def scan():
        async with virtual_radio(SHORT, name="One") as one, virtual_radio(SHORT, name="Other") as other:
            scans = (BleakScanner.discover(1, backend=radio.scanner_backend) for radio in (one, other))
            return [[device.name for device in devices] for devices in await asyncio.gather(*scans)]

    assert in_virtual_time(scan()) == [["One"], ["Other"]]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("fifteen octets!", id="beside the rest"),
        pytest.param("sixteen octets..", id="in the scan response"),
        pytest.param("x" * 200, id="in an extended advertisement"),
    ],
)
def test_names_of_all_lengths_are_heard_and_the_machine_is_called_so(name):
    async def meet():
        async with virtual_radio(SHORT, name=name) as radio, await client_of(radio) as client:
            return (await client.read_gatt_char(uuid("2a00"))).decode(), len(client.services.services)

    said, _ = in_virtual_time(meet())
    assert said == name


def test_a_name_that_no_advertisement_holds_is_refused():
    async def enter():
        async with virtual_radio(SHORT, name="x" * 250):
            pass

    with pytest.raises(UsageError, match="251 octets"):
        in_virtual_time(enter())


# --- a session --------------------------------------------------------------------------------------------------------


def test_a_whole_session_of_intervals_arrives_intact_and_in_order_in_seconds():
    received, sent, wall_s = in_virtual_time(heard(INTERVALS))
    assert len(received) == 3609
    assert received == sent
    assert wall_s < 15


UNDEMANDING = [
    name
    for name, row in MACHINES.items()
    if all(frame.carrier == ftms.ROWER_DATA for frame in row.frames)
    and not (row.manners.needs_start or row.manners.keep_alive_s < 60)
    and not any(absence.at_s < 60 for absence in row.absences)
]


@pytest.mark.parametrize("machine", UNDEMANDING)
def test_every_machine_arrives_intact(machine):
    received, sent, _ = in_virtual_time(heard(SHORT, machine=machine))
    assert len(received) > 50
    assert received == sent


def test_the_same_seed_gives_the_same_bytes():
    one, again, other = (in_virtual_time(heard(SHORT, seed=seed))[0] for seed in (5, 5, 6))
    assert one == again
    assert one != other


def test_the_rower_sits_down_when_somebody_subscribes_and_rows_two_seconds_later():
    async def main():
        loop = asyncio.get_running_loop()
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            await asyncio.sleep(60)
            assert radio.rower.state.time_s == 0
            received = []
            await client.start_notify(ROWER_DATA, lambda _, payload: received.append((loop.time(), bytes(payload))))
            await asyncio.sleep(10)
            return radio.peripheral.started_s, received

    started_s, received = in_virtual_time(main())
    assert received[0][0] == pytest.approx(started_s, abs=0.01)
    moving_s = next(at_s for at_s, payload in received if ftms.decode_rower_data(payload).total_distance_m)
    assert moving_s - started_s == pytest.approx(3, abs=0.6)


def test_what_arrives_agrees_with_the_truth():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            received = []
            await client.start_notify(ROWER_DATA, lambda _, payload: received.append(bytes(payload)))
            await asyncio.sleep(70)
            return radio.rower.truth, ftms.decode_rower_data(received[-1])

    truth, last = in_virtual_time(main())
    assert last.stroke_count == len(truth.strokes)
    assert last.total_distance_m == pytest.approx(sum(stroke.distance_m for stroke in truth.strokes), abs=25)


def test_the_machine_rows_on_while_nobody_listens():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            received = []
            await client.start_notify(ROWER_DATA, lambda _, payload: received.append(bytes(payload)))
            await asyncio.sleep(20)
            await client.stop_notify(ROWER_DATA)
            count = len(received)
            await asyncio.sleep(20)
            assert len(received) == count
            await client.start_notify(ROWER_DATA, lambda _, payload: received.append(bytes(payload)))
            await asyncio.sleep(1)
            return [ftms.decode_rower_data(payload).elapsed_time_s for payload in received[count - 1 : count + 1]]

    before_s, after_s = in_virtual_time(main())
    assert after_s - before_s == pytest.approx(20, abs=1)


def test_it_needs_no_virtual_time():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            received = asyncio.Event()
            await client.start_notify(ROWER_DATA, lambda _, payload: received.set())
            async with asyncio.timeout(5):
                await received.wait()

    asyncio.run(main())


# --- what a client can do ---------------------------------------------------------------------------------------------


def test_control_is_granted_on_request():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            answers = asyncio.Queue()
            await client.start_notify(CONTROL_POINT, lambda _, payload: answers.put_nowait(bytes(payload).hex(" ")))
            requests = ["07", "00", "00", "07", "08 01", "01", "05 64 00", "7f"]
            for request in requests:
                await client.write_gatt_char(CONTROL_POINT, bytes.fromhex(request), response=True)
            assert radio.peripheral.commands == [bytes.fromhex(request) for request in requests]
            return [await answers.get() for _ in requests]

    assert in_virtual_time(main()) == [
        "80 07 05",  # not permitted before control is requested
        "80 00 01",
        "80 00 01",
        "80 07 01",
        "80 08 01",
        "80 01 01",
        "80 05 02",  # no target power
        "80 7f 02",
    ]


def test_the_machine_tells_its_status_after_a_command():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            told = []
            await client.start_notify(
                uuid(ftms.MACHINE_STATUS), lambda _, payload: told.append(bytes(payload).hex(" "))
            )
            await client.start_notify(CONTROL_POINT, lambda _, __: None)
            for request in ("00", "07", "08 02"):
                await client.write_gatt_char(CONTROL_POINT, bytes.fromhex(request), response=True)
            await asyncio.sleep(1)
            return told

    assert in_virtual_time(main()) == ["04", "02 02"]


def test_control_without_indications_is_an_att_error():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            with pytest.raises(BleakGATTProtocolError) as caught:
                await client.write_gatt_char(CONTROL_POINT, b"\x00", response=True)
            return caught.value.args[0]

    assert in_virtual_time(main()) == 0xFD


def test_the_feature_word_says_what_the_machine_sends():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            return await client.read_gatt_char(FEATURE)

    features = int.from_bytes(in_virtual_time(main())[:4], "little")
    assert features == 1 << 2 | 1 << 5 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 14


def test_the_training_status_goes_from_idle_to_rowing_to_done():
    async def main():
        status = uuid(ftms.TRAINING_STATUS)
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            seen = [(await client.read_gatt_char(status)).hex()]
            await client.start_notify(status, lambda _, payload: seen.append(payload.hex()))
            await client.start_notify(ROWER_DATA, lambda _, __: None)
            await radio.peripheral.finished.wait()
            await asyncio.sleep(1)
            return seen

    assert in_virtual_time(main()) == ["0001", "000d", "000f"]


def test_a_viking_has_rower_data_and_nothing_else():
    async def main():
        async with virtual_radio(SHORT, machine="viking") as radio, await client_of(radio) as client:
            service = client.services.get_service(uuid(ftms.FITNESS_MACHINE))
            return [characteristic.uuid for characteristic in service.characteristics]

    assert in_virtual_time(main()) == [ROWER_DATA]


def test_descriptors_can_be_read():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            (descriptor,) = client.services.get_characteristic(ROWER_DATA).descriptors
            before = await client.read_gatt_descriptor(descriptor.handle)
            await client.start_notify(ROWER_DATA, lambda _, __: None)
            return before.hex(), (await client.read_gatt_descriptor(descriptor.handle)).hex()

    assert in_virtual_time(main()) == ("0000", "0100")


def test_a_client_may_pair_and_ask_twice():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio, pair=True) as client:
            await client.pair()
            await client.unpair()
            return client.is_connected

    assert in_virtual_time(main())


def test_a_client_connects_once_and_disconnects_twice():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            with pytest.raises(BleakError, match="already connected"):
                await client.connect()
            await client.disconnect()
            await client.disconnect()
            with pytest.raises(BleakError, match="Not connected"):
                await client.pair()

    in_virtual_time(main())


@pytest.mark.parametrize(("mtu", "agreed"), [(23, 23), (247, 247)])
def test_the_machine_decides_on_the_mtu(mtu, agreed):
    async def main():
        async with virtual_radio(SHORT, mtu=mtu) as radio, await client_of(radio) as client:
            writable = client.services.get_characteristic(CONTROL_POINT).max_write_without_response_size
            return client.mtu_size, writable

    assert in_virtual_time(main()) == (agreed, agreed - 3)


# --- a link that goes -------------------------------------------------------------------------------------------------


def test_a_dropped_link_is_told_to_the_client_at_once():
    async def main():
        loop, gone = asyncio.get_running_loop(), []
        async with virtual_radio(SHORT) as radio:
            client = await client_of(radio, disconnected_callback=lambda client: gone.append((client, loop.time())))
            await client.connect()
            await asyncio.sleep(5)
            dropped_s = loop.time()
            await radio.peripheral.drop()
            await asyncio.sleep(1)
            assert not client.is_connected
            return client, gone, dropped_s

    client, gone, dropped_s = in_virtual_time(main())
    assert gone == [(client, pytest.approx(dropped_s, abs=0.01))]


def test_a_request_on_a_dropped_link_fails_at_once():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            characteristic = client.services.get_characteristic(FEATURE)
            reading = asyncio.ensure_future(client.read_gatt_char(characteristic))
            await radio.peripheral.drop()
            results = await asyncio.gather(reading, client.read_gatt_char(characteristic), return_exceptions=True)
            return results, asyncio.get_running_loop().time()

    results, at_s = in_virtual_time(main())
    assert isinstance(results[1], BleakError)
    assert at_s < 1


def test_a_drop_is_no_noise(caplog):
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            await client.start_notify(ROWER_DATA, lambda _, __: None)
            await asyncio.sleep(5)
            await radio.peripheral.drop()
            await asyncio.sleep(5)

    in_virtual_time(main())
    assert [record.getMessage() for record in caplog.records] == []


def test_after_a_drop_the_machine_is_found_again_and_has_counted_on():
    async def main():
        async with virtual_radio(SHORT) as radio:
            counts = []
            for _ in range(2):
                received = []
                async with await client_of(radio) as client:
                    await client.start_notify(ROWER_DATA, lambda _, payload, into=received: into.append(bytes(payload)))
                    await asyncio.sleep(20)
                    await radio.peripheral.drop()
                counts.append([ftms.decode_rower_data(payload).stroke_count for payload in received])
            return counts

    first, second = in_virtual_time(main())
    assert first[0] == 0
    assert second[0] >= first[-1] > 4
    assert len(first) == len(second) == 40


def test_control_ends_with_the_link():
    async def main():
        answers = []
        async with virtual_radio(SHORT) as radio:
            for request in (b"\x00", b"\x07"):
                async with await client_of(radio) as client:
                    await client.start_notify(CONTROL_POINT, lambda _, payload: answers.append(bytes(payload)))
                    await client.write_gatt_char(CONTROL_POINT, request, response=True)
                    await asyncio.sleep(1)
        return answers

    assert in_virtual_time(main()) == [bytes.fromhex("80 00 01"), bytes.fromhex("80 07 05")]


def test_scanning_while_connected_leaves_the_link_alone():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            received = []
            await client.start_notify(ROWER_DATA, lambda _, payload: received.append(payload))
            assert await BleakScanner.discover(10, backend=radio.scanner_backend) == []  # connected: it's silent
            return len(received)

    assert in_virtual_time(main()) in (20, 21)


def test_a_client_connects_by_address_alone():
    async def main():
        async with virtual_radio(SHORT) as radio:
            address = (await found(radio)).address
            async with BleakClient(address, backend=radio.client_backend) as client:
                return client.is_connected, client.name == address.replace(":", "-")

    assert in_virtual_time(main()) == (True, True)


def test_an_address_that_nobody_has_is_not_found():
    async def main():
        async with virtual_radio(SHORT) as radio:
            client = BleakClient("F0:0D:00:00:00:99", backend=radio.client_backend, timeout=3)
            with pytest.raises((BleakDeviceNotFoundError, TimeoutError)):
                await client.connect()

    in_virtual_time(main())


def test_a_device_that_is_taken_is_not_found():
    async def main():
        async with virtual_radio(SHORT) as radio:
            device = await found(radio)
            async with BleakClient(device, backend=radio.client_backend):
                second = BleakClient(device, backend=radio.client_backend, timeout=3)
                with pytest.raises((BleakDeviceNotFoundError, TimeoutError)):
                    await second.connect()

    in_virtual_time(main())


def test_a_hundred_links_yanked_at_random_moments_leave_no_hang():
    luck = random.Random(4)

    async def meet(radio):
        async with await client_of(radio) as client:
            await client.start_notify(ROWER_DATA, lambda _, __: None)
            await client.start_notify(CONTROL_POINT, lambda _, __: None)
            await client.write_gatt_char(CONTROL_POINT, b"\x00", response=True)
            await client.read_gatt_char(FEATURE)
            await asyncio.sleep(0.3)

    async def yank(radio, turns):
        await radio.peripheral.connected.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        await radio.peripheral.drop()

    async def main():
        ends, loop = [], asyncio.get_running_loop()
        async with virtual_radio(SHORT) as radio:
            for _ in range(100):
                began_s = loop.time()
                met, _ = await asyncio.gather(meet(radio), yank(radio, luck.randrange(400)), return_exceptions=True)
                ends.append((met, loop.time() - began_s))
        return ends

    ends = in_virtual_time(main())
    assert all(met is None or isinstance(met, (BleakError, TimeoutError)) for met, _ in ends)
    assert max(took_s for _, took_s in ends) < 5
    assert sum(isinstance(met, BleakError) for met, _ in ends) > 10


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["disconnected", "connected", "unheard"])
def test_switching_off_leaves_nothing_behind(end):
    async def main():
        async with virtual_radio(SHORT) as radio:
            client = await client_of(radio)
            if end != "unheard":
                await client.connect()
                await client.start_notify(ROWER_DATA, lambda _, __: None)
                await asyncio.sleep(5)
            if end == "disconnected":
                await client.disconnect()
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert in_virtual_time(main()) == set()
    gc.collect()


def test_an_error_inside_the_radio_comes_out_as_it_is():
    async def main():
        async with virtual_radio(SHORT) as radio, await client_of(radio) as client:
            await client.start_notify(ROWER_DATA, lambda _, __: None)
            raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        in_virtual_time(main())


def test_a_cancelled_session_is_cancelled():
    async def main():
        task = asyncio.ensure_future(heard(SHORT))
        await asyncio.sleep(10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert in_virtual_time(main()) == set()


# --- asking for it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [({"machine": "hovercraft"}, "standard, pace-only, viking"), ({"person": "nobody"}, "trained, beginner")],
)
def test_an_unknown_name_is_answered_with_those_there_are(options, said):
    async def main():
        async with virtual_radio(SHORT, **options):
            pass

    with pytest.raises(UsageError, match=said):
        in_virtual_time(main())


def test_a_machine_of_ones_own_can_be_given():
    model = replace(STANDARD, silent_s=(5.0, 10.0))
    received, _, _ = in_virtual_time(heard(SHORT, 20, machine=model))
    assert len(received) in (30, 31)


def test_importing_it_imports_neither_bumble_nor_bleak():
    seen = "import sys, rowsync.virtual; print(sorted({'bumble', 'bleak', 'asyncio'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() in ("[]", "['asyncio']")


def test_without_bumble_it_says_what_to_install():
    code = (
        "import asyncio, sys; sys.modules['bumble'] = None\n"
        "from rowsync.virtual import virtual_radio; from rowsync.plan import Plan\n"
        "from rowsync.errors import RadioUnavailable\n"
        "async def main():\n"
        "    async with virtual_radio(Plan('', ())): pass\n"
        "try: asyncio.run(main())\n"
        "except RadioUnavailable as error: print(error)\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "The virtual rower needs Bumble: pip install 'rowsync[demo]'"


def test_the_rower_behind_the_radio_is_the_one_without_it():
    async def main():
        async with virtual_radio(SHORT, seed=9) as radio, await client_of(radio) as client:
            await client.start_notify(ROWER_DATA, lambda _, __: None)
            await radio.peripheral.finished.wait()
            return radio.rower.truth

    alone = VirtualRower(SHORT, seed=9)
    alone.advance(70)
    assert in_virtual_time(main()) == alone.truth
