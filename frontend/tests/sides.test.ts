import { describe, expect, it } from "vitest";
import { isAlone, joined, moved, parted } from "../src/cluster/sides";
import { makeTimers } from "../src/cluster/timers";

const ALL = ["node-1", "node-2", "node-3", "node-4", "node-5"];

describe("sides of the network", () => {
  it("puts an isolated node on a side of its own", () => {
    const cut = parted("node-2", [], ALL);
    expect(cut).toEqual([["node-1", "node-3", "node-4", "node-5"], ["node-2"]]);
    expect(isAlone("node-2", cut)).toBe(true);
    expect(isAlone("node-1", cut)).toBe(false);
  });

  it("leaves nobody alone in a whole network", () => {
    expect(isAlone("node-1", [])).toBe(false);
    expect(isAlone("node-1", [["node-1"]])).toBe(false);
  });

  it("joins a node to the largest side again", () => {
    expect(joined("node-2", [["node-1"], ["node-3", "node-4"], ["node-2"]])).toEqual([
      ["node-1"],
      ["node-3", "node-4", "node-2"],
    ]);
  });

  it("moves nodes to a side one after the other", () => {
    const first = moved("node-4", 1, [], ALL);
    expect(moved("node-5", 1, first, ALL)).toEqual([
      ["node-1", "node-2", "node-3"],
      ["node-4", "node-5"],
    ]);
    expect(moved("node-4", 0, first, ALL)).toEqual([["node-1", "node-2", "node-3", "node-5", "node-4"]]);
  });
});

describe("timers of nodes", () => {
  it("run out from when a node told, and stand still at nothing", () => {
    const timers = makeTimers();
    timers.take([["node-2", 10, 0.4]]);
    expect(timers.at("node-2", 10.1)?.left).toBeCloseTo(0.3);
    expect(timers.at("node-2", 99)?.left).toBe(0);
  });

  it("jump back when the node tells again", () => {
    const timers = makeTimers();
    timers.take([["node-2", 10, 0.4]]);
    timers.take([["node-2", 10.3, 0.4]]);
    expect(timers.at("node-2", 10.3)).toEqual({ left: 0.4, full: 0.4 });
  });

  it("are unknown where a node told nothing", () => {
    expect(makeTimers().at("node-1", 1)).toBeNull();
  });
});
