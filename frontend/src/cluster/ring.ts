// The cluster as a ring of nodes, with its links and the messages between them. Law of this file: the links and nodes
// are elements that change only with the cluster; what moves is drawn on a canvas above them, which is no larger than
// it must be: the browser puts all of it together anew for each picture.

import type { Mark, News, NodeId, NodeState, Sent, Timer } from "../messages/cluster";
import { fitCanvas, type Pen } from "../shared/canvas";
import { h, s, setAttribute, setAttributes, setShown } from "../shared/dom";
import { clamp } from "../shared/format";
import { ICONS } from "../shared/icons";
import { oneTabStop } from "../shared/keys";
import { makeBubbles } from "./bubbles";
import type { Context, View } from "./context";
import { type Disc, makeDisc } from "./disc";
import { drawLit, drawSights } from "./dots";
import { JUST, makeFlights, type Sight } from "./flights";
import { makeHands } from "./hands";
import { type Area, areaOf, type Point, placesOf } from "./layout";
import { makeLegend } from "./legend";
import { makeTimers } from "./timers";

// Without a graphics card each picture costs some milliseconds: while little happens, there are fewer.
const CROWD = 48; // moving messages from which on each frame is drawn
const FEW = 12; // and up to which it is little, unless it is an election or a loss
const BUSY_PAUSE = 28; // ms between two pictures
const REST_PAUSE = 80;
const TIMER_STEPS = 24; // steps in which a timer's ring closes

export interface Ring extends View {
  stage: HTMLElement;
  layout(): void;
  /** Returns the milliseconds within which it wants to be drawn. */
  take(news: News): number;
  say(mark: Mark): void;
  /** Shows these messages beside what moves, until told otherwise. */
  light(messages: Sent[]): void;
  forget(now: number, timers: Timer[]): void;
  draw(stamp: number): number;
}

interface Link {
  line: SVGLineElement;
  cut: SVGGElement;
}

