// The index of all runs: what a listing shows of each, in columns, since there may be a million.
// A run's slot is its place in the order of creation, which is the order of the journal.

import { type Failure, FINISHED, type Run, type RunStatus } from "../../engine/run.js";
import type { RunQuery, RunSummary } from "../../engine/runner.js";
import { timeOf } from "../../engine/time.js";
import { MAX_LISTED_MESSAGE } from "../../limits.js";
import type { HashTable } from "./hash-table.js";
import { IdTable } from "./id-table.js";
import { Names } from "./names.js";
import { type Details, type Row, RowBlock } from "./row-block.js";
import { Rows, rowOf } from "./rows.js";
import { Shelves } from "./shelf.js";
import { NO_STATUS, STATUSES, StatusSets } from "./status-sets.js";

/** All runs of one moment, to be written while the index goes on. */
export interface Capture {
  workflows: string[];
  versions: string[];
  /** How many runs there were of each workflow, and how many slots all are in. */
  counts: number[];
  slots: number;
  /** False: the slot was empty. */
  has(slot: number): boolean;
  /** The rows of these slots, none of them empty. */
  copy(slots: readonly number[]): { block: RowBlock; details: Details };
  /** To be called when the rows are read, or will not be. */
  release(): void;
}

/** Looked up when it is asked for: of a million runs, few are asked for their ids. */
export class NamedRun {
  constructor(
    readonly index: RunIndex,
    readonly slot: number,
  ) {}

  get id(): string {
    return this.index.id(this.slot);
  }

  get version(): string {
    return this.index.version(this.slot);
  }
}

/** By the number of a status. */
const IS_FINISHED = STATUSES.map((status) => FINISHED.has(status));
const CURSOR = /^[0-9a-z]{1,11}$/;

export function isCursor(text: string): boolean {
  return CURSOR.test(text);
}

export class RunIndex {
  readonly #rows = new Rows();
  readonly #ids = new IdTable(this.#rows);
  readonly #errors = new Map<number, Failure>();
  readonly #keys = new Map<number, string>();
  readonly #byKey = new Map<string, number>();
  readonly #workflows = new Names();
  readonly #versions = new Names();
  /** How many runs there are of each workflow, by its number. */
  readonly #counts: number[] = [];
  /** Made when it is first asked for: a start need not wait for it. */
  #shelves: Shelves | undefined;
  readonly #all = new StatusSets();
  /** Rows that have changed since, by slot, for each capture that is open. */
  readonly #captures = new Set<{ slots: number; held: Map<number, Row> }>();

