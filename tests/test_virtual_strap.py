"""The heart-rate strap in the air, met with plain bleak clients in virtual time."""

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from hypothesis import given
from hypothesis import strategies as st

from rowsync.heart_rate import HEART_RATE_MEASUREMENT, decode_heart_rate
from rowsync.identity import BATTERY_LEVEL
from rowsync.intervals import Effort
from rowsync.plan import Piece, Plan
from rowsync.virtual import virtual_radio
from rowsync.virtual.model import Absence
from rowsync.virtual.strap import measurement
from tests.test_virtual_radio import ROWER_DATA, client_of, in_virtual_time, uuid

PLAN = Plan("", (Piece(Effort.HARD, 120),))
MEASURED = uuid(HEART_RATE_MEASUREMENT)


async def strap_client(radio, **options):
    device = await BleakScanner.find_device_by_name(radio.strap.name, 5, backend=radio.scanner_backend)
    assert device is not None
    return BleakClient(device, backend=radio.client_backend, **options)


def worn(seconds, **options):
    """What a strap says while somebody rows: [(loop's time [s], measurement)], and what it sent."""

    async def main():
        heard, loop = [], asyncio.get_running_loop()
        async with (
            virtual_radio(PLAN, strap=True, **options) as radio,
            await client_of(radio) as rower,
            await strap_client(radio) as strap,
        ):
            await strap.start_notify(MEASURED, lambda _, payload: heard.append((loop.time(), bytes(payload))))
            await rower.start_notify(ROWER_DATA, lambda _, __: None)
            await asyncio.sleep(seconds)
            assert [payload for _, payload in heard] == radio.strap.sent
            return [(at_s, decode_heart_rate(payload)) for at_s, payload in heard], radio.rower.state

    return in_virtual_time(main())


def test_a_strap_tells_the_heart_rate_once_a_second_beside_the_machine():
    heard, state = worn(100)
    times = [at_s for at_s, _ in heard]
    assert [at_s - times[0] for at_s in times] == pytest.approx(list(range(len(times))))
    assert len(heard) == pytest.approx(100, abs=1)
    assert heard[0][1].heart_rate_bpm == 72
    assert state.heart_rate_bpm > 140
    assert heard[-1][1].heart_rate_bpm == pytest.approx(state.heart_rate_bpm, abs=1)
    assert {data.contact for _, data in heard} == {True}


def test_its_beats_fill_the_time_and_fit_the_rate():
    heard, _ = worn(100)
    beats_s = [beat_s for _, data in heard[1:] for beat_s in data.beats_s]
    assert sum(beats_s) == pytest.approx(heard[-1][0] - heard[0][0], abs=1)
    last = [beat_s for _, data in heard[-20:] for beat_s in data.beats_s]
    assert 60 * len(last) / sum(last) == pytest.approx(heard[-10][1].heart_rate_bpm, abs=2)
    assert len(set(last)) > 10


def test_the_same_seed_gives_the_same_beats():
    one, again, other = ([data for _, data in worn(30, seed=seed)[0]] for seed in (1, 1, 2))
    assert one == again != other


def test_a_strap_says_where_it_is_worn_and_how_full_its_battery_is():
    async def main():
        async with virtual_radio(PLAN, strap=True) as radio, await strap_client(radio) as client:
            return [bytes(await client.read_gatt_char(uuid(each))) for each in (BATTERY_LEVEL, "2a38")]

    assert in_virtual_time(main()) == [b"\x57", b"\x01"]


def test_a_strap_goes_and_comes_back_while_the_machine_stays():
    async def main():
        gone, loop = [], asyncio.get_running_loop()
        async with (
            virtual_radio(PLAN, strap=True, strap_absences=(Absence(20, 30),)) as radio,
            await client_of(radio) as rower,
        ):
            client = await strap_client(radio, disconnected_callback=lambda _: gone.append(loop.time()))
            await client.connect()
            await asyncio.sleep(22)
            there = await BleakScanner.discover(5, backend=radio.scanner_backend)
            await asyncio.sleep(25)
            back = await BleakScanner.discover(1, backend=radio.scanner_backend)
            return gone, there, [device.name for device in back], rower.is_connected

    gone, there, back, rower_connected = in_virtual_time(main())
    assert gone == [pytest.approx(20, abs=0.1)]
    assert (there, back, rower_connected) == ([], ["Virtual Strap"], True)


def test_without_being_asked_for_there_is_no_strap():
    async def main():
        async with virtual_radio(PLAN) as radio:
            return radio.strap

    assert in_virtual_time(main()) is None


def test_switching_off_leaves_nothing_behind():
    async def main():
        async with virtual_radio(PLAN, strap=True) as radio, await strap_client(radio) as client:
            await client.start_notify(MEASURED, lambda _, __: None)
            await asyncio.sleep(5)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert in_virtual_time(main()) == set()


@given(st.floats(30, 250), st.lists(st.floats(0.2, 3.0), max_size=20))
def test_what_is_written_can_be_read(heart_rate_bpm, beats_s):
    payload = measurement(heart_rate_bpm, beats_s)
    data = decode_heart_rate(payload)
    assert len(payload) <= 20
    assert data.heart_rate_bpm == round(heart_rate_bpm)
    assert data.beats_s == pytest.approx(beats_s[-8:], abs=1 / 1024)
