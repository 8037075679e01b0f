// evolve(run, event) -> run. Total and pure: a stale or repeated event changes nothing.

import type { Decision, Event } from "./event.js";
import { evolveStep, type StepEvent } from "./evolve-step.js";
import type { Own } from "./key.js";
import { FINISHED, type Run, type RunStatus, TRANSITIONS } from "./run.js";

/**
 * `run` is null only before its `run_created`. The answer shares what did not change; with the same
 * `own` for several events, each but the last run is to be forgotten.
 */
export function evolve(run: Run | null, event: Event, own: Own = new Set()): Run {
  if (event.type === "run_created") return run ?? createRun(event);
  if (run === null) throw new Error(`a run cannot begin with ${event.type}`);
  if (event.type === "signal_received") return keepSignal(run, event);
  if (isRunEvent(event)) return evolveRun(run, event);
  return evolveStep(run, event, own);
}

/**
 * The run after a whole decision, with the sequence number it was written under. With an `own` that
 * outlives it, the run before is to be forgotten.
 */
export function fold(run: Run | null, decision: Decision, seq: number, own: Own = new Set()): Run {
  let next = run;
  for (const event of decision.events) next = evolve(next, event, own);
  if (next === null) throw new Error(`decision ${seq} of ${decision.run_id} has no events`);
  if (next === run) return { ...next, seq };
  next.seq = seq;
  return next;
}

type Created = Extract<Event, { type: "run_created" }>;
type RunEvent = Exclude<Extract<Event, { type: `run_${string}` }>, Created>;

function isRunEvent(event: RunEvent | StepEvent): event is RunEvent {
  return event.type.startsWith("run_");
}

function keepSignal(run: Run, event: Extract<Event, { type: "signal_received" }>): Run {
  const { number, name, data } = event;
  if (FINISHED.has(run.status) || number !== (run.signals_received ?? 0) + 1) return run;
  return { ...run, signals_received: number, signals: [...(run.signals ?? []), { name, data }] };
}

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
    ...(event.concurrency === undefined ? {} : { concurrency: event.concurrency }),
    seq: 0,
  };
}

function evolveRun(run: Run, event: RunEvent): Run {
  const status = TRANSITIONS[run.status][event.type];
  if (status === undefined) return run;
  switch (event.type) {
    case "run_started":
      return startRun(run, status, event);
    case "run_paused":
      return pauseRun(run, status, event.by === "hand");
    case "run_resumed":
      return resumeRun(run, status);
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

/** A run that is paused already can still be held by hand; again changes nothing. */
function pauseRun(run: Run, status: RunStatus, byHand: boolean): Run {
  if (run.status === status && (!byHand || run.held)) return run;
  return { ...run, status, ...(byHand ? { held: true } : {}) };
}

function resumeRun(run: Run, status: RunStatus): Run {
  const { held: _, ...rest } = run;
  return { ...rest, status };
}

/** What a retry goes on from has been taken by the decision that starts the run again. */
function startRun(run: Run, status: RunStatus, event: RunEvent & { deadline_at?: string }): Run {
  const { retrying, retry_from, failing } = run;
  const isFirst = retrying === undefined && retry_from === undefined && failing === undefined;
  const started_at = run.started_at ?? event.at;
  const next: Run = { ...(isFirst ? run : withoutRetry(run)), status, started_at };
  if (event.deadline_at !== undefined) next.deadline_at = event.deadline_at;
  return next;
}

function withoutRetry({ retrying: _, retry_from: __, failing: ___, ...rest }: Run): Run {
  return rest;
}

/** Most runs have nothing to leave out, and to leave it out takes ten times as long as a copy. */
function finishRun(run: Run, status: RunStatus, at: string): Run {
  const isBare = run.deadline_at === undefined && run.held === undefined;
  return { ...(isBare ? run : withoutHold(run)), status, finished_at: at };
}

function withoutHold({ deadline_at: _, held: __, ...rest }: Run): Run {
  return rest;
}

function retryRun(run: Run, status: RunStatus, { from }: RunEvent & { from?: string }): Run {
  const retrying = from === undefined ? {} : { from };
  return { ...run, status, error: null, finished_at: null, step_count: 0, retrying };
}
