// An exercise's checks. Law of this file: it draws what Python says and reports what the user wants; it decides nothing
// about marks. No library, no build step: open it and read it. The small helpers (`h`, `button`, …) are in base.js.
//
// Python → browser   traits `about`, `rows`, `total`, `source`, `activity`, `stage`, `problems`: the present;
//                    messages `diagram` {check, whose, whole, svg, story, moment} and `heard` {id}.
// browser → Python   messages {do: verb, id: number, …arguments}; see exercise.py.
//
// A state is told by its shape and its word; colour only repeats them.

const STATES = {
  idle: ["–", "not run"], waiting: ["…", "waits"], running: ["", "running"], passed: ["✓", "passed"], part: ["◐", "in part"],
  failed: ["✗", "failed"], skipped: ["»", "skipped"], not_attempted: ["○", "not attempted"], error: ["!", "no mark"],
};
const OVER = ["passed", "part", "failed", "skipped", "not_attempted", "error"];

// ---------------------------------------------------------------------------------------------- the score

function makeScore(panel) {
  const RADIUS = 33, AROUND = 2 * Math.PI * RADIUS;
  const arc = s("circle", { class: "rl-arc", r: RADIUS, cx: 40, cy: 40, "stroke-dasharray": `0 ${AROUND}`, transform: "rotate(-90 40 40)" });
  const earned = s("text", { class: "rl-earned", x: 40, y: 43 }), of = s("text", { class: "rl-of", x: 40, y: 57 });
  const ring = s("svg", { class: "rl-gauge", viewBox: "0 0 80 80", role: "img", "data-testid": "score" }, s("circle", { class: "rl-track", r: RADIUS, cx: 40, cy: 40 }), arc, earned, of);
  const about = h("span", { class: "rl-dim" }), headline = h("strong", { "data-testid": "headline" }), beside = h("span", { class: "rl-dim", "data-testid": "beside" });
  const words = h("div", { class: "rl-verdict" }, about, headline, beside);

  function update() {
    const { id, title } = panel.get("about"), total = panel.get("total");
    text(about, `Exercise ${id.slice(2)} · ${title}`);
    text(headline, total.headline);
    text(earned, total.earned);
    text(of, `of ${total.points}`);
    attribute(arc, "stroke-dasharray", `${AROUND * ((Number(total.earned) || 0) / Number(total.points))} ${AROUND}`);
    attribute(ring, "class", `rl-gauge${total.perfect ? " is-perfect" : ""}`);
    attribute(ring, "aria-label", `${total.earned} of ${total.points} points`);
    const reference = total.reference ? `Reference solution, same seeds: ${total.reference} of ${total.reference_of} points${total.reference_on ? " so far" : ""}.` : "";
    text(beside, total.reference_on && !reference ? "The reference solution is being run on the same seeds …" : reference || total.reference_why);
  }

  return { el: h("div", { class: "rl-score" }, ring, words), update };
}

// ---------------------------------------------------------------------------------------------- what to run

