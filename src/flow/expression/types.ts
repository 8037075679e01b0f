// The types of expressions: JSON's, with CEL's numbers and times, and secrets as an opaque type.

import type { Json } from "../json.js";

export type Type =
  | { kind: "dyn" }
  | { kind: "null" }
  | { kind: ScalarKind; nullable?: true }
  /** With `values`: one of these, from an `enum` or a `const`. */
  | { kind: "string"; nullable?: true; values?: readonly string[] }
  | { kind: "list"; nullable?: true; item: Type }
  | ObjectType
  /** What `.?` gives: a value, or none. */
  | { kind: "optional"; value: Type }
  /** May stand in a config's text, and nothing else. */
  | { kind: "secret" };

export type ScalarKind = "bool" | "int" | "double" | "bytes" | "timestamp" | "duration" | "type";

export interface ObjectType {
  kind: "object";
  nullable?: true;
  properties: ReadonlyMap<string, Type>;
  /** Of all other properties; null: there are none. */
  rest: Type | null;
}

export const DYN: Type = { kind: "dyn" };
export const NULL: Type = { kind: "null" };
export const BOOL: Type = { kind: "bool" };
export const INT: Type = { kind: "int" };
export const DOUBLE: Type = { kind: "double" };
export const STRING: Type = { kind: "string" };
export const BYTES: Type = { kind: "bytes" };
export const TIMESTAMP: Type = { kind: "timestamp" };
export const DURATION: Type = { kind: "duration" };
export const TYPE: Type = { kind: "type" };
export const SECRET: Type = { kind: "secret" };
/** Any object at all. */
const OBJECT: Type = { kind: "object", properties: new Map(), rest: DYN };

export function listOf(item: Type): Type {
  return { kind: "list", item };
}

export function optionalOf(value: Type): Type {
  return value.kind === "optional" ? value : { kind: "optional", value };
}

/** An object with these properties and no others. */
export function closed(properties: { [name: string]: Type }): ObjectType {
  return { kind: "object", properties: new Map(Object.entries(properties)), rest: null };
}

export function oneOf(...values: string[]): Type {
  return { kind: "string", values };
}

export function nullable(type: Type): Type {
  switch (type.kind) {
    case "dyn":
    case "null":
    case "optional":
    case "secret":
      return type;
    default:
      return type.nullable ? type : { ...type, nullable: true };
  }
}

export function isNumber(type: Type): boolean {
  return type.kind === "int" || type.kind === "double";
}

/** The type of a value that is of the one or the other: `dyn` where they have nothing in common. */
export function unify(a: Type, b: Type): Type {
  if (a === b) {
    return a;
  }
  if (a.kind === "null") {
    return nullable(b);
  }
  if (b.kind === "null") {
    return nullable(a);
  }
  const either = isNullable(a) || isNullable(b);
  const common = unifyValues(a, b);
  return either ? nullable(common) : common;
}

function unifyValues(a: Type, b: Type): Type {
  if (isNumber(a) && isNumber(b)) {
    return a.kind === "int" && b.kind === "int" ? INT : DOUBLE;
  }
  if (a.kind === "string" && b.kind === "string") {
    const values = a.values && b.values && [...new Set([...a.values, ...b.values])];
    return values ? { kind: "string", values } : STRING;
  }
  if (a.kind === "list" && b.kind === "list") {
    return listOf(unify(a.item, b.item));
  }
  if (a.kind === "optional" && b.kind === "optional") {
    return optionalOf(unify(a.value, b.value));
  }
  if (a.kind === "object" && b.kind === "object") {
    return unifyObjects(a, b);
  }
  return a.kind === b.kind ? a : DYN;
}

function unifyObjects(a: ObjectType, b: ObjectType): Type {
  const properties = new Map<string, Type>();
  for (const [name, type] of a.properties) {
    const other = b.properties.get(name);
    if (other !== undefined) {
      properties.set(name, unify(type, other));
    }
  }
  const same = properties.size === a.properties.size && properties.size === b.properties.size;
  return { kind: "object", properties, rest: same && a.rest === b.rest ? a.rest : DYN };
}

export function isNullable(type: Type): boolean {
  return type.kind === "null" || ("nullable" in type && type.nullable === true);
}

/** Can a value of type `given` stand where `wanted` is expected? Unsure is yes. */
export function accepts(wanted: Type, given: Type): boolean {
  if (wanted.kind === "dyn" || given.kind === "dyn") {
    return true;
  }
  if (given.kind === "null") {
    return isNullable(wanted);
  }
  if (given.kind === "optional") {
    return accepts(wanted, given.value);
  }
  if (isNumber(wanted) && isNumber(given)) {
    return true;
  }
  if (wanted.kind === "string") {
    return acceptsText(wanted.values, given);
  }
  if (wanted.kind === "list" && given.kind === "list") {
    return accepts(wanted.item, given.item);
  }
  if (wanted.kind === "object" && given.kind === "object") {
    return acceptsObject(wanted, given);
  }
  return wanted.kind === given.kind;
}

/** A secret is filled in as text; times and durations become text when they leave an expression. */
function acceptsText(values: readonly string[] | undefined, given: Type): boolean {
  switch (given.kind) {
    case "string":
      return !values || !given.values || given.values.some((value) => values.includes(value));
    case "secret":
    case "timestamp":
    case "duration":
      return true;
    default:
      return false;
  }
}

function acceptsObject(wanted: ObjectType, given: ObjectType): boolean {
  for (const [name, type] of given.properties) {
    const place = wanted.properties.get(name) ?? wanted.rest;
    if (place === null || !accepts(place, type)) {
      return false;
    }
  }
  return true;
}

/** As messages call it. */
export function nameOf(type: Type): string {
  switch (type.kind) {
    case "dyn":
      return "any value";
    case "null":
      return "null";
    case "optional":
      return `an optional ${bare(type.value)}`;
    default:
      return `${/^[aeiou]/.test(bare(type)) ? "an" : "a"} ${bare(type)}`;
  }
}

function bare(type: Type): string {
  switch (type.kind) {
    case "int":
    case "double":
      return "number";
    case "bool":
      return "boolean";
    case "dyn":
      return "value";
    case "bytes":
      return "byte string";
    default:
      return type.kind;
  }
}

/** What a JSON value is. */
export function typeOfValue(value: Json): Type {
  switch (typeof value) {
    case "string":
      return { kind: "string", values: [value] };
    case "number":
      return DOUBLE;
    case "boolean":
      return BOOL;
    default:
      return value === null ? NULL : Array.isArray(value) ? listOf(DYN) : OBJECT;
  }
}
