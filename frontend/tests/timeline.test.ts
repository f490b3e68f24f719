import { describe, expect, it } from "vitest";
import { makeRecords } from "../src/cluster/history";
import { GUTTER, LANE, MARGIN, rowsOf, type Scale, secondsIn, standsFor, timeAt, xAt } from "../src/cluster/scale";
import type { Mark } from "../src/messages/cluster";

const mark = (t: number): Mark => ({ t, node: "node-1", kind: "kill", level: "fault", text: `at ${t}` });
const scale: Scale = { now: 100, span: 60, width: 990, height: 300 };

describe("the timeline's scale", () => {
  it("ends with the present", () => {
    expect(xAt(scale, 100)).toBe(990 - MARGIN);
    expect(xAt(scale, 40)).toBe(GUTTER);
  });

  it("finds the moment that stands at a place", () => {
    for (const time of [40, 63.25, 99.9]) expect(timeAt(scale, xAt(scale, time))).toBeCloseTo(time);
  });

  it("counts pixels as seconds", () => {
    expect(secondsIn(scale, 900)).toBeCloseTo(60);
  });

  it("grows with the number of nodes", () => {
    expect(rowsOf(5).height - rowsOf(3).height).toBe(2 * LANE);
  });
});

describe("a drawing", () => {
  it("stands until it would move by some pixels", () => {
    expect(standsFor(scale, 1)).toBeCloseTo(1000);
    expect(standsFor({ ...scale, span: 12 }, 1)).toBeCloseTo(200);
    expect(standsFor({ ...scale, span: 6 }, 2)).toBe(100);
    expect(standsFor(scale, 0.1)).toBe(1000);
  });
});

describe("the last minute", () => {
  it("forgets what is older than it can show", () => {
    const records = makeRecords();
    records.take({ marks: [mark(10), mark(50), mark(90)], lag: [[10, {}]], probes: [[90, "ok", "ok"]] }, 100);
    expect(records.marks.map(({ t }) => t)).toEqual([50, 90]);
    expect(records.lag).toEqual([]);
    expect(records.probes).toHaveLength(1);
  });

  it("keeps of each node what still holds, however old", () => {
    const records = makeRecords();
    const bands = [
      ["node-1", 1, "follower", 1] as const,
      ["node-1", 2, "leader", 1] as const,
      ["node-1", 80, "stopped", 1] as const,
      ["node-2", 1, "follower", 1] as const,
    ].map(([...band]) => band);
    records.take({ bands }, 100);
    expect(records.bands.get("node-1")).toEqual([
      [2, "leader", 1],
      [80, "stopped", 1],
    ]);
    expect(records.bands.get("node-2")).toEqual([[1, "follower", 1]]);
  });

  it("finds the marks near a moment, the closest first", () => {
    const records = makeRecords();
    records.take({ marks: [mark(98), mark(99), mark(99.5)] }, 100);
    expect(records.near(99.4, 1).map(({ t }) => t)).toEqual([99.5, 99]);
  });

  it("is empty where the past has changed", () => {
    const records = makeRecords();
    records.take({ marks: [mark(99)], bands: [["node-1", 1, "leader", 1]] }, 100);
    records.reset();
    expect([records.marks.length, records.bands.size]).toEqual([0, 0]);
  });
});
