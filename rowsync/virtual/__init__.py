"""A rowing machine and a person on it, in the air of a virtual radio: `rowsync demo`, and the tests' radio.

Others may be in the same air: a heart-rate strap, a second rower, a bike, a stranger.

bleak's own scanner and client find it, connect and subscribe; only Bluetooth's hardware isn't there.  Bumble, which
plays that, is an extra: nothing is imported before `virtual_radio` is entered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rowsync.errors import RadioUnavailable, UsageError
from rowsync.plan import Plan

if TYPE_CHECKING:
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner
    from bumble.link import LocalLink

    from rowsync.virtual.model import Absence, MachineModel
    from rowsync.virtual.peripheral import Peripheral
    from rowsync.virtual.rower import Person, VirtualRower
    from rowsync.virtual.strap import VirtualStrap


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another machine in the same air, with somebody of its own on it.

    Attributes:
        machine: a name in `machine.MACHINES` or `machine.NEIGHBOURS`, or a personality of your own.
        name: what it advertises; None for what such a machine usually does.
        plan: what is rowed on it; None for the same.
        person: by whom; None for who usually sits on such a machine.
        seed: of the person and the machine.
    """

    machine: str | MachineModel = "standard"
    name: str | None = None
    plan: Plan | None = None
    person: str | Person | None = None
    seed: int = 2


@dataclass(frozen=True, slots=True)
class VirtualRadio:
    """A virtual radio with one machine in its air, or more.

    Attributes:
        scanner_backend: for `BleakScanner(backend=...)`.
        client_backend: for `BleakClient(..., backend=...)`.
        rower: who rows; `rower.truth` is what really happened.
        machine_name: what the machine advertises.
        peripheral: the machine; it can `drop()` the link.
        strap: the heart-rate strap on the rower's chest; None without one.
        others: the other machines, in the order of asking.
    """

    scanner_backend: type[BaseBleakScanner]
    client_backend: type[BaseBleakClient]
    rower: VirtualRower
    machine_name: str
    peripheral: Peripheral
    strap: VirtualStrap | None = None
    others: tuple[Peripheral, ...] = ()


@asynccontextmanager
async def virtual_radio(
    plan: Plan,
    *,
    machine: str | MachineModel = "standard",
    seed: int = 1,
    name: str | None = None,
    person: str | Person | None = None,
    mtu: int = 23,
    strap: bool = False,
    strap_absences: Sequence[Absence] = (),
    others: Sequence[Neighbour] = (),
) -> AsyncIterator[VirtualRadio]:
    """A radio in whose air somebody rows `plan`, as soon as a client has done what the machine demands.

    Args:
        plan: what is rowed.
        machine: on what: a name in `machine.MACHINES`, or a personality of your own.
        seed: the same seed, the same session to the byte.
        name: what the machine advertises; None for what such a machine usually does.
        person: by whom: a name in `rower.PEOPLE`, or a person of your own; None for who usually sits on such a machine.
        mtu: the largest ATT packet the machine agrees to; at 23, 20 octets fit into a notification [octets].
        strap: whether the person wears a heart-rate strap.
        strap_absences: when the strap can't be reached; since it was switched on [s].
        others: what else is in the air.

    Raises:
        RadioUnavailable: Bumble isn't installed.
        UsageError: no such machine or person, a name too long, or a plan that can't be rowed.
    """
    try:
        import bumble  # noqa: F401 - its absence is told apart from faults of ours
    except ImportError as error:
        raise RadioUnavailable("The virtual rower needs Bumble: pip install 'rowsync[demo]'") from error
    from rowsync.virtual.central import Adapter, AirLink
    from rowsync.virtual.machine import MACHINES, NEIGHBOURS
    from rowsync.virtual.strap import VirtualStrap

    link = AirLink()
    rowed = Neighbour(machine, name, plan, person, seed)
    async with AsyncExitStack() as switched_on:
        peripheral = await switched_on.enter_async_context(_machine(link, rowed, MACHINES, plan, 1, mtu))
        neighbours = [
            await switched_on.enter_async_context(_machine(link, other, {**MACHINES, **NEIGHBOURS}, plan, number, mtu))
            for number, other in enumerate(others, start=2)
        ]
        worn = VirtualStrap(link, peripheral.state_now, absences=strap_absences, seed=seed) if strap else None
        if worn is not None:
            await switched_on.enter_async_context(worn)
        adapter = await switched_on.enter_async_context(Adapter(link))
        yield VirtualRadio(
            adapter.scanner_backend,
            adapter.client_backend,
            peripheral.rower,
            peripheral.name,
            peripheral,
            worn,
            tuple(neighbours),
        )


def _machine(
    link: LocalLink, what: Neighbour, machines: Mapping[str, MachineModel], plan: Plan, number: int, mtu: int
) -> Peripheral:
    from rowsync.virtual.console import Console
    from rowsync.virtual.peripheral import Peripheral
    from rowsync.virtual.rower import PEOPLE, VirtualRower

    model = _row_of(machines, what.machine, "machine") if isinstance(what.machine, str) else what.machine
    person = model.person if what.person is None else what.person
    who = _row_of(PEOPLE, person, "person") if isinstance(person, str) else person
    rower = VirtualRower(what.plan or plan, person=who, seed=what.seed)
    address = f"F0:0D:00:00:00:{number:02X}"
    return Peripheral(link, rower, Console(model, what.seed), name=what.name, mtu=mtu, address=address)


def _row_of(table: Mapping[str, _T], name: str, what: str) -> _T:
    if name not in table:
        raise UsageError(f"There is no virtual {what} {name!r}; there are: {', '.join(table)}.")
    return table[name]
