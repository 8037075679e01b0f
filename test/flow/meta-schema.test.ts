// The schemas of flow files are checked without compiling the meta-schema of JSON Schema 2020-12,
// which takes long. Here it says what the check must say, keyword by keyword and value by value.

import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { catalog } from "../../src/connectors/index.js";
import { check } from "../../src/flow/check.js";
import { stepEnvelope, triggerSchemas, workflowEnvelope } from "../../src/flow/envelope.js";
import type { Json, JsonObject } from "../../src/flow/json.js";
import { validatorOf } from "../../src/flow/validator.js";

const KEYWORDS = [
  ..."$schema $ref $comment $defs title description default deprecated readOnly".split(" "),
  ..."writeOnly examples enum const multipleOf maximum exclusiveMaximum minimum".split(" "),
  ..."exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems".split(" "),
  ..."maxContains minContains maxProperties minProperties required dependentRequired".split(" "),
  ..."patternProperties properties dependentSchemas propertyNames format items not".split(" "),
  ..."if then else contains additionalProperties unevaluatedProperties".split(" "),
  ..."unevaluatedItems contentEncoding contentMediaType contentSchema".split(" "),
  ..."allOf anyOf oneOf prefixItems".split(" "),
];

const LEAVES: Json[] = [null, true, 0, 1, -1, 1.5, "a", "uuid", "#", {}, []];
const VALUES: Json[] = [
  ...LEAVES,
  ...LEAVES.flatMap((leaf) => [[leaf], [leaf, leaf], { "x-a": leaf }, { "x-a": [leaf] }]),
  { "x-a": ["a", "a"] },
];

/** Where more is asked than the meta-schema does: a known format, a reference that leads on. */
const STRICTER = new Set(["format", "$ref"]);

const meta = new Ajv2020({ strict: false, logger: false });

it.each(KEYWORDS)("%s takes what the meta-schema lets it take", (keyword) => {
  const wrong = VALUES.filter((value) => {
    const schema = { [keyword]: value };
    const isValid = meta.validateSchema({ properties: { v: schema } }) === true;
    return STRICTER.has(keyword) && isValid ? false : isAccepted(schema) !== isValid;
  });
  expect(wrong).toEqual([]);
});

function isAccepted(schema: Json): boolean {
  const context = JSON.stringify({ type: "object", properties: { v: schema } });
  const steps = "[{ id: a, type: delay, config: { seconds: 1 } }]";
  const text = `id: w\nname: w\ncontext: ${context}\nsteps: ${steps}\n`;
  const { diagnostics } = check(text, "w.yaml", catalog);
  return diagnostics.every(({ severity }) => severity !== "error");
}

/** Compiled when a file first needs them: a mistake in one would only show then. */
const OWN: { [of: string]: JsonObject } = {
  workflow: workflowEnvelope,
  step: stepEnvelope,
  ...triggerSchemas,
  ...Object.fromEntries(Object.values(catalog).map(({ type, config }) => [`a ${type}`, config])),
};

it.each(Object.entries(OWN))("the schema of %s is valid, and compiles", (_, schema) => {
  expect(meta.validateSchema(schema), JSON.stringify(meta.errors)).toBe(true);
  expect(() => validatorOf(schema).mistakes({})).not.toThrow();
});
