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

const SHORT = "(?:\\d+(?:\\.\\d+)?(?:ms|[wdhms]))+";
const SECONDS = "\\d+(?:\\.\\d+)?S";
const TIME = `T(?:\\d+H(?:\\d+M)?(?:${SECONDS})?|\\d+M(?:${SECONDS})?|${SECONDS})`;
const DATE = "(?:\\d+W(?:\\d+D)?|\\d+D)";

/**
 * What a JSON Schema says of a duration written as text. ISO 8601 without months and years, whose
 * length depends on when they begin; no look-ahead, which RE2 does not know.
 */
export const DURATION_PATTERN = `^(?:${SHORT}|P(?:${DATE}(?:${TIME})?|${TIME}))$`;

/** For messages: `must be a duration (…)`. */
export const DURATION_WANTED = "a duration (500ms, 5m, 1h30m, PT5M, P2D, or a number of seconds)";

const DURATION = new RegExp(DURATION_PATTERN);

/** In ms, whole and from 0 to MAX_DURATION_MS; undefined where it is none of the forms. */
export function parseDuration(value: Json): number | undefined {
  const ms = typeof value === "number" ? value * 1_000 : parseText(value);
  if (ms === undefined || !Number.isFinite(ms) || ms < 0 || ms > MAX_DURATION_MS) {
    return undefined;
  }
  return Math.round(ms);
}

function parseText(value: Json): number | undefined {
  // A longer text is no duration, whatever its digits.
  if (typeof value !== "string" || value.length > 50 || !DURATION.test(value)) {
    return undefined;
  }
  let total = 0;
  for (const [, digits, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|[wdhms])/gi)) {
    total += Number(digits) * (UNITS_MS[(unit ?? "").toLowerCase()] ?? 0);
  }
  return total;
}

/** The same, written: `1h30m`, `0s`. */
export function durationText(ms: number): string {
  let rest = ms;
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const size = UNITS_MS[unit] ?? 1;
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) {
      text += `${count}${unit}`;
    }
  }
  return text === "" ? "0s" : text;
}
