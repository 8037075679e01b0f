// Where a retry by hand goes on from: a step named by its id or its key.

import {
  bodyScope,
  bodyState,
  instanceKey,
  instanceState,
  instancesIn,
  latestState,
  parentOf,
  parseKey,
} from "./key.js";
import type { Run, Scope, StepState } from "./run.js";

export interface Place {
  scope: string;
  stepId: string;
}

/**
 * `from`: a key, with its passes or without (`each/3/send`: the latest), or the id of a step that
 * was reached and does not stand in a foreach.
 */
export function placeOf(run: Run, from: string): Place | undefined {
  return /[#/]/.test(from) ? follow(run, from.split("/")) : find(run, "", from);
}

/** `words`: a step, its body, a step in it, …; nothing is there that is spelt otherwise. */
function follow(run: Run, words: string[]): Place | undefined {
  let scope = "";
  for (let at = 0; ; at += 2) {
    const [stepId = "", pass] = words[at]?.split("#") ?? [];
    const state = latestState(run, scope, stepId);
    const isLast = at + 1 === words.length;
    if (!state || !isPassOf(state, pass, isLast)) return undefined;
    if (isLast) return { scope, stepId };
    const name = words[at + 1] ?? "";
    if (!bodyState(state, name) || (state.items && !NUMBER.test(name))) return undefined;
    scope = bodyScope(instanceKey(scope, stepId, state.iteration), name);
  }
}

const NUMBER = /^(?:0|[1-9][0-9]*)$/;

/** What is inside an earlier pass is gone; a step itself can always be begun once more. */
function isPassOf({ iteration }: StepState, pass: string | undefined, mayBeEarlier: boolean) {
  if (pass === undefined) return true;
  if (!NUMBER.test(pass)) return false;
  return mayBeEarlier ? Number(pass) <= iteration : Number(pass) === iteration;
}

/** Why there is no place to go on from. */
export function noPlace(run: Run, from: string): string {
  const instances = [...instancesIn(run, "")];
  const inItem = instances.find(({ key }) => parseKey(key).stepId === from);
  if (inItem) return `Step "${from}" stands in a foreach: name one of its items, as ${inItem.key}.`;
  const around = from.slice(0, from.lastIndexOf("/"));
  const place = around === "" ? undefined : placeOf(run, around);
  const child = place && latestState(run, place.scope, place.stepId)?.child_run_id;
  if (child)
    return `Step "${around}" started run ${child}: retry that one first, and then this one.`;
  return `Run ${run.id} has not reached a step "${from}" that it could go on from.`;
}

function find(body: Scope, scope: string, stepId: string): Place | undefined {
  if (Object.hasOwn(body.steps, stepId)) return { scope, stepId };
  for (const [id, state] of Object.entries(body.steps)) {
    for (const [name, branch] of Object.entries(state.branches ?? {})) {
      const found = find(branch, `${scope}${id}#${state.iteration}/${name}/`, stepId);
      if (found) return found;
    }
  }
  return undefined;
}

/** What is opened again: the instances around the place, and what was cut off beside it in them. */
export function reopenedFor(run: Run, { scope }: Place): string[] {
  const around = parentsOf(scope);
  const beside = around
    .flatMap((each) => cutOffIn(run, each))
    .filter((key) => {
      const parent = around.findLast((each) => key.startsWith(`${each}/`));
      if (parent === undefined || around.includes(key)) return false;
      // In the body that leads to the place, it comes after the place.
      const own = scope.slice(0, scope.indexOf("/", parent.length + 1) + 1);
      return !key.startsWith(own);
    });
  return outermostFirst([...new Set([...around, ...beside])]);
}

/** Where a run failed or was cut off, when no place is named. */
export function stoppedAt(run: Run): string[] {
  return outermostFirst((run.retry_from ?? []).flatMap((key) => [key, ...cutOffIn(run, key)]));
}

/** At whatever depth. */
function cutOffIn(run: Run, key: string): string[] {
  const keys = instanceState(run, key)?.cut_off ?? [];
  return keys.flatMap((inner) => [inner, ...cutOffIn(run, inner)]);
}

function outermostFirst(keys: string[]): string[] {
  const depth = (key: string): number => key.split("/").length;
  return [...keys].sort((a, b) => depth(a) - depth(b));
}

/** `a#0/3/b#1/x/` -> `a#0`, `a#0/3/b#1`. */
function parentsOf(scope: string): string[] {
  const parent = parentOf(scope);
  return parent ? [...parentsOf(parseKey(parent.key).scope), parent.key] : [];
}

/** Bodies around the place that had completed, and are at work again. */
export function rebegun(run: Run, place: Place): { key: string; body: string }[] {
  const bodies: { key: string; body: string }[] = [];
  for (let parent = parentOf(place.scope); parent; ) {
    const { key, body } = parent;
    const state = instanceState(run, key);
    const inside = state?.items?.[Number(body)] ?? state?.branches?.[body];
    if (inside?.status === "completed") bodies.unshift({ key, body });
    parent = parentOf(parseKey(key).scope);
  }
  return bodies;
}
