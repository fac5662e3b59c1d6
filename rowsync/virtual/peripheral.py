"""The virtual rower's Bluetooth side: a rowing machine on Bumble's virtual radio.

It advertises, answers GATT requests, and sends what a `Console` says of a `VirtualRower`, by the event loop's clock.
The person sits down when the machine first has somebody to speak to, and rows on whether or not anybody still listens.
"""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Mapping
from enum import IntEnum

from bumble.att import ATT_Error
from bumble.device import Connection
from bumble.link import LocalLink

from rowsync import concept2, ftms
from rowsync.virtual.console import Console, Due
from rowsync.virtual.device import SMALLEST_MTU, AirDevice
from rowsync.virtual.model import Absence, GattCharacteristic, GattService, MachineModel
from rowsync.virtual.rower import RowerState, VirtualRower

PERIPHERAL_ADDRESS = "F0:0D:00:00:00:01"

CCCD_IMPROPERLY_CONFIGURED = 0xFD
"""ATT error (Core Specification Supplement, Part B)."""


class OpCode(IntEnum):
    """Control Point procedures (FTMS v1.0, 4.16)."""

    REQUEST_CONTROL = 0x00
    RESET = 0x01
    START = 0x07
    STOP = 0x08
    RESPONSE = 0x80


class Result(IntEnum):
    """Control Point results (FTMS v1.0, 4.16)."""

    SUCCESS = 1
    NOT_SUPPORTED = 2
    NOT_PERMITTED = 5


STATUS_AFTER: Mapping[int, bytes] = {
    OpCode.REQUEST_CONTROL: b"",
    OpCode.RESET: b"\x01",
    OpCode.START: b"\x04",
    OpCode.STOP: b"\x02",
}
"""The procedures there are, and the Machine Status (0x2ADA) that tells of each; a stop's own parameter follows."""


class TrainingStatus(IntEnum):
    """Training Status (0x2AD3); like every rower known, it doesn't tell hard from easy (FTMS v1.0, 4.10)."""

    IDLE = 0x01
    QUICK_START = 0x0D
    POST_WORKOUT = 0x0F


def services_of(model: MachineModel) -> tuple[GattService, ...]:
    """All that a client finds on a machine: Fitness Machine, if any of its data belongs there, and the rest."""
    elsewhere = {each.uuid for service in model.services for each in service.characteristics}
    data = dict.fromkeys(frame.carrier for frame in model.frames if frame.carrier not in elsewhere)
    rows = {
        GattCharacteristic(ftms.FITNESS_MACHINE_FEATURE, value=struct.pack("<II", model.features or 0, 0)): (
            model.features is not None
        ),
        **{GattCharacteristic(uuid, "NOTIFY"): True for uuid in data},
        GattCharacteristic(ftms.TRAINING_STATUS, "READ,NOTIFY", bytes([0, TrainingStatus.IDLE])): model.control_point,
        **{GattCharacteristic(uuid, value=value): True for uuid, value in model.ranges.items()},
        GattCharacteristic(ftms.CONTROL_POINT, "WRITE,INDICATE"): model.control_point,
        GattCharacteristic(ftms.MACHINE_STATUS, "NOTIFY"): model.control_point,
    }
    fitness_machine = GattService(ftms.FITNESS_MACHINE, tuple(row for row, is_there in rows.items() if is_there))
    return (fitness_machine, *model.services) if data else model.services


