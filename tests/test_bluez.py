"""bleak's own Linux backend against a BlueZ that can be made to fail: what it shows, and that rowsync gets by."""

import asyncio
import time
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)
from hypothesis import given
from hypothesis import strategies as st

from rowsync import ble, ear, ftms
from rowsync.errors import MachineError
from rowsync.plan import parse_plan
from tests.bluez import bus
from tests.bluez.clock import BusTimeLoop
from tests.bluez.fake import ABORTED, BUSY, CANCELED, DISCONNECT_S, NOT_READY, UNKNOWN
from tests.bluez.faults import FAULTS, LONGEST_S, MOST_FAULTS, Happens, schedule
from tests.bluez.latency import measure
from tests.bluez.schedules import Story, describe, lived_through
from tests.bluez.world import number_of, world

PLAN = parse_plan("600")
ROWER_DATA, FEATURE = (f"0000{short}-0000-1000-8000-00805f9b34fb" for short in ("2ad1", "2acc"))
CONTROL_POINT = f"0000{ftms.CONTROL_POINT}-0000-1000-8000-00805f9b34fb"

needs_bus = pytest.mark.skipif(bus.missing() is not None, reason=bus.missing() or "")


def in_a_world(work):
    """Run `work(world)` in virtual time; the clock waits for the bus alone."""

    async def run():
        async with world(PLAN) as there:
            return await work(there)

    with asyncio.Runner(loop_factory=BusTimeLoop) as runner:
        return runner.run(run())


class Listener:
    """Plain bleak, subscribed to Rower Data: what it was told, with nothing done about it; let go at the end."""

    def __init__(self):
        self.numbers = []
        self.losses = 0

    async def __aenter__(self):
        device = await BleakScanner.find_device_by_name("Virtual Rower", 10)
        if device is None:
            raise BleakError("nobody there")
        self.client = BleakClient(device, self._lost)
        await self.client.connect()
        try:
            await self.client.start_notify(ROWER_DATA, lambda _, payload: self.numbers.append(number_of(payload)))
        except BleakError:
            await self.client.disconnect()
            raise
        return self

    async def __aexit__(self, *_):
        await outcome_of(self.client.disconnect())

    def _lost(self, _):
        self.losses += 1

    async def heard_in(self, seconds):
        before = len(self.numbers)
        await asyncio.sleep(seconds)
        return self.numbers[before:]


@asynccontextmanager
async def listener_at_last():
    """A listener, as soon as there can be one."""
    for _ in range(5):
        with suppress(BleakError, OSError, TimeoutError):
            listener = await Listener().__aenter__()
            break
        await asyncio.sleep(1)
    try:
        yield listener
    finally:
        await listener.__aexit__()


async def outcome_of(work):
    """What comes of it, and how long that takes [s]."""
    began_s = asyncio.get_running_loop().time()
    try:
        result = await work
    except (BleakError, OSError, TimeoutError) as error:
        result = error
    return result, asyncio.get_running_loop().time() - began_s


# --- nothing wrong ----------------------------------------------------------------------------------------------------


@needs_bus
def test_a_row_arrives_whole_and_in_order_through_bleaks_own_backend():
    async def work(there):
        loop, arrived = asyncio.get_running_loop(), []
        found = await anext(ble.heard(ble.Radio()))
        async with ble.connect(found, ble.Radio(), lambda *packet: arrived.append((loop.time(), *packet))) as link:
            await link.subscribe(ftms.ROWER_DATA)
            await asyncio.sleep(100.1)
            told = list(there.console.told)
        return found, arrived, told

    began_s = time.perf_counter()
    found, arrived, told = in_a_world(work)
    assert (found.name, found.is_rower) == ("Virtual Rower", True)
    assert [number_of(payload) for _, _, payload in arrived] == list(range(len(told)))
    assert [at_s for at_s, _, _ in arrived] == pytest.approx([each.time_s for each in told], abs=0.01)
    assert {characteristic for _, characteristic, _ in arrived} == {ftms.ROWER_DATA}
    assert time.perf_counter() - began_s < 30


@needs_bus
def test_a_bus_leaves_nothing_behind(monkeypatch):
    monkeypatch.setenv(bus.ADDRESS, "unix:path=/nowhere/at/all")

    async def work(there):
        await BleakScanner.discover(1)
        return bus.os.environ[bus.ADDRESS]

    first, second = in_a_world(work), in_a_world(work)
    assert first != second
    assert bus.os.environ[bus.ADDRESS] == "unix:path=/nowhere/at/all"
    assert all(loop.is_closed() for loop in bus.manager._global_instances)


