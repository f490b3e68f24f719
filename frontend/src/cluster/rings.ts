// A node's patience as a ring that closes. Law of this file: it draws what `timers.ts` knows. It is drawn on the canvas
// of the messages: a change of the picture's elements would have the browser paint nodes and words again.

import type { Colours, Pen } from "../shared/canvas";
import { type Point, RADIUS } from "./layout";
import type { Left } from "./timers";

export const RING = RADIUS + 6;
const WIDTH = 4;
/** From a node's middle to the outer edge of its ring. */
export const REACH = RING + WIDTH / 2;
const ENDING = 0.5; // share of its patience from which on a node says how long it still waits
const TOP = -Math.PI / 2;

export const isEnding = ({ left, full }: Left): boolean => left / full < ENDING;

/** `cover` draws the outlines of what stands before the ring. */
export function drawRing(pen: Pen, { x, y }: Point, left: Left, colours: Colours, cover: (pen: Pen) => void): void {
  const share = left.left / left.full;
  if (share <= 0) return;
  const ending = isEnding(left);
  pen.globalAlpha = ending ? 1 : 0.75;
  pen.strokeStyle = ending ? colours["warn-ink"] : colours.follower;
  pen.lineWidth = WIDTH;
  pen.beginPath();
  pen.arc(x, y, RING, TOP, TOP + 2 * Math.PI * share);
  pen.stroke();
  pen.globalAlpha = 1;
  pen.globalCompositeOperation = "destination-out";
  pen.beginPath();
  cover(pen);
  pen.fill();
  pen.globalCompositeOperation = "source-over";
}
