// The live page: events in, text and two canvases out.  Whatever comes from the server is written as text only.
"use strict";

const SERIES = ["power_w", "stroke_rate_spm", "heart_rate_bpm"];
const IS = { under: "▼ under", on: "● on", over: "▲ over" };
const WINDOW_S = 300, AHEAD_S = 75, BREAK_S = 4, MOST_POINTS = 60000;

// --- words -----------------------------------------------------------------------------------------------------------

const percent = (share) => `${share < 0 ? "−" : "+"}${Math.abs(Math.round(100 * share))}\u202f%`;
const lengthOf = (piece) => (piece.duration_s === null ? `${whole(piece.distance_m)} m` : clock(piece.duration_s));

// --- what is known of the row ----------------------------------------------------------------------------------------

const row = {
  heading: null, plan: null, before: null, moment: null, rounds: [], fade: null, spans: [], end: undefined,
  time_s: [], power_w: [], stroke_rate_spm: [], heart_rate_bpm: [],
};

function takePoints(points) {
  for (const ms of points.time_ms) row.time_s.push(ms / 1000);
  for (const name of SERIES) for (const value of points[name]) row[name].push(value < 0 ? null : value);
  if (row.time_s.length > MOST_POINTS) for (const name of ["time_s", ...SERIES]) row[name] = row[name].filter((_, i) => i % 2 === 0);
  if (points.time_ms.length) later(drawChart);
}

function beginAnew() {
  for (const name of ["time_s", ...SERIES]) row[name] = [];
  Object.assign(row, { moment: null, end: undefined });
  offset_s = null;
}

const TAKE = {
  session(content) {
    if (content.restarted) beginAnew();
    row.heading = content.heading;
    row.plan = content.plan;
    row.before = content.before;
    TAKE.rounds(content);
    takePoints(content.points);
    paint();
  },
  rounds(content) {
    row.rounds = content.rounds;
    row.fade = content.fade;
    row.spans = content.spans;
    paintRounds();
  },
  said(content) {
    for (const text of content.texts) say(text);
    if (!row.moment && row.end === undefined) paint();
  },
  moment(content) {
    const before = row.moment;
    row.moment = content;
    keepTime(content.time_s);
    takePoints(content.points);
    paint();
    announce(before, content);
    document.documentElement.dataset.number = content.number;
  },
  end(content) {
    row.end = content;
    paint();
  },
};

const isEnded = () => row.end !== undefined;
const isLively = () => Boolean(row.moment) && !isEnded();

// --- time: the session's, as the host has it -------------------------------------------------------------------------

let offset_s = null, offsetAt_s = 0;

// What arrives is late by a delay that varies.  The least delay seen is the nearest to the truth; it is forgotten slowly,
// since two clocks drift.
function keepTime(time_s) {
  const here_s = performance.now() / 1000, seen_s = time_s - here_s;
  const held_s = offset_s === null ? -Infinity : offset_s - 1e-4 * (here_s - offsetAt_s);
  offset_s = seen_s > held_s || held_s - seen_s > 3 ? seen_s : held_s;
  offsetAt_s = here_s;
}

const now_s = () => performance.now() / 1000 + (offset_s ?? 0);

let digitsTimer = 0;

// The digits change when their second is over, whenever the last notification came.
function paintDigits() {
  clearTimeout(digitsTimer);
  const { moment } = row, guide = moment?.guide;
  if (!moment || row.end !== undefined) return;
  const elapsed_s = now_s();
  let next_ms = 1000 * (1 - (elapsed_s % 1)), text = clock(Math.floor(elapsed_s)), unit = "", soon = null;
  writeNumber("clock", text);
  if (guide) {
    const left_s = guide.ends_s === null ? guide.left_s : guide.ends_s - elapsed_s;
    if (left_s !== null) {
      const shown = Math.max(0, Math.ceil(left_s - 0.005));
      text = clock(shown);
      if (guide.state === "rowing" && shown <= 3 && shown > 0) call((soon = text = String(shown)), `${guide.ends_s}`);
      if (guide.ends_s !== null && left_s > 0) next_ms = Math.min(next_ms, 1000 * (left_s - shown + 1));
    } else if (guide.left_m !== null) {
      const speed = moment.pace_s_per_500m && !isOut ? 500 / moment.pace_s_per_500m : 0;
      text = whole(Math.max(0, guide.left_m - speed * Math.min(1.5, Math.max(0, elapsed_s - moment.time_s))));
      unit = "m";
      next_ms = Math.min(next_ms, 250);
    } else {
      text = "";
    }
  }
  const left = $("left");
  if (left.dataset.text !== text + unit) {
    left.dataset.text = text + unit;
    left.classList.toggle("long", text.length > 5);
    left.replaceChildren(text, ...(unit ? [made("span", unit, "unit")] : []));
  }
  if (soon) $("band").dataset.soon = soon;
  else delete $("band").dataset.soon;
  if (soon && soon !== paintDigits.soon) flash();
  paintDigits.soon = soon;
  digitsTimer = setTimeout(paintDigits, Math.max(20, next_ms + 4));
}

