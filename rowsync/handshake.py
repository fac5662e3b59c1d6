"""The handshake: what is asked of a machine once it is connected, step by step.

Every step is optional: a machine that lacks, refuses or garbles one still rows.  Each is logged in the recording.
Which steps a machine wants otherwise is a row of `machines.QUIRKS`.  The order is: read who it is, subscribe to what
speaks of the row, and only when that flows (or when nothing has come for a while) the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from rowsync import concept2, control, ftms, identity
from rowsync.ble import Link
from rowsync.errors import MachineError, NotARower
from rowsync.machines import Handling

Log = Callable[[str, str], None]
"""Notes a step and how it went."""

Ask = Callable[[bytes], Awaitable[control.Answer]]
"""Puts a request to the machine's control point and answers what it says."""


@dataclass(frozen=True, slots=True)
class Service:
    """One way in which machines speak of the row.

    Attributes:
        name: whose it is.
        needs: what a machine that speaks so has.
        rows: what is subscribed to; those of them that it has.
        besides: what else is worth a subscription once the row flows.
        control: where it is told to start; None where it needn't be.
        reads: what is read once.
    """

    name: str
    needs: str
    rows: tuple[str, ...]
    besides: tuple[str, ...] = ()
    control: str | None = None
    reads: tuple[str, ...] = ()


SERVICES = (
    Service(
        "Fitness Machine Service",
        needs=ftms.ROWER_DATA,
        rows=(ftms.ROWER_DATA,),
        besides=(ftms.TRAINING_STATUS, ftms.MACHINE_STATUS),
        control=ftms.CONTROL_POINT,
        reads=(ftms.FITNESS_MACHINE_FEATURE, ftms.RESISTANCE_RANGE, ftms.POWER_RANGE, ftms.TRAINING_STATUS),
    ),
    Service(
        "Concept2's own service",
        needs="ce060031",
        rows=concept2.SUBSCRIBED,
        reads=(*concept2.INFORMATION, concept2.SAMPLE_RATE),
    ),
    Service(
        "Concept2's own service, multiplexed",
        needs=concept2.MULTIPLEXED,
        rows=(concept2.MULTIPLEXED,),
        reads=tuple(concept2.INFORMATION),
    ),
)
"""In the order of preference: what every machine shares comes first."""

IDENTITY = (*identity.IDENTITY, identity.BATTERY_LEVEL)


def service_of(link: Link) -> Service:
    """How this machine speaks of the row.

    Raises:
        NotARower: in no way that rowsync knows.
    """
    for service in SERVICES:
        if link.can(service.needs, "notify", "indicate"):
            return service
    raise NotARower(
        "It is connected but sends neither Rower Data nor Concept2's own: it is not a rower that rowsync can read. "
        "Some machines speak only their maker's protocol."
    )


async def read_about(link: Link, service: Service, read: Callable[[str, bytes], None], log: Log) -> None:
    """Read what the machine says of itself; `read` is told of each value."""
    for characteristic in (*service.reads, *IDENTITY):
        if link.can(characteristic, "read"):
            try:
                read(characteristic, await link.read(characteristic))
            except MachineError as error:
                log(f"read {characteristic}", str(error))
            if link.lost.is_set():
                return


async def subscribe(link: Link, characteristics: Iterable[str], log: Log, *, required: bool) -> None:
    """Subscribe to those that the machine has.

    Raises:
        MachineError: the first of them is refused, and `required`.
    """
    for characteristic in characteristics:
        if link.can(characteristic, "notify", "indicate"):
            try:
                await link.subscribe(characteristic)
            except MachineError as error:
                log(f"subscribe {characteristic}", str(error))
                if required:
                    raise
            else:
                log(f"subscribe {characteristic}", "done")
            required = False


async def start(link: Link, service: Service, handling: Handling, ask: Ask, log: Log) -> None:
    """Ask for control and tell the machine to start, unless its control point mustn't be touched."""
    if service.control is None or not handling.may_be_controlled or not link.can(service.control, "write"):
        return
    for step, request in (("request control", control.request_control()), ("start", control.start_or_resume())):
        try:
            log(step, control.describe_answer(await ask(request)))
        except MachineError as error:
            log(step, str(error))
