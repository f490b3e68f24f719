// What is open below the checks: a replayed run, a cluster, real nodes, what a search found.

import { button } from "../shared/button";
import { h, setAttribute, setText } from "../shared/dom";
import type { Context, View } from "./context";

const DRAWING = "drawing the diagram"; // is shown where the diagram will be

export function makeStage(panel: Context): View {
  const title = h("strong", { "data-testid": "stage" });
  const words = h("p", { class: "rl-hint" });
  const warning = h("div", { class: "rl-notice is-bad" });
  const close = button("Close", {
    name: "stop",
    kind: "rl-small",
    testid: "leave",
    title: "Close what is shown here",
    act: () => panel.ask({ do: "leave" }),
  });
  const head = h(
    "div",
    { class: "rl-rowhead" },
    h("span", { class: "rl-spin", "aria-hidden": "true" }),
    title,
    close.el,
  );
  const el = h("section", { class: "rl-card rl-stagecard", "aria-label": "What is open below" }, head, words, warning);
  let wanted = false;

  function update() {
    const stage = panel.get("stage");
    const { opening, why } = panel.get("activity");
    const busy = opening !== "" && opening !== DRAWING;
    el.hidden = !stage.kind && !busy;
    setAttribute(el, "aria-busy", busy);
    setText(title, busy ? `${opening.charAt(0).toUpperCase()}${opening.slice(1)} …` : (stage.title ?? ""));
    setText(words, busy ? "" : (stage.text ?? ""));
    setText(warning, stage.warning ?? "");
    warning.hidden = !stage.warning;
    if (!busy && wanted && stage.kind)
      el.scrollIntoView({ block: "start", behavior: panel.calm() ? "auto" : "smooth" });
    wanted = busy; // somebody has just asked for something: it is shown when it is there
    close.allow(busy ? `${opening} …` : why.leave);
  }

  return { el, update };
}
