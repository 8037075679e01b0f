// decide(workflow, run, command) -> the events that follow, or a refusal. Pure: time and chance
// come with the command.

import type { Workflow } from "../flow/workflow.js";
import { MAX_KEPT_SIGNALS } from "../limits.js";
import { complete, expressionFailure, fail, failRun, isTrue } from "./advance.js";
import type { Command, Outcome, Refusal } from "./command.js";
import { CONTROL } from "./control.js";
import { Draft } from "./draft.js";
import type { Decision } from "./event.js";
import { instanceState, parseKey, RUN } from "./key.js";
import { begin, cancel, pause, resume, retry, start, wrongStatus } from "./lifecycle.js";
import { retryDelay } from "./retry.js";
import { type Failure, FINISHED, type Run, type StepState } from "./run.js";
import { settle } from "./settle.js";
import { stepOf } from "./steps.js";
import { isoTime } from "./time.js";
import { APPROVAL_SIGNAL } from "./waiting-for.js";

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
  settle(draft);
  return { decision: draft.decision(), run: draft.run };
}

function apply(draft: Draft, run: Run | null, command: Command): Refusal | undefined {
  if (command.type === "start") return start(draft, run, command);
  if (run === null)
    return { refused: "unknown_run", message: `There is no run ${command.run_id}.` };
  switch (command.type) {
    case "report":
      return report(draft, command);
    case "signal":
      return signal(draft, command);
    case "answer":
      return answer(draft, command);
    case "begin":
      return wrongStatus(draft.run, "run_started", "started") ?? begin(draft);
    case "pause":
      return wrongStatus(draft.run, "run_paused", "paused") ?? pause(draft);
    case "resume":
      return wrongStatus(draft.run, "run_resumed", "resumed") ?? resume(draft);
    case "cancel":
      return wrongStatus(draft.run, "run_cancelled", "cancelled") ?? cancel(draft, command);
    case "retry":
      return wrongStatus(draft.run, "run_retried", "retried") ?? retry(draft, command);
  }
}

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

function report(draft: Draft, command: Of<"report">): Refusal | undefined {
  const { key, attempt, outcome } = command;
  if (key === RUN) return deadlinePassed(draft);
  const state = instanceState(draft.run, key);
  const isOpen = draft.run.open.includes(key) && !FINISHED.has(draft.run.status);
  const isDue = outcome.type === "due";
  const isAwaited = isDue ? state?.until !== undefined && !draft.run.held : isCalled(state);
  if (!isOpen || !state || !isAwaited || state.attempt !== attempt) {
    return { refused: "stale", message: `Nothing waits for ${key}, attempt ${attempt}.` };
  }
  if (isDue) due(draft, key, state);
  else if (outcome.type === "output") complete(draft, key, outcome.output);
  else attemptFailed(draft, command, state, outcome);
  return undefined;
}

function isCalled(state: StepState | undefined): boolean {
  return state?.status === "running" && !state.items && !state.branches;
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

/** A pending step's turn has come; an error is behind a wait that another attempt follows. */
function due(draft: Draft, key: string, state: StepState): void {
  const isRetry = state.status === "waiting" && state.error !== null;
  if (state.status === "pending" || isRetry) {
    draft.next.push({ begin: key });
    return;
  }
  const step = draft.step(key);
  const rule = CONTROL[step.type]?.due;
  if (rule) rule(draft, key, step);
  else complete(draft, key, null);
}

function attemptFailed(
  draft: Draft,
  { key, attempt, chance }: Of<"report">,
  state: StepState,
  outcome: Extract<Outcome, { type: "failure" }>,
): void {
  const step = stepOf(draft.workflow, key);
  const delay = retryDelay(step, state, outcome.error, chance, outcome.retry_after_ms);
  if (delay === null || !isRetried(draft, key, outcome.error)) {
    fail(draft, key, outcome.error);
    return;
  }
  const until = isoTime(draft.now + delay);
  draft.emit({ type: "step_attempt_failed", key, attempt, error: outcome.error, until });
}

/** A `when` that cannot be evaluated gives no reason to try again. */
function isRetried(draft: Draft, key: string, error: Failure): boolean {
  const when = draft.step(key).retry?.when;
  if (when === undefined) return true;
  try {
    const origin = { step_id: parseKey(key).stepId, key, ...error };
    return isTrue(draft, key, when, origin);
  } catch (thrown) {
    expressionFailure(thrown);
    return false;
  }
}

function signal(draft: Draft, { name, data }: Of<"signal">): Refusal | undefined {
  const { run } = draft;
  if (FINISHED.has(run.status)) {
    return {
      refused: "wrong_status",
      message: `Run ${run.id} is ${run.status}; it hears nothing.`,
    };
  }
  const waiting = run.open.find((key) => instanceState(run, key)?.signal === name);
  if (!waiting && (run.signals?.length ?? 0) >= MAX_KEPT_SIGNALS) {
    const message = `Run ${run.id} keeps ${MAX_KEPT_SIGNALS} signals already that no step took.`;
    return { refused: "busy", message };
  }
  const number = (run.signals_received ?? 0) + 1;
  draft.emit({ type: "signal_received", number, name, data });
  if (waiting) complete(draft, waiting, data, name);
  return undefined;
}

function answer(draft: Draft, command: Of<"answer">): Refusal | undefined {
  const { run } = draft;
  const asked = run.open.filter((key) => {
    const isApproval = instanceState(run, key)?.signal?.startsWith(APPROVAL_SIGNAL);
    const { step_id } = command;
    return isApproval && (!step_id || step_id === key || step_id === parseKey(key).stepId);
  });
  const [key] = asked;
  if (!key) {
    const what = command.step_id
      ? `its step "${command.step_id}" does not wait`
      : "no step of it waits";
    const message = `Run ${run.id} is ${run.status}, and ${what} for an answer.`;
    return { refused: "unknown_step", message };
  }
  if (asked.length > 1) {
    const several = `Several steps of run ${run.id} wait for an answer`;
    const message = `${several}: name one of ${asked.join(", ")}.`;
    return { refused: "unknown_step", message };
  }
  const { approved, comment } = command;
  complete(draft, key, { approved, comment, timed_out: false });
  return undefined;
}
