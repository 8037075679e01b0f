// Finds a workflow's steps by id, also inside the bodies of foreach and parallel.

import type { JsonObject } from "../flow/json.js";
import type { Body, Step, Workflow } from "../flow/workflow.js";
import { parseKey } from "./key.js";

/** A step, and where it stands. */
export interface Placed {
  step: Step;
  /** The id of the foreach whose body it is in, at whatever depth of branches; empty: none. */
  foreach: string;
  /** The branches of parallels that lead to it from there, outermost first. */
  branches: readonly { parallel: string; branch: string }[];
}

/** A key in a run names a step of the version it started with, so it is always there. */
export function stepOf(workflow: Workflow, key: string): Step {
  const { stepId } = parseKey(key);
  const placed = placedSteps(workflow).get(stepId);
  if (!placed) throw new Error(`workflow ${workflow.id} has no step ${stepId}`);
  return placed.step;
}

interface Index {
  steps: ReadonlyMap<string, Placed>;
  types: ReadonlySet<string>;
}

const indexes = new WeakMap<Workflow, Index>();

/** By id, in the order of the file. */
export function placedSteps(workflow: Workflow): ReadonlyMap<string, Placed> {
  return indexOf(workflow).steps;
}

/** The types of its steps. */
export function typesIn(workflow: Workflow): ReadonlySet<string> {
  return indexOf(workflow).types;
}

function indexOf(workflow: Workflow): Index {
  const known = indexes.get(workflow);
  if (known) return known;
  const steps = new Map<string, Placed>();
  collect(workflow, "", [], steps);
  const types = new Set([...steps.values()].map(({ step }) => step.type));
  indexes.set(workflow, { steps, types });
  return { steps, types };
}

function collect(
  body: Body,
  foreach: string,
  branches: Placed["branches"],
  steps: Map<string, Placed>,
): void {
  for (const step of body.steps) {
    const { id, type } = step;
    steps.set(id, { step, foreach, branches });
    if (type === "foreach") collect(bodyOf(step), id, [], steps);
    for (const branch of branchesOf(step)) {
      const way = [...branches, { parallel: id, branch }];
      collect(bodyOf(step, branch), foreach, way, steps);
    }
  }
}

function branchesOf({ type, config }: Step): string[] {
  return type === "parallel" ? Object.keys(config.branches as JsonObject) : [];
}

/** The body of a foreach, or the named branch of a parallel, as normalising has left it. */
export function bodyOf(step: Step, branch?: string): Body {
  if (branch === undefined) return step.config as unknown as Body;
  return (step.config.branches as JsonObject)[branch] as unknown as Body;
}
