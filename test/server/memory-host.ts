// A host in memory for the tests of the HTTP door: the real engine decides, nothing is durable.

import { type Command, isRefusal, type Outcome, type Refusal } from "../../src/engine/command.js";
import { decide } from "../../src/engine/decide.js";
import { fold } from "../../src/engine/evolve.js";
import { FINISHED, type Run, type RunStatus } from "../../src/engine/run.js";
import type {
  AbortSignalLike,
  Change,
  Health,
  Host,
  LogLine,
  Put,
  Runner,
  RunQuery,
  RunSummary,
  ServedWorkflow,
  Triggered,
  TriggerRequest,
  Workflows,
} from "../../src/engine/runner.js";
import type { JsonObject } from "../../src/flow/json.js";
import type { Workflow } from "../../src/flow/workflow.js";

export const REMINDER: Workflow = {
  id: "invoice_reminder",
  name: "Invoice Reminder Workflow",
  entry_point: "delay_step",
  context: {
    type: "object",
    properties: { invoice: { type: "integer" } },
  },
  steps: [
    { id: "delay_step", type: "delay", config: { seconds: 2 }, next_step_id: "send_reminder" },
    {
      id: "send_reminder",
      type: "webhook",
      config: { url: "http://127.0.0.1:8001/notify" },
      next_step_id: null,
    },
  ],
  max_steps: 10_000,
};

interface Kept {
  run: Run;
  changes: Change[];
  watchers: Set<() => void>;
}

/** A command without what the host adds to it. */
type Wish = WishOf<Command>;
type WishOf<C> = C extends Command ? Omit<C, "run_id" | "at"> : never;

