// The cluster panel's picture. Law of this file: it draws what Python says and reports what the user wants; it
// decides nothing about the cluster. No library, no build step: open it and read it.
//
// Python → browser   traits `nodes`, `network`, `data`, `info`, `doing`, `answer`, `problems`, `player`: the present;
//                    messages `history` (the last minute), `news` (what is new), `done`, `spacetime`.
// browser → Python   messages {do: verb, id: number, …arguments}; see actions.py.
//
// The small helpers (`h`, `button`, `card`, …) are in base.js, which stands in front of this file.
//
// Each part below is a function that returns {el, update(), …}: it builds its elements once and then only changes
// them, so that focus, selection and screen readers are left in peace.

const MINUTE = 60; // seconds that the timeline shows, where Python does not say otherwise (a replayed run is short)
const FLIGHT = 520; // ms that a dot takes at least: on one machine a message is there in 1 ms, too fast to see
const HOLDBACK = 0.12; // seconds by which dots run behind, so that a batch of news is shown evenly, not at once
const JUST = 0.15; // seconds before the moment that one has gone (back) to of which messages are still shown
const CROWD = 48; // dots in flight from which on they are drawn in every frame
const PATIENCE = 1200; // ms that an unanswered dot waits at its goal before it counts as lost
const REASON = { 200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable", 504: "Outcome unknown" };

// The cluster's time, guessed between two pieces of news. In a halted simulation it glides to the time of the last
// step and stands there.
function makeClock() {
  let base = 0, since = performance.now(), rate = 1, limit = Infinity, known = false;
  const now = () => Math.min(limit, base + ((performance.now() - since) / 1000) * (rate || 1));
  const tell = (time, newRate, again = false) => { // `again`: the past has changed, so there is nothing to glide from
    if (again) known = false;
    const guess = now();
    const jump = !known || rate !== newRate || Math.abs(time - guess) > 0.6;
    if (newRate === 0) base = known && time - guess < 5 && time >= guess ? guess : time;
    else base = jump ? time : guess + (time - guess) * 0.15;
    [since, rate, limit, known] = [performance.now(), newRate, newRate === 0 ? time : Infinity, true];
  };
  return { now, tell, get rate() { return rate || 1; }, get known() { return known; } };
}

// Colours come from the stylesheet, so that the drawing follows JupyterLab's theme.
function makePalette(root) {
  const names = ["ink", "faint", "line", "card", "leader", "leader-ink", "crown", "follower", "candidate", "stopped", "bad", "good", "unknown", "heartbeat", "replication", "election"];
  const colours = {};
  const refresh = () => {
    const style = getComputedStyle(root);
    for (const name of names) colours[name] = style.getPropertyValue(`--rl-${name}`).trim();
    colours.font = style.fontFamily;
  };
  return { colours, refresh };
}

function fitCanvas(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}

// ---------------------------------------------------------------------------------------------- topology: the ring

const BACKEND = { process: "local processes", docker: "Docker containers", simulated: "simulation" };
const ROLE = { leader: "leader", follower: "follower", candidate: "candidate", paused: "paused", stopped: "stopped", silent: "no answer", unknown: "…" };
const RADIUS = 48;

function makeRing(panel) {
  const links = s("svg", { class: "rl-links", "aria-hidden": "true" });
  const canvas = h("canvas", { class: "rl-dots", "aria-hidden": "true" });
  const hatch = s("pattern", { id: `${panel.id}-hatch`, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    s("rect", { width: 2.6, height: 7, class: "rl-hatch" }));
  const discs = s("svg", { class: "rl-discs", role: "group", "aria-label": "The cluster's nodes" }, s("defs", {}, hatch));
  const bubbles = h("div", { class: "rl-bubbles", "aria-hidden": "true" });
  const stage = h("div", { class: "rl-stage" }, links, canvas, discs, bubbles);
  const el = h("section", { class: "rl-card rl-ring", "aria-label": "Topology" }, stage, legend());
  const places = {}, nodes = {}, pairs = {}, said = {};
  let context = null, width = 0, height = 0, cuts = new Set(), clean = false;

  function layout() {
    const names = panel.get("nodes").map((node) => node.id);
    width = stage.clientWidth;
    height = stage.clientHeight;
    if (!width || !height || !names.length) return;
    context = fitCanvas(canvas, width, height);
    for (const svg of [links, discs]) attribute(svg, "viewBox", `0 0 ${width} ${height}`);
    const turn = (index) => (2 * Math.PI * index) / names.length - Math.PI / 2;
    const highs = names.map((_, index) => Math.sin(turn(index)));
    const top = RADIUS + 54, bottom = height - RADIUS - 24, lowest = Math.max(...highs, 0); // room for crown, bubble and lag
    const across = Math.min(width / 2 - RADIUS - 14, height * 0.85);
    names.forEach((name, index) => {
      places[name] = { x: width / 2 + across * Math.cos(turn(index)), y: top + ((highs[index] + 1) / (lowest + 1)) * (bottom - top) };
    });
    update();
  }

  function link(one, other) {
    const key = [one, other].join("|");
    if (!pairs[key]) {
      pairs[key] = { line: s("line", { class: "rl-link" }), gap: s("g", { class: "rl-cut" }, s("circle", { r: 11 }), s("path", { d: ICONS.cut, transform: "translate(-5.6 -5.6) scale(.7)" })) };
      links.append(pairs[key].line, pairs[key].gap);
    }
    return pairs[key];
  }

  function disc(name) {
    if (nodes[name]) return nodes[name];
    const part = {
      halo: s("circle", { r: RADIUS + 8, class: "rl-halo" }), body: s("circle", { r: RADIUS, class: "rl-body" }),
      weave: s("circle", { r: RADIUS - 2, class: "rl-weave", fill: `url(#${panel.id}-hatch)` }),
      crown: s("g", { class: "rl-crown" }, s("path", { d: ICONS.crown, transform: `translate(-17 ${-RADIUS - 23}) scale(2.1)` })),
      name: s("text", { class: "rl-name", y: -15 }, name), role: s("text", { class: "rl-role", y: 1 }),
      term: s("text", { class: "rl-facts", y: 17 }), keys: s("text", { class: "rl-facts", y: 31 }),
      pill: s("rect", { class: "rl-pill", y: RADIUS - 2, height: 19, rx: 9.5 }), lag: s("text", { class: "rl-lag", y: RADIUS + 11.5 }),
      badge: s("circle", { class: "rl-sidebadge", r: 11, cx: -RADIUS * 0.76, cy: -RADIUS * 0.76 }), side: s("text", { class: "rl-side", x: -RADIUS * 0.76, y: -RADIUS * 0.76 + 4 }),
    };
    const g = s("g", { class: "rl-node", tabindex: 0, role: "button", "data-node": name }, Object.values(part));
    const choose = () => panel.focusNode(name);
    g.addEventListener("click", choose);
    g.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } });
    discs.append(g);
    return (nodes[name] = { g, ...part });
  }

  function update() {
    if (!Object.keys(places).length) return layout();
    const all = panel.get("nodes"), network = panel.get("network");
    cuts = new Set((network.cuts || []).flatMap(([a, b]) => [`${a}|${b}`, `${b}|${a}`]));
    all.forEach((node, index) => all.slice(index + 1).forEach((other) => updateLink(node, other)));
    all.forEach((node) => updateNode(node, network.groups || []));
  }

  function updateLink(node, other) {
    const { line, gap } = link(node.id, other.id);
    const a = places[node.id], b = places[other.id], cut = cuts.has(`${node.id}|${other.id}`);
    for (const [name, value] of Object.entries({ x1: a.x, y1: a.y, x2: b.x, y2: b.y })) attribute(line, name, value);
    const follows = (follower, leader) => follower.look === "follower" && follower.leader === leader.id && leader.look === "leader";
    const dead = [node, other].some((end) => end.look === "stopped");
    attribute(line, "class", `rl-link${cut ? " is-cut" : dead ? " is-dead" : follows(node, other) || follows(other, node) ? " is-led" : ""}`);
    attribute(gap, "transform", `translate(${(a.x + b.x) / 2} ${(a.y + b.y) / 2})`);
    gap.style.display = cut ? "" : "none";
  }

  function updateNode(node, groups) {
    const part = disc(node.id), place = places[node.id], behind = node.lag;
    const side = groups.length > 1 ? groups.findIndex((group) => group.includes(node.id)) : -1;
    attribute(part.g, "transform", `translate(${place.x} ${place.y})`);
    attribute(part.g, "class", `rl-node is-${node.look}`);
    text(part.role, ROLE[node.look] || node.look);
    text(part.term, node.term == null ? "" : `term ${node.term}`);
    text(part.keys, node.keys == null ? "" : plural(node.keys, "key"));
    const tag = behind == null ? "" : behind === 0 ? "up to date" : `${behind} behind`;
    text(part.lag, tag);
    const wide = tag.length * 6.1 + 16;
    attribute(part.pill, "width", wide);
    attribute(part.pill, "x", -wide / 2);
    part.pill.style.display = tag ? "" : "none";
    attribute(part.lag, "class", `rl-lag${behind ? " is-behind" : ""}`);
    attribute(part.pill, "class", `rl-pill${behind ? " is-behind" : ""}`);
    text(part.side, side < 0 ? "" : "ABCDEFGH"[side]);
    part.badge.style.display = side < 0 ? "none" : "";
    const sides = side < 0 ? "" : `, side ${"ABCDEFGH"[side]} of the cut network`;
    attribute(part.g, "aria-label", `${node.id}: ${ROLE[node.look]}, term ${node.term ?? "unknown"}, ${plural(node.keys ?? 0, "key")}${tag ? ", " + tag : ""}${sides}. Press Enter for its controls.`);
  }

  // -- messages in flight

  const flights = [], byId = new Map(), early = new Map();
  let since = -Infinity; // what was sent before is over

  function take(news) {
    for (const [id, family, from, to, , time] of news.messages || []) depart({ id, family, from, to, time });
    for (const [id, time] of news.arrived || []) {
      if (byId.has(id)) byId.get(id).arrived = time;
      else early.set(id, time);
    }
    for (const [id, family, from, to, , time] of news.lost || []) {
      if (!byId.has(id)) depart({ id, family, from, to, time });
      if (byId.has(id)) byId.get(id).lost = true;
    }
    if (early.size > 2000) early.clear();
  }

  function depart(flight) {
    if (!places[flight.from] || !places[flight.to] || flights.length > 1500 || flight.time < since) return;
    flight.arrived = early.get(flight.id);
    early.delete(flight.id);
    flight.cut = cuts.has(`${flight.from}|${flight.to}`);
    flights.push(flight);
    byId.set(flight.id, flight);
  }

  function duration(flight) {
    const { delay_ms = 0 } = panel.get("network");
    const real = flight.arrived != null ? (flight.arrived - flight.time) * 1000 : flight.family === "replication" ? delay_ms : 0;
    return Math.max(FLIGHT, real / panel.clock.rate);
  }

  // One frame. Returns whether anything moved, so that an idle panel costs nothing.
  function draw(stamp) {
    if (!context || (!flights.length && clean)) return false;
    clean = !flights.length;
    context.clearRect(0, 0, width, height);
    const due = panel.clock.now() - HOLDBACK * panel.clock.rate;
    for (let index = flights.length - 1; index >= 0; index--) {
      const flight = flights[index];
      if (flight.begun == null) {
        if (flight.time > due) continue;
        flight.begun = stamp - clamp(((due - flight.time) / panel.clock.rate) * 1000, 0, 100);
      }
      if (!drawFlight(flight, stamp)) { flights.splice(index, 1); byId.delete(flight.id); }
    }
    return flights.length > 0;
  }

  function drawFlight(flight, stamp) {
    const age = stamp - flight.begun, span = duration(flight), broken = flight.cut || flight.lost;
    let progress = age / span;
    if (broken && progress > 0.5) return drawCross(flight, 0.5, (age - span / 2) / 500);
    if (flight.arrived != null && progress >= 1) return false;
    if (flight.arrived == null && progress > 0.94) {
      if (age > span + PATIENCE) return drawCross(flight, 0.94, (age - span - PATIENCE) / 500);
      progress = 0.94;
    }
    const still = panel.calm();
    const { x, y } = along(flight, still ? 0.62 : progress);
    context.globalAlpha = still ? 1 - Math.min(1, age / span) * 0.8 : Math.min(1, progress * 9, broken ? 1 : (1.04 - progress) * 9);
    drawDot(context, flight.family, x, y, panel.colours, angle(flight));
    context.globalAlpha = 1;
    return true;
  }

  function drawCross(flight, at, progress) {
    if (progress >= 1) return false;
    const { x, y } = along(flight, at), size = 4 + progress * 3;
    context.globalAlpha = 1 - progress;
    context.strokeStyle = panel.colours.bad;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x - size, y - size); context.lineTo(x + size, y + size);
    context.moveTo(x + size, y - size); context.lineTo(x - size, y + size);
    context.stroke();
    context.globalAlpha = 1;
    return true;
  }

  const angle = ({ from, to }) => Math.atan2(places[to].y - places[from].y, places[to].x - places[from].x);

  function along(flight, progress) { // each direction keeps to its right, so that question and answer can pass
    const a = places[flight.from], b = places[flight.to], turn = angle(flight);
    const length = Math.hypot(b.x - a.x, b.y - a.y) - 2 * RADIUS, way = RADIUS + length * progress;
    return { x: a.x + Math.cos(turn) * way - Math.sin(turn) * 6, y: a.y + Math.sin(turn) * way + Math.cos(turn) * 6 };
  }

  // -- what nodes say

  function say(mark) {
    if (!mark.bubble || !places[mark.node] || mark.t < since || panel.clock.now() - mark.t > 3) return;
    said[mark.node]?.remove();
    const { x, y } = places[mark.node];
    const el = h("div", { class: `rl-bubble is-${mark.level}`, style: `left:${clamp(x, 80, width - 80)}px;top:${Math.max(26, y - RADIUS - (mark.level === "crown" ? 30 : 8))}px` }, mark.bubble);
    said[mark.node] = el;
    bubbles.append(el);
    setTimeout(() => el.remove(), 2600);
    if (mark.level === "crown" && nodes[mark.node]) pulse(nodes[mark.node].g);
  }

  function pulse(g) {
    if (panel.calm()) return;
    g.classList.remove("is-new");
    void g.getBoundingClientRect(); // restarts the animation
    g.classList.add("is-new");
  }

  function legend() {
    const kinds = [["heartbeat", "heartbeat"], ["replication", "replication"], ["election", "election"], ["heartbeat-reply", "answer"], ["cross", "lost"]];
    return h("div", { class: "rl-legend" }, kinds.map(([family, label]) => {
      const small = h("canvas", { "aria-hidden": "true", "data-family": family });
      return h("span", {}, small, label);
    }));
  }

  function drawLegend() {
    for (const small of el.querySelectorAll(".rl-legend canvas")) {
      const pen = fitCanvas(small, 14, 14), family = small.dataset.family;
      if (family !== "cross") { drawDot(pen, family, 7, 7, panel.colours, 0); continue; }
      pen.strokeStyle = panel.colours.bad;
      pen.lineWidth = 2;
      pen.stroke(new Path2D("M3 3 11 11M11 3 3 11"));
    }
  }

  return { el, stage, update, layout, take, draw, say, drawLegend, get inFlight() { return flights.length; }, forget: (now) => { flights.length = 0; byId.clear(); early.clear(); since = now - JUST; } };
}

