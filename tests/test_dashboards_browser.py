"""The pages in a real Chromium: they draw, fit, ask nobody for anything and complain about nothing."""

from __future__ import annotations

import shutil
import threading

import pytest

from dashboards.app import create_app, serve
from dashboards.report import write_compare_report, write_history_report, write_session_report
from tests.browser import Browser, chromium_path
from tests.test_dashboards_app import SESSION_ID, MemoryStore
from tests.test_dashboards_demo import demo_earlier, demo_index, demo_samples, demo_summary
from tests.test_dashboards_page import HOSTILE

SIZES = [(1280, 900), (390, 844)]
SCHEMES = ["light", "dark"]
DRAWN = "[...document.querySelectorAll('.figure')].every(box => box.dataset.drawn)"
FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def browser():
    with Browser(chromium_path()) as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    samples = demo_samples()
    write_session_report(demo_summary(samples), samples, folder / "session.html")
    shutil.move(
        folder / write_compare_report(demo_summary(samples), demo_earlier(demo_summary(samples)), folder),
        folder / "compare.html",
    )
    hostile = demo_summary(samples, plan=HOSTILE[0], athlete=HOSTILE[7], machine={"name": HOSTILE[1]})
    hostile["gaps"][0]["reason"] = HOSTILE[2]
    write_session_report(hostile, samples, folder / "hostile.html")
    bare = dict.fromkeys(demo_summary(samples)) | {"session_id": "bare"}
    write_session_report(bare, samples.iloc[:0], folder / "bare.html")
    write_history_report(demo_index(), folder)
    return {path.stem: path.as_uri() for path in folder.glob("*.html")}


@pytest.fixture(scope="module")
def server():
    addresses = []
    announced = threading.Event()

    def announce(address):
        addresses.append(address)
        announced.set()

    arguments = (create_app(MemoryStore()), "127.0.0.1", 0)
    threading.Thread(target=serve, args=arguments, kwargs={"announce": announce}, daemon=True).start()
    assert announced.wait(5)
    return addresses[0]


@pytest.mark.parametrize(("width_px", "height_px"), SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("name", "traces"), [("session", 4 + 1 + 3), ("compare", 6 + 6), ("index", 9), ("hostile", 4 + 1 + 3), ("bare", 0)]
)
def test_a_page_draws_fits_and_asks_nobody(browser, pages, name, traces, scheme, width_px, height_px):
    with browser.open(pages[name], width_px=width_px, height_px=height_px, scheme=scheme) as tab:
        tab.wait_for(DRAWN)
        drawn = "[...document.querySelectorAll('.figure')].reduce((sum, box) => sum + box.data.length, 0)"
        assert tab.evaluate(drawn) == traces
        assert tab.evaluate(FITS), tab.evaluate("document.documentElement.scrollWidth")
        assert tab.outside_requests() == []
        assert (tab.complaints, tab.dialogs) == ([], [])


def test_lines_really_have_points_and_rounds_are_shaded(browser, pages):
    with browser.open(pages["session"]) as tab:
        tab.wait_for(DRAWN)
        lines = "[...trace.querySelectorAll('.js-line')].reduce((sum, line) => sum + line.getTotalLength(), 0)"
        lengths = tab.evaluate(f"[...document.querySelectorAll('#session .trace.scatter')].map(trace => {lines})")
        assert len(lengths) == 4
        assert min(lengths) > 900
        boxes = "[...document.querySelectorAll('#session .shapelayer path')].map(path => path.getBBox())"
        shapes = tab.evaluate(f"{boxes}.map(box => [box.width, box.height])")
        assert len(shapes) == 10 + 1
        assert min(width for width, _ in shapes[:10]) > 15
        assert min(height for _, height in shapes) > 400
        assert tab.evaluate("document.querySelectorAll('#rounds .bars .point').length") == 10


def test_no_button_leads_to_a_cloud(browser, pages):
    with browser.open(pages["session"]) as tab:
        tab.wait_for(DRAWN)
        titles = tab.evaluate("[...document.querySelectorAll('.modebar-btn')].map(button => button.dataset.title)")
        assert titles
        assert not [title for title in titles if title and ("loud" in title or "hare" in title or "lotly" in title)]
        assert tab.evaluate("document.querySelectorAll('a[href^=http], .modebar-btn--logo').length") == 0


