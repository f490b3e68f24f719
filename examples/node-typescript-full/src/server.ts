/** The node's HTTP interface: `/status`, `/key/{key}` for clients, `/internal/…` for the other nodes. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Json, keptString, parse, stringify } from "./json.js";
import type { Outcome } from "./leader.js";
import { readEnvelope } from "./messages.js";
import type { StoreNode } from "./node.js";
import { whyNot } from "./values.js";

/** JSON takes up to 12 bytes a character, as the lab counts; `whyNot` looks closer. */
const MOST_BYTES = 1_048_576;
const MOST_BYTES_FROM_PEERS = 16 * 1_048_576;

/** An answer other than 200. */
class Refusal extends Error {
  constructor(
    readonly code: number,
    readonly body: object,
  ) {
    super();
  }
}

export interface Door {
  node: StoreNode;
  peers: string[];
  token: string;
  /** Give an envelope's message to the node; the envelopes of the answer. */
  hear(sender: string, message: Parameters<StoreNode["receive"]>[1]): object[];
}

export function createNodeServer(door: Door): Server {
  return createServer((request, response) => {
    answerTo(door, request)
      .catch((error: unknown) => {
        if (!(error instanceof Refusal)) {
          console.error(error);
        }
        return error instanceof Refusal ? error : new Refusal(500, { error: "Internal error" });
      })
      .then((answer) => {
        const refused = answer instanceof Refusal;
        send(request, response, refused ? answer.code : 200, refused ? answer.body : answer);
      });
  });
}

function send(request: IncomingMessage, response: ServerResponse, code: number, body: object): void {
  const text = stringify(body);
  response.writeHead(code, {
    ...corsHeaders(request),
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    ...(request.complete ? {} : { Connection: "close" }), // the rest of an unread body is in the way
  });
  response.end(text);
}

/** A web page may use the node if this computer served it; `/internal/` none. */
function corsHeaders({ headers, url = "" }: IncomingMessage): Record<string, string> {
  const origin = headers.origin ?? "";
  if (url.startsWith("/internal/") || !/^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin)) {
    return {};
  }
  return {
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Allow-Methods": "GET, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    Vary: "Origin",
  };
}

async function answerTo(door: Door, request: IncomingMessage): Promise<object> {
  // The path is taken as it was sent: a URL parser would take the key ".." for a step towards the root.
  const [path = "", query = ""] = (request.url ?? "").split("?");
  const method = request.method ?? "";
  if (path.startsWith("/internal/")) {
    allow(method, "POST");
    return answerPeer(door, request);
  }
  if (method === "OPTIONS") {
    return {};
  }
  if (path === "/status") {
    allow(method, "GET");
    return door.node.status();
  }
  if (path.startsWith("/key/")) {
    allow(method, "GET", "PUT", "DELETE");
    const key = keyIn(path);
    return method === "GET"
      ? answerRead(door.node, key, query)
      : answerWrite(door.node, request, method, key);
  }
  throw new Refusal(404, { error: "Not found" });
}

async function answerPeer(door: Door, request: IncomingMessage): Promise<object> {
  const { headers } = request;
  const isPage = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
  if (isPage || (door.token !== "" && headers["x-cluster-token"] !== door.token)) {
    throw new Refusal(403, { error: "The X-Cluster-Token header is missing or wrong" });
  }
  const envelope = readEnvelope(await readJson(request, MOST_BYTES_FROM_PEERS), door.peers);
  if (typeof envelope === "string") {
    throw new Refusal(400, { error: `Bad message: ${envelope}` });
  }
  return door.hear(envelope.from, envelope.message);
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
      return keptString(key);
    }
  } catch {
    throw new Refusal(400, { error: "The key is not percent-encoded UTF-8" });
  }
  throw new Refusal(400, { error: "The key is empty" });
}

async function answerRead(node: StoreNode, key: string, query: string): Promise<object> {
  if (query !== "" && query !== "read=linearizable") {
    throw new Refusal(400, { error: "The only query parameter here is read=linearizable" });
  }
  if (query !== "") {
    refuseUnknown(await asked(node, (tell) => node.read(tell)));
  }
  const entry = node.replica.store.get(key);
  if (entry === undefined) {
    throw new Refusal(404, { error: "Key not found", key });
  }
  const [index, term, , , , value] = entry;
  return { key, value, node_role: node.role, term, index };
}

async function answerWrite(
  node: StoreNode,
  request: IncomingMessage,
  method: string,
  key: string,
): Promise<object> {
  const value = method === "PUT" ? await readJson(request, MOST_BYTES) : null;
  const fault = whyNot(value);
  if (fault !== undefined) {
    throw new Refusal(400, { error: fault });
  }
  const op = method === "PUT" ? "put" : "delete";
  const outcome = await asked(node, (tell) => node.write(op, key, value, tell));
  refuseUnknown(outcome);
  if (outcome.done !== "written" || (op === "delete" && !outcome.found)) {
    throw new Refusal(404, { error: "Key not found", key });
  }
  const [index, term] = outcome.entry;
  return { success: true, key, ...(op === "put" && { value }), leader_id: node.id, term, index };
}

/** What becomes of a request that only a leader can answer. */
function asked(node: StoreNode, ask: (tell: (outcome: Outcome) => void) => boolean): Promise<Outcome> {
  return new Promise((tell, refuse) => {
    if (!ask(tell)) {
      const leader_id = node.leaderId ?? "Unknown";
      refuse(new Refusal(503, { error: "Not the leader", current_role: node.role, leader_id }));
    }
  });
}

function refuseUnknown(outcome: Outcome): void {
  if (outcome.done === "overloaded") {
    throw new Refusal(503, { error: "Too many writes wait for their copies; try again later" });
  }
  if (outcome.done === "unknown") {
    throw new Refusal(504, { error: "Outcome unknown" });
  }
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
    return parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new Refusal(400, { error: "Invalid JSON" });
  }
}
