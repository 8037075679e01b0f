// Writes run documents: what the documents' worker does, and the tests on their own disk.

import { dirname, join } from "node:path";
import type { Disk } from "./disk.js";
import { readWhole, unlinkIfThere, writeAll } from "./files.js";
import { laidOut } from "./laid-out.js";
import { errorCode } from "./store-error.js";

/** What the writer is to do. Its first two lists are flat: id, JSON, id, JSON, … */
export interface DocumentBatch {
  write: string[];
  /** Likewise; only where the document on disk is missing, torn or another one. */
  repair: string[];
  /** Ids of documents that go. */
  remove: string[];
  /** Ids of documents that must be durable. */
  sync: string[];
  /** Likewise all that are written. */
  sync_all: boolean;
}

/** The batch as one text, which is sent at a fraction of the price of its many. */
export function packBatch({ write, repair, remove, sync, sync_all }: DocumentBatch): string {
  const head = [write.length, repair.length, remove.length, sync.length, Number(sync_all)];
  return [...head, ...write, ...repair, ...remove, ...sync].join("\n");
}

/** Neither ids nor JSON have newlines. */
export function unpackBatch(text: string): DocumentBatch {
  const [writes, repairs, removes, syncs, all, ...lines] = text.split("\n");
  const write = lines.splice(0, Number(writes));
  const repair = lines.splice(0, Number(repairs));
  const remove = lines.splice(0, Number(removes));
  return { write, repair, remove, sync: lines.slice(0, Number(syncs)), sync_all: all === "1" };
}

/** By place in its list, what went wrong. An empty answer: all is done. */
export interface DocumentAnswer {
  write: [place: number, reason: string][];
  repair: [place: number, reason: string][];
  /** Undefined: those that had to go are gone, for good. */
  remove?: string;
  /** Undefined: those that had to be are durable. */
  sync?: string;
  /** They cannot all be synced at once: they must be named. */
  not_all?: true;
}

export function documentPath(folder: string, id: string): string {
  return join(folder, `${id}.json`);
}

export class DocumentWriter {
  /** One name for all: after a crash there is one left-over, and the next write takes it. */
  readonly #temporary: string;

  constructor(
    readonly disk: Disk,
    readonly folder: string,
  ) {
    this.#temporary = join(folder, ".writing.tmp");
  }

  handle(batch: DocumentBatch): DocumentAnswer {
    const answer: DocumentAnswer = { write: [], repair: [] };
    each(batch.write, answer.write, (id, json) => this.#write(id, documentText(json)));
    each(batch.repair, answer.repair, (id, json) => {
      const text = documentText(json);
      if (!this.#isThere(id, text)) this.#write(id, text);
    });
    if (batch.remove.length > 0) {
      try {
        for (const id of batch.remove) unlinkIfThere(this.disk, documentPath(this.folder, id));
        this.disk.syncFolder(this.folder);
      } catch (error) {
        // Someone deleted the folder, and with it what had to go.
        if (errorCode(error) !== "ENOENT") answer.remove = reasonOf(error);
      }
    }
    if (batch.sync.length > 0) {
      try {
        // Gone with all that was in it: there is nothing to sync, which is no failure of the disk.
        this.disk.mkdir(this.folder);
        for (const id of batch.sync) this.#sync(id);
        this.disk.syncFolder(this.folder);
      } catch (error) {
        answer.sync = reasonOf(error);
      }
    }
    if (batch.sync_all && !this.#syncAll()) answer.not_all = true;
    return answer;
  }

  #syncAll(): boolean {
    try {
      this.disk.mkdir(this.folder);
    } catch {
      return false;
    }
    return this.disk.syncTree(this.folder);
  }

  #write(id: string, text: string): void {
    try {
      this.#replace(id, text);
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
      // Someone deleted the folder under us.
      this.disk.mkdir(this.folder);
      this.disk.syncFolder(dirname(this.folder));
      this.#replace(id, text);
    }
  }

  #replace(id: string, text: string): void {
    const fd = this.disk.open(this.#temporary, "create");
    try {
      writeAll(this.disk, fd, Buffer.from(text), 0);
    } finally {
      this.disk.close(fd);
    }
    this.disk.rename(this.#temporary, documentPath(this.folder, id));
  }

  #isThere(id: string, text: string): boolean {
    const bytes = readWhole(this.disk, documentPath(this.folder, id));
    return bytes?.equals(Buffer.from(text)) ?? false;
  }

  #sync(id: string): void {
    let fd: number;
    try {
      fd = this.disk.open(documentPath(this.folder, id), "read");
    } catch (error) {
      // Deleted by someone, after it was written: there is nothing to keep.
      if (errorCode(error) === "ENOENT") return;
      throw error;
    }
    try {
      this.disk.sync(fd);
    } finally {
      this.disk.close(fd);
    }
  }
}

/** For people with `cat`. Laid out here, so that the main thread need not. */
function documentText(json: string): string {
  return `${laidOut(json)}\n`;
}

function each(
  pairs: string[],
  failed: [place: number, reason: string][],
  act: (id: string, json: string) => void,
): void {
  for (let i = 0; i < pairs.length; i += 2) {
    try {
      act(pairs[i] ?? "", pairs[i + 1] ?? "");
    } catch (error) {
      failed.push([i / 2, reasonOf(error)]);
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
