// Ways past a panel's many controls for those who use the keyboard. Law of this file: nothing is seen of it until the
// Tab key comes by, and then it is the panel's first stop.

import { h } from "./dom";

interface Goal {
  label: string;
  el: HTMLElement;
}

/** Links to these parts of the panel, and past its end. The second element is to stand at the panel's end. */
export function skipLinks(goals: Goal[]): { el: HTMLElement; end: HTMLElement } {
  const end = h("div", { class: "rl-end", tabindex: -1, role: "note", "aria-label": "End of the panel" });
  const go = (el: HTMLElement) => () => {
    if (!el.hasAttribute("tabindex")) el.tabIndex = -1;
    el.scrollIntoView({ block: "nearest" });
    el.focus({ preventScroll: true });
  };
  const links = [...goals, { label: "the end of the panel", el: end }].map(({ label, el }) =>
    h("button", { type: "button", class: "rl-button rl-small", onclick: go(el) }, label),
  );
  const el = h(
    "nav",
    { class: "rl-skip", "aria-label": "Skip to a part of the panel" },
    h("span", {}, "Skip to"),
    links,
  );
  return { el, end };
}
