// Finds a workflow's steps by id, also inside the bodies of foreach and parallel.

import type { JsonObject } from "../flow/json.js";
import type { Body, Step, Workflow } from "../flow/workflow.js";
import { parseKey } from "./key.js";

/** A key in a run names a step of the version it started with, so it is always there. */
export function stepOf(workflow: Workflow, key: string): Step {
  const { stepId } = parseKey(key);
  const step = index(workflow).get(stepId);
  if (!step) throw new Error(`workflow ${workflow.id} has no step ${stepId}`);
  return step;
}

const indexes = new WeakMap<Workflow, Map<string, Step>>();

function index(workflow: Workflow): Map<string, Step> {
  let steps = indexes.get(workflow);
  if (!steps) {
    steps = new Map();
    collect(workflow, steps);
    indexes.set(workflow, steps);
  }
  return steps;
}

function collect(body: Body, steps: Map<string, Step>): void {
  for (const step of body.steps) {
    steps.set(step.id, step);
    for (const inner of bodiesOf(step)) collect(inner, steps);
  }
}

/** The bodies inside a step: one of a foreach, one for each branch of a parallel. */
function bodiesOf(step: Step): Body[] {
  if (step.type === "foreach") return [bodyOf(step)];
  if (step.type !== "parallel") return [];
  return Object.keys(step.config.branches as JsonObject).map((name) => bodyOf(step, name));
}

/** The body of a foreach, or the named branch of a parallel, as normalising has left it. */
export function bodyOf(step: Step, branch?: string): Body {
  if (branch === undefined) return step.config as unknown as Body;
  return (step.config.branches as JsonObject)[branch] as unknown as Body;
}
