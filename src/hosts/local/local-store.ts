// A store that is open: what happens between recovery and the close.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Decision } from "../../engine/event.js";
import { parseRunId } from "../../engine/ids.js";
import { FINISHED, type Run, type RunStatus } from "../../engine/run.js";
import type { RunQuery, RunSummary } from "../../engine/runner.js";
import type { Workflow } from "../../flow/workflow.js";
import {
  DOCUMENT_DELAY_MS,
  MAX_WAITING_JOURNAL_CHARS,
  SEAL_AFTER_MS,
  SEGMENT_BYTES,
} from "../../limits.js";
import { writeCheckpoint } from "./checkpoint.js";
import { type Disk, nodeDisk } from "./disk.js";
import { createSink } from "./document-sink.js";
import { documentPath } from "./document-writer.js";
import { Documents } from "./documents.js";
import { readWhole, unlinkIfThere } from "./files.js";
import { Journal } from "./journal.js";
import type { Asleep, LiveRuns } from "./live-runs.js";
import type { Lock } from "./lock.js";
import { journalFolder, type Recovered } from "./recovery.js";
import type { NamedRun, RunIndex } from "./run-index.js";
import { listSegments, segmentPath } from "./segment.js";
import { diskError, errorCode, StoreError } from "./store-error.js";
import type { Store, StoreOptions, StoreStats } from "./store-types.js";
import { Versions } from "./versions.js";

/**
 * A run with at most so many steps behind it is put to sleep as soon as it only waits, so that what
 * it was made of is forgotten while it is young. A larger one would be made into text, and back,
 * again and again: it is put to sleep when its document is written.
 */
const FEW_STEPS = 8;
/** Bytes of a checkpoint that is written at every close, though little has changed since. */
const SMALL_CHECKPOINT_BYTES = 4 * 1024 * 1024;

export class LocalStore implements Store {
  readonly recovered: Run[];
  readonly deleted: readonly string[];
  readonly #disk: Disk;
  readonly #live: LiveRuns;
  readonly index: RunIndex;
  readonly #journal: Journal;
  readonly #documents: Documents;
  readonly #versions: Versions;
  /** Finished since the last checkpoint: the next one waits until their documents are durable. */
  #unsynced = new Set<string>();
  /** Finished runs whose retry is being written; a checkpoint must go on having them whole. */
  readonly #reviving = new Map<string, number>();
  #publishedSeq = 0;
  #isDead = false;
  #checkpointing: Promise<void> | undefined;
  #checkpoints = 0;
  #checkpointBytes: number;
  /** Bytes of the journal before this store was opened that the last checkpoint does not cover. */
  #oldTailBytes: number;
  /** Bytes of the journal since then that it covers. */
  #coveredBytes = 0;
  #closed: Promise<void> | undefined;

