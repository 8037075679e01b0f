// Times as texts (ISO 8601, UTC, ms) and as numbers (ms since 1970). Commands of one busy moment
// share a few times: so the latest are kept, and most are not made again.

const KEPT = 64;

const written: { ms: number; iso: string }[] = Array(KEPT).fill({ ms: Number.NaN, iso: "" });
const read: { ms: number; iso: string }[] = Array(KEPT).fill({ ms: Number.NaN, iso: "" });

export function isoTime(ms: number): string {
  const at = ms & (KEPT - 1);
  const kept = written[at];
  if (kept?.ms === ms) return kept.iso;
  const iso = new Date(ms).toISOString();
  written[at] = { ms, iso };
  return iso;
}

/** NaN: it is no time. */
export function timeOf(iso: string): number {
  const last = iso.length - 2;
  const at = (10 * iso.charCodeAt(last - 1) + iso.charCodeAt(last)) & (KEPT - 1);
  const kept = read[at];
  if (kept?.iso === iso) return kept.ms;
  const ms = Date.parse(iso);
  read[at] = { ms, iso };
  return ms;
}
