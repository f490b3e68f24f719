// What is done to the network: cut it, heal it, slow it down, lose messages. Law of this file: one press cuts; a slider
// that the user moves is not moved by Python at the same time.

import type { NodeId } from "../messages/cluster";
import { button } from "../shared/button";
import { h, setAttribute, setText } from "../shared/dom";
import { oneTabStop } from "../shared/keys";
import type { Context, View } from "./context";
import { moved, type Sides } from "./sides";
import { SIDES } from "./words";

const SEND_AFTER = 250; // ms that a slider rests before its value is sent
const OURS = 1500; // ms after a move in which the slider is the user's

interface Slider {
  el: HTMLElement;
  value(): number;
  set(value: number): void;
}

export function makeNetwork(panel: Context, sides: Sides): View {
  const rows = new Map<NodeId, HTMLButtonElement[]>();
  const table = h("div", { class: "rl-sides" });
  const heal = button("Heal", {
    title: "Undo every cut",
    testid: "heal",
    kind: "rl-small",
    act: () => panel.ask({ do: "heal" }),
  });
  const delay = slider("Replication delay", "delay", 2000, 50, "ms", sendDelay);
  const jitter = slider("jitter up to", "jitter", 2000, 50, "ms", sendDelay);
  const loss = slider("Messages lost", "loss", 100, 1, "%", sendLoss);
  const title = "Nodes on different sides do not hear each other; a press cuts at once";
  const label = "Sides of the network";
  const cuts = h("div", { class: "rl-cuts", title, role: "toolbar", "aria-label": label }, table, heal.el);
  const tabStop = oneTabStop(cuts, "button");
  const sliders = h("div", { class: "rl-sliders" }, delay.el, jitter.el, loss.el);
  const el = h("section", { class: "rl-card rl-network", "aria-label": "Network" }, cuts, sliders);

  function sendDelay() {
    panel.ask({ do: "delay", ms: delay.value(), jitter_ms: jitter.value() });
  }

  function sendLoss() {
    panel.ask({ do: "loss", drop: loss.value() / 100, duplicate: panel.get("network").duplicate });
  }

  function addRow(name: NodeId) {
    const buttons = SIDES.map((side, number) => {
      const attributes = { type: "button", class: "rl-side-button" };
      const names = { "data-testid": `side-${side}-${name}`, "aria-label": `${name} on side ${side}` };
      return h("button", { ...attributes, ...names, onclick: () => move(name, number) }, side);
    });
    const attributes = { class: "rl-siderow", "data-node": name, role: "group", "aria-label": `Side of ${name}` };
    const row = h("div", attributes, h("span", {}, name), buttons);
    table.append(row);
    tabStop();
    rows.set(name, buttons);
  }

  function move(name: NodeId, side: number) {
    const all = panel.get("nodes").map((node) => node.id);
    sides.ask(moved(name, side, sides.groups(), all));
    update();
  }

  function update() {
    const network = panel.get("network");
    const groups = sides.groups();
    for (const { id } of panel.get("nodes")) {
      if (!rows.has(id)) addRow(id);
      const found = groups.length > 1 ? groups.findIndex((group) => group.includes(id)) : 0;
      for (const [number, one] of (rows.get(id) ?? []).entries()) setAttribute(one, "aria-pressed", number === found);
    }
    heal.allow(network.cuts.length || groups.length > 1 ? "" : "No link is cut.");
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
    el: h("label", { class: "rl-slider" }, h("span", {}, label), output, input),
    value: () => Number(input.value),
    set(value) {
      if (performance.now() - touched <= OURS) return;
      input.value = String(value);
      show();
    },
  };
}
