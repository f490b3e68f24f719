// What the nodes hold, in two views of one place: their logs, and the values that follow from them. Law of this file: it
// decides which is seen; a lost write and an entry in danger are told below in either.

import type { Info } from "../messages/cluster";
import { choice } from "../shared/button";
import { h } from "../shared/dom";
import { oneTabStop } from "../shared/keys";
import type { Context, View } from "./context";
import { makeData } from "./data";
import { makeLogs } from "./logs";

type Side = "logs" | "values";

export interface Board extends View {
  /** For drawing: the ages of stale copies. */
  values: HTMLElement;
  draw(): number;
  layout(): void;
}

export function makeBoard(panel: Context): Board {
  const logs = makeLogs(panel);
  const data = makeData(panel);
  const sides = [
    { value: "logs" as const, words: "Logs", title: "What each node has written down", testid: "show-logs" },
    { value: "values" as const, words: "Values", title: "Which node holds which value", testid: "show-values" },
  ];
  const tabs = choice<Side>("Logs or values", sides, (side) => {
    chosen = side;
    update();
  });
  const hint = h("span", { class: "rl-dim" });
  const body = h("div", { class: "rl-sheet" }, logs.el, data.el);
  const told = h(
    "div",
    { class: "rl-told", role: "region", "aria-label": "Entries in danger" },
    data.lost,
    logs.stories,
  );
  const attributes = { class: "rl-card rl-board", "aria-label": "What the nodes hold" };
  const el = h("section", attributes, h("div", { class: "rl-rowhead" }, tabs.el, hint), body, told);
  oneTabStop(tabs.el, "button");
  let chosen: Side = "logs";

  function update() {
    const parts = panel.get("parts");
    const only =
      parts.includes("logs") === parts.includes("values") ? null : parts.includes("logs") ? "logs" : "values";
    const side = only ?? chosen;
    tabs.show(side);
    tabs.el.hidden = only !== null;
    logs.el.hidden = side !== "logs";
    data.el.hidden = side !== "values";
    hint.textContent =
      side === "logs" ? committed(panel.get("info")) : "a copy that differs from the leader's is stale";
    logs.update();
    data.update();
    for (const one of [told, logs.el, data.scroll]) scrollable(one);
  }

  return { el, values: data.el, update, draw: data.draw, layout: logs.update };
}

/** In async a write waits for no other copy, so "committed" says less than elsewhere. */
const committed = ({ mode }: Info): string =>
  mode === "async"
    ? "green line: committed, in async by the leader alone"
    : "left of the green line an entry is committed";

/** What does not fit can be scrolled with the keyboard, too; what fits is no stop of the Tab key. */
function scrollable(el: HTMLElement): void {
  el.tabIndex = el.scrollHeight > el.clientHeight + 1 || el.scrollWidth > el.clientWidth + 1 ? 0 : -1;
}