function makeControls(panel) {
  const run = button("Run", { name: "start", kind: "rl-primary", title: "Run all checks on your code, then the reference beside it", act: () => panel.ask({ do: "run" }) });
  const stop = button("Stop", { name: "stop", title: "End what is being run; the marks so far stay", act: () => panel.ask({ do: "stop" }) });
  const real = button("Run on the real cluster", { name: "kill", title: "Start three processes that elect their leader with your class", act: () => panel.ask({ do: "real" }) });
  for (const [one, name] of [[run, "run"], [stop, "stop"], [real, "real"]]) one.el.dataset.testid = name;
  const choices = h("div", { class: "rl-choice", role: "group", "aria-label": "Which code is run" });
  const detail = h("span", { class: "rl-dim", "data-testid": "source" }), changed = h("span", { class: "rl-changed", "data-testid": "changed" }, "changed since the last run");
  const el = h("div", { class: "rl-controls" }, h("div", { class: "rl-buttons" }, run.el, stop.el, real.el),
    h("div", { class: "rl-source" }, h("span", { class: "rl-dim" }, "Your code:"), choices, detail, changed));
  let options = [];

  function offer(source) {
    const kinds = source.choices.map((choice) => choice.kind).join();
    if (choices.dataset.kinds === kinds) return;
    choices.dataset.kinds = kinds;
    options = source.choices.map((choice) => {
      const one = button(choice.label, { kind: "rl-small", title: "Run this code", act: () => panel.ask({ do: "source", kind: choice.kind }) });
      one.el.dataset.testid = `source-${choice.kind}`;
      return [choice.kind, one];
    });
    choices.replaceChildren(...options.map(([, one]) => one.el));
  }

  function update() {
    const source = panel.get("source"), { why, checking } = panel.get("activity"), total = panel.get("total");
    offer(source);
    for (const [kind, one] of options) {
      const choice = source.choices.find((some) => some.kind === kind);
      attribute(one.el, "aria-pressed", String(kind === source.kind));
      one.allow(kind === source.kind ? "" : checking ? "The checks are running." : choice.why);
    }
    text(detail, source.why || source.detail);
    changed.hidden = !source.changed;
    text(run.el.querySelector("span"), total.done ? "Run again" : "Run");
    run.allow(why.run);
    stop.allow(why.stop);
    real.allow(why.real);
    real.el.hidden = !panel.get("about").election;
  }

  return { el, update };
}

// ---------------------------------------------------------------------------------------------- all checks at a glance

function makeStrip(panel) {
  const mine = h("div", { class: "rl-strip", role: "img" }), theirs = h("div", { class: "rl-strip is-thin", role: "img" });
  const el = h("div", { class: "rl-strips" }, mine, theirs);

  function fill(strip, rows, stateOf, whose, signs) {
    while (strip.children.length < rows.length) strip.append(h("span", {}));
    rows.forEach((row, index) => {
      const part = strip.children[index], state = stateOf(row);
      part.style.flexGrow = row.share;
      attribute(part, "class", `is-${state}${row.old ? " is-old" : ""}`);
      attribute(part, "title", `${row.title}: ${STATES[state][1]}`);
      if (signs) text(part, STATES[state][0]);
    });
    const over = rows.filter((row) => OVER.includes(stateOf(row)));
    attribute(strip, "aria-label", `${whose}: ${over.length} of ${plural(rows.length, "check")} done, ${over.filter((row) => stateOf(row) === "passed").length} passed`);
  }

  function update() {
    const rows = panel.get("rows");
    fill(mine, rows, (row) => row.state, "Your code", true);
    fill(theirs, rows, (row) => row.reference, "The reference", false);
    theirs.hidden = rows.every((row) => row.reference === "idle");
  }

  return { el, update };
}

// ---------------------------------------------------------------------------------------------- the checks

