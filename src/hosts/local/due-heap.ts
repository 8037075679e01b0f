// What is due when: a heap in typed arrays, since a million runs may sleep, and one setTimeout for
// the earliest of them.

import { Column } from "./column.js";

/** ms: the longest sleep, after which the clock is read again, for it may have been set. */
const MAX_SLEEP_MS = 60_000;
/** Calls in one turn of the loop: a million due at once must not keep requests from being read. */
const MAX_CALLS = 1_000;

export class DueHeap {
  readonly #due: (value: number) => void;
  readonly #now: () => number;
  /** By place in the heap: when, the order of asking, and what is due. */
  readonly #untils = new Column(Float64Array);
  readonly #seqs = new Column(Float64Array);
  readonly #values = new Column(Uint32Array);
  /** By value: its place in the heap + 1; 0: it is not there. */
  readonly #places = new Column(Uint32Array);
  #length = 0;
  #seq = 0;
  #timeout: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  /** When the timeout fires, by the clock; Infinity: it is not set. */
  #wakesAt = Infinity;
  #isStopped = false;
  readonly #onTime = (): void => this.#fire();

  /** `due` is called with what is due, the earliest first, never while it is being added. */
  constructor(due: (value: number) => void, now: () => number) {
    this.#due = due;
    this.#now = now;
  }

  get size(): number {
    return this.#length;
  }

  /** The value must not be there. Those due at the same time come in the order of adding. */
  add(value: number, until: number): void {
    const place = this.#length;
    this.#length += 1;
    this.#seq += 1;
    this.#put(place, until, this.#seq, value);
    this.#rise(place);
    if (this.#values.get(0) === value) this.#sleep();
  }

  /** The same for many, in time that grows with the number of all alone. */
  addAll(values: Uint32Array, untils: Float64Array): void {
    const [first, count] = [this.#length, values.length];
    this.#untils.setAll(first, untils);
    this.#values.setAll(first, values);
    this.#seqs.setSequence(first, count, this.#seq + 1);
    // From the last one on, which has the greatest value most often: there is room for it once.
    for (let i = count - 1; i >= 0; i -= 1) this.#places.set(values[i] ?? 0, first + i + 1);
    this.#length += count;
    this.#seq += count;
    this.#order();
    this.#sleep();
  }

  /** Nothing happens when it is not there. */
  remove(value: number): void {
    const place = this.#places.get(value) - 1;
    if (place < 0) return;
    this.#places.set(value, 0);
    this.#length -= 1;
    const last = this.#length;
    if (last === 0) this.#sleep();
    if (place === last) return;
    this.#put(place, this.#untils.get(last), this.#seqs.get(last), this.#values.get(last));
    this.#rise(place);
    this.#sink(place);
  }

  /** Forgets all of them, and wakes for none that comes later: a store that closes still writes. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timeout);
    clearImmediate(this.#immediate);
    for (let place = 0; place < this.#length; place += 1) {
      this.#places.set(this.#values.get(place), 0);
    }
    this.#length = 0;
    this.#wakesAt = Infinity;
  }

  #fire(): void {
    const now = this.#now();
    this.#immediate = undefined;
    this.#wakesAt = Infinity;
    for (let calls = 0; calls < MAX_CALLS; calls += 1) {
      if (this.#length === 0 || this.#untils.get(0) > now) break;
      const value = this.#values.get(0);
      this.remove(value);
      this.#due(value);
    }
    this.#sleep();
  }

  #sleep(): void {
    if (this.#length === 0 || this.#isStopped) {
      clearTimeout(this.#timeout);
      this.#wakesAt = Infinity;
      return;
    }
    const now = this.#now();
    const wakesAt = Math.min(this.#untils.get(0), now + MAX_SLEEP_MS);
    if (wakesAt <= now) {
      this.#immediate ??= setImmediate(this.#onTime);
      return;
    }
    // Awake in time already, unless the clock has been set back since.
    if (this.#wakesAt <= wakesAt && this.#wakesAt > now) return;
    clearTimeout(this.#timeout);
    this.#wakesAt = wakesAt;
    this.#timeout = setTimeout(this.#onTime, wakesAt - now);
  }

  #rise(from: number): void {
    const [until, seq, value] = [
      this.#untils.get(from),
      this.#seqs.get(from),
      this.#values.get(from),
    ];
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isAfter(parent, until, seq)) break;
      this.#move(parent, place);
      place = parent;
    }
    if (place !== from) this.#put(place, until, seq, value);
  }

  /** Most are before those below them already, and to see that takes little. */
  #order(): void {
    const { numbers } = this.#untils;
    for (let place = (this.#length >> 1) - 1; place >= 0; place -= 1) {
      const until = numbers[place] ?? 0;
      const left = numbers[2 * place + 1] ?? 0;
      const right = numbers[2 * place + 2] ?? 0;
      if (until >= left || until >= right) this.#sink(place);
    }
  }

  #sink(from: number): void {
    const [until, seq, value] = [
      this.#untils.get(from),
      this.#seqs.get(from),
      this.#values.get(from),
    ];
    let place = from;
    for (;;) {
      const child = this.#firstBelow(place);
      if (child >= this.#length || this.#isAfter(child, until, seq)) break;
      this.#move(child, place);
      place = child;
    }
    if (place !== from) this.#put(place, until, seq, value);
  }

  /** The one of the two below that is due first. */
  #firstBelow(place: number): number {
    const left = 2 * place + 1;
    const right = left + 1;
    if (right >= this.#length) return left;
    return this.#isAfter(left, this.#untils.get(right), this.#seqs.get(right)) ? right : left;
  }

  #isAfter(place: number, until: number, seq: number): boolean {
    const difference = this.#untils.get(place) - until;
    return difference > 0 || (difference === 0 && this.#seqs.get(place) > seq);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#untils.get(from), this.#seqs.get(from), this.#values.get(from));
  }

  #put(place: number, until: number, seq: number, value: number): void {
    this.#untils.set(place, until);
    this.#seqs.set(place, seq);
    this.#values.set(place, value);
    this.#places.set(value, place + 1);
  }
}