// The family is told by shape as well as colour: heartbeats round, replication square, elections triangular.
function drawDot(pen, family, x, y, colours, turn) {
  const [kind, reply] = family.split("-");
  pen.fillStyle = pen.strokeStyle = colours[kind];
  pen.lineWidth = 1.7;
  pen.beginPath();
  if (kind === "heartbeat") pen.arc(x, y, reply ? 3.2 : 4, 0, 7);
  else if (kind === "replication") pen.rect(x - 4, y - 4, 8, 8);
  else for (let corner = 0; corner < 3; corner++) {
    const direction = turn + (corner * 2 * Math.PI) / 3;
    pen[corner ? "lineTo" : "moveTo"](x + 6 * Math.cos(direction), y + 6 * Math.sin(direction));
  }
  pen.closePath();
  reply ? pen.stroke() : pen.fill();
}

// ---------------------------------------------------------------------------------------------- nodes and their controls

const VERBS = [["start", "Start", "Start this node"], ["stop", "Stop", "Ask the node to leave (SIGTERM)"], ["kill", "Kill", "Crash it (SIGKILL)"], ["pause", "Pause", "Freeze it: it notices nothing"], ["resume", "Resume", "Let it go on"]];

function makeNodes(panel) {
  const list = h("ul", { class: "rl-nodes" });
  const el = card("Nodes", "rl-nodes-card", list);
  const rows = {};

  function row(name) {
    if (rows[name]) return rows[name];
    const part = { crown: h("span", { class: "rl-rowcrown" }, icon("crown")), role: h("span", { class: "rl-badge" }), facts: h("span", { class: "rl-dim" }) };
    const buttons = Object.fromEntries(VERBS.map(([verb, label, title]) => {
      const one = button(label, { name: verb, title, kind: "rl-small", act: () => panel.ask({ do: verb, node: name }) });
      one.el.setAttribute("aria-label", `${label} ${name}`);
      one.el.dataset.testid = `${verb}-${name}`;
      return [verb, one];
    }));
    const item = h("li", { "data-node": name }, h("div", { class: "rl-rowhead" }, h("strong", {}, name), part.role, part.crown, part.facts),
      h("div", { class: "rl-buttons", role: "group", "aria-label": `Controls of ${name}` }, Object.values(buttons).map((one) => one.el)));
    list.append(item);
    return (rows[name] = { item, buttons, ...part });
  }

  function update() {
    for (const node of panel.get("nodes")) {
      const part = row(node.id), busy = panel.busyWith(node.id);
      attribute(part.item, "class", `is-${node.look}`);
      text(part.role, busy || ROLE[node.look]);
      attribute(part.role, "class", `rl-badge is-${busy ? "busy" : node.look}`);
      part.crown.hidden = node.look !== "leader";
      const follows = node.look === "follower" && node.leader ? `follows ${node.leader} · ` : "";
      text(part.facts, node.term == null ? "" : `${follows}term ${node.term} · ${plural(node.keys ?? 0, "key")}${node.lag ? ` · ${node.lag} behind` : ""}`);
      for (const [verb] of VERBS) part.buttons[verb].allow(busy ? `${node.id} is ${busy}.` : node.why[verb]);
    }
  }

  function focus(name) {
    const first = rows[name]?.item.querySelector('button[aria-disabled="false"]');
    rows[name]?.item.scrollIntoView({ block: "nearest" });
    first?.focus();
    rows[name]?.item.classList.add("is-chosen");
    setTimeout(() => rows[name]?.item.classList.remove("is-chosen"), 1200);
  }

  return { el, update, focus };
}

