// effects(workflow, run) -> what must be in flight right now. Derived, never stored: recovery is
// folding the journal and asking this.

import { evaluateConfig, evaluateValue } from "../flow/expression/index.js";
import { choosers } from "../flow/fixed-host.js";
import type { JsonObject } from "../flow/json.js";
import type { Workflow } from "../flow/workflow.js";
import { DEFAULT_STEP_TIMEOUT_MS } from "../limits.js";
import { instanceState, parseKey, RUN } from "./key.js";
import type { Call, Child, Effect } from "./ports.js";
import { FINISHED, OPEN, type Run, type StepState } from "./run.js";
import { namesIn } from "./scope.js";
import { stepOf } from "./steps.js";

export function effects(workflow: Workflow, run: Run): Effect[] {
  return [...run.open, RUN].flatMap((key) => effectsAt(workflow, run, key));
}

/**
 * Those of one instance, or of the run itself. They change with the events that name the instance,
 * and with those of the run; so a host need not ask for all of them after each decision.
 */
export function effectsAt(workflow: Workflow, run: Run, key: string): Effect[] {
  if (FINISHED.has(run.status)) return [];
  if (run.status === "pending" && run.concurrency) {
    const { concurrency } = run;
    return key === RUN ? [{ kind: "slot", key, attempt: 0, concurrency }] : [];
  }
  if (key === RUN) {
    const until = run.deadline_at;
    return until === undefined ? [] : [{ kind: "wait", key, attempt: 0, until }];
  }
  const state = instanceState(run, key);
  return state && OPEN.has(state.status) ? effectsOf(workflow, run, key, state) : [];
}

function effectsOf(workflow: Workflow, run: Run, key: string, state: StepState): Effect[] {
  const { attempt, until, child_run_id } = state;
  // A held run keeps its time, and nothing comes due in it; resuming asks again.
  const wait: Effect[] =
    until === undefined || run.held ? [] : [{ kind: "wait", key, attempt, until }];
  if (state.status === "running") {
    // A foreach or parallel at work: what is in flight is in its bodies.
    if (state.items || state.branches) return wait;
    if (child_run_id === undefined) {
      return [{ kind: "call", key, attempt, call: () => callOf(workflow, run, key, attempt) }];
    }
    const child = () => childOf(workflow, run, key, child_run_id);
    return [{ kind: "run", key, attempt, child }, ...wait];
  }
  if (until !== undefined || run.held) return wait;
  return [{ kind: "listen", key, attempt }];
}

/** Throws an ExpressionError where the context cannot be filled in. */
function childOf(workflow: Workflow, run: Run, key: string, runId: string): Child {
  const { config } = stepOf(workflow, key);
  const names = namesIn(workflow, run, parseKey(key).scope);
  return {
    run_id: runId,
    workflow_id: String(config.workflow_id),
    context: evaluateValue(config.context ?? {}, names) as JsonObject,
    awaited: config.await !== false,
  };
}

/** Throws an ExpressionError where the config cannot be filled in. */
function callOf(workflow: Workflow, run: Run, key: string, attempt: number): Call {
  const step = stepOf(workflow, key);
  const { config, secrets } = evaluateConfig(
    step.config,
    namesIn(workflow, run, parseKey(key).scope),
  );
  const { url } = step.config;
  const isOpen = typeof url === "string" && choosers(url, workflow.context).length > 0;
  return {
    run_id: run.id,
    workflow_id: run.workflow_id,
    step_id: step.id,
    type: step.type,
    idempotency_key: `${run.id}/${key}`,
    attempt,
    config,
    secrets,
    ...(isOpen && { open_host: true as const }),
    context: run.context,
    timeout_ms: step.timeout_ms ?? DEFAULT_STEP_TIMEOUT_MS,
  };
}

/** Whether two are the same effect, whenever they were asked for. */
export function isSame(a: Effect, b: Effect): boolean {
  if (a.kind !== b.kind || a.key !== b.key || a.attempt !== b.attempt) return false;
  return a.kind !== "wait" || b.kind !== "wait" || a.until === b.until;
}
