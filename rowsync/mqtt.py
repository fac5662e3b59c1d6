"""MQTT: the row as it happens, sent to a broker; the only door to aiomqtt.

The row can't wait for a broker, so nothing here runs in its thread: a reader hands each moment over, which takes
microseconds, to a `_Postman` with a thread and an event loop of its own.  There a broker may be slow, deaf, refusing,
without a name or never there; a virtual clock in the row doesn't concern it either.

What goes out, and in which order, is decided in `messages`, which knows no broker.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import random
import re
import secrets
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import unquote, urlsplit

import aiomqtt
from aiomqtt.client import MQTT_LOGGER

from rowsync.commands import Command, read_command
from rowsync.errors import RowsyncError, UsageError
from rowsync.files import locked, replacing
from rowsync.messages import (
    BRIDGE,
    COMMAND,
    DELIVERY,
    ERROR,
    OFFLINE,
    ONLINE,
    Message,
    Outbox,
    Replay,
    Teller,
    Topics,
    Totals,
    is_topic,
    left_lines,
    machine_id,
    past_totals,
    read_left,
    read_replay,
    read_totals,
)
from rowsync.moment import Moment
from rowsync.waiting import end
from rowsync.wording import count, outside_text

# --- settings ---------------------------------------------------------------------------------------------------------

PASSWORD = "ROWSYNC_MQTT_PASSWORD"
"""The environment variable that may hold the password."""


class Address(NamedTuple):
    """Where a broker is.

    Attributes:
        host: its name or IP address.
        port: its TCP port.
        tls: whether what is sent is encrypted.
        username: as whom; None for nobody.
    """

    host: str
    port: int
    tls: bool
    username: str | None = None


SCHEMES = {"mqtt": (1883, False), "mqtts": (8883, True)}


def read_url(url: str) -> Address:
    """Read where a broker is: `mqtt://host`, or encrypted `mqtts://user@host:8883`.

    Raises:
        UsageError: it says nothing of the kind, or has a password in it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(_BAD_URL) from None
    if parts.password is not None:
        raise UsageError(
            "The address of the MQTT broker must not hold the password: whoever lists processes would see it. "
            f"Put it into {PASSWORD}, or into a file that [mqtt] password_file names."
        )
    is_host = host is not None and host.isprintable() and " " not in host
    if parts.scheme not in SCHEMES or not host or not is_host or parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(_BAD_URL)
    usual, tls = SCHEMES[parts.scheme]
    return Address(host, port or usual, tls, unquote(parts.username) if parts.username else None)


_BAD_URL = "A broker's address is mqtt://host, or mqtts://user@host:8883 where it is encrypted."


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """How a broker is reached, and what it is told.

    Attributes:
        url: where it is, as `read_url` takes it.
        username: as whom, unless the address says so.
        password: never shown.
        prefix: what all topics begin with.
        machine: what the machine is called in topics; None for its own name.
        discovery: whether Home Assistant is told of the machine.
        discovery_prefix: where Home Assistant looks.
        ca_file: whose certificates are trusted; None for those that the system trusts.

    Raises:
        UsageError: something of it makes no sense.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    prefix: str = "rowsync"
    machine: str | None = None
    discovery: bool = True
    discovery_prefix: str = "homeassistant"
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        read_url(self.url)
        for name in ("prefix", "discovery_prefix"):
            if not is_topic(getattr(self, name)):
                raise UsageError(
                    f"In [mqtt], {name} is a topic such as {name.partition('_')[0]}/home, without + and #."
                )
        if self.password is not None and self.user is None:
            raise UsageError("An MQTT password needs a user: mqtts://user@host, or [mqtt] username.")
        if self.ca_file is not None and not self.ca_file.is_file():
            raise UsageError(f"In [mqtt], ca_file names {outside_text(self.ca_file)}, and there is no such file.")

    @property
    def address(self) -> Address:
        """Where the broker is."""
        return read_url(self.url)

    @property
    def user(self) -> str | None:
        """As whom."""
        return self.username or self.address.username

    def warning(self) -> str | None:
        """What is unsafe about it, in a sentence; None when nothing is."""
        address = self.address
        if address.tls or self.password is None or _is_near(address.host):
            return None
        return f"The MQTT password goes to {outside_text(address.host)} unencrypted: mqtts:// would hide it."


_NEAR = (".local", ".lan", ".home.arpa", ".internal", ".localhost")


def _is_near(host: str) -> bool:
    """Whether a host is in the same house, as far as its name tells."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.lower().endswith(_NEAR)
    return address.is_loopback or address.is_private or address.is_link_local


