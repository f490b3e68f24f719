// One node of the ring. Law of this file: role, term and lag are told in words as well as by shape and colour.

import type { NodeId, NodeState } from "../messages/cluster";
import type { Pen } from "../shared/canvas";
import { s, setAttribute, setAttributes, setShown, setText } from "../shared/dom";
import { plural } from "../shared/format";
import { ICONS } from "../shared/icons";
import { type Point, RADIUS } from "./layout";
import { isEnding } from "./rings";
import type { Left } from "./timers";
import { LOOKS, SIDE_NAMES } from "./words";

const PILL = { top: RADIUS + 5, height: 19 };
const BADGE = -RADIUS * 0.92; // where the side of a cut network stands, to the left and above
const SIDE = 11; // its radius
const TELLS = new Set(["leader", "follower", "candidate"]);
const LETTER = 6.1; // width of a letter, near enough for a pill

export interface Disc {
  el: SVGGElement;
  update(node: NodeState, place: Point, groups: NodeId[][], leader: NodeId | null): void;
  /** Says what is left of its patience, if that is little; null: it told nothing, or has no need of it. */
  wait(left: Left | null): void;
  /** Outlines what stands before the ring of its patience. */
  cover(pen: Pen): void;
  /** A ring goes out from a node that becomes leader. */
  pulse(): void;
}

export function makeDisc(name: NodeId, hatch: string, choose: () => void): Disc {
  const role = s("text", { class: "rl-role", y: -1 });
  const term = s("text", { class: "rl-facts", y: 13 });
  const keys = s("text", { class: "rl-facts", y: 26 });
  const pill = s("rect", { class: "rl-pill", y: PILL.top, height: PILL.height, rx: PILL.height / 2 });
  const lag = s("text", { class: "rl-lag", y: PILL.top + 13.5 });
  const badge = s("circle", { class: "rl-sidebadge", r: SIDE, cx: BADGE, cy: BADGE });
  const side = s("text", { class: "rl-side", x: BADGE, y: BADGE + 4 });
  const crown = s("path", { d: ICONS.crown, transform: `translate(-14 ${-RADIUS - 27}) scale(1.75)` });
  const el = s(
    "g",
    { class: "rl-node", role: "button", "data-node": name, onclick: choose, onkeydown: press },
    s("circle", { r: RADIUS + 8, class: "rl-halo" }),
    s("circle", { r: RADIUS, class: "rl-body" }),
    s("circle", { r: RADIUS - 2, class: "rl-weave", fill: `url(#${hatch})` }),
    s("g", { class: "rl-crown" }, crown),
    // The blanks keep the words apart for who reads the texts one after the other.
    [s("text", { class: "rl-name", y: -16 }, name), " ", role, " ", term, " ", keys, " ", pill, lag, " ", badge, side],
  );

  let facts = "";
  let words = "";
  let at: Point = { x: 0, y: 0 };
  let pillWidth = 0; // 0: none is shown
  let onSide = false;

  function press(event: KeyboardEvent) {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose();
  }

  function update(node: NodeState, place: Point, groups: NodeId[][], leader: NodeId | null) {
    at = place;
    setAttribute(el, "transform", `translate(${place.x} ${place.y})`);
    const waving = el.classList.contains("is-new") ? " is-new" : "";
    setAttribute(el, "class", `rl-node is-${node.look}${waving}`);
    setText(role, LOOKS[node.look]);
    setText(term, node.term === null ? "" : `term ${node.term}`);
    facts =
      node.votes && node.look === "candidate"
        ? votesText(node)
        : node.term === null && node.keys === null
          ? ""
          : keysText(node);
    showFacts();
    const tag = lagText(node, leader);
    showLag(tag, node.parted !== null ? "parted" : node.lag ? "behind" : node.lag === null ? "unknown" : "");
    const letter = sideOf(node.id, groups);
    setText(side, letter);
    onSide = Boolean(letter);
    setShown(badge, onSide);
    setAttribute(el, "aria-label", labelOf(node, tag, letter));
  }

  function showLag(tag: string, kind: string) {
    const width = tag.length * LETTER + 16;
    const more = kind ? ` is-${kind}` : "";
    setText(lag, tag);
    setAttribute(lag, "class", `rl-lag${more}`);
    setAttributes(pill, { width, x: -width / 2, class: `rl-pill${more}` });
    setShown(pill, Boolean(tag));
    pillWidth = tag ? width : 0;
  }

  function wait(left: Left | null) {
    words = left && isEnding(left) ? `${left.left.toFixed(1)} s left` : "";
    showFacts();
  }

  function cover(pen: Pen) {
    const { top, height } = PILL;
    if (pillWidth) pen.roundRect(at.x - pillWidth / 2 - 1, at.y + top - 1, pillWidth + 2, height + 2, height / 2 + 1);
    if (onSide) pen.arc(at.x + BADGE, at.y + BADGE, SIDE + 1, 0, 7);
  }

  function showFacts() {
    setText(keys, words || facts);
    setAttribute(keys, "class", `rl-facts${words ? " is-ending" : ""}`);
  }

  function pulse() {
    el.classList.remove("is-new");
    void el.getBoundingClientRect(); // restarts the animation
    el.classList.add("is-new");
  }

  return { el, update, wait, cover, pulse };
}

const votesText = ({ votes }: NodeState): string => (votes ? `${votes.got} of ${votes.of} votes` : "");

export function keysText({ keys }: NodeState): string {
  return keys === null ? "keys not told" : plural(keys, "key");
}

/** How its copy stands to the leader's, in words; empty where there is nothing to compare. */
export function lagText(node: NodeState, leader: NodeId | null): string {
  if (node.parted !== null) return `parted since entry ${node.parted}`;
  if (node.lag !== null) return node.lag === 0 ? "up to date" : `${node.lag} behind`;
  const comparable = leader !== null && leader !== node.id && TELLS.has(node.look);
  return comparable ? "lag unknown" : "";
}

/** The letter of the side that the node is on; empty where the network is whole. */
export function sideOf(node: NodeId, groups: NodeId[][]): string {
  const index = groups.length > 1 ? groups.findIndex((group) => group.includes(node)) : -1;
  return SIDE_NAMES[index] ?? "";
}

function labelOf(node: NodeState, tag: string, side: string): string {
  const facts = [
    `${node.id}: ${LOOKS[node.look]}`,
    `term ${node.term ?? "unknown"}`,
    keysText(node),
    ...(node.votes ? [votesText(node)] : []),
    ...(tag ? [tag] : []),
    ...(side ? [`${side} is its side of the cut network`] : []),
  ];
  return `${facts.join(", ")}. Press Enter for its controls.`;
}
