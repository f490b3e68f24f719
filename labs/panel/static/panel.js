/* Made from frontend/src/panel.ts by `npm run build` in frontend/. Do not edit. */
// src/cluster/attention.ts
var LASTS = 3e3;
var SIGNS = ["pointermove", "pointerdown", "wheel", "keydown"];
function makeAttention(root, roused, wall = () => performance.now()) {
  let until = -Infinity;
  function stir() {
    const asleep = wall() > until;
    until = wall() + LASTS;
    if (asleep) roused();
  }
  for (const sign of SIGNS) root.addEventListener(sign, stir, { passive: true });
  return {
    get lively() {
      return wall() <= until;
    },
    stir,
    end() {
      for (const sign of SIGNS) root.removeEventListener(sign, stir);
    }
  };
}

// src/shared/dom.ts
var SVG = "http://www.w3.org/2000/svg";
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}
function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}
function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}
function setText(element, value) {
  if (element.textContent !== value) element.textContent = value;
}
function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
}
function setShown(element, shown) {
  element.style.display = shown ? "" : "none";
}
function drawingOf(svg) {
  const drawing = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  for (const script of drawing.querySelectorAll("script")) script.remove();
  return document.importNode(drawing, true);
}
var card = (title, className, ...children) => h("section", { class: `rl-card ${className}`, "aria-label": title }, h("h3", {}, title), ...children);

// src/shared/icons.ts
var ICONS = {
  start: "M5 3 13 8 5 13Z",
  resume: "M3 3h2.6v10H3ZM7.5 3 14 8 7.5 13Z",
  pause: "M4 3h3v10H4ZM9 3h3v10H9Z",
  stop: "M3.5 3.5h9v9h-9Z",
  kill: "M9 1 3 9h4l-1 6 7-9H9Z",
  crown: "M1.5 12.5 0 4l4.5 3.4L8 1.5l3.5 5.9L16 4l-1.5 8.5Z",
  cut: "M3.4 2 8 6.6 12.6 2 14 3.4 9.4 8 14 12.6 12.6 14 8 9.4 3.4 14 2 12.6 6.6 8 2 3.4Z",
  step: "M3 3 10 8 3 13ZM11 3h2.5v10H11Z",
  rewind: "M13 3 6 8l7 5ZM2.5 3H5v10H2.5Z"
};
var icon = (name) => s("svg", { viewBox: "0 0 16 16", class: "rl-icon", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));

// src/shared/button.ts
var WHY = "rl-why";
function button(label, { name, title = "", act, kind = "", testid, aria }) {
  const words = h("span", {}, label);
  const attributes = { type: "button", class: `rl-button ${kind}`, "data-testid": testid, "aria-label": aria };
  const el = h("button", attributes, name ? icon(name) : null, words);
  let reason = "";
  el.addEventListener("click", () => {
    if (reason) el.dispatchEvent(new CustomEvent(WHY, { bubbles: true, detail: reason }));
    else act();
  });
  const allow = (why = "") => {
    reason = why;
    setAttribute(el, "aria-disabled", Boolean(why));
    setAttribute(el, "title", why || title);
  };
  allow();
  return { el, allow, label: (text) => words.replaceChildren(text) };
}
function copyButton(what) {
  const made = button("Copy", { title: "Copy to the clipboard", act: copy, kind: "rl-small" });
  const flash = (message) => {
    made.label(message);
    setTimeout(() => made.label("Copy"), 1500);
  };
  function copy() {
    navigator.clipboard.writeText(what()).then(
      () => flash("Copied"),
      () => flash("Select it and press Ctrl+C")
    );
  }
  return made.el;
}
function choice(label, options, act) {
  const buttons = new Map(
    options.map(({ value, words, title, testid }) => [
      value,
      button(words, { kind: "rl-small", title, testid, act: () => act(value) })
    ])
  );
  const el = h(
    "div",
    { class: "rl-choice", role: "group", "aria-label": label },
    [...buttons.values()].map((one) => one.el)
  );
  const show = (chosen) => {
    for (const [value, one] of buttons) setAttribute(one.el, "aria-pressed", value === chosen);
  };
  return { el, buttons, show };
}

// src/shared/keys.ts
var SUPPRESS = "data-lm-suppress-shortcuts";
var isSave = (event) => (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
function keepKeys(root) {
  root.tabIndex = -1;
  const listener = (event) => {
    const target = event.target;
    if (target instanceof Element && root.contains(target)) target.toggleAttribute(SUPPRESS, !isSave(event));
  };
  window.addEventListener("keydown", listener, true);
  return () => window.removeEventListener("keydown", listener, true);
}
function oneTabStop(group, selector) {
  const items = () => [...group.querySelectorAll(selector)];
  let current = null;
  function refresh() {
    const all = items();
    if (!all.some((item) => item === current)) current = all[0] ?? null;
    for (const item of all) item.setAttribute("tabindex", item === current ? "0" : "-1");
  }
  group.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item && item !== current) {
      current = item;
      refresh();
    }
  });
  group.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey } = event;
    const all = items();
    const place = all.indexOf(event.target);
    if (place < 0 || ctrlKey || metaKey || altKey) return;
    const last = all.length - 1;
    const next = {
      ArrowRight: place + 1,
      ArrowDown: place + 1,
      ArrowLeft: place - 1,
      ArrowUp: place - 1,
      Home: 0,
      End: last
    };
    const goal = next[key];
    if (goal === void 0) return;
    event.preventDefault();
    all[(goal + all.length) % all.length]?.focus();
  });
  refresh();
  return refresh;
}

// src/shared/format.ts
var clamp = (value, low, high) => Math.min(high, Math.max(low, value));
var plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
var seconds = (value) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;
function clip(text, limit) {
  const characters = [...text.slice(0, 2 * limit + 2)];
  if (characters.length <= limit && text.length <= 2 * limit + 2) return text;
  return `${characters.slice(0, limit).join("")}… (${text.length} characters)`;
}
function momentText(time, simulated) {
  if (simulated) return `${time.toFixed(3)} s`;
  const milliseconds = String(Math.floor(time % 1 * 1e3)).padStart(3, "0");
  return `${new Date(time * 1e3).toTimeString().slice(0, 8)}.${milliseconds}`;
}
var speedAt = (place) => Number((10 ** place).toPrecision(2));
var oneLine = (value) => JSON.stringify(value, null, 1).replace(/\n\s*/g, " ");

// src/cluster/words.ts
var BACKEND = {
  process: "local processes",
  docker: "Docker containers",
  simulated: "simulation"
};
var LOOKS = {
  leader: "leader",
  follower: "follower",
  candidate: "candidate",
  paused: "paused",
  stopped: "stopped",
  silent: "no answer",
  unknown: "…"
};
var VERBS = [
  { verb: "start", label: "Start", title: "Start this node", doing: "starting" },
  { verb: "stop", label: "Stop", title: "Ask the node to leave (SIGTERM)", doing: "stopping" },
  { verb: "kill", label: "Kill", title: "Crash it (SIGKILL)", doing: "being killed" },
  { verb: "pause", label: "Pause", title: "Freeze it: it notices nothing", doing: "being paused" },
  { verb: "resume", label: "Resume", title: "Let it go on", doing: "resuming" }
];
var REASON = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  503: "Service Unavailable",
  504: "Outcome unknown"
};
var SIDES = ["A", "B", "C"];
var SIDE_NAMES = "ABCDEFGH";

// src/cluster/data.ts
var AGE_EVERY = 200;
var LONG_KEY = 60;
var LONG_STORY = 500;
var FEW = 12;
var ABSENT = /* @__PURE__ */ new Set(["paused", "stopped", "silent"]);
function makeData(panel) {
  const head = h("tr");
  const rows = h("tbody");
  const lost = h("ul", { class: "rl-lost", "aria-live": "assertive" });
  const table = h("table", { class: "rl-table" }, h("thead", {}, head), rows);
  const note = h("span", {});
  const more = button("", {
    testid: "rows",
    kind: "rl-small",
    act: () => panel.ask({ do: "rows", all: !panel.get("data").all })
  });
  const label = "Table of keys and nodes";
  const scroll = h("div", { class: "rl-scroll", role: "region", "aria-label": label }, table);
  const el = h("div", { class: "rl-data" }, scroll, h("p", { class: "rl-hint" }, note, " ", more.el));
  const wasStale = /* @__PURE__ */ new Map();
  let ages = [];
  let drawn = "";
  function update() {
    const data = panel.get("data");
    const nodes = panel.get("nodes");
    const shown = JSON.stringify([data, nodes.map((node) => node.id + node.look)]);
    if (shown === drawn) return;
    drawn = shown;
    ages = [];
    head.replaceChildren(h("th", { scope: "col" }, "key"), ...nodes.map(headOf));
    rows.replaceChildren(...data.rows.map((row) => rowOf2(row, nodes)));
    lost.replaceChildren(
      ...data.lost.map(
        ({ story }) => h("li", { "data-testid": "lost" }, h("strong", {}, "✕ Lost write. "), clip(story, LONG_STORY))
      )
    );
    lost.hidden = !data.lost.length;
    table.hidden = !data.rows.length;
    table.style.setProperty("--columns", String(nodes.length + 1));
    setText(note, noteOf(data));
    more.label(data.all ? `Show the first ${FEW}` : "Show all");
    more.el.hidden = data.all ? data.rows.length <= FEW : !data.hidden;
    draw();
  }
  function rowOf2(row, nodes) {
    const key = h("th", { scope: "row", title: clip(row.key, LONG_STORY) }, clip(row.key, LONG_KEY));
    return h(
      "tr",
      {},
      key,
      nodes.map((node) => cellOf(row, node.id))
    );
  }
  function cellOf(row, node) {
    const cell = row.cells[node];
    const name = `${row.key}|${node}`;
    if (!cell) return h("td", { class: "is-unread" }, "…");
    const stale = cell.since !== void 0;
    const kind = stale ? "is-stale" : cell.old ? "is-old" : wasStale.get(name) ? "is-fresh" : "";
    wasStale.set(name, stale);
    const missing = cell.v === null;
    const value = h("span", { class: missing ? "rl-dim" : "rl-value", title: cell.v }, cell.v ?? "—");
    const age = stale ? h("em") : null;
    if (age && cell.since !== void 0) ages.push([age, cell.since]);
    const state = `${stale ? ", stale" : ""}${cell.old ? ", last known" : ""}`;
    const label2 = `${clip(row.key, LONG_KEY)} at ${node}: ${cell.v ?? "no such key"}${state}`;
    return h("td", { class: kind, "aria-label": label2, "data-testid": `cell-${row.key}-${node}` }, value, age);
  }
  function draw() {
    const now = panel.clock.now();
    for (const [age, since] of ages) setText(age, `stale ${seconds(Math.max(0, now - since))}`);
    return ages.length && panel.clock.moving ? AGE_EVERY : Infinity;
  }
  return { el, lost, scroll, update, draw };
}
function noteOf(data) {
  if (!data.rows.length) return "No keys yet. Write one.";
  const more = data.hidden ? `, and ${plural(data.hidden, "more key")}` : "";
  return `First the keys that differ, then the newest${more}.`;
}
function headOf(node) {
  const crown = node.look === "leader" ? icon("crown") : null;
  const absent = ABSENT.has(node.look) ? h("span", { class: "rl-dim" }, ` ${LOOKS[node.look]}`) : null;
  return h("th", { scope: "col" }, node.id, crown, absent);
}

// src/cluster/logs.ts
var BOX = 49;
var NAMES = 74;
var SHORT = 6;
var WORDS = 14;
var TERMS = 6;
var STATES = {
  committed: "committed",
  open: "not committed here",
  doomed: "not in the leader's log",
  folded: "part of a snapshot"
};
function makeLogs(panel) {
  const head = h("tr");
  const rows = h("tbody");
  const label = "Logs: a row for each node, a column for each entry";
  const table = h("table", { class: "rl-logs", "aria-label": label }, h("thead", {}, head), rows);
  const none = h("p", { class: "rl-hint" }, "No node has told what its log holds.");
  const el = h("div", { class: "rl-logbox", role: "region", "aria-label": "The logs" }, table, none);
  const stories = h("ul", { class: "rl-stories", "aria-live": "polite", "data-testid": "stories" });
  let drawn = "";
  function update() {
    const logs = panel.get("logs");
    const leaders = panel.get("nodes").flatMap(({ id, look }) => look === "leader" ? [id] : []);
    const fit = clamp(Math.floor((el.clientWidth - NAMES) / BOX), 4, 24);
    const shown = JSON.stringify([logs, leaders, fit]);
    if (shown === drawn) return;
    drawn = shown;
    none.hidden = logs.rows.length > 0;
    table.hidden = !none.hidden;
    const first = Math.max(logs.first, logs.last - fit + 1);
    const indexes = Array.from({ length: Math.max(0, logs.last - first + 1) }, (_, place) => first + place);
    const numbers = indexes.map((index) => h("th", { scope: "col", class: atCommit(logs, index) }, String(index)));
    head.replaceChildren(
      h("th", { scope: "col" }, first > 1 ? "… entry" : "entry"),
      ...numbers,
      h("th", { class: "rl-rest" })
    );
    rows.replaceChildren(...logs.rows.map((row) => rowOf(row, logs, indexes, leaders)));
    stories.replaceChildren(...logs.stories.map((story) => h("li", { title: story }, story)));
  }
  return { el, update, stories };
}
var atCommit = (logs, index) => index === logs.commit ? "is-commit" : "";
function rowOf(row, logs, indexes, leaders) {
  const crown = leaders.includes(row.node) ? icon("crown") : null;
  const boxes = indexes.map((index) => boxOf(row, logs, index));
  const name = h("th", { scope: "row" }, row.node, crown);
  return h("tr", { class: row.told ? "" : "is-old" }, name, boxes, h("td", { class: "rl-rest" }));
}
function boxOf(row, logs, index) {
  const cell = row.cells[index - logs.first];
  const place = atCommit(logs, index);
  if (!cell) return h("td", { class: place });
  const [term, words, state] = cell;
  const known = words || (state === "folded" ? "⋯" : "?");
  const title = `entry ${index} of ${row.node}: ${known}, term ${term ?? "unknown"}, ${STATES[state]}`;
  const kind = `rl-entry is-${state} rl-term-${(term ?? 0) % TERMS}`;
  const attributes = { class: kind, title, "data-testid": `log-${row.node}-${index}` };
  const text = h("span", {}, known.length <= SHORT ? known : clip(known.split("=")[0] ?? known, WORDS));
  return h("td", { class: place }, h("div", attributes, text, h("small", {}, term === null ? "" : `t${term}`)));
}

