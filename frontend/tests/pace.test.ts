import { describe, expect, it } from "vitest";
import { type Flight, SHORTEST, type Sight } from "../src/cluster/flights";
import { isLively, restPause, ringStands, standsFor, tellsMore } from "../src/cluster/pace";
import type { Family, News } from "../src/messages/cluster";

const sight = (family: Family, more: Partial<Sight> = {}, flight: Partial<Flight> = {}): Sight => ({
  flight: {
    ...{ id: "m", family, from: "node-1", to: "node-2", time: 0, arrived: 0.001, told: 0, lost: false, cut: false },
    ...{ begun: 0, ...flight },
  },
  ...{ progress: 0.5, opacity: 1, stands: 0, ...more },
});
const news = (more: Partial<News>): News => ({ type: "news", now: 0, rate: 1, ...more });
const many = (count: number, family: Family): Sight[] => Array.from({ length: count }, () => sight(family));

describe("while only heartbeats go round", () => {
  const heartbeats = [...many(10, "heartbeat"), ...many(10, "heartbeat-reply"), ...many(3, "alive")];

  it("there are a few pictures a second", () => {
    for (const heartbeat of [20, 50, 90, 100, 150, 200, 300, 500, 1000, 2000, 10_000]) {
      const stands = standsFor(heartbeats, false, heartbeat);
      expect(stands).toBeGreaterThanOrEqual(80);
      expect(stands).toBeLessThanOrEqual(400);
    }
    expect(standsFor(heartbeats, false, 100)).toBeGreaterThanOrEqual(200);
  });

  it("rare ones are drawn more smoothly than those that always fly, at no more pictures a second", () => {
    expect(restPause(2000)).toBeLessThan(restPause(500));
    for (const heartbeat of [600, 1000, 2000, 5000]) {
      expect(SHORTEST / restPause(heartbeat) / (heartbeat / 1000)).toBeLessThanOrEqual(4.5);
    }
  });

  it("the pictures are not in step with the heartbeats, or nothing would seem to move", () => {
    for (let heartbeat = 50; heartbeat <= 400; heartbeat += 10) {
      const ahead = (restPause(heartbeat) % heartbeat) / heartbeat;
      expect(ahead, `heartbeat ${heartbeat}`).toBeGreaterThan(0.1);
      expect(ahead, `heartbeat ${heartbeat}`).toBeLessThan(0.9);
    }
  });

  it("a heartbeat that nobody hears is nothing new, one that the network lost is", () => {
    const unheard = sight("heartbeat", { fading: 0.3 }, { arrived: undefined });
    const lost = sight("heartbeat", { fading: 0.3 }, { lost: true });
    expect(isLively([unheard], false)).toBe(false);
    expect(isLively([lost], false)).toBe(true);
  });
});

describe("each picture counts", () => {
  for (const family of ["election", "election-reply", "replication", "replication-reply"] as const) {
    it(`for a message of the family ${family}`, () => {
      expect(standsFor([...many(5, "heartbeat"), sight(family)], false, 100)).toBeLessThan(1000 / 30);
    });
  }

  it("when something has happened, or somebody points at the panel", () => {
    expect(standsFor(many(2, "heartbeat"), true, 100)).toBeLessThan(1000 / 30);
  });

  it("in a crowd: each frame", () => {
    expect(standsFor(many(65, "heartbeat"), false, 100)).toBe(0);
    const lit = Array.from({ length: 50 }, () => sight("alive", { stands: 300 })); // as of five nodes, each to each
    expect(standsFor([...many(40, "heartbeat"), ...lit], false, 90)).toBe(0);
  });
});

describe("a picture", () => {
  it("without messages stands for good", () => {
    expect(standsFor([], false, 100)).toBe(Infinity);
    expect(standsFor([], true, 100)).toBe(Infinity);
  });

  it("of messages that stand still stands as long as they do", () => {
    expect(standsFor([sight("heartbeat", { stands: 700 }), sight("alive", { stands: 900 })], true, 100)).toBe(700);
  });

  it("of a ring stands less long when it is about to close, or something happens", () => {
    const calm = ringStands(6, 1, false, false);
    expect(calm).toBeGreaterThanOrEqual(200);
    expect(ringStands(1.2, 1, true, false)).toBeLessThan(calm);
    expect(ringStands(1.2, 1, false, true)).toBeLessThan(calm);
    expect(ringStands(60, 1, false, false)).toBeLessThanOrEqual(500);
  });
});

describe("news", () => {
  it("of heartbeats tell nothing more", () => {
    const messages: News["messages"] = [["a", "heartbeat", "node-1", "node-2", "Heartbeat", 1]];
    expect(tellsMore(news({ messages, arrived: [["a", 1]], timers: [["node-2", 1, 0.4]] }))).toBe(false);
    expect(tellsMore(news({ messages: [], lost: [], marks: [], bands: [] }))).toBe(false);
  });

  it("of votes, losses, events and roles do", () => {
    expect(tellsMore(news({ messages: [["a", "election", "node-1", "node-2", "RequestVote", 1]] }))).toBe(true);
    expect(tellsMore(news({ lost: [["a", "heartbeat", "node-1", "node-2", "Heartbeat", 1]] }))).toBe(true);
    expect(tellsMore(news({ bands: [["node-2", 1, "leader", 2]] }))).toBe(true);
    const mark = { t: 1, node: "node-1", kind: "kill", level: "fault" as const, text: "killed" };
    expect(tellsMore(news({ marks: [mark] }))).toBe(true);
  });
});
