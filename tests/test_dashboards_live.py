"""The live page over HTTP: what a browser gets, what it may ask for, and who gets nothing."""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from statistics import median

import httpx
import pytest

from dashboards.live import LivePage, Points, open_live_page
from dashboards.web import LOOPBACK_HOSTS
from rowsync.commands import Command
from rowsync.errors import UsageError
from tests.test_rowing import Listening, rowed

TOKEN = "t" * 22
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def moments(tmp_path_factory):
    """Every moment of a row of two rounds, over the virtual radio."""
    screen = Listening()
    rowed(tmp_path_factory.mktemp("live"), "10 + 2x20/20", screen)
    return screen.moments


class Asked:
    """What the browsers asked for."""

    def __init__(self):
        self.commands, self.refusal = [], None

    def do(self, command):
        if self.refusal:
            raise UsageError(self.refusal)
        self.commands.append(command)


@asynccontextmanager
async def served(do=lambda command: None, **options):
    """The page in this loop, and a browser that speaks HTTP."""
    links = []
    opened = open_live_page(
        do, host="127.0.0.1", port=0, allowed_hosts=LOOPBACK_HOSTS, token=TOKEN, announce=links.append, **options
    )
    async with opened as page:
        address, _, token = links[0].partition("#")
        assert token == TOKEN
        async with httpx.AsyncClient(base_url=address, timeout=10) as browser:
            yield page, browser


