/**
 * The file that survives a crash. Each line is a record with a checksum in front.
 *
 * A last line that is not complete was never promised to anybody, and is dropped. Any other line that does not fit its
 * checksum is damage: then the node does not start.
 */

import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "./json.js";
import type { Entry, EntryId } from "./messages.js";

export type Saved =
  | { record: "state"; term: number; vote: string | null }
  | { record: "append"; entries: Entry[]; commit: number }
  | { record: "install"; at: EntryId; items: Entry[] };

/** Where a node saves. Without a DATA_DIR nowhere. */
export interface Journal {
  /** Returns when the record is on the disk. */
  save(record: Saved): void;
  /** Whether it has grown so much that it should be written anew. */
  readonly isLong: boolean;
  /** Put these records in the place of all that was saved. */
  rewrite(records: Saved[]): void;
}

export const NOWHERE: Journal = { save: () => {}, isLong: false, rewrite: () => {} };

const GROWTH = 4 * 2 ** 20;

export class FileJournal implements Journal {
  private readonly path: string;
  private file: number;
  private size = 0;
  private sizeOnceRewritten = 0;

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
    this.path = join(folder, "journal");
    this.file = openSync(this.path, "a");
    syncFolder(folder);
  }

  /** All records, in their order. Throws for a damaged file. */
  read(): Saved[] {
    const data = readFileSync(this.path);
    const end = data.lastIndexOf(10) + 1;
    if (end < data.length) {
      truncateSync(this.path, end); // a torn last line
    }
    this.size = this.sizeOnceRewritten = end;
    const lines = data.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
    return lines.map((line, number) => this.understood(line, number + 1));
  }

  private understood(line: string, number: number): Saved {
    if (line.slice(0, 9) !== `${checksum(line.slice(9))} `) {
      throw new Error(`${this.path}: line ${number} is damaged`);
    }
    return parse(line.slice(9)) as unknown as Saved;
  }

  save(record: Saved): void {
    this.write(this.file, [record]);
  }

  get isLong(): boolean {
    return this.size > 2 * this.sizeOnceRewritten + GROWTH;
  }

  rewrite(records: Saved[]): void {
    const path = `${this.path}.new`;
    const file = openSync(path, "w");
    this.size = 0;
    this.write(file, records);
    renameSync(path, this.path);
    syncFolder(this.folder);
    closeSync(this.file);
    this.file = file;
    this.sizeOnceRewritten = this.size;
  }

  private write(file: number, records: Saved[]): void {
    const lines = records.map((record) => {
      const text = stringify(record);
      return `${checksum(text)} ${text}\n`;
    });
    const data = Buffer.from(lines.join(""));
    for (let done = 0; done < data.length; ) {
      done += writeSync(file, data, done);
    }
    fsyncSync(file);
    this.size += data.length;
  }
}

export function openJournal(folder: string | undefined): { journal: Journal; saved: Saved[] } {
  if (folder === undefined) {
    return { journal: NOWHERE, saved: [] };
  }
  const journal = new FileJournal(folder);
  return { journal, saved: journal.read() };
}

function checksum(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** A new name in a folder is durable only when the folder is. */
function syncFolder(folder: string): void {
  if (existsSync(folder)) {
    const handle = openSync(folder, "r");
    fsyncSync(handle);
    closeSync(handle);
  }
}
