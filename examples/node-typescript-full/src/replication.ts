/** Shipping: how far each follower is, and what it is sent next. One message at a time to each. */

import { batch } from "./log.js";
import type { Entry, EntryId, Message, Replicated, SnapshotReceived } from "./messages.js";
import type { Replica } from "./replica.js";

interface Progress {
  /** Entries up to here are there for certain: it said so. */
  match: number;
  /** Entries from here on have not been sent. */
  next: number;
  /** It is not known yet where its log agrees with ours. */
  probing: boolean;
  /** When the message was sent whose answer is owed. */
  sentAt: number | undefined;
  sentCommit: number;
  snapshot: { at: EntryId; items: Entry[]; offset: number; force: boolean } | undefined;
}

export class Replication {
  private readonly progress: Map<string, Progress>;

  constructor(
    readonly term: number,
    private readonly replica: Replica,
    peers: string[],
    private readonly retry: number,
  ) {
    this.progress = new Map(peers.map((peer) => [peer, this.unknown(replica.log.lastIndex)]));
  }

  private unknown(last: number): Progress {
    const next = Math.min(last, this.replica.log.lastIndex) + 1;
    return { match: 0, next, probing: true, sentAt: undefined, sentCommit: 0, snapshot: undefined };
  }

  /** What to send to each follower now. */
  due(now: number): [to: string, message: Message][] {
    const messages: [string, Message][] = [];
    for (const [peer, progress] of this.progress) {
      if (progress.sentAt !== undefined && now - progress.sentAt >= this.retry) {
        progress.sentAt = undefined; // lost: begin again where it last agreed
        progress.next = progress.probing ? progress.next : progress.match + 1;
        progress.sentCommit = 0;
      }
      const message = progress.sentAt === undefined ? this.next(progress) : undefined;
      if (message !== undefined) {
        progress.sentAt = now;
        messages.push([peer, message]);
      }
    }
    return messages;
  }

  private next(progress: Progress): Message | undefined {
    const { log, commit } = this.replica;
    const { term } = this;
    if (progress.snapshot === undefined && progress.next <= log.base[0]) {
      this.beginSnapshot(progress, false);
    }
    if (progress.snapshot !== undefined) {
      const { at, items, offset, force } = progress.snapshot;
      const total = items.length;
      return { type: "snapshot", term, at, offset, total, items: batch(items, offset), force };
    }
    const unknown = progress.probing && progress.match < progress.next - 1;
    const nothingNew = progress.next > log.lastIndex && progress.sentCommit >= commit[0];
    if (nothingNew && !unknown) {
      return undefined;
    }
    const prev = log.idAt(progress.next - 1) ?? log.base;
    progress.sentCommit = commit[0];
    // While it is not known whether the logs agree, the entries are not worth sending.
    const entries = unknown ? [] : batch(log.after(prev[0]));
    return { type: "replicate", term, prev, entries, commit: commit[0] };
  }

  private beginSnapshot(progress: Progress, force: boolean): void {
    if (progress.snapshot === undefined || (force && !progress.snapshot.force)) {
      progress.snapshot = { at: this.replica.commit, items: this.replica.store.items(), offset: 0, force };
    }
  }

  // -- what came back -------------------------------------------------------------------------------

  private answered(peer: string): Progress | undefined {
    const progress = this.progress.get(peer);
    if (progress !== undefined) {
      progress.sentAt = undefined;
    }
    return progress;
  }

  replicated(peer: string, answer: Replicated): void {
    const progress = this.answered(peer);
    if (progress === undefined) {
      return;
    }
    if (answer.ok) {
      progress.match = Math.max(progress.match, answer.index);
      progress.next = Math.max(progress.next, progress.match + 1);
      if (progress.snapshot === undefined) {
        progress.next = progress.match + 1;
        progress.probing = false;
      }
    } else if (answer.index > this.replica.log.lastIndex) {
      this.beginSnapshot(progress, true); // it has carried out more than there is here
    } else if (answer.index >= progress.match) {
      progress.snapshot = undefined;
      progress.probing = true;
      progress.next = answer.index + 1;
    }
  }

  conflict(peer: string): void {
    const progress = this.answered(peer);
    if (progress !== undefined) {
      this.beginSnapshot(progress, true);
    }
  }

  snapshotReceived(peer: string, answer: SnapshotReceived): void {
    const progress = this.answered(peer);
    const snapshot = progress?.snapshot;
    if (progress === undefined || snapshot === undefined || snapshot.at[0] !== answer.at[0]) {
      return;
    }
    snapshot.offset = answer.offset;
    if (answer.offset >= snapshot.items.length) {
      progress.match = Math.max(progress.match, snapshot.at[0]);
      progress.next = progress.match + 1;
      progress.probing = false;
      progress.snapshot = undefined;
    }
  }

  /** Its log ends in `last`. One that is shorter than what it once agreed to has lost its memory. */
  alive(peer: string, last: EntryId): void {
    const progress = this.progress.get(peer);
    if (progress !== undefined && last[0] < progress.match) {
      this.progress.set(peer, this.unknown(last[0]));
    }
  }

  // -- what follows from it -------------------------------------------------------------------------

  /** The highest index that at least `copies` nodes have; this one up to `saved`. */
  heldBy(copies: number, saved: number): number {
    const matches = [saved, ...[...this.progress.values()].map((one) => one.match)].sort((a, b) => b - a);
    return matches[copies - 1] ?? 0;
  }

  lag(): Record<string, number> {
    const last = this.replica.log.lastIndex;
    return Object.fromEntries([...this.progress].map(([peer, { match }]) => [peer, last - match]));
  }
}
