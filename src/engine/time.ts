// Times as texts (ISO 8601, UTC, ms) and as numbers (ms since 1970). Commands of one busy moment
// share a few times: so the latest are kept, and most are not made again.

interface Time {
  ms: number;
  iso: string;
}

const KEPT = 64;
const NONE: Time = { ms: Number.NaN, iso: "" };
const MINUTE_MS = 60_000;

const written: Time[] = Array(KEPT).fill(NONE);
const read: Time[] = Array(KEPT).fill(NONE);

export function isoTime(ms: number): string {
  // A time, and one that is whole minutes, hours or days later, shall not have the same place.
  const at = (ms ^ Math.floor(ms / MINUTE_MS)) & (KEPT - 1);
  const kept = written[at];
  if (kept?.ms === ms) return kept.iso;
  const iso = new Date(ms).toISOString();
  written[at] = { ms, iso };
  return iso;
}

/** NaN: it is no time. */
export function timeOf(iso: string): number {
  let sum = 0;
  for (let i = 8; i < iso.length; i += 1) sum = 3 * sum + iso.charCodeAt(i);
  const at = sum & (KEPT - 1);
  const kept = read[at];
  if (kept?.iso === iso) return kept.ms;
  const ms = Date.parse(iso);
  read[at] = { ms, iso };
  return ms;
}
