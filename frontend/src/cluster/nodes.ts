// The nodes one below the other, a line each, with what can be done to them. Law of this file: a verb that cannot act now
// says why; each control has its place, also while it is its opposite.

import type { NodeId, NodeState, Verb } from "../messages/cluster";
import { type Button, button } from "../shared/button";
import { h, setAttribute, setText } from "../shared/dom";
import { oneTabStop } from "../shared/keys";
import type { Context, View } from "./context";
import { keysText, lagText } from "./disc";
import { isAlone, joined, parted, type Sides } from "./sides";
import { LOOKS, VERBS } from "./words";

const CHOSEN_LASTS = 1200; // ms

const NO_TIMER: Partial<Record<string, string>> = {
  leader: "It leads: it waits for nobody.",
  stopped: "It is stopped: start it.",
  paused: "It is paused: resume it.",
};

interface Row {
  item: HTMLElement;
  role: HTMLElement;
  facts: HTMLElement;
  buttons: Map<Verb, Button>;
  isolate: Button;
  timeout: Button;
  /** Call it when other buttons are shown. */
  tabStop(): void;
}

export function makeNodes(panel: Context, sides: Sides): View & { focus(name: NodeId): void } {
  const el = h("ul", { class: "rl-nodes", "aria-label": "Nodes" });
  const rows = new Map<NodeId, Row>();
  const names = () => panel.get("nodes").map((node) => node.id);

  function rowOf(name: NodeId): Row {
    const known = rows.get(name);
    if (known) return known;
    const role = h("span", { class: "rl-badge" });
    const facts = h("span", { class: "rl-dim" });
    const buttons = new Map(VERBS.map(({ verb, label, title }) => [verb, verbButton(name, verb, label, title)]));
    const isolate = button("Isolate", {
      title: "Cut it off from all others, or join it to them again",
      kind: "rl-small",
      testid: `isolate-${name}`,
      aria: `Isolate ${name}`,
      act: () => cutOff(name),
    });
    const timeout = button("Time out", {
      title: "Put its clock forward until it acts for want of a leader; nothing else moves",
      kind: "rl-small",
      testid: `run_out-${name}`,
      aria: `Time out ${name}`,
      act: () => panel.ask({ do: "run_out", node: name }),
    });
    timeout.el.hidden = !panel.simulated();
    const attributes = { class: "rl-buttons", role: "toolbar", "aria-label": `Controls of ${name}` };
    const controls = h(
      "div",
      attributes,
      [...buttons.values()].map((one) => one.el),
      isolate.el,
      timeout.el,
    );
    const tabStop = oneTabStop(controls, "button:not([hidden])");
    const item = h("li", { "data-node": name }, h("strong", {}, name), role, facts, controls);
    el.append(item);
    const row = { item, role, facts, buttons, isolate, timeout, tabStop };
    rows.set(name, row);
    return row;
  }

  function verbButton(name: NodeId, verb: Verb, label: string, title: string): Button {
    const act = () => panel.ask({ do: verb, node: name });
    const more = { testid: `${verb}-${name}`, aria: `${label} ${name}` };
    return button(label, { title, kind: "rl-small", act, ...more });
  }

  function cutOff(name: NodeId) {
    const groups = sides.groups();
    sides.ask(isAlone(name, groups) ? joined(name, groups) : parted(name, groups, names()));
  }

  function update() {
    const { groups } = panel.get("network");
    for (const node of panel.get("nodes")) {
      const { item, role, facts, buttons, isolate, timeout, tabStop } = rowOf(node.id);
      const busy = panel.busyWith(node.id);
      setAttribute(item, "class", `is-${node.look}`);
      setText(role, busy || LOOKS[node.look]);
      setAttribute(role, "class", `rl-badge is-${busy ? "busy" : node.look}`);
      setText(facts, factsOf(node));
      setAttribute(facts, "title", factsOf(node));
      for (const [verb, one] of buttons) one.allow(busy ? `${node.id} is ${busy}.` : node.why[verb]);
      exchange(buttons, "start", "stop", node.state === "stopped");
      exchange(buttons, "resume", "pause", node.state === "paused");
      tabStop();
      const alone = isAlone(node.id, groups);
      isolate.label(alone ? "Rejoin" : "Isolate");
      setAttribute(isolate.el, "aria-label", `${alone ? "Rejoin" : "Isolate"} ${node.id}`);
      timeout.allow(NO_TIMER[node.look] ?? "");
      isolate.allow(panel.get("info").ended || (names().length < 2 ? "There is no other node." : ""));
    }
  }

  function focus(name: NodeId) {
    const item = rows.get(name)?.item;
    if (!item) return;
    item.scrollIntoView({ block: "nearest" });
    item.querySelector<HTMLElement>('button[aria-disabled="false"]:not([hidden])')?.focus();
    item.classList.add("is-chosen");
    setTimeout(() => item.classList.remove("is-chosen"), CHOSEN_LASTS);
  }

  return { el, update, focus };
}

/** One of the two is shown; the keyboard stays in the place. */
function exchange(buttons: Map<Verb, Button>, one: Verb, other: Verb, first: boolean): void {
  const shown = buttons.get(first ? one : other)?.el;
  const hidden = buttons.get(first ? other : one)?.el;
  if (!shown || !hidden || (hidden.hidden && !shown.hidden)) return;
  const focused = hidden.ownerDocument.activeElement === hidden;
  shown.hidden = false;
  hidden.hidden = true;
  if (focused) shown.focus();
}

function factsOf(node: NodeState): string {
  if (node.term === null) return "";
  const votes = node.votes && node.look === "candidate" ? [`${node.votes.got} of ${node.votes.of} votes`] : [];
  const behind = node.lag || node.parted !== null ? [lagText(node, null)] : [];
  return [`term ${node.term}`, keysText(node), ...behind, ...votes].join(" · ");
}
