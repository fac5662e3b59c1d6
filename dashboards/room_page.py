"""The room page's one document, for the TV and, under `/claim/`, for the phone of who takes a lane."""

from __future__ import annotations

from dashboards.document import Document

BODY = """<body data-mode="room">
<header>
  <p id="banner" role="alert" hidden></p>
  <div id="team" hidden>
    <p><b id="goal"></b> <span id="words" role="status"></span></p>
    <progress id="share" max="1" value="0" aria-label="How much of the goal is there"></progress>
  </div>
  <div id="tools">
    <div id="orders" role="group" aria-label="Sort by">
      <button data-order="place">Place</button>
      <button data-order="metres">Metres</button>
      <button data-order="power">Power</button>
      <button data-order="rate">Rate</button>
    </div>
    <button id="begin" hidden>Begin all</button>
    <p id="line" role="status"></p>
  </div>
</header>
<main id="lanes" aria-label="Lanes"></main>
<p id="empty">Looking for rowsync …</p>
<section id="claim" role="dialog" aria-labelledby="claimed" hidden>
  <div>
    <h1 id="claimed"></h1>
    <p id="where"></p>
    <div id="people"></div>
    <button id="close">Close</button>
  </div>
</section>
<noscript>This page needs JavaScript. The terminal shows the same room.</noscript>
"""
"""The page's elements, which `room.js` fills."""

ROOM = Document(BODY, ("tones.css", "room.css"), ("stream.js", "room.js"), paths=("/", "/claim/{where:path}"))
