// The cluster panel. Law of this file: it joins the parts and decides nothing. The parts draw what Python says and
// report what the user wants; none of them decides anything about the cluster.

import type { Render } from "@anywidget/types";
import { makeAttention } from "./cluster/attention";
import { makeBoard } from "./cluster/board";
import { makeClient } from "./cluster/client";
import { makeClock } from "./cluster/clock";
import type { Context, View } from "./cluster/context";
import { makeHead } from "./cluster/head";
import { makeNetwork } from "./cluster/network";
import { makeNodes } from "./cluster/nodes";
import { makeNotices } from "./cluster/notices";
import { tellsMore } from "./cluster/pace";
import { makePlayer } from "./cluster/player";
import { makeRing } from "./cluster/ring";
import { makeSides } from "./cluster/sides";
import { makeTimeline } from "./cluster/timeline";
import { VERBS } from "./cluster/words";
import type { ClusterCommand, ClusterGreeting, ClusterMessage, ClusterTraits, Part } from "./messages/cluster";
import { WHY } from "./shared/button";
import { makeColours } from "./shared/canvas";
import { makeCommands } from "./shared/commands";
import { h } from "./shared/dom";
import { makeFrames } from "./shared/frames";
import { keepKeys } from "./shared/keys";
import { skipLinks } from "./shared/skip";

const THEME = ["data-jp-theme-name", "data-jp-theme-light", "class"];
const SOON = 150; // ms within which what has changed is drawn, where nothing flies
const STIRRING = ["doing", "network", "player"]; // traits that change when somebody does something
let panels = 0;

