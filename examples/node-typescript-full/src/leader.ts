/** Leading: heartbeats, writes and their copies, linearizable reads, and what comes before the first write. */

import { CatchingUp, type Cluster } from "./catching-up.js";
import type { Json } from "./json.js";
import { type Entry, type HeartbeatReply, idOf, type Op } from "./messages.js";
import type { Replica } from "./replica.js";
import { Replication } from "./replication.js";

/** What became of a client's request. */
export type Outcome =
  | { done: "written"; entry: Entry; found: boolean }
  | { done: "read" }
  | { done: "unknown" }
  | { done: "overloaded" };
type Told = (outcome: Outcome) => void;

const MOST_WAITING = 10_000;

export class Leader {
  acceptsWrites = false;
  replication: Replication;

  private readonly catching: CatchingUp;
  private nextHeartbeat = 0;
  private readonly rounds = new Map<string, number>();
  private readonly told = new Map<string, number>();
  private readonly firstRound: number;
  private unsaved: Entry[] = [];
  private writes: { index: number; deadline: number; tell: Told }[] = [];
  private reads: { round: number; deadline: number; tell: Told }[] = [];

  constructor(
    private readonly cluster: Cluster,
    private readonly replica: Replica,
    readonly term: number,
    /** The last round of heartbeats so far: a number never comes twice. */
    public round: number,
    catchesUp: boolean,
    now: number,
  ) {
    this.catching = new CatchingUp(cluster, replica, term, now);
    this.firstRound = round;
    this.replication = this.shipping();
    if (!catchesUp || cluster.peers.length === 0) {
      this.acceptWrites();
    }
    this.sendHeartbeats(now);
  }

  /** The node from which this one fetches what its log lacks, before it accepts writes. */
  get source(): string | undefined {
    return this.acceptsWrites ? undefined : this.catching.source;
  }

  private shipping(): Replication {
    return new Replication(
      this.term,
      this.replica,
      this.cluster.peers,
      Math.min(2 * this.cluster.heartbeat, 500),
    );
  }

  private acceptWrites(): void {
    this.acceptsWrites = true;
    this.replication = this.shipping();
    this.append("noop", "", null); // with it, everything before becomes committed
    this.cluster.log(`👑 Became LEADER for term ${this.term}`);
  }

  /** The leadership is over. Whoever waits is told that the outcome is unknown, because it is. */
  stop(): void {
    for (const { tell } of [...this.writes, ...this.reads]) {
      tell({ done: "unknown" });
    }
    const [first] = this.unsaved;
    if (first !== undefined) {
      this.replica.log.truncate(first[0] - 1);
    }
    this.cluster.log(`Leads no more in term ${this.term}`);
  }

  tick(now: number): void {
    if (now >= this.nextHeartbeat) {
      this.sendHeartbeats(now);
    }
    this.catchUp(now);
    this.writes = this.writes.filter((one) => this.waits(one, now));
    this.reads = this.reads.filter((one) => this.waits(one, now));
  }

  private waits({ deadline, tell }: { deadline: number; tell: Told }, now: number): boolean {
    if (deadline <= now) {
      tell({ done: "unknown" });
    }
    return deadline > now;
  }

  // -- heartbeats -----------------------------------------------------------------------------------

  private sendHeartbeats(now: number): void {
    this.round += 1;
    this.nextHeartbeat = now + this.cluster.heartbeat - this.cluster.heartbeat / 8;
    for (const peer of this.cluster.peers) {
      this.beat(peer);
    }
  }

  private beat(peer: string): void {
    const { term, round } = this;
    this.cluster.send(peer, { type: "heartbeat", term, commit: this.replica.commit, round });
  }

  /** A peer that has come back, and perhaps cannot be reached yet, learns from the answer that there is a leader. */
  tellUnaware(peer: string): void {
    const answered = this.rounds.get(peer) ?? this.firstRound;
    if (this.round > Math.max(answered + 1, this.told.get(peer) ?? 0)) {
      this.told.set(peer, this.round);
      this.beat(peer);
    }
  }

  heartbeatAnswered(peer: string, reply: HeartbeatReply, now: number): void {
    if (reply.term !== this.term || reply.round <= this.firstRound || reply.round > this.round) {
      return; // of an earlier leadership
    }
    if (reply.follows) {
      this.catching.lasts.set(peer, reply.last);
      this.rounds.set(peer, Math.max(reply.round, this.rounds.get(peer) ?? 0));
    }
    if (!this.acceptsWrites) {
      this.catchUp(now);
    } else if (!reply.follows || reply.round === this.round) {
      this.replication.alive(peer, reply.last);
    }
    this.cluster.wake();
  }

  catchUp(now: number): void {
    if (!this.acceptsWrites && this.catching.isDone(now)) {
      this.acceptWrites();
    }
  }

  // -- clients --------------------------------------------------------------------------------------

  write(op: Op, key: string, value: Json, now: number, tell: Told): void {
    if (this.writes.length >= MOST_WAITING) {
      tell({ done: "overloaded" });
      return;
    }
    const index = this.append(op, key, value);
    this.writes.push({ index, deadline: now + this.cluster.timeout, tell });
  }

  /** The answer waits until a majority has answered a round of heartbeats that is sent from now on (Raft 8). */
  read(now: number, tell: Told): void {
    this.reads.push({ round: this.round + 1, deadline: now + this.cluster.timeout, tell });
    this.cluster.wake();
  }

  private append(op: Op, key: string, value: Json): number {
    const { log } = this.replica;
    const entry: Entry = [log.lastIndex + 1, this.term, this.cluster.me, op, key, value];
    log.append(entry);
    this.unsaved.push(entry);
    this.cluster.wake();
    return entry[0];
  }

  /** An entry took effect. */
  applied(entry: Entry, found: boolean): void {
    const [first] = this.writes;
    if (first !== undefined && first.index === entry[0]) {
      this.writes.shift();
      first.tell({ done: "written", entry, found });
    }
  }

  // -- a turn ---------------------------------------------------------------------------------------

  /** Save what was appended, commit what enough nodes have, answer reads, ship. */
  flush(now: number): void {
    if (!this.acceptsWrites) {
      return;
    }
    const { replica, cluster } = this;
    const entries = this.unsaved;
    if (entries.length > 0) {
      this.unsaved = [];
      const last = entries.at(-1)?.[0] ?? 0;
      replica.saveEntries(entries, cluster.copies === 1 ? last : replica.commit[0]);
    }
    const index = this.replication.heldBy(cluster.copies, replica.log.lastIndex);
    const entry = replica.log.get(index);
    // Only an entry of this leadership is counted by its copies (Raft 5.4.2).
    if (entry !== undefined && entry[1] === this.term && entry[2] === cluster.me) {
      replica.advance(index);
    }
    this.answerReads(now);
    for (const [peer, message] of this.replication.due(now)) {
      cluster.send(peer, message);
    }
  }

  private answerReads(now: number): void {
    const [, term, leader] = idOf([...this.replica.commit, "noop", "", null]);
    if (this.reads.length === 0 || term !== this.term || leader !== this.cluster.me) {
      return;
    }
    const rounds = [this.round, ...this.rounds.values()].sort((a, b) => b - a);
    const confirmed = rounds[this.cluster.majority - 1] ?? 0;
    const ready = this.reads.filter(({ round }) => round <= confirmed);
    this.reads = this.reads.filter(({ round }) => round > confirmed);
    for (const { tell } of ready) {
      tell({ done: "read" });
    }
    if (this.reads.some(({ round }) => round > this.round)) {
      this.sendHeartbeats(now);
    }
  }
}
