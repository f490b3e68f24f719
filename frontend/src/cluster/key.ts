// What the marks on the timeline mean. Law of this file: words and the same pictograms as in the lanes.

import { h, s } from "../shared/dom";
import { ICONS, type IconName } from "../shared/icons";

const MARKS: [IconName, string, string][] = [
  ["start", "started", "is-good"],
  ["stop", "stopped", "is-bad"],
  ["kill", "killed", "is-bad"],
  ["pause", "paused", "is-bad"],
  ["crown", "leads", "is-crown"],
  ["cut", "lost a write", "is-bad"],
];
const SIGNS: [string, string, string][] = [
  ["!", "election timeout", "is-election"],
  ["●", "write done", "is-good"],
  ["✕", "refused", "is-bad"],
  ["○", "outcome unknown", "is-election"],
];

export function makeTimelineKey(): HTMLElement {
  const marks = MARKS.map(([name, words, kind]) => {
    const icon = s(
      "svg",
      { viewBox: "0 0 16 16", class: `rl-icon ${kind}`, "aria-hidden": "true" },
      s("path", { d: ICONS[name] }),
    );
    return h("span", {}, icon, words);
  });
  const signs = SIGNS.map(([sign, words, kind]) =>
    h("span", {}, h("b", { class: kind, "aria-hidden": "true" }, sign), words),
  );
  return h("div", { class: "rl-key" }, marks, signs);
}