async def events(browser, count, last_event_id=None):
    """So many events as (name, id, content)."""
    headers = BEARER | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    found, fields = [], {}
    async with browser.stream("GET", "/events", headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if not line and "event" in fields:
                found.append((fields["event"], fields["id"], json.loads(fields["data"])))
                fields = {}
                if len(found) == count:
                    return found
            elif ": " in line:
                name, _, value = line.partition(": ")
                fields[name] = value
    return found


async def watched_by(page, count):
    """Wait until so many browsers look."""
    for _ in range(500):
        if len(page.viewers) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody came")


def times_ms(*found):
    return [each for _, _, content in found for each in content.get("points", {}).get("time_ms", [])]


# --- what a browser gets ----------------------------------------------------------------------------------------------


async def test_who_comes_late_gets_the_session_its_plan_and_every_point_so_far(moments):
    async with served() as (page, browser):
        for moment in moments[:200]:
            page.show(moment)
        (session, moment) = await events(browser, 2)
    name, event_id, content = session
    assert name == "session"
    assert event_id == f"{moments[0].heading.session_id}:{moments[199].number}"
    assert content["heading"]["machine"] == "Virtual Rower"
    assert [piece["effort"] for piece in content["plan"]["pieces"]] == ["warmup", "hard", "easy", "hard", "easy"]
    assert content["points"]["time_ms"][-1] == pytest.approx(1000 * moments[199].time_s, abs=300)
    assert moment[2]["number"] == moments[199].number


async def test_a_browser_that_comes_again_gets_the_points_that_it_missed_and_no_other(moments):
    async with served() as (page, browser):
        for moment in moments[:100]:
            page.show(moment)
        first = await events(browser, 2)
        for moment in moments[100:200]:
            page.show(moment)
        again = await events(browser, 2, last_event_id=first[-1][1])
    assert not again[0][2]["restarted"]
    both = times_ms(*first, *again)
    assert both == sorted(set(both))
    assert len(both) == len(page.points)


async def test_a_restarted_recorder_that_goes_on_with_the_session_leaves_no_gap(moments):
    async with served() as (page, browser):
        for moment in moments[:100]:
            page.show(moment)
        first = await events(browser, 2)
    async with served() as (page, browser):
        for moment in moments[:200:4]:  # a session that goes on is shown again, more coarsely
            page.show(moment)
        again = await events(browser, 2, last_event_id=first[-1][1])
    gaps_ms = [after - before for before, after in pairwise(times_ms(*first, *again))]
    assert min(gaps_ms) > 0
    assert max(gaps_ms) < 3000


async def test_another_session_makes_the_browser_begin_its_chart_anew(moments):
    async with served() as (page, browser):
        page.show(moments[50])
        page.end(None)
        assert [name for name, *_ in await events(browser, 3)] == ["session", "moment", "end"]
        other = replace(moments[10], heading=replace(moments[10].heading, session_id="other"))
        page.show(other)
        session, moment = await events(browser, 2, last_event_id=f"{moments[0].heading.session_id}:9")
    assert session[2]["restarted"]
    assert moment[1] == f"other:{other.number}"


async def test_several_browsers_see_each_moment_as_it_comes(moments):
    async with served() as (page, browser):
        page.show(moments[0])
        watching = [asyncio.create_task(events(browser, 6)) for _ in range(5)]
        await watched_by(page, 5)
        for moment in moments[1:40]:
            page.show(moment)
            await asyncio.sleep(0.01)
        seen = await asyncio.gather(*watching)
        due = page.points.since(-1)["time_ms"]
    for found in seen:
        assert (drawn := times_ms(*found)) == due[: len(drawn)]
        assert len(drawn) >= 4


async def test_what_is_known_later_and_what_was_said_reach_the_browser(moments):
    async with served() as (page, browser):
        page.show(moments[0])
        page.say("Heart-rate strap: H10.")
        page.remember({"before": {"started_at": "2026-11-17T18:00:00Z", "rounds": []}})
        found = {name: content for name, _, content in await events(browser, 3)}
    assert found["said"] == {"texts": ["Heart-rate strap: H10."]}
    assert found["session"]["before"]["started_at"].startswith("2026-11-17")


async def test_at_the_end_the_summary_comes_with_its_sentences(moments, intervals_recording):
    from rowsync.session import analyse

    summary = analyse(intervals_recording.header, intervals_recording.items).summary()
    async with served() as (page, browser):
        page.show(moments[-1])
        page.end(summary)
        name, _, content = (await events(browser, 3))[-1]
    assert name == "end"
    assert content["summary"]["said"][0].startswith("10 hard pieces of about 0:45")


async def test_hostile_names_stay_text_and_no_number_breaks_the_json(moments):
    heading = replace(moments[0].heading, machine={"name": "<script>\ud800\u202e\n\nevent: end"}, plan="</script>")
    moment = replace(moments[0], heading=heading, gross_kcal=float("nan"), lost="\r\n\r\ndata: x")
    async with served() as (page, browser):
        page.show(moment)
        found = await events(browser, 2)
    assert [name for name, *_ in found] == ["session", "moment"]
    assert found[1][2]["gross_kcal"] is None


# --- a browser that doesn't read --------------------------------------------------------------------------------------


async def test_a_browser_that_never_reads_delays_nothing_and_holds_nothing(moments):
    async with served() as (page, browser):
        writer = await connected_to(browser, f"GET /events HTTP/1.1\r\nAuthorization: Bearer {TOKEN}")
        writer.transport.pause_reading()
        await watched_by(page, 1)
        await asyncio.sleep(0.1)
        tracemalloc.start()
        took_s = []
        for moment in moments * 3:
            began_s = time.perf_counter()
            page.show(moment)
            took_s.append(time.perf_counter() - began_s)
            await asyncio.sleep(0)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        writer.close()
    assert median(took_s) < 0.01  # not the longest: a busy machine delays that
    assert held < 3_000_000


async def test_a_browser_that_never_reads_is_cut_off(moments, monkeypatch):
    monkeypatch.setattr("dashboards.stream.STUCK_S", 0.2)
    async with served() as (page, browser):
        writer = await connected_to(browser, f"GET /events HTTP/1.1\r\nAuthorization: Bearer {TOKEN}")
        writer.transport.pause_reading()
        await watched_by(page, 1)
        for number in range(2_000):
            page.say("x" * 290)
            page.show(replace(moments[0], number=number + 1000))
            await asyncio.sleep(0.001)
            if not page.viewers:
                break
        assert not page.viewers
        writer.close()


async def test_who_connects_and_asks_for_nothing_is_cut_off(monkeypatch):
    monkeypatch.setattr("dashboards.stream.PATIENCE_S", 0.2)
    async with served() as (_, browser):
        reader, writer = await asyncio.open_connection(browser.base_url.host, browser.base_url.port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_more_browsers_than_there_is_room_for_are_turned_away(monkeypatch):
    monkeypatch.setattr("dashboards.stream.MOST_CONNECTIONS", 3)
    async with served() as (page, browser):
        writers = [
            await connected_to(browser, f"GET /events HTTP/1.1\r\nAuthorization: Bearer {TOKEN}") for _ in range(3)
        ]
        await watched_by(page, 3)
        reader, writer = await asyncio.open_connection(browser.base_url.host, browser.base_url.port)
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        assert len(page.viewers) == 3
        for each in (*writers, writer):
            each.close()


async def connected_to(browser, request):
    """A connection on which something was asked for."""
    host, port = browser.base_url.host, browser.base_url.port
    _, writer = await asyncio.open_connection(host, port)
    writer.write(f"{request}\r\nHost: {host}:{port}\r\n\r\n".encode())
    return writer


def test_the_points_of_days_take_no_more_than_those_of_hours(moments):
    points = Points()
    for number in range(200_000):
        points.take(replace(moments[0], number=number, time_s=number / 4))
    assert len(points) < 4 * 4 * 3600 + 1
    assert points.since(199_000)["time_ms"][-1] == pytest.approx(1000 * 199_999 / 4, rel=0.001)


# --- commands, and who may not ----------------------------------------------------------------------------------------


async def test_a_command_with_the_token_is_carried_out_and_a_bad_one_explained():
    asked = Asked()
    async with served(asked.do) as (_, browser):
        taken = await browser.post("/commands", content='{"command": "extend", "seconds": 30}', headers=BEARER)
        refused = await browser.post("/commands", content='{"command": "reboot"}', headers=BEARER)
        long = await browser.post("/commands", content="x" * 100_000, headers=BEARER)
        asked.refusal = "No rower is connected yet."
        unready = await browser.post("/commands", content="next", headers=BEARER)
    assert taken.status_code == 202
    assert asked.commands == [Command("extend", {"seconds": 30.0})]
    assert refused.status_code == 400
    assert "There is no command" in refused.json()["error"]
    assert long.status_code == 413
    assert (unready.status_code, unready.json()["error"]) == (409, "No rower is connected yet.")


@pytest.mark.parametrize("token", ["", "t" * 21, "T" * 22, "tt%00", "é"])
async def test_without_the_token_there_is_neither_the_row_nor_a_command(token, moments):
    asked = Asked()
    async with served(asked.do) as (page, browser):
        page.show(moments[0])
        seen = await browser.get("/events", headers={"Authorization": b"Bearer " + token.encode()} if token else {})
        done = await browser.post("/commands", params={"token": TOKEN}, content="stop")
        page_itself = await browser.get("/")
    assert (seen.status_code, done.status_code, page_itself.status_code) == (403, 403, 200)
    assert "whole link" in done.json()["error"]
    assert asked.commands == []
    assert moments[0].heading.session_id not in page_itself.text + seen.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_sites_page_may_ask_for_nothing_even_with_the_token(headers):
    asked = Asked()
    async with served(asked.do) as (_, browser):
        answer = await browser.post("/commands", content="stop", headers=BEARER | headers)
        look = await browser.get("/events", headers=BEARER | headers)
    assert (answer.status_code, look.status_code) == (403, 403)
    assert "access-control-allow-origin" not in answer.headers
    assert asked.commands == []


async def test_a_foreign_host_gets_nothing():
    async with served() as (_, browser):
        answer = await browser.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400


async def test_every_answer_forbids_scripts_of_others_and_framing():
    async with served() as (_, browser):
        for path in ("/", "/events", "/nothing"):
            headers = (await browser.get(path)).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "unsafe-inline" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"


async def test_a_port_that_is_taken_is_said_with_the_option_that_helps():
    async with served() as (_, browser):
        port = browser.base_url.port
        with pytest.raises(UsageError, match="--web-port"):
            async with open_live_page(
                print, host="127.0.0.1", port=port, allowed_hosts=LOOPBACK_HOSTS, token=TOKEN, announce=print
            ):
                pass


async def test_closing_is_quick_though_browsers_look(moments):
    began_s = None
    async with served() as (page, browser):
        page.show(moments[0])
        looking = asyncio.create_task(events(browser, 99))
        await watched_by(page, 1)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 3
    looking.cancel()
    await asyncio.wait([looking])


def test_a_page_without_viewers_costs_almost_nothing(moments):
    page = LivePage(print, TOKEN)
    began_s = time.process_time()
    for moment in moments:
        page.show(moment)
    assert (time.process_time() - began_s) / len(moments) < 0.001
