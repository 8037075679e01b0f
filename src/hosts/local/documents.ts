// The run documents' queue: what must be written, and what may wait. The latest state of a run
// wins; a finished run stays readable from here until its document is written.

import type { Run } from "../../engine/run.js";
import { DOCUMENT_CHARS_PER_MS, MAX_WAITING_DOCUMENT_CHARS } from "../../limits.js";
import type { DocumentSink } from "./document-sink.js";
import type { DocumentAnswer, DocumentBatch } from "./document-writer.js";

export interface DocumentsOptions {
  /** ms that a live run's document may lag behind. */
  delay_ms: number;
  /** Default: MAX_WAITING_DOCUMENT_CHARS. */
  max_waiting_chars?: number | undefined;
  sink: DocumentSink;
  /** The JSON of a live run as it is now; undefined: it is not live any more. */
  live(id: string): string | undefined;
  onTrouble(message: string): void;
}

/** Documents of one batch: few enough that a finished run's does not wait long. */
const BATCH_DOCUMENTS = 256;
const BATCH_CHARS = 1024 * 1024;
/** ms that live runs' documents may lag behind when very many change at once. */
const MAX_BURST_MS = 500;
const NONE: ReadonlySet<string> = new Set();
/** Texts of live runs that are kept for their documents, and characters of each: 32 MB in all. */
const MAX_TEXTS = 8_192;
const MAX_TEXT_CHARS = 4_096;
/** Syncs of one batch, when documents are synced one by one: each may take some milliseconds. */
const BATCH_SYNCS = 32;
/** ms until a document is tried again that could not be written. */
const RETRY_MS = 1_000;

/** A request for durable documents; it is done when no ids are left. */
interface SyncRequest {
  ids: string[];
  /** How many of the first ids have been seen to be written. */
  written: number;
  done: (error: Error | null) => void;
}

/** A batch, and what it was made of. */
interface Sent {
  batch: DocumentBatch;
  sync: SyncRequest | undefined;
}

export class Documents {
  readonly #options: DocumentsOptions;
  /** Texts of finished runs that are not written yet. */
  readonly #finished = new Map<string, string>();
  /** Texts of live runs as they are now, so that those that sleep need not be unpacked. */
  readonly #texts = new Map<string, string>();
  /** What waits for the delay to pass: live runs that have changed, and finished ones. */
  #changed = new Set<string>();
  #ended = new Set<string>();
  /** Until when live runs' documents wait, since there are so many. */
  #burstEnds: number | undefined;
  /** By run: when its document, which is large, may be written again. */
  readonly #paced = new Map<string, number>();
  /** What is to be written now. */
  readonly #due = new Set<string>();
  /** Ids of documents that go. */
  readonly #removals = new Set<string>();
  #repairs: Iterator<string> | undefined;
  readonly #syncs: SyncRequest[] = [];
  #chars = 0;
  #sending = false;
  #timer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #trouble: string | undefined;
  readonly #drained: (() => void)[] = [];
  /** Whether many documents can be synced at once. */
  #canSyncAll = true;

  constructor(options: DocumentsOptions) {
    this.#options = options;
  }

  /** Documents of finished runs that are not written yet. */
  get waiting(): number {
    return this.#finished.size;
  }

  get isFull(): boolean {
    return this.#chars > (this.#options.max_waiting_chars ?? MAX_WAITING_DOCUMENT_CHARS);
  }

  /** Why documents cannot be written, since when they cannot. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The document of a finished run that is not written yet. */
  text(id: string): string | undefined {
    return this.#finished.get(id);
  }

  /** `json`: the run's, where it is at hand. */
  changed(id: string, json?: string): void {
    this.#removals.delete(id);
    this.#forget(id);
    const isSmall = json !== undefined && json.length <= MAX_TEXT_CHARS;
    if (isSmall && this.#texts.size < MAX_TEXTS) this.#texts.set(id, json);
    this.#changed.add(id);
    this.#delay();
  }

  /**
   * Waits like the others, since a document at a time would come between the journal's syncs; but
   * a whole batch goes at once.
   */
  finished(run: Run): void {
    this.#removals.delete(run.id);
    this.#changed.delete(run.id);
    this.#paced.delete(run.id);
    this.#due.delete(run.id);
    this.#forget(run.id);
    const text = JSON.stringify(run);
    this.#chars += text.length;
    this.#finished.set(run.id, text);
    this.#ended.add(run.id);
    if (this.#ended.size < BATCH_DOCUMENTS) this.#delay();
    else this.#sendEnded();
  }

  /**
   * Compares the documents of live runs with what they should be, when there is nothing else to
   * do: not before the store is open. Each run is asked for when its turn comes, so that it is the
   * latest.
   */
  repair(ids: Iterable<string>): void {
    this.#repairs = ids[Symbol.iterator]();
    setImmediate(() => this.#pump());
  }

  /** Documents of runs that are no longer kept. */
  remove(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#changed.delete(id);
      this.#due.delete(id);
      this.#forget(id);
      this.#removals.add(id);
    }
    this.#pump();
  }

  /**
   * Resolves when the documents of these finished runs, written or not, are durable, and those that
   * had to go before are gone for good.
   */
  sync(ids: string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#syncs.push({ ids, written: 0, done: (error) => (error ? reject(error) : resolve()) });
      this.#pump();
    });
  }

