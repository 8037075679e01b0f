// The journal: one record a decision, one write in flight, and whatever queued up meanwhile goes
// into the next: group commit without a timer.
//
// A failed or short write is never retried, since nobody knows what the disk has then: the journal
// is dead from that moment, and the next start finds out.
//
// What remains of the one window that a record at the end has: a flipped bit in the last batch
// looks like a tear. So after a moment of quiet, and at a clean end, a seal follows, which proves
// that the batch before was whole. Only a batch whose writer died before its seal can be mistaken.

import { Histogram } from "../../engine/figures.js";
import { MAX_BATCH_CHARS } from "../../limits.js";
import type { Disk } from "./disk.js";
import { shortWrite } from "./files.js";
import { BatchBuffer, CONTINUED, SEALED } from "./record.js";
import { createSegmentLater, headerLength, segmentPath } from "./segment.js";
import { diskError, errorCode, type StoreError } from "./store-error.js";

/** A place between two batches. */
export interface Position {
  segment: number;
  /** Bytes from the segment's beginning, where the next batch goes. */
  offset: number;
  /** Of the last batch before. */
  batch: number;
  /** Of the last record before. */
  seq: number;
}

export interface JournalOptions {
  disk: Disk;
  folder: string;
  /** Where to go on, as recovery found it. */
  position: Position;
  segment_bytes: number;
  seal_after_ms: number;
  max_waiting_chars: number;
  onFailure(error: StoreError): void;
  /** The next segment cannot be made: there is room for what runs, and not for more. */
  onTrouble(message: string): void;
  /** A segment is full, and the journal goes on in the next one. */
  onSegment(): void;
}

/** Kept free in each segment for the record that says that the next one follows. */
const CONTINUED_BYTES = 128;
/** How much larger the next segment may be: a small store stays small. */
const GROWTH = 4;
const NO_SPACE =
  "There is no space for the journal's next segment. Free some: runs go on while the current " +
  "segment has room, and new ones are refused.";
/** ms until the next segment is tried again, where there was no room for it. */
const RETRY_MS = 2_000;

/**
 * Bytes and ms: what is written while the loop waits, as long as the disk is that quick. The way
 * through another thread and back would take longer than the write, most of all where documents
 * keep the other core busy.
 */
const SMALL_COMMIT_BYTES = 64 * 1024;
const QUICK_COMMIT_MS = 1;
/** How much the latest commit counts in what the next is expected to take. */
const LATEST_SHARE = 0.25;
/** Batches until a disk that was slow is tried again. */
const TRY_AGAIN_AFTER = 50;

/** s: from a write that a cache takes to one that a busy disk keeps waiting. */
const COMMIT_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

interface Batch {
  jsons: string[];
  chars: number;
  number: number;
  /** Of its first record, and of its last. */
  first: number;
  seq: number;
  /** One for each record; null for the journal's own. */
  durable: (((seq: number) => void) | null)[];
}

export class Journal {
  readonly #options: JournalOptions;
  #fd: number;
  #size: number;
  /** Durable up to here. */
  #at: Position;
  /** Batches not yet written, oldest first; records go to the last. */
  #queue: Batch[] = [];
  readonly #buffer = new BatchBuffer();
  #writing = false;
  #scheduled = false;
  #dead: StoreError | undefined;
  /** Numbers given out. */
  #seq: number;
  #batch: number;
  #sealed = false;
  #sealTimer: NodeJS.Timeout | undefined;
  /** The segment after this one: there, in the making, or waiting for room. */
  #next: "none" | "making" | "ready" = "none";
  #tight = false;
  /** Characters of the records that are not durable yet. */
  #chars = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];
  #closing = false;
  /** ms that a commit takes, of late: by another thread, too, so that one slow one is forgotten. */
  #commitMs = 0;
  /** Batches since one of them was written so. */
  #sinceBlocking = 0;
  decisions = 0;
  batches = 0;
  bytes = 0;
  readonly commits = new Histogram(COMMIT_BOUNDS);

