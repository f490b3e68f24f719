/** A pretended cluster: a clock that is moved by hand, a network that loses and cuts, disks that survive crashes. */

import type { Election, Seat } from "../src/election.js";
import type { Journal, Saved } from "../src/journal.js";
import type { Json } from "../src/json.js";
import LowestId from "../src/lowest-id.js";
import Majority from "../src/majority.js";
import type { Message } from "../src/messages.js";
import { StoreNode } from "../src/node.js";

export const ELECTIONS: Record<string, (seat: Seat) => Election> = {
  "lowest-id": (seat) => new LowestId(seat),
  majority: (seat) => new Majority(seat),
};
export const HEARTBEAT = 100;
export const TIMEOUT = 400;

/** Numbers that look random, the same for the same seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

class Disk implements Journal {
  records: Saved[] = [];
  isLong = false;
  save(record: Saved): void {
    this.records.push(structuredClone(record));
  }
  rewrite(records: Saved[]): void {
    this.records = structuredClone(records);
  }
}

interface Letter {
  from: string;
  to: string;
  message: Message;
  at: number;
}

export class Network {
  now = 0;
  readonly nodes = new Map<string, StoreNode>();
  readonly ids: string[];
  /** Pairs `from>to` whose messages are lost. */
  readonly cuts = new Set<string>();
  loss = 0;
  private readonly disks = new Map<string, Disk>();
  private letters: Letter[] = [];
  private readonly random: () => number;

  constructor(
    private readonly election: string,
    private readonly mode: string,
    count = 3,
    seed = 1,
  ) {
    this.random = dice(seed);
    this.ids = Array.from({ length: count }, (_, number) => `node-${number + 1}`);
    for (const id of this.ids) {
      this.start(id);
    }
  }

  start(id: string): void {
    const disk = this.disks.get(id) ?? new Disk();
    this.disks.set(id, disk);
    const node: StoreNode = new StoreNode({
      ...{ id, mode: this.mode, heartbeatMs: HEARTBEAT, electionTimeoutMs: TIMEOUT, journal: disk },
      peers: this.ids.filter((peer) => peer !== id),
      saved: structuredClone(disk.records),
      elect: (seat) => (ELECTIONS[this.election] ?? (() => new LowestId(seat)))(seat),
      now: () => this.now,
      random: this.random,
      send: (to, message) => this.post(id, to, message),
      wake: () => {},
      log: () => {},
    });
    this.nodes.set(id, node);
  }

  crash(id: string): void {
    this.nodes.delete(id);
    this.letters = this.letters.filter((letter) => letter.to !== id);
  }

  loseDisk(id: string): void {
    this.disks.delete(id);
  }

  separate(...groups: string[][]): void {
    this.cuts.clear();
    for (const from of this.ids) {
      for (const to of this.ids) {
        if (!groups.some((group) => group.includes(from) && group.includes(to))) {
          this.cuts.add(`${from}>${to}`);
        }
      }
    }
  }

  private post(from: string, to: string, message: Message): void {
    const late = 1 + this.random() * 8;
    this.letters.push({ from, to, message: structuredClone(message), at: this.now + late });
  }

  /** Let this many milliseconds pass. */
  run(milliseconds: number): void {
    for (const end = this.now + milliseconds; this.now < end; this.now += 5) {
      const due = this.letters.filter(({ at }) => at <= this.now).sort((one, other) => one.at - other.at);
      this.letters = this.letters.filter(({ at }) => at > this.now);
      for (const { from, to, message } of due) {
        if (!this.cuts.has(`${from}>${to}`) && this.random() >= this.loss) {
          this.nodes.get(to)?.receive(from, message);
        }
      }
      for (const node of this.nodes.values()) {
        if (Math.round(this.now) % (HEARTBEAT / 4) === 0) {
          node.tick();
        }
        node.flush();
      }
    }
  }

  leader(): StoreNode | undefined {
    const term = (node: StoreNode) => Number(node.status().term);
    return [...this.nodes.values()].filter((node) => node.leads).sort((a, b) => term(b) - term(a))[0];
  }

  /** Write at `node`; the object tells later what the client was told. */
  write(node: StoreNode | undefined, key: string, value: Json): { told: string } {
    const write = { told: "refused" };
    if (
      node?.write("put", key, value, (outcome) => (write.told = outcome.done)) &&
      write.told === "refused"
    ) {
      write.told = "waits";
    }
    return write;
  }

  value(id: string, key: string): Json | undefined {
    return this.nodes.get(id)?.replica.store.get(key)?.[5];
  }
}
