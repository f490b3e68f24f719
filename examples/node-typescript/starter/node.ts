/**
 * A node to begin with: `cp starter/node.ts src/node.ts`.
 *
 * It answers its clients, and nothing else: node-1 leads for ever, nobody copies anything, nobody notices who is dead.
 * `replab conform --level wire -- node dist/main.js` is full from the start. Then follow the numbers, and ask
 * `--level steps` and `--level faults` after each.
 */

import { type Answer, type Ask, isObject } from "./peers.js";
import type { Settings } from "./settings.js";
import { type Change, type Json, type Snapshot, Store } from "./store.js";

export type Role = "leader" | "follower";

/** What a leader says to a follower. */
export interface LeaderMessage {
  term: number;
  leader_id: string;
  after?: number;
  changes?: Change[];
  snapshot?: Snapshot;
}

const LISTED_KEYS = 1000;

export class StoreNode {
  role: Role = "follower";
  term = 0;
  leaderId: string | null = null;
  readonly store = new Store();

  constructor(
    private readonly settings: Settings,
    /** Asks a peer: `await this.ask(url, limitMs, body)` gives its answer, or undefined where none comes in time. */
    readonly ask: Ask,
    private readonly log: (text: string) => void,
  ) {}

  get id(): string {
    return this.settings.nodeId;
  }

  start(): void {
    // 3. Election: this is not one. Wait for a heartbeat for `settings.electionTimeoutMs`. If none comes, ask every
    //    address in `settings.peers` for `/status`; of those that answer and this node the lowest id leads, in a term
    //    higher than all that were seen.
    this.leaderId = "node-1";
    this.term = 1;
    this.store.countFrom(0);
    if (this.id === this.leaderId) {
      this.role = "leader";
      this.log(`👑 Became LEADER for term ${this.term}`);
    }
    // 2. Heartbeats: a leader sends `/internal/heartbeat` to each peer, once every `settings.heartbeatMs`.
  }

  stop(): void {
    // Clear what timers you set.
  }

  status(): Answer {
    return {
      node_id: this.id,
      role: this.role,
      term: this.term,
      leader_id: this.leaderId,
      total_keys: this.store.size,
      keys: this.store.keys(LISTED_KEYS),
    };
  }

  /** Carry out a client's write, as leader. */
  write(change: Change): void {
    this.store.apply(change);
    // 1. Copies: send the change to `/internal/replicate` of each peer. Do not wait for one that does not answer.
    //    (`store.changesAfter` knows the last changes, `store.snapshot` everything.)
  }

  /** A heartbeat or a replicate message came. The answer goes back to its sender. */
  hear(_message: LeaderMessage): Answer {
    // 1. Copies: take over what is new in `message.changes` (`store.applyAfter`).
    // 3. Election: a leader of a later term is followed, one of an earlier term is told the present one.
    // 4. Coming back: the answer can say how many changes are here, so that the leader sends what is missing.
    return { success: false, term: this.term, leader_id: this.leaderId, index: this.store.index };
  }
}

/** The order of ids: `node-2` comes before `node-10`. */
export function byId(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}

/** What came as JSON, if it is a leader's message; undefined if not. */
export function asLeaderMessage(body: Json): LeaderMessage | undefined {
  const named = isObject(body) && typeof body.leader_id === "string" && Number.isSafeInteger(body.term);
  return named ? (body as unknown as LeaderMessage) : undefined;
}
