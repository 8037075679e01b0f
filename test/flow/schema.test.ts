// The committed schema for editors is the one the catalog gives. UPDATE=1 rewrites it.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { catalog } from "../../src/connectors/index.js";
import { workflowSchema } from "../../src/flow/schema.js";
import { whole } from "./whole.js";

const FILE = new URL("../../schemas/workflow.schema.json", import.meta.url);
const schema = workflowSchema(catalog);

const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
const validate = ajv.compile(workflowSchema(whole));

test("given the catalog of this version, then schemas/workflow.schema.json is fresh", () => {
  const fresh = `${JSON.stringify(schema, null, 2)}\n`;
  if (process.env.UPDATE === "1") {
    writeFileSync(FILE, fresh);
  }
  expect(existsSync(FILE)).toBe(true);
  expect(readFileSync(FILE, "utf8")).toBe(fresh);
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