# --- the reader -------------------------------------------------------------------------------------------------------

ANSWER_S = 10.0
"""How long a broker may take to answer before it is doubted [s]."""

KEEPALIVE_S = 15
"""A broker that hears nothing for 1.5 times as long says that rowsync is gone [s]."""

IN_FLIGHT = 20
"""So many messages go out before the first is acknowledged."""

LIVE_S = 1.0
"""Live messages are so far apart [s]."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
"""Between one attempt to connect and the next [s]."""

LAST_S = 5.0
"""How long what is left may take when the row is over [s]."""

COMMAND_S = 0.1
"""Commands are so far apart; of a flood most are dropped [s]."""

MOST_COMMANDS = 100
MOST_BEHIND = 2_000
"""So many moments may wait for the postman's thread; from then on only those with strokes are handed over."""

MOST_LEFT = 50
"""So many sessions may lie there that no broker ever took; the oldest go first."""

Do = Callable[[Command], None]
Say = Callable[[str], None]


class MqttReader:
    """A reader of moments that hands them on; nothing of a broker can reach the row through it."""

    def __init__(self, postman: _Postman) -> None:
        self._postman = postman

    def say(self, text: str) -> None:
        """Nothing: what a person is told isn't sent."""

    def show(self, moment: Moment) -> None:
        """Take where the row is."""
        if moment.strokes or self._postman.behind < MOST_BEHIND:
            self._postman.hand_over(self._postman.take, moment)

    def remember(self, past: Mapping[str, Any]) -> None:
        """Take what the sessions before this one sum to."""
        if (totals := past_totals(past)) is not None:
            self._postman.hand_over(self._postman.take_totals, totals)

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """The row is over; what it was, or None."""
        self._postman.hand_over(self._postman.take_end, summary)


@asynccontextmanager
async def open_mqtt(
    do: Do,
    settings: MqttSettings,
    *,
    folder: Path,
    say: Say,
    machine: str | None = None,
) -> AsyncIterator[MqttReader]:
    """A reader that sends what it is shown to a broker.

    Args:
        do: carries a command out, in this loop; raises UsageError when it can't be done now.
        settings: which broker.
        folder: the data folder; what must outlive rowsync lies below `mqtt` there.
        say: tells the person one line.
        machine: the name of the machine that was rowed last, to be reachable before it is found; None for none.

    When it ends, what is left may take `LAST_S`; then it is kept for the next time.
    """
    if warning := settings.warning():
        say(warning)
    postman = _Postman(settings, folder / "mqtt", _Row(asyncio.get_running_loop(), do, say), machine)
    postman.start()
    grace_s = 0.0
    try:
        yield MqttReader(postman)
        grace_s = LAST_S
    finally:
        postman.hand_over(postman.close, grace_s)
        await asyncio.shield(asyncio.to_thread(postman.join, LAST_S + 1))


