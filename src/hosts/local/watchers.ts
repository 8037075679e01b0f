// Those who watch runs: each gets every change once, in order, and can go on from where it was.

import type { Event } from "../../engine/event.js";
import { FINISHED, type Run } from "../../engine/run.js";
import type { AbortSignalLike, Change } from "../../engine/runner.js";
import { MAX_UNREAD_CHANGES, RECENT_CHANGES } from "../../limits.js";

interface Watcher {
  runId: string;
  queue: Change[];
  /** Called when something was queued, or when nothing more will be. */
  wake: () => void;
  closed: boolean;
}

export class Watchers {
  readonly #byRun = new Map<string, Set<Watcher>>();
  /**
   * The latest decisions of all runs, oldest first: what a reader that was cut off has missed.
   * Without the runs that they made, which would be thousands of versions of a large one.
   */
  #recent: { runId: string; seq: number; events: readonly Event[] }[] = [];
  /** How many events are in them. */
  #events = 0;
  /** Sequence number of the newest change that has been dropped from `#recent`. */
  #dropped = Number.MAX_SAFE_INTEGER;

  published(run: Run, events: readonly Event[]): void {
    if (this.#dropped === Number.MAX_SAFE_INTEGER) this.#dropped = run.seq - 1;
    this.#recent.push({ runId: run.id, seq: run.seq, events });
    this.#events += events.length;
    if (this.#events > 2 * RECENT_CHANGES) this.#forget();
    const watchers = this.#byRun.get(run.id);
    if (watchers === undefined) return;
    const changes = changesOf(run, run.seq, events);
    for (const watcher of watchers) {
      watcher.queue.push(...changes);
      if (watcher.queue.length > MAX_UNREAD_CHANGES) watcher.queue = [whole(run)];
      watcher.wake();
    }
  }

  /** `run` is the run as it is now; `after` the id of the last change that the reader saw. */
  watch(run: Run, after: string | undefined, signal: AbortSignalLike): AsyncIterable<Change> {
    const watcher: Watcher = { runId: run.id, queue: [], wake: asleep, closed: false };
    const missed = after === undefined ? undefined : this.#since(run, after);
    watcher.queue.push(...(missed ?? [whole(run)]));
    if (FINISHED.has(run.status)) watcher.closed = true;
    else this.#add(watcher);
    const stop = (): void => this.#close(watcher);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    const ended = (): void => {
      signal.removeEventListener("abort", stop);
      this.#close(watcher);
    };
    return new Reading(watcher, ended);
  }

  close(): void {
    for (const watchers of this.#byRun.values()) {
      for (const watcher of [...watchers]) this.#close(watcher);
    }
  }

  #add(watcher: Watcher): void {
    const watchers = this.#byRun.get(watcher.runId) ?? new Set();
    watchers.add(watcher);
    this.#byRun.set(watcher.runId, watchers);
  }

  #close(watcher: Watcher): void {
    watcher.closed = true;
    const watchers = this.#byRun.get(watcher.runId);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#byRun.delete(watcher.runId);
    watcher.wake();
  }

  /** Undefined when some of what followed `after` is not remembered any more. */
  #since(run: Run, after: string): Change[] | undefined {
    const [seq, index] = parseChangeId(after);
    if (seq === undefined || index === undefined || seq > run.seq) return undefined;
    if (seq === run.seq && index >= WHOLE) return [];
    if (seq <= this.#dropped) return undefined;
    return this.#recent
      .filter((recent) => recent.runId === run.id && recent.seq >= seq)
      .flatMap((recent) => {
        const changes = changesOf(run, recent.seq, recent.events);
        return recent.seq === seq ? changes.slice(index + 1) : changes;
      });
  }

  /** All but the latest decisions, which have as many events as are to be remembered. */
  #forget(): void {
    let from = this.#recent.length;
    for (this.#events = 0; from > 0 && this.#events < RECENT_CHANGES; ) {
      from -= 1;
      this.#events += this.#recent[from]?.events.length ?? 0;
    }
    this.#dropped = this.#recent[from - 1]?.seq ?? this.#dropped;
    this.#recent = this.#recent.slice(from);
  }
}

/** `run`: as it was after them, or is now. */
function changesOf(run: Run, seq: number, events: readonly Event[]): Change[] {
  return events.map((event, index) => ({ id: `${seq}.${index}`, type: "event", event, run }));
}

/** The index in the id of a whole run: after all events of its decision. */
const WHOLE = 99_999;

function whole(run: Run): Change {
  return { id: `${run.seq}.${WHOLE}`, type: "run", run };
}

function parseChangeId(id: string): [number | undefined, number | undefined] {
  const match = /^(\d{1,15})\.(\d{1,5})$/.exec(id);
  return match ? [Number(match[1]), Number(match[2])] : [undefined, undefined];
}

/** What one reader reads, who asks for one change after the other. */
class Reading implements AsyncIterableIterator<Change> {
  #isAtEnd = false;

  constructor(
    readonly watcher: Watcher,
    /** May be called more than once. */
    readonly ended: () => void,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Change>> {
    const { watcher } = this;
    const value = watcher.queue.shift();
    if (value) {
      this.#isAtEnd = isLast(value);
      return Promise.resolve({ value, done: false });
    }
    if (this.#isAtEnd || watcher.closed) return this.return();
    return new Promise((resolve) => {
      watcher.wake = () => {
        watcher.wake = asleep;
        resolve(this.next());
      };
    });
  }

  return(): Promise<IteratorResult<Change>> {
    this.ended();
    this.watcher.queue = [];
    return Promise.resolve({ value: undefined, done: true });
  }
}

const asleep = (): void => {};

function isLast(change: Change): boolean {
  return FINISHED.has(change.run.status);
}
