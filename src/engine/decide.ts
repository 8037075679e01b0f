// decide(workflow, run, command) -> the events that follow, or a refusal. Pure: time and chance
// come with the command.

import { checkContext } from "../flow/context.js";
import type { Workflow } from "../flow/workflow.js";
import { begin, closeOpenSteps, complete, endBody, enter, fail, failRun } from "./advance.js";
import type { Command, Outcome, Refusal } from "./command.js";
import { Draft, isoTime } from "./draft.js";
import type { Decision } from "./event.js";
import { instanceState } from "./key.js";
import { retryDelay } from "./retry.js";
import { FINISHED, type Run, type StepState, TRANSITIONS } from "./run.js";
import { stepOf } from "./steps.js";

/** What was decided, and the run that it makes (its `seq` is still the old one). */
export interface Decided {
  decision: Decision;
  run: Run;
}

/** `run` is null only for `start`. */
export function decide(workflow: Workflow, run: Run | null, command: Command): Decided | Refusal {
  const draft = new Draft(workflow, run, command.at);
  const refusal = apply(draft, run, command);
  if (refusal) return refusal;
  return { decision: draft.decision(), run: draft.run };
}

/** The key of the run's own deadline among its effects. */
export const DEADLINE = "";

function apply(draft: Draft, run: Run | null, command: Command): Refusal | undefined {
  if (command.type === "start") return start(draft, run, command);
  if (run === null)
    return { refused: "unknown_run", message: `There is no run ${command.run_id}.` };
  switch (command.type) {
    case "report":
      return report(draft, command);
    case "pause":
      return wrongStatus(draft.run, "run_paused", "paused") ?? pause(draft);
    case "resume":
      return wrongStatus(draft.run, "run_resumed", "resumed") ?? resume(draft);
    case "cancel":
      return wrongStatus(draft.run, "run_cancelled", "cancelled") ?? cancel(draft, command);
    case "retry":
      return wrongStatus(draft.run, "run_retried", "retried") ?? retry(draft);
  }
}

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

function start(draft: Draft, run: Run | null, command: Of<"start">): Refusal | undefined {
  if (run !== null) {
    return { refused: "already_started", message: `Run ${run.id} exists already.` };
  }
  const { workflow } = draft;
  const checked = checkContext(workflow, command.context);
  if ("details" in checked) {
    return {
      refused: "context_mismatch",
      message: `The context does not fit workflow "${workflow.id}".`,
      details: checked.details,
    };
  }
  draft.emit({
    type: "run_created",
    run_id: command.run_id,
    workflow_id: workflow.id,
    workflow_version: command.workflow_version,
    context: checked.context,
    trigger: command.trigger,
  });
  draft.emit({ type: "run_started", ...deadline(draft) });
  enter(draft, "", workflow.entry_point);
  return undefined;
}

function deadline(draft: Draft): { deadline_at?: string } {
  const ms = draft.workflow.timeout_ms;
  return ms === undefined ? {} : { deadline_at: isoTime(draft.now + ms) };
}

function report(draft: Draft, command: Of<"report">): Refusal | undefined {
  const { key, attempt, outcome } = command;
  if (key === DEADLINE) return deadlinePassed(draft);
  const state = instanceState(draft.run, key);
  const awaited = outcome.type === "due" ? "waiting" : "running";
  const isOpen = draft.run.open.includes(key) && !FINISHED.has(draft.run.status);
  // In a paused run nothing comes due; resuming asks for the wait again.
  const isHeld = outcome.type === "due" && draft.run.status === "paused";
  if (!isOpen || isHeld || state?.status !== awaited || state.attempt !== attempt) {
    return { refused: "stale", message: `Nothing waits for ${key}, attempt ${attempt}.` };
  }
  if (outcome.type === "due") due(draft, key, state);
  else if (outcome.type === "output") complete(draft, key, outcome.output);
  else attemptFailed(draft, command, state, outcome);
  return undefined;
}

function deadlinePassed(draft: Draft): Refusal | undefined {
  const { run, workflow } = draft;
  if (run.deadline_at === undefined || draft.now < Date.parse(run.deadline_at)) {
    return { refused: "stale", message: `Run ${run.id} has no deadline that is past.` };
  }
  failRun(draft, {
    kind: "timeout",
    message: `The run took longer than its timeout of ${(workflow.timeout_ms ?? 0) / 1000} s.`,
  });
  return undefined;
}

/** A wait before another attempt has an error behind it; a delay has none. */
function due(draft: Draft, key: string, state: StepState): void {
  if (state.error === null) complete(draft, key, null);
  else begin(draft, key);
}

function attemptFailed(
  draft: Draft,
  { key, attempt, chance }: Of<"report">,
  state: StepState,
  outcome: Extract<Outcome, { type: "failure" }>,
): void {
  const step = stepOf(draft.workflow, key);
  const delay = retryDelay(step, state, outcome.error, chance, outcome.retry_after_ms);
  if (delay === null) {
    fail(draft, key, outcome.error);
    return;
  }
  const until = isoTime(draft.now + delay);
  draft.emit({ type: "step_attempt_failed", key, attempt, error: outcome.error, until });
}

function wrongStatus(run: Run, event: string, participle: string): Refusal | undefined {
  if (TRANSITIONS[run.status][event] !== undefined) return undefined;
  return {
    refused: "wrong_status",
    message: `Run ${run.id} is ${run.status}; it cannot be ${participle} now.`,
  };
}

/** Calls in flight go on and are recorded; what would follow them is held back. */
function pause(draft: Draft): undefined {
  draft.emit({ type: "run_paused" });
}

function resume(draft: Draft): undefined {
  draft.emit({ type: "run_resumed" });
  goOn(draft);
}

/** Starts what was held back; with nothing open, the body had ended. */
function goOn(draft: Draft): void {
  const queued = draft.run.open.filter(
    (key) => instanceState(draft.run, key)?.status === "pending",
  );
  for (const key of queued) {
    if (draft.run.open.includes(key)) begin(draft, key);
  }
  if (draft.run.open.length === 0 && !FINISHED.has(draft.run.status)) endBody(draft);
}

function cancel(draft: Draft, command: Of<"cancel">): undefined {
  closeOpenSteps(draft);
  const reason = command.reason === undefined ? {} : { reason: command.reason };
  draft.emit({ type: "run_cancelled", ...reason });
}

/** Goes on from what failed and what was cut off with it; what is before that stays as it is. */
function retry(draft: Draft): undefined {
  const from = draft.run.retry_from ?? [];
  draft.emit({ type: "run_retried", ...deadline(draft) });
  if (Object.keys(draft.run.steps).length === 0) {
    enter(draft, "", draft.workflow.entry_point);
    return;
  }
  for (const key of from) {
    if (instanceState(draft.run, key)) draft.emit({ type: "step_reopened", key });
  }
  goOn(draft);
}
