"""What a session's page weighs and how long it takes to draw in headless Chromium, beside plotly's own page of it.

    python benchmarks/page.py

Two sessions: the demo's, rowed by the virtual rower, and an hour at 4 Hz (14,400 samples, 20 rounds).  A page counts
as drawn when its last figure is, from the navigation on, plotly read and compiled; when its first figure stood there
and the first page after the browser's start are said apart.  Plotly's own page is the chart over time alone, with every
sample, as `Figure.write_html` writes it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import plotly.graph_objects as go

from dashboards.report import write_compare_report, write_session_report
from dashboards.session import PANELS, hard_rounds
from rowsync.athlete import Athlete
from rowsync.live import Virtual, run_row
from rowsync.plan import parse_plan
from rowsync.rowing import Wishes
from rowsync.store import Store
from tests.browser import Browser, Tab, chromium_path
from tests.test_dashboards_demo import demo_earlier, demo_samples, demo_summary

GOAL_BYTES, GOAL_S, TIMES = 100_000, 0.5, 9

OURS = "[...document.querySelectorAll('.figure')].map(box => Boolean(box.dataset.drawn))"
PLOTLYS = "[document.querySelector('.plotly-graph-div .main-svg .trace') !== null]"
"""Which figures are drawn."""
WATCH = """
(() => {{
  new MutationObserver((_, observer) => {{
    const drawn = {is_drawn};
    if (drawn.some(Boolean)) window.begun ??= performance.now();
    if (!drawn.length || drawn.includes(false)) return;
    window.drawn = performance.now();
    observer.disconnect();
  }}).observe(document, {{attributes: true, childList: true, subtree: true}});
}})()
"""


@dataclass(frozen=True)
class Measured:
    """A page: its size, when it was drawn, and what it asked of others."""

    name: str
    size_bytes: int
    first_s: list[float]
    drawn_s: list[float]
    outside: int

    @property
    def median_s(self) -> float:
        """Without the first, which warms the browser up."""
        return statistics.median(self.drawn_s[1:])


def measured(name: str, path: Path, is_drawn: str = OURS) -> Measured:
    """Show a page several times in a fresh browser."""
    with Browser(chromium_path()) as browser, browser.open("about:blank") as tab:
        tab.command("Page.addScriptToEvaluateOnNewDocument", source=WATCH.format(is_drawn=is_drawn))
        first_s, drawn_s = zip(*(_drawn_s(tab, path) for _ in range(TIMES + 1)), strict=True)
        return Measured(name, path.stat().st_size, [*first_s], [*drawn_s], len(tab.outside_requests()))


def _drawn_s(tab: Tab, path: Path) -> tuple[float, float]:
    """When the first figure was drawn, and the last [s]."""
    tab.go("about:blank")
    tab.go(path.as_uri())
    tab.wait_for("window.drawn !== undefined")
    return tab.evaluate("window.begun") / 1000, tab.evaluate("window.drawn") / 1000


def demo_page(folder: Path) -> tuple[Path, Path]:
    """The page of a session that the virtual rower rowed, and plotly's own of it."""
    plan = parse_plan("intervals")
    journal = run_row(Wishes(folder, Athlete(), plan, origin="synthetic"), Virtual("standard", 1, plan), fast=True)
    store = Store(folder)
    finished = store.finish(journal, wait=True)
    assert finished is not None
    assert finished.summary is not None
    session_id = finished.summary["session_id"]
    summary, samples = store.summary(session_id), store.samples(session_id)
    write_session_report(summary, samples, folder / "demo.html")
    return folder / "demo.html", plotlys_page(summary, samples, folder / "demo-plotly.html")


def long_page(folder: Path) -> tuple[Path, Path]:
    """The page of a made-up hour at 4 Hz, and plotly's own of it."""
    samples = demo_samples(per_s=4, repeat=2)
    summary = demo_summary(samples)
    later = [each | {"start_s": each["start_s"] + 1800, "end_s": each["end_s"] + 1800} for each in summary["intervals"]]
    summary["intervals"] += later
    write_session_report(summary, samples, folder / "hour.html")
    return folder / "hour.html", plotlys_page(summary, samples, folder / "hour-plotly.html")


def plotlys_page(summary, samples, path: Path) -> Path:
    """The chart over time as plotly writes it: self-contained, every sample, its own template."""
    traces = [
        go.Scatter(x=samples["time_s"] / 60, y=samples[panel.series], name=panel.title, yaxis=f"y{axis}")
        for axis, panel in enumerate(PANELS, start=1)
    ]
    shapes = [
        {"type": "rect", "x0": each["start_s"] / 60, "x1": each["end_s"] / 60, "yref": "paper", "y0": 0, "y1": 1}
        for each in hard_rounds(summary)
    ]
    axes = {f"yaxis{axis}": {"domain": [1 - axis / 4, 1.2 - axis / 4]} for axis in range(1, 5)}
    go.Figure(traces, {"shapes": shapes, "height": 700, **axes}).write_html(path, include_plotlyjs=True)
    return path


def compared_page(folder: Path) -> Path:
    """The page that compares a session with five before it."""
    summary = demo_summary(demo_samples())
    name = write_compare_report(summary, demo_earlier(summary), folder)
    assert name is not None
    return folder / name


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (demo, demo_plotly), (hour, hour_plotly) = demo_page(folder), long_page(folder)
        pages = [
            measured("the demo's session", demo),
            measured("an hour at 4 Hz", hour),
            measured("compared with five", compared_page(folder)),
            measured("plotly's own, demo", demo_plotly, PLOTLYS),
            measured("plotly's own, hour", hour_plotly, PLOTLYS),
        ]
    for page in pages:
        print(
            f"{page.name:20} {page.size_bytes / 1000:8.1f} kB  drawn in {page.median_s:.2f} s (median of {TIMES}; "
            f"least {min(page.drawn_s):.2f} s, first figure {statistics.median(page.first_s[1:]):.2f} s, after the "
            f"browser's start {page.drawn_s[0]:.2f} s)  {page.outside} external requests"
        )
    for ours, theirs in ((pages[0], pages[3]), (pages[1], pages[4])):
        print(f"{ours.name}: {theirs.size_bytes / ours.size_bytes:.0f} x lighter than plotly's own page")
    missed = [
        page.name for page in pages[:3] if page.size_bytes > GOAL_BYTES or page.median_s >= GOAL_S or page.outside
    ]
    print(f"Goals (≤ 100 kB, < 0.5 s, 0 requests): {'missed by ' + ', '.join(missed) if missed else 'met'}.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
