"""The live page's one document."""

from __future__ import annotations

from dashboards.document import Document

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

LIVE = Document(BODY, ("tones.css", "live.css"), ("stream.js", "live.js"))
