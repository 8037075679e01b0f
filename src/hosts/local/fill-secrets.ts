// Fills secrets into a call's config, just before its connector gets it.

import type { Call } from "../../engine/ports.js";
import type { Json, JsonObject } from "../../flow/json.js";

/** A copy of the call: the one that is given knows no value, and goes on knowing none. `secrets`
 * stays: it says where values are. */
export function withSecrets(call: Call, secretOf: (name: string) => string): Call {
  if (call.secrets.length === 0) return call;
  const config = structuredClone(call.config);
  for (const { pointer, parts } of call.secrets) {
    const texts = parts.map((part) => (typeof part === "string" ? part : secretOf(part.secret)));
    place(config, pointer, texts.join(""));
  }
  return { ...call, config };
}

function place(config: JsonObject, pointer: string, text: string): void {
  const keys = pointer.slice(1).split("/").map(keyOf);
  const last = keys.pop() as string;
  const inside = keys.reduce<Json>((value, key) => (value as JsonObject)[key] as Json, config);
  // Not assigned: a key may be called `__proto__`.
  const value = { value: text, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(inside as JsonObject, last, value);
}

function keyOf(key: string): string {
  return key.replaceAll("~1", "/").replaceAll("~0", "~");
}
