// evolve(run, event) -> run. Total and pure: a stale or repeated event changes nothing.

import type { Decision, Event } from "./event.js";
import { instanceState, parseKey } from "./key.js";
import { type Run, type RunStatus, type StepState, TRANSITIONS } from "./run.js";

/** `run` is null only before its `run_created`. The answer shares what did not change. */
export function evolve(run: Run | null, event: Event): Run {
  if (event.type === "run_created") return run ?? createRun(event);
  if (run === null) throw new Error(`a run cannot begin with ${event.type}`);
  if (event.type.startsWith("run_")) return evolveRun(run, event as RunEvent);
  return evolveStep(run, event as StepEvent);
}

/** The run after a whole decision, with the sequence number it was written under. */
export function fold(run: Run | null, decision: Decision, seq: number): Run {
  let next = run;
  for (const event of decision.events) next = evolve(next, event);
  if (next === null) throw new Error(`decision ${seq} of ${decision.run_id} has no events`);
  return { ...next, seq };
}

type Created = Extract<Event, { type: "run_created" }>;
type RunEvent = Exclude<Extract<Event, { type: `run_${string}` }>, Created>;
type StepEvent = Extract<Event, { type: `step_${string}` }>;

function createRun(event: Created): Run {
  return {
    id: event.run_id,
    workflow_id: event.workflow_id,
    workflow_version: event.workflow_version,
    status: "pending",
    context: event.context,
    trigger: event.trigger,
    steps: {},
    error: null,
    output: null,
    created_at: event.at,
    started_at: null,
    finished_at: null,
    open: [],
    step_count: 0,
    seq: 0,
  };
}

function evolveRun(run: Run, event: RunEvent): Run {
  const status = TRANSITIONS[run.status][event.type];
  if (status === undefined) return run;
  switch (event.type) {
    case "run_started":
      return { ...run, status, started_at: event.at, ...deadline(event) };
    case "run_paused":
    case "run_resumed":
      return { ...run, status };
    case "run_completed":
      return finishRun({ ...run, output: event.output }, status, event.at);
    case "run_failed":
      return finishRun({ ...run, error: event.error }, status, event.at);
    case "run_cancelled": {
      const error = event.reason ? { kind: "cancelled", message: event.reason } : null;
      return finishRun({ ...run, error }, status, event.at);
    }
    case "run_retried":
      return retryRun(run, status, event);
  }
}

function deadline(event: { deadline_at?: string }): { deadline_at?: string } {
  return event.deadline_at === undefined ? {} : { deadline_at: event.deadline_at };
}

function finishRun(run: Run, status: RunStatus, at: string): Run {
  const { deadline_at: _, ...rest } = run;
  return { ...rest, status, finished_at: at };
}

function retryRun(run: Run, status: RunStatus, event: RunEvent & { deadline_at?: string }): Run {
  const { retry_from: _, failing: __, ...rest } = run;
  return {
    ...rest,
    status,
    error: null,
    finished_at: null,
    started_at: run.started_at ?? event.at,
    step_count: 0,
    ...deadline(event),
  };
}

function evolveStep(run: Run, event: StepEvent): Run {
  switch (event.type) {
    case "step_queued":
      return isNew(run, event.key) ? open(run, event.key, "pending") : run;
    case "step_started":
      return start(run, event);
    case "step_attempt_failed":
      return attemptFailed(run, event);
    case "step_completed":
      return close(run, event, { status: "completed", output: event.output, error: null });
    case "step_failed":
      return fail(run, event);
    case "step_skipped":
      return close(openIfNew(run, event.key), event, { status: "skipped" });
    case "step_cancelled":
      return close(run, event, { status: "cancelled" }, true);
    case "step_reopened":
      return reopen(run, event.key);
  }
}

function isNew(run: Run, key: string): boolean {
  const { stepId, iteration } = parseKey(key);
  const latest = Object.hasOwn(run.steps, stepId) ? run.steps[stepId] : undefined;
  return iteration === (latest === undefined ? 0 : latest.iteration + 1);
}

function open(run: Run, key: string, status: "pending"): Run {
  const state: StepState = {
    status,
    attempt: 0,
    iteration: parseKey(key).iteration,
    started_at: null,
    finished_at: null,
    output: null,
    error: null,
  };
  const opened = { ...run, open: [...run.open, key], step_count: run.step_count + 1 };
  return setState(opened, key, state);
}

function openIfNew(run: Run, key: string): Run {
  return isNew(run, key) ? open(run, key, "pending") : run;
}

function setState(run: Run, key: string, state: StepState): Run {
  return { ...run, steps: { ...run.steps, [parseKey(key).stepId]: state } };
}

function start(before: Run, event: Extract<Event, { type: "step_started" }>): Run {
  const run = openIfNew(before, event.key);
  const state = instanceState(run, event.key);
  if (!state || !run.open.includes(event.key) || event.attempt !== state.attempt + 1) return before;
  const { until: _, ...rest } = state;
  return setState(run, event.key, {
    ...rest,
    status: event.until === undefined ? "running" : "waiting",
    attempt: event.attempt,
    started_at: state.started_at ?? event.at,
    ...(event.until === undefined ? {} : { until: event.until, error: null }),
  });
}

function attemptFailed(run: Run, event: Extract<Event, { type: "step_attempt_failed" }>): Run {
  const state = instanceState(run, event.key);
  if (state?.status !== "running" || state.attempt !== event.attempt) return run;
  const waiting = { status: "waiting", error: event.error, until: event.until } as const;
  return setState(run, event.key, { ...state, ...waiting });
}

function fail(before: Run, event: Extract<Event, { type: "step_failed" }>): Run {
  const run = openIfNew(before, event.key);
  const ended = { status: "failed", error: event.error, output: event.output ?? null } as const;
  const closed = close(run, event, ended, event.handled !== "step");
  if (closed === run) return before;
  if (event.handled === undefined) return closed;
  const caught = { ...event.error, step_id: parseKey(event.key).stepId, key: event.key };
  return { ...closed, caught, ...(event.handled === "workflow" ? { failing: true } : {}) };
}

/**
 * Ends an open instance. `again`: a retry by hand goes on from here, unless the workflow's
 * on_error was at work, which a retry does not repeat.
 */
function close(
  run: Run,
  event: { key: string; at: string },
  ended: Partial<StepState>,
  again = false,
): Run {
  const state = instanceState(run, event.key);
  if (!state || !run.open.includes(event.key)) return run;
  const { until: _, ...rest } = state;
  return {
    ...setState(run, event.key, { ...rest, ...ended, finished_at: event.at }),
    open: run.open.filter((key) => key !== event.key),
    ...(again && !run.failing ? { retry_from: [...(run.retry_from ?? []), event.key] } : {}),
  };
}

function reopen(run: Run, key: string): Run {
  const state = instanceState(run, key);
  if (!state || run.open.includes(key)) return run;
  const again = { status: "pending", finished_at: null, attempts_before: state.attempt } as const;
  const opened = { ...run, open: [...run.open, key], step_count: run.step_count + 1 };
  return setState(opened, key, { ...state, ...again, output: null });
}
