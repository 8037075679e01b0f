// Does all that follows from what a command did, until everything waits for something, or the run
// has ended. A list, not recursion: a thousand steps that take no time are no deeper than one.

import { ExpressionError } from "../flow/expression/index.js";
import type { Json } from "../flow/json.js";
import { MAX_EVENTS_PER_DECISION } from "../limits.js";
import { expressionFailure, fail, failRun, fill, isTrue, leave, nextAttempt } from "./advance.js";
import { CONTROL } from "./control.js";
import type { Draft } from "./draft.js";
import { instanceState, parentOf, parseKey } from "./key.js";
import { FINISHED } from "./run.js";
import { asksAPerson } from "./waiting.js";

export function settle(draft: Draft): void {
  for (let next = draft.next.shift(); next; next = draft.next.shift()) {
    if (FINISHED.has(draft.run.status)) return;
    const scope = "begin" in next ? parseKey(next.begin).scope : next.end;
    const parent = parentOf(scope);
    // What is around it was closed meanwhile.
    if (parent && !draft.run.open.includes(parent.key)) continue;
    if ("begin" in next) beginOrQueue(draft, next.begin);
    else if (parent)
      CONTROL[draft.step(parent.key).type]?.bodyEnded?.(draft, parent.key, parent.body);
    else endRun(draft);
  }
  if (!FINISHED.has(draft.run.status)) pauseOrResume(draft);
}

/** In a held run, or after a long chain of steps that take no time, its turn comes later. */
function beginOrQueue(draft: Draft, key: string): void {
  const isNew = !draft.run.open.includes(key);
  const isFirst = instanceState(draft.run, key)?.attempt === 0;
  if (draft.run.step_count + Number(isNew) > draft.workflow.max_steps && (isNew || isFirst)) {
    fail(draft, key, {
      kind: "max_steps",
      message: `The run has executed max_steps = ${draft.workflow.max_steps} steps.`,
    });
  } else if (!draft.run.held && draft.events.length < MAX_EVENTS_PER_DECISION) {
    begin(draft, key);
  } else if (isNew) {
    draft.emit({ type: "step_queued", key });
  }
}

/** Starts the next attempt of an instance that is new, queued, reopened or due again. */
function begin(draft: Draft, key: string): void {
  const step = draft.step(key);
  const attempt = nextAttempt(draft, key);
  try {
    if (attempt === 1 && step.if !== undefined && !isTrue(draft, key, step.if)) {
      draft.emit({ type: "step_skipped", key });
      leave(draft, key, step.next_step_id);
      return;
    }
    const control = CONTROL[step.type];
    if (control) control.begin(draft, key, step);
    else draft.emit({ type: "step_started", key, attempt });
  } catch (error) {
    fail(draft, key, expressionFailure(error));
  }
}

/** A held run ends when it is resumed. */
function endRun(draft: Draft): void {
  const { failing, caught, held } = draft.run;
  if (held) return;
  pauseOrResume(draft);
  if (failing && caught) {
    draft.emit({ type: "run_failed", error: caught });
    return;
  }
  try {
    draft.emit({ type: "run_completed", output: outputOf(draft) });
  } catch (error) {
    failRun(draft, expressionFailure(error));
  }
}

/** An output that names a step which did not run is null. */
function outputOf(draft: Draft): Json {
  const { outputs } = draft.workflow;
  if (outputs === undefined) return null;
  const values = Object.entries(outputs).map(([name, value]) => {
    try {
      return [name, fill(draft, "", value)] as const;
    } catch (error) {
      if (error instanceof ExpressionError && error.kind === "missing")
        return [name, null] as const;
      throw error;
    }
  });
  return Object.fromEntries(values);
}

/** A run in which a step waits for a person is paused, whatever else is in flight in it. */
function pauseOrResume(draft: Draft): void {
  const { status, held } = draft.run;
  const asks = asksAPerson(draft.workflow, draft.run);
  if (status === "running" && asks) draft.emit({ type: "run_paused", by: "step" });
  if (status === "paused" && !held && !asks) draft.emit({ type: "run_resumed" });
}
