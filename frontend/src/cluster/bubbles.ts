// What nodes say when something happens to them. Law of this file: one bubble a node at a time, none about what is
// long past, and none of a node that does not run.

import type { Mark, NodeId } from "../messages/cluster";
import { h } from "../shared/dom";
import { clamp, clip } from "../shared/format";
import { type Point, RADIUS } from "./layout";

const LASTS = 2600; // ms
const OLD = 3; // seconds after which nobody wants to hear it
const LONGEST = 60; // characters
const SILENCED = ["stop", "kill", "crash", "pause"]; // faults

export function makeBubbles(): { el: HTMLElement; say(mark: Mark, place: Point, width: number, now: number): void } {
  const el = h("div", { class: "rl-bubbles", "aria-hidden": "true" });
  const spoken = new Map<NodeId, HTMLElement>();

  function say(mark: Mark, place: Point, width: number, now: number) {
    if (mark.level === "fault" && SILENCED.includes(mark.kind)) spoken.get(mark.node)?.remove();
    if (!mark.bubble || now - mark.t > OLD) return;
    spoken.get(mark.node)?.remove();
    const top = Math.max(26, place.y - RADIUS - (mark.level === "crown" ? 30 : 8));
    const words = h("span", {}, clip(mark.bubble, LONGEST));
    const bubble = h("div", { class: `rl-bubble is-${mark.level}`, style: `top:${top}px` }, words);
    spoken.set(mark.node, bubble);
    el.append(bubble);
    const half = bubble.offsetWidth / 2 + 4;
    bubble.style.left = `${clamp(place.x, half, Math.max(half, width - half))}px`;
    setTimeout(() => bubble.remove(), LASTS);
  }

  return { el, say };
}
