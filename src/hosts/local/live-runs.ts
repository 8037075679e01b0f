// The unfinished runs: those that are at work as objects, and those that sleep as packed texts, so
// that a million of them fit into memory. A run wakes when it is put here anew.

import type { Run } from "../../engine/run.js";
import { Column } from "./column.js";
import { packed, unpacked } from "./packed-run.js";
import type { RunIndex } from "./run-index.js";
import { Slab } from "./slab.js";
import { BitSet } from "./status-sets.js";

/** A run that sleeps: its slot in the index, and when it is to be woken. */
export interface Sleeper {
  slot: number;
  /** ms since 1970; null: by a command alone. */
  until: number | null;
}

/** The live runs of one moment, to be written while they go on. */
export interface LiveCapture {
  /** The rest of the run's JSON, and when it wakes; undefined: it was not live. */
  at(slot: number): { rest: string; sleeper: Sleeper | undefined } | undefined;
  release(): void;
}

/** In place of a time, in the column of those that sleep. */
const NO_TIME = 0;

export class LiveRuns {
  readonly #awake = new Map<string, Run>();
  readonly #asleep = new BitSet();
  readonly #places = new Column(Float64Array);
  readonly #untils = new Column(Float64Array);
  readonly #slab = new Slab((slot, place) => this.#places.set(slot, place));
  /** Texts of those that have been woken since, for each capture that is open. */
  readonly #captures = new Set<Map<number, string>>();

  constructor(readonly index: RunIndex) {}

  get size(): number {
    return this.#awake.size + this.#asleep.count;
  }

  awake(): IterableIterator<Run> {
    return this.#awake.values();
  }

  *sleepers(): Generator<Sleeper> {
    const { length } = this.index;
    for (let slot = this.#asleep.before(length); slot >= 0; slot = this.#asleep.before(slot)) {
      yield this.#sleeper(slot);
    }
  }

  isAsleep(id: string): boolean {
    return this.#asleep.count > 0 && this.#asleep.has(this.index.slot(id));
  }

  has(id: string): boolean {
    return this.#awake.has(id) || this.isAsleep(id);
  }

  /** Reading a run that sleeps does not wake it. */
  get(id: string): Run | undefined {
    const run = this.#awake.get(id);
    if (run || !this.isAsleep(id)) return run;
    return JSON.parse(this.#json(this.index.slot(id))) as Run;
  }

  /** The JSON of a run that sleeps. */
  json(id: string): string | undefined {
    return this.isAsleep(id) ? this.#json(this.index.slot(id)) : undefined;
  }

  put(run: Run): void {
    if (this.isAsleep(run.id)) this.#leaveSleep(this.index.slot(run.id));
    this.#awake.set(run.id, run);
  }

  delete(id: string): void {
    if (!this.#awake.delete(id) && this.isAsleep(id)) this.#leaveSleep(this.index.slot(id));
  }

  /** Takes the run out of its sleep. */
  wake(id: string): Run | undefined {
    const run = this.get(id);
    if (run) this.put(run);
    return run;
  }

  /** `json` is the run's. Answers its slot. */
  sleep(id: string, json: string, until: number | null): number {
    const slot = this.index.slot(id);
    const head = this.#head(slot);
    if (!json.startsWith(head)) throw new Error(`run ${id} does not begin with ${head}`);
    this.#awake.delete(id);
    this.restore({ slot, until }, json.slice(head.length));
    return slot;
  }

  /** A run from a checkpoint: `rest` is what follows the run's id and version in its JSON. */
  restore({ slot, until }: Sleeper, rest: string): void {
    this.#places.set(slot, this.#slab.add(slot, packed(rest)));
    this.#untils.set(slot, until ?? NO_TIME);
    this.#asleep.add(slot);
  }

  /** Costs a copy of one bit a run, and of a list of those at work. */
  capture(): LiveCapture {
    const awake = new Map([...this.#awake.values()].map((run) => [this.index.slot(run.id), run]));
    const asleep = this.#asleep.copy();
    const held = new Map<number, string>();
    this.#captures.add(held);
    const rest = (run: Run, slot: number): string =>
      JSON.stringify(run).slice(this.#head(slot).length);
    return {
      at: (slot) => {
        const run = awake.get(slot);
        if (run) return { rest: rest(run, slot), sleeper: undefined };
        if (!asleep.has(slot)) return undefined;
        const text = held.get(slot) ?? this.#slab.text(this.#places.get(slot));
        return { rest: unpacked(text), sleeper: this.#sleeper(slot) };
      },
      release: () => void this.#captures.delete(held),
    };
  }

  /** Its time stays readable, for captures that are open. */
  #leaveSleep(slot: number): void {
    const place = this.#places.get(slot);
    for (const held of this.#captures) {
      if (!held.has(slot)) held.set(slot, this.#slab.text(place));
    }
    this.#slab.remove(place);
    this.#asleep.remove(slot);
  }

  #sleeper(slot: number): Sleeper {
    const until = this.#untils.get(slot);
    return { slot, until: until === NO_TIME ? null : until };
  }

  #json(slot: number): string {
    return this.#head(slot) + unpacked(this.#slab.text(this.#places.get(slot)));
  }

  /** What the index knows of a run stands first in its JSON. */
  #head(slot: number): string {
    const { index } = this;
    const [workflow, version] = [index.workflowId(slot), index.version(slot)];
    return `{"id":"${index.id(slot)}","workflow_id":"${workflow}","workflow_version":"${version}",`;
  }
}
