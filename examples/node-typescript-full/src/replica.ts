/** One copy of the data: log, store, and how far the log is committed; with the journal behind it. */

import type { Journal, Saved } from "./journal.js";
import { Log, Store } from "./log.js";
import { type Entry, type EntryId, idOf, START } from "./messages.js";

/** Entries that stay in the log after they have taken effect, for followers that are a little behind. */
const KEPT = 4096;

export class Replica {
  readonly log = new Log();
  readonly store = new Store();
  /** The last entry that is committed, that is, has taken effect. */
  commit: EntryId = START;
  term = 0;
  vote: string | null = null;
  /** Is told each entry that takes effect, and whether its key was there before. */
  applied: (entry: Entry, found: boolean) => void = () => {};

  constructor(private readonly journal: Journal) {}

  /** What an earlier life of this node saved. */
  restore(saved: Saved[]): void {
    for (const record of saved) {
      if (record.record === "state") {
        this.term = record.term;
        this.vote = record.vote;
      } else if (record.record === "append") {
        this.put(record.entries);
        this.apply(record.commit);
      } else {
        this.take(record.at, record.items);
      }
    }
  }

  saveState(term: number, vote: string | null): void {
    this.term = term;
    this.vote = vote;
    this.journal.save({ record: "state", term, vote });
  }

  /** Entries that are in the log already go to the disk. */
  saveEntries(entries: Entry[], commit: number): void {
    this.journal.save({ record: "append", entries, commit });
  }

  /** Put the leader's entries in the place of whatever stands there, on the disk too. */
  overwrite(entries: Entry[], commit: number): void {
    this.put(entries);
    this.saveEntries(entries, commit);
  }

  private put(entries: Entry[]): void {
    const first = entries[0];
    if (first !== undefined) {
      this.log.truncate(first[0] - 1);
    }
    for (const entry of entries) {
      this.log.append(entry);
    }
  }

  /** Everything up to entry `index` takes effect. An index from the past changes nothing. */
  advance(index: number): void {
    if (index > this.commit[0]) {
      this.apply(index);
      if (this.log.length > 2 * KEPT) {
        this.log.compact(Math.min(this.commit[0], this.log.lastIndex - KEPT));
      }
      if (this.journal.isLong) {
        this.rewriteJournal();
      }
    }
  }

  private apply(index: number): void {
    for (let next = this.commit[0] + 1; next <= index; next += 1) {
      const entry = this.log.get(next);
      if (entry === undefined) {
        return;
      }
      const found = this.store.apply(entry);
      this.commit = idOf(entry);
      this.applied(entry, found);
    }
  }

  /** Take another node's state as of entry `at` in place of this one's. */
  install(at: EntryId, items: Entry[]): void {
    this.journal.save({ record: "install", at, items });
    this.take(at, items);
  }

  private take(at: EntryId, items: Entry[]): void {
    this.store.replace(items);
    this.log.reset(at);
    this.commit = at;
  }

  private rewriteJournal(): void {
    this.journal.rewrite([
      { record: "state", term: this.term, vote: this.vote },
      { record: "install", at: this.commit, items: this.store.items() },
      { record: "append", entries: this.log.after(this.commit[0]), commit: this.commit[0] },
    ]);
  }
}
