"""The live page's server: a reader of the row that tells it to browsers, and takes what they ask for.

    show ──▶ LivePage ──▶ one Viewer per browser ──▶ /events (server-sent events)
    do ◀── /commands ◀── its buttons and keys

It runs in the recorder's own event loop, so it must cost the row nothing: `show` keeps the moment and wakes the
viewers, and each of them writes what is new as fast as its browser reads.  Who is slow gets the newest moment and every
point of the chart; who doesn't read at all is cut off.

Data and commands need the token of the link, which stands behind its `#` and so in no log and no other site's hands.
Neither pandas nor plotly is loaded here.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from dashboards.live_page import live_page, live_policy
from dashboards.web import SecureHeaders, address_of, bound
from rowsync.commands import LARGEST_BYTES, Command, read_command
from rowsync.errors import UsageError
from rowsync.guide import Cue
from rowsync.intervals import Effort
from rowsync.moment import Moment, heading_fields, round_fields
from rowsync.plan import parse_plan, plan_fields
from rowsync.session import Header, Interval, fade_of
from rowsync.verdict import sentences
from rowsync.wording import outside_text

HEARTBEAT_S = 10.0
"""So often at least something is sent, by which both ends see that the other is there [s]."""

RETRY_MS = 500
PATIENCE_S = 10.0
"""So long a browser has to ask for something, and to send a command [s]."""

STUCK_S = 20.0
"""A browser that hasn't read for so long is cut off; it connects again when it can [s]."""

MOST_CONNECTIONS = 200
SENT_AHEAD_BYTES = 128 * 1024
"""What the system keeps for a browser that reads slowly; more would show it the past."""

LONGEST_LINE = 300
LINES_KEPT = 20

MOST_POINTS = 4 * 3600 * 4
"""Four hours at 4 Hz; from then on every second point of all before is dropped."""

CLOSEST_MS = 150
"""Several notifications may tell of one moment; those of a machine at 4 Hz come later than this, jitter and all."""

MOST_SPANS = 2000

NOT_MEASURED = -1
"""What stands in the series for nothing."""

SERIES = ("power_w", "stroke_rate_spm", "heart_rate_bpm")

WRONG_LINK = "This link doesn't open the row. Use the whole link that rowsync shows, with what stands behind the #."
FOREIGN = "Only the live page itself may ask for this."


class Points:
    """The row as the chart draws it, in whole numbers: 14 bytes a point, and never more than `MOST_POINTS`."""

    def __init__(self) -> None:
        self._numbers = array("q")
        self._times_ms = array("i")
        self._series = {name: array("h") for name in SERIES}
        self._closest_ms = CLOSEST_MS

    def take(self, moment: Moment) -> None:
        """Keep a moment that brought something, unless it is too close to the one before."""
        time_ms = round(1000 * moment.time_s)
        is_known = self._numbers and moment.number <= self._numbers[-1]
        if is_known or (self._times_ms and time_ms < self._times_ms[-1] + self._closest_ms):
            return
        if len(self._numbers) >= MOST_POINTS:
            self._thin()
        self._numbers.append(moment.number)
        self._times_ms.append(min(time_ms, 2**31 - 1))
        for name, values in self._series.items():
            values.append(_whole(getattr(moment.sample, name)))

    def since(self, number: int) -> dict[str, list[int]]:
        """The points of moments after a number, one list for each quantity; `NOT_MEASURED` is none."""
        first = bisect_right(self._numbers, number)
        columns = {"time_ms": self._times_ms, **self._series}
        return {name: values[first:].tolist() for name, values in columns.items()}

    def __len__(self) -> int:
        return len(self._numbers)

    def _thin(self) -> None:
        self._closest_ms *= 2
        self._numbers, self._times_ms = self._numbers[::2], self._times_ms[::2]
        self._series = {name: values[::2] for name, values in self._series.items()}


def _whole(value: float | None) -> int:
    return NOT_MEASURED if value is None else min(max(0, round(value)), 2**15 - 1)


@dataclass(eq=False)
class Viewer:
    """One browser, and what it has got so far.

    Attributes:
        session_id: the session that it shows; empty when none.
        number: the number of the last moment of it that the browser has.
        seen: for each kind of event, how many there had been when the last was sent.
        news: set when there is something to send.
        is_gone: whether nobody is there any more.
    """

    session_id: str = ""
    number: int = -1
    seen: dict[str, int] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    is_gone: bool = False

    def leave(self) -> None:
        """Nobody is there any more."""
        self.is_gone = True
        self.news.set()


