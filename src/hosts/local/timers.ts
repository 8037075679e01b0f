// Timers: what is called back when the clock says so.

import { DueHeap } from "./due-heap.js";

interface Timer {
  due: () => void;
}

export class Timers {
  /** By their value in the heap. */
  readonly #timers: (Timer | undefined)[] = [];
  /** Values that are free again. */
  readonly #free: number[] = [];
  readonly #heap: DueHeap;

  constructor(now: () => number = Date.now) {
    this.#heap = new DueHeap((value) => this.#take(value)?.due(), now);
  }

  get size(): number {
    return this.#heap.size;
  }

  /**
   * Calls `due` once the clock says `until` (ms) or later, never before this returns. The clock may
   * jump: forward, and what it skipped is called within a minute; back, and nothing is called
   * twice. The answer forgets it.
   */
  wait(until: number, due: () => void): () => void {
    const value = this.#free.pop() ?? this.#timers.length;
    const timer = { due };
    this.#timers[value] = timer;
    this.#heap.add(value, until);
    return () => {
      if (this.#timers[value] !== timer) return;
      this.#take(value);
      this.#heap.remove(value);
    };
  }

  /** Forgets all of them. */
  stop(): void {
    this.#heap.stop();
    this.#timers.length = 0;
    this.#free.length = 0;
  }

  #take(value: number): Timer | undefined {
    const timer = this.#timers[value];
    this.#timers[value] = undefined;
    this.#free.push(value);
    return timer;
  }
}
