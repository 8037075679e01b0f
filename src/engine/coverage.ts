// What the tests of a workflow reached: its steps, and the arms at which a run may part.

import { stepsById } from "../flow/address.js";
import type { JsonObject } from "../flow/json.js";
import type { Step, Workflow } from "../flow/workflow.js";
import type { Event } from "./event.js";
import { parseKey } from "./key.js";
import type { Traced } from "./rehearse.js";

export interface Coverage {
  workflow_id: string;
  steps: Reached;
  arms: Reached;
}

export interface Reached {
  total: number;
  reached: number;
  /** In the order of the flow file. */
  missing: string[];
}

/** `traces`: of all rehearsals in which the workflow may have had a run. */
export function coverage(workflow: Workflow, traces: readonly (readonly Traced[])[]): Coverage {
  const steps = new Map<string, boolean>();
  const arms = new Map<string, boolean>();
  for (const step of stepsById(workflow).values()) {
    steps.set(step.id, false);
    for (const arm of armsOf(step)) arms.set(arm, false);
  }
  if (workflow.on_error) arms.set(WORKFLOW_ON_ERROR, false);
  for (const { workflow_id, event } of traces.flat()) {
    if (workflow_id !== workflow.id || !("key" in event)) continue;
    if (BEGINS.has(event.type)) mark(steps, parseKey(event.key).stepId);
    for (const arm of taken(event)) mark(arms, arm);
  }
  return { workflow_id: workflow.id, steps: summary(steps), arms: summary(arms) };
}

const BEGINS: ReadonlySet<Event["type"]> = new Set([
  "step_started",
  "step_completed",
  "step_failed",
]);

const WORKFLOW_ON_ERROR = "the workflow's on_error";

function armsOf(step: Step): string[] {
  const arms: string[] = [];
  if (step.if !== undefined) arms.push(`${step.id}: if is true`, `${step.id}: if is false`);
  if (step.type === "branch") {
    const cases = (step.config.cases ?? []) as JsonObject[];
    arms.push(...cases.map((_, index) => caseArm(step.id, index)), caseArm(step.id, null));
  }
  if (step.on_error) arms.push(`${step.id}: on_error`);
  return arms;
}

/** Counted from 1, as people count the lines of a list. */
function caseArm(id: string, index: number | null): string {
  return index === null ? `${id}: otherwise` : `${id}: case ${index + 1}`;
}

function taken(event: Extract<Event, { key: string }>): string[] {
  const id = parseKey(event.key).stepId;
  const arms: string[] = [];
  if (event.type === "step_skipped") arms.push(`${id}: if is false`);
  if (BEGINS.has(event.type)) arms.push(`${id}: if is true`);
  if (event.type === "step_completed") {
    const output = event.output as { case?: number | null } | null;
    if (output?.case !== undefined) arms.push(caseArm(id, output.case));
  }
  if (event.type === "step_failed" && event.handled === "step") arms.push(`${id}: on_error`);
  if (event.type === "step_failed" && event.handled === "workflow") arms.push(WORKFLOW_ON_ERROR);
  return arms;
}

function mark(found: Map<string, boolean>, name: string): void {
  // What is not in the table is no arm: a set step may have an output with a case.
  if (found.has(name)) found.set(name, true);
}

function summary(found: ReadonlyMap<string, boolean>): Reached {
  const missing = [...found].filter(([, isReached]) => !isReached).map(([name]) => name);
  return { total: found.size, reached: found.size - missing.length, missing };
}
