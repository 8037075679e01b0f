// Wishes and reports about one run, stamped with the time by the host. Each may be refused.

import type { Json, JsonObject } from "../flow/json.js";
import type { Concurrency } from "../flow/workflow.js";
import type { Failure, TriggerInfo } from "./run.js";

/** How an effect ended: a wait came due, a call brought an output, or it went wrong. */
export type Outcome =
  | { type: "due" }
  | { type: "output"; output: Json }
  | {
      type: "failure";
      error: Failure /** Asked for by the other side. */;
      retry_after_ms?: number;
    };

interface Base {
  run_id: string;
  /** ms since 1970. */
  at: number;
}

export type Command =
  | (Base & {
      type: "start";
      workflow_version: string;
      context: JsonObject;
      trigger: TriggerInfo;
      /** Is a slot of the concurrency group free? Asked where the group's name is known. */
      slot_free?: (concurrency: Concurrency) => boolean;
    })
  /** A slot of the run's concurrency group has become its own. */
  | (Base & { type: "begin" })
  | (Base & {
      type: "report";
      key: string;
      attempt: number;
      outcome: Outcome;
      /** 0 ≤ chance < 1, drawn by the host: decides the jitter of a retry. */
      chance: number;
    })
  /** A named signal from outside; kept until a step waits for it. */
  | (Base & { type: "signal"; name: string; data: Json })
  /** A person's answer to an approval; `step_id` may be left out where only one is open. */
  | (Base & { type: "answer"; step_id?: string; approved: boolean; comment: string | null })
  | (Base & { type: "pause" })
  | (Base & { type: "resume" })
  | (Base & { type: "cancel"; reason?: string })
  /** From what failed; or from a step of this id or key, as a new iteration of it. */
  | (Base & { type: "retry"; from?: string });

/** What came from outside is cleaned: contexts, answers, signals and what went wrong. */
export function withoutSecrets(command: Command, clean: (value: Json) => Json): Command {
  const as = <T>(value: T): T => clean(value as Json) as T;
  switch (command.type) {
    case "start":
      return { ...command, context: as(command.context), trigger: as(command.trigger) };
    case "report":
      return { ...command, outcome: as(command.outcome) };
    case "signal":
      return { ...command, data: as(command.data) };
    case "answer":
      return { ...command, comment: as(command.comment) };
    case "cancel":
      return command.reason === undefined ? command : { ...command, reason: as(command.reason) };
    default:
      return command;
  }
}

/** A command that may not be: a kind for programs, a sentence for people. */
export interface Refusal {
  refused: RefusalKind;
  message: string;
  /** What does not fit, and where: `/min_amount`. */
  details?: { path: string; message: string }[];
}

export type RefusalKind =
  | "unknown_run"
  | "unknown_workflow"
  | "invalid_workflow" // its file has diagnostics, and no version was ever served
  | "context_mismatch"
  | "already_started"
  | "wrong_status" // the run is not in a status that allows this
  | "unknown_step" // the run's workflow has no such step, or it does not wait for this
  | "stale" // a report about something no longer open; nothing is lost
  | "idempotency_mismatch" // the key was used with another workflow or context
  | "busy"; // a queue is full, or the disk: try again later

export function isRefusal(value: object): value is Refusal {
  return "refused" in value;
}
