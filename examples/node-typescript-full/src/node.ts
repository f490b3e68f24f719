/**
 * One node: it gives each message, tick and request to the part that it concerns.
 *
 * An election says who leads. What it wants to say to others goes out after its term and vote are on the disk: a vote
 * that was sent and then forgotten in a crash could be given twice.
 */

import type { Cluster } from "./catching-up.js";
import { AwakeClock, type Election } from "./election.js";
import { Follower } from "./follower.js";
import type { Json } from "./json.js";
import { Leader, type Outcome } from "./leader.js";
import { type Message, type Op, sameId } from "./messages.js";
import { COPIES, type NodeOptions } from "./options.js";
import { Replica } from "./replica.js";
import { Replication } from "./replication.js";

const LISTED_KEYS = 1000;

export class StoreNode {
  readonly replica: Replica;
  private readonly election: Election;
  private readonly cluster: Cluster;
  private readonly awake: AwakeClock;
  private readonly outbox: [to: string, message: Message][] = [];
  private leading: Leader | undefined;
  private following: Follower;
  /** While this node ships to a new leader what that one lacks. */
  private lending: Replication | undefined;
  private before: { leader: string | null; term: number; vote: string | null };
  /** The term in which an earlier life of this node ended: it may have promised things in it that it forgot. */
  private readonly earlierTerm: number;
  private rounds = 0;

  constructor(private readonly options: NodeOptions) {
    const { id, peers, send, wake, log, heartbeatMs: heartbeat, electionTimeoutMs: timeout } = options;
    const majority = Math.floor((peers.length + 1) / 2) + 1;
    const copies = (COPIES[options.mode] ?? (() => 1))(peers.length + 1);
    this.cluster = { me: id, peers, majority, copies, heartbeat, timeout, send, wake, log };
    this.replica = new Replica(options.journal);
    this.replica.restore(options.saved);
    this.replica.applied = (entry, found) => this.leading?.applied(entry, found);
    this.following = new Follower(this.replica);
    this.awake = new AwakeClock(heartbeat);
    this.election = options.elect({
      ...{ me: id, peers, majority, timeout, heartbeat, log, random: options.random },
      last: () => [this.replica.log.lastId[1], this.replica.log.lastId[0]],
      send: (to, message) => this.outbox.push([to, message]),
    });
    this.election.term = this.replica.term;
    this.election.vote = this.replica.vote;
    this.earlierTerm = options.saved.length > 0 ? this.replica.term : -1;
    this.before = { ...this.said() };
  }

  get id(): string {
    return this.options.id;
  }

  get leads(): boolean {
    return this.leading?.acceptsWrites === true;
  }

  get role(): string {
    const { leader, vote, catchesUp } = this.election;
    const stands = leader === null && vote === this.id && !catchesUp;
    return this.leads ? "leader" : this.leading !== undefined || stands ? "candidate" : "follower";
  }

  /** The leader to send clients to, if one is known. */
  get leaderId(): string | null {
    return this.election.leader === this.id && !this.leads ? null : this.election.leader;
  }

  status(): Record<string, Json> {
    const { log, store, commit } = this.replica;
    return {
      ...{ node_id: this.id, role: this.role, term: this.election.term, leader_id: this.leaderId },
      ...{ total_keys: store.size, keys: store.keys(LISTED_KEYS), mode: this.options.mode },
      ...{ last_index: log.lastIndex, commit_index: commit[0], log_length: log.length },
      lag: this.leads ? (this.leading?.replication.lag() ?? {}) : {},
    };
  }

  // -- what comes in --------------------------------------------------------------------------------

  tick(): void {
    this.election.tick(this.electionTime());
    this.afterElection();
    this.leading?.tick(this.now());
    this.flush();
  }

  /** A client's write; false where this node does not lead. */
  write(op: Op, key: string, value: Json, tell: (outcome: Outcome) => void): boolean {
    if (this.leads) {
      this.leading?.write(op, key, value, this.now(), tell);
    }
    return this.leads;
  }

  /** A linearizable read: `tell` is called when this node's own copy may be read. */
  read(tell: (outcome: Outcome) => void): boolean {
    if (this.leads) {
      this.leading?.read(this.now(), tell);
    }
    return this.leads;
  }

