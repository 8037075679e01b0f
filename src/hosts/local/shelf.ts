// The runs of one workflow: their slots, oldest first, and by place in that list the statuses.

import { Column } from "./column.js";
import { StatusSets } from "./status-sets.js";

export class Shelf {
  readonly slots = new Column(Uint32Array);
  readonly statuses = new StatusSets();
  length = 0;

  add(slot: number): number {
    this.slots.set(this.length, slot);
    this.length += 1;
    return this.length - 1;
  }

  /** Slots that follow each other, with their statuses. */
  addAll(first: number, statuses: Uint8Array): void {
    this.statuses.addAll(this.length, statuses);
    this.slots.setSequence(this.length, statuses.length, first);
    this.length += statuses.length;
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
