/** Following: what a node does with entries and snapshots. Made anew for each leader and term. */

import {
  type Entry,
  type EntryId,
  idOf,
  type Message,
  type Replicate,
  type Snapshot,
  START,
  sameId,
} from "./messages.js";
import type { Replica } from "./replica.js";

export class Follower {
  private arriving: { at: EntryId; items: Entry[] } = { at: START, items: [] };
  /** The state that was installed last, so that a late copy of it is not installed again. */
  private installed: EntryId = START;

  constructor(private readonly replica: Replica) {}

  /** Take over the leader's entries if the log holds the one before them (Raft 5.3). The answer is a promise. */
  take(message: Replicate): Message {
    const { replica } = this;
    const { term } = message;
    const refusal = this.refusal(message);
    if (refusal !== undefined) {
      return refusal;
    }
    // A late message must not take back what a newer one brought: what is there already stays.
    const known = message.entries.findIndex((entry) => !sameId(replica.log.idAt(entry[0]), idOf(entry)));
    const fresh = known < 0 ? [] : message.entries.slice(known);
    if (fresh[0] !== undefined && fresh[0][0] <= replica.commit[0]) {
      return { type: "log_conflict", term }; // another entry has taken effect in this place
    }
    const end = message.prev[0] + message.entries.length;
    const commit = Math.max(replica.commit[0], Math.min(message.commit, end));
    if (fresh.length > 0) {
      replica.overwrite(fresh, commit);
    }
    replica.advance(commit);
    return { type: "replicated", term, ok: true, index: end };
  }

  private refusal({ prev, term }: Replicate): Message | undefined {
    const { log } = this.replica;
    if (prev[0] > log.lastIndex) {
      return { type: "replicated", term, ok: false, index: log.lastIndex };
    }
    if (prev[0] < log.base[0]) {
      return { type: "replicated", term, ok: false, index: log.base[0] };
    }
    if (sameId(log.idAt(prev[0]), prev)) {
      return undefined;
    }
    if (prev[0] === log.base[0]) {
      return { type: "log_conflict", term };
    }
    // All that one leader wrote in a row is in the sender's log, or none of it is.
    return { type: "replicated", term, ok: false, index: log.startOfRun(prev[0]) - 1 };
  }

  /** Take a piece of a snapshot, or say why it is of no use. */
  takeSnapshot(message: Snapshot): Message {
    const { replica } = this;
    const { term, at, total } = message;
    let offset = total;
    if ((message.force && !sameId(this.installed, at)) || at[0] > replica.commit[0]) {
      offset = this.collect(message);
    } else if (at[0] < replica.log.base[0]) {
      return { type: "replicated", term, ok: false, index: replica.log.base[0] };
    } else if (!sameId(this.installed, at) && !sameId(replica.log.idAt(at[0]), at)) {
      return { type: "log_conflict", term };
    }
    return { type: "snapshot_received", term, at, offset };
  }

  /** Put the piece to the others, and install when all are there. Returns how many items are held. */
  private collect(message: Snapshot): number {
    if (!sameId(this.arriving.at, message.at)) {
      this.arriving = { at: message.at, items: [] };
    }
    const { items } = this.arriving;
    if (message.offset === items.length) {
      items.push(...message.items);
    }
    const held = items.length;
    if (held >= message.total) {
      this.arriving = { at: START, items: [] };
      this.installed = message.at;
      this.replica.install(message.at, items);
    }
    return held;
  }
}
