// Facts in the past tense: the only things that change a run. Each carries its own time (ISO, UTC).

import type { Json, JsonObject } from "../flow/json.js";
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
    }
  | { type: "run_started"; at: string; deadline_at?: string }
  | { type: "run_paused"; at: string }
  | { type: "run_resumed"; at: string }
  | { type: "run_completed"; at: string; output: Json }
  | { type: "run_failed"; at: string; error: Failure }
  | { type: "run_cancelled"; at: string; reason?: string }
  | { type: "run_retried"; at: string; deadline_at?: string }
  /** Held back: the step is next, but the run is paused. */
  | { type: "step_queued"; at: string; key: string }
  /** With `until` the step waits for that time; without, its connector is called. */
  | { type: "step_started"; at: string; key: string; attempt: number; until?: string }
  | { type: "step_completed"; at: string; key: string; output: Json }
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
    }
  | { type: "step_skipped"; at: string; key: string }
  | { type: "step_cancelled"; at: string; key: string }
  /** A retry by hand: the instance goes on, with a fresh budget of attempts and the same key. */
  | { type: "step_reopened"; at: string; key: string };

export type EventType = Event["type"];

/** All events of one command: written whole or not at all, as one journal record. */
export interface Decision {
  run_id: string;
  events: Event[];
}
