// Recovery: the last checkpoint, and the journal's tail folded over it.
//
// What does not follow in the tail is either a tear or rot. Only one batch is ever being written,
// and the next one begins when it is whole on disk; so a bad record in the last batch was never
// acknowledged and is cut off, while one that a later batch follows was whole once: that is rot,
// and the store refuses to start rather than lose what it had promised.

import { join } from "node:path";
import type { Event } from "../../engine/event.js";
import { fold } from "../../engine/evolve.js";
import { FINISHED, type Run } from "../../engine/run.js";
import { readCheckpoint } from "./checkpoint.js";
import type { Disk } from "./disk.js";
import { readWhole, unlinkIfThere, writeAll } from "./files.js";
import type { Position } from "./journal.js";
import { LiveRuns } from "./live-runs.js";
import { type Entry, FILLER, lineEnd, parseRecord, skipFiller } from "./record.js";
import { RunIndex } from "./run-index.js";
import { checkHeader, headerLength, listSegments, segmentName, segmentPath } from "./segment.js";
import { StoreError } from "./store-error.js";

export interface Recovered {
  /** Where the journal goes on. */
  position: Position;
  /** True: the segment after it is there. */
  hasNext: boolean;
  live: LiveRuns;
  /** Runs that finished after the checkpoint, whose documents may not be on disk. */
  finished: Map<string, Run>;
  /** Ids of runs that were deleted after the checkpoint, whose documents may still be there. */
  deleted: Set<string>;
  index: RunIndex;
  /** Bytes of the checkpoint, and of the journal after it. */
  checkpoint_bytes: number;
  tail_bytes: number;
  /** Segments that a new checkpoint would let go. */
  full_segments: number;
  /** What was cut off, in a sentence; undefined: nothing. */
  cut: string | undefined;
}

export function recover(disk: Disk, store: string): Recovered {
  return new Recovery(disk, store).run();
}

export function journalFolder(store: string): string {
  return join(store, "journal");
}

/** All that is folded here was read here, and nobody else has it. */
const OURS = { has: () => true, add() {} };

class Recovery {
  readonly #folder: string;
  readonly #deleted = new Set<string>();
  #index = new RunIndex();
  #live = new LiveRuns(this.#index);
  #finished = new Map<string, Run>();
  /** Runs that the index does not have yet, by the number of the record that created them. */
  readonly #created = new Map<string, number>();
  readonly #at: Position = { segment: 1, offset: headerLength(1), batch: 0, seq: 0 };
  /** Of the batch at hand: its first sequence number, and where it begins in the segment. */
  #first = 0;
  #batchOffset = 0;
  #segments: number[] = [];
  #tailBytes = 0;
  #cut: string | undefined;

  constructor(
    readonly disk: Disk,
    readonly store: string,
  ) {
    this.#folder = journalFolder(store);
  }

