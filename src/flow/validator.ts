// JSON Schema 2020-12 by ajv, with patterns through RE2 so that no pattern can hang a check.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import { RE2JS } from "re2js";
import { canonicalJson } from "./canonical.js";
import { parseDuration } from "./duration.js";
import type { Json, JsonObject } from "./json.js";
import { type Forgive, type Mistake, mistakesOf } from "./mistakes.js";

export interface Validator {
  /** Changes `value` where a default fills a gap. */
  mistakes(value: Json, forgive?: Forgive): Mistake[];
}

const cache = new WeakMap<JsonObject, Validator>();

/**
 * One compiled validator a schema object. Each has an ajv of its own: a shared one would keep every
 * schema it ever saw, and two schemas with one `$id` would collide.
 */
export function validatorOf(schema: JsonObject): Validator {
  let validator = cache.get(schema);
  if (validator === undefined) {
    validator = compile(schema);
    cache.set(schema, validator);
  }
  return validator;
}

function compile(schema: JsonObject): Validator {
  const ajv = new Ajv2020({
    meta: false,
    validateSchema: false,
    strict: false,
    allErrors: true,
    verbose: true,
    useDefaults: true,
    ownProperties: true,
    logger: false,
    // Its optimizer costs more than what it saves: each schema is compiled once a process.
    code: { regExp, optimize: false },
  });
  ajvFormats.default(ajv, { mode: "fast" });
  // The fast ones let the 30th of February pass.
  ajvFormats.default(ajv, { mode: "full", formats: ["date", "time", "date-time"] });
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({ keyword: "uniqueItems", type: "array", validate: hasUniqueItems });
  ajv.addKeyword({ keyword: "x-duration", type: ["string", "number"], validate: isDuration });
  const validate: ValidateFunction = ajv.compile(schema);
  return {
    mistakes: (value, forgive) =>
      validate(value) ? [] : mistakesOf(validate.errors ?? [], forgive),
  };
}

/**
 * ajv keeps the compiled patterns of a schema under their `toString()`: without one of its own,
 * every pattern would be checked as the first.
 */
const regExp = Object.assign(
  (pattern: string, flags: string): RegExpLike => {
    const compiled = compilePattern(pattern);
    return {
      test: (text) => compiled.test(text),
      toString: () => `re2:${flags}:${pattern}`,
    };
  },
  { code: "regExp" },
);

interface RegExpLike {
  test(text: string): boolean;
  toString(): string;
}

/** Throws where RE2 does not know the pattern: look-around and back-references. */
export function compilePattern(pattern: string): RE2JS {
  return RE2JS.compile(RE2JS.translateRegExp(pattern));
}

/** ajv's own compares each pair; a context may have 100 000 entries. */
function hasUniqueItems(wanted: boolean, items: Json[]): boolean {
  return !wanted || new Set(items.map(canonicalJson)).size === items.length;
}

function isDuration(_: true, value: Json): boolean {
  return parseDuration(value) !== undefined;
}