@needs_bus
def test_the_clock_waits_for_the_bus():
    async def work(there):
        async with Listener() as listener:
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            for _ in range(50):
                async with asyncio.timeout(0.001):
                    await listener.client.read_gatt_char(FEATURE)
            return loop.time() - began_s

    assert in_a_world(work) == 0


@needs_bus
def test_a_disconnect_takes_two_seconds_in_which_data_still_arrives():
    async def work(there):
        async with Listener() as listener:
            await asyncio.sleep(1.1)
            before = len(listener.numbers)
            _, took_s = await outcome_of(listener.client.disconnect())
            return took_s, len(listener.numbers) - before, listener.losses

    assert in_a_world(work) == (pytest.approx(DISCONNECT_S, abs=0.1), 4, 1)


@needs_bus
@pytest.mark.parametrize(("lets_go", "copies"), [(True, 1), (False, 2)])
def test_a_client_that_was_not_disconnected_doubles_what_the_next_one_hears(lets_go, copies):
    async def work(there):
        async with Listener() as old:
            await there.machine.drop()
            await asyncio.sleep(1)
            if lets_go:
                await old.client.disconnect()
            async with Listener() as new:
                return await new.heard_in(5.1)

    numbers = in_a_world(work)
    assert len(numbers) == copies * len(set(numbers))


@needs_bus
def test_two_scanners_of_one_program_are_in_each_others_way():
    async def work(there):
        async with BleakScanner():
            return await outcome_of(BleakScanner.discover(1))

    refused, _ = in_a_world(work)
    assert refused.dbus_error == "org.bluez.Error.InProgress"


# --- each fault, as bleak shows it ------------------------------------------------------------------------------------

TOLD, SILENT, UNHARMED, DOUBLED = "the loss is told", "nothing is told", "data goes on", "data comes twice"

BLEAK_SHOWS = {
    "half-open link": SILENT,
    "link lost": TOLD,
    "adapter pulled out": SILENT,
    "adapter off": TOLD,
    "bluetoothd killed": SILENT,
    "dbus-daemon killed": TOLD,
    "discovery in progress": TOLD,
    "connect in progress": TOLD,
    "connect canceled": TOLD,
    "connect aborted": TOLD,
    "connect not ready": TOLD,
    "machine off": TOLD,
    "out of range": TOLD,
    "device expired": TOLD,
    "notifications stop": SILENT,
    "no characteristics once": TOLD,
    "notifications doubled": DOUBLED,
    "write not permitted": UNHARMED,
    "write refused": UNHARMED,
}


def shown(numbers, listener):
    if numbers:
        return DOUBLED if len(numbers) > len(set(numbers)) else UNHARMED
    return {(1, False): TOLD, (0, True): SILENT}[listener.losses, listener.client.is_connected]


@needs_bus
@pytest.mark.parametrize("name", FAULTS)
def test_what_bleak_shows_of_a_fault_and_that_a_new_client_gets_over_it(name):
    async def work(there):
        async with Listener() as old:
            await old.heard_in(5.1)
            await FAULTS[name].begin(there)
            numbers = await old.heard_in(5)
            sight = shown(numbers, old)
            await FAULTS[name].end(there)
        async with listener_at_last() as new:
            return sight, await new.heard_in(5.1), new.losses

    sight, numbers, losses = in_a_world(work)
    assert sight == BLEAK_SHOWS[name]
    assert losses == 0
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) >= 10


@needs_bus
@pytest.mark.parametrize(
    ("name", "answer", "after_s"),
    [
        ("half-open link", BleakGATTProtocolError, 30),
        ("adapter pulled out", "org.freedesktop.DBus.Error.UnknownObject", 0),
        ("bluetoothd killed", "org.freedesktop.DBus.Error.ServiceUnknown", 0),
        ("notifications stop", bytearray, 0),
    ],
)
def test_a_read_tells_one_silence_from_another(name, answer, after_s):
    async def work(there):
        async with Listener() as listener:
            await FAULTS[name].begin(there)
            return await outcome_of(listener.client.read_gatt_char(FEATURE))

    result, took_s = in_a_world(work)
    assert getattr(result, "dbus_error", type(result)) == answer
    assert took_s == pytest.approx(after_s, abs=0.1)


@needs_bus
def test_a_dead_bluetoothd_is_told_by_the_next_call_and_not_before():
    async def work(there):
        async with Listener() as listener:
            await there.bluez.kill()
            await asyncio.sleep(60)
            before = listener.losses, listener.client.is_connected
            result, _ = await outcome_of(listener.client.disconnect())
            return before, type(result), (listener.losses, listener.client.is_connected)

    assert in_a_world(work) == ((0, True), BleakDBusError, (1, False))


