// One message at a time: what is on its way while the simulation is halted, each a button on its link. Law of this file:
// a message's dot looks as it does in flight; what can be done to it is said in words.

import type { Family, Flying, NodeId } from "../messages/cluster";
import { button } from "../shared/button";
import { h, s, setAttribute } from "../shared/dom";
import { clamp } from "../shared/format";
import { oneTabStop } from "../shared/keys";
import type { Context } from "./context";
import { along, angleOf, type Point } from "./layout";

const FIRST = 0.3; // share of the way at which the first message of a link stands
const NEXT = 0.17; // and how far from it the next
const GAP = 14; // px between a message and what can be done to it
const ROOM = 4; // messages on a link; more stand on one another

export interface Hands {
  dots: SVGSVGElement;
  menu: HTMLElement;
  /** Whether messages are shown here, and not in flight. */
  readonly busy: boolean;
  update(places: Map<NodeId, Point>, width: number): void;
}

export function makeHands(panel: Context): Hands {
  const dots = s("svg", { class: "rl-hands", role: "group", "aria-label": "Messages on their way" });
  const words = h("div", {});
  const ask = (verb: "deliver" | "drop" | "hold") => () => {
    if (chosen) panel.ask({ do: verb, message: chosen });
    close();
  };
  const deliver = button("Deliver", { kind: "rl-small rl-primary", testid: "deliver", act: ask("deliver") });
  const drop = button("Drop", { kind: "rl-small", testid: "drop", act: ask("drop") });
  const hold = button("Hold", { kind: "rl-small", testid: "hold", title: "Keep it until later", act: ask("hold") });
  const buttons = h("div", { class: "rl-buttons" }, deliver.el, drop.el, hold.el);
  const menu = h(
    "div",
    { class: "rl-handmenu", role: "dialog", "aria-label": "A message on its way", hidden: true },
    words,
    buttons,
  );
  const tabStop = oneTabStop(dots, ".rl-hand");
  let chosen = "";
  let drawn = "";
  let width = 0;

  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });

  function close() {
    const back = chosen;
    chosen = "";
    menu.hidden = true;
    dots.querySelector<SVGGElement>(`[data-message="${CSS.escape(back)}"]`)?.focus();
  }

  function update(places: Map<NodeId, Point>, room: number) {
    width = room;
    const flying = panel.get("player").flying ?? [];
    const shown = JSON.stringify([flying, [...places]]);
    if (shown === drawn) return;
    drawn = shown;
    if (!flying.some(([id]) => id === chosen)) {
      chosen = "";
      menu.hidden = true;
    }
    const count = new Map<string, number>();
    dots.replaceChildren(
      ...flying.flatMap((one) => {
        const from = places.get(one[2]);
        const to = places.get(one[3]);
        if (!from || !to) return [];
        const link = `${one[2]}|${one[3]}`;
        const before = count.get(link) ?? 0;
        count.set(link, before + 1);
        return [dotOf(one, along(from, to, FIRST + NEXT * Math.min(before, ROOM)), angleOf(from, to))];
      }),
    );
    tabStop();
  }

  function dotOf([id, family, from, to, text, due]: Flying, place: Point, turn: number): SVGGElement {
    const label = `${text}, ${from} to ${to}${due === null ? ", held back" : ""}`;
    const open = () => choose(id, label, place, due === null);
    const press = (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
    };
    const [topic, reply] = family.split("-") as [string, string | undefined];
    const kind = `rl-hand is-${topic}${reply ? " is-reply" : ""}${due === null ? " is-held" : ""}`;
    const attributes = {
      class: kind,
      role: "button",
      "aria-label": label,
      "data-message": id,
      onclick: open,
      onkeydown: press,
    };
    const el = s(
      "g",
      attributes,
      s("circle", { class: "rl-reach", r: 10 }),
      shapeOf(family, turn),
      s("title", {}, label),
    );
    setAttribute(el, "transform", `translate(${place.x} ${place.y})`);
    return el;
  }

  function choose(id: string, label: string, place: Point, held: boolean) {
    chosen = id;
    words.textContent = label;
    hold.allow(held ? "It is held back already." : "");
    menu.hidden = false;
    menu.style.left = `${clamp(place.x - menu.offsetWidth / 2, 2, Math.max(2, width - menu.offsetWidth - 2))}px`;
    const below = place.y + GAP;
    const room = menu.parentElement?.clientHeight ?? 0;
    const top = below + menu.offsetHeight <= room ? below : place.y - GAP - menu.offsetHeight;
    menu.style.top = `${Math.max(2, top)}px`; // not over the nodes' buttons, which are below
    deliver.el.focus();
  }

  return {
    dots,
    menu,
    update,
    get busy() {
      return panel.simulated() && panel.get("player").playing === false;
    },
  };
}

function shapeOf(family: Family, turn: number): SVGElement {
  if (family.startsWith("replication")) return s("rect", { x: -4.5, y: -4.5, width: 9, height: 9 });
  if (family.startsWith("election")) {
    return s("path", { d: "M7 0 L-4 5.5 L-4 -5.5 Z", transform: `rotate(${(turn * 180) / Math.PI})` });
  }
  return s("circle", { r: family.startsWith("alive") ? 3 : 4.5 });
}
