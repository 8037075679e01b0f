// Between plain JSON and the values of CEL: what goes in, what comes out, and as which text.

import { Optional } from "@marcbachmann/cel-js";
import type { Json, JsonObject } from "../json.js";
import { durationText } from "./calendar.js";
import { Duration, UnsignedInt } from "./cel.js";

/** A value that JSON does not have. */
export class NoJsonError extends Error {
  constructor(
    readonly kind: "type" | "value" | "overflow",
    message: string,
  ) {
    super(message);
  }
}

/** Objects and lists that hold plain JSON down to the ground. */
const plain = new WeakSet<object>();

/**
 * The value as the library can take it. It asks a value for its `constructor`, so that an object
 * with a key of this name must come as a `Map`. Whatever was seen once is not searched again.
 */
export function toCel(value: Json | undefined): unknown {
  if (value === null || typeof value !== "object" || plain.has(value)) {
    return value;
  }
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (const [index, item] of value.entries()) {
      const taken = toCel(item);
      if (taken !== item) {
        copy ??= [...value];
        copy[index] = taken;
      }
    }
    return copy ?? remember(value);
  }
  return objectToCel(value);
}

function objectToCel(value: JsonObject): unknown {
  let changed: Map<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const item = value[key];
    const taken = toCel(item);
    if (taken !== item) {
      changed ??= new Map();
      changed.set(key, taken);
    }
  }
  if (!Object.hasOwn(value, "constructor") && changed === undefined) {
    return remember(value);
  }
  return new Map<string, unknown>([...Object.entries(value), ...(changed ?? [])]);
}

function remember<Value extends object>(value: Value): Value {
  plain.add(value);
  return value;
}

/** The value as JSON; shares what is JSON already. */
export function toJson(value: unknown): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return finite(value);
    case "bigint":
      return safe(value);
    case "object":
      return value === null ? null : objectToJson(value);
    default:
      throw new NoJsonError("type", "the value is not JSON");
  }
}

function objectToJson(value: object): Json {
  if (plain.has(value)) {
    return value as Json;
  }
  if (Array.isArray(value)) {
    return value.map(toJson);
  }
  if (value instanceof Date) {
    return value.toISOString();
  }
  if (value instanceof Duration) {
    return durationText(value);
  }
  if (value instanceof UnsignedInt) {
    return safe(value.value);
  }
  if (value instanceof Optional) {
    return value.hasValue() ? toJson(value.value()) : null;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (value instanceof Map || prototype === Object.prototype || prototype === null) {
    const entries: Iterable<[string, unknown]> =
      value instanceof Map ? value : Object.entries(value);
    return Object.fromEntries([...entries].map(([key, item]) => [key, toJson(item)]));
  }
  const what = value instanceof Uint8Array ? "a byte string" : "a type";
  throw new NoJsonError("type", `${what} is not JSON`);
}

function finite(value: number): number {
  if (!Number.isFinite(value)) {
    throw new NoJsonError("value", `${value} is not JSON`);
  }
  return value;
}

function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new NoJsonError("overflow", `${value} is beyond what a number in JSON holds exactly`);
  }
  return number;
}

/** As it is interpolated: nothing for null, JSON for objects and lists. */
export function toText(value: Json): string {
  return typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
}
