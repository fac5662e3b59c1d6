"""A room on a page: what a TV shows of every lane, and what a phone may ask for."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import cycle

import httpx
import pytest

from dashboards.room import open_room_page
from dashboards.web import LOOPBACK_HOSTS
from rowsync.commands import START, Command
from rowsync.errors import UsageError
from rowsync.room import Onlookers
from rowsync.room_view import LaneView, RoomLook, in_order
from rowsync.team import Standing
from rowsync.virtual import Neighbour
from tests.browser import Browser, chromium_path
from tests.test_dashboards_live import BEARER, TOKEN
from tests.test_room import FIRST, SECOND, THIRD, roomed
from tests.test_rowing_screen import HOSTILE, SAMPLE, cue, moment

MARKUP = "<img src=x onerror=alert(1)>"
LONG = "this rower answers, and yet nothing of what it tells can be understood"


def view(number, **changed):
    """A lane of somebody who rows, like no other."""
    numbers = {"power_w": 150.0 + 7 * (number * 5 % 13), "stroke_rate_spm": 20.0 + number % 9}
    sample = SAMPLE._replace(**numbers, distance_m=1000.0 + 37 * (number * 3 % 11))
    plain = LaneView(
        number,
        f"guest {number}",
        moment(cue(), sample=sample),
        is_connected=True,
        address=f"F0:0D:00:00:00:{number:02X}",
        rower="Virtual Rower",
        silent_s=0.2,
    )
    return replace(plain, **changed)


def views(count):
    """So many lanes, some of them in trouble."""
    lost = replace(view(1).moment, lost="the link was lost", sample=SAMPLE._replace(power_w=None, stroke_rate_spm=None))
    special = {
        1: {"who": "anna"},
        2: {"who": "Maximilian Oberhuber-Schmidt", "moment": moment(cue(number=19, left_s=749.6))},
        3: {"moment": lost, "silent_s": 83.0},
        5: {"moment": None, "is_connected": False, "silent_s": 400.0},
        6: {"moment": moment(cue(), trouble="the disk is full")},
        7: {"moment": moment(cue(), sample=SAMPLE._replace(power_w=1234.0)), "trouble": LONG},
        8: {"moment": lost, "trouble": LONG},
    }
    return [view(number, **special.get(number, {})) for number in range(1, count + 1)]


SEEN = ".number, .doing, .round, .left, .numbers, .numbers *, .silent .trouble, .foot span"
CUT = (
    f"[...document.querySelectorAll('{SEEN}')]"
    """.filter((each) => {
  const box = each.getBoundingClientRect(), tile = each.closest('.tile').getBoundingClientRect();
  const isOut = box.right > tile.right || box.bottom > tile.bottom || box.left < tile.left || box.top < tile.top;
  const isFull = each.scrollHeight > each.clientHeight || each.scrollWidth > each.clientWidth;
  return box.width && (isOut || (each.matches('.numbers, .trouble, .doing') && isFull));
}).map((each) => each.className + each.closest('.tile').dataset.lane)"""
)
"""What of its tile's numbers a page cuts off."""


class Led:
    """A room that notes what was asked of it."""

    def __init__(self):
        self.did = []

    def do(self, command):
        self.did.append(command)

    def claim(self, number, name):
        if name == "ben":
            raise UsageError("ben is in lane 2 already: make that one free first.")
        self.did.append((number, name))

    def lane_at(self, address):
        if address.casefold() != SECOND.casefold():
            raise UsageError("This rower isn't in the room yet.")
        return 2


class Server:
    """The page in a thread of its own, so that a browser can be driven from here."""

    def __init__(self, room=None):
        self._room = room or Led()
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self):
        self._over = asyncio.Event()
        async with opened(self._room, lambda link: setattr(self, "link", link)) as self.page:
            self._ready.set()
            await self._over.wait()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *error):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        self._loop.close()

    def tell(self, what, *arguments):
        """Have the page told something in its own thread."""
        self._loop.call_soon_threadsafe(getattr(self.page, what), *arguments)

    def show(self, lanes, people=(), team=None):
        """Have the page shown these lanes."""
        self.tell("show_room", lambda: RoomLook(lanes, people, team))


def opened(room, announce):
    return open_room_page(room, host="127.0.0.1", port=0, allowed_hosts=LOOPBACK_HOSTS, token=TOKEN, announce=announce)


@pytest.fixture(scope="module")
def browser():
    with Browser(chromium_path()) as browser:
        yield browser


def text(tab, selector):
    return tab.evaluate(f"document.querySelector({selector!r}).innerText")


def order(tab):
    return tab.evaluate("[...document.querySelectorAll('.tile')].map((tile) => Number(tile.dataset.lane))")


def shown(tab, count):
    tab.wait_for(f"document.querySelectorAll('.tile').length === {count}")


