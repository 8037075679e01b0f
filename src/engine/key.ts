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
  readonly scope: string;
  readonly stepId: string;
  readonly iteration: number;
}

/** All that is asked about one event asks for the parts of one key. */
let latest: { key: string; parts: KeyParts } | undefined;

export function parseKey(key: string): KeyParts {
  if (latest?.key === key) return latest.parts;
  const slash = key.lastIndexOf("/");
  const hash = key.lastIndexOf("#");
  const parts = {
    scope: key.slice(0, slash + 1),
    stepId: key.slice(slash + 1, hash),
    iteration: Number(key.slice(hash + 1)),
  };
  latest = { key, parts };
  return parts;
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

/** Every instance that a run's document shows: of a loop, the last pass. */
export function* instancesIn(
  { steps }: Scope,
  scope: string,
): Generator<{ key: string; state: StepState }> {
  for (const [id, state] of Object.entries(steps)) {
    const key = `${scope}${id}#${state.iteration}`;
    yield { key, state };
    for (const [name, body] of Object.entries(state.branches ?? state.items ?? {})) {
      yield* instancesIn(body, `${key}/${name}/`);
    }
  }
}

/**
 * What has been made for the change at hand, and nobody else has seen: it is written to in place.
 * All else is shared with runs that others hold, and is copied first. So a decision of hundreds of
 * events copies a large list once.
 */
export interface Own {
  has(value: object): boolean;
  add(value: object): unknown;
}

/** For a decision: most make one such object, and need no set for it. */
export class OwnOfDecision implements Own {
  #first: object | undefined;
  #others: Set<object> | undefined;

  has(value: object): boolean {
    return value === this.#first || this.#others?.has(value) === true;
  }

  add(value: object): void {
    if (this.#first === undefined) {
      this.#first = value;
      return;
    }
    this.#others ??= new Set();
    this.#others.add(value);
  }
}

/** A copy of the run in which the instance has this state; shares all that is beside its path. */
export function withState(run: Run, key: string, state: StepState, own: Own): Run {
  return { ...run, steps: stepsWith(run, key, state, own) };
}

/** The steps of that copy. */
export function stepsWith(run: Run, key: string, state: StepState, own: Own): Run["steps"] {
  const { scope, stepId } = parseKey(key);
  const parent = parentOf(scope);
  if (!parent) return withStep(run.steps, stepId, state, own);
  const around = instanceState(run, parent.key);
  const body = around && bodyState(around, parent.body);
  if (!around || !body) throw new Error(`run ${run.id} has no scope ${scope}`);
  const changed = { ...body, steps: withStep(body.steps, stepId, state, own) };
  return stepsWith(run, parent.key, withBody(around, parent.body, changed, own), own);
}

function withStep(before: Scope["steps"], id: string, state: StepState, own: Own): Scope["steps"] {
  // An id like any other; but to assign it would not make a key.
  if (id === "__proto__") return { ...before, [id]: state };
  const steps = owned(before, () => ({ ...before }), own);
  steps[id] = state;
  return steps;
}

export function withBody(state: StepState, name: string, body: BodyState, own: Own): StepState {
  const { items, branches } = state;
  if (!items) return { ...state, branches: { ...branches, [name]: body } };
  const changed = owned(items, () => [...items], own);
  changed[Number(name)] = body;
  return { ...state, items: changed };
}

function owned<T extends object>(value: T, copied: () => T, own: Own): T {
  if (own.has(value)) return value;
  const copy = copied();
  own.add(copy);
  return copy;
}
