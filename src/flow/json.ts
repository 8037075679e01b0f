// Plain JSON values: what workflows, runs, contexts and outputs are made of.

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/** `1e999` is JSON, but no number: it would be Infinity here, and null once it is written. */
export function hasInfinity(value: Json): boolean {
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === "number" && !Number.isFinite(next)) return true;
    if (typeof next !== "object" || next === null) continue;
    for (const inner of Object.values(next)) open.push(inner);
  }
  return false;
}
