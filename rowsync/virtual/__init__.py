"""A rowing machine and a person on it, in the air of a virtual radio: `rowsync demo`, and the tests' radio.

bleak's own scanner and client find it, connect and subscribe; only Bluetooth's hardware isn't there.  Bumble, which
plays that, is an extra: nothing is imported before `virtual_radio` is entered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rowsync.errors import RadioUnavailable, UsageError
from rowsync.plan import Plan

if TYPE_CHECKING:
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner

    from rowsync.virtual.machine import MachineModel
    from rowsync.virtual.peripheral import Peripheral
    from rowsync.virtual.rower import Person, VirtualRower


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class VirtualRadio:
    """A virtual radio with one machine in its air.

    Attributes:
        scanner_backend: for `BleakScanner(backend=...)`.
        client_backend: for `BleakClient(..., backend=...)`.
        rower: who rows; `rower.truth` is what really happened.
        machine_name: what the machine advertises.
        peripheral: the machine; it can `drop()` the link.
    """

    scanner_backend: type[BaseBleakScanner]
    client_backend: type[BaseBleakClient]
    rower: VirtualRower
    machine_name: str
    peripheral: Peripheral


@asynccontextmanager
async def virtual_radio(
    plan: Plan,
    *,
    machine: str | MachineModel = "standard",
    seed: int = 1,
    name: str = "Virtual Rower",
    person: str | Person = "trained",
    mtu: int = 23,
) -> AsyncIterator[VirtualRadio]:
    """A radio in whose air somebody rows `plan`, as soon as a client has subscribed.

    Args:
        plan: what is rowed.
        machine: on what: a name in `machine.MACHINES`, or a personality of your own.
        seed: the same seed, the same session to the byte.
        name: what the machine advertises; 15 octets at most.
        person: by whom: a name in `rower.PEOPLE`, or a person of your own.
        mtu: the largest ATT packet the machine agrees to; at 23, 20 octets fit into a notification [octets].

    Raises:
        RadioUnavailable: Bumble isn't installed.
        UsageError: no such machine or person, a name too long, or a plan that can't be rowed.
    """
    try:
        import bumble  # noqa: F401 - its absence is told apart from faults of ours
    except ImportError as error:
        raise RadioUnavailable("The virtual rower needs Bumble: pip install 'rowsync[demo]'") from error
    from rowsync.virtual.central import Adapter, AirLink
    from rowsync.virtual.machine import MACHINES, Console
    from rowsync.virtual.peripheral import Peripheral
    from rowsync.virtual.rower import PEOPLE, VirtualRower

    model = _row_of(MACHINES, machine, "machine") if isinstance(machine, str) else machine
    who = _row_of(PEOPLE, person, "person") if isinstance(person, str) else person
    rower = VirtualRower(plan, person=who, seed=seed)
    link = AirLink()
    async with AsyncExitStack() as switched_on:
        machine_on = Peripheral(link, rower, Console(model), name=name, mtu=mtu)
        peripheral = await switched_on.enter_async_context(machine_on)
        adapter = await switched_on.enter_async_context(Adapter(link))
        yield VirtualRadio(adapter.scanner_backend, adapter.client_backend, rower, name, peripheral)


def _row_of(table: Mapping[str, _T], name: str, what: str) -> _T:
    if name not in table:
        raise UsageError(f"There is no virtual {what} {name!r}; there are: {', '.join(table)}.")
    return table[name]