  flush(): void {
    if (this.leading !== undefined) {
      this.leading.flush(this.now());
    } else {
      for (const [to, message] of this.lending?.due(this.now()) ?? []) {
        this.cluster.send(to, message);
      }
    }
  }

  receive(sender: string, message: Message): void {
    const { term } = message;
    const shipping = this.leading?.replication ?? this.lending;
    const ours = shipping !== undefined && shipping.term === term ? shipping : undefined;
    switch (message.type) {
      case "heartbeat":
        this.tellElection(sender, message);
        this.answerHeartbeat(sender, message);
        return;
      case "heartbeat_reply":
        this.tellElection(sender, message);
        this.leading?.heartbeatAnswered(sender, message, this.now());
        return;
      case "replicate":
        if (this.mayShip(sender, term)) {
          this.lending = undefined;
          this.cluster.send(sender, this.following.take(message));
          this.leading?.catchUp(this.now());
        }
        return;
      case "snapshot":
        if (this.mayShip(sender, term)) {
          this.cluster.send(sender, this.following.takeSnapshot(message));
          this.leading?.catchUp(this.now());
        }
        return;
      case "replicated":
        ours?.replicated(sender, message);
        this.cluster.wake();
        return;
      case "log_conflict":
        ours?.conflict(sender);
        this.cluster.wake();
        return;
      case "snapshot_received":
        ours?.snapshotReceived(sender, message);
        this.cluster.wake();
        return;
      case "fetch_log":
        if (sender === this.election.leader && term === this.election.term && this.leading === undefined) {
          this.lending = new Replication(term, this.replica, [sender], 2 * this.cluster.heartbeat);
          this.flush();
        }
        return;
      default:
        this.tellElection(sender, message);
        if (this.election.catchesUp) {
          this.leading?.tellUnaware(sender);
        }
    }
  }

  /** Entries are taken from this term's leader, and by a leader that catches up from the peer it asked. */
  private mayShip(sender: string, term: number): boolean {
    const expected = this.leading === undefined ? this.election.leader : this.leading.source;
    return sender === expected && term === this.election.term;
  }

  private answerHeartbeat(sender: string, message: Message & { type: "heartbeat" }): void {
    const { election, replica } = this;
    const follows = election.leader === sender && election.term === message.term;
    if (follows && sameId(replica.log.idAt(message.commit[0]), message.commit)) {
      replica.advance(message.commit[0]);
    }
    const { round } = message;
    const last = replica.log.lastId;
    this.cluster.send(sender, { type: "heartbeat_reply", term: election.term, round, follows, last });
  }

  // -- the election ---------------------------------------------------------------------------------

  private now(): number {
    return this.options.now();
  }

  /** An election without votes acts on silence alone, so time in which this node slept is kept from it. */
  private electionTime(): number {
    const awake = this.awake.at(this.now());
    return this.election.catchesUp ? awake : this.now();
  }

  private tellElection(sender: string, message: Message): void {
    this.election.receive(sender, message, this.electionTime());
    this.afterElection();
  }

  private said() {
    const { leader, term, vote } = this.election;
    return { leader, term, vote };
  }

  private afterElection(): void {
    const before = this.before;
    const said = this.said();
    this.before = said;
    if (said.term !== before.term || said.vote !== before.vote) {
      this.replica.saveState(said.term, said.vote);
    }
    for (const [to, message] of this.outbox.splice(0)) {
      this.cluster.send(to, message);
    }
    if (said.leader !== before.leader || said.term !== before.term) {
      this.leaderChanged();
    }
  }

  /** Drop what belonged to the leadership before, and begin to lead or to follow. */
  private leaderChanged(): void {
    const { leader, term, catchesUp } = this.election;
    this.lending = undefined;
    this.following = new Follower(this.replica);
    if (this.leading !== undefined) {
      this.rounds = this.leading.round;
      this.leading.stop();
      this.leading = undefined;
    }
    if (leader === this.id && term > this.earlierTerm) {
      this.leading = new Leader(this.cluster, this.replica, term, this.rounds, catchesUp, this.now());
    } else if (leader !== null) {
      this.cluster.log(`Following ${leader} in term ${term}`);
    }
  }
}