// src/cluster/board.ts
function makeBoard(panel) {
  const logs = makeLogs(panel);
  const data = makeData(panel);
  const sides = [
    { value: "logs", words: "Logs", title: "What each node has written down", testid: "show-logs" },
    { value: "values", words: "Values", title: "Which node holds which value", testid: "show-values" }
  ];
  const tabs = choice("Logs or values", sides, (side) => {
    chosen = side;
    update();
  });
  const hint = h("span", { class: "rl-dim" });
  const body = h("div", { class: "rl-sheet" }, logs.el, data.el);
  const told2 = h(
    "div",
    { class: "rl-told", role: "region", "aria-label": "Entries in danger" },
    data.lost,
    logs.stories
  );
  const attributes = { class: "rl-card rl-board", "aria-label": "What the nodes hold" };
  const el = h("section", attributes, h("div", { class: "rl-rowhead" }, tabs.el, hint), body, told2);
  oneTabStop(tabs.el, "button");
  let chosen = "logs";
  function update() {
    const parts = panel.get("parts");
    const only = parts.includes("logs") === parts.includes("values") ? null : parts.includes("logs") ? "logs" : "values";
    const side = only ?? chosen;
    tabs.show(side);
    tabs.el.hidden = only !== null;
    logs.el.hidden = side !== "logs";
    data.el.hidden = side !== "values";
    hint.textContent = side === "logs" ? committed(panel.get("info")) : "a copy that differs from the leader's is stale";
    logs.update();
    data.update();
    for (const one of [told2, logs.el, data.scroll]) scrollable(one);
  }
  return { el, values: data.el, update, draw: data.draw, layout: logs.update };
}
var committed = ({ mode }) => mode === "async" ? "green line: committed, in async by the leader alone" : "left of the green line an entry is committed";
function scrollable(el) {
  el.tabIndex = el.scrollHeight > el.clientHeight + 1 || el.scrollWidth > el.clientWidth + 1 ? 0 : -1;
}

// src/cluster/client.ts
var LONG_KEY2 = 60;
var LONG_LINE = 400;
var LONG_BODY = 2e4;
var MEANING = { ok: "", failed: "certainly not done", unknown: "outcome unknown" };
function makeClient(panel) {
  const box = (name, value2, label) => h("input", { type: "text", value: value2, "aria-label": label, "data-testid": name, spellcheck: "false" });
  const key = box("key", "x", "Key");
  const value = box("value", "hello", "Value, as JSON or plain text");
  const leader = h("option", { value: "" }, "the leader");
  const via = h("select", { "aria-label": "Node to ask", "data-testid": "via" }, leader);
  const fresh = h("input", { type: "checkbox", "data-testid": "linearizable" });
  const target = () => ({ key: key.value, via: via.value || null });
  const write = button("Write", {
    title: "PUT: store the value",
    testid: "do-put",
    kind: "rl-primary",
    act: () => panel.ask({ do: "put", ...target(), value: value.value })
  });
  const read = button("Read", {
    title: "GET: what does this node hold?",
    testid: "do-get",
    act: () => panel.ask({ do: "get", ...target(), linearizable: fresh.checked })
  });
  const remove = button("Delete", {
    title: "DELETE: remove the key",
    testid: "do-delete",
    act: () => panel.ask({ do: "delete", ...target() })
  });
  const buttons = [write, read, remove];
  for (const [input, one] of [[value, write], [key, read]]) {
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") one.el.click();
    });
  }
  key.addEventListener("input", update);
  const verbs = { class: "rl-buttons", role: "toolbar", "aria-label": "Write, read or delete" };
  const toolbar = h(
    "div",
    verbs,
    buttons.map((one) => one.el)
  );
  oneTabStop(toolbar, "button");
  const title = "The leader confirms that it still leads before it answers";
  const check = h("label", { class: "rl-check", title }, fresh, "linearizable");
  const fields = [h("label", {}, "key", key), h("label", {}, "value", value), h("label", {}, "ask", via)];
  const result = makeResult();
  const el = h(
    "section",
    { class: "rl-card rl-client", "aria-label": "Write and read" },
    h("div", { class: "rl-fields" }, fields, toolbar),
    h("div", { class: "rl-result" }, check, result.hint, result.el)
  );
  function update() {
    const known = new Set([...via.options].map((option) => option.value));
    for (const { id } of panel.get("nodes")) if (!known.has(id)) via.append(h("option", { value: id }, id));
    for (const one of buttons) one.allow(key.value ? "" : "A key is needed.");
    result.show(panel.get("answer"));
  }
  return { el, update };
}
function makeResult() {
  const code = h("span", { class: "rl-code" });
  const from = h("span", { class: "rl-dim" });
  const body = h("pre", { class: "rl-body-text", tabindex: 0, role: "region", "aria-label": "The answer's body" });
  const curl = h("code", {});
  let command = "";
  const line = h(
    "div",
    { class: "rl-curl" },
    curl,
    copyButton(() => command)
  );
  const head = h("div", { class: "rl-rowhead" }, code, from);
  const el = h("div", { class: "rl-answer", "aria-live": "polite", "data-testid": "answer" }, head, body, line);
  const words = "The answer, its status code and the same request for a shell appear here.";
  const hint = h("p", { class: "rl-hint" }, words);
  let shown = null;
  function show(answer) {
    el.hidden = !isAnswer(answer);
    hint.hidden = !el.hidden;
    if (!isAnswer(answer) || shown === answer) return;
    shown = answer;
    setText(code, answer.code === null ? "no answer" : `${answer.code} ${REASON[answer.code] ?? ""}`);
    setAttribute(code, "class", `rl-code is-${answer.outcome}${answer.code === 404 ? " is-missing" : ""}`);
    setText(from, factsOf(answer));
    setText(body, clip(oneLine(answer.body), LONG_BODY));
    command = answer.curl;
    setText(curl, clip(command, LONG_LINE));
    line.hidden = !command;
  }
  return { el, hint, show };
}
var isAnswer = (answer) => answer.id !== void 0;
function factsOf(answer) {
  const at = answer.node ? ` at ${answer.node}` : "";
  const tries = answer.attempts > 1 ? `, ${plural(answer.attempts, "attempt")}` : "";
  const meaning = MEANING[answer.outcome] ? ` · ${MEANING[answer.outcome]}` : "";
  return `${answer.verb.toUpperCase()} ${clip(answer.key, LONG_KEY2)}${at} · ${answer.ms} ms${tries}${meaning}`;
}

// src/cluster/clock.ts
var FAR = 0.6;
var GLIDE = 5;
var PULL = 0.15;
function makeClock(wall = () => performance.now()) {
  let base = 0;
  let since = wall();
  let rate = 1;
  let limit = Infinity;
  let known = false;
  const free = () => base + (wall() - since) / 1e3 * (rate || 1);
  const now = () => Math.min(limit, free());
  function tell(time, newRate, again = false) {
    if (again) known = false;
    const guess = now();
    const ahead = time - guess;
    if (newRate === 0) {
      base = known && ahead >= 0 && ahead < GLIDE ? guess : time;
      limit = time;
    } else {
      base = !known || rate !== newRate || Math.abs(ahead) > FAR ? time : guess + ahead * PULL;
      limit = Infinity;
    }
    since = wall();
    rate = newRate;
    known = true;
  }
  return {
    now,
    tell,
    get rate() {
      return rate || 1;
    },
    get known() {
      return known;
    },
    get moving() {
      return known && free() < limit;
    }
  };
}

// src/cluster/head.ts
var LONG_MARK = 300;
function makeHead(panel) {
  const crown = h("span", { class: "rl-headcrown" }, icon("crown"));
  const sentence = h("strong", { "data-testid": "sentence" });
  const chips = h("div", { class: "rl-chips" });
  const live = h("div", { class: "rl-sr", role: "status", "aria-live": "polite" });
  const again = button("Start a new one", {
    name: "start",
    kind: "rl-primary rl-small",
    testid: "again",
    act: () => panel.ask({ do: "again" })
  });
  const why = button("Why?", {
    kind: "rl-small",
    testid: "why-now",
    title: "What led to this?",
    act: () => panel.ask({ do: "why", at: panel.clock.now() })
  });
  const facts = h("span", { class: "rl-dim" });
  const headline = h("div", { class: "rl-headline" }, crown, sentence, facts, why.el, again.el);
  const el = h("div", { class: "rl-head" }, headline, chips, live);
  let drawn = "";
  function chipsOf() {
    const info = panel.get("info");
    return [
      [BACKEND[info.backend] ?? info.backend, "where the nodes run"],
      ...told(info.mode, info.mode, info.copies ? `a write waits for ${plural(info.copies, "copy", "copies")}` : ""),
      ...told(info.election, `election ${info.election}`, "how the leader is chosen"),
      [
        `${info.heartbeat_ms} / ${info.timeout_ms} ms`,
        "the leader's heartbeats, and the silence after which it is taken for dead"
      ]
    ];
  }
  function update() {
    const info = panel.get("info");
    setText(sentence, info.sentence || "Looking at the cluster…");
    setText(facts, votesOf(panel));
    sentence.classList.toggle("is-bad", info.split);
    crown.hidden = !info.leader;
    again.el.hidden = !info.again;
    again.allow(panel.get("doing").some((one) => one.verb === "again") ? "A new cluster is being started." : "");
    const words = JSON.stringify(chipsOf());
    if (words !== drawn) {
      drawn = words;
      chips.replaceChildren(...chipsOf().map(([label, title]) => h("span", { class: "rl-chip", title }, label)));
    }
  }
  function announce(mark) {
    const quiet = mark.level === "info" || mark.level.startsWith("write");
    if (!quiet) setText(live, clip(mark.text, LONG_MARK));
  }
  return { el, update, announce };
}
function votesOf(panel) {
  const { leader, split } = panel.get("info");
  const votes = panel.get("nodes").find((node) => node.id === leader)?.votes;
  return votes && !split ? `${votes.got} of ${votes.of} voted for it` : "";
}
var told = (what, words, title) => what ? [[words, title]] : [];

// src/cluster/sides.ts
var SETTLES = 1500;
function makeSides(panel) {
  let asked = [];
  let at = -Infinity;
  return {
    groups: () => performance.now() - at < SETTLES ? asked : panel.get("network").groups,
    ask(groups) {
      asked = groups.length > 1 ? groups : [];
      at = performance.now();
      panel.ask(asked.length ? { do: "partition", groups } : { do: "heal" });
    }
  };
}
var isAlone = (node, groups) => groups.length > 1 && groups.some((group) => group.length === 1 && group[0] === node);
function parted(node, groups, all) {
  const present = groups.length ? groups : [all];
  return [...without(node, present), [node]];
}
function joined(node, groups) {
  const others = without(node, groups);
  const largest = others.reduce((one, other) => other.length > one.length ? other : one, others[0] ?? []);
  return others.map((group) => group === largest ? [...group, node] : group);
}
function moved(node, side, groups, all) {
  const present = groups.length ? groups : [all];
  const sides = present.map((group) => group.filter((name) => name !== node));
  while (sides.length <= side) sides.push([]);
  sides[side]?.push(node);
  return sides.filter((group) => group.length);
}
var without = (node, groups) => groups.map((group) => group.filter((name) => name !== node)).filter((group) => group.length);

