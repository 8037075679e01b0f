// A checkpoint: all unfinished runs at one journal position, and the index of finished ones. What
// the journal says before that position is no longer needed.
//
// Lines of JSON: a header with counts and names; a line for each unfinished run; finished runs,
// many to a line; and a last line with the CRC32 of all that stands before it.

import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Run } from "../../engine/run.js";
import type { Disk } from "./disk.js";
import { openIfThere, replaceDurably, writeLater } from "./files.js";
import type { Position } from "./journal.js";
import { crcDigits, FORMAT, lineEnd } from "./record.js";
import type { Capture, FinishedRow } from "./run-index.js";
import { RunIndex } from "./run-index.js";
import { formatError } from "./segment.js";
import { StoreError } from "./store-error.js";

export interface Checkpoint {
  position: Position;
  /** By id, oldest first. */
  live: Map<string, Run>;
  index: RunIndex;
  /** Bytes of the file. */
  size: number;
}

/** What a checkpoint is made of: of one moment, though it is written little by little. */
export interface CheckpointState {
  position: Position;
  live: Run[];
  /** The number of the record that created a run. */
  orderOf(id: string): number;
  finished: Capture;
}

interface Header {
  format: number;
  position: Position;
  unfinished: number;
  finished: number;
  /** Names that the rows of finished runs give by number. */
  workflows: string[];
  versions: string[];
}

interface LiveLine {
  order: number;
  run: Run;
}

const NAME = "checkpoint.jsonl";
/** Finished runs on one line: fewer calls of JSON.parse at the start. */
const ROWS_PER_LINE = 100;
/** Characters after which the writer lets others have their turn: about two ms of work. */
const SLICE_CHARS = 256 * 1024;
/** Bytes read at once. */
const CHUNK_BYTES = 1024 * 1024;

export function checkpointPath(store: string): string {
  return join(store, NAME);
}

/** Resolves with the file's size once it is on disk, in place of the one before. */
export async function writeCheckpoint(
  disk: Disk,
  store: string,
  state: CheckpointState,
): Promise<number> {
  let size = 0;
  await replaceDurably(disk, checkpointPath(store), async (fd) => {
    for (const text of slices(lines(state))) {
      const bytes = Buffer.from(text);
      await writeLater(disk, fd, bytes, size);
      size += bytes.length;
    }
  });
  return size;
}

/** Undefined: there is none. */
export function readCheckpoint(disk: Disk, store: string): Checkpoint | undefined {
  const path = checkpointPath(store);
  const fd = openIfThere(disk, path, "read");
  if (fd === undefined) return undefined;
  const reader = new CheckpointReader(path);
  try {
    return reader.read(disk, fd);
  } catch (error) {
    // A flipped bit may make any nonsense of a line before the CRC tells.
    throw error instanceof TypeError || error instanceof RangeError ? reader.damaged() : error;
  } finally {
    disk.close(fd);
  }
}

function* lines({ position, live, orderOf, finished }: CheckpointState): Generator<string> {
  const { workflows, versions, count } = finished;
  const counts = { unfinished: live.length, finished: count };
  const header: Header = { format: FORMAT, position, ...counts, workflows, versions };
  yield JSON.stringify(header);
  for (const run of live) {
    const line: LiveLine = { order: orderOf(run.id), run };
    yield JSON.stringify(line);
  }
  let rows: FinishedRow[] = [];
  for (const row of finished.rows()) {
    rows.push(row);
    if (rows.length < ROWS_PER_LINE) continue;
    yield JSON.stringify(rows);
    rows = [];
  }
  if (rows.length > 0) yield JSON.stringify(rows);
}

/** The lines in pieces worth a write, and the last line, which depends on them all. */
function* slices(lines: Iterable<string>): Generator<string> {
  let crc = 0;
  let slice = "";
  for (const line of lines) {
    slice += `${line}\n`;
    if (slice.length < SLICE_CHARS) continue;
    crc = crc32(slice, crc);
    yield slice;
    slice = "";
  }
  crc = crc32(slice, crc);
  yield `${slice}${JSON.stringify({ crc: crcDigits(crc) })}\n`;
}

