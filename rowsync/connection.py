"""A rower that is kept: one stream of packets and notes, through every loss of the link.

What bleak says of a link is not believed: a link may stand while nothing comes, an adapter may vanish and a Bluetooth
service die without a word (measured on BlueZ 5.66, docs/connection.md).  So the age of the data decides.  Data that is
overdue is doubted; the machine is asked something, and if it doesn't answer the link is let go and made anew, with a
new client, as soon as the machine advertises again.  The session goes on in the same stream; a note says where nothing
came and why.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from rowsync import ble, concept2, control, discovery, ftms, handshake, identity
from rowsync.ble import FoundDevice, Link, Radio
from rowsync.errors import MachineError, MachineLost, RadioUnavailable
from rowsync.handshake import Service
from rowsync.heart_rate import HEART_RATE_MEASUREMENT
from rowsync.machines import Handling, handling_of
from rowsync.readers import ROW_READERS
from rowsync.sluice import Sluice
from rowsync.telemetry import CONNECTED, FLOOD, LOST, RESUMED, STOP, Item, Note, Notification
from rowsync.waiting import end, first_answer, happens, until
from rowsync.wording import outside_text

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection waits for what [s].

    Attributes:
        silence_s: data older than this is doubted; longer for a machine that speaks more seldom.
        answer_s: how long a doubted machine may take to answer.
        start_s: after so long without any data a machine is told to start.
        mute_s: a machine that spoke regularly, answers, and has said nothing for so long is connected anew, once.
        connect_s: how long connecting again may take before it is begun anew.
        scan_s: how long to look for a lost machine before looking anew.
        retry_s: the pauses between attempts to connect again; the last one goes on.
        strap_s: the pause between attempts to find a strap.
        lost_s: a machine that doesn't come back for so long is given up.
        strap_silent_s: a strap that has said nothing for so long is gone, whatever its link claims.
    """

    silence_s: float = 2.0
    answer_s: float = 0.8
    start_s: float = 3.0
    mute_s: float = 10.0
    connect_s: float = 6.0
    scan_s: float = 10.0
    retry_s: tuple[float, ...] = (0.1, 0.5, 1.0, 2.0)
    strap_s: float = 5.0
    lost_s: float = 300.0
    strap_silent_s: float = 10.0


SAYS_WHO = identity.IDENTITY | {
    each: name
    for each, name in concept2.INFORMATION.items()
    if name in ("maker", "model", "serial", "hardware", "firmware")
}
"""What is read of a machine's identity, and where it goes."""

FIRST_ATTEMPTS = 3
"""A link often breaks while it is made; who connects for the first time isn't told before the third time."""

RENEW_EVERY = 5
"""A silent machine that answers is asked for notifications anew at the first doubt, and then at every fifth."""


BURST_S = 0.05
"""Packets that follow each other faster are one burst [s]."""

CLOCK_S = 0.001
"""The session's time is told to a millisecond [s]."""

ASLEEP_S = 10.0
"""Woken so much later than it asked for, this computer slept, and heard nothing meanwhile [s]."""

TICK_S = 0.01
"""The watchdog looks no oftener: what is left of a wait after rounding may be less than the clock can tell [s]."""


@asynccontextmanager
async def connected(
    radio: Radio, rower: FoundDevice, *, strap: str | None = None, patience: Patience | None = None
) -> AsyncIterator[Connection]:
    """Connect to a rower, and keep it until the block ends.

    Args:
        radio: which Bluetooth stack.
        rower: to which machine.
        strap: a heart-rate strap to find, by name or address, or "any"; None for none.  It may come and go.
        patience: how long to wait for what.

    Raises:
        MachineNotFound: it does not take the connection.
        NotARower: it speaks in no way that rowsync knows.
        RadioUnavailable: Bluetooth is off, absent or not permitted.
    """
    connection = Connection(radio, rower, patience or Patience())
    tasks = [asyncio.ensure_future(connection._keep())]
    if strap is not None:
        tasks.append(asyncio.ensure_future(connection._keep_strap(strap)))
    try:
        await connection._first
        yield connection
    finally:
        await end(*tasks)