export class MemoryHost implements Host {
  readonly runner: Runner = {
    trigger: async (request) => this.#takeTrouble() ?? this.#trigger(request),
    get: async (runId) => this.#takeError() ?? this.kept.get(runId)?.run,
    list: async (query) => this.#list(query),
    logs: async (runId, { step, limit }) => {
      if (!this.kept.has(runId)) return undefined;
      const lines = this.lines.filter((line) => step === undefined || line.step_id === step);
      return { lines: lines.slice(0, limit), cursor: "7", more: lines.length > limit };
    },
    watch: async (runId, after, signal) => {
      const kept = this.kept.get(runId);
      return kept && this.#changes(kept, after, signal);
    },
    ended: async (runId, signal) => {
      const kept = this.kept.get(runId);
      let run = kept?.run;
      for await (const change of kept ? this.#changes(kept, undefined, signal) : []) {
        run = change.run;
      }
      return run;
    },
    pause: async (runId) => this.#control(runId, { type: "pause" }),
    resume: async (runId) => this.#control(runId, { type: "resume" }),
    retry: async (runId, from) => {
      return this.#control(runId, { type: "retry", ...(from === undefined ? {} : { from }) });
    },
    signal: async (runId, name, data) => this.#control(runId, { type: "signal", name, data }),
    answer: async (runId, answer) => this.#control(runId, { type: "answer", ...answer }),
    cancel: async (run_id, reason) => {
      const why = reason === undefined ? {} : { reason };
      const command = { type: "cancel", run_id, at: this.#clock++, ...why } as const;
      return this.#takeTrouble() ?? this.#wish(run_id, command);
    },
  };
  readonly workflows: Workflows = {
    list: async () => this.#takeError() ?? [...this.#served.values()],
    get: async (id) => this.#served.get(id),
    put: async (definition) => this.#put(definition),
    sync: async () => [...this.#served.values()],
  };
  readonly kept = new Map<string, Kept>();
  /** What the next call runs into. */
  trouble: Error | Refusal | undefined;
  watching = 0;
  /** The log of every run. */
  lines: LogLine[] = [];
  #served = new Map<string, ServedWorkflow>();
  #keys = new Map<string, { run_id: string; context: string }>();
  #clock = Date.UTC(2030, 0, 1);
  #ids = 0;
  #seq = 0;

  constructor(...workflows: Workflow[]) {
    for (const workflow of workflows) this.serve(workflow);
  }

  serve(workflow: Workflow, more: Partial<ServedWorkflow> = {}): ServedWorkflow {
    const { id, name } = workflow;
    const version = "0".repeat(64);
    const file = `${id}.yaml`;
    const plain = { id, name, version, file, valid: true, diagnostics: [], workflow };
    const served: ServedWorkflow = { ...plain, ...more };
    this.#served.set(id, served);
    return served;
  }

  #trigger({ workflow_id, context, idempotency_key }: TriggerRequest): Triggered | Refusal {
    const served = this.#served.get(workflow_id);
    if (served === undefined) return refuse("unknown_workflow", `no workflow ${workflow_id}`);
    if (served.workflow === null) return refuse("invalid_workflow", `${served.file} has errors`);
    const text = JSON.stringify(context);
    const earlier = this.#keys.get(`${workflow_id} ${idempotency_key}`);
    if (earlier && idempotency_key !== undefined) {
      if (earlier.context !== text) return refuse("idempotency_mismatch", "another context");
      const { status } = this.#keptRun(earlier.run_id).run;
      return { run_id: earlier.run_id, status, created: false };
    }
    const run_id = `run_${(this.#ids++).toString().padStart(26, "0")}`;
    const run = this.#decide(served.workflow, null, {
      type: "start",
      run_id,
      at: this.#clock++,
      workflow_version: served.version ?? "",
      context,
      trigger: { type: "manual", ...(idempotency_key !== undefined && { idempotency_key }) },
    });
    if (isRefusal(run)) return run;
    this.#keys.set(`${workflow_id} ${idempotency_key}`, { run_id, context: text });
    return { run_id, status: run.status, created: true };
  }

  /** As if the oldest open step had ended like this. */
  report(runId: string, outcome: Outcome): Run | Refusal {
    const { run } = this.#keptRun(runId);
    const key = run.open[0] ?? "";
    const attempt = Object.values(run.steps).at(-1)?.attempt ?? 1;
    const at = this.#clock++;
    return this.#wish(runId, {
      type: "report",
      run_id: runId,
      at,
      key,
      attempt,
      outcome,
      chance: 0,
    });
  }

  /** All steps to the end. */
  finish(runId: string): void {
    this.report(runId, { type: "due" });
    this.report(runId, { type: "output", output: { status: 200 } });
  }

  #list(query: RunQuery): { runs: RunSummary[]; next_cursor: string | null } {
    const all = [...this.kept.values()].map(({ run }) => run).reverse();
    const fitting = all.filter(
      (run) =>
        (query.workflow_id === undefined || run.workflow_id === query.workflow_id) &&
        (query.status === undefined || run.status === query.status) &&
        (query.cursor === undefined || run.id < query.cursor),
    );
    const runs = fitting.slice(0, query.limit).map(summary);
    return { runs, next_cursor: fitting.length > query.limit ? (runs.at(-1)?.id ?? null) : null };
  }

  async *#changes(kept: Kept, after: string | undefined, signal: AbortSignalLike) {
    let next = kept.changes.findIndex((change) => change.id === after) + 1;
    if (next === 0) {
      next = kept.changes.length;
      yield { id: kept.changes.at(-1)!.id, type: "run", run: kept.run } satisfies Change;
    }
    this.watching++;
    try {
      while (!signal.aborted) {
        const change = kept.changes[next];
        if (change !== undefined) {
          next++;
          yield change;
        } else if (FINISHED.has(kept.run.status)) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            kept.watchers.add(resolve);
            signal.addEventListener("abort", resolve);
          });
        }
      }
    } finally {
      this.watching--;
    }
  }

  #put(definition: JsonObject): Put {
    const id = String(definition.id);
    if (!Array.isArray(definition.steps)) return { diagnostics: [missingSteps(`${id}.yaml`)] };
    const created = !this.#served.has(id);
    return { created, workflow: this.serve({ ...REMINDER, ...definition } as Workflow) };
  }

  async health(): Promise<Health> {
    this.#takeError();
    const runs: Health["runs"] = {
      pending: 0,
      running: 0,
      paused: 0,
      completed: 0,
      failed: 0,
      cancelled: 0,
    };
    for (const { run } of this.kept.values()) runs[run.status]++;
    const workflows = { served: this.#served.size, invalid: 0 };
    const store = { trouble: null, documents_waiting: 0 };
    return {
      status: "ok",
      version: "1.2.3",
      workflows,
      diagnostics: 0,
      refused_starts: [],
      runs,
      store,
    };
  }

  async close(): Promise<void> {}

  status(runId: string): RunStatus {
    return this.#keptRun(runId).run.status;
  }

  #control(run_id: string, wish: Wish): Run | Refusal {
    const troubled = this.#takeTrouble();
    return troubled ?? this.#wish(run_id, { ...wish, run_id, at: this.#clock++ } as Command);
  }

  #wish(runId: string, command: Command): Run | Refusal {
    const kept = this.kept.get(runId);
    if (kept === undefined) return refuse("unknown_run", `There is no run ${runId}.`);
    const { workflow } = this.#served.get(kept.run.workflow_id)!;
    return this.#decide(workflow!, kept.run, command);
  }

  #decide(workflow: Workflow, before: Run | null, command: Command): Run | Refusal {
    const decided = decide(workflow, before, command);
    if ("refused" in decided) return decided;
    const { decision } = decided;
    const run = fold(before, decision, ++this.#seq);
    const kept = this.kept.get(run.id) ?? { run, changes: [], watchers: new Set() };
    kept.run = run;
    for (const [index, event] of decision.events.entries()) {
      kept.changes.push({ id: `${run.seq}.${index}`, type: "event", event, run });
    }
    this.kept.set(run.id, kept);
    for (const wake of kept.watchers) wake();
    kept.watchers.clear();
    return run;
  }

  #keptRun(runId: string): Kept {
    const kept = this.kept.get(runId);
    if (kept === undefined) throw new Error(`the test knows no run ${runId}`);
    return kept;
  }

  #takeTrouble(): Refusal | undefined {
    this.#takeError();
    const { trouble } = this;
    this.trouble = undefined;
    return trouble as Refusal | undefined;
  }

  #takeError(): undefined {
    const { trouble } = this;
    if (!(trouble instanceof Error)) return undefined;
    this.trouble = undefined;
    throw trouble;
  }
}

function refuse(refused: Refusal["refused"], message: string): Refusal {
  return { refused, message };
}

function summary(run: Run): RunSummary {
  const { id, workflow_id, workflow_version, status, created_at, started_at, finished_at } = run;
  const times = { created_at, started_at, finished_at };
  return { id, workflow_id, workflow_version, status, ...times, error: run.error };
}

function missingSteps(file: string) {
  return {
    file,
    line: 1,
    column: 1,
    end_line: 1,
    end_column: 2,
    kind: "missing-key",
    severity: "error",
    message: "the workflow has no `steps`",
  } as const;
}
