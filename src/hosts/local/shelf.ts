// The runs of each workflow: their slots, oldest first, and by place in that list the statuses.

import { Column } from "./column.js";
import type { Rows } from "./rows.js";
import { NO_STATUS, StatusSets } from "./status-sets.js";

export class Shelf {
  readonly slots = new Column(Uint32Array);
  readonly statuses = new StatusSets();
  length = 0;

  add(slot: number): number {
    this.slots.set(this.length, slot);
    this.length += 1;
    return this.length - 1;
  }

  /** Of a slot that is here. Most that are asked for are among the newest. */
  placeOf(slot: number): number {
    let high = this.length - 1;
    let step = 1;
    while (high >= step && this.slots.get(high - step) >= slot) {
      high -= step;
      step *= 2;
    }
    let low = Math.max(0, high - step);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.slots.get(middle) < slot) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A shelf for each workflow, by its number. */
export class Shelves {
  readonly #shelves: Shelf[] = [];

  /** `counts`: how many runs each workflow has. */
  constructor(rows: Rows, counts: readonly number[]) {
    for (const [workflow, count] of counts.entries()) this.of(workflow).slots.reserve(count);
    for (const { first, count, block } of rows.blocks()) {
      for (let row = 0; row < count; row += 1) {
        const status = block.status[row] ?? NO_STATUS;
        if (status === NO_STATUS) continue;
        const shelf = this.of(block.workflow[row] ?? 0);
        shelf.statuses.add(shelf.add(first + row), status);
      }
    }
  }

  of(workflow: number): Shelf {
    const shelf = this.#shelves[workflow] ?? new Shelf();
    this.#shelves[workflow] = shelf;
    return shelf;
  }
}
