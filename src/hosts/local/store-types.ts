// The face of the store: what the host asks of it, and what it asks of the host.

import type { Decision } from "../../engine/event.js";
import type { Spreads } from "../../engine/figures.js";
import type { Run, RunStatus } from "../../engine/run.js";
import type { RunQuery, RunSummary } from "../../engine/runner.js";
import type { Workflow } from "../../flow/workflow.js";
import type { Disk } from "./disk.js";
import type { Asleep } from "./live-runs.js";
import type { Lock } from "./lock.js";
import type { NamedRun, RunIndex } from "./run-index.js";
import type { StoreError } from "./store-error.js";

export interface StoreOptions {
  /**
   * The store cannot go on: outcomes of what was not called back are unknown. The host must stop
   * loudly. Called once when it happens, and again for whatever is appended afterwards.
   */
  onFailure(error: StoreError): void;
  /** Something that a person should know, while the store goes on: a sentence. */
  onTrouble?(message: string): void;
  /**
   * May this run, as it is now, be put to sleep, and until when (ms; null: until a command comes)?
   * Undefined: it is at work. Who says yes forgets it until it is woken.
   */
  restsUntil?(run: Run): number | null | undefined;
  /** It was. */
  sleeps?(sleeper: { slot: number; until: number }): void;
  /** Bytes of the journal's first segment, and of later ones. */
  first_segment_bytes?: number;
  segment_bytes?: number;
  /** ms that a live run's document may lag behind, so that quick runs are written once. */
  document_delay_ms?: number;
  /** ms of quiet after which the last batch is sealed. */
  seal_after_ms?: number;
  /** Characters that may wait to be written, before no new run should be taken. */
  max_journal_chars?: number;
  max_document_chars?: number;
  /** Taken already. */
  lock?: Lock;
  /** For tests. With a disk of its own the store writes documents on the main thread. */
  disk?: Disk;
}

export interface Store {
  /** Unfinished runs as they were found, oldest first: to be driven on. Others sleep. */
  readonly recovered: Run[];
  /** Those that sleep. */
  sleepers(): Asleep;
  /** Which run it is that sleeps. */
  sleeper(slot: number): NamedRun;
  /** A run that slept, to be driven on; its slot is its sleeper's. */
  wake(runId: string): { run: Run; slot: number } | undefined;
  /** Calls back, in order of appending, once the record is durable. */
  append(decision: Decision, durable: (seq: number) => void): void;
  /** The run as it is now, durable. To be called inside the callback of its `append`. */
  published(run: Run): void;
  get(runId: string): Promise<Run | undefined>;
  /** Newest first. Throws RangeError for a cursor that `isCursor` refuses. */
  list(query: RunQuery): { runs: RunSummary[]; next_cursor: string | null };
  counts(): { [status in RunStatus]: number };
  /** The id of the run that was started with this key. */
  findByKey(workflowId: string, key: string): string | undefined;
  /** The finished ones of these are no longer kept; calls back with them, once it is durable. */
  delete(ids: string[], gone: (ids: string[]) => void): void;
  /** Runs that were deleted shortly before the store was opened: all there is of them may go. */
  readonly deleted: readonly string[];
  /** What retention looks at. */
  readonly index: Pick<
    RunIndex,
    "length" | "finishedAt" | "finishedCounts" | "versionsInUse" | "status"
  >;
  /** Why no new run should be taken now, in a sentence; undefined: go ahead. */
  busy(): string | undefined;
  /** What a person should look at, in a sentence, though it may not keep runs from starting. */
  trouble(): string | undefined;
  /** Resolves when the version is on disk; does nothing for one that is. */
  saveVersion(version: string, workflow: Workflow): Promise<void>;
  /** No run needs it any more. */
  deleteVersion(version: string): void;
  /** All versions on disk. */
  loadVersions(): Promise<Map<string, Workflow>>;
  /** Where the owner listens, for others who find the store locked. */
  setAddress(url: string): void;
  stats(): StoreStats;
  /** Writes what is due, documents too, takes a checkpoint and lets the store go. */
  close(): Promise<void>;
}

/** Counted since the store was opened. */
export interface StoreStats {
  /** Records of decisions that are durable. */
  decisions: number;
  /** Writes that made them so. */
  batches: number;
  journal_bytes: number;
  /** s that those writes took. */
  commits: Spreads;
  checkpoints: number;
  /** Documents of finished runs that are not written yet. */
  documents_waiting: number;
}
