// How often the ring is drawn. Law of this file: it knows no screen. Without a graphics card each picture costs some
// milliseconds. So what happens is drawn as quickly as it can be seen, and while only heartbeats go round and nobody
// points at the panel, there are a few pictures a second.

import type { Family, News } from "../messages/cluster";
import { clamp } from "../shared/format";
import { SHORTEST, type Sight } from "./flights";

const CROWD = 64; // messages, also those that only light up, from which on each frame is drawn
const BUSY_PAUSE = 28; // ms between two pictures while something happens
const REST = 230; // ms between two, where heartbeats always fly
const RARE = 110; // and where they seldom do
const BEAT = 0.3; // share of a heartbeat by which the picture goes on between two drawings at the least
const RING_STEPS = { lively: 24, rest: 12 }; // in which a ring closes
const QUICKEST = 80; // ms for which a ring stands at the least
const SLOWEST = 500; // and at the most

const routine = (family: Family): boolean => family.startsWith("heartbeat") || family.startsWith("alive");

/** Something else than heartbeats; or one that the network lost. (Nobody hears those to a node that is down, again and
 * again.) */
const isEvent = ({ flight, fading }: Sight): boolean =>
  !routine(flight.family) || (fading !== undefined && flight.lost);

/** Whether these news tell of more than heartbeats. */
export const tellsMore = ({ messages, lost, marks, bands }: News): boolean =>
  Boolean(lost?.length || marks?.length || bands?.length || messages?.some(([, family]) => !routine(family)));

/** ms between two pictures at rest, for a heartbeat every so many ms. The rarer they are, the smoother each can be drawn.
 * Pictures in step with the heartbeats would show all dots in the same places again, as if nothing moved. */
export function restPause(heartbeat: number): number {
  const pause = clamp((REST * SHORTEST) / heartbeat, RARE, REST);
  if (heartbeat > 2 * pause) return pause;
  return heartbeat * (Math.max(0, Math.ceil(pause / heartbeat - BEAT)) + BEAT);
}

/** Whether each picture counts: `lively` says that something has happened, or somebody points at it. */
export const isLively = (sights: Sight[], lively: boolean): boolean =>
  lively || sights.length > CROWD || sights.some(isEvent);

/** ms for which a picture of these messages stands. */
export function standsFor(sights: Sight[], lively: boolean, heartbeat: number): number {
  if (sights.length > CROWD) return 0;
  const pause = isLively(sights, lively) ? BUSY_PAUSE : restPause(heartbeat);
  return Math.min(...sights.map((sight) => Math.max(sight.stands, pause)));
}

/** ms for which a ring stands that closes in `full` seconds, `rate` of which pass in one. */
export const ringStands = (full: number, rate: number, ending: boolean, lively: boolean): number =>
  clamp((1000 * full) / RING_STEPS[lively || ending ? "lively" : "rest"] / rate, QUICKEST, SLOWEST);
