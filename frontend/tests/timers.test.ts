import { describe, expect, it } from "vitest";
import { makeTimers, shownMoment } from "../src/cluster/timers";

const HOLDBACK = 0.12;

describe("a node's patience", () => {
  it("is known where the node told it, and never below nothing or above the whole", () => {
    const timers = makeTimers();
    timers.take([["node-2", 100, 0.4]]);
    expect(timers.at("node-1", 100)).toBe(null);
    expect(timers.at("node-2", 100.1)?.left).toBeCloseTo(0.3);
    expect(timers.at("node-2", 99)?.left).toBe(0.4);
    expect(timers.at("node-2", 105)?.left).toBe(0);
  });
});

describe("the moment that the rings show", () => {
  it("is that of the messages", () => {
    expect(shownMoment(100, 99.95, 1, HOLDBACK)).toBeCloseTo(99.88);
  });

  it("stands where news is late: nobody knows yet what a node has heard since", () => {
    const timers = makeTimers();
    timers.take([["node-2", 99.95, 0.4]]);
    const moments = [100.2, 100.3, 100.5].map((now) => shownMoment(now, 100, 1, HOLDBACK));
    expect(moments).toEqual([100, 100, 100]);
    expect(timers.at("node-2", moments[2] ?? 0)?.left).toBeCloseTo(0.35);
  });

  it("goes on in silence", () => {
    expect(shownMoment(100.7, 100, 1, HOLDBACK)).toBeCloseTo(100.58);
    expect(shownMoment(130, 100, 1, HOLDBACK)).toBeCloseTo(129.88);
  });

  it("is later by the clock of a simulation that is played quickly", () => {
    expect(shownMoment(104, 100, 10, HOLDBACK)).toBe(100);
    expect(shownMoment(107, 100, 10, HOLDBACK)).toBeCloseTo(105.8);
  });
});
