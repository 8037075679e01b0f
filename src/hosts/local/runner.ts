// The local host's Runner: what the doors ask, turned into commands for the loop.

import { createHash } from "node:crypto";
import type { Command, Refusal } from "../../engine/command.js";
import { isRefusal } from "../../engine/command.js";
import type { Loop } from "../../engine/loop.js";
import { FINISHED, type Run } from "../../engine/run.js";
import type {
  AbortSignalLike,
  Change,
  LogPage,
  LogQuery,
  PersonAnswer,
  Runner,
  RunQuery,
  RunSummary,
  Triggered,
  TriggerRequest,
} from "../../engine/runner.js";
import { waitingFor } from "../../engine/waiting-for.js";
import { canonicalJson } from "../../flow/canonical.js";
import type { Json } from "../../flow/json.js";
import type { Workflow } from "../../flow/workflow.js";
import { newRunId } from "./run-id.js";
import type { RunLogs } from "./run-logs.js";
import type { Store } from "./store-types.js";
import type { Tally } from "./tally.js";
import type { Watchers } from "./watchers.js";

/** What of the workflows a runner needs: what new runs get. */
export interface Served {
  /** Resolves once all flow files have been looked at. */
  ready(): Promise<void>;
  current(id: string): { workflow: Workflow; version: string } | undefined;
  /** Why there is no current one, in a sentence; undefined: nobody knows this id. */
  unserved(id: string): string | undefined;
}

export class LocalRunner implements Runner {
  /** By workflow and idempotency key: triggers whose run is not durable yet. */
  readonly #starting = new Map<string, Promise<Triggered | Refusal>>();

  constructor(
    readonly loop: Loop,
    readonly store: Store,
    readonly workflows: Served,
    readonly watchers: Watchers,
    readonly runLogs: RunLogs,
    /** Why no new run should be taken now, in a sentence; undefined: go ahead. */
    readonly busy: () => string | undefined,
    /** Told of each trigger, and of what it was answered. */
    readonly tally: Pick<Tally, "answered">,
  ) {}

  async trigger(request: TriggerRequest): Promise<Triggered | Refusal> {
    await this.workflows.ready();
    const answer = await this.#trigger(request);
    this.tally.answered(request, answer);
    return answer;
  }

  async get(runId: string): Promise<Run | undefined> {
    return this.loop.get(runId) ?? this.store.get(runId);
  }

  async logs(runId: string, query: LogQuery): Promise<LogPage | undefined> {
    if ((await this.get(runId)) === undefined) return undefined;
    return this.runLogs.read(runId, query);
  }

