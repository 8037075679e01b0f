// effects(workflow, run) -> what must be in flight right now. Derived, never stored: recovery is
// folding the journal and asking this.

import type { Workflow } from "../flow/workflow.js";
import { DEFAULT_STEP_TIMEOUT_MS } from "../limits.js";
import { DEADLINE } from "./decide.js";
import { instanceState } from "./key.js";
import type { Call, Effect } from "./ports.js";
import { FINISHED, type Run } from "./run.js";
import { stepOf } from "./steps.js";

export function effects(workflow: Workflow, run: Run): Effect[] {
  if (FINISHED.has(run.status)) return [];
  const wanted: Effect[] = [];
  for (const key of run.open) {
    const state = instanceState(run, key);
    if (state?.status === "running") {
      const { attempt } = state;
      wanted.push({ kind: "call", key, attempt, call: callOf(workflow, run, key, attempt) });
    } else if (state?.status === "waiting" && state.until && run.status === "running") {
      // A paused run keeps its time, and nothing comes due in it; resuming asks again.
      wanted.push({ kind: "wait", key, attempt: state.attempt, until: state.until });
    }
  }
  if (run.deadline_at) {
    wanted.push({ kind: "wait", key: DEADLINE, attempt: 0, until: run.deadline_at });
  }
  return wanted;
}

function callOf(workflow: Workflow, run: Run, key: string, attempt: number): Call {
  const step = stepOf(workflow, key);
  return {
    run_id: run.id,
    workflow_id: run.workflow_id,
    step_id: step.id,
    type: step.type,
    idempotency_key: `${run.id}/${key}`,
    attempt,
    config: step.config,
    context: run.context,
    timeout_ms: step.timeout_ms ?? DEFAULT_STEP_TIMEOUT_MS,
  };
}

/** The same for the same effect, whenever it is asked for. */
export function effectId(effect: Effect): string {
  const until = effect.kind === "wait" ? effect.until : "";
  return `${effect.kind} ${effect.key} ${effect.attempt} ${until}`;
}
