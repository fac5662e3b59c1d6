// What pages that follow something share: words, the link's secret, events in, and what is asked for out.
// A page has TAKE (what it does with each event), say(), paint(), paintBanner(),
// isEnded() and isLively().
"use strict";

const NONE = "–";
const NAMES = { hard: "Hard", easy: "Easy", rest: "Rest", steady: "Steady", warmup: "Warm-up", cooldown: "Cool-down" };

const $ = (id) => document.getElementById(id);
const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };
const known = (value) => typeof value === "number" && Number.isFinite(value);

function made(tag, text = "", kind = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

// --- words -----------------------------------------------------------------------------------------------------------

const whole = (value) => (known(value) ? Math.round(value).toLocaleString("en").replaceAll(",", "\u202f") : NONE);

function clock(seconds) {
  if (!known(seconds)) return NONE;
  const all = Math.max(0, Math.round(seconds)), pad = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(all % 60)}` : `${minutes}:${pad(all % 60)}`;
}

function pace(seconds) {
  if (!known(seconds) || seconds <= 0) return NONE;
  const tenths = Math.round(seconds * 10);
  return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

const nameOf = (effort) => NAMES[effort] ?? "";

// --- the stream ------------------------------------------------------------------------------------------------------

let token = "", lastId = "", heardAt = 0, isOut = false, refusal = "", retry_ms = 500, attempt = null;

function readToken() {
  let given = location.hash.slice(1);
  try {
    given = decodeURIComponent(given);
  } catch { /* a % that means nothing: the link as it is */ }
  try {
    if (given) localStorage.setItem("rowsync", given);
    return given || localStorage.getItem("rowsync") || "";
  } catch {
    return given; // storage may be forbidden; the link still has it
  }
}

const authorised = (more) => ({ Authorization: `Bearer ${encodeURIComponent(token)}`, ...more });

async function follow() {
  for (;;) {
    try {
      await listen();
    } catch { /* nobody answers; asked again below */ }
    if (refusal) return;
    reach(false);
    await new Promise((done) => setTimeout(done, isEnded() ? 5000 : retry_ms));
  }
}

async function listen() {
  attempt = new AbortController();
  heardAt = performance.now();
  const headers = authorised(lastId ? { "Last-Event-ID": lastId } : {});
  const answer = await fetch("/events", { headers, cache: "no-store", signal: attempt.signal });
  if (answer.status === 403) refusal = (await answer.json()).error;
  if (!answer.ok) return paint();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    heardAt = performance.now();
    reach(true);
    const messages = (rest + value).split("\n\n");
    rest = messages.pop();
    messages.forEach(hear);
  }
}

function hear(message) {
  const fields = {};
  for (const line of message.split("\n")) {
    const at = line.indexOf(":");
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).trimStart();
  }
  if (fields.retry) retry_ms = Number(fields.retry);
  if (fields.id !== undefined) lastId = fields.id;
  if (fields.event in TAKE) TAKE[fields.event](JSON.parse(fields.data));
}

function reach(isReached) {
  if (isOut === !isReached) return;
  isOut = !isReached;
  paintBanner();
}

// While anybody rows something comes every second; a link that is silent is dead though nobody said so.
setInterval(() => {
  const patience_ms = isLively() ? 4000 : 15000;
  if (attempt && performance.now() - heardAt > patience_ms) attempt.abort();
}, 1000);

// --- asking for something --------------------------------------------------------------------------------------------

// Answers whether it was done; what is wrong is said.
async function post(path, content, otherwise) {
  try {
    const headers = authorised({ "Content-Type": "application/json" });
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(content), cache: "no-store" });
    if (!answer.ok) say((await answer.json()).error);
    return answer.ok;
  } catch {
    say(`rowsync can't be reached from here just now. ${otherwise}`);
    return false;
  }
}