  /** Adds a run that is new, with the number of the record that created it, or updates it. */
  put(run: Run, order = run.seq): void {
    const status = STATUSES.indexOf(run.status);
    let slot = this.#ids.find(run.id);
    // Of a run at work nothing that is here changes before its status does.
    const isAtWork = slot >= 0 && !FINISHED.has(run.status);
    if (isAtWork && this.#rows.get("status", slot) === status) return;
    if (slot < 0) {
      const workflow = this.#workflows.number(run.workflow_id);
      const version = this.#versions.number(run.workflow_version);
      slot = this.#add(run.id, order, workflow, version);
      this.#rows.set("created", slot, time(run.created_at));
      const key = run.trigger.idempotency_key;
      if (key !== undefined) this.#addKey(slot, key);
    } else {
      this.#hold(slot);
    }
    this.#rows.set("started", slot, this.#startOf(run, slot));
    this.#rows.set("finished", slot, time(run.finished_at));
    if (run.error) this.#errors.set(slot, listed(run.error));
    else this.#errors.delete(slot);
    this.#setStatus(slot, status);
  }

  /** The names that the rows to come give by number, and how many runs each workflow has. */
  expect(workflows: string[], versions: string[], counts: number[]): void {
    for (const [i, name] of workflows.entries()) {
      this.#counts[this.#workflows.number(name)] = counts[i] ?? 0;
    }
    for (const name of versions) this.#versions.number(name);
  }

  /** Runs from a checkpoint, oldest first, in full blocks but for the last. */
  restore(block: RowBlock, { errors, keys }: Details): void {
    const first = this.#rows.adopt(block);
    this.#all.addAll(first, block.status);
    for (const [row, error] of errors) this.#errors.set(first + row, error);
    for (const [row, key] of keys) this.#addKey(first + row, key);
  }

  /** Behind the last block: the table of their ids, which is made if there is none. */
  restoreIds(table?: HashTable): void {
    this.#ids.restore(table);
  }

  /** The run goes; its slot stays empty until the store is opened again. */
  remove(id: string): void {
    const slot = this.#ids.find(id);
    if (slot < 0) return;
    this.#hold(slot);
    this.#ids.remove(slot);
    const workflow = this.#rows.get("workflow", slot);
    this.#counts[workflow] = (this.#counts[workflow] ?? 0) - 1;
    const key = this.#keys.get(slot);
    const byKey = `${workflow} ${key}`;
    if (key !== undefined && this.#byKey.get(byKey) === slot) this.#byKey.delete(byKey);
    this.#keys.delete(slot);
    this.#errors.delete(slot);
    this.#setStatus(slot, NO_STATUS);
  }

  /** Slots that were given out. */
  get length(): number {
    return this.#rows.length;
  }

  /** Where all tables have the run; -1: it is not known. A run keeps its slot. */
  slot(id: string): number {
    return this.#ids.find(id);
  }

  id(slot: number): string {
    return this.#ids.text(slot);
  }

  named(slot: number): NamedRun {
    return new NamedRun(this, slot);
  }

  workflowId(slot: number): string {
    return this.#workflows.name(this.#rows.get("workflow", slot));
  }

  version(slot: number): string {
    return this.#versions.name(this.#rows.get("version", slot));
  }

  /** Their numbers, for many. */
  versionsOf(slots: Uint32Array): Uint32Array {
    const versions = new Uint32Array(slots.length);
    for (let i = 0; i < slots.length; i += 1) {
      const slot = slots[i] ?? 0;
      versions[i] = this.#rows.block(slot).version[rowOf(slot)] ?? 0;
    }
    return versions;
  }

  /** The finished run in a slot; undefined: there is none. */
  finishedAt(slot: number): { id: string; workflow_id: string; finished: number } | undefined {
    if (!IS_FINISHED[this.#rows.get("status", slot)]) return undefined;
    const workflow_id = this.workflowId(slot);
    return { id: this.id(slot), workflow_id, finished: this.#rows.get("finished", slot) };
  }

  /** By workflow id. */
  finishedCounts(): Map<string, number> {
    const counts = this.#counts.map(() => 0);
    for (const { block, count } of this.#rows.blocks()) {
      const { workflow, status } = block;
      for (let row = 0; row < count; row += 1) {
        if (!IS_FINISHED[status[row] ?? NO_STATUS]) continue;
        const number = workflow[row] ?? 0;
        counts[number] = (counts[number] ?? 0) + 1;
      }
    }
    return new Map(counts.map((count, i) => [this.#workflows.name(i), count]));
  }

  /** Of all runs, finished or not. */
  versionsInUse(): Set<string> {
    const used = new Set<number>();
    for (const { block, count } of this.#rows.blocks()) {
      for (let row = 0; row < count; row += 1) {
        if (block.status[row] !== NO_STATUS) used.add(block.version[row] ?? 0);
      }
    }
    return new Set([...used].map((version) => this.#versions.name(version)));
  }

  status(id: string): RunStatus | undefined {
    const slot = this.#ids.find(id);
    return slot < 0 ? undefined : STATUSES[this.#rows.get("status", slot)];
  }

  /** The number of the record that created a run. */
  order(id: string): number | undefined {
    const slot = this.#ids.find(id);
    return slot < 0 ? undefined : this.#rows.get("order", slot);
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
      next_cursor: isMore ? this.#rows.get("order", last).toString(36) : null,
    };
  }

  /** Costs nothing; until the release, rows that change are kept as they were. */
  capture(): Capture {
    const slots = this.#rows.length;
    const held = new Map<number, Row>();
    const open = { slots, held };
    this.#captures.add(open);
    return {
      workflows: this.#workflows.copy(),
      versions: this.#versions.copy(),
      counts: [...this.#counts],
      slots,
      has: (slot) => (held.get(slot)?.status ?? this.#rows.get("status", slot)) !== NO_STATUS,
      copy: (some) => this.#copy(some, held),
      release: () => void this.#captures.delete(open),
    };
  }

  #copy(slots: readonly number[], held: Map<number, Row>): { block: RowBlock; details: Details } {
    const block = RowBlock.ofRows(slots.length);
    const details: Details = { errors: [], keys: [] };
    for (const [row, slot] of slots.entries()) {
      const before = held.get(slot);
      if (before) block.set(row, before);
      else block.copy(row, this.#rows.block(slot), rowOf(slot));
      const { error, key } = before ?? this.#details(slot);
      if (error) details.errors.push([row, error]);
      if (key !== null) details.keys.push([row, key]);
    }
    return { block, details };
  }

  /** Most runs start when they are created; to read a time takes longer than to see that. */
  #startOf({ created_at, started_at }: Run, slot: number): number {
    return started_at === created_at ? this.#rows.get("created", slot) : time(started_at);
  }

  #details(slot: number): Pick<Row, "error" | "key"> {
    return { error: this.#errors.get(slot) ?? null, key: this.#keys.get(slot) ?? null };
  }

  #add(id: string, order: number, workflow: number, version: number): number {
    const slot = this.#rows.add();
    this.#ids.add(slot, id);
    this.#rows.set("order", slot, order);
    this.#rows.set("workflow", slot, workflow);
    this.#rows.set("version", slot, version);
    this.#rows.set("status", slot, NO_STATUS);
    this.#counts[workflow] = (this.#counts[workflow] ?? 0) + 1;
    this.#shelves?.of(workflow).add(slot);
    return slot;
  }

  #addKey(slot: number, key: string): void {
    this.#keys.set(slot, key);
    this.#byKey.set(`${this.#rows.get("workflow", slot)} ${key}`, slot);
  }

  #setStatus(slot: number, status: number): void {
    const before = this.#rows.get("status", slot);
    this.#rows.set("status", slot, status);
    this.#all.move(slot, before, status);
    const shelf = this.#shelves?.of(this.#rows.get("workflow", slot));
    shelf?.statuses.move(shelf.placeOf(slot), before, status);
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
        this.#bound(before, this.#rows.length, (i) => i),
        status,
      );
      for (; slot >= 0 && found.length < limit; slot = this.#all.before(slot, status)) {
        found.push(slot);
      }
      return found;
    }
    const workflow = this.#workflows.find(workflowId);
    if (workflow === undefined) return found;
    this.#shelves ??= new Shelves(this.#rows, this.#counts);
    const shelf = this.#shelves.of(workflow);
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
      if (this.#rows.get("order", slotAt(middle)) < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #summary(slot: number): RunSummary {
    return {
      id: this.#ids.text(slot),
      workflow_id: this.workflowId(slot),
      workflow_version: this.version(slot),
      status: STATUSES[this.#rows.get("status", slot)] ?? "pending",
      created_at: new Date(this.#rows.get("created", slot)).toISOString(),
      started_at: iso(this.#rows.get("started", slot)),
      finished_at: iso(this.#rows.get("finished", slot)),
      error: this.#errors.get(slot) ?? null,
    };
  }

  #row(slot: number): Row {
    return {
      id: this.#ids.text(slot),
      order: this.#rows.get("order", slot),
      workflow: this.#rows.get("workflow", slot),
      version: this.#rows.get("version", slot),
      status: this.#rows.get("status", slot),
      created: this.#rows.get("created", slot),
      started: this.#rows.get("started", slot),
      finished: this.#rows.get("finished", slot),
      ...this.#details(slot),
    };
  }
}

function time(iso: string | null): number {
  return iso === null ? Number.NaN : timeOf(iso);
}

function iso(ms: number): string | null {
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

function listed(error: Failure): Failure {
  if (error.message.length <= MAX_LISTED_MESSAGE) return error;
  return { ...error, message: `${error.message.slice(0, MAX_LISTED_MESSAGE)}…` };
}