class _Row:
    """The row, as seen from the postman's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, do: Do, say: Say) -> None:
        self._loop, self._do, self._say = loop, do, say

    def say(self, text: str) -> None:
        self._soon(self._say, text)

    def carry_out(self, command: Command, refused: Callable[[str], None]) -> None:
        """Have a command carried out; `refused` is called, in the row's thread, with why it can't be."""
        self._soon(self._carry_out, command, refused)

    def _carry_out(self, command: Command, refused: Callable[[str], None]) -> None:
        try:
            self._do(command)
        except RowsyncError as error:
            refused(str(error))
        except Exception as error:  # whatever it is, the row goes on
            refused(f"That went wrong: {error!r}")

    def _soon(self, call: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the row's loop is closed
            self._loop.call_soon_threadsafe(call, *arguments)


class _Apart(ThreadPoolExecutor):
    """Runs each call in a thread that nobody waits for: a name server may keep one for longer than a row lasts."""

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # whoever gives up waiting doesn't fail what is still being tried

        def run() -> None:
            try:
                result = call(*arguments, **more)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, name="mqtt connects", daemon=True).start()
        return future


# --- the postman ------------------------------------------------------------------------------------------------------


class _Postman:
    """Brings messages to a broker, in a thread of its own; all but `hand_over`, `start` and `join` happens there.

    Attributes:
        behind: how much was handed over and isn't taken yet.
    """

    def __init__(self, settings: MqttSettings, folder: Path, row: _Row, machine: str | None) -> None:
        self.behind = 0
        self._settings, self._row = settings, row
        self._memory = _Memory(folder)
        self._hint = settings.machine or machine
        self._identifier = f"rowsync-{secrets.token_hex(6)}"
        self._states: dict[str, Message] = {}
        self._unsent: set[str] = set()
        self._live: Message | None = None
        self._live_due_s = 0.0
        self._topics: Topics | None = None
        self._is_well: bool | None = None
        self._complained: set[str] = set()
        self._main: asyncio.Task[None] | None = None
        self._loop = asyncio.SelectorEventLoop()
        self._loop.set_default_executor(_Apart())
        self._loop.set_exception_handler(lambda *_: None)
        self._wake, self._closing = asyncio.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    # --- from the row's thread ---

    def start(self) -> None:
        self._thread.start()

    def join(self, within_s: float) -> None:
        self._thread.join(within_s)

    def hand_over(self, call: Callable[..., None], *arguments: Any) -> None:
        """Have something done in the postman's thread; returns at once."""
        self.behind += 1
        with suppress(RuntimeError):  # it is closed
            self._loop.call_soon_threadsafe(self._taken, call, *arguments)

    def _taken(self, call: Callable[..., None], *arguments: Any) -> None:
        self.behind -= 1  # a race costs an extra moment, or spares one
        try:
            call(*arguments)
        except Exception as error:
            self._complain("a mistake", f"MQTT: one message could not be made ({error!r}). Row on.")
        self._wake.set()

    # --- what is handed over ---

    def take(self, moment: Moment) -> None:
        for message in self._teller.moment(moment):
            self._put(message)
        if self._topics != self._teller.topics:
            self._topics = self._teller.topics
            self._greet()

    def take_totals(self, stored: Totals) -> None:
        for message in self._teller.remember(stored):
            self._put(message)

    def take_end(self, summary: Mapping[str, Any] | None) -> None:
        for message in self._teller.end(summary):
            self._put(message)
        self._live = None

    def close(self, grace_s: float) -> None:
        self._closing.set()
        if self._main is not None:
            self._loop.call_later(grace_s, self._main.cancel)

    def refuse(self, why: str) -> None:
        if self._topics:
            self._put_state(self._topics.message(ERROR, {"error": why}))

    def _put(self, message: Message) -> None:
        if message.number is not None:
            self._outbox.put(message)
            if self._outbox.refused:
                self._complain("too many", "MQTT keeps no more than a day of strokes; newer ones are not sent.")
        elif message.delivery.qos:
            self._put_state(message)
        else:
            self._live = message

    def _put_state(self, message: Message) -> None:
        self._states[message.topic] = message
        self._unsent.add(message.topic)

    def _greet(self) -> None:
        """Say that rowsync is there."""
        if self._topics:
            self._put_state(self._topics.message(BRIDGE, ONLINE))

    # --- its life ---

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live_on())
        except Exception as error:  # whatever it is, the row goes on
            self._complain("the end", f"MQTT stopped ({error!r}). Row on: all is recorded.")
        finally:
            self._loop.close()

    async def _live_on(self) -> None:
        MQTT_LOGGER.disabled = True  # what goes wrong is told in sentences
        self._recall()
        self._main = asyncio.create_task(self._keep())
        saving = asyncio.create_task(self._save_now_and_then())
        if self._closing.is_set():
            self._main.cancel()
        await asyncio.wait([self._main])
        saving.cancel()
        await asyncio.wait([saving])
        self._leave()

    def _recall(self) -> None:
        """Take up what was left the last time."""
        kept = self._memory.read()
        settings = self._settings
        prefix = settings.discovery_prefix if settings.discovery else None
        self._teller = Teller(settings.prefix, settings.machine, kept.totals, prefix)
        self._outbox = Outbox(kept.positions)
        for message in kept.left:
            self._put(message)
        if self._hint is not None:
            self._topics = Topics(settings.prefix, machine_id(self._hint))
            self._greet()

    async def _save_now_and_then(self) -> None:
        while True:
            self._save()
            await asyncio.sleep(1.0)

    def _save(self) -> None:
        machines = {self._topics.machine} if self._topics and self._teller.topics else set()
        try:
            self._memory.write(self._outbox, self._teller.totals, machines)
        except OSError as error:
            self._complain("the disk", f"MQTT: what was sent can't be noted ({error.strerror}). Row on.")

    def _leave(self) -> None:
        """Keep for the next time what no broker took."""
        states = [self._states[topic] for topic in self._unsent if topic.endswith(_KEPT_STATES)]
        try:
            told = self._memory.leave(self._outbox.left(), states)
        except OSError as error:
            self._row.say(f"MQTT: {count(len(self._outbox.waiting), 'message')} can't be kept ({error.strerror}).")
            return
        self._save()
        if told:
            self._row.say(f"MQTT: {count(told, 'message')} could not be sent; they go out first the next time.")

    def _complain(self, what: str, text: str) -> None:
        """Say a thing once."""
        if what not in self._complained:
            self._complained.add(what)
            self._row.say(text)

    # --- the broker ---

    async def _keep(self) -> None:
        """Connect, again and again, for as long as there is something to be said."""
        pause_s = FIRST_PAUSE_S
        while True:
            was_closing = self._closing.is_set()
            while self._topics is None and not self._closing.is_set():
                await self._woken()
            if self._topics is None:
                return
            self._connected = False
            try:
                await self._serve(self._topics)
            except Exception as error:  # whatever a broker does, the next attempt may do better
                self._troubled(error)
            if was_closing or (self._closing.is_set() and not self._has_more()):
                return
            pause_s = FIRST_PAUSE_S if self._connected else min(LONGEST_PAUSE_S, pause_s * 2)
            await self._pause(random.uniform(0.5, 1.0) * pause_s)

    async def _pause(self, pause_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._closing.wait()

    async def _woken(self, within_s: float | None = None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._wake.wait()
        self._wake.clear()

    def _has_more(self) -> bool:
        return bool(self._outbox.waiting or self._unsent)

    async def _serve(self, topics: Topics) -> None:
        """Connect, and stay until the broker is gone, the machine is another, or all is said and the row over."""
        client = _client(self._settings, self._identifier, topics)
        try:
            async with client:
                self._connected = True
                await client.subscribe([(topics[COMMAND], 1), (topics[BRIDGE], 1), (self._birth, 1)])
                self._is_connected()
                await self._talk(client, topics)
        finally:
            await _let_go(client)

    @property
    def _birth(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self._settings.discovery_prefix}/status"

    def _is_connected(self) -> None:
        self._unsent |= {topic for topic, message in self._states.items() if message.delivery.retain}
        if self._is_well is not True:
            late = len(self._outbox.waiting)
            again = "again" if self._is_well is False else "now"
            waited = f"; {count(late, 'message')} waited" if late else ""
            self._row.say(f"MQTT: {outside_text(self._settings.address.host)} gets the row {again}{waited}.")
        self._is_well = True

    def _troubled(self, error: Exception) -> None:
        if self._is_well is not False:
            self._row.say(_trouble(self._settings.address.host, error))
        self._is_well = False

    async def _talk(self, client: aiomqtt.Client, topics: Topics) -> None:
        listening = asyncio.create_task(self._listen(client, topics))
        posting = asyncio.create_task(self._post(client, topics))
        try:
            await asyncio.wait([listening, posting], return_when=asyncio.FIRST_COMPLETED)
            for task in (listening, posting):
                if task.done():
                    task.result()
        finally:
            for task in (listening, posting):
                task.cancel()
            await asyncio.wait([listening, posting])

    async def _post(self, client: aiomqtt.Client, topics: Topics) -> None:
        """Send whatever there is to send, in batches, until all is said and the row over."""
        while True:
            if batch := self._batch():
                await asyncio.gather(*(self._publish(client, message) for message in batch))
            elif self._topics != topics or self._closing.is_set():
                await client.publish(topics[BRIDGE], OFFLINE, *DELIVERY[BRIDGE])
                return
            else:
                await self._woken(max(0.0, self._live_due_s - self._loop.time()) if self._live else None)

    def _batch(self) -> Sequence[Message]:
        """What goes out next: what holds now, and the next of the series."""
        states = [self._states[topic] for topic in self._unsent]
        if self._live and self._loop.time() >= self._live_due_s:
            states.append(self._live)
        return states + self._outbox.next(max(1, IN_FLIGHT - len(states)))

    async def _publish(self, client: aiomqtt.Client, message: Message) -> None:
        if message is self._live:
            self._live, self._live_due_s = None, self._loop.time() + LIVE_S
        await client.publish(message.topic, message.payload, *message.delivery)
        if message.number is not None:
            self._outbox.acknowledge(message)
        elif self._states.get(message.topic) is message:
            self._unsent.discard(message.topic)
            if not message.delivery.retain:
                del self._states[message.topic]

    async def _listen(self, client: aiomqtt.Client, topics: Topics) -> None:
        async for message in client.messages:
            topic, payload = message.topic.value, message.payload
            content = payload if isinstance(payload, bytes) else b""
            if topic == self._birth and content == ONLINE.encode():
                self._unsent |= {each for each in self._states if each.startswith(self._settings.discovery_prefix)}
            elif topic == topics[BRIDGE] and content != ONLINE.encode() and not self._closing.is_set():
                self._greet()  # an earlier connection was missed at last
            elif topic == topics[COMMAND]:
                self._command(content, is_retained=message.retain)
                await asyncio.sleep(COMMAND_S)
            self._wake.set()

    def _command(self, content: bytes, *, is_retained: bool) -> None:
        try:
            if is_retained:
                raise UsageError("A retained command isn't carried out: it would come back with every row.")
            if asked := read_replay(content):
                self._replay(asked)
            else:
                self._row.carry_out(read_command(content), lambda why: self.hand_over(self.refuse, why))
        except RowsyncError as error:
            self.refuse(str(error))

    def _replay(self, asked: Replay) -> None:
        self._outbox.replay(asked.session_id, asked.number)


_KEPT_STATES = ("session/last",)


# --- hubs and collectors ----------------------------------------------------------------------------------------------

MOST_HEARD = 50_000
"""So many messages may lie there unread; what comes then is dropped, and comes again."""


MOST_AT_ONCE = 200
"""So many are read before anything else gets its turn."""


class Line:
    """A connection to a broker for much that is small: nothing is awaited for each message.

    What is sent goes with QoS 0, since its promise is made from end to end (rowsync.relay) and the broker's own would
    be one more.

    Attributes:
        arrived: set when there is something to take.
    """

    def __init__(self, client: aiomqtt.Client) -> None:
        self.arrived = asyncio.Event()
        self._heard: list[tuple[str, bytes]] = []
        self._paho, self._gone, self._count = client._client, client._disconnected, 0
        self._paho.on_message = self._hear
        self._paho.on_publish = None  # at QoS 0 it would say only that it was sent, and costs more than the sending
        if (opened := cast("socket.socket | None", self._paho.socket())) is not None:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each message is waited for
            asyncio.get_running_loop().add_reader(opened, self._read)  # in place of aiomqtt's

    def _read(self) -> None:
        """Read all that is there: aiomqtt's goes around the loop once for each message."""
        try:
            for _ in range(MOST_AT_ONCE):
                count = self._count
                self._paho.loop_read()
                if count == self._count:
                    return
        except Exception as error:  # as aiomqtt's: the connection is broken
            if not self._gone.done():
                self._gone.set_exception(error)

    def _hear(self, client: Any, userdata: Any, message: Any) -> None:
        self._count += 1
        with suppress(UnicodeDecodeError):
            if len(self._heard) < MOST_HEARD and not message.retain:
                self._heard.append((message.topic, message.payload))
            self.arrived.set()

    def take(self) -> list[tuple[str, bytes]]:
        """What arrived since, as topics and payloads."""
        heard, self._heard = self._heard, []
        self.arrived.clear()
        return heard

    def send(self, topic: str, payload: bytes) -> None:
        """Send; returns at once."""
        self._paho.publish(topic, payload, qos=0)


async def stay_connected(
    settings: MqttSettings, topics: Sequence[str], serve: Callable[[Line], Awaitable[None]], say: Say
) -> None:
    """Be connected to a broker, again and again, until cancelled.

    Args:
        settings: which broker.
        topics: what is subscribed.
        serve: works with each new connection, and is cancelled when it is gone; when it returns, all ends.
        say: tells the person one line, when the broker goes and when it is back.
    """
    MQTT_LOGGER.disabled = True  # what goes wrong is told in sentences
    asyncio.get_running_loop().set_default_executor(_Apart())
    identifier, pause_s, is_well = f"rowsync-{secrets.token_hex(6)}", FIRST_PAUSE_S, True
    while True:
        client = _client(settings, identifier, None)
        try:
            async with client:
                line = Line(client)
                await client.subscribe([(topic, 0) for topic in topics])
                say(f"MQTT: connected to {outside_text(settings.address.host)}.")
                pause_s, is_well = FIRST_PAUSE_S, True
                if await _served(client, serve(line)):
                    return
        except (aiomqtt.MqttError, OSError) as error:
            if is_well:
                say(re.sub(r" Row on.*", " It is tried again.", _trouble(settings.address.host, error)))
            is_well = False
        finally:
            await _let_go(client)
        await asyncio.sleep(random.uniform(0.5, 1.0) * pause_s)
        pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)


async def _served(client: aiomqtt.Client, work: Awaitable[None]) -> bool:
    """Work until it is done, or the connection is gone; answer whether it is done."""
    serving, staying = asyncio.ensure_future(work), asyncio.ensure_future(_stays(client))
    try:
        await asyncio.wait([serving, staying], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
            return True
        staying.result()
        return False
    finally:
        await end(serving, staying)


async def _stays(client: aiomqtt.Client) -> None:
    """Wait until a connection is gone; what it hears goes elsewhere."""
    async for _ in client.messages:
        pass


# --- the client -------------------------------------------------------------------------------------------------------


def _client(settings: MqttSettings, identifier: str, topics: Topics | None) -> aiomqtt.Client:
    address = settings.address
    client = aiomqtt.Client(
        address.host,
        address.port,
        username=settings.user,
        password=settings.password,
        identifier=identifier,
        clean_session=True,
        timeout=ANSWER_S,
        keepalive=KEEPALIVE_S,
        max_inflight_messages=IN_FLIGHT,
        max_queued_incoming_messages=MOST_COMMANDS,
        will=aiomqtt.Will(topics[BRIDGE], OFFLINE, *DELIVERY[BRIDGE]) if topics else None,
        tls_context=_tls(settings.ca_file) if address.tls else None,
    )
    client.pending_calls_threshold = 10 * IN_FLIGHT
    return client


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.sslsocket_class = _ClosedUnlessTrusted
    return context


class _ClosedUnlessTrusted(ssl.SSLSocket):
    """Closes itself when the other side can't be trusted; paho 2.2 forgets such a socket, and leaves it open."""

    def do_handshake(self, block: bool = False) -> None:
        """Greet, and hang up on who isn't trusted."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


async def _let_go(client: aiomqtt.Client) -> None:
    """Close what an attempt may have left open: aiomqtt closes nothing when a broker accepts and then says nothing."""
    client.timeout = 0.1
    with suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)
    paho = client._client
    left = cast("socket.socket | None", paho.socket())
    if left is not None:
        with suppress(OSError):
            left.shutdown(socket.SHUT_RDWR)
        paho.loop_read()  # it sees the end, and closes in order


def _trouble(host: str, error: Exception) -> str:
    """What keeps the broker from being reached, as a person would say it."""
    reason, host = outside_text(error, 160), outside_text(host)
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return f"MQTT: the certificate of {host} isn't trusted. Name its authority in [mqtt] ca_file. Row on."
    if isinstance(error, aiomqtt.MqttCodeError) and "uthori" in reason:
        return f"MQTT: {host} refuses ({reason}). Check user and password of [mqtt]. Row on; rowsync tries again."
    return f"MQTT: {host} can't be reached ({reason}). Row on; rowsync tries again."


# --- what outlives rowsync --------------------------------------------------------------------------------------------


class _Kept(NamedTuple):
    """What was kept.

    Attributes:
        positions: of each session, how far its series are acknowledged.
        totals: energy as it was published last.
        machines: every machine that a broker was told of.
        left: what no broker took.
    """

    positions: dict[str, dict[str, int]]
    totals: Totals
    machines: set[str]
    left: list[Message]


class _Memory:
    """`position.json` and the folder `left`, for the owner alone.

    Args:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._position = folder / "position.json"
        self._written: Any = None

    def read(self) -> _Kept:
        """What was kept; nothing of what can't be read."""
        try:
            content = json.loads(self._position.read_bytes())
        except (OSError, ValueError, RecursionError):
            content = {}
        content = content if isinstance(content, dict) else {}
        left: list[Message] = []
        for path in self._left():
            with suppress(OSError):
                left += read_left(path.read_bytes())
        machines = content.get("machines")
        return _Kept(
            positions=_positions(content.get("sessions")),
            totals=read_totals(content.get("totals")),
            machines={each for each in machines if isinstance(each, str)} if isinstance(machines, list) else set(),
            left=left,
        )

    def write(self, outbox: Outbox, totals: Totals, machines: set[str]) -> None:
        """Note what was sent, when that has changed, and remove what was left and isn't any more.

        Raises:
            OSError: it can't be written.
        """
        now = (outbox.positions(), totals, machines)
        if now == self._written:
            return
        with locked(self._folder):
            before = self.read()  # another row may write there too
            positions = before.positions | outbox.positions()
            content = {
                "sessions": {name: positions[name] for name in sorted(positions)[-MOST_LEFT:]},
                "totals": totals.saved(),
                "machines": sorted(before.machines | machines),
            }
            with replacing(self._position) as file:
                file.write(json.dumps(content, indent=1).encode())
            waiting = outbox.left()
            for path in self._left():
                if path.stem in outbox.positions() and path.stem not in waiting:
                    path.unlink(missing_ok=True)
        self._written = now

    def leave(self, waiting: Mapping[str, list[Message]], states: Sequence[Message]) -> int:
        """Keep what waits, a file for each session; answers how many messages that is.

        Raises:
            OSError: it can't be written.
        """
        if not waiting and not states and not self._left():
            return 0
        by_session = dict(waiting)
        if states:
            name = max(by_session, default="states")
            by_session[name] = [*by_session.get(name, []), *states]
        with locked(self._folder):
            for session_id, messages in by_session.items():
                with replacing(self._folder / "left" / f"{session_id}.jsonl") as file:
                    file.write(left_lines(messages))
            for path in self._left()[:-MOST_LEFT]:
                path.unlink(missing_ok=True)
        return sum(map(len, by_session.values()))

    def _left(self) -> list[Path]:
        return sorted((self._folder / "left").glob("*.jsonl"))


def _positions(content: Any) -> dict[str, dict[str, int]]:
    if not isinstance(content, dict):
        return {}
    return {
        session_id: {series: number for series, number in numbers.items() if type(number) is int}
        for session_id, numbers in content.items()
        if isinstance(numbers, dict)
    }
