// The checked definition of a workflow: plain JSON, every default filled in, every duration in ms.

import type { Json, JsonObject } from "./json.js";

/** A list of steps with its entry. A workflow, a `foreach` and each `parallel` branch have one. */
export interface Body {
  entry_point: string;
  steps: Step[];
}

export interface Workflow extends Body {
  /** `[A-Za-z_][A-Za-z0-9_-]{0,63}`; also the file name in the store. */
  id: string;
  name: string;
  description?: string;
  /** JSON Schema (2020-12) of a run's context. Absent: any object. */
  context?: JsonObject;
  /** Names only. Values come from the host, just before a connector runs. */
  secrets?: string[];
  triggers?: Trigger[];
  concurrency?: Concurrency;
  retention?: Retention;
  timeout_ms?: number;
  on_error?: { next_step_id: string };
  outputs?: JsonObject;
  /** The most step executions of one run, all iterations together. */
  max_steps: number;
}

export interface Step {
  id: string;
  type: string;
  /**
   * As written, with expressions. Durations that the grammar (not a connector) owns are in ms.
   * `foreach`: `{ items, as, max_parallel, collect?, entry_point, steps: Step[] }`,
   * `parallel`: `{ branches: { [name]: Body } }`.
   */
  config: JsonObject;
  /** Resolved: `null` ends the body. An absent `next_step_id` has become the next step's id. */
  next_step_id: string | null;
  if?: string;
  /** Of one attempt. */
  timeout_ms?: number;
  retry?: Retry;
  on_error?: OnError;
  /** The declared JSON Schema of the step's output. */
  output?: JsonObject;
  /** What a crash in the middle of the step means. Absent: `at_least_once`. */
  delivery?: "at_least_once" | "at_most_once";
}

export type OnError = { next_step_id: string } | { continue: true; output?: Json };

export interface Retry {
  /** At least 1; 1 means no retry. */
  max_attempts: number;
  delay_ms: number;
  backoff: "constant" | "linear" | "exponential";
  max_delay_ms: number;
  /** 0 to 1: the share of the delay that chance may add or take away. */
  jitter: number;
  when?: string;
}

/** Which finished runs are kept: those that are within all that is given. */
export interface Retention {
  /** Since the end of a run. */
  days?: number;
  /** The newest ones. */
  runs?: number;
}

export interface Concurrency {
  group: string;
  limit: number;
  on_conflict: "queue" | "skip" | "cancel_running";
}

export type Trigger = ScheduleTrigger | WebhookTrigger | WorkflowTrigger;

export interface ScheduleTrigger {
  type: "schedule";
  cron: string;
  timezone: string;
  missed: "skip" | "run_once";
  context?: JsonObject;
}

export interface WebhookTrigger {
  type: "webhook";
  /** What follows `/hooks/`. */
  path: string;
  signature?: Signature;
  respond: "accepted" | "result";
  /** Absent: the JSON body is the context. */
  context?: JsonObject;
}

export type Signature =
  | { scheme: "standard_webhooks" | "github" | "stripe" | "slack"; secret: string }
  | HmacSignature;

export interface HmacSignature {
  scheme: "hmac";
  /** The name of a secret. */
  secret: string;
  header: string;
  prefix: string;
  encoding: "hex" | "base64";
  algorithm: "sha256" | "sha512" | "sha1";
  id_header?: string;
}

export type Ending = "completed" | "failed" | "cancelled";

export interface WorkflowTrigger {
  type: "workflow";
  workflow_id: string;
  on: Ending[];
  context?: JsonObject;
}
