// Messages on their way between nodes. Law of this file: it knows no screen. What was sent, has arrived and was lost
// goes in; what is to be seen at a moment comes out. What is over before anybody could see it is never shown.

import type { Family, News, NodeId, Sent } from "../messages/cluster";
import { clamp } from "../shared/format";
import type { Clock } from "./clock";

export const SHORTEST = 520; // ms that a flight is shown at least: on one machine a message needs 1 ms, too fast to see
export const HOLDBACK = 0.12; // seconds by which the picture runs behind, so that a batch of news is shown evenly
export const LATE = 1000; // ms by which news may come late and what it tells is still shown from its beginning
const EVEN = 100; // ms of that which are caught up at once, or as many as nobody looked
const UNSEEN = 250; // ms after the news: nobody has looked since, so that a flight is shown where it is by now
export const WAIT = 1200; // ms that an unanswered message waits at its goal before it counts as lost
export const FADE = 500; // ms in which a lost one fades
const FORGOTTEN = 5000; // ms after which one that neither began nor arrived is forgotten
export const JUST = 0.15; // seconds before the moment that one went (back) to of which messages are still shown
const MOST = 1500;
const MOST_EARLY = 2000;

export interface Flight {
  id: string;
  family: Family;
  from: NodeId;
  to: NodeId;
  /** When it was sent, and when it arrived, in the cluster's time. */
  time: number;
  arrived: number | undefined;
  /** When the news of it came, in ms. */
  told: number;
  lost: boolean;
  /** It was sent over a link that is cut. */
  cut: boolean;
  /** When it began to be shown, in ms. */
  begun: number | undefined;
}

/** What is to be seen of a flight: how far it is (0 to 1), or how far the cross has faded that marks its loss. */
export interface Sight {
  flight: Flight;
  progress: number;
  fading?: number;
  opacity: number;
  /** Milliseconds for which it will look the same. */
  stands: number;
}

export interface Flights {
  take(news: News, isCut: (from: NodeId, to: NodeId) => boolean): void;
  /** The cluster went to another moment: what was sent before is over. */
  forget(now: number): void;
  /** What is to be seen now; `stamp` in ms. `delay` is that of replication messages, in ms. */
  sights(stamp: number, delay: number, calm: boolean): Sight[];
  /** Milliseconds until the next flight begins; Infinity where none waits. */
  nextIn(): number;
  readonly count: number;
}

/** `wall` gives milliseconds, as the stamps of frames do. */
export function makeFlights(clock: Clock, wall: () => number = () => performance.now()): Flights {
  let flights: Flight[] = [];
  const byId = new Map<string, Flight>();
  const early = new Map<string, number>(); // arrived before anybody told that they were sent
  let since = -Infinity;
  let looked = -Infinity; // when, in ms, and the gap between the last two looks
  let gap = 0;

  function depart([id, family, from, to, , time]: Sent, cut: boolean): Flight | undefined {
    if (flights.length > MOST || time < since) return undefined;
    const arrived = early.get(id);
    const flight = { id, family, from, to, time, arrived, told: wall(), lost: false, cut, begun: undefined };
    early.delete(id);
    flights.push(flight);
    byId.set(id, flight);
    return flight;
  }

  function take(news: News, isCut: (from: NodeId, to: NodeId) => boolean) {
    for (const sent of news.messages ?? []) depart(sent, isCut(sent[2], sent[3]));
    for (const [id, time] of news.arrived ?? []) {
      const flight = byId.get(id);
      if (flight) flight.arrived = time;
      else early.set(id, time);
    }
    for (const sent of news.lost ?? []) {
      const flight = byId.get(sent[0]) ?? depart(sent, isCut(sent[2], sent[3]));
      if (flight) flight.lost = true;
    }
    if (early.size > MOST_EARLY) early.clear();
    dropOld();
  }

  const due = () => clock.now() - HOLDBACK * clock.rate;
  const lateness = (flight: Flight) => ((due() - flight.time) / clock.rate) * 1000;

  /** While nobody looks, what is over is not kept for later. */
  function dropOld() {
    remove((flight) => {
      const late = flight.begun === undefined ? lateness(flight) : 0;
      return late > LATE && late > (flight.arrived === undefined ? FORGOTTEN : duration(flight, 0));
    });
  }

  function remove(over: (flight: Flight) => boolean) {
    flights = flights.filter((flight) => {
      const gone = over(flight);
      if (gone) byId.delete(flight.id);
      return !gone;
    });
  }

  function duration({ arrived, time, family }: Flight, delay: number): number {
    const real = arrived === undefined ? (family === "replication" ? delay : 0) : (arrived - time) * 1000;
    return Math.max(SHORTEST, real / clock.rate);
  }

  function begin(flight: Flight, stamp: number, span: number): boolean {
    const late = lateness(flight);
    if (late < 0) return true;
    const fresh = late <= LATE && stamp - flight.told <= UNSEEN;
    flight.begun = stamp - (fresh ? clamp(late, 0, clamp(gap, EVEN, UNSEEN)) : late);
    return fresh || late < span;
  }

  function sights(stamp: number, delay: number, calm: boolean): Sight[] {
    const found: Sight[] = [];
    [gap, looked] = [stamp - looked, stamp];
    remove((flight) => {
      const span = duration(flight, delay);
      if (flight.begun === undefined && !begin(flight, stamp, span)) return true;
      if (flight.begun === undefined) return false;
      const sight = sightOf(flight, stamp - flight.begun, span, calm);
      if (sight) found.push(sight);
      return !sight;
    });
    return found;
  }

  return {
    take,
    sights,
    forget(now) {
      flights = [];
      byId.clear();
      early.clear();
      since = now - JUST;
    },
    nextIn() {
      let soonest = Infinity;
      if (!clock.moving) return soonest;
      for (const flight of flights) if (flight.begun === undefined) soonest = Math.min(soonest, -lateness(flight));
      return Math.max(0, soonest);
    },
    get count() {
      return flights.length;
    },
  };
}

const GOAL = 0.94; // where an unanswered message waits
const STILL = 0.62; // where it stands if nothing may move
const BESIDE = 0.86; // where "I am alive" lights up, beside who hears it

/** A flight of this age (ms), or undefined where it is over. */
export function sightOf(flight: Flight, age: number, span: number, calm: boolean): Sight | undefined {
  const cross = (progress: number, since: number): Sight | undefined => {
    const fading = since / FADE;
    return fading < 1 ? { flight, progress, fading, opacity: 1 - fading, stands: 0 } : undefined;
  };
  const broken = flight.cut || flight.lost;
  const progress = age / span;
  if (broken && progress > 0.5) return cross(0.5, age - span / 2);
  if (flight.arrived !== undefined && progress >= 1) return undefined;
  if (flight.arrived === undefined && age >= span + WAIT) return cross(GOAL, age - span - WAIT);
  if (calm || flight.family === "alive") {
    const place = calm ? STILL : BESIDE;
    return { flight, progress: place, opacity: 0.8, stands: progress < 1 ? span - age : span + WAIT - age };
  }
  if (flight.arrived === undefined && progress > GOAL) {
    return { flight, progress: GOAL, opacity: 0.9, stands: span + WAIT - age };
  }
  return { flight, progress, opacity: Math.min(1, progress * 9, broken ? 1 : (1.04 - progress) * 9), stands: 0 };
}
