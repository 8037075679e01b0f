// Durations: `500ms`, `5m`, `1h30m`, `PT5M`, `P2D`, or a number of seconds, in ms.

import { MAX_DURATION_MS } from "../limits.js";
import type { Json } from "./json.js";

const UNITS_MS: { readonly [unit: string]: number } = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

/** What a JSON Schema says of a duration written as text; the same grammar as below. */
export const DURATION_PATTERN =
  "^(?:(?:\\d+(?:\\.\\d+)?(?:ms|[wdhms]))+" +
  "|P(?=\\d|T\\d)(?:\\d+W)?(?:\\d+D)?(?:T(?=\\d)(?:\\d+H)?(?:\\d+M)?(?:\\d+(?:\\.\\d+)?S)?)?)$";

/** In ms, whole and from 0 to MAX_DURATION_MS; undefined where it is none of the forms. */
export function parseDuration(value: Json): number | undefined {
  const ms = typeof value === "number" ? value * 1_000 : parseText(value);
  if (ms === undefined || !Number.isFinite(ms) || ms < 0 || ms > MAX_DURATION_MS) {
    return undefined;
  }
  return Math.round(ms);
}

function parseText(value: Json): number | undefined {
  if (typeof value !== "string" || value.length > 50) {
    return undefined;
  }
  return parseShort(value) ?? parseIso(value);
}

/** `1h30m`: each unit once, from long to short. */
function parseShort(text: string): number | undefined {
  const match =
    /^(?:(\d+(?:\.\d+)?)w)?(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/
      .exec(text);
  return match === null ? undefined : sum(match, ["w", "d", "h", "m", "s", "ms"]);
}

/** ISO 8601 without months and years, whose length depends on when they begin. */
function parseIso(text: string): number | undefined {
  const match =
    /^P(?=\d|T\d)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/
      .exec(text);
  return match === null ? undefined : sum(match, ["w", "d", "h", "m", "s"]);
}

function sum(match: RegExpExecArray, units: string[]): number | undefined {
  let total = 0;
  let found = false;
  units.forEach((unit, index) => {
    const digits = match[index + 1];
    if (digits !== undefined) {
      found = true;
      total += Number(digits) * (UNITS_MS[unit] ?? 0);
    }
  });
  return found ? total : undefined;
}
