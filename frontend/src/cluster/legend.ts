// What the moving marks mean. Law of this file: each is drawn by the function that draws it in the picture.

import type { Family } from "../messages/cluster";
import { type Colours, drawX, fitCanvas } from "../shared/canvas";
import { h, setAttribute } from "../shared/dom";
import { drawDot } from "./dots";

const SIZE = 14;
const KINDS: [Family | "lost", string][] = [
  ["heartbeat", "heartbeat"],
  ["replication", "replication"],
  ["election", "election"],
  ["alive", "“I am alive”"],
  ["heartbeat-reply", "answer"],
  ["lost", "lost"],
];

export function makeLegend(colours: Colours): { el: HTMLElement; draw(): void } {
  const canvas = h("canvas"); // of no page: there, each would be one layer more that the browser puts together
  const pictures = KINDS.map(([kind]) => [kind, h("img", { alt: "", width: SIZE, height: SIZE })] as const);
  const entries = KINDS.map(([, label], index) => h("span", {}, pictures[index]?.[1], label));
  const draw = () => {
    for (const [kind, picture] of pictures) {
      const pen = fitCanvas(canvas, SIZE, SIZE);
      if (kind === "lost") {
        pen.strokeStyle = colours.bad;
        pen.lineWidth = 2;
        drawX(pen, SIZE / 2, SIZE / 2, 4);
      } else {
        drawDot(pen, kind, SIZE / 2, SIZE / 2, colours, 0);
      }
      setAttribute(picture, "src", canvas.toDataURL());
    }
  };
  return { el: h("div", { class: "rl-legend" }, entries), draw };
}
