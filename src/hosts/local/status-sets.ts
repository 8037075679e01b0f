// Which positions have which status: one bit each, so that a million runs take little memory and
// the newest of a status are found without looking at the others.

import type { RunStatus } from "../../engine/run.js";

export const STATUSES: readonly RunStatus[] = [
  "pending",
  "running",
  "paused",
  "completed",
  "failed",
  "cancelled",
];

/** A number for each status, as in STATUSES; this one stands for "no run here". */
export const NO_STATUS = STATUSES.length;

export class StatusSets {
  readonly #sets = STATUSES.map(() => new BitSet());

  /** Moves a position from one status to another; NO_STATUS is none. */
  move(position: number, from: number, to: number): void {
    if (from === to) return;
    this.#sets[from]?.remove(position);
    this.#sets[to]?.add(position);
  }

  /** For a position that has none. */
  add(position: number, status: number): void {
    this.#sets[status]?.add(position);
  }

  /** The same for many, from the first one on. */
  addAll(first: number, statuses: Uint8Array): void {
    const before = first & 31;
    const whole = new Uint8Array((before + statuses.length + 31) & ~31).fill(NO_STATUS);
    whole.set(statuses, before);
    const fours = new Uint32Array(whole.buffer);
    for (const [status, set] of this.#sets.entries()) {
      if (whole.includes(status)) set.addWhere(first >>> 5, fours, status);
    }
  }

  /** The greatest position below `position` that has the status, or any; -1: none has. */
  before(position: number, status: number | undefined): number {
    if (status !== undefined) return this.#sets[status]?.before(position) ?? -1;
    return Math.max(...this.#sets.map((set) => set.before(position)));
  }

  count(status: number): number {
    return this.#sets[status]?.count ?? 0;
  }
}

/** Bits, and above them one bit for each word that has any. */
export class BitSet {
  #words = new Uint32Array(1);
  #summary = new Uint32Array(1);
  count = 0;

  has(position: number): boolean {
    return ((this.#words[position >>> 5] ?? 0) & bit(position)) !== 0;
  }

  add(position: number): void {
    const word = position >>> 5;
    const before = this.#words[word] ?? 0;
    if ((before & bit(position)) !== 0) return;
    this.count += 1;
    // Most often others of the word are there, and the word above knows of them.
    if (before === 0) this.#addWord(word, bit(position));
    else this.#words[word] = before | bit(position);
  }

  addEach(positions: Uint32Array): void {
    for (let i = 0; i < positions.length; i += 1) this.add(positions[i] ?? 0);
  }

  /** Positions from a word on, four of whose values, less than 8, stand in one number. */
  addWhere(word: number, fours: Uint32Array, value: number): void {
    for (let at = 0; at < fours.length; at += 8) {
      let bits = 0;
      for (let i = 0; i < 8; i += 1) bits |= equals(fours[at + i] ?? 0, value) << (4 * i);
      if (bits === 0) continue;
      this.count += countOf(bits);
      this.#addWord(word + (at >>> 3), bits);
    }
  }

  #addWord(word: number, bits: number): void {
    this.#words = grown(this.#words, word);
    this.#summary = grown(this.#summary, word >>> 5);
    or(this.#words, word, bits);
    or(this.#summary, word >>> 5, bit(word));
  }

  remove(position: number): void {
    if (!this.has(position)) return;
    const word = position >>> 5;
    and(this.#words, word, ~bit(position));
    if (this.#words[word] === 0) and(this.#summary, word >>> 5, ~bit(word));
    this.count -= 1;
  }

  /** The greatest member below `position`; -1: there is none. */
  before(position: number): number {
    const last = this.#words.length * 32;
    const end = Math.min(position, last);
    const own = end >>> 5;
    const inOwn = highest((this.#words[own] ?? 0) & (bit(end) - 1));
    if (inOwn >= 0) return own * 32 + inOwn;
    const word = this.#wordBefore(own);
    return word < 0 ? -1 : word * 32 + highest(this.#words[word] ?? 0);
  }

  /** Ascending. */
  members(): Uint32Array {
    const members = new Uint32Array(this.count);
    let found = 0;
    for (let word = 0; word < this.#words.length; word += 1) {
      for (let bits = this.#words[word] ?? 0; bits !== 0; bits &= bits - 1) {
        members[found] = word * 32 + lowest(bits);
        found += 1;
      }
    }
    return members;
  }

  /** As it is now, whatever happens to this one later. */
  copy(): BitSet {
    const copy = new BitSet();
    copy.#words = this.#words.slice();
    copy.#summary = this.#summary.slice();
    copy.count = this.count;
    return copy;
  }

  #wordBefore(word: number): number {
    const own = word >>> 5;
    const inOwn = highest((this.#summary[own] ?? 0) & (bit(word) - 1));
    if (inOwn >= 0) return own * 32 + inOwn;
    for (let at = own - 1; at >= 0; at -= 1) {
      const summary = this.#summary[at] ?? 0;
      if (summary !== 0) return at * 32 + highest(summary);
    }
    return -1;
  }
}

function bit(position: number): number {
  return 1 << (position & 31);
}

/** The place of the highest bit that is set; -1: none is. */
function highest(word: number): number {
  return 31 - Math.clz32(word);
}

/** A bit for each of four bytes that is `value`; neither is more than 7. */
function equals(four: number, value: number): number {
  const others = ((four ^ (value * 0x01010101)) + 0x07070707) & 0x08080808;
  return Math.imul((others >>> 3) ^ 0x01010101, 0x01020408) >>> 24;
}

/** How many bits are set: added up in pairs, then fours, then bytes. */
function countOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function lowest(word: number): number {
  return highest(word & -word);
}

function or(words: Uint32Array, at: number, mask: number): void {
  words[at] = (words[at] ?? 0) | mask;
}

function and(words: Uint32Array, at: number, mask: number): void {
  words[at] = (words[at] ?? 0) & mask;
}

function grown(words: Uint32Array<ArrayBuffer>, at: number): Uint32Array<ArrayBuffer> {
  if (at < words.length) return words;
  const larger = new Uint32Array(Math.max(at + 1, words.length * 2));
  larger.set(words);
  return larger;
}