function flash() {
  const band = $("band");
  band.style.animation = "none";
  void band.offsetWidth; // begins the animation anew
  band.style.animation = "";
}

// --- what now, and the numbers ---------------------------------------------------------------------------------------

function modeOf() {
  if (refusal) return "refused";
  if (row.end !== undefined) return "ended";
  if (!row.moment) return "none";
  const guide = row.moment.guide;
  if (guide) return { waiting: "waiting", done: "done" }[guide.state] ?? "plan";
  return row.moment.moving || row.moment.stroke_count ? "free" : "waiting";
}

const SAYS = {
  refused: () => ["This isn't your row", "", refusal],
  ended: () => ["", "", ""],
  none: () => ["Getting ready", "", lastSaid || "Looking for rowsync …"],
  waiting: () => ["Row when you are ready", row.plan?.plan ?? "", row.plan ? `first: ${described(row.plan.pieces[0])}` : ""],
  done: () => ["The plan is done", "", "Row on as you like, or End."],
  free: () => [nameOf(row.moment.effort) || "Rowing", "", ""],
  plan() {
    const { guide } = row.moment, isPaused = guide.state === "paused";
    const name = nameOf(guide.effort);
    const round = guide.round_number === null ? "" : `round ${guide.round_number} of ${guide.rounds}`;
    const following = row.plan?.pieces[guide.piece + 1];
    const next = following ? `next: ${described(following)}` : "then it is done";
    return isPaused ? ["Paused", "row on", `${name}${round ? `, ${round}` : ""}`] : [name, round, next];
  },
};

const described = (piece) => `${nameOf(piece.effort).toLowerCase()} ${lengthOf(piece)}`;

function paint() {
  const mode = modeOf(), { moment } = row, guide = moment?.guide;
  document.body.dataset.mode = mode;
  const [effort, round, next] = SAYS[mode]();
  write($("effort"), mode === "plan" || mode === "free" ? effort.toUpperCase() : effort);
  write($("round"), round);
  write($("next"), next);
  const colour = mode === "plan" ? guide.effort : mode === "free" ? moment.effort : null;
  if (colour in NAMES) $("band").dataset.effort = colour;
  else delete $("band").dataset.effort;
  $("band").dataset.state = guide?.state ?? "";
  write($("go"), mode === "waiting" ? "Begin" : "Next");
  $("go").hidden = mode === "waiting" && !row.plan;
  write($("longer"), guide && guide.left_s === null && guide.left_m !== null ? "+100 m" : "+30 s");
  $("row").hidden = mode === "ended";
  $("summary").hidden = mode !== "ended";
  if (mode === "waiting" || mode === "none" || mode === "refused" || mode === "done") $("left").replaceChildren(), delete $("left").dataset.text;
  if (mode === "ended") paintEnd();
  if (moment && mode !== "ended") paintNumbers(moment);
  paintBanner();
}

function writeNumber(id, text) {
  write($(id).querySelector("dd"), text);
}

function paintNumbers(moment) {
  writeNumber("power_w", whole(moment.power_w));
  writeNumber("stroke_rate_spm", known(moment.stroke_rate_spm) ? String(Math.round(moment.stroke_rate_spm)) : NONE);
  writeNumber("pace_s_per_500m", pace(moment.pace_s_per_500m));
  writeNumber("heart_rate_bpm", whole(moment.heart_rate_bpm));
  writeNumber("distance_m", whole(moment.distance_m));
  const energy = $("energy").querySelector("dd"), text = whole(moment.gross_kcal);
  const range = ` ±${whole(moment.gross_kcal * moment.energy_half_width)}`;
  if (energy.textContent !== text + range) energy.replaceChildren(text, made("small", range));
  write($("saved"), `saved ${whole(moment.saved)} of ${whole(moment.notifications)}`);
  if (moment.guide) $("share").value = moment.guide.share;
  paintAims(moment.guide);
  if (document.body.dataset.mode === "plan" || document.body.dataset.mode === "free") paintDigits();
}

