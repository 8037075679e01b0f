// Where a retry by hand goes on from: a step named by its id or its key.

import { instanceState, latestState, parentOf, parseKey, scopeState } from "./key.js";
import type { Run, Scope } from "./run.js";

export interface Place {
  scope: string;
  stepId: string;
}

/** `from`: a key, or the id of a step that was reached and does not stand in a foreach. */
export function placeOf(run: Run, from: string): Place | undefined {
  if (!from.includes("#")) return find(run, "", from);
  const { scope, stepId } = parseKey(from);
  if (!scopeState(run, scope) || !latestState(run, scope, stepId)) return undefined;
  return { scope, stepId };
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
export function reopenedFor(run: Run, place: Place): string[] {
  const around = parentsOf(place.scope);
  const beside = (run.retry_from ?? []).filter((key) => {
    const isInside = around.some((parent) => key.startsWith(`${parent}/`));
    return isInside && !key.startsWith(place.scope) && !around.includes(key);
  });
  return outermostFirst([...around, ...beside]);
}

export function outermostFirst(keys: string[]): string[] {
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
