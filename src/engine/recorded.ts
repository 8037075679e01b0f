// From the document of a finished run to a case of a test: what was answered, what came of it.

import { stepsById } from "../flow/address.js";
import type { Catalog } from "../flow/catalog.js";
import { durationText } from "../flow/duration.js";
import { evaluateValue } from "../flow/expression/index.js";
import type { Json, JsonObject } from "../flow/json.js";
import type { Step, Workflow } from "../flow/workflow.js";
import { instancesIn, parseKey } from "./key.js";
import type { Failure, Run, StepState } from "./run.js";
import { namesIn } from "./scope.js";

export interface Recorded {
  /** As a test file says it. */
  case: JsonObject;
  /** What the document does not keep, and was assumed. */
  assumed: string[];
}

/**
 * A run's document keeps the last attempt of each instance, and the last pass of each loop; of what
 * failed before, `earlier` is assumed to be the reason.
 */
export function recordedCase(
  run: Run,
  workflow: Workflow,
  catalog: Catalog,
  earlier: JsonObject,
): Recorded {
  return new Recording(run, workflow, catalog, earlier).result();
}

/** One answer of the world, of people or of a signal, at one instance. */
interface Said {
  key: string;
  stepId: string;
  value: Json;
  /** How many instances it stands for. */
  times: number;
}

/** Failures that the engine makes by itself, before anything is called. */
const OWN_KINDS: ReadonlySet<string> = new Set(["expression", "invalid_config", "max_steps"]);

class Recording {
  readonly #stubs: Said[] = [];
  readonly #answers: Said[] = [];
  readonly #signals: JsonObject[] = [];
  readonly #attempts: JsonObject = {};
  readonly #assumed: string[] = [];

  constructor(
    readonly run: Run,
    readonly workflow: Workflow,
    readonly catalog: Catalog,
    readonly earlier: JsonObject,
  ) {}

  result(): Recorded {
    const { run } = this;
    const steps = stepsById(this.workflow);
    for (const { key, state } of instancesIn(run, "")) {
      const step = steps.get(parseKey(key).stepId);
      if (step) this.#instance(key, step, state);
      else this.#assumed.push(`step "${parseKey(key).stepId}" is not in the workflow any more`);
    }
    const { idempotency_key: _, ...trigger } = run.trigger;
    const isManual = trigger.type === "manual" && Object.keys(trigger).length === 1;
    const parts: [string, Json][] = [
      ["stubs", byAddress(this.#stubs)],
      ["answers", byAddress(this.#answers)],
      ["signals", this.#signals],
    ];
    return {
      case: {
        name: `as in ${run.id}`,
        at: run.created_at,
        ...(isManual ? {} : { trigger: trigger as JsonObject }),
        context: run.context,
        ...Object.fromEntries(parts.filter(([, value]) => Object.keys(value as object).length > 0)),
        expect: this.#expect(),
      },
      assumed: [...new Set(this.#assumed)],
    };
  }

  #expect(): JsonObject {
    const { status, error, output } = this.run;
    const { step_id, kind, message } = error ?? {};
    return {
      status,
      ...(Object.keys(this.#attempts).length > 0 ? { attempts: this.#attempts } : {}),
      ...(error ? { error: withoutUndefined({ step_id, kind, message }) } : {}),
      ...(output === null ? {} : { outputs: output }),
    };
  }

  #instance(key: string, step: Step, state: StepState): void {
    const type = this.catalog[step.type];
    if (step.type === "approval") this.#approval(key, step, state);
    else if (step.type === "wait") this.#wait(key, step, state);
    else if (step.type === "workflow" || !type?.control) this.#called(key, step, state);
  }

  #called(key: string, step: Step, state: StepState): void {
    this.#earlierPasses(key, step, state);
    const { status, output, error } = state;
    const attempts = state.attempt - (state.attempts_before ?? 0);
    if (state.attempts_before) {
      this.#assumed.push(`"${step.id}" was retried by hand; its attempts before that are left out`);
    }
    if (status === "completed") {
      const last = withoutUndefined({ output, after: took(state, attempts) });
      const before = Array.from({ length: attempts - 1 }, () => ({ error: this.earlier }));
      if (before.length > 0) this.#assume(`the failed attempts of "${step.id}"`);
      this.#say(key, before.length > 0 ? [...before, last] : last);
    } else if (status === "failed" && error && !OWN_KINDS.has(error.kind)) {
      if (attempts > 1) this.#assumed.push(`all attempts of "${step.id}" failed like the last`);
      this.#say(key, { error: toError(error) });
    } else if (status === "cancelled" && state.attempt > 0) {
      // It was cut off: longer than anything that could have cut it off.
      this.#say(key, { error: { kind: "timeout" }, after: "1h" });
    }
    if (attempts > 1 && step.type !== "workflow") this.#count(key, step.id, attempts);
  }

  /** Loops count all passes together, and the document has the last alone. */
  #count(key: string, stepId: string, attempts: number): void {
    if (!key.includes("/") && parseKey(key).iteration === 0) this.#attempts[stepId] = attempts;
  }

  #assume(what: string): void {
    this.#assumed.push(`what was answered to ${what}, which a run's document does not keep`);
  }

  /** A document keeps the latest passes, without what was answered; older ones were like them. */
  #earlierPasses(key: string, step: Step, { iteration, earlier = [], output, error }: StepState) {
    if (iteration === 0) return;
    this.#assume(`the earlier passes of "${step.id}"`);
    const { scope } = parseKey(key);
    const failure = error ? toError(error) : this.earlier;
    earlier.forEach(({ iteration: pass, status }, index) => {
      if (status === "skipped") return;
      const value = status === "failed" ? { error: failure } : { output };
      const times = index === 0 ? pass + 1 : 1;
      this.#say(`${scope}${step.id}#${pass}`, value, times);
    });
  }

  #say(key: string, value: Json, times = 1): void {
    this.#stubs.push({ key, stepId: parseKey(key).stepId, value, times });
  }

  #approval(key: string, step: Step, state: StepState): void {
    const output = state.output as { approved: boolean; comment: string | null } | null;
    const isTimedOut = (state.output as JsonObject | null)?.timed_out === true;
    if (state.status !== "completed" || output === null || isTimedOut) return;
    const comment = output.comment ?? undefined;
    const after = span(state.started_at, state.finished_at);
    const value = withoutUndefined({ approved: output.approved, comment, after });
    this.#answers.push({ key, stepId: step.id, value, times: 1 });
  }

  #wait(key: string, step: Step, state: StepState): void {
    if (state.status !== "completed") return;
    const names = namesIn(this.workflow, this.run, parseKey(key).scope);
    const name = String(evaluateValue(step.config.signal ?? "", names));
    const after = span(this.run.created_at, state.finished_at);
    this.#signals.push(withoutUndefined({ name, data: state.output, after }));
  }
}

