import { expect, test } from "vitest";
import { readSettings } from "../src/settings.js";

test("the lesson's settings are taken, with or without ids before the addresses", () => {
  const bare = readSettings({ NODE_ID: "node-1", PORT: "4001", PEERS: "http://a:4002,http://b:4003/" });
  expect(bare).toMatchObject({ port: 4001, peers: ["http://a:4002", "http://b:4003"], heartbeatMs: 2000 });
  const named = readSettings({ NODE_ID: "node-1", PEERS: "node-2=http://a:4002, node-3=http://b:4003" });
  expect(named.peers).toEqual(bare.peers);
});

test.each([
  [{}, "NODE_ID"],
  [{ NODE_ID: "a", PORT: "99999" }, "PORT"],
  [{ NODE_ID: "a", HEARTBEAT_MS: "2s" }, "HEARTBEAT_MS"],
  [{ NODE_ID: "a", PEERS: "node-2" }, "PEERS"],
  [{ NODE_ID: "a", HEARTBEAT_MS: "500", ELECTION_TIMEOUT_MS: "400" }, "ELECTION_TIMEOUT_MS"],
])("a wrong value is refused by the name of its variable: %o", (env, name) => {
  expect(() => readSettings(env)).toThrow(name);
});