  constructor(
    readonly folder: string,
    readonly lock: Lock,
    found: Recovered,
    readonly options: StoreOptions,
  ) {
    this.#disk = options.disk ?? nodeDisk;
    this.#live = found.live;
    this.index = found.index;
    this.deleted = [...found.deleted];
    this.#checkpointBytes = found.checkpoint_bytes;
    this.#oldTailBytes = found.tail_bytes;
    const orderOf = (run: Run): number => found.index.order(run.id) ?? 0;
    this.recovered = [...found.live.awake()].sort((a, b) => orderOf(a) - orderOf(b));
    this.#versions = new Versions(this.#disk, join(folder, "versions"));
    this.#documents = new Documents({
      delay_ms: options.document_delay_ms ?? DOCUMENT_DELAY_MS,
      max_waiting_chars: options.max_document_chars,
      sink: createSink(this.#runs, options.disk),
      live: (id) => this.#liveText(id),
      onTrouble: (message) => this.#tell(message),
    });
    this.#journal = new Journal(
      {
        disk: this.#disk,
        folder: journalFolder(folder),
        position: found.position,
        segment_bytes: options.segment_bytes ?? SEGMENT_BYTES,
        seal_after_ms: options.seal_after_ms ?? SEAL_AFTER_MS,
        max_waiting_chars: options.max_journal_chars ?? MAX_WAITING_JOURNAL_CHARS,
        onFailure: (error) => this.#fail(error),
        onTrouble: (message) => this.#tell(message),
        onSegment: () => this.#checkpointWhenDue(),
      },
      found.hasNext,
    );
    this.#repairDocuments(found);
    if (found.cut !== undefined) this.#tell(found.cut);
    if (found.full_segments > 0) this.#checkpointWhenDue();
  }

  sleepers(): Asleep {
    return this.#live.sleepers();
  }

  sleeper(slot: number): NamedRun {
    return this.index.named(slot);
  }

  wake(runId: string): { run: Run; slot: number } | undefined {
    if (!this.#live.isAsleep(runId)) return undefined;
    const run = this.#live.wake(runId);
    return run && { run, slot: this.index.slot(runId) };
  }

  append(decision: Decision, durable: (seq: number) => void): void {
    const id = decision.run_id;
    const isRevival = decision.events.some(({ type }) => type === "run_retried");
    const base = isRevival ? this.#finishedRun(id) : undefined;
    if (isRevival) this.#reviving.set(id, (this.#reviving.get(id) ?? 0) + 1);
    this.#journal.append(JSON.stringify(base ? { ...decision, base } : decision), (seq) => {
      if (isRevival) this.#revived(id);
      durable(seq);
      if (this.#publishedSeq === seq) return;
      // A checkpoint would miss it, and the journal before the checkpoint goes.
      throw new Error(`record ${seq} of ${id} is durable, but its run was not published`);
    });
  }

  published(run: Run): void {
    this.#publishedSeq = run.seq;
    this.index.put(run);
    if (!FINISHED.has(run.status)) {
      const json = run.step_count > FEW_STEPS ? undefined : this.#putToSleep(run);
      if (json === undefined) this.#live.put(run);
      this.#documents.changed(run.id, json);
      return;
    }
    if (this.#reviving.has(run.id)) this.#live.put(run);
    else this.#live.delete(run.id);
    this.#unsynced.add(run.id);
    this.#documents.finished(run);
  }

  async get(runId: string): Promise<Run | undefined> {
    if (parseRunId(runId) === undefined) return undefined;
    const live = this.#live.get(runId);
    if (live) return live;
    const text = this.#documents.text(runId);
    if (text !== undefined) return JSON.parse(text) as Run;
    if (this.index.status(runId) === undefined) return undefined;
    const file = documentPath(this.#runs, runId);
    try {
      const run = parseDocument(await readFile(file, "utf8"), runId, file);
      // It may have been deleted meanwhile, and nothing may be decided on it any more.
      return this.index.status(runId) === undefined ? undefined : run;
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error instanceof StoreError ? error : diskError("reading", file, error);
    }
  }

  delete(ids: string[], gone: (ids: string[]) => void): void {
    const deleted = ids.filter((id) => this.#isAtRest(id));
    if (deleted.length === 0) return;
    this.#journal.append(JSON.stringify({ deleted }), () => {
      // One may have been revived since, by a record behind this one.
      const atRest = deleted.filter((id) => this.#isAtRest(id));
      for (const id of atRest) {
        this.index.remove(id);
        this.#unsynced.delete(id);
      }
      this.#documents.remove(atRest);
      gone(atRest);
    });
  }

  #isAtRest(id: string): boolean {
    const status = this.index.status(id);
    const isFinished = status !== undefined && FINISHED.has(status);
    return isFinished && !this.#live.has(id) && !this.#reviving.has(id);
  }

  list(query: RunQuery): { runs: RunSummary[]; next_cursor: string | null } {
    return this.index.list(query);
  }

  counts(): { [status in RunStatus]: number } {
    return this.index.counts();
  }

  findByKey(workflowId: string, key: string): string | undefined {
    return this.index.findByKey(workflowId, key);
  }

  busy(): string | undefined {
    if (this.#isDead) return "The store has failed.";
    if (this.#journal.isTight) return "The disk is full.";
    if (this.#journal.isFull) return "Too much waits to be written to the journal.";
    if (!this.#documents.isFull) return undefined;
    return this.#documentTrouble() ?? "Too many run documents wait to be written.";
  }

  trouble(): string | undefined {
    return this.busy() ?? this.#documentTrouble();
  }

  #documentTrouble(): string | undefined {
    const { trouble } = this.#documents;
    return trouble && `Run documents cannot be written: ${trouble}.`;
  }

  saveVersion(version: string, workflow: Workflow): Promise<void> {
    return this.#versions.save(version, workflow);
  }

  deleteVersion(version: string): void {
    this.#versions.delete(version);
  }

  async loadVersions(): Promise<Map<string, Workflow>> {
    return this.#versions.load();
  }

  setAddress(url: string): void {
    this.lock.setAddress(url);
  }

  stats(): StoreStats {
    return {
      decisions: this.#journal.decisions,
      batches: this.#journal.batches,
      journal_bytes: this.#journal.bytes,
      commits: this.#journal.commits,
      checkpoints: this.#checkpoints,
      documents_waiting: this.#documents.waiting,
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#journal.close();
    await this.#documents.drain();
    // Without documents there is no checkpoint: the journal keeps what they lack.
    if (this.#documents.trouble !== undefined) await this.#documents.close();
    await this.#checkpointing;
    const isSmall = this.#checkpointBytes < SMALL_CHECKPOINT_BYTES;
    const isWorthIt = isSmall || this.#tailBytes * 4 > this.#checkpointBytes;
    const isClean = this.#documents.trouble === undefined && !this.#isDead;
    if (isClean && isWorthIt && this.#tailBytes > 0) await this.#checkpoint();
    await this.#documents.close();
    this.lock.release();
  }

  /** Bytes of the journal that a recovery would have to fold. */
  get #tailBytes(): number {
    return this.#oldTailBytes + this.#journal.bytes - this.#coveredBytes;
  }

  get #runs(): string {
    return join(this.folder, "runs");
  }

  #tell(message: string): void {
    this.options.onTrouble?.(message);
  }

  #fail(error: StoreError): void {
    this.#isDead = true;
    this.options.onFailure(error);
  }

  /** The finished run that a retry goes on from: its record must bring it, for the journal that
   * led there may be gone by the time it is read. */
  #finishedRun(id: string): Run | undefined {
    const status = this.index.status(id);
    if (status === undefined || !FINISHED.has(status) || this.#live.has(id)) return undefined;
    const file = documentPath(this.#runs, id);
    const text = this.#documents.text(id) ?? readWhole(this.#disk, file)?.toString();
    if (text === undefined) throw new Error(`the document ${file} of a run to retry is gone`);
    return parseDocument(text, id, file);
  }

  #revived(id: string): void {
    const others = (this.#reviving.get(id) ?? 1) - 1;
    if (others === 0) this.#reviving.delete(id);
    else this.#reviving.set(id, others);
  }

  #repairDocuments({ finished, deleted }: Recovered): void {
    this.#documents.remove(deleted);
    for (const run of finished.values()) {
      this.#unsynced.add(run.id);
      this.#documents.finished(run);
    }
    this.#documents.repair(this.#liveIds());
  }

  *#liveIds(): Generator<string> {
    for (const { id } of this.recovered) yield id;
    for (const slot of this.#live.sleepers().slots) yield this.index.id(slot);
  }

  /** For its document. A run that only waits can be put to sleep now: its text is at hand. */
  #liveText(id: string): string | undefined {
    const run = this.#live.isAsleep(id) ? undefined : this.#live.get(id);
    if (!run) return this.#live.json(id);
    return this.#putToSleep(run) ?? JSON.stringify(run);
  }

  /** Answers its JSON; undefined: it does not only wait, or not for long. */
  #putToSleep(run: Run): string | undefined {
    const until = this.options.restsUntil?.(run);
    if (until === undefined) return undefined;
    const json = JSON.stringify(run);
    const slot = this.#live.sleep(run.id, json, until);
    if (until !== null) this.options.sleeps?.({ slot, until });
    return json;
  }

  /** A checkpoint costs its own size, and saves the tail: so the tail is let grow as large. */
  #checkpointWhenDue(): void {
    const isTooEarly = this.#tailBytes < this.#checkpointBytes;
    if (isTooEarly || this.#checkpointing || this.#isDead) return;
    this.#checkpointing = this.#checkpoint().finally(() => {
      this.#checkpointing = undefined;
    });
  }

  /** All is taken of this moment, between two records; then it is written little by little. */
  async #checkpoint(): Promise<void> {
    const { position, bytes } = this.#journal;
    const live = this.#live.capture();
    const index = this.index.capture();
    const unsynced = this.#unsynced;
    this.#unsynced = new Set();
    try {
      await this.#syncDocuments([...unsynced]);
      const state = { position, live, index };
      this.#checkpointBytes = await writeCheckpoint(this.#disk, this.folder, state);
      this.#checkpoints += 1;
      this.#oldTailBytes = 0;
      this.#coveredBytes = bytes;
      this.#deleteSegments(position.segment);
    } catch (cause) {
      for (const id of unsynced) this.#unsynced.add(id);
      if (this.#isDead) return;
      const failed = diskError("writing a checkpoint into", this.folder, cause);
      this.#tell(`${failed.message} The journal is kept until one can be written.`);
    } finally {
      index.release();
      live.release();
    }
  }

  /** A failed sync is never retried: what the disk has of those documents is unknown. */
  async #syncDocuments(ids: string[]): Promise<void> {
    try {
      await this.#documents.sync(ids);
    } catch (cause) {
      const error = diskError("syncing run documents in", this.#runs, cause);
      if (this.#closed === undefined) this.#fail(error);
      throw error;
    }
  }

  #deleteSegments(before: number): void {
    const folder = journalFolder(this.folder);
    for (const segment of listSegments(this.#disk, folder)) {
      if (segment < before) unlinkIfThere(this.#disk, segmentPath(folder, segment));
    }
  }
}

function parseDocument(text: string, id: string, file: string): Run {
  try {
    const run = JSON.parse(text) as Run;
    if (run.id === id) return run;
  } catch {
    // Told below, like the document of another run.
  }
  const message =
    `The run document ${file} is damaged, or was edited. Restore it from a backup, or delete it ` +
    "to do without the run.";
  throw new StoreError("rot", message, { file });
}