// ---------------------------------------------------------------------------------------------- the network

function makeNetwork(panel) {
  const choice = {};
  const table = h("div", { class: "rl-sides" });
  const cut = button("Cut the network", { name: "cut", title: "Nodes on different sides no longer hear each other", act: () => panel.ask({ do: "partition", groups: sides() }) });
  const heal = button("Heal", { title: "Undo the cut", act: () => panel.ask({ do: "heal" }) });
  cut.el.dataset.testid = "partition";
  heal.el.dataset.testid = "heal";
  const delay = slider("Replication delay", "delay", 2000, 50, "ms", sendDelay), jitter = slider("… plus jitter up to", "jitter", 2000, 50, "ms", sendDelay);
  const loss = slider("Messages lost", "loss", 100, 1, "%", () => panel.ask({ do: "loss", drop: loss.value() / 100, duplicate: panel.get("network").duplicate || 0 }));
  const el = card("Network", "rl-network", h("p", { class: "rl-hint" }, "Choose a side for each node, then cut."), table,
    h("div", { class: "rl-buttons" }, cut.el, heal.el), delay.el, jitter.el, loss.el);

  function sendDelay() { panel.ask({ do: "delay", ms: delay.value(), jitter_ms: jitter.value() }); }

  function slider(label, name, max, step, unit, send) {
    const input = h("input", { type: "range", min: 0, max, step, value: 0, "data-testid": name, "aria-label": label });
    const output = h("output", {}, `0 ${unit}`);
    let touched = 0, timer = 0;
    const show = () => { text(output, `${input.value} ${unit}`); attribute(input, "aria-valuetext", `${input.value} ${unit}`); };
    input.addEventListener("input", () => { touched = performance.now(); show(); clearTimeout(timer); timer = setTimeout(send, 250); });
    const set = (value) => { if (performance.now() - touched > 1500) { input.value = value; show(); } };
    return { el: h("label", { class: "rl-slider" }, h("span", {}, label), input, output), value: () => Number(input.value), set };
  }

  const sides = () => ["A", "B", "C"].map((side) => Object.keys(choice).filter((name) => choice[name] === side)).filter((group) => group.length);

  function rowOf(name) {
    choice[name] = "A";
    const buttons = ["A", "B", "C"].map((side) => h("button", { type: "button", class: "rl-side-button", "data-testid": `side-${side}-${name}`, "aria-label": `${name} on side ${side}`, "aria-pressed": String(side === "A"), onclick: () => choose(name, side) }, side));
    table.append(h("div", { class: "rl-siderow", "data-node": name, role: "group", "aria-label": `Side of ${name}` }, h("span", {}, name), buttons));
  }

  function choose(name, side) {
    choice[name] = side;
    for (const one of table.querySelectorAll(`[data-node="${name}"] button`)) attribute(one, "aria-pressed", String(one.textContent === side));
    update();
  }

  function update() {
    const network = panel.get("network");
    for (const node of panel.get("nodes")) if (!(node.id in choice)) rowOf(node.id);
    cut.allow(sides().length < 2 ? "All nodes are on one side: put at least one on another." : "");
    heal.allow((network.cuts || []).length ? "" : "No link is cut.");
    delay.set(network.delay_ms || 0);
    jitter.set(network.jitter_ms || 0);
    loss.set(Math.round((network.drop || 0) * 100));
  }

  return { el, update };
}

