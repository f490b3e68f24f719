// What is run, and which code. Law of this file: what cannot be done now says why.

import type { Source } from "../messages/exercise";
import { button, type Choice, choice } from "../shared/button";
import { h, setText } from "../shared/dom";
import type { Context, View } from "./context";

export function makeControls(panel: Context): View {
  const run = button("Run", {
    name: "start",
    kind: "rl-primary",
    testid: "run",
    title: "Run all checks on your code, then the reference beside it",
    act: () => panel.ask({ do: "run" }),
  });
  const stop = button("Stop", {
    name: "stop",
    testid: "stop",
    title: "End what is being run; the marks so far stay",
    act: () => panel.ask({ do: "stop" }),
  });
  const real = button("Run on the real cluster", {
    name: "kill",
    testid: "real",
    title: "Start three processes that elect their leader with your class",
    act: () => panel.ask({ do: "real" }),
  });
  const search = button("Search", {
    name: "step",
    testid: "search",
    title: "Try every order of messages up to ten steps: can two nodes lead in one term?",
    act: () => panel.ask({ do: "search" }),
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
    h("div", { class: "rl-source" }, label, place, detail, changed),
  );
  let offered: Choice<string> | null = null;
  let kinds = "";

  function offer(source: Source): Choice<string> {
    const present = source.choices.map((one) => one.kind).join();
    if (offered && kinds === present) return offered;
    kinds = present;
    const options = source.choices.map(({ kind, label }) => {
      return { value: kind, words: label, title: "Run this code", testid: `source-${kind}` };
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
