// A sentence beside the control that it is about. Law of this file: it lies above the rest, so nothing moves when it
// comes or goes, and it stays within the panel.

import { h } from "./dom";
import { clamp, clip } from "./format";

const LONG = 400; // characters
const GAP = 6; // px between control and sentence

export interface Bubble {
  el: HTMLElement;
  /** Say it below `anchor` (null: at the panel's upper edge). `kind` is a class; after `lasts` ms it goes by itself. */
  say(words: string, anchor: Element | null, kind?: string, lasts?: number): void;
  close(): void;
  readonly words: string;
}

export function makeBubble(root: HTMLElement, testid: string, closed: () => void = () => {}): Bubble {
  const text = h("span", {});
  const dismiss = () => {
    close();
    closed();
  };
  const cross = h("button", { type: "button", class: "rl-close", "aria-label": "Dismiss", onclick: dismiss }, "×");
  const note = h("div", { class: "rl-notice", "data-testid": testid }, text, cross);
  const el = h("div", { class: "rl-callout", role: "alert", hidden: true }, note);
  let words = "";
  let timer = 0;

  function say(what: string, anchor: Element | null, kind = "", lasts = 0) {
    words = what;
    text.textContent = clip(what, LONG);
    note.className = `rl-notice ${kind}`;
    el.hidden = false;
    place(anchor);
    clearTimeout(timer);
    if (lasts) timer = window.setTimeout(close, lasts);
  }

  function place(anchor: Element | null) {
    const panel = root.getBoundingClientRect();
    const box = anchor?.isConnected ? anchor.getBoundingClientRect() : null;
    const left = box ? box.left - panel.left : panel.width;
    const below = box ? box.bottom - panel.top + GAP : 44;
    const above = box ? box.top - panel.top - GAP - el.offsetHeight : 44;
    const fits = below + el.offsetHeight < panel.height;
    el.style.left = `${clamp(left, 8, Math.max(8, panel.width - el.offsetWidth - 8))}px`;
    el.style.top = `${Math.max(4, fits ? below : above)}px`;
  }

  function close() {
    clearTimeout(timer);
    words = "";
    el.hidden = true;
  }

  return {
    el,
    say,
    close,
    get words() {
      return words;
    },
  };
}