// src/cluster/network.ts
var SEND_AFTER = 250;
var OURS = 1500;
function makeNetwork(panel, sides) {
  const rows = /* @__PURE__ */ new Map();
  const table = h("div", { class: "rl-sides" });
  const heal = button("Heal", {
    title: "Undo every cut",
    testid: "heal",
    kind: "rl-small",
    act: () => panel.ask({ do: "heal" })
  });
  const delay = slider("Replication delay", "delay", 2e3, 50, "ms", sendDelay);
  const jitter = slider("jitter up to", "jitter", 2e3, 50, "ms", sendDelay);
  const loss = slider("Messages lost", "loss", 100, 1, "%", sendLoss);
  const title = "Nodes on different sides do not hear each other; a press cuts at once";
  const label = "Sides of the network";
  const cuts = h("div", { class: "rl-cuts", title, role: "toolbar", "aria-label": label }, table, heal.el);
  const tabStop = oneTabStop(cuts, "button");
  const sliders = h("div", { class: "rl-sliders" }, delay.el, jitter.el, loss.el);
  const el = h("section", { class: "rl-card rl-network", "aria-label": "Network" }, cuts, sliders);
  function sendDelay() {
    panel.ask({ do: "delay", ms: delay.value(), jitter_ms: jitter.value() });
  }
  function sendLoss() {
    panel.ask({ do: "loss", drop: loss.value() / 100, duplicate: panel.get("network").duplicate });
  }
  function addRow(name) {
    const buttons = SIDES.map((side, number) => {
      const attributes2 = { type: "button", class: "rl-side-button" };
      const names = { "data-testid": `side-${side}-${name}`, "aria-label": `${name} on side ${side}` };
      return h("button", { ...attributes2, ...names, onclick: () => move(name, number) }, side);
    });
    const attributes = { class: "rl-siderow", "data-node": name, role: "group", "aria-label": `Side of ${name}` };
    const row = h("div", attributes, h("span", {}, name), buttons);
    table.append(row);
    tabStop();
    rows.set(name, buttons);
  }
  function move(name, side) {
    const all = panel.get("nodes").map((node) => node.id);
    sides.ask(moved(name, side, sides.groups(), all));
    update();
  }
  function update() {
    const network = panel.get("network");
    const groups = sides.groups();
    for (const { id } of panel.get("nodes")) {
      if (!rows.has(id)) addRow(id);
      const found = groups.length > 1 ? groups.findIndex((group) => group.includes(id)) : 0;
      for (const [number, one] of (rows.get(id) ?? []).entries()) setAttribute(one, "aria-pressed", number === found);
    }
    heal.allow(network.cuts.length || groups.length > 1 ? "" : "No link is cut.");
    delay.set(network.delay_ms);
    jitter.set(network.jitter_ms);
    loss.set(Math.round(network.drop * 100));
  }
  return { el, update };
}
function slider(label, name, max, step, unit, send) {
  const attributes = { type: "range", min: 0, max, step, value: 0, "data-testid": name, "aria-label": label };
  const input = h("input", attributes);
  const output = h("output", {}, `0 ${unit}`);
  let touched = -Infinity;
  let timer = 0;
  function show() {
    setText(output, `${input.value} ${unit}`);
    setAttribute(input, "aria-valuetext", `${input.value} ${unit}`);
  }
  input.addEventListener("input", () => {
    touched = performance.now();
    show();
    clearTimeout(timer);
    timer = window.setTimeout(send, SEND_AFTER);
  });
  return {
    el: h("label", { class: "rl-slider" }, h("span", {}, label), output, input),
    value: () => Number(input.value),
    set(value) {
      if (performance.now() - touched <= OURS) return;
      input.value = String(value);
      show();
    }
  };
}

// src/cluster/layout.ts
var RADIUS = 42;
var ABOVE = 36;
var BELOW = 28;
var ASIDE = 6;
function placesOf(count, width, height) {
  const turns = Array.from({ length: count }, (_, index) => 2 * Math.PI * index / count - Math.PI / 2);
  const lowest = Math.max(0, ...turns.map(Math.sin));
  const top = RADIUS + ABOVE;
  const bottom = height - RADIUS - BELOW;
  const across = Math.min(width / 2 - RADIUS - 14, height * 0.85);
  return turns.map((turn) => ({
    x: width / 2 + across * Math.cos(turn),
    y: top + (Math.sin(turn) + 1) / (lowest + 1) * (bottom - top)
  }));
}
function areaOf(places, reach) {
  const xs = places.map(({ x: x2 }) => x2);
  const ys = places.map(({ y: y2 }) => y2);
  const x = Math.floor(Math.min(...xs) - reach);
  const y = Math.floor(Math.min(...ys) - reach);
  return {
    x,
    y,
    width: Math.ceil(Math.max(...xs) + reach) - x,
    height: Math.ceil(Math.max(...ys) + reach) - y
  };
}
var angleOf = (from, to) => Math.atan2(to.y - from.y, to.x - from.x);
function along(from, to, progress) {
  const turn = angleOf(from, to);
  const way = RADIUS + (Math.hypot(to.x - from.x, to.y - from.y) - 2 * RADIUS) * progress;
  return {
    x: from.x + Math.cos(turn) * way - Math.sin(turn) * ASIDE,
    y: from.y + Math.sin(turn) * way + Math.cos(turn) * ASIDE
  };
}

// src/cluster/rings.ts
var RING = RADIUS + 6;
var WIDTH = 4;
var REACH = RING + WIDTH / 2;
var ENDING = 0.5;
var TOP = -Math.PI / 2;
var isEnding = ({ left, full }) => left / full < ENDING;
function drawRing(pen, { x, y }, left, colours, cover) {
  const share = left.left / left.full;
  if (share <= 0) return;
  const ending = isEnding(left);
  pen.globalAlpha = ending ? 1 : 0.75;
  pen.strokeStyle = ending ? colours["warn-ink"] : colours.follower;
  pen.lineWidth = WIDTH;
  pen.beginPath();
  pen.arc(x, y, RING, TOP, TOP + 2 * Math.PI * share);
  pen.stroke();
  pen.globalAlpha = 1;
  pen.globalCompositeOperation = "destination-out";
  pen.beginPath();
  cover(pen);
  pen.fill();
  pen.globalCompositeOperation = "source-over";
}

// src/cluster/disc.ts
var PILL = { top: RADIUS + 5, height: 19 };
var BADGE = -RADIUS * 0.92;
var SIDE = 11;
var TELLS = /* @__PURE__ */ new Set(["leader", "follower", "candidate"]);
var LETTER = 6.1;
function makeDisc(name, hatch, choose) {
  const role = s("text", { class: "rl-role", y: -1 });
  const term = s("text", { class: "rl-facts", y: 13 });
  const keys = s("text", { class: "rl-facts", y: 26 });
  const pill = s("rect", { class: "rl-pill", y: PILL.top, height: PILL.height, rx: PILL.height / 2 });
  const lag = s("text", { class: "rl-lag", y: PILL.top + 13.5 });
  const badge = s("circle", { class: "rl-sidebadge", r: SIDE, cx: BADGE, cy: BADGE });
  const side = s("text", { class: "rl-side", x: BADGE, y: BADGE + 4 });
  const crown = s("path", { d: ICONS.crown, transform: `translate(-14 ${-RADIUS - 27}) scale(1.75)` });
  const el = s(
    "g",
    { class: "rl-node", role: "button", "data-node": name, onclick: choose, onkeydown: press },
    s("circle", { r: RADIUS + 8, class: "rl-halo" }),
    s("circle", { r: RADIUS, class: "rl-body" }),
    s("circle", { r: RADIUS - 2, class: "rl-weave", fill: `url(#${hatch})` }),
    s("g", { class: "rl-crown" }, crown),
    // The blanks keep the words apart for who reads the texts one after the other.
    [s("text", { class: "rl-name", y: -16 }, name), " ", role, " ", term, " ", keys, " ", pill, lag, " ", badge, side]
  );
  let facts = "";
  let words = "";
  let at = { x: 0, y: 0 };
  let pillWidth = 0;
  let onSide = false;
  function press(event) {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose();
  }
  function update(node, place, groups, leader) {
    at = place;
    setAttribute(el, "transform", `translate(${place.x} ${place.y})`);
    const waving = el.classList.contains("is-new") ? " is-new" : "";
    setAttribute(el, "class", `rl-node is-${node.look}${waving}`);
    setText(role, LOOKS[node.look]);
    setText(term, node.term === null ? "" : `term ${node.term}`);
    facts = node.votes && node.look === "candidate" ? votesText(node) : node.term === null && node.keys === null ? "" : keysText(node);
    showFacts();
    const tag = lagText(node, leader);
    showLag(tag, node.parted !== null ? "parted" : node.lag ? "behind" : node.lag === null ? "unknown" : "");
    const letter = sideOf(node.id, groups);
    setText(side, letter);
    onSide = Boolean(letter);
    setShown(badge, onSide);
    setAttribute(el, "aria-label", labelOf(node, tag, letter));
  }
  function showLag(tag, kind) {
    const width = tag.length * LETTER + 16;
    const more = kind ? ` is-${kind}` : "";
    setText(lag, tag);
    setAttribute(lag, "class", `rl-lag${more}`);
    setAttributes(pill, { width, x: -width / 2, class: `rl-pill${more}` });
    setShown(pill, Boolean(tag));
    pillWidth = tag ? width : 0;
  }
  function wait(left) {
    words = left && isEnding(left) ? `${left.left.toFixed(1)} s left` : "";
    showFacts();
  }
  function cover(pen) {
    const { top, height } = PILL;
    if (pillWidth) pen.roundRect(at.x - pillWidth / 2 - 1, at.y + top - 1, pillWidth + 2, height + 2, height / 2 + 1);
    if (onSide) pen.arc(at.x + BADGE, at.y + BADGE, SIDE + 1, 0, 7);
  }
  function showFacts() {
    setText(keys, words || facts);
    setAttribute(keys, "class", `rl-facts${words ? " is-ending" : ""}`);
  }
  function pulse() {
    el.classList.remove("is-new");
    void el.getBoundingClientRect();
    el.classList.add("is-new");
  }
  return { el, update, wait, cover, pulse };
}
var votesText = ({ votes }) => votes ? `${votes.got} of ${votes.of} votes` : "";
function keysText({ keys }) {
  return keys === null ? "keys not told" : plural(keys, "key");
}
function lagText(node, leader) {
  if (node.parted !== null) return `parted since entry ${node.parted}`;
  if (node.lag !== null) return node.lag === 0 ? "up to date" : `${node.lag} behind`;
  const comparable = leader !== null && leader !== node.id && TELLS.has(node.look);
  return comparable ? "lag unknown" : "";
}
function sideOf(node, groups) {
  const index = groups.length > 1 ? groups.findIndex((group) => group.includes(node)) : -1;
  return SIDE_NAMES[index] ?? "";
}
function labelOf(node, tag, side) {
  const facts = [
    `${node.id}: ${LOOKS[node.look]}`,
    `term ${node.term ?? "unknown"}`,
    keysText(node),
    ...node.votes ? [votesText(node)] : [],
    ...tag ? [tag] : [],
    ...side ? [`${side} is its side of the cut network`] : []
  ];
  return `${facts.join(", ")}. Press Enter for its controls.`;
}

// src/cluster/nodes.ts
var CHOSEN_LASTS = 1200;
var NO_TIMER = {
  leader: "It leads: it waits for nobody.",
  stopped: "It is stopped: start it.",
  paused: "It is paused: resume it."
};
function makeNodes(panel, sides) {
  const el = h("ul", { class: "rl-nodes", "aria-label": "Nodes" });
  const rows = /* @__PURE__ */ new Map();
  const names = () => panel.get("nodes").map((node) => node.id);
  function rowOf2(name) {
    const known = rows.get(name);
    if (known) return known;
    const role = h("span", { class: "rl-badge" });
    const facts = h("span", { class: "rl-dim" });
    const buttons = new Map(VERBS.map(({ verb, label, title }) => [verb, verbButton(name, verb, label, title)]));
    const isolate = button("Isolate", {
      title: "Cut it off from all others, or join it to them again",
      kind: "rl-small",
      testid: `isolate-${name}`,
      aria: `Isolate ${name}`,
      act: () => cutOff(name)
    });
    const timeout = button("Time out", {
      title: "Put its clock forward until it acts for want of a leader; nothing else moves",
      kind: "rl-small",
      testid: `run_out-${name}`,
      aria: `Time out ${name}`,
      act: () => panel.ask({ do: "run_out", node: name })
    });
    timeout.el.hidden = !panel.simulated();
    const attributes = { class: "rl-buttons", role: "toolbar", "aria-label": `Controls of ${name}` };
    const controls = h(
      "div",
      attributes,
      [...buttons.values()].map((one) => one.el),
      isolate.el,
      timeout.el
    );
    const tabStop = oneTabStop(controls, "button:not([hidden])");
    const item = h("li", { "data-node": name }, h("strong", {}, name), role, facts, controls);
    el.append(item);
    const row = { item, role, facts, buttons, isolate, timeout, tabStop };
    rows.set(name, row);
    return row;
  }
  function verbButton(name, verb, label, title) {
    const act = () => panel.ask({ do: verb, node: name });
    const more = { testid: `${verb}-${name}`, aria: `${label} ${name}` };
    return button(label, { title, kind: "rl-small", act, ...more });
  }
  function cutOff(name) {
    const groups = sides.groups();
    sides.ask(isAlone(name, groups) ? joined(name, groups) : parted(name, groups, names()));
  }
  function update() {
    const { groups } = panel.get("network");
    for (const node of panel.get("nodes")) {
      const { item, role, facts, buttons, isolate, timeout, tabStop } = rowOf2(node.id);
      const busy = panel.busyWith(node.id);
      setAttribute(item, "class", `is-${node.look}`);
      setText(role, busy || LOOKS[node.look]);
      setAttribute(role, "class", `rl-badge is-${busy ? "busy" : node.look}`);
      setText(facts, factsOf2(node));
      setAttribute(facts, "title", factsOf2(node));
      for (const [verb, one] of buttons) one.allow(busy ? `${node.id} is ${busy}.` : node.why[verb]);
      exchange(buttons, "start", "stop", node.state === "stopped");
      exchange(buttons, "resume", "pause", node.state === "paused");
      tabStop();
      const alone = isAlone(node.id, groups);
      isolate.label(alone ? "Rejoin" : "Isolate");
      setAttribute(isolate.el, "aria-label", `${alone ? "Rejoin" : "Isolate"} ${node.id}`);
      timeout.allow(NO_TIMER[node.look] ?? "");
      isolate.allow(panel.get("info").ended || (names().length < 2 ? "There is no other node." : ""));
    }
  }
  function focus(name) {
    const item = rows.get(name)?.item;
    if (!item) return;
    item.scrollIntoView({ block: "nearest" });
    item.querySelector('button[aria-disabled="false"]:not([hidden])')?.focus();
    item.classList.add("is-chosen");
    setTimeout(() => item.classList.remove("is-chosen"), CHOSEN_LASTS);
  }
  return { el, update, focus };
}
function exchange(buttons, one, other, first) {
  const shown = buttons.get(first ? one : other)?.el;
  const hidden = buttons.get(first ? other : one)?.el;
  if (!shown || !hidden || hidden.hidden && !shown.hidden) return;
  const focused = hidden.ownerDocument.activeElement === hidden;
  shown.hidden = false;
  hidden.hidden = true;
  if (focused) shown.focus();
}
function factsOf2(node) {
  if (node.term === null) return "";
  const votes = node.votes && node.look === "candidate" ? [`${node.votes.got} of ${node.votes.of} votes`] : [];
  const behind = node.lag || node.parted !== null ? [lagText(node, null)] : [];
  return [`term ${node.term}`, keysText(node), ...behind, ...votes].join(" · ");
}

