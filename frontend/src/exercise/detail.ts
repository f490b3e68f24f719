// One check in detail: what it saw, the rule, a hint, and how to see it again. Law of this file: what cannot be opened
// says why.

import type { Diagram, Row } from "../messages/exercise";
import { button, copyButton } from "../shared/button";
import { h, setText } from "../shared/dom";
import { type Context, isOver, isWrong } from "./context";
import { makeDiagram } from "./diagram";

export interface Detail {
  el: HTMLElement;
  update(row: Row): void;
  take(message: Diagram): void;
}

export function makeDetail(panel: Context, id: string): Detail {
  const message = h("p", { class: "rl-message" });
  const rule = fact("Rule");
  const hint = fact("Hint");
  const evidence = h("ul", { class: "rl-evidence" });
  const printed = h("pre", {
    class: "rl-body-text",
    tabindex: 0,
    role: "region",
    "aria-label": "What your code printed",
  });
  const output = h("details", { class: "rl-output" }, h("summary", {}, "What your code printed"), printed);
  const diagram = makeDiagram(panel, id);
  const draw = button("Space–time diagram", {
    kind: "rl-small",
    testid: `diagram-${id}`,
    title: "Draw every message of the failed run between the nodes",
    act: diagram.ask,
  });
  const open = button("Open in the cluster panel", {
    name: "rewind",
    kind: "rl-small",
    testid: `open-${id}`,
    title: "Step through it, play it, rewind it",
    act: () => panel.ask({ do: "open", check: id, whose: "yours" }),
  });
  const other = button("Open it with the reference", {
    kind: "rl-small",
    testid: `other-${id}`,
    title: "The same seed and the same faults, with the reference solution",
    act: () => panel.ask({ do: "open", check: id, whose: "reference" }),
  });
  const command = h("code");
  const copy = copyButton(() => command.textContent ?? "");
  const replay = h("div", { class: "rl-curl", title: "In a terminal" }, command, copy);
  const actions = h("div", { class: "rl-buttons" }, draw.el, open.el, other.el);
  const el = h("div", { class: "rl-detail", id: `${panel.id}-${id}`, hidden: true }, [
    message,
    rule.el,
    evidence,
    hint.el,
    output,
    actions,
    diagram.el,
    replay,
  ]);
  let listed = "";

  function update(row: Row) {
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

  function offer({ scene }: Row) {
    const { why } = panel.get("activity");
    const run = scene === "run";
    draw.el.hidden = other.el.hidden = !run && !panel.get("about").election;
    draw.allow(run ? why.open : "There is nothing to draw: the check did not fail in a run of the simulator.");
    open.allow(scene ? why.open : "There is nothing to open: the check did not fail in the simulator.");
    other.allow(run ? panel.whyNoReference() || why.open : "There is no run to compare.");
  }

  function list(facts: string[]) {
    const words = facts.join("\n");
    if (listed === words) return;
    listed = words;
    evidence.replaceChildren(...facts.map((one) => h("li", {}, one)));
    evidence.hidden = !facts.length;
  }

  return { el, update, take: diagram.take };
}

function fact(label: string): { el: HTMLElement; show(words: string): void } {
  const body = h("span");
  const el = h("p", { class: "rl-fact" }, h("b", {}, label), body);
  const show = (words: string) => {
    setText(body, words);
    el.hidden = !words;
  };
  return { el, show };
}