  constructor(options: JournalOptions, hasNext: boolean) {
    this.#options = options;
    this.#at = options.position;
    this.#seq = this.#at.seq;
    this.#batch = this.#at.batch;
    this.#fd = options.disk.open(segmentPath(options.folder, this.#at.segment), "commit");
    this.#size = options.disk.size(this.#fd);
    if (hasNext) this.#next = "ready";
    else this.#makeNextInTime();
    this.#sealSoon();
  }

  /** Everything before is durable, and its callbacks have run. */
  get position(): Position {
    return this.#at;
  }

  /** True: there is no room for a next segment, so that only what runs should go on. */
  get isTight(): boolean {
    return this.#tight;
  }

  get isFull(): boolean {
    return this.#chars > this.#options.max_waiting_chars;
  }

  append(json: string, durable: ((seq: number) => void) | null): void {
    if (this.#dead) {
      this.#options.onFailure(this.#dead);
      return;
    }
    const batch = this.#openBatch(json.length);
    this.#seq += 1;
    batch.seq = this.#seq;
    batch.jsons.push(json);
    batch.chars += json.length;
    this.#chars += json.length;
    batch.durable.push(durable);
    this.#schedule();
  }

  /** Writes what is queued and a seal, and lets the file go. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#sealTimer);
    clearTimeout(this.#retryTimer);
    await this.#whenIdle();
    if (!this.#dead && !this.#sealed) this.append(SEALED, null);
    await this.#whenIdle();
    this.#options.disk.close(this.#fd);
  }

  #whenIdle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #isIdle(): boolean {
    if (this.#dead) return !this.#writing;
    return !this.#writing && this.#queue.length === 0 && this.#next !== "making";
  }

  #wakeIdle(): void {
    if (this.#isIdle()) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #openBatch(length: number): Batch {
    const last = this.#queue.at(-1);
    if (last && last.chars + length <= MAX_BATCH_CHARS) return last;
    this.#batch += 1;
    const first = this.#seq + 1;
    const batch = { jsons: [], chars: 0, number: this.#batch, first, seq: first, durable: [] };
    this.#queue.push(batch);
    return batch;
  }

  /** At the end of this turn of the loop, so that all requests of one turn share a write. */
  #schedule(): void {
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#writing || this.#dead) return;
    const batch = this.#queue[0];
    if (!batch) {
      this.#wakeIdle();
      return;
    }
    const bytes = this.#buffer.encode(batch.number, batch.first, batch.jsons);
    const isFirst = this.#at.offset === headerLength(this.#at.segment);
    if (!isFirst && this.#at.offset + bytes.length + CONTINUED_BYTES > this.#size) {
      this.#continue();
      return;
    }
    this.#queue.shift();
    const mayBlock = this.#mayBlock(bytes);
    const written = (): void => {
      this.#at = { ...this.#at, batch: batch.number, seq: batch.seq };
      this.#acknowledge(batch);
      this.#makeNextInTime();
      // What follows at once has its turn after all else that the loop has to do.
      if (mayBlock) this.#schedule();
      else this.#flush();
    };
    this.#write(bytes, written, mayBlock);
  }

  #mayBlock({ length }: Buffer): boolean {
    this.#sinceBlocking += 1;
    const isQuick = this.#commitMs < QUICK_COMMIT_MS || this.#sinceBlocking > TRY_AGAIN_AFTER;
    if (length > SMALL_COMMIT_BYTES || !isQuick) return false;
    this.#sinceBlocking = 0;
    return true;
  }

  #write(bytes: Buffer, written: () => void, mayBlock = false): void {
    this.#writing = true;
    const started = performance.now();
    const done = (error: Error | null, length: number): void => {
      if (error || length !== bytes.length) {
        this.#die("writing", error ?? shortWrite(length, bytes.length));
        return;
      }
      const ms = performance.now() - started;
      this.#commitMs += (ms - this.#commitMs) * LATEST_SHARE;
      this.commits.observe({}, ms / 1_000);
      this.bytes += length;
      this.#at = { ...this.#at, offset: this.#at.offset + length };
      this.#writing = false;
      written();
    };
    this.#options.disk.commit(this.#fd, bytes, this.#at.offset, done, mayBlock);
  }

  /** The callbacks may append: what they add is written together, once all have run. */
  #acknowledge(batch: Batch): void {
    this.batches += 1;
    this.#chars -= batch.chars;
    this.#scheduled = true;
    let seq = batch.first;
    let isOwn = true;
    for (const durable of batch.durable) {
      if (durable) {
        this.decisions += 1;
        isOwn = false;
        durable(seq);
      }
      seq += 1;
    }
    this.#scheduled = false;
    this.#sealed = isOwn;
    if (!isOwn) this.#sealSoon();
  }

  #sealSoon(): void {
    if (this.#sealed || this.#closing) return;
    if (this.#sealTimer) {
      this.#sealTimer.refresh();
      return;
    }
    const seal = (): void => {
      const isQuiet = this.#queue.length === 0 && !this.#writing;
      if (isQuiet && !this.#sealed && !this.#dead && !this.#closing) this.append(SEALED, null);
    };
    this.#sealTimer = setTimeout(seal, this.#options.seal_after_ms);
    this.#sealTimer.unref();
  }

  /** Says in this segment, durably, that it is whole, and goes on in the next. */
  #continue(): void {
    if (this.#next === "none" && !this.#tight) this.#makeNext();
    if (this.#next === "making") return;
    if (this.#next === "none") {
      this.#die("extending", new Error("there is no next segment"));
      return;
    }
    const batch = this.#at.batch + 1;
    const seq = this.#at.seq + 1;
    this.#renumber();
    this.#write(this.#buffer.encode(batch, seq, [CONTINUED]), () => {
      const { disk, folder } = this.#options;
      disk.close(this.#fd);
      const segment = this.#at.segment + 1;
      this.#fd = disk.open(segmentPath(folder, segment), "commit");
      this.#size = disk.size(this.#fd);
      this.#at = { segment, offset: headerLength(segment), batch, seq };
      this.#next = "none";
      this.#options.onSegment();
      this.#flush();
    });
  }

  /** Makes room for one record before those that wait. */
  #renumber(): void {
    for (const batch of this.#queue) {
      batch.number += 1;
      batch.first += 1;
      batch.seq += 1;
    }
    this.#batch += 1;
    this.#seq += 1;
  }

  /** Early enough to be there when it is needed, and not for a run or two. */
  #makeNextInTime(): void {
    const isHalfFull = this.#at.offset * 2 > this.#size;
    if (isHalfFull && this.#next === "none" && !this.#tight && !this.#closing) this.#makeNext();
  }

  #makeNext(): void {
    const { disk, folder, segment_bytes, onTrouble } = this.#options;
    const segment = this.#at.segment + 1;
    const size = Math.min(segment_bytes, this.#size * GROWTH);
    this.#next = "making";
    const made = createSegmentLater(disk, folder, segment, size).then(
      () => {
        this.#next = "ready";
        this.#tight = false;
      },
      (cause) => {
        this.#next = "none";
        this.#tight = true;
        if (errorCode(cause) === "ENOSPC") onTrouble(NO_SPACE);
        else onTrouble(diskError("making", segmentPath(folder, segment), cause).message);
        if (this.#closing) return;
        this.#retryTimer = setTimeout(() => this.#makeNext(), RETRY_MS);
        this.#retryTimer.unref();
      },
    );
    void made.then(() => this.#flush());
  }

  #die(doing: string, cause: unknown): void {
    const file = segmentPath(this.#options.folder, this.#at.segment);
    this.#dead = diskError(doing, file, cause);
    this.#writing = false;
    clearTimeout(this.#sealTimer);
    clearTimeout(this.#retryTimer);
    this.#queue = [];
    this.#options.onFailure(this.#dead);
    this.#wakeIdle();
  }
}