// src/shared/bubble.ts
var LONG = 400;
var GAP = 6;
function makeBubble(root, testid, closed = () => {
}) {
  const text = h("span", {});
  const dismiss = () => {
    close();
    closed();
  };
  const cross = h("button", { type: "button", class: "rl-close", "aria-label": "Dismiss", onclick: dismiss }, "×");
  const note = h("div", { class: "rl-notice", "data-testid": testid }, text, cross);
  const el = h("div", { class: "rl-callout", role: "alert", hidden: true }, note);
  let words = "";
  let timer = 0;
  function say(what, anchor, kind = "", lasts = 0) {
    words = what;
    text.textContent = clip(what, LONG);
    note.className = `rl-notice ${kind}`;
    el.hidden = false;
    place(anchor);
    clearTimeout(timer);
    if (lasts) timer = window.setTimeout(close, lasts);
  }
  function place(anchor) {
    const panel = root.getBoundingClientRect();
    const box = anchor?.isConnected ? anchor.getBoundingClientRect() : null;
    const left = box ? box.left - panel.left : panel.width;
    const below = box ? box.bottom - panel.top + GAP : 44;
    const above = box ? box.top - panel.top - GAP - el.offsetHeight : 44;
    const fits = below + el.offsetHeight < panel.height;
    el.style.left = `${clamp(left, 8, Math.max(8, panel.width - el.offsetWidth - 8))}px`;
    el.style.top = `${Math.max(4, fits ? below : above)}px`;
  }
  function close() {
    clearTimeout(timer);
    words = "";
    el.hidden = true;
  }
  return {
    el,
    say,
    close,
    get words() {
      return words;
    }
  };
}

// src/cluster/notices.ts
var WHY_LASTS = 4e3;
var BUSY = "The kernel is busy with a cell. What you clicked waits, and is done as soon as the cell ends.";
function makeNotices(root) {
  const controls = /* @__PURE__ */ new Map();
  const dismissed = /* @__PURE__ */ new Set();
  const why = makeBubble(root, "why");
  const busy = makeBubble(root, "busy");
  const shown = /* @__PURE__ */ new Map();
  const bad = [0, 1, 2, 3].map(() => {
    const one = makeBubble(root, "problem", () => {
      for (const [key, bubble] of shown) if (bubble === one) dismiss(key);
    });
    return one;
  });
  let last = null;
  function dismiss(key) {
    dismissed.add(key);
    shown.delete(key);
  }
  function update(problems) {
    const present = new Map(problems.map((problem) => [problem.id + problem.text, problem]));
    for (const key of dismissed) if (!present.has(key)) dismissed.delete(key);
    for (const [key, bubble] of shown) {
      if (present.has(key)) continue;
      bubble.close();
      shown.delete(key);
    }
    for (const [key, problem] of present) {
      const free = bad.find((one) => ![...shown.values()].includes(one));
      if (shown.has(key) || dismissed.has(key) || !free) continue;
      shown.set(key, free);
      free.say(problem.text, controls.get(problem.id) ?? null, "is-bad");
    }
  }
  return {
    els: [why.el, busy.el, ...bad.map((one) => one.el)],
    update,
    explain: (reason, control) => why.say(reason, control, "", WHY_LASTS),
    queue(waiting) {
      if (!waiting) busy.close();
      else if (!busy.words) busy.say(BUSY, last);
    },
    caused(id, control) {
      last = control;
      controls.set(`command-${id}`, control);
      if (controls.size > 50) controls.delete(controls.keys().next().value ?? "");
    }
  };
}

// src/cluster/flights.ts
var SHORTEST = 520;
var HOLDBACK = 0.12;
var LATE = 1e3;
var EVEN = 100;
var UNSEEN = 250;
var WAIT = 1200;
var FADE = 500;
var FORGOTTEN = 5e3;
var JUST = 0.15;
var MOST = 1500;
var MOST_EARLY = 2e3;
function makeFlights(clock, wall = () => performance.now()) {
  let flights = [];
  const byId = /* @__PURE__ */ new Map();
  const early = /* @__PURE__ */ new Map();
  let since = -Infinity;
  let looked = -Infinity;
  let gap = 0;
  function depart([id, family, from, to, , time], cut) {
    if (flights.length > MOST || time < since) return void 0;
    const arrived = early.get(id);
    const flight = { id, family, from, to, time, arrived, told: wall(), lost: false, cut, begun: void 0 };
    early.delete(id);
    flights.push(flight);
    byId.set(id, flight);
    return flight;
  }
  function take(news, isCut) {
    for (const sent of news.messages ?? []) depart(sent, isCut(sent[2], sent[3]));
    for (const [id, time] of news.arrived ?? []) {
      const flight = byId.get(id);
      if (flight) flight.arrived = time;
      else early.set(id, time);
    }
    for (const sent of news.lost ?? []) {
      const flight = byId.get(sent[0]) ?? depart(sent, isCut(sent[2], sent[3]));
      if (flight) flight.lost = true;
    }
    if (early.size > MOST_EARLY) early.clear();
    dropOld();
  }
  const due = () => clock.now() - HOLDBACK * clock.rate;
  const lateness = (flight) => (due() - flight.time) / clock.rate * 1e3;
  function dropOld() {
    remove((flight) => {
      const late = flight.begun === void 0 ? lateness(flight) : 0;
      return late > LATE && late > (flight.arrived === void 0 ? FORGOTTEN : duration(flight, 0));
    });
  }
  function remove(over) {
    flights = flights.filter((flight) => {
      const gone = over(flight);
      if (gone) byId.delete(flight.id);
      return !gone;
    });
  }
  function duration({ arrived, time, family }, delay) {
    const real = arrived === void 0 ? family === "replication" ? delay : 0 : (arrived - time) * 1e3;
    return Math.max(SHORTEST, real / clock.rate);
  }
  function begin(flight, stamp, span) {
    const late = lateness(flight);
    if (late < 0) return true;
    const fresh = late <= LATE && stamp - flight.told <= UNSEEN;
    flight.begun = stamp - (fresh ? clamp(late, 0, clamp(gap, EVEN, UNSEEN)) : late);
    return fresh || late < span;
  }
  function sights(stamp, delay, calm) {
    const found = [];
    [gap, looked] = [stamp - looked, stamp];
    remove((flight) => {
      const span = duration(flight, delay);
      if (flight.begun === void 0 && !begin(flight, stamp, span)) return true;
      if (flight.begun === void 0) return false;
      const sight = sightOf(flight, stamp - flight.begun, span, calm);
      if (sight) found.push(sight);
      return !sight;
    });
    return found;
  }
  return {
    take,
    sights,
    forget(now) {
      flights = [];
      byId.clear();
      early.clear();
      since = now - JUST;
    },
    nextIn() {
      let soonest = Infinity;
      if (!clock.moving) return soonest;
      for (const flight of flights) if (flight.begun === void 0) soonest = Math.min(soonest, -lateness(flight));
      return Math.max(0, soonest);
    },
    get count() {
      return flights.length;
    }
  };
}
var GOAL = 0.94;
var STILL = 0.62;
var BESIDE = 0.86;
function sightOf(flight, age, span, calm) {
  const cross = (progress2, since) => {
    const fading = since / FADE;
    return fading < 1 ? { flight, progress: progress2, fading, opacity: 1 - fading, stands: 0 } : void 0;
  };
  const broken = flight.cut || flight.lost;
  const progress = age / span;
  if (broken && progress > 0.5) return cross(0.5, age - span / 2);
  if (flight.arrived !== void 0 && progress >= 1) return void 0;
  if (flight.arrived === void 0 && age >= span + WAIT) return cross(GOAL, age - span - WAIT);
  if (calm || flight.family === "alive") {
    const place = calm ? STILL : BESIDE;
    return { flight, progress: place, opacity: 0.8, stands: progress < 1 ? span - age : span + WAIT - age };
  }
  if (flight.arrived === void 0 && progress > GOAL) {
    return { flight, progress: GOAL, opacity: 0.9, stands: span + WAIT - age };
  }
  return { flight, progress, opacity: Math.min(1, progress * 9, broken ? 1 : (1.04 - progress) * 9), stands: 0 };
}

// src/cluster/pace.ts
var CROWD = 64;
var BUSY_PAUSE = 28;
var REST = 230;
var RARE = 110;
var BEAT = 0.3;
var RING_STEPS = { lively: 24, rest: 12 };
var QUICKEST = 80;
var SLOWEST = 500;
var routine = (family) => family.startsWith("heartbeat") || family.startsWith("alive");
var isEvent = ({ flight, fading }) => !routine(flight.family) || fading !== void 0 && flight.lost;
var tellsMore = ({ messages, lost, marks, bands }) => Boolean(lost?.length || marks?.length || bands?.length || messages?.some(([, family]) => !routine(family)));
function restPause(heartbeat) {
  const pause = clamp(REST * SHORTEST / heartbeat, RARE, REST);
  if (heartbeat > 2 * pause) return pause;
  return heartbeat * (Math.max(0, Math.ceil(pause / heartbeat - BEAT)) + BEAT);
}
var isLively = (sights, lively) => lively || sights.length > CROWD || sights.some(isEvent);
function standsFor(sights, lively, heartbeat) {
  if (sights.length > CROWD) return 0;
  const pause = isLively(sights, lively) ? BUSY_PAUSE : restPause(heartbeat);
  return Math.min(...sights.map((sight) => Math.max(sight.stands, pause)));
}
var ringStands = (full, rate, ending, lively) => clamp(1e3 * full / RING_STEPS[lively || ending ? "lively" : "rest"] / rate, QUICKEST, SLOWEST);

// src/cluster/player.ts
var STEPS = [0.05, 0.5, 5];
var CLOCK_EVERY = 100;
function makePlayer(panel) {
  const time = h("output", { class: "rl-clock", "aria-label": "Time of the simulation" });
  const speed = h("input", { type: "range", min: -1, max: 1, step: 0.05, value: 0, "aria-label": "Speed" });
  const rate = h("output");
  const seed = h("code");
  const chosen = () => speedAt(Number(speed.value));
  const toggle = () => panel.ask(panel.get("player").playing ? { do: "halt" } : { do: "play", speed: chosen() });
  const play = button("Play", { name: "start", testid: "play", act: toggle });
  const steps = STEPS.map(
    (length) => button(`+${length} s`, {
      name: "step",
      title: `Let ${length} s pass`,
      kind: "rl-small",
      act: () => panel.ask({ do: "step", seconds: length })
    })
  );
  const scrubber = h("input", {
    type: "range",
    min: 0,
    max: 0,
    step: 0.01,
    value: 0,
    "data-testid": "rewind",
    "aria-label": "Moment of the simulation; drag back to run again from the seed up to there",
    title: "Drag back to rewind: the run begins again from its seed, up to that moment"
  });
  let held = false;
  scrubber.addEventListener("input", () => {
    held = true;
    setText(time, `t = ${Number(scrubber.value).toFixed(2)} s`);
  });
  scrubber.addEventListener("change", () => {
    held = false;
    panel.ask({ do: "rewind", to: clamp(Number(scrubber.value), 0, panel.clock.now()) });
  });
  const moments = h("span", { class: "rl-buttons", role: "group", "aria-label": "Moments to go to" });
  const undo = button("Undo", {
    kind: "rl-small",
    testid: "undo",
    title: "Take back what was done last, and go back to its moment",
    act: () => panel.ask({ do: "undo" })
  });
  const save = button("Save", {
    kind: "rl-small",
    testid: "save",
    title: "The run as a schedule: replab replay FILE runs it again",
    act: () => panel.ask({ do: "save" })
  });
  const el = h(
    "section",
    { class: "rl-player", "aria-label": "The simulation's time" },
    play.el,
    steps.map((one) => one.el),
    undo.el,
    save.el,
    h("label", { class: "rl-slider" }, h("span", {}, "speed"), speed, rate),
    moments,
    scrubber,
    time,
    h(
      "span",
      { class: "rl-seed" },
      "seed ",
      seed,
      copyButton(() => seed.textContent ?? "")
    )
  );
  let adopted = false;
  const showSpeed = () => setText(rate, `${chosen()}×`);
  speed.addEventListener("input", () => {
    showSpeed();
    if (panel.get("player").playing) panel.ask({ do: "play", speed: chosen() });
  });
  function adopt() {
    const player = panel.get("player");
    if (adopted || player.speed === void 0) return;
    adopted = true;
    speed.value = String(Math.log10(player.speed));
    moments.replaceChildren(...player.moments.map(([name, at]) => momentButton(name, at).el));
    moments.hidden = !player.moments.length;
  }
  function momentButton(name, at) {
    return button(name, {
      kind: "rl-small",
      title: `Run again from the seed, up to t = ${at.toFixed(2)} s`,
      testid: `moment-${name.replaceAll(" ", "-")}`,
      act: () => panel.ask({ do: "rewind", to: at })
    });
  }
  function update() {
    adopt();
    const player = panel.get("player");
    el.hidden = !panel.simulated();
    play.label(player.playing ? "Halt" : "Play");
    play.el.querySelector("path")?.setAttribute("d", ICONS[player.playing ? "pause" : "start"]);
    scrubber.disabled = !player.rewinds;
    setText(seed, String(panel.get("info").seed));
    showSpeed();
  }
  function draw() {
    if (el.hidden) return Infinity;
    const now = panel.clock.now();
    if (!held) {
      setText(time, `t = ${now.toFixed(2)} s`);
      scrubber.max = now.toFixed(2);
      scrubber.value = scrubber.max;
    }
    return panel.clock.moving ? CLOCK_EVERY : Infinity;
  }
  return { el, update, draw };
}

