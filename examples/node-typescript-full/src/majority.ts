/**
 * Leader election by majority vote, after Raft (Ongaro and Ousterhout, 2014, 5.2 and 5.4.1), with pre-vote (Ongaro's
 * thesis, 9.6): a node asks first whether it would get the votes, so one that cannot win disturbs nobody.
 *
 * It speaks the messages of the lab's `solutions.ex3_election:MyElection`, so both can vote in one cluster.
 */

import type { Election, Seat } from "./election.js";
import type { Message, RequestVote, Vote } from "./messages.js";

const ASK = "solutions.ex3_election.RequestVote";
const ANSWER = "solutions.ex3_election.Vote";

export default class Majority implements Election {
  leader: string | null = null;
  term = 0;
  vote: string | null = null;
  readonly catchesUp = false;

  private deadline: number | undefined;
  private leaderHeard = Number.NEGATIVE_INFINITY;
  private votes = new Set<string>();
  /** What the votes are for; undefined: not a candidate. */
  private asked: RequestVote | undefined;
  private heard = new Map<string, number>();

  constructor(private readonly seat: Seat) {}

  tick(now: number): void {
    if (this.deadline === undefined) {
      this.wait(now);
    } else if (this.leader === this.seat.me) {
      this.stepDownWithoutMajority(now);
    } else if (now >= this.deadline) {
      this.campaign(now, true);
    }
  }

  receive(sender: string, message: Message, now: number): void {
    this.heard.set(sender, now);
    if (message.type === ASK) {
      this.answer(sender, message, now);
    } else if (message.type === ANSWER && message.granted) {
      this.count(sender, message, now);
    } else if (message.type === "heartbeat" && message.term >= this.term) {
      this.adopt(message.term);
      this.leader = sender;
      this.leaderHeard = now;
      this.asked = undefined;
      this.wait(now);
    } else if (message.type === ANSWER || message.type === "heartbeat_reply") {
      this.adopt(message.term);
    }
  }

  /** A later term than ours has begun, so whoever led before leads no more. */
  private adopt(term: number): void {
    if (term > this.term) {
      this.term = term;
      this.vote = this.leader = null;
      this.asked = undefined;
    }
  }

  /** Everybody waits for a different time, so that candidates seldom meet. */
  private wait(now: number): void {
    this.deadline = now + this.seat.timeout * (1 + this.seat.random());
  }

  private campaign(now: number, pre: boolean): void {
    this.leader = null;
    this.votes = new Set();
    this.wait(now);
    if (!pre) {
      this.seat.log("Election timeout! Starting election...");
      this.term += 1;
      this.vote = this.seat.me;
    }
    const term = pre ? this.term + 1 : this.term;
    this.asked = { type: ASK, term, last: { tuple: this.seat.last() }, pre };
    for (const peer of this.seat.peers) {
      this.seat.send(peer, this.asked);
    }
    this.count(this.seat.me, { type: ANSWER, term, granted: true, pre }, now);
  }

  /** A vote for what is not asked any more counts for nothing. */
  private count(voter: string, vote: Vote, now: number): void {
    if (this.asked === undefined || vote.term !== this.asked.term || vote.pre !== this.asked.pre) {
      return;
    }
    this.votes.add(voter);
    if (this.votes.size < this.seat.majority) {
      return;
    }
    if (vote.pre) {
      this.campaign(now, false);
    } else if (this.vote === this.seat.me) {
      this.leader = this.seat.me;
      this.asked = undefined;
      this.heard = new Map(this.seat.peers.map((peer) => [peer, now]));
    }
  }

  private answer(sender: string, request: RequestVote, now: number): void {
    const [term, index] = request.last.tuple;
    const [ownTerm, ownIndex] = this.seat.last();
    const newEnough = term !== ownTerm ? term > ownTerm : index >= ownIndex;
    if (request.pre) {
      const leaderAlive = this.leader === this.seat.me || now < this.leaderHeard + this.seat.timeout;
      const granted = request.term > this.term && newEnough && !leaderAlive;
      this.say(sender, granted ? request.term : this.term, granted, true);
      return;
    }
    this.adopt(request.term);
    const free = (this.vote === null || this.vote === sender) && this.leader === null;
    const granted = request.term === this.term && free && newEnough;
    if (granted) {
      this.vote = sender;
      this.wait(now);
    }
    this.say(sender, this.term, granted, false);
  }

  private say(to: string, term: number, granted: boolean, pre: boolean): void {
    this.seat.send(to, { type: ANSWER, term, granted, pre });
  }

  /** Without a majority in reach nothing can be committed, and somebody else may lead by now (thesis 6.2). */
  private stepDownWithoutMajority(now: number): void {
    const silentSince = (peer: string) => now - (this.heard.get(peer) ?? 0);
    const inReach = this.seat.peers.filter((peer) => silentSince(peer) < this.seat.timeout).length + 1;
    if (inReach < this.seat.majority) {
      this.leader = null;
      this.wait(now);
    }
  }
}
