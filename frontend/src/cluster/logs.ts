// The logs: a row for each node, a box for each entry, the newest on the right. Law of this file: what becomes of an
// entry is told by its mark as well as by its colour: open ones are hatched, doomed ones struck out.

import type { LogRow, Logs, NodeId } from "../messages/cluster";
import { h } from "../shared/dom";
import { clamp, clip } from "../shared/format";
import { icon } from "../shared/icons";
import type { Context, View } from "./context";

const BOX = 49; // px that an entry takes
const NAMES = 74; // px for the nodes' names
const SHORT = 6; // characters up to which key and value stand in a box
const WORDS = 14; // and of a key at the most
const TERMS = 6; // colours of terms, which come again after that
const STATES: Record<string, string> = {
  committed: "committed",
  open: "not committed here",
  doomed: "not in the leader's log",
  folded: "part of a snapshot",
};

export function makeLogs(panel: Context): View & { stories: HTMLElement } {
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
    const leaders = panel.get("nodes").flatMap(({ id, look }) => (look === "leader" ? [id] : []));
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
      h("th", { class: "rl-rest" }),
    );
    rows.replaceChildren(...logs.rows.map((row) => rowOf(row, logs, indexes, leaders)));
    stories.replaceChildren(...logs.stories.map((story) => h("li", { title: story }, story)));
  }

  return { el, update, stories };
}

const atCommit = (logs: Logs, index: number): string => (index === logs.commit ? "is-commit" : "");

function rowOf(row: LogRow, logs: Logs, indexes: number[], leaders: NodeId[]): HTMLElement {
  const crown = leaders.includes(row.node) ? icon("crown") : null;
  const boxes = indexes.map((index) => boxOf(row, logs, index));
  const name = h("th", { scope: "row" }, row.node, crown);
  return h("tr", { class: row.told ? "" : "is-old" }, name, boxes, h("td", { class: "rl-rest" }));
}

function boxOf(row: LogRow, logs: Logs, index: number): HTMLElement {
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