// src/shared/canvas.ts
var NAMES2 = [
  "ink",
  "faint",
  "line",
  "card",
  "leader",
  "leader-ink",
  "crown",
  "follower",
  "candidate",
  "stopped",
  "bad",
  "good",
  "unknown",
  "heartbeat",
  "replication",
  "election",
  "alive",
  "warn-ink"
];
function makeColours(root) {
  const colours = { font: "" };
  const refresh = () => {
    const style = getComputedStyle(root);
    for (const name of NAMES2) colours[name] = style.getPropertyValue(`--rl-${name}`).trim();
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
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser cannot draw on a canvas");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  return pen;
}
function drawLine(pen, ...points) {
  pen.beginPath();
  for (const [index, [x, y]] of points.entries()) {
    if (index) pen.lineTo(x, y);
    else pen.moveTo(x, y);
  }
  pen.stroke();
}
function drawX(pen, x, y, size) {
  pen.beginPath();
  pen.moveTo(x - size, y - size);
  pen.lineTo(x + size, y + size);
  pen.moveTo(x + size, y - size);
  pen.lineTo(x - size, y + size);
  pen.stroke();
}

// src/cluster/bubbles.ts
var LASTS2 = 2600;
var OLD = 3;
var LONGEST = 60;
var DOWN = ["stopped", "paused"];
function makeBubbles() {
  const el = h("div", { class: "rl-bubbles", "aria-hidden": "true" });
  const spoken = /* @__PURE__ */ new Map();
  let silent = /* @__PURE__ */ new Set();
  function say(mark, place, width, now) {
    if (!mark.bubble || silent.has(mark.node) || now - mark.t > OLD) return;
    spoken.get(mark.node)?.remove();
    const top = Math.max(26, place.y - RADIUS - (mark.level === "crown" ? 30 : 8));
    const words = h("span", {}, clip(mark.bubble, LONGEST));
    const bubble = h("div", { class: `rl-bubble is-${mark.level}`, style: `top:${top}px` }, words);
    spoken.set(mark.node, bubble);
    el.append(bubble);
    const half = bubble.offsetWidth / 2 + 4;
    bubble.style.left = `${clamp(place.x, half, Math.max(half, width - half))}px`;
    setTimeout(() => bubble.remove(), LASTS2);
  }
  function update(nodes) {
    silent = new Set(nodes.filter(({ look }) => DOWN.includes(look)).map(({ id }) => id));
    for (const id of silent) spoken.get(id)?.remove();
  }
  return { el, say, update };
}

// src/cluster/dots.ts
function drawDot(pen, family, x, y, colours, turn) {
  const [topic, reply] = family.split("-");
  pen.fillStyle = pen.strokeStyle = colours[topic];
  pen.lineWidth = 1.7;
  pen.beginPath();
  if (topic === "heartbeat") pen.arc(x, y, reply ? 3.2 : 4, 0, 7);
  else if (topic === "alive") pen.arc(x, y, 2, 0, 7);
  else if (topic === "replication") pen.rect(x - 4, y - 4, 8, 8);
  else triangle(pen, x, y, turn);
  pen.closePath();
  if (reply) pen.stroke();
  else pen.fill();
}
function triangle(pen, x, y, turn) {
  for (let corner = 0; corner < 3; corner++) {
    const direction = turn + corner * 2 * Math.PI / 3;
    const [cornerX, cornerY] = [x + 6 * Math.cos(direction), y + 6 * Math.sin(direction)];
    if (corner) pen.lineTo(cornerX, cornerY);
    else pen.moveTo(cornerX, cornerY);
  }
}
function drawSights(pen, sights, places, colours) {
  for (const { flight, progress, fading, opacity } of sights) {
    const from = places.get(flight.from);
    const to = places.get(flight.to);
    if (!from || !to) continue;
    const { x, y } = along(from, to, progress);
    pen.globalAlpha = opacity;
    if (fading === void 0) {
      drawDot(pen, flight.family, x, y, colours, angleOf(from, to));
    } else {
      pen.strokeStyle = colours.bad;
      pen.lineWidth = 2;
      drawX(pen, x, y, 4 + fading * 3);
    }
  }
  pen.globalAlpha = 1;
}
function drawLit(pen, messages, places, colours) {
  const count = /* @__PURE__ */ new Map();
  for (const [, family, sender, receiver] of messages) {
    const from = places.get(sender);
    const to = places.get(receiver);
    if (!from || !to) continue;
    const link = `${sender}|${receiver}`;
    const before = count.get(link) ?? 0;
    count.set(link, before + 1);
    const { x, y } = along(from, to, 0.4 + 0.14 * (before % 4));
    drawDot(pen, family, x, y, colours, angleOf(from, to));
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(x, y, 9, 0, 7);
    pen.stroke();
  }
}

// src/cluster/hands.ts
var FIRST = 0.3;
var NEXT = 0.17;
var GAP2 = 14;
var ROOM = 4;
function makeHands(panel) {
  const dots = s("svg", { class: "rl-hands", role: "group", "aria-label": "Messages on their way" });
  const words = h("div", {});
  const ask = (verb) => () => {
    if (chosen) panel.ask({ do: verb, message: chosen });
    close();
  };
  const deliver = button("Deliver", { kind: "rl-small rl-primary", testid: "deliver", act: ask("deliver") });
  const drop = button("Drop", { kind: "rl-small", testid: "drop", act: ask("drop") });
  const hold = button("Hold", { kind: "rl-small", testid: "hold", title: "Keep it until later", act: ask("hold") });
  const buttons = h("div", { class: "rl-buttons" }, deliver.el, drop.el, hold.el);
  const menu = h(
    "div",
    { class: "rl-handmenu", role: "dialog", "aria-label": "A message on its way", hidden: true },
    words,
    buttons
  );
  const tabStop = oneTabStop(dots, ".rl-hand");
  let chosen = "";
  let drawn = "";
  let width = 0;
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  function close() {
    const back = chosen;
    chosen = "";
    menu.hidden = true;
    dots.querySelector(`[data-message="${CSS.escape(back)}"]`)?.focus();
  }
  function update(places, room) {
    width = room;
    const flying = panel.get("player").flying ?? [];
    const shown = JSON.stringify([flying, [...places]]);
    if (shown === drawn) return;
    drawn = shown;
    if (!flying.some(([id]) => id === chosen)) {
      chosen = "";
      menu.hidden = true;
    }
    const count = /* @__PURE__ */ new Map();
    dots.replaceChildren(
      ...flying.flatMap((one) => {
        const from = places.get(one[2]);
        const to = places.get(one[3]);
        if (!from || !to) return [];
        const link = `${one[2]}|${one[3]}`;
        const before = count.get(link) ?? 0;
        count.set(link, before + 1);
        return [dotOf(one, along(from, to, FIRST + NEXT * Math.min(before, ROOM)), angleOf(from, to))];
      })
    );
    tabStop();
  }
  function dotOf([id, family, from, to, text, due], place, turn) {
    const label = `${text}, ${from} to ${to}${due === null ? ", held back" : ""}`;
    const open = () => choose(id, label, place, due === null);
    const press = (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
    };
    const [topic, reply] = family.split("-");
    const kind = `rl-hand is-${topic}${reply ? " is-reply" : ""}${due === null ? " is-held" : ""}`;
    const attributes = {
      class: kind,
      role: "button",
      "aria-label": label,
      "data-message": id,
      onclick: open,
      onkeydown: press
    };
    const el = s(
      "g",
      attributes,
      s("circle", { class: "rl-reach", r: 10 }),
      shapeOf(family, turn),
      s("title", {}, label)
    );
    setAttribute(el, "transform", `translate(${place.x} ${place.y})`);
    return el;
  }
  function choose(id, label, place, held) {
    chosen = id;
    words.textContent = label;
    hold.allow(held ? "It is held back already." : "");
    menu.hidden = false;
    menu.style.left = `${clamp(place.x - menu.offsetWidth / 2, 2, Math.max(2, width - menu.offsetWidth - 2))}px`;
    const below = place.y + GAP2;
    const room = menu.parentElement?.clientHeight ?? 0;
    const top = below + menu.offsetHeight <= room ? below : place.y - GAP2 - menu.offsetHeight;
    menu.style.top = `${Math.max(2, top)}px`;
    deliver.el.focus();
  }
  return {
    dots,
    menu,
    update,
    get busy() {
      return panel.simulated() && panel.get("player").playing === false;
    }
  };
}
function shapeOf(family, turn) {
  if (family.startsWith("replication")) return s("rect", { x: -4.5, y: -4.5, width: 9, height: 9 });
  if (family.startsWith("election")) {
    return s("path", { d: "M7 0 L-4 5.5 L-4 -5.5 Z", transform: `rotate(${turn * 180 / Math.PI})` });
  }
  return s("circle", { r: family.startsWith("alive") ? 3 : 4.5 });
}

// src/cluster/legend.ts
var SIZE = 14;
var KINDS = [
  ["heartbeat", "heartbeat"],
  ["replication", "replication"],
  ["election", "election"],
  ["alive", "“I am alive”"],
  ["heartbeat-reply", "answer"],
  ["lost", "lost"]
];
function makeLegend(colours) {
  const canvas = h("canvas");
  const pictures = KINDS.map(([kind]) => [kind, h("img", { alt: "", width: SIZE, height: SIZE })]);
  const entries = KINDS.map(([, label], index) => h("span", {}, pictures[index]?.[1], label));
  const draw = () => {
    for (const [kind, picture] of pictures) {
      const pen = fitCanvas(canvas, SIZE, SIZE);
      if (kind === "lost") {
        pen.strokeStyle = colours.bad;
        pen.lineWidth = 2;
        drawX(pen, SIZE / 2, SIZE / 2, 4);
      } else {
        drawDot(pen, kind, SIZE / 2, SIZE / 2, colours, 0);
      }
      setAttribute(picture, "src", canvas.toDataURL());
    }
  };
  return { el: h("div", { class: "rl-legend" }, entries), draw };
}

// src/cluster/timers.ts
var SILENCE = 0.6;
function shownMoment(now, told2, rate, holdback) {
  const moment = now - holdback * rate;
  return now - told2 < SILENCE * rate ? Math.min(moment, told2) : moment;
}
function makeTimers() {
  const known = /* @__PURE__ */ new Map();
  return {
    take(timers) {
      for (const [node, since, full] of timers) known.set(node, { since, full });
    },
    at(node, now) {
      const timer = known.get(node);
      if (!timer || timer.full <= 0) return null;
      return { left: Math.min(timer.full, Math.max(0, timer.full - (now - timer.since))), full: timer.full };
    },
    forget: () => known.clear()
  };
}

// src/cluster/ring.ts
var ARRIVED = 80;
function makeRing(panel) {
  const links = s("svg", { class: "rl-links", "aria-hidden": "true" });
  const canvas = h("canvas", { class: "rl-dots", "aria-hidden": "true" });
  const hatch = `${panel.id}-hatch`;
  const discs = s("svg", { class: "rl-discs", role: "group", "aria-label": "The cluster's nodes" }, pattern(hatch));
  const bubbles = makeBubbles();
  const legend = makeLegend(panel.colours);
  const hands = makeHands(panel);
  const stage = h("div", { class: "rl-stage" }, links, discs, canvas, hands.dots, bubbles.el, hands.menu);
  const el = h("section", { class: "rl-ring", "aria-label": "Topology" }, stage, legend.el);
  const places = /* @__PURE__ */ new Map();
  const nodes = /* @__PURE__ */ new Map();
  const pairs = /* @__PURE__ */ new Map();
  const flights = makeFlights(panel.clock);
  const timers = makeTimers();
  const tabStop = oneTabStop(discs, ".rl-node");
  let pen = null;
  let width = 0;
  let area = { x: 0, y: 0, width: 0, height: 0 };
  let cuts = /* @__PURE__ */ new Set();
  let clean = true;
  let drawnAt = -Infinity;
  let told2 = -Infinity;
  let lively = false;
  let lit = [];
  let since = -Infinity;
  function layout() {
    const names = panel.get("nodes").map((node) => node.id);
    width = stage.clientWidth;
    const height = stage.clientHeight;
    if (!width || !height || !names.length) return;
    for (const svg of [links, discs, hands.dots]) setAttribute(svg, "viewBox", `0 0 ${width} ${height}`);
    for (const [index, place] of placesOf(names.length, width, height).entries()) places.set(names[index] ?? "", place);
    area = areaOf([...places.values()], REACH);
    pen = fitCanvas(canvas, area.width, area.height);
    pen.translate(-area.x, -area.y);
    canvas.style.translate = `${area.x}px ${area.y}px`;
    legend.draw();
    update();
  }
  function update() {
    if (!places.size) return;
    const all = panel.get("nodes");
    const { cuts: pairsCut, groups } = panel.get("network");
    cuts = new Set(pairsCut.flatMap(([one, other]) => [`${one}|${other}`, `${other}|${one}`]));
    hands.update(places, width);
    bubbles.update(all);
    for (const [index, node] of all.entries()) {
      for (const other of all.slice(index + 1)) updateLink(node, other);
      const place = places.get(node.id);
      if (place) disc(node.id).update(node, place, groups, panel.get("info").leader);
    }
  }
  function updateLink(node, other) {
    const one = places.get(node.id);
    const two = places.get(other.id);
    if (!one || !two) return;
    const { line, cut } = link(`${node.id}|${other.id}`);
    setAttributes(line, { x1: one.x, y1: one.y, x2: two.x, y2: two.y });
    const isCut = cuts.has(`${node.id}|${other.id}`);
    setAttribute(line, "class", `rl-link${isCut ? " is-cut" : linkKind(node, other)}`);
    setAttribute(cut, "transform", `translate(${(one.x + two.x) / 2} ${(one.y + two.y) / 2})`);
    setShown(cut, isCut);
  }
  function link(key) {
    const known = pairs.get(key);
    if (known) return known;
    const line = s("line", { class: "rl-link" });
    const cross = s("path", { d: ICONS.cut, transform: "translate(-5.6 -5.6) scale(.7)" });
    const cut = s("g", { class: "rl-cut" }, s("circle", { r: 11 }), cross);
    links.append(line, cut);
    pairs.set(key, { line, cut });
    return { line, cut };
  }
  function disc(name) {
    const known = nodes.get(name);
    if (known) return known;
    const made = makeDisc(name, hatch, () => panel.focusNode(name));
    discs.append(made.el);
    nodes.set(name, made);
    tabStop();
    return made;
  }
  function draw(stamp) {
    if (!pen) return Infinity;
    const flown = flights.sights(stamp, panel.get("network").delay_ms, panel.calm());
    const sights = hands.busy ? flown.filter(({ flight }) => flight.arrived !== void 0 || flight.lost) : flown;
    const waiting = patience();
    const empty = !sights.length && !lit.length && !waiting.length;
    if (!empty || !clean) pen.clearRect(area.x, area.y, area.width, area.height);
    clean = empty;
    for (const { id, left } of waiting) {
      const place = places.get(id);
      const disc2 = nodes.get(id);
      if (place && disc2) drawRing(pen, place, left, panel.colours, disc2.cover);
    }
    drawSights(pen, sights, places, panel.colours);
    drawLit(pen, lit, places, panel.colours);
    drawnAt = performance.now();
    lively = isLively(sights, panel.lively());
    const heartbeat = panel.get("info").heartbeat_ms;
    const stands = Math.min(standsFor(sights, lively, heartbeat), ringsStand(waiting));
    return Math.max(pause(), Math.min(flights.nextIn(), stands));
  }
  const pause = () => lively || panel.lively() ? 0 : restPause(panel.get("info").heartbeat_ms);
  function patience() {
    const { clock } = panel;
    const now = clock.moving ? shownMoment(clock.now(), told2, clock.rate, HOLDBACK) : clock.now();
    return panel.get("nodes").flatMap(({ id, look }) => {
      const left = look === "follower" || look === "candidate" ? timers.at(id, now) : null;
      nodes.get(id)?.wait(left);
      return left ? [{ id, left }] : [];
    });
  }
  function ringsStand(waiting) {
    const { clock } = panel;
    const closing = clock.moving ? waiting.filter(({ left }) => left.left) : [];
    return Math.min(
      ...closing.map(({ left }) => ringStands(left.full, clock.rate, isEnding(left), lively && !panel.calm()))
    );
  }
  function say(mark) {
    const place = places.get(mark.node);
    if (!place || mark.t < since) return;
    bubbles.say(mark, place, width, panel.clock.now());
    if (mark.level === "crown" && !panel.calm()) nodes.get(mark.node)?.pulse();
  }
  function forget(now, waiting) {
    since = now - JUST;
    told2 = now;
    flights.forget(now);
    timers.forget();
    timers.take(waiting);
  }
  function light(messages) {
    lit = messages;
    clean = false;
  }
  function take(news) {
    told2 = news.now;
    timers.take(news.timers ?? []);
    flights.take(news, (from, to) => cuts.has(`${from}|${to}`));
    const within = news.arrived || news.lost ? Math.min(ARRIVED, flights.nextIn()) : flights.nextIn();
    return Math.max(within, pause() - (performance.now() - drawnAt));
  }
  return { el, stage, update, layout, take, draw, say, light, forget };
}
function pattern(id) {
  const size = { width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return s("defs", {}, s("pattern", { id, ...size }, s("rect", { width: 2.6, height: 7, class: "rl-hatch" })));
}
function linkKind(node, other) {
  const follows = (follower, leader) => follower.look === "follower" && follower.leader === leader.id && leader.look === "leader";
  if (node.look === "stopped" || other.look === "stopped") return " is-dead";
  return follows(node, other) || follows(other, node) ? " is-led" : "";
}

// src/cluster/scale.ts
var LANE = 21;
var GUTTER = 78;
var MARGIN = 12;
var TOP2 = 15;
var WRITES = 16;
var LAG = 32;
var STRIP = 10;
var STEP = 15;
var QUICKEST2 = 100;
var SLOWEST2 = 1e3;
function rowsOf(nodes) {
  const writes = TOP2 + nodes * LANE;
  const lag = writes + WRITES + 4;
  const strip = lag + LAG + 5;
  return { lanes: TOP2, writes, lag, lagHeight: LAG, strip, height: strip + 2 * (STRIP + 3) + 15 };
}
var writesMiddle = (top) => top + WRITES / 2 + 1;
var plotWidth = ({ width }) => width - MARGIN - GUTTER;
var xAt = (scale, time) => scale.width - MARGIN - (scale.now - time) / scale.span * plotWidth(scale);
var timeAt = (scale, x) => scale.now - (scale.width - MARGIN - x) / plotWidth(scale) * scale.span;
var secondsIn = (scale, pixels) => pixels / plotWidth(scale) * scale.span;
var standsFor2 = (scale, rate) => clamp(1e3 * secondsIn(scale, STEP) / rate, QUICKEST2, SLOWEST2);

// src/cluster/lanes.ts
var TALL = {
  leader: 16,
  follower: 7,
  candidate: 12,
  paused: 12,
  stopped: 0,
  silent: 0,
  unknown: 0
};
var OPACITY = { leader: 1, follower: 0.55 };
var GLYPHS = {};
var ICON_OF = {
  kill: "kill",
  crash: "kill",
  stop: "stop",
  start: "start",
  restart: "start",
  pause: "pause",
  resume: "resume",
  became_leader: "crown",
  write_lost: "cut"
};
function glyphOf(kind) {
  if (kind === "election_timeout") return "!";
  const name = ICON_OF[kind];
  if (!name) return void 0;
  GLYPHS[kind] ??= new Path2D(ICONS[name]);
  return GLYPHS[kind];
}
var GOOD = /* @__PURE__ */ new Set(["start", "restart", "resume", "heal"]);
var NETWORK = {
  partition: "cut",
  heal: "healed",
  delay: "delay",
  loss: "loss",
  settings: "change"
};
function clipped({ pen, scale }, draw) {
  pen.save();
  pen.beginPath();
  pen.rect(GUTTER, 0, scale.width - GUTTER - MARGIN + 8, scale.height);
  pen.clip();
  draw();
  pen.restore();
}
function drawLabel({ pen }, words, y, colour) {
  pen.fillStyle = colour;
  pen.textAlign = "left";
  pen.fillText(words, 0, y);
}
function drawGrid({ pen, scale, colours }) {
  pen.textAlign = "center";
  for (let part = 0; part <= 6; part++) {
    const back = part * scale.span / 6;
    const x = xAt(scale, scale.now - back);
    pen.strokeStyle = colours.line;
    pen.lineWidth = 1;
    drawLine(pen, [Math.round(x) + 0.5, 18], [Math.round(x) + 0.5, scale.height - 18]);
    pen.fillStyle = colours.faint;
    const words = part ? `−${Number(back.toPrecision(2))} s` : "now";
    pen.fillText(words, clamp(x, GUTTER + 12, scale.width - MARGIN - 6), scale.height - 8);
  }
}
function drawLane(sheet, name, stretches, marks, top) {
  const { scale, colours } = sheet;
  const middle = top + LANE / 2;
  drawLabel(sheet, name, middle, colours.ink);
  clipped(sheet, () => {
    for (const [index, [from, look, term]] of stretches.entries()) {
      const left = Math.max(xAt(scale, from), GUTTER);
      const right = xAt(scale, stretches[index + 1]?.[0] ?? scale.now);
      if (right > left) drawBand(sheet, left, right, middle, look, term);
    }
    for (const mark of marks) if (mark.node === name) drawGlyph(sheet, mark, middle);
  });
}
function drawBand({ pen, colours }, left, right, middle, look, term) {
  const tall = TALL[look];
  if (!tall) {
    pen.strokeStyle = look === "silent" ? colours.bad : colours.stopped;
    pen.lineWidth = 1.5;
    pen.setLineDash(look === "silent" ? [2, 3] : [5, 4]);
    drawLine(pen, [left, middle], [right, middle]);
    pen.setLineDash([]);
  } else {
    const colour = look === "paused" ? colours.stopped : colours[look];
    pen.globalAlpha = OPACITY[look] ?? 0.4;
    pen.fillStyle = colour;
    pen.beginPath();
    pen.roundRect(left, middle - tall / 2, Math.max(1, right - left), tall, 3);
    pen.fill();
    pen.globalAlpha = 1;
    if (look === "paused" || look === "candidate") drawHatching(pen, left, right, middle, tall, colour);
  }
  const words = look === "leader" ? `leader, term ${term}` : tall && look === "follower" ? "" : look;
  if (!words || right - left <= words.length * 6 + 26) return;
  pen.textAlign = "left";
  if (look !== "leader") {
    pen.fillStyle = colours.card;
    pen.fillRect(left + 11, middle - 7, pen.measureText(words).width + 6, 14);
  }
  pen.fillStyle = look === "leader" ? colours["leader-ink"] : colours.ink;
  pen.fillText(words, left + 14, middle + 0.5);
}
function drawHatching(pen, left, right, middle, tall, colour) {
  pen.save();
  pen.beginPath();
  pen.rect(left, middle - tall / 2, right - left, tall);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (let x = left - tall; x < right; x += 6) {
    pen.moveTo(x, middle + tall / 2);
    pen.lineTo(x + tall, middle - tall / 2);
  }
  pen.stroke();
  pen.restore();
}
function drawGlyph({ pen, scale, colours }, mark, middle) {
  const shape = glyphOf(mark.kind);
  if (!shape) return;
  const x = xAt(scale, mark.t);
  const colour = { election: colours.candidate, crown: colours.crown }[mark.level] ?? colours.bad;
  pen.fillStyle = colours.card;
  pen.strokeStyle = GOOD.has(mark.kind) ? colours.good : colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.arc(x, middle, 8.5, 0, 7);
  pen.fill();
  pen.stroke();
  pen.save();
  pen.fillStyle = pen.strokeStyle;
  if (shape === "!") {
    pen.textAlign = "center";
    pen.font = `bold 12px ${colours.font}`;
    pen.fillText("!", x, middle + 0.5);
  } else {
    pen.translate(x - 4.8, middle - 4.8);
    pen.scale(0.6, 0.6);
    pen.fill(shape);
  }
  pen.restore();
}
function drawNetworkFaults(sheet, marks, bottom) {
  const { pen, scale, colours } = sheet;
  let free = -Infinity;
  clipped(sheet, () => {
    for (const mark of marks) {
      const words = NETWORK[mark.kind];
      if (!words || mark.level !== "fault") continue;
      const x = xAt(scale, mark.t);
      pen.strokeStyle = pen.fillStyle = GOOD.has(mark.kind) ? colours.good : colours.bad;
      pen.lineWidth = 1.5;
      pen.setLineDash([4, 3]);
      drawLine(pen, [x, 18], [x, bottom]);
      pen.setLineDash([]);
      pen.textAlign = "left";
      const left = Math.min(Math.max(x - 3, free), scale.width - MARGIN - 36);
      if (left - x >= 30 || left < free) continue;
      pen.fillText(words, left, 9);
      free = left + 44;
    }
  });
}

// src/cluster/charts.ts
var DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3], [1, 2], [10, 4]];
var PROBE_EVERY = 0.5;
function drawWrites(sheet, marks, top) {
  const middle = writesMiddle(top);
  drawLabel(sheet, "writes", middle, sheet.colours.faint);
  clipped(sheet, () => {
    for (const mark of marks) {
      if (!mark.level.startsWith("write-")) continue;
      drawOutcome(sheet, xAt(sheet.scale, mark.t), middle, mark.level.slice("write-".length));
    }
  });
}
function drawOutcome({ pen, colours }, x, y, outcome) {
  pen.fillStyle = pen.strokeStyle = { ok: colours.good, failed: colours.bad, unknown: colours.unknown }[outcome];
  pen.lineWidth = 1.8;
  if (outcome === "failed") {
    drawX(pen, x, y, 3);
    return;
  }
  pen.beginPath();
  pen.arc(x, y, 3.4, 0, 7);
  if (outcome === "ok") pen.fill();
  else pen.stroke();
}
function drawLag(sheet, lag, names, { lag: top, lagHeight }, parted2) {
  const { pen, scale, colours } = sheet;
  let most = 4;
  for (const [, behind] of lag) for (const entries of Object.values(behind)) most = Math.max(most, entries ?? 0);
  const level = (entries) => top + lagHeight - 4 - entries / most * (lagHeight - 14);
  drawLabel(sheet, "lag", top + 10, colours.faint);
  drawLabel(sheet, "entries", top + 23, colours.faint);
  pen.textAlign = "right";
  for (const entries of [0, most]) pen.fillText(String(entries), GUTTER - 6, level(entries));
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1;
  drawLine(pen, [GUTTER, level(0)], [scale.width - MARGIN, level(0)]);
  const ends = [];
  clipped(sheet, () => {
    for (const [index, name] of names.entries()) {
      const colour = [colours.replication, colours.election, colours.heartbeat, colours.good][index % 4] ?? "";
      pen.strokeStyle = colour;
      pen.lineWidth = 1.8;
      pen.setLineDash(DASHES[index % DASHES.length] ?? []);
      const last = drawLagLine(sheet, name, lag, level);
      const since = parted2.get(name);
      if (since !== void 0) ends.push({ words: `${name}: parted since entry ${since}`, y: level(0), colour });
      else if (last) ends.push({ words: `${name}: ${last}`, y: level(last), colour });
    }
    pen.setLineDash([]);
  });
  let free = top + lagHeight;
  pen.textAlign = "right";
  for (const { words, y, colour } of ends.sort((one, other) => other.y - one.y)) {
    free = Math.min(free - 12, y - 7);
    pen.fillStyle = colour;
    pen.fillText(words, scale.width - MARGIN - 2, free);
  }
}
function drawLagLine({ pen, scale }, name, lag, level) {
  let last = null;
  pen.beginPath();
  for (const [time, behind] of lag) {
    const entries = behind[name] ?? null;
    if (entries !== null) {
      const x = xAt(scale, time);
      if (last === null) pen.moveTo(x, level(entries));
      else pen.lineTo(x, level(last));
      pen.lineTo(x, level(entries));
    }
    last = entries;
  }
  if (last !== null) pen.lineTo(xAt(scale, scale.now), level(last));
  pen.stroke();
  return last;
}
function drawAvailability(sheet, probes, does, top) {
  const { pen, scale, colours } = sheet;
  const width = Math.max(2, xAt(scale, PROBE_EVERY) - xAt(scale, 0) - 1);
  for (const [row, words] of ["can read", "can write"].entries()) {
    const y = top + row * (STRIP + 3);
    drawLabel(sheet, words, y + STRIP / 2, colours.faint);
    const tried = probes.flatMap(([time, read, write]) => {
      const outcome = row ? write : read;
      return outcome === null ? [] : [[time, outcome]];
    });
    const tries = row ? does === "writes" : does !== "off";
    if (!tried.length && !tries) {
      pen.fillStyle = colours.faint;
      const why = does === "off" ? "the background client is off" : "the background client only reads";
      pen.fillText(`not tried: ${why}`, GUTTER + 4, y + STRIP / 2);
    }
    clipped(sheet, () => {
      for (const [time, outcome] of tried) drawBar(sheet, xAt(scale, time), y, width, outcome);
    });
  }
}
function drawBar({ pen, colours }, left, y, width, outcome) {
  if (outcome === "ok") {
    pen.fillStyle = colours.good;
    pen.fillRect(left, y, width, STRIP);
  } else if (outcome === "failed") {
    pen.fillStyle = colours.bad;
    pen.fillRect(left, y + STRIP - 5, width, 5);
  } else {
    pen.strokeStyle = colours.unknown;
    pen.lineWidth = 1;
    pen.strokeRect(left + 0.5, y + 2.5, Math.max(1, width - 1), STRIP - 5);
  }
}
function drawCursor({ pen, scale, colours }, time) {
  const x = xAt(scale, time);
  pen.strokeStyle = pen.fillStyle = colours.ink;
  pen.lineWidth = 1;
  drawLine(pen, [x, 14], [x, scale.height - 16]);
  pen.beginPath();
  pen.moveTo(x - 5, 12);
  pen.lineTo(x + 5, 12);
  pen.lineTo(x, 18);
  pen.closePath();
  pen.fill();
}

