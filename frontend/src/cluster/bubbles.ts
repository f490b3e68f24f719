// What nodes say when something happens to them. Law of this file: one bubble a node at a time, none about what is
// long past, and none of a node that does not run.

import type { Mark, NodeId, NodeState } from "../messages/cluster";
import { h } from "../shared/dom";
import { clamp, clip } from "../shared/format";
import { type Point, RADIUS } from "./layout";

const LASTS = 2600; // ms
const OLD = 3; // seconds after which nobody wants to hear it
const LONGEST = 60; // characters
const DOWN = ["stopped", "paused"]; // looks

export interface Bubbles {
  el: HTMLElement;
  say(mark: Mark, place: Point, width: number, now: number): void;
  update(nodes: NodeState[]): void;
}

export function makeBubbles(): Bubbles {
  const el = h("div", { class: "rl-bubbles", "aria-hidden": "true" });
  const spoken = new Map<NodeId, HTMLElement>();
  let silent = new Set<NodeId>();

  function say(mark: Mark, place: Point, width: number, now: number) {
    if (!mark.bubble || silent.has(mark.node) || now - mark.t > OLD) return;
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

  /** Whatever stopped them, on purpose or not. */
  function update(nodes: NodeState[]) {
    silent = new Set(nodes.filter(({ look }) => DOWN.includes(look)).map(({ id }) => id));
    for (const id of silent) spoken.get(id)?.remove();
  }

  return { el, say, update };
}
