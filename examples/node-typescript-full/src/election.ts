/** Who leads? An election is asked with each message and each tick, and says it in three attributes. */

import type { Message } from "./messages.js";

/** What an election may know and do. Times are in milliseconds. */
export interface Seat {
  me: string;
  peers: string[];
  majority: number;
  timeout: number;
  heartbeat: number;
  /** Term and index of the log's last entry. */
  last(): [term: number, index: number];
  /** From 0 to 1. */
  random(): number;
  send(to: string, message: Message): void;
  log(text: string): void;
}

export interface Election {
  leader: string | null;
  term: number;
  vote: string | null;
  /** A leader is elected without regard to its log, so it must fetch what it lacks before it takes writes. */
  readonly catchesUp: boolean;
  tick(now: number): void;
  receive(sender: string, message: Message, now: number): void;
}

/** Time in which a node was asleep (paused, or its machine too busy) is not silence of the others. */
export class AwakeClock {
  private awake = 0;
  private seen: number | undefined;

  constructor(private readonly longestStep: number) {}

  at(now: number): number {
    this.awake += Math.min(now - (this.seen ?? now), this.longestStep);
    this.seen = now;
    return this.awake;
  }
}

/** The order of ids: `node-2` comes before `node-10`. */
export function natural(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}
