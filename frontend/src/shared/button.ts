// Buttons. Law of this file: a button is never `disabled`. The keyboard could not reach it then, and nobody could read
// why it does nothing. Where it cannot act it is dimmed, carries the reason as its title, and says it when pressed.

import { h, setAttribute } from "./dom";
import { type IconName, icon } from "./icons";

interface Options {
  act: () => void;
  name?: IconName;
  title?: string;
  kind?: string;
  /** For tests. */
  testid?: string;
  /** The name for screen readers, where the label alone would not do. */
  aria?: string;
}

export interface Button {
  el: HTMLButtonElement;
  /** Why it cannot act now; empty: it can. */
  allow(why?: string): void;
  label(words: string): void;
}

/** The event that carries a reason up to the panel, which shows it. */
export const WHY = "rl-why";

export function button(label: string, { name, title = "", act, kind = "", testid, aria }: Options): Button {
  const words = h("span", {}, label);
  const attributes = { type: "button", class: `rl-button ${kind}`, "data-testid": testid, "aria-label": aria };
  const el = h("button", attributes, name ? icon(name) : null, words);
  let reason = "";
  el.addEventListener("click", () => {
    if (reason) el.dispatchEvent(new CustomEvent(WHY, { bubbles: true, detail: reason }));
    else act();
  });
  const allow = (why = "") => {
    reason = why;
    setAttribute(el, "aria-disabled", Boolean(why));
    setAttribute(el, "title", why || title);
  };
  allow();
  return { el, allow, label: (text) => words.replaceChildren(text) };
}

export function copyButton(what: () => string): HTMLButtonElement {
  const made = button("Copy", { title: "Copy to the clipboard", act: copy, kind: "rl-small" });
  const flash = (message: string) => {
    made.label(message);
    setTimeout(() => made.label("Copy"), 1500);
  };
  function copy() {
    navigator.clipboard.writeText(what()).then(
      () => flash("Copied"),
      () => flash("Select it and press Ctrl+C"),
    );
  }
  return made.el;
}

/** A row of buttons of which one is chosen. */
export interface Choice<Value> {
  el: HTMLElement;
  buttons: Map<Value, Button>;
  show(chosen: Value): void;
}

export function choice<Value extends string>(
  label: string,
  options: { value: Value; words: string; title: string; testid: string }[],
  act: (value: Value) => void,
): Choice<Value> {
  const buttons = new Map(
    options.map(({ value, words, title, testid }) => [
      value,
      button(words, { kind: "rl-small", title, testid, act: () => act(value) }),
    ]),
  );
  const el = h(
    "div",
    { class: "rl-choice", role: "group", "aria-label": label },
    [...buttons.values()].map((one) => one.el),
  );
  const show = (chosen: Value) => {
    for (const [value, one] of buttons) setAttribute(one.el, "aria-pressed", value === chosen);
  };
  return { el, buttons, show };
}
