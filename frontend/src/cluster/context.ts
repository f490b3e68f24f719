// What every part of the cluster panel is given.

import type { ClusterCommand, ClusterTraits, NodeId } from "../messages/cluster";
import type { Colours } from "../shared/canvas";
import type { Clock } from "./clock";

export interface Context {
  /** Different for each panel of a page. */
  id: string;
  clock: Clock;
  colours: Colours;
  /** Whether the user wants nothing to move. */
  calm(): boolean;
  /** Whether each picture counts: something has just happened, or somebody points at the panel. */
  lively(): boolean;
  get<Trait extends keyof ClusterTraits>(trait: Trait): ClusterTraits[Trait];
  simulated(): boolean;
  ask(command: ClusterCommand): void;
  /** What is being done to a node; empty: nothing. */
  busyWith(node: NodeId): string;
  /** Shows a node's controls and gives them the keyboard. */
  focusNode(node: NodeId): void;
}

/** A part of the panel. It builds its elements once and then only changes them. */
export interface View {
  el: HTMLElement;
  update(): void;
}
