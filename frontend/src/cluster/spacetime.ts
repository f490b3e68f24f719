// The space–time diagram below the timeline. Law of this file: Python draws it; here it is asked for and shown.

import type { SpaceTime } from "../messages/cluster";
import { button } from "../shared/button";
import { drawingOf, h } from "../shared/dom";
import { clamp } from "../shared/format";
import type { Context } from "./context";

export interface Diagram {
  el: HTMLElement;
  ask(start: number, end: number, width: number): void;
  show(message: SpaceTime): void;
}

export function makeSpaceTime(panel: Context): Diagram {
  const attributes = { class: "rl-diagram", tabindex: 0, role: "region", "aria-label": "Space–time diagram" };
  const diagram = h("div", attributes);
  const close = button("Close", { kind: "rl-small", act: () => el.toggleAttribute("hidden", true) });
  const title = h("div", { class: "rl-rowhead" }, h("strong", {}, "Space–time"), close.el);
  const el = h("div", { class: "rl-space", hidden: true }, title, diagram);

  function ask(start: number, end: number, width: number) {
    el.hidden = false;
    diagram.replaceChildren(h("p", { class: "rl-hint" }, "Drawing…"));
    panel.ask({ do: "spacetime", start, end, width: clamp(width, 400, 2400) });
  }

  const show = ({ svg }: SpaceTime) => diagram.replaceChildren(drawingOf(svg));
  return { el, ask, show };
}
