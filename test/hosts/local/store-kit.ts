// What the store's tests share: folders, runs with little in them, and disks that go wrong.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { Decision, Event } from "../../../src/engine/event.js";
import { fold } from "../../../src/engine/evolve.js";
import type { Run, TriggerInfo } from "../../../src/engine/run.js";
import { type Disk, nodeDisk } from "../../../src/hosts/local/disk.js";
import { openStore, type Store, type StoreOptions } from "../../../src/hosts/local/store.js";
import { StoreError } from "../../../src/hosts/local/store-error.js";

const AT = "2026-01-02T03:04:05.000Z";
export const VERSION = "ab".repeat(32);

const folders: string[] = [];
const stores: Store[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "store-"));
  folders.push(folder);
  return folder;
}

/** What another process would find, had this one been killed now. */
export function copyAsKilled(folder: string): string {
  const copy = join(makeFolder(), "store");
  cpSync(folder, copy, { recursive: true });
  return copy;
}

export function runId(n: number): string {
  return `run_${String(n).padStart(26, "0")}`;
}

export interface Started {
  workflow_id?: string;
  key?: string;
  context?: Run["context"];
  /** The run that started it. */
  parent?: number;
}

export function created(n: number, started: Started = {}): Decision {
  const { workflow_id = "demo", key, context = {}, parent } = started;
  const own = key === undefined ? {} : { idempotency_key: key };
  const trigger: TriggerInfo =
    parent === undefined ? { type: "manual", ...own } : { type: "workflow", run_id: runId(parent) };
  const events: Event[] = [
    {
      type: "run_created",
      at: AT,
      run_id: runId(n),
      workflow_id,
      workflow_version: VERSION,
      context,
      trigger,
    },
    { type: "run_started", at: AT },
  ];
  return { run_id: runId(n), events };
}

export function stepStarted(n: number, step = "a"): Decision {
  const events: Event[] = [{ type: "step_started", at: AT, key: `${step}#0`, attempt: 1 }];
  return { run_id: runId(n), events };
}

export function completed(n: number): Decision {
  return { run_id: runId(n), events: [{ type: "run_completed", at: AT, output: null }] };
}

export function failed(n: number, message = "no answer"): Decision {
  const error = { kind: "network", message };
  return { run_id: runId(n), events: [{ type: "run_failed", at: AT, error }] };
}

export function retried(n: number): Decision {
  const events: Event[] = [
    { type: "run_retried", at: AT },
    { type: "run_started", at: AT },
  ];
  return { run_id: runId(n), events };
}

/** A store with the part of the loop that it needs: each decision is folded and published. */
export interface Driven {
  store: Store;
  folder: string;
  /** Resolves with the run once the decision is durable. */
  decide(decision: Decision): Promise<Run>;
  troubles: string[];
  failures: Error[];
}

export async function drive(
  folder = join(makeFolder(), "store"),
  options: Partial<StoreOptions> = {},
): Promise<Driven> {
  const troubles: string[] = [];
  const failures: Error[] = [];
  const store = await openStore(folder, {
    onFailure: (error) => failures.push(error),
    onTrouble: (message) => troubles.push(message),
    ...options,
  });
  stores.push(store);
  const runs = new Map(store.recovered.map((run) => [run.id, run]));
  const decide = (decision: Decision): Promise<Run> =>
    new Promise((resolve) => {
      store.append(decision, (seq) => {
        const run = fold(runs.get(decision.run_id) ?? null, decision, seq);
        runs.set(run.id, run);
        store.published(run);
        resolve(run);
      });
    });
  return { store, folder, decide, troubles, failures };
}

/** The journal's files, without their filler. */
export function journalFiles(folder: string): { [name: string]: string } {
  const journal = join(folder, "journal");
  const names = readdirSync(journal).sort();
  const read = (name: string): string => readFileSync(join(journal, name), "utf8").trimEnd();
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

/** The real disk without its slow syncs: for tests that open a store a thousand times. */
export const quickDisk: Disk = {
  ...nodeDisk,
  sync() {},
  syncFolder() {},
  syncTree: () => true,
  syncLater: (_fd, done) => setImmediate(done, null),
  syncFolderLater: (_path, done) => setImmediate(done, null),
};

/** The error that a store is refused with. */
export async function opening(folder: string): Promise<StoreError> {
  try {
    const store = await openStore(folder, { onFailure() {} });
    await store.close();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error("the store was opened");
}

/** As the system reports it. */
export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

/** A disk that has no room for checkpoints, so that the journal keeps all its segments. */
export const noCheckpoints: Disk = {
  ...quickDisk,
  open(path, mode) {
    if (path.endsWith("checkpoint.bin.tmp")) throw systemError("ENOSPC");
    return quickDisk.open(path, mode);
  },
};

export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2));
}
