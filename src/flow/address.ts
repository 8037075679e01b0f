// Where tests point: the address of a step, also in the workflows that a workflow starts.

import type { JsonObject } from "./json.js";
import type { Body, Step, Workflow } from "./workflow.js";

/** By id; null where the workflow is known and its file has mistakes. */
export type KnownWorkflows = ReadonlyMap<string, Workflow | null>;

export type Addressed =
  | { workflow: Workflow; step: Step }
  /** What is not there, and what is there instead. */
  | { unknown: string; in: string; candidates: string[] };

/** `send`, `remind_each#0/3/send#0`, `hand_over/tell_warehouse`. */
export function stepAt(address: string, workflow: Workflow, known: KnownWorkflows): Addressed {
  const steps = stepsById(workflow);
  const slash = address.indexOf("/");
  const first = address.slice(0, slash);
  // A key of an instance begins with one, too: a step and its pass.
  if (slash < 0 || first.includes("#")) {
    const id = address.slice(address.lastIndexOf("/") + 1).replace(/#\d+$/, "");
    const step = steps.get(id);
    return step ? { workflow, step } : unknown(id, workflow, [...steps.keys()]);
  }
  const starting = steps.get(first);
  const inner = starting && known.get(String(starting.config.workflow_id));
  if (starting?.type === "workflow" && inner) return stepAt(address.slice(slash + 1), inner, known);
  const starters = [...steps.values()].filter(({ type }) => type === "workflow");
  return unknown(
    first,
    workflow,
    starters.map(({ id }) => id),
  );
}

function unknown(id: string, workflow: Workflow, candidates: string[]): Addressed {
  return { unknown: id, in: workflow.id, candidates };
}

/** Every step of a workflow, in the order of its file. */
export function stepsById(workflow: Workflow): ReadonlyMap<string, Step> {
  const steps = new Map<string, Step>();
  collect(workflow, steps);
  return steps;
}

function collect(body: Body, steps: Map<string, Step>): void {
  for (const step of body.steps) {
    steps.set(step.id, step);
    for (const inner of bodiesIn(step)) collect(inner, steps);
  }
}

/** The bodies inside a step, as normalising has left them. */
function bodiesIn(step: Step): Body[] {
  if (step.type === "foreach") return [step.config as unknown as Body];
  if (step.type !== "parallel") return [];
  return Object.values(step.config.branches as JsonObject) as unknown as Body[];
}