function makeRows(panel) {
  const list = h("ol", { class: "rl-checks" });
  const head = h("div", { class: "rl-checkhead", "aria-hidden": "true" }, h("span", {}, ""), h("span", {}, "what is checked"), h("span", {}, "points"), h("span", {}, "reference"), h("span", {}));
  const el = h("section", { class: "rl-card rl-checkcard", "aria-label": "Checks" }, head, list);
  const live = h("div", { class: "rl-sr", role: "status", "aria-live": "polite", "data-testid": "live" });
  el.append(live);
  const parts = {}, states = {};
  let touched = false, wasChecking = false;

  function rowOf(id) {
    if (parts[id]) return parts[id];
    const state = h("span", { class: "rl-state" }), title = h("span", { class: "rl-title" }), name = h("code", { class: "rl-dim" }, id);
    const old = h("span", { class: "rl-changed" }, "of an earlier version"), held = h("span", { class: "rl-changed" }, "does not count yet");
    const toggle = h("button", { type: "button", class: "rl-toggle", "aria-expanded": "false", "aria-controls": `${panel.id}-${id}`, "data-testid": `toggle-${id}` }, state, icon("start"), h("span", { class: "rl-what" }, title, h("span", { class: "rl-names" }, name, old, held)));
    const points = h("span", { class: "rl-points" }), reference = h("span", { class: "rl-points rl-reference" });
    const again = button("Run", { name: "start", kind: "rl-small", title: "Run this check alone", act: () => panel.ask({ do: "run", only: [id] }) });
    again.el.dataset.testid = `again-${id}`;
    const detail = makeDetail(panel, id);
    const item = h("li", { "data-testid": `check-${id}`, "data-check": id }, h("div", { class: "rl-checkrow" }, toggle, points, reference, again.el), detail.el);
    toggle.addEventListener("click", () => { touched = true; open(id, detail.el.hidden); });
    list.append(item);
    return (parts[id] = { item, state, title, old, held, toggle, points, reference, again, detail });
  }

  function open(id, wide) {
    parts[id].detail.el.hidden = !wide;
    attribute(parts[id].toggle, "aria-expanded", String(wide));
    parts[id].item.classList.toggle("is-open", wide);
  }

  function update() {
    const { checking, why } = panel.get("activity"), rows = panel.get("rows"), said = [];
    for (const row of rows) {
      const part = rowOf(row.id);
      showState(part.state, row.state);
      text(part.title, row.title);
      part.old.hidden = !row.old;
      part.held.hidden = !row.held_up;
      attribute(part.held, "title", `It builds on “${row.held_up}”, which does not pass; a run of all checks skips it.`);
      const wide = part.item.classList.contains("is-open");
      attribute(part.item, "class", `is-${row.state}${wide ? " is-open" : ""}`);
      text(part.points, OVER.includes(row.state) ? `${row.state === "error" ? "?" : row.earned}/${row.points}` : `–/${row.points}`);
      showReference(part.reference, row);
      part.again.allow(why.run);
      attribute(part.again.el, "aria-label", `Run the check “${row.title}” alone`);
      part.detail.update(row);
      if (states[row.id] && states[row.id] !== row.state && OVER.includes(row.state)) said.push(`${row.title}: ${STATES[row.state][1]}, ${row.earned} of ${row.points} points.`);
      states[row.id] = row.state;
    }
    if (said.length) text(live, said.join(" "));
    if (wasChecking && !checking) finish(rows);
    wasChecking = checking;
  }

  // The first failure shows itself, unless the user is reading something else.
  function finish(rows) {
    const total = panel.get("total"), failed = rows.find((row) => ["failed", "part", "error"].includes(row.state));
    text(live, `${total.headline} ${total.earned} of ${total.points} points.`);
    if (failed && !touched) open(failed.id, true);
  }

  function showReference(el, row) {
    const [sign, word] = STATES[row.reference];
    text(el, row.reference === "idle" ? "" : row.reference_earned ? `${sign} ${row.reference_earned}` : row.reference === "waiting" ? "…" : sign);
    attribute(el, "class", `rl-points rl-reference is-${row.reference}`);
    attribute(el, "title", row.reference === "idle" ? "" : `The reference solution: ${word}`);
  }

  return { el, update, take: (message) => { open(message.check, true); parts[message.check].detail.take(message); } };
}

function showState(el, state) {
  if (el.dataset.state === state) return;
  el.dataset.state = state;
  const [sign, word] = STATES[state];
  el.replaceChildren(h("span", { class: "rl-sign", "aria-hidden": "true" }, sign), h("span", {}, word));
  attribute(el, "class", `rl-state is-${state}`);
}

// ---------------------------------------------------------------------------------------------- one check in detail

