"""Attacks 4, 6 and 7: any page in the user's browser, and what stands in rowsync's own."""

from __future__ import annotations

import asyncio
import os
import re
import select
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from dashboards.app import create_app
from dashboards.live import LivePage, create_live_app
from dashboards.report import write_compare_report, write_history_report, write_session_report
from dashboards.web import LOOPBACK_HOSTS, bound
from tests.browser import Browser, chromium_path
from tests.conftest import ROOT
from tests.test_dashboards_app import MemoryStore, ask
from tests.test_dashboards_demo import demo_earlier, demo_index, demo_samples, demo_summary
from tests.test_dashboards_live import TOKEN, Asked
from tests.torture.planted import holds, versions

# --- 4: markup and scripts on pages -----------------------------------------------------------------------------------

ELSEWHERE = "http://127.0.0.1:9/"
"""Nobody is there, and nobody may be asked."""

INJECTED = (
    "<script>alert(1)</script>",
    f"<img src='{ELSEWHERE}x' onerror='alert(1)'>",
    f"\"><iframe src='{ELSEWHERE}'></iframe>",
    f"</title></script><svg onload='alert(1)'><link rel='stylesheet' href='{ELSEWHERE}'>",
    f"<a href='javascript:alert(1)'>x</a><meta http-equiv='refresh' content='0;url={ELSEWHERE}'>",
)


@pytest.fixture(scope="module")
def browser():
    with Browser(chromium_path()) as browser:
        yield browser


def written(folder):
    """Every page of rowsync's with a stranger's text wherever one may stand."""
    samples = demo_samples()
    athlete, plan, origin, machine, reason = INJECTED
    summary = demo_summary(samples, athlete=athlete, plan=plan, origin=origin, machine={"name": machine})
    summary["gaps"][0]["reason"] = reason
    summary["energy"] = summary["energy"] | {"model": athlete}
    write_session_report(summary, samples, folder / "session.html")
    compared = write_compare_report(summary, [each | {"plan": reason} for each in demo_earlier(summary)], folder)
    index = demo_index(9).astype(dict.fromkeys(("plan", "athlete", "origin"), "object"))
    index.loc[:4, "plan"] = index.loc[3:7, "origin"] = index.loc[2:6, "athlete"] = INJECTED
    write_history_report(index, folder)
    return [folder / "session.html", folder / compared, folder / "index.html"]


def formatted(folder):
    """As a page that is put together from strings."""
    (folder / "session.html").write_text("<!doctype html>" + "".join(f"<h1>{text}</h1>" for text in INJECTED))
    return [folder / "session.html"]


@versions(written, formatted)
def test_no_text_of_a_strangers_runs_or_asks_for_anything_on_any_page(defence, outcome, browser, tmp_path):
    ran, asked = [], []
    for page in defence(tmp_path):
        with browser.open(page.as_uri()) as tab:
            tab.wait_for("[...document.querySelectorAll('.figure')].every(box => box.dataset.drawn)")
            ran += tab.dialogs
            asked += tab.outside_requests()
    with outcome:
        holds(not ran, f"{len(ran)} scripts ran")
        holds(not asked, f"asked for {asked}")


def a_live_page(text):
    page = LivePage(print, TOKEN)
    page.say(text)
    return page.news(page.welcome()).decode()


def a_page_of_strings(text):
    return f"event: said\ndata: {text}\n\n"


@versions(a_live_page, a_page_of_strings)
def test_a_line_that_is_said_is_one_event_of_the_live_page(defence, outcome):
    sent = defence("Gone.\n\nevent: end\ndata: {}\n\n")
    with outcome:
        holds(len(re.findall("^event: (?:said|end)$", sent, re.MULTILINE)) == 1, "an event was made of a text")


# --- 6: a name of the attacker's that leads to this computer ----------------------------------------------------------

FOREIGN = (
    "evil.example",
    "evil.example:8765",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "127.0.0.2",
    "",
    "a@b",
)


def asked_for(app, host):
    return ask(app, "/", headers={"Host": host}).status_code


@versions(create_app, lambda store: create_app(store, allowed_hosts=["*"]))
def test_a_foreign_name_gets_no_session(defence, outcome):
    with outcome:
        for host in FOREIGN:
            store = MemoryStore()
            holds(asked_for(defence(store), host) == 400 and not store.threads, f"{host!r} was answered")


@versions(LOOPBACK_HOSTS, ["*"])
def test_a_foreign_name_gets_no_live_page(defence, outcome):
    with outcome:
        for host in FOREIGN:
            app = create_live_app(LivePage(print, TOKEN), allowed_hosts=defence)
            holds(asked_for(app, host) == 400, f"{host!r} was answered")


