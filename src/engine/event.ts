// Facts in the past tense: the only things that change a run. Each carries its own time (ISO, UTC).

import type { Json, JsonObject } from "../flow/json.js";
import type { Concurrency } from "../flow/workflow.js";
import type { Failure, TriggerInfo } from "./run.js";

export type Event =
  | {
      type: "run_created";
      at: string;
      run_id: string;
      workflow_id: string;
      workflow_version: string;
      context: JsonObject;
      trigger: TriggerInfo;
      concurrency?: Concurrency;
    }
  | { type: "run_started"; at: string; deadline_at?: string }
  /** By hand, or because a step waits for a person. */
  | { type: "run_paused"; at: string; by: "hand" | "step" }
  | { type: "run_resumed"; at: string }
  | { type: "run_completed"; at: string; output: Json }
  | { type: "run_failed"; at: string; error: Failure }
  | { type: "run_cancelled"; at: string; reason?: string }
  /** By hand; `from` names a step. The run starts when it may. */
  | { type: "run_retried"; at: string; from?: string }
  /** Next in line: it begins when the run is not held, in a decision of its own. */
  | { type: "step_queued"; at: string; key: string }
  | StepStarted
  /** `signal`: the oldest kept signal of that name was taken for it. */
  | { type: "step_completed"; at: string; key: string; output: Json; signal?: string }
  /** A foreach begins an item (its index), a parallel a branch (its name). */
  | { type: "body_started"; at: string; key: string; body: string }
  | { type: "body_completed"; at: string; key: string; body: string; output: Json }
  /** `number` counts a run's signals from 1. */
  | { type: "signal_received"; at: string; number: number; name: string; data: Json }
  /** One try went wrong, and another follows at `until`. */
  | {
      type: "step_attempt_failed";
      at: string;
      key: string;
      attempt: number;
      error: Failure;
      until: string;
    }
  /** `handled` names whose `on_error` takes it in; without it, the run fails. */
  | {
      type: "step_failed";
      at: string;
      key: string;
      error: Failure;
      handled?: "step" | "workflow";
      output?: Json;
      /** As in `step_completed`; what came with it was not of the declared shape. */
      signal?: string;
    }
  | { type: "step_skipped"; at: string; key: string }
  | { type: "step_cancelled"; at: string; key: string }
  /** A retry by hand: the instance goes on, with a fresh budget of attempts and the same key. */
  | { type: "step_reopened"; at: string; key: string };

/** Without `until`, `answer`, `signal` or bodies, the step's connector is called. */
interface StepStarted {
  type: "step_started";
  at: string;
  key: string;
  attempt: number;
  /** The step waits, until then at most. */
  until?: string;
  /** The step waits for a person, or for a signal of this name. */
  signal?: string;
  /** What the person is asked. */
  message?: string;
  /** The run that a workflow step started. */
  child_run_id?: string;
  /** The values that a foreach runs over. */
  items?: Json[];
  /** The names of a parallel's branches. */
  branches?: string[];
}

/** All events of one command: written whole or not at all, as one journal record. */
export interface Decision {
  run_id: string;
  events: Event[];
}