class LivePage:
    """A reader of the row that any number of browsers follow.

    Args:
        do: carries out what a browser asks for; raises UsageError when it can't be done now.
        token: who knows it may look and ask.
    """

    def __init__(self, do: Callable[[Command], None], token: str) -> None:
        self.do = do
        self.is_closed = False
        self.viewers: set[Viewer] = set()
        self._token = token.encode()
        self._before: dict[str, Any] | None = None
        self._said: deque[str] = deque(maxlen=LINES_KEPT)
        self._end: dict[str, Any] | None = None
        self._events = dict.fromkeys(_WRITERS, 0) | {"session": 1}
        self._heading: Header | None = None
        self._moment: Moment | None = None
        self._rounds: tuple[Interval, ...] = ()
        self._spans: list[tuple[float, Effort | None]] = []
        self.points = Points()

    # --- the reader ---

    def say(self, text: str) -> None:
        """Tell every browser one line."""
        self._said.append(outside_text(text, LONGEST_LINE))
        self._tell("said")

    def show(self, moment: Moment) -> None:
        """Take where the row is; costs some microseconds, whatever the browsers do."""
        before, self._moment = self._moment, moment
        if moment.heading is not self._heading:
            self._head(moment.heading)
        self.points.take(moment)
        self._turn(before, moment)
        if moment.rounds != self._rounds:
            self._rounds = moment.rounds
            self._tell("rounds")
        self._tell("moment")

    def remember(self, past: Mapping[str, Any]) -> None:
        """Take the last time this plan was rowed."""
        self._before = past.get("before")
        self._tell("session")

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """The row is over, and this is what it was; None when nothing was stored."""
        self._end = {"summary": {**summary, "said": sentences(summary)} if summary else None}
        self._tell("end")

    def close(self) -> None:
        """Send what is left, and let every browser go."""
        self.is_closed = True
        for viewer in self.viewers:
            viewer.news.set()

    # --- for the browsers ---

    def knows(self, token: str) -> bool:
        """Whether somebody has the token."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._token)

    def welcome(self, last_event_id: str = "") -> Viewer:
        """Somebody looks, who has everything up to an event's id."""
        session_id, _, number = last_event_id.rpartition(":")
        known = number.isascii() and number.isdigit() and len(number) < 16
        viewer = Viewer(session_id, int(number)) if known else Viewer()
        viewer.seen = {"said": max(0, self._events["said"] - 1), "rounds": self._events["rounds"], "end": 0}
        if self._moment is None:
            viewer.seen["moment"] = self._events["moment"]
        viewer.news.set()
        self.viewers.add(viewer)
        return viewer

    def news(self, viewer: Viewer) -> bytes:
        """What a viewer hasn't got yet, as server-sent events; nothing when there is none."""
        events = []
        for name, write in _WRITERS.items():
            if viewer.seen.get(name) != self._events[name]:
                content = write(self, viewer)
                viewer.seen[name] = self._events[name]
                event_id = f"{viewer.session_id}:{viewer.number}"
                events.append(f"id: {event_id}\nevent: {name}\ndata: {json_text(content)}\n\n")
        return "".join(events).encode()

    def _session_event(self, viewer: Viewer) -> dict[str, Any]:
        heading = self._heading
        session_id = heading.session_id if heading else ""
        is_new = viewer.session_id != session_id or not session_id
        if is_new:
            viewer.session_id, viewer.number = session_id, -1
        viewer.seen["rounds"] = self._events["rounds"]
        return {
            "heading": _outside(heading_fields(heading)) if heading else None,
            "plan": _plan(heading) if heading else None,
            "before": self._before,
            "restarted": is_new,
            "points": self._points_for(viewer),
            **self._rounds_event(viewer),
        }

    def _rounds_event(self, viewer: Viewer) -> dict[str, Any]:
        return {
            "rounds": [round_fields(each) for each in self._rounds],
            "fade": fade_of(self._rounds),
            "spans": self._spans,
        }

    def _said_event(self, viewer: Viewer) -> dict[str, Any]:
        new = min(len(self._said), self._events["said"] - viewer.seen.get("said", 0))
        return {"texts": list(self._said)[-new:]}

    def _moment_event(self, viewer: Viewer) -> dict[str, Any]:
        return {**(self._moment.fields() if self._moment else {}), "points": self._points_for(viewer)}

    def _end_event(self, viewer: Viewer) -> dict[str, Any] | None:
        return self._end

    def _points_for(self, viewer: Viewer) -> dict[str, list[int]]:
        points = self.points.since(viewer.number)
        if self._moment is not None:
            viewer.number = max(viewer.number, self._moment.number)
        return points

    # --- what is kept of the row ---

    def _head(self, heading: Header) -> None:
        """Another session, or another plan."""
        known, self._heading = self._heading, heading
        if known is not None and known.plan != heading.plan:
            self._before = None
        if known is not None and known.session_id != heading.session_id:
            self.points, self._rounds, self._spans, self._end = Points(), (), [], None
            for seen in (self._events, *(viewer.seen for viewer in self.viewers)):
                seen["end"] = 0
        self._tell("session")

    def _turn(self, before: Moment | None, moment: Moment) -> None:
        """Keep when what is rowed changes: by the plan's bells, or as it was found where there is no plan."""
        effort = _effort(moment)
        if before is not None and self._spans and (_piece(before), _effort(before)) == (_piece(moment), effort):
            return
        self._spans.append((_bell_s(before.cue if before else None, moment), effort))
        del self._spans[:-MOST_SPANS]
        self._tell("rounds")

    def _tell(self, name: str) -> None:
        self._events[name] += 1
        for viewer in self.viewers:
            viewer.news.set()


