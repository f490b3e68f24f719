// How long each node still waits before it acts for want of a leader. Law of this file: it knows no screen; what a node
// said of its own timer goes in, what is left at a moment comes out. Where a node said nothing, nothing is known.

import type { NodeId, Timer } from "../messages/cluster";

/** `left` seconds of the `full` with which the timer was set. */
export interface Left {
  left: number;
  full: number;
}

const SILENCE = 0.6; // seconds without news from which on nothing is taken to have happened

/** The moment that the rings show: a little before `now`, as the messages do. Where news is late, it is that of the last
 * news: what a node has heard since is not known yet, and a ring that closes would tell of a danger that is none.
 * `rate` seconds pass in one. */
export function shownMoment(now: number, told: number, rate: number, holdback: number): number {
  const moment = now - holdback * rate;
  return now - told < SILENCE * rate ? Math.min(moment, told) : moment;
}

export interface Timers {
  take(timers: Timer[]): void;
  at(node: NodeId, now: number): Left | null;
  forget(): void;
}

export function makeTimers(): Timers {
  const known = new Map<NodeId, { since: number; full: number }>();
  return {
    take(timers) {
      for (const [node, since, full] of timers) known.set(node, { since, full });
    },
    at(node, now) {
      const timer = known.get(node);
      if (!timer || timer.full <= 0) return null;
      return { left: Math.min(timer.full, Math.max(0, timer.full - (now - timer.since))), full: timer.full };
    },
    forget: () => known.clear(),
  };
}
