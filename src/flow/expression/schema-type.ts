// From a JSON Schema to the type of the values that fit it, as far as the schema says.

import { MAX_FLOW_DEPTH } from "../../limits.js";
import type { Json, JsonObject } from "../json.js";
import {
  BOOL,
  DOUBLE,
  DYN,
  listOf,
  NULL,
  nullable,
  type ObjectType,
  STRING,
  type Type,
  typeOfValue,
  unify,
} from "./types.js";

const known = new WeakMap<JsonObject, Type>();

/** Without a schema: any value. Where a schema says more than a type can, the type says less. */
export function typeOf(schema: Json | undefined): Type {
  if (!isObject(schema)) {
    return DYN;
  }
  let type = known.get(schema);
  if (type === undefined) {
    type = read(schema, { root: schema, depth: 0, budget: { left: MAX_TYPES } });
    known.set(schema, type);
  }
  return type;
}

/** Types read from one schema: `$ref`s can make a small one large. */
const MAX_TYPES = 2_000;

interface Reading {
  root: JsonObject;
  depth: number;
  budget: { left: number };
}

function read(schema: Json | undefined, reading: Reading): Type {
  reading.budget.left -= 1;
  if (!isObject(schema) || reading.depth > MAX_FLOW_DEPTH || reading.budget.left < 0) {
    return DYN;
  }
  const inside = { ...reading, depth: reading.depth + 1 };
  if (typeof schema.$ref === "string") {
    return read(resolve(schema.$ref, reading.root), inside);
  }
  if ("const" in schema) {
    return typeOfValue(schema.const ?? null);
  }
  if (Array.isArray(schema.enum) && schema.enum.length > 0) {
    return schema.enum.map(typeOfValue).reduce(unify);
  }
  const choice = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choice) && choice.length > 0 && schema.type === undefined) {
    return choice.map((branch) => read(branch, inside)).reduce(unify);
  }
  return readType(schema, inside);
}

function readType(schema: JsonObject, inside: Reading): Type {
  const { type } = schema;
  if (Array.isArray(type)) {
    const others = type.filter((name) => name !== "null");
    const only = others.length === 1 ? readNamed(others[0], schema, inside) : readNumbers(others);
    return others.length === type.length ? only : nullable(only);
  }
  if (type === undefined) {
    return schema.properties !== undefined
      ? readNamed("object", schema, inside)
      : schema.items !== undefined
        ? readNamed("array", schema, inside)
        : DYN;
  }
  return readNamed(type, schema, inside);
}

function readNumbers(names: Json[]): Type {
  const numbers = names.every((name) => name === "number" || name === "integer");
  return names.length === 0 ? NULL : numbers ? DOUBLE : DYN;
}

function readNamed(name: Json | undefined, schema: JsonObject, inside: Reading): Type {
  switch (name) {
    case "string":
      return STRING;
    case "number":
    case "integer":
      return DOUBLE;
    case "boolean":
      return BOOL;
    case "null":
      return NULL;
    case "array":
      return listOf(schema.prefixItems === undefined ? read(schema.items, inside) : DYN);
    case "object":
      return readObject(schema, inside);
    default:
      return DYN;
  }
}

/** What adds properties beside `properties`, so that one not named there may still exist. */
const OPENING = ["$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties", "dependentSchemas"];

function readObject(schema: JsonObject, inside: Reading): ObjectType {
  const properties = new Map<string, Type>();
  if (isObject(schema.properties)) {
    for (const [name, property] of Object.entries(schema.properties)) {
      properties.set(name, read(property, inside));
    }
  }
  const open = OPENING.some((key) => schema[key] !== undefined);
  const { additionalProperties } = schema;
  if (additionalProperties === false) {
    return { kind: "object", properties, rest: open ? DYN : null };
  }
  return { kind: "object", properties, rest: open ? DYN : read(additionalProperties, inside) };
}

/** References into the schema itself only. */
function resolve(reference: string, root: JsonObject): Json | undefined {
  if (reference !== "#" && !reference.startsWith("#/")) {
    return undefined;
  }
  let found: Json | undefined = root;
  for (const part of reference.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (!isObject(found) || !Object.hasOwn(found, key)) {
      return undefined;
    }
    found = found[key];
  }
  return found;
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
