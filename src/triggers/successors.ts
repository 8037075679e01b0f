// The `workflow` trigger: when a run ends, the workflows that wait for it start, once for each end,
// also when a crash comes between the two.

import { isRefusal, type Refusal } from "../engine/command.js";
import { FINISHED, type Run } from "../engine/run.js";
import type { RunQuery, RunSummary, Triggered, TriggerRequest } from "../engine/runner.js";
import type { JsonObject } from "../flow/json.js";
import type { Ending, WorkflowTrigger } from "../flow/workflow.js";
import { MAX_CHILD_DEPTH, MAX_PAGE, SCHEDULE_RETRY_MS } from "../limits.js";
import type { Mark, Marks } from "./marks.js";
import { refusalText, type Served, startOf } from "./start.js";

export interface SuccessorsPorts {
  now(): number;
  wait(until: number, due: () => void): () => void;
  start(request: TriggerRequest): Promise<Triggered | Refusal>;
  marks: Marks;
  get(runId: string): Promise<Run | undefined>;
  list(query: RunQuery): Promise<{ runs: RunSummary[]; next_cursor: string | null }>;
  tell(workflowId: string, message: string): void;
}

interface Entry {
  served: Served;
  trigger: WorkflowTrigger;
  /** `report completed`; a second trigger that waits for the same is another one. */
  name: string;
  /** ISO times of ends that are not dealt with yet. */
  pending: string[];
  /** ms: when its mark was last set; a mark at each end would be a write at each. */
  marked: number;
}

/** ms between two marks of one trigger, and how far behind its mark ends are looked for. */
const MARK_MS = 1_000;
const LOOK_BACK_MS = 60_000;

export class Successors {
  readonly #entries = new Map<string, Entry>();
  #isStopped = false;

  constructor(readonly ports: SuccessorsPorts) {}

  follow(workflows: Iterable<Served>): void {
    const wanted = new Map<string, Entry>();
    for (const served of workflows) {
      for (const { name, trigger } of workflowTriggersOf(served)) {
        const key = `workflow ${served.workflow.id} ${name}`;
        const { pending = [], marked = 0 } = this.#entries.get(key) ?? {};
        wanted.set(key, { served, trigger, name, pending, marked });
      }
    }
    const news = [...wanted].filter(([key]) => !this.#entries.has(key));
    this.#entries.clear();
    for (const [key, entry] of wanted) this.#entries.set(key, entry);
    this.ports.marks.keep("workflow", new Set(wanted.keys()));
    for (const [key, entry] of news) this.#add(key, entry);
  }

  /** A run has durably ended. */
  ended(run: Run): void {
    for (const [key, entry] of this.#entries) {
      if (awaits(entry.trigger, run)) void this.#start(key, entry.name, run);
    }
  }

  stop(): void {
    for (const [key, entry] of this.#entries) this.#mark(key, entry);
    this.#isStopped = true;
  }

  #add(key: string, entry: Entry): void {
    const { marks, now } = this.ports;
    const mark = marks.get(key);
    if (mark !== undefined) {
      void this.#lookBack(key, entry, mark);
      return;
    }
    const at = iso(now());
    marks.set(key, { until: at, since: at });
  }

  /** Ends that a crash may have come after: those that are dealt with are told by their keys. */
  async #lookBack(key: string, { trigger, name }: Entry, mark: Mark): Promise<void> {
    const back = iso(Date.parse(mark.until) - LOOK_BACK_MS);
    const since = mark.since !== undefined && mark.since > back ? mark.since : back;
    let cursor: string | null | undefined;
    while (cursor !== null && !this.#isStopped) {
      const query = { workflow_id: trigger.workflow_id, limit: MAX_PAGE };
      const page = await this.ports.list(cursor === undefined ? query : { ...query, cursor });
      for (const { id, finished_at } of page.runs) {
        if (finished_at === null || finished_at < since) continue;
        const run = await this.ports.get(id);
        if (run && FINISHED.has(run.status) && awaits(trigger, run)) {
          await this.#start(key, name, run);
        }
      }
      cursor = page.next_cursor;
    }
  }

  async #start(key: string, name: string, run: Run): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#isStopped) return;
    const at = run.finished_at ?? iso(this.ports.now());
    entry.pending.push(at);
    const request = startAfter(entry.served, entry.trigger, name, run);
    const result = isRefusal(request) ? request : await this.ports.start(request);
    if (this.#isStopped) return;
    // The file may have been edited meanwhile: the times are still the same list.
    entry.pending.splice(entry.pending.indexOf(at), 1);
    if (!isRefusal(result)) {
      this.#mark(key, entry, null);
      return;
    }
    const message = refusalText(result);
    const { id } = entry.served.workflow;
    this.ports.tell(id, `The end of run ${run.id} could not start "${id}": ${message}`);
    if (result.refused === "busy") {
      entry.pending.push(at);
      this.ports.wait(this.ports.now() + SCHEDULE_RETRY_MS, () => {
        entry.pending.splice(entry.pending.indexOf(at), 1);
        void this.#start(key, name, run);
      });
    }
    this.#mark(key, entry, { at, message });
  }

  /** `refused`: null takes an earlier one away; absent leaves it. */
  #mark(key: string, entry: Entry, refused?: Mark["refused"] | null): void {
    if (!this.#entries.has(key)) return;
    const { marks, now } = this.ports;
    const before = marks.get(key);
    const isNews = refused !== undefined && (refused !== null || before?.refused !== undefined);
    if (refused !== undefined && !isNews && now() - entry.marked < MARK_MS) return;
    entry.marked = now();
    const [until] = [...entry.pending, iso(now())].sort();
    const told = refused === undefined ? before?.refused : (refused ?? undefined);
    marks.set(key, {
      until: until ?? iso(now()),
      ...(before?.since === undefined ? {} : { since: before.since }),
      ...(told === undefined ? {} : { refused: told }),
    });
  }
}

function workflowTriggersOf({ workflow }: Served): { name: string; trigger: WorkflowTrigger }[] {
  const seen = new Map<string, number>();
  return (workflow.triggers ?? []).flatMap((trigger) => {
    if (trigger.type !== "workflow") return [];
    const plain = `${trigger.workflow_id} ${[...trigger.on].sort().join(",")}`;
    const count = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, count);
    return [{ name: count === 1 ? plain : `${plain} ${count}`, trigger }];
  });
}

function awaits({ workflow_id, on }: WorkflowTrigger, run: Run): boolean {
  return run.workflow_id === workflow_id && on.includes(run.status as Ending);
}

/** What the end of a run starts. A run that is retried ends again, and that is another end. */
export function startAfter(
  served: Served,
  trigger: WorkflowTrigger,
  name: string,
  run: Run,
): TriggerRequest | Refusal {
  const depth = Number(run.trigger.depth ?? 0) + 1;
  if (depth > MAX_CHILD_DEPTH) {
    const message = `Runs start each other more than ${MAX_CHILD_DEPTH} levels deep.`;
    return { refused: "context_mismatch", message };
  }
  const { workflow_id, id: run_id, status } = run;
  const told = { type: "workflow", workflow_id, run_id, status } as const;
  const values = { ...told, outputs: run.output, error: run.error as JsonObject | null };
  return startOf(served, {
    name: `trigger on "${workflow_id}"`,
    context: trigger.context ?? {},
    values,
    kept: { ...told, depth },
    key: `workflow ${name} ${run_id} ${run.finished_at}`,
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
