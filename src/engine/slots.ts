// The slots of concurrency groups. Who holds one is read off the runs; only who waits is kept here.

import type { Concurrency } from "../flow/workflow.js";
import { FINISHED, type Run } from "./run.js";

/** A group's live runs, in the order in which they came; a run that ended counts until durable. */
type Members = (group: string) => Iterable<Run>;

export class Slots {
  /** By group: runs that wait for a slot, oldest first. */
  readonly #queues = new Map<string, { runId: string; concurrency: Concurrency }[]>();

  constructor(
    readonly members: Members,
    readonly begin: (runId: string) => void,
    readonly cancel: (runId: string, reason: string) => void,
  ) {}

  /** Those that wait come first, also those whose wait is not durable yet. */
  isFree({ group, limit }: Concurrency): boolean {
    let count = 0;
    for (const run of this.members(group)) if (!FINISHED.has(run.status)) count += 1;
    return count < limit;
  }

  /** The answer takes the run out of the queue. */
  wait(runId: string, concurrency: Concurrency): () => void {
    const { group } = concurrency;
    const queue = this.#queues.get(group) ?? [];
    this.#queues.set(group, queue);
    queue.push({ runId, concurrency });
    if (concurrency.on_conflict === "cancel_running") this.#cancelOlder(runId, group);
    this.grant(group);
    return () => {
      const left = queue.filter((waiting) => waiting.runId !== runId);
      queue.splice(0, queue.length, ...left);
      if (queue.length === 0 && this.#queues.get(group) === queue) this.#queues.delete(group);
    };
  }

  /** A slot may have become free. */
  grant(group: string): void {
    const queue = this.#queues.get(group) ?? [];
    for (let free = true; free && queue.length > 0; ) {
      const first = queue[0];
      free = first !== undefined && this.#holders(group) < first.concurrency.limit;
      if (!free || !first) return;
      queue.shift();
      this.begin(first.runId);
    }
  }

  #cancelOlder(runId: string, group: string): void {
    const older: string[] = [];
    for (const run of this.members(group)) {
      if (run.id === runId) break;
      if (!FINISHED.has(run.status)) older.push(run.id);
    }
    const reason = `Run ${runId} took its place in the concurrency group "${group}".`;
    for (const id of older) this.cancel(id, reason);
  }

  /** From the decision that starts a run to the durable one that ends it. */
  #holders(group: string): number {
    let count = 0;
    for (const run of this.members(group)) if (run.status !== "pending") count += 1;
    return count;
  }
}
