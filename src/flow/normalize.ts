// From a checked flow file to the workflow: defaults filled in, durations in ms, ways resolved.

import { DEFAULT_MAX_STEPS, DEFAULT_STEP_TIMEOUT_MS } from "../limits.js";
import type { Catalog, StepType } from "./catalog.js";
import { parseDuration } from "./duration.js";
import type { Json, JsonObject } from "./json.js";
import { validatorOf } from "./validator.js";
import type { Body, Concurrency, OnError, Retry, Step, Trigger, Workflow } from "./workflow.js";

/** `file` is what the file says; every rule has passed it. */
export function normalize(file: JsonObject, catalog: Catalog): Workflow {
  const defaults = (file.defaults as JsonObject | undefined) ?? {};
  const id = String(file.id);
  const workflow: Workflow = {
    id,
    name: String(file.name ?? id),
    ...normalizeBody(file, defaults, catalog),
    max_steps: (file.max_steps as number | undefined) ?? DEFAULT_MAX_STEPS,
  };
  copyKeys(file, workflow as unknown as JsonObject, ["description", "context", "on_error"]);
  copyKeys(file, workflow as unknown as JsonObject, ["secrets", "outputs", "retention"]);
  if (file.timeout !== undefined) {
    workflow.timeout_ms = ms(file.timeout);
  }
  if (file.triggers !== undefined) {
    workflow.triggers = (file.triggers as JsonObject[]).map(normalizeTrigger);
  }
  if (file.concurrency !== undefined) {
    const given = file.concurrency as Partial<Concurrency>;
    workflow.concurrency = {
      group: id,
      limit: 1,
      on_conflict: "queue",
      ...(copy(given as Json) as object),
    };
  }
  return workflow;
}

function normalizeBody(body: JsonObject, defaults: JsonObject, catalog: Catalog): Body {
  const list = body.steps as JsonObject[];
  const steps = list.map((step, index) => {
    const following = list[index + 1]?.id;
    return normalizeStep(step, typeof following === "string" ? following : null, defaults, catalog);
  });
  return { entry_point: String(body.entry_point ?? steps[0]?.id), steps };
}

function normalizeStep(
  given: JsonObject,
  following: string | null,
  defaults: JsonObject,
  catalog: Catalog,
): Step {
  const type = catalog[String(given.type)] as StepType;
  const config = normalizeConfig(
    type,
    (given.config as JsonObject | undefined) ?? {},
    defaults,
    catalog,
  );
  const step: Step = {
    id: String(given.id),
    type: type.type,
    config,
    next_step_id: nextStepId(given, config, following),
  };
  if (given.if !== undefined) {
    step.if = String(given.if);
  }
  const timeout = given.timeout ?? (type.control ? undefined : defaults.timeout);
  if (timeout !== undefined) {
    step.timeout_ms = ms(timeout);
  } else if (!type.control) {
    step.timeout_ms = DEFAULT_STEP_TIMEOUT_MS;
  }
  const retry = mergeRetry(given.retry, type.control ? undefined : defaults.retry);
  if (retry !== undefined) {
    step.retry = retry;
  }
  if (given.on_error !== undefined) {
    step.on_error = copy(given.on_error) as OnError;
  }
  copyKeys(given, step as unknown as JsonObject, ["output", "delivery"]);
  return step;
}

/** A branch goes on where no case is true; a fail step nowhere. */
function nextStepId(
  given: JsonObject,
  config: JsonObject,
  following: string | null,
): string | null {
  if (given.type === "fail") {
    return null;
  }
  const next = given.type === "branch" ? (config.otherwise ?? null) : given.next_step_id;
  return next === undefined ? following : (next as string | null);
}

function normalizeConfig(
  type: StepType,
  given: JsonObject,
  defaults: JsonObject,
  catalog: Catalog,
): JsonObject {
  const config = copy(given) as JsonObject;
  // Fills defaults; what does not fit yet is an expression.
  validatorOf(type.config).mistakes(config);
  if (type.type === "foreach") {
    return { ...config, ...(normalizeBody(given, defaults, catalog) as unknown as JsonObject) };
  }
  if (type.type === "parallel") {
    const branches = Object.entries(given.branches as { [name: string]: JsonObject });
    const bodies = branches.map(([name, body]) => [name, normalizeBody(body, defaults, catalog)]);
    return { ...config, branches: Object.fromEntries(bodies) as JsonObject };
  }
  return config;
}

function mergeRetry(own: Json | undefined, inherited: Json | undefined): Retry | undefined {
  if (own === undefined && inherited === undefined) {
    return undefined;
  }
  const given = { ...(inherited as JsonObject), ...(own as JsonObject) };
  return {
    max_attempts: (given.max_attempts as number | undefined) ?? 3,
    delay_ms: ms(given.delay ?? "1s"),
    backoff: (given.backoff as Retry["backoff"] | undefined) ?? "exponential",
    max_delay_ms: ms(given.max_delay ?? "5m"),
    jitter: (given.jitter as number | undefined) ?? 0,
    ...(given.when === undefined ? {} : { when: String(given.when) }),
  };
}

function normalizeTrigger(given: JsonObject): Trigger {
  const trigger = copy(given) as JsonObject;
  switch (trigger.type) {
    case "schedule":
      return { timezone: "UTC", missed: "run_once", ...trigger } as unknown as Trigger;
    case "workflow":
      return { ...trigger, on: [trigger.on ?? "completed"].flat() } as unknown as Trigger;
    default: {
      const signature = trigger.signature as JsonObject | undefined;
      const isHmac = signature?.scheme === "hmac";
      return {
        respond: "accepted",
        ...trigger,
        ...(isHmac ? { signature: { ...HMAC_DEFAULTS, ...signature } } : {}),
      } as unknown as Trigger;
    }
  }
}

const HMAC_DEFAULTS = { prefix: "", encoding: "hex", algorithm: "sha256" };

function copyKeys(from: JsonObject, to: JsonObject, keys: readonly string[]): void {
  for (const key of keys) {
    const value = from[key];
    if (value !== undefined) {
      to[key] = copy(value);
    }
  }
}

/** Aliases share values; a workflow shares none with its file. */
function copy(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(copy);
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copy(entry)]));
  }
  return value;
}

function ms(value: Json): number {
  const duration = parseDuration(value);
  if (duration === undefined) {
    throw new Error(`${JSON.stringify(value)} was checked to be a duration`);
  }
  return duration;
}