@needs_bus
@pytest.mark.parametrize(
    ("refusal", "raised"),
    [
        (BUSY, BleakDBusError),
        (CANCELED, BleakDBusError),
        (NOT_READY, BleakDBusError),
        (ABORTED, TimeoutError),  # after thirty seconds of trying by itself
        (UNKNOWN, BleakDeviceNotFoundError),
    ],
)
def test_a_refused_connect_has_a_name(refusal, raised):
    async def work(there):
        there.bluez.refusals["Connect"] = refusal
        return await outcome_of(Listener().__aenter__())

    result, _ = in_a_world(work)
    assert type(result) is raised


@needs_bus
@pytest.mark.parametrize(("name", "code"), [("write not permitted", 0x03), ("write refused", 0x80)])
def test_a_refused_write_has_its_att_code(name, code):
    async def work(there):
        async with Listener() as listener:
            await FAULTS[name].begin(there)
            return await outcome_of(listener.client.write_gatt_char(CONTROL_POINT, b"\x00", response=True))

    result, _ = in_a_world(work)
    assert result.args[0] == code


@needs_bus
@pytest.mark.parametrize(("name", "reason"), [("adapter pulled out", "NO_BLUETOOTH"), ("adapter off", "POWERED_OFF")])
def test_a_scan_without_an_adapter_says_why(name, reason):
    async def work(there):
        await BleakScanner.discover(1)
        await FAULTS[name].begin(there)
        await asyncio.sleep(0.1)
        return await outcome_of(BleakScanner.discover(1))

    result, _ = in_a_world(work)
    assert isinstance(result, BleakBluetoothNotAvailableError)
    assert result.reason.name == reason


# --- rowsync's connection, fault by fault -----------------------------------------------------------------------------

UNNOTICED = {"notifications doubled", "write not permitted", "write refused"}


@needs_bus
@pytest.mark.parametrize("name", FAULTS)
def test_a_row_survives_a_fault_of_twelve_seconds(name):
    story = lived_through(1, [Happens(20.0, name, 12.0)])
    assert story.survived, describe(story)
    for outage in story.outages:
        assert outage.noticed_s - outage.begun_s <= 3
        assert outage.recovered_s - outage.possible_s <= 10
    assert bool(story.outages) != (name in UNNOTICED)


@needs_bus
@pytest.mark.parametrize("seed", range(20))
def test_a_row_survives_a_random_sequence_of_faults(seed):
    story = lived_through(seed)
    assert story.survived, describe(story)


@needs_bus
def test_a_schedule_is_lived_through_the_same_each_time():
    assert lived_through(3) == lived_through(3)


def test_a_story_with_anything_wrong_is_not_survived():
    good = Story(1, [], strokes=10, unheard_during=2, total=9, true_total=9)
    assert good.survived
    for wrong in ({"error": "hung"}, {"duplicates": 1}, {"disordered": 1}, {"unheard_else": 1}, {"total": 10}):
        assert not replace(good, **wrong).survived


@needs_bus
def test_the_way_from_the_machine_to_the_stream_is_short():
    latency = measure(count=50)
    assert 0 < latency.median_s <= latency.p99_s <= latency.worst_s
    assert latency.median_s < 0.1


# --- schedules --------------------------------------------------------------------------------------------------------


@given(st.integers())
def test_a_schedule_is_one_fault_after_another_and_short(seed):
    happenings = schedule(seed)
    assert happenings == schedule(seed)
    assert 1 <= len(happenings) <= MOST_FAULTS
    assert all(0 <= each.length_s <= LONGEST_S and each.fault in FAULTS for each in happenings)
    assert all(one.time_s + one.length_s <= next_.time_s + 0.002 for one, next_ in pairwise(happenings))


def test_a_thousand_schedules_hold_each_fault_many_times():
    counts = dict.fromkeys(FAULTS, 0)
    for seed in range(1000):
        for each in schedule(seed):
            counts[each.fault] += 1
    assert min(counts.values()) > 50


@needs_bus
def test_a_second_scan_of_one_program_is_refused_and_one_ear_serves_both():
    async def heard(radio):
        async with aclosing(ble.heard(radio)) as adverts:
            return (await anext(adverts)).name

    async def work(there):
        shared = ear.shared(ble.Radio())
        alone = await asyncio.gather(heard(ble.Radio()), heard(ble.Radio()), return_exceptions=True)
        return alone, await asyncio.gather(heard(shared), heard(shared))

    alone, together = in_a_world(work)
    assert [str(each) for each in alone if isinstance(each, MachineError)] == [
        "Bluetooth refuses for now: [org.bluez.Error.InProgress] Operation already in progress. Try again."
    ]
    assert together == ["Virtual Rower", "Virtual Rower"]
