import { request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreNode } from "../src/node.js";
import { createNodeServer } from "../src/server.js";
import { readSettings } from "../src/settings.js";

let node: StoreNode;
let server: Server;

beforeEach(async () => {
  const settings = readSettings({ NODE_ID: "node-1", HEARTBEAT_MS: "10", ELECTION_TIMEOUT_MS: "20" });
  node = new StoreNode(
    settings,
    async () => undefined,
    () => undefined,
  );
  server = createNodeServer(node);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(() => {
  node.stop();
  server.close();
  server.closeAllConnections();
});

/** Without `fetch`, which tidies up paths like `/key/..`. */
function send(
  method: string,
  path: string,
  body?: string | Buffer,
): Promise<[number, Record<string, unknown>]> {
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const outgoing = request({ host: "127.0.0.1", port, method, path }, async (answer) => {
      const text = (await answer.toArray()).join("");
      expect(answer.headers["content-length"]).toBe(String(Buffer.byteLength(text)));
      resolve([answer.statusCode ?? 0, JSON.parse(text)]);
    });
    outgoing.on("error", reject).end(body);
  });
}

async function becomeLeader(): Promise<void> {
  node.start();
  await expect.poll(() => node.role).toBe("leader");
}

test("a follower refuses writes and says who leads", async () => {
  const refusal = { error: "Not the leader", current_role: "follower", leader_id: "Unknown" };
  expect(await send("PUT", "/key/name", '"Alice"')).toEqual([503, refusal]);
  expect(await send("DELETE", "/key/name")).toEqual([503, refusal]);
});

test("a value is written, read and deleted", async () => {
  await becomeLeader();
  const written = { success: true, key: "name", value: "Alice", leader_id: "node-1" };
  expect(await send("PUT", "/key/name", '"Alice"')).toEqual([200, written]);
  expect(await send("GET", "/key/name")).toEqual([200, { key: "name", value: "Alice", node_role: "leader" }]);
  expect(await send("DELETE", "/key/name")).toEqual([
    200,
    { success: true, key: "name", leader_id: "node-1" },
  ]);
  const missing = [404, { error: "Key not found", key: "name" }];
  expect(await send("GET", "/key/name")).toEqual(missing);
  expect(await send("DELETE", "/key/name")).toEqual(missing);
});

test.each(["..", "a/b", "a key", "%", "?x=1", "ключ", "__proto__"])(
  "the key %s is taken as it is",
  async (key) => {
    await becomeLeader();
    const path = `/key/${encodeURIComponent(key)}`;
    expect((await send("PUT", path, "null"))[1]).toMatchObject({ key, value: null });
    expect(await send("GET", path)).toEqual([200, { key, value: null, node_role: "leader" }]);
    expect((await send("GET", "/status"))[1]).toMatchObject({ total_keys: 1, keys: [key] });
  },
);

test.each([
  ["not JSON", Buffer.from('{"a":')],
  ["nothing", Buffer.from("")],
  ["no UTF-8", Buffer.from([0x22, 0xff, 0x22])],
  ["a number beyond JavaScript", Buffer.from("1e999")],
  ["an integer that JavaScript rounds", Buffer.from("[9007199254740993]")],
  ["nested too deep", Buffer.from("[".repeat(200_000))],
])("%s is refused", async (_what, body) => {
  await becomeLeader();
  expect(await send("PUT", "/key/name", body)).toEqual([400, { error: "Invalid JSON" }]);
});

test("what is too long, malformed or unknown gets a refusal, and the node goes on", async () => {
  await becomeLeader();
  expect((await send("PUT", "/key/name", Buffer.alloc(2_000_000, "1")))[0]).toBe(413);
  expect((await send("GET", "/key/%FF"))[0]).toBe(400);
  expect((await send("GET", "/key/"))[0]).toBe(400);
  expect((await send("POST", "/key/name", "1"))[0]).toBe(405);
  expect((await send("POST", "/internal/heartbeat", "[]"))[0]).toBe(400);
  expect((await send("GET", "/nowhere"))[0]).toBe(404);
  expect((await send("GET", "/status"))[1]).toMatchObject({ node_id: "node-1", role: "leader", term: 1 });
});
