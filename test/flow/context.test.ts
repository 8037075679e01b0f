// A context is checked against what its workflow declares, with defaults, and without hanging.

import { expect, test } from "vitest";
import { checkContext } from "../../src/flow/context.js";
import type { Json, JsonObject } from "../../src/flow/json.js";
import type { Workflow } from "../../src/flow/workflow.js";

const declaring = (context?: JsonObject): Workflow => ({
  id: "w",
  name: "w",
  entry_point: "a",
  steps: [],
  max_steps: 1,
  ...(context === undefined ? {} : { context }),
});

const object = (properties: JsonObject, more: JsonObject = {}) =>
  declaring({ type: "object", properties, ...more });

test("given no declaration, any object fits", () => {
  const context = { a: [1, { b: null }] };
  expect(checkContext(declaring(), context)).toEqual({ context });
});

test("given defaults, then they fill the gaps of a copy, nested ones too", () => {
  const workflow = object({
    region: { type: "string", default: "eu" },
    limits: { type: "object", properties: { max: { type: "number", default: 3 } }, default: {} },
  });
  const given = {};
  expect(checkContext(workflow, given)).toEqual({ context: { region: "eu", limits: { max: 3 } } });
  expect(given).toEqual({});
});

test("given several values that do not fit, then each is named with its path", () => {
  const workflow = object(
    { amount: { type: "number", minimum: 1 }, region: { enum: ["eu", "us"] } },
    { required: ["id"], additionalProperties: false },
  );
  expect(checkContext(workflow, { amount: 0, region: "eux", "a/b": 1 })).toEqual({
    details: [
      { path: "", message: 'missing key "id"' },
      {
        path: "/a~1b",
        message: 'unknown key "a/b"; the keys are "amount" and "region"',
      },
      { path: "/amount", message: "must be at least 1, not 0" },
      { path: "/region", message: 'must be "eu" or "us", not "eux"' },
    ],
  });
});

test("given a pattern that makes a backtracking matcher hang, then the answer comes", () => {
  const workflow = object({ v: { type: "string", pattern: "^(a+)+$" } });
  expect(checkContext(workflow, { v: `${"a".repeat(5_000)}!` })).toHaveProperty("details");
  expect(checkContext(workflow, { v: "aaa" })).toHaveProperty("context");
});

test("given two patterns, then each value is checked by its own", () => {
  const workflow = object({
    digits: { type: "string", pattern: "^[0-9]+$" },
    letters: { type: "string", pattern: "^[a-z]+$" },
  });
  expect(checkContext(workflow, { digits: "12", letters: "ab" })).toHaveProperty("context");
  expect(checkContext(workflow, { digits: "ab", letters: "12" })).toEqual({
    details: [
      { path: "/digits", message: 'must match the pattern ^[0-9]+$, which "ab" does not' },
      { path: "/letters", message: 'must match the pattern ^[a-z]+$, which "12" does not' },
    ],
  });
});

test("given a name of Object's prototype, then it is a name like any other", () => {
  const required = object({}, { required: ["constructor", "toString"] });
  expect(checkContext(required, {})).toHaveProperty("details.length", 2);
  const withDefault = object({ constructor: { type: "string", default: "built" } });
  expect(checkContext(withDefault, {})).toEqual({ context: { constructor: "built" } });
});

test("given __proto__ as a key, then nothing gets a new prototype", () => {
  const context = JSON.parse('{ "__proto__": { "admin": true } }') as JsonObject;
  const checked = checkContext(object({ a: { default: 1 } }), context) as { context: JsonObject };
  expect(Object.getPrototypeOf(checked.context)).toBe(Object.prototype);
  expect(checked.context.admin).toBeUndefined();
  expect(Object.keys(checked.context)).toEqual(["__proto__", "a"]);
  const closed = object({}, { additionalProperties: false });
  expect(checkContext(closed, context)).toHaveProperty("details");
});

test("given formats, then a date is a date", () => {
  const workflow = object({ day: { type: "string", format: "date" } });
  expect(checkContext(workflow, { day: "2030-02-30" })).toHaveProperty("details");
  expect(checkContext(workflow, { day: "2030-02-28" })).toHaveProperty("context");
});

test("given a union, then one message says what was wanted", () => {
  const workflow = object({ v: { anyOf: [{ type: "number" }, { type: "null" }] } });
  expect(checkContext(workflow, { v: "x" })).toEqual({
    details: [{ path: "/v", message: 'must be a number or null, not "x"' }],
  });
});

test("given 20 000 entries that must differ, then the answer comes", () => {
  const workflow = object({ v: { type: "array", uniqueItems: true } });
  const entries = Array.from({ length: 20_000 }, (_, index): Json => ({ index }));
  expect(checkContext(workflow, { v: entries })).toHaveProperty("context");
  expect(checkContext(workflow, { v: [...entries, { index: 7 }] })).toEqual({
    details: [{ path: "/v", message: "must not have the same entry twice" }],
  });
});

test("given a context nested deeper than the limit, then it is refused", () => {
  let deep: Json = 1;
  for (let level = 0; level < 200; level += 1) {
    deep = [deep];
  }
  expect(checkContext(declaring(), { deep })).toEqual({
    details: [{ path: "", message: "must be nested at most 100 levels deep" }],
  });
});

test("given a workflow read again, then one schema's $defs do not disturb another's", () => {
  const schema = (type: string): JsonObject => ({
    v: { $ref: "#/$defs/v" },
    type: { const: type },
  });
  const first = object(schema("a"), { $defs: { v: { type: "string" } } });
  const second = object(schema("b"), { $defs: { v: { type: "number" } } });
  expect(checkContext(first, { v: "x" })).toHaveProperty("context");
  expect(checkContext(second, { v: 1 })).toHaveProperty("context");
  expect(checkContext(second, { v: "x" })).toHaveProperty("details");
});