// Each target stands under the number that it is about.
function paintAims(guide) {
  const asked = row.plan?.pieces[guide?.piece]?.targets ?? [];
  const aims = new Map((guide?.targets ?? []).map((target, i) => [asked[i]?.quantity ?? "", target]));
  for (const place of document.querySelectorAll(".aim")) {
    const aim = aims.get(place.parentElement.id) ?? (place.id === "aim" ? aims.get("conversation") ?? aims.get("") : null);
    write(place, aim ? `${IS[aim.is] ?? ""} ${aim.words}`.trim() : "");
    if (aim?.is) place.dataset.is = aim.is;
    else delete place.dataset.is;
    place.parentElement.classList.toggle("aimed", Boolean(aim));
  }
}

function paintBanner() {
  const { moment } = row, isOver = row.end !== undefined;
  const texts = [];
  if (isOut && !refusal && !isOver && (moment || lastId)) texts.push("This page has lost rowsync and looks for it. Row on: the computer at the rower records.");
  if (moment?.lost && !isOver) texts.push(`No data from the rower: ${moment.lost}. Row on: rowsync connects again.`);
  if (moment?.trouble && !isOver) texts.push(`The disk refuses: ${moment.trouble}. Row on, and free some space; the row is kept in memory.`);
  write($("banner"), texts.join(" "));
  $("banner").hidden = !texts.length;
  document.body.classList.toggle("stale", Boolean((isOut || moment?.lost) && !isOver));
}

let lastSaid = "", lineTimer = 0;

function say(text) {
  lastSaid = text;
  write($("line"), text);
  clearTimeout(lineTimer);
  lineTimer = setTimeout(() => write($("line"), ""), 12000);
}

// --- the rounds ------------------------------------------------------------------------------------------------------

function paintRounds() {
  const { rounds, fade } = row, last = rounds.findLast((round) => known(round.heart_rate_recovery_bpm));
  $("rounds").hidden = !rounds.length && !row.before?.rounds?.length;
  document.body.toggleAttribute("data-rounds", !$("rounds").hidden);
  write($("fade"), known(fade) && rounds.length >= 4 ? fadeWords(fade) : "");
  write($("recovery"), last ? `heart −${whole(last.heart_rate_recovery_bpm)} in 1 min` : "");
  const powers = rounds.map((round) => whole(round.mean_power_w)).join(", ");
  $("bars").setAttribute("aria-label", `Mean power of the hard rounds in watts: ${powers || "none yet"}`);
  write($("outline"), row.before?.rounds?.length ? "outline: last time" : "");
  later(drawBars);
}

function fadeWords(fade) {
  const share = `${Math.abs(Math.round(100 * fade))}\u202f%`;
  return Math.abs(fade) < 0.005 ? "as strong as at first" : `${share} ${fade < 0 ? "weaker" : "stronger"} than at first`;
}

// --- drawing: at most five times a second, and only what changed -----------------------------------------------------

const SHORTEST_MS = 200;
const dirty = new Set();
let drawnAt = 0, drawTimer = 0;

