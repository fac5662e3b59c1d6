"""The live page in a real browser: what a rower sees a metre away."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from dashboards.live import open_live_page
from dashboards.web import LOOPBACK_HOSTS
from rowsync.moment import Moment
from rowsync.session import Tracker, analyse
from tests.browser import Browser, chromium_path
from tests.test_dashboards_live import TOKEN, Asked
from tests.test_rowing import Listening, rowed

SIZES = {"phone": (360, 640), "tablet": (1024, 768), "laptop": (1280, 800), "tv": (1920, 1080)}


@pytest.fixture(scope="module")
def browser():
    with Browser(chromium_path()) as browser:
        yield browser


@pytest.fixture(scope="module")
def moments(tmp_path_factory):
    screen = Listening()
    rowed(tmp_path_factory.mktemp("live"), "20 + 3x30@200-240W/30 + 20", screen, strap=True)
    return screen.moments


class Server:
    """The live page in a thread of its own, so that a browser can be driven from here."""

    def __init__(self, do, port=0):
        self._do, self._port = do, port
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self):
        self._over = asyncio.Event()
        opened = open_live_page(
            self._do,
            host="127.0.0.1",
            port=self._port,
            allowed_hosts=LOOPBACK_HOSTS,
            token=TOKEN,
            announce=lambda link: setattr(self, "link", link),
        )
        async with opened as self.page:
            self._ready.set()
            await self._over.wait()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *error):
        self.end()

    def end(self):
        """Stop serving; once is enough."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(10)
            self._loop.close()

    def tell(self, what, *arguments):
        """Have the page told something in its own thread, and wait until it was."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (getattr(self.page, what)(*arguments), done.set()))
        assert done.wait(10)

    @property
    def port(self):
        return int(self.link.split(":")[2].partition("/")[0])


@contextmanager
def shown(browser, moments, do=lambda command: None, size="laptop", **options):
    """A page that was shown these moments, in a tab."""
    width_px, height_px = SIZES[size]
    with Server(do) as server:
        for moment in moments:
            server.tell("show", moment)
        with browser.open(server.link, width_px=width_px, height_px=height_px, **options) as tab:
            if moments:
                tab.wait_for(f"document.documentElement.dataset.number === '{moments[-1].number}'")
            yield server, tab


def at_round(moments, number):
    """The moments up to the middle of a round."""
    last = next(
        at
        for at, moment in enumerate(moments)
        if moment.cue.piece and moment.cue.piece.round_number == number and (moment.cue.left_s or 99) < 20
    )
    return moments[: last + 1]


def text(tab, selector):
    return tab.evaluate(f"document.querySelector({selector!r}).innerText")


def test_the_page_says_what_now_how_long_and_how_hard(browser, moments):
    now = at_round(moments, 2)
    with shown(browser, now) as (_, tab):
        assert text(tab, "#effort").lower() == "hard"
        assert "2" in text(tab, "#round")
        assert "3" in text(tab, "#round")
        assert "easy" in text(tab, "#next").lower()
        assert text(tab, "#power_w dd") == str(round(now[-1].sample.power_w))
        assert text(tab, "#heart_rate_bpm dd") == str(now[-1].sample.heart_rate_bpm)
        assert tab.complaints == []
        assert tab.outside_requests(own=tab.evaluate("location.origin")) == []


def test_the_digits_count_down_smoothly_between_two_notifications(browser, moments):
    with shown(browser, at_round(moments, 1)) as (_, tab):
        first = tab.evaluate("document.querySelector('#left').innerText")
        tab.wait_for(f"document.querySelector('#left').innerText !== {first!r}", within_s=3)


def test_buttons_and_keys_lead_the_row_and_ending_it_is_asked_once_more(browser, moments):
    asked = Asked()
    with shown(browser, at_round(moments, 1), asked.do) as (_, tab):
        tab.evaluate("document.querySelector('#go').click()")
        tab.evaluate("document.querySelector('#longer').click()")
        tab.evaluate("document.querySelector('#end').click()")
        tab.wait_for("!document.querySelector('#sure').hidden")
        tab.evaluate("document.querySelector('#yes').click()")
        for _ in range(100):
            if len(asked.commands) == 3:
                break
            tab.evaluate("new Promise((done) => setTimeout(done, 20))")
        assert [command.name for command in asked.commands] == ["next", "extend", "stop"]
        assert tab.dialogs == []


def test_a_recorder_that_restarts_leaves_no_gap_on_the_page(browser, moments):
    now = at_round(moments, 1)
    with Server(lambda command: None) as server:
        for moment in now[:60]:
            server.tell("show", moment)
        with browser.open(server.link) as tab:
            tab.wait_for(f"document.documentElement.dataset.number === '{now[59].number}'")
            server.end()
            with Server(lambda command: None, server.port) as again:
                for moment in now:
                    again.tell("show", moment)
                tab.wait_for(f"document.documentElement.dataset.number === '{now[-1].number}'", within_s=10)
                assert text(tab, "#effort").lower() == "hard"
                drawn_s = tab.evaluate("row.time_s")
    assert drawn_s == sorted(set(drawn_s))
    assert drawn_s[0] < 1
    assert max(later_s - time_s for time_s, later_s in pairwise(drawn_s)) < 2


def test_without_the_token_the_page_says_what_to_do(browser, moments):
    with Server(lambda command: None) as server:
        link = server.link.partition("#")[0] + "#wrong"
        with browser.open(link) as tab:
            tab.wait_for("document.body.innerText.includes('whole link')")


def test_what_goes_wrong_is_said_in_a_banner(browser, moments):
    now = at_round(moments, 1)
    lost = replace(now[-1], lost="the link was lost", number=now[-1].number + 1)
    with shown(browser, [*now, lost]) as (_, tab):
        assert "the link was lost" in text(tab, "#banner")


def test_a_hostile_name_is_only_text(browser, moments):
    heading = replace(moments[0].heading, machine={"name": "<img src=x onerror=alert(1)>"}, plan=None)
    hostile = [replace(moment, heading=heading, lost="<b>gone</b>") for moment in moments[:40]]
    with shown(browser, hostile) as (server, tab):
        server.tell("say", "<script>alert(1)</script>")
        tab.wait_for("document.body.innerText.includes('<script>')")
        assert tab.evaluate("document.querySelectorAll('img, b:not(figcaption b)').length") == 0
        assert tab.dialogs == []


@pytest.mark.parametrize("size", SIZES)
def test_the_main_numbers_fit_any_screen_without_scrolling(browser, moments, size, tmp_path):
    with shown(browser, at_round(moments, 3), size=size) as (_, tab):
        tab.evaluate("new Promise((done) => setTimeout(done, 300))")
        cut = tab.evaluate(
            "[...document.querySelectorAll('#effort, #left, #numbers dd:first-of-type, #buttons button')]"
            ".filter((each) => { const box = each.getBoundingClientRect(); return each.offsetParent && (box.right > "
            "innerWidth + 1 || box.bottom > innerHeight + 1 || box.left < -1 || box.top < -1); })"
            ".map((each) => each.id || each.parentElement.id)"
        )
        tab.screenshot(tmp_path / f"{size}.png")
        assert cut == []
        assert tab.complaints == []


def test_at_the_end_the_page_tells_how_it_was(browser, moments, intervals_recording, tmp_path):
    summary = analyse(intervals_recording.header, intervals_recording.items).summary()
    with shown(browser, moments, size="laptop") as (server, tab):
        server.tell("end", summary)
        tab.wait_for("!document.querySelector('#summary').hidden")
        told = text(tab, "#summary")
        assert "10 hard pieces of about 0:45" in told
        assert "10 of 10 rounds rowed" in told
        tab.screenshot(tmp_path / "end.png", whole_page=True)


def test_a_row_without_a_plan_shows_power_and_what_is_detected(browser, intervals_recording):
    tracker = Tracker(replace(intervals_recording.header, plan=None))
    screen = []
    for number, item in enumerate(intervals_recording.items[:1500]):
        tracker.feed(item)
        if tracker.sample is not None and number % 4 == 0:
            screen.append((number, tracker.sample, tracker.effort))
    number, sample, effort = screen[-1]
    moment = Moment(number, sample.time_s, sample, None, effort, 9.0, 0.2, number, number, None, tracker.header)
    with shown(browser, [moment]) as (_, tab):
        assert str(effort) in text(tab, "#effort").lower()
        assert text(tab, "#power_w dd") == str(round(sample.power_w))
