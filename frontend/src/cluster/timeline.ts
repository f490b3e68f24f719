// The last minute: roles, events, writes, lag and availability over time, and a moment that one can choose. Law of this
// file: it joins; what is known is in history.ts, where it stands in scale.ts, and the drawing in lanes.ts and charts.ts.

import type { History, Mark, News, Probing, Sent, SpaceTime, Why } from "../messages/cluster";
import { button } from "../shared/button";
import { fitCanvas, type Pen } from "../shared/canvas";
import { card, h, setAttribute, setAttributes, setText } from "../shared/dom";
import { clamp, clip, momentText, plural } from "../shared/format";
import { drawAvailability, drawCursor, drawLag, drawWrites } from "./charts";
import type { Context, View } from "./context";
import { MINUTE, makeRecords } from "./history";
import { makeTimelineKey } from "./key";
import { drawGrid, drawLane, drawNetworkFaults } from "./lanes";
import { makeReasons } from "./reasons";
import { GUTTER, LANE, rowsOf, type Scale, secondsIn, standsFor, timeAt, xAt } from "./scale";
import { makeSpaceTime } from "./spacetime";

const PADDING = 24; // of the card, left and right
const SNAP = 8; // pixels within which a click means a mark
const LONG_MARK = 300; // characters
const KEYS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowUp: 1,
  PageUp: -10,
  PageDown: 10,
};
const PROBING: [Probing, string][] = [
  ["off", "off"],
  ["reads", "reads any node"],
  ["writes", "reads, and writes"],
];
const EVENTS = "Events of the chosen moment";
const LABEL = "What happened last. Arrow keys choose a moment, Escape leaves it.";

export interface Timeline extends View {
  canvas: HTMLElement;
  take(news: News): void;
  /** The past is another one. */
  reset(history: History): void;
  layout(): void;
  draw(): number;
  showSpaceTime(message: SpaceTime): void;
  showWhy(message: Why): void;
}