export function makeRing(panel: Context): Ring {
  const links = s("svg", { class: "rl-links", "aria-hidden": "true" });
  const canvas = h("canvas", { class: "rl-dots", "aria-hidden": "true" });
  const hatch = `${panel.id}-hatch`;
  const discs = s("svg", { class: "rl-discs", role: "group", "aria-label": "The cluster's nodes" }, pattern(hatch));
  const bubbles = makeBubbles();
  const legend = makeLegend(panel.colours);
  const hands = makeHands(panel);
  const stage = h("div", { class: "rl-stage" }, links, discs, canvas, hands.dots, bubbles.el, hands.menu);
  const el = h("section", { class: "rl-ring", "aria-label": "Topology" }, stage, legend.el);
  const places = new Map<NodeId, Point>();
  const nodes = new Map<NodeId, Disc>();
  const pairs = new Map<string, Link>();
  const flights = makeFlights(panel.clock);
  const timers = makeTimers();
  const tabStop = oneTabStop(discs, ".rl-node");
  let pen: Pen | null = null;
  let width = 0;
  let area: Area = { x: 0, y: 0, width: 0, height: 0 };
  let cuts = new Set<string>();
  let clean = true;
  let lit: Sent[] = []; // messages that are the reason of something
  let since = -Infinity; // what was said before is over

  // -- nodes and links

  function layout() {
    const names = panel.get("nodes").map((node) => node.id);
    width = stage.clientWidth;
    const height = stage.clientHeight;
    if (!width || !height || !names.length) return;
    for (const svg of [links, discs, hands.dots]) setAttribute(svg, "viewBox", `0 0 ${width} ${height}`);
    for (const [index, place] of placesOf(names.length, width, height).entries()) places.set(names[index] ?? "", place);
    area = areaOf([...places.values()]);
    pen = fitCanvas(canvas, area.width, area.height);
    pen.translate(-area.x, -area.y);
    canvas.style.translate = `${area.x}px ${area.y}px`;
    legend.draw();
    update();
  }

  function update() {
    if (!places.size) return;
    const all = panel.get("nodes");
    const { cuts: pairsCut, groups } = panel.get("network");
    cuts = new Set(pairsCut.flatMap(([one, other]) => [`${one}|${other}`, `${other}|${one}`]));
    hands.update(places, width);
    bubbles.update(all);
    for (const [index, node] of all.entries()) {
      for (const other of all.slice(index + 1)) updateLink(node, other);
      const place = places.get(node.id);
      if (place) disc(node.id).update(node, place, groups, panel.get("info").leader);
    }
  }

  function updateLink(node: NodeState, other: NodeState) {
    const one = places.get(node.id);
    const two = places.get(other.id);
    if (!one || !two) return;
    const { line, cut } = link(`${node.id}|${other.id}`);
    setAttributes(line, { x1: one.x, y1: one.y, x2: two.x, y2: two.y });
    const isCut = cuts.has(`${node.id}|${other.id}`);
    setAttribute(line, "class", `rl-link${isCut ? " is-cut" : linkKind(node, other)}`);
    setAttribute(cut, "transform", `translate(${(one.x + two.x) / 2} ${(one.y + two.y) / 2})`);
    setShown(cut, isCut);
  }

  function link(key: string): Link {
    const known = pairs.get(key);
    if (known) return known;
    const line = s("line", { class: "rl-link" });
    const cross = s("path", { d: ICONS.cut, transform: "translate(-5.6 -5.6) scale(.7)" });
    const cut = s("g", { class: "rl-cut" }, s("circle", { r: 11 }), cross);
    links.append(line, cut);
    pairs.set(key, { line, cut });
    return { line, cut };
  }

  function disc(name: NodeId): Disc {
    const known = nodes.get(name);
    if (known) return known;
    const made = makeDisc(name, hatch, () => panel.focusNode(name));
    discs.append(made.el);
    nodes.set(name, made);
    tabStop();
    return made;
  }

  // -- messages, and what nodes say

  function draw(stamp: number): number {
    if (!pen) return Infinity;
    const flown = flights.sights(stamp, panel.get("network").delay_ms, panel.calm());
    const sights = hands.busy ? flown.filter(({ flight }) => flight.arrived !== undefined || flight.lost) : flown;
    if (sights.length || !clean) pen.clearRect(area.x, area.y, area.width, area.height);
    clean = !sights.length && !lit.length;
    if (lit.length && clean) pen.clearRect(area.x, area.y, area.width, area.height);
    drawSights(pen, sights, places, panel.colours);
    drawLit(pen, lit, places, panel.colours);
    return Math.min(flights.nextIn(), standsFor(sights), drawTimers());
  }

  /** The nodes' patience. Returns the milliseconds for which that picture stands. */
  function drawTimers(): number {
    let stands = Infinity;
    const now = panel.clock.now();
    for (const { id, look } of panel.get("nodes")) {
      const left = look === "follower" || look === "candidate" ? timers.at(id, now) : null;
      nodes.get(id)?.wait(left);
      if (left?.left && panel.clock.moving) {
        stands = Math.min(stands, clamp((1000 * left.full) / TIMER_STEPS / panel.clock.rate, 80, 500));
      }
    }
    return stands;
  }

  function say(mark: Mark) {
    const place = places.get(mark.node);
    if (!place || mark.t < since) return;
    bubbles.say(mark, place, width, panel.clock.now());
    if (mark.level === "crown" && !panel.calm()) nodes.get(mark.node)?.pulse();
  }

  function forget(now: number, told: Timer[]) {
    since = now - JUST;
    flights.forget(now);
    timers.forget();
    timers.take(told);
  }

  function light(messages: Sent[]) {
    lit = messages;
    clean = false;
  }

  function take(news: News): number {
    timers.take(news.timers ?? []);
    flights.take(news, (from, to) => cuts.has(`${from}|${to}`));
    return news.arrived || news.lost ? Math.min(REST_PAUSE, flights.nextIn()) : flights.nextIn();
  }

  return { el, stage, update, layout, take, draw, say, light, forget };
}

/** How long the picture stands, in ms. */
function standsFor(sights: Sight[]): number {
  const moving = sights.filter((sight) => !sight.stands);
  if (moving.length > CROWD) return 0;
  const lively = ({ flight, fading }: Sight) => fading !== undefined || flight.family.startsWith("election");
  const pause = moving.length > FEW || moving.some(lively) ? BUSY_PAUSE : REST_PAUSE;
  return Math.min(...sights.map((sight) => Math.max(sight.stands, pause)));
}

function pattern(id: string): SVGDefsElement {
  const size = { width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return s("defs", {}, s("pattern", { id, ...size }, s("rect", { width: 2.6, height: 7, class: "rl-hatch" })));
}

function linkKind(node: NodeState, other: NodeState): string {
  const follows = (follower: NodeState, leader: NodeState) =>
    follower.look === "follower" && follower.leader === leader.id && leader.look === "leader";
  if (node.look === "stopped" || other.look === "stopped") return " is-dead";
  return follows(node, other) || follows(other, node) ? " is-led" : "";
}
