/**
 * One node of the store: it follows a leader, or leads.
 *
 * The election is the lesson's. A follower that hears no heartbeat for the election timeout asks every peer for its
 * status; of those that answer the node with the lowest id leads, in the next term. Nobody votes, so two nodes that
 * cannot reach each other may both lead. When they meet again, the higher term wins, and within a term the lower id.
 */

import { type Answer, type Ask, isObject } from "./peers.js";
import type { Settings } from "./settings.js";
import { type Change, type Json, NOTHING, type Snapshot, Store } from "./store.js";

export type Role = "leader" | "follower";

/** What a leader says to a follower. A heartbeat brings neither changes nor a snapshot. */
export interface LeaderMessage {
  term: number;
  leader_id: string;
  after?: number;
  changes?: Change[];
  snapshot?: Snapshot;
}

/** A follower as its leader sees it. */
interface Follower {
  url: string;
  /** The number of our changes that it has, as far as we know. */
  index: number;
  /** A replicate message is on its way, and its answer has not come yet. */
  busy: boolean;
}

const LISTED_KEYS = 1000;

export class StoreNode {
  role: Role = "follower";
  term = 0;
  leaderId: string | null = null;
  readonly store = new Store();

  private followers: Follower[] = [];
  private electionTimer: NodeJS.Timeout | undefined;
  private heartbeatTimer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly settings: Settings,
    private readonly ask: Ask,
    private readonly log: (text: string) => void,
  ) {}

  get id(): string {
    return this.settings.nodeId;
  }

  start(): void {
    this.waitForLeader();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.electionTimer);
    clearInterval(this.heartbeatTimer);
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

  // -- election -------------------------------------------------------------------------------------

  /** Begin to wait anew: an election starts when the leader is silent for the whole election timeout. */
  private waitForLeader(): void {
    clearTimeout(this.electionTimer);
    if (!this.stopped) {
      this.electionTimer = setTimeout(() => void this.elect(), this.settings.electionTimeoutMs);
    }
  }

  private async elect(): Promise<void> {
    this.log("Election timeout! Starting election...");
    this.leaderId = null;
    const limit = Math.min(1000, this.settings.electionTimeoutMs / 2);
    const answers = await Promise.all(this.settings.peers.map((url) => this.ask(`${url}/status`, limit)));
    if (this.stopped || this.leaderId !== null) {
      return; // while we asked, a leader was heard, and we wait for its next heartbeat
    }
    const present = answers.filter((answer) => typeof answer?.node_id === "string") as Answer[];
    const leading = present.find((peer) => peer.role === "leader" && termOf(peer) >= this.term);
    const ids = [this.id, ...present.map((peer) => String(peer.node_id))].sort(byId);
    const next = String(leading?.node_id ?? ids[0]);
    if (next === this.id) {
      this.lead(Math.max(this.term, ...present.map(termOf)) + 1);
    } else {
      this.log(`Waiting for ${next} to become leader`);
      this.waitForLeader();
    }
  }

  private lead(term: number): void {
    clearTimeout(this.electionTimer);
    this.role = "leader";
    this.term = term;
    this.leaderId = this.id;
    this.store.countFrom(0);
    this.followers = this.settings.peers.map((url) => ({ url, index: NOTHING, busy: false }));
    this.log(`👑 Became LEADER for term ${term}`);
    this.heartbeatTimer = setInterval(() => this.sendHeartbeats(), this.settings.heartbeatMs);
    this.sendHeartbeats();
  }

  private follow(leaderId: string, term: number): void {
    clearInterval(this.heartbeatTimer);
    if (this.role === "leader") {
      this.log(`Stepping down: ${leaderId} leads in term ${term}`);
    }
    this.role = "follower";
    this.term = term;
    this.leaderId = leaderId;
    this.store.countFrom(NOTHING);
    this.log(`Following ${leaderId} in term ${term}`);
    this.waitForLeader();
  }

  /** Whether this leader is to be followed rather than the one that we know. */
  private outranks(leaderId: string, term: number): boolean {
    if (term !== this.term) {
      return term > this.term;
    }
    return this.leaderId === null || byId(leaderId, this.leaderId) < 0;
  }

  // -- what a leader does ---------------------------------------------------------------------------

  /** Carry out a client's write. It is answered at once; the followers get it a moment later. */
  write(change: Change): void {
    this.store.apply(change);
    for (const follower of this.followers) {
      void this.bringUpToDate(follower);
    }
  }

  private sendHeartbeats(): void {
    for (const follower of this.followers) {
      void this.sendHeartbeat(follower);
    }
  }

  private async sendHeartbeat(follower: Follower): Promise<void> {
    if (await this.tell(follower, "heartbeat", {})) {
      await this.bringUpToDate(follower);
    }
  }

  /** Send what the follower lacks, one message after the other, until it has everything or does not answer. */
  private async bringUpToDate(follower: Follower): Promise<void> {
    if (follower.busy) {
      return; // whoever is at it goes on until nothing is missing
    }
    follower.busy = true;
    let answered = true;
    while (answered && this.leadsWith(follower) && follower.index !== this.store.index) {
      const changes = this.store.changesAfter(follower.index);
      const content = changes ? { after: follower.index, changes } : { snapshot: this.store.snapshot() };
      answered = await this.tell(follower, "replicate", content);
    }
    follower.busy = false; // after a failure the answer to the next heartbeat starts this again
  }

  /** Send one message as leader. False where no answer came, or we do not lead any more. */
  private async tell(follower: Follower, kind: string, content: object): Promise<boolean> {
    const message = { term: this.term, leader_id: this.id, ...content };
    const url = `${follower.url}/internal/${kind}`;
    const answer = await this.ask(url, this.settings.electionTimeoutMs, message);
    if (answer === undefined || !this.leadsWith(follower)) {
      return false;
    }
    if (typeof answer.leader_id === "string" && this.outranks(answer.leader_id, termOf(answer))) {
      this.follow(answer.leader_id, termOf(answer));
      return false;
    }
    follower.index = typeof answer.index === "number" ? answer.index : NOTHING;
    return true;
  }

  /** Whether we still lead, in the term in which we met this follower. */
  private leadsWith(follower: Follower): boolean {
    return this.role === "leader" && !this.stopped && this.followers.includes(follower);
  }

  // -- what a follower does -------------------------------------------------------------------------

  /** A heartbeat or a replicate message. The answer says whom we follow, and how far we are. */
  hear(message: LeaderMessage): Answer {
    if (this.outranks(message.leader_id, message.term)) {
      this.follow(message.leader_id, message.term);
    }
    const success =
      message.leader_id === this.leaderId && message.term === this.term && this.role === "follower";
    if (success) {
      this.waitForLeader();
      if (message.snapshot !== undefined) {
        this.store.install(message.snapshot);
      } else if (message.changes !== undefined && message.after !== undefined) {
        this.store.applyAfter(message.after, message.changes);
      }
    }
    return { success, term: this.term, leader_id: this.leaderId, index: this.store.index };
  }
}

/** The order of ids: `node-2` comes before `node-10`. */
export function byId(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}

function termOf(answer: Answer): number {
  return typeof answer.term === "number" ? answer.term : 0;
}

/** What came as JSON, if it is a leader's message; undefined if not. */
export function asLeaderMessage(body: Json): LeaderMessage | undefined {
  const named = isObject(body) && typeof body.leader_id === "string" && Number.isSafeInteger(body.term);
  return named ? (body as unknown as LeaderMessage) : undefined;
}
