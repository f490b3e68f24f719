// The chain of events that led to a moment, in sentences. Law of this file: Python finds the reasons; here they are shown,
// and the messages that carry them are lit up in the picture.

import type { Explanation, Reason, Sent, Why } from "../messages/cluster";
import { h } from "../shared/dom";
import { momentText } from "../shared/format";
import type { Context } from "./context";

export interface Reasons {
  el: HTMLElement;
  show(message: Why): void;
  clear(): void;
}

export function makeReasons(panel: Context, light: (messages: Sent[]) => void): Reasons {
  const el = h("div", { class: "rl-reasons", "aria-live": "polite", "data-testid": "reasons" });

  function show({ explanations }: Why) {
    el.replaceChildren(...explanations.map(chainOf));
    light(explanations.flatMap(({ reasons }) => reasons.flatMap(({ messages }) => messages)));
  }

  const chainOf = ({ question, reasons }: Explanation) =>
    h("div", {}, h("strong", {}, question), h("ol", { class: "rl-moment" }, reasons.map(itemOf)));

  const itemOf = ({ t, text }: Reason, place: number) =>
    h("li", {}, h("time", {}, momentText(t, panel.simulated())), place ? "because " : "", text);

  function clear() {
    if (el.childElementCount) light([]);
    el.replaceChildren();
  }

  return { el, show, clear };
}