def test_each_lane_is_a_tile_with_who_how_hard_how_fast_and_which_round(browser):
    with Server() as server:
        server.show(views(8))
        with browser.open(server.link) as tab:
            shown(tab, 8)
            told = text(tab, "[data-lane='4']").split("\n")
            assert {"4", "guest 4", "Hard", "2/10", "0:30", "199W", "24spm", "1:57/500", "saved 399"} <= set(told)
            assert tab.complaints == []
            assert tab.outside_requests(own=tab.evaluate("location.origin")) == []


def test_a_silent_lane_says_since_when_and_why_and_one_that_rows_on_with_trouble_shows_both(browser):
    with Server() as server:
        server.show(views(8))
        with browser.open(server.link) as tab:
            shown(tab, 8)
            assert "lost: the link was lost; no data for 1:23" in text(tab, "[data-lane='3']")
            assert "away for 6:40, looking for it" in text(tab, "[data-lane='5']")
            assert "not saved: the disk is full" in text(tab, "[data-lane='6']")
            assert "217" in text(tab, "[data-lane='6']")


def test_lanes_are_sorted_by_place_metres_power_or_rate_and_the_link_keeps_it(browser):
    lanes = views(8)
    with Server() as server:
        server.show(lanes)
        with browser.open(server.link.replace("/#", "/?sort=power#")) as tab:
            shown(tab, 8)
            power = [lane.number for lane in in_order(lanes, "power")]
            assert order(tab) == power
            for name in ("metres", "rate", "place"):
                tab.evaluate(f"document.querySelector('[data-order={name}]').click()")
                assert order(tab) == [lane.number for lane in in_order(lanes, name)]
                assert tab.evaluate("location.search") == f"?sort={name}"


def test_the_goal_of_all_stands_above_the_lanes_with_who_is_in_the_band(browser):
    with Server() as server:
        team = Standing("band 180-220W", "1 of 2 inside 180–220 W", 0.4, {1: "on", 2: "over"})
        server.show(views(2), team=team)
        with browser.open(server.link) as tab:
            shown(tab, 2)
            assert "1 of 2 inside 180–220 W" in text(tab, "#team")
            assert tab.evaluate("document.querySelector('#share').value") == pytest.approx(0.4)
            bands = tab.evaluate("[...document.querySelectorAll('.tile')].map((tile) => tile.dataset.band)")
            assert bands == ["on", "over"]


def test_a_person_is_put_into_a_lane_by_its_tile_and_a_refusal_is_a_sentence(browser):
    room = Led()
    with Server(room) as server:
        server.show(views(3), ("anna", "ben", MARKUP))
        with browser.open(server.link) as tab:
            shown(tab, 3)
            tab.evaluate("document.querySelector('[data-lane=\"2\"] .head').click()")
            tab.wait_for("document.querySelectorAll('#people button').length === 4")
            assert tab.evaluate("document.querySelector('#people button').disabled"), "anna is in lane 1"
            tab.evaluate("document.querySelectorAll('#people button')[1].click()")
            tab.wait_for("document.querySelector('#where').innerText.includes('make that one free first')")
            tab.evaluate("document.querySelectorAll('#people button')[2].click()")
            tab.wait_for("document.querySelector('#claim').hidden")
    assert room.did == [(2, MARKUP)]


def test_the_code_on_a_machine_leads_a_phone_to_its_lane_whatever_its_number_is_today(browser):
    room = Led()
    with Server(room) as server:
        server.show(views(3), ("cleo",))
        link = server.link.replace("/#", f"/claim/{SECOND.lower()}#")
        with browser.open(link, width_px=390, height_px=844) as tab:
            tab.wait_for("document.querySelectorAll('#people button').length === 2")
            assert text(tab, "#claimed").startswith("Lane 2")
            tab.evaluate("document.querySelector('#people button').click()")
            tab.wait_for("document.querySelector('#where').innerText.includes('cleo rows here now')")
        with browser.open(server.link.replace("/#", "/claim/F0:0D:99:99:99:99#")) as tab:
            tab.wait_for("document.querySelector('#where').innerText.includes('Pull its handle')")
    assert room.did == [(2, "cleo")]


def test_a_hostile_name_in_a_room_is_only_text(browser):
    lanes = [view(1, who=MARKUP, trouble=MARKUP), view(2, who=HOSTILE, rower=MARKUP)]
    with Server() as server:
        server.show(lanes, (MARKUP, HOSTILE), Standing(MARKUP, MARKUP, 0.1, {}))
        server.tell("say", MARKUP)
        with browser.open(server.link) as tab:
            shown(tab, 2)
            tab.evaluate("document.querySelector('.head').click()")
            tab.wait_for("document.querySelectorAll('#people button').length === 3")
            assert tab.evaluate("document.querySelectorAll('img').length") == 0
            assert tab.dialogs == []
            assert tab.complaints == []


