/* Made from frontend/src/exercise.ts by `npm run build` in frontend/. Do not edit. */
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
function drawingOf(svg) {
  const drawing = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  for (const script of drawing.querySelectorAll("script")) script.remove();
  return document.importNode(drawing, true);
}

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
  const show2 = (chosen) => {
    for (const [value, one] of buttons) setAttribute(one.el, "aria-pressed", value === chosen);
  };
  return { el, buttons, show: show2 };
}

// src/exercise/controls.ts
function makeControls(panel) {
  const run = button("Run", {
    name: "start",
    kind: "rl-primary",
    testid: "run",
    title: "Run all checks on your code, then the reference beside it",
    act: () => panel.ask({ do: "run" })
  });
  const stop = button("Stop", {
    name: "stop",
    testid: "stop",
    title: "End what is being run; the marks so far stay",
    act: () => panel.ask({ do: "stop" })
  });
  const real = button("Run on the real cluster", {
    name: "kill",
    testid: "real",
    title: "Start three processes that elect their leader with your class",
    act: () => panel.ask({ do: "real" })
  });
  const search = button("Search", {
    name: "step",
    testid: "search",
    title: "Try every order of messages up to ten steps: can two nodes lead in one term?",
    act: () => panel.ask({ do: "search" })
  });
  const place = h("span");
  const detail = h("span", { class: "rl-dim", "data-testid": "source" });
  const attributes = { class: "rl-changed", "data-testid": "changed" };
  const changed = h("span", attributes, "changed since the last run");
  const label = h("span", { class: "rl-dim" }, "Your code:");
  const el = h(
    "div",
    { class: "rl-controls" },
    h("div", { class: "rl-buttons" }, run.el, stop.el, search.el, real.el),
    h("div", { class: "rl-source" }, label, place, detail, changed)
  );
  let offered = null;
  let kinds = "";
  function offer(source) {
    const present = source.choices.map((one) => one.kind).join();
    if (offered && kinds === present) return offered;
    kinds = present;
    const options = source.choices.map(({ kind, label: label2 }) => {
      return { value: kind, words: label2, title: "Run this code", testid: `source-${kind}` };
    });
    offered = choice("Which code is run", options, (kind) => panel.ask({ do: "source", kind }));
    place.replaceChildren(offered.el);
    return offered;
  }
  function update() {
    const source = panel.get("source");
    const { why, checking } = panel.get("activity");
    const choices = offer(source);
    choices.show(source.kind);
    for (const { kind, why: whyNot } of source.choices) {
      const reason = kind === source.kind ? "" : checking ? "The checks are running." : whyNot;
      choices.buttons.get(kind)?.allow(reason);
    }
    setText(detail, source.why || source.detail);
    changed.hidden = !source.changed;
    run.label(panel.get("total").done ? "Run again" : "Run");
    run.allow(why.run);
    stop.allow(why.stop);
    search.allow(why.search);
    search.el.hidden = !panel.get("about").election;
    real.allow(why.real);
    real.el.hidden = !panel.get("about").election;
  }
  return { el, update };
}

// src/exercise/context.ts
var STATES = {
  idle: ["–", "not run"],
  waiting: ["…", "waits"],
  running: ["", "running"],
  passed: ["✓", "passed"],
  part: ["◐", "in part"],
  failed: ["✗", "failed"],
  skipped: ["»", "skipped"],
  not_attempted: ["○", "not attempted"],
  error: ["!", "no mark"]
};
var OVER = /* @__PURE__ */ new Set(["passed", "part", "failed", "skipped", "not_attempted", "error"]);
var isOver = (state) => OVER.has(state);
var isWrong = (state) => state === "failed" || state === "part";

// src/shared/format.ts
var clamp = (value, low, high) => Math.min(high, Math.max(low, value));
var plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
function clip(text, limit) {
  const characters = [...text.slice(0, 2 * limit + 2)];
  if (characters.length <= limit && text.length <= 2 * limit + 2) return text;
  return `${characters.slice(0, limit).join("")}… (${text.length} characters)`;
}

