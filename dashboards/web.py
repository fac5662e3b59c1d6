"""What the pages of stored sessions and the live page share as web servers: headers, and a port to listen on."""

from __future__ import annotations

import socket

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rowsync.errors import UsageError

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""The names under which only this computer reaches a page."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class SecureHeaders:
    """Adds the security headers to every answer, refusals included.

    Args:
        app: what answers.
        policy: the content security policy of its pages; framing is forbidden besides.
    """

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = HEADERS | {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and marks the answer."""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_marked)


def bound(host: str, port: int, option: str = "--port") -> socket.socket:
    """A socket that listens at an address.

    Args:
        host: the address to bind.
        port: the port to bind; 0 takes any free one.
        option: how another port is chosen on the command line.

    Raises:
        UsageError: that address can't be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"The pages can't be served at {host}:{port}: {reason}. Choose another with {option}."
        ) from error
    return listener


def address_of(listener: socket.socket, name: str) -> str:
    """The address of the page that a listening socket serves, for whoever knows its host by a name."""
    return f"http://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}/"