function later(draw) {
  dirty.add(draw);
  if (drawTimer) return;
  drawTimer = setTimeout(() => requestAnimationFrame(() => {
    drawTimer = 0;
    drawnAt = performance.now();
    const draws = [...dirty];
    dirty.clear();
    for (const each of draws) each();
  }), Math.max(0, SHORTEST_MS - (performance.now() - drawnAt)));
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// A canvas of as many pixels as the screen has; null while it isn't shown.
function pen(canvas) {
  const { width, height } = canvas.getBoundingClientRect(), scale = window.devicePixelRatio || 1;
  if (width < 20 || height < 20) return null;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const size = Math.min(20, Math.max(10, height * 0.11));
  context.font = `600 ${size}px system-ui, sans-serif`;
  return { context, width, height, size };
}

let isWhole = false;

// From when to when, and as what, pieces were and will be rowed.
function shades() {
  const end_s = row.time_s.at(-1) ?? 0, guide = row.moment?.guide;
  const spans = row.spans.map(([start_s, effort], i) => [start_s, row.spans[i + 1]?.[0] ?? end_s, effort]);
  if (guide?.state !== "rowing" || !known(guide.ends_s) || !row.plan) return spans;
  if (spans.length) spans.at(-1)[1] = Math.min(spans.at(-1)[1], guide.ends_s);
  spans.push([spans.at(-1)?.[1] ?? end_s, guide.ends_s, guide.effort]);
  let at_s = guide.ends_s;
  for (const piece of row.plan.pieces.slice(guide.piece + 1)) {
    if (piece.duration_s === null) break; // nobody knows when it will end
    spans.push([at_s, (at_s += piece.duration_s), piece.effort]);
  }
  return spans;
}

// Between which times the chart goes.
function range(spans) {
  const end_s = row.time_s.at(-1) ?? 0, planned_s = spans.at(-1)?.[1] ?? 0;
  if (isWhole) return [0, Math.max(end_s, planned_s, 60)];
  const ahead_s = Math.min(AHEAD_S, Math.max(0, planned_s - end_s));
  const start_s = Math.max(0, end_s - WINDOW_S);
  return [start_s, Math.max(end_s + ahead_s, start_s + WINDOW_S)];
}

function niceTop(most, step) {
  return Math.max(2 * step, Math.ceil(most / step) * step);
}

function drawChart() {
  const drawn = pen($("chart"));
  if (!drawn) return;
  const { context, width, height, size } = drawn;
  const spans = shades(), [from_s, to_s] = range(spans);
  const box = { left: size * 2.4, right: width - size * 1.9, top: size * 1.5, bottom: height - size * 1.3 };
  const x = (time_s) => box.left + ((time_s - from_s) / (to_s - from_s)) * (box.right - box.left);
  const first = firstAfter(row.time_s, from_s);
  let most = 0;
  for (let i = first; i < row.power_w.length; i++) most = Math.max(most, row.power_w[i] ?? 0);
  const topPower = niceTop(Math.max(most, 100) * 1.05, 50), topRate = 45;
  const y = (share) => box.bottom - share * (box.bottom - box.top);

  for (const [start_s, stop_s, effort] of spans) {
    if (stop_s <= from_s || start_s >= to_s || !(effort in NAMES)) continue;
    const left = x(Math.max(start_s, from_s)), right = x(Math.min(stop_s, to_s));
    context.fillStyle = colour(effort);
    context.globalAlpha = effort === "hard" ? 0.42 : 0.2;
    context.fillRect(left, box.top, right - left, box.bottom - box.top);
    context.globalAlpha = 1;
    context.fillRect(left, box.top - 4, Math.max(1, right - left - 1), 4);
  }

  context.fillStyle = colour("quiet");
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  context.textBaseline = "middle";
  const lines = height > 140 ? [0, 0.5, 1] : [0, 1];
  for (const share of lines) {
    context.beginPath();
    context.moveTo(box.left, y(share));
    context.lineTo(box.right, y(share));
    context.stroke();
    context.textAlign = "right";
    context.fillText(String(Math.round(share * topPower)), box.left - 5, y(share));
    context.textAlign = "left";
    if (share) context.fillText(String(Math.round(share * topRate)), box.right + 5, y(share));
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  const step_s = [30, 60, 120, 300, 600, 1200, 3600].find((step) => ((to_s - from_s) / step) * size * 4 < width) ?? 7200;
  for (let at_s = Math.ceil(from_s / step_s) * step_s; at_s <= to_s; at_s += step_s) {
    if (x(at_s) > box.left + size && x(at_s) < box.right - size) context.fillText(clock(at_s), x(at_s), box.bottom + 3);
  }

  const power = binned(row.power_w, first, width), rate = binned(row.stroke_rate_spm, first, width);
  const area = curves(power, x, (value) => y(Math.min(1, value / topPower)));
  context.fillStyle = context.strokeStyle = colour("power");
  context.lineJoin = "round";
  context.globalAlpha = 0.22;
  for (const curve of area) {
    context.beginPath();
    context.moveTo(curve[0][0], box.bottom);
    for (const [px, py] of curve) context.lineTo(px, py);
    context.lineTo(curve.at(-1)[0], box.bottom);
    context.fill();
  }
  context.globalAlpha = 1;
  strokeAll(context, area, Math.max(2, size / 6));
  context.strokeStyle = colour("rate");
  context.setLineDash([size / 2.5, size / 4]);
  strokeAll(context, curves(rate, x, (value) => y(Math.min(1, value / topRate))), Math.max(1.5, size / 8));
  context.setLineDash([]);

  if (row.time_s.length) {
    context.strokeStyle = colour("ink");
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x(row.time_s.at(-1)), box.top - 4);
    context.lineTo(x(row.time_s.at(-1)), box.bottom);
    context.stroke();
  }
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillStyle = colour("power");
  context.fillText("power W", box.left, 0);
  context.fillStyle = colour("rate");
  const rateLabel = width > size * 34 ? "stroke rate spm (dashed)" : "spm (dashed)";
  context.fillText(rateLabel, box.left + context.measureText("power W").width + size, 0);
  context.fillStyle = colour("quiet");
  context.textAlign = "right";
  context.fillText(isWhole ? "whole row" : "5 min", box.right, 0);
}

function firstAfter(times_s, time_s) {
  let low = 0, high = times_s.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times_s[middle] < time_s) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

// Points as the screen can show them: means of neighbours where there are more than pixels.
function binned(values, first, width) {
  const step = Math.max(1, Math.ceil((values.length - first) / (1.5 * width))), points = [];
  for (let i = first; i < values.length; i += step) {
    let sum = 0, count = 0;
    for (let k = i; k < Math.min(i + step, values.length); k++) if (values[k] !== null) (sum += values[k]), count++;
    points.push([row.time_s[i], count ? sum / count : null]);
  }
  return { points, break_s: BREAK_S + step };
}

// Curves that break where nothing was measured.
function curves({ points, break_s }, x, y) {
  const all = [];
  let current = null, before_s = -Infinity;
  for (const [time_s, value] of points) {
    if (value === null || time_s - before_s > break_s) current = null;
    before_s = time_s;
    if (value === null) continue;
    if (!current) all.push((current = []));
    current.push([x(time_s), y(value)]);
  }
  return all;
}

function strokeAll(context, all, width) {
  context.lineWidth = width;
  for (const curve of all) {
    context.beginPath();
    curve.forEach(([px, py], i) => (i ? context.lineTo(px, py) : context.moveTo(px, py)));
    context.stroke();
  }
}

function drawBars() {
  const drawn = pen($("bars"));
  if (!drawn) return;
  const { context, width, height, size } = drawn;
  const now = row.rounds.map((round) => round.mean_power_w), then = (row.before?.rounds ?? []).map((round) => round.mean_power_w);
  const most = Math.max(now.length, then.length, row.plan?.rounds ?? 0), shown = Math.min(most, Math.floor(width / 9));
  const first = Math.max(0, Math.min(most - shown, now.length - shown + 1));
  const top = Math.max(50, ...now.filter(known), ...then.filter(known)), slot = width / Math.max(shown, 4);
  const bottom = height - size * 1.2, scale = (bottom - size * 1.3) / top;
  context.textAlign = "center";
  for (let i = first; i < first + shown; i++) {
    const left = (i - first) * slot + slot * 0.12, wide = slot * 0.76, middle = left + wide / 2;
    const isNow = row.moment?.guide?.effort === "hard" && i === now.length;
    context.fillStyle = colour(isNow ? "ink" : "quiet");
    context.textBaseline = "top";
    if (slot > size * 1.3 || (i + 1) % 5 === 0) context.fillText(String(i + 1), middle, bottom + 2);
    context.fillStyle = colour("line");
    context.fillRect(left, bottom - 2, wide, 2);
    if (known(now[i])) {
      context.fillStyle = colour("power");
      context.fillRect(left, bottom - now[i] * scale, wide, now[i] * scale);
    }
    if (known(then[i])) {
      context.strokeStyle = colour("ink");
      context.lineWidth = 1.5;
      context.strokeRect(left - 1, bottom - then[i] * scale, wide + 2, then[i] * scale);
    }
    if (known(now[i]) && slot > size * 1.9) {
      context.fillStyle = colour("ink");
      context.textBaseline = "bottom";
      context.fillText(whole(now[i]), middle, bottom - Math.max(now[i], then[i] ?? 0) * scale - 2);
    }
  }
}

// --- what is called out ----------------------------------------------------------------------------------------------

const TONES = {
  3: [[660, 0.12]], 2: [[660, 0.12]], 1: [[660, 0.12]],
  hard: [[1320, 0.6]], easy: [[440, 0.6]], rest: [[440, 0.6]],
  steady: [[880, 0.6]], warmup: [[880, 0.6]], cooldown: [[880, 0.6]],
  paused: [[440, 0.15], [330, 0.3]], done: [[660, 0.15], [880, 0.15], [1320, 0.5]],
};
const WORDS = { paused: "Paused. Row on.", done: "Done." };
let audio = null, speaks = false, calledKey = "";

function call(word, key) {
  if (calledKey === `${key}:${word}`) return;
  calledKey = `${key}:${word}`;
  if (audio) beep(TONES[word] ?? []);
  const guide = row.moment?.guide, name = nameOf(word);
  const sentence = WORDS[word] ?? (name ? `${name}.${word === "hard" && guide?.round_number ? ` Round ${guide.round_number}.` : ""}` : "");
  if (sentence) write($("call"), sentence);
  if (speaks) speak(sentence || word);
}

function announce(before, moment) {
  const guide = moment.guide, was = before?.guide;
  if (!guide || !before || row.end !== undefined) return;
  if (guide.state !== was?.state || guide.piece !== was?.piece) {
    const word = guide.state === "rowing" ? guide.effort : guide.state;
    if (word !== "waiting") call(word, `${guide.piece}:${guide.state}`);
  } else if (guide.left_s === null) {
    for (const word of moment.calls) call(word, `piece ${guide.piece}`);
  }
}

function beep(tones) {
  let at = audio.currentTime;
  for (const [hertz, seconds] of tones) {
    const tone = audio.createOscillator(), loud = audio.createGain();
    tone.frequency.value = hertz;
    loud.gain.setValueAtTime(0.0001, at);
    loud.gain.exponentialRampToValueAtTime(0.6, at + 0.01);
    loud.gain.setValueAtTime(0.6, at + seconds - 0.03);
    loud.gain.exponentialRampToValueAtTime(0.0001, at + seconds);
    tone.connect(loud).connect(audio.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.05;
  }
}

function speak(text) {
  const words = new SpeechSynthesisUtterance(text);
  words.lang = "en";
  speechSynthesis.cancel();
  speechSynthesis.speak(words);
}

// --- asking for something --------------------------------------------------------------------------------------------

const ask = (command) => post("/commands", command, "Ctrl-C at the computer ends the row.");

let sureTimer = 0;

function asksToEnd(asks) {
  clearTimeout(sureTimer);
  $("buttons").hidden = asks;
  $("sure").hidden = !asks;
  if (!asks) return;
  $("no").focus();
  sureTimer = setTimeout(() => asksToEnd(false), 8000);
}

function press(button, isPressed) {
  button.setAttribute("aria-pressed", String(isPressed));
}

const DOES = {
  go: () => ask({ command: modeOf() === "waiting" ? "start" : "next" }),
  longer: () => ask({ command: "extend" }),
  end: () => asksToEnd(true),
  no: () => asksToEnd(false),
  yes() {
    asksToEnd(false);
    ask({ command: "stop" });
  },
  sound() {
    if (audio) audio.close();
    audio = audio ? null : new AudioContext();
    if (audio) beep(TONES[1]);
    press($("sound"), Boolean(audio));
  },
  voice() {
    speaks = !speaks;
    if (speaks) speak("Voice on.");
    press($("voice"), speaks);
  },
  full: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.()),
};
const KEYS = { n: "go", "+": "longer", "=": "longer", e: "end", y: "yes", f: "full", s: "sound", v: "voice", Escape: "no" };

for (const [id, act] of Object.entries(DOES)) $(id).addEventListener("click", act);
document.addEventListener("keydown", (event) => {
  const id = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!id || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if ((id === "yes" || id === "no") && $("sure").hidden) return;
  if (getComputedStyle($(id)).display !== "none") DOES[id]();
});
$("chart").addEventListener("click", () => {
  isWhole = !isWhole;
  later(drawChart);
});
$("voice").hidden = !("speechSynthesis" in window);
$("full").hidden = !document.fullscreenEnabled;

// --- the end ---------------------------------------------------------------------------------------------------------

function total(name, value, unit = "", more = "") {
  const box = made("div"), number = made("dd", value);
  if (unit && value !== NONE) number.append(made("small", ` ${unit}`));
  box.append(made("dt", name), number);
  if (more && value !== NONE) box.append(made("dd", more, "more"));
  return box;
}

const mean = (values) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : null);

