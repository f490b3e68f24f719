/** What nodes say to each other, and what a log holds. docs/protocol.md describes it. */

import { isObject, type Json } from "./json.js";

export type EntryId = [index: number, term: number, leader: string];
export type Op = "put" | "delete" | "noop";
export type Entry = [index: number, term: number, leader: string, op: Op, key: string, value: Json];

/** The place before the first entry. */
export const START: EntryId = [0, 0, ""];

export type Heartbeat = { type: "heartbeat"; term: number; commit: EntryId; round: number };
export type HeartbeatReply = {
  type: "heartbeat_reply";
  term: number;
  round: number;
  follows: boolean;
  last: EntryId;
};
export type Replicate = {
  type: "replicate";
  term: number;
  prev: EntryId;
  entries: Entry[];
  commit: number;
};
export type Replicated = { type: "replicated"; term: number; ok: boolean; index: number };
export type LogConflict = { type: "log_conflict"; term: number };
export type Snapshot = {
  type: "snapshot";
  term: number;
  at: EntryId;
  offset: number;
  total: number;
  items: Entry[];
  force: boolean;
};
export type SnapshotReceived = { type: "snapshot_received"; term: number; at: EntryId; offset: number };
export type FetchLog = { type: "fetch_log"; term: number };
export type Alive = { type: "alive"; term: number };
export type Taken = { type: "taken"; term: number };
/** `last` is term and index of the candidate's last entry; a tuple in the lab's JSON. */
export type RequestVote = {
  type: "solutions.ex3_election.RequestVote";
  term: number;
  last: { tuple: [number, number] };
  pre: boolean;
};
export type Vote = { type: "solutions.ex3_election.Vote"; term: number; granted: boolean; pre: boolean };

export type Message =
  | Heartbeat
  | HeartbeatReply
  | Replicate
  | Replicated
  | LogConflict
  | Snapshot
  | SnapshotReceived
  | FetchLog
  | Alive
  | Taken
  | RequestVote
  | Vote;

export interface Envelope {
  from: string;
  id: string;
  message: Message;
}

export function idOf(entry: Entry): EntryId {
  return [entry[0], entry[1], entry[2]];
}

export function sameId(one: EntryId | undefined, other: EntryId): boolean {
  return one !== undefined && one[0] === other[0] && one[1] === other[1] && one[2] === other[2];
}

/** Which of two logs is newer is a matter of their last entries: the later term, then the longer log (Raft 5.4.1). */
export function isNewer(one: EntryId, other: EntryId): boolean {
  return one[1] !== other[1] ? one[1] > other[1] : one[0] > other[0];
}

/** Where a message is posted. */
export function pathOf(message: Message): string {
  if (message.type === "heartbeat" || message.type === "heartbeat_reply") {
    return "/internal/heartbeat";
  }
  const shipped = ["replicate", "replicated", "snapshot", "snapshot_received"].includes(message.type);
  return shipped ? "/internal/replicate" : "/internal/election";
}

// -- what came from outside ---------------------------------------------------------------------------

type Check = (value: unknown) => boolean;

const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isBoolean: Check = (value) => typeof value === "boolean";
const isId: Check = (value) =>
  Array.isArray(value) &&
  value.length === 3 &&
  isCount(value[0]) &&
  isCount(value[1]) &&
  typeof value[2] === "string";
const isEntry: Check = (value) =>
  Array.isArray(value) &&
  value.length === 6 &&
  isId(value.slice(0, 3)) &&
  ["put", "delete", "noop"].includes(value[3]) &&
  typeof value[4] === "string";
const areEntries: Check = (value) => Array.isArray(value) && value.every(isEntry);
const isPair: Check = (value) => isObject(value) && Array.isArray(value.tuple) && value.tuple.every(isCount);

const FIELDS = new Map<unknown, Record<string, Check>>(
  Object.entries({
    heartbeat: { commit: isId, round: isCount },
    heartbeat_reply: { round: isCount, follows: isBoolean, last: isId },
    replicate: { prev: isId, entries: areEntries, commit: isCount },
    replicated: { ok: isBoolean, index: isCount },
    log_conflict: {},
    snapshot: { at: isId, offset: isCount, total: isCount, items: areEntries, force: isBoolean },
    snapshot_received: { at: isId, offset: isCount },
    fetch_log: {},
    alive: {},
    taken: {},
    "solutions.ex3_election.RequestVote": { last: isPair, pre: isBoolean },
    "solutions.ex3_election.Vote": { granted: isBoolean, pre: isBoolean },
  }),
);

/** The envelope, or a sentence that says what is wrong with it. */
export function readEnvelope(body: unknown, peers: string[]): Envelope | string {
  if (!isObject(body) || typeof body.from !== "string" || typeof body.id !== "string") {
    return "an envelope is an object with from, id and message";
  }
  if (!peers.includes(body.from)) {
    return `no peer is called '${body.from}'`;
  }
  const message = body.message;
  const fields = isObject(message) ? FIELDS.get(message.type) : undefined;
  if (!isObject(message) || fields === undefined) {
    return "unknown message type";
  }
  for (const [name, fits] of Object.entries({ term: isCount, ...fields })) {
    if (!fits(message[name])) {
      return `${message.type}.${name} is missing or of the wrong kind`;
    }
  }
  return body as unknown as Envelope;
}