function makeDetail(panel, id) {
  const paragraph = (label) => { const body = h("span", {}); return { el: h("p", { class: "rl-fact" }, h("b", {}, label), body), body }; };
  const message = h("p", { class: "rl-message" }), rule = paragraph("Rule"), hint = paragraph("Hint"), evidence = h("ul", { class: "rl-evidence" });
  const printed = h("pre", { class: "rl-body-text" }), output = h("details", { class: "rl-output" }, h("summary", {}, "What your code printed"), printed);
  const draw = button("Space–time diagram", { kind: "rl-small", title: "Draw every message of the failed run between the nodes", act: () => diagram.ask() });
  const open = button("Open in the cluster panel", { name: "rewind", kind: "rl-small", title: "Step through it, play it, rewind it", act: () => panel.ask({ do: "open", check: id, whose: "yours" }) });
  const other = button("Open it with the reference", { kind: "rl-small", title: "The same seed and the same faults, with the reference solution", act: () => panel.ask({ do: "open", check: id, whose: "reference" }) });
  for (const [one, name] of [[draw, "diagram"], [open, "open"], [other, "other"]]) one.el.dataset.testid = `${name}-${id}`;
  const command = h("code", {}), replay = h("div", { class: "rl-curl", title: "In a terminal" }, command, copyButton(() => command.textContent));
  const diagram = makeDiagram(panel, id);
  const actions = h("div", { class: "rl-buttons" }, draw.el, open.el, other.el);
  const el = h("div", { class: "rl-detail", id: `${panel.id}-${id}`, hidden: true }, message, rule.el, evidence, hint.el, output, actions, diagram.el, replay);

  function update(row) {
    const wrong = ["failed", "part"].includes(row.state);
    message.hidden = !row.message || row.message === "not attempted";
    text(message, row.message);
    text(rule.body, row.rule);
    text(hint.body, row.hint);
    rule.el.hidden = !row.rule;
    hint.el.hidden = !row.hint || !wrong;
    list(row.evidence);
    output.hidden = !row.output;
    text(printed, row.output);
    text(command, row.replay);
    replay.hidden = !row.replay || !OVER.includes(row.state);
    actions.hidden = !wrong;
    const { why } = panel.get("activity");
    draw.el.hidden = other.el.hidden = row.scene !== "run" && panel.get("about").election === false;
    draw.allow(row.scene === "run" ? why.open : "There is nothing to draw: the check did not fail in a run of the simulator.");
    open.allow(row.scene ? why.open : "There is nothing to open: the check did not fail in the simulator.");
    other.allow(row.scene === "run" ? panel.reference() || why.open : "There is no run to compare.");
    diagram.update(row);
  }

  function list(facts) {
    const words = facts.join("\n");
    if (evidence.dataset.words === words) return;
    evidence.dataset.words = words;
    evidence.replaceChildren(...facts.map((fact) => h("li", {}, fact)));
    evidence.hidden = !facts.length;
  }

  return { el, update, take: diagram.take };
}

// ---------------------------------------------------------------------------------------------- the space–time diagram

