// The room's page: a tile for each lane, and who rows where.  Whatever comes from the server is written as text only.
"use strict";

const ORDERS = { place: null, metres: "distance_m", power: "power_w", rate: "stroke_rate_spm" };
const BAND = { under: "▼", on: "●", over: "▲" };
const WIDE = 10.8, HIGH = 10.4; // the least width and height inside a tile, in its own unit
const GAP_PX = 8, PADDING_PX = 6; // what is around a tile with its border, and around all tiles
const LEAST_UNIT_PX = 14, LEAST_TILE_PX = 170, LONG_TROUBLE = 60, SORT_EVERY_MS = 2000;

const room = { lanes: new Map(), people: [], team: null, number: 0, tiles: new Map(), order: "place", sortedAt: 0, asked: null };
const isClaim = location.pathname.startsWith("/claim/");

const TAKE = {
  hello() {
    for (const tile of room.tiles.values()) tile.remove();
    room.lanes.clear();
    room.tiles.clear();
  },
  people(content) {
    room.people = content.people;
    paintClaim();
  },
  team(content) {
    room.team = content;
    paintTeam();
  },
  lane(content) {
    const isNew = !room.lanes.has(content.lane);
    room.lanes.set(content.lane, content);
    paintLane(content);
    sort(isNew);
    if (isNew) fit();
    $("begin").hidden = ![...room.lanes.values()].some((lane) => lane.doing === "waiting");
    paintClaim();
    paint();
  },
  said: (content) => say(content.text),
};

const isEnded = () => false;
const isLively = () => room.lanes.size > 0;

let lineTimer = 0;

function say(text) {
  write($("line"), text);
  clearTimeout(lineTimer);
  lineTimer = setTimeout(() => write($("line"), ""), 12000);
  if (room.asked !== null) write($("where"), text);
}

function paint() {
  $("empty").hidden = room.lanes.size > 0 && !refusal;
  write($("empty"), refusal || (lastId || heardAt ? "No rower is here yet: pull a handle to wake one." : "Looking for rowsync …"));
  if (refusal && isClaim) write($("where"), refusal);
}

function paintBanner() {
  write($("banner"), isOut && !refusal ? "This page has lost rowsync and looks for it. Row on: the computer records." : "");
  $("banner").hidden = !$("banner").textContent;
  document.body.classList.toggle("stale", isOut);
  fit();
}

function paintTeam() {
  const { goal, words, share } = room.team, was = $("team").hidden;
  $("team").hidden = goal === null;
  write($("goal"), goal ?? "");
  write($("words"), words);
  $("share").hidden = share === null;
  $("share").value = share ?? 0;
  if (was !== $("team").hidden) fit();
}

// --- the tiles -------------------------------------------------------------------------------------------------------

function tileOf(lane) {
  const known = room.tiles.get(lane.lane);
  if (known) return known;
  const tile = made("section", "", "tile"), head = made("button", "", "head");
  head.append(made("span", String(lane.lane), "number"), made("span", "", "who"), made("span", "", "band"));
  head.addEventListener("click", () => askWho({ lane: lane.lane }));
  const phase = made("p", "", "phase");
  phase.append(made("span", "", "doing"), made("span", "", "round"), made("span", "", "left"));
  const numbers = made("div", "", "numbers"), side = made("p", "", "side");
  side.append(quantity("stroke_rate_spm", "spm"), quantity("pace_s_per_500m", "/500"));
  numbers.append(quantity("power_w", "W"), side);
  const foot = made("p", "", "foot");
  foot.append(quantity("distance_m", "m"), made("span", "", "saved"));
  tile.append(head, phase, numbers, made("p", "", "trouble"), foot);
  tile.dataset.lane = lane.lane;
  room.tiles.set(lane.lane, tile);
  $("lanes").append(tile);
  return tile;
}

function quantity(name, unit) {
  const box = made("span", "", name);
  box.append(made("b", NONE), made("small", unit));
  return box;
}

function paintLane(lane) {
  const tile = tileOf(lane), put = (place, text) => write(tile.querySelector(place), text);
  put(".who", lane.who);
  put(".doing", nameOf(lane.effort) || lane.doing);
  put(".round", lane.round === NONE ? "" : lane.round);
  put(".left", lane.left === NONE ? "" : lane.left);
  put(".power_w b", whole(lane.power_w));
  put(".stroke_rate_spm b", whole(lane.stroke_rate_spm));
  put(".pace_s_per_500m b", clock(lane.pace_s_per_500m));
  put(".distance_m b", whole(lane.distance_m));
  put(".saved", lane.saved === null ? "" : `saved ${whole(lane.saved)}`);
  put(".trouble", lane.trouble);
  put(".band", BAND[lane.band] ?? "");
  tile.querySelector(".head").setAttribute("aria-label", `Lane ${lane.lane}, ${lane.who}: change who rows here`);
  tile.dataset.effort = lane.effort ?? "";
  tile.dataset.band = lane.band ?? "";
  tile.classList.toggle("silent", Boolean(lane.trouble) && lane.power_w === null);
  tile.classList.toggle("troubled", Boolean(lane.trouble));
  tile.classList.toggle("wordy", lane.trouble.length > LONG_TROUBLE);
  tile.classList.toggle("strong", lane.power_w >= 1000);
}