// src/cluster/history.ts
var MINUTE = 60;
var SPARE = 5;
function makeRecords() {
  const bands = /* @__PURE__ */ new Map();
  const marks = [];
  const lag = [];
  const probes = [];
  function take(news, now) {
    for (const [node, ...stretch] of news.bands ?? []) {
      const known = bands.get(node);
      if (known) known.push(stretch);
      else bands.set(node, [stretch]);
    }
    marks.push(...news.marks ?? []);
    lag.push(...news.lag ?? []);
    probes.push(...news.probes ?? []);
    const old = now - MINUTE - SPARE;
    dropBefore(marks, old, (mark) => mark.t);
    dropBefore(lag, old, (point) => point[0]);
    dropBefore(probes, old, (point) => point[0]);
    for (const stretches of bands.values()) dropPast(stretches, old);
  }
  function reset() {
    bands.clear();
    marks.length = lag.length = probes.length = 0;
  }
  const near = (time, reach) => marks.filter((mark) => Math.abs(mark.t - time) <= reach).sort((one, other) => Math.abs(one.t - time) - Math.abs(other.t - time));
  return { bands, marks, lag, probes, take, reset, near };
}
function dropBefore(items, time, timeOf) {
  const first = items.findIndex((item) => timeOf(item) >= time);
  items.splice(0, first < 0 ? items.length : first);
}
function dropPast(stretches, time) {
  const later = stretches.findIndex(([from]) => from >= time);
  const first = (later < 0 ? stretches.length : later) - 1;
  if (first > 0) stretches.splice(0, first);
}