def test_a_pointer_reads_every_panel_at_once(browser, pages):
    with browser.open(pages["session"], height_px=1400) as tab:
        tab.wait_for(DRAWN)
        box = tab.evaluate(
            "(b => [b.left + b.width / 2, b.top + 90])(document.querySelector('#session').getBoundingClientRect())"
        )
        for step in (0, 2):
            tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + step, y=box[1])
        tab.wait_for("document.querySelectorAll('#session .hoverlayer text').length > 4")
        texts = tab.evaluate(
            "[...document.querySelectorAll('#session .hoverlayer text')].map(text => text.textContent)"
        )
        words = " ".join(texts).replace("\xa0", " ")
        assert all(name in words for name in (" min", "power", "stroke rate", "pace", "heart rate", " /500 m")), words
        assert tab.complaints == []


def test_a_picture_can_be_saved_from_the_page(browser, pages):
    with browser.open(pages["session"]) as tab:
        tab.wait_for(DRAWN)
        picture = tab.evaluate("Plotly.toImage(document.querySelector('#session'), {format: 'png'})")
        assert picture.startswith("data:image/png;base64,iVBOR")
        assert tab.complaints == []


def test_the_policy_stops_a_script_that_slipped_in(browser, pages):
    with browser.open(pages["session"]) as tab:
        tab.wait_for(DRAWN)
        tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
        tab.evaluate("document.body.appendChild(document.createElement('script')).textContent = 'window.ran = 1'")
        tab.evaluate("fetch('https://evil.example/').catch(() => 'stopped')")
        assert tab.evaluate("window.ran === undefined")
        assert any("Content Security Policy" in complaint for complaint in tab.complaints)


def test_dark_pages_are_dark_and_their_text_stands_out(browser, pages):
    with browser.open(pages["session"], scheme="dark") as tab:
        tab.wait_for(DRAWN)
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 25)"
        fills = tab.evaluate(
            "[...document.querySelectorAll('#session .main-svg text')].map(text => getComputedStyle(text).fill)"
        )
        assert set(fills) <= {"rgb(230, 235, 240)", "rgb(154, 167, 180)"}


def test_a_page_without_plotly_still_tells_the_session(browser, tmp_path):
    samples = demo_samples()
    write_session_report(demo_summary(samples), samples, tmp_path / "alone.html")
    (tmp_path / "plotly.min.js").unlink()
    with browser.open((tmp_path / "alone.html").as_uri()) as tab:
        assert "needs plotly.min.js beside this page" in tab.evaluate("document.querySelector('#session').innerText")
        assert tab.evaluate("document.querySelectorAll('table.intervals tbody tr').length") == 22


@pytest.mark.parametrize("path", ["", f"session/{SESSION_ID}", f"compare/{SESSION_ID}"])
def test_served_pages_draw_and_ask_only_their_own_server(browser, server, path):
    with browser.open(server + path) as tab:
        tab.wait_for(f"document.querySelector('.figure') && {DRAWN}")
        assert tab.outside_requests(own=server) == []
        assert tab.complaints == []


def test_print_shows_every_part_and_every_row(browser, pages):
    with browser.open(pages["session"]) as tab:
        tab.wait_for(DRAWN)
        tab.prefer(medium="print")
        hidden = (
            "[...document.querySelectorAll('main :is(section, tr, td, .figure)')].filter(e => !e.offsetWidth).length"
        )
        assert tab.evaluate(hidden) == 0
        tab.resize(680, 900)
        widths = "[...document.querySelectorAll('table')].map(table => table.getBoundingClientRect().right)"
        assert max(tab.evaluate(widths)) <= 680


def test_every_part_can_be_reached_without_a_pointer(browser, pages):
    with browser.open(pages["compare"]) as tab:
        tab.wait_for(DRAWN)
        reached = set()
        for _ in range(20):
            for kind in ("keyDown", "keyUp"):
                tab.command("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
            reached.add(tab.evaluate("document.activeElement.innerText.split('\\n')[0]"))
        assert {"← This session", "Means over the hard rounds", "Mean power in each of 10 hard rounds"} <= reached


def test_a_session_opens_from_the_history(browser, server):
    with browser.open(server) as tab:
        assert tab.evaluate("document.querySelector('table a').pathname").startswith("/session/")
