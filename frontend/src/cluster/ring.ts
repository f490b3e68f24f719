// The cluster as a ring of nodes, with its links and the messages between them. Law of this file: the links and nodes
// are elements that change only with the cluster; what moves is drawn on a canvas above them, which is no larger than
// it must be: the browser puts all of it together anew for each picture. How often that is, pace.ts says.

import type { Mark, News, NodeId, NodeState, Sent, Timer } from "../messages/cluster";
import { fitCanvas, type Pen } from "../shared/canvas";
import { h, s, setAttribute, setAttributes, setShown } from "../shared/dom";
import { ICONS } from "../shared/icons";
import { oneTabStop } from "../shared/keys";
import { makeBubbles } from "./bubbles";
import type { Context, View } from "./context";
import { type Disc, makeDisc } from "./disc";
import { drawLit, drawSights } from "./dots";
import { HOLDBACK, JUST, makeFlights } from "./flights";
import { makeHands } from "./hands";
import { type Area, areaOf, type Point, placesOf } from "./layout";
import { makeLegend } from "./legend";
import { isLively, restPause, ringStands, standsFor } from "./pace";
import { drawRing, isEnding, REACH } from "./rings";
import { type Left, makeTimers, shownMoment } from "./timers";

const ARRIVED = 80; // ms within which it is drawn that messages have arrived

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

interface Waiting {
  id: NodeId;
  left: Left;
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
  let drawnAt = -Infinity; // ms
  let told = -Infinity; // the cluster's time of the last news
  let lively = false; // what was drawn last
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
    area = areaOf([...places.values()], REACH);
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
    const waiting = patience();
    const empty = !sights.length && !lit.length && !waiting.length;
    if (!empty || !clean) pen.clearRect(area.x, area.y, area.width, area.height);
    clean = empty;
    for (const { id, left } of waiting) {
      const place = places.get(id);
      const disc = nodes.get(id);
      if (place && disc) drawRing(pen, place, left, panel.colours, disc.cover);
    }
    drawSights(pen, sights, places, panel.colours);
    drawLit(pen, lit, places, panel.colours);
    drawnAt = performance.now();
    lively = isLively(sights, panel.lively());
    const heartbeat = panel.get("info").heartbeat_ms;
    const stands = Math.min(standsFor(sights, lively, heartbeat), ringsStand(waiting));
    return Math.max(pause(), Math.min(flights.nextIn(), stands));
  }

  /** The least time between two pictures, in ms. */
  const pause = () => (lively || panel.lively() ? 0 : restPause(panel.get("info").heartbeat_ms));

  /** Who waits for a leader, at the moment that the messages show. */
  function patience(): Waiting[] {
    const { clock } = panel;
    const now = clock.moving ? shownMoment(clock.now(), told, clock.rate, HOLDBACK) : clock.now();
    return panel.get("nodes").flatMap(({ id, look }) => {
      const left = look === "follower" || look === "candidate" ? timers.at(id, now) : null;
      nodes.get(id)?.wait(left);
      return left ? [{ id, left }] : [];
    });
  }

  function ringsStand(waiting: Waiting[]): number {
    const { clock } = panel;
    const closing = clock.moving ? waiting.filter(({ left }) => left.left) : [];
    return Math.min(
      ...closing.map(({ left }) => ringStands(left.full, clock.rate, isEnding(left), lively && !panel.calm())),
    );
  }

  function say(mark: Mark) {
    const place = places.get(mark.node);
    if (!place || mark.t < since) return;
    bubbles.say(mark, place, width, panel.clock.now());
    if (mark.level === "crown" && !panel.calm()) nodes.get(mark.node)?.pulse();
  }

  function forget(now: number, waiting: Timer[]) {
    since = now - JUST;
    told = now;
    flights.forget(now);
    timers.forget();
    timers.take(waiting);
  }

  function light(messages: Sent[]) {
    lit = messages;
    clean = false;
  }

  function take(news: News): number {
    told = news.now;
    timers.take(news.timers ?? []);
    flights.take(news, (from, to) => cuts.has(`${from}|${to}`));
    const within = news.arrived || news.lost ? Math.min(ARRIVED, flights.nextIn()) : flights.nextIn();
    return Math.max(within, pause() - (performance.now() - drawnAt));
  }

  return { el, stage, update, layout, take, draw, say, light, forget };
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
