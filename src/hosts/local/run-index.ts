// The index of all runs: what a listing shows of each, in columns, since there may be a million.
// A run's slot is its place in the order of creation, which is the order of the journal.

import type { Failure, Run, RunStatus } from "../../engine/run.js";
import { FINISHED } from "../../engine/run.js";
import type { RunQuery, RunSummary } from "../../engine/runner.js";
import { MAX_LISTED_MESSAGE } from "../../limits.js";
import { Column } from "./column.js";
import { IdTable } from "./id-table.js";
import { NO_STATUS, STATUSES, StatusSets } from "./status-sets.js";

/** What the index has of a run, but for its id: in a checkpoint, the beginning of a line. */
export interface Row {
  order: number;
  /** By number, as in the lists of names. */
  workflow: number;
  version: number;
  status: number;
  /** ms since 1970; NaN: null. */
  created: number;
  started: number;
  finished: number;
  error: Failure | null;
  key: string | null;
}

/** All runs of one moment, to be written while the index goes on. */
export interface Capture {
  workflows: string[];
  versions: string[];
  /** How many runs there were, and how many slots they are in. */
  count: number;
  slots: number;
  /** Undefined: the slot was empty. */
  row(slot: number): (Row & { id: string }) | undefined;
  /** To be called when the rows are read, or will not be. */
  release(): void;
}

/** The runs of one workflow: their slots, oldest first, and by place in that list the statuses. */
class Shelf {
  readonly slots = new Column(Uint32Array);
  readonly statuses = new StatusSets();
  length = 0;

  add(slot: number): number {
    this.slots.set(this.length, slot);
    this.length += 1;
    return this.length - 1;
  }
}

const FINISHED_STATUSES = STATUSES.flatMap((status, i) => (FINISHED.has(status) ? [i] : []));
const CURSOR = /^[0-9a-z]{1,11}$/;

export function isCursor(text: string): boolean {
  return CURSOR.test(text);
}

