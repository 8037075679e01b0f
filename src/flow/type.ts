// Builds JSON Schemas as TypeBox does, with its static types and none of its modules: it has 370,
// and to load them took a third of the time that `flows serve` needs to start.

import type * as TypeBox from "typebox";
import type { JsonObject } from "./json.js";

type Builders = Pick<
  typeof TypeBox,
  | "Array"
  | "Boolean"
  | "Enum"
  | "Integer"
  | "Null"
  | "Number"
  | "Object"
  | "Optional"
  | "Record"
  | "String"
  | "Union"
  | "Unknown"
  | "Unsafe"
>;

/** Marks a key that may be absent; hidden, so that it is in no document. */
const OPTIONAL = "~optional";

function of(type: string) {
  return (options: JsonObject = {}) => ({ type, ...options });
}

const builders = {
  Array: (items: JsonObject, options: JsonObject = {}) => ({ type: "array", items, ...options }),
  Boolean: of("boolean"),
  Enum: (values: string[], options: JsonObject = {}) => ({ enum: values, ...options }),
  Integer: of("integer"),
  Null: of("null"),
  Number: of("number"),
  Object(properties: { [name: string]: JsonObject }, options: JsonObject = {}) {
    const required = Object.keys(properties).filter((name) => !isOptional(properties[name]));
    const needs = required.length > 0 ? { required } : {};
    return { type: "object", ...needs, properties, ...options };
  },
  Optional: (schema: JsonObject) =>
    Object.defineProperty({ ...schema }, OPTIONAL, { value: true, enumerable: false }),
  /** Of any keys: the only ones in use. */
  Record: (_key: JsonObject, value: JsonObject, options: JsonObject = {}) => ({
    type: "object",
    patternProperties: { "^.*$": value },
    ...options,
  }),
  String: of("string"),
  Union: (anyOf: JsonObject[], options: JsonObject = {}) => ({ anyOf, ...options }),
  Unknown: (options: JsonObject = {}) => ({ ...options }),
  Unsafe: (schema: JsonObject) => ({ ...schema }),
};

export const Type = builders as unknown as Builders;

function isOptional(schema: JsonObject | undefined): boolean {
  return schema !== undefined && OPTIONAL in schema;
}
