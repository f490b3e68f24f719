// Sentences above the panel: what went wrong, what waits, why a control cannot act. Law of this file: it knows no
// cluster and no exercise; a notice that was dismissed stays away until it has gone and come back.

import type { Problem } from "../messages/common";
import { h } from "./dom";
import { clip } from "./format";

const LONG = 400; // characters
const WHY_LASTS = 4000; // ms
const BUSY = "The kernel is busy with a cell. What you clicked waits, and is done as soon as the cell ends.";

export interface Notices {
  el: HTMLElement;
  update(): void;
  /** Says for some seconds why a control cannot act. */
  explain(reason: string): void;
  /** Whether something that was clicked waits for the kernel. */
  queue(waiting: boolean): void;
}

export function makeNotices(problems: () => Problem[], notes: () => string[] = () => []): Notices {
  const el = h("div", { class: "rl-notices", role: "alert" });
  const dismissed = new Set<string>();
  let why = "";
  let whyTimer = 0;
  let queued = false;
  let drawn = "";

  const keyOf = (problem: Problem) => problem.id + problem.text;

  function bad(problem: Problem) {
    const dismiss = () => {
      dismissed.add(keyOf(problem));
      update();
    };
    const close = h("button", { type: "button", class: "rl-close", "aria-label": "Dismiss", onclick: dismiss }, "×");
    return h(
      "div",
      { class: "rl-notice is-bad", "data-testid": "problem" },
      h("span", {}, clip(problem.text, LONG)),
      close,
    );
  }

  function update() {
    const present = new Set(problems().map(keyOf));
    for (const key of dismissed) if (!present.has(key)) dismissed.delete(key);
    const open = problems().filter((problem) => !dismissed.has(keyOf(problem)));
    const shown = JSON.stringify([open, notes(), queued, why]);
    if (shown === drawn) return;
    drawn = shown;
    el.replaceChildren(
      ...open.map(bad),
      ...notes().map((note) => h("div", { class: "rl-notice" }, note)),
      ...(queued ? [h("div", { class: "rl-notice" }, BUSY)] : []),
      ...(why ? [h("div", { class: "rl-notice", "data-testid": "why" }, why)] : []),
    );
  }

  function explain(reason: string) {
    why = reason;
    clearTimeout(whyTimer);
    whyTimer = window.setTimeout(() => {
      why = "";
      update();
    }, WHY_LASTS);
    update();
  }

  function queue(waiting: boolean) {
    queued = waiting;
    update();
  }

  return { el, update, explain, queue };
}
