// Which node holds what. Law of this file: a stale copy is told by its words and its mark as well as by colour, and a
// long key or value takes no more room than a short one.

import type { Data, NodeState } from "../messages/cluster";
import { button } from "../shared/button";
import { h, setText } from "../shared/dom";
import { clip, plural, seconds } from "../shared/format";
import { icon } from "../shared/icons";
import type { Context, View } from "./context";
import { LOOKS } from "./words";

const AGE_EVERY = 200; // ms between two looks at how stale a copy is
const LONG_KEY = 60; // characters
const LONG_STORY = 500;
const FEW = 12; // rows, where not all are asked for
const ABSENT = new Set(["paused", "stopped", "silent"]);

type Row = Data["rows"][number];

export function makeData(panel: Context): View & { lost: HTMLElement; scroll: HTMLElement; draw(): number } {
  const head = h("tr");
  const rows = h("tbody");
  const lost = h("ul", { class: "rl-lost", "aria-live": "assertive" });
  const table = h("table", { class: "rl-table" }, h("thead", {}, head), rows);
  const note = h("span", {});
  const more = button("", {
    testid: "rows",
    kind: "rl-small",
    act: () => panel.ask({ do: "rows", all: !panel.get("data").all }),
  });
  const label = "Table of keys and nodes";
  const scroll = h("div", { class: "rl-scroll", role: "region", "aria-label": label }, table);
  const el = h("div", { class: "rl-data" }, scroll, h("p", { class: "rl-hint" }, note, " ", more.el));
  const wasStale = new Map<string, boolean>();
  let ages: [age: HTMLElement, since: number][] = [];
  let drawn = "";

  function update() {
    const data = panel.get("data");
    const nodes = panel.get("nodes");
    const shown = JSON.stringify([data, nodes.map((node) => node.id + node.look)]);
    if (shown === drawn) return;
    drawn = shown;
    ages = [];
    head.replaceChildren(h("th", { scope: "col" }, "key"), ...nodes.map(headOf));
    rows.replaceChildren(...data.rows.map((row) => rowOf(row, nodes)));
    lost.replaceChildren(
      ...data.lost.map(({ story }) =>
        h("li", { "data-testid": "lost" }, h("strong", {}, "✕ Lost write. "), clip(story, LONG_STORY)),
      ),
    );
    lost.hidden = !data.lost.length;
    table.hidden = !data.rows.length;
    table.style.setProperty("--columns", String(nodes.length + 1));
    setText(note, noteOf(data));
    more.label(data.all ? `Show the first ${FEW}` : "Show all");
    more.el.hidden = data.all ? data.rows.length <= FEW : !data.hidden;
    draw();
  }

  function rowOf(row: Row, nodes: NodeState[]): HTMLElement {
    const key = h("th", { scope: "row", title: clip(row.key, LONG_STORY) }, clip(row.key, LONG_KEY));
    return h(
      "tr",
      {},
      key,
      nodes.map((node) => cellOf(row, node.id)),
    );
  }

  function cellOf(row: Row, node: string): HTMLElement {
    const cell = row.cells[node];
    const name = `${row.key}|${node}`;
    if (!cell) return h("td", { class: "is-unread" }, "…");
    const stale = cell.since !== undefined;
    const kind = stale ? "is-stale" : cell.old ? "is-old" : wasStale.get(name) ? "is-fresh" : "";
    wasStale.set(name, stale);
    const missing = cell.v === null;
    const value = h("span", { class: missing ? "rl-dim" : "rl-value", title: cell.v }, cell.v ?? "—");
    const age = stale ? h("em") : null;
    if (age && cell.since !== undefined) ages.push([age, cell.since]);
    const state = `${stale ? ", stale" : ""}${cell.old ? ", last known" : ""}`;
    const label = `${clip(row.key, LONG_KEY)} at ${node}: ${cell.v ?? "no such key"}${state}`;
    return h("td", { class: kind, "aria-label": label, "data-testid": `cell-${row.key}-${node}` }, value, age);
  }

  /** The ages of stale copies, which grow. */
  function draw(): number {
    const now = panel.clock.now();
    for (const [age, since] of ages) setText(age, `stale ${seconds(Math.max(0, now - since))}`);
    return ages.length && panel.clock.moving ? AGE_EVERY : Infinity;
  }

  return { el, lost, scroll, update, draw };
}

function noteOf(data: Data): string {
  if (!data.rows.length) return "No keys yet. Write one.";
  const more = data.hidden ? `, and ${plural(data.hidden, "more key")}` : "";
  return `First the keys that differ, then the newest${more}.`;
}

function headOf(node: NodeState): HTMLElement {
  const crown = node.look === "leader" ? icon("crown") : null;
  const absent = ABSENT.has(node.look) ? h("span", { class: "rl-dim" }, ` ${LOOKS[node.look]}`) : null;
  return h("th", { scope: "col" }, node.id, crown, absent);
}
