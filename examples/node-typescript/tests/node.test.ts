import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { byId } from "../src/node.js";
import { HEARTBEAT, Network, pass, TIMEOUT } from "./network.js";

let network: Network;

beforeEach(async () => {
  vi.useFakeTimers();
  network = new Network(["node-1", "node-2", "node-3"]);
  network.startAll();
  await pass(TIMEOUT + HEARTBEAT);
});

afterEach(() => {
  for (const node of network.nodes.values()) {
    node.stop();
  }
  vi.useRealTimers();
});

function leaders(): string[] {
  return [...network.nodes.values()].filter((node) => node.role === "leader").map((node) => node.id);
}

function seen(id: string): unknown[] {
  const node = network.node(id);
  return [node.role, node.term, node.leaderId];
}

describe("election", () => {
  test("the lowest id leads in term 1, and everybody knows it", () => {
    expect(seen("node-1")).toEqual(["leader", 1, "node-1"]);
    expect(seen("node-2")).toEqual(["follower", 1, "node-1"]);
    expect(seen("node-3")).toEqual(["follower", 1, "node-1"]);
    expect(network.log).toContain("[node-1] 👑 Became LEADER for term 1");
  });

  test("a node that a living leader cannot reach waits, and does not take its place", async () => {
    network.cuts.add("node-1>node-3");
    await pass(3 * TIMEOUT);
    expect(network.log).toContain("[node-3] Election timeout! Starting election...");
    expect(network.log).toContain("[node-3] Waiting for node-1 to become leader");
    expect(seen("node-1")).toEqual(["leader", 1, "node-1"]);
    expect(seen("node-3")).toEqual(["follower", 1, null]);
  });

  test("when the leader stops, the next id leads in term 2", async () => {
    network.stop("node-1");
    await pass(2 * TIMEOUT);
    expect(seen("node-2")).toEqual(["leader", 2, "node-2"]);
    expect(seen("node-3")).toEqual(["follower", 2, "node-2"]);
  });

  test("a node that comes back follows the present leader", async () => {
    network.stop("node-1");
    await pass(2 * TIMEOUT);
    network.start("node-1");
    await pass(2 * TIMEOUT);
    expect(seen("node-1")).toEqual(["follower", 2, "node-2"]);
    expect(leaders()).toEqual(["node-2"]);
  });

  test("two leaders on both sides of a cut; the higher term wins when they meet again", async () => {
    network.cut("node-1", "node-2");
    network.cut("node-1", "node-3");
    await pass(3 * TIMEOUT);
    expect(leaders()).toEqual(["node-1", "node-2"]);
    network.cuts.clear();
    await pass(2 * TIMEOUT);
    expect(leaders()).toEqual(["node-2"]);
    expect(seen("node-1")).toEqual(["follower", 2, "node-2"]);
  });

  test("of two leaders of the same term the lower id stays", async () => {
    for (const other of ["node-2", "node-3"]) {
      network.stop(other);
    }
    network.cut("node-1", "node-2");
    network.cut("node-2", "node-3");
    network.start("node-2");
    await pass(3 * TIMEOUT);
    expect(seen("node-2")).toEqual(["leader", 1, "node-2"]);
    network.node("node-2").write({ key: "side", value: "two" });
    network.node("node-1").write({ key: "side", value: "one" });
    network.cuts.clear();
    await pass(2 * TIMEOUT);
    expect(leaders()).toEqual(["node-1"]);
    expect(network.node("node-2").store.get("side")).toBe("one");
  });

  test("node-2 comes before node-10", () => {
    expect(["node-10", "node-2"].sort(byId)).toEqual(["node-2", "node-10"]);
  });
});

describe("replication", () => {
  test("writes and deletes reach every follower", async () => {
    const leader = network.node("node-1");
    leader.write({ key: "name", value: "Alice" });
    leader.write({ key: "nothing", value: null });
    leader.write({ key: "name" });
    await pass(1);
    for (const id of ["node-2", "node-3"]) {
      expect(network.node(id).store.has("name")).toBe(false);
      expect(network.node(id).store.get("nothing")).toBeNull();
    }
  });

  test("a node that comes back catches up without a new write", async () => {
    network.node("node-1").write({ key: "old", value: 1 });
    network.stop("node-3");
    network.node("node-1").write({ key: "new", value: 2 });
    network.node("node-1").write({ key: "old" });
    network.start("node-3");
    await pass(2 * HEARTBEAT);
    expect(network.node("node-3").store.snapshot().entries).toEqual([["new", 2]]);
  });

  test("a message that comes twice changes nothing", async () => {
    network.repeat = true;
    for (let value = 1; value <= 5; value += 1) {
      network.node("node-1").write({ key: "count", value });
    }
    await pass(HEARTBEAT);
    expect(network.node("node-2").store.index).toBe(5);
    expect(network.node("node-2").store.get("count")).toBe(5);
  });

  test("a replicate message of an earlier term is refused", async () => {
    network.stop("node-1");
    await pass(2 * TIMEOUT);
    const late = { term: 1, leader_id: "node-1", after: 0, changes: [{ key: "name", value: "late" }] };
    const answer = network.node("node-3").hear(late);
    expect(answer).toMatchObject({ success: false, term: 2, leader_id: "node-2" });
    expect(network.node("node-3").store.has("name")).toBe(false);
  });

  test("what was written on the losing side of a cut is replaced", async () => {
    network.cut("node-1", "node-2");
    network.cut("node-1", "node-3");
    await pass(3 * TIMEOUT);
    network.node("node-1").write({ key: "name", value: "lost" });
    network.node("node-2").write({ key: "name", value: "kept" });
    network.cuts.clear();
    await pass(2 * TIMEOUT);
    expect(network.node("node-1").store.get("name")).toBe("kept");
  });

  test("a follower that cannot be reached does not hold up the others", async () => {
    network.cut("node-1", "node-2");
    network.node("node-1").write({ key: "name", value: "Alice" });
    await pass(1);
    expect(network.node("node-3").store.get("name")).toBe("Alice");
  });
});
