"""Discovery: which of the machines that advertise is the one that is meant.

A name is no proof: anybody may advertise it.  A rower is trusted by its address, once a person has rowed on it; a
stranger under a known name is asked about.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass

from rowsync import ble
from rowsync.ble import FoundDevice, Radio
from rowsync.errors import MachineNotFound, UsageError
from rowsync.waiting import end, until
from rowsync.wording import outside_text

SCAN_S = 10.0
SETTLE_S = 1.0
"""How long to listen on once something fitting was heard, in case there is another like it [s]."""


@dataclass(frozen=True, slots=True)
class Known:
    """A machine that was rowed on before, by its name and address."""

    name: str
    address: str


Ask = Callable[[str], bool]
"""Asks the person a question and answers whether they said yes."""


async def scan(radio: Radio, seconds: float = SCAN_S) -> list[FoundDevice]:
    """Every rower nearby, and every fitness machine that may be one, the nearest first.

    Raises:
        RadioUnavailable: Bluetooth is off, absent or not permitted.
    """
    found = {each.address: each async for each in _for(seconds, radio)}
    return _nearest_first(each for each in found.values() if each.may_row)


async def rowers(radio: Radio, seconds: float) -> AsyncGenerator[FoundDevice]:
    """Every rower nearby, and every fitness machine that may be one, each time it is heard [s].

    Raises:
        RadioUnavailable: Bluetooth is off, absent or not permitted.
        MachineError: the system refuses to scan, for now.
    """
    async with aclosing(_for(seconds, radio)) as heard:
        async for found in heard:
            if found.may_row:
                yield found


async def find(
    radio: Radio, wanted: str | None = None, known: Known | None = None, ask: Ask | None = None, seconds: float = SCAN_S
) -> FoundDevice:
    """The rower that is meant.

    Args:
        radio: which Bluetooth stack.
        wanted: its name or address, whatever it says of itself; None for the known one, else the nearest.
        known: the rower of the last session; it is taken at once.
        ask: asks whether a stranger is to be trusted; None answers no.
        seconds: how long to look [s].

    Raises:
        MachineNotFound: none answered.
        UsageError: several are called so, or the person doesn't trust the one that answers.
        RadioUnavailable: Bluetooth is off, absent or not permitted.
    """
    fits = _fits(wanted)
    meant = known if known and (wanted is None or wanted.casefold() == known.name.casefold()) else None
    address = meant.address if meant else wanted
    candidates = await _candidates(radio, fits, address, KNOWN_S if meant else SETTLE_S, seconds)
    if not candidates:
        candidates = [each for each in await ble.held(radio) if fits(each) or each.address == address]
    if not candidates:
        whom = f"No rower called {outside_text(wanted)}" if wanted else "No rower"
        raise MachineNotFound(
            f"{whom} answered within {seconds:.0f} s. Wake the machine (pull the handle, or choose Connect in its "
            "menu), close other apps that hold it, and try again; `rowsync scan` lists what is near."
        )
    chosen = _chosen(candidates, wanted, known)
    if known is not None and _is_stranger(chosen, wanted, known) and not (ask and ask(_question(chosen, known))):
        raise UsageError(
            f"{chosen.label} at {chosen.address} is not the rower that you rowed on before. If it is the one you mean, "
            f"name it by its address: rowsync row --rower {chosen.address}"
        )
    return chosen


async def find_again(radio: Radio, device: FoundDevice, seconds: float) -> FoundDevice:
    """The same machine, by its address alone.

    Raises:
        MachineNotFound: it doesn't answer.
        RadioUnavailable: Bluetooth is off, absent or not permitted.
    """
    async with aclosing(_for(seconds, radio)) as heard:
        async for found in heard:
            if found.address == device.address:
                return found
    # A link that this computer holds already doesn't advertise.  BlueZ's own list is asked last: after its service has
    # died it goes on naming the dead.
    for each in await ble.held(radio):
        if each.address == device.address:
            return each
    raise MachineNotFound(f"{device.label} doesn't answer.")


async def find_strap(radio: Radio, wanted: str, seconds: float) -> FoundDevice:
    """A heart-rate strap by its name or address, or with "any" the nearest.

    Raises:
        MachineNotFound: none answers.
        RadioUnavailable: Bluetooth is off, absent or not permitted.
    """

    def fits(found: FoundDevice) -> bool:
        return found.is_strap if wanted == ANY else _is_called(found, wanted)

    candidates = await _candidates(radio, fits, None, SETTLE_S, seconds)
    if not candidates:
        raise MachineNotFound("No heart-rate strap answers.")
    return candidates[0]


ANY = "any"


def _fits(wanted: str | None) -> Callable[[FoundDevice], bool]:
    if wanted is None:
        return lambda found: found.may_row
    return lambda found: _is_called(found, wanted)


def _is_called(found: FoundDevice, wanted: str) -> bool:
    return wanted.casefold() in (found.name.casefold(), found.address.casefold())


async def _candidates(
    radio: Radio, fits: Callable[[FoundDevice], bool], address: str | None, settle_s: float, seconds: float
) -> list[FoundDevice]:
    """All that fit, the nearest first; the one at the address alone, as soon as it is heard.

    Once something fits, what else there is has `settle_s` to be heard [s].
    """
    found: dict[str, FoundDevice] = {}
    first = asyncio.Event()
    over = False

    async def listen() -> None:
        async with aclosing(ble.heard(radio)) as heard:
            async for each in heard:
                if over:
                    return
                if address is not None and each.address.casefold() == address.casefold():
                    found.clear()
                    found[each.address] = each
                    return
                if fits(each):
                    found[each.address] = each
                    first.set()

    listening = asyncio.ensure_future(listen())
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await until(first, listening)
        if found:
            await asyncio.wait({listening}, timeout=settle_s)
        if listening.done():
            listening.result()
    finally:
        over = True
        await end(listening)
    return _nearest_first(found.values())


KNOWN_S = 4.0
"""How long the known rower is waited for when another one is heard first [s]."""


async def _for(seconds: float, radio: Radio) -> AsyncGenerator[FoundDevice]:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), aclosing(ble.heard(radio)) as heard:
            async for found in heard:
                yield found


def _nearest_first(found: Iterable[FoundDevice]) -> list[FoundDevice]:
    """Certain rowers before perhaps, the nearer before the farther."""
    return sorted(found, key=lambda each: (not each.is_rower, -(each.signal_dbm or -999)))


def _chosen(candidates: list[FoundDevice], wanted: str | None, known: Known | None) -> FoundDevice:
    """The one of several that is meant: the known one, the only one of that name, or the nearest of any."""
    for each in candidates:
        if known and each.address == known.address:
            return each
    if wanted is not None and len(candidates) > 1:
        places = ", ".join(f"{each.address} ({each.signal_dbm} dBm)" for each in candidates)
        raise UsageError(
            f"{len(candidates)} machines are called {outside_text(wanted)}: {places}. Choose one by its address, "
            "the nearest has the least negative dBm."
        )
    return candidates[0]


def _is_stranger(chosen: FoundDevice, wanted: str | None, known: Known) -> bool:
    """Whether it stands in for the known rower and isn't it; who names another knows what they do."""
    if chosen.address == known.address:
        return False
    return wanted is None or wanted.casefold() == chosen.name.casefold() == known.name.casefold()


def _question(chosen: FoundDevice, known: Known) -> str:
    if chosen.name.casefold() == known.name.casefold():
        return f"{chosen.label} answers from an address you haven't rowed at before ({chosen.address}). Row on it?"
    return f"Your last rower ({outside_text(known.name)}) isn't here. Row on {chosen.label} ({chosen.address})?"
