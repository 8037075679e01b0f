// The index of all runs: what a listing shows of each, in columns, since there may be a million.
// A run's slot is its place in the order of creation, which is the order of the journal.

import type { Failure, Run, RunStatus } from "../../engine/run.js";
import { FINISHED } from "../../engine/run.js";
import type { RunQuery, RunSummary } from "../../engine/runner.js";
import { MAX_LISTED_MESSAGE } from "../../limits.js";
import { type BitSet, NO_STATUS, STATUSES, StatusSets } from "./status-sets.js";

/** A finished run in a checkpoint: id, order, workflow, version, status, created, started, … */
export type FinishedRow = [
  id: string,
  order: number,
  workflow: number,
  version: number,
  status: number,
  created: number,
  started: number | null,
  finished: number,
  error: Failure | null,
  key: string | null,
];

/** The finished runs of one moment, to be written while the index goes on. */
export interface Capture {
  workflows: string[];
  versions: string[];
  count: number;
  rows(): Generator<FinishedRow>;
  /** To be called when the rows are read, or will not be. */
  release(): void;
}

/** The runs of one workflow: their slots, oldest first, and by place in that list the statuses. */
interface Shelf {
  slots: number[];
  statuses: StatusSets;
}

const CURSOR = /^[0-9a-z]{1,11}$/;
const FINISHED_STATUSES = STATUSES.flatMap((status, i) => (FINISHED.has(status) ? [i] : []));

export function isCursor(text: string): boolean {
  return CURSOR.test(text);
}

export class RunIndex {
  readonly #slots = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #order = new Column(Float64Array);
  readonly #created = new Column(Float64Array);
  /** NaN: null. */
  readonly #started = new Column(Float64Array);
  readonly #finished = new Column(Float64Array);
  readonly #workflow = new Column(Uint32Array);
  readonly #version = new Column(Uint32Array);
  readonly #status = new Column(Uint8Array);
  /** Place in the workflow's shelf. */
  readonly #place = new Column(Uint32Array);
  readonly #errors = new Map<number, Failure>();
  readonly #keys = new Map<number, string>();
  readonly #byKey = new Map<string, number>();
  readonly #workflows = new Names();
  readonly #versions = new Names();
  readonly #shelves: Shelf[] = [];
  readonly #all = new StatusSets();
  /** Rows of finished runs that have changed since, by slot, for each capture that is open. */
  readonly #captures = new Set<Map<number, FinishedRow>>();

  /** Adds a run that is new, with the number of the record that created it, or updates it. */
  put(run: Run, order = run.seq): void {
    const known = this.#slots.get(run.id);
    const slot = known ?? this.#add(run.id, order, run.workflow_id, run.workflow_version);
    if (known === undefined) {
      this.#created.set(slot, Date.parse(run.created_at));
      const key = run.trigger.idempotency_key;
      if (key !== undefined) this.#addKey(slot, key);
    } else {
      this.#hold(slot);
    }
    this.#started.set(slot, time(run.started_at));
    this.#finished.set(slot, time(run.finished_at));
    if (run.error) this.#errors.set(slot, listed(run.error));
    else this.#errors.delete(slot);
    this.#setStatus(slot, STATUSES.indexOf(run.status));
  }

  /** A finished run from a checkpoint, whose names have been given. Rows come oldest first. */
  restore(row: FinishedRow, workflows: string[], versions: string[]): void {
    const [id, order, workflow, version, status, created, started, finished, error, key] = row;
    const slot = this.#add(id, order, workflows[workflow] ?? "", versions[version] ?? "");
    this.#created.set(slot, created);
    this.#started.set(slot, started ?? Number.NaN);
    this.#finished.set(slot, finished);
    if (error) this.#errors.set(slot, error);
    if (key !== null) this.#addKey(slot, key);
    this.#setStatus(slot, status);
  }

