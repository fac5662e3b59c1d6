"""The live page's one document: what the browser loads before it asks for anything of anybody.

It holds no data, so nobody needs a token for it.  Style and script are inlined, allowed by their hashes, so that one
request paints the page; the row comes over `/events` (`dashboards.live`), and `live.js` writes it as text only.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
from importlib import resources

ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M1 12 4 5l3 5 3-7 5 9z' fill='%230072b2'/%3E%3C/svg%3E"
)


BODY = """<body data-mode="none">
<p id="banner" role="alert" hidden></p>
<main id="row">
  <section id="band" aria-label="What now">
    <div class="what">
      <h1 id="effort">rowsync</h1>
      <p id="round"></p>
      <p id="next">Looking for rowsync …</p>
      <p id="aim" class="aim"></p>
    </div>
    <p id="left" role="timer" aria-live="off"></p>
    <progress id="share" max="1" value="0" aria-label="How much of the plan is done"></progress>
  </section>
  <dl id="numbers">
    <div id="power_w"><dt>W</dt><dd>–</dd><dd class="aim"></dd></div>
    <div id="stroke_rate_spm"><dt>spm</dt><dd>–</dd><dd class="aim"></dd></div>
    <div id="pace_s_per_500m"><dt>/500 m</dt><dd>–</dd><dd class="aim"></dd></div>
    <div id="heart_rate_bpm"><dt>bpm</dt><dd>–</dd><dd class="aim"></dd></div>
  </dl>
  <dl id="totals">
    <div id="clock"><dt>rowed</dt><dd>–</dd></div>
    <div id="distance_m"><dt>m</dt><dd>–</dd></div>
    <div id="energy"><dt>kcal</dt><dd>–</dd></div>
  </dl>
  <section id="charts">
    <canvas id="chart" role="img" aria-label="Power and stroke rate of the last five minutes"></canvas>
    <figure id="rounds" hidden>
      <figcaption><b>Hard rounds, W</b> <span id="fade"></span> <span id="recovery"></span>
        <span id="outline"></span></figcaption>
      <canvas id="bars" role="img" aria-label="Power of the hard rounds"></canvas>
    </figure>
  </section>
</main>
<article id="summary" hidden></article>
<footer>
  <div id="buttons">
    <button id="go" class="large">Next</button>
    <button id="longer" class="large">+30 s</button>
    <button id="end" class="large">End</button>
    <button id="sound" aria-pressed="false">Sound</button>
    <button id="voice" aria-pressed="false" hidden>Voice</button>
    <button id="full">Full screen</button>
  </div>
  <div id="sure" role="group" aria-label="End the row?" hidden>
    <button id="yes" class="large">End the row</button>
    <button id="no" class="large">Row on</button>
  </div>
  <p id="line" role="status"></p>
  <p id="saved"></p>
</footer>
<p id="call" class="unseen" aria-live="polite"></p>
<noscript>This page needs JavaScript. The terminal shows the same row.</noscript>
"""
"""The page's elements, which `live.js` fills."""


@functools.cache
def live_page() -> str:
    """The whole HTML document."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        '<meta name="mobile-web-app-capable" content="yes">\n'
        f'<link rel="icon" href="{html.escape(ICON)}">\n<title>rowsync</title>\n<style>{_part("live.css")}</style>\n'
        f"</head>\n{BODY}<script>{_part('live.js')}</script>\n</body>\n</html>\n"
    )


@functools.cache
def live_policy() -> str:
    """The content security policy: the page's own style and script, and nobody to talk to but its own server."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash('live.js')}",
            f"style-src {_hash('live.css')}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(name: str) -> str:
    digest = hashlib.sha256(_part(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@functools.cache
def _part(name: str) -> str:
    return resources.files("dashboards").joinpath(name).read_text("utf-8")
