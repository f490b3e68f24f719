/**
 * Your own election: Exercise 3 in TypeScript. `ELECTION=my-election` chooses it: the name of this file.
 *
 * A class with two methods and three attributes. `tick` is called several times in each heartbeat interval, `receive` with
 * each message that comes (heartbeats and their answers, too). After each call the node reads `leader`, `term` and `vote`,
 * saves term and vote, and only then sends what you said to others. It leads while `leader` is `seat.me`.
 *
 * Votes are asked for and given with the messages `RequestVote` and `Vote` of `messages.ts`. Ask it as you go:
 *
 *     npm run build && replab conform --level faults --level durable -- env ELECTION=my-election node dist/main.js
 */

import type { Election, Seat } from "./election.js";
import type { Message } from "./messages.js";

export default class MyElection implements Election {
  leader: string | null = null;
  term = 0;
  vote: string | null = null;
  /** False: whoever wins the votes has every entry that a majority has, so see to it that it does (Raft 5.4.1). */
  readonly catchesUp = false;

  constructor(readonly seat: Seat) {}

  tick(_now: number): void {
    // 1. No heartbeat for `seat.timeout`, and a random while more (`seat.random()`): call an election in the next term.
    // 2. A leader that has not heard a majority for `seat.timeout` leads no more.
  }

  receive(_sender: string, _message: Message, _now: number): void {
    // 3. A later term than yours has begun: take it over, and nobody is followed in it yet.
    // 4. A heartbeat of the present term: its sender leads.
    // 5. A request for your vote: one vote a term, and only for a log that is as new as yours (`seat.last()`).
    // 6. A vote for you: with `seat.majority` of them you lead.
  }
}
