// Turns `--context` and `--set` into a run's context. Pure: whoever calls it reads the files.

import type { Json, JsonObject } from "../flow/json.js";
import { MAX_BODY_BYTES, MAX_JSON_DEPTH } from "../limits.js";

/** What is wrong with an argument, as a sentence. */
export class ArgumentMistake extends Error {}

/** `text` is what `--context` gave (or its file held); each of `sets` is laid over it, in order. */
export function parseContext(text: string | undefined, sets: readonly string[]): JsonObject {
  const context = text === undefined ? {} : parseObject(text);
  for (const set of sets) applySet(context, set);
  return context;
}

function parseObject(text: string): JsonObject {
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) {
    throw new ArgumentMistake(`--context is over ${MAX_BODY_BYTES} bytes; a context is small`);
  }
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    throw new ArgumentMistake(
      `--context is not JSON: ${(error as Error).message}. Example: --context '{"invoice": 42}'`,
    );
  }
  if (!isObject(value)) {
    throw new ArgumentMistake(
      `--context must be a JSON object, not ${nameOf(value)}. Example: --context '{"invoice": 42}'`,
    );
  }
  checkTree(value, "--context");
  return value;
}

function applySet(context: JsonObject, set: string): void {
  const equals = set.indexOf("=");
  if (equals < 1) {
    throw new ArgumentMistake(
      `--set wants key=value, not ${JSON.stringify(set)}. Example: --set customer.name=Ada`,
    );
  }
  const keys = set.slice(0, equals).split(".");
  const value = parseValue(set.slice(equals + 1), set);
  for (const key of keys) checkKey(key, `--set ${set}`);
  if (keys.length > MAX_JSON_DEPTH) {
    throw new ArgumentMistake(`--set ${set}: over ${MAX_JSON_DEPTH} levels deep`);
  }
  let place = context;
  for (const [depth, key] of keys.slice(0, -1).entries()) {
    if (!Object.hasOwn(place, key)) place[key] = {};
    const next = place[key] as Json;
    if (!isObject(next)) {
      const path = keys.slice(0, depth + 1).join(".");
      throw new ArgumentMistake(
        `--set ${set}: ${path} is already ${nameOf(next)}, so nothing can be set inside it`,
      );
    }
    place = next;
  }
  place[keys.at(-1) as string] = value;
}

/** Numbers, booleans, null and JSON are taken as such; anything else is a string. */
function parseValue(text: string, set: string): Json {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    if (/^\s*[[{"]/.test(text)) {
      throw new ArgumentMistake(
        `--set ${set}: the value begins like JSON but is not. ` +
          `For a plain text, quote it as JSON: ${JSON.stringify(text)}`,
      );
    }
    return text;
  }
  // A number that JavaScript would round or overflow stays as it was written.
  if (typeof value === "number" && !isExact(value, text)) return text;
  checkTree(value, `--set ${set}`);
  return value;
}

function isExact(value: number, text: string): boolean {
  return Number.isFinite(value) && (!/^-?\d+$/.test(text.trim()) || Number.isSafeInteger(value));
}

/** Names that JavaScript gives a meaning of its own must not come in as data. */
const FORBIDDEN = new Set(["__proto__", "prototype", "constructor"]);

function checkKey(key: string, where: string): void {
  if (key === "") {
    throw new ArgumentMistake(`${where}: a key is empty. Example: --set customer.name=Ada`);
  }
  if (FORBIDDEN.has(key)) throw new ArgumentMistake(`${where}: the key ${key} is not allowed`);
}

function checkTree(value: Json, where: string, depth = 1): void {
  if (value === null || typeof value !== "object") return;
  if (depth > MAX_JSON_DEPTH) {
    throw new ArgumentMistake(`${where}: over ${MAX_JSON_DEPTH} levels deep`);
  }
  for (const [key, inner] of Object.entries(value)) {
    if (FORBIDDEN.has(key)) throw new ArgumentMistake(`${where}: the key ${key} is not allowed`);
    checkTree(inner, where, depth + 1);
  }
}

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function nameOf(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
