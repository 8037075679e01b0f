// Those who watch runs: each gets every change once, in order, and can go on from where it was.

import type { Event } from "../../engine/event.js";
import { FINISHED, type Run } from "../../engine/run.js";
import type { AbortSignalLike, Change } from "../../engine/runner.js";
import { MAX_UNREAD_CHANGES, RECENT_CHANGES } from "../../limits.js";

const RECENT_ENDS = 256;

interface Watcher {
  runId: string;
  queue: Change[];
  /** Called when something was queued, or when nothing more will be. */
  wake: () => void;
  closed: boolean;
}

/**
 * A run that someone watches, or has watched: its decisions since, for a reader that is cut off and
 * comes again. Without the runs that they made: of a large one, these would be thousands of
 * versions.
 */
interface Watched {
  watchers: Watcher[];
  /** The last change before those in `recent`: its sequence number, and its index. */
  since: number;
  index: number;
  recent: { seq: number; events: readonly Event[] }[];
  /** How many events are in `recent`. */
  count: number;
}

export class Watchers {
  /** By run. Those that nobody watches any more are in the second, in the order of leaving. */
  readonly #watched = new Map<string, Watched>();
  readonly #left = new Map<string, Watched>();
  /** How many events are remembered. */
  #events = 0;
  /** By run: who waits for its end. */
  readonly #waiting = new Map<string, ((run?: Run) => void)[]>();
  /** The latest readings that came to their end: each run, and its last change. */
  readonly #ends: { runId: string; since: number; index: number }[] = [];
  #nextEnd = 0;

  published(run: Run, events: readonly Event[]): void {
    if (this.#waiting.size > 0 && FINISHED.has(run.status)) this.#tellEnd(run);
    const watched = this.#watched.get(run.id) ?? this.#left.get(run.id);
    if (watched === undefined) return;
    watched.recent.push({ seq: run.seq, events });
    watched.count += events.length;
    this.#events += events.length;
    if (this.#events > 2 * RECENT_CHANGES) this.#forget();
    if (watched.watchers.length === 0) return;
    const changes = changesOf(run, run.seq, events);
    for (const watcher of watched.watchers) {
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
    else this.#add(watcher, run.seq);
    const stop = (): void => this.#close(watcher);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    const ended = (isAtEnd: boolean): void => {
      signal.removeEventListener("abort", stop);
      this.#close(watcher);
      if (isAtEnd) this.#end(run.id);
    };
    return new Reading(watcher, ended);
  }

  /** The live run as it ends; undefined when `signal` aborts, or the host closes, before that. */
  ended(runId: string, signal: AbortSignalLike): Promise<Run | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const told = (run?: Run): void => {
        signal.removeEventListener("abort", abort);
        resolve(run);
      };
      const abort = (): void => {
        const others = this.#waiting.get(runId)?.filter((other) => other !== told) ?? [];
        if (others.length > 0) this.#waiting.set(runId, others);
        else this.#waiting.delete(runId);
        told();
      };
      signal.addEventListener("abort", abort);
      this.#waiting.set(runId, [...(this.#waiting.get(runId) ?? []), told]);
    });
  }

  #tellEnd(run: Run): void {
    const waiting = this.#waiting.get(run.id);
    this.#waiting.delete(run.id);
    for (const told of waiting ?? []) told(run);
  }

  close(): void {
    for (const waiting of this.#waiting.values()) for (const told of waiting) told();
    this.#waiting.clear();
    for (const { watchers } of [...this.#watched.values()]) {
      for (const watcher of watchers) this.#close(watcher);
    }
  }

  #add(watcher: Watcher, since: number): void {
    const { runId } = watcher;
    const known = this.#watched.get(runId) ?? this.#left.get(runId);
    const watched = known ?? { watchers: [], since, index: WHOLE, recent: [], count: 0 };
    watched.watchers = [...watched.watchers, watcher];
    this.#left.delete(runId);
    this.#watched.set(runId, watched);
  }

  #close(watcher: Watcher): void {
    const { runId } = watcher;
    watcher.closed = true;
    const watched = this.#watched.get(runId);
    if (watched) watched.watchers = watched.watchers.filter((other) => other !== watcher);
    if (watched?.watchers.length === 0) {
      this.#watched.delete(runId);
      this.#left.set(runId, watched);
      if (this.#left.size > 2 * RECENT_CHANGES) this.#forget();
    }
    watcher.wake();
  }

  /** Undefined when some of what followed `after` is not remembered any more. */
  #since(run: Run, after: string): Change[] | undefined {
    const [seq, index] = parseChangeId(after);
    if (seq === undefined || index === undefined || seq > run.seq) return undefined;
    if (seq === run.seq && index >= WHOLE) return [];
    const watched = this.#watched.get(run.id) ?? this.#left.get(run.id);
    const isEnd = (end: { runId: string; since: number }): boolean =>
      end.runId === run.id && end.since === run.seq;
    const known = watched ?? this.#ends.find(isEnd);
    if (known === undefined || seq < known.since) return undefined;
    if (seq === known.since && index < known.index) return undefined;
    return (watched?.recent ?? [])
      .filter((recent) => recent.seq >= seq)
      .flatMap((recent) => {
        const changes = changesOf(run, recent.seq, recent.events);
        return recent.seq === seq ? changes.slice(index + 1) : changes;
      });
  }

  /**
   * Much at once, since a Map finds its oldest only behind all that has gone before it. First what
   * nobody watches; then what those who do have had a chance to read.
   */
  #forget(): void {
    const isFull = this.#events > 2 * RECENT_CHANGES;
    for (const [runId, { count }] of this.#left) {
      if (this.#left.size <= RECENT_CHANGES && this.#events <= RECENT_CHANGES) return;
      this.#events -= count;
      this.#left.delete(runId);
    }
    if (isFull) for (const watched of this.#watched.values()) this.#trim(watched);
  }

  /** A browser that does not know of the end yet comes again, and is told that this was it. */
  #end(runId: string): void {
    const watched = this.#left.get(runId);
    if (watched === undefined) return;
    this.#left.delete(runId);
    this.#trim(watched);
    const { since, index } = watched;
    this.#ends[this.#nextEnd] = { runId, since, index };
    this.#nextEnd = (this.#nextEnd + 1) % RECENT_ENDS;
  }

  #trim(watched: Watched): void {
    const last = watched.recent.at(-1);
    if (last === undefined) return;
    this.#events -= watched.count;
    watched.since = last.seq;
    watched.index = last.events.length - 1;
    watched.recent = [];
    watched.count = 0;
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
    /** May be called more than once; `isAtEnd`: the reader has seen the run's last change. */
    readonly ended: (isAtEnd: boolean) => void,
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
    this.ended(this.#isAtEnd);
    this.watcher.queue = [];
    return Promise.resolve({ value: undefined, done: true });
  }
}

const asleep = (): void => {};

function isLast(change: Change): boolean {
  return FINISHED.has(change.run.status);
}
