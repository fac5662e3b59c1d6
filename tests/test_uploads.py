"""Uploads, against a service that stands in: what is sent, what is believed, and what is asked again."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.errors import RecordingError, UploadError, UsageError
from rowsync.uploads import FILE, PAUSES_S, Upload, connected, keep_upload, refuse_failures, send, service, uploads

NOW = datetime(2026, 11, 2, 18, 30, tzinfo=UTC)
KEY = "k3y"
FIT = b"\x0e\x10 a file \r\n--boundary"


class StandIn(ThreadingHTTPServer):
    """A service that answers what it was told to, the last answer for ever."""

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Request)
        self.answers, self.asked = list(answers), []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Request(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        answers = self.server.answers
        status, headers, content = answers.pop(0) if len(answers) > 1 else answers[0]
        if status is None:
            self.connection.close()
            return
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        """Nothing."""


@contextmanager
def standing_in(*answers):
    with StandIn(*answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def answer(status, content=b"", **headers):
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, content


def sent(server, session_id="20261102T183000Z-0000", name="10 x 45 s"):
    waited = []
    with connected(service(server.url, KEY)) as client:
        upload = send(client, session_id, name, FIT, lambda: NOW, waited.append)
    return upload, waited


def test_the_file_goes_out_with_the_key_its_name_and_the_sessions_id():
    with standing_in(answer(200, b'{"id": "i123", "activities": []}')) as server:
        upload, waited = sent(server)
    assert upload == Upload("2026-11-02T18:30:00Z", 200, "i123")
    assert upload.is_sent
    assert waited == []
    ((path, headers, body),) = server.asked
    assert path == "/api/v1/athlete/0/activities?name=10+x+45+s&external_id=20261102T183000Z-0000"
    assert base64.b64decode(headers["Authorization"].split()[1]) == b"API_KEY:k3y"
    assert headers["Content-Type"].startswith("multipart/form-data")
    assert FIT in body
    assert b'filename="20261102T183000Z-0000.fit"' in body


@pytest.mark.parametrize("trouble", [answer(500), answer(503, Retry_After="2"), answer(429), answer(None)])
def test_a_service_in_trouble_is_asked_again_and_then_believed(trouble):
    with standing_in(trouble, trouble, answer(201, b"{}")) as server:
        upload, waited = sent(server)
    assert (upload.status, upload.error) == (201, None)
    assert waited == [max(2.0, PAUSES_S[0]) if trouble[1] else PAUSES_S[0], PAUSES_S[1]]


def test_a_service_that_stays_in_trouble_has_not_got_it():
    with standing_in(answer(500, b"<b>\x1b[2Joops")) as server:
        upload, waited = sent(server)
    assert waited == list(PAUSES_S)
    assert not upload.is_sent
    assert upload.status == 500
    assert "try again later (500" in upload.error
    assert "\x1b" not in upload.error


@pytest.mark.parametrize(
    ("status", "says"), [(401, "the key isn't taken"), (403, "the key isn't taken"), (422, "refuses"), (302, "refuses")]
)
def test_a_service_that_refuses_is_asked_once(status, says):
    with standing_in(answer(status, b"why", Location="http://127.0.0.1:9/")) as server:
        upload, waited = sent(server)
    assert (len(server.asked), waited, upload.status) == (1, [], status)
    assert says in upload.error
    assert KEY not in upload.error


def test_nobody_there_is_said_and_so_is_more_patience_than_one_has():
    with standing_in(answer(200)) as server:
        url = server.url
    with connected(service(url, KEY)) as client:
        upload = send(client, "s", "n", FIT, lambda: NOW, lambda seconds: None)
    assert (upload.status, upload.is_sent) == (None, False)
    with standing_in(answer(429, Retry_After="86400")) as server:
        upload, waited = sent(server)
    assert waited == []
    assert "try again later" in upload.error


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id": {"a": 1}}', b"\xff", b"[" * 100_000])
def test_a_success_is_one_whatever_else_is_said(body):
    with standing_in(answer(200, body)) as server:
        upload, _ = sent(server)
    assert (upload.is_sent, upload.id) == (True, None)


@pytest.mark.parametrize(
    ("url", "key", "says"),
    [
        (None, None, "personal key"),
        ("http://example.org", "k", "isn't encrypted"),
        ("ftp://example.org", "k", "no address"),
        ("https://[", "k", "no address"),
        (None, "k\u00e9y", "letters that no key has"),
        (None, "k\ny", "letters that no key has"),
    ],
)
def test_what_would_not_work_or_not_be_safe_is_refused_before_anything_is_sent(url, key, says):
    with pytest.raises(UsageError, match=says):
        service(url, key)
    assert "k3y" not in repr(service(None, KEY))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "nonsense://there"),
        ("HTTPS_PROXY", "http://there:port"),
        ("HTTP_PROXY", "socks5://127.0.0.1:1"),
        ("SSL_CERT_FILE", "/there/is/none"),
    ],
)
def test_a_computer_set_up_so_that_nothing_can_be_sent_is_told_what_to_look_at(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=variable), connected(service(None, KEY)):
        pass


@pytest.mark.parametrize(
    ("became", "is_for_all"),
    [
        (Upload("", 200), False),
        (Upload("", 422, error="no"), False),
        (Upload("", 401, error="no"), True),
        (Upload("", 503, error="no"), True),
        (Upload("", error="it doesn't answer"), True),
    ],
)
def test_a_service_that_takes_no_session_is_told_from_one_that_does_not_take_this_one(became, is_for_all):
    assert became.is_for_all is is_for_all


def test_what_became_of_sessions_is_kept_in_a_file_of_ones_own(tmp_path):
    assert uploads(tmp_path) == {}
    well, not_well = Upload("2026-11-02T18:30:00Z", 200, "i1"), Upload("2026-11-02T18:31:00Z", 401, error="no")
    keep_upload(tmp_path, "a", not_well)
    keep_upload(tmp_path, "a", well)
    keep_upload(tmp_path, "b", not_well)
    assert uploads(tmp_path) == {"a": well, "b": not_well}
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    with pytest.raises(UploadError, match="b: no"):
        refuse_failures({"b": not_well})
    refuse_failures({})


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff"])
def test_a_file_that_cannot_be_read_is_named_and_left_as_it_is(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(RecordingError, match=FILE):
        keep_upload(tmp_path, "a", Upload("2026-11-02T18:30:00Z"))
    assert (tmp_path / FILE).read_bytes() == content


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
LIKE_OURS = st.fixed_dictionaries({"at": st.text(max_size=5)}, optional={"status": JSON, "id": JSON, "error": JSON})
SESSIONS = st.dictionaries(st.text(max_size=5), LIKE_OURS | JSON, max_size=3)
SERVICES = st.just("intervals.icu") | st.text(max_size=5)


@given(st.dictionaries(SERVICES, SESSIONS | JSON, max_size=3))
def test_whatever_the_file_says_is_read_as_far_as_it_makes_sense(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    (folder / FILE).write_text(json.dumps(content))
    assert all(isinstance(each, Upload) for each in uploads(folder).values())