// ---------------------------------------------------------------------------------------------- write and read

function makeClient(panel) {
  const key = h("input", { type: "text", value: "x", "aria-label": "Key", "data-testid": "key", spellcheck: "false" });
  const value = h("input", { type: "text", value: "hello", "aria-label": "Value, as JSON or plain text", "data-testid": "value", spellcheck: "false" });
  const via = h("select", { "aria-label": "Node to ask", "data-testid": "via" }, h("option", { value: "" }, "the leader"));
  const fresh = h("input", { type: "checkbox", "data-testid": "linearizable" });
  const send = (verb, more = {}) => panel.ask({ do: verb, key: key.value, via: via.value || null, ...more });
  const buttons = [["put", "Write", "PUT: store the value", () => send("put", { value: value.value })], ["get", "Read", "GET: what does this node hold?", () => send("get", { linearizable: fresh.checked })], ["delete", "Delete", "DELETE: remove the key", () => send("delete")]]
    .map(([verb, label, title, act]) => { const one = button(label, { title, act, kind: verb === "put" ? "rl-primary" : "" }); one.el.dataset.testid = `do-${verb}`; return one; });
  value.addEventListener("keydown", (event) => { if (event.key === "Enter") buttons[0].el.click(); });
  key.addEventListener("keydown", (event) => { if (event.key === "Enter") buttons[1].el.click(); });
  key.addEventListener("input", update);
  const code = h("span", { class: "rl-code" }), from = h("span", { class: "rl-dim" }), body = h("pre", { class: "rl-body-text" }), curl = h("code", {});
  const line = h("div", { class: "rl-curl" }, curl, copyButton(() => curl.textContent));
  const result = h("div", { class: "rl-answer", "aria-live": "polite", "data-testid": "answer" }, h("div", { class: "rl-rowhead" }, code, from), body, line);
  const hint = h("p", { class: "rl-hint rl-later" }, "The answer, its status code and the same request for a shell appear here.");
  const el = card("Write and read", "rl-client",
    h("div", { class: "rl-fields" }, h("label", {}, "key", key), h("label", {}, "value", value), h("label", {}, "ask", via)),
    h("div", { class: "rl-buttons" }, buttons.map((one) => one.el), h("label", { class: "rl-check", title: "The leader confirms that it still leads before it answers" }, fresh, "linearizable")), hint, result);

  function update() {
    for (const node of panel.get("nodes")) {
      if (![...via.options].some((option) => option.value === node.id)) via.append(h("option", { value: node.id }, node.id));
    }
    for (const one of buttons) one.allow(key.value ? "" : "A key is needed.");
    const answer = panel.get("answer");
    result.hidden = answer.id == null;
    hint.hidden = !result.hidden;
    if (result.hidden) return;
    text(code, answer.code == null ? "no answer" : `${answer.code} ${REASON[answer.code] || ""}`);
    attribute(code, "class", `rl-code is-${answer.outcome}${answer.code === 404 ? " is-missing" : ""}`);
    const tries = answer.attempts > 1 ? `, ${answer.attempts} attempts` : "";
    const meaning = { ok: "", failed: " · certainly not done", unknown: " · outcome unknown" }[answer.outcome];
    text(from, `${answer.verb.toUpperCase()} ${answer.key}${answer.node ? " at " + answer.node : ""} · ${answer.ms} ms${tries}${meaning}`);
    text(body, JSON.stringify(answer.body, null, 1).replace(/\n\s*/g, " "));
    text(curl, answer.curl);
    line.hidden = !answer.curl;
  }

  return { el, update };
}

// ---------------------------------------------------------------------------------------------- keys × nodes

function makeData(panel) {
  const head = h("tr", {}), rows = h("tbody", {}), lost = h("ul", { class: "rl-lost", "aria-live": "assertive" });
  const table = h("table", { class: "rl-table" }, h("thead", {}, head), rows), note = h("p", { class: "rl-hint" });
  const el = card("Data: who holds what", "rl-data", lost, h("div", { class: "rl-scroll" }, table), note);
  const before = new Map();
  let ages = [], drawn = "";

  function update() {
    const data = panel.get("data"), nodes = panel.get("nodes");
    if (!data.rows) return;
    const shown = JSON.stringify([data, nodes.map((node) => node.id + node.look)]);
    if (shown === drawn) return;
    drawn = shown;
    head.replaceChildren(h("th", { scope: "col" }, "key"), ...nodes.map((node) => h("th", { scope: "col" }, node.id, node.id === data.leader ? icon("crown") : null, ["paused", "stopped", "silent"].includes(node.look) ? h("span", { class: "rl-dim" }, ` ${ROLE[node.look]}`) : null)));
    ages = [];
    rows.replaceChildren(...data.rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.key), nodes.map((node) => cellOf(row, node)))));
    lost.replaceChildren(...data.lost.map((write) => h("li", { "data-testid": "lost" }, h("strong", {}, "✕ Lost write. "), write.story)));
    lost.hidden = !data.lost.length;
    table.hidden = !data.rows.length;
    text(note, data.rows.length ? (data.hidden ? `and ${plural(data.hidden, "more key")}` : "") : "No keys yet. Write one.");
    tick();
  }

  function cellOf(row, node) {
    const cell = row.cells[node.id], name = `${row.key}|${node.id}`;
    if (!cell) return h("td", { class: "is-unread" }, "…");
    const stale = cell.since != null, missing = cell.v == null;
    const fresh = before.get(name) === true && !stale;
    before.set(name, stale);
    const value = h("span", { class: missing ? "rl-dim" : "rl-value", title: cell.v }, missing ? "—" : cell.v);
    const age = stale ? h("em", {}) : null;
    if (age) ages.push([age, cell.since]);
    const label = `${row.key} at ${node.id}: ${missing ? "no such key" : cell.v}${stale ? ", stale" : ""}${cell.old ? ", last known" : ""}`;
    return h("td", { class: stale ? "is-stale" : cell.old ? "is-old" : fresh ? "is-fresh" : "", "aria-label": label, "data-testid": `cell-${row.key}-${node.id}` }, value, age);
  }

  function tick() {
    const now = panel.clock.now();
    for (const [age, since] of ages) text(age, `stale ${seconds(Math.max(0, now - since))}`);
  }

  return { el, update, tick };
}

