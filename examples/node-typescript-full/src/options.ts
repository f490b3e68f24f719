/** What a node is made of. `main.ts` gives it real clocks and sockets, tests give it pretended ones. */

import type { Election, Seat } from "./election.js";
import type { Journal, Saved } from "./journal.js";
import type { Message } from "./messages.js";

/** By mode: how many nodes must have a write before its client is answered. */
export const COPIES: Record<string, (nodes: number) => number> = {
  async: () => 1,
  quorum: (nodes) => Math.floor(nodes / 2) + 1,
  sync: (nodes) => nodes,
};

export interface NodeOptions {
  id: string;
  peers: string[];
  mode: string;
  heartbeatMs: number;
  electionTimeoutMs: number;
  elect: (seat: Seat) => Election;
  journal: Journal;
  saved: Saved[];
  now: () => number;
  random: () => number;
  send: (to: string, message: Message) => void;
  /** Calls `flush` soon, but not now. */
  wake: () => void;
  log: (text: string) => void;
}