export function makeTimeline(
  panel: Context,
  player: HTMLElement,
  wake: () => void,
  light: (messages: Sent[]) => void,
): Timeline {
  const slider = { role: "slider", "aria-label": LABEL, "aria-valuemax": 0, "aria-valuenow": 0 };
  const canvas = h("canvas", { tabindex: 0, ...slider, "data-testid": "timeline" });
  const moment = h("ol", { class: "rl-moment", "aria-label": EVENTS, "aria-live": "polite", "data-testid": "moment" });
  const reasons = makeReasons(panel, light);
  const why = button("Why?", {
    testid: "why-moment",
    kind: "rl-small rl-primary",
    title: "What led to this moment?",
    act: () => chosen !== null && panel.ask({ do: "why", at: chosen }),
  });
  const close = button("Close", { kind: "rl-small", act: () => choose(null) });
  const popover = h(
    "div",
    { class: "rl-popover", hidden: true },
    h("div", { class: "rl-rowhead" }, why.el, close.el),
    reasons.el,
    moment,
  );
  const picture = h("div", { class: "rl-picture" }, canvas, popover);
  const open = button("Space–time", {
    title: "Draw every message of these seconds between the nodes",
    testid: "spacetime",
    kind: "rl-small",
    act: openSpaceTime,
  });
  const options = PROBING.map(([does, words]) => h("option", { value: does }, words));
  const probe = h("select", { "data-testid": "availability", "aria-label": "Background client" }, options);
  probe.addEventListener("change", () => panel.ask({ do: "availability", does: probe.value as Probing }));
  const title =
    "Twice a second it reads from any node that answers. Its writes, to the leader, are entries of the log (key panel.probe)";
  const tools = h(
    "div",
    { class: "rl-tools" },
    h("label", { class: "rl-check", title }, "background client", probe),
    open.el,
  );
  const space = makeSpaceTime(panel);
  const el = card("The last minute", "rl-time", tools, player, picture, makeTimelineKey(), space.el);
  const heading = el.querySelector("h3");
  const records = makeRecords();
  let scale: Scale = { now: 0, span: MINUTE, width: 0, height: 0 };
  let pen: Pen | null = null;
  let chosen: number | null = null;
  let listed = "";

  const names = () => panel.get("nodes").map((node) => node.id);
  const span = () => panel.get("player").span ?? MINUTE;

  function take(news: News | History) {
    records.take(news, panel.clock.now());
  }

  function reset(history: History) {
    records.reset();
    take(history);
    choose(null);
  }

  // -- drawing

  function layout() {
    const width = el.clientWidth - PADDING;
    if (width <= 0) return;
    const height = rowsOf(names().length).height;
    scale = { ...scale, width, height };
    pen = fitCanvas(canvas, width, height);
    wake();
  }

  function draw(): number {
    if (!pen || !panel.clock.known) return Infinity;
    scale = { ...scale, now: panel.clock.now(), span: span() };
    if (chosen !== null && scale.now - chosen > scale.span) choose(null);
    const sheet = { pen, scale, colours: panel.colours };
    const rows = rowsOf(names().length);
    pen.clearRect(0, 0, scale.width, scale.height);
    pen.font = `11px ${panel.colours.font}`;
    pen.textBaseline = "middle";
    drawGrid(sheet);
    for (const [index, name] of names().entries()) {
      drawLane(sheet, name, records.bands.get(name) ?? [], records.marks, rows.lanes + index * LANE);
    }
    drawWrites(sheet, records.marks, rows.writes);
    const parted = panel
      .get("nodes")
      .flatMap((node) => (node.parted === null ? [] : [[node.id, node.parted] as const]));
    drawLag(sheet, records.lag, names(), rows, new Map(parted));
    drawAvailability(sheet, records.probes, panel.get("availability"), rows.strip);
    drawNetworkFaults(sheet, records.marks, rows.writes);
    if (chosen !== null) drawCursor(sheet, chosen);
    placePopover();
    return panel.clock.moving ? standsFor(scale, panel.clock.rate) : Infinity;
  }

  // -- choosing a moment

  function choose(time: number | null) {
    reasons.clear();
    chosen = time === null ? null : clamp(time, scale.now - scale.span, scale.now);
    showMoment();
    wake();
  }

  function showMoment() {
    const near = chosen === null ? [] : records.near(chosen, scale.span / 60).sort((one, other) => one.t - other.t);
    const ago = chosen === null ? 0 : scale.now - chosen;
    popover.hidden = chosen === null;
    placePopover();
    const words = chosen === null ? "now" : `${ago.toFixed(1)} seconds ago: ${plural(near.length, "event")}`;
    setAttributes(canvas, { "aria-valuenow": (-ago).toFixed(1), "aria-valuetext": words });
    const key = near.map((mark) => mark.t + mark.text).join() + chosen;
    if (key === listed) return;
    listed = key;
    const items = near.map(itemOf);
    if (chosen !== null && !items.length) items.push(h("li", {}, "Nothing but messages at about this moment."));
    moment.replaceChildren(...items);
    moment.tabIndex = moment.scrollHeight > moment.clientHeight ? 0 : -1; // the keyboard can scroll it
  }

  /** Beside the moment, where there is more room. */
  function placePopover() {
    if (chosen === null) return;
    const x = xAt(scale, chosen);
    const right = x < scale.width / 2;
    popover.style.left = right ? `${x + 12}px` : "";
    popover.style.right = right ? "" : `${scale.width - x + 12}px`;
  }

  const itemOf = (mark: Mark) => {
    const time = h("time", {}, momentText(mark.t, panel.simulated()));
    return h("li", { class: `is-${mark.level}` }, time, clip(mark.text, LONG_MARK));
  };

  /** A click near a mark means the mark. */
  function snap(time: number): number {
    return records.near(time, secondsIn(scale, SNAP))[0]?.t ?? time;
  }

  canvas.addEventListener("click", (event) => {
    if (event.offsetX >= GUTTER) choose(snap(timeAt(scale, event.offsetX)));
  });
  canvas.addEventListener("keydown", (event) => {
    const move = KEYS[event.key];
    if (move) choose((chosen ?? scale.now) + (move * scale.span) / 120);
    else if (event.key === "Escape") choose(null);
    else return;
    event.preventDefault();
  });

  function showWhy(message: Why) {
    if (chosen === null || Math.abs(chosen - message.at) > 0.001) choose(message.at);
    reasons.show(message);
  }

  function openSpaceTime() {
    const end = chosen === null ? panel.clock.now() : chosen + span() / 20;
    const start = chosen === null ? end - span() / 6 : chosen - span() / 20;
    space.ask(start, end, scale.width);
  }

  function update() {
    probe.value = panel.get("availability");
    setAttribute(canvas, "aria-valuemin", -span());
    if (heading) setText(heading, span() === MINUTE ? "The last minute" : `The last ${span()} seconds`);
    wake();
  }

  return { el, canvas, update, layout, draw, take, reset, showSpaceTime: space.show, showWhy };
}
