// A block of rows of the index, column by column in one piece of memory: so they stand in a
// checkpoint, too, and a start reads them into their place instead of making a million objects.

import type { Failure } from "../../engine/run.js";

/** What the index has of a run. */
export interface Row {
  id: string;
  order: number;
  /** By number, as in the lists of names. */
  workflow: number;
  version: number;
  status: number;
  /** ms since 1970; NaN: null. */
  created: number;
  started: number;
  finished: number;
  error: Failure | null;
  key: string | null;
}

/** What few rows have, by their place in a block. */
export interface Details {
  errors: [number, Failure][];
  keys: [number, string][];
}

/** Of a run's id, which is `run_` and 26 digits. */
export const ID_PREFIX = "run_";
export const ID_DIGITS = 26;
export const ID_LENGTH = ID_PREFIX.length + ID_DIGITS;
/** Four numbers of 8 bytes, two of 4, the id, and one of 1. */
export const ROW_BYTES = 4 * 8 + 2 * 4 + ID_DIGITS + 1;
/** Rows of a full block, some half MiB: to copy them takes less than a ms. A power of two. */
export const BLOCK_ROWS = 8_192;

export class RowBlock {
  readonly rows: number;
  readonly order: Float64Array;
  readonly created: Float64Array;
  readonly started: Float64Array;
  readonly finished: Float64Array;
  readonly workflow: Uint32Array;
  readonly version: Uint32Array;
  /** The digits of the ids, one after the other. */
  readonly ids: Buffer;
  readonly status: Uint8Array;

  /** `bytes` begins where a number of 8 bytes may. */
  constructor(readonly bytes: Buffer) {
    const { buffer, byteOffset } = bytes;
    const rows = Math.floor(bytes.length / ROW_BYTES);
    this.rows = rows;
    // Numbers with 8 bytes come first, and so each column stands where its numbers may.
    const doubles = [0, 8, 16, 24].map(
      (from) => new Float64Array(buffer, byteOffset + from * rows, rows),
    );
    [this.order, this.created, this.started, this.finished] = doubles as Four<Float64Array>;
    this.workflow = new Uint32Array(buffer, byteOffset + 32 * rows, rows);
    this.version = new Uint32Array(buffer, byteOffset + 36 * rows, rows);
    this.ids = bytes.subarray(40 * rows, (40 + ID_DIGITS) * rows);
    this.status = bytes.subarray((40 + ID_DIGITS) * rows);
  }

  static ofRows(rows: number): RowBlock {
    return new RowBlock(Buffer.from(new ArrayBuffer(rows * ROW_BYTES)));
  }

  /** All but its error and key. */
  set(row: number, from: Row): void {
    this.order[row] = from.order;
    this.created[row] = from.created;
    this.started[row] = from.started;
    this.finished[row] = from.finished;
    this.workflow[row] = from.workflow;
    this.version[row] = from.version;
    this.status[row] = from.status;
    this.ids.write(from.id.slice(ID_PREFIX.length), row * ID_DIGITS, "latin1");
  }

  /** The same of another block's row. */
  copy(row: number, from: RowBlock, other: number): void {
    this.order[row] = from.order[other] ?? 0;
    this.created[row] = from.created[other] ?? 0;
    this.started[row] = from.started[other] ?? 0;
    this.finished[row] = from.finished[other] ?? 0;
    this.workflow[row] = from.workflow[other] ?? 0;
    this.version[row] = from.version[other] ?? 0;
    this.status[row] = from.status[other] ?? 0;
    const [to, at] = [row * ID_DIGITS, other * ID_DIGITS];
    for (let i = 0; i < ID_DIGITS; i += 1) this.ids[to + i] = from.ids[at + i] ?? 0;
  }

  /** The same rows with room for others behind them. */
  grown(rows: number): RowBlock {
    const larger = RowBlock.ofRows(rows);
    larger.order.set(this.order);
    larger.created.set(this.created);
    larger.started.set(this.started);
    larger.finished.set(this.finished);
    larger.workflow.set(this.workflow);
    larger.version.set(this.version);
    larger.ids.set(this.ids);
    larger.status.set(this.status);
    return larger;
  }
}

type Four<T> = [T, T, T, T];