function paintEnd() {
  const place = $("summary"), { summary } = row.end ?? {};
  if (place.dataset.of === (summary?.session_id ?? "nothing")) return;
  place.dataset.of = summary?.session_id ?? "nothing";
  place.replaceChildren(made("h1", summary ? `Done: ${whole(summary.distance_m)} m in ${clock(summary.duration_s)}` : "The row is over"));
  if (!summary) return place.append(made("p", "Nothing was rowed, so nothing was stored.", "about"));
  const at = new Date(summary.started_at), when = isNaN(at) ? "" : at.toLocaleString([], { dateStyle: "full", timeStyle: "short" });
  place.append(made("p", [summary.plan, when].filter(Boolean).join(" · "), "about"), totalsOf(summary));
  const said = summary.said ?? [];
  if (said.length) {
    const list = made("ul");
    list.append(...said.map((text) => made("li", String(text))));
    place.append(made("h2", "What it was"), list);
  }
  const hard = (summary.intervals ?? []).filter((each) => each.effort === "hard");
  if (hard.length) place.append(made("h2", "Hard rounds"), tableOf(hard));
}

function totalsOf(summary) {
  const energy = summary.energy ?? {}, list = made("dl", "", "totals");
  const bounds = known(energy.low_kcal) ? `${whole(energy.low_kcal)}–${whole(energy.high_kcal)}, four times out of five` : "";
  const compliance = summary.compliance;
  list.append(
    total("energy", whole(energy.gross_kcal), "kcal", bounds),
    total("power", whole(summary.mean_power_w), "W"),
    total("pace", pace(summary.mean_pace_s_per_500m), "/500 m"),
    total("stroke rate", known(summary.mean_stroke_rate_spm) ? summary.mean_stroke_rate_spm.toFixed(1) : NONE, "spm", `${whole(summary.stroke_count)} strokes`),
    total("heart rate", whole(summary.mean_heart_rate_bpm), "bpm"),
  );
  if (compliance?.rounds_planned) list.append(total("rounds", `${compliance.rounds_rowed}`, `of ${compliance.rounds_planned}`));
  if (known(summary.fade)) list.append(total("last rounds on the first", percent(summary.fade)));
  return list;
}

