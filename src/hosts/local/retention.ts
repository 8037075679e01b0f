// Retention: finished runs that need not be kept any more are deleted, and then the versions of
// workflows that no run needs. A look goes over all runs, oldest first, in small parts.

import type { Run } from "../../engine/run.js";
import { FINISHED } from "../../engine/run.js";
import type { Retention as Rules } from "../../flow/workflow.js";
import {
  RETENTION_DELETES,
  RETENTION_EVERY_MS,
  RETENTION_LOOKS,
  RETENTION_REST_MS,
} from "../../limits.js";
import type { Log } from "./log.js";
import type { Store } from "./store-types.js";

export interface RetentionOptions {
  store: Pick<Store, "index" | "delete" | "deleted" | "get" | "deleteVersion">;
  /** For runs of workflows that do not say otherwise; numbers of runs count all of those. */
  rules: Rules;
  /** Workflows as they are served now. */
  served(): Iterable<{ id: string; version: string; retention: Rules | undefined }>;
  /** A run is gone: what else there is of it may go. */
  gone(ids: readonly string[]): void;
  /** Versions that are on disk. */
  versions: Map<string, unknown>;
  now(): number;
  wait(until: number, due: () => void): () => void;
  log: Log;
}

const DAY_MS = 24 * 3_600_000;

/** What one look goes by: of one moment, though it takes a while. */
interface Plan {
  /** Runs of a workflow that ended before are not kept, by workflow id. */
  before: Map<string, number>;
  otherwiseBefore: number;
  /** How many of the oldest finished runs are too many, by workflow id; and of all others. */
  excess: Map<string, number>;
  otherwiseExcess: number;
}

export class Retention {
  readonly #options: RetentionOptions;
  /** Versions that nothing needed at the last look: a run may just have been starting with one. */
  #unused = new Set<string>();
  #forget: () => void = () => {};
  #stopped = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** The first look is at once; then one follows the other, with a rest between them. */
  start(): void {
    this.#options.gone(this.#options.store.deleted);
    this.#later(0, () => void this.#look(this.#plan(), 0, 0));
  }

  stop(): void {
    this.#stopped = true;
    this.#forget();
  }

  #later(ms: number, act: () => void): void {
    if (this.#stopped) return;
    this.#forget = this.#options.wait(this.#options.now() + ms, act);
  }

  #plan(): Plan {
    const { rules, store, now } = this.#options;
    const beforeOf = ({ days }: Rules): number => now() - (days ?? Infinity) * DAY_MS;
    const counts = store.index.finishedCounts();
    const plan: Plan = {
      before: new Map(),
      otherwiseBefore: beforeOf(rules),
      excess: new Map(),
      otherwiseExcess: 0,
    };
    for (const { id, retention } of this.#options.served()) {
      if (retention?.days !== undefined) plan.before.set(id, beforeOf(retention));
      if (retention?.runs === undefined) continue;
      plan.excess.set(id, (counts.get(id) ?? 0) - retention.runs);
      counts.delete(id);
    }
    const others = [...counts.values()].reduce((sum, count) => sum + count, 0);
    plan.otherwiseExcess = others - (rules.runs ?? Infinity);
    return plan;
  }

  async #look(plan: Plan, from: number, deletedBefore: number): Promise<void> {
    const { store, log } = this.#options;
    const { candidates, next } = this.#part(plan, from);
    const runs = await Promise.all(candidates.map((id) => this.#read(id)));
    if (this.#stopped) return;
    const gone = candidates.filter((_, i) => !this.#isAwaited(runs[i]));
    store.delete(gone, this.#options.gone);
    const deleted = deletedBefore + gone.length;
    if (next < store.index.length) {
      this.#later(RETENTION_REST_MS, () => void this.#look(plan, next, deleted));
      return;
    }
    if (deleted > 0) log.info({ deleted }, `${deleted} finished runs were not to be kept any more`);
    this.#deleteVersions();
    this.#later(RETENTION_EVERY_MS, () => void this.#look(this.#plan(), 0, 0));
  }

  /** The runs of one part of a look that are not to be kept, and where the next one begins. */
  #part(plan: Plan, from: number): { candidates: string[]; next: number } {
    const { index } = this.#options.store;
    const candidates: string[] = [];
    let next = from;
    for (let looks = 0; looks < RETENTION_LOOKS && next < index.length; looks += 1) {
      const run = index.finishedAt(next);
      next += 1;
      if (run && isBeyond(plan, run)) candidates.push(run.id);
      if (candidates.length === RETENTION_DELETES) break;
    }
    return { candidates, next };
  }

  /** Undefined also where the document cannot be read: nothing is known that would keep it. */
  async #read(id: string): Promise<Run | undefined> {
    try {
      return await this.#options.store.get(id);
    } catch {
      return undefined;
    }
  }

  /** Its parent has not ended, and may look for it again. */
  #isAwaited(run: Run | undefined): boolean {
    if (run?.trigger.type !== "workflow") return false;
    const status = this.#options.store.index.status(String(run.trigger.run_id));
    return status !== undefined && !FINISHED.has(status);
  }

  #deleteVersions(): void {
    const { store, versions, served, log } = this.#options;
    const used = store.index.versionsInUse();
    for (const { version } of served()) used.add(version);
    const unused = new Set([...versions.keys()].filter((version) => !used.has(version)));
    for (const version of unused) {
      if (!this.#unused.has(version)) continue;
      try {
        store.deleteVersion(version);
        versions.delete(version);
      } catch (error) {
        log.warn({ version }, `a version that no run needs stays: ${String(error)}`);
      }
    }
    this.#unused = unused;
  }
}

/** Counts it among those that are too many, whichever reason it goes for. */
function isBeyond(plan: Plan, run: { workflow_id: string; finished: number }): boolean {
  const { workflow_id: id, finished } = run;
  const own = plan.excess.get(id);
  if (own === undefined) plan.otherwiseExcess -= 1;
  else plan.excess.set(id, own - 1);
  const isTooMany = (own ?? plan.otherwiseExcess + 1) > 0;
  return isTooMany || finished < (plan.before.get(id) ?? plan.otherwiseBefore);
}
