// What the expressions of one instance can name: the context, the steps, the items around it.

import { Members, type Scope as Names } from "../flow/expression/index.js";
import type { Json, JsonObject } from "../flow/json.js";
import type { Workflow } from "../flow/workflow.js";
import { bodyState, instanceState, parentOf, parseKey } from "./key.js";
import type { Failure, Run, Scope, StepState } from "./run.js";
import { placedSteps, stepOf } from "./steps.js";

/** `scope`: where the expression stands, as keys begin there. `error`: what has gone wrong. */
export function namesIn(workflow: Workflow, run: Run, scope: string, error?: Failure): Names {
  const { variables, bodies } = around(workflow, run, scope);
  const failure = error ?? run.caught;
  const steps = placedSteps(workflow);
  return {
    context: run.context,
    steps: new Members(
      (id) => seen(workflow, bodies, id),
      () => steps.keys(),
    ),
    trigger: run.trigger as JsonObject,
    run: { id: run.id, created_at: run.created_at },
    workflow: { id: run.workflow_id, version: run.workflow_version },
    ...(failure ? { error: { ...failure } as JsonObject } : {}),
    // Last: keys that follow a spread make a hidden class of their own each time. No variable has
    // the name of another of these.
    ...variables,
  };
}

interface Around {
  variables: { [name: string]: Json };
  /** The run, and the items around the place, by the id of their foreach; the run's is empty. */
  bodies: ReadonlyMap<string, Scope>;
}

function around(workflow: Workflow, run: Run, scope: string): Around {
  let variables: Around["variables"] = {};
  const bodies = new Map<string, Scope>([["", run]]);
  for (let parent = parentOf(scope); parent; parent = parentOf(parseKey(parent.key).scope)) {
    const state = instanceState(run, parent.key);
    const item = state?.items && bodyState(state, parent.body);
    if (!item) continue;
    const { id, config } = stepOf(workflow, parent.key);
    bodies.set(id, item);
    const name = String(config.as);
    variables = { [name]: item.item, [`${name}_index`]: Number(parent.body), ...variables };
  }
  return { variables, bodies };
}

/**
 * A body sees its own steps and those of the bodies around it; those in the branches of a parallel
 * are seen as if they stood beside it.
 */
function seen(workflow: Workflow, bodies: Around["bodies"], id: string): Json | undefined {
  const placed = placedSteps(workflow).get(id);
  let body = placed && bodies.get(placed.foreach);
  for (const { parallel, branch } of placed?.branches ?? []) {
    const state = body && stateIn(body, parallel);
    body = state && bodyState(state, branch);
  }
  const state = body && stateIn(body, id);
  if (!state) return undefined;
  const { output, status, error, iteration } = state;
  return { output, status, error: error && { ...error }, iteration };
}

function stateIn({ steps }: Scope, id: string): StepState | undefined {
  return Object.hasOwn(steps, id) ? steps[id] : undefined;
}