// ---------------------------------------------------------------------------------------------- the last minute

const LANE = 26, GUTTER = 78, MARGIN = 12, WRITES = 20, LAG = 56, STRIP = 13;
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3], [1, 2], [10, 4]];

function makeTimeline(panel) {
  const canvas = h("canvas", { tabindex: 0, role: "slider", "aria-label": "What happened last. Arrow keys choose a moment, Escape leaves it.", "aria-valuemax": 0, "aria-valuenow": 0, "data-testid": "timeline" });
  const moment = h("ol", { class: "rl-moment", "aria-live": "polite", "data-testid": "moment" });
  const hint = h("p", { class: "rl-hint" }, "Click a moment to see its events.");
  const open = button("Space–time", { title: "Draw every message of these seconds between the nodes", act: openSpacetime, kind: "rl-small" });
  open.el.dataset.testid = "spacetime";
  const probe = h("input", { type: "checkbox", "data-testid": "availability", onchange: () => panel.ask({ do: "availability", on: probe.checked }) });
  const tools = h("div", { class: "rl-tools" }, h("label", { class: "rl-check", title: "A small client that reads and writes its own key twice a second" }, probe, "background client"), open.el);
  const diagram = h("div", { class: "rl-diagram", tabindex: 0, "aria-label": "Space–time diagram" });
  const close = button("Close", { act: () => (space.hidden = true), kind: "rl-small" });
  const space = h("div", { class: "rl-space", hidden: true }, h("div", { class: "rl-rowhead" }, h("strong", {}, "Space–time"), close.el), diagram);
  const el = card("The last minute", "rl-time", tools, canvas, hint, moment, space);
  let bands = {}, marks = [], lag = [], probes = [], chosen = null, width = 0, height = 0, pen = null, now = 0, listed = "";

  // -- what is known

  function reset(history) {
    bands = {}; marks = []; lag = []; probes = []; chosen = null; listed = "";
    take(history);
    showMoment();
  }

  function take(news) {
    for (const [name, ...band] of news.bands || []) (bands[name] ??= []).push(band);
    marks.push(...(news.marks || []));
    lag.push(...(news.lag || []));
    probes.push(...(news.probes || []));
    const old = panel.clock.now() - MINUTE - 5;
    const keep = (list, time) => { let cut = 0; while (cut < list.length && time(list[cut]) < old) cut++; if (cut) list.splice(0, cut); };
    keep(marks, (mark) => mark.t);
    keep(lag, (point) => point[0]);
    keep(probes, (point) => point[0]);
    for (const list of Object.values(bands)) while (list.length > 1 && list[1][0] < old) list.shift();
  }

  // -- drawing

  const names = () => panel.get("nodes").map((node) => node.id);
  const span = () => panel.get("player").span || MINUTE;
  const x = (time) => width - MARGIN - ((now - time) / span()) * (width - MARGIN - GUTTER);
  const timeAt = (place) => now - ((width - MARGIN - place) / (width - MARGIN - GUTTER)) * span();

  function layout() {
    const inside = el.clientWidth - 28;
    if (inside <= 0) return;
    width = inside;
    height = 20 + names().length * LANE + WRITES + 8 + LAG + 10 + 2 * (STRIP + 3) + 20;
    pen = fitCanvas(canvas, width, height);
  }

  function draw() {
    if (!pen || !panel.clock.known) return;
    now = panel.clock.now();
    const { colours } = panel;
    pen.clearRect(0, 0, width, height);
    pen.font = `11px ${colours.font}`;
    pen.textBaseline = "middle";
    let y = 20;
    grid(colours);
    names().forEach((name, index) => lane(name, y + index * LANE, colours));
    y += names().length * LANE;
    writes(y, colours);
    lagChart(y + WRITES + 8, colours);
    strip(y + WRITES + 8 + LAG + 10, colours);
    faults(y, colours);
    cursor(colours);
    if (chosen != null && now - chosen > span()) choose(null);
  }

  function label(words, y, colours, colour = colours.ink) {
    pen.fillStyle = colour;
    pen.textAlign = "left";
    pen.fillText(words, 0, y);
  }

  function clipped(action) {
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER, 0, width - GUTTER - MARGIN + 8, height);
    pen.clip();
    action();
    pen.restore();
  }

  function grid(colours) {
    pen.textAlign = "center";
    for (let back = 0; back <= span(); back += span() / 6) {
      const at = x(now - back);
      pen.strokeStyle = colours.line;
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(Math.round(at) + 0.5, 18);
      pen.lineTo(Math.round(at) + 0.5, height - 18);
      pen.stroke();
      pen.fillStyle = colours.faint;
      pen.fillText(back ? `−${Number(back.toPrecision(2))} s` : "now", clamp(at, GUTTER + 12, width - MARGIN - 6), height - 8);
    }
  }

  const SHAPE = { leader: 16, follower: 7, candidate: 12, paused: 12, stopped: 0, silent: 0, unknown: 0 };

  function lane(name, top, colours) {
    const middle = top + LANE / 2, list = bands[name] || [];
    label(name, middle, colours);
    clipped(() => {
      list.forEach(([from, look, term], index) => {
        const left = Math.max(x(from), GUTTER), right = index + 1 < list.length ? x(list[index + 1][0]) : x(now);
        if (right > left) band(left, right, middle, look, term, colours);
      });
      for (const mark of marks) if (mark.node === name && GLYPHS[mark.kind]) glyph(x(mark.t), middle, mark, colours);
    });
  }

  function band(left, right, middle, look, term, colours) {
    const tall = SHAPE[look] ?? 0, colour = { leader: colours.leader, follower: colours.follower, candidate: colours.candidate, paused: colours.stopped }[look];
    if (!tall) {
      pen.strokeStyle = look === "silent" ? colours.bad : colours.stopped;
      pen.setLineDash(look === "silent" ? [2, 3] : [5, 4]);
      pen.beginPath(); pen.moveTo(left, middle); pen.lineTo(right, middle); pen.stroke();
      pen.setLineDash([]);
    } else {
      pen.globalAlpha = look === "follower" ? 0.55 : look === "leader" ? 1 : 0.4;
      pen.fillStyle = colour;
      pen.beginPath(); pen.roundRect(left, middle - tall / 2, Math.max(1, right - left), tall, 3); pen.fill();
      pen.globalAlpha = 1;
      if (look === "paused" || look === "candidate") hatching(left, right, middle, tall, colour);
    }
    const words = look === "leader" ? `leader, term ${term}` : tall && look === "follower" ? "" : look;
    if (words && right - left > words.length * 6 + 26) {
      const place = left + 14;
      pen.textAlign = "left";
      if (look !== "leader") { pen.fillStyle = colours.card; pen.fillRect(place - 3, middle - 7, pen.measureText(words).width + 6, 14); }
      pen.fillStyle = look === "leader" ? colours["leader-ink"] : colours.ink;
      pen.fillText(words, place, middle + 0.5);
    }
  }

  function hatching(left, right, middle, tall, colour) {
    pen.save();
    pen.beginPath(); pen.rect(left, middle - tall / 2, right - left, tall); pen.clip();
    pen.strokeStyle = colour; pen.lineWidth = 1.5;
    pen.beginPath();
    for (let at = left - tall; at < right; at += 6) { pen.moveTo(at, middle + tall / 2); pen.lineTo(at + tall, middle - tall / 2); }
    pen.stroke();
    pen.restore();
  }

  const GLYPHS = { kill: "kill", crash: "kill", stop: "stop", start: "start", restart: "start", pause: "pause", resume: "resume", election_timeout: "!", became_leader: "crown", write_lost: "cut" };

  function glyph(at, middle, mark, colours) {
    const colour = { election: colours.candidate, crown: colours.crown, lost: colours.bad }[mark.level] || colours.bad;
    const calm = ["start", "restart", "resume"].includes(mark.kind);
    pen.fillStyle = colours.card;
    pen.strokeStyle = calm ? colours.good : colour;
    pen.lineWidth = 1.5;
    pen.beginPath(); pen.arc(at, middle, 8.5, 0, 7); pen.fill(); pen.stroke();
    pen.fillStyle = pen.strokeStyle;
    const shape = GLYPHS[mark.kind];
    if (shape === "!") { pen.textAlign = "center"; pen.font = `bold 12px ${colours.font}`; pen.fillText("!", at, middle + 0.5); pen.font = `11px ${colours.font}`; return; }
    pen.save();
    pen.translate(at - 4.8, middle - 4.8);
    pen.scale(0.6, 0.6);
    pen.fill(new Path2D(ICONS[shape]));
    pen.restore();
  }

  function faults(bottom, colours) { // what concerns the whole network: a line through all lanes, its name on top
    const words = { partition: "cut", heal: "healed", delay: "delay", loss: "loss", settings: "change" };
    clipped(() => {
      let free = -Infinity;
      for (const mark of marks) {
        if (!words[mark.kind] || mark.level !== "fault") continue;
        const at = x(mark.t), colour = mark.kind === "heal" ? colours.good : colours.bad;
        pen.strokeStyle = colour; pen.lineWidth = 1.5;
        pen.setLineDash([4, 3]);
        pen.beginPath(); pen.moveTo(at, 18); pen.lineTo(at, bottom); pen.stroke();
        pen.setLineDash([]);
        pen.fillStyle = colour; pen.textAlign = "left";
        const left = Math.min(Math.max(at - 3, free), width - MARGIN - 36);
        if (left - at < 30 && left >= free) { pen.fillText(words[mark.kind], left, 9); free = left + 44; }
      }
    });
  }

  function writes(top, colours) {
    const middle = top + WRITES / 2 + 1;
    label("writes", middle, colours, colours.faint);
    clipped(() => {
      for (const mark of marks) if (mark.level.startsWith("write-")) outcome(x(mark.t), middle, mark.level.slice(6), colours);
    });
  }

  function outcome(at, middle, kind, colours) { // ok: a full dot; failed: a cross; unknown: a ring
    pen.fillStyle = pen.strokeStyle = { ok: colours.good, failed: colours.bad }[kind] || colours.unknown;
    pen.lineWidth = 1.8;
    pen.beginPath();
    if (kind === "failed") { pen.moveTo(at - 3, middle - 3); pen.lineTo(at + 3, middle + 3); pen.moveTo(at + 3, middle - 3); pen.lineTo(at - 3, middle + 3); }
    else pen.arc(at, middle, 3.4, 0, 7);
    kind === "ok" ? pen.fill() : pen.stroke();
  }

  function lagChart(top, colours) {
    const most = Math.max(4, ...lag.map((point) => Math.max(0, ...Object.values(point[1]))));
    const level = (entries) => top + LAG - 4 - (entries / most) * (LAG - 14);
    label("lag", top + 10, colours, colours.faint);
    label("entries", top + 23, colours, colours.faint);
    pen.textAlign = "right";
    pen.fillStyle = colours.faint;
    for (const entries of [0, most]) pen.fillText(String(entries), GUTTER - 6, level(entries));
    pen.strokeStyle = colours.line;
    pen.beginPath(); pen.moveTo(GUTTER, level(0)); pen.lineTo(width - MARGIN, level(0)); pen.stroke();
    const ends = [];
    clipped(() => names().forEach((name, index) => lagLine(name, index, level, colours, ends)));
    let free = top + LAG;
    for (const { words, y, colour } of ends.sort((a, b) => b.y - a.y)) { // names at the lines' ends, not on each other
      free = Math.min(free - 12, y - 7);
      pen.fillStyle = colour;
      pen.textAlign = "right";
      pen.fillText(words, width - MARGIN - 2, free);
    }
  }

  function lagLine(name, index, level, colours, ends) {
    pen.strokeStyle = [colours.replication, colours.election, colours.heartbeat, colours.good][index % 4];
    pen.lineWidth = 1.8;
    pen.setLineDash(DASHES[index % DASHES.length]);
    pen.beginPath();
    let drawing = false, last = null;
    for (const [time, behind] of lag) {
      if (behind[name] == null) { drawing = false; continue; }
      pen[drawing ? "lineTo" : "moveTo"](x(time), level(behind[name]));
      drawing = true;
      last = behind[name];
    }
    if (drawing) pen.lineTo(x(now), level(last));
    pen.stroke();
    pen.setLineDash([]);
    if (drawing && last > 0) ends.push({ words: `${name}: ${last}`, y: level(last), colour: pen.strokeStyle });
  }

  function strip(top, colours) { // ok: a full bar; failed: a low one with a gap; unknown: a hollow one
    const step = Math.max(2, ((width - GUTTER - MARGIN) / span()) * 0.5 - 1);
    ["reads", "writes"].forEach((words, row) => {
      const y = top + row * (STRIP + 3);
      label(row ? "can write" : "can read", y + STRIP / 2, colours, colours.faint);
      if (!probes.length) { pen.fillStyle = colours.faint; pen.textAlign = "left"; if (!row) pen.fillText(probe.checked ? "" : "the background client is off", GUTTER + 4, y + STRIP / 2); }
      clipped(() => probes.forEach((point) => bar(x(point[0]), y, step, point[row + 1], colours)));
    });
  }

  function bar(left, y, step, kind, colours) {
    if (kind === "ok") { pen.fillStyle = colours.good; pen.fillRect(left, y, step, STRIP); }
    else if (kind === "failed") { pen.fillStyle = colours.bad; pen.fillRect(left, y + STRIP - 5, step, 5); }
    else { pen.strokeStyle = colours.unknown; pen.lineWidth = 1; pen.strokeRect(left + 0.5, y + 2.5, Math.max(1, step - 1), STRIP - 5); }
  }

  function cursor(colours) {
    if (chosen == null) return;
    const at = x(chosen);
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1;
    pen.beginPath(); pen.moveTo(at, 14); pen.lineTo(at, height - 16); pen.stroke();
    pen.beginPath(); pen.moveTo(at - 5, 12); pen.lineTo(at + 5, 12); pen.lineTo(at, 18); pen.closePath();
    pen.fillStyle = colours.ink; pen.fill();
  }

  // -- choosing a moment

  function choose(time) {
    chosen = time == null ? null : clamp(time, now - span(), now);
    showMoment();
  }

  function showMoment() {
    const near = chosen == null ? [] : marks.filter((mark) => Math.abs(mark.t - chosen) <= span() / 60);
    hint.hidden = chosen != null;
    const ago = chosen == null ? 0 : chosen - now;
    attribute(canvas, "aria-valuenow", ago.toFixed(1));
    attribute(canvas, "aria-valuetext", chosen == null ? "now" : `${(-ago).toFixed(1)} seconds ago: ${plural(near.length, "event")}`);
    const key = near.map((mark) => mark.t + mark.text).join() + chosen;
    if (key === listed) return;
    listed = key;
    const items = near.map((mark) => h("li", { class: `is-${mark.level}` }, h("time", {}, clockText(mark.t)), mark.text));
    moment.replaceChildren(...(chosen != null && !items.length ? [h("li", {}, "Nothing but messages at about this moment.")] : items));
  }

  const clockText = (time) => (panel.simulated() ? `${time.toFixed(3)} s` : new Date(time * 1000).toTimeString().slice(0, 8) + "." + String(Math.floor((time % 1) * 1000)).padStart(3, "0"));

  canvas.addEventListener("click", (event) => { if (event.offsetX >= GUTTER) choose(snap(timeAt(event.offsetX))); });
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (move) choose((chosen ?? now) + (move * span()) / 120);
    else if (event.key === "Escape") choose(null);
    else return;
    event.preventDefault();
  });

  function snap(time) { // a click near a mark means the mark
    const reach = (8 / (width - GUTTER)) * span();
    const near = marks.filter((mark) => Math.abs(mark.t - time) < reach).sort((a, b) => Math.abs(a.t - time) - Math.abs(b.t - time));
    return near.length ? near[0].t : time;
  }

  // -- space–time

  function openSpacetime() {
    const end = chosen == null ? panel.clock.now() : chosen + span() / 20, start = chosen == null ? end - span() / 6 : chosen - span() / 20;
    space.hidden = false;
    diagram.replaceChildren(h("p", { class: "rl-hint" }, "Drawing…"));
    panel.ask({ do: "spacetime", start, end, width: clamp(width, 400, 2400) });
  }

  function showSpacetime(svg) {
    const drawing = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    drawing.querySelectorAll("script").forEach((script) => script.remove());
    diagram.replaceChildren(document.importNode(drawing, true));
  }

  const update = () => {
    probe.checked = panel.get("availability");
    attribute(canvas, "aria-valuemin", -span());
    text(el.querySelector("h3"), span() === MINUTE ? "The last minute" : `The last ${span()} seconds`);
  };
  return { el, update, layout, draw, reset, take, showSpacetime };
}

