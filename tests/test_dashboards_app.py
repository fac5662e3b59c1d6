from __future__ import annotations

import asyncio
import gzip
import html
import re
import socket
import threading
from datetime import date
from http.client import HTTPConnection
from importlib.resources import files

import httpx
import pytest
from plotly.offline import get_plotlyjs

from dashboards.app import create_app, serve
from rowsync.errors import RecordingError, SessionNotFound, UsageError
from rowsync.programme import load_programme, overview, week_by_week
from tests.test_dashboards_demo import demo_earlier, demo_index, demo_samples, demo_summary

SESSION_ID = "20261123T163000Z-7f3a"


class MemoryStore:
    """A store of one session, as `rowsync.store` answers; it remembers in which threads it was read."""

    def __init__(self):
        self.threads = set()
        self._samples = demo_samples()

    def index(self):
        self.threads.add(threading.get_ident())
        return demo_index(250)

    def summary(self, session_id):
        self.threads.add(threading.get_ident())
        if session_id == "torn":
            raise RecordingError("The file <torn>.parquet is damaged.")
        if session_id != SESSION_ID:
            raise SessionNotFound(f"no session {session_id}")
        return demo_summary(self._samples)

    def compared(self, summary):
        return summary | {"before": self.last_times(summary, 1)[0]}

    def last_times(self, summary, most):
        return demo_earlier(summary, most)

    def samples(self, session_id):
        return self._samples


PLANNED = load_programme((files("rowsync") / "programme.toml").read_text(encoding="utf-8"))
TODAY = date(2026, 11, 29)
WEEKS = week_by_week(PLANNED, [], [], TODAY, TODAY)
OVERVIEW = overview(PLANNED, WEEKS, athlete="Anna", mass_kg=None, started=TODAY, today=TODAY)


@pytest.fixture(scope="module")
def store():
    return MemoryStore()


@pytest.fixture(scope="module")
def app(store):
    return create_app(store)


def ask(app, path, method="GET", base_url="http://127.0.0.1:8765", **more):
    async def asked():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
            return await client.request(method, path, **more)

    return asyncio.run(asked())


def test_the_history_links_its_sessions(app):
    answer = ask(app, "/")
    assert answer.status_code == 200
    assert 'href="/session/2026-demo-0249"' in answer.text


@pytest.mark.parametrize(
    ("query", "said"),
    [("", "page 1 of 3"), ("?page=3", "page 3 of 3"), ("?page=99", "page 3 of 3"), ("?page=-1", "page 1 of 3")],
)
def test_a_long_history_is_turned_page_by_page(app, query, said):
    assert said in ask(app, f"/{query}").text


@pytest.mark.parametrize("query", ["?page=²", "?page=" + "9" * 5_000, "?page=%00", "?page=1;drop"])
def test_an_odd_page_number_is_the_first_page(app, query):
    assert "page 1 of 3" in ask(app, f"/{query}").text


class TwoAthletes(MemoryStore):
    """A store of two people, one of whom has a name that hurts."""

    def index(self):
        index = super().index().astype({"athlete": "object"})
        index.loc[:9, "athlete"] = "a&b <i>"
        return index


def test_each_athlete_has_a_history_of_ones_own():
    app = create_app(TwoAthletes())
    everybody = ask(app, "/").text
    (address,) = re.findall(r'<nav class="athletes".*<a href="(/\?athlete=a[^"]*)"', everybody)
    own = ask(app, html.unescape(address)).text
    assert "a&amp;b &lt;i&gt;" in re.search("<h1>(.*)</h1>", own)[1]
    assert own.count('<th scope="row" class="word"><a') == 10
    assert ask(app, "/?athlete=Anna&page=3").text.count('rel="prev" href="?page=2&amp;athlete=Anna"') == 1
    assert ask(app, "/?athlete=nobody").status_code == 404


def test_the_programme_is_linked_and_shown_where_there_is_one(app):
    asked = []
    with_one = create_app(MemoryStore(), programme=lambda athlete: asked.append(athlete) or OVERVIEW)
    assert 'href="/programme"' in ask(with_one, "/").text
    assert "Left of this week" in ask(with_one, "/programme?athlete=Anna").text
    assert asked == ["Anna"]
    assert "/programme" not in ask(app, "/").text
    assert ask(app, "/programme").status_code == 404


def test_a_session_has_its_page(app):
    answer = ask(app, f"/session/{SESSION_ID}")
    assert answer.status_code == 200
    assert "Monday 23 November 2026" in answer.text
    assert '<script src="/plotly.min.js">' in answer.text
    assert '<a href="/">' in answer.text