/** Reads in chunks, since the file may be larger than what else the process needs. */
class CheckpointReader {
  #header: Header | undefined;
  readonly #unfinished: LiveLine[] = [];
  #isSorted = false;
  #indexed = 0;
  #finished = 0;
  readonly #index = new RunIndex();
  /** Of the lines before the one at hand. */
  #crc = 0;
  #size = 0;
  #isWhole = false;

  constructor(readonly path: string) {}

  read(disk: Disk, fd: number): Checkpoint {
    let rest: Buffer = Buffer.alloc(0);
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, disk.size(fd)));
    for (;;) {
      const length = disk.read(fd, chunk, this.#size + rest.length);
      if (length === 0) break;
      rest = this.#takeLines(Buffer.concat([rest, chunk.subarray(0, length)]));
    }
    const header = this.#header;
    const isComplete = this.#isWhole && rest.length === 0 && this.#finished === header?.finished;
    if (!isComplete || header?.unfinished !== this.#unfinished.length) throw this.damaged();
    this.#indexUnfinished(Infinity);
    const live = new Map(this.#unfinished.map(({ run }) => [run.id, run]));
    return { position: header.position, live, index: this.#index, size: this.#size };
  }

  /** Answers what is left: a line without its end. */
  #takeLines(bytes: Buffer): Buffer {
    let from = 0;
    for (let end = lineEnd(bytes, from); end < bytes.length; end = lineEnd(bytes, from)) {
      if (this.#isWhole) throw this.damaged();
      this.#takeLine(bytes.toString("utf8", from, end));
      if (!this.#isWhole) this.#crc = crc32(bytes.subarray(from, end + 1), this.#crc);
      this.#size += end + 1 - from;
      from = end + 1;
    }
    return bytes.subarray(from);
  }

  #takeLine(text: string): void {
    const line = this.#parse(text);
    if (!this.#header) this.#takeHeader(line as Header);
    else if (Array.isArray(line)) this.#takeRows(line as FinishedRow[]);
    else if ("crc" in line) this.#takeCrc(String(line.crc));
    else this.#unfinished.push(line as LiveLine);
  }

  #parse(text: string): object {
    try {
      const line: unknown = JSON.parse(text);
      if (typeof line === "object" && line !== null) return line;
    } catch {
      // Told below, like a line that is no object.
    }
    throw this.damaged();
  }

  #takeHeader(header: Header): void {
    if (typeof header.format !== "number") throw this.damaged();
    if (header.format !== FORMAT) throw formatError(this.path, header.format);
    this.#header = header;
  }

  #takeRows(rows: FinishedRow[]): void {
    const { workflows = [], versions = [] } = this.#header ?? {};
    for (const row of rows) {
      this.#indexUnfinished(row[1]);
      this.#index.restore(row, workflows, versions);
      this.#finished += 1;
    }
  }

  /** The index wants its runs in the order of creation; so the two kinds are merged. */
  #indexUnfinished(before: number): void {
    if (!this.#isSorted) this.#unfinished.sort((a, b) => a.order - b.order);
    this.#isSorted = true;
    for (;;) {
      const next = this.#unfinished[this.#indexed];
      if (!next || next.order >= before) return;
      this.#index.put(next.run, next.order);
      this.#indexed += 1;
    }
  }

  #takeCrc(crc: string): void {
    if (crc !== crcDigits(this.#crc)) throw this.damaged();
    this.#isWhole = true;
  }

  damaged(): StoreError {
    const message =
      `The checkpoint ${this.path} is damaged near byte ${this.#size}. Restore the store from a ` +
      "backup. The documents in its folder runs are whole, and may be read.";
    return new StoreError("rot", message, { file: this.path, offset: this.#size });
  }
}
