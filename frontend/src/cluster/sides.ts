// Sides of a cut network. Law of this file: what was just asked for counts as done, so that one press can follow the other.

import type { NodeId } from "../messages/cluster";
import type { Context } from "./context";

const SETTLES = 1500; // ms until Python has told what came of a press

export interface Sides {
  groups(): NodeId[][];
  /** Cuts the network like this; one group or none: heals it. */
  ask(groups: NodeId[][]): void;
}

export function makeSides(panel: Context): Sides {
  let asked: NodeId[][] = [];
  let at = -Infinity;
  return {
    groups: () => (performance.now() - at < SETTLES ? asked : panel.get("network").groups),
    ask(groups) {
      asked = groups.length > 1 ? groups : [];
      at = performance.now();
      panel.ask(asked.length ? { do: "partition", groups } : { do: "heal" });
    },
  };
}

/** Whether the network is cut and this node has a side of its own. */
export const isAlone = (node: NodeId, groups: NodeId[][]): boolean =>
  groups.length > 1 && groups.some((group) => group.length === 1 && group[0] === node);

/** The groups with this node alone. */
export function parted(node: NodeId, groups: NodeId[][], all: NodeId[]): NodeId[][] {
  const present = groups.length ? groups : [all];
  return [...without(node, present), [node]];
}

/** The groups with this node in the largest of the others. */
export function joined(node: NodeId, groups: NodeId[][]): NodeId[][] {
  const others = without(node, groups);
  const largest = others.reduce((one, other) => (other.length > one.length ? other : one), others[0] ?? []);
  return others.map((group) => (group === largest ? [...group, node] : group));
}

/** The groups with this node on the side of that number, which may be a new one. */
export function moved(node: NodeId, side: number, groups: NodeId[][], all: NodeId[]): NodeId[][] {
  const present = groups.length ? groups : [all];
  const sides = present.map((group) => group.filter((name) => name !== node));
  while (sides.length <= side) sides.push([]);
  sides[side]?.push(node);
  return sides.filter((group) => group.length);
}

const without = (node: NodeId, groups: NodeId[][]): NodeId[][] =>
  groups.map((group) => group.filter((name) => name !== node)).filter((group) => group.length);
