// Numbers by slot, in one typed array that grows: a million of them are a few megabytes.

type Numbers = Float64Array | Uint32Array | Int32Array | Uint8Array;

/** By half: twice as large would be mostly empty, with a million runs. */
const GROWTH = 1.5;
const FIRST_LENGTH = 64;

export class Column<T extends Numbers = Numbers> {
  #numbers: T;

  constructor(readonly kind: new (length: number) => T) {
    this.#numbers = new kind(FIRST_LENGTH);
  }

  /** Of all slots, and more; another array when it has grown. */
  get numbers(): T {
    return this.#numbers;
  }

  get(slot: number): number {
    return this.#numbers[slot] ?? 0;
  }

  set(slot: number, value: number): void {
    if (slot >= this.#numbers.length) this.reserve(slot + 1);
    this.#numbers[slot] = value;
  }

  /** Sets as many slots, from one on, to numbers that follow each other. */
  setSequence(from: number, count: number, first: number): void {
    this.reserve(from + count);
    const numbers = this.#numbers;
    for (let i = 0; i < count; i += 1) numbers[from + i] = first + i;
  }

  /** Sets as many slots, from one on. */
  setAll(from: number, numbers: ArrayLike<number>): void {
    this.reserve(from + numbers.length);
    this.#numbers.set(numbers, from);
  }

  getEach(slots: Uint32Array): T {
    const own = this.#numbers;
    const numbers = new this.kind(slots.length);
    for (let i = 0; i < slots.length; i += 1) numbers[i] = own[slots[i] ?? 0] ?? 0;
    return numbers;
  }

  /** Sets some slots, each to the number in its place. */
  setEach(slots: Uint32Array, numbers: ArrayLike<number>): void {
    for (let i = 0; i < slots.length; i += 1) {
      const slot = slots[i] ?? 0;
      if (slot >= this.#numbers.length) this.reserve(slot + 1);
      this.#numbers[slot] = numbers[i] ?? 0;
    }
  }

  /** Room for so many, and for some more: memory that is not used costs nothing. */
  reserve(length: number): void {
    if (length <= this.#numbers.length) return;
    const larger = new this.kind(Math.ceil(length * GROWTH));
    larger.set(this.#numbers);
    this.#numbers = larger;
  }
}