def test_a_session_leads_to_its_comparison_and_back(app):
    assert f'<a href="/compare/{SESSION_ID}">' in ask(app, f"/session/{SESSION_ID}").text
    answer = ask(app, f"/compare/{SESSION_ID}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "stronger than on 19 November" in answer.text
    assert f'<a href="/session/{SESSION_ID}">← This session</a>' in answer.text
    assert answer.text.count('<a href="/session/2026-earlier-') == 5


@pytest.mark.parametrize(
    "path",
    [
        "/session/unknown",
        "/compare/unknown",
        "/compare/..%2f..%2fetc",
        "/session/%3Cscript%3E",
        "/session/..%2f..%2fetc",
        "/nothing",
    ],
)
def test_what_is_not_there_is_404_and_shows_a_way_on(app, path):
    answer = ask(app, path)
    assert answer.status_code == 404
    assert '<a href="/">All sessions</a>' in answer.text
    assert "<script>" not in answer.text


def test_a_damaged_session_is_said_plainly(app):
    answer = ask(app, "/session/torn")
    assert answer.status_code == 500
    assert "The file &lt;torn&gt;.parquet is damaged." in answer.text


@pytest.mark.parametrize("base_url", ["http://127.0.0.1", "http://localhost:8765", "http://[::1]:8765"])
def test_this_machine_is_answered(app, base_url):
    assert ask(app, "/", base_url=base_url).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8765", "", "a b"])
def test_a_foreign_host_is_refused_before_the_store_is_read(host):
    store = MemoryStore()
    answer = ask(create_app(store), "/", headers={"Host": host})
    assert answer.status_code == 400
    assert store.threads == set()


def test_another_host_can_be_allowed(store):
    app = create_app(store, allowed_hosts=["gym.local"])
    assert ask(app, "/", base_url="http://gym.local:8765").status_code == 200
    assert ask(app, "/", base_url="http://127.0.0.1:8765").status_code == 400


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        (f"/session/{SESSION_ID}", {}),
        (f"/compare/{SESSION_ID}", {}),
        ("/plotly.min.js", {}),
        ("/nothing", {}),
        ("/", {"Host": "evil.example"}),
    ],
)
def test_every_answer_carries_the_security_headers(app, path, headers):
    answered = ask(app, path, headers=headers).headers
    assert answered["x-content-type-options"] == "nosniff"
    assert answered["referrer-policy"] == "no-referrer"
    assert answered["content-security-policy"].startswith("default-src 'none'; script-src 'self' 'sha256-")
    assert answered["content-security-policy"].endswith("; frame-ancestors 'none'")
    assert "access-control-allow-origin" not in answered


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", f"/session/{SESSION_ID}", "/plotly.min.js"])
def test_nothing_can_be_changed(app, method, path):
    assert ask(app, path, method=method).status_code == 405


def test_pages_stay_out_of_caches(app):
    assert ask(app, f"/session/{SESSION_ID}").headers["cache-control"] == "no-store"


def test_plotly_is_sent_packed_and_only_once(app):
    packed = ask(app, "/plotly.min.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == get_plotlyjs()
    assert int(packed.headers["content-length"]) < 1_600_000
    again = ask(app, "/plotly.min.js", headers={"If-None-Match": packed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_plotly_is_sent_plain_to_those_who_cannot_unpack(app):
    plain = ask(app, "/plotly.min.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.compress(plain.content, mtime=0)[:2] == b"\x1f\x8b"
    assert plain.headers["content-type"].startswith("text/javascript")


def test_the_store_is_read_outside_the_event_loop(app, store):
    ask(app, "/")
    assert threading.get_ident() not in store.threads


def test_a_taken_port_is_said_plainly(app):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UsageError, match=r"can't be served at 127\.0\.0\.1:\d+: .*Choose another with --port"):
            serve(app, "127.0.0.1", other.getsockname()[1])


@pytest.mark.parametrize("port", [-1, 65_536])
def test_an_impossible_port_is_said_plainly(app, port):
    with pytest.raises(UsageError, match="Choose another with --port"):
        serve(app, "127.0.0.1", port)


def test_the_pages_are_reached_at_the_address_that_is_announced(app):
    addresses = []
    announced = threading.Event()

    def announce(address):
        addresses.append(address)
        announced.set()

    threading.Thread(target=serve, args=(app, "127.0.0.1", 0), kwargs={"announce": announce}, daemon=True).start()
    assert announced.wait(5)
    port = int(addresses[0].removeprefix("http://127.0.0.1:").rstrip("/"))
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/nothing")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("server")) == (404, None)
    answer.read()
    connection.close()