// src/cluster/key.ts
var MARKS = [
  ["start", "started", "is-good"],
  ["stop", "stopped", "is-bad"],
  ["kill", "killed", "is-bad"],
  ["pause", "paused", "is-bad"],
  ["crown", "leads", "is-crown"],
  ["cut", "lost a write", "is-bad"]
];
var SIGNS2 = [
  ["!", "election timeout", "is-election"],
  ["●", "write done", "is-good"],
  ["✕", "refused", "is-bad"],
  ["○", "outcome unknown", "is-election"]
];
function makeTimelineKey() {
  const marks = MARKS.map(([name, words, kind]) => {
    const icon2 = s(
      "svg",
      { viewBox: "0 0 16 16", class: `rl-icon ${kind}`, "aria-hidden": "true" },
      s("path", { d: ICONS[name] })
    );
    return h("span", {}, icon2, words);
  });
  const signs = SIGNS2.map(
    ([sign, words, kind]) => h("span", {}, h("b", { class: kind, "aria-hidden": "true" }, sign), words)
  );
  return h("div", { class: "rl-key" }, marks, signs);
}

// src/cluster/reasons.ts
function makeReasons(panel, light) {
  const el = h("div", { class: "rl-reasons", "aria-live": "polite", "data-testid": "reasons" });
  function show({ explanations }) {
    el.replaceChildren(...explanations.map(chainOf));
    light(explanations.flatMap(({ reasons }) => reasons.flatMap(({ messages }) => messages)));
  }
  const chainOf = ({ question, reasons }) => h("div", {}, h("strong", {}, question), h("ol", { class: "rl-moment" }, reasons.map(itemOf)));
  const itemOf = ({ t, text }, place) => h("li", {}, h("time", {}, momentText(t, panel.simulated())), place ? "because " : "", text);
  function clear() {
    if (el.childElementCount) light([]);
    el.replaceChildren();
  }
  return { el, show, clear };
}

// src/cluster/spacetime.ts
function makeSpaceTime(panel) {
  const attributes = { class: "rl-diagram", tabindex: 0, role: "region", "aria-label": "Space–time diagram" };
  const diagram = h("div", attributes);
  const close = button("Close", { kind: "rl-small", act: () => el.toggleAttribute("hidden", true) });
  const title = h("div", { class: "rl-rowhead" }, h("strong", {}, "Space–time"), close.el);
  const el = h("div", { class: "rl-space", hidden: true }, title, diagram);
  function ask(start, end, width) {
    el.hidden = false;
    diagram.replaceChildren(h("p", { class: "rl-hint" }, "Drawing…"));
    panel.ask({ do: "spacetime", start, end, width: clamp(width, 400, 2400) });
  }
  const show = ({ svg }) => diagram.replaceChildren(drawingOf(svg));
  return { el, ask, show };
}

