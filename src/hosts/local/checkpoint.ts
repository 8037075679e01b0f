// A checkpoint: all unfinished runs at one journal position, and the index of all runs. What the
// journal says before that position is no longer needed.
//
// Frames: one with names and numbers, and then, as they stand in memory, so that a start reads them
// into their place: blocks of rows of the index; pieces of the slab with the texts of live runs,
// whose keys are rows; and the hash table of the ids.

import { join } from "node:path";
import { FINISHED, type Run } from "../../engine/run.js";
import type { Disk } from "./disk.js";
import { openIfThere, replaceDurably, writeLater } from "./files.js";
import { DamagedFrame, type Frame, FrameReader, frameEncoder } from "./frames.js";
import { HashTable } from "./hash-table.js";
import type { Position } from "./journal.js";
import { type LiveCapture, type LiveRecord, LiveRuns } from "./live-runs.js";
import { FORMAT } from "./record.js";
import { BLOCK_ROWS, type Details, ROW_BYTES, RowBlock } from "./row-block.js";
import type { Capture } from "./run-index.js";
import { RunIndex } from "./run-index.js";
import { formatError } from "./segment.js";
import { PieceWriter } from "./slab.js";
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
  /** Names that the rows give by number, and how many runs there are of each workflow. */
  workflows: string[];
  versions: string[];
  counts: number[];
  live: number;
}

/** What follows the header, in any order. */
type Block = ({ type: "rows" } & Details) | { type: "texts" } | { type: "ids" };

/** Bytes of the ids' table in a frame. */
const IDS_BYTES = 512 * 1024;
const NAME = "checkpoint.bin";

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
    const encode = frameEncoder();
    for (const frame of frames(state)) {
      const bytes = encode(frame);
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
  const frames = new FrameReader(disk, fd);
  try {
    return new CheckpointReader(path, frames).read();
  } catch (error) {
    throw error instanceof DamagedFrame ? damaged(path, frames.offset) : error;
  } finally {
    disk.close(fd);
  }
}

function* frames({ position, index, live }: CheckpointState): Generator<Frame> {
  const { workflows, versions, counts } = index;
  const names = { workflows, versions, counts };
  const header: Header = { format: FORMAT, position, ...names, live: live.count };
  yield { head: header, parts: [] };
  const rows = new RowWriter(index, new HashTable(sum(counts)));
  const texts = new TextWriter();
  for (let slot = 0; slot < index.slots; slot += 1) {
    if (!index.has(slot)) continue;
    const text = live.at(slot);
    if (text) {
      if (!texts.fits(text)) yield texts.take();
      texts.add(rows.count, text);
    }
    rows.add(slot);
    if (rows.isFull) yield rows.take();
  }
  if (!rows.isEmpty) yield rows.take();
  if (!texts.isEmpty) yield texts.take();
  yield* rows.ids();
}

class RowWriter {
  count = 0;
  #slots: number[] = [];

  constructor(
    readonly index: Capture,
    readonly table: HashTable,
  ) {}

  add(slot: number): void {
    this.#slots.push(slot);
    this.count += 1;
  }

  get isEmpty(): boolean {
    return this.#slots.length === 0;
  }

  get isFull(): boolean {
    return this.#slots.length === BLOCK_ROWS;
  }

  take(): Frame {
    const { length } = this.#slots;
    const { block, details } = this.index.copy(this.#slots);
    this.table.enter(block.ids, 0, this.count - length, length);
    this.#slots = [];
    return { head: { type: "rows", ...details }, parts: [block.bytes] };
  }

  *ids(): Generator<Frame> {
    const bytes = bytesOf(this.table.places);
    for (let from = 0; from < bytes.length; from += IDS_BYTES) {
      yield { head: { type: "ids" }, parts: [bytes.subarray(from, from + IDS_BYTES)] };
    }
  }
}

class TextWriter {
  readonly #piece = new PieceWriter();
  #untils: number[] = [];

