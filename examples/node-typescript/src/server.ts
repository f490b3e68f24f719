/** The node's HTTP interface: `/status`, `/key/{key}` for clients, `/internal/…` for the other nodes. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { asLeaderMessage, type StoreNode } from "./node.js";
import type { Json } from "./store.js";

const MOST_BYTES = 1_048_576;
/** The leader may send all data at once. */
const MOST_BYTES_FROM_LEADER = 64 * MOST_BYTES;

/** An answer other than 200. */
class Refusal extends Error {
  constructor(
    readonly code: number,
    readonly body: object,
  ) {
    super();
  }
}

export function createNodeServer(node: StoreNode): Server {
  return createServer((request, response) => {
    answerTo(node, request)
      .catch((error: unknown) => {
        if (error instanceof Refusal) {
          return error;
        }
        console.error(error);
        return new Refusal(500, { error: "Internal error" });
      })
      .then((answer) => {
        const refused = answer instanceof Refusal;
        send(request, response, refused ? answer.code : 200, refused ? answer.body : answer);
      });
  });
}

function send(request: IncomingMessage, response: ServerResponse, code: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(code, {
    ...corsHeaders(request.headers.origin),
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text), // without it Node.js sends chunks, which not every peer reads
    ...(request.complete ? {} : { Connection: "close" }), // the rest of an unread body is in the way
  });
  response.end(text);
}

/** A web page may use the node if this computer served it. */
function corsHeaders(origin: string | undefined): Record<string, string> {
  if (origin === undefined || !/^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin)) {
    return {};
  }
  return {
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Allow-Methods": "GET, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    Vary: "Origin",
  };
}

async function answerTo(node: StoreNode, request: IncomingMessage): Promise<object> {
  // The path is taken as it was sent: a URL parser would take the key ".." for a step towards the root.
  const [path = ""] = (request.url ?? "").split("?");
  const method = request.method ?? "";
  if (method === "OPTIONS") {
    return {};
  }
  if (path === "/status") {
    allow(method, "GET");
    return node.status();
  }
  if (path.startsWith("/key/")) {
    allow(method, "GET", "PUT", "DELETE");
    return answerAboutKey(node, request, method, keyIn(path));
  }
  if (path === "/internal/heartbeat" || path === "/internal/replicate") {
    allow(method, "POST");
    const message = asLeaderMessage(await readJson(request, MOST_BYTES_FROM_LEADER));
    if (message === undefined) {
      throw new Refusal(400, { error: "A message needs a leader_id and a term" });
    }
    return node.hear(message);
  }
  throw new Refusal(404, { error: "Not found" });
}

function allow(method: string, ...allowed: string[]): void {
  if (!allowed.includes(method)) {
    throw new Refusal(405, { error: `Method not allowed; this takes ${allowed.join(", ")}` });
  }
}

function keyIn(path: string): string {
  try {
    const key = decodeURIComponent(path.slice("/key/".length));
    if (key !== "") {
      return key;
    }
  } catch {
    throw new Refusal(400, { error: "The key is not percent-encoded UTF-8" });
  }
  throw new Refusal(400, { error: "The key is empty" });
}

async function answerAboutKey(
  node: StoreNode,
  request: IncomingMessage,
  method: string,
  key: string,
): Promise<object> {
  if (method === "GET") {
    const value = node.store.get(key);
    if (value === undefined) {
      throw new Refusal(404, { error: "Key not found", key });
    }
    return { key, value, node_role: node.role };
  }
  const value = method === "PUT" ? await readJson(request, MOST_BYTES) : undefined;
  if (node.role !== "leader") {
    const leader_id = node.leaderId ?? "Unknown";
    throw new Refusal(503, { error: "Not the leader", current_role: node.role, leader_id });
  }
  if (value === undefined) {
    if (!node.store.has(key)) {
      throw new Refusal(404, { error: "Key not found", key });
    }
    node.write({ key });
    return { success: true, key, leader_id: node.id };
  }
  node.write({ key, value });
  return { success: true, key, value, leader_id: node.id };
}

async function readJson(request: IncomingMessage, most: number): Promise<Json> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Left open when we give up: the refusal goes out on the same connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > most) {
      throw new Refusal(413, { error: `The body is longer than ${most} bytes` });
    }
    chunks.push(chunk);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
    return JSON.parse(text, refuseInexact) as Json;
  } catch {
    throw new Refusal(400, { error: "Invalid JSON" });
  }
}

/** JavaScript has one kind of number. What it cannot hold is refused, rather than stored as something else. */
function refuseInexact(_name: string, value: unknown): unknown {
  if (typeof value === "number" && (!Number.isFinite(value) || isRounded(value))) {
    throw new RangeError("JavaScript cannot hold this number");
  }
  return value;
}

function isRounded(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}
