"""Each machine's personality on the wire: what plain bleak clients meet over real ATT, in virtual time."""

import asyncio
import random
from dataclasses import replace

import pytest
from bleak import BleakScanner
from bleak.exc import BleakError

from rowsync import concept2, features, ftms, identity
from rowsync.intervals import Effort
from rowsync.plan import Piece, Plan
from rowsync.virtual import virtual_radio
from rowsync.virtual.machine import MACHINES, STANDARD
from rowsync.virtual.model import Absence
from tests.test_virtual_radio import CONTROL_POINT, FEATURE, ROWER_DATA, client_of, in_virtual_time, uuid

STEADY = Plan("", (Piece(Effort.STEADY, 60),))
LONG = Plan("", (Piece(Effort.STEADY, 600),))
WITH_A_STOP = Plan("", (Piece(Effort.HARD, 40), Piece(Effort.REST, 30), Piece(Effort.HARD, 40)))
TWO_PIECES = Plan("", (Piece(Effort.HARD, 60), Piece(Effort.EASY, 60)))

REQUEST_CONTROL, START = b"\x00", b"\x07"


def full(short):
    return f"{short}{concept2.BASE}" if len(short) == 8 else uuid(short)


class Listener:
    """Collects (loop's time [s], characteristic, payload)."""

    def __init__(self):
        self.heard = []

    async def listen(self, client, *characteristics):
        for each in characteristics:
            await client.start_notify(full(each), lambda _, payload, each=each: self._take(each, payload))

    def _take(self, characteristic, payload):
        self.heard.append((asyncio.get_running_loop().time(), characteristic, bytes(payload)))

    @property
    def decoded(self):
        return [(at_s, ftms.decode_rower_data(payload)) for at_s, _, payload in self.heard]

    def count(self):
        return len(self.heard)


def rowed(machine, plan, seconds, *characteristics, **options):
    """What a client hears that subscribes to these and nothing else, for so long; and what really happened."""

    async def main():
        listener = Listener()
        async with virtual_radio(plan, machine=machine, **options) as radio, await client_of(radio) as client:
            await listener.listen(client, *(characteristics or (ftms.ROWER_DATA,)))
            await asyncio.sleep(seconds)
            return listener, radio.rower.truth

    return in_virtual_time(main())


async def commanded(client, *requests):
    answers = []
    await client.start_notify(CONTROL_POINT, lambda _, payload: answers.append(bytes(payload)))
    for request in requests:
        await client.write_gatt_char(CONTROL_POINT, request, response=True)
    await asyncio.sleep(0.1)
    return answers


# --- in the air -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", MACHINES)
def test_every_machine_is_heard_as_its_row_says(machine):
    async def scan():
        async with virtual_radio(STEADY, machine=machine) as radio:
            return await BleakScanner.discover(1, return_adv=True, backend=radio.scanner_backend)

    ((device, said),) = in_virtual_time(scan()).values()
    row = MACHINES[machine]
    assert device.name == said.local_name == row.name
    assert said.service_uuids == [full(each) for each in row.advert.services]
    assert said.service_data == ({uuid("1826"): row.advert.data} if row.advert.data else {})


@pytest.mark.parametrize("machine", MACHINES)
def test_every_row_has_a_source(machine):
    assert MACHINES[machine].source


def test_a_machine_without_service_data_has_neither_feature_nor_identity():
    async def main():
        async with virtual_radio(STEADY, machine="no-service-data") as radio, await client_of(radio) as client:
            return {each.uuid for service in client.services for each in service.characteristics}

    found = in_virtual_time(main())
    assert ROWER_DATA in found
    assert not found & {FEATURE, *map(uuid, identity.IDENTITY)}


def test_the_standard_machine_says_who_it_is_and_what_it_can():
    async def main():
        async with virtual_radio(STEADY) as radio, await client_of(radio) as client:
            asked = (*identity.IDENTITY, identity.BATTERY_LEVEL, ftms.RESISTANCE_RANGE, ftms.POWER_RANGE)
            there = [each for each in asked if client.services.get_characteristic(uuid(each))]
            return {each: bytes(await client.read_gatt_char(uuid(each))) for each in there}

    said = in_virtual_time(main())
    texts = {name: said[each].decode() for each, name in identity.IDENTITY.items() if each in said}
    assert texts == {"maker": "rowsync", "model": "Virtual Rower", "serial": "0001", "firmware": "1"}
    assert said[identity.BATTERY_LEVEL] == b"\x50"
    assert features.decode_resistance_range(said[ftms.RESISTANCE_RANGE])[:3] == (1, 10, 1)
    assert features.decode_power_range(said[ftms.POWER_RANGE])[:3] == (0, 1000, 5)