  async list(query: RunQuery): Promise<{ runs: RunSummary[]; next_cursor: string | null }> {
    const { runs, next_cursor } = this.store.list(query);
    return { runs: await Promise.all(runs.map((run) => this.#withWaits(run))), next_cursor };
  }

  async watch(
    runId: string,
    after: string | undefined,
    signal: AbortSignalLike,
  ): Promise<AsyncIterable<Change> | undefined> {
    const stored = this.loop.get(runId) ? undefined : await this.store.get(runId);
    // Asked again after waiting for the disk: a retry may have revived it meanwhile.
    const run = this.loop.get(runId) ?? stored;
    return run && this.watchers.watch(run, after, signal);
  }

  async ended(runId: string, signal: AbortSignalLike): Promise<Run | undefined> {
    const stored = this.loop.get(runId) ? undefined : await this.store.get(runId);
    const run = this.loop.get(runId) ?? stored;
    if (run === undefined || FINISHED.has(run.status)) return run;
    return (await this.watchers.ended(runId, signal)) ?? this.get(runId);
  }

  pause(runId: string): Promise<Run | Refusal> {
    return this.#command(runId, { type: "pause" });
  }

  resume(runId: string): Promise<Run | Refusal> {
    return this.#command(runId, { type: "resume" });
  }

  cancel(runId: string, reason?: string): Promise<Run | Refusal> {
    return this.#command(runId, { type: "cancel", ...(reason === undefined ? {} : { reason }) });
  }

  retry(runId: string, from?: string): Promise<Run | Refusal> {
    return this.#command(runId, { type: "retry", ...(from === undefined ? {} : { from }) });
  }

  signal(runId: string, name: string, data: Json): Promise<Run | Refusal> {
    return this.#command(runId, { type: "signal", name, data });
  }

  answer(runId: string, answer: PersonAnswer): Promise<Run | Refusal> {
    return this.#command(runId, { type: "answer", ...answer });
  }

  #trigger(request: TriggerRequest): Promise<Triggered | Refusal> {
    const served = this.workflows.current(request.workflow_id);
    if (!served) return Promise.resolve(unserved(request.workflow_id, this.workflows));
    const key = request.idempotency_key;
    if (key === undefined) return this.#start(request, served);
    return this.#startOnce(request, served, key);
  }

  async #startOnce(
    request: TriggerRequest,
    served: { workflow: Workflow; version: string },
    key: string,
  ): Promise<Triggered | Refusal> {
    const slot = `${request.workflow_id} ${key}`;
    const earlier = this.#starting.get(slot);
    if (earlier) {
      // If that one was refused nothing holds the key, and this request is asked on its own.
      const first = await earlier;
      if (isRefusal(first)) return this.#trigger(request);
    }
    const runId = this.store.findByKey(request.workflow_id, key);
    if (runId !== undefined) return this.#repeated(runId, request);
    const started = this.#start(request, served);
    this.#starting.set(slot, started);
    try {
      return await started;
    } finally {
      if (this.#starting.get(slot) === started) this.#starting.delete(slot);
    }
  }

  /** A paused run is live, so that it need not be read for this. */
  async #withWaits(summary: RunSummary): Promise<RunSummary> {
    const run = summary.status === "paused" ? await this.get(summary.id) : undefined;
    return run === undefined ? summary : { ...summary, waiting_for: waitingFor(run) };
  }

  #start(
    request: TriggerRequest,
    served: { workflow: Workflow; version: string },
  ): Promise<Triggered | Refusal> {
    const busy = this.busy();
    if (busy !== undefined) return Promise.resolve({ refused: "busy", message: busy });
    const run_id = newRunId(Date.now());
    const command: Command = {
      type: "start",
      run_id,
      at: Date.now(),
      workflow_version: served.version,
      context: request.context,
      trigger: { type: "manual", ...request.trigger, ...keyOf(request) },
    };
    return new Promise((resolve) => {
      this.loop.dispatch(command, (result) => {
        // A run is created as pending, and starts in the same durable write.
        resolve(isRefusal(result) ? result : { run_id, status: "pending", created: true });
      });
    });
  }

  async #repeated(runId: string, request: TriggerRequest): Promise<Triggered | Refusal> {
    const run = await this.get(runId);
    if (!run) return unknownRun(runId);
    if (request.trigger === undefined && run.trigger.request_hash !== hash(request)) {
      const message =
        `The idempotency key "${request.idempotency_key}" was used for run ${runId} ` +
        "with another context; use a new key for a new request.";
      return { refused: "idempotency_mismatch", message };
    }
    return { run_id: runId, status: run.status, created: false };
  }

  async #command(runId: string, wish: Wish): Promise<Run | Refusal> {
    const stored = this.loop.wake(runId) ? undefined : await this.store.get(runId);
    // Asked again after waiting for the disk: a retry may have revived it meanwhile.
    const isLive = this.loop.wake(runId);
    if (!isLive && !stored) return unknownRun(runId);
    if (!isLive && stored && !FINISHED.has(stored.status)) return lostVersion(stored);
    const command = { ...wish, run_id: runId, at: Date.now() } as Command;
    return new Promise((resolve) => this.loop.dispatch(command, resolve, stored));
  }
}

type Wishes = Extract<
  Command,
  { type: "pause" | "resume" | "cancel" | "retry" | "signal" | "answer" }
>;
type Wish = Wishes extends infer W ? (W extends Wishes ? Omit<W, "run_id" | "at"> : never) : never;

function keyOf(request: TriggerRequest): { idempotency_key?: string; request_hash?: string } {
  if (request.idempotency_key === undefined) return {};
  const { idempotency_key } = request;
  return request.trigger ? { idempotency_key } : { idempotency_key, request_hash: hash(request) };
}

/** Tells a repeated request from another one that took the same key. */
function hash(request: TriggerRequest): string {
  return createHash("sha256").update(canonicalJson(request.context)).digest("hex").slice(0, 16);
}

function unserved(id: string, workflows: Served): Refusal {
  const reason = workflows.unserved(id);
  if (reason !== undefined) return { refused: "invalid_workflow", message: reason };
  return { refused: "unknown_workflow", message: `There is no workflow "${id}".` };
}

function unknownRun(runId: string): Refusal {
  return { refused: "unknown_run", message: `There is no run ${runId}.` };
}

function lostVersion(run: Run): Refusal {
  const message =
    `Run ${run.id} cannot go on: the store has lost version ${run.workflow_version} ` +
    `of workflow "${run.workflow_id}".`;
  return { refused: "wrong_status", message };
}
