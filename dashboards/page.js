"use strict";
// Hands each block of figure data to plotly, one a task, so that the page can be scrolled meanwhile.  Arrays that several
// traces share are sent once.
const touch = matchMedia("(pointer: coarse)").matches;
function draw(block) {
  const box = document.getElementById(block.dataset.figure);
  if (!window.Plotly || !box) return;
  const { data, layout, shared, config } = JSON.parse(block.textContent);
  for (const trace of data) if (trace.x && "shared" in trace.x) trace.x = shared[trace.x.shared];
  if (touch) layout.dragmode = false; // a finger on the chart scrolls the page
  box.replaceChildren();
  Plotly.newPlot(box, data, layout, config).then(() => (box.dataset.drawn = data.length));
  // Paper is narrower than most screens: 680 px is A4 less its margins.
  addEventListener("beforeprint", () => Plotly.relayout(box, { width: 680, height: 0.8 * layout.height }));
  addEventListener("afterprint", () => Plotly.relayout(box, { width: null, height: layout.height, autosize: true }));
}
for (const block of document.querySelectorAll("script[data-figure]")) setTimeout(draw, 0, block);