# --- what the bytes are like ------------------------------------------------------------------------------------------


def test_mr_captain_promises_more_than_twenty_octets_hold():
    listener, _ = rowed("mr-captain", WITH_A_STOP, 60, mtu=247)
    assert {payload[:2].hex() for _, _, payload in listener.heard} == {"3c0b"}
    assert {len(payload) for _, _, payload in listener.heard} == {20}
    assert {data.missing for _, data in listener.decoded} == {("elapsed_time_s",)}


def test_mr_captain_forgets_his_strokes_on_a_stop_and_says_66_spm():
    listener, truth = rowed("mr-captain", WITH_A_STOP, 112)
    decoded = [data for _, data in listener.decoded]
    stopped = decoded[50:70]
    assert {(data.stroke_count, data.stroke_rate_spm) for data in stopped} == {(0, 66.0)}
    assert {data.instantaneous_power_w for data in stopped} == {0}
    assert stopped[0].total_distance_m > 100
    assert decoded[-1].stroke_count == sum(stroke.start_s > 50 for stroke in truth.strokes)
    distances = [data.total_distance_m for data in decoded]
    assert distances == sorted(distances)


def test_mr_captains_energy_per_hour_is_the_mean_of_the_session():
    listener, _ = rowed("mr-captain", STEADY, 50)
    at_s, last = listener.decoded[-1]
    elapsed_s = last.total_energy_kcal * 3600 / last.energy_per_hour_kcal
    assert elapsed_s == pytest.approx(at_s - listener.heard[0][0] - 2, abs=0.5)  # he sits still for 2 s first


def test_a_kayak_counts_both_sides_and_no_energy():
    plan = Plan("", (Piece(Effort.HARD, 60),))
    listener, truth = rowed("kayakpro", plan, 62)
    assert {(payload[:2].hex(), len(payload)) for _, _, payload in listener.heard} == {("2c09", 19)}
    assert {data.total_energy_kcal for _, data in listener.decoded} == {None}
    assert {data.energy_per_minute_kcal for _, data in listener.decoded} == {None}
    assert listener.decoded[-1][1].energy_per_hour_kcal > 400
    assert max(data.stroke_rate_spm for _, data in listener.decoded) > 76
    assert listener.decoded[-1][1].stroke_count == len(truth.strokes) > 70


def test_a_joroto_says_nonsense_at_an_unchanged_count_and_as_rowing_begins():
    listener, _ = rowed("joroto", LONG, 300)
    rates = [(data.stroke_rate_spm, data.stroke_count) for _, data in listener.decoded]
    spikes = [n for n in range(1, len(rates)) if rates[n][0] >= 66]
    assert len(spikes) > 5
    assert all(rates[n][0] <= 80 and rates[n][1] == rates[n - 1][1] for n in spikes)
    silent_strokes = next(count for rate, count in rates if rate)
    assert 2 <= silent_strokes <= 5
    paces = [data.instantaneous_pace_s_per_500m for _, data in listener.decoded]
    assert {pace for pace in paces if pace and 69 <= pace <= 75}
    assert None in paces  # 0xFFFF before the first stroke


def test_a_joroto_begins_so_after_each_stop():
    listener, _ = rowed("joroto", WITH_A_STOP, 100)
    fast = [at_s for at_s, data in listener.decoded if (data.instantaneous_pace_s_per_500m or 999) < 80]
    began_s = listener.heard[0][0]
    assert any(at_s - began_s < 15 for at_s in fast)
    assert any(72 <= at_s - began_s < 85 for at_s in fast)


def test_the_same_seed_gives_the_same_nonsense():
    one, again, other = ([each[2] for each in rowed("joroto", STEADY, 60, seed=s)[0].heard] for s in (3, 3, 4))
    assert one == again != other