  /** Resolves when all is written, or the disk takes no more. */
  async drain(): Promise<void> {
    this.#repairs = undefined;
    if (this.#timer) this.#delayPassed(Number.POSITIVE_INFINITY);
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    clearTimeout(this.#retryTimer);
    for (const { done } of this.#syncs.splice(0)) done(new Error("the store was closed"));
    await this.#options.sink.close();
  }

  #forget(id: string): void {
    this.#texts.delete(id);
    const text = this.#finished.get(id);
    if (text === undefined) return;
    this.#chars -= text.length;
    this.#finished.delete(id);
    this.#ended.delete(id);
    this.#due.delete(id);
  }

  #delay(): void {
    this.#timer ??= setTimeout(() => this.#delayPassed(), this.#options.delay_ms);
  }

  #delayPassed(now = performance.now()): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changed = this.#isBurst(now) ? NONE : this.#changed;
    if (changed === this.#changed) this.#changed = new Set();
    for (const id of changed) {
      const isDue = (this.#paced.get(id) ?? 0) <= now;
      (isDue ? this.#due : this.#changed).add(id);
    }
    if (this.#changed.size > 0) this.#delay();
    this.#sendEnded();
  }

  /** Most of very many runs will have ended a moment later, and need but one document then. */
  #isBurst(now: number): boolean {
    if (this.#changed.size > BATCH_DOCUMENTS) {
      this.#burstEnds ??= now + MAX_BURST_MS;
      if (now < this.#burstEnds) return true;
    }
    this.#burstEnds = undefined;
    return false;
  }

  /** A run of ten thousand items is not laid out again for each of them. */
  #pace(id: string, chars: number): void {
    const ms = chars / DOCUMENT_CHARS_PER_MS;
    if (ms > this.#options.delay_ms) this.#paced.set(id, performance.now() + ms);
    else this.#paced.delete(id);
  }

  #sendEnded(): void {
    for (const id of this.#ended) this.#due.add(id);
    this.#ended = new Set();
    this.#pump();
  }

  #isIdle(): boolean {
    if (this.#sending) return false;
    if (this.#trouble !== undefined) return true;
    const isNothingDue = this.#due.size === 0 && this.#removals.size === 0;
    return isNothingDue && !this.#repairs && this.#syncs.length === 0;
  }

  #pump(): void {
    if (this.#sending || this.#retryTimer) return;
    const sent = this.#nextBatch();
    if (!sent) {
      this.#wakeDrained();
      return;
    }
    this.#sending = true;
    this.#options.sink.send(sent.batch, (answer) => {
      this.#sending = false;
      this.#settle(sent, answer);
      this.#pump();
    });
  }

  #wakeDrained(): void {
    if (this.#isIdle()) for (const resolve of this.#drained.splice(0)) resolve();
  }

  #nextBatch(): Sent | undefined {
    const batch: DocumentBatch = { write: [], repair: [], remove: [], sync: [], sync_all: false };
    const sent: Sent = { batch, sync: undefined };
    this.#takeDue(batch.write);
    this.#takeRemovals(batch);
    if (isEmpty(batch)) this.#takeRepairs(batch.repair);
    if (batch.remove.length === 0) this.#takeSyncs(sent);
    const isIdle = isEmpty(batch) && batch.sync.length === 0 && !batch.sync_all;
    return isIdle ? undefined : sent;
  }

  #takeDue(pairs: string[]): void {
    let chars = 0;
    for (const id of this.#due) {
      if (pairs.length >= 2 * BATCH_DOCUMENTS || chars > BATCH_CHARS) return;
      this.#due.delete(id);
      const length = this.#take(id, pairs);
      if (!this.#finished.has(id)) this.#pace(id, length);
      chars += length;
    }
  }

  #takeRemovals({ remove }: DocumentBatch): void {
    for (const id of this.#removals) {
      if (remove.length >= BATCH_DOCUMENTS) return;
      this.#removals.delete(id);
      remove.push(id);
    }
  }

  #takeRepairs(pairs: string[]): void {
    let chars = 0;
    while (this.#repairs && pairs.length < 2 * BATCH_DOCUMENTS && chars < BATCH_CHARS) {
      const { value: id, done } = this.#repairs.next();
      if (done) this.#repairs = undefined;
      else chars += this.#take(id, pairs);
    }
  }

