// The space–time diagram of a failed run, and its story in sentences. Law of this file: Python draws; here one chooses
// whose run and how much of it, and goes to a moment.

import type { Diagram, Row, Whose } from "../messages/exercise";
import { button, choice } from "../shared/button";
import { drawingOf, h, s, setAttribute } from "../shared/dom";
import { clamp } from "../shared/format";
import type { Context } from "./context";
import { axisOf, shareAt, xOf } from "./view";
import { makeZoom } from "./zoom";

const NARROWEST = 700; // CSS pixels that a diagram is drawn wide
const WIDEST = 1500;
const WIDEST_RUN = 4000;
const CAPTION =
  "Time goes to the right. Drag to move, Ctrl and wheel to zoom; rest on an arrow to read about it, choose a sentence " +
  "to go to its moment.";
const FIGURE = "Space–time diagram: arrow keys move it, + and − zoom, 0 shows all";

export function makeDiagram(panel: Context, id: string) {
  let whose: Whose = "yours";
  let whole = false;
  let about = "";
  let finding = "";
  let waiting = false;

  const who = choice<Whose>(
    "Whose run",
    [
      { value: "yours", words: "your class", title: "The run that the check judged", testid: `yours-${id}` },
      {
        value: "reference",
        words: "the reference",
        title: "The same seed and faults with the reference solution",
        testid: `reference-${id}`,
      },
    ],
    (value) => {
      whose = value;
      ask();
    },
  );
  const span = choice<"near" | "whole">(
    "How much of it",
    [
      { value: "near", words: "around the failure", title: "The seconds that matter", testid: `near-${id}` },
      { value: "whole", words: "the whole run", title: "From the beginning to the end", testid: `whole-${id}` },
    ],
    (value) => {
      whole = value === "whole";
      ask();
    },
  );
  const attributes = { class: "rl-figure", role: "group", "aria-label": FIGURE, "data-testid": `figure-${id}` };
  const figure = h("div", { tabindex: 0, ...attributes });
  const zoomer = makeZoom(figure, panel.calm);
  const tool = (label: string, aria: string, act: () => void) =>
    button(label, { kind: "rl-small", title: aria, aria, act }).el;
  const tools = [
    tool("+", "Zoom in", zoomer.closer),
    tool("−", "Zoom out", zoomer.farther),
    tool("all", "Show all of it", zoomer.all),
  ];
  const close = button("Close", { kind: "rl-small", act: () => el.toggleAttribute("hidden", true) });
  const buttons = h("div", { class: "rl-buttons" }, tools);
  const head = h("div", { class: "rl-diagramtools" }, who.el, span.el, buttons, close.el);
  const story = h("ol", { class: "rl-story", "aria-label": "What happened" });
  const caption = h("p", { class: "rl-hint" }, CAPTION);
  const el = h("div", { class: "rl-space", hidden: true }, head, figure, caption, story);

  function say(words: string) {
    figure.replaceChildren(h("p", { class: "rl-hint" }, words));
  }

  function ask() {
    el.hidden = false;
    waiting = true;
    mark();
    say("Drawing …");
    const room = clamp(el.clientWidth || 900, NARROWEST, WIDEST);
    panel.ask({ do: "diagram", check: id, whose, whole, width: whole ? Math.min(WIDEST_RUN, 2 * room) : room });
  }

  function mark() {
    who.show(whose);
    span.show(whole ? "whole" : "near");
  }

  function take(message: Diagram) {
    ({ whose, whole } = message);
    el.hidden = waiting = false;
    mark();
    const drawing = drawingOf(message.svg);
    drawing.removeAttribute("style");
    figure.replaceChildren(drawing, zoomer.lanes);
    zoomer.adopt(drawing);
    markMoment(drawing, message.moment, whose === "yours");
    tell(message);
  }

  function tell({ story: told, moment }: Diagram) {
    const sentences = told.map(([time, words]) => ({ time, words, here: false }));
    if (whose === "yours") sentences.push({ time: moment, words: finding, here: true });
    sentences.sort((one, other) => one.time - other.time);
    story.replaceChildren(
      ...sentences.map(({ time, words, here }) => {
        const at = h("time", {}, `${time.toFixed(2)} s`);
        const go = h("button", { type: "button", onclick: () => zoomer.go(time) }, at, words);
        return h("li", { class: here ? "is-moment" : "" }, go);
      }),
    );
  }

  function update(row: Row) {
    finding = row.message;
    const subject = row.scene + row.message;
    if (about !== subject) {
      // Another failure than the one that is drawn.
      about = subject;
      el.hidden = true;
      figure.replaceChildren();
      story.replaceChildren();
      whose = "yours";
      whole = false;
    }
    who.buttons.get("reference")?.allow(panel.whyNoReference());
    const failed = !panel.get("activity").opening && panel.get("problems").some((problem) => problem.id === "work");
    if (waiting && failed) say("It could not be drawn: the reason stands above.");
  }

  return { el, ask, take, update };
}

/** Where the rule was found broken; in the reference's run, the same time. */
function markMoment(drawing: SVGSVGElement, time: number, broken: boolean): void {
  const axis = axisOf(drawing);
  const share = shareAt(axis, time);
  if (!(share >= 0 && share <= 1)) return;
  const x = xOf(axis, time);
  const bottom = drawing.viewBox.baseVal.height;
  const words = `${broken ? "✗ " : ""}${time.toFixed(3)} s`;
  const mark = s("g", { class: "rl-here" }, s("line", { x1: x, x2: x, y1: 4, y2: bottom - 70 }));
  mark.append(s("text", { x: x - 4, y: 12, "text-anchor": "end" }, words));
  setAttribute(mark, "aria-hidden", "true");
  drawing.append(mark);
}
