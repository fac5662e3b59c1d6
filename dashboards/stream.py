"""A page that follows something as it goes on: events to any number of browsers, and what they ask for.

    what is told ──▶ Stream ──▶ one Viewer per browser ──▶ /events (server-sent events)
    Ask.do ◀── a POST with the token ◀── the page's buttons

It runs in the recorder's own event loop, so it must cost the rowing nothing: telling wakes the viewers, and each of
them writes what is new as fast as its browser reads.  Who doesn't read at all is cut off.

Data and whatever changes something need the token of the link, which stands behind its `#` and so in no log and no
other site's hands.  Neither pandas nor plotly is loaded here.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any, Generic, TypeVar

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

from dashboards.document import Document
from dashboards.web import SecureHeaders, address_of, bound
from rowsync.commands import LARGEST_BYTES
from rowsync.errors import UsageError

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

WRONG_LINK = "This link doesn't open the row. Use the whole link that rowsync shows, with what stands behind the #."
FOREIGN = "Only the live page itself may ask for this."


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


class Stream:
    """Something that any number of browsers follow.

    Args:
        token: who knows it may look and ask.

    Attributes:
        viewers: the browsers that look.
        is_closed: whether it is over.
        pause_s: so long there is nothing new after something was sent [s].
        pulse_s: so often it is asked whether there is something new though nothing was told [s].
    """

    pause_s = 0.0
    pulse_s = HEARTBEAT_S

    def __init__(self, token: str) -> None:
        self.is_closed = False
        self.viewers: set[Viewer] = set()
        self._token = token.encode()

    def knows(self, token: str) -> bool:
        """Whether somebody has the token."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._token)

    def welcome(self, last_event_id: str = "") -> Viewer:
        """Somebody looks, who has everything up to an event's id."""
        viewer = Viewer()
        viewer.news.set()
        self.viewers.add(viewer)
        return viewer

    def news(self, viewer: Viewer) -> bytes:
        """What a viewer hasn't got yet, as server-sent events; nothing when there is none."""
        raise NotImplementedError

    def wake(self) -> None:
        """There may be something new for everybody."""
        for viewer in self.viewers:
            viewer.news.set()

    def close(self) -> None:
        """Send what is left, and let every browser go."""
        self.is_closed = True
        self.wake()


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """Something that a page may ask for, by a POST with the token.

    Attributes:
        read: makes of what was sent what is asked for; raises UsageError when it is nothing.
        do: does it and answers what is to be told; raises UsageError when that can't be done now.
    """

    read: Callable[[bytes], T]
    do: Callable[[T], Mapping[str, Any]]


def event_text(name: str, content: Any, event_id: str = "") -> str:
    """One server-sent event, after which a browser has everything up to its id."""
    return f"id: {event_id}\nevent: {name}\ndata: {json_text(content)}\n\n"


def json_text(content: Any) -> str:
    """Anything as JSON on one line; numbers that JSON doesn't have become null."""
    try:
        return json.dumps(content, separators=(",", ":"), allow_nan=False, default=str)
    except ValueError:
        return json.dumps(json.loads(json.dumps(content, default=str), parse_constant=lambda _: None))


# --- over HTTP --------------------------------------------------------------------------------------------------------


def create_app(
    stream: Stream, document: Document, asks: Mapping[str, Ask[Any]], *, allowed_hosts: Sequence[str]
) -> Starlette:
    """A page, its events, and what may be asked for.

    Args:
        stream: what is followed.
        document: what the browser loads first, at each of its paths.
        asks: what may be asked for, by path.
        allowed_hosts: the names (without port) under which it answers; any other Host gets 400.
    """

    async def page(request: Request) -> Response:
        return HTMLResponse(document.html, headers={"Cache-Control": "no-cache"})

    async def events(request: Request) -> Response:
        _admit(request, stream)
        return Response() if request.method == "HEAD" else _Events(stream, request.headers.get("last-event-id", ""))

    async def asked(request: Request) -> Response:
        _admit(request, stream)
        ask, content = asks[request.scope["route"].path], await _body(request)
        try:
            wanted = ask.read(content)
        except UsageError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None
        try:
            return JSONResponse(ask.do(wanted), HTTPStatus.ACCEPTED)
        except UsageError as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from None

    return Starlette(
        routes=[
            *(Route(path, page) for path in document.paths),
            Route("/events", events),
            *(Route(path, asked, methods=["POST"]) for path in asks),
        ],
        middleware=[
            Middleware(SecureHeaders, policy=document.policy),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False),
        ],
        exception_handlers={HTTPException: _refused},
    )


class _Events(Response):
    """Tells one browser what is new, until it goes or the page is closed."""

    media_type = "text/event-stream"

    def __init__(self, stream: Stream, last_event_id: str) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._stream, self._last_event_id = stream, last_event_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        viewer = self._stream.welcome(self._last_event_id)
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
            self._stream.viewers.discard(viewer)

    async def _next(self, viewer: Viewer) -> bytes:
        """What to send next; nothing when it is over."""
        await asyncio.sleep(self._stream.pause_s)
        while not viewer.is_gone:
            if (content := self._stream.news(viewer)) or self._stream.is_closed:
                return content
            viewer.news.clear()
            try:
                async with asyncio.timeout(self._stream.pulse_s):
                    await viewer.news.wait()
            except TimeoutError:
                return self._stream.news(viewer) or b":\n\n"
        return b""


async def _watch(receive: Receive, viewer: Viewer) -> None:
    """Notices that the browser goes."""
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.leave()


def _admit(request: Request, stream: Stream) -> None:
    """Refuse who hasn't the token, and what another site's page asks for."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none") or (origin is not None and not _is_own(origin, request)):
        raise HTTPException(HTTPStatus.FORBIDDEN, FOREIGN)
    # Not from the address, which lies in histories and logs.
    if not stream.knows(request.headers.get("authorization", "").removeprefix("Bearer ")):
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
async def open_stream(
    stream: Stream,
    document: Document,
    asks: Mapping[str, Ask[Any]],
    *,
    host: str,
    port: int,
    allowed_hosts: Sequence[str],
    announce: Callable[[str], None],
) -> AsyncIterator[None]:
    """Serve a page in the running loop, for as long as the context lasts.

    Args:
        stream: what is followed.
        document: what the browser loads first.
        asks: what may be asked for, by path.
        host: the address to bind.
        port: the port to bind; 0 takes any free one.
        allowed_hosts: the names (without port) under which it answers.
        announce: gets the page's address when it can be reached; the link is that, a `#` and the token.

    Raises:
        UsageError: that address can't be bound.
    """
    with bound(host, port, "--web-port") as listener:
        listener.setsockopt(SOL_SOCKET, SO_SNDBUF, SENT_AHEAD_BYTES)
        server = _Server(_config(create_app(stream, document, asks, allowed_hosts=allowed_hosts)))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        announce(address_of(listener, _name(host, allowed_hosts)))
        try:
            yield
        finally:
            stream.close()
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
