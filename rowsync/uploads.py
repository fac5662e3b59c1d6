"""Sessions sent to a service when somebody asks, and what became of each; the only door to httpx.

    <data>/uploads.json   {"intervals.icu": {"<session>": {"at": "2026-11-02T18:30:00Z", "status": 200, "id": "i1234"}}}

What the service answers is believed, and nothing else: a session is sent when it says so.  A service that is busy or
doesn't answer is asked again, some times; that this doesn't make two of one is for the service to see, by the session's
id (`external_id`).
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from rowsync import __version__
from rowsync.errors import RecordingError, StoreError, UploadError, UsageError
from rowsync.files import locked, replacing
from rowsync.seal import SEAL, sealed, unsealed
from rowsync.wording import count, outside_text, stamp

FILE = "uploads.json"

INTERVALS_ICU = "intervals.icu"
INTERVALS_ICU_URL = "https://intervals.icu"
KEY = "ROWSYNC_INTERVALS_ICU_KEY"
"""The environment variable that may hold the personal key."""

PAUSES_S = (1.0, 3.0, 10.0)
"""How long is waited before a service is asked again [s]; then it is given up."""

LONGEST_PAUSE_S = 60.0
"""A service that asks for more patience than this is tried another day [s]."""

ANSWER_S = 30.0
"""How long a service may take to answer [s]."""

ASK_AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""The HTTP statuses after which asking again may help (RFC 9110, RFC 6585)."""

REFUSED_KEY = (401, 403)
"""The HTTP statuses of a key that isn't taken (RFC 9110)."""

LONGEST_ANSWER = 200


class Service(NamedTuple):
    """Where sessions are sent, and as whom.

    Attributes:
        url: without a path; encrypted, unless it is this computer.
        key: the personal key; never shown.
    """

    url: str
    key: str

    def __repr__(self) -> str:
        return f"Service({self.url!r})"


@dataclass(frozen=True, slots=True)
class Upload:
    """What became of a session.

    Attributes:
        at: when.
        status: the HTTP status that was answered; None when nothing was.
        id: what the service calls it; None when it didn't say.
        error: why it wasn't sent; None when it was.
    """

    at: str
    status: int | None = None
    id: str | None = None
    error: str | None = None

    @property
    def is_sent(self) -> bool:
        """Whether the service has it."""
        return self.error is None

    @property
    def is_for_all(self) -> bool:
        """Whether the service would answer the same to any other session now."""
        return self.error is not None and (self.status is None or self.status in (*REFUSED_KEY, *ASK_AGAIN))


def service(url: str | None, key: str | None) -> Service:
    """intervals.icu, or what stands in for it.

    Raises:
        UsageError: there is no key, or the address can't be used.
    """
    where = (url or INTERVALS_ICU_URL).rstrip("/")
    if key is None:
        raise UsageError(
            f"intervals.icu wants your personal key (Settings, Developer). Put it into {KEY}, or into a file that "
            "[intervals_icu] key_file names."
        )
    try:
        parts = urlsplit(where)
        is_sound = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        is_sound = False
    if not is_sound:
        raise UsageError(f"In [intervals_icu], url = {where!r} is no address such as {INTERVALS_ICU_URL}")
    if parts.scheme == "http" and not _is_here(parts.hostname or ""):
        raise UsageError(
            f"In [intervals_icu], url = {where!r} isn't encrypted: everybody on the way would see the key."
        )
    if not key.isascii() or not key.isprintable():
        raise UsageError("The key of intervals.icu has letters that no key has.")
    return Service(where, key)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def connected(to: Service) -> Iterator[httpx.Client]:
    """A connection for several sessions; the service is asked nothing yet.

    Raises:
        UsageError: none can be made as this computer is set up.
    """
    try:
        client = httpx.Client(
            base_url=to.url,
            auth=("API_KEY", to.key),
            headers={"User-Agent": f"rowsync/{__version__}"},
            timeout=ANSWER_S,
            follow_redirects=False,  # a key goes nowhere but where it was meant to
        )
    except (httpx.InvalidURL, ImportError, ValueError, OSError) as error:
        raise UsageError(
            f"No connection to {to.url} can be made ({outside_text(error, LONGEST_ANSWER)}). It is set up by "
            "[intervals_icu] url and, where they are set, by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and SSL_CERT_FILE."
        ) from None
    with client:
        yield client