class Peripheral(AirDevice):
    """A rowing machine in the air; `async with` switches it on and off.

    Args:
        link: the air.
        rower: who rows.
        console: the machine's monitor.
        name: what it advertises; None for what its model usually does.
        mtu: the largest ATT packet it agrees to [octets].
        address: its static random address.

    Attributes:
        rower: the same.
        console: the same.
        started_s: the loop's time when the rower's clock was at 0; None before the machine has spoken to anybody [s].
        finished: set when the programme is over.
        notifications: every notification of its data that went out to a subscriber, in order.
        commands: every Control Point request, in order.

    Raises:
        UsageError: the name is too long for an advertisement.
    """

    def __init__(
        self,
        link: LocalLink,
        rower: VirtualRower,
        console: Console,
        *,
        name: str | None = None,
        mtu: int = SMALLEST_MTU,
        address: str = PERIPHERAL_ADDRESS,
    ) -> None:
        model = console.model
        super().__init__(
            link,
            name=model.name if name is None else name,
            address=address,
            advert=model.advert,
            services=services_of(model),
            mtu=mtu,
        )
        self.rower = rower
        self.console = console
        self.started_s: float | None = None
        self.finished = asyncio.Event()
        self.notifications: list[Due] = []
        self.commands: list[bytes] = []
        self._data = {frame.carrier for frame in model.frames}
        self._manners = model.manners
        self._speaks = asyncio.Event()
        self._distracted: set[Connection] = set()
        self._controlled_by: Connection | None = None
        self._started_by: Connection | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._training_status = bytes([0, TrainingStatus.IDLE])
        self._rowing: asyncio.Task[None] | None = None
        self._absences: asyncio.Task[None] | None = None

    @property
    def sent(self) -> list[bytes]:
        """The payloads of `notifications`."""
        return [payload for _, payload in self.notifications]

    async def __aenter__(self) -> Peripheral:
        await super().__aenter__()
        self._rowing = self._spawn(self._row())
        return self

    async def __aexit__(self, *exit_of: object) -> None:
        """Switch off."""
        for work in (self._rowing, self._absences):
            if work is not None:
                work.cancel()
        self._bear_with(None)
        await super().__aexit__(*exit_of)

    # --- rowing -----------------------------------------------------------------------------------------------------

    async def _row(self) -> None:
        await self._speaks.wait()
        loop = asyncio.get_running_loop()
        self.started_s = loop.time()
        first_stroke_s = self.started_s + self.rower.ready_s
        self._absences = self._spawn(self.be_absent(self.console.model.absences, first_stroke_s, self._on_return))
        while True:
            state = self.state_now()
            for due in self.console.due(state):
                await self._tell(due)
            await self._tell_training_status(state)
            await asyncio.sleep(self.started_s + self._next_due_s - loop.time())

    def state_now(self) -> RowerState:
        """How the rower is at this moment."""
        if self.started_s is None:
            return self.rower.state
        return self.rower.advance(asyncio.get_running_loop().time() - self.started_s)

    @property
    def _next_due_s(self) -> float:
        follows = self.console.follows_strokes
        return min(self.console.next_due_s, self.rower.next_change_s if follows else math.inf)

    def _on_return(self, absence: Absence) -> None:
        if absence.off:
            self.state_now()
            self.console.reset()

    async def _tell(self, due: Due) -> None:
        for connection in self.subscribers(due.characteristic):
            if self._would_speak_to(connection, due.characteristic):
                self.notifications.append(due)
                await self.notify(connection, *due)

    async def _tell_training_status(self, state: RowerState) -> None:
        if state.done:
            self.finished.set()
        value = bytes([0, _training_status(state)])
        if value != self._training_status and ftms.TRAINING_STATUS in self._characteristics:
            self._training_status = self._characteristics[ftms.TRAINING_STATUS].value = value
            for connection in self.subscribers(ftms.TRAINING_STATUS):
                await self.notify(connection, ftms.TRAINING_STATUS, value)

    # --- what it demands --------------------------------------------------------------------------------------------

    def _would_speak_to(self, connection: Connection, uuid: str) -> bool:
        asked_s = self._subscriptions.get((connection, uuid), -math.inf)
        return (
            (self._started_by is connection or not self._manners.needs_start)
            and connection not in self._distracted
            and asyncio.get_running_loop().time() - asked_s < self._manners.tires_after_s
        )

    def on_subscription(self, connection: Connection, uuid: str) -> None:
        """Begin to speak, if all that the machine demands is done."""
        if uuid not in self._data and self._manners.only_data:
            self._distracted.add(connection)
        if uuid in self._data:
            self._bear_with(connection)
        self._begin_if_it_speaks()

    def _begin_if_it_speaks(self) -> None:
        if any(
            uuid in self._data and self._would_speak_to(connection, uuid) for connection, uuid in self._subscriptions
        ):
            self._speaks.set()

    def on_disconnection(self, connection: Connection) -> None:
        """Forget what a client has got."""
        self._distracted.discard(connection)
        self._bear_with(None)
        if self._controlled_by is connection:
            self._controlled_by = None
        if self._started_by is connection:
            self._started_by = None

    def _bear_with(self, connection: Connection | None) -> None:
        """Wait for the next sign of life anew; for none without a client."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if connection is not None and self._manners.keep_alive_s < math.inf:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(self._manners.keep_alive_s, lambda: self._spawn(self.drop()))

    # --- control ----------------------------------------------------------------------------------------------------

    def on_write(self, connection: Connection, uuid: str, value: bytes) -> None:
        """Take a Control Point request, or a sample rate of Concept2's."""
        if uuid == ftms.CONTROL_POINT:
            self._on_command(connection, value)
        elif uuid == concept2.SAMPLE_RATE and value and value[0] in concept2.SAMPLE_RATES:
            self.console.retime(concept2.SAMPLE_RATES[value[0]])

    def _on_command(self, connection: Connection, request: bytes) -> None:
        """Take a Control Point request; the answer follows as an indication (FTMS v1.0, 4.16)."""
        self.commands.append(request)
        if self._manners.drops_when_controlled:
            self._spawn(self.drop())
            return
        if (connection, ftms.CONTROL_POINT) not in self._subscriptions:
            raise ATT_Error(CCCD_IMPROPERLY_CONFIGURED)
        result = self._result_of(connection, request)
        if result is Result.SUCCESS and request[0] == OpCode.START:
            self._started_by = connection
            self._bear_with(connection)
            self._begin_if_it_speaks()
        answer = self._spawn(self._answer(connection, request, result))
        connection.once(Connection.EVENT_DISCONNECTION, lambda _reason: answer.cancel())

    def _result_of(self, connection: Connection, request: bytes) -> Result:
        if request[:1] not in {bytes([code]) for code in STATUS_AFTER}:
            return Result.NOT_SUPPORTED
        if request[0] == OpCode.REQUEST_CONTROL and self._controlled_by is None:
            self._controlled_by = connection
        return Result.SUCCESS if self._controlled_by is connection else Result.NOT_PERMITTED

    async def _answer(self, connection: Connection, request: bytes, result: Result) -> None:
        response = bytes([OpCode.RESPONSE, *request[:1], result])
        await self.indicate(connection, ftms.CONTROL_POINT, response)
        if result is Result.SUCCESS and STATUS_AFTER[request[0]]:
            for each in self.subscribers(ftms.MACHINE_STATUS):
                await self.notify(each, ftms.MACHINE_STATUS, STATUS_AFTER[request[0]] + request[1:])


def _training_status(state: RowerState) -> TrainingStatus:
    if state.done:
        return TrainingStatus.POST_WORKOUT
    return TrainingStatus.IDLE if state.effort is None else TrainingStatus.QUICK_START
