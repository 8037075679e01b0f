// All rows of the index, in blocks, each with a slot: its place in the order of creation.

import { BLOCK_ROWS, RowBlock } from "./row-block.js";

const FIRST_ROWS = 64;
const SHIFT = Math.log2(BLOCK_ROWS);
const MASK = BLOCK_ROWS - 1;

type Numeric = "order" | "created" | "started" | "finished" | "workflow" | "version" | "status";

export class Rows {
  readonly #blocks: RowBlock[] = [];
  #length = 0;

  /** Slots that were given out. */
  get length(): number {
    return this.#length;
  }

  /** The next slot, with nothing in it. */
  add(): number {
    const slot = this.#length;
    const last = this.#blocks[slot >>> SHIFT];
    if (!last) this.#blocks.push(RowBlock.ofRows(FIRST_ROWS));
    else if (rowOf(slot) === last.rows) {
      this.#blocks[slot >>> SHIFT] = last.grown(Math.min(2 * last.rows, BLOCK_ROWS));
    }
    this.#length += 1;
    return slot;
  }

  /** Answers the first slot. All blocks before must be full. */
  adopt(block: RowBlock): number {
    const first = this.#length;
    if (rowOf(first) !== 0) throw new Error(`a block cannot follow ${first} rows`);
    this.#blocks.push(block);
    this.#length += block.rows;
    return first;
  }

  block(slot: number): RowBlock {
    const block = this.#blocks[slot >>> SHIFT];
    if (!block) throw new Error(`there is no row ${slot}`);
    return block;
  }

  /** Each with its first slot, and how many of its rows were given out. */
  *blocks(): Generator<{ block: RowBlock; first: number; count: number }> {
    for (const [i, block] of this.#blocks.entries()) {
      const first = i * BLOCK_ROWS;
      yield { block, first, count: Math.min(block.rows, this.#length - first) };
    }
  }

  get(column: Numeric, slot: number): number {
    return this.block(slot)[column][rowOf(slot)] ?? 0;
  }

  set(column: Numeric, slot: number, value: number): void {
    this.block(slot)[column][rowOf(slot)] = value;
  }
}

/** The place in its block. */
export function rowOf(slot: number): number {
  return slot & MASK;
}
