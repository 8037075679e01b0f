// Draws run ids: `run_` and a lower-case ULID, so that names sort by the time they were drawn.

import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** By ten bits. */
const PAIRS = [...ALPHABET].flatMap((first) => [...ALPHABET].map((second) => first + second));

/** 48 bits of ms since 1970, then 80 bits of chance. */
export function newRunId(now: number): string {
  if (now !== latest.now) latest = { now, prefix: prefixOf(now) };
  let id = latest.prefix;
  const bytes = pool(16);
  for (let i = 0; i < 16; i += 2) {
    id += PAIRS[(((bytes[i] ?? 0) & 31) << 5) | ((bytes[i + 1] ?? 0) & 31)];
  }
  return id;
}

let latest = { now: Number.NaN, prefix: "" };

function prefixOf(now: number): string {
  let time = now;
  let digits = "";
  for (let digit = 0; digit < 10; digit++) {
    digits = ALPHABET[time % 32] + digits;
    time = Math.floor(time / 32);
  }
  return `run_${digits}`;
}

/** Asking for many bytes at once: each call of randomBytes costs more than an id. */
let bytes = Buffer.alloc(0);
let used = 0;

function pool(count: number): Uint8Array {
  if (used + count > bytes.length) {
    bytes = randomBytes(4096);
    used = 0;
  }
  used += count;
  return bytes.subarray(used - count, used);
}
