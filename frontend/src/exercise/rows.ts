// The checks, one below the other. Law of this file: the first failure opens by itself, unless the user is reading
// something else; what came of a check is told to a screen reader.

import type { Diagram, Row, State } from "../messages/exercise";
import { type Button, button } from "../shared/button";
import { h, setAttribute, setText } from "../shared/dom";
import { icon } from "../shared/icons";
import { type Context, isOver, STATES, type View } from "./context";
import { type Detail, makeDetail } from "./detail";

interface Line {
  item: HTMLElement;
  state: HTMLElement;
  title: HTMLElement;
  old: HTMLElement;
  held: HTMLElement;
  toggle: HTMLElement;
  points: HTMLElement;
  reference: HTMLElement;
  again: Button;
  detail: Detail;
  /** The state that was shown last. */
  last: State | undefined;
}

export function makeRows(panel: Context): View & { take(message: Diagram): void } {
  const list = h("ol", { class: "rl-checks" });
  const heads = ["", "what is checked", "points", "reference", ""].map((words) => h("span", {}, words));
  const head = h("div", { class: "rl-checkhead", "aria-hidden": "true" }, heads);
  const live = h("div", { class: "rl-sr", role: "status", "aria-live": "polite", "data-testid": "live" });
  const el = h("section", { class: "rl-card rl-checkcard", "aria-label": "Checks" }, head, list, live);
  const lines = new Map<string, Line>();
  let touched = false;
  let wasChecking = false;

  function lineOf(id: string): Line {
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
      act: () => panel.ask({ do: "run", only: [id] }),
    });
    const detail = makeDetail(panel, id);
    const row = h("div", { class: "rl-checkrow" }, toggle, points, reference, again.el);
    const item = h("li", { "data-testid": `check-${id}`, "data-check": id }, row, detail.el);
    const line: Line = { item, state, title, old, held, toggle, points, reference, again, detail, last: undefined };
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
    const news: string[] = [];
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

  function finish(rows: Row[]) {
    const total = panel.get("total");
    setText(live, `${total.headline} ${total.earned} of ${total.points} points.`);
    const failed = rows.find(({ state }) => state === "failed" || state === "part" || state === "error");
    if (failed && !touched) open(lineOf(failed.id), true);
  }

  function take(message: Diagram) {
    const line = lineOf(message.check);
    open(line, true);
    line.detail.take(message);
  }

  return { el, update, take };
}

function open({ detail, toggle, item }: Line, wide: boolean): void {
  detail.el.hidden = !wide;
  setAttribute(toggle, "aria-expanded", wide);
  item.classList.toggle("is-open", wide);
}

function show(line: Line, row: Row): void {
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

function showState(el: HTMLElement, state: State): void {
  if (el.dataset.state === state) return;
  el.dataset.state = state;
  const [sign, word] = STATES[state];
  el.replaceChildren(h("span", { class: "rl-sign", "aria-hidden": "true" }, sign), h("span", {}, word));
  setAttribute(el, "class", `rl-state is-${state}`);
}

function showReference(el: HTMLElement, row: Row): void {
  const [sign, word] = STATES[row.reference];
  const idle = row.reference === "idle";
  setText(el, idle ? "" : row.reference_earned ? `${sign} ${row.reference_earned}` : sign);
  setAttribute(el, "class", `rl-points rl-reference is-${row.reference}`);
  setAttribute(el, "title", idle ? "" : `The reference solution: ${word}`);
}
