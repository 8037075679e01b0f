// The unfinished runs: those that are at work as objects, and those that sleep as packed texts, so
// that a million of them fit into memory. A run wakes when it is put here anew.

import type { Run } from "../../engine/run.js";
import { Column } from "./column.js";
import { packed, unpacked } from "./packed-run.js";
import type { RunIndex } from "./run-index.js";
import { recordOf, Slab } from "./slab.js";
import { BitSet } from "./status-sets.js";

/** Runs that sleep, one after the other: slots in the index, and when each is to be woken. */
export interface Asleep {
  slots: Uint32Array;
  /** ms since 1970; 0: by a command alone. */
  untils: Float64Array;
  /** By number: many have the same. */
  versions: Uint32Array;
}

/** A run as it stands in a checkpoint: its text, and when it wakes, as a number. */
export interface LiveRecord {
  record: Uint8Array;
  until: number;
}

/** The live runs of one moment, to be written while they go on. */
export interface LiveCapture {
  count: number;
  /** Undefined: it was not live. */
  at(slot: number): LiveRecord | undefined;
  release(): void;
}

/** In place of a time: of one that only a command wakes, and of a run that does not sleep. */
const NO_TIME = 0;
const AWAKE = -1;

export class LiveRuns {
  readonly #awake = new Map<string, Run>();
  readonly #asleep = new BitSet();
  readonly #places = new Column(Float64Array);
  readonly #untils = new Column(Float64Array);
  readonly #slab = new Slab((slot, place) => this.#places.set(slot, place));
  /** Texts of those that have been woken since, for each capture that is open. */
  readonly #captures = new Set<Map<number, LiveRecord>>();

  constructor(readonly index: RunIndex) {}

  get size(): number {
    return this.#awake.size + this.#asleep.count;
  }

  awake(): IterableIterator<Run> {
    return this.#awake.values();
  }

  /** Oldest first. */
  sleepers(): Asleep {
    const slots = this.#asleep.members();
    return { slots, untils: this.#untils.getEach(slots), versions: this.index.versionsOf(slots) };
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
    this.#places.set(slot, this.#slab.add(slot, packed(json.slice(head.length))));
    this.#untils.set(slot, until ?? NO_TIME);
    this.#asleep.add(slot);
    return slot;
  }

  /** There will be so many slots, of which some sleep. */
  expect(slots: number): void {
    for (const column of [this.#places, this.#untils]) column.reserve(slots);
  }

  /** A piece of the slab with runs from a checkpoint. Answers the slots of those at work. */
  restore(piece: Buffer, untils: Float64Array): number[] {
    const { keys: slots, places } = this.#slab.adopt(piece, untils.length);
    this.#places.setEach(slots, places);
    this.#untils.setEach(slots, untils);
    this.#asleep.addEach(slots);
    const awake: number[] = [];
    for (let i = untils.indexOf(AWAKE); i >= 0; i = untils.indexOf(AWAKE, i + 1)) {
      awake.push(slots[i] ?? 0);
    }
    return awake;
  }

  /** Costs a copy of one bit a run, and of a list of those at work. */
  capture(): LiveCapture {
    const awake = new Map([...this.#awake.values()].map((run) => [this.index.slot(run.id), run]));
    const asleep = this.#asleep.copy();
    const held = new Map<number, LiveRecord>();
    this.#captures.add(held);
    return {
      count: awake.size + asleep.count,
      at: (slot) => {
        const run = awake.get(slot);
        // Not packed, since it is woken at once.
        if (run) return { record: recordOf(this.#rest(run, slot)), until: AWAKE };
        return asleep.has(slot) ? (held.get(slot) ?? this.#record(slot)) : undefined;
      },
      release: () => void this.#captures.delete(held),
    };
  }

  #leaveSleep(slot: number): void {
    for (const held of this.#captures) {
      if (!held.has(slot)) held.set(slot, this.#record(slot));
    }
    this.#slab.remove(this.#places.get(slot));
    this.#asleep.remove(slot);
  }

  #record(slot: number): LiveRecord {
    return { record: this.#slab.record(this.#places.get(slot)), until: this.#untils.get(slot) };
  }

  #rest(run: Run, slot: number): string {
    return JSON.stringify(run).slice(this.#head(slot).length);
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