/** What most instances of a step got stands under its id, the rest under their keys. */
function byAddress(said: readonly Said[]): JsonObject {
  const bySteps = new Map<string, Said[]>();
  for (const one of said) bySteps.set(one.stepId, [...(bySteps.get(one.stepId) ?? []), one]);
  const entries: [string, Json][] = [];
  for (const [stepId, ones] of bySteps) {
    const common = ones.length === 1 ? ones[0] : mostCommon(ones);
    if (common) entries.push([stepId, common.value]);
    for (const one of ones) {
      if (!common || !same(one, common)) entries.push([one.key, one.value]);
    }
  }
  return Object.fromEntries(entries);
}

/** No list: one for several instances would be used up by the first of them. */
function mostCommon(said: readonly Said[]): Said | undefined {
  const counts = new Map<string, number>();
  let best: Said | undefined;
  let most = 0;
  for (const one of said) {
    if (Array.isArray(one.value)) continue;
    const text = JSON.stringify(one.value);
    const count = (counts.get(text) ?? 0) + one.times;
    counts.set(text, count);
    if (count > most) {
      best = one;
      most = count;
    }
  }
  return best;
}

function same(a: Said, b: Said): boolean {
  return JSON.stringify(a.value) === JSON.stringify(b.value);
}

function toError({ kind, message, status }: Failure): JsonObject {
  return withoutUndefined({ kind, message, status });
}

/** Of a first attempt; of later ones, the pauses before it are part of the span. */
function took(state: StepState, attempts: number): string | undefined {
  return attempts === 1 ? span(state.started_at, state.finished_at) : undefined;
}

/** What takes less than a second matters to nobody. */
function span(from: string | null, to: string | null): string | undefined {
  if (from === null || to === null) return undefined;
  const ms = Date.parse(to) - Date.parse(from);
  return ms >= 1_000 ? durationText(ms) : undefined;
}

function withoutUndefined(value: { [key: string]: Json | undefined }): JsonObject {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries) as JsonObject;
}