  run(): Recovered {
    // A rename that was read may not be on disk yet, and what it replaced is about to be deleted.
    this.disk.syncFolder(this.store);
    this.disk.syncFolder(this.#folder);
    const checkpoint = readCheckpoint(this.disk, this.store);
    if (checkpoint) {
      this.#live = checkpoint.live;
      this.#finished = checkpoint.finished;
      this.#index = checkpoint.index;
      Object.assign(this.#at, checkpoint.position);
    }
    this.#segments = this.#tidy();
    while (this.#readSegment()) this.#nextSegment();
    this.#settle();
    return {
      position: this.#at,
      hasNext: this.#hasNext(),
      live: this.#live,
      finished: this.#finished,
      deleted: this.#deleted,
      index: this.#index,
      checkpoint_bytes: checkpoint?.size ?? 0,
      tail_bytes: this.#tailBytes,
      full_segments: this.#at.segment - (checkpoint?.position.segment ?? 1),
      cut: this.#cut,
    };
  }

  /** Deletes what a crash left half made or half deleted, and answers the segments that count. */
  #tidy(): number[] {
    const { segment } = this.#at;
    for (const name of this.disk.readdir(this.#folder)) {
      if (name.endsWith(".tmp")) unlinkIfThere(this.disk, join(this.#folder, name));
    }
    const numbers = listSegments(this.disk, this.#folder);
    for (const old of numbers.filter((number) => number < segment)) {
      unlinkIfThere(this.disk, segmentPath(this.#folder, old));
    }
    return numbers.filter((number) => number >= segment);
  }

  #settle(): void {
    const index = this.#index;
    for (const [id, seq] of this.#created) {
      const run = this.#live.get(id) ?? this.#finished.get(id);
      if (run) index.put(run, seq);
    }
    for (const runs of [this.#live.awake(), this.#finished.values()]) {
      for (const run of runs) if (!this.#created.has(run.id)) index.put(run);
    }
  }

  /** A segment that was made ahead is empty; a damaged one is better made again. */
  #hasNext(): boolean {
    const segment = this.#at.segment + 1;
    if (!this.#segments.includes(segment)) return false;
    const path = segmentPath(this.#folder, segment);
    try {
      checkHeader(readWhole(this.disk, path) ?? Buffer.alloc(0), segment, path);
      return true;
    } catch {
      unlinkIfThere(this.disk, path);
      return false;
    }
  }

  #nextSegment(): void {
    const segment = this.#at.segment + 1;
    this.#at.segment = segment;
    this.#at.offset = headerLength(segment);
  }

  /** True: the segment ends with the record that says that the next one follows. */
  #readSegment(): boolean {
    const { segment, offset: begin } = this.#at;
    this.#batchOffset = 0;
    const path = segmentPath(this.#folder, segment);
    const bytes = readWhole(this.disk, path);
    if (!bytes) throw this.#missing(segment);
    checkHeader(bytes, segment, path);
    let isContinued = false;
    let isTorn = false;
    while (!isContinued) {
      const from = skipFiller(bytes, this.#at.offset);
      if (from >= bytes.length) break;
      const end = lineEnd(bytes, from);
      const entry = end < bytes.length ? this.#take(bytes, from, end) : undefined;
      if (!entry) {
        isTorn = true;
        break;
      }
      this.#at.offset = end + 1;
      isContinued = "continued" in entry;
    }
    if (!isContinued) this.#refuseRot(bytes);
    if (isTorn) this.#cutTear(bytes, path);
    this.#tailBytes += this.#at.offset - begin;
    this.#sync(path, bytes);
    return isContinued;
  }

  /** Undefined: this is not the record that should stand here. */
  #take(bytes: Buffer, from: number, end: number): Entry | undefined {
    const record = parseRecord(bytes, from, end);
    if (!record || record.seq !== this.#at.seq + 1) return undefined;
    const isSame = record.batch === this.#at.batch && record.first === this.#first;
    const isNext = record.batch === this.#at.batch + 1 && record.first === record.seq;
    if (!isSame && !isNext) return undefined;
    const entry = JSON.parse(record.json) as Entry;
    if ("events" in entry) this.#fold(entry, record.seq);
    else if ("deleted" in entry) this.#delete(entry.deleted);
    if (isNext) this.#batchOffset = from;
    this.#first = record.first;
    this.#at.batch = record.batch;
    this.#at.seq = record.seq;
    return entry;
  }

  #fold(entry: { run_id: string; events: Event[]; base?: Run }, seq: number): void {
    const { run_id: id, base } = entry;
    const known = this.#live.get(id);
    const before = known ?? base ?? this.#finished.get(id) ?? null;
    if (!before && entry.events[0]?.type !== "run_created") throw this.#orphan(id, seq);
    const run = fold(before, entry, seq, OURS);
    if (!known) this.#found(id, seq);
    if (!FINISHED.has(run.status)) {
      this.#live.put(run);
      return;
    }
    if (known) this.#live.delete(id);
    this.#finished.set(id, run);
  }

  /** A run that is new, or was finished. */
  #found(id: string, seq: number): void {
    this.#deleted.delete(id);
    this.#finished.delete(id);
    const isNew = this.#index.slot(id) < 0 && !this.#created.has(id);
    if (isNew) this.#created.set(id, seq);
  }

  #delete(ids: string[]): void {
    for (const id of ids) {
      this.#live.delete(id);
      this.#finished.delete(id);
      this.#index.remove(id);
      this.#created.delete(id);
      this.#deleted.add(id);
    }
  }

  /** Looks, from where the journal does not go on, for proof that it once did. */
  #refuseRot(bytes: Buffer): void {
    const { segment, offset, batch, seq } = this.#at;
    const here = segmentPath(this.#folder, segment);
    const proof = findRecord(bytes, offset, (record) => {
      return record.batch > batch + 1 || (record.batch === batch + 1 && record.first > seq + 1);
    });
    if (proof !== undefined) throw this.#rot(here, offset, here, proof);
    for (const later of this.#segments.filter((number) => number > segment)) {
      const path = segmentPath(this.#folder, later);
      const found = findRecord(readWhole(this.disk, path) ?? Buffer.alloc(0), 0, () => true);
      if (found !== undefined) throw this.#rot(here, offset, path, found);
    }
  }

  /** Keeps a copy of what was being written when the power or the process went, and cuts it off. */
  #cutTear(bytes: Buffer, path: string): void {
    const { offset } = this.#at;
    let end = bytes.length;
    while (end > offset && bytes[end - 1] === FILLER[0]) end -= 1;
    const torn = bytes.subarray(offset, end);
    const copy = this.#keep(torn, `${path}.torn-${offset}`);
    const fd = this.disk.open(path, "write");
    try {
      for (let at = offset; at < end; at += FILLER.length) {
        writeAll(this.disk, fd, FILLER.subarray(0, Math.min(FILLER.length, end - at)), at);
      }
      this.disk.sync(fd);
    } finally {
      this.disk.close(fd);
    }
    this.#cut =
      `The journal ended in the middle of a write (${path}, byte ${offset}). What was being ` +
      `written had not been acknowledged; it was cut off, and ${copy} has a copy.`;
  }

  #keep(torn: Buffer, path: string): string {
    const names = new Set(this.disk.readdir(this.#folder).map((name) => join(this.#folder, name)));
    let copy = path;
    for (let n = 2; names.has(copy); n += 1) copy = `${path}-${n}`;
    const fd = this.disk.open(copy, "create");
    try {
      writeAll(this.disk, fd, torn, 0);
      this.disk.sync(fd);
    } finally {
      this.disk.close(fd);
    }
    this.disk.syncFolder(this.#folder);
    return copy;
  }

  /**
   * What was read may have been in the system's memory alone, and is about to be relied on. The
   * last batch is written again, since a sync that failed once may answer yes the next time.
   */
  #sync(path: string, bytes: Buffer): void {
    const fd = this.disk.open(path, "write");
    try {
      const last = bytes.subarray(this.#batchOffset, this.#at.offset);
      if (this.#batchOffset > 0) writeAll(this.disk, fd, last, this.#batchOffset);
      this.disk.sync(fd);
    } finally {
      this.disk.close(fd);
    }
  }

  #missing(segment: number): StoreError {
    const file = segmentPath(this.#folder, segment);
    const others = this.#segments.map(segmentName).join(", ") || "none";
    const message =
      `The journal's segment ${file} is missing (there: ${others}). Put it back, or restore the ` +
      "store from a backup; without it, runs would be lost.";
    return new StoreError("missing", message, { file });
  }

  #rot(file: string, offset: number, proofFile: string, proof: number): StoreError {
    const message =
      `The journal is damaged: ${file} has no whole record at byte ${offset}, and a later one ` +
      `stands in ${proofFile} at byte ${proof}. Restore the file from a backup. Starting without ` +
      "it would lose what was acknowledged, so nothing was changed.";
    return new StoreError("rot", message, { file, offset });
  }

  #orphan(id: string, seq: number): StoreError {
    const { segment, offset } = this.#at;
    const file = segmentPath(this.#folder, segment);
    const message =
      `The journal's record ${seq} (${file}, byte ${offset}) goes on with run ${id}, which ` +
      "neither the checkpoint nor the journal has. They are not of one store: put back the " +
      "files as they were, or restore a backup.";
    return new StoreError("rot", message, { file, offset });
  }
}

/** Where the first whole record stands that is wanted, from `from` on. */
function findRecord(
  bytes: Buffer,
  from: number,
  isWanted: (record: { batch: number; first: number }) => boolean,
): number | undefined {
  for (let at = skipFiller(bytes, from); at < bytes.length; at = skipFiller(bytes, at)) {
    const end = lineEnd(bytes, at);
    const record = parseRecord(bytes, at, end);
    if (record && isWanted(record)) return at;
    at = end;
  }
  return undefined;
}
