/** The log: commands in the order in which they take effect, the oldest forgotten. And the data that they make. */

import { type Entry, type EntryId, idOf, START } from "./messages.js";

/** What one message takes at the most, but one entry at least. */
const BATCH_ENTRIES = 512;
const BATCH_CHARACTERS = 200_000;

export class Log {
  /** The last entry that was forgotten: everything up to it has taken effect. */
  base: EntryId = START;
  private entries: Entry[] = [];

  get length(): number {
    return this.entries.length;
  }

  get lastIndex(): number {
    return this.base[0] + this.entries.length;
  }

  get lastId(): EntryId {
    const last = this.entries.at(-1);
    return last === undefined ? this.base : idOf(last);
  }

  /** The entry at `index`; undefined where there is none, or none any more. */
  get(index: number): Entry | undefined {
    return index > this.base[0] ? this.entries[index - this.base[0] - 1] : undefined;
  }

  idAt(index: number): EntryId | undefined {
    const entry = this.get(index);
    return entry === undefined ? (index === this.base[0] ? this.base : undefined) : idOf(entry);
  }

  /** All entries behind `index`. */
  after(index: number): Entry[] {
    return this.entries.slice(index - this.base[0]);
  }

  append(entry: Entry): void {
    if (entry[0] !== this.lastIndex + 1) {
      throw new Error(`entry ${entry[0]} cannot follow entry ${this.lastIndex}`);
    }
    this.entries.push(entry);
  }

  /** Drop everything behind `index`. */
  truncate(index: number): void {
    this.entries.length = Math.min(this.entries.length, Math.max(0, index - this.base[0]));
  }

  /** Forget entries up to `index`. */
  compact(index: number): void {
    const base = this.idAt(index);
    if (base !== undefined && index > this.base[0]) {
      this.entries = this.after(index);
      this.base = base;
    }
  }

  /** Begin anew behind `at`. */
  reset(at: EntryId): void {
    this.base = at;
    this.entries = [];
  }

  /** The first index of the stretch around `index` that one leader wrote in a row. */
  startOfRun(index: number): number {
    const [, term, leader] = this.idAt(index) ?? START;
    let first = index;
    for (let id = this.idAt(first - 1); first - 1 > this.base[0] && id; id = this.idAt(first - 1)) {
      if (id[1] !== term || id[2] !== leader) {
        break;
      }
      first -= 1;
    }
    return first;
  }
}

/** The data: the `put` that gave each key its value. */
export class Store {
  private data = new Map<string, Entry>();

  get size(): number {
    return this.data.size;
  }

  get(key: string): Entry | undefined {
    return this.data.get(key);
  }

  keys(limit: number): string[] {
    return [...this.data.keys()].sort().slice(0, limit);
  }

  items(): Entry[] {
    return [...this.data.values()];
  }

  /** Carry an entry out; returns whether its key was there before. */
  apply(entry: Entry): boolean {
    const [, , , op, key] = entry;
    const found = this.data.has(key);
    if (op === "put") {
      this.data.set(key, entry);
    } else if (op === "delete") {
      this.data.delete(key);
    }
    return found;
  }

  replace(items: Entry[]): void {
    this.data = new Map(items.map((item) => [item[4], item]));
  }
}

/** Of `entries` from `start` on, as many as one message takes. */
export function batch(entries: Entry[], start = 0): Entry[] {
  let size = 0;
  let end = start;
  while (end < entries.length && end - start < BATCH_ENTRIES) {
    size += JSON.stringify(entries[end]).length;
    if (end > start && size > BATCH_CHARACTERS) {
      break;
    }
    end += 1;
  }
  return entries.slice(start, end);
}
