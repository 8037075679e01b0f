// The ids of all runs, each with a slot: 26 bytes and a place in a hash table, where a Map of
// strings would take five times as much.

import { Column } from "./column.js";

/** Of a run's id, which is `run_` and 26 digits. */
const PREFIX = "run_";
const DIGITS = 26;
export const ID_LENGTH = PREFIX.length + DIGITS;
/** In place of each digit of an id that was removed. */
const NO_DIGIT = 0;
const FIRST_ROOM = 256;
const FIRST_HASH = 0x811c9dc5;

export class IdTable {
  #bytes = Buffer.alloc(FIRST_ROOM * DIGITS);
  /** Slot + 1 by hash; 0: free. A power of two, at most two thirds full. */
  #table = new Int32Array(FIRST_ROOM);
  /** So that most of those which only share a place are told apart at once. */
  readonly #hashes = new Column(Int32Array);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** -1: the id is not there. */
  find(id: string): number {
    if (id.length !== ID_LENGTH) return -1;
    const hash = hashOf(id);
    const mask = this.#table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = (this.#table[at] ?? 0) - 1;
      if (slot < 0) return -1;
      if (this.#hashes.get(slot) === hash && this.#isAt(slot, id)) return slot;
    }
  }

  /** The slot of an id that is not there yet: the next one. */
  add(id: string): number {
    if (id.length !== ID_LENGTH) throw new Error(`"${id}" is no id of a run`);
    this.#makeRoom();
    this.#bytes.write(id.slice(PREFIX.length), this.#length * DIGITS, DIGITS, "latin1");
    return this.#enterLast();
  }

  /** The same for an id that stands in a file's bytes. */
  addFrom(bytes: Uint8Array, from: number): number {
    this.#makeRoom();
    const begin = this.#length * DIGITS;
    for (let i = 0; i < DIGITS; i += 1) {
      this.#bytes[begin + i] = bytes[from + PREFIX.length + i] ?? 0;
    }
    return this.#enterLast();
  }

  /** The slot stays empty; its place in the table goes when the table grows. */
  remove(slot: number): void {
    this.#bytes.fill(NO_DIGIT, slot * DIGITS, (slot + 1) * DIGITS);
  }

  text(slot: number): string {
    if (slot < 0 || slot >= this.#length) return "";
    return PREFIX + this.#bytes.toString("latin1", slot * DIGITS, (slot + 1) * DIGITS);
  }

  /** Room for so many, so that it need not grow often. */
  reserve(length: number): void {
    if (length * DIGITS > this.#bytes.length) {
      const larger = Buffer.alloc(length * DIGITS);
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    this.#hashes.reserve(length);
    let size = this.#table.length;
    while (length * 1.5 > size) size *= 2;
    if (size === this.#table.length) return;
    this.#table = new Int32Array(size);
    for (let slot = 0; slot < this.#length; slot += 1) {
      if (this.#bytes[slot * DIGITS] !== NO_DIGIT) this.#enter(slot, this.#hashes.get(slot));
    }
  }

  #makeRoom(): void {
    const slot = this.#length;
    const isFull = (slot + 1) * DIGITS > this.#bytes.length || slot * 1.5 >= this.#table.length;
    if (isFull) this.reserve(Math.ceil((slot + 1) * 1.5));
  }

  #enterLast(): number {
    const slot = this.#length;
    this.#length += 1;
    let hash = FIRST_HASH;
    for (let at = slot * DIGITS; at < (slot + 1) * DIGITS; at += 1) {
      hash = Math.imul(hash ^ (this.#bytes[at] ?? 0), 0x01000193);
    }
    hash = stirred(hash);
    this.#hashes.set(slot, hash);
    this.#enter(slot, hash);
    return slot;
  }

  #enter(slot: number, hash: number): void {
    const mask = this.#table.length - 1;
    let at = hash & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = slot + 1;
  }

  #isAt(slot: number, id: string): boolean {
    const from = slot * DIGITS - PREFIX.length;
    for (let i = PREFIX.length; i < ID_LENGTH; i += 1) {
      if (this.#bytes[from + i] !== id.charCodeAt(i)) return false;
    }
    return id.startsWith(PREFIX);
  }
}

/** FNV-1a. */
function hashOf(id: string): number {
  let hash = FIRST_HASH;
  for (let at = PREFIX.length; at < ID_LENGTH; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  }
  return stirred(hash);
}

/** So that every bit counts. */
function stirred(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}