function makeDiagram(panel, id) {
  let whose = "yours", whole = false, shown = "", finding = "", drawn = null, waiting = false;
  const pair = (label, options, act) => {
    const buttons = options.map(([value, words, title]) => {
      const one = button(words, { kind: "rl-small", title, act: () => act(value) });
      one.el.dataset.testid = `${value}-${id}`;
      return [value, one];
    });
    return { el: h("div", { class: "rl-choice", role: "group", "aria-label": label }, buttons.map(([, one]) => one.el)), buttons };
  };
  const who = pair("Whose run", [["yours", "your class", "The run that the check judged"], ["reference", "the reference", "The same seed and faults with the reference solution"]], (value) => { whose = value; ask(); });
  const span = pair("How much of it", [["near", "around the failure", "The seconds that matter"], ["whole", "the whole run", "From the beginning to the end"]], (value) => { whole = value === "whole"; ask(); });
  const figure = h("figure", { tabindex: 0, class: "rl-figure", "aria-label": "Space–time diagram: arrow keys move it, + and − zoom, 0 shows all", "data-testid": `figure-${id}` });
  const zoomer = makeZoom(figure, panel);
  const tool = (label, name, act) => { const one = button(label, { kind: "rl-small", title: name, act }); one.el.setAttribute("aria-label", name); return one.el; };
  const close = button("Close", { kind: "rl-small", act: () => { el.hidden = true; } });
  const tools = h("div", { class: "rl-diagramtools" }, who.el, span.el, h("div", { class: "rl-buttons" }, tool("+", "Zoom in", zoomer.closer), tool("−", "Zoom out", zoomer.farther), tool("all", "Show all of it", zoomer.all), close.el));
  const story = h("ol", { class: "rl-story", "aria-label": "What happened" });
  const caption = h("p", { class: "rl-hint" }, "Time goes to the right. Drag to move, Ctrl and wheel to zoom; rest on an arrow to read about it, choose a sentence to go to its moment.");
  const el = h("div", { class: "rl-space", hidden: true }, tools, figure, caption, story);

  function ask() {
    el.hidden = false;
    waiting = true;
    mark();
    figure.replaceChildren(h("p", { class: "rl-hint" }, "Drawing …"));
    const room = clamp(el.clientWidth || 900, 700, 1500);
    panel.ask({ do: "diagram", check: id, whose, whole, width: whole ? Math.min(4000, 2 * room) : room });
  }

  function mark() {
    for (const [value, one] of [...who.buttons, ...span.buttons]) attribute(one.el, "aria-pressed", String(value === whose || value === (whole ? "whole" : "near")));
  }

  function take(message) {
    [whose, whole] = [message.whose, message.whole];
    el.hidden = waiting = false;
    mark();
    const drawing = new DOMParser().parseFromString(message.svg, "image/svg+xml").documentElement;
    drawing.querySelectorAll("script").forEach((script) => script.remove());
    drawn = document.importNode(drawing, true);
    drawn.removeAttribute("style");
    figure.replaceChildren(drawn, zoomer.lanes);
    zoomer.adopt(drawn);
    showMoment(message.moment);
    const told = [...message.story.map(([time, words]) => [time, words, false]), ...(whose === "yours" ? [[message.moment, finding, true]] : [])];
    told.sort((one, other) => one[0] - other[0]);
    story.replaceChildren(...told.map(([time, words, here]) => h("li", { class: here ? "is-moment" : "" },
      h("button", { type: "button", onclick: () => zoomer.go(time) }, h("time", {}, `${time.toFixed(2)} s`), words))));
  }

  // Where the rule was found broken: in the reference's run, the same time.
  function showMoment(time) {
    const { start, end, left, right } = drawn.dataset, share = (time - start) / (end - start);
    if (!(share >= 0 && share <= 1)) return;
    const at = Number(left) + share * (right - left), bottom = drawn.viewBox.baseVal.height;
    drawn.append(s("g", { class: "rl-here", "aria-hidden": "true" }, s("line", { x1: at, x2: at, y1: 4, y2: bottom - 70 }), s("text", { x: at - 4, y: 12, "text-anchor": "end" }, `${whose === "yours" ? "✗ " : ""}${time.toFixed(3)} s`)));
  }

  function update(row) {
    finding = row.message;
    const about = row.scene + row.message; // another failure than the one that is drawn
    if (shown !== about) { shown = about; el.hidden = true; figure.replaceChildren(); story.replaceChildren(); whose = "yours"; whole = false; }
    who.buttons[1][1].allow(panel.reference());
    const failed = !panel.get("activity").opening && panel.get("problems").some((problem) => problem.id === "work");
    if (waiting && failed) figure.replaceChildren(h("p", { class: "rl-hint" }, "It could not be drawn: the reason stands above."));
  }

  return { el, ask, take, update };
}