// ---------------------------------------------------------------------------------------------- the simulator's time

function makePlayer(panel) {
  const time = h("output", { class: "rl-clock" }), speed = h("input", { type: "range", min: -1, max: 1, step: 0.05, value: 0, "aria-label": "Speed" }), rate = h("output", {});
  const play = button("Play", { name: "start", act: () => panel.ask(panel.get("player").playing ? { do: "halt" } : { do: "play", speed: chosen() }) });
  const steps = [0.05, 0.5, 5].map((length) => button(`+${length} s`, { name: "step", title: `Let ${length} s pass`, kind: "rl-small", act: () => panel.ask({ do: "step", seconds: length }) }));
  const target = h("input", { type: "number", min: 0, step: 0.1, value: 0, "aria-label": "Moment to go back to, in seconds" });
  const back = button("Rewind to", { name: "rewind", kind: "rl-small", act: () => panel.ask({ do: "rewind", to: clamp(Number(target.value) || 0, 0, panel.clock.now()) }) });
  const moments = h("span", { class: "rl-buttons", role: "group", "aria-label": "Moments to go to" });
  const seed = h("code", {});
  play.el.dataset.testid = "play";
  back.el.dataset.testid = "rewind";
  const chosen = () => Number((10 ** Number(speed.value)).toPrecision(2));
  speed.addEventListener("input", () => { show(); if (panel.get("player").playing) panel.ask({ do: "play", speed: chosen() }); });
  const el = h("section", { class: "rl-card rl-player", "aria-label": "The simulation's time" }, play.el, steps.map((one) => one.el),
    h("label", { class: "rl-slider" }, h("span", {}, "speed"), speed, rate), moments, back.el, target, h("span", { class: "rl-dim" }, "s"), time, h("span", { class: "rl-seed" }, "seed ", seed, copyButton(() => seed.textContent)));
  const show = () => text(rate, `${chosen()}×`);
  let known = null;

  // What Python says at first holds; later the slider is the user's.
  function adopt(player) {
    if (known || player.speed == null) return;
    known = player;
    speed.value = Math.log10(player.speed);
    moments.replaceChildren(...(player.moments || []).map(([label, time]) => {
      const one = button(label, { kind: "rl-small", title: `Run again from the seed, up to t = ${time.toFixed(2)} s`, act: () => panel.ask({ do: "rewind", to: time }) });
      one.el.dataset.testid = `moment-${label.replaceAll(" ", "-")}`;
      return one.el;
    }));
    moments.hidden = !moments.children.length;
  }

  function update() {
    adopt(panel.get("player"));
    const player = panel.get("player"), info = panel.get("info");
    el.hidden = !panel.simulated();
    text(play.el.querySelector("span"), player.playing ? "Halt" : "Play");
    play.el.querySelector("path").setAttribute("d", ICONS[player.playing ? "pause" : "start"]);
    back.allow(player.rewinds ? "" : "This cluster cannot be rewound.");
    text(seed, String(info.seed));
    show();
  }

  const tick = () => { if (!el.hidden) text(time, `t = ${panel.clock.now().toFixed(2)} s`); };
  return { el, update, tick };
}

