// Which slot an id may have: places by hash, each with a slot. A checkpoint has the table as it is,
// since to make it of a million ids takes longer than to read it.

import { ID_DIGITS, ID_LENGTH } from "./row-block.js";

/** Those that chance has drawn; the time before them says little. */
const HASHED_DIGITS = 16;
/** In place of each digit of an id that was removed. */
export const NO_DIGIT = 0;
const LEAST_PLACES = 16;
/** Places for each id, at least; more than two thirds full, a table is slow. */
const ROOM = 1.5;
/** Ids entered together: their places fit into the processor's nearest memory. */
const AT_ONCE = 128;

export class HashTable {
  /** Slot + 1; 0: free. As many as a power of two. */
  readonly places: Int32Array;
  readonly #hashes = new Int32Array(AT_ONCE);

  constructor(readonly length: number) {
    let size = LEAST_PLACES;
    while (size < length * ROOM) size *= 2;
    this.places = new Int32Array(size);
  }

  hasRoomFor(length: number): boolean {
    return length * ROOM <= this.places.length;
  }

  /** The ids of as many rows, whose slots follow each other. */
  enter(ids: Buffer, row: number, slot: number, count: number): void {
    for (let done = 0; done < count; done += AT_ONCE) {
      this.#enterSome(ids, row + done, slot + done, Math.min(AT_ONCE, count - done));
    }
  }

  #enterSome(ids: Buffer, row: number, slot: number, count: number): void {
    const { places } = this;
    const mask = places.length - 1;
    const hashes = this.#hashes;
    hashAll(ids, row, hashes, count);
    // All are read before any is written: so memory brings them at the same time.
    let taken = 0;
    for (let i = 0; i < count; i += 1) taken |= places[(hashes[i] ?? 0) & mask] ?? 0;
    for (let i = 0; i < count; i += 1) {
      if (ids[(row + i) * ID_DIGITS] === NO_DIGIT) continue;
      let at = (hashes[i] ?? 0) & mask;
      if (taken !== 0) while (places[at] !== 0) at = (at + 1) & mask;
      places[at] = slot + i + 1;
      taken = 1;
    }
  }
}

/** Of many ids, that stand one after the other. */
function hashAll(ids: Buffer, first: number, hashes: Int32Array, count: number): void {
  const pairs = new Uint16Array(ids.buffer, ids.byteOffset, ids.length / 2);
  for (let i = 0; i < count; i += 1) {
    const end = ((first + i + 1) * ID_DIGITS) / 2;
    let hash = 0;
    for (let at = end - HASHED_DIGITS / 2; at < end; at += 2) {
      hash = stirred(hash, (pairs[at] ?? 0) | ((pairs[at + 1] ?? 0) << 16));
    }
    hashes[i] = hash;
  }
}

/** Of one, with its prefix. */
export function hashOf(id: string): number {
  let hash = 0;
  for (let at = ID_LENGTH - HASHED_DIGITS; at < ID_LENGTH; at += 4) {
    hash = stirred(hash, pairOf(id, at) | (pairOf(id, at + 2) << 16));
  }
  return hash;
}

function pairOf(id: string, at: number): number {
  return id.charCodeAt(at) | (id.charCodeAt(at + 1) << 8);
}

/** So that every bit counts for those below it, too. */
function stirred(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
