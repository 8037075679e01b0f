// The ids of all runs: a hash table over those in the rows of the index, where a Map of strings
// would take five times as much memory.

import { HashTable, hashOf, NO_DIGIT } from "./hash-table.js";
import { ID_DIGITS, ID_LENGTH, ID_PREFIX } from "./row-block.js";
import { type Rows, rowOf } from "./rows.js";

export class IdTable {
  #table = new HashTable(0);

  constructor(readonly rows: Rows) {}

  /** -1: the id is not there. */
  find(id: string): number {
    if (id.length !== ID_LENGTH || !id.startsWith(ID_PREFIX)) return -1;
    const { places } = this.#table;
    const mask = places.length - 1;
    for (let at = hashOf(id) & mask; ; at = (at + 1) & mask) {
      const slot = (places[at] ?? 0) - 1;
      if (slot < 0 || this.#isAt(slot, id)) return slot;
    }
  }

  /** Writes an id that is not there yet into its row, the last one. */
  add(slot: number, id: string): void {
    if (id.length !== ID_LENGTH) throw new Error(`"${id}" is no id of a run`);
    const row = rowOf(slot);
    const { ids } = this.rows.block(slot);
    ids.write(id.slice(ID_PREFIX.length), row * ID_DIGITS, "latin1");
    if (this.#table.hasRoomFor(slot + 1)) this.#table.enter(ids, row, slot, 1);
    else this.restore();
  }

  /** The table of all rows that are there; without one, it is made of them. */
  restore(table?: HashTable): void {
    this.#table = table ?? new HashTable(this.rows.length);
    if (table !== undefined) return;
    for (const { block, first, count } of this.rows.blocks()) {
      this.#table.enter(block.ids, 0, first, count);
    }
  }

  /** Its place in the table goes when the table grows. */
  remove(slot: number): void {
    const from = rowOf(slot) * ID_DIGITS;
    this.rows.block(slot).ids.fill(NO_DIGIT, from, from + ID_DIGITS);
  }

  text(slot: number): string {
    if (slot < 0 || slot >= this.rows.length) return "";
    const from = rowOf(slot) * ID_DIGITS;
    return ID_PREFIX + this.rows.block(slot).ids.toString("latin1", from, from + ID_DIGITS);
  }

  #isAt(slot: number, id: string): boolean {
    const { ids } = this.rows.block(slot);
    const from = rowOf(slot) * ID_DIGITS - ID_PREFIX.length;
    for (let i = ID_LENGTH - 1; i >= ID_PREFIX.length; i -= 1) {
      if (ids[from + i] !== id.charCodeAt(i)) return false;
    }
    return true;
  }
}
