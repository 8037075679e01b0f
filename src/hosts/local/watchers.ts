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
   * The latest events of all runs, oldest first: what a reader that was cut off has missed. Without
   * the runs that they made, which would be thousands of versions of a large one.
   */
  #recent: { runId: string; id: string; event: Event }[] = [];
  /** Sequence number of the newest change that has been dropped from `#recent`. */
  #dropped = Number.MAX_SAFE_INTEGER;

  published(run: Run, events: readonly Event[]): void {
    if (this.#dropped === Number.MAX_SAFE_INTEGER) this.#dropped = run.seq - 1;
    const watchers = this.#byRun.get(run.id);
    events.forEach((event, index) => {
      const change: Change = { id: `${run.seq}.${index}`, type: "event", event, run };
      this.#recent.push({ runId: run.id, id: change.id, event });
      for (const watcher of watchers ?? []) watcher.queue.push(change);
    });
    if (this.#recent.length > 2 * RECENT_CHANGES) this.#forget();
    for (const watcher of watchers ?? []) {
      if (watcher.queue.length > MAX_UNREAD_CHANGES) watcher.queue = [whole(run)];
      watcher.wake();
    }
  }

  /** `run` is the run as it is now; `after` the id of the last change that the reader saw. */
  watch(run: Run, after: string | undefined, signal: AbortSignalLike): AsyncIterable<Change> {
    const watcher: Watcher = { runId: run.id, queue: [], wake: () => {}, closed: false };
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
    return read(watcher, ended);
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
      .filter(({ runId, id }) => runId === run.id && isAfter(id, seq, index))
      .map(({ id, event }) => ({ id, type: "event", event, run }));
  }

  #forget(): void {
    const gone = this.#recent[this.#recent.length - RECENT_CHANGES - 1];
    if (gone) this.#dropped = parseChangeId(gone.id)[0] ?? this.#dropped;
    this.#recent = this.#recent.slice(-RECENT_CHANGES);
  }
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

function isAfter(id: string, seq: number, index: number): boolean {
  const [otherSeq = 0, otherIndex = 0] = parseChangeId(id);
  return otherSeq > seq || (otherSeq === seq && otherIndex > index);
}

async function* read(watcher: Watcher, ended: () => void): AsyncGenerator<Change> {
  try {
    for (;;) {
      const change = watcher.queue.shift();
      if (change) {
        yield change;
        if (watcher.queue.length === 0 && isLast(change)) return;
      } else if (watcher.closed) return;
      else {
        await new Promise<void>((resolve) => {
          watcher.wake = resolve;
        });
      }
    }
  } finally {
    ended();
  }
}

function isLast(change: Change): boolean {
  return FINISHED.has(change.run.status);
}