@dataclass(slots=True)
class _Rhythm:
    """How often a machine speaks, when it did last, and since when it could [s]."""

    last_s: float
    since_s: float
    intervals_s: deque[float] = field(default_factory=lambda: deque(maxlen=16))

    def beat(self, now_s: float) -> None:
        interval_s = now_s - self.last_s
        if BURST_S < interval_s < 10.0 and self.last_s > self.since_s:
            self.intervals_s.append(interval_s)
        self.last_s = now_s

    def age_s(self, now_s: float) -> float:
        """For how long it has said nothing though it could [s]."""
        return now_s - max(self.last_s, self.since_s)

    @property
    def usual_s(self) -> float | None:
        """The usual time between two bursts of packets; None until it has shown itself [s]."""
        return sorted(self.intervals_s)[len(self.intervals_s) // 2] if len(self.intervals_s) >= 6 else None


class Connection:
    """An async iterator of packets and notes, with times from the first packet that speaks of the row [s].

    What came before that (the handshake) has the time 0.  It ends when `stop` is called.

    Attributes:
        rower: the machine.
        machine: what is known of it: name, address, and what it says of itself.
        is_stopped: whether `stop` was called.
    """

    def __init__(self, radio: Radio, rower: FoundDevice, patience: Patience) -> None:
        self.rower = rower
        self.machine: dict[str, Any] = {"name": rower.name, "address": rower.address}
        self.is_stopped = False
        self._radio, self._patience = radio, patience
        self._handling: Handling = handling_of(rower.name)
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Item | MachineError | None] = asyncio.Queue()
        self._first: asyncio.Future[None] = self._loop.create_future()
        self._origin_s: float | None = None
        self._before_origin: list[Item] = []
        self._rhythm = _Rhythm(self._loop.time(), self._loop.time())
        self._came = asyncio.Event()
        self._streaming = asyncio.Event()
        self._link: Link | None = None
        self._controlled: Link | None = None
        self._service: Service | None = None
        self._answers: dict[int | None, asyncio.Future[control.Answer]] = {}
        self._is_mute = False
        self._is_gone = False
        self._strap_s = 0.0
        self._sluice = Sluice()

    # --- for whoever reads it ---------------------------------------------------------------------------------------

    def tell(self, event: str, **details: Any) -> None:
        """Put a note into the stream: somebody leads the row.  An end doesn't wait for the row's first packet."""
        if event == STOP:
            self._queue.put_nowait(Note(self.now_s, event, details))
        else:
            self._note(event, **details)

    def stop(self) -> None:
        """End the stream after what has arrived."""
        self.is_stopped = True
        if self._sluice.left_out:
            self._note(FLOOD, left_out=self._sluice.told())
        self._queue.put_nowait(None)

    def __aiter__(self) -> Connection:
        return self

    async def __anext__(self) -> Item:
        """The next packet or note.

        Raises:
            MachineLost: the machine went and did not come back.
        """
        entry = await self._queue.get()
        if isinstance(entry, (Notification, Note)):
            return entry
        self._queue.put_nowait(entry)  # whoever asks again is told again
        if entry is None:
            raise StopAsyncIteration
        raise entry

    async def moments(self, due_s: Callable[[], float]) -> AsyncIterator[Item | float]:
        """The packets and notes, and the session's time whenever nothing has come until it was due.

        Args:
            due_s: when the reader wants to be woken at the latest, in the session's time [s].

        Raises:
            MachineLost: the machine went and did not come back.
        """
        while True:
            now_s = self.now_s
            wait_s = max(due_s() - now_s, CLOCK_S)
            try:
                async with asyncio.timeout(wait_s):
                    item = await anext(self)
            except TimeoutError:
                if self.now_s > now_s + wait_s + ASLEEP_S:
                    self._is_gone = True
                    self._note(LOST, reason="this computer slept")
                elif self._origin_s is not None:
                    yield self.now_s
            except StopAsyncIteration:
                return
            else:
                yield item

    @property
    def now_s(self) -> float:
        """The session's time [s]."""
        return self._time_s(self._loop.time())

    async def ask(self, request: bytes, within_s: float = control.PROCEDURE_TIMEOUT_S) -> control.Answer:
        """Put a request to the machine's control point.

        Raises:
            MachineError: there is no control point, it may not be touched, or it doesn't answer.
        """
        link = self._link
        if link is None or self._service is None or self._service.control is None:
            raise MachineError("The machine can't be controlled: it has no control point, or isn't connected.")
        if not self._handling.may_be_controlled:
            raise MachineError("This machine's control point must not be written.")
        answer = self._answers[request[0]] = self._loop.create_future()
        try:
            if self._controlled is not link:
                await link.subscribe(self._service.control)
                self._controlled = link
            async with asyncio.timeout(within_s):
                await link.write(self._service.control, request)
                given: control.Answer = await answer
                return given
        except TimeoutError:
            raise MachineError("The machine doesn't answer.") from None
        finally:
            self._answers.pop(request[0], None)

    # --- what happens -----------------------------------------------------------------------------------------------

    def _arrived(self, characteristic: str, payload: bytes) -> None:
        now_s = self._loop.time()
        if characteristic in ROW_READERS:
            if self._origin_s is None:
                self._begin(now_s)
            if self._is_gone:
                self._is_gone = False
                self._note(RESUMED, after_s=round(now_s - self._rhythm.last_s, 3))
            self._rhythm.beat(now_s)
            self._came.set()
        elif characteristic == ftms.CONTROL_POINT:
            self._answered(control.decode_answer(payload))
        if self._sluice.passes(now_s):
            self._put(Notification(self._time_s(now_s), characteristic, payload))
        elif self._sluice.is_due(now_s):
            self._note(FLOOD, left_out=self._sluice.told())

    def _begin(self, now_s: float) -> None:
        """The first packet of the row: the session's time begins here."""
        self._origin_s = now_s
        for item in self._before_origin:
            self._queue.put_nowait(item)
        self._before_origin.clear()

    def _answered(self, answer: control.Answer) -> None:
        future = self._answers.get(answer.op_code)
        if future is not None and not future.done():
            future.set_result(answer)

    def _read(self, characteristic: str, payload: bytes) -> None:
        """Something was read: it is kept as what it is, a packet, and tells who the machine is."""
        if characteristic in SAYS_WHO:
            self.machine[SAYS_WHO[characteristic]] = outside_text(identity.decode_text(payload))
        self._arrived(characteristic, payload)

    def _note(self, event: str, **details: Any) -> None:
        self._put(Note(self.now_s, event, details))

    def _log(self, step: str, outcome: str) -> None:
        self._note("handshake", step=step, outcome=outcome)

    def _put(self, item: Item) -> None:
        if self._origin_s is None:
            self._before_origin.append(item)
        else:
            self._queue.put_nowait(item)

    def _time_s(self, now_s: float) -> float:
        return 0.0 if self._origin_s is None else round(now_s - self._origin_s, 3)

    # --- keeping the rower ------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Connect, again and again, until somebody stops or the machine is given up."""
        attempt, lost_at_s = 0, self._loop.time()
        device: FoundDevice | None = self.rower
        while True:
            try:
                device = device or await discovery.find_again(self._radio, self.rower, self._patience.scan_s)
                within_s = self._patience.connect_s if self._first.done() else ble.CONNECT_S
                async with ble.connect(device, self._radio, self._arrived, within_s) as link:
                    reason = await self._serve(link)
                    self._is_gone = True
                    if self._rhythm.last_s > self._rhythm.since_s:
                        self._note(LOST, reason=reason)
                        attempt, lost_at_s = 0, self._loop.time()
                    else:
                        raise MachineError(f"It took the connection and said nothing: {reason}.")
            except MachineError as error:
                if self._gives_up(error, attempt, lost_at_s):
                    return
                pauses_s = self._patience.retry_s
                await asyncio.sleep(pauses_s[min(attempt, len(pauses_s) - 1)])
                attempt += 1
            except Exception as error:  # our mistake: say so rather than fall silent
                self._fail(MachineError(f"The connection failed: {error!r}."))
                return
            device = None

    def _gives_up(self, error: MachineError, attempt: int, lost_at_s: float) -> bool:
        if not self._first.done():
            hopeless = isinstance(error, RadioUnavailable) or attempt + 1 >= FIRST_ATTEMPTS
            if hopeless:
                self._fail(error)
            return hopeless
        if self._loop.time() - lost_at_s < self._patience.lost_s:
            return False
        self._fail(MachineLost(f"{self.rower.label} did not come back for {self._patience.lost_s:.0f} s."))
        return True

    def _fail(self, error: MachineError) -> None:
        if self._first.done():
            self._queue.put_nowait(error)
        else:
            self._first.set_exception(error)

    async def _serve(self, link: Link) -> str:
        """Use one connection while it lasts; answer why it ended."""
        self._service = service = handshake.service_of(link)
        self._link = link
        self._rhythm.since_s = self._loop.time()
        self._came.clear()
        self._note(CONNECTED, service=service.name, address=self.rower.address)
        try:
            if not self._first.done():
                await handshake.read_about(link, service, self._read, self._log)
            await handshake.subscribe(link, service.rows, self._log, required=True)
            if not self._first.done():
                self._first.set_result(None)
            self._streaming.set()
            return await first_answer(self._watch(link, service), self._prompt(link, service))
        finally:
            self._streaming.clear()
            self._link = None

    async def _prompt(self, link: Link, service: Service) -> str | None:
        """Get a machine to speak that wants to be told to; then subscribe to what else it has.

        Answers why the link must go, None if it may stay.
        """
        handling = self._handling
        comes = handling.starts_itself and await happens(self._came, self._patience.start_s)
        if comes:
            self._is_mute = False
        else:
            await handshake.start(link, service, handling, self._ask_shortly, self._log)
        while handling.resume_every_s is not None:
            await asyncio.sleep(handling.resume_every_s)
            with suppress(MachineError):
                await self._ask_shortly(control.start_or_resume())
        return None if handling.only_rower_data else await self._subscribe_besides(link, service)

    async def _subscribe_besides(self, link: Link, service: Service) -> str | None:
        """Subscribe to the rest, once the machine speaks and its rhythm is known, and see whether it minds."""
        while self._rhythm.usual_s is None or self._rhythm.last_s < self._rhythm.since_s:
            self._came.clear()
            await self._came.wait()
        await handshake.subscribe(link, service.besides, self._log, required=False)
        self._came.clear()
        if await happens(self._came, self._overdue_s()):
            return None
        self._handling = replace(self._handling, only_rower_data=True)
        return "the machine fell silent when more than Rower Data was subscribed"

    async def _ask_shortly(self, request: bytes) -> control.Answer:
        return await self.ask(request, ble.ANSWER_S)

    # --- the watchdog -----------------------------------------------------------------------------------------------

    async def _watch(self, link: Link, service: Service) -> str:
        """Wait until the link is lost or the machine says nothing any more; answer why."""
        doubts = 0
        while not link.lost.is_set():
            age_s = self._rhythm.age_s(self._loop.time())
            doubts = doubts if age_s >= self._overdue_s() else 0
            due_s = self._overdue_s() * (doubts + 1)
            if age_s < due_s:
                await happens(link.lost, max(due_s - age_s, TICK_S))
                continue
            doubts += 1
            if reason := await self._doubted(link, service, doubts):
                return reason
        return "the link was lost"

    def _overdue_s(self) -> float:
        """How old data may be before it is doubted [s]."""
        return max(self._patience.silence_s, 1.5 * (self._rhythm.usual_s or 0.0))

    async def _doubted(self, link: Link, service: Service, doubts: int) -> str | None:
        """See what a silence means; answer why the link must go, None if it may stay."""
        last_s = self._rhythm.last_s
        if doubts == 1:
            self._note("silent")
        if not await self._answers_at_all(link, service):
            return "the machine answers nothing"
        if self._rhythm.last_s != last_s:
            return None
        silence_s = self._rhythm.age_s(self._loop.time())
        if self._rhythm.usual_s is not None and silence_s > self._patience.mute_s and not self._is_mute:
            self._is_mute = True  # it may just be resting: once is enough
            return "the machine answers but sends nothing"
        elif doubts % RENEW_EVERY == 1:
            await self._renew(link, service)
        return None

    async def _answers_at_all(self, link: Link, service: Service) -> bool:
        """Whether a read is answered, or data comes meanwhile.  A machine without anything to read is asked anew."""
        readable = next((each for each in (*service.reads, *handshake.IDENTITY) if link.can(each, "read")), None)
        if readable is None:
            return await self._renew(link, service)
        self._came.clear()
        asked = asyncio.ensure_future(link.answers(readable, self._patience.answer_s))
        try:
            await until(self._came, asked)
            return self._came.is_set() or asked.result()
        finally:
            await end(asked)

    async def _renew(self, link: Link, service: Service) -> bool:
        """Ask for notifications anew: some machines forget that they were asked."""
        wanted = [each for each in service.rows if link.can(each, "notify", "indicate")]
        try:
            for characteristic in wanted:
                await link.unsubscribe(characteristic, self._patience.answer_s)
                await link.subscribe(characteristic, self._patience.answer_s)
        except MachineError as error:
            self._log("renew", str(error))
            return False
        self._log("renew", "done")
        return True

    # --- keeping the strap ------------------------------------------------------------------------------------------

    async def _keep_strap(self, wanted: str) -> None:
        """Have a strap while there is one; it is looked for only while the rower has no need of the radio."""
        device: FoundDevice | None = None
        missed = False
        while True:
            await self._streaming.wait()
            try:
                which = device.address if device else wanted
                device = await self._while_streaming(discovery.find_strap(self._radio, which, self._patience.scan_s))
                if device is not None:
                    await self._follow_strap(device)
            except MachineError:
                if not missed and device is None:
                    self._note("strap missing", name=wanted)
                missed = True
            await asyncio.sleep(self._patience.strap_s)

    async def _follow_strap(self, device: FoundDevice) -> None:
        async with ble.connect(device, self._radio, self._strap_arrived, self._patience.connect_s) as link:
            await link.subscribe(HEART_RATE_MEASUREMENT)
            self._note("strap connected", name=device.name, address=device.address)
            self._strap_s = self._loop.time()
            while (left_s := self._strap_s + self._patience.strap_silent_s - self._loop.time()) > 0:
                if await happens(link.lost, max(left_s, TICK_S)):
                    break
        self._note("strap lost")

    def _strap_arrived(self, characteristic: str, payload: bytes) -> None:
        self._strap_s = self._loop.time()
        self._arrived(characteristic, payload)

    async def _while_streaming(self, work: Coroutine[Any, Any, _T]) -> _T | None:
        """Do something that needs the radio, unless the rower is lost meanwhile: then it has the radio."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done() and self._streaming.is_set():
                await asyncio.wait({task}, timeout=self._patience.answer_s)
            return task.result() if task.done() else None
        finally:
            await end(task)
