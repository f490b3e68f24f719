// What Python and the cluster panel say to each other, described once. Law of this file: types only.
//
// `npm run build` makes a JSON Schema of it (tests/panel/messages.schema.json), and tests/panel/test_messages.py holds
// every trait and message of Python against that schema. Times are the cluster's, in seconds, unless a name ends in
// `_ms`.

import type { Nothing, Problem } from "./common";

export type NodeId = string;
/** One look of a node: its role, or why it has none. */
export type Look = "leader" | "follower" | "candidate" | "paused" | "stopped" | "silent" | "unknown";
/** What can be done to a message on its way. */
export type Handling = "deliver" | "drop" | "hold";
export type Verb = "start" | "stop" | "kill" | "pause" | "resume";
/** What a request came to: `unknown` where nobody can know. */
export type Outcome = "ok" | "failed" | "unknown";
/** A part of the panel. */
export type Part = "ring" | "nodes" | "logs" | "values" | "client" | "network" | "time";
/** What the background client does: nothing; read from any node; write to the leader as well. */
export type Probing = "off" | "reads" | "writes";
/** What a message between nodes is about; `alive`: a node only says that it is there. */
export type Topic = "heartbeat" | "replication" | "election" | "alive";
export type Family = Topic | `${Topic}-reply`;
// ------------------------------------------------------------------------------------- the cluster panel: traits

export interface NodeState {
  id: NodeId;
  look: Look;
  state: string;
  term: number | null;
  leader: NodeId | null;
  /** null where the node does not tell: it never answered, or its language's node leaves it out. */
  keys: number | null;
  /** Entries of the leader's log that it lacks; null where that is not known, or the two logs have parted. */
  lag: number | null;
  /** The first index at which it holds something else than the leader; null: nowhere, as far as is known. */
  parted: number | null;
  /** Votes that reached it in its term, itself included; null where none was answered. */
  votes: { got: number; of: number; term: number | null } | null;
  url: string | null;
  /** Why a verb cannot act on it now; empty where it can. */
  why: Record<Verb, string>;
}

export type EntryState = "committed" | "open" | "doomed" | "folded";
/** Term, key and value in short, and what is to become of it: `doomed` ones are not in the leader's log. */
export type LogCell = [term: number | null, words: string, state: EntryState];
/** A node's log from entry `first` on. `told`: it answers now. */
export interface LogRow {
  node: NodeId;
  last: number;
  told: boolean;
  cells: LogCell[];
}
/** The ends of the logs, from entry `first` to entry `last`; `commit`: the leader's. */
export interface Logs {
  first: number;
  last: number;
  commit: number | null;
  rows: LogRow[];
  stories: string[];
}

export interface Network {
  /** Pairs of nodes that do not hear each other. */
  cuts: [NodeId, NodeId][];
  groups: NodeId[][];
  delay_ms: number;
  jitter_ms: number;
  /** Shares of all messages, 0 to 1. */
  drop: number;
  duplicate: number;
}

export interface Cell {
  /** The value as short JSON text; null: no such key. */
  v: string | null;
  /** Since when the copy is stale. */
  since?: number;
  /** The node does not answer: this is what it held. */
  old?: boolean;
}

export interface LostWrite {
  id: string;
  key: string;
  value: string;
  op: string;
  node: NodeId;
  at: number;
  story: string;
}

export interface Data {
  rows: { key: string; cells: Record<NodeId, Cell> }[];
  /** How many keys more there are than rows. */
  hidden: number;
  /** Whether all keys are asked for, and not only the first few. */
  all: boolean;
  lost: LostWrite[];
  leader: NodeId | null;
}

export interface Info {
  backend: string;
  mode: string;
  /** Copies that a write waits for. */
  copies: number | null;
  election: string;
  heartbeat_ms: number;
  timeout_ms: number;
  seed: number | null;
  leader: NodeId | null;
  split: boolean;
  sentence: string;
  /** Why the cluster is no more; empty while it is. */
  ended: string;
  /** Whether another one can be started in its place. */
  again: boolean;
}

/** A command that is being carried out. */
export interface Doing {
  id: number;
  verb: string;
  node: NodeId | null;
  text: string;
}

/** What came back for the last read or write from the panel. */
export interface Answer {
  id: number;
  verb: "put" | "get" | "delete";
  key: string;
  code: number | null;
  outcome: Outcome;
  body: Record<string, unknown>;
  node: NodeId | null;
  ms: number;
  attempts: number;
  /** The same request for a shell, or as a line of Python. */
  curl: string;
}

