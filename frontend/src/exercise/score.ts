// The points so far, as a ring and in words, and the reference solution's beside them.

import { h, s, setAttribute, setText } from "../shared/dom";
import type { Context, View } from "./context";

const RADIUS = 33;
const AROUND = 2 * Math.PI * RADIUS;
const CENTRE = { r: RADIUS, cx: 40, cy: 40 };

export function makeScore(panel: Context): View {
  const arc = s("circle", { class: "rl-arc", ...CENTRE, transform: "rotate(-90 40 40)" });
  const earned = s("text", { class: "rl-earned", x: 40, y: 43 });
  const of = s("text", { class: "rl-of", x: 40, y: 57 });
  const track = s("circle", { class: "rl-track", ...CENTRE });
  const gauge = { viewBox: "0 0 80 80", role: "img", "data-testid": "score" };
  const ring = s("svg", gauge, track, arc, earned, of);
  const about = h("span", { class: "rl-dim" });
  const headline = h("strong", { "data-testid": "headline" });
  const beside = h("span", { class: "rl-dim", "data-testid": "beside" });
  const bar = h("progress", { class: "rl-spent", max: 1, "aria-label": "Time used of the time limit" });
  const el = h("div", { class: "rl-score" }, ring, h("div", { class: "rl-verdict" }, about, headline, bar, beside));

  function besideText(): string {
    const { reference, reference_of: points, reference_on: running, reference_why: why } = panel.get("total");
    if (!reference) return running ? "The reference solution is being run on the same seeds …" : why;
    return `Reference solution, same seeds: ${reference} of ${points} points${running ? " so far" : ""}.`;
  }

  function update() {
    const { id, title } = panel.get("about");
    const total = panel.get("total");
    setText(about, `Exercise ${id.slice(2)} · ${title}`);
    setText(headline, total.headline);
    setText(earned, total.earned);
    setText(of, `of ${total.points}`);
    const share = (Number(total.earned) || 0) / Number(total.points);
    setAttribute(arc, "stroke-dasharray", `${AROUND * share} ${AROUND}`);
    setAttribute(ring, "class", `rl-gauge${total.perfect ? " is-perfect" : ""}`);
    setAttribute(ring, "aria-label", `${total.earned} of ${total.points} points`);
    bar.hidden = total.spent === null;
    bar.value = total.spent ?? 0;
    setText(beside, besideText());
  }

  return { el, update };
}
