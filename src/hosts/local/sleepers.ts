// Wakes the runs that sleep, when their time comes or a command does.

import type { Run } from "../../engine/run.js";
import { DueHeap } from "./due-heap.js";
import type { Store } from "./store-types.js";

export class Sleepers {
  readonly #heap: DueHeap;

  /** `wake` takes a run over again; `canRun` says whether there is the version that it needs. */
  constructor(
    readonly store: Store,
    readonly wake: (runId: string) => void,
    readonly canRun: (run: { id: string; version: string }) => boolean,
  ) {
    this.#heap = new DueHeap((slot) => this.wake(store.sleeper(slot).id), Date.now);
  }

  /** How many wait for a time. */
  get size(): number {
    return this.#heap.size;
  }

  /** Those that were found in the store. */
  start(): void {
    const { store, canRun } = this;
    const { slots, untils, versions } = store.sleepers();
    /** Versions that are there, by number. Of one that is not, each run is asked about. */
    const isThere: boolean[] = [];
    let count = 0;
    for (let i = 0; i < slots.length; i += 1) {
      const [slot, until, version] = [slots[i] ?? 0, untils[i] ?? 0, versions[i] ?? 0];
      isThere[version] ||= canRun(store.sleeper(slot));
      if (!isThere[version] || until === 0) continue;
      slots[count] = slot;
      untils[count] = until;
      count += 1;
    }
    this.#heap.addAll(slots.subarray(0, count), untils.subarray(0, count));
  }

  /** The store has put a run to sleep. */
  add({ slot, until }: { slot: number; until: number }): void {
    this.#heap.add(slot, until);
  }

  /** Undefined: no run of this id sleeps, or none that could go on. */
  take(runId: string): Run | undefined {
    const woken = this.store.wake(runId);
    if (!woken) return undefined;
    this.#heap.remove(woken.slot);
    const { id, workflow_version } = woken.run;
    return this.canRun({ id, version: workflow_version }) ? woken.run : undefined;
  }

  stop(): void {
    this.#heap.stop();
  }
}