def send(
    client: httpx.Client,
    session_id: str,
    name: str,
    content: bytes,
    now: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
) -> Upload:
    """Send a session's FIT file.

    `POST /api/v1/athlete/0/activities` with the file as multipart/form-data, the name and the session's id as
    `external_id`; the user is `API_KEY`, the password the key.  Source: the API's cookbook, intervals.icu forum, 80090.

    Args:
        client: where, and as whom.
        session_id: by which the service knows it again.
        name: what it is called there.
        content: the file.
        now: what time it is, in UTC.
        pause: waits so long [s].

    Returns:
        What became of it, whatever that was.
    """
    answer: httpx.Response | None = None
    why = ""
    for wait_s in (*PAUSES_S, None):
        try:
            answer = _post(client, session_id, name, content)
        except httpx.HTTPError as error:
            answer, why = None, outside_text(error, LONGEST_ANSWER) or type(error).__name__
        if answer is not None and answer.status_code not in ASK_AGAIN:
            break
        asked_s = _asked_s(answer)
        if wait_s is None or asked_s > LONGEST_PAUSE_S:
            break
        pause(max(wait_s, asked_s))
    if answer is None:
        return Upload(stamp(now()), error=f"it doesn't answer ({why})")
    return _read(answer, stamp(now()))


def _post(client: httpx.Client, session_id: str, name: str, content: bytes) -> httpx.Response:
    return client.post(
        "/api/v1/athlete/0/activities",
        params={"name": name, "external_id": session_id},
        files={"file": (f"{session_id}.fit", content, "application/octet-stream")},
    )


def _asked_s(answer: httpx.Response | None) -> float:
    """How long the service asks to be left in peace (RFC 9110, 10.2.3) [s]."""
    text = answer.headers.get("retry-after", "") if answer is not None else ""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0


def _read(answer: httpx.Response, at: str) -> Upload:
    status = answer.status_code
    if answer.is_success:
        return Upload(at, status, _id(answer))
    said = outside_text(answer.text, LONGEST_ANSWER)
    return Upload(at, status, error=f"{_MEANS.get(status, 'it refuses')} ({status}{f', {said}' if said else ''})")


_MEANS: Mapping[int, str] = {
    **dict.fromkeys(REFUSED_KEY, "the key isn't taken"),
    **dict.fromkeys(ASK_AGAIN, "it is in trouble; try again later"),
}


def _id(answer: httpx.Response) -> str | None:
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        return None
    value = found.get("id") if isinstance(found, dict) else None
    return outside_text(value, 40) if isinstance(value, (str, int)) else None


# --- what became of them ----------------------------------------------------------------------------------------------


def uploads(folder: Path, to: str = INTERVALS_ICU) -> dict[str, Upload]:
    """What became of each session that was to be sent, by its id.

    Args:
        folder: the data folder.
        to: the service.

    Raises:
        RecordingError: the file can't be read.
    """
    of_service = _everything(folder / FILE).get(to)
    kept = of_service if isinstance(of_service, dict) else {}
    return {session_id: upload for session_id, said in kept.items() if (upload := _upload(said)) is not None}


def keep_upload(folder: Path, session_id: str, upload: Upload, to: str = INTERVALS_ICU) -> None:
    """Keep what became of a session.

    Raises:
        RecordingError: the file can't be read; it stays as it is.
        StoreError: it can't be written; it stays as it was.
    """
    path = folder / FILE
    try:
        with locked(folder):
            content = _everything(path)
            said = {key: value for key, value in asdict(upload).items() if value is not None}
            content[to] = (content[to] if isinstance(content.get(to), dict) else {}) | {session_id: said}
            with replacing(path) as file:
                file.write(sealed(content))
    except OSError as error:
        raise StoreError(f"{path} can't be written ({error.strerror}), so it isn't known what was sent.") from None


def _everything(path: Path) -> dict[str, Any]:
    try:
        content = unsealed(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise RecordingError(
            f"{path}, which says what was sent, can't be read, or was altered. Mend it and take its {SEAL} out, or "
            "move it away."
        )
    return content


def _upload(said: Any) -> Upload | None:
    if not isinstance(said, dict) or not isinstance(said.get("at"), str):
        return None
    status, of_service, error = said.get("status"), said.get("id"), said.get("error")
    return Upload(
        at=said["at"],
        status=status if type(status) is int else None,
        id=of_service if isinstance(of_service, str) else None,
        error=error if isinstance(error, str) else None,
    )


def refuse_failures(failed: Mapping[str, Upload], untried: int = 0, to: str = INTERVALS_ICU) -> None:
    """Say which sessions weren't sent.

    Args:
        failed: what became of those that were tried.
        untried: how many weren't even tried, after what became of the last one.
        to: the service.

    Raises:
        UploadError: some weren't.
    """
    if failed:
        lines = [f"{session_id}: {upload.error}" for session_id, upload in failed.items()]
        if untried:
            lines.append(f"Nor {count(untried, 'more session')}, which {'was' if untried == 1 else 'were'} not tried.")
        raise UploadError("\n".join((f"{to} didn't take:", *lines, "rowsync upload tries again.")))
