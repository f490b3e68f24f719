// The nodes one below the other, with what can be done to them. Law of this file: a verb that cannot act now says why.

import type { NodeId, NodeState, Verb } from "../messages/cluster";
import { type Button, button } from "../shared/button";
import { card, h, setAttribute, setText } from "../shared/dom";
import { icon } from "../shared/icons";
import { oneTabStop } from "../shared/keys";
import type { Context, View } from "./context";
import { keysText, lagText } from "./disc";
import { LOOKS, VERBS } from "./words";

const CHOSEN_LASTS = 1200; // ms

interface Row {
  item: HTMLElement;
  role: HTMLElement;
  crown: HTMLElement;
  facts: HTMLElement;
  buttons: Map<Verb, Button>;
}

export function makeNodes(panel: Context): View & { focus(name: NodeId): void } {
  const list = h("ul", { class: "rl-nodes" });
  const el = card("Nodes", "rl-nodes-card", list);
  const rows = new Map<NodeId, Row>();

  function rowOf(name: NodeId): Row {
    const known = rows.get(name);
    if (known) return known;
    const role = h("span", { class: "rl-badge" });
    const crown = h("span", { class: "rl-rowcrown" }, icon("crown"));
    const facts = h("span", { class: "rl-dim" });
    const buttons = new Map(VERBS.map(({ verb, label, title }) => [verb, verbButton(name, verb, label, title)]));
    const attributes = { class: "rl-buttons", role: "toolbar", "aria-label": `Controls of ${name}` };
    const controls = h(
      "div",
      attributes,
      [...buttons.values()].map((one) => one.el),
    );
    oneTabStop(controls, "button");
    const head = h("div", { class: "rl-rowhead" }, h("strong", {}, name), role, crown, facts);
    const item = h("li", { "data-node": name }, head, controls);
    list.append(item);
    const row = { item, role, crown, facts, buttons };
    rows.set(name, row);
    return row;
  }

  function verbButton(name: NodeId, verb: Verb, label: string, title: string): Button {
    const act = () => panel.ask({ do: verb, node: name });
    const more = { testid: `${verb}-${name}`, aria: `${label} ${name}` };
    return button(label, { name: verb, title, kind: "rl-small", act, ...more });
  }

  function update() {
    for (const node of panel.get("nodes")) {
      const { item, role, crown, facts, buttons } = rowOf(node.id);
      const busy = panel.busyWith(node.id);
      setAttribute(item, "class", `is-${node.look}`);
      setText(role, busy || LOOKS[node.look]);
      setAttribute(role, "class", `rl-badge is-${busy ? "busy" : node.look}`);
      crown.hidden = node.look !== "leader";
      setText(facts, factsOf(node));
      for (const [verb, one] of buttons) one.allow(busy ? `${node.id} is ${busy}.` : node.why[verb]);
    }
  }

  function focus(name: NodeId) {
    const item = rows.get(name)?.item;
    if (!item) return;
    item.scrollIntoView({ block: "nearest" });
    item.querySelector<HTMLElement>('button[aria-disabled="false"]')?.focus();
    item.classList.add("is-chosen");
    setTimeout(() => item.classList.remove("is-chosen"), CHOSEN_LASTS);
  }

  return { el, update, focus };
}

function factsOf(node: NodeState): string {
  if (node.term === null) return "";
  const follows = node.look === "follower" && node.leader ? [`follows ${node.leader}`] : [];
  const behind = node.lag || node.parted !== null ? [lagText(node, null)] : [];
  return [...follows, `term ${node.term}`, keysText(node), ...behind].join(" · ");
}