// --- in which order --------------------------------------------------------------------------------------------------

// Tiles that jump at every stroke can't be read: they are sorted every two seconds.
function sort(atOnce) {
  if (!atOnce && performance.now() - room.sortedAt < SORT_EVERY_MS) return;
  room.sortedAt = performance.now();
  const by = ORDERS[room.order], value = (lane) => (by && known(lane[by]) ? lane[by] : -1);
  const lanes = [...room.lanes.values()].sort((a, b) => value(b) - value(a) || a.lane - b.lane);
  lanes.forEach((lane, at) => {
    const tile = room.tiles.get(lane.lane);
    if ($("lanes").children[at] !== tile) $("lanes").insertBefore(tile, $("lanes").children[at] ?? null);
  });
}

function orderBy(order) {
  room.order = order in ORDERS ? order : "place";
  for (const button of document.querySelectorAll("[data-order]")) button.setAttribute("aria-pressed", String(button.dataset.order === room.order));
  sort(true);
}

// --- how large -------------------------------------------------------------------------------------------------------

const unitOf = (length_px, tiles, units) => ((length_px - PADDING_PX) / tiles - GAP_PX) / units;

// As many columns as make the largest tiles; where even those would be too small to read, the page scrolls.
function fit() {
  const place = $("lanes"), count = Math.max(1, room.tiles.size), top = place.getBoundingClientRect().top + scrollY;
  const width = document.documentElement.clientWidth, height = innerHeight - top;
  let columns = 1, unit = 0;
  for (let each = 1; each <= count; each++) {
    const fits = Math.min(unitOf(width, each, WIDE), unitOf(height, Math.ceil(count / each), HIGH));
    if (fits > unit) [columns, unit] = [each, fits];
  }
  const scrolls = unit < LEAST_UNIT_PX;
  if (scrolls) columns = Math.max(1, Math.floor(width / LEAST_TILE_PX));
  if (scrolls) unit = unitOf(width, columns, WIDE);
  place.classList.toggle("scrolls", scrolls);
  place.style.setProperty("--room", scrolls ? "auto" : `${Math.floor(height)}px`);
  place.style.setProperty("--columns", columns);
  place.style.setProperty("--unit", `${unit.toFixed(2)}px`);
}

addEventListener("resize", fit);

// --- who rows where --------------------------------------------------------------------------------------------------

// Somebody is to be chosen for {lane} or {address}.
function askWho(where) {
  room.asked = where;
  write($("where"), "");
  $("claim").hidden = false;
  paintClaim();
  $("people").querySelector("button")?.focus();
}

function laneAsked() {
  const { lane, address } = room.asked;
  if (lane !== undefined) return room.lanes.get(lane);
  return [...room.lanes.values()].find((each) => each.address.toLowerCase() === address.toLowerCase());
}

const SLEEPS = "Pull its handle to wake it.";

function paintClaim() {
  if (room.asked === null) return;
  const lane = laneAsked();
  write($("claimed"), lane ? `Lane ${lane.lane}: ${lane.who}` : "This rower isn't in the room yet");
  if (!lane) write($("where"), SLEEPS);
  else if ($("where").textContent === SLEEPS) write($("where"), "");
  const taken = new Map([...room.lanes.values()].map((each) => [each.who, each.lane]));
  const rows = lane ? [...room.people, { name: null, shown: "Nobody" }] : [];
  const key = JSON.stringify([lane?.lane, rows, [...taken]]);
  if ($("people").dataset.key === key) return;
  $("people").dataset.key = key;
  $("people").replaceChildren(...rows.map(({ name, shown }) => {
    const button = made("button", shown), at = name === null ? undefined : taken.get(shown);
    if (at !== undefined) button.append(made("small", `lane ${at}`));
    button.setAttribute("aria-pressed", String(at === lane.lane));
    button.disabled = at !== undefined && at !== lane.lane;
    button.addEventListener("click", () => claim(name, shown));
    return button;
  }));
}

async function claim(name, shown) {
  if (!(await post("/claims", { ...room.asked, name }, "Choose at the computer."))) return;
  write($("where"), name === null ? "Nobody is named here now." : `${shown} rows here now, and has rowed this session.`);
  if (!isClaim) closeClaim();
}

function closeClaim() {
  room.asked = null;
  $("claim").hidden = true;
}

// --- begin -----------------------------------------------------------------------------------------------------------

for (const button of document.querySelectorAll("[data-order]")) button.addEventListener("click", () => {
  orderBy(button.dataset.order);
  history.replaceState(null, "", `?sort=${room.order}${location.hash}`);
});
$("begin").addEventListener("click", () => post("/commands", { command: "start" }, "Press b at the computer."));
$("close").addEventListener("click", closeClaim);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !isClaim) closeClaim();
});

token = readToken();
orderBy(new URLSearchParams(location.search).get("sort") ?? "place");
if (isClaim) {
  document.body.dataset.mode = "claim";
  const where = decodeURIComponent(location.pathname.slice("/claim/".length));
  askWho(/^\d{1,3}$/.test(where) ? { lane: Number(where) } : { address: where });
}
follow();
