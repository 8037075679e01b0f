// The control types: steps that the engine itself executes, one row each.

import type { Json, JsonObject } from "../flow/json.js";
import type { Body, Step } from "../flow/workflow.js";
import { MAX_ITEMS } from "../limits.js";
import {
  asText,
  complete,
  enter,
  expressionFailure,
  fail,
  fill,
  isTrue,
  leave,
  nextAttempt,
} from "./advance.js";
import type { Draft } from "./draft.js";
import { bodyScope, bodyState, instanceState, parseKey } from "./key.js";
import type { Control } from "./rule.js";
import { bodyOf } from "./steps.js";
import { APPROVAL, DELAY, WAIT, WORKFLOW } from "./waiting.js";

const SET: Control = {
  begin(draft, key, step) {
    complete(draft, key, fill(draft, parseKey(key).scope, step.config.values ?? {}));
  },
};

const FAIL: Control = {
  begin(draft, key, step) {
    const message = fill(draft, parseKey(key).scope, step.config.message ?? "");
    fail(draft, key, { kind: "failed", message: asText(message) });
  },
};

interface Case {
  when: string;
  next_step_id: string | null;
}

const BRANCH: Control = {
  begin(draft, key, step) {
    const cases = (step.config.cases ?? []) as unknown as Case[];
    const taken = cases.findIndex(({ when }) => isTrue(draft, key, when));
    const next = cases[taken]?.next_step_id ?? null;
    const to = taken < 0 ? step.next_step_id : next;
    const output = { case: taken < 0 ? null : taken, next_step_id: to };
    draft.emit({ type: "step_completed", key, output });
    leave(draft, key, to);
  },
};

const PARALLEL: Control = {
  begin(draft, key, step) {
    const attempt = nextAttempt(draft, key);
    const known = instanceState(draft.run, key)?.branches;
    const branches = Object.keys(step.config.branches as JsonObject);
    draft.emit({ type: "step_started", key, attempt, ...(known ? {} : { branches }) });
    for (const name of branches) beginBody(draft, key, bodyOf(step, name), name);
    endContainer(draft, key, () => ({}));
  },
  bodyEnded(draft, key, body) {
    draft.emit({ type: "body_completed", key, body, output: null });
    endContainer(draft, key, () => ({}));
  },
};

const FOREACH: Control = {
  begin(draft, key, step) {
    const attempt = nextAttempt(draft, key);
    if (instanceState(draft.run, key)?.items) {
      draft.emit({ type: "step_started", key, attempt });
      endAgain(draft, key);
    } else {
      const items = fill(draft, parseKey(key).scope, step.config.items ?? []);
      if (!Array.isArray(items) || items.length > MAX_ITEMS) {
        fail(draft, key, { kind: "items", message: notItems(step, items) });
        return;
      }
      draft.emit({ type: "step_started", key, attempt, items });
    }
    refill(draft, key, step);
  },
  bodyEnded(draft, key, body) {
    const step = draft.step(key);
    const scope = bodyScope(key, body);
    try {
      const output =
        step.config.collect === undefined ? null : fill(draft, scope, step.config.collect);
      draft.emit({ type: "body_completed", key, body, output });
    } catch (error) {
      fail(draft, key, expressionFailure(error));
      return;
    }
    refill(draft, key, step);
  },
};

/** Retried: of a body whose steps had all ended, what failed was its `collect`. */
function endAgain({ run, next }: Draft, key: string): void {
  const items = instanceState(run, key)?.items ?? [];
  const inside = run.open.filter((open) => open.startsWith(`${key}/`));
  const atWork = new Set(inside.map((open) => open.slice(key.length + 1).split("/", 1)[0]));
  for (const [index, { status }] of items.entries()) {
    if (status === "running" && !atWork.has(String(index)))
      next.push({ end: bodyScope(key, index) });
  }
}

/** As many items at work as `max_parallel` allows; with none left, the step is complete. */
function refill(draft: Draft, key: string, step: Step): void {
  const limit = Number(step.config.max_parallel ?? 1);
  for (;;) {
    const state = instanceState(draft.run, key);
    if (!state?.items || state.status !== "running") return;
    const { items, bodies_begun = 0, bodies_ended = 0 } = state;
    if (bodies_begun - bodies_ended >= limit || bodies_begun >= items.length) break;
    beginBody(draft, key, bodyOf(step), String(bodies_begun));
  }
  endContainer(draft, key, (items) => ({ results: items }));
}

function beginBody(draft: Draft, key: string, body: Body, name: string): void {
  const state = instanceState(draft.run, key);
  if (!state || bodyState(state, name)?.status !== "pending") return;
  draft.emit({ type: "body_started", key, body: name });
  enter(draft, bodyScope(key, name), body.entry_point);
}

function endContainer(draft: Draft, key: string, output: (items: Json[]) => JsonObject): void {
  const state = instanceState(draft.run, key);
  if (state?.status !== "running") return;
  const bodies = state.items ?? Object.values(state.branches ?? {});
  if ((state.bodies_ended ?? 0) < bodies.length) return;
  complete(draft, key, output(bodies.map((body) => body.output)));
}

/** By step type. A type that is not here is a connector's. */
export const CONTROL: { readonly [type: string]: Control | undefined } = Object.assign(
  Object.create(null),
  {
    delay: DELAY,
    set: SET,
    fail: FAIL,
    branch: BRANCH,
    parallel: PARALLEL,
    foreach: FOREACH,
    approval: APPROVAL,
    wait: WAIT,
    workflow: WORKFLOW,
  },
);

function notItems(step: Step, items: Json): string {
  if (Array.isArray(items)) {
    return `Step "${step.id}" has ${items.length} items; at most ${MAX_ITEMS} are allowed.`;
  }
  const what = items === null ? "null" : typeof items;
  return `The items of step "${step.id}" must be a list, and are ${what}.`;
}