// src/cluster/timeline.ts
var PADDING = 24;
var SNAP = 8;
var LONG_MARK2 = 300;
var KEYS = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowUp: 1,
  PageUp: -10,
  PageDown: 10
};
var PROBING = [
  ["off", "off"],
  ["reads", "reads any node"],
  ["writes", "reads, and writes"]
];
var EVENTS = "Events of the chosen moment";
var LABEL = "What happened last. Arrow keys choose a moment, Escape leaves it.";
function makeTimeline(panel, player, wake, light) {
  const slider2 = { role: "slider", "aria-label": LABEL, "aria-valuemax": 0, "aria-valuenow": 0 };
  const canvas = h("canvas", { tabindex: 0, ...slider2, "data-testid": "timeline" });
  const moment = h("ol", { class: "rl-moment", "aria-label": EVENTS, "aria-live": "polite", "data-testid": "moment" });
  const reasons = makeReasons(panel, light);
  const why = button("Why?", {
    testid: "why-moment",
    kind: "rl-small rl-primary",
    title: "What led to this moment?",
    act: () => chosen !== null && panel.ask({ do: "why", at: chosen })
  });
  const close = button("Close", { kind: "rl-small", act: () => choose(null) });
  const popover = h(
    "div",
    { class: "rl-popover", hidden: true },
    h("div", { class: "rl-rowhead" }, why.el, close.el),
    reasons.el,
    moment
  );
  const picture = h("div", { class: "rl-picture" }, canvas, popover);
  const open = button("Space–time", {
    title: "Draw every message of these seconds between the nodes",
    testid: "spacetime",
    kind: "rl-small",
    act: openSpaceTime
  });
  const options = PROBING.map(([does, words]) => h("option", { value: does }, words));
  const probe = h("select", { "data-testid": "availability", "aria-label": "Background client" }, options);
  probe.addEventListener("change", () => panel.ask({ do: "availability", does: probe.value }));
  const title = "Twice a second it reads from any node that answers. Its writes, to the leader, are entries of the log (key panel.probe)";
  const tools = h(
    "div",
    { class: "rl-tools" },
    h("label", { class: "rl-check", title }, "background client", probe),
    open.el
  );
  const space = makeSpaceTime(panel);
  const el = card("The last minute", "rl-time", tools, player, picture, makeTimelineKey(), space.el);
  const heading = el.querySelector("h3");
  const records = makeRecords();
  let scale = { now: 0, span: MINUTE, width: 0, height: 0 };
  let pen = null;
  let chosen = null;
  let listed = "";
  const names = () => panel.get("nodes").map((node) => node.id);
  const span = () => panel.get("player").span ?? MINUTE;
  function take(news) {
    records.take(news, panel.clock.now());
  }
  function reset(history) {
    records.reset();
    take(history);
    choose(null);
  }
  function layout() {
    const width = el.clientWidth - PADDING;
    if (width <= 0) return;
    const height = rowsOf(names().length).height;
    scale = { ...scale, width, height };
    pen = fitCanvas(canvas, width, height);
    wake();
  }
  function draw() {
    if (!pen || !panel.clock.known) return Infinity;
    scale = { ...scale, now: panel.clock.now(), span: span() };
    if (chosen !== null && scale.now - chosen > scale.span) choose(null);
    const sheet = { pen, scale, colours: panel.colours };
    const rows = rowsOf(names().length);
    pen.clearRect(0, 0, scale.width, scale.height);
    pen.font = `11px ${panel.colours.font}`;
    pen.textBaseline = "middle";
    drawGrid(sheet);
    for (const [index, name] of names().entries()) {
      drawLane(sheet, name, records.bands.get(name) ?? [], records.marks, rows.lanes + index * LANE);
    }
    drawWrites(sheet, records.marks, rows.writes);
    const parted2 = panel.get("nodes").flatMap((node) => node.parted === null ? [] : [[node.id, node.parted]]);
    drawLag(sheet, records.lag, names(), rows, new Map(parted2));
    drawAvailability(sheet, records.probes, panel.get("availability"), rows.strip);
    drawNetworkFaults(sheet, records.marks, rows.writes);
    if (chosen !== null) drawCursor(sheet, chosen);
    placePopover();
    return panel.clock.moving ? standsFor2(scale, panel.clock.rate) : Infinity;
  }
  function choose(time) {
    reasons.clear();
    chosen = time === null ? null : clamp(time, scale.now - scale.span, scale.now);
    showMoment();
    wake();
  }
  function showMoment() {
    const near = chosen === null ? [] : records.near(chosen, scale.span / 60).sort((one, other) => one.t - other.t);
    const ago = chosen === null ? 0 : scale.now - chosen;
    popover.hidden = chosen === null;
    placePopover();
    const words = chosen === null ? "now" : `${ago.toFixed(1)} seconds ago: ${plural(near.length, "event")}`;
    setAttributes(canvas, { "aria-valuenow": (-ago).toFixed(1), "aria-valuetext": words });
    const key = near.map((mark) => mark.t + mark.text).join() + chosen;
    if (key === listed) return;
    listed = key;
    const items = near.map(itemOf);
    if (chosen !== null && !items.length) items.push(h("li", {}, "Nothing but messages at about this moment."));
    moment.replaceChildren(...items);
    moment.tabIndex = moment.scrollHeight > moment.clientHeight ? 0 : -1;
  }
  function placePopover() {
    if (chosen === null) return;
    const x = xAt(scale, chosen);
    const right = x < scale.width / 2;
    popover.style.left = right ? `${x + 12}px` : "";
    popover.style.right = right ? "" : `${scale.width - x + 12}px`;
  }
  const itemOf = (mark) => {
    const time = h("time", {}, momentText(mark.t, panel.simulated()));
    return h("li", { class: `is-${mark.level}` }, time, clip(mark.text, LONG_MARK2));
  };
  function snap(time) {
    return records.near(time, secondsIn(scale, SNAP))[0]?.t ?? time;
  }
  canvas.addEventListener("click", (event) => {
    if (event.offsetX >= GUTTER) choose(snap(timeAt(scale, event.offsetX)));
  });
  canvas.addEventListener("keydown", (event) => {
    const move = KEYS[event.key];
    if (move) choose((chosen ?? scale.now) + move * scale.span / 120);
    else if (event.key === "Escape") choose(null);
    else return;
    event.preventDefault();
  });
  function showWhy(message) {
    if (chosen === null || Math.abs(chosen - message.at) > 1e-3) choose(message.at);
    reasons.show(message);
  }
  function openSpaceTime() {
    const end = chosen === null ? panel.clock.now() : chosen + span() / 20;
    const start = chosen === null ? end - span() / 6 : chosen - span() / 20;
    space.ask(start, end, scale.width);
  }
  function update() {
    probe.value = panel.get("availability");
    setAttribute(canvas, "aria-valuemin", -span());
    if (heading) setText(heading, span() === MINUTE ? "The last minute" : `The last ${span()} seconds`);
    wake();
  }
  return { el, canvas, update, layout, draw, take, reset, showSpaceTime: space.show, showWhy };
}

// src/shared/commands.ts
var LATE2 = 1500;
var LOOK_EVERY = 500;
function makeCommands(send, queue, begun = () => []) {
  const sent = /* @__PURE__ */ new Map();
  let number = Math.floor(Math.random() * 1e6) * 1e3;
  let timer = 0;
  function look() {
    clearTimeout(timer);
    const now = performance.now();
    const known = new Set(begun());
    queue([...sent].some(([id, since]) => now - since >= LATE2 && !known.has(id)));
    if (sent.size) timer = window.setTimeout(look, LOOK_EVERY);
  }
  return {
    ask(command) {
      number += 1;
      sent.set(number, performance.now());
      send({ ...command, id: number });
      if (sent.size === 1) timer = window.setTimeout(look, LOOK_EVERY);
      return number;
    },
    acknowledge(id) {
      if (id !== null && sent.delete(id)) look();
    },
    end: () => clearTimeout(timer)
  };
}

// src/shared/frames.ts
var ALONG = 30;
var LONG2 = 400;
var LONGER = 0.25;
function makeFrames() {
  const entries = /* @__PURE__ */ new Map();
  let frame = 0;
  let timer = 0;
  function schedule() {
    if (frame) return;
    clearTimeout(timer);
    let due = Infinity;
    for (const entry of entries.values()) if (entry.visible) due = Math.min(due, entry.due + entry.slack);
    if (due === Infinity) return;
    const wait = due - performance.now();
    const request = () => {
      frame = requestAnimationFrame(run);
    };
    if (wait <= 1) request();
    else timer = window.setTimeout(request, wait);
  }
  function run(stamp) {
    frame = 0;
    const now = performance.now();
    for (const entry of entries.values()) {
      if (!entry.visible || entry.due > now + ALONG) continue;
      entry.due = Infinity;
      entry.slack = 0;
      const stands = entry.draw(stamp);
      if (now + stands >= entry.due) continue;
      entry.due = now + stands;
      entry.slack = stands >= LONG2 ? stands * LONGER : 0;
    }
    schedule();
  }
  const sight = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      const entry = entries.get(target);
      if (!entry) continue;
      entry.visible = isIntersecting;
      if (isIntersecting) entry.due = entry.slack = 0;
    }
    schedule();
  });
  return {
    add(el, draw) {
      const entry = { draw, visible: false, due: 0, slack: 0 };
      entries.set(el, entry);
      sight.observe(el);
      return {
        wake(within = 0) {
          const due = performance.now() + within;
          if (due < entry.due + entry.slack) {
            entry.due = Math.min(entry.due, due);
            entry.slack = due - entry.due;
          }
          schedule();
        }
      };
    },
    end() {
      sight.disconnect();
      entries.clear();
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    }
  };
}

// src/shared/skip.ts
function skipLinks(goals) {
  const end = h("div", { class: "rl-end", tabindex: -1, role: "note", "aria-label": "End of the panel" });
  const go = (el2) => () => {
    if (!el2.hasAttribute("tabindex")) el2.tabIndex = -1;
    el2.scrollIntoView({ block: "nearest" });
    el2.focus({ preventScroll: true });
  };
  const links = [...goals, { label: "the end of the panel", el: end }].map(
    ({ label, el: el2 }) => h("button", { type: "button", class: "rl-button rl-small", onclick: go(el2) }, label)
  );
  const el = h(
    "nav",
    { class: "rl-skip", "aria-label": "Skip to a part of the panel" },
    h("span", {}, "Skip to"),
    links
  );
  return { el, end };
}

// src/panel.ts
var THEME = ["data-jp-theme-name", "data-jp-theme-light", "class"];
var SOON = 150;
var STIRRING = ["doing", "network", "player"];
var panels = 0;
var render = ({ model, el }) => {
  const root = h("div", { class: "rl-panel", role: "region", "aria-label": "Cluster panel" });
  const colours = makeColours(root);
  const motion = window.matchMedia("(prefers-reduced-motion: reduce)");
  const commands = makeCommands(
    (message) => model.send(message),
    (waiting) => notices.queue(waiting),
    () => model.get("doing").map((one) => one.id)
  );
  const greet = (greeting) => model.send(greeting);
  panels += 1;
  const panel = {
    id: `rl-${panels}`,
    clock: makeClock(),
    colours: colours.colours,
    calm: () => motion.matches,
    // A simulation that is played in slow or quick motion is watched; in real time it is as real nodes are.
    lively: () => attention.lively || panel.get("doing").length > 0 || panel.get("player").playing === true && panel.clock.rate !== 1,
    get: (trait) => model.get(trait),
    simulated: () => model.get("info").backend === "simulated",
    ask: (command) => notices.caused(commands.ask(command), root.querySelector(":focus")),
    busyWith(node) {
      const doing = model.get("doing").find((one) => one.node === node);
      return doing ? VERBS.find(({ verb }) => verb === doing.verb)?.doing ?? "busy" : "";
    },
    focusNode: (name) => nodes.focus(name)
  };
  const attention = makeAttention(root, () => drawn.ring.wake());
  const notices = makeNotices(root);
  const sides = makeSides(panel);
  const head = makeHead(panel);
  const ring = makeRing(panel);
  const nodes = makeNodes(panel, sides);
  const network = makeNetwork(panel, sides);
  const client = makeClient(panel);
  const board = makeBoard(panel);
  const player = makePlayer(panel);
  const timeline = makeTimeline(
    panel,
    player.el,
    () => drawn.timeline.wake(),
    (messages) => {
      ring.light(messages);
      drawn.ring.wake();
    }
  );
  const skip = skipLinks([
    { label: "the network", el: network.el },
    { label: "write and read", el: client.el },
    { label: "what the nodes hold", el: board.el },
    { label: "the timeline", el: timeline.el }
  ]);
  const places = [
    [["ring"], ring.el],
    [["nodes"], nodes.el],
    [["logs", "values"], board.el],
    [["client"], client.el],
    [["network"], network.el],
    [["time"], timeline.el]
  ];
  const left = h("div", { class: "rl-column" }, h("section", { class: "rl-card rl-cluster" }, ring.el, nodes.el));
  const right = h("div", { class: "rl-column" }, board.el, client.el, network.el);
  root.append(skip.el, head.el, h("div", { class: "rl-main" }, left, right), timeline.el, ...notices.els, skip.end);
  el.append(root);
  root.addEventListener(
    WHY,
    (event) => notices.explain(event.detail, event.target)
  );
  const endKeys = keepKeys(root);
  const shown = {
    el: root,
    update() {
      const parts2 = panel.get("parts");
      for (const [names, one] of places) one.hidden = parts2.length > 0 && !names.some((name) => parts2.includes(name));
      left.hidden = ring.el.hidden && nodes.el.hidden;
      right.hidden = board.el.hidden && client.el.hidden && network.el.hidden;
      root.style.setProperty("--rl-nodes", String(panel.get("nodes").length));
      root.classList.toggle("is-ended", Boolean(panel.get("info").ended));
      root.classList.toggle("is-part", parts2.length > 0);
    }
  };
  const parts = {
    nodes: [head, ring, nodes, network, client, board],
    network: [ring, network, nodes],
    data: [board],
    logs: [board],
    parts: [shown, board],
    info: [head, player, ring, shown],
    doing: [nodes, head],
    answer: [client],
    problems: [{ el: root, update: () => notices.update(panel.get("problems")) }],
    player: [player, timeline, ring],
    availability: [timeline]
  };
  const listeners = Object.entries(parts).map(([trait, views]) => {
    const listener = () => {
      for (const view of views) view.update();
      if (STIRRING.includes(trait)) attention.stir();
      if (trait === "data") drawn.data.wake(SOON);
    };
    model.on(`change:${trait}`, listener);
    return [`change:${trait}`, listener];
  });
  function hear(message) {
    if (message.type === "done") commands.acknowledge(message.id);
    else if (message.type === "spacetime") timeline.showSpaceTime(message);
    else if (message.type === "saved") download(message.name, message.text);
    else if (message.type === "why") timeline.showWhy(message);
    else {
      panel.clock.tell(message.now, message.rate, message.type === "history");
      if (message.type === "history") {
        ring.forget(message.now, message.timers);
        timeline.reset(message);
      } else {
        if (tellsMore(message)) attention.stir();
        drawn.ring.wake(ring.take(message));
        timeline.take(message);
        for (const mark of message.marks ?? []) {
          ring.say(mark);
          head.announce(mark);
        }
      }
      drawn.player.wake(SOON);
      if (message.marks || message.bands || !panel.clock.moving) drawn.timeline.wake(SOON);
    }
  }
  model.on("msg:custom", hear);
  const frames = makeFrames();
  const drawn = {
    ring: frames.add(ring.stage, ring.draw),
    timeline: frames.add(timeline.canvas, timeline.draw),
    data: frames.add(board.values, board.draw),
    player: frames.add(player.el, player.draw)
  };
  function layout() {
    colours.refresh();
    ring.layout();
    timeline.layout();
    board.layout();
    for (const part of Object.values(drawn)) part.wake();
  }
  const sizes = new ResizeObserver(layout);
  sizes.observe(root);
  sizes.observe(ring.stage);
  const themes = new MutationObserver(layout);
  themes.observe(document.body, { attributes: true, attributeFilter: THEME });
  for (const part of [shown, head, ring, nodes, network, client, board, timeline, player]) part.update();
  notices.update(panel.get("problems"));
  layout();
  greet({ do: "hello" });
  return () => {
    frames.end();
    attention.end();
    endKeys();
    commands.end();
    sizes.disconnect();
    themes.disconnect();
    for (const [event, listener] of listeners) model.off(event, listener);
    model.off("msg:custom", hear);
    greet({ do: "bye" });
  };
};
function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1e4);
}
var panel_default = { render };
export {
  panel_default as default
};
