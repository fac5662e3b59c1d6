"""The pages over HTTP, for this machine only unless more hosts are allowed.

Every answer forbids scripts of others, framing, sniffing and referrers; a request for a host that isn't ours is
refused before any store is read (DNS rebinding).  Nothing here changes anything: GET only.
"""

from __future__ import annotations

import functools
import gzip
import html
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

import pandas as pd
import plotly
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dashboards.compare import MOST_EARLIER, is_comparable
from dashboards.compare_page import compare_page
from dashboards.history_page import EVERYBODY, history_page, newest_first
from dashboards.page import PLOTLY_FILE, page, plotly_script, policy, quoted
from dashboards.programme_page import programme_page
from dashboards.session_page import session_page
from dashboards.web import LOOPBACK_HOSTS, SecureHeaders, address_of, bound
from rowsync.errors import RowsyncError, SessionNotFound

ROWS_PER_PAGE = 100


class Store(Protocol):
    """What the pages read."""

    def index(self) -> pd.DataFrame:
        """One row per session."""

    def summary(self, session_id: str) -> dict[str, Any]:
        """The JSON of `rowsync show`; raises SessionNotFound."""

    def compared(self, summary: dict[str, Any]) -> dict[str, Any]:
        """A summary with what came `before` it by the same plan."""

    def last_times(self, summary: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
        """The sessions before it by the same plan, newest first, as `rowsync.comparison.comparable_fields`."""

    def samples(self, session_id: str) -> pd.DataFrame:
        """The samples of a session; raises SessionNotFound."""


def create_app(
    store: Store,
    *,
    programme: Callable[[str | None], Mapping[str, Any]] | None = None,
    allowed_hosts: Sequence[str] = LOOPBACK_HOSTS,
) -> Starlette:
    """The pages of a store.

    Args:
        store: read anew for each request, in a thread.
        programme: the JSON of `rowsync programme` for an athlete, None for the default one; without it there is no
            page of it.
        allowed_hosts: the names (without port) under which it answers; any other Host gets 400.
    """

    def history(request: Request) -> Response:
        index, athlete = store.index(), request.query_params.get("athlete")
        rows = len(index) if athlete is None else int((index["athlete"] == athlete).sum())
        if athlete is not None and not rows:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        last = max(1, -(-rows // ROWS_PER_PAGE))
        content = history_page(
            index,
            session_link=_session_path,
            athlete=athlete,
            athlete_link=_athlete_path,
            programme_address=None if programme is None else _programme_path(athlete),
            page_number=min(last, max(1, _whole(request.query_params.get("page")))),
            rows_per_page=ROWS_PER_PAGE,
        )
        return _html(content)

    def session(request: Request) -> Response:
        session_id = request.path_params["session_id"]
        summary, samples = store.compared(store.summary(session_id)), store.samples(session_id)
        compare = _path("compare", session_id) if is_comparable(summary) else None
        return _html(session_page(summary, samples, home="/", compare=compare, plotly_address=f"/{PLOTLY_FILE}"))

    def compared(request: Request) -> Response:
        session_id = request.path_params["session_id"]
        summary = store.summary(session_id)
        return _html(
            compare_page(
                summary,
                store.last_times(summary, MOST_EARLIER),
                session=_session_path(session_id),
                session_link=_session_path,
                rows=lambda: newest_first(store.index()),
                plotly_address=f"/{PLOTLY_FILE}",
            )
        )

    def done(request: Request) -> Response:
        if programme is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return _html(programme_page(programme(request.query_params.get("athlete")), home="/"))

    return Starlette(
        routes=[
            Route("/", history),
            Route("/programme", done),
            Route("/session/{session_id}", session),
            Route("/compare/{session_id}", compared),
            Route(f"/{PLOTLY_FILE}", _plotly),
        ],
        middleware=[
            Middleware(SecureHeaders, policy=policy()),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False),
        ],
        exception_handlers={RowsyncError: _failed, HTTPException: _refused},
    )


def serve(app: Starlette, host: str, port: int, *, announce: Callable[[str], None] | None = None) -> None:
    """Serves until interrupted.

    Args:
        app: from `create_app`.
        host: the address to bind.
        port: the port to bind; 0 takes any free one.
        announce: called once with the pages' address, when they can be reached.

    Raises:
        UsageError: that address can't be bound.
    """
    with bound(host, port) as listener:
        if announce is not None:
            announce(address_of(listener, host))
        config = uvicorn.Config(
            app,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _session_path(session_id: str) -> str:
    return _path("session", session_id)


def _path(kind: str, session_id: str) -> str:
    return f"/{kind}/{quoted(session_id)}"


def _athlete_path(name: str) -> str:
    return "/" if name == EVERYBODY else f"/?athlete={quoted(name)}"


def _programme_path(athlete: str | None) -> str:
    return "/programme" + ("" if athlete is None else f"?athlete={quoted(athlete)}")


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else 1


def _html(content: str, status: int = HTTPStatus.OK) -> HTMLResponse:
    # A page about someone's heart stays out of caches.
    return HTMLResponse(content, status_code=status, headers={"Cache-Control": "no-store"})


def _plotly(request: Request) -> Response:
    tag = f'"plotly-{plotly.__version__}"'
    headers = {"Cache-Control": "private, max-age=86400", "ETag": tag, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(_plotly_bytes(packed), headers=headers, media_type="text/javascript")


@functools.cache
def _plotly_bytes(packed: bool) -> bytes:
    return gzip.compress(plotly_script(), compresslevel=6, mtime=0) if packed else plotly_script()


def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, SessionNotFound):
        return _message(HTTPStatus.NOT_FOUND, "There is no such session", "It may have been removed or renamed.")
    return _message(HTTPStatus.INTERNAL_SERVER_ERROR, "This could not be read", str(error))


def _refused(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.NOT_FOUND:
        return _message(status, "There is no such page", "The address may be mistyped.")
    return _message(status, status.phrase, status.description)


def _message(status: HTTPStatus, title: str, text: str) -> Response:
    body = (
        f"<header><h1>{html.escape(title)}</h1></header>\n<main><p>{html.escape(text)}</p>"
        '<p><a href="/">All sessions</a> lists what is stored.</p></main>'
    )
    return _html(page(title, body), status)
