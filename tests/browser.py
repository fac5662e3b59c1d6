"""A real Chromium, driven through its remote-debugging pipe with nothing but the standard library.

The browser reads commands on file descriptor 3 and answers on 4: JSON messages, each ended by a NUL (Chromium's
`--remote-debugging-pipe`).  A `Browser` is one process with a fresh profile; `Browser.open` gives a `Tab` that
remembers every request, console error, exception and dialog of the page it shows.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
INSIDE = ("file:", "data:", "blob:", "about:")  # addresses that leave neither the page nor its folder


def chromium_path() -> str:
    """Where Chromium is; without one the test is skipped, or fails when it runs in CI."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = "no Chromium here (apt-get install chromium), so no page can be looked at"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


@dataclass
class Tab:
    """One page, and what happened in it."""

    browser: Browser
    session: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.command(method, session=self.session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"]["exception"].get("description", answer))
        return answer["result"].get("value")

    def wait_for(self, expression: str, within_s: float = 20) -> None:
        """Returns as soon as the expression is true.

        Raises:
            AssertionError: it was not, in time; the message holds what the page complained about.
        """
        deadline_s = time.monotonic() + within_s
        while not self.evaluate(expression):
            if time.monotonic() > deadline_s:
                raise AssertionError(f"{expression} stayed false for {within_s} s; {self.complaints}")
            time.sleep(0.02)

    def resize(self, width_px: int, height_px: int) -> None:
        size = {"width": width_px, "height": height_px, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", **size)

    def prefer(self, colour_scheme: str = "light", medium: str = "") -> None:
        scheme = {"name": "prefers-color-scheme", "value": colour_scheme}
        self.command("Emulation.setEmulatedMedia", media=medium, features=[scheme])

    def go(self, url: str) -> None:
        self.command("Page.navigate", url=url)
        self.wait_for(f"document.readyState === 'complete' && location.href.startsWith({url[:5]!r})")

    def screenshot(self, path: Path, *, whole_page: bool = False) -> None:
        answer = self.command("Page.captureScreenshot", captureBeyondViewport=whole_page)
        path.write_bytes(base64.b64decode(answer["data"]))

    def outside_requests(self, own: str = "file:") -> list[str]:
        """Every address asked for that is neither in the page nor under `own`."""
        return [url for url in self.requests if not url.startswith((*INSIDE, own))]

    def note(self, method: str, event: dict[str, Any]) -> None:
        """Remembers one event of the DevTools protocol."""
        if method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(event["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
            self.complaints.append(event["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(event["message"])
            self.browser.send("Page.handleJavaScriptDialog", session=self.session, accept=False)


class Browser:
    """A Chromium of our own, gone when the `with` block ends."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._tabs: dict[str, Tab] = {}

    def __enter__(self) -> Self:
        self._profile = tempfile.mkdtemp(prefix="rowsync-chromium-")
        child_reads, self._to = os.pipe()
        self._from, child_writes = os.pipe()
        self._pid = _spawn((self._path, *FLAGS, f"--user-data-dir={self._profile}"), child_reads, child_writes)
        os.close(child_reads)
        os.close(child_writes)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self.send("Browser.close")
        if not _ended(self._pid, within_s=5):
            os.killpg(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._to)
        os.close(self._from)
        _remove(self._profile)

    @contextlib.contextmanager
    def open(self, url: str, *, width_px: int = 1280, height_px: int = 900, scheme: str = "light") -> Iterator[Tab]:
        """Shows a page in a tab of its own, and closes the tab afterwards."""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = self._tabs[session] = Tab(self, session)
        for domain in ("Page", "Network", "Runtime", "Log"):
            tab.command(f"{domain}.enable")
        tab.resize(width_px, height_px)
        tab.prefer(scheme)
        try:
            tab.go(url)
            yield tab
        finally:
            self.command("Target.closeTarget", targetId=target)
            del self._tabs[session]

    def command(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer, noting the events that come first."""
        number = self.send(method, session, **parameters)
        while True:
            message = self._receive()
            if message.get("id") == number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return message["result"]
            if "method" in message and (tab := self._tabs.get(message.get("sessionId", ""))):
                tab.note(message["method"], message["params"])

    def send(self, method: str, session: str | None = None, **parameters: Any) -> int:
        """Sends a command without waiting; returns its number."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        data = memoryview(json.dumps(message).encode() + b"\0")
        while data:
            data = data[os.write(self._to, data) :]
        return number

    def _receive(self, within_s: float = 30) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], within_s)
            chunk = os.read(self._from, 1 << 16) if ready else b""
            if not chunk:
                raise AssertionError("Chromium closed its pipe" if ready else f"Chromium was silent for {within_s} s")
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer


def _spawn(arguments: tuple[str, ...], child_reads: int, child_writes: int) -> int:
    """Starts a process group whose descriptors 3 and 4 are our pipe."""
    import fcntl

    # Lifted out of the way first, or the first dup2 could overwrite the other's source.
    high_reads, high_writes = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (child_reads, child_writes))
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, high_reads, 3),
        (os.POSIX_SPAWN_DUP2, high_writes, 4),
    ]
    try:
        return os.posix_spawn(arguments[0], arguments, os.environ, file_actions=actions, setpgroup=0)
    finally:
        os.close(high_reads)
        os.close(high_writes)


def _ended(pid: int, within_s: float) -> bool:
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return True
        time.sleep(0.02)
    return False


def _remove(folder: str) -> None:
    """Deletes the profile; Chromium's last children may still be writing there for a moment."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.1)
