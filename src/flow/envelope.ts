// The keys that every workflow and every step may have, as JSON Schema with words for people.

import { MAX_CRON_LENGTH, MAX_RETENTION_DAYS, MAX_RETENTION_RUNS, MAX_STEPS } from "../limits.js";
import { DURATION_WANTED } from "./duration.js";
import type { JsonObject } from "./json.js";

const ID_PATTERN = "^[A-Za-z_][A-Za-z0-9_-]{0,63}$";
const NAME_PATTERN = "^[A-Za-z_][A-Za-z0-9_]{0,63}$";

const id = (description: string): JsonObject => ({
  type: "string",
  description,
  pattern: ID_PATTERN,
  "x-wanted": "an id: a letter or _, then at most 63 letters, digits, _ or -",
});

const duration = (description: string): JsonObject => ({
  type: ["string", "number"],
  description,
  "x-duration": true,
  "x-wanted": DURATION_WANTED,
});

const bareExpression = (description: string): JsonObject => ({
  type: ["string", "boolean"],
  description,
  minLength: 1,
});

/** Where a step, a case or a failure goes. */
export const nextStepId: JsonObject = {
  type: ["string", "null"],
  description: "The step that follows, or null to end. Absent: the next step of the list.",
  "x-wanted": "a step's id or null",
};

const retry: JsonObject = {
  type: "object",
  description: "Tries again when an attempt fails.",
  additionalProperties: false,
  properties: {
    max_attempts: {
      type: "integer",
      description: "All attempts, the first one included. Default 3.",
      minimum: 1,
      maximum: 100,
    },
    delay: duration("The pause before the second attempt. Default 1s."),
    backoff: {
      enum: ["constant", "linear", "exponential"],
      description: "How the pause grows with each attempt. Default exponential.",
    },
    max_delay: duration("The longest pause. Default 5m."),
    jitter: {
      type: "number",
      description: "The share of the pause, 0 to 1, that chance adds or takes away. Default 0.",
      minimum: 0,
      maximum: 1,
    },
    when: bareExpression("Only failures for which this expression over `error` is true."),
  },
};

const onStepError: JsonObject = {
  type: "object",
  description: "What follows the last failed attempt: another step, or going on regardless.",
  additionalProperties: false,
  properties: {
    next_step_id: {
      type: "string",
      description: "The step that handles the failure; it may read `error`.",
      "x-wanted": "a step's id",
    },
    continue: { const: true, description: "Go on as if the step had completed." },
    output: { description: "The step's output when it failed and the run goes on. Default null." },
  },
  oneOf: [{ required: ["next_step_id"] }, { required: ["continue"] }],
  dependentRequired: { output: ["continue"] },
};

const jsonSchema = (description: string): JsonObject => ({
  type: "object",
  description,
  "x-wanted": "a JSON Schema",
});

/** How senders sign. */
const SCHEMES = ["standard_webhooks", "github", "stripe", "slack", "hmac"];

const headerName = (description: string): JsonObject => ({
  type: "string",
  description,
  pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$",
  "x-wanted": "the name of a header",
});

const triggerContext: JsonObject = {
  type: "object",
  description: "The run's context; may hold expressions over `trigger`.",
};

const ending: JsonObject = {
  enum: ["completed", "failed", "cancelled"],
  description: "How the other run ended.",
};

const TRIGGERS: { readonly [type: string]: JsonObject } = {
  schedule: {
    type: "object",
    additionalProperties: false,
    required: ["type", "cron"],
    properties: {
      type: { const: "schedule", description: "Starts runs at times of the day or week." },
      cron: {
        type: "string",
        description: "Five fields: minute hour day month weekday.",
        maxLength: MAX_CRON_LENGTH,
      },
      timezone: { type: "string", description: "An IANA name, as Europe/Paris. Default UTC." },
      missed: {
        enum: ["skip", "run_once"],
        description: "What follows a downtime in which times were missed. Default run_once.",
      },
      context: triggerContext,
    },
  },
  webhook: {
    type: "object",
    additionalProperties: false,
    required: ["type", "path"],
    properties: {
      type: { const: "webhook", description: "Starts a run for each POST to /hooks/<path>." },
      path: {
        type: "string",
        description: "The part of the address after /hooks/.",
        pattern: "^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,4}$",
        "x-wanted": "a path of letters, digits, _, - and / (it follows /hooks/)",
      },
      signature: {
        type: "object",
        description: "Refuses what is not signed with a secret.",
        additionalProperties: false,
        required: ["scheme", "secret"],
        properties: {
          scheme: { enum: SCHEMES, description: "How the sender signs." },
          secret: { type: "string", description: "The name of a secret, from `secrets`." },
          header: headerName("Of hmac: the header that the signature is in."),
          prefix: {
            type: "string",
            description: "Of hmac: what stands before the signature, as sha256=. Default nothing.",
            maxLength: 40,
          },
          encoding: {
            enum: ["hex", "base64"],
            description: "Of hmac: how the signature is written. Default hex.",
          },
          algorithm: {
            enum: ["sha256", "sha512", "sha1"],
            description: "Of hmac: the hash. Default sha256.",
          },
          id_header: headerName(
            "Of hmac: the header with the id of a delivery; the same id starts one run.",
          ),
        },
      },
      respond: {
        enum: ["accepted", "result"],
        description:
          "When the sender is answered: once the run is on disk, or with its outputs when it has " +
          "ended. Default accepted.",
      },
      context: {
        ...triggerContext,
        description: "The run's context, from `trigger.body`. Default: the JSON body itself.",
      },
    },
  },
  workflow: {
    type: "object",
    additionalProperties: false,
    required: ["type", "workflow_id"],
    properties: {
      type: { const: "workflow", description: "Starts a run when one of another workflow ends." },
      workflow_id: id("The other workflow."),
      on: {
        description: "Which ends of the other run, one or a list. Default completed.",
        anyOf: [ending, { type: "array", minItems: 1, uniqueItems: true, items: ending }],
      },
      context: triggerContext,
    },
  },
};