def test_a_whipr_sends_whole_strokes_a_minute_where_halves_are_due_and_every_other_power_is_0():
    listener, _ = rowed("whipr", STEADY, 50)
    last_two = [data for _, data in listener.decoded[-2:]]
    assert [data.stroke_rate_spm for data in last_two] == [pytest.approx(11, abs=1)] * 2  # he rows at 22
    assert sorted(data.instantaneous_power_w > 0 for data in last_two) == [False, True]


def test_a_fitshow_sends_ten_times_the_energy():
    honest, tenfold = (rowed(machine, STEADY, 60)[0].decoded[-1][1] for machine in ("standard", "fitshow"))
    assert tenfold.total_energy_kcal == 10 * honest.total_energy_kcal > 0
    assert tenfold.total_distance_m == honest.total_distance_m


# --- a WaterRower -----------------------------------------------------------------------------------------------------


def test_a_waterrower_fills_twenty_octets_and_its_minute_turns_too_early():
    listener, _ = rowed("waterrower", LONG, 100)
    assert {(payload[:2].hex(), len(payload)) for _, _, payload in listener.heard} == {("2c0b", 20)}
    elapsed = [data.elapsed_time_s for _, data in listener.decoded]
    turn = elapsed.index(119)
    assert (elapsed[turn - 1], next(each for each in elapsed[turn:] if each != 119)) == (58, 60)


def test_a_waterrower_tires_until_its_data_is_asked_for_again():
    async def main():
        counts, listener = [], Listener()
        async with virtual_radio(LONG, machine="waterrower") as radio, await client_of(radio) as client:
            for _ in range(2):
                await listener.listen(client, ftms.ROWER_DATA)
                await asyncio.sleep(119)
                counts.append(listener.count())
                await asyncio.sleep(61)
                counts.append(listener.count())
                await client.stop_notify(ROWER_DATA)
            return counts, client.is_connected

    (first, tired, second, tired_again), connected = in_virtual_time(main())
    assert connected
    assert tired - first <= 2
    assert second - tired == pytest.approx(238, abs=2)
    assert tired_again - second <= 2


def test_a_waterrower_ends_the_connection_when_it_is_controlled():
    async def main():
        async with virtual_radio(LONG, machine="waterrower") as radio, await client_of(radio) as client:
            await client.start_notify(CONTROL_POINT, lambda _, __: None)
            await client.write_gatt_char(CONTROL_POINT, REQUEST_CONTROL, response=True)
            await asyncio.sleep(0.5)
            return client.is_connected, radio.peripheral.commands

    assert in_virtual_time(main()) == (False, [REQUEST_CONTROL])


# --- machines that demand something -----------------------------------------------------------------------------------


def test_a_machine_that_must_be_started_says_nothing_before_and_must_be_in_each_connection():
    async def main():
        counts = []
        async with virtual_radio(LONG, machine="start-needed") as radio:
            for _ in range(2):
                listener = Listener()
                async with await client_of(radio) as client:
                    await listener.listen(client, ftms.ROWER_DATA)
                    await asyncio.sleep(10)
                    before = listener.count()
                    assert await commanded(client, REQUEST_CONTROL) == [b"\x80\x00\x01"]
                    await asyncio.sleep(10)
                    controlled = listener.count()
                    await client.write_gatt_char(CONTROL_POINT, START, response=True)
                    await asyncio.sleep(10)
                    counts.append((before, controlled, listener.count()))
            return counts, listener.decoded[0][1].elapsed_time_s

    counts, elapsed_s = in_virtual_time(main())
    assert [each[:2] for each in counts] == [(0, 0), (0, 0)]
    assert all(each[2] == pytest.approx(20, abs=1) for each in counts)
    assert elapsed_s == pytest.approx(28, abs=2)  # nobody rowed before the first start


def test_a_machine_that_wants_nothing_else_subscribed_falls_silent_for_that_connection():
    async def main():
        counts = []
        async with virtual_radio(LONG, machine="ftms-only") as radio:
            for besides in ((), (ftms.TRAINING_STATUS,), (ftms.CONTROL_POINT,), ()):
                listener = Listener()
                async with await client_of(radio) as client:
                    await listener.listen(client, ftms.ROWER_DATA)
                    await asyncio.sleep(1)
                    for each in besides:
                        await client.start_notify(full(each), lambda _, __: None)
                    await asyncio.sleep(9)
                counts.append(listener.count())
            return counts

    alone, with_status, with_control, alone_again = in_virtual_time(main())
    assert [alone, alone_again] == pytest.approx([20, 20], abs=1)
    assert max(with_status, with_control) <= 3


