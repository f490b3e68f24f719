// What is done to the network: cut it, heal it, slow it down, lose messages. Law of this file: a slider that the user
// moves is not moved by Python at the same time.

import type { NodeId } from "../messages/cluster";
import { button } from "../shared/button";
import { card, h, setAttribute, setText } from "../shared/dom";
import { oneTabStop } from "../shared/keys";
import type { Context, View } from "./context";
import { SIDES } from "./words";

const SEND_AFTER = 250; // ms that a slider rests before its value is sent
const OURS = 1500; // ms after a move in which the slider is the user's

interface Slider {
  el: HTMLElement;
  value(): number;
  set(value: number): void;
}

export function makeNetwork(panel: Context): View {
  const chosen = new Map<NodeId, string>();
  const table = h("div", { class: "rl-sides" });
  const cut = button("Cut the network", {
    name: "cut",
    title: "Nodes on different sides no longer hear each other",
    testid: "partition",
    act: () => panel.ask({ do: "partition", groups: groups() }),
  });
  const heal = button("Heal", { title: "Undo the cut", testid: "heal", act: () => panel.ask({ do: "heal" }) });
  const delay = slider("Replication delay", "delay", 2000, 50, "ms", sendDelay);
  const jitter = slider("… plus jitter up to", "jitter", 2000, 50, "ms", sendDelay);
  const loss = slider("Messages lost", "loss", 100, 1, "%", sendLoss);
  const hint = h("p", { class: "rl-hint" }, "Choose a side for each node, then cut.");
  const buttons = h("div", { class: "rl-buttons" }, cut.el, heal.el);
  const el = card("Network", "rl-network", hint, table, buttons, delay.el, jitter.el, loss.el);

  function sendDelay() {
    panel.ask({ do: "delay", ms: delay.value(), jitter_ms: jitter.value() });
  }

  function sendLoss() {
    panel.ask({ do: "loss", drop: loss.value() / 100, duplicate: panel.get("network").duplicate });
  }

  const groups = () =>
    SIDES.map((side) => [...chosen.keys()].filter((name) => chosen.get(name) === side)).filter((group) => group.length);

  function addRow(name: NodeId) {
    chosen.set(name, "A");
    const buttons = SIDES.map((side) => {
      const attributes = { type: "button", class: "rl-side-button", "aria-pressed": side === "A" };
      const names = { "data-testid": `side-${side}-${name}`, "aria-label": `${name} on side ${side}` };
      return h("button", { ...attributes, ...names, onclick: () => choose(side) }, side);
    });
    const choose = (side: string) => {
      chosen.set(name, side);
      for (const one of buttons) setAttribute(one, "aria-pressed", one.textContent === side);
      update();
    };
    const attributes = { class: "rl-siderow", "data-node": name, role: "toolbar", "aria-label": `Side of ${name}` };
    const row = h("div", attributes, h("span", {}, name), buttons);
    oneTabStop(row, "button");
    table.append(row);
  }

  function update() {
    const network = panel.get("network");
    for (const node of panel.get("nodes")) if (!chosen.has(node.id)) addRow(node.id);
    cut.allow(groups().length < 2 ? "All nodes are on one side: put at least one on another." : "");
    heal.allow(network.cuts.length ? "" : "No link is cut.");
    delay.set(network.delay_ms);
    jitter.set(network.jitter_ms);
    loss.set(Math.round(network.drop * 100));
  }

  return { el, update };
}

function slider(label: string, name: string, max: number, step: number, unit: string, send: () => void): Slider {
  const attributes = { type: "range", min: 0, max, step, value: 0, "data-testid": name, "aria-label": label };
  const input = h("input", attributes);
  const output = h("output", {}, `0 ${unit}`);
  let touched = -Infinity;
  let timer = 0;

  function show() {
    setText(output, `${input.value} ${unit}`);
    setAttribute(input, "aria-valuetext", `${input.value} ${unit}`);
  }

  input.addEventListener("input", () => {
    touched = performance.now();
    show();
    clearTimeout(timer);
    timer = window.setTimeout(send, SEND_AFTER);
  });

  return {
    el: h("label", { class: "rl-slider" }, h("span", {}, label), input, output),
    value: () => Number(input.value),
    set(value) {
      if (performance.now() - touched <= OURS) return;
      input.value = String(value);
      show();
    },
  };
}
