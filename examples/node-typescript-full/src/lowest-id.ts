/**
 * The lesson's rule: the lowest id that is not suspected dead leads. Nobody votes.
 *
 * Every node says that it is alive, once a heartbeat interval. Who hears no leader for the election timeout looks at who
 * else is alive; the lowest id takes the next term. Both sides of a cut may get a leader. But a node follows one leader
 * in a term and no other, so at most one of them has a majority.
 */

import { type Election, natural, type Seat } from "./election.js";
import type { Message } from "./messages.js";

export default class LowestId implements Election {
  leader: string | null = null;
  term = 0;
  vote: string | null = null;
  readonly catchesUp = true;

  private started: number | undefined;
  private readonly heard = new Map<string, number>();
  private leaderHeard = 0;
  private nextAlive = 0;
  private successor: string | undefined;
  private since = 0;
  private readonly followers = new Set<string>();

  constructor(private readonly seat: Seat) {}

  tick(now: number): void {
    this.start(now);
    const { me, peers, timeout, heartbeat } = this.seat;
    if (this.leader === me) {
      return;
    }
    if (now >= this.nextAlive) {
      this.nextAlive = now + heartbeat;
      for (const peer of peers) {
        this.seat.send(peer, { type: "alive", term: this.term });
      }
    }
    // Who has heard nobody yet does not know whether there is a leader: it waits until the others count as dead.
    const patience = this.heard.size > 0 ? timeout : 2 * timeout;
    if (now - this.leaderHeard >= patience || peers.length === 0) {
      this.elect(now);
    }
  }

  receive(sender: string, message: Message, now: number): void {
    this.start(now);
    this.heard.set(sender, now);
    const { term } = message;
    if (message.type === "heartbeat") {
      this.hearLeader(sender, term, now);
    } else if (message.type === "heartbeat_reply" && message.follows && term === this.term) {
      this.followers.add(sender);
    } else if (message.type === "taken" && term === this.term) {
      this.meetRival(now);
    } else if (term > this.term) {
      this.follow(null, term, now); // somebody leads, or led, in a later term: give its heartbeat time to come
    } else if (term < this.term && message.type === "alive") {
      this.seat.send(sender, { type: "alive", term: this.term });
    }
  }

  private hearLeader(sender: string, term: number, now: number): void {
    if (term > this.term || (term === this.term && (this.vote === null || this.vote === sender))) {
      this.follow(sender, term, now);
    } else if (term === this.term) {
      this.seat.send(sender, { type: "taken", term });
      this.meetRival(now);
    }
  }

  /** Somebody else leads in this very term. With a majority behind us we go on in a term of our own; else we give up. */
  private meetRival(now: number): void {
    if (this.leader !== this.seat.me) {
      return;
    }
    if (this.followers.size + 1 >= this.seat.majority) {
      this.lead();
    } else {
      this.follow(null, this.term, now);
    }
  }

  private follow(leader: string | null, term: number, now: number): void {
    if (term > this.term) {
      this.vote = null;
    }
    this.leader = leader;
    this.term = term;
    this.vote = leader ?? this.vote;
    this.leaderHeard = now;
    this.successor = undefined;
  }

  private lead(): void {
    this.term += 1;
    this.leader = this.vote = this.seat.me;
    this.followers.clear();
    this.successor = undefined;
  }

  private start(now: number): void {
    if (this.started === undefined) {
      this.started = this.leaderHeard = now;
    }
  }

  private elect(now: number): void {
    const { me, peers, timeout, heartbeat } = this.seat;
    // Nodes do not start in the same instant, so at the start everybody gets an extra timeout.
    const heard = (peer: string) => this.heard.get(peer) ?? (this.started ?? now) + timeout;
    const alive = peers.filter((peer) => now - heard(peer) < timeout);
    const successor = [me, ...alive].sort(natural)[0];
    if (successor !== this.successor) {
      this.seat.log(successor === me ? "Election timeout!" : `Waiting for ${successor} to become leader`);
      this.leader = null;
      this.successor = successor;
      this.since = now;
    }
    // A moment's grace: a node that was asleep reads the heartbeats that arrived meanwhile.
    if (successor === me && (now >= this.since + heartbeat / 2 || peers.length === 0)) {
      this.lead();
    }
  }
}