  status(id: string): RunStatus | undefined {
    const slot = this.#slots.get(id);
    return slot === undefined ? undefined : STATUSES[this.#status.get(slot)];
  }

  /** The number of the record that created a run. */
  order(id: string): number | undefined {
    const slot = this.#slots.get(id);
    return slot === undefined ? undefined : this.#order.get(slot);
  }

  counts(): { [status in RunStatus]: number } {
    const counts = STATUSES.map((status, i) => [status, this.#all.count(i)]);
    return Object.fromEntries(counts) as { [status in RunStatus]: number };
  }

  findByKey(workflowId: string, key: string): string | undefined {
    const workflow = this.#workflows.find(workflowId);
    const slot = workflow === undefined ? undefined : this.#byKey.get(`${workflow} ${key}`);
    return slot === undefined ? undefined : this.#ids[slot];
  }

  list(query: RunQuery): { runs: RunSummary[]; next_cursor: string | null } {
    if (query.cursor !== undefined && !isCursor(query.cursor)) {
      throw new RangeError(`"${query.cursor}" is no cursor of a page before`);
    }
    const before = query.cursor === undefined ? Infinity : Number.parseInt(query.cursor, 36);
    const status = query.status === undefined ? undefined : STATUSES.indexOf(query.status);
    const found = this.#newest(query.workflow_id, status, before, query.limit + 1);
    const slots = found.slice(0, query.limit);
    const last = slots.at(-1);
    const isMore = found.length > query.limit && last !== undefined;
    return {
      runs: slots.map((slot) => this.#summary(slot)),
      next_cursor: isMore ? this.#order.get(last).toString(36) : null,
    };
  }

  /** Costs a copy of three sets of bits; afterwards changed rows are kept until the release. */
  capture(): Capture {
    const held = new Map<number, FinishedRow>();
    this.#captures.add(held);
    const sets = FINISHED_STATUSES.map((status) => this.#all.copy(status));
    const last = this.#ids.length;
    return {
      workflows: this.#workflows.copy(),
      versions: this.#versions.copy(),
      count: sets.reduce((sum, set) => sum + set.count, 0),
      rows: () => this.#rows(sets, last, held),
      release: () => void this.#captures.delete(held),
    };
  }

  #add(id: string, order: number, workflowId: string, version: string): number {
    const slot = this.#ids.length;
    const workflow = this.#workflows.number(workflowId);
    this.#slots.set(id, slot);
    this.#ids.push(id);
    this.#order.set(slot, order);
    this.#workflow.set(slot, workflow);
    this.#version.set(slot, this.#versions.number(version));
    this.#status.set(slot, NO_STATUS);
    const shelf = this.#shelves[workflow] ?? { slots: [], statuses: new StatusSets() };
    this.#shelves[workflow] = shelf;
    this.#place.set(slot, shelf.slots.length);
    shelf.slots.push(slot);
    return slot;
  }

  #addKey(slot: number, key: string): void {
    this.#keys.set(slot, key);
    this.#byKey.set(`${this.#workflow.get(slot)} ${key}`, slot);
  }

  #setStatus(slot: number, status: number): void {
    const before = this.#status.get(slot);
    this.#status.set(slot, status);
    this.#all.move(slot, before, status);
    const shelf = this.#shelves[this.#workflow.get(slot)];
    shelf?.statuses.move(this.#place.get(slot), before, status);
  }

  /** A finished run is about to change: captures go on seeing it as it was. */
  #hold(slot: number): void {
    if (this.#captures.size === 0 || !FINISHED_STATUSES.includes(this.#status.get(slot))) return;
    for (const held of this.#captures) if (!held.has(slot)) held.set(slot, this.#row(slot));
  }

  #newest(
    workflowId: string | undefined,
    status: number | undefined,
    before: number,
    limit: number,
  ): number[] {
    const found: number[] = [];
    if (workflowId === undefined) {
      let slot = this.#all.before(
        this.#bound(before, this.#ids.length, (i) => i),
        status,
      );
      for (; slot >= 0 && found.length < limit; slot = this.#all.before(slot, status)) {
        found.push(slot);
      }
      return found;
    }
    const workflow = this.#workflows.find(workflowId);
    const shelf = workflow === undefined ? undefined : this.#shelves[workflow];
    if (!shelf) return found;
    const slotAt = (place: number): number => shelf.slots[place] ?? 0;
    let place = shelf.statuses.before(this.#bound(before, shelf.slots.length, slotAt), status);
    for (; place >= 0 && found.length < limit; place = shelf.statuses.before(place, status)) {
      found.push(slotAt(place));
    }
    return found;
  }

  /** How many of the first `length` slots were created before the record `order`. */
  #bound(order: number, length: number, slotAt: (i: number) => number): number {
    let low = 0;
    let high = length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order.get(slotAt(middle)) < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #summary(slot: number): RunSummary {
    return {
      id: this.#ids[slot] ?? "",
      workflow_id: this.#workflows.name(this.#workflow.get(slot)),
      workflow_version: this.#versions.name(this.#version.get(slot)),
      status: STATUSES[this.#status.get(slot)] ?? "pending",
      created_at: new Date(this.#created.get(slot)).toISOString(),
      started_at: iso(this.#started.get(slot)),
      finished_at: iso(this.#finished.get(slot)),
      error: this.#errors.get(slot) ?? null,
    };
  }

  *#rows(sets: BitSet[], last: number, held: Map<number, FinishedRow>): Generator<FinishedRow> {
    for (let slot = 0; slot < last; slot += 1) {
      if (sets.some((set) => set.has(slot))) yield held.get(slot) ?? this.#row(slot);
    }
  }

  #row(slot: number): FinishedRow {
    const started = this.#started.get(slot);
    return [
      this.#ids[slot] ?? "",
      this.#order.get(slot),
      this.#workflow.get(slot),
      this.#version.get(slot),
      this.#status.get(slot),
      this.#created.get(slot),
      Number.isNaN(started) ? null : started,
      this.#finished.get(slot),
      this.#errors.get(slot) ?? null,
      this.#keys.get(slot) ?? null,
    ];
  }
}

function time(iso: string | null): number {
  return iso === null ? Number.NaN : Date.parse(iso);
}

function iso(ms: number): string | null {
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

function listed(error: Failure): Failure {
  if (error.message.length <= MAX_LISTED_MESSAGE) return error;
  return { ...error, message: `${error.message.slice(0, MAX_LISTED_MESSAGE)}…` };
}

type Numbers = Float64Array | Uint32Array | Uint8Array;

/** Numbers by slot, in one typed array that doubles. */
class Column {
  #numbers: Numbers;

  constructor(readonly kind: new (length: number) => Numbers) {
    this.#numbers = new kind(64);
  }

  get(slot: number): number {
    return this.#numbers[slot] ?? 0;
  }

  set(slot: number, value: number): void {
    if (slot >= this.#numbers.length) {
      const larger = new this.kind(Math.max(slot + 1, this.#numbers.length * 2));
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[slot] = value;
  }
}

/** Texts that many runs share, each with a number. */
class Names {
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();

  find(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  name(number: number): string {
    return this.#names[number] ?? "";
  }

  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  copy(): string[] {
    return [...this.#names];
  }
}