// Pan and zoom by the drawing's viewBox: it stays sharp at every size.
function makeZoom(figure, panel) {
  const lanes = h("div", { class: "rl-lanes", "aria-hidden": "true" }); // the nodes' names, where the drawing's own are out of sight
  let svg = null, full = null, view = null, held = null, shape = 1, names = [];

  // A long drawing is shown in a window that is higher than it would be: there is room for it when one comes closer.
  function adopt(drawing) {
    svg = drawing;
    const { width, height } = svg.viewBox.baseVal, room = figure.clientWidth || width;
    const high = Math.round(Math.max((height * room) / width, Math.min(height, 430)));
    full = { x: 0, y: 0, width, height };
    shape = high / room;
    svg.style.height = `${high}px`;
    names = [...svg.querySelectorAll("text.st-node")].map((label) => [Number(label.getAttribute("y")) - 4, Number(label.getAttribute("x")), h("span", {}, label.lastChild.textContent)]);
    lanes.replaceChildren(...names.map(([, , label]) => label));
    show(full);
  }

  function show(next) {
    if (!svg) return;
    const width = clamp(next.width, full.width / 60, full.width), height = width * shape, spare = full.height - height;
    view = { width, height, x: clamp(next.x, 0, full.width - width), y: spare < 0 ? spare / 2 : clamp(next.y, 0, spare) };
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    for (const [y, x, label] of names) {
      const place = (y - view.y) / view.height;
      label.hidden = view.x < x - 20 || place < 0.02 || place > 0.98;
      label.style.top = `${100 * place}%`;
    }
  }

  function glide(goal) {
    if (panel.calm()) return show(goal);
    const from = { ...view }, begun = performance.now(), mine = svg;
    const step = (now) => {
      if (mine !== svg) return;
      const part = Math.min(1, (now - begun) / 250), ease = part * (2 - part), between = (name) => from[name] + (goal[name] - from[name]) * ease;
      show({ x: between("x"), y: between("y"), width: between("width") });
      if (part < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  function zoom(factor, x = view.x + view.width / 2, y = view.y + view.height / 2) {
    const real = clamp(view.width * factor, full.width / 60, full.width) / view.width;
    show({ x: x - (x - view.x) * real, y: y - (y - view.y) * real, width: view.width * real });
  }

  const guarded = (act) => () => svg && act();
  const closer = guarded(() => zoom(0.7)), farther = guarded(() => zoom(1 / 0.7)), all = guarded(() => glide(full));
  const move = (dx, dy) => show({ ...view, x: view.x + dx * view.width, y: view.y + dy * view.height });
  const place = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());

  function go(time) {
    const { start, end, left, right } = svg.dataset, share = (time - start) / (end - start);
    const width = Math.min(full.width / 2, full.height / shape); // all lanes, if that is close enough
    glide({ x: Number(left) + share * (right - left) - width / 2, y: (full.height - width * shape) / 2, width });
  }

  figure.addEventListener("wheel", (event) => {
    if (!svg || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const at = place(event);
    zoom(Math.exp(Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 100) * 0.0025), at.x, at.y);
  }, { passive: false });
  figure.addEventListener("pointerdown", (event) => { if (svg) { held = place(event); figure.setPointerCapture(event.pointerId); } });
  figure.addEventListener("pointermove", (event) => {
    if (!held) return;
    const at = place(event);
    show({ ...view, x: view.x + held.x - at.x, y: view.y + held.y - at.y });
  });
  for (const end of ["pointerup", "pointercancel"]) figure.addEventListener(end, () => { held = null; });
  const keys = { "+": closer, "=": closer, "-": farther, 0: all, ArrowLeft: () => move(-0.1, 0), ArrowRight: () => move(0.1, 0), ArrowUp: () => move(0, -0.1), ArrowDown: () => move(0, 0.1) };
  figure.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || !svg || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  return { lanes, adopt, closer, farther, all, go };
}

// ---------------------------------------------------------------------------------------------- what is open below

function makeStage(panel) {
  const title = h("strong", { "data-testid": "stage" }), words = h("p", { class: "rl-hint" }), warning = h("div", { class: "rl-notice is-bad" });
  const close = button("Close", { name: "stop", kind: "rl-small", title: "End this cluster and its panel", act: () => panel.ask({ do: "leave" }) });
  close.el.dataset.testid = "leave";
  const el = h("section", { class: "rl-card rl-stagecard", "aria-label": "The cluster below" }, h("div", { class: "rl-rowhead" }, h("span", { class: "rl-spin", "aria-hidden": "true" }), title, close.el), words, warning);

  let wanted = false;

  function update() {
    const stage = panel.get("stage"), { opening, why } = panel.get("activity"), busy = opening && opening !== "drawing the diagram";
    el.hidden = !stage.kind && !busy;
    attribute(el, "aria-busy", String(Boolean(busy)));
    text(title, busy ? `${opening[0].toUpperCase()}${opening.slice(1)} …` : stage.title || "");
    text(words, busy ? "" : stage.text || "");
    text(warning, stage.warning || "");
    warning.hidden = !stage.warning;
    if (!busy && wanted && stage.kind) el.scrollIntoView({ block: "start", behavior: panel.calm() ? "auto" : "smooth" });
    wanted = Boolean(busy); // somebody has just asked for something: it is shown when it is there
    close.allow(busy ? `${opening} …` : why.leave);
  }

  return { el, update };
}

// ---------------------------------------------------------------------------------------------- notices

function makeNotices(panel) {
  const el = h("div", { class: "rl-notices", role: "alert" });
  const dismissed = new Set();
  let why = "", timer = 0, queued = false;

  function update() {
    const told = panel.get("problems");
    // What is gone may come back, and is then new.
    for (const known of dismissed) if (!told.some((problem) => problem.id + problem.text === known)) dismissed.delete(known);
    const problems = told.filter((problem) => !dismissed.has(problem.id + problem.text));
    const items = problems.map((problem) => h("div", { class: "rl-notice is-bad", "data-testid": "problem" }, h("span", {}, problem.text),
      h("button", { type: "button", class: "rl-close", "aria-label": "Dismiss", onclick: () => { dismissed.add(problem.id + problem.text); update(); } }, "×")));
    items.push(...(panel.get("total").notes || []).map((note) => h("div", { class: "rl-notice" }, note)));
    if (queued) items.push(h("div", { class: "rl-notice" }, "The kernel is busy with a cell. What you clicked waits, and is done as soon as the cell ends."));
    if (why) items.push(h("div", { class: "rl-notice", "data-testid": "why" }, why));
    el.replaceChildren(...items);
  }

  const explain = (reason) => { why = reason; clearTimeout(timer); timer = setTimeout(() => { why = ""; update(); }, 4000); update(); };
  const queue = (waiting) => { if (waiting !== queued) { queued = waiting; update(); } };
  return { el, update, explain, queue };
}

// ---------------------------------------------------------------------------------------------- putting it together

let boards = 0;

function render({ model, el }) {
  const root = h("div", { class: "rl-panel rl-exercise", "data-lm-suppress-shortcuts": "true" });
  const motion = window.matchMedia("(prefers-reduced-motion: reduce)");
  const waiting = new Map(); // messages that Python has not yet heard: number → when they were sent
  let number = Math.floor(Math.random() * 1e6) * 1000;

  const panel = {
    id: `rl-exercise-${++boards}`,
    calm: () => motion.matches,
    get: (trait) => model.get(trait),
    reference: () => (model.get("about").reference ? "" : "The reference solution is not in this copy of the lab."),
    ask(message) {
      waiting.set(++number, performance.now());
      model.send({ ...message, id: number });
    },
  };

  const score = makeScore(panel), controls = makeControls(panel), notices = makeNotices(panel), strip = makeStrip(panel);
  const rows = makeRows(panel), stage = makeStage(panel);
  root.append(h("header", { class: "rl-exercisehead" }, score.el, controls.el), notices.el, strip.el, rows.el, stage.el);
  el.append(root);
  root.addEventListener("rl-why", (event) => notices.explain(event.detail));

  const parts = {
    about: [score, controls], rows: [rows, strip], total: [score, controls, notices], source: [controls],
    activity: [controls, rows, stage], stage: [stage], problems: [notices],
  };
  const listeners = Object.entries(parts).map(([trait, some]) => {
    const listener = () => some.forEach((part) => part.update());
    model.on(`change:${trait}`, listener);
    return [`change:${trait}`, listener];
  });

  function hear(message) {
    if (message.type === "heard") waiting.delete(message.id);
    if (message.type === "diagram") rows.take(message);
  }
  model.on("msg:custom", hear);
  const watch = setInterval(() => {
    const now = performance.now();
    notices.queue([...waiting.values()].some((sent) => now - sent > 1500));
  }, 500);

  for (const part of [score, controls, notices, strip, rows, stage]) part.update();

  return () => {
    clearInterval(watch);
    listeners.forEach(([event, listener]) => model.off(event, listener));
    model.off("msg:custom", hear);
  };
}

export default { render };