export const triggerSchemas = TRIGGERS;

export const workflowEnvelope: JsonObject = {
  type: "object",
  additionalProperties: false,
  required: ["id", "steps"],
  "x-wanted": "a mapping with id and steps",
  properties: {
    id: id("The workflow's name for machines; unique in its folder."),
    name: { type: "string", description: "The workflow's name for people.", maxLength: 200 },
    description: { type: "string", description: "What the workflow is for.", maxLength: 5_000 },
    context: jsonSchema("JSON Schema of what a run starts with: types, defaults, limits."),
    secrets: {
      type: "array",
      description: "Names of the secrets that steps may read; their values live elsewhere.",
      maxItems: 100,
      items: {
        type: "string",
        pattern: NAME_PATTERN,
        "x-wanted": "the name of a secret: letters, digits and _",
      },
    },
    triggers: {
      type: "array",
      description: "What starts runs. Starting by hand, CLI or API is always possible.",
      maxItems: 50,
      items: {
        type: "object",
        required: ["type"],
        properties: {
          type: { enum: Object.keys(TRIGGERS), description: "What kind of trigger." },
        },
      },
    },
    concurrency: {
      type: "object",
      description: "Bounds how many runs of a group go on at a time.",
      additionalProperties: false,
      properties: {
        group: { type: "string", description: "May read `context`. Default: the workflow's id." },
        limit: { type: "integer", description: "Default 1.", minimum: 1, maximum: 10_000 },
        on_conflict: {
          enum: ["queue", "skip", "cancel_running"],
          description: "What a run does that finds the group full. Default queue.",
        },
      },
    },
    retention: {
      type: "object",
      description: "Which finished runs are kept. Default: what the server was started with.",
      additionalProperties: false,
      minProperties: 1,
      properties: {
        days: {
          type: "number",
          description: "Since its end; an older run is deleted.",
          minimum: 0,
          maximum: MAX_RETENTION_DAYS,
        },
        runs: {
          type: "integer",
          description: "How many; beyond, the oldest ones are deleted.",
          minimum: 0,
          maximum: MAX_RETENTION_RUNS,
        },
      },
    },
    timeout: duration("How long a whole run may take."),
    defaults: {
      type: "object",
      description: "For every step that touches the world and does not say otherwise.",
      additionalProperties: false,
      properties: { timeout: duration("Of one attempt."), retry },
    },
    on_error: {
      type: "object",
      description: "Where a failure goes that no step handled.",
      additionalProperties: false,
      required: ["next_step_id"],
      properties: {
        next_step_id: { type: "string", description: "A step of the workflow." },
      },
    },
    max_steps: {
      type: "integer",
      description: "The most step executions of one run. Default 10000.",
      minimum: 1,
      maximum: MAX_STEPS,
    },
    entry_point: { type: "string", description: "The first step. Default: the first of the list." },
    steps: {
      type: "array",
      description: "What the workflow does.",
      minItems: 1,
      maxItems: 1_000,
      items: { type: "object" },
    },
    outputs: { type: "object", description: "The run's result: names and expressions." },
  },
};

export const stepEnvelope: JsonObject = {
  type: "object",
  additionalProperties: false,
  required: ["id", "type"],
  properties: {
    id: id("The step's name; unique in the file."),
    type: { type: "string", description: "What the step does." },
    if: bareExpression("An expression; when it is false the step is skipped, its output null."),
    config: { type: "object", description: "What the step's type needs." },
    timeout: duration("How long one attempt may take."),
    retry,
    on_error: onStepError,
    output: jsonSchema("JSON Schema of the step's output: checked when it comes."),
    delivery: {
      enum: ["at_least_once", "at_most_once"],
      description:
        "What a crash in the middle means: run the step again with the same key, or fail it. " +
        "Default at_least_once.",
    },
    next_step_id: nextStepId,
  },
};
