// The keys that a test file may have, as JSON Schema with words for people, and for editors.

import { DURATION_WANTED } from "./duration.js";
import type { JsonObject } from "./json.js";
import { editable } from "./schema.js";

const duration = (description: string): JsonObject => ({
  type: ["string", "number"],
  description,
  "x-duration": true,
  "x-wanted": DURATION_WANTED,
});

const byStep = (description: string, value: JsonObject): JsonObject => ({
  type: "object",
  description,
  additionalProperties: value,
});

/** One for every time, or a list with one for each. */
const oneOrMany = (one: JsonObject, each: JsonObject = one): JsonObject => ({
  anyOf: [one, { type: "array", minItems: 1, maxItems: 10_000, items: each }],
});

const failure: JsonObject = {
  type: "object",
  description: "The attempt fails with this.",
  additionalProperties: false,
  properties: {
    kind: {
      type: "string",
      description:
        "As http_status, network, timeout. Default: http_status where a status is given.",
    },
    message: { type: "string", description: "For people." },
    status: { type: "integer", description: "The HTTP status.", minimum: 100, maximum: 599 },
    exit_code: { type: "integer", description: "Of a program.", minimum: 0, maximum: 255 },
    retry_after: duration("What the other side asks to wait before the next attempt."),
  },
};

const stub: JsonObject = {
  type: "object",
  description: "What the world answers to one attempt.",
  additionalProperties: false,
  properties: {
    output: { description: "The attempt succeeds, and this is the step's output." },
    error: failure,
    after: duration("How long it takes, in virtual time; beyond the step's timeout it times out."),
  },
  oneOf: [{ required: ["output"] }, { required: ["error"] }],
};

const answer: JsonObject = {
  type: "object",
  description: "What a person answers.",
  additionalProperties: false,
  // As a union: of a list of answers or one, a missing key would tell nothing about which is meant.
  oneOf: [{ required: ["approved"] }],
  properties: {
    approved: { type: "boolean", description: "Yes or no." },
    comment: { type: "string", description: "Kept with the answer." },
    after: duration("How long the person takes, counted from the question."),
  },
};

const signal: JsonObject = {
  type: "object",
  description: "A signal from outside.",
  additionalProperties: false,
  required: ["name"],
  properties: {
    name: { type: "string", description: "The name that a wait step waits for." },
    data: { description: "What the step gets as its output. Default null." },
    after: duration("When it comes, counted from the start of the run. Default 0."),
  },
};

const STATUSES = ["pending", "running", "paused", "completed", "failed", "cancelled"];

const expectedStep: JsonObject = {
  type: "object",
  description: "What the run's document says of the step: these parts of it.",
  additionalProperties: false,
  properties: {
    status: {
      enum: ["pending", "running", "waiting", "completed", "failed", "skipped", "cancelled"],
      description: "The step's status.",
    },
    output: { description: "Of a mapping, the keys named here." },
    error: { type: "object", description: "kind, message, status: those named here." },
    attempt: { type: "integer", description: "The number of its last attempt.", minimum: 0 },
    iteration: { type: "integer", description: "The pass of a loop, from 0.", minimum: 0 },
  },
};

const expect: JsonObject = {
  type: "object",
  description: "What must come of it. Without status and error: that the run is completed.",
  additionalProperties: false,
  properties: {
    status: { enum: STATUSES, description: "The run's status when nothing happens any more." },
    path: {
      type: "array",
      description: "The ids of the steps that began, in order.",
      items: { type: "string" },
    },
    elapsed: duration("From the run's start to its end, in virtual time."),
    attempts: byStep("How often each step was tried, all items and iterations together.", {
      type: "integer",
      minimum: 0,
    }),
    error: {
      type: "object",
      description: "Why the run failed: these parts of it.",
      additionalProperties: false,
      properties: {
        step_id: { type: "string", description: "The step that failed." },
        kind: { type: "string", description: "The failure's kind." },
        message: { type: "string", description: "A part of the failure's message." },
        status: { type: "integer", description: "The HTTP status." },
        exit_code: { type: "integer", description: "The program's exit code." },
      },
    },
    outputs: { description: "The run's result; of a mapping, the keys named here." },
    output: { description: "The same, by its name in the run's document." },
    steps: byStep("What became of each step; a list for a step inside a foreach.", {
      ...oneOrMany(expectedStep),
    }),
    calls: byStep("What each attempt was given: the filled config, or the keys of it named here.", {
      anyOf: [{ type: "object" }, { type: "array", items: { type: "object" } }],
    }),
  },
};

const testCase: JsonObject = {
  type: "object",
  description: "One run of the workflow.",
  additionalProperties: false,
  required: ["name"],
  properties: {
    name: { type: "string", description: "What is shown, as a sentence.", minLength: 1 },
    context: { type: "object", description: "What the run starts with. Default: nothing." },
    at: {
      type: "string",
      description: "When the run starts. Default 2026-01-01T00:00:00Z.",
      format: "date-time",
      "x-wanted": "a time with its offset, as 2030-01-31T09:00:00Z",
    },
    trigger: {
      type: "object",
      description:
        "What started it. Without a context beside it, the workflow's own trigger of that type " +
        "makes the context. Default: a trigger by hand.",
      required: ["type"],
      properties: {
        type: {
          enum: ["manual", "schedule", "webhook", "workflow"],
          description: "What started it.",
        },
        body: { description: "Of webhook: the body that came." },
        headers: { type: "object", description: "Of webhook: the headers that came." },
        query: { type: "object", description: "Of webhook: what stood behind the ?." },
        path: { type: "string", description: "Of webhook: which, if there are several." },
        cron: { type: "string", description: "Of schedule: which, if there are several." },
        workflow_id: { type: "string", description: "Of workflow: whose run has ended." },
        status: { type: "string", description: "Of workflow: how it has ended." },
        outputs: { description: "Of workflow: the outputs of the run that has ended." },
        error: { description: "Of workflow: why the run failed that has ended." },
      },
    },
    stubs: byStep(
      "What the world answers, by step: one answer for all attempts, or a list of one for each.",
      oneOrMany(stub),
    ),
    signals: { type: "array", description: "Signals that come from outside.", items: signal },
    answers: byStep(
      "What people answer, by approval step. In a list, null means that nobody does.",
      oneOrMany(answer, { ...answer, type: ["object", "null"] }),
    ),
    expect,
  },
};

export const testShape: JsonObject = {
  type: "object",
  additionalProperties: false,
  required: ["workflow", "cases"],
  "x-wanted": "a mapping with workflow and cases",
  properties: {
    workflow: { type: "string", description: "The id of the workflow that is tested." },
    cases: {
      type: "array",
      description: "Each is a run in virtual time, without network.",
      minItems: 1,
      maxItems: 1_000,
      items: testCase,
    },
  },
};

/** The JSON Schema of test files that editors use. */
export function flowTestSchema(): JsonObject {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Workflow test",
    description: "Tests of one workflow of Mini-Zaps: a *.test.yaml file.",
    ...(editable(testShape, false) as JsonObject),
  };
}