@pytest.mark.parametrize(("every_s", "stays"), [(2.0, True), (None, False)])
def test_a_machine_that_is_kept_alive_stays(every_s, stays):
    async def main():
        listener = Listener()
        async with virtual_radio(LONG, machine="keep-alive") as radio, await client_of(radio) as client:
            await listener.listen(client, ftms.ROWER_DATA)
            await commanded(client, REQUEST_CONTROL)
            for _ in range(20):
                await asyncio.sleep(every_s or 2.0)
                if every_s and client.is_connected:
                    await client.write_gatt_char(CONTROL_POINT, START, response=True)
            return client.is_connected, listener.count()

    connected, count = in_virtual_time(main())
    assert connected is stays
    assert count > 70 if stays else count == pytest.approx(6, abs=1)


# --- machines that go -------------------------------------------------------------------------------------------------


def test_a_disconnecting_machine_is_gone_for_its_seconds_and_has_counted_on():
    async def main():
        loop, gone, listener = asyncio.get_running_loop(), [], Listener()
        async with virtual_radio(LONG, machine="disconnecting") as radio:
            client = await client_of(radio, disconnected_callback=lambda _: gone.append(loop.time()))
            await client.connect()
            await listener.listen(client, ftms.ROWER_DATA)
            await asyncio.sleep(44)
            assert not client.is_connected
            assert await BleakScanner.discover(1, backend=radio.scanner_backend) == []
            await asyncio.sleep(3)
            async with await client_of(radio) as again:
                await listener.listen(again, ftms.ROWER_DATA)
                await asyncio.sleep(5)
            return gone[0] - radio.peripheral.started_s, listener.decoded

    gone_s, decoded = in_virtual_time(main())
    assert gone_s == pytest.approx(42, abs=0.1)  # 2 s before the first stroke
    gap = next(n for n in range(1, len(decoded)) if decoded[n][0] - decoded[n - 1][0] > 2)
    before, after = decoded[gap - 1], decoded[gap]
    assert after[1].elapsed_time_s - before[1].elapsed_time_s == pytest.approx(after[0] - before[0], abs=1)
    assert after[1].stroke_count > before[1].stroke_count


def test_a_machine_that_was_switched_off_is_gone_for_20_s_and_counts_from_0():
    async def main():
        listener = Listener()
        async with virtual_radio(LONG, machine="switched-off") as radio:
            async with await client_of(radio) as client:
                await listener.listen(client, ftms.ROWER_DATA)
                await asyncio.sleep(303)
                assert not client.is_connected
                assert await BleakScanner.discover(17, backend=radio.scanner_backend) == []
            async with await client_of(radio) as client:
                await listener.listen(client, ftms.ROWER_DATA)
                await asyncio.sleep(10)
        return [data for _, data in listener.decoded]

    decoded = in_virtual_time(main())
    at = next(n for n in range(1, len(decoded)) if decoded[n].elapsed_time_s < decoded[n - 1].elapsed_time_s)
    before, after = decoded[at - 1], decoded[at]
    assert before.elapsed_time_s == 299
    assert after.elapsed_time_s <= 1
    assert after.stroke_count <= 1
    assert (after.total_distance_m < 9, after.total_energy_kcal) == (True, 0)


def test_a_half_open_link_stands_and_says_and_answers_nothing():
    async def main():
        listener = Listener()
        async with virtual_radio(LONG, machine="half-open") as radio, await client_of(radio) as client:
            await listener.listen(client, ftms.ROWER_DATA)
            await asyncio.sleep(203)
            spoken = listener.count()
            with pytest.raises((TimeoutError, BleakError)):
                async with asyncio.timeout(10):
                    await client.read_gatt_char(FEATURE)
            await asyncio.sleep(5)
            assert (client.is_connected, listener.count()) == (True, spoken)
            await asyncio.sleep(35)
            return listener.count() - spoken, len(await client.read_gatt_char(FEATURE))

    assert in_virtual_time(main()) == (pytest.approx(22, abs=3), 8)