/** The simulator's time. `span`: seconds that the timeline shows; null: a minute. */
export interface Player {
  playing: boolean;
  speed: number;
  rewinds: boolean;
  /** Names of moments, and when they are. */
  moments: [string, number][];
  span: number | null;
  /** What is on its way while time stands. */
  flying: Flying[];
}

/** `due`: when it arrives by itself; null: it is held back. */
export type Flying = [id: string, family: Family, from: NodeId, to: NodeId, words: string, due: number | null];

export interface ClusterTraits {
  nodes: NodeState[];
  network: Network;
  data: Data;
  info: Info;
  logs: Logs;
  /** Which parts are shown; empty: all. */
  parts: Part[];
  doing: Doing[];
  answer: Answer | Nothing;
  problems: Problem[];
  /** What the background client does. */
  availability: Probing;
  player: Player | Nothing;
}

// ----------------------------------------------------------------------------------- the cluster panel: messages

/** Number, family, sender, receiver, kind, time. */
export type Sent = [id: string, family: Family, from: NodeId, to: NodeId, kind: string, time: number];
export type Arrived = [id: string, time: number];
/** From this time on the node had this look and term. */
export type Band = [node: NodeId, from: number, look: Look, term: number | null];
/** How many entries each follower lacked; null: that was not known, or its log had parted from the leader's. */
export type Lag = [time: number, behind: Record<NodeId, number | null>];
/** `write`: null where it did not write. */
export type Probe = [time: number, read: Outcome, write: Outcome | null];
/** At this time the node said that it waits so many seconds before it acts for want of a leader. */
export type Timer = [node: NodeId, time: number, seconds: number];
export type Level = "info" | "election" | "crown" | "lost" | "fault" | `write-${Outcome}`;

/** An event worth a mark on the timeline; `bubble`: what the node says about it. */
export interface Mark {
  t: number;
  node: NodeId;
  kind: string;
  level: Level;
  text: string;
  bubble?: string;
}

/** `rate`: seconds of the cluster's time in one second; 0: the simulation is halted. */
interface Timed {
  now: number;
  rate: number;
}

/** The last minute, after a view's `hello` and after a rewind. */
export interface History extends Timed {
  type: "history";
  bands: Band[];
  marks: Mark[];
  lag: Lag[];
  probes: Probe[];
  timers: Timer[];
}

/** What is new since the last news. */
export interface News extends Timed {
  type: "news";
  messages?: Sent[];
  arrived?: Arrived[];
  lost?: Sent[];
  bands?: Band[];
  marks?: Mark[];
  lag?: Lag[];
  probes?: Probe[];
  timers?: Timer[];
}

/** The command of this number has been carried out, or refused. */
export interface Done {
  type: "done";
  id: number | null;
}

export interface SpaceTime {
  type: "spacetime";
  svg: string;
  start: number;
  end: number;
}

/** One link of a chain of reasons: when, what, and the messages that show it. */
export interface Reason {
  t: number;
  text: string;
  messages: Sent[];
}

export interface Explanation {
  question: string;
  reasons: Reason[];
}

/** Why it is so at that moment: the latest reason first. */
export interface Why {
  type: "why";
  at: number;
  explanations: Explanation[];
}

/** The run until now as a schedule, to be kept as a file. */
export interface Saved {
  type: "saved";
  name: string;
  text: string;
}

export type ClusterMessage = History | News | Done | SpaceTime | Why | Saved;

/** `hello` and `bye`: a view has been opened, or closed. */
export type ClusterGreeting = { do: "hello" } | { do: "bye" };
/** What the user wants. It is sent with a number `id` of its own, which `done` acknowledges. */
export type ClusterCommand =
  | { do: "put"; key: string; value: string; via: NodeId | null }
  | { do: "get"; key: string; via: NodeId | null; linearizable: boolean }
  | { do: "delete"; key: string; via: NodeId | null }
  | { do: Verb; node: NodeId }
  | { do: "partition"; groups: NodeId[][] }
  | { do: "heal" }
  | { do: "delay"; ms: number; jitter_ms: number }
  | { do: "loss"; drop: number; duplicate: number }
  | { do: "spacetime"; start: number; end: number; width: number }
  | { do: "why"; at: number }
  | { do: "availability"; does: Probing }
  | { do: "rows"; all: boolean }
  | { do: "again" }
  | { do: "step"; seconds: number }
  | { do: "play"; speed: number }
  | { do: "halt" }
  | { do: Handling; message: string }
  | { do: "run_out"; node: NodeId }
  | { do: "undo" }
  | { do: "save" }
  | { do: "rewind"; to: number };