_WRITERS: dict[str, Callable[[LivePage, Viewer], Any]] = {
    "session": LivePage._session_event,
    "rounds": LivePage._rounds_event,
    "said": LivePage._said_event,
    "moment": LivePage._moment_event,
    "end": LivePage._end_event,
}
"""Every kind of event and who writes it, in the order in which they are sent."""


def _effort(moment: Moment) -> Effort | None:
    if moment.cue is None:
        return moment.effort
    return moment.cue.piece.effort if moment.cue.piece else None


def _piece(moment: Moment) -> int | None:
    return moment.cue.number if moment.cue else None


def _bell_s(before: Cue | None, moment: Moment) -> float:
    """When the piece before ended by the clock, or else now [s]."""
    rang_s = before.ends_s if before is not None and moment.cue is not None else None
    return round(moment.time_s if rang_s is None else min(rang_s, moment.time_s), 3)


def _plan(heading: Header) -> dict[str, Any] | None:
    """The session's plan with its targets in values; as it was typed where they can't be reckoned."""
    try:
        plan = parse_plan(heading.plan) if heading.plan else None
    except UsageError:
        return None
    if plan is None:
        return None
    try:
        return plan_fields(plan.for_athlete(heading.athlete))
    except UsageError:
        return plan_fields(plan)


def _outside(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: outside_text(value, LONGEST_LINE) if value is not None else None for name, value in fields.items()}


def json_text(content: Any) -> str:
    """Anything as JSON on one line; numbers that JSON doesn't have become null."""
    try:
        return json.dumps(content, separators=(",", ":"), allow_nan=False, default=str)
    except ValueError:
        return json.dumps(json.loads(json.dumps(content, default=str), parse_constant=lambda _: None))


# --- over HTTP --------------------------------------------------------------------------------------------------------


def create_live_app(page: LivePage, *, allowed_hosts: Sequence[str]) -> Starlette:
    """The page, its events and its commands.

    Args:
        page: what is shown.
        allowed_hosts: the names (without port) under which it answers; any other Host gets 400.
    """

    async def document(request: Request) -> Response:
        return HTMLResponse(live_page(), headers={"Cache-Control": "no-cache"})

    async def events(request: Request) -> Response:
        _admit(request, page)
        return Response() if request.method == "HEAD" else _Events(page, request.headers.get("last-event-id", ""))

    async def commands(request: Request) -> Response:
        _admit(request, page)
        content = await _body(request)
        try:
            command = read_command(content)
        except UsageError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None
        try:
            page.do(command)
        except UsageError as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from None
        return JSONResponse({"command": command.name}, HTTPStatus.ACCEPTED)

    return Starlette(
        routes=[
            Route("/", document),
            Route("/events", events),
            Route("/commands", commands, methods=["POST"]),
        ],
        middleware=[
            Middleware(SecureHeaders, policy=live_policy()),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False),
        ],
        exception_handlers={HTTPException: _refused},
    )


