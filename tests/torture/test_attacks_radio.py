"""Attacks 1, 2 and 3: whatever is in radio range, under any name, with any bytes."""

from __future__ import annotations

import gc
import tracemalloc
from functools import cache

import pytest

from rowsync import discovery, sluice
from rowsync.discovery import Known
from rowsync.errors import MachineNotFound, UsageError
from rowsync.ftms import decode_rower_data, read_by_table
from rowsync.sluice import Sluice
from tests.test_ble import ADDRESS, in_virtual_time
from tests.test_connection import listened, rows
from tests.torture.attacks import ATTACKS, strike
from tests.torture.planted import Violation, holds, versions

# --- 1: a rower that takes another's name -----------------------------------------------------------------------------

MINE = Known("Virtual Rower", "F0:0D:00:00:00:02")
"""The rower of the last session; what advertises its name now has another address."""


async def by_name(radio, known, ask):
    """As every peer does: who bears the name is the one."""
    return next(each for each in await discovery.scan(radio, 2.0) if each.name == known.name)


async def ours(radio, known, ask):
    return await discovery.find(radio, known=known, ask=ask)


@versions(ours, by_name)
def test_a_stranger_under_the_rowers_name_is_not_taken_without_a_word(defence, outcome):
    asked = []

    async def work(radio, virtual):
        try:
            return await defence(radio, MINE, lambda question: asked.append(question) and False)
        except UsageError:
            return None

    found = in_virtual_time(work)
    with outcome:
        holds(found is None, f"{found and found.address} was taken")
        holds(len(asked) == 1 and ADDRESS in asked[0], f"asked: {asked}")


async def again_by_name(radio, device, seconds):
    return next(each for each in await discovery.scan(radio, seconds) if each.name == device.name)


@versions(discovery.find_again, again_by_name)
def test_when_the_link_is_lost_a_stranger_under_its_name_does_not_get_the_row(defence, outcome):
    async def work(radio, virtual):
        (mine,) = await discovery.scan(radio, 2.0)
        lost = type(mine)(mine.name, MINE.address, None, True, mine.services, b"", mine.device)
        try:
            return await defence(radio, lost, 3.0)
        except MachineNotFound:
            return None

    found = in_virtual_time(work)
    with outcome:
        holds(found is None, f"the row went on at {found and found.address}")


# --- 2: bytes ---------------------------------------------------------------------------------------------------------


@cache
def remembered(flags):
    """A decoder for each flag word, as a naive cache keeps them."""
    return list(range(flags % 64, flags % 64 + 40))


def with_a_plan_for_each(payload):
    remembered(int.from_bytes(payload[:2], "little"))
    return read_by_table(payload)


@versions(decode_rower_data, with_a_plan_for_each)
def test_all_65536_flag_words_leave_less_than_a_mebibyte_behind(defence, outcome):
    defence(bytes(20))
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for flags in range(0, 1 << 16, 7):
        defence(flags.to_bytes(2, "little") + bytes(18))
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    for flags in range(1 << 16):  # a trace of all of them takes long
        defence(flags.to_bytes(2, "little") + bytes(18))
    with outcome:
        holds(grown < 1 << 20, f"{grown} octets grown")


class Open:
    """Lets everything through."""

    left_out = 0

    def passes(self, now_s):
        return True


@versions(Sluice, Open)
def test_a_flood_of_ten_minutes_is_capped_and_what_is_left_out_is_counted(defence, outcome):
    gate = defence()
    kept = sum(gate.passes(number / 1000) for number in range(600_000))
    with outcome:
        holds(kept <= sluice.AT_ONCE + 600 * sluice.MOST_PER_S, f"{kept} of 600,000 packets were kept")
        holds(kept + gate.left_out == 600_000, "some were neither kept nor counted")


def test_what_any_machine_sends_is_kept_whole_for_as_long_as_it_likes():
    gate = Sluice()
    assert all(gate.passes(number / 50) for number in range(50 * 3600))
    assert gate.left_out == 0


def test_a_row_goes_on_through_a_flood_and_says_how_much_was_left_out(monkeypatch):
    monkeypatch.setattr(sluice, "AT_ONCE", 5.0)
    monkeypatch.setattr(sluice, "MOST_PER_S", 1.0)
    monkeypatch.setattr(sluice, "TELL_EVERY_S", 3.0)
    items, virtual = listened(20)
    left_out = sum(item.details["left_out"] for item in items if getattr(item, "event", "") == "flood")
    packets = [item for item in items if not hasattr(item, "event")]
    assert 0 < len(rows(items)) <= len(packets) <= 5 + 21
    assert len(virtual.peripheral.sent) - 2 <= len(rows(items)) + left_out
    assert len([item for item in items if getattr(item, "event", "") == "flood"]) >= 3


# --- 2 and 3, with dice -----------------------------------------------------------------------------------------------

CASES = {"payloads": 25}


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_case_of_any_attack_succeeds(attack):
    for case in range(CASES.get(attack, 1500)):
        strike(attack, seed=1, case=case)


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_succeeds_on_what_is_weak(attack):
    def any_case():
        for case in range(200):
            strike(attack, seed=1, case=case, weak=True)

    with pytest.raises(Violation):
        any_case()