def test_a_half_open_machine_takes_a_new_connection_and_answers_nothing_there_either():
    async def main():
        machine = replace(STANDARD, absences=(Absence(10.0, 40.0, link_stands=True),))
        async with virtual_radio(LONG, machine=machine) as radio:
            async with await client_of(radio) as client:
                await client.start_notify(ROWER_DATA, lambda _, __: None)
                await asyncio.sleep(15)
            with pytest.raises((TimeoutError, BleakError)):
                await (await client_of(radio, timeout=5)).connect()
            await asyncio.sleep(35)
            async with await client_of(radio) as client:
                return client.is_connected

    assert in_virtual_time(main())


def test_a_machine_that_comes_and_goes_at_random_is_always_found_again_and_leaves_nothing_behind(caplog):
    luck = random.Random(8)
    absences, at_s = [], 0.0
    while at_s < 100:
        at_s += luck.uniform(0.1, 6)
        off, link_stands = luck.random() < 0.3, luck.random() < 0.3
        absences.append(Absence(at_s, luck.uniform(0.01, 3), off=off, link_stands=link_stands))
        at_s += absences[-1].for_s

    async def meet(radio):
        async with await client_of(radio, timeout=5) as client:
            await client.start_notify(ROWER_DATA, lambda _, __: None)
            await asyncio.sleep(luck.uniform(0, 4))

    async def main():
        loop, ends = asyncio.get_running_loop(), []
        async with virtual_radio(LONG, machine=replace(STANDARD, absences=tuple(absences))) as radio:
            while loop.time() < 110:
                began_s = loop.time()
                (end,) = await asyncio.gather(meet(radio), return_exceptions=True)
                ends.append((end, loop.time() - began_s))
        return ends, asyncio.all_tasks() - {asyncio.current_task()}

    ends, left = in_virtual_time(main())
    assert all(end is None or isinstance(end, (BleakError, TimeoutError)) for end, _ in ends)
    assert max(took_s for _, took_s in ends) < 15
    assert sum(isinstance(end, (BleakError, TimeoutError)) for end, _ in ends) > 2
    assert (ends[-1][0], left) == (None, set())
    assert [record.getMessage() for record in caplog.records] == []


# --- a PM5's own services ---------------------------------------------------------------------------------------------


def native(heard):
    """What was heard of a PM5: (time [s], `Concept2Data`)."""
    return [(at_s, concept2.decode_concept2(each, payload)) for at_s, each, payload in heard]


def of(decoded, characteristic):
    return [(at_s, data.values) for at_s, data in decoded if data.characteristic == characteristic]


def test_a_pm5_without_ftms_has_its_own_services_only_and_says_who_it_is():
    async def main():
        async with virtual_radio(STEADY, machine="pm5-native") as radio, await client_of(radio) as client:
            services = {service.uuid for service in client.services}
            octets = {each: bytes(await client.read_gatt_char(full(each))) for each in concept2.INFORMATION}
            return services, concept2.decode_information(octets)

    services, information = in_virtual_time(main())
    own = (concept2.INFORMATION_SERVICE, concept2.CONTROL_SERVICE, concept2.ROWING_SERVICE)
    assert {full(each) for each in own} <= services
    assert uuid(ftms.FITNESS_MACHINE) not in services
    assert (information.model, information.maker, information.erg_machine_type) == ("PM5", "Concept2", 0)


@pytest.mark.parametrize(
    ("machine", "carriers"), [("pm5-native", concept2.SUBSCRIBED), ("pm5-native-mux", (concept2.MULTIPLEXED,))]
)
def test_a_pm5_tells_the_truth_in_its_own_words(machine, carriers):
    listener, truth = rowed(machine, STEADY, 70, *carriers)
    decoded = native(listener.heard)
    assert {data.missing for _, data in decoded} == {()}
    assert {data.extra for _, data in decoded} == {b""}
    assert {data.characteristic for _, data in decoded} == set(concept2.LAYOUTS)
    assert max(len(payload) for _, _, payload in listener.heard) <= 20
    status, power = of(decoded, "ce060031"), of(decoded, "ce060036")
    assert [at_s - status[0][0] for at_s, _ in status] == pytest.approx([n / 2 for n in range(len(status))])
    assert max(values["stroke_count"] for _, values in power) == len(truth.strokes)
    summary = of(decoded, "ce060039")
    assert len(summary) == len(of(decoded, "ce06003a")) == 1
    rowed_s = truth.strokes[-1].end_s - truth.strokes[0].start_s
    assert summary[0][1]["elapsed_s"] == pytest.approx(rowed_s, abs=0.02)
    assert summary[0][1]["distance_m"] == pytest.approx(sum(each.distance_m for each in truth.strokes), abs=0.1)


