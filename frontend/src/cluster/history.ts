// The last minute as the timeline needs it. Law of this file: no screen; news goes in, and what is older than the
// timeline can show is forgotten.

import type { Band, Lag, Look, Mark, NodeId, Probe } from "../messages/cluster";

export const MINUTE = 60; // seconds that the timeline shows, where Python does not say otherwise
const SPARE = 5; // seconds that are kept longer

/** From this time on, the node had this look and term. */
export type Stretch = [from: number, look: Look, term: number | null];

export interface Past {
  bands?: Band[];
  marks?: Mark[];
  lag?: Lag[];
  probes?: Probe[];
}

export interface Records {
  bands: Map<NodeId, Stretch[]>;
  marks: Mark[];
  lag: Lag[];
  probes: Probe[];
  /** It is `now`: add what is new and forget what is old. */
  take(news: Past, now: number): void;
  /** The past has changed. */
  reset(): void;
  /** The marks closest to a moment, within so many seconds, the closest first. */
  near(time: number, reach: number): Mark[];
}

export function makeRecords(): Records {
  const bands = new Map<NodeId, Stretch[]>();
  const marks: Mark[] = [];
  const lag: Lag[] = [];
  const probes: Probe[] = [];

  function take(news: Past, now: number) {
    for (const [node, ...stretch] of news.bands ?? []) {
      const known = bands.get(node);
      if (known) known.push(stretch);
      else bands.set(node, [stretch]);
    }
    marks.push(...(news.marks ?? []));
    lag.push(...(news.lag ?? []));
    probes.push(...(news.probes ?? []));
    const old = now - MINUTE - SPARE;
    dropBefore(marks, old, (mark) => mark.t);
    dropBefore(lag, old, (point) => point[0]);
    dropBefore(probes, old, (point) => point[0]);
    for (const stretches of bands.values()) dropPast(stretches, old);
  }

  function reset() {
    bands.clear();
    marks.length = lag.length = probes.length = 0;
  }

  const near = (time: number, reach: number) =>
    marks
      .filter((mark) => Math.abs(mark.t - time) <= reach)
      .sort((one, other) => Math.abs(one.t - time) - Math.abs(other.t - time));

  return { bands, marks, lag, probes, take, reset, near };
}

function dropBefore<Item>(items: Item[], time: number, timeOf: (item: Item) => number): void {
  const first = items.findIndex((item) => timeOf(item) >= time);
  items.splice(0, first < 0 ? items.length : first);
}

/** Of the stretches that began in the past the last one is kept, since it still holds. */
function dropPast(stretches: Stretch[], time: number): void {
  const later = stretches.findIndex(([from]) => from >= time);
  const first = (later < 0 ? stretches.length : later) - 1;
  if (first > 0) stretches.splice(0, first);
}
