// Timers: one heap of what is due when, and one setTimeout for the earliest.

/** ms: the longest sleep, after which the clock is read again, for it may have been set. */
const MAX_SLEEP_MS = 60_000;
/** Calls in one turn of the loop: a million due at once must not keep requests from being read. */
const MAX_CALLS = 1_000;

interface Timer {
  until: number;
  /** Earlier ones first, among those that are due at the same time. */
  seq: number;
  due: (() => void) | null;
  /** Place in the heap; -1: no longer in it. */
  place: number;
}

export class Timers {
  readonly #heap: Timer[] = [];
  readonly #now: () => number;
  #seq = 0;
  #timeout: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  /** When the timeout fires, by the clock; Infinity: it is not set. */
  #wakesAt = Infinity;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  get size(): number {
    return this.#heap.length;
  }

  /**
   * Calls `due` once the clock says `until` (ms) or later, never before this returns. The clock may
   * jump: forward, and what it skipped is called within a minute; back, and nothing is called
   * twice. The answer forgets it.
   */
  wait(until: number, due: () => void): () => void {
    this.#seq += 1;
    const timer: Timer = { until, seq: this.#seq, due, place: this.#heap.length };
    this.#heap.push(timer);
    this.#rise(timer);
    if (timer.place === 0) this.#sleep();
    return () => this.#forget(timer);
  }

  /** Forgets all of them. */
  stop(): void {
    clearTimeout(this.#timeout);
    clearImmediate(this.#immediate);
    for (const timer of this.#heap) {
      timer.due = null;
      timer.place = -1;
    }
    this.#heap.length = 0;
    this.#wakesAt = Infinity;
  }

  /** Calls what is due now: the earliest first. */
  #fire(): void {
    const now = this.#now();
    this.#wakesAt = Infinity;
    for (let calls = 0; calls < MAX_CALLS; calls += 1) {
      const first = this.#heap[0];
      if (!first || first.until > now) break;
      const { due } = first;
      this.#forget(first);
      due?.();
    }
    this.#sleep();
  }

  #sleep(): void {
    const first = this.#heap[0];
    if (!first) {
      clearTimeout(this.#timeout);
      this.#wakesAt = Infinity;
      return;
    }
    const now = this.#now();
    const wakesAt = Math.min(first.until, now + MAX_SLEEP_MS);
    if (wakesAt <= now) {
      clearImmediate(this.#immediate);
      this.#immediate = setImmediate(() => this.#fire());
      return;
    }
    // Awake in time already, unless the clock has been set back since.
    if (this.#wakesAt <= wakesAt && this.#wakesAt > now) return;
    clearTimeout(this.#timeout);
    this.#wakesAt = wakesAt;
    this.#timeout = setTimeout(() => this.#fire(), wakesAt - now);
  }

  #forget(timer: Timer): void {
    const { place } = timer;
    timer.due = null;
    timer.place = -1;
    if (place < 0) return;
    const last = this.#heap.pop();
    if (last && last !== timer) {
      last.place = place;
      this.#heap[place] = last;
      this.#rise(last);
      this.#sink(last);
    }
    if (this.#heap.length === 0) this.#sleep();
  }

  #rise(timer: Timer): void {
    while (timer.place > 0) {
      const parent = this.#heap[(timer.place - 1) >> 1];
      if (!parent || isBefore(parent, timer)) return;
      this.#swap(parent, timer);
    }
  }

  #sink(timer: Timer): void {
    for (;;) {
      const left = this.#heap[2 * timer.place + 1];
      const right = this.#heap[2 * timer.place + 2];
      const child = right && left && isBefore(right, left) ? right : left;
      if (!child || isBefore(timer, child)) return;
      this.#swap(timer, child);
    }
  }

  #swap(a: Timer, b: Timer): void {
    const { place } = a;
    a.place = b.place;
    b.place = place;
    this.#heap[a.place] = a;
    this.#heap[b.place] = b;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.until < b.until || (a.until === b.until && a.seq < b.seq);
}
