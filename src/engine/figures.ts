// What a host counts about itself, for whoever watches a server: sums, never about a single run.

import type { RunStatus } from "./run.js";

export interface Labels {
  readonly [name: string]: string;
}

/** How often something with these labels happened. */
export interface Count {
  labels: Labels;
  value: number;
}

/** How measured values with these labels are spread. */
export interface Spread {
  labels: Labels;
  /** For each bound how many values were at most that, but above the one before; then the rest. */
  counts: number[];
  sum: number;
}

export interface Spreads {
  readonly bounds: readonly number[];
  all(): readonly Spread[];
}

/** Counted since the host was opened; `runs` and what waits are as they are now. */
export interface Figures {
  runs: { [status in RunStatus]: number };
  /** By `workflow_id` (`other`: no longer served) and `status`. */
  runs_ended: readonly Count[];
  /** By `step_type` and `outcome`. */
  steps_ended: readonly Count[];
  /** s that calls of connectors took, by `step_type` and `outcome`. */
  attempts: Spreads;
  /** By `trigger` and `outcome`: `accepted`, `repeated`, or why it was refused. */
  triggers: readonly Count[];
  /** Records of decisions, and the writes that made them durable. */
  decisions: number;
  batches: number;
  journal_bytes: number;
  /** s that each of those writes took. */
  commits: Spreads;
  documents_waiting: number;
  calls_in_flight: number;
  timers_waiting: number;
}

/** Counts by two labels. What happens a hundred thousand times a second makes no text of them. */
export class Counts {
  readonly #counts = new Map<string, Map<string, Count>>();

  constructor(readonly names: readonly [string, string]) {}

  add(first: string, second: string, by = 1): void {
    const known = this.#counts.get(first)?.get(second);
    if (known) known.value += by;
    else this.#begin(first, second, by);
  }

  remove(first: string): void {
    this.#counts.delete(first);
  }

  all(): readonly Count[] {
    return [...this.#counts.values()].flatMap((counts) => [...counts.values()]);
  }

  #begin(first: string, second: string, value: number): void {
    const counts = this.#counts.get(first) ?? new Map<string, Count>();
    const labels = { [this.names[0]]: first, [this.names[1]]: second };
    this.#counts.set(first, counts.set(second, { labels, value }));
  }
}

export class Histogram implements Spreads {
  readonly #spreads = new Map<string, Spread>();

  constructor(readonly bounds: readonly number[]) {}

  observe(labels: Labels, value: number): void {
    const key = keyOf(labels);
    let spread = this.#spreads.get(key);
    if (!spread) {
      spread = { labels, counts: new Array(this.bounds.length + 1).fill(0), sum: 0 };
      this.#spreads.set(key, spread);
    }
    const found = this.bounds.findIndex((bound) => value <= bound);
    const at = found === -1 ? this.bounds.length : found;
    spread.counts[at] = (spread.counts[at] ?? 0) + 1;
    spread.sum += value;
  }

  all(): readonly Spread[] {
    return [...this.#spreads.values()];
  }
}

/** Of one set of labels, which are always given in the same order. */
function keyOf(labels: Labels): string {
  return Object.values(labels).join("\n");
}
