// Keys of step instances: `remind_each#0/3/send_reminder#0`. A path, and each step's iteration.

import type { BodyState, Run, Scope, StepState } from "./run.js";

/** `a#0` at the root; `a#0/3/b#1` inside item 3 of foreach `a`; `p#0/left/c#0` in a branch. */
export function instanceKey(scope: string, stepId: string, iteration: number): string {
  return `${scope}${stepId}#${iteration}`;
}

/** The scope of a body inside an instance: what the keys in it begin with. */
export function bodyScope(key: string, body: string | number): string {
  return `${key}/${body}/`;
}

/** The key of what concerns the whole run: its deadline, its slot. */
export const RUN = "";

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

/** `a#0/3/` -> the instance `a#0` and its body `3`; undefined at the root. */
export function parentOf(scope: string): { key: string; body: string } | undefined {
  if (scope === "") return undefined;
  const slash = scope.lastIndexOf("/", scope.length - 2);
  return { key: scope.slice(0, slash), body: scope.slice(slash + 1, -1) };
}

/** The body's state; the run itself for the root. Undefined when that iteration is gone. */
export function scopeState(run: Run, scope: string): Scope | undefined {
  const parent = parentOf(scope);
  if (!parent) return run;
  const state = instanceState(run, parent.key);
  return state && bodyState(state, parent.body);
}

export function bodyState(state: StepState, body: string): BodyState | undefined {
  if (state.items) return state.items[Number(body)];
  const { branches } = state;
  return branches && Object.hasOwn(branches, body) ? branches[body] : undefined;
}

/** The state of an instance, or undefined when that iteration is not the latest one. */
export function instanceState(run: Run, key: string): StepState | undefined {
  const { scope, stepId, iteration } = parseKey(key);
  const state = latestState(run, scope, stepId);
  return state?.iteration === iteration ? state : undefined;
}

export function latestState(run: Run, scope: string, stepId: string): StepState | undefined {
  const steps = scopeState(run, scope)?.steps;
  return steps && Object.hasOwn(steps, stepId) ? steps[stepId] : undefined;
}

/** A copy of the run in which the instance has this state; shares all that is beside its path. */
export function withState(run: Run, key: string, state: StepState): Run {
  const { scope, stepId } = parseKey(key);
  return withScope(run, scope, (body) => ({
    ...body,
    steps: { ...body.steps, [stepId]: state },
  }));
}

function withScope(run: Run, scope: string, change: <S extends Scope>(scope: S) => S): Run {
  const parent = parentOf(scope);
  if (!parent) return change(run);
  const state = instanceState(run, parent.key);
  const body = state && bodyState(state, parent.body);
  if (!state || !body) throw new Error(`run ${run.id} has no scope ${scope}`);
  return withState(run, parent.key, withBody(state, parent.body, change(body)));
}

export function withBody(state: StepState, name: string, body: BodyState): StepState {
  if (!state.items) return { ...state, branches: { ...state.branches, [name]: body } };
  return { ...state, items: state.items.with(Number(name), body) };
}