export class RunIndex {
  readonly #ids = new IdTable();
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
  readonly #columns = [
    ...[this.#order, this.#created, this.#started, this.#finished],
    ...[this.#workflow, this.#version, this.#place, this.#status],
  ];
  readonly #errors = new Map<number, Failure>();
  readonly #keys = new Map<number, string>();
  readonly #byKey = new Map<string, number>();
  readonly #workflows = new Names();
  readonly #versions = new Names();
  readonly #shelves: Shelf[] = [];
  readonly #all = new StatusSets();
  /** Rows that have changed since, by slot, for each capture that is open. */
  readonly #captures = new Set<{ slots: number; held: Map<number, Row & { id: string }> }>();

  /** Adds a run that is new, with the number of the record that created it, or updates it. */
  put(run: Run, order = run.seq): void {
    let slot = this.#ids.find(run.id);
    if (slot < 0) {
      const workflow = this.#workflows.number(run.workflow_id);
      const version = this.#versions.number(run.workflow_version);
      slot = this.#add(this.#ids.add(run.id), order, workflow, version);
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

  /** The names that the rows to come give by number, and how many rows there will be. */
  expect(workflows: string[], versions: string[], count: number): void {
    for (const name of workflows) this.#workflows.number(name);
    for (const name of versions) this.#versions.number(name);
    this.#ids.reserve(count);
    for (const column of this.#columns) column.reserve(count);
  }

  /** A run from a checkpoint, whose id stands in `bytes`. Rows come oldest first. */
  restore(bytes: Uint8Array, idFrom: number, row: Row): number {
    const { order, workflow, version, status, created, started, finished, error, key } = row;
    const slot = this.#add(this.#ids.addFrom(bytes, idFrom), order, workflow, version);
    this.#created.set(slot, created);
    this.#started.set(slot, started);
    this.#finished.set(slot, finished);
    if (error) this.#errors.set(slot, error);
    if (key !== null) this.#addKey(slot, key);
    this.#setStatus(slot, status);
    return slot;
  }

  /** The run goes; its slot stays empty until the store is opened again. */
  remove(id: string): void {
    const slot = this.#ids.find(id);
    if (slot < 0) return;
    this.#hold(slot);
    this.#ids.remove(slot);
    const key = this.#keys.get(slot);
    const byKey = `${this.#workflow.get(slot)} ${key}`;
    if (key !== undefined && this.#byKey.get(byKey) === slot) this.#byKey.delete(byKey);
    this.#keys.delete(slot);
    this.#errors.delete(slot);
    this.#setStatus(slot, NO_STATUS);
  }

  /** Slots that were given out. */
  get length(): number {
    return this.#ids.length;
  }

  /** Where all tables have the run; -1: it is not known. A run keeps its slot. */
  slot(id: string): number {
    return this.#ids.find(id);
  }

  id(slot: number): string {
    return this.#ids.text(slot);
  }

  workflowId(slot: number): string {
    return this.#workflows.name(this.#workflow.get(slot));
  }

  version(slot: number): string {
    return this.#versions.name(this.#version.get(slot));
  }

  /** The finished run in a slot; undefined: there is none. */
  finishedAt(slot: number): { id: string; workflow_id: string; finished: number } | undefined {
    if (!FINISHED_STATUSES.includes(this.#status.get(slot))) return undefined;
    const workflow_id = this.workflowId(slot);
    return { id: this.id(slot), workflow_id, finished: this.#finished.get(slot) };
  }

  /** By workflow id. */
  finishedCounts(): Map<string, number> {
    const countOf = ({ statuses }: Shelf): number =>
      FINISHED_STATUSES.reduce((sum, status) => sum + statuses.count(status), 0);
    return new Map(this.#shelves.map((shelf, i) => [this.#workflows.name(i), countOf(shelf)]));
  }

  /** Of all runs, finished or not. */
  versionsInUse(): Set<string> {
    const used = new Set<number>();
    for (let slot = 0; slot < this.#ids.length; slot += 1) {
      if (this.#status.get(slot) !== NO_STATUS) used.add(this.#version.get(slot));
    }
    return new Set([...used].map((version) => this.#versions.name(version)));
  }

  status(id: string): RunStatus | undefined {
    const slot = this.#ids.find(id);
    return slot < 0 ? undefined : STATUSES[this.#status.get(slot)];
  }

  /** The number of the record that created a run. */
  order(id: string): number | undefined {
    const slot = this.#ids.find(id);
    return slot < 0 ? undefined : this.#order.get(slot);
  }

  counts(): { [status in RunStatus]: number } {
    const counts = STATUSES.map((status, i) => [status, this.#all.count(i)]);
    return Object.fromEntries(counts) as { [status in RunStatus]: number };
  }

  findByKey(workflowId: string, key: string): string | undefined {
    const workflow = this.#workflows.find(workflowId);
    const slot = workflow === undefined ? undefined : this.#byKey.get(`${workflow} ${key}`);
    return slot === undefined ? undefined : this.#ids.text(slot);
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

  /** Costs nothing; until the release, rows that change are kept as they were. */
  capture(): Capture {
    const slots = this.#ids.length;
    const held = new Map<number, Row & { id: string }>();
    const open = { slots, held };
    this.#captures.add(open);
    return {
      workflows: this.#workflows.copy(),
      versions: this.#versions.copy(),
      count: STATUSES.reduce((sum, _, status) => sum + this.#all.count(status), 0),
      slots,
      row: (slot) => {
        const row = held.get(slot) ?? this.#row(slot);
        return row.status === NO_STATUS ? undefined : row;
      },
      release: () => void this.#captures.delete(open),
    };
  }

  #add(slot: number, order: number, workflow: number, version: number): number {
    this.#order.set(slot, order);
    this.#workflow.set(slot, workflow);
    this.#version.set(slot, version);
    this.#status.set(slot, NO_STATUS);
    const shelf = this.#shelves[workflow] ?? new Shelf();
    this.#shelves[workflow] = shelf;
    this.#place.set(slot, shelf.add(slot));
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

  /** A run is about to change: captures go on seeing it as it was. */
  #hold(slot: number): void {
    for (const { slots, held } of this.#captures) {
      if (slot < slots && !held.has(slot)) held.set(slot, this.#row(slot));
    }
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
    const slotAt = (place: number): number => shelf.slots.get(place);
    let place = shelf.statuses.before(this.#bound(before, shelf.length, slotAt), status);
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
      id: this.#ids.text(slot),
      workflow_id: this.workflowId(slot),
      workflow_version: this.version(slot),
      status: STATUSES[this.#status.get(slot)] ?? "pending",
      created_at: new Date(this.#created.get(slot)).toISOString(),
      started_at: iso(this.#started.get(slot)),
      finished_at: iso(this.#finished.get(slot)),
      error: this.#errors.get(slot) ?? null,
    };
  }

  #row(slot: number): Row & { id: string } {
    return {
      id: this.#ids.text(slot),
      order: this.#order.get(slot),
      workflow: this.#workflow.get(slot),
      version: this.#version.get(slot),
      status: this.#status.get(slot),
      created: this.#created.get(slot),
      started: this.#started.get(slot),
      finished: this.#finished.get(slot),
      error: this.#errors.get(slot) ?? null,
      key: this.#keys.get(slot) ?? null,
    };
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