// ---------------------------------------------------------------------------------------------- headline and notices

function makeHead(panel) {
  const crown = h("span", { class: "rl-headcrown" }, icon("crown")), sentence = h("strong", { "data-testid": "sentence" });
  const chips = h("div", { class: "rl-chips" });
  const live = h("div", { class: "rl-sr", role: "status", "aria-live": "polite" });
  const notices = h("div", { class: "rl-notices", role: "alert" });
  const el = h("header", { class: "rl-head" }, h("div", { class: "rl-headline" }, crown, sentence), chips, live, notices);
  const dismissed = new Set();
  let why = "", whyTimer = 0, queued = false;

  function update() {
    const info = panel.get("info");
    text(sentence, info.sentence || "Looking at the cluster…");
    crown.hidden = !info.leader;
    sentence.classList.toggle("is-bad", Boolean(info.split));
    const copies = info.copies ? `a write waits for ${plural(info.copies, "copy").replace("copys", "copies")}` : "";
    const facts = [[BACKEND[info.backend] || info.backend, "where the nodes run"], [`mode ${info.mode}`, copies], [`election ${info.election}`, "how the leader is chosen"],
      [`heartbeat ${info.heartbeat_ms} ms · timeout ${info.timeout_ms} ms`, "the leader's rhythm, and the silence after which it is taken for dead"]];
    const words = JSON.stringify(facts);
    if (chips.dataset.words !== words) {
      chips.dataset.words = words;
      chips.replaceChildren(...facts.map(([label, title]) => h("span", { class: "rl-chip", title }, label)));
    }
    showNotices();
  }

  function showNotices() {
    const problems = panel.get("problems").filter((problem) => !dismissed.has(problem.id + problem.text));
    const items = problems.map((problem) => h("div", { class: "rl-notice is-bad", "data-testid": "problem" }, h("span", {}, problem.text), closeButton(() => { dismissed.add(problem.id + problem.text); showNotices(); })));
    if (queued) items.push(h("div", { class: "rl-notice" }, "The kernel is busy with a cell. What you clicked waits, and is done as soon as the cell ends."));
    if (why) items.push(h("div", { class: "rl-notice", "data-testid": "why" }, why));
    notices.replaceChildren(...items);
  }

  const closeButton = (act) => h("button", { type: "button", class: "rl-close", "aria-label": "Dismiss", onclick: act }, "×");
  const explain = (reason) => { why = reason; clearTimeout(whyTimer); whyTimer = setTimeout(() => { why = ""; showNotices(); }, 4000); showNotices(); };
  const queue = (waiting) => { if (waiting !== queued) { queued = waiting; showNotices(); } };
  const announce = (mark) => { if (mark.level !== "info" && !mark.level.startsWith("write")) text(live, mark.text); };
  return { el, update, explain, queue, announce };
}