const render: Render<ClusterTraits> = ({ model, el }) => {
  const root = h("div", { class: "rl-panel", role: "region", "aria-label": "Cluster panel" });
  const colours = makeColours(root);
  const motion = window.matchMedia("(prefers-reduced-motion: reduce)");
  const commands = makeCommands<ClusterCommand>(
    (message) => model.send(message),
    (waiting) => notices.queue(waiting),
    () => model.get("doing").map((one) => one.id),
  );
  const greet = (greeting: ClusterGreeting) => model.send(greeting);

  panels += 1;
  const panel: Context = {
    id: `rl-${panels}`,
    clock: makeClock(),
    colours: colours.colours,
    calm: () => motion.matches,
    // A simulation that is played in slow or quick motion is watched; in real time it is as real nodes are.
    lively: () =>
      attention.lively ||
      panel.get("doing").length > 0 ||
      (panel.get("player").playing === true && panel.clock.rate !== 1),
    get: (trait) => model.get(trait),
    simulated: () => model.get("info").backend === "simulated",
    ask: (command) => notices.caused(commands.ask(command), root.querySelector(":focus")),
    busyWith(node) {
      const doing = model.get("doing").find((one) => one.node === node);
      return doing ? (VERBS.find(({ verb }) => verb === doing.verb)?.doing ?? "busy") : "";
    },
    focusNode: (name) => nodes.focus(name),
  };

  const attention = makeAttention(root, () => drawn.ring.wake());

  // -- the parts

  const notices = makeNotices(root);
  const sides = makeSides(panel);
  const head = makeHead(panel);
  const ring = makeRing(panel);
  const nodes = makeNodes(panel, sides);
  const network = makeNetwork(panel, sides);
  const client = makeClient(panel);
  const board = makeBoard(panel);
  const player = makePlayer(panel);
  const timeline = makeTimeline(
    panel,
    player.el,
    () => drawn.timeline.wake(),
    (messages) => {
      ring.light(messages);
      drawn.ring.wake();
    },
  );
  const skip = skipLinks([
    { label: "the network", el: network.el },
    { label: "write and read", el: client.el },
    { label: "what the nodes hold", el: board.el },
    { label: "the timeline", el: timeline.el },
  ]);
  const places: [Part[], HTMLElement][] = [
    [["ring"], ring.el],
    [["nodes"], nodes.el],
    [["logs", "values"], board.el],
    [["client"], client.el],
    [["network"], network.el],
    [["time"], timeline.el],
  ];
  const left = h("div", { class: "rl-column" }, h("section", { class: "rl-card rl-cluster" }, ring.el, nodes.el));
  const right = h("div", { class: "rl-column" }, board.el, client.el, network.el);
  root.append(skip.el, head.el, h("div", { class: "rl-main" }, left, right), timeline.el, ...notices.els, skip.end);
  el.append(root);
  root.addEventListener(WHY, (event) =>
    notices.explain((event as CustomEvent<string>).detail, event.target as Element | null),
  );
  const endKeys = keepKeys(root);

  // -- what Python says

  const shown: View = {
    el: root,
    update() {
      const parts = panel.get("parts");
      for (const [names, one] of places) one.hidden = parts.length > 0 && !names.some((name) => parts.includes(name));
      left.hidden = ring.el.hidden && nodes.el.hidden;
      right.hidden = board.el.hidden && client.el.hidden && network.el.hidden;
      root.style.setProperty("--rl-nodes", String(panel.get("nodes").length));
      root.classList.toggle("is-ended", Boolean(panel.get("info").ended));
      root.classList.toggle("is-part", parts.length > 0);
    },
  };
  const parts: Record<keyof ClusterTraits, View[]> = {
    nodes: [head, ring, nodes, network, client, board],
    network: [ring, network, nodes],
    data: [board],
    logs: [board],
    parts: [shown, board],
    info: [head, player, ring, shown],
    doing: [nodes, head],
    answer: [client],
    problems: [{ el: root, update: () => notices.update(panel.get("problems")) }],
    player: [player, timeline, ring],
    availability: [timeline],
  };
  const listeners = Object.entries(parts).map(([trait, views]) => {
    const listener = () => {
      for (const view of views) view.update();
      if (STIRRING.includes(trait)) attention.stir();
      if (trait === "data") drawn.data.wake(SOON);
    };
    model.on(`change:${trait}`, listener);
    return [`change:${trait}`, listener] as const;
  });

  function hear(message: ClusterMessage) {
    if (message.type === "done") commands.acknowledge(message.id);
    else if (message.type === "spacetime") timeline.showSpaceTime(message);
    else if (message.type === "saved") download(message.name, message.text);
    else if (message.type === "why") timeline.showWhy(message);
    else {
      panel.clock.tell(message.now, message.rate, message.type === "history");
      if (message.type === "history") {
        ring.forget(message.now, message.timers);
        timeline.reset(message);
      } else {
        if (tellsMore(message)) attention.stir();
        drawn.ring.wake(ring.take(message));
        timeline.take(message);
        for (const mark of message.marks ?? []) {
          ring.say(mark);
          head.announce(mark);
        }
      }
      drawn.player.wake(SOON);
      if (message.marks || message.bands || !panel.clock.moving) drawn.timeline.wake(SOON);
    }
  }
  model.on("msg:custom", hear);

  // -- when it is drawn

  const frames = makeFrames();
  const drawn = {
    ring: frames.add(ring.stage, ring.draw),
    timeline: frames.add(timeline.canvas, timeline.draw),
    data: frames.add(board.values, board.draw),
    player: frames.add(player.el, player.draw),
  };

  function layout() {
    colours.refresh();
    ring.layout();
    timeline.layout();
    board.layout();
    for (const part of Object.values(drawn)) part.wake();
  }

  const sizes = new ResizeObserver(layout);
  sizes.observe(root);
  sizes.observe(ring.stage);
  const themes = new MutationObserver(layout);
  themes.observe(document.body, { attributes: true, attributeFilter: THEME });

  for (const part of [shown, head, ring, nodes, network, client, board, timeline, player]) part.update();
  notices.update(panel.get("problems"));
  layout();
  greet({ do: "hello" });

  return () => {
    frames.end();
    attention.end();
    endKeys();
    commands.end();
    sizes.disconnect();
    themes.disconnect();
    for (const [event, listener] of listeners) model.off(event, listener);
    model.off("msg:custom", hear);
    greet({ do: "bye" });
  };
};

/** Gives a text to the user as a file. */
function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export default { render };
