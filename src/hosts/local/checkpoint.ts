// A checkpoint: all unfinished runs at one journal position, and the index of all runs. What the
// journal says before that position is no longer needed.
//
// Lines of JSON: a header with names; a line for each run, in the order of creation; and a last
// line with the CRC32 of all that stands before it.

import { join } from "node:path";
import { crc32 } from "node:zlib";
import { FINISHED, type Run } from "../../engine/run.js";
import { encodeRunLine, parseRunLine } from "./checkpoint-line.js";
import type { Disk } from "./disk.js";
import { openIfThere, replaceDurably, writeLater } from "./files.js";
import type { Position } from "./journal.js";
import { type LiveCapture, LiveRuns } from "./live-runs.js";
import { crcDigits, FORMAT, lineEnd } from "./record.js";
import type { Capture } from "./run-index.js";
import { RunIndex } from "./run-index.js";
import { formatError } from "./segment.js";
import { STATUSES } from "./status-sets.js";
import { StoreError } from "./store-error.js";

export interface Checkpoint {
  position: Position;
  live: LiveRuns;
  /** Finished runs that were about to be revived: the journal that led to them is gone. */
  finished: Map<string, Run>;
  index: RunIndex;
  /** Bytes of the file. */
  size: number;
}

/** What a checkpoint is made of: of one moment, though it is written little by little. */
export interface CheckpointState {
  position: Position;
  index: Capture;
  live: LiveCapture;
}

interface Header {
  format: number;
  position: Position;
  runs: number;
  /** Names that the lines give by number. */
  workflows: string[];
  versions: string[];
}

const NAME = "checkpoint.jsonl";
/** Characters after which the writer lets others have their turn: about two ms of work. */
const SLICE_CHARS = 256 * 1024;
/** Bytes read at once. */
const CHUNK_BYTES = 1024 * 1024;
/** Bytes of the shortest line. */
const LEAST_LINE_BYTES = 40;
const [BRACE] = [...Buffer.from("{")];

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
    const isNonsense = [TypeError, RangeError, SyntaxError].some((kind) => error instanceof kind);
    throw isNonsense ? reader.damaged() : error;
  } finally {
    disk.close(fd);
  }
}

function* lines({ position, index, live }: CheckpointState): Generator<string> {
  const { workflows, versions, count } = index;
  const header: Header = { format: FORMAT, position, runs: count, workflows, versions };
  yield JSON.stringify(header);
  for (let slot = 0; slot < index.slots; slot += 1) {
    const row = index.row(slot);
    if (row) yield encodeRunLine(row.id, row, live.at(slot));
  }
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
  #runs = 0;
  readonly #index = new RunIndex();
  readonly #live = new LiveRuns(this.#index);
  readonly #finished = new Map<string, Run>();
  /** Of the lines before the one at hand. */
  #crc = 0;
  #size = 0;
  #isWhole = false;

  constructor(readonly path: string) {}

  read(disk: Disk, fd: number): Checkpoint {
    const size = disk.size(fd);
    const step = Math.min(CHUNK_BYTES, size + 1);
    // One for all: memory that is touched for the first time is dearer than the file.
    let bytes = Buffer.allocUnsafe(2 * step);
    let rest = 0;
    for (;;) {
      if (bytes.length < rest + step) {
        bytes = Buffer.concat([bytes.subarray(0, rest)], rest + 2 * step);
      }
      const chunk = bytes.subarray(rest, rest + step);
      const length = disk.read(fd, chunk, this.#size + rest);
      if (length === 0) break;
      const from = this.#takeLines(bytes.subarray(0, rest + length), size);
      bytes.copyWithin(0, from, rest + length);
      rest += length - from;
    }
    const header = this.#header;
    if (!this.#isWhole || rest > 0 || !header || this.#runs !== header.runs) throw this.damaged();
    return {
      position: header.position,
      live: this.#live,
      finished: this.#finished,
      index: this.#index,
      size: this.#size,
    };
  }

  /** Answers where a line begins whose end is not there yet. */
  #takeLines(bytes: Buffer, size: number): number {
    let from = 0;
    /** Up to here the bytes are in the CRC. */
    let counted = 0;
    for (let end = lineEnd(bytes, from); end < bytes.length; end = lineEnd(bytes, from)) {
      if (this.#isWhole) throw this.damaged();
      if (!this.#header) this.#takeHeader(bytes.toString("utf8", from, end), size);
      else if (bytes[from] === BRACE) {
        this.#crc = crc32(bytes.subarray(counted, from), this.#crc);
        this.#takeCrc(bytes.toString("utf8", from, end));
        counted = end + 1;
      } else this.#takeRun(bytes, from, end);
      this.#size += end + 1 - from;
      from = end + 1;
    }
    this.#crc = crc32(bytes.subarray(counted, from), this.#crc);
    return from;
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

  #takeHeader(text: string, size: number): void {
    const header = this.#parse(text) as Header;
    if (typeof header.format !== "number") throw this.damaged();
    if (header.format !== FORMAT) throw formatError(this.path, header.format);
    // A flipped digit must not ask for more memory than there is.
    if (!(header.runs * LEAST_LINE_BYTES <= size)) throw this.damaged();
    this.#index.expect(header.workflows, header.versions, header.runs);
    this.#header = header;
  }

  #takeRun(bytes: Buffer, from: number, end: number): void {
    const { workflows = [], versions = [] } = this.#header ?? {};
    const line = parseRunLine(bytes, from, end);
    const { row } = line;
    const isKnown = row.workflow < workflows.length && row.version < versions.length;
    if (!isKnown || row.status >= STATUSES.length) throw this.damaged();
    const slot = this.#index.restore(bytes, line.id_from, row);
    this.#runs += 1;
    if (line.rest === undefined) return;
    this.#live.restore({ slot, until: line.until }, line.rest);
    if (!line.is_awake) return;
    const run = this.#live.wake(this.#index.id(slot));
    if (!run || !FINISHED.has(run.status)) return;
    this.#live.delete(run.id);
    this.#finished.set(run.id, run);
  }

  #takeCrc(text: string): void {
    const line = this.#parse(text) as { crc?: unknown };
    if (line.crc !== crcDigits(this.#crc)) throw this.damaged();
    this.#isWhole = true;
  }

  damaged(): StoreError {
    const message =
      `The checkpoint ${this.path} is damaged near byte ${this.#size}. Restore the store from a ` +
      "backup. The documents in its folder runs are whole, and may be read.";
    return new StoreError("rot", message, { file: this.path, offset: this.#size });
  }
}