def test_a_pm5_tells_of_each_stroke_twice_with_the_same_count():
    listener, truth = rowed("pm5-native", STEADY, 70, "ce060035")
    counts = [values["stroke_count"] for _, values in of(native(listener.heard), "ce060035")]
    assert counts == [n for n in range(1, len(truth.strokes) + 1) for _ in range(2)]


def test_a_pm5_says_how_long_and_how_hard_the_handle_was_pulled():
    listener, truth = rowed("pm5-native", STEADY, 60, "ce060035")
    last, stroke = of(native(listener.heard), "ce060035")[-1][1], truth.strokes[-1]
    assert last["drive_time_s"] == pytest.approx(0.9, abs=0.1)
    assert last["drive_time_s"] + last["recovery_time_s"] == pytest.approx(stroke.end_s - stroke.start_s, abs=0.02)
    assert last["work_per_stroke_j"] == pytest.approx(stroke.power_w * (stroke.end_s - stroke.start_s), rel=0.01)
    assert last["peak_force_n"] > last["average_force_n"] > 200


def test_a_pm5_begins_to_count_again_with_each_interval_and_closes_each_with_a_split():
    listener, truth = rowed("pm5-native", TWO_PIECES, 140, "ce060031", "ce060035", "ce060037")
    decoded = native(listener.heard)
    elapsed = [values["elapsed_s"] for _, values in of(decoded, "ce060031")]
    falls = [n for n in range(1, len(elapsed)) if elapsed[n] < elapsed[n - 1]]
    assert len(falls) == 1
    assert elapsed[falls[0]] < 0.6
    strokes = [sum(each.effort is effort for each in truth.strokes) for effort in (Effort.HARD, Effort.EASY)]
    counts = [values["stroke_count"] for _, values in of(decoded, "ce060035")]
    assert counts == [n for rowed in strokes for n in range(1, rowed + 1) for _ in range(2)]
    splits = [values for _, values in of(decoded, "ce060037")]
    assert [split["split_number"] for split in splits] == [1, 2]
    assert sum(split["split_time_s"] for split in splits) == pytest.approx(
        truth.strokes[-1].end_s - truth.strokes[0].start_s, abs=0.2
    )


def test_a_pm5s_clock_stops_in_a_planned_rest_and_it_says_that_nobody_rows():
    listener, _ = rowed("pm5-native", WITH_A_STOP, 115, "ce060031", "ce060032")
    decoded = native(listener.heard)
    began_s = decoded[0][0]
    resting = [values for at_s, values in of(decoded, "ce060031") if 45 < at_s - began_s < 68]
    assert len({values["elapsed_s"] for values in resting}) == 1
    assert {(values["rowing_state"], values["interval_type"]) for values in resting} == {(0, 2)}
    frozen = {values["pace_s_per_500m"] for at_s, values in of(decoded, "ce060032") if 45 < at_s - began_s < 68}
    assert len(frozen) == 1
    assert frozen.pop() > 90
    assert of(decoded, "ce060031")[-20][1]["elapsed_s"] < 45


def test_a_pm5_is_as_quick_as_its_sample_rate_says():
    async def main():
        listener, counts = Listener(), []
        async with virtual_radio(LONG, machine="pm5-native") as radio, await client_of(radio) as client:
            await listener.listen(client, "ce060031")
            for rate in (b"\x00", b"\x02", b"\x03", b"\x63"):
                await client.write_gatt_char(full(concept2.SAMPLE_RATE), rate, response=True)
                before = listener.count()
                await asyncio.sleep(20)
                counts.append(listener.count() - before)
            return counts

    assert in_virtual_time(main()) == [pytest.approx(each, abs=5) for each in (20, 80, 200, 200)]
