// What the events of steps do to a run. Each is refused by the state itself where it is stale.

import { EARLIER_ITERATIONS } from "../limits.js";
import type { Event } from "./event.js";
import {
  bodyState,
  instanceState,
  latestState,
  type Own,
  parentOf,
  parseKey,
  scopeState,
  stepsWith,
  withBody,
  withState,
} from "./key.js";
import type { BodyState, Iteration, Run, StepState } from "./run.js";

export type StepEvent = Extract<Event, { key: string }>;

export function evolveStep(run: Run, event: StepEvent, own: Own): Run {
  switch (event.type) {
    case "step_queued":
      return isNew(run, event.key) ? open(run, event.key, event.at, own) : run;
    case "step_started":
      return start(run, event, own);
    case "step_attempt_failed":
      return attemptFailed(run, event, own);
    case "step_completed":
      return complete(run, event, own);
    case "step_failed":
      return fail(run, event, own);
    case "step_skipped":
      return close(openIfNew(run, event, own), event, { status: "skipped" }, own);
    case "step_cancelled":
      return close(run, event, { status: "cancelled" }, own, true);
    case "step_reopened":
      return reopen(run, event, own);
    case "body_started":
    case "body_completed":
      return evolveBody(run, event, own);
  }
}

type Of<T extends StepEvent["type"]> = Extract<StepEvent, { type: T }>;

function isNew(run: Run, key: string): boolean {
  const { scope, stepId, iteration } = parseKey(key);
  if (!scopeState(run, scope)) return false;
  const latest = latestState(run, scope, stepId);
  return iteration === (latest === undefined ? 0 : latest.iteration + 1);
}

function open(run: Run, key: string, at: string, own: Own): Run {
  const state = fresh(run, key);
  state.until = at;
  return opened(run, key, state, own);
}

function fresh(run: Run, key: string): StepState {
  const { scope, stepId, iteration } = parseKey(key);
  const latest = latestState(run, scope, stepId);
  const state: StepState = {
    status: "pending",
    attempt: 0,
    iteration,
    started_at: null,
    finished_at: null,
    output: null,
    error: null,
  };
  if (latest) state.earlier = earlier(latest);
  return state;
}

function opened(run: Run, key: string, state: StepState, own: Own): Run {
  const steps = stepsWith(run, key, state, own);
  return { ...run, steps, open: [...run.open, key], step_count: run.step_count + 1 };
}

function earlier(state: StepState): Iteration[] {
  const { iteration, status, started_at, finished_at } = state;
  const last = { iteration, status, started_at, finished_at };
  return [...(state.earlier ?? []), last].slice(-EARLIER_ITERATIONS);
}

function openIfNew(run: Run, event: { key: string; at: string }, own: Own): Run {
  return isNew(run, event.key) ? open(run, event.key, event.at, own) : run;
}

function start(run: Run, event: Of<"step_started">, own: Own): Run {
  const isFirst = isNew(run, event.key);
  const state = isFirst ? fresh(run, event.key) : instanceState(run, event.key);
  // Looked at before anything is written: what is stale must leave no trace.
  const mayStart = state !== undefined && (isFirst || run.open.includes(event.key));
  if (!mayStart || event.attempt !== state.attempt + 1) return run;
  const isCall = event.until === undefined && event.signal === undefined;
  const waits = !isCall && event.child_run_id === undefined;
  const started = isFirst ? state : withoutWait(state);
  started.status = waits ? "waiting" : "running";
  started.attempt = event.attempt;
  started.started_at ??= event.at;
  // A wait with an error behind it would be one before another attempt.
  if (waits) started.error = null;
  if (event.until !== undefined) started.until = event.until;
  const signal = event.signal ?? state.signal;
  if (signal !== undefined) started.signal = signal;
  if (event.message !== undefined) started.message = event.message;
  if (event.child_run_id !== undefined) started.child_run_id = event.child_run_id;
  addBodies(started, event, own);
  const changed = isFirst ? opened : withState;
  return changed(run, event.key, started, own);
}

/** Only a first start brings bodies: a retry by hand goes on with those that are there. */
function addBodies(to: StepState, { items, branches }: Of<"step_started">, own: Own): void {
  if (!items && !branches) return;
  to.bodies_begun = 0;
  to.bodies_ended = 0;
  if (items) {
    to.items = items.map(emptyBody);
    own.add(to.items);
  } else if (branches) {
    const states = branches.map((name): [string, BodyState] => [name, emptyBody(null)]);
    to.branches = Object.fromEntries(states);
  }
}

function emptyBody(item: BodyState["item"]): BodyState {
  return { status: "pending", item, output: null, steps: {} };
}

function attemptFailed(run: Run, event: Of<"step_attempt_failed">, own: Own): Run {
  const state = instanceState(run, event.key);
  if (state?.status !== "running" || state.attempt !== event.attempt) return run;
  const waiting = { status: "waiting", error: event.error, until: event.until } as const;
  return withState(run, event.key, { ...state, ...waiting }, own);
}

