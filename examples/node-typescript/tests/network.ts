/** Nodes that talk through function calls, and a clock that the test moves. */

import { vi } from "vitest";
import { asLeaderMessage, StoreNode } from "../src/node.js";
import type { Ask } from "../src/peers.js";
import type { Json } from "../src/store.js";

export const HEARTBEAT = 100;
export const TIMEOUT = 400;

export class Network {
  readonly nodes = new Map<string, StoreNode>();
  readonly log: string[] = [];
  /** `node-1>node-2`: what node-1 asks node-2 is lost. */
  readonly cuts = new Set<string>();
  /** Messages to lose or to repeat, by the path that they go to. */
  repeat = false;

  constructor(private readonly ids: string[]) {}

  start(id: string): StoreNode {
    const node = new StoreNode(
      {
        nodeId: id,
        host: "",
        port: 0,
        peers: this.ids.filter((other) => other !== id).map((other) => `http://${other}`),
        heartbeatMs: HEARTBEAT,
        electionTimeoutMs: TIMEOUT,
      },
      this.askFrom(id),
      (text) => this.log.push(`[${id}] ${text}`),
    );
    this.nodes.set(id, node);
    node.start();
    return node;
  }

  startAll(): void {
    for (const id of this.ids) {
      this.start(id);
    }
  }

  stop(id: string): void {
    this.node(id).stop();
    this.nodes.delete(id);
  }

  node(id: string): StoreNode {
    const node = this.nodes.get(id);
    if (node === undefined) {
      throw new Error(`${id} does not run`);
    }
    return node;
  }

  cut(one: string, other: string): void {
    this.cuts.add(`${one}>${other}`).add(`${other}>${one}`);
  }

  private askFrom(sender: string): Ask {
    return async (url, limitMs, body) => {
      const { hostname, pathname } = new URL(url);
      if (this.cuts.has(`${sender}>${hostname}`)) {
        await new Promise((resolve) => setTimeout(resolve, limitMs));
        return undefined;
      }
      const node = this.nodes.get(hostname);
      if (node === undefined) {
        return undefined;
      }
      if (pathname === "/status") {
        return node.status();
      }
      const message = asLeaderMessage(JSON.parse(JSON.stringify(body)) as Json);
      if (message === undefined) {
        throw new Error("not a message");
      }
      const answer = node.hear(message);
      return this.repeat ? node.hear(message) : answer;
    };
  }
}

/** Let time pass, and all that happens in it. */
export async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}