// src/exercise/view.ts
var CLOSEST = 60;
function fitView(full, shape, wanted) {
  const width = clamp(wanted.width, full.width / CLOSEST, full.width);
  const height = width * shape;
  const spare = full.height - height;
  const y = spare < 0 ? spare / 2 : clamp(wanted.y, 0, spare);
  return { width, height, x: clamp(wanted.x, 0, full.width - width), y };
}
function zoomView(full, view, factor, x, y) {
  const real = clamp(view.width * factor, full.width / CLOSEST, full.width) / view.width;
  return { x: x - (x - view.x) * real, y: y - (y - view.y) * real, width: view.width * real };
}
function viewAround(full, shape, x) {
  const width = Math.min(full.width / 2, full.height / shape);
  return { x: x - width / 2, y: (full.height - width * shape) / 2, width };
}
function axisOf(drawing) {
  const { start, end, left, right } = drawing.dataset;
  return { start: Number(start), end: Number(end), left: Number(left), right: Number(right) };
}
var shareAt = ({ start, end }, time) => (time - start) / (end - start);
var xOf = (axis, time) => axis.left + shareAt(axis, time) * (axis.right - axis.left);

// src/exercise/zoom.ts
var LOWEST = 430;
var STEP = 0.1;
var CLOSER = 0.7;
var GLIDE = 250;
function makeZoom(figure, calm) {
  const lanes = h("div", { class: "rl-lanes", "aria-hidden": "true" });
  let shown = null;
  let held = null;
  function adopt(svg) {
    const { width, height } = svg.viewBox.baseVal;
    const room = figure.clientWidth || width;
    const high = Math.round(Math.max(height * room / width, Math.min(height, LOWEST)));
    svg.style.height = `${high}px`;
    const names = [...svg.querySelectorAll("text.st-node")].map((label) => ({
      x: Number(label.getAttribute("x")),
      y: Number(label.getAttribute("y")) - 4,
      label: h("span", {}, label.lastChild?.textContent)
    }));
    lanes.replaceChildren(...names.map(({ label }) => label));
    const view = { x: 0, y: 0, width, height };
    shown = { svg, full: { width, height }, shape: high / room, view, names };
    show2(view);
  }
  function show2(wanted) {
    if (!shown) return;
    const view = fitView(shown.full, shown.shape, wanted);
    shown.view = view;
    shown.svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    for (const { x, y, label } of shown.names) {
      const place = (y - view.y) / view.height;
      label.hidden = view.x < x - 20 || place < 0.02 || place > 0.98;
      label.style.top = `${100 * place}%`;
    }
  }
  function glide(goal) {
    if (!shown || calm()) {
      show2(goal);
      return;
    }
    const from = { ...shown.view };
    const mine = shown;
    const begun = performance.now();
    const step = (now) => {
      if (mine !== shown) return;
      const part = clamp((now - begun) / GLIDE, 0, 1);
      const ease = part * (2 - part);
      const between = (name) => from[name] + (goal[name] - from[name]) * ease;
      show2({ x: between("x"), y: between("y"), width: between("width") });
      if (part < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
  function zoom(factor, at) {
    if (!shown) return;
    const { view, full } = shown;
    show2(zoomView(full, view, factor, at?.x ?? view.x + view.width / 2, at?.y ?? view.y + view.height / 2));
  }
  function move(right, down) {
    if (!shown) return;
    const { x, y, width, height } = shown.view;
    show2({ x: x + right * width, y: y + down * height, width });
  }
  function go(time) {
    if (shown) glide(viewAround(shown.full, shown.shape, xOf(axisOf(shown.svg), time)));
  }
  const closer = () => zoom(CLOSER);
  const farther = () => zoom(1 / CLOSER);
  const all = () => {
    if (shown) glide({ x: 0, y: 0, width: shown.full.width });
  };
  function pointOf(event) {
    const matrix = shown?.svg.getScreenCTM();
    return matrix ? new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse()) : null;
  }
  const wheel = (event) => {
    if (!shown || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const turned = Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 100);
    zoom(Math.exp(turned * 25e-4), pointOf(event) ?? void 0);
  };
  figure.addEventListener("wheel", wheel, { passive: false });
  figure.addEventListener("pointerdown", (event) => {
    held = pointOf(event);
    if (held) figure.setPointerCapture(event.pointerId);
  });
  figure.addEventListener("pointermove", (event) => {
    const at = held && pointOf(event);
    if (held && at && shown) show2({ ...shown.view, x: shown.view.x + held.x - at.x, y: shown.view.y + held.y - at.y });
  });
  for (const end of ["pointerup", "pointercancel"]) {
    figure.addEventListener(end, () => {
      held = null;
    });
  }
  const keys = {
    "+": closer,
    "=": closer,
    "-": farther,
    0: all,
    ArrowLeft: () => move(-STEP, 0),
    ArrowRight: () => move(STEP, 0),
    ArrowUp: () => move(0, -STEP),
    ArrowDown: () => move(0, STEP)
  };
  figure.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || !shown || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  return { lanes, adopt, closer, farther, all, go };
}

// src/exercise/diagram.ts
var NARROWEST = 700;
var WIDEST = 1500;
var WIDEST_RUN = 4e3;
var CAPTION = "Time goes to the right. Drag to move, Ctrl and wheel to zoom; rest on an arrow to read about it, choose a sentence to go to its moment.";
var FIGURE = "Space–time diagram: arrow keys move it, + and − zoom, 0 shows all";
function makeDiagram(panel, id) {
  let whose = "yours";
  let whole = false;
  let about = "";
  let finding = "";
  let waiting = false;
  const who = choice(
    "Whose run",
    [
      { value: "yours", words: "your class", title: "The run that the check judged", testid: `yours-${id}` },
      {
        value: "reference",
        words: "the reference",
        title: "The same seed and faults with the reference solution",
        testid: `reference-${id}`
      }
    ],
    (value) => {
      whose = value;
      ask();
    }
  );
  const span = choice(
    "How much of it",
    [
      { value: "near", words: "around the failure", title: "The seconds that matter", testid: `near-${id}` },
      { value: "whole", words: "the whole run", title: "From the beginning to the end", testid: `whole-${id}` }
    ],
    (value) => {
      whole = value === "whole";
      ask();
    }
  );
  const attributes = { class: "rl-figure", role: "group", "aria-label": FIGURE, "data-testid": `figure-${id}` };
  const figure = h("div", { tabindex: 0, ...attributes });
  const zoomer = makeZoom(figure, panel.calm);
  const tool = (label, aria, act) => button(label, { kind: "rl-small", title: aria, aria, act }).el;
  const tools = [
    tool("+", "Zoom in", zoomer.closer),
    tool("−", "Zoom out", zoomer.farther),
    tool("all", "Show all of it", zoomer.all)
  ];
  const close = button("Close", { kind: "rl-small", act: () => el.toggleAttribute("hidden", true) });
  const buttons = h("div", { class: "rl-buttons" }, tools);
  const head = h("div", { class: "rl-diagramtools" }, who.el, span.el, buttons, close.el);
  const story = h("ol", { class: "rl-story", "aria-label": "What happened" });
  const caption = h("p", { class: "rl-hint" }, CAPTION);
  const el = h("div", { class: "rl-space", hidden: true }, head, figure, caption, story);
  function say(words) {
    figure.replaceChildren(h("p", { class: "rl-hint" }, words));
  }
  function ask() {
    el.hidden = false;
    waiting = true;
    mark();
    say("Drawing …");
    const room = clamp(el.clientWidth || 900, NARROWEST, WIDEST);
    panel.ask({ do: "diagram", check: id, whose, whole, width: whole ? Math.min(WIDEST_RUN, 2 * room) : room });
  }
  function mark() {
    who.show(whose);
    span.show(whole ? "whole" : "near");
  }
  function take(message) {
    ({ whose, whole } = message);
    el.hidden = waiting = false;
    mark();
    const drawing = drawingOf(message.svg);
    drawing.removeAttribute("style");
    figure.replaceChildren(drawing, zoomer.lanes);
    zoomer.adopt(drawing);
    markMoment(drawing, message.moment, whose === "yours");
    tell(message);
  }
  function tell({ story: told, moment }) {
    const sentences = told.map(([time, words]) => ({ time, words, here: false }));
    if (whose === "yours") sentences.push({ time: moment, words: finding, here: true });
    sentences.sort((one, other) => one.time - other.time);
    story.replaceChildren(
      ...sentences.map(({ time, words, here }) => {
        const at = h("time", {}, `${time.toFixed(2)} s`);
        const go = h("button", { type: "button", onclick: () => zoomer.go(time) }, at, words);
        return h("li", { class: here ? "is-moment" : "" }, go);
      })
    );
  }
  function update(row) {
    finding = row.message;
    const subject = row.scene + row.message;
    if (about !== subject) {
      about = subject;
      el.hidden = true;
      figure.replaceChildren();
      story.replaceChildren();
      whose = "yours";
      whole = false;
    }
    who.buttons.get("reference")?.allow(panel.whyNoReference());
    const failed = !panel.get("activity").opening && panel.get("problems").some((problem) => problem.id === "work");
    if (waiting && failed) say("It could not be drawn: the reason stands above.");
  }
  return { el, ask, take, update };
}
function markMoment(drawing, time, broken) {
  const axis = axisOf(drawing);
  const share = shareAt(axis, time);
  if (!(share >= 0 && share <= 1)) return;
  const x = xOf(axis, time);
  const bottom = drawing.viewBox.baseVal.height;
  const words = `${broken ? "✗ " : ""}${time.toFixed(3)} s`;
  const mark = s("g", { class: "rl-here" }, s("line", { x1: x, x2: x, y1: 4, y2: bottom - 70 }));
  mark.append(s("text", { x: x - 4, y: 12, "text-anchor": "end" }, words));
  setAttribute(mark, "aria-hidden", "true");
  drawing.append(mark);
}

// src/exercise/detail.ts
function makeDetail(panel, id) {
  const message = h("p", { class: "rl-message" });
  const rule = fact("Rule");
  const hint = fact("Hint");
  const evidence = h("ul", { class: "rl-evidence" });
  const printed = h("pre", {
    class: "rl-body-text",
    tabindex: 0,
    role: "region",
    "aria-label": "What your code printed"
  });
  const output = h("details", { class: "rl-output" }, h("summary", {}, "What your code printed"), printed);
  const diagram = makeDiagram(panel, id);
  const draw = button("Space–time diagram", {
    kind: "rl-small",
    testid: `diagram-${id}`,
    title: "Draw every message of the failed run between the nodes",
    act: diagram.ask
  });
  const open2 = button("Open in the cluster panel", {
    name: "rewind",
    kind: "rl-small",
    testid: `open-${id}`,
    title: "Step through it, play it, rewind it",
    act: () => panel.ask({ do: "open", check: id, whose: "yours" })
  });
  const other = button("Open it with the reference", {
    kind: "rl-small",
    testid: `other-${id}`,
    title: "The same seed and the same faults, with the reference solution",
    act: () => panel.ask({ do: "open", check: id, whose: "reference" })
  });
  const command = h("code");
  const copy = copyButton(() => command.textContent ?? "");
  const replay = h("div", { class: "rl-curl", title: "In a terminal" }, command, copy);
  const actions = h("div", { class: "rl-buttons" }, draw.el, open2.el, other.el);
  const el = h("div", { class: "rl-detail", id: `${panel.id}-${id}`, hidden: true }, [
    message,
    rule.el,
    evidence,
    hint.el,
    output,
    actions,
    diagram.el,
    replay
  ]);
  let listed = "";
  function update(row) {
    const wrong = isWrong(row.state);
    message.hidden = !row.message || row.message === "not attempted";
    setText(message, row.message);
    rule.show(row.rule);
    hint.show(wrong ? row.hint : "");
    list(row.evidence);
    output.hidden = !row.output;
    setText(printed, row.output);
    setText(command, row.replay);
    replay.hidden = !row.replay || !isOver(row.state);
    actions.hidden = !wrong;
    offer(row);
    diagram.update(row);
  }
  function offer({ scene }) {
    const { why } = panel.get("activity");
    const run = scene === "run";
    draw.el.hidden = other.el.hidden = !run && !panel.get("about").election;
    draw.allow(run ? why.open : "There is nothing to draw: the check did not fail in a run of the simulator.");
    open2.allow(scene ? why.open : "There is nothing to open: the check did not fail in the simulator.");
    other.allow(run ? panel.whyNoReference() || why.open : "There is no run to compare.");
  }
  function list(facts) {
    const words = facts.join("\n");
    if (listed === words) return;
    listed = words;
    evidence.replaceChildren(...facts.map((one) => h("li", {}, one)));
    evidence.hidden = !facts.length;
  }
  return { el, update, take: diagram.take };
}
function fact(label) {
  const body = h("span");
  const el = h("p", { class: "rl-fact" }, h("b", {}, label), body);
  const show2 = (words) => {
    setText(body, words);
    el.hidden = !words;
  };
  return { el, show: show2 };
}

// src/exercise/rows.ts
function makeRows(panel) {
  const list = h("ol", { class: "rl-checks" });
  const heads = ["", "what is checked", "points", "reference", ""].map((words) => h("span", {}, words));
  const head = h("div", { class: "rl-checkhead", "aria-hidden": "true" }, heads);
  const live = h("div", { class: "rl-sr", role: "status", "aria-live": "polite", "data-testid": "live" });
  const el = h("section", { class: "rl-card rl-checkcard", "aria-label": "Checks" }, head, list, live);
  const lines = /* @__PURE__ */ new Map();
  let touched = false;
  let wasChecking = false;
  function lineOf(id) {
    const known = lines.get(id);
    if (known) return known;
    const state = h("span", { class: "rl-state" });
    const title = h("span", { class: "rl-title" });
    const old = h("span", { class: "rl-changed" }, "of an earlier version");
    const held = h("span", { class: "rl-changed" }, "does not count yet");
    const names = h("span", { class: "rl-names" }, h("code", { class: "rl-dim" }, id), old, held);
    const expands = { "aria-expanded": "false", "aria-controls": `${panel.id}-${id}`, "data-testid": `toggle-${id}` };
    const what = h("span", { class: "rl-what" }, title, names);
    const toggle = h("button", { type: "button", class: "rl-toggle", ...expands }, state, icon("start"), what);
    const points = h("span", { class: "rl-points" });
    const reference = h("span", { class: "rl-points rl-reference" });
    const again = button("Run", {
      name: "start",
      kind: "rl-small",
      title: "Run this check alone",
      testid: `again-${id}`,
      act: () => panel.ask({ do: "run", only: [id] })
    });
    const detail = makeDetail(panel, id);
    const row = h("div", { class: "rl-checkrow" }, toggle, points, reference, again.el);
    const item = h("li", { "data-testid": `check-${id}`, "data-check": id }, row, detail.el);
    const line = { item, state, title, old, held, toggle, points, reference, again, detail, last: void 0 };
    toggle.addEventListener("click", () => {
      touched = true;
      open(line, detail.el.hidden === true);
    });
    list.append(item);
    lines.set(id, line);
    return line;
  }
  function update() {
    const { checking, why } = panel.get("activity");
    const rows = panel.get("rows");
    const news = [];
    for (const row of rows) {
      const line = lineOf(row.id);
      show(line, row);
      line.again.allow(why.run);
      if (line.last && line.last !== row.state && isOver(row.state)) {
        news.push(`${row.title}: ${STATES[row.state][1]}, ${row.earned} of ${row.points} points.`);
      }
      line.last = row.state;
    }
    if (news.length) setText(live, news.join(" "));
    if (wasChecking && !checking) finish(rows);
    wasChecking = checking;
  }
  function finish(rows) {
    const total = panel.get("total");
    setText(live, `${total.headline} ${total.earned} of ${total.points} points.`);
    const failed = rows.find(({ state }) => state === "failed" || state === "part" || state === "error");
    if (failed && !touched) open(lineOf(failed.id), true);
  }
  function take(message) {
    const line = lineOf(message.check);
    open(line, true);
    line.detail.take(message);
  }
  return { el, update, take };
}
function open({ detail, toggle, item }, wide) {
  detail.el.hidden = !wide;
  setAttribute(toggle, "aria-expanded", wide);
  item.classList.toggle("is-open", wide);
}
function show(line, row) {
  const { item, title, old, held, points, again, detail } = line;
  showState(line.state, row.state);
  setText(title, row.title);
  old.hidden = !row.old;
  held.hidden = !row.held_up;
  setAttribute(held, "title", `It builds on “${row.held_up}”, which does not pass; a run of all checks skips it.`);
  setAttribute(item, "class", `is-${row.state}${item.classList.contains("is-open") ? " is-open" : ""}`);
  const earned = !isOver(row.state) ? "–" : row.state === "error" ? "?" : row.earned;
  setText(points, `${earned}/${row.points}`);
  showReference(line.reference, row);
  setAttribute(again.el, "aria-label", `Run the check “${row.title}” alone`);
  detail.update(row);
}
function showState(el, state) {
  if (el.dataset.state === state) return;
  el.dataset.state = state;
  const [sign, word] = STATES[state];
  el.replaceChildren(h("span", { class: "rl-sign", "aria-hidden": "true" }, sign), h("span", {}, word));
  setAttribute(el, "class", `rl-state is-${state}`);
}
function showReference(el, row) {
  const [sign, word] = STATES[row.reference];
  const idle = row.reference === "idle";
  setText(el, idle ? "" : row.reference_earned ? `${sign} ${row.reference_earned}` : sign);
  setAttribute(el, "class", `rl-points rl-reference is-${row.reference}`);
  setAttribute(el, "title", idle ? "" : `The reference solution: ${word}`);
}

// src/exercise/score.ts
var RADIUS = 33;
var AROUND = 2 * Math.PI * RADIUS;
var CENTRE = { r: RADIUS, cx: 40, cy: 40 };
function makeScore(panel) {
  const arc = s("circle", { class: "rl-arc", ...CENTRE, transform: "rotate(-90 40 40)" });
  const earned = s("text", { class: "rl-earned", x: 40, y: 43 });
  const of = s("text", { class: "rl-of", x: 40, y: 57 });
  const track = s("circle", { class: "rl-track", ...CENTRE });
  const gauge = { viewBox: "0 0 80 80", role: "img", "data-testid": "score" };
  const ring = s("svg", gauge, track, arc, earned, of);
  const about = h("span", { class: "rl-dim" });
  const headline = h("strong", { "data-testid": "headline" });
  const beside = h("span", { class: "rl-dim", "data-testid": "beside" });
  const bar = h("progress", { class: "rl-spent", max: 1, "aria-label": "Time used of the time limit" });
  const el = h("div", { class: "rl-score" }, ring, h("div", { class: "rl-verdict" }, about, headline, bar, beside));
  function besideText() {
    const { reference, reference_of: points, reference_on: running, reference_why: why } = panel.get("total");
    if (!reference) return running ? "The reference solution is being run on the same seeds …" : why;
    return `Reference solution, same seeds: ${reference} of ${points} points${running ? " so far" : ""}.`;
  }
  function update() {
    const { id, title } = panel.get("about");
    const total = panel.get("total");
    setText(about, `Exercise ${id.slice(2)} · ${title}`);
    setText(headline, total.headline);
    setText(earned, total.earned);
    setText(of, `of ${total.points}`);
    const share = (Number(total.earned) || 0) / Number(total.points);
    setAttribute(arc, "stroke-dasharray", `${AROUND * share} ${AROUND}`);
    setAttribute(ring, "class", `rl-gauge${total.perfect ? " is-perfect" : ""}`);
    setAttribute(ring, "aria-label", `${total.earned} of ${total.points} points`);
    bar.hidden = total.spent === null;
    bar.value = total.spent ?? 0;
    setText(beside, besideText());
  }
  return { el, update };
}

// src/exercise/stage.ts
var DRAWING = "drawing the diagram";
function makeStage(panel) {
  const title = h("strong", { "data-testid": "stage" });
  const words = h("p", { class: "rl-hint" });
  const warning = h("div", { class: "rl-notice is-bad" });
  const close = button("Close", {
    name: "stop",
    kind: "rl-small",
    testid: "leave",
    title: "Close what is shown here",
    act: () => panel.ask({ do: "leave" })
  });
  const head = h(
    "div",
    { class: "rl-rowhead" },
    h("span", { class: "rl-spin", "aria-hidden": "true" }),
    title,
    close.el
  );
  const el = h("section", { class: "rl-card rl-stagecard", "aria-label": "What is open below" }, head, words, warning);
  let wanted = false;
  function update() {
    const stage = panel.get("stage");
    const { opening, why } = panel.get("activity");
    const busy = opening !== "" && opening !== DRAWING;
    el.hidden = !stage.kind && !busy;
    setAttribute(el, "aria-busy", busy);
    setText(title, busy ? `${opening.charAt(0).toUpperCase()}${opening.slice(1)} …` : stage.title ?? "");
    setText(words, busy ? "" : stage.text ?? "");
    setText(warning, stage.warning ?? "");
    warning.hidden = !stage.warning;
    if (!busy && wanted && stage.kind)
      el.scrollIntoView({ block: "start", behavior: panel.calm() ? "auto" : "smooth" });
    wanted = busy;
    close.allow(busy ? `${opening} …` : why.leave);
  }
  return { el, update };
}

// src/exercise/strip.ts
function makeStrip(panel) {
  const mine = h("div", { class: "rl-strip", role: "img" });
  const theirs = h("div", { class: "rl-strip is-thin", role: "img" });
  const el = h("div", { class: "rl-strips" }, mine, theirs);
  function update() {
    const rows = panel.get("rows");
    fill2(mine, rows, (row) => row.state, "Your code", true);
    fill2(theirs, rows, (row) => row.reference, "The reference", false);
    theirs.hidden = rows.every((row) => row.reference === "idle");
  }
  return { el, update };
}
function fill2(strip, rows, stateOf, whose, signs) {
  while (strip.children.length < rows.length) strip.append(h("span"));
  for (const [index, row] of rows.entries()) {
    const part = strip.children[index];
    const [sign, word] = STATES[stateOf(row)];
    part.style.flexGrow = String(row.share);
    setAttributes(part, { class: `is-${stateOf(row)}${row.old ? " is-old" : ""}`, title: `${row.title}: ${word}` });
    if (signs) setText(part, sign);
  }
  const over = rows.filter((row) => isOver(stateOf(row))).length;
  const passed = rows.filter((row) => stateOf(row) === "passed").length;
  setAttribute(strip, "aria-label", `${whose}: ${over} of ${plural(rows.length, "check")} done, ${passed} passed`);
}

// src/shared/commands.ts
var LATE = 1500;
var LOOK_EVERY = 500;
function makeCommands(send, queue, begun = () => []) {
  const sent = /* @__PURE__ */ new Map();
  let number = Math.floor(Math.random() * 1e6) * 1e3;
  let timer = 0;
  function look() {
    clearTimeout(timer);
    const now = performance.now();
    const known = new Set(begun());
    queue([...sent].some(([id, since]) => now - since >= LATE && !known.has(id)));
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

// src/shared/notices.ts
var LONG = 400;
var WHY_LASTS = 4e3;
var BUSY = "The kernel is busy with a cell. What you clicked waits, and is done as soon as the cell ends.";
function makeNotices(problems, notes = () => []) {
  const el = h("div", { class: "rl-notices", role: "alert" });
  const dismissed = /* @__PURE__ */ new Set();
  let why = "";
  let whyTimer = 0;
  let queued = false;
  let drawn = "";
  const keyOf = (problem) => problem.id + problem.text;
  function bad(problem) {
    const dismiss = () => {
      dismissed.add(keyOf(problem));
      update();
    };
    const close = h("button", { type: "button", class: "rl-close", "aria-label": "Dismiss", onclick: dismiss }, "×");
    return h(
      "div",
      { class: "rl-notice is-bad", "data-testid": "problem" },
      h("span", {}, clip(problem.text, LONG)),
      close
    );
  }
  function update() {
    const present = new Set(problems().map(keyOf));
    for (const key of dismissed) if (!present.has(key)) dismissed.delete(key);
    const open2 = problems().filter((problem) => !dismissed.has(keyOf(problem)));
    const shown = JSON.stringify([open2, notes(), queued, why]);
    if (shown === drawn) return;
    drawn = shown;
    el.replaceChildren(
      ...open2.map(bad),
      ...notes().map((note) => h("div", { class: "rl-notice" }, note)),
      ...queued ? [h("div", { class: "rl-notice" }, BUSY)] : [],
      ...why ? [h("div", { class: "rl-notice", "data-testid": "why" }, why)] : []
    );
  }
  function explain(reason) {
    why = reason;
    clearTimeout(whyTimer);
    whyTimer = window.setTimeout(() => {
      why = "";
      update();
    }, WHY_LASTS);
    update();
  }
  function queue(waiting) {
    queued = waiting;
    update();
  }
  return { el, update, explain, queue };
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

// src/exercise.ts
var NO_REFERENCE = "The reference solution is not in this copy of the lab.";
var boards = 0;
var render = ({ model, el }) => {
  const root = h("div", { class: "rl-panel rl-exercise", role: "region", "aria-label": "Exercise panel" });
  const motion = window.matchMedia("(prefers-reduced-motion: reduce)");
  const notices = makeNotices(
    () => model.get("problems"),
    () => model.get("total").notes
  );
  const commands = makeCommands((message) => model.send(message), notices.queue);
  boards += 1;
  const panel = {
    id: `rl-exercise-${boards}`,
    calm: () => motion.matches,
    get: (trait) => model.get(trait),
    ask: commands.ask,
    whyNoReference: () => model.get("about").reference ? "" : NO_REFERENCE
  };
  const score = makeScore(panel);
  const controls = makeControls(panel);
  const strip = makeStrip(panel);
  const rows = makeRows(panel);
  const stage = makeStage(panel);
  const skip = skipLinks([{ label: "the checks", el: rows.el }]);
  const head = h("div", { class: "rl-exercisehead" }, score.el, controls.el);
  root.append(skip.el, head, notices.el, strip.el, rows.el, stage.el, skip.end);
  el.append(root);
  root.addEventListener(WHY, (event) => notices.explain(event.detail));
  const endKeys = keepKeys(root);
  const parts = {
    about: [score, controls],
    rows: [rows, strip],
    total: [score, controls, notices],
    source: [controls],
    activity: [controls, rows, stage],
    stage: [stage],
    problems: [notices]
  };
  const listeners = Object.entries(parts).map(([trait, views]) => {
    const listener = () => {
      for (const view of views) view.update();
    };
    model.on(`change:${trait}`, listener);
    return [`change:${trait}`, listener];
  });
  function hear(message) {
    if (message.type === "heard") commands.acknowledge(message.id);
    else rows.take(message);
  }
  model.on("msg:custom", hear);
  for (const part of [score, controls, notices, strip, rows, stage]) part.update();
  return () => {
    endKeys();
    commands.end();
    for (const [event, listener] of listeners) model.off(event, listener);
    model.off("msg:custom", hear);
  };
};
var exercise_default = { render };
export {
  exercise_default as default
};
