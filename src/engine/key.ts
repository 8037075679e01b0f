// Keys of step instances: `remind_each#0/3/send_reminder#0`. A path, and each step's iteration.

import type { Run, StepState } from "./run.js";

/** `a#0` at the root; `a#0/3/b#1` inside item 3 of foreach `a`; `p#0/left/c#0` in a branch. */
export function instanceKey(scope: string, stepId: string, iteration: number): string {
  return `${scope}${stepId}#${iteration}`;
}

export interface KeyParts {
  /** What stands before the step's id: empty, or `a#0/3/`. */
  scope: string;
  stepId: string;
  iteration: number;
}

export function parseKey(key: string): KeyParts {
  const slash = key.lastIndexOf("/");
  const hash = key.lastIndexOf("#");
  return {
    scope: key.slice(0, slash + 1),
    stepId: key.slice(slash + 1, hash),
    iteration: Number(key.slice(hash + 1)),
  };
}

/** The state of an instance, or undefined when that iteration is not the latest one. */
export function instanceState(run: Run, key: string): StepState | undefined {
  const { stepId, iteration } = parseKey(key);
  const state = Object.hasOwn(run.steps, stepId) ? run.steps[stepId] : undefined;
  return state?.iteration === iteration ? state : undefined;
}
