/** The data of one node, and the number of changes that made it. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** One write. A change without a `value` deletes the key; a stored `null` is a value. */
export interface Change {
  key: string;
  value?: Json;
}

/** All data at once, as a leader sends it to a follower that lacks more than the last changes. */
export interface Snapshot {
  index: number;
  entries: [string, Json][];
}

/** Changes that a leader keeps for followers that are a little behind. Who lacks more gets a snapshot. */
export const KEPT_CHANGES = 1000;

/** This node has not got its data from the present leader yet. */
export const NOTHING = -1;

export class Store {
  /** The number of changes that the present leader has made and that are in here. */
  index = NOTHING;
  private readonly data = new Map<string, Json>();
  private recent: Change[] = [];

  get size(): number {
    return this.data.size;
  }

  /** Up to `limit` keys, sorted. */
  keys(limit: number): string[] {
    return [...this.data.keys()].sort().slice(0, limit);
  }

  has(key: string): boolean {
    return this.data.has(key);
  }

  get(key: string): Json | undefined {
    return this.data.get(key);
  }

  /** A new leader counts its changes from 0; a node with another leader than before knows nothing of its count. */
  countFrom(index: number): void {
    this.index = index;
    this.recent = [];
  }

  apply(change: Change): void {
    if (change.value === undefined) {
      this.data.delete(change.key);
    } else {
      this.data.set(change.key, change.value);
    }
    this.index += 1;
    this.recent.push(change);
    if (this.recent.length > 2 * KEPT_CHANGES) {
      this.recent = this.recent.slice(-KEPT_CHANGES);
    }
  }

  /** The changes after the first `index` ones, or undefined where they are no longer kept. */
  changesAfter(index: number): Change[] | undefined {
    const missing = this.index - index;
    const known = index >= 0 && missing >= 0 && missing <= this.recent.length;
    return known ? this.recent.slice(this.recent.length - missing) : undefined;
  }

  /** Take over what is new among `changes`, of which the first is number `after` + 1. */
  applyAfter(after: number, changes: Change[]): void {
    if (this.index === NOTHING || this.index < after) {
      return; // something in between is missing: the leader learns our index from the answer
    }
    // A message that comes twice, or late, brings changes that are in here already.
    for (const change of changes.slice(this.index - after)) {
      this.apply(change);
    }
  }

  snapshot(): Snapshot {
    return { index: this.index, entries: [...this.data] };
  }

  /** Replace everything, unless this node has got further than the snapshot. */
  install(snapshot: Snapshot): void {
    if (snapshot.index <= this.index) {
      return;
    }
    this.data.clear();
    for (const [key, value] of snapshot.entries) {
      this.data.set(key, value);
    }
    this.countFrom(snapshot.index);
  }
}
