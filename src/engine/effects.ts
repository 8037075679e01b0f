// effects(workflow, run) -> what must be in flight right now. Derived, never stored: recovery is
// folding the journal and asking this.

import { evaluateConfig } from "../flow/expression/index.js";
import type { Workflow } from "../flow/workflow.js";
import { DEFAULT_STEP_TIMEOUT_MS } from "../limits.js";
import { DEADLINE } from "./decide.js";
import { instanceState, parseKey } from "./key.js";
import type { Call, Effect } from "./ports.js";
import { FINISHED, type Run, type StepState } from "./run.js";
import { namesIn } from "./scope.js";
import { stepOf } from "./steps.js";

export function effects(workflow: Workflow, run: Run): Effect[] {
  if (FINISHED.has(run.status)) return [];
  const wanted: Effect[] = [];
  for (const key of run.open) {
    const state = instanceState(run, key);
    const effect = state && effectOf(workflow, run, key, state);
    if (effect) wanted.push(effect);
  }
  if (run.deadline_at) {
    wanted.push({ kind: "wait", key: DEADLINE, attempt: 0, until: run.deadline_at });
  }
  return wanted;
}

function effectOf(workflow: Workflow, run: Run, key: string, state: StepState): Effect | undefined {
  const { attempt, until } = state;
  if (state.status === "running") {
    // A foreach or parallel at work: what is in flight is in its bodies.
    if (state.items || state.branches) return undefined;
    return { kind: "call", key, attempt, call: () => callOf(workflow, run, key, attempt) };
  }
  // A held run keeps its time, and nothing comes due in it; resuming asks again.
  if (run.held) return undefined;
  if (until !== undefined) return { kind: "wait", key, attempt, until };
  return { kind: "listen", key, attempt };
}

/** Throws an ExpressionError where the config cannot be filled in. */
function callOf(workflow: Workflow, run: Run, key: string, attempt: number): Call {
  const step = stepOf(workflow, key);
  const { config, secrets } = evaluateConfig(
    step.config,
    namesIn(workflow, run, parseKey(key).scope),
  );
  return {
    run_id: run.id,
    workflow_id: run.workflow_id,
    step_id: step.id,
    type: step.type,
    idempotency_key: `${run.id}/${key}`,
    attempt,
    config,
    secrets,
    context: run.context,
    timeout_ms: step.timeout_ms ?? DEFAULT_STEP_TIMEOUT_MS,
  };
}

/** The same for the same effect, whenever it is asked for. */
export function effectId(effect: Effect): string {
  const until = effect.kind === "wait" ? effect.until : "";
  return `${effect.kind} ${effect.key} ${effect.attempt} ${until}`;
}