// ---------------------------------------------------------------------------------------------- putting it together

let panels = 0;

function render({ model, el }) {
  const root = h("div", { class: "rl-panel", "data-lm-suppress-shortcuts": "true" });
  const palette = makePalette(root);
  const motion = window.matchMedia("(prefers-reduced-motion: reduce)");
  const waiting = new Map(); // commands that Python has not yet acknowledged: number → when they were sent
  let number = Math.floor(Math.random() * 1e6) * 1000;

  const panel = {
    id: `rl-${++panels}`,
    clock: makeClock(),
    colours: palette.colours,
    calm: () => motion.matches,
    get: (trait) => model.get(trait),
    simulated: () => model.get("info").backend === "simulated",
    ask(message) {
      const id = ++number;
      waiting.set(id, performance.now());
      model.send({ ...message, id });
    },
    busyWith(node) {
      const words = { start: "starting", stop: "stopping", kill: "being killed", pause: "being paused", resume: "resuming" };
      const entry = model.get("doing").find((one) => one.node === node);
      return entry ? words[entry.verb] || "busy" : "";
    },
    focusNode: (name) => nodes.focus(name),
  };

  const head = makeHead(panel), ring = makeRing(panel), nodes = makeNodes(panel), network = makeNetwork(panel);
  const client = makeClient(panel), data = makeData(panel), timeline = makeTimeline(panel), player = makePlayer(panel);
  root.append(head.el, player.el, h("div", { class: "rl-top" }, ring.el, nodes.el), timeline.el, h("div", { class: "rl-bottom" }, network.el, client.el, data.el));
  el.append(root);
  root.addEventListener("rl-why", (event) => head.explain(event.detail));

  // -- news from Python

  const parts = {
    nodes: [head, ring, nodes, network, client, data], network: [ring, network], data: [data], info: [head, player],
    doing: [nodes], answer: [client], problems: [head], player: [player, timeline], availability: [timeline],
  };
  const listeners = Object.entries(parts).map(([trait, some]) => {
    const listener = () => some.forEach((part) => part.update());
    model.on(`change:${trait}`, listener);
    return [`change:${trait}`, listener];
  });

  function hear(message) {
    if (message.type === "done") waiting.delete(message.id);
    if (message.type === "spacetime") timeline.showSpacetime(message.svg);
    if (message.type !== "news" && message.type !== "history") return;
    const again = message.type === "history";
    panel.clock.tell(message.now, message.rate, again);
    if (again) { ring.forget(message.now); timeline.reset(message); return; }
    ring.take(message);
    timeline.take(message);
    for (const mark of message.marks || []) { ring.say(mark); head.announce(mark); }
  }
  model.on("msg:custom", hear);

  // -- the loop: every frame while many dots fly, every second one while few do, a look ten times a second otherwise;
  // never while nobody can see it. (Where the browser has no graphics card, each frame costs it 4 ms.)

  let visible = true, ended = false, handle = 0, timer = 0, slow = 0;

  function frame(stamp) {
    if (ended || !visible) return;
    const moving = ring.draw(stamp);
    if (stamp - slow > 190) { slow = stamp; nowAndThen(); }
    if (moving && ring.inFlight > CROWD) handle = requestAnimationFrame(frame);
    else timer = setTimeout(() => (handle = requestAnimationFrame(frame)), moving ? 28 : 60);
  }

  function nowAndThen() {
    timeline.draw();
    data.tick();
    player.tick();
    const known = new Set(model.get("doing").map((one) => one.id));
    const now = performance.now();
    head.queue([...waiting].some(([id, sent]) => now - sent > 1500 && !known.has(id)));
  }

  function layout() {
    palette.refresh();
    ring.layout();
    ring.drawLegend();
    timeline.layout();
    timeline.draw();
  }

  const sizes = new ResizeObserver(layout);
  sizes.observe(root);
  sizes.observe(ring.stage);
  const sight = new IntersectionObserver(([entry]) => {
    visible = entry.isIntersecting;
    cancelAnimationFrame(handle);
    clearTimeout(timer);
    if (visible) handle = requestAnimationFrame(frame);
  });
  sight.observe(root);
  const themes = new MutationObserver(layout);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light", "class"] });

  for (const part of [head, ring, nodes, network, client, data, timeline, player]) part.update();
  layout();
  model.send({ do: "hello" });

  return () => {
    ended = true;
    cancelAnimationFrame(handle);
    clearTimeout(timer);
    [sizes, sight, themes].forEach((observer) => observer.disconnect());
    listeners.forEach(([event, listener]) => model.off(event, listener));
    model.off("msg:custom", hear);
    model.send({ do: "bye" });
  };
}

export default { render };