@pytest.mark.parametrize(("count", "width_px", "height_px"), [(8, 1920, 1080), (32, 1920, 1080), (8, 390, 844)])
def test_a_room_fits_a_tv_and_a_phone_and_its_digits_are_read_from_afar(browser, count, width_px, height_px):
    with Server() as server:
        bands = dict(zip(range(1, count + 1), cycle(("on", "under", "over"))))
        server.show(views(count), team=Standing("band 180-220W", "5 of 8 inside 180–220 W", 0.81, bands))
        with browser.open(server.link, width_px=width_px, height_px=height_px) as tab:
            shown(tab, count)
            size = tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            cut = tab.evaluate(CUT)
            digits_px = tab.evaluate("parseFloat(getComputedStyle(document.querySelector('.power_w')).fontSize)")
        assert cut == []
        assert size[0] == width_px
        if width_px == 1920:
            assert size[1] == height_px
            assert digits_px >= 60


# --- over HTTP --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def served(room):
    links = []
    async with opened(room, links.append) as page, httpx.AsyncClient(base_url=links[0].partition("#")[0]) as browser:
        yield page, browser


async def asked(room, path, content, headers=BEARER):
    async with served(room) as (_, browser):
        return await browser.post(path, content=content, headers=headers)


@pytest.mark.parametrize(
    ("path", "content", "status", "did"),
    [
        ("/claims", '{"lane": 3, "name": "anna"}', 202, [(3, "anna")]),
        ("/claims", '{"lane": 3, "name": null}', 202, [(3, None)]),
        ("/claims", json.dumps({"address": SECOND, "name": "anna"}), 202, [(2, "anna")]),
        ("/claims", '{"address": "elsewhere", "name": "anna"}', 409, []),
        ("/claims", '{"lane": 3, "name": "ben"}', 409, []),
        ("/claims", '{"lane": true, "name": "anna"}', 400, []),
        ("/claims", '{"lane": 3}', 400, []),
        ("/claims", "[" * 5000, 400, []),
        ("/claims", "x" * 100_000, 413, []),
        ("/commands", "start", 202, [Command(START)]),
        ("/commands", "stop", 400, []),
        ("/commands", '{"command": "start", "plan": "60"}', 400, []),
    ],
)
async def test_a_phone_in_a_room_may_claim_and_begin_and_nothing_else(path, content, status, did):
    room = Led()
    answer = await asked(room, path, content)
    assert answer.status_code == status
    assert room.did == did
    assert "error" in answer.json() or status == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        BEARER | {"Origin": "http://evil.example"},
        BEARER | {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_nobody_claims_without_the_secret_or_from_another_sites_page(headers):
    room = Led()
    assert (await asked(room, "/claims", '{"lane": 1, "name": "anna"}', headers)).status_code == 403
    assert room.did == []


async def test_looking_at_a_claim_page_claims_nothing_and_tells_nothing():
    room = Led()
    async with served(room) as (page, browser):
        page.show_room(lambda: RoomLook(views(3), ("anna",)))
        document = await browser.get(f"/claim/{SECOND}")
        got = await browser.get("/claims", headers=BEARER)
    assert document.status_code == 200
    assert "anna" not in document.text
    assert got.status_code == 405
    assert room.did == []


async def test_only_what_changed_is_sent_again():
    async with served(Led()) as (page, _):
        page.show_room(lambda: RoomLook(views(3), ("anna",)))
        viewer = page.welcome()
        first = page.news(viewer).decode()
        assert first.count("event: lane\n") == 3
        assert page.news(viewer) == b""
        page.show_room(lambda: RoomLook([view(1, who="anna"), view(2, who="ben"), *views(3)[2:]], ("anna",)))
        await asyncio.sleep(0.3)
        second = page.news(viewer).decode()
    assert [json.loads(line[6:])["who"] for line in second.splitlines() if line.startswith("data: ")] == ["ben"]


def test_a_browser_that_stalls_disturbs_no_lane(tmp_path):
    neighbours = Neighbour(seed=2), Neighbour(seed=3)
    calm = roomed(tmp_path / "calm", *neighbours)
    onlookers, looked = Onlookers(), []

    async def stalls(room, virtual):
        links = []
        async with opened(room, links.append) as page:
            onlookers.add(page)
            port = int(links[0].split(":")[2].partition("/")[0])
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.transport.pause_reading()
            writer.write(f"GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
            await asyncio.sleep(80)
            looked.extend(page.viewers)
            writer.close()

    room = roomed(tmp_path / "stalled", *neighbours, screen=onlookers, meanwhile=stalls)
    assert len(looked) == 1
    assert looked[0].seen["lane 3"] > 1
    for address in (FIRST, SECOND, THIRD):
        assert room.recordings[address].notifications == calm.recordings[address].notifications
        assert room.recordings[address].is_ended