@contextmanager
def dashboard(tmp_path):
    """`rowsync dashboard` as its command serves it, whatever the environment says of hosts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = dict.fromkeys(("HOST", "UVICORN_HOST", "FORWARDED_ALLOW_IPS"), "0.0.0.0")
    command = [sys.executable, "-m", "rowsync", "dashboard", "--port", str(port), "--data", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | told, stderr=subprocess.PIPE)
    try:
        assert select.select([process.stderr], [], [], 60)[0]
        assert f":{port}/" in process.stderr.readline().decode()
        yield port
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def everywhere(tmp_path):
    with bound("0.0.0.0", 0) as listener:
        yield listener.getsockname()[1]


@versions(dashboard, everywhere)
def test_the_pages_listen_on_this_computers_own_address_alone(defence, outcome, tmp_path):
    with defence(tmp_path) as port, socket.socket() as probe:
        answered = probe.connect_ex(("127.0.0.2", port)) == 0
    with outcome:
        holds(not answered, "another address was answered")


# --- 7: requests of other sites' pages --------------------------------------------------------------------------------

OF_OTHERS = (
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:8766.evil.example"},
    {"Origin": "https://127.0.0.1.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


def live(do):
    return create_live_app(LivePage(do, TOKEN), allowed_hosts=LOOPBACK_HOSTS)


def obedient(do):
    """As Open Rowing Monitor: whoever sends a message is obeyed, by whatever method, over whatever carries it."""

    class Said:
        name = "stop"

    async def commands(request: Request):
        do(Said)
        return PlainTextResponse("done")

    async def socketed(websocket):
        await websocket.accept()
        await websocket.close()

    return Starlette(
        routes=[Route("/commands", commands, methods=["GET", "POST"]), WebSocketRoute("/{x:path}", socketed)]
    )


@versions(live, obedient)
def test_another_sites_page_commands_nothing_not_even_with_the_token(defence, outcome):
    asked = Asked()
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for headers in OF_OTHERS:
        ask(defence(asked.do), "/commands", "POST", content="stop", headers=bearer | headers)
    with outcome:
        holds(not asked.commands, f"{len(asked.commands)} commands were carried out")


@versions(live, obedient)
def test_looking_commands_nothing(defence, outcome):
    asked = Asked()
    for method in ("GET", "HEAD", "OPTIONS", "PUT"):
        for query in ("", "?command=stop", f"?token={TOKEN}"):
            ask(defence(asked.do), f"/commands{query}", method)
    with outcome:
        holds(not asked.commands, f"{len(asked.commands)} commands were carried out")


@versions(live, obedient)
def test_the_secret_is_taken_from_no_address(defence, outcome):
    asked = Asked()
    ask(defence(asked.do), f"/commands?token={TOKEN}", "POST", content="stop")
    with outcome:
        holds(not asked.commands, "the token in the address was taken")


def handshake(app, path, origin):
    """What an application answers to a WebSocket's opening."""
    answers = []

    async def opened():
        headers = [(b"host", b"127.0.0.1"), (b"origin", origin.encode())]
        scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
        scope |= {"scheme": "ws", "server": ("127.0.0.1", 8765), "subprotocols": [], "root_path": "", "app": app}

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            answers.append(message["type"])

        await app(scope, receive, send)

    asyncio.run(opened())
    return answers


@versions([live(print), create_app(MemoryStore())], [obedient(print)])
def test_nobody_gets_a_websocket(defence, outcome):
    with outcome:
        for app in defence:
            for path in ("/", "/events", "/commands", "/websocket"):
                answers = handshake(app, path, "http://evil.example")
                holds("websocket.accept" not in answers, f"{path} was opened")


def test_no_answer_lets_another_site_read_it_or_sets_a_cookie():
    for app in (live(print), create_app(MemoryStore())):
        for path in ("/", "/events", "/session/x", "/plotly.min.js", "/nothing"):
            headers = ask(app, path, headers={"Origin": "http://evil.example"}).headers
            assert not {"access-control-allow-origin", "set-cookie"} & set(headers)
            assert headers["cross-origin-resource-policy"] == "same-origin"


def test_every_answer_says_what_it_is():
    kinds = {"/": "text/html; charset=utf-8", "/plotly.min.js": "text/javascript; charset=utf-8"}
    app = create_app(MemoryStore())
    for path in ("/", "/session/x", "/plotly.min.js", "/nothing"):
        assert ask(app, path).headers["content-type"] == kinds.get(path, "text/html; charset=utf-8")
    refused = ask(live(print), "/events")
    assert (refused.headers["content-type"], refused.json()["error"][:9]) == ("application/json", "This link")