  get isEmpty(): boolean {
    return this.#untils.length === 0;
  }

  fits({ record }: LiveRecord): boolean {
    return this.#piece.fits(record);
  }

  add(row: number, { record, until }: LiveRecord): void {
    this.#piece.add(row, record);
    this.#untils.push(until);
  }

  take(): Frame {
    const parts = [bytesOf(Float64Array.from(this.#untils)), this.#piece.take()];
    this.#untils = [];
    return { head: { type: "texts" }, parts };
  }
}

function bytesOf({ buffer }: Float64Array | Int32Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer);
}

function sum(numbers: number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}

/** Memory that is given away from its beginning on. */
class Room {
  #left: Buffer;

  constructor(memory: Buffer = Buffer.alloc(0)) {
    this.#left = memory;
  }

  get isTaken(): boolean {
    return this.#left.length === 0;
  }

  take(bytes: number): Buffer {
    if (bytes > this.#left.length) throw new DamagedFrame();
    const taken = this.#left.subarray(0, bytes);
    this.#left = this.#left.subarray(bytes);
    return taken;
  }
}

class CheckpointReader {
  readonly #index = new RunIndex();
  readonly #live = new LiveRuns(this.#index);
  /** Where all rows and the ids' table are to stand. */
  #rows = new Room();
  #ids = new Room();
  /** Slots of runs at work. */
  readonly #awake: number[] = [];

  constructor(
    readonly path: string,
    readonly frames: FrameReader,
  ) {}

  read(): Checkpoint {
    const header = this.frames.next(Buffer.allocUnsafeSlow).head as Header;
    const { format, position, workflows, versions, counts, live } = header;
    if (format !== FORMAT) throw formatError(this.path, format);
    this.#index.expect(workflows, versions, counts);
    if (live > 0) this.#live.expect(sum(counts));
    const table = new HashTable(sum(counts));
    this.#rows = new Room(Buffer.allocUnsafeSlow(table.length * ROW_BYTES));
    this.#ids = new Room(bytesOf(table.places));
    while (!this.frames.isAtEnd) this.#take();
    // A file may end too early where a frame does.
    const isWhole = this.#rows.isTaken && this.#ids.isTaken && this.#live.size === live;
    if (!isWhole) throw new DamagedFrame();
    this.#index.restoreIds(table);
    const finished = this.#wake();
    const [index, size] = [this.#index, this.frames.size];
    return { position, live: this.#live, finished, index, size };
  }

  #take(): void {
    const { head, parts } = this.frames.next((bytes, of) => this.#room(bytes, of as Block));
    const [first, second] = parts;
    const { type, ...details } = head as Block;
    if (type === "rows" && first) this.#index.restore(new RowBlock(first), details as Details);
    if (type !== "texts" || !first || !second) return;
    const untils = new Float64Array(first.buffer);
    for (const slot of this.#live.restore(second, untils)) this.#awake.push(slot);
  }

  /** Each part is read into where it is to stay. */
  #room(bytes: number, { type }: Block): Buffer {
    if (type === "rows") return this.#rows.take(bytes);
    return type === "ids" ? this.#ids.take(bytes) : Buffer.allocUnsafeSlow(bytes);
  }

  /** Answers those that had finished. */
  #wake(): Map<string, Run> {
    const finished = new Map<string, Run>();
    for (const slot of this.#awake) {
      const run = this.#live.wake(this.#index.id(slot));
      if (!run || !FINISHED.has(run.status)) continue;
      this.#live.delete(run.id);
      finished.set(run.id, run);
    }
    return finished;
  }
}

function damaged(file: string, offset: number): StoreError {
  const message =
    `The checkpoint ${file} is damaged near byte ${offset}. Restore the store from a ` +
    "backup. The documents in its folder runs are whole, and may be read.";
  return new StoreError("rot", message, { file, offset });
}
