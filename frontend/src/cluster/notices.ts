// What there is to say to the user, each beside the control that caused it. Law of this file: nothing moves when it comes;
// what was dismissed stays away until it has gone and come back.

import type { Problem } from "../messages/common";
import { type Bubble, makeBubble } from "../shared/bubble";

const WHY_LASTS = 4000; // ms
const BUSY = "The kernel is busy with a cell. What you clicked waits, and is done as soon as the cell ends.";

export interface Notices {
  els: HTMLElement[];
  update(problems: Problem[]): void;
  /** Says for some seconds why a control cannot act. */
  explain(reason: string, control: Element | null): void;
  /** Whether something that was clicked waits for the kernel. */
  queue(waiting: boolean): void;
  /** The command of this number was caused by this control. */
  caused(id: number, control: Element | null): void;
}

export function makeNotices(root: HTMLElement): Notices {
  const controls = new Map<string, Element | null>();
  const dismissed = new Set<string>();
  const why = makeBubble(root, "why");
  const busy = makeBubble(root, "busy");
  const shown = new Map<string, Bubble>();
  const bad = [0, 1, 2, 3].map(() => {
    const one: Bubble = makeBubble(root, "problem", () => {
      for (const [key, bubble] of shown) if (bubble === one) dismiss(key);
    });
    return one;
  });
  let last: Element | null = null;

  function dismiss(key: string) {
    dismissed.add(key);
    shown.delete(key);
  }

  function update(problems: Problem[]) {
    const present = new Map(problems.map((problem) => [problem.id + problem.text, problem]));
    for (const key of dismissed) if (!present.has(key)) dismissed.delete(key);
    for (const [key, bubble] of shown) {
      if (present.has(key)) continue;
      bubble.close();
      shown.delete(key);
    }
    for (const [key, problem] of present) {
      const free = bad.find((one) => ![...shown.values()].includes(one));
      if (shown.has(key) || dismissed.has(key) || !free) continue;
      shown.set(key, free);
      free.say(problem.text, controls.get(problem.id) ?? null, "is-bad");
    }
  }

  return {
    els: [why.el, busy.el, ...bad.map((one) => one.el)],
    update,
    explain: (reason, control) => why.say(reason, control, "", WHY_LASTS),
    queue(waiting) {
      if (!waiting) busy.close();
      else if (!busy.words) busy.say(BUSY, last);
    },
    caused(id, control) {
      last = control;
      controls.set(`command-${id}`, control);
      if (controls.size > 50) controls.delete(controls.keys().next().value ?? "");
    },
  };
}
