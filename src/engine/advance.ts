// How a run moves from step to step: entering, finishing and failing a step, ending a body.

import { parseDuration } from "../flow/duration.js";
import type { Json } from "../flow/json.js";
import type { Step } from "../flow/workflow.js";
import { type Draft, isoTime } from "./draft.js";
import { instanceKey, instanceState, parseKey } from "./key.js";
import type { Failure } from "./run.js";
import { stepOf } from "./steps.js";

/** A new iteration of a step begins, or, while the run is paused, is queued. */
export function enter(draft: Draft, scope: string, stepId: string): void {
  const latest = draft.run.steps[stepId];
  const key = instanceKey(scope, stepId, latest ? latest.iteration + 1 : 0);
  if (draft.run.step_count >= draft.workflow.max_steps) {
    fail(draft, key, {
      kind: "max_steps",
      message: `The run has executed max_steps = ${draft.workflow.max_steps} steps.`,
    });
  } else if (draft.run.status === "paused") {
    draft.emit({ type: "step_queued", key });
  } else {
    begin(draft, key);
  }
}

/** Starts the next attempt of an instance that is new, queued, reopened or due again. */
export function begin(draft: Draft, key: string): void {
  const step = stepOf(draft.workflow, key);
  const attempt = (instanceState(draft.run, key)?.attempt ?? 0) + 1;
  const waits = WAITS[step.type];
  if (!waits) {
    draft.emit({ type: "step_started", key, attempt });
    return;
  }
  const until = waits(step, draft.now);
  if (typeof until === "number") {
    draft.emit({ type: "step_started", key, attempt, until: isoTime(until) });
  } else {
    fail(draft, key, until);
  }
}

/** Step types that only wait: until when, in ms. */
const WAITS: { [type: string]: (step: Step, now: number) => number | Failure } = {
  delay: (step, now) => {
    const { seconds, for: duration, until } = step.config;
    if (typeof until === "string") return Math.max(Date.parse(until), now);
    return now + (typeof seconds === "number" ? seconds * 1000 : durationMs(duration ?? 0));
  },
};

/** A number is seconds; the language has checked a text. */
function durationMs(value: Json): number {
  const ms = parseDuration(value);
  if (typeof ms !== "number") throw new Error(`not a duration: ${String(value)}`);
  return ms;
}

export function complete(draft: Draft, key: string, output: Json): void {
  draft.emit({ type: "step_completed", key, output });
  leave(draft, key, stepOf(draft.workflow, key).next_step_id);
}

/** The last attempt failed: `on_error` of the step, of the workflow, or the end of the run. */
export function fail(draft: Draft, key: string, error: Failure): void {
  const { onError, handled } = handlerOf(draft, key, error);
  if (!onError || !handled) {
    draft.emit({ type: "step_failed", key, error });
    failRun(draft, { ...error, step_id: parseKey(key).stepId, key });
    return;
  }
  // Before the failure is recorded: what is cut off here is what a retry by hand goes on from.
  if (handled === "workflow") closeOpenSteps(draft, key);
  const output = "continue" in onError ? (onError.output ?? null) : null;
  draft.emit({ type: "step_failed", key, error, handled, output });
  if ("continue" in onError) {
    leave(draft, key, stepOf(draft.workflow, key).next_step_id);
  } else {
    enter(draft, handled === "workflow" ? "" : parseKey(key).scope, onError.next_step_id);
  }
}

function handlerOf(draft: Draft, key: string, error: Failure) {
  const ofStep = stepOf(draft.workflow, key).on_error;
  // A handler's steps count too: without this a run at its bound could loop through handlers.
  const mayHandle = error.kind !== "max_steps";
  if (ofStep && mayHandle) return { onError: ofStep, handled: "step" as const };
  const ofWorkflow = draft.workflow.on_error;
  if (ofWorkflow && mayHandle && !draft.run.failing) {
    return { onError: ofWorkflow, handled: "workflow" as const };
  }
  return { onError: undefined, handled: undefined };
}

function leave(draft: Draft, key: string, next: string | null): void {
  const { scope } = parseKey(key);
  if (next !== null) enter(draft, scope, next);
  else endBody(draft);
}

/** The end of the root body ends the run; a paused run ends when it is resumed. */
export function endBody(draft: Draft): void {
  if (draft.run.status === "paused") return;
  const { failing, caught } = draft.run;
  if (failing && caught) draft.emit({ type: "run_failed", error: caught });
  else draft.emit({ type: "run_completed", output: null });
}

export function failRun(draft: Draft, error: Failure): void {
  closeOpenSteps(draft);
  // What the workflow's on_error was called for is the reason; the handler's own is in its step.
  draft.emit({
    type: "run_failed",
    error: draft.run.failing ? (draft.run.caught ?? error) : error,
  });
}

export function closeOpenSteps(draft: Draft, except?: string): void {
  for (const key of [...draft.run.open].reverse()) {
    if (key !== except) draft.emit({ type: "step_cancelled", key });
  }
}
