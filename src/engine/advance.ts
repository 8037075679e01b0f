// How a run moves from step to step. What is to begin or end next is put on the draft's list.

import {
  ExpressionError,
  evaluateCondition,
  evaluateValue,
  isConstant,
} from "../flow/expression/index.js";
import type { Json } from "../flow/json.js";
import type { Draft } from "./draft.js";
import { instanceKey, instanceState, latestState, parentOf, parseKey } from "./key.js";
import { misfit } from "./output.js";
import type { Failure } from "./run.js";
import { namesIn } from "./scope.js";
import { stepOf } from "./steps.js";

/** A new iteration of a step is next. */
export function enter(draft: Draft, scope: string, stepId: string): void {
  const latest = latestState(draft.run, scope, stepId);
  const key = instanceKey(scope, stepId, latest ? latest.iteration + 1 : 0);
  // Beside it, in the same decision, another body may fail: what is queued is cut off with the
  // rest then, and a retry by hand finds it. At the root nothing is beside it.
  if (scope !== "") draft.emit({ type: "step_queued", key });
  draft.next.push({ begin: key });
}

export function nextAttempt(draft: Draft, key: string): number {
  return (instanceState(draft.run, key)?.attempt ?? 0) + 1;
}

/** A condition at an instance's place. Throws an ExpressionError, as `fill` does. */
export function isTrue(draft: Draft, key: string, text: string, error?: Failure): boolean {
  return evaluateCondition(text, namesIn(draft.workflow, draft.run, parseKey(key).scope, error));
}

/** A value with expressions in it, at an instance's place; without any, it is its own. */
export function fill(draft: Draft, scope: string, value: Json): Json {
  if (isConstant(value)) return value;
  return evaluateValue(value, namesIn(draft.workflow, draft.run, scope));
}

/** What was filled in, for a person to read. */
export function asText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Anything but an expression's own error is a mistake of ours, and goes on up. */
export function expressionFailure(error: unknown): Failure {
  if (!(error instanceof ExpressionError)) throw error;
  return { kind: "expression", message: error.message };
}

/** What the step declares of its output is checked here, once. `signal`: what it took. */
export function complete(draft: Draft, key: string, output: Json, signal?: string): void {
  const step = stepOf(draft.workflow, key);
  const first = step.output === undefined ? undefined : misfit(step.output, output);
  if (first) {
    const message = `The output does not have its declared shape: ${first}`;
    fail(draft, key, { kind: "invalid_output", message }, signal);
    return;
  }
  draft.emit({ type: "step_completed", key, output, ...taken(signal) });
  leave(draft, key, step.next_step_id);
}

function taken(signal: string | undefined): { signal?: string } {
  return signal === undefined ? {} : { signal };
}

/** The last attempt failed: `on_error` of the step, of what is around it, or the run's end. */
export function fail(draft: Draft, key: string, error: Failure, signal?: string): void {
  closeOpenSteps(draft, (open) => open.startsWith(`${key}/`));
  const { onError, handled } = handlerOf(draft, key, error);
  const origin = { step_id: parseKey(key).stepId, key, ...error };
  if (!onError || !handled) {
    draft.emit({ type: "step_failed", key, error, ...taken(signal) });
    const parent = parentOf(parseKey(key).scope);
    if (parent) fail(draft, parent.key, origin);
    else failRun(draft, origin);
    return;
  }
  // Before the failure is recorded: what is cut off here is what a retry by hand goes on from.
  if (handled === "workflow") closeOpenSteps(draft, (open) => open !== key);
  const output = "continue" in onError ? (onError.output ?? null) : null;
  draft.emit({ type: "step_failed", key, error, handled, output, ...taken(signal) });
  if ("continue" in onError) leave(draft, key, stepOf(draft.workflow, key).next_step_id);
  else enter(draft, handled === "workflow" ? "" : parseKey(key).scope, onError.next_step_id);
}

function handlerOf(draft: Draft, key: string, error: Failure) {
  const ofStep = stepOf(draft.workflow, key).on_error;
  // A handler's steps count too: without this a run at its bound could loop through handlers.
  const mayHandle = error.kind !== "max_steps";
  if (ofStep && mayHandle) return { onError: ofStep, handled: "step" as const };
  const ofWorkflow = draft.workflow.on_error;
  const isRoot = parseKey(key).scope === "";
  if (ofWorkflow && mayHandle && isRoot && !draft.run.failing) {
    return { onError: ofWorkflow, handled: "workflow" as const };
  }
  return { onError: undefined, handled: undefined };
}

export function leave(draft: Draft, key: string, next: string | null): void {
  const { scope } = parseKey(key);
  if (next !== null) enter(draft, scope, next);
  // Before anything else begins, which could fail and close what is around.
  else draft.next.unshift({ end: scope });
}

export function failRun(draft: Draft, error: Failure): void {
  closeOpenSteps(draft);
  // What the workflow's on_error was called for is the reason; the handler's own is in its step.
  draft.emit({
    type: "run_failed",
    error: draft.run.failing ? (draft.run.caught ?? error) : error,
  });
}

/** Innermost first. */
export function closeOpenSteps(draft: Draft, which: (key: string) => boolean = () => true): void {
  for (const key of [...draft.run.open].reverse()) {
    if (which(key)) draft.emit({ type: "step_cancelled", key });
  }
}
