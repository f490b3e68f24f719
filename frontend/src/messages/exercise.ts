// What Python and the exercise panel say to each other, described once: see cluster.ts. Law of this file: types only.

import type { Problem } from "./common";

// ------------------------------------------------------------------------------------ the exercise panel: traits

export type Over = "passed" | "part" | "failed" | "skipped" | "not_attempted" | "error";
export type State = "idle" | "waiting" | "running" | Over;
export type Whose = "yours" | "reference";

export interface About {
  id: string;
  title: string;
  file: string;
  /** It is an election, which can be searched, and real nodes can run. */
  election: boolean;
  /** The reference solution is at hand. */
  reference: boolean;
}

/** A check and what came of it. Points are texts: they are shown, not counted. */
export interface Row {
  id: string;
  title: string;
  points: string;
  share: number;
  rule: string;
  hint: string;
  state: State;
  earned: string;
  /** The result is of an earlier version of the code. */
  old: boolean;
  /** The check that keeps this one from counting; empty where none does. */
  held_up: string;
  message: string;
  evidence: string[];
  replay: string;
  output: string;
  reference: State;
  reference_earned: string;
  /** What can be opened: a run that can be drawn, a cluster, or nothing. */
  scene: "" | "run" | "cluster";
}

export interface Total {
  earned: string;
  points: string;
  done: number;
  checks: number;
  headline: string;
  perfect: boolean;
  reference: string;
  reference_of: string;
  reference_on: boolean;
  reference_why: string;
  notes: string[];
  /** The share of the time limit that the checks have used; null while none is run. */
  spent: number | null;
}

export interface Source {
  kind: string;
  label: string;
  detail: string;
  changed: boolean;
  choices: { kind: string; label: string; why: string }[];
  why: string;
}

export interface Activity {
  checking: boolean;
  comparing: boolean;
  /** What is being opened; empty where nothing is. */
  opening: string;
  /** Why something cannot be done now; empty where it can. */
  why: Record<"run" | "stop" | "open" | "real" | "search" | "leave", string>;
}

/** What is open below the checks; `kind` is empty where nothing is. */
export interface Opened {
  kind: "" | "replay" | "left" | "real" | "search";
  title?: string;
  text?: string;
  warning?: string;
}

export interface BoardTraits {
  about: About;
  rows: Row[];
  total: Total;
  source: Source;
  activity: Activity;
  stage: Opened;
  problems: Problem[];
}

// ---------------------------------------------------------------------------------- the exercise panel: messages

export interface Diagram {
  type: "diagram";
  check: string;
  whose: Whose;
  whole: boolean;
  svg: string;
  story: [time: number, words: string][];
  moment: number;
}

/** The command of this number has arrived. */
export interface Heard {
  type: "heard";
  id: number | null;
}

export type BoardMessage = Diagram | Heard;
/** What the user wants. It is sent with a number `id` of its own, which `heard` acknowledges. */
export type BoardCommand =
  | { do: "run"; only?: string[] }
  | { do: "stop" }
  | { do: "real" }
  | { do: "search" }
  | { do: "leave" }
  | { do: "source"; kind: string }
  | { do: "open"; check: string; whose: Whose }
  | { do: "diagram"; check: string; whose: Whose; whole: boolean; width: number };
