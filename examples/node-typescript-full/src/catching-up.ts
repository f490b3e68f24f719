/**
 * What a leader that was elected without regard to its log does before it accepts writes: it fetches what it lacks.
 *
 * In `quorum` and `sync` each acknowledged write is on one node of any majority. So the newest log of a majority has all.
 */

import { type EntryId, isNewer, type Message, START } from "./messages.js";
import type { Replica } from "./replica.js";

/** What a leader knows of its cluster, and can do in it. Times are in milliseconds. */
export interface Cluster {
  me: string;
  peers: string[];
  majority: number;
  /** How many nodes must have a write before its client is answered. */
  copies: number;
  heartbeat: number;
  timeout: number;
  send(to: string, message: Message): void;
  /** Have `flush` called soon. */
  wake(): void;
  log(text: string): void;
}

export class CatchingUp {
  /** The node that was asked for its log. */
  source: string | undefined;
  /** Where the logs of those end who answered a heartbeat. */
  readonly lasts = new Map<string, EntryId>();
  private sourceLast: EntryId = START;
  private deadline = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly replica: Replica,
    private readonly term: number,
    private readonly since: number,
  ) {}

  /** Whether nothing is missing any more; else asks for what is, once enough nodes have answered. */
  isDone(now: number): boolean {
    const { cluster, replica } = this;
    if (this.source !== undefined) {
      const done = !isNewer(this.sourceLast, replica.log.lastId);
      if (!done && now >= this.deadline) {
        this.lasts.delete(this.source); // it went silent
        this.source = undefined;
      }
      return done;
    }
    // In `async` nothing was promised, and a lone survivor must go on.
    const alone = cluster.copies === 1 && now >= this.since + cluster.heartbeat;
    if (this.lasts.size + 1 < cluster.majority && !alone) {
      return false;
    }
    const [newest] = [...this.lasts].sort(([, one], [, other]) => (isNewer(one, other) ? -1 : 1));
    if (newest === undefined || !isNewer(newest[1], replica.log.lastId)) {
      return true;
    }
    [this.source, this.sourceLast] = newest;
    this.deadline = now + cluster.timeout;
    cluster.log(`Fetching what is missing from ${this.source}`);
    cluster.send(this.source, { type: "fetch_log", term: this.term });
    return false;
  }
}
