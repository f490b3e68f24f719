import { describe, expect, it } from "vitest";
import { dice, ELECTIONS, Network, TIMEOUT } from "./network.js";

const LONG = 12 * TIMEOUT;

describe.each(Object.keys(ELECTIONS))("with the election %s", (election) => {
  it("one node leads, and the others follow it", () => {
    const network = new Network(election, "async");
    network.run(LONG);

    const leader = network.leader();
    expect([...network.nodes.values()].map((node) => node.leaderId)).toEqual(Array(3).fill(leader?.id));
    expect([...network.nodes.values()].filter((node) => node.leads)).toHaveLength(1);
  });

  it("a write is copied to all, and a node that comes back gets what it missed", () => {
    const network = new Network(election, "quorum");
    network.run(LONG);
    const leader = network.leader();
    const away = network.ids.find((id) => id !== leader?.id) ?? "";
    network.crash(away);
    const write = network.write(leader, "name", { first: "Alice" });
    network.run(TIMEOUT);
    expect(write.told).toBe("written");
    network.start(away);
    network.run(LONG);
    expect(network.ids.map((id) => network.value(id, "name"))).toEqual(Array(3).fill({ first: "Alice" }));
  });

  it("a leader that reaches nobody does not say that a write is done", () => {
    const network = new Network(election, "quorum");
    network.run(LONG);
    const leader = network.leader();
    network.separate(
      [leader?.id ?? ""],
      network.ids.filter((id) => id !== leader?.id),
    );
    const write = network.write(leader, "name", "Bob");
    network.run(LONG);
    expect(write.told).toBe("unknown");
  });

  it("a follower whose disk is lost is filled again, by a snapshot where the log is too short", () => {
    const network = new Network(election, "quorum");
    network.run(LONG);
    for (let number = 0; number < 9000; number += 1) {
      network.write(network.leader(), `key-${number % 700}`, number);
      if (number % 500 === 0) {
        network.run(50);
      }
    }
    network.run(LONG);
    const away = network.ids.find((id) => id !== network.leader()?.id) ?? "";
    expect(network.leader()?.replica.log.base[0]).toBeGreaterThan(0);
    network.crash(away);
    network.loseDisk(away);
    network.start(away);
    network.run(LONG);
    expect(network.nodes.get(away)?.replica.store.size).toBe(700);
    expect(network.value(away, "key-599")).toBe(8999);
  });

  it.each(["quorum", "sync"])(
    "in mode %s nothing that was acknowledged is lost, whatever crashes",
    (mode) => {
      let acknowledged = 0;
      for (let seed = 1; seed <= 40; seed += 1) {
        acknowledged += storm(election, mode, seed);
      }
      expect(acknowledged).toBeGreaterThan(100);
    },
  );
});

/** Crashes, cuts and losses by the dice of `seed`; then everything acknowledged must be everywhere. */
function storm(election: string, mode: string, seed: number): number {
  const roll = dice(seed);
  const network = new Network(election, mode, 3, seed);
  const writes: { key: string; write: { told: string } }[] = [];
  const pick = () => network.ids[Math.floor(roll() * 3)] ?? "node-1";
  network.run(5 * TIMEOUT);
  for (let round = 0; round < 30; round += 1) {
    const luck = roll();
    const node = pick();
    if (luck < 0.25) {
      network.crash(node);
    } else if (luck < 0.35) {
      network.separate(
        [node],
        network.ids.filter((id) => id !== node),
      );
    } else if (luck < 0.4) {
      network.cuts.add(`${node}>${pick()}`);
    } else if (luck < 0.45) {
      network.loss = 0.2;
    } else if (luck < 0.6) {
      network.cuts.clear();
      network.loss = 0;
    } else {
      for (const id of network.ids.filter((one) => !network.nodes.has(one))) {
        network.start(id);
      }
    }
    for (let number = 0; number < 3; number += 1) {
      const leading = [...network.nodes.values()].filter((one) => one.leads);
      for (const leader of leading) {
        const key = `${round}-${number}-${leader.id}`;
        writes.push({ key, write: network.write(leader, key, seed) });
      }
      network.run(roll() * TIMEOUT);
    }
  }
  network.cuts.clear();
  network.loss = 0;
  for (const id of network.ids.filter((one) => !network.nodes.has(one))) {
    network.start(id);
  }
  network.run(2 * LONG);
  const done = writes.filter(({ write }) => write.told === "written");
  for (const id of network.ids) {
    const lost = done.filter(({ key }) => network.value(id, key) !== seed).map(({ key }) => key);
    expect({ seed, id, lost }).toEqual({ seed, id, lost: [] });
  }
  return done.length;
}
