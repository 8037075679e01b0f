// What the expressions of one instance can name: the context, the steps, the items around it.

import type { Scope as Names } from "../flow/expression/index.js";
import type { Json, JsonObject } from "../flow/json.js";
import type { Workflow } from "../flow/workflow.js";
import { bodyState, instanceState, parentOf } from "./key.js";
import type { Failure, Run, Scope } from "./run.js";
import { stepOf } from "./steps.js";

/** `scope`: where the expression stands, as keys begin there. `error`: what has gone wrong. */
export function namesIn(workflow: Workflow, run: Run, scope: string, error?: Failure): Names {
  const { variables, steps } = around(workflow, run, scope);
  const failure = error ?? run.caught;
  return {
    ...variables,
    context: run.context,
    steps: steps as unknown as JsonObject,
    trigger: run.trigger as JsonObject,
    run: { id: run.id, created_at: run.created_at },
    workflow: { id: run.workflow_id, version: run.workflow_version },
    ...(failure ? { error: { ...failure } as JsonObject } : {}),
  };
}

interface Around {
  variables: { [name: string]: Json };
  steps: Scope["steps"];
}

/** From the root inwards: a body sees its own steps, and those of the bodies around it. */
function around(workflow: Workflow, run: Run, scope: string): Around {
  const parent = parentOf(scope);
  if (!parent) return { variables: {}, steps: visible(run) };
  const state = instanceState(run, parent.key);
  const body = state && bodyState(state, parent.body);
  const outer = around(workflow, run, parent.key.slice(0, parent.key.lastIndexOf("/") + 1));
  if (!state?.items || !body) return { ...outer, steps: { ...outer.steps, ...visible(body) } };
  const name = String(stepOf(workflow, parent.key).config.as);
  const item = { [name]: body.item, [`${name}_index`]: Number(parent.body) };
  return {
    variables: { ...outer.variables, ...item },
    steps: { ...outer.steps, ...visible(body) },
  };
}

/** A body's steps; those in the branches of its parallels are seen as if they stood beside. */
function visible(scope: Scope | undefined): Scope["steps"] {
  let steps = scope?.steps ?? {};
  for (const state of Object.values(steps)) {
    for (const branch of Object.values(state.branches ?? {})) {
      steps = { ...steps, ...visible(branch) };
    }
  }
  return steps;
}