  /** Nothing, for a live run that is gone. */
  #take(id: string, pairs: string[]): number {
    const text = this.#finished.get(id) ?? this.#texts.get(id) ?? this.#options.live(id);
    this.#texts.delete(id);
    if (text === undefined) return 0;
    pairs.push(id, text);
    return text.length;
  }

  #takeSyncs(sent: Sent): void {
    // Those with nothing to sync waited only for what had to go before.
    while (this.#syncs[0]?.ids.length === 0) this.#syncs.shift()?.done(null);
    const request = this.#syncs[0];
    if (!request) return;
    sent.sync = request;
    if (this.#canSyncAll && request.ids.length > BATCH_SYNCS) {
      // They are written in about this order: so each is looked at about once.
      while (!this.#finished.has(request.ids[request.written] ?? "")) {
        if (request.written === request.ids.length) break;
        request.written += 1;
      }
      sent.batch.sync_all = request.written === request.ids.length;
      return;
    }
    // Those that are still to be written go to the end of the line.
    for (let looked = request.ids.length; looked > 0; looked -= 1) {
      if (sent.batch.sync.length >= BATCH_SYNCS) return;
      const id = request.ids.shift();
      if (id === undefined) return;
      if (this.#finished.has(id)) request.ids.push(id);
      else sent.batch.sync.push(id);
    }
  }

  #settle(sent: Sent, answer: DocumentAnswer): void {
    const { batch } = sent;
    this.#settleList(batch.write, new Set(answer.write.map(([place]) => place)));
    this.#settleList(batch.repair, new Set(answer.repair.map(([place]) => place)));
    this.#settleSync(sent, answer);
    if (answer.remove !== undefined) this.#tryAgain(batch.remove);
    const reason = [...answer.write, ...answer.repair][0]?.[1] ?? answer.remove;
    if (reason === undefined) {
      if (batch.write.length + batch.remove.length > 0) this.#trouble = undefined;
      return;
    }
    if (this.#trouble === undefined) this.#options.onTrouble(troubleText(reason));
    this.#trouble = reason;
    this.#wakeDrained();
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#pump();
    }, RETRY_MS);
    this.#retryTimer.unref();
  }

  #tryAgain(ids: string[]): void {
    for (const id of ids) {
      const isBack = this.#changed.has(id) || this.#due.has(id) || this.#finished.has(id);
      if (!isBack) this.#removals.add(id);
    }
  }

  /** A run that has changed meanwhile is on its list again already. */
  #settleList(pairs: string[], failed: Set<number>): void {
    for (let place = 0; 2 * place < pairs.length; place += 1) {
      const id = pairs[2 * place] ?? "";
      const text = this.#finished.get(id);
      const isLatest = text === undefined || text === pairs[2 * place + 1];
      if (isLatest && failed.has(place)) this.#due.add(id);
      else if (isLatest) this.#forget(id);
    }
  }

  #settleSync({ sync, batch }: Sent, { sync: reason, not_all }: DocumentAnswer): void {
    if (not_all) this.#canSyncAll = false;
    else if (batch.sync_all) sync?.ids.splice(0);
    if (!sync || (reason === undefined && sync.ids.length > 0)) return;
    this.#syncs.splice(this.#syncs.indexOf(sync), 1);
    sync.done(reason === undefined ? null : new Error(reason));
  }
}

function isEmpty(batch: DocumentBatch): boolean {
  const { write, repair, remove } = batch;
  return write.length + repair.length + remove.length === 0;
}

function troubleText(reason: string): string {
  return (
    `Run documents cannot be written: ${reason}. Runs go on, safe in the journal, and the ` +
    "documents follow when the disk takes them again; until then new runs may be refused."
  );
}