/** A step that takes no time has no start of its own. */
function complete(before: Run, event: Of<"step_completed">, own: Own): Run {
  const run = openIfNew(before, event, own);
  const attempt = Math.max(1, instanceState(run, event.key)?.attempt ?? 1);
  const ended = { status: "completed", attempt, output: event.output, error: null } as const;
  const closed = close(run, event, ended, own);
  if (closed === run) return before;
  return event.signal === undefined ? closed : takeSignal(closed, event.signal);
}

function takeSignal(run: Run, name: string): Run {
  const signals = run.signals ?? [];
  const first = signals.findIndex((signal) => signal.name === name);
  return { ...run, signals: signals.filter((_, index) => index !== first) };
}

function fail(before: Run, event: Of<"step_failed">, own: Own): Run {
  const run = openIfNew(before, event, own);
  const ended = { status: "failed", error: event.error, output: event.output ?? null } as const;
  const failed = close(run, event, ended, own, event.handled !== "step");
  if (failed === run) return before;
  const closed = event.signal === undefined ? failed : takeSignal(failed, event.signal);
  if (event.handled === undefined) return closed;
  const origin = { step_id: parseKey(event.key).stepId, key: event.key };
  const caught = { ...origin, ...event.error };
  if (event.handled === "workflow") return { ...closed, caught, failing: true };
  return { ...closed, caught };
}

/**
 * Ends an open instance. `again`: a retry by hand goes on from here, unless the workflow's
 * on_error was at work, which a retry does not repeat.
 */
function close(
  run: Run,
  event: { key: string; at: string },
  ended: Partial<StepState>,
  own: Own,
  again = false,
): Run {
  const state = instanceState(run, event.key);
  if (!state || !run.open.includes(event.key)) return run;
  const closed = Object.assign(withoutWait(state), ended);
  if (ended.status === "completed") closed.started_at ??= event.at;
  closed.finished_at = event.at;
  const open = run.open.filter((key) => key !== event.key);
  const after: Run = { ...run, steps: stepsWith(run, event.key, closed, own), open };
  return again ? cutOff(after, event.key, own) : after;
}

/** What is around an instance knows it, so that its failure can be handled with all in it. */
function cutOff(run: Run, key: string, own: Own): Run {
  const parent = parentOf(parseKey(key).scope);
  const around = parent && instanceState(run, parent.key);
  if (around) {
    const cut_off = [...(around.cut_off ?? []), key];
    return withState(run, parent.key, { ...around, cut_off }, own);
  }
  return run.failing ? run : { ...run, retry_from: [...(run.retry_from ?? []), key] };
}

function reopen(run: Run, { key, at }: Of<"step_reopened">, own: Own): Run {
  const state = instanceState(run, key);
  if (!state || run.open.includes(key)) return run;
  const { output: _, cut_off: __, ...rest } = state;
  const again = { status: "pending", finished_at: null, output: null, until: at } as const;
  return opened(run, key, { ...rest, ...again, attempts_before: state.attempt }, own);
}

type Optional<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
type Kept = Exclude<Optional<StepState>, "until" | "signal">;

/** What a state may have, but for what only a wait has. */
const MAY_HAVE = Object.keys({
  message: true,
  items: true,
  child_run_id: true,
  branches: true,
  bodies_begun: true,
  bodies_ended: true,
  earlier: true,
  attempts_before: true,
  cut_off: true,
} satisfies { [name in Kept]: true }) as Kept[];

/** A copy, made name by name: to leave some names out of a spread takes ten times as long. */
function withoutWait(state: StepState): StepState {
  const { status, attempt, iteration, started_at, finished_at, output, error } = state;
  const copy = { status, attempt, iteration, started_at, finished_at, output, error };
  for (const name of MAY_HAVE) if (state[name] !== undefined) keep(copy, state, name);
  return copy;
}

function keep<K extends Kept>(copy: StepState, state: StepState, name: K): void {
  copy[name] = state[name];
}

type BodyEvent = Of<"body_started"> | Of<"body_completed">;

function evolveBody(run: Run, event: BodyEvent, own: Own): Run {
  const state = instanceState(run, event.key);
  const body = state && bodyState(state, event.body);
  if (!state || !body) return run;
  const { bodies_begun = 0, bodies_ended = 0 } = state;
  if (event.type === "body_started" && body.status === "pending") {
    const begun = withBody(state, event.body, { ...body, status: "running" }, own);
    return withState(run, event.key, { ...begun, bodies_begun: bodies_begun + 1 }, own);
  }
  // A retry by hand from a step inside it.
  if (event.type === "body_started" && body.status === "completed") {
    const again = withBody(state, event.body, { ...body, status: "running" }, own);
    return withState(run, event.key, { ...again, bodies_ended: bodies_ended - 1 }, own);
  }
  if (event.type === "body_completed" && body.status === "running") {
    const done = { ...body, status: "completed", output: event.output } as const;
    const ended = withBody(state, event.body, done, own);
    return withState(run, event.key, { ...ended, bodies_ended: bodies_ended + 1 }, own);
  }
  return run;
}