function tableOf(hard) {
  const then = row.before?.rounds ?? [], isCompared = then.some((round) => known(round.mean_power_w));
  const columns = [
    ["round", (_, i) => String(i + 1)],
    ["W", (each) => whole(each.mean_power_w)],
    ...(isCompared ? [["last time", (_, i) => whole(then[i]?.mean_power_w)]] : []),
    ["time", (each) => clock(each.duration_s)],
    ["m", (each) => whole(each.distance_m)],
    ["/500 m", (each) => pace(each.mean_pace_s_per_500m)],
    ["spm", (each) => (known(each.mean_stroke_rate_spm) ? each.mean_stroke_rate_spm.toFixed(1) : NONE)],
    ["peak bpm", (each) => whole(each.peak_heart_rate_bpm)],
    ["bpm after 1 min", (each) => (known(each.heart_rate_recovery_bpm) ? `−${whole(each.heart_rate_recovery_bpm)}` : NONE)],
  ].filter(([, write]) => hard.some((each, i) => write(each, i) !== NONE));
  const scroll = made("div", "", "scroll"), table = made("table"), head = made("tr");
  head.append(...columns.map(([name]) => made("th", name)));
  table.createTHead().append(head);
  const body = table.createTBody();
  hard.forEach((each, i) => {
    const line = made("tr");
    line.append(...columns.map(([name, write]) => made("td", write(each, i), name === "W" ? "strong" : "")));
    body.append(line);
  });
  scroll.append(table);
  return scroll;
}

// --- from here on ----------------------------------------------------------------------------------------------------

async function stayAwake() {
  try {
    if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
  } catch { /* the battery is low, or the address isn't secure: the screen's own setting holds */ }
}

function begin() {
  token = readToken();
  refusal = "";
  follow();
}

document.addEventListener("visibilitychange", () => {
  stayAwake();
  if (audio?.state === "suspended") audio.resume();
  later(drawChart);
  later(drawBars);
});
addEventListener("hashchange", () => location.reload());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (later(drawChart), later(drawBars)));
new ResizeObserver(() => (later(drawChart), later(drawBars))).observe($("charts"));
stayAwake();
begin();
