// All checks at a glance, each as wide as its points: the student's code, and the reference below.

import type { Row, State } from "../messages/exercise";
import { h, setAttribute, setAttributes, setText } from "../shared/dom";
import { plural } from "../shared/format";
import { type Context, isOver, STATES, type View } from "./context";

export function makeStrip(panel: Context): View {
  const mine = h("div", { class: "rl-strip", role: "img" });
  const theirs = h("div", { class: "rl-strip is-thin", role: "img" });
  const el = h("div", { class: "rl-strips" }, mine, theirs);

  function update() {
    const rows = panel.get("rows");
    fill(mine, rows, (row) => row.state, "Your code", true);
    fill(theirs, rows, (row) => row.reference, "The reference", false);
    theirs.hidden = rows.every((row) => row.reference === "idle");
  }

  return { el, update };
}

function fill(strip: HTMLElement, rows: Row[], stateOf: (row: Row) => State, whose: string, signs: boolean): void {
  while (strip.children.length < rows.length) strip.append(h("span"));
  for (const [index, row] of rows.entries()) {
    const part = strip.children[index] as HTMLElement;
    const [sign, word] = STATES[stateOf(row)];
    part.style.flexGrow = String(row.share);
    setAttributes(part, { class: `is-${stateOf(row)}${row.old ? " is-old" : ""}`, title: `${row.title}: ${word}` });
    if (signs) setText(part, sign);
  }
  const over = rows.filter((row) => isOver(stateOf(row))).length;
  const passed = rows.filter((row) => stateOf(row) === "passed").length;
  setAttribute(strip, "aria-label", `${whose}: ${over} of ${plural(rows.length, "check")} done, ${passed} passed`);
}