class _Events(Response):
    """Tells one browser what is new, until it goes or the page is closed."""

    media_type = "text/event-stream"

    def __init__(self, page: LivePage, last_event_id: str) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._page, self._last_event_id = page, last_event_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        viewer = self._page.welcome(self._last_event_id)
        watch = asyncio.create_task(_watch(receive, viewer))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            content = f"retry: {RETRY_MS}\n\n".encode()
            while content:
                await send({"type": "http.response.body", "body": content, "more_body": True})
                content = await self._next(viewer)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            watch.cancel()
            self._page.viewers.discard(viewer)

    async def _next(self, viewer: Viewer) -> bytes:
        """What to send next; nothing when it is over."""
        while not viewer.is_gone:
            if (content := self._page.news(viewer)) or self._page.is_closed:
                return content
            viewer.news.clear()
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await viewer.news.wait()
            except TimeoutError:
                return b":\n\n"
        return b""


async def _watch(receive: Receive, viewer: Viewer) -> None:
    """Notices that the browser goes."""
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.leave()


def _admit(request: Request, page: LivePage) -> None:
    """Refuse who hasn't the token, and what another site's page asks for."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none") or (origin is not None and not _is_own(origin, request)):
        raise HTTPException(HTTPStatus.FORBIDDEN, FOREIGN)
    # Not from the address, which lies in histories and logs.
    if not page.knows(request.headers.get("authorization", "").removeprefix("Bearer ")):
        raise HTTPException(HTTPStatus.FORBIDDEN, WRONG_LINK)


def _is_own(origin: str, request: Request) -> bool:
    return origin.partition("://")[2] == request.headers.get("host")


async def _body(request: Request) -> bytes:
    content = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for chunk in request.stream():
                content += chunk
                if len(content) > LARGEST_BYTES:
                    raise HTTPException(413, "A command is shorter than that.")
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "The command didn't arrive in time.") from None
    return content


def _refused(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    sentence = error.detail if isinstance(error, HTTPException) else status.phrase
    # What is left of a body that is too long must not be read as the next request.
    headers = {"Cache-Control": "no-store", "Connection": "close"}
    return JSONResponse({"error": sentence}, status, headers)


# --- in the recorder's loop -------------------------------------------------------------------------------------------


@asynccontextmanager
async def open_live_page(
    do: Callable[[Command], None],
    *,
    host: str,
    port: int,
    allowed_hosts: Sequence[str],
    token: str,
    announce: Callable[[str], None],
) -> AsyncIterator[LivePage]:
    """Serve the live page in the running loop, for as long as the context lasts.

    Args:
        do: carries out what a browser asks for; raises UsageError when it can't be done now.
        host: the address to bind.
        port: the port to bind; 0 takes any free one.
        allowed_hosts: the names (without port) under which it answers.
        token: who knows it may look and ask; 128 random bits.
        announce: gets the link, token and all, when the page can be reached.

    Yields:
        The page, a reader of the row.

    Raises:
        UsageError: that address can't be bound.
    """
    page = LivePage(do, token)
    with bound(host, port, "--web-port") as listener:
        listener.setsockopt(SOL_SOCKET, SO_SNDBUF, SENT_AHEAD_BYTES)
        server = _Server(_config(create_live_app(page, allowed_hosts=allowed_hosts)))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        announce(f"{address_of(listener, _name(host, allowed_hosts))}#{token}")
        try:
            yield page
        finally:
            page.close()
            server.should_exit = True
            await serving
            server.cut()


def _name(host: str, allowed_hosts: Sequence[str]) -> str:
    """The name by which others reach the page."""
    try:
        is_everywhere = ip_address(host).is_unspecified
    except ValueError:
        is_everywhere = False
    return (allowed_hosts[0].strip("[]") if allowed_hosts else host) if is_everywhere else host


def _config(app: Starlette) -> uvicorn.Config:
    """A quiet server: what it would say belongs on no rower's screen."""
    return uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )


class _Server(uvicorn.Server):
    """A server that leaves Ctrl-C to the row."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Touch no signal."""
        yield

    def cut(self) -> None:
        """Let go of every browser that is left."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _Connection(H11Protocol):
    """A browser's connection, cut when there are too many, when nobody asks for anything, or when nobody reads."""

    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Somebody connects."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        self._silent = self.loop.call_later(PATIENCE_S, self._cut_if_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._silent.cancel()
        super().connection_lost(exc)
        self._read_on()

    def pause_writing(self) -> None:
        """The browser doesn't read as fast as it is written to."""
        super().pause_writing()
        self._stuck = self.loop.call_later(STUCK_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads on."""
        super().resume_writing()
        self._read_on()

    def _read_on(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()

    def _cut_if_silent(self) -> None:
        if self.cycle is None:
            self.transport.abort()
