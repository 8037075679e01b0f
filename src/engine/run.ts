// A run: one execution of one version of a workflow. This type is the stored JSON document.

import type { Json, JsonObject } from "../flow/json.js";
import type { Concurrency } from "../flow/workflow.js";

export type RunStatus = "pending" | "running" | "paused" | "completed" | "failed" | "cancelled";

/**
 * The one table of run statuses: what may follow what, and by which event. An event that has no
 * row here for the run's status changes nothing; a command that would need one is refused.
 */
export const TRANSITIONS: {
  readonly [from in RunStatus]: { readonly [event: string]: RunStatus };
} = {
  pending: { run_started: "running", run_cancelled: "cancelled" },
  running: {
    run_paused: "paused",
    run_completed: "completed",
    run_failed: "failed",
    run_cancelled: "cancelled",
  },
  paused: {
    run_paused: "paused", // waiting for a person's answer, and now held by hand too
    run_resumed: "running",
    run_failed: "failed",
    run_cancelled: "cancelled",
  },
  completed: {},
  // To be started again; at once, or when its concurrency group has a free slot.
  failed: { run_retried: "pending" },
  cancelled: { run_retried: "pending" },
};

export type StepStatus =
  | "pending" // next in line: its turn is yet to come, or the run is held
  | "running" // a connector has been called, or steps inside it are at work
  | "waiting" // for `until`, for a person's answer, or for a signal
  | "completed"
  | "failed"
  | "skipped"
  | "cancelled";

/** Why an attempt, a step or a run failed. `kind` is for programs, `message` for people. */
export interface Failure {
  /** `http_status`, `network`, `timeout`, `interrupted`, `invalid_output`, … */
  kind: string;
  message: string;
  /** The HTTP status, where there was one. */
  status?: number;
  /** Of a program that ended otherwise than expected. */
  exit_code?: number;
  /** The step's id, in a run's `error`. */
  step_id?: string;
  /** The instance's key, in a run's `error`. */
  key?: string;
}

/** The steps of one body that were reached, by id: the latest iteration of each. */
export interface Scope {
  steps: { [stepId: string]: StepState };
}

/** One item of a `foreach`, or one branch of a `parallel`. */
export interface BodyState extends Scope {
  status: "pending" | "running" | "completed";
  /** The item's value; in a branch null. */
  item: Json;
  /** What `collect` made of it; null before, and in a branch. */
  output: Json;
}

/** What is kept of an iteration when a loop comes round to its step again. */
export type Iteration = Pick<StepState, "iteration" | "status" | "started_at" | "finished_at">;

export interface StepState {
  status: StepStatus;
  /** From 1; all attempts of one instance share its key. 0 before the first. */
  attempt: number;
  /** From 0; a loop's next pass is a new iteration, and a new instance. */
  iteration: number;
  started_at: string | null;
  finished_at: string | null;
  output: Json;
  error: Failure | null;
  /** ISO time: when a waiting step, or a pending one that is not held, comes due. */
  until?: string;
  /** The signal that a waiting step goes on with. */
  signal?: string;
  /** Of an `approval`: what the person is asked. */
  message?: string;
  /** Of a `foreach`, in the order of its items. */
  items?: BodyState[];
  /** Of a `workflow`: the run that it started. */
  child_run_id?: string;
  /** Of a `parallel`, by name. */
  branches?: { [name: string]: BodyState };
  /** How many bodies were begun, and how many of them have ended. */
  bodies_begun?: number;
  bodies_ended?: number;
  /** Keys right in its bodies at which they failed or were cut off, as `retry_from` in a run. */
  cut_off?: string[];
  /** The latest earlier iterations, oldest first. */
  earlier?: Iteration[];
  /** Attempts spent before the last retry by hand; they do not count against `max_attempts`. */
  attempts_before?: number;
}

/** What started the run, and what it brought. */
export interface TriggerInfo {
  type: "manual" | "schedule" | "webhook" | "workflow";
  idempotency_key?: string;
  [key: string]: Json | undefined;
}

export interface Run extends Scope {
  id: string;
  workflow_id: string;
  /** SHA-256 of the workflow's canonical JSON, hex. */
  workflow_version: string;
  status: RunStatus;
  context: JsonObject;
  trigger: TriggerInfo;
  error: Failure | null;
  /** The workflow's `outputs`; null without any. */
  output: Json;
  /** ISO 8601, UTC, ms. */
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** When the whole run times out. */
  deadline_at?: string;
  /** Keys of the instances that are not finished, oldest first. */
  open: string[];
  /** It may only run while its group has a free slot; until then it is pending. */
  concurrency?: Concurrency;
  /** A retry by hand that has not started again yet; `from` names a step to go on from. */
  retrying?: { from?: string };
  /** Held by hand: what is in flight may end, and nothing new begins. */
  held?: true;
  /** Signals that came before a step waited for them, oldest first. */
  signals?: { name: string; data: Json }[];
  /** How many signals ever came. */
  signals_received?: number;
  /** Keys that a retry by hand goes on from, and from what was cut off in them. */
  retry_from?: string[];
  /** The last failure that `on_error` took in; what `error` means in an expression. */
  caught?: Failure;
  /** The workflow's own `on_error` is at work; the run will end as failed, with `caught`. */
  failing?: true;
  /** Step executions so far, all iterations together; bounded by `max_steps`. */
  step_count: number;
  /** Sequence number of the journal record this document was folded to. */
  seq: number;
}

/** Of the instances that `open` names. */
export const OPEN: ReadonlySet<StepStatus> = new Set(["pending", "running", "waiting"]);

export const FINISHED: ReadonlySet<RunStatus> = new Set(["completed", "failed", "cancelled"]);
