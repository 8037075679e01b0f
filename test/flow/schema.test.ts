// The committed schema for editors is the one the catalog gives. UPDATE=1 rewrites it.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { catalog } from "../../src/connectors/index.js";
import type { JsonObject } from "../../src/flow/json.js";
import { workflowSchema } from "../../src/flow/schema.js";
import { flowTestSchema } from "../../src/flow/test-shape.js";
import { whole } from "./whole.js";

const SCHEMAS: { [file: string]: JsonObject } = {
  "workflow.schema.json": workflowSchema(catalog),
  "flow-test.schema.json": flowTestSchema(),
};

const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
const validate = ajv.compile(workflowSchema(whole));

test.each(Object.entries(SCHEMAS))("schemas/%s is fresh", (name, schema) => {
  const file = new URL(`../../schemas/${name}`, import.meta.url);
  const fresh = `${JSON.stringify(schema, null, 2)}\n`;
  if (process.env.UPDATE === "1") {
    writeFileSync(file, fresh);
  }
  expect(existsSync(file)).toBe(true);
  expect(readFileSync(file, "utf8")).toBe(fresh);
});

const validateTest = ajv.compile(flowTestSchema());
const FLOWS = new URL("../../flows/", import.meta.url);
const tests = readdirSync(FLOWS).filter((name) => name.endsWith(".test.yaml"));
test.each(tests)("given flows/%s, then an editor says nothing", (name) => {
  validateTest(parse(readFileSync(new URL(name, FLOWS), "utf8")));
  expect(validateTest.errors ?? []).toEqual([]);
});

test("given a test with a bad duration or an unknown key, then an editor says so", () => {
  const given = (cases: object) =>
    validateTest({ workflow: "w", cases: [{ name: "n", ...cases }] });
  expect(given({ expect: { elapsed: "5s" } })).toBe(true);
  expect(given({ expect: { elapsed: "soon" } })).toBe(false);
  expect(given({ stub: {} })).toBe(false);
});

const OK = new URL("ok/", import.meta.url);
test.each(readdirSync(OK))("given ok/%s, then an editor says nothing either", (name) => {
  const text = readFileSync(new URL(name, OK), "utf8").replace(/^\ufeff/, "");
  validate(parse(text));
  expect(validate.errors ?? []).toEqual([]);
});

test.each([
  [
    "an unknown key",
    { id: "w", nmae: 1, steps: [{ id: "a", type: "delay", config: { seconds: 1 } }] },
  ],
  ["an unknown type", { id: "w", steps: [{ id: "a", type: "dely" }] }],
  [
    "a config of another type",
    { id: "w", steps: [{ id: "a", type: "delay", config: { url: "" } }] },
  ],
  ["no config", { id: "w", steps: [{ id: "a", type: "webhook" }] }],
  ["a bad duration", { id: "w", timeout: "soon", steps: [{ id: "a", type: "delay" }] }],
])("given %s, then an editor says so", (_, file) => {
  expect(validate(file)).toBe(false);
});

test("given an expression where a number belongs, then an editor lets it stand", () => {
  const config = { seconds: "${{ context.wait }}" };
  expect(validate({ id: "w", steps: [{ id: "a", type: "delay", config }] })).toBe(true);
});
